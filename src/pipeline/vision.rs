//! The vision stage: finds and follows the faces of each frame, embeds their best views, and decides who they are.
//!
//! Time is the frame's own, so a recording gives the same decisions however fast it is played.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use image::RgbImage;

use super::roll::{CurrentRoll, Roll};
use crate::{
    camera::Frame,
    config::Config,
    face::{
        ModelError, Template,
        align::{self, Upright},
        eyes::Eyes,
        lighting::Lighting,
        networks::Networks,
        quality::{self, Fault, Quality},
    },
    gallery::{
        decision::{Decision, Evidence, Verdict},
        grounds::PassedOver,
    },
    visit::{
        encounter::SeenFace,
        tracker::{Followed, TrackId, Tracker},
        views::ViewPicker,
    },
};

/// How often a visitor is looked at of whom nothing more is to be decided: two views show that another person stands in their place, and
/// that is to be noticed within half a second.
const WATCHING: Duration = Duration::from_millis(200);
/// A name is spoken only to somebody of whom a view of this last moment showed the same person.
const LAST_MOMENT: Duration = Duration::from_millis(300);
/// Who has not been named when the time is up is looked at in every frame for so long: until they are addressed a name may still come.
const LAST_CHANCE: Duration = Duration::from_millis(150);
/// Views that are embedded in one frame, at most: more would cost the next frame. The others' turn comes with it.
const VIEWS_A_FRAME: usize = 2;

/// What one frame showed.
#[derive(Debug)]
pub struct Sighting {
    /// When the frame was captured.
    pub at: Instant,
    /// The faces that count.
    pub faces: Vec<SeenFace>,
    /// Visitors who are gone.
    pub gone: Vec<TrackId>,
    /// Who was decided in this frame, for the first time or with a name at last.
    pub decided: Vec<FirstDecision>,
    /// Views that were embedded in this frame.
    pub embedded: usize,
    /// The light; `None` without a frame.
    pub lighting: Option<Lighting>,
    /// Where the time went.
    pub times: Times,
}

impl Sighting {
    /// Of an empty frame.
    fn of(at: Instant) -> Self {
        let (faces, gone, decided) = (Vec::new(), Vec::new(), Vec::new());
        Self { at, faces, gone, decided, embedded: 0, lighting: None, times: Times::default() }
    }
}

/// When it was decided who a visitor is, so that it is worth telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstDecision {
    /// Whom it is about.
    pub track: TrackId,
    /// When the first frame with a usable face was captured.
    pub face_at: Instant,
    /// When it was decided.
    pub decided_at: Instant,
}

/// How long each part of a frame's work took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// From capture until the stage began with the frame.
    pub wait: Duration,
    /// Finding and following.
    pub find: Duration,
    /// Aligning and judging views.
    pub align: Duration,
    /// Embedding.
    pub embed: Duration,
    /// Searching and deciding.
    pub search: Duration,
}

/// What is known of one followed face.
struct Visitor {
    /// When the first frame with a usable face was captured.
    usable_since: Option<Instant>,
    /// When the last one was, if the last frame was one.
    usable_at: Option<Instant>,
    /// How long the face has been usable altogether.
    watched: Duration,
    picker: ViewPicker<(Quality, Upright)>,
    evidence: Evidence,
    face: Option<Arc<Template>>,
    /// When the last view came.
    viewed_at: Option<Instant>,
    /// Whether a view came since the last decision.
    changed: bool,
    verdict: Option<Verdict>,
    /// Frames whose view of the face could not be used.
    passed_over: PassedOver,
}

/// The stage.
pub struct Vision {
    networks: Networks,
    eyes: Eyes,
    tracker: Tracker,
    visitors: BTreeMap<TrackId, Visitor>,
    roll: CurrentRoll,
    demands: quality::Demands,
    embed_every: Duration,
}

impl Vision {
    /// Ready for its first frame.
    pub fn new(networks: Networks, roll: CurrentRoll, config: &Config) -> Self {
        Self {
            networks,
            eyes: Eyes::new(&config.face),
            tracker: Tracker::new(Duration::from_millis(config.visit.gone_after_ms)),
            visitors: BTreeMap::new(),
            roll,
            demands: quality::Demands {
                min_eye_distance_px: config.face.min_eye_distance_px,
                // Who is addressed is another question (`visit.max_yaw_degrees`): a face turned this far is still recognised.
                max_yaw_degrees: quality::MAX_YAW_DEGREES,
            },
            embed_every: Duration::from_secs(1) / config.face.embed_per_second,
        }
    }

