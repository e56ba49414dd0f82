use super::{FieldError, LimitFields, RejectionKind};
use crate::chain::write_chain;
use crate::principal::Scope;
use http::{HeaderValue, StatusCode};
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Why a request was refused: its kind, which is for the client, and the reason, which is for the
/// log.
///
/// The client learns the [`kind`](Self::kind), or less: a token that is expired or revoked answers
/// like any other bad token, unless the error format is [`Coded`](crate::format::Coded). Logs learn
/// the [`reason`](Self::reason) and the source.
///
/// A handler can return one: the layer around it renders it in the layer's own format, and where
/// there is no layer it is an RFC 9457 problem.
///
/// ```
/// use axum::{Router, body::Body, routing::get};
/// use http::Request;
/// use tower::ServiceExt;
/// use tower_auth::test_util::SignedIn;
/// use tower_auth::{Principal, Rejection, Subject};
///
/// async fn report(caller: Principal) -> Result<&'static str, Rejection> {
///     if *caller.subject() != Subject::user("7") {
///         return Err(Rejection::permission_denied("another's report"));
///     }
///     Ok("the report of 7")
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let answer = async |id: &str| {
///     let caller = SignedIn::new(Principal::builder(Subject::user(id)).build());
///     let app = Router::new().route("/", get(report)).layer(caller);
///     app.oneshot(Request::new(Body::empty())).await.unwrap()
/// };
/// assert_eq!(answer("7").await.status(), 200);
///
/// let refused = answer("8").await;
/// assert_eq!(refused.status(), 403);
/// let body = axum::body::to_bytes(refused.into_body(), 1024).await?;
/// assert!(!body.windows(7).any(|text| text == b"another")); // the reason is for logs
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Rejection {
    pub(super) kind: RejectionKind,
    pub(super) presented: Presented,
    reason: &'static str,
    /// Only what few refusals have, so that the common ones allocate nothing.
    pub(super) details: Option<Arc<Details>>,
}

#[derive(Default)]
pub(super) struct Details {
    scopes: Vec<Scope>,
    retry_after: Option<Duration>,
    expired_at: Option<SystemTime>,
    fields: Vec<FieldError>,
    quota: Option<LimitFields>,
    nonce: Option<HeaderValue>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// In what form a credential came, as far as the challenge depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presented {
    /// `Authorization: Bearer`: its challenge gets an `error` (RFC 6750 §3.1).
    Bearer,
    /// `Authorization: DPoP`: likewise (RFC 9449 §7.1).
    Dpop,
    /// Another form, or nothing.
    Other,
}

impl Rejection {
    /// A refusal of that kind; `reason` is for logs, in fixed words, and never reaches the client.
    #[must_use]
    pub fn new(kind: RejectionKind, reason: &'static str) -> Self {
        Self {
            kind,
            presented: Presented::Other,
            reason,
            details: None,
        }
    }

    /// 403 for want of these scopes (RFC 6750 §3.1, `insufficient_scope`).
    #[must_use]
    pub fn insufficient_scope(scopes: impl IntoIterator<Item = Scope>) -> Self {
        let scopes = scopes.into_iter().collect();
        Self::new(RejectionKind::InsufficientScope, "scope").with(Details {
            scopes,
            ..Details::default()
        })
    }

    /// 403 without a reason that the client could act upon.
    #[must_use]
    pub fn permission_denied(reason: &'static str) -> Self {
        Self::new(RejectionKind::PermissionDenied, reason)
    }

    /// That nothing was presented where a credential is needed.
    #[inline]
    pub(crate) fn missing() -> Self {
        Self::new(RejectionKind::MissingCredential, "none")
    }

    /// 429; the client may try again after this time.
    #[must_use]
    pub fn throttled(retry_after: Duration) -> Self {
        Self::new(RejectionKind::Throttled, "throttled").with(Details {
            retry_after: Some(retry_after),
            ..Details::default()
        })
    }

    /// What the caller is told of the limits that were met.
    pub(crate) fn with_quota(self, fields: Option<LimitFields>) -> Self {
        let details = Details {
            // `with` puts new details in the place of the old ones, of which this is the one to be
            // kept.
            retry_after: self.retry_after(),
            quota: fields,
            ..Details::default()
        };
        self.with(details)
    }

    /// 503: what the answer depends on cannot be reached. The source is for logs.
    #[must_use]
    pub fn unavailable(
        reason: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::new(RejectionKind::Unavailable, reason).with(Details {
            source: Some(source.into()),
            ..Details::default()
        })
    }

    /// The same, where it is known how long that will last.
    #[cfg(feature = "jwt")]
    pub(crate) fn unavailable_for(
        reason: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
        retry_after: Duration,
    ) -> Self {
        Self::new(RejectionKind::Unavailable, reason).with(Details {
            source: Some(source.into()),
            retry_after: Some(retry_after),
            ..Details::default()
        })
    }

    /// 500: the application was set up in a way that makes the answer impossible. The source, for
    /// logs, says in which.
    #[cfg(any(feature = "jwt", feature = "api-key", feature = "basic"))]
    pub(crate) fn misconfigured(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(RejectionKind::Failed, "misconfigured").with(Details {
            source: Some(source.into()),
            ..Details::default()
        })
    }

    /// 401: a proof has to say this nonce (RFC 9449 §9).
    #[cfg(feature = "jwt")]
    pub(crate) fn nonce_required(nonce: String) -> Self {
        Self::new(RejectionKind::NonceRequired, "nonce").with(Details {
            nonce: HeaderValue::try_from(nonce).ok(),
            ..Details::default()
        })
    }

    /// 400: these fields of a body are missing or wrong.
    #[must_use]
    pub fn invalid(fields: impl IntoIterator<Item = FieldError>) -> Self {
        let fields = fields.into_iter().collect();
        Self::new(RejectionKind::InvalidInput, "field").with(Details {
            fields,
            ..Details::default()
        })
    }

    /// A genuine token that expired at that time.
    #[cfg(feature = "jwt")]
    pub(crate) fn expired_token(at: SystemTime) -> Self {
        Self::new(RejectionKind::ExpiredToken, "exp").with(Details {
            expired_at: Some(at),
            ..Details::default()
        })
    }

    fn with(mut self, details: Details) -> Self {
        self.details = Some(Arc::new(details));
        self
    }

    pub(crate) fn presented(mut self, presented: Presented) -> Self {
        self.presented = presented;
        self
    }

    pub(crate) fn was_presented(&self) -> Presented {
        self.presented
    }

    /// What kind of refusal.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        self.kind
    }

    /// The HTTP status it is answered with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.kind.status()
    }

    /// What exactly was wrong, in a fixed word or two, for logs and metrics only.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// The scopes that were missing ([`RejectionKind::InsufficientScope`]).
    #[must_use]
    pub fn missing_scopes(&self) -> &[Scope] {
        self.details.as_ref().map_or(&[], |details| &details.scopes)
    }

    /// What is wrong with which field ([`RejectionKind::InvalidInput`]); empty where the body as a
    /// whole could not be read.
    #[must_use]
    pub fn fields(&self) -> &[FieldError] {
        self.details.as_ref().map_or(&[], |details| &details.fields)
    }

    /// When to try again, where that is known; answered as `Retry-After` in whole seconds, rounded
    /// up.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.details
            .as_ref()
            .and_then(|details| details.retry_after)
    }

    /// `Retry-After`: whole seconds, rounded up, at least 1, so that a client that waits as told is
    /// never early.
    pub(crate) fn retry_after_seconds(&self) -> Option<u64> {
        match (self.retry_after(), self.kind) {
            (Some(wait), _) => Some(
                wait.as_secs()
                    .saturating_add(u64::from(wait.subsec_nanos() > 0))
                    .max(1),
            ),
            (None, RejectionKind::Unavailable | RejectionKind::Throttled) => Some(1),
            (None, _) => None,
        }
    }

    pub(crate) fn quota(&self) -> Option<&LimitFields> {
        self.details
            .as_ref()
            .and_then(|details| details.quota.as_ref())
    }

    /// The nonce that a proof has to say.
    pub(super) fn nonce(&self) -> Option<&HeaderValue> {
        self.details.as_ref()?.nonce.as_ref()
    }

    /// When a genuine token expired ([`RejectionKind::ExpiredToken`]).
    #[must_use]
    pub fn expired_at(&self) -> Option<SystemTime> {
        self.details.as_ref().and_then(|details| details.expired_at)
    }

    /// What a client gets to see that must not tell a forged token from an expired or a revoked
    /// one.
    pub(super) fn masked(&self) -> Cow<'_, Self> {
        match self.kind {
            RejectionKind::ExpiredToken | RejectionKind::RevokedToken => {
                // Made anew, so that nothing of the former goes along: `expired_at` would tell that
                // the token was genuine.
                Cow::Owned(Self::new(RejectionKind::InvalidToken, "").presented(self.presented))
            }
            _ => Cow::Borrowed(self),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.detail())
    }
}

/// The kind, the reason and all sources: it is what a `main` prints that returns it.
impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)?;
        if !self.reason.is_empty() {
            write!(f, " ({})", self.reason)?;
        }
        f.write_str(": ")?;
        write_chain(self, f)
    }
}

impl Error for Rejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.details.as_ref()?.source.as_deref()?;
        Some(source)
    }
}
