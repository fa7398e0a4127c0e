//! How tones change beside each other: 一 and 不, and third tones.
//!
//! The rules of teaching grammars (Chao, A Grammar of Spoken Chinese, 1968, 1.3.4; Duanmu, The Phonology of Standard Chinese, 2007, ch. 11):
//! a third tone before a third tone becomes a second one, first inside words, then between them. So a word of two and one is
//! 2-2-3 (展览馆) and one of one and two 3-2-3 (纸老虎).

use super::{syllable::NEUTRAL, tokens::Sound};

/// Changes the tones of the words of one phrase; nothing reaches over a pause.
pub fn apply(words: &mut [Vec<Sound>]) {
    yi_and_bu(words);
    for word in words.iter_mut() {
        for at in 1..word.len() {
            if word[at - 1].syllable.tone == 3 && word[at].syllable.tone == 3 {
                word[at - 1].syllable.tone = 2;
            }
        }
    }
    // From the end, so that of single words in a row the last two belong together.
    for at in (1..words.len()).rev() {
        let next = words[at].first().map(|sound| sound.syllable.tone);
        if let Some(last) = words[at - 1].last_mut().filter(|last| last.syllable.tone == 3 && next == Some(3)) {
            last.syllable.tone = 2;
        }
    }
}

/// 一 is yí before a fourth tone (and 个), yì before any other, yī by itself; 不 is bú before a fourth tone. Between a verb and the
/// same verb (看一看, 办不办) both are neutral.
fn yi_and_bu(words: &mut [Vec<Sound>]) {
    let before: Vec<Sound> = words.iter().flatten().copied().collect();
    for (at, sound) in words.iter_mut().flatten().enumerate().filter(|(_, sound)| !sound.fixed) {
        let next = before.get(at + 1);
        let last = at.checked_sub(1).and_then(|at| before.get(at));
        let between = next.is_some() && next.map(|sound| sound.letter) == last.map(|sound| sound.letter);
        sound.syllable.tone = match (sound.letter, sound.syllable.tone, next.map(|next| next.syllable.tone)) {
            ('一', 1, _) | ('不', 4, _) if between => NEUTRAL,
            ('一', 1, Some(4 | NEUTRAL)) => 2,
            ('一', 1, Some(_)) => 4,
            ('不', 4, Some(4)) => 2,
            (_, tone, _) => tone,
        };
    }
}
