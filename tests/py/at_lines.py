"""What the lines of a factory do in the drills of many devices, and what comes back of it: draws, proofs, receipts, accounts, certificates."""

import collections
import json
import multiprocessing
import pathlib
import random
import shutil
import subprocess
import time

from cryptography import x509

import receipt_account
from at_scale import SHA256, SMALL, balance, fresh, peak
from station_factory import read_outcomes

LINES = 8


def drawing(binary, where, line, env, wanted, prove, out):
    """One process on one line: draws what it may, and the device proves its key. Writes what came out, and the most memory the program had."""
    process = subprocess.Popen([str(binary), "station", "draw", str(where), "--line", str(line), "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True, env=env)
    with open(out, "w") as lines:
        for asked in wanted:
            process.stdin.write(asked + "\n")
            process.stdin.flush()
            drawn = json.loads(process.stdout.readline())
            if "error" in drawn:
                assert asked == "next" and "no released identity" in drawn["error"], drawn
                break
            key = prove(drawn)
            message = bytes.fromhex(drawn["nonce"]) + bytes.fromhex(drawn["record"])
            said = {"device": drawn["device"], "index": drawn["index"], "proof": key.sign(message, SHA256).hex()}
            lines.write(json.dumps(said) + "\n")
        lines.write(json.dumps({"peak": peak(process.pid)}) + "\n")
    process.stdin.close()
    assert process.wait() == 0


def on_lines(work, each):
    """`work` on every line at once."""
    workers = [multiprocessing.get_context("fork").Process(target=work, args=(line, *each(line))) for line in range(1, LINES + 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all(worker.exitcode == 0 for worker in workers), "a line failed"


def draw_all(stages, station, folder, wanted, prove):
    began = time.monotonic()
    on_lines(lambda line, asked: drawing(stages.binary, station.where, line, station.env, asked, prove, folder / f"drawn-{line}.jsonl"), lambda line: (wanted(line),))
    took, drawn, most = time.monotonic() - began, [], 0
    for line in range(1, LINES + 1):
        *rows, last = map(json.loads, (folder / f"drawn-{line}.jsonl").read_text().splitlines())
        drawn += rows
        most = max(most, last["peak"])
    stages.say(f"draws by {LINES} processes", took, {"program": most}, SMALL, len(drawn))
    twice = [name for name, times in collections.Counter(row["device"] for row in drawn).items() if times > 1]
    assert not twice, twice[:3]
    return drawn


def confirm_all(stages, station, rows):
    def confirming(line, mine):
        process = subprocess.Popen([str(stages.binary), "station", "confirm", str(station.where), "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True, env=station.env)

        def said(text):
            process.stdin.write(text + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        # What is wrong with one proof or line does not stop it.
        for bad, word in (("", "expected a device id"), ("NOBODY 00", "NOBODY"), (f"{mine[0]['device']} 3006020101020101", "bad-signature")):
            assert word in said(bad)["error"], bad
        for row in mine:
            assert said(f"{row['device']} {row['proof']}")["state"] == "verified"
        (station.folder / f"peak-{line}").write_text(str(peak(process.pid)))
        process.stdin.close()
        assert process.wait() == 0

    began = time.monotonic()
    on_lines(confirming, lambda line: (rows[line - 1::LINES],))
    most = max(int((station.folder / f"peak-{line}").read_text()) for line in range(1, LINES + 1))
    stages.say(f"proofs taken by {LINES} processes", time.monotonic() - began, {"program": most}, SMALL, len(rows))


def receipted(stages, station, bundle, incoming, name, count):
    """A receipt as it crosses: one file, and the outcomes beside it where they are too many."""
    fresh(incoming)
    made = json.loads(station.run("station receipt", "receipt", bundle, "--out", incoming / f"{name}.receipt.json", "--json", bounds={"program": (32, 400)}))
    outcomes = pathlib.Path(made["folder"]) / "outcomes.cbor"
    if not json.loads((incoming / f"{name}.receipt.json").read_bytes())["outcomes"]:
        shutil.copyfile(outcomes, incoming / f"{name}.outcomes.cbor")
    assert sum(1 for _ in read_outcomes(outcomes.read_bytes())) == count
    return outcomes


def balanced(out, name, issued, outcomes, states, attested=0):
    """Nothing is unexplained, and pyca comes to the same account, proof by proof."""
    said = balance(out, name)
    assert said["findings"] == [] and said["each_record"], said["findings"]
    assert {state: count for state, count in said["receipt"]["states"].items() if count} == states, (said["receipt"]["states"], states)
    manifest = json.loads(next((issued / "evidence/artifacts").glob("*.manifest.json")).read_bytes())
    kept = (issued / "issued" / f"{manifest['bundle']}.cbor").read_bytes()
    records, proven, bad = receipt_account.account(manifest, kept, outcomes.read_bytes())
    account = said["receipt"]["account"]
    assert (account["records"], account["proven"], bad) == (records, proven, ""), "pyca found another account"
    assert (said["proven"], said["attested"]) == (states.get("verified", 0), attested), (said["proven"], said["attested"])
    return said


def chained(records, hierarchy, bundle):
    """Every certificate has a number of its own; pyca and OpenSSL verify a sample up to the root."""
    assert len({x509.load_der_x509_certificate(record[2]).serial_number for record in records}) == len(records)
    issuer = x509.load_pem_x509_certificates((bundle / "chain.pem").read_bytes())[0]
    device = bundle.parent / "device.der"
    for record in random.Random(3).sample(records, min(200, len(records))):
        x509.load_der_x509_certificate(record[2]).verify_directly_issued_by(issuer)
        device.write_bytes(record[2])
        anchor = hierarchy / "evidence/artifacts/root-2026.crt.pem"
        subprocess.run(["openssl", "verify", "-CAfile", anchor, "-untrusted", bundle / "chain.pem", device], check=True, capture_output=True)


def issued_records(issued):
    """What was kept of the bundle, read from the text of media/BUNDLE.md."""
    (manifest,) = (issued / "evidence/artifacts").glob("*.manifest.json")
    kept = issued / "issued" / f"{json.loads(manifest.read_bytes())['bundle']}.cbor"
    _, *records = receipt_account.values(kept.read_bytes())
    return records
