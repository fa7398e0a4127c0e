//! Another key for the store, because the one it had may be known to others.
//!
//! People's keys, the check record, the copy and what the office signs hang on it. The new key lies beside the old one (`K.next`) before the
//! first byte is sealed with it, and takes its place when everything is; meanwhile people's keys may be sealed with either, and whoever opens the
//! store finishes what was cut. People's own keys stay as they are, and so do records and photos.

use super::{
    Store, StoreError,
    layout::{CHECK, META_CHECK},
    upgrade,
};
use crate::{
    config::StoreSettings,
    disk,
    keys::{KeyError, Sealer, StoreKey, keep_former, set_mode},
};

/// Gives the store of `settings` another key; also where the one it has can be read by others.
///
/// # Errors
/// [`StoreError`]; called again, it does the rest.
pub fn rekey(settings: &StoreSettings) -> Result<(), StoreError> {
    let key_file = &settings.key_file;
    let missing = || StoreError::KeyMissing { file: key_file.clone(), folder: settings.folder.clone() };
    let exposed = StoreKey::hide(key_file)?;
    let rekeyed = (|| {
        let key = StoreKey::of(settings)?.ok_or_else(missing)?;
        if key.origin() != key_file {
            return Err(KeyError::Credential { file: key.origin().into() }.into());
        }
        let was_cut = key.next(key_file)?.is_some();
        let mut store = Store::open(settings)?.store;
        if !was_cut {
            let next = StoreKey::create(&StoreKey::next_file(key_file))?;
            store.take_key(settings, &key, &next)?;
        }
        Ok(())
    })();
    if let (Err(_), Some(mode)) = (&rekeyed, exposed) {
        // So that it is told again.
        set_mode(key_file, mode)?;
    }
    rekeyed
}

impl Store {
    /// Has everything that hangs on `old` hang on `next`, as far as it does not yet.
    pub(super) fn take_key(
        &mut self,
        settings: &StoreSettings,
        old: &StoreKey,
        next: &StoreKey,
    ) -> Result<(), StoreError> {
        self.sealer = Sealer::new(next).or(Some(old));
        // The copy is another key's.
        self.since_copy = None;
        self.ring.seal_anew(&self.sealer)?;
        let check = self.engine.get(META_CHECK)?.unwrap_or_default();
        let own = &self.sealer.own;
        if own.open(META_CHECK, &check).is_err() {
            let sealed = own.seal(META_CHECK, CHECK);
            let needed = self.check_room(0)?;
            self.apply(vec![(META_CHECK.to_vec(), Some(sealed))]).map_err(|error| self.as_full(error, needed))?;
            self.engine.make_durable().map_err(|error| self.as_full(error, needed))?;
        }
        self.sealer = Sealer::new(next);
        self.make_newer()?;
        self.write_snapshot()?;
        // All of it is sealed with the former key.
        upgrade::give_up(&self.folder)?;
        let key_file = &settings.key_file;
        keep_former(key_file, old, next)?;
        std::fs::rename(StoreKey::next_file(key_file), key_file).map_err(disk::at(key_file))?;
        disk::sync_parent(key_file)?;
        tracing::info!(file = %key_file.display(), "the store has another key: back it up apart from the store");
        Ok(())
    }
}
