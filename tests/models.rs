//! The networks in the box give the answers that `scripts/models/golden.sh` wrote down, on their own and one behind the other.

use std::path::{Path, PathBuf};

use greeter::{
    bench::degrade::{Kind, spoil},
    face::{
        Enroller, ModelError, Point, Template,
        align::align,
        enrol::{MIN_FACE_PX, PhotoEnroller, suffice},
        manifest::{Manifest, Pack},
        networks::Networks,
        picture::append_planes,
        recogniser::Embedded,
        whitening::Whitening,
    },
    installation::Installation,
    models::runtime::{Network, Runtime},
};
use image::RgbImage;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn picture(path: &str) -> RgbImage {
    image::open(root().join(path)).unwrap().to_rgb8()
}

fn networks() -> Networks {
    Networks::load(&Installation::at(root()), "default", MIN_FACE_PX).unwrap()
}

/// With the recogniser as its network is, before any whitening.
fn plain() -> Networks {
    let installation = Installation::at(root());
    let manifest = Manifest::load(&installation.models()).unwrap();
    let pack = Pack { recogniser: "mobilefacenet-192".into(), ..manifest.pack("default").unwrap().clone() };
    Networks::load_pack(&installation, &manifest, &pack, MIN_FACE_PX).unwrap()
}

