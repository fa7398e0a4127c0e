//! The program as operators meet it: what it prints, what it refuses, and what stays unharmed.
//!
//! The help texts are in tests/golden/help.txt as people read them; `GREETER_WRITE_GOLDEN=1 cargo test --release --test cli` writes
//! that file anew.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use greeter::{bench::identify::cast::tested, config::StoreSettings, models::file::sha256_of, store::Store};
use rustix::process::Signal;

#[path = "support/camera.rs"]
mod camera;
#[path = "support/desk.rs"]
mod desk;
use camera::VirtualCamera;
use desk::{Copy, Desk, tree};

/// The longest that the program may take to load its networks on a machine that is busy with other tests.
const STARTS_WITHIN: Duration = Duration::from_secs(30);
const ENDS_WITHIN: Duration = Duration::from_secs(1);

// --- help ---

/// A command's help and that of all below it.
fn help(desk: &Desk, command: &[&str], all: &mut String) {
    let mut arguments = command.to_vec();
    arguments.push("--help");
    let text = desk.does(&arguments).is_done().out.clone();
    let name = [&["greeter"], command].concat().join(" ");
    *all += &format!("==== {name} ====\n{}\n", text.trim_end());
    let listed = text.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // Longer explanations are indented further than names.
    let names = listed.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    for below in names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        help(desk, &[command, &[below]].concat(), all);
    }
}

#[test]
fn every_commands_help_reads_as_it_was_agreed() {
    let mut now = String::new();
    help(&Desk::new(), &[], &mut now);
    let path = tree().join("tests/golden/help.txt");
    if std::env::var_os("GREETER_WRITE_GOLDEN").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let agreed = fs::read_to_string(&path).unwrap();
    let differs = now.lines().zip(agreed.lines()).find(|(now, agreed)| now != agreed);
    assert!(
        now == agreed,
        "the help has changed, first here (now, agreed): {differs:#?}; if it should, run GREETER_WRITE_GOLDEN=1 cargo test --release --test cli"
    );
    for command in ["run", "sync", "people show", "models install", "doctor", "config explain", "bench latency"] {
        assert!(now.contains(&format!("==== greeter {command} ====")), "{command} is missing");
    }
}

#[test]
fn a_command_that_does_not_exist_is_a_wrong_command_line() {
    let answer = Desk::new().does(&["greet"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("unrecognized subcommand"), "{}", answer.err);
}

// --- configuration ---

#[test]
fn a_mistyped_key_is_named_with_its_file_its_line_and_the_nearest_key() {
    let desk = Desk::new();
    desk.configures("\n[camera]\nwidht = 640\n");
    let lines = fs::read_to_string(desk.at("greeter.toml")).unwrap().lines().count();
    desk.does(&["run"]).fails_with(&[
        "greeter.toml",
        &format!("line {lines}:"),
        "`camera.widht`",
        "did you mean `camera.width`?",
    ]);
    assert!(!desk.at("store").exists(), "nothing was begun");
}

#[test]
fn an_operator_can_ask_what_a_key_means_and_what_holds() {
    let desk = Desk::new();
    desk.configures("\n[camera]\nwidth = 640\n");
    let answer = desk.does(&["config", "explain", "visit.cool_down_s"]);
    assert_eq!(answer.is_done().out, "visit.cool_down_s = 600\n    Nobody is greeted again within this time.\n");
    desk.does(&["config", "explain", "cool_down"])
        .fails_with(&["no key `cool_down`", "did you mean `visit.cool_down_s`?"]);
    let shown = desk.does(&["config", "show"]);
    shown.is_done().says("\nwidth = 640   # not the default\n").says("\nheight = 720\n");
}

// --- models and runtime ---

/// Name and content of each file in a folder.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file());
    files.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap())).collect()
}

