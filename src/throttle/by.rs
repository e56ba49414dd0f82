//! By what a rule counts.

use super::call::Call;
use crate::address::Addresses;
use crate::principal::{Method, Principal};
use crate::reject::{Rejection, RejectionKind};
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What a caller is counted by.
#[derive(Clone)]
pub(crate) enum By {
    Principal,
    ApiKey,
    User,
    Tenant(Box<str>),
    Address,
    Function(Arc<Function>),
}

type Function = dyn for<'r> Fn(&Call<'r>) -> Option<Cow<'r, [u8]>> + Send + Sync;

impl By {
    /// The name of a rule that was given none.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Principal => "principal",
            Self::ApiKey => "key",
            Self::User => "user",
            Self::Tenant(_) => "tenant",
            Self::Address => "address",
            Self::Function(_) => "function",
        }
    }

    /// Whether it counts verified callers alone, or at all.
    pub(super) fn is_about_callers(&self) -> bool {
        match self {
            Self::Principal | Self::ApiKey | Self::User | Self::Tenant(_) => true,
            Self::Address | Self::Function(_) => false,
        }
    }

    /// The id of a user of ours, where users are who is counted: by far the commonest, with the
    /// least to hash.
    #[inline]
    pub(crate) fn our_user<'r>(&self, call: &Call<'r>) -> Option<&'r [u8]> {
        let principal = call
            .principal()
            .filter(|_| matches!(self, Self::Principal))?;
        let is_ours = principal.other_issuer().is_none() && principal.subject().kind() == "user";
        is_ours.then(|| principal.subject().id().as_bytes())
    }

    /// For all others: hands over the parts of the key and a letter that says what they are, so
    /// that no two kinds meet; `None` where the rule does not concern the request.
    pub(crate) fn parts<T>(
        &self,
        call: &Call<'_>,
        addresses: &Addresses,
        hand_over: impl FnOnce(u8, &[&[u8]]) -> T,
    ) -> Result<Option<T>, Rejection> {
        let Some(principal) = call.principal() else {
            return match self {
                Self::Function(function) => by_function(&**function, call, hand_over),
                // An anonymous request names nobody, so it is counted by its address.
                Self::Principal | Self::Address => by_address(call, addresses, hand_over).map(Some),
                Self::ApiKey | Self::User | Self::Tenant(_) => Ok(None),
            };
        };
        let subject = principal.subject();
        let id = subject.id().as_bytes();
        Ok(match self {
            Self::Principal => {
                // A subject is unique within its issuer only (RFC 7519 §4.1.2). Our own tokens name
                // the users that keys belong to, so both have no issuer here and count together.
                let issuer = principal.other_issuer().unwrap_or_default();
                Some(hand_over(
                    b'p',
                    &[issuer.as_bytes(), subject.kind().as_bytes(), id],
                ))
            }
            Self::User if subject.kind() == "user" => Some(hand_over(b'u', &[id])),
            Self::User => None,
            Self::ApiKey => principal
                .key()
                // The lineage and not the id: rotating a key must not renew its limit.
                .map(|record| hand_over(b'k', &[record.lineage().as_bytes()])),
            Self::Tenant(member) => {
                tenant(principal, member).map(|tenant| hand_over(b't', &[tenant.as_bytes()]))
            }
            Self::Address => Some(by_address(call, addresses, hand_over)?),
            Self::Function(function) => by_function(&**function, call, hand_over)?,
        })
    }
}

/// A text or a number among a key's metadata or a token's claims.
fn tenant(principal: &Principal, member: &str) -> Option<String> {
    let mut object: serde_json::Map<String, serde_json::Value> = match principal.method() {
        Method::ApiKey => principal.key()?.metadata()?,
        _ => principal.claims().ok()?,
    };
    match object.remove(member)? {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn by_address<T>(
    call: &Call<'_>,
    addresses: &Addresses,
    hand_over: impl FnOnce(u8, &[&[u8]]) -> T,
) -> Result<T, Rejection> {
    let address = call.address().ok_or_else(no_address)?;
    Ok(match addresses.source(address) {
        IpAddr::V4(address) => hand_over(b'4', &[&address.octets()]),
        IpAddr::V6(address) => hand_over(b'6', &[&address.octets()]),
    })
}

/// A mistake of the program: had the rule been skipped, it would have protected nothing without
/// anybody's knowing.
fn no_address() -> Rejection {
    Rejection::new(
        RejectionKind::Failed,
        "a throttle needs the peer's address: serve with connect info, or insert a Peer",
    )
}

fn by_function<T>(
    function: &Function,
    call: &Call<'_>,
    hand_over: impl FnOnce(u8, &[&[u8]]) -> T,
) -> Result<Option<T>, Rejection> {
    let key = hook(|| function(call))?;
    Ok(key.map(|key| hand_over(b'f', &[&key])))
}

/// Calls a function of the application's own; 500 when it panics.
pub(crate) fn hook<T>(call: impl FnOnce() -> T) -> Result<T, Rejection> {
    let called = catch_unwind(AssertUnwindSafe(call));
    called.map_err(|_| Rejection::new(RejectionKind::Failed, "a throttle's function panicked"))
}

impl fmt::Debug for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
