//! Nobody is named who must not be, whatever order things happen in: real roll, hall, host and speech, with people as a test shows them.

use std::collections::BTreeSet;

use crossbeam::channel::{bounded, unbounded};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::{
    bench::made_up,
    calibration::in_force::ScoreSource,
    gallery::{NonMates, decision::Demands},
    greeting::voice::{Moment, StopFlag, Voice, VoiceError, VoiceState},
    hold::OnHold,
    installation::Installation,
    person::PersonName,
    roll::{Change, CurrentRoll, Roll},
    store::Version,
    visit::{
        hall::{FoundFace, Hall, View},
        rules::Rules,
        stage_tests::{FRAME, Seen, at, template},
    },
};

/// People, each in a place of their own; whoever sits in the same row of this table under another name has been renamed.
const NAMES: [[&str; 2]; 8] = [
    ["Alfa", "Adams"],
    ["Bravo", "Baker"],
    ["Charlie", "Clark"],
    ["Delta", "Davis"],
    ["Echo", "Evans"],
    ["Foxtrot", "Foster"],
    ["Golf", "Green"],
    ["Hotel", "Harris"],
];

/// Takes what it is given and has said it at once.
struct Recorder(Sender<String>);

impl Voice for Recorder {
    fn name(&self) -> &'static str {
        "recorder"
    }
    fn open(&mut self) {}
    fn state(&self) -> VoiceState {
        VoiceState::Ready
    }
    fn speaks(&self, _: &Language) -> bool {
        true
    }
    fn say(
        &mut self,
        utterance: &Utterance,
        from: usize,
        tell: &mut dyn FnMut(Moment),
        _: &StopFlag,
    ) -> Result<(), VoiceError> {
        let phrases = utterance.phrases.iter().skip(from);
        drop(self.0.send(phrases.map(|phrase| reading::plain(&phrase.text)).collect()));
        for phrase in from..utterance.phrases.len() {
            tell(Moment::PhraseBegun { phrase, at: Instant::now() });
            tell(Moment::PhraseEnded { phrase, at: Instant::now() });
        }
        Ok(())
    }
}

/// Somebody who may be enrolled.
#[derive(Clone, Copy)]
struct Person {
    record: Option<RecordNumber>,
    name: usize,
    here: bool,
    /// When they were last in the picture.
    seen_at: Instant,
}

struct Bureau {
    hall: Hall,
    roll: CurrentRoll,
    host: Host,
    told: Receiver<Told>,
    heard: Receiver<Heard>,
    said: Receiver<String>,
    people: Vec<Person>,
    on_hold: BTreeSet<RecordNumber>,
    records: u64,
    now: Instant,
    random: ChaCha8Rng,
    /// What comes back from the loudspeaker later.
    later: Vec<(Instant, Heard)>,
    named: usize,
    nameless: usize,
    greetings: u64,
}

/// What became of a greeting that was to be said.
struct Greeted {
    text: String,
    ways: BTreeMap<VisitorId, String>,
    left_out: Vec<VisitorId>,
}

fn demands(_: usize) -> Demands {
    Demands {
        min_score_to_name: 0.7,
        min_score_from: ScoreSource::Shipped,
        min_margin: 0.05,
        min_views: 3,
        decide_within: Duration::from_millis(130),
        patience: Duration::from_millis(200),
        expected: None,
        non_mates: NonMates { mean: 0.1, spread: 0.14 },
    }
}

impl Bureau {
    fn opens(seed: u64) -> Self {
        let mut config = Config::default();
        config.visit.cool_down_s = 2;
        config.greeting.voices = vec!["recorder".into()];
        let installation = Installation::at(env!("CARGO_MANIFEST_DIR"));
        let (say, said) = unbounded();
        let means = Means {
            roll: CurrentRoll::new(Roll::empty(demands(0))),
            routing: Routing::load(&installation.assets().join("routing.toml")).unwrap(),
            phrases: Phrases::load(&[installation.assets().join("phrases")]).unwrap(),
            speech: Speech::with_voices(&config.greeting, vec![Box::new(Recorder(say))], None),
            clock: || jiff::civil::date(2026, 11, 30).at(10, 0, 0, 0),
        };
        let (tell, told) = bounded(1_000);
        let (hear, heard) = bounded(64);
        let now = Instant::now();
        let roll = means.roll.clone();
        let person = Person { record: None, name: 0, here: false, seen_at: now };
        Self {
            hall: Hall::new(Rules::new(&config)),
            host: Host::new(means, &config, tell, hear),
            roll,
            told,
            heard,
            said,
            people: vec![person; NAMES.len()],
            on_hold: BTreeSet::new(),
            records: 0,
            now,
            random: ChaCha8Rng::seed_from_u64(seed),
            later: Vec::new(),
            named: 0,
            nameless: 0,
            greetings: 0,
        }
    }