fn golden() -> Value {
    serde_json::from_str(&std::fs::read_to_string(root().join("models/golden/golden.json")).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f32> {
    let list = value.as_array().unwrap();
    list.iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[track_caller]
fn near(what: &str, got: &[f32], wanted: &[f32], within: f32) {
    assert_eq!(got.len(), wanted.len(), "{what}");
    for (at, (got, wanted)) in got.iter().zip(wanted).enumerate() {
        assert!((got - wanted).abs() <= within, "{what}[{at}] is {got}, not {wanted}");
    }
}

/// What a file of a network answers on a golden picture.
fn raw(network: &str, file: usize, picture: &RgbImage) -> Vec<Vec<f32>> {
    let installation = Installation::at(root());
    let network = Manifest::load(&installation.models()).unwrap().resolve(network).unwrap();
    let runtime = Runtime::load(&installation).unwrap();
    let input = &network.entry.input;
    let mut tensor = Vec::new();
    append_planes(picture, input.mean, input.scale.map(|scale| 1.0 / scale), &mut tensor);
    let shape = [1, 3, picture.height() as usize, picture.width() as usize];
    Network::load(&runtime, &network.name, &network.files[file]).unwrap().run(&shape, &tensor).unwrap()
}

#[test]
fn the_recogniser_gives_the_golden_template() {
    let golden = &golden()["networks"]["mobilefacenet-192"];
    let crop = picture("models/golden/aligned-112.png");
    let outputs = raw("mobilefacenet-192", 0, &crop);
    near("raw", &outputs[0], &numbers(&golden["raw"]), 0.01);
    let template = plain().recogniser.embed(&[crop]).unwrap().remove(0).unwrap();
    let wanted = numbers(&golden["template"]);
    assert!(cosine(&template.0, &wanted) > 0.9999);
    near("template", &template.0, &wanted, 1e-3);
}

#[test]
fn a_crop_has_the_same_template_alone_and_among_others() {
    let crop = picture("models/golden/aligned-112.png");
    let other = image::imageops::flip_horizontal(&crop);
    let mut networks = networks();
    let together = networks.recogniser.embed(&[other, crop.clone()]).unwrap();
    let alone = networks.recogniser.embed(&[crop]).unwrap();
    assert!(cosine(&together[1].as_ref().unwrap().0, &alone[0].as_ref().unwrap().0) > 0.99999);
}

#[test]
fn an_enrolled_face_and_its_mirror_image_have_nearly_one_template() {
    let photo = picture("assets/demo/enrol/barack-obama.jpg");
    let mirrored = image::imageops::flip_horizontal(&photo);
    let mut networks = networks();
    let bounds = networks.finder.find(&photo).unwrap()[0].bounds;
    let face = networks.near.refine(&photo, &bounds).unwrap().unwrap();
    let across = |point: Point| Point { x: photo.width() as f32 - point.x, ..point };
    let [left, right, nose, mouth_left, mouth_right] = face.landmarks.map(across);
    let faces = [
        align(&photo, &face.landmarks).unwrap(),
        align(&mirrored, &[right, left, nose, mouth_right, mouth_left]).unwrap(),
    ];
    let plain = networks.recogniser.embed(&[faces[0].crop(), faces[1].crop()]).unwrap();
    let views = networks.recogniser.embed_views(&faces).unwrap();
    let portraits = networks.recogniser.embed_portraits(&faces).unwrap();
    let template = |view: &Option<Embedded>| view.as_ref().unwrap().template.clone();
    let alike = |a: &Template, b: &Template| cosine(&a.0, &b.0);
    let plain = alike(plain[0].as_ref().unwrap(), plain[1].as_ref().unwrap());
    let viewed = alike(&template(&views[0]), &template(&views[1]));
    let enrolled = alike(portraits[0].as_ref().unwrap(), portraits[1].as_ref().unwrap());
    assert!(plain < viewed && viewed < enrolled && enrolled > 0.99, "{plain}, {viewed}, {enrolled}");
    assert!(views.iter().flatten().all(|view| (0.5..=1.0).contains(&view.certainty)));
}

#[test]
fn the_short_range_network_gives_the_golden_face() {
    let golden = &golden()["networks"]["mediapipe-face-short"];
    let face = picture("models/golden/face-128.png");
    let outputs = raw("mediapipe-face-short", 0, &face);
    let anchor = golden["anchor"].as_u64().unwrap() as usize;
    near("regressors", &outputs[0][anchor * 16..][..16], &numbers(&golden["regressors"]), 0.05);
    near("score", &outputs[1][anchor..=anchor], &[golden["score"].as_f64().unwrap() as f32], 0.02);
    let found = networks().near.find(&face).unwrap();
    assert_eq!(found.len(), 1);
    let bounds = found[0].bounds;
    let corners = [bounds.x, bounds.y, bounds.x + bounds.width, bounds.y + bounds.height];
    near("box", &corners, &numbers(&golden["averaged"]["box"]), 0.05);
    near("score", &[found[0].confidence], &[golden["averaged"]["score"].as_f64().unwrap() as f32], 1e-3);
}

#[test]
fn the_three_networks_of_mtcnn_give_the_golden_answers() {
    let golden = golden();
    let proposal = &golden["networks"]["mtcnn-pnet"];
    let outputs = raw("mtcnn", 0, &picture("models/golden/face-128.png"));
    let cells: Vec<usize> = numbers(&proposal["grid"]).iter().map(|&side| side as usize).collect();
    let at = proposal["row"].as_u64().unwrap() as usize * cells[1] + proposal["column"].as_u64().unwrap() as usize;
    let cell = |planes: &[f32]| planes.chunks_exact(cells[0] * cells[1]).map(|plane| plane[at]).collect::<Vec<_>>();
    near("P-Net's box", &cell(&outputs[0]), &numbers(&proposal["regression"]), 1e-3);
    near("P-Net's score", &cell(&outputs[1]), &numbers(&proposal["probability"]), 1e-3);
    for (file, name, side) in [(1, "mtcnn-rnet", 24), (2, "mtcnn-onet", 48)] {
        let wanted = &golden["networks"][name];
        let outputs = raw("mtcnn", file, &picture(&format!("models/golden/face-{side}.png")));
        near(name, &outputs[0], &numbers(&wanted["regression"]), 1e-3);
        near(name, outputs.last().unwrap(), &numbers(&wanted["probability"]), 1e-3);
        if name == "mtcnn-onet" {
            near(name, &outputs[1], &numbers(&wanted["landmarks"]), 1e-3);
        }
    }
}

#[test]
fn an_enrolment_photo_goes_from_pixels_to_the_golden_template() {
    let golden = golden();
    for (name, wanted) in golden["photos"].as_object().unwrap() {
        let photo = picture(&format!("assets/demo/enrol/{name}"));
        let mut networks = plain();
        let found = networks.finder.find(&photo).unwrap();
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        let face = networks.near.refine(&photo, &found[0].bounds).unwrap().unwrap();
        let face = networks.near.refine(&photo, &face.bounds).unwrap().unwrap();
        let points: Vec<f32> = face.landmarks.iter().flat_map(|point| [point.x, point.y]).collect();
        near(name, &points, &numbers(&wanted["five_points"]), 0.06 * face.eye_distance());
        let crop = align(&photo, &face.landmarks).unwrap().crop();
        let template = networks.recogniser.embed(&[crop]).unwrap().remove(0).unwrap();
        let likeness = cosine(&template.0, &numbers(&wanted["template"]));
        assert!(likeness > 0.98, "{name}: {likeness}");
    }
}

#[test]
fn everybody_of_the_demo_can_be_enrolled_and_they_are_not_alike() {
    let mut enroller = PhotoEnroller::new(networks());
    assert_eq!(enroller.model(), "mobilefacenet-192-whitened");
    let mut enrol = |path: &str| -> Template { enroller.enrol(&picture(path)).unwrap().unwrap() };
    let obama = enrol("assets/demo/enrol/barack-obama.jpg");
    let collins = enrol("assets/demo/enrol/eileen-collins.png");
    let later = enrol("assets/demo/visits/101-obama@0.1s.jpg");
    assert!(cosine(&obama.0, &collins.0) < 0.3);
    assert!(cosine(&obama.0, &later.0) > 0.6);
}

#[test]
fn the_finder_counts_the_people_in_front_of_the_robot() {
    let mut networks = networks();
    let mut count = |path: &str| networks.finder.find(&picture(path)).unwrap().len();
    assert_eq!(count("assets/demo/visits/200-empty-01@0.2s.jpg"), 0);
    for visit in ["101-obama", "201-collins", "301-stranger"] {
        assert_eq!(count(&format!("assets/demo/visits/{visit}@0.1s.jpg")), 1, "{visit}");
    }
    for frame in 401..=416 {
        assert_eq!(count(&format!("assets/demo/visits/{frame}-obama-and-collins@0.1s.jpg")), 2, "{frame}");
    }
}

#[test]
fn the_optional_finder_sees_the_same_people_as_the_one_in_the_box() {
    let file = root().join("../shared/models/yunet/yunet_n_dynamic.onnx");
    if !file.is_file() {
        println!("skipped: the optional network yunet is not on this machine");
        return;
    }
    let (folder, models) = copy();
    std::fs::copy(file, models.join("yunet.onnx")).unwrap();
    let mut with_yunet = Networks::load(&Installation::at(folder.path()), "yunet", MIN_FACE_PX).unwrap();
    let mut in_the_box = networks();
    for visit in ["101-obama", "201-collins", "301-stranger", "401-obama-and-collins", "200-empty-01"] {
        let seconds = if visit.contains("empty") { "0.2" } else { "0.1" };
        let frame = picture(&format!("assets/demo/visits/{visit}@{seconds}s.jpg"));
        let (found, wanted) = (with_yunet.finder.find(&frame).unwrap(), in_the_box.finder.find(&frame).unwrap());
        assert_eq!(found.len(), wanted.len(), "{visit}");
        for face in &found {
            let same = wanted.iter().find(|other| other.bounds.overlap(&face.bounds) > 0.5);
            let same = same.unwrap_or_else(|| panic!("{visit}: {face:?} is none of {wanted:?}"));
            for (point, other) in face.landmarks.iter().zip(&same.landmarks) {
                let away = (point.x - other.x).hypot(point.y - other.y);
                assert!(away < 0.25 * face.eye_distance(), "{visit}: {point:?} is not {other:?}");
            }
        }
    }
}

#[test]
fn nothing_is_enrolled_from_a_photo_without_exactly_one_face() {
    let mut enroller = PhotoEnroller::new(networks());
    let mut fault = |photo: &RgbImage| enroller.enrol(photo).unwrap().unwrap_err().to_string();
    let empty = fault(&picture("assets/demo/visits/200-empty-01@0.2s.jpg"));
    assert!(empty.starts_with("shows no face"), "{empty}");
    let pair = fault(&picture("assets/demo/visits/401-obama-and-collins@0.1s.jpg"));
    assert!(pair.starts_with("shows 2 faces, need exactly one"), "{pair}");
    for (width, height) in [(0, 0), (1, 1), (3, 2_000), (2_000, 3), (23, 23)] {
        let odd = fault(&RgbImage::new(width, height));
        assert!(odd.starts_with("shows no face"), "{width}x{height}: {odd}");
    }
}

#[test]
fn a_photo_on_which_the_recogniser_cannot_make_out_the_face_does_not_suffice_but_helps_beside_a_clear_one() {
    let mut enroller = PhotoEnroller::new(networks());
    let mut networks = networks();
    let photo = picture("assets/demo/enrol/eileen-collins.png");
    let bounds = networks.finder.find(&photo).unwrap()[0].bounds;
    let face = networks.near.refine(&photo, &bounds).unwrap().unwrap();
    let mut spoilt = |kind: Kind, amount: f32| {
        let spoilt = spoil(&photo, &face, kind, amount, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        enroller.enrol(&spoilt.photo).unwrap().unwrap()
    };
    let (clear, masked, noisy) = (spoilt(Kind::Noise, 0.0), spoilt(Kind::Mouth, 0.4), spoilt(Kind::Noise, 44.0));
    assert!(suffice([&clear]));
    assert!(!suffice([&masked]) && !suffice([&noisy]) && !suffice([&masked, &noisy]));
    assert!(suffice([&masked, &clear]));
}

/// An installation in a folder of its own with the real networks, to be damaged.
fn copy() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models");
    std::fs::create_dir(&models).unwrap();
    for file in std::fs::read_dir(root().join("models")).unwrap().map(|file| file.unwrap().path()) {
        // Whether the optional network is installed here does not matter.
        if file.is_file() && file.file_name().unwrap() != "mobilefacenet-128.onnx" {
            std::fs::copy(&file, models.join(file.file_name().unwrap())).unwrap();
        }
    }
    std::os::unix::fs::symlink(root().join(".runtime"), folder.path().join(".runtime")).unwrap();
    (folder, models)
}

#[test]
fn a_damaged_or_missing_model_is_named_with_its_cure_and_nothing_is_loaded() {
    let (folder, models) = copy();
    let installation = Installation::at(folder.path());
    let load = || Networks::load(&installation, "default", MIN_FACE_PX).err();
    assert!(load().is_none());
    let names = [
        "mtcnn-rnet.onnx",
        "mediapipe-face-short.onnx",
        "mediapipe-to-five.toml",
        "mobilefacenet-192.onnx",
        "mobilefacenet-192-whitening.f32",
    ];
    for name in names {
        let path = models.join(name);
        let whole = std::fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        for damaged in [&flipped[..], &whole[..whole.len() / 2], &[]] {
            std::fs::write(&path, damaged).unwrap();
            let error = load().unwrap();
            assert!(matches!(&error, ModelError::Damaged { path: named, .. } if *named == path), "{error}");
            assert!(error.to_string().contains("Restore it with `git checkout -- models`"), "{error}");
        }
        std::fs::remove_file(&path).unwrap();
        let error = load().unwrap();
        assert!(matches!(&error, ModelError::Missing { path: named, .. } if *named == path), "{error}");
        std::fs::write(&path, &whole).unwrap();
        assert!(load().is_none());
    }
}

/// A crop as it is, a visitor's view and an enrolment photo.
fn three_ways(mut networks: Networks) -> [Template; 3] {
    let photo = picture("assets/demo/enrol/barack-obama.jpg");
    let bounds = networks.finder.find(&photo).unwrap()[0].bounds;
    let face = networks.near.refine(&photo, &bounds).unwrap().unwrap();
    let face = align(&photo, &face.landmarks).unwrap();
    let crop = networks.recogniser.embed(&[face.crop()]).unwrap().remove(0).unwrap();
    let faces = [face];
    let view = networks.recogniser.embed_views(&faces).unwrap().remove(0).unwrap();
    [crop, view.template, networks.recogniser.embed_portraits(&faces).unwrap().remove(0).unwrap()]
}

#[test]
fn templates_are_the_networks_own_whitened_and_as_long_as_before() {
    let whitening = Whitening::load(&root().join("models/mobilefacenet-192-whitening.f32"), 192).unwrap();
    for (raw, template) in three_ways(plain()).iter().zip(three_ways(networks())) {
        let wanted = whitening.apply(&raw.direction()).unwrap().longer(raw.length());
        near("template", &template.0, &wanted.0, 1e-5);
        let apart = raw.0.iter().zip(&template.0).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart > 0.005, "the whitening changes nothing: {apart}");
    }
}

#[test]
fn the_optional_network_is_missing_until_it_is_installed() {
    let (folder, _) = copy();
    for pack in ["mobilefacenet-128", "both"] {
        let Err(error) = Networks::load(&Installation::at(folder.path()), pack, MIN_FACE_PX) else {
            panic!("a network that is not in the box was loaded");
        };
        assert!(error.to_string().contains("`greeter models install mobilefacenet-128`"), "{error}");
    }
}

#[test]
fn the_pack_both_gives_the_templates_of_its_two_networks_one_behind_the_other() {
    let optional = root().join("../shared/models/mobilefacenet/MobileFaceNet.onnx");
    if !optional.is_file() {
        println!("skipped: the optional network mobilefacenet-128 is not on this machine");
        return;
    }
    let (folder, models) = copy();
    std::fs::copy(optional, models.join("mobilefacenet-128.onnx")).unwrap();
    let installation = Installation::at(folder.path());
    let crop = picture("models/golden/aligned-112.png");
    let crops = [crop.clone(), image::imageops::flip_horizontal(&crop), RgbImage::new(112, 112)];
    let embed = |pack: &str| {
        let mut recogniser = Networks::load(&installation, pack, MIN_FACE_PX).unwrap().recogniser;
        let templates = recogniser.embed(&crops).unwrap();
        (recogniser.name().to_owned(), templates.into_iter().flatten().collect::<Vec<_>>())
    };
    let (_, first) = embed("default");
    let (_, second) = embed("mobilefacenet-128");
    let (name, both) = embed("both");
    assert_eq!(name, "mobilefacenet-192+128-whitened");
    assert_eq!((first.len(), second.len(), both.len()), (3, 3, 3));
    for at in 0..3 {
        // Equal weights: each part keeps half of the squared length.
        let half = std::f32::consts::FRAC_1_SQRT_2;
        let wanted: Vec<f32> = first[at].0.iter().chain(&second[at].0).map(|value| value * half).collect();
        assert_eq!(wanted.len(), 320);
        near("template", &both[at].0, &wanted, 1e-4);
    }
}
