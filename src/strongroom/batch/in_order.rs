//! Work done side by side and given out in order, in the memory of a few pieces: nobody waits for another but where one is far behind.

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc::channel;

const ENDED: &str = "a thread of the batch ended early";

/// Makes every number of the range on `workers` threads and gives each out in its turn, until one fails or `give` wants no more. At most
/// one more than there are workers is made or waits at any time.
pub(super) fn each<T: Send>(
    numbers: Range<u32>,
    workers: usize,
    make: impl Fn(u32) -> Result<T, String> + Sync,
    mut give: impl FnMut(u32, T) -> bool,
) -> Result<(), String> {
    let (tickets, taken) = channel::<u32>();
    let (made, finished) = channel();
    let (taken, make) = (Mutex::new(taken), &make);
    std::thread::scope(|scope| {
        for _ in 0..workers.min(numbers.len()) {
            let (taken, made) = (&taken, made.clone());
            scope.spawn(move || {
                let next = || taken.lock().ok()?.recv().ok();
                while let Some(number) = next() {
                    // Who waits for this number would wait for ever.
                    let one = catch_unwind(AssertUnwindSafe(|| make(number))).unwrap_or_else(|_| Err(ENDED.to_owned()));
                    if made.send((number, one)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(made);
        let tickets = tickets;
        let mut rest = numbers.clone();
        // Where every worker has ended, so has the channel that says so.
        for number in rest.by_ref().take(workers + 1) {
            let _ = tickets.send(number);
        }
        let mut waiting = BTreeMap::new();
        for number in numbers {
            let one = loop {
                if let Some(one) = waiting.remove(&number) {
                    break one;
                }
                let (number, one) = finished.recv().map_err(|_| ENDED.to_owned())?;
                waiting.insert(number, one);
            };
            if !give(number, one?) {
                break;
            }
            let _ = rest.next().map(|number| tickets.send(number));
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn everything_in_order_and_never_more_than_a_few() {
        for workers in 1..5 {
            let (held, most) = (AtomicU32::new(0), AtomicU32::new(0));
            let mut given = Vec::new();
            let make = |number: u32| {
                most.fetch_max(held.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                // Every third is slow, so that others overtake it.
                std::thread::sleep(std::time::Duration::from_millis(if number.is_multiple_of(3) { 4 } else { 0 }));
                Ok(number)
            };
            each(7..60, workers, make, |number, one| {
                held.fetch_sub(1, Ordering::SeqCst);
                given.push((number, one));
                true
            })
            .unwrap();
            assert_eq!(given, (7..60).map(|number| (number, number)).collect::<Vec<_>>());
            assert!(most.load(Ordering::SeqCst) as usize <= workers + 1, "{most:?} of {workers} workers");
        }
        each(3..3, 2, |_| Ok(()), |_, ()| false).unwrap();
    }

    #[test]
    fn nothing_after_what_failed_or_panicked_or_was_not_wanted() {
        let mut given = Vec::new();
        let make = |number| if number == 5 { Err("five".to_owned()) } else { Ok(()) };
        let failed = each(0..50, 3, make, |number, ()| {
            given.push(number);
            true
        });
        assert_eq!((failed, given), (Err("five".to_owned()), vec![0, 1, 2, 3, 4]));
        let panicking = |number| if number == 2 { panic!("a fault of ours") } else { Ok(()) };
        assert_eq!(each(0..9, 2, panicking, |_, ()| true), Err(ENDED.to_owned()));
        let asked = AtomicU32::new(0);
        let make = |_| {
            asked.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        each(0..1_000, 2, make, |number, ()| number < 4).unwrap();
        assert!(asked.load(Ordering::SeqCst) <= 8, "{asked:?}");
    }
}
