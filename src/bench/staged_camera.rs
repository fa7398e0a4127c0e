//! A camera whose pictures the benchmark chooses: 30 frames a second, each decoded from JPEG as a webcam's are.
//!
//! Whoever stands before it sways a little, and its sensor has noise: a picture that never changes shows nobody.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder};

use super::sway::{Noise, PATTERNS, Stance};
use crate::{
    camera::{Camera, CameraError, Frame, decode_mjpg},
    face::{Point, picture::resize},
};

const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 30);
/// Camera frames for which a picture of somebody is shown: what somebody composes takes longer than a frame.
pub const FRAMES_A_PICTURE: u32 = 2;
/// Pictures for which each photo of a visitor is shown before the next one.
const PICTURES_A_PHOTO: usize = 3;
/// Pictures of a visitor: they are shown forth and back, as long as somebody stands there.
const PICTURES: usize = 24;
/// A photo is so many times as high as the eyes in it are apart: about, for what it matters here.
const HEIGHT_IN_EYES: f32 = 6.0;
/// Seeds of the noise of an empty hall, each of which gives [`PATTERNS`] pictures.
const EMPTY_SEEDS: usize = 3;
/// The frames' size.
pub const SIZE: (u32, u32) = (1280, 720);

/// What is in front of the camera. Clones share it.
#[derive(Clone)]
pub struct Scene {
    shared: Arc<Mutex<Shown>>,
    appeared: Arc<AtomicU64>,
    began: Instant,
    empty: Vec<Arc<Vec<u8>>>,
}

struct Shown {
    pictures: Vec<Arc<Vec<u8>>>,
    since: Instant,
    frames_a_picture: u32,
    counts: bool,
}

impl Shown {
    fn nobody(empty: &[Arc<Vec<u8>>]) -> Self {
        Self { pictures: empty.to_vec(), since: Instant::now(), frames_a_picture: 1, counts: false }
    }
}

impl Scene {
    /// An empty hall with a grey wall.
    pub fn empty() -> Self {
        Self::before(&wall())
    }

    /// An empty hall with this wall, of the frames' size.
    pub fn before(wall: &RgbImage) -> Self {
        let noises: Vec<Noise> = (0..EMPTY_SEEDS as u64).map(|seed| Noise::new(SIZE, seed)).collect();
        let picture = |number: usize| Arc::new(seen(wall.clone(), &noises[number / PATTERNS], number));
        let empty: Vec<_> = (0..EMPTY_SEEDS * PATTERNS).map(picture).collect();
        let shared = Arc::new(Mutex::new(Shown::nobody(&empty)));
        Self { shared, appeared: Arc::default(), began: Instant::now(), empty }
    }

    /// Somebody stands there, in the pictures of a [`Standing`].
    pub fn visitor(&self, pictures: Vec<Arc<Vec<u8>>>) {
        self.appeared.store(0, Ordering::SeqCst);
        self.put(Shown { pictures, since: Instant::now(), frames_a_picture: FRAMES_A_PICTURE, counts: true });
    }

    /// Nobody stands there.
    pub fn nobody(&self) {
        self.put(Shown::nobody(&self.empty));
    }

    /// When the first frame with the visitor was captured.
    pub fn appeared(&self) -> Option<Instant> {
        let nanos = self.appeared.load(Ordering::SeqCst);
        (nanos > 0).then(|| self.began + Duration::from_nanos(nanos))
    }

    fn put(&self, shown: Shown) {
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = shown;
    }

    /// The picture of this moment; notes the moment if it is the first with the visitor.
    fn picture(&self, now: Instant) -> Arc<Vec<u8>> {
        let shown = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.counts {
            let nanos = u64::try_from((now - self.began).as_nanos()).unwrap_or(u64::MAX);
            // Only the first frame counts.
            let _ = self.appeared.compare_exchange(0, nanos.max(1), Ordering::SeqCst, Ordering::SeqCst);
        }
        let each = FRAME * shown.frames_a_picture;
        let turn = now.saturating_duration_since(shown.since).as_nanos() / each.as_nanos();
        shown.pictures[forth_and_back(usize::try_from(turn).unwrap_or(0), shown.pictures.len())].clone()
    }
}

