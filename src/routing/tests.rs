//! The routing of the example in the box, and the ways in which a file can be wrong.

use jiff::civil::{DateTime, date};

use super::*;

const EXAMPLE: &str = include_str!("../../assets/routing.toml");
const DEMO: &str = include_str!("../../assets/demo/routing.toml");

/// 2026-11-23 is a Monday, and 28 a Saturday.
fn november(day: i8, clock: &str) -> DateTime {
    let (hour, minute) = clock.split_once(':').unwrap();
    date(2026, 11, day).at(hour.parse().unwrap(), minute.parse().unwrap(), 0, 0)
}

fn wants(services: &[&str]) -> Needs {
    Needs { services: services.iter().map(|name| (*name).to_owned()).collect(), ..Needs::default() }
}

/// `counter (reason)` for a visitor on Monday.
fn sent(needs: &Needs, clock: &str) -> String {
    let route = Routing::parse(EXAMPLE).unwrap().route(needs, november(23, clock));
    format!("{} ({})", route.counter, route.reason)
}

#[test]
fn a_visitor_goes_to_the_first_open_counter_that_serves_what_they_come_for() {
    assert_eq!(sent(&wants(&["invoice"]), "10:00"), "2 (service)");
    assert_eq!(sent(&wants(&["certificate"]), "10:00"), "3 (service)");
    assert_eq!(sent(&wants(&["juggling", "payment"]), "10:00"), "2 (service)");
}

#[test]
fn an_elderly_visitor_goes_to_the_counter_with_seats() {
    let needs = Needs { category: Some("elderly".into()), ..wants(&["invoice"]) };
    assert_eq!(sent(&needs, "10:00"), "1 (rule 1)");
}

#[test]
fn a_punctual_visitor_goes_to_the_appointments_counter_and_an_early_or_late_one_does_not() {
    let needs = Needs { appointment: Some(november(23, "10:00")), ..wants(&["registration"]) };
    assert_eq!(sent(&needs, "09:30"), "4 (rule 3)");
    assert_eq!(sent(&needs, "10:30"), "4 (rule 3)");
    assert_eq!(sent(&needs, "09:29"), "3 (service)");
    assert_eq!(sent(&needs, "10:31"), "3 (service)");
    let tomorrow = Needs { appointment: Some(november(24, "10:00")), ..wants(&["registration"]) };
    assert_eq!(sent(&tomorrow, "10:00"), "3 (service)");
}

#[test]
fn a_rule_whose_counter_is_closed_falls_back_to_the_next_one_and_at_last_to_reception() {
    let needs = Needs { category: Some("elderly".into()), ..wants(&["invoice"]) };
    assert_eq!(sent(&needs, "12:30"), "2 (service)", "counter 1 has its lunch break, counter 2 works through");
    assert_eq!(sent(&needs, "20:00"), "reception (closed)");
    let saturday = Routing::parse(EXAMPLE).unwrap().route(&needs, november(28, "10:00"));
    assert_eq!((saturday.counter.as_str(), saturday.reason), ("reception", Reason::Closed));
}

#[test]
fn a_visitor_of_whom_nothing_is_known_goes_to_reception() {
    assert_eq!(sent(&Needs::default(), "10:00"), "reception (no match)");
    assert_eq!(sent(&wants(&["juggling"]), "10:00"), "reception (no match)");
}

#[test]
fn a_rule_does_not_send_a_visitor_to_a_counter_that_cannot_help_them() {
    let text = EXAMPLE.replacen("id = \"1\"", "id = \"1\"\nserves = [\"declaration\"]", 1);
    let needs = Needs { category: Some("elderly".into()), ..wants(&["invoice"]) };
    let route = Routing::parse(&text).unwrap().route(&needs, november(23, "10:00"));
    assert_eq!((route.counter.as_str(), route.reason), ("2", Reason::Service));
}

#[test]
fn a_counter_speaks_the_visitors_language_or_the_nearest_one() {
    let routing = Routing::parse(EXAMPLE).unwrap();
    let said = |language: &str| routing.counter("3").unwrap().words(&language.into()).name.to_owned();
    assert_eq!(said("en"), "counter 3");
    assert_eq!(said("en-GB"), "counter 3");
    assert_eq!(said("zh-CN"), "三号窗口");
    assert_eq!(said("zh-HK"), "三号窗口");
    assert_eq!(said("yue"), "三號櫃位");
    assert_eq!(said("fr"), "counter 3");
    let only_chinese =
        Routing::parse("reception = \"r\"\n[[counters]]\nid = \"r\"\nname = { zh-CN = \"咨询台\" }\n").unwrap();
    assert_eq!(only_chinese.reception().words(&"yue".into()), Words { name: "咨询台", directions: "" });
    assert_eq!(only_chinese.reception().words(&"en".into()).name, "咨询台");
}

