//! Spoils photos of faces on purpose, in twelve ways and five strengths each, to see whether the quality score notices.
//!
//! Pure. A fault that a photo has a little of is made larger, never evened out: a head is turned on to the side to which it is turned, and so
//! with shade and colour. All measures are relative to the distance between the eyes, so that a fault looks alike in small and large faces.

use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder, imageops};
use rand::Rng;

use crate::{
    camera::photo::read_photo_bytes,
    face::{Detection, Point, picture::resize, quality::yaw_degrees},
};

/// The greatest strength; 0 leaves a photo as it is.
pub const STRENGTHS: usize = 5;

/// A way to spoil a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Out of focus.
    Blur,
    /// Too little light.
    Dark,
    /// Too much light, clipped.
    Bright,
    /// The half of the face that has less light in the shade.
    SideLight,
    /// A sensor's noise, in each colour on its own.
    Noise,
    /// Strong compression.
    Jpeg,
    /// Dark glasses that grow.
    Eyes,
    /// A mask that is pulled up from the chin.
    Mouth,
    /// The head turned further to the side to which it is turned.
    Yaw,
    /// Far away.
    Small,
    /// Light and shade drawn together.
    LowContrast,
    /// The light of a lamp of the colour, warm or cold, to which the photo leans.
    ColourCast,
}

impl Kind {
    /// All, in the order in which they are reported.
    pub const ALL: [Self; 12] = [
        Self::Blur,
        Self::Dark,
        Self::Bright,
        Self::SideLight,
        Self::Noise,
        Self::Jpeg,
        Self::Eyes,
        Self::Mouth,
        Self::Yaw,
        Self::Small,
        Self::LowContrast,
        Self::ColourCast,
    ];

    /// Its name in tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blur => "blur",
            Self::Dark => "dark",
            Self::Bright => "bright",
            Self::SideLight => "side_light",
            Self::Noise => "noise",
            Self::Jpeg => "jpeg",
            Self::Eyes => "occluded_eyes",
            Self::Mouth => "occluded_mouth",
            Self::Yaw => "yaw",
            Self::Small => "small",
            Self::LowContrast => "low_contrast",
            Self::ColourCast => "colour_cast",
        }
    }

    /// What strengths 1 to [`STRENGTHS`] mean; see [`spoil`] for the units.
    pub fn amounts(self) -> [f32; STRENGTHS] {
        match self {
            Self::Blur => [0.03, 0.05, 0.08, 0.12, 0.17],
            Self::Dark => [0.6, 0.4, 0.27, 0.18, 0.12],
            Self::Bright => [1.35, 1.7, 2.2, 2.8, 3.6],
            Self::SideLight => [0.6, 0.4, 0.25, 0.15, 0.08],
            Self::Noise => [8.0, 14.0, 22.0, 32.0, 44.0],
            Self::Jpeg => [35.0, 20.0, 12.0, 7.0, 3.0],
            Self::Eyes => [0.14, 0.19, 0.25, 0.32, 0.4],
            Self::Mouth => [1.1, 0.95, 0.8, 0.6, 0.4],
            Self::Yaw => [12.0, 22.0, 32.0, 42.0, 52.0],
            Self::Small => [30.0, 24.0, 19.0, 15.0, 12.0],
            Self::LowContrast => [0.7, 0.5, 0.35, 0.23, 0.14],
            Self::ColourCast => [0.12, 0.24, 0.38, 0.54, 0.72],
        }
    }
}

/// What a spoilt photo is and how much larger than the original.
pub struct Spoilt {
    /// The picture.
    pub photo: RgbImage,
    /// Its size as a multiple of the original's.
    pub scale: f32,
}

