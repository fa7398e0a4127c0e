//! The network's symbols for a sentence: silence, initials, finals with tones, and how closely they follow each other.

use std::fmt;

use super::{
    sandhi,
    syllable::NEUTRAL,
    tokens::{Sound, Token, tokens},
};

/// One symbol of the network; its name is its `Display`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phone {
    /// `sil`: at both ends of what is said in one go.
    Silence,
    /// `#0` between syllables, `#1` between words, `#2` between phrases, `#3` at punctuation.
    Break(u8),
    /// `sh`; `^` for none.
    Initial(&'static str),
    /// `an4`.
    Final(&'static str, u8),
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silence => f.write_str("sil"),
            Self::Break(strength) => write!(f, "#{strength}"),
            Self::Initial(name) => f.write_str(name),
            Self::Final(name, tone) => write!(f, "{name}{tone}"),
        }
    }
}

/// A stretch of a sentence that one voice says.
#[derive(Clone, PartialEq, Eq)]
pub enum Part {
    /// For the network: from silence to silence, without its end symbol.
    Phones(Vec<Phone>),
    /// In Latin letters, for a voice that speaks English.
    Latin(String),
}

/// What is said may be a name, so it is not printed.
impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phones(phones) => write!(f, "Phones({})", phones.len()),
            Self::Latin(text) => write!(f, "Latin({} characters)", text.chars().count()),
        }
    }
}

/// The sounds of a text, which may have reading marks. A character that has no reading is not said.
pub fn phones(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut sentence = Sentence::default();
    for token in tokens(text) {
        match token {
            Token::Word(word) => sentence.add(word),
            Token::Pause => sentence.end_phrase(3),
            Token::Dot => sentence.end_phrase(1),
            Token::Foreign(text) => {
                parts.extend(std::mem::take(&mut sentence).said());
                parts.push(Part::Latin(text));
            }
        }
    }
    parts.extend(sentence.said());
    parts
}

/// Phrases, each with the break behind it.
#[derive(Default)]
struct Sentence {
    phrases: Vec<(Vec<Vec<Sound>>, u8)>,
    words: Vec<Vec<Sound>>,
}

/// How words begin before which speakers take a short rest.
const BEGIN_A_PHRASE: [&str; 6] = ["请", "請", "或者", "以及", "然后", "然後"];

impl Sentence {
    fn add(&mut self, word: Vec<Sound>) {
        let begins = |word: &Vec<Sound>| {
            let letters: String = word.iter().map(|sound| sound.letter).collect();
            BEGIN_A_PHRASE.iter().any(|beginning| letters.starts_with(beginning))
        };
        // Not 这边请, which ends with it, nor 您请坐.
        if let Some(first) = self.words.pop_if(|last| begins(last)) {
            if self.words.iter().map(Vec::len).sum::<usize>() > 1 {
                self.end_phrase(2);
            }
            self.words.push(first);
        }
        self.words.push(word);
    }

    fn end_phrase(&mut self, strength: u8) {
        if !self.words.is_empty() {
            self.phrases.push((std::mem::take(&mut self.words), strength));
        }
    }

    fn said(mut self) -> Option<Part> {
        self.end_phrase(3);
        let last = self.phrases.len().checked_sub(1)?;
        let mut phones = vec![Phone::Silence];
        for (at, (mut words, strength)) in self.phrases.into_iter().enumerate() {
            sandhi::apply(&mut words);
            phrase(&words, &mut phones);
            phones.push(if at == last { Phone::Silence } else { Phone::Break(strength) });
        }
        Some(Part::Phones(phones))
    }
}

/// Words of one syllable lean on what is before them, until that has four.
fn phrase(words: &[Vec<Sound>], phones: &mut Vec<Phone>) {
    let mut together = 0;
    for (at, word) in words.iter().enumerate() {
        let leans = word.len() == 1 && together < 4 || together < 2;
        let neutral = word.first().is_some_and(|sound| sound.syllable.tone == NEUTRAL);
        if at > 0 {
            phones.push(Phone::Break(u8::from(!leans && !neutral)));
        }
        together = if leans || neutral { together + word.len() } else { word.len() };
        for (at, sound) in word.iter().enumerate() {
            if at > 0 {
                phones.push(Phone::Break(0));
            }
            let (initial, sounds) = sound.syllable.initial_and_final();
            phones.extend([Phone::Initial(initial), Phone::Final(sounds, sound.syllable.tone)]);
            // As the network learnt it: a syllable of its own without a break before it.
            phones.extend(sound.erhua.then_some(Phone::Final("er", NEUTRAL)));
        }
    }
}
