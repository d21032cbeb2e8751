#!/usr/bin/env python3
"""Independent verifier of anchorite evidence folders, written from README.md in this folder.

    verify.py DIR [--signers FILE] [--expect HEAD] [--json]

Exit codes: 0 pinned and good; 8 consistent but unpinned; 4 refuted; 2 usage; 1 cannot read.
Needs Python 3.11 or later, its standard library, and the program ssh-keygen.
"""
import argparse
import base64
import hashlib
import json
import os
import pathlib
import re
import stat
import subprocess
import sys
import tempfile
import tomllib
import unicodedata
from dataclasses import dataclass

LINE_CAP, NEST_CAP, TEXT_CAP = 256 * 1024, 12, 1 << 20
TRANSCRIPT_CAP, FILE_CAP, FILES_CAP = 64 << 20, 256 << 20, 100_000
HEX = re.compile(r"[0-9a-f]{64}")
KEY_TYPES = {"ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
             "sk-ecdsa-sha2-nistp256@openssh.com"}
KINDS = {"opened": {"done"}, "run-key": {"done"}, "step": {"begun", "done", "skipped", "reopened"},
         "answer": {"agreed", "refused", "given"}, "intent": {"meant"}, "outcome": {"done", "failed"},
         "exception": {"opened"}, "pause": {"begun", "ended"}, "resumed": {"done"}, "abort": {"done"},
         "artifact": {"issued"}, "closed": {"done"}}
PUBLIC_KINDS = {"run-key", "step", "artifact", "closed"}
DIGEST_KEYS = {"approval_digest", "binding_digest", "governance_digest", "plan_digest", "previous_head",
               "serial_seed_commitment"}
HEADER_KEYS = DIGEST_KEYS | {"argv", "ceremony", "format", "machine", "realm", "script_digest", "signers", "started", "tool"}
OPEN_TEXTS = {"kind", "level", "operation", "outcome", "role", "step"}
OPEN_KEYS = OPEN_TEXTS | {"exception", "seq", "time"}
ATTESTATION_KEYS = {"agree", "artifacts", "ceremony", "entries", "exceptions", "format", "head", "plan_digest", "realm",
                    "remark", "run_keys", "script_digest", "statement", "who"}


class Refuted(Exception):
    """The record is not what it says; `what` and `where` name the place."""
    def __init__(self, what, where, problem):
        self.what, self.where, self.problem = what, where, problem
        super().__init__(f"{what} {where}: {problem}")


class Unreadable(Exception):
    """Nothing can be said: no folder, no signers file, no ssh-keygen (exit 1)."""


def visible(text, limit=300):
    """Foreign text for people: control, bidi, zero-width and blank look-alike characters are spelled out."""
    out = []
    for c in str(text)[:limit]:
        kind = unicodedata.category(c)
        odd = kind[0] == "C" or (kind[0] == "Z" and c != " ") or c in "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0" \
            or 0x180B <= ord(c) <= 0x180F or 0xFE00 <= ord(c) <= 0xFE0F or 0xE0100 <= ord(c) <= 0xE01EF
        out.append(f"\\u{{{ord(c):04x}}}" if odd else c)
    return "".join(out) + ("..." if len(str(text)) > limit else "")


# Canonical JSON (RFC 8785: objects, arrays, strings, booleans, integers from 0 below 2^53)

def _pairs(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("expected every key once, found one twice")
    return found


def _integer(digits):
    if len(digits) > 16 or digits[0] == "-" or int(digits) >= 1 << 53:
        raise ValueError("expected an integer from 0 below 2^53, found " + digits[:40])
    return int(digits)


def _no_float(text):
    raise ValueError("expected an integer, found " + text[:40])


def _ordered(value):
    if type(value) is dict:
        return {k: _ordered(value[k]) for k in sorted(value, key=lambda k: k.encode("utf-16-be"))}
    if type(value) is list:
        return [_ordered(v) for v in value]
    if type(value) in (str, bool) or (type(value) is int and 0 <= value < 1 << 53):
        return value
    raise ValueError(f"expected a string, boolean, integer, array or object, found {type(value).__name__}")


def jcs(value):
    """Canonical octets of a value; ValueError where it has none."""
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8")


_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[][{}]', re.DOTALL)
_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=_integer, parse_float=_no_float, parse_constant=_no_float)


