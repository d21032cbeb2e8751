#!/usr/bin/env python3
"""Makes the 802 pictures of TRANSFER 2.1: every category in which a decoder of QR codes fails, payloads known, the same octets every time.

    make_pictures.py OUT            all
    make_pictures.py OUT --only webcam-720p

Writes OUT/NNN-category-detail.pgm and OUT/index.json: [{"file", "category", "version", "payload"}]. Every payload fills its code with
alphanumeric characters, as frames do. Needs numpy, opencv-python-headless (optics) and segno (codes, pure Python)."""
import argparse, json, pathlib, zlib
import cv2, numpy, segno
from segno import consts

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
CACHE = {}


def capacity(version, level):
    """Alphanumeric characters of a symbol: 11 bits for two, 6 for one more."""
    bits = consts.SYMBOL_CAPACITY[version][{"L": consts.ERROR_LEVEL_L, "M": consts.ERROR_LEVEL_M, "Q": consts.ERROR_LEVEL_Q,
                                            "H": consts.ERROR_LEVEL_H}[level]]
    bits -= 4 + (9 if version < 10 else 11 if version < 27 else 13)
    return bits // 11 * 2 + (1 if bits % 11 >= 6 else 0)


def code(version, level="L", seed=0):
    """(payload, modules): 1 is dark, no quiet zone."""
    key = (version, level, seed)
    if key not in CACHE:
        random = numpy.random.default_rng(zlib.crc32(repr(key).encode()))
        text = "KC1" + "".join(ALPHABET[i] for i in random.integers(0, 32, capacity(version, level) - 3))
        made = segno.make(text, version=version, error=level.lower(), mode="alphanumeric", boost_error=False, mask=seed % 8, micro=False)
        CACHE[key] = (text, numpy.array([list(row) for row in made.matrix], numpy.uint8))
    return CACHE[key]


def drawn(modules, scale, quiet=4, dark=0, light=255):
    values = numpy.where(numpy.pad(modules, quiet), dark, light).astype(numpy.uint8)
    return numpy.kron(values, numpy.ones((scale, scale), numpy.uint8))


def on(background, picture, at=None):
    height, width = picture.shape
    y, x = at or ((background.shape[0] - height) // 2, (background.shape[1] - width) // 2)
    background[y:y + height, x:x + width] = picture
    return background


def sheet(height, width, value):
    return numpy.full((height, width), value, numpy.uint8)


def noisy(picture, sigma, random):
    return numpy.clip(picture + random.normal(0, sigma, picture.shape), 0, 255).astype(numpy.uint8)


def turned(picture, degrees, background=200):
    side = int(max(picture.shape) * 1.5)
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1.0)
    return cv2.warpAffine(on(sheet(side, side, background), picture), matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=background)


def tilted(picture, yaw, pitch, size, distance=1.6, fill=0.8, background=190, roll=0.0, shift=(0, 0)):
    """Seen by a camera: turned about its axes, projected, so that it fills `fill` of the shorter side."""
    width, height = size
    h, w = picture.shape
    corners = numpy.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float)
    a, b, c = numpy.radians([yaw, pitch, roll])
    ry = numpy.array([[numpy.cos(a), 0, numpy.sin(a)], [0, 1, 0], [-numpy.sin(a), 0, numpy.cos(a)]])
    rx = numpy.array([[1, 0, 0], [0, numpy.cos(b), -numpy.sin(b)], [0, numpy.sin(b), numpy.cos(b)]])
    rz = numpy.array([[numpy.cos(c), -numpy.sin(c), 0], [numpy.sin(c), numpy.cos(c), 0], [0, 0, 1]])
    seen = corners @ (rz @ rx @ ry).T
    seen = seen[:, :2] / (1 + seen[:, 2:] / (2 * distance))
    seen *= fill * min(width, height) / 2 / numpy.abs(seen).max()
    seen += [width / 2 + shift[0], height / 2 + shift[1]]
    source = numpy.array([[0, 0], [w, 0], [w, h], [0, h]], numpy.float32)
    matrix = cv2.getPerspectiveTransform(source, seen.astype(numpy.float32))
    return cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_AREA if h > height else cv2.INTER_LINEAR, borderValue=background)


