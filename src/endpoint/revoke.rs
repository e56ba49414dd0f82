#[cfg(feature = "openapi")]
use super::about::About;
use super::call::Call;
use super::input::Input;
use super::mount::Endpoint;
use super::reply::Reply;
use super::route::{Access, Handler};
use crate::issue::TokenIssuer;
use crate::reject::Rejection;
#[cfg(feature = "openapi")]
use crate::reject::RejectionKind;
use async_trait::async_trait;

/// Ends one token of ours (RFC 7009): `POST` of a form with `token` → 200.
///
/// - An access or private token is refused from now on. A refresh token ends its family, and with
///   it the family's access tokens (§2.1), also after it was rotated or has expired.
/// - A token that is no good anyway is answered alike (§2.2), so nobody learns by it whether one is.
/// - Whoever has a token may end it: nothing else is asked.
///
/// ```text
/// POST /revoke
/// token=eyJ…&token_type_hint=refresh_token       200
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Revoke {
    tokens: TokenIssuer,
}

impl Revoke {
    /// The endpoint that ends tokens of this issuer, and no others.
    pub fn of(tokens: &TokenIssuer) -> Self {
        Self {
            tokens: tokens.clone(),
        }
    }
}

#[async_trait]
impl Handler for Revoke {
    async fn handle(&self, _: &Call, mut input: Input) -> Result<Reply, Rejection> {
        let token = read(&mut input);
        input.check()?;
        self.tokens.revoke(&token).await?;
        Ok(Reply::done())
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("revoke_token", "End a token (RFC 7009)").done();
        let about = about.reading(|input| {
            read(input);
        });
        Some(about.refusing([RejectionKind::Unavailable]))
    }
}

/// The token. What it is said to be changes nothing (RFC 7009 §2.1).
fn read(input: &mut Input) -> String {
    input.ignored("token_type_hint");
    input.text("token")
}

impl From<Revoke> for Endpoint {
    fn from(endpoint: Revoke) -> Self {
        Self::new(move |path, mounting| {
            mounting.uses_tokens(&endpoint.tokens);
            mounting.post_form(path, Access::Anybody, endpoint);
        })
    }
}
