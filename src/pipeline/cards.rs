//! Everybody's card, and which version of them it is from: packed, because 100,000 of them with a box for each word take 50 MB and packed 10.
//!
//! A card is unpacked when its owner is greeted.

use zeroize::{Zeroize, Zeroizing};

use crate::{
    person::{Card, RecordNumber},
    store::Version,
};

/// Cards lie in pieces of memory of this size, which never move, so that no name stays behind where they were.
const PIECE: usize = 256 << 10;

/// The cards.
#[derive(Default)]
pub struct Cards {
    /// By record number.
    places: Vec<Place>,
    pieces: Vec<Zeroizing<Vec<u8>>>,
    /// Bytes of cards that are no longer there.
    wasted: usize,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    record: RecordNumber,
    version: Version,
    piece: u32,
    start: u32,
    length: u32,
}

impl Cards {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Somebody's card.
    pub fn get(&self, record: RecordNumber) -> Option<Card> {
        let place = self.places.get(self.find(record).ok()?)?;
        let (name, pronunciation, born, language, salutation, category, services, appointment) =
            serde_json::from_slice(self.packed(place)).ok()?;
        Some(Card { name, pronunciation, born, language, salutation, category, services, appointment })
    }

    /// Which version somebody's card is from.
    pub fn version(&self, record: RecordNumber) -> Option<Version> {
        self.find(record).ok().map(|at| self.places[at].version)
    }

    /// Everybody, by record number.
    pub fn records(&self) -> impl Iterator<Item = RecordNumber> + '_ {
        self.places.iter().map(|place| place.record)
    }

    /// Puts a card in the place of the one that was there.
    pub fn put(&mut self, record: RecordNumber, version: Version, card: &Card) {
        let Card { name, pronunciation, born, language, salutation, category, services, appointment } = card;
        let fields = (name, pronunciation, born, language, salutation, category, services, appointment);
        // Text and numbers, which JSON can always hold.
        let packed = Zeroizing::new(serde_json::to_vec(&fields).unwrap_or_default());
        let place = self.pack(record, version, &packed);
        match self.find(record) {
            Ok(at) => {
                let old = std::mem::replace(&mut self.places[at], place);
                self.wipe(&old);
            }
            Err(at) => {
                if self.places.len() == self.places.capacity() {
                    self.places.reserve_exact(self.places.len() / 16 + 64);
                }
                self.places.insert(at, place);
            }
        }
    }

    /// Removes cards. `records` are in order.
    pub fn remove(&mut self, records: &[RecordNumber]) {
        let gone = |place: &Place| records.binary_search(&place.record).is_ok();
        let wiped: Vec<Place> = self.places.iter().filter(|place| gone(place)).copied().collect();
        self.places.retain(|place| !gone(place));
        wiped.iter().for_each(|place| self.wipe(place));
        self.tidy();
    }

    /// Bytes of memory that they take.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        let pieces: usize = self.pieces.iter().map(|piece| piece.capacity()).sum();
        pieces + self.places.capacity() * size_of::<Place>()
    }

    fn find(&self, record: RecordNumber) -> Result<usize, usize> {
        // At the start everybody comes in order.
        if self.places.last().is_none_or(|last| last.record < record) {
            return Err(self.places.len());
        }
        self.places.binary_search_by_key(&record, |place| place.record)
    }

    fn packed(&self, place: &Place) -> &[u8] {
        let start = place.start as usize;
        &self.pieces[place.piece as usize][start..start + place.length as usize]
    }

    fn pack(&mut self, record: RecordNumber, version: Version, packed: &[u8]) -> Place {
        let fits = |piece: &Zeroizing<Vec<u8>>| piece.capacity() - piece.len() >= packed.len();
        if !self.pieces.last().is_some_and(fits) {
            self.pieces.push(Zeroizing::new(Vec::with_capacity(PIECE.max(packed.len()))));
        }
        let (piece, mut start) = (self.pieces.len() - 1, 0);
        if let Some(last) = self.pieces.last_mut() {
            start = last.len();
            last.extend_from_slice(packed);
        }
        Place { record, version, piece: piece as u32, start: start as u32, length: packed.len() as u32 }
    }

    fn wipe(&mut self, place: &Place) {
        let start = place.start as usize;
        self.pieces[place.piece as usize][start..start + place.length as usize].zeroize();
        self.wasted += place.length as usize;
    }

    /// Packs all anew when half of the memory holds cards that are gone.
    fn tidy(&mut self) {
        let used: usize = self.pieces.iter().map(|piece| piece.len()).sum();
        if self.wasted <= PIECE.max(used / 2) {
            return;
        }
        let mut fresh = Self::default();
        fresh.places.reserve_exact(self.places.len());
        for place in &self.places {
            let moved = fresh.pack(place.record, place.version, self.packed(place));
            fresh.places.push(moved);
        }
        *self = fresh;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::{PersonName, Pronunciation};

    fn card(name: &str) -> Card {
        let services = vec!["vat".to_owned()];
        Card {
            name: PersonName::new(name),
            pronunciation: Some(Pronunciation::new("wang4 da2")),
            born: Some(1949),
            language: None,
            salutation: None,
            category: None,
            services,
            appointment: Some(jiff::civil::date(2026, 11, 25).at(9, 30, 0, 0)),
        }
    }

    fn version(at: u64) -> Version {
        Version { person: at, templates: 0 }
    }

    #[test]
    fn everybody_has_the_card_that_was_put_last() {
        let mut cards = Cards::default();
        for at in [5_u64, 1, 9, 3, 7] {
            cards.put(RecordNumber(at), version(at), &card(&format!("Visitor {at}")));
        }
        cards.put(RecordNumber(3), version(30), &card("Another name"));
        assert_eq!(cards.get(RecordNumber(3)), Some(card("Another name")));
        assert_eq!(cards.get(RecordNumber(9)), Some(card("Visitor 9")));
        assert_eq!((cards.version(RecordNumber(3)), cards.version(RecordNumber(4))), (Some(version(30)), None));
        assert_eq!(cards.records().map(|record| record.0).collect::<Vec<_>>(), [1, 3, 5, 7, 9]);
    }

    #[test]
    fn of_whoever_was_removed_nothing_is_left_in_memory_and_their_room_is_used_again() {
        let mut cards = Cards::default();
        let fill = |cards: &mut Cards| {
            for at in 0..20_000 {
                cards.put(RecordNumber(at), version(at), &card(&format!("Wanda {at}")));
            }
        };
        fill(&mut cards);
        let before = cards.bytes();
        assert!(cards.bytes() > 2 * PIECE);
        let gone: Vec<RecordNumber> = (0..20_000).filter(|at| at % 4 > 0).map(RecordNumber).collect();
        cards.remove(&gone);
        let text = |cards: &Cards| {
            cards.pieces.iter().map(|piece| String::from_utf8_lossy(piece).into_owned()).collect::<String>()
        };
        assert_eq!((cards.len(), text(&cards).matches("Wanda").count()), (5_000, 5_000));
        assert!(cards.bytes() < before / 2);
        assert_eq!(cards.get(RecordNumber(19_996)), Some(card("Wanda 19996")));
        for _ in 0..9 {
            fill(&mut cards);
            cards.remove(&[]);
        }
        assert!(cards.bytes() < 3 * before, "{} and {before}", cards.bytes());
    }
}
