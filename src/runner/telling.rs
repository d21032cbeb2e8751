//! How far something is that takes longer than a moment.

/// Tells how many of how many, fifty times at most: drawn for each of thousands, the screen would be much of the work.
pub(super) fn now_and_then(mut tell: impl FnMut(u32, u32)) -> impl FnMut(u32, u32) {
    let mut told = 0;
    move |done, of| {
        let part = u64::from(done) * 50 / u64::from(of.max(1));
        if part > told {
            told = part;
            tell(done, of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_told_the_last_always() {
        for of in [1, 7, 50, 1_000, 200_000] {
            let mut told = Vec::new();
            let mut tell = now_and_then(|done, of| told.push((done, of)));
            (1..=of).for_each(|done| tell(done, of));
            drop(tell);
            assert!(told.len() <= 50 && told.len() >= of.min(50) as usize, "{} of {of}", told.len());
            assert_eq!(told.last(), Some(&(of, of)));
            assert!(told.is_sorted());
        }
        now_and_then(|_, _| panic!("nothing is done of nothing"))(0, 0);
    }
}
