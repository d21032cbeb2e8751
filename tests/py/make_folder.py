#!/usr/bin/env python3
"""Build a valid closed evidence folder for tests, from transcripts/README.md only.

    make_folder.py DIR [--fill N] [--keys DIR]

A rehearsal of a two-step script in two acts, N more entries than it needs, keys made by ssh-keygen. Shares no code
with verify.py. `build` also writes other records (other entries, other keys) so that tests can make forgeries.
"""
import argparse
import base64
import contextlib
import hashlib
import json
import pathlib
import subprocess
import tempfile

# REALM is production inside in_production(); everything below follows it.
REALM, CEREMONY, SEED = "rehearsal", "test-2026", "5e" * 32
PEOPLE = ("ada", "witness-a")
SCRIPT = b"""title = "a test of two steps"
[[role]]
name = "operator"
holders = ["ada"]
[[role]]
name = "witness"
holders = ["witness-a"]
[[act]]
id = "one"
[[act.step]]
id = "s-1"
who = "operator"
[[act]]
id = "two"
[[act.step]]
id = "s-2"
who = "witness-a"
"""
ARTIFACT = b"not really a certificate\n"


GOVERNANCE = {"governance.toml": b'format = "anchorite-governance/1"\n', "allowed_signers": b"# approvers\n"}
PROFILE = b'title = "a profile"\n'
WORDS = "abandon ability able about above absent absorb abstract absurd abuse access accident"


@contextlib.contextmanager
def in_production():
    global REALM
    REALM = "production"
    try:
        yield
    finally:
        REALM = "rehearsal"


def namespace(what):
    return ("rehearsal-" if REALM == "rehearsal" else "") + what + "@anchorite"


def approval(script):
    digest = hashlib.sha256(PROFILE).hexdigest()
    return jcs({"ceremony": CEREMONY, "plan_digest": "ab" * 32, "profiles": {"root": digest}, "realm": REALM,
                "script_digest": hashlib.sha256(script).hexdigest()})


def jcs(value):     # enough for the ASCII keys of these tests
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def tagged(what, realm, *parts):
    octets = b""
    for part in (f"anchorite/{what}/v1".encode(), realm.encode(), *parts):
        octets += len(part).to_bytes(4, "big") + part
    return hashlib.sha256(octets).digest()


