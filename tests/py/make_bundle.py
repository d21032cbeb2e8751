"""A factory bundle, made by hand: pyca for keys and certificates, `age` for the shards, `ssh-keygen` for the signatures, and the formats
written out here once more from their description, not from our Rust. What imports a bundle of this is judged from outside.

    make_bundle.py OUT --count 100000 --recipient age1... --factory lyon [--tamper WHAT]

Writes OUT/root.pem, OUT/allowed_signers, OUT/signer-*.key and OUT/bundle-1/ (more with --bundles)."""

import argparse
import concurrent.futures
import datetime
import hashlib
import json
import os
import pathlib
import secrets
import struct
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

REALM = "rehearsal"
FROM = datetime.datetime(2026, 1, 1)
UNTIL = datetime.datetime(2046, 1, 1)
ISSUED = 1767225600000


def lp(octets):
    return struct.pack(">I", len(octets)) + octets


def tagged(what, parts, realm=REALM):
    return hashlib.sha256(lp(b"anchorite/" + what + b"/v1") + lp(realm.encode()) + b"".join(map(lp, parts))).digest()


def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    for code, size in ((24, ">B"), (25, ">H"), (26, ">I"), (27, ">Q")):
        if n < 1 << 8 * struct.calcsize(size):
            return bytes([major << 5 | code]) + struct.pack(size, n)
    raise ValueError(n)


def cbor(value):
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    items = sorted(value.items(), key=lambda pair: cbor(pair[0]))
    return head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in items)


def leaf(octets):
    return hashlib.sha256(b"\0" + octets).digest()


def root_of(leaves):
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def usage(**on):
    off = dict.fromkeys(("digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
                         "encipher_only decipher_only").split(), False)
    return x509.KeyUsage(**{**off, **on})