def canonical(octets):
    """Parse octets that must be exactly the JCS of one value; ValueError otherwise."""
    text, depth = octets.decode("utf-8"), 0
    for token in _BRACKETS.findall(text):
        depth += 1 if token in "[{" else -1 if token in "]}" else 0
        if depth > NEST_CAP:
            raise ValueError(f"expected nesting of at most {NEST_CAP}, found more")
    value = _DECODER.decode(text)
    if jcs(value) != octets:
        raise ValueError("expected canonical JSON (RFC 8785), found another spelling")
    return value


def tagged(what, realm, *parts):
    h = hashlib.sha256()
    for part in (b"anchorite/" + what.encode() + b"/v1", realm.encode(), *parts):
        h.update(len(part).to_bytes(4, "big") + part)
    return h.digest()


def sha256(octets):
    return hashlib.sha256(octets).hexdigest()


def is_hex(value):
    return type(value) is str and HEX.fullmatch(value) is not None


def is_count(value):
    return type(value) is int and value >= 0


def is_text_map(value):
    return type(value) is dict and all(type(v) is str for v in value.values())


# 1. The chain

@dataclass
class Record:
    header: dict
    lines: list          # parsed objects; lines[0] is the header line
    heads: list          # 32 octets each

    @property
    def realm(self):
        return self.header["realm"]

    @property
    def closed(self):
        return len(self.lines) > 1 and self.lines[-1]["open"]["kind"] == "closed"

    def bodies(self, kind, size=None):
        """Bodies of a kind that is always public, among the first `size` lines."""
        return [e["body"] for e in self.lines[1:size] if e["open"]["kind"] == kind]

    def artifacts(self):
        """name -> (sha256, size); a later entry of the same name replaces an earlier one."""
        return {b["name"]: (b["sha256"], b["size"]) for b in self.bodies("artifact") if artifact_problem(b) is None}

    def exceptions(self):
        return sum(e["open"]["kind"] == "exception" for e in self.lines[1:])

    def namespace(self, what):
        return ("rehearsal-" if self.realm == "rehearsal" else "") + what + "@anchorite"


def expect(found, wanted, name):
    if found != wanted or type(found) is not type(wanted):
        raise ValueError(f"{name}: expected {wanted}, found {found}")


def keys_are(value, keys, name):
    if type(value) is not dict or set(value) != keys:
        found = sorted(value) if type(value) is dict else type(value).__name__
        raise ValueError(f"{name}: expected the keys {', '.join(sorted(keys))}, found {found}")


def _header(line, script_digest):
    keys_are(line, {"head", "header"}, "header line")
    header = line["header"]
    keys_are(header, HEADER_KEYS, "header")
    expect(header["format"], "anchorite-transcript/1", "format")
    if header["realm"] not in ("production", "rehearsal"):
        raise ValueError(f"realm: expected production or rehearsal, found {header['realm']}")
    keys_are(header["tool"], {"digest", "version"}, "tool")
    signers = header["signers"]
    good = {"argv": type(header["argv"]) is list and all(type(a) is str for a in header["argv"]),
            "ceremony": type(header["ceremony"]) is str, "machine": is_text_map(header["machine"]),
            "script_digest": is_hex(header["script_digest"]), "started": is_count(header["started"]),
            "tool": is_text_map(header["tool"]),
            "signers": type(signers) is list and all(is_text_map(s) and set(s) == {"name", "person", "public_key"} for s in signers)}
    good |= {k: header[k] == "" or is_hex(header[k]) for k in DIGEST_KEYS}
    for name in sorted(good):
        if not good[name]:
            raise ValueError(f"{name}: the value does not have the form expected of it")
    if script_digest is not None:
        expect(header["script_digest"], script_digest, "script_digest of script.toml")
    return tagged("header", header["realm"], jcs(header))


