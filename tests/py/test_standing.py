"""Tests of transcripts/standing.py and of what verify.py says of a folder that took something up: python3 -m unittest -v tests/py/test_standing.py

Two ceremonies of make_folder.py: one makes an authority and enrols a factory, the other follows it. Every lie about what the first leaves is
consistent by itself, signed and bound, and refuted once the record before is brought."""
import copy
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import test_verify as t      # noqa: E402
from test_verify import mk, v      # noqa: E402
import standing      # noqa: E402

KEY, OTHER = "3059301306072a8648ce3d0201", "30593013aa"
SHA = {text: hashlib.sha256(bytes.fromhex(text)).hexdigest() for text in (KEY, OTHER)}
SUBJECT = {"common_name": "Root", "organization": "Example"}
ENDED = 1_900_000_000_000
ENROLMENT = json.dumps({"signature": "s", "statement": {"factory": "ostrava", "receipt_key": "ssh-ed25519 AAAA", "recipient": "age1x"}}, separators=(",", ":"), sort_keys=True)
TABLES = b'''
[[quorum]]
name = "vault"
threshold = 2
custodians = ["ada", "witness-a"]
[[authority]]
name = "root"
profile = "root"
algorithm = "ecdsa-p256"
quorum = "vault"
not_before = "2026-11-22T00:00:00Z"
not_after = 2051-11-22T00:00:00Z
'''
FIRST = mk.SCRIPT + TABLES + b'''[[factory]]
name = "ostrava"
valid_until = "2027-11-22T00:00:00Z"
[[factory.quota]]
product = "lamp"
most = 10
'''
LATER = mk.SCRIPT + b'[ceremony]\nfollows = "test-2026"\n' + TABLES.replace(b'name = "vault"', b'name = "vault"\nstanding = true').replace(b'name = "root"\n', b'name = "root"\nstanding = true\n')
DATES = {"not_after": v.milliseconds("2051-11-22T00:00:00Z"), "not_before": v.milliseconds("2026-11-22T00:00:00Z")}


def plan(keys):
    """The entries of make_folder.py, whose intent is what one of ours looks like."""
    entries = mk.plan(keys)
    for entry in entries:
        if entry["kind"] == "intent":
            entry["body"]["effect"] = {"effect": "probe-machine"}
    return entries


def did(effect, outcome):
    """An intent and what came of it."""
    return [mk.entry("intent", "meant", {"effect": effect}, step="s-2"), mk.entry("outcome", "done", {"event": {"event": "done", "outcome": outcome}}, step="s-2")]


def artefact(name, content):
    return did({"content": content if type(content) is str else json.dumps(content), "effect": "write-artifact", "name": name},
               {"file": {"name": name, "sha256": "00" * 32, "size": 1}, "outcome": "artifact-written"})


def made(generation=1, key=KEY):
    return did({"algorithm": "ecdsa-p256", "authority": "root", "count": 2, "effect": "make-key", "generation": generation, "operations": [], "quorum": "vault", "step": "key", "threshold": 2},
               {"commitments": ["11" * 32, "22" * 32], "outcome": "key-made", "public_key": key, "quorum_id": f"0000000{generation}", "recipient": "age1y",
                "sealed": {"name": f"root.g{generation}.key.age", "sha256": "33" * 32, "size": 1}})


def shown():
    return [entry for n, who in enumerate(mk.PEOPLE, 1) for entry in did({"count": 2, "effect": "show-share", "generation": 1, "holder": who, "index": n, "quorum": "vault"},
                                                                         {"form": "simulated", "outcome": "share-shown"})]


def signed(operation, der):
    return did({"digest": "44" * 32, "effect": "sign", "operation": operation}, {"der": der, "outcome": "signed"})


ROOT = {"authority": "root", "operation": "root-certificate", "policy_oid": "", "profile": "root", "public_key": KEY, "serial": "40" * 20, "step": "s-2", "subject": SUBJECT} | DATES
CRL = {"authority": "root", "number": 1, "operation": "crl", "revoked": [{"date": 1, "reason": "superseded", "serial": "41" * 20}], "step": "s-2"}
BELOW = {"authority": "root", "name": "module", "operation": "certificate", "serial": "41" * 20, "step": "s-2", "not_after": ENDED + 7, "not_before": 1, "profile": "x",
         "subject": {"certified": "key", "public_key": OTHER, "subject": {"common_name": "Module"}}}
