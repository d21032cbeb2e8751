"""Every way to tamper with a bundle that we could think of, each refused by name: by the station that imports it, and by `bundle check` where a stranger
without the station's key can see it. Bundles are made by make_bundle.py and, where what is wrong is inside, signed by the signers the station pins.

Used by station_factory.py."""

import hashlib
import json
import shutil
import subprocess

# What is wrong: the class by which the station refuses it, and the one by which `bundle check` does (None: only who opens a shard can see it).
INSIDE = {
    # The header of a shard, its seal, its length.
    "foreign-shard": ("foreign", None), "resealed": ("wrong-factory", None), "other-recipient": ("wrong-recipient", None),
    "shard-number": ("foreign", None), "shard-first": ("count", None), "shard-count": ("count", None), "shard-recipient": ("wrong-recipient", None),
    "shard-realm": ("wrong-realm", None), "count": ("count", None), "more": ("count", None),
    # A record: its place, its device, its key, its lineage.
    "record-index": ("foreign", None), "device-twice": ("count", "malformed"), "key-twice": ("count", None), "key-mismatch": ("key-mismatch", None),
    "other-mode": ("key-mismatch", None), "lineage-order": ("wrong-order", None), "lineage-sku": ("wrong-order", None),
    "lineage-firmware": ("wrong-order", None), "lineage-bundle": ("foreign", None), "lineage-device": ("malformed", None),
    # A certificate: who signed it, whose it is, how long, what for.
    "chain": ("chain", None), "not-der": ("chain", None), "issuer-key": ("policy", None), "issuer-name": ("policy", None),
    "authority": ("policy", None), "shorter": ("policy", None), "longer": ("policy", None), "other-extensions": ("policy", None),
    "commitment": ("policy", None), "serial-twice": ("count", None),
    # Files beside the shards.
    "leaves": ("tampered", "tampered"), "index-order": ("tampered", "malformed"), "index-bundle": ("tampered", "foreign"),
    "index-device": ("tampered", None), "index-place": ("tampered", "foreign"), "chain-order": ("chain", "chain"), "chain-empty": ("chain", "chain"),
    "chain-long": ("chain", "chain"), "crl-not-pem": ("malformed", "malformed"), "crl-two": ("malformed", "malformed"),
    # The manifest against itself, and against what is in the bundle.
    "format": ("malformed", "malformed"), "unknown-key": ("malformed", "malformed"), "two-recipients": ("malformed", "malformed"),
    "no-records": ("malformed", "malformed"), "count-more": ("count", "count"), "expires-first": ("malformed", "malformed"),
    "expires-late": ("malformed", "malformed"), "certificates-empty": ("malformed", "malformed"), "certificates-other": ("policy", None),
    "issued-later": ("malformed", None), "first-of-two": ("malformed", "malformed"), "file-twice": ("malformed", "malformed"),
    "file-gone": ("malformed", "malformed"), "file-up": ("malformed", "malformed"), "records-root": ("tampered", "tampered"),
    "issuer": ("chain", "chain"), "order": ("wrong-order", None), "product": ("wrong-order", None), "mode": ("key-mismatch", None),
    "firmware": ("wrong-order", None), "wrong-realm": ("wrong-realm", "bad-signature"), "too-few-signatures": ("too-few-signatures",) * 2,
}
# Where one class has many reasons, the one that is meant: what was expected, in the station's words.
WORDS = {
    "shard-first": "first record", "shard-count": "records", "count": "records", "more": "nothing after the last record",
    "device-twice": "each device id once", "key-twice": "each key once", "serial-twice": "each serial number once",
    "issuer-key": "a key of its own", "issuer-name": "the certificate of an end entity", "authority": "the certificate of an end entity",
    "shorter": "a certificate from 2026-01-01", "longer": "as the issuer's", "certificates-other": "a certificate from 2026-01-02",
    "other-extensions": "the extensions of the bundle's other certificates", "commitment": "the extensions of the bundle's other certificates",
    "lineage-sku": "expected lamp LAMP-W, found lamp LAMP-B", "lineage-firmware": "expected firmware 1.4.0", "product": "expected lamp LAMP-B",
    "firmware": "expected firmware 1.5.0", "other-mode": "expected a private key, found none", "mode": "it never left the device",
    "chain": "signed by the bundle's issuer", "leaves": "the leaves of the records", "index-bundle": "that of this bundle",
    "index-device": "a row for each device", "index-place": "a row for each device", "index-order": "a row for each device",
    "records-root": "root 1111", "chain-order": "the issuing certificate", "chain-long": "at most 8 certificates", "issuer": "the issuing certificate",
    "crl-not-pem": "the issuer's revocation list", "crl-other": "a list of CN=Test issuing", "crl-name": "a list of CN=Test issuing",
    "crl-future": "a list that has begun", "crl-over": "crl.pem: expected a list for 20", "crl-before": "when the bundle was made",
    "expires-late": "the certificates' end", "certificates-empty": "certificates: expected an end after", "issued-later": "issued: expected a bundle made before",
    "revoked": "a certificate that is on no list", "revoked since": "a certificate that is on no list",
}
# The list in the bundle's crl.pem, see make_bundle.py.
LISTS = {"crl-other": ("chain", "chain"), "crl-name": ("chain", "chain"), "crl-issuer": ("chain", "chain"), "crl-future": ("chain", "chain"),
         "crl-over": ("expired", None), "crl-before": ("expired", "expired")}


