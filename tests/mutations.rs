//! Nothing that a roster or a webcam can send makes the program panic, hang, or call anybody by a name: damaged, odd and hostile pictures
//! and frames, made by number from good ones (tests/support/mutations.rs).
//!
//! "No name" means: a picture that shows nobody enrolled names nobody, and one that shows enrolled people names nobody else. "No hang"
//! means: no single step takes more than a second of its thread's own time, so that a busy machine fails nobody. The ordinary run takes a
//! share of the mutations; `GREETER_LONG=1` takes all of them, and `GREETER_MUTATION=N` only number N.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use greeter::{
    bench::{cast, staged_camera::Standing, sway::Stance},
    camera::{Frame, decode, photo},
    config::Config,
    face::{
        Enroller,
        enrol::{self, PhotoEnroller},
        eyes::Eyes,
        manifest::Manifest,
        networks::Networks,
    },
    gallery::decision::{Decision, Demands},
    installation::Installation,
    person::{IdNumber, Person, PersonName, PhoneNumber, RecordNumber},
    pipeline::vision::Vision,
    roll::CurrentRoll,
    visit::hall::{Answer, VisitEvent},
};
use image::{Rgb, RgbImage};
use support::{
    bombs,
    mutations::{Form, Mutation, Seed, mutation},
    saved::{self, PngForm},
    watchdog::Watchdog,
};

mod support {
    pub mod bombs;
    pub mod mutations;
    pub mod saved;
    pub mod watchdog;
}

const ALL: u64 = 20_000;
/// In the ordinary run so many are decoded, and every so many-th of them also goes through the networks.
const SHARE: u64 = 1_500;
const EVERY: u64 = 7;
/// The most of its own time that a step may take.
const HANGS: Duration = Duration::from_secs(1);
/// Frames that a mutation is shown for: enough for a visitor to be named.
const SHOWN: u32 = 6;
const FRAME: Duration = Duration::from_millis(40);
/// People of the photos of many people who are enrolled, and who are not.
const MORE_ENROLLED: usize = 30;
const MORE_STRANGERS: usize = 40;

/// Two cores.
const WORKERS: u64 = 2;

fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> RgbImage {
    photo::read_photo(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The good pictures, and everybody's enrolment photos.
struct Originals {
    seeds: Vec<Seed>,
    enrolled: Vec<(String, PathBuf)>,
}

impl Originals {
    fn gathered() -> Self {
        let demo = tree().join("assets/demo");
        let (obama, collins) = ("Obama".to_owned(), "Collins".to_owned());
        let mut enrolled = vec![
            (obama.clone(), demo.join("enrol/barack-obama.jpg")),
            (collins.clone(), demo.join("enrol/eileen-collins.png")),
        ];
        let mut seeds = Vec::new();
        let mut add = |name: &str, shows: &[&String], picture: RgbImage| {
            let shows = shows.iter().map(|name| (*name).clone()).collect();
            seeds.push(Seed { name: name.to_owned(), shows, picture });
        };
        for (visit, shows) in [
            ("101-obama", &[&obama][..]),
            ("106-obama", &[&obama]),
            ("203-collins", &[&collins]),
            ("301-stranger", &[]),
            ("307-stranger", &[]),
            ("404-obama-and-collins", &[&obama, &collins]),
            ("100-empty-01", &[]),
        ] {
            let file = format!("visits/{visit}@{}s.jpg", if visit.contains("empty") { "0.2" } else { "0.1" });
            add(visit, shows, read(&demo.join(file)));
        }
        for ((name, photo), whose) in enrolled.clone().iter().zip([&obama, &collins]) {
            add(&format!("{name}'s photo"), &[whose], read(photo));
        }
        add("a gradient", &[], RgbImage::from_fn(320, 240, |x, y| Rgb([x as u8, y as u8, (x ^ y) as u8])));
        add("a black wall", &[], RgbImage::new(640, 360));
        add("a drawn face", &[], drawn_face());
        let many = tree().join("../shared/eval/lfw-dev");
        if many.is_dir() {
            let people = sorted(&many);
            let pairs = people.iter().map(|folder| (folder, sorted(folder)));
            let with_two: Vec<_> = pairs.filter(|(_, photos)| photos.len() >= 2).collect();
            let step = with_two.len() / (MORE_ENROLLED + MORE_STRANGERS);
            for (at, (folder, photos)) in
                with_two.into_iter().step_by(step).take(MORE_ENROLLED + MORE_STRANGERS).enumerate()
            {
                let name = folder.file_name().unwrap().to_string_lossy().into_owned();
                let shown = Standing::of([&read(&photos[1])], 0.6, 0).picture(0);
                let picture = if at % 3 == 0 { photo::read_photo_bytes(&shown).unwrap() } else { read(&photos[1]) };
                if at < MORE_ENROLLED {
                    add(&name, &[&name], picture);
                    enrolled.push((name, photos[0].clone()));
                } else {
                    add(&name, &[], picture);
                }
            }
        } else {
            println!("photos of many people are not here: the demo's people only");
        }
        Self { seeds, enrolled }
    }
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Two eyes, a nose and a mouth: what a finder may take for a face.
fn drawn_face() -> RgbImage {
    RgbImage::from_fn(400, 400, |x, y| {
        let inside = |cx: i64, cy: i64, rx: i64, ry: i64| {
            let (dx, dy) = (i64::from(x) - cx, i64::from(y) - cy);
            dx * dx * ry * ry + dy * dy * rx * rx < rx * rx * ry * ry
        };
        match () {
            () if inside(160, 180, 16, 10) || inside(240, 180, 16, 10) => Rgb([30, 25, 25]),
            () if inside(200, 225, 10, 26) => Rgb([200, 150, 130]),
            () if inside(200, 275, 36, 10) => Rgb([150, 60, 60]),
            () if inside(200, 210, 95, 130) => Rgb([225, 180, 160]),
            () => Rgb([90, 100, 110]),
        }
    })
}

/// Everything that sees a mutation.
struct Robot {
    enroller: PhotoEnroller,
    vision: Vision,
    names: BTreeMap<RecordNumber, String>,
    now: Instant,
}

impl Robot {
    fn knows(enrolled: &[(String, PathBuf)]) -> Self {
        let installation = Installation::at(tree());
        let mut config = Config::default();
        // A view of each frame, and one search of the whole frame a mutation: as much as can be seen in a short time.
        config.face.embed_per_second = 1_000;
        config.face.find_every_ms = 1_000;
        // What is decided is told in the first frame that shows them: there are not many.
        config.visit.attention_ms = 0;
        let load = |smallest| Networks::load(&installation, &config.face.pack, smallest).unwrap();
        let mut enroller = PhotoEnroller::new(load(enrol::MIN_FACE_PX));
        let (mut people, mut templates, mut names) = (Vec::new(), Vec::new(), BTreeMap::new());
        for (at, (name, path)) in enrolled.iter().enumerate() {
            let record = RecordNumber(at as u64 + 1);
            match enroller.enrol(&read(path)).unwrap() {
                Ok(template) => templates.push((record, template)),
                Err(fault) => println!("{name} is not enrolled: the photo {fault}"),
            }
            people.push((record, person(record, name)));
            names.insert(record, name.clone());
        }
        let manifest = Manifest::load(&installation.models()).unwrap();
        let thresholds = &manifest.thresholds[enroller.model()];
        let demands = |people| Demands::new(&config.decision, thresholds.min_score(people).unwrap(), None);
        let roll = CurrentRoll::new(cast::roll(people, templates, demands));
        let smallest = Eyes::min_face_px(&config.face, config.camera.height);
        Self { enroller, vision: Vision::new(load(smallest), roll, &config), names, now: Instant::now() }
    }
}

fn person(record: RecordNumber, name: &str) -> Person {
    Person::new(IdNumber::new(format!("{record}")), PersonName::new(name), PhoneNumber::new("+8613800138000"))
}

/// How a mutation fared.
#[derive(Default)]
struct Fate {
    decoded: bool,
    enrolled: bool,
    seen: bool,
    named: BTreeSet<String>,
}

/// Lets a mutation go the whole way.
fn go(of: &Mutation, robot: Option<&mut Robot>, watchdog: &Watchdog) -> Fate {
    let mut fate = Fate::default();
    let (decoded, _) = watchdog.watches("decoding", || match &of.form {
        Form::Photo(bytes) => photo::read_photo_bytes(bytes).map_err(|error| error.to_string()),
        Form::Buffer(format, bytes) => decode::decode(*format, bytes),
        Form::Pixels(picture) => Ok(picture.clone()),
    });
    let (Ok(picture), Some(robot)) = (&decoded, robot) else {
        fate.decoded = decoded.is_ok();
        return fate;
    };
    fate.decoded = true;
    fate.enrolled = watchdog.watches("enrolling", || robot.enroller.enrol(picture).unwrap()).0.is_ok();
    // Whoever was there before has left.
    robot.now += Duration::from_secs(20);
    robot.vision.without_frames(robot.now);
    for seq in 0..SHOWN {
        robot.now += FRAME;
        // Nobody alive keeps quite still.
        let rgb =
            Arc::new(Stance::at(seq as f32 * FRAME.as_secs_f32(), 0.0).moves(picture, picture.height() as f32 / 8.0));
        let frame = Frame { rgb, captured_at: robot.now, seq: seq.into() };
        let (sighting, _) = watchdog.watches("looking", || robot.vision.on_frame(&frame).unwrap());
        fate.seen |= !sighting.in_sight.is_empty();
        for answer in sighting.answers {
            if let Answer::Event(VisitEvent::Decided(_, verdict, _)) = answer
                && let Decision::Identified(person) = verdict.decision
            {
                fate.named.insert(robot.names[&person].clone());
            }
        }
    }
    fate
}

/// What was counted of one kind of mutation.
#[derive(Default)]
struct Count {
    all: usize,
    decoded: usize,
    enrolled: usize,
    seen: usize,
    named_rightly: usize,
    failures: Vec<String>,
}

/// Goes through every mutation whose number is `first` and so on in steps of `step`.
fn worker(
    numbers: impl Iterator<Item = u64>,
    every: u64,
    originals: &Originals,
) -> (BTreeMap<&'static str, Count>, Watchdog) {
    let watchdog = Watchdog::starts(HANGS);
    let mut counts: BTreeMap<&'static str, Count> = BTreeMap::new();
    let mut robot: Option<Robot> = None;
    for number in numbers {
        let of = mutation(number, &originals.seeds);
        watchdog.is_told(&format!("mutation {number} ({})", of.what));
        if number % every == 0 {
            robot.get_or_insert_with(|| Robot::knows(&originals.enrolled));
        }
        let shown_to = robot.as_mut().filter(|_| number % every == 0);
        let fate = catch_unwind(AssertUnwindSafe(|| go(&of, shown_to, &watchdog)));
        let count = counts.entry(of.kind).or_default();
        count.all += 1;
        match fate {
            Err(_) => {
                count.failures.push(format!("mutation {number} ({}) panicked", of.what));
                robot = None;
            }
            Ok(fate) => {
                count.decoded += usize::from(fate.decoded);
                count.enrolled += usize::from(fate.enrolled);
                count.seen += usize::from(fate.seen);
                count.named_rightly += usize::from(!fate.named.is_empty());
                for name in fate.named.iter().filter(|name| !of.shows.contains(name)) {
                    count.failures.push(format!("mutation {number} ({}) was called {name}", of.what));
                }
            }
        }
    }
    (counts, watchdog)
}

/// Panics by their place, those included that something catches.
static PANICS: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

fn note_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map_or_else(String::new, ToString::to_string);
    *PANICS.lock().unwrap_or_else(PoisonError::into_inner).entry(place).or_default() += 1;
}

#[test]
fn no_mutated_picture_or_frame_makes_the_robot_panic_hang_or_say_a_wrong_name() {
    let only = std::env::var("GREETER_MUTATION").ok().map(|number| number.parse::<u64>().unwrap());
    let long = std::env::var_os("GREETER_LONG").is_some();
    let (numbers, every) = match (only, long) {
        (Some(number), _) => (number..number + 1, 1),
        (None, true) => (0..ALL, 1),
        (None, false) => (0..SHARE, EVERY),
    };
    let originals = Originals::gathered();
    if only.is_none() {
        std::panic::set_hook(Box::new(note_panic));
    }
    let share = |at: u64| numbers.clone().filter(move |number| number / every % WORKERS == at);
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..WORKERS)
            .map(|at| {
                scope.spawn({
                    let (mine, originals) = (share(at), &originals);
                    move || worker(mine, every, originals)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join()).collect()
    });
    drop(std::panic::take_hook());
    for (place, count) in &*PANICS.lock().unwrap() {
        println!("measured: {count} panics at {place}, those included that were caught");
    }

    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    let mut slowest: BTreeMap<&str, (Duration, String)> = BTreeMap::new();
    for result in results {
        let (of_one, watchdog) = result.expect("a worker ended by a panic of its own");
        for (kind, one) in of_one {
            let count = counts.entry(kind).or_default();
            count.all += one.all;
            count.decoded += one.decoded;
            count.enrolled += one.enrolled;
            count.seen += one.seen;
            count.named_rightly += one.named_rightly;
            count.failures.extend(one.failures);
        }
        for (step, took) in watchdog.slowest() {
            let known = slowest.entry(step).or_default();
            if took.0 > known.0 {
                *known = took;
            }
        }
    }
    println!("measured: {} mutations, seeds of {} pictures", numbers.end - numbers.start, originals.seeds.len());
    for (kind, count) in &counts {
        println!(
            "measured: {kind}: {}, decoded {}, a template made {}, a face seen {}, an enrolled person shown and named {}",
            count.all, count.decoded, count.enrolled, count.seen, count.named_rightly
        );
    }
    for (step, (time, what)) in &slowest {
        println!("measured: slowest {step}: {:.3} s, {what}", time.as_secs_f64());
    }
    let failures: Vec<String> = counts.into_values().flat_map(|count| count.failures).collect();
    assert!(
        failures.is_empty(),
        "{} failures; GREETER_MUTATION=N repeats one:\n{}",
        failures.len(),
        failures.join("\n")
    );
    for (step, (time, what)) in &slowest {
        assert!(*time < HANGS, "{step} of {what} took {time:?}");
    }
}

#[test]
fn the_largest_pictures_that_are_allowed_are_decoded_or_refused_within_a_second() {
    let long = std::env::var_os("GREETER_LONG").is_some();
    let (width, height) = bombs::LARGEST;
    let forms =
        saved::PNG_FORMS.into_iter().flat_map(|(colour, depth)| [(colour, depth, false), (colour, depth, true)]);
    let forms = forms.map(|(colour, depth, interlaced)| PngForm { colour, depth, interlaced });
    let pngs = forms.map(|form| {
        let (width, height) = if form.depth == 16 { bombs::LARGEST_OF_16_BITS } else { bombs::LARGEST };
        (format!("PNG, {form:?}"), Box::new(move || bombs::black_png(width, height, form)) as Box<dyn Fn() -> Vec<u8>>)
    });
    let jpegs = [false, true].into_iter().flat_map(|grey| {
        let flat = Box::new(move || bombs::flat_jpeg(width, height, grey)) as Box<dyn Fn() -> Vec<u8>>;
        let scans = [4, 10, 19, 64].map(|scans| {
            let of_scans =
                Box::new(move || bombs::jpeg_of_scans(width, height, scans, !grey)) as Box<dyn Fn() -> Vec<u8>>;
            (format!("JPEG in {scans} scans, grey {grey}"), of_scans)
        });
        [(format!("flat JPEG, grey {grey}"), flat)].into_iter().chain(scans)
    });
    // Nothing but noise is what a photo of the most bytes may hold.
    let noise = [
        ("noise as JPEG", Box::new(|| saved::usual_jpeg(&bombs::noise(6_000, 5_800))) as Box<dyn Fn() -> Vec<u8>>),
        ("noise as progressive JPEG", Box::new(|| saved::progressive_jpeg(&bombs::noise(6_000, 5_800)))),
        ("noise as PNG", Box::new(|| saved::png(&bombs::noise(3_250, 3_250), bombs::PLAIN))),
    ];
    let noise = noise.map(|(what, made)| (what.to_owned(), made));
    let watchdog = Watchdog::starts(HANGS);
    let mut hanging = Vec::new();
    for (at, (what, made)) in pngs.chain(jpegs).chain(noise).enumerate().filter(|(at, _)| long || at % 6 == 5) {
        let bytes = made();
        watchdog.is_told(&what);
        let (read, took) = watchdog.watches("decoding", || photo::read_photo_bytes(&bytes));
        let fate = read.map_or_else(|error| error.to_string(), |picture| format!("{:?}", picture.dimensions()));
        println!("measured: {at} {what}: {:.3} s, {} bytes, {fate}", took.as_secs_f64(), bytes.len());
        if took >= HANGS {
            hanging.push(what);
        }
    }
    assert!(hanging.is_empty(), "{hanging:?}");
}
