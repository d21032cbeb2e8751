//! The modules of a QR code: one alphanumeric segment in a version and level that are said, never guessed, so that the
//! size does not change from frame to frame.
//!
//! It never draws: it says which modules are dark. Shares have their own (`custody::qr`), which is wiped.

use crate::basics::SafeText;
use qrcodegen::{QrCode, QrCodeEcc, QrSegment, Version};

/// Modules of empty space a code needs on every side.
pub const QUIET: usize = 4;

/// How much of a code may be lost: about 7, 15, 25 or 30 per cent. L on a screen, where other frames follow; Q on paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    L,
    M,
    Q,
    H,
}

/// Why a text has no code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    #[error("QR code: expected only characters of its alphanumeric mode, found {found} at character {place}")]
    Character { found: SafeText, place: usize },
    #[error("QR code: expected a version from 1 to 40, found {0}")]
    Version(u8),
    #[error("QR code of version {version}, level {level:?}: expected at most {most} characters, found {found}")]
    Long { version: u8, level: Level, most: usize, found: usize },
}

/// The modules of a code, without the quiet zone.
#[derive(Clone, PartialEq, Eq)]
pub struct Matrix {
    code: QrCode,
}

impl Matrix {
    /// The code of a text, in the version that is given or the smallest that holds it.
    ///
    /// # Errors
    /// Where the text is too long or has a character outside QR's alphanumeric mode.
    pub fn of(text: &str, version: Option<u8>, level: Level) -> Result<Self, MatrixError> {
        if let Some((place, wrong)) = text.chars().enumerate().find(|(_, c)| !is_alphanumeric(*c)) {
            return Err(MatrixError::Character { found: SafeText::of(&wrong.to_string()), place: place + 1 });
        }
        let version = match version {
            Some(version) if !(1..=40).contains(&version) => return Err(MatrixError::Version(version)),
            Some(version) => version,
            None => (1..40).find(|&version| capacity(version, level) >= text.len()).unwrap_or(40),
        };
        let (most, found) = (capacity(version, level), text.len());
        let long = MatrixError::Long { version, level, most, found };
        if found > most {
            return Err(long);
        }
        // The segment is made of checked characters and the version is in its range: the crate's assertions hold.
        let segment = QrSegment::make_alphanumeric(text);
        let size = Version::new(version);
        let code = QrCode::encode_segments_advanced(&[segment], level.into(), size, size, None, false);
        code.map(|code| Self { code }).map_err(|_| long)
    }

    /// Modules along one side: 17 and four for every version.
    #[must_use]
    pub fn size(&self) -> usize {
        usize::try_from(self.code.size()).unwrap_or(0)
    }

    #[must_use]
    pub fn version(&self) -> u8 {
        self.code.version().value()
    }

    /// Whether a module is dark; outside the code nothing is.
    #[must_use]
    pub fn dark(&self, column: usize, row: usize) -> bool {
        match (i32::try_from(column), i32::try_from(row)) {
            (Ok(x), Ok(y)) => self.code.get_module(x, y),
            _ => false,
        }
    }
}

impl std::fmt::Debug for Matrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Matrix(version {})", self.version())
    }
}

/// Whether QR's alphanumeric mode has this character.
#[must_use]
pub const fn is_alphanumeric(character: char) -> bool {
    matches!(character, '0'..='9' | 'A'..='Z' | ' ' | '$' | '%' | '*' | '+' | '-' | '.' | '/' | ':')
}

/// Characters one alphanumeric segment holds (ISO/IEC 18004, table 7); 0 for a version that does not exist.
#[must_use]
pub fn capacity(version: u8, level: Level) -> usize {
    let row = usize::from(version).checked_sub(1).and_then(|index| CAPACITY.get(index));
    row.map_or(0, |row| match level {
        Level::L => usize::from(row[0]),
        Level::M => usize::from(row[1]),
        Level::Q => usize::from(row[2]),
        Level::H => usize::from(row[3]),
    })
}

impl From<Level> for QrCodeEcc {
    fn from(level: Level) -> Self {
        match level {
            Level::L => Self::Low,
            Level::M => Self::Medium,
            Level::Q => Self::Quartile,
            Level::H => Self::High,
        }
    }
}

/// Levels L, M, Q, H of versions 1 to 40.
const CAPACITY: [[u16; 4]; 40] = [
    [25, 20, 16, 10],
    [47, 38, 29, 20],
    [77, 61, 47, 35],
    [114, 90, 67, 50],
    [154, 122, 87, 64],
    [195, 154, 108, 84],
    [224, 178, 125, 93],
    [279, 221, 157, 122],
    [335, 262, 189, 143],
    [395, 311, 221, 174],
    [468, 366, 259, 200],
    [535, 419, 296, 227],
    [619, 483, 352, 259],
    [667, 528, 376, 283],
    [758, 600, 426, 321],
    [854, 656, 470, 365],
    [938, 734, 531, 408],
    [1046, 816, 574, 452],
    [1153, 909, 644, 493],
    [1249, 970, 702, 557],
    [1352, 1035, 742, 587],
    [1460, 1134, 823, 640],
    [1588, 1248, 890, 672],
    [1704, 1326, 963, 744],
    [1853, 1451, 1041, 779],
    [1990, 1542, 1094, 864],
    [2132, 1637, 1172, 910],
    [2223, 1732, 1263, 958],
    [2369, 1839, 1322, 1016],
    [2520, 1994, 1429, 1080],
    [2677, 2113, 1499, 1150],
    [2840, 2238, 1618, 1226],
    [3009, 2369, 1700, 1307],
    [3183, 2506, 1787, 1394],
    [3351, 2632, 1867, 1431],
    [3537, 2780, 1966, 1530],
    [3729, 2894, 2071, 1591],
    [3927, 3054, 2181, 1658],
    [4087, 3220, 2298, 1774],
    [4296, 3391, 2420, 1852],
];
