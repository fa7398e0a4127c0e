//! The 100,000-person meter: from so many people's faces on, the office files with the authority (2025 Measures on face recognition,
//! art. 15). Pure.

/// From so many on the office files.
const FILES: usize = 100_000;
/// From so many on it is told that it will have to.
const SOON: usize = 80_000;
/// From so many on it is told what to have ready.
const PREPARES: usize = 90_000;

/// What the office is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How it stands.
    pub what: String,
    /// What to do.
    pub then: &'static str,
}

/// For an office that keeps so many people's faces; `None` below 80,000.
pub fn notice(people: usize) -> Option<Notice> {
    let then = match people {
        ..SOON => return None,
        SOON..PREPARES => {
            "ask who in the office will file with the Cyberspace Administration of the province (省级网信部门), or enrol only people who are still expected: `greeter sync --mirror`"
        }
        PREPARES..FILES => {
            "have ready: who the office is, purpose and way of processing, how many faces and how they are protected, the rules of processing, and the impact assessment (docs/impact-assessment.md)"
        }
        _ => {
            "file within 30 working days of the day on which it reached 100,000, with the Cyberspace Administration of the province (省级网信部门): who the office is, purpose and way of processing, how many faces and how they are protected, the rules of processing, and the impact assessment (docs/impact-assessment.md); a material change is filed within 30 working days, too"
        }
    };
    let duty = if people < FILES { "from 100,000 on the office has to file" } else { "the office has to file" };
    Some(Notice { what: format!("{people} people's faces are kept; {duty} (2025 Measures, art. 15)"), then })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_office_is_told_at_80000_at_90000_and_when_it_has_to_file() {
        let then = |people| notice(people).map(|notice| notice.then);
        assert_eq!(then(0).or(then(79_999)), None);
        assert!(then(80_000).unwrap().contains("who in the office will file"));
        assert_eq!(then(89_999), then(80_000));
        assert!(then(90_000).unwrap().starts_with("have ready") && then(99_999) == then(90_000));
        assert!(then(100_000).unwrap().starts_with("file within 30 working days"));
        assert_eq!(then(1_000_000), then(100_000));
        let what = notice(90_001).unwrap().what;
        assert_eq!(
            what,
            "90001 people's faces are kept; from 100,000 on the office has to file (2025 Measures, art. 15)"
        );
        assert!(notice(100_000).unwrap().what.contains("kept; the office has to file"));
    }
}
