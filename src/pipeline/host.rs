//! The host stage: turns the hall's answers into words.
//!
//! It finds each guest's counter, puts what the hall wants said into words, hands it to the voice, and tells the journal and the hall what became
//! of it. What is known of visitors is the hall's (`visit`).

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use crossbeam::channel::{Receiver, Sender};
use jiff::civil::DateTime;

use super::{capture::CameraNotice, vision::Sighting};
use crate::{
    config::{Config, GreetingSettings},
    face::light_watch::LightWatch,
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
    roll::CurrentRoll,
    routing::{Needs, Route, Routing},
    visit::{
        VisitorId,
        hall::{Answer, Times, VisitEvent},
        turn::{Guest, Heard, Kind, Say},
    },
};

/// A hello that has not begun after so long is not said: it answers a visitor's look.
const HELLO_WITHIN: Duration = Duration::from_millis(400);
/// Where people wait for the loudspeaker nothing that is said takes longer; who is not in it is next.
const LONGEST_IN_A_RUSH: Duration = Duration::from_millis(7_000);

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

/// Something on its way to the loudspeaker: whom it is for, and where the time went.
struct Pending {
    visitors: Vec<VisitorId>,
    face_at: Instant,
    decided_at: Instant,
    started_at: Instant,
    heard: bool,
}

/// The stage.
pub struct Host {
    means: Means,
    language: Language,
    greeting: GreetingSettings,
    /// What is said to everybody, whose sound may be kept.
    house_phrases: BTreeSet<Fixed>,
    pending: BTreeMap<u64, Pending>,
    over: bool,
    light: LightWatch,
    told: Sender<Told>,
    heard: Sender<Heard>,
}

impl Host {
    /// Waits for the first visitor. `heard` takes what becomes of what is said, for the hall.
    pub fn new(means: Means, config: &Config, told: Sender<Told>, heard: Sender<Heard>) -> Self {
        let house_phrases = house_phrases(&means.phrases, &means.routing);
        means.speech.prepare(house_phrases.iter().cloned().collect());
        Self {
            means,
            house_phrases,
            greeting: config.greeting.clone(),
            language: config.greeting.language.clone(),
            pending: BTreeMap::new(),
            over: false,
            light: LightWatch::default(),
            told,
            heard,
        }
    }

    /// What became of greetings.
    pub fn speech_events(&self) -> &Receiver<SpeechEvent> {
        self.means.speech.events()
    }

    /// Takes what a frame showed.
    pub fn on_sighting(&mut self, sighting: Sighting) {
        for answer in sighting.answers {
            match answer {
                Answer::Event(event) => self.tell_visit(event),
                Answer::Say(say) => self.say(say),
                Answer::Chime => self.means.speech.chime(),
                Answer::Hush { id, at_once } => self.means.speech.hush(id, at_once),
            }
        }
        if let Some(lighting) = sighting.lighting
            && let Some(problem) = self.light.on_frame(sighting.at, &lighting)
        {
            self.tell(Event::Light { problem, face: lighting.face, around: lighting.around });
        }
    }

    fn tell_visit(&self, event: VisitEvent) {
        self.tell(match event {
            VisitEvent::FaceSeen(visitor) => Event::FaceSeen { visitor },
            VisitEvent::Decided(visitor, verdict, times) => {
                let because = because(&verdict, times);
                match verdict.decision {
                    Decision::Identified(person) => {
                        let on_hold = self.means.roll.get().on_hold(person);
                        Event::Identified { visitor, person, on_hold, because }
                    }
                    Decision::Unsure => Event::Unsure { visitor, because },
                    Decision::Stranger => Event::Stranger { visitor, because },
                }
            }
            VisitEvent::Returned(visitor, verdict, times) => {
                let person = match verdict.decision {
                    Decision::Identified(person) => Some(person),
                    Decision::Unsure | Decision::Stranger => None,
                };
                Event::Returned { visitor, person, because: because(&verdict, times) }
            }
            VisitEvent::NotAddressed(visitor, why) => Event::NotAddressed { visitor, why },
            VisitEvent::Left(visitor) => Event::Left { visitor },
        });
    }

