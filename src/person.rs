//! Who a taxpayer is: the record that staff preload, with types that cannot print personal data by accident.
//!
//! `Debug` and `Display` of an identity number, phone number or name are masked; only [`IdNumber::reveal`] and its like show the
//! value, so a search for `reveal` finds every place where personal data leaves its type.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The number by which the program, its log and its events speak of a person. It says nothing about them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordNumber(pub u64);

impl fmt::Display for RecordNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Keeps the first `head` and last `tail` characters of `value` and stars the rest; a short value is starred whole.
fn masked(value: &str, head: usize, tail: usize) -> String {
    let length = value.chars().count();
    if length <= head + tail {
        return "*".repeat(length);
    }
    value.chars().enumerate().map(|(at, letter)| if at < head || at >= length - tail { letter } else { '*' }).collect()
}

macro_rules! personal {
    ($(#[$doc:meta])* $name:ident, $head:expr, $tail:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes a value that has been checked.
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }

            /// The value itself: for the store, for speech (names only) and for `people show --reveal`.
            pub fn reveal(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&masked(&self.0, $head, $tail))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

personal!(
    /// An identity number, upper case, checked by `sync`. Shown as its first three and last two characters.
    IdNumber, 3, 2
);
personal!(
    /// A phone number in international form without spaces, such as `+8613800138000`. Shown as its last two digits.
    PhoneNumber, 0, 2
);
personal!(
    /// A full name as the roster has it. Shown as its first character.
    PersonName, 1, 0
);

personal!(
    /// How the Chinese characters of a name are read, checked by `sync`: pinyin with tone digits, such as `shan4 xiong2 xin4`. Shown as
    /// its first letter.
    Pronunciation, 1, 0
);

impl IdNumber {
    /// The year of birth: characters 7 to 10.
    pub fn born(&self) -> Option<i16> {
        self.0.get(6..10)?.parse().ok()
    }
}

/// A language by its BCP 47 tag, such as `zh-CN`, `yue` or `en`; there is a phrase file for each.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Language(pub String);

impl Language {
    /// The tag.
    pub fn tag(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Language {
    fn from(tag: &str) -> Self {
        Self(tag.to_owned())
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a person is addressed; the words are in the phrase files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Salutation {
    /// Mr, 先生.
    Mr,
    /// Ms, 女士.
    Ms,
    /// Dr, 博士.
    Dr,
    /// Professor, 教授.
    Professor,
}

/// On which ground a person is kept and recognised on sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// The office's public duty.
    PublicDuty,
    /// They agreed to be recognised on sight.
    ConsentToRecognition,
    /// They agreed to that and, separately, to have their identity verified by their face.
    ConsentToRecognitionAndVerification,
}

/// Why a person is kept, since when, and where the office has them from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The ground.
    pub ground: Ground,
    /// The day of the consent; for the public duty the day from which the office relies on it.
    pub since: Date,
    /// The day on which a guardian agreed, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardian: Option<Date>,
    /// The roster's column, or the file's name.
    pub source: String,
}

/// For staff.
impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PublicDuty => "public duty",
            Self::ConsentToRecognition => "consent to recognition on sight",
            Self::ConsentToRecognitionAndVerification => "consent to recognition on sight and to verification",
        })
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, since {}", self.ground, self.since)?;
        self.guardian.map_or(Ok(()), |day| write!(f, ", guardian's consent of {day}"))?;
        write!(f, ", from {}", self.source)
    }
}

/// What the office says of one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Checked identity number; one person each.
    pub id_number: IdNumber,
    /// Name as in the roster.
    pub name: PersonName,
    /// How the name is read, where the roster says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pronunciation: Option<Pronunciation>,
    /// Normalised phone number.
    pub phone: PhoneNumber,
    /// The language they want to be greeted in; the configuration's where absent.
    pub language: Option<Language>,
    /// How they are addressed; by the full name where absent.
    pub salutation: Option<Salutation>,
    /// The bureau's own category, such as `vip` or `elderly`, for routing rules.
    pub category: Option<String>,
    /// What they come for, by the names of `routing.toml`.
    pub services: Vec<String>,
    /// When they are expected, local time.
    pub appointment: Option<jiff::civil::DateTime>,
    /// The day on which they are expected, where they have no appointment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Date>,
    /// Why they are kept; absent where that was not noted yet when they were enrolled: then it is the office's public duty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// The last day on which they may be kept, where the roster names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Date>,
}

impl Person {
    /// Somebody of whom nothing else is known.
    pub fn new(id_number: IdNumber, name: PersonName, phone: PhoneNumber) -> Self {
        Self {
            id_number,
            name,
            pronunciation: None,
            phone,
            language: None,
            salutation: None,
            category: None,
            services: Vec::new(),
            appointment: None,
            expected: None,
            basis: None,
            valid_until: None,
        }
    }
}

/// What greeting and routing need to know of a person: neither identity number nor phone number. Of the former, the year of birth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// As in the roster.
    pub name: PersonName,
    /// How the name is read, where the roster says it.
    pub pronunciation: Option<Pronunciation>,
    /// Year of birth.
    pub born: Option<i16>,
    /// The language they want to be greeted in.
    pub language: Option<Language>,
    /// How they are addressed.
    pub salutation: Option<Salutation>,
    /// The bureau's own category.
    pub category: Option<String>,
    /// What they come for.
    pub services: Vec<String>,
    /// When they are expected, local time.
    pub appointment: Option<jiff::civil::DateTime>,
    /// The day on which they are expected, where they have no appointment.
    pub expected: Option<Date>,
}

impl Person {
    /// Whether they are expected on this day.
    pub fn is_expected(&self, day: Date) -> bool {
        is_expected(self.appointment, self.expected, day)
    }
}

impl Card {
    /// Whether they are expected on this day.
    pub fn is_expected(&self, day: Date) -> bool {
        is_expected(self.appointment, self.expected, day)
    }
}

fn is_expected(appointment: Option<jiff::civil::DateTime>, expected: Option<Date>, day: Date) -> bool {
    expected == Some(day) || appointment.is_some_and(|at| at.date() == day)
}

impl From<Person> for Card {
    fn from(person: Person) -> Self {
        let born = person.id_number.born();
        let Person { name, pronunciation, language, salutation, category, services, appointment, expected, .. } =
            person;
        Self { name, pronunciation, born, language, salutation, category, services, appointment, expected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_is_masked_wherever_it_is_printed() {
        let id = IdNumber::new("11010519491231002X");
        assert_eq!(id.to_string(), "110*************2X");
        assert_eq!(format!("{id:?}"), "IdNumber(110*************2X)");
        assert_eq!(PhoneNumber::new("+8613800138000").to_string(), "************00");
        assert_eq!(PersonName::new("陈伟明").to_string(), "陈**");
        assert_eq!(PersonName::new("陈").to_string(), "*");
        assert_eq!(Pronunciation::new("chen2 wei3").to_string(), "c*********");
        assert_eq!(id.reveal(), "11010519491231002X");
    }

    #[test]
    fn the_year_of_birth_is_in_the_identity_number() {
        assert_eq!(IdNumber::new("11010519491231002X").born(), Some(1949));
        assert_eq!(IdNumber::new("#1").born(), None);
    }
}
