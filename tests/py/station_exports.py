"""What leaves a station, read by the tools it is for: PKCS#12 by OpenSSL, pyca and keytool; Espressif's Matter and secure-cert partitions made by Espressif's own
tools and read back; Nordic's JSON by its schema; lines for two clouds by moto and the clouds' own clients (`cloud_registries.py`); the element manifest by a verifier written here from Microchip's description, by jwcrypto and by Microchip's own library.
Everything comes from ceremonies: a hierarchy, an enrolled station, an order carried out, identities drawn. Each judge also sees something that
was tampered with, and must refuse it.

    station_exports.py --binary target/debug/anchorite [--esp tests/.judges/esp] [--cloud tests/.judges/cloud]"""

import argparse
import base64
import csv
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import jsonschema
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.serialization import pkcs12
from jwcrypto import jwk, jws

import factory
from export_readers import read_nvs, unpadded, verify_element

DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
PASSWORD = "correct horse battery"
SUBJECT = 'subject = {{ country = "SE", organization = "Example Devices", common_name = "Example Devices {}" }}'
MATTER_SUBJECT = 'subject = {{ common_name = "Lamps {}", matter_vid = "FFF1"{} }}'
PAI = (SUBJECT.format("Issuing CA A"), MATTER_SUBJECT.format("PAI A", ', matter_pid = "8000"'))
MATTER_ROOT = [
    ('profile = "root-device"\nalgorithm = "ecdsa-p384"', 'profile = "matter-paa"\nalgorithm = "ecdsa-p256"'),
    ('profile = "subca-device"', 'profile = "matter-pai"'),
    (SUBJECT.format("Root CA 2026"), MATTER_SUBJECT.format("PAA", "")),
    PAI,
    (SUBJECT.format("Issuing CA B"), MATTER_SUBJECT.format("PAI B", "")),
    ('\ncrl_url = "http://pki.example/root-2026.crl"\nissuer_url = "http://pki.example/root-2026.crt"', ""),
]
MATTER_BUNDLE = [
    ('profile = "ldevid"\ncrl_url = "http://pki.example/issuing-a.crl"\nissuer_url = "http://pki.example/issuing-a.crt"', 'profile = "matter-dac"'),
    ('profile = "subca-device"', 'profile = "matter-pai"'),
    PAI,
]
MATTER_ORDER = [
    ('profile = "ldevid"', 'profile = "matter-dac"'),
    ('organization = "Example Devices"\n', ""),
    ('common_name = "Lamp {device}"\n', 'common_name = "Lamp {device}"\n\n[matter]\nvendor_id = "FFF1"\nproduct_id = "8000"\n'),
]
VERIFIER = bytes(range(32)) + b"\x04" + bytes(range(64))
OPTIONS = """format = "anchorite-export/1"
vendor_name = "Example, \\"Lamps\\""
product_name = "Lamp"
date = "2026-11-26"
hw_ver = 1
hw_ver_str = "EVT-1"
[manufacturer]
organization = "Example Lamps"
unit = "Factories"
[distributor]
organization = "Example Shop"
"""
COMMISSIONING = f"""[commissioning]
discriminator = 3840
iterations = 10000
salt = "{'5a' * 16}"
verifier = "{VERIFIER.hex()}"
"""


def run(*arguments, **more):
    return subprocess.run([str(part) for part in arguments], capture_output=True, text=True, **more)


def same_key(private, certificate):
    return private.public_key().public_bytes(DER, SPKI) == certificate.public_key().public_bytes(DER, SPKI)


def chain_of(station):
    return x509.load_pem_x509_certificates((station.where / "bundles" / station.bundle / "chain.pem").read_bytes())


def draw(station, *arguments):
    return station.call("draw", "--line", 4, *arguments)


