//! Which counter a visitor goes to. Pure: time is a value.
//!
//! The rules of `routing.toml` are tried in their order, then the counters that serve what the visitor comes for; a counter that is
//! closed, or does not serve it, is passed over; what is left goes to reception. `file` reads and checks the file, `hours` knows when
//! a counter is open. What is said about a counter is its name and its directions, never why somebody goes there.

mod file;
mod hours;

use std::{collections::BTreeMap, fmt, path::Path};

use jiff::{SpanRound, Unit, civil::DateTime};

pub use file::RoutingError;
use hours::Hours;

use crate::person::Language;

/// What is known of a visitor that matters for the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// What they come for, by the names of `routing.toml`; names that it does not have are passed over.
    pub services: Vec<String>,
    /// The bureau's own category.
    pub category: Option<String>,
    /// When they are expected, local time.
    pub appointment: Option<DateTime>,
}

/// Where a visitor goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The counter's `id` in `routing.toml`.
    pub counter: String,
    /// Why there, and not elsewhere.
    pub reason: Reason,
}

/// Why a visitor goes to a counter; says nothing of what they come for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The rule with this number, counted from 1 in the file, sends them there.
    Rule(usize),
    /// The first open counter that serves what they come for.
    Service,
    /// Reception: a rule or a service would have sent them elsewhere, but nothing that it names is open now.
    Closed,
    /// Reception: no rule and no counter fits.
    NoMatch,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(number) => write!(f, "rule {number}"),
            Self::Service => f.write_str("service"),
            Self::Closed => f.write_str("closed"),
            Self::NoMatch => f.write_str("no match"),
        }
    }
}

/// A counter, or reception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    id: String,
    name: BTreeMap<Language, String>,
    directions: BTreeMap<Language, String>,
    /// `None`: everything, for those whom a rule sends.
    serves: Option<Vec<String>>,
    hours: Hours,
}

/// What is said of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words<'a> {
    /// Such as `counter 3`.
    pub name: &'a str,
    /// Such as `on the left`; empty where the file has none.
    pub directions: &'a str,
}

