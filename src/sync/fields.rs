//! The roster's optional columns: pronunciation, language, salutation, services, appointment, and days.

use jiff::civil::{Date, DateTime};
use unic_langid::LanguageIdentifier;

use crate::{
    greeting::mandarin::{ReadingFault, han_letters, read_all},
    person::{Language, PersonName, Pronunciation, Salutation},
};

/// Why a pronunciation is none; completes "pronunciation …".
#[derive(Debug, thiserror::Error)]
pub enum PronunciationFault {
    /// Of a name in other letters, or in several kinds of them.
    #[error("is for names in Chinese characters alone")]
    NotHan,
    /// The pinyin.
    #[error(transparent)]
    Reading(#[from] ReadingFault),
}

/// How a name is read, in pinyin: a syllable for each of its characters.
///
/// # Errors
/// [`PronunciationFault`].
pub fn pronunciation(text: &str, name: &PersonName) -> Result<Pronunciation, PronunciationFault> {
    let letters = han_letters(name.reveal()).ok_or(PronunciationFault::NotHan)?;
    let read = read_all(text, letters.chars().filter(|letter| *letter != '·').count())?;
    Ok(Pronunciation::new(read.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")))
}

/// The tag of a language by its tag or by its name in Chinese or English.
///
/// Any kind of Mandarin in simplified characters is `zh-CN`, Cantonese is `yue`, any English is `en`; other tags stay as they are.
pub fn language(text: &str) -> Option<Language> {
    let plain = text.to_lowercase().replace('_', "-");
    let tag = match plain.as_str() {
        "zh" | "zh-cn" | "zh-hans" | "zh-hans-cn" | "cmn" | "中文" | "汉语" | "漢語" | "普通话" | "普通話" | "国语"
        | "國語" | "mandarin" | "chinese" => "zh-CN",
        "yue" | "zh-yue" | "zh-hk" | "zh-mo" | "yue-hk" | "粤语" | "粵語" | "广东话" | "廣東話" | "白话"
        | "cantonese" => "yue",
        "en" | "英语" | "英語" | "英文" | "english" => "en",
        other => {
            let tag: LanguageIdentifier = other.parse().ok()?;
            let english = tag.language.as_str() == "en";
            return Some(Language(if english { "en".into() } else { tag.to_string() }));
        }
    };
    Some(Language::from(tag))
}

/// A salutation by its English or Chinese word.
pub fn salutation(text: &str) -> Option<Salutation> {
    match text.to_lowercase().trim_end_matches('.') {
        "mr" | "先生" => Some(Salutation::Mr),
        "ms" | "mrs" | "miss" | "女士" | "小姐" | "太太" => Some(Salutation::Ms),
        "dr" | "博士" => Some(Salutation::Dr),
        "prof" | "professor" | "教授" => Some(Salutation::Professor),
        _ => None,
    }
}

/// The entries of a list such as `a.jpg; b.jpg`; full-width semicolons count.
pub fn list(text: &str) -> Vec<String> {
    let entries = text.split([';', '；', '\n']).map(str::trim).filter(|entry| !entry.is_empty());
    entries.map(str::to_owned).collect()
}

/// A day and time such as `2026-11-24 09:30`, local.
pub fn appointment(text: &str) -> Option<DateTime> {
    let plain = text.replace('/', "-").replace('T', " ").replace('：', ":");
    ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"].iter().find_map(|format| DateTime::strptime(format, &plain).ok())
}

/// A day such as `2026-11-29`, `2026/11/29` or `2026年11月29日`.
pub fn day(text: &str) -> Option<Date> {
    Date::strptime("%Y-%m-%d", text.replace(['/', '.', '年', '月'], "-").trim_end_matches('日')).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_known_by_its_tag_and_by_its_name() {
        let tag = |text| language(text).map(|language| language.0);
        for (text, expected) in [
            ("zh", "zh-CN"),
            ("普通话", "zh-CN"),
            ("粤语", "yue"),
            ("Cantonese", "yue"),
            ("English", "en"),
            ("英语", "en"),
            ("en-US", "en"),
            ("ja", "ja"),
            ("pt_BR", "pt-BR"),
        ] {
            assert_eq!(tag(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(tag("the one of his wife"), None);
    }

    #[test]
    fn salutations_are_known_in_english_and_chinese() {
        assert_eq!(salutation("Mrs."), Some(Salutation::Ms));
        assert_eq!(salutation("教授"), Some(Salutation::Professor));
        assert_eq!(salutation("Sir"), None);
    }

    #[test]
    fn lists_and_appointments_are_read_as_people_write_them() {
        assert_eq!(list(" a.jpg；b.jpg; "), ["a.jpg", "b.jpg"]);
        let expected = jiff::civil::date(2026, 11, 24).at(9, 30, 0, 0);
        for text in ["2026-11-24 09:30", "2026/11/24 9:30", "2026-11-24T09:30:00"] {
            assert_eq!(appointment(text), Some(expected), "{text}");
        }
        assert_eq!(appointment("tomorrow"), None);
        for text in ["2026-11-04", "2026/11/4", "2026.11.04", "2026年11月4日"] {
            assert_eq!(day(text), Some(jiff::civil::date(2026, 11, 4)), "{text}");
        }
        assert_eq!(day("2026-11-31").or(day("soon")), None);
    }
}
