//! Every `greeter bench`, once and small: that it runs to its end and tells figures, not what they are.

#[path = "support/desk.rs"]
mod desk;
#[path = "support/hall.rs"]
mod hall;
#[path = "support/speaking.rs"]
mod speaking;

use std::{fs, sync::Mutex};

use desk::{Desk, tree};
use hall::Hall;
use serde_json::Value;
use speaking::in_a_hall;

/// `bench identify` fits on half of them, and asks for 20 in it.
const PEOPLE: usize = 50;

/// A folder of two photos a person: the demo's two people, the first of them in nearly as many lights as there are people.
fn dataset(desk: &Desk) {
    let portraits = ["barack-obama.jpg", "eileen-collins.png"]
        .map(|name| image::open(tree().join("assets/demo/enrol").join(name)).unwrap().to_rgb8())
        .map(|portrait| image::imageops::thumbnail(&portrait, 400, 400 * portrait.height() / portrait.width()));
    for person in 0..PEOPLE {
        let folder = desk.at("dataset").join(format!("person-{person}"));
        fs::create_dir_all(&folder).unwrap();
        for (name, by) in [("darker.jpg", -12), ("as-it-is.jpg", 0)] {
            let light = by + person as i32 / 5 - 4;
            image::imageops::brighten(&portraits[usize::from(person == 1)], light).save(folder.join(name)).unwrap();
        }
    }
    let names: String = (0..PEOPLE).map(|person| format!("person-{person}\n")).collect();
    fs::write(desk.at("group.txt"), names).unwrap();
}

/// The options with which a bench takes seconds.
fn small(bench: &str) -> &'static str {
    match bench {
        "finding" => "--dataset dataset --scenes 1 --only alone,",
        "identify" => "--dataset dataset --enrol 1 --draws 1 --group all=group.txt --plots plots",
        "latency" => "--visits 1 --faces 2 --people 5 --language en",
        "memory" => "--people 20 --photo-bytes 100 --rounds 1",
        "quality" => "--dataset dataset --faces 1",
        "search" => "--people 50 --dims 16 --cores 1 --queries 20",
        "thresholds" => "--dataset dataset --group group.txt",
        "vision" => "--visits 1 --faces 1 --cores 1 --idle-seconds 1",
        "voice" => "--language en --voice espeak --greetings 1",
        "whitening" => "--dataset dataset --group group.txt --network mobilefacenet-192 --out whitening.f32",
        other => panic!("`greeter bench {other}` is new: say here how it is run small"),
    }
}

/// OpenCV with its detector, where both are on this machine.
fn opencv() -> Option<String> {
    let detector = tree().join("../shared/models/yunet/yunet_n_dynamic.onnx");
    let python = tree().join(".runtime/bench-python/bin/python");
    (detector.is_file() && python.is_file()).then(|| detector.to_str().unwrap().to_owned())
}

fn runs(desk: &Desk, bench: &str) {
    let mut arguments = vec!["bench", bench];
    arguments.extend(small(bench).split(' '));
    let figures = format!("{bench}.json");
    // These two print a part of models.toml.
    let prints = ["thresholds", "whitening"].contains(&bench);
    if !prints {
        arguments.extend(["--json", &figures]);
    }
    let opencv = opencv();
    if let Some(detector) = opencv.as_deref().filter(|_| bench == "vision") {
        arguments.extend(["--yunet", detector]);
    }
    let answer = desk.does(&arguments);
    answer.is_done();
    if prints {
        answer.says(if bench == "thresholds" { "{ gallery = 100000, min_score = " } else { "bytes = 148224" });
        return;
    }
    let figures: Value = serde_json::from_str(&fs::read_to_string(desk.at(&figures)).unwrap()).unwrap();
    for key in ["command", "version", "machine", "pack", "seed"] {
        assert!(!figures[key].is_null(), "{bench} does not tell its {key}: {figures}");
    }
    assert!(figures.get("rows").is_none_or(|rows| !rows.as_array().unwrap().is_empty()), "{bench}: {figures}");
    match bench {
        "latency" => {
            assert!(figures["face_to_audible_ms"]["p50"].is_number(), "nothing was heard: {figures}");
            let outcomes = ["right", "wrong", "unsure", "stranger"].map(|outcome| figures[outcome].as_u64().unwrap());
            assert_eq!(outcomes.iter().sum::<u64>(), 2, "each of the two who came together counts: {figures}");
        }
        "voice" => assert!(figures["rows"][0]["first_sample_ms"]["p50"].is_number(), "nothing was heard: {figures}"),
        "vision" => {
            let rows = figures["rows"].as_array().unwrap();
            let idle = rows.iter().find(|row| row["stage"] == "idle").unwrap();
            assert!(idle["cpu_share"].as_f64().unwrap() > 0.0 && idle.get("p50_ms").is_none(), "{idle}");
            let embeds = |row: &Value| row["engine"] == "opencv" && row["stage"] == "embed";
            assert!(opencv.is_none() || rows.iter().any(embeds), "OpenCV did not embed: {figures}");
        }
        _ => {}
    }
}

#[test]
fn every_bench_runs_to_its_end_and_tells_figures() {
    in_a_hall("every_bench_runs_to_its_end_and_tells_figures", &[], |home| {
        let _hall = Hall::opens_in(home);
        if opencv().is_none() {
            println!(
                "skipped: bench vision's peer OpenCV (scripts/bench/setup.sh) or its detector is not on this machine"
            );
        }
        // A configuration that is the desk's own but for its voice.
        let desk = Desk::new();
        let config = fs::read_to_string(desk.at("greeter.toml")).unwrap();
        fs::write(desk.at("greeter.toml"), config.replace("voices = []", "voices = [\"espeak\"]")).unwrap();
        dataset(&desk);
        let help = desk.does(&["bench", "--help"]).is_done().out.clone();
        let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        // What a line has no room for stands further in.
        let names = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
        let names = names.filter(|name| !["", "help"].contains(name));
        let benches: Vec<&str> = names.collect();
        assert!(benches.len() >= 10, "{help}");
        // Two at once: some of them mostly wait.
        let queue = Mutex::new(benches.into_iter());
        let next = || queue.lock().unwrap().next();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| std::iter::from_fn(next).for_each(|bench| runs(&desk, bench)));
            }
        });
    });
}
