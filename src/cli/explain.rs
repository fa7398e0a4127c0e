//! `greeter explain`: why a visitor was or was not named.

use std::{
    fs::File,
    io::{BufRead, BufReader, stdin},
    path::PathBuf,
};

use anyhow::{Context as _, bail};

use super::Exit;
use crate::journal::{
    explain::Explanation,
    search::{Search, Which},
};

/// Say why a visitor was or was not named, from the events of `greeter run --events FILE`.
#[derive(clap::Args)]
pub struct ExplainArgs {
    /// The events of `greeter run --events FILE`
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Print it as JSON, with everything that the event holds
    #[arg(long)]
    json: bool,
    /// A visitor's number such as `4`, `last`, a line of the file such as `line:17`, or `-` for one line of JSON on standard input
    event: String,
}

/// Explains.
///
/// # Errors
/// For the operator.
pub fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let (told, afterwards) = if args.event == "-" {
        let mut search = Search::new(Which::Line(1));
        let mut line = String::new();
        stdin().lock().read_line(&mut line).context("cannot read standard input")?;
        search.take(&line);
        search.end()?
    } else {
        let which: Which = args.event.parse().map_err(anyhow::Error::msg)?;
        let Some(path) = &args.events else {
            bail!("which file? Add --events FILE, the one that `greeter run --events FILE` writes");
        };
        let reading = || format!("cannot read {}", path.display());
        let mut search = Search::new(which);
        for line in BufReader::new(File::open(path).with_context(reading)?).lines() {
            search.take(&line.with_context(reading)?);
        }
        search.end().with_context(|| path.display().to_string())?
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
