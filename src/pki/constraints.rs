//! What an authority's certificate lets it issue for: name constraints (RFC 5280 4.2.1.10, 6.1.4) and extended key usages, held against
//! one certificate below it. A name of a type that is constrained must be in a permitted subtree of that type, where there are any, and in
//! no excluded one. Types that we cannot compare are refused where they are constrained.

use super::Certificate;
use crate::basics::SafeText;
use der::Encode;
use x509_cert::ext::pkix::constraints::name::GeneralSubtree;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{ExtendedKeyUsage, NameConstraints, SubjectAltName};
use x509_cert::name::Name;

/// Every name and usage of `certificate` that its issuer may not give.
#[must_use]
pub fn outside(issuer: &Certificate, certificate: &Certificate) -> Vec<String> {
    let mut problems = Vec::new();
    names(issuer, certificate, &mut problems);
    usages(issuer, certificate, &mut problems);
    problems
}

/// Whether an authority's certificate bounds the names, and the usages, of what it issues.
#[must_use]
pub fn bounds(certificate: &Certificate) -> (bool, bool) {
    let inner = certificate.parsed().tbs_certificate();
    let names = inner.get_extension::<NameConstraints>().ok().flatten().map(|(_, names)| names);
    let some = |subtrees: &Option<Vec<GeneralSubtree>>| subtrees.as_ref().is_some_and(|all| !all.is_empty());
    let names = names.is_some_and(|names| some(&names.permitted_subtrees) || some(&names.excluded_subtrees));
    let usages = inner.get_extension::<ExtendedKeyUsage>().ok().flatten().map(|(_, usages)| usages.0);
    let any = const_oid::ObjectIdentifier::new_unwrap("2.5.29.37.0");
    (names, usages.is_some_and(|usages| !usages.is_empty() && !usages.contains(&any)))
}

fn names(issuer: &Certificate, certificate: &Certificate, problems: &mut Vec<String>) {
    let constraints = issuer.parsed().tbs_certificate().get_extension::<NameConstraints>();
    let Ok(constraints) = constraints else {
        return problems.push("issuer: expected name constraints in DER, found others".to_owned());
    };
    let Some((_, constraints)) = constraints else { return };
    let inner = certificate.parsed().tbs_certificate();
    let mut given = Vec::new();
    if !inner.subject().is_empty() {
        given.push(GeneralName::DirectoryName(inner.subject().clone()));
    }
    match inner.get_extension::<SubjectAltName>() {
        Ok(Some((_, alternative))) => given.extend(alternative.0),
        Ok(None) => {}
        Err(_) => problems.push("alternative names: expected DER, found otherwise".to_owned()),
    }
    let (permitted, excluded) =
        (constraints.permitted_subtrees.unwrap_or_default(), constraints.excluded_subtrees.unwrap_or_default());
    for name in &given {
        let shown = || SafeText::cut(&text(name), 100).to_string();
        let of_type = |subtrees: &[GeneralSubtree]| -> Vec<GeneralName> {
            subtrees.iter().map(|subtree| subtree.base.clone()).filter(|base| kind(base) == kind(name)).collect()
        };
        let (permitted, excluded) = (of_type(&permitted), of_type(&excluded));
        if (!permitted.is_empty() || !excluded.is_empty()) && !comparable(name) {
            problems.push(format!("name {}: expected none of a constrained type that we cannot compare", shown()));
        } else if !permitted.is_empty() && !permitted.iter().any(|base| within(name, base, false)) {
            problems.push(format!("name {}: expected one in the issuer's permitted subtrees", shown()));
        } else if excluded.iter().any(|base| within(name, base, true)) {
            problems.push(format!("name {}: expected none in the issuer's excluded subtrees", shown()));
        }
    }
}

/// Which types of names are the same.
const fn kind(name: &GeneralName) -> u8 {
    match name {
        GeneralName::OtherName(_) => 0,
        GeneralName::Rfc822Name(_) => 1,
        GeneralName::DnsName(_) => 2,
        GeneralName::DirectoryName(_) => 4,
        GeneralName::EdiPartyName(_) => 5,
        GeneralName::UniformResourceIdentifier(_) => 6,
        GeneralName::IpAddress(_) => 7,
        GeneralName::RegisteredId(_) => 8,
    }
}

const fn comparable(name: &GeneralName) -> bool {
    matches!(kind(name), 1 | 2 | 4 | 6 | 7)
}

fn text(name: &GeneralName) -> String {
    match name {
        GeneralName::Rfc822Name(text) | GeneralName::DnsName(text) | GeneralName::UniformResourceIdentifier(text) => {
            text.to_string()
        }
        GeneralName::DirectoryName(name) => name.to_string(),
        GeneralName::IpAddress(octets) => crate::basics::digest::hex_encode(octets.as_bytes()),
        _ => "of another type".to_owned(),
    }
}

