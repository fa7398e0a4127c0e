//! Stories of visitors in the hall, told with scripted decisions.

use std::sync::Arc;

use super::*;
use crate::{
    calibration::in_force::ScoreSource,
    face::Template,
    gallery::{BestTwo, Candidate, decision::Demands, grounds::Grounds},
};

/// A hall whose visitors are scripted by what the vision stage would say of them.
struct Story {
    hall: Hall,
    now: Instant,
}

#[derive(Clone, Copy)]
struct Visitor {
    track: u64,
    decision: Option<Decision>,
    score: f32,
    yaw: f32,
    near: bool,
    certain: bool,
    face: usize,
    /// Whether there are views of it though nothing is decided.
    face_known: bool,
}

fn visitor(track: u64) -> Visitor {
    Visitor {
        track,
        decision: None,
        score: 0.8,
        yaw: 0.0,
        near: true,
        certain: true,
        face: track as usize,
        face_known: false,
    }
}

impl Visitor {
    fn known_as(self, record: u64) -> Self {
        Self { decision: Some(Decision::Identified(RecordNumber(record))), ..self }
    }
    fn stranger(self) -> Self {
        Self { decision: Some(Decision::Stranger), ..self }
    }
    fn unsure(self) -> Self {
        Self { decision: Some(Decision::Unsure), ..self }
    }
    fn seen(&self, since: Instant) -> SeenFace {
        let demands = Demands {
            min_score_to_name: 0.6,
            min_score_from: ScoreSource::Shipped,
            min_margin: 0.05,
            min_views: 3,
            decide_within: Duration::from_millis(200),
            patience: Duration::from_millis(400),
        };
        let first = Candidate { person: RecordNumber(0), score: self.score };
        let verdict = self.decision.map(|decision| Verdict {
            decision,
            best: BestTwo { first: Some(first), second: None },
            demands,
            views: 3,
            quality: 0.8,
            grounds: Grounds::default(),
        });
        let mut values = vec![0.0; 16];
        values[self.face] = 1.0;
        SeenFace {
            track: TrackId(self.track),
            since,
            near: self.near,
            yaw_degrees: self.yaw,
            verdict,
            certain: self.certain,
            face: (self.face_known || verdict.is_some()).then(|| Arc::new(Template(values))),
        }
    }
}

impl Story {
    fn begins() -> Self {
        let hall = Hall::new(&VisitSettings::default()).answering_after(Duration::from_millis(60));
        Self { hall, now: Instant::now() }
    }

    /// Shows the visitors for so long, 30 frames a second.
    fn stay(&mut self, ms: u64, visitors: &[Visitor]) -> Vec<VisitEvent> {
        let mut events = Vec::new();
        for _ in 0..=ms / 33 {
            events.extend(self.hall.on_faces(self.now, visitors.iter().map(|it| it.seen(self.now)).collect(), &[]));
            self.now += Duration::from_millis(33);
        }
        events
    }

    fn leave(&mut self, tracks: &[u64]) -> Vec<VisitEvent> {
        let gone: Vec<TrackId> = tracks.iter().copied().map(TrackId).collect();
        self.hall.on_faces(self.now, Vec::new(), &gone)
    }

    fn later(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }
}

fn greetings(events: &[VisitEvent]) -> Vec<Vec<Guest>> {
    events
        .iter()
        .filter_map(|event| match event {
            VisitEvent::Greet(guests) => Some(guests.clone()),
            _ => None,
        })
        .collect()
}

fn guest(track: u64, decision: Decision) -> Guest {
    Guest { track: TrackId(track), decision }
}

const CHEN: Decision = Decision::Identified(RecordNumber(7));

#[test]
fn a_visitor_is_seen_then_attentive_then_decided_then_greeted_once() {
    let mut story = Story::begins();
    let mut events = story.stay(500, &[visitor(1)]);
    assert_eq!(events, [VisitEvent::FaceSeen(TrackId(1)), VisitEvent::Waits(TrackId(1))]);
    events = story.stay(5_000, &[visitor(1).known_as(7)]);
    assert_eq!(greetings(&events), [[guest(1, CHEN)]]);
    assert_eq!(story.leave(&[1]), [VisitEvent::Left(TrackId(1))]);
}

