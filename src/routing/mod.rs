//! Which counter a visitor goes to. Pure: time is a value.
