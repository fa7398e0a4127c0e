//! A recording that stands in for a webcam: a photo, a folder of photos or a motion-JPEG clip, at its own real pace.
//!
//! What it holds is in `recording`, what is due when in `timeline`; here is only the clock.

use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::{
    Camera, CameraError, Frame,
    recording::Recording,
    timeline::{Due, Timeline},
};
use crate::config::CameraSettings;

/// Longest that one call waits, so that the caller can end in between.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// How a recording is played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplaySettings {
    /// Frames a second that are served; also a clip's pace, whose file does not say it.
    pub frames_per_second: u32,
    /// Whether it begins again when it is over.
    pub looped: bool,
}

impl From<&CameraSettings> for ReplaySettings {
    fn from(settings: &CameraSettings) -> Self {
        Self { frames_per_second: settings.frames_per_second, looped: false }
    }
}

/// A recording that is being played. It starts when the first frame is asked for.
pub struct Replay {
    path: PathBuf,
    settings: ReplaySettings,
    recording: Recording,
    timeline: Timeline,
    started: Option<Instant>,
    last: Option<u64>,
}

impl Replay {
    /// Opens a photo (shown for 5 s), a folder of photos (0.5 s each, or as long as a name such as `030-empty@2s.jpg` says) or a
    /// clip (`.mjpg` or `.mjpeg`: JPEG pictures one after another).
    ///
    /// # Errors
    /// [`CameraError::Recording`] naming the first file that is no whole picture.
    pub fn open(path: &Path, settings: ReplaySettings) -> Result<Self, CameraError> {
        let recording = Recording::open(path)?;
        let timeline = Timeline::new(recording.durations(), settings.frames_per_second, settings.looped);
        Ok(Self { path: path.to_owned(), settings, recording, timeline, started: None, last: None })
    }

    /// Damaged frames of a clip that were left out.
    pub fn damaged(&self) -> u64 {
        self.recording.damaged()
    }

    /// Decodes the frame after the last one while there is time, so that it can be handed over when it is due.
    fn prepare(&mut self) -> Result<(), CameraError> {
        let next = self.last.map_or(0, |last| last + 1);
        if let Some(picture) = self.timeline.picture_of(next) {
            self.recording.picture(picture)?;
        }
        Ok(())
    }
}

impl Camera for Replay {
    fn next_frame(&mut self) -> Result<Frame, CameraError> {
        self.prepare()?;
        let asked = Instant::now();
        let started = *self.started.get_or_insert(asked);
        loop {
            match self.timeline.due(started.elapsed(), self.last) {
                Due::Over => return Err(CameraError::Ended { path: self.path.display().to_string() }),
                Due::Wait(_) if asked.elapsed() >= LONGEST_WAIT => return Err(CameraError::NotYet),
                Due::Wait(left) => thread::sleep(left.min(LONGEST_WAIT.saturating_sub(asked.elapsed()))),
                Due::Show { frame, picture } => {
                    self.last = Some(frame);
                    if let Some(rgb) = self.recording.picture(picture)? {
                        return Ok(Frame { rgb, captured_at: started + self.timeline.time_of(frame), seq: frame });
                    }
                }
            }
        }
    }

    fn describe(&self) -> String {
        format!("recording {} {}/s", self.path.display(), self.settings.frames_per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::jpeg::tests::{encoded, picture},
        *,
    };

    fn photo(name: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, encoded(&picture(32, 24))).unwrap();
        (folder, path)
    }

    fn played(path: &Path, frames_per_second: u32) -> Vec<Frame> {
        let mut replay = Replay::open(path, ReplaySettings { frames_per_second, looped: false }).unwrap();
        let mut frames = Vec::new();
        loop {
            match replay.next_frame() {
                Ok(frame) => frames.push(frame),
                Err(CameraError::NotYet) => {}
                Err(CameraError::Ended { .. }) => return frames,
                Err(other) => panic!("{other}"),
            }
        }
    }

    #[test]
    fn a_photo_is_served_at_its_own_pace_until_its_time_is_over() {
        let (_folder, path) = photo("wei@0.2s.jpg");
        let started = Instant::now();
        let frames = played(&path, 50);
        assert!(started.elapsed() >= Duration::from_millis(200), "it ended after {:?}", started.elapsed());
        // The machine may be busy, so frames may be missing; none may come twice or too early.
        assert!((1..=10).contains(&frames.len()), "{} frames", frames.len());
        for pair in frames.windows(2) {
            let frames_apart = u32::try_from(pair[1].seq - pair[0].seq).unwrap();
            assert!(frames_apart >= 1);
            assert_eq!(pair[1].captured_at - pair[0].captured_at, Duration::from_millis(20) * frames_apart);
        }
    }

    #[test]
    fn a_slow_rate_does_not_keep_the_caller_from_ending() {
        let (_folder, path) = photo("wei.jpg");
        let mut replay = Replay::open(&path, ReplaySettings { frames_per_second: 1, looped: false }).unwrap();
        assert!(replay.next_frame().is_ok());
        assert!(matches!(replay.next_frame(), Err(CameraError::NotYet)));
    }
}
