//! What the robot says, and the voices that say it.
