//! Puts a face upright and at one size, as the recogniser was taught.
//!
//! Pure. Least-squares similarity of five points: S. Umeyama, IEEE TPAMI 13(4), 1991.

use image::{Rgb, RgbImage, imageops};
use multiversion::multiversion;

use super::{Landmarks, Point, picture::square};

/// Side of the aligned crop in pixels.
pub const SIDE: u32 = 112;
/// Pixels around the crop that are kept with it, so that the face can be framed anew.
const MARGIN: u32 = 8;
const WHOLE: u32 = SIDE + 2 * MARGIN;
/// Large faces are first reduced to so many pixels for one of the crop.
const REDUCED: f32 = 1.25;
/// The point of the crop that stays where it is when a face is framed larger or smaller: between eyes and mouth.
const FRAMED_ABOUT: Point = Point { x: 56.5, y: 64.5 };

/// Where the five points belong in the aligned crop: the ArcFace template (Deng et al., CVPR 2019; InsightFace's numbers, which put
/// a pixel's centre at whole numbers, moved by the half pixel that [`Point`] counts).
pub const TEMPLATE: Landmarks = [
    Point { x: 38.7946, y: 52.1963 },
    Point { x: 74.0318, y: 52.0014 },
    Point { x: 56.5252, y: 72.2366 },
    Point { x: 42.0493, y: 92.8655 },
    Point { x: 71.2299, y: 92.7041 },
];

/// A rotation with scale and shift: `(x, y)` goes to `(a·x - b·y + tx, b·x + a·y + ty)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    a: f32,
    b: f32,
    tx: f32,
    ty: f32,
}

impl Similarity {
    /// The similarity that brings `from` nearest to `to`; `None` if all points of `from` fall together.
    ///
    /// In the plane Umeyama's solution without reflection has this closed form.
    pub fn between(from: &Landmarks, to: &Landmarks) -> Option<Self> {
        let centre = |points: &Landmarks| Point {
            x: points.iter().map(|point| point.x).sum::<f32>() / 5.0,
            y: points.iter().map(|point| point.y).sum::<f32>() / 5.0,
        };
        let (source, target) = (centre(from), centre(to));
        let (mut dot, mut cross, mut spread) = (0.0, 0.0, 0.0);
        for (p, q) in from.iter().zip(to) {
            let (px, py, qx, qy) = (p.x - source.x, p.y - source.y, q.x - target.x, q.y - target.y);
            dot += px * qx + py * qy;
            cross += px * qy - py * qx;
            spread += px * px + py * py;
        }
        if !(spread > 1e-3 && spread.is_finite()) {
            return None;
        }
        let (a, b) = (dot / spread, cross / spread);
        let found =
            Self { a, b, tx: target.x - a * source.x + b * source.y, ty: target.y - b * source.x - a * source.y };
        (found.scale() > 1e-4 && found.scale().is_finite()).then_some(found)
    }

    /// How much larger things become.
    pub fn scale(&self) -> f32 {
        self.a.hypot(self.b)
    }

    /// Where a point goes.
    #[inline(always)]
    pub fn apply(&self, point: Point) -> Point {
        Point { x: self.a * point.x - self.b * point.y + self.tx, y: self.b * point.x + self.a * point.y + self.ty }
    }

    /// The way back.
    fn inverse(&self) -> Self {
        let square = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / square, -self.b / square);
        Self { a, b, tx: -(a * self.tx - b * self.ty), ty: -(b * self.tx + a * self.ty) }
    }
}

/// A face upright, with a margin around the recogniser's crop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upright(RgbImage);

/// How an upright face is put before the recogniser.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Framing {
    /// 1: as it was taught; more makes the face larger. 0.92 to 1.5.
    pub scale: f32,
    /// Pixels of the crop by which the face is moved down, -4 to 4.
    pub down: f32,
    /// Whether left and right change places.
    pub mirrored: bool,
}

impl Upright {
    /// The crop as the recogniser was taught, [`SIDE`]×[`SIDE`].
    pub fn crop(&self) -> RgbImage {
        imageops::crop_imm(&self.0, MARGIN, MARGIN, SIDE, SIDE).to_image()
    }

    /// The crop framed otherwise.
    pub fn framed(&self, framing: Framing) -> RgbImage {
        let (a, margin) = (1.0 / framing.scale, MARGIN as f32);
        let to_whole = Similarity {
            a,
            b: 0.0,
            tx: FRAMED_ABOUT.x * (1.0 - a) + margin,
            ty: FRAMED_ABOUT.y * (1.0 - a) - framing.down * a + margin,
        };
        let mut crop = warp(&self.0, &to_whole, SIDE);
        if framing.mirrored {
            imageops::flip_horizontal_in_place(&mut crop);
        }
        crop
    }
}

