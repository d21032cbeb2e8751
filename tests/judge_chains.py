#!/usr/bin/env python3
"""Judges certificates under other certificates, and lists, with tools that share no code with ours: pkilint, OpenSSL, GnuTLS,
Go, NSS and pyca/cryptography; and what each certificate holds against the TOML of its profile.

    tests/.judges/venv/bin/python tests/judge_chains.py FOLDER          every *.crt.pem and *.crl.pem in FOLDER
    tests/.judges/venv/bin/python tests/judge_chains.py --lint FOLDER   pkilint alone, in process: for hundreds of files
    tests/.judges/venv/bin/python tests/judge_chains.py --self-test FOLDER  changes FOLDER's files; every judge must notice

A certificate is NAME.crt.pem; where NAME begins with PROFILE. and PROFILE is in ceremony-scripts/profiles, it is compared with it.
Issuers are found by name and key identifier in the same folder. Exit status: 0 nothing found, 1 findings, 2 nothing to judge.
"""

import datetime
import pathlib
import subprocess
import sys
import tempfile
import tomllib

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

TESTS = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(sys.executable).parent
PROFILES = TESTS.parent / "ceremony-scripts" / "profiles"
GO = BIN / "go"


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def load(folder):
    return {path: x509.load_pem_x509_certificate(path.read_bytes()) for path in sorted(folder.glob("*.crt.pem"))}


def ski(certificate):
    return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def aki(thing):
    return thing.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier


def chain_of(path, certificates):
    """Paths from this certificate to its root."""
    chain = [path]
    while len(chain) < 8:
        certificate = certificates[chain[-1]]
        if certificate.issuer == certificate.subject and aki(certificate) == ski(certificate):
            return chain
        issuers = [
            other for other, candidate in certificates.items()
            if candidate.subject.public_bytes() == certificate.issuer.public_bytes() and ski(candidate) == aki(certificate)
        ]
        if not issuers:
            raise ValueError(f"{chain[-1].name}: expected its issuer in the folder, found none")
        # A cross-certificate has the name of a root: the root itself is nearer.
        issuers.sort(key=lambda other: certificates[other].issuer != certificates[other].subject)
        chain.append(issuers[0])
    raise ValueError("a chain without end")


def moment(chain, certificates):
    """A moment at which every certificate of the chain is valid: when the last of them begins."""
    return max(certificates[path].not_valid_before_utc for path in chain) + datetime.timedelta(seconds=1)


def classical(chain):
    """Whether Debian's OpenSSL and GnuTLS know the keys: they know nothing post-quantum yet."""
    keys = [x509.load_pem_x509_certificate(path.read_bytes()).public_key() for path in chain]
    return all(isinstance(key, (ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey)) for key in keys)


def judge_openssl(chain, when):
    if not classical(chain):
        return []
    intermediates = [part for path in chain[1:-1] for part in ("-untrusted", path)]
    status, said = run("openssl", "verify", "-x509_strict", "-check_ss_sig", "-attime", int(when.timestamp()),
                       "-CAfile", chain[-1], *intermediates, chain[0])
    return [] if status == 0 and said.endswith(": OK") else [f"openssl: {said[-300:]}"]


def judge_gnutls(chain, when):
    if not classical(chain):
        return []
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write("".join(path.read_text() for path in chain))
        file.flush()
        status, said = run("env", "TZ=UTC", "faketime", "-f", when.strftime("%Y-%m-%d %H:%M:%S"), "certtool", "--verify",
                           "--verify-profile", "medium", "--load-ca-certificate", chain[-1], "--infile", file.name)
    yes = "output: Verified. The certificate is trusted."
    return [] if status == 0 and yes in said else [f"gnutls: status {status}: {said[-300:]}"]


def judge_go(*arguments):
    status, said = run(TESTS / "judge_go_chain", GO, *arguments)
    return [] if status == 0 and said.startswith("go: ") else [f"go: status {status}: {said[-300:]}"]


