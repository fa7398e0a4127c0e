//! Searches the gallery with every probe and counts: rank-1, TPIR at an FPIR, DET, the effect of leaving out poor views.
//!
//! Pure. A threshold is the score that lets the stated share of the strangers on whom it is frozen through, each person weighing the
//! same.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::cast::{Enrolled, Probe, Probes};
use crate::{
    face::Template,
    gallery::{BestTwo, Gallery},
    person::RecordNumber,
};

/// How often people are drawn anew for an interval.
const RESAMPLES: usize = 1000;
/// FPIRs for which TPIR is told, with their names in the figures.
pub const FPIRS: [(&str, f64); 3] = [("0.01", 0.01), ("0.003", 0.003), ("0.001", 0.001)];

/// A probe that has been searched.
#[derive(Debug, Clone, Copy)]
pub struct Searched {
    /// Whose probe it is.
    pub person: usize,
    /// Its weight where people weigh the same.
    pub share: f64,
    /// The best score.
    pub score: f32,
    /// Whether the best person is the one who came.
    pub right: bool,
    /// The mean quality of its views.
    pub quality: f32,
}

/// A figure with the interval that holds 95 % of what resampled people give.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// What was counted.
    pub value: f64,
    /// 2.5 % of the resamples are lower.
    pub low: f64,
    /// 2.5 % are higher.
    pub high: f64,
}

/// All probes of one kind, searched.
#[derive(Debug, Clone, Default)]
pub struct Scores {
    /// Of enrolled people.
    pub mates: Vec<Searched>,
    /// Of strangers in the test.
    pub strangers: Vec<Searched>,
    /// Of people who are not in the test.
    pub frozen: Vec<Searched>,
}

/// The gallery of those who are enrolled; a record's number is the index of its subject.
pub fn gallery(enrolled: &[Enrolled], made_up: impl Iterator<Item = Template>) -> Gallery {
    let real = enrolled
        .iter()
        .flat_map(|one| one.templates.iter().map(|template| (RecordNumber(one.person as u64), template.clone())));
    let others = made_up.enumerate().map(|(at, template)| (RecordNumber(u64::MAX - at as u64), template));
    Gallery::new(real.chain(others).collect())
}

