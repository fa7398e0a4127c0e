//! A camera whose pictures the benchmark chooses: 30 frames a second, each decoded from JPEG as a webcam's are.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder, imageops};

use crate::camera::{Camera, CameraError, Frame, photo::read_photo_bytes};

const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 30);
/// How long each photo of a visit is shown before the next one.
const PHOTO: Duration = Duration::from_millis(200);
/// The frames' size.
const SIZE: (u32, u32) = (1280, 720);

/// What is in front of the camera. Clones share it.
#[derive(Clone)]
pub struct Scene {
    shared: Arc<Mutex<Shown>>,
    appeared: Arc<AtomicU64>,
    began: Instant,
}

struct Shown {
    pictures: Vec<Arc<Vec<u8>>>,
    since: Instant,
    counts: bool,
}

impl Scene {
    /// An empty hall.
    pub fn empty() -> Self {
        let shown = Shown { pictures: vec![Arc::new(empty_hall())], since: Instant::now(), counts: false };
        Self { shared: Arc::new(Mutex::new(shown)), appeared: Arc::default(), began: Instant::now() }
    }

    /// A visitor stands there: their pictures take turns.
    pub fn visitor(&self, pictures: Vec<Arc<Vec<u8>>>) {
        self.appeared.store(0, Ordering::SeqCst);
        self.put(Shown { pictures, since: Instant::now(), counts: true });
    }

    /// Nobody stands there.
    pub fn nobody(&self) {
        self.put(Shown { pictures: vec![Arc::new(empty_hall())], since: Instant::now(), counts: false });
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
        let turn = now.saturating_duration_since(shown.since).as_millis() / PHOTO.as_millis();
        shown.pictures[usize::try_from(turn).unwrap_or(0) % shown.pictures.len()].clone()
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
        let rgb = read_photo_bytes(&picture)
            .map_err(|error| CameraError::Recording { path: "a staged picture".into(), cause: error.to_string() })?;
        Ok(Frame { rgb: Arc::new(rgb), captured_at, seq: self.seq })
    }

    fn describe(&self) -> String {
        format!("staged camera {}x{} MJPG 30/s", SIZE.0, SIZE.1)
    }
}

/// Puts a photo before a grey wall so that it fills most of the height; gives the frame's JPEG.
pub fn framed(photo: &RgbImage, share_of_height: f32) -> Option<Vec<u8>> {
    if photo.dimensions() == SIZE {
        return jpeg(photo);
    }
    let height = (SIZE.1 as f32 * share_of_height) as u32;
    let width = (photo.width() * height / photo.height().max(1)).min(SIZE.0);
    let scaled = crate::face::picture::resize(photo, width.max(1), height.max(1))?;
    let mut frame = wall();
    let place = ((i64::from(SIZE.0) - i64::from(width)) / 2, (i64::from(SIZE.1) - i64::from(height)) / 2);
    imageops::overlay(&mut frame, &scaled, place.0, place.1);
    jpeg(&frame)
}

fn wall() -> RgbImage {
    RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| Rgb([120 + (x / 32 % 8) as u8, 124, 128 + (y / 32 % 8) as u8]))
}

fn empty_hall() -> Vec<u8> {
    jpeg(&wall()).unwrap_or_default()
}

fn jpeg(frame: &RgbImage) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(frame).ok()?;
    Some(bytes)
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
        scene.visitor(vec![Arc::new(framed(&RgbImage::new(250, 250), 0.8).unwrap())]);
        let with = camera.next_frame().unwrap();
        let after = camera.next_frame().unwrap();
        let noted = scene.appeared().unwrap();
        assert!(noted.abs_diff(with.captured_at) < Duration::from_millis(1) && after.captured_at > noted);
        assert!(with.rgb.get_pixel(640, 360).0.iter().all(|&value| value < 20), "the photo is in the middle");
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
