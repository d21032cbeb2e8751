"""A factory that has never seen our source: enrols, imports a bundle made by hand (make_bundle.py), draws, proves with pyca, scraps, signs a receipt
that `ssh-keygen` and the code below check; every tampering of a bundle is refused by name; a station put back from a copy draws nothing.

    station_factory.py --binary target/debug/anchorite"""

import argparse
import hashlib
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

import make_bundle

HERE = pathlib.Path(__file__).parent
MAKER = [sys.executable, str(HERE / "make_bundle.py")]


def make(work, recipient, name, **options):
    more = [part for key, value in options.items() for part in (f"--{key}", str(value))]
    done = subprocess.run([*MAKER, work, "--recipient", recipient, "--name", name, *more], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Station:
    def __init__(self, binary, work, name):
        self.binary, self.where = binary, work / name
        made = self.run("init", "--factory", "lyon", "--realm", "rehearsal", "--root", work / "root.pem", "--signers", work / "allowed_signers",
                        "--threshold", 2, "--json")
        self.recipient, self.receipt_key = made["recipients"][0], made["receipt_key"]

    def call(self, verb, *arguments):
        command = [self.binary, "station", verb, self.where, *arguments]
        return subprocess.run([str(part) for part in command], capture_output=True, text=True)

    def run(self, verb, *arguments):
        done = self.call(verb, *arguments)
        assert done.returncode == 0, f"{verb} {arguments}: {done.returncode} {done.stderr}"
        return json.loads(done.stdout) if "--json" in arguments else done.stdout

    def refused(self, code, words, verb, *arguments):
        done = self.call(verb, *arguments)
        assert done.returncode == code and words in done.stderr, f"{verb} {arguments}: expected {code} {words}, {done.returncode} {done.stderr}"
        assert "PRIVATE KEY" not in done.stdout + done.stderr


def enrol(station, work):
    envelope = work / "enrolment.envelope"
    said = station.run("enrol", "--out", envelope, "--json")
    octets = envelope.read_bytes()
    assert hashlib.sha256(octets).hexdigest() == said["envelope"] and len(said["words"].split()) == 23
    signed = json.loads(octets.split(b"\n", 1)[1])
    request = signed["statement"]
    assert request["recipient"] == station.recipient and request["pins"]["threshold"] == 2 and make_bundle.jcs(signed) == octets.split(b"\n", 1)[1]
    verify_ssh(work, station.receipt_key, "rehearsal-enrolment@anchorite", make_bundle.jcs(request), signed["signature"])
    # The ceremony's half, with the age tool: a nonce that only who opens it can prove.
    digest, nonce = hashlib.sha256(make_bundle.jcs(signed)).digest(), bytes(range(32))
    text = f"anchorite-challenge/1 rehearsal {digest.hex()} {nonce.hex()}\n"
    challenge = work / "challenge.age"
    make_bundle.age(station.recipient, text.encode(), challenge)
    station.run("challenge", challenge, "--out", work / "answer.json")
    answer = json.loads((work / "answer.json").read_bytes())
    assert answer["statement"]["proof"] == make_bundle.tagged(b"enrolment-answer", [digest, nonce]).hex()
    verify_ssh(work, station.receipt_key, "rehearsal-answer@anchorite", make_bundle.jcs(answer["statement"]), answer["signature"])
    # It answers nothing it did not ask for.
    other = work / "other.age"
    make_bundle.age(station.recipient, text.replace(digest.hex(), "00" * 32).encode(), other)
    station.refused(2, "never made", "challenge", other, "--out", work / "none.json")


def verify_ssh(work, key, namespace, octets, signature):
    (work / "who").write_text(f'station namespaces="{namespace}" {key}\n')
    (work / "sig").write_text(signature)
    done = subprocess.run(["ssh-keygen", "-q", "-Y", "verify", "-f", work / "who", "-I", "station", "-n", namespace, "-s", work / "sig"],
                          input=octets, capture_output=True)
    assert done.returncode == 0, done.stderr


def prove(drawn, key=None):
    """What a device does: signs nonce || record digest."""
    key = key or serialization.load_pem_private_key(drawn["private_key"].encode(), None)
    message = bytes.fromhex(drawn["nonce"]) + bytes.fromhex(drawn["record"])
    return (key.sign(message) if isinstance(key, ed25519.Ed25519PrivateKey) else key.sign(message, ec.ECDSA(hashes.SHA256()))).hex()


def line(station, bundle, work, algorithm):
    drawn = [station.run("draw", "--line", 3, "--json", "--bundle", bundle) for _ in range(4)]
    for each in drawn:
        held = serialization.load_pem_private_key(each["private_key"].encode(), None)
        issued = x509.load_pem_x509_certificate(each["certificate"].encode())
        spki = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        assert held.public_key().public_bytes(*spki) == issued.public_key().public_bytes(*spki), "the key of its certificate"
    assert len({each["device"] for each in drawn}) == 4
    good, bad, failed, silent = drawn
    station.refused(4, "bad-signature", "confirm", bad["device"], "--signature", prove(bad, ec.generate_private_key(ec.SECP256R1())))
    station.refused(4, "bad-signature", "confirm", bad["device"], "--signature", prove({**bad, "nonce": good["nonce"]}))
    assert station.run("confirm", good["device"], "--signature", prove(good), "--json")["state"] == "verified"
    assert station.run("confirm", bad["device"], "--injected", "--json")["state"] == "injected"
    assert station.run("confirm", bad["device"], "--signature", prove(bad), "--json")["state"] == "verified"
    assert station.run("scrap", failed["device"], "--reason", "flasher time-out", "--json")["state"] == "scrapped"
    made = station.run("receipt", bundle, "--json")
    folder = pathlib.Path(made["folder"])
    octets = (folder / "receipt.json").read_bytes()
    verify_ssh(work, station.receipt_key, "rehearsal-receipt@anchorite", octets, (folder / "receipt.json.sig").read_text())
    receipt, outcomes = json.loads(octets), (folder / "outcomes.cbor").read_bytes()
    assert hashlib.sha256(outcomes).hexdigest() == receipt["outcomes_sha256"]
    assert receipt["states"]["verified"] == 2 and receipt["states"]["scrapped"] == 1 and receipt["states"]["reserved"] == 1
    rows = list(read_outcomes(outcomes))
    assert len(rows) == receipt["count"] == sum(receipt["states"].values())
    assert make_bundle.root_of([make_bundle.leaf(row) for row, _ in rows]) == bytes.fromhex(receipt["outcomes_root"])
    by_record = {fields[4].hex(): fields for _, fields in rows}
    assert by_record[good["record"]][1] == 4 and by_record[good["record"]][5].hex() == prove_again(good, by_record[good["record"]][5])
    assert by_record[silent["record"]][1] == 2 and by_record[failed["record"]][1] == 5
    checked = station.run("check", "--json")
    assert checked["states"]["reported"] >= 2
    print(f"line, {algorithm}: drawn, proven, scrapped, receipted")


def prove_again(drawn, proof):
    """The proof in the receipt verifies under the certificate, as the ceremony side will check it."""
    key = x509.load_pem_x509_certificate(drawn["certificate"].encode()).public_key()
    message = bytes.fromhex(drawn["nonce"]) + bytes.fromhex(drawn["record"])
    key.verify(proof, message) if isinstance(key, ed25519.Ed25519PublicKey) else key.verify(proof, message, ec.ECDSA(hashes.SHA256()))
    return proof.hex()


def read_outcomes(octets):
    """Arrays of six: four numbers and two byte strings."""
    at = 0

    def number():
        nonlocal at
        major, code = octets[at] >> 5, octets[at] & 31
        at += 1
        if code < 24:
            return major, code
        size = {24: ">B", 25: ">H", 26: ">I", 27: ">Q"}[code]
        (value,) = struct.unpack_from(size, octets, at)
        at += struct.calcsize(size)
        return major, value

    while at < len(octets):
        begin = at
        assert number() == (4, 6)
        fields = []
        for _ in range(6):
            major, value = number()
            if major == 2:
                value, at = octets[at : at + value], at + value
            fields.append(value)
        yield octets[begin:at], fields


def tampering(binary, work):
    station = Station(binary, work, "tampered")
    _, other = Station(binary, work, "elsewhere"), None
    other = json.loads((work / "elsewhere/station.json").read_text()) and age_recipient(work / "elsewhere")
    expected = {"foreign-shard": "foreign", "resealed": "wrong-factory", "chain": "chain", "key-mismatch": "key-mismatch", "count": "count",
                "other-recipient": "wrong-recipient", "wrong-realm": "wrong-realm", "too-few-signatures": "too-few-signatures"}
    counted = {}

    def refuse(name, word, *arguments):
        station.refused(4, f"({word})", "import", work / name, *arguments)
        counted[word] = counted.get(word, 0) + 1

    for tamper, word in expected.items():
        make(work, station.recipient, f"bad-{tamper}", count=5, tamper=tamper, other=other)
        refuse(f"bad-{tamper}", word)
    make(work, station.recipient, "bad-factory", count=5, factory="ostrava")
    refuse("bad-factory", "wrong-factory")
    make(work, other, "bad-sealed", count=5)
    refuse("bad-sealed", "wrong-recipient")
    make(work, station.recipient, "bad-expired", count=5, days=30)
    refuse("bad-expired", "expired")
    make(work, station.recipient, "bad-sequence", count=5, sequence=2, previous="00" * 32)
    refuse("bad-sequence", "sequence")
    good = make(work, station.recipient, "good", count=12, shard=5)
    refuse("good", "wrong-order", "--order", "00" * 32)
    # Octets: one flipped in every file in turn, one file missing, one more, a link; nothing of it is taken in.
    files = sorted(path.relative_to(work / "good") for path in (work / "good").rglob("*") if path.is_file())
    for file in files:
        if file.suffix == ".sig":
            words = "(bad-signature)"
        elif file.name == "manifest.json":
            words = ""
        else:
            words = "(tampered)"
        shutil.copytree(work / "good", work / "bad-octet")
        octets = bytearray((work / "bad-octet" / file).read_bytes())
        octets[len(octets) // 2] ^= 1
        (work / "bad-octet" / file).write_bytes(octets)
        station.refused(4, words, "import", work / "bad-octet")
        (work / "bad-octet" / file).unlink()
        station.refused(4, "(too-few-signatures)" if file.suffix == ".sig" else "(count)", "import", work / "bad-octet")
        (work / "bad-octet" / file).symlink_to(work / "good" / file)
        station.refused(4, "a link", "import", work / "bad-octet")
        shutil.rmtree(work / "bad-octet")
    shutil.copytree(work / "good", work / "bad-more")
    (work / "bad-more/shards/00003.age").write_bytes(b"x")
    station.refused(4, "(foreign)", "import", work / "bad-more")
    # A shard of another bundle in its place, and two shards exchanged: the manifest's digests say so.
    shutil.copytree(work / "good", work / "bad-swap")
    first, second = work / "bad-swap/shards/00000.age", work / "bad-swap/shards/00001.age"
    swapped = first.read_bytes(), second.read_bytes()
    first.write_bytes(swapped[1])
    second.write_bytes(swapped[0])
    station.refused(4, "(tampered)", "import", work / "bad-swap")
    assert not list((station.where / "bundles").iterdir()), "nothing was taken in"
    station.run("import", work / "good", "--release")
    refuse("good", "replay")
    make(work, station.recipient, "bad-follow", count=5, sequence=2, previous="00" * 32)
    refuse("bad-follow", "sequence")
    make(work, station.recipient, "second", count=5, sequence=2, previous=good)
    station.run("import", work / "second")
    status = station.run("status", "--json")
    for word, count in counted.items():
        assert status["refusals"][word] >= count, (word, count, status["refusals"])
    station.run("check", "--json")
    print(f"{sum(status['refusals'].values())} tampered bundles refused by name, counted in {len(status['refusals'])} classes; the good ones taken in")


def age_recipient(where):
    return subprocess.run(["age-keygen", "-y", where / "recipient-1.key"], capture_output=True, text=True, check=True).stdout.strip()


def put_back(binary, work):
    station = Station(binary, work, "restored")
    make(work, station.recipient, "for-restore", count=30)
    bundle = station.run("import", work / "for-restore", "--release", "--json")["bundle"]
    drawn = [station.run("draw", "--line", 1, "--json")["device"] for _ in range(3)]
    shutil.copytree(station.where, work / "copy")
    drawn += [station.run("draw", "--line", 1, "--json")["device"] for _ in range(4)]
    shutil.rmtree(station.where)
    shutil.copytree(work / "copy", station.where)
    for verb, arguments in (("draw", ["--line", 1]), ("release", [bundle]), ("receipt", [bundle])):
        station.refused(6, "older state", verb, *arguments)
    assert station.call("status").returncode == 6
    done = station.run("reconcile", "--because", "restored from a backup", "--json")
    assert done == {"behind": 4, "withdrawn": 4}, done
    while True:
        done = station.call("draw", "--line", 1, "--json")
        if done.returncode == 7:
            break
        drawn.append(json.loads(done.stdout)["device"])
    assert len(set(drawn)) == len(drawn) == 30, (len(set(drawn)), len(drawn))
    print("a station put back from a copy draws nothing until reconciled, and then nothing twice")


def no_file(station, bundle, work):
    with open(work / "out", "wb") as out:
        done = subprocess.run([station.binary, "station", "draw", station.where, "--line", "1", "--bundle", bundle], stdout=out, stderr=subprocess.PIPE)
    assert done.returncode == 2 and (work / "out").stat().st_size == 0, done.stderr
    station.run("draw", "--line", 1, "--bundle", bundle, "--to", work / "asked")
    assert (work / "asked").stat().st_mode & 0o777 == 0o600 and b"PRIVATE KEY" in (work / "asked").read_bytes()
    station.refused(1, "reserved and was not handed over", "draw", "--line", 1, "--bundle", bundle, "--to", work / "asked")
    for path in station.where.rglob("*"):
        if path.is_file():
            assert b"PRIVATE KEY" not in path.read_bytes(), path
            if path.suffix == ".key" or path.name.startswith("store"):
                assert path.stat().st_mode & 0o077 == 0, path
    secret = next(line for line in (work / "asked").read_text().splitlines() if not line.startswith("-"))
    raw = serialization.load_pem_private_key((work / "asked").read_bytes().split(b"-----BEGIN CERTIFICATE")[0], None)
    scalar = raw.private_numbers().private_value.to_bytes(32, "big")
    for path in station.where.rglob("*"):
        if path.is_file():
            octets = path.read_bytes()
            assert scalar not in octets and scalar.hex().encode() not in octets and secret.encode() not in octets, path
    print("no private key in any file but the one that was asked for")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    binary = parser.parse_args().binary.resolve()
    work = pathlib.Path(tempfile.mkdtemp(prefix="factory-"))
    try:
        make_bundle.authorities(work)
        station = Station(binary, work, "station")
        enrol(station, work)
        first = make(work, station.recipient, "p256", count=20)
        bundle = station.run("import", work / "p256", "--release", "--json")["bundle"]
        line(station, bundle, work, "P-256")
        make(work, station.recipient, "ed25519", count=8, algorithm="ed25519", sequence=2, previous=first, prefix="ED-")
        second = station.run("import", work / "ed25519", "--release", "--json")["bundle"]
        line(station, second, work, "Ed25519")
        no_file(station, bundle, work)
        tampering(binary, work)
        put_back(binary, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
