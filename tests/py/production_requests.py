#!/usr/bin/env python3
"""The files of requests on their production path, by keystrokes: small-root goes on to enrol a factory with a real station, and judges two collections of
requests that OpenSSL made. The file of the first is nowhere, then another one, then in INBOX of the bound medium; that of the second is only in the folder
that the binding's [incoming] calls `files`. Each way it is not there is named, and what was judged is the file that the factory signed.

    production_requests.py --binary target/release/anchorite [--keep DIR]
"""
import argparse, hashlib, json, os, pathlib, re, shutil, sys, tempfile, time
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import drill
import production_run as first
from drill import ROOT, Broken, need
from production_run import Room, Terminal, World, sh

FACTORY = '''[[factory]]
name = "ostrava"
valid_until = "2030-01-01T00:00:00Z"

[[factory.quota]]
product = "meter"
most = 100

'''
NONCE = hashlib.sha256(b"an order").hexdigest()
ORDER = f'''format = "anchorite-order/1"
realm = "production"
factory = "ostrava"
product = "meter"
sku = "METER-3P"
mode = "device-generated"
algorithm = "ecdsa-p256"
profile = "device-key"
count = 4
devices = {{ prefix = "METER-", first = 1, digits = 8 }}
quota = 100
not_before = "2026-11-22T00:00:00Z"
not_after = "2031-11-21T00:00:00Z"
expires = "2029-02-26T00:00:00Z"
nonce = "{NONCE}"

[firmware]
version = "2.0.1"
sha256 = "{"cd" * 32}"

[subject]
organization = "Northern Works"
common_name = "Meter {{device}}"
'''


def step(kind, title, **more):
    identity = title.lower().replace(" ", "-")
    keys = "".join(f"{key} = {json.dumps(value)}\n" for key, value in more.items())
    return (f'[[act.step]]\nid = "{identity}"\ntitle = "{title}"\nkind = "{kind}"\nwho = "administrator"\nconfirm = ["witness"]\nminutes = 3\n'
            f'say = "We compare with our papers."\n{keys}\n')


STEPS = '[[act]]\ntitle = "Judge"\n\n' + "".join((
    step("take-object", "Take in the request of the station", object="enrolment", name="ostrava"),
    step("enrol-factory", "Enrol ostrava", factory="ostrava", enrolment="ostrava"),
    step("take-object", "Take in the order", object="order", name="meters"),
    *(part for name in ("first", "second") for part in (
        step("take-object", f"Take in the {name} statement", object="requests", name=name),
        step("judge-requests", f"Judge the {name} requests", requests=name, order="meters", factory="ostrava", on_refusal="go-on", shard_records=8)))))


class People(Room):
    """Two people, and somebody at the factory whom they telephone."""

    def __init__(self, words, world, out):
        super().__init__(words)
        self.world, self.out, self.incoming = world, out, world.work / "incoming"
        self.refusals, self.looks, self.tried, self.prepared = [], [], [], False

    def way_in(self, block, _):
        """Everything comes as a file that is named; the factory makes it when it is asked for."""
        wanted = re.findall(r"Take in (the .*)", block)[-1]
        number = re.search(r"(\d+) a file .*: type \1 and its name", block)
        need(number, f"no file can be named:\n{block}")
        name = self.world.made(wanted, self.out, self.incoming)
        return f"{number[1]} {name}"

    def digest(self, block, _):
        return self.world.spoken

    def root_words(self, block, _):
        return self.world.root

    def look(self, block, match):
        if "judge" in block and self.looks:
            self.tried.append(" ".join(block.split()))
            self.looks.pop(0)()
            return "r"
        return super().look(block, match)


first.RULES[:0] = [
    (r"the number of a way in: ?$", People.way_in),
    (r"SHA-256 of the file, or `again` .*: ?$", People.digest),
    (r"twelve words or 64 digits .*: ?$", People.root_words),
    (r"^\s*`r` (?:look again|try again): ?$", lambda room, block, match: room.look(block, match)),
]


