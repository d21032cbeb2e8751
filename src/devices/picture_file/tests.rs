//! Good, hostile and cut pictures.

use super::*;
use crate::transfer::picture::read_codes;
use crate::transfer::picture::tests::code;

/// A PNG file of these samples.
pub(crate) fn png_of(width: u32, height: u32, color: png::ColorType, samples: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut encoder = png::Encoder::new(&mut octets, width, height);
    encoder.set_color(color);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(samples).unwrap();
    writer.finish().unwrap();
    octets
}

fn grey_png(luma: &Luma) -> Vec<u8> {
    png_of(
        luma.width().try_into().unwrap(),
        luma.height().try_into().unwrap(),
        png::ColorType::Grayscale,
        luma.octets(),
    )
}

#[test]
fn every_colour_type_of_png_gives_the_grey_values_and_glass_is_paper() {
    let luma = code("AF1PNG", 2);
    let (width, height) = (luma.width().try_into().unwrap(), luma.height().try_into().unwrap());
    assert_eq!(decode(&grey_png(&luma)), Ok(luma.clone()));
    let rgb: Vec<u8> = luma.octets().iter().flat_map(|value| [*value; 3]).collect();
    assert_eq!(decode(&png_of(width, height, png::ColorType::Rgb, &rgb)), Ok(luma.clone()));
    // Dark ink on nothing.
    let ink: Vec<u8> = luma.octets().iter().flat_map(|value| [0, 0, 0, 255 - value]).collect();
    assert_eq!(decode(&png_of(width, height, png::ColorType::Rgba, &ink)), Ok(luma.clone()));
    let ink: Vec<u8> = luma.octets().iter().flat_map(|value| [0, 255 - value]).collect();
    assert_eq!(decode(&png_of(width, height, png::ColorType::GrayscaleAlpha, &ink)), Ok(luma));
}

#[test]
fn a_png_that_declares_more_pixels_than_may_be_is_a_bomb() {
    let mut octets = png_of(2, 2, png::ColorType::Grayscale, &[0; 4]);
    for (side, named) in [(65_535_u32, "65535 x 65535"), (16_000, "16000 x 16000")] {
        octets[16..20].copy_from_slice(&side.to_be_bytes());
        octets[20..24].copy_from_slice(&side.to_be_bytes());
        let crc = crc32(&octets[12..29]);
        octets[29..33].copy_from_slice(&crc.to_be_bytes());
        let error = decode(&octets).unwrap_err();
        assert!(matches!(&error, PictureError::Bomb { reason } if reason.contains(named)), "{error}");
    }
}

/// CRC-32 of PNG chunks.
fn crc32(octets: &[u8]) -> u32 {
    !octets.iter().fold(!0, |crc, octet| {
        (0..8).fold(crc ^ u32::from(*octet), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[test]
fn a_text_chunk_in_a_png_is_never_inflated() {
    let luma = code("AF1TEXT", 2);
    let whole = grey_png(&luma);
    // Says it is compressed text; what follows is no zlib stream.
    let mut chunk = b"zTXtComment\0\0this is not deflated".to_vec();
    let length = u32::try_from(chunk.len() - 4).unwrap();
    chunk.extend(crc32(&chunk).to_be_bytes());
    let mut octets = whole[..33].to_vec();
    octets.extend(length.to_be_bytes());
    octets.extend(chunk);
    octets.extend(&whole[33..]);
    assert_eq!(decode(&octets), Ok(luma));
}

#[test]
fn a_picture_that_ends_early_is_truncated_wherever_it_ends() {
    let whole = grey_png(&code("AF1CUTSHORT", 3));
    let data_ends = whole.len() - 12;
    for end in (1..data_ends).step_by(7) {
        assert_eq!(decode(&whole[..end]), Err(PictureError::Truncated), "PNG of {end} of {} octets", whole.len());
    }
    let whole = include_bytes!("../../../tests/corpora/picture/code.jpg");
    assert!(decode(whole).is_ok());
    for end in (3..whole.len() - 2).step_by(61) {
        assert_eq!(decode(&whole[..end]), Err(PictureError::Truncated), "JPEG of {end} of {} octets", whole.len());
    }
}

#[test]
fn a_jpeg_is_read_and_one_that_declares_too_many_pixels_is_a_bomb() {
    let whole = include_bytes!("../../../tests/corpora/picture/code.jpg");
    let texts = read_codes(&decode(whole).unwrap(), &mut || true).texts();
    assert_eq!(texts, ["AF1JPEG"]);
    let colour = include_bytes!("../../../tests/corpora/picture/colour-progressive.jpg");
    assert_eq!(read_codes(&decode(colour).unwrap(), &mut || true).texts(), ["AF1JPEG"]);
    let mut bomb = whole.to_vec();
    let start = bomb.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    bomb[start + 5..start + 9].copy_from_slice(&[0x3f, 0x00, 0x3f, 0x00]);
    assert!(matches!(decode(&bomb), Err(PictureError::Bomb { .. })), "{:?}", decode(&bomb).err());
}

#[test]
fn what_is_no_picture_is_named_and_flipped_bits_only_give_errors() {
    for other in [&b""[..], b"GIF89a", b"%PDF-1.7", b"RIFF\0\0\0\0WEBP"] {
        assert_eq!(decode(other), Err(PictureError::NotAPicture));
    }
    for whole in [grey_png(&code("AF1FLIP", 2)), include_bytes!("../../../tests/corpora/picture/code.jpg").to_vec()] {
        let mut octets = whole.clone();
        for at in (0..octets.len()).step_by(5) {
            octets[at] ^= 1 << (at % 8);
            let _ = decode(&octets);
            octets[at] = whole[at];
        }
    }
}
