//! Names: which part is said, and how it is read.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

use super::*;

/// `surname | full name`.
fn said(name: &str, language: &str) -> String {
    let name = spoken(&PersonName::new(name), None, &language.into());
    format!("{} | {}", name.surname, name.full)
}

#[test]
fn a_chinese_name_stays_as_it_is_written_in_a_chinese_greeting() {
    assert_eq!(said("陈伟明", "zh-HK"), "陈 | 陈伟明");
    assert_eq!(said("歐陽娜娜", "yue"), "歐陽 | 歐陽娜娜");
    assert_eq!(said("王 伟", "yue"), "王 | 王伟");
    assert_eq!(said("欧阳", "yue"), "欧 | 欧阳", "two characters are a surname and a given name");
    assert_eq!(said("王", "zh-CN"), "王 | 王");
    assert_eq!(said("阿卜杜拉·买买提", "zh-CN"), "阿卜杜拉·买买提 | 阿卜杜拉·买买提");
}

#[test]
fn a_mandarin_greeting_says_how_a_name_is_read() {
    assert_eq!(said("陈伟明", "zh-CN"), "陈 | 陈〔chen2〕伟明〔wei3 ming2〕");
    assert_eq!(said("单雄信", "zh-CN"), "单〔shan4〕 | 单〔shan4〕雄信〔xiong2 xin4〕");
    assert_eq!(said("歐陽娜娜", "cmn"), "歐陽〔ou1 yang2〕 | 歐陽〔ou1 yang2〕娜娜〔na4 na4〕");
}

#[test]
fn a_chinese_name_is_written_in_pinyin_for_an_english_greeting() {
    assert_eq!(said("陈伟明", "en"), "Chen | Chen Weiming");
    assert_eq!(said("欧阳修", "en"), "Ouyang | Ouyang Xiu");
    assert_eq!(said("诸葛亮", "en"), "Zhuge | Zhuge Liang");
    assert_eq!(said("吕布", "en"), "Lyu | Lyu Bu");
    assert_eq!(said("王", "en"), "Wang | Wang");
    assert_eq!(said("阿里木·买买提", "en"), "Alimu Maimaiti | Alimu Maimaiti");
}

#[test]
fn surnames_with_a_reading_of_their_own_are_read_as_surnames() {
    let read = [
        "单雄信",
        "查良镛",
        "解缙",
        "曾国藩",
        "区寄生",
        "仇英",
        "任正非",
        "朴树人",
        "盖叫天",
        "万俟卨",
        "尉迟恭",
        "长孙无忌",
    ]
    .map(|name| spoken(&PersonName::new(name), None, &"en".into()).surname);
    assert_eq!(read, ["Shan", "Zha", "Xie", "Zeng", "Ou", "Qiu", "Ren", "Piao", "Ge", "Moqi", "Yuchi", "Zhangsun"]);
}

#[test]
fn the_rosters_pronunciation_has_the_last_word_in_every_language() {
    let said = |name: &str, read: &str, language: &str| {
        let name = spoken(&PersonName::new(name), Some(&Pronunciation::new(read)), &language.into());
        format!("{} | {}", name.surname, name.full)
    };
    assert_eq!(said("覃茜", "tan2 xi1", "zh-CN"), "覃〔tan2〕 | 覃〔tan2〕茜〔xi1〕");
    assert_eq!(said("覃茜", "tan2 xi1", "en"), "Tan | Tan Xi");
    assert_eq!(said("覃茜", "tan2 xi1", "yue"), "覃 | 覃茜", "Cantonese is not read in pinyin");
    assert_eq!(said("覃茜", "tan2", "en"), "Qin | Qin Qian", "a reading of another name's length is none");
    assert_eq!(said("阿里木·买买提", "a1 li3 mu4 mai3 mai3 ti2", "en"), "Alimu Maimaiti | Alimu Maimaiti");
}

#[test]
fn a_name_is_in_doubt_where_nobody_says_which_of_several_readings_it_has() {
    let doubt = |name: &str| is_in_doubt(&PersonName::new(name));
    assert!(!doubt("陈伟明") && !doubt("Barack Obama"));
    assert!(!doubt("单伟明"), "our table knows the surname");
    assert!(doubt("王乐"), "lè or yuè");
    assert!(doubt("王国\u{2a6d6}"), "nobody here can read it");
}

#[test]
fn a_latin_name_gives_its_surname_in_any_order_of_its_parts() {
    for language in ["en", "zh-CN"] {
        assert_eq!(said("Barack Obama", language), "Obama | Barack Obama");
        assert_eq!(said("Obama, Barack", language), "Obama | Barack Obama");
        assert_eq!(said("Vincent van Gogh", language), "van Gogh | Vincent van Gogh");
        assert_eq!(said("Ursula von der Leyen", language), "von der Leyen | Ursula von der Leyen");
        assert_eq!(said("Martin Luther King Jr.", language), "King | Martin Luther King");
        assert_eq!(said("Sammy Davis, Jr.", language), "Davis | Sammy Davis");
        assert_eq!(said("Madonna", language), "Madonna | Madonna");
    }
}

/// How a full name is read in a Mandarin greeting.
fn readings(name: &str) -> String {
    let full = spoken(&PersonName::new(name), None, &"zh-CN".into()).full;
    let marks = full.split('〔').skip(1).filter_map(|rest| rest.split('〕').next());
    marks.collect::<Vec<_>>().join(" ")
}