def barrel(picture, strength):
    """Radial distortion: straight lines bend outwards."""
    height, width = picture.shape
    y, x = numpy.mgrid[0:height, 0:width].astype(numpy.float32)
    half = max(width, height) / 2
    u, v = (x - width / 2) / half, (y - height / 2) / half
    bend = 1 + strength * (u * u + v * v)
    return cv2.remap(picture, (u * bend * half + width / 2).astype(numpy.float32), (v * bend * half + height / 2).astype(numpy.float32),
                     cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def vignette(picture, strength):
    height, width = picture.shape
    y, x = numpy.mgrid[0:height, 0:width]
    r = ((x / width - .5) ** 2 + (y / height - .5) ** 2) * 2
    return (picture * (1 - strength * r)).astype(numpy.uint8)


def jpeg(picture, quality):
    return cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)


def webcam(version, size, kind, random):
    """A laptop camera in front of a screen: slant, lens, blur, noise, vignetting, gamma, JPEG; six kinds of bad."""
    text, modules = code(version, seed=kind)
    width, height = size
    sharp = drawn(modules, max(4, 1400 // (len(modules) + 8)), light=235, dark=25)
    fill = 0.93 if version >= 25 else (0.9, 0.86, 0.93, 0.88, 0.9, 0.84)[kind]
    tilt = 0.5 if version >= 30 else 1.0
    seen = tilted(sharp, (0, 5, -4, 8, 3, -7)[kind] * tilt, (0, 3, 6, -4, -7, 5)[kind] * tilt, size, distance=3.0, fill=fill,
                  roll=(0, 2, -3, 4, -1, 3)[kind] * tilt, background=120, shift=(random.integers(-8, 9), random.integers(-5, 6)))
    seen = barrel(seen, (0.03, 0.07, 0.08, 0.055, 0.075, 0.05)[kind])
    module = fill * height / (len(modules) + 8)
    blur = min((0.5, 0.7, 0.9, 0.8, 1.0, 0.7)[kind] * width / 1280, module * 0.28)
    seen = cv2.GaussianBlur(seen, (0, 0), max(blur, 0.3))
    seen = vignette(seen, (0.1, 0.3, 0.2, 0.4, 0.3, 0.5)[kind])
    seen = (255 * (seen / 255.0) ** (1.0, 0.9, 1.2, 1.1, 0.8, 1.3)[kind]).astype(numpy.uint8)
    seen = noisy(seen, (2, 4, 5, 6, 4, 7)[kind], random)
    return text, jpeg(seen, (92, 85, 80, 85, 88, 80)[kind])


def half_blocks(modules, cell, quiet=4, seams=0):
    """As a terminal draws it: two modules a cell, one above the other; the cell's halves need not be as high as wide."""
    width, height = cell
    values = numpy.where(numpy.pad(modules, quiet), 0, 255).astype(numpy.uint8)
    if len(values) % 2:
        values = numpy.vstack([values, numpy.full((1, values.shape[1]), 255, numpy.uint8)])
    upper = height - height // 2
    rows = []
    for at in range(0, len(values), 2):
        top = numpy.repeat(numpy.repeat(values[at:at + 1], upper, 0), width, 1)
        bottom = numpy.repeat(numpy.repeat(values[at + 1:at + 2], height // 2, 0), width, 1)
        block = numpy.vstack([top, bottom])
        if seams:
            # The glyph leaves the cell's last rows unpainted: the terminal's dark background shows.
            block[-seams:] = 12
        rows.append(block)
    return on(sheet(sum(map(len, rows)) + 80, rows[0].shape[1] + 120, 12), numpy.vstack(rows), (40, 60))


def pictures():
    """(category, detail, version, payload, picture), each drawn with its own generator."""
    def dice(*what):
        return numpy.random.default_rng(zlib.crc32(repr(what).encode()))

    versions18 = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 15, 18, 20, 25, 30, 35, 40]
    for scale in (3, 5):
        for v in versions18:
            text, m = code(v, seed=scale)
            yield "clean", f"v{v}-{scale}px", v, text, drawn(m, scale)
    for i in range(40):
        v = (2, 5, 10, 15, 20)[i % 5]
        text, m = code(v, seed=i)
        yield "rotated", f"v{v}-{i * 9 + 4}", v, text, turned(drawn(m, 5), i * 9 + 4)
    for i in range(48):
        v, angle = (3, 7, 12, 15, 20, 25)[i % 6], (10, 15, 20, 25, 30, 35, 40, 45)[i // 6]
        text, m = code(v, seed=i)
        yaw, pitch = ((angle, 0), (0, angle), (angle * .7, angle * .7))[i % 3]
        yield "perspective", f"v{v}-{angle}", v, text, tilted(drawn(m, 8), yaw, pitch, (900, 900), fill=.92)
    for i in range(48):
        v, sigma = (3, 7, 12, 15, 20, 25)[i % 6], (.35, .4, .45, .5, .6, .7, .8, .9)[i // 6]
        text, m = code(v, seed=i)
        yield "blur", f"v{v}-{sigma}", v, text, noisy(cv2.GaussianBlur(drawn(m, 6), (0, 0), sigma * 6), 2, dice("blur", i))
    for i in range(48):
        v, sigma = (3, 7, 12, 15, 20, 25)[i % 6], (20, 30, 40, 50, 60, 70, 85, 100)[i // 6]
        text, m = code(v, seed=i)
        yield "noise", f"v{v}-{sigma}", v, text, noisy(drawn(m, 6, dark=40, light=215), sigma, dice("noise", i))
    for i in range(48):
        v, contrast = (3, 7, 12, 15, 20, 25)[i % 6], (80, 60, 45, 35, 28, 22, 16, 12)[i // 6]
        text, m = code(v, seed=i)
        base = drawn(m, 5, dark=0, light=contrast).astype(float)
        slope = numpy.linspace(0, 90, base.shape[1])[None, :] * (1 if i % 2 else -1) + (0 if i % 2 else 90)
        yield "low-contrast", f"v{v}-{contrast}", v, text, noisy(base + slope + 50, .8, dice("contrast", i))
    for i in range(32):
        v = (2, 5, 8, 10, 15, 20, 25, 30)[i % 8]
        text, m = code(v, seed=i)
        yield "inverted", f"v{v}-{i // 8}", v, text, drawn(m, 3 + i // 8, dark=235, light=20)
    cells = [(6, 12), (7, 14), (8, 16), (9, 18), (10, 20), (7, 15), (8, 17), (9, 19)]
    for i in range(48):
        v = (3, 5, 10, 13, 15, 20)[i % 6]
        text, m = code(v, seed=i)
        yield "terminal", f"v{v}-{cells[i // 6][0]}x{cells[i // 6][1]}", v, text, half_blocks(m, cells[i // 6])
    for i in range(48):
        v, seam = (3, 5, 10, 13, 15, 20)[i % 6], 1 + (i // 6) % 2
        text, m = code(v, seed=i)
        cell = [(8, 16), (8, 16), (9, 18), (10, 20), (10, 20), (11, 22), (12, 24), (14, 28)][i // 6]
        yield "terminal-seams", f"v{v}-{cell[0]}x{cell[1]}-{seam}", v, text, half_blocks(m, cell, seams=seam)
    for i in range(48):
        v, quiet = (2, 4, 5, 8, 10, 12, 15, 20)[i % 8], (0, 1, 2)[i // 8 % 3]
        text, m = code(v, seed=i)
        inner = drawn(m, 4 + i // 24, quiet=quiet)
        yield f"quiet-zone", f"v{v}-{quiet}", v, text, on(sheet(inner.shape[0] + 160, inner.shape[1] + 200, 15), inner)
    for i in range(42):
        v, scale = (25, 27, 30, 32, 35, 37, 40)[i % 7], (2, 2, 3, 3, 4, 4)[i // 7]
        text, m = code(v, seed=i)
        picture = drawn(m, scale)
        if i // 7 % 2:
            picture = noisy(cv2.GaussianBlur(picture, (0, 0), .4), 6, dice("big", i))
        yield "big", f"v{v}-{scale}px", v, text, picture
    for name, size in (("webcam-720p", (1280, 720)), ("webcam-1080p", (1920, 1080))):
        for v in (5, 8, 10, 12, 15, 18, 20, 22, 25, 27, 30, 35, 40):
            for kind in range(6):
                text, picture = webcam(v, size, kind, dice(name, v, kind))
                yield name, f"v{v}-{kind}", v, text, picture
    for i in range(24):
        v, strength = (5, 10, 15, 20, 25, 30)[i % 6], (.15, .3, .45, .6)[i // 6]
        text, m = code(v, seed=i)
        seen = tilted(drawn(m, 8), 4, 3, (1280, 720), distance=3.0, fill=.9)
        yield "lens", f"v{v}-{strength}", v, text, noisy(barrel(seen, strength), 3, dice("lens", i))
    for i in range(40):
        level, v, radius = "LMQH"[i % 4], (4, 8, 12, 16, 20)[i // 4 % 5], (.05, .11)[i // 20]
        text, m = code(v, level, seed=i)
        picture = drawn(m, 6).astype(float)
        side = len(picture)
        random = dice("glare", i)
        cy, cx = random.uniform(.4, .75, 2) * side
        y, x = numpy.mgrid[0:side, 0:side]
        spot = 255 * numpy.exp(-(((x - cx) ** 2 + (y - cy) ** 2) / (2 * (radius * side) ** 2)) ** 2)
        yield "glare", f"v{v}-{level}-{radius}", v, text, noisy(numpy.clip(picture * .8 + 20 + spot, 0, 255), 3, random)
    for i in range(24):
        v, share = (5, 10, 15, 20)[i % 4], (.9, .8, .7, .65, .6, .55)[i // 4]
        text, m = code(v, seed=i)
        _, other = code(v, seed=i + 100)
        picture = share * drawn(m, 6).astype(float) + (1 - share) * drawn(other, 6)
        yield "blended", f"v{v}-{share}", v, text, noisy(cv2.GaussianBlur(picture, (0, 0), 1.2), 3, dice("blend", i))
    for i in range(32):
        v, length = (3, 8, 15, 20)[i % 4], (3, 4, 5, 6, 7, 8, 10, 12)[i // 4]
        text, m = code(v, seed=i)
        kernel = numpy.zeros((length, length), numpy.float32)
        if i % 3 == 0: kernel[length // 2, :] = 1
        elif i % 3 == 1: kernel[:, length // 2] = 1
        else: numpy.fill_diagonal(kernel, 1)
        yield "motion", f"v{v}-{length}", v, text, noisy(cv2.filter2D(drawn(m, 8), -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), 3, dice("motion", i))
    for i in range(32):
        v, module_mm = (5, 8, 12, 15, 20, 25, 30, 40)[i % 8], (.5, .6, .7, .85)[i // 8]
        level = "M" if v < 30 else "L"
        text, m = code(v, level, seed=i)
        random = dice("print", i)
        dots = module_mm / 25.4 * 300
        big = drawn(m, 12)
        side = round(len(big) / 12 * dots)
        page = cv2.resize(big, (side, side), interpolation=cv2.INTER_AREA)
        page = on(sheet(side + 160, side + 160, 255), page)
        speckle = random.random(page.shape)
        page = numpy.where(speckle < .0015, 0, numpy.where(speckle > .9985, 255, page)).astype(numpy.uint8)
        page = cv2.GaussianBlur(page, (0, 0), .9)
        crease = 80 + int(side * random.uniform(.45, .6))
        page[:, crease:crease + 2] = numpy.clip(page[:, crease:crease + 2].astype(int) + 45, 0, 255)
        page = turned(page, random.uniform(-3, 3), 250)
        yield "print-scan", f"v{v}-{module_mm}", v, text, jpeg(noisy(page * .85 + 25, 4, random), 80)
    for i in range(8):
        v = (2, 5, 8, 10, 15, 20, 25, 30)[i]
        text, m = code(v, seed=i)
        yield "mirrored", f"v{v}", v, text, numpy.ascontiguousarray(drawn(m, 5)[:, ::-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--only")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    index = []
    for number, (category, detail, version, payload, picture) in enumerate(pictures()):
        if args.only and args.only != category:
            continue
        name = f"{number:03d}-{category}-{detail}.pgm"
        height, width = picture.shape
        (args.out / name).write_bytes(b"P5\n%d %d\n255\n" % (width, height) + numpy.ascontiguousarray(picture).tobytes())
        index.append({"file": name, "category": category, "version": version, "payload": payload})
    (args.out / "index.json").write_text(json.dumps(index))
    print(f"{len(index)} pictures in {args.out}")


if __name__ == "__main__":
    main()
