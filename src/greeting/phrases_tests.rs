//! Every sentence in every language, and the ways in which a phrase file can be wrong.

use std::path::Path;

use super::*;
use crate::routing::Routing;

fn in_the_box() -> Phrases {
    Phrases::load(&[Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/phrases")]).unwrap()
}

fn routing() -> Routing {
    Routing::parse(include_str!("../../assets/routing.toml")).unwrap()
}

/// Somebody in front of the robot: a name, how they are addressed, and a counter; nobody in particular without a name.
type Visitor<'a> = (&'a str, Option<Salutation>, &'a str);

const STRANGER: Visitor<'static> = ("", None, "reception");

/// How a group is spoken to.
#[derive(Clone, Copy, PartialEq)]
enum How {
    Greeted,
    /// After a hello in the first one's language, which is a line of its own.
    AfterHello,
    /// Where others wait.
    Briefly,
    /// As they come again that day and the way is the same.
    Again,
    /// As they ask for the way again.
    Way,
}

/// What a group hears, one line an utterance, such as `en: Good morning, Mr Obama. …`.
fn hear(time: TimeOfDay, people: &[(&str, Visitor<'_>)]) -> String {
    hear_as(How::Greeted, time, people)
}

fn hear_as(how: How, time: TimeOfDay, people: &[(&str, Visitor<'_>)]) -> String {
    let (phrases, routing) = (in_the_box(), routing());
    let names: Vec<_> = people.iter().map(|(_, (name, ..))| PersonName::new(*name)).collect();
    let languages: Vec<Language> = people.iter().map(|(language, _)| Language::from(*language)).collect();
    let people = people.iter().enumerate().map(|(index, (_, (name, salutation, counter)))| {
        let (name, language, pronunciation, salutation) =
            ((*name, &names[index]), &languages[index], None, *salutation);
        match name {
            ("", _) => Addressee::Unknown { language, reception: routing.reception() },
            (_, name) if how == How::Again => Addressee::Back { name, pronunciation, salutation, language },
            (_, name) => {
                let counter = routing.counter(counter).unwrap();
                Addressee::Named { name, pronunciation, salutation, language, counter, older: false }
            }
        }
    });
    let people: Vec<_> = people.collect();
    let after_hello_in = (how == How::AfterHello).then(|| people[0].language());
    let greeting = Greeting { time, people: people.clone(), after_hello_in };
    let said = match how {
        How::Briefly => phrases.brief(&greeting),
        How::Way => phrases.way(&greeting),
        _ => phrases.greeting(&greeting),
    };
    let hello = after_hello_in.and_then(|language| phrases.hello(language, time));
    hello.iter().chain(&said).map(|said| format!("{}: {}\n", said.language, said.text)).collect()
}

const MR: Option<Salutation> = Some(Salutation::Mr);
const MS: Option<Salutation> = Some(Salutation::Ms);
const DR: Option<Salutation> = Some(Salutation::Dr);
const PROFESSOR: Option<Salutation> = Some(Salutation::Professor);

#[test]
fn every_sentence_in_every_language_is_the_one_that_was_read_and_approved() {
    use TimeOfDay::{Afternoon, Evening, Morning};
    let mut said = String::new();
    let scenes: [(&str, TimeOfDay, &[Visitor<'_>]); 14] = [
        ("one man in the morning", Morning, &[("Barack Obama", MR, "3")]),
        ("one woman in the afternoon", Afternoon, &[("陈伟明", MS, "2")]),
        ("a doctor in the evening", Evening, &[("欧阳修", DR, "1")]),
        ("a professor", Morning, &[("曾国藩", PROFESSOR, "4")]),
        ("somebody whose salutation is not known", Morning, &[("吕布", None, "2")]),
        ("somebody for whom every counter is closed", Evening, &[("Susan Collins", MS, "reception")]),
        ("a stranger in the morning", Morning, &[STRANGER]),
        ("a stranger in the evening", Evening, &[STRANGER]),
        ("two strangers", Afternoon, &[STRANGER, STRANGER]),
        ("two people to two counters", Morning, &[("Barack Obama", MR, "2"), ("Susan Collins", MS, "3")]),
        ("two people to one counter", Morning, &[("Barack Obama", MR, "3"), ("Susan Collins", MS, "3")]),
        (
            "three people, two to one counter",
            Morning,
            &[("Barack Obama", MR, "3"), ("陈伟明", MR, "2"), ("Susan Collins", MS, "3")],
        ),
        ("one known and one stranger", Morning, &[("Barack Obama", MR, "3"), STRANGER]),
        (
            "two known and two strangers",
            Morning,
            &[STRANGER, ("Barack Obama", MR, "3"), ("Susan Collins", MS, "2"), STRANGER],
        ),
    ];
    let two = [("Barack Obama", MR, "3"), ("Susan Collins", MS, "2")];
    let mixed = [STRANGER, two[0], two[1], ("陈伟明", MR, "2"), STRANGER];
    let otherwise: [(&str, How, TimeOfDay, &[Visitor<'_>]); 12] = [
        ("one man, after a hello", How::AfterHello, Morning, &two[..1]),
        ("a stranger, after a hello", How::AfterHello, Evening, &[STRANGER]),
        ("two strangers, after a hello", How::AfterHello, Afternoon, &[STRANGER, STRANGER]),
        ("one known and one stranger, after a hello", How::AfterHello, Morning, &[two[0], STRANGER]),
        ("one man, while others wait", How::Briefly, Morning, &two[..1]),
        ("a stranger, while others wait", How::Briefly, Evening, &[STRANGER]),
        ("three known and two strangers, while others wait", How::Briefly, Morning, &mixed),
        ("one man again that day, to the same counter", How::Again, Afternoon, &two[..1]),
        ("two again that day, with a stranger", How::Again, Afternoon, &[two[0], two[1], STRANGER]),
        ("one man asks again", How::Way, Morning, &two[..1]),
        ("a stranger asks again", How::Way, Morning, &[STRANGER]),
        ("two ask again", How::Way, Morning, &two),
    ];
    let scenes = scenes.map(|(scene, time, visitors)| (scene, How::Greeted, time, visitors));
    for (scene, how, time, visitors) in scenes.into_iter().chain(otherwise) {
        said.push_str(&format!("# {scene}\n"));
        for language in ["en", "zh-CN", "yue"] {
            let people: Vec<_> = visitors.iter().map(|visitor| (language, *visitor)).collect();
            said.push_str(&hear_as(how, time, &people));
        }
        said.push('\n');
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/greetings.txt");
    if std::env::var_os("GREETER_APPROVE").is_some() {
        std::fs::write(&golden, &said).unwrap();
    }
    let approved = std::fs::read_to_string(&golden).unwrap();
    for (line, (said, approved)) in said.lines().zip(approved.lines()).enumerate() {
        assert_eq!(said, approved, "line {} of tests/golden/greetings.txt", line + 1);
    }
    assert_eq!(said.lines().count(), approved.lines().count());
}

#[test]
fn the_rosters_pronunciation_goes_with_the_name_into_a_mandarin_greeting_alone() {
    let (name, read) = (PersonName::new("覃茜"), Pronunciation::new("tan2 xi1"));
    let (phrases, routing) = (in_the_box(), routing());
    let greet = |language: &str, salutation| {
        let language = Language::from(language);
        let addressee = Addressee::Named {
            name: &name,
            pronunciation: Some(&read),
            salutation,
            language: &language,
            counter: routing.counter("2").unwrap(),
            older: false,
        };
        phrases
            .greeting(&Greeting { time: TimeOfDay::Morning, people: vec![addressee], after_hello_in: None })
            .remove(0)
            .text
    };
    assert_eq!(greet("zh-CN", MS), "覃〔tan2〕女士，早上好。请到二号窗口，在左边。");
    assert!(greet("zh-CN", None).starts_with("覃〔tan2〕茜〔xi1〕，"));
    assert!(greet("yue", MS).starts_with("覃女士，"));
    assert!(greet("en", None).starts_with("Good morning, Tan Xi."));
}

#[test]
fn a_group_with_two_languages_hears_one_greeting_in_each() {
    let said = hear(
        TimeOfDay::Morning,
        &[("en", ("Barack Obama", MR, "3")), ("zh-CN", ("陈伟明", MR, "2")), ("en", ("Susan Collins", MS, "3"))],
    );
    assert_eq!(
        said,
        "en: Good morning, Mr Obama and Ms Collins. Please go to counter 3, on the right.\n\
         zh-CN: 陈先生，早上好。请到二号窗口，在左边。\n"
    );
}

#[test]
fn a_hello_is_not_said_twice_and_a_hello_in_another_language_is_none() {
    let people = [("en", ("Barack Obama", MR, "3")), ("zh-CN", ("陈伟明", MR, "2"))];
    assert_eq!(
        hear_as(How::AfterHello, TimeOfDay::Morning, &people),
        "en: Good morning.\n\
         en: Mr Obama, welcome. Please go to counter 3, on the right.\n\
         zh-CN: 陈先生，早上好。请到二号窗口，在左边。\n"
    );
}

#[test]
fn somebody_whose_language_has_no_phrases_is_greeted_in_the_nearest_one() {
    assert!(hear(TimeOfDay::Morning, &[("zh-HK", ("陈伟明", MR, "2"))]).starts_with("zh-CN: 陈先生"));
    assert!(hear(TimeOfDay::Morning, &[("en-GB", ("Barack Obama", MR, "2"))]).starts_with("en: Good morning"));
    assert!(hear(TimeOfDay::Morning, &[("fr", ("Barack Obama", MR, "2"))]).starts_with("en: Good morning"));
}

#[test]
fn the_day_has_three_parts() {
    let parts = [(4, 59), (5, 0), (11, 59), (12, 0), (17, 59), (18, 0), (23, 59), (0, 0)]
        .map(|(hour, minute)| TimeOfDay::from(Time::constant(hour, minute, 0, 0)));
    use TimeOfDay::{Afternoon, Evening, Morning};
    assert_eq!(parts, [Evening, Morning, Morning, Afternoon, Afternoon, Evening, Evening, Evening]);
}

#[test]
fn what_is_said_cannot_be_printed_by_accident() {
    let said = Spoken { language: "en".into(), text: "Good morning, Mr Obama.".into(), unhurried: false };
    assert_eq!(format!("{said:?}"), "Spoken(en, 23 characters)");
}

/// An operator's folder with one file, over the box's phrases.
fn with_file(name: &str, text: &str) -> Result<Phrases, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    let folders = [Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/phrases"), folder.path().to_owned()];
    let path = format!("{}/", folder.path().display());
    Phrases::load(&folders).map_err(|error| error.to_string().replace(&path, ""))
}

const ENGLISH: &str = include_str!("../../assets/phrases/en.ftl");

#[test]
fn an_operator_overrides_a_sentence_and_adds_a_language() {
    let phrases = with_file("en.ftl", "stranger = Welcome to the tax office.\n").unwrap();
    let routing = routing();
    let stranger = Addressee::Unknown { language: &"en".into(), reception: routing.reception() };
    let said = phrases.greeting(&Greeting { time: TimeOfDay::Morning, people: vec![stranger], after_hello_in: None });
    assert_eq!(said[0].text, "Welcome to the tax office. Please ask at reception, beside the entrance.");
    let phrases = with_file("fr.ftl", ENGLISH).unwrap();
    assert_eq!(phrases.languages().map(Language::tag).collect::<Vec<_>>(), ["en", "fr", "yue", "zh-CN"]);
}

#[test]
fn a_wrong_phrase_file_is_refused_by_file_and_message() {
    let refused = |name: &str, text: &str| with_file(name, text).unwrap_err();
    assert_eq!(
        refused("en.ftl", "stranger = { hello }, { $name }.\n"),
        "en.ftl: message `stranger` uses $name, which it is not given; assets/phrases/en.ftl shows what it may use"
    );
    assert_eq!(
        refused("en.ftl", "stranger = { helo }, welcome.\n"),
        "en.ftl: message `stranger` uses `helo`, which does not exist; assets/phrases/en.ftl shows what it may use"
    );
    assert_eq!(
        refused("en.ftl", "hello = { hello }\n"),
        "en.ftl: message `hello` uses itself; assets/phrases/en.ftl shows what it may use"
    );
    assert_eq!(
        refused("en.ftl", "go = Go.\nstranger = { hello, welcome.\n"),
        "en.ftl: line 2: message `stranger` cannot be understood: Expected a token starting with \"}\". assets/phrases/en.ftl shows the form"
    );
    assert_eq!(
        refused("zh-CN.ftl", "strangers = 请重〔chong〕新取号\n"),
        "zh-CN.ftl: message `strangers` has the mark 〔chong〕, which is not right: syllable 1 has no tone: write it like shan4 or shàn, 5 for the neutral tone; assets/phrases/en.ftl shows what it may use"
    );
    assert_eq!(
        refused("fr.ftl", &ENGLISH.replace("ask = Please", "demander = Please")),
        "fr.ftl: message `ask` is missing or empty; assets/phrases/en.ftl has them all"
    );
    assert_eq!(refused("en.ftl", "go = Go.\ngo = Go away.\n"), "en.ftl: message `go` is there twice; remove one");
    assert_eq!(
        refused("no language.ftl", ENGLISH),
        "no language.ftl: the name is no language tag such as fr.ftl or zh-HK.ftl; rename the file"
    );
}

#[test]
fn phrases_that_are_not_there_are_an_error_and_an_operators_folder_that_is_not_there_is_none() {
    let empty = tempfile::tempdir().unwrap();
    let error = Phrases::load(&[empty.path().to_owned()]).unwrap_err().to_string();
    assert!(error.contains("no file there ends in .ftl"), "{error}");
    assert!(Phrases::load(&[empty.path().join("none")]).is_err());
    let boxed = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/phrases");
    assert!(Phrases::load(&[boxed, empty.path().join("none")]).is_ok());
}

#[test]
fn one_older_person_in_a_group_is_enough_for_the_robot_to_take_its_time() {
    let (phrases, routing) = (in_the_box(), routing());
    let (name, language) = (PersonName::new("陈伟明"), Language::from("zh-CN"));
    let said = |ages: &[bool]| {
        let person = |older: &bool| Addressee::Named {
            name: &name,
            pronunciation: None,
            salutation: MR,
            language: &language,
            counter: routing.counter("2").unwrap(),
            older: *older,
        };
        let people = ages.iter().map(person).collect();
        phrases.greeting(&Greeting { time: TimeOfDay::Morning, people, after_hello_in: None }).remove(0).unhurried
    };
    assert!(said(&[true]) && said(&[false, true]));
    assert!(!said(&[false]) && !said(&[false, false]));
}
