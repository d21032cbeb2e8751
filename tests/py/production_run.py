#!/usr/bin/env python3
"""A production run of small-root through a terminal, as two people would type it: approved, governed, bound, with a typing slip,
somebody else's share, the death of the program twice, signatures made outside, and a stranger's verification; and every refusal.

    production_run.py --binary target/release/anchorite [--keep DIR]

Nothing here sleeps: every wait is for a text, with a deadline.
"""
import argparse, datetime, hashlib, json, os, pathlib, pty, re, select, shutil, signal, subprocess, sys, tempfile, time
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import drill
import memory
import needles
from drill import ROOT, Broken, need

DEADLINE = 60
PEOPLE = {"Ada Byron": ("ada", "AB"), "Grace Hopper": ("grace", "GH")}
SERIALS = {"The ceremony laptop": "LT-0042", "USB stick A": "USB-000311", "Bag for the spare card": "BAG-000871"}
BAD_LOOKING = {"0": "2", "2": "0"}


def sh(*argv, code=0, cwd=None):
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True, cwd=cwd, timeout=DEADLINE)
    said = (done.stdout + done.stderr).decode(errors="replace")
    need(done.returncode == code, f"{' '.join(map(str, argv))[:200]}: exit {done.returncode}, expected {code}: {said[-800:]}")
    return said


class Terminal:
    """A program on a pty: everything it showed, and a wait for its next question."""

    def __init__(self, argv):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv(str(argv[0]), [str(a) for a in argv])
        self.shown, self.taken, self.code = "", 0, None

    def read(self, deadline):
        ready, _, _ = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))
        need(ready, f"nothing more within {DEADLINE} s; the screen ends:\n{self.shown[-1500:]}")
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        if not data:
            _, status = os.waitpid(self.pid, 0)
            self.code = os.waitstatus_to_exitcode(status)
            return False
        self.shown += data.decode(errors="replace").replace("\r\n", "\n")
        return True

    def question(self):
        """The block since the last answer, once it ends in a question; None when the program has ended."""
        deadline = time.monotonic() + DEADLINE
        while not (self.shown.endswith(": ") and len(self.shown) > self.taken and self.settled()):
            if not self.read(deadline):
                return None
        block, self.taken = self.shown[self.taken:], len(self.shown)
        return block

    def settled(self):
        line = self.shown[self.taken:].rsplit("\n", 1)[-1]
        return any(re.search(pattern, line) for pattern, _ in RULES)

    def type(self, text):
        # What the terminal echoes belongs to this answer, not to the next question.
        os.write(self.fd, text.encode() + b"\n")

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        deadline = time.monotonic() + DEADLINE
        while self.read(deadline):
            pass
        need(self.code == -9, f"killed: {self.code}")

    def end(self):
        os.close(self.fd)


