"""Draws by hardware id, where every device is asked for by every line at about the same time, each under another of its names, while lines are killed: each comes out
at most once, for its own hardware, and only a killed line can keep one from coming out. On SQLite; on a PostgreSQL server by `station_postgres.py`.

    hardware_draws.py --binary target/debug/anchorite [--count 300] [--kills 20]"""

import argparse
import collections
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import station_kill

LINES = 8


def hardware(n):
    """As `make_bundle.py --hardware` gives them."""
    return {"mac": f"00124b{n:06x}", "soc": f"9F3C:{n:04X}"}


def names(n):
    """Every way to ask for a device: its id, and its hardware ids in spellings that people and machines use."""
    mac, soc = hardware(n)["mac"], hardware(n)["soc"]
    pairs = [mac[at:at + 2] for at in range(0, 12, 2)]
    return [f"LAMP-{n:08d}", f"mac={mac}", f"mac={':'.join(pairs).upper()}", f"mac={'-'.join(pairs)}", f"soc={soc}", f"soc={soc.lower().replace(':', '-')}"]


class Line:
    """One process that asks for devices until it has asked for all, or is killed; the next process of the line goes on with the question that was open."""

    def __init__(self, binary, where, line, questions):
        self.command = [str(binary), "station", "draw", str(where), "--line", str(line), "--serve"]
        self.questions, self.at, self.out, self.refused = questions, 0, [], []
        self.begin()

    def begin(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.thread = threading.Thread(target=self.ask)
        self.thread.start()

    def ask(self):
        try:
            while self.at < len(self.questions):
                n, name = self.questions[self.at]
                self.process.stdin.write(name + "\n")
                self.process.stdin.flush()
                line = self.process.stdout.readline()
                if not line.endswith("\n"):
                    return
                answer = json.loads(line)
                if "error" in answer:
                    self.refused.append((n, answer["error"]))
                else:
                    self.out.append((n, answer["device"], answer["hardware"], "BEGIN PRIVATE KEY" in answer["private_key"]))
                self.at += 1
        except BrokenPipeError:
            return

    def ended(self):
        """Whether it has asked for all; a process that a dead server ended gives way to the next."""
        self.thread.join()
        if self.at == len(self.questions):
            self.process.stdin.close()
            assert self.process.wait() in (0, -9), self.process.stderr.read()
            return True
        said = self.process.wait(), self.process.stderr.read()
        assert said[0] == -9 or said[0] == 6 and "PostgreSQL: " in said[1], said
        return False


def drill(binary, where, bundle, count, kills, seed=1, disturb=None):
    """`disturb` may kill a server under the station, and says whether it did."""

    def call(verb, *arguments):
        return subprocess.run([str(part) for part in (binary, "station", verb, where, *arguments)], capture_output=True, text=True)

    def refused(code, words, *arguments):
        done = call("draw", *arguments, "--line", 1, "--json")
        assert done.returncode == code and words in done.stderr and "PRIVATE KEY" not in done.stdout, (arguments, done.returncode, done.stderr)

    # One by one, before anything else happens.
    refused(7, "drawn by device or hardware id")
    refused(7, "mac=00124bffffff is not released here", "--hardware", "mac=00124bffffff")
    refused(7, "is not released here", "--hardware", f"sn={hardware(0)['mac']}")
    refused(7, "LAMP-99999999 is not released here", "--device", "LAMP-99999999")
    refused(2, "expected KIND=ID", "--hardware", hardware(0)["mac"])
    refused(7, "no bundle", "--bundle", "00" * 16, "--hardware", f"mac={hardware(0)['mac']}")
    first = []
    for n in range(len(names(0))):
        name = names(n)[n]
        way = ("--hardware", name) if "=" in name else ("--device", name)
        done = call("draw", "--line", 9, "--json", *way, *(("--bundle", bundle) if n % 2 else ()))
        assert done.returncode == 0, done.stderr
        drawn = json.loads(done.stdout)
        assert (drawn["device"], drawn["hardware"]) == (names(n)[0], hardware(n)), (name, drawn["device"], drawn["hardware"])
        first.append(drawn["device"])
        for again in names(n):
            refused(7, "is not released here", *(("--hardware", again) if "=" in again else ("--device", again)))

    # Every line asks for every device, in nearly one order, each line under another name.
    chance = random.Random(seed)
    rest = list(range(len(first), count))
    lines = []
    for line in range(LINES):
        asked = sorted(rest, key=lambda n: n + chance.uniform(0, 4))
        lines.append(Line(binary, where, line + 1, [(n, names(n)[(n + line) % len(names(n))]) for n in asked]))
    alive, killed, ended = list(lines), 0, 0
    while alive:
        time.sleep(chance.uniform(0.0, 0.01))
        # Spread over all of it, at random moments of a question.
        asked = sum(line.at for line in lines)
        if killed < kills and asked * (kills + 1) > killed * LINES * len(rest):
            if not (disturb and disturb()):
                chance.choice(alive).process.kill()
            killed += 1
        for line in list(alive):
            if not line.thread.is_alive():
                if line.ended():
                    alive.remove(line)
                else:
                    ended += 1
                    line.begin()
    came = [row for line in lines for row in line.out]
    for n, device, ids, key in came:
        assert (device, ids, key) == (names(n)[0], hardware(n), True), (n, device, ids, key)
    times = collections.Counter(n for n, *_ in came)
    twice = [n for n, often in times.items() if often > 1]
    assert not twice, f"drawn twice: {twice[:3]}"
    for n, error in (row for line in lines for row in line.refused):
        assert error.startswith("nothing was drawn: ") or "is not released here" in error, error
    # A process that died may have reserved what it was asked for and handed nothing over; nothing else may keep a device.
    missing = len(rest) - len(came)
    assert 0 <= missing <= ended, (missing, ended)
    states = json.loads(call("check", "--json").stdout)["states"]
    assert (states["reserved"], states["released"]) == (count, 0), states
    with_one = sum(1 for line in lines if line.out)
    assert with_one > 1, "one line drew everything: nothing was contended"
    print(f"by hardware: {count} devices asked for by {LINES} lines at once under {len(names(0))} names each, {killed} kills: {len(came) + len(first)} came out, "
          f"none twice, {missing} reserved and not handed over; {with_one} lines drew, {sum(len(line.refused) for line in lines)} times another had it")


def bundle_of(binary, work, recipient, count, shard=50):
    """A bundle of devices with hardware ids, made by hand."""
    maker = [sys.executable, pathlib.Path(__file__).with_name("make_bundle.py"), work, "--recipient", recipient, "--count", count, "--shard", shard, "--hardware",
             "--name", "by-hardware"]
    subprocess.run([str(part) for part in maker], check=True, stdout=subprocess.DEVNULL)
    return work / "by-hardware"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--kills", type=int, default=20)
    args = parser.parse_args()
    binary, work = args.binary.resolve(), pathlib.Path(tempfile.mkdtemp(prefix="hardware-"))
    try:
        run = station_kill.run
        run(sys.executable, pathlib.Path(__file__).with_name("make_bundle.py"), work, "--recipient", "none")
        made = json.loads(run(binary, "station", "init", work / "station", "--factory", "lyon", "--realm", "rehearsal", "--root", work / "root.pem",
                              "--signers", work / "allowed_signers", "--threshold", "2", "--json"))
        folder = bundle_of(binary, work, made["recipients"][0], args.count)
        taken = json.loads(run(binary, "station", "import", work / "station", folder, "--release", "--json"))
        drill(binary, work / "station", taken["bundle"], args.count, args.kills)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