    /// Works through one frame.
    ///
    /// # Errors
    /// When a network fails.
    pub fn on_frame(&mut self, frame: &Frame) -> Result<Sighting, ModelError> {
        let now = frame.captured_at;
        let mut clock = StopWatch::starts();
        let mut times = Times { wait: now.elapsed(), ..Times::default() };
        let followed = self.tracker.followed();
        let found = self.eyes.look(&mut self.networks, &frame.rgb, now, &followed)?;
        let lighting = Some(Lighting::of(&frame.rgb, &found));
        let update = self.tracker.update(now, found);
        times.find = clock.lap();

        let mut seen: Vec<(Followed, f32)> = Vec::new();
        let mut chosen: Vec<(TrackId, Quality)> = Vec::new();
        let mut uprights: Vec<Upright> = Vec::new();
        let mut faces = update.faces;
        // Of whom least is known comes first.
        faces.sort_by_key(|followed| self.visitors.get(&followed.track).map_or(0, |visitor| visitor.evidence.views()));
        for mut followed in faces {
            // A face that is new here was found in the frame before, which this one confirmed. How long one has been followed from afar
            // says nothing of how long it has been looked at.
            if self.visitors.contains_key(&followed.track) {
                followed.since = now;
            }
            let yaw = quality::yaw_degrees(&followed.face);
            let room = chosen.len() < VIEWS_A_FRAME;
            if let Some((quality, upright)) = self.view(now, &followed, &frame.rgb, room) {
                chosen.push((followed.track, quality));
                uprights.push(upright);
            }
            seen.push((followed, yaw));
        }
        times.align = clock.lap();

        let views = self.networks.recogniser.embed_views(&uprights)?;
        times.embed = clock.lap();

        let mut sighting = Sighting { gone: update.gone, embedded: uprights.len(), lighting, ..Sighting::of(now) };
        for ((track, quality), view) in chosen.iter().zip(views) {
            let Some(view) = view else { continue };
            if !self.visitor(*track).add(now, view.template, quality.embedded(view.certainty).score()) {
                let new = self.replaced(*track);
                seen.iter_mut().filter(|(it, _)| it.track == *track).for_each(|(it, _)| it.track = new);
                sighting.gone.push(*track);
            }
        }
        let (current, every) = (self.roll.clone(), self.embed_every);
        let roll = current.get();
        for (followed, yaw_degrees) in seen {
            let near = followed.face.eye_distance() >= self.demands.min_eye_distance_px;
            let visitor = self.visitor(followed.track);
            if visitor.decide(&roll, every) {
                let face_at = visitor.usable_since.unwrap_or(now);
                sighting.decided.push(FirstDecision { track: followed.track, face_at, decided_at: Instant::now() });
            }
            sighting.faces.push(SeenFace {
                track: followed.track,
                since: followed.since,
                near,
                yaw_degrees,
                verdict: visitor.verdict,
                certain: visitor.is_certain(now),
                face: visitor.face.clone(),
            });
        }
        drop(roll);
        sighting.gone.iter().for_each(|track| drop(self.visitors.remove(track)));
        times.search = clock.lap();
        sighting.times = times;
        Ok(sighting)
    }

    /// There is no frame: whoever was there is gone in the end.
    pub fn without_frames(&mut self, now: Instant) -> Sighting {
        let gone = self.tracker.update(now, Vec::new()).gone;
        gone.iter().for_each(|track| drop(self.visitors.remove(track)));
        Sighting { gone, ..Sighting::of(now) }
    }

    /// Another person stands where `track` was: what the last view showed goes on under a new number.
    fn replaced(&mut self, track: TrackId) -> TrackId {
        let new = self.tracker.split(track);
        if let Some(visitor) = self.visitors.remove(&track) {
            self.visitors.insert(new, visitor);
        }
        new
    }