class Room:
    """Two people who remember what they wrote down."""

    def __init__(self, words):
        self.governance, self.cards, self.head, self.exceptions = words, {}, "", 0
        self.slips, self.stop_at, self.asked, self.secret_typed, self.across = {}, None, [], [], []

    def who(self, block):
        for line in reversed(block.splitlines()):
            for name in PEOPLE:
                if line.startswith(name + " · "):
                    return name
        raise Broken(f"nobody is named in:\n{block}")

    def sit(self, terminal):
        """Answers until the program ends, or the question named by `stop_at` is there."""
        while (block := terminal.question()) is not None:
            heads = re.findall(r"· head ([0-9a-f]{8})\]", block)
            self.head = heads[-1] if heads else self.head
            question = block.rsplit("\n", 1)[-1].strip()
            self.asked.append(question)
            self.nothing_kept(terminal, question)
            need(len(self.asked) < 400, "the questions do not end: " + " | ".join(self.asked[-6:]))
            if self.stop_at and re.search(self.stop_at, block):
                self.stop_at = None
                return block
            for pattern, rule in RULES:
                match = re.search(pattern, question)
                if match:
                    terminal.type(rule(self, block, match))
                    break
            else:
                raise Broken(f"a question nobody expected: {question!r} in\n{block}")
        return None

    def nothing_kept(self, terminal, question):
        """What was shown or typed is not in the memory of the program with the screen once that is over."""
        if self.cards and "hides it" not in question and os.geteuid() == 0:
            hits = memory.found(terminal.pid, self.cards.values())
            need(not hits, f"at {question!r} a share is still in memory: {hits[:4]}")
            self.looked += 1

    looked = 0

    # What they answer.
    def initials(self, block, _):
        return PEOPLE[self.who(block)][1]

    def number(self, block, match):
        thing = next((n for t, n in SERIALS.items() if t in block), None)
        need(thing, f"a thing nobody knows: {block}")
        return self.slips.pop("number", thing)

    def reveal(self, block, _):
        self.dealing = re.findall(r"(.*) alone: share (\d+) of \d+ · quorum (\S+) · generation (\d+)", block)[-1]
        return ""

    def hide(self, block, _):
        groups = re.findall(r"\b[0-9A-Z]{4}\b", block)
        need(len(groups) == 20, f"a share has 20 groups, not {len(groups)}:\n{block}")
        self.cards[(self.dealing[3], self.dealing[1])] = "".join(groups)
        self.generation = self.dealing[3]
        return ""

    def share(self, block, match):
        index = match[1]
        if "not taken" in block:
            self.refusals.append(re.findall(r"not taken: (.*)", block)[-1])
        card = self.cards[(self.generation, index)]
        wanted = self.slips.pop(("share", index), None)
        text = wanted(self, card) if callable(wanted) else card
        self.secret_typed.append(text)
        return " ".join(text[i:i + 4] for i in range(0, len(text), 4))

    refusals = ()

    def any_share(self, block, _):
        if "not taken" in block:
            self.refusals.append(re.findall(r"not taken: (.*)", block)[-1])
        wanted = self.slips.pop("unlock", None)
        text = wanted(self) if wanted else self.hand.pop(0)(self)
        self.secret_typed.append(text)
        return text

    def corrections(self, block, _):
        self.corrected = block
        return "yes"

    def fingerprint(self, block, _):
        return re.findall(r"fingerprint\s+((?:[a-z]+ ){11}[a-z]+)", block)[-1]

    def other_side(self, block, _):
        """The first time nothing arrived; then what the texts of the codes give to `qr scan` on the other side."""
        if self.slips.pop("code", None):
            return "again"
        codes = [line.strip() for line in block.splitlines() if re.fullmatch(r"A[EF]1[A-Z2-7]+", line.strip())]
        need(codes, f"no codes in:\n{block}")
        with tempfile.TemporaryDirectory() as folder:
            texts, out = pathlib.Path(folder) / "console.log", pathlib.Path(folder) / "arrived"
            texts.write_text("\n".join(codes))
            argv = [str(self.binary), "qr", "scan", str(texts), "--realm", "production", "--out", str(out), "--json"]
            said = json.loads(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
            self.across.append((said["kind"], out.read_bytes()))
        return said["words"]

    def sheet(self, block, _):
        self.exceptions += 1
        return "the test machine is no ceremony machine; we go on"

    sticks = ()

    def look(self, block, _):
        if "write medium" in block and self.sticks:
            expected, plug_in = self.sticks.pop(0)
            need(expected in " ".join(block.split()), f"expected {expected!r} in:\n{block}")
            plug_in()
            return "r"
        if "need" in block and "decision" in block:
            return "!"
        raise Broken(f"something failed in the room:\n{block}")


def fixed(text):
    return lambda *_: text


RULES = [
    (r"the twelve words on your paper .*: $|the twelve words on your paper .*:$", lambda room, *_: room.slips.pop("governance", room.governance)),
    (r"^\s*`r` (?:look again|try again): ?$", Room.look),
    (r"^\s*expected(?: \[.*\])?: ?$", lambda room, block, match: "" if "[" in match[0] else "a machine as the rules say"),
    (r"^\s*happened(?: \[.*\])?: ?$", lambda room, block, match: "" if "[" in match[0] else "network and swap on the machine of the test"),
    (r"^\s*decided(?: \[.*\])?: ?$", lambda room, block, match: "" if "[" in match[0] else Room.sheet(room, block, match)),
    (r"skip this step\?", fixed("")),
    (r"decided by, initials of two people: ?$", fixed("AB GH")),
    (r"Enter to fill in the sheet: ?$", fixed("")),
    (r"time on your watch, UTC .*: ?$", lambda *_: datetime.datetime.now(datetime.timezone.utc).strftime("%H:%M")),
    (r"your initials, if you agree: ?$", Room.initials),
    (r"number on .*\(ABC-000123\): ?$", Room.number),
    (r"type `([^`]*)`: ?$", lambda room, block, match: match[1]),
    (r"Enter shows it; have card and pen ready: ?$", Room.reveal),
    (r"written on the card\? Enter hides it: ?$", Room.hide),
    (r"your share, from your card, or `scan` \(not shown\): ?$", Room.any_share),
    (r"share (\d+), from your card, or `scan` \(not shown\): ?$", Room.share),
    (r"`yes` or `no`: ?$", Room.corrections),
    (r"twelve words \(orbit falcon granite \.\.\.\): ?$", Room.fingerprint),
    (r"twelve words, or `again` \(orbit falcon granite \.\.\.\): ?$", Room.other_side),
    (r"^\s*your initials: ?$", Room.initials),
    (r"`agree` or `do not agree`: ?$", fixed("agree")),
    (r"remark \(may be empty\): ?$", fixed("seen with my own eyes")),
    (r"first eight digits of the head .*: ?$", lambda room, *_: room.heads_typed.pop(0) or room.head),
]


class World:
    """Keys, governance, a script with the participants' keys, and as many approvals as are needed."""

    def __init__(self, binary, work):
        self.binary, self.work, self.count = binary, work, 0
        Room.binary = binary
        shutil.copytree(ROOT / "ceremony-scripts", work / "scripts")
        self.script = work / "scripts" / "small-root" / "script.toml"
        text, pins = self.script.read_text(), []
        (work / "keys").mkdir()
        for person, _ in PEOPLE.values():
            line = self.key(person)
            at = text.index(f'id = "{person}"')
            text = text[:at] + re.sub(r'public_key = "[^"]*"', f'public_key = "{line}"', text[at:], count=1)
            pins.append(f'{person} namespaces="evidence@anchorite" {line}\n')
        need("found a key of the example scripts" in sh(binary, "check", ROOT / "ceremony-scripts" / "small-root", "--realm", "production", code=3),
             "example keys pass for production")
        self.script.write_text(text.replace("1.3.6.1.4.1.55555.1", "1.3.6.1.4.1.99999.1")
            .replace("Example Devices", "Northern Works").replace("Example Small Root", "Northern Small Root"))
        (work / "pins").write_text("".join(pins))
        self.governance = work / "governance"
        self.governance.mkdir()
        (self.governance / "governance.toml").write_text(
            'format = "anchorite-governance/1"\ntitle = "Example Devices"\napprovers = ["olga", "piet"]\nthreshold = 2\n')
        (self.governance / "allowed_signers").write_text("".join(
            f'{who} namespaces="script-approval@anchorite" {self.key(who)}\n' for who in ("olga", "piet")))
        for place in ("usb", "plain"):
            (work / place).mkdir()
        self.ledger = work / "ledger.sqlite"
        sh(binary, "ledger", "init", self.ledger)
        self.binding = work / "binding.toml"
        self.bind("folders", work / "plain")
        sh(binary, "check", self.script.parent, "--realm", "production")

    def bind(self, table, place):
        """`media`: where a stick is mounted; `folders`: a plain folder of the machine is meant."""
        self.binding.write_text(f'format = "anchorite-binding/1"\nledger = "{self.ledger}"\n[{table}]\nvault-a = "{place}"\n')

    def stick(self, label=None):
        """Another stick where the last one was: a small file system, initialised as `label`."""
        self.pull()
        sh("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", self.work / "usb")
        if label:
            sh(self.binary, "medium", "init", self.work / "usb", "--label", label)

    def pull(self):
        subprocess.run(["umount", "-l", str(self.work / "usb")], capture_output=True)

    def key(self, who):
        path = self.work / "keys" / who
        sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path)
        return " ".join(path.with_suffix(".pub").read_text().split()[:2])

    def approval(self, approvers=("olga", "piet"), days=(-1, 1)):
        self.count += 1
        folder = self.work / f"approval-{self.count}"
        folder.mkdir()
        now = datetime.datetime.now(datetime.timezone.utc)
        dates = [(now + datetime.timedelta(days=d)).strftime("%Y-%m-%dT%H:%M:%SZ") for d in days]
        path = folder / "approval.json"
        sh(self.binary, "approve", "make", self.script.parent, "--not-before", dates[0], "--not-after", dates[1], "--out", path)
        self.sign(path, approvers)
        return path

    def sign(self, path, approvers, namespace="script-approval@anchorite"):
        for who in approvers:
            sh("ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", self.work / "keys" / who, path)
            path.with_name("approval.json.sig").rename(path.with_name(f"approval.json.{who}.sig"))

    def argv(self, approval, out, script=None):
        return [self.binary, "run", script or self.script.parent, "--governance", self.governance, "--approval", approval,
                "--binding", self.binding, "--out", out, "--plain"]

    def words(self):
        """The twelve words of the governance folder, as the approvers wrote them on paper: worked out here, not asked of the tool."""
        digest = drill.verify.tagged("governance", "production", (self.governance / "governance.toml").read_bytes(),
                                     (self.governance / "allowed_signers").read_bytes())
        digest = bytes.fromhex(digest) if isinstance(digest, str) else digest
        words = (ROOT / "src/basics/words.txt").read_text().split()
        bits = int.from_bytes(digest, "big") >> (256 - 132)
        return " ".join(words[(bits >> (11 * (11 - i))) & 2047] for i in range(12))


