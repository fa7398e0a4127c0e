//! How alike different people look to a recogniser, for every bar that compares faces. Pure.

use crate::{
    calibration::{deviate, match_rate},
    face::manifest::Thresholds,
};

/// The share of strangers whom the scores of models.toml let through.
const SHIPPED_FPIR: f64 = 0.001;

/// The upper part of the scores of people who are not each other, as a normal distribution: fitted per recogniser to people of one population
/// (the East Asian group), plus one standard error, so it is rather too careful than too loose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NonMates {
    /// The mean.
    pub mean: f32,
    /// The standard deviation.
    pub spread: f32,
}

impl Default for NonMates {
    /// Those of the `default` pack, for a recogniser that has not been measured.
    fn default() -> Self {
        Self { mean: 0.104, spread: 0.143 }
    }
}

impl NonMates {
    /// Read off a recogniser's table: its first and its last row lie on the distribution. `None` where it has less than two rows.
    pub fn of(thresholds: &Thresholds) -> Option<Self> {
        let (first, last) = (thresholds.scores.first()?, thresholds.scores.last()?);
        let z = |people: usize| deviate(match_rate(SHIPPED_FPIR, people)) as f32;
        let (low, high) = (z(first.gallery), z(last.gallery));
        let spread = (last.min_score - first.min_score) / (high - low);
        (high > low && spread > 0.0).then_some(Self { mean: first.min_score - spread * low, spread })
    }

    /// The score that a share `fmr` of the comparisons of different people reaches; for shares up to a fifth.
    pub fn score_at(&self, fmr: f64) -> f32 {
        self.mean + self.spread * deviate(fmr) as f32
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::face::manifest::Manifest;

    #[test]
    fn the_shipped_tables_lie_on_their_distributions() {
        let manifest = Manifest::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models")).unwrap();
        assert!(manifest.thresholds.len() >= 3);
        for (name, thresholds) in &manifest.thresholds {
            let non_mates = NonMates::of(thresholds).unwrap();
            for row in &thresholds.scores {
                let score = non_mates.score_at(match_rate(SHIPPED_FPIR, row.gallery));
                assert!((score - row.min_score).abs() < 0.004, "{name}, {} people: {score}", row.gallery);
            }
        }
        let default = &manifest.thresholds[&manifest.pack("default").unwrap().recogniser];
        let (read, known) = (NonMates::of(default).unwrap(), NonMates::default());
        assert!((read.mean - known.mean).abs() < 0.003 && (read.spread - known.spread).abs() < 0.003, "{read:?}");
    }
}
