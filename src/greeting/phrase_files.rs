//! Reads the Fluent files and checks each message by saying it once, so that a mistake shows at start-up and not before a visitor.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use fluent_bundle::{
    FluentArgs, FluentError, FluentResource,
    concurrent::FluentBundle,
    resolver::{ResolverError, errors::ReferenceKind},
};
use unic_langid::LanguageIdentifier;

use super::{phrases::TimeOfDay, reading};
use crate::person::Language;

/// Every message that a language needs, with what it is given beside `$time`.
const MESSAGES: [(&str, &[&str]); 19] = [
    ("hello", &[]),
    ("address", &["salutation", "surname", "name"]),
    ("last-two", &["first", "rest"]),
    ("before-others", &["first", "rest"]),
    ("place", &["counter", "directions"]),
    ("then", &["first", "rest"]),
    ("named", &["names"]),
    ("named-and-others", &["names"]),
    ("stranger", &[]),
    ("strangers", &[]),
    ("at-once", &[]),
    ("named-then", &["names"]),
    ("named-and-others-then", &["names"]),
    ("stranger-then", &[]),
    ("strangers-then", &[]),
    ("go", &["counter", "place"]),
    ("some-go", &["names", "counter", "place"]),
    ("ask", &["counter", "place"]),
    ("others-ask", &["counter", "place"]),
];

pub(super) fn time_word(time: TimeOfDay) -> &'static str {
    match time {
        TimeOfDay::Morning => "morning",
        TimeOfDay::Afternoon => "afternoon",
        TimeOfDay::Evening => "evening",
    }
}

/// The messages of one language.
pub(super) struct Messages {
    bundle: FluentBundle<FluentResource>,
    /// The file that each message is from, for error texts.
    origins: BTreeMap<String, PathBuf>,
}

impl Messages {
    fn new(language: LanguageIdentifier) -> Self {
        let mut bundle = FluentBundle::new_concurrent(vec![language]);
        // Otherwise each name is wrapped in bidirectional marks, which some voices read.
        bundle.set_use_isolating(false);
        Self { bundle, origins: BTreeMap::new() }
    }

    fn add(&mut self, path: &Path) -> Result<(), PhraseError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| PhraseError::Unreadable { file: path.into(), cause: error.to_string() })?;
        let resource = FluentResource::try_new(text).map_err(|(resource, errors)| {
            let source = resource.source();
            let error = errors.first();
            let at = error.map_or(0, |error| error.pos.start.min(source.len()));
            let entry = error.and_then(|error| error.slice.clone()).map_or(at, |slice| slice.start);
            PhraseError::Syntax {
                file: path.into(),
                line: source.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1,
                message: message_at(source, entry),
                cause: error.map_or(String::new(), ToString::to_string),
            }
        })?;
        let mut ids: Vec<String> = Vec::new();
        for id in resource.source().lines().filter_map(defined) {
            if ids.iter().any(|known| known == id) {
                return Err(PhraseError::Twice { file: path.into(), message: id.into() });
            }
            ids.push(id.to_owned());
        }
        self.origins.extend(ids.into_iter().map(|id| (id, path.to_owned())));
        self.bundle.add_resource_overriding(resource);
        Ok(())
    }

    fn check(&self, newest: &Path) -> Result<(), PhraseError> {
        for (id, given) in MESSAGES {
            let file = self.origins.get(id).map_or(newest, PathBuf::as_path).to_owned();
            for time in [TimeOfDay::Morning, TimeOfDay::Afternoon, TimeOfDay::Evening] {
                for salutation in ["mr", "ms", "dr", "professor", "none"] {
                    let mut args = FluentArgs::new();
                    args.set("time", time_word(time));
                    for name in given {
                        args.set(*name, if *name == "salutation" { salutation } else { "x" });
                    }
                    match self.format(id, &args) {
                        Ok(said) if !said.trim().is_empty() => {
                            let wrong = |cause| PhraseError::Wrong { file: file.clone(), message: id.into(), cause };
                            reading::check(&said).map_err(wrong)?;
                        }
                        Ok(_) => return Err(PhraseError::Missing { file, message: id.into() }),
                        Err(cause) => return Err(PhraseError::Wrong { file, message: id.into(), cause }),
                    }
                }
            }
        }
        Ok(())
    }

    /// Says a message; an absent one says nothing.
    ///
    /// # Errors
    /// A clause for the operator, such as `it uses $nmae, which it is not given`.
    pub fn format(&self, id: &str, args: &FluentArgs<'_>) -> Result<String, String> {
        let Some(pattern) = self.bundle.get_message(id).and_then(|message| message.value()) else {
            return Ok(String::new());
        };
        let mut errors = Vec::new();
        let said = self.bundle.format_pattern(pattern, Some(args), &mut errors).into_owned();
        errors.first().map_or(Ok(said), |error| Err(explain(error)))
    }
}

