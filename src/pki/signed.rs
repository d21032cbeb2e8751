//! What certificates and revocation lists share: SEQUENCE { to be signed, AlgorithmIdentifier, BIT STRING }.

use super::{PkiError, oids};
use crate::keys::Algorithm;
use der::asn1::{Any, BitString};
use der::{Decode, Encode, Reader, Sequence, SliceReader};
use spki::AlgorithmIdentifierOwned;

#[derive(Sequence)]
struct Signed {
    tbs: Any,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

/// Puts a signature by a key of this algorithm round octets to be signed.
pub(super) fn assemble(
    what: &'static str,
    tbs: &[u8],
    algorithm: Algorithm,
    signature: &[u8],
) -> Result<Vec<u8>, PkiError> {
    let to_be_signed = Any::from_der(tbs).map_err(|_| PkiError::malformed(what, "one DER value to be signed"))?;
    let signature = BitString::from_bytes(signature).map_err(PkiError::encoding(what))?;
    let signed = Signed { tbs: to_be_signed, algorithm: oids::signature_identifier(algorithm), signature };
    signed.to_der().map_err(PkiError::encoding(what))
}

/// The octets that were signed, exactly as they are in `der`.
pub(super) fn to_be_signed<'a>(what: &'static str, der: &'a [u8]) -> Result<&'a [u8], PkiError> {
    let read = |octets: &'a [u8]| -> Result<&'a [u8], der::Error> {
        let mut reader = SliceReader::new(octets)?;
        let tbs = reader.sequence(|inner: &mut SliceReader<'a>| {
            let tbs = inner.tlv_bytes()?;
            inner.tlv_bytes()?;
            inner.tlv_bytes()?;
            Ok::<_, der::Error>(tbs)
        })?;
        reader.finish()?;
        Ok(tbs)
    };
    read(der).map_err(|_| PkiError::malformed(what, "DER of three values: to be signed, algorithm, signature"))
}
