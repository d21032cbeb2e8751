#!/usr/bin/env python3
"""The log of a factory's own authority on its production path, by keystrokes: small-root goes on to enrol a factory with a real station, hands an order
over, certifies the authority (an OpenSSL request), and checks its log (issued by pyca, signed by `station log`). The log's file is nowhere, then another
one, then in INBOX of the bound medium: each way it is not there is named, and what is checked and kept is the file that the factory signed.

    production_log.py --binary target/release/anchorite [--keep DIR]
"""
import datetime, hashlib, json, os, re, shutil, sys, pathlib
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import production_requests as requests
import production_run as first
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from delegated_module import Module
from drill import need
from production_requests import FACTORY, Factory, People, step
from production_run import Terminal, sh

NOW = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
LOG, PEM, DER = "ostrava-ca-1-log-1", serialization.Encoding.PEM, serialization.Encoding.DER


def day(days):
    return (NOW + datetime.timedelta(days=days)).strftime("%Y-%m-%dT00:00:00Z")


ORDER = re.sub("nonce = .*\n", "", requests.ORDER).replace("device-generated", "delegated").replace("device-key", "tls-client")
ORDER = ORDER.replace("2026-11-22T00:00:00Z", day(0)).replace("2031-11-21T00:00:00Z", day(80)).replace("2029-02-26T00:00:00Z", day(79))
CERTIFICATE = f'''[[certificate]]
name = "ostrava-ca-1"
issuer = "small-root"
request = "ostrava-ca-1"
profile = "subca-factory"
subject = {{ organization = "Northern Works", common_name = "Northern Module 1" }}
not_before = "{day(0)}"
not_after = "{day(80)}"
crl_url = "http://pki.example/small-root.crl"

'''
STEPS = '[[act]]\ntitle = "Delegate"\n\n' + "".join((
    step("take-object", "Take in the request of the station", object="enrolment", name="ostrava"),
    step("enrol-factory", "Enrol ostrava", factory="ostrava", enrolment="ostrava"),
    step("take-object", "Take in the order", object="order", name="meters"),
    step("take-request", "Take in the request of the module", name="ostrava-ca-1"),
    step("delegate", "Hand over the order", certificate="ostrava-ca-1", order="meters", factory="ostrava"),
    step("issue-certificate", "Issue the certificate", certificate="ostrava-ca-1"),
    step("take-object", "Take in the statement about the log", object="issuance-log", name=LOG),
    step("check-log", "Check the log", log=LOG, order="meters", factory="ostrava", profile="tls-client")))


class Checking(People):
    def look(self, block, match):
        if "check log" in block and self.looks:
            self.tried.append(" ".join(block.split()))
            self.looks.pop(0)()
            return "r"
        return first.Room.look(self, block, match)


first.RULES.insert(0, (r"SHA-256 of its DER, or `again` .*: ?$", People.digest))