#[test]
fn nobody_is_addressed_who_is_only_passing() {
    let mut story = Story::begins();
    let aside = Visitor { yaw: 60.0, ..visitor(1).known_as(7) };
    assert!(greetings(&story.stay(3_000, &[aside])).is_empty());
    // A glance of a fifth of a second is no attention either.
    assert!(greetings(&story.stay(200, &[visitor(1).known_as(7)])).is_empty());
    assert!(greetings(&story.stay(300, &[aside])).is_empty());
}

#[test]
fn nobody_far_away_is_addressed() {
    let mut story = Story::begins();
    assert!(story.stay(3_000, &[Visitor { near: false, ..visitor(1).known_as(7) }]).is_empty());
}

#[test]
fn a_visitor_greeted_a_minute_ago_is_not_greeted_again_but_eleven_minutes_later_is() {
    let mut story = Story::begins();
    assert_eq!(greetings(&story.stay(2_000, &[visitor(1).known_as(7)])).len(), 1);
    story.leave(&[1]);
    story.later(60);
    let events = story.stay(2_000, &[visitor(2).known_as(7)]);
    assert!(greetings(&events).is_empty());
    assert!(events.iter().any(|event| matches!(event, VisitEvent::Returned(TrackId(2), _))));
    story.leave(&[2]);
    story.later(11 * 60);
    assert_eq!(greetings(&story.stay(2_000, &[visitor(3).known_as(7)])).len(), 1);
}

#[test]
fn a_stranger_who_turns_round_and_back_is_not_greeted_again() {
    let mut story = Story::begins();
    assert_eq!(greetings(&story.stay(2_000, &[visitor(1).stranger()])), [[guest(1, Decision::Stranger)]]);
    story.leave(&[1]);
    story.later(5);
    let same_face = Visitor { face: 1, ..visitor(2).stranger() };
    assert!(greetings(&story.stay(2_000, &[same_face])).is_empty());
    assert_eq!(greetings(&story.stay(2_000, &[same_face, visitor(3).stranger()])).len(), 1);
}

#[test]
fn somebody_who_stands_there_for_an_hour_is_greeted_once() {
    let mut story = Story::begins();
    let mut count = 0;
    for minute in 0..60 {
        // Now and then the track is lost and begins anew.
        count += greetings(&story.stay(1_000, &[Visitor { face: 1, ..visitor(minute + 1).known_as(7) }])).len();
        story.leave(&[minute + 1]);
        story.later(59);
    }
    assert_eq!(count, 1);
}

#[test]
fn a_group_is_greeted_as_a_group() {
    let mut story = Story::begins();
    let mut events = story.stay(330, &[visitor(1), visitor(2), visitor(3)]);
    events.extend(story.stay(120, &[visitor(1).known_as(7), visitor(2), visitor(3).stranger()]));
    assert!(greetings(&events).is_empty(), "one of them is still being looked at");
    let events = story.stay(500, &[visitor(1).known_as(7), visitor(2).unsure(), visitor(3).stranger()]);
    let all = [guest(1, CHEN), guest(2, Decision::Unsure), guest(3, Decision::Stranger)];
    assert_eq!(greetings(&events), [all]);
}

#[test]
fn a_group_waits_only_so_long_for_one_who_cannot_be_decided() {
    let mut story = Story::begins();
    story.stay(400, &[visitor(1), visitor(2)]);
    let events = story.stay(400, &[visitor(1).known_as(7), visitor(2)]);
    assert_eq!(greetings(&events), [[guest(1, CHEN)]]);
    let events = story.stay(200, &[visitor(1).known_as(7), visitor(2).stranger()]);
    assert_eq!(greetings(&events), [[guest(2, Decision::Stranger)]]);
}

