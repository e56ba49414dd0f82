//! Step 3: who it is.
//!
//! A [`Principal`] is what a scheme makes of a credential that it verified: a stable [`Subject`], what it was
//! granted ([`Scopes`], [`Roles`]), and whatever came with the credential: an API key's record, a token's
//! claims, the application's own user.

mod caller;
mod grant;
mod principal;
mod subject;

pub(crate) use caller::Caller;
pub use grant::{Role, Roles, Scope, Scopes};
pub(crate) use principal::TokenIdentity;
pub use principal::{ClaimsError, Method, Principal, PrincipalBuilder};
pub use subject::Subject;
