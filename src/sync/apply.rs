//! Does what the plan says: looks at photos with the store closed, and keeps people in batches, each of which is safe once it is acknowledged.
//!
//! Others get in between two batches. So each person is held against what the plan was made from before they are written: who was erased
//! or changed since is left as they are.

use std::{
    collections::{BTreeMap, VecDeque},
    thread,
    time::{Duration, Instant},
};

use indicatif::ProgressBar;

use super::{
    Job, SyncError,
    error::Interruption,
    looked::Looked,
    photos::PhotoFolder,
    plan::{PhotoStep, Plan, Step},
    report::{Outcome, RowReport, who},
    roster::{RejectedRow, is_read_in_doubt},
};
use crate::{
    camera::photo::read_photo_bytes,
    config::StoreSettings,
    face::{Enroller, ModelError, Template, enrollers::Enrollers},
    person::RecordNumber,
    store::{Change, EnrolledPhoto, Enrolment, PhotoDigest, RefusedPhoto, Store, StoreError, Taxpayer},
};

/// A killed sync loses at most so many people's photos.
const BATCH_PEOPLE: usize = 200;
/// Rows whose photos are looked at side by side.
const AT_ONCE: usize = 16;
/// Photos held in memory until they are committed.
const BATCH_BYTES: usize = 32 << 20;
/// People without new photos, who cost next to nothing to look at again.
const BATCH_ROWS: usize = 5000;
/// For how long the store is left to others after a batch: whoever waits for it looks twenty times a second.
const OTHERS_TURN: Duration = Duration::from_millis(100);
/// A robot that runs knows new people so long after they are in, at most; writing the copy takes seconds with 100,000 people.
const COPY_EVERY: Duration = Duration::from_secs(60);

/// A photo's bytes and template, or what is wrong with it, with the digest of what was looked at.
type Embedded = Result<(Vec<u8>, Template), (Option<PhotoDigest>, String)>;

/// Does a plan.
pub struct Applying<'a, F> {
    settings: &'a StoreSettings,
    /// Closed while photos are looked at.
    store: Option<Store>,
    folder: &'a PhotoFolder,
    enrollers: Enrollers<F>,
    job: &'a Job<'a>,
    bar: &'a ProgressBar,
    rows: Vec<RowReport>,
    pending: Vec<(Step, Looked)>,
    copied_at: Option<Instant>,
    acknowledged: usize,
    planned: usize,
}

impl<'a, F: FnMut() -> Result<Box<dyn Enroller + Send>, ModelError>> Applying<'a, F> {
    /// Ready to begin, with the open store of `settings`.
    pub fn new(
        settings: &'a StoreSettings,
        store: Store,
        folder: &'a PhotoFolder,
        enrollers: Enrollers<F>,
        job: &'a Job<'a>,
        bar: &'a ProgressBar,
    ) -> Self {
        Self {
            settings,
            store: Some(store),
            folder,
            enrollers,
            job,
            bar,
            rows: Vec::new(),
            pending: Vec::new(),
            copied_at: None,
            acknowledged: 0,
            planned: 0,
        }
    }

