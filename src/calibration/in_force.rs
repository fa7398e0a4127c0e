//! Which thresholds hold: the operator's own score, else the hall's calibration, else the shipped table.

use std::path::Path;

use serde::{Serialize, Serializer};

use super::file::Calibration;
use crate::face::manifest::Thresholds;

/// Asked of a visitor where the pack has no measured threshold: so much that hardly anybody is named.
pub const UNMEASURED: f32 = 0.85;

/// Where the score that is demanded comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreSource {
    /// `decision.min_score_to_name`.
    Configured,
    /// `greeter calibrate`, on this many people.
    Calibrated {
        /// Enrolled when it ran.
        people: usize,
        /// When.
        on: jiff::civil::Date,
    },
    /// models.toml.
    Shipped,
    /// Nothing was measured for this recogniser.
    Unmeasured,
}

impl ScoreSource {
    /// In one word, for events.
    pub fn word(self) -> &'static str {
        match self {
            Self::Configured => "configured",
            Self::Calibrated { .. } => "calibrated",
            Self::Shipped => "shipped",
            Self::Unmeasured => "unmeasured",
        }
    }
}

impl Serialize for ScoreSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl std::fmt::Display for ScoreSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Configured => write!(f, "set in greeter.toml"),
            Self::Calibrated { people, on } => write!(f, "calibrated on {people} people on {on}"),
            Self::Shipped => write!(f, "shipped; `greeter calibrate` finds this hall's own"),
            Self::Unmeasured => write!(f, "not measured for this recogniser: hardly anybody will be named"),
        }
    }
}

/// The thresholds that hold.
#[derive(Debug, Clone)]
pub struct InForce {
    configured: f32,
    calibrated: Option<Calibration>,
    thresholds: Option<Thresholds>,
}

impl InForce {
    /// Looks for the calibration beside `store`. One of another recogniser, or one that cannot be used, is passed over; `doctor` says so,
    /// and the log does. `configured`: `decision.min_score_to_name`, 0 for none; `shipped`: the recogniser's table.
    pub fn find(store: &Path, configured: f32, shipped: Option<&Thresholds>, recogniser: &str) -> Self {
        let calibrated = Calibration::load(store).unwrap_or_else(|error| {
            tracing::error!("{error}");
            None
        });
        let calibrated = calibrated.filter(|found| found.recogniser == recogniser);
        let thresholds = calibrated.as_ref().map(Calibration::thresholds).or_else(|| shipped.cloned());
        Self { configured, calibrated, thresholds }
    }

    /// From which score a visitor may be named among so many people.
    pub fn min_score(&self, people: usize) -> f32 {
        let measured = self.thresholds.as_ref().and_then(|thresholds| thresholds.min_score(people));
        if self.configured > 0.0 { self.configured } else { measured.unwrap_or(UNMEASURED) }
    }

    /// Where that score comes from.
    pub fn source(&self) -> ScoreSource {
        match (&self.calibrated, &self.thresholds) {
            _ if self.configured > 0.0 => ScoreSource::Configured,
            (Some(found), _) => ScoreSource::Calibrated { people: found.people, on: found.made.date() },
            (None, Some(_)) => ScoreSource::Shipped,
            (None, None) => ScoreSource::Unmeasured,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{calibration::file::tests::calibration, face::manifest::Manifest};

    fn manifest() -> Manifest {
        Manifest::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models")).unwrap()
    }

    #[test]
    fn the_operators_own_score_beats_the_halls_and_the_halls_beats_the_shipped_one() {
        let (folder, manifest) = (tempfile::tempdir().unwrap(), manifest());
        let store = folder.path().join("store");
        let find = |configured| {
            InForce::find(
                &store,
                configured,
                manifest.thresholds.get("mobilefacenet-192-whitened"),
                "mobilefacenet-192-whitened",
            )
        };
        let shipped = find(0.0);
        assert_eq!(
            (shipped.source().word(), Some(shipped.min_score(500))),
            ("shipped", manifest.thresholds["mobilefacenet-192-whitened"].min_score(500))
        );
        calibration(0.5).write(&store).unwrap();
        let own = find(0.0);
        assert_eq!((own.source().word(), own.min_score(2), own.min_score(100_000)), ("calibrated", 0.5, 0.7));
        assert_eq!(own.source().to_string(), "calibrated on 5000 people on 2026-11-25");
        // Between calibrations it follows the gallery as people come and go.
        assert!(own.min_score(500) > own.min_score(400) && own.min_score(400) > 0.5);
        let configured = find(0.66);
        assert_eq!((configured.source().word(), configured.min_score(500)), ("configured", 0.66));
    }

    #[test]
    fn a_calibration_of_another_recogniser_or_a_spoilt_one_holds_for_nobody() {
        let (folder, manifest) = (tempfile::tempdir().unwrap(), manifest());
        let store = folder.path().join("store");
        calibration(0.5).write(&store).unwrap();
        let name = "mobilefacenet-128-whitened";
        let other = InForce::find(&store, 0.0, manifest.thresholds.get(name), name);
        assert_eq!(other.source(), ScoreSource::Shipped);
        let unknown = InForce::find(&store, 0.0, None, "a-new-one");
        assert_eq!((unknown.source(), unknown.min_score(10)), (ScoreSource::Unmeasured, UNMEASURED));
        std::fs::write(crate::calibration::file::path(&store), "scores = []").unwrap();
        assert_eq!(
            InForce::find(
                &store,
                0.0,
                manifest.thresholds.get("mobilefacenet-192-whitened"),
                "mobilefacenet-192-whitened"
            )
            .source(),
            ScoreSource::Shipped
        );
    }
}
