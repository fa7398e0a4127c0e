//! Measurements on photos of known people.

pub mod thresholds;
