//! What a calibration means, in words for the office: on the terminal and on the report page. Record numbers only.

use super::{
    FEWEST_PEOPLE,
    census::Pair,
    hall::{Alike, ENOUGH, Findings, Origin},
    mates::Share,
};
use crate::person::RecordNumber;

/// Fewer people with several photos say nothing about how many would be named.
pub const ENOUGH_MATES: usize = 30;
/// Pairs that are listed on the terminal; the report lists more.
const LISTED: usize = 20;

/// Everything that is told.
pub struct Story<'a> {
    /// What the census says.
    pub findings: &'a Findings,
    /// Whose record each index is.
    pub records: &'a [RecordNumber],
    /// Photos of all people.
    pub photos: usize,
    /// The share of single photos that would be named.
    pub looks: Option<Share>,
    /// The share of visits of three photos that would be named.
    pub visits: Option<Share>,
    /// The score that was demanded until now.
    pub before: f32,
}

impl Story<'_> {
    /// The one plain sentence.
    pub fn sentence(&self) -> String {
        let strangers = format!("{} 1 stranger in {} would be named", self.about(), one_in(self.findings.fpir));
        let people = self.people();
        match self.mates() {
            Some((share, _)) => {
                let of_100 = (share.value * 100.0).floor();
                let how_many = if of_100 < 100.0 { format!("about {of_100:.0} of 100") } else { "nearly all".into() };
                format!("With {people}, {strangers}, and {how_many} of them would be.")
            }
            None => format!("With {people}, {strangers}."),
        }
    }

    fn about(&self) -> &'static str {
        if self.findings.from() == Origin::Shipped { "at most about" } else { "about" }
    }

    fn people(&self) -> String {
        match self.findings.people {
            0 => "nobody enrolled".into(),
            1 => "this one person".into(),
            people => format!("these {} people", thousands(people as u64)),
        }
    }

    /// The better of the two shares that rests on enough people, and what it was measured on.
    fn mates(&self) -> Option<(Share, &'static str)> {
        let enough = |share: &Share| share.people >= ENOUGH_MATES;
        let visits = self.visits.filter(enough).map(|share| (share, "visits of three photos each"));
        visits.or_else(|| self.looks.filter(enough).map(|share| (share, "single photos, each left out in turn")))
    }

    /// What the sentence rests on: what was measured, what was extrapolated.
    pub fn grounds(&self) -> Vec<String> {
        let found = self.findings;
        let mut grounds = vec![match found.from() {
            Origin::Tail => {
                let row = found.rows.iter().find(|row| row.gallery >= found.people);
                let why = match row.and_then(|row| row.pairs) {
                    Some(counted) => format!("which is stricter than what was counted ({counted:.3})"),
                    None => "because that is too few to count it".into(),
                };
                format!(
                    "The strangers' share is extrapolated, from {} and one standard error of caution, {why}.",
                    self.pairs()
                )
            }
            Origin::Pairs => format!("The strangers' share is measured: counted over {}.", self.pairs()),
            Origin::Shipped => {
                "The strangers' share is extrapolated from the group of people that the shipped scores were measured on.".into()
            }
        }];
        if let Some(in_turn) = found.in_turn.filter(|in_turn| in_turn.strangers >= ENOUGH) {
            let expected = found.fpir * in_turn.strangers as f64;
            let was = if in_turn.named == 1 { "was" } else { "were" };
            grounds.push(format!(
                "Measured as a check: taken for strangers one after the other, {} of {} people {was} like somebody else by that score; about {expected:.1} were to be expected.",
                in_turn.named,
                thousands(in_turn.strangers as u64)
            ));
        }
        grounds.push(match self.mates() {
            Some((share, on)) => format!(
                "That enrolled people are named is measured on the roster's own photos: {on}, of {} people; 95 % interval {:.1} to {:.1} of 100. The camera's views may be better or worse.",
                thousands(share.people as u64),
                share.low * 100.0,
                share.high * 100.0
            ),
            None => format!(
                "How many of them would be named is not known: {} have two photos or more, and {ENOUGH_MATES} are needed.",
                self.looks.map_or(0, |share| share.people)
            ),
        });
        grounds.extend(self.caution());
        grounds
    }

    /// Why the shipped scores are leaned on.
    pub fn caution(&self) -> Option<String> {
        let people = self.findings.people;
        if self.findings.fit_is_wrong {
            return Some(
                "So many people look like another record that their scores are no strangers' scores: no threshold lies below the shipped one. Clear up the pairs listed, then calibrate again.".into(),
            );
        }
        if people < FEWEST_PEOPLE {
            return Some(format!(
                "{people} people are too few to measure: the shipped scores hold. {ENOUGH} are needed: halls of 20 drawn from a larger crowd let through up to 25 times the strangers that were asked for, halls of 100 up to 1.1 times."
            ));
        }
        (people < ENOUGH).then(|| {
            format!("{people} people are few: where the shipped score is higher, it holds. From {ENOUGH} on the hall's own scores hold by themselves.")
        })
    }

    fn pairs(&self) -> String {
        let (found, all) = (self.findings.looked_at, self.findings.pairs);
        let what = format!("{} pairs of people", thousands(found));
        if found == all {
            return what;
        }
        format!("{what} ({:.0} % of all)", 100.0 * found as f64 / all.max(1) as f64)
    }

    /// A line for each pair, the most alike first.
    pub fn alike(&self) -> impl Iterator<Item = String> {
        self.findings.alike.iter().map(|Alike { pair, beyond_chance }| {
            let (a, b, score) = self.ordered(pair);
            if *beyond_chance {
                format!("records {a} and {b} look like one person ({score:.2}): twins, or enrolled twice? Left out of the measurement.")
            } else {
                format!("records {a} and {b} are alike ({score:.2}): one of them may be greeted as unsure.")
            }
        })
    }

    /// A pair's record numbers, the smaller one first, and its score.
    pub fn ordered(&self, pair: &Pair) -> (RecordNumber, RecordNumber, f32) {
        let (a, b) = (self.records[pair.a], self.records[pair.b]);
        (a.min(b), a.max(b), pair.score)
    }

    /// The table of scores: people, shipped, own tail, own pairs, demanded.
    pub fn table(&self) -> Vec<[String; 6]> {
        let score = |score: Option<f32>| score.map_or("-".into(), |score| format!("{score:.3}"));
        let row = |row: &super::hall::Row| {
            let people = thousands(row.gallery as u64);
            let own = [score(row.shipped), score(row.tail), score(row.pairs), score(Some(row.min_score))];
            let [shipped, tail, pairs, demanded] = own;
            [people, shipped, tail, pairs, demanded, origin(row.from).to_owned()]
        };
        self.findings.rows.iter().map(row).collect()
    }

    /// All of it, for the terminal.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |line: &str| text.extend([line, "\n"]);
        line(&format!(
            "{} people with {} photos; {} were compared.\n",
            thousands(self.findings.people as u64),
            thousands(self.photos as u64),
            self.pairs()
        ));
        let alike = self.findings.alike.len();
        self.alike().take(LISTED).for_each(|pair| line(&pair));
        if alike > LISTED {
            line(&format!("… and {} more pairs; `--report FILE.html` lists them.", thousands((alike - LISTED) as u64)));
        }
        if alike > 0 {
            line("`greeter people show N --reveal` shows staff who a record is.\n");
        }
        let head = ["people", "shipped", "own tail", "own pairs", "demanded", "from"].map(str::to_owned);
        for [people, shipped, tail, pairs, demanded, from] in std::iter::once(head).chain(self.table()) {
            line(&format!("{people:>8} {shipped:>9} {tail:>9} {pairs:>10} {demanded:>9}  {from}"));
        }
        line(&format!("\n{}", self.sentence()));
        self.grounds().iter().for_each(|ground| line(ground));
        line(&format!(
            "\nDemanded of a visitor among so many people: {:.3}; until now {:.3}.",
            self.findings.min_score, self.before
        ));
        text
    }
}

