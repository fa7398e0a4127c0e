//! One picture through the camera, with what the robot sees in it: for whoever sets up a camera, its zone and its blank places.
//!
//! It shows people. So it is readable by its owner only, never takes another file's place, and whoever asked for it is told to delete it.

use std::{
    fs::OpenOptions,
    io::{Cursor, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use image::{ImageFormat, RgbImage};

use super::{Finding, devices, drawing::Drawing};
use crate::{
    camera::{Camera, Replay, Webcam, replay::ReplaySettings},
    config::{Area, CameraSettings, Config, FaceSettings},
    face::{
        Detection, FaceBox, Point,
        eyes::Eyes,
        lighting::Lighting,
        networks::Networks,
        watched::{Place, Watched, between_the_eyes},
    },
    installation::Installation,
};

/// A camera that has shown nothing after so long shows nothing. Some open slowly, and here nobody waits for a list of checks.
const OPENS: Duration = Duration::from_secs(10);
/// In this time a camera's exposure settles.
const SETTLES: Duration = Duration::from_secs(2);
/// Of the last frames the one with the most faces is taken: a face may be missed in one.
const LAST: Duration = Duration::from_millis(500);
/// Faces that are too far away are shown as well, down to this share of the eye distance that is near enough.
const FAR: f32 = 0.6;
/// Helps networks that fail.
const NETWORKS: &str = "run `greeter doctor models runtime`";
/// Of a JPEG, of 100.
const QUALITY: u8 = 92;

const ZONE: [u8; 3] = [60, 140, 255];
const BLANK: [u8; 3] = [235, 60, 60];
const SEEN: [u8; 3] = [60, 220, 60];
const TOO_FAR: [u8; 3] = [255, 210, 0];

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The picture's file, which is not there yet.
    pub file: PathBuf,
    /// A photo, a folder of photos or a clip instead of the webcam.
    pub recording: Option<PathBuf>,
}

/// Takes the picture and says what is in it.
pub fn picture(installation: &Installation, config: &Config, wanted: &Wanted) -> Vec<Finding> {
    taken(installation, config, wanted).unwrap_or_else(|problem| vec![problem])
}

fn taken(installation: &Installation, config: &Config, wanted: &Wanted) -> Result<Vec<Finding>, Finding> {
    let (file, format) = (&wanted.file, format_of(&wanted.file)?);
    if file.symlink_metadata().is_ok() {
        return Err(in_the_way(file));
    }
    let mut camera = camera(&config.camera, wanted.recording.as_deref())?;
    let near_enough = config.face.min_eye_distance_px;
    let face = FaceSettings { min_eye_distance_px: near_enough * FAR, ..config.face.clone() };
    let smallest = Eyes::min_face_px(&face, config.camera.height);
    let mut networks =
        Networks::load(installation, &face.pack, smallest).map_err(|error| Finding::of(&error, NETWORKS))?;
    let shot = Shot::through(camera.as_mut(), &mut networks, &Eyes::new(&face), &config.camera)?;
    let faces = shot.faces(&config.camera, near_enough);
    let drawn = draw(&shot.rgb, &config.camera, &faces);
    write_new(file, &encoded(&drawn, format)?)?;

    let near = faces.iter().filter(|face| face.is_seen()).count();
    let (width, height) = shot.rgb.dimensions();
    let mut findings = vec![Finding::fine(format!(
        "{}: a picture of {width}x{height}; faces: {}, near enough where people are looked at: {near}; light {:.0} of 255",
        camera.describe(),
        faces.len(),
        Lighting::of(&shot.rgb, []).around
    ))];
    findings.extend(faces.iter().zip(1..).map(|(face, number)| {
        let at = face.share(shot.rgb.dimensions());
        Finding::fine(format!("face {number} at {at}: {}", face.words().join(", ")))
    }));
    let file = file.display();
    findings.push(Finding::fine(format!("{file} shows people: look at it, then delete it with `rm {file}`")));
    Ok(findings)
}

/// By the file's name.
fn format_of(file: &Path) -> Result<ImageFormat, Finding> {
    let known = ImageFormat::from_path(file).ok();
    known.filter(|format| matches!(format, ImageFormat::Jpeg | ImageFormat::Png)).ok_or_else(|| {
        let what = format!("{} ends in neither .jpg nor .png", file.display());
        Finding::problem(what, "name the picture so, such as `greeter doctor --picture hall.jpg`")
    })
}

fn in_the_way(file: &Path) -> Finding {
    let file = file.display();
    Finding::problem(
        format!("{file} is there already, and nothing was changed"),
        format!("name another file, or `rm {file}`"),
    )
}

/// The webcam, unless somebody uses it, or the recording that stands in for it.
fn camera(settings: &CameraSettings, recording: Option<&Path>) -> Result<Box<dyn Camera>, Finding> {
    if let Some(path) = recording {
        let replay = Replay::open(path, ReplaySettings::from(settings));
        let cure = "name a photo, a folder of photos or a clip (.mjpg)";
        return replay.map(|it| Box::new(it) as Box<dyn Camera>).map_err(|error| Finding::of(&error, cure));
    }
    match devices::holder() {
        Some(holder) => Err(holder.keeps_it()),
        None => Ok(Box::new(Webcam::new(settings.clone()))),
    }
}

/// A frame with all that was found in it, wherever it is.
struct Shot {
    rgb: Arc<RgbImage>,
    found: Vec<Detection>,
    at: Instant,
}

impl Shot {
    /// Looks until the exposure has settled or the recording is over, as the robot does; the camera may expose for the nearest face.
    fn through(
        camera: &mut dyn Camera,
        networks: &mut Networks,
        eyes: &Eyes,
        settings: &CameraSettings,
    ) -> Result<Self, Finding> {
        let watched = Watched::of(settings);
        let mut frame = devices::next_frame(camera, OPENS)?;
        let (began, mut shot) = (Instant::now(), None::<Self>);
        loop {
            let found = eyes.find_all(networks, &frame.rgb).map_err(|error| Finding::of(&error, NETWORKS))?;
            let seen = found.iter().filter(|face| watched.holds(face, frame.rgb.dimensions()));
            if let Some(face) = Lighting::of(&frame.rgb, seen).face {
                camera.expose_for(face);
            }
            let newer = Self { rgb: frame.rgb, found, at: Instant::now() };
            let shows_more = |kept: &Self| kept.found.len() > newer.found.len() && newer.at - kept.at < LAST;
            let kept = shot.filter(shows_more).unwrap_or(newer);
            if began.elapsed() >= SETTLES {
                return Ok(kept);
            }
            // A recording that is over, or a camera that is lost, has shown enough.
            let Ok(next) = devices::next_frame(camera, SETTLES) else { return Ok(kept) };
            (frame, shot) = (next, Some(kept));
        }
    }

    /// Its faces from left to right.
    fn faces(&self, settings: &CameraSettings, near_enough: f32) -> Vec<Face> {
        let watched = Watched::of(settings);
        let mut found: Vec<&Detection> = self.found.iter().collect();
        found.sort_by(|a, b| a.bounds.x.total_cmp(&b.bounds.x));
        let face = |face: &Detection| Face {
            bounds: face.bounds,
            eyes: between_the_eyes(face),
            eye_distance: face.eye_distance(),
            near_enough,
            place: watched.place_of(face, self.rgb.dimensions()),
            light: Lighting::of(&self.rgb, [face]),
        };
        found.into_iter().map(face).collect()
    }
}

/// What there is to say of a face.
struct Face {
    bounds: FaceBox,
    eyes: Point,
    eye_distance: f32,
    near_enough: f32,
    place: Place,
    light: Lighting,
}

impl Face {
    /// Whether the robot would look at it.
    fn is_seen(&self) -> bool {
        self.eye_distance >= self.near_enough && self.place == Place::Watched
    }

    fn words(&self) -> Vec<String> {
        let near = if self.eye_distance >= self.near_enough {
            "near enough".to_owned()
        } else {
            format!("too far away (below {})", self.near_enough)
        };
        let light = self.light.face.map_or("?".to_owned(), |light| format!("{light:.0}"));
        let mut words = vec![
            format!("eyes {:.0} px apart, {near}", self.eye_distance),
            format!("light {light}, around it {:.0}", self.light.around),
        ];
        words.extend(match self.place {
            Place::Watched => None,
            Place::Outside => Some("outside camera.zone: not looked at".to_owned()),
            Place::Blank => Some("in camera.blank: not looked at".to_owned()),
        });
        words
    }

    fn colour(&self) -> [u8; 3] {
        match self.place {
            Place::Watched if self.is_seen() => SEEN,
            Place::Watched => TOO_FAR,
            Place::Outside | Place::Blank => BLANK,
        }
    }

    /// Its box as `camera.blank` would have it.
    fn share(&self, (width, height): (u32, u32)) -> String {
        let inside = |from: f32, length: f32, of: u32| {
            let (from, to) = (from / of as f32, (from + length) / of as f32);
            (from.clamp(0.0, 1.0), to.clamp(0.0, 1.0) - from.clamp(0.0, 1.0))
        };
        let (x, across) = inside(self.bounds.x, self.bounds.width, width);
        let (y, down) = inside(self.bounds.y, self.bounds.height, height);
        format!("[{x:.3}, {y:.3}, {across:.3}, {down:.3}]")
    }
}

fn draw(picture: &RgbImage, settings: &CameraSettings, faces: &[Face]) -> RgbImage {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let place = |area: &Area| FaceBox {
        x: area.x as f32 * width,
        y: area.y as f32 * height,
        width: area.width as f32 * width,
        height: area.height as f32 * height,
    };
    let mut drawing = Drawing::on(picture.clone());
    for blank in &settings.blank {
        drawing.hatch(&place(blank), BLANK);
    }
    drawing.frame(&place(&settings.zone), ZONE);
    for face in faces {
        drawing.frame(&face.bounds, face.colour());
        drawing.dot(face.eyes, face.colour());
    }
    // Last, so that no line goes through them.
    for face in faces {
        drawing.words(&face.bounds, &face.words(), face.colour());
    }
    drawing.into_picture()
}

fn encoded(picture: &RgbImage, format: ImageFormat) -> Result<Vec<u8>, Finding> {
    let mut bytes = Vec::new();
    let done = match format {
        ImageFormat::Jpeg => {
            picture.write_with_encoder(image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, QUALITY))
        }
        _ => picture.write_to(&mut Cursor::new(&mut bytes), format),
    };
    let failed = |error| Finding::problem(format!("the picture cannot be encoded: {error}"), "please report this");
    done.map(|()| bytes).map_err(failed)
}

fn write_new(file: &Path, bytes: &[u8]) -> Result<(), Finding> {
    let failed = |error: std::io::Error| {
        let what = format!("{} cannot be written ({error})", file.display());
        Finding::problem(what, "name a file in a folder that is there, where you may write and where there is room")
    };
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let mut open = opened.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => in_the_way(file),
        _ => failed(error),
    })?;
    open.write_all(bytes).map_err(|error| {
        // Half a picture is of no use, and shows people all the same.
        drop(std::fs::remove_file(file));
        failed(error)
    })
}
