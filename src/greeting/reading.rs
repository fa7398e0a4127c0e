//! Reading marks in text: `重〔chong2〕新` says how the Chinese characters before the mark are read. Pure.
//!
//! A mark has a syllable for each of the characters directly before it (`r` for a 儿 that only colours the one before it), with a tone's
//! digit or mark. Names are marked by `names`; phrase files may mark what they like. Whatever shows text, and every voice that reads
//! text by itself, takes it [`plain`].

use super::mandarin::{ReadingFault, Syllable, is_han, read_marked};

const OPEN: char = '〔';
const CLOSE: char = '〕';

/// A piece of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// To be read by the rules.
    Plain(&'a str),
    /// Chinese characters whose readings are given, one for each.
    Marked(&'a str, Vec<Syllable>),
}

/// The text without its marks.
pub fn plain(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::with_capacity(text.len());
    while let Some((before, mark)) = rest.split_once(OPEN) {
        plain.push_str(before);
        // A mark that never ends marks nothing; the words behind it are not swallowed.
        rest = mark.split_once(CLOSE).map_or(mark, |(_, after)| after);
    }
    plain + rest
}

/// Characters with the mark that says how they are read.
pub fn marked(han: &str, syllables: &[Syllable]) -> String {
    let readings: Vec<_> = syllables.iter().map(ToString::to_string).collect();
    format!("{han}{OPEN}{}{CLOSE}", readings.join(" "))
}

/// The text in its pieces; a mark that says nothing sensible is left out.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    split(text, |before, mark| {
        let read = mark.and_then(|mark| read_mark(before, mark).ok());
        let (plain, word) = read.map_or((before, None), |(plain, word, read)| (plain, Some(Piece::Marked(word, read))));
        pieces.extend((!plain.is_empty()).then_some(Piece::Plain(plain)));
        pieces.extend(word);
    });
    pieces
}

/// Whether every mark says something sensible.
///
/// # Errors
/// A clause about the first that does not, such as `has the mark 〔sha〕, which is not right: syllable 1 …`.
pub fn check(text: &str) -> Result<(), String> {
    let mut fault = Ok(());
    split(text, |before, mark| {
        if let Some(Err(why)) = mark.map(|mark| read_mark(before, mark)).filter(|_| fault.is_ok()) {
            fault = Err(format!("has the mark {OPEN}{}{CLOSE}, which {why}", mark.unwrap_or_default()));
        }
    });
    fault
}

/// Calls `each` with the text before each mark and the mark, and with the text behind the last one.
fn split<'a>(text: &'a str, mut each: impl FnMut(&'a str, Option<&'a str>)) {
    let mut rest = text;
    while let Some((before, mark)) = rest.split_once(OPEN) {
        let (mark, after) = mark.split_once(CLOSE).map_or((None, mark), |(mark, after)| (Some(mark), after));
        each(before, mark);
        rest = after;
    }
    each(rest, None);
}

/// What stands before the marked characters, these, and their readings.
fn read_mark<'a>(before: &'a str, mark: &str) -> Result<(&'a str, &'a str, Vec<Syllable>), ReadingFault> {
    let read = read_marked(mark)?;
    let characters = before.chars().rev().take_while(|letter| is_han(*letter)).count();
    let at = before.char_indices().rev().nth(read.len().saturating_sub(1)).map(|(at, _)| at);
    match at.filter(|_| !read.is_empty() && read.len() <= characters) {
        Some(at) => Ok((&before[..at], &before[at..], read)),
        None => Err(ReadingFault::Count { syllables: read.len(), characters }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_not_shown() {
        assert_eq!(plain("单〔shan4〕先生，早上好。"), "单先生，早上好。");
        assert_eq!(plain("请重〔chong2〕新取号〔hao4〕"), "请重新取号");
        assert_eq!(plain("请重〔chong2新取号"), "请重chong2新取号", "a mark that never ends");
        assert_eq!(plain("Good morning"), "Good morning");
    }

    #[test]
    fn a_mark_belongs_to_as_many_characters_as_it_has_syllables() {
        let read = |text: &str| {
            let show = |piece: Piece<'_>| match piece {
                Piece::Plain(text) => text.to_owned(),
                Piece::Marked(han, read) => {
                    format!("[{han} {}]", read.iter().map(ToString::to_string).collect::<Vec<_>>().join("-"))
                }
            };
            pieces(text).into_iter().map(show).collect::<Vec<_>>().join("|")
        };
        assert_eq!(read("单〔shan4〕先生"), "[单 shan4]|先生");
        assert_eq!(read("您好，单雄信〔shàn xióng xìn〕先生"), "您好，|[单雄信 shan4-xiong2-xin4]|先生");
        assert_eq!(read("李〔li3〕小雨〔xiao3 yu3〕"), "[李 li3]|[小雨 xiao3-yu3]");
        assert_eq!(read("到窗口儿〔kou3 r〕"), "到窗|[口儿 kou3-r]");
        assert_eq!(read("早〔nonsense〕好"), "早|好", "a wrong mark is left out");
        assert_eq!(read("A好〔ei1 hao3〕"), "A好", "Latin letters have no readings");
    }

    #[test]
    fn a_wrong_mark_is_told() {
        assert_eq!(check("请重〔chong2〕新"), Ok(()));
        assert_eq!(
            check("请重〔chong〕新").unwrap_err(),
            "has the mark 〔chong〕, which is not right: syllable 1 has no tone: write it like shan4 or shàn, 5 for the neutral tone"
        );
        assert_eq!(
            check("请，新〔chong2 xin1〕").unwrap_err(),
            "has the mark 〔chong2 xin1〕, which has 2 syllables for 1 Chinese characters"
        );
    }

    #[test]
    fn what_is_marked_reads_back() {
        let read = [Syllable::read("shan4").unwrap()];
        assert_eq!(pieces(&marked("单", &read)), [Piece::Marked("单", read.to_vec())]);
    }
}
