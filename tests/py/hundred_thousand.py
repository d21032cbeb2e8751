"""The rounds of a factory at the size that issue 5 names, a hundred thousand devices: everything that comes from outside made by pyca, age's and
OpenSSH's formats by hand, everything of ours measured and held to a bound of memory, every result counted by somebody else.

    hundred_thousand.py --binary B [--count 300] [--only injected|requests] [--work DIR]

injected  a ceremony makes the identities, a station takes them in, eight processes draw them, each device proves its key; receipts come back in
          three steps and balance to nothing unexplained; what is not proven when the bundle has expired goes on one list, and the next order is
          carried out; a list too long for one is refused before the day
requests  devices make their keys; a station collects; the ceremony judges, certifies and sends certificates back; each device proves what it
          made; the receipt balances, with evidence for every attested key

Bounds are (MiB, octets a device): a stage with 0 octets has constant memory."""

import argparse
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

from cryptography import x509
from cryptography.hazmat.primitives import serialization

import at_scale
import make_requests
from at_lines import LINES, balanced, chained, confirm_all, draw_all, issued_records, receipted
from at_scale import SCRIPTS, SMALL, AtStation, Stages, faked, fresh, script

# A rehearsal: the program with everything it shows and writes, and strongrooms that hold a few shards.
CEREMONY = {"program": (64, 0), "strongroom": (64, 0)}
# A list of the most entries that one has, 30,000, in each place that a ceremony reads, shows, signs or verifies it.
LISTED = {"program": (128, 0), "strongroom": (64, 0)}


def rehearse(stages, stage, where, out, after, incoming=None, bounds=CEREMONY, code=0, devices=None):
    more = ["--incoming", incoming] if incoming else []
    stages.run(stage, "rehearse", where, "--plain", "--auto", "--seed", "7", "--out", out, "--after", after, *more, bounds=bounds, code=code, devices=devices)
    return out


def enrolled(stages, folder, where, incoming, factory, after):
    """A station whose request and answer are among what comes in: the ceremony is rehearsed until it has answered."""
    # Whose signatures count is known before: the participants of the script with this seed.
    with_simulated = rehearse(stages, "who takes part", where, folder / "who", after, devices=0)
    station = AtStation(stages, folder, factory, after, with_simulated)
    station.request(incoming)
    stopped = rehearse(stages, "the station's challenge", where, folder / "stopped", after, incoming, code=None, devices=0)
    station.answer(incoming, stopped)
    return station


def from_stick(out, folder):
    """What is on the factory's stick, unpacked by tar."""
    bundle = fresh(folder)
    for tar in sorted((out / "media/factory/EXP-0001").glob("bundle-*.tar")):
        subprocess.run(["tar", "xf", tar, "-C", bundle], check=True)
    return bundle, json.loads((bundle / "manifest.json").read_bytes())


def place(index):
    """Of a thousand: scattered, so that sets of records have many runs."""
    return index * 7919 % 1000


def verified_by_both(stages, out, after):
    stages.run("verify", "verify", out / "evidence", "--signers", out / "evidence/allowed_signers", "--after", after, bounds={"program": (128, 0)})
    began = time.monotonic()
    subprocess.run([sys.executable, at_scale.ROOT / "transcripts/verify.py", out / "evidence", "--signers", out / "evidence/allowed_signers", "--after", after],
                   check=True, capture_output=True)
    print(f"  verify.py {time.monotonic() - began:.1f} s", flush=True)


