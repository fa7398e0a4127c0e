//! The host stage: receives what the vision stage saw, and greets.
//!
//! It keeps the hall's state, finds each guest's counter, puts the greeting into words, hands it to the voice and tells the journal.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use crossbeam::channel::{Receiver, Sender};
use jiff::civil::DateTime;

use super::{
    answer::{Answer, Answers},
    capture::CameraNotice,
    light::LightWatch,
    roll::CurrentRoll,
    vision::{FirstDecision, Sighting},
};
use crate::{
    config::{Config, GreetingSettings},
    gallery::decision::{Decision, Verdict},
    greeting::{
        house_phrases::house_phrases,
        phrases::{Addressee, Greeting, Phrases, Spoken, TimeOfDay},
        reading,
        speech::{Speech, SpeechEvent},
        utterance::Utterance,
        voice::Fixed,
    },
    journal::{Because, Entry, Event, Stages},
    person::{Card, Language, RecordNumber},
    routing::{Needs, Route, Routing},
    visit::{
        hall::{Guest, Hall, VisitEvent},
        tracker::TrackId,
    },
};

/// A greeting that has not begun after so long is not said: a late one is worse than none.
const SAY_WITHIN: Duration = Duration::from_secs(3);
/// Neither is a hello, which answers a visitor's look.
const HELLO_WITHIN: Duration = Duration::from_millis(400);

/// What the host tells the one who watches.
pub enum Told {
    /// Something happened.
    Event(Entry),
    /// What is said, for the screen only: it may hold a name, and reaches no file and no log.
    Words {
        /// Counts greetings.
        greeting: u64,
        /// Whom it is for, for whoever must not read the words.
        people: Vec<RecordNumber>,
        /// The words, phrase by phrase; together they are the whole text.
        phrases: Vec<String>,
    },
    /// A phrase of what is said begins or has ended, for a screen that follows.
    Phrase {
        /// Which greeting.
        greeting: u64,
        /// Counted from 0. It begins again when a voice broke off in it.
        phrase: usize,
        /// Whether this is its end.
        ended: bool,
    },
    /// The recording is over and the last greeting has been said.
    Over,
}

/// What the host greets with.
pub struct Means {
    /// Everybody enrolled.
    pub roll: CurrentRoll,
    /// Counters.
    pub routing: Routing,
    /// Words.
    pub phrases: Phrases,
    /// Voices.
    pub speech: Speech,
    /// The local time.
    pub clock: fn() -> DateTime,
}

/// A greeting on its way to the loudspeaker.
struct Pending {
    visitors: Vec<TrackId>,
    /// Those of them who have not left.
    listeners: Vec<TrackId>,
    face_at: Instant,
    decided_at: Instant,
    started_at: Instant,
    heard: bool,
}

/// The stage.
pub struct Host {
    means: Means,
    hall: Hall,
    language: Language,
    greeting: GreetingSettings,
    /// What is said to everybody, whose sound may be kept.
    house_phrases: BTreeSet<Fixed>,
    answers: Answers,
    /// When the face of each visitor was first near.
    faces: BTreeMap<TrackId, Instant>,
    decisions: BTreeMap<TrackId, FirstDecision>,
    pending: BTreeMap<u64, Pending>,
    greetings: u64,
    over: bool,
    light: LightWatch,
    told: Sender<Told>,
}

impl Host {
    /// Waits for the first visitor.
    pub fn new(means: Means, config: &Config, told: Sender<Told>) -> Self {
        let house_phrases = house_phrases(&means.phrases, &means.routing);
        means.speech.prepare(house_phrases.iter().cloned().collect());
        let answers = Answers::new(&config.greeting);
        Self {
            means,
            house_phrases,
            greeting: config.greeting.clone(),
            hall: Hall::new(&config.visit).answering_after(answers.after()),
            language: config.greeting.language.clone(),
            answers,
            faces: BTreeMap::new(),
            decisions: BTreeMap::new(),
            pending: BTreeMap::new(),
            greetings: 0,
            over: false,
            light: LightWatch::default(),
            told,
        }
    }

    /// What became of greetings.
    pub fn speech_events(&self) -> &Receiver<SpeechEvent> {
        self.means.speech.events()
    }

    /// Takes what a frame showed.
    pub fn on_sighting(&mut self, sighting: Sighting) {
        let now = sighting.at;
        self.decisions.extend(sighting.decided.iter().map(|decision| (decision.track, *decision)));
        for seen in sighting.faces.iter().filter(|seen| seen.near) {
            self.faces.entry(seen.track).or_insert(seen.since);
        }
        for event in self.hall.on_faces(now, sighting.faces, &sighting.gone) {
            match event {
                VisitEvent::FaceSeen(visitor) => self.tell(Event::FaceSeen { visitor }),
                VisitEvent::Waits(visitor) => self.answer(now, visitor),
                VisitEvent::Decided(visitor, verdict) => self.tell_decision(visitor, &verdict),
                VisitEvent::Returned(visitor, verdict) => {
                    let because = self.because(visitor, &verdict);
                    self.tell(Event::Returned { visitor, person: person(verdict.decision), because });
                }
                VisitEvent::Greet(guests) => self.greet(now, &guests),
                VisitEvent::Left(visitor) => {
                    self.faces.remove(&visitor);
                    self.decisions.remove(&visitor);
                    self.leave(visitor);
                    self.tell(Event::Left { visitor });
                }
            }
        }
        if let Some(lighting) = sighting.lighting
            && let Some(problem) = self.light.on_frame(now, &lighting)
        {
            self.tell(Event::Light { problem, face: lighting.face, around: lighting.around });
        }
    }

