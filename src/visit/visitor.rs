//! One visitor, one record: where they are, what was seen of them and when, who they are and on what evidence, what they have been told.
//!
//! A visitor is one unbroken sight of a face. What is known belongs to that sight and not to a place in the picture: after a gap, a jump or
//! a look at somebody else's face it is another visitor, who is known anew; that it is the same person is for [`super::lately`] to find out, by
//! their face. So nobody inherits a name, and nobody's clock runs while they are not seen.
//!
//! ```text
//!            looks, stays, lives            decided, and the            their greeting
//!                                           loudspeaker is free         begins to sound
//!  Passing ---------------------> Waiting ----------------------> Addressed ---------> Told
//!     ^                            |    ^                           |
//!     | moves after all            |    +---------------------------+
//!     |                            |       it was not heard
//!  Unaddressed <---- is staff -----+
//!     ^  does not live,            |
//!     |  or is an image            +---- was told lately ----> Returning -- looks 2 s --> is told the way
//! ```
//!
//! - **Passing**: near or far, but not yet looking. A face counts as looking while it is near, turned to the robot, and does not walk by.
//! - **Waiting**: has looked for `visit.attention_ms`. Whoever waits is greeted as soon as the loudspeaker is free and it is decided who
//!   they are, however long that takes.
//! - **Addressed**: their greeting was handed to the voice, which has not begun. If it does not come to that, they wait again.
//! - **Told**: their own greeting began to sound, or was shown.
//! - **Returning**: was told lately. Silence, unless they come back from somewhere and look at the robot for two seconds: then the way.
//! - **Unaddressed**: staff, a picture, or an image of somebody who stands there.
//!
//! Pure: time is a value.

use std::time::{Duration, Instant};

use super::{
    VisitorId,
    lately::Traits,
    motion::{self, Motion},
    rules::Rules,
};
use crate::{
    face::{
        Detection, FaceBox, Template,
        quality::{self, Fault},
    },
    gallery::{
        decision::{Decision, Demands, Evidence, Verdict},
        grounds::PassedOver,
    },
    person::{Language, RecordNumber},
};

/// The share of different people whom one view may take for the same: then the next one tells.
const SAME_FMR: f64 = 0.01;
/// Two views in turn that show somebody else are somebody else, if no more time lies between them.
const ODD_LASTS: Duration = Duration::from_millis(600);
/// A name is spoken only to somebody whom a view of this last moment showed to be its owner.
pub const LAST_MOMENT: Duration = Duration::from_millis(300);
/// Who has not been named when the time is up is looked at in every frame for so long: until they are addressed a name may still come.
const LAST_CHANCE: Duration = Duration::from_millis(150);
/// How often a visitor is looked at who has been told everything: two views show that somebody else stands there, within half a second.
const WATCHING: Duration = Duration::from_millis(180);
/// A face that has not moved in so long is a picture.
const PICTURE_AFTER: Duration = Duration::from_millis(1500);
/// A face turned away for so long may be somebody else's when it turns back.
const TURNED_AWAY: Duration = Duration::from_millis(150);

/// Where a visit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not looking, or not for long enough.
    Passing {
        /// Since when they do.
        looks_since: Option<Instant>,
    },
    /// Looks at the robot and is to be greeted.
    Waiting {
        /// Since when.
        since: Instant,
    },
    /// Their greeting is with the voice.
    Addressed {
        /// Since when they wait.
        since: Instant,
        /// Which.
        by: u64,
    },
    /// Has heard or could read it.
    Told,
    /// Was told lately.
    Returning {
        /// Since when they look, if they do now.
        looks_since: Option<Instant>,
        /// Who looks for so long is told the way again: whoever has been away, or did not hear it all.
        asks: Option<Duration>,
    },
    /// Is not spoken to.
    Unaddressed(Why),
}

/// Why somebody is not spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Their category is `staff`.
    Staff,
    /// The face never moves: a poster.
    Picture,
    /// The face is that of somebody larger who stands there too: a mirror.
    Image,
}

/// What a view showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The same person as before, or the first view.
    Same,
    /// Perhaps somebody else: the next view tells.
    Odd,
    /// Somebody else.
    Another,
}

