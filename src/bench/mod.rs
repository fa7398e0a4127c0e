//! Measures the program with the program: what `greeter bench` prints and writes as JSON. The keys are kept from version to version.

pub mod cast;
pub mod company;
pub mod crowd;
pub mod dataset;
pub mod degrade;
pub mod figures;
pub mod finding;
pub mod identify;
pub mod latency;
pub mod made_up;
pub mod memory;
pub mod pinned;
pub mod quality;
pub mod search;
pub mod search_data;
pub mod search_peers;
pub mod spread;
pub mod staged_camera;
pub mod sway;
pub mod temporary;
pub mod vision;
pub mod vision_peer;
pub mod visits;
pub mod voice;
