//! A stage for stories: people before the robot as frames and views, and a loudspeaker that takes its time.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    hall::{About, Answer, Enrolled, FoundFace, Hall, View, VisitEvent},
    rules::Rules,
    turn::{Heard, Kind, Say},
    visitor::Why,
    *,
};
pub use std::time::{Duration, Instant};

use crate::{
    calibration::in_force::ScoreSource,
    config::Config,
    face::{Detection, FaceBox, Point, Template, quality::Fault},
    gallery::{
        Gallery, NonMates,
        decision::{Decision, Demands},
    },
    person::{Language, RecordNumber},
};

/// A camera's pace.
pub const FRAME: Duration = Duration::from_millis(33);
/// Templates are long enough for everybody to have an axis of their own.
const AXES: usize = 64;

/// Who is enrolled: whoever has an axis below `people`.
pub struct Roll {
    gallery: Gallery,
    demands: Demands,
    pub on_hold: BTreeSet<RecordNumber>,
    pub gone: BTreeSet<RecordNumber>,
    pub about: BTreeMap<RecordNumber, About>,
}

impl Roll {
    pub fn of(people: usize) -> Self {
        let rows = (0..people).map(|who| (RecordNumber(who as u64), template(who, 0.0))).collect();
        let demands = Demands {
            min_score_to_name: 0.7,
            min_score_from: ScoreSource::Shipped,
            min_margin: 0.05,
            min_views: 3,
            decide_within: Duration::from_millis(130),
            patience: Duration::from_millis(430),
            expected: None,
            non_mates: NonMates { mean: 0.1, spread: 0.14 },
        };
        Self {
            gallery: Gallery::new(rows),
            demands,
            on_hold: BTreeSet::new(),
            gone: BTreeSet::new(),
            about: BTreeMap::new(),
        }
    }
}

impl Enrolled for Roll {
    fn gallery(&self) -> &Gallery {
        &self.gallery
    }
    fn demands(&self) -> &Demands {
        &self.demands
    }
    fn may_be_named(&self, person: RecordNumber) -> bool {
        !self.on_hold.contains(&person) && !self.gone.contains(&person)
    }
    fn about(&self, person: RecordNumber) -> Option<About> {
        (!self.gone.contains(&person)).then(|| self.about.get(&person).cloned().unwrap_or_default())
    }
}

/// A view of somebody; no two are quite the same.
pub fn template(who: usize, odd: f32) -> Template {
    let mut values = vec![0.0; AXES];
    values[who] = 1.0;
    values[(who + 7) % AXES] += odd;
    Template::from_output(values).unwrap()
}

/// Somebody as a frame shows them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    pub who: usize,
    pub x: f32,
    pub eye: f32,
    pub turned: bool,
    /// Whether they can be recognised.
    pub dark: bool,
    /// Whether their views are not quite like their row.
    pub unclear: bool,
    pub still: bool,
}

pub fn at(who: usize, x: f32) -> Seen {
    Seen { who, x, eye: 70.0, turned: false, dark: false, unclear: false, still: false }
}

/// Somebody in the usual place.
pub fn one(who: usize) -> Seen {
    at(who, 640.0)
}

impl Seen {
    pub fn turned(self) -> Self {
        Self { turned: true, ..self }
    }
    pub fn dark(self) -> Self {
        Self { dark: true, ..self }
    }
    pub fn unclear(self) -> Self {
        Self { unclear: true, ..self }
    }
    pub fn still(self) -> Self {
        Self { still: true, ..self }
    }
    pub fn small(self, eye: f32) -> Self {
        Self { eye, ..self }
    }

    pub fn face(&self) -> Detection {
        let (x, y, eye) = (self.x, 300.0, self.eye);
        let point = |dx: f32, dy: f32| Point { x: x + dx * eye, y: y + dy * eye };
        let nose = if self.turned { 0.7 } else { 0.0 };
        let landmarks = [point(-0.5, 0.0), point(0.5, 0.0), point(nose, 0.6), point(-0.4, 1.1), point(0.4, 1.1)];
        let bounds = FaceBox { x: x - 1.2 * eye, y: y - 0.8 * eye, width: 2.4 * eye, height: 2.4 * eye };
        Detection { bounds, landmarks, confidence: 0.9 }
    }
}