/// The camera that looks at a [`Scene`].
pub struct StagedCamera {
    scene: Scene,
    next: Instant,
    seq: u64,
}

impl StagedCamera {
    /// Looks at `scene`.
    pub fn new(scene: Scene) -> Self {
        Self { scene, next: Instant::now(), seq: 0 }
    }
}

impl Camera for StagedCamera {
    fn next_frame(&mut self) -> Result<Frame, CameraError> {
        thread::sleep(self.next.saturating_duration_since(Instant::now()));
        let captured_at = Instant::now();
        // As a real camera does, it goes on at its own pace however long the decoding took.
        while self.next <= captured_at {
            self.next += FRAME;
            self.seq += 1;
        }
        let picture = self.scene.picture(captured_at);
        let rgb =
            decode_mjpg(&picture).map_err(|cause| CameraError::Recording { path: "a staged picture".into(), cause })?;
        Ok(Frame { rgb: Arc::new(rgb), captured_at, seq: self.seq })
    }

    fn describe(&self) -> String {
        format!("staged camera {}x{} MJPG 30/s", SIZE.0, SIZE.1)
    }
}

/// Which of `count` pictures has turn number `turn` when they are shown forth and back.
fn forth_and_back(turn: usize, count: usize) -> usize {
    let turn = turn % (2 * count).saturating_sub(2).max(1);
    turn.min((2 * count - 2).saturating_sub(turn))
}

/// Those who stand side by side before a grey wall, each in photos that take turns.
pub struct Standing {
    people: Vec<Vec<RgbImage>>,
    phase: f32,
    noise: Noise,
}

impl Standing {
    /// Somebody alone, in the middle. `share_of_height`: so much of the frame's height a photo fills, unless it has the frame's size.
    /// `number` tells visitors apart.
    pub fn of<'p>(photos: impl IntoIterator<Item = &'p RgbImage>, share_of_height: f32, number: u16) -> Self {
        Self::side_by_side([photos], share_of_height, number)
    }

    /// The same for several people, whose photos are as much smaller as it takes for all to have room.
    pub fn side_by_side<'p, P: IntoIterator<Item = &'p RgbImage>>(
        people: impl IntoIterator<Item = P, IntoIter: ExactSizeIterator>,
        share_of_height: f32,
        number: u16,
    ) -> Self {
        let people = people.into_iter();
        let room = SIZE.0 / (people.len().max(1) as u32);
        let scaled = |photo: &RgbImage| {
            let height = if photo.dimensions() == SIZE { SIZE.1 } else { (SIZE.1 as f32 * share_of_height) as u32 };
            let width = photo.width() * height / photo.height().max(1);
            let (width, height) = if width > room { (room, height * room / width) } else { (width, height) };
            resize(photo, width.max(1), height.max(1))
        };
        let people = people.map(|photos| photos.into_iter().filter_map(scaled).collect()).collect();
        Self { people, phase: f32::from(number), noise: Noise::new(SIZE, number.into()) }
    }

    /// Picture number `number`, JPEG; a new one comes every [`FRAMES_A_PICTURE`] frames. The wall alone where there is no photo.
    pub fn picture(&self, number: usize) -> Vec<u8> {
        let mut frame = wall();
        let seconds = (number as f32) * (FRAME * FRAMES_A_PICTURE).as_secs_f32();
        let share = SIZE.0 as f32 / self.people.len() as f32;
        for (at, photos) in self.people.iter().enumerate() {
            let Some(photo) = photos.get(number / PICTURES_A_PHOTO % photos.len().max(1)) else { continue };
            let middle = Point { x: share * (at as f32 + 0.5), y: SIZE.1 as f32 / 2.0 };
            let eye_distance = photo.height() as f32 / HEIGHT_IN_EYES;
            Stance::at(seconds, self.phase + at as f32).draw(photo, &mut frame, middle, eye_distance);
        }
        seen(frame, &self.noise, number)
    }

    /// All of them, for a [`Scene`].
    pub fn pictures(&self) -> Vec<Arc<Vec<u8>>> {
        (0..PICTURES).map(|number| Arc::new(self.picture(number))).collect()
    }
}

