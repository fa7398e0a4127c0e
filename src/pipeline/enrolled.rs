//! Reads everybody who is enrolled out of the store, and again whenever `greeter sync` has changed it.
//!
//! The store is open only while it is read: so staff can sync while the robot serves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::roll::{CurrentRoll, Roll};
use crate::{
    calibration::{
        file,
        in_force::{InForce, ScoreSource},
    },
    config::{Config, DecisionSettings, StoreSettings},
    face::manifest::Manifest,
    gallery::decision::Demands,
    store::{Store, StoreError},
};

/// How often the store's generation is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What reading everybody needs to know.
#[derive(Clone)]
pub struct Reader {
    store: StoreSettings,
    model: String,
    in_force: Arc<dyn Fn() -> InForce + Send + Sync>,
    decision: DecisionSettings,
    mates_median: Option<f32>,
}

impl Reader {
    /// Reads templates of the recogniser of the configured pack, with its thresholds.
    ///
    /// # Errors
    /// When the configured pack does not exist.
    pub fn new(config: &Config, manifest: &Manifest) -> Result<Self, crate::face::FaceError> {
        let model = manifest.pack(&config.face.pack)?.recogniser.clone();
        let thresholds = manifest.thresholds.get(&model).cloned();
        let mates_median = thresholds.as_ref().and_then(|thresholds| thresholds.mates_median);
        let folder = config.store.folder.clone();
        let (recogniser, configured) = (model.clone(), config.decision.min_score_to_name);
        let in_force = move || InForce::find(&folder, configured, thresholds.as_ref(), &recogniser);
        let (store, decision) = (config.store.clone(), config.decision.clone());
        Ok(Self { store, model, in_force: Arc::new(in_force), decision, mates_median })
    }

    /// What a visitor must reach among so many people.
    pub fn demands(&self, people: usize) -> Demands {
        Demands::new(&self.decision, (self.in_force)().min_score(people), self.mates_median)
    }

    /// Where the score that a visitor must reach comes from.
    pub fn score_source(&self) -> ScoreSource {
        (self.in_force)().source()
    }

    /// Reads everybody.
    ///
    /// # Errors
    /// As the store says.
    pub fn read(&self) -> Result<Roll, StoreError> {
        let store = Store::open(&self.store)?.store;
        let (people, templates) = (store.people()?, store.templates(&self.model)?);
        Ok(Roll::new(people, templates, |people| self.demands(people)))
    }

    /// How new the store is.
    pub fn generation(&self) -> u64 {
        Store::generation(&self.store.folder)
    }

    /// Reads everybody again whenever the store is newer than `known`, until `stop` is set, and says how many people there are now.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn follow(
        self,
        mut known: u64,
        roll: CurrentRoll,
        stop: Arc<AtomicBool>,
        reloaded: impl Fn(usize) + Send + 'static,
    ) -> std::io::Result<JoinHandle<()>> {
        thread::Builder::new().name("enrolled".into()).spawn(move || {
            let mut complained = false;
            let mut calibrated = file::written_at(&self.store.folder);
            while !stop.load(Ordering::Relaxed) {
                thread::park_timeout(LOOK_EVERY);
                let newest = self.generation();
                let calibration = file::written_at(&self.store.folder);
                if newest == known && calibration == calibrated {
                    continue;
                }
                match self.read() {
                    Ok(new) => {
                        (known, calibrated) = (newest, calibration);
                        complained = false;
                        reloaded(new.people());
                        roll.replace(new);
                    }
                    // Another process is writing: next time.
                    Err(error) => {
                        if !complained {
                            tracing::warn!("the store has changed but cannot be read yet: {error}");
                        }
                        complained = true;
                    }
                }
            }
        })
    }
}
