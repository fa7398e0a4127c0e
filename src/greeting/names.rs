//! Which part of a name is said, and how a Chinese name is said in another language. Pure.
//!
//! A Chinese name is written in pinyin without tones, as in a passport, where the language is not written in Chinese characters; a name
//! in any other script stays as it is, because spelling it anew would be a guess.

use pinyin::ToPinyin;

use crate::person::{Language, PersonName};

/// Surnames of two characters; every other one has a single character.
const COMPOUND: [&str; 40] = [
    "欧阳", "歐陽", "司马", "司馬", "诸葛", "諸葛", "上官", "夏侯", "皇甫", "尉迟", "尉遲", "公孙", "公孫", "慕容",
    "令狐", "司徒", "司空", "东方", "東方", "独孤", "獨孤", "南宫", "南宮", "西门", "西門", "端木", "长孙", "長孫",
    "宇文", "轩辕", "軒轅", "百里", "呼延", "申屠", "澹台", "澹臺", "万俟", "太史", "钟离", "鍾離",
];

/// Surnames that are not read as the character's commonest reading, which is what the `pinyin` crate knows.
const READINGS: [(&str, &str); 39] = [
    ("单", "Shan"),
    ("單", "Shan"),
    ("查", "Zha"),
    ("解", "Xie"),
    ("曾", "Zeng"),
    ("区", "Ou"),
    ("區", "Ou"),
    ("仇", "Qiu"),
    ("任", "Ren"),
    ("朴", "Piao"),
    ("盖", "Ge"),
    ("蓋", "Ge"),
    ("乐", "Yue"),
    ("樂", "Yue"),
    ("尉", "Wei"),
    ("召", "Shao"),
    ("折", "She"),
    ("员", "Yun"),
    ("員", "Yun"),
    ("缪", "Miao"),
    ("繆", "Miao"),
    ("冼", "Xian"),
    ("洗", "Xian"),
    ("翟", "Zhai"),
    ("黑", "He"),
    ("覃", "Qin"),
    ("秘", "Bi"),
    ("晁", "Chao"),
    ("种", "Chong"),
    ("繁", "Po"),
    ("谌", "Chen"),
    ("諶", "Chen"),
    ("句", "Gou"),
    ("盛", "Sheng"),
    ("尉迟", "Yuchi"),
    ("尉遲", "Yuchi"),
    ("万俟", "Moqi"),
    ("长孙", "Zhangsun"),
    ("長孫", "Zhangsun"),
];

/// A name as it is said in one language.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SpokenName {
    /// For use with a salutation.
    pub surname: String,
    /// For use without one.
    pub full: String,
}

/// The name as it is said in a language.
pub(crate) fn spoken(name: &PersonName, language: &Language) -> SpokenName {
    let name = name.reveal().trim();
    let letters: String = name.chars().filter(|letter| !letter.is_whitespace()).collect();
    if letters.is_empty() || !letters.chars().all(|letter| is_han(letter) || letter == '·') {
        return latin(name);
    }
    let (surname, given) = split_han(&letters);
    if written_in_han(language) {
        return SpokenName { surname: surname.to_owned(), full: letters.clone() };
    }
    let surname = READINGS
        .iter()
        .find(|(written, _)| *written == surname)
        .map_or_else(|| romanised(surname), |(_, read)| (*read).to_owned());
    let full = format!("{surname} {}", romanised(given)).trim().to_owned();
    SpokenName { surname, full }
}

/// Surname and given name. A name with a dot is no Chinese one, but written in Chinese: it has no surname, so all of it is said.
fn split_han(name: &str) -> (&str, &str) {
    if name.contains('·') {
        return (name, "");
    }
    let length = name.chars().count();
    let compound = length > 2 && COMPOUND.iter().any(|surname| name.starts_with(surname));
    let end = name.char_indices().nth(if compound { 2 } else { 1 }).map_or(name.len(), |(end, _)| end);
    name.split_at(end)
}

/// `伟明` -> `Weiming`; `ü` becomes `yu`, as in passports (吕 -> Lyu). A character without a reading is left out.
fn romanised(han: &str) -> String {
    let words = han.split('·').map(|word| {
        let lower: String = word.to_pinyin().flatten().map(|syllable| syllable.plain().replace('ü', "yu")).collect();
        let mut letters = lower.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    });
    words.collect::<Vec<_>>().join(" ")
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

fn is_han(letter: char) -> bool {
    matches!(letter, '〇' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn written_in_han(language: &Language) -> bool {
    matches!(language.tag().split('-').next(), Some("zh" | "yue" | "cmn" | "ja"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `surname | full name`.
    fn said(name: &str, language: &str) -> String {
        let name = spoken(&PersonName::new(name), &language.into());
        format!("{} | {}", name.surname, name.full)
    }

    #[test]
    fn a_chinese_name_stays_as_it_is_written_in_a_chinese_greeting() {
        assert_eq!(said("陈伟明", "zh-CN"), "陈 | 陈伟明");
        assert_eq!(said("歐陽娜娜", "yue"), "歐陽 | 歐陽娜娜");
        assert_eq!(said("王 伟", "zh-CN"), "王 | 王伟");
        assert_eq!(said("欧阳", "zh-CN"), "欧 | 欧阳", "two characters are a surname and a given name");
        assert_eq!(said("王", "zh-CN"), "王 | 王");
        assert_eq!(said("阿卜杜拉·买买提", "zh-CN"), "阿卜杜拉·买买提 | 阿卜杜拉·买买提");
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
        .map(|name| spoken(&PersonName::new(name), &"en".into()).surname);
        assert_eq!(read, ["Shan", "Zha", "Xie", "Zeng", "Ou", "Qiu", "Ren", "Piao", "Ge", "Moqi", "Yuchi", "Zhangsun"]);
    }

    #[test]
    fn no_surname_in_our_tables_is_there_twice() {
        let mut known: Vec<_> = READINGS.iter().map(|(written, _)| written).collect();
        known.sort_unstable();
        known.dedup();
        assert_eq!(known.len(), READINGS.len());
        assert!(COMPOUND.iter().all(|surname| surname.chars().count() == 2));
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
