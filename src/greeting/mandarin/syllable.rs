//! One syllable of Mandarin: read from pinyin with a tone's digit or mark, and split into initial and final as the network names them.

use std::fmt;

/// Every syllable that the network was trained on, `ü` as `v`, in the alphabet's order. Interjections without a vowel are left out.
const SYLLABLES: &str = "\
    a ai an ang ao ba bai ban bang bao bei ben beng bi bian biao bie bin bing bo bu ca cai can cang cao ce cen ceng cha \
    chai chan chang chao che chen cheng chi chong chou chu chua chuai chuan chuang chui chun chuo ci cong cou cu cuan cui \
    cun cuo da dai dan dang dao de dei den deng di dia dian diao die ding diu dong dou du duan dui dun duo e ei en eng er \
    fa fan fang fei fen feng fo fou fu ga gai gan gang gao ge gei gen geng gong gou gu gua guai guan guang gui gun guo ha \
    hai han hang hao he hei hen heng hong hou hu hua huai huan huang hui hun huo ji jia jian jiang jiao jie jin jing jiong \
    jiu ju juan jue jun ka kai kan kang kao ke kei ken keng kong kou ku kua kuai kuan kuang kui kun kuo la lai lan lang \
    lao le lei leng li lia lian liang liao lie lin ling liu lo long lou lu luan lun luo lv lve ma mai man mang mao me mei \
    men meng mi mian miao mie min ming miu mo mou mu na nai nan nang nao ne nei nen neng ni nian niang niao nie nin ning \
    niu nong nou nu nuan nuo nv nve o ou pa pai pan pang pao pei pen peng pi pian piao pie pin ping po pou pu qi qia qian \
    qiang qiao qie qin qing qiong qiu qu quan que qun ran rang rao re ren reng ri rong rou ru ruan rui run ruo sa sai san \
    sang sao se sen seng sha shai shan shang shao she shei shen sheng shi shou shu shua shuai shuan shuang shui shun shuo \
    si song sou su suan sui sun suo ta tai tan tang tao te tei teng ti tian tiao tie ting tong tou tu tuan tui tun tuo wa \
    wai wan wang wei wen weng wo wu xi xia xian xiang xiao xie xin xing xiong xiu xu xuan xue xun ya yan yang yao ye yi \
    yin ying yo yong you yu yuan yue yun za zai zan zang zao ze zei zen zeng zha zhai zhan zhang zhao zhe zhei zhen zheng \
    zhi zhong zhou zhu zhua zhuai zhuan zhuang zhui zhun zhuo zi zong zou zu zuan zui zun zuo";

/// Those of two letters first.
const INITIALS: [&str; 21] =
    ["zh", "ch", "sh", "b", "p", "m", "f", "d", "t", "n", "l", "g", "k", "h", "j", "q", "x", "r", "z", "c", "s"];

/// A vowel with its tone's mark, the vowel, the tone.
const MARKED: [(&str, char); 6] =
    [("āáǎà", 'a'), ("ēéěè", 'e'), ("īíǐì", 'i'), ("ōóǒò", 'o'), ("ūúǔù", 'u'), ("ǖǘǚǜ", 'v')];

/// The tone of syllables that have none.
pub const NEUTRAL: u8 = 5;

/// The sound of a 儿 that only colours the syllable before it (`这儿`); written `r` in marks.
pub const ERHUA: Syllable = Syllable { letters: "r", tone: NEUTRAL };

/// A syllable with its tone.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Syllable {
    /// In pinyin, `ü` as `v`.
    pub letters: &'static str,
    /// 1 to 4, or [`NEUTRAL`].
    pub tone: u8,
}

/// Why text is no syllable; completes "syllable 2 …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SyllableFault {
    /// No such sound in Mandarin.
    #[error("is no syllable of pinyin")]
    Unknown,
    /// `shan`.
    #[error("has no tone: write it like shan4 or shàn, 5 for the neutral tone")]
    NoTone,
    /// `shàn4`.
    #[error("has two tones")]
    TwoTones,
}

