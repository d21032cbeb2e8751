#!/usr/bin/env python3
"""Disk states a power cut could leave, built from one traced rehearsal: each unsynced write kept, dropped or torn, each
unsynced change of a folder kept or dropped, SQLite's files among them. Every state must resume to a closed record that verifies, with
every acknowledged line, and to a ledger that says what the record says.

    power_loss.py --binary target/release/anchorite [--states 2000] [--all] [--seed N]

What a disk promises here is POSIX and no more: a file's octets last once fsync or fdatasync of it returned, a name once fsync of its
folder returned. On FAT less: a rename leaves a file of size 0 until it is synced once more.

Negative controls, each run with the same model and each to be found bad, or this drill is blind: the syncs of the record, and those
of folders, taken as never issued; SQLite in WAL mode with synchronous NORMAL, and in DELETE mode with FULL, where our WAL with EXTRA, WAL
with FULL and DELETE with EXTRA lose nothing; and our own files without their second fsync on FAT.
"""
import argparse, collections, concurrent.futures, multiprocessing, os, pathlib, random, re, shutil, sqlite3, subprocess, sys, tempfile, time
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import drill
from crash import PROCESSES, workplace
from drill import ROOT, Broken, need

TRACED = "open,openat,openat2,creat,write,pwrite64,fsync,fdatasync,renameat2,renameat,rename,unlink,unlinkat,ftruncate,mkdir,mkdirat"
CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+)")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
# A name under an open folder: the number of the folder, what strace says it is, and the name.
BENEATH = re.compile(r'(AT_FDCWD|\d+)<([^>]*)>, "((?:\\x[0-9a-f]{2})*)"')
BLOCK = 4096


def octets(text):
    return bytes.fromhex(text.replace("\\x", ""))


def absolute(args):
    """The arguments of a call with every name under an open folder written out from the root."""
    return BENEATH.sub(lambda m: m[0] if m[3].startswith("\\x2f") else f'{m[1]}<{m[2]}>, "{m[2]}\\x2f{m[3]}"', args)


class Inode:
    def __init__(self):
        self.ops, self.synced, self.size, self.folder = [], 0, 0, False
        # On FAT: renamed, and not synced since.
        self.sizeless = False
        self.last = (0, b"")

    def whole(self):
        """Everything written, put together once."""
        if self.last[0] != len(self.ops):
            self.last = (len(self.ops), self.content(enumerate(self.ops)))
        return self.last[1]

    def content(self, kept):
        data = bytearray()
        for at, (offset, piece) in kept:
            if piece is None:
                del data[offset:]
                data.extend(bytes(offset - len(data)))
            else:
                data.extend(bytes(max(0, offset + len(piece) - len(data))))
                data[offset:offset + len(piece)] = piece
        return bytes(data)


