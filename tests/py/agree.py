"""Folders and records, most of them damaged or forged, each with what transcripts/verify.py says of it.

    python3 tests/py/agree.py WORK [--random N] [--seed N] [--sample N]

With --sample N only the quick ones of the known cases and one in N of the corners are asked about: the inner loop.

Runs tests/py/test_verify.py with its verifier listened to: every folder it asks about is kept as WORK/N/evidence (with
WORK/N/signers where one was brought), every record as WORK/records. Then asks about corners.py and N folders damaged by chance. WORK/answers.jsonl has one
line a folder; WORK/records has, for each record, its length and the number of its first bad line (-1: none), both four octets.
"""
import argparse
import json
import pathlib
import random
import shutil
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from corners import Corners      # noqa: E402
import test_verify as t      # noqa: E402
from test_verify import mk, v      # noqa: E402

LONG = {"test_every_bit_of_the_first_lines", "test_every_byte", "test_octets_inserted_and_removed", "test_command_line",
        "test_under_500_lines"}


QUICK = {"test_meaning", "test_production", "test_production_that_follows_a_record", "test_signers", "test_approval",
         "test_exceptions_resume_and_reopening", "test_open_record", "test_new_run_key",
         "test_noise", "test_another_spelling", "test_well_chained_but_malformed"}


class Kept:
    """Everything asked of the verifier, and its answers."""
    def __init__(self, work):
        self.work, self.count, self.name = work, 0, ""
        self.answers, self.records = (work / "answers.jsonl").open("w"), (work / "records").open("wb")
        self.verify, self.check_chain = v.verify, v.check_chain

    def folder(self, folder, signers=None, expect=None):
        here = self.work / str(self.count)
        here.mkdir()
        subprocess.run(["cp", "-a", pathlib.Path(folder).resolve(), here / "evidence"], check=True)
        if signers is not None:
            shutil.copy(signers, here / "signers")
        self.count += 1
        answer = self.verify(folder, signers, expect)
        said = {"name": self.name, "folder": str(here / "evidence"), "signers": str(here / "signers") if signers is not None else "",
                "expect": expect or "", "exit": answer["exit"], "first_bad": answer["first_bad"], "problem": answer["problem"]}
        self.answers.write(json.dumps(said) + "\n")
        return answer

    def record(self, octets, digest=None):
        bad = -1
        try:
            return self.check_chain(octets, digest)
        except v.Refuted as refuted:
            bad = refuted.args[1]
            raise
        finally:
            if digest is None and len(octets) < 1 << 20:
                self.records.write(len(octets).to_bytes(4, "big") + bad.to_bytes(4, "big", signed=True) + octets)


    def ask(self, name, folder, signers):
        self.name = name
        self.folder(folder, signers)


class Result(unittest.TextTestResult):
    def startTest(self, test):
        kept.name = test.id().rsplit(".", 1)[-1]
        super().startTest(test)


def flatten(suite):
    for test in suite:
        yield from flatten(test) if isinstance(test, unittest.TestSuite) else [test]


def known_cases(quick):
    """The cases somebody thought of."""
    tests = [test for test in flatten(unittest.defaultTestLoader.loadTestsFromModule(t)) if (test._testMethodName in QUICK if quick else test._testMethodName not in LONG)]
    ran = unittest.TextTestRunner(stream=sys.stderr, resultclass=Result).run(unittest.TestSuite(tests))
    if not ran.wasSuccessful():
        sys.exit("agree.py: verify.py fails its own tests")


def damage(dice, octets):
    """One small change of any kind."""
    at, changed = dice.randrange(len(octets) + 1), bytearray(octets)
    lines = octets.splitlines(keepends=True)
    kind = dice.choice(["flip", "flip", "flip", "cut", "insert", "truncate", "line", "swap", "double", "empty", "ending", "case"])
    if kind == "flip" and octets:
        changed[at % len(octets)] ^= 1 << dice.randrange(8)
    elif kind == "cut":
        del changed[at:at + dice.randrange(1, 4)]
    elif kind == "insert":
        changed[at:at] = dice.choice([b" ", b"\n", b"\x00", b"\t", b"A", b"=", b"\xff", b"\r"])
    elif kind == "truncate":
        del changed[at:]
    elif kind in ("line", "swap", "double") and lines:
        n, m = dice.randrange(len(lines)), dice.randrange(len(lines))
        if kind == "line":
            del lines[n]
        elif kind == "swap":
            lines[n], lines[m] = lines[m], lines[n]
        else:
            lines.insert(n, lines[n])
        changed = bytearray(b"".join(lines))
    elif kind == "empty":
        changed = bytearray()
    elif kind == "ending":
        changed = bytearray(octets + b"\n" if dice.random() < 0.5 else octets.rstrip(b"\n"))
    elif kind == "case" and octets:
        changed[at % len(octets)] ^= 0x20
    return bytes(changed), kind


def by_chance(work, number, seed):
    dice, keys, good, folder = random.Random(seed), mk.make_keys(work / "keys"), work / "good", work / "now"
    head, pins = mk.build(good, keys, fill=2), work / "pins"
    pins.write_text(mk.allowed(keys))
    paths = [p.relative_to(good) for p in sorted(good.rglob("*")) if p.is_file()]
    signatures = [p for p in paths if p.suffix == ".sig"]
    for n in range(number):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(good, folder)
        names = []
        for _ in range(dice.choice([1, 1, 1, 1, 2, 3])):
            path = dice.choice(signatures if dice.random() < 0.3 else paths)
            what = dice.random()
            if not (folder / path).exists():
                continue
            if what < 0.06:
                (folder / path).unlink()
                kind = "removed"
            elif what < 0.12:
                other = dice.choice(paths)
                shutil.copy(good / other, folder / path)
                kind = f"is {other}"
            else:
                octets, kind = damage(dice, (folder / path).read_bytes())
                (folder / path).write_bytes(octets)
            names.append(f"{path}: {kind}")
        if dice.random() < 0.8 and not any(name.startswith("SHA256SUMS") for name in names):
            mk.sums(folder)
        kept.name = f"chance {n}: " + ", ".join(names)
        kept.folder(folder, pins if dice.random() < 0.5 else None, head if dice.random() < 0.2 else None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="folders with the answers of verify.py")
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--random", type=int, default=300)
    parser.add_argument("--sample", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    kept = Kept(args.work)
    v.verify, v.check_chain = kept.folder, kept.record
    known_cases(args.sample > 1)
    Corners(args.work, kept.ask, args.sample).all()
    by_chance(args.work, args.random, args.seed)
