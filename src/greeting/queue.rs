//! Which utterance is said next, and which one has to be silent for it. Pure.
//!
//! What matters more comes first, and what was asked for first among equals. Something more important silences what is being said; among equals
//! nobody is interrupted, because the visitor before is still being told where to go. What nobody listens to any more is hushed: it is not
//! begun, or ends with its phrase. What was silenced is not said again: its rest would not be understood.

use std::{fmt, time::Instant};

use super::utterance::{Priority, Utterance};

/// Utterances that may wait. When one more comes, the least important is dropped, and of these the oldest: the newest visitor is the one who is
/// there.
pub(super) const PLACES: usize = 8;

/// Why an utterance was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// Its `not_after` had passed.
    TooLate,
    /// Its visitors have left, or must not be called so any more.
    NobodyThere,
    /// Something more important was to be said.
    Interrupted,
    /// Newer ones needed its place in the queue.
    QueueFull,
    /// `Speech::stop`, or the end of the program.
    Stopped,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLate => "too late to be said",
            Self::NobodyThere => "its visitor has left",
            Self::Interrupted => "something more important was to be said",
            Self::QueueFull => "too much to say",
            Self::Stopped => "stopped",
        })
    }
}

/// What waits, and what is being said.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Vec<Utterance>,
    current: Option<Current>,
}

struct Current {
    id: u64,
    priority: Priority,
    begun: bool,
    silenced: Option<Dropped>,
}

/// What follows from a change.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Of those that waited.
    pub dropped: Vec<(u64, Dropped)>,
    /// Whether what is being said is to be silenced now.
    pub silence: bool,
    /// Whether it is to end with its phrase.
    pub last_phrase: bool,
}

impl Queue {
    /// One more to say.
    pub fn push(&mut self, utterance: Utterance) -> Outcome {
        self.waiting.push(utterance);
        let mut outcome = Outcome { silence: self.give_way(), ..Outcome::default() };
        if self.waiting.len() > PLACES {
            let least = self.waiting.iter().map(|waiting| waiting.priority).min();
            let oldest = self.waiting.iter().position(|waiting| Some(waiting.priority) == least);
            outcome.dropped = oldest.map(|at| (self.waiting.remove(at).id, Dropped::QueueFull)).into_iter().collect();
        }
        outcome
    }

    /// Nobody is to hear more of an utterance than the phrase that is heard now, or not even that.
    pub fn hush(&mut self, id: u64, at_once: bool) -> Outcome {
        let gone = |utterance: &Utterance| (utterance.id == id).then_some((id, Dropped::NobodyThere));
        let dropped = self.waiting.iter().filter_map(gone).collect();
        self.waiting.retain(|utterance| utterance.id != id);
        let begun = match self.current.as_ref().filter(|current| current.id == id) {
            Some(current) => current.begun,
            None => return Outcome { dropped, ..Outcome::default() },
        };
        let hushed = self.silence(Dropped::NobodyThere);
        Outcome { dropped, silence: hushed && (at_once || !begun), last_phrase: hushed && begun && !at_once }
    }

    /// Nothing more is to be said.
    pub fn clear(&mut self) -> Outcome {
        let dropped = self.waiting.drain(..).map(|waiting| (waiting.id, Dropped::Stopped)).collect();
        Outcome { dropped, silence: self.silence(Dropped::Stopped), last_phrase: false }
    }

    /// What to say now; only when nothing is being said. What is too late by now is dropped.
    pub fn next(&mut self, now: Instant) -> (Option<Utterance>, Vec<(u64, Dropped)>) {
        let late = |utterance: &Utterance| utterance.not_after.is_some_and(|late| now > late);
        let dropped = self.waiting.iter().filter(|waiting| late(waiting)).map(|it| (it.id, Dropped::TooLate)).collect();
        self.waiting.retain(|waiting| !late(waiting));
        let most = self.waiting.iter().map(|waiting| waiting.priority).max();
        let first = self.waiting.iter().position(|waiting| Some(waiting.priority) == most);
        let next = first.map(|at| self.waiting.remove(at));
        self.current = next.as_ref().map(|utterance| Current {
            id: utterance.id,
            priority: utterance.priority,
            begun: false,
            silenced: None,
        });
        (next, dropped)
    }

    /// What is being said is heard now.
    pub fn begun(&mut self) {
        if let Some(current) = &mut self.current {
            current.begun = true;
        }
    }

    /// It is over. Why it was silenced, if it was.
    pub fn over(&mut self) -> Option<Dropped> {
        self.current.take().and_then(|current| current.silenced)
    }

    /// Whether anything is being said.
    pub fn is_speaking(&self) -> bool {
        self.current.is_some()
    }

    /// Silences what is being said if anything that waits has the right to it.
    fn give_way(&mut self) -> bool {
        let Some(current) = &self.current else { return false };
        let most = self.waiting.iter().map(|waiting| waiting.priority).max();
        let why = match most {
            Some(most) if most > current.priority => Dropped::Interrupted,
            _ => return false,
        };
        self.silence(why)
    }

