//! An office for tests: a roster, photos, a store, and an enroller that needs no network.

#![allow(dead_code, reason = "each test uses a part of the office")]

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use greeter::{
    config::StoreSettings,
    face::{Enroller, ModelError, PhotoFault, Template},
    person::{IdNumber, Person, PersonName, PhoneNumber},
    store::{Change, EnrolledPhoto, Enrolment, Opened, Store, StoreError, Taxpayer},
    sync::{Job, Outcome, Report, SyncError, synchronise},
};
use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder};

pub const HEADER: &str = "id_number,name,phone,photos\n";
pub const MODEL: &str = "colours";

/// A valid identity number for person `n`.
pub fn id(n: usize) -> String {
    let body = format!("1101051949{:02}{:02}{:03}", n / 28 % 12 + 1, n % 28 + 1, n / (28 * 12) % 1000);
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 =
        body.chars().filter_map(|digit| digit.to_digit(10)).zip(weights).map(|(digit, weight)| digit * weight).sum();
    format!("{body}{}", ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"][(sum % 11) as usize])
}

/// A roster row for person `n` with these photos.
pub fn row(n: usize, photos: &str) -> String {
    format!("{},Visitor{},1380013{n:04},{photos}\n", id(n), letters(n))
}

/// A name's ending, since names have no digits.
pub fn letters(n: usize) -> String {
    format!("{n:04}").bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
}

/// A photo that no other `n` has. `side` is its width and height in pixels.
pub fn picture(n: usize, side: u32) -> Vec<u8> {
    let colour = |part: usize| ((n >> (part * 5) & 31) * 8) as u8;
    let picture = RgbImage::from_fn(side, side, |x, y| {
        let noise = ((x * 31 + y * 17 + x * y) % 7) as u8;
        Rgb([colour(0) | noise, colour(1) | noise, 128 | colour(2)])
    });
    jpeg(&picture)
}

/// A photo of about 300 kB that no other `n` has.
pub fn large_picture(n: usize) -> Vec<u8> {
    let mut state = n as u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    jpeg(&RgbImage::from_fn(420, 420, |_, _| Rgb([noise(), noise(), noise()])))
}

pub fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 95).encode_image(picture).unwrap();
    bytes
}

/// A photo with a second face, as the test's enroller sees it: it is red.
pub fn picture_of_two() -> Vec<u8> {
    jpeg(&RgbImage::from_pixel(64, 64, Rgb([250, 0, 0])))
}

/// Tells people apart by their photos' mean colours, cannot make them out in the dark, and counts what it was asked.
#[derive(Clone)]
pub struct ByColour {
    pub asked: Arc<AtomicUsize>,
    pub takes: Duration,
}

impl Enroller for ByColour {
    fn enrol(&mut self, photo: &RgbImage) -> Result<Result<Template, PhotoFault>, ModelError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(self.takes);
        let count = f64::from(photo.width() * photo.height());
        let mean = |at: usize| photo.pixels().map(|pixel| f64::from(pixel.0[at])).sum::<f64>() / count;
        let means = [mean(0), mean(1), mean(2)];
        if means[0] > 200.0 && means[1] < 30.0 && means[2] < 30.0 {
            return Ok(Err(PhotoFault::SeveralFaces(2)));
        }
        let length = means.iter().map(|mean| mean * mean).sum::<f64>().sqrt().max(1.0);
        let template = Template(means.iter().map(|mean| (mean / length) as f32).collect());
        // As the recogniser's are: the less certain, the longer.
        Ok(Ok(template.longer(if length < 80.0 { 1.2 } else { 1.0 })))
    }

    fn model(&self) -> &str {
        MODEL
    }
}

/// The flags of `greeter sync`.
#[derive(Default, Clone, Copy)]
pub struct Flags {
    pub dry_run: bool,
    pub mirror: bool,
}

/// A folder with `roster.csv`, `photos/` and `data/`.
pub struct Office {
    pub root: PathBuf,
    /// Where the store is; elsewhere when its disk is to be full or lose power.
    pub data: PathBuf,
    pub embedded: Arc<AtomicUsize>,
    /// How often the networks were loaded.
    pub loaded: Arc<AtomicUsize>,
    pub enrolling_takes: Duration,
    /// The score from which two photos may show one person; without it they are not compared.
    pub same_person: Option<f32>,
    _folder: Option<tempfile::TempDir>,
}

