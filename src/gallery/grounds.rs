//! What a decision rested on besides its two scores, kept so that it can be explained afterwards.
//!
//! Pure, and nothing here decides: `decision` does.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    BestTwo,
    decision::{Decision, VIEWS_KEPT, VIEWS_THAT_AGREE, Verdict},
};
use crate::face::quality::Fault;

/// One view of a visitor, alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SingleView {
    /// How good it is, 0 to 1.
    pub quality: f32,
    /// Its own comparison score with the person whom all views together are most like; absent where two others are more alike to it.
    pub score: Option<f32>,
    /// Whether that person is also the one whom it alone is most like.
    pub agrees: bool,
}

/// What a verdict rested on.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Grounds {
    /// People enrolled.
    pub people: usize,
    /// How long the visitor was watched, their face in sight.
    pub watched: Duration,
    /// The views, in the order in which they came.
    pub views: [Option<SingleView>; VIEWS_KEPT],
    /// Frames whose view was passed over.
    pub passed_over: PassedOver,
}

impl Grounds {
    /// Grounds of these views, each with its quality and what it alone was most like.
    pub fn new(people: usize, watched: Duration, best: &BestTwo, views: impl Iterator<Item = (f32, BestTwo)>) -> Self {
        let wanted = best.first.map(|first| first.person);
        let mut grounds = Self { people, watched, ..Self::default() };
        for (place, (quality, alone)) in grounds.views.iter_mut().zip(views) {
            let score = [alone.first, alone.second].into_iter().flatten().find(|it| Some(it.person) == wanted);
            let agrees = wanted.is_some() && alone.first.map(|first| first.person) == wanted;
            *place = Some(SingleView { quality, score: score.map(|it| it.score), agrees });
        }
        grounds
    }

    /// Views that point to the most alike person each by itself.
    pub fn agreeing(&self) -> usize {
        self.views.iter().flatten().filter(|view| view.agrees).count()
    }
}

/// How many frames showed a face that could not be used, by its worst fault.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PassedOver([u32; Fault::ALL.len()]);

impl PassedOver {
    /// One more frame.
    pub fn note(&mut self, fault: Fault) {
        if let Some(at) = Fault::ALL.iter().position(|one| *one == fault) {
            self.0[at] = self.0[at].saturating_add(1);
        }
    }

    /// The faults that occurred, and how often each.
    pub fn counts(&self) -> impl Iterator<Item = (Fault, u32)> + '_ {
        Fault::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }
}

/// Something that a name needs and that was not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// Anybody enrolled.
    People,
    /// Good views.
    Views,
    /// A score as high as was demanded.
    Score,
    /// A second person who is far enough behind.
    Margin,
    /// Single views that point to the same person.
    Agreement,
    /// That nobody else in front of the robot is that person with more right.
    Claim,
}

/// Which rule ended the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// All that a name needs was there.
    Named,
    /// The time in which a name may come was over.
    Time,
    /// The score was so far below that waiting would have been in vain.
    FarBelow,
    /// Nobody is enrolled.
    NobodyEnrolled,
    /// Another face in front of the robot is that person with more right.
    Claim,
}

impl Verdict {
    /// What was missing for a name; nothing where there is one.
    pub fn missing(&self) -> Vec<Missing> {
        if matches!(self.decision, Decision::Identified(_)) {
            return Vec::new();
        }
        let demands = &self.demands;
        let Some(first) = self.best.first else {
            // Without views nobody was searched for.
            let nobody = self.grounds.people == 0;
            return if nobody { vec![Missing::People] } else { vec![Missing::Views] };
        };
        let margin = first.score - self.best.second.map_or(-1.0, |second| second.score);
        let needs = [
            (self.views < demands.min_views, Missing::Views),
            (first.score < demands.min_score_to_name, Missing::Score),
            (margin < demands.min_margin, Missing::Margin),
            (self.grounds.agreeing() < VIEWS_THAT_AGREE, Missing::Agreement),
        ];
        let missing: Vec<Missing> = needs.into_iter().filter(|(absent, _)| *absent).map(|(_, it)| it).collect();
        if missing.is_empty() { vec![Missing::Claim] } else { missing }
    }

