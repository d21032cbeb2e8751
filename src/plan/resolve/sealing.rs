//! Whether a quorum guards a key as long as the key counts: what is sealed today can be copied today and opened later.

use super::Resolver;
use crate::keys::Algorithm;
use crate::keys::recipient::RecipientKind;
use crate::keys::strength::CLASSICAL_RETIREMENT;
use crate::script::problem::Problems;
use crate::script::syntax::AuthoritySource;

impl Resolver<'_> {
    /// A post-quantum key under a quorum that a quantum computer opens would be one in name only; and what outlives classical
    /// cryptography is not sealed by it. An authority that stands is sealed already, and goes on until it is rolled over.
    pub(super) fn sealed_as_strongly(&self, source: &AuthoritySource, algorithm: Algorithm, p: &mut Problems) {
        let Some(quorum) = self.script.quorums.iter().find(|q| q.name.value == source.quorum.value) else { return };
        let word = quorum.recipient.as_ref().map(|word| word.value.as_str());
        // A word that is none has been reported.
        let Some(kind) = word.map_or(Some(RecipientKind::default()), RecipientKind::from_word) else { return };
        if kind.is_post_quantum() || source.standing {
            return;
        }
        let (authority, name) = (&source.name.value, &quorum.name.value);
        let hint = format!("add `recipient = \"{}\"` to [[quorum]] {name}", RecipientKind::MlKem768X25519.word());
        if algorithm.is_post_quantum() {
            let word = algorithm.word();
            p.add(
                source.quorum.span.clone(),
                format!(
                    "authority {authority} is post-quantum ({word}) and quorum {name} is classical ({})",
                    kind.word()
                ),
                hint,
            );
        } else if !p.at(&source.not_after.span) && source.not_after.value > CLASSICAL_RETIREMENT {
            p.add(
                source.not_after.span.clone(),
                format!(
                    "authority {authority} is valid until {}, and quorum {name} is classical ({}): nothing that counts after {} is sealed by it",
                    source.not_after.value,
                    kind.word(),
                    CLASSICAL_RETIREMENT.rfc3339().get(..10).unwrap_or_default()
                ),
                format!("{hint}, or end earlier"),
            );
        }
    }
}
