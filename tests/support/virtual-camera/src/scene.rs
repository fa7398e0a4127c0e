//! What is in front of the camera, as bytes of a frame.
//!
//! Photos are turned into frames on a thread of their own and kept, so that 30 frames a second hold on a slow machine; until a
//! new scene is ready the camera shows the old one, as a real hall would take its time to change. A folder is shown again and again: people
//! who stand there never keep quite still.

use std::{
    collections::HashMap,
    fs,
    io::Cursor,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::{Duration, Instant, SystemTime},
};

use image::{ImageFormat, ImageReader, RgbImage, codecs::jpeg::JpegEncoder, imageops};

use crate::control;

/// How long a folder's photo is shown unless its name ends in, say, `@2s`; the same rule as the replay's.
const PHOTO_OF_A_FOLDER: Duration = Duration::from_millis(500);

/// What the program has set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Format {
    pub pixels: [u8; 4],
    pub width: u32,
    pub height: u32,
}

/// A scene that is ready to be shown.
struct Show {
    source: PathBuf,
    format: Format,
    brightness: u32,
    begun: Instant,
    /// Bytes and the time at which they have been shown long enough, from the beginning.
    frames: Vec<(Arc<Vec<u8>>, Duration)>,
}

/// The scene as the sensor sees it.
pub struct Scene {
    show: Arc<Mutex<Option<Show>>>,
    wanted: SyncSender<(PathBuf, Format, u32)>,
}

impl Scene {
    /// Starts the thread that prepares scenes.
    pub fn new() -> Self {
        let show = Arc::new(Mutex::new(None));
        // One is being prepared, one waits; a newer wish is made again at the next frame.
        let (wanted, wishes) = sync_channel(1);
        let shown = Arc::clone(&show);
        crate::driver::spawn("virtual-scene", move || prepare(&wishes, &shown));
        Self { show, wanted }
    }

    /// The bytes that a frame captured at `now` has; `None` before any scene is ready.
    pub fn frame(&self, format: Format, now: Instant) -> Option<Arc<Vec<u8>>> {
        let show = self.show.lock().unwrap_or_else(PoisonError::into_inner);
        let source = control::scene()?;
        let brightness = control::brightness();
        let is_shown = |show: &Show| show.source == source && show.format == format && show.brightness == brightness;
        if !show.as_ref().is_some_and(is_shown) {
            let _ = self.wanted.try_send((source, format, brightness));
        }
        let show = show.as_ref().filter(|show| show.format == format)?;
        let whole = show.frames.last()?.1;
        let elapsed = now.saturating_duration_since(show.begun).as_nanos() % whole.as_nanos().max(1);
        let due = show.frames.iter().find(|(_, until)| elapsed < until.as_nanos())?;
        Some(Arc::clone(&due.0))
    }
}

type Prepared = HashMap<(PathBuf, SystemTime, Format, u32), Arc<Vec<u8>>>;

fn prepare(wishes: &Receiver<(PathBuf, Format, u32)>, shown: &Mutex<Option<Show>>) {
    let mut prepared = Prepared::new();
    while let Ok((source, format, brightness)) = wishes.recv() {
        let is_shown = |show: &Show| show.source == source && show.format == format && show.brightness == brightness;
        if shown.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(is_shown) {
            continue;
        }
        let mut end = Duration::ZERO;
        let frames = photos(&source).into_iter().filter_map(|(path, duration)| {
            end += duration;
            Some((bytes_of(&path, format, brightness, &mut prepared)?, end))
        });
        let frames: Vec<_> = frames.collect();
        if frames.is_empty() {
            eprintln!("virtual camera: nothing to show in {}", source.display());
        }
        let show = Show { source, format, brightness, begun: Instant::now(), frames };
        *shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(show);
    }
}

/// The photos of a scene in the order of their names, and how long each is shown.
fn photos(source: &Path) -> Vec<(PathBuf, Duration)> {
    if !source.is_dir() {
        return vec![(source.to_owned(), Duration::from_secs(1))];
    }
    let mut paths: Vec<_> = fs::read_dir(source).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| ["jpg", "jpeg", "png", "raw"].iter().any(|one| path.extension().is_some_and(|is| is == *one)));
    paths.sort();
    let shown_for = |path: &Path| {
        let stem = path.file_stem()?.to_str()?;
        stem.rsplit_once('@')?.1.strip_suffix('s')?.parse().ok().map(Duration::from_secs_f64)
    };
    paths.into_iter().map(|path| (path.clone(), shown_for(&path).unwrap_or(PHOTO_OF_A_FOLDER))).collect()
}

