"""A rehearsal with a real station, all the way round, by what the programs themselves say: the ceremony stops and names the station's next command, that command
is run as it stands there, the ceremony is resumed; the bundle is drawn from and proven by pyca; `station receipt --out` is put into the next ceremony as it is,
and `ledger device --outcomes` tells where one device went.

    station_round_trip.py --binary target/debug/anchorite"""

import argparse
import datetime
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import factory


def enrolled(made, work):
    """A station, the folder of what comes in with its request and an order, and the ceremony that stopped for its answer."""
    station, incoming = factory.Station(made.binary, work / "station"), work / "incoming"
    incoming.mkdir()
    made.rehearse("factory-bundle", work / "people", "--after", made.above)
    signers = (work / "people/evidence/allowed_signers").read_text().replace("rehearsal-evidence@", "rehearsal-bundle@")
    (work / "signers").write_text(signers)
    station.run("init", "--factory", "ostrava", "--realm", "rehearsal", "--root", made.above / "evidence/artifacts/root-2026.crt.pem",
                "--signers", work / "signers", "--threshold", 1, "--json")
    station.run("enrol", "--out", work / "envelope")
    (incoming / "ostrava.enrolment.json").write_bytes((work / "envelope").read_bytes().split(b"\n", 1)[1])
    shutil.copy(made.scripts / "factory-bundle/rehearsal/lamps-1.order.toml", incoming)
    return station, incoming


def stopped_and_resumed(made, station, incoming, out):
    """The message names the command that the station needs, and both commands work as they are written there."""
    done = made.rehearse("factory-bundle", out, "--incoming", incoming, "--after", made.above, good=False)
    said = done.stdout + done.stderr
    assert done.returncode == 5, (done.returncode, said[-800:])
    told = re.findall(r"ostrava enrolled a station of its own, which must answer itself: `anchorite station challenge STATION (\S+) --out (\S+)`; "
                      r"then ask again, or leave and `anchorite resume (\S+)`", said)
    assert told and len(set(told)) == 1, said[-800:]
    challenge, answer, folder = told[0]
    assert folder == str(out), folder
    station.run("challenge", challenge, "--out", answer)
    # Everybody is simulated from here on: `s` at every question, the share's too.
    resumed = subprocess.run([str(made.binary), "resume", folder, "--plain"], input="s\n" * 400, capture_output=True, text=True)
    assert resumed.returncode == 0 and "The record is closed." in resumed.stdout + resumed.stderr, (resumed.returncode, resumed.stderr[-800:])
    (bundle,) = (out / "bundles").iterdir()
    return bundle


def drawn(station):
    """Three on a line: one proven, one scrapped, one only drawn."""
    each = [station.run("draw", "--line", 4, "--json") for _ in range(3)]
    key = serialization.load_pem_private_key(each[0]["private_key"].encode(), None)
    proof = key.sign(bytes.fromhex(each[0]["nonce"]) + bytes.fromhex(each[0]["record"]), ec.ECDSA(hashes.SHA256()))
    station.run("confirm", each[0]["device"], "--signature", proof.hex())
    station.run("scrap", each[1]["device"], "--reason", "solder")
    return [one["device"] for one in each]


def receipt(station, bundle, work):
    """One file, as the formula of ceremony-scripts/README.md has it; a place that is taken, or no place, makes no receipt."""
    for bad, words in ((work / "envelope", "expected no such file or folder, found one"), (work / "nowhere/r", "expected a folder to write into")):
        station.refused(2, words, "receipt", bundle, "--out", bad)
    assert not list((station.where / "receipts").iterdir()), "it was counted all the same"
    made = station.run("receipt", bundle, "--out", work / "lamps-1.receipt.json", "--json")
    folder = pathlib.Path(made["folder"])
    whole = {"outcomes": (folder / "outcomes.cbor").read_bytes().hex(), "receipt": json.loads((folder / "receipt.json").read_text()),
             "signature": (folder / "receipt.json.sig").read_text()}
    expected = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    octets = (work / "lamps-1.receipt.json").read_bytes()
    assert octets == expected, "not what the formula gives"
    # What the ceremony asks for is the file's; the receipt's own is beside it.
    assert made["digest"] == hashlib.sha256(octets).hexdigest() and len(made["words"].split()) == 12, made
    assert made["receipt"] == hashlib.sha256((folder / "receipt.json").read_bytes()).hexdigest()
    assert (made["sequence"], made["states"]["verified"], made["states"]["scrapped"], made["states"]["reserved"]) == (1, 1, 1, 1), made
    return folder / "outcomes.cbor"


def balanced(made, before, work):
    """The next ceremony takes the file in and proves what it says."""
    incoming = work / "returned"
    incoming.mkdir()
    shutil.copy(work / "lamps-1.receipt.json", incoming)
    shutil.copytree(factory.SCRIPTS / "receipts", made.scripts / "receipts")
    # After the receipt was made: the station's clock is ahead of this machine's.
    ahead = factory.datetime.datetime(2026, 11, 28, 9).strftime("%Y-%m-%dT%H:%M:%SZ")
    factory.edited(made.scripts / "receipts/script.toml", [('oid_arc = ', f'rehearsed_at = "{ahead}"\noid_arc = ')])
    made.rehearse("receipts", work / "balanced", "--incoming", incoming, "--after", before)
    said = json.loads((work / "balanced/evidence/artifacts/lamps-1.balance.json").read_text())["receipt"]
    assert said["account"]["proven"] == "0" and said["states"]["verified"] == 1, said
    return work / "balanced"


def one_device(made, after, outcomes, devices, work):
    """Where a device went, by the ledger and the outcomes; another bundle's outcomes say nothing."""
    ledger = work / "ledger.sqlite"
    done = made.call("ledger", "rebuild", ledger, made.above / "evidence", work / "run/evidence", after / "evidence")
    assert done.returncode == 0, done.stderr
    def told(device, *more):
        done = made.call("ledger", "device", ledger, device, "--issued", after / "issued", "--json", *more)
        return done, json.loads(done.stdout) if done.returncode == 0 else None
    for device, state in zip(devices, ("verified", "scrapped", "reserved")):
        done, found = told(device, "--outcomes", outcomes)
        assert done.returncode == 0, done.stderr
        (one,) = found
        assert one["state"] == state and one["drawn"]["line"] == 4 and one["proven"] == (state == "verified"), one
        assert told(device)[1][0]["drawn"] is None, "without outcomes nobody says on which line"
        plain = made.call("ledger", "device", ledger, device, "--issued", after / "issued", "--outcomes", outcomes)
        assert "drawn.line: 4" in plain.stdout and f"state: {state}" in plain.stdout, plain.stdout
    altered = work / "altered.cbor"
    octets = bytearray(outcomes.read_bytes())
    octets[3] ^= 1
    altered.write_bytes(octets)
    done, (one,) = told(devices[0], "--outcomes", altered)
    assert one["drawn"] is None and "not the outcomes of the last receipt" in done.stderr, (one, done.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    options = parser.parse_args()
    began = datetime.datetime.now()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder).resolve()
        made = factory.Factory(options.binary.resolve(), work)
        station, incoming = enrolled(made, work)
        bundle = stopped_and_resumed(made, station, incoming, work / "run")
        taken = station.run("import", bundle, "--release", "--json")
        devices = drawn(station)
        outcomes = receipt(station, taken["bundle"], work)
        after = balanced(made, work / "run", work)
        one_device(made, after, outcomes, devices, work)
    print(f"a real station all the way round, by what the programs say: {(datetime.datetime.now() - began).seconds} s")


if __name__ == "__main__":
    sys.exit(main())
