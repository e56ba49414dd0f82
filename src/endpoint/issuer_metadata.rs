#[cfg(feature = "openapi")]
use super::about::About;
use super::call::Call;
use super::input::Input;
use super::mount::Endpoint;
use super::reply::{METADATA_FOR, Reply};
use super::route::{Access, Handler};
use crate::config::{ConfigProblem, is_http_url};
#[cfg(feature = "openapi")]
use crate::integration::schema_of;
use crate::issue::TokenIssuer;
use crate::reject::Rejection;
use async_trait::async_trait;
use serde_json::{Value, json};

/// Who issues our tokens and where its keys are: `GET` → `issuer` and `jwks_uri`, so that other
/// services verify them by the issuer's name alone (RFC 8414 §2, OpenID Connect Discovery 1.0 §3).
///
/// - The issuer is an `http` or `https` URL without a query and without a fragment: others make the
///   URL of this document of it, and compare it with the one that stands there.
/// - It is mounted where they look: `/.well-known/openid-configuration` below the issuer's own
///   path, and `/.well-known/oauth-authorization-server`, which stands before that path (RFC 8414
///   §3.1).
/// - It says that there are no grant types and no response types: nobody is sent to a page to
///   sign in here, and the endpoints by which tokens are got are the application's own.
///
/// [`Jwks`](super::Jwks) has an example with both.
#[derive(Clone, Debug)]
#[must_use]
pub struct IssuerMetadata {
    tokens: TokenIssuer,
    jwks_uri: Option<String>,
}

impl IssuerMetadata {
    /// Of the issuer of these tokens, whose keys are at `/.well-known/jwks.json` below it.
    pub fn of(tokens: &TokenIssuer) -> Self {
        Self {
            tokens: tokens.clone(),
            jwks_uri: None,
        }
    }

    /// The absolute URL of its keys, where they are somewhere else.
    pub fn jwks_uri(mut self, url: impl Into<String>) -> Self {
        self.jwks_uri = Some(url.into());
        self
    }

    fn document(&self) -> Result<Value, Rejection> {
        let issuer = self.tokens.issuer()?;
        let jwks_uri = match &self.jwks_uri {
            Some(url) => url.clone(),
            None => format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/')),
        };
        // Both lists are empty on purpose. The first one is required, and where the second is left
        // out it stands for two grant types which there are not here (RFC 8414 §2).
        Ok(json!({
            "issuer": issuer,
            "jwks_uri": jwks_uri,
            "response_types_supported": [],
            "grant_types_supported": [],
        }))
    }

    fn problem(&self) -> Option<ConfigProblem> {
        // Where the issuer itself is misconfigured, that is told by the tokens.
        let issuer = self.tokens.issuer().ok()?;
        let is_url = is_http_url(issuer) && !issuer.contains('?');
        let has_keys = self.jwks_uri.as_deref().is_none_or(is_http_url);
        if is_url && has_keys {
            None
        } else {
            Some(ConfigProblem::IssuerUrl)
        }
    }
}

#[async_trait]
impl Handler for IssuerMetadata {
    async fn handle(&self, call: &Call, _: Input) -> Result<Reply, Rejection> {
        let json = self.document()?.to_string().into_bytes();
        Reply::public(call, json, METADATA_FOR)
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("issuer_metadata", "Metadata of the issuer");
        let document = self.document().unwrap_or_default();
        Some(about.public(schema_of(&[&document])))
    }
}

impl From<IssuerMetadata> for Endpoint {
    fn from(endpoint: IssuerMetadata) -> Self {
        Self::new(move |path, mounting| {
            mounting.uses_tokens(&endpoint.tokens);
            mounting.problems.extend(endpoint.problem());
            mounting.get(path, Access::Anybody, endpoint);
        })
    }
}
