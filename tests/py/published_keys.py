#!/usr/bin/env python3
"""Makes src/pki/request/published_keys.bin: digests of keys whose private half is published.

    published_keys.py OUT NUMBER=PATH...    PATH: a folder or an archive (.whl, .zip, .tar.gz, .crate)

NUMBER is the list's number in src/pki/request/published_keys.rs. What each PATH was for the committed file is in
src/pki/request/PUBLISHED_KEYS.md. Lists 8 and 9 (small numbers, examples of RFCs) are made here without a source.
Rows are those of badkeys: 15 octets of SHA-256 over what identifies the key, one octet with the number of the list.
"""
import base64
import hashlib
import io
import json
import pathlib
import re
import sys
import tarfile
import warnings
import zipfile

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

warnings.filterwarnings("ignore")
PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.S)
MOST = 4 * 1024 * 1024
CURVES = {"secp256r1": ec.SECP256R1(), "P-256": ec.SECP256R1(), "secp384r1": ec.SECP384R1(), "P-384": ec.SECP384R1(),
          "secp521r1": ec.SECP521R1(), "P-521": ec.SECP521R1()}


def minimal(number):
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def identity(key):
    """What identifies a public key, or None for kinds that nobody can ask us to certify."""
    if isinstance(key, rsa.RSAPublicKey):
        return minimal(key.public_numbers().n) if key.key_size >= 1024 else None
    if isinstance(key, ec.EllipticCurvePublicKey):
        return minimal(key.public_numbers().x) if key.curve.name in CURVES else None
    if isinstance(key, ed25519.Ed25519PublicKey):
        return minimal(int.from_bytes(key.public_bytes_raw(), "big"))
    if type(key).__name__.startswith(("MLDSA", "SLHDSA")):
        return key.public_bytes_raw()
    return None


def attempt(function, *arguments):
    try:
        return function(*arguments)
    except Exception:  # whatever a foreign file makes a parser say
        return None


def of_private(data, load):
    for password in (None, b"password", b"123456", b"foobar"):
        key = attempt(load, data, password)
        if key is not None:
            return [key.public_key()]
    return []


def keys_of_pem(label, block):
    if b"PRIVATE KEY" in label or b"TESTING KEY" in label:
        block = block.replace(b"TESTING KEY", b"PRIVATE KEY")
        if b"OPENSSH" in label:
            return of_private(block, serialization.load_ssh_private_key)
        return of_private(block, serialization.load_pem_private_key)
    return []


def keys_of_public_pem(label, block):
    if b"PUBLIC KEY" in label:
        key = attempt(serialization.load_pem_public_key, block)
    elif label == b"CERTIFICATE":
        key = attempt(lambda: x509.load_pem_x509_certificate(block).public_key())
    elif label == b"CERTIFICATE REQUEST":
        key = attempt(lambda: x509.load_pem_x509_csr(block).public_key())
    else:
        key = None
    return [key] if key is not None else []


def number(text):
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def keys_of_json(value):
    """Private keys as JWK, and the vectors of Wycheproof: private numbers on curves, public keys to verify with."""
    if isinstance(value, list):
        for entry in value:
            yield from keys_of_json(entry)
    if not isinstance(value, dict):
        return
    kind, secret = value.get("kty"), value.get("d")
    if kind == "RSA" and isinstance(secret, str):
        yield attempt(lambda: rsa.RSAPublicNumbers(number(value["e"]), number(value["n"])).public_key())
    if kind == "EC" and isinstance(secret, str):
        yield attempt(lambda: ec.derive_private_key(number(secret), CURVES[value["crv"]]).public_key())
    if kind == "OKP" and isinstance(secret, str) and value.get("crv") == "Ed25519":
        raw = base64.urlsafe_b64decode(secret + "=")
        yield attempt(lambda: ed25519.Ed25519PrivateKey.from_private_bytes(raw).public_key())
    if isinstance(value.get("publicKeyDer"), str):
        yield attempt(lambda: serialization.load_der_public_key(bytes.fromhex(value["publicKeyDer"])))
    if isinstance(value.get("privateKeyPkcs8"), str):
        for key in of_private(bytes.fromhex(value["privateKeyPkcs8"]), serialization.load_der_private_key):
            yield key
    curve = CURVES.get(value["curve"]) if isinstance(value.get("curve"), str) else None
    if curve is not None and "testGroups" not in value:
        for test in value.get("tests", []):
            if isinstance(test.get("private"), str):
                yield attempt(lambda: ec.derive_private_key(int(test["private"], 16), curve).public_key())
    for entry in value.values():
        if isinstance(entry, (dict, list)):
            yield from keys_of_json(entry)


def files(path):
    path = pathlib.Path(path)
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file() and not file.is_symlink():
                yield file.name, file.read_bytes()
    elif path.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                yield name, archive.read(name)
    else:
        with tarfile.open(fileobj=io.BytesIO(path.read_bytes())) as archive:
            for member in archive:
                if member.isfile():
                    yield member.name, archive.extractfile(member).read()


def collect(path, public_too):
    for name, data in files(path):
        # The largest data files of Wycheproof are 2 MiB.
        if len(data) > MOST:
            continue
        # Source code quotes keys with escaped line breaks and string joints.
        joined = re.sub(rb"\\n|[\"'] *\+? *\n? *[\"']", b"\n", data) if b"-----BEGIN" in data else data
        for text in {data, joined}:
            for match in PEM.finditer(text):
                block = b"\n".join(line.strip() for line in match.group(0).splitlines())
                yield from keys_of_pem(match.group(1), block)
                if public_too:
                    yield from keys_of_public_pem(match.group(1), block)
        if name.endswith((".der", ".pk8", ".p8", ".key")):
            yield from of_private(data, serialization.load_der_private_key)
        if name.endswith(".json"):
            yield from keys_of_json(attempt(json.loads, data))