/// Where a score comes from, in words.
pub fn origin(from: Origin) -> &'static str {
    match from {
        Origin::Tail => "own tail",
        Origin::Pairs => "own pairs",
        Origin::Shipped => "shipped",
    }
}

/// `0.001` is one in `1,000`.
fn one_in(share: f64) -> String {
    thousands((1.0 / share).round() as u64)
}

/// `12497500` as `12,497,500`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|three| std::str::from_utf8(three).ok()).collect();
    groups.join(",")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::calibration::hall::{InTurn, Row};

    /// A hall as it might be.
    pub(in crate::calibration) fn found() -> Findings {
        let row = |gallery, shipped, tail, pairs: f32, from| {
            let pairs = (pairs > 0.0).then_some(pairs);
            let min_score = pairs.filter(|_| from == Origin::Pairs).unwrap_or(tail);
            Row { gallery, shipped: Some(shipped), tail: Some(tail), pairs, min_score, from }
        };
        let pair = |score, a, b| Pair { score, a, b };
        Findings {
            rows: vec![
                row(2, 0.598, 0.512, 0.521, Origin::Pairs),
                row(1000, 0.797, 0.701, 0.0, Origin::Tail),
                row(100_000, 0.915, 0.842, 0.0, Origin::Tail),
            ],
            alike: vec![
                Alike { pair: pair(0.931, 1, 0), beyond_chance: true },
                Alike { pair: pair(0.776, 2, 0), beyond_chance: false },
            ],
            in_turn: Some(InTurn { strangers: 4998, named: 4 }),
            scores: (0..400).map(|bin| (1.0 - f64::from(bin) / 200.0, f64::from(bin * (400 - bin)) / 10.0)).collect(),
            ..Findings::for_tests(0.001, 5000, 0.751)
        }
    }

    pub(in crate::calibration) const RECORDS: [RecordNumber; 3] =
        [RecordNumber(345), RecordNumber(12), RecordNumber(7)];

    pub(in crate::calibration) fn share(value: f64, people: usize) -> Share {
        Share { value, low: value - 0.012, high: value + 0.011, people, probes: people * 2 }
    }

    fn story(findings: &Findings) -> Story<'_> {
        let (looks, visits) = (Some(share(0.938, 610)), Some(share(0.972, 310)));
        Story { findings, records: &RECORDS, photos: 7300, looks, visits, before: 0.84 }
    }

    #[test]
    fn the_operator_reads_what_was_agreed() {
        let now = story(&found()).text();
        let agreed = include_str!("../../tests/golden/calibration.txt");
        assert_eq!(now, agreed, "tests/golden/calibration.txt is what was agreed; now it is:\n{now}");
    }

    #[test]
    fn the_sentence_says_only_what_is_known() {
        let mut few = found();
        few.people = 60;
        few.in_turn = Some(InTurn { strangers: 60, named: 0 });
        few.rows.iter_mut().for_each(|row| row.from = Origin::Shipped);
        let told = Story { looks: Some(share(0.9, 12)), visits: None, ..story(&few) };
        assert_eq!(told.sentence(), "With these 60 people, at most about 1 stranger in 1,000 would be named.");
        let grounds = told.grounds().join("\n");
        assert!(grounds.contains("not known: 12 have two photos or more, and 30 are needed"), "{grounds}");
        assert!(grounds.contains("60 people are few: where the shipped score is higher, it holds"), "{grounds}");
        assert!(!grounds.contains("one after the other"), "{grounds}");
        few.people = 7;
        let told = Story { looks: None, visits: None, ..story(&few) };
        assert!(told.caution().unwrap().contains("7 people are too few to measure"));
        few.fit_is_wrong = true;
        assert!(Story { ..story(&few) }.caution().unwrap().contains("Clear up the pairs"));
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1000, 12_497_500].map(thousands), ["0", "999", "1,000", "12,497,500"]);
    }
}