    /// Does all of it, renews the copy and returns each row's fate, in the roster's order.
    ///
    /// # Errors
    /// [`SyncError::Interrupted`], with how much is in the store for good; [`SyncError::Snapshot`].
    pub fn run(mut self, plan: Plan) -> Result<Vec<RowReport>, SyncError> {
        let to_do = plan.steps.iter().filter(|step| !step.unchanged && step.has_hope()).count();
        self.planned = to_do + plan.removals.len();
        self.bar.reset();
        self.bar.set_length(plan.steps.len() as u64);
        for (row, meant) in plan.rejected {
            self.rows.push(of_bad_row(row, meant));
        }
        let (mut new, mut bytes) = (0, 0);
        let mut steps = plan.steps.into_iter();
        let mut seen = VecDeque::new();
        loop {
            if seen.is_empty() {
                seen = self.look_at(steps.by_ref().take(AT_ONCE).collect());
            }
            let Some((step, looked)) = seen.pop_front() else { break };
            let mut looked = match looked {
                Ok(looked) => looked,
                Err(error) => {
                    // What is finished is not thrown away because of the next photo.
                    self.keep_pending()?;
                    return Err(self.interrupted(error));
                }
            };
            self.bar.inc(1);
            if step.unchanged || looked.photos.is_empty() {
                self.rows.push(reported(&step, &mut looked));
                continue;
            }
            new += usize::from(looked.has_a_new_photo());
            bytes += looked.bytes;
            self.pending.push((step, looked));
            if new >= BATCH_PEOPLE || bytes >= BATCH_BYTES || self.pending.len() >= BATCH_ROWS {
                self.keep_pending()?;
                self.let_others_in();
                (new, bytes) = (0, 0);
            }
        }
        self.keep_pending()?;
        for leaving in plan.removals.chunks(BATCH_PEOPLE) {
            self.let_go(leaving)?;
        }
        if !self.job.dry_run {
            let renewed = self.store().and_then(|store| {
                store.give_up_photos()?;
                store.settle()?;
                store.write_snapshot()
            });
            renewed.map_err(SyncError::Snapshot)?;
        }
        self.rows.sort_by_key(|row| row.row.unwrap_or(usize::MAX));
        Ok(self.rows)
    }

    fn store(&mut self) -> Result<&mut Store, StoreError> {
        match &mut self.store {
            Some(store) => Ok(store),
            closed => Ok(closed.insert(Store::open_when_free(self.settings)?.store)),
        }
    }

    fn let_others_in(&mut self) {
        self.store = None;
        thread::sleep(OTHERS_TURN);
    }

    /// Keeps everybody who was looked at; the store is open afterwards.
    fn keep_pending(&mut self) -> Result<(), SyncError> {
        let mut changes = Vec::with_capacity(self.pending.len());
        for (step, looked) in std::mem::take(&mut self.pending) {
            let judged = self.judge(&step, looked);
            changes.extend(judged.map_err(|error| self.interrupted(error))?);
        }
        self.commit(changes)
    }

    /// What becomes of a row whose photos were looked at, now that the store is open.
    fn judge(&mut self, step: &Step, mut looked: Looked) -> Result<Option<Change>, StoreError> {
        let store = self.store()?;
        let here = store.find_by_id(&step.row.person.id_number)?;
        let here = here.map(|record| store.person(record)).transpose()?.flatten();
        if let Some(reason) = changed_since(step.before.as_ref(), here.as_ref()) {
            let record = here.map(|here| here.record);
            self.rows.push(rejected(step, record, reason.into()));
            return Ok(None);
        }
        self.together(&mut looked, step)?;
        let mut report = reported(step, &mut looked);
        let mut change = None;
        if !looked.photos.is_empty() && !self.job.dry_run {
            let record = report.record.map_or_else(|| Ok(self.store()?.new_record()), Ok::<_, StoreError>)?;
            report.record = Some(record);
            let person = step.row.person.clone();
            let photos = looked.photos.into_iter().map(|(_, photo)| photo).collect();
            change = Some(Change::Put(Box::new(Enrolment { record, person, photos, refused: looked.refused })));
        }
        self.rows.push(report);
        Ok(change)
    }

    /// Erases people who left, as far as they are as they were.
    fn let_go(&mut self, leaving: &[Taxpayer]) -> Result<(), SyncError> {
        let mut changes = Vec::new();
        for person in leaving {
            let record = person.record;
            let here = self.store().and_then(|store| store.person(record));
            let here = here.map_err(|error| self.interrupted(error))?;
            let (outcome, reason) = match changed_since(Some(person), here.as_ref()) {
                None => (Outcome::Removed, "is no longer in the roster, or its row says that they must not be kept"),
                Some(reason) if here.is_some() => (Outcome::Rejected, reason),
                Some(_) => continue,
            };
            if outcome == Outcome::Removed {
                changes.push(Change::Remove(record));
            }
            self.rows.push(RowReport {
                row: None,
                record: Some(record),
                who: who(Some(&person.person.name), Some(&person.person.id_number)),
                outcome,
                reason: reason.into(),
                warnings: Vec::new(),
                reading_in_doubt: false,
                valid_until: None,
            });
        }
        self.commit(changes)
    }