def small_numbers():
    for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()):
        octets = (curve.key_size + 7) // 8
        numbers = set(range(1, 2049))
        numbers |= {int.from_bytes(bytes([octet]) * count, "big") for octet in range(1, 256) for count in (octets, 32)}
        numbers |= {int.from_bytes(bytes((i + start) % 256 for i in range(count)), "big")
                    for start in (0, 1) for count in (octets, 32)}
        numbers |= {int.from_bytes(hashlib.sha256(word).digest(), "big") for word in (b"", b"test", b"password", b"secret")}
        numbers |= {1 << bit for bit in range(curve.key_size - 1)}
        for secret in sorted(numbers):
            key = attempt(lambda: ec.derive_private_key(secret, curve).public_key())
            if key is not None:
                yield key
    seeds = {bytes([octet]) * 32 for octet in range(256)}
    seeds |= {small.to_bytes(32, order) for small in range(2049) for order in ("big", "little")}
    seeds |= {bytes(range(start, start + 32)) for start in (0, 1)}
    seeds |= {hashlib.sha256(word).digest() for word in (b"", b"test", b"password", b"secret")}
    for seed in sorted(seeds):
        yield ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key()


# RFC 6979 A.2.5 to A.2.7, RFC 9500 2.3, RFC 9421 B.1.3, RFC 7517 A.2, RFC 7515 A.3 and A.4, as x coordinates or scalars.
SCALARS = [
    ("P-256", "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"),
    ("P-384", "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5"),
    ("P-521", "00fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75caa896eb32f1f47c70855836a6d16fcc1466f6d8fbec6"
              "7db89ec0c08b0e996b83538"),
    ("P-256", "e6cb5bdd80aa45ae9c95e8c15476679ffec953c16851e711e743939589c64fc1"),
    ("P-256", "529b85f3597e90ec5b8dfed3e26352bf4af9b4deba8c6ea7ae7afe105a5c603b"),
    ("P-256", "f3bd0c07a81fb932781ed52752f60cc89a6be5e51934fe01938ddb55d8f77801"),
    ("P-256", "8e9b109e719098bf980487df1f5d77e9cb29606ebed2263b5f57c213df84f4b2"),
]
# RFC 8032 7.1, RFC 9421 B.1.4 and RFC 8037 A.1 (which is the first), as seeds.
SEEDS = [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
    "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
]
RFC_9500 = ["MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEWwkBuIUjKW65GdUP+hqcs3S8TUCVhigr/soRsdla27VHNK9XC/grcijPImvPTCXdvP47GjrTlDDv92Ph"
            "1o0uFR2Rcgt3lbWNprNGOWE6j7m1qNpIxnRxF/mRnoQk837I",
            "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQB0P1yV6hMdH9WJXXAc4Xb6/L1K+pYCD24L90VMdiq48yHX/Av9/otomDY62LW0vXWSSeOMhc2oGKM"
            "u7MDCLbmGNsA9irSBMZGA1m8gYq4lhvw8PwOxaropCgXPOVvAN6bFXweXILGT1Yvyt78Skwo9tNCzz72FvyC0ztyhckh8r82/dg="]


def rfcs():
    for curve, scalar in SCALARS:
        yield ec.derive_private_key(int(scalar, 16), CURVES[curve]).public_key()
    for seed in SEEDS:
        yield ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)).public_key()
    for text in RFC_9500:
        yield serialization.load_der_public_key(base64.b64decode(text))


def lamps(path):
    """SubjectPublicKeyInfo as PEM of algorithms that the library may not read: the octets of the BIT STRING."""
    for _, data in files(path):
        for match in PEM.finditer(data):
            if match.group(1) == b"PUBLIC KEY":
                der = base64.b64decode(b"".join(match.group(0).splitlines()[1:-1]))
                # 30 82 xx xx 30 0b 06 09 <9> 03 82 xx xx 00, or with short lengths.
                at = der.index(b"\x06\x09") + 11
                assert der[at] == 3
                at += 1
                at += 1 + (der[at] & 0x7F if der[at] & 0x80 else 0)
                assert der[at] == 0
                yield der[at + 1:]


def main():
    out, sources = sys.argv[1], [argument.split("=", 1) for argument in sys.argv[2:]]
    rows, counts = {}, {}
    for key in [*rfcs()]:
        rows.setdefault(hashlib.sha256(identity(key)).digest()[:15], 9)
    for number, path in sources:
        if number == "3":
            identities = lamps(path)
        else:
            identities = (identity(key) for key in collect(path, number in ("2", "7")) if key is not None)
        for value in identities:
            if value:
                rows.setdefault(hashlib.sha256(value).digest()[:15], int(number))
    for key in small_numbers():
        rows.setdefault(hashlib.sha256(identity(key)).digest()[:15], 8)
    for number in rows.values():
        counts[number] = counts.get(number, 0) + 1
    data = b"".join(digest + bytes([number]) for digest, number in sorted(rows.items()))
    pathlib.Path(out).write_bytes(data)
    print(f"{len(rows)} keys; by list: {dict(sorted(counts.items()))}; SHA-256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