def signed_and_verified(world, out):
    """Attestations are signed outside, brought back, and a stranger verifies with pinned signers."""
    evidence = out / "evidence"
    need(drill.verify.verify(str(evidence))["exit"] == 8, "unsigned evidence is consistent and unpinned")
    for person, _ in PEOPLE.values():
        outside = world.work / f"{out.name}-{person}.json"
        shutil.copy(evidence / f"attestation.{person}.json", outside)
        other = next(p for p, _ in PEOPLE.values() if p != person)
        sh("ssh-keygen", "-q", "-Y", "sign", "-n", "evidence@anchorite", "-f", world.work / "keys" / other, outside)
        sh(world.binary, "evidence", "sign", evidence, "--who", person, "--signature", f"{outside}.sig", code=4)
        os.unlink(f"{outside}.sig")
        sh("ssh-keygen", "-q", "-Y", "sign", "-n", "evidence@anchorite", "-f", world.work / "keys" / person, outside)
        sh(world.binary, "evidence", "sign", evidence, "--who", person, "--signature", f"{outside}.sig")
    said = sh(sys.executable, ROOT / "transcripts/verify.py", evidence, "--signers", world.work / "pins")
    sh("sha256sum", "--quiet", "-c", "SHA256SUMS", cwd=evidence)
    return said