def _entry(line, seq, realm, before):
    complete = type(line) is dict and "body" in line
    keys_are(line, {"body", "head", "open", "salt"} if complete else {"head", "leaf", "open"}, "line")
    opened = line["open"]
    keys_are(opened, OPEN_KEYS, "open")
    for key in OPEN_KEYS:
        if type(opened[key]) is not (str if key in OPEN_TEXTS else int):
            raise ValueError(f"{key}: found a value of the wrong type")
    expect(opened["seq"], seq, "seq")
    kind, level = opened["kind"], opened["level"]
    if kind not in KINDS:
        raise ValueError(f"kind: expected a known kind, found {kind}")
    if level not in ("public", "auditor", "complete") or (kind in PUBLIC_KINDS and level != "public"):
        raise ValueError(f"level: expected {'public' if kind in PUBLIC_KINDS else 'a known level'}, found {level}")
    if opened["operation"] != "" and not is_hex(opened["operation"]):
        raise ValueError(f"operation: expected a digest or nothing, found {opened['operation']}")
    secret = "salt" if complete else "leaf"
    if not is_hex(line[secret]):
        raise ValueError(f"{secret}: expected 64 lower-case hexadecimal digits, found {line[secret]}")
    leaf = bytes.fromhex(line[secret])
    if complete:
        if type(line["body"]) is not dict:
            raise ValueError("body: expected an object")
        leaf = tagged("leaf", realm, leaf, jcs(line["body"]))
    elif level == "public":
        raise ValueError("expected the body of a public entry, found it withheld")
    return tagged("entry", realm, before, jcs(opened), leaf)


def check_chain(octets, script_digest=None):
    """Every line of transcript.jsonl; returns the Record or raises Refuted("entry", N, ...)."""
    lines, heads, pieces = [], [], octets.split(b"\n")
    unended = pieces.pop()
    if not octets:
        raise Refuted("entry", 0, "expected a header line, found an empty file")
    for n, piece in enumerate(pieces + ([unended] if unended else [])):
        try:
            if n == len(pieces):
                raise ValueError("expected the line to end with LF, found the end of the file")
            if len(piece) > LINE_CAP:
                raise ValueError(f"expected a line of at most {LINE_CAP} octets, found {len(piece)}")
            line = canonical(piece)
            head = _entry(line, n, lines[0]["header"]["realm"], heads[-1]) if n else _header(line, script_digest)
            expect(line["head"], head.hex(), "head")
        except (ValueError, RecursionError, TypeError) as e:
            raise Refuted("entry", n, str(e)) from None
        lines.append(line)
        heads.append(head)
    return Record(lines[0]["header"], lines, heads)


# Reading files

def read(path, cap, what, where):
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as f:
            if not stat.S_ISREG(os.fstat(f.fileno()).st_mode):
                raise Refuted(what, where, f"{path.name}: expected a regular file")
            octets = f.read(cap + 1)
    except (OSError, ValueError) as e:
        raise Refuted(what, where, f"{path.name}: cannot be read: {getattr(e, 'strerror', None) or e}") from None
    if len(octets) > cap:
        raise Refuted(what, where, f"{path.name}: expected at most {cap} octets, found more")
    return octets


def names(path, what, where):
    """Sorted names in a directory; none where it does not exist. A symlink is not a directory here."""
    try:
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise Refuted(what, where, f"{path.name}: expected a directory")
        return sorted(os.listdir(path))
    except FileNotFoundError:
        return []
    except OSError as e:
        raise Refuted(what, where, f"{path.name}: cannot be read: {e.strerror}") from None


