"""A factory that has never seen our source: enrols, imports a bundle made by hand (make_bundle.py), draws, proves with pyca, scraps, signs a receipt
that `ssh-keygen` and the code below check; every tampering of a bundle is refused by name; a station put back from a copy draws nothing.

    station_factory.py --binary target/debug/anchorite"""

import argparse
import hashlib
import json
import os
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
from station_tampering import INSIDE, LISTS, Tampering, between, lists, octets

HERE = pathlib.Path(__file__).parent
MAKER = [sys.executable, str(HERE / "make_bundle.py")]


def make(work, recipient, name, **options):
    more = [part for key, value in options.items() for part in (f"--{key}", str(value))]
    done = subprocess.run([*MAKER, work, "--recipient", recipient, "--name", name, *more], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Station:
    # Gives the address of a database for a name, where the store is to be one: station_postgres.py.
    database = None

    def __init__(self, binary, work, name, *more):
        self.binary, self.where = binary, work / name
        more = (*more, "--store", Station.database(name.replace("-", "_"))) if Station.database else more
        made = self.run("init", "--factory", "lyon", "--realm", "rehearsal", "--root", work / "root.pem", "--signers", work / "allowed_signers",
                        "--threshold", 2, "--json", *more)
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
        return done.stderr


def enrol(station, work, prefix=""):
    envelope = work / f"{prefix}enrolment.envelope"
    said = station.run("enrol", "--out", envelope, "--json")
    octets = envelope.read_bytes()
    assert hashlib.sha256(octets).hexdigest() == said["envelope"] and len(said["words"].split()) == 23
    assert hashlib.sha256(octets.split(b"\n", 1)[1]).hexdigest() == said["request"], "what the ceremony side asks for"
    signed = json.loads(octets.split(b"\n", 1)[1])
    request = signed["statement"]
    assert request["recipient"] == station.recipient and request["pins"]["threshold"] == 2 and make_bundle.jcs(signed) == octets.split(b"\n", 1)[1]
    verify_ssh(work, station.receipt_key, "rehearsal-enrolment@anchorite", make_bundle.jcs(request), signed["signature"])
    # The ceremony's half, with the age tool: a nonce that only who opens it can prove.
    digest, nonce = hashlib.sha256(make_bundle.jcs(signed)).digest(), bytes(range(32))
    text = f"anchorite-challenge/1 rehearsal {digest.hex()} {nonce.hex()}\n"
    challenge = work / f"{prefix}challenge.age"
    make_bundle.age(station.recipient, text.encode(), challenge)
    station.run("challenge", challenge, "--out", work / f"{prefix}answer.json")
    answer = json.loads((work / f"{prefix}answer.json").read_bytes())
    assert answer["statement"]["proof"] == make_bundle.tagged(b"enrolment-answer", [digest, nonce]).hex()
    verify_ssh(work, station.receipt_key, "rehearsal-answer@anchorite", make_bundle.jcs(answer["statement"]), answer["signature"])
    # It answers nothing it did not ask for.
    other = work / f"{prefix}other.age"
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
    by_record = receipted(station, bundle, work, verified=2, scrapped=1, reserved=1)
    assert by_record[good["record"]][1] == 4 and by_record[good["record"]][5].hex() == prove_again(good, by_record[good["record"]][5])
    assert by_record[silent["record"]][1] == 2 and by_record[failed["record"]][1] == 5
    checked = station.run("check", "--json")
    assert checked["states"]["reported"] >= 2
    print(f"line, {algorithm}: drawn, proven, scrapped, receipted")


def receipted(station, bundle, work, **states):
    """The receipt, its signature and its tree checked; gives the outcome of every record by its digest."""
    made = station.run("receipt", bundle, "--json")
    folder = pathlib.Path(made["folder"])
    octets = (folder / "receipt.json").read_bytes()
    verify_ssh(work, station.receipt_key, "rehearsal-receipt@anchorite", octets, (folder / "receipt.json.sig").read_text())
    receipt, outcomes = json.loads(octets), (folder / "outcomes.cbor").read_bytes()
    assert hashlib.sha256(outcomes).hexdigest() == receipt["outcomes_sha256"]
    assert all(receipt["states"][state] == count for state, count in states.items()), receipt["states"]
    rows = list(read_outcomes(outcomes))
    assert len(rows) == receipt["count"] == sum(receipt["states"].values())
    assert make_bundle.root_of([make_bundle.leaf(row) for row, _ in rows]) == bytes.fromhex(receipt["outcomes_root"])
    return {fields[4].hex(): fields for _, fields in rows}


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
    """The list is in station_tampering.py."""
    station, other = Station(binary, work, "tampered"), Station(binary, work, "elsewhere").recipient
    t = Tampering(make, station, work, other)
    t.resign = lambda where, manifest: resign(work, where, manifest)
    for tamper, (imported, checked) in INSIDE.items():
        t.bad(tamper, imported, checked, tamper=tamper, other=other)
    for crl, (imported, checked) in LISTS.items():
        t.bad(crl, imported, checked, crl=crl)
    lists(t, lambda name: work / f"{name}.pem")
    t.bad("another factory", "wrong-factory", "wrong-factory", expected=("--factory", "lyon"), factory="ostrava")
    t.bad("sealed to another", "wrong-recipient", "wrong-recipient", expected=("--recipient", station.recipient), recipient=other)
    t.bad("expired", "expired", None, days=30)
    t.bad("out of turn", "sequence", None, sequence=2, previous="00" * 32)
    good = make(work, station.recipient, "good", count=12, shard=5)
    t.both("another order", work / "good", "wrong-order", "wrong-order", ("--order", "00" * 32), ("--order", "00" * 32))
    make(work, station.recipient, "second", count=12, shard=5, sequence=2, previous=good)
    octets(t, "good")
    between(t, "good", "second")
    assert not list((station.where / "bundles").iterdir()), "nothing was taken in"
    station.run("import", work / "good", "--release")
    after = ("--after", work / "good/manifest.json")
    t.both("taken in before", work / "good", "replay", "replay", expected=after)
    t.bad("follows another", "sequence", "sequence", expected=after, sequence=2, previous="00" * 32)
    t.bad("follows too late", "sequence", "sequence", expected=after, sequence=3, previous=good)
    t.both("the one that follows", work / "second", None, None, expected=(*after, "--factory", "lyon", "--recipient", station.recipient))
    # A list that was over when the bundle came, and a newer one beside it.
    make(work, station.recipient, "third", count=5, sequence=2, previous=good, crl="crl-over")
    station.refused(4, "(expired)", "import", work / "third")
    station.run("import", work / "third", "--crl", work / "crl-newer.pem")
    status = station.run("status", "--json")
    for word, count in t.counted.items():
        assert status["refusals"][word] >= count, (word, count, status["refusals"])
    station.run("check", "--json")
    print(f"{sum(status['refusals'].values())} tampered bundles refused by name, counted in {len(status['refusals'])} classes, {t.checked} of them by "
          "`bundle check` too; the good ones taken in")


def resign(work, where, manifest):
    """A manifest that was changed, signed by the signers that the station pins."""
    octets = make_bundle.jcs(manifest)
    (where / "manifest.json").write_bytes(octets)
    for who in ("ada", "grace"):
        make_bundle.sign(work / f"{who}.key", octets, where / f"manifest.json.{who}.sig", "rehearsal-bundle@anchorite")


def device_generated(binary, work):
    """Keys that never left their devices: the bundle has none, a draw gives the certificate, and the device proves what it holds."""
    station = Station(binary, work, "made-there")
    made = make(work, station.recipient, "csr", count=6, shard=4, mode="device-generated")
    t = Tampering(make, station, work, "")
    t.bad("a key in it", "key-mismatch", None, mode="device-generated", tamper="other-mode")
    bundle = station.run("import", work / "csr", "--json")["bundle"]
    station.run("release", bundle, "--by-device")
    key_of = lambda device: serialization.load_der_private_key((work / "csr-keys" / f"{device}.der").read_bytes(), None)
    station.refused(7, "no released identity", "draw", "--line", 1, "--json")
    drawn = [station.run("draw", "--line", 1, "--device", device, "--json") for device in ("LAMP-00000003", "LAMP-00000005", "LAMP-00000000")]
    for each in drawn:
        issued = x509.load_pem_x509_certificate(each["certificate"].encode())
        spki = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        assert each["private_key"] is None and key_of(each["device"]).public_key().public_bytes(*spki) == issued.public_key().public_bytes(*spki)
    station.refused(7, "not released", "draw", "--line", 1, "--device", drawn[0]["device"])
    plain = station.call("draw", "--line", 1, "--device", "LAMP-00000001")
    assert plain.returncode == 0 and "PRIVATE KEY" not in plain.stdout and plain.stdout.startswith("-----BEGIN CERTIFICATE"), plain
    good, bad, _ = drawn
    station.refused(4, "bad-signature", "confirm", bad["device"], "--signature", prove(bad, key_of(good["device"])))
    for each in (good, bad):
        assert station.run("confirm", each["device"], "--signature", prove(each, key_of(each["device"])), "--json")["state"] == "verified"
    rows = receipted(station, bundle, work)
    for each in (good, bad):
        assert prove_again(each, rows[each["record"]][5]) and rows[each["record"]][1] == 4
    assert [row[1] for row in sorted(rows.values())] == [2, 2, 1, 4, 1, 4], rows
    make(work, station.recipient, "csr-2", count=3, sequence=2, previous=made, mode="device-generated", algorithm="ed25519", prefix="ED-")
    station.run("import", work / "csr-2")
    print("device-generated: no key in the bundle, certificates drawn by device id, proven by the devices, receipted")


def post_quantum(binary, work):
    """Recipients of both kinds in one station, each bundle sealed (by npm's age-encryption and by Debian's age) to its own."""
    station = Station(binary, work, "hybrid", "--post-quantum")
    assert station.recipient.startswith("age1pq1") and (station.where / "recipient-1.key").read_text().startswith("AGE-SECRET-KEY-PQ-1")
    first = make(work, station.recipient, "hybrid-1", count=5)
    # The same manifest, the shard sealed to the classical recipient of another kind.
    classical = station.run("enrol", "--fresh-recipient", "--classical", "--out", work / "classical", "--json")["recipient"]
    assert classical.startswith("age1") and len(classical) == 62
    t = Tampering(make, station, work, classical)
    t.bad("a shard sealed to the classical one", "wrong-recipient", None, tamper="other-recipient", other=classical)
    t.bad("the other way round", "wrong-recipient", None, recipient=classical, tamper="other-recipient", other=station.recipient)
    both = work / "both-kinds"
    shutil.copytree(work / "hybrid-1", both)
    shard = both / "shards/00000.age"
    magic, rest = shard.read_bytes().split(b"\n", 1)
    shard.write_bytes(magic + b"\n-> X25519 ajtqAvDEkVNr2B7zUOtq2mAQXDSBlNrVAuM/dKb5sT4\nbody\n" + rest)
    manifest = json.loads((both / "manifest.json").read_bytes())
    for listed in manifest["files"]:
        octets = (both / listed["name"]).read_bytes()
        listed.update(size=len(octets), sha256=hashlib.sha256(octets).hexdigest())
    resign(work, both, manifest)
    station.refused(4, "a stanza `X25519` in it, where only mlkem768x25519 may be", "import", both)
    bundles = [station.run("import", work / "hybrid-1", "--release", "--json")["bundle"]]
    second = make(work, classical, "hybrid-2", count=4, sequence=2, previous=first, prefix="C-")
    bundles.append(station.run("import", work / "hybrid-2", "--release", "--json")["bundle"])
    again = station.run("enrol", "--fresh-recipient", "--post-quantum", "--out", work / "again", "--json")["recipient"]
    assert again.startswith("age1pq1") and again != station.recipient
    make(work, again, "hybrid-3", count=4, sequence=3, previous=second, prefix="PQ-")
    bundles.append(station.run("import", work / "hybrid-3", "--release", "--json")["bundle"])
    for bundle in bundles:
        drawn = station.run("draw", "--line", 2, "--bundle", bundle, "--json")
        assert station.run("confirm", drawn["device"], "--signature", prove(drawn), "--json")["state"] == "verified"
    # The ceremony's half of enrolment, sealed by npm's age-encryption.
    enrol(Station(binary, work, "hybrid-enrol", "--post-quantum"), work, "pq-")
    station.run("shred", again, "--confirm", again)
    station.refused(7, "no released identity", "draw", "--line", 2, "--bundle", bundles[2])
    assert station.run("check", "--json")["states"]["destroyed"] == 3
    print("recipients of both kinds: bundles sealed by others drawn and proven; a shard of the other kind, or of both, refused")


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
    before = station.run("status", "--json")["entries"]
    station.refused(2, "expected no such file or folder", "draw", "--line", 1, "--bundle", bundle, "--to", work / "asked")
    station.refused(2, "expected a folder to write into", "draw", "--line", 1, "--bundle", bundle, "--to", work / "not-there" / "key")
    for null in (open("/dev/null", "w"), open("/dev/null", "r")):
        command = [station.binary, "station", "draw", station.where, "--line", "1", "--bundle", bundle]
        done = subprocess.run(command, stdout=null, stderr=subprocess.PIPE)
        assert done.returncode == 2 and b"expected a pipe" in done.stderr, done
    master, terminal = os.openpty()
    done = subprocess.run(command, stdout=terminal, stderr=subprocess.PIPE)
    os.close(terminal)
    assert done.returncode == 2 and b"is a terminal" in done.stderr, done
    # What is missing is seen before anything is reserved, and by `check`.
    for path in (next((station.where / "bundles" / bundle / "shards").iterdir()), next(station.where.glob("recipient-*.key"))):
        away = work / "away"
        path.rename(away)
        done = station.call("draw", "--line", 1, "--bundle", bundle)
        assert done.returncode != 0 and not done.stdout and "reserved" not in done.stderr, done.stderr
        assert station.call("check").returncode != 0, path
        away.rename(path)
    shard = next((station.where / "bundles" / bundle / "shards").iterdir())
    octets = shard.read_bytes()
    shard.write_bytes(octets[:-1] + bytes([octets[-1] ^ 1]))
    station.refused(4, "tampered", "check")
    shard.write_bytes(octets)
    assert station.run("status", "--json")["entries"] == before, "nothing was spent"
    station.run("check")
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


def whole_way(binary, work):
    station = Station(binary, work, "station")
    enrol(station, work)
    first = make(work, station.recipient, "p256", count=20)
    bundle = station.run("import", work / "p256", "--release", "--json")["bundle"]
    line(station, bundle, work, "P-256")
    make(work, station.recipient, "ed25519", count=8, algorithm="ed25519", sequence=2, previous=first, prefix="ED-")
    second = station.run("import", work / "ed25519", "--release", "--json")["bundle"]
    line(station, second, work, "Ed25519")
    no_file(station, bundle, work)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    binary = parser.parse_args().binary.resolve()
    work = pathlib.Path(tempfile.mkdtemp(prefix="factory-"))
    try:
        make_bundle.authorities(work)
        whole_way(binary, work)
        tampering(binary, work)
        device_generated(binary, work)
        post_quantum(binary, work)
        put_back(binary, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