def injected(stages, folder, hierarchy):
    count = stages.count
    scripted = script(folder, "factory-bundle", "lamps", texts=[("most = 50000", f"most = {2 * count}"), ("shard_records = 8\n", "")])
    incoming = fresh(folder / "incoming")
    order = (SCRIPTS / "factory-bundle/rehearsal/lamps-1.order.toml").read_text()
    order = order.replace("count = 20", f"count = {count}").replace("quota = 50000", f"quota = {2 * count}").replace("2027-02-26T", "2026-12-01T")
    (incoming / "lamps-1.order.toml").write_text(order)
    station = enrolled(stages, folder, scripted, incoming, "ostrava", hierarchy)
    issued = rehearse(stages, "ceremony: identities made and sealed", scripted, folder / "issued", hierarchy, incoming)
    verified_by_both(stages, issued, hierarchy)
    bundle, manifest = from_stick(issued, folder / "bundle")
    name, station.env = manifest["bundle"], faked(manifest["issued"])
    assert manifest["count"] == count
    chained(issued_records(issued), hierarchy, bundle)
    stages.run("bundle check", "bundle", "check", bundle, "--signers", folder / "signers", "--threshold", "2", "--order", at_scale.sha(order.encode()), bounds=SMALL)
    station.run("station import", "import", bundle, "--release", bounds={"program": (64, 800)})

    drawn = draw_all(stages, station, folder, lambda _: iter(lambda: "next", None),
                     lambda drawn: serialization.load_pem_private_key(drawn["private_key"].encode(), None))
    assert len(drawn) == count
    proven = [row for row in drawn if place(row["index"]) < 600]
    confirm_all(stages, station, proven)
    ceremonies, before, unproven = [issued], issued, count - len(proven)
    states = {"verified": len(proven), "reserved": unproven}

    def receipts(number):
        outcomes = receipted(stages, station, name, folder / f"receipt-{number}", "lamps-1", count)
        follows = "lamps-1-2026" if number == 1 else f"lamps-receipts-{number - 1}"
        where = script(folder, "receipts", f"receipts-{number}", texts=[('id = "lamps-receipts-1"', f'id = "lamps-receipts-{number}"'), ('"lamps-1-2026"', f'"{follows}"')])
        out = rehearse(stages, f"ceremony: receipt {number} balanced", where, folder / f"receipts-{number}", before, folder / f"receipt-{number}")
        said = balanced(out, "lamps-1", issued, outcomes, states)
        assert said["unverified"] == count - states["verified"]
        ceremonies.append(out)
        return out, outcomes

    def revoke(number):
        texts = [('"lamps-receipts-1"', f'"lamps-receipts-{number}"'), ('id = "lamps-1-expired"', f'id = "lamps-1-expired-{number}"'), *DECEMBER]
        return script(folder, "revoke-unaccounted", f"revoke-{number}", texts=texts)

    before, _ = receipts(1)
    too_long(stages, folder, order, revoke(1), before, unproven)
    more = [row for row in drawn if 600 <= place(row["index"]) < 705]
    scrapped = [row for row in drawn if 705 <= place(row["index"]) < 710]
    confirm_all(stages, station, more)
    for row in scrapped:
        station.plain("scrap", row["device"], "--reason", "fell")
    states = {"verified": len(proven) + len(more), "scrapped": len(scrapped), "reserved": count - len(proven) - len(more) - len(scrapped)}
    before, _ = receipts(2)
    verified_by_both(stages, before, ceremonies[-2])
    listed = expired(stages, folder, station, revoke(2), before, issued, [row["index"] for row in proven + more])
    second = next_order(stages, folder, order, "issuing-a", listed, "lamps-1-expired-2")
    stages.run("bundle check, beside that list", "bundle", "check", next(second.glob("bundles/*")), "--signers",
               at_scale.manifest_signers(second, folder / "signers-2"), "--threshold", "2", bounds=LISTED, devices=20)
    rest = [row for row in drawn if place(row["index"]) >= 710]
    confirm_all(stages, station, rest)
    states = {"verified": count - len(scrapped), "scrapped": len(scrapped)}
    before, outcomes = receipts(3)
    station.run("station check", "check", bounds={"program": (32, 600)})
    station.run("station status", "status", bounds=SMALL)
    in_the_ledger(stages, folder, hierarchy, ceremonies, issued, outcomes, drawn)


