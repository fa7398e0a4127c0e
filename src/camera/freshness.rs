//! Tells a frame that the driver had kept waiting from one that was just captured.
//!
//! A driver fills its buffers in order and then drops: a reader who was busy first gets what the camera saw back then. Pure: all
//! times are values.

use std::time::Duration;

/// Buffers that the v4l crate under nokhwa asks the driver for.
const QUEUE_DEPTH: u32 = 4;

/// Follows one stream.
pub(super) struct Freshness {
    interval: Duration,
    /// The usual age of a frame that had to be waited for: what exposure and transfer take.
    transfer: Option<Duration>,
    /// Frames that were called stale one after another.
    skipped: u32,
    /// Whether the last of them had to be waited for.
    skipped_after_waiting: bool,
    /// Stale frames still to come, for a camera without time stamps.
    behind: u32,
}

impl Freshness {
    pub(super) fn new(frames_per_second: u32) -> Self {
        let interval = Duration::from_secs(1) / frames_per_second.max(1);
        Self { interval, transfer: None, skipped: 0, skipped_after_waiting: false, behind: 0 }
    }

    /// Whether a newer frame is there or about to come, so that this one is not worth decoding.
    ///
    /// `busy`: how long the caller was away before it asked; `waited`: how long it then had to wait for this frame; `age`: how
    /// long ago the driver says it was captured, where it says so.
    pub(super) fn is_stale(&mut self, busy: Duration, waited: Duration, age: Option<Duration>) -> bool {
        let at_once = waited < self.interval / 4;
        if self.skipped == 0 {
            self.behind = missed(busy, self.interval).min(QUEUE_DEPTH - 1);
        }
        let stale = self.skipped < QUEUE_DEPTH
            && match age {
                Some(age) => self.is_old(age, at_once),
                None => at_once && self.behind > 0,
            };
        if stale {
            self.skipped += 1;
            self.skipped_after_waiting = !at_once;
            self.behind = self.behind.saturating_sub(1);
        } else {
            self.skipped = 0;
        }
        stale
    }

    fn is_old(&mut self, age: Duration, at_once: bool) -> bool {
        let old = age > self.transfer.unwrap_or_default() + self.interval;
        if at_once {
            return old;
        }
        // A frame that had to be waited for is old only if the whole program stood still meanwhile, and then once. Twice in a row
        // means that the camera has become slower, as in the dark, and that this is now its usual age.
        let slower = self.skipped > 0 && self.skipped_after_waiting;
        match self.transfer {
            Some(usual) if !slower => self.transfer = Some(usual.min(age)),
            _ => self.transfer = Some(age),
        }
        old && !slower && age > self.transfer.unwrap_or_default() + self.interval
    }
}

fn missed(busy: Duration, interval: Duration) -> u32 {
    u32::try_from(busy.as_nanos() / interval.as_nanos().max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// A stream at 25 frames a second, 40 ms apart, that has been running for a while; its frames are 10 ms old on arrival.
    fn running() -> Freshness {
        let mut freshness = Freshness::new(25);
        for _ in 0..10 {
            assert!(!freshness.is_stale(3 * MS, 37 * MS, Some(10 * MS)));
        }
        freshness
    }

    #[test]
    fn after_a_pause_the_drivers_old_frames_are_skipped_and_the_next_new_one_is_taken() {
        let mut stream = running();
        let ages = [960, 920, 880].map(|ms| ms * MS);
        assert!(stream.is_stale(1000 * MS, Duration::ZERO, Some(ages[0])));
        assert!(stream.is_stale(Duration::ZERO, Duration::ZERO, Some(ages[1])));
        assert!(stream.is_stale(Duration::ZERO, Duration::ZERO, Some(ages[2])));
        assert!(!stream.is_stale(Duration::ZERO, 15 * MS, Some(10 * MS)));
    }

    #[test]
    fn a_frame_from_before_the_whole_program_stood_still_is_skipped() {
        let mut stream = running();
        assert!(stream.is_stale(3 * MS, 1000 * MS, Some(980 * MS)));
        assert!(stream.is_stale(Duration::ZERO, Duration::ZERO, Some(940 * MS)));
        assert!(!stream.is_stale(Duration::ZERO, 15 * MS, Some(10 * MS)));
    }

    #[test]
    fn a_camera_that_becomes_slower_in_the_dark_loses_one_frame_and_goes_on() {
        let mut stream = running();
        let stale = (0..50).filter(|_| stream.is_stale(3 * MS, 77 * MS, Some(90 * MS))).count();
        assert_eq!(stale, 1);
    }

    #[test]
    fn a_short_delay_skips_nothing() {
        let mut stream = running();
        assert!(!stream.is_stale(55 * MS, Duration::ZERO, Some(25 * MS)));
    }

    #[test]
    fn a_camera_whose_frames_are_always_old_is_still_used() {
        let mut stream = Freshness::new(25);
        for _ in 0..50 {
            assert!(!stream.is_stale(3 * MS, 37 * MS, Some(120 * MS)), "the transfer takes that long");
        }
    }

    #[test]
    fn a_camera_without_time_stamps_is_judged_by_the_time_that_was_missed() {
        let mut stream = Freshness::new(25);
        assert!(!stream.is_stale(3 * MS, 37 * MS, None));
        assert!(stream.is_stale(90 * MS, Duration::ZERO, None));
        assert!(stream.is_stale(Duration::ZERO, Duration::ZERO, None));
        assert!(!stream.is_stale(Duration::ZERO, 30 * MS, None));
    }

    #[test]
    fn skipping_never_goes_on_for_longer_than_the_drivers_queue() {
        let mut stream = running();
        let stale = (0..20).filter(|_| stream.is_stale(Duration::ZERO, Duration::ZERO, Some(900 * MS))).count();
        assert_eq!(stale, 16, "four of every five, so that a strange clock cannot stop the frames");
    }
}
