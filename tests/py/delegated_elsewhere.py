"""No device has two certificates that stand, whoever issued them: a factory with bundles and with an authority of its own. An order is refused
where a bundle or a checked log has its devices, and a log that has the devices of bundles is an incident by name, whichever was first; `[replaces]`
lets a device go over. And an authority that was certified without an order is adopted by a later `delegate`, so that its logs come in.

usage: delegated_elsewhere.py PROGRAM"""
import json
import pathlib
import re
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from delegated_ceremony import DER, ORDER, PROGRAM, SCRIPTS, Chain, log, requested, run, sha, unmarked
from delegated_module import Module

LAMPS = (SCRIPTS / "factory-bundle/rehearsal/lamps-1.order.toml").read_text()
HEAD = [("# What it may have in all, whoever makes it", '[[material]]\nname = "laptop"'), ('[[act]]\ntitle = "Enrol the factory"', '[[act]]\ntitle = "Delegate"')]


def own(first, count, **change):
    """An order of lamps for the factory's own authority."""
    text = ORDER.replace('product = "meter"', 'product = "lamp"').replace('prefix = "METER-"', 'prefix = "LAMP-"')
    text = text.replace("first = 1,", f"first = {first},").replace("count = 6", f"count = {count}")
    for key, value in change.items():
        text = text.replace(key, value)
    return text


def handed(chain, number, follows):
    name = f"ostrava-ca-{number}"
    return chain.script("factory-delegate", [
        ("ostrava-ca-1", name), ("meters-own-1", f"lamps-own-{number}"), ('id = "module-ostrava-1"', f'id = "module-{number}"'),
        ("Example Devices Ostrava Module 1", f"Example Devices Ostrava Module {number}"), ('follows = "root-ca-2026"', f'follows = "{follows}"')], HEAD)


def bundled(chain, number, follows):
    """The next bundle: the factory is enrolled once more, with the same keys."""
    new = f"lamps-{number}"
    return chain.script("factory-bundle", [
        ('follows = "hierarchy-2026"', f'follows = "{follows}"'), ('id = "lamps-1-2026"', f'id = "{new}-2026"'), ('order = "lamps-1"', f'order = "{new}"'),
        ('bundle = "lamps-1"', f'bundle = "{new}"'), ('bundles = ["lamps-1"]', f'bundles = ["{new}"]'), ('object = "order"\nname = "lamps-1"', f'object = "order"\nname = "{new}"')])


def checked(chain, number, follows):
    return chain.script("delegated-log", [
        ('id = "module-ostrava-log-1"', f'id = "log-{number}"'), ('follows = "module-ostrava-1"', f'follows = "{follows}"'),
        ("ostrava-ca-1", f"ostrava-ca-{number}"), ("meters-own-1", f"lamps-own-{number}")])


def revoking(chain, certificate, follows, at="2026-12-08"):
    """The root's next list, with an authority's own certificate."""
    return chain.script("crl", [
        ('follows = "intermediate-2026"', f'follows = "{follows}"\nrehearsed_at = "{at}T09:00:00Z"'), ('"issuing-2026"', f'"{certificate}"'),
        ("2026-11-22T06:", f"{at}T06:"), ("2026-11-22T12:", f"{at}T08:"), ("2027-11-22T12:", "2027-11-22T08:")])


def mixed(chain, before):
    """A bundle's ceremony with the steps of a log before this one of its own."""
    script = bundled(chain, 3, "lamps-2-2026")
    log = (SCRIPTS / "delegated-log/script.toml").read_text()
    steps = log[log.index('[[act.step]]\nid = "log"'):log.index('[[act]]\ntitle = "Close"')]
    for old, new in [('id = "order"', 'id = "order-own"'), ("meters-own-1", "lamps-own-1"), ('confirm = ["witness", "auditor"]', 'confirm = ["witness"]')]:
        steps = steps.replace(old, new)
    text = (script / "script.toml").read_text().replace('follows = "lamps-2-2026"', 'follows = "lamps-2-2026"\nrehearsed_at = "2026-12-07T09:00:00Z"')
    at = f'[[act.step]]\nid = "{before}"'
    assert at in text
    (script / "script.toml").write_text(text.replace(at, steps + at))
    return script


