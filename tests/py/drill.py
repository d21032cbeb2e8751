"""What the crash drills share: one resume, one verification, and what must hold of a folder whatever happened to it."""
import collections, functools, hashlib, importlib.util, json, os, pathlib, re, sqlite3, subprocess, sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "transcripts"))     # where verify.py looks for standing.py
_spec = importlib.util.spec_from_file_location("anchorite_verify", ROOT / "transcripts" / "verify.py")
verify = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(verify)
# Every folder of a drill holds the same signatures, mostly: ssh-keygen is asked once about each.
_asked = functools.lru_cache(4096)(verify.signed)
verify.signed = lambda body, signature, keys, namespace: _asked(bytes(body), bytes(signature), tuple(keys), namespace)

BEFORE_RECORD = "stopped before its record began"
# Calls that change a disk; `write` also counts those to terminals and pipes, so that the numbers are strace's.
CALLS = "write pwrite64 fsync fdatasync rename renameat renameat2 unlink unlinkat ftruncate mkdir mkdirat".split()


class Broken(Exception):
    """An invariant does not hold."""


def need(condition, text):
    if not condition:
        raise Broken(text)


def run(argv, timeout=60):
    """Exit code and everything the program said. Negative codes are signals."""
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout, cwd=ROOT)
    return done.returncode, done.stdout.decode(errors="replace")


def transcript(folder):
    """Whole lines of the record."""
    path = folder / "evidence" / "transcript.jsonl"
    octets = path.read_bytes() if path.exists() else b""
    return octets[:octets.rfind(b"\n") + 1]


def cards(folder):
    """The texts of every share ever dealt here: second line of each simulated card."""
    texts = set()
    for path in folder.glob("media/*/card-*.txt"):
        lines = path.read_text().splitlines()
        if len(lines) > 1 and len(lines[1]) >= 40:
            texts.add(lines[1])
    return texts


def no_secret(folder, said, texts):
    """No share in evidence/, state/, media that are no cards, or on the terminal: whole, in groups, or a long piece of one."""
    needles = set()
    for text in texts:
        # Any 20 characters of the random part; the first 8 name the quorum and are public.
        needles |= {text[at:at + 20].encode() for at in range(8, len(text) - 20, 4)}
    if not needles:
        return
    pattern = re.compile(b"|".join(re.escape(n) for n in needles))
    streams = [("the terminal", said.encode())]
    for part in ("evidence", "state", "media"):
        for path in (folder / part).rglob("*"):
            if path.is_file() and not (part == "media" and path.name.startswith("card-")):
                streams.append((str(path), path.read_bytes()))
    for name, octets in streams:
        squeezed = re.sub(rb"[^0-9A-Za-z]", b"", octets).upper()
        need(not pattern.search(squeezed), f"{name}: holds a share")


def serials_once(record):
    """No serial number in two different certificates, and none reserved twice."""
    reserved, signed = collections.Counter(), collections.defaultdict(set)
    for line in record.splitlines()[1:]:
        body = json.loads(line).get("body", {})
        outcome = body.get("event", {}).get("outcome", {}) if isinstance(body.get("event"), dict) else {}
        if not isinstance(outcome, dict):
            continue
        if outcome.get("outcome") == "serial":
            reserved[outcome["serial"]] += 1
        der = outcome.get("der")
        if der and serial_of(bytes.fromhex(der)):
            signed[serial_of(bytes.fromhex(der))].add(der)
    for serial, times in reserved.items():
        need(times == 1, f"serial {serial} reserved {times} times")
    for serial, ders in signed.items():
        need(len(ders) == 1, f"serial {serial} in {len(ders)} certificates")


def serial_of(der):
    """The serial number of a certificate; None for a CRL. Enough DER for what we issue ourselves."""
    def head(at):
        length = der[at + 1]
        if length < 128:
            return at + 2, length
        octets = length & 127
        return at + 2 + octets, int.from_bytes(der[at + 2:at + 2 + octets], "big")
    at, _ = head(0)
    at, _ = head(at)
    if der[at] != 0xA0:
        return None
    at, length = head(at)
    at += length
    at, length = head(at)
    return der[at:at + length].hex()


def whole_files(folder, reference):
    """A file under its final name is complete: the ones that do not vary equal the reference run, the others parse."""
    for path in sorted((folder / "evidence").rglob("*")) + sorted((folder / "state").glob("*")):
        if not path.is_file() or path.name.startswith(".") or "ledger.sqlite" in path.name:
            continue
        octets = path.read_bytes()
        name = str(path.relative_to(folder))
        same = reference / name
        need(octets or same.exists() and not same.read_bytes(), f"{name}: empty under its final name")
        if name in ("evidence/script.toml", "state/run.json", "state/serial-seed", "state/binding.toml") or "/profiles/" in name:
            need(same.exists() and octets == same.read_bytes(), f"{name}: not whole")
        elif path.suffix == ".pem":
            need(octets.rstrip().endswith(b"-----") and b"-----END " in octets, f"{name}: not whole")
        elif path.suffix == ".sig":
            need(octets.rstrip().endswith(b"-----END SSH SIGNATURE-----"), f"{name}: not whole")
        elif path.suffix == ".checkpoint":
            need(octets.count(b"\n") == 3 and octets.endswith(b"\n"), f"{name}: not whole")
        elif path.suffix == ".json":
            json.loads(octets)


