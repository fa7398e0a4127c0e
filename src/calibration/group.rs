//! From which comparison score a person may be named, computed from photos of a group of people who are known not to be each other.
//!
//! The shipped table of models.toml comes from here (`greeter bench thresholds`); a hall's own from [`super::hall`]. A group of a hundred
//! people has ten thousand pairs, so the tail of their scores is continued:
//!
//! - a normal distribution is fitted to the scores' upper fifth by a probability plot, each pair of people weighing the same;
//! - one standard error is added, by the jackknife over *people* (pairs that share a person are not independent).
//!
//! Tried on 100 random groups of 74 other people of LFW, whose true score at 1e-4 to 4e-7 was known from seven million pairs: the
//! result was below it in 2 % of the groups at 1e-4 (by 0.006 at most) and 0 to 1 % beyond, and 0.06 above it on average. Without the
//! standard error 1 to 14 % were below. A generalised Pareto tail was below in 80 %; an exponential one lay 0.17 above and reaches scores
//! over 1 for large galleries, so that nobody would ever be named.

use super::{
    CalibrationError, FEWEST_PEOPLE, GALLERIES,
    tail::{Tail, deviate, jackknife_error, match_rate},
};
use crate::face::{Template, enrol::suffice, manifest::GalleryThreshold};

/// Photos of a person that make one visit, and that are enrolled at most.
const PHOTOS: usize = 3;
/// Visits of a person that are looked at, at most.
const VISITS: usize = 5;

/// A photo of somebody.
#[derive(Debug, Clone)]
pub struct Photo {
    /// Its template as a visitor's view.
    pub template: Template,
    /// Its quality, 0 to 1: its weight in a visit.
    pub quality: f32,
    /// Its template as an enrolment photo; `None` if it is refused as one.
    pub portrait: Option<Template>,
}

/// A comparison of a visitor with somebody else who is enrolled.
#[derive(Debug, Clone, Copy)]
pub struct NonMate {
    /// Index of the person who visits.
    pub visitor: usize,
    /// Index of the person who is enrolled.
    pub enrolled: usize,
    /// Comparison score.
    pub score: f32,
    /// One over the comparisons of this pair of people.
    pub weight: f64,
}

/// Compares everybody's visits with everybody else.
///
/// A visit is the quality-weighted mean of three photos, as [`crate::gallery::decision::Evidence`] makes it; who has more photos makes
/// several visits, who has fewer makes one of what there is (views of one visit are more alike than photos of different days, so a
/// visit of one photo is no worse a stand-in). Enrolled are the first one, two and three photos.
pub fn non_mates(people: &[Vec<Photo>]) -> Vec<NonMate> {
    let visits: Vec<Vec<Template>> = people
        .iter()
        .map(|photos| {
            let whole = (photos.len() / PHOTOS).clamp(1, VISITS);
            let visit = |photos: &[Photo]| {
                Template::mean(photos.iter().map(|photo| (&photo.template, photo.quality.max(0.05))))
            };
            photos.chunks(PHOTOS).take(whole).filter_map(visit).collect()
        })
        .collect();
    let enrolments: Vec<Vec<Template>> = people
        .iter()
        .map(|photos| {
            let portraits: Vec<&Template> = photos.iter().filter_map(|photo| photo.portrait.as_ref()).collect();
            let enrolment = |count: usize| {
                let together = portraits[..count].iter().copied();
                suffice(together.clone()).then(|| Template::mean(together.map(|portrait| (portrait, 1.0))))?
            };
            (1..=portraits.len().min(PHOTOS)).filter_map(enrolment).collect()
        })
        .collect();
    let mut all = Vec::new();
    for (visitor, visits) in visits.iter().enumerate() {
        for (enrolled, enrolments) in enrolments.iter().enumerate().filter(|(enrolled, _)| *enrolled != visitor) {
            let weight = 1.0 / (visits.len() * enrolments.len()).max(1) as f64;
            for visit in visits {
                let compared = enrolments.iter().map(|template| visit.score(template));
                all.extend(compared.map(|score| NonMate { visitor, enrolled, score, weight }));
            }
        }
    }
    all
}

