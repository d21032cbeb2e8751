//! Sums of points of P-256 in thousands, for verification only: points are public, and nothing here takes care of time. The field is
//! `fiat-crypto`'s, whose every function comes with a machine-checked proof. One inversion serves all additions of a round, so that an
//! affine addition costs five multiplications where the `p256` crate's complete formulas have fourteen.
//!
//! Equal and opposite points are not added: honest ones differ, and their sum is refused.

use super::POINT_OCTETS;
use fiat_crypto::p256_64::{
    fiat_p256_add, fiat_p256_from_bytes, fiat_p256_from_montgomery, fiat_p256_montgomery_domain_field_element as Field,
    fiat_p256_mul, fiat_p256_non_montgomery_domain_field_element as Plain, fiat_p256_set_one, fiat_p256_square,
    fiat_p256_sub, fiat_p256_to_bytes, fiat_p256_to_montgomery,
};

const ZERO: Field = Field([0; 4]);
/// p, big endian.
const PRIME: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff,
];
/// The curve's b, big endian (SP 800-186, 3.2.1.3).
const B: [u8; 32] = [
    0x5a, 0xc6, 0x35, 0xd8, 0xaa, 0x3a, 0x93, 0xe7, 0xb3, 0xeb, 0xbd, 0x55, 0x76, 0x98, 0x86, 0xbc, 0x65, 0x1d, 0x06,
    0xb0, 0xcc, 0x53, 0xb0, 0xf6, 0x3b, 0xce, 0x3c, 0x3e, 0x27, 0xd2, 0x60, 0x4b,
];

fn mul(a: &Field, b: &Field) -> Field {
    let mut out = ZERO;
    fiat_p256_mul(&mut out, a, b);
    out
}

fn square(a: &Field) -> Field {
    let mut out = ZERO;
    fiat_p256_square(&mut out, a);
    out
}

fn add(a: &Field, b: &Field) -> Field {
    let mut out = ZERO;
    fiat_p256_add(&mut out, a, b);
    out
}

fn sub(a: &Field, b: &Field) -> Field {
    let mut out = ZERO;
    fiat_p256_sub(&mut out, a, b);
    out
}

fn one() -> Field {
    let mut out = ZERO;
    fiat_p256_set_one(&mut out);
    out
}

/// a^(p-2), Fermat; 0 of 0.
fn inverse(a: &Field) -> Field {
    let mut exponent = PRIME;
    // ... ff - 2
    exponent[31] = 0xfd;
    let mut out = one();
    for bit in exponent.iter().flat_map(|octet| (0..8).rev().map(move |n| octet >> n & 1)) {
        out = square(&out);
        if bit == 1 {
            out = mul(&out, a);
        }
    }
    out
}

/// What is below p, big endian.
fn field(octets: &[u8; 32]) -> Option<Field> {
    if *octets >= PRIME {
        return None;
    }
    let mut little = *octets;
    little.reverse();
    let (mut plain, mut out) = (Plain([0; 4]), ZERO);
    fiat_p256_from_bytes(&mut plain.0, &little);
    fiat_p256_to_montgomery(&mut out, &plain);
    Some(out)
}

fn octets(a: &Field) -> [u8; 32] {
    let (mut plain, mut out) = (Plain([0; 4]), [0; 32]);
    fiat_p256_from_montgomery(&mut plain, a);
    fiat_p256_to_bytes(&mut out, &plain.0);
    out.reverse();
    out
}

/// A point of the curve that is not at infinity.
#[derive(Clone, Copy)]
pub(super) struct Point {
    x: Field,
    y: Field,
}

/// Reads points.
pub(super) struct Curve {
    b: Field,
}

impl Curve {
    pub(super) fn new() -> Option<Self> {
        Some(Self { b: field(&B)? })
    }

    /// The point with these octets, uncompressed; nothing where there is none.
    pub(super) fn point(&self, uncompressed: &[u8; POINT_OCTETS]) -> Option<Point> {
        let ([4], xy) = uncompressed.split_first_chunk()? else { return None };
        let (x, y) = (field(xy.first_chunk()?)?, field(xy.last_chunk()?)?);
        // y^2 = x^3 - 3x + b
        let three = add(&x, &add(&x, &x));
        let right = add(&sub(&mul(&square(&x), &x), &three), &self.b);
        (square(&y).0 == right.0).then_some(Point { x, y })
    }
}

impl Point {
    pub(super) fn to_octets(self) -> [u8; POINT_OCTETS] {
        let mut out = [4; POINT_OCTETS];
        super::join(&mut out, &[&[4], &octets(&self.x), &octets(&self.y)]);
        out
    }

    pub(super) fn negated(self) -> Self {
        Self { x: self.x, y: sub(&ZERO, &self.y) }
    }

    /// The sum of two whose x differ, given 1 / (x2 - x1).
    fn plus(&self, other: &Self, inverse: &Field) -> Self {
        let slope = mul(&sub(&other.y, &self.y), inverse);
        let x = sub(&sub(&square(&slope), &self.x), &other.x);
        let y = sub(&mul(&slope, &sub(&self.x, &x)), &self.y);
        Self { x, y }
    }
}

