//! Stories about people who come, change and go while the robot serves.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::{
    bench::made_up,
    face::{
        Template,
        manifest::{GalleryThreshold, Thresholds},
    },
    person::{Person, PersonName},
    store::{self, EnrolledPhoto, Enrolment},
};

const MODEL: &str = "test-net";

/// The more people, the more alike a visitor must be.
fn thresholds() -> Thresholds {
    let scores =
        vec![GalleryThreshold { gallery: 1, min_score: 0.5 }, GalleryThreshold { gallery: 1000, min_score: 0.8 }];
    Thresholds { population: String::new(), method: String::new(), mates_median: None, scores }
}

/// An office whose robot serves while staff change who is enrolled.
struct Office {
    folder: tempfile::TempDir,
    generator: ChaCha8Rng,
}

impl Office {
    fn opens() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), generator: ChaCha8Rng::seed_from_u64(11) }
    }

    fn settings(&self) -> StoreSettings {
        StoreSettings {
            folder: self.folder.path().join("store"),
            key_file: self.folder.path().join("store.key"),
            ..StoreSettings::default()
        }
    }

    fn reader(&self) -> Reader {
        let folder = self.settings().folder;
        Reader {
            store: self.settings(),
            model: MODEL.into(),
            in_force: Arc::new(move || InForce::find(&folder, 0.0, Some(&thresholds()), MODEL)),
            decision: DecisionSettings::default(),
            mates_median: None,
            non_mates: NonMates::default(),
            calibrated: None,
        }
    }

    fn face(&mut self) -> Template {
        made_up::template(64, &mut self.generator)
    }

    /// Staff put somebody in the store, anew or in the place of what was there.
    fn enrols(&mut self, record: Option<RecordNumber>, name: &str, photos: &[Template]) -> RecordNumber {
        let mut store = Store::open(&self.settings()).unwrap().store;
        let record = record.unwrap_or_else(|| store.new_record());
        let person = made_up::person(record, &mut self.generator);
        let person = Person { name: PersonName::new(name), ..person };
        let photos = photos.iter().enumerate().map(|(at, template)| EnrolledPhoto::Embedded {
            bytes: format!("{record} {name} {at}").into_bytes(),
            model: MODEL.into(),
            template: template.clone(),
        });
        let enrolment = Enrolment { record, person, photos: photos.collect(), refused: Vec::new() };
        store.commit(vec![store::Change::Put(Box::new(enrolment))]).unwrap();
        record
    }

    /// The roster says on which day somebody is expected.
    fn expects(&self, record: RecordNumber, day: Option<Date>) {
        let mut store = Store::open(&self.settings()).unwrap().store;
        let known = store.person(record).unwrap().unwrap();
        let photos = known.photos.iter().map(|photo| EnrolledPhoto::Kept(photo.digest)).collect();
        let person = Person { expected: day, ..known.person };
        let enrolment = Enrolment { record, person, photos, refused: Vec::new() };
        store.commit(vec![store::Change::Put(Box::new(enrolment))]).unwrap();
    }

    fn removes(&self, record: RecordNumber) {
        Store::open(&self.settings()).unwrap().store.commit(vec![store::Change::Remove(record)]).unwrap();
    }
}

fn finds(roll: &CurrentRoll, face: &Template) -> Option<(RecordNumber, String)> {
    let roll = roll.get();
    let first = roll.gallery.search(face).first?;
    let card = roll.person(first.person).expect("whoever is found can be greeted");
    (first.score > 0.9).then(|| (first.person, card.name.reveal().to_owned()))
}