def judge_pkcs12(station, work):
    (work / "password").write_text(PASSWORD + "\nand nothing of this line\n")
    (work / "other").write_text("another password\n")
    piped = draw(station, "--as", "pkcs12", "--password-file", work / "password")
    assert piped.returncode == 0, piped.stderr
    (work / "piped.p12").write_bytes(piped.stdout)
    station.run("draw", "--line", 4, "--as", "pkcs12", "--password-file", work / "password", "--to", work / "device.p12")
    assert (work / "device.p12").stat().st_mode & 0o777 == 0o600
    names = []
    for name in ("piped.p12", "device.p12"):
        octets = (work / name).read_bytes()
        held = pkcs12.load_pkcs12(octets, PASSWORD.encode())
        assert same_key(held.key, held.cert.certificate) and held.cert.friendly_name.startswith(b"LAMP-")
        chain = [held.cert.certificate, *(other.certificate for other in held.additional_certs)]
        assert sorted(c.public_bytes(DER) for c in chain[1:]) == sorted(c.public_bytes(DER) for c in chain_of(station))
        names.append(held.cert.friendly_name)
        said = run("openssl", "pkcs12", "-in", work / name, "-passin", f"file:{work / 'password'}", "-noenc", "-info")
        assert said.returncode == 0 and "PBKDF2, AES-256-CBC, Iteration 600000, PRF hmacWithSHA256" in said.stderr, said.stderr
        assert run("openssl", "pkcs12", "-in", work / name, "-passin", f"file:{work / 'other'}", "-noenc").returncode != 0
        assert held.key.private_bytes(DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()) not in octets
        if shutil.which("keytool"):
            said = run("keytool", "-list", "-v", "-storetype", "PKCS12", "-keystore", work / name, "-storepass:file", work / "store-password") \
                if (work / "store-password").write_text(PASSWORD) else None
            assert said.returncode == 0 and "PrivateKeyEntry" in said.stdout and "Certificate chain length: 3" in said.stdout, said.stdout + said.stderr
        for at in (len(octets) // 3, len(octets) - 40):
            spoilt = bytearray(octets)
            spoilt[at] ^= 1
            try:
                pkcs12.load_pkcs12(bytes(spoilt), PASSWORD.encode())
            except ValueError:
                continue
            raise AssertionError(f"pyca took a PKCS#12 file with octet {at} changed")
    assert len(set(names)) == 2
    station.refused(2, "nothing was drawn", "draw", "--line", 4, "--as", "pkcs12")
    (work / "short").write_text("short\n")
    station.refused(2, "8 to 128 printable ASCII characters", "draw", "--line", 4, "--as", "pkcs12", "--password-file", work / "short")
    station.refused(2, "nothing is overwritten", "draw", "--line", 4, "--as", "pkcs12", "--password-file", work / "password", "--to", work / "device.p12")
    print("PKCS#12: opened by OpenSSL, pyca" + (" and keytool" if shutil.which("keytool") else "") + "; not with another password, nor changed")


# Node's OpenSSL is newer than Debian's and pyca's reader: it takes post-quantum keys too, and pairs key and certificate.
NODE = """
const [file, password] = process.argv.slice(1);
require('tls').createSecureContext({pfx: require('fs').readFileSync(file), passphrase: require('fs').readFileSync(password, 'utf8').split('\\n')[0]});
"""


def node_takes(path, work):
    node = lambda file, password: run(factory.ROOT / "tests/.judges/npm/node_modules/.bin/node", "-e", NODE, file, password).returncode == 0
    assert node(path, work / "password"), path
    assert not node(path, work / "other"), "taken with another password"
    spoilt = bytearray(path.read_bytes())
    spoilt[-20] ^= 1
    path.with_suffix(".spoilt").write_bytes(spoilt)
    assert not node(path.with_suffix(".spoilt"), work / "password"), "taken though changed"


def judge_files(station, work):
    station.refused(2, "--to: expected the folder to make", "draw", "--line", 4, "--as", "files")
    station.run("draw", "--line", 4, "--as", "files", "--to", work / "files")
    folder = work / "files"
    assert folder.stat().st_mode & 0o777 == 0o700 and all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())
    key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
    assert same_key(key, x509.load_der_x509_certificate((folder / "certificate.der").read_bytes()))
    assert serialization.load_der_private_key((folder / "key.der").read_bytes(), None).private_numbers() == key.private_numbers()
    assert run("openssl", "verify", "-CAfile", folder / "chain.pem", "-untrusted", folder / "chain.pem", folder / "certificate.pem").returncode == 0


