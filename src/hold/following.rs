//! Looks at who is on hold again and again, on a thread of its own that waits for no lock.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{HoldFile, OnHold};

/// How often the file is looked at: somebody who was put on hold is named by nothing that begins a second later.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The file beside a store, and whether the operator was told that it cannot be read.
pub struct Holding {
    file: HoldFile,
    complained: bool,
}

impl Holding {
    /// For the store in `folder`.
    pub fn beside(folder: &Path) -> Self {
        Self { file: HoldFile::beside(folder), complained: false }
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

    /// Gives who is on hold to `take` four times a second until `stop` is set; `told`: whether it was said before that it cannot be read.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn follow(
        mut self,
        told: bool,
        stop: Arc<AtomicBool>,
        mut take: impl FnMut(OnHold) + Send + 'static,
    ) -> std::io::Result<JoinHandle<()>> {
        self.complained = told;
        thread::Builder::new().name("on-hold".into()).spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                take(self.look());
                thread::park_timeout(LOOK_EVERY);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::RecordNumber;

    #[test]
    fn nobody_is_named_while_it_cannot_be_read_who_is_on_hold() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let mut holding = Holding::beside(&store);
        assert_eq!(holding.look(), OnHold::default());
        HoldFile::beside(&store).hold(RecordNumber(7)).unwrap();
        assert_eq!(holding.look(), OnHold::These([RecordNumber(7)].into()));
        std::fs::write(folder.path().join("store.hold"), "{\"on_hold\":[").unwrap();
        assert_eq!(holding.look(), OnHold::Everybody);
        std::fs::remove_file(folder.path().join("store.hold")).unwrap();
        assert_eq!(holding.look(), OnHold::default());
    }
}
