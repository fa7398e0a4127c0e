//! Finds the decision that the operator asks about among the lines of an events file, and what became of its visitor afterwards.
//!
//! Pure: lines come in, one at a time, because the file may be that of a whole year.

use std::str::FromStr;

use serde::Deserialize;
use serde_json::Value;

use super::Because;

/// Which decision is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The newest one.
    Last,
    /// The newest one about this visitor.
    Visitor(u64),
    /// The one in this line of the file, counted from 1.
    Line(usize),
}

impl FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |digits: &str| digits.parse::<u64>().ok();
        if text == "last" {
            return Ok(Self::Last);
        }
        if let Some(line) = text.strip_prefix("line:").and_then(number).and_then(|line| usize::try_from(line).ok()) {
            return Ok(Self::Line(line));
        }
        let visitor = text.strip_prefix(['v', 'V']).unwrap_or(text);
        number(visitor).map(Self::Visitor).ok_or_else(|| {
            format!("`{text}` is no event: give a visitor's number such as 4, `last`, `line:17`, or `-` for a line on standard input")
        })
    }
}

/// Kinds of events that are decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Named.
    Identified,
    /// Perhaps somebody enrolled.
    Unsure,
    /// Nobody enrolled.
    Stranger,
    /// Greeted a short while ago.
    Returned,
}

/// A decision as its event tells it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Told {
    /// What came out.
    #[serde(rename = "event")]
    pub outcome: Outcome,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// Who of those in front of the robot.
    pub visitor: u64,
    /// Their record, where they were identified.
    pub person: Option<u64>,
    /// Whether staff have put that person on hold.
    #[serde(default)]
    pub on_hold: bool,
    /// Why.
    #[serde(flatten)]
    pub because: Because,
}

/// What became of the visitor.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Afterwards {
    /// Whom they were greeted as, where it differs from the decision: more views came in between.
    pub named_after_all: Option<u64>,
    /// Where they were sent, and why.
    pub sent: Option<(String, String)>,
    /// How long after the first usable frame the greeting was heard.
    pub heard_ms: Option<f64>,
}

/// Why a decision cannot be explained.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum SearchError {
    /// It is not there.
    #[error("{0}; `identified`, `unsure`, `stranger` and `returned` can be explained")]
    NotThere(String),
    /// The event is another one.
    #[error(
        "{place} is no decision about a visitor but `{kind}`; `identified`, `unsure`, `stranger` and `returned` can be explained"
    )]
    NoDecision {
        /// Which line.
        place: String,
        /// The event's kind.
        kind: String,
    },
    /// It lacks what would be needed.
    #[error("{place} cannot be explained ({cause}); an older version of greeter wrote it, or it is not whole")]
    Unreadable {
        /// Which line.
        place: String,
        /// What is wrong with it.
        cause: String,
    },
}

/// Goes through a file's lines.
pub struct Search {
    which: Which,
    line: usize,
    found: Option<Result<Told, SearchError>>,
    afterwards: Afterwards,
    /// Another run began after the decision: its visitors are others.
    over: bool,
}

impl Search {
    /// Begins before the first line.
    pub fn new(which: Which) -> Self {
        Self { which, line: 0, found: None, afterwards: Afterwards::default(), over: false }
    }

    /// Takes the next line.
    pub fn take(&mut self, line: &str) {
        self.line += 1;
        let place = format!("line {}", self.line);
        let value: Value = match serde_json::from_str(line) {
            Ok(value) => value,
            Err(error) => {
                if self.which == Which::Line(self.line) {
                    self.found = Some(Err(SearchError::Unreadable { place, cause: error.to_string() }));
                }
                return;
            }
        };
        let kind = value["event"].as_str().unwrap_or_default().to_owned();
        let wanted = match self.which {
            Which::Last => is_decision(&kind),
            Which::Visitor(visitor) => is_decision(&kind) && value["visitor"] == visitor,
            Which::Line(wanted) => wanted == self.line,
        };
        if wanted {
            (self.afterwards, self.over) = (Afterwards::default(), false);
            self.found = Some(told(value, place, &kind));
        } else if kind == "serving" {
            self.over = true;
        } else if let (Some(Ok(decision)), false) = (&self.found, self.over) {
            let decision = (decision.visitor, decision.person);
            self.follow(&value, &kind, decision);
        }
    }

    /// Notes what became of the visitor of the decision that was found.
    fn follow(&mut self, value: &Value, kind: &str, (visitor, person): (u64, Option<u64>)) {
        let after = &mut self.afterwards;
        let about =
            |value: &Value| value == visitor || value.as_array().is_some_and(|all| all.contains(&visitor.into()));
        match kind {
            "routed" if about(&value["visitor"]) => {
                let words = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
                after.named_after_all = value["person"].as_u64().filter(|_| person.is_none());
                after.sent = Some((words("place"), words("reason")));
            }
            "audible" if about(&value["visitors"]) => after.heard_ms = value["face_to_audible_ms"].as_f64(),
            _ => {}
        }
    }

