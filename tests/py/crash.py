#!/usr/bin/env python3
"""Kills a rehearsal at every call that changes a disk, and makes every kind of call fail; then resumes and verifies.

    crash.py --binary target/release/anchorite        small-root killed at every call, root-ca at 200, crl, rollover and delegated-log at 25 each, the last at every call on its log; errors at one call of each
                                                      kind on each kind of file; full disks
    crash.py --binary ... --all                       root-ca killed at every call, and every error at every call of small-root
"""
import argparse, collections, concurrent.futures, multiprocessing, os, pathlib, random, re, shutil, subprocess, sys, tempfile, time
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import drill
from drill import Broken, ROOT, need

LINE = re.compile(r"^(\w+)\((.*)$")
PATH = re.compile(r"^\d+<([^>]*)>")
ERRORS = ("EIO", "ENOSPC", "EROFS", "EINTR")
WRITES = ("write", "pwrite64")
PROCESSES = os.cpu_count() or 2


def rehearse(binary, script, folder, seed, strace=(), after=None):
    argv = [binary, "rehearse", ROOT / "ceremony-scripts" / script, "--plain", "--auto", "--seed", seed, "--out", folder]
    argv += ["--after", after] if after else []
    code, said = drill.run([*strace, *argv])
    need("strace: " not in said, f"strace: {said[-200:]}")
    return code, said


def calls_of(binary, script, work, seed, after=None):
    """Every disk call of the main process: (name, number among its name, path), in order."""
    trace, folder = work / "trace", work / "reference"
    strace = ["strace", "-y", "-o", trace, "-e", "trace=" + ",".join(drill.CALLS)]
    code, said = rehearse(binary, script, folder, seed, strace, after)
    need(code == 0, f"the rehearsal itself: exit {code}: {said[-500:]}")
    drill.closed_and_consistent(folder)
    numbers, calls = collections.Counter(), []
    for line in trace.read_text(errors="replace").splitlines():
        match = LINE.match(line)
        if not match or match[1] not in drill.CALLS:
            continue
        name, rest = match[1], match[2]
        numbers[name] += 1
        path = PATH.match(rest)
        path = path[1] if path else rest
        if str(folder) in path:
            calls.append((name, numbers[name], path.replace(str(folder), "DIR")[:120]))
    return folder, calls


def wanted(calls):
    """Calls to die at: all but those on SQLite's shared memory, which is no disk."""
    return [call for call in calls if "-shm" not in call[2]]


