//! When a camera that failed is tried again, and how often the operator hears of it.
//!
//! Pure: `now` is a value.

use std::time::{Duration, Instant};

use super::CameraError;

/// The first wait after a failure; doubled by each further one.
const SHORTEST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait: a camera that was plugged in again is back after so long at the latest.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// The same trouble is said again after so long.
const SAID_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Follows the failures of one camera.
#[derive(Default)]
pub(super) struct Reopening {
    failures: u32,
    not_before: Option<Instant>,
    said: Option<(Trouble, Instant)>,
}

/// What the operator would call the same trouble: after a camera has gone, that it is not found either is no news.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Absent,
    Silent,
}

impl Reopening {
    /// Notes a failure; what the caller returns is either `error` or, when it is no news, [`CameraError::NotYet`].
    pub(super) fn failed(&mut self, error: CameraError, now: Instant) -> CameraError {
        let wait = SHORTEST_WAIT.saturating_mul(1 << self.failures.min(16)).min(LONGEST_WAIT);
        self.failures += 1;
        self.not_before = Some(now + wait);
        let trouble = if matches!(error, CameraError::Silent { .. }) { Trouble::Silent } else { Trouble::Absent };
        match self.said {
            Some((said, at)) if said == trouble && now.duration_since(at) < SAID_AGAIN_AFTER => CameraError::NotYet,
            _ => {
                self.said = Some((trouble, now));
                error
            }
        }
    }

    /// Notes that all is well again.
    pub(super) fn frame_came(&mut self) {
        *self = Self::default();
    }

    /// How long to wait before the next attempt.
    pub(super) fn left(&self, now: Instant) -> Duration {
        self.not_before.map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost() -> CameraError {
        CameraError::Lost { device: "/dev/video0".into(), cause: "No such device".into() }
    }

    fn silent() -> CameraError {
        CameraError::Silent { device: "/dev/video0".into(), seconds: 1.5 }
    }

    fn absent() -> CameraError {
        CameraError::NotFound { wanted: "is connected".into(), found: "there is none at all".into() }
    }

    fn is_news(error: &CameraError) -> bool {
        !matches!(error, CameraError::NotYet)
    }

    #[test]
    fn the_waits_double_up_to_five_seconds_and_begin_anew_after_a_frame() {
        let now = Instant::now();
        let mut reopening = Reopening::default();
        let mut waits = Vec::new();
        for _ in 0..7 {
            reopening.failed(lost(), now);
            waits.push(reopening.left(now).as_millis());
        }
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 5000, 5000]);
        reopening.frame_came();
        assert_eq!(reopening.left(now), Duration::ZERO);
        reopening.failed(lost(), now);
        assert_eq!(reopening.left(now), Duration::from_millis(250));
    }

    #[test]
    fn an_operator_hears_of_the_same_trouble_every_five_seconds_only() {
        let start = Instant::now();
        let mut reopening = Reopening::default();
        let mut heard = Vec::new();
        for second in 0..12 {
            let error = if second == 0 { lost() } else { absent() };
            if is_news(&reopening.failed(error, start + Duration::from_secs(second))) {
                heard.push(second);
            }
        }
        assert_eq!(heard, [0, 5, 10]);
    }

    #[test]
    fn an_operator_hears_at_once_that_a_silent_camera_is_now_gone_and_of_each_new_loss() {
        let now = Instant::now();
        let mut reopening = Reopening::default();
        assert!(is_news(&reopening.failed(silent(), now)));
        assert!(!is_news(&reopening.failed(silent(), now)));
        assert!(is_news(&reopening.failed(lost(), now)));
        reopening.frame_came();
        assert!(is_news(&reopening.failed(lost(), now)));
    }
}
