//! How far a recogniser has come with the stored photos. Pure.

use std::fmt;

use crate::{
    person::RecordNumber,
    store::{StoredPhoto, Taxpayer},
};

/// Records that a message names at most.
const NAMED: usize = 20;

/// A stored photo that a recogniser cannot use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Whose.
    pub record: RecordNumber,
    /// Which of their photos, from 1 on, in the roster's order.
    pub photo: usize,
    /// Completes the sentence "photo X …".
    pub reason: String,
}

/// What a recogniser has made of everybody's photos.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Everybody.
    pub people: usize,
    /// Photos with a template.
    pub used: usize,
    /// Photos that it has not looked at.
    pub waiting: usize,
    /// Photos that it cannot use.
    pub refused: Vec<Refusal>,
    /// People of whose photos it can use none: with it they are greeted without a name.
    pub left_out: Vec<RecordNumber>,
}

impl Coverage {
    /// Of `model`.
    pub fn of(enrolled: &[Taxpayer], model: &str) -> Self {
        let mut coverage = Self { people: enrolled.len(), ..Self::default() };
        for person in enrolled {
            let record = person.record;
            let used = person.photos.iter().filter(|photo| photo.models.contains(model)).count();
            let waiting = person.photos.iter().filter(|photo| !photo.examined_by(model)).count();
            coverage.used += used;
            coverage.waiting += waiting;
            let refusal = |(at, photo): (usize, &StoredPhoto)| {
                let reason = photo.refused_by.get(model)?.clone();
                Some(Refusal { record, photo: at + 1, reason })
            };
            coverage.refused.extend(person.photos.iter().enumerate().filter_map(refusal));
            if used + waiting == 0 {
                coverage.left_out.push(record);
            }
        }
        coverage
    }

    /// Whether it has looked at every photo.
    pub fn is_complete(&self) -> bool {
        self.waiting == 0
    }
}

/// The photos that `model` has not looked at, by record number.
pub fn waiting<'e>(
    enrolled: &'e [Taxpayer],
    model: &'e str,
) -> impl Iterator<Item = (RecordNumber, &'e StoredPhoto)> + 'e {
    let of = move |person: &'e Taxpayer| person.photos.iter().map(|photo| (person.record, photo));
    enrolled.iter().flat_map(of).filter(|(_, photo)| !photo.examined_by(model))
}

/// What the operator reads where not everybody can be recognised by `model`, with the cure.
pub fn complaint(people: usize, recognisable: usize, model: &str) -> Option<String> {
    match (people, people.saturating_sub(recognisable)) {
        (0, _) => Some(
            "nobody is enrolled yet: everybody is greeted without a name. Preload people with `greeter sync`".into(),
        ),
        (_, 0) => None,
        (_, missing) if missing == people => Some(format!(
            "none of the {people} people in the store has a template by {model}, the recogniser in use: everybody is greeted without a name. Run `greeter reindex`"
        )),
        (_, missing) => Some(format!(
            "{missing} of the {people} people in the store have no template by {model}, the recogniser in use, and are greeted without a name. Run `greeter reindex`"
        )),
    }
}

/// What staff read: photos that cannot be used, then the people whom that leaves without a name.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Refusal { record, photo, reason } in &self.refused {
            writeln!(f, "record {record}: photo {photo} {reason}")?;
        }
        write!(f, "{} people, {} photos with a template", self.people, self.used)?;
        match (self.waiting, self.refused.len()) {
            (0, 0) => write!(f, "."),
            (0, refused) => write!(f, ", {refused} that cannot be used."),
            (waiting, refused) => write!(f, ", {refused} that cannot be used, {waiting} still to be looked at."),
        }?;
        if self.left_out.is_empty() {
            return Ok(());
        }
        let named: Vec<String> = self.left_out.iter().take(NAMED).map(ToString::to_string).collect();
        let more = match self.left_out.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        write!(
            f,
            " {} people have no photo that can be used and are greeted without a name with these networks: {}{more}. Put another photo into their rows of the roster and run `greeter sync`.",
            self.left_out.len(),
            named.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::{IdNumber, Person, PersonName, PhoneNumber};

    const OLD: &str = "old-net";
    const NEW: &str = "new-net";

    /// Each photo: whether the new network has a template of it, refused it, or has not seen it.
    fn person(record: u64, photos: &[Option<Result<(), &str>>]) -> Taxpayer {
        let photo = |(number, new): (usize, &Option<Result<(), &str>>)| {
            let mut photo =
                StoredPhoto { number: number as u16, models: [OLD.to_owned()].into(), ..StoredPhoto::default() };
            match new {
                None => {}
                Some(Ok(())) => drop(photo.models.insert(NEW.into()).then_some(())),
                Some(Err(reason)) => drop(photo.refused_by.insert(NEW.into(), (*reason).into())),
            }
            photo
        };
        Taxpayer {
            record: RecordNumber(record),
            person: Person::new(
                IdNumber::new(format!("ID {record}")),
                PersonName::new("Chen Wei"),
                PhoneNumber::new("+8613800138000"),
            ),
            photos: photos.iter().enumerate().map(photo).collect(),
            refused: Vec::new(),
        }
    }

    #[test]
    fn who_waits_who_is_covered_and_who_is_left_out_is_counted_for_one_recogniser() {
        let refusal = Some(Err("shows no face"));
        let everybody =
            [person(1, &[Some(Ok(())), None]), person(2, &[refusal, Some(Ok(()))]), person(3, &[refusal, refusal])];
        let new = Coverage::of(&everybody, NEW);
        assert_eq!((new.people, new.used, new.waiting, new.refused.len()), (3, 2, 1, 3));
        assert_eq!(new.left_out, [RecordNumber(3)]);
        assert!(!new.is_complete());
        assert_eq!(
            waiting(&everybody, NEW).map(|(record, photo)| (record.0, photo.number)).collect::<Vec<_>>(),
            [(1, 1)]
        );
        let old = Coverage::of(&everybody, OLD);
        assert!(old.is_complete() && old.left_out.is_empty() && old.refused.is_empty());
        assert_eq!(old.used, 6);
    }

    #[test]
    fn somebody_who_is_still_waiting_is_not_called_left_out() {
        assert!(Coverage::of(&[person(1, &[Some(Err("is dark")), None])], NEW).left_out.is_empty());
    }

    #[test]
    fn staff_read_which_photo_is_at_fault_and_whom_it_leaves_without_a_name() {
        let text = Coverage::of(&[person(7, &[Some(Err("shows no face"))]), person(8, &[Some(Ok(()))])], NEW);
        assert_eq!(
            text.to_string(),
            "record #7: photo 1 shows no face\n2 people, 1 photos with a template, 1 that cannot be used. 1 people have no photo that can be used and are greeted without a name with these networks: #7. Put another photo into their rows of the roster and run `greeter sync`."
        );
        let many: Vec<_> = (1..=25).map(|record| person(record, &[Some(Err("shows no face"))])).collect();
        assert!(Coverage::of(&many, NEW).to_string().contains("#20 and 5 more. "));
    }

    #[test]
    fn operators_read_why_nobody_is_recognised_and_what_to_do() {
        assert_eq!(complaint(2, 2, "net"), None);
        let text = complaint(2, 0, "net").unwrap();
        assert!(text.starts_with("none of the 2 people in the store has a template by net"), "{text}");
        assert!(complaint(2, 1, "net").unwrap().ends_with("Run `greeter reindex`"));
        assert!(complaint(0, 0, "net").unwrap().contains("Preload people with `greeter sync`"));
    }
}
