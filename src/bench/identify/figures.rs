//! The figures of `greeter bench identify`, as they are written for scripts. The keys are kept from version to version.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    cast::Cast,
    groups::Population,
    lookalikes::Lookalikes,
    rates::{Interval, Scores},
    shipped::{BySize, Outcomes},
};
use crate::bench::figures::Origin;

/// Everything that was counted.
#[derive(Debug, Serialize)]
pub struct Identify {
    /// Where and with what.
    #[serde(flatten)]
    pub origin: Origin,
    /// People in the test, enrolled or not.
    pub people: usize,
    /// People on whom thresholds were frozen.
    pub frozen_on: usize,
    /// Photos enrolled of each enrolled person.
    pub enrol: usize,
    /// People enrolled.
    pub enrolled: usize,
    /// Made-up people enrolled beside them.
    pub made_up: usize,
    /// Share of the photos tried that could not be enrolled.
    pub failed_to_enrol: f64,
    /// Share of the photos of tested people that showed no usable view.
    pub failed_to_acquire: f64,
    /// The same people with other photos enrolled.
    pub draws: Draws,
    /// Photo by photo.
    #[serde(flatten)]
    pub single: Counted,
    /// Several photos as one visit.
    pub visit: Counted,
    /// The most alike pairs.
    pub lookalikes: Lookalikes,
    /// Groups of people.
    pub groups: BTreeMap<String, Group>,
}

/// TPIR at FPIR 0.1 % for several draws of which photos are enrolled; thresholds are frozen for each.
#[derive(Debug, Serialize)]
pub struct Draws {
    /// Photo by photo.
    pub single: Option<Spread>,
    /// Visit by visit.
    pub visit: Option<Spread>,
}

/// A figure over several draws.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// How many draws.
    pub draws: usize,
    /// The middle one.
    pub median: f64,
    /// The mean.
    pub mean: f64,
    /// The lowest.
    pub lowest: f64,
    /// The highest.
    pub highest: f64,
}

impl Spread {
    /// Of the values of each draw; `None` of none.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (lowest, highest) = (*values.first()?, *values.last()?);
        let (below, above) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        Some(Self { draws: values.len(), median: (below + above) / 2.0, mean, lowest, highest })
    }
}

/// What was counted of one kind of probe.
#[derive(Debug, Serialize)]
pub struct Counted {
    /// Probes of enrolled people.
    pub mate_probes: usize,
    /// Probes of strangers.
    pub stranger_probes: usize,
    /// Share of the mates' probes whose best person is the right one.
    pub rank1: f64,
    /// Right, and above the threshold that lets the stated share of strangers through.
    pub tpir: BTreeMap<&'static str, Interval>,
    /// The share of the test's own strangers who pass that threshold.
    pub fpir_reached: BTreeMap<&'static str, f64>,
    /// The median score of the mates' probes.
    pub mates_median: f32,
    /// What the shipped decision makes of them.
    pub shipped: Outcomes,
    /// … and as if so many people were enrolled.
    pub by_gallery: Vec<BySize>,
    /// FNIR at FPIR 0.1 % with the stated share of the views, the worst ones, left out.
    pub discarding: Vec<(f64, f64)>,
    /// FPIR and FNIR.
    pub det: Vec<(f64, f64)>,
}

/// A group of people.
#[derive(Debug, Serialize)]
pub struct Group {
    /// Of the group, in the test.
    pub people: usize,
    /// Of the group, enrolled.
    pub enrolled: usize,
    /// False match rates.
    #[serde(flatten)]
    pub population: Population,
    /// Photo by photo, by everybody's thresholds.
    #[serde(flatten)]
    pub single: GroupCounted,
    /// Visit by visit.
    pub visit: GroupCounted,
}

/// What was counted of one kind of probe of a group.
#[derive(Debug, Serialize)]
pub struct GroupCounted {
    /// Probes of enrolled people.
    pub mate_probes: usize,
    /// Probes of strangers.
    pub stranger_probes: usize,
    /// As for everybody.
    pub rank1: f64,
    /// By the thresholds frozen on everybody.
    pub tpir: BTreeMap<&'static str, Interval>,
    /// The share of the group's strangers who pass those.
    pub fpir_reached: BTreeMap<&'static str, f64>,
    /// What the shipped decision makes of them.
    pub shipped: Outcomes,
}

/// The median of some scores.
pub fn median(scores: &Scores) -> f32 {
    let mut all: Vec<f32> = scores.mates.iter().map(|probe| probe.score).collect();
    all.sort_by(f32::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(0.0)
}

/// The share of the photos that failed to be enrolled, and to be acquired.
pub fn failures(cast: &Cast<'_>) -> (f64, f64) {
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    let acquired = cast.single.mates.len() + cast.single.strangers.len();
    (share(cast.failed_to_enrol, cast.tried_to_enrol), share(cast.failed_to_acquire, cast.failed_to_acquire + acquired))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_of_draws_lies_between_the_two_in_the_middle() {
        let spread = Spread::of(vec![0.9, 0.5, 0.7, 1.0]).unwrap();
        assert_eq!((spread.draws, spread.lowest, spread.highest), (4, 0.5, 1.0));
        assert!((spread.median - 0.8).abs() < 1e-12);
        assert_eq!(Spread::of(Vec::new()), None);
    }
}
