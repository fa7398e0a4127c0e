//! On which legal basis a row may be enrolled: what its columns say, and what of the person's former basis stays. Pure.
//!
//! A consent is the person's own, with its day, and never a default. Recognition on sight and verification are agreed to separately (PIPL
//! art. 14, 26 and 29); for whoever is under 14 a guardian must agree, too (art. 31).

use jiff::{ToSpan, civil::Date};

use super::{
    fields,
    header::{Column, Header},
    id_number,
};
use crate::{
    config::BasisRule,
    person::{Basis, Ground, IdNumber},
};

/// From this age on, in years, somebody agrees for themselves.
const OF_AGE: i16 = 14;

/// What a row's columns say; nothing where they are absent or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    ground: Option<Ground>,
    since: Option<Date>,
    guardian: Option<Date>,
    source: Option<String>,
}

/// Why a row has no basis on which it could be enrolled; completes "row N: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BasisFault {
    /// Some other word, or two grounds at once.
    #[error(
        "the basis is not known: write `public-duty` (法定职责), `consent-recognition` (同意识别) or `consent-recognition; consent-verification` (同意识别；同意核验)"
    )]
    Unknown,
    /// Consent, without saying to what.
    #[error(
        "the basis is a consent and does not say to what: recognition on sight and verification are agreed to separately, so write `consent-recognition` (同意识别), or that and `consent-verification` (同意核验)"
    )]
    ToWhat,
    /// They did not agree to what the robot does.
    #[error("this person agreed to verification only, and the robot recognises on sight: they are served without it")]
    VerificationOnly,
    /// Not there where it must be.
    #[error("there is no basis, and `enrolment.basis = \"column\"` asks for one in each row")]
    Missing,
    /// Not a day.
    #[error("{0} is no day; write it like 2026-11-29")]
    NoDay(&'static str),
    /// A day to come.
    #[error("{0} is still to come")]
    ToCome(&'static str),
    /// A consent of no day.
    #[error("the basis is a consent without its day: write the day in the column basis_date (依据日期)")]
    Undated,
    /// A child's consent alone.
    #[error(
        "the person is under 14, so a guardian must agree, too: write the day in the column guardian_consent (监护人同意日期)"
    )]
    Guardian,
}

impl BasisFault {
    /// Whether the row says that the person must not be kept any longer.
    pub fn ends(self) -> bool {
        self == Self::VerificationOnly
    }
}

impl Said {
    /// Reads the columns of a row.
    ///
    /// # Errors
    /// [`BasisFault`] for values that make no sense.
    pub fn read(row: &csv::StringRecord, header: &Header, today: Date) -> Result<Self, BasisFault> {
        let value = |column| Some(header.value(row, column)).filter(|text| !text.is_empty());
        let past = |column, what| match value(column).map(fields::day) {
            None => Ok(None),
            Some(None) => Err(BasisFault::NoDay(what)),
            Some(Some(day)) if day > today => Err(BasisFault::ToCome(what)),
            Some(day) => Ok(day),
        };
        Ok(Self {
            ground: value(Column::Basis).map(ground).transpose()?,
            since: past(Column::BasisDate, "the day of the basis")?,
            guardian: past(Column::GuardianConsent, "the day of the guardian's consent")?,
            source: value(Column::Source).map(str::to_owned),
        })
    }
}

