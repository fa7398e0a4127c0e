//! Exposes for the face in front of the camera rather than for the hall behind it.
//!
//! Pure: time is a value. A camera's own automatic exposure meters the whole picture, so a face before a window is left black. This decides
//! slowly, and only when a face is clearly too dark or too bright, by what factor the exposure should change; `controls` applies it. When
//! nobody has been there for a while the camera is left to itself again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// How bright a face should be, 0 to 255.
const TARGET: f32 = 115.0;
/// Faces outside of this are worth a change…
const BEARABLE: std::ops::Range<f32> = 70.0..190.0;
/// … which goes on until they are within this.
const GOOD: std::ops::Range<f32> = 95.0..140.0;
/// How long a face must be too dark or too bright before the first change: shadows and turning heads pass.
const PATIENCE: Duration = Duration::from_millis(1000);
/// How long a camera needs until a change is seen, and a visitor to get used to it.
const SETTLES: Duration = Duration::from_millis(700);
/// One change's factor.
const STEP: (f32, f32) = (0.6, 1.7);
/// How fast the measured brightness is believed: the newest frame's share.
const NEWEST: f32 = 0.3;
/// When nobody has been there for so long, the camera decides again.
const NOBODY: Duration = Duration::from_secs(10);

/// What should be done with the exposure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Change {
    /// Multiply it.
    By(f32),
    /// Let the camera decide.
    Automatic,
}

/// Follows the brightness of the nearest face.
#[derive(Debug, Default)]
pub(super) struct Exposure {
    brightness: Option<f32>,
    face_at: Option<Instant>,
    unbearable_since: Option<Instant>,
    changed_at: Option<Instant>,
    /// How bright the face was at the camera's own choice, once that has been overruled.
    own: Option<f32>,
    /// How bright it was when the last change was decided.
    decided_at: f32,
    /// Whether nothing is to be gained with this visitor.
    given_up: bool,
    /// Whether it is being brought back to [`GOOD`].
    correcting: bool,
}

impl Exposure {
    /// Takes what one frame showed: the nearest face's mean brightness, if there is a face.
    pub(super) fn on_frame(&mut self, now: Instant, face: Option<f32>) -> Option<Change> {
        let Some(newest) = face else { return self.without_face(now) };
        self.face_at = Some(now);
        if self.given_up {
            return None;
        }
        // What was measured before the last change took effect says nothing about it.
        if self.changed_at.is_some_and(|at| now.duration_since(at) < SETTLES) {
            self.brightness = None;
            return None;
        }
        let brightness = self.brightness.map_or(newest, |before| before + NEWEST * (newest - before));
        self.brightness = Some(brightness);
        if !self.correcting {
            if BEARABLE.contains(&brightness) {
                self.unbearable_since = None;
                return None;
            }
            let since = *self.unbearable_since.get_or_insert(now);
            if now.duration_since(since) < PATIENCE {
                return None;
            }
        }
        self.unbearable_since = None;
        self.correcting = !GOOD.contains(&brightness);
        if !self.correcting {
            return None;
        }
        self.own.get_or_insert(brightness);
        (self.decided_at, self.changed_at, self.brightness) = (brightness, Some(now), None);
        Some(Change::By((TARGET / brightness.max(1.0)).clamp(STEP.0, STEP.1)))
    }

    /// The exposure can go no further. If that is no better than what the camera had chosen, with its gain perhaps, it decides again for
    /// as long as this visitor stays.
    pub(super) fn at_the_limit(&mut self) -> Option<Change> {
        self.correcting = false;
        let away = |brightness: f32| (TARGET - brightness).abs();
        self.given_up = self.own.is_none_or(|own| away(self.decided_at) >= away(own));
        self.given_up.then_some(Change::Automatic)
    }

    fn without_face(&mut self, now: Instant) -> Option<Change> {
        let long_gone = self.face_at.is_none_or(|at| now.duration_since(at) >= NOBODY);
        if !long_gone {
            return None;
        }
        let overruled = self.own.is_some() && !self.given_up;
        *self = Self::default();
        overruled.then_some(Change::Automatic)
    }
}

/// The brightness of the nearest face on its way from those who see it to the camera; clones share it. A newer one replaces an older one.
#[derive(Debug, Clone)]
pub struct FaceLight(Arc<AtomicU32>);

/// The bits of a number that no brightness is.
const NOTHING: u32 = u32::MAX;

impl Default for FaceLight {
    fn default() -> Self {
        Self(Arc::new(AtomicU32::new(NOTHING)))
    }
}

impl FaceLight {
    /// Tells the mean brightness of the nearest face, 0 to 255.
    pub fn put(&self, brightness: f32) {
        self.0.store(brightness.to_bits(), Ordering::Relaxed);
    }

