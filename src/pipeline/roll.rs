//! Everybody who is enrolled, as the running program needs them: the gallery to search and the records to greet from.
//!
//! The roll is replaced as a whole when `greeter sync` has changed the store, while the robot goes on serving with the old one.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    face::Template,
    gallery::{Gallery, decision::Demands},
    person::{RecordNumber, Taxpayer},
};

/// Everybody at one moment.
pub struct Roll {
    /// For searching.
    pub gallery: Gallery,
    /// What a visitor must reach to be named among so many people.
    pub demands: Demands,
    people: HashMap<RecordNumber, Taxpayer>,
}

impl Roll {
    /// Puts people and templates together. Templates without a person are left out: they could not be greeted.
    pub fn new(
        people: Vec<Taxpayer>,
        mut templates: Vec<(RecordNumber, Template)>,
        demands: impl Fn(usize) -> Demands,
    ) -> Self {
        let people: HashMap<_, _> = people.into_iter().map(|person| (person.record, person)).collect();
        templates.retain(|(record, _)| people.contains_key(record));
        let gallery = Gallery::new(templates);
        Self { demands: demands(gallery.people()), gallery, people }
    }

    /// The same people's templates as before with the records of today: who was erased since has no name any more.
    pub fn with_people(&self, people: Vec<Taxpayer>) -> Self {
        let people = people.into_iter().map(|person| (person.record, person)).collect();
        Self { gallery: self.gallery.clone(), demands: self.demands, people }
    }

    /// How many people can be recognised.
    pub fn recognisable(&self) -> usize {
        self.gallery.people()
    }

    /// A person's record.
    pub fn person(&self, record: RecordNumber) -> Option<&Taxpayer> {
        self.people.get(&record)
    }

    /// Everybody's records.
    pub fn into_people(self) -> Vec<Taxpayer> {
        self.people.into_values().collect()
    }

    /// How many people have a record.
    pub fn people(&self) -> usize {
        self.people.len()
    }
}

/// The roll that holds now. Clones share it.
#[derive(Clone)]
pub struct CurrentRoll(Arc<RwLock<Arc<Roll>>>);

impl CurrentRoll {
    /// Begins with a roll.
    pub fn new(roll: Roll) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(roll))))
    }

    /// The roll that holds now; it stays whole for as long as the caller keeps it.
    pub fn get(&self) -> Arc<Roll> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts a new one in its place.
    pub fn replace(&self, roll: Roll) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(roll);
    }
}
