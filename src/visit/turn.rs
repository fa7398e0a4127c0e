//! Whose turn it is: what is being said to whom, and when it is to end.
//!
//! One thing is said at a time, and what is said next is chosen when the loudspeaker is free, of those who stand there then: so nothing waits in a
//! queue while its visitors leave, whoever came meanwhile is greeted with the others, and the queue is never longer than what people wait for.
//!
//! Pure: time is a value.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{VisitorId, lately::Traits};
use crate::person::{Language, RecordNumber};

/// A greeting that has not begun after so long, and of which nothing was heard, is lost: its visitors are greeted anew.
const BEGINS_WITHIN: Duration = Duration::from_secs(20);
/// Nothing that is said takes longer.
const ENDS_WITHIN: Duration = Duration::from_secs(60);
/// After a greeting of which nothing was heard the next one waits a little: a voice that fails fails at once.
const REST: Duration = Duration::from_millis(300);

/// What is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A hello, before it is decided who they are.
    Hello,
    /// A greeting with the way.
    Greeting,
    /// The way again, without a greeting.
    Way,
}

/// Somebody to whom something is said.
#[derive(Debug, Clone, PartialEq)]
pub struct Guest {
    /// Their number.
    pub visitor: VisitorId,
    /// By whose record they are named or sent; absent for whoever is not to be named.
    pub person: Option<RecordNumber>,
    /// The way that they were told earlier that day.
    pub told: Option<String>,
}

/// Something to say, now.
#[derive(Debug, Clone, PartialEq)]
pub struct Say {
    /// Its number.
    pub id: u64,
    /// What.
    pub kind: Kind,
    /// In which language.
    pub language: Language,
    /// To whom, who waits longest first.
    pub guests: Vec<Guest>,
    /// Whether all of them have just heard a hello.
    pub after_hello: bool,
    /// Whether many wait, so that it should be short.
    pub brief: bool,
    /// Whether people have waited for the loudspeaker, so that it must not be long: who is not in it is next.
    pub rush: bool,
    /// When the first frame with a usable face of one of them was captured.
    pub face_at: Instant,
    /// When it was decided who the last of them is; `face_at` for a hello.
    pub decided_at: Instant,
}

/// What became of something to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// It was put into words: which way each guest is told, and who is not in it because it would have taken too long.
    Worded {
        /// Its number.
        id: u64,
        /// As the host calls it.
        ways: BTreeMap<VisitorId, String>,
        /// They wait for the next turn.
        left_out: Vec<VisitorId>,
    },
    /// It began to sound, or is shown.
    Begun {
        /// Its number.
        id: u64,
    },
    /// It is over, whether or not anything of it was heard.
    Over {
        /// Its number.
        id: u64,
        /// Whether it was said or shown to its end.
        whole: bool,
    },
}

/// A guest as they were when it was handed over. They are a person and not a sight: who turned away and back still listens.
#[derive(Debug, Clone)]
pub struct Listener {
    /// As the host knows them, by the number that they have now.
    pub guest: Guest,
    /// What they are known again by.
    pub traits: Traits,
    /// When they were last in sight.
    pub here_at: Instant,
    /// Whether somebody else stands where they were.
    pub replaced: bool,
    /// The way that they are told.
    pub way: Option<String>,
}

/// What is being said.
#[derive(Debug)]
pub struct Saying {
    /// Its number.
    pub id: u64,
    /// What.
    pub kind: Kind,
    /// In which language.
    pub language: Language,
    /// To whom.
    pub listeners: Vec<Listener>,
    /// Whether anything of it was heard.
    pub begun: bool,
    /// Whether it was asked to end.
    pub hushed: bool,
    handed_at: Instant,
}

/// The loudspeaker as the hall knows it.
#[derive(Debug, Default)]
pub struct Turn {
    saying: Option<Saying>,
    last: u64,
    rests_until: Option<Instant>,
    ended_at: Option<Instant>,
}

impl Turn {
    /// Whether something may be said now.
    pub fn is_free(&self, now: Instant) -> bool {
        self.saying.is_none() && self.rests_until.is_none_or(|until| now >= until)
    }

    /// Whether something was still being said then.
    pub fn was_busy_at(&self, then: Instant) -> bool {
        self.ended_at.is_some_and(|ended| then < ended)
    }

    /// The number of the next thing to say.
    pub fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// It was handed over.
    pub fn begin(&mut self, now: Instant, say: &Say, listeners: Vec<Listener>) {
        self.saying = Some(Saying {
            id: say.id,
            kind: say.kind,
            language: say.language.clone(),
            listeners,
            begun: false,
            hushed: false,
            handed_at: now,
        });
    }

    /// What is being said.
    pub fn saying(&mut self) -> Option<&mut Saying> {
        self.saying.as_mut()
    }

    /// What is being said, if it is this.
    pub fn this(&mut self, id: u64) -> Option<&mut Saying> {
        self.saying.as_mut().filter(|saying| saying.id == id)
    }

    /// It is over.
    pub fn end(&mut self, now: Instant, id: u64) -> Option<Saying> {
        let over = self.saying.take_if(|saying| saying.id == id)?;
        self.ended_at = Some(now);
        self.rests_until = (!over.begun).then(|| now + REST);
        Some(over)
    }

    /// What was handed over so long ago that its end must have been lost.
    pub fn lost(&self, now: Instant) -> Option<u64> {
        let saying = self.saying.as_ref()?;
        let longest = if saying.begun { ENDS_WITHIN } else { BEGINS_WITHIN };
        (now.saturating_duration_since(saying.handed_at) > longest).then_some(saying.id)
    }
}
