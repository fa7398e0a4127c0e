//! Everybody who is enrolled, as the running program needs them: the gallery to search and the cards to greet from.
//!
//! The roll is changed in place when `greeter sync` has changed the store, between two looks at it: whoever looks sees each person as they
//! were before or as they are after, never half of both.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use jiff::civil::Date;

use crate::{
    face::Template,
    gallery::{Entry, Gallery, decision::Demands},
    hold::OnHold,
    person::{Card, RecordNumber},
    store::Version,
    visit::hall::{About, Enrolled},
};

/// The category of those who work in the hall.
const STAFF: &str = "staff";

/// Everybody at one moment.
pub struct Roll {
    /// For searching.
    pub gallery: Gallery,
    /// What a visitor must reach to be named among so many people.
    pub demands: Demands,
    /// Of the store when this was read.
    pub generation: u64,
    cards: BTreeMap<RecordNumber, (Version, Card)>,
    /// Who is expected on it counts.
    day: Date,
    is_silent: bool,
    on_hold: OnHold,
    hold_changes: u64,
}

/// What becomes of one person.
pub enum Change {
    /// They are new or have changed.
    Put {
        /// Who.
        record: RecordNumber,
        /// Which version this is.
        version: Version,
        /// What to greet them from.
        card: Card,
        /// Their templates; `None`: those that serve already.
        templates: Option<Vec<Template>>,
    },
    /// They are no longer enrolled.
    Remove(RecordNumber),
}

impl Roll {
    /// Nobody yet.
    pub fn empty(demands: Demands) -> Self {
        Self {
            gallery: Gallery::default(),
            demands,
            generation: 0,
            cards: BTreeMap::new(),
            day: Date::MIN,
            is_silent: false,
            on_hold: OnHold::default(),
            hold_changes: 0,
        }
    }

    /// Makes the changes, one a person; `demands` says what a visitor must reach among so many people.
    pub fn update(&mut self, changes: Vec<Change>, demands: impl Fn(usize) -> Demands) {
        let mut entries = Vec::with_capacity(changes.len());
        for change in changes {
            match change {
                Change::Put { record, version, card, templates } => {
                    self.gallery.expect(record, card.is_expected(self.day));
                    self.cards.insert(record, (version, card));
                    entries.extend(templates.map(|templates| Entry::mean(record, &templates)));
                }
                Change::Remove(record) => {
                    self.cards.remove(&record);
                    self.gallery.expect(record, false);
                    entries.push(Entry::gone(record));
                }
            }
        }
        self.gallery.update(entries);
        self.demands = Demands::shared(self.gallery.people(), self.gallery.expected(), demands);
    }

    /// A day begins; another one's appointments are over.
    pub fn begin_day(&mut self, day: Date, demands: impl Fn(usize) -> Demands) {
        self.day = day;
        self.cards.iter().for_each(|(record, (_, card))| self.gallery.expect(*record, card.is_expected(day)));
        self.update(Vec::new(), demands);
    }

    /// The day on which people are expected.
    pub fn day(&self) -> Date {
        self.day
    }

    /// A person's card.
    pub fn person(&self, record: RecordNumber) -> Option<&Card> {
        self.cards.get(&record).map(|(_, card)| card)
    }

    /// Whether this person must not be named, though they are recognised. To be asked immediately before words are made.
    pub fn on_hold(&self, record: RecordNumber) -> bool {
        self.on_hold.contains(record)
    }

    /// Whether this person is enrolled and not on hold, and names are said at all.
    pub fn may_be_named(&self, record: RecordNumber) -> bool {
        !self.is_silent && self.version(record).is_some() && !self.on_hold(record)
    }

    /// From now on names are decided and nobody is named.
    pub fn be_silent(&mut self) {
        self.is_silent = true;
    }

    /// Who is on hold.
    pub fn holds(&self) -> &OnHold {
        &self.on_hold
    }

    /// Counts the changes of who is on hold, for whoever must hear of one.
    pub fn hold_changes(&self) -> u64 {
        self.hold_changes
    }

    /// Takes who is on hold from now on.
    pub fn hold(&mut self, on_hold: OnHold) {
        self.on_hold = on_hold;
        self.hold_changes += 1;
    }

    /// Which version of a person is in the roll.
    pub fn version(&self, record: RecordNumber) -> Option<Version> {
        self.cards.get(&record).map(|(version, _)| *version)
    }

    /// Everybody, by record number.
    pub fn records(&self) -> impl Iterator<Item = RecordNumber> + '_ {
        self.cards.keys().copied()
    }

    /// How many people can be recognised.
    pub fn recognisable(&self) -> usize {
        self.gallery.people()
    }

    /// How many people have a record.
    pub fn people(&self) -> usize {
        self.cards.len()
    }
}

impl Enrolled for Roll {
    fn gallery(&self) -> &Gallery {
        &self.gallery
    }

    fn demands(&self) -> &Demands {
        &self.demands
    }

    fn may_be_named(&self, person: RecordNumber) -> bool {
        Self::may_be_named(self, person)
    }

    fn about(&self, person: RecordNumber) -> Option<About> {
        let card = self.person(person)?;
        let staff = card.category.as_deref().is_some_and(|category| category.eq_ignore_ascii_case(STAFF));
        Some(About { language: card.language.clone(), staff })
    }
}

/// The roll that holds now. Clones share it.
#[derive(Clone)]
pub struct CurrentRoll(Arc<RwLock<Roll>>);

impl CurrentRoll {
    /// Begins with a roll.
    pub fn new(roll: Roll) -> Self {
        Self(Arc::new(RwLock::new(roll)))
    }

    /// The roll that holds now; it stays as it is for as long as the caller looks at it, so that should be short.
    pub fn get(&self) -> RwLockReadGuard<'_, Roll> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes who is on hold now; `newest` reads how new the store is.
    pub fn take_holds(&self, now: OnHold, newest: impl FnOnce() -> u64) {
        // Who is erased is on hold no longer, but may still be in the roll for a moment. The store's generation is written before the
        // hold is dropped, so it is read after it.
        let settled = newest() == self.get().generation;
        let before = self.get().holds().clone();
        let next = if settled { now } else { now.added_to(&before) };
        if next != before {
            tracing::info!("{next}");
            self.change().hold(next);
        }
    }

    /// The roll for changing it, when nobody looks at it.
    pub fn change(&self) -> RwLockWriteGuard<'_, Roll> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
