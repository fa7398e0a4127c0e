//! Which webcam: what is there, which of it is meant, and opening it through nokhwa.

use std::path::{Path, PathBuf};

use nokhwa::{
    Camera as Device, NokhwaError,
    utils::{CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType},
};

use super::{CameraError, format};
use crate::config::CameraSettings;

/// The pixel formats that `decode` knows.
const FORMATS: [FrameFormat; 2] = [FrameFormat::MJPEG, FrameFormat::YUYV];
/// Formats that are tried before a camera is given up; drivers refuse some that they offer.
const ATTEMPTS: usize = 4;

/// A webcam that the system knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraInfo {
    /// The number in its path.
    pub index: u32,
    /// Its device node, such as `/dev/video0`.
    pub path: PathBuf,
    /// The name that the driver gives it, or the path where it gives none.
    pub name: String,
}

impl std::fmt::Display for CameraInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.path.display(), self.name)
    }
}

/// The webcams that the system knows, by number. Many cameras have a second node that gives no pictures.
///
/// nokhwa's own `query` panics when /dev holds a node such as `video-front`, and returns them in no order.
pub fn list() -> Vec<CameraInfo> {
    let Ok(entries) = Path::new("/dev").read_dir() else { return Vec::new() };
    let mut cameras: Vec<_> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let index = path.file_name()?.to_str()?.strip_prefix("video")?.parse().ok()?;
            let name = std::fs::read_to_string(format!("/sys/class/video4linux/video{index}/name"));
            let name = name.map_or_else(|_| path.display().to_string(), |name| name.trim().to_owned());
            Some(CameraInfo { index, path, name })
        })
        .collect();
    cameras.sort_by_key(|camera| camera.index);
    cameras
}

/// The cameras among `there` that `wanted` may mean, best first: `auto`, a number, a path (links such as those in /dev/v4l/by-id
/// are followed) or a part of the name.
fn meant(wanted: &str, there: &[CameraInfo]) -> Vec<CameraInfo> {
    let path = wanted.starts_with('/').then(|| Path::new(wanted).canonicalize().unwrap_or_else(|_| wanted.into()));
    let number = wanted.parse::<u32>().ok();
    let part = wanted.to_lowercase();
    let is_meant = |camera: &&CameraInfo| match (&path, number) {
        _ if part == "auto" => true,
        (Some(path), _) => camera.path == *path,
        (None, Some(number)) => camera.index == number,
        (None, None) => camera.name.to_lowercase().contains(&part),
    };
    there.iter().filter(is_meant).cloned().collect()
}

fn not_found(wanted: &str, there: &[CameraInfo]) -> CameraError {
    let wanted = match wanted {
        "auto" => "is connected".to_owned(),
        path if path.starts_with('/') => format!("is at {path}"),
        number if number.parse::<u32>().is_ok() => format!("has the number {number}"),
        name => format!("has `{name}` in its name"),
    };
    let found = match there {
        [] => "there is none at all".to_owned(),
        [one] => format!("there is only {one}"),
        many => format!("there are {}", many.iter().map(CameraInfo::to_string).collect::<Vec<_>>().join(", ")),
    };
    CameraError::NotFound { wanted, found }
}

/// An open camera that streams.
pub(super) struct OpenCamera {
    pub(super) device: Device,
    pub(super) format: CameraFormat,
    /// Its device node.
    pub(super) path: PathBuf,
    /// Such as `/dev/video0 (HD Webcam) 1280x720 MJPG 30/s`.
    pub(super) description: String,
}

/// Opens the first of the meant cameras that works. May block for as long as the driver likes.
pub(super) fn open(settings: &CameraSettings) -> Result<OpenCamera, CameraError> {
    let there = list();
    let mut refusal = None;
    for camera in meant(&settings.device, &there) {
        match open_one(&camera, settings) {
            Ok(open) => return Ok(open),
            // A camera that refuses is more telling than a node that never gives pictures.
            Err(Refusal { cause, gives_pictures }) => {
                if refusal.is_none() || gives_pictures {
                    refusal.get_or_insert(CameraError::Unusable { device: camera.to_string(), cause });
                }
            }
        }
    }
    Err(refusal.unwrap_or_else(|| not_found(&settings.device, &there)))
}

struct Refusal {
    cause: String,
    gives_pictures: bool,
}

