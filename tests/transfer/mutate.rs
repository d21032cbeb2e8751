//! Mutations of pictures, the same for the same seed: for the unit tests, the bench and whoever hunts for panics of decoders.

/// A grey picture.
#[derive(Clone)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub octets: Vec<u8>,
}

/// SplitMix64.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// A code drawn with its quiet zone, `scale` pixels a module.
pub fn drawn(text: &str, version: u8, scale: usize) -> Picture {
    let segments = [qrcodegen::QrSegment::make_alphanumeric(text)];
    let version = qrcodegen::Version::new(version);
    let code = qrcodegen::QrCode::encode_segments_advanced(
        &segments,
        qrcodegen::QrCodeEcc::Low,
        version,
        version,
        None,
        false,
    )
    .unwrap();
    let side = (code.size() as usize + 8) * scale;
    let at = |place: usize| (place / scale) as i32 - 4;
    let octets = (0..side * side).map(|n| if code.get_module(at(n % side), at(n / side)) { 15 } else { 240 }).collect();
    Picture { width: side, height: side, octets }
}

/// One to five mutations.
pub fn mutated(base: &Picture, dice: &mut Dice) -> Picture {
    let mut picture = base.clone();
    for _ in 0..=dice.below(5) {
        mutate(&mut picture, dice);
    }
    picture
}

fn mutate(picture: &mut Picture, dice: &mut Dice) {
    let (width, height) = (picture.width, picture.height);
    let grey = [0, 255, dice.next() as u8][dice.below(3)];
    match dice.below(12) {
        // A rectangle of one colour.
        0 => {
            let (w, h) = (1 + dice.below(width / 3), 1 + dice.below(height / 3));
            let (x, y) = (dice.below(width - w.min(width - 1)), dice.below(height - h.min(height - 1)));
            fill(picture, x, y, w, h, grey);
        }
        // A finder pattern where none belongs, of any size and shape.
        1 => {
            let (a, b) = (1 + dice.below(8), 1 + dice.below(8));
            let (x, y) = (dice.below(width), dice.below(height));
            fill(picture, x, y, 7 * a, 7 * b, 0);
            fill(picture, x + a, y + b, 5 * a, 5 * b, 255);
            fill(picture, x + 2 * a, y + 2 * b, 3 * a, 3 * b, 0);
        }
        // Slanted: each row shifted a little more.
        2 => {
            let slope = dice.below(200) as f64 / 100.0 - 1.0;
            warp(picture, |x, y| (x + slope * y, y));
        }
        // Perspective.
        3 => {
            let (a, b) = (dice.below(300) as f64 / 1e5, dice.below(300) as f64 / 1e5);
            warp(picture, |x, y| (x * (1.0 + a * x + b * y), y * (1.0 + a * x + b * y)));
        }
        // Turned.
        4 => {
            let angle = dice.below(628) as f64 / 100.0;
            let (cx, cy) = (width as f64 / 2.0, height as f64 / 2.0);
            warp(picture, |x, y| {
                let (u, v) = (x - cx, y - cy);
                (u * angle.cos() - v * angle.sin() + cx, u * angle.sin() + v * angle.cos() + cy)
            });
        }
        // Waves.
        5 => {
            let (size, length) = (1.0 + dice.below(12) as f64, 5.0 + dice.below(90) as f64);
            warp(picture, |x, y| (x + size * (y / length).sin(), y + size * (x / length).cos()));
        }
        // Noise over everything.
        6 => {
            let strength = 1 + dice.below(160) as i32;
            for octet in &mut picture.octets {
                *octet = (i32::from(*octet) + (dice.0 % 7) as i32 + dice.below(strength as usize) as i32 - strength / 2)
                    .clamp(0, 255) as u8;
            }
        }
        // Lines across.
        7 => {
            for _ in 0..=dice.below(6) {
                if dice.below(2) == 0 {
                    fill(picture, 0, dice.below(height), width, 1 + dice.below(4), grey);
                } else {
                    fill(picture, dice.below(width), 0, 1 + dice.below(4), height, grey);
                }
            }
        }
        // Cut out.
        8 => {
            let (w, h) = (1 + dice.below(width), 1 + dice.below(height));
            let rows = picture.octets.chunks(width).take(h).flat_map(|row| &row[..w]);
            *picture = Picture { octets: rows.copied().collect(), width: w, height: h };
        }
        // A part laid elsewhere.
        9 => {
            let (w, h) = (1 + dice.below(width / 2), 1 + dice.below(height / 2));
            let (from, to) = ((dice.below(width), dice.below(height)), (dice.below(width), dice.below(height)));
            let source = picture.clone();
            for y in 0..h {
                for x in 0..w {
                    let (sx, sy, tx, ty) = (from.0 + x, from.1 + y, to.0 + x, to.1 + y);
                    if sx < width && tx < width && sy < height && ty < height {
                        picture.octets[ty * width + tx] = source.octets[sy * width + sx];
                    }
                }
            }
        }
        // Stretched in one direction.
        10 => {
            let (a, b) = (0.2 + dice.below(200) as f64 / 100.0, 0.2 + dice.below(200) as f64 / 100.0);
            warp(picture, |x, y| (x * a, y * b));
        }
        // Light on dark.
        _ => picture.octets.iter_mut().for_each(|octet| *octet = 255 - *octet),
    }
}

fn fill(picture: &mut Picture, x: usize, y: usize, w: usize, h: usize, grey: u8) {
    for row in picture.octets.chunks_mut(picture.width).skip(y).take(h) {
        for octet in row.iter_mut().skip(x).take(w) {
            *octet = grey;
        }
    }
}

fn warp(picture: &mut Picture, from: impl Fn(f64, f64) -> (f64, f64)) {
    let source = picture.clone();
    for y in 0..picture.height {
        for x in 0..picture.width {
            let (u, v) = from(x as f64, y as f64);
            let inside = u >= 0.0 && v >= 0.0 && u < picture.width as f64 && v < picture.height as f64;
            picture.octets[y * picture.width + x] =
                if inside { source.octets[v as usize * source.width + u as usize] } else { 255 };
        }
    }
}