#[test]
fn whoever_is_added_changed_or_removed_while_the_robot_serves_is_known_as_they_are_now() {
    let mut office = Office::opens();
    let [chen, li, wang, new_chen] = [(); 4].map(|()| office.face());
    let record_of_chen = office.enrols(None, "Chen", std::slice::from_ref(&chen));
    let record_of_li = office.enrols(None, "Li", std::slice::from_ref(&li));
    let roll = CurrentRoll::new(office.reader().read());
    assert_eq!(finds(&roll, &chen), Some((record_of_chen, "Chen".into())));
    assert_eq!((finds(&roll, &wang), roll.get().people()), (None, 2));

    let record_of_wang = office.enrols(None, "Wang", std::slice::from_ref(&wang));
    office.enrols(Some(record_of_chen), "Chan", std::slice::from_ref(&new_chen));
    office.removes(record_of_li);
    office.reader().catch_up(&roll).unwrap();
    assert_eq!(finds(&roll, &wang), Some((record_of_wang, "Wang".into())));
    assert_eq!(finds(&roll, &new_chen), Some((record_of_chen, "Chan".into())));
    assert_eq!((finds(&roll, &chen), finds(&roll, &li)), (None, None), "nobody is known by what they were");
    assert_eq!((roll.get().people(), roll.get().gallery.people()), (2, 2));
    assert!(roll.get().person(record_of_li).is_none());
    assert_eq!(roll.get().demands, office.reader().demands(2), "the threshold follows the gallery's size");
}

#[test]
fn somebody_whose_photos_cannot_be_used_has_a_card_and_is_never_found() {
    let mut office = Office::opens();
    let record = office.enrols(None, "Chen", &[]);
    let roll = CurrentRoll::new(office.reader().read());
    assert_eq!((roll.get().people(), roll.get().gallery.people()), (1, 0));
    let face = office.face();
    assert!(roll.get().person(record).is_some() && finds(&roll, &face).is_none());
    office.enrols(Some(record), "Chen", &[face.clone(), face]);
    office.reader().catch_up(&roll).unwrap();
    assert_eq!((roll.get().gallery.people(), roll.get().gallery.templates()), (1, 2));
}

#[test]
fn everybody_of_a_large_office_is_read_in_order_and_once() {
    let office = Office::opens();
    let made = made_up::Made { people: 3_000, photo_bytes: 10, model: MODEL.into(), dims: 64 };
    made_up::fill(&office.settings(), &made, &mut ChaCha8Rng::seed_from_u64(5), &|_| {}).unwrap();
    let roll = CurrentRoll::new(office.reader().read());
    let records: Vec<u64> = roll.get().records().map(|record| record.0).collect();
    assert_eq!(records, (1..=3_000).collect::<Vec<_>>());
    assert_eq!((roll.get().gallery.people(), roll.get().gallery.templates()), (3_000, 3_000));
    // Nothing has changed, so nothing is opened again and everybody stays.
    office.reader().catch_up(&roll).unwrap();
    assert_eq!(roll.get().people(), 3_000);
}