class Disk:
    """The disk, call by call: what is durable, and what is under way."""

    def __init__(self, folder, ignore=None, record="evidence/transcript.jsonl"):
        self.folder, self.ignore, self.record = str(folder), ignore, f"{folder}/{record}"
        self.inodes, self.names, self.durable, self.pending, self.handles = [], {}, {}, [], {}
        self.acknowledged, self.named = b"", False

    def inode(self, folder=False):
        self.inodes.append(Inode())
        self.inodes[-1].folder = folder
        return len(self.inodes) - 1

    def ours(self, path):
        return path is not None and (path + "/").startswith(self.folder + "/") and not path.endswith("-shm")

    def change(self, path, *op):
        self.pending.append((path.rpartition("/")[0], op))

    @staticmethod
    def apply(names, op):
        if op[0] == "add":
            names[op[1]] = op[2]
        elif op[0] == "move":
            names.pop(op[1], None)
            names[op[2]] = op[3]
        else:
            names.pop(op[1], None)

    def call(self, name, args, result):
        if result < 0:
            return False
        texts = [octets(t).decode("utf-8", "replace") for t in TEXT.findall(args)] if name in (
            "open", "openat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat") else []
        if name in ("open", "openat"):
            path = texts[0]
            if not self.ours(path) and path != self.folder.rpartition("/")[0]:
                self.handles.pop(result, None)
                return False
            fresh = path not in self.names and "O_CREAT" in args
            if fresh:
                self.names[path] = self.inode()
                self.change(path, "add", path, self.names[path])
            self.handles[result] = [self.names.get(path), path, 0, "O_APPEND" in args]
            return fresh
        if name in ("mkdir", "mkdirat"):
            if not self.ours(texts[0]):
                return False
            self.names[texts[0]] = self.inode(True)
            self.change(texts[0], "add", texts[0], self.names[texts[0]])
            return True
        if name in ("rename", "renameat", "renameat2"):
            old, new = texts[-2:]
            if not self.ours(old):
                return False
            self.names[new] = self.names.pop(old)
            self.change(new, "move", old, new, self.names[new])
            self.inodes[self.names[new]].sizeless = True
            return True
        if name in ("unlink", "unlinkat"):
            if not self.ours(texts[0]):
                return False
            self.names.pop(texts[0], None)
            self.change(texts[0], "drop", texts[0])
            return True
        # The number of a closed file may be a pipe's by now: strace says what it is.
        match = re.match(r"(\d+)<([^>]*)>", args)
        handle = self.handles.get(int(match[1]))
        path = re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), match[2])
        if handle is None or not (self.ours(path) or path == self.folder.rpartition("/")[0]):
            return False
        number, position, append = self.names.get(path), handle[2], handle[3]
        if name in ("fsync", "fdatasync"):
            return self.sync(number, path)
        inode = self.inodes[number]
        if name == "ftruncate":
            size = int(args.rsplit(",", 1)[1])
            inode.ops.append((size, None))
            inode.size = size
            return True
        data = octets(TEXT.search(args)[1])[:result]
        if name == "pwrite64":
            offset = int(args.rsplit(",", 1)[1])
        else:
            offset = inode.size if append else position
            handle[2] = offset + len(data)
        inode.ops.append((offset, data))
        inode.size = max(inode.size, offset + len(data))
        return True

    def sync(self, number, path):
        record, parent = self.record, self.record.rpartition("/")[0]
        if number is None or self.inodes[number].folder:
            # The folder is durable now, unless the control pretends that nobody asked.
            if self.ignore != "folders":
                left = []
                for parent_of, op in self.pending:
                    if parent_of == path:
                        self.apply(self.durable, op)
                    else:
                        left.append((parent_of, op))
                self.pending = left
        elif not (self.ignore == "record" and self.names.get(record) == number):
            self.inodes[number].synced = len(self.inodes[number].ops)
            if self.ignore != "second fsync":
                self.inodes[number].sizeless = False
        # A line is acknowledged when the program went on after the call that makes it durable; its file needs a name too.
        self.named |= record in self.names and path == parent
        if self.named and (self.names[record] == number or path == parent):
            inode = self.inodes[self.names[record]]
            self.acknowledged = inode.whole()
        return True

    def unsure(self):
        """Places of a choice: each unsynced change of a folder, each unsynced write."""
        return [("name", at) for at in range(len(self.pending))] + [
            ("write", number, at) for number, inode in enumerate(self.inodes) for at in range(inode.synced, len(inode.ops))]

    def state(self, choose):
        """Files by path (None for a folder). `choose` says of each unsure place: keep, drop, torn, zeros or blocks."""
        names = dict(self.durable)
        for at, (_, op) in enumerate(self.pending):
            if choose(("name", at)) != "drop":
                self.apply(names, op)
        files = {}
        for path, number in sorted(names.items()):
            if path.rpartition("/")[0] not in files and path != self.folder:
                continue
            if self.inodes[number].folder:
                files[path] = None
                continue
            inode, kept = self.inodes[number], []
            if inode.synced == len(inode.ops):
                files[path] = inode.whole()
                continue
            for at, (offset, piece) in enumerate(inode.ops):
                word = choose(("write", number, at)) if at >= inode.synced else "keep"
                if piece is not None and word == "torn":
                    piece = piece[:len(piece) * 2 // 3]
                elif piece is not None and word == "zeros":
                    piece = bytes(len(piece))
                elif piece is not None and word == "blocks" and len(piece) > BLOCK:
                    cut = BLOCK - offset % BLOCK
                    piece = bytes(cut) + piece[cut:]
                if word != "drop":
                    kept.append((at, (offset, piece)))
            files[path] = inode.content(kept)
        return files


def trace(binary, work):
    """The calls of one rehearsal, and its folder."""
    folder, log = work / "reference", work / "trace"
    strace = ["strace", "-y", "-xx", "-s", "1000000", "-e", "trace=" + TRACED, "-o", log]
    code, said = drill.run([*strace, binary, "rehearse", ROOT / "ceremony-scripts/small-root", "--plain", "--auto",
                            "--seed", 7, "--out", folder], timeout=300)
    need(code == 0, f"the rehearsal itself: exit {code}: {said[-400:]}")
    return folder, read_trace(log)


def read_trace(log):
    """Calls as (name, arguments, result)."""
    calls = []
    for match in filter(None, map(CALL.match, log.read_text(errors="replace").splitlines())):
        name = "openat" if match[1] == "openat2" else match[1]
        named = name.startswith(("open", "rename", "mkdir", "unlink"))
        calls.append((name, absolute(match[2]) if named else match[2], int(match[3])))
    return calls


def states(folder, calls, rng, ignore=None, tries=8, record="evidence/transcript.jsonl"):
    """Distinct states: (label, files, acknowledged octets). At each call: nothing of what is unsure, all of it, and mixtures."""
    disk, seen, found = Disk(folder, ignore, record), set(), []
    for at, (name, args, result) in enumerate(calls):
        if not disk.call(name, args, result):
            continue
        unsure = disk.unsure()
        plans = [("none", dict.fromkeys(unsure, "drop")), ("all", dict.fromkeys(unsure, "keep"))]
        for _ in range(tries if unsure else 0):
            words = {}
            for place in unsure:
                words[place] = rng.choice(("keep", "drop") if place[0] == "name" else ("keep", "drop", "torn", "zeros", "blocks"))
            plans.append(("mixed", words))
        for label, words in plans:
            files = disk.state(lambda place, words=words: words.get(place, "keep"))
            digest = hash((frozenset(files.items()), disk.acknowledged))
            if digest not in seen:
                seen.add(digest)
                found.append((f"{label} at call {at} {name}", files, disk.acknowledged))
    need(ignore or check_model(disk, folder), "the model of the disk does not end in what the rehearsal left")
    return found


def check_model(disk, folder):
    """With nothing lost, the model is the disk."""
    files = disk.state(lambda place: "keep")
    real = {str(p): None if p.is_dir() else p.read_bytes() for p in [folder, *folder.rglob("*")] if not p.name.endswith("-shm")}
    for path in sorted(set(files) ^ set(real)) + [p for p in files if p in real and files[p] != real[p]]:
        print("model:", path, len(files.get(path) or b""), len(real.get(path) or b""))
        return False
    return True


def build(files, folder, root):
    for path, content in files.items():
        there = pathlib.Path(str(root) + path[len(str(folder)):])
        if content is None:
            there.mkdir()
        else:
            there.write_bytes(content)


def torn_inside(record, acknowledged):
    """Whether whole lines after the acknowledged ones are damaged: blocks of one write that reached the disk out of order."""
    return any(b"\0" in line for line in record[len(acknowledged):].split(b"\n")[:-1])


current = None


def one(item):
    """One state, rebuilt in a folder of its own and resumed: what happened, and what is broken."""
    number, (what, files, acknowledged) = item
    binary, folder, work = current
    root = work / f"state-{number}"
    try:
        if str(folder) not in files:
            need(not acknowledged, "acknowledged lines are gone with their folder")
            return "no folder", []
        build(files, folder, root)
        record = drill.transcript(root)
        need(record.startswith(acknowledged), f"acknowledged lines are gone: {len(acknowledged)} octets, {len(record)} there")
        if torn_inside(record, acknowledged):
            code, said = drill.run([binary, "resume", root, "--plain"])
            need(code == 1 and "entry" in said, f"a line torn inside: exit {code}: {said[-300:]}")
            return "stopped with a reason (blocks out of order)", []
        return drill.resume_and_check(binary, root, folder, acknowledged, ""), []
    except (Broken, subprocess.TimeoutExpired, OSError, ValueError, KeyError) as broken:
        return "BAD", [f"power loss: {what}: {broken}"]
    finally:
        shutil.rmtree(root, ignore_errors=True)


def drill_states(binary, folder, chosen, work):
    global current
    current, bad, counts, began = (binary, folder, work), [], collections.Counter(), time.monotonic()
    with concurrent.futures.ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("fork")) as pool:
        for word, broken in pool.map(one, enumerate(chosen), chunksize=8):
            counts[word] += 1
            bad += broken
    print(f"power loss: {len(chosen)} states in {time.monotonic() - began:.0f} s: "
          + ", ".join(f"{n} {w}" for w, n in counts.most_common()), flush=True)
    return bad