class Nss:
    """A database of NSS with a folder's authorities in it."""

    def __init__(self, folder, certificates):
        self.folder, self.certificates = folder, certificates
        run("certutil", "-N", "-d", folder, "--empty-password")
        for path, certificate in certificates.items():
            root = certificate.issuer == certificate.subject and aki(certificate) == ski(certificate)
            run("certutil", "-A", "-d", folder, "-n", path.name, "-t", "CT,C,C" if root else ",,", "-a", "-i", path)

    @staticmethod
    def knows(certificate):
        return isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)

    def judge(self, path, chain, when):
        if not all(self.knows(self.certificates[other]) for other in chain):
            return []
        certificate = self.certificates[path]
        try:
            purposes = list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        except x509.ExtensionNotFound:
            purposes = []
        if certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            if ExtendedKeyUsageOID.CODE_SIGNING in purposes:
                return []  # it is no authority for TLS, and for any other use certutil does not look at signatures
            usage = "L"
        else:
            usage = "O" if ExtendedKeyUsageOID.OCSP_SIGNING in purposes else "C"
        status, said = run("certutil", "-V", "-d", self.folder, "-n", path.name, "-u", usage, "-e",
                           "-b", when.strftime("%y%m%d%H%M%SZ"))
        return [] if status == 0 and "certificate is valid" in said else [f"nss: status {status}: {said[-300:]}"]

    def judge_list(self, path, issuer):
        """Imports a list, which NSS does only where it verifies."""
        if not self.knows(self.certificates[issuer]):
            return []
        with tempfile.NamedTemporaryFile(suffix=".der") as file:
            crl = x509.load_pem_x509_crl(path.read_bytes())
            file.write(crl.public_bytes(serialization.Encoding.DER))
            file.flush()
            status, said = run("crlutil", "-I", "-d", self.folder, "-t", "1", "-i", file.name)
        return [] if status == 0 and not said else [f"nss: status {status}: {said[-300:]}"]


PURPOSES = {
    "client-auth": "1.3.6.1.5.5.7.3.2", "server-auth": "1.3.6.1.5.5.7.3.1", "code-signing": "1.3.6.1.5.5.7.3.3",
    "email-protection": "1.3.6.1.5.5.7.3.4", "time-stamping": "1.3.6.1.5.5.7.3.8", "ocsp-signing": "1.3.6.1.5.5.7.3.9",
}
USAGES = {
    "digital-signature": "digital_signature", "content-commitment": "content_commitment", "key-agreement": "key_agreement",
    "key-cert-sign": "key_cert_sign", "crl-sign": "crl_sign",
}
ATTRIBUTES = {
    "country": "2.5.4.6", "state": "2.5.4.8", "locality": "2.5.4.7", "organization": "2.5.4.10", "organizational_unit": "2.5.4.11",
    "common_name": "2.5.4.3", "serial_number": "2.5.4.5", "matter_vid": "1.3.6.1.4.1.37244.2.1",
    "matter_pid": "1.3.6.1.4.1.37244.2.2",
}


