"""Corners where two readings of transcripts/README.md could part; each is built, signed and asked about by agree.py."""
import base64
import shutil

import make_folder as mk

EVIDENCE = "evidence@anchorite,rehearsal-evidence@anchorite"


def armour(blob):
    text = base64.b64encode(blob).decode()
    lines = "\n".join(text[n:n + 70] for n in range(0, len(text), 70))
    return f"-----BEGIN SSH SIGNATURE-----\n{lines}\n-----END SSH SIGNATURE-----\n".encode()


class Corners:
    def __init__(self, work, ask, sample=1):
        self.sample, self.seen = sample, 0
        self.keys, self.folder, self.pins, self.ask = mk.make_keys(work / "corner-keys"), work / "corner", work / "corner-pins", ask
        self.stranger = mk.public(mk.make_keys(work / "stranger-keys"), "ada")
        self.pins.write_text(mk.allowed(self.keys))

    def built(self, name, change=None, after=None, resum=True, **more):
        self.seen += 1
        if self.seen % self.sample:
            return
        entries = mk.plan(self.keys)
        if change:
            change(entries)
        shutil.rmtree(self.folder, ignore_errors=True)
        mk.build(self.folder, self.keys, entries, **more)
        if after:
            after()
        if resum:
            mk.sums(self.folder)
        self.ask("corner: " + name, self.folder, None)
        self.ask("corner, pinned: " + name, self.folder, self.pins)

    def changed(self, path, change):
        def do():
            (self.folder / path).write_bytes(change((self.folder / path).read_bytes()))
        return do

    def written(self, path, octets):
        return lambda: (self.folder / path).write_bytes(octets)

    def renamed(self, old, new):
        return lambda: (self.folder / old).rename(self.folder / new)

    def all(self):
        self.bodies()
        self.headers()
        self.names()
        self.signers()
        self.signatures()
        self.scripts()
        self.files()

    def bodies(self):
        for name, body in (("no name", {"size": 1, "sha256": "ab" * 32}), ("folder", {"name": "a/b", "size": 1, "sha256": "ab" * 32}),
                           ("no digest", {"name": "x", "size": 1, "sha256": "AB"}), ("no size", {"name": "x", "size": "1", "sha256": "ab" * 32}),
                           ("unseen", {"name": "a\u200bb", "size": 1, "sha256": "ab" * 32}), ("blank", {"name": "a\u00a0b", "size": 1, "sha256": "ab" * 32}),
                           ("accent", {"name": "e\u0301\u3164", "size": 1, "sha256": "ab" * 32})):
            self.built("artifact with " + name, lambda e: e.insert(9, mk.entry("artifact", "issued", body, step="s-2")))
        for effect in ({"effect": "write-artifact", "name": "root.crt", "content": "x"}, {"effect": "write-artifact", "name": "root.crt", "content": "\u00e9"},
                       {"effect": "write-artifact", "name": "other", "content": "x"}, {"effect": "write-artifact", "name": "root.crt", "content": 1},
                       {"effect": "sign", "name": "root.crt", "content": "x"}, "write-artifact", ["write-artifact"], None):
            self.built(f"meant {effect}", lambda e: e.insert(8, mk.entry("intent", "meant", {"effect": effect}, step="s-2")))
        line = mk.public(self.keys, "run")
        for key in (None, 7, "", line + " two words", line.replace("ssh-ed25519", "ecdsa-sha2-nistp384"), line.split(" ")[0] + " AAAA",
                    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"):
            body = {"public_key": key} if key is not None else {}
            for attesting in ((), mk.PEOPLE):
                self.built(f"second run key {key}", lambda e: e.insert(9, mk.entry("run-key", "done", body)), attesting=attesting)
        for number in (1, 1 << 32, 1 << 40, (1 << 53) - 1):
            self.built(f"exception {number}", lambda e: e[3].update(exception=number))

    def headers(self):
        for change in ({"ceremony": "a\nb"}, {"ceremony": ""}, {"plan_digest": ""}, {"serial_seed_commitment": ""}, {"realm": "production"},
                       {"previous_head": "0" * 64}, {"previous_head": "0"}, {"tool": {"digest": "", "version": ""}},
                       {"tool": {"digest": "x", "version": ""}}, {"machine": {}}, {"argv": []}, {"signers": []}, {"started": 0},
                       {"started": 1 << 53}, {"started": (1 << 53) - 1}):
            for attesting in ((), mk.PEOPLE):
                self.built(f"header {change}", head=mk.header(self.keys) | change, attesting=attesting)

    def names(self):
        def renumbered(size, to):
            for end in ("", ".sig"):
                self.renamed(f"checkpoints/{size:06}.checkpoint{end}", f"checkpoints/{to:06}.checkpoint{end}")()
        self.built("last checkpoint is of a later line", after=lambda: renumbered(12, 13))
        self.built("last checkpoint is of line 0", after=lambda: renumbered(12, 0))
        self.built("checkpoint with a name of five digits", after=self.renamed("checkpoints/000006.checkpoint", "checkpoints/00006.checkpoint"))
        self.built("only the signature of a checkpoint", after=lambda: (self.folder / "checkpoints" / "000006.checkpoint").unlink())
        for new in ("attestation..json.sig", "attestation.json.sig", "attestation.ada.json.json.sig", "attestation.a\u0301.json.sig", "attestation.x.sig"):
            move = self.renamed("attestation.ada.json.sig", new)
            self.built("named " + new, after=move)
            self.built("named, both, " + new, after=lambda: (move(), self.renamed("attestation.ada.json", new[:-4])()))

    def signers(self):
        text = mk.allowed(self.keys)
        bad = self.written("allowed_signers", b"nonsense\n")
        self.built("bad signers file and bad attestation", after=lambda: (bad(), self.written("attestation.ada.json", b"{}")()))
        self.built("nobody signed, bad signers file", after=bad, attesting=())
        for name, signers in (("tabs", text.replace(" ", "\t")), ("CRLF", text.replace("\n", "\r\n")), ("comment", text.replace("\n", " a b c\n")),
                              ("no namespaces", "".join(f"{who} {mk.public(self.keys, who)}\n" for who in mk.PEOPLE)),
                              ("quoted", text.replace("ada", '"ada"', 1)), ("pattern", text.replace("ada", "*", 1)),
                              ("list", text.replace("ada", "ada,bob", 1)), ("upper", text.replace("ada", "Ada", 1)),
                              ("stranger first", f"ada {self.stranger}\n{text}"), ("broken first", f"ada ssh-ed25519 AAAAC3NzaC1lZDI1NTE5\n{text}"),
                              ("options", text.replace("namespaces", 'valid-after="20200101",namespaces', 1)), ("no space", text.replace('" ', '"', 1)),
                              ("odd space", text.replace(" ", "\u00a0", 1)), ("file separator", text.replace(" ", "\x1c ", 1)), ("BOM", "\ufeff" + text),
                              ("no key", "ada ssh-ed25519\n"), ("rsa", text + "x ssh-rsa AAAAB3NzaC1yc2E=\n"), ("empty", ""),
                              ("hash", "#ada\n\t # x\n" + text), ("empty namespaces", text.replace(EVIDENCE, "")), ("no end", text.rstrip("\n"))):
            self.built("signers: " + name, after=self.written("allowed_signers", signers.encode()))

    def signatures(self):
        spelled = (("CRLF", lambda o: o.replace(b"\n", b"\r\n")), ("words after", lambda o: o + b"anything\n"), ("no end", lambda o: o.rstrip(b"\n")),
                   ("spaces", lambda o: o.replace(b"\n", b" \n\t")), ("blank lines", lambda o: o.replace(b"\n", b"\n\n")),
                   ("one line", lambda o: o.replace(b"\n", b"").replace(b"-----U", b"-----\nU").replace(b"-----END", b"\n-----END")),
                   ("words before", lambda o: b"\n" + o), ("bits after", lambda o: o.replace(b"=\n", b"B=\n")), ("NUL at the end", lambda o: o + b"\0"),
                   ("pad", lambda o: o.replace(b"\n-----END", b"=\n-----END")), ("NUL", lambda o: o.replace(b"\n-----END", b"\0\n-----END")),
                   ("other footer", lambda o: o.replace(b"END SSH", b"END PGP")))
        inside = (("version 0", lambda o: o[:9] + b"\0" + o[10:]), ("version 2", lambda o: o[:9] + b"\2" + o[10:]), ("octet after", lambda o: o + b"\0"),
                  ("reserved", lambda o: o.replace(b"\0\0\0\0\0\0\0\x06sha512", b"\0\0\0\1x\0\0\0\x06sha512")),
                  ("sha256", lambda o: o.replace(b"sha512", b"sha256")), ("cut", lambda o: o[:-1]), ("same", lambda o: o))
        for path in ("checkpoints/000006.checkpoint.sig", "attestation.ada.json.sig"):
            for name, change in spelled:
                self.built(f"{path}: {name}", after=self.changed(path, change))
            for name, change in inside:
                self.built(f"{path}: {name}", after=self.changed(
                    path, lambda octets: armour(change(base64.b64decode(b"".join(octets.splitlines()[1:-1]))))))

    def scripts(self):
        rest, who = mk.SCRIPT, b'who = "operator"'
        for name, script in (
                ("escape e", b'title2 = "\\e"\n' + rest), ("escape x", b'x = "\\x41"\n' + rest), ("two lines", b"x = {\n a = 1 }\n" + rest),
                ("comma", b"x = { a = 1, }\n" + rest), ("array of lines", b"x = { a = [\n1,\n] }\n" + rest), ("no seconds", b"x = 07:32\n" + rest),
                ("date, no seconds", b"x = 1979-05-27T07:32Z\n" + rest), ("time", b"x = 1979-05-27T07:32:00.5+01:30\n" + rest),
                ("braces in text", b"x = \"{\\\\\"\ny = '''{\n'''\nz = \"\"\"a\"\"\n{,}\\\n \"\"\"\"\n" + rest), ("comment", b"# {\n#,}\n" + rest),
                ("BOM", b"\xef\xbb\xbf" + rest), ("CR", b"x = 1\r" + rest), ("CRLF", rest.replace(b"\n", b"\r\n")), ("NUL", b"# \0\n" + rest),
                ("twice", b"x = 1\nx = 2\n" + rest), ("unicode key", b"\xc3\xa9 = 1\n" + rest), ("long integer", b"x = " + b"9" * 4300 + b"\n" + rest),
                ("longer integer", b"x = " + b"9" * 4301 + b"\n" + rest), ("underscores", b"x = " + b"9_" * 4299 + b"9\n" + rest),
                ("hexadecimal", b"x = 0x" + b"f" * 9000 + b"\n" + rest), ("float", b"x = [1e999, -inf, nan]\n" + rest),
                ("role twice", rest + b'[[role]]\nname = "operator"\nholders = ["witness-a"]\n'), ("role of letters", rest.replace(b'["ada"]', b'"ada"')),
                ("who is a person", rest.replace(who, b'who = "ada"')), ("who is nobody", rest.replace(who, b'who = "eve"')),
                ("who is missing", rest.replace(who + b"\n", b"")), ("numbers", rest.replace(b'"operator"', b"7")),
                ("roles in a table", rest.replace(b"[[role]]", b"[role.x]", 1)), ("act empty", b'act = ""'), ("no steps", b""),
                ("step empty", b'[[act]]\nstep = ""\n' + rest), ("holders nested", rest.replace(b'["ada"]', b'[["ada"], {a = 1}]'))):
            self.built("script: " + name, script=script)

    def files(self):
        for name, path in (("space", "artifacts/ "), ("quote", 'a"b'), ("newline", "a\nb"), ("parenthesis", "a) = b"), ("unassigned", "a\u0378"),
                           ("private", "a\ue000"), ("hidden", ".x"), ("accent", "\u0301"), ("long", "x" * 200 + "\u200b"), ("far", "\U0010ffff"),
                           ("upper", "A"), ("after", "\uff5e"), ("sums inside", "artifacts/SHA256SUMS")):
            self.built("file " + name, after=self.written(path, b"x"), resum=False)
            self.built("listed file " + name, after=self.written(path, b"x"))
        self.built("folder for a signature", after=lambda: (self.folder / "attestation.x.json.sig").mkdir(), resum=False)
        self.built("folder for signers", after=lambda: ((self.folder / "allowed_signers").unlink(), (self.folder / "allowed_signers").mkdir()), resum=False)
        self.built("folder for an approval", after=lambda: (self.folder / "approval" / "approval.json").mkdir(parents=True), resum=False)
        self.built("file for approvals", after=self.written("approval", b"x"))
        self.built("empty folder", after=lambda: (self.folder / "empty").mkdir(), resum=False)
        self.built("link to nothing", after=lambda: (self.folder / "link").symlink_to("nothing"), resum=False)
        self.built("link to a folder", after=lambda: (self.folder / "link").symlink_to("artifacts"), resum=False)
