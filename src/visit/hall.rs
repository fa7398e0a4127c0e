//! Everybody in front of the robot. Frames, views and what became of greetings go in; looks wanted, what to say to whom and events come out.
//!
//! A frame is told in two steps: [`Hall::on_frame`] with the faces that were found, which answers whom to look at, and [`Hall::on_views`] with what
//! those looks gave, which answers all the rest. Should the second step never come, because a network failed, the next frame goes on
//! from there. `greet` is the rest of it: whose turn it is.
//!
//! Pure: time is a value, nothing here knows a network, a voice or the store. In one frame one person is at most one face.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use super::{
    VisitorId,
    follow::{Trail, Whose, follow},
    lately::Lately,
    pictures::Pictures,
    rules::Rules,
    turn::{Heard, Say, Turn},
    visitor::{Phase, Shown, Visitor, Why},
};
use crate::{
    face::{Detection, FaceBox, Template, quality::Fault},
    gallery::{
        Gallery,
        decision::{Decision, Demands, Verdict},
    },
    person::{Language, RecordNumber},
};

/// Views that are looked at in one frame, at most: more would cost the next frame. The others' turn comes with it.
const LOOKS_A_FRAME: usize = 2;
/// Two faces of one frame as alike as so few pairs of people, the smaller one a mirror's.
const IMAGE_FMR: f64 = 1e-4;
/// A mirror's image is smaller than its owner by this at least: it is twice as far away as the mirror.
const IMAGE_SIZE: f32 = 0.7;
/// Somebody who was told all comes back, and does not only turn round, when they have been away for so long.
const AWAY: Duration = Duration::from_secs(3);
/// Who comes back and looks for so long asks again.
pub(super) const ASKS_AFTER: Duration = Duration::from_secs(2);

/// A face that was found in a frame.
#[derive(Debug, Clone)]
pub struct FoundFace {
    /// Where.
    pub face: Detection,
    /// By how many times the camera's noise its picture has changed in the last moment; about 1 for one that does not move.
    pub stir: f32,
}

/// Whom to look at in this frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Whom.
    pub visitor: VisitorId,
    /// Which of the frame's faces is theirs.
    pub face: usize,
}

/// What a look gave.
#[derive(Debug, Clone)]
pub struct View {
    /// Of whom.
    pub visitor: VisitorId,
    /// A template with its quality, 0 to 1, or why there is none.
    pub outcome: Result<(Template, f32), Fault>,
}

/// Who is enrolled.
pub trait Enrolled {
    /// For searching.
    fn gallery(&self) -> &Gallery;
    /// What a visitor must reach.
    fn demands(&self) -> &Demands;
    /// Whether somebody is enrolled and not on hold.
    fn may_be_named(&self, person: RecordNumber) -> bool;
    /// What a greeting must know of somebody; `None` for who is not enrolled.
    fn about(&self, person: RecordNumber) -> Option<About>;
}

/// What a greeting must know of somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Their own language, if it is known.
    pub language: Option<Language>,
    /// Whether they work here.
    pub staff: bool,
}

/// What follows.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Tell the operator.
    Event(VisitEvent),
    /// Say this now.
    Say(Say),
    /// Play the chime.
    Chime,
    /// End what is being said.
    Hush {
        /// Which.
        id: u64,
        /// Without finishing the phrase.
        at_once: bool,
    },
}

/// What happened in the hall.
#[derive(Debug, Clone, PartialEq)]
pub enum VisitEvent {
    /// A face is near enough to be recognised.
    FaceSeen(VisitorId),
    /// It is decided who a visitor is, for the first time or otherwise than before.
    Decided(VisitorId, Box<Verdict>, Times),
    /// A visitor is back who was told lately.
    Returned(VisitorId, Box<Verdict>, Times),
    /// A visitor is not spoken to.
    NotAddressed(VisitorId, Why),
    /// A visitor has left.
    Left(VisitorId),
}

/// When it came to a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// When the first frame with a usable face of theirs was captured.
    pub face_at: Instant,
    /// When it was decided.
    pub decided_at: Instant,
}

/// See the module.
#[derive(Debug)]
pub struct Hall {
    pub(super) rules: Rules,
    pub(super) visitors: Vec<Visitor>,
    pub(super) lately: Lately,
    pub(super) turn: Turn,
    /// Whose name somebody else has with more right.
    pub(super) claimed: BTreeSet<VisitorId>,
    pub(super) answers: Vec<Answer>,
    pictures: Pictures,
    last: u64,
}

