"""The station on a real PostgreSQL server, started here: the kill run and the rate of station_kill.py, and what is refused: asynchronous commit, another
host without a tunnel, a server that was put back, a fail-over.

    station_postgres.py --binary target/postgres/debug/anchorite        (cargo build --features postgres)"""

import argparse
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent


def postgres_bin():
    for version in sorted(pathlib.Path("/usr/lib/postgresql").glob("*"), reverse=True):
        if (version / "bin/initdb").exists():
            return version / "bin"
    sys.exit("station_postgres: expected /usr/lib/postgresql/*/bin, found none (Debian: postgresql)")


class Server:
    """A cluster of its own on a Unix socket. PostgreSQL refuses root, so it runs as `postgres` where we are root."""

    def __init__(self, work):
        self.data, self.socket, self.bin = work / "data", work / "socket", postgres_bin()
        self.user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        self.socket.mkdir(parents=True, exist_ok=True)
        if os.getuid() == 0:
            shutil.chown(work, "postgres")
            shutil.chown(self.socket, "postgres")
        self.run("initdb", "-D", self.data, "-A", "trust", "-U", self.user, "--no-locale", "-E", "UTF8")

    def run(self, tool, *arguments, check=True):
        command = [str(self.bin / tool), *map(str, arguments)]
        if os.getuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
        return subprocess.run(command, check=check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

    def start(self, *options):
        more = f"-k {self.socket} -c listen_addresses= " + " ".join(f"-c {option}" for option in options)
        self.run("pg_ctl", "-D", self.data, "-w", "-l", self.data / "log", "-o", more, "start")

    def stop(self, mode="fast"):
        self.run("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def sql(self, text):
        done = subprocess.run([str(self.bin / "psql"), "-h", self.socket, "-U", self.user, "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-Atc", text],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def database(self, name):
        self.sql(f"CREATE DATABASE {name}")
        return f"postgres://{self.user}@/{name}?host={self.socket}"


def call(binary, verb, where, *arguments):
    return subprocess.run([str(part) for part in (binary, "station", verb, where, *arguments)], capture_output=True, text=True)


def refusals(binary, server, work):
    import station_kill

    address = server.database("refused")
    where, bundle = station_kill.station(binary, work, 60, address, shard=30)
    drawn = [json.loads(call(binary, "draw", where, "--line", 1, "--json").stdout)["device"] for _ in range(5)]
    server.stop()
    shutil.copytree(server.data, work / "saved", symlinks=True)
    server.start("synchronous_commit=off")
    done = call(binary, "draw", where, "--line", 1, "--json")
    assert done.returncode == 6 and "synchronous_commit" in done.stderr and not done.stdout.startswith('{"bundle"'), done.stderr
    server.stop()
    server.start()
    drawn += [json.loads(call(binary, "draw", where, "--line", 1, "--json").stdout)["device"] for _ in range(4)]
    # The server put back to where it was saved.
    server.stop()
    shutil.rmtree(server.data)
    shutil.copytree(work / "saved", server.data, symlinks=True)
    if os.getuid() == 0:
        subprocess.run(["chown", "-R", "postgres:postgres", server.data], check=True)
    server.start()
    done = call(binary, "draw", where, "--line", 1, "--json")
    assert done.returncode == 6 and "older state" in done.stderr, done.stderr
    done = call(binary, "reconcile", where, "--because", "server restored", "--json")
    assert json.loads(done.stdout) == {"behind": 4, "withdrawn": 4}, done.stdout + done.stderr
    drawn.append(json.loads(call(binary, "draw", where, "--line", 1, "--json").stdout)["device"])
    # A fail-over: a standby that was promoted has another timeline.
    server.stop()
    (server.data / "standby.signal").touch()
    if os.getuid() == 0:
        shutil.chown(server.data / "standby.signal", "postgres", "postgres")
    server.start()
    server.run("pg_ctl", "-D", server.data, "-w", "promote")
    done = call(binary, "draw", where, "--line", 1, "--json")
    assert done.returncode == 6 and "not the file that its anchor knows" in done.stderr, done.stderr
    done = call(binary, "reconcile", where, "--because", "fail-over, standby was synchronous", "--at-least", 3, "--json")
    assert json.loads(done.stdout)["withdrawn"] == 3, done.stderr
    while (done := call(binary, "draw", where, "--line", 1, "--json")).returncode == 0:
        drawn.append(json.loads(done.stdout)["device"])
    assert done.returncode == 7 and len(drawn) == len(set(drawn)) == 60 - 4 - 3 + 4, (done.stderr, len(drawn), len(set(drawn)))
    checked = json.loads(call(binary, "check", where, "--json").stdout)
    assert checked["states"]["lost"] == 7, checked
    elsewhere = call(binary, "init", work / "elsewhere", "--factory", "lyon", "--realm", "rehearsal", "--root", work / "root.pem", "--signers",
                     work / "allowed_signers", "--threshold", 2, "--store", "postgres://a@192.0.2.1/b")
    assert elsewhere.returncode != 0 and "tunnel" in elsewhere.stderr, elsewhere.stderr
    print("asynchronous commit, a server put back, a fail-over and another host are refused; after reconciling nothing came out twice")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--kills", type=int, default=40)
    args = parser.parse_args()
    binary, work = args.binary.resolve(), pathlib.Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    work.chmod(0o755)
    server = Server(work / "server")
    try:
        server.start()
        kill = [sys.executable, HERE / "station_kill.py", "--binary", binary, "--count", str(args.count)]
        subprocess.run([*kill, "--kills", str(args.kills), "--store", server.database("killed")], check=True)
        subprocess.run([*kill, "--rate", "--store", server.database("rate")], check=True)
        (work / "refused").mkdir()
        refusals(binary, server, work / "refused")
    finally:
        server.run("pg_ctl", "-D", server.data, "-m", "immediate", "stop", check=False)
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
