//! A webcam at a real V4L2 device node, as far as a machine without one allows: the unmodified nokhwa sees the virtual camera of
//! `tests/support/virtual-camera`. Times are real, so the bounds are generous.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use greeter::{
    camera::{self, Camera, CameraError, Frame, Webcam},
    config::CameraSettings,
    face::lighting::Lighting,
};
use image::{Rgb, RgbImage};
use support::camera::{VirtualCamera, in_front_of_the_camera};

mod support {
    pub mod camera;
}

const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 30);

/// A hall with a webcam and a folder of pictures to hold in front of it.
struct Hall<'a> {
    camera: &'a VirtualCamera,
    pictures: tempfile::TempDir,
}

impl<'a> Hall<'a> {
    fn with(camera: &'a VirtualCamera) -> Self {
        Self { camera, pictures: tempfile::tempdir().unwrap() }
    }

    fn picture(&self, name: &str, picture: &RgbImage) -> PathBuf {
        let path = self.pictures.path().join(name);
        picture.save(&path).unwrap();
        path
    }

    /// Puts four coloured quarters in front of the camera.
    fn shows_quarters(&self, width: u32, height: u32) -> RgbImage {
        let quarters = RgbImage::from_fn(width, height, |x, y| match (x < width / 2, y < height / 2) {
            (true, true) => Rgb([200, 30, 40]),
            (false, true) => Rgb([30, 180, 60]),
            (true, false) => Rgb([40, 50, 190]),
            (false, false) => Rgb([230, 220, 200]),
        });
        self.camera.shows(&self.picture("quarters.png", &quarters));
        quarters
    }

    /// Lets numbers pass in front of the camera, one a frame, for `seconds`, and waits for the first of them.
    fn counts_for(&self, seconds: u32, webcam: &mut Webcam) {
        self.camera.shows(&self.picture("dark.png", &RgbImage::new(640, 480)));
        frame_within(webcam, Duration::from_secs(10));
        let folder = self.pictures.path().join("count");
        fs::create_dir(&folder).unwrap();
        for number in 0..seconds * 30 {
            let bars = RgbImage::from_fn(640, 480, |x, _| {
                let is_set = number >> (x / 64) & 1 == 1;
                if is_set { Rgb([255; 3]) } else { Rgb([0; 3]) }
            });
            bars.save(folder.join(format!("{number:04}@{:.6}s.png", FRAME.as_secs_f64()))).unwrap();
        }
        self.camera.shows(&folder);
        while number_in(&frame_within(webcam, Duration::from_secs(20))) == 0 {}
    }
}

/// The number that [`Hall::counts_for`] was showing in a 640x480 frame.
fn number_in(frame: &Frame) -> u32 {
    (0..10).filter(|bar| frame.rgb.get_pixel(32 + 64 * bar, 240).0[1] > 128).map(|bar| 1 << bar).sum()
}

fn small(device: &str) -> CameraSettings {
    CameraSettings { device: device.into(), width: 640, height: 480, ..CameraSettings::default() }
}

/// Asks until there is a frame; what was said meanwhile is printed.
fn frame_within(webcam: &mut Webcam, limit: Duration) -> Frame {
    let asked = Instant::now();
    loop {
        match webcam.next_frame() {
            Ok(frame) => return frame,
            Err(CameraError::NotYet) => {}
            Err(said) => println!("after {:?}: {said}", asked.elapsed()),
        }
        assert!(asked.elapsed() < limit, "no frame within {limit:?}");
    }
}

/// Asks until something is said, and says after how long. Frames may still come before.
fn trouble_within(webcam: &mut Webcam, limit: Duration) -> (CameraError, Duration) {
    let since = Instant::now();
    loop {
        let asked = Instant::now();
        match webcam.next_frame() {
            Ok(_) | Err(CameraError::NotYet) => {}
            Err(error) => return (error, since.elapsed()),
        }
        assert!(asked.elapsed() < Duration::from_secs(1), "a call took {:?}", asked.elapsed());
        assert!(since.elapsed() < limit, "nothing was said within {limit:?}");
    }
}

fn same_colours(seen: &RgbImage, shown: &RgbImage) -> bool {
    let (width, height) = shown.dimensions();
    let points = [(8, 8), (width - 9, 8), (8, height - 9), (width - 9, height - 9), (width / 4, height / 4)];
    seen.dimensions() == shown.dimensions()
        && points.into_iter().all(|(x, y)| {
            let near = |(a, b): (&u8, &u8)| a.abs_diff(*b) <= 12;
            seen.get_pixel(x, y).0.iter().zip(&shown.get_pixel(x, y).0).all(near)
        })
}