/// The scores from which a person may be named, for galleries of 2 to 100,000 people, so that `fpir` of the strangers are named at most.
///
/// # Errors
/// [`CalibrationError`].
pub fn min_scores(non_mates: &[NonMate], fpir: f64) -> Result<Vec<GalleryThreshold>, CalibrationError> {
    if !(fpir > 0.0 && fpir <= 0.1) {
        return Err(CalibrationError::Share(fpir));
    }
    let mut people: Vec<usize> = non_mates.iter().flat_map(|pair| [pair.visitor, pair.enrolled]).collect();
    people.sort_unstable();
    people.dedup();
    if people.len() < FEWEST_PEOPLE {
        return Err(CalibrationError::TooFewPeople { found: people.len() });
    }
    let mut ranked = non_mates.to_vec();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
    let whole = fit(&ranked, |_| true).ok_or(CalibrationError::NoSpread)?;
    let without = people.iter().filter_map(|left| fit(&ranked, |pair| pair.visitor != *left && pair.enrolled != *left));
    let without: Vec<Tail> = without.collect();
    let rows = GALLERIES.iter().map(|&gallery| {
        let beyond = deviate(match_rate(fpir, gallery));
        let min_score = whole.at(beyond) + jackknife_error(without.iter().map(|tail| tail.at(beyond)));
        // Rounded upwards: never looser than computed.
        GalleryThreshold { gallery, min_score: ((min_score * 1000.0).ceil() / 1000.0).min(1.0) as f32 }
    });
    Ok(rows.collect())
}

/// The score that a share `fmr` of comparisons between different people reaches, plus one standard error.
///
/// # Errors
/// As [`min_scores`].
pub fn score_at(non_mates: &[NonMate], fmr: f64) -> Result<f32, CalibrationError> {
    // Two enrolled people name twice as many strangers as one comparison does.
    let rows = min_scores(non_mates, 1.0 - (1.0 - fmr).powi(2))?;
    rows.first().map(|row| row.min_score).ok_or(CalibrationError::NoSpread)
}