    /// What was found, once all lines were taken.
    ///
    /// # Errors
    /// When it is not there or cannot be explained.
    pub fn end(self) -> Result<(Told, Afterwards), SearchError> {
        let nothing = || match self.which {
            Which::Last => "there is no decision in it".to_owned(),
            Which::Visitor(visitor) => format!("there is no decision about visitor {visitor} in it"),
            Which::Line(line) => format!("it has {} lines, and line {line} is not one of them", self.line),
        };
        let told = self.found.unwrap_or_else(|| Err(SearchError::NotThere(nothing())))?;
        Ok((told, self.afterwards))
    }
}

fn is_decision(kind: &str) -> bool {
    matches!(kind, "identified" | "unsure" | "stranger" | "returned")
}

fn told(value: Value, place: String, kind: &str) -> Result<Told, SearchError> {
    if !is_decision(kind) {
        return Err(SearchError::NoDecision { place, kind: kind.to_owned() });
    }
    serde_json::from_value(value).map_err(|error| SearchError::Unreadable { place, cause: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::{Entry, Event, because::tests::named},
        person::RecordNumber,
        visit::VisitorId,
    };

    fn lines(events: Vec<Event>) -> Vec<String> {
        let line = |(at, event)| serde_json::to_string(&Entry { at_ms: at as u64, event }).unwrap();
        events.into_iter().enumerate().map(line).collect()
    }

    fn two_runs() -> Vec<String> {
        let identified = |visitor, person| Event::Identified {
            visitor: VisitorId(visitor),
            person: RecordNumber(person),
            on_hold: false,
            because: named(),
        };
        let routed = |visitor, person: u64| Event::Routed {
            visitor: VisitorId(visitor),
            person: Some(RecordNumber(person)),
            counter: "3".into(),
            place: format!("Counter {visitor}"),
            reason: "invoices".into(),
        };
        let serving = || Event::Serving {
            people: 2,
            min_score_to_name: 0.7,
            min_score_from: crate::calibration::in_force::ScoreSource::Shipped,
        };
        let stranger = Event::Stranger { visitor: VisitorId(2), because: named() };
        let (first, second) = (identified(1, 11), identified(1, 12));
        lines(vec![serving(), first, stranger, routed(2, 5), routed(1, 11), serving(), second, routed(1, 12)])
    }

    fn found(which: &str) -> Result<(Told, Afterwards), SearchError> {
        let mut search = Search::new(which.parse().unwrap());
        two_runs().iter().for_each(|line| search.take(line));
        search.end()
    }

    #[test]
    fn a_visitors_number_means_the_newest_visitor_of_that_number() {
        let (told, after) = found("1").unwrap();
        assert_eq!((told.at_ms, told.person), (6, Some(12)));
        assert_eq!(after.sent, Some(("Counter 1".into(), "invoices".into())));
        assert_eq!(found("V1").unwrap().0.at_ms, 6);
        assert_eq!(found("last").unwrap().0.at_ms, 6);
    }

    #[test]
    fn a_line_means_that_one_and_what_followed_in_the_same_run() {
        let (told, after) = found("line:2").unwrap();
        assert_eq!((told.at_ms, told.person, after.sent.unwrap().0.as_str()), (1, Some(11), "Counter 1"));
        assert!(
            found("line:1").unwrap_err().to_string().starts_with("line 1 is no decision about a visitor but `serving`")
        );
        assert!(found("line:9").unwrap_err().to_string().starts_with("it has 8 lines, and line 9 is not one"));
    }

    #[test]
    fn a_stranger_whom_more_views_named_before_the_greeting_was_named_after_all() {
        let (told, after) = found("2").unwrap();
        assert_eq!((told.outcome, told.person, after.named_after_all), (Outcome::Stranger, None, Some(5)));
        assert_eq!(found("1").unwrap().1.named_after_all, None);
    }

    #[test]
    fn what_cannot_be_found_or_read_is_said() {
        assert_eq!(
            found("77").unwrap_err().to_string(),
            "there is no decision about visitor 77 in it; `identified`, `unsure`, `stranger` and `returned` can be explained"
        );
        assert!("four".parse::<Which>().unwrap_err().contains("`four` is no event"));
        let mut search = Search::new(Which::Last);
        search.take("{\"at_ms\":1,\"event\":\"unsure\",\"visitor\":3,\"score\":0.5}");
        let words = search.end().unwrap_err().to_string();
        assert!(
            words.starts_with("line 1 cannot be explained (missing field") && words.contains("older version"),
            "{words}"
        );
    }
}
