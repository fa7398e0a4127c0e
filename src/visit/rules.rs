//! When visitors are looked at and addressed, as the operator wants it.

use std::time::Duration;

use crate::{config::Config, person::Language};

/// When a visitor is looked at and addressed.
#[derive(Debug, Clone)]
pub struct Rules {
    /// How long they must look at the robot.
    pub attention: Duration,
    /// How far turned still looks at it.
    pub max_yaw_degrees: f32,
    /// Eyes nearer together are too far away.
    pub min_eye_distance_px: f32,
    /// How often a visitor is looked at.
    pub view_every: Duration,
    /// A face not found for so long has left.
    pub gone_after: Duration,
    /// How long a greeting waits for the others.
    pub group_wait: Duration,
    /// For how long nobody is greeted again.
    pub cool_down: Duration,
    /// The house's language.
    pub language: Language,
    /// How somebody is answered about whom it is not decided yet who they are, and after how long.
    pub first_answer: Option<(FirstAnswer, Duration)>,
}

/// What answers somebody before it is decided who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstAnswer {
    /// A spoken hello.
    Hello,
    /// A sound.
    Chime,
}

/// Two frames: a decision that comes in one of them is worth more than a hello before it.
const HELLO_AFTER: Duration = Duration::from_millis(60);
/// Earlier the greeting itself answers them, and would cut the chime off.
const CHIME_AFTER: Duration = Duration::from_millis(120);

impl Rules {
    /// As the operator wants it.
    pub fn new(config: &Config) -> Self {
        let (visit, greeting) = (&config.visit, &config.greeting);
        let first_answer = match (greeting.hello_first, greeting.chime) {
            (true, _) => Some((FirstAnswer::Hello, HELLO_AFTER)),
            (false, true) => Some((FirstAnswer::Chime, CHIME_AFTER)),
            (false, false) => None,
        };
        Self {
            attention: Duration::from_millis(visit.attention_ms),
            max_yaw_degrees: visit.max_yaw_degrees,
            min_eye_distance_px: config.face.min_eye_distance_px,
            view_every: Duration::from_secs(1) / config.face.embed_per_second,
            gone_after: Duration::from_millis(visit.gone_after_ms),
            group_wait: Duration::from_millis(visit.group_wait_ms),
            cool_down: Duration::from_secs(visit.cool_down_s),
            language: greeting.language.clone(),
            first_answer,
        }
    }
}