fn capture_threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.trim() == "capture").count()
}

#[test]
fn an_operator_finds_the_camera_in_the_list_and_chooses_it_in_any_way() {
    in_front_of_the_camera("an_operator_finds_the_camera_in_the_list_and_chooses_it_in_any_way", |camera| {
        let hall = Hall::with(camera);
        let shown = hall.shows_quarters(640, 480);
        let there = camera::list();
        let own = there.iter().find(|one| one.path == camera.path()).expect("it is in the list");
        assert_eq!(own.name, "Virtual Camera: HD Webcam");
        assert_eq!(own.index, camera.number());
        let path = camera.path().display().to_string();
        for device in ["auto", &camera.number().to_string(), &path, "hd webcam"] {
            let mut webcam = Webcam::new(small(device));
            let frame = frame_within(&mut webcam, Duration::from_secs(10));
            assert!(same_colours(&frame.rgb, &shown), "chosen by {device}");
            assert_eq!(webcam.describe(), format!("{path} (Virtual Camera: HD Webcam) 640x480 YUYV 30/s"));
        }
    });
}

#[test]
fn every_format_and_size_shows_what_is_in_front_of_the_camera() {
    in_front_of_the_camera("every_format_and_size_shows_what_is_in_front_of_the_camera", |camera| {
        let hall = Hall::with(camera);
        for (format, width, height) in
            [("MJPG", 640, 480), ("MJPG", 1280, 720), ("YUYV", 640, 480), ("YUYV", 1280, 720)]
        {
            camera.offers_only(format);
            let shown = hall.shows_quarters(width, height);
            // The nearest size is taken, so an odd wish is as good as the exact one.
            let settings = CameraSettings { width: width + 20, height: height - 4, ..CameraSettings::default() };
            let mut webcam = Webcam::new(settings);
            let frame = frame_within(&mut webcam, Duration::from_secs(10));
            let kind = format!("{width}x{height} {format} 30/s");
            assert!(webcam.describe().ends_with(&kind), "{} is not {kind}", webcam.describe());
            assert!(same_colours(&frame.rgb, &shown), "{kind}");
        }
    });
}

#[test]
fn a_large_picture_comes_as_mjpg_because_yuyv_would_be_too_slow() {
    in_front_of_the_camera("a_large_picture_comes_as_mjpg_because_yuyv_would_be_too_slow", |camera| {
        let hall = Hall::with(camera);
        let shown = hall.shows_quarters(1280, 720);
        let mut webcam = Webcam::new(CameraSettings::default());
        let frame = frame_within(&mut webcam, Duration::from_secs(10));
        assert!(webcam.describe().ends_with(" 1280x720 MJPG 30/s"), "{}", webcam.describe());
        assert!(same_colours(&frame.rgb, &shown));
    });
}

#[test]
fn thirty_new_frames_come_a_second_each_with_the_time_of_its_capture() {
    in_front_of_the_camera("thirty_new_frames_come_a_second_each_with_the_time_of_its_capture", |camera| {
        let hall = Hall::with(camera);
        let mut webcam = Webcam::new(small("auto"));
        hall.counts_for(6, &mut webcam);
        let begun = Instant::now();
        let mut frames = Vec::new();
        while begun.elapsed() < Duration::from_secs(3) {
            let frame = frame_within(&mut webcam, Duration::from_secs(1));
            frames.push((number_in(&frame), frame.seq, frame.captured_at, Instant::now()));
        }
        println!("{} frames in 3 s, {:?}", frames.len(), webcam.counts());
        assert!((60..=95).contains(&frames.len()), "{} frames in 3 s", frames.len());
        for pair in frames.windows(2) {
            assert!(pair[1].0 > pair[0].0, "number {} came after {}", pair[1].0, pair[0].0);
            assert!(pair[1].1 > pair[0].1 && pair[1].2 > pair[0].2);
        }
        // The stamp follows what was shown, not when the program got round to it.
        let shown_to_stamp = |(number, _, captured, _): &(u32, u64, Instant, Instant)| *captured - FRAME * *number;
        let (first, last) = (frames.iter().map(shown_to_stamp).min(), frames.iter().map(shown_to_stamp).max());
        let spread = last.unwrap() - first.unwrap();
        println!("the stamps are within {spread:?}");
        assert!(spread < FRAME * 3 / 2, "the stamps wander by {spread:?}");
        let mut ages: Vec<_> = frames.iter().map(|(_, _, captured, arrived)| *arrived - *captured).collect();
        ages.sort();
        println!("age on arrival: median {:?}, worst {:?}", ages[ages.len() / 2], ages[ages.len() - 1]);
        assert!(ages[ages.len() / 2] < Duration::from_millis(50), "frames arrive {:?} old", ages[ages.len() / 2]);
    });
}