/// Folders of two photos a person: two people of the half that may be used for fitting, and one of the half that is tested.
fn two_photos_a_person(desk: &Desk) -> Vec<String> {
    let portraits = ["barack-obama.jpg", "eileen-collins.png", "barack-obama.jpg"];
    let name = |is_tested: bool| {
        move |at: usize| (at..).map(|at| format!("person-{at}")).find(|name| tested(name, 1) == is_tested).unwrap()
    };
    let names = [name(false)(0), name(false)(100), name(true)(0)];
    let people = portraits.iter().zip(names).map(|(portrait, name)| {
        let portrait = tree().join("assets/demo/enrol").join(portrait);
        let folder = desk.at("dataset").join(&name);
        fs::create_dir_all(&folder).unwrap();
        let photo = image::open(portrait).unwrap().to_rgb8();
        image::imageops::brighten(&photo, -25).save(folder.join("darker.png")).unwrap();
        photo.save(folder.join("as-it-is.png")).unwrap();
        name
    });
    people.collect()
}

#[test]
fn a_whitening_is_fitted_to_known_peoples_photos_and_the_line_for_the_manifest_is_true() {
    let desk = Desk::new();
    let people = two_photos_a_person(&desk);
    fs::write(desk.at("group.txt"), format!("# like those who will come\n{}\n{}\n", people[0], people[2])).unwrap();
    let fit = |out: &str| {
        desk.does(&[
            "bench",
            "whitening",
            "--dataset",
            "dataset",
            "--group",
            "group.txt",
            "--network",
            "mobilefacenet-192",
            "--out",
            out,
        ])
    };
    let answer = fit("some.f32");
    answer.is_done().says("whitening = { name = \"some.f32\", bytes = 148224, sha256 = ");
    assert!(answer.err.contains("2 people, 4 photos; 1 of the group"), "{}", answer.err);
    let bytes = fs::read(desk.at("some.f32")).unwrap();
    assert_eq!(bytes.len(), 148_224);
    answer.says(&sha256_of(&bytes));
    for name in &people {
        fs::remove_file(desk.at("dataset").join(name).join("darker.png")).unwrap();
    }
    fit("none.f32").fails_with(&["nobody with two usable photos"]);
    assert!(!desk.at("none.f32").exists());
}

#[test]
fn a_damaged_model_is_named_and_nobody_is_greeted_or_enrolled_with_it() {
    let copy = Copy::new();
    let desk = copy.desk();
    desk.does(&["models", "verify"]).is_done().says("ok       mobilefacenet-192.onnx");
    copy.damages("models/mobilefacenet-192.onnx");
    let answer = desk.does(&["models", "verify"]);
    assert_eq!(answer.code, Some(1));
    answer.says("mobilefacenet-192.onnx is damaged: its SHA-256 is").says("ok       mtcnn-onet.onnx");
    let roster = tree().join("assets/demo/roster.csv");
    for command in [&["sync", roster.to_str().unwrap()][..], &["run"]] {
        desk.does(command).fails_with(&["mobilefacenet-192.onnx is damaged", "git checkout -- models"]);
    }
    desk.does(&["people", "list"]).is_done().says("0 people");
    let doctor = desk.does(&["doctor", "models"]);
    assert_eq!(doctor.code, Some(3));
    doctor
        .says("problem  models")
        .says("mobilefacenet-192.onnx is damaged")
        .says("cure: Restore it with `git checkout -- models`");
}

#[test]
fn a_missing_runtime_is_named_with_its_cure() {
    let copy = Copy::new();
    fs::remove_file(copy.at(".runtime/libonnxruntime.so")).unwrap();
    let desk = copy.desk();
    desk.does(&["run"]).fails_with(&["ONNX Runtime is missing", ".runtime/libonnxruntime.so", "Run scripts/setup.sh"]);
    let doctor = desk.does(&["doctor", "runtime"]);
    assert_eq!(doctor.code, Some(3));
    doctor.says("problem  runtime").says("cure: Run scripts/setup.sh");
}

