//! A number and its noun, in the singular for one.

/// `1 file`, `2 files`.
#[must_use]
pub fn counted(count: impl Into<u64>, one: &str, many: &str) -> String {
    let count: u64 = count.into();
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

/// As [`counted`], for what has a plural in s.
#[must_use]
pub fn some(count: impl Into<u64>, one: &str) -> String {
    counted(count, one, &format!("{one}s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_none_is_not() {
        assert_eq!(some(1_u32, "shard"), "1 shard");
        assert_eq!(some(0_u32, "shard"), "0 shards");
        assert_eq!(counted(2_u64, "identity", "identities"), "2 identities");
    }
}
