//! Views of a picture: smaller, smoother, with its background made even.

use super::luma::Luma;

/// Each `n` x `n` square becomes its mean; `None` where nothing would be left.
pub(super) fn reduced(luma: &Luma, n: usize) -> Option<Luma> {
    let (width, height) = (luma.width() / n.max(1), luma.height() / n.max(1));
    if n < 2 || width == 0 || height == 0 {
        return None;
    }
    let divisor = u32::try_from(n * n).ok()?;
    let mut octets = Vec::with_capacity(width * height);
    let mut sums = vec![0_u32; width];
    for rows in luma.octets().chunks_exact(luma.width() * n).take(height) {
        sums.fill(divisor / 2);
        for row in rows.chunks_exact(luma.width()) {
            for (sum, pixels) in sums.iter_mut().zip(row.chunks_exact(n)) {
                *sum += pixels.iter().map(|pixel| u32::from(*pixel)).sum::<u32>();
            }
        }
        octets.extend(sums.iter().map(|sum| u8::try_from(sum / divisor).unwrap_or(u8::MAX)));
    }
    Luma::new(width, height, octets).ok()
}

/// The mean of each pixel's surroundings of `2 * radius + 1` pixels square, clipped at the borders.
pub(super) fn box_mean(luma: &Luma, radius: usize) -> Luma {
    let rows: Vec<u8> = luma.rows().flat_map(|row| line_mean(row, radius)).collect();
    luma.with(column_mean(&rows, luma.width(), radius))
}

fn line_mean(line: &[u8], radius: usize) -> Vec<u8> {
    let mut mean = Vec::with_capacity(line.len());
    let mut sum: u32 = line.iter().take(radius).map(|v| u32::from(*v)).sum();
    let mut count = u32::try_from(line.len().min(radius)).unwrap_or(u32::MAX);
    for at in 0..line.len() {
        if let Some(enters) = line.get(at + radius) {
            sum += u32::from(*enters);
            count += 1;
        }
        if let Some(leaves) = at.checked_sub(radius + 1).and_then(|place| line.get(place)) {
            sum -= u32::from(*leaves);
            count -= 1;
        }
        mean.push(u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX));
    }
    mean
}

/// Down the columns, all at once: a row of sums moves through the picture.
fn column_mean(octets: &[u8], width: usize, radius: usize) -> Vec<u8> {
    let rows: Vec<&[u8]> = octets.chunks_exact(width).collect();
    let mut sums = vec![0_u32; width];
    let mut count = 0_u32;
    let add = |sums: &mut Vec<u32>, row: &[u8]| {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += u32::from(*value);
        }
    };
    for row in rows.iter().take(radius) {
        add(&mut sums, row);
        count += 1;
    }
    let mut mean = Vec::with_capacity(octets.len());
    for at in 0..rows.len() {
        if let Some(row) = rows.get(at + radius) {
            add(&mut sums, row);
            count += 1;
        }
        if let Some(row) = at.checked_sub(radius + 1).and_then(|place| rows.get(place)) {
            for (sum, value) in sums.iter_mut().zip(*row) {
                *sum -= u32::from(*value);
            }
            count -= 1;
        }
        let count = count.max(1);
        mean.extend(sums.iter().map(|sum| u8::try_from(sum / count).unwrap_or(u8::MAX)));
    }
    mean
}

/// The background made even: each pixel less its surroundings' mean, stretched so that all but the extremes fill the range.
pub(super) fn flattened(luma: &Luma) -> Luma {
    let radius = (luma.width().min(luma.height()) / 16).clamp(8, 64);
    let mean = box_mean(luma, radius);
    let differences =
        || luma.octets().iter().zip(mean.octets()).map(|(value, mean)| i16::from(*value) - i16::from(*mean));
    // Differences from -255 to 255, counted from 0.
    let mut histogram = [0_usize; 511];
    for difference in differences() {
        if let Some(count) = usize::try_from(difference + 255).ok().and_then(|place| histogram.get_mut(place)) {
            *count += 1;
        }
    }
    let low = quantile(&histogram, luma.pixels() / 50) - 255;
    let high = quantile(&histogram, luma.pixels() - luma.pixels() / 50) - 255;
    let span = (high - low).max(1);
    let stretched = differences().map(|difference| {
        let value = (i32::from(difference) - low) * 255 / span;
        u8::try_from(value.clamp(0, 255)).unwrap_or(0)
    });
    luma.with(stretched.collect())
}

