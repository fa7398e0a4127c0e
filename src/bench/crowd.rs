//! Made-up halls for the benchmarks of the vision stage: faces cut from photos, pasted at chosen places and sizes before walls of detail.
//!
//! What is in a picture is known exactly, so that a finder's answers can be counted. The same seed gives the same hall.

use image::RgbImage;
use rand::Rng;

use crate::face::{Detection, ModelError, Point, networks::Networks, picture::resize};

/// How far a pasted head reaches from the middle of its eyes, in distances between the eyes: aside, up and down.
const HEAD: (f32, f32, f32) = (1.5, 1.4, 2.4);
/// The share of a head over which it fades into the wall.
const FADE: f32 = 0.25;

/// A face cut from a photo.
#[derive(Debug, Clone)]
pub struct Cutout {
    picture: RgbImage,
    eyes: Point,
    eye_distance: f32,
}

/// Where a pasted face is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// The middle between the eyes.
    pub eyes: Point,
    /// Pixels between them.
    pub eye_distance: f32,
}

impl Place {
    /// Whether a detection is of the face that was pasted here.
    pub fn is_of(&self, face: &Detection) -> bool {
        let [left, right, ..] = face.landmarks;
        let away = ((left.x + right.x) / 2.0 - self.eyes.x).hypot((left.y + right.y) / 2.0 - self.eyes.y);
        let ratio = face.eye_distance() / self.eye_distance;
        away < 0.5 * self.eye_distance && (0.6..1.6).contains(&ratio)
    }

    /// Whether two faces would cover each other.
    fn touches(&self, other: &Self) -> bool {
        let apart = HEAD.0 * (self.eye_distance + other.eye_distance);
        let below = 0.5 * (HEAD.1 + HEAD.2) * (self.eye_distance + other.eye_distance);
        (self.eyes.x - other.eyes.x).abs() < apart && (self.eyes.y - other.eyes.y).abs() < below
    }
}

impl Cutout {
    /// Cuts the face out of a photo of one person; `None` where the tracker's network does not find exactly one.
    ///
    /// # Errors
    /// When the network fails.
    pub fn of(photo: &RgbImage, networks: &mut Networks) -> Result<Option<Self>, ModelError> {
        let found = networks.near.find(photo)?;
        let [face] = found.as_slice() else { return Ok(None) };
        let Some(face) = networks.near.refine(photo, &face.bounds)? else { return Ok(None) };
        let [left, right, ..] = face.landmarks;
        let eyes = Point { x: (left.x + right.x) / 2.0, y: (left.y + right.y) / 2.0 };
        let inside = eyes.x > HEAD.0 * face.eye_distance() && eyes.y > HEAD.1 * face.eye_distance();
        Ok(inside.then(|| Self { picture: photo.clone(), eyes, eye_distance: face.eye_distance() }))
    }

    /// Pastes the face, its edge fading into what is there.
    pub fn paste(&self, frame: &mut RgbImage, place: Place) {
        let factor = place.eye_distance / self.eye_distance;
        let size = |side: u32| ((side as f32 * factor).round() as u32).max(1);
        let Some(head) = resize(&self.picture, size(self.picture.width()), size(self.picture.height())) else { return };
        let left = (place.eyes.x - self.eyes.x * factor).round() as i64;
        let top = (place.eyes.y - self.eyes.y * factor).round() as i64;
        let (across, up, down) =
            (HEAD.0 * place.eye_distance, HEAD.1 * place.eye_distance, HEAD.2 * place.eye_distance);
        for (x, y, pixel) in head.enumerate_pixels() {
            let (at_x, at_y) = (left + i64::from(x), top + i64::from(y));
            if at_x < 0 || at_y < 0 || at_x >= i64::from(frame.width()) || at_y >= i64::from(frame.height()) {
                continue;
            }
            let (dx, dy) = (at_x as f32 + 0.5 - place.eyes.x, at_y as f32 + 0.5 - place.eyes.y);
            let share = (dx / across).hypot(dy / if dy < 0.0 { up } else { down });
            let weight = ((1.0 - share) / FADE).clamp(0.0, 1.0);
            if weight > 0.0 {
                let under = frame.get_pixel_mut(at_x as u32, at_y as u32);
                for (under, over) in under.0.iter_mut().zip(pixel.0) {
                    *under = (f32::from(*under) + (f32::from(over) - f32::from(*under)) * weight + 0.5) as u8;
                }
            }
        }
    }
}

/// A wall of detail without a face: corners of photos, enlarged at random.
pub fn wall(photos: &[RgbImage], (width, height): (u32, u32), random: &mut impl Rng) -> RgbImage {
    let mut wall = RgbImage::new(width, height);
    let block = height / 4;
    for (row, column) in (0..4).flat_map(|row| (0..width.div_ceil(block)).map(move |column| (row, column))) {
        let Some(photo) = photos.get(random.random_range(0..photos.len().max(1))) else { return wall };
        let side = (photo.width().min(photo.height()) / 4).max(1);
        // Of the corner a part only, so that detail comes in several sizes.
        let part = (side / random.random_range(1..4)).max(1);
        let right = random.random_bool(0.5);
        let x = if right { photo.width() - part } else { 0 };
        let y = if random.random_bool(0.7) { 0 } else { photo.height() - part };
        let corner = image::imageops::crop_imm(photo, x, y, part, part).to_image();
        let Some(corner) = resize(&corner, block, block) else { continue };
        image::imageops::replace(&mut wall, &corner, i64::from(column * block), i64::from(row * block));
    }
    wall
}

/// Up to `count` places for faces of one size that do not cover each other, wholly inside the frame.
pub fn places(count: usize, eye_distance: f32, (width, height): (u32, u32), random: &mut impl Rng) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    let (aside, up, down) = (HEAD.0 * eye_distance, HEAD.1 * eye_distance, HEAD.2 * eye_distance);
    let (right, bottom) = (width as f32 - aside, height as f32 - down);
    for _ in 0..200 {
        if places.len() == count || aside >= right || up >= bottom {
            break;
        }
        let eyes = Point { x: random.random_range(aside..right), y: random.random_range(up..bottom) };
        let place = Place { eyes, eye_distance };
        if places.iter().all(|other| !place.touches(other)) {
            places.push(place);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_pasted_face_stands_where_it_was_put_and_the_wall_is_untouched_around_it() {
        let picture = RgbImage::from_pixel(100, 120, Rgb([200, 0, 0]));
        let cutout = Cutout { picture, eyes: Point { x: 50.0, y: 40.0 }, eye_distance: 20.0 };
        let mut frame = RgbImage::new(300, 200);
        let eyes = Point { x: 150.0, y: 80.0 };
        cutout.paste(&mut frame, Place { eyes, eye_distance: 10.0 });
        assert_eq!(frame.get_pixel(150, 80), &Rgb([200, 0, 0]));
        assert_eq!(frame.get_pixel(150, 80 - 15), &Rgb([0; 3]));
        assert_eq!(frame.get_pixel(150 + 16, 80), &Rgb([0; 3]));
    }

    #[test]
    fn people_in_the_hall_do_not_cover_each_other() {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let places = places(4, 30.0, (1280, 720), &mut random);
        assert_eq!(places.len(), 4);
        for (at, one) in places.iter().enumerate() {
            assert!(places[at + 1..].iter().all(|other| !one.touches(other)));
        }
    }
}
