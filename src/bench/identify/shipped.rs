//! What the shipped decision (threshold for the gallery's size, margin, evidence over views) makes of the probes.
//!
//! Pure.

use std::time::Duration;

use serde::Serialize;

use super::cast::Probe;
use crate::{
    gallery::{
        Gallery,
        decision::{Decision, Demands, Evidence},
    },
    person::RecordNumber,
};

/// Outcomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Outcomes {
    /// Enrolled people who were named rightly.
    pub right: usize,
    /// Enrolled people who were called by another's name.
    pub wrong: usize,
    /// Enrolled people who were greeted without a name because it was not sure enough.
    pub unsure: usize,
    /// Enrolled people who were taken for strangers.
    pub missed: usize,
    /// Strangers who were called by somebody's name.
    pub stranger_named: usize,
    /// Strangers who were not.
    pub stranger_not_named: usize,
}

/// The same gallery as if so many people were enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BySize {
    /// People enrolled.
    pub gallery: usize,
    /// The lowest score that names somebody.
    pub min_score: f32,
    /// What becomes of the probes.
    #[serde(flatten)]
    pub outcomes: Outcomes,
}

/// Decides about one probe, whose photos are each seen for a few frames, as a webcam sees a visitor.
pub fn decide(probe: &Probe<'_>, gallery: &Gallery, demands: &Demands) -> Decision {
    let mut evidence = Evidence::default();
    let frames = demands.min_views.div_ceil(probe.views.len().max(1)).max(2);
    for view in &probe.views {
        for _ in 0..frames {
            evidence.add(view.template.clone(), view.quality);
        }
    }
    evidence.decide(Duration::MAX, gallery, demands).map_or(Decision::Stranger, |verdict| verdict.decision)
}

/// Decides about all of them.
pub fn outcomes(mates: &[Probe<'_>], strangers: &[Probe<'_>], gallery: &Gallery, demands: &Demands) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for mate in mates {
        *match decide(mate, gallery, demands) {
            Decision::Identified(person) if person == RecordNumber(mate.person as u64) => &mut outcomes.right,
            Decision::Identified(_) => &mut outcomes.wrong,
            Decision::Unsure => &mut outcomes.unsure,
            Decision::Stranger => &mut outcomes.missed,
        } += 1;
    }
    for stranger in strangers {
        *match decide(stranger, gallery, demands) {
            Decision::Identified(_) => &mut outcomes.stranger_named,
            Decision::Unsure | Decision::Stranger => &mut outcomes.stranger_not_named,
        } += 1;
    }
    outcomes
}
