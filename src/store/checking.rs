//! Opens everything to its last byte. At each start only what is cheap is looked at, see `mending`.

use super::{PhotoDigest, Store, StoreError, engine::Batch, layout, snapshot};
use crate::person::RecordNumber;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Everybody whose record opens.
    pub people: usize,
    /// All photos that are as the office delivered them.
    pub photos: usize,
    /// Photos that cannot be read: whose, and their numbers.
    pub lost: Vec<(RecordNumber, u16)>,
    /// What is wrong with the copy beside the store, if anything.
    pub copy: Option<String>,
    /// Whether changes are missing that were acknowledged once.
    pub outdated: bool,
}

impl Checked {
    /// Whether everything can be read.
    pub fn is_whole(&self) -> bool {
        self.lost.is_empty() && self.copy.is_none() && !self.outdated
    }
}

impl Store {
    /// Opens every record, template and photo, and the copy; changes nothing. `progress` is told how many people have been looked at.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for a record that does not open: the store is rebuilt from its copy when it is opened next; [`StoreError::Disk`].
    pub fn check(&self, progress: &dyn Fn(usize)) -> Result<Checked, StoreError> {
        let people = self.enrolled()?;
        let mut checked = Checked { people: people.len(), ..Checked::default() };
        for kind in [layout::TEMPLATES, layout::REFUSALS] {
            self.engine.scan(kind, |key, value| {
                if self.is_here(key)? {
                    self.unseal(key, value)?;
                }
                Ok(())
            })?;
        }
        for (at, person) in people.iter().enumerate() {
            let record = person.record;
            for photo in &person.photos {
                match self.photo(record, photo.number) {
                    Err(StoreError::PhotoNotKept(_)) => {}
                    Ok(bytes) if PhotoDigest::of(&bytes) == photo.digest => checked.photos += 1,
                    Ok(_) | Err(StoreError::MissingPhoto(_) | StoreError::Damaged { .. }) => {
                        checked.lost.push((record, photo.number));
                    }
                    Err(error) => return Err(error),
                }
            }
            progress(at + 1);
        }
        checked.outdated = self.engine.get(layout::META_OUTDATED)?.is_some();
        checked.copy = snapshot::check(&self.folder, &self.sealer).err().map(|unusable| unusable.to_string());
        Ok(checked)
    }

    /// Brings the copy up to date, also where it is damaged, and reads it to its end.
    ///
    /// # Errors
    /// As [`Store::write_snapshot`]; [`StoreError::CopyDamaged`] where it does not read as it was written.
    pub fn renew_copy(&mut self) -> Result<(), StoreError> {
        if snapshot::check(&self.folder, &self.sealer).is_err() {
            self.make_newer()?;
        }
        self.write_snapshot()?;
        let file = snapshot::path(&self.folder);
        let damaged = |unusable: snapshot::Unusable| StoreError::CopyDamaged { file, cause: unusable.to_string() };
        snapshot::check(&self.folder, &self.sealer).map_err(damaged)
    }

    /// Takes out photos that cannot be read, and writes the copy anew: what [`Self::check`] finds is put right as far as it can be here. A sync
    /// brings the photos back.
    ///
    /// # Errors
    /// As [`Store::commit`] and [`Store::write_snapshot`].
    pub fn repair(&mut self, checked: &Checked) -> Result<(), StoreError> {
        if !checked.lost.is_empty() {
            let lost: Batch =
                checked.lost.iter().map(|(record, number)| (layout::photo(*record, *number), None)).collect();
            self.apply(lost)?;
        }
        // What has no row any more is removed with the next opening.
        self.make_newer()?;
        self.write_snapshot()
    }
}