impl Syllable {
    /// Reads `shan4`, `Shàn`, `lü3`, `lv3`, `lu:3` or `zi5` (`zi0`).
    ///
    /// # Errors
    /// [`SyllableFault`].
    pub fn read(text: &str) -> Result<Self, SyllableFault> {
        let (mut letters, mut tones) = (String::new(), Vec::new());
        for letter in text.to_lowercase().replace("u:", "v").chars() {
            match tone_of(letter) {
                Some((vowel, tone)) => {
                    letters.push(vowel);
                    tones.push(tone);
                }
                None => letters.push(match letter {
                    'ü' => 'v',
                    // How some spreadsheets' phonetic keyboards write them.
                    'ɑ' => 'a',
                    'ɡ' => 'g',
                    other => other,
                }),
            }
        }
        if let Some(digit) = letters.chars().last().and_then(|last| last.to_digit(6)) {
            letters.pop();
            tones.push(if digit == 0 { NEUTRAL } else { digit as u8 });
        }
        // `lüe` is also written without its dots, which no other syllable could be.
        let letters = match letters.as_str() {
            "lue" => "lve",
            "nue" => "nve",
            other => other,
        };
        let letters = SYLLABLES.split(' ').find(|known| *known == letters).ok_or(SyllableFault::Unknown)?;
        match tones[..] {
            [tone] => Ok(Self { letters, tone }),
            [] => Err(SyllableFault::NoTone),
            _ => Err(SyllableFault::TwoTones),
        }
    }

    /// Initial (`^` for none) and final, in the network's names: `yuan` -> `^`, `van`; `zhi` -> `zh`, `iii`; `dui` -> `d`, `uei`.
    pub fn initial_and_final(self) -> (&'static str, &'static str) {
        let initial = INITIALS.into_iter().find(|initial| self.letters.starts_with(initial));
        let Some(initial) = initial else { return ("^", without_initial(self.letters)) };
        let rest = &self.letters[initial.len()..];
        let sound = match (initial, rest) {
            ("z" | "c" | "s", "i") => "ii",
            ("zh" | "ch" | "sh" | "r", "i") => "iii",
            ("j" | "q" | "x", "u") => "v",
            ("j" | "q" | "x", "ue") => "ve",
            ("j" | "q" | "x", "uan") => "van",
            ("j" | "q" | "x", "un") => "vn",
            (_, "iu") => "iou",
            (_, "ui") => "uei",
            (_, "un") => "uen",
            _ => rest,
        };
        (initial, sound)
    }
}

/// `y` and `w` are spelling, not sounds.
fn without_initial(letters: &'static str) -> &'static str {
    match letters {
        "yi" | "yin" | "ying" => &letters[1..],
        "yu" => "v",
        "yuan" => "van",
        "yue" => "ve",
        "yun" => "vn",
        "ya" => "ia",
        "yan" => "ian",
        "yang" => "iang",
        "yao" => "iao",
        "ye" => "ie",
        // The network has no `io`; its dictionary says this.
        "yo" | "you" => "iou",
        "yong" => "iong",
        "wu" => "u",
        "wa" => "ua",
        "wai" => "uai",
        "wan" => "uan",
        "wang" => "uang",
        "wei" => "uei",
        "wen" => "uen",
        "weng" => "ueng",
        "wo" => "uo",
        other => other,
    }
}

/// The vowel under a tone's mark, and the tone.
fn tone_of(letter: char) -> Option<(char, u8)> {
    MARKED.iter().find_map(|(marked, vowel)| {
        let at = marked.chars().position(|it| it == letter)?;
        Some((*vowel, at as u8 + 1))
    })
}

impl fmt::Display for Syllable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == ERHUA {
            return f.write_str(self.letters);
        }
        write!(f, "{}{}", self.letters, self.tone)
    }
}

/// A name can be read off its syllables, so they are not printed.
impl fmt::Debug for Syllable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Syllable")
    }
}

/// Why text is no reading of a number of characters; completes "pronunciation …" and never repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadingFault {
    /// One of them.
    #[error("is not right: syllable {0} {1}")]
    Syllable(usize, SyllableFault),
    /// More or fewer than characters.
    #[error("has {syllables} syllables for {characters} Chinese characters")]
    Count {
        /// How many there are.
        syllables: usize,
        /// How many there should be.
        characters: usize,
    },
}

/// Reads the pinyin of so many characters: `shan4 xiong2 xin4`, `Shàn Xióngxìn`, `shan4xiong2xin4`.
///
/// Syllables may be run together where each has a tone; as in pinyin, one that begins with a vowel is then set off (`Xī'ān`).
///
/// # Errors
/// [`ReadingFault`].
pub fn read_all(text: &str, characters: usize) -> Result<Vec<Syllable>, ReadingFault> {
    let mut syllables = Vec::new();
    let set_off = |letter: char| letter.is_whitespace() || matches!(letter, '\'' | '’' | '-' | '·' | ',' | '，');
    for word in text.split(set_off).filter(|word| !word.is_empty()) {
        match run_together(word) {
            Some(read) => syllables.extend(read),
            None => {
                let fault = Syllable::read(word).err().unwrap_or(SyllableFault::Unknown);
                return Err(ReadingFault::Syllable(syllables.len() + 1, fault));
            }
        }
    }
    if syllables.len() != characters {
        return Err(ReadingFault::Count { syllables: syllables.len(), characters });
    }
    Ok(syllables)
}

