//! The power fails at any moment of a command: nothing acknowledged is lost, nothing erased comes back, no record number is given twice,
//! the store always opens, and the same command again does the rest.
//!
//! Photos are of 16 kB to 1.2 MB. What is cut is an ext4 on a loop device, by the ioctl that lets it write nothing more. `--long power` cuts
//! ten times as often; GREETER_SEED chooses other moments.

#[path = "support/roster.rs"]
mod roster;

use std::{
    collections::BTreeSet,
    fs,
    io::Read,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use greeter::{
    backup::{Found, back_up, compact, restore},
    config::Config,
    keys::StoreKey,
    person::RecordNumber,
    rights::forgetting,
    store::{Change, PhotoDigest, rekey},
    sync::Outcome,
};
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use roster::*;

const PEOPLE: usize = 24;
/// So many of them have a new photo later.
const RENEWED: usize = 8;
const ERASED: RecordNumber = RecordNumber(7);
/// The file by which a child knows that it is to forget `syncfs`.
const FLUSH_ONLY: &str = "flush-only";
const TEST: &str = "the_power_fails_at_any_moment_of_a_command_and_nothing_acknowledged_is_lost";

/// What the office was doing.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Doing {
    /// The first sync.
    Create,
    /// A sync with new photos.
    Renew,
    /// Somebody is erased.
    Erase,
    /// The store of an older greeter is taken over.
    Upgrade,
    /// The store gets another key.
    Rekey,
    /// A backup is brought up to date.
    BackUp,
    /// The store goes back to a backup.
    Restore,
    /// The store is made smaller.
    Compact,
    /// The robot erases somebody whose time is over.
    Retire,
}

const ALL: [Doing; 9] = [
    Doing::Create,
    Doing::Renew,
    Doing::Erase,
    Doing::Upgrade,
    Doing::Rekey,
    Doing::BackUp,
    Doing::Restore,
    Doing::Compact,
    Doing::Retire,
];

impl Doing {
    /// Does it, in a process that may end at any moment.
    fn run(self, office: &Office) {
        match self {
            Self::Create | Self::Renew => drop(office.syncs().unwrap()),
            Self::Erase => {
                let mut store = office.store();
                if store.person(ERASED).unwrap().is_some() {
                    store.commit(vec![Change::Remove(ERASED)]).unwrap();
                }
                store.write_snapshot().unwrap();
            }
            Self::Upgrade => drop(office.store()),
            Self::Rekey => rekey(&office.settings()).unwrap(),
            Self::BackUp => drop(back_up(&office.settings(), &backup(office)).unwrap()),
            Self::Restore => {
                let found = Found::of(&office.settings(), &backup(office)).unwrap();
                restore(&office.settings(), &backup(office), &found).unwrap();
            }
            Self::Compact => drop(compact(&office.settings()).unwrap()),
            Self::Retire => {
                let config = Config { store: office.settings(), ..Config::default() };
                let now = jiff::ZonedDateTime::now();
                let over = Some(Some(now.date().yesterday().unwrap()));
                forgetting::note_roster(&config.store, [(ERASED, over)].into_iter(), &now).unwrap();
                forgetting::carry_out(&config, &now).unwrap();
                assert!(forgetting::finish(&config.store).unwrap());
            }
        }
    }

    /// Writes the roster and puts the data as they are before it.
    fn prepare(self, office: &Office, bases: &Path) {
        let _ = fs::remove_dir_all(&office.data);
        let base = match self {
            Self::Create => None,
            Self::Renew | Self::Erase | Self::Retire => Some(bases.join("current")),
            Self::Upgrade => Some(bases.join("older")),
            Self::Rekey | Self::BackUp | Self::Restore | Self::Compact => Some(bases.join("renewed")),
        };
        if let Some(base) = base {
            copy(&base, &office.data);
        }
        if self == Self::Rekey {
            fs::copy(office.settings().key_file, office.root.join("former.key")).unwrap();
        }
        let photo = |n| if self != Self::Create && n <= RENEWED { format!("{n}-new.jpg") } else { format!("{n}.jpg") };
        let rows: String = (1..=PEOPLE).map(|n| row(n, &photo(n))).collect();
        office.writes_roster(format!("{HEADER}{rows}").as_bytes());
        assert!(Command::new("sync").status().unwrap().success());
    }

