//! The vision stage: turns frames into faces and views, and has the hall say what follows from them.
//!
//! Time is the frame's own, so a recording gives the same decisions however fast it is played. What is known of visitors is the hall's
//! (`visit`); this stage keeps nothing of them.

use std::time::{Duration, Instant};

use crate::{
    camera::Frame,
    config::Config,
    face::{
        Detection, ModelError,
        align::{self, Upright},
        eyes::Eyes,
        lighting::Lighting,
        networks::Networks,
        quality::{self, Quality},
        stir::Stirring,
        watched::Watched,
    },
    roll::CurrentRoll,
    visit::{
        VisitorId,
        hall::{Answer, FoundFace, Hall, Look, View},
        rules::Rules,
        turn::Heard,
    },
};

/// What one frame showed.
#[derive(Debug)]
pub struct Sighting {
    /// When the frame was captured.
    pub at: Instant,
    /// What follows from it.
    pub answers: Vec<Answer>,
    /// Whose face it showed.
    pub in_sight: Vec<VisitorId>,
    /// Views that were embedded in this frame.
    pub embedded: usize,
    /// The light; `None` without a frame.
    pub lighting: Option<Lighting>,
    /// Where the time went.
    pub times: Times,
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

/// The stage.
pub struct Vision {
    networks: Networks,
    eyes: Eyes,
    stirring: Stirring,
    hall: Hall,
    rules: Rules,
    roll: CurrentRoll,
    demands: quality::Demands,
}

impl Vision {
    /// Ready for its first frame.
    pub fn new(networks: Networks, roll: CurrentRoll, config: &Config) -> Self {
        let rules = Rules::new(config);
        Self {
            networks,
            eyes: Eyes::new(&config.face).watching(Watched::of(&config.camera)),
            stirring: Stirring::default(),
            hall: Hall::new(rules.clone()),
            rules,
            roll,
            demands: quality::Demands {
                min_eye_distance_px: config.face.min_eye_distance_px,
                // Who is addressed is another question (`visit.max_yaw_degrees`): a face turned this far is still recognised.
                max_yaw_degrees: quality::MAX_YAW_DEGREES,
            },
        }
    }

    /// Works through one frame.
    ///
    /// # Errors
    /// When a network fails. The hall goes on from there with the next frame.
    pub fn on_frame(&mut self, frame: &Frame) -> Result<Sighting, ModelError> {
        let now = frame.captured_at;
        let mut clock = StopWatch::starts();
        let mut times = Times { wait: now.elapsed(), ..Times::default() };
        let followed = self.hall.followed();
        let found = self.eyes.look(&mut self.networks, &frame.rgb, now, &followed)?;
        let lighting = Some(Lighting::of(&frame.rgb, &found));
        let stirs = self.stirring.of(now, &frame.rgb, &found);
        let faces: Vec<FoundFace> = found.into_iter().zip(stirs).map(|(face, stir)| FoundFace { face, stir }).collect();
        let roll = self.roll.clone();
        let looks = self.hall.on_frame(now, &faces, &*roll.get());
        times.find = clock.lap();

        let (mut views, mut chosen, mut uprights): (Vec<View>, Vec<(Look, Quality)>, Vec<Upright>) = Default::default();
        for look in looks {
            match self.view(&faces[look.face].face, frame) {
                Some((quality, upright)) => match quality.fault(&self.demands) {
                    Some(fault) => views.push(View { visitor: look.visitor, outcome: Err(fault) }),
                    None => {
                        chosen.push((look, quality));
                        uprights.push(upright);
                    }
                },
                // Its points lie on a line: such a face is seen from the side.
                None => views.push(View { visitor: look.visitor, outcome: Err(quality::Fault::Turned) }),
            }
        }
        times.align = clock.lap();

        let embedded = self.networks.recogniser.embed_views(&uprights)?;
        for ((look, quality), view) in chosen.into_iter().zip(embedded) {
            let Some(view) = view else { continue };
            let outcome = Ok((view.template, quality.embedded(view.certainty).score()));
            views.push(View { visitor: look.visitor, outcome });
        }
        times.embed = clock.lap();

        let answers = self.hall.on_views(now, Instant::now().max(now), views, &*roll.get());
        times.search = clock.lap();
        let in_sight = self.hall.in_sight().collect();
        Ok(Sighting { at: now, answers, in_sight, embedded: uprights.len(), lighting, times })
    }

    fn view(&self, face: &Detection, frame: &Frame) -> Option<(Quality, Upright)> {
        let upright = align::align(&frame.rgb, &face.landmarks)?;
        Some((Quality::of(face, &upright.crop()), upright))
    }

    /// There is no frame: whoever was there is gone in the end.
    pub fn without_frames(&mut self, now: Instant) -> Sighting {
        let roll = self.roll.clone();
        self.hall.on_frame(now, &[], &*roll.get());
        let answers = self.hall.on_views(now, now, Vec::new(), &*roll.get());
        Sighting { at: now, answers, in_sight: Vec::new(), embedded: 0, lighting: None, times: Times::default() }
    }

    /// Takes what became of something that was to be said.
    pub fn hear(&mut self, now: Instant, heard: Heard) {
        self.hall.hear(now, heard, &*self.roll.get());
    }

    /// How many visitors there are a record of, and people who were here lately.
    pub fn remembered(&self) -> (usize, usize) {
        self.hall.remembered()
    }

    /// Begins anew after it has failed: nothing that was known of those in sight is relied on. Who was greeted lately stays known.
    pub fn recover(&mut self) {
        self.stirring = Stirring::default();
        self.hall.everybody_left();
    }

    /// As if the robot had just been started: nobody was here lately.
    pub fn forget_everybody(&mut self) {
        self.hall = Hall::new(self.rules.clone());
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
