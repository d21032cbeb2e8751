"""A factory's own authority through whole ceremonies, with pyca as its module: an order is handed over within the quota, the authority certified,
and its logs come back. One log continues another; a log that is replayed, withheld before, forked, of another key or order is refused by name;
what is wrong in one, or too much over all of them, or met elsewhere and in none, is a finding that holds up the next order until it is
explained. The ledger knows every authority and finds a device in its log; both verifiers follow the chain.

usage: delegated_ceremony.py PROGRAM"""
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

import make_requests
from delegated_module import Module

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "ceremony-scripts"
PROGRAM = pathlib.Path(sys.argv[1]).resolve()
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
ORDER = (SCRIPTS / "factory-delegate/rehearsal/meters-own-1.order.toml").read_text()
# 30 November and on: the certificate begins on the 23rd, the ceremony that checks logs is on 7 December.
MADE = 1796000000000


def run(*arguments, **more):
    return subprocess.run([str(a) for a in arguments], check=True, capture_output=True, **more).stdout


def sha(octets):
    return hashlib.sha256(octets).hexdigest()


class Chain:
    """A folder with ceremonies that follow one another."""

    def __init__(self, folder):
        self.folder, self.number = folder, 0

    def script(self, of, changes, cut=()):
        self.number += 1
        home = self.folder / f"script-{self.number}"
        home.mkdir()
        for shared in ("profiles", "root-ca", "hierarchy"):
            (home / shared).symlink_to(SCRIPTS / shared)
        (home / "script").mkdir()
        text = (SCRIPTS / of / "script.toml").read_text()
        for begin, end in cut:
            start = text.index(begin)
            text = text[:start] + text[text.index(end, start):]
        for before, after in changes:
            assert before in text, before
            text = text.replace(before, after)
        (home / "script/script.toml").write_text(text)
        return home / "script"

    def play(self, script, out, incoming, after=None):
        to = self.folder / f"incoming-{out}"
        to.mkdir()
        for name, octets in incoming.items():
            (to / name).write_bytes(octets)
        arguments = [PROGRAM, "rehearse", script, "--plain", "--auto", "--seed", "7", "--incoming", to, "--out", self.folder / out]
        arguments += ["--after", self.folder / after] if after else []
        done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def must(self, *arguments):
        code, said = self.play(*arguments)
        assert code == 0, said[-3000:]

    def refused(self, word, *arguments):
        code, said = self.play(*arguments)
        assert code != 0 and word in said, (word, said[-2500:])

    def artefact(self, out, name):
        return (self.folder / out / "evidence/artifacts" / name).read_bytes()

    def verified(self, out, after):
        evidence = self.folder / out / "evidence"
        for verifier in ([PROGRAM, "verify"], [sys.executable, ROOT / "transcripts/verify.py"]):
            run(*verifier, evidence, "--signers", evidence / "allowed_signers", "--after", self.folder / after / "evidence")


def signed(statement, folder, seed=None):
    """As `ssh-keygen -Y sign` of the factory's station does; its simulated keys follow from its name."""
    seed = seed or make_requests.tagged(b"rehearsal-station", [b"ostrava", b"receipt-key"])
    key, message = folder / "receipt-key", folder / "message"
    key.unlink(missing_ok=True)
    key.write_bytes(ed25519.Ed25519PrivateKey.from_private_bytes(seed).private_bytes(PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()))
    key.chmod(0o600)
    (folder / "message.sig").unlink(missing_ok=True)
    message.write_bytes(make_requests.jcs(statement))
    run("ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", "rehearsal-issuance-log@anchorite", message)
    return make_requests.jcs({"signature": (folder / "message.sig").read_text(), "statement": statement})


