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
    unread(&surname) || unread(&given) || !given.known && given.han.chars().any(mandarin::is_ambiguous)
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
mod tests {
    use super::*;

    /// `surname | full name`.
    fn said(name: &str, language: &str) -> String {
        let name = spoken(&PersonName::new(name), None, &language.into());
        format!("{} | {}", name.surname, name.full)
    }

    #[test]
    fn a_chinese_name_stays_as_it_is_written_in_a_chinese_greeting() {
        assert_eq!(said("陈伟明", "zh-HK"), "陈 | 陈伟明");
        assert_eq!(said("歐陽娜娜", "yue"), "歐陽 | 歐陽娜娜");
        assert_eq!(said("王 伟", "yue"), "王 | 王伟");
        assert_eq!(said("欧阳", "yue"), "欧 | 欧阳", "two characters are a surname and a given name");
        assert_eq!(said("王", "zh-CN"), "王 | 王");
        assert_eq!(said("阿卜杜拉·买买提", "zh-CN"), "阿卜杜拉·买买提 | 阿卜杜拉·买买提");
    }

    #[test]
    fn a_mandarin_greeting_says_how_a_name_is_read() {
        assert_eq!(said("陈伟明", "zh-CN"), "陈 | 陈〔chen2〕伟明〔wei3 ming2〕");
        assert_eq!(said("单雄信", "zh-CN"), "单〔shan4〕 | 单〔shan4〕雄信〔xiong2 xin4〕");
        assert_eq!(said("歐陽娜娜", "cmn"), "歐陽〔ou1 yang2〕 | 歐陽〔ou1 yang2〕娜娜〔na4 na4〕");
    }

    #[test]
    fn a_chinese_name_is_written_in_pinyin_for_an_english_greeting() {
        assert_eq!(said("陈伟明", "en"), "Chen | Chen Weiming");
        assert_eq!(said("欧阳修", "en"), "Ouyang | Ouyang Xiu");
        assert_eq!(said("诸葛亮", "en"), "Zhuge | Zhuge Liang");
        assert_eq!(said("吕布", "en"), "Lyu | Lyu Bu");
        assert_eq!(said("王", "en"), "Wang | Wang");
        assert_eq!(said("阿里木·买买提", "en"), "Alimu Maimaiti | Alimu Maimaiti");
    }

    #[test]
    fn surnames_with_a_reading_of_their_own_are_read_as_surnames() {
        let read = [
            "单雄信",
            "查良镛",
            "解缙",
            "曾国藩",
            "区寄生",
            "仇英",
            "任正非",
            "朴树人",
            "盖叫天",
            "万俟卨",
            "尉迟恭",
            "长孙无忌",
        ]
        .map(|name| spoken(&PersonName::new(name), None, &"en".into()).surname);
        assert_eq!(read, ["Shan", "Zha", "Xie", "Zeng", "Ou", "Qiu", "Ren", "Piao", "Ge", "Moqi", "Yuchi", "Zhangsun"]);
    }

    #[test]
    fn the_rosters_pronunciation_has_the_last_word_in_every_language() {
        let said = |name: &str, read: &str, language: &str| {
            let name = spoken(&PersonName::new(name), Some(&Pronunciation::new(read)), &language.into());
            format!("{} | {}", name.surname, name.full)
        };
        assert_eq!(said("覃茜", "tan2 xi1", "zh-CN"), "覃〔tan2〕 | 覃〔tan2〕茜〔xi1〕");
        assert_eq!(said("覃茜", "tan2 xi1", "en"), "Tan | Tan Xi");
        assert_eq!(said("覃茜", "tan2 xi1", "yue"), "覃 | 覃茜", "Cantonese is not read in pinyin");
        assert_eq!(said("覃茜", "tan2", "en"), "Qin | Qin Qian", "a reading of another name's length is none");
        assert_eq!(said("阿里木·买买提", "a1 li3 mu4 mai3 mai3 ti2", "en"), "Alimu Maimaiti | Alimu Maimaiti");
    }

    #[test]
    fn a_name_is_in_doubt_where_nobody_says_which_of_several_readings_it_has() {
        let doubt = |name: &str| is_in_doubt(&PersonName::new(name));
        assert!(!doubt("陈伟明") && !doubt("Barack Obama"));
        assert!(!doubt("单伟明"), "our table knows the surname");
        assert!(doubt("王乐"), "lè or yuè");
    }

    #[test]
    fn a_latin_name_gives_its_surname_in_any_order_of_its_parts() {
        for language in ["en", "zh-CN"] {
            assert_eq!(said("Barack Obama", language), "Obama | Barack Obama");
            assert_eq!(said("Obama, Barack", language), "Obama | Barack Obama");
            assert_eq!(said("Vincent van Gogh", language), "van Gogh | Vincent van Gogh");
            assert_eq!(said("Ursula von der Leyen", language), "von der Leyen | Ursula von der Leyen");
            assert_eq!(said("Martin Luther King Jr.", language), "King | Martin Luther King");
            assert_eq!(said("Sammy Davis, Jr.", language), "Davis | Sammy Davis");
            assert_eq!(said("Madonna", language), "Madonna | Madonna");
        }
    }
}