fn ground(text: &str) -> Result<Ground, BasisFault> {
    let words: Vec<String> = text
        .split([';', '；', ',', '，', '、'])
        .map(|word| word.trim().to_lowercase().replace([' ', '_'], "-"))
        .filter(|word| !word.is_empty())
        .collect();
    let (mut duty, mut recognition, mut verification) = (false, false, false);
    for word in &words {
        match word.as_str() {
            "public-duty" | "法定职责" | "履行法定职责" | "公共职责" | "法定職責" => duty = true,
            "consent-recognition" | "同意识别" | "同意人脸识别" | "同意識別" => recognition = true,
            "consent-verification" | "同意核验" | "同意验证" | "同意核驗" => verification = true,
            "consent" | "同意" | "单独同意" | "單獨同意" => return Err(BasisFault::ToWhat),
            _ => return Err(BasisFault::Unknown),
        }
    }
    match (duty, recognition, verification) {
        (true, false, false) => Ok(Ground::PublicDuty),
        (false, true, false) => Ok(Ground::ConsentToRecognition),
        (false, true, true) => Ok(Ground::ConsentToRecognitionAndVerification),
        (false, false, true) => Err(BasisFault::VerificationOnly),
        _ => Err(BasisFault::Unknown),
    }
}

/// What holds for all rows of a sync.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// Whether each row must say its basis.
    pub rule: BasisRule,
    /// The day of the sync.
    pub today: Date,
    /// Where rows that do not say it come from.
    pub roster: &'a str,
}