def make_keys(folder):
    """A directory with ed25519 keys `run` and one for each person."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("run", *PEOPLE):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name], check=True)
    return folder


def public(keys, name):
    return (keys / f"{name}.pub").read_text().strip()


def sign(keys, name, namespace, path):
    path.with_name(path.name + ".sig").unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", keys / name, "-n", namespace, path], check=True, capture_output=True)


def entry(kind, outcome, body=None, *, level="public", role="tool", step="", exception=0, operation=""):
    return {"kind": kind, "outcome": outcome, "level": level, "role": role, "step": step, "exception": exception,
            "operation": operation, "body": body or {}}


def plan(keys, fill=0):
    """The entries of a good record; chain() numbers them."""
    name, digest = "root.crt", hashlib.sha256(ARTIFACT).hexdigest()
    production = REALM == "production"
    return [
        entry("opened", "done", {"event": {"governance_words": WORDS}} if production else {"front_end": "rehearsal"}, level="auditor"),
        entry("run-key", "done", {"public_key": public(keys, "run")}),
        *[entry("answer", "agreed", {"asked": {"who": who}, "governance": WORDS}, level="complete", role="operator")
          for who in PEOPLE if production],
        entry("step", "begun", role="operator", step="s-1"),
        entry("answer", "agreed", {"asked": "ready?", "answer": "yes"}, level="auditor", role="operator", step="s-1"),
        *[entry("answer", "given", {"n": n, "said": "\u00e9 \u20ac \U0001f511\n\"\\"}, level="complete", role="operator", step="s-1")
          for n in range(fill)],
        entry("step", "done", role="operator", step="s-1"),
        entry("step", "begun", role="witness", step="s-2"),
        entry("intent", "meant", {"effect": "issue"}, level="auditor", step="s-2", operation="0d" * 32),
        entry("outcome", "done", level="auditor", step="s-2", operation="0d" * 32),
        entry("artifact", "issued", {"name": name, "sha256": digest, "size": len(ARTIFACT)}, step="s-2"),
        entry("step", "done", role="witness", step="s-2"),
        entry("closed", "done", {"serial_seed": SEED, "exceptions": 0, "artifacts": {name: digest}}),
    ]


def header(keys, script=SCRIPT):
    named = {"approval_digest": hashlib.sha256(approval(script)).hexdigest(),
             "governance_digest": tagged("governance", REALM, *GOVERNANCE.values()).hex()} if REALM == "production" else {}
    return {"approval_digest": "", "argv": ["anchorite", "rehearse"], "binding_digest": "", "ceremony": CEREMONY,
            "format": "anchorite-transcript/1", "governance_digest": "", "machine": {"host": "test"}, "plan_digest": "ab" * 32,
            "previous_head": "", "realm": REALM, "script_digest": hashlib.sha256(script).hexdigest(),
            "serial_seed_commitment": tagged("serial-seed", REALM, bytes.fromhex(SEED)).hex(),
            "signers": [{"name": who, "person": who, "public_key": public(keys, who)} for who in PEOPLE],
            "started": 1_780_000_000_000, "tool": {"digest": "cd" * 32, "version": "0.1.0"}} | named


def chain(head, entries, withhold=()):
    """(octets of transcript.jsonl, heads)."""
    before = tagged("header", REALM, jcs(head))
    lines, heads = [{"head": before.hex(), "header": head}], [before]
    for seq, e in enumerate(entries, 1):
        opened = {k: v for k, v in e.items() if k != "body"} | {"seq": seq, "time": 1_780_000_000_000 + seq}
        salt = hashlib.sha256(b"salt %d" % seq).digest()
        leaf = tagged("leaf", REALM, salt, jcs(e["body"]))
        before = tagged("entry", REALM, before, jcs(opened), leaf)
        secret = {"leaf": leaf.hex()} if seq in withhold else {"body": e["body"], "salt": salt.hex()}
        lines.append({"head": before.hex(), "open": opened} | secret)
        heads.append(before)
    return b"".join(jcs(line) + b"\n" for line in lines), heads


def sums(folder):
    """Write SHA256SUMS again."""
    paths = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir())
    text = "".join(f"SHA256 ({p}) = {hashlib.sha256((folder / p).read_bytes()).hexdigest()}\n" for p in paths if p != "SHA256SUMS")
    (folder / "SHA256SUMS").write_text(text)


def checkpoint(folder, keys, size, head):
    (folder / "checkpoints").mkdir(exist_ok=True)
    path = folder / "checkpoints" / f"{size:06}.checkpoint"
    path.write_text(f"anchorite/{REALM}/{CEREMONY}\n{size}\n{base64.b64encode(head).decode()}\n")
    sign(keys, "run", namespace("checkpoint"), path)


def attest(folder, keys, who, entries, heads, changes=None):
    issued = {e["body"]["name"]: e["body"]["sha256"] for e in entries if e["kind"] == "artifact" and {"name", "sha256"} <= e["body"].keys()}
    script = hashlib.sha256((folder / "script.toml").read_bytes()).hexdigest()
    said = {"agree": True, "artifacts": issued, "ceremony": CEREMONY, "entries": len(entries),
            "exceptions": sum(e["kind"] == "exception" for e in entries), "format": "anchorite-attestation/1", "head": heads[-1].hex(),
            "plan_digest": "ab" * 32, "realm": REALM, "remark": "", "script_digest": script, "statement": "I was there.", "who": who,
            "run_keys": [e["body"]["public_key"] for e in entries if e["kind"] == "run-key" and "public_key" in e["body"]]} | (changes or {})
    path = folder / f"attestation.{who}.json"
    path.write_bytes(jcs(said))
    sign(keys, who, namespace("evidence"), path)


def allowed(keys):
    return "".join(f'{who} namespaces="evidence@anchorite,rehearsal-evidence@anchorite" {public(keys, who)}\n' for who in PEOPLE)


def build(folder, keys, entries=None, *, fill=0, withhold=(), attesting=PEOPLE, script=SCRIPT, head=None):
    """Write a whole folder, consistent with the entries whatever they say; returns the head in hexadecimal."""
    folder, keys = pathlib.Path(folder), pathlib.Path(keys)
    entries = plan(keys, fill) if entries is None else entries
    (folder / "artifacts").mkdir(parents=True, exist_ok=True)
    (folder / "script.toml").write_bytes(script)
    (folder / "artifacts" / "root.crt").write_bytes(ARTIFACT)
    (folder / "allowed_signers").write_text(allowed(keys))
    (folder / "report.html").write_text("<p>for reading</p>\n")
    (folder / "VERIFY.txt").write_text("python3 verify.py . --signers YOUR_OWN_allowed_signers\n")
    if REALM == "production":
        for name, octets in {"approval/approval.json": approval(script), "profiles/root.toml": PROFILE,
                             **{f"approval/{name}": octets for name, octets in GOVERNANCE.items()}}.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(octets)
    octets, heads = chain(head or header(keys, script), entries, withhold)
    (folder / "transcript.jsonl").write_bytes(octets)
    ends = {n + 1 for n, e in enumerate(entries, 1) if e["kind"] == "step" and e["outcome"] in ("done", "skipped")}
    for size in sorted(ends | {len(heads)}):
        checkpoint(folder, keys, size, heads[size - 1])
    for who in attesting:
        attest(folder, keys, who, entries, heads)
    sums(folder)
    return heads[-1].hex()


def main():
    parser = argparse.ArgumentParser(description="build a valid closed evidence folder for tests")
    parser.add_argument("folder", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--fill", type=int, default=0, metavar="N", help="so many more entries")
    parser.add_argument("--keys", type=pathlib.Path, metavar="DIR", help="keep the keys here; made where absent")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        keys = args.keys or pathlib.Path(tmp)
        if not (keys / "run").exists():
            make_keys(keys)
        print(build(args.folder, keys, fill=args.fill))


if __name__ == "__main__":
    main()
