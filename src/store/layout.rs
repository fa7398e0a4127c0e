//! What lies under which key of the one tree, and what a person's record holds.
//!
//! One tree, so that one batch writes a person whole or not at all:
//!
//! | key | value |
//! |---|---|
//! | `m` name | about the store itself: schema, check record, generation |
//! | `p` record | the person ([`Taxpayer`]), JSON sealed with their own key |
//! | `f` record, photo | the random name of the photo's file; nothing where photos are not kept |
//! | `t` record, photo, model name | the template that this model made of it, f32 little endian, sealed with its owner's key |
//! | `r` record, photo, model name | why this model cannot use it, sealed with its owner's key |
//! //!
//! Numbers are big endian: record u64, photo u16. No key says anything about a person. A photo may have templates of several models, so
//! that those of the one that serves stay while another one's are made; the keys alone say whose there are.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    face::Template,
    person::{Person, RecordNumber},
};

/// The schema that this version writes. A change raises it and adds a step to `raising::migrate`.
///
/// A field that may be absent raises nothing: `pronunciation` came with 2.
///
/// 2: a photo may have templates of several models and refusals (`r`); before, a person's record named the one model of each photo.
/// 3: each person's own key, and photos in files of their own; before, the store's key sealed everything, and photos lay under `f`.
pub const SCHEMA: u32 = 3;

pub const META_SCHEMA: &[u8] = b"mschema";
pub const META_CHECK: &[u8] = b"mcheck";
pub const META_GENERATION: &[u8] = b"mgeneration";
/// There while changes are missing that were acknowledged once.
pub const META_OUTDATED: &[u8] = b"moutdated";
/// There while the tree has other entries than the copy beside the store.
pub const META_AHEAD: &[u8] = b"mahead";
/// What the check record says when the key is the right one.
pub const CHECK: &[u8] = b"greeter";

pub const PEOPLE: &[u8] = b"p";
pub const PHOTOS: &[u8] = b"f";
pub const TEMPLATES: &[u8] = b"t";
pub const REFUSALS: &[u8] = b"r";
/// Of the index of identity numbers that an older greeter kept; it is removed.
pub const FORMER_INDEX: &[u8] = b"i";

/// SHA-256 of a photo's bytes: tells whether the office changed a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct PhotoDigest(#[serde(with = "hex::serde")] pub [u8; 32]);

impl PhotoDigest {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for PhotoDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A photo in the store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPhoto {
    /// Its number among the person's photos; stays with it.
    pub number: u16,
    /// Of its bytes.
    pub digest: PhotoDigest,
    /// The models that have made a template of it.
    #[serde(skip)]
    pub models: BTreeSet<String>,
    /// The models that cannot use it, with what completes the sentence "photo X …".
    #[serde(skip)]
    pub refused_by: BTreeMap<String, String>,
}

impl StoredPhoto {
    /// Whether `model` has made a template of it or refused it.
    pub fn examined_by(&self, model: &str) -> bool {
        self.models.contains(model) || self.refused_by.contains_key(model)
    }
}

/// A photo that was delivered and cannot be used; remembered so that it is not examined again at each sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedPhoto {
    /// Of its bytes.
    pub digest: PhotoDigest,
    /// The model whose enroller refused it.
    pub model: String,
    /// Completes the sentence "photo X …".
    pub reason: String,
    /// The photos of its row, itself among them, where it was refused for being unlike the others: it holds for these photos only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<PhotoDigest>,
}

/// A person as the store has them, and which photos they came with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taxpayer {
    /// Given by the store; stays with the person for as long as they are enrolled. The key says it.
    #[serde(skip)]
    pub record: RecordNumber,
    /// What the office says of them.
    #[serde(rename = "taxpayer")]
    pub person: Person,
    /// Photos that at least one model could use, in the roster's order.
    pub photos: Vec<StoredPhoto>,
    /// Photos that could not be used.
    #[serde(default)]
    pub refused: Vec<RefusedPhoto>,
}

/// Key of a person.
pub fn person(record: RecordNumber) -> Vec<u8> {
    [PEOPLE, &record.0.to_be_bytes()].concat()
}

/// Key of a photo.
pub fn photo(record: RecordNumber, number: u16) -> Vec<u8> {
    [PHOTOS, &record.0.to_be_bytes(), &number.to_be_bytes()].concat()
}

/// Key of a template.
pub fn template(record: RecordNumber, number: u16, model: &str) -> Vec<u8> {
    [TEMPLATES, &record.0.to_be_bytes(), &number.to_be_bytes(), model.as_bytes()].concat()
}

/// Key of a model's refusal.
pub fn refusal(record: RecordNumber, number: u16, model: &str) -> Vec<u8> {
    [REFUSALS, &record.0.to_be_bytes(), &number.to_be_bytes(), model.as_bytes()].concat()
}

