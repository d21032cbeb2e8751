"""What a station writes outside its folder, on a disk that is full and by processes that are killed: no half file, no private key left behind, nothing
given out that the ledger does not know, and the message says which.

    station_disk.py --binary target/debug/anchorite [--kills 60]

Each kind of file is written with every call that changes a disk failing for want of room from there on, then with the process killed at each of them,
then at random moments. Where a tmpfs may be mounted, a real one of 64 KiB besides."""

import argparse
import collections
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

import station_kill

CHANGES = "write pwrite64 fsync fdatasync fallocate mkdir rename renameat2 openat unlink unlinkat rmdir linkat".split()
ROOM = ("write", "pwrite64", "fallocate", "mkdir", "fsync")


class Disk:
    def __init__(self, binary, work, count, every):
        self.all = every
        self.binary, self.work, self.out = binary, work, work / "out"
        self.where, self.bundle = station_kill.station(binary, work, count, None, shard=200)
        (work / "password").write_text("correct horse battery staple\n")
        self.out.mkdir()
        self.number, self.died, self.words = 0, 0, collections.Counter()

    def verbs(self, to):
        """What is written outside: the verb, and whether a private key is in it."""
        draw = ("draw", "--line", 1)
        return {
            "draw --to": ((*draw, "--to", to), True),
            "draw --json --to": ((*draw, "--json", "--to", to), True),
            "draw --as files": ((*draw, "--as", "files", "--to", to), True),
            "draw --as pkcs12": ((*draw, "--as", "pkcs12", "--password-file", self.work / "password", "--to", to), True),
            "export --as csv": (("export", self.bundle, "--state", "reserved", "--as", "csv", "--out", to), False),
            "export --as pem": (("export", self.bundle, "--state", "reserved", "--as", "pem", "--out", to), False),
            "receipt --out": (("receipt", self.bundle, "--out", to), False),
        }

    def command(self, verb):
        return [str(part) for part in (self.binary, "station", verb[0], self.where, *verb[1:])]

    def call(self, verb, *before):
        done = subprocess.run([*map(str, before), *self.command(verb)], capture_output=True, timeout=60)
        return done.returncode, done.stderr.decode()

    def status(self):
        done = subprocess.run(self.command(("status", "--json")), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), done.stderr

    def calls(self, verb):
        """The calls of one run that change a disk, each as (name, how often before and now)."""
        log, counts, all_calls = self.work / "strace", collections.Counter(), []
        # The first of all makes the folder of the notes.
        (self.where / "handing-over").mkdir(exist_ok=True)
        code, said = self.call(verb, "strace", "-f", "-qq", "-o", log, "-e", "trace=" + ",".join(CHANGES))
        assert code == 0, said
        begun = False
        for line in log.read_text(errors="replace").splitlines():
            found = re.match(r"\d+ +(\w+)\((.*)", line)
            if not found or found[1] not in CHANGES:
                continue
            counts[found[1]] += 1
            begun |= "handing-over" in line
            if begun and (found[1] != "openat" or "O_CREAT" in line):
                all_calls.append((found[1], counts[found[1]]))
        assert len(all_calls) > 8, all_calls
        return all_calls

    def some(self, name, calls):
        """All of them for the form with the most files; of the others every so many, and the last ones."""
        every = 1 if self.all or "files" in name else max(1, len(calls) // 10)
        return [at for at in range(len(calls)) if at % every == 0 or at >= len(calls) - 5]

    def new(self):
        self.number += 1
        return self.out / f"lamp-{self.number}"

    def after(self, name, key, to, before, code, said):
        """What must hold of whatever is there now."""
        status, swept = self.status()
        left = sorted(path.name for path in self.out.iterdir())
        assert [part for part in left if part.startswith(".")] == [], (name, left, said, swept)
        assert not list((self.where / "handing-over").iterdir()), name
        reserved = status["bundles"][0]["states"]["reserved"] - before["bundles"][0]["states"]["reserved"]
        if to.exists():
            whole(name, to)
            assert reserved == (1 if key else 0), (name, reserved)
            remove(to)
        elif key:
            assert reserved in (0, 1), (name, reserved)
        assert not any(b"PRIVATE KEY" in path.read_bytes() for path in self.out.rglob("*") if path.is_file()), name
        return reserved, swept

    def full(self, name):
        """From every call on there is no room; then there is."""
        verb, key = self.verbs(to := self.new())[name]
        calls = self.calls(verb)
        remove(to)
        for at in self.some(name, calls):
            call, number = calls[at]
            if call not in ROOM:
                continue
            verb, _ = self.verbs(to := self.new())[name]
            rest = {other: count for other, count in reversed(calls[at:]) if other in ROOM}
            inject = [part for other, count in rest.items() for part in ("-e", f"inject={other}:error=ENOSPC:when={count}+")]
            before, _ = self.status()
            # A message is written too: what it says is only asked where files alone fail.
            only = [part for other, count in rest.items() if other != "write" for part in ("-e", f"inject={other}:error=ENOSPC:when={count}+")]
            silent = call == "write"
            code, said = self.call(verb, "strace", "-f", "-qq", "-o", "/dev/null", *(inject if silent else only))
            assert code not in (101, -6) and "panicked" not in said, (name, call, number, said)
            reserved, swept = self.after(name, key, to, before, code, said)
            assert swept == "" or "left half-written" in swept, swept
            if code == 0:
                self.words["survived"] += 1
            elif reserved:
                assert silent or "reserved" in said and "scrap" in said, (name, call, number, said)
                self.words["reserved, said so"] += 1
            else:
                assert silent or said.strip(), (name, call, number)
                self.words["nothing drawn" if key else "nothing written"] += 1

    def killed(self, name):
        verb, key = self.verbs(to := self.new())[name]
        calls = self.calls(verb)
        remove(to)
        for at in self.some(name, calls):
            call, number = calls[at]
            verb, _ = self.verbs(to := self.new())[name]
            before, _ = self.status()
            code, said = self.call(verb, "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={call}:signal=KILL:when={number}")
            # How many calls there are before it varies a little with the database's pages.
            assert code in (-9, 137, 0), (name, call, number, code, said)
            self.died += code != 0
            self.swept(*self.after(name, key, to, before, code, said))

    def swept(self, reserved, words):
        if "with the private key of" in words:
            assert reserved and "overwritten and removed" in words and "stays reserved and was not handed over" in words, words
            self.words["killed, its key swept"] += 1
        else:
            self.words["killed, swept" if words else "killed, nothing left"] += 1

    def at_random(self, kills, seed):
        chance = random.Random(seed)
        names = list(self.verbs("x"))
        verb, _ = self.verbs(to := self.new())["draw --as files"]
        began = time.monotonic()
        assert self.call(verb)[0] == 0
        usual = time.monotonic() - began
        remove(to)
        for turn in range(kills):
            name = names[turn % len(names)]
            verb, key = self.verbs(to := self.new())[name]
            before, _ = self.status()
            process = subprocess.Popen(self.command(verb), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, usual * 1.2))
            process.kill()
            process.wait()
            self.swept(*self.after(name, key, to, before, process.returncode, ""))

    def clock(self):
        """A clock set back or far ahead changes nothing; one that was wrong is written down, and then the station goes on."""
        draw = ("draw", "--line", 1, "--json")
        fake = lambda shift: ("env", "TZ=UTC", "faketime", "-f", shift)
        device = json.loads(subprocess.run(self.command(draw), capture_output=True, check=True).stdout)["device"]
        before, _ = self.status()
        for shift in ("-1h", "-3650d", "+200d"):
            for verb in (draw, ("receipt", self.bundle), ("lost", device, "--reason", "x"), ("check",)):
                code, said = self.call(verb, *fake(shift))
                assert code == 6 and "this machine's clock says" in said and "reconcile" in said, (shift, verb, code, said)
            code, said = self.call(("status",), *fake(shift))
            assert code == 6 and "this machine's clock says" in said, (shift, said)
        after, _ = self.status()
        assert before["head"] == after["head"], "nothing was written"
        assert self.call(("reconcile", "--because", "nothing is wrong"))[0] == 2
        assert self.call(("lost", device, "--reason", "while the clock was ahead"), *fake("+100d"))[0] == 0
        code, said = self.call(draw)
        assert code == 6 and "this machine's clock says" in said, (code, said)
        done = subprocess.run(self.command(("reconcile", "--because", "the clock was set", "--json")), capture_output=True, check=True)
        assert json.loads(done.stdout) == {"behind": 0, "withdrawn": 0}, done.stdout
        subprocess.run(self.command(draw), capture_output=True, check=True)
        print("a clock set back and far ahead: refused until it is right, or written down")

    def on_a_real_one(self):
        small = self.work / "small"
        small.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], capture_output=True).returncode:
            print("no tmpfs may be mounted here")
            return
        try:
            before, _ = self.status()
            for name, (verb, key) in self.verbs(small / "lamp").items():
                code, said = self.call(verb)
                nothing = {"draw": "nothing was drawn", "export": "nothing was written", "receipt": "no receipt was made"}[verb[0]]
                assert code == 1 and "No space left on device" in said and nothing in said, (name, code, said)
                assert list(small.iterdir()) == [], name
            after, _ = self.status()
            assert before["entries"] == after["entries"] and before["head"] == after["head"], "nothing was written into the ledger"
            print(f"a tmpfs of 64 KiB: {len(self.verbs('x'))} kinds refused before anything was drawn or counted")
        finally:
            subprocess.run(["umount", str(small)], check=True)


