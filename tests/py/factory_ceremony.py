"""The factory's part of a ceremony by other people's tools: a request and its answer made with ssh-keygen and age, an order carried out, the
bundle opened with tar and age, its certificates checked with OpenSSL. Nothing of ours but the ceremony itself.

usage: factory_ceremony.py PROGRAM"""
import base64
import hashlib
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "ceremony-scripts" / "factory-bundle"
PROGRAM = pathlib.Path(sys.argv[1]).resolve()


def run(*arguments, **more):
    return subprocess.run([str(a) for a in arguments], check=True, capture_output=True, **more).stdout


def tagged(what, *parts):
    digest = hashlib.sha256()
    for part in (f"anchorite/{what}/v1".encode(), b"rehearsal", *parts):
        digest.update(struct.pack(">I", len(part)) + part)
    return digest.digest()


def canonical(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def signed(folder, statement, namespace):
    octets, message = canonical(statement), folder / "message"
    message.write_bytes(octets)
    (folder / "message.sig").unlink(missing_ok=True)
    run("ssh-keygen", "-q", "-Y", "sign", "-f", folder / "key", "-n", namespace, message)
    return canonical({"signature": (folder / "message.sig").read_text(), "statement": statement})


def rehearse(incoming, out, after):
    arguments = ["rehearse", SCRIPT, "--plain", "--auto", "--seed", "7", "--incoming", incoming, "--out", out]
    arguments += ["--after", after] if after else []
    return subprocess.run([str(a) for a in (PROGRAM, *arguments)], capture_output=True, text=True)


def main(folder):
    incoming, after = folder / "incoming", folder / "hierarchy"
    incoming.mkdir()
    run(PROGRAM, "rehearse", ROOT / "ceremony-scripts/hierarchy", "--plain", "--auto", "--seed", "7", "--out", after)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / "key")
    run("age-keygen", "-o", folder / "identity")
    key = " ".join((folder / "key.pub").read_text().split()[:2])
    recipient = run("age-keygen", "-y", folder / "identity", text=True).strip()
    root = base64.b64decode("".join((after / "evidence/artifacts/root-2026.crt.pem").read_text().splitlines()[1:-1]))
    request = signed(folder, {
        "factory": "ostrava", "format": "anchorite-enrolment/1", "made": 1763769600000, "realm": "rehearsal", "receipt_key": key,
        "pins": {"root": hashlib.sha256(root).hexdigest(), "signers": [{"key": key, "who": "ada"}], "threshold": 1},
        "recipient": recipient, "store": "00" * 16}, "rehearsal-enrolment@anchorite")
    (incoming / "ostrava.enrolment.json").write_bytes(request)
    (incoming / "lamps-1.order.toml").write_bytes((SCRIPT / "rehearsal/lamps-1.order.toml").read_bytes())

    def answer(nonce):
        asked = hashlib.sha256(request).digest()
        return signed(folder, {"format": "anchorite-answer/1", "proof": tagged("enrolment-answer", asked, nonce).hex(),
                               "realm": "rehearsal", "request": asked.hex()}, "rehearsal-answer@anchorite")

    # Somebody who could not open the challenge.
    (incoming / "ostrava.answer.json").write_bytes(answer(bytes(32)))
    first = rehearse(incoming, folder / "first", after)
    assert first.returncode != 0 and "not that of who opened the challenge" in first.stdout + first.stderr, first
    assert not (folder / "first/bundles").exists()
    # The same seed draws the same nonce: the challenge of the first rehearsal is opened, its answer comes into the second.
    opened = run("age", "-d", "-i", folder / "identity", folder / "first/evidence/artifacts/ostrava.challenge.age", text=True)
    (incoming / "ostrava.answer.json").write_bytes(answer(bytes.fromhex(opened.split()[3])))
    second = rehearse(incoming, folder / "second", after)
    assert second.returncode == 0, second

    stick, bundle = folder / "second/media/factory/EXP-0001", folder / "bundle"
    bundle.mkdir()
    run("tar", "xf", next(stick.glob("*.tar")), "-C", bundle)
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    for listed in manifest["files"]:
        octets = (bundle / listed["name"]).read_bytes()
        assert (len(octets), hashlib.sha256(octets).hexdigest()) == (listed["size"], listed["sha256"]), listed
    artefact = folder / "second/evidence/artifacts/lamps-1.manifest.json"
    assert artefact.read_bytes() == (bundle / "manifest.json").read_bytes()
    signers = (folder / "second/evidence/allowed_signers").read_text().replace("rehearsal-evidence@", "rehearsal-bundle@")
    (folder / "signers").write_text(signers)
    for signature in bundle.glob("manifest.json.*.sig"):
        who = signature.name.split(".")[2]
        run("ssh-keygen", "-Y", "verify", "-f", folder / "signers", "-I", who, "-n", "rehearsal-bundle@anchorite", "-s", signature,
            input=(bundle / "manifest.json").read_bytes())
    anchor = after / "evidence/artifacts/root-2026.crt.pem"
    checked = 0
    for shard in sorted((bundle / "shards").iterdir()):
        octets = run("age", "-d", "-i", folder / "identity", shard)
        at = octets.find(b"\x30\x82")
        while at >= 0:
            length = int.from_bytes(octets[at + 2:at + 4], "big") + 4
            (folder / "device.der").write_bytes(octets[at:at + length])
            found = subprocess.run(["openssl", "x509", "-inform", "DER", "-in", folder / "device.der", "-noout", "-subject"],
                                   capture_output=True)
            if found.returncode == 0 and b"LAMP-" in found.stdout:
                run("openssl", "verify", "-CAfile", anchor, "-untrusted", bundle / "chain.pem", folder / "device.der")
                checked += 1
                at += length - 1
            at = octets.find(b"\x30\x82", at + 1)
    assert checked == manifest["count"] == 20, checked
    print(f"factory ceremony: {checked} identities, opened with age and verified by OpenSSL; a guessed answer was refused")


with tempfile.TemporaryDirectory() as made:
    main(pathlib.Path(made))