impl Rules<'_> {
    /// The basis of whom a row means. `before`: as the store has them; whoever was enrolled before that was noted has none, and gets none from a
    /// row that says nothing.
    ///
    /// # Errors
    /// [`BasisFault`].
    pub fn settle(
        &self,
        said: &Said,
        id_number: &IdNumber,
        before: Option<Option<&Basis>>,
    ) -> Result<Option<Basis>, BasisFault> {
        if said.ground.is_none() && self.rule == BasisRule::Column {
            return Err(BasisFault::Missing);
        }
        let known = before.flatten();
        if said.ground.is_none() && before.is_some() && known.is_none() {
            return Ok(None);
        }
        let ground = said.ground.or(known.map(|basis| basis.ground)).unwrap_or(Ground::PublicDuty);
        let same = known.filter(|basis| basis.ground == ground);
        let since = match (said.since.or(same.map(|basis| basis.since)), ground) {
            (Some(since), _) => since,
            (None, Ground::PublicDuty) => self.today,
            (None, _) => return Err(BasisFault::Undated),
        };
        let guardian = said.guardian.or(same.and_then(|basis| basis.guardian));
        let child = id_number::born(id_number).is_some_and(|born| born.saturating_add(OF_AGE.years()) > self.today);
        if child && ground != Ground::PublicDuty && guardian.is_none() {
            return Err(BasisFault::Guardian);
        }
        let source = said.source.clone().or(known.map(|basis| basis.source.clone()));
        Ok(Some(Basis { ground, since, guardian, source: source.unwrap_or_else(|| self.roster.to_owned()) }))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2026, 11, 29);
    const RULES: Rules<'_> = Rules { rule: BasisRule::PublicDuty, today: TODAY, roster: "november.csv" };

    fn adult() -> IdNumber {
        IdNumber::new("11010519491231002X")
    }

    /// A row with these values of basis, basis_date, guardian_consent and source.
    fn said(values: [&str; 4]) -> Result<Said, BasisFault> {
        let names = ["id_number", "name", "phone", "photos", "依据", "依据日期", "监护人同意日期", "来源"];
        let header = Header::read(&names).unwrap();
        let row = csv::StringRecord::from([&["", "", "", ""][..], &values].concat());
        Said::read(&row, &header, TODAY)
    }

    fn duty(since: Date, source: &str) -> Basis {
        Basis { ground: Ground::PublicDuty, since, guardian: None, source: source.into() }
    }

    #[test]
    fn a_roster_without_the_columns_enrols_on_the_offices_public_duty_from_the_day_of_the_sync() {
        let settled = RULES.settle(&Said::default(), &adult(), None);
        assert_eq!(settled, Ok(Some(duty(TODAY, "november.csv"))));
    }

    #[test]
    fn a_later_roster_that_says_nothing_keeps_what_is_known() {
        let before = Basis {
            ground: Ground::ConsentToRecognition,
            since: date(2026, 3, 1),
            guardian: None,
            source: "desk 4".into(),
        };
        assert_eq!(RULES.settle(&Said::default(), &adult(), Some(Some(&before))), Ok(Some(before)));
        assert_eq!(RULES.settle(&Said::default(), &adult(), Some(None)), Ok(None), "enrolled before it was noted");
    }

    #[test]
    fn a_row_that_says_the_same_again_changes_nothing() {
        let before = duty(date(2026, 3, 1), "march.csv");
        let again = said(["法定职责", "", "", ""]).unwrap();
        assert_eq!(RULES.settle(&again, &adult(), Some(Some(&before))), Ok(Some(before)));
    }

    #[test]
    fn a_consent_has_its_own_day_and_is_never_dated_by_the_sync() {
        let dated = said(["同意识别；同意核验", "2026年11月2日", "", "登记台"]).unwrap();
        let basis = Basis {
            ground: Ground::ConsentToRecognitionAndVerification,
            since: date(2026, 11, 2),
            guardian: None,
            source: "登记台".into(),
        };
        assert_eq!(RULES.settle(&dated, &adult(), None), Ok(Some(basis)));
        let undated = said(["consent-recognition", "", "", ""]).unwrap();
        assert_eq!(RULES.settle(&undated, &adult(), None), Err(BasisFault::Undated));
        let duty = duty(date(2026, 3, 1), "march.csv");
        assert_eq!(
            RULES.settle(&undated, &adult(), Some(Some(&duty))),
            Err(BasisFault::Undated),
            "the day of another ground is not the consent's"
        );
    }

    #[test]
    fn whoever_agreed_to_something_else_or_to_nothing_in_particular_is_not_enrolled() {
        for (value, fault) in [
            ("consent", BasisFault::ToWhat),
            ("同意", BasisFault::ToWhat),
            ("consent-verification", BasisFault::VerificationOnly),
            ("public-duty; consent-recognition", BasisFault::Unknown),
            ("because", BasisFault::Unknown),
        ] {
            assert_eq!(said([value, "2026-11-01", "", ""]), Err(fault), "{value}");
            assert_eq!(fault.ends(), value == "consent-verification", "{value}");
        }
        let wrong = said(["consent-recognition", "soon", "", ""]).unwrap_err();
        assert_eq!(wrong, BasisFault::NoDay("the day of the basis"));
        let wrong = said(["consent-recognition", "2026-11-30", "", ""]).unwrap_err();
        assert_eq!(wrong, BasisFault::ToCome("the day of the basis"));
    }

    #[test]
    fn an_office_that_asks_for_a_basis_in_each_row_gets_it() {
        let strict = Rules { rule: BasisRule::Column, ..RULES };
        let before = duty(TODAY, "november.csv");
        assert_eq!(strict.settle(&Said::default(), &adult(), Some(Some(&before))), Err(BasisFault::Missing));
        assert!(strict.settle(&said(["public-duty", "", "", ""]).unwrap(), &adult(), None).is_ok());
    }

    #[test]
    fn until_the_day_of_their_fourteenth_birthday_a_guardian_must_agree_too() {
        let (turns_today, turns_tomorrow) = (IdNumber::new("110105201211290021"), IdNumber::new("110105201211300021"));
        let alone = said(["consent-recognition", "2026-11-01", "", ""]).unwrap();
        assert!(RULES.settle(&alone, &turns_today, None).is_ok());
        assert_eq!(RULES.settle(&alone, &turns_tomorrow, None), Err(BasisFault::Guardian));
        let both = said(["consent-recognition", "2026-11-01", "2026/11/02", ""]).unwrap();
        let basis = RULES.settle(&both, &turns_tomorrow, None).unwrap().unwrap();
        assert_eq!(basis.guardian, Some(date(2026, 11, 2)));
        assert_eq!(RULES.settle(&alone, &turns_tomorrow, Some(Some(&basis))), Ok(Some(basis)), "it stays");
        assert!(RULES.settle(&Said::default(), &turns_tomorrow, None).is_ok(), "a public duty needs no consent");
    }
}