/// See the module.
#[derive(Debug)]
pub struct Visitor {
    /// Their number.
    pub id: VisitorId,
    /// Where they were found last.
    pub face: Detection,
    /// When.
    pub found_at: Instant,
    /// Whether the last frame showed them.
    pub in_sight: bool,
    /// How they move.
    pub motion: Motion,
    /// Where the visit stands.
    pub phase: Phase,
    /// What is decided so far.
    pub verdict: Option<Verdict>,
    /// When it was decided for the first time, or with a name at last.
    pub decided_at: Option<Instant>,
    /// When the first frame with a usable face was captured.
    pub face_at: Option<Instant>,
    /// Whether they count: a face in a single frame may be a pattern on a coat.
    pub counts: bool,
    /// Whether they were near enough to be told of.
    pub met: bool,
    /// The outcome that was told last.
    pub told: Option<Decision>,
    /// When they heard a hello of their own, and in which language.
    pub hello_at: Option<(Instant, Language)>,
    since: Instant,
    usable_at: Option<Instant>,
    turned_at: Option<Instant>,
    watched: Duration,
    evidence: Evidence,
    mean: Option<Template>,
    /// Whose face it was before it had to be known anew.
    former: Option<Template>,
    odd: Option<(Template, f32, Instant)>,
    looked_at: Option<Instant>,
    vouched_at: Option<Instant>,
    /// When they were last vouched for, or would have to be.
    doubted_at: Option<Instant>,
    changed: bool,
    passed_over: PassedOver,
}

impl Visitor {
    /// A face that was found for the first time.
    pub fn new(id: VisitorId, now: Instant, face: Detection, stir: f32) -> Self {
        let mut motion = Motion::default();
        motion.note(now, &face, stir);
        Self {
            id,
            face,
            found_at: now,
            in_sight: true,
            motion,
            phase: Phase::Passing { looks_since: None },
            verdict: None,
            decided_at: None,
            face_at: None,
            counts: false,
            met: false,
            told: None,
            hello_at: None,
            since: now,
            usable_at: None,
            turned_at: None,
            watched: Duration::ZERO,
            evidence: Evidence::default(),
            mean: None,
            former: None,
            odd: None,
            looked_at: None,
            vouched_at: None,
            doubted_at: None,
            changed: false,
            passed_over: PassedOver::default(),
        }
    }

    /// Somebody else stands where this visitor was: a record of their own, which begins with the views that showed it.
    pub fn replaced(&mut self, id: VisitorId, now: Instant, view: (Template, f32)) -> Self {
        let (template, quality, at) = self.odd.take().unwrap_or((view.0.clone(), view.1, now));
        let mut new = Self::new(id, at, self.face.clone(), 0.0);
        // The place's motion was theirs for a while, and whoever took it moved.
        (new.motion, new.found_at, new.in_sight, new.counts) =
            (self.motion.clone(), self.found_at, self.in_sight, true);
        (new.face_at, new.usable_at, new.watched) = (Some(at), Some(now), now.saturating_duration_since(at));
        new.phase = Phase::Passing { looks_since: Some(at) };
        new.evidence.add(template, quality);
        new.keep(view.0, view.1);
        new
    }

    /// Takes a frame in which they were found.
    pub fn found(&mut self, now: Instant, face: &Detection, stir: f32, rules: &Rules) {
        // In the first frame that counts, the one before it counts, too: it showed them, and this one confirmed it.
        let from = if self.counts { now } else { self.since };
        let unbroken = self.in_sight;
        (self.face, self.found_at, self.in_sight, self.counts) = (face.clone(), now, true, true);
        self.motion.note(now, face, stir);
        self.watch(now, from, unbroken, rules);
        self.attend(now, from, rules);
    }

    /// What is known was seen of somebody who has turned away since, or of one of two who covered each other: it holds no longer, but for
    /// what they have been told. Whoever is shown to be somebody else then is another visitor.
    pub fn start_anew(&mut self) {
        if let Phase::Passing { .. } | Phase::Waiting { .. } = self.phase {
            self.phase = Phase::Passing { looks_since: None };
            self.former = self.mean.take().or(self.former.take());
            (self.evidence, self.odd) = (Evidence::default(), None);
            (self.verdict, self.told, self.decided_at) = (None, None, None);
            (self.face_at, self.usable_at, self.watched) = (None, None, Duration::ZERO);
            self.passed_over = PassedOver::default();
        }
        (self.vouched_at, self.doubted_at) = (None, None);
    }

