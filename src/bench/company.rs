//! Those who come together in a benchmark of how long visitors wait: what the robot tells of each of them, and what follows from it.

use std::collections::BTreeMap;

use crate::{journal::Event, person::RecordNumber, visit::VisitorId};

/// Everything measured, person by person.
#[derive(Default)]
pub struct Measured {
    /// Named rightly, wrongly, unsure, stranger.
    pub outcomes: [usize; 4],
    /// Milliseconds.
    pub decided: Vec<f64>,
    /// Milliseconds.
    pub audible: Vec<f64>,
    /// Milliseconds.
    pub greeted: Vec<f64>,
    /// How many heard a hello first.
    pub hellos: usize,
    /// Milliseconds of `recognise`, `attend` and `speak`.
    pub stages: [Vec<f64>; 3],
}

/// Those who came together, as the robot tells of them.
#[derive(Default)]
pub struct Visit {
    visitors: BTreeMap<VisitorId, Visitor>,
    /// Greetings that were begun.
    greetings: BTreeMap<u64, Begun>,
}

struct Begun {
    whom: Vec<VisitorId>,
    hello: bool,
    ended: bool,
}

/// One of them.
#[derive(Default)]
struct Visitor {
    named: Option<Option<RecordNumber>>,
    unsure: bool,
    /// When it was told that their face was seen.
    seen_ms: Option<f64>,
    decided_ms: Option<f64>,
    audible_ms: Option<f64>,
    greeted_ms: Option<f64>,
    stages_ms: Option<[f64; 3]>,
    /// What came before the frame in which the pipeline found the face, from which it counts.
    unseen_ms: f64,
    heard_hello: bool,
    /// Their greeting was heard, shown or given up.
    served: bool,
    gone: bool,
}

impl Visit {
    fn of(&mut self, visitor: VisitorId) -> &mut Visitor {
        self.visitors.entry(visitor).or_default()
    }

    /// Takes what the robot tells, so many milliseconds after they came; `None` when they have gone.
    pub fn take(&mut self, event: Event, since_face: Option<f64>) {
        match event {
            Event::FaceSeen { visitor } => self.of(visitor).seen_ms = since_face,
            // It is told when the visitor attends to the robot; when it was decided stands in it.
            Event::Identified { visitor, person, because, .. } => {
                self.of(visitor).decide(Some(person), false, because.face_to_decision_ms);
            }
            Event::Unsure { visitor, because } => self.of(visitor).decide(None, true, because.face_to_decision_ms),
            Event::Stranger { visitor, because } => self.of(visitor).decide(None, false, because.face_to_decision_ms),
            Event::GreetingStarted { greeting, visitors, hello, .. } => {
                self.greetings.insert(greeting, Begun { whom: visitors, hello, ended: false });
            }
            Event::Audible { greeting, visitors, stages_ms, face_to_audible_ms, .. } => {
                let hello = self.served(greeting);
                // The event counts from the first face of those whom the greeting is for.
                let first_ms = visitors.iter().filter_map(|it| self.visitors.get(it)?.seen_ms).reduce(f64::min);
                let Some(audible_ms) = since_face else { return };
                let unseen_ms = (audible_ms - face_to_audible_ms).max(0.0);
                for visitor in visitors {
                    let visitor = self.of(visitor);
                    if visitor.audible_ms.is_none() {
                        visitor.audible_ms = since_face;
                        let later_ms = visitor.seen_ms.zip(first_ms).map_or(0.0, |(seen, first)| seen - first);
                        visitor.unseen_ms = unseen_ms + later_ms;
                        let recognise = stages_ms.recognise + unseen_ms;
                        visitor.stages_ms = Some([recognise, stages_ms.attend, stages_ms.speak]);
                    }
                    match hello {
                        true => visitor.heard_hello = true,
                        false => visitor.greeted_ms = visitor.greeted_ms.or(since_face),
                    }
                }
            }
            Event::GreetingEnded { greeting } => self.end(greeting),
            Event::Shown { greeting, .. } | Event::NotSaid { greeting, .. } => {
                self.served(greeting);
                self.end(greeting);
            }
            Event::Left { visitor } => self.of(visitor).gone = true,
            _ => {}
        }
    }

    /// Those whom the greeting is for need wait no longer, unless it is only a hello; says whether it is.
    fn served(&mut self, greeting: u64) -> bool {
        let Some(begun) = self.greetings.get(&greeting) else { return false };
        for visitor in begun.whom.iter().filter(|_| !begun.hello) {
            self.visitors.entry(*visitor).or_default().served = true;
        }
        begun.hello
    }

    fn end(&mut self, greeting: u64) {
        self.greetings.entry(greeting).and_modify(|begun| begun.ended = true);
    }

    /// Whether so many have been greeted.
    pub fn is_served(&self, faces: usize) -> bool {
        self.visitors.values().filter(|visitor| visitor.served).count() >= faces
    }

    /// Whether all have gone and everything has been said.
    pub fn is_over(&self) -> bool {
        !self.visitors.is_empty()
            && self.visitors.values().all(|visitor| visitor.gone)
            && self.greetings.values().all(|begun| begun.ended)
    }
}

impl Visitor {
    fn decide(&mut self, person: Option<RecordNumber>, unsure: bool, after_ms: f64) {
        (self.named, self.unsure, self.decided_ms) = (Some(person), unsure, Some(after_ms));
    }
}