/// Warps `frame` so that the five landmarks fall on the recogniser's template.
///
/// `landmarks`: pixels of `frame`. The face is black where it reaches over the frame's edge; `None` if the points do not make a face.
/// Large faces are reduced first, so that fine detail does not turn into noise.
pub fn align(frame: &RgbImage, landmarks: &Landmarks) -> Option<Upright> {
    let to_crop = Similarity::between(landmarks, &TEMPLATE)?;
    if to_crop.scale() >= 0.75 {
        return Some(upright(frame, &to_crop));
    }
    let middle = to_crop.inverse().apply(Point { x: 56.0, y: 56.0 });
    // As wide as the face needs at its angle, and a pixel on each side.
    let needed = WHOLE as f32 * (to_crop.a.abs() + to_crop.b.abs()) / to_crop.scale() + 2.0;
    let target = (needed * REDUCED).ceil();
    let reduced = square(frame, middle, needed / to_crop.scale(), target as u32)?;
    let (corner, factor) = (reduced.corner, target / reduced.side);
    let moved = landmarks.map(|point| Point { x: (point.x - corner.x) * factor, y: (point.y - corner.y) * factor });
    Some(upright(&reduced.rgb, &Similarity::between(&moved, &TEMPLATE)?))
}

fn upright(picture: &RgbImage, to_crop: &Similarity) -> Upright {
    let margin = MARGIN as f32;
    let to_whole = Similarity { tx: to_crop.tx + margin, ty: to_crop.ty + margin, ..*to_crop };
    Upright(warp(picture, &to_whole.inverse(), WHOLE))
}

/// Samples `picture` bilinearly at the places where `to_picture` brings the pixels of a square of `side`.
fn warp(picture: &RgbImage, to_picture: &Similarity, side: u32) -> RgbImage {
    let mut square = RgbImage::new(side, side);
    sample(picture, to_picture, &mut square);
    square
}

/// A function of its own, so that it is built for processors that round in one instruction, too.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.1", "aarch64+neon"))]
fn sample(picture: &RgbImage, to_picture: &Similarity, square: &mut RgbImage) {
    let (side, width) = (square.width(), picture.width() as usize);
    let place = |x: u32, y: u32| {
        let Point { x, y } = to_picture.apply(Point { x: x as f32 + 0.5, y: y as f32 + 0.5 });
        Point { x: x - 0.5, y: y - 0.5 }
    };
    // Each line of the square is a straight one in the picture: where both ends have all their neighbours, all between them have.
    let inner = |point: Point| {
        point.x >= 0.5
            && point.y >= 0.5
            && point.x < picture.width() as f32 - 3.0
            && point.y < picture.height() as f32 - 2.0
    };
    let step = (fixed(to_picture.a), fixed(to_picture.b));
    for (y, line) in square.as_mut().chunks_exact_mut(side as usize * 3).enumerate() {
        let (first, last) = (place(0, y as u32), place(side - 1, y as u32));
        let pixels = line.as_chunks_mut::<3>().0.iter_mut();
        if inner(first) && inner(last) {
            let (mut x, mut y) = (fixed(first.x), fixed(first.y));
            for pixel in pixels {
                let at = ((y >> POINT) as usize * width + (x >> POINT) as usize) * 3;
                *pixel = between(picture.as_raw(), at, width, x as u32 & FRACTION, y as u32 & FRACTION);
                (x, y) = (x + step.0, y + step.1);
            }
        } else {
            pixels.enumerate().for_each(|(x, pixel)| *pixel = bilinear(picture, place(x as u32, y as u32)));
        }
    }
}

/// Places within a picture are counted in so many binary places, because processors turn no [`f32`] quickly into a place in memory.
const POINT: u32 = 16;
const FRACTION: u32 = (1 << POINT) - 1;

fn fixed(value: f32) -> i64 {
    (value * (1 << POINT) as f32) as i64
}

/// The mean of four pixels by where, in parts of 65,536, the place lies between them. Four numbers and not three: each pixel is one load,
/// and the fourth is of no account.
#[inline(always)]
fn between(raw: &[u8], at: usize, width: usize, fx: u32, fy: u32) -> [u8; 3] {
    let (upper, lower) = (&raw[at..at + 7], &raw[at + 3 * width..][..7]);
    // Eleven binary places: four such sums fit in 32.
    let (fx, fy) = (fx >> 5, fy >> 5);
    let mixed: [u32; 4] = std::array::from_fn(|k| {
        let [a, b] = [upper[k], upper[k + 3]].map(u32::from);
        let [c, d] = [lower[k], lower[k + 3]].map(u32::from);
        let (upper, lower) = (a * (2048 - fx) + b * fx, c * (2048 - fx) + d * fx);
        (upper * (2048 - fy) + lower * fy + (1 << 21)) >> 22
    });
    std::array::from_fn(|k| mixed[k] as u8)
}

