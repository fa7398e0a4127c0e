//! Says in plain words why a visitor was or was not named, from the event of the decision alone.
//!
//! Pure. A person is a record number.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use super::{
    Because,
    search::{Afterwards, Outcome, Told},
};
use crate::gallery::{
    decision::VIEWS_THAT_AGREE,
    grounds::{EndedBy, Missing},
};

/// One thing that a name needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// What.
    pub what: &'static str,
    /// What there was; absent where there was nothing to measure.
    pub found: Option<f64>,
    /// What there had to be at least.
    pub demanded: f64,
    /// Whether it was enough.
    pub enough: bool,
    /// Digits after the point, for people.
    #[serde(skip)]
    digits: usize,
}

/// Why a visitor was or was not named.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Who of those in front of the robot.
    pub visitor: u64,
    /// Their record, where they were named.
    pub person: Option<u64>,
    /// When it was decided, milliseconds since 1970.
    pub at_ms: u64,
    /// The reason in plain words.
    pub why: String,
    /// What can be done about it, where something can.
    pub advice: Vec<&'static str>,
    /// What a name needs and what there was.
    pub checks: Vec<Check>,
    /// Everything that the event holds.
    #[serde(flatten)]
    pub because: Because,
    #[serde(skip)]
    afterwards: Afterwards,
}

impl Explanation {
    /// Explains a decision.
    pub fn of(told: &Told, afterwards: Afterwards) -> Self {
        let because = told.because.clone();
        Self {
            visitor: told.visitor,
            person: told.person,
            at_ms: told.at_ms,
            why: why(told),
            advice: decisive(&because).filter_map(|missing| advice(missing, &because)).collect(),
            checks: checks(&because),
            because,
            afterwards,
        }
    }
}

fn why(told: &Told) -> String {
    let because = &told.because;
    let who = format!("Visitor {}", told.visitor);
    let score = because.score.unwrap_or(0.0);
    match (told.outcome, told.person) {
        (Outcome::Returned, Some(person)) => {
            return format!(
                "{who} is #{person}, who was greeted a short while ago, so nothing was said (`visit.cool_down_s`)."
            );
        }
        (Outcome::Returned, None) => {
            return format!(
                "{who} has a face that was greeted a short while ago, without a name, so nothing was said (`visit.cool_down_s`)."
            );
        }
        (_, Some(person)) if told.on_hold => {
            return format!(
                "{who} was recognised as #{person}, who is on hold, so they were greeted without a name. `greeter people release {person}` ends it."
            );
        }
        (_, Some(person)) => {
            return format!(
                "{who} was named: #{person}. The score of {score:.2} reaches the {:.2} demanded, {}, and {} of {} views point to #{person} each by itself.",
                because.min_score_to_name,
                behind(because),
                because.agreeing(),
                because.views
            );
        }
        _ => {}
    }
    let reasons: Vec<String> = decisive(because).map(|missing| lack(missing, because)).collect();
    let outcome = match told.outcome {
        Outcome::Stranger => "taken for nobody enrolled",
        _ => "not named, though perhaps enrolled",
    };
    format!("{who} was {outcome}: {}. {}", reasons.join("; "), ending(because))
}

/// What was missing, without what is no wonder: the most alike of those who are all unlike have others close behind them.
fn decisive(because: &Because) -> impl Iterator<Item = Missing> + '_ {
    let unlike = because.missing.contains(&Missing::Score);
    let no_wonder = move |missing: &Missing| unlike && matches!(missing, Missing::Margin | Missing::Agreement);
    because.missing.iter().copied().filter(move |missing| !no_wonder(missing))
}

/// How far the second person is behind, as a clause.
fn behind(because: &Because) -> String {
    match (because.margin(), because.second) {
        (Some(margin), Some(second)) => format!("the next person stays {margin:.2} behind ({second:.2})"),
        _ => "nobody else is enrolled".into(),
    }
}

/// What was missing, as a clause.
fn lack(missing: Missing, because: &Because) -> String {
    let (score, demanded) = (because.score.unwrap_or(0.0), because.min_score_to_name);
    match missing {
        Missing::People => "nobody is enrolled".into(),
        Missing::Views if because.views == 0 => "there was no view good enough to be compared".into(),
        Missing::Views => format!("there were only {} good views, and {} are needed", because.views, because.min_views),
        Missing::Score => {
            format!("the best score, {score:.2}, is {:.2} below the {demanded:.2} demanded", demanded - score)
        }
        Missing::Margin => format!(
            "two people are alike: the first has {score:.2} and the next {:.2}, and {:.2} must lie between them",
            because.second.unwrap_or(0.0),
            because.min_margin
        ),
        Missing::Agreement => format!(
            "only {} of {} views point to that person each by itself, and {VIEWS_THAT_AGREE} must",
            because.agreeing(),
            because.views
        ),
        Missing::Claim => {
            "everything was there, but another face in front of the robot is more alike to the same person or was greeted as them".into()
        }
    }
}

/// Which rule ended it, as a sentence.
fn ending(because: &Because) -> String {
    match because.ended_by {
        EndedBy::Time => format!(
            "The time was up: the face had been watched for {:.0} ms, and {:.0} are given.",
            because.watched_ms, because.wait_at_most_ms
        ),
        EndedBy::FarBelow => {
            format!("So far below, waiting would have been in vain: decided after {:.0} ms.", because.watched_ms)
        }
        EndedBy::NobodyEnrolled => "Everybody is greeted without a name.".into(),
        EndedBy::Claim => "One person is at most one face.".into(),
        EndedBy::Named => String::new(),
    }
}

