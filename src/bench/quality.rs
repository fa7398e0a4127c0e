//! Does the quality score notice? Photos are spoilt in twelve ways and five strengths ([`degrade`]) and judged by the program's own path:
//! found, aligned, judged, embedded.
//!
//! A face that is no longer found has the score 0. The score falls with strength if, face by face, its rank correlation (Spearman) with
//! the strength, over the photo as it is and the five strengths, is near -1; a kind's figure is the mean over faces. Pooling faces first
//! would either forgive a score that rises for some (a correlation of means) or blame it for faces that differ (one of all scores).

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use image::RgbImage;
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::{
    dataset::Person,
    degrade::{Kind, STRENGTHS, spoil},
    figures::Origin,
};
use crate::{
    camera::photo::{self, PhotoError},
    face::{
        Detection, FaceBox, ModelError,
        align::align,
        networks::Networks,
        quality::{Demands, Fault, MAX_YAW_DEGREES, Quality},
    },
};

/// A kind whose correlation is at most this is noticed.
pub const NOTICED: f64 = -0.9;
/// Smaller faces have nothing to lose any more.
const DEMANDS: Demands = Demands { min_eye_distance_px: 30.0, max_yaw_degrees: MAX_YAW_DEGREES };

/// What became of one face: scores by kind and strength, 0 being the photo as it is, and the reason at the greatest strength.
#[derive(Debug, Clone)]
pub struct Judged {
    scores: [[f32; STRENGTHS + 1]; Kind::ALL.len()],
    reasons: [Option<Fault>; Kind::ALL.len()],
}

/// Why photos could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum QualityError {
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

/// What `greeter bench quality` writes.
#[derive(Debug, Serialize)]
pub struct QualityFigures {
    /// What was measured where.
    #[serde(flatten)]
    pub origin: Origin,
    /// Faces, one a person.
    pub faces: usize,
    /// Kinds whose correlation is at most [`NOTICED`].
    pub noticed: usize,
    /// By kind.
    pub kinds: BTreeMap<&'static str, KindFigures>,
}

/// How the score took one kind.
#[derive(Debug, Clone, Serialize)]
pub struct KindFigures {
    /// What strengths 1 to 5 are.
    pub amounts: [f32; STRENGTHS],
    /// The mean score at strength 0 (the photo as it is) to 5.
    pub mean_score: [f64; STRENGTHS + 1],
    /// The share of faces that are no longer found, likewise.
    pub lost: [f64; STRENGTHS + 1],
    /// The mean over faces of the rank correlation between score and strength.
    pub spearman: f64,
    /// The reason that is given most often at the greatest strength, and its share of the faces that are still found.
    pub reason: Option<(String, f64)>,
}

