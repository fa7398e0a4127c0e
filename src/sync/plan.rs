//! Compares the roster with the store and decides what is to be done. Pure: no file, no store, no network.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{
    SyncError,
    roster::{RejectedRow, Row},
};
use crate::{
    person::{IdNumber, Person, RecordNumber},
    store::{PhotoDigest, RefusedPhoto, Taxpayer},
};

/// Below this many people, `--mirror` may remove more than half.
const FEW_PEOPLE: usize = 20;

/// A roster's row and what its photo files are.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub row: Row,
    /// One for each of the row's photos: its digest, or what is wrong with the file.
    pub digests: Vec<Result<PhotoDigest, String>>,
}

/// What is to be done with a photo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhotoStep {
    /// It is in the store with its template.
    Keep(PhotoDigest),
    /// It needs a template.
    Embed(PhotoDigest),
    /// It was examined before and cannot be used.
    Known(RefusedPhoto),
    /// The file cannot be used.
    Fault(String),
}

/// What is to be done with a row.
#[derive(Debug, Clone)]
pub struct Step {
    pub row: Row,
    /// As the row has them.
    pub photos: Vec<PhotoStep>,
    /// Of all files of the row that can be read.
    pub digests: Vec<PhotoDigest>,
    /// The person as the store has them.
    pub before: Option<Taxpayer>,
    /// Whether store and row say the same.
    pub unchanged: bool,
}

/// Everything that is to be done.
#[derive(Debug, Default)]
pub struct Plan {
    /// In the roster's order.
    pub steps: Vec<Step>,
    /// People whose rows say that they must not be kept, and with `--mirror` those who left.
    pub removals: Vec<Taxpayer>,
    /// Rows that make no sense, with the record of the person they probably mean.
    pub rejected: Vec<(RejectedRow, Option<RecordNumber>)>,
}

/// Whether people who are not in the roster are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirror {
    /// They stay.
    No,
    /// They go, if they are not more than half.
    Guarded,
    /// They go, however many.
    AllowMassRemoval,
    /// They stay; those whose rows say so go, however many.
    NoMassGuard,
}

/// Decides. `model` is the recogniser whose templates are wanted.
///
/// # Errors
/// [`SyncError::MassRemoval`].
pub fn plan(
    candidates: Vec<Candidate>,
    rejected: Vec<RejectedRow>,
    enrolled: Vec<Taxpayer>,
    model: &str,
    mirror: Mirror,
) -> Result<Plan, SyncError> {
    let taken = TakenPhotos::of(&candidates, &enrolled, mirror);
    let total = enrolled.len();
    let mut left: BTreeMap<RecordNumber, Taxpayer> = BTreeMap::new();
    let mut by_id: HashMap<IdNumber, RecordNumber> = HashMap::new();
    for person in enrolled {
        by_id.insert(person.person.id_number.clone(), person.record);
        left.insert(person.record, person);
    }
    let mut plan = Plan::default();
    for candidate in candidates {
        let before = by_id.get(&candidate.row.person.id_number).and_then(|record| left.remove(record));
        plan.steps.push(step(candidate, before, model, &taken));
    }
    for row in rejected {
        let meant = probably_meant(&row, &by_id, &left);
        // Whoever a bad row may mean is in the roster, so they stay, if it does not say the contrary.
        let those = meant.iter().filter_map(|record| left.remove(record));
        plan.removals.extend(those.filter(|_| row.ends));
        plan.rejected.push((row, meant.first().copied()));
    }
    if matches!(mirror, Mirror::Guarded | Mirror::AllowMassRemoval) {
        plan.removals.extend(left.into_values());
    }
    let removed = plan.removals.len();
    if matches!(mirror, Mirror::No | Mirror::Guarded) && total > FEW_PEOPLE && removed * 2 > total {
        return Err(SyncError::MassRemoval { removed, enrolled: total });
    }
    Ok(plan)
}