/// Spoils `photo`, in which `face` was found. `amount` is one of [`Kind::amounts`]: the blur's standard deviation in eye distances; what
/// is left of the light (also in the shade of a side light), or what it is multiplied by; the noise's standard deviation in levels;
/// JPEG's quality; the half width of a lens in eye distances; the mask's upper edge between eyes (0) and mouth (1); degrees of yaw; pixels
/// between the eyes; what is left of the contrast; by how much one channel is raised and the opposite lowered. `None` if the photo
/// cannot be encoded or resized.
pub fn spoil(photo: &RgbImage, face: &Detection, kind: Kind, amount: f32, rng: &mut impl Rng) -> Option<Spoilt> {
    let frame = FaceFrame::of(face);
    let each = |change: &dyn Fn(f32) -> f32| per_value(photo, |_, _, values| values.map(change));
    let spoilt = match kind {
        Kind::Blur => imageops::blur(photo, amount * frame.unit),
        Kind::Dark | Kind::Bright => each(&|value| value * amount),
        Kind::SideLight => {
            let half = |side: f32| mean_of(photo, &frame, |u| u * side > 0.0).iter().sum::<f32>();
            let lit = if half(1.0) >= half(-1.0) { 1.0 } else { -1.0 };
            per_value(photo, |x, y, values| {
                // From the one cheek (1) to the other (-1); the light falls off smoothly between.
                let place = (frame.inwards(x, y).0 * lit / 0.9).clamp(-1.0, 1.0);
                let gain = 1.0 + (amount - 1.0) * (0.5 - 0.5 * place);
                values.map(|value| value * gain)
            })
        }
        Kind::Noise => {
            let mut noisy = photo.clone();
            noisy.pixels_mut().for_each(|pixel| {
                pixel.0 = pixel.0.map(|value| to_level(f32::from(value) + amount * normal(rng)));
            });
            noisy
        }
        Kind::Jpeg => {
            let mut bytes = Vec::new();
            JpegEncoder::new_with_quality(&mut bytes, amount as u8).encode_image(photo).ok()?;
            read_photo_bytes(&bytes).ok()?
        }
        Kind::Eyes => per_value(photo, |x, y, values| {
            let (u, v) = frame.inwards(x, y);
            let in_lens = ((u.abs() - 0.5) / amount).powi(2) + (v / (0.75 * amount)).powi(2) <= 1.0;
            if in_lens { values.map(|value| 14.0 + 0.08 * value) } else { values }
        }),
        Kind::Mouth => {
            let mouth = frame.mouth;
            let chin = mouth + 0.75;
            per_value(photo, |x, y, values| {
                let (u, v) = frame.inwards(x, y);
                // Narrower towards the chin.
                let half_width = 1.0 - 0.45 * ((v - mouth) / 0.75).clamp(0.0, 1.0);
                let covered = v >= amount * mouth && v <= chin && u.abs() <= half_width;
                // A cloth's own shading: lighter in the middle.
                let shade = 1.0 - 0.25 * u * u;
                if covered { [160.0, 190.0, 205.0].map(|value| value * shade) } else { values }
            })
        }
        Kind::Yaw => {
            let side = if yaw_degrees(face) >= 0.0 { 1.0 } else { -1.0 };
            turned(photo, &frame, side * amount)
        }
        Kind::Small => {
            let scale = (amount / frame.unit).min(1.0);
            let length = |side: u32| ((side as f32 * scale).round() as u32).max(1);
            let photo = resize(photo, length(photo.width()), length(photo.height()))?;
            return Some(Spoilt { photo, scale });
        }
        Kind::LowContrast => {
            let middle = mean_of(photo, &frame, |_| true);
            per_value(photo, |_, _, values| {
                std::array::from_fn(|channel| middle[channel] + amount * (values[channel] - middle[channel]))
            })
        }
        Kind::ColourCast => {
            // Skin in white light has about one and two thirds times as much red as blue.
            let [red, _, blue] = mean_of(photo, &frame, |_| true);
            let turn = if red >= 1.65 * blue { amount } else { -amount };
            let gains = [1.0 + turn, 1.0, 1.0 - turn];
            per_value(photo, |_, _, values| std::array::from_fn(|channel| values[channel] * gains[channel]))
        }
    };
    Some(Spoilt { photo: spoilt, scale: 1.0 })
}

/// Coordinates of a face: the origin between the eyes, one eye distance as the unit, `u` along the eyes and `v` down the face.
struct FaceFrame {
    origin: Point,
    axis: (f32, f32),
    unit: f32,
    mouth: f32,
}

impl FaceFrame {
    fn of(face: &Detection) -> Self {
        let [left, right, _, mouth_left, mouth_right] = face.landmarks;
        let unit = face.eye_distance().max(1.0);
        let mut frame = Self {
            origin: Point { x: (left.x + right.x) / 2.0, y: (left.y + right.y) / 2.0 },
            axis: ((right.x - left.x) / unit, (right.y - left.y) / unit),
            unit,
            mouth: 1.0,
        };
        frame.mouth = frame.inwards((mouth_left.x + mouth_right.x) / 2.0, (mouth_left.y + mouth_right.y) / 2.0).1;
        frame
    }

    fn inwards(&self, x: f32, y: f32) -> (f32, f32) {
        let (x, y) = ((x - self.origin.x) / self.unit, (y - self.origin.y) / self.unit);
        (x * self.axis.0 + y * self.axis.1, y * self.axis.0 - x * self.axis.1)
    }

    fn outwards(&self, u: f32, v: f32) -> Point {
        let (x, y) = (u * self.axis.0 - v * self.axis.1, u * self.axis.1 + v * self.axis.0);
        Point { x: self.origin.x + x * self.unit, y: self.origin.y + y * self.unit }
    }
}

/// Half the width of a head, in eye distances.
const HEAD: f32 = 1.2;
/// How far the nose's tip stands out from the head's round, in eye distances.
const NOSE: f32 = 0.4;

