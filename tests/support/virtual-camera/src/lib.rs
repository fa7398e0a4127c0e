//! A V4L2 camera for tests.
