//! Decides who a tracked visitor is, from several views and what the gallery search returned for them.
//!
//! Pure: no clock, no I/O. The threshold comes from calibration, not from here.

use std::time::Duration;

use super::{
    BestTwo, Gallery, NonMates,
    grounds::{Crowd, EndedBy, Grounds, Lacks, Missing},
};
use crate::{calibration::in_force::ScoreSource, config::DecisionSettings, face::Template, person::RecordNumber};

/// Views kept of one visitor: the best ones. More hardly change the mean.
pub const VIEWS_KEPT: usize = 8;
/// So many views must each point to the person who is named.
pub const VIEWS_THAT_AGREE: usize = 2;
/// A score so far below the threshold is a person who might be enrolled but cannot be named.
const UNSURE_BAND: f32 = 0.15;
/// Two views more alike than this show nearly the same moment.
const SAME_MOMENT: f32 = 0.9;
/// A score so far below the threshold may still be lifted to it by other views; further below, waiting would be in vain. (A second view
/// of another moment lifts the score by 0.06 on average, a third one by another 0.02; a first view may be a poor one.)
const WORTH_WAITING: f32 = 0.25;

/// From which score somebody is named, and how long that is waited for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// The lowest comparison score.
    pub min_score: f32,
    /// As [`Demands::patience`].
    pub patience: Duration,
}

/// What a visitor must reach to be named.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demands {
    /// The lowest comparison score, for this gallery's size.
    pub min_score_to_name: f32,
    /// Where that score comes from.
    pub min_score_from: ScoreSource,
    /// How far the second person must stay behind.
    pub min_margin: f32,
    /// Good views, at least two.
    pub min_views: usize,
    /// How long a visitor is watched, their face in sight, before what is there decides.
    pub decide_within: Duration,
    /// How much longer where that may bring a name.
    pub patience: Duration,
    /// Score and patience for whoever is expected today, where that is somebody else's bar.
    pub expected: Option<Bar>,
    /// How alike different people look to the recogniser in use: for whether two views show one person.
    pub non_mates: NonMates,
}

impl Demands {
    /// The operator's settings with the score that holds for the gallery, and with what the network usually gives enrolled people
    /// (`mates_median`), if that has been measured.
    ///
    /// The score counts as a shipped one unless the operator chose it; whoever knows better says so afterwards.
    ///
    /// In a gallery so large that the usual enrolled visitor stays below the score, falling short is the rule: there nobody is made to
    /// wait for a name that seldom comes.
    pub fn new(settings: &DecisionSettings, score_for_gallery: f32, mates_median: Option<f32>) -> Self {
        let chosen = settings.min_score_to_name;
        let min_score_to_name = if chosen > 0.0 { chosen } else { score_for_gallery };
        let pays = mates_median.is_none_or(|usual| usual >= min_score_to_name);
        Self {
            min_score_to_name,
            min_score_from: if chosen > 0.0 { ScoreSource::Configured } else { ScoreSource::Shipped },
            min_margin: settings.min_margin,
            min_views: (settings.min_views as usize).max(2),
            decide_within: Duration::from_millis(settings.decide_within_ms),
            patience: if pays { Duration::from_millis(settings.patience_ms) } else { Duration::ZERO },
            expected: None,
            non_mates: NonMates::default(),
        }
    }

    /// For a gallery of `people`, of whom so many are expected today; `of` says what is demanded among so many people.
    ///
    /// The strangers who may be taken for somebody are a budget. Those who are expected share one half of it and everybody else the other:
    /// each group's bar is that of a gallery of twice its size. Where most people are expected there is one bar for all.
    pub fn shared(people: usize, expected: usize, of: impl Fn(usize) -> Self) -> Self {
        if expected == 0 || 2 * expected >= people {
            return of(people);
        }
        let few = of(2 * expected);
        let bar = Bar { min_score: few.min_score_to_name, patience: few.patience };
        Self { expected: Some(bar), ..of(2 * people) }
    }

    /// What is demanded of one who is expected, or of one who is not.
    fn bar(&self, expected: bool) -> Bar {
        let everybody = Bar { min_score: self.min_score_to_name, patience: self.patience };
        self.expected.filter(|_| expected).unwrap_or(everybody)
    }
}

/// Who a visitor is: three outcomes and no fourth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decision {
    /// Named aloud.
    Identified(RecordNumber),
    /// Perhaps somebody enrolled; greeted without a name.
    Unsure,
    /// Nobody enrolled.
    Stranger,
}

