#!/usr/bin/env python3
"""Screen to camera to file, with the real program on both sides.

`qr show` runs in xterm under Xvfb. Its screen is photographed at a steady pace; of the photographs three in ten are lost, and what is
left is tilted, blurred, washed out and noisy. `qr scan` must make the same file of them. Codes that stand still are read from clean
screenshots by two strangers, zbarimg and zxing-cpp. Printed pages go through pdftoppm and back.

    optical_loop.py --binary target/release/anchorite [--scanner OTHER] [--keep FOLDER]

Needs xterm, Xvfb, xdotool, xwd, zbarimg, pdftoppm, fonts-dejavu-core, fonts-liberation, and zxing-cpp, Pillow, numpy. What is missing is a
failure.
"""

import argparse
import base64
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
import zxingcpp
from PIL import Image, ImageFilter

ROOT = Path(__file__).resolve().parents[2]
CERTIFICATE = ROOT / "transcripts/root-ca/artifacts/root-2026.crt.pem"
PACE = 12  # photographs a second, of codes that change six times a second
LOST = 0.3
# Fonts whose half blocks fill their halves of the cell, so that both strangers read every code. What cells xterm made is asserted below.
TERMINALS = [
    ("DejaVu Sans Mono", ["-fa", "DejaVu Sans Mono", "-fs", "9"], "120x40"),
    ("Liberation Mono", ["-fa", "Liberation Mono", "-fs", "12"], "120x40"),
    ("bitmap 9x15", ["-fn", "-misc-fixed-medium-r-normal--15-140-75-75-c-90-iso10646-1"], "80x24"),
    ("Liberation Mono", ["-fa", "Liberation Mono", "-fs", "7"], "200x60"),
]
# A font whose lower half block ends two pixels above the end of its cell: zbarimg reads it, zxing-cpp does not; with upper half blocks it is
# the other way round; in double width both do. Our own scanner must read it as it is.
GAPS = ("Liberation Mono", ["-fa", "Liberation Mono", "-fs", "10"], "120x50")


def fail(message):
    raise SystemExit(f"optical loop: {message}")


def need(condition, message):
    if not condition:
        fail(message)


def run(*arguments, **more):
    return subprocess.run([str(a) for a in arguments], capture_output=True, text=True, check=False, **more)


class Screen:
    """An X server of our own, of the size of a common monitor."""

    def __enter__(self):
        read, write = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "1920x1080x24", "-nolisten", "tcp"],
            pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as number:
            line = number.readline().strip()
        need(line, "Xvfb did not start")
        self.environment = dict(os.environ, DISPLAY=f":{line}", TERM="xterm-256color")
        for name in ("COLORTERM", "NO_COLOR", "WINDOWID"):
            self.environment.pop(name, None)
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()


class Window:
    """A file shown by the real program in a real terminal."""

    def __init__(self, screen, font, geometry, command):
        self.environment = screen.environment
        self.process = subprocess.Popen(
            ["xterm", *font, "-geometry", f"{geometry}+0+0", "-b", "0", "-bw", "0", "+sb", "-bg", "black", "-fg", "grey",
             "-xrm", "XTerm*allowSendEvents: true", "-e", *map(str, command)],
            env=self.environment, stderr=subprocess.DEVNULL)
        self.id = self.ask("xdotool", "search", "--sync", "--onlyvisible", "--class", "xterm").split()[-1]
        hints = self.ask("xprop", "-id", self.id, "WM_NORMAL_HINTS")
        found = re.search(r"resize increment: (\d+) by (\d+)", hints)
        need(found, f"xterm does not say how large its cells are: {hints}")
        self.cell = int(found[1]), int(found[2])

    def ask(self, *command):
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=30, check=False)
        return done.stdout

    def photograph(self):
        """The window's pixels as grey, from xwd's format (X11/XWDFile.h)."""
        dump = subprocess.run(["xwd", "-silent", "-id", self.id], env=self.environment, capture_output=True, check=True).stdout
        header = numpy.frombuffer(dump, ">u4", 25)
        size, width, height, bits, line, colours = (int(header[i]) for i in (0, 4, 5, 11, 12, 19))
        need(bits == 32, f"expected 32 bits a pixel, found {bits}")
        start = size + 12 * colours
        pixels = numpy.frombuffer(dump, numpy.uint8, line * height, start).reshape(height, line)[:, : width * 4]
        return pixels.reshape(height, width, 4)[:, :, 1].copy()

    def press(self, key):
        self.ask("xdotool", "key", "--window", self.id, key)

    def close(self):
        self.press("q")
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            fail("q does not end the program in its terminal")


