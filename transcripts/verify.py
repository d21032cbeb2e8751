#!/usr/bin/env python3
"""Independent verifier of anchorite evidence folders, written from README.md in this folder.
Usage: verify.py DIR [--signers FILE] [--expect HEAD] [--after DIR ...] [--json]
Exit codes: 0 pinned and good; 8 consistent but unpinned; 4 refuted; 2 usage; 1 cannot read. Needs Python 3.11 and ssh-keygen."""
import argparse, base64, contextlib, datetime, hashlib, json, os, pathlib, re, stat, subprocess, sys, tempfile, tomllib

try:
    import standing         # beside this file; without it what a record left is not derived
except ImportError:
    standing = None

LINE_CAP, TEXT_CAP, TRANSCRIPT_CAP, FILE_CAP, NEST_CAP, PIN_CAP = 4 << 20, 1 << 20, 64 << 20, 256 << 20, 12, 64 << 10
STANDING_CAP = 16 << 20
KEY_TYPES = re.compile(r"ssh-ed25519|ecdsa-sha2-nistp256|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com")
KINDS = {k: v.split(",") for k, v in (pair.split(":") for pair in (     # kind: outcomes
    "opened:done run-key:done step:begun,done,skipped,reopened answer:agreed,refused,given intent:meant outcome:done,failed "
    "exception:opened pause:begun,ended resumed:done abort:done artifact:issued closed:done").split())}
PUBLIC_KINDS = {"run-key", "step", "artifact", "closed"}

# Shapes for fits(): a type, a pattern, [shape], {str: shape} for any keys, {key: shape, ...} for exactly these keys
HEX, MAYBE_HEX = re.compile("[0-9a-f]{64}"), re.compile("([0-9a-f]{64})?")
HEADER = dict.fromkeys("approval_digest binding_digest governance_digest previous_head".split(), MAYBE_HEX) | {
    "argv": [str], "ceremony": str, "format": re.compile("anchorite-transcript/1"), "machine": {str: str},
    "plan_digest": HEX, "realm": re.compile("production|rehearsal"), "script_digest": HEX, "serial_seed_commitment": HEX, "started": int,
    "signers": [{"name": str, "person": str, "public_key": str}], "tool": {"digest": MAYBE_HEX, "version": str}}
OPEN = {"exception": int, "kind": re.compile("|".join(KINDS)), "level": re.compile("public|auditor|complete"),
        "operation": MAYBE_HEX, "outcome": str, "role": str, "seq": int, "step": str, "time": int}
COMPLETE, WITHHELD = {"body": dict, "head": HEX, "open": OPEN, "salt": HEX}, {"head": HEX, "leaf": HEX, "open": OPEN}
STANDING = {"authorities": {str: dict}, "ceremony": str, "format": re.compile("anchorite-standing/1"), "head": HEX, "keys": [HEX],
            "quorums": {str: dict}, "realm": str}
ATTESTATION = dict.fromkeys("ceremony format head plan_digest realm remark script_digest statement who".split(), str) | {
    "agree": bool, "artifacts": {str: str}, "entries": int, "exceptions": int, "run_keys": [str]}

class Refuted(Exception):
    """The record is not what it says: args are what and where the place is, and the problem."""
class Unreadable(Exception):
    """Nothing can be said: no folder, no signers file, no ssh-keygen (exit 1)."""

@contextlib.contextmanager
def at(what, where):        # whatever goes wrong with foreign octets in here refutes this place
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OSError) as e:
        raise Refuted(what, where, str(e) or type(e).__name__) from None

def need(condition, problem):
    if not condition:
        raise ValueError(problem)
def same(found, wanted, name):
    need(type(found) is type(wanted) and found == wanted, f"{name}: expected {wanted}, found {found}")
def fits(value, shape, name):
    if isinstance(shape, re.Pattern):
        return need(type(value) is str and shape.fullmatch(value), f"{name}: expected {shape.pattern}, found {value}")
    kind = shape if isinstance(shape, type) else type(shape)
    need(type(value) is kind, f"{name}: expected {kind.__name__}, found {type(value).__name__}")
    if type(shape) is dict and str not in shape and value.keys() != shape.keys():
        raise ValueError(f"{name}: expected the keys {sorted(shape)}, found {sorted(value)}")
    for item in value if type(shape) is list else ():
        fits(item, shape[0], name)
    for key in value if type(shape) is dict else ():
        fits(value[key], shape.get(key, shape.get(str)), key)

_BLANKS = "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
def visible(text, limit=300):
    """Foreign text for people: control, bidi, zero-width and blank look-alike characters are spelled out."""
    shown = [c if c.isprintable() and not re.match(_BLANKS, c) else f"\\u{{{ord(c):04x}}}" for c in str(text)[:limit]]
    return "".join(shown) + ("..." if len(str(text)) > limit else "")

