//! What the robot says, and the voices that say it.

mod names;
mod phrase_files;
pub mod phrases;
