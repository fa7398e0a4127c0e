//! What a decision rested on, as the events of it hold it: scores, demands, each view, what was missing. Never pixels, never names.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::gallery::{
    decision::Verdict,
    grounds::{EndedBy, Missing, SingleView},
};

/// What a decision rested on. Written into its event and read back by `greeter explain`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Because {
    /// The most alike person's comparison score.
    pub score: Option<f32>,
    /// The second person's.
    pub second: Option<f32>,
    /// What was demanded of the first.
    pub min_score_to_name: f32,
    /// Where that demand comes from: `configured`, `calibrated`, `shipped` or `unmeasured`.
    pub min_score_from: String,
    /// What was demanded between the two.
    pub min_margin: f32,
    /// Views.
    pub views: usize,
    /// How many were demanded.
    pub min_views: usize,
    /// Their mean quality, 0 to 1.
    pub quality: f32,
    /// Each of them alone.
    pub each_view: Vec<SingleView>,
    /// Frames whose view of the face was passed over, by its worst fault in words.
    pub passed_over: BTreeMap<String, u32>,
    /// Enrolled.
    pub people: usize,
    /// Of them, expected that day.
    #[serde(default, skip_serializing_if = "none")]
    pub expected: usize,
    /// Whether the most alike one was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_expected: bool,
    /// How long the face was in sight and usable.
    pub watched_ms: f64,
    /// How long it would have been watched at most.
    pub wait_at_most_ms: f64,
    /// What was missing for a name.
    pub missing: Vec<Missing>,
    /// Which rule ended the decision.
    pub ended_by: EndedBy,
    /// From the first frame with a usable face until the decision.
    pub face_to_decision_ms: f64,
}

fn none(count: &usize) -> bool {
    *count == 0
}

impl Because {
    /// What a verdict rested on.
    pub fn of(verdict: &Verdict, face_to_decision_ms: f64) -> Self {
        let (demands, grounds) = (&verdict.demands, &verdict.grounds);
        let ms = |duration: Duration| (duration.as_secs_f64() * 1000.0).round();
        Self {
            score: verdict.best.first.map(|first| first.score),
            second: verdict.best.second.map(|second| second.score),
            min_score_to_name: demands.min_score_to_name,
            min_score_from: demands.min_score_from.word().to_owned(),
            min_margin: demands.min_margin,
            views: verdict.views,
            min_views: demands.min_views,
            quality: verdict.quality,
            each_view: grounds.views.into_iter().flatten().collect(),
            passed_over: grounds.passed_over.counts().map(|(fault, count)| (fault.to_string(), count)).collect(),
            people: grounds.crowd.people,
            expected: grounds.crowd.expected,
            is_expected: grounds.crowd.is_expected,
            watched_ms: ms(grounds.watched),
            wait_at_most_ms: ms(demands.decide_within.saturating_add(demands.patience)),
            missing: verdict.lacks.iter().collect(),
            ended_by: verdict.ended_by,
            face_to_decision_ms,
        }
    }

    /// Views that point to the most alike person each by itself.
    pub fn agreeing(&self) -> usize {
        self.each_view.iter().filter(|view| view.agrees).count()
    }

    /// How far the second person stays behind the first; nobody behind counts as -1.
    pub fn margin(&self) -> Option<f32> {
        self.score.map(|score| score - self.second.unwrap_or(-1.0))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Of a visitor who was named at once.
    pub(crate) fn named() -> Because {
        let view = |quality, score| SingleView { quality, score: Some(score), agrees: true };
        Because {
            score: Some(0.83),
            second: Some(0.21),
            min_score_to_name: 0.7,
            min_score_from: "shipped".into(),
            min_margin: 0.05,
            views: 3,
            min_views: 3,
            quality: 0.9,
            each_view: vec![view(0.92, 0.81), view(0.9, 0.79), view(0.88, 0.8)],
            passed_over: BTreeMap::new(),
            people: 1_200,
            expected: 0,
            is_expected: false,
            watched_ms: 240.0,
            wait_at_most_ms: 600.0,
            missing: Vec::new(),
            ended_by: EndedBy::Named,
            face_to_decision_ms: 412.0,
        }
    }

    #[test]
    fn what_is_written_into_an_event_is_read_back_whole() {
        let text = serde_json::to_string(&named()).unwrap();
        assert_eq!(serde_json::from_str::<Because>(&text).unwrap(), named());
    }
}