def judge_secure_cert(station, work, esp):
    """Espressif's tool makes the partition of our CSV and reads it back; a checksum that does not fit ends its reading."""
    folder = work / "secure"
    station.run("draw", "--line", 4, "--as", "esp-secure-cert", "--to", folder)
    tool = esp / "bin/configure_esp_secure_cert.py"
    made = run(esp / "bin/python3", tool, "--esp_secure_cert_csv", "esp_secure_cert.csv", "--skip_flash", cwd=folder)
    assert made.returncode == 0, made.stdout[-2000:] + made.stderr[-2000:]
    partition = folder / "esp_secure_cert_data/esp_secure_cert.bin"
    read = run(esp / "bin/python3", tool, "--parse_bin", partition, cwd=folder)
    assert read.returncode == 0, read.stdout[-2000:]
    parsed = folder / "esp_secure_cert_parsed_data"
    contents = {path.name: path.read_bytes() for path in (parsed / "contents").iterdir()}
    (device,) = [octets for name, octets in contents.items() if name.startswith("devcert")]
    (issuing,) = [octets for name, octets in contents.items() if name.startswith("cacert")]
    (private,) = [octets for name, octets in contents.items() if "key" in name]
    certificate = x509.load_pem_x509_certificate(device)
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(issuing))
    assert same_key(serialization.load_pem_private_key(private.rstrip(b"\0"), None), certificate)
    reader = "import sys; from esp_secure_cert.tlv_parser import process_tlv_entries; process_tlv_entries(sys.argv[1])"
    checked = lambda path: run(esp / "bin/python3", "-c", reader, path).stdout
    said = checked(partition)
    assert said.count("✓ VALID)") == 4 and "✗ INVALID" not in said, said
    spoilt = bytearray(partition.read_bytes())
    spoilt[200] ^= 1
    (folder / "spoilt.bin").write_bytes(spoilt)
    assert checked(folder / "spoilt.bin").count("✗ INVALID") == 1, "a changed partition holds"
    (folder / "private-key.pem").unlink()
    assert run(esp / "bin/python3", tool, "--esp_secure_cert_csv", "esp_secure_cert.csv", "--skip_flash", cwd=folder).returncode != 0, "made without a key"
    print("secure cert: Espressif's tool makes a partition of it and reads it back")


def judge_esp_matter(station, work, esp):
    (work / "whole.toml").write_text(OPTIONS + COMMISSIONING)
    folder = work / "nvs"
    station.run("draw", "--line", 4, "--as", "esp-matter", "--options", work / "whole.toml", "--to", folder)
    made = run(esp / "bin/python3", "-m", "esp_idf_nvs_partition_gen", "generate", "nvs.csv", "nvs.bin", "0x6000", cwd=folder)
    assert made.returncode == 0, made.stdout + made.stderr
    octets = (folder / "nvs.bin").read_bytes()
    values = read_nvs(octets)
    certificate = x509.load_der_x509_certificate(values["dac-cert"])
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(values["pai-cert"]))
    key = ec.derive_private_key(int.from_bytes(values["dac-key"], "big"), ec.SECP256R1())
    assert same_key(key, certificate)
    assert values["dac-pub-key"] == key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    expected = {"vendor-id": 0xFFF1, "product-id": 0x8000, "discriminator": 3840, "iteration-count": 10000, "hardware-ver": 1,
                "hw-ver-str": "EVT-1", "vendor-name": 'Example, "Lamps"', "mfg-date": "2026-11-26", "salt": base64.b64encode(b"\x5a" * 16).decode(),
                "verifier": base64.b64encode(VERIFIER).decode()}
    assert {name: values.get(name) for name in expected} == expected, values
    assert values["serial-num"].startswith("LAMP-")
    spoilt = bytearray(octets)
    spoilt[octets.index(values["dac-cert"]) + 100] ^= 1
    try:
        read_nvs(bytes(spoilt))
    except AssertionError:
        pass
    else:
        raise AssertionError("a changed partition was read whole")
    print(f"ESP Matter: a partition of {len(values)} values, our key, certificate and intermediate in it")
    mfg_tool(station, work, esp)


