"""A receipt's account by somebody else: what was kept of a bundle read from the text of media/BUNDLE.md, led to the manifest's root, every proof of
possession verified by pyca. The ceremony's balance must say the same. An altered proof and an altered record must be found.

usage: receipt_account.py PROGRAM"""
import hashlib
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "media"))
import bundle as spec  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
STATES = "sealed released reserved injected verified scrapped lost returned destroyed".split()


def values(octets):
    """A CBOR sequence of arrays and maps of numbers, octets and texts."""
    at = 0

    def head():
        nonlocal at
        major, small = octets[at] >> 5, octets[at] & 31
        at += 1
        if small < 24:
            return major, small
        width = {24: 1, 25: 2, 26: 4, 27: 8}[small]
        at += width
        return major, int.from_bytes(octets[at - width:at], "big")

    def value():
        nonlocal at
        major, number = head()
        if major == 0:
            return number
        if major in (2, 3):
            at += number
            part = octets[at - number:at]
            return part if major == 2 else part.decode()
        if major == 5:
            return {value(): value() for _ in range(number)}
        assert major == 4, major
        return [value() for _ in range(number)]

    while at < len(octets):
        yield value()


def runs(indexes):
    found = []
    for index in indexes:
        if found and found[-1][1] + 1 == index:
            found[-1][1] = index
        else:
            found.append([index, index])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


def account(manifest, kept, outcomes):
    header, *records = values(kept)
    assert header == ["anchorite-issued/1", manifest["realm"], bytes.fromhex(manifest["bundle"]), manifest["count"]], header
    leaves, states, proven, bad = [], {}, [], []
    for record, outcome in zip(records, values(outcomes), strict=True):
        index, device, certificate, lineage = record
        at, state, _, _, digest, proof = outcome
        assert at == index == len(leaves)
        bundle, place = bytes.fromhex(manifest["bundle"]), struct.pack(">I", index)
        ours = spec.tagged("record", manifest["realm"], bundle, place, device.encode(), certificate, lineage)
        leaves.append(hashlib.sha256(b"\0" + ours).digest())
        states.setdefault(STATES[state], []).append(index)
        if STATES[state] != "verified":
            continue
        nonce = spec.tagged("possession-nonce", manifest["realm"], bytes.fromhex(manifest["nonce"]), place)
        key = x509.load_der_x509_certificate(certificate).public_key()
        try:
            key.verify(proof, nonce + ours, ec.ECDSA(hashes.SHA256()))
            assert digest == ours
            proven.append(index)
        except InvalidSignature:
            bad.append(index)
    assert spec.root(leaves).hex() == manifest["records_root"], "what was kept does not lead to the manifest's root"
    return {state: runs(of) for state, of in states.items()}, runs(proven), runs(bad)


def main(folder, program):
    out = folder / "out"
    arguments = ["rehearse", ROOT / "ceremony-scripts/receipts", "--plain", "--auto", "--seed", "7", "--out", out]
    subprocess.run([str(a) for a in (program, *arguments)], check=True, capture_output=True)
    before = folder / "out-after-lamps-1-2026"
    manifest = json.loads((before / "evidence/artifacts/lamps-1.manifest.json").read_text())
    kept = (before / "issued" / f"{manifest['bundle']}.cbor").read_bytes()
    receipt = json.loads((out / "state/incoming/lamps-1.receipt.json").read_text())
    outcomes = bytes.fromhex(receipt["outcomes"])
    states, proven, bad = account(manifest, kept, outcomes)
    said = json.loads((out / "evidence/artifacts/lamps-1.balance.json").read_text())["receipt"]["account"]
    assert (said["records"], said["proven"], "faults" in said) == (states, proven, False) and bad == "", (said, states, proven, bad)
    # Controls: a proof that is altered is found, and so is what was kept.
    altered = bytearray(outcomes)
    proofs = [value[5] for value in values(outcomes) if value[5]]
    at = outcomes.index(proofs[0]) + len(proofs[0]) - 1
    altered[at] ^= 1
    assert account(manifest, kept, bytes(altered))[2] == "0"
    changed = bytearray(kept)
    changed[-1] ^= 1
    try:
        account(manifest, bytes(changed), outcomes)
        raise SystemExit("a changed record led to the root")
    except AssertionError:
        pass
    print(f"receipt account: {said['proven']} proven by pyca as by the ceremony; two alterations found")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(pathlib.Path(made), pathlib.Path(sys.argv[1]).resolve())
