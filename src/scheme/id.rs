use crate::credential::Credential;

/// Which scheme judged a credential, in two bytes: it is part of the mark that a layer leaves in
/// every request it lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SchemeId(u16);

/// The built-in ones, as challenges name them. The application's own follow.
const BUILT_IN: [&str; 4] = ["Bearer", "Api-Key", "Basic", "DPoP"];

impl SchemeId {
    pub(crate) const BEARER: Self = Self(0);
    pub(crate) const API_KEY: Self = Self(1);
    pub(crate) const DPOP: Self = Self(3);

    /// That of a credential, where these are the application's own schemes.
    #[inline]
    pub(crate) fn of(credential: &Credential<'_>, others: &[&'static str]) -> Self {
        match credential {
            Credential::Token(token) if token.source().is_dpop() => Self::DPOP,
            Credential::Token(_) => Self::BEARER,
            Credential::ApiKey(_) => Self::API_KEY,
            Credential::Basic(_) => Self(2),
            Credential::Other(other) => {
                let at = others.iter().position(|name| *name == other.scheme());
                let at = at.unwrap_or(others.len()) + BUILT_IN.len();
                // Of more than 65,531 schemes the last have no name.
                Self(u16::try_from(at).unwrap_or(u16::MAX))
            }
        }
    }

    /// The names of all schemes, where these are the application's own: that of an id is at its
    /// [`index`](Self::index).
    pub(crate) fn names(others: &[&'static str]) -> impl Iterator<Item = &'static str> {
        BUILT_IN.into_iter().chain(others.iter().copied())
    }

    #[inline]
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    pub(crate) fn name(self, others: &[&'static str]) -> Option<&'static str> {
        let at = usize::from(self.0);
        match at.checked_sub(BUILT_IN.len()) {
            None => Some(BUILT_IN[at]),
            Some(at) => others.get(at).copied(),
        }
    }
}
