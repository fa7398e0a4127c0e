//! An HTTP client that only says no (see README.md).

/// The only answer there is.
#[derive(Debug)]
pub struct Error;

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("this program does not use the network")
    }
}

impl std::error::Error for Error {}

/// Header names and values that are never sent.
pub mod header {
    /// Headers that are never sent.
    #[derive(Default)]
    pub struct HeaderMap;

    impl HeaderMap {
        /// No headers.
        pub fn new() -> Self {
            Self
        }

        /// Forgets the header.
        pub fn insert(&mut self, _name: HeaderName, _value: HeaderValue) {}
    }

    /// A header's name.
    pub struct HeaderName;

    /// The one header rust-faces sets.
    pub const ACCEPT: HeaderName = HeaderName;

    /// A header's value.
    pub struct HeaderValue;

    impl HeaderValue {
        /// Forgets the value.
        pub fn from_static(_value: &'static str) -> Self {
            Self
        }
    }
}

/// The blocking interface.
pub mod blocking {
    use crate::{Error, header::HeaderMap};

    /// Refuses every request.
    #[derive(Default)]
    pub struct Client;

    impl Client {
        /// A client that refuses.
        pub fn new() -> Self {
            Self
        }

        /// Prepares a request that will be refused.
        pub fn get(&self, _url: &str) -> RequestBuilder {
            RequestBuilder
        }
    }

    /// A request that will be refused.
    pub struct RequestBuilder;

    impl RequestBuilder {
        /// Forgets the headers.
        pub fn headers(self, _headers: HeaderMap) -> Self {
            self
        }

        /// # Errors
        /// Always.
        pub fn send(self) -> Result<Response, Error> {
            Err(Error)
        }
    }

    /// Never made.
    pub struct Response(std::convert::Infallible);

    impl Response {
        /// Never called.
        pub fn status(&self) -> StatusCode {
            match self.0 {}
        }

        /// Never called.
        pub fn copy_to<W: ?Sized>(&mut self, _to: &mut W) -> Result<u64, Error> {
            match self.0 {}
        }
    }

    /// Never made.
    pub struct StatusCode(std::convert::Infallible);

    impl StatusCode {
        /// Never called.
        pub fn is_success(&self) -> bool {
            match self.0 {}
        }
    }
}
