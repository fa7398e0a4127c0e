//! `greeter doctor`: looks at everything that a robot needs, and prints a line each.

use std::path::PathBuf;

use anyhow::bail;

use super::Exit;
use crate::doctor::{Finding, Wanted, checks, for_a_picture};

/// Check camera, sound, voices, models, store, counters, disk and clock; say what is wrong and what helps.
///
/// Nothing is changed (but that `--picture` makes its file), and a camera or store that `greeter run` uses is left alone.
///
/// Exit code: 0 when all is well, 3 when something needs attention.
#[derive(clap::Args)]
pub struct DoctorArgs {
    /// Only these, such as `camera` or `voices` [default: all]
    #[arg(value_name = "CHECK")]
    only: Vec<String>,
    /// Only take a picture through the camera into this new file (.jpg or .png), with what the robot sees in it: `camera.zone`,
    /// `camera.blank`, faces, how far their eyes are apart, and the light. It shows people: delete it afterwards
    #[arg(long, value_name = "FILE", conflicts_with = "only")]
    picture: Option<PathBuf>,
    /// For the picture, a photo, a folder of photos or a clip (.mjpg) instead of the webcam
    #[arg(long, value_name = "PATH", requires = "picture")]
    camera: Option<PathBuf>,
}

/// Runs the checks; `config` is the file that the command line names.
pub fn run(args: &DoctorArgs, config: Option<PathBuf>) -> anyhow::Result<Exit> {
    let mut checks = match &args.picture {
        None => checks(config),
        Some(file) => for_a_picture(config, Wanted { file: file.clone(), recording: args.camera.clone() }),
    };
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