# The bundle ends on the first of December, and its issuer's first list on the 21st.
DECEMBER = [("2027-03-01T", "2026-12-02T"), ("2027-03-28T", "2026-12-29T"), ("2027-02-26T", "2026-12-01T")]


def too_long(stages, folder, order, where, after, unproven):
    """More than one list holds: `check` says so before anybody comes into the room. Then the issuing authority's own certificate is revoked,
    and another one carries out the next order."""
    if unproven > 30_000:
        said = stages.run("check: a list too long for one", "check", where, "--after", after, bounds=CEREMONY, code=3, devices=0)
        assert f"{unproven} entries, expected at most 30000: revoke the issuing authority's own certificate" in said, said
    next_order(stages, folder, order, "issuing-b", after, "lamps-receipts-1", code=None)
    assert f"{unproven} that are neither" in stages.said, stages.said[-2000:]
    texts = [('follows = "intermediate-2026"', 'follows = "lamps-receipts-1"\nrehearsed_at = "2026-12-02T09:00:00Z"'), ('"issuing-2026"', '"issuing-a"'),
             ("2026-11-22T06:", "2026-12-01T06:"), ("2026-11-22T12:", "2026-12-02T08:"), ("2027-11-22T12:", "2027-11-22T08:")]
    out = rehearse(stages, "ceremony: the issuing authority revoked", script(folder, "crl", "crl", texts), folder / "root-crl", after)
    # For devices that have certificates of the withdrawn one: none of these stands any more.
    next_order(stages, folder, order, "issuing-b", out, "root-crl-2", first=1)
    next_order(stages, folder, order, "issuing-a", out, "root-crl-2", code=None)
    assert "its own certificate on a revocation list" in stages.said, stages.said[-2000:]


def next_order(stages, folder, order, authority, after, follows, code=0, first=None):
    """Twenty identities more for the same factory, in December, under one of the two authorities."""
    called = f"second-{follows}-{authority}"
    texts = [('id = "lamps-1-2026"', 'id = "lamps-2-2026"'), ('follows = "hierarchy-2026"', f'follows = "{follows}"\nrehearsed_at = "2026-12-03T09:00:00Z"'),
             ('"lamps-1"', '"lamps-2"'), ("issuing-a", authority), ("Issuing CA A", f"Issuing CA {authority[-1].upper()}")]
    where = script(folder, "factory-bundle", called, texts, [("[[factory]]", "[[material]]"), ('[[act]]\ntitle = "Enrol', '[[act]]\ntitle = "Issue"')])
    incoming = fresh(folder / f"incoming-{called}")
    order = re.sub("count = .*", "count = 20", order).replace("first = 1,", f"first = {first or stages.count + 1},").replace("2026-12-01T", "2026-12-31T")
    (incoming / "lamps-2.order.toml").write_text(order)
    return rehearse(stages, f"ceremony: next order by {authority}" + ("" if code == 0 else ", refused"), where, folder / called, after, incoming, LISTED, code, 0)


def expired(stages, folder, station, where, after, issued, proven):
    """What is not proven when the bundle has expired: one list, counted by OpenSSL, every serial number compared by pyca."""
    out = rehearse(stages, "ceremony: what is not proven revoked", where, folder / "revoked", after, bounds=LISTED)
    (path,) = out.glob("evidence/artifacts/issuing-a.*.crl.pem")
    chain = station.folder / "bundle/chain.pem"
    text = subprocess.run(["openssl", "crl", "-in", path, "-noout", "-text", "-verify", "-CAfile", chain], check=True, capture_output=True, text=True)
    assert "verify OK" in text.stderr, text.stderr
    records, proven = issued_records(issued), set(proven)
    expected = {x509.load_der_x509_certificate(record[2]).serial_number for record in records if record[0] not in proven}
    found = {entry.serial_number for entry in x509.load_pem_x509_crl(path.read_bytes())}
    assert len(re.findall("Serial Number:", text.stdout)) == len(expected) and found == expected, (len(found), len(expected))
    assert len(found) <= 30_000
    print(f"  list of {len(found)} entries, {path.stat().st_size} octets of PEM: OpenSSL counts and verifies, pyca compares", flush=True)
    verified_by_both(stages, out, after)
    return out