/// `ranked`: the highest first.
fn fit(ranked: &[NonMate], keep: impl Fn(&NonMate) -> bool) -> Option<Tail> {
    let total: f64 = ranked.iter().filter(|pair| keep(pair)).map(|pair| pair.weight).sum();
    let kept = ranked.iter().filter(|pair| keep(pair));
    Tail::fit(kept.map(|pair| (f64::from(pair.score), pair.weight)), total, 0.0)
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn normal(generator: &mut ChaCha8Rng) -> f64 {
        let (u, v): (f64, f64) = (1.0 - generator.random::<f64>(), generator.random());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    /// A crowd in which each two people's score is normal with the mean 0.1 and the spread 0.1.
    fn crowd(people: usize, seed: u64) -> Vec<NonMate> {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let mut all = Vec::new();
        for visitor in 0..people {
            for enrolled in (0..people).filter(|enrolled| *enrolled != visitor) {
                let score = (0.1 + 0.1 * normal(&mut generator)) as f32;
                all.push(NonMate { visitor, enrolled, score, weight: 1.0 });
            }
        }
        all
    }

    fn direction(values: &[f32]) -> Template {
        Template::from_output(values.to_vec()).unwrap()
    }

    fn photo(values: &[f32], quality: f32) -> Photo {
        Photo { template: direction(values), quality, portrait: Some(direction(values)) }
    }

    #[test]
    fn strangers_of_a_known_kind_get_the_known_scores_and_a_little_caution() {
        let rows = min_scores(&crowd(70, 3), 0.001).unwrap();
        for row in rows {
            let known = 0.1 + 0.1 * deviate(match_rate(0.001, row.gallery));
            let extra = f64::from(row.min_score) - known;
            assert!((-0.002..0.04).contains(&extra), "{row:?}: {extra} beyond {known}");
        }
    }

    #[test]
    fn more_people_or_fewer_named_strangers_ask_for_higher_scores() {
        let crowd = crowd(30, 4);
        let (usual, strict) = (min_scores(&crowd, 0.001).unwrap(), min_scores(&crowd, 0.0001).unwrap());
        assert!(usual.is_sorted_by(|a, b| a.gallery < b.gallery && a.min_score < b.min_score));
        assert!(usual.iter().zip(&strict).all(|(usual, strict)| usual.min_score < strict.min_score));
    }

    #[test]
    fn one_person_whom_everybody_resembles_makes_it_more_cautious_than_a_chance_score() {
        let mut crowd = crowd(40, 5);
        let plain = min_scores(&crowd, 0.001).unwrap();
        crowd.iter_mut().filter(|pair| pair.enrolled == 7).for_each(|pair| pair.score += 0.2);
        let hub = min_scores(&crowd, 0.001).unwrap();
        // As many high scores, spread over all people.
        let mut generator = ChaCha8Rng::seed_from_u64(6);
        let mut spread = self::crowd(40, 5);
        spread.iter_mut().filter(|_| generator.random_bool(1.0 / 40.0)).for_each(|pair| pair.score += 0.2);
        let spread = min_scores(&spread, 0.001).unwrap();
        assert!(plain[7].min_score < spread[7].min_score && spread[7].min_score < hub[7].min_score);
    }

    #[test]
    fn each_pair_of_people_weighs_the_same_however_many_photos_they_have() {
        let many: Vec<Photo> = (0..7).map(|k| photo(&[1.0, k as f32 / 10.0, 0.0], 0.5)).collect();
        let people = [many, vec![photo(&[0.0, 1.0, 0.0], 0.5)], vec![photo(&[0.0, 0.0, 1.0], 0.5); 2]];
        let all = non_mates(&people);
        for (visitor, enrolled) in [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)] {
            let pairs = all.iter().filter(|pair| (pair.visitor, pair.enrolled) == (visitor, enrolled));
            assert!((pairs.map(|pair| pair.weight).sum::<f64>() - 1.0).abs() < 1e-9);
        }
        // Two whole visits of the first person, who is enrolled with one, two or three photos.
        assert_eq!(all.iter().filter(|pair| pair.visitor == 0 && pair.enrolled == 1).count(), 2);
        assert_eq!(all.iter().filter(|pair| pair.visitor == 1 && pair.enrolled == 0).count(), 3);
        assert!(all.iter().all(|pair| pair.visitor != pair.enrolled));
    }

    #[test]
    fn nobody_counts_as_enrolled_by_a_photo_that_is_hard_to_make_out_alone() {
        let unclear = |values: &[f32]| {
            let photo = photo(values, 0.5);
            Photo { portrait: photo.portrait.map(|portrait| portrait.longer(1.2)), ..photo }
        };
        let first = vec![unclear(&[1.0, 0.0]), photo(&[0.9, 0.1], 0.5)];
        let people = [first, vec![unclear(&[0.0, 1.0])]];
        let all = non_mates(&people);
        let of = |enrolled: usize| all.iter().filter(|pair| pair.enrolled == enrolled).count();
        assert_eq!((of(0), of(1)), (1, 0), "the first by both photos together, the second not at all");
    }

    #[test]
    fn a_better_view_counts_for_more_in_a_visit() {
        let people = [vec![photo(&[1.0, 0.0], 0.9), photo(&[0.0, 1.0], 0.1)], vec![photo(&[1.0, 0.0], 0.5)]];
        let visit = non_mates(&people).into_iter().find(|pair| pair.visitor == 0).unwrap();
        assert!((visit.score - 0.9 / 0.9_f32.hypot(0.1)).abs() < 1e-5);
    }

    #[test]
    fn nonsense_gives_no_threshold() {
        assert_eq!(min_scores(&crowd(19, 1), 0.001), Err(CalibrationError::TooFewPeople { found: 19 }));
        assert_eq!(min_scores(&crowd(20, 1), 0.0), Err(CalibrationError::Share(0.0)));
        assert!(min_scores(&crowd(20, 1), f64::NAN).is_err());
        let mut same = crowd(20, 1);
        same.iter_mut().for_each(|pair| pair.score = 0.5);
        assert_eq!(min_scores(&same, 0.001), Err(CalibrationError::NoSpread));
    }
}