fn bytes_of(path: &Path, format: Format, brightness: u32, prepared: &mut Prepared) -> Option<Arc<Vec<u8>>> {
    let changed = path.metadata().and_then(|metadata| metadata.modified()).ok()?;
    let key = (path.to_owned(), changed, format, brightness);
    if let Some(bytes) = prepared.get(&key) {
        return Some(Arc::clone(bytes));
    }
    let bytes = fs::read(path).ok()?;
    let is_raw = path.extension().is_some_and(|extension| extension == "raw");
    let bytes = if is_raw || (brightness == 100 && is_what_the_camera_sends(&bytes, format)) {
        bytes
    } else {
        let picture = match image::load_from_memory(&bytes) {
            Ok(picture) => exposed(letterboxed(&picture.into_rgb8(), format), brightness),
            Err(error) => {
                eprintln!("virtual camera: {}: {error}", path.display());
                return None;
            }
        };
        if &format.pixels == b"YUYV" { yuyv(&picture) } else { mjpg(&picture)? }
    };
    let bytes = Arc::new(bytes);
    prepared.insert(key, Arc::clone(&bytes));
    Some(bytes)
}

/// Whether a photo is a frame already, as a film of many has to be.
fn is_what_the_camera_sends(photo: &[u8], format: Format) -> bool {
    let is_jpeg = image::guess_format(photo).is_ok_and(|is| is == ImageFormat::Jpeg);
    let size = || ImageReader::with_format(Cursor::new(photo), ImageFormat::Jpeg).into_dimensions();
    &format.pixels == b"MJPG" && is_jpeg && size().is_ok_and(|size| size == (format.width, format.height))
}

/// As bright as the exposure makes it.
fn exposed(mut picture: RgbImage, brightness: u32) -> RgbImage {
    let level = |value: u8| (u32::from(value) * brightness / 100).min(255) as u8;
    picture.pixels_mut().for_each(|pixel| pixel.0 = pixel.0.map(level));
    picture
}

/// `picture` as large as it fits into the frame, in the middle, on black.
fn letterboxed(picture: &RgbImage, format: Format) -> RgbImage {
    let (width, height) = picture.dimensions();
    let scale = (f64::from(format.width) / f64::from(width)).min(f64::from(format.height) / f64::from(height));
    if picture.dimensions() == (format.width, format.height) {
        return picture.clone();
    }
    let scaled = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
    let fitted = imageops::resize(picture, scaled(width), scaled(height), imageops::FilterType::Triangle);
    let mut frame = RgbImage::new(format.width, format.height);
    let margin = |whole: u32, part: u32| i64::from(whole.saturating_sub(part) / 2);
    imageops::replace(
        &mut frame,
        &fitted,
        margin(format.width, fitted.width()),
        margin(format.height, fitted.height()),
    );
    frame
}

fn mjpg(picture: &RgbImage) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(picture).ok()?;
    Some(bytes)
}

/// BT.601, limited range, as UVC cameras send it.
fn yuyv(picture: &RgbImage) -> Vec<u8> {
    // Weights in 1/256.
    let weighed = |[red, green, blue]: [i32; 3], weights: [i32; 3], offset: i32| {
        ((red * weights[0] + green * weights[1] + blue * weights[2] + 128) / 256 + offset) as u8
    };
    let mut bytes = Vec::with_capacity(picture.len() / 3 * 2);
    for pair in picture.as_raw().chunks_exact(6) {
        let [left, right] = [0, 3].map(|at| [0, 1, 2].map(|channel| i32::from(pair[at + channel])));
        let mean = [0, 1, 2].map(|channel| (left[channel] + right[channel]) / 2);
        let luma = |rgb| weighed(rgb, [66, 129, 25], 16);
        let (blue, red) = (weighed(mean, [-38, -74, 112], 128), weighed(mean, [112, -94, -18], 128));
        bytes.extend([luma(left), blue, luma(right), red]);
    }
    bytes
}
