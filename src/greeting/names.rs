//! Which part of a name is said, and how a Chinese name is said in another language. Pure.
//!
//! A Chinese name is written in pinyin without tones, as in a passport, where the language is not written in Chinese characters; a name
//! in any other script stays as it is, because spelling it anew would be a guess.

use super::{
    mandarin::{self, Syllable, commonest, han_letters},
    reading,
};
use crate::person::{Language, PersonName, Pronunciation};

/// A name as it is said in one language.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SpokenName {
    /// For use with a salutation.
    pub surname: String,
    /// For use without one.
    pub full: String,
}

/// The name as it is said in a language; `pronunciation` is the roster's.
///
/// In Mandarin with reading marks: on a surname by itself where the roster or our table knows its reading, and on both parts of a full
/// name, where they also say which characters belong together.
pub(crate) fn spoken(name: &PersonName, pronunciation: Option<&Pronunciation>, language: &Language) -> SpokenName {
    let Some(letters) = han_letters(name.reveal()) else { return latin(name.reveal().trim()) };
    let ChineseName { surname, given } = ChineseName::read(&letters, pronunciation);
    let full_is_surname = given.han.is_empty();
    if is_mandarin(language) {
        let marked = |part: &NamePart| part.syllables().map(|read| reading::marked(&part.han, &read));
        let alone = marked(&surname).filter(|_| surname.known).unwrap_or_else(|| surname.han.clone());
        let full = match (marked(&surname), marked(&given)) {
            _ if full_is_surname => alone.clone(),
            (Some(surname), Some(given)) => surname + &given,
            _ => letters.clone(),
        };
        return SpokenName { surname: alone, full };
    }
    if written_in_han(language) {
        return SpokenName { surname: surname.han, full: letters };
    }
    let (surname, given) = (surname.romanised(), given.romanised());
    SpokenName { full: format!("{surname} {given}").trim().to_owned(), surname }
}

/// Whether the roster should say how a name is read: a character of the given name has several readings that names have, or a character
/// of the name has none here. Surnames are all in our table or have one reading.
pub(crate) fn is_in_doubt(name: &PersonName) -> bool {
    let Some(letters) = han_letters(name.reveal()) else { return false };
    let ChineseName { surname, given } = ChineseName::read(&letters, None);
    let unread = |part: &NamePart| part.read.iter().any(Option::is_none);
    // A row of two characters settles both; one of a single character is only the likelier reading.
    let settled = given.known && given.read.len() > 1;
    unread(&surname) || unread(&given) || !settled && given.han.chars().any(mandarin::is_ambiguous)
}

/// A name in Chinese characters. Names with a dot are no Chinese ones, but written in Chinese: all of them is surname.
struct ChineseName {
    surname: NamePart,
    given: NamePart,
}

/// Characters and how they are read.
struct NamePart {
    han: String,
    /// For each character but dots; nothing where a character has no reading.
    read: Vec<Option<Syllable>>,
    /// Whether the roster or our table says so.
    known: bool,
}

impl ChineseName {
    /// By the roster, else by our table, else each character's commonest reading.
    fn read(letters: &str, pronunciation: Option<&Pronunciation>) -> Self {
        let (surname, given) = split_han(letters);
        let count = |part: &str| part.chars().filter(|letter| *letter != '·').count();
        let rostered = pronunciation.and_then(|read| mandarin::read_all(read.reveal(), count(letters)).ok());
        if let Some(read) = rostered {
            let (first, rest) = read.split_at(count(surname));
            let part = |han: &str, read: &[Syllable]| NamePart {
                han: han.to_owned(),
                read: read.iter().copied().map(Some).collect(),
                known: true,
            };
            return Self { surname: part(surname, first), given: part(given, rest) };
        }
        let surname = NamePart::by_table(surname, mandarin::surname);
        Self { surname, given: NamePart::by_table(given, mandarin::given) }
    }
}

impl NamePart {
    /// `table` may have the whole of it or a character.
    fn by_table(han: &str, table: fn(&str) -> Option<&'static str>) -> Self {
        let pinyin = |text: &str| table(text).and_then(|pinyin| mandarin::read_marked(pinyin).ok());
        if let Some(read) = pinyin(han) {
            return Self { han: han.to_owned(), read: read.into_iter().map(Some).collect(), known: true };
        }
        let one = |letter: char| pinyin(letter.encode_utf8(&mut [0; 4])).and_then(|read| read.first().copied());
        let letters = || han.chars().filter(|letter| *letter != '·');
        Self {
            han: han.to_owned(),
            read: letters().map(|letter| one(letter).or_else(|| commonest(letter))).collect(),
            known: false,
        }
    }

    /// All of them, where a mark can say it: a dot stands between characters.
    fn syllables(&self) -> Option<Vec<Syllable>> {
        if self.han.contains('·') { None } else { self.read.iter().copied().collect() }
    }

    /// `伟明` -> `Weiming`; `ü` becomes `yu`, as in passports (吕 -> Lyu). A character without a reading is left out.
    fn romanised(&self) -> String {
        let mut read = self.read.iter();
        let words = self.han.split('·').map(|word| {
            let syllables = read.by_ref().take(word.chars().count()).flatten();
            let lower: String = syllables.map(|syllable| syllable.letters.replace('v', "yu")).collect();
            let mut letters = lower.chars();
            letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
        });
        words.collect::<Vec<_>>().join(" ").trim().to_owned()
    }
}

/// Surname and given name. A name with a dot has no surname, so all of it is said.
fn split_han(name: &str) -> (&str, &str) {
    if name.contains('·') {
        return (name, "");
    }
    let place = |characters: usize| name.char_indices().nth(characters).map(|(at, _)| at);
    // Two characters are a surname and a given name.
    let compound = place(2).filter(|end| mandarin::compound(&name[..*end]).is_some());
    name.split_at(compound.or_else(|| place(1)).unwrap_or(name.len()))
}

/// `Given Surname`, `Surname, Given`, with particles (`van Gogh`) and without `Jr` and `III`.
fn latin(name: &str) -> SpokenName {
    if let Some((surname, given)) = name.split_once(',').map(|(surname, given)| (surname.trim(), given.trim())) {
        let full = if is_suffix(given) { surname.to_owned() } else { format!("{given} {surname}").trim().to_owned() };
        return if is_suffix(given) { latin(surname) } else { SpokenName { surname: surname.to_owned(), full } };
    }
    let mut words: Vec<&str> = name.split_whitespace().collect();
    while words.len() > 1 && words.last().is_some_and(|word| is_suffix(word)) {
        words.pop();
    }
    let mut from = words.len().saturating_sub(1);
    while from > 1 && words[from - 1].chars().next().is_some_and(char::is_lowercase) {
        from -= 1;
    }
    SpokenName { surname: words[from..].join(" "), full: words.join(" ") }
}

fn is_suffix(word: &str) -> bool {
    matches!(word.trim_end_matches('.'), "Jr" | "Sr" | "II" | "III" | "IV")
}

fn is_mandarin(language: &Language) -> bool {
    let mut parts = language.tag().split('-');
    match parts.next() {
        Some("cmn") => true,
        // Where Cantonese is spoken, text in `zh` is for a Cantonese voice.
        Some("zh") => !parts.any(|part| matches!(part, "HK" | "MO")),
        _ => false,
    }
}

fn written_in_han(language: &Language) -> bool {
    matches!(language.tag().split('-').next(), Some("zh" | "yue" | "cmn" | "ja"))
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
