//! How good a view of a face is, and in plain words what is wrong with it. Poor views are not embedded.
//!
//! Pure. The measures follow the ideas of ISO/IEC 29794-5: size, sharpness, pose, brightness, contrast.

use image::RgbImage;

use super::Detection;

/// Faces turned further aside are not recognised. Up to here mates' scores fall from 0.82 to 0.75 only; who is *addressed* must face the
/// robot more squarely, which is the visit's matter.
pub const MAX_YAW_DEGREES: f32 = 45.0;

/// What one view is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Pixels between the eyes in the full frame.
    pub eye_distance_px: f32,
    /// How far the head is turned aside, degrees, from the nose's place between the eyes; positive to the picture's right.
    pub yaw_degrees: f32,
    /// Mean brightness of the face, 0 to 255.
    pub brightness: f32,
    /// Spread of brightness over the face (standard deviation).
    pub contrast: f32,
    /// Mean strength of fine detail relative to the contrast, on the aligned crop, in the direction in which it is weaker.
    pub sharpness: f32,
}

/// The worst fault of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Too few pixels between the eyes.
    TooFar,
    /// Turned too far aside.
    Turned,
    /// Too little light.
    Dark,
    /// Too much light.
    Bright,
    /// Hardly any difference between light and shade.
    Flat,
    /// Out of focus or in motion.
    Blurred,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TooFar => "too small",
            Self::Turned => "turned aside",
            Self::Dark => "too dark",
            Self::Bright => "too bright",
            Self::Flat => "without contrast",
            Self::Blurred => "blurred",
        })
    }
}

/// What a view must have.
#[derive(Debug, Clone, Copy)]
pub struct Demands {
    /// See [`Quality::eye_distance_px`].
    pub min_eye_distance_px: f32,
    /// See [`Quality::yaw_degrees`].
    pub max_yaw_degrees: f32,
}

impl Quality {
    /// Judges a view. `crop` is the face aligned as for the recogniser.
    pub fn of(face: &Detection, crop: &RgbImage) -> Self {
        let (brightness, contrast, detail) = light_and_detail(crop);
        Self {
            eye_distance_px: face.eye_distance(),
            yaw_degrees: yaw_degrees(face),
            brightness,
            contrast,
            sharpness: detail / contrast.max(1.0),
        }
    }

    /// The worst fault, if the view falls short of the demands.
    ///
    /// The bounds on light and sharpness are where the recogniser begins to give way: there mates' scores fall, and, worse, strangers'
    /// rise, because all ruined faces look alike (0.5 to 0.8 for faces in the dark). Of 6,583 sharp news photos none is refused for
    /// light or sharpness; of faces blurred by 8 % of the distance between the eyes, or smeared by 38 %, more than nine in ten are.
    pub fn fault(&self, demands: &Demands) -> Option<Fault> {
        let faults = [
            (self.eye_distance_px < demands.min_eye_distance_px, Fault::TooFar),
            (self.yaw_degrees.abs() > demands.max_yaw_degrees, Fault::Turned),
            (self.brightness < 25.0, Fault::Dark),
            (self.brightness > 230.0, Fault::Bright),
            (self.contrast < 8.0, Fault::Flat),
            (self.sharpness < 0.035, Fault::Blurred),
        ];
        faults.into_iter().find(|(present, _)| *present).map(|(_, fault)| fault)
    }

    /// One number, 0 to 1, by which the views of a track are ranked and weighted.
    pub fn score(&self) -> f32 {
        let size = (self.eye_distance_px / 60.0).min(1.0);
        let pose = (1.0 - self.yaw_degrees.abs() / 60.0).max(0.0);
        let light = (1.0 - (self.brightness - 128.0).abs() / 160.0).max(0.0) * (self.contrast / 40.0).min(1.0);
        let sharpness = (self.sharpness / 0.08).min(1.0);
        (size * pose * light * sharpness).powf(0.25)
    }
}

/// Yaw from where the nose stands between the eyes, along the line of the eyes. For a head whose nose tip stands out half an eye
/// distance from the plane of the eyes, the nose moves by `0.5·sin(yaw)` of the eye distance.
pub fn yaw_degrees(face: &Detection) -> f32 {
    let [left, right, nose, ..] = face.landmarks;
    let (dx, dy) = (right.x - left.x, right.y - left.y);
    let square = (dx * dx + dy * dy).max(1e-6);
    let along = ((nose.x - left.x) * dx + (nose.y - left.y) * dy) / square;
    ((along - 0.5) / 0.5).clamp(-1.0, 1.0).asin().to_degrees()
}