# Canonical JSON (RFC 8785: objects, arrays, strings, booleans, integers from 0 below 2^53)
def _pairs(pairs):
    need(len(dict(pairs)) == len(pairs), "expected every key once, found one twice")
    return dict(pairs)
def _integer(text):         # floats, NaN and Infinity come here too
    need(len(text) <= 16 and text.isdigit() and int(text) < 1 << 53, "expected an integer from 0 below 2^53, found " + text[:40])
    return int(text)
def _ordered(value):
    if type(value) is dict:
        return {k: _ordered(value[k]) for k in sorted(value, key=lambda k: k.encode("utf-16-be"))}
    if type(value) is list:
        return [_ordered(v) for v in value]
    need(type(value) in (str, bool, int), f"expected a string, boolean, integer, array or object, found {value}")
    return value
def jcs(value):
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":")).encode("utf-8")
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[][{}]', re.DOTALL)      # strings are passed over whole
_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=_integer, parse_float=_integer, parse_constant=_integer)

def canonical(octets):
    """Parse octets that must be exactly the JCS of one value; ValueError otherwise."""
    text, depth = octets.decode("utf-8"), 0
    for token in _BRACKETS.findall(text):
        depth += (token in "[{") - (token in "]}")
        need(depth <= NEST_CAP, "expected nesting of at most 12, found more")
    value = _DECODER.decode(text)
    need(jcs(value) == octets, "expected canonical JSON (RFC 8785), found another spelling")
    return value
def tagged(what, realm, *parts):
    h = hashlib.sha256()
    for part in (b"anchorite/" + what.encode() + b"/v1", realm.encode(), *parts):
        h.update(len(part).to_bytes(4, "big") + part)
    return h.digest()
def sha256(octets):
    return hashlib.sha256(octets).hexdigest()

# 1. The chain
class Record:
    """A chain that holds: the header, the parsed lines (the header line is 0), their heads, and what the public bodies say."""
    def __init__(self, lines, heads):
        self.header, self.lines, self.heads, self.realm = lines[0]["header"], lines, heads, lines[0]["header"]["realm"]
        kinds = [""] + [line["open"]["kind"] for line in lines[1:]]
        self.closed, self.exceptions = kinds[-1] == "closed", kinds.count("exception")
        self.run_keys = [(n, lines[n]["body"].get("public_key")) for n, kind in enumerate(kinds) if kind == "run-key"]
        issued = [lines[n]["body"] for n, kind in enumerate(kinds) if kind == "artifact"]
        self.artifacts = {b["name"]: (b["sha256"], b["size"]) for b in issued if is_artifact(b)}     # the last of a name counts
        self.digests = {name: digest for name, (digest, _) in self.artifacts.items()}
    def namespace(self, what):
        return ("rehearsal-" if self.realm == "rehearsal" else "") + what + "@anchorite"

def is_artifact(body):
    name, digest = body.get("name"), body.get("sha256")
    return (type(name) is str and name not in ("", ".", "..") and "/" not in name and name.isprintable()
            and type(digest) is str and HEX.fullmatch(digest) and type(body.get("size")) is int)
def check_entry(line, seq, realm, before):
    complete = "body" in line
    fits(line, COMPLETE if complete else WITHHELD, "line")
    opened, public = line["open"], line["open"]["level"] == "public"
    same(opened["seq"], seq, "seq")
    need(public or opened["kind"] not in PUBLIC_KINDS, f"level of {opened['kind']}: expected public, found {opened['level']}")
    need(complete or not public, "expected the body of a public entry, found it withheld")
    leaf = tagged("leaf", realm, bytes.fromhex(line["salt"]), jcs(line["body"])) if complete else bytes.fromhex(line["leaf"])
    return tagged("entry", realm, before, jcs(opened), leaf)

def check_chain(octets, script_digest=None):
    """Every line of transcript.jsonl; returns the Record or raises Refuted("entry", N, ...)."""
    lines, heads, pieces = [], [], octets.split(b"\n")
    for n, piece in enumerate(pieces if pieces[-1] or not octets else pieces[:-1]):
        with at("entry", n):
            need(n < len(pieces) - 1, "expected a line ended by LF, found the end of the file")
            need(len(piece) <= LINE_CAP, f"expected a line of at most {LINE_CAP} octets, found {len(piece)}")
            line = canonical(piece)
            if n == 0:
                fits(line, {"head": HEX, "header": HEADER}, "header line")
                header, realm = line["header"], line["header"]["realm"]
                same(header["script_digest"], script_digest or header["script_digest"], "script_digest")
            head = check_entry(line, n, realm, heads[-1]) if n else tagged("header", realm, jcs(header))
            same(line["head"], head.hex(), "head")
        lines.append(line)
        heads.append(head)
    return Record(lines, heads)