#[test]
fn while_staff_change_everybody_a_visitor_is_always_either_the_old_or_the_new() {
    let mut office = Office::opens();
    let faces: Vec<[Template; 2]> = (0..40).map(|_| [office.face(), office.face()]).collect();
    let records: Vec<RecordNumber> =
        faces.iter().map(|[old, _]| office.enrols(None, "old", std::slice::from_ref(old))).collect();
    let roll = CurrentRoll::new(office.reader().read());
    let stop = Arc::new(AtomicBool::new(false));
    let watching = {
        let (roll, stop, faces, records) = (roll.clone(), stop.clone(), faces.clone(), records.clone());
        thread::spawn(move || {
            let mut looks = 0;
            while !stop.load(Ordering::Relaxed) {
                for ([old, new], record) in faces.iter().zip(&records) {
                    let roll = roll.get();
                    let name = roll.person(*record).unwrap().name.reveal().to_owned();
                    let [as_old, as_new] = [old, new].map(|face| {
                        roll.gallery
                            .search(face)
                            .first
                            .is_some_and(|first| first.person == *record && first.score > 0.9)
                    });
                    assert_eq!((as_old, as_new), (name == "old", name == "new"));
                    assert_eq!(roll.people(), 40);
                    looks += 1;
                }
            }
            looks
        })
    };
    for ([_, new], record) in faces.iter().zip(&records) {
        office.enrols(Some(*record), "new", std::slice::from_ref(new));
        office.reader().catch_up(&roll).unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    assert!(watching.join().unwrap() > 40);
    assert!(faces.iter().all(|[old, new]| finds(&roll, old).is_none() && finds(&roll, new).is_some()));
}

#[test]
fn a_robot_that_runs_goes_on_after_a_switch_of_packs_and_forgets_whoever_was_erased_since() {
    let mut office = Office::opens();
    let [chen, li] = [(); 2].map(|()| office.face());
    let record_of_chen = office.enrols(None, "Chen", std::slice::from_ref(&chen));
    let record_of_li = office.enrols(None, "Li", std::slice::from_ref(&li));
    let roll = CurrentRoll::new(office.reader().read());
    Store::open(&office.settings()).unwrap().store.erase_other_models("new-net").unwrap();
    office.reader().catch_up(&roll).unwrap();
    assert_eq!(finds(&roll, &chen), Some((record_of_chen, "Chen".into())));
    office.removes(record_of_li);
    office.reader().catch_up(&roll).unwrap();
    assert_eq!(finds(&roll, &li), None);
    assert_eq!(finds(&roll, &chen), Some((record_of_chen, "Chen".into())));
}

#[test]
fn somebody_on_hold_is_named_by_nobody_also_in_the_moment_between_their_erasure_and_the_roll_forgetting_them() {
    let mut office = Office::opens();
    let photo = office.face();
    let chen = office.enrols(None, "Chen", &[photo]);
    let roll = CurrentRoll::new(office.reader().read());
    let (read, these) =
        (roll.get().generation, |records: &[RecordNumber]| OnHold::These(records.iter().copied().collect()));
    let look = || (roll.get().may_be_named(chen), roll.get().on_hold(chen), roll.get().hold_changes());
    assert_eq!(look(), (true, false, 1));
    roll.take_holds(these(&[chen]), || read);
    roll.take_holds(these(&[chen]), || read);
    assert_eq!(look(), (false, true, 2), "nothing changed the second time");
    // As an erasure does it: the store is another one than the roll, and the hold is gone.
    roll.take_holds(these(&[]), || read + 1);
    assert!(roll.get().person(chen).is_some() && !roll.get().may_be_named(chen));
    let other = RecordNumber(chen.0 + 1);
    roll.take_holds(these(&[other]), || read + 1);
    assert!(roll.get().on_hold(other), "whoever is put on hold meanwhile waits for nothing");
    roll.take_holds(these(&[]), || read);
    assert_eq!(look(), (true, false, 4));
    roll.take_holds(OnHold::Everybody, || read);
    assert!(!roll.get().may_be_named(chen));
}

#[test]
fn whoever_is_expected_today_is_asked_for_less_and_tomorrow_for_as_much_as_everybody() {
    let mut office = Office::opens();
    let photos: Vec<Template> = (0..20).map(|_| office.face()).collect();
    let records: Vec<RecordNumber> = photos
        .iter()
        .enumerate()
        .map(|(at, photo)| office.enrols(None, &format!("P{at}"), std::slice::from_ref(photo)))
        .collect();
    let (reader, today) = (office.reader(), today());
    let roll = CurrentRoll::new(reader.read());
    let of = |people| Some(reader.demands(people).min_score_to_name);
    let look = || {
        let roll = roll.get();
        let demands = roll.demands;
        (roll.gallery.expected(), Some(demands.min_score_to_name), demands.expected.map(|bar| bar.min_score))
    };
    assert_eq!(look(), (0, of(20), None));
    office.expects(records[3], Some(today));
    reader.catch_up(&roll).unwrap();
    assert_eq!(look(), (1, of(40), of(2)), "each group has half of the strangers who may be named");
    assert!(roll.get().gallery.expects(records[3]));
    let demands = |people| reader.demands(people);
    roll.change().begin_day(today.tomorrow().unwrap(), demands);
    assert_eq!(look(), (0, of(20), None));
    roll.change().begin_day(today, demands);
    assert_eq!(look().0, 1);
    office.removes(records[3]);
    reader.catch_up(&roll).unwrap();
    assert_eq!(look(), (0, of(19), None));
}
