//! `greeter doctor`: looks at everything that a robot needs, and prints a line each.

use std::path::PathBuf;

use anyhow::bail;

use super::Exit;
use crate::doctor::{Finding, checks};

/// Check camera, sound, voices, models, store, counters, disk and clock; say what is wrong and what helps.
///
/// Nothing is changed, and a camera or store that `greeter run` uses is left alone.
///
/// Exit code: 0 when all is well, 3 when something needs attention.
#[derive(clap::Args)]
pub struct DoctorArgs {
    /// Only these, such as `camera` or `voices` [default: all]
    #[arg(value_name = "CHECK")]
    only: Vec<String>,
}

/// Runs the checks; `config` is the file that the command line names.
pub fn run(args: &DoctorArgs, config: Option<PathBuf>) -> anyhow::Result<Exit> {
    let mut checks = checks(config);
    let names: Vec<&str> = checks.iter().map(|check| check.name).collect();
    if let Some(unknown) = args.only.iter().find(|wanted| !names.contains(&wanted.as_str())) {
        bail!("there is no check {unknown}; there are {}", names.join(", "));
    }
    checks.retain(|check| args.only.is_empty() || args.only.iter().any(|wanted| wanted == check.name));
    let mut problems = 0;
    for check in checks {
        let name = check.name;
        for finding in check.findings() {
            problems += usize::from(matches!(finding, Finding::Problem { .. }));
            anstream::println!("{}", line(name, &finding));
        }
    }
    anstream::println!("{}", summary(problems));
    Ok(if problems == 0 { Exit::Done } else { Exit::Attention })
}

fn line(name: &str, finding: &Finding) -> String {
    let (good, bad) = (anstyle::AnsiColor::Green.on_default(), anstyle::AnsiColor::Red.on_default().bold());
    match finding {
        Finding::Fine(what) => format!("{good}ok{good:#}       {name:<14} {what}"),
        Finding::Problem { what, cure } => {
            format!("{bad}problem{bad:#}  {name:<14} {what}\n{:24}cure: {cure}", "")
        }
    }
}

fn summary(problems: usize) -> String {
    match problems {
        0 => "All is well.".into(),
        1 => "One problem.".into(),
        _ => format!("{problems} problems."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(finding: &Finding) -> String {
        anstream::adapter::strip_str(&line("camera", finding)).to_string()
    }

    #[test]
    fn a_problem_is_followed_by_its_cure() {
        assert_eq!(plain(&Finding::fine("/dev/video0")), "ok       camera         /dev/video0");
        assert_eq!(
            plain(&Finding::problem("there is none", "Plug it in")),
            "problem  camera         there is none\n                        cure: Plug it in"
        );
    }
}