    /// Goes through the photos of some rows, with the store closed where any needs the networks.
    fn look_at(&mut self, steps: Vec<Step>) -> VecDeque<(Step, Result<Looked, ModelError>)> {
        let photos = steps.iter().flat_map(|step| step.row.photos.iter().zip(&step.photos));
        let new: Vec<&String> =
            photos.filter(|(_, photo)| matches!(photo, PhotoStep::Embed(_))).map(|(name, _)| name).collect();
        if !new.is_empty() {
            self.store = None;
        }
        let (folder, model) = (self.folder, self.job.model);
        let embedded = self.enrollers.look_at(&new, |enroller, name| embed(folder, enroller, name));
        let mut embedded = embedded.unwrap_or_else(|error| vec![Err(error)]).into_iter();
        let looks: Vec<_> = steps.iter().map(|step| look(step, model, &mut embedded)).collect();
        steps.into_iter().zip(looks).collect()
    }

    /// Takes out what shows somebody else than the row's other photos, and what does not suffice without them.
    fn together(&mut self, looked: &mut Looked, step: &Step) -> Result<(), StoreError> {
        let before = step.before.as_ref().map_or(0, |before| before.photos.len());
        if !looked.has_a_new_photo() && looked.photos.len() == before {
            return Ok(());
        }
        let stored = match &step.before {
            Some(before) => {
                let model = self.job.model;
                self.store()?.templates_of(before.record, model)?
            }
            None => BTreeMap::new(),
        };
        if let Some(min_score) = self.job.same_person.filter(|_| looked.has_company_for_a_new_photo()) {
            looked.take_out_strangers(min_score, self.job.model, &step.digests, &stored);
        }
        looked.take_out_if_all_are_unclear(&stored);
        Ok(())
    }

    fn commit(&mut self, changes: Vec<Change>) -> Result<(), SyncError> {
        if self.job.dry_run || changes.is_empty() {
            return Ok(());
        }
        let count = changes.len();
        let committed = self.store().and_then(|store| store.commit(changes));
        committed.map_err(|error| self.interrupted(error))?;
        self.acknowledged += count;
        tracing::debug!(acknowledged = self.acknowledged, planned = self.planned, "committed");
        if self.copied_at.is_none_or(|at| at.elapsed() >= COPY_EVERY) {
            if let Err(error) = self.store().and_then(Store::write_snapshot) {
                tracing::warn!("the copy could not be renewed yet: {error}");
            }
            self.copied_at = Some(Instant::now());
        }
        Ok(())
    }

    fn interrupted(&self, cause: impl Into<Interruption>) -> SyncError {
        SyncError::Interrupted { acknowledged: self.acknowledged, planned: self.planned, cause: cause.into() }
    }
}

/// Goes through a row's photos; `embedded` has what became of the new ones, of this row and of those behind it.
fn look(
    step: &Step,
    model: &str,
    embedded: &mut impl Iterator<Item = Result<Embedded, ModelError>>,
) -> Result<Looked, ModelError> {
    let mut looked = Looked::default();
    // By their place in the row: offices name photos after people and their numbers.
    for (place, photo) in (1..).zip(&step.photos) {
        let fault = match photo {
            PhotoStep::Keep(digest) => {
                looked.photos.push((place, EnrolledPhoto::Kept(*digest)));
                continue;
            }
            PhotoStep::Fault(reason) => reason.clone(),
            PhotoStep::Known(refused) => {
                looked.refused.push(refused.clone());
                refused.reason.clone()
            }
            PhotoStep::Embed(_) => match embedded.next().transpose()? {
                Some(Ok((bytes, template))) => {
                    looked.bytes += bytes.len();
                    let photo = EnrolledPhoto::Embedded { bytes, model: model.into(), template };
                    looked.photos.push((place, photo));
                    continue;
                }
                Some(Err((digest, reason))) => {
                    let refused = |digest| RefusedPhoto {
                        digest,
                        model: model.to_owned(),
                        reason: reason.clone(),
                        beside: Vec::new(),
                    };
                    looked.refused.extend(digest.map(refused));
                    reason
                }
                // The networks have failed at a photo before it: the sync ends there.
                None => break,
            },
        };
        looked.faults.push(format!("photo {place} {fault}"));
    }
    Ok(looked)
}

