//! Cuts a sentence into words with their readings, pauses, and what is not Chinese.

use super::{
    figures,
    numbers::{digit_reading, is_digit, is_numeral, is_ordinal, letter_reading, measure},
    syllable::{ERHUA, Syllable, read_marked},
    words,
    writing::{is_han, narrow, simplified},
};
use crate::greeting::reading::{Piece, pieces};

/// A syllable in its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sound {
    /// What it is the reading of.
    pub letter: char,
    /// The reading, before sandhi.
    pub syllable: Syllable,
    /// Whether 一 and 不 stay as they are read here.
    pub fixed: bool,
    /// Whether a 儿 colours it.
    pub erhua: bool,
}

/// What a sentence is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// Syllables that belong together.
    Word(Vec<Sound>),
    /// Punctuation at which speech pauses.
    Pause,
    /// The dot between the words of a foreign name.
    Dot,
    /// Words in other letters, for a voice that can say them.
    Foreign(String),
}

/// Cuts a text, which may have reading marks.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut cutter = Cutter::default();
    for piece in pieces(text) {
        match piece {
            Piece::Plain(text) => cutter.plain(&text.chars().map(narrow).collect::<Vec<_>>()),
            Piece::Marked(han, read) => drop(cutter.word(han.chars().zip(read), true)),
        }
    }
    cutter.tokens
}

/// Collects tokens.
#[derive(Default)]
pub(super) struct Cutter {
    tokens: Vec<Token>,
}

impl Cutter {
    fn plain(&mut self, text: &[char]) {
        let mut at = 0;
        while let Some(letter) = text.get(at) {
            let rest = &text[at..];
            at += match letter {
                letter if is_han(*letter) => self.han(rest),
                letter if letter.is_ascii_digit() || "¥￥$€£".contains(*letter) => figures::read(self, rest),
                letter if letter.is_alphabetic() => self.latin(rest),
                letter => {
                    if *letter == '·' {
                        self.tokens.push(Token::Dot);
                    } else if "，。、！？；：…—（）,.!?;:()\n".contains(*letter) {
                        self.pause();
                    }
                    1
                }
            }
            .max(1);
        }
    }

    /// Takes what is Chinese at the beginning of the text and returns how many characters that was.
    fn han(&mut self, text: &[char]) -> usize {
        if let Some(word) = words::word(text) {
            let length = word.len();
            self.word(word.into_iter(), false);
            return length;
        }
        let numerals = text.iter().take_while(|letter| is_numeral(simplified(**letter))).count();
        if numerals > 0 {
            return self.numeral(&text[..numerals], &text[numerals..]);
        }
        self.word(words::usual(text[0]).map(|reading| (text[0], reading)).into_iter(), false);
        1
    }

    /// A number in Chinese with the measure word behind it.
    fn numeral(&mut self, figures: &[char], behind: &[char]) -> usize {
        let next: String = behind.iter().take(2).map(|letter| simplified(*letter)).collect();
        if let Some(money) = ["元", "块钱", "美元", "港币"].into_iter().find(|money| next.starts_with(money)) {
            return figures.len() + money.chars().count();
        }
        let measure = measure(&next);
        let unit = &behind[..measure.map_or(0, |word| word.chars().count())];
        let letters = figures.iter().chain(unit).copied();
        let readings = letters.filter_map(|letter| Some((letter, words::usual(letter)?)));
        let added = self.word(readings, false);
        let Some(Token::Word(word)) = self.tokens.last_mut().filter(|_| added) else { return figures.len() };
        let counts = |letter: Option<&char>| letter.is_some_and(|letter| is_digit(simplified(*letter)));
        for (at, letter) in figures.iter().enumerate() {
            let is_last = at + 1 == figures.len();
            let stays = at > 0 || counts(figures.get(at + 1)) || is_last && measure.is_some_and(is_ordinal);
            if let Some(sound) = word.get_mut(at).filter(|_| *letter == '一' && stays) {
                sound.fixed = true;
            }
        }
        figures.len() + unit.len()
    }