def on_the_stick(world, stick, key, place, out):
    """One whole export, made by `medium`'s own rules, and the record says on which medium it is and what that was."""
    need(sorted(str(p.relative_to(stick)) for p in stick.rglob("*")) == [
        "EXP-0001", "EXP-0001/MANIFEST", "EXP-0001/small-root.1.crl.pem", "EXP-0001/small-root.crt.pem", f"EXP-0001/{key}",
        "INBOX", "VOLUME"], "what is on the stick")
    said = sh(world.binary, "medium", "check", stick, "--label", "vault-a", "--json")
    volume = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
    bodies = [json.loads(line).get("body") or {} for line in drill.transcript(out).splitlines()[1:]]
    outcomes = [b["event"]["outcome"] for b in bodies if isinstance(b.get("event"), dict) and "outcome" in b["event"]]
    written = next(o for o in outcomes if o["outcome"] == "medium-written")["medium"]
    manifest = hashlib.sha256((stick / "EXP-0001" / "MANIFEST").read_bytes()).hexdigest()
    need(written == {"place": place, "id": volume["id"], "label": "vault-a", "export": "EXP-0001", "manifest": manifest},
         f"the record says {written}, the medium {volume['id']}")


def no_secret_left(world, room, terminals, out, stick):
    """Shares are nowhere but on the screen between reveal and hide; what they open and the people's keys are nowhere at all."""
    found = [needle for card in room.cards.values() for needle in needles.of_share(card)]
    sealed = {re.search(r"g(\d+)\.key", path.name)[1]: path for path in (out / "state" / "vault").glob("*.key.age")}
    opened = 0
    for generation in {generation for generation, _ in room.cards} & set(sealed):
        cards = [card for (of, _), card in room.cards.items() if of == generation]
        if len(cards) > 1:
            found += needles.of_quorum(cards[:2], sealed[generation])
            opened += 1
    need(opened, f"no generation of {sorted(sealed)} could be opened with the cards of {sorted(room.cards)}")
    for who in ("ada", "grace", "olga", "piet"):
        found += needles.of_ssh_key(world.work / "keys" / who)
    need(len(found) > 100 and all(len(needle) > 7 for needle in found), f"{len(found)} needles")
    of, dealt = needles.pattern(found), 0
    files = [path for folder in (out, stick) for path in folder.rglob("*") if path.is_file()]
    streams = [(str(path), path.read_bytes()) for path in [*files, world.ledger]]
    for number, terminal in enumerate(terminals):
        screen = re.sub(r"ready: \n.*?\x1b\[H\x1b\[2J\x1b\[3J", "", terminal.shown, flags=re.S)
        dealt += screen != terminal.shown and needles.leak([("all", terminal.shown.encode())], of) is not None
        streams.append((f"terminal {number}", screen.encode()))
    need(dealt, "no recording of a terminal shows a share, even where it must")
    need(len(streams) > 20, f"only {len(streams)} files and terminals were searched")
    need(needles.leak(streams, of) is None, f"a secret leaks: {needles.leak(streams, of)}")
    # Planted, each of them is found: in one piece, and as texts also in groups and lines.
    for needle in found:
        need(needles.leak([("planted", b"<p>" + needle + b"</p>")], of), f"planted, {needle!r} is not found")
        broken = b"\r\n".join(needle[at:at + 4] for at in range(0, len(needle), 4))
        need(not needle.isascii() or re.search(rb"\s", needle) or needles.leak([("planted", broken)], of), f"planted in groups, {needle!r} is not found")
    world.needles = len(found)


