//! Reads the source tree, so that its rules hold: style that nothing runs is not style.

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
};

fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files under a folder of the tree, by their path in it.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![tree().join(folder)];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap_or_else(|error| panic!("{}: {error}", next.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    assert!(!found.is_empty(), "nothing in {folder}: this test looks in the wrong place");
    found.sort();
    found.into_iter().map(|path| path.strip_prefix(tree()).unwrap().to_owned()).collect()
}

fn sources(folder: &str) -> Vec<PathBuf> {
    files(folder).into_iter().filter(|path| path.extension().is_some_and(|it| it == "rs")).collect()
}

fn text(path: &Path) -> String {
    fs::read_to_string(tree().join(path)).unwrap()
}

/// A module's code without its unit tests and comments.
fn code(path: &Path) -> String {
    let text = text(path);
    let program = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    program.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn is_test(path: &Path) -> bool {
    let stem = path.file_stem().unwrap().to_string_lossy();
    stem == "tests" || stem.ends_with("_tests")
}

fn none(offenders: &[String]) {
    assert!(offenders.is_empty(), "\n{}", offenders.join("\n"));
}

#[test]
fn every_module_opens_by_saying_what_it_is_for() {
    let all = sources("src").into_iter().chain(sources("crates")).chain(sources("tests"));
    let silent = all.filter(|path| !is_test(path) && !text(path).starts_with("//! "));
    none(&silent.map(|path| path.display().to_string()).collect::<Vec<_>>());
}

#[test]
fn no_module_has_a_name_that_says_nothing() {
    let banned = ["utils", "util", "helpers", "helper", "common", "manager", "misc", "stuff"];
    let named = |path: &PathBuf| {
        path.components().any(|part| banned.contains(&part.as_os_str().to_string_lossy().trim_end_matches(".rs")))
    };
    none(&sources("src").iter().filter(|path| named(path)).map(|path| path.display().to_string()).collect::<Vec<_>>());
}

/// Modules that take time as a value and do no I/O.
const PURE: [&str; 22] = [
    "src/greeting/loudness.rs",
    "src/greeting/resample.rs",
    "src/greeting/joining.rs",
    "src/greeting/wav.rs",
    "src/visit/",
    "src/gallery/",
    "src/greeting/phrases.rs",
    "src/greeting/names.rs",
    "src/greeting/utterance.rs",
    "src/greeting/queue.rs",
    "src/greeting/house_phrases.rs",
    "src/config/area.rs",
    "src/config/day.rs",
    "src/rights/filing.rs",
    "src/rights/retention.rs",
    "src/sync/basis.rs",
    "src/face/watched.rs",
    "src/face/light_watch.rs",
    "src/greeting/reading.rs",
    "src/greeting/mandarin/",
    "src/routing/",
    "src/calibration/",
];
/// Files that pure modules load with; nothing else in these folders may.
const LOADERS: [&str; 2] = ["src/routing/file.rs", "src/calibration/file.rs"];
const IMPURE: [&str; 8] =
    ["Instant::now", "SystemTime", "DateTime::now", "std::fs", "fs::", "std::net", "thread::", "std::env"];

#[test]
fn pure_modules_know_no_clock_no_file_no_socket_and_no_thread() {
    let pure: Vec<PathBuf> = sources("src")
        .into_iter()
        .filter(|path| PURE.iter().any(|start| path.to_string_lossy().starts_with(start)))
        .filter(|path| !is_test(path) && !LOADERS.contains(&path.to_string_lossy().as_ref()))
        .collect();
    assert!(pure.len() >= 10, "{pure:?}");
    let found = |path: &PathBuf| {
        let code = code(path);
        let words: Vec<&str> = IMPURE.into_iter().filter(|word| code.contains(word)).collect();
        (!words.is_empty()).then(|| format!("{} names {}", path.display(), words.join(", ")))
    };
    none(&pure.iter().filter_map(found).collect::<Vec<_>>());
}

/// Which module may name which, as docs/architecture.md draws it: what is listed must not appear in the folder's code.
const MUST_NOT_KNOW: [(&str, &[&str]); 12] = [
    ("src/visit/", &["crate::store", "crate::greeting", "crate::routing", "crate::camera", "crate::pipeline"]),
    ("src/gallery/", &["crate::store", "crate::greeting", "crate::camera", "crate::pipeline", "crate::face::networks"]),
    (
        "src/models/",
        &["crate::face", "crate::store", "crate::greeting", "crate::gallery", "crate::visit", "crate::pipeline"],
    ),
    ("src/face/", &["crate::store", "crate::greeting", "crate::gallery", "crate::visit", "crate::pipeline"]),
    ("src/camera/", &["crate::face", "crate::store", "crate::visit", "crate::pipeline", "crate::person"]),
    ("src/routing/", &["crate::store", "crate::greeting", "crate::face", "crate::pipeline"]),
    ("src/greeting/", &["crate::store", "crate::face", "crate::gallery", "crate::pipeline"]),
    (
        "src/store/",
        &["crate::sync", "crate::greeting", "crate::gallery", "crate::pipeline", "crate::camera", "crate::roll"],
    ),
    ("src/keys/", &["crate::store", "crate::rights", "crate::roll", "crate::sync"]),
    ("src/hold/", &["crate::store", "crate::rights", "crate::roll", "crate::sync", "crate::keys"]),
    ("src/roll/", &["crate::sync", "crate::greeting", "crate::pipeline", "crate::camera", "crate::rights"]),
    ("src/rights/", &["crate::sync", "crate::greeting", "crate::pipeline", "crate::camera", "crate::gallery"]),
];

#[test]
fn no_module_knows_what_it_must_not_know() {
    let mut offenders = Vec::new();
    for (folder, unknown) in MUST_NOT_KNOW {
        for path in sources(folder).iter().filter(|path| !is_test(path)) {
            // `use crate::{store::…}` names a module too.
            let code = code(path).replace("crate::{", "crate::{\n");
            let named = |module: &&&str| {
                let name = module.trim_start_matches("crate::");
                let listed = code.split("crate::{\n").skip(1).any(|list| {
                    let list = list.split("};").next().unwrap_or_default();
                    list.lines().any(|line| line.trim_start().starts_with(&format!("{name}::")))
                });
                listed || code.contains(**module)
            };
            let words: Vec<&str> = unknown.iter().filter(named).copied().collect();
            if !words.is_empty() {
                offenders.push(format!("{} names {}", path.display(), words.join(", ")));
            }
        }
    }
    none(&offenders);
}

#[test]
fn only_the_store_knows_sled_and_only_the_pipeline_starts_the_stages() {
    let only = |word: &str, allowed: &[&str]| {
        let named = sources("src").into_iter().filter(|path| code(path).contains(word));
        named
            .map(|path| path.display().to_string())
            .filter(|path| !allowed.iter().any(|it| path.starts_with(it)))
            .collect::<Vec<_>>()
    };
    none(&only("sled::", &["src/store/"]));
    none(&only("nokhwa::", &["src/camera/"]));
    none(&only("rodio::", &["src/greeting/"]));
    none(&only("ort2::", &["src/models/"]));
    none(&only("rust_faces::", &["src/face/"]));
}

/// `unsafe` in the program itself: each with why it must be.
const UNSAFE: [(&str, usize); 2] = [
    // Wakes a capture thread that waits in the driver of a silent camera (pthread_kill with a signal that does nothing).
    ("src/camera/capture.rs", 1),
    // Ends the program without the libraries' clearing up (_exit), which takes their memory from a voice that is still within its network.
    ("src/cli/mod.rs", 1),
];

#[test]
fn the_program_is_unsafe_where_it_must_be_only() {
    let uses = |path: &PathBuf| code(path).matches("unsafe ").count();
    let found: BTreeSet<(String, usize)> = sources("src")
        .into_iter()
        .chain(sources("crates"))
        .map(|path| (path.display().to_string(), uses(&path)))
        .filter(|(_, count)| *count > 0)
        .collect();
    assert_eq!(found, UNSAFE.map(|(path, count)| (path.to_owned(), count)).into());
    for (path, _) in UNSAFE {
        assert!(text(Path::new(path)).contains("// SAFETY:"), "{path}: its reason stands beside it");
    }
}

#[test]
fn the_program_has_no_http_client_and_no_tls() {
    let lock = text(Path::new("Cargo.lock"));
    let names: Vec<&str> = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    assert!(names.contains(&"greeter") && names.len() > 100, "the lock file reads as one");
    let banned = [
        "hyper",
        "ureq",
        "isahc",
        "curl",
        "attohttpc",
        "native-tls",
        "openssl",
        "openssl-sys",
        "rustls",
        "h2",
        "tokio",
    ];
    none(&names.iter().filter(|name| banned.contains(name)).map(|name| (*name).to_owned()).collect::<Vec<_>>());
    // Ours, whose every call is an error.
    let reqwest = lock.split("[[package]]").find(|package| package.contains("name = \"reqwest\"")).unwrap();
    assert!(reqwest.contains("version = \"0.11.99\"") && !reqwest.contains("source = "), "{reqwest}");
}

#[test]
fn nothing_that_is_shipped_points_outside_the_tree() {
    let folders = ["src", "scripts", "docs", "assets", "crates"];
    let readable = |path: &PathBuf| fs::read_to_string(tree().join(path)).ok().map(|text| (path.clone(), text));
    let texts = folders.iter().flat_map(|folder| files(folder)).filter_map(|path| readable(&path));
    let banned = [concat!("../", "shared"), concat!("/wo", "rk/"), concat!(".lib", "rary")];
    let found = |(path, text): (PathBuf, String)| {
        let words: Vec<&str> = banned.into_iter().filter(|word| text.contains(word)).collect();
        (!words.is_empty()).then(|| format!("{} names {}", path.display(), words.join(", ")))
    };
    none(&texts.filter_map(found).collect::<Vec<_>>());
}

#[test]
fn every_link_in_the_documents_leads_somewhere() {
    let mut pages: Vec<PathBuf> =
        files("docs").into_iter().filter(|path| path.extension().is_some_and(|it| it == "md")).collect();
    pages.extend(["README.md"].map(PathBuf::from).into_iter().filter(|path| tree().join(path).is_file()));
    let mut dead = Vec::new();
    for page in &pages {
        for (_, rest) in text(page).split("](").skip(1).map(|rest| ((), rest.to_owned())) {
            let link = rest.split(')').next().unwrap_or_default();
            if link.starts_with("http") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let target = plain(&target);
            if !tree().join(&target).exists() {
                dead.push(format!("{}: {link}", page.display()));
            } else if !anchor.is_empty() && !anchors(&text(&target)).contains(anchor) {
                dead.push(format!("{}: {link}: no such heading", page.display()));
            }
        }
    }
    none(&dead);
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut so_far, part| {
        match part {
            Component::ParentDir => drop(so_far.pop()),
            Component::CurDir => {}
            other => so_far.push(other),
        }
        so_far
    })
}

/// The names under which a page's headings can be linked to.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| {
        let kept = heading
            .to_lowercase()
            .chars()
            .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
            .collect::<String>();
        kept.replace(' ', "-")
    };
    headings.map(anchor).collect()
}