class Drill:
    def __init__(self, binary, script, seed, work, after=None, also=None):
        self.binary, self.script, self.seed, self.work, self.after, self.also = binary, script, seed, work, after, also
        self.work.mkdir()
        self.reference, self.calls = calls_of(binary, script, work, seed, after)
        self.bad = []

    def killed_at(self, name, number, path):
        folder = self.work / f"kill-{name}-{number}"
        strace = ["strace", "-o", "/dev/null", "-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={number}"]
        code, said = rehearse(self.binary, self.script, folder, self.seed, strace, self.after)
        need(code in (-9, 137), f"was not killed: exit {code}: {said[-200:]}")
        if not folder.exists():
            return folder, "nothing began"
        # Nothing is acknowledged by a process that is dead: what its disk holds in whole lines is the least there is.
        word = drill.resume_and_check(self.binary, folder, self.reference, drill.transcript(folder), said)
        if self.also and word != "nothing began":
            self.also(folder, self.reference)
        return folder, word

    def failed_at(self, error, name, number, path):
        folder = self.work / f"{error}-{name}-{number}"
        strace = ["strace", "-o", "/dev/null", "-e", f"trace={name}", "-e", f"inject={name}:error={error}:when={number}"]
        code, said = rehearse(self.binary, self.script, folder, self.seed, strace, self.after)
        need(code >= 0 and code != 101 and "panicked" not in said, f"exit {code}: {said[-300:]}")
        if code == 0:
            record = path.endswith("transcript.jsonl") and name in ("write", "fdatasync")
            need(error == "EINTR" or not record, "a line that could not be written was not noticed")
            # Survived: EINTR, or a call whose failure changes nothing; then the record must be whole and closed.
            drill.closed_and_consistent(folder)
            drill.ledger_agrees(self.binary, folder)
            return folder, "survived"
        # SQLite takes an interrupted sync for a failed one, and local file systems interrupt no mkdir or unlink.
        ours = "ledger.sqlite" not in path and "DIR/state>" not in path and not name.startswith(("mkdir", "unlink"))
        need(error != "EINTR" or not ours, f"EINTR was not survived: {said[-300:]}")
        need(said.strip(), "ended without a word")
        if not folder.exists():
            return folder, "stopped, nothing began"
        return folder, "stopped, " + drill.resume_and_check(
            self.binary, folder, self.reference, drill.transcript(folder), said)

    def full_from(self, at, *_):
        """Every write to a file from one of them on finds no room, and the first resume finds none either."""
        folder = self.work / f"full-{at}"
        writes = [call for call in wanted(self.calls) if call[0] in WRITES]
        before = [name for name, _, _ in writes[:at]]
        strace = full_disk_of(self.paths, folder, before.count("write") + 1, before.count("pwrite64") + 1)
        code, said = rehearse(self.binary, self.script, folder, self.seed, strace, self.after)
        need(code >= 0 and code != 101 and "panicked" not in said, f"exit {code}: {said[-300:]}")
        if code == 0:
            # SQLite folds its log into its file when it is closed; where that fails the log stays, and nothing is lost.
            need(all(path == "DIR/state/ledger.sqlite" for _, _, path in writes[at:]), "nothing could be written, and yet it ended well")
            drill.closed_and_consistent(folder)
            drill.ledger_agrees(self.binary, folder)
            return folder, "survived"
        need(said.strip(), "ended without a word")
        if not folder.exists():
            return folder, "stopped, nothing began"
        acknowledged = drill.transcript(folder)
        code, words = drill.run([*full_disk_of(self.paths, folder, 1, 1), self.binary, "resume", folder, "--plain"])
        closed = b'"reveal-serial-seed"' in acknowledged
        need(code > 0 and code != 101 and "panicked" not in words or code == 0 and closed, f"resume on a full disk: exit {code}: {words[-300:]}")
        need(words.strip(), "resume on a full disk says nothing")
        need(drill.transcript(folder).startswith(acknowledged), "a resume on a full disk lost lines")
        return folder, "stopped, " + drill.resume_and_check(self.binary, folder, self.reference, acknowledged, said + words)

    @property
    def paths(self):
        """Every file the rehearsal writes, under its temporary and its final name."""
        files = [p.relative_to(self.reference) for p in self.reference.rglob("*") if p.is_file()]
        names = {str(f) for f in files} | {str(f.parent / f".{f.name}.partial") for f in files}
        return sorted(names | {f"state/ledger.sqlite{end}" for end in ("", "-wal", "-journal")})

    def all(self, kind, items, label):
        """Runs a kind of drill on every item, each in one of as many processes as there are processors."""
        began, counts = time.monotonic(), collections.Counter()
        global current
        current = self
        with concurrent.futures.ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("fork")) as pool:
            for word, broken in pool.map(one, [(kind, label, *item) for item in items], chunksize=4):
                counts[word] += 1
                self.bad += broken
        seconds = time.monotonic() - began
        print(f"{self.script}: {label}: {len(items)} in {seconds:.0f} s: "
              + ", ".join(f"{n} {w}" for w, n in counts.most_common()), flush=True)


current = None


def one(item):
    """One drill in a process of its own: what happened, and what is broken."""
    kind, label, *rest = item
    try:
        folder, word = getattr(current, kind)(*rest)
        shutil.rmtree(folder, ignore_errors=True)
        return word, []
    except (Broken, subprocess.TimeoutExpired, OSError, KeyError, ValueError) as bad:
        text = f"{current.script}: {label} {' '.join(map(str, rest))}: {bad}"
        print("BAD", text[:800], flush=True)
        return "BAD", [text]


def full_disk_of(paths, folder, write, pwrite):
    """strace for a disk without room from a given write to these files on; terminals and pipes can be written as before."""
    only = [part for path in paths for part in ("-P", folder / path)]
    return ["strace", "-o", "/dev/null", *only, "-e", "trace=" + ",".join(WRITES), "-e", f"inject=write:error=ENOSPC:when={write}+",
            "-e", f"inject=pwrite64:error=ENOSPC:when={pwrite}+"]


def sample(rng, items, size):
    return items if len(items) <= size else sorted(rng.sample(items, size), key=items.index)


def error_points(calls, rng, each):
    """For each kind of call on each kind of file a few, so that every place that can fail does."""
    kinds = collections.defaultdict(list)
    for name, number, path in calls:
        if "-shm" not in path:
            kind = re.sub(r"\d+", "N", path.split('"')[1] if '"' in path else path)
            kinds[(name, kind)].append((name, number, path))
    chosen = []
    for group in kinds.values():
        chosen += sample(rng, group, each)
    return chosen