def rewritten(world, **changes):
    """An approval with other words in it, signed by both approvers all the same."""
    path = world.approval(())
    statement = json.loads(path.read_text())
    for key, value in changes.items():
        need(key in statement and statement[key] != value, f"{key} of an approval is no {value} already")
        statement[key] = value
    path.write_text(json.dumps(statement, sort_keys=True, separators=(",", ":")))
    world.sign(path, ("olga", "piet"))
    return path


def copied(world, name, change):
    """The script in a folder of its own, changed after its approval."""
    folder = world.work / name
    shutil.copytree(world.work / "scripts", folder)
    change(folder)
    return folder / "small-root"


def append(*paths):
    for path in paths:
        path.write_text(path.read_text() + "# changed\n")


def refused(world, name, argv, code, *reasons):
    """Ended with that code, for exactly that reason, without a folder and without a question to anybody."""
    said = sh(*argv, code=code)
    for reason in reasons:
        need(re.search(reason, said), f"{name}: refused for another reason, expected {reason!r}: {said}")
    need("hint: " in said, f"{name}: no hint: {said}")
    need("twelve words" not in said, f"{name}: refused, and yet asked: {said}")
    need(not (world.work / "never").exists(), f"{name}: refused, and yet made a folder")
    world.refused.append(name)


