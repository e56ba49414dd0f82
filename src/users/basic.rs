use super::Users;
use crate::config::ConfigProblem;
use crate::realm::Realm;
use crate::scheme::BasicVerifier;
use std::fmt;
use std::sync::Arc;

/// HTTP Basic authentication (RFC 7617) for the users of a realm. Made by [`Users::basic`].
///
/// A password that was verified is remembered for 60 seconds, as a digest under a random key of
/// this process that is bound to the user's name and stored hash: a client that sends Basic with
/// every request costs argon2 once a minute, and a changed password or a disabled account ends that
/// at once.
///
/// ```
/// use tower_auth::store::Memory;
/// use tower_auth::{AuthLayer, NewUser, PasswordPolicy, Realm, Secret};
/// # use base64::Engine;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let users = Realm::new(Memory::new()).users(PasswordPolicy::new());
/// let password = Secret::new(String::from("correct-horse-battery"));
/// users.register(NewUser::new("anna", password)).await?;
/// let auth = AuthLayer::builder().accept(users.basic()).build()?;
/// # let hello = tower::service_fn(async |_: http::Request<()>| {
/// #     Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
/// # });
/// # let service = tower::ServiceBuilder::new().layer(auth).service(hello);
/// # let answer = async |pair: &str| {
/// #     let pair = base64::engine::general_purpose::STANDARD.encode(pair);
/// #     let request = http::Request::get("/").header("authorization", format!("Basic {pair}"));
/// #     tower::ServiceExt::oneshot(service.clone(), request.body(()).unwrap()).await.unwrap()
/// # };
///
/// // `answer` is that to a request with `Authorization: Basic`, and this in base64.
/// assert_eq!(answer("anna:correct-horse-battery").await.status(), 200);
///
/// let refused = answer("anna:wrong").await;
/// assert_eq!(refused.status(), 401);
/// assert_eq!(refused.headers()["www-authenticate"], r#"Basic realm="api", charset="UTF-8""#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Basic {
    users: Users,
}

impl Users {
    /// Basic with the names and passwords of these users, for a layer to accept.
    pub fn basic(&self) -> Basic {
        Basic {
            users: self.clone(),
        }
    }
}

impl Basic {
    pub(crate) fn realm(&self) -> &Realm {
        self.users.realm()
    }

    pub(crate) fn verifier(&self) -> Result<BasicVerifier, ConfigProblem> {
        match self.users.judge() {
            Ok(judge) => Ok(BasicVerifier::new(
                judge,
                Arc::clone(self.realm().remembered()),
            )),
            Err(_) => Err(ConfigProblem::NoStore("users")),
        }
    }
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic").finish_non_exhaustive()
    }
}