    /// Takes what became of a greeting.
    pub fn on_speech(&mut self, event: SpeechEvent) {
        match event {
            SpeechEvent::Begun { id, at, voice } => {
                // A sentence that a second voice says again was heard before.
                if let Some(pending) = self.pending.get_mut(&id).filter(|pending| !pending.heard) {
                    pending.heard = true;
                    let audible = pending.audible(id, at, voice);
                    self.tell(audible);
                }
            }
            SpeechEvent::PhraseBegun { id, phrase, .. } => self.tell_phrase(id, phrase, false),
            SpeechEvent::PhraseEnded { id, phrase, .. } => self.tell_phrase(id, phrase, true),
            SpeechEvent::Finished { id } => {
                self.pending.remove(&id);
                self.tell(Event::GreetingEnded { greeting: id });
            }
            SpeechEvent::Shown { id, why } => {
                self.pending.remove(&id);
                self.tell(Event::Shown { greeting: id, why: why.to_string() });
            }
            SpeechEvent::Dropped { id, why } => {
                self.pending.remove(&id);
                self.tell(Event::NotSaid { greeting: id, why: why.to_string() });
            }
            SpeechEvent::VoiceLost { voice, why } => self.tell(Event::VoiceLost { voice, cause: why.to_string() }),
            SpeechEvent::VoiceBack { voice } => self.tell(Event::VoiceBack { voice }),
        }
        self.end_if_over();
    }

    /// A greeting whose visitors have all left is said to nobody.
    fn leave(&mut self, visitor: TrackId) {
        for (greeting, pending) in &mut self.pending {
            let before = pending.listeners.len();
            pending.listeners.retain(|listener| *listener != visitor);
            if before > 0 && pending.listeners.is_empty() {
                self.means.speech.nobody_there(*greeting);
            }
        }
    }

    /// Takes what the camera has to say.
    pub fn on_camera(&mut self, notice: CameraNotice) {
        match notice {
            CameraNotice::Lost(cause) | CameraNotice::Unplayable(cause) => self.tell(Event::CameraLost { cause }),
            CameraNotice::Back(camera) => self.tell(Event::CameraBack { camera }),
            CameraNotice::Over => {
                self.tell(Event::RecordingOver);
                self.over = true;
                self.end_if_over();
            }
        }
    }

    fn end_if_over(&self) {
        if self.over && self.pending.is_empty() {
            // The watcher may have gone already.
            drop(self.told.try_send(Told::Over));
        }
    }

    /// Answers somebody about whom it is not decided yet who they are.
    fn answer(&mut self, now: Instant, visitor: TrackId) {
        match self.answers.answer(now, !self.pending.is_empty()) {
            Some(Answer::Hello) => {
                let time = TimeOfDay::from((self.means.clock)().time());
                let Some(words) = self.means.phrases.hello(&self.language, time) else { return };
                self.answers.said_hello(words.language.clone());
                self.say(&[visitor], &[], words, true);
            }
            Some(Answer::Chime) => self.means.speech.chime(),
            None => {}
        }
    }

    fn tell(&self, event: Event) {
        // Full only when the watcher has gone or hangs; the hall does not wait for it.
        drop(self.told.try_send(Told::Event(Entry::now(event))));
    }

    fn tell_phrase(&self, greeting: u64, phrase: usize, ended: bool) {
        drop(self.told.try_send(Told::Phrase { greeting, phrase, ended }));
    }

    fn because(&self, visitor: TrackId, verdict: &Verdict) -> Because {
        let times = self.decisions.get(&visitor);
        Because::of(verdict, times.map_or(0.0, |it| ms(it.decided_at.duration_since(it.face_at))))
    }

    fn tell_decision(&self, visitor: TrackId, verdict: &Verdict) {
        let because = self.because(visitor, verdict);
        self.tell(match verdict.decision {
            Decision::Identified(person) => {
                let on_hold = self.means.roll.get().on_hold(person);
                Event::Identified { visitor, person, on_hold, because }
            }
            Decision::Unsure => Event::Unsure { visitor, because },
            Decision::Stranger => Event::Stranger { visitor, because },
        });
    }

