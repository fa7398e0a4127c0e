//! What figures stand for in a sentence: times, dates, shares, counted things, tickets. Amounts of money are nobody's business and not said.

use super::{
    numbers::{is_counted, measure, number},
    tokens::Cutter,
    writing::simplified,
};

/// Says the figure at the beginning of the text and returns how many characters it took.
pub(super) fn read(cutter: &mut Cutter, text: &[char]) -> usize {
    let digits = count(text);
    amount(text)
        .or_else(|| time(cutter, text))
        .or_else(|| date(cutter, text))
        .or_else(|| fraction(cutter, text))
        .unwrap_or_else(|| whole(cutter, text, digits))
}

fn count(text: &[char]) -> usize {
    text.iter().take_while(|letter| letter.is_ascii_digit()).count()
}

fn value(digits: &[char]) -> u32 {
    // What is longer than eight digits was said one by one.
    digits.iter().filter_map(|digit| digit.to_digit(10)).fold(0, |sum, digit| (sum % 10_000_000) * 10 + digit)
}

/// `¥1,234.50`, `120元`, `3万元`: passed over, with its unit.
fn amount(text: &[char]) -> Option<usize> {
    let sign = usize::from(!text.first()?.is_ascii_digit());
    let grouped = |letter: &&char| letter.is_ascii_digit() || ",. ".contains(**letter);
    let figure = text[sign..].iter().take_while(grouped).count();
    // A full stop or a space at its end is the sentence's.
    let end = text[sign..sign + figure].iter().rposition(char::is_ascii_digit).map_or(sign, |last| sign + last + 1);
    let behind: String = text[end..].iter().take(3).map(|letter| simplified(*letter)).collect();
    let units = ["万元", "亿元", "百元", "千元", "元", "块钱", "块", "美元", "港币", "万"];
    let unit = units.into_iter().find(|unit| behind.starts_with(unit)).filter(|unit| sign > 0 || *unit != "万");
    (sign > 0 || unit.is_some()).then(|| end + unit.map_or(0, |unit| unit.chars().count()))
}

/// `9:30`, `13:05`, and `9:00-17:00`.
fn time(cutter: &mut Cutter, text: &[char]) -> Option<usize> {
    let first = clock(text)?;
    cutter.said(&first.0);
    let behind = &text[first.1..];
    let second = behind.first().filter(|mark| "-–—~至".contains(**mark)).and_then(|_| clock(&behind[1..]));
    let Some((second, length)) = second else { return Some(first.1) };
    cutter.said("到");
    cutter.said(&second);
    Some(first.1 + 1 + length)
}

/// A time of day in words, and how many characters it took.
fn clock(text: &[char]) -> Option<(String, usize)> {
    let hours = Some(count(text)).filter(|digits| (1..=2).contains(digits))?;
    let minutes = text.get(hours).filter(|mark| **mark == ':').map(|_| &text[hours + 1..])?;
    let (hour, minute) = (value(&text[..hours]), value(minutes.get(..2)?));
    if count(minutes) != 2 || hour > 23 || minute > 59 {
        return None;
    }
    let hour = if hour == 2 { "两".into() } else { number(hour) };
    let said = match minute {
        0 => format!("{hour}点"),
        30 => format!("{hour}点半"),
        1..10 => format!("{hour}点零{}分", number(minute)),
        _ => format!("{hour}点{}分", number(minute)),
    };
    Some((said, hours + 3))
}

/// `2026-11-25`, `2026/11/25`; the year of `2026年`.
fn date(cutter: &mut Cutter, text: &[char]) -> Option<usize> {
    let year = Some(count(text)).filter(|digits| *digits == 4)?;
    let mark = *text.get(year)?;
    if mark == '年' {
        return Some(cutter.one_by_one(text, year, false));
    }
    let month = &text[year + 1..];
    let months = Some(count(month)).filter(|digits| "-/".contains(mark) && (1..=2).contains(digits))?;
    let day = month.get(months).filter(|again| **again == mark).map(|_| &month[months + 1..])?;
    let days = Some(count(day)).filter(|digits| (1..=2).contains(digits))?;
    cutter.one_by_one(&[&text[..year], &['年']].concat(), year, false);
    cutter.said(&format!("{}月{}日", number(value(&month[..months])), number(value(&day[..days]))));
    Some(year + months + days + 2)
}

/// `3.5`, `50%`.
fn fraction(cutter: &mut Cutter, text: &[char]) -> Option<usize> {
    let whole = Some(count(text)).filter(|digits| (1..=8).contains(digits))?;
    let point = text.get(whole).is_some_and(|mark| *mark == '.');
    let decimals = if point { count(&text[whole + 1..]) } else { 0 };
    let length = whole + if decimals > 0 { 1 + decimals } else { 0 };
    let percent = text.get(length) == Some(&'%');
    if decimals == 0 && !percent {
        return None;
    }
    if percent {
        cutter.said("百分之");
    }
    cutter.said(&number(value(&text[..whole])));
    if decimals > 0 {
        cutter.said("点");
        cutter.one_by_one(&text[whole + 1..length], decimals, false);
    }
    Some(length + usize::from(percent))
}

fn whole(cutter: &mut Cutter, text: &[char], digits: usize) -> usize {
    let behind: String = text[digits..].iter().take(2).map(|letter| simplified(*letter)).collect();
    let counted = measure(&behind).is_some_and(is_counted);
    let plain = text[0] != '0' || digits == 1;
    let is_number = plain && (digits <= 2 || counted && digits <= 8);
    if !is_number {
        return cutter.one_by_one(text, digits, digits >= 3);
    }
    let figure = value(&text[..digits]);
    let said = if figure == 2 && counted { "两".into() } else { number(figure) };
    // Together with its measure word, which belongs to it.
    let unit = measure(&behind).unwrap_or_default();
    cutter.said(&(said + unit));
    digits + unit.chars().count()
}
