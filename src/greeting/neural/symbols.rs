//! The acoustic model's symbols and their numbers. Pure.

use std::collections::HashMap;

/// Stands behind every utterance.
const END: &str = "eos";
/// Stands before and behind every utterance, in front of [`END`].
pub(super) const SILENCE: &str = "sil";

/// See the module.
pub(super) struct Symbols(HashMap<String, i32>);

impl Symbols {
    /// Reads them from a text with a symbol a line; its number is that of its line, from 0.
    ///
    /// # Errors
    /// When silence or the end is not among them.
    pub fn parse(text: &str) -> Result<Self, String> {
        let known: HashMap<String, i32> =
            text.lines().zip(0..).map(|(symbol, number)| (symbol.to_owned(), number)).collect();
        match [SILENCE, END].into_iter().find(|needed| !known.contains_key(*needed)) {
            Some(absent) => Err(format!("there is no symbol {absent}")),
            None => Ok(Self(known)),
        }
    }

    /// What the network takes for phones that begin and end with silence.
    ///
    /// # Errors
    /// When the network has no such phone. What was to be said is not in it.
    pub fn numbers(&self, phones: &[String]) -> Result<Vec<i32>, String> {
        let number = |phone: &str| self.0.get(phone).copied();
        let unknown = || "a phone is none of its symbols".to_owned();
        phones.iter().map(String::as_str).chain([END]).map(|phone| number(phone).ok_or_else(unknown)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phone_has_the_number_of_its_line_and_the_end_follows() {
        let symbols = Symbols::parse("pad\nsil\n#0\n^\na1\neos\n").unwrap();
        let phones = |phones: &str| phones.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(symbols.numbers(&phones("sil ^ a1 sil")).unwrap(), [1, 3, 4, 1, 5]);
        assert_eq!(symbols.numbers(&phones("sil zh ong1 sil")).unwrap_err(), "a phone is none of its symbols");
        assert!(Symbols::parse("sil\na1\n").is_err());
    }
}
