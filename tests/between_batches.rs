//! A sync looks at photos with the store closed: staff erase people meanwhile, and the robot knows who is in already.

#[path = "support/roster.rs"]
mod roster;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use greeter::{
    face::{Enroller, ModelError, PhotoFault, Template},
    person::RecordNumber,
    store::{Change, Everybody, Store},
    sync::{Job, Outcome, Report, synchronise},
};
use image::RgbImage;
use roster::*;

/// Does something at one of the photos it is asked about, before it answers.
struct Interrupted<F> {
    enroller: ByColour,
    asked: Arc<AtomicUsize>,
    at: usize,
    then: Arc<Mutex<F>>,
}

impl<F: FnMut()> Enroller for Interrupted<F> {
    fn enrol(&mut self, photo: &RgbImage) -> Result<Result<Template, PhotoFault>, ModelError> {
        if self.asked.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
            (self.then.lock().unwrap())();
        }
        self.enroller.enrol(photo)
    }

    fn model(&self) -> &str {
        MODEL
    }
}

/// Syncs, and does something while the sync looks at its photo number `at`.
fn syncs_while(office: &Office, mirror: bool, at: usize, then: impl FnMut() + Send + 'static) -> Report {
    let photos = office.root.join("photos");
    let job = Job {
        roster: &office.roster(),
        photos: &photos,
        model: MODEL,
        same_person: None,
        basis: greeter::config::BasisRule::PublicDuty,
        objections: None,
        dry_run: false,
        mirror,
        allow_mass_removal: false,
    };
    let enroller = ByColour { asked: office.embedded.clone(), takes: office.enrolling_takes };
    let (asked, then) = (Arc::default(), Arc::new(Mutex::new(then)));
    let make = || -> Result<Box<dyn Enroller + Send>, ModelError> {
        Ok(Box::new(Interrupted { enroller: enroller.clone(), asked: Arc::clone(&asked), at, then: then.clone() }))
    };
    synchronise(&job, &office.settings(), make, &indicatif::ProgressBar::hidden()).unwrap()
}

/// Another member of staff erases somebody.
fn erases(office: &Office, record: u64) -> impl FnMut() + Send + 'static {
    let settings = office.settings();
    move || {
        let mut store = Store::open(&settings).unwrap().store;
        store.commit(vec![Change::Remove(RecordNumber(record))]).unwrap();
    }
}

#[test]
fn who_is_erased_while_a_sync_runs_is_not_brought_back_by_it_and_nobody_else_is_touched() {
    let office = Office::with_people(3);
    office.puts_photo("2-new.jpg", &picture(12, 64));
    office.puts_photo("4.jpg", &picture(4, 64));
    office.writes_roster([HEADER, &row(1, "1.jpg"), &row(2, "2-new.jpg"), &row(4, "4.jpg")].concat().as_bytes());
    let report = syncs_while(&office, false, 2, erases(&office, 2));
    assert!(rejected(&report, 3).contains("erased by another command while this sync ran"), "{report}");
    assert_eq!((report.count(Outcome::Added), report.count(Outcome::Unchanged)), (1, 1), "{report}");
    office.has_whole([1, 3, 4].into_iter());
    let records: Vec<_> = office.people().iter().map(|person| person.record.0).collect();
    assert_eq!(records, [1, 3, 4], "nobody is given the number of who was erased");
}

#[test]
fn who_leaves_and_is_erased_by_hand_meanwhile_is_no_fault() {
    let office = Office::with_people(3);
    office.writes_roster_of([1, 2, 4].into_iter());
    let report = syncs_while(&office, true, 1, erases(&office, 3));
    assert_eq!((report.count(Outcome::Removed), report.count(Outcome::Rejected)), (0, 0), "{report}");
    office.has_whole([1, 2, 4].into_iter());
    assert_eq!(office.people().len(), 3);
}

#[test]
fn of_two_syncs_at_once_neither_enrols_a_person_twice_nor_undoes_what_the_other_did() {
    let office = Office::with_people(2);
    office.puts_photo("2-new.jpg", &picture(12, 64));
    office.puts_photo("2-newer.jpg", &picture(13, 64));
    office.puts_photo("3.jpg", &picture(3, 64));
    office.writes_roster([HEADER, &row(2, "2-newer.jpg"), &row(3, "3.jpg")].concat().as_bytes());
    let (roster, other) = (office.roster(), [HEADER, &row(2, "2-new.jpg"), &row(3, "3.jpg")].concat());
    let root = office.root.clone();
    let report = syncs_while(&office, false, 1, move || {
        std::fs::write(&roster, &other).unwrap();
        assert_eq!(Office::at(&root).syncs().unwrap().count(Outcome::Rejected), 0);
    });
    for number in [2, 3] {
        assert!(rejected(&report, number).contains("changed by another command while this sync ran"), "{report}");
    }
    office.has_whole(1..=3);
    assert_eq!(office.people().len(), 3);
    assert_eq!(office.syncs().unwrap().count(Outcome::Unchanged), 2);
}

#[test]
fn whoever_is_in_is_in_the_copy_while_the_sync_goes_on() {
    let office = Office::new();
    office.writes_roster_of(1..=224);
    let settings = office.settings();
    let report = syncs_while(&office, false, 215, move || {
        let known = Everybody::now(&settings).unwrap();
        assert!(known.is_current() && known.enrolled().unwrap().iter().any(|it| it.record == RecordNumber(200)));
    });
    assert_eq!(report.count(Outcome::Added), 224);
    office.has_whole(1..=224);
}
