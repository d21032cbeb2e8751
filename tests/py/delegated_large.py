"""A log of as many certificates as one may have (`--count 200000`, by hand), issued by pyca: checked within a bound of memory that grows by what must be
compared only, its account and its kept file whole; the next log, of the rest, is held against it.

usage: delegated_large.py PROGRAM [--count N]"""
import argparse
import json
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from cryptography.hazmat.primitives import serialization
from cryptography import x509

import delegated_ceremony as ceremony
from delegated_ceremony import ORDER, PEM, Chain, log, requested, sha
from delegated_module import Module

# MiB of the largest process, and octets a certificate: serial number, key, device and digest of each.
BOUND = (48, 330)


def issued(arguments):
    folder, certificate, first, last = arguments
    module = Module(serialization.load_pem_private_key((folder / "ostrava-ca-1.key").read_bytes(), None), x509.load_pem_x509_certificate(certificate))
    module.serial = first
    return b"".join(module.issue(f"METER-{n:08}").public_bytes(PEM) for n in range(first, last))


class Written:
    """A part of a log, as far as `log` asks."""

    def __init__(self, text):
        self.text = text

    def public_bytes(self, _):
        return self.text


def main(folder, count):
    chain = Chain(folder)
    order = ORDER.replace("count = 6", f"count = {count}").replace("quota = 20000", f"quota = {count}")
    script = chain.script("factory-delegate", [("most = 20000", f"most = {count}")])
    chain.must(script, "delegated", {"meters-own-1.order.toml": order.encode()} | requested(folder, "ostrava-ca-1"))
    issuer = x509.load_pem_x509_certificate(chain.artefact("delegated", "ostrava-ca-1.crt.pem"))
    began, of = time.monotonic(), max(1, (count - 1) // 64)
    parts = [(folder, issuer.public_bytes(PEM), n, min(n + of, count)) for n in range(1, count, of)]
    with multiprocessing.Pool(os.cpu_count()) as pool:
        texts = [Written(text) for text in pool.imap(issued, parts)]
    print(f"  {count - 1} certificates by pyca: {time.monotonic() - began:.0f} s", flush=True)
    files = log(folder, issuer, texts, order=order, count=count - 1)
    del texts
    began = time.monotonic()
    chain.must(ceremony.SCRIPTS / "delegated-log", "log-1", files, "delegated")
    seconds = time.monotonic() - began
    account = json.loads(chain.artefact("log-1", "ostrava-ca-1-log-1.log-account.json"))
    assert (account["logged"], account["ordered"], account["findings"]) == (count - 1, count, []), account
    assert sha((folder / "log-1/issued" / f"{account['log']['sha256']}.log.pem").read_bytes()) == account["log"]["sha256"]
    # The next log: one device of the first again, and one too many.
    module = Module(serialization.load_pem_private_key((folder / "ostrava-ca-1.key").read_bytes(), None), issuer)
    module.serial = count + 10
    more = [module.issue("METER-00000001"), module.issue(f"METER-{count:08}")]
    second = log(folder, issuer, more, 2, sha(files["ostrava-ca-1-log-1.log.json"]), order=order)
    again = chain.script("delegated-log", ceremony.after("module-ostrava-log-2", "module-ostrava-log-1"))
    chain.must(again, "log-2", second, "log-1")
    account = json.loads(chain.artefact("log-2", "ostrava-ca-1-log-1.log-account.json"))
    assert account["log"]["incidents"] == {"device-twice": 1, "quota": 1}, account
    return seconds


def largest(program, folder, count):
    """MiB of the largest process of a ceremony that checks the log once more, which waits for nothing else of this drill."""
    arguments = [program, "rehearse", ceremony.SCRIPTS / "delegated-log", "--plain", "--auto", "--seed", "7", "--incoming", folder / "incoming-log-1",
                 "--after", folder / "delegated", "--out", folder / "again"]
    done = subprocess.run([sys.executable, "-c", "import resource, subprocess, sys\n"
                           "code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode\n"
                           "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)", *map(str, arguments)], capture_output=True, text=True, check=True)
    code, kib = map(int, done.stdout.split())
    assert code == 0, done
    most = BOUND[0] + BOUND[1] * count / (1 << 20)
    assert kib / 1024 <= most, f"{kib / 1024:.0f} MiB, expected at most {most:.0f}"
    return kib / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=400)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        seconds = main(pathlib.Path(made), args.count)
        mib = largest(args.program.resolve(), pathlib.Path(made), args.count)
    print(f"delegated large: a log of {args.count - 1} checked, {seconds:.1f} s for the ceremony, {mib:.0f} MiB in its largest process; the next log held against it")
