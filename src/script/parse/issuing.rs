//! `[[certificate]]` and `[[revocation]]`: what authorities sign beside their own certificates.

use crate::basics::limits;
use crate::pki::Subject;
use crate::script::problem::Problems;
use crate::script::reader::Reader;
use crate::script::syntax::{
    CertificateSource, Certified, FactorySource, Located, QuotaSource, RequestSource, RevocationSource,
};

/// Keys of which a certificate has exactly one.
const WHOSE_KEY: [&str; 4] = ["authority", "request", "cross", "renews"];

pub(super) fn certificate(mut r: Reader<'_, '_>, p: &mut Problems) -> CertificateSource {
    let name = r.needed_name("name", p);
    let issuer = r.needed_name("issuer", p);
    let of = certified(&mut r, p);
    let subject = subject(&mut r, p);
    let from = r.text("subject_from", p);
    if let Some(from) = from.as_ref().filter(|from| from.value != "request") {
        p.add(
            from.span.clone(),
            "`subject_from`: expected \"request\"",
            "leave it out where the script names the subject",
        );
    }
    let source = CertificateSource {
        subject_of_request: from.is_some(),
        name,
        issuer,
        of,
        profile: r.has("profile").then(|| r.needed_name("profile", p)),
        subject,
        not_before: r.instant("not_before", p),
        not_after: r.instant("not_after", p),
        crl_url: r.text("crl_url", p),
        issuer_url: r.text("issuer_url", p),
        span: r.span(),
    };
    if let Certified::Authority(_) = source.of {
        let said = ["profile", "subject", "not_before", "not_after"].into_iter().filter(|key| r.has(key));
        let said: Vec<&str> = said.collect();
        if !said.is_empty() {
            p.add(
                r.span(),
                format!("this `certificate` repeats {} of its authority", said.join(", ")),
                "the [[authority]] says it: leave it out here",
            );
        }
    } else {
        for key in ["profile", "not_before", "not_after"] {
            if !r.has(key) {
                p.add(r.span(), format!("this `certificate` needs `{key}`"), "dates are absolute, UTC, in quotes");
            }
        }
    }
    let own_subject = matches!(source.of, Certified::Request(_));
    let says = r.has("subject") || source.subject_of_request;
    if r.has("subject") && source.subject_of_request {
        p.add(r.span(), "this `certificate` has both `subject` and `subject_from`", "leave one of them out");
    }
    if own_subject != says && !matches!(source.of, Certified::Authority(_)) {
        let (problem, hint) = if own_subject {
            (
                "needs `subject`",
                "add `subject = { organization = \"...\", common_name = \"...\" }`, or `subject_from = \"request\"`",
            )
        } else {
            ("has a `subject` already, that of the certificate it crosses or renews", "leave `subject` out")
        };
        p.add(r.span(), format!("this `certificate` {problem}"), hint);
    }
    r.done(p);
    source
}

/// The inner table `subject`, with any attribute that certificates of ours may have.
pub(super) fn subject(r: &mut Reader<'_, '_>, p: &mut Problems) -> Option<Located<Subject>> {
    r.table("subject", "the subject", p).map(|mut s| {
        let mut text = |key| s.text(key, p).map(|text| text.value);
        let subject = Subject {
            country: text("country"),
            state: text("state"),
            locality: text("locality"),
            organization: text("organization"),
            organizational_unit: text("organizational_unit"),
            common_name: text("common_name"),
            serial_number: text("serial_number"),
            matter_vid: text("matter_vid"),
            matter_pid: text("matter_pid"),
        };
        let span = s.span();
        s.done(p);
        Located::new(subject, span)
    })
}

fn certified(r: &mut Reader<'_, '_>, p: &mut Problems) -> Certified {
    // A renewal may name a request as well: that of its new key.
    let renews = r.has("renews");
    let named: Vec<&str> = WHOSE_KEY.into_iter().filter(|key| r.has(key) && !(renews && *key == "request")).collect();
    if named.len() != 1 {
        p.add(
            r.span(),
            format!("this `certificate` needs exactly one of {}, found {}", WHOSE_KEY.join(", "), named.len()),
            "`authority`: a key made here; `request`: one that comes in; `cross`: another authority; `renews`: one issued before",
        );
    }
    match named.first().copied() {
        Some("authority") => Certified::Authority(r.needed_name("authority", p)),
        Some("cross") => Certified::Cross(r.needed_name("cross", p)),
        Some("renews") => {
            let of = r.needed_name("renews", p);
            let key = r.needed_text("key", p);
            let request = r.has("request").then(|| r.needed_name("request", p));
            if !matches!(key.value.as_str(), "same" | "new" | "") {
                p.add(
                    key.span.clone(),
                    "`key`: expected \"same\" or \"new\"",
                    "a renewal says which; nothing guesses it",
                );
            }
            if key.value == "new" && request.is_none() {
                p.add(
                    r.span(),
                    "a renewal with a new key needs `request`",
                    "add the name under which the request comes in",
                );
            }
            Certified::Renewal { of, key, request }
        }
        Some("request") => Certified::Request(r.needed_name("request", p)),
        _ => Certified::Request(Located::new(String::new(), r.span())),
    }
}

pub(super) fn request(mut r: Reader<'_, '_>, p: &mut Problems) -> RequestSource {
    let source = RequestSource { name: r.needed_name("name", p), rules: r.value_of("rules", p), span: r.span() };
    for problem in source.rules.check() {
        p.add(r.span(), format!("request {}: {problem}", source.name.value), "");
    }
    r.done(p);
    source
}

pub(super) fn revocation(mut r: Reader<'_, '_>, p: &mut Problems) -> RevocationSource {
    let source = RevocationSource {
        authority: r.needed_name("authority", p),
        certificate: r.has("certificate").then(|| r.needed_name("certificate", p)),
        serial: r.text("serial", p),
        bundle: r.has("bundle").then(|| r.needed_name("bundle", p)),
        state: r.text("state", p),
        reason: r.needed_text("reason", p),
        reported_at: r.needed_instant("reported_at", p),
        span: r.span(),
    };
    let named = [source.certificate.is_some(), source.serial.is_some(), source.bundle.is_some()];
    if named.into_iter().filter(|named| *named).count() != 1 {
        p.add(r.span(), "this `revocation` needs exactly one of `certificate`, `serial`, `bundle`", "");
    }
    if source.bundle.is_some() != source.state.is_some() {
        p.add(
            r.span(),
            "`state` and `bundle` go together",
            "`state` says which identities of the bundle are withdrawn",
        );
    }
    r.done(p);
    source
}

pub(super) fn factory(mut r: Reader<'_, '_>, p: &mut Problems) -> FactorySource {
    let source = FactorySource {
        name: r.needed_name("name", p),
        valid_until: r.needed_instant("valid_until", p),
        quotas: r.tables("quota", limits::QUOTAS, p).into_iter().map(|reader| quota(reader, p)).collect(),
    };
    if source.quotas.is_empty() {
        p.add(
            r.span(),
            "this `factory` needs at least one `quota`",
            "add [[factory.quota]] with `product` and `most`: what is not allowed is not made",
        );
    }
    r.done(p);
    source
}

fn quota(mut r: Reader<'_, '_>, p: &mut Problems) -> QuotaSource {
    let source =
        QuotaSource { product: r.needed_name("product", p), most: r.needed_integer("most", 1, limits::QUOTA, p) };
    r.done(p);
    source
}