#[test]
fn both_files_in_the_box_know_the_same_five_services_and_every_counter_has_words_in_three_languages() {
    for text in [EXAMPLE, DEMO] {
        let routing = Routing::parse(text).unwrap();
        let services: Vec<_> = routing.services().collect();
        assert_eq!(services, ["certificate", "declaration", "invoice", "payment", "registration"]);
        assert_eq!(routing.counters().len(), 5);
        for counter in routing.counters() {
            for language in ["zh-CN", "yue", "en"] {
                assert!(counter.name.contains_key(&language.into()), "{} {language}", counter.id());
                assert!(counter.directions.contains_key(&language.into()), "{} {language}", counter.id());
            }
        }
    }
}

#[test]
fn the_demo_works_at_any_hour_of_any_day() {
    let routing = Routing::parse(DEMO).unwrap();
    for day in 23..=29 {
        for clock in ["00:00", "03:00", "12:30", "23:59"] {
            for service in routing.services() {
                let route = routing.route(&wants(&[service]), november(day, clock));
                assert_eq!(route.reason, Reason::Service, "{day} {clock} {service}");
            }
        }
    }
}

const SMALL: &str = r#"reception = "desk"

[services.invoice]
en = "Invoices"

[[counters]]
id = "desk"
name = { en = "reception" }

[[counters]]
id = "1"
name = { en = "counter 1" }
serves = ["invoice"]

[[rules]]
when = { service = "invoice" }
to = "1"
"#;

/// What is said when one line of [`SMALL`] is replaced.
fn refused(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    Routing::parse(&SMALL.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn a_wrong_file_is_refused_with_line_and_the_nearest_name() {
    let cure = "Correct it; assets/routing.toml shows every key";
    assert_eq!(
        refused("serves = [\"invoice\"]", "serves = [\"invioce\"]"),
        format!("line 13: there is no service `invioce`; did you mean `invoice`?. {cure}")
    );
    assert_eq!(
        refused("to = \"1\"", "to = \"11\""),
        format!("line 17: there is no counter `11`; did you mean `1`?. {cure}")
    );
    assert_eq!(
        refused("reception = \"desk\"", "reception = \"disk\""),
        format!("line 1: there is no counter `disk`; did you mean `desk`?. {cure}")
    );
    assert_eq!(
        refused("when = { service = \"invoice\" }", "when = { service = \"invoyce\" }"),
        format!("line 16: there is no service `invoyce`; did you mean `invoice`?. {cure}")
    );
    assert_eq!(
        refused("id = \"1\"", "id = \"desk\""),
        format!("line 11: two counters are called `desk`; give each its own id. {cure}")
    );
    assert_eq!(
        refused("when = { service = \"invoice\" }", "when = {}"),
        format!("line 16: a rule needs a service, category or appointment, or it would catch everybody. {cure}")
    );
    assert_eq!(
        refused("to = \"1\"\n", "to = \"1\"\n[[rules]]\nwhen = { category = \"vip\" }\nto = \"2\"\n"),
        format!("line 20: there is no counter `2`; did you mean `1`?. {cure}")
    );
    assert!(refused("serves", "serve").contains("line 13"), "{}", refused("serves", "serve"));
    assert!(refused("serves", "serve").contains("unknown field `serve`"));
    let hours = refused("serves = [\"invoice\"]", "hours = { monday = \"9-5\" }");
    assert!(hours.starts_with("line 13: counter `1`: hours \"9-5\" of monday are no spans"), "{hours}");
    let useless = Routing::parse(&SMALL.replacen("to = \"1\"", "to = \"desk\"", 1).replacen(
        "name = { en = \"reception\" }",
        "name = { en = \"reception\" }\nserves = []",
        1,
    ));
    assert_eq!(
        useless.unwrap_err().to_string(),
        format!("line 17: counter `desk` does not serve `invoice`, so this rule never applies. {cure}")
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("routing.toml");
    let error = Routing::load(&path).unwrap_err().to_string();
    assert!(error.contains("routing.toml") && error.contains("No such file"), "{error}");
}
