//! What a recording holds: a photo, the photos of a folder in the order of their names, or the frames of a motion-JPEG clip.
//!
//! When each is shown is the business of `timeline`.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use image::RgbImage;

use super::{CameraError, jpeg, photo, segments};

/// How long a single photo is shown.
const PHOTO: Duration = Duration::from_secs(5);
/// How long a photo of a folder is shown unless its name says otherwise.
const PHOTO_OF_A_FOLDER: Duration = Duration::from_millis(500);
/// Longest time that a name may ask for.
const LONGEST_S: f64 = 86_400.0;
/// A clip is held in memory while it plays.
const MAX_CLIP_MB: u64 = 512;
/// Pixels a side of a clip's frame.
const MAX_CLIP_SIDE: usize = 8_192;

/// The pictures of a recording. The one that was asked for last stays decoded.
pub(super) struct Recording {
    pictures: Pictures,
    decoded: Option<(usize, Option<Arc<RgbImage>>)>,
    damaged: u64,
}

enum Pictures {
    Photos(Vec<(PathBuf, Duration)>),
    Clip { bytes: Vec<u8>, frames: Vec<Range<usize>> },
}

impl Recording {
    /// Looks at everything that there is and decodes nothing yet.
    pub(super) fn open(path: &Path) -> Result<Self, CameraError> {
        let metadata = path.metadata().map_err(|cause| broken(path, format!("cannot be read ({cause})")))?;
        let pictures = if metadata.is_dir() {
            Pictures::Photos(photos_of(path)?)
        } else if has_extension(path, &["mjpg", "mjpeg"]) {
            clip(path, metadata.len())?
        } else {
            Pictures::Photos(vec![(path.to_owned(), shown_for(path)?.unwrap_or(PHOTO))])
        };
        if let Pictures::Photos(photos) = &pictures {
            for (photo, _) in photos {
                photo::check_photo(photo).map_err(|error| broken(photo, error.to_string()))?;
            }
        }
        Ok(Self { pictures, decoded: None, damaged: 0 })
    }

    /// How long each picture is shown; a clip's frames are one camera frame each.
    pub(super) fn durations(&self) -> Vec<Duration> {
        match &self.pictures {
            Pictures::Photos(photos) => photos.iter().map(|(_, duration)| *duration).collect(),
            Pictures::Clip { frames, .. } => vec![Duration::ZERO; frames.len()],
        }
    }

    /// Picture number `index`; `None` when it is a damaged frame of a clip, which a camera would leave out.
    pub(super) fn picture(&mut self, index: usize) -> Result<Option<Arc<RgbImage>>, CameraError> {
        if let Some((_, picture)) = self.decoded.as_ref().filter(|(at, _)| *at == index) {
            return Ok(picture.clone());
        }
        let picture = match &self.pictures {
            Pictures::Photos(photos) => {
                let (path, _) = &photos[index];
                Some(photo::read_photo(path).map_err(|error| broken(path, error.to_string()))?)
            }
            Pictures::Clip { bytes, frames } => {
                let frame = &bytes[frames[index].clone()];
                let decoded = segments::outline(frame).map(|outline| jpeg::decode(frame, &outline, MAX_CLIP_SIDE));
                decoded.and_then(Result::ok).map(|decoded| decoded.rgb)
            }
        };
        self.damaged += u64::from(picture.is_none());
        let picture = picture.map(Arc::new);
        self.decoded = Some((index, picture.clone()));
        Ok(picture)
    }

    /// Damaged frames that were left out.
    pub(super) fn damaged(&self) -> u64 {
        self.damaged
    }
}

fn broken(path: &Path, cause: impl Into<String>) -> CameraError {
    CameraError::Recording { path: path.display().to_string(), cause: cause.into() }
}

fn has_extension(path: &Path, wanted: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    wanted.iter().any(|one| one.eq_ignore_ascii_case(extension))
}

/// The photos of `folder` by name; other files, such as a licence, are left alone.
fn photos_of(folder: &Path) -> Result<Vec<(PathBuf, Duration)>, CameraError> {
    let unreadable = |cause: std::io::Error| broken(folder, format!("cannot be read ({cause})"));
    let mut paths = Vec::new();
    for entry in folder.read_dir().map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && has_extension(&path, &["jpg", "jpeg", "png"]) {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(broken(folder, "holds no .jpg, .jpeg or .png file"));
    }
    paths.sort();
    paths.into_iter().map(|path| Ok((path.clone(), shown_for(&path)?.unwrap_or(PHOTO_OF_A_FOLDER)))).collect()
}

