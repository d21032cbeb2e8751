"""A factory bundle, made by hand: pyca for keys and certificates, `age` for the shards, `ssh-keygen` for the signatures, and the formats
written out here once more from their description, not from our Rust. What imports a bundle of this is judged from outside.

    make_bundle.py OUT --count 100000 --recipient age1... --factory lyon [--mode device-generated] [--tamper WHAT]

A hybrid recipient (age1pq1...) is sealed to with npm's age-encryption, which tests/all installs: Debian's age is older than that kind.
A tampered bundle is signed by the signers the station pins all the same, so that what is refused is what was tampered with.

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
ENDS = 2398377600000  # UNTIL


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


def certificate(subject, key, issuer, by, serial, path=None, until=UNTIL, more=()):
    """`path`: the path length of an authority; None for a device. `more`: further extensions."""
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    identifier = x509.SubjectKeyIdentifier(hashlib.sha256(spki).digest()[:20])
    builder = x509.CertificateBuilder(name(issuer), name(subject), key, serial, FROM, until)
    builder = builder.add_extension(identifier, critical=False)
    if path is None:
        builder = builder.add_extension(usage(digital_signature=True), critical=True)
    else:
        builder = builder.add_extension(x509.BasicConstraints(True, path), critical=True)
        builder = builder.add_extension(usage(key_cert_sign=True, crl_sign=True), critical=True)
    for extension in more:
        builder = builder.add_extension(extension, critical=False)
    digest = None if isinstance(by, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(by, digest)


def revoked(issuing, of="Test issuing", by=None, this=FROM, until=UNTIL, number=1, serials=(1 << 158 | 5,)):
    builder = x509.CertificateRevocationListBuilder(name(of), this, until)
    spki = (by or issuing).public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier(hashlib.sha256(spki).digest()[:20], None, None), critical=False)
    builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder(serial, FROM).add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(by or issuing, hashes.SHA256())


def der(thing):
    return thing.public_bytes(serialization.Encoding.DER)


def pkcs8(key):
    return key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def age(recipient, plain, to):
    if recipient.startswith("age1pq1"):
        tests = pathlib.Path(__file__).parent.parent
        node = tests / ".judges/npm/node_modules/.bin/node"
        to.write_bytes(subprocess.run([node, tests / "judge_age.mjs", "seal", recipient], input=plain, check=True, capture_output=True).stdout)
        return
    subprocess.run(["age", "-r", recipient, "-o", to], input=plain, check=True)


REVOKED, TWICE = 1 << 158 | 77, 1 << 158 | 78
EVER = datetime.datetime(2047, 1, 1)


def lineage(args, bundle, order, device, bad=None):
    said = {0: device, 1: args.product, 2: args.sku, 3: "1.4.0", 4: hashlib.sha256(b"firmware").digest(), 5: bundle, 6: order}
    if args.hardware:
        # As an order lists them (`hardware_draws.py`).
        number = int(device[-8:])
        said[7] = {"mac": f"00124b{number:06x}", "soc": f"9F3C:{number:04X}"}
    other = {"lineage-order": (6, bytes(32)), "lineage-sku": (2, "LAMP-B"), "lineage-firmware": (3, "1.3.9"), "lineage-bundle": (5, bytes(16)),
             "lineage-device": (0, device + "9")}
    return {**said, **dict([other[bad]])} if bad in other else said


LINEAGE = x509.ObjectIdentifier("1.3.6.1.4.1.32473.9.1")


def one_shard(job):
    """In a process of its own: keys, certificates and records of one shard; gives back (device, record digest) of each."""
    args, bundle, order, shard, first, count, issuing, issuer_name, to = job
    issuing = serialization.load_der_private_key(issuing, None)
    fake = args.tamper if shard == 0 else None
    header = ["anchorite-shard/1", REALM, bundle, shard, first, count, args.factory, args.recipient]
    changed = {"foreign-shard": (2, b"\x11" * 16), "resealed": (6, "elsewhere"), "shard-number": (3, shard + 1), "shard-first": (4, first + 1),
               "shard-count": (5, count + 1), "shard-recipient": (7, args.other), "shard-realm": (1, "production")}
    if fake in changed:
        header[changed[fake][0]] = changed[fake][1]
    plain, rows = [cbor(header)], []
    for index in range(first, first + count):
        # What is wrong is wrong with the second record: the first is what the others are held against.
        bad = fake if index == first + 1 else None
        device = f"{args.prefix}{index if bad != 'device-twice' else first:08d}"
        key = ed25519.Ed25519PrivateKey.generate() if args.algorithm == "ed25519" else ec.generate_private_key(ec.SECP256R1())
        if bad == "key-twice":
            key = before
        if bad == "issuer-key":
            key = issuing
        before = key
        signer = ec.generate_private_key(ec.SECP256R1()) if bad == "chain" else issuing
        commit = cbor(lineage(args, bundle, order, device, bad))
        more = [x509.UnrecognizedExtension(LINEAGE, b"\x04\x20" + hashlib.sha256(commit if bad != "commitment" else b"x").digest())]
        if bad == "other-extensions":
            more.append(x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.1")]))
        number = REVOKED if bad == "revoked" else TWICE if fake == "serial-twice" else 1 << 158 | secrets.randbits(150)
        until = datetime.datetime(2045, 1, 1) if bad == "shorter" else EVER if fake == "longer" else UNTIL
        subject, path = ("Test issuing", None) if bad == "issuer-name" else (device, 0 if bad == "authority" else None)
        issued = der(certificate(subject, key.public_key(), issuer_name, signer, number, path, until, more))
        if bad == "not-der":
            issued = issued[:-1]
        if bad == "key-mismatch":
            key = ec.generate_private_key(ec.SECP256R1())
        place = index if bad != "record-index" else index + 1
        digest = tagged(b"record", [bundle, struct.pack(">I", place), device.encode(), issued, commit])
        extras = {"passcode": b"20202021"} if index % 7 == 0 else {}
        without = (args.mode == "device-generated") != (bad == "other-mode")
        plain.append(cbor([place, device, issued, 0 if without else 1, b"" if without else pkcs8(key), commit, extras]))
        rows.append((device, digest))
        if to.parent.parent.joinpath("keys").is_dir():
            # Keys that never leave their devices: these files are the devices.
            (to.parent.parent / "keys" / f"{device}.der").write_bytes(pkcs8(key))
    if fake == "count":
        plain.pop()
    if fake == "more":
        plain.append(b"\0")
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
        # What a bundle can have in the place of its list: `crl.pem` is the good one.
        other = ec.generate_private_key(ec.SECP256R1())
        now, day = datetime.datetime.now(), datetime.timedelta(days=1)
        lists = {"crl": {}, "crl-other": {"by": other}, "crl-name": {"of": "Test root", "by": root}, "crl-future": {"this": now + 9 * day},
                 "crl-over": {"until": now - day}, "crl-before": {"this": FROM - 9 * day, "until": FROM - day}, "crl-newer": {"number": 9},
                 "crl-newest": {"number": 9, "serials": [REVOKED]}, "crl-issuer": {"of": "Test root", "by": root, "serials": [1 << 158 | 2]}}
        for file, said in lists.items():
            (out / f"{file}.pem").write_bytes(revoked(issuing, **said).public_bytes(pem))
        (out / "issuing.der").write_bytes(pkcs8(issuing))
        lines = []
        for who in ("ada", "grace"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", who, "-f", out / f"{who}.key"], check=True)
            lines.append(f'{who} namespaces="{REALM}-bundle@anchorite" ' + (out / f"{who}.key.pub").read_text())
        (out / "allowed_signers").write_text("".join(lines))
        (out / "root.pem").write_bytes(root_certificate.public_bytes(pem))
    return serialization.load_der_private_key((out / "issuing.der").read_bytes(), None)


def altered(file, change):
    def alter(out):
        octets = (out / file).read_bytes()
        (out / file).write_bytes(change(octets))
    return alter


def blocks(octets):
    return [block + b"-----END CERTIFICATE-----\n" for block in octets.split(b"-----END CERTIFICATE-----\n")[:-1]]


# Files that say something else than the records do, listed in the manifest as they are.
ALTERED = {
    "leaves": altered("leaves.bin", lambda o: o[32:64] + o[:32] + o[64:]),
    "index-order": altered("index.cbor", lambda o: o[:50] + o[124:198] + o[50:124] + o[198:]),
    "index-bundle": altered("index.cbor", lambda o: o[:18] + bytes(16) + o[34:]),
    "index-device": altered("index.cbor", lambda o: o[:52] + bytes(32) + o[84:]),
    "index-place": altered("index.cbor", lambda o: o[:84] + struct.pack(">II", 7, 3) + o[92:]),
    "chain-order": altered("chain.pem", lambda o: b"".join(reversed(blocks(o)))),
    "chain-empty": altered("chain.pem", lambda o: b""),
    "chain-long": altered("chain.pem", lambda o: o + blocks(o)[1] * 9),
    "crl-not-pem": altered("crl.pem", lambda o: b"no list\n"),
    "crl-two": altered("crl.pem", lambda o: o + o),
}
# Manifests that contradict themselves or the bundle.
WRITTEN = {
    "wrong-realm": lambda m: m.update(realm="production"),
    "format": lambda m: m.update(format="anchorite-bundle/2"),
    "unknown-key": lambda m: m.update(extra=1),
    "two-recipients": lambda m: m["recipients"].append(m["recipients"][0]),
    "no-records": lambda m: m.update(count=0),
    "count-more": lambda m: m.update(count=m["count"] + 1),
    "expires-first": lambda m: m.update(expires=m["issued"]),
    "expires-late": lambda m: m.update(expires=m["certificates"]["not_after"] + 1),
    "certificates-empty": lambda m: m["certificates"].update(not_after=m["certificates"]["not_before"]),
    "certificates-other": lambda m: m["certificates"].update(not_before=m["certificates"]["not_before"] + 86_400_000),
    "issued-later": lambda m: m.update(issued=m["issued"] + 5 * 365 * 86_400_000),
    "first-of-two": lambda m: m.update(previous="00" * 32),
    "file-twice": lambda m: m["files"].append(m["files"][0]),
    "file-gone": lambda m: m["files"].pop(),
    "file-up": lambda m: m["files"][0].update(name="../chain.pem"),
    "records-root": lambda m: m.update(records_root="11" * 32),
    "issuer": lambda m: m.update(issuer="11" * 32),
    "order": lambda m: m.update(order="11" * 32),
    "product": lambda m: m.update(sku="LAMP-B"),
    "mode": lambda m: m.update(mode="device-generated"),
    "firmware": lambda m: m["firmware"].update(version="1.5.0"),
}


def bundle(args, out, sequence, previous):
    """One bundle folder; gives the digest of its manifest."""
    issuing = authorities(args.out)
    out.mkdir()
    (out / "shards").mkdir()
    if args.mode == "device-generated":
        (out / "keys").mkdir()
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
    if args.mode == "device-generated":
        (out / "keys").rename(out.with_name(out.name + "-keys"))
    (out / "chain.pem").write_bytes((args.out / "chain.pem").read_bytes())
    (out / "crl.pem").write_bytes((args.out / f"{args.crl}.pem").read_bytes())
    if args.tamper in ALTERED:
        ALTERED[args.tamper](out)
    files = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    issuer = x509.load_pem_x509_certificate((args.out / "chain.pem").read_bytes())
    day = 86_400_000
    manifest = {
        "format": "anchorite-bundle/1", "bundle": name.hex(), "realm": REALM, "factory": args.factory, "sequence": sequence,
        "previous": previous, "order": order.hex(), "mode": args.mode, "product": args.product, "sku": args.sku,
        "firmware": {"version": "1.4.0", "sha256": hashlib.sha256(b"firmware").hexdigest()}, "recipients": [args.recipient],
        "count": args.count, "shard_records": args.shard, "issued": ISSUED, "expires": ISSUED + args.days * day,
        "certificates": {"not_before": ISSUED, "not_after": ENDS if args.tamper != "longer" else ENDS + 365 * day}, "profile": {"name": "idevid", "sha256": "00" * 32},
        "policy": None, "issuer": hashlib.sha256(der(issuer)).hexdigest(), "ceremony": {"id": "test", "head": "00" * 32},
        "records_root": root_of(leaves).hex(), "nonce": secrets.token_hex(32),
        "files": [{"name": file, "size": (out / file).stat().st_size, "sha256": hashlib.sha256((out / file).read_bytes()).hexdigest()}
                  for file in files],
    }
    if args.tamper in WRITTEN:
        WRITTEN[args.tamper](manifest)
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
    parser.add_argument("--mode", default="injected")
    parser.add_argument("--hardware", action="store_true", help="every device has hardware ids")
    parser.add_argument("--crl", default="crl")
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