    /// Whether everything of it is done.
    fn is_done(self, office: &Office) {
        let store = office.store();
        let people = store.enrolled().unwrap();
        if self == Self::Upgrade {
            assert_eq!(people.len(), 2);
        } else {
            assert_eq!(people.len(), PEOPLE - usize::from(matches!(self, Self::Erase | Self::Retire)));
            // A first sync that was cut may have given other numbers.
            let there = people.iter().any(|it| it.record == ERASED);
            assert!(self == Self::Create || there != matches!(self, Self::Erase | Self::Retire), "{self:?}");
        }
        if !matches!(self, Self::Create | Self::Erase | Self::Upgrade | Self::Retire) {
            let which = if self == Self::Restore { "" } else { "-new" };
            for n in 1..=RENEWED {
                let digest = PhotoDigest::of(&fs::read(office.photo_path(&format!("{n}{which}.jpg"))).unwrap());
                let person = people.iter().find(|it| it.person.id_number.reveal() == id(n)).unwrap();
                assert_eq!(person.photos.iter().map(|photo| photo.digest).collect::<Vec<_>>(), [digest]);
            }
        }
        assert!(store.check(&|_| {}).unwrap().lost.is_empty());
        drop(store);
        let key_file = office.settings().key_file;
        if self == Self::Rekey {
            assert_ne!(fs::read(&key_file).unwrap(), fs::read(office.root.join("former.key")).unwrap());
            assert!(!StoreKey::next_file(&key_file).exists());
        }
        if self == Self::BackUp {
            let found = Found::of(&office.settings(), &backup(office)).unwrap();
            assert!(!found.takes_something(), "{found}");
        }
    }
}

fn backup(office: &Office) -> PathBuf {
    office.data.join("backup")
}

/// A photo that fills so many kilobytes, as cameras' do with what they know of the picture.
fn padded(n: usize, kilobytes: usize, random: &mut ChaCha8Rng) -> Vec<u8> {
    let photo = picture(n, 64);
    let mut bytes = photo[..2].to_vec();
    while bytes.len() < kilobytes * 1000 {
        let comment: Vec<u8> = (0..60_000.min(kilobytes * 1000)).map(|_| random.random()).collect();
        bytes.extend([0xff, 0xfe]);
        bytes.extend((comment.len() as u16 + 2).to_be_bytes());
        bytes.extend(comment);
    }
    bytes.extend(&photo[2..]);
    bytes
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
}

/// Starts the command in a process of its own and fails the power after so long. Says whether it had told that it was done.
fn cut(doing: Doing, office: &Office, disk: &Disk, after: Duration) -> bool {
    fs::write(office.root.join("doing"), format!("{doing:?}")).unwrap();
    let mut child = itself_again(TEST, office);
    thread::sleep(after);
    cut_power(&disk.path);
    let mut said = String::new();
    let mut out = child.0.stdout.take().unwrap();
    // What hangs on a disk that is gone is killed.
    let ended = (0..200).any(|_| {
        thread::sleep(Duration::from_millis(5));
        child.0.try_wait().unwrap().is_some()
    });
    if !ended {
        child.0.kill().unwrap();
    }
    out.read_to_string(&mut said).unwrap();
    drop(child);
    disk.unmount();
    assert!(disk.mount(), "the file system does not come back");
    said.contains("all is done")
}

/// Cuts, one after the other.
struct Cutting {
    office: Office,
    disk: Disk,
    /// The states before a command, on another disk.
    bases: tempfile::TempDir,
    /// How long each command takes.
    lasts: [Duration; ALL.len()],
    random: ChaCha8Rng,
}