def judge_profile(certificate, profile, der):
    """What the certificate holds beside, or lacks of, what its profile says: read with tomllib and pyca."""
    by_oid = {extension.oid: extension for extension in certificate.extensions}
    take = lambda oid: by_oid.pop(oid, None)
    constraints, usage = take(ExtensionOID.BASIC_CONSTRAINTS), take(ExtensionOID.KEY_USAGE)
    purposes = take(ExtensionOID.EXTENDED_KEY_USAGE)
    identifiers = take(ExtensionOID.SUBJECT_KEY_IDENTIFIER), take(ExtensionOID.AUTHORITY_KEY_IDENTIFIER)
    policies, names = take(ExtensionOID.CERTIFICATE_POLICIES), take(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    limits, points = take(ExtensionOID.NAME_CONSTRAINTS), take(ExtensionOID.CRL_DISTRIBUTION_POINTS)
    access, no_check = take(ExtensionOID.AUTHORITY_INFORMATION_ACCESS), take(ExtensionOID.OCSP_NO_CHECK)
    authority = profile["kind"] != "end-entity"
    wanted = sorted(PURPOSES[word] for word in profile.get("extended_key_usages", []))
    found = sorted(oid.dotted_string for oid in purposes.value) if purposes else []
    subject = [attribute.oid.dotted_string for attribute in certificate.subject]
    rules = profile.get("subject", {"required": ["organization", "common_name"], "optional": ["country"]})
    required = [ATTRIBUTES[word] for word in rules.get("required", [])]
    allowed = required + [ATTRIBUTES[word] for word in rules.get("optional", [])]
    presence = lambda field, extension: {"never": extension is None, "optional": True, "required": extension is not None}[
        profile.get(field, {"presence": "never"})["presence"]]
    alternative = profile.get("alternative_names", {})
    bits = [name for name in USAGES.values() if getattr(usage.value, name)]
    bits += [name for name in ("key_encipherment", "data_encipherment") if getattr(usage.value, name)]
    holds = {
        "basic constraints critical, as the kind": constraints.critical and constraints.value.ca == authority,
        "the path length": constraints.value.path_length == profile.get("path_len"),
        "the key usages, critical": usage.critical and sorted(bits) == sorted(USAGES[w] for w in profile["key_usages"]),
        "the extended key usages": wanted == found,
        "key identifiers, not critical": all(i is not None and not i.critical for i in identifiers),
        "the policies": (policies is None) or profile["policies"] != "none",
        "policies where they are listed": not isinstance(profile["policies"], list) or policies is not None,
        "alternative names where they are allowed": names is None or bool(alternative),
        "name constraints, critical": (limits is not None) == ("name_constraints" in profile),
        "CRL addresses": presence("crl_distribution", points),
        "authority information": presence("authority_info", access),
        "OCSP no check": (no_check is not None) == ("ocsp-no-check" in profile.get("extensions", [])),
        "no other extension but a lineage": all(not e.critical for e in by_oid.values())
        and len(by_oid) <= (profile.get("lineage", "never") != "never"),
        "the subject's attributes": all(oid in subject for oid in required) and all(oid in allowed for oid in subject),
        "the size": len(der) <= profile.get("max_octets", 1 << 20),
        "the years": "max_years" not in profile
        or (profile.get("may_never_end") and certificate.not_valid_after_utc.year == 9999)
        or certificate.not_valid_after_utc.year - certificate.not_valid_before_utc.year <= profile["max_years"],
        "no end": not profile.get("never_ends") or certificate.not_valid_after_utc.year == 9999,
    }
    return [f"profile: expected {rule}" for rule, right in holds.items() if not right]


def judge_certificate(path, certificates, nss):
    findings = []
    certificate = certificates[path]
    status, said = run(BIN / "lint_pkix_cert", "lint", "-s", "WARNING", path)
    if status != 0 or said:
        findings.append(f"pkilint: status {status}: {said}")
    if path.name.startswith("root-cabf.production."):
        # A rehearsal's carries the policy that marks it, which BR do not recommend.
        status, said = run(BIN / "lint_cabf_serverauth_cert", "lint", "-t", "ROOT-CA", "-s", "WARNING", path)
        if status != 0 or said:
            findings.append(f"pkilint, CA/B: status {status}: {said}")
    try:
        chain = chain_of(path, certificates)
        for below, above in zip(chain, chain[1:] or chain):
            certificates[below].verify_directly_issued_by(certificates[above])
    except Exception as error:
        return findings + [f"pyca: {error!r}"]
    profile = PROFILES / f"{path.name.split('.')[0]}.toml"
    if profile.is_file():
        der = certificate.public_bytes(serialization.Encoding.DER)
        findings += judge_profile(certificate, tomllib.loads(profile.read_text()), der)
    when = moment(chain, certificates)
    findings += judge_openssl(chain, when) + judge_gnutls(chain, when)
    findings += judge_go("chain", int(when.timestamp()), *chain)
    return findings + nss.judge(path, chain, when)


def judge_list(path, certificates, nss):
    findings = []
    status, said = run(BIN / "lint_crl", "lint", "-t", "ARL", "-p", "PKIX", "-s", "WARNING", path)
    if status != 0 or said:
        findings.append(f"pkilint: status {status}: {said}")
    crl = x509.load_pem_x509_crl(path.read_bytes())
    issuers = [other for other, candidate in certificates.items()
               if ski(candidate) == aki(crl) and candidate.subject.public_bytes() == crl.issuer.public_bytes()]
    if not issuers:
        return findings + ["pyca: expected the issuer in the folder, found none"]
    issuer = issuers[0]
    if not crl.is_signature_valid(certificates[issuer].public_key()):
        findings.append("pyca: expected a signature by the issuer's key, found another")
    if not classical([issuer]):
        return findings + judge_go("list", issuer, path)
    status, said = run("openssl", "crl", "-verify", "-CAfile", issuer, "-noout", "-in", path)
    if status != 0 or "verify OK" not in said:
        findings.append(f"openssl: {said}")
    when = (crl.last_update_utc + datetime.timedelta(seconds=1)).strftime("%Y-%m-%d %H:%M:%S")
    status, said = run("env", "TZ=UTC", "faketime", "-f", when, "certtool", "--verify-crl",
                       "--verify-profile", "medium", "--load-ca-certificate", issuer, "--infile", path)
    if status != 0 or "output: Verified. The certificate is trusted." not in said:
        findings.append(f"gnutls: {said[-300:]}")
    return findings + judge_go("list", issuer, path) + nss.judge_list(path, issuer)


def judge(folder):
    certificates = load(folder)
    with tempfile.TemporaryDirectory() as database:
        nss = Nss(database, certificates)
        findings = {path.name: judge_certificate(path, certificates, nss) for path in certificates}
        findings |= {path.name: judge_list(path, certificates, nss) for path in sorted(folder.glob("*.crl.pem"))}
    return findings


def lint_in_process(folder):
    """pkilint at WARNING over many files, without a process for each."""
    from pkilint import loader, report
    from pkilint.pkix import certificate, extension, name
    from pkilint.validation import ValidationFindingSeverity

    validator = certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [certificate.create_issuer_validator_container([]), certificate.create_validity_validator_container(),
         certificate.create_subject_validator_container([]), certificate.create_extensions_validator_container([]),
         certificate.create_spki_validator_container([])],
    )
    count = found = 0
    for path in sorted(folder.glob("*.crt.pem")):
        count += 1
        document = loader.RFC5280CertificateDocumentLoader().load_pem_document(path.read_text(), path.name)
        results = validator.validate(document.root)
        if report.get_findings_count(results, ValidationFindingSeverity.WARNING):
            found += 1
            print(f"FOUND  {path.name}")
            for result in results:
                for finding in result.finding_descriptions:
                    if finding.finding.severity >= ValidationFindingSeverity.WARNING:
                        print(f"       {finding.finding.code}: {finding.message}")
    print(f"{count} certificates, {found} with findings")
    return 2 if count == 0 else int(found > 0)