class Delegating(Factory):
    def prepare(self):
        text = self.script.read_text()
        carry = text.rindex("[[act]]\ntitle", 0, text.index('id = "export"'))
        text = text[:carry] + STEPS + text[carry:]
        text = text.replace('authorities = ["small-root"]\nsealed', 'authorities = ["small-root"]\ncertificates = ["ostrava-ca-1"]\nsealed')
        at = text.index("[[material]]")
        self.script.write_text(text[:at] + CERTIFICATE + FACTORY + text[at:])
        self.order = self.work / "meters.order.toml"
        self.order.write_text(ORDER)
        (self.work / "incoming").mkdir()
        self.bind_incoming()
        sh(self.binary, "medium", "init", self.work / "plain", "--label", "vault-a")

    def bind_incoming(self):
        self.binding.write_text(f'format = "anchorite-binding/1"\nledger = "{self.ledger}"\n[folders]\nvault-a = "{self.work / "plain"}"\n'
                                f'[incoming]\nfiles = "{self.work / "incoming"}"\n')

    def made(self, wanted, out, incoming):
        if "certificate request" in wanted:
            sh("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.work / "module.key")
            for form, name in (("PEM", "module.csr.pem"), ("DER", "module.csr.der")):
                sh("openssl", "req", "-new", "-key", self.work / "module.key", "-subj", "/CN=module", "-outform", form, "-out", self.work / name)
            # Every run of OpenSSL signs anew: the DER is that of the PEM.
            sh("openssl", "req", "-in", self.work / "module.csr.pem", "-outform", "DER", "-out", self.work / "module.csr.der")
            name = self.sent("ostrava-ca-1.csr.pem", (self.work / "module.csr.pem").read_bytes(), incoming)
            self.spoken = hashlib.sha256((self.work / "module.csr.der").read_bytes()).hexdigest()
            return name
        if "about log" in wanted:
            return self.sent(f"{LOG}.log.json", self.logged(out), incoming)
        return super().made(wanted, out, incoming)

    def logged(self, out):
        """Three certificates, and the statement about them by the station's receipt key."""
        issuer = x509.load_pem_x509_certificate((out / "evidence/artifacts/ostrava-ca-1.crt.pem").read_bytes())
        module = Module(serialization.load_pem_private_key((self.work / "module.key").read_bytes(), None), issuer, mark="", policy=None)
        dates = {"begin": NOW, "until": NOW + datetime.timedelta(days=70), "organization": "Northern Works"}
        text = b"".join(module.issue(f"METER-{n:08}", **dates).public_bytes(PEM) for n in (1, 2, 3))
        self.log = self.work / f"{LOG}.log.pem"
        self.log.write_bytes(text)
        (self.work / "ostrava-ca-1.crt.pem").write_bytes(issuer.public_bytes(PEM))
        said = self.work / f"{LOG}.log.json"
        # What is said to people comes after the line for programs.
        told = json.loads(sh(self.binary, "station", "log", self.station, self.log, "--order", self.order, "--issuer", self.work / "ostrava-ca-1.crt.pem",
                             "--profile", "tls-client", "--out", said, "--json").splitlines()[0])
        need((told["sequence"], told["count"], told["incidents"]) == (1, 3, []), f"the station's log: {told}")
        self.others(issuer, said)
        return said.read_bytes()

    def others(self, issuer, first):
        """What `station log` promises besides: incidents are named and not signed unasked, a log continues the one before, nothing is overwritten."""
        twice, out = self.work / "twice.log.pem", self.work / "twice.log.json"
        twice.write_bytes(self.log.read_bytes() + self.log.read_bytes())
        log = lambda *more, code=0: sh(self.binary, "station", "log", self.station, twice, "--order", self.order, "--issuer", self.work / "ostrava-ca-1.crt.pem",
                                       "--profile", "tls-client", "--out", out, *more, code=code)
        said = log(code=4)
        need("device-twice" in said and "nothing was written" in said and not out.exists(), f"incidents not signed unasked: {said}")
        log("--with-incidents", "--after", first, "--json")
        signed = json.loads(out.read_bytes())["statement"]
        need((signed["sequence"], signed["previous"]) == (2, hashlib.sha256(first.read_bytes()).hexdigest()), f"continues: {signed}")
        need("expected no file" in log("--with-incidents", code=2), "overwritten")
        out.unlink()
        other = self.work / "other.order.toml"
        other.write_text(ORDER.replace("count = ", "count = 1"))
        said = sh(self.binary, "station", "log", self.station, twice, "--order", other, "--issuer", self.work / "ostrava-ca-1.crt.pem", "--profile", "tls-client",
                  "--after", first, "--with-incidents", "--out", out, code=4)
        need("order" in said and not out.exists(), f"another order's log before it: {said}")


def judged(world):
    out = world.work / "run"
    people = Checking(world.words(), world, out)
    incoming, stick, name = world.work / "incoming", world.work / "plain", f"{LOG}.log.pem"

    def another():
        """A file of the right name and length that the factory did not sign, and one that is cut off."""
        octets = bytearray(world.log.read_bytes())
        octets[40] ^= 1
        (stick / name).write_bytes(octets)
        (incoming / name).write_bytes(octets[:-1])

    def in_the_inbox():
        (stick / name).unlink()
        (incoming / name).unlink()
        (stick / "INBOX").mkdir(exist_ok=True)
        shutil.copy(world.log, stick / "INBOX")

    people.looks = [another, in_the_inbox]
    terminal = Terminal(world.argv(world.approval(), out))
    need(people.sit(terminal) is None and terminal.code == 0, f"exit {terminal.code}:\n{terminal.shown[-2500:]}")
    terminal.end()
    digest, size = hashlib.sha256(world.log.read_bytes()).hexdigest(), world.log.stat().st_size
    need(len(people.tried) == 2 and not people.looks, f"tried {people.tried}")
    for told, *expected in ((people.tried[0], f"medium vault-a: no {name} of {size} octets"), (people.tried[1], f"medium vault-a: {name} is not the file that the factory signed")):
        for words in (f"expected {name} with SHA-256 {digest}", "on top of a medium, in its folder INBOX, or in the folder `files` of [incoming]", *expected):
            need(words in told, f"expected {words!r} in {told}")
    kept = out / "issued" / f"{digest}.log.pem"
    need(hashlib.sha256(kept.read_bytes()).hexdigest() == digest, "what is kept is not what was signed")
    account = json.loads((out / f"evidence/artifacts/{LOG}.log-account.json").read_text())
    need((account["logged"], account["ordered"], account["findings"]) == (3, 4, []), account)
    first.signed_and_verified(world, out)
    return people


if __name__ == "__main__":
    sys.exit(requests.main(Delegating, judged, "a log in production"))
