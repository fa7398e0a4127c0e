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

    /// Reads everybody again. After a switch to another pack the store has no templates of ours any more: then those that `before` has
    /// serve until the program is started again.
    fn read_after(&self, before: &Roll) -> Result<Roll, StoreError> {
        let new = self.read()?;
        let taken_away = new.people() > 0 && new.recognisable() == 0 && before.recognisable() > 0;
        if !taken_away {
            return Ok(new);
        }
        tracing::warn!(
            "the store has no templates by {} any more: another pack was chosen. Start the program again to use it; until then the former templates serve",
            self.model
        );
        Ok(before.with_people(new.into_people()))
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
                match self.read_after(&roll.get()) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        face::Template,
        person::{IdNumber, PersonName, PhoneNumber, RecordNumber, Taxpayer},
        store::{Change, EnrolledPhoto, Enrolment},
    };

    /// A hall with a store of its own, in which two people have templates by `old-net`.
    fn hall(folder: &std::path::Path) -> Reader {
        let settings = StoreSettings { folder: folder.join("store"), key_file: folder.join("store.key") };
        let mut store = Store::open(&settings).unwrap().store;
        let person = |store: &mut Store, name: &str, template: [f32; 2]| {
            let taxpayer = Taxpayer {
                record: store.new_record(),
                id_number: IdNumber::new(format!("ID of {name}")),
                name: PersonName::new(name),
                phone: PhoneNumber::new("+8613800138000"),
                language: None,
                salutation: None,
                category: None,
                services: Vec::new(),
                appointment: None,
            };
            let template = Template(template.into());
            let photo = EnrolledPhoto::Embedded { bytes: name.into(), model: "old-net".into(), template };
            Change::Put(Box::new(Enrolment { taxpayer, photos: vec![photo], refused: Vec::new() }))
        };
        let changes = vec![person(&mut store, "Chen Wei", [1.0, 0.0]), person(&mut store, "Li Na", [0.0, 1.0])];
        store.commit(changes).unwrap();
        let shipped = |_| Demands::new(&crate::config::DecisionSettings::default(), 0.7, None);
        Reader { store: settings, model: "old-net".into(), demands: Arc::new(shipped) }
    }

    #[test]
    fn a_robot_that_runs_goes_on_after_a_switch_and_forgets_whoever_was_erased_since() {
        let folder = tempfile::tempdir().unwrap();
        let reader = hall(folder.path());
        let before = reader.read().unwrap();
        assert_eq!((before.people(), before.recognisable()), (2, 2));
        let mut store = Store::open(&reader.store).unwrap().store;
        store.erase_other_models("new-net").unwrap();
        drop(store);
        let after = reader.read_after(&before).unwrap();
        assert_eq!((after.people(), after.recognisable()), (2, 2));
        let mut store = Store::open(&reader.store).unwrap().store;
        store.commit(vec![Change::Remove(RecordNumber(2))]).unwrap();
        drop(store);
        let later = reader.read_after(&after).unwrap();
        assert!(later.person(RecordNumber(1)).is_some() && later.person(RecordNumber(2)).is_none());
    }

    #[test]
    fn staff_read_why_nobody_is_recognised_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let reader = hall(folder.path());
        let complaint = |reader: &Reader| reader.complaint(&reader.read().unwrap());
        assert_eq!(complaint(&reader), None);
        let other = Reader { model: "new-net".into(), ..reader.clone() };
        let text = complaint(&other).unwrap();
        assert!(text.starts_with("none of the 2 people in the store has a template by new-net"), "{text}");
        assert!(text.ends_with("Run `greeter reindex`"), "{text}");
        let mut store = Store::open(&reader.store).unwrap().store;
        store.commit(vec![Change::Remove(RecordNumber(1)), Change::Remove(RecordNumber(2))]).unwrap();
        drop(store);
        assert!(complaint(&other).unwrap().contains("Preload people with `greeter sync`"));
    }
}