# Files, keys and signatures
def read(path, cap=TEXT_CAP):
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as f:
        need(stat.S_ISREG(os.fstat(f.fileno()).st_mode), f"{path.name}: expected a regular file")
        need(len(octets := f.read(cap + 1)) <= cap, f"{path.name}: expected at most {cap} octets, found more")
        return octets
def bring(path):            # the verifier's own file: it may be a link or a pipe, and is bounded all the same
    with open(path, "rb") as f:
        need(len(octets := f.read(PIN_CAP + 1)) <= PIN_CAP, f"expected at most {PIN_CAP} octets, found more")
        return octets
def names(path):            # sorted, none where there is no such directory; a symlink is not a directory here
    need(not os.path.lexists(path) or stat.S_ISDIR(path.lstat().st_mode), f"{path.name}: expected a directory")
    return sorted(os.listdir(path)) if os.path.lexists(path) else []
def public_key(line):
    """'TYPE BASE64' of an OpenSSH public key line, checked so that nothing else gets into a file of ours."""
    parts = line.split(" ") if type(line) is str else []
    need(2 <= len(parts) <= 3 and KEY_TYPES.fullmatch(parts[0]) and all(p and p.isprintable() for p in parts),
         f"expected a public key line of a known type, found {line}")
    blob, name = base64.b64decode(parts[1].encode("ascii"), validate=True), parts[0].encode()
    need(base64.b64encode(blob).decode() == parts[1] and blob.startswith(len(name).to_bytes(4, "big") + name),
         f"expected a {parts[0]} key in strict base64, found {parts[1]}")
    return f"{parts[0]} {parts[1]}"

