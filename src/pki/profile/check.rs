//! What can be wrong with a profile itself, field by field.

use super::presence::url_problem;
use super::{Extra, KeyUsage, Kind, MOST_CRL_DAYS, MOST_DAYS, MOST_YEARS, Policies, PolicyRule, Presence, Profile};
use crate::basics::limits;
use crate::keys::Algorithm;
use crate::pki::general_name::Subtree;
use crate::pki::name::Attribute;
use const_oid::ObjectIdentifier;

/// Characters of a profile's name.
const NAME_CHARS: usize = 64;
/// Subordinate levels below a root; deeper than this is a mistake.
const MOST_PATH_LEN: u8 = 8;
/// Entries of any list in a profile.
const MOST_ENTRIES: usize = 64;
/// Octets a certificate may be bounded to: below, not even a key and a signature fit.
const OCTETS: std::ops::RangeInclusive<usize> = 200..=65_536;
const MOST_SOURCE_CHARS: usize = 400;

pub(super) fn problems(profile: &Profile) -> Vec<String> {
    let mut problems = Problems(Vec::new());
    of_identity(profile, &mut problems);
    of_validity(profile, &mut problems);
    of_keys(profile, &mut problems);
    of_subject(profile, &mut problems);
    of_policies(profile, &mut problems);
    of_addresses(profile, &mut problems);
    of_constraints(profile, &mut problems);
    of_kind(profile, &mut problems);
    of_delegated(profile, &mut problems);
    for shape in &profile.conforms_to {
        problems.0.extend(shape.problems(profile));
    }
    problems.0
}

struct Problems(Vec<String>);

impl Problems {
    fn expect(&mut self, holds: bool, problem: impl Into<String>) {
        if !holds {
            self.0.push(problem.into());
        }
    }

    fn once<T: Ord + Clone>(&mut self, field: &str, values: &[T]) {
        let mut sorted = values.to_vec();
        sorted.sort();
        sorted.dedup();
        let fits = sorted.len() == values.len() && values.len() <= MOST_ENTRIES;
        self.expect(fits, format!("{field}: expected at most {MOST_ENTRIES}, each once, found otherwise"));
    }
}

fn of_identity(profile: &Profile, problems: &mut Problems) {
    let plain = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
    let name = &profile.name;
    let good = !name.is_empty() && name.len() <= NAME_CHARS && name.bytes().all(plain);
    let found = name.escape_default();
    problems.expect(good, format!("name: expected 1 to {NAME_CHARS} of a-z, 0-9 and \"-\", found \"{found}\""));
    if let Some(source) = &profile.source {
        let url = source.url.starts_with("https://") && source.url.bytes().all(|octet| octet.is_ascii_graphic());
        problems
            .expect(url && source.url.len() <= MOST_SOURCE_CHARS, "source.url: expected https://..., found otherwise");
        let clause = source.clause.trim();
        let good = !clause.is_empty() && clause == source.clause && clause.chars().count() <= MOST_SOURCE_CHARS;
        problems.expect(good, "source.clause: expected which clause is meant, found otherwise");
    }
}

fn of_validity(profile: &Profile, problems: &mut Problems) {
    if let Some(years) = profile.max_years {
        problems
            .expect((1..=MOST_YEARS).contains(&years), format!("max_years: expected 1 to {MOST_YEARS}, found {years}"));
    }
    if let Some(days) = profile.max_days {
        problems.expect((1..=MOST_DAYS).contains(&days), format!("max_days: expected 1 to {MOST_DAYS}, found {days}"));
    }
    let bounded = profile.max_years.is_some() || profile.max_days.is_some();
    problems.expect(
        bounded != profile.never_ends,
        if bounded {
            "never_ends: expected no max_years or max_days beside it, found one"
        } else {
            "max_years: expected max_years, max_days or never_ends = true, found none"
        },
    );
    problems.expect(
        !(profile.may_never_end && profile.never_ends),
        "may_never_end: expected never_ends = true or this beside max_years or max_days, found both",
    );
    if let Some(least) = profile.min_days {
        let most = profile.max_days.unwrap_or_else(|| u32::from(profile.max_years.unwrap_or(MOST_YEARS)) * 365);
        problems.expect(
            (1..=most).contains(&least) && !profile.never_ends,
            format!("min_days: expected 1 to {most}, found {least}"),
        );
    }
}

