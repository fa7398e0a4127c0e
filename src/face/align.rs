//! Puts a face upright and at one size, as the recogniser was taught.
//!
//! Pure. Least-squares similarity of five points: S. Umeyama, IEEE TPAMI 13(4), 1991.

use image::{Rgb, RgbImage, imageops};
use multiversion::multiversion;

use super::{Landmarks, Point, picture::square};

/// Side of the aligned crop in pixels.
pub const SIDE: u32 = 112;
/// Pixels around the crop that are kept with it, so that the face can be framed anew.
const MARGIN: u32 = 6;
const WHOLE: u32 = SIDE + 2 * MARGIN;
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
    // The diagonal, so that it fits in whatever its angle.
    let side = 177.0 / to_crop.scale();
    let reduced = square(frame, middle, side, 222)?;
    let (corner, factor) = (reduced.corner, 222.0 / reduced.side);
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
    for (x, y, pixel) in square.enumerate_pixels_mut() {
        let place = to_picture.apply(Point { x: x as f32 + 0.5, y: y as f32 + 0.5 });
        *pixel = bilinear(picture, Point { x: place.x - 0.5, y: place.y - 0.5 });
    }
}

#[inline(always)]
fn bilinear(picture: &RgbImage, place: Point) -> Rgb<u8> {
    let (left, top) = (place.x.floor(), place.y.floor());
    let (fx, fy) = (place.x - left, place.y - top);
    let (left, top) = (left as i64, top as i64);
    let (width, height) = (i64::from(picture.width()), i64::from(picture.height()));
    if left < -1 || top < -1 || left >= width || top >= height {
        return Rgb([0; 3]);
    }
    let raw = picture.as_raw();
    let pixel = |x: i64, y: i64| -> [f32; 3] {
        if x < 0 || y < 0 || x >= width || y >= height {
            return [0.0; 3];
        }
        let at = ((y * width + x) * 3) as usize;
        [f32::from(raw[at]), f32::from(raw[at + 1]), f32::from(raw[at + 2])]
    };
    let inside = left >= 0 && top >= 0 && left + 1 < width && top + 1 < height;
    let [a, b, c, d] = if inside {
        let at = ((top * width + left) * 3) as usize;
        let (upper, lower) = (&raw[at..at + 6], &raw[at + width as usize * 3..][..6]);
        let three =
            |row: &[u8], from: usize| [f32::from(row[from]), f32::from(row[from + 1]), f32::from(row[from + 2])];
        [three(upper, 0), three(upper, 3), three(lower, 0), three(lower, 3)]
    } else {
        [pixel(left, top), pixel(left + 1, top), pixel(left, top + 1), pixel(left + 1, top + 1)]
    };
    Rgb(std::array::from_fn(|k| {
        let upper = a[k] + (b[k] - a[k]) * fx;
        let lower = c[k] + (d[k] - c[k]) * fx;
        (upper + (lower - upper) * fy + 0.5) as u8
    }))
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
}
