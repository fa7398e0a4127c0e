//! Everybody in front of the robot: keeps their encounters, settles who may be named, and says when whom to greet.
//!
//! Pure: time is a value. In one frame one person is at most one face: two faces never get one name.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::{Duration, Instant},
};

use super::{
    cool_down::CoolDown,
    encounter::{Change, Encounter, Rules, SeenFace, State},
    tracker::TrackId,
};
use crate::{
    config::VisitSettings,
    gallery::decision::{Decision, Verdict},
    person::RecordNumber,
};

/// A visitor not seen for so long is not spoken to; they may have turned round.
const STILL_HERE: Duration = Duration::from_millis(700);

/// Somebody to greet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guest {
    /// Their track.
    pub track: TrackId,
    /// Who they are; only [`Decision::Identified`] gets a name.
    pub decision: Decision,
}

/// What happened in the hall.
#[derive(Debug, Clone, PartialEq)]
pub enum VisitEvent {
    /// A face is near enough to be recognised.
    FaceSeen(TrackId),
    /// A visitor has looked at the robot for a moment, and who they are is not decided: they should not stand there without an answer.
    /// Nobody who was greeted a short while ago.
    Waits(TrackId),
    /// It is decided who a visitor is.
    Decided(TrackId, Verdict),
    /// A visitor is back, or still here, who was greeted a short while ago.
    Returned(TrackId, Verdict),
    /// Greet these together, now.
    Greet(Vec<Guest>),
    /// A visitor has left.
    Left(TrackId),
}

/// The place in front of the robot.
pub struct Hall {
    rules: Rules,
    lately: CoolDown,
    encounters: BTreeMap<TrackId, Encounter>,
}

impl Hall {
    /// An empty hall.
    pub fn new(settings: &VisitSettings) -> Self {
        Self {
            rules: Rules::from(settings),
            lately: CoolDown::new(Duration::from_secs(settings.cool_down_s)),
            encounters: BTreeMap::new(),
        }
    }

    /// The same, saying that somebody waits when they have looked at the robot for so long, and not at once.
    #[must_use]
    pub fn answering_after(mut self, pause: Duration) -> Self {
        self.rules.answer_after = pause;
        self
    }

    /// Takes a frame's faces and the tracks that are gone, and says what follows from them.
    pub fn on_faces(&mut self, now: Instant, mut faces: Vec<SeenFace>, gone: &[TrackId]) -> Vec<VisitEvent> {
        let mut events = Vec::new();
        for track in gone {
            if self.encounters.remove(track).is_some() {
                events.push(VisitEvent::Left(*track));
            }
        }
        self.settle_claims(&mut faces);
        for seen in &faces {
            let encounter = match self.encounters.entry(seen.track) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) if seen.near => {
                    events.push(VisitEvent::FaceSeen(seen.track));
                    entry.insert(Encounter::begins(now, seen.track))
                }
                // Nobody is met from afar.
                Entry::Vacant(_) => continue,
            };
            let changes = encounter.on_face(now, seen, &self.rules, &self.lately);
            events.extend(changes.into_iter().map(|change| match change {
                Change::Waits => VisitEvent::Waits(seen.track),
                Change::Decided(verdict) => VisitEvent::Decided(seen.track, verdict),
                Change::Returned(verdict) => VisitEvent::Returned(seen.track, verdict),
            }));
            if matches!(encounter.state, State::Greeted | State::Returning) {
                self.lately.note(now, person(encounter), encounter.face.as_deref());
            }
        }
        events.extend(self.greet(now));
        events
    }

    /// Of several faces that claim one person, only the most alike keeps the name; whoever has been greeted by it keeps it anyway.
    fn settle_claims(&self, faces: &mut [SeenFace]) {
        let mut holders: BTreeMap<RecordNumber, (TrackId, f32)> = BTreeMap::new();
        for encounter in self.encounters.values() {
            if let (State::Greeted | State::Returning, Some(person)) = (encounter.state, person(encounter)) {
                holders.insert(person, (encounter.track, f32::INFINITY));
            }
        }
        for seen in faces.iter() {
            let Some((person, score)) = seen.verdict.as_ref().and_then(claim) else { continue };
            let holder = holders.entry(person).or_insert((seen.track, score));
            if score > holder.1 {
                *holder = (seen.track, score);
            }
        }
        for seen in faces {
            let Some(verdict) = &mut seen.verdict else { continue };
            let lost =
                claim(verdict).is_some_and(|(person, _)| holders.get(&person).is_some_and(|it| it.0 != seen.track));
            if lost {
                verdict.decision = Decision::Unsure;
            }
        }
    }

    /// Greets everybody who is ready, once nobody else is about to be or the wait is over.
    fn greet(&mut self, now: Instant) -> Option<VisitEvent> {
        let here = |encounter: &&mut Encounter| now.duration_since(encounter.near_at) < STILL_HERE;
        let undecided = self
            .encounters
            .values()
            .filter(|encounter| now.duration_since(encounter.near_at) < STILL_HERE)
            .any(|encounter| matches!(encounter.state, State::Attentive { .. }));
        let mut ready: Vec<&mut Encounter> = self
            .encounters
            .values_mut()
            .filter(here)
            .filter(
                |it| matches!(it.state, State::Ready { since } if it.may_be_greeted(now, now.duration_since(since))),
            )
            .collect();
        let waited = ready.iter().any(|encounter| match encounter.state {
            State::Ready { since } => now.duration_since(since) >= self.rules.group_wait,
            _ => false,
        });
        if ready.is_empty() || (undecided && !waited) {
            return None;
        }
        let mut guests = Vec::new();
        for encounter in &mut ready {
            let Some(verdict) = encounter.verdict else { continue };
            encounter.state = State::Greeted;
            self.lately.note(now, person(encounter), encounter.face.as_deref());
            guests.push(Guest { track: encounter.track, decision: encounter.called(now, verdict.decision) });
        }
        Some(VisitEvent::Greet(guests))
    }
}

/// Whom an encounter is with, if they were identified.
fn person(encounter: &Encounter) -> Option<RecordNumber> {
    encounter.verdict.as_ref().and_then(claim).map(|(person, _)| person)
}

/// The person that a verdict names and how alike they are.
fn claim(verdict: &Verdict) -> Option<(RecordNumber, f32)> {
    match verdict.decision {
        Decision::Identified(person) => Some((person, verdict.best.first.map_or(0.0, |first| first.score))),
        Decision::Unsure | Decision::Stranger => None,
    }
}

#[cfg(test)]
#[path = "hall_tests.rs"]
mod tests;