/// Judges one photo each of `faces` people, drawn by `seed`, with one thread for each of `networks`.
///
/// # Errors
/// The first photo that cannot be read, or when the networks fail.
pub fn judge(
    people: &[Person],
    faces: usize,
    networks: Vec<Networks>,
    seed: u64,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Vec<Judged>, QualityError> {
    let mut order: Vec<&Person> = people.iter().collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let next = AtomicUsize::new(0);
    let judged: Mutex<Vec<(usize, Judged)>> = Mutex::new(Vec::new());
    let worker = |mut networks: Networks| -> Result<(), QualityError> {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let done = judged.lock().unwrap_or_else(PoisonError::into_inner).len();
            let Some(person) = order.get(at).filter(|_| done < faces) else { return Ok(()) };
            if let Some(face) = one(person, &mut networks, seed ^ ((at as u64) << 20))? {
                let mut judged = judged.lock().unwrap_or_else(PoisonError::into_inner);
                judged.push((at, face));
                progress(judged.len());
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = networks.into_iter().map(|networks| scope.spawn(|| worker(networks))).collect();
        let ended = workers.into_iter().map(|worker| match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        ended.collect::<Result<Vec<()>, _>>()
    })?;
    let mut judged = judged.into_inner().unwrap_or_else(PoisonError::into_inner);
    // The same faces in the same order, whichever thread was faster.
    judged.sort_by_key(|(at, _)| *at);
    Ok(judged.into_iter().take(faces).map(|(_, face)| face).collect())
}

/// A person's first photo with a good face, in all its states.
fn one(person: &Person, networks: &mut Networks, seed: u64) -> Result<Option<Judged>, QualityError> {
    let Some(path) = person.photos.first() else { return Ok(None) };
    let photo = read(path)?;
    let found = networks.finder.find(&photo)?;
    let Some(widest) = found.into_iter().max_by(|a, b| a.bounds.width.total_cmp(&b.bounds.width)) else {
        return Ok(None);
    };
    let Some((face, quality)) = look(&photo, &widest.bounds, networks)? else { return Ok(None) };
    if quality.fault(&DEMANDS).is_some() {
        return Ok(None);
    }
    let mut judged = Judged { scores: Default::default(), reasons: Default::default() };
    for (at, kind) in Kind::ALL.into_iter().enumerate() {
        judged.scores[at][0] = quality.score();
        for (step, amount) in kind.amounts().into_iter().enumerate() {
            let mut rng = ChaCha8Rng::seed_from_u64(seed ^ step as u64);
            let Some(spoilt) = spoil(&photo, &face, kind, amount, &mut rng) else { continue };
            // As a visitor whose face was there in the frame before.
            let seen = look(&spoilt.photo, &face.bounds.scaled(spoilt.scale), networks)?;
            judged.scores[at][step + 1] = seen.as_ref().map_or(0.0, |(_, quality)| quality.score());
            judged.reasons[at] = seen.and_then(|(_, quality)| quality.reason());
        }
    }
    Ok(Some(judged))
}

fn read(path: &Path) -> Result<RgbImage, QualityError> {
    photo::read_photo(path).map_err(|fault| QualityError::Photo { path: path.display().to_string(), fault })
}

/// The face near a box, and how good the view is once it is embedded.
fn look(photo: &RgbImage, near: &FaceBox, networks: &mut Networks) -> Result<Option<(Detection, Quality)>, ModelError> {
    let mut found: Option<Detection> = None;
    for _ in 0..2 {
        let bounds = found.as_ref().map_or(*near, |face| face.bounds);
        let Some(face) = networks.near.refine(photo, &bounds)? else { break };
        found = Some(face);
    }
    let Some(face) = found else { return Ok(None) };
    let Some(upright) = align(photo, &face.landmarks) else { return Ok(None) };
    let quality = Quality::of(&face, &upright.crop());
    let certainty = networks.recogniser.embed_views(&[upright])?.pop().flatten().map_or(0.0, |view| view.certainty);
    Ok(Some((face, quality.embedded(certainty))))
}

/// The figures of all faces.
pub fn figures(judged: &[Judged], origin: Origin) -> QualityFigures {
    let kinds: BTreeMap<_, _> =
        Kind::ALL.into_iter().enumerate().map(|(at, kind)| (kind.name(), of_kind(judged, at, kind))).collect();
    let noticed = kinds.values().filter(|kind| kind.spearman <= NOTICED).count();
    QualityFigures { origin, faces: judged.len(), noticed, kinds }
}

fn of_kind(judged: &[Judged], at: usize, kind: Kind) -> KindFigures {
    let count = judged.len().max(1) as f64;
    let mean = |value: &dyn Fn(f32) -> f64, strength: usize| {
        judged.iter().map(|face| value(face.scores[at][strength])).sum::<f64>() / count
    };
    let found = judged.iter().filter(|face| face.scores[at][STRENGTHS] > 0.0).count();
    let given = |fault: Fault| judged.iter().filter(|face| face.reasons[at] == Some(fault)).count();
    let reason = Fault::ALL.into_iter().max_by_key(|fault| given(*fault)).filter(|fault| given(*fault) > 0);
    KindFigures {
        amounts: kind.amounts(),
        mean_score: std::array::from_fn(|strength| mean(&f64::from, strength)),
        lost: std::array::from_fn(|strength| mean(&|score| f64::from(u8::from(score == 0.0)), strength)),
        spearman: judged.iter().map(|face| spearman(&face.scores[at])).sum::<f64>() / count,
        reason: reason.map(|fault| (fault.to_string(), given(fault) as f64 / found.max(1) as f64)),
    }
}

/// Spearman's rank correlation of scores with their place, equal scores sharing their ranks; 0 if all are equal.
fn spearman(scores: &[f32]) -> f64 {
    let ranks: Vec<f64> = scores
        .iter()
        .map(|score| {
            let (below, equal) = scores.iter().fold((0.0, 0.0), |(below, equal), other| {
                (below + f64::from(u8::from(other < score)), equal + f64::from(u8::from(other == score)))
            });
            below + (equal - 1.0) / 2.0
        })
        .collect();
    let middle = (scores.len() as f64 - 1.0) / 2.0;
    let (mut common, mut of_ranks, mut of_places) = (0.0, 0.0, 0.0);
    for (place, rank) in ranks.iter().enumerate() {
        let (rank, place) = (rank - middle, place as f64 - middle);
        common += rank * place;
        of_ranks += rank * rank;
        of_places += place * place;
    }
    if of_ranks > 0.0 { common / f64::sqrt(of_ranks * of_places) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_correlation_is_that_of_the_textbook() {
        assert_eq!(spearman(&[0.9, 0.8, 0.5, 0.4, 0.1, 0.0]), -1.0);
        assert_eq!(spearman(&[0.1, 0.2, 0.3]), 1.0);
        assert_eq!(spearman(&[0.5, 0.5, 0.5]), 0.0);
        // One exchange of neighbours among six: 1 - 6·2/(6·35).
        assert!((spearman(&[0.8, 0.9, 0.5, 0.4, 0.1, 0.0]) + 1.0 - 12.0 / 210.0).abs() < 1e-12);
        // The last two share their rank: the covariance is 17, the ranks' sum of squares 17 instead of 17.5.
        assert!((spearman(&[0.9, 0.8, 0.5, 0.4, 0.0, 0.0]) + 17.0 / f64::sqrt(17.0 * 17.5)).abs() < 1e-12);
    }
}
