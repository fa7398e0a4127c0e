//! How somebody is answered who looks at the robot while it is still being decided who they are. Pure.
//!
//! A hello needs no name. It is heard at once, and while it is heard the decision is made; the greeting that follows does not say it again.

use std::time::{Duration, Instant};

use crate::{config::GreetingSettings, person::Language};

/// Answers are at least so far apart: a group is not answered one by one, and has heard the hello together.
const HOLDS: Duration = Duration::from_secs(3);
/// Two frames: a decision that comes in one of them is worth more than a hello before it.
const HELLO_AFTER: Duration = Duration::from_millis(60);
/// Earlier the greeting itself answers them, and would cut the chime off.
const CHIME_AFTER: Duration = Duration::from_millis(120);

/// What answers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A spoken hello.
    Hello,
    /// A sound.
    Chime,
}

/// The answers given so far.
pub struct Answers {
    way: Option<Answer>,
    answered_at: Option<Instant>,
    hello_in: Option<Language>,
}

impl Answers {
    /// None so far.
    pub fn new(settings: &GreetingSettings) -> Self {
        let way = match settings {
            GreetingSettings { hello_first: true, .. } => Some(Answer::Hello),
            GreetingSettings { chime: true, .. } => Some(Answer::Chime),
            _ => None,
        };
        Self { way, answered_at: None, hello_in: None }
    }

    /// How long somebody has waited before they are answered.
    pub fn after(&self) -> Duration {
        if self.way == Some(Answer::Chime) { CHIME_AFTER } else { HELLO_AFTER }
    }

    /// How to answer somebody who waits now, if at all. Not while the robot is `speaking`: then it is heard anyway, and a hello would come late.
    pub fn answer(&mut self, now: Instant, speaking: bool) -> Option<Answer> {
        let lately = self.answered_at.is_some_and(|at| now.duration_since(at) < HOLDS);
        let way = self.way.filter(|_| !speaking && !lately)?;
        self.answered_at = Some(now);
        Some(way)
    }

    /// A hello is being said in this language.
    pub fn said_hello(&mut self, language: Language) {
        self.hello_in = Some(language);
    }

    /// The language in which those who are greeted now have just heard a hello.
    pub fn heard_hello_in(&self, now: Instant) -> Option<&Language> {
        let lately = self.answered_at.is_some_and(|at| now.duration_since(at) < HOLDS);
        self.hello_in.as_ref().filter(|_| lately)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_hears_one_hello_and_the_next_visitors_another() {
        let mut answers = Answers::new(&GreetingSettings::default());
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(answers.heard_hello_in(start), None);
        assert_eq!(answers.answer(at(0), false), Some(Answer::Hello));
        answers.said_hello("en".into());
        assert_eq!(answers.answer(at(400), false), None);
        assert_eq!(answers.heard_hello_in(at(900)), Some(&"en".into()));
        assert_eq!(answers.heard_hello_in(at(3_000)), None, "what was said to others is no hello to these");
        assert_eq!(answers.answer(at(3_000), false), Some(Answer::Hello));
    }

    #[test]
    fn nobody_is_answered_into_what_is_being_said_to_somebody_else() {
        let mut answers = Answers::new(&GreetingSettings::default());
        assert_eq!(answers.answer(Instant::now(), true), None);
        assert_eq!(answers.answer(Instant::now(), false), Some(Answer::Hello));
    }

    #[test]
    fn without_hello_it_is_the_chime_and_without_that_nothing() {
        let chime = GreetingSettings { hello_first: false, ..GreetingSettings::default() };
        assert_eq!(Answers::new(&chime).answer(Instant::now(), false), Some(Answer::Chime));
        assert!(Answers::new(&chime).after() > Answers::new(&GreetingSettings::default()).after());
        let nothing = GreetingSettings { chime: false, ..chime };
        assert_eq!(Answers::new(&nothing).answer(Instant::now(), false), None);
    }
}