fn of_keys(profile: &Profile, problems: &mut Problems) {
    problems.expect(
        !profile.algorithms.is_empty() && !has_repeats(&profile.algorithms),
        "algorithms: expected at least one, each once, found otherwise",
    );
    problems.once("request_keys", &profile.request_keys);
    for word in &profile.request_keys {
        let bits = word.strip_prefix("rsa-").filter(|bits| bits.len() == 4).and_then(|bits| bits.parse::<u16>().ok());
        let known = word == "ecdsa-p521" || bits.is_some_and(|bits| (2048..=4096).contains(&bits) && bits % 8 == 0);
        let found = word.escape_default();
        problems.expect(known, format!("request_keys: expected ecdsa-p521 or rsa-2048 to rsa-4096, found \"{found}\""));
    }
    problems.once("issuer_algorithms", &profile.issuer_algorithms);
    problems.once("key_usages", &profile.key_usages);
    problems.once("extended_key_usages", &profile.extended_key_usages);
    problems.once("extensions", &profile.extensions);
    let has = |usage| profile.key_usages.contains(&usage);
    // RFC 8410 5, RFC 9881 3, RFC 9909 4: keys that sign only; RFC 5480 3: elliptic curves agree and do not encipher.
    let own = |agrees: fn(&Algorithm) -> bool| profile.algorithms.iter().all(agrees);
    if has(KeyUsage::KeyAgreement) {
        let agrees = |algorithm: &Algorithm| matches!(algorithm, Algorithm::EcdsaP256 | Algorithm::EcdsaP384);
        let others = profile.request_keys.iter().all(|word| word == "ecdsa-p521");
        problems.expect(
            own(agrees) && others,
            "key_usages: expected key-agreement with elliptic curves only, found another algorithm beside it",
        );
    }
    problems.expect(
        !profile.extended_key_usages.iter().any(|purpose| purpose.is("any")) || profile.extended_key_usages.len() == 1,
        "extended_key_usages: expected any alone, found others beside it",
    );
}

fn of_subject(profile: &Profile, problems: &mut Problems) {
    let rules = &profile.subject;
    let all: Vec<Attribute> = rules.required.iter().chain(&rules.optional).copied().collect();
    problems.once("subject", &all);
    problems.expect(
        rules.required.iter().any(|attribute| attribute.is_marked()),
        "subject.required: expected organization or common_name, which carry a rehearsal's mark, found neither",
    );
    let kinds: Vec<_> =
        profile.alternative_names.required.iter().chain(&profile.alternative_names.optional).copied().collect();
    problems.once("alternative_names", &kinds);
}

fn of_policies(profile: &Profile, problems: &mut Problems) {
    match &profile.policies {
        Policies::Listed(rules) => of_policy_list(rules, problems),
        Policies::ByAttestation { attested, unattested } => {
            of_policy_list(attested, problems);
            of_policy_list(unattested, problems);
            let shared = attested.iter().any(|rule| unattested.iter().any(|other| other.oid == rule.oid));
            problems.expect(
                !shared,
                "policies: expected other ones for attested keys than for the rest, found one in both",
            );
            problems.expect(
                profile.kind == Kind::EndEntity,
                "policies: expected attested and unattested ones for end entities only, found them elsewhere",
            );
        }
        Policies::None | Policies::RehearsalMark => {}
    }
}

fn of_policy_list(rules: &[PolicyRule], problems: &mut Problems) {
    problems.expect(!rules.is_empty(), "policies: expected \"none\" where there are none, found an empty list");
    let oids: Vec<&String> = rules.iter().map(|rule| &rule.oid).collect();
    problems.once("policies", &oids);
    for rule in rules {
        let whole = if rule.is_relative() { format!("2.5{}", rule.oid) } else { rule.oid.clone() };
        let found = rule.oid.escape_default();
        problems.expect(
            ObjectIdentifier::new(&whole).is_ok(),
            format!("policies: expected an object identifier, or .1.2 under the script's arc, found \"{found}\""),
        );
        problems.expect(
            rule.oid != crate::pki::oids::ANY_POLICY || rules.len() == 1,
            "policies: expected anyPolicy alone, found others beside it",
        );
        problems.0.extend(rule.cps.as_ref().and_then(|cps| url_problem("policies.cps", cps)));
    }
}

fn of_addresses(profile: &Profile, problems: &mut Problems) {
    let info = &profile.authority_info;
    let lists = [
        ("crl_distribution.urls", profile.crl_distribution.presence, &profile.crl_distribution.urls),
        ("authority_info.issuers", info.presence, &info.issuers),
        ("authority_info.ocsp", info.presence, &info.ocsp),
    ];
    for (field, presence, urls) in lists {
        problems.once(field, urls);
        problems.0.extend(urls.iter().filter_map(|url| url_problem(field, url)));
        problems.expect(
            urls.is_empty() || presence != Presence::Never,
            format!("{field}: expected none where the presence is never, found some"),
        );
    }
    if let Some(most) = profile.max_octets {
        let (least, largest) = (OCTETS.start(), OCTETS.end());
        problems.expect(OCTETS.contains(&most), format!("max_octets: expected {least} to {largest}, found {most}"));
    }
}