DIGEST, DATE = "[0-9a-f]{64}", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
WINDOW = f"the approval is valid from {DATE} until {DATE}, and the machine's clock says {DATE}"


def approvals_refused(world, good, out):
    def signatures(found):
        return f"the approval needs 2 signatures of approvers, found {found} good ones"
    foreign = r"approval\.json\.%s\.sig: the signature is not one of %s for this approval"
    refused(world, "no signature", world.argv(world.approval(()), out), 6, signatures(0), "ssh-keygen -Y sign -n script-approval@anchorite")
    refused(world, "one signature of two", world.argv(world.approval(("olga",)), out), 6, signatures(1))
    refused(world, "approval over", world.argv(world.approval(days=(-3, -1)), out), 6, WINDOW)
    refused(world, "approval not begun", world.argv(world.approval(days=(1, 3)), out), 6, WINDOW)
    swapped = world.approval(("olga",))
    shutil.copy(swapped.with_name("approval.json.olga.sig"), swapped.with_name("approval.json.piet.sig"))
    refused(world, "another's signature", world.argv(swapped, out), 6, foreign % ("piet", "piet"))
    wrong = world.approval(())
    world.sign(wrong, ("olga", "piet"), namespace="evidence@anchorite")
    refused(world, "signed for something else", world.argv(wrong, out), 6, foreign % ("olga", "olga"))
    spoilt = world.approval()
    spoilt.write_text(spoilt.read_text().replace("production", "rehearsal"))
    refused(world, "changed after its signatures", world.argv(spoilt, out), 6, foreign % ("olga", "olga"))
    stranger = world.approval(("olga",))
    world.sign(stranger, ("ada",))
    stranger.with_name("approval.json.ada.sig").rename(stranger.with_name("approval.json.piet.sig"))
    refused(world, "a participant who is no approver", world.argv(stranger, out), 6, foreign % ("piet", "piet"))
    refused(world, "another realm", world.argv(rewritten(world, realm="rehearsal"), out), 6,
            "the approval is for the rehearsal realm, and this is production")
    refused(world, "another ceremony", world.argv(rewritten(world, ceremony="small-root-2027"), out), 6,
            "the approval is for ceremony small-root-2027, and this script is small-root-2026")
    refused(world, "another format", world.argv(rewritten(world, format="anchorite-approval/2"), out), 6,
            "expected an approval of format anchorite-approval/1, found anchorite-approval/2")
    refused(world, "another plan", world.argv(rewritten(world, plan_digest="ab" * 32), out), 6,
            f"the plan differs from the approved one: approved {'ab' * 32}, found {DIGEST}")
    refused(world, "another script digest", world.argv(rewritten(world, script_digest="ab" * 32), out), 6,
            f"the script changed after its approval: approved {'ab' * 32}, found {DIGEST}")
    refused(world, "profiles not approved", world.argv(rewritten(world, profiles={}), out), 6,
            "profile root-device changed after its approval, or was not approved")
    script = copied(world, "changed", lambda folder: append(folder / "small-root" / "script.toml"))
    refused(world, "script changed", world.argv(good, out, script), 6, f"the script changed after its approval: approved {DIGEST}, found {DIGEST}")
    profile = copied(world, "changed-profile", lambda folder: append(*(folder / "profiles").glob("*.toml")))
    refused(world, "profile changed", world.argv(good, out, profile), 6, "profile root-device changed after its approval, or was not approved")
    other = copied(world, "other-ceremony", lambda folder: (folder / "small-root" / "script.toml").write_text(
        world.script.read_text().replace("small-root-2026", "small-root-2027")))
    refused(world, "script of another ceremony", world.argv(good, out, other), 6,
            "the approval is for ceremony small-root-2026, and this script is small-root-2027")
    rules = world.governance / "governance.toml"
    before = rules.read_text()
    rules.write_text(before + "least_threshold = 3\n")
    refused(world, "below the governance's least threshold", world.argv(good, out), 6, r"quorum \S+ needs 2 shares; the governance asks for at least 3")
    rules.write_text(before)
    refused(world, "no approval", world.argv(good.with_name("none.json"), out), 6, r"none\.json: opening: No such file")
    refused(world, "no governance", [str(world.work / "none") if part == world.governance else part for part in world.argv(good, out)], 6,
            r"none/governance\.toml: opening: No such file")