#[test]
fn the_runtime_reports_nothing_to_its_maker() {
    let desk = Desk::new();
    let home = desk.at("home");
    fs::create_dir(&home).unwrap();
    let mut command = desk.command(&["doctor", "runtime"]);
    command.env_remove("ORT_DISABLE_TELEMETRY").env_remove("CI").env_remove("XDG_CACHE_HOME").env("HOME", &home);
    let answer = command.output().unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stdout));
    // Where it reports, it first makes an identifier of the device and a store of reports.
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0, "{:?}", home.join(".cache").read_dir().map(Iterator::count));
}

#[test]
fn a_wrong_file_is_refused_as_a_network_and_nothing_changes() {
    let copy = Copy::new();
    let desk = copy.desk();
    let before = content(&copy.at("models"));
    let wrong = copy.at("models/mtcnn-onet.onnx");
    let install = |from: &str| desk.does(&["models", "install", "mobilefacenet-128", "--from", from]);
    install(wrong.to_str().unwrap()).fails_with(&["mtcnn-onet.onnx is not mobilefacenet-128", "Nothing was changed"]);
    install("/nowhere/at.all").fails_with(&["cannot read /nowhere/at.all", "Nothing was changed"]);
    desk.does(&["models", "install", "mobilefacenet-128"])
        .fails_with(&["Download https://", "greeter models install mobilefacenet-128 --from"]);
    desk.does(&["models", "install", "facenet"]).fails_with(&["there is no network facenet", "mobilefacenet-128"]);
    assert_eq!(content(&copy.at("models")), before);
    desk.does(&["models", "use", "mobilefacenet-128"]).fails_with(&["mobilefacenet-128.onnx is missing"]);
    assert!(!fs::read_to_string(desk.at("greeter.toml")).unwrap().contains("mobilefacenet"));
}

#[test]
fn optional_networks_are_installed_and_chosen_when_everybody_was_embedded_anew() {
    let file = tree().join("../shared/models/mobilefacenet/MobileFaceNet.onnx");
    if !file.is_file() {
        println!("skipped: the optional network mobilefacenet-128 is not on this machine");
        return;
    }
    let copy = Copy::new();
    let desk = copy.desk();
    desk.preloads_the_demo();
    desk.does(&["models", "list"]).is_done().says("pack both (not in use; needs mobilefacenet-128)");
    desk.does(&["models", "use", "both"]).fails_with(&["mobilefacenet-128.onnx is missing"]);
    desk.does(&["models", "install", "mobilefacenet-128", "--from", file.to_str().unwrap()])
        .is_done()
        .says("is installed. Packs that use it: both, mobilefacenet-128.");
    let before = fs::read_to_string(desk.at("greeter.toml")).unwrap();
    desk.does(&["models", "use", "both"]).fails_with(&[
        "2 of the stored photos have not been looked at by the networks of pack both",
        "Nothing was changed: run `greeter reindex --pack both`",
    ]);
    desk.does(&["reindex", "--check", "--pack", "both"]).fails_with(&["2 of the stored photos"]);
    assert_eq!(fs::read_to_string(desk.at("greeter.toml")).unwrap(), before);

    // Beside the old ones, which serve.
    let reindexed = desk.does(&["reindex", "--pack", "both"]);
    reindexed.is_done().says("2 photos were looked at. 2 people, 2 photos with a template.");
    reindexed.says("Pack default stays in use. Switch with: greeter models use both");
    desk.does(&["doctor", "store"]).is_done().says("2 people, 4 templates").says("2 templates beside them");
    desk.does(&["reindex", "--pack", "both"]).is_done().says("0 photos were looked at.");

    desk.does(&["models", "use", "both"]).is_done().says("2 templates of other networks were erased.");
    let after = fs::read_to_string(desk.at("greeter.toml")).unwrap();
    assert!(after.contains("[face]\npack = \"both\"\n"), "{after}");
    for line in before.lines() {
        assert!(after.contains(line), "`{line}` is lost, in\n{after}");
    }
    desk.does(&["doctor", "store"]).is_done().says("2 people, 2 templates");
    let roster = tree().join("assets/demo/roster.csv");
    desk.does(&["sync", roster.to_str().unwrap()]).is_done().says("0 changed, 2 unchanged");
    let recording = desk.recording(&["100-", "obama@", "200-"]);
    desk.does(&["run", "--camera", recording.to_str().unwrap()]).is_done().says("Mr Obama");

    // And on to another one in one step, keeping what is there.
    let next = ["reindex", "--pack", "mobilefacenet-128", "--use", "--keep-old"];
    desk.does(&next).is_done().says("now says face.pack = \"mobilefacenet-128\"");
    desk.does(&["doctor", "store"]).is_done().says("2 people, 4 templates");
    desk.does(&["models", "use", "both"]).is_done();
    desk.does(&["doctor", "store"]).is_done().says("2 people, 2 templates");
}