class Factory(World):
    """The station, its devices, and what it sends."""

    def prepare(self):
        text = self.script.read_text()
        close = text.index('[[act]]\ntitle = "Close"')
        text = text[:close] + STEPS + text[close:]
        at = text.index("[[material]]")
        self.script.write_text(text[:at] + FACTORY + text[at:])
        self.order = self.work / "meters.order.toml"
        self.order.write_text(ORDER)
        for folder in ("incoming", "requests"):
            (self.work / folder).mkdir()
        self.binding.write_text(f'format = "anchorite-binding/1"\nledger = "{self.ledger}"\n[folders]\nvault-a = "{self.work / "plain"}"\n'
                                f'[incoming]\nfiles = "{self.work / "incoming"}"\n')
        sh(self.binary, "medium", "init", self.work / "plain", "--label", "vault-a")

    def made(self, wanted, out, incoming):
        """The file of what is asked for, and what the factory says on the telephone."""
        if "enrolment" in wanted:
            root = out / "evidence/artifacts/small-root.crt.pem"
            (self.work / "allowed_signers").write_text("".join(
                line.replace("evidence@", "bundle@") for line in (self.work / "pins").read_text().splitlines(keepends=True)))
            self.station = self.work / "station"
            sh(self.binary, "station", "init", self.station, "--factory", "ostrava", "--realm", "production", "--root", root,
               "--signers", self.work / "allowed_signers", "--threshold", "2")
            sh(self.binary, "station", "enrol", self.station, "--out", self.work / "enrolment.envelope")
            content = (self.work / "enrolment.envelope").read_bytes().split(b"\n", 1)[1]
            self.root = hashlib.sha256(self.der(root)).hexdigest()
            return self.sent("ostrava.enrolment.json", content, incoming)
        if "answer" in wanted:
            answer = self.work / "answer.json"
            sh(self.binary, "station", "challenge", self.station, out / "evidence/artifacts/ostrava.challenge.age", "--out", answer)
            return self.sent("ostrava.answer.json", answer.read_bytes(), incoming)
        if "order" in wanted:
            return self.sent("meters.order.toml", self.order.read_bytes(), incoming)
        name = re.search(r"first|second", wanted)[0]
        self.collected(name, incoming)
        return self.sent(f"{name}.requests.json", (self.work / "requests" / f"{name}.requests.json").read_bytes(), incoming)

    def sent(self, name, octets, incoming):
        (incoming / name).write_bytes(octets)
        self.spoken = hashlib.sha256(octets).hexdigest()
        return name

    def der(self, pem):
        path = self.work / "root.der"
        sh("openssl", "x509", "-in", pem, "-outform", "DER", "-out", path)
        return path.read_bytes()

    def collected(self, name, incoming):
        """Requests by OpenSSL, collected by the station. The first of them is not left where the ceremony looks."""
        folder = self.work / "requests"
        rows = ["device,request"]
        for number in range(1, 5):
            device, key, request = f"METER-{number:08}", folder / f"{name}-{number}.key", folder / f"{name}-{number}.csr"
            sh("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
            config = folder / "req.cnf"
            config.write_text(f"[req]\nprompt = no\nstring_mask = utf8only\ndistinguished_name = dn\nattributes = attr\n"
                              f"[dn]\nserialNumber = {device}\n[attr]\nchallengePassword = {NONCE}\n")
            sh("openssl", "req", "-new", "-key", key, "-config", config, "-outform", "DER", "-out", request)
            rows.append(f"{device},{request.name}")
        table = folder / f"{name}.csv"
        table.write_text("\n".join(rows) + "\n")
        sh(self.binary, "station", "requests", self.station, "--order", self.order, "--devices", table, "--out", folder / name)
        if name == "second":
            shutil.copy(folder / "second.requests.cbor", incoming)


def judged(world):
    out = world.work / "run"
    people = People(world.words(), world, out)
    requests, incoming, stick = world.work / "requests", world.work / "incoming", world.work / "plain"

    def another():
        """A file of the right name and length that the factory did not sign."""
        octets = bytearray((requests / "first.requests.cbor").read_bytes())
        octets[-1] ^= 1
        (stick / "first.requests.cbor").write_bytes(octets)
        os.symlink(requests / "first.requests.cbor", incoming / "elsewhere.cbor")
        (incoming / "first.requests.cbor").write_bytes(octets[:-1])

    def in_the_inbox():
        (stick / "first.requests.cbor").unlink()
        (incoming / "first.requests.cbor").unlink()
        (stick / "INBOX").mkdir(exist_ok=True)
        shutil.copy(requests / "first.requests.cbor", stick / "INBOX")

    people.looks = [another, in_the_inbox]
    terminal = Terminal(world.argv(world.approval(), out))
    need(people.sit(terminal) is None and terminal.code == 0, f"exit {terminal.code}:\n{terminal.shown[-2500:]}")
    terminal.end()
    need(len(people.tried) == 2 and not people.looks, f"tried {people.tried}")
    digest = {name: hashlib.sha256((requests / f"{name}.requests.cbor").read_bytes()).hexdigest() for name in ("first", "second")}
    size = (requests / "first.requests.cbor").stat().st_size
    for told, *expected in (
            (people.tried[0], f"medium vault-a: no first.requests.cbor of {size} octets", "first.requests.cbor: "),
            (people.tried[1], "medium vault-a: first.requests.cbor is not the file that the factory signed", "first.requests.cbor: ")):
        for words in (f"expected first.requests.cbor with SHA-256 {digest['first']}", "on top of a medium, in its folder INBOX, or in the folder `files` of [incoming]", *expected):
            need(words in told, f"expected {words!r} in {told}")
    for name in ("first", "second"):
        copy = (out / "requests" / f"{name}.cbor").read_bytes()
        need(hashlib.sha256(copy).hexdigest() == digest[name], f"{name}: what was judged is not what was signed")
        refusals = json.loads((out / f"evidence/artifacts/{name}.refusals.json").read_text())
        need((refusals["accepted"], refusals["count"], refusals["realm"]) == (4, 4, "production"), f"{name}: {refusals}")
        said = sh(world.binary, "bundle", "requests", requests / f"{name}.requests.cbor", "--evidence", out / "evidence", "--name", name)
        need("4" in said, said)
    need(not (incoming / "second.requests.cbor").is_symlink() and not (stick / "INBOX" / "second.requests.cbor").exists(), "the second was in one place only")
    first.signed_and_verified(world, out)
    return people


def main(factory=Factory, play=judged, about="requests in production"):
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path, help="work in this new folder and leave it")
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="anchorite-requests-") as work:
        if args.keep:
            args.keep.mkdir()
            work = args.keep.resolve()
        world = factory(args.binary.resolve(), pathlib.Path(work))
        try:
            world.prepare()
            people = play(world)
            print(f"{about}: {len(people.asked)} questions answered, a file that is nowhere and another one named, INBOX and [incoming] files taken")
        except Broken as bad:
            print("BAD", bad)
            return 1
        finally:
            world.pull()
    print(f"{pathlib.Path(sys.argv[0]).name}: every part held, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