def in_the_ledger(stages, folder, hierarchy, ceremonies, issued, outcomes, drawn):
    ledger = folder / "ledger.sqlite"
    stages.run("ledger rebuild", "ledger", "rebuild", ledger, *[out / "evidence" for out in (hierarchy, *ceremonies)], bounds={"program": (128, 0)})
    (bundle,) = json.loads(stages.run("ledger bundles", "ledger", "bundles", ledger, "--json", bounds=SMALL))
    assert bundle["findings"] == [] and bundle["proven"] + at_scale.members(bundle["open"]) == bundle["count"] == stages.count
    row = random.Random(5).choice([row for row in drawn if place(row["index"]) < 600])
    told = stages.run("ledger device", "ledger", "device", ledger, row["device"], "--issued", issued / "issued", "--outcomes", outcomes, "--json",
                      bounds={"program": (64, 250)})
    (device,) = json.loads(told)
    assert (device["record"], device["state"], device["proven"]) == (row["index"], "verified", True) and device["drawn"]["line"] in range(1, LINES + 1)
    (folder / "device.json").write_text(told)
    (manifest,) = (issued / "evidence/artifacts").glob("*.manifest.json")
    subprocess.run([sys.executable, at_scale.ROOT / "media/bundle.py", "device", folder / "device.json", manifest], check=True, capture_output=True)


def requests(stages, folder, hierarchy):
    count = stages.count
    scripted = script(folder, "factory-csr", "meters", texts=[("most = 20000", f"most = {count}"), ("shard_records = 8\n", "")])
    vendor, incoming = make_requests.Vendor(), fresh(folder / "incoming")
    order = (SCRIPTS / "factory-csr/rehearsal/meters-1.order.toml").read_text()
    order = re.sub('attestation_roots = .*', f'attestation_roots = ["{at_scale.sha(vendor.root)}"]', order)
    order = order.replace("count = 12", f"count = {count}").replace("quota = 20000", f"quota = {count}")
    (incoming / "meters-1.order.toml").write_text(order)
    ordered, digest = make_requests.tomllib.loads(order), at_scale.sha(order.encode())
    began = time.monotonic()
    asked, scalars = at_scale.collection(vendor, ordered, "METER-", count)
    entries = [make_requests.entry(*each) for each in asked]
    print(f"  {count} keys and requests made by pyca in {time.monotonic() - began:.1f} s, {sum(map(len, entries)) / count:.0f} octets each", flush=True)
    station = enrolled(stages, folder, scripted, incoming, "ostrava", hierarchy)
    collected(stages, station, folder, asked, entries, vendor, order)
    signed = make_requests.statement(digest, (entries, ordered["nonce"]), [vendor.root], "ostrava", station.seed(), folder)
    (incoming / "meters-1-keys.requests.json").write_bytes(signed)
    (incoming / "meters-1-keys.requests.cbor").write_bytes(b"".join(entries))
    bounds = {"program": (64, 400), "strongroom": (64, 0)}
    issued = rehearse(stages, "ceremony: requests judged and certified", scripted, folder / "issued", hierarchy, incoming, bounds)
    refused = {n: at_scale.expected_of(n) for n in range(count) if at_scale.expected_of(n)}
    said = json.loads((issued / "evidence/artifacts/meters-1-keys.refusals.json").read_bytes())
    assert {each["request"]: [why["word"] for why in each["reasons"]] for each in said["refused"]} == {n: [word] for n, word in refused.items()}
    accepted = [n for n in range(count) if n not in refused]
    verified_by_both(stages, issued, hierarchy)
    stages.run("bundle requests: judged again", "bundle", "requests", incoming / "meters-1-keys.requests.cbor", "--evidence", issued / "evidence", "--name",
               "meters-1-keys", "--json", bounds={"program": (64, 400)})
    bundle, manifest = from_stick(issued, folder / "bundle")
    assert manifest["count"] == len(accepted) == said["accepted"]
    station.env = faked(manifest["issued"])
    records = issued_records(issued)
    for record, n in zip(records, accepted, strict=True):
        assert record[1] == at_scale.device("METER-", n)
        assert x509.load_der_x509_certificate(record[2]).public_key() == at_scale.key_of(scalars, n).public_key()
    chained(records, hierarchy, bundle)
    station.run("station import", "import", bundle, bounds={"program": (64, 800)})
    station.plain("release", manifest["bundle"], "--by-device")
    names = [at_scale.device("METER-", n) for n in accepted]
    drawn = draw_all(stages, station, folder, lambda line: names[line - 1::LINES], lambda drawn: at_scale.key_of(scalars, int(drawn["device"][6:]) - 1))
    assert len(drawn) == len(accepted)
    confirm_all(stages, station, drawn)
    outcomes = receipted(stages, station, manifest["bundle"], folder / "receipt", "meters-1", len(accepted))
    where = script(folder, "receipts", "receipts", texts=[('id = "lamps-receipts-1"', 'id = "meters-receipts-1"'), ('"lamps-1-2026"', '"meters-1-2026"'), ('"lamps-1"', '"meters-1"')])
    out = rehearse(stages, "ceremony: receipt balanced", where, folder / "receipts", issued, folder / "receipt", devices=len(accepted))
    balanced(out, "meters-1", issued, outcomes, {"verified": len(accepted)}, attested=sum(n % 2 == 0 for n in accepted))