fn of_constraints(profile: &Profile, problems: &mut Problems) {
    let Some(constraints) = &profile.name_constraints else { return };
    let subtrees: Vec<&Subtree> = constraints.permitted.iter().chain(&constraints.excluded).collect();
    problems.expect(
        !subtrees.is_empty() && subtrees.len() <= MOST_ENTRIES,
        format!("name_constraints: expected 1 to {MOST_ENTRIES} subtrees, found {}", subtrees.len()),
    );
    problems.0.extend(subtrees.iter().filter_map(|subtree| subtree.problem()));
    problems.expect(
        matches!(profile.kind, Kind::Subordinate | Kind::Cross),
        "name_constraints: expected in a certificate under another authority only, found them elsewhere",
    );
}

/// What follows from the kind (RFC 5280 4.2.1.3 and 4.2.1.9).
fn of_kind(profile: &Profile, problems: &mut Problems) {
    let has = |usage| profile.key_usages.contains(&usage);
    let kind = profile.kind.word();
    if profile.kind.is_authority() {
        problems.expect(
            has(KeyUsage::KeyCertSign) && has(KeyUsage::CrlSign),
            format!("key_usages: expected key-cert-sign and crl-sign for a {kind}, found otherwise"),
        );
        let path_len = profile.path_len.unwrap_or(0);
        problems
            .expect(path_len <= MOST_PATH_LEN, format!("path_len: expected at most {MOST_PATH_LEN}, found {path_len}"));
        let days = profile.crl.as_ref().map(|crl| crl.max_days);
        problems.expect(
            days.is_some_and(|days| (1..=MOST_CRL_DAYS).contains(&days)),
            match days {
                Some(days) => format!("crl.max_days: expected 1 to {MOST_CRL_DAYS}, found {days}"),
                None => format!("crl: expected max_days, 1 to {MOST_CRL_DAYS}, found none"),
            },
        );
        problems.expect(profile.extensions.is_empty(), format!("extensions: expected none for a {kind}, found some"));
        problems.expect(profile.lineage.is_never(), format!("lineage: expected never for a {kind}, found otherwise"));
        problems.expect(
            profile.alternative_names.required.is_empty() && profile.alternative_names.optional.is_empty(),
            format!("alternative_names: expected none for a {kind}, found some"),
        );
    } else {
        problems.expect(
            !profile.key_usages.is_empty() && !has(KeyUsage::KeyCertSign) && !has(KeyUsage::CrlSign),
            "key_usages: expected some for an end entity, without key-cert-sign and crl-sign, found otherwise",
        );
        problems.expect(profile.path_len.is_none(), "path_len: expected none for an end entity, found one");
        problems
            .expect(profile.crl.is_none(), "crl: expected none for an end entity, which signs no lists, found some");
        let alone = matches!(profile.extended_key_usages.as_slice(), [one] if one.is("ocsp-signing"));
        problems.expect(
            alone || !profile.extensions.contains(&Extra::OcspNoCheck),
            "extensions: expected ocsp-no-check with the extended key usage ocsp-signing alone, found it elsewhere",
        );
    }
    if profile.kind == Kind::Root {
        problems.expect(
            profile.extended_key_usages.is_empty(),
            "extended_key_usages: expected none for a root (CA/B BR 7.1.2.1.2), found some",
        );
        problems.expect(
            profile.crl_distribution.is_never() && profile.authority_info.is_never(),
            "crl_distribution, authority_info: expected never for a root, which nobody revokes, found otherwise",
        );
        problems.expect(
            profile.request_keys.is_empty() && profile.issuer_algorithms.is_empty(),
            "request_keys, issuer_algorithms: expected none for a root, which signs itself, found some",
        );
    }
}

/// Nothing in X.509 caps how many an authority issues: what can bound one in a factory's module does.
fn of_delegated(profile: &Profile, problems: &mut Problems) {
    if !profile.delegated {
        return;
    }
    let kind = profile.kind.word();
    problems.expect(profile.kind == Kind::Subordinate, format!("delegated: expected a subordinate, found a {kind}"));
    let days = profile.max_days.unwrap_or(MOST_DAYS);
    problems.expect(
        days <= limits::DELEGATED_DAYS,
        format!("delegated: expected max_days of at most {}, found another, or none", limits::DELEGATED_DAYS),
    );
    problems.expect(profile.path_len == Some(0), "delegated: expected path_len 0, found another, or none");
    problems.expect(profile.bounds_names(), "delegated: expected name_constraints, found none");
    problems.expect(profile.bounds_usages(), "delegated: expected extended_key_usages other than any, found otherwise");
}

fn has_repeats<T: Ord + Clone>(values: &[T]) -> bool {
    let mut sorted = values.to_vec();
    sorted.sort();
    sorted.dedup();
    sorted.len() != values.len()
}
