//! Whom the hall greets when the loudspeaker is free, and when it falls silent because nobody listens any more.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use super::{
    VisitorId,
    hall::{Answer, Enrolled, Hall},
    rules::FirstAnswer,
    turn::{Guest, Heard, Kind, Listener, Say, Saying},
    visitor::{Phase, Visitor},
};
use crate::{
    gallery::{NonMates, decision::Decision},
    person::{Language, RecordNumber},
};

/// How long a name waits for a view that shows its owner; then they are greeted without it.
const NAME_WAITS: Duration = Duration::from_millis(800);
/// A listener not seen for so long has left; they may have turned round.
const LEFT_AFTER: Duration = Duration::from_millis(700);
/// A greeting that has not begun is not begun for whoever has been out of sight for so long.
const GONE_AFTER: Duration = Duration::from_millis(150);
/// Somebody new in a listener's place may be the listener, as long as no view of them says otherwise.
const MAY_BE: Duration = Duration::from_millis(600);
const IN_PLACE: f32 = 2.5;
/// Of several people, who is nearly recognised is looked at for so much longer: a name may still come.
const UNSURE_WAITS: Duration = Duration::from_millis(150);
/// Of several people whoever strolls is greeted when they have stopped for so long, with the others ...
const STOPPED_FOR: Duration = Duration::from_millis(150);
/// ... or when they have waited for so long.
const STROLLS_FOR: Duration = Duration::from_millis(2500);
/// From so many people on who wait a greeting is short, and also when somebody has waited for so long.
const MANY: usize = 4;
const LONG_WAIT: Duration = Duration::from_millis(2500);
/// The share of different people whom one view may take for a listener.
const LISTENER_FMR: f64 = 0.01;
/// What answers a visitor before the decision counts as heard for so long.
const HELLO_HOLDS: Duration = Duration::from_secs(6);

/// Somebody who may be greeted now.
struct Ready {
    at: usize,
    since: Instant,
    person: Option<RecordNumber>,
    language: Language,
}

impl Hall {
    /// Says what is to be said now, and ends what nobody listens to.
    pub(super) fn greet(&mut self, now: Instant, enrolled: &dyn Enrolled) {
        if let Some(id) = self.turn.lost(now) {
            self.over(now, id, false, &enrolled.demands().non_mates);
        }
        self.attend_listeners(now, enrolled);
        if !self.turn.is_free(now) {
            return;
        }
        let ready = self.ready(now, enrolled);
        let is_ready = |at: usize| ready.iter().any(|it| it.at == at);
        let undecided =
            self.visitors.iter().enumerate().any(|(at, it)| it.in_sight && it.is_awaited() && !is_ready(at));
        let waited = ready.iter().any(|it| now.saturating_duration_since(it.since) >= self.rules.group_wait);
        match (ready.is_empty(), undecided) {
            (false, true) if !waited => {}
            (false, _) => self.say_greeting(now, &ready),
            (true, true) => self.answer_first(now, &enrolled.demands().non_mates),
            // Whoever was told already comes after everybody who was not.
            (true, false) => self.say_way(now, enrolled),
        }
    }

    /// Everybody who waits and about whom it is decided who they are, who waits longest first.
    fn ready(&self, now: Instant, enrolled: &dyn Enrolled) -> Vec<Ready> {
        let mut ready: Vec<Ready> = Vec::new();
        // Whoever is covered for a moment by the one who walks in front of them is company, too.
        let in_company = self.visitors.iter().filter(|visitor| visitor.is_to_be_greeted()).count() > 1;
        for (at, visitor) in self.visitors.iter().enumerate().filter(|(_, visitor)| visitor.found_at == now) {
            let (Some(waits), Some(decided)) = (visitor.waits_since(), visitor.decided_at) else { continue };
            // While it is being decided anew, nothing is decided.
            let Some(verdict) = visitor.verdict.filter(|_| !visitor.is_odd()) else { continue };
            let is_new = now.saturating_duration_since(decided) < UNSURE_WAITS;
            if in_company && is_new && verdict.decision == Decision::Unsure {
                continue;
            }
            let strolled_at = visitor.motion.strolled_at().filter(|_| in_company);
            let stopped = strolled_at.is_none_or(|at| now.saturating_duration_since(at) >= STOPPED_FOR);
            if !stopped && now.saturating_duration_since(waits) < STROLLS_FOR {
                continue;
            }
            let since = waits.max(decided.min(now)).max(strolled_at.unwrap_or(waits));
            let whose = visitor.person().filter(|_| !self.claimed.contains(&visitor.id));
            let named = whose.filter(|person| enrolled.may_be_named(*person));
            let vouched = visitor.is_vouched_for(now);
            if named.is_some() && !vouched && visitor.doubted_for(now) < NAME_WAITS {
                continue;
            }
            let person = named.filter(|_| vouched);
            let about = person.and_then(|person| enrolled.about(person));
            let language = about.and_then(|about| about.language).unwrap_or_else(|| self.rules.language.clone());
            ready.push(Ready { at, since, person, language });
        }
        ready.sort_by_key(|it| self.visitors[it.at].waits_since());
        ready
    }