def certificate(subject, key, issuer, by, serial, path=None):
    """`path`: the path length of an authority; None for a device."""
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    identifier = x509.SubjectKeyIdentifier(hashlib.sha256(spki).digest()[:20])
    builder = x509.CertificateBuilder(name(issuer), name(subject), key, serial, FROM, UNTIL)
    builder = builder.add_extension(identifier, critical=False)
    if path is None:
        builder = builder.add_extension(usage(digital_signature=True), critical=True)
    else:
        builder = builder.add_extension(x509.BasicConstraints(True, path), critical=True)
        builder = builder.add_extension(usage(key_cert_sign=True, crl_sign=True), critical=True)
    digest = None if isinstance(by, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(by, digest)


def der(thing):
    return thing.public_bytes(serialization.Encoding.DER)


def pkcs8(key):
    return key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def age(recipient, plain, to):
    subprocess.run(["age", "-r", recipient, "-o", to], input=plain, check=True)


def lineage(args, bundle, order, device):
    return {0: device, 1: args.product, 2: args.sku, 3: "1.4.0", 4: hashlib.sha256(b"firmware").digest(), 5: bundle, 6: order}


def one_shard(job):
    """In a process of its own: keys, certificates and records of one shard; gives back (device, record digest, spki digest) of each."""
    args, bundle, order, shard, first, count, issuing, issuer_name, to = job
    issuing = serialization.load_der_private_key(issuing, None)
    fake = args.tamper if shard == 0 else None
    header = ["anchorite-shard/1", REALM, bundle if fake != "foreign-shard" else b"\x11" * 16, shard, first, count, args.factory, args.recipient]
    if fake == "resealed":
        header[6] = "elsewhere"
    plain, rows = [cbor(header)], []
    for index in range(first, first + count):
        device = f"{args.prefix}{index:08d}"
        key = ed25519.Ed25519PrivateKey.generate() if args.algorithm == "ed25519" else ec.generate_private_key(ec.SECP256R1())
        signer = ec.generate_private_key(ec.SECP256R1()) if fake == "chain" and index == first + 1 else issuing
        issued = der(certificate(device, key.public_key(), issuer_name, signer, 1 << 158 | secrets.randbits(150)))
        if fake == "key-mismatch" and index == first + 1:
            key = ec.generate_private_key(ec.SECP256R1())
        commit = cbor(lineage(args, bundle, order, device))
        digest = tagged(b"record", [bundle, struct.pack(">I", index), device.encode(), issued, commit])
        extras = {"passcode": b"20202021"} if index % 7 == 0 else {}
        plain.append(cbor([index, device, issued, 1, pkcs8(key), commit, extras]))
        rows.append((device, digest))
    if fake == "count":
        plain.pop()
    age(args.recipient if fake != "other-recipient" else args.other, b"".join(plain), to)
    return shard, rows


def jcs(value):
    # Names and texts here are ASCII, and every number is an integer: sorted keys without spaces are RFC 8785.
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sign(key, octets, to, namespace):
    with tempfile.TemporaryDirectory() as work:
        path = pathlib.Path(work, "manifest.json")
        path.write_bytes(octets)
        subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", key, path], check=True, stderr=subprocess.DEVNULL)
        to.write_bytes(path.with_name("manifest.json.sig").read_bytes())


def authorities(out):
    """The root, the issuing authority and two manifest signers; made once, kept in OUT."""
    out.mkdir(exist_ok=True)
    if not (out / "root.pem").exists():
        root, issuing = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root_certificate = certificate("Test root", root.public_key(), "Test root", root, 1 << 158 | 1, 1)
        issuing_certificate = certificate("Test issuing", issuing.public_key(), "Test root", root, 1 << 158 | 2, 0)
        pem = serialization.Encoding.PEM
        (out / "chain.pem").write_bytes(issuing_certificate.public_bytes(pem) + root_certificate.public_bytes(pem))
        crl = x509.CertificateRevocationListBuilder(name("Test issuing"), FROM, UNTIL).sign(issuing, hashes.SHA256())
        (out / "crl.pem").write_bytes(crl.public_bytes(pem))
        (out / "issuing.der").write_bytes(pkcs8(issuing))
        lines = []
        for who in ("ada", "grace"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", who, "-f", out / f"{who}.key"], check=True)
            lines.append(f'{who} namespaces="{REALM}-bundle@anchorite" ' + (out / f"{who}.key.pub").read_text())
        (out / "allowed_signers").write_text("".join(lines))
        (out / "root.pem").write_bytes(root_certificate.public_bytes(pem))
    return serialization.load_der_private_key((out / "issuing.der").read_bytes(), None)


def bundle(args, out, sequence, previous):
    """One bundle folder; gives the digest of its manifest."""
    issuing = authorities(args.out)
    out.mkdir()
    (out / "shards").mkdir()
    name, order = secrets.token_bytes(16), hashlib.sha256(b"order").digest()
    jobs = []
    for shard, first in enumerate(range(0, args.count, args.shard)):
        count = min(args.shard, args.count - first)
        to = out / f"shards/{shard:05d}.age"
        jobs.append((args, name, order, shard, first, count, pkcs8(issuing), "Test issuing", to))
    with concurrent.futures.ProcessPoolExecutor() as pool:
        done = dict(pool.map(one_shard, jobs)) if len(jobs) > 1 else dict(map(one_shard, jobs))
    rows = [row for shard in sorted(done) for row in done[shard]]
    leaves = [leaf(digest) for _, digest in rows]
    (out / "leaves.bin").write_bytes(b"".join(leaves))
    salt = secrets.token_bytes(8)
    index = sorted(tagged(b"device-index", [name, salt, device.encode()]) + struct.pack(">II", at // args.shard, at) + leaves[at]
                   for at, (device, _) in enumerate(rows))
    header = b"anchorite-index/" + name + struct.pack(">II", 1, len(rows)) + salt
    (out / "index.cbor").write_bytes(b"".join(map(cbor, [header, *index])))
    for file in ("chain.pem", "crl.pem"):
        (out / file).write_bytes((args.out / file).read_bytes())
    files = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    issuer = x509.load_pem_x509_certificate((out / "chain.pem").read_bytes())
    day = 86_400_000
    manifest = {
        "format": "anchorite-bundle/1", "bundle": name.hex(), "realm": REALM, "factory": args.factory, "sequence": sequence,
        "previous": previous, "order": order.hex(), "mode": "injected", "product": args.product, "sku": args.sku,
        "firmware": {"version": "1.4.0", "sha256": hashlib.sha256(b"firmware").hexdigest()}, "recipients": [args.recipient],
        "count": args.count, "shard_records": args.shard, "issued": ISSUED, "expires": ISSUED + args.days * day,
        "certificates": {"not_before": ISSUED, "not_after": ISSUED + 20 * 365 * day}, "profile": {"name": "idevid", "sha256": "00" * 32},
        "policy": None, "issuer": hashlib.sha256(der(issuer)).hexdigest(), "ceremony": {"id": "test", "head": "00" * 32},
        "records_root": root_of(leaves).hex(), "nonce": secrets.token_hex(32),
        "files": [{"name": file, "size": (out / file).stat().st_size, "sha256": hashlib.sha256((out / file).read_bytes()).hexdigest()}
                  for file in files],
    }
    if args.tamper == "wrong-realm":
        manifest["realm"] = "production"
    octets = jcs(manifest)
    (out / "manifest.json").write_bytes(octets)
    for who in ("ada", "grace")[: 1 if args.tamper == "too-few-signatures" else 2]:
        sign(args.out / f"{who}.key", octets, out / f"manifest.json.{who}.sig", f"{REALM}-bundle@anchorite")
    return hashlib.sha256(octets).hexdigest()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--shard", type=int, default=1000)
    parser.add_argument("--recipient", required=True)
    parser.add_argument("--other", default="")
    parser.add_argument("--factory", default="lyon")
    parser.add_argument("--product", default="lamp")
    parser.add_argument("--sku", default="LAMP-W")
    parser.add_argument("--prefix", default="LAMP-")
    parser.add_argument("--days", type=int, default=3650)
    parser.add_argument("--algorithm", default="ecdsa-p256")
    parser.add_argument("--tamper", default="")
    parser.add_argument("--sequence", type=int, default=1)
    parser.add_argument("--previous")
    parser.add_argument("--name", default="bundle-1")
    args = parser.parse_args()
    if args.recipient == "none":
        authorities(args.out)
        return 0
    print(bundle(args, args.out / args.name, args.sequence, args.previous))
    return 0


if __name__ == "__main__":
    sys.exit(main())