/// Photos that are somebody else's too: at most one person can be on them, and nobody here knows who.
struct TakenPhotos {
    /// Rows that name the same picture.
    by_rows: HashMap<PhotoDigest, BTreeSet<usize>>,
    /// Records outside of the roster that stay in the store.
    by_record: HashMap<PhotoDigest, RecordNumber>,
}

impl TakenPhotos {
    fn of(candidates: &[Candidate], enrolled: &[Taxpayer], mirror: Mirror) -> Self {
        let mut by_rows: HashMap<PhotoDigest, BTreeSet<usize>> = HashMap::new();
        for candidate in candidates {
            for digest in candidate.digests.iter().flatten() {
                by_rows.entry(*digest).or_default().insert(candidate.row.number);
            }
        }
        by_rows.retain(|_, rows| rows.len() > 1);
        let in_roster: HashSet<_> = candidates.iter().map(|candidate| &candidate.row.person.id_number).collect();
        let outside = enrolled.iter().filter(|person| {
            matches!(mirror, Mirror::No | Mirror::NoMassGuard) && !in_roster.contains(&person.person.id_number)
        });
        let by_record =
            outside.flat_map(|person| person.photos.iter().map(|photo| (photo.digest, person.record))).collect();
        Self { by_rows, by_record }
    }

    /// Why the row with number `ours` cannot have this photo.
    fn fault(&self, digest: PhotoDigest, ours: usize) -> Option<String> {
        if let Some(rows) = self.by_rows.get(&digest) {
            let others =
                rows.iter().filter(|row| **row != ours).map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Some(format!(
                "is the same picture as in row {others}; a photo is one person's, name the right one in each row"
            ));
        }
        self.by_record.get(&digest).map(|record| {
            format!(
                "is the picture of record {record}, who is not in the roster. If both are one person whose identity number was corrected, run `greeter people erase {}` and this sync again",
                record.0
            )
        })
    }
}

/// The people whom a bad row may mean: by its identity number where that can be read, else by name or phone number.
fn probably_meant(
    row: &RejectedRow,
    by_id: &HashMap<IdNumber, RecordNumber>,
    left: &BTreeMap<RecordNumber, Taxpayer>,
) -> Vec<RecordNumber> {
    if let Some(id_number) = &row.id_number {
        return by_id.get(id_number).copied().into_iter().collect();
    }
    let alike = |person: &Taxpayer| {
        row.name.as_ref() == Some(&person.person.name) || row.phone.as_ref() == Some(&person.person.phone)
    };
    left.iter().filter(|(_, person)| alike(person)).map(|(record, _)| *record).collect()
}

fn step(candidate: Candidate, before: Option<Taxpayer>, model: &str, taken: &TakenPhotos) -> Step {
    let Candidate { row, digests } = candidate;
    let all: Vec<PhotoDigest> = digests.iter().flatten().copied().collect();
    let mut seen = HashSet::new();
    let photos: Vec<_> = digests
        .into_iter()
        .map(|digest| match digest {
            Err(reason) => PhotoStep::Fault(reason),
            Ok(digest) if !seen.insert(digest) => {
                PhotoStep::Fault("is the same picture as another one of this row".into())
            }
            Ok(digest) => match taken.fault(digest, row.number) {
                Some(fault) => PhotoStep::Fault(fault),
                None => known(digest, &all, before.as_ref(), model).unwrap_or(PhotoStep::Embed(digest)),
            },
        })
        .collect();
    let unchanged = before.as_ref().is_some_and(|before| says_the_same(before, &row.person, &photos));
    Step { row, photos, digests: all, before, unchanged }
}

/// What is known already of a photo in a row with the photos `all`.
fn known(digest: PhotoDigest, all: &[PhotoDigest], before: Option<&Taxpayer>, model: &str) -> Option<PhotoStep> {
    let before = before?;
    if let Some(photo) = before.photos.iter().find(|photo| photo.digest == digest) {
        let refused =
            |reason: &String| RefusedPhoto { digest, model: model.into(), reason: reason.clone(), beside: Vec::new() };
        let used = photo.models.contains(model).then_some(PhotoStep::Keep(digest));
        return used.or_else(|| photo.refused_by.get(model).map(refused).map(PhotoStep::Known));
    }
    let holds = |photo: &&RefusedPhoto| photo.model == model && (photo.beside.is_empty() || photo.beside == all);
    let refused = before.refused.iter().filter(|photo| photo.digest == digest).find(holds)?;
    Some(PhotoStep::Known(refused.clone()))
}