#[test]
fn the_documents_name_only_commands_and_keys_that_exist() {
    let keys: BTreeSet<String> = greeter::config::Config::keys().into_iter().map(|(key, _)| key).collect();
    let sections: BTreeSet<&str> =
        keys.iter().filter_map(|key| key.split_once('.').map(|(section, _)| section)).collect();
    let mut unknown = Vec::new();
    for page in files("docs") {
        let words = text(&page);
        for quoted in words.split('`').skip(1).step_by(2) {
            let is_key = quoted.split_once('.').is_some_and(|(section, name)| {
                sections.contains(section) && name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
            });
            // `routing.toml` is a file, and `visit.rs` another.
            let is_file = [".toml", ".rs"].iter().any(|ending| quoted.ends_with(ending));
            if is_key && !is_file && !keys.contains(quoted) {
                unknown.push(format!("{}: {quoted}", page.display()));
            }
        }
    }
    none(&unknown);
}

#[test]
fn the_documents_table_of_threads_is_the_programs() {
    let page = text(Path::new("docs/architecture.md"));
    for stage in &greeter::pipeline::STAGES {
        let row = format!(
            "| `{}` | {} | {} | {} | {} |",
            stage.name, stage.takes, stage.gives, stage.capacity, stage.when_full
        );
        assert!(page.contains(&row), "docs/architecture.md lacks this row:\n{row}");
    }
}