def log(folder, authority, certificates, sequence=1, previous=None, order=ORDER, seed=None, name="ostrava-ca-1-log-1", **change):
    """The files of a log, as they come in, with the order."""
    text = b"".join(c.public_bytes(PEM) for c in certificates)
    statement = {"count": len(certificates), "factory": "ostrava", "format": "anchorite-issuance-log/1", "issuer": sha(authority.public_bytes(DER)),
                 "made": MADE + sequence * 1000, "order": sha(order.encode()), "previous": previous, "realm": "rehearsal", "sequence": sequence,
                 "sha256": sha(text), "size": len(text), **change}
    return {f"{name}.log.json": signed(statement, folder, seed), f"{name}.log.pem": text, "meters-own-1.order.toml": order.encode()}


def requested(folder, name):
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder / f"{name}.key")
    run("openssl", "req", "-new", "-key", folder / f"{name}.key", "-subj", f"/CN={name}", "-out", folder / f"{name}.csr.pem")
    return {f"{name}.csr.pem": (folder / f"{name}.csr.pem").read_bytes()}


def unmarked(script):
    """The same script with a profile of its own that does not say what it is of."""
    profile = (SCRIPTS / "profiles/subca-factory.toml").read_text().replace("delegated = true\n", "").replace('name = "subca-factory"', 'name = "subca-module"')
    (script / "profiles").mkdir()
    (script / "profiles/subca-module.toml").write_text(profile)
    text = script / "script.toml"
    text.write_text(text.read_text().replace('profile = "subca-factory"', 'profile = "subca-module"'))


def after(id_, follows, *more):
    return [('id = "module-ostrava-log-1"', f'id = "{id_}"'), ('follows = "module-ostrava-1"', f'follows = "{follows}"'), *more]


