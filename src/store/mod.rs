//! Taxpayers, photos and templates in an encrypted sled store.
