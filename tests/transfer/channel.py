#!/usr/bin/env python3
"""Screen to camera to file, simulated: 100 KB as codes that follow each other, filmed at 30 frames a second by a 720p camera with a
rolling shutter, a hand that shakes, blur, noise and JPEG; every camera frame read by our cascade, what was read given to the program.
Holds us to TRANSFER section 8, number 10: version 20 at 10 codes a second, at least 7 kB/s and at most 1.15 of the ideal time; version
27 at 8 a second, at least 10 kB/s.

    channel.py --binary target/release/anchorite [--decoder target/release/deps/decode-...]
"""
import argparse, json, pathlib, subprocess, sys, tempfile
import cv2, numpy, segno
from make_pictures import barrel, drawn, jpeg, noisy, tilted, vignette
from decode_rates import built

CAMERA, EXPOSURE, READOUT = 30.0, 0.010, 0.015        # frames a second; seconds a row is lit; seconds from the first row to the last
WIDTH, HEIGHT = 1280, 720
OCTETS = 100_000


def texts(binary, folder, version, count):
    content, envelope, frames = folder / "object", folder / f"envelope-{version}", folder / f"frames-{version}"
    content.write_bytes(numpy.random.default_rng(7).integers(0, 256, OCTETS).astype(numpy.uint8).tobytes())
    subprocess.run([binary, "envelope", "make", content, "--kind", "chain", "--realm", "rehearsal", "--out", envelope], check=True, capture_output=True)
    listed = subprocess.run([binary, "envelope", "frames", envelope, "--version", str(version), "--count", str(count)], check=True,
                            capture_output=True, text=True).stdout.split()
    frames.write_text("\n".join(listed))
    return listed


def screen(text, version, scale):
    code = segno.make(text, version=version, error="l", mode="alphanumeric", boost_error=False, micro=False)
    return drawn(numpy.array([list(row) for row in code.matrix], numpy.uint8), scale, light=235, dark=25)


def film(codes, rate, random):
    """What the camera sees, one picture after the other: rows that see a change of codes are a mixture of both."""
    at, phase = 0, float(random.random()) / CAMERA
    seen_by = {}
    while True:
        start = phase + at / CAMERA
        rows = start + READOUT * numpy.arange(HEIGHT) / HEIGHT
        first, change = int(start * rate), (int(start * rate) + 1) / rate
        if first + 1 >= len(codes):
            return
        shake = dict(yaw=3 + random.normal(0, .5), pitch=2 + random.normal(0, .5), roll=1 + random.normal(0, .3),
                     shift=(float(random.normal(0, 3)), float(random.normal(0, 3))))
        later = numpy.clip((rows + EXPOSURE - change) / EXPOSURE, 0, 1)[:, None]
        picture = numpy.zeros((HEIGHT, WIDTH))
        for number, share in ((first, 1 - later), (first + 1, later)):
            if share.max() > 0:
                lens = barrel(tilted(codes[number], size=(WIDTH, HEIGHT), distance=3.0, fill=0.93, background=120, **shake), 0.05)
                picture += share * lens
        picture = cv2.GaussianBlur(picture.astype(numpy.uint8), (0, 0), 0.7)
        yield start, jpeg(noisy(vignette(picture, 0.2), 4, random), 85)
        at += 1


def run(binary, program, folder, version, rate):
    listed = texts(binary, folder, version, 260)
    random = numpy.random.default_rng(version)
    scale = max(4, 1400 // (17 + 4 * version + 8))
    codes = [screen(text, version, scale) for text in listed]
    moments, files = [], []
    for moment, picture in film(codes, rate, random):
        path = folder / f"{version}-{len(files):05d}.pgm"
        path.write_bytes(b"P5\n%d %d\n255\n" % (WIDTH, HEIGHT) + picture.astype(numpy.uint8).tobytes())
        moments.append(moment)
        files.append(str(path))
    lines = subprocess.run([program, "ours"], input="\n".join(files), capture_output=True, text=True, check=True).stdout.splitlines()
    heard, whole = {}, folder / f"arrived-{version}"
    symbols = -(-OCTETS // ((len(listed[0]) - 3) * 5 // 8 - 25))      # media/README.md, A frame; the envelope's line aside
    for moment, line in zip(moments, map(json.loads, lines)):
        new = [text for text in (bytes.fromhex(code).decode("ascii", "replace") for code in line["codes"]) if text not in heard]
        heard.update(dict.fromkeys(new))
        if new and len(heard) >= symbols - 2:
            taken = folder / "taken"
            taken.write_text("\n".join(heard))
            done = subprocess.run([binary, "envelope", "open", taken, "--out", whole], capture_output=True)
            if done.returncode == 0:
                assert whole.read_bytes() == (folder / "object").read_bytes()
                shown = int(moment * rate) + 1
                return moment, OCTETS / 1000 / moment, moment / (symbols / rate), len(set(listed[:shown]) & set(heard)) / shown
    sys.exit(f"version {version}: not whole after {moments[-1]:.1f} s, {len(heard)} of about {symbols} codes")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--decoder")
    args = parser.parse_args()
    program, missed = args.decoder or built(), False
    print("| version | codes a second | whole after | kB/s | over the ideal time | codes caught |\n|---|---|---|---|---|---|")
    for version, rate, least, most in ((20, 10, 7.0, 1.15), (27, 8, 10.0, None)):
        with tempfile.TemporaryDirectory() as folder:
            moment, speed, ratio, caught = run(args.binary.resolve(), program, pathlib.Path(folder), version, rate)
        good = speed >= least and (most is None or ratio <= most)
        missed |= not good
        print(f"| {version} | {rate} | {moment:.1f} s | **{speed:.1f}** | {ratio:.3f} | {caught:.1%} |{'' if good else ' MISSED'}")
    sys.exit(missed)


if __name__ == "__main__":
    main()
