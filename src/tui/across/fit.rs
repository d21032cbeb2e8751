//! Which code fits which terminal.
//!
//! One line of the terminal is always the status line's; the code never shares it. Left to itself the screen takes the
//! largest code that has its whole quiet zone. A density that somebody asked for is kept a little longer: half of the
//! quiet zone goes before it is dropped, and never the rest.

use crate::tui::widgets::qr_code::Shape;

/// Codes from the least that carry anything to speak of, to the densest that a camera takes from a screen.
pub const VERSIONS: std::ops::RangeInclusive<u8> = 5..=27;
/// What the screen shows where there is room: 77 modules.
pub use crate::transfer::sender::USUAL_VERSION;
/// The quiet zone ISO/IEC 18004 asks for, and the least that decoders were seen to read with (docs: `media/README.md`).
pub const QUIET: usize = 4;
pub const LEAST_QUIET: usize = 2;

/// How dense the codes should be, if there is room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Density {
    /// Nobody asked.
    Usual,
    Asked(u8),
}

impl Density {
    /// The densest code it allows.
    #[must_use]
    pub fn most(self) -> u8 {
        match self {
            Density::Usual => USUAL_VERSION,
            Density::Asked(version) => version.clamp(*VERSIONS.start(), *VERSIONS.end()),
        }
    }
}

/// A code that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    pub version: u8,
    pub quiet: usize,
}

/// Modules along one side of a code of this version.
#[must_use]
pub fn side(version: u8) -> usize {
    17 + 4 * usize::from(version)
}

/// Whether a code fits a terminal beside its status line.
#[must_use]
pub fn fits(fit: Fit, shape: Shape, (width, height): (u16, u16)) -> bool {
    let (columns, rows) = shape.room_for(side(fit.version) + 2 * fit.quiet);
    columns <= width && rows < height
}

/// The quiet zone a code of this version can have on a terminal, the whole one first.
#[must_use]
pub fn quiet_for(version: u8, shape: Shape, terminal: (u16, u16)) -> Option<usize> {
    [QUIET, LEAST_QUIET].into_iter().find(|quiet| fits(Fit { version, quiet: *quiet }, shape, terminal))
}

/// The code for a terminal; nothing where even the smallest does not fit.
#[must_use]
pub fn choose(density: Density, shape: Shape, terminal: (u16, u16)) -> Option<Fit> {
    let most = density.most();
    let versions = || (*VERSIONS.start()..=most).rev();
    let asked = match density {
        Density::Asked(_) => quiet_for(most, shape, terminal).map(|quiet| Fit { version: most, quiet }),
        Density::Usual => None,
    };
    let whole = || versions().map(|version| Fit { version, quiet: QUIET }).find(|fit| fits(*fit, shape, terminal));
    let least = || Some(Fit { version: *VERSIONS.start(), quiet: LEAST_QUIET }).filter(|f| fits(*f, shape, terminal));
    asked.or_else(whole).or_else(least)
}

/// Columns and rows of a terminal that shows this version with its whole quiet zone.
#[must_use]
pub fn terminal_for(version: u8, shape: Shape) -> (u16, u16) {
    let (columns, rows) = shape.room_for(side(version) + 2 * QUIET);
    (columns, rows.saturating_add(1))
}

/// The smallest terminal that shows a code at all.
#[must_use]
pub fn least_terminal(version: u8, shape: Shape) -> (u16, u16) {
    let (columns, rows) = shape.room_for(side(version) + 2 * LEAST_QUIET);
    (columns, rows.saturating_add(1))
}
