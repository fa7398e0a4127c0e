//! The configuration, the disk and the clock.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::Finding;
use crate::config::ConfigError;

/// A store grows with each sync, and a full disk stops syncs.
const LEAST_FREE: u64 = 1 << 30;
/// Earlier than this program: the clock was never set.
const FIRST_YEAR: i16 = 2026;
const LAST_YEAR: i16 = 2060;

/// Which file it is.
pub fn configuration(file: Option<PathBuf>) -> Vec<Finding> {
    vec![Finding::fine(match file {
        Some(file) => format!("{}", file.display()),
        None => "no greeter.toml here and none in /etc/greeter: the defaults hold".into(),
    })]
}

/// It cannot be used; the other checks look at the defaults.
pub fn bad_configuration(error: &ConfigError) -> Finding {
    let correct = "correct that line; `greeter config explain` says what each key means. The checks below go on with the defaults";
    // An unknown key's cure is a question, which the operator should read as it stands.
    Finding::problem(error.to_string(), correct)
}

/// Room where the store is, or will be.
pub fn disk(store: &Path) -> Vec<Finding> {
    let there = store.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    let free = match rustix::fs::statvfs(there) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
        Err(error) => {
            return vec![Finding::problem(
                format!("{}: {error}", there.display()),
                "check the disk, or `store.folder`",
            )];
        }
    };
    let room = format!("{:.1} GB free in {}", free as f64 / 1e9, there.display());
    vec![if free >= LEAST_FREE {
        Finding::fine(room)
    } else {
        Finding::problem(room, "free some space: below 1 GB a sync may not fit")
    }]
}

/// Greetings name the time of day, and counters have hours.
pub fn clock() -> Vec<Finding> {
    let now = jiff::ZonedDateTime::now();
    let zone = zone_is_set(now.time_zone().iana_name());
    vec![of_clock(now.year(), zone, &now.strftime("%Y-%m-%d %H:%M %Z").to_string())]
}

fn of_clock(year: i16, zone_known: bool, now: &str) -> Finding {
    if !(FIRST_YEAR..=LAST_YEAR).contains(&year) {
        return Finding::problem(format!("the clock says {now}"), "set it: sudo timedatectl set-ntp true");
    }
    if !zone_known {
        let what =
            format!("the clock says {now}, and no time zone is set: greetings and opening hours may be hours off");
        return Finding::problem(what, "sudo timedatectl set-timezone Asia/Shanghai, or wherever the robot stands");
    }
    Finding::fine(now)
}

/// A machine that is in the zone UTC on purpose says so in /etc/localtime or TZ; one that was never told has neither.
fn zone_is_set(name: Option<&str>) -> bool {
    let told =
        fs::symlink_metadata("/etc/localtime").is_ok() || std::env::var_os("TZ").is_some_and(|zone| !zone.is_empty());
    told && name != Some("Etc/Unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_never_set_is_noticed() {
        assert!(
            matches!(of_clock(1970, true, "1970-01-01"), Finding::Problem { cure, .. } if cure.contains("set-ntp"))
        );
        assert!(
            matches!(of_clock(2030, false, "2030-01-01"), Finding::Problem { cure, .. } if cure.contains("set-timezone"))
        );
        assert_eq!(of_clock(2030, true, "2030-01-01 09:00 CST"), Finding::fine("2030-01-01 09:00 CST"));
    }

    #[test]
    fn the_disk_of_a_store_that_is_not_made_yet_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let findings = disk(&folder.path().join("deep/store"));
        let (Finding::Fine(what) | Finding::Problem { what, .. }) = &findings[0];
        assert!(what.ends_with(&format!("free in {}", folder.path().display())), "{what}");
    }
}
