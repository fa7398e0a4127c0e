//! What is said to whom: sentences from the Fluent files of `assets/phrases` and of the operator's folder.
//!
//! A greeting is one utterance a language; people with the same language are greeted together. Nothing but a name, a time of day and
//! a counter ever enters a sentence. `files` reads and checks; which voice speaks is no business of this module.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use fluent_bundle::FluentArgs;
use jiff::civil::Time;

pub use super::phrase_files::PhraseError;
use super::{
    names,
    phrase_files::{self, Messages},
};
use crate::{
    person::{Language, PersonName, Pronunciation, Salutation},
    routing::{Counter, nearest},
};

/// The part of the day that a greeting names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeOfDay {
    /// From 05:00.
    Morning,
    /// From 12:00.
    Afternoon,
    /// From 18:00.
    Evening,
}

impl TimeOfDay {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Morning, Self::Afternoon, Self::Evening];
}

impl From<Time> for TimeOfDay {
    fn from(local: Time) -> Self {
        match local.hour() {
            5..12 => Self::Morning,
            12..18 => Self::Afternoon,
            _ => Self::Evening,
        }
    }
}

/// Somebody who is greeted.
#[derive(Debug, Clone)]
pub enum Addressee<'a> {
    /// Somebody who is known.
    Named {
        /// As in the roster.
        name: &'a PersonName,
        /// How it is read, where the roster says it.
        pronunciation: Option<&'a Pronunciation>,
        /// The full name is said where absent.
        salutation: Option<Salutation>,
        /// Their own, or the configuration's.
        language: &'a Language,
        /// Where they go.
        counter: &'a Counter,
        /// Whether they are old enough to be given more time.
        older: bool,
    },
    /// Somebody who was told the same way earlier that day.
    Back {
        /// As in the roster.
        name: &'a PersonName,
        /// How it is read, where the roster says it.
        pronunciation: Option<&'a Pronunciation>,
        /// The full name is said where absent.
        salutation: Option<Salutation>,
        /// Their own, or the configuration's.
        language: &'a Language,
    },
    /// A stranger, or somebody of whom the robot is not sure: no name.
    Unknown {
        /// The configuration's.
        language: &'a Language,
        /// Where they ask.
        reception: &'a Counter,
    },
}

impl Addressee<'_> {
    fn language(&self) -> &Language {
        match self {
            Self::Named { language, .. } | Self::Back { language, .. } | Self::Unknown { language, .. } => language,
        }
    }
}

/// Everybody who is greeted together, the first one first.
#[derive(Debug, Clone)]
pub struct Greeting<'a> {
    /// Now.
    pub time: TimeOfDay,
    /// Who is there.
    pub people: Vec<Addressee<'a>>,
    /// The language in which they have heard a hello already, if they have ([`Phrases::hello`]).
    pub after_hello_in: Option<&'a Language>,
}

/// What is said in one language. `Debug` does not show it, because it may hold a name.
#[derive(Clone, PartialEq, Eq)]
pub struct Spoken {
    /// The language that it is in: the addressee's, or the nearest one that has phrases.
    pub language: Language,
    /// The words, with reading marks (`reading`).
    pub text: String,
    /// Whether one of those addressed should be given more time.
    pub unhurried: bool,
}

impl fmt::Debug for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spoken({}, {} characters)", self.language, self.text.chars().count())
    }
}

/// The phrases of every language.
pub struct Phrases {
    languages: BTreeMap<Language, Messages>,
}

impl fmt::Debug for Phrases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.languages.keys()).finish()
    }
}

impl Phrases {
    /// Reads `<tag>.ftl` from the folders; the first must exist, a later one adds to and overrides those before it.
    ///
    /// # Errors
    /// Names the file and the message: when the first folder has no phrases, when a file cannot be read or parsed, and when a message
    /// is missing or uses what it is not given.
    pub fn load(folders: &[PathBuf]) -> Result<Self, PhraseError> {
        phrase_files::load(folders).map(|languages| Self { languages })
    }

    /// All languages that have phrases.
    pub fn languages(&self) -> impl Iterator<Item = &Language> {
        self.languages.keys()
    }

    /// What to say: one utterance a language, in the order in which the languages first appear among the people.
    pub fn greeting(&self, greeting: &Greeting<'_>) -> Vec<Spoken> {
        self.speak(greeting, |speaker, people, after_hello| speaker.greet(people, after_hello))
    }