    /// Something happens to somebody between one step of the program and the next.
    fn something_happens(&mut self) {
        let who = self.random.random_range(0..self.people.len());
        match self.random.random_range(0..12) {
            0 => self.remove(who),
            1..3 => self.sync(who),
            3 => self.hold(who, true),
            4 => self.hold(who, false),
            _ => {}
        }
    }

    fn remove(&mut self, who: usize) {
        if let Some(record) = self.people[who].record.take() {
            self.on_hold.remove(&record);
            self.roll.change().update(vec![Change::Remove(record)], demands);
        }
    }

    /// The roster has them, perhaps by another name.
    fn sync(&mut self, who: usize) {
        let person = &mut self.people[who];
        person.name = self.random.random_range(0..2);
        let record = *person.record.get_or_insert_with(|| {
            self.records += 1;
            RecordNumber(self.records)
        });
        let known = crate::person::Person {
            name: PersonName::new(NAMES[who][person.name]),
            language: Some("en".into()),
            category: None,
            ..made_up::person(record, &mut self.random)
        };
        let version = Version::UNKNOWN;
        let change = Change::Put { record, version, card: known.into(), templates: Some(vec![template(who, 0.0)]) };
        self.roll.change().update(vec![change], demands);
    }

    fn hold(&mut self, who: usize, hold: bool) {
        let Some(record) = self.people[who].record else { return };
        if hold {
            self.on_hold.insert(record)
        } else {
            self.on_hold.remove(&record)
        };
        self.roll.change().hold(OnHold::These(self.on_hold.clone()));
    }

    fn frame(&mut self) {
        self.now += FRAME;
        self.something_happens();
        let who = self.random.random_range(0..self.people.len());
        let there = self.people.iter().filter(|person| person.here).count();
        if self.random.random_ratio(1, 12) && (self.people[who].here || there < 3) {
            self.people[who].here ^= true;
        }
        let here = (0..self.people.len()).filter(|who| self.people[*who].here);
        let shown: Vec<Seen> = here.map(|who| at(who, 150.0 * (who + 1) as f32).small(40.0)).collect();
        shown.iter().for_each(|seen| self.people[seen.who].seen_at = self.now);
        let due = self.later.extract_if(.., |(at, _)| *at <= self.now).collect::<Vec<_>>();
        due.into_iter().for_each(|(_, heard)| self.hall.hear(self.now, heard, &*self.roll.get()));

        let faces: Vec<FoundFace> = shown.iter().map(|seen| FoundFace { face: seen.face(), stir: 3.0 }).collect();
        let looks = self.hall.on_frame(self.now, &faces, &*self.roll.get());
        if self.random.random_ratio(1, 150) {
            // The stage that sees panics.
            return self.hall.everybody_left();
        }
        self.something_happens();
        let odd = self.random.random_range(0.0..0.3);
        let view = |look: crate::visit::hall::Look| {
            let outcome = Ok((template(shown[look.face].who, odd), 0.8));
            View { visitor: look.visitor, outcome }
        };
        let views = looks.into_iter().map(view).collect();
        let answers = self.hall.on_views(self.now, self.now, views, &*self.roll.get());
        self.something_happens();
        if self.random.random_ratio(1, 150) {
            // The host's stage panics, and what it was given is lost.
            return;
        }
        self.host.on_sighting(self.sighting(answers));
        self.listen();
    }

    fn sighting(&self, answers: Vec<Answer>) -> Sighting {
        let (in_sight, times) = (self.hall.in_sight().collect(), super::super::vision::Times::default());
        Sighting { at: self.now, answers, in_sight, embedded: 0, lighting: None, times }
    }

    /// Has the host greet the first so many, who are enrolled; `told` is the way that each was told that day. Gives the text, each one's way and who
    /// was left out.
    fn greets(&mut self, many: u64, rush: bool, told: &BTreeMap<VisitorId, String>) -> Greeted {
        for who in 0..many as usize {
            if self.people[who].record.is_none() {
                self.sync(who);
            }
        }
        let guest = |at: u64| {
            let visitor = VisitorId(at);
            Guest { visitor, person: self.people[at as usize].record, told: told.get(&visitor).cloned() }
        };
        let (guests, language, now) = ((0..many).map(guest).collect(), "en".into(), self.now);
        let id = 1 + self.greetings;
        self.greetings = id;
        let kind = Kind::Greeting;
        let say =
            Say { id, kind, language, guests, after_hello: false, brief: rush, rush, face_at: now, decided_at: now };
        self.host.on_sighting(self.sighting(vec![Answer::Say(say)]));
        let text = self.said.recv_timeout(Duration::from_secs(10)).expect("the voice is given it");
        let worded = self.heard.try_iter().find_map(|heard| match heard {
            Heard::Worded { ways, left_out, .. } => Some((ways, left_out)),
            _ => None,
        });
        let (ways, left_out) = worded.expect("the hall hears how it was worded");
        Greeted { text, ways, left_out }
    }

