"""Reads the examples of media/README.md with the standard library alone, as its text says, and nothing of ours: an
envelope, a single code, frames (source symbols), UR in one part and in mixed ones. Ends with 1 where text and example differ.

    frames_by_hand.py               checks the examples
    frames_by_hand.py FRAMES OUT    makes the content from source frames, one a line (without the erasure code)
"""

import base64
import hashlib
import pathlib
import re
import struct
import sys
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]


def crc32c(octets):
    crc = 0xFFFFFFFF
    for octet in octets:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def unsealed(text, magic):
    """The octets under a good CRC-32C."""
    assert text.startswith(magic), text[:9]
    body = text[len(magic):]
    octets = base64.b32decode(body + "=" * (-len(body) % 8))
    assert crc32c(octets[:-4]) == int.from_bytes(octets[-4:], "big"), "checksum"
    return octets[:-4]


def opened(octets):
    """Header words and content of an envelope, and what follows it."""
    line, rest = octets.split(b"\n", 1)
    words = line.decode("ascii").split(" ")
    assert len(words) == 6 and words[0] == "AE1", words
    content, rest = rest[: int(words[4])], rest[int(words[4]):]
    assert hashlib.sha256(content).hexdigest() == words[5], "SHA-256"
    return words, content, rest


def tagged(what, realm, *parts):
    all_parts = [b"anchorite/" + what + b"/v1", realm, *parts]
    return hashlib.sha256(b"".join(struct.pack(">I", len(p)) + p for p in all_parts)).digest()


def frame(text):
    octets = unsealed(text, "AF1")
    count, esi = int.from_bytes(octets[16:18], "big"), int.from_bytes(octets[18:21], "big")
    return octets[:16], count, esi, octets[21:]


def from_source_frames(texts):
    """The envelope of a transfer of which every source frame is there."""
    frames = [frame(text) for text in texts]
    ident, count, _, symbol = frames[0]
    symbols = {esi: s for i, c, esi, s in frames if (i, c, len(s)) == (ident, count, len(symbol)) and esi < count}
    block = b"".join(symbols[esi] for esi in range(count))
    words, content, rest = opened(block)
    assert rest.strip(b"\0") == b"" and len(rest) < len(symbol), "padding"
    envelope = block[: len(block) - len(rest)]
    size = struct.pack(">H", count), struct.pack(">H", len(symbol))
    assert tagged(b"transfer", words[2].encode(), hashlib.sha256(envelope).digest(), *size)[:16] == ident, "id"
    return envelope, content


def bytewords(letters):
    words = (ROOT / "src/transfer/ur/bytewords.txt").read_text().split()
    octet_of = {(word[0] + word[3]).upper(): octet for octet, word in enumerate(words)}
    octets = bytes(octet_of[letters[at:at + 2]] for at in range(0, len(letters), 2))
    assert zlib.crc32(octets[:-4]) == int.from_bytes(octets[-4:], "big"), "CRC-32"
    return octets[:-4]


def chosen(number, count, checksum):
    """Which fragments a part is the sum of."""
    if number <= count:
        return [number - 1]
    state = list(struct.unpack(">4Q", hashlib.sha256(struct.pack(">II", number, checksum)).digest()))
    mask = 2**64 - 1

    def unit():
        rotated = lambda x, by: (x << by | x >> 64 - by) & mask
        result = rotated(state[1] * 5 & mask, 7) * 9 & mask
        shifted = state[1] << 17 & mask
        state[2] ^= state[0]
        state[3] ^= state[1]
        state[1] ^= state[2]
        state[0] ^= state[3]
        state[2] ^= shifted
        state[3] = rotated(state[3], 45)
        return (result >> 11) / 2**53

    weights = [1 / degree for degree in range(1, count + 1)]
    scaled = [weight * (count / sum(weights)) for weight in weights]
    small = [at for at in reversed(range(count)) if scaled[at] < 1]
    large = [at for at in reversed(range(count)) if scaled[at] >= 1]
    probability, alias = [1.0] * count, [0] * count
    while small and large:
        less, more = small.pop(), large.pop()
        probability[less], alias[less] = scaled[less], more
        scaled[more] += scaled[less] - 1
        (small if scaled[more] < 1 else large).append(more)
    first, second = unit(), unit()
    drawn = int(count * first)
    degree = 1 + (drawn if second < probability[drawn] else alias[drawn])
    left = list(range(count))
    return [left.pop(int(unit() * len(left))) for _ in range(degree)]


def examples():
    readme = (ROOT / "media/README.md").read_text()
    names = r"^digest\n(.*?)\nwords\n(.*?)\nsingle code\n(.*?)\nid\n(.*?)\nframe 0\n(.*?)\nframe 3\n(.*?)\nframe 4 \(ESI (.*?)\)\n(.*?)\n```"
    found = re.search(names, readme, re.S | re.M).groups()
    digest, words, single, ident, first, fourth, esi, repair = [text.replace("\n", "") for text in found]
    envelope = unsealed(single, "AE1")
    header, content, padding = opened(envelope)
    envelope = envelope[: len(envelope) - len(padding)]
    assert content == b"hello" and len(padding) < 5 and padding.strip(b"\0") == b""
    assert hashlib.sha256(envelope).hexdigest() == digest
    listed = (ROOT / "src/basics/words.txt").read_text().split()
    bits = bin(int("1" + digest, 16))[3:]
    assert " ".join(listed[int(bits[at:at + 11], 2)] for at in range(0, 132, 11)) == words
    padded = envelope + bytes(128 - len(envelope))
    size = struct.pack(">H", 4), struct.pack(">H", 32)
    assert tagged(b"transfer", header[2].encode(), bytes.fromhex(digest), *size)[:16].hex() == ident
    for text, number in ((first, 0), (fourth, 3), (repair, int(esi))):
        got = frame(text)
        assert (got[0].hex(), got[1], got[2]) == (ident, 4, number)
        assert number >= 4 or got[3] == padded[32 * number: 32 * number + 32]

    one, *parts = re.search(r"^one part\n(.*?)\npart 1\n(.*?)\npart (\d+)\n(.*?)\n```", readme, re.S | re.M).groups()
    message = bytewords(one.replace("\n", "").removeprefix("UR:BYTES/"))
    assert message == b"\x58" + bytes([len(envelope)]) + envelope
    count = -(-len(message) // 30)
    size = -(-len(message) // count)
    fragments = [(message + bytes(size))[at * size: at * size + size] for at in range(count)]
    for number, text in ((1, parts[0]), (int(parts[1]), parts[2])):
        numbers, letters = text.replace("\n", "").removeprefix("UR:BYTES/").split("/")
        assert numbers == f"{number}-{count}"
        mixed = chosen(number, count, zlib.crc32(message))
        assert number == 1 or len(mixed) > 1, "the example mixes nothing"
        total = 0
        for fragment in mixed:
            total ^= int.from_bytes(fragments[fragment], "big")
        assert bytewords(letters).endswith(total.to_bytes(size, "big")), number


if __name__ == "__main__":
    if len(sys.argv) == 3:
        lines = pathlib.Path(sys.argv[1]).read_text().split()
        pathlib.Path(sys.argv[2]).write_bytes(from_source_frames(lines)[1])
    else:
        examples()
        print("the examples of media/README.md are what its text says")