/// Reads a reading mark or a word's reading: syllables with spaces between them, `r` for [`ERHUA`].
///
/// # Errors
/// [`ReadingFault::Syllable`].
pub fn read_marked(text: &str) -> Result<Vec<Syllable>, ReadingFault> {
    let one = |(at, text): (usize, &str)| match text {
        "r" => Ok(ERHUA),
        text => Syllable::read(text).map_err(|fault| ReadingFault::Syllable(at + 1, fault)),
    };
    text.split_whitespace().enumerate().map(one).collect()
}

/// The syllables of a word, each with its tone; the first of them as long as it can be.
fn run_together(word: &str) -> Option<Vec<Syllable>> {
    if word.is_empty() {
        return Some(Vec::new());
    }
    let ends = word.char_indices().map(|(at, letter)| at + letter.len_utf8());
    // The longest has six letters and a digit.
    ends.take(7).collect::<Vec<_>>().into_iter().rev().find_map(|end| {
        let (first, rest) = word.split_at(end);
        let first = Syllable::read(first).ok()?;
        let vowel = rest.chars().next().map(|letter| tone_of(letter).map_or(letter, |(vowel, _)| vowel));
        if vowel.is_some_and(|letter| "aoe".contains(letter)) {
            return None;
        }
        let mut all = vec![first];
        all.extend(run_together(rest)?);
        Some(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, characters: usize) -> Result<String, String> {
        let all = read_all(text, characters).map_err(|fault| fault.to_string())?;
        Ok(all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn pinyin_is_read_as_people_write_it() {
        for text in ["shan4 xiong2 xin4", "Shàn Xióngxìn", "SHAN4 XIONG2XIN4", "shan4-xiong2-xin4", "shan4xiong2xin4"]
        {
            assert_eq!(read(text, 3).unwrap(), "shan4 xiong2 xin4", "{text}");
        }
        for text in ["lü3", "lv3", "lu:3", "lǚ", "LV3"] {
            assert_eq!(read(text, 1).unwrap(), "lv3", "{text}");
        }
        assert_eq!(read("Lüè nüe4 zi0", 3).unwrap(), "lve4 nve4 zi5");
        assert_eq!(read("Xī'ān", 2).unwrap(), "xi1 an1");
        assert_eq!(read("fángài", 2).unwrap(), "fan2 gai4", "fáng'ài would be set off");
        assert_eq!(read("ɡānɡ", 1).unwrap(), "gang1");
    }

    #[test]
    fn a_wrong_reading_is_told_by_its_place_and_never_repeated() {
        let fault = |text, characters| read(text, characters).unwrap_err();
        assert_eq!(fault("shan4 xiong2", 3), "has 2 syllables for 3 Chinese characters");
        assert_eq!(fault("shan4 xion2", 2), "is not right: syllable 2 is no syllable of pinyin");
        assert_eq!(
            fault("shan xiong2", 2),
            "is not right: syllable 1 has no tone: write it like shan4 or shàn, 5 for the neutral tone"
        );
        assert_eq!(fault("shàn4", 1), "is not right: syllable 1 has two tones");
        assert_eq!(fault("shan6", 1), "is not right: syllable 1 is no syllable of pinyin");
        assert_eq!(fault("Smith", 1), "is not right: syllable 1 is no syllable of pinyin");
        assert_eq!(fault("", 1), "has 0 syllables for 1 Chinese characters");
    }

    #[test]
    fn initials_and_finals_have_the_networks_names() {
        let sounds = |letters: &str| {
            let (initial, sound) = Syllable::read(&format!("{letters}1")).unwrap().initial_and_final();
            format!("{initial} {sound}")
        };
        for (letters, expected) in [
            ("zhi", "zh iii"),
            ("zi", "z ii"),
            ("ri", "r iii"),
            ("ji", "j i"),
            ("ju", "j v"),
            ("xuan", "x van"),
            ("lve", "l ve"),
            ("lun", "l uen"),
            ("jun", "j vn"),
            ("dui", "d uei"),
            ("liu", "l iou"),
            ("you", "^ iou"),
            ("yong", "^ iong"),
            ("wen", "^ uen"),
            ("er", "^ er"),
            ("bo", "b o"),
            ("duo", "d uo"),
            ("an", "^ an"),
        ] {
            assert_eq!(sounds(letters), expected, "{letters}");
        }
    }
}
