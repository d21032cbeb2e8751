//! Sums of fragments, solved by Gaussian elimination over GF(2): every part that is not a sum of parts we have is worth a
//! fragment. (The peeling decoders in use wait for parts that have one unknown fragment left, and need one and a half
//! to three times as many of them.)

/// Rows in echelon form: row `i` has its first fragment at `i`.
pub(super) struct Elimination {
    rows: Vec<Option<Row>>,
    rank: usize,
}

struct Row {
    /// One bit a fragment.
    fragments: Vec<u64>,
    sum: Vec<u8>,
}

impl Elimination {
    /// Allocates a pointer for each fragment; a row when it comes.
    pub(super) fn new(fragments: usize) -> Self {
        Self { rows: (0..fragments).map(|_| None).collect(), rank: 0 }
    }

    pub(super) const fn rank(&self) -> usize {
        self.rank
    }

    pub(super) fn is_solved(&self) -> bool {
        self.rank == self.rows.len()
    }

    /// Adds a sum of fragments; whether it was worth something.
    pub(super) fn add(&mut self, fragments: &[u16], sum: Vec<u8>) -> bool {
        let mut row = Row { fragments: vec![0; self.rows.len().div_ceil(64)], sum };
        for fragment in fragments {
            if let Some(word) = row.fragments.get_mut(usize::from(*fragment) / 64) {
                *word ^= 1 << (fragment % 64);
            }
        }
        let mut from = 0;
        while let Some(first) = row.first_from(from) {
            match self.rows.get_mut(first) {
                Some(Some(known)) => row.subtract(known),
                Some(place) => {
                    *place = Some(row);
                    self.rank += 1;
                    return true;
                }
                None => return false,
            }
            from = first;
        }
        false
    }

    /// All fragments in order, where the rank is full.
    pub(super) fn solve(mut self) -> Option<Vec<u8>> {
        for place in (0..self.rows.len()).rev() {
            let (above, solved) = self.rows.split_at_mut_checked(place + 1)?;
            let row = above.last_mut()?.as_mut()?;
            while let Some(other) = row.first_from(place + 1) {
                row.subtract(solved.get(other.checked_sub(place + 1)?)?.as_ref()?);
            }
        }
        Some(self.rows.into_iter().flatten().flat_map(|row| row.sum).collect())
    }
}

impl Row {
    /// The first fragment of the sum that is not before `from`.
    fn first_from(&self, from: usize) -> Option<usize> {
        let mut mask = u64::MAX << (from % 64);
        for (place, word) in self.fragments.iter().enumerate().skip(from / 64) {
            if word & mask != 0 {
                return Some(place * 64 + (word & mask).trailing_zeros() as usize);
            }
            mask = u64::MAX;
        }
        None
    }

    fn subtract(&mut self, other: &Self) {
        self.fragments.iter_mut().zip(&other.fragments).for_each(|(mine, theirs)| *mine ^= theirs);
        self.sum.iter_mut().zip(&other.sum).for_each(|(mine, theirs)| *mine ^= theirs);
    }
}