def bindings_refused(world, good, out):
    text = world.binding.read_text()
    world.binding.write_text(text.replace("vault-a", "vault-b"))
    refused(world, "medium not bound", world.argv(good, out), 3, "the binding binds no medium `vault-a`", "`media` has no key `vault-b`|`folders` has no key `vault-b`")
    world.binding.write_text(text.replace(str(world.ledger), str(world.work / "no-ledger")))
    refused(world, "no ledger", world.argv(good, out), 7, r"no-ledger: expected a ledger, found no file", "hint: .*`anchorite ledger init FILE`")
    need(not (world.work / "no-ledger").exists(), "a ledger that was missing was made")
    world.binding.unlink()
    refused(world, "no binding", world.argv(good, out), 1, r"binding\.toml: opening: No such file", "hint: --binding names a file")
    world.binding.write_text(text)


def refusals(world):
    good, out = world.approval(), world.work / "never"
    world.refused = []
    approvals_refused(world, good, out)
    bindings_refused(world, good, out)
    # A rehearsal's evidence is no production evidence, whoever signs it.
    rehearsed = world.work / "rehearsed"
    sh(world.binary, "rehearse", world.script.parent, "--plain", "--auto", "--seed", "1", "--out", rehearsed)
    answer = drill.verify.verify(str(rehearsed / "evidence"), signers=str(world.work / "pins"))
    need(answer["exit"] == 8, f"a rehearsal verified with production pins: {answer}")
    sh(world.binary, "verify", rehearsed / "evidence", "--signers", world.work / "pins", code=8)
    return len(world.refused)


def whole_run(world):
    """Beginning to end, with a typing slip and somebody else's share."""
    out, room, approval = world.work / "run", Room(world.words()), world.approval()
    room.refusals = []
    room.slips = {
        "governance": "these are not the words at all of this governance folder here now",
        "number": "LT-0043",
        "code": "again",
        ("share", "1"): lambda room, card: card[:30] + ("Q" if card[30] != "Q" else "P") + card[31:],
        ("share", "2"): lambda room, card: room.cards[("1", "1")],
    }
    stick, place = world.work / "plain", "plain folder"
    if os.geteuid() == 0:
        stick, place = world.work / "usb", "mounted folder"
        world.bind("media", stick)
        room.sticks = [
            ("nothing is mounted here: it is a plain folder of the machine, not the medium vault-a", lambda: world.stick("vault-b")),
            ("expected `vault-a`", world.stick),
        ]
    else:
        print("SKIPPED, NOT PASSED: a stick that is not plugged in, and the wrong one, need the right to mount (root)")
    terminal = Terminal(world.argv(approval, out))
    need(room.sit(terminal) is None and terminal.code == 0, f"exit {terminal.code}:\n{terminal.shown[-1500:]}")
    terminal.end()
    need("should be" in getattr(room, "corrected", ""), "the slip was not shown with its correction")
    need(len(room.refusals) == 1, f"somebody else's share was refused once: {room.refusals}")
    need(room.exceptions >= 1, "the machine of the test needed no exception")
    need([kind for kind, _ in room.across] == ["certificate", "crl", "checkpoint"], f"what left as codes: {room.across}")
    artifacts = {path.read_bytes() for path in (out / "evidence" / "artifacts").iterdir()}
    need({content for _, content in room.across[:2]} == artifacts, "what arrived is not what was issued")
    need(terminal.shown.count("as the text of codes") == 4, "`again` shows a code once more")
    need("not the words of this governance" in terminal.shown, "wrong governance words were taken")
    need(not room.sticks, "a folder where nothing is mounted, or the wrong stick, was taken for the right one")
    on_the_stick(world, stick, "small-root.g1.key.age", place, out)
    no_secret_left(world, room, [terminal], out, stick)
    signed_and_verified(world, out)
    refused(world, "the same approval again", world.argv(approval, world.work / "never"), 6,
            "this approval has been used by run small-root-2026 already; every run needs its own")
    return room


