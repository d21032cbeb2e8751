"""Keys that never leave their devices, by other people's tools: requests by OpenSSL, attestation by pyca, the collection by
make_requests.py. A ceremony judges them one by one and certifies the rest; the bundle is opened with age, every certificate checked with
OpenSSL and pyca against the key the device made; an unruly collection is refused request by request, and what is not the factory's, the
order's or the signed file is refused whole; a key is not certified in a second ceremony.

usage: requests_ceremony.py PROGRAM"""
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import serialization

import make_requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "ceremony-scripts"
PROGRAM = pathlib.Path(sys.argv[1]).resolve()
ATTESTED, UNATTESTED = "1.3.6.1.4.1.32473.2.1.1", "1.3.6.1.4.1.32473.2.1.2"
SPKI = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def run(*arguments, **more):
    return subprocess.run([str(a) for a in arguments], check=True, capture_output=True, **more).stdout


def rehearse(script, incoming, out, after):
    arguments = [PROGRAM, "rehearse", script, "--plain", "--auto", "--seed", "7", "--incoming", incoming, "--out", out, "--after", after]
    return subprocess.run([str(a) for a in arguments], capture_output=True, text=True)


def age_identity(secret):
    """Bech32 (BIP 173) of the simulated station's identity."""
    alphabet, prefix = "qpzry9x8gf2tvdw0s3jn54khce6mua7l", "age-secret-key-"
    bits = "".join(f"{octet:08b}" for octet in secret)
    data = [int(bits[n:n + 5].ljust(5, "0"), 2) for n in range(0, len(bits), 5)]

    def polymod(values):
        state = 1
        for value in values:
            top, state = state >> 25, (state & 0x1ffffff) << 5 ^ value
            for n, generator in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)):
                state ^= generator if top >> n & 1 else 0
        return state

    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = polymod(expanded + data + [0] * 6) ^ 1
    return (prefix + "1" + "".join(alphabet[v] for v in data + [check >> 5 * (5 - n) & 31 for n in range(6)])).upper()


def cbor(octets, at=0):
    """One value, and where it ends."""
    major, code = octets[at] >> 5, octets[at] & 31
    at += 1
    if code >= 24:
        size = 1 << code - 24
        code, at = int.from_bytes(octets[at:at + size], "big"), at + size
    if major == 0:
        return code, at
    if major in (2, 3):
        value = octets[at:at + code]
        return (value.decode() if major == 3 else value), at + code
    values = []
    for _ in range(code * (2 if major == 5 else 1)):
        value, at = cbor(octets, at)
        values.append(value)
    return (dict(zip(values[::2], values[1::2])) if major == 5 else values), at


def sequence(octets):
    at = 0
    while at < len(octets):
        value, at = cbor(octets, at)
        yield value


def opened(out, work):
    """The records of the only bundle, opened with age as the simulated station."""
    identity = work / "identity"
    identity.write_text(age_identity(make_requests.tagged(b"rehearsal-station", [b"ostrava", b"identity"])) + "\n")
    (bundle,) = (out / "bundles").iterdir()
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    assert manifest["mode"] == "device-generated"
    records = []
    for shard in sorted((bundle / "shards").iterdir()):
        _, *rest = sequence(run("age", "-d", "-i", identity, shard))
        records += rest
    assert len(records) == manifest["count"]
    return bundle, records


