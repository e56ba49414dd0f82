use crate::credential::{Sender, Source};

/// How a token was presented.
pub(in crate::scheme::jwt) struct Presentation<'a> {
    pub(in crate::scheme::jwt) token: &'a [u8],
    pub(in crate::scheme::jwt) source: &'a Source,
    pub(in crate::scheme::jwt) sender: Option<&'a Sender>,
}