fn says_the_same(before: &Taxpayer, person: &Person, photos: &[PhotoStep]) -> bool {
    let kept: Vec<_> =
        photos.iter().filter_map(|photo| if let PhotoStep::Keep(kept) = photo { Some(kept) } else { None }).collect();
    let refused: Vec<_> = photos
        .iter()
        .filter_map(|photo| if let PhotoStep::Known(refused) = photo { Some(refused) } else { None })
        .collect();
    *person == before.person
        && kept == before.photos.iter().map(|photo| &photo.digest).collect::<Vec<_>>()
        && refused == before.refused.iter().collect::<Vec<_>>()
        && !photos.iter().any(|photo| matches!(photo, PhotoStep::Embed(_)))
}

impl Step {
    /// Whether any photo may do.
    pub fn has_hope(&self) -> bool {
        self.photos.iter().any(|photo| matches!(photo, PhotoStep::Keep(_) | PhotoStep::Embed(_)))
    }

    /// What is different from the store, in words for the report.
    pub fn differences(&self, before: &Taxpayer) -> String {
        let (old, new) = (&before.person, &self.row.person);
        let photos = self.photos.iter().any(|photo| matches!(photo, PhotoStep::Embed(_)))
            || self.photos.iter().filter(|photo| matches!(photo, PhotoStep::Keep(_))).count() != before.photos.len();
        let different = [
            ("name", old.name != new.name),
            ("pronunciation", old.pronunciation != new.pronunciation),
            ("phone", old.phone != new.phone),
            ("language", old.language != new.language),
            ("salutation", old.salutation != new.salutation),
            ("category", old.category != new.category),
            ("services", old.services != new.services),
            ("appointment", old.appointment != new.appointment),
            ("expected", old.expected != new.expected),
            ("basis", old.basis != new.basis),
            ("valid until", old.valid_until != new.valid_until),
            ("photos", photos),
        ];
        let names: Vec<_> = different.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect();
        if names.is_empty() { "photos in another order".into() } else { names.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        person::{PersonName, PhoneNumber},
        store::StoredPhoto,
        sync::basis::Said,
    };

    const MODEL: &str = "net";

    fn person(name: &str) -> Person {
        Person::new(
            IdNumber::new(format!("id of {name}")),
            PersonName::new(name),
            PhoneNumber::new(format!("phone of {name}")),
        )
    }

    fn candidate(number: usize, name: &str, photos: &[&str]) -> Candidate {
        let row = Row {
            number,
            person: person(name),
            photos: photos.iter().map(|name| (*name).into()).collect(),
            notes: vec![],
            basis: Said::default(),
        };
        Candidate { row, digests: photos.iter().map(|photo| Ok(PhotoDigest::of(photo.as_bytes()))).collect() }
    }

    fn enrolled(record: u64, name: &str, photos: &[&str]) -> Taxpayer {
        let stored = |(number, photo): (usize, &&str)| StoredPhoto {
            number: number as u16,
            digest: PhotoDigest::of(photo.as_bytes()),
            models: [MODEL.to_owned()].into(),
            ..StoredPhoto::default()
        };
        Taxpayer {
            record: RecordNumber(record),
            person: person(name),
            photos: photos.iter().enumerate().map(stored).collect(),
            refused: Vec::new(),
        }
    }

    fn bad_row(id: Option<&str>, name: Option<&str>) -> RejectedRow {
        RejectedRow {
            number: 9,
            id_number: id.map(|name| IdNumber::new(format!("id of {name}"))),
            name: name.map(PersonName::new),
            phone: None,
            reason: "bad".into(),
            ends: false,
        }
    }

    #[test]
    fn the_same_roster_again_is_nothing_to_do() {
        let plan = plan(
            vec![candidate(2, "Chen", &["a", "b"])],
            vec![],
            vec![enrolled(1, "Chen", &["a", "b"])],
            MODEL,
            Mirror::No,
        );
        assert!(plan.unwrap().steps[0].unchanged);
    }

    #[test]
    fn a_new_photo_a_new_phone_and_a_new_model_are_changes() {
        let before = enrolled(1, "Chen", &["a"]);
        let first = |candidate, model| {
            plan(vec![candidate], vec![], vec![before.clone()], model, Mirror::No).unwrap().steps.remove(0)
        };
        let photo = first(candidate(2, "Chen", &["a", "b"]), MODEL);
        assert!(!photo.unchanged);
        assert!(matches!(photo.photos[..], [PhotoStep::Keep(_), PhotoStep::Embed(_)]));
        assert_eq!(photo.differences(&before), "photos");
        let mut phone = candidate(2, "Chen", &["a"]);
        phone.row.person.phone = PhoneNumber::new("+1");
        assert_eq!(first(phone, MODEL).differences(&before), "phone");
        let model = first(candidate(2, "Chen", &["a"]), "better-net");
        assert!(!model.unchanged && matches!(model.photos[..], [PhotoStep::Embed(_)]));
    }

    #[test]
    fn a_photo_that_was_refused_is_not_examined_again_by_the_same_model() {
        let mut before = enrolled(1, "Chen", &["a"]);
        let digest = PhotoDigest::of(b"b");
        before.refused =
            vec![RefusedPhoto { digest, model: MODEL.into(), reason: "shows no face".into(), beside: vec![] }];
        let first = |model| {
            plan(vec![candidate(2, "Chen", &["a", "b"])], vec![], vec![before.clone()], model, Mirror::No)
                .unwrap()
                .steps
                .remove(0)
        };
        assert!(first(MODEL).unchanged);
        assert!(matches!(first("better-net").photos[1], PhotoStep::Embed(_)));
    }

    #[test]
    fn a_stored_photo_that_another_model_refused_is_not_examined_again_by_that_model() {
        let mut before = enrolled(1, "Chen", &["a", "b"]);
        before.photos[1].refused_by.insert("better-net".into(), "shows no face".into());
        before.photos[0].models.insert("better-net".into());
        let first = |model| {
            let rows = vec![candidate(2, "Chen", &["a", "b"])];
            plan(rows, vec![], vec![before.clone()], model, Mirror::No).unwrap().steps.remove(0)
        };
        assert!(first(MODEL).unchanged);
        let better = first("better-net");
        assert!(!better.unchanged, "its record says so from now on");
        assert!(
            matches!(&better.photos[..], [PhotoStep::Keep(_), PhotoStep::Known(refused)] if refused.reason == "shows no face")
        );
    }

    #[test]
    fn a_photo_that_was_unlike_the_others_is_looked_at_again_when_the_others_change() {
        let digest = |name: &str| PhotoDigest::of(name.as_bytes());
        let mut before = enrolled(1, "Chen", &["a", "b"]);
        let beside = ["a", "b", "c"].map(digest).to_vec();
        before.refused =
            vec![RefusedPhoto { digest: digest("c"), model: MODEL.into(), reason: "is unlike".into(), beside }];
        let third = |photos: &[&str]| {
            let rows = vec![candidate(2, "Chen", photos)];
            plan(rows, vec![], vec![before.clone()], MODEL, Mirror::No).unwrap().steps.remove(0).photos.pop().unwrap()
        };
        assert!(matches!(third(&["a", "b", "c"]), PhotoStep::Known(_)));
        assert!(matches!(third(&["a", "c"]), PhotoStep::Embed(_)));
        assert!(matches!(third(&["a", "b", "d", "c"]), PhotoStep::Embed(_)));
    }

    #[test]
    fn one_picture_for_two_people_is_nobodys() {
        let plan = plan(
            vec![candidate(2, "Chen", &["a"]), candidate(3, "Li", &["a", "b"])],
            vec![],
            vec![],
            MODEL,
            Mirror::No,
        )
        .unwrap();
        assert!(!plan.steps[0].has_hope());
        assert!(plan.steps[1].has_hope());
        let PhotoStep::Fault(reason) = &plan.steps[1].photos[0] else { panic!() };
        assert!(reason.contains("row 2;"), "{reason}");
    }

    #[test]
    fn a_corrected_identity_number_does_not_make_two_people_with_one_face() {
        let first = |mirror| {
            let store = vec![enrolled(1, "Chen with a typo", &["a"])];
            plan(vec![candidate(2, "Chen", &["a"])], vec![], store, MODEL, mirror).unwrap().steps.remove(0)
        };
        let PhotoStep::Fault(reason) = &first(Mirror::No).photos[0] else { panic!() };
        assert!(reason.contains("picture of record #1") && reason.contains("greeter people erase 1"), "{reason}");
        assert!(first(Mirror::Guarded).has_hope(), "--mirror removes the old record");
    }

    #[test]
    fn only_mirror_removes_whoever_left_the_roster() {
        let store = || vec![enrolled(1, "Chen", &["a"]), enrolled(2, "Li", &["b"])];
        let removed =
            |mirror| plan(vec![candidate(2, "Chen", &["a"])], vec![], store(), MODEL, mirror).unwrap().removals;
        assert!(removed(Mirror::No).is_empty());
        assert_eq!(removed(Mirror::Guarded), vec![enrolled(2, "Li", &["b"])]);
    }

    #[test]
    fn whoever_a_bad_row_may_mean_is_not_removed() {
        let store = || vec![enrolled(1, "Chen", &["a"]), enrolled(2, "Li", &["b"])];
        for bad in [bad_row(Some("Li"), None), bad_row(None, Some("Li"))] {
            let plan = plan(vec![candidate(2, "Chen", &["a"])], vec![bad], store(), MODEL, Mirror::Guarded).unwrap();
            assert!(plan.removals.is_empty());
            assert_eq!(plan.rejected[0].1, Some(RecordNumber(2)));
        }
        let another = bad_row(Some("somebody else"), Some("Li"));
        let plan = plan(vec![candidate(2, "Chen", &["a"])], vec![another], store(), MODEL, Mirror::Guarded).unwrap();
        assert_eq!(plan.removals.len(), 1, "a readable identity number says that the row means another Li");
    }

    #[test]
    fn whoever_a_row_says_must_not_be_kept_is_removed_also_without_mirror() {
        let bad = RejectedRow { ends: true, ..bad_row(Some("Li"), None) };
        let store = vec![enrolled(1, "Chen", &["a"]), enrolled(2, "Li", &["b"])];
        let plan = plan(vec![], vec![bad.clone()], store, MODEL, Mirror::No).unwrap();
        assert_eq!(plan.removals, vec![enrolled(2, "Li", &["b"])]);
        let many = || (1..=30).map(|n| enrolled(n, &format!("person {n}"), &["x"])).collect::<Vec<_>>();
        let all_bad = || (1..=30).map(|n| RejectedRow { ends: true, ..bad_row(Some(&format!("person {n}")), None) });
        assert!(super::plan(vec![], all_bad().collect(), many(), MODEL, Mirror::No).is_err());
        let removed = super::plan(vec![], all_bad().collect(), many(), MODEL, Mirror::NoMassGuard).unwrap().removals;
        assert_eq!(removed.len(), 30);
    }

    #[test]
    fn half_a_roster_does_not_empty_the_store_by_accident() {
        let store = || (1..=30).map(|n| enrolled(n, &format!("person {n}"), &["x"])).collect::<Vec<_>>();
        let rows = || vec![candidate(2, "person 1", &["x"])];
        let error = plan(rows(), vec![], store(), MODEL, Mirror::Guarded).unwrap_err();
        assert!(error.to_string().starts_with("29 of the 30 people"), "{error}");
        assert_eq!(plan(rows(), vec![], store(), MODEL, Mirror::AllowMassRemoval).unwrap().removals.len(), 29);
    }
}
