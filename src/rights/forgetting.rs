//! Carries out what [`retention`](super::retention) plans, without the store's lock: people's keys are erased first, and what is left of them
//! goes when the store is free.
//!
//! | what | for how long |
//! |---|---|
//! | people who are in no roster | `store.keep_people_days` |
//! | people whose row has a `valid_until` | that day |
//! | events | `journal.keep_days` |
//! | damaged stores that were set aside | `store.keep_damaged_days` |
//! | the store of an older greeter | 14 days |
//! | photos | until their templates are made, where `store.keep_photos = false` |

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use jiff::{Timestamp, ToSpan, ZonedDateTime, civil::Date};

use super::{
    access::{Access, AccessLog, Whose},
    clock::{ClockFile, Trust},
    retention::{Due, after},
    stay_file::StayFile,
};
use crate::{
    config::{Config, JournalSettings, StoreSettings},
    disk,
    hold::HoldFile,
    journal::DayFiles,
    keys::Keys,
    person::RecordNumber,
    store::{Store, StoreError, commit_upgrade, damaged_stores, older_store_kept_for},
};

/// For so many days the store of an older greeter is kept.
const KEEP_OLDER_DAYS: u32 = 14;
/// How often the robot looks at the clock.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After so many looks what was not possible is tried again.
const RETRY_LOOKS: u32 = 60;

/// Who is not kept on the day `by`.
///
/// # Errors
/// [`StoreError`].
pub fn due(settings: &StoreSettings, by: Date) -> Result<Vec<Due>, StoreError> {
    let Some(keys) = Keys::read(&settings.key_file)? else { return Ok(Vec::new()) };
    let stays = StayFile::beside(&settings.folder).read()?;
    Ok(stays.due(keys.records(), settings.keep_people_days, by))
}

/// How many people are enrolled.
///
/// # Errors
/// [`StoreError`].
pub fn people(settings: &StoreSettings) -> Result<usize, StoreError> {
    Ok(Keys::read(&settings.key_file)?.map_or(0, |keys| keys.records().count()))
}

/// Notes who was in a roster, each with the last day that their row names, if the row was taken: a sync is over. A file that cannot be read is
/// begun anew. Nothing is written where nothing is different.
///
/// # Errors
/// [`StoreError`].
pub fn note_roster(
    settings: &StoreSettings,
    roster: impl Iterator<Item = (RecordNumber, Option<Option<Date>>)>,
    now: &ZonedDateTime,
) -> Result<(), StoreError> {
    let Some(keys) = Keys::read(&settings.key_file)? else { return Ok(()) };
    let file = StayFile::beside(&settings.folder);
    // A wrong clock must give nobody a day that is long past or far away.
    let today = match ClockFile::beside(&settings.folder).look(now.timestamp())? {
        Trust::Steady => now.date(),
        Trust::Jumped(last) => last.to_zoned_datetime(now.time_zone().clone()).date(),
    };
    let before = file.read().inspect_err(|error| tracing::warn!("{error}")).ok();
    let mut stays = before.clone().unwrap_or_default();
    stays.keep(keys.records(), today);
    for (record, limit) in roster {
        stays.seen(record, today);
        if let Some(until) = limit {
            stays.limit(record, until);
        }
    }
    if before.is_none_or(|before| before.runs() != stays.runs()) {
        file.write(&stays)?;
    }
    Ok(())
}

/// Does what is due, if the clock can be trusted; says who was erased. What is left of them is removed with [`finish`].
///
/// # Errors
/// [`StoreError`]; what was done is done.
pub fn carry_out(config: &Config, now: &ZonedDateTime) -> Result<Vec<Due>, StoreError> {
    let (settings, today) = (&config.store, now.date());
    old_events(&config.journal, today);
    damaged(settings, today)?;
    let gone = due(settings, today)?;
    if !gone.is_empty() {
        note(settings, &gone, now);
        let records: Vec<RecordNumber> = gone.iter().map(|due| due.record).collect();
        Keys::erase(settings, &records)?;
        HoldFile::beside(&settings.folder).release(&records)?;
    }
    let older = older_store_kept_for(&settings.folder).and_then(|kept| now.checked_sub(kept).ok());
    let over = older.is_some_and(|since| after(since.date(), KEEP_OLDER_DAYS) <= today);
    // The older store still has whoever is erased.
    if over || !gone.is_empty() {
        commit_upgrade(&settings.folder)?;
    }
    Ok(gone)
}

