//! What a decision rested on besides its two scores, and what was missing for a name, kept so that it can be explained afterwards.
//!
//! Pure, and nothing here decides: `decision` does.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{BestTwo, decision::VIEWS_KEPT};
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

/// Among whom a visitor was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Crowd {
    /// People enrolled.
    pub people: usize,
    /// Of them, expected that day.
    pub expected: usize,
    /// Whether the most alike one was.
    pub is_expected: bool,
}

/// What a verdict rested on.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Grounds {
    /// Who was there to be found.
    pub crowd: Crowd,
    /// How long the visitor was watched, their face in sight.
    pub watched: Duration,
    /// The views, in the order in which they came.
    pub views: [Option<SingleView>; VIEWS_KEPT],
    /// Frames whose view was passed over.
    pub passed_over: PassedOver,
}

impl Grounds {
    /// Grounds of these views, each with its quality and what it alone was most like.
    pub fn new(crowd: Crowd, watched: Duration, best: &BestTwo, views: impl Iterator<Item = (f32, BestTwo)>) -> Self {
        let wanted = best.first.map(|first| first.person);
        let mut grounds = Self { crowd, watched, ..Self::default() };
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

impl Missing {
    const ALL: [Self; 6] = [Self::People, Self::Views, Self::Score, Self::Margin, Self::Agreement, Self::Claim];
}

/// All that was missing for a name; empty where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lacks([bool; Missing::ALL.len()]);

impl Lacks {
    /// Those of which it is true that they were missing.
    pub fn of(needs: &[(Missing, bool)]) -> Self {
        let mut lacks = Self::default();
        for (place, what) in lacks.0.iter_mut().zip(Missing::ALL) {
            *place = needs.iter().any(|(missing, absent)| *missing == what && *absent);
        }
        lacks
    }

    /// Whether nothing was missing.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// What was missing, in the order in which it is looked for.
    pub fn iter(self) -> impl Iterator<Item = Missing> {
        Missing::ALL.into_iter().zip(self.0).filter(|(_, absent)| *absent).map(|(missing, _)| missing)
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{gallery::Candidate, person::RecordNumber};

    #[test]
    fn a_views_own_score_is_the_one_with_the_person_whom_all_together_are_like() {
        let [first, second] =
            [(0, 0.7), (1, 0.4)].map(|(at, score)| Some(Candidate { person: RecordNumber(at), score }));
        let (best, other) = (BestTwo { first, second }, BestTwo { first: second, second: first });
        let views = [(0.8, best), (0.8, other)].into_iter();
        let grounds = Grounds::new(Crowd::default(), Duration::from_millis(90), &best, views);
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
