//! Values that come with the tool as examples: good for a rehearsal, never for a production run. The scripts themselves are
//! the list, so that a changed example is known at once.

use crate::keys::ssh::SshPublicKey;

/// Arcs nobody may issue under: the one for documentation (RFC 5612), and the one in the scripts that come with the tool.
const ARCS: [&str; 2] = ["1.3.6.1.4.1.32473", "1.3.6.1.4.1.55555"];

const SCRIPTS: [&str; 9] = [
    include_str!("../../../ceremony-scripts/small-root/script.toml"),
    include_str!("../../../ceremony-scripts/root-ca/script.toml"),
    include_str!("../../../ceremony-scripts/hierarchy/script.toml"),
    include_str!("../../../ceremony-scripts/intermediate/script.toml"),
    include_str!("../../../ceremony-scripts/crl/script.toml"),
    include_str!("../../../ceremony-scripts/rollover/script.toml"),
    include_str!("../../../ceremony-scripts/rollover-pq/script.toml"),
    include_str!("../../../ceremony-scripts/cross-sign/script.toml"),
    include_str!("../../../ceremony-scripts/renew/script.toml"),
];

/// Whether an arc is one of the examples or below it.
#[must_use]
pub fn arc(dotted: &str) -> bool {
    ARCS.iter().any(|example| dotted.strip_prefix(example).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// Whether a key comes with the tool: whoever has the tool's sources may have its other half.
#[must_use]
pub fn public_key(key: &SshPublicKey) -> bool {
    let quoted = format!("\"{}\"", key.line());
    SCRIPTS.iter().any(|script| script.contains(&quoted))
}

/// Whether a part of a subject is that of a shipped script.
#[must_use]
pub fn subject(part: &str) -> bool {
    let quoted = format!("\"{part}\"");
    SCRIPTS.iter().flat_map(|script| script.lines()).any(|line| line.starts_with("subject") && line.contains(&quoted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_arc_of_the_shipped_scripts_is_known_as_an_example() {
        let value = |line: &str, key: &str| Some(line.strip_prefix(key)?.trim_matches([' ', '=', '"']).to_owned());
        let lines = || SCRIPTS.iter().flat_map(|script| script.lines());
        let keys: std::collections::BTreeSet<String> = lines().filter_map(|line| value(line, "public_key")).collect();
        assert_eq!(keys.len(), 10);
        assert!(keys.iter().all(|key| public_key(&SshPublicKey::parse(key).unwrap())));
        assert!(lines().filter_map(|line| value(line, "oid_arc")).all(|dotted| arc(&dotted)));
        assert!(arc("1.3.6.1.4.1.32473") && arc("1.3.6.1.4.1.55555.1"));
        assert!(subject("Example Devices") && subject("Example Small Root 2026") && !subject("Devices"));
        assert!(!arc("1.3.6.1.4.1.324730.1") && !arc("1.3.6.1.4.1.5555.1"));
    }
}
