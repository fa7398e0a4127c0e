//! Templates made anew for another recogniser while the old ones serve: what a kill, an erasure or a sync in the middle does, and does
//! not do.
//!
//! Through the library, with an enroller that needs no network; `tests/cli.rs` has the same with the real ones.

#![allow(dead_code, reason = "the office has more than these stories need")]

use std::{
    process::{Command, Stdio},
    sync::atomic::Ordering,
    time::Duration,
};

use greeter::{
    bench::pinned::Pinned,
    face::{Enroller, ModelError, PhotoFault, Template},
    person::RecordNumber,
    reindex::{Coverage, ReindexError, Reindexed, reindex},
    store::{Change, Store},
    sync::Outcome,
};
use image::RgbImage;

#[path = "support/roster.rs"]
mod roster;
use roster::*;

const NEW: &str = "better-colours";

/// The new recogniser: as the old one, but for what happens meanwhile.
struct Better {
    inner: ByColour,
    /// Called before the so-manieth photo, from 1 on; what it returns is what the networks do.
    meanwhile: Box<dyn FnMut(usize) -> Result<Option<PhotoFault>, ModelError> + Send>,
    photos: usize,
}

impl Enroller for Better {
    fn enrol(&mut self, photo: &RgbImage) -> Result<Result<Template, PhotoFault>, ModelError> {
        self.photos += 1;
        match (self.meanwhile)(self.photos)? {
            Some(fault) => Ok(Err(fault)),
            None => Ok(self.inner.enrol(photo)?.map(|template| Template([template.0, vec![0.0]].concat()))),
        }
    }

    fn model(&self) -> &str {
        NEW
    }
}

trait Reindexes {
    fn reindexes_while(
        &self,
        meanwhile: impl FnMut(usize) -> Result<Option<PhotoFault>, ModelError> + Send + 'static,
    ) -> Result<Reindexed, ReindexError>;
    fn reindexes(&self) -> Coverage;
    fn templates(&self, model: &str) -> Vec<u64>;
}

impl Reindexes for Office {
    fn reindexes_while(
        &self,
        meanwhile: impl FnMut(usize) -> Result<Option<PhotoFault>, ModelError> + Send + 'static,
    ) -> Result<Reindexed, ReindexError> {
        // One photo after the other: what happens meanwhile happens at the so-manieth.
        let one_core = Pinned::to(1).unwrap();
        let mut meanwhile = Some(meanwhile);
        let make = || -> Result<Box<dyn Enroller + Send>, ModelError> {
            let inner = ByColour { asked: self.embedded.clone(), takes: self.enrolling_takes };
            let meanwhile = meanwhile.take().expect("the networks are loaded once");
            Ok(Box::new(Better { inner, meanwhile: Box::new(meanwhile), photos: 0 }))
        };
        let done = reindex(&self.settings(), NEW, make, &indicatif::ProgressBar::hidden());
        drop(one_core);
        done
    }

    fn reindexes(&self) -> Coverage {
        let done = self.reindexes_while(|_| Ok(None)).unwrap();
        assert!(done.coverage.is_complete());
        done.coverage
    }

    /// Whose templates there are.
    fn templates(&self, model: &str) -> Vec<u64> {
        self.store().templates(model).unwrap().into_iter().map(|(record, _)| record.0).collect()
    }
}

/// A second office at the same place, for what happens meanwhile.
fn same(office: &Office) -> Office {
    Office::at(&office.root)
}

fn everybody(count: u64) -> Vec<u64> {
    (1..=count).collect()
}

#[test]
fn everybody_has_templates_of_both_recognisers_and_nobody_who_serves_has_to_read_again() {
    let office = Office::with_people(5);
    let generation = Store::generation(&office.settings());
    office.embedded_since();
    assert_eq!((office.reindexes().used, office.embedded_since()), (5, 5));
    assert_eq!((office.templates(MODEL), office.templates(NEW)), (everybody(5), everybody(5)));
    assert_eq!(Store::generation(&office.settings()), generation);
    assert_eq!((office.reindexes().used, office.embedded_since()), (5, 0), "once more: nothing to do");
    assert_eq!(office.syncs().unwrap().count(Outcome::Unchanged), 5);
}

