//! The hall's own thresholds, as operators meet them: `greeter calibrate` on the demo's two people and on a store of made-up ones, and what
//! `greeter run` and `greeter doctor` make of it.

use std::{fs, time::Duration};

use greeter::{
    camera::photo::read_photo,
    config::{Config, StoreSettings},
    face::{
        Enroller as _, Template,
        enrol::{MIN_FACE_PX, PhotoEnroller},
        manifest::Manifest,
        networks::Networks,
    },
    installation::Installation,
    person::{IdNumber, Person, PersonName, PhoneNumber, RecordNumber},
    roll::Reader,
    store::{Change, EnrolledPhoto, Enrolment, Store},
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[path = "support/desk.rs"]
mod desk;
use desk::Desk;

/// The longest that the program may take to load its networks on a machine that is busy with other tests.
const STARTS_WITHIN: Duration = Duration::from_secs(30);
const RECOGNISER: &str = "mobilefacenet-192-whitened";

/// Made-up people of the recogniser's kind: their scores with each other spread by about 0.13.
struct Crowd {
    draw: ChaCha8Rng,
    enrolled: usize,
}

impl Crowd {
    fn new() -> Self {
        Self { draw: ChaCha8Rng::seed_from_u64(7), enrolled: 0 }
    }

    /// Sixty of 192 directions carry nearly all.
    fn template(&mut self) -> Template {
        let mut value =
            |at: usize| (0..4).map(|_| self.draw.random::<f32>() - 0.5).sum::<f32>() * if at < 60 { 1.0 } else { 0.05 };
        Template::from_output((0..192).map(&mut value).collect()).unwrap()
    }

    /// A person with two photos.
    fn enrolment(&mut self, store: &mut Store, face: &Template) -> Change {
        let record = store.new_record();
        self.enrolled += 1;
        let photos = (0..2_u8).map(|photo| {
            let other = self.template();
            let template = Template::mean([(face, 0.9), (&other, 0.3)]).unwrap();
            EnrolledPhoto::Embedded {
                bytes: format!("{}-{photo}", self.enrolled).into(),
                model: RECOGNISER.into(),
                template,
            }
        });
        let photos = photos.collect();
        let person = Person::new(
            IdNumber::new(format!("1101991990{:08}", self.enrolled)),
            PersonName::new("Somebody"),
            PhoneNumber::new("+8613800138000"),
        );
        Change::Put(Box::new(Enrolment { record, person, photos, refused: Vec::new() }))
    }

    /// Enrols `people`, the first of them twice if `twice`.
    fn comes_to(&mut self, desk: &Desk, people: usize, twice: bool) {
        let settings =
            StoreSettings { folder: desk.at("store"), key_file: desk.at("keys/store.key"), ..StoreSettings::default() };
        let mut store = Store::open(&settings).unwrap().store;
        let faces: Vec<Template> = (0..people).map(|_| self.template()).collect();
        let all = faces.iter().chain(faces.first().filter(|_| twice));
        let changes = all.map(|face| self.enrolment(&mut store, face)).collect();
        store.commit(changes).unwrap();
        store.write_snapshot().unwrap();
    }
}

fn file(desk: &Desk) -> toml::Table {
    toml::from_str(&fs::read_to_string(desk.at("store.calibration")).unwrap()).unwrap()
}

/// Another photo of record 1 reaches what the robot demands, and nobody else comes near.
fn a_visitor_of_the_demo_is_found(desk: &Desk, demanded: f32) {
    let installation = Installation::find().unwrap();
    let config = Config::load(&desk.at("greeter.toml")).unwrap();
    let reader = Reader::new(&config, &Manifest::load(&installation.models()).unwrap()).unwrap();
    let roll = reader.read();
    assert_eq!((roll.demands, roll.demands.min_score_to_name), (reader.demands(151), demanded));
    let mut enroller = PhotoEnroller::new(Networks::load(&installation, &config.face.pack, MIN_FACE_PX).unwrap());
    let photo = read_photo(&desk::tree().join("assets/demo/visits/105-obama@0.1s.jpg")).unwrap();
    let found = roll.gallery.search(&enroller.enrol(&photo).unwrap().unwrap());
    let (first, second) = (found.first.unwrap(), found.second.unwrap());
    assert_eq!(first.person, RecordNumber(1));
    assert!(first.score >= demanded && second.score < demanded, "{first:?} {second:?} {demanded}");
}

#[test]
fn with_two_people_the_shipped_scores_go_on_and_the_operator_reads_why() {
    let desk = Desk::new();
    desk.preloads_the_demo();
    let answer = desk.does(&["calibrate"]);
    assert_eq!(answer.code, Some(3), "{answer:?}");
    answer.says("2 people are too few to measure: the shipped scores hold").says("at most about 1 stranger in 1,000");
    let written = file(&desk);
    assert_eq!((written["recogniser"].as_str(), written["people"].as_integer()), (Some(RECOGNISER), Some(2)));
    assert!(written["scores"].as_array().unwrap().iter().all(|row| row["from"].as_str() == Some("shipped")));
    desk.does(&["calibrate", "--fpir", "0.5"]).fails_with(&["must lie above 0 and be at most 0.1, not 0.5"]);
    assert_eq!(file(&desk), written, "nothing was changed");
}

#[test]
fn a_hall_measures_its_own_people_and_the_robot_and_the_doctor_use_it() {
    let desk = Desk::new();
    desk.preloads_the_demo();
    let mut crowd = Crowd::new();
    crowd.comes_to(&desk, 148, true);
    desk.does(&["doctor", "store"])
        .says("151 people are enrolled and their scores were never measured")
        .says("run `greeter calibrate`");

    let (page, json) = (desk.at("report.html"), desk.at("figures.json"));
    let arguments = ["calibrate", "--report", page.to_str().unwrap(), "--json", json.to_str().unwrap()];
    let dry = desk.does(&[&arguments[..], &["--dry-run"]].concat());
    assert_eq!(dry.code, Some(3), "{dry:?}");
    dry.says("Nothing was changed");
    assert!(!desk.at("store.calibration").exists());

    let answer = desk.does(&arguments);
    assert_eq!(answer.code, Some(3), "{answer:?}");
    answer.says("151 people with 300 photos; 11,325 pairs of people were compared");
    answer.says("records #3 and #151 look like one person").says("about 1 stranger in 1,000 would be named, and");
    let figures: serde_json::Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!(figures["alike"][0]["records"], serde_json::json!([3, 151]));
    assert_eq!(figures["named_by_single_photos"]["people"], 149);
    let demanded = figures["min_score_to_name"].as_f64().unwrap();
    assert!((0.3..0.7).contains(&demanded), "{demanded}");
    let page = fs::read_to_string(page).unwrap();
    assert_eq!(page.matches("<svg").count(), 3);
    for secret in ["Obama", "Collins", "Somebody", "1101991990", "110199197001010011", "13800138000"] {
        assert!(!page.contains(secret) && !answer.out.contains(secret) && !figures.to_string().contains(secret));
    }
    desk.does(&["doctor", "store"]).is_done().says("on 151 people, 0 days ago: FPIR 0.1 %");

    // The robot takes it and says so.
    let recording = desk.recording(&["100-"]);
    let events = desk.at("events.jsonl");
    let arguments = ["run", "--camera", recording.to_str().unwrap(), "--events", events.to_str().unwrap()];
    let mut robot = desk.starts(&arguments);
    let serving = robot.says("serving; 151 people enrolled", STARTS_WITHIN);
    assert!(serving.contains("(calibrated on 151 people on 2"), "{serving}");
    assert!(robot.ends_within(STARTS_WITHIN).success());
    let first = fs::read_to_string(&events).unwrap().lines().next().unwrap().to_owned();
    let first: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert_eq!((first["event"].as_str(), first["min_score_from"].as_str()), (Some("serving"), Some("calibrated")));
    assert!((first["min_score_to_name"].as_f64().unwrap() - demanded).abs() < 1e-6);
    a_visitor_of_the_demo_is_found(&desk, demanded as f32);

    // Twice as many: the score has grown with them, and the doctor wants them measured.
    crowd.comes_to(&desk, 151, false);
    let doctor = desk.does(&["doctor", "store"]);
    assert_eq!(doctor.code, Some(3), "{doctor:?}");
    doctor.says("on 151 people; now 302 are enrolled: measure them too").says("cure: run `greeter calibrate`");
    // The operator's own score still wins.
    desk.configures("\n[decision]\nmin_score_to_name = 0.9\n");
    let answer = desk.does(&["calibrate"]);
    answer.says("until now 0.900").says("`decision.min_score_to_name` is 0.9 and still holds");
    assert_eq!(file(&desk)["people"].as_integer(), Some(302));
}

#[test]
fn a_robot_that_serves_takes_up_a_new_calibration_without_being_started_again() {
    let desk = Desk::new();
    desk.preloads_the_demo();
    let recording = desk.recording(&["100-"]);
    let mut robot = desk.starts(&["run", "--looped", "--camera", recording.to_str().unwrap()]);
    let serving = robot.says("serving; 2 people enrolled", STARTS_WITHIN);
    assert!(serving.contains("(shipped; `greeter calibrate` finds this hall's own)"), "{serving}");
    assert_eq!(desk.does(&["calibrate"]).code, Some(3));
    robot.says("2 people enrolled", STARTS_WITHIN);
}