#[test]
fn two_faces_never_get_one_name() {
    let mut story = Story::begins();
    let brother = Visitor { score: 0.7, ..visitor(1).known_as(7) };
    let events = story.stay(1_000, &[brother, visitor(2).known_as(7)]);
    assert_eq!(greetings(&events), [[guest(1, Decision::Unsure), guest(2, CHEN)]]);
    // And once greeted, the name is taken as long as that person stands there.
    let better = Visitor { score: 0.99, ..visitor(3).known_as(7) };
    let events = story.stay(1_000, &[visitor(2).known_as(7), better]);
    assert_eq!(greetings(&events), [[guest(3, Decision::Unsure)]]);
}

#[test]
fn a_name_that_comes_when_the_visitor_has_turned_away_is_not_spoken() {
    let mut story = Story::begins();
    story.stay(400, &[visitor(1), visitor(2)]);
    // Visitor 1 is decided and waits for visitor 2, but is not seen any more.
    story.stay(0, &[visitor(1).known_as(7), visitor(2)]);
    story.later(1);
    let events = story.stay(500, &[visitor(2).stranger()]);
    assert_eq!(greetings(&events), [[guest(2, Decision::Stranger)]]);
}

#[test]
fn a_late_better_decision_counts_until_the_greeting() {
    let mut story = Story::begins();
    let aside = Visitor { yaw: 60.0, ..visitor(1).stranger() };
    story.stay(1_500, &[aside]);
    let events = story.stay(1_000, &[visitor(1).known_as(7)]);
    assert_eq!(greetings(&events), [[guest(1, CHEN)]]);
}

#[test]
fn who_looks_at_the_robot_and_is_not_decided_about_is_told_to_wait_for_an_answer_once() {
    let mut story = Story::begins();
    let waits = |events: &[VisitEvent]| events.iter().filter(|event| matches!(event, VisitEvent::Waits(_))).count();
    assert_eq!(waits(&story.stay(300, &[visitor(1)])), 0, "a decision may come in the next frame");
    assert_eq!(waits(&story.stay(2_000, &[visitor(1)])), 1);
    let events = story.stay(1_000, &[visitor(1).known_as(7)]);
    assert_eq!((waits(&events), greetings(&events).len()), (0, 1));
    // Whoever is decided about in time waits for nothing.
    assert_eq!(waits(&story.stay(2_000, &[visitor(1).known_as(7), visitor(2).stranger()])), 0);
}

#[test]
fn who_was_greeted_a_minute_ago_does_not_wait_for_an_answer_even_before_they_are_recognised() {
    let mut story = Story::begins();
    story.stay(2_000, &[visitor(1).known_as(7)]);
    story.leave(&[1]);
    story.later(60);
    let back = Visitor { face: 1, face_known: true, ..visitor(2) };
    let events = story.stay(2_000, &[back]);
    assert!(!events.contains(&VisitEvent::Waits(TrackId(2))), "{events:?}");
    let new = Visitor { face_known: true, ..visitor(3) };
    assert!(story.stay(2_000, &[new]).contains(&VisitEvent::Waits(TrackId(3))));
}

#[test]
fn a_name_waits_for_a_view_that_shows_the_same_person_still() {
    let mut story = Story::begins();
    let odd = Visitor { certain: false, ..visitor(1).known_as(7) };
    assert!(greetings(&story.stay(500, &[odd])).is_empty(), "perhaps somebody else stands there by now");
    assert_eq!(greetings(&story.stay(100, &[visitor(1).known_as(7)])), [[guest(1, CHEN)]]);
}

#[test]
fn who_is_not_certainly_the_one_who_was_identified_is_greeted_without_a_name_in_the_end() {
    let mut story = Story::begins();
    let odd = Visitor { certain: false, ..visitor(1).known_as(7) };
    assert_eq!(greetings(&story.stay(2_000, &[odd])), [[guest(1, Decision::Unsure)]]);
}