fn wall() -> RgbImage {
    RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| Rgb([120 + (x / 32 % 8) as u8, 124, 128 + (y / 32 % 8) as u8]))
}

/// As the sensor sees a frame and the camera sends it.
fn seen(mut frame: RgbImage, noise: &Noise, number: usize) -> Vec<u8> {
    noise.add(&mut frame, number);
    let mut bytes = Vec::new();
    // Writing to memory does not fail.
    drop(JpegEncoder::new_with_quality(&mut bytes, 88).encode_image(&frame));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_frame_with_a_visitor_is_noted_once() {
        let scene = Scene::empty();
        let mut camera = StagedCamera::new(scene.clone());
        let first = camera.next_frame().unwrap();
        assert_eq!((first.rgb.dimensions(), scene.appeared()), (SIZE, None));
        scene.visitor(Standing::of([&RgbImage::new(250, 250)], 0.8, 0).pictures());
        let with = camera.next_frame().unwrap();
        let after = camera.next_frame().unwrap();
        let noted = scene.appeared().unwrap();
        assert!(noted.abs_diff(with.captured_at) < Duration::from_millis(1) && after.captured_at > noted);
        assert!(with.rgb.get_pixel(640, 360).0.iter().all(|&value| value < 20), "the photo is in the middle");
    }

    #[test]
    fn neither_a_visitor_nor_an_empty_hall_is_ever_a_still() {
        let scene = Scene::empty();
        scene.visitor(Standing::of([&RgbImage::new(250, 250)], 0.8, 1).pictures());
        let visitor = scene.shared.lock().unwrap().pictures.clone();
        assert_eq!(visitor.len(), PICTURES);
        for pictures in [&visitor, &scene.empty] {
            let film: Vec<_> = (0..100).map(|turn| &pictures[forth_and_back(turn, pictures.len())]).collect();
            assert!(film.windows(2).all(|pair| pair[0] != pair[1]));
        }
        assert_eq!((0..7).map(|turn| forth_and_back(turn, 3)).collect::<Vec<_>>(), [0, 1, 2, 1, 0, 1, 2]);
        assert_eq!((forth_and_back(5, 1), forth_and_back(5, 2)), (0, 1));
    }

    #[test]
    fn people_who_come_together_stand_side_by_side_wholly_in_the_frame() {
        let photos = [200, 20, 180, 40].map(|value| [RgbImage::from_pixel(250, 250, Rgb([value; 3]))]);
        let standing = Standing::side_by_side(photos.iter().map(|photos| photos.iter()), 0.8, 0);
        let picture = decode_mjpg(&standing.picture(0)).unwrap();
        for (at, [photo]) in photos.iter().enumerate() {
            for x in [-130, 0, 130] {
                let there = picture.get_pixel((160 + 320 * at as i32 + x) as u32, 360).0[0];
                assert!(there.abs_diff(photo.get_pixel(0, 0).0[0]) < 20, "person {at}, {x} beside the middle: {there}");
            }
        }
        let above = picture.get_pixel(640, 150).0[0];
        assert!((110..140).contains(&above), "the wall is above their heads: {above}");
    }

    trait AbsDiff {
        fn abs_diff(self, other: Self) -> Duration;
    }

    impl AbsDiff for Instant {
        fn abs_diff(self, other: Self) -> Duration {
            if self > other { self - other } else { other - self }
        }
    }
}
