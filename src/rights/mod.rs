//! What a person may ask of the office, and what the office can prove.

pub mod access;
pub mod export;
pub mod objections;
pub mod receipt;
