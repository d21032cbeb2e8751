//! A set of record indexes, written as people write page numbers: `0-19,25,30-31`. Few runs stand for many records, so a record of a
//! ceremony can name each of a hundred thousand identities.

use crate::basics::limits;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Indexes as runs, first and last included: rising, and with at least one index left out between two of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    runs: Vec<(u32, u32)>,
}

impl Places {
    /// All below `count`.
    #[must_use]
    pub fn below(count: u32) -> Self {
        Self { runs: count.checked_sub(1).map(|last| (0, last)).into_iter().collect() }
    }

    /// Adds an index that is above all others.
    ///
    /// # Errors
    /// Where it is not, or there are too many runs.
    pub fn push(&mut self, index: u32) -> Result<(), String> {
        let full = self.runs.len() >= limits::PLACES_RUNS;
        match self.runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(index) => *last = index,
            Some((_, last)) if *last >= index => return Err(format!("expected an index above {last}, found {index}")),
            _ if full => return Err(format!("expected at most {} runs of records, found more", limits::PLACES_RUNS)),
            _ => self.runs.push((index, index)),
        }
        Ok(())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    #[must_use]
    pub fn count(&self) -> u32 {
        self.runs.iter().map(|(first, last)| last - first + 1).fold(0, u32::saturating_add)
    }

    /// Every index, rising.
    pub fn each(&self) -> impl Iterator<Item = u32> {
        self.runs.iter().flat_map(|(first, last)| *first..=*last)
    }

    #[must_use]
    pub fn contains(&self, index: u32) -> bool {
        let at = self.runs.partition_point(|(_, last)| *last < index);
        self.runs.get(at).is_some_and(|(first, _)| *first <= index)
    }

    /// The index at this place, from 0.
    #[must_use]
    pub fn nth(&self, place: u32) -> Option<u32> {
        let mut left = place;
        for (first, last) in &self.runs {
            let length = last - first;
            if left <= length {
                return first.checked_add(left);
            }
            left -= length.saturating_add(1);
        }
        None
    }

    /// The highest index.
    #[must_use]
    pub fn last(&self) -> Option<u32> {
        self.runs.last().map(|(_, last)| *last)
    }

    /// Those of this set that are not in the other.
    ///
    /// # Errors
    /// Where there are too many runs.
    pub fn without(&self, other: &Self) -> Result<Self, String> {
        let mut left = Self::default();
        let mut taken = other.runs.iter().copied().peekable();
        for (first, last) in &self.runs {
            let (mut from, last) = (u64::from(*first), u64::from(*last));
            while let Some((cut, until)) = taken.peek().map(|(a, b)| (u64::from(*a), u64::from(*b))) {
                if until < from {
                    taken.next();
                    continue;
                }
                if cut > last {
                    break;
                }
                left.run(from, cut)?;
                from = until + 1;
                if until > last {
                    break;
                }
                taken.next();
            }
            left.run(from, last + 1)?;
        }
        Ok(left)
    }

    /// Those of either.
    ///
    /// # Errors
    /// Where there are too many runs.
    pub fn with(&self, other: &Self) -> Result<Self, String> {
        let mut all: Vec<(u32, u32)> = self.runs.iter().chain(&other.runs).copied().collect();
        all.sort_unstable();
        let mut joined: Vec<(u32, u32)> = Vec::new();
        for (first, last) in all {
            match joined.last_mut() {
                Some((_, until)) if u64::from(first) <= u64::from(*until) + 1 => *until = (*until).max(last),
                _ => joined.push((first, last)),
            }
        }
        if joined.len() > limits::PLACES_RUNS {
            return Err(format!("expected at most {} runs of records, found {}", limits::PLACES_RUNS, joined.len()));
        }
        Ok(Self { runs: joined })
    }

    /// Adds `from..until`, which is above all others.
    fn run(&mut self, from: u64, until: u64) -> Result<(), String> {
        if from >= until {
            return Ok(());
        }
        if self.runs.len() >= limits::PLACES_RUNS {
            return Err(format!("expected at most {} runs of records, found more", limits::PLACES_RUNS));
        }
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        self.runs.push((small(from), small(until - 1)));
        Ok(())
    }

    /// Reads exactly what `Display` writes.
    ///
    /// # Errors
    /// Where it is anything else.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut places = Self::default();
        for part in text.split(',').filter(|_| !text.is_empty()) {
            if places.runs.len() >= limits::PLACES_RUNS {
                return Err(format!("expected at most {} runs of records, found more", limits::PLACES_RUNS));
            }
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| text.parse::<u32>().ok();
            let run = number(first).zip(number(last)).filter(|(first, last)| first <= last);
            places.runs.push(run.ok_or("expected records like 0-19,25")?);
        }
        let rising = places.runs.windows(2).all(|pair| match pair {
            [(_, last), (first, _)] => u64::from(*first) > u64::from(*last) + 1,
            _ => true,
        });
        if !rising || places.to_string() != text {
            return Err("expected records like 0-19,25, rising, each run as long as it can be".to_owned());
        }
        Ok(places)
    }
}

impl std::fmt::Display for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, (first, last)) in self.runs.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            if first == last { write!(f, "{comma}{first}")? } else { write!(f, "{comma}{first}-{last}")? }
        }
        Ok(())
    }
}

impl Serialize for Places {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Places {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Places;
    use proptest::collection::btree_set;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn of(set: &BTreeSet<u32>) -> Places {
        let mut places = Places::default();
        set.iter().for_each(|index| places.push(*index).unwrap());
        places
    }

    fn set(places: &Places) -> BTreeSet<u32> {
        places.each().collect()
    }

    proptest! {
        #[test]
        fn sets_of_records_behave_as_sets_and_have_one_spelling(a in btree_set(0_u32..60, 0..40), b in btree_set(0_u32..60, 0..40)) {
            let (x, y) = (of(&a), of(&b));
            prop_assert_eq!(&set(&x), &a);
            prop_assert_eq!(x.count() as usize, a.len());
            prop_assert_eq!(x.last(), a.last().copied());
            let each: Vec<u32> = x.each().collect();
            prop_assert!((0..62).all(|n| x.nth(n) == each.get(n as usize).copied()));
            prop_assert!((0..62).all(|n| x.contains(n) == a.contains(&n)));
            prop_assert_eq!(x.without(&y).unwrap(), of(&a.difference(&b).copied().collect()));
            prop_assert_eq!(x.with(&y).unwrap(), of(&a.union(&b).copied().collect()));
            prop_assert_eq!(&Places::parse(&x.to_string()).unwrap(), &x);
        }
    }

    #[test]
    fn another_spelling_of_a_set_is_refused() {
        for text in ["1-1", "3,2", "0,1", "0-5,6", "0-5,5", "+1", "01", "1,", ",", "2-1", "a", "4294967296", " 1"] {
            assert!(Places::parse(text).is_err(), "{text}");
        }
        assert_eq!(set(&Places::parse("0-2,4294967295").unwrap()), BTreeSet::from([0, 1, 2, u32::MAX]));
        assert_eq!(Places::below(0), Places::parse("").unwrap());
        assert_eq!(Places::below(3).to_string(), "0-2");
        let all = Places::parse("0-4294967295").unwrap();
        assert_eq!(all.without(&Places::parse("0,4294967295").unwrap()).unwrap().to_string(), "1-4294967294");
        let mut places = Places::below(3);
        assert!(places.push(2).is_err());
    }
}
