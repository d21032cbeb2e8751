#!/usr/bin/env python3
"""Requests made by OpenSSL, pyca/cryptography, GnuTLS and Go are acceptable to us, and none with a flipped bit is; keys
that badkeys calls weak are refused by us, in every vector of tests/vectors/requests.

    judge_requests.py --binary ANCHORITE --go GO       (the Python of tests/.judges/venv)
"""
import argparse
import base64
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa

ROOT = pathlib.Path(__file__).resolve().parent.parent
VECTORS = ROOT / "tests/vectors/requests"
SUBJECT = "/C=SE/O=Example AB/CN=Example"


def run(*command, **more):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, **more)


def of_openssl(folder):
    keys = {
        "p256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "p384": ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
        "p521": ["ec", "-pkeyopt", "ec_paramgen_curve:P-521"], "ed25519": ["ed25519"],
        "rsa-2048": ["rsa:2048"], "rsa-3072": ["rsa:3072"], "rsa-4096": ["rsa:4096"],
    }
    for name, kind in keys.items():
        for digest in ([None] if name == "ed25519" else ["sha256", "sha384", "sha512"]):
            title = f"openssl-{name}-{digest or 'pure'}"
            run("openssl", "req", "-new", "-newkey", *kind, "-nodes", "-keyout", folder / f"{title}.key", "-subj", SUBJECT,
                "-utf8", *([f"-{digest}"] if digest else []), "-out", folder / f"{title}.pem")
    pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"]
    run("openssl", "req", "-new", "-key", folder / "openssl-rsa-2048-sha256.key", "-subj", SUBJECT, *pss, "-sha256",
        "-out", folder / "openssl-rsa-pss.pem")
    run("openssl", "req", "-new", "-key", folder / "openssl-p256-sha256.key", "-subj", SUBJECT, "-addext", "basicConstraints=critical,CA:TRUE",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", folder / "openssl-asks-for-ca.pem")


def of_pyca(folder):
    def write(name, key, digest, **more):
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([
            x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "SE"), x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Example AB"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, f"Example {name}")]))
        builder = builder.add_extension(x509.BasicConstraints(True, 0), True)
        request = builder.sign(key, digest, **more)
        (folder / f"pyca-{name}.pem").write_bytes(request.public_bytes(serialization.Encoding.PEM))

    for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()):
        write(curve.name, ec.generate_private_key(curve), hashes.SHA512())
    write("ed25519", ed25519.Ed25519PrivateKey.generate(), None)
    key = rsa.generate_private_key(65537, 3072)
    write("rsa", key, hashes.SHA256())
    write("rsa-pss", key, hashes.SHA512(), rsa_padding=padding.PSS(padding.MGF1(hashes.SHA512()), padding.PSS.DIGEST_LENGTH))
    write("rsa-pss-longest-salt", key, hashes.SHA256(), rsa_padding=padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH))
    for kind in (mldsa.MLDSA44PrivateKey, mldsa.MLDSA65PrivateKey, mldsa.MLDSA87PrivateKey):
        write(kind.__name__[:7].lower(), kind.generate(), None)


def of_certtool(folder):
    template = folder / "template"
    template.write_text('country = SE\norganization = "Example AB"\ncn = "Example"\n')
    for name, options in {"p256": ["--key-type=ecdsa", "--curve=secp256r1"], "p384": ["--key-type=ecdsa", "--curve=secp384r1"],
                          "p521": ["--key-type=ecdsa", "--curve=secp521r1"], "ed25519": ["--key-type=ed25519"],
                          "rsa": ["--key-type=rsa", "--bits=3072"]}.items():
        key = folder / f"certtool-{name}.key"
        run("certtool", "--generate-privkey", *options, "--outfile", key)
        run("certtool", "--generate-request", "--load-privkey", key, "--template", template, "--outfile", folder / f"certtool-{name}.pem")


def of_go(folder, go):
    cache = go.parent / "../gocache"
    run(go, "run", "main.go", folder, cwd=ROOT / "tests/go_requests",
        env={**os.environ, "GO111MODULE": "off", "GOTOOLCHAIN": "local", "GOCACHE": os.environ.get("GOCACHE", str(cache.resolve()))})


def judge(binary, file, *more):
    result = subprocess.run([binary, "request", "check", file, "--json", *more], capture_output=True)
    assert result.returncode in (0, 4), (file, result.stderr)
    return json.loads(result.stdout)


def flipped(file, folder):
    """The request with one bit of its signed octets changed, as DER: never acceptable."""
    body = re.search(r"-----BEGIN [A-Z ]+-----(.*?)-----END", file.read_text(), re.S).group(1)
    der = bytearray(base64.b64decode(body))
    place = random.randrange(len(der))
    der[place] ^= 1 << random.randrange(8)
    out = folder / f"{file.stem}.flipped.der"
    out.write_bytes(der)
    return out, place


# What badkeys calls a weakness, and the words by which we refuse it. An even modulus has a small factor for it.
WEAK = {"fermat": {"rsa-close-primes"}, "roca": {"rsa-roca"}, "smallfactors": {"rsa-small-factor", "key"},
        "sharedprimes": {"rsa-shared-prime"}, "rsainvalid": {"rsa-exponent"}, "pattern": {"rsa-pattern"}}


def beside_badkeys(binary):
    import badkeys
    checks = [*WEAK, "smalld", "rsapoly"]
    expected = json.loads((VECTORS / "expected.json").read_text())
    found = {name: 0 for name in WEAK}
    for title, entry in expected.items():
        key = badkeys.detectandcheck((VECTORS / f"{title}.pem").read_text(), checks=checks)
        ours = {reason["word"] for reason in judge(binary, VECTORS / f"{title}.pem", "--rules", VECTORS / f"{entry['rules']}.toml")["reasons"]}
        for result in key.get("results", {}):
            assert result in WEAK and WEAK[result] & ours, f"{title}: badkeys says {result}, we say {sorted(ours)}"
            found[result] += 1
        for name, words in WEAK.items():
            if name not in ("smallfactors", "rsainvalid") and words & ours:
                assert name in key["results"], f"{title}: we say {sorted(ours)}, badkeys says {list(key['results'])}"
    # pyca, which badkeys reads with, refuses an exponent of 1 before badkeys sees it.
    assert all(count for name, count in found.items() if name != "rsainvalid"), found
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--go", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    binary = arguments.binary.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for maker in (of_openssl, of_pyca, of_certtool):
            maker(folder)
        of_go(folder, arguments.go.absolute())
        files = sorted(folder.glob("*.pem"))
        kinds = set()
        for file in files:
            facts = judge(binary, file)
            assert facts["acceptable"], f"{file.name}: {facts['reasons']}"
            kinds.add(facts["key"])
            for _ in range(3):
                other, place = flipped(file, folder)
                facts = judge(binary, other)
                # The bits of a signature that other octets of it make up for do not exist in any of these algorithms.
                # Where the first octet is another, the file is no DER at all, which is said without a judgement.
                assert not facts.get("acceptable"), f"{file.name}, octet {place}: acceptable with a flipped bit"
        # A planted defect, so that this gate is known to be able to fail.
        planted = judge(binary, VECTORS / "signature-by-another-key.pem")
        assert [reason["word"] for reason in planted["reasons"]] == ["signature"], planted
    print(f"{len(files)} requests of OpenSSL, pyca, GnuTLS and Go accepted, of {len(kinds)} kinds of keys: {', '.join(sorted(kinds))}")
    print("weak keys beside badkeys:", beside_badkeys(binary))


main()
sys.exit(0)