def losses(found, folder):
    """States of a control in which an acknowledged line is not there; no program runs for this."""
    record = str(folder) + "/evidence/transcript.jsonl"
    return sum(not (files.get(record) or b"").startswith(acknowledged) for _, files, acknowledged in found)


def emptied(folder, calls, ignore=None):
    """Files that a FAT file system could leave empty after the record said that they are there: looked at after each durable line."""
    disk, lost, files, before = Disk(folder, ignore), set(), set(), b""
    for name, args, result in calls:
        disk.call(name, args, result)
        if disk.acknowledged == before:
            continue
        before = disk.acknowledged
        for path, number in disk.names.items():
            if not disk.inodes[number].folder and "ledger.sqlite" not in path:
                files.add(path)
                if disk.inodes[number].sizeless:
                    lost.add(path)
    return len(lost), len(files)


# A program that keeps numbers in SQLite, and says of each, durably and after the commit, that it is kept.
KEEPER = """
import os, sqlite3, sys
folder, journal, synchronous = sys.argv[1:]
os.mkdir(folder)
base = sqlite3.connect(folder + "/numbers.sqlite", isolation_level=None)
base.execute("PRAGMA journal_mode=" + journal)
base.execute("PRAGMA synchronous=" + synchronous)
base.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY, filler TEXT) STRICT")
record = os.open(folder + "/record", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
above = os.open(os.path.dirname(folder), os.O_RDONLY)
here = os.open(folder, os.O_RDONLY)
os.fsync(above)
os.fsync(here)
for number in range(12):
    base.execute("INSERT INTO numbers VALUES (?, ?)", (number, "x" * 900))
    os.write(record, b"%d\\n" % number)
    os.fsync(record)
os.kill(os.getpid(), 9)
""".replace("\\\\n", "\\n")