    /// The same where others wait: each name with its counter, and no more.
    pub fn brief(&self, greeting: &Greeting<'_>) -> Vec<Spoken> {
        self.speak(greeting, |speaker, people, _| speaker.greet_briefly(people))
    }

    /// The way only, without name and greeting, for whoever asks again.
    pub fn way(&self, greeting: &Greeting<'_>) -> Vec<Spoken> {
        self.speak(greeting, |speaker, people, _| speaker.ways(people))
    }

    fn speak(
        &self,
        greeting: &Greeting<'_>,
        text: impl Fn(&Speaker<'_>, &[&Addressee<'_>], bool) -> String,
    ) -> Vec<Spoken> {
        let mut groups: Vec<(&Language, &Messages, Vec<&Addressee<'_>>)> = Vec::new();
        for person in &greeting.people {
            let Some((language, messages)) = self.for_language(person.language()) else { continue };
            match groups.iter_mut().find(|(known, ..)| *known == language) {
                Some((.., people)) => people.push(person),
                None => groups.push((language, messages, vec![person])),
            }
        }
        groups
            .into_iter()
            .map(|(language, messages, people)| Spoken {
                language: language.clone(),
                text: text(
                    &Speaker { language, messages, time: greeting.time },
                    &people,
                    greeting.after_hello_in == Some(language),
                ),
                unhurried: people.iter().any(|person| matches!(person, Addressee::Named { older: true, .. })),
            })
            .collect()
    }

    /// What is said at once to somebody about whom it is not decided yet who they are: no name, and the greeting follows.
    pub fn hello(&self, language: &Language, time: TimeOfDay) -> Option<Spoken> {
        let (language, messages) = self.for_language(language)?;
        let text = Speaker { language, messages, time }.say("at-once", &[]);
        Some(Spoken { language: language.clone(), text, unhurried: false })
    }

    fn for_language(&self, wanted: &Language) -> Option<(&Language, &Messages)> {
        let tag = nearest(self.languages.keys().map(Language::tag), wanted.tag())?;
        self.languages.iter().find(|(language, _)| language.tag() == tag)
    }
}

/// Those who are addressed together.
struct Party<'a> {
    /// How they are called, and where they go, if they are to be told.
    named: Vec<(String, Option<&'a Counter>)>,
    /// Where those without a name ask.
    receptions: Vec<&'a Counter>,
    unknown: usize,
}

/// Who goes to the same counter goes together, in the order in which they were named.
fn by_counter<'a>(named: &'a [(String, Option<&'a Counter>)]) -> Vec<(&'a Counter, Vec<&'a str>)> {
    let mut counters: Vec<(&Counter, Vec<&str>)> = Vec::new();
    for (name, counter) in named {
        let Some(counter) = counter else { continue };
        match counters.iter_mut().find(|(known, _)| known.id() == counter.id()) {
            Some((_, there)) => there.push(name),
            None => counters.push((counter, vec![name])),
        }
    }
    counters
}

/// Puts sentences of one language together.
struct Speaker<'a> {
    language: &'a Language,
    messages: &'a Messages,
    time: TimeOfDay,
}