def certified(out, work, incoming, name, expected, after):
    """Every accepted request has a certificate of its key, nothing else has one, and the refusals name the rest with their reasons."""
    collected = list(sequence((incoming / f"{name}.requests.cbor").read_bytes()))
    assert len(collected) == len(expected)
    refusals = json.loads((out / f"evidence/artifacts/{name}.refusals.json").read_bytes())
    found = {refused["request"]: sorted({why["word"] for why in refused["reasons"]}) for refused in refusals["refused"]}
    wanted = {n: each["expected"] for n, each in enumerate(expected) if each["expected"]}
    assert found == wanted, {n: (found.get(n), wanted.get(n)) for n in found | wanted if found.get(n) != wanted.get(n)}
    accepted = [request for n, request in enumerate(collected) if n not in wanted]
    assert refusals["accepted"] == len(accepted) and refusals["count"] == len(collected)
    bundle, records = opened(out, work)
    anchor = after / "evidence/artifacts/root-2026.crt.pem"
    serials, policies = set(), []
    for index, (record, request) in enumerate(zip(records, accepted, strict=True)):
        number, device, der, form, key, lineage, extras = record
        assert (number, device, form, key, extras) == (index, request[0], 0, b"", {}), record
        certificate, asked = x509.load_der_x509_certificate(der), x509.load_der_x509_csr(request[2])
        assert certificate.public_key().public_bytes(*SPKI) == asked.public_key().public_bytes(*SPKI), "the key of the device"
        lineage, _ = cbor(lineage)
        assert lineage[0] == device and lineage.get(7, {}) == request[1], "hardware ids are in the lineage"
        (policy,) = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
        assert policy.policy_identifier.dotted_string == (ATTESTED if request[3] else UNATTESTED), device
        policies.append(policy.policy_identifier.dotted_string)
        serials.add(certificate.serial_number)
        (work / "device.der").write_bytes(der)
        run("openssl", "verify", "-CAfile", anchor, "-untrusted", bundle / "chain.pem", work / "device.der")
        assert b"PRIVATE KEY" not in der
    assert len(serials) == len(records)
    assert "PRIVATE KEY" not in (out / "evidence/transcript.jsonl").read_text()
    run(PROGRAM, "verify", out / "evidence", "--signers", out / "evidence/allowed_signers")
    run(sys.executable, ROOT / "transcripts/verify.py", out / "evidence", "--signers", out / "evidence/allowed_signers")
    run(sys.executable, ROOT / "media/bundle.py", "check", bundle)
    return len(records), policies.count(ATTESTED), len(found)


