//! Whether a face's picture changes: people move all the time, posters never.
//!
//! Pure. The face's box is compared with the same place some frames ago, in blocks that average the sensor's noise away. What is left after a
//! change of light is taken out is measured against the same in the rest of the picture, so that noise, JPEG and flicker cancel.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use image::RgbImage;

use super::{Detection, FaceBox, Point, lighting::luminance_at};

/// Frames so old are compared with: slower than that nobody sways.
const LOOK_BACK: Duration = Duration::from_millis(280);
/// Frames kept, at most.
const FRAMES: usize = 10;
/// Blocks across and down a face at most, the width of the smallest one in pixels (single pixels of a face have more noise than a wall's), and
/// samples across and down a block at most.
const BLOCKS: f32 = 20.0;
const LEAST_BLOCK: f32 = 3.0;
const SAMPLES: u32 = 4;
/// Blocks across and down the picture.
const AROUND: (u32, u32) = (32, 18);
/// Less noise than that, in levels of luminance, is no camera's.
const LEAST_NOISE: f32 = 0.3;
/// A box that overlaps the one of the frame before by so much is the same face in the same place.
const SAME_PLACE: f32 = 0.5;

/// The last frames with the faces that were found in them.
#[derive(Default)]
pub struct Stirring(VecDeque<(Instant, Arc<RgbImage>, Vec<FaceBox>)>);

impl Stirring {
    /// By how many times the noise each face's picture has changed since the oldest of the last frames in all of which it was found there. 0 for a
    /// face that is new.
    pub fn of(&mut self, now: Instant, frame: &Arc<RgbImage>, faces: &[Detection]) -> Vec<f32> {
        if faces.is_empty() {
            // Nobody's face was found in all of the last frames, so they need not be kept.
            self.0.clear();
            return Vec::new();
        }
        while self.0.len() >= FRAMES
            || self.0.front().is_some_and(|(at, ..)| now.saturating_duration_since(*at) > LOOK_BACK)
        {
            self.0.pop_front();
        }
        let same_size = |image: &RgbImage| image.dimensions() == frame.dimensions();
        let stirs = faces.iter().map(|face| {
            let mut bounds = face.bounds;
            let mut before = None;
            for (_, image, boxes) in self.0.iter().rev() {
                let known = boxes.iter().find(|known| known.overlap(&bounds) > SAME_PLACE);
                let Some(known) = known.filter(|_| same_size(image)) else { break };
                (bounds, before) = (*known, Some(image));
            }
            before.map_or(0.0, |before| stir(before, frame, &bounds))
        });
        let stirs = stirs.collect();
        self.0.push_back((now, frame.clone(), faces.iter().map(|face| face.bounds).collect()));
        stirs
    }
}

/// The change of a place between two pictures, in multiples of the change around it.
fn stir(before: &RgbImage, now: &RgbImage, bounds: &FaceBox) -> f32 {
    let block = (bounds.width / BLOCKS).max(LEAST_BLOCK);
    let across = (bounds.width / block).round().max(1.0) as u32;
    let half = block * across as f32 / 2.0;
    let (left, top) = (bounds.middle().x - half, bounds.middle().y - half);
    let blocks = (0..across * across).filter_map(|at| {
        let (x, y) = (left + (at % across) as f32 * block, top + (at / across) as f32 * block);
        Some((mean(before, x, y, block)?, mean(now, x, y, block)?))
    });
    let face: Vec<(f32, f32)> = blocks.collect();
    let (width, height) = (now.width() as f32, now.height() as f32);
    let places = (0..AROUND.0 * AROUND.1).filter_map(|at| {
        let x = ((at % AROUND.0) as f32 + 0.5) / AROUND.0 as f32 * width;
        let y = ((at / AROUND.0) as f32 + 0.5) / AROUND.1 as f32 * height;
        Some(mean(now, x, y, block)? - mean(before, x, y, block)?)
    });
    let mut around: Vec<f32> = places.collect();
    if face.is_empty() || around.is_empty() {
        return 0.0;
    }
    let drift = median(&mut around);
    let mut off: Vec<f32> = around.iter().map(|change| (change - drift).abs()).collect();
    // A normal distribution's median deviation is 0.6745 standard deviations.
    let noise = (median(&mut off) / 0.6745).max(LEAST_NOISE);
    residual(&face) / noise
}

/// What is left of the change after the best gain and offset, root mean square.
fn residual(pairs: &[(f32, f32)]) -> f32 {
    let count = pairs.len() as f32;
    let (a, b) = pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0 / count, sum.1 + pair.1 / count));
    let (aa, ab) = pairs.iter().fold((1e-6, 0.0), |sum, (x, y)| (sum.0 + (x - a).powi(2), sum.1 + (x - a) * (y - b)));
    // Light changes by a little; a gain far from 1 is another picture.
    let gain = (ab / aa).clamp(0.5, 2.0);
    (pairs.iter().map(|(x, y)| (y - b - gain * (x - a)).powi(2)).sum::<f32>() / count).sqrt()
}

