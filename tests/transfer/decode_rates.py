#!/usr/bin/env python3
"""Reads the 802 pictures with our cascade, zxing-cpp, zbar and rqrr alone, in one run on one machine, and holds us to TRANSFER section 8,
numbers 4 to 8, as ratios. Prints a Markdown table; ends with 1 and the reasons where one is missed.

    decode_rates.py --decoder target/release/deps/decode-...      (cargo bench --bench decode --no-run says where it is)
    decode_rates.py --pictures DIR --mutations 100000
"""
import argparse, collections, json, pathlib, statistics, subprocess, sys, tempfile, time
import cv2, numpy, segno, zxingcpp
from pyzbar import pyzbar

HERE = pathlib.Path(__file__).resolve().parent
# Where nothing is left to read, or only a reader of lines can: TRANSFER 8.4 excepts both.
EXCEPTED = ("quiet-zone-0", "blur-strong")


def built():
    out = subprocess.run(["cargo", "bench", "--bench", "decode", "--no-run", "--locked", "--message-format", "json"], cwd=HERE.parent.parent,
                         check=True, stdout=subprocess.PIPE, text=True).stdout
    return next(line["executable"] for line in map(json.loads, out.splitlines()) if line.get("executable") and line["target"]["name"] == "decode")


def decoder(program, mode, files):
    out = subprocess.run([program, mode], input="\n".join(files), stdout=subprocess.PIPE, text=True, check=True).stdout
    return [(line["codes"], line["milliseconds"], line["wall"]) for line in map(json.loads, out.splitlines())]


def timed(read):
    before = time.process_time()
    codes = read()
    return [code.hex() for code in codes], (time.process_time() - before) * 1e3, 0.0


def peers(files):
    """zxing-cpp with everything it tries by default, and zbar, both for QR codes only, octets and not text."""
    pictures = [cv2.imread(file, cv2.IMREAD_GRAYSCALE) for file in files]
    zxing = [timed(lambda: [found.bytes for found in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)]) for picture in pictures]
    zbar = [timed(lambda: [found.data for found in pyzbar.decode(picture, symbols=[pyzbar.ZBarSymbol.QRCODE])]) for picture in pictures]
    return zxing, zbar


def group_of(entry):
    """The category; where the acceptance treats a part of one apart, that part."""
    detail = entry["file"].rsplit("-", 1)[-1].removesuffix(".pgm")
    if entry["category"] == "quiet-zone" and detail == "0":
        return "quiet-zone-0"
    if entry["category"] == "blur" and float(detail) >= 0.6:
        return "blur-strong"
    return entry["category"]


def fidelity(program, folder):
    """270 codes in byte mode that no text survives in; every octet must come back."""
    random = numpy.random.default_rng(270)
    files, wanted = [], []
    for n in range(270):
        size = int(random.integers(8, 400))
        raw = random.integers(0, 256, size).astype(numpy.uint8).tobytes()
        content = (raw,
                   b"\x30\x82" + size.to_bytes(2, "big") + raw,
                   bytes(0xa0 + octet % 0x60 for octet in raw),
                   bytes(octet for pair in raw for octet in (0x81 + pair % 0x1f, 0x40 + pair % 0x3f)),
                   bytes(octet if octet % 3 == 0 else 0 for octet in raw),
                   "".join(chr(0x400 + octet) for octet in raw).encode())[n % 6]
        code = segno.make(content, error="l", mode="byte", micro=False, encoding="iso-8859-1", boost_error=False)
        modules = numpy.array([list(row) for row in code.matrix], numpy.uint8)
        picture = numpy.kron(numpy.where(numpy.pad(modules, 4), 0, 255).astype(numpy.uint8), numpy.ones((3, 3), numpy.uint8))
        path = folder / f"octets-{n:03d}.pgm"
        path.write_bytes(b"P5\n%d %d\n255\n" % picture.shape[::-1] + picture.tobytes())
        files.append(str(path))
        wanted.append(content.hex())
    exact = sum(want in codes for want, (codes, _, _) in zip(wanted, decoder(program, "ours", files)))
    text = sum(any(found.text.encode() == bytes.fromhex(want) for found in zxingcpp.read_barcodes(cv2.imread(file, 0), formats=zxingcpp.BarcodeFormat.QRCode))
               for file, want in zip(files, wanted))
    return exact, text


