//! How long visitors wait: visits through the whole pipeline, from the first frame to the first sample of the greeting.
//!
//! The pipeline is the one of `greeter run`, voices included; only the camera is staged and the gallery filled up with made-up people.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use image::RgbImage;
use rand::{Rng, SeedableRng, seq::SliceRandom};
use serde::Serialize;

use super::{
    company::{Measured, Visit},
    figures::Origin,
    staged_camera::{Scene, Standing},
};
use crate::{
    bench::spread::Spread,
    camera::photo::{self, PhotoError},
    face::{Enroller, ModelError, Template},
    person::{IdNumber, Person, PersonName, PhoneNumber, RecordNumber, Salutation},
    pipeline::{Pipeline, health::Frames, host::Told},
};

/// A visit in which not everybody has been greeted after so long for each is counted as it stands.
const VISIT_LASTS: Duration = Duration::from_secs(6);
/// A greeting has ended and its visitors have gone within this.
const GOODBYE_LASTS: Duration = Duration::from_secs(20);
/// Nobody is there for so long at least between two visits.
const PAUSE: Duration = Duration::from_millis(300);
/// Photos enrolled of a person, and shown of them, at most.
const ENROLLED: usize = 3;
const SHOWN: usize = 3;

/// Somebody who is enrolled and will visit.
pub struct Actor {
    /// Their record.
    pub record: RecordNumber,
    /// The photos in which they are seen.
    pub photos: Vec<RgbImage>,
}

/// Everybody of a benchmark.
pub struct Cast {
    /// Who visits.
    pub actors: Vec<Actor>,
    /// Records of all, made-up people included.
    pub people: Vec<(RecordNumber, Person)>,
    /// Templates of all.
    pub templates: Vec<(RecordNumber, Template)>,
}

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Latency {
    /// Where and with what.
    #[serde(flatten)]
    pub origin: Origin,
    /// Enrolled.
    pub people: usize,
    /// Of them, expected that day; the visitors are among them.
    pub expected: usize,
    /// Visits, all of enrolled people.
    pub visits: usize,
    /// Who came together in each. All that follows is of each of them.
    pub faces: usize,
    /// Named rightly. Two of a group who are called by each other's name count so, as nobody tells who stands where.
    pub right: usize,
    /// Named as somebody else: somebody who did not come, or who was named beside them.
    pub wrong: usize,
    /// Not named, though perhaps somebody.
    pub unsure: usize,
    /// Taken for strangers.
    pub stranger: usize,
    /// Frames.
    pub frames: Frames,
    /// From the first frame with the visitor until the decision that the greeting follows.
    pub face_to_decision_ms: Option<Spread>,
    /// Until the first sample of speech, a hello included; absent where no voice could be heard.
    pub face_to_audible_ms: Option<Spread>,
    /// Until the first sample of the greeting that names the visitor or not: the same, unless a hello was heard before it.
    pub face_to_greeting_ms: Option<Spread>,
    /// Who heard a hello first.
    pub hellos: usize,
    /// `recognise`, `attend` and `speak` follow each other and make up the whole; the others are parts of one frame's work.
    pub stages_ms: BTreeMap<&'static str, Option<Spread>>,
}

/// Casts people from a folder with one folder of photos a person, or else the demo's people, and makes up the rest. `enrol`: the photos
/// enrolled of each; without it up to three, and whoever has most comes.
///
/// # Errors
/// When photos cannot be read or the networks fail.
pub fn cast(
    dataset: Option<&Path>,
    demo: &Path,
    (visits, people): (usize, usize),
    enrol: Option<usize>,
    seed: u64,
    enroller: &mut dyn Enroller,
) -> Result<Cast, CastError> {
    let mut generator = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut folders = match dataset {
        Some(folder) => folder_photos(folder, enrol.unwrap_or(ENROLLED))?,
        None => demo_photos(demo)?,
    };
    folders.retain(|(_, shown)| !shown.is_empty());
    folders.shuffle(&mut generator);
    match enrol {
        Some(enrol) => folders.retain(|(enrolled, _)| enrolled.len() == enrol),
        // Somebody enrolled by one photo is seldom named, which is another question than how long visitors wait.
        None => folders.sort_by_key(|(enrolled, _)| std::cmp::Reverse(enrolled.len())),
    }
    let mut cast = Cast { actors: Vec::new(), people: Vec::new(), templates: Vec::new() };
    for (enrolled, shown) in folders {
        if cast.actors.len() >= visits.min(people) {
            break;
        }
        let record = RecordNumber(cast.actors.len() as u64 + 1);
        let mut templates = Vec::new();
        for path in &enrolled {
            let photo = read(path)?;
            templates.extend(enroller.enrol(&photo)?.ok().map(|template| (record, template)));
        }
        if templates.is_empty() {
            continue;
        }
        // A visitor is one who looks at the robot: photos in which somebody looks away, or stands in company, are left out.
        let mut photos = Vec::new();
        for photo in shown.iter().map(|path| read(path)) {
            let photo = photo?;
            if enroller.enrol(&photo)?.is_ok() {
                photos.push(photo);
            }
        }
        if photos.is_empty() {
            continue;
        }
        cast.templates.extend(templates);
        cast.people.push((record, made_up(record)));
        cast.actors.push(Actor { record, photos });
    }
    let dims = cast.templates.first().map_or(0, |(_, template)| template.0.len());
    for number in cast.actors.len()..people {
        let record = RecordNumber(number as u64 + 1);
        let values = (0..dims).map(|_| generator.random::<f32>() - 0.5).collect();
        cast.templates.extend(Template::from_output(values).map(|template| (record, template)));
        cast.people.push((record, made_up(record)));
    }
    Ok(cast)
}