#[test]
fn a_slow_reader_gets_the_newest_frame_and_never_a_queue() {
    in_front_of_the_camera("a_slow_reader_gets_the_newest_frame_and_never_a_queue", |camera| {
        let hall = Hall::with(camera);
        let mut webcam = Webcam::new(small("auto"));
        hall.counts_for(6, &mut webcam);
        let mut last = frame_within(&mut webcam, Duration::from_secs(1));
        for _ in 0..5 {
            thread::sleep(Duration::from_millis(500));
            let frame = frame_within(&mut webcam, Duration::from_secs(1));
            let passed = number_in(&frame) - number_in(&last);
            assert!((10..=25).contains(&passed), "{passed} numbers passed in half a second");
            assert!(frame.seq - last.seq >= 10, "the gap in seq shows the dropped frames");
            assert!(frame.captured_at.elapsed() < Duration::from_millis(150));
            last = frame;
        }
        assert!(webcam.counts().replaced >= 40, "{:?}", webcam.counts());
    });
}

#[test]
fn after_the_whole_program_stood_still_the_drivers_old_frames_are_not_shown() {
    in_front_of_the_camera("after_the_whole_program_stood_still_the_drivers_old_frames_are_not_shown", |camera| {
        let hall = Hall::with(camera);
        let mut webcam = Webcam::new(small("auto"));
        hall.counts_for(8, &mut webcam);
        let before = webcam.counts();
        let own = std::process::id();
        let mut last = frame_within(&mut webcam, Duration::from_secs(1));
        let mut pause =
            Command::new("sh").args(["-c", &format!("kill -STOP {own}; sleep 1.2; kill -CONT {own}")]).spawn().unwrap();
        let mut longest = 0;
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(3) {
            let frame = frame_within(&mut webcam, Duration::from_secs(5));
            let (age, step) = (frame.captured_at.elapsed(), number_in(&frame) - number_in(&last));
            assert!(age < Duration::from_millis(300), "number {} is {age:?} old", number_in(&frame));
            longest = longest.max(step);
            last = frame;
        }
        pause.wait().unwrap();
        assert!(longest >= 30, "the program stood still for {longest} frames only");
        println!("skipped as stale: {}", webcam.counts().stale - before.stale);
        assert!(webcam.counts().stale > before.stale, "the driver's queue held old frames");
    });
}

#[test]
fn a_pulled_cable_is_said_within_two_seconds_and_frames_come_back_by_themselves() {
    in_front_of_the_camera("a_pulled_cable_is_said_within_two_seconds_and_frames_come_back_by_themselves", |camera| {
        let hall = Hall::with(camera);
        let shown = hall.shows_quarters(640, 480);
        let mut webcam = Webcam::new(small("auto"));
        frame_within(&mut webcam, Duration::from_secs(10));
        for _ in 0..2 {
            camera.unplug();
            let (error, after) = trouble_within(&mut webcam, Duration::from_secs(2));
            println!("after {after:?}: {error}");
            assert!(matches!(&error, CameraError::Lost { device, .. } if device.contains("HD Webcam")), "{error}");
            // The same is not said again at once, and nobody waits long.
            let since = Instant::now();
            while since.elapsed() < Duration::from_secs(3) {
                let asked = Instant::now();
                assert!(matches!(webcam.next_frame(), Err(CameraError::NotYet)));
                assert!(asked.elapsed() < Duration::from_secs(1), "a call took {:?}", asked.elapsed());
            }
            camera.replug();
            let back = frame_within(&mut webcam, Duration::from_secs(8));
            assert!(same_colours(&back.rgb, &shown));
        }
        assert_eq!(webcam.counts().reopened, 2);
    });
}