    /// Time counts while the face is in sight and can be used. `unbroken`: the frame before showed it, too.
    fn watch(&mut self, now: Instant, from: Instant, unbroken: bool, rules: &Rules) {
        if let Some(fault) = self.fault(rules) {
            self.passed_over.note(fault);
            self.usable_at = None;
            if fault == Fault::Turned {
                self.turned_at.get_or_insert(now);
            }
            return;
        }
        let turned = self.turned_at.take().is_some_and(|at| now.saturating_duration_since(at) > TURNED_AWAY);
        if turned {
            self.start_anew();
        }
        self.face_at.get_or_insert(if turned { now } else { from });
        let before = self.usable_at.filter(|_| unbroken).unwrap_or(if turned { now } else { from });
        self.watched += now.saturating_duration_since(before);
        self.usable_at = Some(now);
    }

    fn fault(&self, rules: &Rules) -> Option<Fault> {
        if !self.is_near(rules) {
            return Some(Fault::TooFar);
        }
        (quality::yaw_degrees(&self.face).abs() > quality::MAX_YAW_DEGREES).then_some(Fault::Turned)
    }

    /// Near enough to be recognised and addressed.
    pub fn is_near(&self, rules: &Rules) -> bool {
        self.face.eye_distance() >= rules.min_eye_distance_px
    }

    fn attend(&mut self, now: Instant, from: Instant, rules: &Rules) {
        let turned = quality::yaw_degrees(&self.face).abs() > rules.max_yaw_degrees;
        let looks = self.is_near(rules) && !turned && !self.motion.walks_by();
        let since = |since: Option<Instant>| looks.then(|| since.unwrap_or(from));
        match &mut self.phase {
            Phase::Passing { looks_since } => {
                *looks_since = since(*looks_since);
                let long_enough =
                    looks_since.is_some_and(|since| now.saturating_duration_since(since) >= rules.attention);
                if long_enough && self.motion.lives() {
                    self.phase = Phase::Waiting { since: now };
                } else if !self.motion.lives() && now.saturating_duration_since(self.since) >= PICTURE_AFTER {
                    self.phase = Phase::Unaddressed(Why::Picture);
                }
            }
            Phase::Returning { looks_since, .. } => *looks_since = since(*looks_since),
            Phase::Unaddressed(Why::Picture) if self.motion.lives() => {
                self.phase = Phase::Passing { looks_since: since(None) };
            }
            _ => {}
        }
    }

    /// How overdue a look at them is, in thousandths of the time between two looks, if one is due and they can be looked at. Who is looked at
    /// less often waits longer, but nobody is passed over for ever.
    pub fn overdue(&self, now: Instant, rules: &Rules, demands: &Demands, being_greeted: bool) -> Option<u32> {
        if !self.in_sight || !self.counts || self.fault(rules).is_some() {
            return None;
        }
        let told = matches!(self.phase, Phase::Told | Phase::Returning { .. });
        let over_time = self.watched.checked_sub(demands.decide_within);
        let hurries = self.person().is_none() && over_time.is_some_and(|over| over < LAST_CHANCE);
        let every = match self.phase {
            Phase::Unaddressed(_) => return None,
            _ if told && !being_greeted => WATCHING,
            _ if hurries => Duration::ZERO,
            _ => rules.view_every,
        };
        let Some(looked_at) = self.looked_at.filter(|_| self.odd.is_none()) else { return Some(u32::MAX) };
        let waited = now.saturating_duration_since(looked_at);
        let share = waited.as_secs_f32() / every.as_secs_f32().max(0.001);
        (waited >= every).then_some((share * 1000.0) as u32)
    }

    /// They are being looked at.
    pub fn looked(&mut self, now: Instant) {
        self.looked_at = Some(now);
    }

    /// Their view in this frame cannot be used.
    pub fn pass_over(&mut self, fault: Fault) {
        self.passed_over.note(fault);
        // The next frame may be better.
        self.looked_at = None;
    }

