//! From the roster and the photos of the office to the store.
