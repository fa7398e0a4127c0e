//! Looks at everything that a robot needs before it can greet, and says what is wrong and what helps.
//!
//! `checks` says in which order what is looked at; `devices`, `box_contents`, `people`, `privacy` and `machine` do it, each knowing nothing of the
//! others; `picture` takes one, if asked, with `drawing` under it. Here is what they share: a finding, and [`isolated`], which keeps a check that panics or hangs from hiding the others.
//! Nothing is changed anywhere but for that picture's file: no store or key is made, and a camera or store that is in use is left alone.

mod box_contents;
mod checks;
mod devices;
mod drawing;
mod machine;
mod people;
mod picture;
mod privacy;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::Duration,
};

use crossbeam::channel::bounded;

pub use checks::{Check, checks, for_a_picture};
pub use picture::Wanted;

/// What a check found out about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It is as it should be, or nothing that anybody has to mend.
    Fine(String),
    /// Visitors will notice it.
    Problem {
        /// What is wrong.
        what: String,
        /// What to do about it.
        cure: String,
    },
}

impl Finding {
    /// Nothing to do.
    pub fn fine(what: impl Into<String>) -> Self {
        Self::Fine(what.into())
    }

    /// Something to do.
    pub fn problem(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::Problem { what: what.into(), cure: cure.into() }
    }

    /// Takes apart an error whose text ends with its cure, as the program's errors do; `otherwise` is the cure of those that have none.
    pub fn of(error: &dyn std::fmt::Display, otherwise: &str) -> Self {
        let text = error.to_string();
        match cure_in(&text) {
            Some(at) => {
                let cure = text[at..].trim_start_matches(['.', ';']).trim();
                Self::problem(text[..at].trim_end(), cure)
            }
            None => Self::problem(text, otherwise),
        }
    }

    /// An error's text without its cure.
    fn what_of(text: &str) -> &str {
        cure_in(text).map_or(text, |at| &text[..at])
    }
}

/// Where the cure begins: behind the first sentence, or else behind the first semicolon, neither within brackets.
fn cure_in(text: &str) -> Option<usize> {
    let mut depth = 0_i32;
    let mut semicolon = None;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            '.' if depth <= 0 && begins_sentence(&text[at + 1..]) => return Some(at),
            ';' if depth <= 0 && text[at + 1..].starts_with(' ') => semicolon = semicolon.or(Some(at)),
            _ => {}
        }
    }
    semicolon
}

fn begins_sentence(rest: &str) -> bool {
    rest.strip_prefix(' ').and_then(|rest| rest.chars().next()).is_some_and(char::is_uppercase)
}

/// Runs a check on a thread of its own. One that panics or takes longer than `limit` becomes a problem of its own, and its thread is left
/// behind: what it waits for may never answer.
pub fn isolated(limit: Duration, check: impl FnOnce() -> Vec<Finding> + Send + 'static) -> Vec<Finding> {
    let (done, finding) = bounded(1);
    let work = move || {
        let findings = catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|_| {
            vec![Finding::problem(
                "the check itself failed",
                "report this with the lines above; the other checks are not affected",
            )]
        });
        // Nobody listens any more when it took too long.
        drop(done.send(findings));
    };
    if let Err(error) = thread::Builder::new().name("doctor".into()).spawn(work) {
        return vec![Finding::problem(
            format!("the system gives no thread: {error}"),
            "stop other programs and run `greeter doctor` again",
        )];
    }
    finding.recv_timeout(limit).unwrap_or_else(|_| {
        let what = format!("no answer after {} s", limit.as_secs());
        vec![Finding::problem(
            what,
            "replug the device or restart the service behind it, then run `greeter doctor` again",
        )]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (String, String) {
        match Finding::of(&text, "call for help") {
            Finding::Problem { what, cure } => (what, cure),
            Finding::Fine(what) => panic!("{what}"),
        }
    }

    fn pair(what: &str, cure: &str) -> (String, String) {
        (what.to_owned(), cure.to_owned())
    }

    #[test]
    fn the_operator_reads_the_problem_and_its_cure_apart() {
        assert_eq!(
            of("no camera at /dev/video0: there is none. Plug it in"),
            pair("no camera at /dev/video0: there is none", "Plug it in")
        );
        assert_eq!(of("silent for 1.5 s; replug it"), pair("silent for 1.5 s", "replug it"));
        assert_eq!(of("no key. Restore it; or sync again"), pair("no key", "Restore it; or sync again"));
        assert_eq!(of("it is broken"), pair("it is broken", "call for help"));
    }

    #[test]
    fn what_stands_in_brackets_is_part_of_the_problem() {
        assert_eq!(
            of("no sound device (it is gone. It may be off.). Plug it in"),
            pair("no sound device (it is gone. It may be off.)", "Plug it in")
        );
    }

    #[test]
    fn a_check_that_panics_or_hangs_is_a_problem_of_its_own() {
        let long = Duration::from_secs(60);
        let panicked = isolated(long, || panic!("as a test must"));
        assert!(matches!(&panicked[..], [Finding::Problem { what, .. }] if what == "the check itself failed"));
        let (never, forever) = bounded::<()>(0);
        let hung = isolated(Duration::ZERO, move || {
            let _ = forever.recv();
            vec![Finding::fine("at last")]
        });
        drop(never);
        assert!(matches!(&hung[..], [Finding::Problem { what, .. }] if what == "no answer after 0 s"));
        assert_eq!(isolated(long, || vec![Finding::fine("here")]), [Finding::fine("here")]);
    }
}