const CHILD: &str = "GREETER_TEST_CHILD";

#[test]
fn a_reindex_that_is_killed_keeps_what_it_has_and_the_old_templates_serve_until_the_next_one_has_done_the_rest() {
    let name =
        "a_reindex_that_is_killed_keeps_what_it_has_and_the_old_templates_serve_until_the_next_one_has_done_the_rest";
    if let Some(root) = std::env::var_os(CHILD) {
        let mut office = Office::at(root.as_ref());
        office.enrolling_takes = Duration::from_millis(5);
        office.reindexes();
        return;
    }
    let office = Office::with_people(700);
    office.embedded_since();
    let mut child = Process(
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, &office.root)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    while office.templates(NEW).is_empty() {
        assert!(child.0.try_wait().unwrap().is_none(), "the reindex ended by itself");
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(child); // SIGKILL
    let kept = office.templates(NEW).len();
    println!("{kept} of 700 were kept");
    assert!((256..700).contains(&kept), "{kept} were kept");
    assert_eq!(office.templates(MODEL), everybody(700), "the old ones serve");
    assert_eq!(Coverage::of(&office.people(), NEW).waiting, 700 - kept);

    office.reindexes();
    assert_eq!(office.embedded_since(), 700 - kept, "only what was missing");
    assert_eq!((office.templates(MODEL), office.templates(NEW)), (everybody(700), everybody(700)));
    office.has_whole(1..=700);
}

#[test]
fn networks_that_fail_in_the_middle_lose_no_finished_photo() {
    let office = Office::with_people(5);
    office.embedded_since();
    let fails = |photo| match photo {
        4 => Err(ModelError::Inference { network: NEW.into(), cause: "no memory".into() }),
        _ => Ok(None),
    };
    let error = office.reindexes_while(fails).err().unwrap();
    assert!(matches!(error, ReindexError::Interrupted { kept: 4, .. }), "{error}");
    assert_eq!(office.templates(NEW), [1, 2, 3, 5]);
    office.embedded_since();
    office.reindexes();
    assert_eq!((office.embedded_since(), office.templates(NEW)), (1, everybody(5)));
}

#[test]
fn whoever_is_erased_while_their_photo_is_looked_at_does_not_come_back() {
    let office = Office::with_people(4);
    let staff = same(&office);
    let done = office.reindexes_while(move |photo| {
        if photo == 3 {
            let mut store = staff.store();
            store.commit(vec![Change::Remove(RecordNumber(2)), Change::Remove(RecordNumber(4))]).unwrap();
            store.write_snapshot().unwrap();
        }
        Ok(None)
    });
    let Reindexed { store, coverage, looked_at } = done.unwrap();
    assert_eq!((coverage.people, coverage.used, looked_at), (2, 2, 2));
    drop(store);
    assert_eq!((office.templates(MODEL), office.templates(NEW)), (vec![1, 3], vec![1, 3]));
    assert_eq!(office.people().len(), 2);
    assert!(office.store().person(RecordNumber(2)).unwrap().is_none());
}

#[test]
fn whoever_is_added_or_gets_another_photo_meanwhile_has_both_templates_in_the_end() {
    let office = Office::with_people(3);
    let staff = same(&office);
    let done = office.reindexes_while(move |photo| {
        if photo == 2 {
            // Person 1 was looked at already, in a photo that they have no longer; 4 is new; 3 only has another phone.
            staff.puts_photo("1.jpg", &picture(101, 64));
            staff.puts_photo("4.jpg", &picture(4, 64));
            let rows: String = (1..=4).map(|n| row(n, &format!("{n}.jpg"))).collect();
            staff.writes_roster(format!("{HEADER}{}", rows.replace("13800130003", "13800139999")).as_bytes());
            let report = staff.syncs().unwrap();
            assert_eq!((report.count(Outcome::Added), report.count(Outcome::Changed)), (1, 2), "{report}");
        }
        Ok(None)
    });
    let coverage = done.unwrap().coverage;
    assert!(coverage.is_complete() && coverage.used == 4, "{coverage}");
    assert_eq!((office.templates(MODEL), office.templates(NEW)), (everybody(4), everybody(4)));
    // Each template is of the photo that is there now.
    let store = office.store();
    let (old, new) = (store.templates(MODEL).unwrap(), store.templates(NEW).unwrap());
    for ((record, old), (_, new)) in old.iter().zip(&new) {
        assert_eq!(old.0[..], new.0[..3], "record {record}");
    }
}

#[test]
fn a_sync_after_the_reindex_keeps_the_templates_of_both() {
    let office = Office::with_people(2);
    office.reindexes();
    office.puts_photo("1b.jpg", &picture(55, 64));
    office.writes_roster(format!("{HEADER}{}{}", row(1, "1.jpg;1b.jpg"), row(2, "2.jpg")).as_bytes());
    assert_eq!(office.syncs().unwrap().count(Outcome::Changed), 1);
    let coverage = Coverage::of(&office.people(), NEW);
    assert_eq!((coverage.used, coverage.waiting), (2, 1), "only the new photo waits");
    assert_eq!(office.templates(MODEL), [1, 1, 2]);
}

#[test]
fn a_photo_that_the_new_networks_cannot_use_is_looked_at_once_and_whoever_has_no_other_is_named() {
    let office = Office::with_people(3);
    let refuses = |photo| Ok((photo == 2).then_some(PhotoFault::NoFace));
    let done = office.reindexes_while(refuses).unwrap();
    assert!(done.coverage.is_complete());
    assert_eq!(done.coverage.left_out, [RecordNumber(2)]);
    assert!(done.coverage.to_string().starts_with("record #2: photo 1 shows no face"), "{}", done.coverage);
    drop(done);
    office.embedded_since();
    assert_eq!((office.reindexes().left_out.len(), office.embedded_since()), (1, 0));
    assert_eq!(office.templates(MODEL), everybody(3), "the old networks know them still");
    assert_eq!(office.syncs().unwrap().count(Outcome::Unchanged), 3);

    let mut store = office.store();
    store.commit(vec![Change::Remove(RecordNumber(2))]).unwrap();
    assert_eq!(Coverage::of(&store.enrolled().unwrap(), NEW).refused, []);
}

#[test]
fn after_the_switch_the_old_templates_are_gone_also_from_the_copy() {
    let office = Office::with_people(3);
    let mut store = office.reindexes_while(|_| Ok(None)).unwrap().store;
    let generation = Store::generation(&office.settings());
    assert_eq!(store.erase_other_models(NEW).unwrap(), 3);
    assert!(Store::generation(&office.settings()) > generation, "whoever serves reads again");
    assert_eq!(store.erase_other_models(NEW).unwrap(), 0);
    store.write_snapshot().unwrap();
    drop(store);
    std::fs::remove_dir_all(office.settings().folder).unwrap();
    let opened = office.opens().unwrap();
    assert!(opened.rebuilt.is_some() && !opened.outdated);
    drop(opened);
    assert_eq!((office.templates(MODEL), office.templates(NEW)), (vec![], everybody(3)));
}

#[test]
fn a_reindex_waits_for_a_sync_that_is_running() {
    let office = Office::with_people(3);
    let staff = same(&office);
    let (tell, told) = std::sync::mpsc::channel();
    let done = office.reindexes_while(move |photo| {
        if photo == 3 {
            let store = staff.store();
            let tell = tell.clone();
            // Longer than the store is waited for by others.
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(3500));
                drop(store);
                tell.send(()).unwrap();
            });
        }
        Ok(None)
    });
    assert_eq!(done.unwrap().coverage.used, 3);
    told.try_recv().expect("the store was free before the rest was kept");
    assert_eq!(office.embedded.load(Ordering::SeqCst), 6);
}
