//! All templates in memory, exact search, and the decision who a visitor is.