impl Measured {
    /// Adds the visit of these people.
    pub fn add(&mut self, who: &[RecordNumber], visit: Visit) {
        let mut visitors: Vec<Visitor> = visit.visitors.into_values().collect();
        let named: Vec<RecordNumber> = visitors.iter().filter_map(|visitor| visitor.named?).collect();
        let unsure = visitors.iter().filter(|visitor| visitor.unsure).count();
        let right = who.iter().filter(|record| named.contains(record)).count();
        let mut left = who.len() - right;
        let mut of_those_left = |count: usize| {
            let count = count.min(left);
            left -= count;
            count
        };
        let (wrong, unsure) = (of_those_left(named.len() - right), of_those_left(unsure));
        for (sum, count) in self.outcomes.iter_mut().zip([right, wrong, unsure, left]) {
            *sum += count;
        }
        // Somebody who was lost and found again is told of twice: heard once, they count once.
        visitors.sort_by_key(|visitor| visitor.audible_ms.is_none());
        for visitor in visitors.into_iter().take(who.len()) {
            self.decided.extend(visitor.decided_ms.map(|decided| decided + visitor.unseen_ms));
            self.audible.extend(visitor.audible_ms);
            self.greeted.extend(visitor.greeted_ms);
            self.hellos += usize::from(visitor.heard_hello);
            for (series, value) in self.stages.iter_mut().zip(visitor.stages_ms.into_iter().flatten()) {
                series.push(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Stages, because};

    fn audible(greeting: u64, visitors: &[u64], face_to_audible_ms: f64) -> Event {
        let stages_ms = Stages { recognise: face_to_audible_ms, attend: 0.0, speak: 0.0 };
        let visitors = visitors.iter().map(|id| VisitorId(*id)).collect();
        Event::Audible { greeting, visitors, voice: "espeak".into(), face_to_audible_ms, stages_ms }
    }

    fn begun(greeting: u64, visitors: &[u64], hello: bool) -> Event {
        let visitors = visitors.iter().map(|id| VisitorId(*id)).collect();
        Event::GreetingStarted { greeting, visitors, people: Vec::new(), language: "en".into(), hello, again: false }
    }

    fn identified(visitor: u64, person: u64) -> Event {
        let because = because::tests::named();
        Event::Identified { visitor: VisitorId(visitor), person: RecordNumber(person), on_hold: false, because }
    }

    #[test]
    fn of_a_group_each_visitor_has_times_of_their_own() {
        let mut visit = Visit::default();
        visit.take(Event::FaceSeen { visitor: VisitorId(7) }, Some(100.0));
        visit.take(Event::FaceSeen { visitor: VisitorId(8) }, Some(180.0));
        visit.take(begun(1, &[7, 8], true), Some(250.0));
        visit.take(audible(1, &[7, 8], 320.0), Some(400.0));
        assert!(!visit.is_served(1), "a hello is no greeting");
        visit.take(identified(7, 1), Some(500.0));
        visit.take(identified(8, 2), Some(500.0));
        visit.take(begun(2, &[7], false), Some(600.0));
        visit.take(audible(2, &[7], 720.0), Some(800.0));
        assert!(visit.is_served(1) && !visit.is_served(2));
        visit.take(Event::GreetingEnded { greeting: 1 }, Some(900.0));
        visit.take(begun(3, &[8], false), Some(1000.0));
        visit.take(audible(3, &[8], 1100.0), Some(1200.0));
        assert!(visit.is_served(2));
        visit.take(Event::Left { visitor: VisitorId(7) }, None);
        visit.take(Event::Left { visitor: VisitorId(8) }, None);
        visit.take(Event::GreetingEnded { greeting: 2 }, None);
        assert!(!visit.is_over(), "one is still being told their way");
        visit.take(Event::GreetingEnded { greeting: 3 }, None);
        assert!(visit.is_over());
        let decided = because::tests::named().face_to_decision_ms;
        let mut measured = Measured::default();
        measured.add(&[RecordNumber(1), RecordNumber(2)], visit);
        assert_eq!((measured.outcomes, measured.hellos), ([2, 0, 0, 0], 2));
        assert_eq!(measured.decided, [decided + 80.0, decided + 160.0]);
        assert_eq!((measured.audible, measured.greeted), (vec![400.0, 400.0], vec![800.0, 1200.0]));
        assert_eq!(measured.stages[0], [400.0, 400.0]);
    }

    #[test]
    fn who_is_named_as_their_neighbour_is_named_wrongly_and_who_was_not_seen_is_a_stranger() {
        let mut visit = Visit::default();
        for (visitor, person) in [(1, 11), (2, 11)] {
            visit.take(identified(visitor, person), Some(300.0));
        }
        let mut measured = Measured::default();
        measured.add(&[11, 12, 13].map(RecordNumber), visit);
        assert_eq!(measured.outcomes, [1, 1, 0, 1]);
    }

    #[test]
    fn who_was_lost_and_found_again_counts_once() {
        let mut visit = Visit::default();
        visit.take(Event::FaceSeen { visitor: VisitorId(1) }, Some(100.0));
        visit.take(Event::Left { visitor: VisitorId(1) }, Some(200.0));
        visit.take(identified(2, 5), Some(700.0));
        visit.take(begun(1, &[2], false), Some(800.0));
        visit.take(audible(1, &[2], 300.0), Some(900.0));
        let mut measured = Measured::default();
        measured.add(&[RecordNumber(5)], visit);
        assert_eq!((measured.outcomes, measured.audible), ([1, 0, 0, 0], vec![900.0]));
    }
}