def zxing(picture):
    found = [code.text for code in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)]
    return found[0] if len(found) == 1 else None


def zbar(path):
    return sorted(line for line in run("zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", path).stdout.splitlines() if line)


def settled(window):
    """A photograph that is the same twice: a code that stands still."""
    before = window.photograph()
    for _ in range(100):
        time.sleep(0.03)
        after = window.photograph()
        if after.shape == before.shape and (after == before).all() and zxing(after):
            return after
        before = after
    fail("the screen never stands still with a code on it")


def read_by_both(window, folder, what):
    picture = settled(window)
    path = folder / "still.png"
    Image.fromarray(picture).save(path)
    texts = zbar(path)
    need(texts == [zxing(picture)], f"{what}: zbarimg reads {len(texts)} codes and not what zxing-cpp reads")
    return texts[0]


def with_gaps(screen, options, work, file, dice):
    """A font that does not fill its cells: our scanner all the same, strangers with the key that helps."""
    window = Window(screen, GAPS[1], GAPS[2], [options.binary, "qr", "show", file])
    try:
        time.sleep(1)
        photographs = work / "photographs"
        photographs.mkdir()
        pictures = photographed(window, 40)
        window.press("s")
        time.sleep(0.5)
        path = work / "gaps.png"
        Image.fromarray(window.photograph()).save(path)
        need(len(zbar(path)) == 1, "zbarimg does not read lower half blocks with gaps")
        window.press("w")
        time.sleep(0.5)
        need(zxing(window.photograph()), "zxing-cpp does not read upper half blocks with gaps")
        window.press("w")
        text = read_by_both(window, work, "double width in a font with gaps")
        another(window, text)
        read_by_both(window, work, "double width in a font with gaps")
        cell = window.cell
    finally:
        window.close()
    developed(pictures, photographs, dice)
    scanned(options.scanner, photographs, work / "scanned", file.read_bytes())
    print(f"  {GAPS[0]:18} {GAPS[2]:7} cell {cell[0]}x{cell[1]:<3} half blocks with gaps: scanned; read by both in double width", flush=True)


def another(window, text):
    """The next code, once it is on the screen."""
    window.press("Right")
    for _ in range(100):
        time.sleep(0.02)
        found = zxing(window.photograph())
        if found and found != text:
            return
    fail("the arrow key brings no other code")


def photographed(window, count):
    """So many photographs at a steady pace; a slow machine takes longer for them, and shows more meanwhile."""
    pictures, began = [], time.monotonic()
    while len(pictures) < count:
        pictures.append(window.photograph())
        time.sleep(max(0.0, began + len(pictures) / PACE - time.monotonic()))
    return pictures


def developed(pictures, folder, dice):
    """What is left of them: how many."""
    kept = [(number, picture) for number, picture in enumerate(pictures) if dice.random() >= LOST]
    for number, picture in kept:
        Image.fromarray(degraded(picture, dice)).save(folder / f"{number:04}.png", compress_level=1)
    return len(kept)


