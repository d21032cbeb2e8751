"""A factory's module by pyca: issues what the profile `tls-client` says, or something that it must not."""
import datetime
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FROM, UNTIL = datetime.datetime(2026, 11, 25), datetime.datetime(2027, 2, 1)


class Module:
    def __init__(self, key, certificate, mark="REHEARSAL ", policy="1.3.6.1.4.1.32473.1"):
        self.key, self.certificate, self.serial, self.mark, self.policy = key, certificate, 0, mark, policy

    def issue(self, device, public=None, serial=None, until=UNTIL, begin=FROM, usage=ExtendedKeyUsageOID.CLIENT_AUTH, alternative=None, signer=None,
              authority=False, organization="REHEARSAL Example Devices"):
        public = public or ec.generate_private_key(ec.SECP256R1()).public_key()
        self.serial += 1
        bits = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        serial = serial or int.from_bytes(b"\x41" + hashlib.sha256(str(self.serial).encode()).digest()[:19], "big")
        attributes = [(NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, f"{self.mark}Meter {device}"), (NameOID.SERIAL_NUMBER, device)]
        builder = (x509.CertificateBuilder().issuer_name(self.certificate.subject).public_key(public).serial_number(serial)
                   .subject_name(x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])).not_valid_before(begin).not_valid_after(until))
        aki = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        flags = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign", "encipher_only", "decipher_only"), False)
        builder = builder.add_extension(x509.BasicConstraints(authority, None), True)
        builder = builder.add_extension(x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, **flags), True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
        builder = builder.add_extension(x509.SubjectKeyIdentifier(hashlib.sha256(bits).digest()[:20]), False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(aki), False)
        if self.policy:
            builder = builder.add_extension(x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(self.policy), None)]), False)
        if alternative:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternative), False)
        return builder.sign(signer or self.key, hashes.SHA256())