pub(super) fn made_up(record: RecordNumber) -> Person {
    Person {
        salutation: Some(Salutation::Mr),
        ..Person::new(IdNumber::new(format!("{record}")), PersonName::new("陈伟明"), PhoneNumber::new("+8613800138000"))
    }
}

type Photos = (Vec<PathBuf>, Vec<PathBuf>);

/// Of each person's photos the first ones are enrolled and the next ones shown.
fn folder_photos(dataset: &Path, enrol: usize) -> Result<Vec<Photos>, CastError> {
    let mut people = Vec::new();
    for folder in sorted(dataset)? {
        if folder.is_dir() {
            let photos = sorted(&folder)?;
            let enrolled = enrol.min(photos.len().saturating_sub(1));
            let shown = photos[enrolled..].iter().take(SHOWN).cloned().collect();
            people.push((photos[..enrolled].to_vec(), shown));
        }
    }
    Ok(people)
}

/// The demo's two people with some of the frames in which each is alone.
fn demo_photos(demo: &Path) -> Result<Vec<Photos>, CastError> {
    let frames = sorted(&demo.join("visits"))?;
    let of = |word: &str| {
        let named = |path: &&PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            name.contains(word) && !name.contains("-and-")
        };
        // Those that follow each other are much alike.
        frames.iter().filter(named).step_by(5).take(SHOWN).cloned().collect::<Vec<_>>()
    };
    let mut people = Vec::new();
    for photo in sorted(&demo.join("enrol"))? {
        let name = photo.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let surname = name.rsplit('-').next().unwrap_or_default().to_owned();
        people.push((vec![photo], of(&surname)));
    }
    Ok(people)
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, CastError> {
    let fault = |cause| CastError::Folder { path: folder.to_owned(), cause };
    let entries = std::fs::read_dir(folder).map_err(fault)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(fault)?;
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<RgbImage, CastError> {
    photo::read_photo(path).map_err(|fault| CastError::Photo { path: path.to_owned(), fault })
}

/// Lets everybody visit in turn, `faces` of them at a time, `visits` times in all.
pub fn measure(
    pipeline: &Pipeline,
    scene: &Scene,
    cast: &Cast,
    (visits, faces): (usize, usize),
    progress: &dyn Fn(usize),
) -> Measured {
    let mut measured = Measured::default();
    for visit in 0..visits {
        let who = (visit * faces..(visit + 1) * faces).map(|at| &cast.actors[at % cast.actors.len()]);
        // Composed before they come, so that it costs the robot nothing while they are there.
        let standing = Standing::side_by_side(who.clone().map(|actor| &actor.photos), 0.8, visit as u16);
        let records: Vec<RecordNumber> = who.map(|actor| actor.record).collect();
        let visit_of = one_visit(pipeline, scene, standing.pictures(), faces);
        measured.add(&records, visit_of);
        progress(visit + 1);
    }
    measured
}

/// So many visitors come, are greeted and go.
fn one_visit(pipeline: &Pipeline, scene: &Scene, pictures: Vec<Arc<Vec<u8>>>, faces: usize) -> Visit {
    let mut visit = Visit::default();
    // Of those before nothing is to be told any more.
    pipeline.told().try_iter().for_each(drop);
    let until = Instant::now() + VISIT_LASTS * u32::try_from(faces).unwrap_or(u32::MAX);
    scene.visitor(pictures);
    while !visit.is_served(faces) && Instant::now() < until {
        let Ok(told) = pipeline.told().recv_deadline(until) else { break };
        let Told::Event(entry) = told else { continue };
        visit.take(entry.event, scene.appeared().map(|at| at.elapsed().as_secs_f64() * 1000.0));
    }
    scene.nobody();
    // The next ones come when these have gone and have been told everything.
    let until = Instant::now() + GOODBYE_LASTS;
    while !visit.is_over() {
        let Ok(told) = pipeline.told().recv_deadline(until) else { break };
        let Told::Event(entry) = told else { continue };
        visit.take(entry.event, None);
    }
    std::thread::sleep(PAUSE);
    visit
}

/// People for a benchmark cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CastError {
    /// A folder.
    #[error("cannot read the folder {path}: {cause}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// A photo.
    #[error("photo {path}: {fault}")]
    Photo {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        fault: PhotoError,
    },
    /// The networks.
    #[error(transparent)]
    Face(#[from] ModelError),
}
