//! Reads `routing.toml` and checks that everything it names exists; knows the format, not the routing.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use toml::Spanned;

use super::{Counter, Punctuality, Routing, Rule, hours::Hours};
use crate::person::Language;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoutingFile {
    reception: Spanned<String>,
    #[serde(default = "half_an_hour")]
    appointment_minutes: i32,
    #[serde(default)]
    services: BTreeMap<String, BTreeMap<Language, String>>,
    counters: Vec<Spanned<CounterTable>>,
    #[serde(default)]
    rules: Vec<RuleTable>,
}

fn half_an_hour() -> i32 {
    30
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CounterTable {
    id: Spanned<String>,
    name: BTreeMap<Language, String>,
    #[serde(default)]
    directions: BTreeMap<Language, String>,
    serves: Option<Vec<Spanned<String>>>,
    hours: Option<Spanned<BTreeMap<String, String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleTable {
    when: Spanned<When>,
    to: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct When {
    service: Option<Spanned<String>>,
    category: Option<String>,
    appointment: Option<Punctuality>,
}

pub(super) fn load(path: &Path) -> Result<Routing, RoutingError> {
    let named = |problem| RoutingError { file: Some(path.into()), problem };
    let text = std::fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
    check(&text).map_err(named)
}

pub(super) fn parse(text: &str) -> Result<Routing, RoutingError> {
    check(text).map_err(|problem| RoutingError { file: None, problem })
}

fn check(text: &str) -> Result<Routing, String> {
    let file: RoutingFile = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
    let line = |span: std::ops::Range<usize>| text[..span.start.min(text.len())].matches('\n').count() + 1;
    let counters: Vec<&CounterTable> = file.counters.iter().map(Spanned::get_ref).collect();
    let known_counter = |id: &Spanned<String>| {
        counters.iter().position(|counter| counter.id.get_ref() == id.get_ref()).ok_or_else(|| {
            let nearest = nearest_name(id.get_ref(), counters.iter().map(|counter| counter.id.get_ref().as_str()));
            format!("line {}: there is no counter `{}`{nearest}", line(id.span()), id.get_ref())
        })
    };
    let known_service = |name: &Spanned<String>| match file.services.contains_key(name.get_ref()) {
        true => Ok(name.get_ref().clone()),
        false => {
            let nearest = nearest_name(name.get_ref(), file.services.keys().map(String::as_str));
            Err(format!("line {}: there is no service `{}`{nearest}", line(name.span()), name.get_ref()))
        }
    };

    if file.appointment_minutes < 0 {
        return Err("appointment_minutes cannot be negative".into());
    }
    let reception = known_counter(&file.reception)?;
    let mut checked: Vec<Counter> = Vec::with_capacity(counters.len());
    for counter in &counters {
        let id = counter.id.get_ref();
        let at = line(counter.id.span());
        if checked.iter().any(|other| other.id == *id) {
            return Err(format!("line {at}: two counters are called `{id}`; give each its own id"));
        }
        if counter.name.is_empty() {
            return Err(format!("line {at}: counter `{id}` has no name in any language, so nobody can be sent there"));
        }
        let serves = counter
            .serves
            .as_ref()
            .map(|names| names.iter().map(known_service).collect::<Result<_, _>>())
            .transpose()?;
        let hours = Hours::parse(counter.hours.as_ref().map(Spanned::get_ref)).map_err(|problem| {
            format!("line {}: counter `{id}`: {problem}", line(counter.hours.as_ref().map_or(0..0, Spanned::span)))
        })?;
        checked.push(Counter {
            id: id.clone(),
            name: counter.name.clone(),
            directions: counter.directions.clone(),
            serves,
            hours,
        });
    }

    let mut rules = Vec::with_capacity(file.rules.len());
    for rule in &file.rules {
        let when = rule.when.get_ref();
        let at = line(rule.when.span());
        if when.service.is_none() && when.category.is_none() && when.appointment.is_none() {
            return Err(format!(
                "line {at}: a rule needs a service, category or appointment, or it would catch everybody"
            ));
        }
        let service = when.service.as_ref().map(known_service).transpose()?;
        let to = &checked[known_counter(&rule.to)?];
        if let (Some(service), Some(served)) = (&service, &to.serves)
            && !served.contains(service)
        {
            return Err(format!(
                "line {at}: counter `{}` does not serve `{service}`, so this rule never applies",
                to.id
            ));
        }
        rules.push(Rule {
            service,
            category: when.category.clone(),
            appointment: when.appointment,
            to: rule.to.get_ref().clone(),
        });
    }
    let RoutingFile { services, appointment_minutes, .. } = file;
    Ok(Routing { services, counters: checked, rules, reception, appointment_minutes })
}

/// `; did you mean …?`, or nothing where there is nothing to mean.
pub(super) fn nearest_name<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> String {
    known
        .max_by(|a, b| strsim::jaro_winkler(a, wanted).total_cmp(&strsim::jaro_winkler(b, wanted)))
        .map_or(String::new(), |name| format!("; did you mean `{name}`?"))
}

/// A `routing.toml` that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{}{problem}. Correct it; assets/routing.toml shows every key",
    file.as_ref().map_or(String::new(), |file| format!("{}: ", file.display()))
)]
pub struct RoutingError {
    file: Option<PathBuf>,
    problem: String,
}
