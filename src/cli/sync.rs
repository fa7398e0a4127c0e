//! `greeter sync`: preloads people from the office's roster and photos.

use std::path::{Path, PathBuf};

use super::Exit;
use crate::{
    config::Config,
    face::{Enroller, ModelError},
    rights::{filing, forgetting, objections::Objections},
    sync::{Job, Outcome, Report, synchronise},
};

/// Preload people from a roster (CSV) and their photos.
///
/// The roster has a row a person and the columns id_number, name, phone and photos (or 身份证号, 姓名, 手机号, 照片); optional columns
/// are pronunciation (读音), language, salutation, category, services, appointment, expected (预计到访), basis (处理依据), basis_date, guardian_consent, source and
/// valid_until. A row that cannot be taken is reported with its number and the
/// reason, and all others go in. Running the same sync again changes nothing.
///
/// Exit code: 0 when every row is in, 3 when rows were rejected, 1 when the sync could not be done.
#[derive(Debug, clap::Args)]
pub struct SyncArgs {
    /// The roster: CSV with commas, semicolons or tabs, in UTF-8, UTF-16, GBK/GB18030 or Big5
    pub roster: PathBuf,
    /// Folder with the photos that the roster names (JPEG, PNG or BMP) [default: the roster's folder]
    #[arg(long, value_name = "DIR")]
    pub photos: Option<PathBuf>,
    /// Look at everything, photos included, and say what would be done; change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Remove people who are not in the roster (a row that is rejected removes nobody)
    #[arg(long)]
    pub mirror: bool,
    /// Remove even more than half of the people
    #[arg(long)]
    pub allow_mass_removal: bool,
    /// Write what became of each row to a CSV file: row and record numbers and reasons, and nobody's data
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// Does it and prints the summary. `model` is the recogniser's name in `models.toml`, `same_person` the score from which two photos may
/// show one person; `make_enroller` loads the networks, and is only called when a photo needs a template.
///
/// # Errors
/// What is wrong as a whole, for the operator.
pub fn run(
    args: &SyncArgs,
    config: &Config,
    model: &str,
    same_person: Option<f32>,
    make_enroller: impl FnMut() -> Result<Box<dyn Enroller + Send>, ModelError>,
) -> anyhow::Result<Exit> {
    let objections = Objections::of(&config.store)?;
    let beside = args.roster.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let job = Job {
        roster: &args.roster,
        photos: args.photos.as_deref().unwrap_or(beside),
        model,
        same_person,
        basis: config.enrolment.basis,
        objections: objections.as_ref(),
        dry_run: args.dry_run,
        mirror: args.mirror,
        allow_mass_removal: args.allow_mass_removal,
    };
    let bar = bar();
    let done = synchronise(&job, &config.store, make_enroller, &bar);
    bar.finish_and_clear();
    let report = done?;
    anstream::println!("{report}");
    if !args.dry_run {
        afterwards(&report, config)?;
    }
    if let Some(path) = &args.report {
        report.write(path)?;
        anstream::println!("Each row's fate is in {}.", path.display());
    }
    Ok(if report.count(Outcome::Rejected) > 0 { Exit::Attention } else { Exit::Done })
}

/// Notes who was in the roster, and erases whom nobody may keep any longer.
fn afterwards(report: &Report, config: &Config) -> anyhow::Result<()> {
    let now = jiff::ZonedDateTime::now();
    forgetting::note_roster(&config.store, report.in_roster(), &now)?;
    super::store::retain(config, &now)?;
    if let Some(notice) = filing::notice(forgetting::people(&config.store)?) {
        anstream::println!("note: {}: {}", notice.what, notice.then);
    }
    Ok(())
}

/// On the error output, so that the summary can be piped; indicatif hides it where that is no terminal.
fn bar() -> indicatif::ProgressBar {
    let bar = indicatif::ProgressBar::new(0);
    if let Ok(style) = indicatif::ProgressStyle::with_template("{bar:32} {human_pos} of {human_len} rows, {eta} left") {
        bar.set_style(style);
    }
    bar
}
