//! `greeter explain`: why a visitor was or was not named.

use std::{
    fs::File,
    io::{BufRead, BufReader, stdin},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use super::Exit;
use crate::{
    config::JournalSettings,
    journal::{
        DayFiles,
        explain::Explanation,
        search::{Afterwards, Search, SearchError, Told, Which},
    },
};

/// Say why a visitor was or was not named, from the events that `greeter run` writes.
#[derive(clap::Args)]
pub struct ExplainArgs {
    /// The events of `greeter run --events FILE` [default: the days in the folder of `journal.folder`, the newest first]
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Print it as JSON, with everything that the event holds
    #[arg(long)]
    json: bool,
    /// A visitor's number such as `4`, `last`, a line of the (newest) file such as `line:17`, or `-` for one line of JSON on standard input
    event: String,
}

/// Explains.
///
/// # Errors
/// For the operator.
pub fn run(args: &ExplainArgs, journal: &JournalSettings) -> anyhow::Result<Exit> {
    let (told, afterwards) = if args.event == "-" {
        let mut search = Search::new(Which::Line(1));
        let mut line = String::new();
        stdin().lock().read_line(&mut line).context("cannot read standard input")?;
        search.take(&line);
        search.end()?
    } else {
        let which: Which = args.event.parse().map_err(anyhow::Error::msg)?;
        match &args.events {
            Some(path) => search(path, &which)?.with_context(|| path.display().to_string())?,
            None => in_days(journal, &which)?,
        }
    };
    let explanation = Explanation::of(&told, afterwards);
    if args.json {
        anstream::println!("{}", serde_json::to_string_pretty(&explanation)?);
    } else {
        let at = i64::try_from(explanation.at_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        if let Some(at) = at {
            let local = at.to_zoned_datetime(jiff::tz::TimeZone::system());
            anstream::println!("{}", local.strftime("%Y-%m-%d %H:%M:%S"));
        }
        anstream::print!("{explanation}");
    }
    Ok(Exit::Done)
}

/// The decision in one file.
fn search(path: &Path, which: &Which) -> anyhow::Result<Result<(Told, Afterwards), SearchError>> {
    let reading = || format!("cannot read {}", path.display());
    let mut search = Search::new(which.clone());
    for line in BufReader::new(File::open(path).with_context(reading)?).split(b'\n') {
        // A line that a power cut has torn may be no text.
        search.take(&String::from_utf8_lossy(&line.with_context(reading)?));
    }
    Ok(search.end())
}

/// The newest such decision of all days that are kept.
fn in_days(journal: &JournalSettings, which: &Which) -> anyhow::Result<(Told, Afterwards)> {
    let place = journal.folder.display();
    let Some(days) = DayFiles::of(journal) else {
        bail!("no events are kept (`journal.keep_days` is 0); name a file with --events FILE");
    };
    let files = days.newest_first().with_context(|| format!("cannot read {place}"))?;
    // A line's number means the newest file.
    let looked_at = if matches!(which, Which::Line(_)) { 1 } else { files.len() };
    let mut missing = None;
    for path in files.iter().take(looked_at) {
        match search(path, which)? {
            Err(error @ SearchError::NotThere(_)) => missing = Some(error),
            found => return found.with_context(|| path.display().to_string()),
        }
    }
    match missing {
        Some(error) => Err(error).with_context(|| format!("{place}, {looked_at} of its days")),
        None => bail!(
            "there are no events in {place} yet: `greeter run` writes them. Another file is named with --events FILE"
        ),
    }
}
