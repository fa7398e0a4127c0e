//! Remembers who was greeted lately, so that nobody is greeted twice: the enrolled by their record, strangers by their face.
//!
//! Pure, and in memory only: a stranger's template is forgotten when the cool-down is over and never reaches the store.

use std::time::{Duration, Instant};

use crate::{face::Template, person::RecordNumber};

/// Two visits of one stranger are more alike than this; different people reach it about once in a thousand.
const SAME_VISITOR: f32 = 0.55;

struct Guest {
    person: Option<RecordNumber>,
    face: Option<Template>,
    last_here: Instant,
}

/// Who was greeted lately.
pub struct CoolDown {
    guests: Vec<Guest>,
    lasts: Duration,
}

impl CoolDown {
    /// Guests are remembered until they have been away for so long.
    pub fn new(lasts: Duration) -> Self {
        Self { guests: Vec::new(), lasts }
    }

    /// Notes that a visitor was greeted or, greeted before, is still here.
    pub fn note(&mut self, now: Instant, person: Option<RecordNumber>, face: Option<&Template>) {
        self.guests.retain(|guest| now.duration_since(guest.last_here) < self.lasts);
        match self.position(person, face) {
            Some(at) => self.guests[at].last_here = now,
            None if person.is_some() || face.is_some() => {
                self.guests.push(Guest { person, face: face.cloned(), last_here: now });
            }
            None => {}
        }
    }

    /// Whether this visitor was greeted within the cool-down.
    pub fn knows(&self, now: Instant, person: Option<RecordNumber>, face: Option<&Template>) -> bool {
        self.position(person, face).is_some_and(|at| now.duration_since(self.guests[at].last_here) < self.lasts)
    }

    fn position(&self, person: Option<RecordNumber>, face: Option<&Template>) -> Option<usize> {
        self.guests.iter().position(|guest| match (guest.person, person) {
            // Two records are two people, however alike.
            (Some(known), Some(person)) => known == person,
            _ => matches!((&guest.face, face), (Some(a), Some(b)) if similarity(a, b) >= SAME_VISITOR),
        })
    }
}

fn similarity(a: &Template, b: &Template) -> f32 {
    a.0.iter().zip(&b.0).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_remembered_by_face_and_then_forgotten() {
        let start = Instant::now();
        let mut lately = CoolDown::new(Duration::from_secs(600));
        let (face, other) = (Template(vec![1.0, 0.0]), Template(vec![0.0, 1.0]));
        lately.note(start, None, Some(&face));
        assert!(lately.knows(start + Duration::from_secs(60), None, Some(&face)));
        assert!(!lately.knows(start + Duration::from_secs(60), None, Some(&other)));
        assert!(!lately.knows(start + Duration::from_secs(600), None, Some(&face)));
    }

    #[test]
    fn siblings_who_are_both_enrolled_are_two_guests() {
        let start = Instant::now();
        let mut lately = CoolDown::new(Duration::from_secs(600));
        let face = Template(vec![1.0, 0.0]);
        lately.note(start, Some(RecordNumber(1)), Some(&face));
        assert!(!lately.knows(start, Some(RecordNumber(2)), Some(&face)));
        assert!(lately.knows(start, Some(RecordNumber(1)), None));
    }

    #[test]
    fn somebody_greeted_by_name_is_not_greeted_again_as_a_stranger() {
        let start = Instant::now();
        let mut lately = CoolDown::new(Duration::from_secs(600));
        let face = Template(vec![1.0, 0.0]);
        lately.note(start, Some(RecordNumber(1)), Some(&face));
        assert!(lately.knows(start, None, Some(&face)));
    }
}