/// What was said, as a test reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    pub at_ms: u64,
    pub kind: Kind,
    /// By whose record each guest is named or sent.
    pub people: Vec<Option<u64>>,
    /// Who really stood where each guest's face was.
    pub to: Vec<Option<usize>>,
    pub say: Say,
    pub heard_ms: Option<u64>,
    pub ended_ms: Option<u64>,
}

/// How the loudspeaker does.
#[derive(Debug, Clone, Copy)]
pub enum Voice {
    /// Begins after so long and takes so long.
    Works { begins: Duration, lasts: Duration },
    /// Nothing is ever heard of what was handed over.
    Loses,
    /// Fails at once.
    Fails,
}

struct Speaking {
    index: usize,
    begins_at: Option<Instant>,
    ends_at: Instant,
    begun: bool,
    whole: bool,
    tells: bool,
}

pub struct Story {
    pub hall: Hall,
    pub roll: Roll,
    pub now: Instant,
    start: Instant,
    pub voice: Voice,
    speaking: Option<Speaking>,
    pub said: Vec<Said>,
    pub events: Vec<VisitEvent>,
    /// Whose face the numbers in sight are, as of their last view, and when a view of each person came last.
    pub faces: BTreeMap<VisitorId, usize>,
    pub viewed: BTreeMap<usize, Instant>,
    pub looks: usize,
    /// Whether looks give nothing.
    pub networks_fail: bool,
    frames: u32,
}

