//! Which box is whom from frame to frame, and what each visitor has been told. Pure: time is a value.
