//! Does what the plan says: embeds photos, and commits people in batches, each of which is safe once it is acknowledged.

use std::collections::BTreeMap;

use indicatif::ProgressBar;

use super::{
    Job, SyncError,
    error::Interruption,
    looked::Looked,
    photos::PhotoFolder,
    plan::{PhotoStep, Plan, Step},
    report::{Outcome, RowReport, who},
    roster::RejectedRow,
};
use crate::{
    camera::photo::read_photo_bytes,
    face::{Enroller, ModelError, Template},
    person::RecordNumber,
    store::{Change, EnrolledPhoto, Enrolment, PhotoDigest, RefusedPhoto, Store, StoreError},
};

/// A killed sync loses at most so many people's work.
const BATCH_PEOPLE: usize = 200;
/// Photos held in memory until they are committed.
const BATCH_BYTES: usize = 32 << 20;

/// Makes the enroller when the first photo needs it, because loading networks takes longer than a sync with nothing to do.
pub struct Lazy<F> {
    make: Option<F>,
    made: Option<Box<dyn Enroller>>,
}

impl<F: FnOnce() -> Result<Box<dyn Enroller>, ModelError>> Lazy<F> {
    /// Not made yet.
    pub fn new(make: F) -> Self {
        Self { make: Some(make), made: None }
    }

    fn get(&mut self) -> Result<&mut dyn Enroller, ModelError> {
        if let Some(make) = self.make.take() {
            self.made = Some(make()?);
        }
        match &mut self.made {
            Some(made) => Ok(made.as_mut()),
            None => Err(ModelError::Inference { network: "enroller".into(), cause: "it could not be loaded".into() }),
        }
    }
}

/// Does a plan.
pub struct Applying<'a, F> {
    pub store: &'a mut Store,
    pub folder: &'a PhotoFolder,
    pub enroller: Lazy<F>,
    pub job: &'a Job<'a>,
    pub bar: &'a ProgressBar,
    rows: Vec<RowReport>,
    pending: Vec<Change>,
    pending_bytes: usize,
    acknowledged: usize,
    planned: usize,
}

impl<'a, F: FnOnce() -> Result<Box<dyn Enroller>, ModelError>> Applying<'a, F> {
    /// Ready to begin.
    pub fn new(
        store: &'a mut Store,
        folder: &'a PhotoFolder,
        enroller: Lazy<F>,
        job: &'a Job<'a>,
        bar: &'a ProgressBar,
    ) -> Self {
        Self {
            store,
            folder,
            enroller,
            job,
            bar,
            rows: Vec::new(),
            pending: Vec::new(),
            pending_bytes: 0,
            acknowledged: 0,
            planned: 0,
        }
    }

    /// Does all of it and returns each row's fate, in the roster's order.
    ///
    /// # Errors
    /// [`SyncError::Interrupted`], with how much is in the store for good.
    pub fn run(mut self, plan: Plan) -> Result<Vec<RowReport>, SyncError> {
        let to_do = plan.steps.iter().filter(|step| !step.unchanged && step.has_hope()).count();
        self.planned = to_do + plan.removals.len();
        self.bar.reset();
        self.bar.set_length(plan.steps.len() as u64);
        for (row, meant) in plan.rejected {
            self.rows.push(of_bad_row(row, meant));
        }
        for step in plan.steps {
            if let Err(error) = self.step(step) {
                // What is finished is not thrown away because of the next photo.
                self.commit()?;
                return Err(self.interrupted(error));
            }
            self.bar.inc(1);
            if self.pending.len() >= BATCH_PEOPLE || self.pending_bytes >= BATCH_BYTES {
                self.commit()?;
            }
        }
        for person in plan.removals {
            let record = person.taxpayer.record;
            self.rows.push(RowReport {
                row: None,
                record: Some(record),
                who: who(Some(&person.taxpayer.name), Some(&person.taxpayer.id_number)),
                outcome: Outcome::Removed,
                reason: "is no longer in the roster".into(),
                warnings: Vec::new(),
                reading_in_doubt: false,
            });
            self.queue(Change::Remove(record), 0);
            if self.pending.len() >= BATCH_PEOPLE {
                self.commit()?;
            }
        }
        self.commit()?;
        self.rows.sort_by_key(|row| row.row.unwrap_or(usize::MAX));
        Ok(self.rows)
    }

    fn step(&mut self, step: Step) -> Result<(), Interruption> {
        let who = who(Some(&step.row.person.name), Some(&step.row.person.id_number));
        let record = step.before.as_ref().map(|before| before.taxpayer.record);
        let mut looked = self.look(&step)?;
        self.together(&mut looked, &step)?;
        let mut report = RowReport {
            row: Some(step.row.number),
            record,
            who,
            outcome: Outcome::Unchanged,
            reason: String::new(),
            warnings: looked.faults,
            reading_in_doubt: step.row.person.is_read_in_doubt(),
        };
        if looked.photos.is_empty() {
            report.outcome = Outcome::Rejected;
            report.reading_in_doubt = false;
            report.reason = std::mem::take(&mut report.warnings).join("; ") + &stays(record);
            self.rows.push(report);
            return Ok(());
        }
        report.warnings.extend(step.row.notes.iter().cloned());
        if !step.unchanged {
            (report.outcome, report.reason) = match &step.before {
                None => (Outcome::Added, String::new()),
                Some(before) => (Outcome::Changed, step.differences(before)),
            };
            if !self.job.dry_run {
                let record = record.unwrap_or_else(|| self.store.new_record());
                report.record = Some(record);
                let taxpayer = step.row.person.with_record(record);
                let photos = looked.photos.into_iter().map(|(_, photo)| photo).collect();
                let enrolment = Enrolment { taxpayer, photos, refused: looked.refused };
                self.queue(Change::Put(Box::new(enrolment)), looked.bytes);
            }
        }
        self.rows.push(report);
        Ok(())
    }