# Keys and signatures

def public_key(line, fields=3):
    """'TYPE BASE64' of an OpenSSH public key line, checked so that nothing else gets into a file of ours."""
    parts = line.split(" ") if type(line) is str else []
    if not 2 <= len(parts) <= fields or parts[0] not in KEY_TYPES or not all(p.isprintable() and p for p in parts):
        raise ValueError(f"expected a public key line of a known type, found {line}")
    blob = base64.b64decode(parts[1].encode("ascii"), validate=True)
    name = parts[0].encode()
    if base64.b64encode(blob).decode() != parts[1] or not blob.startswith(len(name).to_bytes(4, "big") + name):
        raise ValueError(f"expected the key itself in strict base64, found {parts[1]}")
    return f"{parts[0]} {parts[1]}"


def signed(body, signature, keys, namespace):
    with tempfile.TemporaryDirectory() as tmp:
        allowed, sig = pathlib.Path(tmp, "allowed_signers"), pathlib.Path(tmp, "sig")
        allowed.write_text("".join(f'run namespaces="{namespace}" {key}\n' for key in keys), encoding="ascii")
        sig.write_bytes(signature)
        command = ["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", "run", "-n", namespace, "-s", sig]
        try:
            return subprocess.run(command, input=body, capture_output=True, timeout=60).returncode == 0
        except subprocess.TimeoutExpired:
            return False
        except OSError as e:
            raise Unreadable(f"cannot run ssh-keygen: {e.strerror}") from None


def allowed_signers(octets):
    """[(who, namespaces or None, key)]; ValueError for a line that is not plainly understood."""
    found = []
    for n, line in enumerate(octets.decode("utf-8").split("\n"), 1):
        line = line.removesuffix("\r").strip(" \t")
        if not line or line.startswith("#"):
            continue
        m = re.fullmatch(r'([^\s"*?!,]+)[ \t]+(?:namespaces="([^"*?!]*)"[ \t]+)?([^\s"]+)[ \t]+([^\s"]+)(?:[ \t].*)?', line)
        try:
            found.append((m[1], None if m[2] is None else m[2].split(","), public_key(f"{m[3]} {m[4]}", 2)))
        except (TypeError, ValueError):
            raise ValueError(f'line {n}: expected WHO namespaces="..." TYPE KEY, found {line}') from None
    return found


def keys_for(signers, namespace):
    """who -> keys, of the lines that allow the namespace."""
    found = {}
    for who, allows, key in signers:
        if allows is None or namespace in allows:
            found.setdefault(who, []).append(key)
    return found


# 2. Checkpoints

def check_checkpoints(folder, record):
    here, total = folder / "checkpoints", len(record.lines)
    bodies, others = {}, set()
    for name in names(here, "checkpoint", total):
        m = re.fullmatch(r"([0-9]{6})\.checkpoint(\.sig)?", name)
        if m is None:
            raise Refuted("file", f"checkpoints/{name}", "expected only NNNNNN.checkpoint and NNNNNN.checkpoint.sig")
        others.add(int(m[1])) if m[2] else bodies.setdefault(int(m[1]), name)
    for size in sorted(set(bodies) | others | ({total} if record.closed else set())):
        def bad(problem):
            return Refuted("checkpoint", size, problem)
        path = here / f"{size:06}.checkpoint"
        body = read(path, TEXT_CAP, "checkpoint", size)
        if not 1 <= size <= total:
            raise bad(f"expected a size from 1 to {total} lines, found {size}")
        head = base64.b64encode(record.heads[size - 1]).decode()
        wanted = f"anchorite/{record.realm}/{record.header['ceremony']}\n{size}\n{head}\n"
        if body != wanted.encode() or wanted.count("\n") != 3:
            raise bad(f"expected {wanted}, found {body[:200].decode('utf-8', 'replace')}")
        signature = read(path.with_name(path.name + ".sig"), TEXT_CAP, "checkpoint", size)
        run_keys = record.bodies("run-key", size)
        if not run_keys:
            raise bad("expected a run-key entry before it, found none")
        try:
            key = public_key(run_keys[-1].get("public_key"))
        except ValueError as e:
            raise bad(f"run key: {e}") from None
        if not signed(body, signature, [key], record.namespace("checkpoint")):
            raise bad("expected a signature by the run key, found one that does not verify")
    return len(bodies)