#[test]
fn a_camera_that_comes_back_under_another_number_is_found_by_its_name() {
    in_front_of_the_camera("a_camera_that_comes_back_under_another_number_is_found_by_its_name", |camera| {
        let hall = Hall::with(camera);
        hall.shows_quarters(640, 480);
        let mut webcam = Webcam::new(small("hd webcam"));
        let before = frame_within(&mut webcam, Duration::from_secs(10));
        camera.unplug();
        trouble_within(&mut webcam, Duration::from_secs(2));
        let other = camera.number() + 2;
        camera.replug_as(other);
        let after = frame_within(&mut webcam, Duration::from_secs(8));
        assert!(webcam.describe().starts_with(&format!("/dev/video{other} (")), "{}", webcam.describe());
        assert!(after.seq > before.seq, "the frames are counted on");
    });
}

#[test]
fn a_silent_camera_is_said_within_two_seconds_and_frames_come_back_by_themselves() {
    in_front_of_the_camera("a_silent_camera_is_said_within_two_seconds_and_frames_come_back_by_themselves", |camera| {
        let hall = Hall::with(camera);
        let shown = hall.shows_quarters(640, 480);
        let mut webcam = Webcam::new(small("auto"));
        frame_within(&mut webcam, Duration::from_secs(10));
        camera.falls_silent();
        let (error, after) = trouble_within(&mut webcam, Duration::from_millis(2500));
        println!("after {after:?}: {error}");
        assert!(matches!(error, CameraError::Silent { seconds, .. } if (1.4..2.0).contains(&seconds)), "{error}");
        assert!(after < Duration::from_secs(2), "said after {after:?}");
        // Long enough for several attempts: each is given up again, none is left behind.
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(6) {
            let asked = Instant::now();
            assert!(webcam.next_frame().is_err());
            assert!(asked.elapsed() < Duration::from_secs(1), "a call took {:?}", asked.elapsed());
            assert!(capture_threads() <= 1, "{} capture threads", capture_threads());
        }
        camera.sends_again();
        let back = frame_within(&mut webcam, Duration::from_secs(10));
        assert!(same_colours(&back.rgb, &shown));
    });
}

#[test]
fn a_program_that_ends_leaves_no_thread_waiting_for_a_silent_camera() {
    in_front_of_the_camera("a_program_that_ends_leaves_no_thread_waiting_for_a_silent_camera", |camera| {
        let hall = Hall::with(camera);
        hall.shows_quarters(640, 480);
        let mut webcam = Webcam::new(small("auto"));
        frame_within(&mut webcam, Duration::from_secs(10));
        camera.falls_silent();
        thread::sleep(Duration::from_millis(200));
        assert_eq!(capture_threads(), 1);
        let closing = Instant::now();
        drop(webcam);
        assert!(closing.elapsed() < Duration::from_millis(500), "closing took {:?}", closing.elapsed());
        assert_eq!(capture_threads(), 0);
    });
}

#[test]
fn a_damaged_frame_is_skipped_and_counted() {
    in_front_of_the_camera("a_damaged_frame_is_skipped_and_counted", |camera| {
        let hall = Hall::with(camera);
        camera.offers_only("MJPG");
        let shown = hall.shows_quarters(640, 480);
        let mut webcam = Webcam::new(small("auto"));
        frame_within(&mut webcam, Duration::from_secs(10));
        let jpeg = jpeg_of(&shown, hall.pictures.path());
        let folder = hall.pictures.path().join("frames");
        fs::create_dir(&folder).unwrap();
        for (name, bytes) in [
            ("1@1s.raw", &jpeg[..]),
            ("2@0.5s.raw", &jpeg[..jpeg.len() / 2]),
            ("3@0.3s.raw", b"noise"),
            ("4@60s.raw", &jpeg[..]),
        ] {
            fs::write(folder.join(name), bytes).unwrap();
        }
        camera.shows(&folder);
        let since = Instant::now();
        while webcam.counts().damaged < 9 || webcam.next_frame().is_err() {
            if let Ok(frame) = webcam.next_frame() {
                assert!(same_colours(&frame.rgb, &shown), "a damaged frame was shown");
            }
            assert!(since.elapsed() < Duration::from_secs(10), "{:?}", webcam.counts());
        }
        println!("{:?}", webcam.counts());
        assert!(same_colours(&frame_within(&mut webcam, Duration::from_secs(5)).rgb, &shown));
        assert_eq!(webcam.counts().reopened, 0, "it was not taken for a lost camera");
    });
}

fn jpeg_of(picture: &RgbImage, folder: &Path) -> Vec<u8> {
    let path = folder.join("frame.jpg");
    picture.save(&path).unwrap();
    fs::read(path).unwrap()
}