def flip_signature(path):
    """The last octet of the file's DER changed."""
    lines = path.read_text().strip().split("\n")
    label = lines[0]
    import base64

    der = bytearray(base64.b64decode("".join(lines[1:-1])))
    der[-1] ^= 1
    text = base64.b64encode(bytes(der)).decode()
    body = "\n".join(text[at:at + 64] for at in range(0, len(text), 64))
    path.write_text(f"{label}\n{body}\n{label.replace('BEGIN', 'END')}\n")


def self_test(folder):
    """Each judge of signatures finds a changed certificate and a changed list of P-256 or P-384 by itself."""
    missed = 0
    for pattern in ("tls-client.production.crt.pem", "subca-device.production.crl.pem"):
        with tempfile.TemporaryDirectory() as copy:
            copy = pathlib.Path(copy)
            for path in folder.glob("*.production.*.pem"):
                (copy / path.name).write_bytes(path.read_bytes())
            flip_signature(copy / pattern)
            findings = judge(copy)
        guilty = findings.pop(pattern)
        judges = {finding.split(":")[0] for finding in guilty}
        wanted = {"pyca"} if pattern.endswith("crt.pem") else {"pyca", "openssl", "gnutls", "go", "nss"}
        others = [name for name, sentences in findings.items() if sentences]
        right = wanted <= judges and not others
        missed += not right
        print(f"{'ok    ' if right else 'MISSED'} {pattern}: {', '.join(sorted(judges))}; also complained about: {others}")
    # One at a time where pyca does not stop the others.
    with tempfile.TemporaryDirectory() as copy:
        copy = pathlib.Path(copy)
        for path in folder.glob("*.production.crt.pem"):
            (copy / path.name).write_bytes(path.read_bytes())
        good = load(copy)
        target = copy / "tls-client.production.crt.pem"
        chain = chain_of(target, good)
        when = moment(chain, good)
        flip_signature(target)
        with tempfile.TemporaryDirectory() as database:
            nss = Nss(database, good)
            verdicts = {
                "openssl": judge_openssl(chain, when), "gnutls": judge_gnutls(chain, when),
                "go": judge_go("chain", int(when.timestamp()), *chain), "nss": nss.judge(target, chain, when),
            }
    for judge_name, said in verdicts.items():
        missed += not said
        print(f"{'ok    ' if said else 'MISSED'} a changed certificate: {judge_name}")
    return missed


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "--lint":
        return lint_in_process(pathlib.Path(arguments[1]))
    if len(arguments) == 2 and arguments[0] == "--self-test":
        return 1 if self_test(pathlib.Path(arguments[1])) else 0
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    findings = judge(pathlib.Path(arguments[0]))
    for name, sentences in findings.items():
        print(f"{'ok    ' if not sentences else 'FOUND '} {name}")
        for sentence in sentences:
            print(f"       {sentence}")
    if not findings:
        print(f"expected *.crt.pem in {arguments[0]}, found none", file=sys.stderr)
        return 2
    return 1 if any(findings.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