#[test]
fn every_event_is_in_the_documents() {
    let journal = text(Path::new("src/journal/mod.rs"));
    let (_, from) = journal.split_once("pub enum Event {").expect("the events");
    let (events, _) = from.split_once("\n}").expect("their end");
    let documented = text(Path::new("docs/events.md"));
    let mut count = 0;
    for line in events.lines().filter(|line| line.starts_with("    ") && line.as_bytes()[4].is_ascii_uppercase()) {
        let mut name = String::new();
        for letter in line.trim().chars().take_while(char::is_ascii_alphabetic) {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        assert!(documented.contains(&format!("`{name}`")), "{name} is not in docs/events.md");
        count += 1;
    }
    assert!(count > 10, "only {count} events were found");
}

#[test]
fn every_key_of_a_decision_is_in_the_documents() {
    let source = text(Path::new("src/journal/because.rs"));
    let (_, from) = source.split_once("pub struct Because {").expect("the keys");
    let (fields, _) = from.split_once("\n}").expect("their end");
    let documented = text(Path::new("docs/events.md"));
    let keys: Vec<&str> =
        fields.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next()).collect();
    assert!(keys.len() > 10, "{keys:?}");
    none(
        &keys
            .iter()
            .filter(|key| !documented.contains(&format!("`{key}`")))
            .map(|key| (*key).to_owned())
            .collect::<Vec<_>>(),
    );
}