def main(folder):
    chain = Chain(folder)
    order = {"meters-own-1.order.toml": ORDER.encode()}
    request = requested(folder, "ostrava-ca-1")

    # What must not be handed over: over the quota, another mode, an authority that lives too long, or one that anything may be done with.
    small = chain.script("factory-delegate", [("most = 20000", "most = 5")])
    chain.refused("(quota)", small, "over-quota", order | request)
    long = chain.script("factory-delegate", [('profile = "subca-factory"', 'profile = "subca-device"'), ('not_after = "2027-02-20T00:00:00Z"', 'not_after = "2028-02-20T00:00:00Z"')])
    first = "over-quota-after-root-ca-2026"
    code, said = chain.play(long, "too-long", order | request, first)
    for word in ("life: expected at most 92 days", "name constraints: expected some", "extended key usages: expected some"):
        assert code != 0 and word in said, (word, said[-2500:])
    other = ORDER.replace('mode = "delegated"', 'mode = "injected"')
    chain.refused("order: mode", SCRIPTS / "factory-delegate", "other-mode", {"meters-own-1.order.toml": other.encode()} | request, first)

    tight = chain.script("factory-delegate", [("most = 20000", "most = 12")])
    chain.must(tight, "delegated", order | request, first)
    record = (folder / "delegated/evidence/transcript.jsonl").read_text()
    assert '"to be done by 20' in record and "bundle until" not in record, "no bundle is made of it"
    record = (folder / "over-quota/evidence/transcript.jsonl").read_text()
    assert "ostrava-ca-1.crt.pem" not in record, "nothing was certified where the order was refused"
    issuer = x509.load_pem_x509_certificate(chain.artefact("delegated", "ostrava-ca-1.crt.pem"))
    module = Module(serialization.load_pem_private_key((folder / "ostrava-ca-1.key").read_bytes(), None), issuer)
    ids = [f"METER-{n:08}" for n in range(1, 8)]
    good = [module.issue(device) for device in ids[:4]]
    script = SCRIPTS / "delegated-log"

    # The first log: refused whole where it is not the factory's word about this authority and order, or not the first.
    whole = {
        "(bad-signature)": log(folder, issuer, good, seed=bytes(32)), "(wrong-factory)": log(folder, issuer, good, factory="lyon"),
        "(foreign)": log(folder, issuer, good, issuer="00" * 32), "(wrong-realm)": log(folder, issuer, good, realm="production"),
        "(wrong-order)": log(folder, issuer, good, order=ORDER.replace("count = 6", "count = 60")),
        "number 1 after none": log(folder, issuer, good, sequence=1, previous="00" * 32),
        "number 2: 1 is withheld (sequence)": log(folder, issuer, good, sequence=2, previous="00" * 32),
        "expected at most 200000 certificates in 2147483648 octets": log(folder, issuer, good, size=1 << 31 | 1),
        "expected ostrava-ca-1-log-1.log.pem with SHA-256": log(folder, issuer, good) | {"ostrava-ca-1-log-1.log.pem": b""},
    }
    for number, (word, files) in enumerate(whole.items()):
        chain.refused(word, script, f"whole-{number}", files, "delegated")
    one = log(folder, issuer, good)
    chain.must(script, "log-1", one, "delegated")
    account = json.loads(chain.artefact("log-1", "ostrava-ca-1-log-1.log-account.json"))
    assert (account["logged"], account["ordered"], account["charged"], account["findings"]) == (4, 6, 6, []), account
    kept = folder / "log-1/issued" / f"{account['log']['sha256']}.log.pem"
    assert kept.read_bytes() == one["ostrava-ca-1-log-1.log.pem"]
    chain.verified("log-1", "delegated")

    # The second continues it.
    second = chain.script("delegated-log", after("module-ostrava-log-2", "module-ostrava-log-1"))
    previous = sha(one["ostrava-ca-1-log-1.log.json"])
    more = [module.issue(ids[4])]
    for number, (word, files) in enumerate({
        "which came before (replay)": one,
        "number 3: 2 is withheld (sequence)": log(folder, issuer, more, 3, previous),
        "number 5: 2 to 4 are withheld (sequence)": log(folder, issuer, more, 5, previous),
        "(fork)": log(folder, issuer, more, 2, "11" * 32),
        "expected one made after": log(folder, issuer, more, 2, previous, made=MADE),
    }.items()):
        chain.refused(word, second, f"second-{number}", files, "log-1")
    two = log(folder, issuer, more, 2, previous)
    chain.must(second, "log-2", two, "log-1")
    account = json.loads(chain.artefact("log-2", "ostrava-ca-1-log-1.log-account.json"))
    assert (account["logged"], account["findings"]) == (5, []), account
    chain.verified("log-2", "log-1")

    # Without the log before, the second is not judged: whoever lost it is told which file.
    lost = folder / "log-1/issued" / kept.name
    octets = lost.read_bytes()
    lost.unlink()
    chain.refused(f"{kept.name}: expected what was kept", second, "lost", two, "log-1")
    lost.write_bytes(octets.replace(b"\n", b"\r\n"))
    chain.refused("expected the file that was signed", second, "altered", two, "log-1")
    lost.write_bytes(octets)

    # What is wrong is found over all logs: a device, a serial number and a key of an earlier one, and more than was ordered in all.
    bad = [module.issue(ids[0]), module.issue(ids[5], serial=good[1].serial_number), module.issue(ids[6], public=good[2].public_key())]
    field = module.issue("METER-00000006").public_bytes(PEM)
    seen = after("module-ostrava-log-2", "module-ostrava-log-1", ('profile = "tls-client"\n', 'profile = "tls-client"\nseen = ["field-1"]\n'),
                 ('[[act.step]]\nid = "check"', '''[[act.step]]
id = "field"
title = "Take in what was met in the field"
kind = "take-object"
who = "administrator"
confirm = ["witness"]
minutes = 3
say = "This certificate was read from a device in the field."
object = "certificate"
name = "field-1"

[[act.step]]
id = "check"'''))
    wrong = log(folder, issuer, bad, 2, previous, made=MADE + 10 ** 10) | {"field-1.crt.pem": field}
    chain.must(chain.script("delegated-log", seen), "wrong", wrong, "log-1")
    account = json.loads(chain.artefact("wrong", "ostrava-ca-1-log-1.log-account.json"))
    assert account["log"]["incidents"] == {"device-not-ordered": 1, "device-twice": 1, "key-twice": 1, "quota": 1, "serial-twice": 1, "unlogged": 1}, account
    findings = account["findings"]
    assert len(findings) == 7 and all(finding.startswith("authority ostrava-ca-1: log 2: ") for finding in findings), findings
    assert any("4 in the logs before and 3 in this one" in finding for finding in findings) and any("when it was looked at" in finding for finding in findings)
    chain.verified("wrong", "log-1")

    # Whoever has the files finds the same again; whoever has not is told whose word it is.
    for files, status, detail in ((["--files", folder / "wrong/issued"], "ok", "re-derived 1 of 1"), ([], "recorded", "is the ceremony's word: no files were brought"),
                                  (["--files", folder / "delegated/state/incoming"], "recorded", "is the ceremony's word: no file *.log.pem with SHA-256")):
        done = subprocess.run([str(a) for a in (PROGRAM, "verify", folder / "wrong/evidence", "--json", *files)], capture_output=True, text=True)
        (claim,) = [claim for claim in json.loads(done.stdout)["claims"] if claim["claim"] == "from files"]
        assert done.returncode == 8 and claim["status"] == status and detail in claim["detail"], claim

    # The next order of the factory is held up by each of them, until all are explained.
    next_ = ORDER.replace("first = 1,", "first = 101,").replace("count = 6", "count = 5")
    files = {"meters-own-2.order.toml": next_.encode()} | requested(folder, "ostrava-ca-2")
    renamed = [("ostrava-ca-1", "ostrava-ca-2"), ("meters-own-1", "meters-own-2"), ('id = "module-ostrava-1"', 'id = "module-ostrava-2"'),
               ("Example Devices Ostrava Module 1", "Example Devices Ostrava Module 2")]
    stands = [("# What it may have in all, whoever makes it", '[[material]]\nname = "laptop"'), ('[[act]]\ntitle = "Enrol the factory"', '[[act]]\ntitle = "Delegate"')]

    def handed(follows):
        return chain.script("factory-delegate", [*renamed, ('follows = "root-ca-2026"', f'follows = "{follows}"\nrehearsed_at = "2026-12-08T09:00:00Z"')], stands)

    chain.refused("nothing unexplained, found 7 findings", handed("module-ostrava-log-2"), "held-up", files, "wrong")
    explain = [("kind = \"check-log\"", "kind = \"explain-findings\""), ('log = "ostrava-ca-1-log-1"\norder = "meters-own-1"\nfactory = "ostrava"\nprofile = "tls-client"\n', 'factory = "ostrava"\n')]
    taking = [('[[act.step]]\nid = "log"', '[[act.step]]\nid = "check"')]
    explaining = chain.script("delegated-log", after("module-ostrava-explained", "module-ostrava-log-2", *explain), taking)
    chain.must(explaining, "explained", {}, "wrong")
    assert chain.artefact("explained", "check.explained.json").count(b'"finding"') == 7
    # Seven were issued under an order of six: five more of a quota of twelve are left, and six are not.
    six = {"meters-own-2.order.toml": next_.replace("count = 5", "count = 6").encode()} | {name: files[name] for name in files if "csr" in name}
    chain.refused("at most 5, which is what is left of a quota of 12", handed("module-ostrava-explained"), "too-many", six, "explained")
    chain.must(handed("module-ostrava-explained"), "handed", files, "explained")
    chain.verified("handed", "explained")
    # An order that is carried out is carried out once, and refused where it comes in; so is another one for devices that a log has.
    again = {"meters-own-2.order.toml": ORDER.encode()} | {name: files[name] for name in files if "csr" in name}
    chain.refused("one that was not carried out before", handed("module-ostrava-1"), "again", again, "delegated")
    logged = again | {"meters-own-2.order.toml": ORDER.replace("count = 6", "count = 5").encode()}
    chain.refused("METER-00000001 (log 1 of ostrava-ca-1), METER-00000002 (log 1 of ostrava-ca-1) and ", handed("module-ostrava-explained"), "again-logged", logged, "explained")

    # Its life is not extended by a renewal, which no `delegate` would look at.
    own = [("[[request]]", '[[material]]\nname = "laptop"'), ('[[act]]\ntitle = "Enrol the factory"', '[[act]]\ntitle = "Issue"')]
    renewing = [('request = "ostrava-ca-1"\nprofile = "subca-factory"\nsubject = { country = "SE", organization = "Example Devices", common_name = "Example Devices Ostrava Module 1" }\n',
                 'renews = "ostrava-ca-1"\nkey = "same"\nprofile = "subca-factory"\n'), ('name = "ostrava-ca-1"\nissuer', 'name = "ostrava-ca-1b"\nissuer'),
                ('certificate = "ostrava-ca-1"', 'certificate = "ostrava-ca-1b"'), ('certificates = ["ostrava-ca-1"]', 'certificates = ["ostrava-ca-1b"]'),
                ('id = "module-ostrava-1"', 'id = "module-ostrava-1b"'), ('follows = "root-ca-2026"', 'follows = "module-ostrava-log-2"')]
    renewal = chain.script("factory-delegate", renewing, own)
    chain.refused("no step hands this one an order", renewal, "renewed", {}, "log-2")
    unmarked(renewal)
    chain.refused("it is not renewed", renewal, "renewed-otherwise", {}, "log-2")

    # An authority that ended owes its last log: no order before it.
    late = chain.script("factory-delegate", [*renamed, ('follows = "root-ca-2026"', 'follows = "module-ostrava-log-2"\nrehearsed_at = "2027-02-21T09:00:00Z"'),
                                             ('not_before = "2026-11-23T00:00:00Z"', 'not_before = "2027-02-20T00:00:00Z"'), ('not_after = "2027-02-20T00:00:00Z"', 'not_after = "2027-05-20T00:00:00Z"')], stands)
    later = next_.replace('expires = "2027-02-19T00:00:00Z"', 'expires = "2027-05-19T00:00:00Z"').replace('not_after = "2027-02-20T00:00:00Z"', 'not_after = "2027-05-20T00:00:00Z"')
    files = {"meters-own-2.order.toml": later.encode()} | {name: files[name] for name in files if "csr" in name}
    chain.refused("authority ostrava-ca-1 of ostrava: expected a log made at", late, "owes", files, "log-2")

    # The ledger, made again from the records.
    ledger = folder / "ledger.sqlite"
    records = [folder / name / "evidence" for name in (first, "delegated", "log-1", "wrong", "explained", "handed")]
    run(PROGRAM, "ledger", "rebuild", ledger, *records)
    known = json.loads(run(PROGRAM, "ledger", "delegated", ledger, "--json"))
    assert [(one["name"], one["ordered"], one["logged"], len(one["logs"])) for one in known] == [("ostrava-ca-1", 6, 7, 2), ("ostrava-ca-2", 5, 0, 0)], known
    assert known[0]["chain"] == ["ostrava-ca-1", "root-2026"] and known[0]["certificate"] == sha(issuer.public_bytes(DER))
    assert len(known[0]["findings"]) == 7 and all(one["explained"] == f"module-ostrava-explained, exception {n}" for n, one in enumerate(known[0]["findings"], 1)), known[0]
    assert b"7 meter logged of 6 ordered" in run(PROGRAM, "ledger", "delegated", ledger, "--factory", "ostrava")
    assert run(PROGRAM, "ledger", "delegated", ledger, "--factory", "lyon", "--json").strip() == b"[]"
    device = json.loads(run(PROGRAM, "ledger", "device", ledger, ids[3], "--issued", folder / "wrong/issued", "--json"))
    assert len(device) == 1 and (device[0]["log"]["number"], device[0]["log"]["place"], device[0]["made"]["authority"]) == (1, 3, "ostrava-ca-1"), device
    assert x509.load_pem_x509_certificate(device[0]["certificate"].encode()) == good[3]
    twice = json.loads(run(PROGRAM, "ledger", "device", ledger, ids[0], "--issued", folder / "wrong/issued", "--json"))
    assert [one["log"]["number"] for one in twice] == [1, 2], twice
    print(f"delegated: {len(whole) + 5} logs refused by name, 6 kinds of incident over two logs with one certificate met elsewhere, findings hold up the next order until explained")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(pathlib.Path(made))
