#!/usr/bin/env python3
"""Two production ceremonies through a terminal, the second of which follows the first: small-root, then its next CRL by the same two people,
who open the key for one list and bring the last head on their own paper; and every way in which the second must not begin.

    production_chain.py --binary target/release/anchorite [--keep DIR]
"""
import argparse, datetime, json, os, pathlib, re, shutil, sys, tempfile, time
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import drill
import production_run as first
from drill import ROOT, Broken, need
from production_run import Room, Terminal, World, refused, sh

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DATE = "%Y-%m-%dT%H:%M:%SZ"
OPEN, CLOSE = '[[act]]\ntitle = "Make and protect"', '[[act]]\ntitle = "Close"'
ISSUE = f'''[[act]]
title = "Issue"

[[act.step]]
id = "unlock"
title = "Unlock the root"
kind = "unlock"
who = "administrator"
confirm = ["witness"]
minutes = 5
say = "The list on the screen is all that the root will sign today."
authority = "small-root"

[[act.step]]
id = "crl"
title = "Issue the CRL"
kind = "issue-crl"
who = "administrator"
confirm = ["witness"]
minutes = 2
say = "The list continues the one before it."
authority = "small-root"
this_update = "{NOW.strftime(DATE)}"
next_update = "{(NOW + datetime.timedelta(days=180)).strftime(DATE)}"

[[act.step]]
id = "export"
title = "Write the stick"
kind = "write-medium"
who = "administrator"
confirm = ["witness"]
minutes = 1
say = "The list goes onto the stick."
medium = "vault-a"
authorities = ["small-root"]

'''

# What the custodians read from their own paper: first the note of another ceremony.
first.RULES.insert(0, (r"twelve words or 64 digits .*: ?$", lambda room, *_: room.noted.pop(0)))


def following(world, head, identity="small-root-crl-2027", follows="small-root-2026"):
    """A script of the same people that issues the root's next list."""
    folder = world.work / "scripts" / identity
    folder.mkdir(exist_ok=True)
    text = world.script.read_text()
    end = text.index('[[act.step]]\nid = "sign-off"')
    need(text.index(OPEN) < text.index(CLOSE) < end, "small-root has another order than this script was made from")
    text = text[:text.index(OPEN)] + ISSUE + CLOSE + "\n\n" + text[end:]
    text = text.replace('id = "small-root-2026"', f'id = "{identity}"\nfollows = "{follows}"\nprevious_head = "{head}"', 1)
    text = text.replace('[[quorum]]\n', '[[quorum]]\nstanding = true\n', 1).replace('[[authority]]\n', '[[authority]]\nstanding = true\n', 1)
    (folder / "script.toml").write_text(text)
    return folder


def approve(world, script, after, code=0, says=()):
    world.count += 1
    folder = world.work / f"approval-{world.count}"
    folder.mkdir()
    dates = [(NOW + datetime.timedelta(days=d)).strftime(DATE) for d in (-1, 1)]
    path = folder / "approval.json"
    more = ["--after", after] if after else []
    said = sh(world.binary, "approve", "make", script, "--not-before", dates[0], "--not-after", dates[1], "--out", path, *more, code=code)
    for word in says:
        need(word in said, f"expected {word!r} in: {said}")
    if code == 0:
        world.sign(path, ("olga", "piet"))
    return path


def head_of(out):
    return json.loads(drill.transcript(out).splitlines()[-1])["head"]


def small_root(world):
    out, room = world.work / "first", Room(world.words())
    room.refusals = []
    terminal = Terminal(world.argv(world.approval(), out))
    need(room.sit(terminal) is None and terminal.code == 0, f"exit {terminal.code}:\n{terminal.shown[-1500:]}")
    terminal.end()
    return out, room, terminal


def never_begun(world, out, vault, head, script, approval):
    """Everything by which the second ceremony must not begin, each for its own reason and without a folder."""
    def argv(after=out, sealed=vault, approval=approval, script=script):
        more = [*(["--after", after] if after else []), *(["--vault", sealed] if sealed else [])]
        return [*world.argv(approval, world.work / "never", script), *more]
    def changed(name, folder, change):
        to = world.work / name
        shutil.copytree(folder, to)
        change(to)
        return to
    refused(world, "no evidence of the ceremony before", argv(after=None, sealed=None), 2, r"follows small-root-2026: expected `--after`")
    wrong = following(world, "0" * 63 + "1", "wrong-head")
    approve(world, wrong, out, 4, ["the evidence does not hold", "expected " + "0" * 63 + "1", head])
    refused(world, "a previous_head of no record", argv(script=wrong), 4, "the evidence does not hold")
    def flip(to):
        path = next(to.glob("*.key.age"))
        octets = bytearray(path.read_bytes())
        octets[-1] ^= 1
        path.write_bytes(octets)
    refused(world, "an altered key on the vault medium", argv(sealed=changed("vault-altered", vault, flip)), 4, "expected the sealed key of the record")
    gone = changed("vault-empty", vault, lambda to: next(to.glob("*.key.age")).unlink())
    refused(world, "a vault medium without the key", argv(sealed=gone), 7, "the sealed key of small-root")
    def edit(to):
        path = to / "transcript.jsonl"
        path.write_text(path.read_text().replace('"outcome":"agreed"', '"outcome":"given"', 1))
    refused(world, "an edited record", argv(after=changed("edited", out / "evidence", edit)), 4, "the evidence does not hold", "refuted at entry")
    rehearsal = world.work / "rehearsal"
    sh(world.binary, "rehearse", world.script.parent, "--plain", "--auto", "--seed", "7", "--out", rehearsal)
    refused(world, "a rehearsal's evidence", argv(after=rehearsal), 6, "expected a ceremony of the production realm, found one of the rehearsal realm")
    alone = approve(world, script, out)
    text = json.loads(alone.read_text())
    text["plan_digest"] = "0" * 64
    alone.with_name("approval.json").write_text(json.dumps(text, sort_keys=True, separators=(",", ":")))
    for who in ("olga", "piet"):
        alone.with_name(f"approval.json.{who}.sig").unlink()
    world.sign(alone, ("olga", "piet"))
    refused(world, "an approval of another plan", argv(approval=alone), 6, "plan")


