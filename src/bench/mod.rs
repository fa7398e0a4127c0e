//! Measures the program with the program: what `greeter bench` prints and writes as JSON. The keys are kept from version to version.

pub mod figures;
pub mod latency;
pub mod made_up;
pub mod memory;
pub mod search;
pub mod search_data;
pub mod search_peers;
pub mod staged_camera;
pub mod temporary;
