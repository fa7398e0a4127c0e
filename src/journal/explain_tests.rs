//! Explanations as operators read them: tests/golden/explain.txt, which `GREETER_WRITE_GOLDEN=1 cargo test --lib explain` writes anew.

use std::{fmt::Write as _, path::Path};

use super::*;
use crate::{
    gallery::grounds::SingleView,
    journal::{Entry, Event, because::tests::named, search::Search},
    person::RecordNumber,
    visit::VisitorId,
};

fn views(of: &[(f32, Option<f32>, bool)]) -> Vec<SingleView> {
    of.iter().map(|&(quality, score, agrees)| SingleView { quality, score, agrees }).collect()
}

/// Through the event's own line, as the operator gets it.
fn explained(event: Event) -> Explanation {
    let line = serde_json::to_string(&Entry { at_ms: 1_764_000_000_000, event }).unwrap();
    let mut search = Search::new("last".parse().unwrap());
    search.take(&line);
    let (told, afterwards) = search.end().unwrap();
    Explanation::of(&told, afterwards)
}

fn unsure(because: Because) -> Explanation {
    explained(Event::Unsure { visitor: VisitorId(5), because })
}

fn stranger(because: Because) -> Explanation {
    explained(Event::Stranger { visitor: VisitorId(6), because })
}

/// Six views, of which one alone is more like somebody else.
fn six_views(score: f32) -> Because {
    let one = |quality, below| (quality, Some(score - below), true);
    Because {
        score: Some(score),
        second: Some(0.12),
        views: 6,
        quality: 0.71,
        each_view: views(&[
            one(0.81, 0.02),
            one(0.78, 0.03),
            one(0.74, 0.01),
            one(0.7, 0.05),
            one(0.66, 0.06),
            (0.57, None, false),
        ]),
        passed_over: [("turned aside".to_owned(), 12), ("blurred".to_owned(), 5)].into(),
        watched_ms: 612.0,
        ended_by: EndedBy::Time,
        ..named()
    }
}

fn cases() -> Vec<(&'static str, Explanation)> {
    let person = RecordNumber(12);
    let too_few = Because {
        score: Some(0.8),
        second: Some(0.2),
        views: 2,
        each_view: views(&[(0.6, Some(0.78), true), (0.5, Some(0.77), true)]),
        missing: vec![Missing::Views],
        ..six_views(0.8)
    };
    let nobody = Because {
        score: None,
        second: None,
        people: 0,
        each_view: views(&[(0.9, None, false); 3]),
        missing: vec![Missing::People],
        ended_by: EndedBy::NobodyEnrolled,
        ..named()
    };
    let far = Because {
        score: Some(0.31),
        second: Some(0.28),
        each_view: views(&[(0.9, Some(0.3), true), (0.88, Some(0.27), true), (0.87, None, false)]),
        missing: vec![Missing::Score, Missing::Margin],
        ended_by: EndedBy::FarBelow,
        ..named()
    };
    let unseen = Because {
        score: None,
        second: None,
        views: 0,
        quality: 0.0,
        each_view: vec![],
        missing: vec![Missing::Views],
        ..six_views(0.0)
    };
    let claimed = Because { missing: vec![Missing::Claim], ended_by: EndedBy::Claim, ..named() };
    let apart = Because {
        each_view: views(&[(0.8, Some(0.7), true), (0.8, None, false), (0.8, None, false)]),
        missing: vec![Missing::Agreement],
        ended_by: EndedBy::Time,
        watched_ms: 601.0,
        min_score_from: "calibrated".into(),
        ..named()
    };
    let near_two = Because {
        second: Some(0.79),
        missing: vec![Missing::Margin],
        min_score_from: "configured".into(),
        ..six_views(0.81)
    };
    let identified = |because| Event::Identified { visitor: VisitorId(4), person, on_hold: false, because };
    let crowd = |score, is_expected| Because { people: 100_000, expected: 300, is_expected, ..six_views(score) };
    let expected = Because { ended_by: EndedBy::Named, ..crowd(0.76, true) };
    let unexpected = Because { min_score_to_name: 0.91, missing: vec![Missing::Score], ..crowd(0.86, false) };
    let on_hold = Event::Identified { visitor: VisitorId(4), person, on_hold: true, because: named() };
    vec![
        ("named", explained(identified(named()))),
        ("named, the only person enrolled", explained(identified(Because { second: None, people: 1, ..named() }))),
        ("named, expected that day", explained(identified(expected))),
        ("on hold", explained(on_hold)),
        ("unsure for the score", unsure(Because { missing: vec![Missing::Score], ..six_views(0.66) })),
        ("unsure, not expected", unsure(unexpected)),
        ("unsure for the margin", unsure(near_two)),
        ("too few views", unsure(too_few)),
        ("views that disagree", unsure(apart)),
        ("another face has the name", unsure(claimed)),
        ("stranger", stranger(far)),
        ("no usable view", stranger(unseen)),
        ("nobody enrolled", stranger(nobody)),
        ("returned", explained(Event::Returned { visitor: VisitorId(7), person: Some(person), because: named() })),
    ]
}

fn case(name: &str) -> (&'static str, Explanation) {
    cases().into_iter().find(|(known, _)| *known == name).unwrap()
}

#[test]
fn operators_read_why_a_visitor_was_or_was_not_named() {
    let mut now = String::new();
    for (name, explanation) in cases() {
        writeln!(now, "==== {name} ====\n{explanation}").unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/explain.txt");
    if std::env::var_os("GREETER_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let agreed = std::fs::read_to_string(&path).unwrap();
    let differs = now.lines().zip(agreed.lines()).find(|(now, agreed)| now != agreed);
    assert!(now == agreed, "first here (now, agreed): {differs:#?}");
}

#[test]
fn what_became_of_the_visitor_is_added() {
    let (_, mut explanation) = case("unsure for the score");
    explanation.afterwards = Afterwards {
        named_after_all: Some(12),
        sent: Some(("Counter 3".into(), "invoices".into())),
        heard_ms: Some(812.4),
    };
    let text = explanation.to_string();
    assert!(text.contains("the visitor was named #12 after all."), "{text}");
    assert!(text.contains("sent to Counter 3 (invoices).") && text.contains("heard 812 ms after"), "{text}");
}

#[test]
fn scripts_get_the_same_as_people_and_all_that_the_event_holds() {
    let (_, explanation) = case("unsure for the score");
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(json["missing"], serde_json::json!(["score"]));
    assert_eq!((&json["ended_by"], &json["visitor"]), (&"time".into(), &5.into()));
    assert_eq!(
        json["checks"][1],
        serde_json::json!({"what": "score", "found": 0.66, "demanded": 0.7, "enough": false})
    );
    assert_eq!(json["each_view"].as_array().unwrap().len(), 6);
    assert_eq!(json["why"], explanation.why);
}
