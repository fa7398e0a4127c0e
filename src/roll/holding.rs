//! Follows who is on hold, whatever the store is doing: the file is looked at by a thread of its own, which waits for no lock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::CurrentRoll;
use crate::{
    config::StoreSettings,
    hold::{HoldFile, OnHold},
    store::Store,
};

/// How often the file is looked at: somebody who was put on hold is named by nothing that begins a second later.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The file beside a store, and whether the operator was told that it cannot be read.
pub struct Holding {
    store: StoreSettings,
    file: HoldFile,
    complained: bool,
}

impl Holding {
    /// For this store.
    pub fn beside(store: &StoreSettings) -> Self {
        Self { file: HoldFile::beside(&store.folder), store: store.clone(), complained: false }
    }

    /// Who is on hold; everybody where that cannot be read, which is said once.
    pub fn look(&mut self) -> OnHold {
        match self.file.read() {
            Ok(records) => {
                self.complained = false;
                OnHold::These(records)
            }
            Err(error) => {
                if !self.complained {
                    tracing::error!("{error}");
                }
                self.complained = true;
                OnHold::Everybody
            }
        }
    }

    /// Brings the roll up to date once.
    fn step(&mut self, roll: &CurrentRoll) {
        let now = self.look();
        // Who is erased is on hold no longer, but may still be in the roll for a moment. The store's generation is written before the
        // hold is dropped, so it is read after it.
        let settled = Store::generation(&self.store) == roll.get().generation;
        let before = roll.get().holds().clone();
        let next = if settled { now } else { now.added_to(&before) };
        if next != before {
            tracing::info!("{next}");
            roll.change().hold(next);
        }
    }

    /// Follows the file until `stop` is set.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn follow(mut self, roll: CurrentRoll, stop: Arc<AtomicBool>) -> std::io::Result<JoinHandle<()>> {
        // It was said when the roll was read.
        self.complained = *roll.get().holds() == OnHold::Everybody;
        thread::Builder::new().name("on-hold".into()).spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                self.step(&roll);
                thread::park_timeout(LOOK_EVERY);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bench::made_up,
        person::{Card, RecordNumber},
        roll::{Change, Roll},
        store,
    };

    const CHEN: RecordNumber = RecordNumber(7);

    /// A robot whose roll has Chen in it, and the folder of its store.
    fn hall() -> (tempfile::TempDir, StoreSettings, CurrentRoll) {
        use rand::SeedableRng as _;
        let folder = tempfile::tempdir().unwrap();
        let store = StoreSettings {
            folder: folder.path().join("store"),
            key_file: folder.path().join("store.key"),
            ..StoreSettings::default()
        };
        let mut generator = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let card = Card::from(made_up::taxpayer(CHEN, &mut generator));
        let demands = |_| crate::gallery::decision::Demands::new(&Default::default(), 0.5, None);
        let mut roll = Roll::new(Vec::new(), Vec::new(), demands);
        let put = Change::Put { record: CHEN, version: store::Version::UNKNOWN, card, templates: Some(Vec::new()) };
        roll.update(vec![put], demands);
        (folder, store, CurrentRoll::new(roll))
    }

    #[test]
    fn whoever_is_put_on_hold_may_not_be_named_until_they_are_released() {
        let (_folder, store, roll) = hall();
        let (mut holding, staff) = (Holding::beside(&store), HoldFile::beside(&store.folder));
        let mut look = || {
            holding.step(&roll);
            let roll = roll.get();
            (roll.may_be_named(CHEN), roll.on_hold(CHEN), roll.hold_changes())
        };
        assert_eq!(look(), (true, false, 0));
        staff.hold(CHEN).unwrap();
        assert_eq!(look(), (false, true, 1));
        assert_eq!(look(), (false, true, 1), "nothing changed meanwhile");
        staff.release(&[CHEN]).unwrap();
        assert_eq!(look(), (true, false, 2));
    }

    #[test]
    fn nobody_is_named_while_it_cannot_be_read_who_is_on_hold() {
        let (folder, store, roll) = hall();
        let mut holding = Holding::beside(&store);
        let mut look = || {
            holding.step(&roll);
            roll.get().may_be_named(CHEN)
        };
        assert!(look());
        std::fs::write(folder.path().join("store.hold"), "{\"on_hold\":[").unwrap();
        assert!(!look());
        std::fs::remove_file(folder.path().join("store.hold")).unwrap();
        assert!(look());
    }

    #[test]
    fn somebody_on_hold_who_is_erased_is_not_named_in_the_moment_before_the_roll_forgets_them() {
        let (_folder, store, roll) = hall();
        let (mut holding, staff) = (Holding::beside(&store), HoldFile::beside(&store.folder));
        staff.hold(CHEN).unwrap();
        holding.step(&roll);
        // As a removal does it: the store is another one than the roll, and the hold is gone.
        roll.change().generation = 1;
        staff.release(&[CHEN]).unwrap();
        holding.step(&roll);
        assert!(roll.get().person(CHEN).is_some() && !roll.get().may_be_named(CHEN));
        staff.hold(RecordNumber(8)).unwrap();
        holding.step(&roll);
        assert!(roll.get().on_hold(RecordNumber(8)), "whoever is put on hold meanwhile waits for nothing");
        roll.change().generation = 0;
        holding.step(&roll);
        assert!(!roll.get().on_hold(CHEN));
    }
}