impl Hall {
    /// An empty hall.
    pub fn new(rules: Rules) -> Self {
        Self {
            lately: Lately::new(rules.cool_down),
            rules,
            visitors: Vec::new(),
            turn: Turn::default(),
            claimed: BTreeSet::new(),
            answers: Vec::new(),
            pictures: Pictures::default(),
            last: 0,
        }
    }

    /// Everybody has left as far as is known, such as when seeing has failed. Who was told something lately is not forgotten.
    pub fn everybody_left(&mut self) {
        for visitor in std::mem::take(&mut self.visitors).iter().filter(|visitor| visitor.met) {
            self.answers.push(Answer::Event(VisitEvent::Left(visitor.id)));
        }
        self.claimed.clear();
    }

    /// Where to look for the faces that were there a moment ago.
    pub fn followed(&self) -> Vec<FaceBox> {
        self.visitors.iter().map(Visitor::bounds).collect()
    }

    /// Everybody near whom the last frame showed.
    pub fn in_sight(&self) -> impl Iterator<Item = VisitorId> + '_ {
        self.visitors.iter().filter(|visitor| visitor.in_sight && visitor.met).map(|visitor| visitor.id)
    }

    /// How many visitors there are a record of, and people who were here lately.
    pub fn remembered(&self) -> (usize, usize) {
        (self.visitors.len(), self.lately.remembered())
    }

    /// The faces that count in the last frame: each was found in the one before, too.
    pub fn faces(&self) -> impl Iterator<Item = (VisitorId, &Detection)> {
        self.visitors.iter().filter(|visitor| visitor.in_sight && visitor.counts).map(|it| (it.id, &it.face))
    }

    /// Takes the faces of a frame captured at `now`, and says whom to look at.
    pub fn on_frame(&mut self, now: Instant, faces: &[FoundFace], enrolled: &dyn Enrolled) -> Vec<Look> {
        self.forget(now);
        let trail = |visitor: &Visitor| Trail {
            bounds: visitor.bounds(),
            ago: now.saturating_duration_since(visitor.found_at),
            in_sight: visitor.in_sight,
        };
        let trails: Vec<Trail> = self.visitors.iter().map(trail).collect();
        let boxes: Vec<FaceBox> = faces.iter().map(|found| found.face.bounds).collect();
        let (mut seen, mut of) = (vec![false; trails.len()], Vec::new());
        for (found, whose) in faces.iter().zip(follow(&trails, &boxes)) {
            let at = match whose {
                Whose::New => self.begin(now, found),
                Whose::Same(at) | Whose::Either(at) => {
                    seen[at] = true;
                    if matches!(whose, Whose::Either(_)) {
                        self.visitors[at].start_anew();
                    }
                    self.visitors[at].found(now, &found.face, found.stir, &self.rules);
                    at
                }
            };
            of.push(at);
        }
        for (visitor, seen) in self.visitors.iter_mut().zip(seen) {
            visitor.in_sight &= seen;
        }
        self.find_pictures(now);
        self.meet();
        self.looks(now, &of, enrolled.demands())
    }

    fn begin(&mut self, now: Instant, found: &FoundFace) -> usize {
        self.last += 1;
        self.visitors.push(Visitor::new(VisitorId(self.last), now, found.face.clone(), found.stir));
        self.visitors.len() - 1
    }

    /// Whoever is gone has left.
    fn forget(&mut self, now: Instant) {
        let rules = &self.rules;
        let here = |visitor: &Visitor| {
            // A face in a single frame is waited for no longer than others are followed.
            let lasts = if visitor.counts { rules.gone_after } else { super::follow::NO_FRAME };
            now.saturating_duration_since(visitor.found_at) < lasts
        };
        let left = self.visitors.iter().filter(|visitor| !here(visitor) && visitor.met);
        self.answers.extend(left.map(|visitor| Answer::Event(VisitEvent::Left(visitor.id))));
        self.visitors.retain(here);
    }

    /// Nobody is met from afar.
    fn meet(&mut self) {
        for visitor in self.visitors.iter_mut().filter(|visitor| visitor.counts && visitor.in_sight && !visitor.met) {
            if visitor.is_near(&self.rules) {
                visitor.met = true;
                self.answers.push(Answer::Event(VisitEvent::FaceSeen(visitor.id)));
            }
        }
    }

    fn find_pictures(&mut self, now: Instant) {
        for visitor in self.visitors.iter_mut().filter(|visitor| visitor.in_sight && visitor.counts) {
            let known = self.pictures.is_one(&visitor.face);
            match visitor.phase {
                Phase::Unaddressed(Why::Picture) => self.pictures.note(now, &visitor.face),
                Phase::Passing { .. } if known => {
                    visitor.motion.doubt();
                    visitor.phase = Phase::Unaddressed(Why::Picture);
                }
                _ => {}
            }
        }
    }

    fn looks(&mut self, now: Instant, of: &[usize], demands: &Demands) -> Vec<Look> {
        let greeted: Vec<VisitorId> = match self.turn.saying() {
            Some(saying) => saying.listeners.iter().map(|listener| listener.guest.visitor).collect(),
            None => Vec::new(),
        };
        let mut wanted: Vec<(u32, usize, usize)> = Vec::new();
        for (face, &at) in of.iter().enumerate() {
            let visitor = &self.visitors[at];
            let overdue = visitor.overdue(now, &self.rules, demands, greeted.contains(&visitor.id));
            wanted.extend(overdue.map(|overdue| (overdue, face, at)));
        }
        wanted.sort_by_key(|(overdue, ..)| std::cmp::Reverse(*overdue));
        wanted.truncate(LOOKS_A_FRAME);
        let look = |(_, face, at): (u32, usize, usize)| {
            self.visitors[at].looked(now);
            Look { visitor: self.visitors[at].id, face }
        };
        wanted.into_iter().map(look).collect()
    }

    /// Takes what the looks at this frame gave, and says what follows from all of it. `ready_at`: when they had given it.
    pub fn on_views(
        &mut self,
        now: Instant,
        ready_at: Instant,
        views: Vec<View>,
        enrolled: &dyn Enrolled,
    ) -> Vec<Answer> {
        for view in views {
            self.view(now, view, enrolled);
        }
        for visitor in self.visitors.iter_mut().filter(|visitor| visitor.in_sight && visitor.counts) {
            if visitor.person().is_some_and(|person| enrolled.about(person).is_none()) {
                visitor.forget_who();
            }
            visitor.decide(ready_at, enrolled.gallery(), enrolled.demands());
        }
        self.find_images(enrolled.demands());
        self.settle_claims(now);
        self.settle(now, enrolled);
        self.greet(now, enrolled);
        std::mem::take(&mut self.answers)
    }

    fn view(&mut self, now: Instant, view: View, enrolled: &dyn Enrolled) {
        let Some(at) = self.visitors.iter().position(|visitor| visitor.id == view.visitor) else { return };
        let visitor = &mut self.visitors[at];
        let (template, quality) = match view.outcome {
            Ok(view) => view,
            Err(fault) => return visitor.pass_over(fault),
        };
        let own = visitor.person().and_then(|person| enrolled.gallery().score_of(person, &template));
        if visitor.view(now, &template, quality, own, enrolled.demands()) == Shown::Another {
            self.last += 1;
            let mut new = visitor.replaced(VisitorId(self.last), now, (template, quality));
            std::mem::swap(&mut self.visitors[at], &mut new);
            self.replace(new.id);
            if new.met {
                self.answers.push(Answer::Event(VisitEvent::Left(new.id)));
            }
            self.meet();
        }
    }

    /// A face so like a larger one beside it that only a mirror shows it. Whoever is identified as somebody else is none.
    fn find_images(&mut self, demands: &Demands) {
        let bar = demands.non_mates.score_at(IMAGE_FMR);
        let is_image = |small: &Visitor, large: &Visitor| {
            let smaller = small.face.eye_distance() < IMAGE_SIZE * large.face.eye_distance();
            let others = small.person().is_some() && large.person().is_some() && small.person() != large.person();
            let alike = small.template().zip(large.template()).is_some_and(|(a, b)| a.score(b) >= bar);
            smaller && alike && !others && large.in_sight && large.motion.lives()
        };
        let images: Vec<bool> =
            self.visitors.iter().map(|small| self.visitors.iter().any(|large| is_image(small, large))).collect();
        for (visitor, image) in self.visitors.iter_mut().zip(images) {
            match visitor.phase {
                Phase::Passing { .. } | Phase::Waiting { .. } if image => {
                    visitor.phase = Phase::Unaddressed(Why::Image);
                    self.answers.push(Answer::Event(VisitEvent::NotAddressed(visitor.id, Why::Image)));
                }
                // Its owner has gone, so it was none.
                Phase::Unaddressed(Why::Image) if !image && visitor.in_sight => {
                    visitor.phase = Phase::Passing { looks_since: None };
                }
                _ => {}
            }
        }
    }

    /// Of several faces that claim one person, whoever was told by that name keeps it, then the most alike has it.
    fn settle_claims(&mut self, now: Instant) {
        let mut holders: BTreeMap<RecordNumber, (f32, VisitorId)> = BTreeMap::new();
        let claims = self.visitors.iter().filter(|visitor| visitor.in_sight);
        for visitor in claims.filter(|it| !matches!(it.phase, Phase::Unaddressed(Why::Picture | Why::Image))) {
            let Some(person) = visitor.person() else { continue };
            let told = matches!(visitor.phase, Phase::Told | Phase::Returning { .. } | Phase::Addressed { .. });
            let score = visitor.verdict.and_then(|verdict| verdict.best.first).map_or(0.0, |first| first.score);
            let right = if told && !visitor.is_odd() && visitor.is_vouched_for(now) { 2.0 + score } else { score };
            let holder = holders.entry(person).or_insert((right, visitor.id));
            if right > holder.0 {
                *holder = (right, visitor.id);
            }
        }
        let lost = |visitor: &&Visitor| {
            let holder = visitor.person().and_then(|person| holders.get(&person));
            holder.is_some_and(|(_, holder)| *holder != visitor.id)
        };
        self.claimed = self.visitors.iter().filter(lost).map(|visitor| visitor.id).collect();
    }

    /// Everybody whom the last frame showed.
    pub(super) fn seen(&self) -> Vec<VisitorId> {
        self.visitors.iter().filter(|visitor| visitor.in_sight).map(|visitor| visitor.id).collect()
    }

    /// What follows for each visitor from what is decided about them.
    fn settle(&mut self, now: Instant, enrolled: &dyn Enrolled) {
        let non_mates = &enrolled.demands().non_mates;
        let seen = self.seen();
        for visitor in self.visitors.iter_mut().filter(|visitor| visitor.in_sight && visitor.counts) {
            let waits = matches!(visitor.phase, Phase::Waiting { .. });
            if let Phase::Unaddressed(Why::Picture) = visitor.phase
                && visitor.told.is_none()
            {
                // Told once; nothing is decided about a picture.
                visitor.told = Some(Decision::Stranger);
                self.answers.push(Answer::Event(VisitEvent::NotAddressed(visitor.id, Why::Picture)));
            }
            let (true, Some(verdict)) = (waits, visitor.verdict) else {
                if let Phase::Told | Phase::Returning { .. } = visitor.phase {
                    self.lately.note(now, visitor.id, visitor.traits(), non_mates);
                }
                continue;
            };
            let claimed = self.claimed.contains(&visitor.id);
            let verdict = if claimed { verdict.claimed_by_another() } else { verdict };
            let face_at = visitor.face_at.unwrap_or(now);
            let times = Times { face_at, decided_at: visitor.decided_at.unwrap_or(now) };
            let person = match verdict.decision {
                Decision::Identified(person) => Some(person),
                Decision::Unsure | Decision::Stranger => None,
            };
            let traits = super::lately::Traits { person, ..visitor.traits() };
            if let Some((guest, away)) = self.lately.guest(now, &traits, non_mates, &seen) {
                // Who has heard it all and only turned round asks nothing.
                let asks = (!guest.heard_all || away >= AWAY).then_some(ASKS_AFTER);
                visitor.phase = Phase::Returning { looks_since: Some(now), asks };
                visitor.told = Some(verdict.decision);
                self.lately.note(now, visitor.id, traits, non_mates);
                self.answers.push(Answer::Event(VisitEvent::Returned(visitor.id, Box::new(verdict), times)));
                continue;
            }
            if visitor.told != Some(verdict.decision) {
                visitor.told = Some(verdict.decision);
                self.answers.push(Answer::Event(VisitEvent::Decided(visitor.id, Box::new(verdict), times)));
            }
            if person.and_then(|person| enrolled.about(person)).is_some_and(|about| about.staff) {
                visitor.phase = Phase::Unaddressed(Why::Staff);
                self.answers.push(Answer::Event(VisitEvent::NotAddressed(visitor.id, Why::Staff)));
            }
        }
    }

    /// Takes what became of something that was to be said.
    pub fn hear(&mut self, now: Instant, heard: Heard, enrolled: &dyn Enrolled) {
        self.heard(now, heard, &enrolled.demands().non_mates);
    }
}
