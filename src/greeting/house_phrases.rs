//! The phrases that the house says again and again: greetings of the day and the ways to its counters. None holds anybody's name. Pure.
//!
//! They are found by greeting somebody whose name no phrase file has, at every time of the day and on the way to every counter, and leaving out
//! the phrases with that name.

use std::collections::BTreeSet;

use super::{
    phrases::{Addressee, Greeting, Phrases, TimeOfDay},
    utterance,
    voice::Fixed,
};
use crate::{
    person::PersonName,
    routing::{Counter, Routing},
};

/// Said as it is in every language.
const NOBODY: &str = "Qxqx";

/// All of them, in every language that has phrases.
pub fn house_phrases(phrases: &Phrases, routing: &Routing) -> BTreeSet<Fixed> {
    let name = PersonName::new(format!("{NOBODY} {NOBODY}"));
    let mut found = BTreeSet::new();
    for language in phrases.languages() {
        let unknown = Addressee::Unknown { language, reception: routing.reception() };
        let named = |counter| Addressee::Named {
            name: &name,
            pronunciation: None,
            salutation: None,
            language,
            counter,
            older: false,
        };
        let mut groups: Vec<Vec<Addressee<'_>>> = vec![vec![unknown.clone()], vec![unknown.clone(), unknown.clone()]];
        groups.extend(routing.counters().iter().map(|counter: &Counter| vec![named(counter)]));
        groups.extend(routing.counters().iter().map(|counter| vec![named(counter), unknown.clone()]));
        for time in TimeOfDay::ALL {
            let greetings = groups.iter().flat_map(|people| {
                let greet =
                    |after_hello_in| phrases.greeting(&Greeting { time, people: people.clone(), after_hello_in });
                greet(None).into_iter().chain(greet(Some(language)))
            });
            for said in greetings.chain(phrases.hello(language, time)) {
                let nameless =
                    utterance::phrases(&said.text).into_iter().filter(|phrase| !phrase.text.contains(NOBODY));
                let fixed = nameless.map(|phrase| phrase.text.trim().to_owned());
                found.extend(fixed.map(|text| Fixed { language: said.language.clone(), text }));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        greeting::{reading, utterance::Utterance},
        person::{Language, Salutation},
    };

    fn in_the_box() -> (Phrases, Routing) {
        let phrases = Phrases::load(&[Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/phrases")]).unwrap();
        (phrases, Routing::parse(include_str!("../../assets/routing.toml")).unwrap())
    }

    #[test]
    fn greetings_of_the_day_and_every_counters_sentence_are_found_and_no_name() {
        let (phrases, routing) = in_the_box();
        let found = house_phrases(&phrases, &routing);
        let has = |language: &str, text: &str| found.contains(&Fixed { language: language.into(), text: text.into() });
        for (language, text) in [
            ("en", "Good morning,"),
            ("en", "Good evening,"),
            ("en", "and welcome."),
            ("zh-CN", "早上好，"),
            ("zh-CN", "早上好。"),
            ("en", "Good morning."),
            ("en", "Welcome."),
            ("zh-CN", "欢迎光临。"),
            ("yue", "午安。"),
        ] {
            assert!(has(language, text), "{language}: {text}: {found:?}");
        }
        for counter in routing.counters() {
            let name = counter.words(&Language::from("en")).name;
            assert!(found.iter().any(|fixed| fixed.language.tag() == "en" && fixed.text.contains(name)), "{name}");
        }
        assert!(!found.iter().any(|fixed| fixed.text.contains(NOBODY)));
        assert!(found.len() < 200, "{}", found.len());
    }

    #[test]
    fn of_a_named_visitors_greeting_everything_but_the_name_is_the_houses() {
        let (phrases, routing) = in_the_box();
        let found = house_phrases(&phrases, &routing);
        let personal = |language: &str, name: &str| {
            let (name, language) = (PersonName::new(name), Language::from(language));
            let people = vec![Addressee::Named {
                name: &name,
                pronunciation: None,
                salutation: Some(Salutation::Mr),
                language: &language,
                counter: &routing.counters()[1],
                older: false,
            }];
            let said = phrases.greeting(&Greeting { time: TimeOfDay::Morning, people, after_hello_in: None }).remove(0);
            let fixed = |text: &str| found.contains(&Fixed { language: language.clone(), text: text.into() });
            let phrases = Utterance::new(1, language.clone(), &said.text).keeping(fixed).phrases;
            let personal =
                phrases.into_iter().filter(|phrase| phrase.personal).map(|phrase| reading::plain(phrase.text.trim()));
            personal.collect::<Vec<_>>()
        };
        assert_eq!(personal("en", "Barack Obama"), ["Mr Obama."]);
        assert_eq!(personal("zh-CN", "陈伟明"), ["陈先生，"]);
        assert_eq!(personal("yue", "陈伟明"), ["陈先生，"]);
    }
}