DELEGATED = {"format": "anchorite-delegated/1", "factory": "ostrava", "delegated": {"count": 6, "name": "module", "product": "lamp"}}
LOGGED = {"format": "anchorite-log-account/1", "factory": "ostrava", "authority": "module", "findings": ["authority module: log 1: quota"], "log": {"count": 7, "sequence": 1}}


def first():
    """What the first ceremony does, between two steps."""
    return (made() + shown() + did({"effect": "check-consistency", "quorum": "vault", "recipient": "", "threshold": 2}, {"outcome": "consistent", "subsets": 1})
            + signed(ROOT, "3001") + artefact("ostrava.enrolment.json", ENROLMENT) + artefact("module.delegated.json", DELEGATED)
            + signed(BELOW, "3002") + artefact("log.log-account.json", LOGGED) + signed(CRL, "3003"))


LEFT = {
    "authorities": {"root": {"algorithm": "ecdsa-p256", "certificate": "3001", "crl": "3003", "generation": 1, "public_key": KEY, "quorum": "vault", "sealed": "33" * 32,
                             "issued": [{"certificate": "3002", "name": "module", "serial": "41" * 20, "step": "s-2"}], "sealed_name": "root.g1.key.age", "profile": "root",
                             "subject": SUBJECT} | DATES},
    "ceremony": "test-2026", "format": "anchorite-standing/1", "keys": sorted(SHA.values()), "realm": "rehearsal",
    "quorums": {"vault": {"commitments": ["11" * 32, "22" * 32], "generation": 1, "holders": list(mk.PEOPLE), "id": "00000001", "recipient": "age1y", "retired": [], "threshold": 2}},
    "factories": {"ostrava": {"bundles": [], "ceremony": "test-2026", "enrolment": hashlib.sha256(ENROLMENT.encode()).hexdigest(), "quotas": {"lamp": 10}, "receipt_key": "ssh-ed25519 AAAA",
                              "recipient": "age1x", "valid_until": v.milliseconds("2027-11-22T00:00:00Z"), "findings": ["authority module: log 1: quota"],
                              "delegated": [{"count": 6, "name": "module", "product": "lamp", "logs": [LOGGED["log"]],
                                             "certificate": {"issuer": "root", "not_after": ENDED, "revoked": 1, "serial": "41" * 20, "sha256": hashlib.sha256(b"\x30\x02").hexdigest()}}]}},
}


