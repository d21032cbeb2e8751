//! The artefact that says which requests were refused, and why: it goes back to the factory.

use super::{Refused, Statement};
use crate::basics::{Digest, canonical, limits};
use std::collections::BTreeMap;

/// The artefact that goes back to the factory: canonical JSON. Where there are too many to give every reason in full, as when a whole
/// collection has another nonce, the first are, and every request is under the words of its reasons.
///
/// # Errors
/// Never for strings and small integers.
pub fn refusals(
    ceremony: &str,
    statement: &Statement,
    sha256: &Digest,
    refused: &[Refused],
) -> Result<Vec<u8>, String> {
    let (mut octets, mut whole) = (0, 0);
    for one in refused {
        octets += canonical::to_octets(one).map_err(|e| e.to_string())?.len() + 1;
        if octets > limits::REFUSALS_OCTETS {
            break;
        }
        whole += 1;
    }
    let (whole, cut) = refused.split_at(whole);
    let mut refusals = serde_json::json!({
        "format": "anchorite-refusals/1",
        "realm": statement.realm,
        "ceremony": ceremony,
        "factory": statement.factory,
        "order": statement.order,
        "requests": sha256,
        "count": statement.count,
        "accepted": statement.count.saturating_sub(u32::try_from(refused.len()).unwrap_or(u32::MAX)),
        "refused": whole,
    });
    if let (false, Some(all)) = (cut.is_empty(), refusals.as_object_mut()) {
        all.insert("words".to_owned(), serde_json::json!(by_word(refused)));
    }
    canonical::to_octets(&refusals).map_err(|e| e.to_string())
}

/// Every word with the requests that are refused for it, `0-19,25`.
fn by_word(refused: &[Refused]) -> BTreeMap<&str, String> {
    let mut runs: BTreeMap<&str, Vec<(u32, u32)>> = BTreeMap::new();
    for one in refused {
        for why in &one.reasons {
            let of = runs.entry(&why.word).or_default();
            match of.last_mut() {
                Some((_, last)) if *last == one.request => {}
                Some((_, last)) if last.checked_add(1) == Some(one.request) => *last = one.request,
                _ => of.push((one.request, one.request)),
            }
        }
    }
    let text = |(first, last): &(u32, u32)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    runs.into_iter().map(|(word, of)| (word, of.iter().map(text).collect::<Vec<_>>().join(","))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factory::requests::Why;

    #[test]
    fn refusals_of_a_whole_collection_fit_an_artefact_and_name_every_request() {
        let reasons = |n: u32| {
            let mut reasons = vec![Why::new("nonce-other", "the order's nonce as challengePassword", &"0".repeat(64))];
            if n.is_multiple_of(2) {
                reasons.push(Why::new("subject-device", "a subject whose serialNumber is METER", "another"));
            }
            reasons
        };
        let of = |count: u32| -> Vec<Refused> {
            (0..count)
                .map(|request| Refused { request, device: format!("METER-{request:08}"), reasons: reasons(request) })
                .collect()
        };
        let statement = Statement {
            format: Statement::format(),
            realm: crate::basics::Realm::Rehearsal,
            factory: "ostrava".to_owned(),
            order: Digest::of(b"order"),
            nonce: Digest::of(b"nonce"),
            made: crate::basics::Instant(0),
            count: limits::COLLECTED_REQUESTS,
            size: 1,
            sha256: Digest::of(b"file"),
            root: Digest::of(b"root"),
            certificates: Vec::new(),
        };
        let written = |count: u32| {
            let octets = refusals("meters", &statement, &Digest::of(b"statement"), &of(count)).unwrap();
            assert!(octets.len() <= limits::EVIDENCE_FILE_OCTETS, "{}", octets.len());
            serde_json::from_slice::<serde_json::Value>(&octets).unwrap()
        };
        let few = written(100);
        assert_eq!((few["refused"].as_array().unwrap().len(), few.get("words")), (100, None));
        let all = written(limits::COLLECTED_REQUESTS);
        assert!(all["refused"].as_array().unwrap().len() > 10_000);
        assert_eq!(all["words"]["nonce-other"], "0-199999");
        let even = all["words"]["subject-device"].as_str().unwrap();
        assert!(even.starts_with("0,2,4,") && even.ends_with(",199998"));
    }
}
