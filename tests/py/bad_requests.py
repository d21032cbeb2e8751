#!/usr/bin/env python3
"""Makes tests/vectors/requests: certificate requests, each named by what is wrong with it, and expected.json, which says
for each the words of the reasons and the rules it is judged by.

    bad_requests.py OUT BADKEYS_TESTS      BADKEYS_TESTS: tests/data of the sdist of badkeys (PyPI, MIT), for one shared prime

Keys are drawn anew in every run. The DER is written here, by hand, since no library writes most of it.
"""
import base64
import hashlib
import json
import pathlib
import random
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

OUT = pathlib.Path(sys.argv[1])
RANDOM = random.SystemRandom()


def tlv(tag, *content):
    content = b"".join(content)
    length = len(content)
    if length < 0x80:
        head = bytes([length])
    else:
        octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
        head = bytes([0x80 | len(octets)]) + octets
    return bytes([tag]) + head + content


def oid(dotted):
    arcs = [int(arc) for arc in dotted.split(".")]
    octets = bytearray()
    for arc in [arcs[0] * 40 + arcs[1], *arcs[2:]]:
        part = [arc & 0x7F]
        while arc := arc >> 7:
            part.append(0x80 | arc & 0x7F)
        octets += bytes(reversed(part))
    return tlv(6, bytes(octets))