def renewed(chain, follows):
    """The issuing authority's certificate renewed with the same key."""
    script = chain.script("renew", [
        ('follows = "intermediate-2026"', f'follows = "{follows}"'), ('key = "new"\nrequest = "issuing-2029"', 'key = "same"'), ('"issuing-2026"', '"issuing-a"')])
    text = (script / "script.toml").read_text()
    at = text.rindex("[[act.step]]", 0, text.index('kind = "take-request"'))
    text = text[:at] + text[text.index("[[act", at + 1):]
    text = re.sub(r"\[\[request\]\].*?\n\n", "", text, flags=re.S)
    text = re.sub(r'\[\[act\]\]\ntitle = "[^"]*"\n\n(?=\[\[act\]\])', "", text)
    (script / "script.toml").write_text(text)
    return script, re.search(r'\nid = "(.*)"', text)[1]


def same_key(folder):
    """An authority renewed with its key, whose old certificate is revoked: what it issued is valid through the new one, so it stands."""
    chain = Chain(folder)
    chain.must(SCRIPTS / "factory-bundle", "lamps-1", {"lamps-1.order.toml": LAMPS.encode()})
    script, name = renewed(chain, "lamps-1-2026")
    chain.must(script, "renewed", {}, "lamps-1")
    chain.must(revoking(chain, "issuing-a", name), "revoked", {}, "renewed")
    chain.refused("(record 0 of bundle lamps-1)", handed(chain, 1, "root-crl-2"), "again", {"lamps-own-1.order.toml": own(1, 2).encode()} | requested(folder, "ostrava-ca-1"), "revoked")
    ledger = folder / "renewed.sqlite"
    before = [path for path in folder.iterdir() if "after-hier" in path.name]
    records = [path / "evidence" for path in (*before, folder / "lamps-1", folder / "renewed", folder / "revoked") if (path / "evidence").is_dir()]
    run(PROGRAM, "ledger", "rebuild", ledger, *records)
    (bundle,) = json.loads(run(PROGRAM, "ledger", "bundles", ledger, "--json"))
    assert not bundle["revoked"], bundle["revoked"]


def module_of(chain, folder, out, name):
    certificate = x509.load_pem_x509_certificate(chain.artefact(out, f"{name}.crt.pem"))
    return certificate, Module(serialization.load_pem_private_key((folder / f"{name}.key").read_bytes(), None), certificate)