fn embed(folder: &PhotoFolder, enroller: &mut dyn Enroller, name: &str) -> Result<Embedded, ModelError> {
    let bytes = match folder.read(name) {
        Ok(bytes) => bytes,
        Err(fault) => return Ok(Err((None, fault.to_string()))),
    };
    let refused = |fault: String| Ok(Err((Some(PhotoDigest::of(&bytes)), fault)));
    let picture = match read_photo_bytes(&bytes) {
        Ok(picture) => picture,
        Err(fault) => return refused(fault.to_string()),
    };
    match enroller.enrol(&picture)? {
        Ok(template) => Ok(Ok((bytes, template))),
        Err(fault) => refused(fault.to_string()),
    }
}

/// Why somebody is left as they are, if another command has erased or changed them since the plan was made. What a recogniser made of their
/// photos meanwhile is no change.
fn changed_since(before: Option<&Taxpayer>, here: Option<&Taxpayer>) -> Option<&'static str> {
    let photos = |person: &Taxpayer| person.photos.iter().map(|photo| (photo.number, photo.digest)).collect::<Vec<_>>();
    match (before, here) {
        (None, None) => None,
        (Some(before), Some(here))
            if before.person == here.person && before.refused == here.refused && photos(before) == photos(here) =>
        {
            None
        }
        (Some(_), None) => Some("was erased by another command while this sync ran, which brings nobody back"),
        _ => Some("was changed by another command while this sync ran. Run the same sync again"),
    }
}

/// What became of a row whose photos were looked at; a new person has no record yet.
fn reported(step: &Step, looked: &mut Looked) -> RowReport {
    let record = step.before.as_ref().map(|before| before.record);
    let mut warnings = std::mem::take(&mut looked.faults);
    if looked.photos.is_empty() {
        return rejected(step, record, warnings.join("; "));
    }
    warnings.extend(step.row.notes.iter().cloned());
    let (outcome, reason) = match &step.before {
        None => (Outcome::Added, String::new()),
        Some(_) if step.unchanged => (Outcome::Unchanged, String::new()),
        Some(before) => (Outcome::Changed, step.differences(before)),
    };
    let reading_in_doubt = is_read_in_doubt(&step.row.person);
    let valid_until = step.row.person.valid_until;
    RowReport { outcome, reason, warnings, reading_in_doubt, valid_until, ..rejected(step, record, String::new()) }
}

/// The report of a row from which nothing is taken.
fn rejected(step: &Step, record: Option<RecordNumber>, reason: String) -> RowReport {
    RowReport {
        row: Some(step.row.number),
        record,
        who: who(Some(&step.row.person.name), Some(&step.row.person.id_number)),
        outcome: Outcome::Rejected,
        reason: reason + &stays(record),
        warnings: Vec::new(),
        reading_in_doubt: false,
        valid_until: None,
    }
}

fn of_bad_row(row: RejectedRow, meant: Option<RecordNumber>) -> RowReport {
    let then = match meant {
        Some(record) if row.ends => format!(". Record {record} must not be kept"),
        _ => stays(meant),
    };
    RowReport {
        row: Some(row.number),
        record: meant,
        who: who(row.name.as_ref(), row.id_number.as_ref()),
        outcome: Outcome::Rejected,
        reason: row.reason + &then,
        warnings: Vec::new(),
        reading_in_doubt: false,
        valid_until: None,
    }
}

fn stays(record: Option<RecordNumber>) -> String {
    record.map(|record| format!(". Record {record} stays as it was")).unwrap_or_default()
}