/// Near the picture's edge; black beyond it.
fn bilinear(picture: &RgbImage, place: Point) -> [u8; 3] {
    let (left, top) = (place.x.floor(), place.y.floor());
    let pixel = |x: f32, y: f32| match picture.get_pixel_checked(x as u32, y as u32) {
        Some(Rgb([r, g, b])) if x >= 0.0 && y >= 0.0 => [f32::from(*r), f32::from(*g), f32::from(*b)],
        _ => [0.0; 3],
    };
    let (fx, fy) = (place.x - left, place.y - top);
    let (upper, lower) =
        ([pixel(left, top), pixel(left + 1.0, top)], [pixel(left, top + 1.0), pixel(left + 1.0, top + 1.0)]);
    std::array::from_fn(|k| {
        let across = |[a, b]: [[f32; 3]; 2]| a[k] + (b[k] - a[k]) * fx;
        (across(upper) + (across(lower) - across(upper)) * fy).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turned(points: &Landmarks, degrees: f32, scale: f32, shift: f32) -> Landmarks {
        let (sin, cos) = degrees.to_radians().sin_cos();
        points.map(|p| Point {
            x: scale * (cos * p.x - sin * p.y) + shift,
            y: scale * (sin * p.x + cos * p.y) + 2.0 * shift,
        })
    }

    #[test]
    fn a_face_turned_scaled_and_moved_is_brought_back_exactly() {
        for degrees in [-40.0, 0.0, 15.0, 90.0] {
            let seen = turned(&TEMPLATE, degrees, 2.5, 30.0);
            let back = Similarity::between(&seen, &TEMPLATE).unwrap();
            for (point, wanted) in seen.iter().zip(&TEMPLATE) {
                let got = back.apply(*point);
                assert!((got.x - wanted.x).abs() < 1e-2 && (got.y - wanted.y).abs() < 1e-2, "{degrees}: {got:?}");
                let there = back.inverse().apply(*wanted);
                assert!((there.x - point.x).abs() < 1e-2 && (there.y - point.y).abs() < 1e-2);
            }
        }
    }

    #[test]
    fn points_that_fall_together_make_no_face() {
        assert!(Similarity::between(&[Point { x: 3.0, y: 3.0 }; 5], &TEMPLATE).is_none());
        let nowhere = [Point { x: f32::NAN, y: 0.0 }; 5];
        assert!(align(&RgbImage::new(10, 10), &nowhere).is_none());
    }

    #[test]
    fn the_same_face_small_or_large_gives_the_same_crop() {
        // A smooth picture, so that sampling at two sizes may be compared.
        let scene = |scale: f32| {
            RgbImage::from_fn((300.0 * scale) as u32, (300.0 * scale) as u32, |x, y| {
                let (u, v) = ((x as f32 + 0.5) / scale, (y as f32 + 0.5) / scale);
                Rgb([(127.0 + 100.0 * (u / 25.0).sin()) as u8, (127.0 + 100.0 * (v / 31.0).cos()) as u8, 90])
            })
        };
        let face = |scale: f32| {
            turned(&TEMPLATE, 10.0, scale, 0.0).map(|p| Point { x: p.x + 90.0 * scale, y: p.y + 60.0 * scale })
        };
        let small = align(&scene(1.0), &face(1.0)).unwrap();
        let large = align(&scene(4.0), &face(4.0)).unwrap();
        let worst = small.0.as_raw().iter().zip(large.0.as_raw()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst <= Some(12), "{worst:?}");
    }

    #[test]
    fn a_face_is_framed_larger_or_smaller_about_its_middle_and_mirrored() {
        let scene = RgbImage::from_fn(300, 300, |x, y| {
            Rgb([(127.0 + 100.0 * (x as f32 / 25.0).sin()) as u8, (127.0 + 100.0 * (y as f32 / 31.0).cos()) as u8, 90])
        });
        let upright = align(&scene, &turned(&TEMPLATE, 10.0, 1.2, 60.0)).unwrap();
        let framed = |scale, down, mirrored| upright.framed(Framing { scale, down, mirrored });
        let crop = upright.crop();
        let near = |a: &Rgb<u8>, b: &Rgb<u8>| a.0.iter().zip(b.0).all(|(a, b)| a.abs_diff(b) < 6);
        assert!(framed(1.0, 0.0, false).pixels().zip(crop.pixels()).all(|(a, b)| near(a, b)));
        assert_eq!(framed(1.0, 0.0, true), imageops::flip_horizontal(&framed(1.0, 0.0, false)));
        assert!(near(framed(1.0, 4.0, false).get_pixel(30, 64), crop.get_pixel(30, 60)));
        for scale in [0.92, 1.08] {
            let other = framed(scale, 0.0, false);
            assert!(near(other.get_pixel(56, 64), crop.get_pixel(56, 64)));
            let moved = |at: f32, middle: f32| (middle + (at - middle) * scale) as u32;
            assert!(near(other.get_pixel(moved(20.5, 56.5), moved(30.5, 64.5)), crop.get_pixel(20, 30)));
            // All of the smaller face's surroundings are there.
            assert!(other.pixels().all(|pixel| pixel.0[2] == 90));
        }
    }
}