#[test]
fn people_without_templates_of_the_networks_in_use_are_told_and_a_reindex_makes_them_without_the_roster() {
    let desk = Desk::new();
    desk.preloads_the_demo();
    let settings =
        StoreSettings { folder: desk.at("store"), key_file: desk.at("keys/store.key"), ..StoreSettings::default() };
    // As if the store came from other networks.
    Store::open(&settings).unwrap().store.erase_other_models("other networks").unwrap();
    let recording = desk.recording(&["100-", "obama@", "200-"]);
    let nameless = desk.does(&["run", "--camera", recording.to_str().unwrap()]);
    nameless.is_done().says("none of the 2 people in the store has a template by mobilefacenet-192");
    nameless.says("Run `greeter reindex`");
    assert!(!nameless.out.contains("Obama"), "{}", nameless.out);
    let doctor = desk.does(&["doctor", "store"]);
    assert_eq!(doctor.code, Some(3));
    doctor.says("2 photos have no template by mobilefacenet-192").says("cure: run `greeter reindex`");

    desk.does(&["reindex"]).is_done().says("2 photos were looked at. 2 people, 2 photos with a template.");
    desk.does(&["doctor", "store"]).is_done().says("2 people, 2 templates");
    desk.does(&["run", "--camera", recording.to_str().unwrap()]).is_done().says("Mr Obama");
    desk.does(&["reindex", "--pack", "deluxe"]).fails_with(&["there is no pack deluxe"]);
}

#[test]
fn root_switches_the_pack_of_a_store_that_is_the_services_and_leaves_no_file_of_roots_in_it() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can own the configuration while another user owns the store");
        return;
    }
    let file = tree().join("../shared/models/mobilefacenet/MobileFaceNet.onnx");
    if !file.is_file() {
        println!("skipped: the optional network mobilefacenet-128 is not on this machine");
        return;
    }
    let copy = Copy::new();
    let desk = copy.desk();
    desk.preloads_the_demo();
    desk.does(&["models", "install", "mobilefacenet-128", "--from", file.to_str().unwrap()]).is_done();
    // As the installed service has it: the program, its models and the configuration are root's, people and key the service user's.
    desk.does(&["reindex", "--pack", "both"]).is_done();
    const SERVICE: u32 = 65534;
    for folder in [desk.at("."), copy.at(".")] {
        fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let hand_over = |path: &Path| std::os::unix::fs::chown(path, Some(SERVICE), Some(SERVICE)).unwrap();
    let data = desk.at("data");
    fs::create_dir(&data).unwrap();
    for name in ["store", "store.lock", "store.photos", "store.snapshot", "keys"] {
        fs::rename(desk.at(name), data.join(name)).unwrap();
    }
    let text = fs::read_to_string(desk.at("greeter.toml")).unwrap();
    let text = text.replace("\"store\"", "\"data/store\"").replace("\"keys/store.key\"", "\"data/keys/store.key\"");
    fs::write(desk.at("greeter.toml"), text).unwrap();
    let everything = || {
        let mut folders = vec![data.clone()];
        let mut found = vec![data.clone()];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                found.push(path.clone());
                folders.extend(path.is_dir().then_some(path));
            }
        }
        found
    };
    everything().iter().for_each(|path| hand_over(path));

    desk.does(&["models", "use", "both"]).is_done().says("now says face.pack = \"both\"");
    for path in everything() {
        assert_eq!(std::os::unix::fs::MetadataExt::uid(&fs::metadata(&path).unwrap()), SERVICE, "{}", path.display());
    }
    let settings =
        StoreSettings { folder: data.join("store"), key_file: data.join("keys/store.key"), ..StoreSettings::default() };
    let templates = Store::open(&settings).unwrap().store.templates("mobilefacenet-192+128-whitened").unwrap();
    assert_eq!(templates.len(), 2);
}

