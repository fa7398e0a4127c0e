//! Phone numbers as people write them, turned into `+` and digits.

use super::id_number::{is_rounded, narrow};
use crate::person::PhoneNumber;

/// Why a value is no phone number; the words complete "phone number …" and never repeat it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhoneFault {
    /// Nothing there.
    #[error("is missing")]
    Missing,
    /// `1.38E+10`.
    #[error(
        "was turned into a rounded figure by a spreadsheet. Format the column as text, enter the numbers again and export"
    )]
    Rounded,
    /// Letters.
    #[error("has other characters than digits, spaces, dashes, brackets and a + at its beginning")]
    Characters,
    /// Digits that are none.
    #[error(
        "is neither a mainland mobile (11 digits from 13 to 19), a landline with its area code (such as 010-12345678), nor + and 7 to 15 digits"
    )]
    Unknown,
}

/// Reads a phone number: a mainland mobile with or without +86, a landline with its area code, or a foreign number with `+`.
///
/// # Errors
/// [`PhoneFault`].
pub fn parse(text: &str) -> Result<PhoneNumber, PhoneFault> {
    let tidy: String = text.chars().filter_map(narrow).collect();
    if tidy.is_empty() {
        return Err(PhoneFault::Missing);
    }
    if is_rounded(&tidy) {
        return Err(PhoneFault::Rounded);
    }
    // A phone number typed as a figure arrives as 13800138000.0.
    let tidy = tidy.strip_suffix(".0").unwrap_or(&tidy);
    let written: String = tidy.chars().filter(|letter| !"-()‐–—·.".contains(*letter)).collect();
    let (abroad, digits) = match written.strip_prefix('+').or_else(|| written.strip_prefix("00")) {
        Some(digits) => (true, digits),
        None => (false, written.as_str()),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PhoneFault::Characters);
    }
    let home = if abroad { digits.strip_prefix("86") } else { Some(digits) };
    let home = home.map(|home| home.strip_prefix("86").filter(|rest| is_mobile(rest)).unwrap_or(home));
    match home {
        Some(home) if is_mobile(home) => Ok(PhoneNumber::new(format!("+86{home}"))),
        Some(home) => {
            landline(home, abroad).map(|local| PhoneNumber::new(format!("+86{local}"))).ok_or(PhoneFault::Unknown)
        }
        None if (7..=15).contains(&digits.len()) && !digits.starts_with('0') => {
            Ok(PhoneNumber::new(format!("+{digits}")))
        }
        None => Err(PhoneFault::Unknown),
    }
}

fn is_mobile(digits: &str) -> bool {
    digits.len() == 11 && digits.starts_with('1') && matches!(digits.as_bytes()[1], b'3'..=b'9')
}

/// Area code (2 digits for 10 and 2x, else 3) and 7 or 8 more, without the 0 before it, which is not dialled after +86.
fn landline(home: &str, abroad: bool) -> Option<&str> {
    let local = match home.strip_prefix('0') {
        Some(local) => local,
        None if abroad => home,
        None => return None,
    };
    let area = if local.starts_with("10") || local.starts_with('2') { 2 } else { 3 };
    let fits = (7..=8).contains(&local.len().checked_sub(area)?);
    (fits && !local.starts_with('0') && (!local.starts_with('1') || area == 2)).then_some(local)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, PhoneFault> {
        parse(text).map(|number| number.reveal().to_owned())
    }

    #[test]
    fn every_way_of_writing_a_mainland_mobile_is_the_same_number() {
        for text in [
            "13800138000",
            "138 0013 8000",
            "138-0013-8000",
            "+8613800138000",
            "+86 138 0013 8000",
            "0086-13800138000",
            "8613800138000",
            "１３８００１３８０００",
            "13800138000.0",
            "(+86)13800138000",
        ] {
            assert_eq!(read(text).as_deref(), Ok("+8613800138000"), "{text}");
        }
    }

    #[test]
    fn landlines_lose_the_zero_that_is_not_dialled_from_abroad() {
        assert_eq!(read("010-12345678").as_deref(), Ok("+861012345678"));
        assert_eq!(read("0755 8234 5678").as_deref(), Ok("+8675582345678"));
        assert_eq!(read("+86 755 8234567").as_deref(), Ok("+867558234567"));
    }

    #[test]
    fn foreign_numbers_need_their_plus() {
        assert_eq!(read("+852 9123 4567").as_deref(), Ok("+85291234567"));
        assert_eq!(read("91234567"), Err(PhoneFault::Unknown));
        assert_eq!(read("+123456"), Err(PhoneFault::Unknown));
        assert_eq!(read("+1234567890123456"), Err(PhoneFault::Unknown));
    }

    #[test]
    fn each_fault_has_its_own_words() {
        assert_eq!(read(""), Err(PhoneFault::Missing));
        assert_eq!(read("1.38E+10"), Err(PhoneFault::Rounded));
        assert_eq!(read("ask his wife"), Err(PhoneFault::Characters));
        assert_eq!(read("12800138000"), Err(PhoneFault::Unknown));
        assert_eq!(read("1380013800"), Err(PhoneFault::Unknown));
        assert_eq!(read("+"), Err(PhoneFault::Characters));
    }
}