/// The duration at the end of a name such as `030-empty@2s.jpg`.
fn shown_for(path: &Path) -> Result<Option<Duration>, CameraError> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let Some((_, seconds)) = stem.rsplit_once('@').and_then(|(name, tail)| Some((name, tail.strip_suffix('s')?)))
    else {
        return Ok(None);
    };
    match seconds.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= LONGEST_S => Ok(Some(Duration::from_secs_f64(seconds))),
        _ => Err(broken(
            path,
            format!("`@{seconds}s` in its name should say how long it is shown, such as `@0.5s`, and a day at most"),
        )),
    }
}

fn clip(path: &Path, length: u64) -> Result<Pictures, CameraError> {
    if length > MAX_CLIP_MB * 1_000_000 {
        let megabytes = length.div_ceil(1_000_000);
        return Err(broken(path, format!("has {megabytes} MB, more than the {MAX_CLIP_MB} MB allowed; cut it")));
    }
    let bytes = std::fs::read(path).map_err(|cause| broken(path, format!("cannot be read ({cause})")))?;
    let frames = frames_of(&bytes);
    if frames.is_empty() {
        return Err(broken(path, "holds no JPEG picture; a clip is JPEG pictures one after another"));
    }
    Ok(Pictures::Clip { bytes, frames })
}

/// Where each picture of a clip is. What is no whole picture is left out, as is anything between two of them.
fn frames_of(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut frames = Vec::new();
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(3).position(segments::begins) {
        at += found;
        match segments::outline(&bytes[at..]) {
            Some(outline) => {
                frames.push(at..at + outline.length);
                at += outline.length;
            }
            None => at += 2,
        }
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::{
        super::jpeg::tests::{damaged, encoded, picture},
        *,
    };

    fn folder_with(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::write(folder.path().join(name), encoded(&picture(20, 10))).unwrap();
        }
        folder
    }

    fn words(path: &Path) -> String {
        Recording::open(path).err().expect("it should be refused").to_string()
    }

    #[test]
    fn a_folders_photos_come_by_name_each_as_long_as_its_name_says() {
        let folder = folder_with(&["030-empty@2s.jpg", "010-wei.jpg", "020-li@0.25s.PNG", ".hidden.jpg"]);
        std::fs::write(folder.path().join("LICENSE"), "free").unwrap();
        let recording = Recording::open(folder.path()).unwrap();
        assert_eq!(recording.durations(), [0.5, 0.25, 2.0].map(Duration::from_secs_f64));
    }

    #[test]
    fn a_duration_that_is_none_is_refused_by_name() {
        for name in ["a@xs.jpg", "a@0s.jpg", "a@-1s.jpg", "a@infs.jpg"] {
            let folder = folder_with(&[name]);
            assert!(words(folder.path()).contains(&format!("{name}: `@")), "{name}");
        }
        assert!(Recording::open(folder_with(&["wei@home.jpg"]).path()).is_ok(), "no duration, only a name");
    }

    #[test]
    fn a_photo_that_cannot_be_read_is_named_before_the_recording_begins() {
        let folder = folder_with(&["010-wei.jpg"]);
        std::fs::write(folder.path().join("020-notes.jpg"), "Dear Sir").unwrap();
        assert!(words(folder.path()).contains("020-notes.jpg: is not a picture"), "{}", words(folder.path()));
    }

    #[test]
    fn an_empty_folder_and_a_missing_one_say_so() {
        let folder = folder_with(&[]);
        assert!(words(folder.path()).ends_with("holds no .jpg, .jpeg or .png file"));
        assert!(words(&folder.path().join("gone")).contains("gone: cannot be read (No such file"));
    }

    #[test]
    fn a_photo_is_decoded_once_and_shared_by_all_its_frames() {
        let folder = folder_with(&["010-wei.jpg"]);
        let mut recording = Recording::open(folder.path()).unwrap();
        let (first, second) = (recording.picture(0).unwrap().unwrap(), recording.picture(0).unwrap().unwrap());
        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn a_clips_damaged_frame_is_left_out_and_counted() {
        let (good, damaged) = (encoded(&picture(64, 48)), damaged(&picture(64, 48)));
        let cut_off = &good[..good.len() / 2];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hall.mjpg");
        std::fs::write(&path, [&good[..], &damaged, cut_off, &good].concat()).unwrap();
        let mut recording = Recording::open(&path).unwrap();
        let whole = (0..recording.durations().len()).filter(|&at| recording.picture(at).unwrap().is_some()).count();
        assert_eq!((whole, recording.damaged()), (2, 1));
    }

    #[test]
    fn a_clip_without_a_picture_says_what_a_clip_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hall.mjpeg");
        std::fs::write(&path, "RIFF....AVI ").unwrap();
        assert!(words(&path).ends_with("a clip is JPEG pictures one after another"));
    }
}
