//! How names are read where that is not each character's commonest reading: the one table of `names`.
//!
//! The readings were written down from memory of how dictionaries of standard Mandarin give surnames. No dictionary was opened, and no native
//! speaker has read them; where `pypinyin` differs (`names_tests.rs`), ours stand unproved. Where families differ (覃 qín or tán, 乐 yuè or lè) the
//! one thought commoner stands here, and the roster's pronunciation column has the last word.

/// Surnames of one character that has several readings, with the traditional form behind the simplified one.
const SINGLE: [(&str, &str); 114] = [
    ("单 單", "shan4"),
    ("查", "zha1"),
    ("解", "xie4"),
    ("曾", "zeng1"),
    ("区 區", "ou1"),
    ("仇", "qiu2"),
    ("任", "ren2"),
    ("朴", "piao2"),
    ("盖 蓋", "ge3"),
    ("乐 樂", "yue4"),
    ("尉", "wei4"),
    ("召", "shao4"),
    ("折", "she2"),
    ("员 員", "yun4"),
    ("缪 繆", "miao4"),
    ("冼", "xian3"),
    ("洗", "xian3"),
    ("翟", "zhai2"),
    ("黑", "he4"),
    ("覃", "qin2"),
    ("秘", "bi4"),
    ("晁", "chao2"),
    ("种", "chong2"),
    ("繁", "po2"),
    ("谌 諶", "chen2"),
    ("句", "gou1"),
    ("勾", "gou1"),
    ("盛", "sheng4"),
    ("葛", "ge3"),
    ("甯", "ning4"),
    ("华 華", "hua4"),
    ("燕", "yan1"),
    ("过 過", "guo1"),
    ("那", "na1"),
    ("哈", "ha3"),
    ("纪 紀", "ji3"),
    ("贾 賈", "jia3"),
    ("车 車", "che1"),
    ("石", "shi2"),
    ("沈", "shen3"),
    ("卜", "bu3"),
    ("万 萬", "wan4"),
    ("余", "yu2"),
    ("柏", "bai3"),
    ("薄", "bo2"),
    ("逄", "pang2"),
    ("隗", "wei3"),
    ("郇", "xun2"),
    ("臧", "zang1"),
    ("祭", "zhai4"),
    ("郗", "xi1"),
    ("佴", "nai4"),
    ("应 應", "ying1"),
    ("强 強", "qiang2"),
    ("曲", "qu1"),
    ("角", "jue2"),
    ("阚 闞", "kan4"),
    ("瞿", "qu2"),
    ("亓", "qi2"),
    ("逯", "lu4"),
    ("乜", "nie4"),
    ("宓", "mi4"),
    ("莘", "shen1"),
    ("訾", "zi1"),
    ("笪", "da2"),
    ("钭 鈄", "tou3"),
    ("褚", "chu3"),
    ("沙", "sha1"),
    ("都", "du1"),
    ("宿", "su4"),
    ("叶 葉", "ye4"),
    ("仉", "zhang3"),
    ("郏 郟", "jia2"),
    ("郄", "qie4"),
    ("呙 咼", "guo1"),
    ("贲 賁", "ben1"),
    ("费 費", "fei4"),
    ("咸", "xian2"),
    ("鲜 鮮", "xian1"),
    ("眭", "sui1"),
    ("佘", "she2"),
    ("冯 馮", "feng2"),
    ("俞", "yu2"),
    ("陆 陸", "lu4"),
    ("谷", "gu3"),
    ("牟", "mou2"),
    ("郁", "yu4"),
    ("弥 彌", "mi2"),
    ("粘", "nian2"),
    ("溥", "pu3"),
    ("於", "yu1"),
    ("殷", "yin1"),
    ("占", "zhan1"),
    ("肖", "xiao1"),
    ("缑 緱", "gou1"),
    ("昝", "zan3"),
    ("睢", "sui1"),
    ("蔚", "yu4"),
    ("尹", "yin3"),
    ("恽 惲", "yun4"),
    ("邰", "tai2"),
    ("洼 窪", "wa1"),
    ("艾", "ai4"),
    ("齐 齊", "qi2"),
    ("郝", "hao3"),
    ("侯", "hou2"),
    ("夏", "xia4"),
    ("尧 堯", "yao2"),
    ("涂 塗", "tu2"),
    ("茹", "ru2"),
    ("台", "tai2"),
    ("戚", "qi1"),
    ("祢 禰", "mi2"),
    ("芮", "rui4"),
];

