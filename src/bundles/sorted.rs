//! Sorting the rows of an index in constant memory: runs are sorted in memory and put into files, then merged.

use super::folder::failed;
use crate::bundles::BundleError;
use crate::devices::durable_file::{self, FileError};
use crate::factory::index::{ROW_OCTETS, Row};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Rows sorted in memory at once: 4 MiB.
const RUN: usize = 56 * 1024;

/// Rows on their way into order.
pub(super) struct Sorter {
    folder: PathBuf,
    rows: Vec<Row>,
    runs: Vec<PathBuf>,
}

impl Sorter {
    /// Runs go into this folder, and are gone when it is done.
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), rows: Vec::with_capacity(RUN), runs: Vec::new() }
    }

    pub(super) fn push(&mut self, row: Row) -> Result<(), FileError> {
        self.rows.push(row);
        if self.rows.len() >= RUN { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<(), FileError> {
        self.rows.sort_unstable();
        let path = self.folder.join(format!(".run-{:04}", self.runs.len()));
        let mut file = BufWriter::new(File::create_new(&path).map_err(failed(&path, "creating"))?);
        for row in self.rows.drain(..) {
            file.write_all(&row.to_octets()).map_err(failed(&path, "writing"))?;
        }
        file.flush().map_err(failed(&path, "writing"))?;
        self.runs.push(path);
        Ok(())
    }

    /// Gives every row in order.
    pub(super) fn finish(mut self, mut take: impl FnMut(Row) -> Result<(), BundleError>) -> Result<(), BundleError> {
        if self.runs.is_empty() {
            self.rows.sort_unstable();
            return self.rows.into_iter().try_for_each(take);
        }
        self.spill()?;
        self.rows = Vec::new();
        let mut runs = Vec::new();
        for path in &self.runs {
            let file = File::open(path).map_err(failed(path, "opening"))?;
            runs.push(BufReader::with_capacity(64 * 1024, file));
        }
        let mut heads = BinaryHeap::new();
        for n in 0..runs.len() {
            heads.extend(self.next(&mut runs, n)?.map(|row| Reverse((row, n))));
        }
        while let Some(Reverse((row, n))) = heads.pop() {
            take(row)?;
            heads.extend(self.next(&mut runs, n)?.map(|row| Reverse((row, n))));
        }
        for path in &self.runs {
            durable_file::remove(path)?;
        }
        Ok(())
    }

    fn next(&self, runs: &mut [BufReader<File>], n: usize) -> Result<Option<Row>, BundleError> {
        let (Some(run), Some(path)) = (runs.get_mut(n), self.runs.get(n)) else { return Ok(None) };
        let mut octets = [0; ROW_OCTETS];
        match run.read_exact(&mut octets) {
            Ok(()) => Ok(Some(Row::parse(&octets)?)),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(failed(path, "reading")(error).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basics::Digest;

    #[test]
    fn rows_beyond_one_run_come_out_in_order_and_leave_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let count = u32::try_from(RUN).unwrap() * 2 + 77;
        let mut sorter = Sorter::new(folder.path());
        let row = |n: u32| Row {
            device: Digest::of(&n.to_be_bytes()),
            shard: n / 1000,
            record: n,
            leaf: Digest::from_octets([1; 32]),
        };
        (0..count).try_for_each(|n| sorter.push(row(n))).unwrap();
        let (mut before, mut seen) = (None, vec![false; count as usize]);
        sorter
            .finish(|row| {
                assert!(before.is_none_or(|before| before < row.device));
                before = Some(row.device);
                seen[row.record as usize] = true;
                Ok(())
            })
            .unwrap();
        assert!(seen.into_iter().all(|seen| seen));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
