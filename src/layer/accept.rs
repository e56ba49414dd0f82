#[cfg(feature = "api-key")]
use crate::issue::KeyIssuer;
#[cfg(feature = "jwt")]
use crate::issue::TokenIssuer;
use crate::realm::Realm;
use crate::scheme::Scheme;
#[cfg(feature = "jwt")]
use crate::scheme::jwt::{Introspection, Jwt};
#[cfg(feature = "basic")]
use crate::users::Basic;
use std::fmt;

/// What a layer can accept: see
/// [`AuthLayerBuilder::accept`](crate::layer::AuthLayerBuilder::accept).
///
/// | from | accepts |
/// |---|---|
/// | `&TokenIssuer` | access and private tokens that the realm issues |
/// | `&KeyIssuer` | its API keys |
/// | `Basic` | names and passwords of the realm's users |
/// | `Jwt` | tokens that others issue |
/// | `Introspection` | opaque tokens that others issue |
/// | a [`Scheme`] | whatever the application verifies itself |
#[must_use]
pub struct Accept(pub(super) Accepted);

pub(super) enum Accepted {
    #[cfg(feature = "jwt")]
    Tokens(TokenIssuer),
    #[cfg(feature = "jwt")]
    Jwt(Box<Jwt>),
    #[cfg(feature = "jwt")]
    Introspection(Box<Introspection>),
    #[cfg(feature = "api-key")]
    Keys(KeyIssuer),
    #[cfg(feature = "basic")]
    Basic(Basic),
    Scheme(Box<dyn Scheme>),
}

impl Accept {
    /// The realm that it belongs to; `None` where it belongs to none.
    pub(super) fn realm(&self) -> Option<&Realm> {
        match &self.0 {
            #[cfg(feature = "jwt")]
            Accepted::Tokens(tokens) => Some(tokens.realm()),
            #[cfg(feature = "jwt")]
            Accepted::Jwt(_) | Accepted::Introspection(_) => None,
            #[cfg(feature = "api-key")]
            Accepted::Keys(keys) => Some(keys.realm()),
            #[cfg(feature = "basic")]
            Accepted::Basic(basic) => Some(basic.realm()),
            Accepted::Scheme(_) => None,
        }
    }
}

#[cfg(feature = "jwt")]
impl From<&TokenIssuer> for Accept {
    fn from(tokens: &TokenIssuer) -> Self {
        Self(Accepted::Tokens(tokens.clone()))
    }
}

#[cfg(feature = "jwt")]
impl From<Jwt> for Accept {
    fn from(jwt: Jwt) -> Self {
        Self(Accepted::Jwt(Box::new(jwt)))
    }
}

#[cfg(feature = "jwt")]
impl From<Introspection> for Accept {
    fn from(introspection: Introspection) -> Self {
        Self(Accepted::Introspection(Box::new(introspection)))
    }
}

#[cfg(feature = "api-key")]
impl From<&KeyIssuer> for Accept {
    fn from(keys: &KeyIssuer) -> Self {
        Self(Accepted::Keys(keys.clone()))
    }
}

#[cfg(feature = "basic")]
impl From<Basic> for Accept {
    fn from(basic: Basic) -> Self {
        Self(Accepted::Basic(basic))
    }
}

impl<S: Scheme> From<S> for Accept {
    fn from(scheme: S) -> Self {
        Self(Accepted::Scheme(Box::new(scheme)))
    }
}

impl fmt::Debug for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            #[cfg(feature = "jwt")]
            Accepted::Tokens(_) => "Tokens",
            #[cfg(feature = "jwt")]
            Accepted::Jwt(_) => "Jwt",
            #[cfg(feature = "jwt")]
            Accepted::Introspection(_) => "Introspection",
            #[cfg(feature = "api-key")]
            Accepted::Keys(_) => "ApiKeys",
            #[cfg(feature = "basic")]
            Accepted::Basic(_) => "Basic",
            Accepted::Scheme(scheme) => scheme.name(),
        };
        f.debug_tuple("Accept").field(&kind).finish()
    }
}