def the_next_list(world, out, before, terminals):
    """The second ceremony: both open the key for the list, one of them first with the head of something else."""
    head = head_of(out)
    vault = next(p.parent for p in (world.work / "plain").rglob("*.key.age"))
    script = following(world, head)
    sh(world.binary, "check", script, "--realm", "production", "--after", out)
    approve(world, script, None, 2, ["expected `--after`"])
    approval = approve(world, script, out)
    never_begun(world, out, vault, head, script, approval)
    second, room = world.work / "second", Room("no governance words are asked for")
    room.refusals, room.cards, room.generation = [], before.cards, before.generation
    room.noted = [before.governance, head, head]
    card = lambda index: lambda r: r.cards[(before.generation, index)]
    room.hand = [card("1"), card("1"), card("2")]
    terminal = Terminal([*world.argv(approval, second, script), "--after", out, "--vault", vault])
    need(room.sit(terminal) is None and terminal.code == 0, f"exit {terminal.code}:\n{terminal.shown[-2500:]}")
    terminal.end()
    need(not any("words on your paper" in question for question in room.asked), "governance was asked for, though the ledger pins it")
    need("that is not the head this ceremony goes on from" in terminal.shown, "the head of something else was taken")
    need(any("typed already" in r or "has been" in r for r in room.refusals), f"one card opened a key for which two are needed: {room.refusals}")
    need(not room.noted and not room.hand, f"not everything was asked for: {room.noted} {room.hand}")
    shown = re.sub(r"\s+", " ", terminal.shown)
    need(shown.count("CRL 2 of small-root") > 4 and "Approve exactly this list" in shown, "the list was not shown for approval")
    evidence, said = second / "evidence", sh(sys.executable, ROOT / "transcripts/verify.py", second / "evidence", "--after", out / "evidence", code=8)
    need("as the one you brought" in said, said)
    said = sh(world.binary, "verify", evidence, "--expect", head_of(second), "--after", out)
    need(re.search(r"ok +what stands +exactly what the record of small-root-2026 leaves", said), said)
    need(re.search(r"governance +pinned by the record that ended at " + head, said), said)
    sh("openssl", "crl", "-in", evidence / "artifacts" / "small-root.2.crl.pem", "-CAfile", out / "evidence/artifacts/small-root.crt.pem", "-noout", "-verify")
    numbers = sh("openssl", "crl", "-in", evidence / "artifacts" / "small-root.2.crl.pem", "-noout", "-crlnumber")
    need(re.search(r"crlNumber=(0x)?0?2\b", numbers), numbers)
    drill.serials_once(drill.transcript(second))
    first.no_secret_left(world, room, [*terminals, terminal], second, world.work / "plain")
    third = following(world, head, "another-branch")
    refused(world, "a second branch of the chain", [*world.argv(approve(world, third, out), world.work / "never", third), "--after", out, "--vault", vault], 6,
            "has been followed by small-root-crl-2027 already")
    # A third ceremony goes on from the second, whose vault it finds in the folder that was written.
    last = following(world, head_of(second), "small-root-crl-2028", "small-root-crl-2027")
    said = sh(world.binary, "check", last, "--realm", "production", "--after", second)
    need("no problems" in said, said)
    return room


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path, help="work in this new folder and leave it")
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="anchorite-chain-") as work:
        if args.keep:
            args.keep.mkdir()
            work = args.keep.resolve()
        world = World(args.binary.resolve(), pathlib.Path(work))
        world.refused = []
        try:
            out, before, terminal = small_root(world)
            room = the_next_list(world, out, before, [terminal])
            print(f"a chain of two: {len(before.asked)} and {len(room.asked)} questions answered; refused: {'; '.join(world.refused)}")
        except Broken as bad:
            print("BAD", bad)
            return 1
        finally:
            world.pull()
    print(f"production_chain.py: every part held, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
