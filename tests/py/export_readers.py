"""Two readers of exports, written from other people's descriptions: ESP-IDF's pages of an NVS partition, and Microchip's element manifests."""

import base64
import json
import struct
import zlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature


def read_nvs(partition):
    """Key to value of an NVS partition, from ESP-IDF's description of its pages: a head of 32 octets, a bitmap, 126 entries of 32."""
    values, blobs = {}, {}
    for page in range(0, len(partition), 4096):
        state, _, version = struct.unpack_from("<IIB", partition, page)
        if state == 0xFFFFFFFF:
            continue
        assert zlib.crc32(partition[page + 4:page + 28], 0xFFFFFFFF) == struct.unpack_from("<I", partition, page + 28)[0], "page head"
        entry = 0
        while entry < 126:
            at = page + 64 + 32 * entry
            namespace, kind, span, chunk = partition[at:at + 4]
            if namespace == 0xFF:
                break
            head = partition[at:at + 4] + partition[at + 8:at + 32]
            assert zlib.crc32(head, 0xFFFFFFFF) == struct.unpack_from("<I", partition, at + 4)[0], "entry"
            key = partition[at + 8:at + 24].split(b"\0")[0].decode()
            if kind == 0x04:
                values[key] = struct.unpack_from("<I", partition, at + 24)[0]
            elif kind in (0x21, 0x42):
                size, _, checksum = struct.unpack_from("<HHI", partition, at + 24)
                octets = partition[at + 32:at + 32 + size]
                assert zlib.crc32(octets, 0xFFFFFFFF) == checksum, key
                if kind == 0x21:
                    values[key] = octets.rstrip(b"\0").decode()
                else:
                    blobs.setdefault(key, {})[chunk] = octets
            entry += span
    return values | {key: b"".join(parts[n] for n in sorted(parts)) for key, parts in blobs.items()}


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verify_element(signed, signer):
    """One object of a manifest, from Microchip's description (DS50003064 2.4 to 2.7); gives its payload."""
    assert set(signed) == {"payload", "protected", "header", "signature"}
    protected, payload = json.loads(unpadded(signed["protected"])), json.loads(unpadded(signed["payload"]))
    assert protected["alg"] == "ES256" and protected["typ"] == "JWT"
    assert unpadded(protected["kid"]) == signer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert unpadded(protected["x5t#S256"]) == signer.fingerprint(hashes.SHA256())
    raw = unpadded(signed["signature"])
    assert len(raw) == 64
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    signer.public_key().verify(signature, f"{signed['protected']}.{signed['payload']}".encode(), ec.ECDSA(hashes.SHA256()))
    assert payload["uniqueId"] == signed["header"]["uniqueId"] and payload["version"] == 1
    for entity in ("manufacturer", "provisioner", "distributor"):
        assert payload[entity]["organizationName"]
    (key,) = payload["publicKeySet"]["keys"]
    assert "d" not in key and key["kid"] == "0"
    certificates = [x509.load_der_x509_certificate(base64.b64decode(der)) for der in key["x5c"]]
    for below, above in zip(certificates, certificates[1:]):
        below.verify_directly_issued_by(above)
    public = certificates[0].public_key()
    if key["kty"] == "EC":
        numbers = public.public_numbers()
        assert (numbers.x, numbers.y) == tuple(int.from_bytes(unpadded(key[name]), "big") for name in "xy")
    else:
        assert key["crv"] == "Ed25519" and unpadded(key["x"]) == public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return payload
