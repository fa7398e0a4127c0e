//! One visitor's state machine, from the first near face to the farewell.
//!
//! ```text
//!            faces the robot            has been decided            the group's turn
//!  Passing ------------------> Attentive ---------------> Ready ---------------------> Greeted
//!                                  |  was greeted lately
//!                                  +---------------------> Returning
//! ```
//!
//! From every state a visitor may leave; nothing is said to them then. Pure: time is a value.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{cool_down::CoolDown, tracker::TrackId};
use crate::{
    config::VisitSettings,
    face::Template,
    gallery::decision::{Decision, Verdict},
};

/// How long a name waits for a view that shows the same person still; then they are greeted without it.
const NAME_WAITS: Duration = Duration::from_millis(600);

/// One face of one frame, as the vision stage saw it.
#[derive(Debug, Clone)]
pub struct SeenFace {
    /// Whose.
    pub track: TrackId,
    /// From when on this frame's look at them counts: from the frame in which the face was found if this one confirmed it, from this one otherwise.
    pub since: Instant,
    /// Near enough to be recognised and addressed.
    pub near: bool,
    /// How far the head is turned aside.
    pub yaw_degrees: f32,
    /// What is decided so far.
    pub verdict: Option<Verdict>,
    /// Whether a view of the last moment showed the same person as those on which that rests. Nobody is named otherwise.
    pub certain: bool,
    /// The visitor's views as one template, once there are some.
    pub face: Option<Arc<Template>>,
}

/// When a visitor is addressed.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// How long they must face the robot.
    pub attention: Duration,
    /// How far turned still faces it.
    pub max_yaw_degrees: f32,
    /// How long a greeting waits for the others.
    pub group_wait: Duration,
    /// How long somebody who looks at the robot may be left without an answer.
    pub answer_after: Duration,
}

impl From<&VisitSettings> for Rules {
    fn from(settings: &VisitSettings) -> Self {
        Self {
            attention: Duration::from_millis(settings.attention_ms),
            max_yaw_degrees: settings.max_yaw_degrees,
            group_wait: Duration::from_millis(settings.group_wait_ms),
            answer_after: Duration::ZERO,
        }
    }
}

/// Where a visit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Near, but perhaps only passing. Counts for how long they have faced the robot without a break.
    Passing {
        /// Since when, if they do now.
        facing_since: Option<Instant>,
    },
    /// Looks at the robot and waits; who it is has not been decided.
    Attentive {
        /// Since when.
        since: Instant,
        /// Whether it has been said that they wait for an answer.
        waits: bool,
    },
    /// Decided; waits a moment for the others so that a group is greeted as a group.
    Ready {
        /// When it was decided.
        since: Instant,
    },
    /// Has been greeted and is still here.
    Greeted,
    /// Was greeted a short while ago: nothing is said.
    Returning,
}

/// What a frame changed for one visitor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// They have looked at it for a moment, are new here, and it is not decided who they are.
    Waits,
    /// It is decided who they are.
    Decided(Verdict),
    /// They were greeted a short while ago.
    Returned(Verdict),
}

/// One visitor.
#[derive(Debug)]
pub struct Encounter {
    /// Their track.
    pub track: TrackId,
    /// Where the visit stands.
    pub state: State,
    /// What was decided, the latest.
    pub verdict: Option<Verdict>,
    /// Their face, for the cool-down.
    pub face: Option<Arc<Template>>,
    /// When they were last seen near the robot.
    pub near_at: Instant,
    /// Whether they were certainly the same person in the last frame that showed them.
    pub certain: bool,
}

impl Encounter {
    /// Begins when a face is near for the first time.
    pub fn begins(now: Instant, track: TrackId) -> Self {
        Self {
            track,
            state: State::Passing { facing_since: None },
            verdict: None,
            face: None,
            near_at: now,
            certain: false,
        }
    }

    /// Takes one frame's view of this visitor.
    pub fn on_face(&mut self, now: Instant, seen: &SeenFace, rules: &Rules, lately: &CoolDown) -> Vec<Change> {
        if seen.near {
            self.near_at = now;
        }
        self.certain = seen.certain;
        if !matches!(self.state, State::Greeted | State::Returning) {
            self.verdict = seen.verdict.or(self.verdict);
        }
        self.face = seen.face.clone().or(self.face.take());
        let mut changes = Vec::new();
        if let State::Passing { facing_since } = self.state {
            let facing = seen.near && seen.yaw_degrees.abs() <= rules.max_yaw_degrees;
            let since = facing.then(|| facing_since.unwrap_or(seen.since));
            self.state = State::Passing { facing_since: since };
            if since.is_some_and(|since| now.duration_since(since) >= rules.attention) {
                self.state = State::Attentive { since: now, waits: false };
            }
        }
        match (&mut self.state, self.verdict) {
            (State::Attentive { .. }, Some(verdict)) => changes.push(self.decided(now, verdict, lately)),
            (State::Attentive { since, waits: waits @ false }, None)
                if now.duration_since(*since) >= rules.answer_after =>
            {
                *waits = true;
                if !lately.knows(now, None, self.face.as_deref()) {
                    changes.push(Change::Waits);
                }
            }
            _ => {}
        }
        changes
    }

    /// Whether to greet them now: a name waits a little for the view that shows that its owner is still the one who stands there.
    pub fn may_be_greeted(&self, now: Instant, ready_for: Duration) -> bool {
        let named = self.verdict.is_some_and(|verdict| matches!(verdict.decision, Decision::Identified(_)));
        !named || self.is_certainly_here(now) || ready_for >= NAME_WAITS
    }

    /// By what they are greeted: without a name where they are not certainly the one who was identified.
    pub fn called(&self, now: Instant, decision: Decision) -> Decision {
        match decision {
            Decision::Identified(_) if !self.is_certainly_here(now) => Decision::Unsure,
            decision => decision,
        }
    }

    fn is_certainly_here(&self, now: Instant) -> bool {
        self.certain && self.near_at == now
    }

    fn decided(&mut self, now: Instant, verdict: Verdict, lately: &CoolDown) -> Change {
        let person = match verdict.decision {
            Decision::Identified(person) => Some(person),
            Decision::Unsure | Decision::Stranger => None,
        };
        if lately.knows(now, person, self.face.as_deref()) {
            self.state = State::Returning;
            return Change::Returned(verdict);
        }
        self.state = State::Ready { since: now };
        Change::Decided(verdict)
    }
}