/// Mean and spread of the face's brightness, and the mean strength of its second differences, across or down, whichever is weaker.
fn light_and_detail(crop: &RgbImage) -> (f32, f32, f32) {
    let (width, height) = (crop.width() as usize, crop.height() as usize);
    if width < 16 || height < 16 {
        return (0.0, 0.0, 0.0);
    }
    let grey: Vec<f32> = crop
        .pixels()
        .map(|pixel| 0.299 * f32::from(pixel[0]) + 0.587 * f32::from(pixel[1]) + 0.114 * f32::from(pixel[2]))
        .collect();
    // The face without hair and background: the middle five eighths.
    let (left, right, top, bottom) = (width * 3 / 16, width * 13 / 16, height / 4, height * 15 / 16);
    let (mut sum, mut squares, mut across, mut down, mut count) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for y in top..bottom {
        for x in left..right {
            let at = y * width + x;
            let value = grey[at];
            sum += value;
            squares += value * value;
            across += (2.0 * value - grey[at - 1] - grey[at + 1]).abs();
            down += (2.0 * value - grey[at - width] - grey[(at + width).min(grey.len() - 1)]).abs();
            count += 1.0;
        }
    }
    let mean: f32 = sum / count;
    // Motion blurs along its own direction only, so the weaker direction counts.
    (mean, (squares / count - mean * mean).max(0.0).sqrt(), f32::min(across, down) / count)
}

#[cfg(test)]
mod tests {
    use image::{Rgb, imageops};

    use super::*;
    use crate::face::{FaceBox, Point, align::TEMPLATE};

    const DEMANDS: Demands = Demands { min_eye_distance_px: 20.0, max_yaw_degrees: 35.0 };

    fn frontal() -> Detection {
        let bounds = FaceBox { x: 0.0, y: 0.0, width: 112.0, height: 112.0 };
        Detection { bounds, landmarks: TEMPLATE, confidence: 0.9 }
    }

    fn lively() -> RgbImage {
        RgbImage::from_fn(112, 112, |x, y| {
            let (x, y) = (x as f32, y as f32);
            let shades = 30.0 * ((x / 11.0).sin() + (y / 9.0).cos());
            let detail = 15.0 * ((x / 2.0).sin() + (y / 2.0).sin());
            Rgb([(120.0 + shades + detail) as u8; 3])
        })
    }

    /// As by a head that moves sideways by `length` pixels while the picture is taken.
    fn smeared(crop: &RgbImage, length: u32) -> RgbImage {
        RgbImage::from_fn(crop.width(), crop.height(), |x, y| {
            let along = (0..length).map(|step| u32::from(crop.get_pixel((x + step).min(crop.width() - 1), y)[0]));
            Rgb([(along.sum::<u32>() / length) as u8; 3])
        })
    }

    #[test]
    fn a_well_lit_sharp_frontal_view_has_no_fault() {
        let quality = Quality::of(&frontal(), &lively());
        assert_eq!(quality.fault(&DEMANDS), None, "{quality:?}");
        assert!(quality.yaw_degrees.abs() < 5.0);
    }

    #[test]
    fn each_fault_is_named_and_lowers_the_score() {
        let good = Quality::of(&frontal(), &lively());
        let small = Detection { landmarks: TEMPLATE.map(|p| Point { x: p.x / 3.0, y: p.y / 3.0 }), ..frontal() };
        let mut turned = frontal();
        turned.landmarks[2].x += 15.0;
        let changed = |change: fn(u8) -> u8| {
            let mut crop = lively();
            crop.pixels_mut().for_each(|pixel| pixel.0 = pixel.0.map(change));
            crop
        };
        let cases = [
            (Fault::TooFar, Quality::of(&small, &lively())),
            (Fault::Turned, Quality::of(&turned, &lively())),
            (Fault::Dark, Quality::of(&frontal(), &changed(|value| value / 8))),
            (Fault::Bright, Quality::of(&frontal(), &changed(|value| 245 + value / 26))),
            (Fault::Flat, Quality::of(&frontal(), &changed(|value| 110 + value / 20))),
            (Fault::Blurred, Quality::of(&frontal(), &imageops::blur(&lively(), 3.0))),
            (Fault::Blurred, Quality::of(&frontal(), &smeared(&lively(), 12))),
        ];
        for (fault, quality) in cases {
            assert!(quality.score() < good.score(), "{fault}: {quality:?} against {good:?}");
            assert_eq!(quality.fault(&DEMANDS), Some(fault), "{quality:?}");
        }
    }
}
