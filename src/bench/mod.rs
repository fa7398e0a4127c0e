//! Measures the program with the program: what `greeter bench` prints and writes as JSON. The keys are kept from version to version.

pub mod figures;
pub mod latency;
pub mod made_up;
pub mod memory;
pub mod staged_camera;