# 3. Attestations

def check_attestation(record, octets, who):
    """The statement itself against the record; ValueError where it differs."""
    said = canonical(octets)
    keys_are(said, ATTESTATION_KEYS, "attestation")
    for key in ("remark", "statement"):
        if type(said[key]) is not str:
            raise ValueError(f"{key}: expected a string")
    if type(said["agree"]) is not bool:
        raise ValueError("agree: expected a boolean")
    record_says = {"format": "anchorite-attestation/1", "who": who, "head": record.heads[-1].hex(),
                   "entries": len(record.lines) - 1, "exceptions": record.exceptions(),
                   "artifacts": {name: digest for name, (digest, _) in record.artifacts().items()},
                   "run_keys": [b.get("public_key") for b in record.bodies("run-key")]}
    record_says |= {k: record.header[k] for k in ("realm", "ceremony", "plan_digest", "script_digest")}
    for key in sorted(record_says):
        expect(said[key], record_says[key], key)
    return said


def check_attestations(folder, record, pins, claim):
    """Returns the pinned signers missing here, or None where there are no pins."""
    namespace, statements, signatures = record.namespace("evidence"), set(), set()
    for name in names(folder, "head", "head"):
        if m := re.fullmatch(r"attestation\.(.+)\.json(\.sig)?", name, re.DOTALL):
            (signatures if m[2] else statements).add(m[1])
    own = None if pins is None else keys_for(pins, namespace)
    if pins is None and signatures:
        try:
            trusted = keys_for(allowed_signers(read(folder / "allowed_signers", TEXT_CAP, "head", "head")), namespace)
        except ValueError as e:
            raise Refuted("head", "head", f"allowed_signers: {e}") from None
    elif pins is not None:
        trusted = own
    good = set()
    for who in sorted(signatures):
        path = folder / f"attestation.{who}.json"
        octets = read(path, TEXT_CAP, "head", "head")
        try:
            said = check_attestation(record, octets, who)
        except (ValueError, RecursionError) as e:
            raise Refuted("head", "head", f"signed head differs: {path.name}: {e}") from None
        signature = read(path.with_name(path.name + ".sig"), TEXT_CAP, "head", "head")
        if who not in trusted and own is not None:
            claim("attestation " + who, "unchecked", "not in the signers file for " + namespace)
            continue
        if who not in trusted or not signed(octets, signature, trusted[who], namespace):
            raise Refuted("head", "head", f"{path.name}: expected a signature by {who}, found one that does not verify")
        if said["agree"]:
            good.add(who)
        else:
            claim("attestation " + who, "recorded", "signed, and does not agree: " + said["remark"])
    for who in sorted(statements - signatures):
        claim("attestation " + who, "unchecked", "not signed")
    claim("attestations", "ok" if good else "unchecked", f"{len(good)} signed and in agreement: {', '.join(sorted(good)) or 'nobody'}")
    for who in sorted(set(own or ()) - good):
        claim("signer " + who, "unchecked", "expected an attestation in agreement, found none")
    return None if own is None else (set(own) - good if own else {"anybody"})


# 4. Meaning