    /// Takes a view. `own`: its score with the row of the person as whom they are identified.
    pub fn view(
        &mut self,
        now: Instant,
        template: &Template,
        quality: f32,
        own: Option<f32>,
        demands: &Demands,
    ) -> Shown {
        let bar = demands.non_mates.score_at(SAME_FMR);
        let vouched = own.is_some_and(|score| score >= bar);
        let former = || self.former.as_ref().map(|former| former.score(template));
        let alike = self.evidence.likeness(template).or_else(former).is_none_or(|score| score >= bar);
        if !vouched && !alike {
            let before = self.odd.as_ref().is_some_and(|(.., at)| now.saturating_duration_since(*at) <= ODD_LASTS);
            self.vouched_at = None;
            if before {
                return Shown::Another;
            }
            self.odd = Some((template.clone(), quality, now));
            return Shown::Odd;
        }
        if vouched {
            (self.vouched_at, self.doubted_at) = (Some(now), Some(now));
        }
        self.keep(template.clone(), quality);
        Shown::Same
    }

    fn keep(&mut self, template: Template, quality: f32) {
        self.odd = None;
        self.evidence.add(template, quality);
        self.mean = self.evidence.mean();
        self.changed = true;
    }

    /// Decides again unless they are identified. `now`: when the views were ready.
    pub fn decide(&mut self, now: Instant, gallery: &crate::gallery::Gallery, demands: &Demands) {
        let identified = self.person().is_some();
        if identified || (self.verdict.is_some() && !self.changed) || self.face_at.is_none() || self.odd.is_some() {
            return;
        }
        self.changed = false;
        let Some(mut verdict) = self.evidence.decide(self.watched, gallery, demands) else { return };
        verdict.grounds.passed_over = self.passed_over;
        let named = match verdict.decision {
            Decision::Identified(person) => Some(person),
            Decision::Unsure | Decision::Stranger => None,
        };
        if self.verdict.is_none() || named.is_some() {
            self.decided_at = Some(now);
        }
        self.verdict = Some(verdict);
        if let Some(person) = named {
            // The views that named them are of this moment; each of the last ones must be like the person's row by itself.
            let bar = demands.non_mates.score_at(SAME_FMR);
            let last = self.evidence.newest().and_then(|view| gallery.score_of(person, view));
            self.vouched_at = last.filter(|score| *score >= bar).and(self.looked_at);
        }
    }

    /// It no longer holds who they are: that person is not enrolled any more.
    pub fn forget_who(&mut self) {
        (self.verdict, self.vouched_at, self.changed) = (None, None, true);
    }

    /// Who they are, if they are identified.
    pub fn person(&self) -> Option<RecordNumber> {
        match self.verdict.as_ref()?.decision {
            Decision::Identified(person) => Some(person),
            Decision::Unsure | Decision::Stranger => None,
        }
    }

    /// Whether a view of the last moment showed whom they are identified as.
    pub fn is_vouched_for(&self, now: Instant) -> bool {
        self.vouched_at.is_some_and(|at| now.saturating_duration_since(at) <= LAST_MOMENT)
    }

    /// For how long no view has shown whom they are identified as.
    pub fn doubted_for(&self, now: Instant) -> Duration {
        let from = self.doubted_at.or(self.decided_at).unwrap_or(now);
        if self.is_vouched_for(now) { Duration::ZERO } else { now.saturating_duration_since(from) }
    }

    /// For how long this sight of them has lasted.
    pub fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// Whether somebody else may stand there by now.
    pub fn is_odd(&self) -> bool {
        self.odd.is_some()
    }

    /// Their views as one template.
    pub fn template(&self) -> Option<&Template> {
        self.mean.as_ref()
    }

    /// Their box.
    pub fn bounds(&self) -> FaceBox {
        self.face.bounds
    }

    /// What they are recognised by.
    pub fn traits(&self) -> Traits {
        let like = self.verdict.as_ref().and_then(|verdict| verdict.best.first).map(|first| first.person);
        let place = Some((motion::eyes(&self.face), self.face.eye_distance()));
        Traits { person: self.person(), like, face: self.mean.clone(), place }
    }

    /// Whether they may still be greeted.
    pub fn is_to_be_greeted(&self) -> bool {
        self.met && matches!(self.phase, Phase::Passing { .. } | Phase::Waiting { .. })
    }

    /// Whether they wait or have begun to look at the robot: should they not be ready yet, whoever is greeted now waits a little for them.
    pub fn is_awaited(&self) -> bool {
        match self.phase {
            Phase::Passing { looks_since } => looks_since.is_some() && self.motion.lives(),
            Phase::Waiting { .. } => true,
            _ => false,
        }
    }

    /// Since when they wait to be greeted.
    pub fn waits_since(&self) -> Option<Instant> {
        match self.phase {
            Phase::Waiting { since } => Some(since),
            _ => None,
        }
    }
}