// --- running ---

#[test]
fn without_a_camera_the_robot_says_so_waits_and_never_plays_a_recording_by_itself() {
    let desk = Desk::new();
    desk.configures("\n[camera]\ndevice = \"a camera that nobody has\"\n");
    let mut robot = desk.starts(&["run"]);
    let complaint = robot.says("no camera has `a camera that nobody has` in its name", STARTS_WITHIN);
    assert!(complaint.contains("Plug it in"), "{complaint}");
    std::thread::sleep(Duration::from_secs(3));
    robot.gets(Signal::INT);
    assert!(robot.ends_within(ENDS_WITHIN).success());
    let (out, _) = robot.everything();
    assert!(out.contains("ended; 0 frames captured") && !out.contains("recording"), "{out}");
}

#[test]
fn a_visitor_is_greeted_by_name_and_the_events_and_the_log_know_only_a_number() {
    let desk = Desk::new();
    desk.preloads_the_demo();
    let recording = desk.recording(&["100-", "obama@", "200-"]);
    let events = desk.at("events.jsonl");
    let arguments = ["run", "--camera", recording.to_str().unwrap(), "--events", events.to_str().unwrap()];
    let mut robot = desk.starts(&arguments);
    let said = robot.says("says: ", STARTS_WITHIN);
    assert!(said.contains("Mr Obama"), "{said}");
    assert!(robot.ends_within(STARTS_WITHIN).success(), "the recording ends by itself");
    let (out, err) = robot.everything();
    let file = events;
    let events = fs::read_to_string(&file).unwrap();
    let lines: Vec<serde_json::Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of =
        |kind: &str| lines.iter().find(|line| line["event"] == kind).unwrap_or_else(|| panic!("no {kind} in {events}"));
    assert_eq!(of("identified")["person"], 1);
    assert_eq!(of("routed")["counter"], "3");
    for kind in ["face_seen", "greeting_started", "left"] {
        assert!(of(kind)["at_ms"].is_u64());
    }
    let roster = fs::read_to_string(tree().join("assets/demo/roster.csv")).unwrap();
    for row in roster.lines().skip(1) {
        let columns: Vec<&str> = row.split(',').collect();
        let (id, name, phone) = (columns[0], columns[1], columns[2]);
        let surname = name.rsplit(' ').next().unwrap();
        for secret in [id, &id[6..14], name, surname, phone] {
            assert!(!events.contains(secret) && !err.contains(secret), "{secret} in\n{events}\n{err}");
        }
        for secret in [id, phone] {
            assert!(!out.contains(secret), "{secret} on the screen");
        }
    }
    assert!(!out.contains('\u{1b}') && !err.contains('\u{1b}'), "colour where there is no terminal");
    let explained = desk.does(&["explain", "--events", file.to_str().unwrap(), "last"]);
    explained.is_done().says("was named: #1. The score of").says("views that agree").says("sent to counter 3");
    assert!(!explained.out.contains("Obama") && !explained.out.contains("too little"), "{}", explained.out);
    let json = desk.does(&["explain", "--json", "--events", file.to_str().unwrap(), "last"]);
    let json: serde_json::Value = serde_json::from_str(&json.is_done().out).unwrap();
    assert_eq!((&json["person"], &json["min_score_from"], &json["people"]), (&1.into(), &"shipped".into(), &2.into()));
}