def script_steps(octets):
    """[(id, role or None)] of script.toml."""
    try:
        script, found = tomllib.loads(octets.decode("utf-8")), []
        roles = [(r["name"], r.get("holders", [])) for r in script.get("role", [])]
        for step in [s for act in script.get("act", []) for s in act.get("step", [])]:
            who = step.get("who")
            held = [name for name, holders in roles if who in holders]
            found.append((step["id"], who if who in [name for name, _ in roles] else held[0] if held else None))
        ids = [i for i, _ in found]
        if not all(type(i) is str and i for i in ids) or len(set(ids)) != len(ids):
            raise ValueError("expected every step to have an id of its own")
        return found
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as e:
        raise Refuted("entry", 0, f"script.toml: expected a script, found: {e or type(e).__name__}") from None


def artifact_problem(body):
    name = body.get("name")
    if type(name) is not str or name in ("", ".", "..") or "/" in name or not name.isprintable():
        return f"name: expected a plain file name, found {name}"
    if not is_hex(body.get("sha256")) or not is_count(body.get("size")):
        return "expected sha256 and size"
    return None


class Walk:
    """The steps of the script against the entries, one at a time; ValueError for the first violation."""
    def __init__(self, record, steps):
        self.record, self.steps, self.ids = record, steps, [i for i, _ in steps]
        self.p, self.begun, self.again, self.exceptions, self.closed = 0, False, False, 0, False

    def entry(self, n, line):
        opened = line["open"]
        kind, outcome, step, number = opened["kind"], opened["outcome"], opened["step"], opened["exception"]
        here = self.ids[self.p] if self.p < len(self.ids) else ""
        if self.closed:
            raise ValueError("expected nothing after closed")
        if (kind == "opened") != (n == 1):
            raise ValueError("expected opened as entry 1 and nowhere else, found " + kind)
        if outcome not in KINDS[kind]:
            raise ValueError(f"outcome of {kind}: expected {' or '.join(sorted(KINDS[kind]))}, found {outcome}")
        if kind == "exception":
            self.exceptions += 1
            expect(number, self.exceptions, "number of the exception")
        elif number > self.exceptions:
            raise ValueError(f"exception {number}: expected one already opened, found {self.exceptions} of them")
        if kind == "step":
            self.step(outcome, step, number, opened["role"], here)
        elif step not in ("", here):
            raise ValueError(f"step: expected {here or 'no step'}, found {step}")
        self.again = self.again or kind == "resumed"
        if kind == "run-key":
            public_key(line["body"].get("public_key"))
        if kind == "artifact" and (problem := artifact_problem(line["body"])):
            raise ValueError("artifact: " + problem)
        if kind == "closed":
            self.close(line["body"], here)

    def step(self, outcome, step, number, role, here):
        if outcome == "reopened":
            if number == 0 or step not in self.ids[:self.p + 1]:
                raise ValueError(f"reopened: expected a step up to {here or 'the last'} and its exception, found {step}")
            self.p, self.begun = self.ids.index(step), False
            return
        if not here or step != here:
            raise ValueError(f"step {outcome}: expected {here or 'no more steps'}, found {step}")
        if outcome == "begun":
            if self.begun and not self.again:
                raise ValueError(f"expected {step} to begin once, or again after a resume")
            self.begun, self.again = True, False
            return
        if outcome == "done":
            expect(role, self.steps[self.p][1], "role of " + step)
            if not self.begun:
                raise ValueError(f"expected {step} to have begun")
        elif number == 0:
            raise ValueError(f"expected an exception that allows skipping {step}, found none")
        self.p, self.begun = self.p + 1, False

    def close(self, body, here):
        if here:
            raise ValueError(f"closed: expected every step done, found {here} open")
        expect(body.get("exceptions"), self.exceptions, "exceptions")
        expect(body.get("artifacts"), {name: d for name, (d, _) in self.record.artifacts().items()}, "artifacts")
        seed, wanted = body.get("serial_seed"), self.record.header["serial_seed_commitment"]
        if not is_hex(seed):
            raise ValueError("serial_seed: expected 64 lower-case hexadecimal digits")
        expect(tagged("serial-seed", self.record.realm, bytes.fromhex(seed)).hex(), wanted, "commitment to the serial seed")
        self.closed = True


