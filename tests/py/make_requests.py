"""A factory's collection of certificate requests, made by hand: device keys and requests by OpenSSL, attestation by pyca, the signature by
ssh-keygen, and the format written out once more from media/BUNDLE.md, not from our Rust.

    make_requests.py OUT --order ORDER [--name NAME] [--unruly] [--seed HEX]

Writes OUT/NAME.requests.json and OUT/NAME.requests.cbor, and OUT/NAME.order.toml: the order with the vendor's root put in. Of the ordered
devices the first half is attested. With --unruly every way a request can be wrong stands among them; OUT/NAME.expected.json says which."""

import argparse
import datetime
import hashlib
import json
import pathlib
import shutil
import struct
import subprocess
import tempfile
import tomllib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

REALM = "rehearsal"
FROM, UNTIL = datetime.datetime(2026, 1, 1), datetime.datetime(2046, 1, 1)
DER = serialization.Encoding.DER


def lp(octets):
    return struct.pack(">I", len(octets)) + octets


def tagged(what, parts, realm=REALM):
    return hashlib.sha256(lp(b"anchorite/" + what + b"/v1") + lp(realm.encode()) + b"".join(map(lp, parts))).digest()


def jcs(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def head(major, n):
    for code, size, most in ((None, 0, 24), (24, 1, 1 << 8), (25, 2, 1 << 16), (26, 4, 1 << 32)):
        if n < most:
            return bytes([major << 5 | (n if code is None else code)]) + (n.to_bytes(size, "big") if size else b"")
    raise ValueError(n)


def text(value):
    return head(3, len(value.encode())) + value.encode()


def octets(value):
    return head(2, len(value)) + value


def entry(device, hardware, request, chain=(), signature=b""):
    hardware = sorted(hardware.items(), key=lambda pair: (len(pair[0]), pair[0]))
    return (head(4, 5) + text(device) + head(5, len(hardware)) + b"".join(text(k) + text(v) for k, v in hardware) + octets(request)
            + head(4, len(chain)) + b"".join(map(octets, chain)) + octets(signature))


def root_of(leaves):
    """RFC 9162 2.1.1."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root_of(leaves[:k]) + root_of(leaves[k:])).digest()


def run(*arguments, **more):
    return subprocess.run([str(a) for a in arguments], check=True, capture_output=True, **more).stdout


class Devices:
    """Keys and requests, by OpenSSL. Keys that are in the folder `keys` already are used again."""

    def __init__(self, work, keys):
        self.work, self.keys = work, keys or work

    def key(self, name, kind="ec"):
        path = self.keys / f"{name}.key"
        if path.exists():
            return path
        if kind == "ec":
            run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)
        else:
            run("openssl", "genpkey", "-algorithm", kind, "-out", path)
        return path

    def request(self, device, key, nonce, oid=None, extra=""):
        """With the nonce as challengePassword, or as an extension."""
        config = self.work / "req.cnf"
        wanted = f"req_extensions = ext\n[ext]\n{oid} = ASN1:FORMAT:HEX,OCTETSTRING:{nonce}\n" if oid else ""
        # OpenSSL cuts no attribute, but prompts unless it is told what to say.
        attributes = "" if oid or nonce is None else "attributes = attr\n"
        more = "" if oid or nonce is None else f"[attr]\nchallengePassword = {nonce}\n"
        config.write_text(f"[req]\nprompt = no\nstring_mask = utf8only\ndistinguished_name = dn\n{attributes}{wanted}"
                          f"[dn]\nserialNumber = {device}\n{extra}{more}")
        return run("openssl", "req", "-new", "-key", key, "-config", config, "-outform", "DER")


def name(common):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


class Vendor:
    """Whoever made the chips: a root, an intermediate, a certificate for each key."""

    def __init__(self, called="Example Chips"):
        self.called, self.serial = called, 0
        self.root_key, self.key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.root = self.certify(f"{called} Root", self.root_key.public_key(), self.root_key, f"{called} Root", True)
        self.intermediate = self.certify(f"{called} Line 1", self.key.public_key(), self.root_key, f"{called} Root", True)

    def certify(self, subject, public, signer, issuer, authority=False, until=UNTIL, extension=None):
        self.serial += 1
        builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(public)
                   .serial_number(self.serial).not_valid_before(FROM).not_valid_after(until)
                   .add_extension(x509.BasicConstraints(authority, None), True)
                   .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False))
        usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False)
        builder = builder.add_extension(x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **usage), True)
        builder = builder.add_extension(extension, True) if extension else builder
        return builder.sign(signer, hashes.SHA256()).public_bytes(DER)

    def chip(self, public, subject="chip", until=UNTIL):
        return self.certify(subject, public, self.key, f"{self.called} Line 1", until=until)


def statement(digest, body, certificates, named, seed, work, **change):
    """The factory's word, signed with its receipt key."""
    entries, nonce = body
    said = {"certificates": [c.hex() for c in certificates], "count": len(entries), "factory": named, "format": "anchorite-requests/1", "made": 1795685400000,
            "nonce": nonce, "order": digest, "realm": REALM, "root": root_of([hashlib.sha256(b"\0" + e).digest() for e in entries]).hex(),
            "sha256": hashlib.sha256(b"".join(entries)).hexdigest(), "size": sum(map(len, entries)), **change}
    key, message = work / "receipt.key", work / "message"
    private = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()))
    key.chmod(0o600)
    message.write_bytes(jcs(said))
    (work / "message.sig").unlink(missing_ok=True)
    run("ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", "rehearsal-requests@anchorite", message)
    return jcs({"signature": (work / "message.sig").read_text(), "statement": said})


