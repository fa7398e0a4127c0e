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
    config::{Config, StoreSettings},
    face::manifest::Manifest,
    gallery::decision::Demands,
    store::{Store, StoreError},
};

/// How often the store's generation is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Asked of a visitor where the pack has no measured threshold: so much that hardly anybody is named.
const UNMEASURED: f32 = 0.85;

/// What reading everybody needs to know.
#[derive(Clone)]
pub struct Reader {
    store: StoreSettings,
    model: String,
    demands: Arc<dyn Fn(usize) -> Demands + Send + Sync>,
}

impl Reader {
    /// Reads templates of the recogniser of the configured pack, with its thresholds.
    ///
    /// # Errors
    /// When the configured pack does not exist.
    pub fn new(config: &Config, manifest: &Manifest) -> Result<Self, crate::face::FaceError> {
        let model = manifest.pack(&config.face.pack)?.recogniser.clone();
        let thresholds = manifest.thresholds.get(&model).cloned();
        let settings = config.decision.clone();
        let demands = move |people| {
            let shipped = thresholds.as_ref().and_then(|thresholds| thresholds.min_score(people)).unwrap_or(UNMEASURED);
            let usual = thresholds.as_ref().and_then(|thresholds| thresholds.mates_median);
            Demands::new(&settings, shipped, usual)
        };
        Ok(Self { store: config.store.clone(), model, demands: Arc::new(demands) })
    }

    /// What a visitor must reach among so many people.
    pub fn demands(&self, people: usize) -> Demands {
        (self.demands)(people)
    }

    /// Reads everybody.
    ///
    /// # Errors
    /// As the store says.
    pub fn read(&self) -> Result<Roll, StoreError> {
        let store = Store::open(&self.store)?.store;
        let (people, templates) = (store.people()?, store.templates(&self.model)?);
        let demands = self.demands.clone();
        Ok(Roll::new(people, templates, move |people| demands(people)))
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
            while !stop.load(Ordering::Relaxed) {
                thread::park_timeout(LOOK_EVERY);
                let newest = self.generation();
                if newest == known {
                    continue;
                }
                match self.read() {
                    Ok(new) => {
                        known = newest;
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
