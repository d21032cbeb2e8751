#!/usr/bin/env python3
"""Makes certificates and revocation lists with one defect each, named for what is wrong with them, and asks pkilint about each.

    tests/.judges/venv/bin/python tests/vectors/inspect/make.py            writes *.pem and expected.json beside this file
    tests/.judges/venv/bin/python tests/vectors/inspect/make.py --check    pkilint still says of the files what expected.json says

The octets are put together here, value by value, so that nothing is corrected on the way. expected.json holds for each file the
rules of `anchorite certificate check` and `crl check` that must be broken (ours, by hand, in the table below), and what pkilint
finds at WARNING and above. The keys are made from the vectors' names and sign nothing else.
"""

import hashlib
import json
import pathlib
import subprocess
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(sys.executable).parent


def tlv(tag, *content):
    content = b"".join(content)
    length = len(content)
    if length < 0x80:
        head = bytes([length])
    else:
        octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
        head = bytes([0x80 | len(octets)]) + octets
    return bytes([tag]) + head + content


def seq(*parts):
    return tlv(0x30, *parts)


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    octets = b""
    for number in [first * 40 + second, *rest]:
        chunk = [number & 0x7F]
        while number > 0x7F:
            number >>= 7
            chunk.insert(0, number & 0x7F | 0x80)
        octets += bytes(chunk)
    return tlv(6, octets)


def integer(value):
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def attribute(kind, tag, value):
    return tlv(0x31, seq(oid(kind), tlv(tag, value)))


UTF8, PRINTABLE, TELETEX, IA5 = 0x0C, 0x13, 0x14, 0x16
COUNTRY, ORGANIZATION, COMMON_NAME, SERIAL_NUMBER = "2.5.4.6", "2.5.4.10", "2.5.4.3", "2.5.4.5"


def name(common_name, tag=UTF8, country=b"SE", country_tag=PRINTABLE, organization=b"Example", organization_tag=UTF8, extra=b""):
    return seq(
        attribute(COUNTRY, country_tag, country),
        attribute(ORGANIZATION, organization_tag, organization),
        extra,
        attribute(COMMON_NAME, tag, common_name),
    )


ECDSA_SHA256 = seq(oid("1.2.840.10045.4.3.2"))
TRUE = b"\x01\x01\xff"


def extension(kind, value, critical=False, spelling=None):
    flag = spelling if spelling is not None else (TRUE if critical else b"")
    return seq(oid(kind), flag, tlv(4, value))


def private_key(text):
    number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big") % (2**255)
    return ec.derive_private_key(number, ec.SECP256R1())