class Tampering:
    def __init__(self, make, station, work, other):
        self.make, self.station, self.work, self.other, self.counted, self.checked = make, station, work, other, {}, 0

    def bad(self, name, imported, checked, arguments=(), expected=(), **options):
        """Makes one and shows it to both; `expected` is what `bundle check` is told to expect."""
        where = self.work / "bad"
        shutil.rmtree(where, ignore_errors=True)
        self.make(self.work, options.pop("recipient", self.station.recipient), "bad", **{"count": 5, **options})
        self.both(name, where, imported, checked, arguments, expected)

    def both(self, name, where, imported, checked, arguments=(), expected=()):
        if imported:
            said = self.station.refused(4, f"({imported})", "import", where, *arguments)
            assert WORDS.get(name, "") in said, f"{name}: expected {WORDS[name]}, {said}"
            self.counted[imported] = self.counted.get(imported, 0) + 1
        done = self.check(where, *expected)
        if checked:
            assert done.returncode == 4 and f"({checked})" in done.stderr, f"{name}: bundle check: expected {checked}, {done.returncode} {done.stderr}"
            self.checked += 1
        else:
            assert done.returncode == 0, f"{name}: bundle check: {done.returncode} {done.stderr}"

    def check(self, where, *expected):
        command = [self.station.binary, "bundle", "check", where, "--signers", self.work / "allowed_signers", "--threshold", 2, *expected]
        return subprocess.run([str(part) for part in command], capture_output=True, text=True)


def octets(t, good):
    """One octet flipped in every file in turn, at its begin, middle and end; one file missing, one more, a link, two exchanged."""
    where = t.work / "octet"
    shutil.copytree(t.work / good, where)
    for file in sorted(path.relative_to(where) for path in where.rglob("*") if path.is_file()):
        path, whole = where / file, (where / file).read_bytes()
        signature = file.suffix == ".sig"
        for at in (0, len(whole) // 2, len(whole) - 2):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
            if file.name == "manifest.json":
                # A digit of a number still parses, and then no signature is over it.
                t.station.refused(4, "(", "import", where)
                assert t.check(where).returncode == 4, at
            else:
                word = "bad-signature" if signature else "tampered"
                t.both(f"{file} {at}", where, word, word)
        path.write_bytes(whole + b"\0")
        if file.name != "manifest.json":
            t.both(f"{file} longer", where, "bad-signature" if signature else "tampered", "bad-signature" if signature else "tampered")
        path.unlink()
        word = "too-few-signatures" if signature else "count"
        t.both(f"{file} gone", where, word, word)
        path.symlink_to(t.work / good / file)
        t.station.refused(4, "a link", "import", where)
        assert t.check(where).returncode in (1, 4), file
        path.unlink()
        path.write_bytes(whole)
    (where / "shards/00003.age").write_bytes(b"x")
    t.both("one more shard", where, "foreign", "foreign")
    (where / "shards/00003.age").unlink()
    (where / "notes.txt").write_bytes(b"x")
    t.both("one more file", where, "foreign", "foreign")
    (where / "notes.txt").unlink()
    first, second = where / "shards/00000.age", where / "shards/00001.age"
    swapped = first.read_bytes(), second.read_bytes()
    first.write_bytes(swapped[1])
    second.write_bytes(swapped[0])
    t.both("two shards exchanged", where, "tampered", "tampered")
    first.write_bytes(swapped[0])
    second.write_bytes(swapped[1])
    assert t.check(where).returncode == 0


def between(t, one, other):
    """Parts of one good bundle in the place of another's: a shard, leaves, index, list of signatures; and the same with a manifest made to fit."""
    where = t.work / "between"
    for file in ("shards/00000.age", "leaves.bin", "index.cbor", "manifest.json.ada.sig", "manifest.json"):
        shutil.rmtree(where, ignore_errors=True)
        shutil.copytree(t.work / one, where)
        shutil.copyfile(t.work / other / file, where / file)
        word = {"manifest.json.ada.sig": "bad-signature"}.get(file, "tampered")
        if file == "manifest.json":
            # The other's manifest over this one's signatures.
            word = "bad-signature"
            assert t.check(where).returncode == 4
            t.station.refused(4, f"({word})", "import", where)
        else:
            t.both(f"{file} of another bundle", where, word, word)
    # Who has the signers' keys can fit the manifest too: the shard's own header says whose it is.
    shutil.rmtree(where)
    shutil.copytree(t.work / one, where)
    shutil.copyfile(t.work / other / "shards/00000.age", where / "shards/00000.age")
    manifest = json.loads((where / "manifest.json").read_bytes())
    for listed in manifest["files"]:
        content = (where / listed["name"]).read_bytes()
        listed.update(size=len(content), sha256=hashlib.sha256(content).hexdigest())
    t.resign(where, manifest)
    t.both("a shard of another bundle, listed", where, "foreign", None)


def lists(t, crl):
    """A bundle whose list is over comes in with a newer one, and only with one that is newer and the issuer's."""
    refused = lambda name, word, *arguments: t.station.refused(4, f"({word})", "import", t.work / name, *arguments)
    t.make(t.work, t.station.recipient, "over", count=5, crl="crl-over")
    refused("over", "expired")
    for name, word in (("crl-other", "chain"), ("crl-over", "expired"), ("crl-name", "chain")):
        refused("over", word, "--crl", crl(name))
    t.make(t.work, t.station.recipient, "numbered", count=5, crl="crl-newer")
    refused("numbered", "sequence", "--crl", crl("crl"))
    t.bad("revoked", "revoked", None, tamper="revoked", crl="crl-newest")
    t.bad("revoked since", "revoked", None, ("--crl", crl("crl-newest")), tamper="revoked")
