//! `greeter config`: what each key means, and what holds now.
//!
//! The sentences come from `assets/greeter.example.toml`, which a test of `config` ties to the keys that exist.

use anyhow::bail;

use super::Exit;
use crate::config::Config;

/// Show what each key of the configuration means, or what holds now.
#[derive(clap::Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(clap::Subcommand)]
enum ConfigCommand {
    /// Say what a key means, and its default; all keys where none is named.
    Explain {
        /// Such as `camera.width`, or a section such as `camera`
        key: Option<String>,
    },
    /// Show the value of every key that holds now, and mark the ones that differ from the default.
    Show,
}

/// A key with all that an operator may want to know of it.
struct Explained {
    key: String,
    default: toml::Value,
    meaning: String,
}

/// Runs the command. `file` says where the configuration came from.
pub fn run(args: &ConfigArgs, config: &Config, file: Option<&std::path::Path>) -> anyhow::Result<Exit> {
    match &args.command {
        ConfigCommand::Explain { key } => explain(key.as_deref()),
        ConfigCommand::Show => show(config, file),
    }
}

fn explain(wanted: Option<&str>) -> anyhow::Result<Exit> {
    let all = explained();
    let meant = |key: &str| wanted.is_none_or(|wanted| key == wanted || key.starts_with(&format!("{wanted}.")));
    let chosen: Vec<&Explained> = all.iter().filter(|it| meant(&it.key)).collect();
    if let (Some(wanted), true) = (wanted, chosen.is_empty()) {
        bail!(
            "there is no key `{wanted}`; did you mean `{}`? `greeter config explain` lists them all",
            nearest(wanted, &all)
        );
    }
    for Explained { key, default, meaning } in chosen {
        let bold = anstyle::Style::new().bold();
        anstream::println!("{bold}{key}{bold:#} = {default}\n    {meaning}");
    }
    Ok(Exit::Done)
}

fn show(config: &Config, file: Option<&std::path::Path>) -> anyhow::Result<Exit> {
    let now = toml::Table::try_from(config)?;
    match file {
        Some(file) => anstream::println!("# {}", file.display()),
        None => anstream::println!("# No greeter.toml here and none in /etc/greeter: the defaults."),
    }
    let mut section = "";
    for it in &explained() {
        let (of, name) = it.key.split_once('.').unwrap_or(("", &it.key));
        if of != section {
            anstream::println!("[{of}]");
            section = of;
        }
        let value = now.get(of).and_then(|keys| keys.get(name)).unwrap_or(&it.default);
        let mark = if *value == it.default { "" } else { "   # not the default" };
        anstream::println!("{name} = {value}{mark}");
    }
    Ok(Exit::Done)
}

/// Every key, in the example's order.
fn explained() -> Vec<Explained> {
    let defaults = Config::keys();
    let meanings = meanings(include_str!("../../assets/greeter.example.toml"));
    let of = |(key, meaning): (String, String)| {
        let default = defaults.iter().find(|(known, _)| *known == key)?.1.clone();
        Some(Explained { key, default, meaning })
    };
    meanings.into_iter().filter_map(of).collect()
}

/// The keys of a commented example, each with the comment above it: `# sentence` lines, then `#key = value`.
fn meanings(example: &str) -> Vec<(String, String)> {
    let (mut section, mut sentences) = (String::new(), Vec::new());
    let mut found = Vec::new();
    for line in example.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
            sentences.clear();
        } else if let Some(sentence) = line.strip_prefix("# ") {
            sentences.push(sentence);
        } else if let Some((name, _)) = line.strip_prefix('#').and_then(|rest| rest.split_once(" = ")) {
            found.push((format!("{section}.{name}"), std::mem::take(&mut sentences).join(" ")));
        } else {
            sentences.clear();
        }
    }
    found
}

fn nearest<'a>(wanted: &str, known: &'a [Explained]) -> &'a str {
    // An operator may have left the section out.
    let likeness = |key: &str| {
        let name = key.split_once('.').map_or(key, |(_, name)| name);
        strsim::jaro_winkler(key, wanted).max(strsim::jaro_winkler(name, wanted))
    };
    known.iter().map(|it| it.key.as_str()).max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_sentence_that_explains_it() {
        let explained = explained();
        assert_eq!(explained.len(), Config::keys().len());
        for it in &explained {
            assert!(it.meaning.ends_with('.') && it.meaning.len() > 10, "{}: {}", it.key, it.meaning);
        }
    }

    #[test]
    fn a_sentence_belongs_to_the_key_below_it() {
        let example =
            "# The file.\n\n# A section.\n[camera]\n# How wide.\n# In pixels.\n#width = 3\n# How high.\n#height = 2\n";
        let expected = [("camera.width", "How wide. In pixels."), ("camera.height", "How high.")];
        assert_eq!(meanings(example), expected.map(|(key, meaning)| (key.to_owned(), meaning.to_owned())));
    }

    #[test]
    fn an_operator_who_mistypes_a_key_is_told_the_nearest() {
        let all = explained();
        assert_eq!(nearest("camera.widht", &all), "camera.width");
        assert_eq!(nearest("cool_down", &all), "visit.cool_down_s");
    }
}