def integer(number):
    return tlv(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def seq(*content):
    return tlv(0x30, *content)


UTF8, PRINTABLE, TELETEX, IA5, BMP = 0x0C, 0x13, 0x14, 0x16, 0x1E
C, O, CN, OU = "2.5.4.6", "2.5.4.10", "2.5.4.3", "2.5.4.11"
EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
NULL = b"\x05\x00"


def pair(kind, text, tag=UTF8):
    data = text if isinstance(text, bytes) else text.encode("utf-16-be" if tag == BMP else "latin-1" if tag == TELETEX else "utf-8")
    return seq(oid(kind), tlv(tag, data))


def name(*attributes):
    return seq(*(tlv(0x31, pair(*attribute)) for attribute in attributes))


SUBJECT = name((C, "SE", PRINTABLE), (O, "Example AB"), (CN, "Example Issuing CA"))


def cn(text, tag=UTF8):
    return name((C, "SE", PRINTABLE), (O, "Example AB"), (CN, text, tag))


def attribute(kind, *values):
    return seq(oid(kind), tlv(0x31, *values))


def extension(kind, value, critical=b""):
    return seq(oid(kind), critical, tlv(4, value))


TRUE, FALSE = b"\x01\x01\xff", b"\x01\x01\x00"
CA = extension("2.5.29.19", seq(TRUE), TRUE)
NOT_CA = extension("2.5.29.19", seq())
SIGN_CERTIFICATES = extension("2.5.29.15", b"\x03\x02\x01\x06", TRUE)


class Key:
    """A key with its SubjectPublicKeyInfo, the AlgorithmIdentifier it signs with, and the signing."""

    def __init__(self, spki, algorithm, sign):
        self.spki, self.algorithm, self.sign = spki, algorithm, sign


def spki_of(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


ECDSA_SHA256, ECDSA_SHA1 = seq(oid("1.2.840.10045.4.3.2")), seq(oid("1.2.840.10045.4.1"))
RSA_SHA256 = seq(oid("1.2.840.113549.1.1.11"), NULL)


def of_ec(private=None, curve=None):
    private = private or ec.generate_private_key(curve or ec.SECP256R1())
    return Key(spki_of(private), ECDSA_SHA256, lambda tbs: private.sign(tbs, ec.ECDSA(hashes.SHA256())))


def of_rsa_numbers(n, e, d, parameters=NULL):
    spki = seq(seq(oid("1.2.840.113549.1.1.1"), parameters), tlv(3, b"\0", seq(integer(n), integer(e))))
    size = (n.bit_length() + 7) // 8

    def sign(tbs):
        info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(tbs).digest()
        encoded = b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info
        return pow(int.from_bytes(encoded, "big") % n, d, n).to_bytes(size, "big")

    return Key(spki, RSA_SHA256, sign)


def is_prime(n):
    if n < 2 or any(n % p == 0 for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37) if n != p):
        return False
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for _ in range(24):
        x = pow(RANDOM.randrange(2, n - 1), d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def prime(bits, e=65537):
    while True:
        candidate = RANDOM.getrandbits(bits) | 1 | 3 << (bits - 2)
        if candidate % e != 1 and is_prime(candidate):
            return candidate


def next_prime(number, e=65537):
    number |= 1
    while number % e == 1 or not is_prime(number):
        number += 2
    return number


def of_primes(p, q, e=65537, **more):
    return of_rsa_numbers(p * q, e, pow(e, -1, (p - 1) * (q - 1)), **more)


def roca_prime(bits):
    """p = k M + (65537^a mod M), M the product of the first 126 primes: the library's construction for 2,048 bits."""
    primes = [n for n in range(2, 710) if all(n % d for d in range(2, n))][:126]
    product = 1
    for small in primes:
        product *= small
    while True:
        k = RANDOM.getrandbits(bits - product.bit_length() + 1)
        candidate = k * product + pow(65537, RANDOM.getrandbits(256), product)
        if candidate.bit_length() == bits and candidate >> (bits - 2) == 3 and candidate % 65537 != 1 and is_prime(candidate):
            return candidate


def build(key, subject=SUBJECT, attributes=b"", version=integer(0), algorithm=None, signer=None, rest=None):
    inner = rest if rest is not None else tlv(0xA0, attributes)
    info = seq(version, subject, key.spki, inner)
    signature = (signer or key).sign(info)
    return seq(info, algorithm or key.algorithm, tlv(3, b"\0", signature))


EXPECTED = {}


def vector(title, der, *reasons, rules="default"):
    text = base64.encodebytes(der).decode().replace("\n", "")
    lines = "\n".join(text[i:i + 64] for i in range(0, len(text), 64))
    (OUT / f"{title}.pem").write_text(f"-----BEGIN CERTIFICATE REQUEST-----\n{lines}\n-----END CERTIFICATE REQUEST-----\n")
    EXPECTED[title] = {"reasons": sorted(reasons), "rules": rules}


def exts(*extensions):
    return attribute(EXTENSION_REQUEST, seq(*extensions))


def forms(key):
    other = of_ec()
    challenge = attribute("1.2.840.113549.1.9.7", tlv(UTF8, b"password"))
    vector("acceptable", build(key))
    vector("acceptable-asks-for-ca-and-is-not-heard", build(key, attributes=exts(CA, SIGN_CERTIFICATES)))
    vector("signature-by-another-key", build(key, signer=other), "signature")
    good = build(key)
    vector("signature-with-a-flipped-bit", good[:-1] + bytes([good[-1] ^ 1]), "signature")
    vector("subject-changed-after-signing", good.replace(b"Issuing", b"issuing"), "signature")
    vector("version-1", build(key, version=integer(1)), "version")
    vector("trailing-octets", good + b"\0\0", "trailing-octets")
    vector("attributes-out-of-order", build(key, attributes=b"".join(sorted([exts(NOT_CA), challenge], reverse=True))), "set-order")
    vector("attributes-missing", build(key, rest=b""), "attributes-missing")
    vector("attribute-twice", build(key, attributes=challenge + challenge), "attribute-twice")
    vector("attribute-without-a-value", build(key, attributes=attribute("1.2.840.113549.1.9.7")), "attribute-empty")
    vector("extension-requests-two", build(key, attributes=b"".join(sorted([exts(NOT_CA), exts(SIGN_CERTIFICATES)]))), "attribute-twice")
    two = sorted([seq(NOT_CA), seq(SIGN_CERTIFICATES)])
    vector("extension-request-with-two-values", build(key, attributes=attribute(EXTENSION_REQUEST, *two)), "attribute-twice")
    vector("basic-constraints-two", build(key, attributes=exts(CA, NOT_CA)), "extension-twice")
    vector("extension-critical-false-written-out", build(key, attributes=exts(extension("2.5.29.19", seq(), FALSE))), "extension-form")
    vector("extension-ca-false-written-out", build(key, attributes=exts(extension("2.5.29.19", seq(FALSE)))), "extension-form")
    vector("extension-key-usage-with-padding", build(key, attributes=exts(extension("2.5.29.15", b"\x03\x02\x00\x06"))), "extension-form")
    vector("extension-list-empty", build(key, attributes=exts()), "extension-form")
    vector("boolean-of-01", build(key, attributes=exts(extension("2.5.29.19", seq(), b"\x01\x01\x01"))), "extension-form", "not-der")
    vector("asks-for-ca", build(key, attributes=exts(CA)), "powers-asked", rules="refusing")
    vector("asks-to-sign-certificates", build(key, attributes=exts(SIGN_CERTIFICATES)), "powers-asked", rules="refusing")
    vector("asks-for-name-constraints", build(key, attributes=exts(extension("2.5.29.30", seq(tlv(0xA0, seq(tlv(0x82, b"example.com"))))))),
           "powers-asked", rules="refusing")
    vector("asks-for-any-purpose", build(key, attributes=exts(extension("2.5.29.37", seq(oid("2.5.29.37.0"))))), "powers-asked", rules="refusing")
    vector("asks-for-a-name", build(key, attributes=exts(extension("2.5.29.17", seq(tlv(0x82, b"example.com"))))), "extension-asked", rules="refusing")
    vector("challenge-password", build(key, attributes=challenge), "attribute-asked", rules="refusing")
    # 30 81 xx where 30 xx would do.
    info = seq(integer(0), SUBJECT, key.spki, tlv(0xA0))
    long_length = b"\x30\x82" + b"\0" + bytes([len(key.spki) - 2]) + key.spki[2:]
    info = seq(integer(0), SUBJECT, long_length, tlv(0xA0))
    vector("length-longer-than-needed", seq(info, key.algorithm, tlv(3, b"\0", key.sign(info))), "not-der", "shape")
    body = good[4:] if good[1] == 0x82 else good[3:]
    vector("length-indefinite", b"\x30\x80" + body + b"\0\0", "not-der")
    vector("version-padded", build(key, version=b"\x02\x02\0\0"), "not-der", "version")
    vector("truncated", good[:-9], "not-der")
    vector("a-certificate-s-shape", seq(seq(integer(0)), key.algorithm, tlv(3, b"\0")), "shape")
    info = seq(integer(0), SUBJECT, key.spki, tlv(0xA0))
    vector("signature-with-unused-bits", seq(info, key.algorithm, tlv(3, b"\x01", key.sign(info)[:-1] + b"\0")), "signature-form", "signature")


def algorithms(key):
    private = ec.generate_private_key(ec.SECP256R1())
    sha1 = Key(spki_of(private), ECDSA_SHA1, lambda tbs: private.sign(tbs, ec.ECDSA(hashes.SHA1())))
    vector("signed-with-sha-1", build(sha1), "signature-algorithm")
    vector("ecdsa-with-null-parameters", build(key, algorithm=seq(oid("1.2.840.10045.4.3.2"), NULL)), "signature-algorithm")
    vector("signature-algorithm-of-rsa-on-a-curve", build(key, algorithm=RSA_SHA256), "signature-algorithm")
    good = rsa.generate_private_key(65537, 2048)
    without = Key(spki_of(good), seq(oid("1.2.840.113549.1.1.11")), lambda tbs: good.sign(tbs, padding.PKCS1v15(), hashes.SHA256()))
    vector("rsa-signature-without-null", build(without), "signature-algorithm")
    sha256, sha1_id = seq(oid("2.16.840.1.101.3.4.2.1")), seq(oid("1.3.14.3.2.26"))
    mask = seq(oid("1.2.840.113549.1.1.8"), sha1_id)
    pss = seq(oid("1.2.840.113549.1.1.10"), seq(tlv(0xA0, sha256), tlv(0xA1, mask), tlv(0xA2, integer(32))))
    mixed = Key(spki_of(good), pss, lambda tbs: good.sign(tbs, padding.PSS(padding.MGF1(hashes.SHA1()), 32), hashes.SHA256()))
    vector("pss-with-a-mask-of-sha-1", build(mixed), "signature-algorithm")
    # The signature does not cover these octets: a bit of a tag was once changed in them, and nobody saw it.
    mask = tlv(0x31, oid("1.2.840.113549.1.1.8"), sha256)
    pss = seq(oid("1.2.840.113549.1.1.10"), seq(tlv(0xA0, sha256), tlv(0xA1, mask), tlv(0xA2, integer(32))))
    in_a_set = Key(spki_of(good), pss, lambda tbs: good.sign(tbs, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()))
    vector("pss-with-its-mask-in-a-set", build(in_a_set), "signature-algorithm")


def curve_keys():
    vector("curve-p-224", build(of_ec(curve=ec.SECP224R1())), "key")
    vector("curve-brainpool", build(of_ec(curve=ec.BrainpoolP256R1())), "key")
    key = of_ec()
    vector("point-not-on-the-curve", build(Key(key.spki[:-1] + bytes([key.spki[-1] ^ 1]), key.algorithm, key.sign)), "key")
    private = ec.generate_private_key(ec.SECP256R1())
    compressed = private.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    spki = seq(seq(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")), tlv(3, b"\0", compressed))
    vector("point-compressed", build(Key(spki, ECDSA_SHA256, of_ec(private).sign)), "key")
    small = seq(seq(oid("1.3.101.112")), tlv(3, b"\0\1" + b"\0" * 31))
    vector("ed25519-point-of-small-order", build(Key(small, seq(oid("1.3.101.112")), lambda tbs: b"\1" + b"\0" * 63)), "key")
    one = ec.derive_private_key(1, ec.SECP256R1())
    vector("published-private-key-is-1", build(of_ec(one)), "key-published")
    rfc = ec.derive_private_key(0xE6CB5BDD80AA45AE9C95E8C15476679FFEC953C16851E711E743939589C64FC1, ec.SECP256R1())
    vector("published-key-of-rfc-9500", build(of_ec(rfc)), "key-published")
    seed = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    vector("published-key-of-rfc-8032", build(Key(spki_of(seed), seq(oid("1.3.101.112")), seed.sign)), "key-published")


def rsa_keys(badkeys):
    vector("rsa-1024", build(of_primes(prime(512), prime(512))), "key")
    p, q = prime(1024, 3), prime(1024, 3)
    vector("rsa-exponent-3", build(of_primes(p, q, 3)), "rsa-exponent")
    vector("rsa-exponent-1", build(of_rsa_numbers(prime(1024) * prime(1024), 1, 1)), "key", "rsa-exponent")
    huge = (1 << 64) + 13
    p, q = prime(1024, huge), prime(1024, huge)
    while True:
        try:
            vector("rsa-exponent-of-65-bits", build(of_primes(p, q, huge)), "rsa-exponent")
            break
        except ValueError:
            p, q = prime(1024, huge), prime(1024, huge)
    vector("rsa-without-null", build(of_primes(prime(1024), prime(1024), parameters=b"")), "key")
    p = prime(1024)
    vector("rsa-primes-next-to-each-other", build(of_primes(p, next_prime(p + 2))), "rsa-close-primes")
    vector("rsa-modulus-is-a-square", build(of_rsa_numbers(p * p, 65537, pow(65537, -1, p * (p - 1)))), "rsa-close-primes")
    vector("rsa-roca", build(of_primes(roca_prime(1024), roca_prime(1024))), "rsa-roca")
    vector("rsa-small-factor", build(of_primes(61, prime(2044))), "rsa-small-factor")
    n = prime(2048)
    vector("rsa-modulus-is-prime", build(of_rsa_numbers(n, 65537, pow(65537, -1, n - 1))), "rsa-prime")
    p = prime(1024)
    vanity = (int.from_bytes(b"\xc5" + b"A" * 40 + RANDOM.randbytes(215), "big")) // p
    vector("rsa-modulus-with-a-pattern", build(of_primes(p, next_prime(vanity))), "rsa-pattern")
    even = prime(1024) * prime(1023) * 2
    vector("rsa-modulus-even", build(of_rsa_numbers(even, 65537, 3)), "key", "rsa-small-factor", "signature")
    shared = serialization.load_pem_public_key((badkeys / "rsa-sharedprimes.key").read_bytes()).public_numbers().n
    data = (badkeys.parent.parent / "badkeys" / "keydata" / "primes2048.dat").read_bytes()[2:]
    import math
    p = math.gcd(shared, int.from_bytes(data, "little"))
    vector("rsa-prime-shared-with-others", build(of_primes(p, prime(2048 - p.bit_length()))), "rsa-shared-prime")


def subjects(key):
    base = lambda subject, *reasons, rules="default", title: vector(title, build(key, subject=subject), *reasons, rules=rules)
    base(cn("Example \u202eAC gnitaicossA"), "subject-invisible", title="subject-turned-by-u-202e")
    base(cn("Exam\u200bple"), "subject-invisible", title="subject-zero-width-space")
    base(cn("Example\0.com"), "subject-invisible", title="subject-with-nul")
    base(cn("Example\x1b[2J"), "subject-invisible", title="subject-with-escape")
    base(cn("Example\U000e0041"), "subject-invisible", title="subject-with-a-tag-character")
    base(cn("Ex\u0430mple Issuing CA"), "subject-mixed-script", "subject-script", "subject-homograph", title="subject-one-cyrillic-letter")
    base(cn("\u0421\u0410\u0420"), "subject-script", "subject-homograph", title="subject-wholly-cyrillic-that-looks-like-ascii")
    base(cn("\u0395\u03a7\u0391\u039c\u03a1LE"), "subject-mixed-script", "subject-script", "subject-homograph", title="subject-greek-and-latin")
    base(cn("Example\uff0ecom"), "subject-script", "subject-homograph", title="subject-fullwidth-stop")
    base(cn("Exa\u0301mple"), "subject-normal-form", "subject-script", title="subject-not-composed")
    base(cn("\u00d6stra"), "subject-script", title="subject-beyond-ascii")
    base(cn("\u00d6stra \u00c5n"), title="acceptable-latin-where-the-rules-allow-it", rules="latin")
    base(cn("Exampl\u0435"), "subject-mixed-script", "subject-script", "subject-homograph", title="subject-cyrillic-where-latin-is-allowed", rules="latin")
    base(cn("paypa\u0131"), "subject-homograph", title="subject-dotless-i-where-latin-is-allowed", rules="latin")
    base(cn(" Example"), "subject-spaces", title="subject-space-before")
    base(cn("Example  CA"), "subject-spaces", title="subject-two-spaces")
    base(cn("Example", BMP), "subject-string-type", title="subject-bmp-string")
    base(cn("Example", TELETEX), "subject-string-type", title="subject-teletex-string")
    base(cn("E@mple", PRINTABLE), "not-der", title="subject-at-sign-in-printable-string")
    base(cn(b"Ex\xffmple"), "not-der", "subject-script", title="subject-not-utf-8")
    base(cn("x" * 65), "subject-length", title="subject-common-name-of-65")
    base(cn(""), "subject-length", title="subject-common-name-empty")
    base(name((C, "se", PRINTABLE), (CN, "Example")), "subject-country", title="subject-country-in-small-letters")
    base(name((C, "SWE", PRINTABLE), (CN, "Example")), "subject-country", "subject-length", title="subject-country-of-three")
    base(name((C, "SE", UTF8), (CN, "Example")), "subject-string-type", title="subject-country-as-utf-8")
    base(name((CN, "Example"), ("1.2.3.4", "x")), "subject-attribute", title="subject-attribute-nobody-knows")
    base(name((CN, "Example"), (CN, "Example 2")), "subject-twice", title="subject-two-common-names")
    base(seq(), "subject-empty", title="subject-empty")
    base(seq(tlv(0x31, *sorted([pair(CN, "Example"), pair(O, "Example AB")]))), "subject-shape", title="subject-two-in-one-relative-name")
    base(seq(tlv(0x31, *sorted([pair(CN, "Example"), pair(O, "Example AB")], reverse=True))), "subject-shape", "set-order", title="subject-relative-name-out-of-order")
    base(seq(tlv(0x31)), "subject-shape", "subject-empty", title="subject-relative-name-empty")
    base(name((O, "Example AB"), (CN, "Example CA 7")), title="acceptable-under-named-rules", rules="named")
    base(name((O, "Exampel AB"), (CN, "Example CA 7")), "subject-value", title="subject-value-not-the-fixed-one", rules="named")
    base(name((O, "Example AB"), (CN, "Example CA seven")), "subject-pattern", title="subject-value-that-fits-no-pattern", rules="named")
    base(name((CN, "Example CA 7")), "subject-missing", title="subject-attribute-missing", rules="named")
    base(name((O, "Example AB"), (OU, "Devices"), (CN, "Example CA 7")), "subject-attribute", title="subject-attribute-not-named", rules="named")
    vector("key-of-a-kind-not-allowed", build(of_ec(curve=ec.SECP384R1()), subject=name((O, "Example AB"), (CN, "Example CA 7"))), "key-kind", rules="named")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.glob("*.pem"):
        old.unlink()
    key = of_ec()
    forms(key)
    algorithms(key)
    curve_keys()
    rsa_keys(pathlib.Path(sys.argv[2]))
    subjects(key)
    (OUT / "expected.json").write_text(json.dumps(EXPECTED, indent=1, sort_keys=True) + "\n")
    print(len(EXPECTED), "vectors")


main()