def signed(body, signature, keys, namespace):       # keys as public_key() gave them
    try:
        with tempfile.TemporaryDirectory() as tmp:
            allowed, sig = pathlib.Path(tmp, "allowed_signers"), pathlib.Path(tmp, "sig")
            allowed.write_text("".join(f'run namespaces="{namespace}" {key}\n' for key in keys), encoding="ascii")
            sig.write_bytes(signature)
            return not {0, 13} & {*signature} and subprocess.run(["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", "run", "-n", namespace, "-s", sig],
                                  input=body, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Unreadable(f"cannot run ssh-keygen: {e}") from None

def allowed_signers(octets, namespace):
    """who -> keys, of the lines that allow the namespace; ValueError for a line that is not plainly understood."""
    found = {}
    for n, line in enumerate(octets.decode("utf-8").split("\n"), 1):
        line = line.strip(" \t\r")
        if line and not line.startswith("#"):
            m = re.fullmatch(r'([^\s"*?!,]+)[ \t]+(?:namespaces="([^"*?!]*)"[ \t]+)?([^\s"]+)[ \t]+([^\s"]+)(?:[ \t].*)?', line)
            need(m, f'line {n}: expected WHO namespaces="..." TYPE KEY, found {line}')
            key = public_key(f"{m[3]} {m[4]}")
            if m[2] is None or namespace in m[2].split(","):
                found.setdefault(m[1], []).append(key)
    return found

# 2. Checkpoints
def check_checkpoints(folder, record):
    total, here = len(record.lines), folder / "checkpoints"
    with at("checkpoint", total):
        sizes = {int(name[:6]) for name in names(here) if re.fullmatch(r"[0-9]{6}\.checkpoint(\.sig)?", name)}
    for size in sorted(sizes | ({total} if record.closed else set())):
        with at("checkpoint", size):
            need(1 <= size <= total, f"expected a size from 1 to {total} lines, found {size}")
            body, signature = read(here / f"{size:06}.checkpoint"), read(here / f"{size:06}.checkpoint.sig")
            head = base64.b64encode(record.heads[size - 1]).decode()
            wanted = f"anchorite/{record.realm}/{record.header['ceremony']}\n{size}\n{head}\n"
            need(body == wanted.encode() and wanted.count("\n") == 3, f"expected {wanted}, found {body[:200]}")
            need(keys := [key for n, key in record.run_keys if n < size], "expected a run-key entry before it, found none")
            need(signed(body, signature, [public_key(keys[-1])], record.namespace("checkpoint")),
                 "expected a signature by the run key, found one that does not verify")
    return len(sizes)

# 3. Attestations
def check_attestation(record, octets, who):
    """The statement itself against the record; ValueError where it differs."""
    said = canonical(octets)
    fits(said, ATTESTATION, "attestation")
    record_says = {"artifacts": record.digests, "entries": len(record.lines) - 1, "exceptions": record.exceptions, "who": who,
                   "format": "anchorite-attestation/1", "head": record.heads[-1].hex(), "run_keys": [k for _, k in record.run_keys]}
    record_says |= {key: record.header[key] for key in ("ceremony", "plan_digest", "realm", "script_digest")}
    for key in record_says:
        same(said[key], record_says[key], "signed head differs: " + key)
    return said

def check_attestations(folder, record, pins, claim):
    """Returns the pinned signers who are missing here."""
    namespace, good = record.namespace("evidence"), set()
    with at("head", "allowed_signers"):
        found = [m for name in names(folder) if (m := re.fullmatch(r"attestation\.(.+)\.json(\.sig)?", name, re.DOTALL))]
        signatures = {m[1] for m in found if m[2]}
        here = os.path.lexists(folder / "allowed_signers") or signatures and pins is None
        trusted = allowed_signers(read(folder / "allowed_signers") if here else b"", namespace)
        for who in trusted:     # the header, and so the head, says whose keys these are
            known = {" ".join(s["public_key"].split(" ")[:2]) for s in record.header["signers"] if s["person"] == who}
            need(known.issuperset(trusted[who]), f"expected of {who} the keys of the header's signers, found others")
        trusted = trusted if pins is None else allowed_signers(pins, namespace)
    for who in sorted({m[1] for m in found} - signatures):
        claim("attestation " + who, False, "not signed")
    for who in sorted(signatures):
        with at("head", name := f"attestation.{who}.json"):
            octets, signature = read(folder / name), read(folder / (name + ".sig"))
            said, listed = check_attestation(record, octets, who), who in trusted
            need(pins is not None if not listed else signed(octets, signature, trusted[who], namespace),
                 f"expected a signature by {who}, found one that does not verify")
        if listed and said["agree"]:
            good.add(who)
        else:
            claim("attestation " + who, "recorded" if listed else False,
                  "does not agree: " + said["remark"] if listed else "not in the signers file for " + namespace)
    claim("attestations", good, f"{len(good)} signed, in agreement: {', '.join(sorted(good)) or 'nobody'}")
    missing = set() if pins is None else set(trusted) - good if trusted else {"anybody who may sign for " + namespace}
    for who in sorted(missing):
        claim("signer " + who, False, "expected an attestation in agreement, found none")
    return missing

# 4. Meaning
def script_steps(octets, header):
    """Step id -> the role it needs, or None, in the order of script.toml, and the ceremony it follows, "" for none."""
    with at("entry", 0):
        script, found = tomllib.loads(octets.decode("utf-8")), {}
        same(header["previous_head"], script.get("ceremony", {}).get("previous_head", ""), "previous_head")
        need(type(follows := script.get("ceremony", {}).get("follows", "")) is str, "follows: expected text, found another value")
        roles = {role["name"]: list(role.get("holders", [])) for role in script.get("role", [])}
        for step in [step for act in script.get("act", []) for step in act.get("step", [])]:
            who, name = step.get("who"), step["id"]
            need(type(name) is str and name and name not in found, f"expected steps with ids of their own, found {name}")
            found[name] = who if who in roles else next((role for role, holders in roles.items() if who in holders), None)
        return found, follows

def is_agreement(opened):
    return opened["kind"] == "answer" and opened["outcome"] == "agreed" and not opened["step"]
def confirming(line):
    """(governance words, who read them from paper) where the line says such a thing."""
    body = line.get("body", {}) if is_agreement(line["open"]) else {}
    said = (body.get("governance"), body["asked"].get("who") if type(body.get("asked")) is dict else None)
    return said if all(type(word) is str and word for word in said) else None

def check_governance(record, n, claim):
    """Before entry n, the first step: two people confirmed who may approve, unless an earlier record pins that."""
    before, last = record.lines[1:n], record.header["previous_head"]
    shown, event = "body" in before[0], before[0].get("body", {}).get("event")
    words = event.get("governance_words") if type(event) is dict else None
    signs = {signer["person"] for signer in record.header["signers"]}
    if record.realm == "production" and last and not (shown and type(words) is str and words):
        claim("governance", "recorded" if shown else False, "pinned by the record that ended at " + last if shown else "withheld in this copy")
    elif record.realm == "production":
        hidden = sum("leaf" in line and is_agreement(line["open"]) for line in before)
        people = {who for read, who in filter(None, map(confirming, before)) if who in signs and (read == words or not shown)}
        need(len(people) + hidden > 1,
             f"expected two people to have confirmed the governance before the first step, found {len(people) + hidden}")
        claim("governance", "recorded" if shown and not hidden else False,
              "confirmed by " + ", ".join(sorted(people)) if shown and not hidden else "withheld in this copy")

def check_meaning(record, steps, claim=lambda *_: None):
    """The entries against the steps of the script; returns (steps passed, exceptions opened)."""
    ids, p, begun, again, exceptions, kind, issued, meant, excuses, stepped = list(steps), 0, False, False, 0, "", set(), {}, {}, False
    if len(record.lines) == 1:
        raise Refuted("entry", 1, "expected opened, found the end of the record")
    for n, line in enumerate(record.lines[1:], 1):
        opened, body, here = line["open"], line.get("body"), ids[p] if p < len(ids) else ""
        with at("entry", n):
            need(kind not in ("closed", "abort"), f"expected nothing after {kind}")
            kind, outcome, step, number = opened["kind"], opened["outcome"], opened["step"], opened["exception"]
            need((kind == "opened") == (n == 1), f"expected opened as entry 1 and nowhere else, found {kind}")
            need(outcome in KINDS[kind], f"outcome of {kind}: expected {' or '.join(KINDS[kind])}, found {outcome}")
            exceptions += kind == "exception"
            need(number == exceptions if kind == "exception" else number <= exceptions,
                 f"exception {number}: expected the next number, or one opened before, after {exceptions} of them")
            if kind == "step" and not stepped:
                stepped = check_governance(record, n, claim) is None
            if kind == "exception":
                excuses[number] = step          # it is for what happened there, and used up by one step skipped or reopened
            if kind == "step" and outcome == "reopened":
                need(excuses.pop(number, None) is not None and step in ids[:p + 1],
                     f"expected an exception of its own and a step up to {here or 'the last'}, found exception {number}, step {step}")
                p, begun = ids.index(step), False
            elif kind == "step":
                need(here and step == here, f"step {outcome}: expected {here or 'no more steps'}, found {step}")
                need(outcome != "begun" or again or not begun, f"expected {step} to begin once, or again after a resume")
                need(outcome != "skipped" or excuses.pop(number, None) == step,
                     f"expected an exception opened at {step} and not used yet to skip it, found {number}")
                need(outcome != "done" or begun and opened["role"] == steps[step],
                     f"expected {step} to have begun, and done by the role {steps[step]}, found {opened['role']}")
                p, begun, again = (p, True, False) if outcome == "begun" else (p + 1, False, again)
            else:
                need(step in ("", here), f"step: expected {here or 'no step'}, found {step}")
            again = again or kind == "resumed"
            need(kind != "run-key" or public_key(body.get("public_key")), "expected a public key")
            need(kind != "artifact" or is_artifact(body) and body["name"] not in issued,
                 "artifact: expected a plain file name not issued before, sha256 and size")
            effect = body.get("effect") if kind == "intent" and body else None
            if type(effect) is dict and effect.get("effect") == "write-artifact" and {type(effect.get(k)) for k in ("name", "content")} == {str}:
                meant[effect["name"]] = (sha256(effect["content"].encode()), len(effect["content"].encode()))
            if kind == "artifact":
                same((body["sha256"], body["size"]), meant.get(body["name"], (body["sha256"], body["size"])), f"artifact {body['name']}: what was to be written")
            issued |= {body["name"]} if kind == "artifact" else set()
            if kind == "closed":
                need(not here, f"closed: expected every step done, found {here} open")
                same(body.get("exceptions"), exceptions, "exceptions")
                same(body.get("artifacts"), record.digests, "artifacts")
                fits(body.get("serial_seed"), HEX, "serial_seed")
                commitment = tagged("serial-seed", record.realm, bytes.fromhex(body["serial_seed"])).hex()
                same(commitment, record.header["serial_seed_commitment"], "commitment to the serial seed")
    return p, exceptions

def check_artifacts(folder, record):
    with at("artifact", "artifacts"):
        for name in sorted({*record.artifacts, *names(folder / "artifacts")}):
            with at("artifact", name):
                need(name in record.artifacts, "expected only what the record names")
                octets = read(folder / "artifacts" / name, FILE_CAP)
                same((sha256(octets), len(octets)), record.artifacts[name], "sha256 and size")
    return len(record.artifacts)

def check_approval(folder, record, claim):
    """In production approval/ is the one the header names, and names the profiles; returns what of the folder that binds."""
    here, header, found, production = folder / "approval", record.header, [], record.realm == "production"
    with at("file", "approval/approval.json"):
        if production or os.path.lexists(here / "approval.json"):
            same(sha256(octets := read(here / "approval.json")), header["approval_digest"], "approval_digest")
            found.append("approval/approval.json")
            claim("approval", "recorded", "approval.json is the header's; its signatures are not checked here")
    with at("file", "approval/governance.toml"):
        if production or os.path.lexists(here / "governance.toml"):
            both = read(here / "governance.toml"), read(here / "allowed_signers")
            same(tagged("governance", record.realm, *both).hex(), header["governance_digest"], "governance_digest")
            found += ["approval/governance.toml", "approval/allowed_signers"]
    if production:
        with at("file", "approval/approval.json"):
            approval = canonical(octets)
            for key in ("ceremony", "plan_digest", "realm", "script_digest"):
                same(approval[key], header[key], key)
            fits(approval["profiles"], {str: str}, "profiles")
            approved = {name + ".toml": digest for name, digest in approval["profiles"].items()}
        with at("file", "profiles"):
            present = names(folder / "profiles")
        for name in sorted({*approved, *present}):
            with at("file", path := "profiles/" + name):
                need(name in approved and name in present, "expected every profile of the approval, and no others")
                same(sha256(read(folder / path)), approved[name], "sha256 in approval.json")
                found.append(path)
    return found

def check_standing(folder, record, follows, after, claim):
    """standing.json: what the ceremony before left, bound by entry 1; returns what of the folder that binds."""
    with at("file", "standing.json"):
        body = record.lines[1].get("body")
        said = "" if body is None else body.get("standing", "")
        if not follows:
            need(said == "", "expected none, because the script follows no ceremony; entry 1 names one")
            need(after is None, "expected none to be compared: this ceremony follows no other")
            return []
        octets = read(folder / "standing.json", STANDING_CAP)
        same(sha256(octets), sha256(octets) if body is None else said, "sha256 in entry 1")
        stands = canonical(octets)
        optional = {"device_keys": HEX, "factories": {str: dict}}       # where the chain certified keys of devices, or enrolled factories
        fits(stands, STANDING | {key: optional[key] for key in optional.keys() & stands.keys()}, "standing.json")
        same((stands["ceremony"], stands["realm"]), (follows, record.realm), "ceremony and realm")
        same(stands["head"], record.header["previous_head"] if record.realm == "production" else stands["head"], "head")
        claim("follows", body and "recorded", f"{follows}, whose record ended at {stands['head']}" +
              ("" if body else "; entry 1, which binds it, is withheld here") + (", as the one you brought" if after else ""))
        for before in after or ():
            need(stands, "expected none to be compared: this ceremony follows no other")
            stands = check_before(before, stands, octets, record.realm, claim)
            octets = stands and jcs(stands)
        if not after or stands:
            claim("what stands", False, f"bring the record of {stands['ceremony']}: --after")
    return ["standing.json"] if body else []

def check_before(folder, stands, octets, realm, claim):
    """The record that left `stands` (its octets are given): it has this head, and leaves exactly that. Returns what it took up itself, {} where nothing."""
    folder = folder if (folder / "transcript.jsonl").exists() else folder / "evidence"      # the folder a ceremony wrote, or its evidence
    try:
        script = read(folder / "script.toml")
        before = check_chain(read(folder / "transcript.jsonl", TRANSCRIPT_CAP), sha256(script))
    except Refuted as e:
        raise ValueError(f"the record before: {e.args[2]} at {e.args[0]} {e.args[1]}") from None
    name = before.header["ceremony"]
    same((name, before.heads[-1].hex(), before.realm), (stands["ceremony"], stands["head"], realm), "the record before")
    taken = canonical(read(folder / "standing.json", STANDING_CAP)) if (folder / "standing.json").exists() else {}
    opening = before.lines[1].get("body")
    if taken and opening is not None:
        same(sha256(jcs(taken)), opening.get("standing", ""), f"standing.json that {name} took up: sha256 in its entry 1")
    if any("leaf" in line for line in before.lines):
        claim("what stands", False, f"{name} has this head; what it left cannot be derived from a copy with bodies withheld")
    elif standing is None:
        claim("what stands", False, f"{name} has this head; standing.py, which belongs beside verify.py, derives what it left")
    else:
        try:
            left = standing.left_by(before.lines, script, taken)
        except (LookupError, TypeError, AttributeError) as e:
            raise ValueError(f"the record of {name} leaves nothing that can be derived: {type(e).__name__}: {e}") from None
        differs = sorted(key for key in left.keys() | stands.keys() if left.get(key) != stands.get(key))
        need(jcs(left) == octets, f"expected exactly what the record of {name} leaves, found something else: {', '.join(differs)}")
        claim("what stands", True, f"exactly what the record of {name} leaves")
    return taken

STANDS = {      # what is inside standing.json; where there are keys that may be missing, they come second
    "quorums": ({"commitments": [HEX], "generation": int, "holders": [str], "id": str, "recipient": str,
                 "retired": [{"generation": int, "id": str, "time": int}], "threshold": int}, {}),
    "authorities": ({"algorithm": str, "certificate": str, "crl": str, "generation": int, "issued": [dict.fromkeys("certificate name serial step".split(), str)],
                     "not_after": int, "not_before": int, "profile": str, "public_key": str, "quorum": str, "sealed": HEX, "sealed_name": str, "subject": {str: str}}, {}),
    "factories": ({"bundles": [dict], "ceremony": str, "enrolment": HEX, "quotas": {str: int}, "receipt_key": str, "recipient": str, "valid_until": int},
                  {"delegated": [dict], "explained": [{"ceremony": str, "exception": int, "finding": str}], "findings": [str]})}

def check_taken_up(folder, script):
    """Script and standing.json say the same of what stands, and nothing that stands is made again."""
    stands = canonical(read(folder / "standing.json", STANDING_CAP))
    for part, (needed, optional) in STANDS.items():
        for name, of in stands.get(part, {}).items():
            fits(of, needed | {key: optional[key] for key in optional.keys() & of.keys()}, f"standing.json: {name}")
    table = tomllib.loads(script.decode())
    for part, keys in (("quorum", {"threshold": "threshold", "custodians": "holders"}), ("authority", dict.fromkeys("profile algorithm quorum".split()))):
        known = stands["quorums" if part == "quorum" else "authorities"]
        for one in table.get(part, ()):
            need((one["name"] in known) == bool(one.get("standing")),
                 f"{part} {one['name']}: " + ("the script says that it stands, and none was left" if one.get("standing") else "one of this name stands already"))
            for key, called in keys.items() if one.get("standing") else ():
                same(one[key], known[one["name"]][called or key], f"{part} {one['name']}: {key}")
            for key in ("not_before", "not_after") if part == "authority" and one.get("standing") else ():
                same(milliseconds(one[key]), known[one["name"]][key], f"authority {one['name']}: {key}")

def milliseconds(date):
    return int(datetime.datetime.fromisoformat(str(date).replace("Z", "+00:00")).timestamp()) * 1000

RESUME = "resume it, or stop it, with `anchorite resume`"
BOUND = re.compile(r"script\.toml|transcript\.jsonl|SHA256SUMS|allowed_signers|artifacts/.+|checkpoints/[0-9]{6}\.checkpoint(\.sig)?|"
                   r"attestation\.[^/]+\.json(\.sig)?", re.DOTALL)
def check_sums(folder, unfinished):
    """SHA256SUMS lists every other file, once, sorted by path, with its digest; returns the paths, and whether there was a list."""
    listed, present, todo, path = {}, set(), [""], ""
    here = os.path.lexists(folder / "SHA256SUMS") or not unfinished     # it is written when the tool stops, so not where it died
    with at("file", "SHA256SUMS"):
        *lines, rest = (read(folder / "SHA256SUMS", FILE_CAP) if here else b"").decode("utf-8").split("\n")
        need(not rest, f"expected the last line to end with LF, found {rest}")
        for line in lines:
            m = re.fullmatch(r"SHA256 \((.+)\) = ([0-9a-f]{64})", line)
            need(m and m[1].encode() > path.encode(), f"expected SHA256 (path) = digest, sorted, each path once, found {line}")
            path, listed[m[1]] = m[1], m[2]
    while todo:
        prefix = todo.pop()
        with at("file", prefix or "."):
            inside = names(folder / prefix)
            present |= set() if inside or prefix in ("", "approval/", "artifacts/", "checkpoints/", "profiles/") else {prefix[:-1]}
            for path in (prefix + name for name in inside):
                is_folder = stat.S_ISDIR((folder / path).lstat().st_mode) and path.count("/") < 8
                todo.append(path + "/") if is_folder else present.add(path)
    for path in sorted((present - {"SHA256SUMS"}) | set(listed), key=lambda p: p.encode("utf-8", "surrogateescape")):
        with at("file", path):
            need(path in present and path != "SHA256SUMS", "listed in SHA256SUMS: expected such a file, found none")
            need(not here or path in listed, "expected every file in SHA256SUMS, found this one not listed")
            digest = sha256(read(folder / path, FILE_CAP))
            same(digest, listed.get(path, digest), "sha256")
    return sorted(present - {"SHA256SUMS"}), here

def check_all(folder, pins, head_expected, after, claim):
    """All of it in the order of README.md, a claim at a time; returns whether the record is pinned."""
    with at("entry", 0):
        script, octets = read(folder / "script.toml"), read(folder / "transcript.jsonl", TRANSCRIPT_CAP)
    record = check_chain(octets, sha256(script))
    header, head, last, closed = record.header, record.heads[-1].hex(), len(record.lines) - 1, record.closed
    withheld, version = sum("leaf" in line for line in record.lines), header["tool"]["version"]
    claim("chain", True, f"{record.realm}, {header['ceremony']}: {last} entries, head {head}")
    claim("script", True, "sha256 " + header["script_digest"])
    claim("bodies", not withheld, f"{withheld} of {last} withheld")
    claim("checkpoints", count := check_checkpoints(folder, record), f"{count} signed by run keys")
    missing = check_attestations(folder, record, pins, claim)
    with at("head", "expect"):
        same(head, head if head_expected is None else head_expected, "head")
    pinned = not missing and (pins is not None or head_expected is not None)
    claim("pinned", pinned, "by the signers or the head you brought" if pinned else
          "missing: " + ", ".join(sorted(missing)) if missing else "bring your own allowed_signers, or the head")
    steps, follows = script_steps(script, header)
    passed, exceptions = check_meaning(record, steps, claim)
    claim("steps", True, f"{passed} passed, in order")
    claim("exceptions", True, f"{exceptions} opened")
    claim("serial seed", closed, "opens its commitment" if closed else "not opened yet")
    ending = record.lines[-1].get("open", {}).get("kind")
    claim("closed", closed, f"by entry {last}" if closed else "aborted" if ending == "abort" else f"the record is open; {RESUME}")
    claim("artifacts", True, f"{check_artifacts(folder, record)} recorded and present")
    bound = check_approval(folder, record, claim) + check_standing(folder, record, follows, after, claim)
    paths, listed = check_sums(folder, ending not in ("closed", "abort"))
    claim("sums", listed, f"{len(paths)} files as in SHA256SUMS" if listed else f"the record is open and there is no SHA256SUMS; {RESUME}")
    loose = [path for path in paths if path not in bound and not BOUND.fullmatch(path)]
    claim("not bound by the record", not loose, ", ".join(loose) or "nothing")
    if follows:
        with at("entry", 0):
            check_taken_up(folder, script)
    claim("replay", False, f"replay with anchorite {version}")
    claim("certificates", False, f"re-derive from their profiles with anchorite {version}")
    return pinned

def verify(folder, signers=None, expect=None, after=None):
    """The JSON object of README.md; raises Unreadable where there is nothing to say it about."""
    claims, bad = [], None
    def claim(name, status, detail):
        status = status if type(status) is str else "ok" if status else "unchecked"
        claims.append({"claim": visible(name), "status": status, "detail": visible(detail)})
    try:
        inside = os.listdir(folder := pathlib.Path(folder).resolve())
        if "evidence" in inside and "transcript.jsonl" not in inside:
            raise Unreadable(f"{folder}: expected an evidence folder, found the folder a ceremony writes to; verify {folder}/evidence")
        after = after and [pathlib.Path(one).resolve(strict=True) for one in after]
        pins = None if signers is None else bring(signers)
        allowed_signers(pins or b"", "")                # a line that is not understood ends it here
    except (OSError, ValueError, RuntimeError) as e:
        raise Unreadable(f"cannot read the folder or the signers file: {e}") from None
    try:
        pinned = check_all(folder, pins, expect, after, claim)
        verdict, code, problem = ("ok", 0, "") if pinned else ("unpinned", 8, "consistent, signers unpinned")
    except Refuted as e:
        what, where, problem = e.args
        verdict, code, bad = "refuted", 4, {"what": what, "where": visible(where) if type(where) is str else where}
    return {"verdict": verdict, "exit": code, "first_bad": bad, "problem": visible(problem, 600), "claims": claims}

def main(argv=None):
    parser = argparse.ArgumentParser(prog="verify.py", description="check the evidence folder of a ceremony")
    parser.add_argument("folder", metavar="DIR")
    parser.add_argument("--signers", metavar="FILE", help="your own allowed_signers")
    parser.add_argument("--expect", metavar="HEAD", help="the head as somebody in the room noted it")
    parser.add_argument("--after", metavar="DIR", action="append", help="evidence of the ceremony that this one follows, then of the one that that follows")
    parser.add_argument("--json", action="store_true", help="one JSON object for programs")
    args = parser.parse_args(argv)
    args.expect = args.expect and "".join(args.expect.split()).lower()
    if args.expect is not None and not HEX.fullmatch(args.expect):
        parser.error("--expect: expected 64 hexadecimal digits")
    try:
        answer = verify(args.folder, args.signers, args.expect, args.after)
    except Unreadable as e:
        print("verify.py: " + visible(e), file=sys.stderr)
        return 1
    getattr(sys.stdout, "reconfigure", dict)(errors="backslashreplace")
    for c in answer["claims"] if not args.json else ():
        print(f"{c['status']:<9}  {c['claim']:<{max(len(c['claim']) for c in answer['claims'])}}  {c['detail']}")
    place = " at {what} {where}".format(**answer["first_bad"]) if answer["first_bad"] else ""
    print(json.dumps(answer) if args.json else answer["verdict"] + place + ": " * bool(answer["problem"]) + answer["problem"])
    return answer["exit"]

if __name__ == "__main__":
    sys.exit(main())