def elsewhere(folder):
    chain = Chain(folder)
    injected = lambda first, count: LAMPS.replace("first = 1,", f"first = {first},").replace("count = 20", f"count = {count}").encode()
    chain.must(SCRIPTS / "factory-bundle", "lamps-1", {"lamps-1.order.toml": LAMPS.encode()})
    request = requested(folder, "ostrava-ca-1")
    module = lambda order: {"lamps-own-1.order.toml": order.encode()} | request

    # What a bundle has, a factory's own authority is not ordered to certify again.
    first = handed(chain, 1, "lamps-1-2026")
    chain.refused("found LAMP-00000020 (record 19 of bundle lamps-1) (replay)", first, "taken", module(own(20, 6)), "lamps-1")
    for n, prefix in enumerate(("lamp-", "LAMP:", "LAMP-.")):
        spelled = own(20, 1).replace('prefix = "LAMP-"', f'prefix = "{prefix}"')
        chain.refused("(record 19 of bundle lamps-1) (replay)", first, f"spelled-{n}", module(spelled), "lamps-1")
    chain.must(first, "module-1", module(own(21, 6)), "lamps-1")
    chain.verified("module-1", "lamps-1")
    issuer, factory = module_of(chain, folder, "module-1", "ostrava-ca-1")

    # A bundle is made for two of them all the same, because nothing says yet that they were issued; then their log comes in.
    chain.must(bundled(chain, 2, "module-1"), "lamps-2", {"lamps-2.order.toml": injected(24, 2)}, "module-1")
    issued = [factory.issue(f"LAMP-{n:08}") for n in (21, 22, 24)]
    logged = log(folder, issuer, issued, order=own(21, 6), name="ostrava-ca-1-log-1")
    logged["lamps-own-1.order.toml"] = logged.pop("meters-own-1.order.toml")
    # Between an order's coming in and its being carried out no log is checked: its devices were looked for without it.
    for before in ("unlock", "bundle"):
        chain.refused("found lamps-3: its devices were looked for", mixed(chain, before), f"mixed-{before}", logged | {"lamps-3.order.toml": injected(22, 1)}, "lamps-2")
    chain.must(checked(chain, 1, "lamps-2-2026"), "log-1", logged, "lamps-2")
    account = json.loads(chain.artefact("log-1", "ostrava-ca-1-log-1.log-account.json"))
    assert account["log"]["incidents"] == {"device-elsewhere": 1}, account
    (finding,) = account["findings"]
    assert finding == "authority ostrava-ca-1: log 1: 1 device-elsewhere: certificate 2: LAMP-00000024 has one that stands: record 0 of bundle lamps-2", finding
    chain.verified("log-1", "lamps-2")
    told = json.loads(run(PROGRAM, "verify", folder / "log-1/evidence", "--signers", folder / "log-1/evidence/allowed_signers", "--files", folder / "log-1/issued", "--json"))
    (claim,) = [claim for claim in told["claims"] if claim["claim"] == "from files"]
    assert (claim["status"], claim["detail"]) == ("ok", "re-derived 1 of 1"), claim

    # What was logged is not ordered again, in a bundle or from another authority; the rest of the order is.
    for number, order in enumerate((injected(22, 1), injected(21, 2))):
        chain.refused("(log 1 of ostrava-ca-1)", bundled(chain, 3, "log-1"), f"again-{number}", {"lamps-3.order.toml": order}, "log-1")
    second = requested(folder, "ostrava-ca-2")
    chain.refused("LAMP-00000022 (log 1 of ostrava-ca-1)", handed(chain, 2, "log-1"), "other-module", {"lamps-own-2.order.toml": own(22, 1).encode()} | second, "log-1")

    # With the authority's own certificate nothing of it stands any more: what holds up the order then is the finding, and no device.
    chain.must(revoking(chain, "ostrava-ca-1", "log-1"), "revoked", {}, "log-1")
    code, said = chain.play(bundled(chain, 3, "root-crl-2"), "after-all", {"lamps-3.order.toml": injected(22, 1)}, "revoked")
    assert code != 0 and "nothing unexplained, found 1 findings" in said and "(log 1 of" not in said, said[-2500:]

    # An order that names the old certificates lets devices go over to the factory's own authority: then its log has no incident.
    (made,) = (folder / "lamps-1/bundles").iterdir()
    bundle = json.loads((made / "manifest.json").read_text())["bundle"]
    over = own(1, 2, **{'devices = { prefix = "LAMP-", first = 1, digits = 8 }': 'hardware_ids = ["LAMP-00000001", "LAMP-00000002"]'})
    over += f'\n[replaces]\nbundle = "{bundle}"\nrecords = "0-1"\n'
    wrong = over.replace('"0-1"', '"1-2"')
    chain.refused("expected LAMP-00000002, which has record 1 of bundle lamps-1, found LAMP-00000001", first, "others", module(wrong), "lamps-1")
    chain.must(first, "over", module(over), "lamps-1")
    issuer, factory = module_of(chain, folder, "over", "ostrava-ca-1")
    logged = log(folder, issuer, [factory.issue(f"LAMP-{n:08}") for n in (1, 2)], order=over)
    logged["lamps-own-1.order.toml"] = logged.pop("meters-own-1.order.toml")
    chain.must(checked(chain, 1, "module-1"), "over-log", logged, "over")
    account = json.loads(chain.artefact("over-log", "ostrava-ca-1-log-1.log-account.json"))
    assert account["findings"] == [], account


