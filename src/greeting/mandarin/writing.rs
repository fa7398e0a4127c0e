//! What characters are: Chinese ones, and the wide forms of Latin ones.

/// Whether it is a Chinese character.
pub fn is_han(letter: char) -> bool {
    matches!(letter, '〇' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// A name's letters without spaces, where it is in Chinese characters alone; a dot may part its words (`阿里木·买买提`).
pub fn han_letters(name: &str) -> Option<String> {
    let dots = |letter| if matches!(letter, '•' | '・' | '‧') { '·' } else { letter };
    let letters: String = name.chars().filter(|letter| !letter.is_whitespace()).map(dots).collect();
    let han = letters.chars().all(|letter| is_han(letter) || letter == '·');
    (han && letters.chars().any(is_han)).then_some(letters)
}

/// A full-width form as the narrow one that it is a form of.
pub fn narrow(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        '\u{3000}' => ' ',
        other => other,
    }
}
