//! Every photo through the program's own path, once: as an enrolment photo and as a view of a visitor.

use std::{
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use image::RgbImage;

use crate::{
    bench::dataset,
    calibration::group::Photo,
    camera::photo::{self, PhotoError},
    face::{
        ModelError, Template,
        enrol::PhotoEnroller,
        quality::{Demands, Quality},
    },
};

/// What the program makes of a photo.
#[derive(Debug, Clone, Default)]
pub struct Studied {
    /// As an enrolment photo; `None` if it is refused.
    pub enrolled: Option<Template>,
    /// As a view of a visitor, with its quality; `None` if there is no usable face.
    pub view: Option<Photo>,
}

/// Somebody with what became of their photos.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The name of their folder.
    pub name: String,
    /// Their photos.
    pub photos: Vec<Studied>,
}

/// Why photos could not be studied.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// A photo.
    #[error("photo {path} {fault}")]
    Photo {
        /// Which.
        path: String,
        /// What is wrong with it.
        fault: PhotoError,
    },
    /// The networks.
    #[error(transparent)]
    Face(#[from] ModelError),
}

/// Studies everybody's photos with one thread for each of `enrollers`, telling how many people are done.
///
/// # Errors
/// The first photo that cannot be read, or when the networks fail.
pub fn study(
    people: &[dataset::Person],
    enrollers: Vec<PhotoEnroller>,
    demands: &Demands,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Vec<Subject>, StudyError> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let subjects: Mutex<Vec<Option<Subject>>> = Mutex::new(vec![None; people.len()]);
    let worker = |mut enroller: PhotoEnroller| -> Result<(), StudyError> {
        while let Some((at, person)) = take(people, &next) {
            let photos = person.photos.iter().map(|path| study_one(path, &mut enroller, demands));
            let photos = match photos.collect::<Result<Vec<_>, _>>() {
                Ok(photos) => photos,
                Err(error) => {
                    // The other workers need not go on.
                    next.store(people.len(), Ordering::Relaxed);
                    return Err(error);
                }
            };
            let subject = Subject { name: person.name.clone(), photos };
            subjects.lock().unwrap_or_else(PoisonError::into_inner)[at] = Some(subject);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = enrollers.into_iter().map(|enroller| scope.spawn(|| worker(enroller))).collect();
        let ended = workers.into_iter().map(|worker| match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        ended.collect::<Result<Vec<()>, _>>()
    })?;
    let subjects = subjects.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(subjects.into_iter().flatten().collect())
}

fn take<'p>(people: &'p [dataset::Person], next: &AtomicUsize) -> Option<(usize, &'p dataset::Person)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    people.get(at).map(|person| (at, person))
}

fn study_one(path: &Path, enroller: &mut PhotoEnroller, demands: &Demands) -> Result<Studied, StudyError> {
    let fault = |fault| StudyError::Photo { path: path.display().to_string(), fault };
    let photo: RgbImage = photo::read_photo(path).map_err(fault)?;
    let ways = enroller.two_ways(&photo, demands)?;
    let (portrait, view) = (ways.portrait.ok(), ways.view.ok());
    let enrolled = portrait.map_or(Ok(None), |portrait| enroller.template(&portrait))?;
    let seen = view.map_or(Ok(None), |view| enroller.view(&view))?;
    let photo =
        |(template, quality): (_, Quality)| Photo { template, quality: quality.score(), portrait: enrolled.clone() };
    let view = seen.map(photo);
    Ok(Studied { enrolled, view })
}