    /// Goes through a row's photos.
    fn look(&mut self, step: &Step) -> Result<Looked, ModelError> {
        let mut looked = Looked::default();
        for (name, photo) in step.row.photos.iter().zip(&step.photos) {
            let fault = match photo {
                PhotoStep::Keep(digest) => {
                    looked.photos.push((name.clone(), EnrolledPhoto::Kept(*digest)));
                    continue;
                }
                PhotoStep::Fault(reason) => reason.clone(),
                PhotoStep::Known(refused) => {
                    looked.refused.push(refused.clone());
                    refused.reason.clone()
                }
                PhotoStep::Embed(_) => match self.embed(name)? {
                    Ok((bytes, template)) => {
                        looked.bytes += bytes.len();
                        let photo = EnrolledPhoto::Embedded { bytes, model: self.job.model.into(), template };
                        looked.photos.push((name.clone(), photo));
                        continue;
                    }
                    Err((digest, reason)) => {
                        let model = self.job.model.to_owned();
                        looked.refused.extend(digest.map(|digest| RefusedPhoto {
                            digest,
                            model,
                            reason: reason.clone(),
                            beside: Vec::new(),
                        }));
                        reason
                    }
                },
            };
            looked.faults.push(format!("photo {name} {fault}"));
        }
        Ok(looked)
    }

    /// Takes out what shows somebody else than the row's other photos, and what does not suffice without them.
    fn together(&self, looked: &mut Looked, step: &Step) -> Result<(), StoreError> {
        let before = step.before.as_ref().map_or(0, |before| before.photos.len());
        if !looked.has_a_new_photo() && looked.photos.len() == before {
            return Ok(());
        }
        let stored = match &step.before {
            Some(before) => self.store.templates_of(before.taxpayer.record, self.job.model)?,
            None => BTreeMap::new(),
        };
        if let Some(min_score) = self.job.same_person.filter(|_| looked.has_company_for_a_new_photo()) {
            looked.take_out_strangers(min_score, self.job.model, &step.digests, &stored);
        }
        looked.take_out_if_all_are_unclear(&stored);
        Ok(())
    }

    /// A photo's bytes and template, or what is wrong with it, with the digest of what was looked at.
    #[allow(clippy::type_complexity, reason = "the two ways in which it ends, side by side")]
    fn embed(&mut self, name: &str) -> Result<Result<(Vec<u8>, Template), (Option<PhotoDigest>, String)>, ModelError> {
        let bytes = match self.folder.read(name) {
            Ok(bytes) => bytes,
            Err(fault) => return Ok(Err((None, fault.to_string()))),
        };
        let refused = |fault: String| Ok(Err((Some(PhotoDigest::of(&bytes)), fault)));
        let picture = match read_photo_bytes(&bytes) {
            Ok(picture) => picture,
            Err(fault) => return refused(fault.to_string()),
        };
        match self.enroller.get()?.enrol(&picture)? {
            Ok(template) => Ok(Ok((bytes, template))),
            Err(fault) => refused(fault.to_string()),
        }
    }

    fn queue(&mut self, change: Change, bytes: usize) {
        self.pending.push(change);
        self.pending_bytes += bytes;
    }

    fn commit(&mut self) -> Result<(), SyncError> {
        self.pending_bytes = 0;
        let pending = std::mem::take(&mut self.pending);
        if self.job.dry_run || pending.is_empty() {
            return Ok(());
        }
        let count = pending.len();
        self.store.commit(pending).map_err(|error| self.interrupted(error))?;
        self.acknowledged += count;
        tracing::debug!(acknowledged = self.acknowledged, planned = self.planned, "committed");
        Ok(())
    }

    fn interrupted(&self, cause: impl Into<Interruption>) -> SyncError {
        SyncError::Interrupted { acknowledged: self.acknowledged, planned: self.planned, cause: cause.into() }
    }
}

fn of_bad_row(row: RejectedRow, meant: Option<RecordNumber>) -> RowReport {
    RowReport {
        row: Some(row.number),
        record: meant,
        who: who(row.name.as_ref(), row.id_number.as_ref()),
        outcome: Outcome::Rejected,
        reason: row.reason + &stays(meant),
        warnings: Vec::new(),
        reading_in_doubt: false,
    }
}

fn stays(record: Option<RecordNumber>) -> String {
    record.map(|record| format!(". Record {record} stays as it was")).unwrap_or_default()
}