/// Whether a key is the photo's own, or of something that a model made of it.
pub fn belongs_to_photo(key: &[u8], record: RecordNumber, number: u16) -> bool {
    let kinds = [PHOTOS, TEMPLATES, REFUSALS];
    let rest = kinds.iter().find_map(|kind| key.strip_prefix(*kind));
    rest.is_some_and(|rest| rest.starts_with(&[&record.0.to_be_bytes()[..], &number.to_be_bytes()].concat()))
}

/// The record number, the photo's number and the model's name in the key of a template or a refusal.
pub fn of_model(key: &[u8]) -> Option<(RecordNumber, u16, &str)> {
    let (record, rest) = key.get(1..)?.split_first_chunk::<8>()?;
    let (number, model) = rest.split_first_chunk::<2>()?;
    Some((RecordNumber(u64::from_be_bytes(*record)), u16::from_be_bytes(*number), std::str::from_utf8(model).ok()?))
}

/// Leaves out those photos of `people` whose keys are not among `kept`: their files are lost.
pub fn leave_out_lost(people: &mut [Taxpayer], kept: &HashSet<Vec<u8>>) {
    for person in people {
        let record = person.record;
        person.photos.retain(|known| kept.contains(&photo(record, known.number)));
    }
}

/// Notes with the photo of one of `people` (by record number) that a model has made the template under `key`.
pub fn note_template(people: &mut [Taxpayer], key: &[u8]) {
    if let Some((photo, model)) = examined(people, key) {
        photo.models.insert(model.to_owned());
    }
}

/// The same where the model has refused it, for this reason.
pub fn note_refusal(people: &mut [Taxpayer], key: &[u8], reason: &[u8]) {
    if let Some((photo, model)) = examined(people, key) {
        photo.refused_by.insert(model.to_owned(), String::from_utf8_lossy(reason).into_owned());
    }
}

/// `None` where it is nobody's; nothing in the program writes that.
fn examined<'p, 'k>(people: &'p mut [Taxpayer], key: &'k [u8]) -> Option<(&'p mut StoredPhoto, &'k str)> {
    let (record, number, model) = of_model(key)?;
    let at = people.binary_search_by_key(&record, |person| person.record).ok()?;
    people[at].photos.iter_mut().find(|photo| photo.number == number).map(|photo| (photo, model))
}

/// The record that a key of a person, or of something of theirs, is of.
pub fn record(key: &[u8]) -> Option<RecordNumber> {
    let (kind, rest) = key.split_first_chunk::<1>()?;
    let of_somebody = [PEOPLE, PHOTOS, TEMPLATES, REFUSALS].contains(&kind.as_slice());
    rest.first_chunk::<8>().filter(|_| of_somebody).map(|record| RecordNumber(u64::from_be_bytes(*record)))
}

/// A number among the store's own records.
pub fn number(value: &[u8]) -> Option<u64> {
    value.try_into().ok().map(u64::from_be_bytes)
}

/// A template's bytes.
pub fn template_bytes(template: &Template) -> Vec<u8> {
    template.0.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The template in `bytes`, or `None` when they are no template.
pub fn template_from(bytes: &[u8]) -> Option<Template> {
    let (values, rest) = bytes.as_chunks::<4>();
    rest.is_empty().then(|| Template(values.iter().map(|value| f32::from_le_bytes(*value)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_the_order_of_record_numbers_and_say_what_they_stand_for() {
        assert!(person(RecordNumber(255)) < person(RecordNumber(256)));
        assert_eq!(
            of_model(&template(RecordNumber(7), 2, "mobilefacenet-192")),
            Some((RecordNumber(7), 2, "mobilefacenet-192"))
        );
        assert_eq!(of_model(b"t123"), None);
    }

    #[test]
    fn what_models_made_of_a_photo_belongs_to_that_photo_alone() {
        let (record, other) = (RecordNumber(7), RecordNumber(8));
        for key in [photo(record, 2), template(record, 2, "a"), refusal(record, 2, "a")] {
            assert!(belongs_to_photo(&key, record, 2));
            assert!(!belongs_to_photo(&key, record, 3) && !belongs_to_photo(&key, other, 2));
        }
        assert!(!belongs_to_photo(&person(record), record, 2));
    }

    #[test]
    fn people_whom_an_older_version_stored_are_read_and_have_no_pronunciation() {
        let older = r#"{"taxpayer":{"record":7,"id_number":"11010519491231002X","name":"单雄信","phone":"+8613800138000",
            "language":null,"salutation":"mr","category":null,"services":[],"appointment":null},"photos":[]}"#;
        let read: Taxpayer = serde_json::from_str(older).unwrap();
        assert_eq!((read.person.name.reveal(), read.person.pronunciation.as_ref()), ("单雄信", None));
        let written = serde_json::to_string(&read).unwrap();
        assert!(!written.contains("pronunciation"), "who has none is stored as before");
    }

    #[test]
    fn templates_survive_being_written() {
        let template = Template(vec![0.25, -1.0, f32::MIN_POSITIVE]);
        assert_eq!(template_from(&template_bytes(&template)), Some(template));
        assert_eq!(template_from(&[1, 2, 3]), None);
    }
}