/// A decision with everything that it rested on, so that it can be explained afterwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// The outcome.
    pub decision: Decision,
    /// The best and the second person for the mean of the views.
    pub best: BestTwo,
    /// What was demanded of that person.
    pub demands: Demands,
    /// Views it rests on.
    pub views: usize,
    /// The mean quality of those views, 0 to 1.
    pub quality: f32,
    /// What else it rested on.
    pub grounds: Grounds,
    /// What was missing for a name.
    pub lacks: Lacks,
    /// Which rule ended it.
    pub ended_by: EndedBy,
}

impl Verdict {
    /// The same where another face in front of the robot is that person with more right.
    pub fn claimed_by_another(mut self) -> Self {
        (self.decision, self.ended_by) = (Decision::Unsure, EndedBy::Claim);
        self.lacks = Lacks::of(&[(Missing::Claim, true)]);
        self
    }
}

/// What one visitor's views have shown so far.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    views: Vec<(Template, f32)>,
}

impl Evidence {
    /// Adds a view with its quality (0 to 1).
    pub fn add(&mut self, view: Template, quality: f32) {
        self.views.push((view, quality.max(0.05)));
        if self.views.len() > VIEWS_KEPT {
            let worst = (0..self.views.len()).min_by(|&a, &b| self.views[a].1.total_cmp(&self.views[b].1));
            worst.map(|at| self.views.remove(at));
        }
    }

    /// The score of a view with the one of those before it that it is most like; `None` where there is none.
    pub fn likeness(&self, view: &Template) -> Option<f32> {
        self.views.iter().map(|(known, _)| known.score(view)).max_by(f32::total_cmp)
    }

    /// The view that came last, of those that are kept.
    pub fn newest(&self) -> Option<&Template> {
        self.views.last().map(|(view, _)| view)
    }

    /// How many views there are.
    pub fn views(&self) -> usize {
        self.views.len()
    }

    /// All views as one template, better views weighing more, and views that show the same moment counting once together: a visitor
    /// who stood still for a second and then turned has been seen twice, not seven times.
    pub fn mean(&self) -> Option<Template> {
        let alike = |view: &Template| self.views.iter().filter(|(other, _)| view.score(other) >= SAME_MOMENT).count();
        Template::mean(self.views.iter().map(|(view, quality)| (view, quality / alike(view).max(1) as f32)))
    }

