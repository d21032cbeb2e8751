"""Many processes draw from one station while some are killed at random moments: none is drawn twice, none is lost. And how fast it is, beside raw
SQLite transactions of the same durability in the same run.

    station_kill.py --binary target/release/anchorite [--count 3000] [--processes 8] [--kills 60] [--rate [--draws 20000]]        (on PostgreSQL: station_postgres.py)

What is counted: every identity that came out of a draw whole, and every one the ledger says was reserved. A drawer that was killed between its
reservation and its output costs one identity, which stays reserved: so drawn <= reserved, no identity twice in either, and the rest is still released."""

import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).parent


def run(*command, **more):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **more)
    if done.returncode:
        sys.exit(f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def station(binary, work, count, store, shard=1000, draws=0):
    """A station with a bundle imported and released: all of it, or the first `draws`."""
    prepared(binary, work, count, store, shard)
    return imported(binary, work, count, draws)


def prepared(binary, work, count, store, shard):
    maker = [sys.executable, HERE / "make_bundle.py", work]
    run(*maker, "--recipient", "none")
    more = ["--store", store] if store else []
    made = json.loads(run(binary, "station", "init", work / "station", "--factory", "lyon", "--realm", "rehearsal", "--root", work / "root.pem",
                          "--signers", work / "allowed_signers", "--threshold", "2", "--json", *more))
    began = time.monotonic()
    run(*maker, "--recipient", made["recipients"][0], "--count", count, "--shard", shard)
    print(f"bundle of {count} made by hand in {time.monotonic() - began:.1f} s", flush=True)


def imported(binary, work, count, draws=0):
    where, began = work / "station", time.monotonic()
    bundle = json.loads(run(binary, "station", "import", where, work / "bundle-1", "--json"))["bundle"]
    took = time.monotonic() - began
    print(f"imported {count} in {took:.1f} s: {count / took:.0f} a second", flush=True)
    run(binary, "station", "release", where, bundle, *(["--count", draws] if draws else []))
    return where, bundle


class Drawer:
    """One process on one line; killed from outside or asked until nothing is left."""

    def __init__(self, binary, where, line):
        self.process = subprocess.Popen([str(binary), "station", "draw", str(where), "--line", str(line), "--serve"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.drawn, self.times, self.empty = [], [], False
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        try:
            while True:
                began = time.monotonic()
                self.process.stdin.write("next\n")
                self.process.stdin.flush()
                line = self.process.stdout.readline()
                self.times.append(time.monotonic() - began)
                if not line.endswith("\n"):
                    return
                answer = json.loads(line)
                if "error" in answer:
                    self.empty = "no released identity" in answer["error"]
                    return
                self.drawn.append(answer["device"])
                assert "BEGIN PRIVATE KEY" in answer["private_key"]
        except (BrokenPipeError, ValueError):
            return

    def end(self, tolerant=False):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()
        self.thread.join()
        said = self.process.stderr.read()
        # A server that died is said so, whatever the moment; anything else is no excuse.
        if not self.empty and self.process.returncode not in (0, -9) and not (tolerant and self.process.returncode == 6 and "PostgreSQL: " in said):
            sys.exit(f"a drawer ended with {self.process.returncode}: {said}")


def kill_run(binary, where, count, processes, kills, seed, disturb=None):
    """`disturb` may kill a server under the stations and says whether it did: then they end by themselves, and each can cost one identity."""
    chance = random.Random(seed)
    drawn, alive, killed, ended = [], [Drawer(binary, where, line + 1) for line in range(processes)], 0, 0
    while alive:
        time.sleep(chance.uniform(0.0, 0.06))
        if disturb and killed < kills and disturb():
            killed += 1
        elif killed < kills:
            # Somewhere in a draw: before, in or after its transaction, its decryption, its output.
            at = chance.randrange(len(alive))
            alive[at].process.kill()
            killed += 1
            alive[at].thread.join()
            alive[at].process.wait()
            drawn += alive[at].drawn
            alive[at] = Drawer(binary, where, at + 1)
        for at in reversed(range(len(alive))):
            if not alive[at].thread.is_alive():
                alive[at].end(tolerant=disturb is not None)
                drawn += alive[at].drawn
                if alive[at].empty:
                    del alive[at]
                else:
                    ended += 1
                    alive[at] = Drawer(binary, where, at + 1)
    twice = [device for device, times in collections.Counter(drawn).items() if times > 1]
    status = json.loads(run(binary, "station", "status", where, "--json"))
    checked = json.loads(run(binary, "station", "check", where, "--json"))
    states = checked["states"]
    reserved = states["reserved"]
    print(f"{killed} killed; {len(drawn)} identities came out, {reserved} reserved, {reserved - len(drawn)} reserved and not handed "
          f"over, {len(twice)} twice, {count - sum(states.values())} missing")
    assert not twice, twice[:3]
    assert sum(states.values()) == count and states["released"] == 0 and status["problem"] == ""
    # Each kill can cost one identity, and nothing else can.
    assert 0 <= reserved - len(drawn) <= killed + ended, (reserved, len(drawn), killed, ended)
    assert reserved == count


def slow(times):
    """The 50th and the 99th of a hundred and the slowest, in milliseconds."""
    times = sorted(times)
    return times[len(times) // 2] * 1000, times[int(len(times) * 0.99)] * 1000, times[-1] * 1000


def rate(binary, where, processes, most):
    drawers = [Drawer(binary, where, line + 1) for line in range(processes)]
    began = time.monotonic()
    for drawer in drawers:
        drawer.thread.join()
    took = time.monotonic() - began
    drawn = [device for drawer in drawers for device in drawer.drawn]
    for drawer in drawers:
        drawer.end()
    assert len(set(drawn)) == len(drawn) == most, (len(set(drawn)), len(drawn), most)
    times = [t for drawer in drawers for t in drawer.times]
    return len(drawn) / took, *slow(times)


RAW = """
import sqlite3, sys, time, json
path, most = sys.argv[1], int(sys.argv[2])
db = sqlite3.connect(path, timeout=60, isolation_level=None)
db.execute("PRAGMA synchronous=EXTRA")
times = []
while True:
    began = time.monotonic()
    db.execute("BEGIN IMMEDIATE")
    row = db.execute("SELECT id FROM identities WHERE state = 'released' ORDER BY id LIMIT 1").fetchone()
    if row is None:
        db.execute("ROLLBACK")
        break
    db.execute("UPDATE identities SET state = 'reserved' WHERE id = ?", row)
    db.execute("INSERT INTO ledger (body) VALUES (?)", (b"x" * 200,))
    db.execute("COMMIT")
    times.append(time.monotonic() - began)
print(json.dumps(times))
"""


def raw_sqlite(folder, processes, most):
    """The same two writes a transaction, WAL and synchronous=EXTRA, nothing else: no chain, no decryption, no output."""
    path = folder / "raw.sqlite"
    db = sqlite3.connect(path)
    db.executescript("PRAGMA journal_mode=WAL; CREATE TABLE identities (id INTEGER PRIMARY KEY, state TEXT);"
                     "CREATE INDEX released ON identities (id) WHERE state = 'released'; CREATE TABLE ledger (seq INTEGER PRIMARY KEY, body BLOB);")
    db.executemany("INSERT INTO identities (state) VALUES (?)", [("released",)] * most)
    db.commit()
    db.close()
    began = time.monotonic()
    workers = [subprocess.Popen([sys.executable, "-c", RAW, str(path), str(most)], stdout=subprocess.PIPE) for _ in range(processes)]
    times = [t for worker in workers for t in json.loads(worker.communicate()[0])]
    took = time.monotonic() - began
    assert len(times) == most
    return most / took, *slow(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", action="store_true")
    parser.add_argument("--draws", type=int, default=0, help="of so many, where not of all")
    parser.add_argument("--work", type=pathlib.Path)
    args = parser.parse_args()
    work = args.work or pathlib.Path(tempfile.mkdtemp(prefix="station-"))
    work.mkdir(exist_ok=True)
    binary = args.binary.resolve()
    try:
        draws = args.draws or args.count
        where, _ = station(binary, work, args.count, "", draws=args.draws)
        if args.rate:
            each, half, late, latest = rate(binary, where, args.processes, draws)
            print(f"draws, {args.processes} processes: {each:.0f} a second, p50 {half:.1f} ms, p99 {late:.1f} ms, slowest {latest:.0f} ms", flush=True)
            raw, raw_half, raw_late, raw_latest = raw_sqlite(work, args.processes, draws)
            print(f"raw SQLite, same durability: {raw:.0f} a second, p50 {raw_half:.1f} ms, p99 {raw_late:.1f} ms, slowest {raw_latest:.0f} ms")
            print(f"ratio: {each / raw:.2f} of raw; p50 {half / raw_half:.2f}, p99 {late / raw_late:.2f}, slowest {latest / raw_latest:.2f} of raw")
            run(binary, "station", "check", where, "--json")
        else:
            kill_run(binary, where, args.count, args.processes, args.kills, args.seed)
    finally:
        if not args.work:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
