use super::operations::operations;
use crate::credential::{Accepted, Place, Source};
use crate::layer::auth_layer::AuthLayer;
use crate::pipeline::Mode;
use std::collections::BTreeMap;
use std::fmt;
use utoipa::Modify;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, OpenApi};

/// What the scheme is called that stands for all in one header.
const ONE_HEADER: &str = "authorization";

/// What a layer accepts, as the security schemes of an OpenAPI document. Made by
/// [`AuthLayer::security_schemes`](crate::AuthLayer::security_schemes).
///
/// ```text
/// Bearer               bearerAuth      type http, scheme bearer
/// Api-Key              apiKeyAuth      type apiKey, in header Authorization
/// a header NAME        NAMEHeader      type apiKey, in header
/// a cookie NAME        NAMECookie      type apiKey, in cookie
/// a parameter NAME     NAMEQuery       type apiKey, in query
/// a protocol NAME.…    NAMEProtocol    type apiKey, in header Sec-WebSocket-Protocol
/// Basic                basicAuth       type http, scheme basic; passwords, and keys
/// one's own            NAMEAuth        type apiKey, in header Authorization
/// ```
///
/// [`one_header`](Self::one_header) makes them a single `apiKey` scheme in the header
/// `Authorization`, for pages on which a person types `Bearer …` or `Api-Key …`: an `http` scheme
/// would put another `Bearer` before it.
///
/// Each is an alternative for the document as a whole; an operation says otherwise for itself, as
/// those of [`Endpoints`](crate::endpoint::Endpoints) do and those that a layer has
/// [described](AuthLayer#impl-Modify-for-AuthLayer). This comes last, so that `one_header` finds
/// what they name.
///
/// ```
/// use tower_auth::store::Memory;
/// use tower_auth::{ApiKeys, AuthLayer, Realm};
/// use utoipa::{Modify, openapi::OpenApi};
///
/// let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
/// let auth = AuthLayer::builder().accept(&keys).build()?;
/// let mut document = OpenApi::default();
/// auth.security_schemes().one_header().modify(&mut document);
/// let document = serde_json::to_value(document).unwrap();
/// let scheme = &document["components"]["securitySchemes"]["authorization"];
/// assert_eq!(scheme["type"], "apiKey");
/// assert_eq!(scheme["in"], "header");
/// assert_eq!(scheme["name"], "Authorization");
/// # Ok::<(), tower_auth::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct SecuritySchemes {
    schemes: Vec<(String, SecurityScheme)>,
    /// What may stand in the header `Authorization`.
    forms: Vec<String>,
    mode: Mode,
    /// The names of the schemes for which the only one stands.
    replaced: Vec<String>,
}

impl AuthLayer {
    /// What it accepts, for an OpenAPI document.
    pub fn security_schemes(&self) -> SecuritySchemes {
        SecuritySchemes::of(self.pipeline().reader.accepted(), self.gate().mode())
    }
}

impl SecuritySchemes {
    fn of(accepted: &Accepted, mode: Mode) -> Self {
        let mut all = Self {
            schemes: Vec::new(),
            forms: Vec::new(),
            mode,
            replaced: Vec::new(),
        };
        // What is typed most comes first: the description of `one_header` lists the forms in this
        // order.
        let mut sources = accepted.sources();
        sources.sort_by_key(|source| !matches!(source.place(), Place::Bearer));
        for source in &sources {
            all.add_source(source.place(), accepted);
        }
        if accepted.reads_basic() {
            all.add("basicAuth", basic(accepted), "Basic …");
        }
        for name in &accepted.others {
            let form = format!("{name} …");
            all.add(
                &format!("{name}Auth"),
                authorization(std::slice::from_ref(&form)),
                &form,
            );
        }
        all
    }

    /// What the schemes of a layer are called.
    pub(crate) fn names(layer: &AuthLayer) -> Vec<String> {
        let schemes = layer.security_schemes().schemes;
        schemes.into_iter().map(|(name, _)| name).collect()
    }