    /// Decides after the visitor has been watched for so long, or says `None`: not yet.
    ///
    /// A name needs enough views, a mean above the threshold, a margin over the second person, and at least two views that each
    /// point to the same person. Who is far from that is a stranger at once. Who is near it gets some more time. When the time is up,
    /// what is there decides, and it never names anybody on less.
    pub fn decide(&self, watched: Duration, gallery: &Gallery, demands: &Demands) -> Option<Verdict> {
        let enough = self.views.len() >= demands.min_views;
        let is_over = |bar: Bar| watched >= demands.decide_within.saturating_add(bar.patience);
        let is_over_for_all = is_over(demands.bar(false)) && is_over(demands.bar(true));
        if !enough && !is_over_for_all {
            return None;
        }
        let best = self.mean().map(|mean| gallery.search(&mean)).unwrap_or_default();
        let is_expected = best.first.is_some_and(|first| gallery.expects(first.person));
        let bar = demands.bar(is_expected);
        let last_moment = is_over(bar);
        let short_by = best.first.map_or(f32::INFINITY, |first| bar.min_score - first.score);
        let margin = best.first.map_or(0.0, |first| first.score - best.second.map_or(-1.0, |second| second.score));
        let (found, nobody) = (best.first.is_some(), gallery.people() == 0);
        let needs = [
            (Missing::People, nobody),
            (Missing::Views, !enough && !nobody),
            (Missing::Score, found && short_by > 0.0),
            (Missing::Margin, found && margin < demands.min_margin),
        ];
        let waits = short_by <= WORTH_WAITING && !last_moment;
        if waits && !Lacks::of(&needs).is_empty() {
            return None;
        }
        let alone = gallery.search_many(&self.views.iter().map(|(view, _)| view.clone()).collect::<Vec<_>>());
        let qualities = || self.views.iter().map(|(_, quality)| *quality);
        let crowd = Crowd { people: gallery.people(), expected: gallery.expected(), is_expected };
        let grounds = Grounds::new(crowd, watched, &best, qualities().zip(alone));
        let demands = Demands { min_score_to_name: bar.min_score, patience: bar.patience, ..*demands };
        let disagree = (Missing::Agreement, found && grounds.agreeing() < VIEWS_THAT_AGREE);
        let [people, views, score, margin] = needs;
        let lacks = Lacks::of(&[people, views, score, margin, disagree]);
        let (decision, ended_by) = match best.first {
            Some(first) if lacks.is_empty() => (Decision::Identified(first.person), EndedBy::Named),
            _ if waits => return None,
            None if nobody => (Decision::Stranger, EndedBy::NobodyEnrolled),
            _ if short_by <= UNSURE_BAND => (Decision::Unsure, EndedBy::Time),
            _ if last_moment => (Decision::Stranger, EndedBy::Time),
            _ => (Decision::Stranger, EndedBy::FarBelow),
        };
        let quality = qualities().sum::<f32>() / self.views.len().max(1) as f32;
        Some(Verdict { decision, best, demands, views: self.views.len(), quality, grounds, lacks, ended_by })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMANDS: Demands = Demands {
        min_score_to_name: 0.6,
        min_score_from: ScoreSource::Shipped,
        min_margin: 0.05,
        min_views: 3,
        decide_within: Duration::from_millis(200),
        patience: Duration::from_millis(400),
        expected: None,
        non_mates: NonMates { mean: 0.1, spread: 0.14 },
    };

    /// A direction: person `k` stands along axis `k`; `blend` leans it towards the next axis.
    fn view(person: usize, blend: f32) -> Template {
        let mut values = vec![0.0; 8];
        values[person] = 1.0 - blend;
        values[(person + 1) % 8] += blend;
        Template::from_output(values).unwrap()
    }

    /// As alike to person 2 as `score` says, and to nobody else.
    fn view_at(score: f32) -> Template {
        let mut values = vec![0.0; 8];
        (values[2], values[6]) = (score, (1.0 - score * score).sqrt());
        Template(values)
    }

    fn gallery() -> Gallery {
        Gallery::new((0..4).map(|person| (RecordNumber(person as u64), view(person, 0.0))).collect())
    }

    fn after(views: &[Template], ms: u64) -> Option<Decision> {
        let mut evidence = Evidence::default();
        for view in views {
            evidence.add(view.clone(), 0.8);
        }
        evidence.decide(Duration::from_millis(ms), &gallery(), &DEMANDS).map(|verdict| verdict.decision)
    }

    #[test]
    fn one_view_never_names_anybody_however_alike() {
        assert_eq!(after(&[view(2, 0.0)], 100), None);
        assert_eq!(after(&[view(2, 0.0)], 5_000), Some(Decision::Unsure));
        assert_eq!(after(&[view(2, 0.0), view(2, 0.0)], 5_000), Some(Decision::Unsure));
    }

    #[test]
    fn three_views_alike_name_the_person_at_once() {
        let views = [view(2, 0.0), view(2, 0.1), view(2, 0.0)];
        assert_eq!(after(&views, 100), Some(Decision::Identified(RecordNumber(2))));
    }

    #[test]
    fn between_two_people_nobody_is_named() {
        let between = [view(1, 0.5), view(1, 0.5), view(1, 0.49)];
        assert_eq!(after(&between, 599), None);
        assert_eq!(after(&between, 600), Some(Decision::Unsure));
    }

    #[test]
    fn somebody_unlike_everybody_is_a_stranger_at_once() {
        assert_eq!(after(&[view(6, 0.0), view(6, 0.1), view(6, 0.0)], 100), Some(Decision::Stranger));
    }

    #[test]
    fn no_usable_view_at_all_is_a_stranger_when_the_time_is_up() {
        assert_eq!(after(&[], 100), None);
        assert_eq!(after(&[], 600), Some(Decision::Stranger));
    }

    #[test]
    fn who_may_still_reach_a_name_gets_more_time_and_who_is_far_from_it_does_not() {
        let of = |score: f32| vec![view_at(score); 3];
        assert_eq!(after(&of(0.52), 599), None);
        assert_eq!(after(&of(0.52), 600), Some(Decision::Unsure));
        assert_eq!(after(&of(0.4), 599), None);
        assert_eq!(after(&of(0.4), 600), Some(Decision::Stranger));
        assert_eq!(after(&of(0.3), 50), Some(Decision::Stranger));
    }

    #[test]
    fn where_the_usual_enrolled_visitor_falls_short_nobody_waits_in_vain() {
        let settings = DecisionSettings::default();
        assert!(Demands::new(&settings, 0.8, Some(0.87)).patience > Duration::ZERO);
        assert_eq!(Demands::new(&settings, 0.91, Some(0.87)).patience, Duration::ZERO);
        assert!(Demands::new(&settings, 0.91, None).patience > Duration::ZERO);
    }

    #[test]
    fn who_is_expected_today_is_named_from_the_score_of_a_small_hall_and_nobody_else_is() {
        let mut gallery = gallery();
        gallery.expect(RecordNumber(2), true);
        let bar = Bar { min_score: 0.5, patience: Duration::from_millis(100) };
        let demands = Demands { expected: Some(bar), ..DEMANDS };
        let after = |gallery: &Gallery, ms| {
            let mut evidence = Evidence::default();
            (0..3).for_each(|_| evidence.add(view_at(0.55), 0.8));
            evidence
                .decide(Duration::from_millis(ms), gallery, &demands)
                .map(|it| (it.decision, it.demands, it.grounds.crowd))
        };
        let (decision, demanded, crowd) = after(&gallery, 90).unwrap();
        assert_eq!((decision, demanded.min_score_to_name), (Decision::Identified(RecordNumber(2)), 0.5));
        assert_eq!(crowd, Crowd { people: 4, expected: 1, is_expected: true });
        gallery.expect(RecordNumber(2), false);
        gallery.expect(RecordNumber(1), true);
        let (decision, demanded, crowd) = after(&gallery, 700).unwrap();
        assert_eq!((decision, demanded.min_score_to_name), (Decision::Unsure, 0.6));
        assert_eq!(crowd, Crowd { people: 4, expected: 1, is_expected: false });
    }

    #[test]
    fn those_who_are_expected_and_everybody_else_share_the_strangers_who_may_be_named() {
        let of = |people: usize| Demands { min_score_to_name: people as f32, patience: Duration::ZERO, ..DEMANDS };
        let shared = Demands::shared(100_000, 300, of);
        assert_eq!((shared.min_score_to_name, shared.expected.unwrap().min_score), (200_000.0, 600.0));
        for expected in [0, 50_000, 100_000] {
            assert_eq!(Demands::shared(100_000, expected, of), of(100_000), "{expected}: one bar for all");
        }
    }

    #[test]
    fn with_nobody_enrolled_everybody_is_a_stranger() {
        let mut evidence = Evidence::default();
        (0..3).for_each(|_| evidence.add(view(1, 0.0), 0.9));
        let verdict = evidence.decide(Duration::ZERO, &Gallery::default(), &DEMANDS).unwrap();
        assert_eq!((verdict.decision, verdict.ended_by), (Decision::Stranger, EndedBy::NobodyEnrolled));
        assert_eq!(verdict.lacks.iter().collect::<Vec<_>>(), [Missing::People]);
    }

    /// What was missing, and what ended it.
    fn why(views: &[Template], ms: u64) -> (Vec<Missing>, EndedBy) {
        let mut evidence = Evidence::default();
        views.iter().for_each(|view| evidence.add(view.clone(), 0.8));
        let verdict = evidence.decide(Duration::from_millis(ms), &gallery(), &DEMANDS).unwrap();
        (verdict.lacks.iter().collect(), verdict.ended_by)
    }

    #[test]
    fn what_was_missing_for_a_name_is_said_and_nothing_else() {
        use Missing::{Agreement, Margin, Score, Views};
        assert_eq!(why(&[view(2, 0.0), view(2, 0.1), view(2, 0.0)], 90), (vec![], EndedBy::Named));
        assert_eq!(why(&vec![view_at(0.55); 3], 700), (vec![Score], EndedBy::Time));
        assert_eq!(why(&vec![view_at(0.3); 3], 90), (vec![Score], EndedBy::FarBelow));
        assert_eq!(why(&[view(1, 0.5), view(1, 0.49), view(1, 0.49)], 700), (vec![Margin], EndedBy::Time));
        assert_eq!(why(&[view(2, 0.0), view(2, 0.0)], 700), (vec![Views], EndedBy::Time));
        assert_eq!(why(&[view(2, 0.0)], 700), (vec![Views, Agreement], EndedBy::Time));
        assert_eq!(why(&[], 700), (vec![Views], EndedBy::Time));
    }

    #[test]
    fn whose_name_another_face_has_with_more_right_lacks_that_alone() {
        let mut evidence = Evidence::default();
        (0..3).for_each(|_| evidence.add(view(2, 0.0), 0.8));
        let verdict = evidence.decide(Duration::ZERO, &gallery(), &DEMANDS).unwrap().claimed_by_another();
        assert_eq!((verdict.decision, verdict.ended_by), (Decision::Unsure, EndedBy::Claim));
        assert_eq!(verdict.lacks.iter().collect::<Vec<_>>(), [Missing::Claim]);
    }

    #[test]
    fn a_verdict_says_what_it_rested_on() {
        let mut evidence = Evidence::default();
        (0..3).for_each(|_| evidence.add(view(2, 0.1), 0.5));
        let verdict = evidence.decide(Duration::ZERO, &gallery(), &DEMANDS).unwrap();
        assert_eq!((verdict.views, verdict.quality, verdict.demands), (3, 0.5, DEMANDS));
        assert!(verdict.best.first.unwrap().score > 0.9 && verdict.best.second.unwrap().score < 0.2);
    }
}