def adopted(folder):
    chain = Chain(folder)
    request = requested(folder, "ostrava-ca-1")
    delegating = [('[[act]]\ntitle = "Delegate"', '[[act.step]]\nid = "csr"'), ('[[act.step]]\nid = "delegate"', '[[act]]\ntitle = "Issue"')]

    # The profile of such authorities is refused where no step hands one an order.
    bare = chain.script("factory-delegate", [("title = \"Enrol the factory\"", "title = \"Enrol the factory and take in its request\"")], delegating)
    chain.refused("no step hands this one an order", bare, "bare", request)

    # Nor is it certified before it has one, or where an exception skipped that: custodians come for an order that was judged.
    text = (SCRIPTS / "factory-delegate/script.toml").read_text()
    begin, end = text.index('[[act.step]]\nid = "delegate"'), text.index('[[act]]\ntitle = "Issue"')
    late = [('[[act.step]]\nid = "issue"', text[begin:end] + '[[act.step]]\nid = "issue"')]
    chain.refused("step unlock comes before authority ostrava-ca-1 may carry out an order", chain.script("factory-delegate", late, delegating[1:]), "late", request)

    # One of another profile is certified; it issues, and nobody asks for its logs. A later ceremony adopts it.
    unmarked(bare)
    chain.must(bare, "certified", request)
    issuer, factory = module_of(chain, folder, "certified", "ostrava-ca-1")
    issued = [factory.issue(f"METER-{n:08}") for n in range(1, 5)]
    files = log(folder, issuer, issued)
    chain.refused("no authority", SCRIPTS / "delegated-log", "unknown", files, "certified")

    def adopts(name, more=()):
        cut = [("# What X.509 can hold", '[[material]]\nname = "laptop"'), ('[[act]]\ntitle = "Enrol the factory"', '[[act]]\ntitle = "Delegate"'),
               ('[[act.step]]\nid = "csr"', '[[act.step]]\nid = "delegate"'), ('[[act]]\ntitle = "Issue"', '[[act]]\ntitle = "Close"')]
        return chain.script("factory-delegate", [
            ('certificate = "ostrava-ca-1"\norder', f'adopts = "{name}"\norder'), ('id = "module-ostrava-1"', 'id = "module-adopted"'),
            ('follows = "root-ca-2026"', 'follows = "module-ostrava-1"\nrehearsed_at = "2026-11-30T09:00:00Z"'), *more], cut)

    order = {"meters-own-1.order.toml": ORDER.encode()}
    chain.refused("expected one certificate of this name that the chain issued", adopts("lyon-ca-1"), "another", order, "certified")
    chain.refused("expected one of certificate and adopts, found certificate and adopts", adopts("ostrava-ca-1", [('adopts = ', 'certificate = "ostrava-ca-1"\nadopts = ')]), "both", order, "certified")
    late = {"meters-own-1.order.toml": ORDER.replace('expires = "2027-02-19', 'expires = "2027-02-20').replace('not_after = "2027-02-20', 'not_after = "2027-02-21').encode()}
    late["meters-own-1.order.toml"] = late["meters-own-1.order.toml"].replace(b'expires = "2027-02-20T00', b'expires = "2027-02-20T01')
    chain.refused("life: expected until 2027-02-20T01:00:00", adopts("ostrava-ca-1"), "too-late", late, "certified")
    chain.must(revoking(chain, "ostrava-ca-1", "module-ostrava-1"), "revoked", {}, "certified")
    gone = adopts("ostrava-ca-1", [('id = "module-adopted"', 'id = "module-gone"'), ('follows = "module-ostrava-1"', 'follows = "root-crl-2"')])
    chain.refused("it is revoked, on list 2 of root-2026", gone, "gone", order, "revoked")
    chain.must(adopts("ostrava-ca-1"), "adopted", order, "certified")
    said = json.loads(chain.artefact("adopted", "ostrava-ca-1.delegated.json"))
    assert said["delegated"]["certificate"]["sha256"] == sha(issuer.public_bytes(DER)), said
    chain.verified("adopted", "certified")
    chain.refused("it carries out order", adopts("ostrava-ca-1", [('id = "module-adopted"', 'id = "module-again"'), ('follows = "module-ostrava-1"', 'follows = "module-adopted"')]), "twice", order, "adopted")
    chain.must(chain.script("delegated-log", [('follows = "module-ostrava-1"', 'follows = "module-adopted"')]), "log", files, "adopted")
    account = json.loads(chain.artefact("log", "ostrava-ca-1-log-1.log-account.json"))
    assert (account["logged"], account["findings"]) == (4, []), account
    chain.verified("log", "adopted")


