//! Which box is whom from frame to frame, and what each visitor has been told.
//!
//! Pure: time is a value, nothing here knows a camera, a voice or the store.

pub mod cool_down;
pub mod encounter;
pub mod hall;
pub mod tracker;
pub mod views;
