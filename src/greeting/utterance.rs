//! What is to be said, phrase by phrase. Pure.
//!
//! A phrase is the stretch between two punctuation marks. Phrases are what voices render, what is kept in memory and what a screen follows:
//! while the first is heard, the next is made.

use std::{
    fmt,
    time::{Duration, Instant},
};

use crate::person::Language;

/// Between two phrases of a sentence, and between two sentences. Voices render phrases without silence around them.
const WITHIN_A_SENTENCE: Duration = Duration::from_millis(110);
const BETWEEN_SENTENCES: Duration = Duration::from_millis(280);
/// Older visitors are spoken to so much slower, and have so much more time before each further sentence, which is the way to the counter.
const CARE_PACE: f32 = 1.2;
const CARE_PAUSE: Duration = Duration::from_millis(500);

/// What matters more is said first, and silences what matters less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Priority {
    /// May be left out when somebody is to be greeted.
    Aside,
    /// A visitor is greeted.
    #[default]
    Greeting,
    /// Staff have something to say that cannot wait.
    Urgent,
}

/// Something to say. `Debug` does not show the text, because it may hold a name.
#[derive(Clone)]
pub struct Utterance {
    /// The caller's number, for the events.
    pub id: u64,
    /// What the text is in.
    pub language: Language,
    /// The words, in order.
    pub phrases: Vec<Phrase>,
    /// Against others.
    pub priority: Priority,
    /// Beginning after that would be worse than not saying it.
    pub not_after: Option<Instant>,
    /// How long it takes relative to the voice's normal way: 1.2 is slower.
    pub pace: f32,
}

/// A stretch of an utterance.
#[derive(Clone, PartialEq, Eq)]
pub struct Phrase {
    /// The words with the punctuation and space behind them, and with reading marks (`reading`).
    pub text: String,
    /// Silence before it.
    pub pause_before: Duration,
    /// It may hold somebody's name, so its sound is not kept.
    pub personal: bool,
}

impl Utterance {
    /// A text at normal pace, all of it personal until [`Utterance::keeping`] knows better.
    pub fn new(id: u64, language: Language, text: &str) -> Self {
        Self { id, language, phrases: phrases(text), priority: Priority::default(), not_after: None, pace: 1.0 }
    }

    /// The same, with the phrases for which `is_fixed` (the words without the space around them) no longer personal.
    #[must_use]
    pub fn keeping(mut self, is_fixed: impl Fn(&str) -> bool) -> Self {
        self.phrases.iter_mut().for_each(|phrase| phrase.personal = !is_fixed(phrase.text.trim()));
        self
    }

    /// The same for somebody who needs more time.
    #[must_use]
    pub fn unhurried(mut self) -> Self {
        self.pace = CARE_PACE;
        for phrase in &mut self.phrases {
            phrase.pause_before = match phrase.pause_before {
                BETWEEN_SENTENCES => CARE_PAUSE,
                pause => pause.mul_f32(CARE_PACE),
            };
        }
        self
    }

    /// All its words.
    pub fn text(&self) -> String {
        self.phrases.iter().map(|phrase| phrase.text.as_str()).collect()
    }
}

impl fmt::Debug for Utterance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Utterance({}, {}, {} phrases, {:?})", self.id, self.language, self.phrases.len(), self.priority)
    }
}

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phrase({} characters)", self.text.chars().count())
    }
}

/// Splits a text behind its punctuation; the phrases' texts make up the text again. `、` joins a list and splits nothing, and neither do the
/// points in `3.5` and `Mr. Obama` or the wide marks in `9：30` and `1，200`.
pub fn phrases(text: &str) -> Vec<Phrase> {
    let mut found: Vec<Phrase> = Vec::new();
    let mut pause = Duration::ZERO;
    let mut rest = text;
    while let Some((at, next)) = first_end(rest) {
        let (head, tail) = rest.split_at(at);
        found.push(Phrase { text: head.to_owned(), pause_before: pause, personal: true });
        (rest, pause) = (tail, next);
    }
    if !rest.trim().is_empty() {
        found.push(Phrase { text: rest.to_owned(), pause_before: pause, personal: true });
    }
    found
}

/// Where the first phrase ends, behind its punctuation and space, and the pause that follows. `None` where none ends.
fn first_end(text: &str) -> Option<(usize, Duration)> {
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let wide = matches!(letter, '，' | '；' | '：' | '。' | '！' | '？' | '…');
        let narrow = matches!(letter, ',' | ';' | ':' | '.' | '!' | '?');
        if !wide && !narrow {
            continue;
        }
        let before = &text[..at];
        let behind = text[at + letter.len_utf8()..].chars().next();
        if narrow && behind.is_some_and(|behind| !behind.is_whitespace() && !closes(behind)) {
            continue;
        }
        if letter == '.' && is_abbreviation(before) || is_within_figure(before, letter, &text[at + letter.len_utf8()..])
        {
            continue;
        }
        // A phrase has something to say.
        if !before.chars().any(char::is_alphanumeric) {
            continue;
        }
        let mut end = at + letter.len_utf8();
        let mut pause = if matches!(letter, ',' | ';' | ':' | '，' | '；' | '：') {
            WITHIN_A_SENTENCE
        } else {
            BETWEEN_SENTENCES
        };
        while let Some((at, next)) = letters.next_if(|(_, next)| closes(*next)) {
            if matches!(next, '.' | '!' | '?' | '。' | '！' | '？' | '…') {
                pause = BETWEEN_SENTENCES;
            }
            end = at + next.len_utf8();
        }
        return Some((end, pause));
    }
    None
}