/// The sum of each group, `None` of an empty one; nothing where points to be added are equal or opposite. In rounds: those of a group are
/// added two and two.
pub(super) fn sums(groups: impl IntoIterator<Item = Vec<Point>>) -> Option<Vec<Option<Point>>> {
    let (mut points, mut lengths) = (Vec::new(), Vec::new());
    for group in groups {
        lengths.push(group.len());
        points.extend(group);
    }
    while lengths.iter().any(|length| *length > 1) {
        points = halved(&points, &mut lengths)?;
    }
    let mut sums = points.into_iter();
    Some(lengths.into_iter().map(|length| if length == 0 { None } else { sums.next() }).collect())
}

/// One round.
fn halved(points: &[Point], lengths: &mut [usize]) -> Option<Vec<Point>> {
    let each = |lengths: &[usize], take: &mut dyn FnMut(&[Point])| {
        let mut rest = points;
        for length in lengths {
            let (group, others) = rest.split_at_checked(*length)?;
            group.chunks(2).for_each(&mut *take);
            rest = others;
        }
        Some(())
    };
    // Montgomery's trick: the product before each difference, then one inversion, then backwards.
    let (mut before, mut product) = (Vec::with_capacity(points.len() / 2), one());
    each(lengths, &mut |pair| {
        if let [a, b] = pair {
            let difference = sub(&b.x, &a.x);
            before.push((product, difference));
            product = mul(&product, &difference);
        }
    })?;
    if product.0 == ZERO.0 {
        return None;
    }
    let mut inverted = inverse(&product);
    for (before, difference) in before.iter_mut().rev() {
        *before = mul(&inverted, before);
        inverted = mul(&inverted, difference);
    }
    let (mut sums, mut inverses) = (Vec::with_capacity(points.len().div_ceil(2) + lengths.len()), before.iter());
    each(lengths, &mut |pair| match pair {
        [a, b] => sums.extend(inverses.next().map(|(inverse, _)| a.plus(b, inverse))),
        alone => sums.extend_from_slice(alone),
    })?;
    lengths.iter_mut().for_each(|length| *length = length.div_ceil(2));
    Some(sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::elliptic_curve::Group as _;
    use p256::elliptic_curve::point::DecompressPoint as _;
    use p256::elliptic_curve::sec1::ToSec1Point as _;
    use p256::{AffinePoint, ProjectivePoint, Scalar};
    use proptest::prelude::*;

    fn uncompressed(point: ProjectivePoint) -> [u8; POINT_OCTETS] {
        point.to_affine().to_sec1_point(false).as_bytes().try_into().unwrap()
    }

    fn multiple(n: u64) -> ProjectivePoint {
        ProjectivePoint::mul_by_generator(&Scalar::from(n))
    }

    #[test]
    fn what_is_no_point_is_refused() {
        let curve = Curve::new().unwrap();
        let good = uncompressed(multiple(7));
        assert_eq!(curve.point(&good).unwrap().to_octets(), good);
        for (at, bit) in [(0, 1), (0, 6), (1, 1), (32, 1), (33, 4), (64, 1)] {
            let mut bad = good;
            bad[at] ^= bit;
            assert!(curve.point(&bad).is_none(), "octet {at}");
        }
        // x of 0 is on the curve; written as p it is not in its range.
        let zero: Option<AffinePoint> = AffinePoint::decompress(&[0; 32].into(), 0.into()).into();
        let mut written = uncompressed(zero.unwrap().into());
        assert!(curve.point(&written).is_some());
        written[1..33].copy_from_slice(&PRIME);
        assert!(curve.point(&written).is_none());
    }

    #[test]
    fn equal_and_opposite_points_are_not_added() {
        let point = Curve::new().unwrap().point(&uncompressed(multiple(5))).unwrap();
        let other = Curve::new().unwrap().point(&uncompressed(multiple(6))).unwrap();
        assert!(sums([vec![point, point]]).is_none());
        assert!(sums([vec![other, other.negated()]]).is_none());
        assert!(sums([vec![point, other], vec![point], vec![]]).is_some_and(|sums| sums[2].is_none()));
        assert!(sums([]).is_some_and(|sums| sums.is_empty()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn sums_are_the_crates(groups in proptest::collection::vec(0_usize..9, 1..9), start in 1_u64..1 << 40, negative: bool) {
            let curve = Curve::new().unwrap();
            let mut n = start;
            let mut next = || { n += 1 + (n & 7); n };
            let groups: Vec<Vec<u64>> = groups.into_iter().map(|length| (0..length).map(|_| next()).collect()).collect();
            let point = |n: &u64| {
                let point = curve.point(&uncompressed(multiple(*n))).unwrap();
                if negative { point.negated() } else { point }
            };
            let found = sums(groups.iter().map(|group| group.iter().map(point).collect())).unwrap();
            prop_assert_eq!(found.len(), groups.len());
            for (group, found) in groups.iter().zip(found) {
                let sum = group.iter().map(|n| multiple(*n)).sum::<ProjectivePoint>();
                let sum = if negative { -sum } else { sum };
                let expected = (!group.is_empty()).then(|| uncompressed(sum));
                prop_assert_eq!(found.map(Point::to_octets), expected);
            }
        }
    }
}