fn explain(error: &FluentError) -> String {
    match error {
        FluentError::ResolverError(ResolverError::Reference(ReferenceKind::Variable { id })) => {
            format!("uses ${id}, which it is not given")
        }
        FluentError::ResolverError(ResolverError::Reference(
            ReferenceKind::Message { id, .. } | ReferenceKind::Term { id, .. } | ReferenceKind::Function { id },
        )) => format!("uses `{id}`, which does not exist"),
        FluentError::ResolverError(ResolverError::Cyclic) => "uses itself".into(),
        other => other.to_string(),
    }
}

/// The message that a line of Fluent begins to define: a name at the line's start.
fn defined(line: &str) -> Option<&str> {
    let (id, _) = line.split_once('=')?;
    let id = id.trim_end();
    let mut letters = id.chars();
    let named = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
    named.then_some(id)
}

/// The name of the message that the damaged text begins with.
fn message_at(source: &str, at: usize) -> String {
    let damaged = source.get(at..).unwrap_or_default();
    let line = damaged.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or_default();
    line.split('=').next().unwrap_or_default().trim().to_owned()
}

pub(super) fn load(folders: &[PathBuf]) -> Result<BTreeMap<Language, Messages>, PhraseError> {
    let mut languages: BTreeMap<Language, (Messages, PathBuf)> = BTreeMap::new();
    for (index, folder) in folders.iter().enumerate() {
        let unreadable =
            |cause: std::io::Error| PhraseError::Unreadable { file: folder.clone(), cause: cause.to_string() };
        let entries = match std::fs::read_dir(folder) {
            Err(error) if index > 0 && error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.map_err(unreadable)?,
        };
        let mut files: Vec<PathBuf> =
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(unreadable)?;
        files.retain(|path| path.extension().is_some_and(|extension| extension == "ftl"));
        files.sort();
        for path in files {
            let tag = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let identifier: LanguageIdentifier =
                tag.parse().map_err(|_| PhraseError::NoLanguage { file: path.clone() })?;
            let language = languages.entry(Language(tag)).or_insert_with(|| (Messages::new(identifier), path.clone()));
            language.0.add(&path)?;
            language.1 = path;
        }
    }
    if languages.is_empty() {
        let folder = folders.first().cloned().unwrap_or_default();
        return Err(PhraseError::Unreadable { file: folder, cause: "no file there ends in .ftl".into() });
    }
    languages
        .into_iter()
        .map(|(language, (messages, newest))| messages.check(&newest).map(|()| (language, messages)))
        .collect()
}

/// Phrases that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhraseError {
    /// The folder or a file.
    #[error("phrases in {}: {cause}. The ones in the box are in assets/phrases; `greeting.phrases` names your own folder", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// The system's words.
        cause: String,
    },
    /// A file's name is no language.
    #[error("{}: the name is no language tag such as fr.ftl or zh-HK.ftl; rename the file", file.display())]
    NoLanguage {
        /// Which.
        file: PathBuf,
    },
    /// A file is no Fluent.
    #[error("{}: line {line}: message `{message}` cannot be understood: {cause}. assets/phrases/en.ftl shows the form", file.display())]
    Syntax {
        /// Which.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The damaged one.
        message: String,
        /// The parser's words.
        cause: String,
    },
    /// A message is there twice.
    #[error("{}: message `{message}` is there twice; remove one", file.display())]
    Twice {
        /// Which.
        file: PathBuf,
        /// Which.
        message: String,
    },
    /// A message is not there, or is empty.
    #[error("{}: message `{message}` is missing or empty; assets/phrases/en.ftl has them all", file.display())]
    Missing {
        /// The language's newest file.
        file: PathBuf,
        /// Which.
        message: String,
    },
    /// A message cannot be said.
    #[error("{}: message `{message}` {cause}; assets/phrases/en.ftl shows what it may use", file.display())]
    Wrong {
        /// Which.
        file: PathBuf,
        /// Which.
        message: String,
        /// What is wrong, as a clause.
        cause: String,
    },
}
