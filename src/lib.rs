//! `greeter`: the control program of a tax-bureau greeting robot.
//!
//! A visit flows one way through the modules:
//! `camera -> face -> visit -> gallery -> (greeting | routing) -> journal`, and `pipeline` is the only one that knows both ends.
//! `docs/architecture.md` draws the map and says what must not know what.

pub mod backup;
pub mod bench;
pub mod calibration;
pub mod camera;
pub mod cli;
pub mod config;
pub mod disk;
pub mod doctor;
pub mod face;
pub mod gallery;
pub mod greeting;
pub mod hold;
pub mod installation;
pub mod journal;
pub mod keys;
pub mod models;
pub mod person;
pub mod pipeline;
pub mod reindex;
pub mod rights;
pub mod roll;
pub mod routing;
pub mod store;
pub mod sync;
pub mod visit;
