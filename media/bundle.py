#!/usr/bin/env python3
"""Checks a bundle's public part and inclusion proofs. Written from media/BUNDLE.md, with Python's standard library only.

    bundle.py check DIR             octets, tree and index against manifest.json
    bundle.py prove DIR PROOF.json  a proof by `anchorite bundle prove DIR DEVICE --json`, against DIR's manifest
    bundle.py device DEVICES.json MANIFEST.json    what `anchorite ledger device --json` says of a device, against the manifest of one of its bundles
    bundle.py leaf REALM BUNDLE INDEX DEVICE CERTIFICATE.der LINEAGE.cbor    the leaf of a record
"""
import base64
import hashlib
import json
import os
import pathlib
import stat
import struct
import sys

if not __debug__:
    sys.exit("bundle.py: every check here is an assertion: run it without -O and without PYTHONOPTIMIZE")

CAP = 1 << 30


def read(folder, name):
    """A regular file directly in the folder (or in shards/), of at most a gibibyte; no link, no pipe, no other path."""
    parts = name.split("/")
    assert parts[:-1] in ([], ["shards"]) and parts[-1] not in ("", ".", ".."), f"{name}: no name of a bundle"
    descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        assert stat.S_ISREG(os.fstat(file.fileno()).st_mode), f"{name}: expected a regular file"
        octets = file.read(CAP + 1)
    assert len(octets) <= CAP, f"{name}: expected at most {CAP} octets"
    return octets


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def tagged(what, realm, *parts):
    every = [b"anchorite/" + what.encode() + b"/v1", realm.encode(), *parts]
    return sha(*(struct.pack(">I", len(part)) + part for part in every))