impl Speaker<'_> {
    fn greet(&self, people: &[&Addressee<'_>], after_hello: bool) -> String {
        let Party { named, receptions, unknown } = self.party(people);
        let names = self.list(&named.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
        let opening = match (named.is_empty(), unknown) {
            (true, 0..=1) => ["stranger", "stranger-then"],
            (true, _) => ["strangers", "strangers-then"],
            (false, 0) => ["named", "named-then"],
            (false, _) => ["named-and-others", "named-and-others-then"],
        }[usize::from(after_hello)];
        // Fluent passes over what a message does not use.
        let mut sentences = vec![self.say(opening, &[("names", &names)])];

        let counters = by_counter(&named);
        let everybody_goes = counters.iter().map(|(_, there)| there.len()).sum::<usize>() == named.len() + unknown;
        if let ([(counter, _)], true) = (counters.as_slice(), everybody_goes) {
            sentences.push(self.way("go", "", counter));
        } else {
            sentences.extend(counters.iter().map(|(counter, there)| self.way("some-go", &self.list(there), counter)));
        }
        let ask = if named.is_empty() { "ask" } else { "others-ask" };
        sentences.extend(receptions.iter().map(|reception| self.way(ask, "", reception)));
        self.one_after_the_other(sentences)
    }

    fn greet_briefly(&self, people: &[&Addressee<'_>]) -> String {
        let Party { named, receptions, unknown } = self.party(people);
        let knows: Vec<&str> =
            named.iter().filter(|(_, counter)| counter.is_none()).map(|(name, _)| name.as_str()).collect();
        let mut sentences = Vec::new();
        match (knows.is_empty(), named.is_empty(), unknown) {
            (false, ..) => sentences.push(self.say("named-then", &[("names", &self.list(&knows))])),
            (true, true, 1) => sentences.push(self.say("stranger-then", &[])),
            (true, true, _) => sentences.push(self.say("strangers-then", &[])),
            (true, false, _) => {}
        }
        let go = |(counter, there): &(&Counter, Vec<&str>)| self.short_way("some-go", &self.list(there), counter);
        sentences.extend(by_counter(&named).iter().map(go));
        let ask = if named.is_empty() { "ask" } else { "others-ask" };
        sentences.extend(receptions.iter().map(|reception| self.short_way(ask, "", reception)));
        self.one_after_the_other(sentences)
    }

    fn ways(&self, people: &[&Addressee<'_>]) -> String {
        let Party { named, receptions, .. } = self.party(people);
        let go = by_counter(&named).into_iter().map(|(counter, _)| self.way("go", "", counter));
        let ask = receptions.iter().map(|reception| self.way("ask", "", reception));
        self.one_after_the_other(go.chain(ask).collect())
    }

    fn party<'p>(&self, people: &[&'p Addressee<'_>]) -> Party<'p> {
        let mut party = Party { named: Vec::new(), receptions: Vec::new(), unknown: 0 };
        for person in people {
            match person {
                Addressee::Named { name, pronunciation, salutation, counter, .. } => {
                    party.named.push((self.address(name, *pronunciation, *salutation), Some(counter)));
                }
                Addressee::Back { name, pronunciation, salutation, .. } => {
                    party.named.push((self.address(name, *pronunciation, *salutation), None));
                }
                Addressee::Unknown { reception, .. } => {
                    party.unknown += 1;
                    if !party.receptions.iter().any(|known| known.id() == reception.id()) {
                        party.receptions.push(reception);
                    }
                }
            }
        }
        party
    }

    fn one_after_the_other(&self, mut sentences: Vec<String>) -> String {
        let last = sentences.pop().unwrap_or_default();
        sentences.iter().rev().fold(last, |rest, first| self.say("then", &[("first", first), ("rest", &rest)]))
    }

    fn address(
        &self,
        name: &PersonName,
        pronunciation: Option<&Pronunciation>,
        salutation: Option<Salutation>,
    ) -> String {
        let name = names::spoken(name, pronunciation, self.language);
        let salutation = match salutation {
            Some(Salutation::Mr) => "mr",
            Some(Salutation::Ms) => "ms",
            Some(Salutation::Dr) => "dr",
            Some(Salutation::Professor) => "professor",
            None => "none",
        };
        self.say("address", &[("salutation", salutation), ("surname", &name.surname), ("name", &name.full)])
    }

    fn list(&self, names: &[&str]) -> String {
        let Some((last, before)) = names.split_last() else { return String::new() };
        before.iter().rev().enumerate().fold((*last).to_owned(), |rest, (index, first)| {
            self.say(if index == 0 { "last-two" } else { "before-others" }, &[("first", first), ("rest", &rest)])
        })
    }

    fn way(&self, message: &str, names: &str, counter: &Counter) -> String {
        let words = counter.words(self.language);
        let place = match words.directions {
            "" => words.name.to_owned(),
            directions => self.say("place", &[("counter", words.name), ("directions", directions)]),
        };
        self.say(message, &[("names", names), ("counter", words.name), ("place", &place)])
    }

    /// Without directions.
    fn short_way(&self, message: &str, names: &str, counter: &Counter) -> String {
        let name = counter.words(self.language).name;
        self.say(message, &[("names", names), ("counter", name), ("place", name)])
    }

    fn say(&self, message: &str, values: &[(&'static str, &str)]) -> String {
        let mut args = FluentArgs::new();
        args.set("time", phrase_files::time_word(self.time));
        for (name, value) in values {
            args.set(*name, *value);
        }
        // Checked when the files were loaded: the message is there and uses only what it is given.
        self.messages.format(message, &args).unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "phrases_tests.rs"]
mod tests;
