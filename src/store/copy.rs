//! Reads people and templates out of the snapshot beside the store, past the photos, which lie before them.
//!
//! The ledger says where they begin. The file is not authenticated as a whole, since that would mean to read every photo; each record is, by its
//! seal, and a copy that is older than the ledger is not read.

use std::{
    fs::File,
    io::{BufReader, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use super::{
    StoreError, disk, layout,
    ledger::{Ledger, Section, Sections},
    snapshot::{self, MAX_PART},
};

/// Read at once.
const BUFFER: usize = 1 << 20;

/// A snapshot that has everything that was acknowledged.
pub struct Copy {
    file: File,
    path: PathBuf,
    sections: Sections,
}

impl Copy {
    /// The copy of the store in `folder`, if it is as new as `ledger` says the store is.
    pub fn open(folder: &Path, ledger: &Ledger) -> Option<Self> {
        let sections = ledger.sections.filter(|it| it.generation == ledger.generation)?;
        let path = snapshot::path(folder);
        let file = File::open(&path).ok()?;
        let current = snapshot::generation_in(&file) == Some(ledger.generation) && ledger.removed.is_empty();
        current.then_some(Self { file, path, sections })
    }

    /// Sealed people, by record number.
    pub fn people(&self) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), StoreError>> + '_ {
        self.entries(self.sections.people, layout::PEOPLE)
    }

    /// Sealed templates, by record number.
    pub fn templates(&self) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), StoreError>> + '_ {
        self.entries(self.sections.templates, layout::TEMPLATES)
    }

    /// The error for a copy that does not read as one.
    pub fn damaged(&self, cause: &str) -> StoreError {
        StoreError::Damaged { folder: self.path.clone(), cause: cause.into() }
    }

    fn entries(
        &self,
        section: Section,
        prefix: &'static [u8],
    ) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), StoreError>> + '_ {
        let mut reader = BufReader::with_capacity(BUFFER, From { file: &self.file, at: section.at });
        (0..section.count).map(move |_| self.entry(&mut reader, prefix))
    }

    fn entry(&self, reader: &mut impl Read, prefix: &[u8]) -> Result<(Vec<u8>, Vec<u8>), StoreError> {
        let (key, value) = (self.length(reader)?, self.length(reader)?);
        if key.max(value) > MAX_PART {
            return Err(self.damaged("an entry has an impossible length"));
        }
        let (key, value) = (self.bytes(reader, key)?, self.bytes(reader, value)?);
        // Else somebody would be left out without a word.
        if key.starts_with(prefix) { Ok((key, value)) } else { Err(self.damaged("an entry is not where it should be")) }
    }

    fn length(&self, reader: &mut impl Read) -> Result<u32, StoreError> {
        let mut bytes = [0; 4];
        reader.read_exact(&mut bytes).map_err(disk::at(&self.path))?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn bytes(&self, reader: &mut impl Read, count: u32) -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![0; count as usize];
        reader.read_exact(&mut bytes).map_err(disk::at(&self.path))?;
        Ok(bytes)
    }
}

/// A file from one place on, whoever else reads it.
struct From<'f> {
    file: &'f File,
    at: u64,
}

impl Read for From<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