def mfg_tool(station, work, esp):
    """esp-matter-mfg-tool checks certificate, key and chain before it takes them, and refuses those of another device."""
    folders = [work / "one", work / "two"]
    for folder in folders:
        station.run("draw", "--line", 4, "--as", "files", "--to", folder)
    (work / "pai.pem").write_bytes(chain_of(station)[0].public_bytes(PEM))

    def take(certificate, key, out, vendor="0xFFF1"):
        # Its clock must be inside the certificates' validity, which the ceremony's is.
        return run("env", "TZ=UTC", "faketime", "-f", "2026-11-27 12:00:00", esp / "bin/esp-matter-mfg-tool", "-v", vendor, "-p", "0x8000", "--pai", "-c", work / "pai.pem",
                   "--dac-cert", certificate / "certificate.pem", "--dac-key", key / "key.pem", "--outdir", work / out)

    taken = take(folders[0], folders[0], "taken")
    assert taken.returncode == 0, taken.stdout[-2000:] + taken.stderr[-2000:]
    (partition,) = (work / "taken").rglob("*-partition.bin")
    values = read_nvs(partition.read_bytes())
    assert values["dac-cert"] == (folders[0] / "certificate.der").read_bytes()
    assert take(folders[0], folders[1], "mixed").returncode != 0, "the key of another device was taken"
    assert take(folders[0], folders[0], "vendor", vendor="0xFFF2").returncode != 0, "another vendor was taken"
    print("esp-matter-mfg-tool takes our certificate, key and intermediate; not another device's key, nor another vendor")