fn open_one(camera: &CameraInfo, settings: &CameraSettings) -> Result<OpenCamera, Refusal> {
    let refused = |error: NokhwaError| Refusal { cause: explained(&error.to_string(), camera), gives_pictures: true };
    // nokhwa lists the formats of a camera only once it is open in some format.
    let any = RequestedFormat::with_formats(RequestedFormatType::None, &FORMATS);
    let mut device = Device::new(CameraIndex::Index(camera.index), any).map_err(refused)?;
    let offered = device.compatible_camera_formats().map_err(refused)?;
    let mut refusal = Refusal { cause: "it offers neither MJPG nor YUYV pictures".into(), gives_pictures: false };
    for wanted in format::by_preference(&offered, settings).into_iter().take(ATTEMPTS) {
        let request = RequestedFormatType::Exact(wanted);
        let opened = device
            .set_camera_requset(RequestedFormat::with_formats(request, &[wanted.format()]))
            .and_then(|format| device.open_stream().map(|()| format));
        match opened {
            Ok(format) => {
                let description = format!("{camera} {}", format::described(format));
                return Ok(OpenCamera { device, format, path: camera.path.clone(), description });
            }
            Err(error) => refusal = refused(error),
        }
    }
    Err(refusal)
}

/// Adds the cure to the system's words.
fn explained(words: &str, camera: &CameraInfo) -> String {
    let path = camera.path.display();
    let cure = if words.contains("Permission denied") {
        "; let this user use cameras with `sudo usermod -aG video $USER` and log in again".to_owned()
    } else if words.contains("busy") {
        format!("; another program uses it, `fuser -v {path}` shows which")
    } else if words.contains("Fufill") {
        "; it offers neither MJPG nor YUYV pictures".to_owned()
    } else {
        String::new()
    };
    format!("{words}{cure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hall() -> Vec<CameraInfo> {
        [(0, "HD Webcam"), (2, "Logitech BRIO"), (10, "Logitech StreamCam")]
            .map(|(index, name)| CameraInfo { index, path: format!("/dev/video{index}").into(), name: name.into() })
            .to_vec()
    }

    fn chosen(wanted: &str) -> Vec<u32> {
        meant(wanted, &hall()).iter().map(|camera| camera.index).collect()
    }

    #[test]
    fn an_operator_chooses_a_camera_by_number_path_or_part_of_its_name() {
        assert_eq!(chosen("auto"), [0, 2, 10]);
        assert_eq!(chosen("2"), [2]);
        assert_eq!(chosen("/dev/video10"), [10]);
        assert_eq!(chosen("brio"), [2]);
        assert_eq!(chosen("LOGITECH"), [2, 10]);
        assert_eq!(chosen("1"), [0; 0], "a number is no part of a name or of a path");
    }

    #[test]
    fn a_link_to_a_camera_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (node, link) = (folder.path().join("video7"), folder.path().join("usb-Logitech_BRIO-index0"));
        std::fs::write(&node, "").unwrap();
        std::os::unix::fs::symlink(&node, &link).unwrap();
        let camera = CameraInfo { index: 7, path: node.canonicalize().unwrap(), name: "Logitech BRIO".into() };
        assert_eq!(meant(link.to_str().unwrap(), std::slice::from_ref(&camera)), [camera]);
    }

    #[test]
    fn an_operator_who_asks_for_a_missing_camera_is_told_what_is_there() {
        let cure = ". Plug it in, or choose one with `camera.device`; `greeter doctor` lists them";
        assert_eq!(not_found("auto", &[]).to_string(), format!("no camera is connected: there is none at all{cure}"));
        assert_eq!(
            not_found("Kinect", &hall()[..2]).to_string(),
            format!(
                "no camera has `Kinect` in its name: there are /dev/video0 (HD Webcam), /dev/video2 (Logitech BRIO){cure}"
            )
        );
        assert_eq!(
            not_found("3", &hall()[..1]).to_string(),
            format!("no camera has the number 3: there is only /dev/video0 (HD Webcam){cure}")
        );
    }

    #[test]
    fn an_operator_without_the_right_is_told_how_to_get_it() {
        let words = explained("Could not open device 0: V4L2 Error: Permission denied (os error 13)", &hall()[0]);
        assert!(words.ends_with("`sudo usermod -aG video $USER` and log in again"), "{words}");
        let words = explained("Device or resource busy (os error 16)", &hall()[0]);
        assert!(words.ends_with("`fuser -v /dev/video0` shows which"), "{words}");
    }
}
