//! The threads and the channels between them: the only place that knows both ends.
