"""An order that says which hardware its devices are, by other people's eyes: a ceremony carries it out, a station hands each identity to its own
hardware only, and pyca and OpenSSL find in every certificate what the ledger says of its device: lineage, hardware ids, key.

usage: listed_hardware.py PROGRAM"""
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from factory import Factory, edited
from receipt_account import values

LINEAGE = "1.3.6.1.4.1.32473.2.7"
SPKI = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
COUNT = 20
HARDWARE = [{"mac": f"00124b0000{n:02x}", "soc": f"9F3C:{n:04X}"} for n in range(COUNT)]


def listed(hardware=HARDWARE):
    table = "".join(
        f'\n[[device]]\nid = "LAMP-{n:04}"\nhardware = {{ ' + ", ".join(f'{kind} = "{id}"' for kind, id in ids.items()) + " }\n"
        for n, ids in enumerate(hardware))
    return [('devices = { prefix = "LAMP-", first = 1, digits = 8 }\n', ""), ('common_name = "Lamp {device}"\n', 'common_name = "Lamp {device}"\n' + table)]


def refused(factory, work, name, hardware, words):
    """The order is refused where it comes in, before anybody unlocks anything."""
    script = factory.scripts / "factory-bundle"
    incoming = work / f"incoming-{name}"
    incoming.mkdir()
    order = (script / "rehearsal/lamps-1.order.toml").read_text()
    for old, new in listed(hardware):
        assert old in order
        order = order.replace(old, new)
    (incoming / "lamps-1.order.toml").write_text(order)
    done = factory.rehearse("factory-bundle", work / name, "--after", factory.above, "--incoming", incoming, good=False)
    said = " ".join((done.stdout + done.stderr).split())
    assert words in said, f"{name}: {said[-1500:]}"
    record = (work / name / "evidence/transcript.jsonl").read_text()
    assert '"unlock' not in record.split('"step":"order"')[-1] or "typed" not in record, name


NEXT = [('follows = "hierarchy-2026"', 'follows = "lamps-1-2026"'), ('id = "lamps-1-2026"', 'id = "lamps-2-2026"'), ('order = "lamps-1"', 'order = "lamps-2"'),
        ('bundle = "lamps-1"', 'bundle = "lamps-2"'), ('bundles = ["lamps-1"]', 'bundles = ["lamps-2"]'),
        ('object = "order"\nname = "lamps-1"', 'object = "order"\nname = "lamps-2"')]


def next_orders(factory, work):
    """A second ceremony of the chain: devices and hardware with certificates that stand get no others, unless these are replaced."""
    scripts, before = factory.scripts, work / "listed/people"
    shutil.copytree(scripts / "factory-bundle-listed", scripts / "factory-bundle-next")
    edited(scripts / "factory-bundle-next/script.toml", NEXT)
    order = (scripts / "factory-bundle-listed/rehearsal/lamps-1.order.toml").read_text()
    (bundle,) = (before / "bundles").iterdir()

    def carried_out(name, text, good=True):
        incoming = work / f"next-{name}"
        incoming.mkdir()
        (incoming / "lamps-2.order.toml").write_text(text)
        return factory.rehearse("factory-bundle-next", work / name, "--after", before, "--incoming", incoming, good=good)

    def refused(name, text, words):
        done = carried_out(name, text, good=False)
        said = " ".join((done.stdout + done.stderr).split())
        assert words in said, f"{name}: {said[-1500:]}"
        assert '"effect":"unlock"' not in (work / name / "evidence/transcript.jsonl").read_text(), name

    other = order.replace('version = "1.4.0"', 'version = "1.4.1"')
    refused("again", other, "LAMP-0000 (record 0 of bundle lamps-1)")
    renamed = other.replace('id = "LAMP-', 'id = "BULB-').replace("00124b0000", "00124b0001").replace('soc = "9F3C:0003"', 'soc = "9f3c-0003"')
    renamed = renamed.replace('"9F3C:', '"9F3D:')
    refused("renamed", renamed, "soc 9F3C:0003 of LAMP-0003 (record 3 of bundle lamps-1)")
    replaces = f'\n[replaces]\nbundle = "{bundle.name}"\nrecords = "0-{COUNT - 1}"\n'
    exchanged = other.replace("LAMP-0001", "LAMP-x").replace("LAMP-0002", "LAMP-0001").replace("LAMP-x", "LAMP-0002")
    refused("exchanged", exchanged + replaces, "expected LAMP-0001, which has record 1 of bundle lamps-1, found LAMP-0002")
    carried_out("fresh", renamed.replace("9f3c-0003", "9F3D:0003"))
    carried_out("replacing", other + replaces)
    (made,) = [path for path in (work / "replacing/bundles").iterdir() if path.name != bundle.name]
    ledger = work / "next.sqlite"
    built = factory.call("ledger", "rebuild", ledger, factory.above / "evidence", before / "evidence", work / "replacing/evidence")
    assert built.returncode == 0, built.stderr
    told = json.loads(factory.call("ledger", "device", ledger, "mac=00:12:4B:00:00:05", "--issued", work / "replacing/issued", "--json").stdout)
    assert [each["device"] for each in told] == ["LAMP-0005"] * 2 and told[1]["replaces"] == told[0]["serial"], told
    assert told[1]["hardware"] == HARDWARE[5]
    # What was kept of the bundle before is needed, and is held against its manifest.
    kept = before / "issued" / f"{bundle.name}.cbor"
    octets = kept.read_bytes()
    kept.unlink()
    refused("missing", other, "expected what was kept of this bundle or log")
    kept.write_bytes(octets.replace(b"LAMP-0007", b"LAMP-0077"))
    refused("changed", renamed.replace("9f3c-0003", "9F3D:0003"), "issued records")


