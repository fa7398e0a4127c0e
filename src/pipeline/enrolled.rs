//! Reads everybody who is enrolled out of the store, and whoever has changed whenever `greeter sync` has changed it.
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

use super::{
    exact_rows::SealedRows,
    reading,
    roll::{Change, CurrentRoll, Roll},
};
use crate::{
    calibration::{
        file,
        in_force::{InForce, ScoreSource},
    },
    config::{Config, DecisionSettings, StoreSettings},
    face::manifest::Manifest,
    gallery::decision::Demands,
    person::RecordNumber,
    store::{Store, StoreError},
};

/// How often the store's generation is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Changes that become visible in one moment, at most: it lasts a few milliseconds, in which nobody is searched for.
const AT_ONCE: usize = 4096;

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
        self.demands_by(&(self.in_force)(), people)
    }

    fn demands_by(&self, in_force: &InForce, people: usize) -> Demands {
        let demands = Demands::new(&self.decision, in_force.min_score(people), self.mates_median);
        Demands { min_score_from: in_force.source(), ..demands }
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
        match self.read_into(SealedRows::beside(&self.store.folder)) {
            // Now that damage is known, opening the store rebuilds it.
            Err(StoreError::Damaged { .. }) => self.read_into(SealedRows::beside(&self.store.folder)),
            outcome => outcome,
        }
    }

    fn read_into(&self, exact: SealedRows) -> Result<Roll, StoreError> {
        let store = Store::open_unchecked(&self.store)?.store;
        let in_force = (self.in_force)();
        let demands = |people| self.demands_by(&in_force, people);
        let mut roll = Roll::empty(Box::new(exact), demands(0));
        reading::everybody(&store, &self.model, |batch| roll.update(batch, demands))?;
        Ok(roll)
    }

    /// What staff should know about people who cannot be recognised, and the cure.
    pub fn complaint(&self, roll: &Roll) -> Option<String> {
        let (people, recognisable, model) = (roll.people(), roll.recognisable(), &self.model);
        match (people, people.saturating_sub(recognisable)) {
            (0, _) => Some(
                "nobody is enrolled yet: everybody is greeted without a name. Preload people with `greeter sync`"
                    .into(),
            ),
            (_, 0) => None,
            (_, missing) if missing == people => Some(format!(
                "none of the {people} people in the store has a template by {model}, the recogniser in use: everybody is greeted without a name. Run `greeter reindex`"
            )),
            (_, missing) => Some(format!(
                "{missing} of the {people} people in the store have no template by {model}, the recogniser in use, and are greeted without a name. Run `greeter reindex`"
            )),
        }
    }

    /// Makes the changes in `roll` that were made in the store: only who is new, changed or gone is read, and a change of up to
    /// [`AT_ONCE`] people is seen as a whole.
    ///
    /// After a switch to another pack the store has no templates of ours any more: then those in the roll serve until the program is
    /// started again.
    ///
    /// # Errors
    /// As the store says; what was changed until then stays, and the next call goes on.
    pub fn catch_up(&self, roll: &CurrentRoll) -> Result<(), StoreError> {
        let store = Store::open_unchecked(&self.store)?.store;
        let in_force = (self.in_force)();
        let taken_away = roll.get().recognisable() > 0 && !store.template_models()?.contains_key(&self.model);
        if taken_away {
            tracing::warn!(
                "the store has no templates by {} any more: another pack was chosen. Start the program again to use it; until then the former templates serve",
                self.model
            );
        }
        let make = |mut changes: Vec<Change>| {
            if taken_away {
                changes.iter_mut().for_each(Change::keep_templates);
            }
            roll.change().update(changes, |people| self.demands_by(&in_force, people));
        };
        let (mut changes, mut here) = (Vec::new(), Vec::new());
        store.walk(&self.model, |sealed| {
            here.push(sealed.record);
            if roll.get().version(sealed.record) != Some(sealed.version) {
                changes.push(reading::one(&store, &sealed)?);
            }
            if changes.len() == AT_ONCE {
                make(std::mem::take(&mut changes));
            }
            Ok(())
        })?;
        let gone = |record: &RecordNumber| here.binary_search(record).is_err();
        changes.extend(roll.get().records().filter(gone).map(Change::Remove));
        // Also where nobody has changed: a new calibration changes what is demanded.
        make(changes);
        if roll.get().gallery.is_wasteful() {
            roll.change().gallery.move_exact_rows(Box::new(SealedRows::beside(&self.store.folder)));
        }
        Ok(())
    }

    /// Does what has become necessary: catches up with the store, or reads everybody anew, into memory, when the disk has failed.
    fn renew(&self, roll: &CurrentRoll) -> Result<usize, StoreError> {
        if roll.get().gallery.doubtful() {
            *roll.change() = self.read_into(SealedRows::in_memory())?;
        } else {
            self.catch_up(roll)?;
        }
        Ok(roll.get().people())
    }

    /// How new the store is.
    pub fn generation(&self) -> u64 {
        Store::generation(&self.store.folder)
    }

    /// Catches up whenever the store is newer than `known`, until `stop` is set, and says how many people there are now.
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
                if newest == known && calibration == calibrated && !roll.get().gallery.doubtful() {
                    continue;
                }
                match self.renew(&roll) {
                    Ok(people) => {
                        (known, calibrated) = (newest, calibration);
                        complained = false;
                        reloaded(people);
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

#[cfg(test)]
#[path = "enrolled_tests.rs"]
mod tests;