#[test]
fn an_operator_without_a_camera_is_told_once_and_frames_begin_when_one_is_plugged_in() {
    in_front_of_the_camera(
        "an_operator_without_a_camera_is_told_once_and_frames_begin_when_one_is_plugged_in",
        |camera| {
            let hall = Hall::with(camera);
            hall.shows_quarters(640, 480);
            camera.unplug();
            let mut webcam = Webcam::new(small("hd webcam"));
            let (error, after) = trouble_within(&mut webcam, Duration::from_secs(2));
            println!("after {after:?}: {error}");
            assert!(error.to_string().starts_with("no camera has `hd webcam` in its name: there "), "{error}");
            assert!(matches!(webcam.next_frame(), Err(CameraError::NotYet)));
            camera.replug();
            frame_within(&mut webcam, Duration::from_secs(5));
        },
    );
}

/// Shows the camera a hall as bright as `level` and tells it how bright its own pictures are, as if a face filled them, for at least `time`
/// and until `done`, which is asked of the brightness.
fn face_as_bright_as(level: u8, hall: &Hall<'_>, webcam: &mut Webcam, time: Duration, done: impl Fn(f32) -> bool) {
    let path = hall.pictures.path().join(format!("{level}.png"));
    if !path.exists() {
        // Not written again while the camera may be reading it.
        hall.picture(&format!("{level}.png"), &RgbImage::from_pixel(640, 480, Rgb([level; 3])));
    }
    hall.camera.shows(&path);
    let since = Instant::now();
    // Until then the camera shows what was there before, and a face as dark as that may be given up for good.
    let mut there = false;
    loop {
        let frame = frame_within(webcam, Duration::from_secs(10));
        let seen = Lighting::of(&frame.rgb, []).around;
        there |= (seen - f32::from(level)).abs() < 8.0;
        if since.elapsed() >= time && done(seen) {
            return;
        }
        let exposure = hall.camera.exposure();
        assert!(since.elapsed() < Duration::from_secs(60), "a face of {level} stays at {seen}, exposure {exposure:?}");
        if there {
            webcam.expose_for(seen);
        }
    }
}

#[test]
fn a_dark_face_makes_the_camera_expose_longer_and_an_empty_hall_gives_the_choice_back() {
    in_front_of_the_camera(
        "a_dark_face_makes_the_camera_expose_longer_and_an_empty_hall_gives_the_choice_back",
        |camera| {
            camera.has_an_exposure_control();
            let hall = Hall::with(camera);
            let mut webcam = Webcam::new(small("auto"));
            let exposure = || camera.exposure().unwrap();
            face_as_bright_as(110, &hall, &mut webcam, Duration::from_secs(4), |seen| (seen - 110.0).abs() < 4.0);
            assert_eq!(exposure(), "156 auto", "a face that is seen well changes nothing");
            let is_set = |seen: f32| seen > 90.0 && exposure().ends_with("manual");
            face_as_bright_as(60, &hall, &mut webcam, Duration::ZERO, is_set);
            let since = Instant::now();
            while !exposure().ends_with("auto") {
                assert!(since.elapsed() < Duration::from_secs(60), "the camera does not decide again");
                frame_within(&mut webcam, Duration::from_secs(10));
            }
            face_as_bright_as(60, &hall, &mut webcam, Duration::ZERO, is_set);
            let time: i32 = exposure().split_once(' ').unwrap().0.parse().unwrap();
            assert!((200..=333).contains(&time), "{time} hundreds of microseconds leave the frame rate as it is");
            drop(webcam);
            assert!(exposure().ends_with("auto"), "whoever has the camera next gets it as it was");
        },
    );
}

#[test]
fn a_camera_whose_exposure_cannot_or_must_not_be_set_is_left_alone() {
    in_front_of_the_camera("a_camera_whose_exposure_cannot_or_must_not_be_set_is_left_alone", |camera| {
        let hall = Hall::with(camera);
        let as_it_is = |seen: f32| (seen - 40.0).abs() < 4.0;
        let mut webcam = Webcam::new(small("auto"));
        face_as_bright_as(40, &hall, &mut webcam, Duration::from_secs(5), as_it_is);
        assert_eq!(camera.exposure(), None);
        drop(webcam);
        camera.has_an_exposure_control();
        let mut webcam = Webcam::new(CameraSettings { expose_for_face: false, ..small("auto") });
        face_as_bright_as(40, &hall, &mut webcam, Duration::from_secs(5), as_it_is);
        assert_eq!(camera.exposure().unwrap(), "156 auto");
    });
}
