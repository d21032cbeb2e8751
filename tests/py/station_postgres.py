"""The station on a real PostgreSQL server, started here: eight processes draw while they, the server's processes and the whole server are killed at random
moments; what is refused until reconciled (a server put back, a fail-over to a standby, another server); what is refused at all (asynchronous commit,
fsync or full_page_writes off, another's database, a wrong password), each by its own words; two hosts on one database; draws by
hardware id, contended for (`hardware_draws.py`); the rate beside pgbench.

    station_postgres.py --binary target/debug/anchorite [--count 600] [--kills 30] [--rate 20000]        (cargo build --features postgres)"""

import argparse
import collections
import json
import math
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

import hardware_draws
import make_bundle
import station_factory
import station_kill
from postgres_server import Server

DRAW = ("--line", 1, "--json")


class Station:
    def __init__(self, binary, where, work, store, *more):
        self.binary, self.where, self.work, self.drawn = binary, where, work, []
        done = self.call("init", "--factory", "lyon", "--realm", "rehearsal", "--root", work / "root.pem", "--signers", work / "allowed_signers",
                         "--threshold", 2, "--store", store, "--json", *more)
        assert done.returncode == 0, done.stderr
        self.recipient, self.bundle = json.loads(done.stdout)["recipients"][0], ""

    def call(self, verb, *arguments):
        return subprocess.run([str(part) for part in (self.binary, "station", verb, self.where, *arguments)], capture_output=True, text=True)

    def run(self, verb, *arguments):
        done = self.call(verb, *arguments, "--json")
        assert done.returncode == 0, f"{verb} {arguments}: {done.returncode} {done.stderr}"
        return json.loads(done.stdout)

    def stock(self, name, count):
        command = [sys.executable, str(pathlib.Path(__file__).with_name("make_bundle.py")), self.work, "--recipient", self.recipient, "--count", count, "--shard", 30,
                   "--name", name]
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
        self.bundle = self.run("import", self.work / name, "--release")["bundle"]

    def draw(self, times=1):
        for _ in range(times):
            self.drawn.append(self.run("draw", "--line", 1)["device"])

    def refused(self, words, verb="draw", *arguments, code=6):
        done = self.call(verb, *(arguments or DRAW))
        nothing = "PRIVATE KEY" not in done.stdout and '"device"' not in done.stdout
        assert done.returncode == code and words in done.stderr and nothing, f"{verb}: expected {code} {words}, {done.returncode} {done.stderr}"

    def rest(self):
        """Draws all that is left; nothing came out twice."""
        while (done := self.call("draw", *DRAW)).returncode == 0:
            self.drawn.append(json.loads(done.stdout)["device"])
        assert done.returncode == 7 and len(set(self.drawn)) == len(self.drawn), (done.stderr, len(self.drawn), len(set(self.drawn)))
        return len(self.drawn)


def killed(binary, server, work, count, kills):
    """Stations, the server's processes and the server die; what was acknowledged stays, nothing comes out twice, nothing is missing."""
    where, _ = station_kill.station(binary, work, count, server.database("killed"), shard=500)
    chance, deaths = random.Random(7), collections.Counter()

    def disturb():
        die = chance.random()
        if die < 0.10 and deaths["immediate"] < 4:
            server.again(mode="immediate")
            deaths["immediate"] += 1
        elif die < 0.35 and deaths["backend"] < 8 and server.kill_backend(chance):
            deaths["backend"] += 1
        else:
            return False
        return True

    station_kill.kill_run(binary, where, count, 8, kills, 1, disturb)
    print(f"  of them {deaths['backend']} by SIGKILL to a process of the server, {deaths['immediate']} by `pg_ctl -m immediate` and a new start")
    assert deaths["backend"] and deaths["immediate"], deaths


def by_hardware(binary, server, work, count, kills):
    """Devices drawn by their hardware, contended for by every line, while lines and the server's processes die."""
    station = Station(binary, work / "crash-hardware", work, server.database("crash_hardware"))
    folder = hardware_draws.bundle_of(binary, work, station.recipient, count)
    bundle, chance, deaths = station.run("import", folder, "--release")["bundle"], random.Random(5), collections.Counter()

    def disturb():
        die = chance.random()
        if die < 0.15 and deaths["immediate"] < 2:
            server.again(mode="immediate")
            deaths["immediate"] += 1
            return True
        if die < 0.5 and deaths["backend"] < 8 and server.kill_backend(chance):
            deaths["backend"] += 1
            return True
        return False

    hardware_draws.drill(binary, station.where, bundle, count, kills, disturb=disturb)
    print(f"  of them {deaths['backend']} by SIGKILL to a process of the server, {deaths['immediate']} by `pg_ctl -m immediate` and a new start")
    assert deaths["backend"] and deaths["immediate"], deaths