def degraded(picture, dice):
    """Held by hand, a little out of focus, in a bright room, by a cheap sensor."""
    image = Image.fromarray(picture)
    width, height = image.size
    edge = 40
    frame = Image.new("L", (width + 2 * edge, height + 2 * edge), 30)
    frame.paste(image, (edge, edge))
    width, height = frame.size
    shift = lambda: dice.uniform(-0.02, 0.02)
    corners = [(x * width + shift() * width, y * height + shift() * height) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
    frame = frame.transform(frame.size, Image.Transform.PERSPECTIVE, perspective(corners, width, height), Image.Resampling.BICUBIC, fillcolor=30)
    frame = frame.filter(ImageFilter.GaussianBlur(dice.uniform(0.4, 0.9)))
    pixels = numpy.asarray(frame, dtype=numpy.float32)
    low, high = dice.uniform(50, 80), dice.uniform(150, 200)
    light = numpy.linspace(dice.uniform(0.8, 1), dice.uniform(0.8, 1), width, dtype=numpy.float32)
    pixels = (low + pixels * (high - low) / 255) * light
    pixels += numpy.random.default_rng(dice.getrandbits(32)).normal(0, 8, pixels.shape).astype(numpy.float32)
    return numpy.clip(pixels, 0, 255).astype(numpy.uint8)


def perspective(corners, width, height):
    """The eight coefficients Pillow wants: where each place of the new picture was in the old one."""
    rows, values = [], []
    for (u, v), (x, y) in zip(((0, 0), (width, 0), (width, height), (0, height)), corners):
        rows += [[u, v, 1, 0, 0, 0, -u * x, -v * x], [0, 0, 0, u, v, 1, -u * y, -v * y]]
        values += [x, y]
    return numpy.linalg.solve(numpy.array(rows), numpy.array(values)).tolist()


def scanned(scanner, folder, out, octets):
    done = run(scanner, "qr", "scan", folder, "--out", out)
    need(done.returncode == 0, f"qr scan ends with {done.returncode}: {done.stdout[-300:]}{done.stderr[-900:]}")
    need(out.read_bytes() == octets, "qr scan gives other octets")


def across(screen, options, terminal, file, more, work, dice):
    """One file across the gap, through one font."""
    name, font, geometry = terminal
    octets = file.read_bytes()
    window = Window(screen, font, geometry, [options.binary, "qr", "show", file, *more])
    try:
        settled_in(window)
        photographs = work / "photographs"
        photographs.mkdir()
        columns, rows = map(int, geometry.split("x"))
        # The version this terminal takes, whose sources are three quarters of the lines of --plain.
        version = max(v for v in range(5, 16) if (17 + 4 * v + 8 + 1) // 2 < rows and 17 + 4 * v + 8 <= columns)
        lines = run(options.binary, "qr", "show", file, "--plain", "--version", version, *more).stdout.splitlines()
        sources = -(-len(lines) * 3 // 4)
        seconds = sources / 6 / (1 - LOST) * 1.3 + 2
        pictures = photographed(window, int(seconds * PACE))
        window.press("s")
        seen = set()
        # Codes one by one, read by both strangers.
        for number in range(min(sources, 10)):
            text = read_by_both(window, work, f"{name} {window.cell}, code {number}")
            need(text not in seen, "a code comes twice while stepping through")
            seen.add(text)
            another(window, text)
        for _ in range(2):
            window.press("b")
            time.sleep(0.1)
            read_by_both(window, work, f"{name}, less bright")
        if columns >= 200:
            window.press("w")
            window.press("w")
            time.sleep(0.3)
            read_by_both(window, work, f"{name}, double width")
        cell = window.cell
    finally:
        window.close()
    kept = developed(pictures, photographs, dice)
    began = time.monotonic()
    scanned(options.scanner, photographs, work / "scanned", octets)
    print(f"  {name:18} {geometry:7} cell {cell[0]}x{cell[1]:<3} {file.name:12} {len(octets):6} octets  v{version:<3}"
          f"{kept:4} of {len(pictures)} photographs  {len(seen):3} codes read by zbarimg and zxing-cpp  scanned in {time.monotonic() - began:.1f} s", flush=True)
    return cell


def settled_in(window):
    for _ in range(200):
        if zxing(window.photograph()):
            return
        time.sleep(0.05)
    fail("no code comes up in the terminal")


def one_code(screen, options, work):
    """What fits one code is one plain code, which strangers read too."""
    file = work / "small.sig"
    file.write_bytes(b"a few words that fit one code\n")
    window = Window(screen, TERMINALS[0][1], "120x40", [options.binary, "qr", "show", file, "--kind", "signature"])
    try:
        text = read_by_both(window, work, "the one code")
    finally:
        window.close()
    plain = run(options.binary, "qr", "show", file, "--kind", "signature", "--plain").stdout.strip()
    need(text == plain, "the one code holds another text than --plain says")
    (work / "text").write_text(text + "\n")
    scanned(options.scanner, work / "text", work / "small.out", file.read_bytes())
    print("  one plain code, read by zbarimg and zxing-cpp", flush=True)


def on_paper(options, file, more, work):
    """Pages printed, rasterised as a scanner would, read by a stranger and by ourselves."""
    pdf, pages, pictures = work / "pages.pdf", work / "pages", work / "png"
    report = json.loads(run(options.binary, "qr", "print", file, "--out", pdf, "--json", *more).stdout)
    need(run(options.binary, "qr", "print", file, "--out", pictures, *more).returncode == 0, "qr print makes no pictures")
    pages.mkdir()
    need(run("pdftoppm", "-r", "150", "-gray", "-png", pdf, pages / "page").returncode == 0, "pdftoppm refuses the pages")
    for folder in (pages, pictures):
        texts = [text for page in sorted(folder.glob("*.png")) for text in zbar(page)]
        need(len(texts) == report["codes"], f"zbarimg reads {len(texts)} of {report['codes']} printed codes in {folder.name}")
        scanned(options.scanner, folder, work / f"{folder.name}.out", file.read_bytes())
    said = run("pdftotext", "-layout", pdf, "-").stdout
    for number in range(1, report["codes"] + 1):
        need(f"{number}/{report['codes']} " in said, f"no label {number}/{report['codes']} on the pages")
    print(f"  {file.name}: {report['codes']} codes on {report['pages']} pages, all read by zbarimg, scanned from PDF and PNG", flush=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", type=Path, required=True)
    options.add_argument("--scanner", type=Path)
    options.add_argument("--keep", type=Path)
    options.add_argument("--seed", type=int, default=3)
    options = options.parse_args()
    options.binary = options.binary.resolve()
    options.scanner = (options.scanner or options.binary).resolve()
    for tool in ("Xvfb", "xterm", "xdotool", "xwd", "xprop", "zbarimg", "pdftoppm", "pdftotext", "fc-match"):
        need(shutil.which(tool), f"{tool} is missing")
    for font in ("DejaVu Sans Mono", "Liberation Mono"):
        need(run("fc-match", "-f", "%{family}", font).stdout.startswith(font), f"the font {font} is missing")
    dice = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        work = options.keep or Path(folder)
        work.mkdir(exist_ok=True)
        pem = [line for line in CERTIFICATE.read_text().splitlines() if not line.startswith("-")]
        certificate, large = work / "root.der", work / "large.bin"
        certificate.write_bytes(base64.b64decode("".join(pem)))
        large.write_bytes(b"".join(hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(320)))
        objects = [(certificate, []), (large, ["--kind", "bundle-manifest"])]
        cells = set()
        with Screen() as screen:
            one_code(screen, options, work)
            for terminal in TERMINALS:
                for file, more in objects:
                    # Version 5 takes a minute for 10 KB: the smallest terminal shows the certificate only.
                    if file is large and terminal[2] == "80x24":
                        continue
                    part = work / f"{len(list(work.iterdir()))}"
                    part.mkdir()
                    cells.add(across(screen, options, terminal, file, more, part, dice))
            part = work / "gaps"
            part.mkdir()
            with_gaps(screen, options, part, certificate, dice)
        heights = {height % 2 for _, height in cells}
        need(heights == {0, 1}, f"expected odd and even heights of cells, found {sorted(cells)}")
        for file, more in objects:
            part = work / f"paper-{file.name}"
            part.mkdir()
            on_paper(options, file, more, part)
    print("the optical loop closes")


if __name__ == "__main__":
    sys.exit(main())