#[test]
fn every_surname_with_several_readings_is_read_as_a_surname() {
    let golden = include_str!("../../tests/golden/surnames.txt");
    let lines: Vec<_> = golden.lines().filter_map(|line| line.split_once(' ')).filter(|line| line.0 != "#").collect();
    for (surname, reading) in &lines {
        assert_eq!(readings(&format!("{surname}明明")), format!("{reading} ming2 ming2"), "{surname}");
        let alone = spoken(&PersonName::new(format!("{surname}明明")), None, &"zh-CN".into()).surname;
        assert_eq!(alone, format!("{surname}〔{reading}〕"), "with a salutation");
    }
    let compound = lines.iter().filter(|(surname, _)| surname.chars().count() == 2).count();
    let distinct: BTreeSet<&str> = lines.iter().map(|(surname, _)| *surname).collect();
    assert_eq!(distinct.len(), lines.len(), "one is there twice");
    assert!(lines.len() - compound >= 60 && compound >= 40, "{compound} of {} are compound", lines.len());
    let ours: BTreeSet<&str> = mandarin::known_surnames().collect();
    assert_eq!(ours, distinct, "the table's surnames, and those that were read and checked");
}

/// Surnames that more than half of all people have, and ours; characters that given names are made of.
const COMMON: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓曹彭田董潘袁蔡蒋于杜程魏苏吕卢姚钟姜崔谭范汪廖金韦付方邹\
                      熊白孟秦邱江薛闫段雷龙黎史陶贺毛顾龚邵武钱戴严欧莫孔向常汤康易乔赖文庞樊兰施洪安颜倪牛温芦季章鲁毕聂丛焦左";
const GIVEN: &str = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂红玉华建国志文辉力斌宇浩凯健俊帆雷鹏飞峰波辰晨旭阳雪梅琳琴云莲真环\
                     荣爱妹香月莺媛瑞凡佳嘉琼勤珍贞莉凤洁素春菊彩芸颖露瑶怡婵雁蓓纨仪荷丹蓉眉君蕊薇菁梦岚苑婕馨瑗琰韵融园艺咏卿聪澜纯\
                     毓悦昭冰爽琬茗羽希宁欣飘育滢馥筠柔竹霭凝晓欢霄枫菲寒伊亚宜可姬舒影荔枝思毅保东永世广义兴良海山仁贵福生元全胜学祥才\
                     发武新利清彬富顺信子成康星光天达安岩中茂进林有坚和彪博诚先敬震振壮会群豪心邦承乐绍功松善厚庆民友裕河哲江亮政谦亨奇\
                     固之轮翰朗伯宏言若鸣朋梁栋维启克伦翔泽士以家致树炎德行时泰盛雄琛钧冠策腾楠榕航弘正日一小长朝晟茜重";

#[test]
fn five_thousand_made_up_names_are_read_as_pypinyin_reads_them_except_where_our_table_knows_better() {
    let mut generator = ChaCha8Rng::seed_from_u64(13);
    let ours: Vec<&str> = mandarin::known_surnames().collect();
    let (common, given): (Vec<char>, Vec<char>) = (COMMON.chars().collect(), GIVEN.chars().collect());
    let mut name = || {
        let surname = match generator.random_bool(0.3) {
            true => ours.choose(&mut generator).map(|surname| (*surname).to_owned()),
            false => common.choose(&mut generator).map(ToString::to_string),
        };
        let length = generator.random_range(1..=2);
        let given: String = (0..length).filter_map(|_| given.choose(&mut generator)).collect();
        (surname.unwrap_or_default(), given)
    };
    let names: Vec<_> = (0..5000).map(|_| name()).collect();
    let theirs = pypinyin(&names.iter().map(|(surname, given)| format!("{surname}{given}\n")).collect::<String>());
    assert_eq!(theirs.lines().count(), names.len());
    let (mut better, mut wrong) = (0, Vec::new());
    for ((surname, given), theirs) in names.iter().zip(theirs.lines()) {
        let read = readings(&format!("{surname}{given}"));
        // A name of two characters that is also a compound surname is a surname and a given name.
        let first = if mandarin::compound(surname).is_some() { 2 } else { 1 };
        let rows = (0..read.split(' ').count()).map(|at| match at < first {
            true => mandarin::surname(surname).is_some(),
            false => {
                let letter = given.chars().nth(at - first).map(String::from).unwrap_or_default();
                mandarin::given(given).or_else(|| mandarin::given(&letter)).is_some()
            }
        });
        let unexplained =
            read.split(' ').zip(theirs.split(' ')).zip(rows).any(|((ours, theirs), row)| ours != theirs && !row);
        if unexplained || read.split(' ').count() != theirs.split(' ').count() {
            wrong.push(format!("{surname}{given}: {read}, pypinyin {theirs}"));
        }
        better += usize::from(read != theirs);
    }
    assert!(wrong.is_empty(), "{} of 5000 differ without a row of the table:\n{}", wrong.len(), wrong.join("\n"));
    assert!(better > 100, "our table is asked at all: {better}");
    println!("measured: {better} of 5000 names differ from pypinyin, all by rows of our table");
}

fn pypinyin(names: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join(".runtime/test-python/bin/python");
    assert!(fs::exists(&python).unwrap(), "the tests' pypinyin is missing. Run scripts/test.sh");
    let mut asked = Command::new(python)
        .arg(root.join("tests/support/pinyin.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, names) = (asked.stdin.take().unwrap(), names.to_owned());
    // On its own thread: both pipes could fill.
    let writer = std::thread::spawn(move || input.write_all(names.as_bytes()));
    let output = asked.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}