def check_meaning(record, steps):
    walk = Walk(record, steps)
    if len(record.lines) == 1:
        raise Refuted("entry", 1, "expected opened, found the end of the record")
    for n, line in enumerate(record.lines[1:], 1):
        try:
            walk.entry(n, line)
        except ValueError as e:
            raise Refuted("entry", n, str(e)) from None
    return walk


def check_artifacts(folder, record):
    recorded = record.artifacts()
    for name in sorted(set(recorded) | set(names(folder / "artifacts", "artifact", "artifacts"))):
        octets = read(folder / "artifacts" / name, FILE_CAP, "artifact", name)
        if (found := (sha256(octets), len(octets))) != recorded.get(name):
            raise Refuted("artifact", name, f"expected {recorded.get(name, 'no such file in the record')}, found {found}")
    return len(recorded)


def check_sums(folder):
    """SHA256SUMS lists every other file, once, sorted, with its digest."""
    listed, present, todo = {}, set(), [""]
    for line in read(folder / "SHA256SUMS", 16 << 20, "file", "SHA256SUMS").decode("utf-8", "surrogateescape").split("\n"):
        m = re.fullmatch(r"SHA256 \((.+)\) = ([0-9a-f]{64})", line) if line is not None else None
        if m and m[1] not in listed:
            listed[m[1]] = m[2]
        elif line or not listed or m:
            raise Refuted("file", "SHA256SUMS", f"expected SHA256 (path) = digest, each path once, found {line}")
    while todo:
        prefix = todo.pop()
        for name in names(folder / prefix, "file", prefix or "."):
            path = prefix + name
            if stat.S_ISDIR((folder / path).lstat().st_mode) and path.count("/") < 8:
                todo.append(path + "/")
            else:
                present.add(path)
        if len(present) + len(todo) > FILES_CAP:
            raise Refuted("file", prefix or ".", f"expected at most {FILES_CAP} files, found more")
    present.discard("SHA256SUMS")
    for path in sorted(present | set(listed), key=os.fsencode):
        if path not in present or path not in listed:
            raise Refuted("file", path, "expected it in SHA256SUMS and in the folder, found it in "
                          + ("the folder only" if path in present else "SHA256SUMS only"))
        expected, found = listed[path], sha256(read(folder / path, FILE_CAP, "file", path))
        if found != expected:
            raise Refuted("file", path, f"expected {expected}, found {found}")
    if list(listed) != sorted(listed, key=os.fsencode):
        raise Refuted("file", "SHA256SUMS", "expected the lines sorted by path")
    return len(listed)


def verify(folder, signers=None, expect=None):
    """The JSON object of README.md; Unreadable where there is nothing to say it about."""
    folder, pins, claims = pathlib.Path(folder), None, []
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.X_OK):
        raise Unreadable(f"cannot read {folder}: expected a directory")
    if signers is not None:
        try:
            pins = allowed_signers(pathlib.Path(signers).read_bytes())
        except (OSError, ValueError) as e:
            raise Unreadable(f"cannot read {signers}: {e}") from None

    def claim(name, status, detail):
        claims.append({"claim": visible(name), "status": status, "detail": visible(detail)})
    try:
        pinned, version = _checks(folder, pins, expect, claim)
    except Refuted as e:
        where = visible(e.where) if type(e.where) is str else e.where
        return {"verdict": "refuted", "exit": 4, "first_bad": {"what": e.what, "where": where},
                "problem": visible(e.problem, 600), "claims": claims}
    claim("replay", "unchecked", f"replay with anchorite {version}")
    claim("certificates", "unchecked", f"re-derive from their profiles with anchorite {version}")
    return {"verdict": "ok" if pinned else "unpinned", "exit": 0 if pinned else 8, "first_bad": None,
            "problem": "" if pinned else "consistent, signers unpinned", "claims": claims}