    /// Waits until the voice has been given what there is to say, and looks at it.
    fn listen(&mut self) {
        let started = |told: &Told| matches!(told, Told::Event(Entry { event: Event::GreetingStarted { .. }, .. }));
        let mut waits = self.told.try_iter().filter(started).count();
        while waits > 0 {
            let event =
                self.host.speech_events().recv_timeout(Duration::from_secs(10)).expect("speech says what became of it");
            let is_over =
                matches!(event, SpeechEvent::Finished { .. } | SpeechEvent::Shown { .. } | SpeechEvent::Dropped { .. });
            waits -= usize::from(is_over);
            self.host.on_speech(event);
        }
        let said: Vec<String> = self.said.try_iter().collect();
        said.iter().for_each(|text| self.check(text));
        // It takes its time to sound, and some of what is told of it is lost.
        let mut begins = self.now + FRAME * self.random.random_range(0..10);
        for heard in self.heard.try_iter() {
            if matches!(heard, Heard::Over { .. }) {
                begins += FRAME * self.random.random_range(0..20);
            }
            if matches!(heard, Heard::Worded { .. }) {
                self.hall.hear(self.now, heard, &*self.roll.get());
            } else if !self.random.random_ratio(1, 500) {
                self.later.push((begins, heard));
            }
        }
    }

    fn check(&mut self, text: &str) {
        let mut named = false;
        for (who, names) in NAMES.iter().enumerate() {
            for (number, name) in names.iter().enumerate().filter(|(_, name)| text.contains(*name)) {
                named = true;
                let person = self.people[who];
                assert!(person.record.is_some(), "{name} is not enrolled: {text:?}");
                assert_eq!(person.name, number, "{name} is called otherwise now: {text:?}");
                assert!(!self.on_hold.contains(&person.record.unwrap()), "{name} is on hold: {text:?}");
                assert!(person.here && person.seen_at == self.now, "{name} is not in sight: {text:?}");
            }
        }
        if named { self.named += 1 } else { self.nameless += 1 }
    }
}

#[test]
fn whatever_is_removed_held_synced_or_fails_no_voice_is_given_the_name_of_somebody_who_must_not_be_named() {
    let (orders, frames) = (100_000, 8);
    let (mut named, mut nameless) = (0, 0);
    for seed in 0..20 {
        let mut bureau = Bureau::opens(seed);
        for _ in 0..orders / 20 * frames {
            bureau.frame();
        }
        named += bureau.named;
        nameless += bureau.nameless;
    }
    // Without names this test says nothing.
    assert!(named > 5_000 && nameless > 100, "{named} {nameless}");
}

#[test]
fn where_people_wait_for_the_loudspeaker_nobody_hears_more_than_seven_seconds_and_the_others_are_next() {
    let mut bureau = Bureau::opens(1);
    let whole = bureau.greets(8, false, &BTreeMap::new());
    assert!(whole.left_out.is_empty() && lasts(&whole.text) > LONGEST_IN_A_RUSH, "{}", whole.text);
    let short = bureau.greets(8, true, &BTreeMap::new());
    assert!(lasts(&short.text) <= LONGEST_IN_A_RUSH && !short.left_out.is_empty(), "{}", short.text);
    for (who, person) in bureau.people.iter().enumerate() {
        let left_out = short.left_out.contains(&VisitorId(who as u64));
        assert_ne!(short.text.contains(NAMES[who][person.name]), left_out, "{}", short.text);
    }
}

#[test]
fn who_comes_again_that_day_hears_the_way_only_if_it_has_changed() {
    let mut bureau = Bureau::opens(2);
    let mut told = bureau.greets(1, false, &BTreeMap::new()).ways;
    let again = bureau.greets(1, false, &told).text;
    assert!(again.contains(NAMES[0][bureau.people[0].name]) && !again.contains("Please"), "{again}");
    told.insert(VisitorId(0), "elsewhere".into());
    assert!(bureau.greets(1, false, &told).text.contains("Please"));
}