/// Whether a character belongs to the end that comes before it.
fn closes(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(
            letter,
            '.' | '!' | '?' | '。' | '！' | '？' | '…' | '"' | '\'' | ')' | '”' | '’' | '」' | '』' | '）'
        )
}

/// Whether a point behind `before` is that of a title or an initial (`Mr`, `J`): a capital, and no vowel behind it.
fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
    let mut letters = word.chars();
    letters.next().is_some_and(char::is_uppercase)
        && word.is_ascii()
        && word.len() <= 3
        && !letters.any(|letter| "aeiouy".contains(letter))
}

/// Whether a wide mark is part of a figure: of a time of day, or before the last three digits of a number.
fn is_within_figure(before: &str, mark: char, behind: &str) -> bool {
    let is_digit = |letter: &char| matches!(letter, '0'..='9' | '０'..='９');
    let left = before.chars().rev().take_while(is_digit).count();
    let right = behind.chars().take_while(is_digit).count();
    match mark {
        '：' => (1..=2).contains(&left) && right == 2,
        '，' => (1..=3).contains(&left) && right == 3,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        let phrases = phrases(text);
        assert_eq!(phrases.iter().map(|phrase| phrase.text.as_str()).collect::<String>(), text, "nothing is lost");
        phrases.into_iter().map(|phrase| phrase.text.trim().to_owned()).collect()
    }

    #[test]
    fn a_greeting_has_a_phrase_for_each_punctuation_mark() {
        assert_eq!(
            split("Good morning, Mr Obama. Please go to counter 3, on the left."),
            ["Good morning,", "Mr Obama.", "Please go to counter 3,", "on the left."]
        );
        assert_eq!(
            split("单〔shan4〕先生，早上好。请到3号窗口，左边。"),
            ["单〔shan4〕先生，", "早上好。", "请到3号窗口，", "左边。"]
        );
        assert_eq!(split("陈女士、李先生和王先生，早上好。"), ["陈女士、李先生和王先生，", "早上好。"]);
        assert_eq!(split("Bonjour"), ["Bonjour"]);
        assert!(phrases("").is_empty() && phrases(" ").is_empty());
    }

    #[test]
    fn what_is_no_pause_splits_nothing() {
        assert_eq!(split("Mr. J. Obama, at 10:30 room 3.5 please"), ["Mr. J. Obama,", "at 10:30 room 3.5 please"]);
        assert_eq!(split("“您好！”请进……好吗？"), ["“您好！”", "请进……", "好吗？"]);
        assert_eq!(split("Wait... now!"), ["Wait...", "now!"]);
        assert_eq!(split("，，好"), ["，，好"]);
    }

    #[test]
    fn a_time_of_day_and_an_amount_are_not_torn_apart_at_their_wide_marks() {
        assert_eq!(split("请9：30来，谢谢。"), ["请9：30来，", "谢谢。"]);
        assert_eq!(split("上午９：００－１７：００办理"), ["上午９：００－１７：００办理"]);
        // The front end leaves out an amount that it sees as a whole.
        assert_eq!(split("缴1，200元，请到3号窗口"), ["缴1，200元，", "请到3号窗口"]);
        assert_eq!(split("电话12366，3号窗口"), ["电话12366，", "3号窗口"]);
        assert_eq!(split("请到：3号窗口"), ["请到：", "3号窗口"]);
    }

    #[test]
    fn a_sentence_is_followed_by_a_longer_pause_than_a_comma() {
        let pauses: Vec<_> = phrases("Good morning, Ms Li. Please go.").iter().map(|it| it.pause_before).collect();
        assert_eq!(pauses, [Duration::ZERO, WITHIN_A_SENTENCE, BETWEEN_SENTENCES]);
    }

    #[test]
    fn an_older_visitor_is_spoken_to_slower_and_has_time_before_the_counter() {
        let quick = Utterance::new(1, "en".into(), "Good morning, Ms Li. Please go to counter 3.");
        let slow = quick.clone().unhurried();
        assert!(slow.pace > 1.15 && quick.pace == 1.0);
        assert_eq!(slow.phrases[0].pause_before, Duration::ZERO);
        assert_eq!(slow.phrases[2].pause_before, CARE_PAUSE);
        assert!(slow.phrases[2].pause_before > quick.phrases[2].pause_before + Duration::from_millis(200));
    }

    #[test]
    fn only_phrases_of_the_house_are_kept() {
        let said = Utterance::new(1, "en".into(), "Good morning, Ms Li. Please go to counter 3.");
        assert!(said.phrases.iter().all(|phrase| phrase.personal));
        let said = said.keeping(|text| text == "Good morning," || text == "Please go to counter 3.");
        assert_eq!(said.phrases.iter().map(|phrase| phrase.personal).collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn no_text_is_printed_with_an_utterance() {
        let said = Utterance::new(7, "en".into(), "Good morning, Mr Obama.");
        assert_eq!(format!("{said:?}"), "Utterance(7, en, 2 phrases, Greeting)");
        assert_eq!(format!("{:?}", said.phrases), "[Phrase(14 characters), Phrase(9 characters)]");
    }
}