#[test]
fn a_decision_that_cannot_be_explained_is_named_with_what_can() {
    let desk = Desk::new();
    let file = desk.at("events.jsonl");
    fs::write(&file, "{\"at_ms\":1,\"event\":\"left\",\"visitor\":3}\n").unwrap();
    let file = file.to_str().unwrap();
    desk.does(&["explain", "--events", "/nowhere/events", "3"]).fails_with(&["cannot read /nowhere/events"]);
    desk.does(&["explain", "--events", file, "3"]).fails_with(&["no decision about visitor 3", "events.jsonl"]);
    desk.does(&["explain", "--events", file, "line:1"]).fails_with(&["line 1 is no decision", "`left`"]);
    desk.does(&["explain", "--events", file, "Obama"]).fails_with(&["`Obama` is no event", "`last`"]);
}

#[test]
fn a_disk_that_is_full_of_events_does_not_stop_the_robot() {
    let desk = Desk::new();
    let recording = desk.recording(&["100-"]);
    let mut robot = desk.starts(&["run", "--camera", recording.to_str().unwrap(), "--events", "/dev/full"]);
    assert!(robot.ends_within(STARTS_WITHIN).success());
    let (out, err) = robot.everything();
    assert!(out.contains("the recording is over"), "{out}");
    assert_eq!(err.matches("events are no longer written to /dev/full").count(), 1, "{err}");
}

#[test]
fn a_recording_that_does_not_exist_is_named() {
    Desk::new().does(&["run", "--camera", "/nowhere/visits"]).fails_with(&["/nowhere/visits"]);
}

// --- people ---

#[test]
fn people_are_masked_until_staff_ask_to_see_them() {
    let desk = Desk::new();
    desk.preloads_the_demo();
    let secrets = ["Barack", "Obama", "110199197001010011", "13800138000"];
    for arguments in [&["people", "list"][..], &["people", "show", "1"]] {
        let answer = desk.does(arguments);
        answer.is_done().says("110*************11");
        for secret in secrets {
            assert!(!answer.out.contains(secret) && !answer.err.contains(secret), "{answer:?}");
        }
    }
    let revealed = desk.does(&["people", "show", "#1", "--reveal"]);
    revealed.is_done().says("Barack Obama").says("110199197001010011").says("+8613800138000");
    desk.does(&["people", "show", "7"]).fails_with(&["there is no record #7", "greeter people list"]);
    desk.does(&["people", "remove", "1"]).fails_with(&["add --yes"]);
    desk.does(&["people", "remove", "1", "--yes"]).is_done().says("record #1, erased");
    desk.does(&["people", "list"]).is_done().says("1 person");
}

#[test]
fn a_wrong_or_missing_key_is_named_and_the_right_one_still_opens_the_store() {
    let desk = Desk::new();
    desk.preloads_the_demo();
    let key = desk.at("keys/store.key");
    let right = fs::read(&key).unwrap();
    fs::write(&key, [7; 32]).unwrap();
    desk.does(&["people", "list"]).fails_with(&["store.key does not open the store", "`store.key_file`"]);
    fs::write(&key, &right).unwrap();
    let moved = desk.at("elsewhere.key");
    fs::rename(&key, &moved).unwrap();
    desk.does(&["people", "list"]).fails_with(&["store.key is missing", "Restore the key"]);
    assert!(!key.exists(), "no new key is made for a store that has one");
    fs::rename(&moved, &key).unwrap();
    desk.does(&["people", "list"]).is_done().says("2 people");
}

#[test]
fn a_store_that_another_process_uses_is_named_with_it_and_the_doctor_leaves_it_alone() {
    let desk = Desk::new();
    desk.preloads_the_demo();
    let settings =
        StoreSettings { folder: desk.at("store"), key_file: desk.at("keys/store.key"), ..StoreSettings::default() };
    let held = Store::open(&settings).unwrap();
    let ourselves = std::process::id().to_string();
    desk.does(&["store", "check"]).fails_with(&["is in use by process", &ourselves, "try again"]);
    desk.does(&["people", "list"]).is_done().says("2 people");
    desk.does(&["doctor", "store"]).is_done().says("ok       store").says("2 people");
    desk.does(&["people", "erase", "2", "--yes"]).is_done().says("they are removed when the store is opened next");
    desk.does(&["people", "list"]).is_done().says("1 person");
    drop(held);
    desk.does(&["store", "check"]).is_done().says("1 people and 1 photos can be read");
}

