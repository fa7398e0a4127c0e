//! How figures are said: numbers, digits one by one, and letters by their sounds.
//!
//! Tickets, telephone numbers and rooms are said digit by digit, with yāo for 1 from three digits on, so that 1 is not heard as 7;
//! what is counted is said as a number.

/// Units that are counted: a number before them is said as one, however long. Longer words first.
const COUNTED: [&str; 22] = [
    "分钟", "小时", "个", "位", "名", "人", "米", "天", "岁", "次", "张", "份", "页", "步", "点", "分", "秒", "种",
    "条", "项", "台", "年",
];
/// What a number names: 2 is 二 before it, and 一 keeps its tone.
const NAMED: [&str; 15] = ["号", "楼", "层", "月", "日", "等", "级", "区", "室", "路", "线", "期", "组", "班", "排"];

/// The measure word that simplified text begins with.
pub fn measure(text: &str) -> Option<&'static str> {
    COUNTED.into_iter().chain(NAMED).find(|word| text.starts_with(word))
}

/// Whether a measure word is for what is counted.
pub fn is_counted(measure: &str) -> bool {
    COUNTED.contains(&measure)
}

/// Whether 一 before it is an ordinal, which keeps its first tone.
pub fn is_ordinal(measure: &str) -> bool {
    NAMED.contains(&measure)
}

/// Whether it is a figure in Chinese.
pub fn is_numeral(letter: char) -> bool {
    is_digit(letter) || "十百千万亿".contains(letter)
}

/// Whether it is one of the ten digits in Chinese.
pub fn is_digit(letter: char) -> bool {
    "〇零一二两三四五六七八九".contains(letter)
}

/// A number below 100,000,000 in Chinese: 105 -> 一百零五. Larger ones are nobody's counter; their last eight digits are said.
pub fn number(value: u32) -> String {
    let (high, low) = (value / 10_000 % 10_000, value % 10_000);
    let mut said = String::new();
    if high > 0 {
        said = below_ten_thousand(high) + "万";
        if low > 0 && low < 1000 {
            said.push('零');
        }
    }
    if low > 0 || high == 0 {
        said += &below_ten_thousand(low);
    }
    // 十二, not 一十二, where it begins.
    said.strip_prefix("一十").map(|rest| format!("十{rest}")).unwrap_or(said)
}

fn below_ten_thousand(value: u32) -> String {
    let (mut said, mut gap) = (String::new(), false);
    for (unit, name) in [(1000, "千"), (100, "百"), (10, "十"), (1, "")] {
        match value / unit % 10 {
            0 => gap = !said.is_empty(),
            digit => {
                if gap {
                    said.push('零');
                }
                gap = false;
                said.push(digit_name(digit));
                said += name;
            }
        }
    }
    if said.is_empty() { "零".into() } else { said }
}

/// 0 to 9 in Chinese.
pub fn digit_name(digit: u32) -> char {
    "零一二三四五六七八九".chars().nth(digit as usize).unwrap_or('零')
}

/// How digits are said one by one, with pinyin; `long`: as in telephone numbers.
pub fn digit_reading(digit: u32, long: bool) -> &'static str {
    const READINGS: [&str; 10] = ["ling2", "yi1", "er4", "san1", "si4", "wu3", "liu4", "qi1", "ba1", "jiu3"];
    match digit {
        1 if long => "yao1",
        digit => READINGS.get(digit as usize).copied().unwrap_or("ling2"),
    }
}

/// How a Latin letter is said in Chinese speech: its English name in the syllables of Mandarin.
pub fn letter_reading(letter: char) -> Option<&'static str> {
    const READINGS: [&str; 26] = [
        "ei1",
        "bi4",
        "xi1",
        "di4",
        "yi4",
        "ai2 fu5",
        "ji4",
        "ei1 chi5",
        "ai4",
        "zhei4",
        "kei4",
        "ai2 lou5",
        "ai2 mu5",
        "en1",
        "ou1",
        "pi4",
        "kou4",
        "a4 er5",
        "ai2 si5",
        "ti4",
        "you1",
        "wei1",
        "da2 bu5 liu5",
        "ai2 ke5 si5",
        "wai1",
        "zei4",
    ];
    let at = (letter.to_ascii_uppercase() as usize).checked_sub('A' as usize)?;
    READINGS.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_as_they_are_in_chinese() {
        for (value, said) in [
            (0, "零"),
            (2, "二"),
            (10, "十"),
            (12, "十二"),
            (20, "二十"),
            (100, "一百"),
            (105, "一百零五"),
            (110, "一百一十"),
            (1005, "一千零五"),
            (1050, "一千零五十"),
            (10_000, "一万"),
            (10_203, "一万零二百零三"),
            (100_000, "十万"),
            (120_000, "十二万"),
            (1_000_001, "一百万零一"),
        ] {
            assert_eq!(number(value), said);
        }
    }

    #[test]
    fn every_letter_has_a_sound_that_mandarin_has() {
        for letter in 'A'..='Z' {
            let reading = letter_reading(letter).unwrap();
            assert!(super::super::read_marked(reading).is_ok(), "{letter}: {reading}");
        }
        assert_eq!(letter_reading('É'), None);
    }
}