def collected(stages, station, folder, asked, entries, vendor, order):
    """A station collects the same files, and leaves out what the ceremony would refuse."""
    files, lines = fresh(folder / "files"), ["device,request,attestation,soc"]
    for n, (name, hardware, request, chain) in enumerate(asked):
        (files / f"{n}.csr").write_bytes(request)
        if chain:
            (files / f"{n}.pem").write_bytes(b"".join(x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM) for der in chain))
        lines.append(f"{name},{n}.csr,{f'{n}.pem' if chain else ''},{hardware['soc']}")
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    (folder / "order.toml").write_text(order)
    (folder / "vendor.pem").write_bytes(x509.load_der_x509_certificate(vendor.root).public_bytes(serialization.Encoding.PEM))
    said = json.loads(station.run("station requests", "requests", "--order", folder / "order.toml", "--devices", folder / "table.csv", "--folder", files,
                                  "--certificates", folder / "vendor.pem", "--out", folder / "own", "--leave-out", "--json", bounds={"program": (32, 1_200)}))
    refused = [n for n in range(len(entries)) if at_scale.expected_of(n)]
    assert [each["request"] for each in said["left_out"]] == refused and said["count"] == len(entries) - len(refused)
    assert (folder / "own.requests.cbor").read_bytes() == b"".join(octets for n, octets in enumerate(entries) if n not in set(refused))
    shutil.rmtree(files)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--only", choices=["injected", "requests"])
    parser.add_argument("--work", type=pathlib.Path)
    args = parser.parse_args()
    work = args.work or pathlib.Path(tempfile.mkdtemp(prefix="scale-"))
    work.mkdir(parents=True, exist_ok=True)
    stages = Stages(args.binary.resolve(), args.count)
    try:
        hierarchy = fresh(work / "before") / "hierarchy"
        subprocess.run([str(part) for part in (stages.binary, "rehearse", SCRIPTS / "hierarchy", "--plain", "--auto", "--seed", "7", "--out", hierarchy)], check=True, capture_output=True)
        for part in (injected, requests):
            if args.only in (None, part.__name__):
                print(f"{part.__name__}, {args.count} devices", flush=True)
                part(stages, fresh(work / part.__name__), hierarchy)
        assert not stages.over, "\n".join(stages.over)
        print(f"{args.count} devices: every one in one state, none drawn twice, nothing unexplained")
    finally:
        if not args.work:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
