//! The hall's own thresholds on the disk: `F.calibration` beside the store's folder `F`, because they are true for its people only.
//!
//! Written whole or not at all. Holds counts and scores, nobody's number.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use super::{CalibrationError, hall::Origin};
use crate::face::manifest::{GalleryThreshold, Thresholds};

/// What `greeter calibrate` found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Whose templates were compared; holds for no other recogniser.
    pub recogniser: String,
    /// The share of strangers who may be named.
    pub fpir: f64,
    /// When.
    pub made: jiff::civil::DateTime,
    /// People enrolled then.
    pub people: usize,
    /// Pairs of them that were looked at.
    pub pairs: u64,
    /// How the scores were got.
    pub method: String,
    /// Rising galleries.
    pub scores: Vec<Score>,
}

/// One size of the gallery.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// People enrolled.
    pub gallery: usize,
    /// The lowest comparison score that names somebody.
    pub min_score: f32,
    /// Where it comes from.
    pub from: Origin,
}

/// Where the calibration of a store's people lies.
pub fn path(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".calibration");
    name.into()
}

/// When the calibration was last written, if there is one: changes when `greeter calibrate` has run.
pub fn written_at(store: &Path) -> Option<SystemTime> {
    fs::metadata(path(store)).and_then(|found| found.modified()).ok()
}

impl Calibration {
    /// Reads the calibration of a store's people; `None` where there is none.
    ///
    /// # Errors
    /// [`CalibrationError::Unusable`].
    pub fn load(store: &Path) -> Result<Option<Self>, CalibrationError> {
        let path = path(store);
        let unusable = |cause: String| CalibrationError::Unusable { path: path.clone(), cause };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(error.to_string())),
        };
        let read: Self = toml::from_str(&text).map_err(|error| unusable(error.message().to_owned()))?;
        let sound = !read.scores.is_empty()
            && read.scores.iter().all(|row| row.min_score > 0.0 && row.min_score <= 1.0)
            && read.scores.is_sorted_by(|a, b| a.gallery < b.gallery && a.min_score <= b.min_score);
        if sound { Ok(Some(read)) } else { Err(unusable("its scores do not rise with the gallery".into())) }
    }

    /// Puts it in the place of the one before and returns where that is.
    ///
    /// # Errors
    /// [`CalibrationError::NotWritten`].
    pub fn write(&self, store: &Path) -> Result<PathBuf, CalibrationError> {
        let path = path(store);
        let failed = |cause: String| CalibrationError::NotWritten { path: path.clone(), cause };
        let text = self.text().map_err(|error| failed(error.to_string()))?;
        let mut unfinished = path.clone().into_os_string();
        unfinished.push(".unfinished");
        let replaced = File::create(&unfinished)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&unfinished, &path));
        if let Err(error) = replaced {
            // Only the half-written new file; a failure to remove it changes nothing.
            drop(fs::remove_file(&unfinished));
            return Err(failed(error.to_string()));
        }
        Ok(path)
    }

    fn text(&self) -> Result<String, toml::ser::Error> {
        let head = Self { scores: Vec::new(), ..self.clone() };
        let head = toml::to_string(&head)?;
        let rows = self.scores.iter().map(|row| {
            let from = toml::Value::try_from(row.from)?;
            Ok(format!("    {{ gallery = {}, min_score = {:.3}, from = {from} }},\n", row.gallery, row.min_score))
        });
        let rows = rows.collect::<Result<String, toml::ser::Error>>()?;
        let head = head.replace("scores = []\n", "");
        Ok(format!(
            "# Written by `greeter calibrate`, for these people and this recogniser only.\n{head}scores = [\n{rows}]\n"
        ))
    }

    /// As the program uses them.
    pub fn thresholds(&self) -> Thresholds {
        let row = |row: &Score| GalleryThreshold { gallery: row.gallery, min_score: row.min_score };
        Thresholds {
            population: format!("the {} people who were enrolled on {}", self.people, self.made.date()),
            method: self.method.clone(),
            mates_median: None,
            scores: self.scores.iter().map(row).collect(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn calibration(lowest: f32) -> Calibration {
        let score = |gallery, min_score, from| Score { gallery, min_score, from };
        Calibration {
            recogniser: "mobilefacenet-192-whitened".into(),
            fpir: 0.001,
            made: jiff::civil::date(2026, 11, 25).at(9, 30, 0, 0),
            people: 5000,
            pairs: 12_497_500,
            method: "counted \"twice\"".into(),
            scores: vec![score(2, lowest, Origin::Pairs), score(100_000, lowest + 0.2, Origin::Tail)],
        }
    }

    #[test]
    fn what_was_calibrated_is_what_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        assert_eq!(Calibration::load(&store), Ok(None));
        assert_eq!(written_at(&store), None);
        let written = calibration(0.625);
        assert_eq!(written.write(&store).unwrap(), folder.path().join("store.calibration"));
        assert_eq!(Calibration::load(&store), Ok(Some(written.clone())));
        assert!(written_at(&store).is_some());
        assert_eq!(written.thresholds().min_score(1), Some(0.625));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing half-written stays behind");
    }

    #[test]
    fn a_spoilt_file_is_named_with_its_cure() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let mut falling = calibration(0.6);
        falling.scores.reverse();
        falling.write(&store).unwrap();
        let error = Calibration::load(&store).unwrap_err().to_string();
        assert!(error.contains("store.calibration cannot be used: its scores do not rise"), "{error}");
        fs::write(path(&store), "recogniser = 1").unwrap();
        let error = Calibration::load(&store).unwrap_err().to_string();
        assert!(error.contains("run `greeter calibrate` to write it anew"), "{error}");
    }

    #[test]
    fn where_it_cannot_be_written_the_old_one_stays() {
        let error = calibration(0.6).write(Path::new("/proc/nowhere/store")).unwrap_err().to_string();
        assert!(
            error.contains("/proc/nowhere/store.calibration") && error.contains("held before still hold"),
            "{error}"
        );
    }
}
