use crate::attempt::Attempt;
use crate::principal::Principal;
use crate::reject::Rejection;
use std::fmt;
use std::future::ready;
use std::pin::Pin;

/// A way to verify a credential: what an application implements for credentials of its own.
///
/// The built-in ones are [`Jwt`](crate::Jwt), [`ApiKeys`](crate::ApiKeys) and
/// [`Basic`](crate::Basic). An application adds its own under an authentication scheme of its own
/// name:
///
/// ```
/// use tower_auth::credential::Credential;
/// use tower_auth::scheme::{Answer, Attempt, Scheme};
/// use tower_auth::{AuthLayer, Principal, Rejection, RejectionKind, Subject};
///
/// /// `Authorization: Badge 1234`
/// struct Badge;
///
/// impl Scheme for Badge {
///     fn name(&self) -> &'static str {
///         "Badge"
///     }
///
///     fn authenticate(&self, attempt: &Attempt<'_>) -> Answer {
///         match attempt.credential() {
///             Credential::Other(badge) if badge.scheme() == "Badge" => match badge.expose() {
///                 "1234" => Answer::Verified(Principal::builder(Subject::user("anna")).build()),
///                 _ => Answer::Refused(Rejection::new(RejectionKind::InvalidToken, "badge")),
///             },
///             _ => Answer::NotPresented,
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let auth = AuthLayer::builder().accept(Badge).build()?;
/// # let hello = tower::service_fn(async |_: http::Request<()>| {
/// #     Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
/// # });
/// # let service = tower::ServiceBuilder::new().layer(auth).service(hello);
/// # let answer = async |authorization: &str| {
/// #     let request = http::Request::get("/").header("authorization", authorization).body(()).unwrap();
/// #     tower::ServiceExt::oneshot(service.clone(), request).await.unwrap()
/// # };
///
/// // `answer` is that to a request with this field `Authorization`.
/// assert_eq!(answer("Badge 1234").await.status(), 200);
/// let refused = answer("Badge 1235").await;
/// assert_eq!(refused.status(), 401);
/// assert_eq!(refused.headers()["www-authenticate"], r#"Badge realm="api""#);
/// # Ok(())
/// # }
/// ```
///
/// One of them may be named `Bearer`: to look tokens up in a store of sessions, or to ask who
/// issued them (introspection). It gets a
/// [`Credential::Token`](crate::credential::Credential::Token) for the Bearer tokens that no
/// built-in scheme claims: those with the prefix of an API key are claimed, and so are those that
/// have the form of a JWT, where any are accepted as Bearer.
///
/// An endpoint asks once more when the body of a request has come later than its head.
pub trait Scheme: Send + Sync + 'static {
    /// The name of the authentication scheme (RFC 9110 §11.1), as challenges show it: one of its
    /// own, or `Bearer`.
    fn name(&self) -> &'static str;

    /// Judges a credential. A panic, here or in the future, is a 500.
    ///
    /// An [`Answer::Pending`] is an attempt of the address that it comes from until it is there: of
    /// one that had too many that were wrong
    /// ([`AttemptLimits`](crate::throttle::AttemptLimits)) it is not polled, unless the same
    /// credential was good when it was asked about last.
    fn authenticate(&self, attempt: &Attempt<'_>) -> Answer;

    /// What has to be loaded so that requests need not wait for it, for
    /// [`AuthLayer::ready`](crate::AuthLayer::ready); nothing by default. It may be asked again and
    /// again.
    fn ready(&self) -> Option<Readiness> {
        None
    }
}

/// What a scheme says of a credential: none of its business, verified, or refused.
#[non_exhaustive]
pub enum Answer {
    /// It is none of this scheme's business.
    NotPresented,
    /// It is genuine, and this is the caller.
    Verified(Principal),
    /// It is this scheme's business, and it is not accepted. No other scheme is asked.
    Refused(Rejection),
    /// A store or a network has to be asked.
    Pending(PendingAnswer),
}

/// What is loaded when it is done: see [`Scheme::ready`].
pub type Readiness = Pin<Box<dyn Future<Output = Result<(), Rejection>> + Send>>;

/// An answer of a scheme that has to be waited for.
pub type PendingAnswer = Pin<Box<dyn Future<Output = Result<Principal, Rejection>> + Send>>;

impl Answer {
    /// For whoever waits for it in any case.
    pub(crate) fn into_pending(self) -> PendingAnswer {
        let answer = match self {
            Self::Pending(answer) => return answer,
            Self::Verified(principal) => Ok(principal),
            Self::Refused(rejection) => Err(rejection),
            Self::NotPresented => Err(Rejection::missing()),
        };
        Box::pin(ready(answer))
    }
}

impl From<Result<Principal, Rejection>> for Answer {
    fn from(result: Result<Principal, Rejection>) -> Self {
        result.map_or_else(Self::Refused, Self::Verified)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPresented => f.write_str("NotPresented"),
            Self::Verified(principal) => f.debug_tuple("Verified").field(principal).finish(),
            Self::Refused(rejection) => f.debug_tuple("Refused").field(rejection).finish(),
            Self::Pending(_) => f.write_str("Pending(..)"),
        }
    }
}