    fn add_source(&mut self, place: &Place, accepted: &Accepted) {
        let (name, key) = match place {
            // Keys as Basic share the scheme with names and passwords, which is added once and
            // below.
            Place::Basic => return,
            Place::Bearer => return self.add("bearerAuth", bearer(accepted), "Bearer …"),
            Place::Dpop => {
                let form = "DPoP …";
                return self.add("dpopAuth", authorization(&[form.to_owned()]), form);
            }
            Place::ApiKey => {
                let form = "Api-Key …";
                return self.add("apiKeyAuth", authorization(&[form.to_owned()]), form);
            }
            Place::Token => {
                let form = "Token …";
                return self.add("tokenAuth", authorization(&[form.to_owned()]), form);
            }
            Place::Header(name) => (
                format!("{}Header", component(name)),
                ApiKey::Header(ApiKeyValue::new(&**name)),
            ),
            Place::Cookie(name) => (
                format!("{name}Cookie"),
                ApiKey::Cookie(ApiKeyValue::new(&**name)),
            ),
            Place::Query(name) => (
                format!("{name}Query"),
                ApiKey::Query(ApiKeyValue::new(&**name)),
            ),
            Place::WebSocket(name) => {
                let form = format!("`{name}.…`, beside another protocol");
                let value = ApiKeyValue::with_description("Sec-WebSocket-Protocol", &form);
                (format!("{name}Protocol"), ApiKey::Header(value))
            }
        };
        self.schemes.push((name, SecurityScheme::ApiKey(key)));
    }

    fn add(&mut self, name: &str, scheme: SecurityScheme, form: &str) {
        self.schemes.push((name.to_owned(), scheme));
        self.forms.push(form.to_owned());
    }

    /// A single scheme, `authorization`: the whole value of the header `Authorization`, to be typed
    /// as it is sent.
    pub fn one_header(mut self) -> Self {
        let only = (ONE_HEADER.to_owned(), authorization(&self.forms));
        let former = std::mem::replace(&mut self.schemes, vec![only]);
        self.replaced
            .extend(former.into_iter().map(|(name, _)| name));
        self
    }

    /// What an operation needs, by the names of these schemes.
    fn renamed(&self, security: &[SecurityRequirement]) -> Vec<SecurityRequirement> {
        let mut renamed = Vec::new();
        for requirement in security {
            let mut next = SecurityRequirement::default();
            for (name, scopes) in needs(requirement) {
                let is_replaced = self.replaced.contains(&name);
                let name = if is_replaced { ONE_HEADER } else { &name };
                next = next.add(name, scopes);
            }
            // Several schemes may have become the same one, and it would stand there as often as an
            // alternative to itself.
            if !renamed.contains(&next) {
                renamed.push(next);
            }
        }
        renamed
    }
}

fn bearer(accepted: &Accepted) -> SecurityScheme {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let bearer = if accepted.takes_only_tokens_as_bearer() {
        bearer.bearer_format("JWT")
    } else {
        bearer
    };
    SecurityScheme::Http(bearer.build())
}

fn basic(accepted: &Accepted) -> SecurityScheme {
    let basic = HttpBuilder::new().scheme(HttpAuthScheme::Basic);
    let is_key = accepted.reads(&Source::basic());
    let basic = match (accepted.basic, is_key) {
        (true, true) => basic.description(Some("A password, or an API key as the user's name")),
        (false, true) => {
            basic.description(Some("An API key as the user's name, without a password"))
        }
        (_, false) => basic,
    };
    SecurityScheme::Http(basic.build())
}

/// A name that a component may have: letters, digits, `.`, `-` and `_`.
fn component(name: &str) -> String {
    let fitting = name.chars().map(|c| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' => c,
        _ => '_',
    });
    fitting.collect()
}

fn authorization(forms: &[String]) -> SecurityScheme {
    let forms: Vec<String> = forms.iter().map(|form| format!("`{form}`")).collect();
    let value = ApiKeyValue::with_description("Authorization", &forms.join(" or "));
    SecurityScheme::ApiKey(ApiKey::Header(value))
}

/// The names of the schemes that are needed together, with their scopes. `utoipa` gives them to
/// whoever serializes it alone.
fn needs(requirement: &SecurityRequirement) -> BTreeMap<String, Vec<String>> {
    let written = serde_json::to_value(requirement);
    // OK because a requirement is an object of lists of texts.
    written.and_then(serde_json::from_value).unwrap_or_default()
}

impl Modify for SecuritySchemes {
    fn modify(&self, document: &mut OpenApi) {
        for operation in operations(document) {
            if let Some(security) = &mut operation.security {
                *security = self.renamed(security);
            }
        }
        let components = document.components.get_or_insert_with(Components::new);
        let requirements = document.security.get_or_insert_default();
        for (name, scheme) in &self.schemes {
            components.add_security_scheme(name, scheme.clone());
            requirements.push(SecurityRequirement::new(name, [""; 0]));
        }
        if self.mode == Mode::Optional {
            requirements.push(SecurityRequirement::default());
        }
    }
}

