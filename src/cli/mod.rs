//! One file a command: parse, call, print. Decides nothing.

pub mod bench;
