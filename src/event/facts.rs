use crate::principal::Principal;
use http::{HeaderValue, Method};
use std::net::IpAddr;

/// What is known of a request, for whoever is told of what happens in it. Each is looked up when it
/// is asked for.
pub(crate) trait Facts {
    /// Who was verified.
    fn principal(&self) -> Option<&Principal>;

    /// The scheme that judged its credential.
    fn scheme(&self) -> Option<&'static str>;

    fn peer(&self) -> Option<IpAddr>;

    fn method(&self) -> Option<&Method>;

    /// The pattern of its route, never its path.
    fn route(&self) -> Option<&str>;

    /// What a layer outside of this one, a proxy or the client calls it.
    fn request_id(&self) -> Option<&HeaderValue>;
}
