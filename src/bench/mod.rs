//! Measures the program with the program: what `greeter bench` prints and writes as JSON. The keys are kept from version to version.

pub mod dataset;
pub mod degrade;
pub mod figures;
pub mod identify;
pub mod latency;
pub mod quality;
pub mod staged_camera;
