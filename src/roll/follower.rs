//! Reads everybody who is enrolled out of the store, and whoever has changed whenever `greeter sync` has changed it.
//!
//! It reads the copy beside the store, which every sync renews, so staff can sync while the robot serves. Where the copy is older than the
//! store it is renewed, if nobody has the store open; else the older one serves, without whoever was erased since.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime},
};

use jiff::civil::Date;

use super::{Change, CurrentRoll, Roll, reading};
use crate::{
    calibration::{
        file,
        in_force::{InForce, ScoreSource},
    },
    config::{Config, DecisionSettings, StoreSettings},
    face::manifest::Manifest,
    gallery::{NonMates, decision::Demands},
    hold::{Holding, OnHold},
    keys::Keys,
    person::RecordNumber,
    store::{Everybody, Store, StoreError},
};

/// How often the store's generation is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Changes that become visible in one moment, at most: it lasts a few milliseconds, in which nobody is searched for.
const AT_ONCE: usize = 4096;
/// A store that has changed is read itself only when its copy has not been renewed for so long.
const WAIT_FOR_COPY: Duration = Duration::from_secs(10);

/// What reading everybody needs to know.
#[derive(Clone)]
pub struct Reader {
    store: StoreSettings,
    model: String,
    in_force: Arc<dyn Fn() -> InForce + Send + Sync>,
    decision: DecisionSettings,
    mates_median: Option<f32>,
    non_mates: NonMates,
    /// When the calibration was written, before anybody was read by it.
    calibrated: Option<SystemTime>,
}

impl Reader {
    /// Reads templates of the recogniser of the configured pack, with its thresholds.
    ///
    /// # Errors
    /// When the configured pack does not exist.
    pub fn new(config: &Config, manifest: &Manifest) -> Result<Self, crate::face::ModelError> {
        let model = manifest.pack(&config.face.pack)?.recogniser.clone();
        let thresholds = manifest.thresholds.get(&model).cloned();
        let mates_median = thresholds.as_ref().and_then(|thresholds| thresholds.mates_median);
        let non_mates = thresholds.as_ref().and_then(NonMates::of).unwrap_or_default();
        let folder = config.store.folder.clone();
        let calibrated = file::written_at(&folder);
        let (recogniser, configured) = (model.clone(), config.decision.min_score_to_name);
        let in_force = move || InForce::find(&folder, configured, thresholds.as_ref(), &recogniser);
        let (store, decision) = (config.store.clone(), config.decision.clone());
        Ok(Self { store, model, in_force: Arc::new(in_force), decision, mates_median, non_mates, calibrated })
    }

    /// What a visitor must reach among so many people.
    pub fn demands(&self, people: usize) -> Demands {
        self.demands_by(&(self.in_force)(), people)
    }

    fn demands_by(&self, in_force: &InForce, people: usize) -> Demands {
        let demands = Demands::new(&self.decision, in_force.min_score(people), self.mates_median);
        Demands { min_score_from: in_force.source(), non_mates: self.non_mates, ..demands }
    }

    /// Where the score that a visitor must reach comes from.
    pub fn score_source(&self) -> ScoreSource {
        (self.in_force)().source()
    }

    /// Reads everybody; where that cannot be done nobody, which is told.
    pub fn read(&self) -> Roll {
        // Read before the people: whoever is erased is on hold no longer.
        let on_hold = Holding::beside(&self.store.folder).look();
        let mut roll = self.read_everybody().unwrap_or_else(|error| {
            tracing::error!("{error}. Until then nobody is known");
            Roll::empty(self.demands(0))
        });
        roll.hold(on_hold);
        if !self.decision.announce {
            roll.be_silent();
        }
        roll
    }

    fn read_everybody(&self) -> Result<Roll, StoreError> {
        let in_force = (self.in_force)();
        let demands = |people| self.demands_by(&in_force, people);
        let everybody = match Everybody::now(&self.store) {
            Ok(everybody) => everybody,
            Err(StoreError::NoCopy { .. }) => return Ok(Roll::empty(demands(0))),
            Err(StoreError::Locked { holder, .. }) => {
                tracing::warn!(
                    "nobody is known until {holder} has finished: it has the store, and there is no copy beside it yet"
                );
                return Ok(Roll::empty(demands(0)));
            }
            Err(error) => return Err(error),
        };
        if everybody.is_outdated() || !everybody.is_current() {
            tracing::warn!(
                "{} is older than the last change that was acknowledged: whoever was enrolled since is not known. Run `greeter sync` again",
                self.store.folder.display()
            );
        }
        let read = |everybody: &Everybody| {
            let mut roll = Roll::empty(demands(0));
            roll.begin_day(today(), demands);
            reading::everybody(everybody, &self.model, |batch| roll.update(batch, demands))?;
            roll.generation = everybody.generation;
            Ok(roll)
        };
        match read(&everybody) {
            Err(error @ StoreError::CopyDamaged { .. }) => {
                tracing::warn!("{error}; it is written anew now");
                read(&Everybody::renewed(&self.store)?)
            }
            read => read,
        }
    }

