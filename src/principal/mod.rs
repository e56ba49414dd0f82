//! Step 3: who it is.
//!
//! A [`Principal`] is what a scheme makes of a credential that it verified: a stable [`Subject`],
//! what it was granted ([`Scopes`], [`Roles`]), and whatever came with the credential: an API key's
//! record, a token's claims, the application's own user.

mod accounts;
mod caller;
mod grant;
mod load_user;
mod principal;
mod subject;
#[cfg(feature = "jwt")]
mod token_use;

pub(crate) use accounts::{Accounts, Checked};
#[cfg(feature = "test-util")]
pub(crate) use caller::Assumed;
pub(crate) use caller::{Caller, Mark};
pub use grant::{Role, Roles, Scope, Scopes};
pub(crate) use load_user::{LoadUser, UserLoader};
#[cfg(feature = "jwt")]
pub(crate) use principal::TokenIdentity;
pub use principal::{ClaimsError, Method, Principal, PrincipalBuilder};
pub use subject::Subject;
#[cfg(feature = "jwt")]
pub(crate) use token_use::TokenUse;
