"""A PostgreSQL server of one's own, for `station_postgres.py`: a private cluster on a Unix socket (and, where asked, on 127.0.0.1), its standbys, and its deaths.
Debian: postgresql."""

import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time


def postgres_bin():
    for version in sorted(pathlib.Path("/usr/lib/postgresql").glob("*"), reverse=True):
        if (version / "bin/initdb").exists():
            return version / "bin"
    sys.exit("station_postgres: expected /usr/lib/postgresql/*/bin, found none (Debian: postgresql)")


class Server:
    """One cluster. PostgreSQL refuses root, so it runs as `postgres` where we are root. `like`: no cluster of its own but a standby of that one."""

    def __init__(self, data, socket, like=None):
        self.data, self.socket, self.bin = data, socket, postgres_bin()
        self.user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        for folder in (data.parent, socket):
            folder.mkdir(parents=True, exist_ok=True)
            if os.getuid() == 0:
                shutil.chown(folder, "postgres")
        if like:
            self.run("pg_basebackup", "-h", like.socket, "-U", self.user, "-D", data, "-R", "-X", "stream", "-c", "fast")
        else:
            self.run("initdb", "-D", data, "-A", "trust", "-U", self.user, "--no-locale", "-E", "UTF8")

    def run(self, tool, *arguments, check=True, **more):
        command = [str(self.bin / tool), *map(str, arguments)]
        if os.getuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
        return subprocess.run(command, check=check, cwd="/", text=True, **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **more})

    def start(self, *options):
        more = f"-k {self.socket} -c listen_addresses= " + " ".join(f"-c {option}" for option in options)
        self.run("pg_ctl", "-D", self.data, "-w", "-l", self.data / "log", "-o", more, "start")

    def stop(self, mode="fast", check=True):
        self.run("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop", check=check)

    def again(self, *options, mode="fast"):
        self.stop(mode)
        self.start(*options)

    def sql(self, text, database="postgres"):
        done = subprocess.run([str(self.bin / "psql"), "-h", self.socket, "-U", self.user, "-d", database, "-v", "ON_ERROR_STOP=1", "-AtXc", text],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def set(self, **settings):
        """In postgresql.auto.conf, and told to the server that runs."""
        for name, value in settings.items():
            self.sql(f"ALTER SYSTEM SET {name} = {value}" if value else f"ALTER SYSTEM RESET {name}")
        self.sql("SELECT pg_reload_conf()")
        time.sleep(0.3)

    def address(self, name, user=None):
        return f"postgres://{user or self.user}@/{name}?host={self.socket}"

    def database(self, name):
        self.sql(f"CREATE DATABASE {name}")
        return self.address(name)

    def kill_backend(self, chance):
        """SIGKILL to one connection's process, as the kernel does when memory is short: the server ends all of them and recovers."""
        found = subprocess.run(["pgrep", "-f", f"^postgres: .* (killed|crash)"], capture_output=True, text=True)
        ours = [int(pid) for pid in found.stdout.split() if self.is_ours(int(pid))]
        if ours:
            os.kill(chance.choice(ours), signal.SIGKILL)
        return bool(ours)

    def is_ours(self, pid):
        """A child of this cluster's own postmaster: no other server is touched."""
        try:
            postmaster = int((self.data / "postmaster.pid").read_text().split("\n")[0])
            return int(re.search(r"\) \S (\d+)", pathlib.Path(f"/proc/{pid}/stat").read_text())[1]) == postmaster
        except (OSError, ValueError, TypeError):
            return False

    def copied(self, to):
        """The cluster's files, put somewhere as a snapshot; the server must be stopped."""
        shutil.copytree(self.data, to, symlinks=True)

    def put_back(self, saved):
        shutil.rmtree(self.data)
        shutil.copytree(saved, self.data, symlinks=True)
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", "postgres:postgres", self.data], check=True)

    def caught_up(self, primary):
        """Waits until this standby has replayed all that the primary has."""
        for _ in range(200):
            if self.sql(f"SELECT pg_last_wal_replay_lsn() >= '{primary.sql('SELECT pg_current_wal_flush_lsn()')}'") == "t":
                return
            time.sleep(0.05)
        raise AssertionError("the standby does not catch up")