impl Office {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let office = Self::at(folder.path());
        Self { _folder: Some(folder), ..office }
    }

    /// An office in a folder of somebody else's.
    pub fn at(root: &Path) -> Self {
        std::fs::create_dir_all(root.join("photos")).unwrap();
        Self {
            root: root.into(),
            data: root.join("data"),
            embedded: Arc::default(),
            loaded: Arc::default(),
            enrolling_takes: Duration::ZERO,
            same_person: None,
            _folder: None,
        }
    }

    /// People 1 to `count`, each with a photo, preloaded.
    pub fn with_people(count: usize) -> Self {
        let office = Self::new();
        office.writes_roster_of(1..=count);
        let report = office.syncs().unwrap();
        assert_eq!(report.count(Outcome::Added), count, "{report}");
        office
    }

    pub fn writes_roster_of(&self, people: impl Iterator<Item = usize>) {
        let rows: String = people
            .map(|n| {
                let name = format!("{n}.jpg");
                if !self.photo_path(&name).exists() {
                    self.puts_photo(&name, &picture(n, 64));
                }
                row(n, &name)
            })
            .collect();
        self.writes_roster(format!("{HEADER}{rows}").as_bytes());
    }

    pub fn writes_roster(&self, bytes: &[u8]) {
        std::fs::write(self.roster(), bytes).unwrap();
    }

    pub fn roster(&self) -> PathBuf {
        self.root.join("roster.csv")
    }

    pub fn photo_path(&self, name: &str) -> PathBuf {
        self.root.join("photos").join(name)
    }

    pub fn puts_photo(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.photo_path(name), bytes).unwrap();
    }

    pub fn settings(&self) -> StoreSettings {
        StoreSettings {
            folder: self.data.join("store"),
            key_file: self.data.join("store.key"),
            ..StoreSettings::default()
        }
    }

    pub fn opens(&self) -> Result<Opened, StoreError> {
        Store::open(&self.settings())
    }

    pub fn store(&self) -> Store {
        self.opens().unwrap().store
    }

    pub fn people(&self) -> Vec<Taxpayer> {
        self.store().enrolled().unwrap()
    }

    pub fn syncs(&self) -> Result<Report, SyncError> {
        self.syncs_with(Flags::default())
    }

    pub fn syncs_with(&self, flags: Flags) -> Result<Report, SyncError> {
        let photos = self.root.join("photos");
        let roster = self.roster();
        let job = Job {
            roster: &roster,
            photos: &photos,
            model: MODEL,
            same_person: self.same_person,
            basis: greeter::config::BasisRule::PublicDuty,
            objections: None,
            dry_run: flags.dry_run,
            mirror: flags.mirror,
            allow_mass_removal: false,
        };
        let enroller = ByColour { asked: self.embedded.clone(), takes: self.enrolling_takes };
        let make = || -> Result<Box<dyn Enroller + Send>, ModelError> {
            self.loaded.fetch_add(1, Ordering::SeqCst);
            Ok(Box::new(enroller.clone()))
        };
        synchronise(&job, &self.settings(), make, &indicatif::ProgressBar::hidden())
    }

    /// Puts person `n` into the store, with a photo that sled keeps in a file of its own.
    pub fn commits_one(&self, store: &mut Store, n: usize) {
        let mut bytes = picture(n, 64);
        bytes.resize(100_000, n as u8);
        let person = Person::new(
            IdNumber::new(id(n)),
            PersonName::new(format!("Visitor{}", letters(n))),
            PhoneNumber::new("+8613800138000"),
        );
        let photo = EnrolledPhoto::Embedded { bytes, model: MODEL.into(), template: Template(vec![1.0]) };
        let enrolment = Enrolment { record: store.new_record(), person, photos: vec![photo], refused: Vec::new() };
        store.commit(vec![Change::Put(Box::new(enrolment))]).unwrap();
    }

    /// Photos embedded since the last time this was asked.
    pub fn embedded_since(&self) -> usize {
        self.embedded.swap(0, Ordering::SeqCst)
    }

    /// The person, their photo as delivered and their template are all there.
    #[track_caller]
    pub fn has_whole(&self, people: impl Iterator<Item = usize>) {
        let store = self.store();
        let enrolled = store.enrolled().unwrap();
        let templates = store.templates(MODEL).unwrap();
        for n in people {
            let person = enrolled.iter().find(|person| person.person.id_number.reveal() == id(n));
            let person = person.unwrap_or_else(|| panic!("person {n} is lost"));
            let record = person.record;
            assert_eq!(person.person.name.reveal(), format!("Visitor{}", letters(n)));
            assert_eq!(store.find_by_id(&person.person.id_number).unwrap(), Some(record), "person {n}");
            person.photos.iter().for_each(|photo| drop(store.photo(record, photo.number).unwrap()));
            assert!(templates.iter().any(|(of, _)| *of == record), "person {n} has no template");
        }
    }
}