    /// Takes the Latin letters at the beginning of the text. A few capitals are spelt (`A012`, `VIP`), anything else is a name.
    fn latin(&mut self, text: &[char]) -> usize {
        let capitals = text.iter().take_while(|letter| letter.is_ascii_uppercase()).count();
        let behind = text.get(capitals).filter(|letter| letter.is_alphabetic() && !is_han(**letter));
        let named = text.get(capitals + 1).is_some_and(|letter| letter.is_alphabetic() && !is_han(*letter));
        let is_name = behind.is_some() || named && text.get(capitals).is_some_and(|letter| " -.'’".contains(*letter));
        if (1..=3).contains(&capitals) && !is_name {
            return self.spelt(&text[..capitals], &text[capitals..]);
        }
        let inside = |letter: char| letter.is_alphabetic() && !is_han(letter) || " -.'’".contains(letter);
        let length = text.iter().take_while(|letter| inside(**letter)).count();
        let name: String = text[..length].iter().collect();
        let name = name.trim_end_matches([' ', '-']);
        self.tokens.push(Token::Foreign(name.to_owned()));
        name.chars().count()
    }

    /// Letters one by one, and the digits of a ticket behind them.
    fn spelt(&mut self, letters: &[char], behind: &[char]) -> usize {
        for letter in letters {
            let read = letter_reading(*letter).and_then(|reading| read_marked(reading).ok()).unwrap_or_default();
            self.word(read.into_iter().map(|syllable| (*letter, syllable)), true);
        }
        let dash = usize::from(behind.first() == Some(&'-') && behind.get(1).is_some_and(char::is_ascii_digit));
        let behind = &behind[dash..];
        let digits = behind.iter().take_while(|letter| letter.is_ascii_digit()).count();
        letters.len() + if digits > 0 { dash + self.one_by_one(behind, digits, digits >= 3) } else { 0 }
    }

    /// The text's first digits one by one, with the measure word behind them; `long` as in telephone numbers. How many characters it took.
    pub(super) fn one_by_one(&mut self, text: &[char], digits: usize, long: bool) -> usize {
        let (figures, behind) = text.split_at(digits);
        let next: String = behind.iter().take(2).map(|letter| simplified(*letter)).collect();
        let unit = &behind[..measure(&next).map_or(0, |word| word.chars().count())];
        let read =
            |digit: &char| Syllable::read(digit_reading(digit.to_digit(10)?, long)).ok().map(|read| (*digit, read));
        let unit_read = |letter: &char| words::usual(*letter).map(|read| (*letter, read));
        self.word(figures.iter().filter_map(read).chain(unit.iter().filter_map(unit_read)), true);
        digits + unit.len()
    }

    /// Text in Chinese that stands for a figure.
    pub(super) fn said(&mut self, text: &str) {
        self.plain(&text.chars().collect::<Vec<_>>());
    }

    /// Adds a word if it has any sounds.
    fn word(&mut self, sounds: impl Iterator<Item = (char, Syllable)>, fixed: bool) -> bool {
        let mut word: Vec<Sound> = Vec::new();
        for (letter, syllable) in sounds {
            match word.last_mut().filter(|_| syllable == ERHUA) {
                Some(coloured) => coloured.erhua = true,
                None => word.push(Sound { letter, syllable, fixed, erhua: false }),
            }
        }
        // 统一, 周一: at a word's end it keeps its tone.
        let length = word.len();
        if let Some(last) = word.last_mut().filter(|last| length > 1 && last.letter == '一') {
            last.fixed = true;
        }
        self.tokens.extend((length > 0).then_some(Token::Word(word)));
        length > 0
    }

    fn pause(&mut self) {
        if matches!(self.tokens.last(), Some(last) if *last != Token::Pause) {
            self.tokens.push(Token::Pause);
        }
    }
}