    fn visitor(&mut self, track: TrackId) -> &mut Visitor {
        let every = self.embed_every;
        self.visitors.entry(track).or_insert_with(|| Visitor {
            usable_since: None,
            usable_at: None,
            watched: Duration::ZERO,
            picker: ViewPicker::new(every),
            evidence: Evidence::default(),
            face: None,
            viewed_at: None,
            changed: false,
            verdict: None,
            passed_over: PassedOver::default(),
        })
    }

    /// Judges this frame's view of a face and gives the face that is to be embedded now, if any; none where there is no `room`.
    fn view(&mut self, now: Instant, followed: &Followed, frame: &RgbImage, room: bool) -> Option<(Quality, Upright)> {
        let demands = self.demands;
        let far = followed.face.eye_distance() < demands.min_eye_distance_px;
        let turned = quality::yaw_degrees(&followed.face).abs() > demands.max_yaw_degrees;
        let facing = !far && !turned;
        let visitor = self.visitor(followed.track);
        visitor.watch(now, facing, followed.since);
        if !facing {
            visitor.passed_over.note(if far { Fault::TooFar } else { Fault::Turned });
        }
        if !facing || !room {
            return None;
        }
        let upright = align::align(frame, &followed.face.landmarks)?;
        let quality = Quality::of(&followed.face, &upright.crop());
        if let Some(fault) = quality.fault(&demands) {
            self.visitor(followed.track).passed_over.note(fault);
            return None;
        }
        let picked = self.visitor(followed.track).picker.offer(now, quality.score(), (quality, upright));
        picked.map(|(_, view)| view)
    }
}

impl Visitor {
    /// Notes whether this frame's face is usable, and from when on it counts if it was not usable before.
    fn watch(&mut self, now: Instant, usable: bool, since: Instant) {
        if !usable {
            self.usable_at = None;
            return;
        }
        self.usable_since.get_or_insert(since);
        self.watched += now.duration_since(self.usable_at.unwrap_or(since));
        self.usable_at = Some(now);
    }

    /// Adds a view; `false` when it shows another person than before.
    fn add(&mut self, now: Instant, template: Template, quality: f32) -> bool {
        let same = self.evidence.add(template, quality);
        self.face = self.evidence.mean().map(Arc::new);
        self.viewed_at = Some(now);
        self.changed = true;
        if !same {
            (self.verdict, self.usable_since, self.watched) = (None, Some(now), Duration::ZERO);
            self.passed_over = PassedOver::default();
        }
        same
    }

    /// Whether the last moment's view showed the person whom the views before it did.
    fn is_certain(&self, now: Instant) -> bool {
        let fresh = self.viewed_at.is_some_and(|at| now.saturating_duration_since(at) <= LAST_MOMENT);
        fresh && !self.evidence.in_doubt()
    }

    /// Decides again unless the visitor is identified. `true` when this is the first decision, or names whom the first one did not.
    /// `every`: how often a view of somebody who is not identified is embedded.
    fn decide(&mut self, roll: &Roll, every: Duration) -> bool {
        let identified = matches!(self.verdict, Some(Verdict { decision: Decision::Identified(_), .. }));
        let settled = identified || (self.verdict.is_some() && !self.changed);
        // Nobody is decided about whose face was never usable.
        if settled || self.usable_since.is_none() {
            return false;
        }
        self.changed = false;
        let over_time = self.watched.checked_sub(roll.demands.decide_within);
        let hurries = over_time.is_some_and(|over_time| over_time < LAST_CHANCE);
        self.picker.set_interval(if hurries { Duration::ZERO } else { every });
        let verdict = self.evidence.decide(self.watched, &roll.gallery, &roll.demands);
        let Some(mut verdict) = verdict else { return false };
        verdict.grounds.passed_over = self.passed_over;
        if matches!(verdict.decision, Decision::Identified(_)) {
            self.picker.set_interval(WATCHING);
        }
        let named = matches!(verdict.decision, Decision::Identified(_));
        self.verdict.replace(verdict).is_none() || named
    }
}

struct StopWatch(Instant);

impl StopWatch {
    fn starts() -> Self {
        Self(Instant::now())
    }

    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let lap = now - self.0;
        self.0 = now;
        lap
    }
}
