"""The factory's part of a ceremony by other people's tools: a request and its answer made with ssh-keygen and age, an order carried out, the
bundle opened with tar and age, its certificates checked with OpenSSL. Nothing of ours but the ceremony itself. Then the same with a station of ours
whose recipient is post-quantum: its answer, its import, a draw.

usage: factory_ceremony.py PROGRAM"""
import base64
import hashlib
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

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


def with_a_station(folder):
    """Enrolled, ordered, imported: the station's own request and answer go through the ceremony, and what comes out goes into the station."""
    # faketime reads its argument in the zone of the machine.
    os.environ["TZ"] = "UTC"
    incoming, after, where = folder / "incoming-2", folder / "hierarchy", folder / "station"
    incoming.mkdir()
    order = SCRIPT / "rehearsal/lamps-1.order.toml"
    (incoming / order.name).write_bytes(order.read_bytes())
    # Whose signatures count is known before: the participants of the script with this seed.
    signers = (folder / "second/evidence/allowed_signers").read_text().replace("rehearsal-evidence@", "rehearsal-bundle@")
    (folder / "signers").write_text(signers)

    def station(verb, *arguments, at="2026-11-22 12:00:00"):
        return run("faketime", "-f", f"@{at}", PROGRAM, "station", verb, where, *arguments, text=True)

    made = json.loads(station("init", "--factory", "ostrava", "--realm", "rehearsal", "--root", after / "evidence/artifacts/root-2026.crt.pem",
                              "--signers", folder / "signers", "--threshold", "2", "--post-quantum", "--json"))
    assert made["recipients"][0].startswith("age1pq1")
    station("enrol", "--out", folder / "request.envelope")
    (incoming / "ostrava.enrolment.json").write_bytes((folder / "request.envelope").read_bytes().split(b"\n", 1)[1])
    (incoming / "ostrava.answer.json").write_bytes(b"{}")
    rehearse(incoming, folder / "third", after)
    station("challenge", folder / "third/evidence/artifacts/ostrava.challenge.age", "--out", folder / "answer.json")
    (incoming / "ostrava.answer.json").write_bytes((folder / "answer.json").read_bytes())
    fourth = rehearse(incoming, folder / "fourth", after)
    assert fourth.returncode == 0, fourth
    bundle = folder / "bundle-2"
    bundle.mkdir()
    run("tar", "xf", next((folder / "fourth/media/factory/EXP-0001").glob("*.tar")), "-C", bundle)
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    assert manifest["recipients"] == made["recipients"]
    run(PROGRAM, "bundle", "check", bundle, "--signers", folder / "signers", "--threshold", "2", "--factory", "ostrava",
        "--order", hashlib.sha256(order.read_bytes()).hexdigest(), "--recipient", made["recipients"][0])
    # The ceremony's own day: the issuer's list is over a month later, which is said by name.
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(manifest["issued"] / 1000 + 3600))
    late = subprocess.run(["faketime", "-f", "@2027-01-15 12:00:00", str(PROGRAM), "station", "import", str(where), str(bundle)], capture_output=True, text=True)
    assert late.returncode == 4 and "crl.pem: expected a list for 2027-01-15" in late.stderr, late
    # That refusal is in the ledger, with its time: the clock was set, and people say so.
    early = subprocess.run(["faketime", "-f", f"@{at}", str(PROGRAM), "station", "import", str(where), str(bundle)], capture_output=True, text=True)
    assert early.returncode == 6 and "this machine's clock says 2026-11-22" in early.stderr, early
    station("reconcile", "--because", "the clock was two months ahead", at=at)
    station("import", bundle, "--release", at=at)
    drawn = json.loads(station("draw", "--line", "1", "--json", at=at))
    assert drawn["device"].startswith("LAMP-") and "BEGIN PRIVATE KEY" in drawn["private_key"]
    print(f"factory ceremony: a station with a post-quantum recipient enrolled, {manifest['count']} identities imported, one drawn")


with tempfile.TemporaryDirectory() as made:
    main(pathlib.Path(made))
    with_a_station(pathlib.Path(made))
