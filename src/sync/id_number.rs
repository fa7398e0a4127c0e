//! Citizen identity numbers: 18 characters of GB 11643, whose last one checks the others (ISO 7064 MOD 11-2).

use jiff::civil::Date;

use crate::person::{IdNumber, Salutation};

/// Why a value is no identity number; the words complete "identity number …" and never repeat it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdFault {
    /// Nothing there.
    #[error("is missing")]
    Missing,
    /// `1.10105E+17`.
    #[error(
        "was turned into a rounded figure by a spreadsheet, and its last digits are lost in the file. Format the column as text, enter the numbers again and export"
    )]
    Rounded,
    /// The old kind.
    #[error("has 15 digits; these are no longer valid, enter the 18 characters of the present card")]
    Old,
    /// Something else.
    #[error("has {0} characters; 18-character citizen identity numbers are accepted, no passports or permits yet")]
    Length(usize),
    /// Something else with 18 characters.
    #[error(
        "has other characters than 17 digits and a digit or X; 18-character citizen identity numbers are accepted, no passports or permits yet"
    )]
    Characters,
    /// No such day, or not one on which somebody living was born.
    #[error("has no plausible birth date (characters 7 to 14)")]
    BirthDate,
    /// The check digit.
    #[error("has a wrong check digit, so a digit is wrong or two are exchanged{}", if *rounded { "; its zeros at the end look as if a spreadsheet had rounded it: format the column as text" } else { "" })]
    CheckDigit {
        /// Whether it ends as rounded figures do.
        rounded: bool,
    },
}

/// Reads an identity number as people write it: full-width digits, spaces and a small x are put right.
///
/// `today` is the latest birth date.
///
/// # Errors
/// [`IdFault`].
pub fn parse(text: &str, today: Date) -> Result<IdNumber, IdFault> {
    let tidy: String = text.chars().filter_map(narrow).collect();
    if tidy.is_empty() {
        return Err(IdFault::Missing);
    }
    if is_rounded(&tidy) {
        return Err(IdFault::Rounded);
    }
    let digits: Vec<u8> = tidy.bytes().collect();
    match digits.len() {
        18 => {}
        15 if digits.iter().all(u8::is_ascii_digit) => return Err(IdFault::Old),
        _ => return Err(IdFault::Length(tidy.chars().count())),
    }
    let (body, last) = digits.split_at(17);
    if !body.iter().all(u8::is_ascii_digit) || !(last[0].is_ascii_digit() || last[0] == b'X') {
        return Err(IdFault::Characters);
    }
    if birth_date(body).is_none_or(|date| date.year() < 1900 || date > today) {
        return Err(IdFault::BirthDate);
    }
    if check_character(body) != last[0] {
        return Err(IdFault::CheckDigit { rounded: digits.ends_with(b"000") });
    }
    Ok(IdNumber::new(tidy))
}

/// How to address the person where the roster does not say: the 17th digit is odd for men, even for women.
pub fn salutation(id_number: &IdNumber) -> Option<Salutation> {
    let digit = id_number.reveal().as_bytes().get(16).filter(|digit| digit.is_ascii_digit())?;
    Some(if digit % 2 == 1 { Salutation::Mr } else { Salutation::Ms })
}

/// Narrows full-width forms, drops spaces and the apostrophe that marks text in spreadsheets.
pub(super) fn narrow(letter: char) -> Option<char> {
    let narrow = match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        other => other,
    };
    let dropped = narrow.is_whitespace() || narrow == '\'' || narrow == '\u{200b}' || narrow == '\u{feff}';
    (!dropped).then(|| narrow.to_ascii_uppercase())
}

/// Whether a spreadsheet made a figure in scientific notation of a number.
pub(super) fn is_rounded(tidy: &str) -> bool {
    let Some((mantissa, exponent)) = tidy.split_once('E') else { return false };
    let figure =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || b".,".contains(&byte));
    figure(mantissa) && exponent.trim_start_matches(['+', '-']).parse::<u32>().is_ok()
}

/// The day of birth in a number that was checked.
pub fn born(id_number: &IdNumber) -> Option<Date> {
    birth_date(id_number.reveal().as_bytes().get(..17)?)
}

fn birth_date(body: &[u8]) -> Option<Date> {
    let number =
        |from: usize, to: usize| body[from..to].iter().fold(0i16, |sum, digit| sum * 10 + i16::from(digit - b'0'));
    let part = |from: usize| i8::try_from(number(from, from + 2)).ok();
    Date::new(number(6, 10), part(10)?, part(12)?).ok()
}

fn check_character(body: &[u8]) -> u8 {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    b"10X98765432"[(sum % 11) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<IdNumber, IdFault> {
        parse(text, jiff::civil::date(2026, 11, 24))
    }

    #[test]
    fn the_standards_own_examples_are_valid() {
        assert_eq!(read("11010519491231002X").unwrap().reveal(), "11010519491231002X");
        assert!(read("440524188001010014").is_err(), "valid check digit, but born in 1880");
    }

    #[test]
    fn what_people_write_is_put_right() {
        for text in [
            "11010519491231002x",
            " 110105 19491231 002X\t",
            "１１０１０５１９４９１２３１００２Ｘ",
            "'11010519491231002X",
        ] {
            assert_eq!(read(text).unwrap().reveal(), "11010519491231002X", "{text}");
        }
    }

    #[test]
    fn any_single_wrong_digit_and_any_exchange_of_neighbours_is_noticed() {
        let right = b"11010519491231002X";
        for at in 0..17 {
            for digit in b'0'..=b'9' {
                let mut wrong = *right;
                wrong[at] = digit;
                assert_eq!(read(std::str::from_utf8(&wrong).unwrap()).is_ok(), wrong == *right, "{at} {digit}");
            }
            let mut exchanged = *right;
            exchanged.swap(at, at + 1);
            assert_eq!(read(std::str::from_utf8(&exchanged).unwrap()).is_ok(), exchanged == *right, "{at}");
        }
    }

    #[test]
    fn each_fault_has_its_own_words() {
        assert_eq!(read(" "), Err(IdFault::Missing));
        assert_eq!(read("1.10105E+17"), Err(IdFault::Rounded));
        assert_eq!(read("110105491231002"), Err(IdFault::Old));
        assert_eq!(read("E12345678"), Err(IdFault::Length(9)));
        assert_eq!(read("A1010519491231002X"), Err(IdFault::Characters));
        assert_eq!(read("身份证号码十八个字符其实不是数字的字"), Err(IdFault::Length(18)));
        assert_eq!(read("110105194913310023"), Err(IdFault::BirthDate));
        assert_eq!(read("110105204912310026"), Err(IdFault::BirthDate), "not born yet");
        assert_eq!(read("110105194912310021"), Err(IdFault::CheckDigit { rounded: false }));
        assert!(read("110105194912310000").unwrap_err().to_string().contains("format the column as text"));
    }

    #[test]
    fn the_seventeenth_digit_tells_how_to_address_somebody() {
        assert_eq!(salutation(&read("11010519491231002X").unwrap()), Some(Salutation::Ms));
        assert_eq!(salutation(&IdNumber::new("110105194912310038")), Some(Salutation::Mr));
    }
}
