//! How somebody who stands before a camera moves, and what its sensor adds: no two pictures of a living hall are equal byte for byte.
//!
//! Pure: the same moment, phase and seed give the same picture. How much people sway is made up, gentle, and nowhere measured.

use image::RgbImage;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::face::Point;

/// The noise's standard deviation, of 255.
const NOISE: f32 = 2.0;
/// A uniform random byte's standard deviation.
const BYTE: f32 = 73.9;
/// Patterns of noise that take turns: to each picture that follows another its own looks new.
pub const PATTERNS: usize = 4;

/// How somebody stands at one moment, compared with where they stand on the whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stance {
    /// Distances between their eyes by which they stand further right.
    right: f32,
    /// The same, further down.
    down: f32,
    /// How many times as large they are.
    size: f32,
    /// Radians by which the head leans.
    leans: f32,
}

impl Stance {
    /// So many seconds after they came; another `phase` is another person.
    pub fn at(seconds: f32, phase: f32) -> Self {
        Self {
            right: (2.1 * seconds + phase).sin() / 20.0,
            down: (1.3 * seconds + 2.0 * phase).sin() / 30.0,
            size: 1.0 + 0.012 * (1.1 * seconds + phase).sin(),
            leans: (1.5 * (1.7 * seconds + phase).sin()).to_radians(),
        }
    }

    /// Draws a photo of somebody, whose eyes are `eye_distance` pixels apart, with its middle at `middle` of a frame.
    pub fn draw(self, photo: &RgbImage, frame: &mut RgbImage, middle: Point, eye_distance: f32) {
        let (width, height) = (photo.width() as f32, photo.height() as f32);
        let at = Point { x: middle.x + self.right * eye_distance, y: middle.y + self.down * eye_distance };
        // Where a photo that leans reaches to.
        let (sine, cosine) = self.leans.sin_cos();
        let half = |along: f32, across: f32| self.size * (along * cosine.abs() + across * sine.abs()) / 2.0;
        let reach = |at: f32, half: f32, side: u32| {
            (((at - half).floor().max(0.0)) as u32, ((at + half).ceil().clamp(0.0, side as f32)) as u32)
        };
        let (left, right) = reach(at.x, half(width, height), frame.width());
        let (top, bottom) = reach(at.y, half(height, width), frame.height());
        let (sine, cosine) = (sine / self.size, cosine / self.size);
        for y in top..bottom {
            for x in left..right {
                let (dx, dy) = (x as f32 + 0.5 - at.x, y as f32 + 0.5 - at.y);
                let from =
                    Point { x: width / 2.0 + dx * cosine + dy * sine, y: height / 2.0 + dy * cosine - dx * sine };
                if (0.0..width).contains(&from.x) && (0.0..height).contains(&from.y) {
                    frame.get_pixel_mut(x, y).0 = between(photo, from);
                }
            }
        }
    }

    /// A whole picture, moved; what comes in from beyond its edge is what was there before.
    pub fn moves(self, picture: &RgbImage, eye_distance: f32) -> RgbImage {
        let mut moved = picture.clone();
        let middle = Point { x: picture.width() as f32 / 2.0, y: picture.height() as f32 / 2.0 };
        self.draw(picture, &mut moved, middle, eye_distance);
        moved
    }
}

/// The colour at a place between pixels.
fn between(photo: &RgbImage, at: Point) -> [u8; 3] {
    let pixels = |at: f32, side: u32| {
        let at = (at - 0.5).clamp(0.0, side as f32 - 1.0);
        (at as u32, (at as u32 + 1).min(side - 1), at.fract())
    };
    let ((left, right, across), (top, bottom, down)) = (pixels(at.x, photo.width()), pixels(at.y, photo.height()));
    let corners = [(left, top), (right, top), (left, bottom), (right, bottom)];
    let [a, b, c, d] = corners.map(|(x, y)| photo.get_pixel(x, y).0.map(f32::from));
    [0, 1, 2].map(|channel| {
        let (upper, lower) =
            (a[channel] + (b[channel] - a[channel]) * across, c[channel] + (d[channel] - c[channel]) * across);
        (upper + (lower - upper) * down + 0.5) as u8
    })
}