// --- the doctor ---

#[test]
fn the_doctor_tells_what_is_wrong_on_a_bare_machine_and_how_to_cure_it() {
    let desk = Desk::new();
    desk.configures("\n[camera]\ndevice = \"a camera that nobody has\"\n");
    let answer = desk.does(&["doctor"]);
    assert_eq!(answer.code, Some(3), "{answer:?}");
    answer.says("problem  camera         no camera has `a camera that nobody has` in its name");
    for fine in ["configuration", "phrases", "models", "runtime", "store", "routing", "disk", "clock"] {
        answer.says(&format!("ok       {fine} "));
    }
    let lines: Vec<&str> = answer.out.lines().collect();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("problem  ")) {
        assert!(lines[at + 1].trim_start().starts_with("cure: "), "no cure after: {line}");
    }
    assert!(answer.out.trim_end().ends_with('.') && !answer.out.contains('\u{1b}'), "{}", answer.out);
    assert!(!desk.at("store").exists() && !desk.at("keys").exists(), "looking changes nothing");
}

#[test]
fn the_doctor_goes_on_where_configuration_counters_and_phrases_are_wrong() {
    let desk = Desk::new();
    fs::create_dir(desk.at("phrases")).unwrap();
    fs::write(desk.at("phrases/en.ftl"), "hello = Hello {$nmae}\n").unwrap();
    let answer = desk.does(&["doctor", "phrases", "clock"]);
    assert_eq!(answer.code, Some(3));
    answer.says("problem  phrases").says("uses $nmae, which it is not given").says("ok       clock");
    desk.configures("\n[camera]\nwidht = 640\n");
    let answer = desk.does(&["doctor", "configuration", "runtime"]);
    assert_eq!(answer.code, Some(3));
    answer.says("problem  configuration").says("camera.widht").says("ok       runtime");
    desk.does(&["doctor", "camra"]).fails_with(&["there is no check camra", "camera"]);
}

#[test]
fn the_doctor_notices_services_that_no_counter_knows() {
    let desk = Desk::new();
    desk.preloads_the_demo();
    let routing = fs::read_to_string(tree().join("assets/demo/routing.toml")).unwrap();
    fs::write(desk.at("routing.toml"), routing.replace("invoice", "bills")).unwrap();
    let config = fs::read_to_string(desk.at("greeter.toml")).unwrap();
    let own = config.lines().filter(|line| !line.starts_with("file = ")).collect::<Vec<_>>().join("\n");
    fs::write(desk.at("greeter.toml"), own).unwrap();
    let answer = desk.does(&["doctor", "routing"]);
    assert_eq!(answer.code, Some(3), "{answer:?}");
    answer.says("no service that 1 people come for, record #2 among them: they are sent to reception");
}