    /// Takes what became of something that was said.
    pub fn on_speech(&mut self, event: SpeechEvent) {
        match event {
            SpeechEvent::Begun { id, at, voice } => {
                // A sentence that a second voice says again was heard before.
                if let Some(pending) = self.pending.get_mut(&id).filter(|pending| !pending.heard) {
                    pending.heard = true;
                    let audible = pending.audible(id, at, voice);
                    self.hear(Heard::Begun { id });
                    self.tell(audible);
                }
            }
            SpeechEvent::PhraseBegun { id, phrase, .. } => self.tell_phrase(id, phrase, false),
            SpeechEvent::PhraseEnded { id, phrase, .. } => self.tell_phrase(id, phrase, true),
            SpeechEvent::Finished { id } => {
                self.end(id, true);
                self.tell(Event::GreetingEnded { greeting: id });
            }
            SpeechEvent::Shown { id, why } => {
                self.hear(Heard::Begun { id });
                self.end(id, true);
                self.tell(Event::Shown { greeting: id, why: why.to_string() });
            }
            SpeechEvent::Dropped { id, why } => {
                let visitors = self.pending.get(&id).map(|pending| pending.visitors.clone()).unwrap_or_default();
                self.end(id, false);
                self.tell(Event::NotSaid { greeting: id, visitors, why: why.to_string() });
            }
            SpeechEvent::VoiceLost { voice, why } => self.tell(Event::VoiceLost { voice, cause: why.to_string() }),
            SpeechEvent::VoiceBack { voice } => self.tell(Event::VoiceBack { voice }),
        }
        self.end_if_over();
    }

    fn end(&mut self, id: u64, whole: bool) {
        self.pending.remove(&id);
        self.hear(Heard::Over { id, whole });
    }