    fn say_greeting(&mut self, now: Instant, ready: &[Ready]) {
        let language = ready[0].language.clone();
        let guests: Vec<&Ready> = ready.iter().filter(|it| it.language == language).collect();
        let waiting = self.visitors.iter().filter(|it| it.in_sight && it.waits_since().is_some()).count();
        let longest =
            self.visitors[ready[0].at].waits_since().map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let brief = waiting >= MANY || longest >= LONG_WAIT;
        let heard = |it: &&Ready| {
            let visitor = &self.visitors[it.at];
            let lately = |at: Instant| now.saturating_duration_since(at) < HELLO_HOLDS;
            visitor.hello_at.as_ref().is_some_and(|(at, said)| *said == language && lately(*at))
        };
        let after_hello = guests.iter().all(heard);
        let people: Vec<(usize, Option<RecordNumber>)> = guests.iter().map(|it| (it.at, it.person)).collect();
        let id = self.say(now, Kind::Greeting, language, &people, after_hello, brief);
        for (at, _) in people {
            if let Phase::Waiting { since } = self.visitors[at].phase {
                self.visitors[at].phase = Phase::Addressed { since, by: id };
            }
        }
    }

    /// Whoever came back and looks at the robot hears the way again.
    fn say_way(&mut self, now: Instant, enrolled: &dyn Enrolled) {
        let asks = |visitor: &Visitor| match visitor.phase {
            Phase::Returning { looks_since: Some(since), asks: Some(after) } => {
                visitor.found_at == now && !visitor.is_odd() && now.saturating_duration_since(since) >= after
            }
            _ => false,
        };
        let Some(at) = self.visitors.iter().position(asks) else { return };
        let visitor = &self.visitors[at];
        let whose = visitor.person().filter(|person| visitor.is_vouched_for(now) && enrolled.may_be_named(*person));
        let about = whose.and_then(|person| enrolled.about(person));
        let language = about.and_then(|about| about.language).unwrap_or_else(|| self.rules.language.clone());
        self.say(now, Kind::Way, language, &[(at, whose)], false, true);
        if let Phase::Returning { asks, .. } = &mut self.visitors[at].phase {
            *asks = None;
        }
    }

    /// Nobody who looks at the robot stands there without an answer while it is decided who they are.
    fn answer_first(&mut self, now: Instant, non_mates: &NonMates) {
        let Some((answer, after)) = self.rules.first_answer else { return };
        let waits = |visitor: &Visitor| {
            let long_enough = visitor.waits_since().is_some_and(|at| now.saturating_duration_since(at) >= after);
            visitor.in_sight && visitor.verdict.is_none() && visitor.hello_at.is_none() && long_enough
        };
        let mut waiting: Vec<usize> = (0..self.visitors.len()).filter(|at| waits(&self.visitors[*at])).collect();
        let seen = self.seen();
        waiting.retain(|at| self.lately.guest(now, &self.visitors[*at].traits(), non_mates, &seen).is_none());
        if waiting.is_empty() {
            return;
        }
        // All who are there hear it, also who has not looked for quite as long.
        let everybody: Vec<usize> = (0..self.visitors.len())
            .filter(|at| {
                let visitor = &self.visitors[*at];
                waiting.contains(at)
                    || visitor.in_sight && visitor.hello_at.is_none() && visitor.waits_since().is_some()
            })
            .collect();
        match answer {
            FirstAnswer::Hello => {
                let people: Vec<(usize, Option<RecordNumber>)> = everybody.iter().map(|at| (*at, None)).collect();
                self.say(now, Kind::Hello, self.rules.language.clone(), &people, false, true);
            }
            FirstAnswer::Chime => {
                self.answers.push(Answer::Chime);
                for at in everybody {
                    // It says nothing in any language.
                    self.visitors[at].hello_at = Some((now, Language::from("")));
                }
            }
        }
    }