    fn silence(&mut self, why: Dropped) -> bool {
        match &mut self.current {
            Some(current) if current.silenced.is_none() => {
                current.silenced = Some(why);
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn greeting(id: u64) -> Utterance {
        Utterance::new(id, "en".into(), "Good morning.")
    }

    fn urgent(id: u64) -> Utterance {
        Utterance { priority: Priority::Urgent, ..greeting(id) }
    }

    fn aside(id: u64) -> Utterance {
        Utterance { priority: Priority::Aside, ..greeting(id) }
    }

    fn queue(utterances: impl IntoIterator<Item = Utterance>) -> Queue {
        let mut queue = Queue::default();
        utterances.into_iter().for_each(|utterance| assert_eq!(queue.push(utterance), Outcome::default()));
        queue
    }

    fn next(queue: &mut Queue) -> Option<u64> {
        queue.next(Instant::now()).0.map(|utterance| utterance.id)
    }

    #[test]
    fn what_matters_more_comes_first_and_among_equals_who_came_first() {
        let mut queue = queue([aside(1), greeting(2), greeting(3), urgent(4)]);
        let order: Vec<_> = std::iter::from_fn(|| next(&mut queue)).collect();
        assert_eq!(order, [4, 2, 3, 1]);
    }

    #[test]
    fn a_visitor_who_is_being_told_the_way_is_not_interrupted_by_the_next_visitors_greeting() {
        let mut queue = queue([greeting(1)]);
        assert_eq!(next(&mut queue), Some(1));
        queue.begun();
        assert!(!queue.push(greeting(2)).silence);
        assert!(queue.push(urgent(3)).silence, "but by what cannot wait");
        assert!(!queue.push(urgent(4)).silence, "once is enough");
        assert_eq!(queue.over(), Some(Dropped::Interrupted));
        assert_eq!([next(&mut queue), next(&mut queue), next(&mut queue)], [Some(3), Some(4), Some(2)]);
    }

    #[test]
    fn a_greeting_is_not_begun_when_its_visitor_has_left() {
        let mut queue = queue([greeting(1), greeting(2)]);
        assert_eq!(queue.hush(2, false).dropped, [(2, Dropped::NobodyThere)]);
        assert_eq!(next(&mut queue), Some(1));
        assert!(queue.hush(1, false).silence, "it is on its way to the loudspeaker and has not begun");
        assert_eq!(queue.over(), Some(Dropped::NobodyThere));
        assert_eq!(next(&mut queue), None);
        assert_eq!(queue.hush(7, false), Outcome::default());
    }

    #[test]
    fn a_greeting_that_nobody_listens_to_ends_with_its_phrase_and_a_wrong_name_at_once() {
        let speaking = || {
            let mut queue = queue([greeting(1)]);
            next(&mut queue);
            queue.begun();
            queue
        };
        let (mut left, mut wrong) = (speaking(), speaking());
        let outcome = left.hush(1, false);
        assert!(outcome.last_phrase && !outcome.silence);
        assert_eq!(left.hush(1, false), Outcome::default(), "once is enough");
        let outcome = wrong.hush(1, true);
        assert!(outcome.silence && !outcome.last_phrase);
    }

    #[test]
    fn a_greeting_whose_time_has_passed_is_dropped() {
        let now = Instant::now();
        let until = |id, not_after| Utterance { not_after: Some(not_after), ..greeting(id) };
        let mut queue = queue([until(1, now), until(2, now + Duration::from_secs(2)), greeting(3)]);
        let (said, dropped) = queue.next(now + Duration::from_secs(1));
        assert_eq!((said.map(|it| it.id), dropped), (Some(2), vec![(1, Dropped::TooLate)]));
    }

    #[test]
    fn when_too_many_wait_the_oldest_of_the_least_important_is_dropped() {
        let mut queue = queue((1..=PLACES as u64 - 2).map(greeting).chain([aside(98), urgent(99)]));
        assert_eq!(queue.push(greeting(20)).dropped, [(98, Dropped::QueueFull)]);
        assert_eq!(queue.push(greeting(21)).dropped, [(1, Dropped::QueueFull)]);
        assert_eq!(queue.push(aside(22)).dropped, [(22, Dropped::QueueFull)]);
        assert_eq!(next(&mut queue), Some(99));
    }

    #[test]
    fn stopping_drops_everything_and_silences_what_is_being_said() {
        let mut queue = queue([greeting(1), greeting(2)]);
        next(&mut queue);
        assert_eq!(queue.clear(), Outcome { dropped: vec![(2, Dropped::Stopped)], silence: true, last_phrase: false });
        assert!(queue.is_speaking() && queue.waiting.is_empty());
        assert_eq!(queue.over(), Some(Dropped::Stopped));
        assert!(!queue.is_speaking());
    }
}
