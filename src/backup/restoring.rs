//! Goes back to a backup. Everything in it is opened first; what is there now is set aside and not overwritten.

use std::{fmt, path::Path};

use super::{
    BESIDE, BackupError, as_store,
    checking::{Held, check},
    files::{bring, replace},
};
use crate::{
    config::StoreSettings,
    disk,
    keys::{KeyRing, Sealer},
    person::RecordNumber,
    store::{Everybody, Store, StoreError, StoreLock, aside, photos_folder, snapshot_file},
};

/// What a restore would bring, and what it would take.
#[derive(Debug)]
pub struct Found {
    held: Held,
    /// Who was enrolled since and would go.
    enrolled_since: usize,
    /// Who has changed since and would be as they were.
    changed_since: usize,
    /// Why nobody knows who is in the store now.
    unknown: Option<String>,
    generation: u64,
}

impl Found {
    /// Looks at a backup and at the store; changes nothing.
    ///
    /// # Errors
    /// [`BackupError`]: with any of them, there is nothing that could be restored.
    pub fn of(settings: &StoreSettings, from: &Path) -> Result<Self, BackupError> {
        let held = check(from, &as_store(from, settings))?;
        let generation = Store::generation(settings);
        let mut found = Self { held, enrolled_since: 0, changed_since: 0, unknown: None, generation };
        let now = Everybody::now(settings);
        match &now {
            Err(StoreError::NoCopy { .. }) => return Ok(found),
            Ok(now) if !now.is_current() => found.unknown = Some("it is in use, and its copy is older than it".into()),
            _ => {}
        }
        let compared = now.and_then(|now| {
            now.walk("", |person| {
                match found.held.people.get(&person.record) {
                    None => found.enrolled_since += 1,
                    Some(version) if *version != person.version.person => found.changed_since += 1,
                    Some(_) => {}
                }
                Ok(())
            })
        });
        found.unknown = found.unknown.or(compared.err().map(|error| error.to_string()));
        Ok(found)
    }

    /// Whether anybody should agree before it is done.
    pub fn takes_something(&self) -> bool {
        let nobody = self.enrolled_since + self.changed_since + self.held.lost.len() + self.held.keyless.len() == 0;
        !nobody || self.unknown.is_some()
    }
}

/// What staff read before they agree.
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Held { people, photos, lost, erased, keyless } = &self.held;
        write!(f, "The backup has {} people and {photos} photos that can be read.", people.len())?;
        if *erased > 0 {
            write!(f, " {erased} people in it were erased since, and stay erased.")?;
        }
        if self.enrolled_since > 0 {
            write!(
                f,
                "\n{} people who were enrolled since would go; `greeter sync` enrols them again.",
                self.enrolled_since
            )?;
        }
        if self.changed_since > 0 {
            write!(f, "\n{} people have changed since and would be as they were.", self.changed_since)?;
        }
        if !keyless.is_empty() {
            write!(
                f,
                "\n{} people in it have no key here and cannot be read: the file of people's keys is older than the backup. Put a newer one back, if there is one; else they are lost.",
                keyless.len()
            )?;
        }
        if !lost.is_empty() {
            write!(f, "\n{} photos in it cannot be read; `greeter sync` brings them back.", lost.len())?;
        }
        if let Some(cause) = &self.unknown {
            write!(f, "\nWho is in the store now, and would go, is not known: {cause}")?;
        }
        Ok(())
    }
}

/// Restores the backup in `from`, of which `found` was found. Called again after a cut, it does the rest.
///
/// # Errors
/// [`BackupError`].
pub fn restore(settings: &StoreSettings, from: &Path, found: &Found) -> Result<(), BackupError> {
    let (folder, backup) = (&settings.folder, as_store(from, settings).folder);
    disk::make_parent(folder)?;
    let lock = StoreLock::acquire(folder)?;
    if Store::generation(settings) != found.generation {
        return Err(BackupError::ChangedMeanwhile);
    }
    give_up(settings, &found.held.keyless)?;
    bring(&photos_folder(&backup), &photos_folder(folder))?;
    for ending in BESIDE {
        // What the office has decided since holds.
        let ours = disk::beside(folder, ending);
        if !ours.exists() {
            replace(&disk::beside(&backup, ending), &ours)?;
        }
    }
    replace(&snapshot_file(&backup), &snapshot_file(folder))?;
    // From here on the store is the one that is built from this copy, by whoever opens it.
    if folder.exists() {
        let aside = aside(folder);
        std::fs::rename(folder, &aside).map_err(disk::at(&aside))?;
        disk::sync_parent(folder)?;
    }
    drop(lock);
    let mut store = Store::open_when_free(settings)?.store;
    store.settle()?;
    Ok(store.write_snapshot()?)
}

/// Whoever has no key is as if they were erased: nobody is given their number.
fn give_up(settings: &StoreSettings, keyless: &[RecordNumber]) -> Result<(), BackupError> {
    let (Some(last), Some(sealer)) = (keyless.iter().max(), Sealer::all(settings)?.into_iter().next()) else {
        return Ok(());
    };
    let mut ring = KeyRing::open(&settings.key_file, &sealer)?;
    ring.pass_over(RecordNumber(last.0 + 1))?;
    Ok(ring.erase(keyless.iter().copied())?)
}