    /// The recogniser whose templates are read.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Makes the changes in `roll` that were made in the store: only who is new, changed or gone is opened, and a change of up to
    /// [`AT_ONCE`] people is seen as a whole.
    ///
    /// After a switch to another pack the store has no templates of ours any more: then those in the roll serve until the program is
    /// started again.
    ///
    /// # Errors
    /// As the store says; what was changed until then stays, and the next call goes on.
    pub fn catch_up(&self, roll: &CurrentRoll) -> Result<(), StoreError> {
        let in_force = (self.in_force)();
        let make = |changes| roll.change().update(changes, |people| self.demands_by(&in_force, people));
        let (everybody, mut here, mut changes) = (Everybody::now(&self.store)?, Vec::new(), Vec::new());
        let taken_away = roll.get().recognisable() > 0 && !everybody.knows(&self.model)?;
        everybody.walk(&self.model, |sealed| {
            here.push(sealed.record);
            if roll.get().version(sealed.record) != Some(sealed.version) {
                let mut change = reading::one(&everybody, &sealed)?;
                if let (Change::Put { templates, .. }, true) = (&mut change, taken_away) {
                    *templates = None;
                }
                changes.push(change);
            }
            if changes.len() == AT_ONCE {
                make(std::mem::take(&mut changes));
            }
            Ok(())
        })?;
        let gone = |record: &RecordNumber| here.binary_search(record).is_err();
        changes.extend(roll.get().records().filter(gone).map(Change::Remove));
        if taken_away {
            tracing::warn!(
                "the store has no templates by {} any more: another pack was chosen. Start the program again to use it; until then the former templates serve",
                self.model
            );
        }
        // Also where nobody has changed: a new calibration changes what is demanded.
        make(changes);
        roll.change().generation = everybody.generation;
        Ok(())
    }

    /// Takes out whoever was removed, which waits for nothing.
    fn let_go(&self, roll: &CurrentRoll) {
        // Keys that cannot be read for a moment are read with the copy.
        let Ok(Some(keys)) = Keys::read(&self.store.key_file) else { return };
        let gone: Vec<_> = {
            let roll = roll.get();
            roll.records().filter(|record| keys.is_erased(*record)).map(Change::Remove).collect()
        };
        if !gone.is_empty() {
            roll.change().update(gone, |people| self.demands(people));
        }
    }

    /// Catches up whenever the store is newer than the roll, until `stop` is set, and says how many people there are now. Who is on hold is
    /// followed by a second thread, which the first one ends.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn follow(
        self,
        roll: CurrentRoll,
        stop: Arc<AtomicBool>,
        reloaded: impl Fn(usize) + Send + 'static,
    ) -> std::io::Result<JoinHandle<()>> {
        let take = {
            let (roll, store) = (roll.clone(), self.store.clone());
            move |on_hold| roll.take_holds(on_hold, || Store::generation(&store))
        };
        // It was said when the roll was read.
        let told = *roll.get().holds() == OnHold::Everybody;
        let holding = Holding::beside(&self.store.folder).follow(told, stop.clone(), take)?;
        thread::Builder::new().name("enrolled".into()).spawn(move || {
            let (mut complained, mut read_at) = (false, Instant::now());
            let (mut seen, mut calibrated) = (None, self.calibrated);
            while !stop.load(Ordering::Relaxed) {
                thread::park_timeout(LOOK_EVERY);
                let (known, newest) = (roll.get().generation, Store::generation(&self.store));
                let calibration = file::written_at(&self.store.folder);
                let today = today();
                if roll.get().day() != today {
                    roll.change().begin_day(today, |people| self.demands(people));
                }
                // Somebody may be erased while a sync has the store.
                let changed = Keys::changed_at(&self.store.key_file);
                if changed != std::mem::replace(&mut seen, changed) {
                    self.let_go(&roll);
                }
                if newest == known && calibration == calibrated {
                    continue;
                }
                // A sync that is under way renews the copy when it is done. A long one is not waited for.
                let current = Everybody::in_copy(&self.store).is_ok_and(|copy| copy.is_current());
                if !current && read_at.elapsed() < WAIT_FOR_COPY {
                    continue;
                }
                read_at = Instant::now();
                match self.catch_up(&roll) {
                    Ok(()) => {
                        calibrated = calibration;
                        complained = false;
                        reloaded(roll.get().people());
                    }
                    Err(error) => {
                        if !complained {
                            tracing::warn!("the store has changed but cannot be read yet: {error}");
                        }
                        complained = true;
                    }
                }
            }
            holding.thread().unpark();
        })
    }
}

fn today() -> Date {
    jiff::ZonedDateTime::now().date()
}

#[cfg(test)]
#[path = "follower_tests.rs"]
mod tests;