def simulated_seed(factory):
    """The receipt key of a rehearsal's simulated factory: everybody has it."""
    return tagged(b"rehearsal-station", [factory.encode(), b"receipt-key"])


def public(path):
    return serialization.load_pem_private_key(path.read_bytes(), None).public_key()


def collect(order, digest, work, vendor, unruly, keys, same=None):
    """Entries in order, and for each what is expected of it: nothing where it is accepted, else words of reasons. Devices have the hardware ids of
    every other collection, or only those in `same`."""
    devices, nonce, oid = Devices(work, keys), order["nonce"], order.get("nonce_oid")
    counted = order.get("devices")
    ids = order.get("hardware_ids") or [f"{counted['prefix']}{counted['first'] + n:0{counted['digits']}}" for n in range(order["count"])]
    soc = order.get("hardware_kind", "soc")
    made = []

    def put(device, n, key=None, nonce=nonce, oid=oid, chain=None, signature=b"", expected=(), request=None, hardware=None):
        key = key or devices.key(f"device-{len(made)}")
        request = request or devices.request(device, key, nonce, oid)
        chain = [vendor.chip(public(key), device), vendor.intermediate] if chain is None else chain
        series = "9f3c" if same is None or n in same else "9f3d"
        made.append((entry(device, {soc: f"{series}{n:04x}"} if hardware is None else hardware, request, chain, signature), device, sorted(expected)))
        return key, request

    if not unruly:
        for n, device in enumerate(ids[:-3]):
            if n == 0:
                # A key of the vendor's attests another: it signs the request for this order.
                attesting, key = ec.generate_private_key(ec.SECP256R1()), devices.key("attested")
                request = devices.request(device, key, nonce, oid)
                message = tagged(b"request-attestation", [bytes.fromhex(digest), bytes.fromhex(nonce), hashlib.sha256(request).digest()])
                put(device, n, key, chain=[vendor.chip(attesting.public_key()), vendor.intermediate], request=request,
                    signature=attesting.sign(message, ec.ECDSA(hashes.SHA256())))
            else:
                put(device, n, chain=None if n < order["count"] // 2 else [])
        # Made for another order; and two devices that say they have one key.
        put(ids[-3], 97, nonce="00" * 32, chain=[], expected=["nonce-other"])
        key, _ = put(ids[-2], 98, chain=[], expected=["key-twice"])
        put(ids[-1], 99, key, chain=[], expected=["key-twice"])
        return made

    put(ids[0], 0)
    put(ids[1], 1, chain=[])
    put(ids[2], 2, nonce="ab" * 32, expected=["nonce-other"])
    put(ids[3], 3, nonce=None, oid=None, chain=[], expected=["nonce-missing"])
    put(ids[4], 4, chain=[], expected=["device-twice"])
    put(ids[4], 5, chain=[], expected=["device-twice"])
    key, _ = put(ids[5], 6, chain=[], expected=["key-twice"])
    put(ids[6], 7, key, chain=[], expected=["key-twice"])
    put("STRANGER-1", 8, chain=[], expected=["device-not-ordered"])
    put(f"{counted['prefix']}{counted['first'] + order['count']:0{counted['digits']}}", 9, chain=[], expected=["device-not-ordered"])
    # Another number of digits is another device.
    put(f"{counted['prefix']}{counted['first'] + 7}", 10, chain=[], expected=["device-not-ordered"])
    broken = bytearray(devices.request(ids[8], devices.key("broken"), nonce, oid))
    broken[-1] ^= 1
    put(ids[8], 11, chain=[], request=bytes(broken), expected=["signature"])
    other = devices.request(ids[10], devices.key("other"), nonce, oid)
    put(ids[9], 12, chain=[], request=other, expected=["subject-device"])
    put(ids[10], 13, devices.key("ed", "ed25519"), chain=[], expected=["key-kind"])
    # Small and patterned numbers are on the list of published keys.
    weak = work / "weak.key"
    weak.write_bytes(ec.derive_private_key(1, ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    put(ids[11], 14, weak, chain=[], expected=["key-published"])
    put(ids[12], 15, chain=[], request=b"\x30\x03\x02\x01\x00", expected=["shape"])
    put(ids[13], 16, chain=[], hardware={soc: "9f3c0000"}, expected=["hardware-twice"])
    made[0] = (made[0][0], made[0][1], ["hardware-twice"])
    put(ids[14], 17, chain=[], hardware={"lot": "7"}, expected=["hardware-missing"])
    stranger, key = Vendor("Counterfeit Chips"), devices.key("counterfeit")
    put(ids[15], 18, key, chain=[stranger.chip(public(key)), stranger.intermediate, stranger.root], expected=["attestation-root"])
    put(ids[16], 19, chain=[vendor.chip(public(weak)), vendor.intermediate], expected=["attestation-key"])
    key = devices.key("late")
    put(ids[17], 20, key, chain=[vendor.chip(public(key), until=datetime.datetime(2026, 2, 1)), vendor.intermediate], expected=["attestation-expired"])
    attesting = ec.generate_private_key(ec.SECP256R1())
    put(ids[18], 21, chain=[vendor.chip(attesting.public_key()), vendor.intermediate],
        signature=attesting.sign(b"another message", ec.ECDSA(hashes.SHA256())), expected=["attestation-signature"])
    forged = bytearray(vendor.chip(public(devices.key("forged"))))
    forged[-1] ^= 1
    put(ids[19], 22, devices.keys / "forged.key", chain=[bytes(forged), vendor.intermediate], expected=["attestation-root"])
    put(ids[20], 23, oid="1.3.6.1.4.1.55555.1.77" if not oid else None, chain=[], expected=["nonce-missing"])
    genuine, _ = put(ids[21], 24)
    put(ids[22], 25, chain=[], hardware={soc: "a\u202eb"}, expected=["hardware-text"])
    # A genuine device vouches for a key that is not its own; a signature that nothing goes with.
    key = devices.key("vouched")
    request = devices.request(ids[23], key, nonce, oid)
    message = tagged(b"request-attestation", [bytes.fromhex(digest), bytes.fromhex(nonce), hashlib.sha256(request).digest()])
    vouching = serialization.load_pem_private_key(genuine.read_bytes(), None)
    put(ids[23], 26, key, chain=[vendor.chip(public(genuine)), vendor.intermediate], request=request,
        signature=vouching.sign(message, ec.ECDSA(hashes.SHA256())), expected=["attestation-key"])
    put(ids[24], 27, chain=[], signature=bytes.fromhex("3006020101020101"), expected=["attestation-certificate"])
    # What is critical and not understood is refused, and what limits names.
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.9"), b"\x05\x00")
    names = x509.NameConstraints([x509.DirectoryName(name("others"))], None)
    for n, extension in enumerate((unknown, names, x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]))):
        key = devices.key(f"limited-{n}")
        line = vendor.certify(f"{vendor.called} Line 1", vendor.key.public_key(), vendor.root_key, f"{vendor.called} Root", True, extension=extension)
        put(ids[25 + n], 28 + n, key, chain=[vendor.chip(public(key)), line], expected=["attestation-extension"])
    return made


def write(out, order_path, called, unruly=False, seed=None, keys=None, same=None, backwards=False, **change):
    """Makes a collection; gives what is expected of each request."""
    source = pathlib.Path(order_path).read_text()
    vendor = Vendor()
    pinned = f'attestation_roots = ["{hashlib.sha256(vendor.root).hexdigest()}"]'
    lines = [pinned if line.startswith("attestation_roots") else line for line in source.splitlines()]
    order_octets = ("\n".join(lines) + "\n").encode()
    order, digest = tomllib.loads(order_octets.decode()), hashlib.sha256(order_octets).hexdigest()
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        if keys:
            keys.mkdir(parents=True, exist_ok=True)
        made = collect(order, digest, work, vendor, unruly, keys, same)
        made = made[::-1] if backwards else made
        entries = [e for e, _, _ in made]
        seed = seed or simulated_seed(order["factory"])
        signed = statement(digest, (entries, order["nonce"]), [vendor.root], order["factory"], seed, work, **change)
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{called}.order.toml").write_bytes(order_octets)
    (out / f"{called}.requests.cbor").write_bytes(b"".join(entries))
    (out / f"{called}.requests.json").write_bytes(signed)
    return [{"device": device, "expected": words} for _, device, words in made]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--order", required=True)
    parser.add_argument("--name", default="meters-1")
    parser.add_argument("--unruly", action="store_true")
    parser.add_argument("--seed", help="of the factory's receipt key; the simulated factory's where it is left out")
    arguments = parser.parse_args()
    assert shutil.which("openssl") and shutil.which("ssh-keygen")
    seed = bytes.fromhex(arguments.seed) if arguments.seed else None
    expected = write(arguments.out, arguments.order, arguments.name, arguments.unruly, seed)
    if arguments.unruly:
        (arguments.out / f"{arguments.name}.expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
