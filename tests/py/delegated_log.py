"""A factory's own authority by other people's tools: its request by OpenSSL is certified in a ceremony by the rules of `subca-factory`; it
issues with pyca and keeps a log; `bundle log` checks every certificate, and what was met in the field and is in no log is an incident. Every
way a log can be wrong is named, and OpenSSL refuses by itself what the name constraints forbid.

usage: delegated_log.py PROGRAM"""
import datetime
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID

import make_requests
from delegated_ceremony import unmarked
from delegated_module import Module

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "ceremony-scripts"
PROGRAM = pathlib.Path(sys.argv[1]).resolve()
PEM = serialization.Encoding.PEM
ORDER = '''format = "anchorite-order/1"
realm = "rehearsal"
factory = "ostrava"
product = "meter"
sku = "METER-3P"
mode = "delegated"
algorithm = "ecdsa-p256"
profile = "tls-client"
count = 6
devices = { prefix = "METER-", first = 1, digits = 8 }
quota = 20000
not_before = "2026-11-24T00:00:00Z"
not_after = "2027-02-20T00:00:00Z"
expires = "2027-02-19T00:00:00Z"

[firmware]
version = "2.0.1"
sha256 = "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"

[subject]
organization = "Example Devices"
common_name = "Meter {device}"
'''


def run(*arguments, **more):
    return subprocess.run([str(a) for a in arguments], check=True, capture_output=True, **more).stdout