/// Whether a name is in a subtree. `lenient` compares directory names by their text without case, for exclusion: what only looks
/// different is excluded too. For permission octets count.
fn within(name: &GeneralName, base: &GeneralName, lenient: bool) -> bool {
    match (name, base) {
        (GeneralName::DnsName(name), GeneralName::DnsName(base)) => is_below(name, base, true),
        (GeneralName::Rfc822Name(name), GeneralName::Rfc822Name(base)) => {
            let (name, base) = (name.to_string(), base.to_string());
            let host = name.rsplit_once('@').map_or("", |(_, host)| host);
            match (base.contains('@'), base.strip_prefix('.')) {
                (true, _) => name == base,
                (false, Some(domain)) => is_below(host, domain, false),
                (false, None) => host.eq_ignore_ascii_case(&base),
            }
        }
        (GeneralName::UniformResourceIdentifier(name), GeneralName::UniformResourceIdentifier(base)) => {
            let (name, base) = (name.to_string(), base.to_string());
            let after = name.split_once("://").map_or("", |(_, after)| after);
            let authority = after.split(['/', '?', '#']).next().unwrap_or_default();
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            let host = host.split(':').next().unwrap_or_default();
            match base.strip_prefix('.') {
                Some(domain) => is_below(host, domain, false),
                None => host.eq_ignore_ascii_case(&base) && !host.is_empty(),
            }
        }
        (GeneralName::IpAddress(name), GeneralName::IpAddress(base)) => {
            let (name, base) = (name.as_bytes(), base.as_bytes());
            let (address, mask) = base.split_at(base.len() / 2);
            name.len() == address.len()
                && name.iter().zip(address).zip(mask).all(|((name, base), mask)| name & mask == base & mask)
        }
        (GeneralName::DirectoryName(name), GeneralName::DirectoryName(base)) => starts_with(name, base, lenient),
        _ => false,
    }
}

/// A host at or below a domain; `itself` where the domain counts too.
fn is_below(host: impl AsRef<str>, domain: impl AsRef<str>, itself: bool) -> bool {
    let (host, domain) = (host.as_ref().to_ascii_lowercase(), domain.as_ref().to_ascii_lowercase());
    (itself && host == domain)
        || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
        || (domain.is_empty() && itself)
}

fn starts_with(name: &Name, base: &Name, lenient: bool) -> bool {
    let octets = |name: &Name| -> Vec<Vec<u8>> {
        name.iter_rdn().map(|relative| relative.to_der().unwrap_or_default()).collect()
    };
    let texts = |name: &Name| -> Vec<Vec<u8>> {
        let folded = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        name.iter_rdn().map(|relative| folded(relative.to_string()).into_bytes()).collect()
    };
    octets(name).starts_with(&octets(base)) || (lenient && texts(name).starts_with(&texts(base)))
}

/// An authority with extended key usages bounds those of everything below it (as every major verifier has it).
fn usages(issuer: &Certificate, certificate: &Certificate, problems: &mut Vec<String>) {
    let of = |certificate: &Certificate| {
        let extension = certificate.parsed().tbs_certificate().get_extension::<ExtendedKeyUsage>();
        extension.ok().flatten().map(|(_, usages)| usages.0)
    };
    let Some(bound) = of(issuer) else { return };
    let any = const_oid::ObjectIdentifier::new_unwrap("2.5.29.37.0");
    if bound.contains(&any) {
        return;
    }
    match of(certificate) {
        None => problems.push("extended key usages: expected some of the issuer's, found none".to_owned()),
        Some(found) => {
            for usage in found.iter().filter(|usage| !bound.contains(usage)) {
                problems.push(format!("extended key usage {usage}: expected one of the issuer's"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::within;
    use crate::pki::general_name::{AltName, Subtree};
    use crate::pki::name::Subject;

    fn is_within(name: &AltName, base: &Subtree) -> bool {
        within(&name.to_general_name().unwrap(), &base.to_general_name().unwrap(), false)
    }

    #[test]
    fn names_are_within_the_subtrees_of_rfc_5280_and_no_others() {
        let dns = |text: &str| AltName::Dns(text.to_owned());
        let base = Subtree::Dns("devices.example".to_owned());
        assert!(is_within(&dns("devices.example"), &base) && is_within(&dns("a.b.devices.example"), &base));
        assert!(!is_within(&dns("odevices.example"), &base) && !is_within(&dns("devices.example.org"), &base));
        let uri = |text: &str| AltName::Uri(text.to_owned());
        let base = Subtree::Uri(".devices.example".to_owned());
        assert!(is_within(&uri("https://user@a.devices.example:8443/x?y"), &base));
        for other in ["https://devices.example/", "https://a.example/.devices.example", "urn:a.devices.example"] {
            assert!(!is_within(&uri(other), &base), "{other}");
        }
        let exact = Subtree::Uri("devices.example".to_owned());
        assert!(is_within(&uri("https://devices.example/"), &exact));
        assert!(!is_within(&uri("https://a.devices.example/"), &exact));
        let email = |text: &str| AltName::Email(text.to_owned());
        let base = Subtree::Email("devices.example".to_owned());
        assert!(is_within(&email("a@devices.example"), &base) && !is_within(&email("a@b.devices.example"), &base));
        let ip = |text: &str| AltName::Ip(text.parse().unwrap());
        let base = Subtree::Ip("192.0.2.0/24".to_owned());
        assert!(is_within(&ip("192.0.2.77"), &base) && !is_within(&ip("192.0.3.1"), &base));
        assert!(!is_within(&ip("2001:db8::1"), &base), "of the other family");
        assert!(is_within(&ip("203.0.113.1"), &Subtree::Ip("0.0.0.0/0".to_owned())));
    }

    #[test]
    fn a_directory_name_begins_with_its_base_octet_for_octet_or_leniently_where_it_is_excluded() {
        let name = |organization: &str, common: Option<&str>| {
            let subject = Subject {
                organization: Some(organization.to_owned()),
                common_name: common.map(str::to_owned),
                ..Subject::default()
            };
            Subtree::Directory(Box::new(subject)).to_general_name().unwrap()
        };
        let (base, device) = (name("Example", None), name("Example", Some("Meter 1")));
        assert!(within(&device, &base, false) && !within(&base, &device, false));
        let other = name("EXAMPLE", Some("Meter 1"));
        assert!(!within(&other, &base, false) && within(&other, &base, true));
        assert!(!within(&name("Exampler", None), &base, true));
    }
}