def balanced(folder):
    """The ledger's account of a bundle before its issuing authority is revoked, and after: every identity is in one place."""
    chain = Chain(folder)
    chain.must(SCRIPTS / "receipts", "receipts", {})
    made = "receipts-after-lamps-1-2026"
    records = [folder / name / "evidence" for name in (f"{made}-after-hierarchy-2026", made, "receipts")]

    def told(name, *more):
        run(PROGRAM, "ledger", "rebuild", folder / f"{name}.sqlite", *records, *more)
        (bundle,) = json.loads(run(PROGRAM, "ledger", "bundles", folder / f"{name}.sqlite", "--json"))
        return bundle, run(PROGRAM, "ledger", "bundles", folder / f"{name}.sqlite").decode()

    bundle, text = told("before")
    assert (bundle["proven"], bundle["open"], bundle["revoked"]) == (17, "7,17,19", []) and "17 proven (0 of attested keys), 0 revoked, 3 open" in text, text
    chain.must(revoking(chain, "issuing-a", "lamps-receipts-1"), "revoked", {}, "receipts")
    bundle, text = told("after", folder / "revoked/evidence")
    (group,) = bundle["revoked"]
    assert (bundle["proven"], bundle["open"], group["records"], group["authority"], group["crl"], group["reason"]) == (0, "", "0-19", "issuing-a", 2, "key-compromise"), bundle
    assert "0 proven (0 of attested keys), 20 revoked, 0 open" in text and "revoked 0-19 with authority issuing-a: key-compromise" in text, text
    device = json.loads(run(PROGRAM, "ledger", "device", folder / "after.sqlite", "LAMP-00000001", "--issued", folder / "receipts/issued", "--json"))
    assert device[0]["revoked"]["authority"] == "issuing-a", device
    # Its devices did nothing wrong: they are ordered again.
    (folder / "lamps-1.order.toml").write_text(LAMPS)
    run(PROGRAM, "ledger", "devices", folder / "after.sqlite", "--firmware", "1.4.0", "--issued", folder / "receipts/issued", "--like", folder / "lamps-1.order.toml", "--order", folder / "next.toml")
    assert "count = 20" in (folder / "next.toml").read_text() and 'records = "0-19"' in (folder / "next.toml").read_text()


def collected(folder):
    """Requests of devices that the factory's own authority certified are refused one by one."""
    chain = Chain(folder)
    csr = SCRIPTS / "factory-csr"
    files = {path.name: path.read_bytes() for path in (csr / "rehearsal").iterdir()}
    made = chain.script("factory-delegate", [('follows = "root-ca-2026"', 'follows = "hierarchy-2026"')])
    chain.must(made, "module", {"meters-own-1.order.toml": ORDER.encode()} | requested(folder, "ostrava-ca-1"))
    issuer, factory = module_of(chain, folder, "module", "ostrava-ca-1")
    chain.must(SCRIPTS / "delegated-log", "log", log(folder, issuer, [factory.issue(f"METER-{n:08}") for n in (1, 3)]), "module")
    after = chain.script("factory-csr", [('follows = "hierarchy-2026"', 'follows = "module-ostrava-log-1"\nrehearsed_at = "2026-12-08T09:00:00Z"')])
    chain.must(after, "judged", files, "log")
    refusals = json.loads(chain.artefact("judged", "meters-1-keys.refusals.json"))["refused"]
    stands = [one["device"] for one in refusals if any(why["word"] == "device-stands" for why in one["reasons"])]
    assert stands == ["METER-00000001", "METER-00000003"], refusals
    told = json.loads(run(PROGRAM, "verify", folder / "judged/evidence", "--signers", folder / "judged/evidence/allowed_signers", "--files", folder / "judged", "--json"))
    (claim,) = [claim for claim in told["claims"] if claim["claim"] == "from files"]
    assert (claim["status"], claim["detail"]) == ("ok", "re-derived 1 of 1"), claim
    said = ["bundle", "requests", folder / "judged/requests/meters-1-keys.cbor", "--evidence", folder / "judged/evidence", "--name", "meters-1-keys"]
    assert b"accepted" in run(PROGRAM, *said, "--issued", folder / "judged/issued")


PARTS = (elsewhere, same_key, adopted, balanced, collected)
if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        for part in PARTS:
            (pathlib.Path(made) / part.__name__).mkdir()
            part(pathlib.Path(made) / part.__name__)
    print("delegated elsewhere: devices of bundles and logs are not certified twice, whichever was first; one authority adopted; a bundle of a revoked authority balances")
