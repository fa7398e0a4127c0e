//! Why a whole sync cannot be done; what is wrong with single rows is in the report instead.

use std::path::PathBuf;

use crate::{face::FaceError, store::StoreError};

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
        "{removed} of the {enrolled} people in the store are not in the roster; --mirror would remove them. Nothing was changed: if this is what you want, add --allow-mass-removal"
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
    Face(#[from] FaceError),
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
    Snapshot(#[source] StoreError),
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
    Face(#[from] FaceError),
}