def main(work):
    factory = Factory(sys.argv[1], work)
    twice = [dict(HARDWARE[0], mac=HARDWARE[1]["mac"])] + HARDWARE[1:]
    refused(factory, work, "twice", twice, "LAMP-0001: mac: expected a hardware id of one device only, in whatever spelling")
    spelled = [dict(HARDWARE[0], mac="00:12:4B:00:00:00")] + HARDWARE[1:]
    refused(factory, work, "spelled", spelled, "LAMP-0000: mac: expected 12 of 0-9, a-f, nothing between them")
    other = [dict(HARDWARE[0], soc="9f3c-0001")] + HARDWARE[1:]
    refused(factory, work, "other", other, "LAMP-0001: soc: expected a hardware id of one device only, in whatever spelling")

    station = factory.carry_out("listed", order=listed(), bundle=[("shard_records = 8", 'shard_records = 8\nlineage_oid = ".7"')])
    made = work / "listed/second"
    ledger = work / "ledger.sqlite"
    built = factory.call("ledger", "rebuild", ledger, factory.above / "evidence", made / "evidence")
    assert built.returncode == 0, built.stderr

    def device(asked):
        return factory.call("ledger", "device", ledger, asked, "--issued", made / "issued", "--json")

    # Not the next one: each is for its own hardware.
    station.refused(7, "drawn by device or hardware id", "draw", "--line", "3", "--json")
    station.refused(2, "expected KIND=ID", "draw", "--line", "3", "--json", "--hardware", "00124b000003")
    station.refused(7, "mac=00124b0000ff is not released here", "draw", "--line", "3", "--json", "--hardware", "mac=00124b0000ff")
    asked = {3: "mac=00:12:4B:00:00:03", 7: "soc=9f3c-0007", 11: "mac=00124b00000b"}
    for n, name in asked.items():
        drawn = station.run("draw", "--line", "3", "--json", "--hardware", name)
        assert (drawn["device"], drawn["hardware"]) == (f"LAMP-{n:04}", HARDWARE[n]), drawn["device"]
        key = serialization.load_pem_private_key(drawn["private_key"].encode(), None)
        certificate = x509.load_pem_x509_certificate(drawn["certificate"].encode())
        assert certificate.public_key().public_bytes(*SPKI) == key.public_key().public_bytes(*SPKI)
        station.refused(7, "is not released here", "draw", "--line", "4", "--json", "--hardware", name)
        station.refused(7, "is not released here", "draw", "--line", "4", "--json", "--device", drawn["device"])
    by_device = station.run("draw", "--line", "3", "--json", "--device", "LAMP-0012")
    assert by_device["hardware"] == HARDWARE[12]
    serve = station.call("draw", "--line", "5", "--serve", input=b"next\nmac=00-12-4B-00-00-05\nmac=00124b000005\nmac=5\nLAMP-0006\n")
    said = [json.loads(line) for line in serve.stdout.splitlines()]
    assert [each.get("device") for each in said] == [None, "LAMP-0005", None, None, "LAMP-0006"], said
    station.run("check")

    for n in range(COUNT):
        for name in (f"LAMP-{n:04}", HARDWARE[n]["mac"], "soc=" + HARDWARE[n]["soc"].lower()):
            found = device(name)
            assert found.returncode == 0, found.stderr
            (told,) = json.loads(found.stdout)
            assert told["device"] == f"LAMP-{n:04}" and told["hardware"] == HARDWARE[n], told
        lineage = bytes.fromhex(told["lineage"])
        certificate = x509.load_pem_x509_certificate(told["certificate"].encode())
        committed = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier(LINEAGE)).value.value
        assert committed == b"\x04\x20" + hashlib.sha256(lineage).digest(), "the certificate commits to the hardware ids"
        (held,) = values(lineage)
        assert held[7] == HARDWARE[n] and held[0] == f"LAMP-{n:04}", held
        (work / "device.pem").write_text(told["certificate"])
        (made_bundle,) = (made / "bundles").iterdir()
        subprocess.run(["openssl", "verify", "-attime", "1795700000", "-CAfile", factory.above / "evidence/artifacts/root-2026.crt.pem",
                        "-untrusted", made_bundle / "chain.pem", work / "device.pem"], check=True, capture_output=True)
    assert device("mac=00124b0000ff").returncode != 0 and device("lot=7").returncode != 0
    next_orders(factory, work)
    print("the next order: 5 refused where it came in, nothing unlocked; replaced and fresh ones carried out")
    print(f"listed hardware: {COUNT} identities, each its own hardware's by pyca and OpenSSL; {len(asked) + 3} drawn by it, none twice; 3 orders refused")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="listed-") as folder:
        main(pathlib.Path(folder))
