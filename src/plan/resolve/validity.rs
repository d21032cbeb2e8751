//! Dates against each other and against the profile: whatever the strongroom's lint would refuse by values of the script
//! alone is found here, months before custodians sit in a room with a key that may not sign.
//!
//! The day of the ceremony is not known to a script, so no date is compared with a clock.

use super::Resolver;
use crate::basics::Instant;
use crate::pki::instants;
use crate::pki::profile::Profile;
use crate::script::problem::Problems;
use crate::script::syntax::AuthoritySource;
use crate::script::{Fact, Located, Param, RoomRules, StepSource};
use std::ops::Range;

impl Resolver<'_> {
    /// `cert.validity.in-order` and `cert.validity.within-profile`.
    pub(super) fn validity(&self, source: &AuthoritySource, profile: Option<&Profile>, p: &mut Problems) {
        let (from, until) = (&source.not_before, &source.not_after);
        // A date that could not be read has been reported; what stands in for it says nothing.
        if p.at(&from.span) || p.at(&until.span) {
            return;
        }
        if until.value <= from.value {
            p.add(
                until.span.clone(),
                format!("`not_after` {} is not after `not_before` {}", until.value, from.value),
                "a certificate ends after it begins",
            );
            return;
        }
        let Some(profile) = profile else { return };
        let longest = profile.longest();
        let latest = profile.latest(from.value);
        if !profile.ends_in_time(from.value, until.value) {
            p.add(
                until.span.clone(),
                format!("authority {}: valid for more than {longest}", source.name.value),
                latest.map_or_else(
                    || format!("profile {} allows {longest}", profile.name),
                    |latest| format!("profile {} allows {longest}: until {latest} at most", profile.name),
                ),
            );
        }
    }

    /// `crl.times.in-order`, `crl.times.within-profile` and `crl.times.within-issuer`, for every step that issues a list.
    pub(super) fn lists(&self, rules: &[RoomRules], p: &mut Problems) {
        for (source, rules) in self.script.steps().zip(rules) {
            for fact in &rules.gives {
                let Fact::CrlIssued(name) = fact else { continue };
                let Some(issuer) = self.script.authorities.iter().find(|a| a.name.value == *name) else { continue };
                let (Some(this), Some(next)) = (date(source, "this_update", p), date(source, "next_update", p)) else {
                    continue;
                };
                self.list_times(issuer, &this, &next, p);
            }
        }
    }

    fn list_times(&self, issuer: &AuthoritySource, this: &Located<Instant>, next: &Located<Instant>, p: &mut Problems) {
        let name = &issuer.name.value;
        if !p.at(&issuer.not_before.span) && this.value < issuer.not_before.value {
            p.add(
                this.span.clone(),
                format!("`this_update` {} is before {name} becomes valid", this.value),
                format!("{name} is valid from {}: no list of it can begin earlier", issuer.not_before.value),
            );
        }
        if next.value <= this.value {
            p.add(
                next.span.clone(),
                format!("`next_update` {} is not after `this_update` {}", next.value, this.value),
                "a list is replaced after it begins",
            );
            return;
        }
        // Each bound alone, the nearer one first: mending it may mend the other too, so only one is reported.
        let (from, until) = (&issuer.not_before, &issuer.not_after);
        // A validity that is itself out of order is the mistake; nothing fits into it.
        let readable = !p.at(&from.span) && !p.at(&until.span);
        let end = (readable && until.value > from.value).then_some(until.value);
        let profile = self.profiles.get(&issuer.profile.value).and_then(|file| file.as_ref().ok());
        let days = profile.and_then(|file| file.profile.crl.as_ref()).map(|crl| crl.max_days);
        let latest = days.map(|days| instants::days_after(this.value, days));
        if let (Some(file), Some(latest), Some(days)) = (profile, latest, days)
            && next.value > latest
            && end.is_none_or(|end| latest <= end)
        {
            p.add(
                next.span.clone(),
                format!("`next_update` {} is more than {days} days after `this_update` {}", next.value, this.value),
                format!("profile {} allows {days} days: until {latest} at most", file.profile.name),
            );
        } else if let Some(end) = end
            && next.value > end
        {
            p.add(
                next.span.clone(),
                format!("`next_update` {} is after {name} has ended", next.value),
                format!("{name} is valid until {end}: a list of it ends no later"),
            );
        }
    }
}

/// A date of a step where there is one that could be read.
fn date(source: &StepSource, key: &str, p: &Problems) -> Option<Located<Instant>> {
    let param = source.params.get(key)?;
    let span: Range<usize> = param.span.clone();
    match &param.value {
        Param::Text(text) if !p.at(&span) => Some(Located::new(Instant::parse(text)?, span)),
        _ => None,
    }
}