/// What the operator can do about it.
fn advice(missing: Missing, because: &Because) -> Option<&'static str> {
    /// Nearer than this, another photo may be all that is needed; the shipped decision calls it unsure.
    const NEAR: f32 = 0.15;
    let near = because.score.is_some_and(|score| because.min_score_to_name - score <= NEAR);
    match missing {
        Missing::People => Some("Preload people with `greeter sync`."),
        Missing::Views => Some("Light the face from the front, and let visitors come nearer or stand still."),
        Missing::Score if near => Some(
            "If the visitor is enrolled, a second and third photo of them help most: recent, from the front, evenly lit.",
        ),
        // A stranger is a stranger.
        Missing::Score => None,
        Missing::Margin => {
            Some("Two people look alike, or one person is enrolled twice; more photos of both tell them apart.")
        }
        Missing::Agreement => {
            Some("The views differ much: look for bad light or motion, or for two people in one place.")
        }
        Missing::Claim => None,
    }
}

fn checks(because: &Because) -> Vec<Check> {
    let count = |count: usize| count as f64;
    // The difference of two rounded scores is what people see in the table.
    let short = |value: f32| (f64::from(value) * 10_000.0).round() / 10_000.0;
    let lacks = |missing| because.missing.contains(&missing);
    vec![
        Check {
            what: "good views",
            found: Some(count(because.views)),
            demanded: count(because.min_views),
            enough: because.views >= because.min_views,
            digits: 0,
        },
        Check {
            what: "score",
            found: because.score.map(short),
            demanded: short(because.min_score_to_name),
            enough: because.score.is_some_and(|score| score >= because.min_score_to_name),
            digits: 2,
        },
        Check {
            what: "ahead of the next",
            // Alone in the gallery, nobody is behind.
            found: because.second.and(because.margin()).map(short),
            demanded: short(because.min_margin),
            enough: because.score.is_some() && !lacks(Missing::Margin),
            digits: 2,
        },
        Check {
            what: "views that agree",
            found: Some(count(because.agreeing())),
            demanded: count(VIEWS_THAT_AGREE),
            enough: because.agreeing() >= VIEWS_THAT_AGREE,
            digits: 0,
        },
    ]
}

/// For people: a paragraph, a small table, and what else matters.
impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let because = &self.because;
        writeln!(f, "{}\n", self.why.trim_end())?;
        writeln!(f, "                       found  demanded")?;
        for check in &self.checks {
            let found = check.found.map_or("-".to_owned(), |found| format!("{found:.*}", check.digits));
            let mark = if check.enough { "" } else { "  too little" };
            writeln!(f, "  {:<18} {found:>7}  {:>8.*}{mark}", check.what, check.digits, check.demanded)?;
        }
        if !because.each_view.is_empty() {
            writeln!(f, "\n  view  quality  score alone")?;
        }
        for (at, view) in because.each_view.iter().enumerate() {
            let score = view.score.map_or("-".to_owned(), |score| format!("{score:.2}"));
            let mark = if view.agrees || because.people == 0 { "" } else { "  somebody else is more alike" };
            writeln!(f, "  {:>4}  {:>7.2}  {score:>11}{mark}", at + 1, view.quality)?;
        }
        writeln!(f)?;
        if !because.passed_over.is_empty() {
            let counts: Vec<String> =
                because.passed_over.iter().map(|(fault, count)| format!("{count} {fault}")).collect();
            writeln!(f, "Frames whose view of the face was passed over: {}.", counts.join(", "))?;
        }
        let (people, from) = (crowd(because), from(&because.min_score_from));
        writeln!(f, "The score demanded, for {people}, is {from}.")?;
        if let Some(person) = self.afterwards.named_after_all {
            writeln!(f, "More views came before the greeting: the visitor was named #{person} after all.")?;
        }
        if let Some((place, reason)) = &self.afterwards.sent {
            writeln!(f, "The visitor was sent to {place} ({reason}).")?;
        }
        if let Some(ms) = self.afterwards.heard_ms {
            writeln!(f, "The greeting was heard {ms:.0} ms after the face appeared.")?;
        }
        self.advice.iter().try_for_each(|advice| writeln!(f, "{advice}"))
    }
}

/// Where a score comes from, by its word in the event.
fn from(word: &str) -> &str {
    match word {
        "configured" => "the operator's own, `decision.min_score_to_name`",
        "calibrated" => "what `greeter calibrate` found for this hall",
        "shipped" => "the shipped one; `greeter calibrate` finds this hall's own",
        "unmeasured" => "a cautious one, because none was measured for this recogniser",
        other => other,
    }
}

/// Among whom that score holds: whoever is expected that day has a bar of their own.
fn crowd(because: &Because) -> String {
    let enrolled = match because.people {
        1 => "1 person enrolled".into(),
        count => format!("{count} people enrolled"),
    };
    match (because.expected, because.is_expected) {
        (0, _) => enrolled,
        (1, true) => format!("the one who was expected that day, of {enrolled}"),
        (count, true) => format!("one of the {count} people who were expected that day, of {enrolled}"),
        (count, false) => format!("somebody who was not among the {count} expected that day, of {enrolled}"),
    }
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
