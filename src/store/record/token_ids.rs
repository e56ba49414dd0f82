/// The ids by which a token can be revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenIds<'a> {
    /// Its own, `jti`.
    pub token: &'a str,
    /// Its family's, `sid`; a private token has none.
    pub family: Option<&'a str>,
}

impl<'a> TokenIds<'a> {
    /// A token of a family, or of none.
    #[must_use]
    pub fn new(token: &'a str, family: Option<&'a str>) -> Self {
        Self { token, family }
    }
}