    fn say(
        &mut self,
        now: Instant,
        kind: Kind,
        language: Language,
        people: &[(usize, Option<RecordNumber>)],
        after_hello: bool,
        brief: bool,
    ) -> u64 {
        let mut guests = Vec::new();
        for &(at, person) in people {
            let told = person.and_then(|person| self.lately.today(person)).and_then(|guest| guest.way.clone());
            guests.push(Guest { visitor: self.visitors[at].id, person, told });
        }
        let visitors = || people.iter().map(|(at, _)| &self.visitors[*at]);
        let face_at = visitors().filter_map(|visitor| visitor.face_at).min().unwrap_or(now);
        let decided_at = match kind {
            Kind::Hello => face_at,
            _ => visitors().filter_map(|visitor| visitor.decided_at).max().unwrap_or(face_at),
        };
        let listener = |(visitor, guest): (&Visitor, &Guest)| Listener {
            guest: guest.clone(),
            traits: visitor.traits(),
            here_at: now,
            replaced: false,
            way: None,
        };
        let listeners = visitors().zip(&guests).map(listener).collect();
        let id = self.turn.number();
        let waited = visitors().filter_map(Visitor::waits_since).any(|since| self.turn.was_busy_at(since));
        let say = Say { id, kind, language, guests, after_hello, brief, rush: waited, face_at, decided_at };
        self.turn.begin(now, &say, listeners);
        self.answers.push(Answer::Say(say));
        id
    }

    /// Ends what is said to people who are not there any more, or by a name that must not be said.
    fn attend_listeners(&mut self, now: Instant, enrolled: &dyn Enrolled) {
        let bar = enrolled.demands().non_mates.score_at(LISTENER_FMR);
        let visitors = &mut self.visitors;
        let Some(saying) = self.turn.saying() else { return };
        let begun = saying.begun;
        for listener in &mut saying.listeners {
            let number = listener.guest.visitor;
            let them = visitors.iter().find(|visitor| visitor.id == number);
            let recently = |visitor: &&Visitor| now.saturating_duration_since(visitor.found_at) <= GONE_AFTER;
            if let Some(visitor) = them.filter(recently) {
                listener.here_at = visitor.found_at;
                listener.traits.face = visitor.template().cloned().or(listener.traits.face.take());
            } else if begun && let Some(again) = visitors.iter_mut().find(|it| may_be(now, it, listener, bar)) {
                listener.here_at = now;
                if again.template().is_some() {
                    // It is them: what is being said goes on for this sight of them.
                    listener.guest.visitor = again.id;
                }
            }
            if let Some(again) = visitors.iter_mut().find(|it| it.id == listener.guest.visitor)
                && let Phase::Returning { asks, .. } = &mut again.phase
                && saying.kind != Kind::Way
            {
                *asks = None;
            }
        }
        let may_not = |listener: &Listener| listener.guest.person.is_some_and(|person| !enrolled.may_be_named(person));
        let misnamed = saying.listeners.iter().any(may_not);
        let at_once = if begun {
            let gone = |it: &Listener| it.replaced || now.saturating_duration_since(it.here_at) > LEFT_AFTER;
            if !misnamed && !saying.listeners.iter().all(gone) {
                return;
            }
            misnamed
        } else {
            // Who is called by name must be there when it begins; who is not, at least one of them.
            let gone = |it: &Listener| it.replaced || now.saturating_duration_since(it.here_at) > GONE_AFTER;
            let doubtful = |it: &Listener| {
                let them = visitors.iter().find(|visitor| visitor.id == it.guest.visitor);
                them.is_none_or(|visitor| visitor.is_odd() || !visitor.is_vouched_for(now))
            };
            let named = |it: &&Listener| it.guest.person.is_some() && saying.kind == Kind::Greeting;
            let misses = saying.listeners.iter().filter(named).any(|it| gone(it) || doubtful(it));
            if !misnamed && !misses && !saying.listeners.iter().all(gone) {
                return;
            }
            true
        };
        if !std::mem::replace(&mut saying.hushed, true) {
            let id = saying.id;
            self.answers.push(Answer::Hush { id, at_once });
        }
    }

