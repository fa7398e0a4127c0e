//! What a person may ask of the office, and what the office can prove.

pub mod access;
pub mod clock;
pub mod export;
pub mod filing;
pub mod forgetting;
pub mod objections;
pub mod receipt;
pub mod retention;
mod stay_file;
