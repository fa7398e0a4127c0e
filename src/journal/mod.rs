//! What happened, for the operator and for other programs: never a name, an identity number, a phone number or a tax matter.
//!
//! One event is one line of JSON (docs/events.md) and one readable line on the screen ([`line`] writes it). [`event_log`] writes the JSON to
//! the disk, by default into a folder with a file a day ([`day_files`]).
//! [`because`] is what a decision rested on; [`explain`] reads it back and says why somebody was or was not named; [`search`] finds the
//! decision that the operator asks about. [`pilot`] lists names that were decided, and what a clerk who was there says of them.

pub mod because;
pub mod day_files;
pub mod event_log;
pub mod explain;
mod line;
pub mod pilot;
pub mod search;

use std::time::SystemTime;

pub use because::Because;
pub use day_files::DayFiles;
pub use event_log::{EventLog, JournalError, Place};
pub use line::{Weight, line};
use serde::Serialize;

use crate::{
    calibration::in_force::ScoreSource,
    face::lighting::LightProblem,
    person::RecordNumber,
    visit::{VisitorId, visitor::Why},
};

/// An event with the time at which it happened.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The program serves: frames may come.
    Serving {
        /// Enrolled.
        people: usize,
        /// From which score a visitor may be named.
        min_score_to_name: f32,
        /// Where that score comes from.
        min_score_from: ScoreSource,
    },
    /// A face is near enough to be recognised.
    FaceSeen {
        /// Whose.
        visitor: VisitorId,
    },
    /// A visitor is an enrolled person.
    Identified {
        /// Who of those in front of the robot.
        visitor: VisitorId,
        /// Their record.
        person: RecordNumber,
        /// Whether staff have put them on hold: they are not named.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        on_hold: bool,
        /// Why.
        #[serde(flatten)]
        because: Because,
    },
    /// A visitor may be an enrolled person; not sure enough for a name.
    Unsure {
        /// Who of those in front of the robot.
        visitor: VisitorId,
        /// Why.
        #[serde(flatten)]
        because: Because,
    },
    /// A visitor is nobody enrolled.
    Stranger {
        /// Who of those in front of the robot.
        visitor: VisitorId,
        /// Why.
        #[serde(flatten)]
        because: Because,
    },
    /// A visitor was greeted a short while ago; nothing is said.
    Returned {
        /// Who of those in front of the robot.
        visitor: VisitorId,
        /// Their record, if they are identified.
        person: Option<RecordNumber>,
        /// Why they were taken for that person, or for nobody.
        #[serde(flatten)]
        because: Because,
    },
    /// A visitor is not spoken to.
    NotAddressed {
        /// Who of those in front of the robot.
        visitor: VisitorId,
        /// `staff`, `picture` (it never moves) or `image` (of somebody who stands there).
        why: Why,
    },
    /// Where a visitor is sent.
    Routed {
        /// Who of those in front of the robot.
        visitor: VisitorId,
        /// Their record, if they are identified and not on hold.
        person: Option<RecordNumber>,
        /// The counter's id in `routing.toml`.
        counter: String,
        /// Its name in the robot's own language.
        place: String,
        /// Which rule, or why none.
        reason: String,
    },
    /// A greeting was handed to the voice.
    GreetingStarted {
        /// Counts greetings.
        greeting: u64,
        /// Whom it is for.
        visitors: Vec<VisitorId>,
        /// Whom it names.
        people: Vec<RecordNumber>,
        /// Its language.
        language: String,
        /// Whether it is only a hello, said before it was decided who they are; a greeting follows.
        hello: bool,
        /// Whether it is only the way, for somebody who was greeted before and asks again.
        again: bool,
    },
    /// The first sample of a greeting was played.
    Audible {
        /// Which.
        greeting: u64,
        /// Whom it is for.
        visitors: Vec<VisitorId>,
        /// By which voice.
        voice: String,
        /// From the first frame with a usable face until now.
        face_to_audible_ms: f64,
        /// Where that time went, in order.
        stages_ms: Stages,
    },
    /// A greeting was heard to its end.
    GreetingEnded {
        /// Which.
        greeting: u64,
    },
    /// No voice could say a greeting; its text is on the screen.
    Shown {
        /// Which.
        greeting: u64,
        /// Why.
        why: String,
    },
    /// A greeting was not said, because it came too late or too many waited.
    NotSaid {
        /// Which.
        greeting: u64,
        /// Whom it was for: they heard no more of it, and whoever heard nothing and stands there is greeted anew.
        visitors: Vec<VisitorId>,
        /// Why.
        why: String,
    },
    /// A visitor has gone.
    Left {
        /// Who.
        visitor: VisitorId,
    },
    /// There are no frames.
    CameraLost {
        /// What and what to do.
        cause: String,
    },
    /// There are frames, for the first time or again.
    CameraBack {
        /// Which camera, at what size and rate.
        camera: String,
    },
    /// Visitors can be seen less well than they should, or well again.
    Light {
        /// What is wrong; `None` when the light is good again.
        problem: Option<LightProblem>,
        /// The nearest face's mean brightness, 0 to 255; `None` if there is none.
        face: Option<f32>,
        /// That of the frame around it.
        around: f32,
    },
    /// A recording is over.
    RecordingOver,
    /// A voice failed; the next one speaks.
    VoiceLost {
        /// Which.
        voice: String,
        /// Why.
        cause: String,
    },
    /// A voice that failed speaks again.
    VoiceBack {
        /// Which.
        voice: String,
    },
    /// The store has changed and everybody in it is known now.
    PeopleReloaded {
        /// Enrolled.
        people: usize,
    },
    /// A part of the program failed and was started again.
    Restarted {
        /// Which.
        stage: String,
        /// Why.
        cause: String,
    },
}

/// The parts of the time from a visitor's first usable frame to the first sample of their greeting, one after the other.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Stages {
    /// Seeing, embedding and deciding: until the decision. Nothing for a hello, which waits for none.
    pub recognise: f64,
    /// Waiting for the visitor's attention and for the others of a group: until the greeting was handed to the voice.
    pub attend: f64,
    /// Until the first sample.
    pub speak: f64,
}

impl Entry {
    /// An event that happens now.
    pub fn now(event: Event) -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { at_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX), event }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_flat_json_object_with_the_record_number_only() {
        let because = because::tests::named();
        let event = Event::Identified { visitor: VisitorId(4), person: RecordNumber(12), on_hold: false, because };
        let json = serde_json::to_value(Entry { at_ms: 5, event: event.clone() }).unwrap();
        assert_eq!(json["event"], "identified");
        assert_eq!(
            (json["at_ms"].as_u64(), json["visitor"].as_u64(), json["person"].as_u64()),
            (Some(5), Some(4), Some(12))
        );
        assert_eq!(json["views"], 3);
        assert_eq!(line(&event).1, "visitor 4 is #12 (score 0.83, next 0.21, needs 0.70; 3 views in 412 ms)");
    }
}
