//! What a recording shows at which moment, as a camera would: a slow reader gets the newest picture, never a queue.
//!
//! Pure: the time since the start is a value.

use std::time::Duration;

/// The order and the duration of a recording's pictures.
pub(super) struct Timeline {
    /// For each picture the number of the first frame after it.
    ends: Vec<u64>,
    frames_per_second: u32,
    looped: bool,
}

/// What a reader should do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Show this picture as this frame.
    Show {
        /// Frame number from 0.
        frame: u64,
        /// Picture number from 0.
        picture: usize,
    },
    /// The newest frame was shown already; the next one comes after so long.
    Wait(Duration),
    /// Everything was shown.
    Over,
}

impl Timeline {
    /// `shown_for`: how long each picture is shown, in order; each is shown as one frame at least.
    pub(super) fn new(shown_for: impl IntoIterator<Item = Duration>, frames_per_second: u32, looped: bool) -> Self {
        let frames_per_second = frames_per_second.max(1);
        let mut end = 0;
        let ends = shown_for.into_iter().map(|duration| {
            end += ((duration.as_secs_f64() * f64::from(frames_per_second)).round() as u64).max(1);
            end
        });
        Self { ends: ends.collect(), frames_per_second, looped }
    }

    /// What is due `elapsed` after the start for a reader whose last frame was `last`.
    pub(super) fn due(&self, elapsed: Duration, last: Option<u64>) -> Due {
        let frame = self.frame_at(elapsed);
        if let Some(last) = last.filter(|&last| frame <= last) {
            return Due::Wait(self.time_of(last + 1).saturating_sub(elapsed));
        }
        self.picture_of(frame).map_or(Due::Over, |picture| Due::Show { frame, picture })
    }

    /// Which picture is shown as frame number `frame`; `None` when the recording is over by then.
    pub(super) fn picture_of(&self, frame: u64) -> Option<usize> {
        let total = *self.ends.last()?;
        let frame = if self.looped { frame % total } else { frame };
        (frame < total).then(|| self.ends.partition_point(|&end| end <= frame))
    }

    /// When frame number `frame` begins, from the start.
    pub(super) fn time_of(&self, frame: u64) -> Duration {
        // Rounded up, so that asking at this very time finds this frame.
        let nanos = (u128::from(frame) * 1_000_000_000).div_ceil(self.frames_per_second.into());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn frame_at(&self, elapsed: Duration) -> u64 {
        u64::try_from(elapsed.as_nanos() * u128::from(self.frames_per_second) / 1_000_000_000).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// 0.5 s, one frame, 1 s, at 10 frames a second: frames 0-4, 5, 6-15.
    fn three(looped: bool) -> Timeline {
        Timeline::new([ms(500), Duration::ZERO, ms(1000)], 10, looped)
    }

    #[test]
    fn a_picture_is_shown_as_a_new_frame_again_and_again() {
        let timeline = three(false);
        let mut last = None;
        let mut shown = Vec::new();
        for elapsed in (0..1600).step_by(100).map(ms) {
            let Due::Show { frame, picture } = timeline.due(elapsed, last) else { panic!("nothing at {elapsed:?}") };
            last = Some(frame);
            shown.push(picture);
        }
        assert_eq!(last, Some(15));
        assert_eq!(shown, [0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
        assert_eq!(timeline.due(ms(1600), last), Due::Over);
    }

    #[test]
    fn a_reader_who_comes_too_early_waits_for_the_next_frame() {
        assert_eq!(three(false).due(ms(130), Some(1)), Due::Wait(ms(70)));
        assert_eq!(three(false).due(ms(1510), Some(15)), Due::Wait(ms(90)), "the last frame has its full time");
    }

    #[test]
    fn a_reader_who_slept_gets_the_newest_frame_and_sees_the_gap() {
        assert_eq!(three(false).due(ms(990), Some(2)), Due::Show { frame: 9, picture: 2 });
    }

    #[test]
    fn a_looped_recording_begins_again_and_its_numbers_go_on() {
        assert_eq!(three(true).due(ms(2150), Some(20)), Due::Show { frame: 21, picture: 1 });
    }

    #[test]
    fn waiting_as_long_as_told_always_reaches_the_next_frame() {
        for rate in [1, 7, 24, 29, 30, 60] {
            let timeline = Timeline::new([Duration::from_secs(100)], rate, false);
            for last in 0..50 {
                let Due::Wait(left) = timeline.due(timeline.time_of(last), Some(last)) else { panic!("no wait") };
                let then = timeline.time_of(last) + left;
                assert_eq!(timeline.due(then, Some(last)), Due::Show { frame: last + 1, picture: 0 }, "{rate}/s");
            }
        }
    }

    #[test]
    fn nothing_recorded_is_over_at_once() {
        assert_eq!(Timeline::new([], 30, true).due(ms(0), None), Due::Over);
    }
}