    /// Which rule ended the decision.
    pub fn ended_by(&self) -> EndedBy {
        let time = self.demands.decide_within.saturating_add(self.demands.patience);
        match self.missing().first() {
            None => EndedBy::Named,
            Some(Missing::People) => EndedBy::NobodyEnrolled,
            Some(Missing::Claim) => EndedBy::Claim,
            Some(_) if self.grounds.watched >= time => EndedBy::Time,
            Some(_) => EndedBy::FarBelow,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        calibration::in_force::ScoreSource,
        gallery::{Candidate, decision::Demands},
        person::RecordNumber,
    };

    fn verdict(decision: Decision, scores: &[f32], agreeing: usize, views: usize, ms: u64) -> Verdict {
        let mut people =
            scores.iter().enumerate().map(|(at, &score)| Candidate { person: RecordNumber(at as u64), score });
        let best = BestTwo { first: people.next(), second: people.next() };
        let other = BestTwo { first: best.second, second: best.first };
        let alone = (0..views).map(|at| (0.8, if at < agreeing { best } else { other }));
        let grounds = Grounds::new(5, Duration::from_millis(ms), &best, alone);
        let demands = Demands {
            min_score_to_name: 0.6,
            min_score_from: ScoreSource::Shipped,
            min_margin: 0.05,
            min_views: 3,
            decide_within: Duration::from_millis(200),
            patience: Duration::from_millis(400),
            non_mates: Default::default(),
        };
        Verdict { decision, best, demands, views, quality: 0.8, grounds }
    }

    #[test]
    fn what_was_missing_for_a_name_is_said_and_nothing_else() {
        let unsure =
            |scores: &[f32], agreeing, views| verdict(Decision::Unsure, scores, agreeing, views, 700).missing();
        assert_eq!(unsure(&[0.55, 0.1], 4, 4), [Missing::Score]);
        assert_eq!(unsure(&[0.7, 0.68], 4, 4), [Missing::Margin]);
        assert_eq!(unsure(&[0.7, 0.1], 2, 2), [Missing::Views]);
        assert_eq!(unsure(&[0.7, 0.1], 1, 4), [Missing::Agreement]);
        assert_eq!(unsure(&[0.5, 0.48], 1, 1), [Missing::Views, Missing::Score, Missing::Margin, Missing::Agreement]);
        assert_eq!(unsure(&[0.7, 0.1], 4, 4), [Missing::Claim]);
        assert_eq!(unsure(&[0.7], 4, 4), [Missing::Claim], "the only person enrolled has no second behind them");
        assert_eq!(verdict(Decision::Stranger, &[], 0, 0, 700).missing(), [Missing::Views]);
        assert!(verdict(Decision::Identified(RecordNumber(0)), &[0.7, 0.1], 4, 4, 90).missing().is_empty());
    }

    #[test]
    fn the_rule_that_ended_the_decision_is_known() {
        let ended = |decision, scores: &[f32], ms| verdict(decision, scores, 4, 4, ms).ended_by();
        assert_eq!(ended(Decision::Identified(RecordNumber(0)), &[0.7, 0.1], 90), EndedBy::Named);
        assert_eq!(ended(Decision::Unsure, &[0.55, 0.1], 600), EndedBy::Time);
        assert_eq!(ended(Decision::Stranger, &[0.2, 0.1], 90), EndedBy::FarBelow);
        assert_eq!(ended(Decision::Unsure, &[0.7, 0.1], 90), EndedBy::Claim);
        let mut nobody = verdict(Decision::Stranger, &[], 0, 3, 90);
        nobody.grounds.people = 0;
        assert_eq!(nobody.ended_by(), EndedBy::NobodyEnrolled);
    }

    #[test]
    fn a_views_own_score_is_the_one_with_the_person_whom_all_together_are_like() {
        let grounds = verdict(Decision::Unsure, &[0.7, 0.4], 1, 2, 90).grounds;
        assert_eq!(grounds.views[0], Some(SingleView { quality: 0.8, score: Some(0.7), agrees: true }));
        assert_eq!(grounds.views[1], Some(SingleView { quality: 0.8, score: Some(0.7), agrees: false }));
        assert_eq!((grounds.views[2], grounds.agreeing()), (None, 1));
    }

    #[test]
    fn frames_are_counted_by_the_fault_of_their_view() {
        let mut passed = PassedOver::default();
        [Fault::Dark, Fault::Turned, Fault::Dark].into_iter().for_each(|fault| passed.note(fault));
        assert_eq!(passed.counts().collect::<Vec<_>>(), [(Fault::Turned, 1), (Fault::Dark, 2)]);
    }
}
