//! Words that belong together, and how their characters are read where that is not the commonest reading.
//!
//! `words.txt` has the vocabulary of a bureau's phrases, counters and directions; the `pinyin` crate knows the commonest reading of every
//! other character. Words also tell which third tones belong together.

use std::{collections::HashMap, sync::LazyLock};

use pinyin::ToPinyin;

use super::{
    syllable::{NEUTRAL, Syllable, read_marked},
    writing::simplified,
};

/// A word of a line, in simplified characters, with its reading where that is not each character's own.
const WORDS: &str = include_str!("words.txt");

/// A word's reading; nothing where each character is read as usual.
type Reading = Option<Vec<Syllable>>;

static TABLE: LazyLock<HashMap<&str, Reading>> = LazyLock::new(|| lines().collect());

fn lines() -> impl Iterator<Item = (&'static str, Reading)> {
    let lines = WORDS.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    // What cannot be read is as good as absent; a test reads every line.
    lines.map(|line| line.split_once(' ').map_or((line, None), |(word, reading)| (word, read_marked(reading).ok())))
}

/// The longest word has so many characters.
const LONGEST: usize = 5;

/// The longest word that `text` begins with: how many characters, and their readings. `None` where no word of ours does.
pub fn word(text: &[char]) -> Option<Vec<(char, Syllable)>> {
    (2..=LONGEST.min(text.len())).rev().find_map(|length| {
        let letters = &text[..length];
        let key: String = letters.iter().map(|letter| simplified(*letter)).collect();
        let readings = match TABLE.get(key.as_str())? {
            Some(readings) => readings.clone(),
            None => letters.iter().map(|letter| usual(*letter)).collect::<Option<_>>()?,
        };
        Some(letters.iter().copied().zip(readings).collect())
    })
}

/// How a character by itself is read in a sentence.
pub fn usual(letter: char) -> Option<Syllable> {
    let plain = simplified(letter).to_string();
    let ours = TABLE.get(plain.as_str()).and_then(|reading| reading.as_ref()?.first().copied());
    ours.or_else(|| commonest(letter))
}

/// A character's commonest reading, as the `pinyin` crate has it.
pub fn commonest(letter: char) -> Option<Syllable> {
    let read = letter.to_pinyin()?.with_tone_num_end();
    let neutral = || Syllable::read(&format!("{read}{NEUTRAL}"));
    Syllable::read(read).or_else(|_| neutral()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_words_is_sound() {
        let mut seen = HashMap::new();
        for line in WORDS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (word, reading) = line.split_once(' ').map_or((line, None), |(word, reading)| (word, Some(reading)));
            let length = word.chars().count();
            assert!(length <= LONGEST, "{line}");
            assert!(word.chars().all(|letter| simplified(letter) == letter), "{line}: simplified characters");
            assert_eq!(seen.insert(word, ()), None, "{line}: it is there twice");
            match reading {
                Some(reading) => assert_eq!(read_marked(reading).map(|read| read.len()), Ok(length), "{line}"),
                None => assert!(length > 1 && word.chars().all(|letter| usual(letter).is_some()), "{line}"),
            }
        }
        assert!(seen.len() > 200);
    }
}