def spki(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def identifier(key):
    bits = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return hashlib.sha256(bits).digest()[:20]


ISSUER_KEY, KEY = private_key("issuer"), private_key("subject")
ISSUER_NAME = name(b"Example Issuer")

KU, BC, SKI, AKI, SAN, NC, CDP, CP, EKU, AIA = (
    "2.5.29.15", "2.5.29.19", "2.5.29.14", "2.5.29.35", "2.5.29.17", "2.5.29.30", "2.5.29.31", "2.5.29.32", "2.5.29.37",
    "1.3.6.1.5.5.7.1.1",
)


def ca_fields():
    return {
        BC: extension(BC, seq(TRUE), True),
        KU: extension(KU, bytes.fromhex("03020106"), True),
        SKI: extension(SKI, tlv(4, identifier(KEY))),
        AKI: extension(AKI, seq(tlv(0x80, identifier(ISSUER_KEY)))),
    }


def ee_fields():
    return {
        BC: extension(BC, seq(), True),
        KU: extension(KU, bytes.fromhex("03020780"), True),
        SKI: extension(SKI, tlv(4, identifier(KEY))),
        AKI: extension(AKI, seq(tlv(0x80, identifier(ISSUER_KEY)))),
    }


def certificate(
    ca=False,
    version=b"\xa0\x03\x02\x01\x02",
    serial=b"\x02\x14" + b"\x41" * 20,
    inside=ECDSA_SHA256,
    outside=ECDSA_SHA256,
    issuer=ISSUER_NAME,
    times=(b"\x17\x0d270101000000Z", b"\x17\x0d370101000000Z"),
    subject=None,
    key=None,
    before_extensions=b"",
    change=None,
    extensions=None,
    raw=None,
):
    fields = ca_fields() if ca else ee_fields()
    for kind, value in (change or {}).items():
        if value is None:
            del fields[kind]
        else:
            fields[kind] = value
    if extensions is None:
        extensions = tlv(0xA3, seq(*fields.values()))
    tbs = seq(
        version, serial, inside, issuer, seq(*times), name(b"Example Subject") if subject is None else subject,
        spki(KEY) if key is None else key, before_extensions, extensions,
    )
    if raw is not None:
        tbs = raw(tbs)
    return seq(tbs, outside, tlv(3, b"\x00", sign(ISSUER_KEY, tbs)))


def sign(key, octets):
    return key.sign(octets, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


def utc(text):
    return tlv(0x17, text)


def general(text):
    return tlv(0x18, text)


END = b"\x17\x0d370101000000Z"
BEGIN = b"\x17\x0d270101000000Z"
URI = tlv(0x86, b"http://example.com/ca")


def long_length(tbs):
    """The length of the TBSCertificate in one octet more than it needs; it has two."""
    assert tbs[1] == 0x82
    return tbs[:1] + b"\x83\x00" + tbs[2:]


def rsa_without_null():
    from cryptography.hazmat.primitives.asymmetric import rsa

    # The modulus of a published test key would be refused for that; any odd number of the size shows the defect.
    modulus = int.from_bytes(hashlib.shake_256(b"modulus").digest(256), "big") | 1 << 2047 | 1
    octets = rsa.RSAPublicNumbers(65537, modulus).public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return seq(seq(oid("1.2.840.113549.1.1.1")), tlv(3, b"\x00", octets))


# Name, the rule of ours that must be broken, certificate.
CERTIFICATES = [
    ("control-authority", None, lambda: certificate(ca=True)),
    ("control-end-entity", None, lambda: certificate()),
    ("serial-negative", "cert.serial.positive", lambda: certificate(serial=b"\x02\x14" + b"\xc1" * 20)),
    ("serial-zero", "cert.serial.positive", lambda: certificate(serial=b"\x02\x01\x00")),
    ("serial-of-21-octets", "cert.serial.length", lambda: certificate(serial=b"\x02\x15" + b"\x41" * 21)),
    ("serial-padded", "der.integer-minimal", lambda: certificate(serial=b"\x02\x14\x00" + b"\x41" * 19)),
    ("version-1-with-extensions", "cert.version.three", lambda: certificate(version=b"")),
    ("version-2-with-extensions", "cert.version.three", lambda: certificate(version=b"\xa0\x03\x02\x01\x01")),
    ("version-1-written", "der.default-written", lambda: certificate(version=b"\xa0\x03\x02\x01\x00")),
    ("validity-reversed", "cert.validity.in-order", lambda: certificate(times=(END, BEGIN))),
    ("utctime-without-seconds", "cert.not-after.form", lambda: certificate(times=(BEGIN, utc(b"3701010000Z")))),
    ("utctime-with-offset", "cert.not-before.form", lambda: certificate(times=(utc(b"270101000000+0100"), END))),
    ("generalizedtime-before-2050", "cert.not-before.form", lambda: certificate(times=(general(b"20270101000000Z"), END))),
    ("generalizedtime-with-fraction", "cert.not-after.form", lambda: certificate(times=(BEGIN, general(b"20500101000000.5Z")))),
    ("time-on-30-february", "cert.not-after.form", lambda: certificate(times=(BEGIN, utc(b"300230000000Z")))),
    ("algorithm-other-inside", "cert.algorithm.inside-as-outside", lambda: certificate(inside=seq(oid("1.2.840.10045.4.3.3")))),
    ("algorithm-with-null", "algorithm.parameters", lambda: certificate(
        inside=seq(oid("1.2.840.10045.4.3.2"), b"\x05\x00"), outside=seq(oid("1.2.840.10045.4.3.2"), b"\x05\x00"))),
    ("algorithm-sha1", "algorithm.strength", lambda: certificate(
        inside=seq(oid("1.2.840.10045.4.1")), outside=seq(oid("1.2.840.10045.4.1")))),
    ("rsa-key-without-null", "cert.key.parameters", lambda: certificate(key=rsa_without_null())),
    ("key-off-its-curve", "cert.key.valid", lambda: certificate(key=spki(KEY)[:-1] + bytes([spki(KEY)[-1] ^ 1]))),
    ("issuer-empty", "cert.issuer.not-empty", lambda: certificate(issuer=seq())),
    ("country-as-utf8string", "name.string-type", lambda: certificate(subject=name(b"Subject", country_tag=UTF8))),
    ("country-in-lower-case", "name.country", lambda: certificate(subject=name(b"Subject", country=b"se"))),
    ("country-of-three-letters", "name.length", lambda: certificate(subject=name(b"Subject", country=b"SWE"))),
    ("common-name-as-teletexstring", "name.string-type", lambda: certificate(subject=name(b"Subject", tag=TELETEX))),
    ("common-name-of-65-characters", "name.length", lambda: certificate(subject=name(b"x" * 65))),
    ("common-name-empty", "name.empty-value", lambda: certificate(subject=name(b""))),
    ("serial-number-as-utf8string", "name.string-type", lambda: certificate(
        subject=name(b"Subject", extra=attribute(SERIAL_NUMBER, UTF8, b"117")))),
    ("printablestring-with-at", "der.printable-string", lambda: certificate(
        subject=name(b"Subject", organization=b"a@b", organization_tag=PRINTABLE))),
    ("utf8string-not-utf8", "der.utf8-string", lambda: certificate(subject=name(b"\xc3\x28"))),
    ("name-with-trailing-space", "name.spaces", lambda: certificate(subject=name(b"Subject "))),
    ("name-with-bidi-override", "name.visible", lambda: certificate(subject=name("Sub\u202eject".encode()))),
    ("set-out-of-order", "der.set-order", lambda: certificate(subject=seq(tlv(
        0x31, seq(oid(COMMON_NAME), tlv(UTF8, b"x")), seq(oid(COUNTRY), tlv(PRINTABLE, b"SE"))[:0],
        seq(oid(COMMON_NAME), tlv(UTF8, b"a")))))),
    ("unique-identifier", "cert.unique-ids.absent", lambda: certificate(before_extensions=b"\x82\x02\x00\xaa")),
    ("extensions-empty", "extensions.not-empty", lambda: certificate(extensions=tlv(0xA3, seq()))),
    ("extension-twice", "extensions.once", lambda: certificate(
        extensions=tlv(0xA3, seq(*ee_fields().values(), ee_fields()[SKI])))),
    ("extension-unknown-critical", "extensions.critical-known", lambda: certificate(
        change={"x": extension("1.3.6.1.4.1.32473.99", b"\x05\x00", True)})),
    ("critical-false-written", "der.default-written", lambda: certificate(
        change={SKI: extension(SKI, tlv(4, identifier(KEY)), spelling=b"\x01\x01\x00")})),
    ("boolean-true-as-01", "der.boolean", lambda: certificate(
        change={KU: extension(KU, bytes.fromhex("03020780"), spelling=b"\x01\x01\x01")})),
    ("ca-false-written", "der.default-written", lambda: certificate(change={BC: extension(BC, seq(b"\x01\x01\x00"), True)})),
    ("basic-constraints-not-critical", "extensions.critical", lambda: certificate(ca=True, change={BC: extension(BC, seq(TRUE))})),
    ("path-length-without-ca", "cert.path-length.of-authority", lambda: certificate(
        change={BC: extension(BC, seq(integer(0)), True)})),
    ("path-length-negative", "cert.path-length.number", lambda: certificate(
        ca=True, change={BC: extension(BC, seq(TRUE, integer(-1)), True)})),
    ("key-usage-not-critical", "extensions.critical", lambda: certificate(
        ca=True, change={KU: extension(KU, bytes.fromhex("03020106"))})),
    ("key-usage-missing-in-authority", "cert.key-usage.present", lambda: certificate(ca=True, change={KU: None})),
    ("key-usage-with-trailing-zeros", "cert.key-usage.bits", lambda: certificate(
        change={KU: extension(KU, bytes.fromhex("03020080"), True)})),
    ("key-usage-empty", "cert.key-usage.some", lambda: certificate(change={KU: extension(KU, bytes.fromhex("030100"), True)})),
    ("key-usage-unused-bits-set", "der.bit-string", lambda: certificate(
        change={KU: extension(KU, bytes.fromhex("03020781"), True)})),
    ("key-cert-sign-without-ca", "cert.key-usage.signs", lambda: certificate(
        change={KU: extension(KU, bytes.fromhex("03020284"), True)})),
    ("ca-without-key-cert-sign", "cert.key-usage.signs", lambda: certificate(
        ca=True, change={KU: extension(KU, bytes.fromhex("03020102"), True)})),
    ("key-encipherment-of-ec-key", "cert.key-usage.fits-key", lambda: certificate(
        change={KU: extension(KU, bytes.fromhex("030205a0"), True)})),
    ("ski-critical", "extensions.critical", lambda: certificate(change={SKI: extension(SKI, tlv(4, identifier(KEY)), True)})),
    ("ski-missing-in-authority", "cert.subject-key-identifier.present", lambda: certificate(ca=True, change={SKI: None})),
    ("aki-missing", "cert.authority-key-identifier.present", lambda: certificate(change={AKI: None})),
    ("aki-critical", "extensions.critical", lambda: certificate(
        change={AKI: extension(AKI, seq(tlv(0x80, identifier(ISSUER_KEY))), True)})),
    ("aki-without-key-identifier", "cert.authority-key-identifier.key", lambda: certificate(change={AKI: extension(AKI, seq())})),
    ("subject-empty-in-authority", "cert.subject.not-empty", lambda: certificate(ca=True, subject=seq())),
    ("san-not-critical-with-empty-subject", "extensions.critical", lambda: certificate(
        subject=seq(), change={SAN: extension(SAN, seq(tlv(0x82, b"a.example")))})),
    ("san-empty", "cert.general-names.some", lambda: certificate(change={SAN: extension(SAN, seq())})),
    ("san-dns-with-space", "cert.general-name.form", lambda: certificate(change={SAN: extension(SAN, seq(tlv(0x82, b"a b")))})),
    ("san-dns-with-empty-label", "cert.general-name.form", lambda: certificate(
        change={SAN: extension(SAN, seq(tlv(0x82, b"a..example")))})),
    ("san-ip-of-five-octets", "cert.general-name.form", lambda: certificate(
        change={SAN: extension(SAN, seq(tlv(0x87, b"\x01\x02\x03\x04\x05")))})),
    ("san-uri-relative", "cert.general-name.form", lambda: certificate(change={SAN: extension(SAN, seq(tlv(0x86, b"/path")))})),
    ("san-email-without-host", "cert.general-name.form", lambda: certificate(
        change={SAN: extension(SAN, seq(tlv(0x81, b"nobody")))})),
    ("name-constraints-in-end-entity", "cert.constraints.of-authority", lambda: certificate(
        change={NC: extension(NC, seq(tlv(0xA0, seq(tlv(0x82, b"example")))), True)})),
    ("name-constraints-not-critical", "extensions.critical", lambda: certificate(
        ca=True, change={NC: extension(NC, seq(tlv(0xA0, seq(tlv(0x82, b"example")))))})),
    ("name-constraints-empty", "cert.name-constraints.some", lambda: certificate(ca=True, change={NC: extension(NC, seq(), True)})),
    ("name-constraints-with-maximum", "cert.name-constraints.bounds", lambda: certificate(
        ca=True, change={NC: extension(NC, seq(tlv(0xA0, seq(tlv(0x82, b"example"), tlv(0x81, b"\x03")))), True)})),
    ("name-constraints-mask-with-hole", "cert.name-constraints.mask", lambda: certificate(
        ca=True, change={NC: extension(NC, seq(tlv(0xA0, seq(tlv(0x87, bytes.fromhex("0a000000ff00ff00"))))), True)})),
    ("policy-twice", "cert.policies.once", lambda: certificate(
        change={CP: extension(CP, seq(*[seq(oid("1.3.6.1.4.1.32473.1"))] * 2))})),
    ("policies-empty", "cert.policies.some", lambda: certificate(change={CP: extension(CP, seq())})),
    ("policy-qualifier-unknown", "cert.policies.qualifier", lambda: certificate(change={CP: extension(CP, seq(seq(
        oid("1.3.6.1.4.1.32473.1"), seq(seq(oid("1.3.6.1.4.1.32473.2"), b"\x05\x00")))))})),
    ("crl-distribution-reasons-only", "cert.crl-distribution.point", lambda: certificate(
        change={CDP: extension(CDP, seq(seq(b"\x81\x02\x01\x06")))})),
    ("crl-distribution-critical", "extensions.critical", lambda: certificate(
        change={CDP: extension(CDP, seq(seq(tlv(0xA0, tlv(0xA0, URI)))), True)})),
    ("authority-info-critical", "extensions.critical", lambda: certificate(
        change={AIA: extension(AIA, seq(seq(oid("1.3.6.1.5.5.7.48.2"), URI)), True)})),
    ("authority-info-empty", "cert.information-access.description", lambda: certificate(change={AIA: extension(AIA, seq())})),
    ("extended-key-usage-empty", "cert.extended-key-usage.some", lambda: certificate(change={EKU: extension(EKU, seq())})),
    ("extended-key-usage-twice", "cert.extended-key-usage.once", lambda: certificate(
        change={EKU: extension(EKU, seq(*[oid("1.3.6.1.5.5.7.3.2")] * 2))})),
    ("length-too-long", "der.length-minimal", lambda: certificate(raw=long_length)),
    ("octets-after-the-end", "der.trailing", lambda: certificate() + b"\x00"),
]

NUMBER = "2.5.29.20"


def crl(
    version=b"\x02\x01\x01", inside=ECDSA_SHA256, this=utc(b"270101000000Z"), following=utc(b"271201000000Z"),
    entries=None, change=None, extensions=None,
):
    fields = {AKI: extension(AKI, seq(tlv(0x80, identifier(ISSUER_KEY)))), NUMBER: extension(NUMBER, integer(2))}
    for kind, value in (change or {}).items():
        if value is None:
            del fields[kind]
        else:
            fields[kind] = value
    entries = seq(entry()) if entries is None else entries
    extensions = tlv(0xA0, seq(*fields.values())) if extensions is None else extensions
    tbs = seq(version, inside, ISSUER_NAME, this, following, entries, extensions)
    return seq(tbs, ECDSA_SHA256, tlv(3, b"\x00", sign(ISSUER_KEY, tbs)))


def entry(serial=b"\x02\x14" + b"\x42" * 20, date=utc(b"261231000000Z"), reason=b"\x0a\x01\x01", extensions=None, critical=False):
    if extensions is None:
        extensions = seq(extension("2.5.29.21", reason, critical))
    return seq(serial, date, extensions)


LISTS = [
    ("crl-control", None, lambda: crl()),
    ("crl-version-1", "crl.version.two", lambda: crl(version=b"")),
    ("crl-without-number", "crl.number.present", lambda: crl(change={NUMBER: None})),
    ("crl-number-negative", "crl.number.size", lambda: crl(change={NUMBER: extension(NUMBER, integer(-2))})),
    ("crl-number-critical", "extensions.critical", lambda: crl(change={NUMBER: extension(NUMBER, integer(2), True)})),
    ("crl-number-of-21-octets", "crl.number.size", lambda: crl(change={NUMBER: extension(NUMBER, tlv(2, b"\x41" * 21))})),
    ("crl-without-aki", "crl.authority-key-identifier.present", lambda: crl(change={AKI: None})),
    ("crl-without-next-update", "crl.next-update.present", lambda: crl(following=b"")),
    ("crl-times-reversed", "crl.times.in-order", lambda: crl(following=utc(b"261201000000Z"))),
    ("crl-generalizedtime-before-2050", "crl.this-update.form", lambda: crl(this=general(b"20270101000000Z"))),
    ("crl-entries-empty", "crl.entries.absent-when-empty", lambda: crl(entries=seq())),
    ("crl-entry-twice", "crl.entry.once", lambda: crl(entries=seq(entry(), entry()))),
    ("crl-entry-reason-unspecified", "crl.entry.reason", lambda: crl(entries=seq(entry(reason=b"\x0a\x01\x00")))),
    ("crl-entry-reason-7", "crl.entry.reason", lambda: crl(entries=seq(entry(reason=b"\x0a\x01\x07")))),
    ("crl-entry-reason-critical", "crl.entry.critical", lambda: crl(entries=seq(entry(critical=True)))),
    ("crl-entry-serial-negative", "crl.entry.serial-positive", lambda: crl(entries=seq(entry(serial=b"\x02\x02\xc1\x41")))),
    ("crl-entry-revoked-later", "crl.entry.date", lambda: crl(entries=seq(entry(date=utc(b"270601000000Z"))))),
    ("crl-algorithm-other-inside", "crl.algorithm.inside-as-outside", lambda: crl(inside=seq(oid("1.2.840.10045.4.3.3")))),
    ("crl-extension-twice", "extensions.once", lambda: crl(extensions=tlv(0xA0, seq(
        extension(AKI, seq(tlv(0x80, identifier(ISSUER_KEY)))), *[extension(NUMBER, integer(2))] * 2)))),
]


def pem(label, der):
    import base64

    text = base64.b64encode(der).decode()
    lines = [text[at:at + 64] for at in range(0, len(text), 64)]
    return f"-----BEGIN {label}-----\n" + "\n".join(lines) + f"\n-----END {label}-----\n"


def pkilint(path, is_list):
    """The codes pkilint finds at WARNING and above; a file it cannot read is one finding."""
    tool = [BIN / "lint_crl", "lint", "-t", "ARL", "-p", "PKIX"] if is_list else [BIN / "lint_pkix_cert", "lint"]
    done = subprocess.run([*map(str, tool), "-s", "WARNING", "-f", "JSON", str(path)], capture_output=True, text=True, check=False)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        return ["unreadable"]
    codes = {finding["code"] for result in report["results"] for finding in result["finding_descriptions"]}
    return sorted(codes)


def main(arguments):
    check = arguments == ["--check"]
    if arguments and not check:
        print(__doc__, file=sys.stderr)
        return 2
    expected = {}
    for kind, rows in (("CERTIFICATE", CERTIFICATES), ("X509 CRL", LISTS)):
        for title, rule, make in rows:
            path = HERE / f"{title}.pem"
            if not check:
                path.write_text(pem(kind, make()))
            codes = pkilint(path, kind == "X509 CRL")
            expected[title] = {"list": kind == "X509 CRL", "pkilint": codes, "rule": rule}
            if (rule is None) and codes:
                print(f"{title}: pkilint finds {codes} in what should be sound", file=sys.stderr)
                return 1
    issuer = certificate(ca=True, issuer=ISSUER_NAME, subject=ISSUER_NAME, key=spki(ISSUER_KEY), change={
        SKI: extension(SKI, tlv(4, identifier(ISSUER_KEY)))}, times=(utc(b"260101000000Z"), utc(b"460101000000Z")))
    if not check:
        (HERE / "issuer.pem").write_text(pem("CERTIFICATE", issuer))
    text = json.dumps(expected, indent=1, sort_keys=True) + "\n"
    found = sum(bool(row["pkilint"]) for row in expected.values())
    print(f"{len(expected)} vectors, pkilint finds something in {found}")
    if check:
        same = (HERE / "expected.json").read_text() == text
        print("as recorded" if same else "pkilint says otherwise than expected.json")
        return 0 if same else 1
    (HERE / "expected.json").write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