/// A sensor's noise, the same in all three colours.
pub struct Noise([Vec<i8>; PATTERNS]);

impl Noise {
    /// For frames of a size (width, height).
    pub fn new((width, height): (u32, u32), seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        Self(std::array::from_fn(|_| {
            let mut bytes = vec![0; width as usize * height as usize * 4];
            random.fill_bytes(&mut bytes);
            // The sum of four bytes is as good as normally distributed, with twice the deviation of one.
            let of = |four: &[u8]| four.iter().map(|byte| f32::from(*byte) - 127.5).sum::<f32>() * NOISE / (2.0 * BYTE);
            bytes.chunks_exact(4).map(|four| of(four).round() as i8).collect()
        }))
    }

    /// Adds it to frame number `number` of a film.
    pub fn add(&self, frame: &mut RgbImage, number: usize) {
        for (pixel, noise) in frame.as_mut().chunks_exact_mut(3).zip(&self.0[number % PATTERNS]) {
            pixel.iter_mut().for_each(|value| *value = value.saturating_add_signed(*noise));
        }
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_photo_is_drawn_where_somebody_stands_and_nothing_beside_it() {
        let photo = RgbImage::from_fn(40, 30, |x, y| Rgb([(5 * x) as u8, (8 * y) as u8, 200]));
        let middle = Point { x: 100.0, y: 75.0 };
        let drawn = |stance: Stance| {
            let mut frame = RgbImage::new(200, 150);
            stance.draw(&photo, &mut frame, middle, 20.0);
            frame
        };
        let still = Stance { right: 0.0, down: 0.0, size: 1.0, leans: 0.0 };
        let frame = drawn(still);
        assert_eq!(
            (frame.get_pixel(80, 60), frame.get_pixel(119, 89)),
            (photo.get_pixel(0, 0), photo.get_pixel(39, 29))
        );
        assert_eq!((frame.get_pixel(79, 60), frame.get_pixel(119, 90)), (&Rgb([0; 3]), &Rgb([0; 3])));
        let aside = drawn(Stance { right: 0.5, down: -0.25, ..still });
        assert_eq!(aside.get_pixel(110 + 7, 70 + 3), frame.get_pixel(100 + 7, 75 + 3));
        // Leaning to the right: what was above the middle is right of it.
        let leans = drawn(Stance { leans: 90_f32.to_radians(), ..still });
        let [was, is] = [frame.get_pixel(100, 64), leans.get_pixel(110, 75)].map(|pixel| pixel.0[1]);
        assert!(was.abs_diff(is) <= 8, "{was} {is}");
    }

    #[test]
    fn nobody_stands_quite_still_and_nobody_walks() {
        let stances: Vec<Stance> = (0..60).map(|frame| Stance::at(frame as f32 / 15.0, 1.0)).collect();
        assert!(stances.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(stances.iter().all(|it| it.right.abs() <= 0.05 && it.down.abs() <= 0.034 && it.leans.abs() < 0.027));
    }

    #[test]
    fn noise_changes_every_picture_and_its_brightness_not_at_all() {
        let noise = Noise::new((200, 100), 7);
        let noisy = |number| {
            let mut frame = RgbImage::from_pixel(200, 100, Rgb([100, 120, 140]));
            noise.add(&mut frame, number);
            frame
        };
        assert_ne!(noisy(0), noisy(1));
        let reds: Vec<f32> = noisy(0).pixels().map(|pixel| f32::from(pixel.0[0]) - 100.0).collect();
        let mean = reds.iter().sum::<f32>() / reds.len() as f32;
        let deviation = (reds.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / reds.len() as f32).sqrt();
        assert!(mean.abs() < 0.1 && (deviation - NOISE).abs() < 0.1, "{mean} {deviation}");
    }

    #[test]
    fn pictures_of_any_size_can_be_moved() {
        for (width, height) in [(0, 0), (1, 1), (3, 200)] {
            let picture = RgbImage::new(width, height);
            assert_eq!(Stance::at(0.3, 0.0).moves(&picture, 10.0), picture);
        }
    }
}