def certified(folder):
    """The authority's certificate, by a ceremony."""
    script, incoming = folder / "scripts" / "factory-ca", folder / "incoming"
    script.mkdir(parents=True)
    incoming.mkdir()
    (folder / "scripts" / "profiles").symlink_to(SCRIPTS / "profiles")
    (folder / "scripts" / "root-ca").symlink_to(SCRIPTS / "root-ca")
    text = (SCRIPTS / "intermediate/script.toml").read_text()
    for before, after in (('profile = "subca-device"', 'profile = "subca-factory"'), ('not_after = "2036-11-22T00:00:00Z"', 'not_after = "2027-02-20T00:00:00Z"'),
                          ('keys = ["ecdsa-p384", "rsa-4096"]', 'keys = ["ecdsa-p256"]')):
        assert before in text, before
        text = text.replace(before, after)
    (script / "script.toml").write_text(text)
    # No order goes with it here, which the profile itself would ask for.
    unmarked(script)
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder / "ca.key")
    run("openssl", "req", "-new", "-key", folder / "ca.key", "-subj", "/CN=Ostrava module 1", "-out", incoming / "issuing-2026.csr.pem")
    done = subprocess.run([str(a) for a in (PROGRAM, "rehearse", script, "--plain", "--auto", "--seed", "7", "--incoming", incoming, "--out", folder / "out")],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    artifacts = folder / "out/evidence/artifacts"
    root = next(folder.glob("out-after-*")) / "evidence/artifacts/root-2026.crt.pem"
    return key, x509.load_pem_x509_certificate((artifacts / "issuing-2026.crt.pem").read_bytes()), root


def written(folder, certificates, issuer, seed=bytes(range(32)), spoil=None, **change):
    """Log and statement in a folder of their own."""
    folder.mkdir()
    (folder / "order.toml").write_text(ORDER)
    log = b"".join(c.public_bytes(PEM) for c in certificates)
    said = {"count": len(certificates), "factory": "ostrava", "format": "anchorite-issuance-log/1", "issuer": hashlib.sha256(issuer.public_bytes(serialization.Encoding.DER)).hexdigest(),
            "sequence": 1, "previous": None, "made": 1795685400000, "order": hashlib.sha256(ORDER.encode()).hexdigest(), "realm": "rehearsal", "sha256": hashlib.sha256(log).hexdigest(), "size": len(log), **change}
    private = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    (folder / "key").write_bytes(private.private_bytes(PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()))
    (folder / "key").chmod(0o600)
    (folder / "message").write_bytes(make_requests.jcs(said))
    run("ssh-keygen", "-q", "-Y", "sign", "-f", folder / "key", "-n", "rehearsal-issuance-log@anchorite", folder / "message")
    (folder / "log.json").write_bytes(make_requests.jcs({"signature": (folder / "message.sig").read_text(), "statement": said}))
    (folder / "log.pem").write_bytes(spoil(log) if spoil else log)
    (folder / "ca.pem").write_bytes(issuer.public_bytes(PEM))


def checked(folder, *more):
    public = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    command = [PROGRAM, "bundle", "log", folder / "log.pem", "--statement", folder / "log.json", "--order", folder / "order.toml", "--issuer", folder / "ca.pem",
               "--profile", "tls-client", "--receipt-key", public.decode(), "--json", *more]
    done = subprocess.run([str(a) for a in command], capture_output=True, text=True)
    said = json.loads(done.stdout.splitlines()[0]) if done.stdout else {}
    return done, {incident["word"] for incident in said.get("incidents", [])}


def main(folder):
    key, issuer, root = certified(folder)
    assert issuer.extensions.get_extension_for_class(x509.NameConstraints).critical
    module, ids = Module(key, issuer), [f"METER-{n:08}" for n in range(1, 8)]
    good = [module.issue(device) for device in ids[:4]] + [module.issue(ids[4], alternative=[x509.DNSName("m5.devices.example")])]
    (folder / "issuer.pem").write_bytes(issuer.public_bytes(PEM))

    def openssl(certificate):
        (folder / "leaf.pem").write_bytes(certificate.public_bytes(PEM))
        return subprocess.run(["openssl", "verify", "-attime", "1796000000", "-CAfile", str(root), "-untrusted", str(folder / "issuer.pem"), str(folder / "leaf.pem")],
                              capture_output=True).returncode == 0

    assert all(openssl(certificate) for certificate in good)
    written(folder / "good", good, issuer)
    seen = folder / "seen"
    seen.mkdir()
    (seen / "field-1.pem").write_bytes(good[0].public_bytes(PEM))
    (seen / "stranger.pem").write_bytes(pathlib.Path(root).read_bytes())
    done, words = checked(folder / "good", "--seen", seen)
    assert done.returncode == 0 and not words and json.loads(done.stdout)["seen"] == 1, (done.stdout, done.stderr)
    (seen / "field-2.pem").write_bytes(module.issue(ids[5]).public_bytes(PEM))
    done, words = checked(folder / "good", "--seen", seen)
    assert done.returncode == 4 and words == {"unlogged"} and "field-2.pem" in done.stdout, (done.stdout, done.stderr)

    elsewhere = ec.generate_private_key(ec.SECP256R1())
    cases = {
        "serial-twice": [*good, module.issue(ids[5], serial=good[0].serial_number)],
        "key-twice": [*good, module.issue(ids[5], public=good[0].public_key())],
        "device-twice": [*good, module.issue(ids[0])],
        "device-not-ordered": [*good, module.issue(ids[6])],
        "constraints": [*good, module.issue(ids[5], alternative=[x509.DNSName("m6.devices.example.org")])],
        "validity": [*good, module.issue(ids[5], begin=datetime.datetime(2026, 11, 23, 12))],
        "issuer": [*good, module.issue(ids[5], signer=elsewhere)],
        "profile": [*good, module.issue(ids[5], usage=ExtendedKeyUsageOID.SERVER_AUTH)],
        "quota": [*good, module.issue(ids[5]), module.issue(ids[6])],
    }
    assert not openssl(cases["constraints"][-1]) and not openssl(cases["issuer"][-1])
    for word, certificates in cases.items():
        written(folder / word, certificates, issuer)
        done, words = checked(folder / word)
        assert done.returncode == 4 and word in words, (word, words, done.stdout, done.stderr)
    assert checked(folder / "constraints")[1] == {"constraints"}
    written(folder / "authority", [*good, module.issue(ids[5], authority=True)], issuer)
    assert {"issuer", "profile"} <= checked(folder / "authority")[1]

    whole = {
        "bad-signature": dict(seed=bytes(32)), "wrong-order": dict(order="00" * 32), "wrong-factory": dict(factory="lyon"), "chain": dict(issuer_sha="00" * 32),
        "wrong-realm": dict(realm="production"), "expected the file that was signed": dict(spoil=lambda log: log[:-1] + b"\n\n"),
    }
    for number, (word, change) in enumerate(whole.items()):
        if "issuer_sha" in change:
            change = {"issuer": change["issuer_sha"]}
        place = folder / f"whole-{number}"
        sha = change.pop("issuer", None)
        written(place, good, issuer, **change)
        if sha:
            written(folder / "other", good, x509.load_pem_x509_certificate(pathlib.Path(root).read_bytes()))
            (place / "log.json").write_bytes((folder / "other/log.json").read_bytes())
        done, _ = checked(place)
        assert done.returncode == 4 and word in done.stderr, (word, done.stdout, done.stderr)
    written(folder / "fewer", good, issuer, count=6)
    assert checked(folder / "fewer")[1] == {"count"}
    print(f"delegated: {len(good)} certificates in the log of an authority that a ceremony certified; {len(cases) + 3} kinds of incident named, {len(whole)} logs refused whole")


with tempfile.TemporaryDirectory() as made:
    main(pathlib.Path(made))
