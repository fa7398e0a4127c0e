//! A series of measurements in a few numbers.

use serde::Serialize;

/// A series of measurements in a few numbers, in the unit of the series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Median.
    pub p50: f64,
    /// 95 of 100 are no larger.
    pub p95: f64,
    /// 99 of 100 are no larger.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// By the nearest-rank definition; `None` for an empty series.
    pub fn of(mut series: Vec<f64>) -> Option<Self> {
        series.sort_by(f64::total_cmp);
        let rank = |share: f64| {
            let at = (share * series.len() as f64).ceil() as usize;
            series.get(at.saturating_sub(1)).copied()
        };
        Some(Self { p50: rank(0.5)?, p95: rank(0.95)?, p99: rank(0.99)?, max: rank(1.0)? })
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:8.1} {:8.1} {:8.1} {:8.1}", self.p50, self.p95, self.p99, self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measurements_that_were_made() {
        let spread = Spread::of((1..=200).rev().map(f64::from).collect()).unwrap();
        assert_eq!(spread, Spread { p50: 100.0, p95: 190.0, p99: 198.0, max: 200.0 });
        assert_eq!(Spread::of(vec![7.0]), Some(Spread { p50: 7.0, p95: 7.0, p99: 7.0, max: 7.0 }));
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