def refused_whole(folder, good, script, after):
    """What is not the factory's, not the order's, or not the file that was signed."""
    order = good / "meters-1.order.toml"
    cases = {
        "another key signed": (lambda to: make_requests.write(to, order, "meters-1-keys", seed=bytes(32)), "bad-signature"),
        "another factory": (lambda to: make_requests.write(to, order, "meters-1-keys", factory="lyon"), "wrong-factory"),
        "the other realm": (lambda to: make_requests.write(to, order, "meters-1-keys", realm="production"), "wrong-realm"),
        "another order": (lambda to: make_requests.write(to, order, "meters-1-keys", order="00" * 32), "wrong-order"),
        "another nonce": (lambda to: make_requests.write(to, order, "meters-1-keys", nonce="00" * 32), "wrong-order"),
        "another root": (lambda to: make_requests.write(to, order, "meters-1-keys", root="00" * 32), "tampered"),
        "more than there are": (lambda to: make_requests.write(to, order, "meters-1-keys", count=13), "tampered"),
        "another file": (lambda to: make_requests.write(to, order, "meters-1-keys"), "tampered"),
    }
    for number, (what, (make, word)) in enumerate(cases.items()):
        to, out = folder / f"whole-{number}", folder / f"whole-{number}-out"
        make(to)
        (to / "meters-1-keys.order.toml").rename(to / "meters-1.order.toml")
        if what == "another file":
            path = to / "meters-1-keys.requests.cbor"
            octets = bytearray(path.read_bytes())
            octets[len(octets) // 2] ^= 1
            path.write_bytes(octets)
        done = rehearse(script, to, out, after)
        assert done.returncode != 0 and f"({word})" in done.stdout + done.stderr, (what, done.stdout[-1500:], done.stderr[-500:])
        record = (out / "evidence/transcript.jsonl").read_text()
        assert '"purpose":"unlock"' not in record and not (out / "bundles").exists(), what
    return len(cases)


def following(folder, number, follows):
    """A script that judges requests in a chain that has enrolled the factory."""
    script = folder / "scripts" / f"factory-csr-{number}"
    script.mkdir(parents=True)
    if not (folder / "scripts" / "profiles").exists():
        (folder / "scripts" / "profiles").symlink_to(SCRIPTS / "profiles")
    text = (SCRIPTS / "factory-csr/script.toml").read_text()
    text = text.replace('id = "meters-1-2026"', f'id = "meters-{number}-2026"').replace('follows = "hierarchy-2026"', f'follows = "{follows}"')
    text = text.replace('bundle = "meters-1"', f'bundle = "meters-{number}"').replace('bundles = ["meters-1"]', f'bundles = ["meters-{number}"]')
    for begin, end in (("[[factory]]", "[[material]]"), ('[[act]]\ntitle = "Enrol the factory"', '[[act]]\ntitle = "Judge"')):
        start = text.index(begin)
        text = text[:start] + text[text.index(end, start):]
    start = text.index("# What it may have in all")
    text = text[:start] + text[text.index("\n", start) + 1:]
    (script / "script.toml").write_text(text)
    return script


def collected(folder, name, order, **how):
    """A collection for this order in a folder of its own, as a rehearsal finds it; with what is expected of it."""
    (folder / f"{name}.toml").write_text(order)
    expected = make_requests.write(folder / name, folder / f"{name}.toml", "meters-1-keys", **how)
    (folder / name / "meters-1-keys.order.toml").rename(folder / name / "meters-1.order.toml")
    return folder / name, expected


def refused_as(out, expected):
    refusals = json.loads((out / "evidence/artifacts/meters-1-keys.refusals.json").read_bytes())
    found = {refused["request"]: sorted(why["word"] for why in refused["reasons"]) for refused in refusals["refused"]}
    wanted = {n: sorted(each["expected"]) for n, each in enumerate(expected) if each["expected"]}
    assert found == wanted, (found, wanted)
    return refusals


def again(folder, first, incoming):
    """A second ceremony of the chain, another order: the keys and the hardware of the first are known."""
    script, out = following(folder, 2, "meters-1-2026"), folder / "again-out"
    order = (incoming / "meters-1.order.toml").read_text().replace("first = 1,", "first = 101,")
    for path in (incoming / "keys").iterdir():
        if path.stem not in ("device-3", "device-4"):
            path.unlink()
    to, expected = collected(folder, "again", order, keys=incoming / "keys", same={5, 7})
    for n, word in ((3, "key-certified-before"), (4, "key-certified-before"), (5, "hardware-stands"), (7, "hardware-stands")):
        expected[n]["expected"] = [word]
    done = rehearse(script, to, out, first)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    refusals = refused_as(out, expected)
    assert refusals["accepted"] == len(expected) - 3 - 4, refusals
    judged_again(out, to, "meters-1-keys", "--device-keys", first / "evidence/artifacts/meters-1-keys.device-keys.bin", "--issued", first / "issued")
    # What follows takes up the list of device keys; both verifiers know it, and something can follow again.
    for more in ([], ["--after", first]):
        run(PROGRAM, "verify", out / "evidence", "--signers", out / "evidence/allowed_signers", *more)
        run(sys.executable, ROOT / "transcripts/verify.py", out / "evidence", "--signers", out / "evidence/allowed_signers", *more)
    changed = folder / "changed-evidence"
    shutil.copytree(out / "evidence", changed)
    standing = json.loads((changed / "standing.json").read_bytes())
    standing["device_keys"] = "00" * 32
    (changed / "standing.json").write_bytes(make_requests.jcs(standing))
    for verifier in ([PROGRAM, "verify"], [sys.executable, ROOT / "transcripts/verify.py"]):
        done = subprocess.run([str(a) for a in (*verifier, changed)], capture_output=True, text=True)
        assert done.returncode == 4 and "standing.json" in done.stdout + done.stderr, done
    keys = (out / "evidence/artifacts/meters-1-keys.device-keys.bin").read_bytes()
    assert len(keys) == 16 * (9 + refusals["accepted"]) and keys == b"".join(sorted(keys[n:n + 16] for n in range(0, len(keys), 16)))


def replaced(folder, first, incoming):
    """Devices make new keys: refused while the certificates they have stand, unless the order replaces these; then each lineage names its own."""
    script = following(folder, 3, "meters-1-2026")
    (bundle,) = (first / "bundles").iterdir()
    kept = list(sequence((first / "issued" / f"{bundle.name}.cbor").read_bytes()))[1:]
    devices = [record[1] for record in kept]
    listed = "hardware_ids = [" + ", ".join(f'"{device}"' for device in devices) + "]"
    order = (incoming / "meters-1.order.toml").read_text().replace('hardware_kind = "soc"\n', "").replace("count = 12", f"count = {len(devices)}")
    order = order.replace('devices = { prefix = "METER-", first = 1, digits = 8 }', listed)
    to, expected = collected(folder, "standing", order)
    done = rehearse(script, to, folder / "standing-out", first)
    assert done.returncode != 0 and not (folder / "standing-out/bundles").exists()
    for each in expected:
        each["expected"] = sorted(each["expected"] + ["device-stands", "hardware-stands"][:2 if each["device"] in devices[:-3] else 1])
    refused_as(folder / "standing-out", expected)
    order += f'\n[replaces]\nbundle = "{bundle.name}"\nrecords = "0-{len(devices) - 1}"\n'
    to, expected = collected(folder, "backwards", order, backwards=True)
    done = rehearse(script, to, folder / "backwards-out", first)
    places, last = [devices.index(each["device"]) for each in expected], None
    for place, each in zip(places, expected):
        accepted = not each["expected"] and (last is None or place > last)
        each["expected"] = sorted(each["expected"] + (["request-order"] if last is not None and place <= last else []))
        last = place if accepted else last
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    refused_as(folder / "backwards-out", expected)

    to, expected = collected(folder, "replacing", order)
    out = folder / "replacing-out"
    done = rehearse(script, to, out, first)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    refused_as(out, expected)
    (made,) = [path for path in (out / "bundles").iterdir() if path.name != bundle.name]
    new = list(sequence((out / "issued" / f"{made.name}.cbor").read_bytes()))[1:]
    assert [record[1] for record in new] == [each["device"] for each in expected if not each["expected"]] and len(new) == len(devices) - 3
    before = {record[1]: x509.load_der_x509_certificate(record[2]) for record in kept}
    anchor = folder / "hierarchy/evidence/artifacts/root-2026.crt.pem"
    for _, device, der, lineage in new:
        certificate, old = x509.load_der_x509_certificate(der), before[device]
        held, _ = cbor(lineage)
        assert int.from_bytes(held[8], "big") == old.serial_number != certificate.serial_number, device
        assert certificate.public_key().public_bytes(*SPKI) != old.public_key().public_bytes(*SPKI), "a key of its own"
        (folder / "device.der").write_bytes(der)
        run("openssl", "verify", "-CAfile", anchor, "-untrusted", made / "chain.pem", folder / "device.der")
    for verifier in ([PROGRAM, "verify"], [sys.executable, ROOT / "transcripts/verify.py"]):
        run(*verifier, out / "evidence", "--signers", out / "evidence/allowed_signers", "--after", first)
    judged_again(out, to, "meters-1-keys", "--device-keys", first / "evidence/artifacts/meters-1-keys.device-keys.bin", "--issued", first / "issued")
    return len(new)


def injected(folder, after):
    """A key that a ceremony made for one device is not certified for another that says it made it."""
    scripts = folder / "scripts"
    shutil.copytree(SCRIPTS / "factory-bundle", scripts / "factory-bundle")
    text = (scripts / "factory-bundle/script.toml").read_text()
    quota = '[[factory.quota]]\nproduct = "lamp"\nmost = 50000\n'
    assert quota in text
    (scripts / "factory-bundle/script.toml").write_text(text.replace(quota, quota + quota.replace("lamp", "meter")))
    run(PROGRAM, "rehearse", scripts / "factory-bundle", "--plain", "--auto", "--seed", "7", "--out", folder / "lamps-out", "--after", after)
    identity = folder / "identity"
    identity.write_text(age_identity(make_requests.tagged(b"rehearsal-station", [b"ostrava", b"identity"])) + "\n")
    (bundle,) = (folder / "lamps-out/bundles").iterdir()
    _, record, *_ = sequence(run("age", "-d", "-i", identity, bundle / "shards/00000.age"))
    key = serialization.load_der_private_key(record[4], None)
    keys = folder / "injected-keys"
    keys.mkdir()
    (keys / "device-2.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    order = (SCRIPTS / "factory-csr/rehearsal/meters-1.order.toml").read_text()
    to, expected = collected(folder, "injected", order, keys=keys)
    expected[2]["expected"] = ["key-certified-before"]
    done = rehearse(following(folder, 4, "lamps-1-2026"), to, folder / "injected-out", folder / "lamps-out")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    refused_as(folder / "injected-out", expected)


def judged_again(out, incoming, name, *more):
    """The record holds no file: whoever has it judges it again, and another file comes to something else."""
    file, evidence = incoming / f"{name}.requests.cbor", out / "evidence"
    said = json.loads(run(PROGRAM, "bundle", "requests", file, "--evidence", evidence, "--name", name, "--json", *more))
    refusals = json.loads((evidence / f"artifacts/{name}.refusals.json").read_bytes())
    assert (said["accepted"], said["refused"]) == (refusals["accepted"], refusals["refused"])
    other = out / "other.cbor"
    other.write_bytes(file.read_bytes()[::-1])
    done = subprocess.run([PROGRAM, "bundle", "requests", other, "--evidence", evidence, "--name", name, *more], capture_output=True, text=True)
    assert done.returncode == 4 and "(tampered)" in done.stderr, done


def at_the_station(folder, after):
    """A station collects: what the ceremony would refuse is refused here, or left out; a stranger checks what it signs."""
    place = folder / "station"
    place.mkdir()
    files = place / "files"
    files.mkdir()
    anchor = after / "evidence/artifacts/root-2026.crt.pem"
    signers = (after / "evidence/allowed_signers").read_text().replace("rehearsal-evidence@", "rehearsal-bundle@")
    (place / "signers").write_text(signers)
    init = ["station", "init", place / "home", "--factory", "ostrava", "--realm", "rehearsal", "--root", anchor, "--signers", place / "signers", "--threshold", "2", "--json"]
    key = json.loads(run(PROGRAM, *init))["receipt_key"]
    vendor = make_requests.Vendor()
    order = (SCRIPTS / "factory-csr/rehearsal/meters-1.order.toml").read_text().splitlines()
    pinned = f'attestation_roots = ["{hashlib.sha256(vendor.root).hexdigest()}"]'
    order = "\n".join(pinned if line.startswith("attestation_roots") else line for line in order) + "\n"
    (place / "order.toml").write_text(order)
    nonce = order.split('nonce = "')[1][:64]
    devices, lines = make_requests.Devices(files, files), ["device,request,attestation,soc"]

    def pem(*ders):
        return b"".join(x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM) for der in ders)

    (place / "vendor.pem").write_bytes(pem(vendor.root))
    for n in range(1, 5):
        device = f"METER-{n:08}"
        made = devices.key(device)
        (files / f"{device}.csr").write_bytes(devices.request(device, made, nonce if n < 4 else "00" * 32))
        (files / f"{device}.pem").write_bytes(pem(vendor.chip(make_requests.public(made)), vendor.intermediate))
        lines.append(f"{device},{device}.csr,{device + '.pem' if n < 3 else ''},9f{n:02}")
    (place / "table.csv").write_text("\n".join(lines) + "\n")
    collect = [PROGRAM, "station", "requests", place / "home", "--order", place / "order.toml", "--devices", place / "table.csv", "--folder", files,
               "--certificates", place / "vendor.pem", "--out", place / "meters"]
    done = subprocess.run([str(a) for a in collect], capture_output=True, text=True)
    assert done.returncode == 4 and "nonce-other" in done.stderr and not list(place.glob("*.cbor")), done
    said = json.loads(run(*collect, "--leave-out", "--json"))
    assert (said["count"], len(said["left_out"])) == (3, 1)
    octets, body = (place / "meters.requests.json").read_bytes(), (place / "meters.requests.cbor").read_bytes()
    signed = json.loads(octets)
    statement = signed["statement"]
    assert make_requests.jcs(signed) == octets and hashlib.sha256(octets).hexdigest() == said["digest"]
    assert statement["sha256"] == hashlib.sha256(body).hexdigest() and statement["size"] == len(body)
    entries = [make_requests.entry(*fields) for fields in sequence(body)]
    assert b"".join(entries) == body and statement["root"] == make_requests.root_of([hashlib.sha256(b"\0" + e).digest() for e in entries]).hex()
    (place / "who").write_text(f'ostrava namespaces="rehearsal-requests@anchorite" {key}\n')
    (place / "sig").write_text(signed["signature"])
    run("ssh-keygen", "-Y", "verify", "-f", place / "who", "-I", "ostrava", "-n", "rehearsal-requests@anchorite", "-s", place / "sig",
        input=make_requests.jcs(statement))
    done = subprocess.run([str(a) for a in (*collect, "--leave-out")], capture_output=True, text=True)
    assert done.returncode != 0 and "expected no file" in done.stderr, done


def main(folder):
    after = folder / "hierarchy"
    run(PROGRAM, "rehearse", SCRIPTS / "hierarchy", "--plain", "--auto", "--seed", "7", "--out", after)
    script = SCRIPTS / "factory-csr"
    ordered = script / "rehearsal/meters-1.order.toml"

    good, out = folder / "good", folder / "good-out"
    expected = make_requests.write(good, ordered, "meters-1-keys", keys=good / "keys")
    (good / "meters-1-keys.order.toml").rename(good / "meters-1.order.toml")
    keys = (good / "keys").rename(folder / "keys")
    done = rehearse(script, good, out, after)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    counts = certified(out, folder, good, "meters-1-keys", expected, after)
    print(f"good: {counts[0]} certified, {counts[1]} attested, {counts[2]} refused")
    keys.rename(good / "keys")
    judged_again(out, good, "meters-1-keys")
    again(folder, out, good)
    print("again: keys that the chain has certified, and hardware whose certificates stand, are refused in the next ceremony")
    print(f"replaced: {replaced(folder, out, good)} devices with new keys, each lineage its own certificate before; refused without, and out of order")
    injected(folder, after)
    print("injected: a key that was made in a ceremony is known")

    for called, oid in (("unruly", None), ("unruly-extension", "1.3.6.1.4.1.55555.1.9")):
        order = ordered.read_text().replace("count = 12", "count = 28")
        order = order if oid is None else order.replace("hardware_kind", f'nonce_oid = "{oid}"\nhardware_kind')
        (folder / f"{called}.toml").write_text(order)
        incoming, out = folder / called, folder / f"{called}-out"
        expected = make_requests.write(incoming, folder / f"{called}.toml", "meters-1-keys", unruly=True)
        (incoming / "meters-1-keys.order.toml").rename(incoming / "meters-1.order.toml")
        done = rehearse(script, incoming, out, after)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr
        counts = certified(out, folder, incoming, "meters-1-keys", expected, after)
        judged_again(out, incoming, "meters-1-keys")
        print(f"{called}: {counts[0]} certified, {counts[1]} attested, {counts[2]} refused, each with its reasons")

    at_the_station(folder, after)
    print("station: a wrong request refused, left out; statement and file as a stranger reads them")

    # The same collection where the script says `stop`: nothing of it is certified.
    stopping = folder / "stop" / "factory-csr"
    stopping.mkdir(parents=True)
    (folder / "stop" / "profiles").symlink_to(SCRIPTS / "profiles")
    (stopping / "script.toml").write_text((script / "script.toml").read_text().replace('on_refusal = "go-on"', 'on_refusal = "stop"'))
    done = rehearse(stopping, folder / "unruly", folder / "stop-out", after)
    assert done.returncode != 0 and not (folder / "stop-out/bundles").exists(), done.stdout[-2000:]
    assert '"purpose":"unlock"' not in (folder / "stop-out/evidence/transcript.jsonl").read_text()
    print(f"whole: {refused_whole(folder, good, script, after)} collections refused, and one where the script says stop")


with tempfile.TemporaryDirectory() as made:
    main(pathlib.Path(made))