#[test]
fn the_doctor_takes_a_picture_of_what_the_robot_sees_for_its_owner_alone() {
    let desk = Desk::new();
    desk.configures("\n[camera]\nzone = [0.05, 0.0, 0.9, 1.0]\nblank = [[0.06, 0.05, 0.1, 0.2]]\n");
    let photo = tree().join("assets/demo/enrol/barack-obama.jpg");
    let take = |file: &str| desk.does(&["doctor", "--picture", file, "--camera", photo.to_str().unwrap()]);
    let (width, height) = image::image_dimensions(&photo).unwrap();
    for (file, format) in [("hall.png", image::ImageFormat::Png), ("hall.jpg", image::ImageFormat::Jpeg)] {
        let answer = take(file);
        answer
            .is_done()
            .says(&format!("a picture of {width}x{height}; faces: 1, near enough where people are looked at: 1"));
        answer.says("ok       picture        face 1 at [0.").says(" px apart, near enough, light ");
        answer.says(&format!("{file} shows people: look at it, then delete it with `rm {file}`"));
        let made = desk.at(file);
        assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o600);
        let bytes = fs::read(&made).unwrap();
        assert_eq!(image::guess_format(&bytes).unwrap(), format);
        let drawn = image::load_from_memory(&bytes).unwrap().to_rgb8();
        assert_eq!(drawn.dimensions(), (width, height));
        // The zone's frame is blue, the blank place and nothing else red, the face's box and words green.
        let is = |pixel: [u8; 3], colour: [u8; 3]| pixel.iter().zip(colour).all(|(&a, b)| a.abs_diff(b) < 40);
        let share = |x: f32, y: f32| drawn.get_pixel((x * width as f32) as u32, (y * height as f32) as u32).0;
        assert!(is(share(0.051, 0.5), [60, 140, 255]), "{:?}", share(0.051, 0.5));
        let count = |colour| drawn.pixels().filter(|pixel| is(pixel.0, colour)).count();
        assert!(count([60, 220, 60]) > 500, "{} green", count([60, 220, 60]));
        assert!(count([235, 60, 60]) as f32 > 0.001 * (width * height) as f32, "{} red", count([235, 60, 60]));
    }
    let before = fs::read(desk.at("hall.png")).unwrap();
    let answer = take("hall.png");
    assert_eq!(answer.code, Some(3));
    answer
        .says("problem  picture        hall.png is there already, and nothing was changed")
        .says("cure: name another file");
    assert_eq!(fs::read(desk.at("hall.png")).unwrap(), before);
    take("hall.gif").says("hall.gif ends in neither .jpg nor .png").says("cure: name the picture so");
    take("nowhere/hall.png")
        .says("nowhere/hall.png cannot be written")
        .says("cure: name a file in a folder that is there");
    assert!(!desk.at("hall.gif").exists() && !desk.at("store").exists() && !desk.at("keys").exists());
}

#[test]
fn the_doctors_picture_says_which_faces_are_not_looked_at_and_why() {
    let desk = Desk::new();
    let photo = tree().join("assets/demo/enrol/barack-obama.jpg");
    let take = |file: &str| desk.does(&["doctor", "--picture", file, "--camera", photo.to_str().unwrap()]);
    let config = fs::read_to_string(desk.at("greeter.toml")).unwrap();
    let configures = |lines: &str| fs::write(desk.at("greeter.toml"), format!("{config}\n{lines}\n")).unwrap();
    configures("[camera]\nzone = [0.0, 0.9, 1.0, 0.1]");
    take("out.png").is_done().says("looked at: 0").says("outside camera.zone: not looked at");
    configures("[camera]\nblank = [[0.0, 0.0, 1.0, 1.0]]");
    take("blank.png").is_done().says("looked at: 0").says("in camera.blank: not looked at");
    configures("[face]\nmin_eye_distance_px = 500.0");
    take("far.png").is_done().says("looked at: 0").says("too far away (below 500)");
    configures("[camera]\nzone = [0.0, 0.9, 1.0, 0.2]");
    let answer = take("wrong.png");
    assert_eq!(answer.code, Some(3));
    answer.says("camera.zone: [0.0, 0.9, 1.0, 0.2] reaches out of the picture");
    assert!(!desk.does(&["doctor", "--camera", "x.jpg"]).err.is_empty());
    assert_eq!(desk.does(&["doctor", "--picture", "x.jpg", "camera"]).code, Some(2));
}

#[test]
fn the_doctors_picture_is_taken_through_the_webcam() {
    let Some(camera) = VirtualCamera::plug_in() else { return };
    let desk = Desk::new();
    camera.shows(&desk.recording(&["obama@"]));
    let output = desk.command(&["doctor", "--picture", "hall.png"]).envs(camera.env()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains(&camera.path().display().to_string()) && said.contains("faces: 1"), "{said}");
    assert_eq!(image::image_dimensions(desk.at("hall.png")).unwrap(), (1280, 720));
}