/// Searches with all probes.
pub fn search(probes: &Probes<'_>, gallery: &Gallery) -> Scores {
    let all = |probes: &[Probe<'_>]| probes.iter().filter_map(|probe| searched(probe, gallery)).collect();
    Scores { mates: all(&probes.mates), strangers: all(&probes.strangers), frozen: all(&probes.frozen) }
}

fn searched(probe: &Probe<'_>, gallery: &Gallery) -> Option<Searched> {
    let BestTwo { first, .. } = gallery.search(&probe.template()?);
    let first = first?;
    Some(Searched {
        person: probe.person,
        share: probe.share,
        score: first.score,
        right: first.person == RecordNumber(probe.person as u64),
        quality: probe.quality(),
    })
}

impl Scores {
    /// The share of the mates' probes whose best person is the right one.
    pub fn rank1(&self) -> f64 {
        share(self.mates.iter().filter(|probe| probe.right).count(), self.mates.len())
    }

    /// TPIR at each FPIR, by the threshold frozen on people outside the test.
    pub fn tpir(&self, seed: u64) -> BTreeMap<&'static str, Interval> {
        FPIRS.iter().map(|(name, fpir)| (*name, self.tpir_at(*fpir, seed))).collect()
    }

    /// The frozen threshold for an FPIR.
    pub fn threshold(&self, fpir: f64) -> f32 {
        threshold(&by_score(&self.frozen), fpir, |_| 1)
    }

    /// The share of the test's own strangers, people weighing the same, who pass a threshold.
    pub fn passing(&self, threshold: f32) -> f64 {
        let all: f64 = self.strangers.iter().map(|probe| probe.share).sum();
        let through = |probe: &Searched| if probe.score > threshold { probe.share } else { 0.0 };
        if all > 0.0 { self.strangers.iter().map(through).sum::<f64>() / all } else { 0.0 }
    }

    /// The share of the mates' probes that are found above a threshold.
    pub fn found_at(&self, threshold: f32) -> f64 {
        found(&self.mates, threshold, |_| 1)
    }

    fn tpir_at(&self, fpir: f64, seed: u64) -> Interval {
        let frozen = by_score(&self.frozen);
        let value = found(&self.mates, threshold(&frozen, fpir, |_| 1), |_| 1);
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let people = |probes: &[Searched]| probes.iter().map(|probe| probe.person).max().map_or(0, |most| most + 1);
        let resampled = (0..RESAMPLES).map(|_| {
            let times = draw(people(&frozen), &distinct(&frozen), &mut generator);
            let threshold = threshold(&frozen, fpir, |person| times[person]);
            let times = draw(people(&self.mates), &distinct(&self.mates), &mut generator);
            found(&self.mates, threshold, |person| times[person])
        });
        interval(value, resampled.collect())
    }

    /// The detection error trade-off on the test's own strangers: pairs of FPIR and FNIR, at most `points` of them.
    pub fn det(&self, points: usize) -> Vec<(f64, f64)> {
        let strangers = by_score(&self.strangers);
        let all: f64 = strangers.iter().map(|probe| probe.share).sum();
        let mut through = 0.0;
        let curve: Vec<(f64, f64)> = strangers
            .iter()
            .map(|probe| {
                through += probe.share;
                (through / all, 1.0 - found(&self.mates, probe.score, |_| 1))
            })
            .collect();
        // As many points in each decade: few strangers make the left end, thousands the right one.
        let mut kept: Vec<(f64, f64)> = Vec::new();
        for point in curve {
            let step = 10_f64.powf(4.0 / points.max(1) as f64);
            if kept.last().is_none_or(|last| point.0 >= last.0 * step) {
                kept.push(point);
            }
        }
        kept
    }

    /// FNIR at the threshold when the given shares of the mates' probes, those of the worst quality, are left out.
    pub fn discarding(&self, fpir: f64, shares: &[f64]) -> Vec<(f64, f64)> {
        let threshold = self.threshold(fpir);
        let mut mates = self.mates.clone();
        mates.sort_by(|a, b| a.quality.total_cmp(&b.quality));
        let left = |share: f64| &mates[((share * mates.len() as f64).round() as usize).min(mates.len())..];
        shares.iter().map(|&share| (share, 1.0 - found(left(share), threshold, |_| 1))).collect()
    }
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn by_score(probes: &[Searched]) -> Vec<Searched> {
    let mut sorted = probes.to_vec();
    sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
    sorted
}

/// The lowest score that lets at most `fpir` of the people through, each taken `times` over. `strangers`: the highest score first.
fn threshold(strangers: &[Searched], fpir: f64, times: impl Fn(usize) -> u32) -> f32 {
    let weight = |probe: &Searched| probe.share * f64::from(times(probe.person));
    let allowed = fpir * strangers.iter().map(weight).sum::<f64>();
    let mut through = 0.0;
    for probe in strangers {
        through += weight(probe);
        if through > allowed {
            return probe.score;
        }
    }
    strangers.last().map_or(0.0, |probe| probe.score)
}

/// The share of the probes that are found: right, and above the threshold.
fn found(mates: &[Searched], threshold: f32, times: impl Fn(usize) -> u32) -> f64 {
    let (mut found, mut all) = (0.0, 0.0);
    for probe in mates {
        let weight = f64::from(times(probe.person));
        all += weight;
        found += if probe.right && probe.score > threshold { weight } else { 0.0 };
    }
    if all > 0.0 { found / all } else { 0.0 }
}

/// The people of some probes.
fn distinct(probes: &[Searched]) -> Vec<usize> {
    let mut people: Vec<usize> = probes.iter().map(|probe| probe.person).collect();
    people.sort_unstable();
    people.dedup();
    people
}

/// How often each person is drawn when as many are drawn, with replacement, as there are.
pub fn draw(size: usize, people: &[usize], generator: &mut ChaCha8Rng) -> Vec<u32> {
    let mut times = vec![0; size];
    for _ in people {
        times[people[generator.random_range(0..people.len())]] += 1;
    }
    times
}

/// The interval that holds the middle 95 % of resampled values.
pub fn interval(value: f64, mut resampled: Vec<f64>) -> Interval {
    resampled.sort_by(f64::total_cmp);
    let at = |share: f64| resampled.get((share * resampled.len() as f64) as usize).copied().unwrap_or(value);
    Interval { value, low: at(0.025), high: at(0.975) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(person: usize, score: f32, right: bool) -> Searched {
        Searched { person, share: 1.0, score, right, quality: score }
    }

    fn scores() -> Scores {
        // A thousand strangers at 0.000 to 0.999; mates in fours: three at 0.95, one at 0.5.
        let strangers: Vec<Searched> = (0..1000).map(|k| probe(k, k as f32 / 1000.0, false)).collect();
        let mates = (0..400).map(|k| probe(k / 4, if k % 4 == 0 { 0.5 } else { 0.95 }, true)).collect();
        Scores { mates, frozen: strangers.clone(), strangers }
    }

    #[test]
    fn the_frozen_threshold_lets_exactly_the_stated_share_through() {
        let scores = scores();
        for fpir in [0.1, 0.01, 0.001] {
            let passing = scores.passing(scores.threshold(fpir));
            assert!((passing - fpir).abs() < 1e-9, "{fpir}: {passing}");
        }
    }

    #[test]
    fn three_of_four_are_found_where_one_of_four_is_too_unlike() {
        let tpir = scores().tpir_at(0.1, 1);
        assert!((tpir.value - 0.75).abs() < 1e-9 && tpir.low <= 0.75 && tpir.high >= 0.75);
        assert_eq!(scores().tpir_at(0.003, 1).value, 0.0);
        assert!((scores().tpir_at(0.6, 1).value - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_wrong_person_is_never_found_however_alike() {
        let mut scores = scores();
        scores.mates.iter_mut().for_each(|mate| mate.right = false);
        assert_eq!((scores.tpir_at(0.5, 1).value, scores.rank1()), (0.0, 0.0));
    }

    #[test]
    fn leaving_out_the_worst_quarter_leaves_no_miss_where_quality_knows() {
        let curve = scores().discarding(0.1, &[0.0, 0.1, 0.25]);
        assert!((curve[0].1 - 0.25).abs() < 1e-9 && curve[1].1 < 0.25 && curve[2].1 == 0.0);
    }

    #[test]
    fn the_det_falls_from_left_to_right() {
        let det = scores().det(40);
        assert!(det.len() > 10 && det.is_sorted_by(|a, b| a.0 < b.0 && a.1 >= b.1));
    }

    #[test]
    fn an_interval_of_few_people_is_wide() {
        let mut few = scores();
        few.mates.truncate(12);
        let mut generator = ChaCha8Rng::seed_from_u64(1);
        few.mates.iter_mut().for_each(|mate| mate.score = if mate.person == 0 { 0.1 } else { 0.99 });
        let narrow = scores().tpir_at(0.3, 1);
        let wide = few.tpir_at(0.3, 1);
        assert!(wide.high - wide.low > 5.0 * (narrow.high - narrow.low) && wide.low < 0.5, "{wide:?} {narrow:?}");
        assert_eq!(draw(5, &[1, 3], &mut generator).iter().sum::<u32>(), 2);
    }
}
