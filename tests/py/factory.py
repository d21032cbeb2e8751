"""A whole factory for other drills: a hierarchy rehearsed, a station enrolled in it, one order carried out, the bundle taken in and released. Only
the program's own verbs, as people use them; the order and the script are edited as text."""

import datetime
import json
import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "ceremony-scripts"


def edited(path, edits):
    text = path.read_text()
    for old, new in edits:
        assert old in text, (path, old)
        text = text.replace(old, new)
    path.write_text(text)


class Factory:
    """`hierarchy` and `bundle` are edits of the two scripts, `order` of the order: pairs of old and new text."""

    def __init__(self, binary, work, hierarchy=()):
        self.binary, self.work = binary, work
        self.scripts = work / "scripts"
        for name in ("profiles", "hierarchy", "factory-bundle"):
            shutil.copytree(SCRIPTS / name, self.scripts / name)
        edited(self.scripts / "hierarchy/script.toml", hierarchy)
        self.above = work / "hierarchy"
        self.rehearse("hierarchy", self.above)

    def call(self, *arguments, **more):
        return subprocess.run([str(part) for part in (self.binary, *arguments)], capture_output=True, text=True, **more)

    def rehearse(self, script, out, *more, good=True):
        done = self.call("rehearse", self.scripts / script, "--plain", "--auto", "--seed", "7", "--out", out, *more)
        assert (done.returncode == 0) == good, f"{script}: {done.returncode} {done.stdout[-2000:]} {done.stderr[-2000:]}"
        return done

    def carry_out(self, name, order=(), bundle=()):
        """An enrolled station in `work/name` with the order's bundle released; the station's verbs are methods of what comes back."""
        work = self.work / name
        script = f"factory-bundle-{name}"
        shutil.copytree(self.scripts / "factory-bundle", self.scripts / script)
        edited(self.scripts / script / "script.toml", bundle)
        edited(self.scripts / script / "rehearsal/lamps-1.order.toml", order)
        incoming = work / "incoming"
        incoming.mkdir(parents=True)
        shutil.copy(self.scripts / script / "rehearsal/lamps-1.order.toml", incoming)
        # Who signs manifests: the same simulated people in every rehearsal of the script.
        self.rehearse(script, work / "people", "--after", self.above)
        signers = (work / "people/evidence/allowed_signers").read_text().replace("rehearsal-evidence@", "rehearsal-bundle@")
        (work / "signers").write_text(signers)
        station = Station(self.binary, work / "station")
        station.run("init", "--factory", "ostrava", "--realm", "rehearsal", "--root", self.above / "evidence/artifacts/root-2026.crt.pem",
                    "--signers", work / "signers", "--threshold", 1, "--json")
        station.run("enrol", "--out", work / "envelope")
        (incoming / "ostrava.enrolment.json").write_bytes((work / "envelope").read_bytes().split(b"\n", 1)[1])
        # An answer of somebody who could not open the challenge: the ceremony refuses it and has written the challenge. The same seed draws it again.
        statement = {"format": "anchorite-answer/1", "proof": "00" * 32, "realm": "rehearsal", "request": "00" * 32}
        (incoming / "ostrava.answer.json").write_text(json.dumps({"signature": "", "statement": statement}, separators=(",", ":")))
        self.rehearse(script, work / "first", "--incoming", incoming, "--after", self.above, good=False)
        challenge = work / "first/evidence/artifacts/ostrava.challenge.age"
        station.run("challenge", challenge, "--out", work / "answer.json")
        (incoming / "ostrava.answer.json").write_bytes((work / "answer.json").read_bytes())
        self.rehearse(script, work / "second", "--incoming", incoming, "--after", self.above)
        (made,) = (work / "second/bundles").iterdir()
        taken = station.run("import", made, "--release", "--json")
        station.bundle, station.count = taken["bundle"], taken["count"]
        return station


class Station:
    """Its clock is in the weeks for which the ceremony's certificates and lists are good, and goes on."""

    def __init__(self, binary, where):
        self.binary, self.where, self.now = binary, where, datetime.datetime(2026, 11, 27, 12)

    def call(self, verb, *arguments, **more):
        self.now += datetime.timedelta(seconds=30)
        # faketime reads its argument in the zone of the machine.
        command = ["faketime", "-f", f"@{self.now:%Y-%m-%d %H:%M:%S}", self.binary, "station", verb, self.where, *arguments]
        return subprocess.run([str(part) for part in command], capture_output=True, env={**os.environ, "TZ": "UTC"}, **more)

    def run(self, verb, *arguments):
        done = self.call(verb, *arguments)
        assert done.returncode == 0, f"{verb} {arguments}: {done.returncode} {done.stderr.decode()}"
        return json.loads(done.stdout) if "--json" in arguments else done.stdout

    def refused(self, code, words, verb, *arguments):
        done = self.call(verb, *arguments)
        assert done.returncode == code and words in done.stderr.decode(), f"{verb} {arguments}: {done.returncode} {done.stderr.decode()}"
        assert b"PRIVATE KEY" not in done.stdout