impl Story {
    pub fn begins() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl Fn(&mut Config)) -> Self {
        let mut config = Config::default();
        change(&mut config);
        let now = Instant::now();
        Self {
            hall: Hall::new(Rules::new(&config)),
            roll: Roll::of(20),
            now,
            start: now,
            voice: Voice::Works { begins: Duration::from_millis(100), lasts: Duration::from_secs(3) },
            speaking: None,
            said: Vec::new(),
            events: Vec::new(),
            faces: BTreeMap::new(),
            viewed: BTreeMap::new(),
            looks: 0,
            networks_fail: false,
            frames: 0,
        }
    }

    pub fn ms(&self) -> u64 {
        u64::try_from((self.now - self.start).as_millis()).unwrap()
    }

    /// Shows these people for so long.
    pub fn show(&mut self, ms: u64, people: &[Seen]) -> &mut Self {
        let until = self.now + Duration::from_millis(ms);
        while self.now < until {
            self.frame(people);
        }
        self
    }

    /// One frame.
    pub fn frame(&mut self, people: &[Seen]) {
        self.now += FRAME;
        self.frames += 1;
        self.speak();
        let stir = |seen: &Seen| if seen.still { 1.0 } else { 3.0 };
        let faces: Vec<FoundFace> =
            people.iter().map(|seen| FoundFace { face: seen.face(), stir: stir(seen) }).collect();
        let looks = self.hall.on_frame(self.now, &faces, &self.roll);
        self.looks += looks.len();
        if self.networks_fail {
            return;
        }
        let odd = [0.0, 0.15, 0.3][self.frames as usize % 3];
        let views = looks.into_iter().map(|look| {
            let seen = &people[look.face];
            if !seen.dark {
                self.faces.insert(look.visitor, seen.who);
                self.viewed.insert(seen.who, self.now);
            }
            let view = if seen.unclear {
                Template::mean([(&template(seen.who, odd), 1.0), (&template(50, odd), 1.15)]).unwrap()
            } else {
                template(seen.who, odd)
            };
            let outcome = if seen.dark { Err(Fault::Dark) } else { Ok((view, 0.8)) };
            View { visitor: look.visitor, outcome }
        });
        let views = views.collect();
        let answers = self.hall.on_views(self.now, self.now, views, &self.roll);
        // Whose face a number is, also where nobody looked closely.
        let counted: Vec<(VisitorId, Detection)> =
            self.hall.faces().map(|(visitor, face)| (visitor, face.clone())).collect();
        for (visitor, face) in counted {
            if let Some(seen) = people.iter().find(|seen| seen.face() == face) {
                self.faces.insert(visitor, seen.who);
            }
        }
        for answer in answers {
            self.take(answer);
        }
    }

    fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Event(event) => self.events.push(event),
            Answer::Say(say) => {
                assert!(self.speaking.is_none(), "one thing at a time");
                let people = say.guests.iter().map(|guest| guest.person.map(|person| person.0)).collect();
                let to = say.guests.iter().map(|guest| self.faces.get(&guest.visitor).copied()).collect();
                let (at_ms, kind) = (self.ms(), say.kind);
                let worded = Heard::Worded {
                    id: say.id,
                    ways: say.guests.iter().map(|guest| (guest.visitor, "counter 3".to_owned())).collect(),
                    left_out: Vec::new(),
                };
                self.said.push(Said { at_ms, kind, people, to, say, heard_ms: None, ended_ms: None });
                self.hall.hear(self.now, worded, &self.roll);
                self.hand_over();
            }
            Answer::Chime => {}
            Answer::Hush { id, at_once } => {
                if let Some(speaking) = self.speaking.as_mut().filter(|it| self.said[it.index].say.id == id) {
                    let phrase = if at_once || !speaking.begun { Duration::ZERO } else { Duration::from_millis(900) };
                    speaking.ends_at = speaking.ends_at.min(self.now + phrase);
                    speaking.whole = false;
                    if !speaking.begun {
                        speaking.begins_at = None;
                    }
                }
            }
        }
    }

    fn hand_over(&mut self) {
        let index = self.said.len() - 1;
        let hello = self.said[index].kind == Kind::Hello;
        let (begins_at, ends_at, tells) = match self.voice {
            Voice::Works { begins, lasts } => {
                let lasts = if hello { Duration::from_millis(800) } else { lasts };
                (Some(self.now + begins), self.now + begins + lasts, true)
            }
            Voice::Fails => (None, self.now, true),
            Voice::Loses => (None, self.now, false),
        };
        let whole = begins_at.is_some();
        self.speaking = Some(Speaking { index, begins_at, ends_at, begun: false, whole, tells });
    }

    fn speak(&mut self) {
        let Some(speaking) = &mut self.speaking else { return };
        let id = self.said[speaking.index].say.id;
        let ms = u64::try_from((self.now - self.start).as_millis()).unwrap();
        if !speaking.begun && speaking.begins_at.is_some_and(|at| self.now >= at) {
            speaking.begun = true;
            self.said[speaking.index].heard_ms = Some(ms);
            self.hall.hear(self.now, Heard::Begun { id }, &self.roll);
        }
        let Some(speaking) = &self.speaking else { return };
        if self.now >= speaking.ends_at {
            if speaking.tells {
                self.said[speaking.index].ended_ms = Some(ms);
                self.hall.hear(self.now, Heard::Over { id, whole: speaking.whole }, &self.roll);
            }
            self.speaking = None;
        }
    }

    /// Whom each greeting that was heard named.
    pub fn greeted(&self) -> Vec<Vec<Option<u64>>> {
        self.of_kind(Kind::Greeting).map(|said| said.people.clone()).collect()
    }

    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Said> {
        self.said.iter().filter(move |said| said.kind == kind && said.heard_ms.is_some())
    }

    pub fn ways(&self) -> usize {
        self.of_kind(Kind::Way).count()
    }

    /// When somebody's own greeting was heard for the first time.
    pub fn heard(&self, who: usize) -> Option<u64> {
        self.of_kind(Kind::Greeting).find(|said| said.to.contains(&Some(who)))?.heard_ms
    }

    /// Whether somebody heard a greeting or the way, or somebody who was taken for them, since then.
    pub fn was_heard(&self, who: usize, since_ms: u64) -> bool {
        let told = |said: &&Said| said.kind != Kind::Hello && said.heard_ms.is_some_and(|at| at >= since_ms);
        self.said.iter().rev().take(200).filter(told).any(|said| said.to.contains(&Some(who)))
    }

    pub fn ignored(&self) -> Vec<Why> {
        let why = |event: &VisitEvent| match event {
            VisitEvent::NotAddressed(_, why) => Some(*why),
            _ => None,
        };
        self.events.iter().filter_map(why).collect()
    }

    pub fn decided(&self) -> Vec<Decision> {
        let decision = |event: &VisitEvent| match event {
            VisitEvent::Decided(_, verdict, _) => Some(verdict.decision),
            _ => None,
        };
        self.events.iter().filter_map(decision).collect()
    }

    pub fn returned(&self) -> usize {
        self.events.iter().filter(|event| matches!(event, VisitEvent::Returned(..))).count()
    }

    pub fn speaks(&mut self, who: usize, language: &str) {
        let language = Some(Language::from(language));
        self.roll.about.insert(RecordNumber(who as u64), About { language, staff: false });
    }
}