def small_disks(binary, reference, work):
    """Real file systems of many sizes, filled by the rehearsal itself, where a tmpfs may be mounted. Elsewhere the drill above, whose
    disks are full by strace, is all there is; it runs everywhere."""
    mount = work / "small"
    mount.mkdir()
    sizes = [16 << 10, 48 << 10, 64 << 10, 80 << 10, 112 << 10, 144 << 10, 176 << 10, 208 << 10, 240 << 10, 272 << 10, 304 << 10, 400 << 10, 600 << 10]
    outcomes = collections.Counter()
    for size in sizes:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(mount)], capture_output=True)
        if done.returncode:
            print("small-root: no right to mount a tmpfs here, so full disks were those of strace alone: " + done.stderr.decode().strip())
            return []
        try:
            folder = mount / "run"
            code, said = rehearse(binary, "small-root", folder, 7)
            need(code >= 0 and code != 101 and "panicked" not in said, f"{size}: exit {code}: {said[-300:]}")
            if code == 0:
                outcomes["fitted"] += 1
                continue
            need(said.strip(), f"{size}: no message")
            if not folder.exists():
                outcomes["nothing began"] += 1
                continue
            acknowledged = drill.transcript(folder)
            subprocess.run(["mount", "-o", "remount,size=64m", str(mount)], check=True)
            outcomes["stopped, " + drill.resume_and_check(binary, folder, reference, acknowledged, said)] += 1
        except Broken as bad:
            return [f"full disk of {size} octets: {bad}"]
        finally:
            subprocess.run(["umount", str(mount)], check=False)
    print("small-root: small disks: " + ", ".join(f"{n} {w}" for w, n in outcomes.most_common()), flush=True)
    need(len(outcomes) > 1, f"disks of every size had one outcome: {outcomes}")
    return []


def workplace():
    """Memory, where there is enough of it: what is drilled here are the calls, and a disk only makes them slow."""
    shared = pathlib.Path("/dev/shm")
    return str(shared) if shared.is_dir() and shutil.disk_usage(shared).free > 1 << 30 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--seed", type=int, default=7, help="of the samples")
    parser.add_argument("--sample", type=int, default=200, help="kills of root-ca (200; every call with --all)")
    parser.add_argument("--only", metavar="PART", help="one part: kills, root-ca, chains, full-disk, " + ", ".join(ERRORS))
    parser.add_argument("--quick", type=int, metavar="N", help="only N of each kind, to try this drill out")
    args = parser.parse_args()
    binary = args.binary.resolve()
    if not shutil.which("strace"):
        sys.exit("crash.py: needs strace (apt-get install strace): a judge that is absent is no pass")
    rng, bad, part, began = random.Random(args.seed), [], args.only, time.monotonic()
    limit = args.quick or 10 ** 9
    with tempfile.TemporaryDirectory(prefix="anchorite-crash-", dir=workplace()) as work:
        work = pathlib.Path(work)
        small = Drill(binary, "small-root", 7, work / "small-root")
        need(len(wanted(small.calls)) > 500, f"{len(wanted(small.calls))} calls are too few to be those of a ceremony")
        if part in (None, "kills"):
            small.all("killed_at", sample(rng, wanted(small.calls), limit), "kills")
        for error in (e for e in ERRORS if part in (None, e)):
            points = wanted(small.calls) if args.all else error_points(small.calls, rng, 1)
            small.all("failed_at", [(error, *point) for point in sample(rng, points, limit)], error)
        if part in (None, "full-disk"):
            written = {call[2].removeprefix("DIR/") for call in wanted(small.calls) if call[0] in WRITES}
            need(written <= set(small.paths), f"full disks would not be full for {written - set(small.paths)}")
            writes = [(at,) for at in range(sum(call[0] in WRITES for call in wanted(small.calls)))]
            small.all("full_from", writes if args.all else sample(rng, writes, min(40, limit)), "full disks")
            bad += small_disks(binary, small.reference, work)
        bad += small.bad
        if part in (None, "root-ca"):
            large = Drill(binary, "root-ca", 7, work / "root-ca")
            size = 10 ** 9 if args.all else args.sample
            large.all("killed_at", sample(rng, wanted(large.calls), min(size, limit)), "kills")
            bad += large.bad
        if part in (None, "chains"):
            # Ceremonies that follow another: killed while a list is fixed, approved, unlocked for and signed.
            before = work / "before"
            code, said = rehearse(binary, "crl", before / "crl", 7) if not before.mkdir() else (1, "")
            need(code == 0, f"the ceremonies before: exit {code}: {said[-500:]}")
            links = {path.name: path for path in before.iterdir()}
            code, said = rehearse(binary, "delegated-log", before / "log", 7)
            need(code == 0, f"the ceremonies before: exit {code}: {said[-500:]}")
            links["log-after-module-ostrava-1"] = before / "log-after-module-ostrava-1"
            for script, after, also in (("crl", "crl-after-intermediate-2026", None), ("rollover", "crl-after-intermediate-2026-after-root-ca-2026", None),
                                        ("delegated-log", "log-after-module-ostrava-1", drill.one_log)):
                chained = Drill(binary, script, 7, work / script, links[after], also)
                size = 10 ** 9 if args.all else args.sample // 8
                calls = sample(rng, wanted(chained.calls), min(size, limit))
                # What belongs to the log itself: the file that is kept of it, and its account.
                its = [call for call in wanted(chained.calls) if ("/issued" in call[2] or "log-account" in call[2]) and call not in calls]
                need(script != "delegated-log" or len(its) > 5, f"{len(its)} calls on the log are too few")
                chained.all("killed_at", calls + its[:limit], "kills")
                bad += chained.bad
    for text in bad:
        print("BAD", text)
    print("crash.py: " + (f"{len(bad)} broken" if bad else "every invariant held") + f", {time.monotonic() - began:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
