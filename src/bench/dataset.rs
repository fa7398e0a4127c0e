//! Photos for benchmarks: a folder with one folder of photos a person, and groups of people by name.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Somebody with their photos.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The folder's name.
    pub name: String,
    /// In the order of their names.
    pub photos: Vec<PathBuf>,
}

/// Why there is nobody.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A folder or file that the system does not give out.
    #[error("cannot read {path}: {cause}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// A folder without photos.
    #[error("{0} has no photos (.jpg, .jpeg, .png)")]
    NoPhotos(PathBuf),
    /// A group with somebody who is not in the dataset.
    #[error("{group} names {name}, but the dataset has no folder of that name")]
    Unknown {
        /// The group's file.
        group: PathBuf,
        /// Whom it names.
        name: String,
    },
}

/// Everybody of a dataset, in the order of their names; folders without photos are left out.
///
/// # Errors
/// When the folder cannot be read or holds nobody.
pub fn people(dataset: &Path) -> Result<Vec<Person>, DatasetError> {
    let mut people = Vec::new();
    for folder in entries(dataset)?.into_iter().filter(|path| path.is_dir()) {
        match person(&folder) {
            Ok(person) => people.push(person),
            Err(DatasetError::NoPhotos(_)) => {}
            Err(error) => return Err(error),
        }
    }
    if people.is_empty() { Err(DatasetError::NoPhotos(dataset.to_owned())) } else { Ok(people) }
}

/// One person's folder.
///
/// # Errors
/// When it cannot be read or has no photos.
pub fn person(folder: &Path) -> Result<Person, DatasetError> {
    let mut photos = entries(folder)?;
    photos.retain(|path| {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        matches!(extension.as_deref(), Some("jpg" | "jpeg" | "png"))
    });
    if photos.is_empty() {
        return Err(DatasetError::NoPhotos(folder.to_owned()));
    }
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Person { name, photos })
}

/// The names in a group's file: one a line, lines that begin with `#` are remarks.
///
/// # Errors
/// When the file cannot be read.
pub fn group(path: &Path) -> Result<BTreeSet<String>, DatasetError> {
    let lines = lines(path)?;
    Ok(lines.into_iter().collect())
}

/// Pairs of people in a file: two names a line with a comma between them; `#` for remarks.
///
/// # Errors
/// When the file cannot be read.
pub fn pairs(path: &Path) -> Result<Vec<(String, String)>, DatasetError> {
    let pair = |line: String| line.split_once(',').map(|(one, other)| (one.trim().to_owned(), other.trim().to_owned()));
    Ok(lines(path)?.into_iter().filter_map(pair).collect())
}

fn lines(path: &Path) -> Result<Vec<String>, DatasetError> {
    let text = std::fs::read_to_string(path).map_err(unreadable(path))?;
    let names = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(names.map(str::to_owned).collect())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let entries = std::fs::read_dir(folder).map_err(unreadable(folder))?;
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(unreadable(folder))?;
    paths.sort();
    Ok(paths)
}

fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> DatasetError + use<> {
    let path = path.to_owned();
    move |cause| DatasetError::Unreadable { path, cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_read_without_its_remarks() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("group.txt");
        std::fs::write(&file, "# who\nChen_Wei\n\n  Li_Na \n").unwrap();
        assert_eq!(group(&file).unwrap(), BTreeSet::from(["Chen_Wei".to_owned(), "Li_Na".to_owned()]));
        std::fs::write(&file, "# siblings\nChen_Wei, Chen_Na\n").unwrap();
        assert_eq!(pairs(&file).unwrap(), [("Chen_Wei".to_owned(), "Chen_Na".to_owned())]);
    }

    #[test]
    fn people_are_folders_with_photos_and_whatever_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["Li_Na/2.JPG", "Li_Na/1.png", "Li_Na/notes.txt", "Chen_Wei/1.jpeg", "empty/readme"] {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let people = people(folder.path()).unwrap();
        let told: Vec<(&str, usize)> = people.iter().map(|it| (it.name.as_str(), it.photos.len())).collect();
        assert_eq!(told, [("Chen_Wei", 1), ("Li_Na", 2)]);
        assert!(people[1].photos[0].ends_with("1.png"));
        let error = person(&folder.path().join("Nobody")).unwrap_err().to_string();
        assert!(error.contains("Nobody: No such file"), "{error}");
    }
}
