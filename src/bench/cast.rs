//! Who appears in made-up halls: faces cut from photos, some of them enrolled by another photo of the same person.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use image::RgbImage;
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::{crowd::Cutout, latency::made_up};
use crate::{
    camera::photo::read_photo,
    face::{
        ModelError, Template,
        align::{self, Upright},
        networks::Networks,
    },
    gallery::decision::Demands,
    person::{Person, RecordNumber},
    roll::{Change, Roll},
    store::Version,
};

/// People in photos.
#[derive(Default)]
pub struct Cast {
    /// A photo of each, for walls.
    pub photos: Vec<RgbImage>,
    /// Their faces.
    pub cutouts: Vec<Cutout>,
    /// The photo by which each may be enrolled: another one where there is one.
    portraits: Vec<PathBuf>,
}

impl Cast {
    /// Up to `count` people, drawn by `seed` from a folder with one folder of photos a person.
    ///
    /// # Errors
    /// When the folder cannot be read or a network fails.
    pub fn from_dataset(dataset: &Path, count: usize, seed: u64, networks: &mut Networks) -> Result<Self, CastError> {
        let unreadable = |cause| CastError::Folder { path: dataset.to_owned(), cause };
        let entries = std::fs::read_dir(dataset).map_err(unreadable)?;
        let mut people = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>().map_err(unreadable)?;
        people.sort();
        people.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let photos_of = |person: PathBuf| {
            let mut photos: Vec<PathBuf> =
                std::fs::read_dir(person).into_iter().flatten().flatten().map(|file| file.path()).collect();
            photos.sort();
            photos
        };
        Self::of(people.into_iter().map(photos_of), count, networks)
    }

    /// The people of the demo.
    ///
    /// # Errors
    /// As [`Self::from_dataset`].
    pub fn from_demo(demo: &Path, networks: &mut Networks) -> Result<Self, CastError> {
        let photos = ["barack-obama.jpg", "eileen-collins.png"].map(|name| vec![demo.join("enrol").join(name)]);
        Self::of(photos.into_iter(), usize::MAX, networks)
    }

    fn of(
        people: impl Iterator<Item = Vec<PathBuf>>,
        count: usize,
        networks: &mut Networks,
    ) -> Result<Self, CastError> {
        let mut cast = Self::default();
        for photos in people {
            if cast.cutouts.len() >= count {
                break;
            }
            let (Some(first), Some(last)) = (photos.first(), photos.last()) else { continue };
            let Ok(photo) = read_photo(first) else { continue };
            if let Some(cutout) = Cutout::of(&photo, networks)? {
                cast.cutouts.push(cutout);
                cast.photos.push(photo);
                cast.portraits.push(last.clone());
            }
        }
        if cast.cutouts.is_empty() { Err(CastError::Nobody) } else { Ok(cast) }
    }

    /// A roll of `people`: every second one of the cast, and made-up ones.
    ///
    /// # Errors
    /// When a network fails.
    pub fn roll(
        &self,
        people: usize,
        seed: u64,
        networks: &mut Networks,
        demands: impl Fn(usize) -> Demands,
    ) -> Result<Roll, CastError> {
        let mut templates: Vec<Template> = Vec::new();
        for portrait in self.portraits.iter().step_by(2) {
            let Ok(photo) = read_photo(portrait) else { continue };
            let Some(glimpse) = networks.near.find(&photo)?.into_iter().next() else { continue };
            let Some(face) = networks.near.refine(&photo, &glimpse.bounds)? else { continue };
            let upright: Vec<Upright> = align::align(&photo, &face.landmarks).into_iter().collect();
            templates.extend(networks.recogniser.embed_portraits(&upright)?.into_iter().flatten());
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let dims = templates.first().map_or(0, |template| template.0.len());
        while templates.len() < people && dims > 0 {
            templates.extend(Template::from_output((0..dims).map(|_| random.random::<f32>() - 0.5).collect()));
        }
        let numbered: Vec<_> = (1..).map(RecordNumber).zip(templates).collect();
        let records = numbered.iter().map(|(record, _)| (*record, made_up(*record))).collect();
        Ok(roll(records, numbered, demands))
    }
}

/// A roll of these people, without a store.
pub fn roll(
    people: Vec<(RecordNumber, Person)>,
    templates: Vec<(RecordNumber, Template)>,
    demands: impl Fn(usize) -> Demands,
) -> Roll {
    let mut own: BTreeMap<RecordNumber, Vec<Template>> = BTreeMap::new();
    templates.into_iter().for_each(|(record, template)| own.entry(record).or_default().push(template));
    let changes = people.into_iter().map(|(record, person)| {
        let templates = Some(own.remove(&record).unwrap_or_default());
        Change::Put { record, version: Version::UNKNOWN, card: person.into(), templates }
    });
    let mut roll = Roll::empty(demands(0));
    roll.update(changes.collect(), demands);
    roll
}

/// Nobody can appear.
#[derive(Debug, thiserror::Error)]
pub enum CastError {
    /// A folder.
    #[error("cannot read the folder {path}: {cause}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// No usable photo.
    #[error(
        "no photo shows exactly one face; --dataset needs a folder with one folder of photos (JPEG or PNG) a person"
    )]
    Nobody,
    /// The networks.
    #[error(transparent)]
    Face(#[from] ModelError),
}