/// Surnames of two characters; every other one has a single character. Those that are rather a surname and a given name (贺兰) are left out.
const COMPOUND: [(&str, &str); 61] = [
    ("欧阳 歐陽", "ou1 yang2"),
    ("司马 司馬", "si1 ma3"),
    ("诸葛 諸葛", "zhu1 ge3"),
    ("上官", "shang4 guan1"),
    ("夏侯", "xia4 hou2"),
    ("皇甫", "huang2 fu3"),
    ("尉迟 尉遲", "yu4 chi2"),
    ("公孙 公孫", "gong1 sun1"),
    ("慕容", "mu4 rong2"),
    ("令狐", "ling2 hu2"),
    ("司徒", "si1 tu2"),
    ("司空", "si1 kong1"),
    ("东方 東方", "dong1 fang1"),
    ("独孤 獨孤", "du2 gu1"),
    ("南宫 南宮", "nan2 gong1"),
    ("西门 西門", "xi1 men2"),
    ("端木", "duan1 mu4"),
    ("长孙 長孫", "zhang3 sun1"),
    ("宇文", "yu3 wen2"),
    ("轩辕 軒轅", "xuan1 yuan2"),
    ("百里", "bai3 li3"),
    ("呼延", "hu1 yan2"),
    ("申屠", "shen1 tu2"),
    ("澹台 澹臺", "tan2 tai2"),
    ("万俟", "mo4 qi2"),
    ("太史", "tai4 shi3"),
    ("钟离 鍾離", "zhong1 li2"),
    ("闻人 聞人", "wen2 ren2"),
    ("赫连 赫連", "he4 lian2"),
    ("濮阳 濮陽", "pu2 yang2"),
    ("淳于", "chun2 yu2"),
    ("单于 單于", "chan2 yu2"),
    ("太叔", "tai4 shu1"),
    ("公冶", "gong1 ye3"),
    ("宗政", "zong1 zheng4"),
    ("公羊", "gong1 yang2"),
    ("鲜于 鮮于", "xian1 yu2"),
    ("闾丘 閭丘", "lv2 qiu1"),
    ("仲孙 仲孫", "zhong4 sun1"),
    ("亓官", "qi2 guan1"),
    ("司寇", "si1 kou4"),
    ("子车 子車", "zi3 ju1"),
    ("颛孙 顓孫", "zhuan1 sun1"),
    ("巫马 巫馬", "wu1 ma3"),
    ("公西", "gong1 xi1"),
    ("漆雕", "qi1 diao1"),
    ("乐正 樂正", "yue4 zheng4"),
    ("壤驷 壤駟", "rang3 si4"),
    ("拓跋", "tuo4 ba2"),
    ("夹谷 夾谷", "jia2 gu3"),
    ("谷梁 穀梁", "gu3 liang2"),
    ("梁丘", "liang2 qiu1"),
    ("左丘", "zuo3 qiu1"),
    ("东郭 東郭", "dong1 guo1"),
    ("南门 南門", "nan2 men2"),
    ("羊舌", "yang2 she2"),
    ("第五", "di4 wu3"),
    ("哥舒", "ge1 shu1"),
    ("纳兰 納蘭", "na4 lan2"),
    ("完颜 完顏", "wan2 yan2"),
    ("耶律", "ye1 lv4"),
];

/// Characters of given names, and words that they make, read otherwise in names than by themselves.
const GIVEN: [(&str, &str); 10] = [
    ("子", "zi3"),
    ("长 長", "chang2"),
    ("重", "zhong4"),
    ("重庆 重慶", "chong2 qing4"),
    ("思", "si1"),
    ("正", "zheng4"),
    ("茜", "qian4"),
    ("菲", "fei1"),
    ("和", "he2"),
    ("乐 樂", "le4"),
];

/// Characters of given names that some families read one way and some another. A rare reading that no name has makes none of these.
const AMBIGUOUS: &str = "乐樂长長重行朝晟茜兴興传傳冠观觀华華会會将將卷宁寧泊柏单單曾任盛省遂弹彈藏相应應与與予正中种種子少都为為参參车車称稱斗隽雋颉頡琢娜那丽麗莎莞菲蔚佛虹纪紀澄炅玢嬛尽盡拓旋更殷泷瀧燕露阿鲜鮮和荷好济濟强強仔扎解召缪繆";

/// Whether a character of a given name may be read in several ways.
pub fn is_ambiguous(letter: char) -> bool {
    AMBIGUOUS.contains(letter)
}

/// A surname's reading, in pinyin.
pub fn surname(han: &str) -> Option<&'static str> {
    find(&SINGLE, han).or_else(|| compound(han))
}

/// A surname of two characters, in pinyin.
pub fn compound(han: &str) -> Option<&'static str> {
    find(&COMPOUND, han)
}

/// The reading of a given name or of one of its characters, in pinyin.
pub fn given(han: &str) -> Option<&'static str> {
    find(&GIVEN, han)
}

/// Every surname of the table, in each of its forms.
#[cfg(test)]
pub fn known_surnames() -> impl Iterator<Item = &'static str> {
    SINGLE.iter().chain(&COMPOUND).flat_map(|(forms, _)| forms.split(' '))
}

fn find(table: &[(&str, &'static str)], han: &str) -> Option<&'static str> {
    table.iter().find(|(forms, _)| forms.split(' ').any(|form| form == han)).map(|(_, reading)| *reading)
}