def _checks(folder, pins, head_expected, claim):
    script = read(folder / "script.toml", TEXT_CAP, "entry", 0)
    record = check_chain(read(folder / "transcript.jsonl", TRANSCRIPT_CAP, "entry", 0), sha256(script))
    header, head, total = record.header, record.heads[-1].hex(), len(record.lines)
    claim("chain", "ok", f"{record.realm}, {header['ceremony']}: {total} lines, head {head}")
    claim("script", "ok", "sha256 " + header["script_digest"])
    withheld = sum("leaf" in line for line in record.lines)
    claim("bodies", "unchecked" if withheld else "ok", f"{withheld} of {total - 1} withheld")
    count = check_checkpoints(folder, record)
    claim("checkpoints", "ok" if count else "unchecked", f"{count} signed by run keys")
    missing = check_attestations(folder, record, pins, claim)
    if head_expected is not None and head_expected != head:
        raise Refuted("head", "head", f"expected {head_expected}, found {head}")
    pinned = not missing and (pins is not None or head_expected is not None)
    claim("pinned", "ok" if pinned else "unchecked",
          " and ".join(["the expected head"] * (head_expected is not None) + ["the signers file"] * (pins is not None)) if pinned
          else "missing: " + ", ".join(sorted(missing)) if missing else "bring your own allowed_signers or the head")
    steps = script_steps(script)
    walk = check_meaning(record, steps)
    claim("steps", "ok", f"{walk.p} of {len(steps)} in order")
    claim("exceptions", "ok", f"{walk.exceptions} opened")
    claim("serial seed", *(("ok", "opens its commitment") if walk.closed else ("unchecked", "not yet opened")))
    claim("closed", *(("ok", f"entry {total - 1}") if walk.closed else ("unchecked", "the record is open or aborted")))
    claim("times", "recorded", "by the machine's clock")
    claim("artifacts", "ok", f"{check_artifacts(folder, record)} recorded and present")
    approval = folder / "approval" / "approval.json"
    if os.path.lexists(approval):
        if sha256(read(approval, TEXT_CAP, "file", "approval/approval.json")) != header["approval_digest"]:
            raise Refuted("file", "approval/approval.json", f"expected sha256 {header['approval_digest'] or 'none'}, found another")
        claim("approval", "recorded", "approval.json is the one in the header; its signatures are not checked here")
    else:
        claim("approval", "unchecked", "no approval.json in this copy")
    claim("sums", "ok", f"{check_sums(folder)} files as in SHA256SUMS")
    return pinned, header["tool"]["version"]


def main(argv=None):
    parser = argparse.ArgumentParser(prog="verify.py", description="check a ceremony's evidence folder")
    parser.add_argument("folder", metavar="DIR", type=pathlib.Path)
    parser.add_argument("--signers", metavar="FILE", type=pathlib.Path, help="your own allowed_signers")
    parser.add_argument("--expect", metavar="HEAD", help="the head as somebody in the room noted it")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")
    if args.expect is not None and not is_hex(args.expect):
        parser.error("--expect: expected 64 lower-case hexadecimal digits")
    try:
        answer = verify(args.folder, args.signers, args.expect)
    except (Unreadable, OSError) as e:
        print("verify.py: " + visible(e), file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(answer))
        return answer["exit"]
    width = max((len(c["claim"]) for c in answer["claims"]), default=0)
    for c in answer["claims"]:
        print(f"{c['status']:<9}  {c['claim']:<{width}}  {c['detail']}")
    bad = answer["first_bad"]
    place = f" at {bad['what']}" + ("" if bad["what"] == "head" else f" {bad['where']}") if bad else ""
    print(f"{answer['verdict']}{place}" + (f": {answer['problem']}" if answer["problem"] else ""))
    return answer["exit"]


if __name__ == "__main__":
    sys.exit(main())