/// The reason that row `number` was rejected for.
#[track_caller]
pub fn rejected(report: &Report, number: usize) -> String {
    let row = report.rows.iter().find(|row| row.row == Some(number) && row.outcome == Outcome::Rejected);
    row.unwrap_or_else(|| panic!("row {number} was not rejected: {report}")).reason.clone()
}

/// A process that ends with the test, however the test ends.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A small file system of its own, for full disks and power cuts; gone when dropped.
pub struct Disk {
    pub path: PathBuf,
    image: PathBuf,
    _folder: tempfile::TempDir,
}

impl Disk {
    /// An ext4 of so many megabytes on a loop device. `None`, with a printed line, where that is not possible.
    pub fn ext4(megabytes: u64, for_what: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (image, path) = (folder.path().join("image"), folder.path().join("disk"));
        std::fs::create_dir(&path).unwrap();
        std::fs::File::create(&image).unwrap().set_len(megabytes << 20).unwrap();
        let disk = Self { path, image, _folder: folder };
        let made = runs(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(&disk.image)) && disk.mount();
        if !made {
            println!("skipped: {for_what} needs root, mkfs.ext4 and a loop device");
        }
        made.then_some(disk)
    }

    pub fn mount(&self) -> bool {
        runs(Command::new("mount").args(["-o", "loop"]).arg(&self.image).arg(&self.path))
    }

    /// Every byte of it, free blocks included, but for blocks of zeros. It must be unmounted.
    pub fn raw(&self) -> Vec<u8> {
        let bytes = std::fs::read(&self.image).unwrap();
        bytes.chunks(4096).filter(|block| block.iter().any(|byte| *byte != 0)).flatten().copied().collect()
    }

    pub fn unmount(&self) {
        let gone = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(5));
            runs(Command::new("umount").arg(&self.path))
        });
        assert!(gone, "{} cannot be unmounted", self.path.display());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        runs(Command::new("umount").args(["-l"]).arg(&self.path));
    }
}

fn runs(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// This test program again, as the process that will be killed.
pub fn itself_again(test: &str, office: &Office) -> Process {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, &office.root)
        .env(CHILDS_DATA, &office.data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    Process(child.unwrap())
}

const CHILD: &str = "GREETER_TEST_CHILD";
const CHILDS_DATA: &str = "GREETER_TEST_CHILDS_DATA";

pub fn office_of_child() -> Option<Office> {
    let root = std::env::var_os(CHILD)?;
    let mut office = Office::at(root.as_ref());
    office.data = std::env::var_os(CHILDS_DATA)?.into();
    Some(office)
}

/// What ext4 does when its device is gone at once: nothing more is written, not even its log.
pub fn cut_power(path: &std::path::Path) {
    const SHUTDOWN: rustix::ioctl::Opcode = rustix::ioctl::opcode::read::<u32>(b'X', 125);
    const NO_LOG_FLUSH: u32 = 2;
    let folder = std::fs::File::open(path).unwrap();
    // SAFETY: EXT4_IOC_SHUTDOWN reads one u32 from where its argument points.
    unsafe { rustix::ioctl::ioctl(&folder, rustix::ioctl::Setter::<SHUTDOWN, u32>::new(NO_LOG_FLUSH)) }.unwrap();
}