    /// Somebody else stands where this visitor was.
    pub(super) fn replace(&mut self, id: VisitorId) {
        let Some(saying) = self.turn.saying() else { return };
        saying.listeners.iter_mut().filter(|it| it.guest.visitor == id).for_each(|it| it.replaced = true);
    }

    /// See [`Hall::hear`].
    pub(super) fn heard(&mut self, now: Instant, heard: Heard, non_mates: &NonMates) {
        match heard {
            Heard::Worded { id, mut ways, left_out } => {
                let Some(saying) = self.turn.this(id) else { return };
                saying.listeners.retain(|listener| !left_out.contains(&listener.guest.visitor));
                for listener in &mut saying.listeners {
                    listener.way = ways.remove(&listener.guest.visitor);
                }
                self.wait_again(&left_out.into_iter().collect(), id);
            }
            Heard::Begun { id } => self.begun(now, id, non_mates),
            Heard::Over { id, whole } => self.over(now, id, whole, non_mates),
        }
    }

    fn begun(&mut self, now: Instant, id: u64, non_mates: &NonMates) {
        let Some(saying) = self.turn.this(id).filter(|saying| !saying.begun) else { return };
        saying.begun = true;
        let (kind, language) = (saying.kind, saying.language.clone());
        for listener in saying.listeners.clone() {
            let visitor = self.visitors.iter_mut().find(|visitor| visitor.id == listener.guest.visitor);
            match (kind, visitor) {
                (Kind::Hello, Some(visitor)) => visitor.hello_at = Some((now, language.clone())),
                (Kind::Greeting, visitor) => {
                    if let Some(visitor) = visitor
                        && let Phase::Addressed { .. } = visitor.phase
                    {
                        visitor.phase = Phase::Told;
                    }
                    let guest = self.lately.note(now, listener.guest.visitor, listener.traits, non_mates);
                    (guest.way, guest.heard_all) = (listener.way.or(guest.way.take()), false);
                }
                (Kind::Hello, None) | (Kind::Way, _) => {}
            }
        }
    }

    fn over(&mut self, now: Instant, id: u64, whole: bool, non_mates: &NonMates) {
        let Some(Saying { kind, listeners, begun, .. }) = self.turn.end(now, id) else { return };
        for listener in &listeners {
            let here = now.saturating_duration_since(listener.here_at) <= LEFT_AFTER && !listener.replaced;
            if kind != Kind::Hello && begun && whole && here {
                let guest = self.lately.note(now, listener.guest.visitor, listener.traits.clone(), non_mates);
                guest.heard_all = true;
            }
            if kind == Kind::Way && !begun {
                let visitor = self.visitors.iter_mut().find(|visitor| visitor.id == listener.guest.visitor);
                if let Some(Phase::Returning { asks, .. }) = visitor.map(|visitor| &mut visitor.phase) {
                    *asks = Some(super::hall::ASKS_AFTER);
                }
            }
        }
        if !begun {
            let visitors = listeners.iter().map(|listener| listener.guest.visitor).collect();
            self.wait_again(&visitors, id);
        }
    }

    /// These heard nothing of it.
    fn wait_again(&mut self, visitors: &BTreeSet<VisitorId>, id: u64) {
        for visitor in self.visitors.iter_mut().filter(|visitor| visitors.contains(&visitor.id)) {
            if let Phase::Addressed { since, by } = visitor.phase
                && by == id
            {
                visitor.phase = Phase::Waiting { since };
            }
        }
    }
}

/// Whether somebody who came into sight after a listener went out of it may be that listener.
fn may_be(now: Instant, visitor: &Visitor, listener: &Listener, bar: f32) -> bool {
    if !visitor.in_sight || visitor.id <= listener.guest.visitor || listener.replaced {
        return false;
    }
    if visitor.person().is_some() && listener.guest.person.is_some() {
        return visitor.person() == listener.guest.person;
    }
    match (visitor.template(), &listener.traits.face) {
        (Some(view), Some(face)) => view.score(face) >= bar,
        _ => {
            let new = visitor.age(now) < MAY_BE;
            let (Some((a, size)), Some((b, _))) = (visitor.traits().place, listener.traits.place) else { return false };
            new && (a.x - b.x).hypot(a.y - b.y) < IN_PLACE * size
        }
    }
}