    /// Full only when seeing hangs; the hall gives up what it hears nothing of.
    fn hear(&self, heard: Heard) {
        drop(self.heard.try_send(heard));
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

    fn tell(&self, event: Event) {
        // Full only when the watcher has gone or hangs; the hall does not wait for it.
        drop(self.told.try_send(Told::Event(Entry::now(event))));
    }

    fn tell_phrase(&self, greeting: u64, phrase: usize, ended: bool) {
        drop(self.told.try_send(Told::Phrase { greeting, phrase, ended }));
    }

    /// Puts what the hall wants said into words and hands it to the voice.
    fn say(&mut self, mut say: Say) {
        let local = (self.means.clock)();
        let mut left_out: Vec<VisitorId> = Vec::new();
        let (spoken, parties) = loop {
            let parties: Vec<Party> = say.guests.iter().map(|guest| self.party(guest, local)).collect();
            let spoken = self.words(&say, &parties, local);
            let too_long = say.rush && spoken.as_ref().is_some_and(|it| lasts(&it.text) > LONGEST_IN_A_RUSH);
            if !too_long || say.guests.len() == 1 {
                break (spoken, parties);
            }
            left_out.extend(say.guests.pop().map(|guest| guest.visitor));
        };
        let visitors: Vec<VisitorId> = say.guests.iter().map(|guest| guest.visitor).collect();
        let people: Vec<RecordNumber> = say
            .guests
            .iter()
            .zip(&parties)
            .filter_map(|(guest, party)| guest.person.filter(|_| party.card.is_some()))
            .collect();
        let ways =
            visitors.iter().zip(&parties).map(|(visitor, party)| (*visitor, party.route.counter.clone())).collect();
        self.hear(Heard::Worded { id: say.id, ways, left_out });
        let Some(Spoken { language, text, unhurried }) = spoken else {
            return self.hear(Heard::Over { id: say.id, whole: false });
        };
        if say.kind != Kind::Hello {
            say.guests.iter().zip(&parties).for_each(|(guest, party)| self.tell_way(guest, party));
        }
        let pending = Pending {
            visitors: visitors.clone(),
            face_at: say.face_at,
            decided_at: say.decided_at,
            started_at: Instant::now(),
            heard: false,
        };
        self.pending.insert(say.id, pending);
        self.tell(Event::GreetingStarted {
            greeting: say.id,
            visitors,
            people: if say.kind == Kind::Greeting { people.clone() } else { Vec::new() },
            language: language.to_string(),
            hello: say.kind == Kind::Hello,
            again: say.kind == Kind::Way,
        });
        let is_fixed =
            |text: &str| self.house_phrases.contains(&Fixed { language: language.clone(), text: text.into() });
        let mut utterance = Utterance::new(say.id, language.clone(), &text).keeping(is_fixed);
        if unhurried {
            utterance = utterance.unhurried();
        }
        let phrases = utterance.phrases.iter().map(|phrase| reading::plain(&phrase.text)).collect();
        drop(self.told.try_send(Told::Words { greeting: say.id, people, phrases }));
        let not_after = (say.kind == Kind::Hello).then(|| Instant::now() + HELLO_WITHIN);
        self.means.speech.say(Utterance { not_after, ..utterance });
    }

    /// What is known of a guest who is enrolled at this moment and may be named, and where they go.
    fn party(&self, guest: &Guest, local: DateTime) -> Party {
        let roll = self.means.roll.get();
        let card =
            guest.person.filter(|person| roll.may_be_named(*person)).and_then(|person| roll.person(person)).cloned();
        drop(roll);
        let needs = card.as_ref().map_or_else(Needs::default, |card| Needs {
            services: card.services.clone(),
            category: card.category.clone(),
            appointment: card.appointment,
        });
        Party { route: self.means.routing.route(&needs, local), card }
    }

    fn words(&self, say: &Say, parties: &[Party], local: DateTime) -> Option<Spoken> {
        let time = TimeOfDay::from(local.time());
        if say.kind == Kind::Hello {
            return self.means.phrases.hello(&say.language, time);
        }
        let people = say.guests.iter().zip(parties).map(|(guest, party)| self.addressee(say, guest, party, local));
        let after_hello_in = say.after_hello.then_some(&say.language);
        let greeting = Greeting { time, people: people.collect(), after_hello_in };
        let spoken = match say.kind {
            Kind::Way => self.means.phrases.way(&greeting),
            _ if say.brief => self.means.phrases.brief(&greeting),
            _ => self.means.phrases.greeting(&greeting),
        };
        // Whoever has lost their name since is spoken to in the house's language, which may be another one: then they wait.
        spoken.into_iter().next()
    }

    fn addressee<'a>(&'a self, say: &'a Say, guest: &Guest, party: &'a Party, local: DateTime) -> Addressee<'a> {
        let reception = self.means.routing.reception();
        let Some(card) = &party.card else { return Addressee::Unknown { language: &say.language, reception } };
        let (name, pronunciation, salutation) = (&card.name, card.pronunciation.as_ref(), card.salutation);
        if say.kind == Kind::Greeting && guest.told.as_ref() == Some(&party.route.counter) {
            return Addressee::Back { name, pronunciation, salutation, language: &say.language };
        }
        Addressee::Named {
            name,
            pronunciation,
            salutation,
            language: &say.language,
            counter: self.means.routing.counter(&party.route.counter).unwrap_or(reception),
            older: self.greeting.takes_time_for(card.born, local.year()),
        }
    }

    fn tell_way(&self, guest: &Guest, Party { route, card }: &Party) {
        let counter = self.means.routing.counter(&route.counter).unwrap_or(self.means.routing.reception());
        self.tell(Event::Routed {
            visitor: guest.visitor,
            person: guest.person.filter(|_| card.is_some()),
            counter: route.counter.clone(),
            place: counter.words(&self.language).name.to_owned(),
            reason: route.reason.to_string(),
        });
    }
}

/// A guest at the moment at which words are made.
struct Party {
    /// Of who is to be named.
    card: Option<Card>,
    route: Route,
}

/// About how long a text takes to say, from the voices' own pace: 65 ms a letter, 240 ms a Chinese character.
fn lasts(text: &str) -> Duration {
    let plain = reading::plain(text);
    Duration::from_millis(plain.chars().map(|letter| if letter.is_ascii() { 65 } else { 240 }).sum())
}

fn because(verdict: &Verdict, times: Times) -> Because {
    Because::of(verdict, ms(times.decided_at.saturating_duration_since(times.face_at)))
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

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
#[path = "host_tests.rs"]
mod tests;
