//! Reads everybody who is enrolled out of the store, and whoever has changed whenever `greeter sync` has changed it.
//!
//! It reads the copy beside the store, which every sync renews, so staff can sync while the robot serves; the store itself only where
//! there is no copy that is up to date, and then it is open only meanwhile.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    exact_rows::SealedRows,
    reading,
    roll::{Change, CurrentRoll, Roll},
};
use crate::{
    config::{Config, StoreSettings},
    face::manifest::Manifest,
    gallery::decision::Demands,
    person::RecordNumber,
    store::{Everybody, Store, StoreError},
};

/// How often the store's generation is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Changes that become visible in one moment, at most: it lasts a few milliseconds, in which nobody is searched for.
const AT_ONCE: usize = 4096;
/// A store that has changed is read itself only when its copy has not been renewed for so long.
const WAIT_FOR_COPY: Duration = Duration::from_secs(10);
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
            Demands::new(&settings, shipped)
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
        self.read_into(|| SealedRows::beside(&self.store.folder))
    }

    fn read_into(&self, exact: impl Fn() -> SealedRows) -> Result<Roll, StoreError> {
        self.with_everybody(|everybody| {
            let mut roll = Roll::empty(Box::new(exact()), self.demands(0));
            reading::everybody(everybody, &self.model, |batch| roll.update(batch, |people| self.demands(people)))?;
            Ok(roll)
        })
    }

    /// Calls `with` with the copy beside the store, or with the store where there is none that is up to date or it is damaged; and once more
    /// where the store is damaged: now that damage is known, opening the store rebuilds it.
    fn with_everybody<T>(&self, mut with: impl FnMut(&Everybody) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if let Some(copy) = Everybody::in_copy(&self.store) {
            match with(&copy) {
                Err(error) => tracing::warn!("the store's copy cannot be read, so the store is: {error}"),
                done => return done,
            }
        }
        match with(&Everybody::in_store(&self.store)?) {
            Err(StoreError::Damaged { .. }) => with(&Everybody::in_store(&self.store)?),
            done => done,
        }
    }

    /// Makes the changes in `roll` that were made in the store: only who is new, changed or gone is opened, and a change of up to
    /// [`AT_ONCE`] people is seen as a whole.
    ///
    /// # Errors
    /// As the store says; what was changed until then stays, and the next call goes on.
    pub fn catch_up(&self, roll: &CurrentRoll) -> Result<(), StoreError> {
        let make = |changes| roll.change().update(changes, |people| self.demands(people));
        let mut here = Vec::new();
        let mut changes = self.with_everybody(|everybody| {
            here.clear();
            let mut changes = Vec::new();
            everybody.walk(&self.model, |sealed| {
                here.push(sealed.record);
                if roll.get().version(sealed.record) != Some(sealed.version) {
                    changes.push(reading::one(everybody, &sealed)?);
                }
                if changes.len() == AT_ONCE {
                    make(std::mem::take(&mut changes));
                }
                Ok(())
            })?;
            Ok(changes)
        })?;
        let gone = |record: &RecordNumber| here.binary_search(record).is_err();
        changes.extend(roll.get().records().filter(gone).map(Change::Remove));
        if !changes.is_empty() {
            make(changes);
        }
        if roll.get().gallery.is_wasteful() {
            roll.change().gallery.move_exact_rows(Box::new(SealedRows::beside(&self.store.folder)));
        }
        Ok(())
    }

    /// Takes out whoever was removed, which waits for nothing.
    fn let_go(&self, roll: &CurrentRoll) {
        let removed = Store::removed(&self.store.folder);
        let gone: Vec<_> = {
            let roll = roll.get();
            removed.into_iter().filter(|record| roll.person(*record).is_some()).map(Change::Remove).collect()
        };
        if !gone.is_empty() {
            roll.change().update(gone, |people| self.demands(people));
        }
    }

    /// Does what has become necessary: catches up with the store, or reads everybody anew, into memory, when the disk has failed.
    fn renew(&self, roll: &CurrentRoll) -> Result<usize, StoreError> {
        if roll.get().gallery.doubtful() {
            *roll.change() = self.read_into(SealedRows::in_memory)?;
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
            let (mut complained, mut read_at) = (false, Instant::now());
            while !stop.load(Ordering::Relaxed) {
                thread::park_timeout(LOOK_EVERY);
                let newest = self.generation();
                if newest == known && !roll.get().gallery.doubtful() {
                    continue;
                }
                self.let_go(&roll);
                // A sync that is under way renews the copy when it is done. A long one is not waited for.
                if Everybody::in_copy(&self.store).is_none() && read_at.elapsed() < WAIT_FOR_COPY {
                    continue;
                }
                read_at = Instant::now();
                match self.renew(&roll) {
                    Ok(people) => {
                        known = newest;
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
