//! What a group of people really gets where thresholds were set on everybody, and what thresholds set on the group itself give.
//!
//! Pure. A false match rate counts pairs of different people, each pair weighing the same; intervals come from resampling people.

use std::collections::BTreeMap;

use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::{
    cast,
    photos::Subject,
    rates::{Interval, draw, interval},
};
use crate::calibration::{
    CalibrationError,
    group::{NonMate, Photo, non_mates, score_at},
};

/// FMRs for which it is told what is really got.
pub const FMRS: [(&str, f64); 2] = [("0.01", 0.01), ("0.001", 0.001)];
/// Of a crowd, so many people stand for all.
const CROWD: usize = 400;
const RESAMPLES: usize = 500;

/// The false match rates of a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Population {
    /// Nominal rate, set on the people outside the group who are not tested: what the whole group really gets.
    pub fmr: BTreeMap<&'static str, Interval>,
    /// Nominal rate, calibrated on the group's own untested half: what its tested half and the tested others get.
    pub calibrated: BTreeMap<&'static str, Calibrated>,
}

/// What a threshold that was calibrated on half of a group gives.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibrated {
    /// The score.
    pub min_score: f32,
    /// The false match rate of the group's other half.
    pub other_half: Interval,
    /// The false match rate of tested people outside the group.
    pub everybody_else: Interval,
}

/// Counts for one group; `member` says who belongs to it.
///
/// # Errors
/// When the group or the others are too few to set a threshold.
pub fn population(
    subjects: &[Subject],
    member: &dyn Fn(&str) -> bool,
    seed: u64,
) -> Result<Population, CalibrationError> {
    let some = |of_group: bool, tested: Option<bool>, most: usize| {
        let mut chosen: Vec<&Subject> = subjects
            .iter()
            .filter(|subject| member(&subject.name) == of_group)
            .filter(|subject| tested.is_none_or(|tested| cast::tested(&subject.name, seed) == tested))
            .collect();
        chosen.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        chosen.truncate(most);
        let views = |subject: &&Subject| subject.photos.iter().filter_map(|photo| photo.view.clone()).collect();
        let people: Vec<Vec<Photo>> = chosen.iter().map(views).filter(|views: &Vec<Photo>| !views.is_empty()).collect();
        non_mates(&people)
    };
    let group = some(true, None, usize::MAX);
    let (own_half, other_half) = (some(true, Some(false), usize::MAX), some(true, Some(true), usize::MAX));
    let (others, tested_others) = (some(false, Some(false), CROWD), some(false, Some(true), CROWD));
    let mut population = Population { fmr: BTreeMap::new(), calibrated: BTreeMap::new() };
    for (name, fmr) in FMRS {
        // What the crowd shows at these rates needs no margin: this is the mistake whose size is to be seen.
        let nominal = quantile(&others, fmr);
        population.fmr.insert(name, rate(&group, nominal, seed));
        let min_score = score_at(&own_half, fmr)?;
        let calibrated = Calibrated {
            min_score,
            other_half: rate(&other_half, min_score, seed),
            everybody_else: rate(&tested_others, min_score, seed),
        };
        population.calibrated.insert(name, calibrated);
    }
    Ok(population)
}

/// The score that the share `fmr` of the pairs reaches.
fn quantile(non_mates: &[NonMate], fmr: f64) -> f32 {
    let mut sorted: Vec<&NonMate> = non_mates.iter().collect();
    sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
    let allowed = fmr * sorted.iter().map(|pair| pair.weight).sum::<f64>();
    let mut above = 0.0;
    for pair in &sorted {
        above += pair.weight;
        if above > allowed {
            return pair.score;
        }
    }
    sorted.last().map_or(1.0, |pair| pair.score)
}

/// The share of the pairs that reach a score.
fn rate(non_mates: &[NonMate], min_score: f32, seed: u64) -> Interval {
    let size = non_mates.iter().map(|pair| pair.visitor.max(pair.enrolled) + 1).max().unwrap_or(0);
    let people: Vec<usize> = (0..size).collect();
    let of = |times: &dyn Fn(usize) -> f64| {
        let (mut reached, mut all) = (0.0, 0.0);
        for pair in non_mates {
            let weight = pair.weight * times(pair.visitor) * times(pair.enrolled);
            all += weight;
            reached += if pair.score >= min_score { weight } else { 0.0 };
        }
        if all > 0.0 { reached / all } else { 0.0 }
    };
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let resampled = (0..RESAMPLES).map(|_| {
        let times = draw(size, &people, &mut generator);
        of(&|person| f64::from(times[person]))
    });
    let resampled = resampled.collect();
    interval(of(&|_| 1.0), resampled)
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::{bench::identify::photos::Studied, face::Template};

    /// People in a few dimensions; those of the group share a direction, so they look more like each other than others do.
    fn crowd() -> Vec<Subject> {
        let mut generator = ChaCha8Rng::seed_from_u64(9);
        let person = |k: u32| {
            let mut values: Vec<f32> = (0..24).map(|_| generator.random::<f32>() - 0.5).collect();
            values[0] += if k.is_multiple_of(3) { 0.6 } else { 0.0 };
            let template = Template::from_output(values).unwrap();
            let name = format!("{} {k}", if k.is_multiple_of(3) { "group" } else { "other" });
            let view = Some(Photo { template: template.clone(), quality: 0.9, portrait: Some(template) });
            Subject { name, photos: vec![Studied { enrolled: None, view }] }
        };
        (0..600_u32).map(person).collect()
    }

    #[test]
    fn a_group_whose_people_look_alike_gets_more_false_matches_unless_it_is_calibrated_for() {
        let found = population(&crowd(), &|name| name.starts_with("group"), 1).unwrap();
        let got = found.fmr["0.01"];
        assert!(got.value > 0.02 && got.low <= got.value && got.value <= got.high, "{got:?}");
        let calibrated = &found.calibrated["0.01"];
        assert!(calibrated.other_half.value < 0.015, "{calibrated:?}");
        assert!(calibrated.everybody_else.value < calibrated.other_half.value);
    }
}