def forgotten(work, journal, synchronous, rng):
    """States in which SQLite does not know a number that was said to be kept, or cannot be read at all; and how many states there are."""
    folder, log = work / f"{journal}-{synchronous}", work / f"trace-{journal}-{synchronous}"
    strace = ["strace", "-y", "-xx", "-s", "1000000", "-e", "trace=" + TRACED, "-o", log]
    code, said = drill.run([*strace, sys.executable, "-c", KEEPER, folder, journal, synchronous], timeout=120)
    need(code in (-9, 137) and (folder / "record").read_bytes().count(b"\n") == 12, f"{journal} and {synchronous}: exit {code}: {said[-300:]}")
    found, bad = states(folder, read_trace(log), rng, "the program was killed", tries=12, record="record"), 0
    for number, (_, files, acknowledged) in enumerate(found):
        if not acknowledged:
            continue
        root = work / f"{journal}-{synchronous}-{number}"
        try:
            build(files, folder, root)
            base = sqlite3.connect(root / "numbers.sqlite")
            kept = {number for number, in base.execute("SELECT number FROM numbers")}
            base.close()
            bad += not {int(line) for line in acknowledged.split()} <= kept
        except (sqlite3.Error, OSError):
            bad += 1
        finally:
            shutil.rmtree(root, ignore_errors=True)
    return bad, len(found)


def controls(folder, calls, work, rng):
    """What this drill says of writers known to be wrong, and known to be right."""
    bad = []

    def control(what, lost, of, wrong):
        print(f"control: {what}: {lost} of {of} lose what was acknowledged" + ("" if wrong else ", as it should be"), flush=True)
        if bool(lost) != wrong:
            bad.append(f"control: {what}: " + ("this drill does not see what is wrong with it" if wrong else f"{lost} of {of} are bad"))
    for ignore in ("record", "folders"):
        found = states(folder, calls, rng, ignore, tries=1)
        control(f"syncs of {ignore} never issued", losses(found, folder), len(found), True)
    control("files of a rehearsal, on FAT", *emptied(folder, calls), False)
    control("files of a rehearsal without their second fsync, on FAT", *emptied(folder, calls, "second fsync"), True)
    for journal, synchronous, wrong in (("WAL", "EXTRA", False), ("WAL", "FULL", False), ("DELETE", "EXTRA", False),
                                        ("WAL", "NORMAL", True), ("DELETE", "FULL", True)):
        control(f"SQLite, {journal} and {synchronous}", *forgotten(work, journal, synchronous, rng), wrong)
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--states", type=int, default=2000)
    parser.add_argument("--all", action="store_true", help="every distinct state found, with more mixtures")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    if not shutil.which("strace"):
        sys.exit("power_loss.py: needs strace (apt-get install strace): a judge that is absent is no pass")
    rng, began = random.Random(args.seed), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="anchorite-power-", dir=workplace()) as work:
        work = pathlib.Path(work)
        folder, calls = trace(args.binary.resolve(), work)
        bad = controls(folder, calls, work, rng)
        found = states(folder, calls, rng, tries=24 if args.all else 8)
        chosen = found if args.all or len(found) <= args.states else [found[i] for i in sorted(rng.sample(range(len(found)), args.states))]
        print(f"{len(calls)} calls, {len(found)} distinct states", flush=True)
        if losses(found, folder):
            bad.append(f"{losses(found, folder)} states lose acknowledged lines")
        bad += drill_states(args.binary.resolve(), folder, chosen, work)
    for text in bad:
        print("BAD", text)
    print("power_loss.py: " + (f"{len(bad)} broken" if bad else "every invariant held") + f", {time.monotonic() - began:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