def quantile(values, share):
    return float(numpy.quantile(values, share))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--decoder")
    parser.add_argument("--pictures", type=pathlib.Path)
    parser.add_argument("--mutations", type=int, default=100_000)
    args = parser.parse_args()
    program = args.decoder or built()
    missed = []

    def hold(number, what, found, good):
        print(f"{'ok    ' if good else 'MISSED'} {number}. {what}: {found}")
        if not good:
            missed.append(what)

    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        pictures = args.pictures or scratch / "pictures"
        if not (pictures / "index.json").exists():
            subprocess.run([sys.executable, HERE / "make_pictures.py", pictures], check=True)
        index = json.loads((pictures / "index.json").read_text())
        files = [str(pictures / entry["file"]) for entry in index]
        results = {"ours": decoder(program, "ours", files), "rqrr": decoder(program, "rqrr", files)}
        results["zxing-cpp"], results["zbar"] = peers(files)
        names = ["ours", "zxing-cpp", "zbar", "rqrr"]
        read = {name: [entry["payload"].encode().hex() in codes for entry, (codes, _, _) in zip(index, results[name])] for name in names}
        wrong = sum(bool(codes) and not good for (codes, _, _), good in zip(results["ours"], read["ours"]))

        groups = collections.OrderedDict()
        for place, entry in enumerate(index):
            groups.setdefault(group_of(entry), []).append(place)
        share = {(name, group): 100 * statistics.mean(read[name][place] for place in places) for name in names for group, places in groups.items()}
        print("| pictures | n | ours | zxing-cpp | zbar | rqrr alone |\n|---|---|---|---|---|---|")
        for group, places in groups.items():
            print(f"| {group} | {len(places)} | **{share['ours', group]:.0f}** | " + " | ".join(f"{share[name, group]:.0f}" for name in names[1:]) + " |")
        total = {name: 100 * statistics.mean(read[name]) for name in names}
        print(f"| **all** | {len(index)} | **{total['ours']:.1f}** | " + " | ".join(f"{total[name]:.1f}" for name in names[1:]) + " |")
        milliseconds = {}
        for label, groups_of in (("all", None), ("720p", "webcam-720p"), ("1080p", "webcam-1080p")):
            places = groups[groups_of] if groups_of else range(len(index))
            milliseconds[label] = {name: [results[name][place][1] for place in places] for name in names}
            cells = " | ".join(f"{quantile(milliseconds[label][name], .5):.1f} / {quantile(milliseconds[label][name], .95):.1f}" for name in names)
            print(f"| ms of CPU, median / p95, {label} | {len(places)} | {cells} |")
        print()

        for peer, least in (("zxing-cpp", 1.05), ("zbar", 1.25), ("rqrr", 1.7)):
            ratio = total["ours"] / total[peer]
            hold(4, f"decode rate over {peer} at least {least}", f"{ratio:.3f}", ratio >= least)
        for group in groups:
            best = max(share["zxing-cpp", group], share["zbar", group])
            if group not in EXCEPTED and share["ours", group] < 0.9 * best:
                hold(4, f"{group} at least 0.9 of the better peer", f"{share['ours', group]:.0f} of {best:.0f}", False)
        hold(4, "wrong payloads", wrong, wrong == 0)
        for group in ("webcam-720p", "webcam-1080p"):
            hold(5, f"{group} all read", f"{share['ours', group]:.1f} % (zbar {share['zbar', group]:.0f}, rqrr {share['rqrr', group]:.0f})",
                 share["ours", group] == 100)
        ratio = quantile(milliseconds["720p"]["ours"], .5) / quantile(milliseconds["720p"]["zxing-cpp"], .5)
        hold(6, "CPU of a 720p frame over zxing-cpp, median, at most 1.3", f"{ratio:.2f}", ratio <= 1.3)
        p95 = quantile(milliseconds["720p"]["ours"], .95)
        hold(6, "CPU of a 720p frame, p95, at most 40 ms", f"{p95:.1f} ms", p95 <= 40)
        longest = max(spent for _, spent, _ in results["ours"])
        hold(6, "longest of all pictures at most 250 ms of CPU", f"{longest:.0f} ms", longest <= 250)
        exact, text = fidelity(program, scratch)
        hold(8, "byte-mode codes exact", f"{exact} of 270 (zxing-cpp as text: {text})", exact == 270)
        if args.mutations:
            half = args.mutations // 2
            parts = [subprocess.Popen([program, "mutate", str(first), str(last)], stdout=subprocess.PIPE, text=True)
                     for first, last in ((0, half), (half, args.mutations))]
            done = [json.loads(part.communicate()[0]) for part in parts]
            counts = {name: sum(part[name] for part in done) for name in ("pictures", "read", "wrong", "caught", "escaped")}
            longest = max(part["longest"] for part in done)
            hold(7, "panics escaped from mutated pictures", f"{counts['escaped']} of {counts['pictures']} (caught {counts['caught']}, read {counts['read']}, longest {longest:.0f} ms)",
                 counts["escaped"] == 0 and counts["pictures"] == args.mutations)
            hold(7, "wrong texts from mutated pictures", counts["wrong"], counts["wrong"] == 0)
    if missed:
        print(f"missed: {'; '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
