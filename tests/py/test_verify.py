"""Tests of transcripts/verify.py: python3 -m unittest -v tests/py/test_verify.py"""
import copy
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
TRANSCRIPTS = HERE.parent.parent / "transcripts"
sys.path[:0] = [str(HERE), str(TRANSCRIPTS)]
import make_folder as mk      # noqa: E402
import verify as v            # noqa: E402

CHECKPOINT, EVIDENCE = "rehearsal-checkpoint@anchorite", "rehearsal-evidence@anchorite"


class Base(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.TemporaryDirectory()
        root = pathlib.Path(cls.base.name)
        cls.keys, cls.good, cls.pins = mk.make_keys(root / "keys"), root / "good", root / "pins"
        cls.head = mk.build(cls.good, cls.keys)
        cls.pins.write_text("# mine\n\n" + mk.allowed(cls.keys))
        cls.transcript = (cls.good / "transcript.jsonl").read_bytes()
        cls.lines = cls.transcript.splitlines(keepends=True)
        cls.last = len(cls.lines) - 1

    @classmethod
    def tearDownClass(cls):
        cls.base.cleanup()

    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.tmp = pathlib.Path(tmp.name)
        self.folder = self.tmp / "evidence"

    def copied(self):
        """A copy of the good folder, in place of whatever was there."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.good, self.folder)
        return self.folder

    def answers(self, code, bad=None, signers=None, expect=None, folder=None):
        """verify() answers with this exit code and place, in the shape README.md gives."""
        answer = v.verify(folder or self.folder, signers, expect)
        self.assertEqual(code, answer["exit"], answer)
        self.assertEqual(["verdict", "exit", "first_bad", "problem", "claims"], list(answer))
        self.assertEqual({0: "ok", 8: "unpinned", 4: "refuted"}[code], answer["verdict"])
        place = answer["first_bad"] and (answer["first_bad"]["what"], answer["first_bad"]["where"])
        if bad is not None:
            self.assertEqual(bad, place, answer["problem"])
        self.assertEqual(code == 4, place is not None)
        for claim in answer["claims"]:
            self.assertEqual({"claim", "status", "detail"}, set(claim))
            self.assertIn(claim["status"], ("ok", "recorded", "unchecked"))
        json.dumps(answer).encode()
        self.assertTrue(answer["problem"].isprintable())
        return answer

    def status(self, answer, name):
        return {c["claim"]: c["status"] for c in answer["claims"]}.get(name)

    def bad_chain(self, octets, digest=None):
        """The number of the first bad line."""
        with self.assertRaises(v.Refuted) as caught:
            v.check_chain(octets, digest)
        self.assertEqual("entry", caught.exception.args[0])
        return caught.exception.args[1]

    def build(self, change=None, **more):
        """A folder of a record whose entries were changed before chaining and signing."""
        entries = mk.plan(self.keys)
        if change:
                entries = change(entries) or entries
        shutil.rmtree(self.folder, ignore_errors=True)
        return mk.build(self.folder, self.keys, entries, **more)


class Good(Base):
    def test_unpinned_and_pinned(self):
        self.answers(8, folder=self.good)
        answer = self.answers(0, folder=self.good, signers=self.pins)
        for name in ("chain", "script", "checkpoints", "attestations", "pinned", "steps", "exceptions", "artifacts", "serial seed",
                     "sums", "closed", "bodies"):
            self.assertEqual("ok", self.status(answer, name), name)
        self.assertEqual(("unchecked", "unchecked"), (self.status(answer, "replay"), self.status(answer, "certificates")))
        self.answers(0, folder=self.good, expect=self.head)
        self.answers(0, folder=self.good, signers=self.pins, expect=self.head)
        self.answers(4, ("head", "expect"), folder=self.good, expect="0" * 64)
        self.answers(4, ("head", "expect"), folder=self.good, expect="0" * 64, signers=self.pins)

    def test_longer(self):
        mk.build(self.folder, self.keys, fill=300)
        self.answers(0, signers=self.pins)

    def test_withheld_has_the_same_head(self):
        held = [n for n, e in enumerate(mk.plan(self.keys, 3), 1) if e["level"] != "public"]
        head = mk.build(self.tmp / "complete", self.keys, fill=3)
        self.assertEqual(head, mk.build(self.folder, self.keys, fill=3, withhold=held))
        answer = self.answers(0, signers=self.pins, expect=head)
        self.assertEqual("unchecked", self.status(answer, "bodies"))

    def test_exceptions_resume_and_reopening(self):
        def change(e):
            begun, done, rest = e[2], e[4], e[5:]
            reopened = dict(mk.entry("step", "reopened", role="operator", step="s-1", exception=1))
            return e[:2] + [begun, mk.entry("resumed", "done"), begun, mk.entry("pause", "begun"), mk.entry("pause", "ended"), done,
                            mk.entry("exception", "opened", {"by": "ada"}, level="auditor", exception=1), reopened, begun,
                            mk.entry("exception", "opened", {"by": "ada"}, step="s-1", exception=2),
                            mk.entry("step", "skipped", step="s-1", exception=2)] + rest[:-1] + [
                                rest[-1] | {"body": rest[-1]["body"] | {"exceptions": 2}}]
        self.build(change)
        self.answers(0, signers=self.pins)

    def test_new_run_key(self):
        other = mk.make_keys(self.tmp / "other")
        self.build(lambda e: e.insert(4, mk.entry("run-key", "done", {"public_key": mk.public(other, "run")})))
        self.answers(4, ("checkpoint", 7))          # from line 5 on the second key signs
        heads = v.check_chain((self.folder / "transcript.jsonl").read_bytes()).heads
        for path in (self.folder / "checkpoints").glob("*.checkpoint"):
            mk.checkpoint(self.folder, other, int(path.stem), heads[int(path.stem) - 1])
        mk.sums(self.folder)
        self.answers(0, signers=self.pins)

    def test_open_record(self):
        self.build(lambda e: e[:8])
        self.answers(4, ("artifact", "root.crt"))
        (self.folder / "artifacts" / "root.crt").unlink()
        mk.sums(self.folder)
        answer = self.answers(0, signers=self.pins)
        self.assertEqual(("unchecked", "unchecked"), (self.status(answer, "closed"), self.status(answer, "serial seed")))
        (self.folder / "SHA256SUMS").unlink()               # the machine died: nothing wrote it
        self.assertEqual("unchecked", self.status(self.answers(0, signers=self.pins), "sums"))
        self.answers(8)
        (self.folder / "void").mkdir()
        self.answers(4, ("file", "void"))
        self.build(lambda e: e[:4] + [mk.entry("abort", "done")])
        (self.folder / "artifacts" / "root.crt").unlink()
        (self.folder / "SHA256SUMS").unlink()               # the tool stops after an abort, and writes it
        self.answers(4, ("file", "SHA256SUMS"))

    def test_command_line(self):
        def run(*args):
            return subprocess.run([sys.executable, "-B", TRANSCRIPTS / "verify.py", *args], capture_output=True, text=True)
        self.assertEqual(8, run(self.good).returncode)
        self.assertEqual(0, run(self.good, "--signers", self.pins).returncode)
        self.assertEqual(2, run(self.good, "--expect", "abc").returncode)
        self.assertEqual(2, run().returncode)
        self.assertEqual(1, run(self.tmp / "nothing").returncode)
        self.assertEqual(1, run(self.pins).returncode)
        self.assertIn("/evidence", run(self.folder.parent).stderr if shutil.copytree(self.good, self.folder) else "")
        shutil.rmtree(self.folder)
        self.assertEqual(1, run(self.good, "--signers", self.tmp / "nothing").returncode)
        (self.tmp / "odd").write_text("ada cert-authority ssh-ed25519 AAAA\n")
        self.assertEqual(1, run(self.good, "--signers", self.tmp / "odd").returncode)
        self.assertEqual(1, run(self.good, "--signers", "/dev/zero").returncode)
        done = run(self.good, "--json")
        self.assertEqual((8, 8), (done.returncode, json.loads(done.stdout)["exit"]))
        shutil.copytree(self.good, self.folder)
        (self.folder / "x\u202ey\u200b\x1b[2J").write_text("")
        done = run(self.folder)
        self.assertEqual(4, done.returncode)
        self.assertEqual("", done.stderr)
        self.assertIn("x\\u{202e}y\\u{200b}\\u{001b}[2J", done.stdout)
        self.assertTrue(done.stdout.replace("\n", "").isprintable())
        link = self.tmp / "link"
        link.symlink_to(self.good)
        self.assertEqual(8, run(link).returncode)

    def test_under_590_lines(self):
        self.assertLess(len((TRANSCRIPTS / "verify.py").read_text().splitlines()), 590)


class Chain(Base):
    def flips(self, transcript, masks):
        line, octets = 0, bytearray(transcript)
        v.check_chain(transcript)
        for at, octet in enumerate(transcript):
            for mask in masks(at):
                octets[at] = octet ^ mask
                self.assertEqual(line, self.bad_chain(bytes(octets)), (at, mask))
            octets[at] = octet
            line += octet == 10

    def test_every_bit_of_the_first_lines(self):
        self.flips(b"".join(self.lines[:4]), lambda at: [1 << bit for bit in range(8)])

    def test_every_byte(self):
        self.flips(self.transcript, lambda at: [(1 << at % 8, 0x20, 0xff)[at % 3]])

    def test_truncation(self):
        ends, line = {0}, 0
        for piece in self.lines:
            line += len(piece)
            ends.add(line)
        for size in sorted({*range(0, len(self.transcript), 3), *(e + d for e in ends for d in (-2, -1, 0, 1))}):
            if size < 0 or size > len(self.transcript):
                continue
            if size in ends and size:
                v.check_chain(self.transcript[:size])       # a shorter chain: the checkpoints and heads tell
            else:
                self.bad_chain(self.transcript[:size])

    def test_octets_inserted_and_removed(self):
        dice = random.Random(7)
        for _ in range(1500):
            at = dice.randrange(len(self.transcript))
            cut = dice.randrange(0, 4)
            octets = self.transcript[:at] + bytes([dice.randrange(256)]) * (cut == 0) + self.transcript[at + cut:]
            if octets not in [b"".join(self.lines[:n]) for n in range(1, len(self.lines) + 1)]:
                self.bad_chain(octets)

    def test_lines_removed_doubled_swapped(self):
        for n in range(len(self.lines)):
            if n < self.last:
                self.assertEqual(n, self.bad_chain(b"".join(self.lines[:n] + self.lines[n + 1:])))
            self.assertEqual(n + 1, self.bad_chain(b"".join(self.lines[:n + 1] + self.lines[n:])))
            for m in range(n + 1, len(self.lines)):
                swapped = list(self.lines)
                swapped[n], swapped[m] = swapped[m], swapped[n]
                self.assertEqual(n, self.bad_chain(b"".join(swapped)))
        self.assertEqual(0, self.bad_chain(b""))
        self.assertEqual(0, self.bad_chain(b"\n"))
        self.assertEqual(self.last + 1, self.bad_chain(self.transcript + b"\n"))
        self.assertEqual(self.last + 1, self.bad_chain(self.transcript + b"x"))
        self.assertEqual(self.last, self.bad_chain(self.transcript[:-1]))
        self.assertEqual(0, self.bad_chain(self.transcript, "0" * 64))

    def test_withheld(self):
        entries = mk.plan(self.keys)
        for n, e in enumerate(entries, 1):
            octets, heads = mk.chain(mk.header(self.keys), entries, {n})
            self.assertEqual(self.head, heads[-1].hex())
            if e["level"] == "public":
                self.assertEqual(n, self.bad_chain(octets))
            else:
                v.check_chain(octets)

    def rechained(self, change, entries=True):
        """Change the plan or the header, keep every digest right; the number of the first bad line."""
        head, plan = mk.header(self.keys), mk.plan(self.keys)
        change(plan if entries else head)
        return self.bad_chain(mk.chain(head, plan)[0])

    def test_well_chained_but_malformed(self):
        for key, value in (("kind", "other"), ("level", "secret"), ("level", "auditor"), ("exception", True), ("exception", "1"),
                           ("operation", "AB" * 32), ("role", 7), ("step", []), ("more", "x"), ("kind", {}), ("outcome", False)):
            self.assertEqual(3, self.rechained(lambda plan: plan[2].update({key: value})), (key, value))
        for body in ([], "x", {"n": None}, {"n": 1.5}, {"n": -1}, {"n": 1 << 53}, {"n": 10 ** 30}, {"n": float("nan")}, {"n": float("inf")}):
            self.assertEqual(1, self.rechained(lambda plan: plan[0].update(body=body)), body)
        deep = lambda n: {"a": deep(n - 1)} if n else {}      # noqa: E731
        self.assertEqual(1, self.rechained(lambda plan: plan[0].update(body=deep(11))))
        plan = mk.plan(self.keys)
        plan[0]["body"] = deep(10) | {"[[[[[[[[[[[[[[[[\\\"": "{{{{{{{{{{{{{{{"}
        v.check_chain(mk.chain(mk.header(self.keys), plan)[0])
        self.assertEqual(4, self.rechained(lambda plan: plan[3]["body"].update(n="x" * (4 << 20))))
        for key in mk.header(self.keys):
            for value in (None, 7.5, -1, "x" * 64, [], {}, True, [[]], {"a": 1}):
                if (key, value) not in (("ceremony", "x" * 64), ("argv", []), ("signers", []), ("machine", {})):
                    self.assertEqual(0, self.rechained(lambda head: head.update({key: value}), False), (key, value))
            self.assertEqual(0, self.rechained(lambda head: head.pop(key) if key != "realm" else head.update(more=""), False))

    def test_another_spelling(self):
        line = self.lines[1]
        for old, new in ((b'"body":', b'"body": '), (b'"done"', b'"\\u0064one"'), (b'"exception":0', b'"exception":0.0'),
                         (b'"exception":0', b'"exception":-0'), (b'"exception":0', b'"exception":00'), (b'"exception":0', b'"exception":0e0'),
                         (b'"exception":0', b'"exception":' + b"9" * 5000), (b'"exception":0', b'"exception":NaN'),
                         (b'"exception":0', b'"exception":null'), (b'"exception":0', b'"exception":0,"exception":0'),
                         (b"{", b"\xef\xbb\xbf{"), (b'"done"', b'"\\ud800"'), (b'"done"', b'"\xed\xa0\x80"'), (b'"done"', b'"\xff"'),
                         (b"\n", b"\r\n"), (b"{", b" {"), (b'"done"', b'"do\x00ne"'), (b"\n", b" \n"), (b'"done"', b"[" * 100_000),
                         (b'"done"', b"{" * 100), (b'"done"', b'"' + b'\\"' * 100_000), (b'"done"', b'"\\')):
            self.assertIn(old, line)
            changed = line.replace(old, new, 1)
            self.assertEqual(1, self.bad_chain(b"".join([self.lines[0], changed, *self.lines[2:]])), new[:40])
        for whole in (b"null", b"7", b"[]", b'"body"', b'["body"]', b"true", b"{}", b'{"body":1}', b"\x00", b"-", b"Infinity", b"[" * 5000):
            self.assertEqual(0, self.bad_chain(whole + b"\n"))
            self.assertEqual(1, self.bad_chain(self.lines[0] + whole + b"\n"))

    def test_canonical_order_is_by_utf16(self):
        self.assertEqual('{"\U0001f511":1,"\ufb33":2}'.encode(), v.jcs({"\ufb33": 2, "\U0001f511": 1}))
        self.assertEqual(b'"\\b\\t\\n\\f\\r\\u000f\\"\\\\/\x7f\xe2\x80\xa8"', v.jcs("\b\t\n\f\r\x0f\"\\/\x7f\u2028"))

    def test_noise(self):
        dice = random.Random(11)
        alphabet = [b"{", b"}", b"[", b"]", b'"', b"\\", b":", b",", b"\n", b"0", b"9", b"e", b"\xff", b"\\u", b"head", b"null", b" "]
        for _ in range(3000):
            self.bad_chain(b"".join(dice.choices(alphabet, k=dice.randrange(0, 60))))


class Folder(Base):
    """Whole folders, SHA256SUMS written again after each change unless it is the thing under test."""
    def changed(self, code, bad, resum=True, signers=None, expect=None):
        if resum:
            mk.sums(self.folder)
        return self.answers(code, bad, signers=self.pins if signers is None else signers or None, expect=expect)

    def transcript_is(self, octets):
        (self.folder / "transcript.jsonl").write_bytes(octets)

    def test_last_lines_cut(self):
        for n in range(1, self.last + 1):
            self.copied()
            self.transcript_is(b"".join(self.lines[:n]))
            self.changed(4, ("checkpoint", next(s for s in (6, 11, 12) if s > n)))
            shutil.rmtree(self.folder / "checkpoints")
            self.changed(4, ("head", "attestation.ada.json"))
            for path in self.folder.glob("attestation*"):
                path.unlink()
            answer = self.answers(4, ("head", "expect"), expect=self.head)
            mk.sums(self.folder)
            answer = v.verify(self.folder, self.pins)
            self.assertIn(answer["exit"], (4, 8), answer)

    def test_body_edited_and_chained_again(self):
        self.build(lambda e: e[3]["body"].update(answer="no"), attesting=())
        edited = (self.folder / "transcript.jsonl").read_bytes()
        self.copied()
        self.transcript_is(edited)
        self.changed(4, ("checkpoint", 6))
        self.changed(4, ("checkpoint", 6), signers=False)

    def test_edited_and_signed_with_the_run_key_only(self):
        head = self.build(lambda e: e[3]["body"].update(answer="no"), attesting=())
        for path in self.good.glob("attestation*"):
            shutil.copy(path, self.folder)
        self.changed(4, ("head", "attestation.ada.json"))
        for path in self.folder.glob("attestation*"):
            path.unlink()
        answer = self.changed(8, None)
        self.assertEqual("unchecked", self.status(answer, "signer ada"))
        self.changed(8, None, expect=head)                  # a pinned signer without an attestation: unpinned all the same
        self.changed(4, ("head", "expect"), expect=self.head)

    def test_whole_forgery(self):
        fresh = mk.make_keys(self.tmp / "fresh")
        entries = mk.plan(fresh)
        entries[3]["body"]["answer"] = "no"
        mk.build(self.folder, fresh, entries)
        self.changed(8, None, signers=False)
        self.changed(4, ("head", "attestation.ada.json"))
        self.changed(4, ("head", "expect"), signers=False, expect=self.head)
        for path in self.folder.glob("attestation*"):       # under names the pin file does not have
            path.unlink()
        for who in mk.PEOPLE:
            for ext in ("", ".pub"):
                shutil.copy(fresh / (who + ext), fresh / ("x" + who + ext))
            mk.attest(self.folder, fresh, "x" + who, entries, v.check_chain((self.folder / "transcript.jsonl").read_bytes()).heads)
        answer = self.changed(8, None)
        self.assertEqual("unchecked", self.status(answer, "attestation xada"))

    def test_checkpoints(self):
        here = self.folder / "checkpoints"

        def swap(a, b):
            for ext in ("", ".sig"):
                shutil.copy(here / f"{a:06}.checkpoint{ext}", here / f"{b:06}.checkpoint{ext}")
        cases = [(6, lambda: (here / "000006.checkpoint.sig").unlink()), (11, lambda: (here / "000011.checkpoint").unlink()),
                 (12, lambda: [p.unlink() for p in here.glob("000012*")]), (12, lambda: shutil.rmtree(here)),
                 (11, lambda: swap(6, 11)), (7, lambda: swap(6, 7)), (13, lambda: swap(12, 13)), (0, lambda: swap(6, 0)),
                 (12, lambda: (here.rename(self.tmp / "moved"), here.write_text("")) and None),
                 (12, lambda: (here.rename(self.tmp / "elsewhere"), here.symlink_to(self.tmp / "elsewhere"))),
                 (6, lambda: ((here / "000006.checkpoint").unlink(), (here / "000006.checkpoint").mkdir())),
                 (6, lambda: ((here / "000006.checkpoint").unlink(), (here / "000006.checkpoint").symlink_to("000011.checkpoint"))),
                 (6, lambda: ((here / "000006.checkpoint").unlink(), os.mkfifo(here / "000006.checkpoint"))),
                 (6, lambda: (here / "000006.checkpoint.sig").write_bytes(b"x" * (2 << 20))),
                 (6, lambda: (here / "000006.checkpoint.sig").write_bytes(b"\xff\x00garbage")),
                 (6, lambda: (here / "000006.checkpoint.sig").write_bytes(b"")),
                 (6, lambda: shutil.copy(here / "000011.checkpoint.sig", here / "000006.checkpoint.sig")),
                 (6, lambda: mk.sign(self.keys, "ada", CHECKPOINT, here / "000006.checkpoint")),
                 (6, lambda: mk.sign(self.keys, "run", "checkpoint@anchorite", here / "000006.checkpoint")),
                 (6, lambda: mk.sign(self.keys, "run", EVIDENCE, here / "000006.checkpoint"))]
        body = (self.good / "checkpoints" / "000006.checkpoint").read_bytes()
        for old, new in ((b"rehearsal", b"production"), (b"test-2026", b"other"), (b"\n6\n", b"\n06\n"), (b"\n6\n", b"\n5\n"), (b"=", b""),
                         (b"\n", b"\r\n"), (b"=\n", b"="), (b"=\n", b"=\nmore\n"), (b"6\n", b"6 \n"), (b"=", b"==")):
            def change(old=old, new=new):
                (here / "000006.checkpoint").write_bytes(body.replace(old, new, 1))
                mk.sign(self.keys, "run", CHECKPOINT, here / "000006.checkpoint")
            cases.append((6, change))
        for n, (size, change) in enumerate(cases):
            with self.subTest(n):
                self.copied()
                change()
                self.changed(4, ("checkpoint", size), resum=False)

    def test_hostile_run_keys(self):
        good = mk.public(self.keys, "run")
        kind, blob, _ = good.split(" ")
        for key in ("", None, 7, [], good + "\nrun " + good, good.replace(" ", "\t"), 'namespaces="*" ' + good, "cert-authority " + good,
                    kind, kind + " !!!!", f"{kind} {blob}=", f"{kind} {blob} a b", f"ecdsa-sha2-nistp256 {blob}", "ssh-rsa AAAAB3NzaC1yc2E=",
                    f"{kind} {blob[:-4]}\u2028", f"{kind}  {blob}", f"{kind} {blob} x\r", f"{kind} AAAA", f"ssh-dss {blob}"):
            with self.subTest(key):
                if key is None:
                    self.build(lambda e: e[1]["body"].pop("public_key") and None, attesting=())
                else:
                    self.build(lambda e: e[1]["body"].update(public_key=key), attesting=())
                self.changed(4, ("checkpoint", 6))
        def no_checkpoints(e):
            e[1]["body"]["public_key"] = "x"
            return e[:3]
        self.build(no_checkpoints, attesting=())
        shutil.rmtree(self.folder / "checkpoints")
        self.changed(4, ("entry", 2), signers=False)

    def test_attestations(self):
        entries, heads = mk.plan(self.keys), v.check_chain(self.transcript).heads
        place = ("head", "attestation.ada.json")
        for changes in ({"head": "0" * 64}, {"head": self.head.upper()}, {"entries": 12}, {"entries": True}, {"exceptions": 1},
                        {"exceptions": False}, {"artifacts": {}}, {"artifacts": []}, {"ceremony": "other"}, {"realm": "production"},
                        {"plan_digest": ""}, {"script_digest": "0" * 64}, {"run_keys": []}, {"run_keys": ["x"]}, {"who": "witness-a"},
                        {"format": "anchorite-attestation/2"}, {"agree": "yes"}, {"agree": 1}, {"remark": None}, {"statement": 7},
                        {"more": ""}, {"remark": 1.5}):
            with self.subTest(changes):
                self.copied()
                mk.attest(self.folder, self.keys, "ada", entries, heads, changes)
                self.changed(4, place)
                self.changed(4, place, signers=False)
        path = self.folder / "attestation.ada.json"
        sig = self.folder / "attestation.ada.json.sig"
        for change in (lambda: path.unlink(), lambda: sig.write_bytes(b""), lambda: path.write_bytes(path.read_bytes() + b"\n"),
                       lambda: path.write_bytes(b"[" * 100_000), lambda: path.write_bytes(b"\xff"),
                       lambda: (sig.unlink(), sig.symlink_to("attestation.witness-a.json.sig")),
                       lambda: (path.unlink(), path.mkdir()), lambda: mk.sign(self.keys, "witness-a", EVIDENCE, path),
                       lambda: mk.sign(self.keys, "ada", "evidence@anchorite", path), lambda: path.write_bytes(b"x" * (2 << 20))):
            self.copied()
            change()
            self.changed(4, place, resum=False)

    def test_signers(self):
        self.copied()
        mine = self.tmp / "mine"
        third = mk.make_keys(self.tmp / "third")
        ada, witness = mk.allowed(self.keys).splitlines(keepends=True)

        def pinned(code, text, bad=None):
            mine.write_text(text)
            return self.answers(code, bad, signers=mine)
        pinned(8, "")                                                                   # nobody is pinned: never 0
        self.assertEqual("unchecked", self.status(pinned(0, ada), "attestation witness-a"))
        self.assertEqual("unchecked", self.status(pinned(8, ada + ada.replace("ada ", "carol ")), "signer carol"))
        pinned(8, ada.replace("evidence@anchorite,rehearsal-evidence@anchorite", "evidence@anchorite"))     # production only
        pinned(0, ada.replace("evidence@anchorite,rehearsal-evidence@anchorite", "other,rehearsal-evidence@anchorite"))
        pinned(0, ada.split(" ")[0] + " " + mk.public(self.keys, "ada") + "\n")                             # any namespace
        stranger = ada.split(" ")[0] + ' namespaces="rehearsal-evidence@anchorite" ' + mk.public(third, "ada") + "\n"
        pinned(4, stranger, ("head", "attestation.ada.json"))
        pinned(0, stranger + ada)                                                       # either of two keys
        (self.folder / "attestation.witness-a.json.sig").unlink()                       # it may come later
        mk.sums(self.folder)
        pinned(8, ada + witness)
        pinned(0, ada)
        (self.folder / "allowed_signers").write_text("nonsense\n")
        mk.sums(self.folder)
        pinned(4, ada, ("head", "allowed_signers"))                                     # the head binds whose keys are in it
        self.answers(4, ("head", "allowed_signers"))
        (self.folder / "allowed_signers").write_text(stranger + ada + witness)
        mk.sums(self.folder)
        pinned(4, ada, ("head", "allowed_signers"))
        self.answers(4, ("head", "allowed_signers"))
        (self.folder / "allowed_signers").write_text(ada)
        mk.sums(self.folder)
        pinned(0, ada)

    def test_disagreement_does_not_pin(self):
        self.copied()
        mk.attest(self.folder, self.keys, "ada", mk.plan(self.keys), v.check_chain(self.transcript).heads,
                  {"agree": False, "remark": "no\u202e"})
        answer = self.changed(8, None)
        self.assertEqual("recorded", self.status(answer, "attestation ada"))

    def test_script(self):
        path = self.folder / "script.toml"
        for change in (path.unlink, lambda: path.write_bytes(path.read_bytes() + b" "), lambda: (path.unlink(), path.mkdir()),
                       lambda: (path.rename(self.tmp / "s"), path.symlink_to(self.tmp / "s"))):
            self.copied()
            change()
            self.changed(4, ("entry", 0), resum=False)
        step = b'[[act]]\n[[act.step]]\nid="s-1"\nwho="operator"\n'
        for script in (b"= not toml", b"\xff", b"a = " + b"[" * 50_000, b"a = " + b"9" * 50_000, b"act = 7", b"act = [7]", b"[act]\na=1",
                       b"[[act]]\nstep=7", b"[[act]]\n[[act.step]]\nwho='x'", b"[[act]]\n[[act.step]]\nid=7", step * 2, b"role = 7",
                       b"[[role]]\nname=[]\n" + step, b"[[role]]\nname='x'\nholders=7\n" + step, b'[[act]]\n[[act.step]]\nid=""',
                       b"[[act]]\n[[act.step]]\nid='s'\nwho=[]"):
            with self.subTest(script[:60]):
                self.build(script=script)
                self.changed(4, ("entry", 0))

    def test_transcript_file(self):
        path = self.folder / "transcript.jsonl"
        for change in (path.unlink, lambda: path.write_bytes(b""), lambda: (path.unlink(), path.mkdir()),
                       lambda: (path.rename(self.tmp / "t"), path.symlink_to(self.tmp / "t")), lambda: (path.unlink(), os.mkfifo(path))):
            self.copied()
            change()
            self.changed(4, ("entry", 0), resum=False)
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        self.changed(4, ("entry", 0), resum=False)

    def test_meaning(self):
        step, exc = mk.entry, lambda n: mk.entry("exception", "opened", {}, exception=n)

        def put(n, **changes):
            return lambda e: e[n - 1].update(changes)

        def body(n, **changes):
            return lambda e: e[n - 1]["body"].update(changes)

        def insert(n, *new):
            return lambda e: e[:n - 1] + [copy.deepcopy(x) for x in new] + e[n - 1:]

        def remove(*numbers):
            return lambda e: [x for n, x in enumerate(e, 1) if n not in numbers]
        begun1 = step("step", "begun", role="operator", step="s-1")
        cases = {
            "no opened": (1, remove(1)), "opened twice": (3, insert(3, step("opened", "done"))),
            "steps swapped": (3, lambda e: e[:2] + e[5:7] + e[2:5] + e[7:]), "begun the second first": (3, put(3, step="s-2")),
            "begun a stranger": (3, put(3, step="s-9")), "begun nothing": (3, put(3, step="")),
            "begun twice": (4, insert(4, begun1)), "not begun": (3, lambda e: remove(3)(e[:3] + e[4:])),
            "done twice": (6, insert(6, step("step", "done", role="operator", step="s-1"))),
            "done by another": (5, put(5, role="witness")), "done by a person": (10, put(10, role="witness-a")),
            "missing step": (6, lambda e: e[:5] + e[10:]), "closed early": (6, remove(6, 7, 8, 9, 10)),
            "skipped without exception": (3, lambda e: [*e[:2], step("step", "skipped", step="s-1"), *e[5:]]),
            "skipped with an exception not opened": (3, lambda e: [*e[:2], step("step", "skipped", step="s-1", exception=1), *e[5:]]),
            "skipped before the exception": (3, lambda e: [*e[:2], step("step", "skipped", step="s-1", exception=1), exc(1), *e[5:]]),
            "skipped another": (4, lambda e: [*e[:2], exc(1), step("step", "skipped", step="s-2", exception=1), *e[5:]]),
            "reopened without exception": (6, insert(6, step("step", "reopened", step="s-1"))),
            "reopened a later one": (5, insert(4, exc(1), step("step", "reopened", step="s-2", exception=1))),
            "reopened nothing": (5, insert(4, exc(1), step("step", "reopened", step="", exception=1))),
            "done after reopening, not begun": (7, insert(5, exc(1), step("step", "reopened", step="s-1", exception=1))),
            "exceptions from 2": (3, insert(3, exc(2))), "exceptions from 0": (3, insert(3, exc(0))),
            "exceptions repeated": (4, insert(3, exc(1), exc(1))), "relies on none": (4, put(4, exception=1)),
            "exception not counted": (12, insert(3, exc(1))), "answer at another step": (4, put(4, step="s-2")),
            "artifact at another step": (9, put(9, step="s-1")), "step after the end": (11, put(11, step="s-2")),
            "entry before the step": (3, insert(3, step("answer", "given", step="s-2"))),
            "after closed": (12, lambda e: e + [step("pause", "begun")]), "closed twice": (12, lambda e: e + e[-1:]),
            "after an abort": (4, insert(3, mk.entry("abort", "done"))),
            "closed after an abort": (12, insert(11, mk.entry("abort", "done"))),
            "skipped under the exception of another step": (7, lambda e: e[:3] + [exc(1) | {"step": "s-1"}, e[4], e[5],
                step("step", "skipped", step="s-2", exception=1), e[-1]]),
            "one exception for two skips": (6, lambda e: e[:3] + [exc(1) | {"step": "s-1"}, step("step", "skipped", step="s-1", exception=1),
                step("step", "skipped", step="s-2", exception=1), e[-1]]),
            "one exception for two reopenings": (7, insert(5, exc(1), *[step("step", "reopened", step="s-1", exception=1)] * 2)),
            "artifact other than was meant": (10, insert(9, step("intent", "meant", {"effect": {"effect": "write-artifact", "name": "root.crt", "content": "x"}}, step="s-2"))),
            "artifact twice": (10, lambda e: e.insert(9, copy.deepcopy(e[8]))),
            "outcome of another kind": (3, put(3, outcome="given")), "outcome unknown": (1, put(1, outcome="well")),
            "wrong seed": (11, body(11, serial_seed="0" * 64)), "short seed": (11, body(11, serial_seed="00")),
            "seed missing": (11, lambda e: e[10]["body"].pop("serial_seed") and None), "seed not text": (11, body(11, serial_seed=7)),
            "count wrong": (11, body(11, exceptions=1)), "count not a number": (11, body(11, exceptions=False)),
            "artifacts wrong": (11, body(11, artifacts={})), "artifact not a file name": (9, body(9, name="../script.toml")),
            "header only": (1, lambda e: [] or e.clear()),
        }
        for name, (where, change) in cases.items():
            with self.subTest(name):
                entries = mk.plan(self.keys)
                entries = change(entries) or entries
                if "artifact not" in name:      # attestations of the verifier's reading of it are signed too
                    entries[-1]["body"]["artifacts"] = {}
                record = v.check_chain(mk.chain(mk.header(self.keys), entries)[0])
                with self.assertRaises(v.Refuted) as caught:
                    v.check_meaning(record, v.script_steps(mk.SCRIPT, mk.header(self.keys))[0])
                self.assertEqual(("entry", where), caught.exception.args[:2], caught.exception.args[2])
        for name in ("steps swapped", "skipped without exception", "after closed", "closed early", "wrong seed"):
            with self.subTest(name + ", whole"):      # signed by everybody, and still not what the script says
                self.build(cases[name][1])
                self.changed(4, ("entry", cases[name][0]))

    def test_artifacts(self):
        here = self.folder / "artifacts"
        for where, change in (("root.crt", lambda: (here / "root.crt").write_text("another")), ("root.crt", (here / "root.crt").unlink),
                              ("root.crt", lambda: shutil.rmtree(here)), ("extra", lambda: (here / "extra").write_text("")),
                              ("dir", lambda: (here / "dir").mkdir()), ("x\\u{200b}", lambda: (here / "x\u200b").write_text("")),
                              ("root.crt", lambda: ((here / "root.crt").rename(self.tmp / "a"), (here / "root.crt").symlink_to(self.tmp / "a"))),
                              ("artifacts", lambda: (shutil.rmtree(here), here.write_text("")))):
            self.copied()
            change()
            self.changed(4, ("artifact", where))
        self.build(lambda e: e[8]["body"].update(size=1))
        self.changed(4, ("artifact", "root.crt"))

    def test_approval(self):
        self.copied()
        (self.folder / "approval").mkdir()
        (self.folder / "approval" / "approval.json").write_text("{}")
        self.changed(4, ("file", "approval/approval.json"))
        shutil.rmtree(self.folder)
        mk.build(self.folder, self.keys, head=mk.header(self.keys) | {"approval_digest": hashlib.sha256(b"{}").hexdigest()})
        (self.folder / "approval").mkdir()
        (self.folder / "approval" / "approval.json").write_text("{}")
        self.assertEqual("recorded", self.status(self.changed(0, None), "approval"))

    def test_production(self):
        def made(change=None, after=None, withhold=()):
            with mk.in_production():
                self.build(change, withhold=withhold)
            if after:
                after()
        made()
        answer = self.changed(0, None)
        self.assertEqual(("recorded", "recorded"), (self.status(answer, "governance"), self.status(answer, "approval")))
        loose = next(c for c in answer["claims"] if c["claim"] == "not bound by the record")
        self.assertEqual(("unchecked", "VERIFY.txt, report.html"), (loose["status"], loose["detail"]))
        here, profile = self.folder / "approval", self.folder / "profiles" / "root.toml"
        for where, after in (
                ("approval/approval.json", lambda: shutil.rmtree(here)), ("approval/approval.json", (here / "approval.json").unlink),
                ("approval/approval.json", lambda: (here / "approval.json").write_bytes(b"{}")),
                ("approval/governance.toml", (here / "governance.toml").unlink), ("approval/governance.toml", (here / "allowed_signers").unlink),
                ("approval/governance.toml", lambda: (here / "governance.toml").write_bytes(b"threshold = 1\n")),
                ("approval/governance.toml", lambda: (here / "allowed_signers").write_bytes(b"# others\n")),
                ("profiles/root.toml", lambda: profile.write_bytes(mk.PROFILE + b"\n")), ("profiles/root.toml", profile.unlink),
                ("profiles/more.toml", lambda: profile.with_name("more.toml").write_bytes(b"")),
                ("profiles/root.toml", lambda: shutil.rmtree(profile.parent))):
            with self.subTest(where):
                made(after=after)
                self.changed(4, ("file", where))
        other = {"words": lambda e: e[3]["body"].update(governance="other"), "same person": lambda e: e[3]["body"]["asked"].update(who="ada"),
                 "no words": lambda e: e[0]["body"]["event"].update(governance_words=""), "no event": lambda e: e[0]["body"].update(event=[]),
                 "refused": lambda e: e[3].update(outcome="refused"), "asked not": lambda e: e[3]["body"].update(asked=7)}
        for name, change in other.items():
            with self.subTest(name):
                made(change)
                self.changed(4, ("entry", 5))
        made(lambda e: e[:2] + e[4:])                        # never asked
        self.changed(4, ("entry", 3))
        made(lambda e: e[:3] + e[4:])                        # one person only
        self.changed(4, ("entry", 4))
        made(lambda e: e[:2] + e[4:5] + e[2:4] + e[5:])      # confirmed when the step had begun
        self.changed(4, ("entry", 3))
        made(withhold=(3, 4))
        self.assertEqual("unchecked", self.status(self.changed(0, None), "governance"))
        made(withhold=(1, 3, 4))
        self.assertEqual("unchecked", self.status(self.changed(0, None), "governance"))
        made(lambda e: e[:3] + e[4:], withhold=(1, 3))       # withheld, and still one only
        self.changed(4, ("entry", 4))
        made(lambda e: e[:2])                                # open, nothing begun
        (self.folder / "artifacts" / "root.crt").unlink()
        self.assertEqual(None, self.status(self.changed(0, None), "governance"))

    def test_production_that_follows_a_record(self):
        last = "1f" * 32
        script = mk.SCRIPT + b'[ceremony]\nprevious_head = "' + last.encode() + b'"\n'
        def pinned(e):
            e[0]["body"]["event"].update(governance_words="")
            return e[:2] + e[4:]
        for said, code, bad in ((last, 0, None), ("", 4, ("entry", 0)), ("2e" * 32, 4, ("entry", 0))):
            with mk.in_production():
                self.build(pinned, script=script, head=mk.header(self.keys, script) | {"previous_head": said})
            self.changed(code, bad)
        with mk.in_production():                             # nothing known pins the folder, and nobody read its words
            self.build(lambda e: e[:2] + e[4:], script=script, head=mk.header(self.keys, script) | {"previous_head": last})
        self.changed(4, ("entry", 3))
        with mk.in_production():
            self.build(script=script, head=mk.header(self.keys, script) | {"previous_head": last})
        with mk.in_production():                             # whether it was read is not to be seen in this copy
            self.build(lambda e: e[:2] + e[4:], script=script, head=mk.header(self.keys, script) | {"previous_head": last}, withhold=(1,))
        self.assertEqual("unchecked", self.status(self.changed(0, None), "governance"))
        with mk.in_production():
            self.build(script=script, head=mk.header(self.keys, script) | {"previous_head": last})
        self.assertIn("confirmed by", next(c["detail"] for c in self.changed(0, None)["claims"] if c["claim"] == "governance"))

    def test_what_the_record_does_not_bind_is_named(self):
        self.copied()
        (self.folder / "profiles").mkdir()
        for path in ("profiles/x.toml", "note", "checkpoints/x"):
            (self.folder / path).write_text("x")
        loose = {c["claim"]: c["detail"] for c in self.changed(0, None)["claims"]}["not bound by the record"]
        self.assertEqual("VERIFY.txt, checkpoints/x, note, profiles/x.toml, report.html", loose)

    def test_sums(self):
        path, report = self.folder / "SHA256SUMS", self.folder / "report.html"

        def edit(change):
            lines = path.read_text().splitlines(keepends=True)
            path.write_text("".join(change(lines) or lines))
        deep = "/".join(["d"] * 12)
        cases = [("SHA256SUMS", path.unlink), ("SHA256SUMS", lambda: path.write_bytes(path.read_bytes()[:-1])),
                 ("SHA256SUMS", lambda: path.write_bytes(b"\xff")), ("SHA256SUMS", lambda: (path.unlink(), path.mkdir())),
                 ("SHA256SUMS", lambda: edit(lambda s: s[:1] + s)), ("SHA256SUMS", lambda: edit(lambda s: s.reverse())),
                 ("SHA256SUMS", lambda: edit(lambda s: s.append("\n"))), ("SHA256SUMS", lambda: edit(lambda s: s.append("x\n"))),
                 ("SHA256SUMS", lambda: edit(lambda s: [s[0].upper()] + s[1:])),
                 ("VERIFY.txt", lambda: edit(lambda s: s[1:])), ("VERIFY.txt", lambda: path.write_bytes(b"")),
                 ("report.html", lambda: report.write_text("changed")), ("report.html", report.unlink),
                 ("report.html", lambda: (report.rename(self.tmp / "r"), report.symlink_to(self.tmp / "r"))),
                 ("report.html", lambda: (report.unlink(), os.mkfifo(report))),
                 ("more", lambda: (self.folder / "more").write_text("")), ("more", lambda: (self.folder / "more").symlink_to("/etc")),
                 ("sub/more", lambda: ((self.folder / "sub").mkdir(), (self.folder / "sub" / "more").write_text(""))),
                 ("a\\u{000a}b", lambda: (self.folder / "a\nb").write_text("")), ("\\u{dcff}", lambda: (self.folder / "\udcff").write_text("")),
                 ("d/d/d/d/d/d/d/d/d", lambda: (self.folder / deep).mkdir(parents=True)),
                 ("../x", lambda: edit(lambda s: ["SHA256 (../x) = " + "0" * 64 + "\n"] + s)),
                 ("SHA256SUMS", lambda: edit(lambda s: sorted(["SHA256 (SHA256SUMS) = " + "0" * 64 + "\n"] + s)))]
        cases += [("void", lambda: (self.folder / "void").mkdir()), ("a/b", lambda: (self.folder / "a" / "b").mkdir(parents=True)),
                  ("checkpoints/d", lambda: (self.folder / "checkpoints" / "d").mkdir())]
        for n, (where, change) in enumerate(cases):
            with self.subTest(f"{n} {where}"):
                self.copied()
                change()
                self.changed(4, ("file", where), resum=False)


if __name__ == "__main__":
    unittest.main()
