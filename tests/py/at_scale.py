"""What the drills of many devices share: stages with their time and the most memory of each process, devices by pyca, scripts with other numbers."""

import functools
import hashlib
import json
import multiprocessing
import os
import pathlib
import shutil
import subprocess
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AttributeOID, NameOID

import make_requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "ceremony-scripts"
MIB = 1 << 20
SHA256 = ec.ECDSA(hashes.SHA256())
# Devices of one task of the pool.
CHUNK = 1_000
# Constant memory, of a program that starts and ends.
SMALL = {"program": (32, 0)}


def peak(pid):
    """The most memory a process has had, octets: 0 where it is gone."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def family(pid):
    try:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [int(child) for child in children] + [deeper for child in children for deeper in family(int(child))]


def role(pid, program):
    """`program`, or what the program is when it starts itself again; nothing for one that has not begun yet."""
    if pid == program:
        return "program"
    try:
        word = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[1].decode()
    except (OSError, IndexError):
        return ""
    return word.removesuffix("-process") if word.endswith("-process") else ""


class Stages:
    """Runs the program, says what each stage took, and holds every process to a bound: so many MiB, and so many octets a device."""

    def __init__(self, binary, count):
        self.binary, self.count = binary, count
        # What had more memory than its bound: told at the end, so that a long run says all of it.
        self.over = []

    def run(self, stage, *arguments, bounds, code=0, env=None, devices=None):
        devices = self.count if devices is None else devices
        began, most = time.monotonic(), {}
        process = subprocess.Popen([str(part) for part in (self.binary, *arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)

        def look():
            while process.returncode is None:
                for pid in [process.pid, *family(process.pid)]:
                    name, octets = role(pid, process.pid), peak(pid)
                    if name and octets:
                        most[name] = max(most.get(name, 0), octets)
                # What ends soon is looked at often.
                time.sleep(0.001 if time.monotonic() - began < 0.5 else 0.02)

        watching = threading.Thread(target=look)
        watching.start()
        out, err = process.communicate()
        watching.join()
        took = time.monotonic() - began
        assert code is None or process.returncode == code, f"{stage}: expected exit {code}, found {process.returncode}\n{out[-3000:]}\n{err[-3000:]}"
        self.say(stage, took, most, bounds, devices)
        self.said = out + err
        return out if code == 0 else self.said

    def say(self, stage, took, most, bounds, devices):
        """`bounds`: for each role (MiB, octets a device); a role without one has that of `program`."""
        shown = ", ".join(f"{name} {octets / MIB:.0f}" for name, octets in sorted(most.items()))
        rate = f"{devices / took:9.0f} a second" if devices else " " * 18
        print(f"  {stage:<44} {took:7.1f} s {rate}   MiB: {shown}", flush=True)
        for name, octets in most.items():
            base, each = bounds.get(name, bounds["program"])
            allowed = base * MIB + each * devices
            if octets > allowed:
                self.over.append(f"{stage}: {name} had {octets / MIB:.1f} MiB, expected at most {base} MiB and {each} octets for each of {devices}")


def chunks(count):
    return [(first, min(first + CHUNK, count)) for first in range(0, count, CHUNK)]


def pooled(work, count):
    """`work` over ranges of all devices on every core, in order. What it needs it has from the moment of the fork."""
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        yield from pool.imap(work, chunks(count))


def scalar(key):
    return key.private_numbers().private_value.to_bytes(32, "big")


def key_of(scalars, n):
    return ec.derive_private_key(int.from_bytes(scalars[32 * n:32 * n + 32], "big"), ec.SECP256R1())


def device(prefix, n):
    return f"{prefix}{n + 1:08}"


def expected_of(n):
    """Of a hundred devices two say that they have one key, and one answers another order."""
    return {49: "key-twice", 50: "key-twice", 99: "nonce-other"}.get(n % 100)


def made(vendor, order, prefix, bounds):
    """Some devices: each makes its key and its request; the vendor attests every second one. Device, hardware ids, request and attestation of
    each, and the keys one after the other."""
    asked, scalars, key = [], [], None
    for n in range(*bounds):
        before, key = key, ec.generate_private_key(ec.SECP256R1())
        if n % 100 == 50:
            key = before
        name = device(prefix, n)
        attribute = "00" * 32 if expected_of(n) == "nonce-other" else order["nonce"]
        request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.SERIAL_NUMBER, name)]))
        request = request.add_attribute(AttributeOID.CHALLENGE_PASSWORD, attribute.encode()).sign(key, hashes.SHA256()).public_bytes(make_requests.DER)
        chain = []
        if n % 2 == 0:
            vendor.serial = 1_000 + n
            chain = [vendor.chip(key.public_key(), name), vendor.intermediate]
        asked.append((name, {order["hardware_kind"]: f"9f{n:08x}"}, request, chain))
        scalars.append(scalar(key))
    return asked, b"".join(scalars)


def collection(vendor, order, prefix, count):
    # Keys cannot be sent to the pool's processes: they have them from the fork.
    global WORK
    WORK = functools.partial(made, vendor, order, prefix)
    asked, scalars = [], []
    for some, keys in pooled(at_work, count):
        asked += some
        scalars.append(keys)
    return asked, b"".join(scalars)


def at_work(bounds):
    return WORK(bounds)


def script(folder, name, called, texts, cut=()):
    """A script of ours in a folder of its own, with texts replaced and others cut out up to where the next begins; each must be there."""
    where = folder / "scripts" / called
    where.mkdir(parents=True)
    if not (folder / "scripts/profiles").exists():
        (folder / "scripts/profiles").symlink_to(SCRIPTS / "profiles")
    text = (SCRIPTS / name / "script.toml").read_text()
    for old, new in texts:
        assert old in text, (name, old)
        text = text.replace(old, new)
    for begin, end in cut:
        start = text.index(begin)
        text = text[:start] + text[text.index(end, start):]
    (where / "script.toml").write_text(text)
    if (SCRIPTS / name / "rehearsal").is_dir():
        shutil.copytree(SCRIPTS / name / "rehearsal", where / "rehearsal")
    return where


def faked(issued):
    """An environment in which it is an hour after a simulated ceremony, and time goes on from there."""
    library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    return {**os.environ, "TZ": "UTC", "LD_PRELOAD": str(library), "FAKETIME": f"{issued / 1000 + 3600 - time.time():+.0f}s", "DONT_FAKE_MONOTONIC": "1"}


def manifest_signers(ceremony, path):
    """Whose signatures count: the people of a rehearsal sign its manifest too."""
    path.write_text((ceremony / "evidence/allowed_signers").read_text().replace("rehearsal-evidence@", "rehearsal-bundle@"))
    return path


class AtStation:
    """A real station of a factory: enrolled in a rehearsal of `script`, which is run until it has answered."""

    def __init__(self, stages, folder, factory, after, ceremony):
        self.stages, self.where, self.folder = stages, folder / f"station-{factory}", folder
        # A station's clock never goes back: it begins hours before what is made for it.
        (manifest,) = ceremony.glob("evidence/artifacts/*.manifest.json")
        self.env = faked(json.loads(manifest.read_bytes())["issued"] - 5 * 3_600_000)
        self.plain("init", "--factory", factory, "--realm", "rehearsal", "--root", after / "evidence/artifacts/root-2026.crt.pem",
                   "--signers", manifest_signers(ceremony, folder / "signers"), "--threshold", "2")
        self.factory = factory

    def plain(self, verb, *arguments):
        command = [self.stages.binary, "station", verb, self.where, *arguments]
        return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True, env=self.env).stdout

    def run(self, stage, verb, *arguments, bounds, code=0):
        return self.stages.run(stage, "station", verb, self.where, *arguments, bounds=bounds, code=code, env=self.env)

    def seed(self):
        """Of the receipt key: a factory may sign with it by its own tools."""
        return bytes.fromhex((self.where / "receipt.key").read_text().strip())

    def request(self, incoming):
        envelope = self.folder / f"{self.factory}.envelope"
        self.plain("enrol", "--out", envelope)
        (incoming / f"{self.factory}.enrolment.json").write_bytes(envelope.read_bytes().split(b"\n", 1)[1])
        (incoming / f"{self.factory}.answer.json").write_bytes(b"{}")

    def answer(self, incoming, stopped):
        answer = self.folder / f"{self.factory}.answer"
        self.plain("challenge", stopped / f"evidence/artifacts/{self.factory}.challenge.age", "--out", answer)
        (incoming / f"{self.factory}.answer.json").write_bytes(answer.read_bytes())


def sha(octets):
    return hashlib.sha256(octets).hexdigest()


def balance(out, name):
    return json.loads((out / f"evidence/artifacts/{name}.balance.json").read_bytes())


def fresh(path):
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def members(places):
    """How many records `0-19,25` has."""
    runs = [run.split("-") for run in places.split(",") if run]
    return sum(int(run[-1]) - int(run[0]) + 1 for run in runs)