impl Cutting {
    /// `None`, with a printed line, where that is not possible.
    fn begins() -> Option<Self> {
        let disk = Disk::ext4(256, "the power cut")?;
        let seed = std::env::var("GREETER_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(24);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut office = Office::new();
        for n in 1..=PEOPLE {
            let kilobytes = *[16, 60, 200, 500, 1_200].choose(&mut random).unwrap();
            office.puts_photo(&format!("{n}.jpg"), &padded(n, kilobytes, &mut random));
            if n <= RENEWED {
                office.puts_photo(&format!("{n}-new.jpg"), &padded(n, kilobytes, &mut random));
            }
        }
        let bases = tempfile::tempdir().unwrap();
        office.data = bases.path().join("current");
        Doing::Create.prepare(&office, bases.path());
        Doing::Create.run(&office);
        office.data = bases.path().join("renewed");
        Doing::Renew.prepare(&office, bases.path());
        Doing::BackUp.run(&office);
        Doing::Renew.run(&office);
        let older = bases.path().join("older");
        fs::create_dir(&older).unwrap();
        let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/older-store.tar.gz");
        assert!(Command::new("tar").arg("xzf").arg(packed).arg("-C").arg(&older).status().unwrap().success());

        office.data = disk.path.join("data");
        let lasts = ALL.map(|doing| {
            doing.prepare(&office, bases.path());
            let begun = Instant::now();
            fs::write(office.root.join("doing"), format!("{doing:?}")).unwrap();
            assert!(itself_again(TEST, &office).0.wait().unwrap().success());
            doing.is_done(&office);
            begun.elapsed()
        });
        Some(Self { office, disk, bases, lasts, random })
    }

    /// The power fails, now and then once more while the store is put right. Says in what, whether that had told that it was done, and how
    /// often it failed.
    fn cuts(&mut self, number: usize) -> (Doing, bool, usize) {
        let at = number % ALL.len();
        let doing = ALL[at];
        doing.prepare(&self.office, self.bases.path());
        let after = self.lasts[at].mul_f64(self.random.random_range(0.05..1.1));
        let told = cut(doing, &self.office, &self.disk, after);
        let again = self.random.random_ratio(1, 10);
        if again {
            let after = self.lasts[3].mul_f64(self.random.random_range(0.1..0.9));
            cut(Doing::Upgrade, &self.office, &self.disk, after);
        }
        (doing, told, 1 + usize::from(again))
    }
}

/// Nothing is lost, and the same command again does the rest.
fn judge(doing: Doing, told: bool, what: &str, office: &Office) {
    let opened = office.opens().unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(opened.mended.lost.is_empty() && opened.mended.photos == 0, "{what}: {:?}", opened.mended);
    let people = opened.store.enrolled().unwrap();
    let numbers: BTreeSet<RecordNumber> = people.iter().map(|person| person.record).collect();
    assert_eq!(numbers.len(), people.len(), "{what}: a number was given twice");
    drop(opened);
    if told {
        doing.is_done(office);
    }
    if doing == Doing::BackUp {
        // The one of before or the new one, and whole.
        let found = Found::of(&office.settings(), &backup(office)).unwrap();
        assert!(found.to_string().contains("24 people and 24 photos"), "{what}: {found}");
    }
    doing.run(office);
    doing.is_done(office);
    if matches!(doing, Doing::Create | Doing::Renew | Doing::Rekey | Doing::Compact) {
        assert_eq!(office.syncs().unwrap().count(Outcome::Unchanged), PEOPLE, "{what}");
        office.has_whole(1..=PEOPLE);
    }
}

/// From here on `syncfs` only seems to be done by this thread and those that it starts, and what is left is sled's own flush.
fn forgets_syncfs() {
    let step = |code, k, jf| libc::sock_filter { code: code as u16, jt: 0, jf, k };
    let mut filter = [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, libc::SYS_syncfs as u32, 1),
        step(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO, 0),
        step(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW, 0),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the kernel reads the program, which lives until it has.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program), 0);
    }
}

#[test]
fn the_power_fails_at_any_moment_of_a_command_and_nothing_acknowledged_is_lost() {
    if let Some(office) = office_of_child() {
        if office.root.join(FLUSH_ONLY).exists() {
            forgets_syncfs();
        }
        let wanted = fs::read_to_string(office.root.join("doing")).unwrap();
        ALL.into_iter().find(|doing| format!("{doing:?}") == wanted).unwrap().run(&office);
        println!("all is done");
        return;
    }
    let Some(mut cutting) = Cutting::begins() else { return };
    let cuts = if std::env::var_os("GREETER_LONG").is_some() { 300 } else { 30 };
    let (mut failed, mut acknowledged) = (0, 0);
    for number in 0..cuts {
        let (doing, told, times) = cutting.cuts(number);
        judge(doing, told, &format!("cut {number}, {doing:?}, told {told}"), &cutting.office);
        acknowledged += usize::from(told);
        failed += times;
    }
    let in_recovery = failed - cuts;
    println!(
        "measured: {cuts} power cuts, {in_recovery} more in recovery; {acknowledged} commands had been acknowledged"
    );
    assert!(acknowledged > 0 && acknowledged < cuts && in_recovery > 0);
}

#[test]
fn with_sleds_own_flush_alone_the_same_cuts_lose_people() {
    let Some(mut cutting) = Cutting::begins() else { return };
    fs::write(cutting.office.root.join(FLUSH_ONLY), "").unwrap();
    let is_long = std::env::var_os("GREETER_LONG").is_some();
    let (mut cuts, mut faults) = (0, Vec::new());
    while if is_long { cuts < 300 } else { faults.is_empty() && cuts < 60 } {
        let (doing, told, _) = cutting.cuts(cuts);
        let what = format!("cut {cuts}, {doing:?}, told {told}");
        if catch_unwind(AssertUnwindSafe(|| judge(doing, told, &what, &cutting.office))).is_err() {
            faults.push(what);
        }
        cuts += 1;
    }
    println!("measured: with flush alone {} of {cuts} power cuts lose something: {faults:#?}", faults.len());
    assert!(!faults.is_empty(), "what cuts the power does not notice what is lost");
}
