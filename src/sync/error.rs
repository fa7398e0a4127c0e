//! Why a whole sync cannot be done; what is wrong with single rows is in the report instead.

use std::path::PathBuf;

use crate::{face::ModelError, store::StoreError};

/// Why a sync ended without doing its work.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The roster cannot be read.
    #[error("cannot read the roster {}: {cause}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// No bytes, or blank lines only.
    #[error("the roster {} is empty. Nothing was changed; export it again", path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
    },
    /// Column names and nothing below.
    #[error("the roster {} has column names but no people. Nothing was changed; export it again", path.display())]
    HeaderOnly {
        /// Which file.
        path: PathBuf,
    },
    /// An XLSX or XLS file.
    #[error("the roster {} is a spreadsheet's own file. Save it as \"CSV UTF-8\" with the column of identity numbers formatted as text", path.display())]
    Workbook {
        /// Which file.
        path: PathBuf,
    },
    /// Bytes that are no text.
    #[error("the roster {} is in no encoding that is known here (UTF-8, UTF-16, GB18030, Big5). Save it as \"CSV UTF-8\"", path.display())]
    Encoding {
        /// Which file.
        path: PathBuf,
    },
    /// Required columns are absent.
    #[error("row 1 of {}: {problem}. Nothing was changed; name the columns id_number, name, phone, photos (or 身份证号, 姓名, 手机号, 照片)", path.display())]
    Columns {
        /// Which file.
        path: PathBuf,
        /// Which are missing, and what was probably meant.
        problem: String,
    },
    /// The folder with the photos.
    #[error("cannot open the photo folder {}: {cause}. Name it with --photos DIR", path.display())]
    PhotoFolder {
        /// Which folder.
        path: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// More than half of the people would go.
    #[error(
        "{removed} of the {enrolled} people in the store would be removed: they are not in the roster (--mirror), or their rows say that they must not be kept. Nothing was changed: if this is what you want, add --allow-mass-removal"
    )]
    MassRemoval {
        /// How many would be removed.
        removed: usize,
        /// How many there are.
        enrolled: usize,
    },
    /// The store, before anything was changed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The networks, before anything was changed.
    #[error(transparent)]
    Face(#[from] ModelError),
    /// In the middle.
    #[error(
        "{cause}. {acknowledged} of {planned} changes are in the store for good; the same sync again does the rest"
    )]
    Interrupted {
        /// Changes that would survive a power cut.
        acknowledged: usize,
        /// Changes that were to be made.
        planned: usize,
        /// What happened.
        cause: Interruption,
    },
    /// Everybody is in, but the copy is not.
    #[error(
        "all changes are in the store, but the copy from which it would be rebuilt after damage could not be renewed: {0}"
    )]
    Snapshot(StoreError),
    /// The report file.
    #[error("all changes are in the store, but the report {} could not be written: {cause}", path.display())]
    Report {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
}

/// What ended a sync in the middle.
#[derive(Debug, thiserror::Error)]
pub enum Interruption {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The networks.
    #[error(transparent)]
    Face(#[from] ModelError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::RecordNumber;

    #[test]
    fn every_error_says_what_it_means_and_what_to_do() {
        let path = PathBuf::from("roster.csv");
        let cause = || std::io::Error::from(std::io::ErrorKind::NotFound);
        let texts = [
            SyncError::Unreadable { path: path.clone(), cause: cause() },
            SyncError::Empty { path: path.clone() },
            SyncError::HeaderOnly { path: path.clone() },
            SyncError::Workbook { path: path.clone() },
            SyncError::Encoding { path: path.clone() },
            SyncError::Columns { path: path.clone(), problem: "there is no column name".into() },
            SyncError::PhotoFolder { path: "photos".into(), cause: cause() },
            SyncError::MassRemoval { removed: 20, enrolled: 30 },
            SyncError::Interrupted {
                acknowledged: 200,
                planned: 450,
                cause: StoreError::UnknownRecord(RecordNumber(7)).into(),
            },
            SyncError::Snapshot(StoreError::UnknownRecord(RecordNumber(7))),
            SyncError::Report { path, cause: cause() },
        ]
        .map(|error| error.to_string());
        let expected = [
            "cannot read the roster roster.csv: entity not found",
            "the roster roster.csv is empty. Nothing was changed; export it again",
            "the roster roster.csv has column names but no people. Nothing was changed; export it again",
            "the roster roster.csv is a spreadsheet's own file. Save it as \"CSV UTF-8\" with the column of identity numbers formatted as text",
            "the roster roster.csv is in no encoding that is known here (UTF-8, UTF-16, GB18030, Big5). Save it as \"CSV UTF-8\"",
            "row 1 of roster.csv: there is no column name. Nothing was changed; name the columns id_number, name, phone, photos (or 身份证号, 姓名, 手机号, 照片)",
            "cannot open the photo folder photos: entity not found. Name it with --photos DIR",
            "20 of the 30 people in the store would be removed: they are not in the roster (--mirror), or their rows say that they must not be kept. Nothing was changed: if this is what you want, add --allow-mass-removal",
            "there is no record #7. `greeter people list` shows all. 200 of 450 changes are in the store for good; the same sync again does the rest",
            "all changes are in the store, but the copy from which it would be rebuilt after damage could not be renewed: there is no record #7. `greeter people list` shows all",
            "all changes are in the store, but the report roster.csv could not be written: entity not found",
        ];
        assert_eq!(texts, expected);
    }
}