impl fmt::Debug for SecuritySchemes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecuritySchemes")
            .field("forms", &self.forms)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::AcceptedKeys;
    use serde_json::{Value, json};

    fn document(schemes: &SecuritySchemes) -> Value {
        let mut document = OpenApi::default();
        schemes.modify(&mut document);
        serde_json::to_value(document).unwrap()
    }

    fn everything() -> Accepted {
        let keys = AcceptedKeys {
            prefix: Some("egret_".into()),
            sources: vec![
                Source::bearer(),
                Source::api_key(),
                Source::header("X-API-Key"),
            ],
        };
        Accepted {
            tokens: vec![Source::bearer()],
            api_keys: vec![keys],
            basic: true,
            others: vec!["Hawk"],
            ..Accepted::default()
        }
    }

    #[test]
    fn each_scheme_is_an_alternative_of_its_own() {
        let shown = document(&SecuritySchemes::of(&everything(), Mode::Required));
        assert_eq!(shown["openapi"], "3.1.0");
        let expected = json!({
            "bearerAuth": { "type": "http", "scheme": "bearer" },
            "apiKeyAuth": { "type": "apiKey", "in": "header", "name": "Authorization", "description": "`Api-Key …`" },
            "X-API-KeyHeader": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
            "basicAuth": { "type": "http", "scheme": "basic" },
            "HawkAuth": { "type": "apiKey", "in": "header", "name": "Authorization", "description": "`Hawk …`" },
        });
        assert_eq!(shown["components"]["securitySchemes"], expected);
        let alternatives = json!([
            { "bearerAuth": [] },
            { "apiKeyAuth": [] },
            { "X-API-KeyHeader": [] },
            { "basicAuth": [] },
            { "HawkAuth": [] },
        ]);
        assert_eq!(shown["security"], alternatives);
    }

    #[test]
    fn what_is_not_accepted_is_not_shown_and_optional_adds_nothing_as_an_alternative() {
        let tokens = Accepted {
            tokens: vec![Source::bearer()],
            ..Accepted::default()
        };
        let shown = document(&SecuritySchemes::of(&tokens, Mode::Optional));
        let jwt =
            json!({ "bearerAuth": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } });
        assert_eq!(shown["components"]["securitySchemes"], jwt);
        assert_eq!(shown["security"], json!([{ "bearerAuth": [] }, {}]));
    }

    #[test]
    fn each_place_is_shown_where_it_is() {
        let keys = AcceptedKeys {
            prefix: None,
            sources: vec![
                Source::header("X!Key"),
                Source::cookie("__Host-key"),
                Source::query("key"),
                Source::websocket("bearer"),
                Source::basic(),
            ],
        };
        let accepted = Accepted {
            api_keys: vec![keys],
            ..Accepted::default()
        };
        let shown = document(&SecuritySchemes::of(&accepted, Mode::Required));
        let protocol = "`bearer.…`, beside another protocol";
        let expected = json!({
            "X_KeyHeader": { "type": "apiKey", "in": "header", "name": "X!Key" },
            "__Host-keyCookie": { "type": "apiKey", "in": "cookie", "name": "__Host-key" },
            "keyQuery": { "type": "apiKey", "in": "query", "name": "key" },
            "bearerProtocol": {
                "type": "apiKey",
                "in": "header",
                "name": "Sec-WebSocket-Protocol",
                "description": protocol,
            },
            "basicAuth": {
                "type": "http",
                "scheme": "basic",
                "description": "An API key as the user's name, without a password",
            },
        });
        assert_eq!(shown["components"]["securitySchemes"], expected);
    }

    #[test]
    fn one_header_says_what_may_be_typed() {
        let shown = document(&SecuritySchemes::of(&everything(), Mode::Required).one_header());
        let description = "`Bearer …` or `Api-Key …` or `Basic …` or `Hawk …`";
        let expected = json!({ "type": "apiKey", "in": "header", "name": "Authorization", "description": description });
        assert_eq!(
            shown["components"]["securitySchemes"],
            json!({ "authorization": expected })
        );
        assert_eq!(shown["security"], json!([{ "authorization": [] }]));
    }
}