def whole(name, to):
    """What has its name is complete."""
    if "pem" in name or "files" in name:
        files = {path.name: path.read_text() for path in to.glob("*.pem")}
        assert "chain.pem" in files or len(files) >= 3, (name, list(files))
        assert all(text.rstrip().endswith("-----") for part, text in files.items() if part.endswith(".pem")), name
        assert ("PRIVATE KEY" in "".join(files.values())) == ("files" in name), name
    elif "json" in name or "receipt" in name:
        json.loads(to.read_text())
    elif "csv" in name:
        assert to.read_bytes().endswith(b"\r\n"), name
    elif "pkcs12" in name:
        octets = to.read_bytes()
        assert octets[0] == 0x30 and octets[1] == 0x82 and len(octets) == 4 + int.from_bytes(octets[2:4], "big"), name
    else:
        text = to.read_text()
        assert text.startswith("-----BEGIN PRIVATE KEY-----") and text.endswith("-----END CERTIFICATE-----\n"), name


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--all", action="store_true", help="at every call of every kind (long)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        disk = Disk(options.binary.resolve(), pathlib.Path(folder), 1200, options.all)
        disk.on_a_real_one()
        disk.clock()
        began = time.monotonic()
        for name in disk.verbs("x"):
            disk.full(name)
            disk.killed(name)
        disk.at_random(options.kills, options.seed)
        code, said = disk.call(("check",))
        assert code == 0, said
        assert disk.died > 60 and disk.words["killed, its key swept"] and disk.words["reserved, said so"], disk.words
        print(f"in {time.monotonic() - began:.0f} s: " + ", ".join(f"{count} {word}" for word, count in disk.words.most_common()))


if __name__ == "__main__":
    sys.exit(main())