def durability(station, server):
    """What would lose what was acknowledged is refused, also where the server is told so while a line stays connected."""
    serve = subprocess.Popen([str(part) for part in (station.binary, "station", "draw", station.where, "--line", 2, "--serve")], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ask():
        serve.stdin.write("next\n")
        serve.stdin.flush()
        return serve.stdout.readline()

    station.drawn.append(json.loads(ask())["device"])
    for setting, value in (("synchronous_commit", "off"), ("synchronous_commit", "local"), ("synchronous_commit", "remote_write"), ("full_page_writes", "off"),
                           ("fsync", "off")):
        server.set(**{setting: value})
        station.refused(f"expected {setting} to be on")
        for verb, arguments in (("release", [station.bundle]), ("receipt", [station.bundle]), ("reconcile", ["--because", "x"])):
            station.refused(f"expected {setting} to be on", verb, *arguments)
        if setting == "synchronous_commit":
            # The connection keeps what it had: its commits stay durable.
            station.drawn.append(json.loads(ask())["device"])
        if setting != "fsync":
            server.set(**{setting: None})
            station.draw()
    assert ask() == "" and serve.wait() == 6 and "expected fsync to be on" in serve.stderr.read()
    server.set(fsync=None)
    station.draw()
    server.set(synchronous_commit="remote_apply")
    station.draw()
    server.set(synchronous_commit=None)
    print("asynchronous commit, fsync and full_page_writes off are refused, also by a line that stays connected")


def put_back(station, server, work):
    """A snapshot of the server's files; a fail-over to a standby that lacks the last commits, and to one that lacks none; another server."""
    server.stop()
    server.copied(work / "saved")
    server.start()
    station.draw(4)
    server.stop()
    server.put_back(work / "saved")
    server.start()
    station.refused("this is an older state")
    for verb, arguments in (("release", [station.bundle]), ("receipt", [station.bundle])):
        station.refused("this is an older state", verb, *arguments)
    assert station.call("status").returncode == 6
    assert station.run("reconcile", "--because", "server restored") == {"behind": 4, "withdrawn": 4}
    station.draw()

    # A standby that stops following, and is promoted in the place of the primary: the last two are not in it.
    standby = Server(work / "standby/data", work / "standby/socket", server)
    standby.start()
    station.draw(2)
    standby.caught_up(server)
    standby.stop()
    station.draw(2)
    server.stop("immediate")
    heir = Server.__new__(Server)
    heir.__dict__.update(standby.__dict__, socket=server.socket)
    heir.start()
    station.refused("the server only reads: it is a standby")
    heir.run("pg_ctl", "-D", heir.data, "-w", "promote")
    station.refused("this is an older state")
    assert station.run("reconcile", "--because", "fail-over; the standby was two commits behind") == {"behind": 2, "withdrawn": 2}
    station.draw()

    # One that has everything: the same commits on another timeline, and nobody can tell whether the old primary goes on.
    second = Server(work / "second/data", work / "second/socket", heir)
    second.start()
    second.caught_up(heir)
    heir.stop()
    second.stop()
    second.socket = server.socket
    second.start()
    second.run("pg_ctl", "-D", second.data, "-w", "promote")
    station.refused("not the file that its anchor knows")
    assert station.run("reconcile", "--because", "fail-over, nothing missing", "--at-least", "3")["withdrawn"] == 3
    station.draw()

    # Another server with everything in it, restored from a dump.
    dump = subprocess.run([str(second.bin / "pg_dump"), "-h", second.socket, "-U", second.user, "refused"], capture_output=True, text=True, check=True).stdout
    second.stop()
    other = Server(work / "other/data", server.socket)
    other.start()
    other.sql("CREATE DATABASE refused")
    subprocess.run([str(other.bin / "psql"), "-qXh", other.socket, "-U", other.user, "-v", "ON_ERROR_STOP=1", "-d", "refused"], input=dump, text=True, check=True,
                   stdout=subprocess.DEVNULL)
    station.refused("not the file that its anchor knows")
    assert station.run("reconcile", "--because", "another server, from a dump of everything", "--at-least", "0")["withdrawn"] == 0
    station.draw()
    return other


def words(station, server, work):
    """Each that is wrong by its own words, none with a password in it."""
    where, home = station.where, json.loads((station.where / "station.json").read_bytes())

    def at(address):
        (where / "station.json").write_bytes(make_bundle.jcs({**home, "database": address}))

    at(server.address("nowhere"))
    station.refused("expected the database of this station, found none of its name")
    at(server.database("bare"))
    station.refused("expected the tables of a station of this program, version 1, found none")
    server.sql("CREATE TABLE owned (name text, value text); CREATE TABLE ledger_end (x int); INSERT INTO owned VALUES ('tables', '9')", "bare")
    station.refused("version 1, found 9")
    Station(station.binary, work / "neighbour", work, server.database("neighbour"))
    at(server.address("neighbour"))
    station.refused("expected the store of this station", code=2)
    at(f"postgres://a@/b?host={work}")
    station.refused("expected a server at")
    at("postgres://a:secret@/b?host=/tmp")
    station.refused("a password in the station's folder only")
    at("postgres://a@192.0.2.1/b")
    station.refused("reach it through a tunnel")
    (where / "station.json").write_bytes(make_bundle.jcs(home))
    again = ("--factory", "lyon", "--realm", "rehearsal", "--root", work / "root.pem", "--signers", work / "allowed_signers", "--threshold", "2")
    for address, said in ((server.address("neighbour"), "expected an empty one, found tables"), (f"postgres://a@/b?host={work}", "expected a server at")):
        done = subprocess.run([str(part) for part in (station.binary, "station", "init", work / "half", *again, "--store", address)], capture_output=True, text=True)
        assert done.returncode != 0 and said in done.stderr and not (work / "half").exists() and not (work / "half.anchor").exists(), done.stderr
    # What a database's owner can do by force is found by whoever replays the ledger.
    server.sql("SET session_replication_role = replica; UPDATE identities SET state = 'released' WHERE id = 1", "refused")
    station.refused("in the store; by the entries it is reserved", "check", "--json", code=4)
    server.sql("SET session_replication_role = replica; UPDATE identities SET state = 'reserved' WHERE id = 1", "refused")
    for statement in ("DELETE FROM ledger WHERE seq = 3", "UPDATE ledger SET body = '' WHERE seq = 3", "DELETE FROM identities WHERE id = 2",
                      "UPDATE identities SET state = 'released' WHERE id = 1"):
        done = subprocess.run([str(server.bin / "psql"), "-Xh", server.socket, "-U", server.user, "-d", "refused", "-c", statement], capture_output=True, text=True)
        assert done.returncode == 1 and ("only grows" in done.stderr or "never offered twice" in done.stderr), done.stderr
    station.run("check")


def password(binary, server, work):
    """A user of its own, without rights beyond its database, over SCRAM-SHA-256."""
    server.sql("SET password_encryption = 'scram-sha-256'; CREATE ROLE line LOGIN PASSWORD 'right horse'")
    server.sql("CREATE DATABASE scram OWNER line")
    rules = server.data / "pg_hba.conf"
    rules.write_text("local all line scram-sha-256\n" + rules.read_text())
    server.sql("SELECT pg_reload_conf()")
    time.sleep(0.3)
    secret = work / "password"
    secret.write_text("right horse\n")
    station = Station(binary, work / "scram", work, server.address("scram", "line"), "--password-file", secret)
    kept = station.where / "postgres.password"
    assert kept.stat().st_mode & 0o777 == 0o600
    station.stock("scram-bundle", 5)
    station.draw(2)
    kept.write_text("wrong horse\n")
    station.refused("expected the password of this user in postgres.password, found another")
    kept.chmod(0o640)
    station.refused("readable by its owner only (0600), found 0640", code=2)
    kept.unlink()
    station.refused("the server asks for a password: expected SCRAM-SHA-256 and a file postgres.password")
    kept.write_text("right horse")
    kept.chmod(0o600)
    station.draw()
    server.sql("ALTER ROLE line NOLOGIN")
    station.refused("the server lets this user in no such way")
    for verb in ("draw", "status", "check"):
        done = station.call(verb, *(DRAW if verb == "draw" else ["--json"]))
        assert "horse" not in done.stdout + done.stderr
    print("each that is wrong by its own words; a user with a password (SCRAM-SHA-256) and no other right")


def hosts(binary, server, work, count):
    """Two hosts, each with a copy of the folder and an anchor of its own, draw from one database at once."""
    station = Station(binary, work / "host-1", work, server.database("hosts"))
    station.stock("hosts-bundle", count)
    shutil.copytree(station.where, work / "host-2")
    home = json.loads((work / "host-2/station.json").read_bytes())
    home["anchor"] = str(work / "host-2.anchor")
    (work / "host-2/station.json").write_bytes(make_bundle.jcs(home))
    second = Station.__new__(Station)
    second.__dict__.update(station.__dict__, where=work / "host-2", drawn=[])
    second.refused("the anchor cannot be used")
    assert second.run("reconcile", "--because", "another host", "--at-least", "0") == {"behind": 0, "withdrawn": 0}
    drawers = [station_kill.Drawer(binary, where, line + 1) for line in range(3) for where in (station.where, second.where)]
    for drawer in drawers:
        drawer.thread.join()
        drawer.end()
    each = [sum(len(drawer.drawn) for drawer in drawers[host::2]) for host in (0, 1)]
    drawn = [device for drawer in drawers for device in drawer.drawn]
    assert len(drawn) == len(set(drawn)) == count and min(each) > 0, each
    proven = station.run("status")
    assert proven["bundles"][0]["states"]["reserved"] == count and second.run("check")["states"]["reserved"] == count
    print(f"two hosts with anchors of their own on one database: {each[0]} and {each[1]} of {count} drawn, none twice")


def looked(binary, server, work):
    """A host that only looked knows what the other drew: it refuses a server that was put back, and one that did not look cannot."""
    station = Station(binary, work / "looked-1", work, server.database("looked"))
    station.stock("looked-bundle", 9)
    others = []
    for name in ("looked-2", "looked-3"):
        shutil.copytree(station.where, work / name)
        home = json.loads((work / name / "station.json").read_bytes())
        home["anchor"] = str(work / f"{name}.anchor")
        (work / name / "station.json").write_bytes(make_bundle.jcs(home))
        other = Station.__new__(Station)
        other.__dict__.update(station.__dict__, where=work / name, drawn=[])
        other.run("reconcile", "--because", "another host", "--at-least", "0")
        others.append(other)
    station.draw()
    server.stop()
    server.copied(work / "looked-saved")
    server.start()
    station.draw(2)
    # As `draw --as` looks before it draws: in a transaction that may change nothing.
    done = others[0].call("draw", "--line", 2, "--as", "nordic", "--to", work / "nowhere.json")
    assert done.returncode == 2 and "nothing was drawn" in done.stderr, done.stderr
    assert others[0].call("status").returncode == 0
    server.stop()
    server.put_back(work / "looked-saved")
    server.start()
    station.refused("this is an older state")
    others[0].refused("this is an older state")
    assert others[1].call("status").returncode == 0, "it has seen nothing of what is gone"
    assert others[0].run("reconcile", "--because", "server restored") == {"behind": 2, "withdrawn": 2}
    station.refused("two histories")
    print("a host that only looked refuses a server that was put back")


# The same writes without chain, decryption and output; `head` is the one row that a chain must hold while it commits.
PGBENCH = {
    "an INSERT and its COMMIT": "INSERT INTO raw_ledger (body) VALUES (repeat('x', 200));",
    "what a draw writes": "BEGIN; UPDATE raw SET state = 'reserved' WHERE id = (SELECT id FROM raw WHERE state = 'released' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED);\n"
                          "INSERT INTO raw_ledger (body) VALUES (repeat('x', 200)); COMMIT;",
    "the same behind one head": "BEGIN; SELECT seq FROM head FOR UPDATE; UPDATE raw SET state = 'reserved' WHERE id = (SELECT id FROM raw WHERE state = 'released' ORDER BY id\n"
                                "LIMIT 1 FOR UPDATE SKIP LOCKED);\nINSERT INTO raw_ledger (body) VALUES (repeat('x', 200)); UPDATE head SET seq = seq + 1; COMMIT;",
}


def rate(binary, server, work, where, count, processes):
    each, half, late, latest = station_kill.rate(binary, where, processes, count)
    print(f"draws, {processes} processes: {each:.0f} a second, p50 {half:.1f} ms, p99 {late:.1f} ms, slowest {latest:.0f} ms", flush=True)
    server.sql("CREATE TABLE raw (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state TEXT NOT NULL); CREATE INDEX ON raw (id) WHERE state = 'released';"
               f"INSERT INTO raw (state) SELECT 'released' FROM generate_series(1, {20 * count}); CREATE TABLE head (seq BIGINT); INSERT INTO head VALUES (0);"
               "CREATE TABLE raw_ledger (seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body TEXT)", "rate")
    for what, script in PGBENCH.items():
        shutil.rmtree(work / "log", ignore_errors=True)
        (work / "log").mkdir()
        if os.getuid() == 0:
            shutil.chown(work / "log", "postgres")
        (work / "log/script.sql").write_text(script)
        server.run("pgbench", "-h", server.socket, "-U", server.user, "-n", "-M", "prepared", "-c", processes, "-j", min(processes, os.cpu_count()),
                   "-t", math.ceil(count / processes), "-l", f"--log-prefix={work}/log/t", "-f", work / "log/script.sql", "rate", stdout=subprocess.PIPE)
        rows = [line.split() for path in (work / "log").glob("t*") for line in path.read_text().splitlines()]
        # Microseconds a transaction, and when it ended: seconds and microseconds.
        times = [int(row[2]) / 1e6 for row in rows]
        ends = [int(row[4]) + int(row[5]) / 1e6 for row in rows]
        raw = len(times) / (max(ends) - min(end - took for end, took in zip(ends, times)))
        raw_half, raw_late, raw_latest = station_kill.slow(times)
        print(f"pgbench, {what}: {raw:.0f} a second, p50 {raw_half:.1f} ms, p99 {raw_late:.1f} ms, slowest {raw_latest:.0f} ms; ratio {each / raw:.2f}", flush=True)
    subprocess.run([str(binary), "station", "check", str(where), "--json"], check=True, stdout=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--rate", type=int, default=0, help="only the rate, of so many draws of --count")
    args = parser.parse_args()
    binary, work = args.binary.resolve(), pathlib.Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    work.chmod(0o755)
    server = Server(work / "server/data", work / "server/socket")
    other = None
    try:
        server.start()
        if args.rate:
            (work / "rate").mkdir()
            where, _ = station_kill.station(binary, work / "rate", args.count, server.database("rate"), draws=args.rate)
            rate(binary, server, work / "rate", where, args.rate, args.processes)
            return
        for folder in ("killed", "refused"):
            (work / folder).mkdir()
        make_bundle.authorities(work / "refused")
        killed(binary, server, work / "killed", args.count, args.kills)
        hosts(binary, server, work / "refused", 150)
        looked(binary, server, work / "refused")
        by_hardware(binary, server, work / "refused", args.count // 5, args.kills)
        # What a factory does with a file as its store, on the server.
        (work / "factory").mkdir()
        make_bundle.authorities(work / "factory")
        station_factory.Station.database = server.database
        station_factory.whole_way(binary, work / "factory")
        station_factory.device_generated(binary, work / "factory")
        station = Station(binary, work / "refused/station", work / "refused", server.database("refused"))
        station.stock("bundle-1", 60)
        station.draw(5)
        durability(station, server)
        words(station, server, work / "refused")
        password(binary, server, work / "refused")
        other = put_back(station, server, work)
        left = station.rest()
        lost = station.run("check")["states"]["lost"]
        assert lost == 4 + 2 + 3 and left == 60 - lost + 6, (left, lost)
        print(f"a server put back, two fail-overs and another server are refused; reconciled, {lost} are lost for safety and nothing came out twice")
    finally:
        for each in (server, other):
            if each:
                each.stop("immediate", check=False)
        for folder in ("standby", "second"):
            if (work / folder / "data/postmaster.pid").exists():
                server.run("pg_ctl", "-D", work / folder / "data", "-m", "immediate", "stop", check=False)
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
