"""Kills the program at its durability calls, resumes, and lets verify.py judge.

    python3 tests/py/crash.py --binary target/release/anchorite [--all] [--sample N] [--seed N]

At a seeded sample of every write, fsync, fdatasync, rename, unlink and truncate on a file of the output folder, of small-root and of
root-ca; with --all at every one of small-root.
After each: what was acknowledged is still there, the record is whole, resume goes on to a closed record (or says that nothing had
begun), no serial number is used twice, no partial file keeps a final name.
"""
import argparse
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
CALLS = ["write", "fsync", "fdatasync", "renameat2", "unlink", "ftruncate", "pwrite64"]


def rehearse(binary, script, out):
    return [str(binary), "rehearse", f"ceremony-scripts/{script}", "--plain", "--auto", "--seed", "7", "--out", str(out)]


def run(command, timeout=60):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout)


def calls_of(binary, script, work):
    """How often the main process makes each call, and which of these are on files of the output folder."""
    out, trace = work / "traced", work / "trace"
    run(["strace", "-y", "-e", "trace=" + ",".join(CALLS), "-o", str(trace), *rehearse(binary, script, out)])
    counted, points = dict.fromkeys(CALLS, 0), []
    for line in trace.read_text(errors="replace").splitlines():
        m = re.match(r"(\w+)\(", line)
        if m and m[1] in counted:
            counted[m[1]] += 1
            if str(out) in line:
                points.append((m[1], counted[m[1]]))
    shutil.rmtree(out)
    return points


def kill_at(binary, script, work, point):
    call, number = point
    out = work / f"{script}-{call}-{number}"
    run(["strace", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}", *rehearse(binary, script, out)])
    try:
        return judge(binary, out, f"{script}: {call} {number}")
    finally:
        shutil.rmtree(out, ignore_errors=True)


def judge(binary, out, where):
    record = out / "evidence" / "transcript.jsonl"
    if not record.exists():
        return None                                   # nothing had begun: the folder is removed and the ceremony started anew
    before = record.read_bytes()
    acknowledged = before[: before.rfind(b"\n") + 1]
    resumed = run([str(binary), "resume", str(out), "--plain"])
    if resumed.returncode != 0:
        return f"{where}: resume ended with {resumed.returncode}: {resumed.stderr[:1500]}"
    after = record.read_bytes()
    if not after.startswith(acknowledged):
        return f"{where}: lines that were acknowledged are gone"
    verdict = run([sys.executable, str(ROOT / "transcripts/verify.py"), str(out / "evidence"), "--json"])
    ours = run([str(binary), "verify", str(out / "evidence"), "--json"])
    said = json.loads(verdict.stdout or "{}")
    closed = any(c["claim"] == "closed" and c["status"] == "ok" for c in said.get("claims", []))
    if verdict.returncode != 8 or ours.returncode != 8 or not closed:
        return f"{where}: verify.py {verdict.returncode} {said.get('problem')}; ours {ours.returncode} {ours.stdout[-300:]}"
    serials = [json.loads(line)["body"]["event"]["outcome"]["serial"] for line in after.splitlines() if b'"outcome":"serial"' in line]
    if len(serials) != len(set(serials)):
        return f"{where}: a serial number was reserved twice"
    if any(p.name.endswith(".partial") for p in (out / "evidence").rglob("*")):
        return f"{where}: a partial file is left in the evidence"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--sample", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    binary = options.binary.resolve()
    work = pathlib.Path(tempfile.mkdtemp(prefix="anchorite-crash-"))
    failures = 0
    try:
        for script, most in (("small-root", None if options.all else options.sample), ("root-ca", options.sample // 2)):
            points = calls_of(binary, script, work)
            if not points:
                sys.exit("crash.py: expected durability calls in the trace, found none")
            if most is not None and len(points) > most:
                points = random.Random(options.seed).sample(points, most)
            with ThreadPoolExecutor(2) as pool:
                results = list(pool.map(lambda point: kill_at(binary, script, work, point), points))
            bad = [result for result in results if result]
            failures += len(bad)
            print(f"{script}: killed at {len(points)} durability calls, {len(bad)} failures")
            for result in bad[:10]:
                print("  " + result)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