/// The mean luminance of a block; `None` where it leaves the picture.
fn mean(image: &RgbImage, left: f32, top: f32, side: f32) -> Option<f32> {
    let samples = (side as u32).clamp(1, SAMPLES);
    let step = side / samples as f32;
    let place = |at: u32, start: f32| start + (at as f32 + 0.5) * step;
    let mut sum = 0.0;
    for at in 0..samples * samples {
        let point = Point { x: place(at % samples, left), y: place(at / samples, top) };
        sum += luminance_at(image, point)?;
    }
    Some(sum / (samples * samples) as f32)
}

fn median(values: &mut [f32]) -> f32 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// A grey wall with a face of soft spots at x, in some light, with a sensor's noise.
    fn frame(x: f32, light: f32, noise: &mut ChaCha8Rng) -> Arc<RgbImage> {
        let level = |column: u32, row: u32| {
            let (dx, dy) = (column as f32 - x, row as f32 - 120.0);
            let inside = dx.hypot(dy) < 50.0;
            if inside { 130.0 + 50.0 * (dx / 6.0).sin() * (dy / 6.0).cos() } else { 150.0 }
        };
        let image = RgbImage::from_fn(320, 240, |column, row| {
            let grain: f32 = (0..4).map(|_| noise.random_range(-2.0..2.0)).sum();
            image::Rgb([(level(column, row) * light + grain).clamp(0.0, 255.0) as u8; 3])
        });
        Arc::new(image)
    }

    fn face(x: f32) -> Detection {
        let bounds = FaceBox { x: x - 40.0, y: 80.0, width: 80.0, height: 80.0 };
        Detection { bounds, landmarks: [Point { x, y: 120.0 }; 5], confidence: 0.9 }
    }

    /// The largest stir in a second of frames.
    fn most(x: impl Fn(f32) -> f32, light: impl Fn(f32) -> f32) -> f32 {
        let (mut stirring, mut noise, start) = (Stirring::default(), ChaCha8Rng::seed_from_u64(1), Instant::now());
        let stirs = (0..30_u8).map(|at| {
            let seconds = f32::from(at) / 30.0;
            let (x, now) = (x(seconds), start + Duration::from_secs_f32(seconds));
            stirring.of(now, &frame(x, light(seconds), &mut noise), &[face(x)])[0]
        });
        stirs.fold(0.0, f32::max)
    }

    #[test]
    fn a_poster_does_not_stir_and_somebody_who_sways_by_a_pixel_does() {
        assert!(most(|_| 160.0, |_| 1.0) < 1.4);
        assert!(most(|seconds| 160.0 + (3.0 * seconds).sin(), |_| 1.0) > 2.0);
    }

    #[test]
    fn a_small_face_on_a_poster_does_not_stir_in_a_camera_that_compresses_its_pictures() {
        let (mut stirring, mut noise, start) = (Stirring::default(), ChaCha8Rng::seed_from_u64(2), Instant::now());
        let bounds = FaceBox { x: 142.0, y: 102.0, width: 36.0, height: 36.0 };
        let small = [Detection { bounds, ..face(160.0) }];
        for at in 0..20_u64 {
            let picture = RgbImage::from_fn(320, 240, |column, row| {
                let (dx, dy) = (column as f32 - 160.0, row as f32 - 120.0);
                let level = 150.0 + if dx.hypot(dy) < 18.0 { 50.0 * (dx / 2.5).sin() * (dy / 2.5).cos() } else { 0.0 };
                let grain: f32 = (0..4).map(|_| noise.random_range(-2.0..2.0)).sum();
                image::Rgb([(level + grain) as u8; 3])
            });
            let mut bytes = Vec::new();
            JpegEncoder::new_with_quality(&mut bytes, 80).encode_image(&picture).unwrap();
            let picture = Arc::new(image::load_from_memory(&bytes).unwrap().into_rgb8());
            let stir = stirring.of(start + Duration::from_millis(33 * at), &picture, &small)[0];
            assert!(stir < 1.6, "{stir}");
        }
    }

    #[test]
    fn lamps_that_flicker_and_light_that_fades_move_nobody() {
        assert!(most(|_| 160.0, |seconds| 1.0 + 0.04 * (40.0 * seconds).sin()) < 1.6);
        assert!(most(|_| 160.0, |seconds| 1.0 - 0.5 * seconds) < 1.6);
    }

    #[test]
    fn a_face_that_has_just_been_found_has_not_stirred_though_a_moment_ago_there_was_none() {
        let (mut stirring, mut noise, now) = (Stirring::default(), ChaCha8Rng::seed_from_u64(1), Instant::now());
        stirring.of(now, &frame(-200.0, 1.0, &mut noise), &[]);
        let next = now + Duration::from_millis(33);
        assert_eq!(stirring.of(next, &frame(160.0, 1.0, &mut noise), &[face(160.0)]), [0.0]);
    }
}