class Standing(t.Base):
    def setUp(self):
        super().setUp()
        self.before = self.tmp / "before"
        entries = plan(self.keys)
        self.left = LEFT | {"head": mk.build(self.before, self.keys, entries[:6] + first() + entries[6:], script=FIRST)}

    def later(self, stands, script=LATER, realm="rehearsal"):
        """A ceremony that took this up: signed, and by itself consistent."""
        entries, octets = plan(self.keys), mk.jcs(stands)
        entries[0]["body"]["standing"] = hashlib.sha256(octets).hexdigest()
        shutil.rmtree(self.folder, ignore_errors=True)
        mk.build(self.folder, self.keys, entries, script=script, head=mk.header(self.keys, script) | {"ceremony": mk.CEREMONY})
        (self.folder / "standing.json").write_bytes(octets)
        mk.sums(self.folder)

    def says(self, code, where=None, after=True):
        answer = v.verify(self.folder, self.pins, None, [self.before] if after else None)
        self.assertEqual((code, where), (answer["exit"], answer["first_bad"] and answer["first_bad"]["where"]), answer)
        return answer

    def test_what_a_record_leaves_is_derived_from_it(self):
        self.later(self.left)
        said = {claim["claim"]: (claim["status"], claim["detail"]) for claim in self.says(0)["claims"]}
        self.assertEqual(("ok", "exactly what the record of test-2026 leaves"), said["what stands"])
        self.assertEqual("unchecked", self.status(self.says(0, after=False), "what stands"))

    def test_every_lie_about_it_is_refuted_by_the_record_before_and_by_nothing_else(self):
        def inside(*path):
            def reach(stands):
                for key in path:
                    stands = stands[key]
                return stands
            return reach
        root, vault, ostrava = inside("authorities", "root"), inside("quorums", "vault"), inside("factories", "ostrava")
        lies = {
            "a key forgotten": lambda s: s["keys"].pop(), "a key added": lambda s: s["keys"].append("ff" * 32),
            "another list": lambda s: root(s).update(crl=""), "another certificate": lambda s: root(s).update(certificate="3009"),
            "another sealed key": lambda s: root(s).update(sealed="99" * 32), "what it issued forgotten": lambda s: root(s)["issued"].clear(),
            "another serial": lambda s: root(s)["issued"][0].update(serial="42" * 20), "another public key": lambda s: root(s).update(public_key=OTHER),
            "another generation": lambda s: vault(s).update(generation=2), "another recipient": lambda s: vault(s).update(recipient="age1z"),
            "another commitment": lambda s: vault(s)["commitments"].reverse(), "a generation retired": lambda s: vault(s)["retired"].append({"generation": 0, "id": "x", "time": 1}),
            "another quota": lambda s: ostrava(s)["quotas"].update(lamp=11), "a finding forgotten": lambda s: ostrava(s).pop("findings"),
            "a finding explained": lambda s: ostrava(s).update(explained=[{"ceremony": "x", "exception": 1, "finding": "authority module: log 1: quota"}]),
            "another receipt key": lambda s: ostrava(s).update(receipt_key="ssh-ed25519 BBBB"), "a log forgotten": lambda s: ostrava(s)["delegated"][0].pop("logs"),
            "fewer in a log": lambda s: ostrava(s)["delegated"][0]["logs"][0].update(count=6), "not revoked": lambda s: ostrava(s)["delegated"][0]["certificate"].pop("revoked"),
            "a bundle added": lambda s: ostrava(s)["bundles"].append({"bundle": "x"}), "a factory forgotten": lambda s: s.pop("factories"),
            "device keys": lambda s: s.update(device_keys="77" * 32), "an authority added": lambda s: s["authorities"].update(other=copy.deepcopy(root(s))),
        }
        for name, lie in lies.items():
            with self.subTest(name):
                stands = copy.deepcopy(self.left)
                lie(stands)
                self.later(stands)
                self.says(0, after=False)
                answer = self.says(4, "standing.json")
                self.assertIn("expected exactly what the record of test-2026 leaves", answer["problem"])

    def test_script_and_what_stands_say_the_same(self):
        cases = {
            "threshold": LATER.replace(b"threshold = 2", b"threshold = 1"), "custodians": LATER.replace(b'["ada", "witness-a"]', b'["witness-a", "ada"]'),
            "profile": LATER.replace(b'profile = "root"', b'profile = "other"'), "algorithm": LATER.replace(b"ecdsa-p256", b"ecdsa-p384"),
            "quorum": LATER.replace(b'quorum = "vault"', b'quorum = "other"'), "not_after": LATER.replace(b"2051-11", b"2052-11"),
            "made again": LATER.replace(b'name = "root"\nstanding = true\n', b'name = "root"\n'), "not left": LATER.replace(b'name = "vault"\n', b'name = "other"\n'),
        }
        for name, script in cases.items():
            with self.subTest(name):
                self.assertNotEqual(script, LATER)
                self.later(self.left, script)
                self.says(4, 0)

    def test_what_is_inside_is_looked_at(self):
        for name, change in {
            "a word too many": lambda s: s["quorums"]["vault"].update(more=1), "one too few": lambda s: s["authorities"]["root"].pop("sealed"),
            "a number for a word": lambda s: s["authorities"]["root"].update(profile=1), "no list": lambda s: s["quorums"]["vault"].update(holders="ada"),
            "another kind of finding": lambda s: s["factories"]["ostrava"].update(findings=[1]), "a quota in words": lambda s: s["factories"]["ostrava"]["quotas"].update(lamp="many"),
        }.items():
            with self.subTest(name):
                stands = copy.deepcopy(self.left)
                change(stands)
                self.later(stands)
                self.says(4, 0, after=False)

    def test_another_record_or_one_that_leaves_nothing(self):
        entries = plan(self.keys)
        for name, more, cut in (("open", first(), -1), ("no quorum", made(), 99), ("no authority", signed(ROOT, "3001"), 99), ("no share", did({"effect": "show-share", "index": 1, "quorum": "x", "holder": ""}, {"outcome": "share-shown"}), 99)):
            with self.subTest(name):
                shutil.rmtree(self.before)
                head = mk.build(self.before, self.keys, (entries[:6] + more + entries[6:])[:cut], script=FIRST)
                self.later(self.left | {"head": head})
                self.says(4, "standing.json")
        self.later(self.left | {"head": "12" * 32})
        self.says(4, "standing.json")

    def test_a_copy_with_bodies_withheld_leaves_nothing_that_can_be_derived(self):
        entries = plan(self.keys)
        shutil.rmtree(self.before)
        self.assertEqual(self.left["head"], mk.build(self.before, self.keys, entries[:6] + first() + entries[6:], script=FIRST, withhold=(1,)))
        self.later(self.left)
        self.assertEqual("unchecked", self.status(self.says(0), "what stands"))

    def test_verify_alone_says_what_is_missing(self):
        self.later(self.left)
        alone = self.tmp / "verify.py"
        shutil.copy(t.TRANSCRIPTS / "verify.py", alone)
        done = subprocess.run([sys.executable, "-S", alone, self.folder, "--signers", self.pins, "--after", self.before], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertIn("standing.py, which belongs beside verify.py", done.stdout)

    def test_a_generation_that_was_voided_is_retired(self):
        lines = [{"header": {"ceremony": "x", "realm": "rehearsal"}, "head": "00"}]
        again = [mk.entry("step", "reopened", {"generation": 1, "quorum": "vault"})] + made(2, OTHER) + shown()
        again += did({"effect": "check-consistency", "quorum": "vault"}, {"outcome": "consistent"}) + signed(ROOT, "3001") + [mk.entry("closed", "done")]
        for n, entry in enumerate(made() + again):
            lines.append({"head": "00", "body": entry["body"], "open": {"kind": entry["kind"], "outcome": entry["outcome"], "time": n}})
        left = standing.left_by(lines, mk.SCRIPT, {})
        self.assertEqual(([{"generation": 1, "id": "00000001", "time": 2}], 2), (left["quorums"]["vault"]["retired"], left["authorities"]["root"]["generation"]))
        self.assertEqual(sorted(SHA.values()), left["keys"])

    def test_what_a_machine_that_died_writes_anew_counts_once(self):
        explained = {"format": "anchorite-explained/1", "factory": "ostrava", "explained": [{"finding": "authority module: log 1: quota", "ceremony": "x", "exception": 1}]}
        done = [mk.entry("opened", "done")] + first() + artefact("s.explained.json", explained) + [mk.entry("closed", "done")]
        twice = [same for entry in done for same in [entry] * (2 if entry["kind"] == "intent" else 1)]

        def left(entries):
            opened = [{"head": "00", "body": entry["body"], "open": {"kind": entry["kind"], "outcome": entry["outcome"], "time": n}} for n, entry in enumerate(entries)]
            return standing.left_by([{"header": {"ceremony": "test-2026", "realm": "rehearsal"}, "head": "00"}, *opened], FIRST, {})
        once = left(done)
        self.assertEqual(1, len(once["factories"]["ostrava"]["explained"]))
        self.assertEqual(once, left(twice))

    def test_receipts_settle_and_numbers_do_not(self):
        factory = {"bundles": [{"bundle": "b", "name": "lamps"}], "findings": ["bundle lamps: old", "bundle other: stays"], "explained": [{"finding": "bundle lamps: known"}]}
        left = standing.Left({"ceremony": "x"}, b"", {"factories": {"ostrava": factory}})
        said = {"format": "anchorite-balance/1", "factory": "ostrava", "bundle": "lamps", "bundle_id": "b", "each_record": True, "receipt": {"account": {}}, "findings": ["new", "known"]}
        left.written("r.balance.json", json.dumps(said))
        self.assertEqual(["bundle other: stays", "bundle lamps: new"], left.factories["ostrava"]["findings"])
        left.written("r.balance.json", json.dumps(said | {"each_record": False, "findings": ["numbers"]}))
        self.assertEqual(["bundle other: stays", "bundle lamps: new", "bundle lamps: numbers"], left.factories["ostrava"]["findings"])
        left.written("s.explained.json", json.dumps({"format": "anchorite-explained/1", "factory": "ostrava", "explained": [{"finding": "bundle other: stays"}]}))
        self.assertEqual(2, len(left.factories["ostrava"]["explained"]))
        self.assertNotIn("findings", left.factories["ostrava"])


if __name__ == "__main__":
    unittest.main()