def closed_and_consistent(folder):
    answer = verify.verify(str(folder / "evidence"))
    need(answer["exit"] == 8, f"verify.py: exit {answer['exit']}: {answer['problem']} at {answer['first_bad']}")
    claims = {c["claim"]: c["status"] for c in answer["claims"]}
    need(claims.get("closed") == "ok", f"closed is {claims.get('closed')}")
    need(claims.get("sums") == "ok", f"sums is {claims.get('sums')}")
    return answer


def ledger_agrees(binary, folder):
    """The ledger holds what the record says, row by row: the same as one rebuilt from it."""
    rebuilt = folder / "rebuilt.sqlite"
    code, said = run([binary, "ledger", "rebuild", rebuilt, folder / "evidence"])
    need(code == 0, f"ledger rebuild: exit {code}: {said[-300:]}")
    ours, theirs = rows(folder / "state" / "ledger.sqlite"), rows(rebuilt)
    rebuilt.unlink()
    need(ours.keys() == theirs.keys() and len(ours) > 5, f"tables of the ledger: {ours.keys()} and {theirs.keys()}")
    for table in ours:
        more, less = ours[table] - theirs[table], theirs[table] - ours[table]
        need(not more and not less, f"ledger, {table}: {more} is not in the record, {less} not in the ledger")


def rows(path):
    """Every row of every table of a ledger; of a burnt number not where in the record it burnt: one that was reserved by a run which died
    before its record said so is known to the ledger at once, and to the record when the serial seed is revealed. Of a ceremony not whether it ran here or was rebuilt."""
    base = sqlite3.connect(path)
    tables = [name for name, in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    columns = {"burnt": "serial, ceremony", "ceremonies": "ceremony, realm, approval, governance, plan, started"}
    found = {table: set(base.execute(f"SELECT {columns.get(table, '*')} FROM {table}")) for table in tables}
    base.close()
    return found


def one_log(folder, reference):
    """After a ceremony that checked one log: it stands once, as without any accident, and its file is there whole under its digest."""
    stands = json.loads((folder / "evidence" / "standing.json").read_bytes())
    left = [verify.standing.left_by([json.loads(line) for line in transcript(out).splitlines()], (out / "evidence" / "script.toml").read_bytes(), stands)
            for out in (folder, reference)]
    found, expected = ([log for factory in one["factories"].values() for own in factory["delegated"] for log in own["logs"]] for one in left)
    need(found == expected and len(found) == 1, f"logs that stand: {found}, expected {expected}")
    for log in found:
        path = folder / "issued" / f"{log['sha256']}.log.pem"
        need(path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == log["sha256"], f"{path.name}: not whole, and recorded as checked")
    kept = {path.name for path in (folder / "issued").iterdir() if not path.name.startswith(".")}
    need(kept == {path.name for path in (reference / "issued").iterdir()}, f"kept: {kept}")


def resume_and_check(binary, folder, reference, acknowledged, said, begun=None):
    """What must hold after anything: the acknowledged octets stay, files are whole, resume goes on to a closed record that
    verifies, or says in words why there is nothing to go on with. Returns what happened in a word."""
    before = transcript(folder)
    need(before.startswith(acknowledged), f"acknowledged lines are gone: {len(acknowledged)} octets, {len(before)} there")
    whole_files(folder, reference)
    texts = cards(folder)
    code, words = run([binary, "resume", folder, "--plain"])
    said += words
    texts |= cards(folder)
    if before.count(b"\n") == 0:
        need(code not in (0, 101) and code > 0, f"resume of nothing: exit {code}: {words[-300:]}")
        need(words.strip() and "panicked" not in words, f"resume of nothing says nothing: {words[-300:]}")
        no_secret(folder, said, texts)
        return "nothing began"
    need(code == 0, f"resume: exit {code}: {words[-500:]}")
    after = transcript(folder)
    # A closing turn that is not whole was never acknowledged, and is the only thing a resume may take back.
    kept = before if after.startswith(before) or b'"reveal-serial-seed"' not in before else before[:before.rindex(b'"reveal-serial-seed"')]
    need(after.startswith(acknowledged) and after.startswith(kept), "resume changed lines that were there")
    need((folder / "evidence" / "transcript.jsonl").read_bytes() == after, "a torn line was left")
    closed_and_consistent(folder)
    ledger_agrees(binary, folder)
    serials_once(after)
    no_secret(folder, said, texts)
    if before == after:
        return "was closed"
    return "voided" if b'"outcome":"reopened"' in after else "went on"
