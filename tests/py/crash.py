#!/usr/bin/env python3
"""Kills a rehearsal at every call that changes a disk, and makes every kind of call fail; then resumes and verifies.

    crash.py --binary target/release/anchorite              every call of small-root, a sample of root-ca, errors, a full disk
    crash.py --binary ... --all                             also every frame of SQLite's log, and a larger sample of root-ca
"""
import argparse, collections, concurrent.futures, os, pathlib, random, re, shutil, subprocess, sys, tempfile, threading, time
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import drill
from drill import Broken, ROOT, need

LINE = re.compile(r"^(\w+)\((.*)$")
PATH = re.compile(r"^\d+<([^>]*)>")
ERRORS = ("EIO", "ENOSPC", "EROFS", "EINTR")


def rehearse(binary, script, folder, seed, strace=()):
    argv = [binary, "rehearse", ROOT / "ceremony-scripts" / script, "--plain", "--auto", "--seed", seed, "--out", folder]
    code, said = drill.run([*strace, *argv])
    need("strace: " not in said, f"strace: {said[-200:]}")
    return code, said


def calls_of(binary, script, work, seed):
    """Every disk call of the main process: (name, number among its name, path), in order."""
    trace, folder = work / "trace", work / "reference"
    strace = ["strace", "-y", "-o", trace, "-e", "trace=" + ",".join(drill.CALLS)]
    code, said = rehearse(binary, script, folder, seed, strace)
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


def wanted(calls, everything):
    """Calls to die at. SQLite's shared memory is no disk, and of a run of writes to its log the first and last will do."""
    chosen = []
    for at, (name, number, path) in enumerate(calls):
        if "-shm" in path:
            continue
        if "ledger.sqlite" in path and name == "pwrite64" and not everything:
            around = [calls[i][:1] + calls[i][2:] for i in (at - 1, at + 1) if 0 <= i < len(calls)]
            if around == [(name, path)] * 2:
                continue
        chosen.append((name, number, path))
    return chosen


class Drill:
    def __init__(self, binary, script, seed, work):
        self.binary, self.script, self.seed, self.work = binary, script, seed, work
        self.work.mkdir()
        self.reference, self.calls = calls_of(binary, script, work, seed)
        self.lock, self.what, self.bad = threading.Lock(), collections.Counter(), []

    def killed_at(self, name, number, path):
        folder = self.work / f"kill-{name}-{number}"
        strace = ["strace", "-o", "/dev/null", "-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={number}"]
        code, said = rehearse(self.binary, self.script, folder, self.seed, strace)
        need(code in (-9, 137), f"was not killed: exit {code}: {said[-200:]}")
        if not folder.exists():
            return folder, "nothing began"
        # Nothing is acknowledged by a process that is dead: what its disk holds in whole lines is the least there is.
        return folder, drill.resume_and_check(self.binary, folder, self.reference, drill.transcript(folder), said)

    def failed_at(self, error, name, number, path):
        folder = self.work / f"{error}-{name}-{number}"
        strace = ["strace", "-o", "/dev/null", "-e", f"trace={name}", "-e", f"inject={name}:error={error}:when={number}"]
        code, said = rehearse(self.binary, self.script, folder, self.seed, strace)
        need(code >= 0 and code != 101 and "panicked" not in said, f"exit {code}: {said[-300:]}")
        if code == 0:
            record = path.endswith("transcript.jsonl") and name in ("write", "fdatasync")
            need(error == "EINTR" or not record, "a line that could not be written was not noticed")
            # Survived: EINTR, or a call whose failure changes nothing; then the record must be whole and closed.
            drill.closed_and_consistent(folder)
            return folder, "survived"
        # SQLite takes an interrupted sync for a failed one, and local file systems interrupt no mkdir or unlink.
        ours = "ledger.sqlite" not in path and "DIR/state>" not in path and not name.startswith(("mkdir", "unlink"))
        need(error != "EINTR" or not ours, f"EINTR was not survived: {said[-300:]}")
        need(said.strip(), "ended without a word")
        if not folder.exists():
            return folder, "stopped, nothing began"
        return folder, "stopped, " + drill.resume_and_check(
            self.binary, folder, self.reference, drill.transcript(folder), said)

    def all(self, work, items, label):
        began = time.monotonic()
        counts = collections.Counter()

        def one(item):
            try:
                folder, word = work(*item)
                shutil.rmtree(folder, ignore_errors=True)
                return word
            except (Broken, subprocess.TimeoutExpired, OSError, KeyError, ValueError) as bad:
                with self.lock:
                    self.bad.append(f"{label} {' '.join(map(str, item))}: {bad}")
                    print("BAD", self.bad[-1][:800], flush=True)
                return "BAD"
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            counts.update(pool.map(one, items))
        seconds = time.monotonic() - began
        print(f"{self.script}: {label}: {len(items)} in {seconds:.0f} s: "
              + ", ".join(f"{n} {w}" for w, n in counts.most_common()), flush=True)


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


def full_disk(binary, reference, work):
    """Real file systems of many sizes, filled by the rehearsal itself."""
    mount = work / "small"
    mount.mkdir()
    sizes = [16 << 10, 48 << 10, 64 << 10, 80 << 10, 112 << 10, 144 << 10, 176 << 10, 208 << 10, 240 << 10, 272 << 10, 304 << 10, 400 << 10, 600 << 10]
    outcomes = collections.Counter()
    for size in sizes:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(mount)], capture_output=True)
        if done.returncode:
            print("SKIPPED: a full disk needs the right to mount a tmpfs: " + done.stderr.decode().strip())
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
    print("small-root: full disks: " + ", ".join(f"{n} {w}" for w, n in outcomes.most_common()), flush=True)
    return []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--seed", type=int, default=7, help="of the samples")
    parser.add_argument("--sample", type=int, help="kills of root-ca (60; 200 with --all)")
    parser.add_argument("--only", metavar="PART", help="one part: kills, root-ca, full-disk, " + ", ".join(ERRORS))
    parser.add_argument("--quick", type=int, metavar="N", help="only N of each kind, to try this drill out")
    args = parser.parse_args()
    binary = args.binary.resolve()
    if not shutil.which("strace"):
        sys.exit("crash.py: needs strace (apt-get install strace): a judge that is absent is no pass")
    rng, bad = random.Random(args.seed), []
    limit = args.quick or 10 ** 9
    with tempfile.TemporaryDirectory(prefix="anchorite-crash-") as work:
        work = pathlib.Path(work)
        small = Drill(binary, "small-root", 7, work / "small-root")
        part = args.only
        if part in (None, "kills"):
            small.all(small.killed_at, sample(rng, wanted(small.calls, args.all), limit), "kills")
        for error in (e for e in ERRORS if part in (None, e)):
            points = sample(rng, error_points(small.calls, rng, 3 if args.all else 1), limit)
            small.all(lambda *point, error=error: small.failed_at(error, *point), points, error)
        bad += small.bad
        if part in (None, "full-disk"):
            bad += full_disk(binary, small.reference, work)
        if part in (None, "root-ca") and (ROOT / "ceremony-scripts" / "root-ca" / "script.toml").exists():
            large = Drill(binary, "root-ca", 7, work / "root-ca")
            size = args.sample if args.sample is not None else (200 if args.all else 60)
            large.all(large.killed_at, sample(rng, wanted(large.calls, False), min(size, limit)), "kills")
            bad += large.bad
    for text in bad:
        print("BAD", text)
    print("crash.py: " + (f"{len(bad)} broken" if bad else "every invariant held"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