def run_that_dies(world):
    """kill -9 at the governance words, in the middle of dealing, and again between the last proof and the certificate."""
    stick = world.work / "plain"
    if any(stick.iterdir()):
        shutil.rmtree(stick)
        stick.mkdir()
    # A ledger lets a ceremony of one id run once: this one has another machine's.
    world.ledger = world.work / "ledger-2.sqlite"
    sh(world.binary, "ledger", "init", world.ledger)
    world.bind("folders", stick)
    out, room, terminals = world.work / "dies", Room(world.words()), []
    room.refusals = []
    opening = Terminal(world.argv(world.approval(), out))
    room.stop_at = r"the twelve words on your paper"
    need(room.sit(opening) is not None, f"ended early, exit {opening.code}:\n{opening.shown[-800:]}")
    opening.kill()
    terminals.append(opening)
    # Nothing has confirmed the governance folder yet: the resumed ceremony asks both people for its words all the same.
    first = Terminal([world.binary, "resume", out, "--plain"])
    room.heads_typed, asked = [room.head, room.head], len(room.asked)
    room.stop_at = r"Prove share 2 of 3"
    need(room.sit(first) is not None, f"ended early, exit {first.code}:\n{first.shown[-800:]}")
    words = [question for question in room.asked[asked:] if "the twelve words on your paper" in question]
    need(len(words) == 2, f"after a resume the governance words were asked for {len(words)} times, not twice")
    first.kill()
    terminals.append(first)
    # Somebody who noted another head is not believed, nor one who reads what the screen shows now.
    second = Terminal([world.binary, "resume", out, "--plain"])
    noted, room.heads_typed = room.head, ["00000000", None, room.head, room.head]
    room.stop_at = r"Issue the root certificate"
    need(room.sit(second) is not None, f"ended early, exit {second.code}:\n{second.shown[-1500:]}")
    need("not proven by all its custodians" in second.shown, "the generation was not voided")
    for refusal in ("no entry of this record has that head", "that is a head from after the stop, as on the screen now"):
        need(second.shown.count(refusal) == 1 and not room.heads_typed, f"a head nobody could have noted was taken: {refusal!r} was not said")
    need(noted in second.shown, "the head that was noted was not typed back")
    need(room.generation == "2", f"generation {room.generation} was dealt after the first was voided")
    second.kill()
    terminals.append(second)
    third = Terminal([world.binary, "resume", out, "--plain"])
    room.heads_typed = [room.head, room.head]
    room.hand = [lambda r: r.cards[("2", "1")], lambda r: r.cards[("2", "1")], lambda r: r.cards[("2", "3")]]
    room.slips["unlock"] = lambda r: r.cards[("1", "1")]
    need(room.sit(third) is None and third.code == 0, f"exit {third.code}:\n{third.shown[-1500:]}")
    terminals.append(third)
    need(len(room.refusals) == 2, f"a card of a voided generation and the same share twice are refused: {room.refusals}")
    for terminal in terminals:
        terminal.end()
    on_the_stick(world, stick, "small-root.g2.key.age", "plain folder", out)
    drill.serials_once(drill.transcript(out))
    no_secret_left(world, room, terminals, out, stick)
    signed_and_verified(world, out)
    return room


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path, help="work in this new folder and leave it")
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="anchorite-run-") as work:
        if args.keep:
            args.keep.mkdir()
            work = args.keep.resolve()
        world = World(args.binary.resolve(), pathlib.Path(work))
        try:
            for name, part in (("refusals", refusals), ("a whole run", whole_run), ("a run that dies twice", run_that_dies)):
                got = part(world)
                detail = got if isinstance(got, int) else f"{len(got.asked)} questions answered, {world.needles} spellings of secrets nowhere, refused: {'; '.join(got.refusals)}"
                print(f"{name}: {detail}", flush=True)
        except Broken as bad:
            print("BAD", bad)
            return 1
        finally:
            world.pull()
    print(f"production_run.py: every part held, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