    /// Finds everybody's counter and says one greeting a language.
    fn greet(&mut self, now: Instant, guests: &[Guest]) {
        let local = (self.means.clock)();
        let cards = self.cards(guests);
        let routes: Vec<Route> = cards.iter().map(|card| self.route(card.as_ref(), local)).collect();
        // Who is on hold has no card and is greeted as anybody else.
        let named: Vec<Option<RecordNumber>> =
            guests.iter().zip(&cards).map(|(guest, card)| person(guest.decision).filter(|_| card.is_some())).collect();
        for ((guest, route), named) in guests.iter().zip(&routes).zip(&named) {
            let counter = self.means.routing.counter(&route.counter).unwrap_or(self.means.routing.reception());
            self.tell(Event::Routed {
                visitor: guest.track,
                person: *named,
                counter: route.counter.clone(),
                place: counter.words(&self.language).name.to_owned(),
                reason: route.reason.to_string(),
            });
        }
        let addressees =
            cards.iter().zip(&routes).map(|(card, route)| self.addressee(card.as_ref(), route, local)).collect();
        let after_hello_in = self.answers.heard_hello_in(now);
        let greeting = Greeting { time: TimeOfDay::from(local.time()), people: addressees, after_hello_in };
        let spoken = self.means.phrases.greeting(&greeting);
        let visitors: Vec<TrackId> = guests.iter().map(|guest| guest.track).collect();
        let people: Vec<RecordNumber> = named.into_iter().flatten().collect();
        for words in spoken {
            self.say(&visitors, &people, words, false);
        }
    }

    /// `hello`: who they are is not decided yet.
    fn say(&mut self, visitors: &[TrackId], people: &[RecordNumber], words: Spoken, hello: bool) {
        let Spoken { language, text, unhurried } = words;
        self.greetings += 1;
        let (id, now) = (self.greetings, Instant::now());
        let times: Vec<&FirstDecision> = visitors.iter().filter_map(|visitor| self.decisions.get(visitor)).collect();
        let seen_at = visitors.iter().filter_map(|visitor| self.faces.get(visitor)).min();
        let face_at = times.iter().map(|it| it.face_at).min().or(seen_at.copied()).unwrap_or(now);
        let pending = Pending {
            visitors: visitors.to_vec(),
            listeners: visitors.to_vec(),
            face_at,
            // A hello waits for no decision.
            decided_at: times.iter().map(|it| it.decided_at).max().unwrap_or(face_at),
            started_at: now,
            heard: false,
        };
        self.pending.insert(id, pending);
        self.tell(Event::GreetingStarted {
            greeting: id,
            visitors: visitors.to_vec(),
            people: people.to_vec(),
            language: language.to_string(),
            hello,
        });
        let is_fixed =
            |text: &str| self.house_phrases.contains(&Fixed { language: language.clone(), text: text.into() });
        let mut utterance = Utterance::new(id, language.clone(), &text).keeping(is_fixed);
        if unhurried {
            utterance = utterance.unhurried();
        }
        let phrases = utterance.phrases.iter().map(|phrase| reading::plain(&phrase.text)).collect();
        drop(self.told.try_send(Told::Words { greeting: id, people: people.to_vec(), phrases }));
        let within = if hello { HELLO_WITHIN } else { SAY_WITHIN };
        self.means.speech.say(Utterance { not_after: Some(now + within), ..utterance });
    }

    /// What is known of each guest who is enrolled at this moment and may be named.
    fn cards(&self, guests: &[Guest]) -> Vec<Option<Card>> {
        let roll = self.means.roll.get();
        let may_be_named = |record: &RecordNumber| !roll.on_hold(*record);
        guests.iter().map(|guest| roll.person(person(guest.decision).filter(may_be_named)?)).collect()
    }

    fn route(&self, card: Option<&Card>, local: DateTime) -> Route {
        let needs = card.map_or_else(Needs::default, |card| Needs {
            services: card.services.clone(),
            category: card.category.clone(),
            appointment: card.appointment,
        });
        self.means.routing.route(&needs, local)
    }

    fn addressee<'a>(&'a self, card: Option<&'a Card>, route: &Route, local: DateTime) -> Addressee<'a> {
        let reception = self.means.routing.reception();
        match card {
            Some(card) => Addressee::Named {
                name: &card.name,
                pronunciation: card.pronunciation.as_ref(),
                salutation: card.salutation,
                language: card.language.as_ref().unwrap_or(&self.language),
                counter: self.means.routing.counter(&route.counter).unwrap_or(reception),
                older: self.greeting.takes_time_for(card.born, local.year()),
            },
            None => Addressee::Unknown { language: &self.language, reception },
        }
    }
}

impl Pending {
    fn audible(&self, greeting: u64, at: Instant, voice: String) -> Event {
        let between = |from: Instant, to: Instant| ms(to.saturating_duration_since(from));
        Event::Audible {
            greeting,
            visitors: self.visitors.clone(),
            voice,
            face_to_audible_ms: between(self.face_at, at),
            stages_ms: Stages {
                recognise: between(self.face_at, self.decided_at),
                attend: between(self.decided_at, self.started_at),
                speak: between(self.started_at, at),
            },
        }
    }
}

fn person(decision: Decision) -> Option<RecordNumber> {
    match decision {
        Decision::Identified(person) => Some(person),
        Decision::Unsure | Decision::Stranger => None,
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
