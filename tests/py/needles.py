"""The secrets of a production run of small-root that can be known from outside it, in every spelling they could leak in: shares as
written on cards, what those cards open, and the keys of the people. What the strongrooms drew from the kernel nobody can know."""
import base64, pathlib, re, subprocess, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORDS = (ROOT / "src/basics/words.txt").read_text().split()
ALPHABET = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"


def spellings(octets):
    """Raw, hexadecimal, base64 at each alignment, and the twelve words of the beginning; texts without spaces."""
    text = octets.hex()
    bits = int.from_bytes(octets[:32], "big") >> (8 * len(octets[:32]) - 132)
    words = [WORDS[(bits >> (11 * (11 - i))) & 2047] for i in range(12)]
    found = [octets, text.encode(), text.upper().encode(), ":".join(f"{o:02x}" for o in octets).encode()]
    found += [base64.b64encode(octets[skip:len(octets) - (len(octets) - skip) % 3]) for skip in range(3)]
    return found + ["".join(words).encode(), "-".join(words).encode()]


def of_share(text):
    """Any three groups after the public head, in both cases, and the value in every spelling."""
    number = 0
    for symbol in text[3:67]:
        number = number << 5 | ALPHABET.index(symbol)
    pieces = [text[at:at + 12] for at in range(20, 69, 4)]
    return [piece.encode() for piece in pieces + [p.lower() for p in pieces]] + spellings(number.to_bytes(40, "big")[8:])


def piped(*argv, octets):
    done = subprocess.run([str(a) for a in argv], input=octets, capture_output=True, timeout=60)
    if done.returncode:
        raise OSError(f"{argv[0]}: {done.stderr.decode()[-300:]}")
    return done.stdout


def of_quorum(cards, sealed):
    """What enough cards open, by the recipe on their back: the identity and the private key."""
    hybrid = b"\n-> mlkem768x25519 " in pathlib.Path(sealed).read_bytes()[:4096]
    recipe = (ROOT / "src/custody/recipe.py").read_text()
    if hybrid:  # as `custody::card::recipe` prints it
        recipe = recipe.replace("AGE-SECRET-KEY-", "AGE-SECRET-KEY-PQ-")
    identity = piped("python3", "-c", recipe, octets="".join(card + "\n" for card in cards).encode()).strip()
    number = 0
    data = identity.decode().lower().rsplit("1", 1)[1]
    for symbol in data[:52]:
        number = number << 5 | ALPHABET.lower().index(symbol)
    found = [identity, identity.lower(), identity[20:60]] + spellings((number >> 4).to_bytes(32, "big"))
    with tempfile.TemporaryDirectory() as work:
        file = pathlib.Path(work) / "identity"
        file.write_bytes(identity + b"\n")
        if hybrid:  # Debian's age is older than the hybrid recipient
            opener = ROOT / "tests/.judges/npm/node_modules/.bin/node", ROOT / "tests/judge_age.mjs"
            pem = piped(*opener, "open", identity.decode(), octets=pathlib.Path(sealed).read_bytes())
        else:
            pem = piped("age", "-d", "-i", file, sealed, octets=b"")
    der = piped("openssl", "pkey", "-outform", "DER", octets=pem)
    at = der.index(b"\x02\x01\x01\x04") + 4        # ECPrivateKey: version 1, then the scalar
    return found + [pem.splitlines()[1]] + spellings(der[at + 1:at + 1 + der[at]])


def of_ssh_key(path):
    """The 32 octets of an unencrypted Ed25519 key file, and the file's own lines."""
    body = b"".join(path.read_bytes().splitlines()[1:-1])
    blob = base64.b64decode(body)
    # The private half is a string of 64 octets: seed, then public key.
    at = blob.rindex(b"\x00\x00\x00\x40") + 4
    return [body[120:170]] + spellings(blob[at:at + 32])


def pattern(found):
    return re.compile(b"|".join(re.escape(needle) for needle in sorted(set(found), key=len, reverse=True)))


def leak(streams, of):
    """The first (stream, needle) that must not be, whole or broken into lines and groups; streams are (name, octets)."""
    for name, octets in streams:
        hit = of.search(octets) or of.search(re.sub(rb"\s", b"", octets))
        if hit:
            return name, hit[0]
    return None