impl Counter {
    /// Its `id` in `routing.toml`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its name and directions in a language, or in the nearest one that the file has.
    pub fn words(&self, language: &Language) -> Words<'_> {
        let of = |texts: &'_ BTreeMap<Language, String>| {
            let tag = nearest(texts.keys().map(Language::tag), language.tag()).unwrap_or_default().to_owned();
            Language(tag)
        };
        let text = |texts: &'_ BTreeMap<Language, String>, key: &Language| texts.get(key).map(String::len).is_some();
        let name_in = of(&self.name);
        let directions_in = if text(&self.directions, &name_in) { name_in.clone() } else { of(&self.directions) };
        Words {
            name: self.name.get(&name_in).map_or(self.id.as_str(), String::as_str),
            directions: self.directions.get(&directions_in).map_or("", String::as_str),
        }
    }

    fn can_take(&self, needs: &Needs, now: DateTime) -> Result<(), Refusal> {
        match &self.serves {
            Some(served) if !needs.services.is_empty() && !needs.services.iter().any(|want| served.contains(want)) => {
                Err(Refusal::NotServed)
            }
            _ if !self.hours.open_at(now) => Err(Refusal::Closed),
            _ => Ok(()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    NotServed,
    Closed,
}

/// The tag among `tags` that stands for `wanted`: itself, one with the same first part (`zh-HK` for `zh-CN`), the other Chinese one,
/// English, any.
pub(crate) fn nearest<'a>(tags: impl Iterator<Item = &'a str> + Clone, wanted: &str) -> Option<&'a str> {
    let first = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let chinese = |tag: &str| matches!(first(tag).as_str(), "zh" | "yue" | "cmn");
    let tests: [&dyn Fn(&str) -> bool; 5] = [
        &|tag| tag.eq_ignore_ascii_case(wanted),
        &|tag| first(tag) == first(wanted),
        &|tag| chinese(tag) && chinese(wanted),
        &|tag| first(tag) == "en",
        &|_| true,
    ];
    tests.into_iter().find_map(|fits| tags.clone().find(|tag| fits(tag)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Punctuality {
    Now,
    Early,
    Late,
    None,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    service: Option<String>,
    category: Option<String>,
    appointment: Option<Punctuality>,
    to: String,
}

impl Rule {
    fn fits(&self, needs: &Needs, punctuality: Punctuality) -> bool {
        self.service.as_ref().is_none_or(|service| needs.services.contains(service))
            && self.category.as_ref().is_none_or(|category| needs.category.as_ref() == Some(category))
            && self.appointment.is_none_or(|wanted| wanted == punctuality)
    }
}

/// Services, counters, hours and rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routing {
    services: BTreeMap<String, BTreeMap<Language, String>>,
    counters: Vec<Counter>,
    rules: Vec<Rule>,
    reception: usize,
    appointment_minutes: i32,
}

impl Routing {
    /// Reads `routing.toml`.
    ///
    /// # Errors
    /// When it cannot be read, is no TOML, has an unknown key, or names a counter or service that it does not have; with the line.
    pub fn load(path: &Path) -> Result<Self, RoutingError> {
        file::load(path)
    }

    /// Reads the text of a `routing.toml`.
    ///
    /// # Errors
    /// As [`Routing::load`], without the file's name.
    pub fn parse(text: &str) -> Result<Self, RoutingError> {
        file::parse(text)
    }

    /// Where a visitor goes at the local time `now`.
    pub fn route(&self, needs: &Needs, now: DateTime) -> Route {
        let punctuality = self.punctuality(needs.appointment, now);
        let mut closed = false;
        let mut take = |counter: &Counter, reason| match counter.can_take(needs, now) {
            Ok(()) => Some(Route { counter: counter.id.clone(), reason }),
            Err(refusal) => {
                closed |= refusal == Refusal::Closed;
                None
            }
        };
        for (index, rule) in self.rules.iter().enumerate().filter(|(_, rule)| rule.fits(needs, punctuality)) {
            if let Some(route) = self.counter(&rule.to).and_then(|counter| take(counter, Reason::Rule(index + 1))) {
                return route;
            }
        }
        for service in &needs.services {
            let serves =
                |counter: &&Counter| counter.serves.as_ref().is_some_and(|services| services.contains(service));
            if let Some(route) = self.counters.iter().filter(serves).find_map(|counter| take(counter, Reason::Service))
            {
                return route;
            }
        }
        let reason = if closed { Reason::Closed } else { Reason::NoMatch };
        Route { counter: self.reception().id.clone(), reason }
    }

    /// The counter with an `id`.
    pub fn counter(&self, id: &str) -> Option<&Counter> {
        self.counters.iter().find(|counter| counter.id == id)
    }

    /// All counters in the file's order, reception among them.
    pub fn counters(&self) -> &[Counter] {
        &self.counters
    }

    /// The counter for strangers and for everybody whom nothing else fits.
    pub fn reception(&self) -> &Counter {
        &self.counters[self.reception]
    }

    /// The names of all services, for checking a roster.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str)
    }

    /// Within `appointment_minutes` is `Now`; another day's appointment is none.
    fn punctuality(&self, appointment: Option<DateTime>, now: DateTime) -> Punctuality {
        let Some(appointment) = appointment.filter(|at| at.date() == now.date()) else { return Punctuality::None };
        let minutes = (appointment - now)
            .round(SpanRound::new().largest(Unit::Minute).smallest(Unit::Minute))
            .map_or(0, |span| span.get_minutes());
        match minutes {
            ahead if ahead > i64::from(self.appointment_minutes) => Punctuality::Early,
            past if past < -i64::from(self.appointment_minutes) => Punctuality::Late,
            _ => Punctuality::Now,
        }
    }
}

#[cfg(test)]
mod tests;
