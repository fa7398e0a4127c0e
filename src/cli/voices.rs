//! `greeter voices`: which voice speaks which language on this machine, and how soon.

use super::{Context, Exit, run as run_command};
use crate::{
    greeting::voices_report::{VoiceStatus, voices_report},
    person::Language,
};

/// List the voices that work on this machine, for each language, with the time to the first sample.
///
/// Each voice says a word so softly that nobody hears it. A language's voices stand in the order in which they are tried.
///
/// Exit code: 0 when every language has a voice, 3 when one has none.
#[derive(clap::Args)]
pub struct VoicesArgs {
    /// Only these, such as `zh-CN` [default: all that have phrases]
    #[arg(value_name = "LANGUAGE")]
    languages: Vec<String>,
}

/// Tries them and prints.
pub fn run(args: &VoicesArgs, context: &Context) -> anyhow::Result<Exit> {
    let languages: Vec<Language> = if args.languages.is_empty() {
        run_command::phrases(&context.installation, &context.config)?.languages().cloned().collect()
    } else {
        args.languages.iter().map(|tag| tag.as_str().into()).collect()
    };
    let report = voices_report(&context.config.greeting, &languages);
    let mut exit = Exit::Done;
    for language in &languages {
        let of_language: Vec<&VoiceStatus> = report.iter().filter(|status| status.language == *language).collect();
        of_language.iter().for_each(|status| anstream::println!("{}", line(status)));
        if !of_language.iter().any(|status| status.first_sample.is_ok()) {
            anstream::println!("{language:10} no voice speaks: greetings are only shown");
            exit = Exit::Attention;
        }
    }
    Ok(exit)
}

fn line(status: &VoiceStatus) -> String {
    let (language, voice) = (status.language.tag(), &status.voice);
    match &status.first_sample {
        Ok(after) => format!("{language:10} {voice:10} speaks after {} ms", after.as_millis()),
        Err(why) => format!("{language:10} {voice:10} does not: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_operator_reads_how_soon_a_voice_speaks_or_why_it_does_not() {
        let status = |first_sample| VoiceStatus { voice: "neural".into(), language: "zh-CN".into(), first_sample };
        assert_eq!(line(&status(Ok(Duration::from_millis(62)))), "zh-CN      neural     speaks after 62 ms");
        assert_eq!(
            line(&status(Err("model file x is missing".into()))),
            "zh-CN      neural     does not: model file x is missing"
        );
    }
}