    /// What was told since it was last taken.
    pub fn take(&self) -> Option<f32> {
        let bits = self.0.swap(NOTHING, Ordering::Relaxed);
        (bits != NOTHING).then(|| f32::from_bits(bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A camera whose pictures are as bright as its exposure makes them, thirty times a second.
    struct Hall {
        exposure: Exposure,
        now: Instant,
        /// What the face would be at the camera's own choice.
        face: f32,
        factor: f32,
        /// The greatest factor.
        limit: f32,
        /// What is left of the light when the camera does not choose its gain.
        without_gain: f32,
        changes: Vec<Change>,
    }

    impl Hall {
        fn with_a_face_of(face: f32) -> Self {
            let (factor, limit, without_gain) = (1.0, 100.0, 1.0);
            let exposure = Exposure::default();
            Self { exposure, now: Instant::now(), face, factor, limit, without_gain, changes: Vec::new() }
        }

        fn after(mut self, seconds: u32, there: bool) -> Self {
            for _ in 0..seconds * 30 {
                self.now += Duration::from_millis(33);
                let brightness = (self.face * self.factor).min(255.0);
                let change = match self.exposure.on_frame(self.now, there.then_some(brightness)) {
                    Some(Change::By(factor)) if factor > 1.0 && self.factor >= self.limit * self.without_gain => {
                        self.exposure.at_the_limit()
                    }
                    change => change,
                };
                match change {
                    Some(Change::By(factor)) => {
                        let before = if self.factor == 1.0 { self.without_gain } else { self.factor };
                        self.factor = (before * factor).min(self.limit * self.without_gain);
                    }
                    Some(Change::Automatic) => self.factor = 1.0,
                    None => {}
                }
                self.changes.extend(change);
            }
            self
        }

        fn seen(&self) -> f32 {
            self.face * self.factor
        }
    }

    #[test]
    fn a_face_before_a_window_becomes_visible_within_a_few_seconds_and_stays_so() {
        let hall = Hall::with_a_face_of(25.0).after(5, true);
        assert!(GOOD.contains(&hall.seen()), "{}: {:?}", hall.seen(), hall.changes);
        let changes = hall.changes.len();
        assert_eq!(hall.after(60, true).changes.len(), changes, "it does not hunt");
    }

    #[test]
    fn a_face_in_a_spotlight_is_not_washed_out() {
        let hall = Hall::with_a_face_of(250.0).after(5, true);
        assert!(GOOD.contains(&hall.seen()), "{}: {:?}", hall.seen(), hall.changes);
    }

    #[test]
    fn a_face_that_is_seen_well_enough_changes_nothing_and_neither_does_a_passing_shadow() {
        for face in [75.0, 115.0, 185.0] {
            assert_eq!(Hall::with_a_face_of(face).after(20, true).changes, []);
        }
        let mut hall = Hall::with_a_face_of(115.0).after(2, true);
        for _ in 0..15 {
            hall.now += Duration::from_millis(33);
            assert_eq!(hall.exposure.on_frame(hall.now, Some(30.0)), None);
        }
        assert_eq!(hall.after(10, true).changes, []);
    }

    #[test]
    fn the_camera_decides_again_when_the_visitor_has_gone() {
        let hall = Hall::with_a_face_of(30.0).after(4, true).after(9, false);
        assert!(!hall.changes.contains(&Change::Automatic), "they may be back at once");
        let hall = hall.after(3, false);
        assert_eq!(hall.changes.last(), Some(&Change::Automatic));
        let changes = hall.changes.len();
        assert_eq!(hall.after(60, false).changes.len(), changes, "it is said once");
    }

    #[test]
    fn what_little_the_camera_can_do_is_done_but_never_less_than_it_does_by_itself() {
        let window = Hall { limit: 2.0, ..Hall::with_a_face_of(25.0) }.after(20, true);
        assert_eq!(window.seen(), 50.0, "{:?}", window.changes);
        let dim = Hall { limit: 1.5, without_gain: 0.5, ..Hall::with_a_face_of(50.0) }.after(20, true);
        assert_eq!((dim.seen(), dim.changes.last()), (50.0, Some(&Change::Automatic)));
        let changes = dim.changes.len();
        assert_eq!(dim.after(60, true).changes.len(), changes, "it is not tried again and again");
    }

    #[test]
    fn the_newest_brightness_is_taken_once() {
        let light = FaceLight::default();
        assert_eq!(light.take(), None);
        light.put(40.0);
        light.clone().put(41.0);
        assert_eq!((light.take(), light.take()), (Some(41.0), None));
    }
}
