//! The highest scores of people who are not each other, as a normal distribution's upper part.

/// The share of the scores, the highest ones, that the tail is fitted to.
const UPPER: f64 = 0.2;

/// How often one comparison may be wrong, so that a gallery of `people` is wrong about `fpir` of the strangers.
pub fn match_rate(fpir: f64, people: usize) -> f64 {
    -f64::exp_m1(f64::ln_1p(-fpir) / people.max(1) as f64)
}

/// A normal distribution's upper part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    mean: f64,
    spread: f64,
}

impl Tail {
    /// Fits by least squares of the scores on the normal deviates of their ranks, each by its weight.
    ///
    /// `ranked`: score and weight, the highest first; `total`: the sum of all weights. The topmost share `without` keeps its ranks but
    /// has no say. `None` where the scores have no spread.
    pub fn fit(ranked: impl Iterator<Item = (f64, f64)>, total: f64, without: f64) -> Option<Self> {
        let (mut above, mut sum, mut z_sum, mut y_sum, mut zz, mut zy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        for (y, w) in ranked {
            let rank = (above + w / 2.0) / total;
            if rank > UPPER {
                break;
            }
            above += w;
            if rank < without || w <= 0.0 {
                continue;
            }
            let z = deviate(rank);
            sum += w;
            z_sum += w * z;
            y_sum += w * y;
            zz += w * z * z;
            zy += w * z * y;
        }
        let (z_mean, y_mean) = (z_sum / sum, y_sum / sum);
        let spread = (zy / sum - z_mean * y_mean) / (zz / sum - z_mean * z_mean);
        (spread > 1e-6 && spread.is_finite()).then_some(Self { mean: y_mean - spread * z_mean, spread })
    }

    /// The score at a normal deviate.
    pub fn at(&self, deviate: f64) -> f64 {
        self.mean + self.spread * deviate
    }

    /// The share of comparisons that reach `score`; 1 for scores that are no high ones.
    pub fn reached(&self, score: f64) -> f64 {
        let z = (score - self.mean) / self.spread;
        if z > 0.5 { exceeded(z) } else { 1.0 }
    }
}

/// The standard error of an estimate from what it is when each person, or each of many groups of people, is left out in turn.
pub fn jackknife_error(estimates: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = estimates.clone().count().max(1) as f64;
    let mean = estimates.clone().sum::<f64>() / count;
    (estimates.map(|estimate| (estimate - mean).powi(2)).sum::<f64>() * (count - 1.0) / count).sqrt()
}

/// The standard normal deviate that is exceeded with probability `share`, for shares up to [`UPPER`].
pub fn deviate(share: f64) -> f64 {
    let wanted = share.ln();
    // Newton's steps on the logarithm of the probability, which is concave: four or five suffice from here.
    let mut z = (-2.0 * wanted).max(0.25).sqrt();
    for _ in 0..20 {
        let slope = inverse_mills(z);
        let step = (-z * z / 2.0 - (std::f64::consts::TAU.sqrt() * slope).ln() - wanted) / slope;
        z = (z + step).clamp(0.5, 12.0);
        if step.abs() < 1e-11 {
            break;
        }
    }
    z
}

/// The probability that a standard normal deviate exceeds `z`, `z` above 0.5.
fn exceeded(z: f64) -> f64 {
    (-z * z / 2.0).exp() / (std::f64::consts::TAU.sqrt() * inverse_mills(z))
}

/// The normal density over the probability beyond: Laplace's continued fraction, for `z` above 0.5.
fn inverse_mills(z: f64) -> f64 {
    (1..=120).rev().fold(z, |below, k| z + f64::from(k) / below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviates_are_those_of_the_tables() {
        for (share, z) in [(0.2, 0.841_621), (0.1, 1.281_552), (1e-3, 3.090_232), (1e-6, 4.753_424), (1e-9, 5.997_807)]
        {
            assert!((deviate(share) - z).abs() < 1e-5, "{share}: {}", deviate(share));
            assert!((exceeded(deviate(share)) / share - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn a_hall_of_five_hundred_people_allows_one_wrong_comparison_in_half_a_million() {
        assert!((match_rate(0.001, 500) - 2.001e-6).abs() < 1e-9);
        assert_eq!(match_rate(0.001, 1), 0.001);
        assert!((match_rate(0.001, 100_000) - 1.0005e-8).abs() < 1e-12);
    }

    #[test]
    fn a_fit_finds_the_distribution_its_scores_are_from_with_and_without_the_topmost() {
        let ranked = || (0..1000).map(|k| (0.1 + 0.05 * deviate((f64::from(k) + 0.5) / 5000.0), 1.0));
        for without in [0.0, 0.01] {
            let tail = Tail::fit(ranked(), 5000.0, without).unwrap();
            assert!((tail.at(3.0) - 0.25).abs() < 1e-6, "{tail:?}");
            assert!((tail.reached(0.25) - 1.349_898e-3).abs() < 1e-8);
            assert_eq!(tail.reached(-0.2), 1.0);
        }
        let spoilt = || std::iter::repeat_n((0.95, 1.0), 5).chain(ranked().skip(5));
        let (with, without) = (Tail::fit(spoilt(), 5000.0, 0.0).unwrap(), Tail::fit(spoilt(), 5000.0, 0.01).unwrap());
        assert!((without.at(3.0) - 0.25).abs() < 1e-6 && with.at(3.0) > 0.255, "{with:?} {without:?}");
    }
}
