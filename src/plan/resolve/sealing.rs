//! Whether a quorum guards a key as long as the key counts: what is sealed today can be copied today and opened later.

use super::Resolver;
use crate::keys::Algorithm;
use crate::keys::recipient::RecipientKind;
use crate::script::problem::Problems;
use crate::script::syntax::AuthoritySource;

impl Resolver<'_> {
    /// A post-quantum key under a quorum that a quantum computer opens would be one in name only.
    pub(super) fn sealed_as_strongly(&self, source: &AuthoritySource, algorithm: Algorithm, p: &mut Problems) {
        let Some(quorum) = self.script.quorums.iter().find(|q| q.name.value == source.quorum.value) else { return };
        let word = quorum.recipient.as_ref().map(|word| word.value.as_str());
        // A word that is none has been reported.
        let Some(kind) = word.map_or(Some(RecipientKind::default()), RecipientKind::from_word) else { return };
        if kind.is_post_quantum() {
            return;
        }
        let hint = format!(
            "add `recipient = \"{}\"` to [[quorum]] {}",
            RecipientKind::MlKem768X25519.word(),
            quorum.name.value
        );
        if algorithm.is_post_quantum() {
            p.add(
                source.quorum.span.clone(),
                format!(
                    "authority {} is post-quantum ({}) and quorum {} is classical ({})",
                    source.name.value,
                    algorithm.word(),
                    quorum.name.value,
                    kind.word()
                ),
                hint,
            );
        }
    }
}