def judge_nordic(station, work):
    schema = json.loads((factory.ROOT / "tests/vectors/nordic/factory-data.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    (work / "names.toml").write_text(OPTIONS)
    (work / "none.toml").write_text('format = "anchorite-export/1"\n')
    station.refused(2, "options: vendor_name: expected a value: no record holds it, found none", "draw", "--line", 4, "--as", "nordic")
    station.refused(2, "options: vendor_name", "draw", "--line", 4, "--as", "nordic", "--options", work / "none.toml")
    # Commissioning may be in a record, so that is known only once it is opened: said, and the identity is spent.
    station.refused(1, "commissioning of LAMP-", "draw", "--line", 4, "--as", "nordic", "--options", work / "names.toml")
    done = draw(station, "--as", "nordic", "--options", work / "whole.toml")
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    validator.validate(data)
    certificate = x509.load_der_x509_certificate(bytes.fromhex(data["dac_cert"].removeprefix("hex:")))
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(bytes.fromhex(data["pai_cert"].removeprefix("hex:"))))
    assert same_key(ec.derive_private_key(int(data["dac_key"].removeprefix("hex:"), 16), ec.SECP256R1()), certificate)
    assert (data["vendor_id"], data["product_id"], data["sw_ver_str"], data["date"]) == (0xFFF1, 0x8000, "1.4.0", "2026-11-26")
    assert data["spake2_verifier"] == "hex:" + VERIFIER.hex() and data["vendor_name"] == 'Example, "Lamps"'
    assert set(data) <= set(schema["properties"]), "no field the schema does not know"
    for name, value in (("dac_key", data["dac_key"][:-2]), ("discriminator", 4096), ("date", "26.11.2026"), ("spake2_it", 999)):
        assert not validator.is_valid({**data, name: value}), name
    for name in schema["required"]:
        assert not validator.is_valid({key: value for key, value in data.items() if key != name}), name
    print(f"Nordic: {len(data)} fields hold against the schema; not with {len(schema['required'])} left out in turn, nor with 4 changed")


def judge_manifest(station, work, devices, esp):
    options = work / "names.toml"
    options.write_text(OPTIONS)
    station.refused(2, "options: manufacturer: expected a value", "export", station.bundle, "--as", "element-manifest")
    out = work / "manifest.json"
    said = station.run("export", station.bundle, "--as", "element-manifest", "--options", options, "--out", out, "--json")
    assert said["devices"] == len(devices) and "PRIVATE" not in out.read_text()
    signer = x509.load_pem_x509_certificate((station.where / "element-signer.pem").read_bytes())
    linted = run(pathlib.Path(sys.executable).parent / "lint_pkix_cert", "lint", "-s", "WARNING", station.where / "element-signer.pem")
    assert linted.returncode == 0 and not linted.stdout.strip(), linted.stdout
    manifest = json.loads(out.read_text())
    payloads = [verify_element(signed, signer) for signed in manifest]
    assert {payload["uniqueId"] for payload in payloads} == set(devices)
    assert all(payload["groupId"] == station.bundle and payload["partNumber"] == "LAMP-E27-W" for payload in payloads)
    # The certificate of the signer is signed by the receipt key, which the ceremony side knows.
    home = json.loads((station.where / "station.json").read_text())
    (work / "who").write_text(f'station namespaces="rehearsal-signer@anchorite" {home["receipt_key"]}\n')
    checked = run("ssh-keygen", "-q", "-Y", "verify", "-f", work / "who", "-I", "station", "-n", "rehearsal-signer@anchorite", "-s",
                  station.where / "element-signer.pem.sig", stdin=(station.where / "element-signer.pem").open())
    assert checked.returncode == 0, checked.stderr
    # Another implementation of JWS, and tampering that both must see.
    public = jwk.JWK.from_pem(signer.public_key().public_bytes(PEM, SPKI))
    token = jws.JWS()
    token.deserialize(json.dumps(manifest[0]), public)
    for name, change in (("payload", lambda p: {**p, "uniqueId": "LAMP-9"}), ("protected", lambda p: {**p, "kid": "AA"})):
        changed = json.dumps(change(json.loads(unpadded(manifest[0][name])))).encode()
        spoilt = {**manifest[0], name: base64.urlsafe_b64encode(changed).decode().rstrip("=")}
        for judge in (lambda: verify_element(spoilt, signer), lambda: jws.JWS().deserialize(json.dumps(spoilt), public)):
            try:
                judge()
            except Exception:
                continue
            raise AssertionError(f"a changed {name} was taken")
    vendors_own(station, work, esp, out)
    assert (station.where / "element-signer.key").stat().st_mode & 0o777 == 0o600
    station.run("export", station.bundle, "--as", "element-manifest", "--options", options, "--out", work / "again.json")
    assert (work / "again.json").read_text() == out.read_text(), "the same devices, the same octets"
    entries = station.run("check", "--json")
    print(f"element manifest: {len(payloads)} devices hold by description, by jwcrypto and by Microchip's own library; changed ones do not; {entries['entries']} entries of the ledger hold")


READER = """
import json, sys
from pytrustplatform.manifest.manifest import Manifest, ManifestSigner
signer = ManifestSigner(open(sys.argv[2], "rb").read())
for signed in Manifest(open(sys.argv[1]).read(), signer):
    signed.verify()
    element = signed.get_secure_element()
    print(element.uniqueId, element.get_certificate(0, 0), element.get_certificate(0, 1))
"""


def vendors_own(station, work, esp, manifest):
    """Microchip's library (pytrustplatform) reads the manifest and verifies every object; not one whose signature changed."""
    read = lambda path: run(esp / "bin/python3", "-c", READER, path, station.where / "element-signer.pem")
    said = read(manifest)
    assert said.returncode == 0, said.stderr[-2000:]
    rows = [line.split() for line in said.stdout.splitlines()]
    objects = json.loads(manifest.read_text())
    assert [row[0] for row in rows] == [signed["header"]["uniqueId"] for signed in objects]
    assert all(base64.b64decode(row[2]) == chain_of(station)[0].public_bytes(DER) for row in rows)
    signature = objects[0]["signature"]
    objects[0]["signature"] = ("A" if signature[5] != "A" else "B").join((signature[:5], signature[6:]))
    (work / "spoilt.json").write_text(json.dumps(objects))
    assert read(work / "spoilt.json").returncode != 0, "a changed signature was taken"


def judge_batch(station, work, devices, cloud):
    text = station.run("export", station.bundle, "--as", "csv").decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert {row["device"] for row in rows} == set(devices) and text.count("\r\n") == len(devices) + 1
    for row in rows:
        certificate = x509.load_der_x509_certificate(base64.b64decode(row["certificate_der_base64"]))
        assert certificate.fingerprint(hashes.SHA256()).hex() == row["certificate_sha256"] and int(row["certificate_serial"], 16) == certificate.serial_number
        assert certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%S") == row["not_after"][:19]
    by_device = {row["device"]: x509.load_der_x509_certificate(base64.b64decode(row["certificate_der_base64"])) for row in rows}
    (work / "devices.csv").write_text(text, newline="")
    for name in ("aws-iot", "azure-iot"):
        station.run("export", station.bundle, "--as", name, "--out", work / f"{name}.jsonl")
    taken = run(cloud / "bin/python3", pathlib.Path(__file__).with_name("cloud_registries.py"), work / "aws-iot.jsonl", work / "azure-iot.jsonl", work / "devices.csv",
                station.where / "bundles" / station.bundle / "chain.pem")
    assert taken.returncode == 0, taken.stdout + taken.stderr
    print(taken.stdout, end="")
    station.run("export", station.bundle, "--as", "pem", "--out", work / "tree")
    assert {path.stem for path in (work / "tree").iterdir()} == set(devices) | {"chain"}
    assert run("openssl", "verify", "-CAfile", work / "tree/chain.pem", work / "tree" / f"{devices[0]}.pem").returncode == 0
    station.run("export", station.bundle, "--as", "der", "--out", work / "ders", "--json")
    assert x509.load_der_x509_certificate((work / "ders" / f"{devices[0]}.der").read_bytes()) == by_device[devices[0]]
    station.refused(2, "nothing is overwritten", "export", station.bundle, "--as", "pem", "--out", work / "tree")
    station.refused(2, "--state: expected reserved", "export", station.bundle, "--as", "csv", "--state", "sealed")
    reserved = list(csv.DictReader(io.StringIO(station.run("export", station.bundle, "--as", "csv", "--state", "reserved,scrapped").decode(), newline="")))
    assert len(reserved) == 1 and reserved[0]["device"] not in devices, reserved
    assert station.call("export", "00" * 16, "--as", "csv").returncode != 0
    print(f"batch: CSV, PEM and DER of {len(devices)} devices say the same")


def prove(station, drawn):
    key = serialization.load_pem_private_key(drawn["private_key"].encode(), None)
    message = bytes.fromhex(drawn["nonce"]) + bytes.fromhex(drawn["record"])
    signature = key.sign(message, ec.ECDSA(hashes.SHA256())) if isinstance(key, ec.EllipticCurvePrivateKey) else key.sign(message)
    station.run("confirm", drawn["device"], "--signature", signature.hex())
    return key


def devices_of(station, count):
    """So many that are proven or said to be flashed, and one that is neither."""
    drawn = [station.run("draw", "--line", 4, "--json") for _ in range(count + 1)]
    prove(station, drawn[0])
    for each in drawn[1:count]:
        station.run("confirm", each["device"], "--injected")
    return [each["device"] for each in drawn[:count]]


def edits(algorithm, profile, *more):
    """Of the order and of the script."""
    order = [('algorithm = "ecdsa-p256"', f'algorithm = "{algorithm}"'), ('profile = "ldevid"', f'profile = "{profile}"'), *more]
    return order, [('profile = "ldevid"', f'profile = "{profile}"')]


def other_algorithms(world, work):
    """An order of each other kind of key, through the ceremony to a device's proof; what an export cannot hold is refused before a draw."""
    kinds = {"ed25519": ("ldevid", ed25519.Ed25519PrivateKey), "ml-dsa-44": ("device-pq", mldsa.MLDSA44PrivateKey), "ml-dsa-65": ("device-pq", mldsa.MLDSA65PrivateKey)}
    for algorithm, (profile, kind) in kinds.items():
        station = world.carry_out(algorithm, *edits(algorithm, profile))
        folder = work / algorithm / "files"
        station.run("draw", "--line", 4, "--as", "files", "--to", folder)
        key = serialization.load_der_private_key((folder / "key.der").read_bytes(), None)
        certificate = x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
        assert isinstance(key, kind) and same_key(key, certificate), algorithm
        certificate.verify_directly_issued_by(chain_of(station)[0])
        drawn = station.run("draw", "--line", 4, "--json")
        assert isinstance(prove(station, drawn), kind)
        station.run("draw", "--line", 4, "--as", "pkcs12", "--password-file", work / "password", "--to", work / algorithm / "device.p12")
        node_takes(work / algorithm / "device.p12", work)
        station.refused(2, f"found {algorithm}", "draw", "--line", 4, "--as", "esp-secure-cert", "--to", work / algorithm / "none")
        # No thing of AWS IoT has such a key.
        aws = station.call("export", station.bundle, "--as", "aws-iot", "--out", work / algorithm / "aws-iot.jsonl")
        assert aws.returncode != 0 and f"for AWS IoT: expected ECDSA or RSA, found {algorithm}".encode() in aws.stderr, aws.stderr
        assert not (work / algorithm / "aws-iot.jsonl").exists()
        done = station.call("export", station.bundle, "--as", "element-manifest", "--options", work / "names.toml")
        if algorithm == "ed25519":
            signer = x509.load_pem_x509_certificate((station.where / "element-signer.pem").read_bytes())
            assert [verify_element(signed, signer)["uniqueId"] for signed in json.loads(done.stdout)] == [drawn["device"]]
        else:
            assert done.returncode != 0 and f"found {algorithm}".encode() in done.stderr, done.stderr
        states = station.run("status", "--json")["bundles"][0]["states"]
        assert states["released"] == station.count - 3 and states["verified"] == 1, states
    print(f"{', '.join(kinds)}: ordered, issued in a ceremony, drawn, proven, in PKCS#12")


def initial_identities(world):
    """An 802.1AR-style identity: serial number and hardware module name are the device id, no end, lineage committed to."""
    never = ('not_after = "2031-11-21T00:00:00Z"', 'not_after = "9999-12-31T23:59:59Z"')
    order, bundle = edits("ecdsa-p256", "idevid", never)
    # Under the script's own arc, which a rehearsal moves under the one for examples.
    bundle.append(('shard_records = 8', 'shard_records = 8\nlineage_oid = ".7"\nhardware_type = ".8"'))
    station = world.carry_out("idevid", order, bundle)
    drawn = station.run("draw", "--line", 4, "--json")
    certificate = x509.load_pem_x509_certificate(drawn["certificate"].encode())
    (serial,) = certificate.subject.get_attributes_for_oid(x509.NameOID.SERIAL_NUMBER)
    (names,) = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    kind = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.4")
    device = drawn["device"].encode()
    assert serial.value == drawn["device"] and names.type_id == kind and names.value.endswith(b"\x04" + bytes([len(device)]) + device)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical and usage.value.digital_signature and not usage.value.key_cert_sign and certificate.not_valid_after_utc.year == 9999
    lineage = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.4.1.32473.2.7"))
    assert not lineage.critical and lineage.value.value[:2] == b"\x04\x20" and len(lineage.value.value) == 34
    prove(station, drawn)
    print("idevid: serial number, hardware module name and lineage of a device that never gets another identity")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--esp", type=pathlib.Path, default=factory.ROOT / "tests/.judges/esp")
    parser.add_argument("--cloud", type=pathlib.Path, default=factory.ROOT / "tests/.judges/cloud")
    args = parser.parse_args()
    binary, esp = args.binary.resolve(), args.esp.absolute()
    work = pathlib.Path(tempfile.mkdtemp(prefix="exports-"))
    try:
        lamps, matter = work / "lamps", work / "matter"
        world = factory.Factory(binary, lamps)
        station = world.carry_out("p256")
        devices = devices_of(station, 3)
        judge_batch(station, lamps, devices, args.cloud.absolute())
        judge_manifest(station, lamps, devices, esp)
        judge_files(station, lamps)
        judge_pkcs12(station, lamps)
        judge_secure_cert(station, lamps, esp)
        other_algorithms(world, lamps)
        initial_identities(world)
        station.refused(2, "an issuing certificate with a Matter vendor", "draw", "--line", 4, "--as", "esp-matter", "--to", lamps / "none")
        world = factory.Factory(binary, matter, MATTER_ROOT)
        station = world.carry_out("dac", MATTER_ORDER, MATTER_BUNDLE)
        judge_esp_matter(station, matter, esp)
        judge_nordic(station, matter)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