def root(leaves):
    """RFC 9162 2.1.1, as it is written there."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else sha()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha(b"\1", root(leaves[:k]), root(leaves[k:]))


def included(leaf, index, size, siblings, expected):
    """RFC 9162 2.1.3.2, as it is written there."""
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in siblings:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = sha(b"\1", p, r)
            if not fn & 1:
                while fn and not fn & 1:
                    fn >>= 1
                    sn >>= 1
        else:
            r = sha(b"\1", r, p)
        fn >>= 1
        sn >>= 1
    return sn == 0 and r == expected


def leaf_of(realm, bundle, index, device, certificate, lineage):
    record = tagged("record", realm, bundle, struct.pack(">I", index), device.encode(), certificate, lineage)
    return sha(b"\0", record)


def read_manifest(folder):
    octets = read(folder, "manifest.json")
    manifest = json.loads(octets)
    canonical = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert canonical == octets, "manifest.json: not canonical"
    assert manifest["format"] == "anchorite-bundle/1", "manifest.json: format"
    return octets, manifest


def check(folder):
    _, manifest = read_manifest(folder)
    for listed in manifest["files"]:
        octets = read(folder, listed["name"])
        assert len(octets) == listed["size"], f"{listed['name']}: size"
        assert hashlib.sha256(octets).hexdigest() == listed["sha256"], f"{listed['name']}: octets"
    raw = read(folder, "leaves.bin")
    leaves = [raw[at : at + 32] for at in range(0, len(raw), 32)]
    assert len(leaves) == manifest["count"], "leaves.bin: count"
    assert root(leaves).hex() == manifest["records_root"], "leaves.bin: root"
    index = read(folder, "index.cbor")
    head = b"\x58\x30anchorite-index/" + bytes.fromhex(manifest["bundle"]) + struct.pack(">II", 1, len(leaves))
    assert index[:42] == head, "index.cbor: header"
    rows = [index[at : at + 74] for at in range(50, len(index), 74)]
    assert all(row[:2] == b"\x58\x48" for row in rows), "index.cbor: rows"
    assert all(a[2:34] < b[2:34] for a, b in zip(rows, rows[1:])), "index.cbor: order"
    seen = set()
    for row in rows:
        shard, record = struct.unpack(">II", row[34:42])
        assert shard == record // manifest["shard_records"], "index.cbor: shard"
        assert row[42:] == leaves[record], "index.cbor: leaf"
        seen.add(record)
    assert seen == set(range(len(leaves))), "index.cbor: records"
    print(f"ok: {len(leaves)} records, root {manifest['records_root']}")


def prove(folder, path):
    octets, manifest = read_manifest(folder)
    proof = json.loads(pathlib.Path(path).read_text())
    assert proof["manifest"] == hashlib.sha256(octets).hexdigest(), "proof: of another manifest"
    assert proof["root"] == manifest["records_root"] and proof["count"] == manifest["count"], "proof: root"
    index = read(folder, "index.cbor")
    bundle, salt = bytes.fromhex(manifest["bundle"]), index[42:50]
    salted = tagged("device-index", manifest["realm"], bundle, salt, proof["device"].encode())
    row = salted + struct.pack(">II", proof["shard"], proof["record"]) + bytes.fromhex(proof["leaf"])
    assert any(index[at + 2 : at + 74] == row for at in range(50, len(index), 74)), "proof: not in the index"
    siblings = [bytes.fromhex(sibling) for sibling in proof["siblings"]]
    leaf, expected = bytes.fromhex(proof["leaf"]), bytes.fromhex(manifest["records_root"])
    assert included(leaf, proof["record"], proof["count"], siblings, expected), "proof: does not lead to the root"
    print(f"ok: {proof['device']} is record {proof['record']} of {proof['count']}")


def of_device(told, path):
    """The certificate, lineage and place it was told are those of one record under the manifest's root; nothing else of it is proven."""
    octets = pathlib.Path(path).read_bytes()
    manifest = json.loads(octets)
    ours = [one for one in json.loads(pathlib.Path(told).read_text()) if one["bundle"]["id"] == manifest["bundle"]]
    assert len(ours) == 1, "device: not in this bundle"
    one, proof = ours[0], ours[0]["proof"]
    assert proof["manifest"] == hashlib.sha256(octets).hexdigest(), "device: of another manifest"
    assert proof["root"] == manifest["records_root"] and proof["count"] == manifest["count"], "device: root"
    assert one["shard"] == one["record"] // manifest["shard_records"], "device: shard"
    for key in ("factory", "sequence", "order", "product", "sku", "mode", "issued", "expires"):
        assert one["bundle"][key] == manifest[key], f"device: {key}"
    certificate = base64.b64decode("".join(one["certificate"].split("-----")[2].split()), validate=True)
    lineage, bundle = bytes.fromhex(one["lineage"]), bytes.fromhex(manifest["bundle"])
    leaf = leaf_of(manifest["realm"], bundle, one["record"], one["device"], certificate, lineage)
    assert leaf.hex() == proof["leaf"], "device: its leaf is another"
    siblings = [bytes.fromhex(sibling) for sibling in proof["siblings"]]
    expected = bytes.fromhex(manifest["records_root"])
    assert included(leaf, one["record"], manifest["count"], siblings, expected), "device: does not lead to the root"
    assert bytes.fromhex(one["serial"]) in certificate, "device: serial"
    said = [one["firmware"]["version"].encode(), bytes.fromhex(one["firmware"]["sha256"]), bytes.fromhex(one["replaces"] or "")]
    said += [text.encode() for pair in one["hardware"].items() for text in pair]
    assert all(part in lineage for part in said), "device: not what its lineage says"
    print(f"ok: {one['device']} is record {one['record']} of {manifest['count']} of {manifest['bundle']}, serial {one['serial']}")


def main(arguments):
    try:
        match arguments:
            case ["check", folder]:
                check(pathlib.Path(folder))
            case ["prove", folder, proof]:
                prove(pathlib.Path(folder), proof)
            case ["device", told, manifest]:
                of_device(told, manifest)
            case ["leaf", realm, bundle, index, device, certificate, lineage]:
                read = [pathlib.Path(path).read_bytes() for path in (certificate, lineage)]
                print(leaf_of(realm, bytes.fromhex(bundle), int(index), device, *read).hex())
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except (AssertionError, KeyError, OSError, ValueError) as problem:
        print(f"refused: {problem!r}", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