/// Removes what is left of people whose keys are erased, and photos that are not to be kept; `false` where the store is in use.
///
/// # Errors
/// [`StoreError`].
pub fn finish(settings: &StoreSettings) -> Result<bool, StoreError> {
    if Keys::read(&settings.key_file)?.is_none() {
        return Ok(true);
    }
    match Store::open(settings) {
        Ok(opened) => {
            let mut store = opened.store;
            store.give_up_photos()?;
            store.write_snapshot()?;
            Ok(true)
        }
        Err(StoreError::Locked { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn old_events(journal: &JournalSettings, today: Date) {
    if let Some(files) = DayFiles::of(journal) {
        files.erase_before(today.saturating_sub(i64::from(journal.keep_days).days()));
    }
}

fn damaged(settings: &StoreSettings, today: Date) -> Result<(), StoreError> {
    for path in damaged_stores(&settings.folder) {
        let goes = set_aside_on(&path).map(|day| after(day, settings.keep_damaged_days));
        if settings.keep_damaged_days > 0 && goes.is_some_and(|day| day <= today) {
            std::fs::remove_dir_all(&path).map_err(disk::at(&path))?;
            tracing::info!("the damaged store {} is removed", path.display());
        }
    }
    Ok(())
}

/// The day in the name of a damaged store, such as `store.damaged-20261129T080000Z`.
fn set_aside_on(path: &Path) -> Option<Date> {
    let name = path.file_name()?.to_str()?;
    let (_, time) = name.rsplit_once(".damaged-")?;
    Date::strptime("%Y%m%d", time.get(..8)?).ok()
}

/// A log that cannot be written keeps nobody from an erasure.
fn note(settings: &StoreSettings, gone: &[Due], now: &ZonedDateTime) {
    let noted = AccessLog::of(settings).and_then(|log| {
        let access = |due: &Due| Access::by_us(format!("retention: {}", due.why), Whose::One(due.record), now);
        Ok(log.map_or(Ok(()), |log| gone.iter().try_for_each(|due| log.note(access(due))))?)
    });
    if let Err(error) = noted {
        tracing::warn!("these erasures could not be written down: {error}");
    }
}

/// The robot's own way: looks at the clock every second, and does once a day, and after each sync, what is due.
struct Keeper<T> {
    config: Config,
    clock: ClockFile,
    /// The day, and the roster after which it was done.
    done: Option<(Date, Option<std::time::SystemTime>)>,
    looked: Timestamp,
    waits: bool,
    unfinished: bool,
    tell: T,
}

impl<T: Fn(String)> Keeper<T> {
    /// Looks once.
    fn look(&mut self, now: &ZonedDateTime) -> Result<(), StoreError> {
        let work = Some((now.date(), StayFile::beside(&self.config.store.folder).changed_at()));
        let hour = now.timestamp().duration_since(self.looked).abs() >= jiff::SignedDuration::from_hours(1);
        if self.done != work || self.waits || hour {
            self.looked = now.timestamp();
            match self.clock.look(now.timestamp())? {
                Trust::Jumped(last) => {
                    if !self.waits {
                        (self.tell)(waiting(last, now));
                    }
                    self.waits = true;
                }
                Trust::Steady => {
                    self.waits = false;
                    if self.done != work {
                        let gone = carry_out(&self.config, now)?;
                        self.unfinished |= !gone.is_empty() || !self.config.store.keep_photos;
                        self.done = work;
                        gone.iter().for_each(|due| (self.tell)(due.to_string()));
                    }
                }
            }
        }
        if self.unfinished {
            self.unfinished = !finish(&self.config.store)?;
        }
        Ok(())
    }
}

/// What the operator is told while nobody goes.
pub fn waiting(last: Timestamp, now: &ZonedDateTime) -> String {
    let last = last.to_zoned_datetime(now.time_zone().clone());
    format!(
        "the clock was last known to be right at {}, and says {} now: nothing is erased for its age until it is confirmed",
        last.strftime("%Y-%m-%d %H:%M"),
        now.strftime("%Y-%m-%d %H:%M")
    )
}

/// Carries it out beside a robot, until `stop` is set; `tell` is told who was erased, and why nobody is.
///
/// # Errors
/// When the system gives no thread.
pub fn follow(
    config: &Config,
    stop: Arc<AtomicBool>,
    tell: impl Fn(String) + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let clock = ClockFile::beside(&config.store.folder);
    let (config, looked) = (config.clone(), Timestamp::UNIX_EPOCH);
    let mut keeper = Keeper { config, clock, done: None, looked, waits: false, unfinished: false, tell };
    thread::Builder::new().name("retention".into()).spawn(move || {
        let (mut pause, mut told) = (0, String::new());
        while !stop.load(Ordering::Relaxed) {
            thread::park_timeout(LOOK_EVERY);
            if pause > 0 {
                pause -= 1;
                continue;
            }
            let looked = keeper.look(&ZonedDateTime::now());
            if looked.is_err() || keeper.unfinished {
                pause = RETRY_LOOKS;
            }
            let fault = looked.err().map(|error| error.to_string()).unwrap_or_default();
            if !fault.is_empty() && fault != told {
                (keeper.tell)(format!("nothing is erased for its age for now: {fault}"));
            }
            told = fault;
        }
    })
}
