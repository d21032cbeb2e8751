//! Capacities and modules of QR codes, against the encoder and a reader.

use crate::transfer::matrix::{capacity, is_alphanumeric};
use crate::transfer::{Level, Matrix, MatrixError};

#[test]
fn the_capacity_is_what_the_encoder_takes_and_no_character_more() {
    for level in [Level::L, Level::M, Level::Q, Level::H] {
        for version in [1, 2, 9, 10, 15, 20, 26, 27, 33, 40] {
            let most = capacity(version, level);
            let code = Matrix::of(&"A".repeat(most), Some(version), level).unwrap();
            assert_eq!(code.size(), 17 + 4 * usize::from(version));
            let error = Matrix::of(&"A".repeat(most + 1), Some(version), level).unwrap_err();
            assert_eq!(error, MatrixError::Long { version, level, most, found: most + 1 });
            // The table and the crate agree: without our check the crate itself would refuse the next character.
            let segment = qrcodegen::QrSegment::make_alphanumeric(&"A".repeat(most + 1));
            let size = qrcodegen::Version::new(version);
            let refused =
                qrcodegen::QrCode::encode_segments_advanced(&[segment], level.into(), size, size, None, false);
            assert!(refused.is_err(), "{version} {level:?}");
        }
    }
    assert_eq!((capacity(0, Level::L), capacity(41, Level::L)), (0, 0));
}

#[test]
fn a_text_outside_the_alphanumeric_mode_has_no_code() {
    for (text, place) in [("AF1a", 4), ("é", 1), ("A_B", 2), ("AB\n", 3), ("A\u{202e}", 2)] {
        let error = Matrix::of(text, None, Level::L).unwrap_err();
        assert!(matches!(error, MatrixError::Character { place: found, .. } if found == place), "{text:?}: {error}");
    }
    let all: String = (0..128_u8).map(char::from).filter(|c| is_alphanumeric(*c)).collect();
    assert_eq!(all.len(), 45);
    assert!(Matrix::of(&all, None, Level::L).is_ok());
}

#[test]
fn versions_that_do_not_exist_are_refused_and_the_smallest_that_fits_is_taken() {
    assert_eq!(Matrix::of("A", Some(0), Level::L), Err(MatrixError::Version(0)));
    assert_eq!(Matrix::of("A", Some(41), Level::L), Err(MatrixError::Version(41)));
    assert_eq!(Matrix::of(&"A".repeat(25), None, Level::L).unwrap().version(), 1);
    assert_eq!(Matrix::of(&"A".repeat(26), None, Level::L).unwrap().version(), 2);
    assert!(Matrix::of(&"A".repeat(4_297), None, Level::L).is_err());
}

#[test]
fn the_code_is_read_back_to_the_same_text() {
    let text = "AF1".to_owned() + &"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".repeat(4);
    let code = Matrix::of(&text, Some(8), Level::M).unwrap();
    assert!(!code.dark(code.size(), 0) && !code.dark(0, usize::MAX) && code.dark(0, 0));
    let grid = rqrr::SimpleGrid::from_func(code.size(), |x, y| code.dark(x, y));
    assert_eq!(rqrr::Grid::new(grid).decode().unwrap().1, text);
}