/// The first place at which the running count passes `rank`.
pub(super) fn quantile(histogram: &[usize], rank: usize) -> i32 {
    let mut seen = 0;
    let place = histogram.iter().position(|count| {
        seen += count;
        seen > rank
    });
    i32::try_from(place.unwrap_or(histogram.len().saturating_sub(1))).unwrap_or(i32::MAX)
}

/// Sharper, for codes out of focus: grain is smoothed away first, then each pixel's difference from its surroundings is taken nine times.
pub(super) fn sharpened(luma: &Luma) -> Luma {
    let smooth = box_mean(luma, 1);
    let mean = box_mean(&smooth, 4);
    let sharper = smooth.octets().iter().zip(mean.octets()).map(|(value, mean)| {
        let (value, mean) = (i32::from(*value), i32::from(*mean));
        u8::try_from((mean + (value - mean) * 9).clamp(0, 255)).unwrap_or(0)
    });
    luma.with(sharper.collect())
}

/// Dark lines of one or two pixels taken out: what a terminal's glyphs leave between rows of cells. Light spreads a pixel, then dark does.
pub(super) fn closed(luma: &Luma) -> Luma {
    let spread = |octets: &[u8], pick: fn(u8, u8) -> u8| -> Vec<u8> {
        let rows: Vec<&[u8]> = octets.chunks_exact(luma.width()).collect();
        let mut out = Vec::with_capacity(octets.len());
        for (at, row) in rows.iter().enumerate() {
            let above = at.checked_sub(1).and_then(|place| rows.get(place)).unwrap_or(row);
            let below = rows.get(at + 1).unwrap_or(row);
            out.extend(
                row.iter().zip(*above).zip(*below).map(|((here, above), below)| pick(pick(*here, *above), *below)),
            );
        }
        out
    };
    luma.with(spread(&spread(luma.octets(), u8::max), u8::min))
}

/// A code without a light border on a dark screen: everything outside the smallest upright rectangle that holds the light pixels made
/// light. `None` where the light reaches the border of the picture, or there is none.
pub(super) fn bordered(luma: &Luma) -> Option<Luma> {
    let mut histogram = [0_usize; 256];
    for value in luma.octets() {
        if let Some(count) = histogram.get_mut(usize::from(*value)) {
            *count += 1;
        }
    }
    let (low, high) =
        (quantile(&histogram, luma.pixels() / 50), quantile(&histogram, luma.pixels() - luma.pixels() / 50));
    let threshold = u8::try_from((low + high) / 2).ok()?;
    let light_of = |row: &[u8]| row.iter().filter(|value| **value > threshold).count();
    // A line belongs to the code where a twelfth of the widest such line is light: single light pixels are noise.
    let in_rows: Vec<usize> = luma.rows().map(light_of).collect();
    let mut in_columns = vec![0_usize; luma.width()];
    for row in luma.rows() {
        for (count, value) in in_columns.iter_mut().zip(row) {
            *count += usize::from(*value > threshold);
        }
    }
    let span = |counts: &[usize]| -> Option<(usize, usize)> {
        let least = counts.iter().max()? / 12;
        let first = counts.iter().position(|count| *count > least)?;
        let last = counts.iter().rposition(|count| *count > least)?;
        (first > 0 && last + 1 < counts.len() && last > first + 20).then_some((first, last))
    };
    let ((top, bottom), (left, right)) = (span(&in_rows)?, span(&in_columns)?);
    let light = u8::try_from(high).ok()?;
    let mut octets = vec![light; luma.pixels()];
    for (to, from) in octets.chunks_exact_mut(luma.width()).zip(luma.rows()).take(bottom + 1).skip(top) {
        if let (Some(to), Some(from)) = (to.get_mut(left..=right), from.get(left..=right)) {
            to.copy_from_slice(from);
        }
    }
    Some(luma.with(octets))
}