/// Turns the head about its upright axis: an ellipsoid with a nose, seen from far away, painted with the photo. What the photo does not
/// show, the far side's cheek, is painted with the edge of the head.
fn turned(photo: &RgbImage, frame: &FaceFrame, degrees: f32) -> RgbImage {
    const STEPS: i32 = 96;
    let (sin, cos) = degrees.to_radians().sin_cos();
    RgbImage::from_fn(photo.width(), photo.height(), |x, y| {
        let (across, v) = frame.inwards(x as f32 + 0.5, y as f32 + 0.5);
        // The head's middle lies half way to the mouth, and its height is one and a half times its width.
        let height = (v - 0.5 * frame.mouth) / (1.5 * HEAD);
        let half_width = HEAD * (1.0 - height * height).max(0.0).sqrt();
        if across.abs() >= half_width {
            return *photo.get_pixel(x, y);
        }
        let depth = |u: f32| {
            let nose = (u / 0.2).powi(2) + ((v - 0.6 * frame.mouth) / 0.3).powi(2);
            (half_width * half_width - u * u).max(0.0).sqrt() + NOSE * (-nose).exp()
        };
        let place = |u: f32| u * cos + depth(u) * sin;
        // The nearest of all points of the surface that are seen at this place.
        let mut nearest: Option<(f32, f32)> = None;
        let step = 2.0 * half_width / STEPS as f32;
        for at in 0..STEPS {
            let u = -half_width + at as f32 * step;
            let (here, next) = (place(u), place(u + step));
            if (here - across) * (next - across) <= 0.0 && here != next {
                let u = u + step * (across - here) / (next - here);
                let towards_camera = depth(u) * cos - u * sin;
                if nearest.is_none_or(|(depth, _)| towards_camera > depth) {
                    nearest = Some((towards_camera, u));
                }
            }
        }
        let u = nearest.map_or(-half_width * sin.signum(), |(_, u)| u);
        sample(photo, frame.outwards(u, v))
    })
}

/// The value at a place, between four pixels; the edge's own beyond the edge.
fn sample(photo: &RgbImage, place: Point) -> Rgb<u8> {
    let (x, y) = (place.x - 0.5, place.y - 0.5);
    let (left, top) = (x.floor(), y.floor());
    let pixel = |x: f32, y: f32| {
        let inside = |at: f32, side: u32| at.clamp(0.0, side as f32 - 1.0) as u32;
        photo.get_pixel(inside(x, photo.width()), inside(y, photo.height())).0.map(f32::from)
    };
    let (a, b, c, d) = (pixel(left, top), pixel(left + 1.0, top), pixel(left, top + 1.0), pixel(left + 1.0, top + 1.0));
    let (fx, fy) = (x - left, y - top);
    Rgb(std::array::from_fn(|k| {
        let (upper, lower) = (a[k] + (b[k] - a[k]) * fx, c[k] + (d[k] - c[k]) * fx);
        to_level(upper + (lower - upper) * fy)
    }))
}

/// The mean colour of the face, or of the part of it that lies right or left of the nose.
fn mean_of(photo: &RgbImage, frame: &FaceFrame, part: impl Fn(f32) -> bool) -> [f32; 3] {
    let (mut sum, mut count) = ([0.0; 3], 0.0);
    for (x, y, pixel) in photo.enumerate_pixels() {
        let (u, v) = frame.inwards(x as f32 + 0.5, y as f32 + 0.5);
        if part(u) && u.abs() < 0.8 && (-0.3..1.4).contains(&v) {
            sum.iter_mut().zip(pixel.0).for_each(|(sum, value)| *sum += f32::from(value));
            count += 1.0;
        }
    }
    sum.map(|sum| sum / f32::max(count, 1.0))
}

/// Changes each pixel, whose middle is at the given place.
fn per_value(photo: &RgbImage, change: impl Fn(f32, f32, [f32; 3]) -> [f32; 3]) -> RgbImage {
    RgbImage::from_fn(photo.width(), photo.height(), |x, y| {
        let values = photo.get_pixel(x, y).0.map(f32::from);
        Rgb(change(x as f32 + 0.5, y as f32 + 0.5, values).map(to_level))
    })
}

fn to_level(value: f32) -> u8 {
    (value + 0.5).clamp(0.0, 255.0) as u8
}

/// Normally distributed, mean 0, deviation 1: Box and Muller, Annals of Mathematical Statistics 29(2), 1958.
fn normal(rng: &mut impl Rng) -> f32 {
    let (a, b): (f32, f32) = (1.0 - rng.random::<f32>(), rng.random());
    (-2.0 * a.ln()).sqrt() * (std::f32::consts::TAU * b).cos()
}
