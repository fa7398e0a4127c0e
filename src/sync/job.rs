//! The whole way of a sync: read the roster, look at the photos, decide, do it, renew the snapshot.
//!
//! The store is open only while it is compared with the roster and while people are kept.

use std::{collections::HashMap, path::Path};

use indicatif::ProgressBar;
use jiff::civil::Date;

use super::{
    Outcome, Report, SyncError,
    apply::Applying,
    basis::Rules,
    photos::PhotoFolder,
    plan::{self, Candidate, Mirror},
    roster::{self, RejectedRow},
};
use crate::{
    config::{BasisRule, StoreSettings},
    face::{Enroller, ModelError, enrollers::Enrollers},
    rights::objections::Objections,
    store::{Opened, PhotoDigest, Store, Taxpayer},
};

/// What is to be synchronised, and how.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The office's table of people.
    pub roster: &'a Path,
    /// The folder that its photo names are relative to.
    pub photos: &'a Path,
    /// The recogniser whose templates are wanted; the enroller's [`Enroller::model`].
    pub model: &'a str,
    /// The score from which two photos may show one person; without it, photos of a row are not compared.
    pub same_person: Option<f32>,
    /// What becomes of rows that name no legal basis.
    pub basis: BasisRule,
    /// Whoever is in this list is not enrolled.
    pub objections: Option<&'a Objections>,
    /// Look at everything, change nothing.
    pub dry_run: bool,
    /// Remove people who are not in the roster.
    pub mirror: bool,
    /// With `mirror`: even when they are more than half of everybody.
    pub allow_mass_removal: bool,
}

/// Why somebody is not enrolled who asked not to be.
const OBJECTED: &str = "this person asked not to be enrolled; `greeter people withdraw-objection` takes that back";

/// Brings the store of `settings` to what the roster says. Running it again changes nothing and embeds nothing.
///
/// `make_enroller` is called when the first photos need templates, once a core. `bar` shows rows, first looked at, then done.
///
/// # Errors
/// [`SyncError`] for what is wrong as a whole; what is wrong with single rows is in the report, and the others are done.
pub fn synchronise(
    job: &Job<'_>,
    settings: &StoreSettings,
    make_enroller: impl FnMut() -> Result<Box<dyn Enroller + Send>, ModelError>,
    bar: &ProgressBar,
) -> Result<Report, SyncError> {
    let today = jiff::ZonedDateTime::now().date();
    let mut roster = roster::read(job.roster, today)?;
    if let Some(objections) = job.objections {
        roster.refuse(|person| objections.has(&person.id_number), OBJECTED);
    }
    let folder = PhotoFolder::open(job.photos)?;
    bar.set_length(roster.rows.len() as u64);
    let look = |row: roster::Row| {
        bar.inc(1);
        let digests = row.photos.iter().map(|name| match folder.read(name) {
            Ok(bytes) => Ok(PhotoDigest::of(&bytes)),
            Err(fault) => Err(fault.to_string()),
        });
        Candidate { digests: digests.collect(), row }
    };
    let candidates = roster.rows.into_iter().map(look).collect();
    let mirror = match (job.mirror, job.allow_mass_removal) {
        (false, false) => Mirror::No,
        (false, true) => Mirror::NoMassGuard,
        (true, false) => Mirror::Guarded,
        (true, true) => Mirror::AllowMassRemoval,
    };
    let Opened { store, rebuilt, .. } = Store::open(settings)?;
    let enrolled = store.enrolled()?;
    let candidates = with_basis(candidates, &mut roster.rejected, &enrolled, job, today);
    let plan = plan::plan(candidates, roster.rejected, enrolled, job.model, mirror)?;

    let rows = Applying::new(settings, store, &folder, Enrollers::new(make_enroller), job, bar).run(plan)?;
    let notes = rebuilt.iter().map(ToString::to_string).chain(roster.notes).collect();
    let report = Report { rows, notes, dry_run: job.dry_run };
    tracing::info!(
        added = report.count(Outcome::Added),
        changed = report.count(Outcome::Changed),
        unchanged = report.count(Outcome::Unchanged),
        removed = report.count(Outcome::Removed),
        rejected = report.count(Outcome::Rejected),
        dry_run = job.dry_run,
        "sync finished"
    );
    Ok(report)
}

/// Says of each row on which basis it is enrolled, or refuses it.
fn with_basis(
    candidates: Vec<Candidate>,
    rejected: &mut Vec<RejectedRow>,
    enrolled: &[Taxpayer],
    job: &Job<'_>,
    today: Date,
) -> Vec<Candidate> {
    let name = job.roster.file_name().unwrap_or_default().to_string_lossy();
    let rules = Rules { rule: job.basis, today, roster: &name };
    let known: HashMap<_, _> =
        enrolled.iter().map(|person| (&person.person.id_number, person.person.basis.as_ref())).collect();
    let settle = |mut candidate: Candidate| {
        let row = &mut candidate.row;
        let before = known.get(&row.person.id_number).copied();
        match rules.settle(&row.basis, &row.person.id_number, before) {
            Ok(basis) => row.person.basis = basis,
            Err(fault) => {
                rejected.push(RejectedRow::of(candidate.row, fault.to_string()));
                return None;
            }
        }
        Some(candidate)
    };
    candidates.into_iter().filter_map(settle).collect()
}
