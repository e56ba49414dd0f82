use super::cookies::Cookies;
use crate::config::ConfigProblem;
use crate::endpoint::api_keys::KeysEndpoint;
use crate::endpoint::call::Call;
use crate::endpoint::input::Input;
use crate::endpoint::reply::Reply;
use crate::endpoint::route::Handler;
use crate::endpoint::session::{SignInEndpoint, users};
use crate::endpoint::{caller, user_map};
use crate::layer::AuthLayer;
use crate::reject::Rejection;
use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Nothing but what lies beside the page is loaded, no text becomes code, and the page is in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'none'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// A page on which users sign in and manage their keys: API keys, or private tokens.
///
/// It uses the other endpoints of the same builder: [`sign_in`](super::EndpointsBuilder::sign_in), keys, and where they are there
/// [`refresh`](super::EndpointsBuilder::refresh) and [`sign_out`](super::EndpointsBuilder::sign_out). It loads nothing from
/// elsewhere, under a strict Content-Security-Policy, and needs a path that ends with a `/`.
///
/// The tokens of who signed in are
///
/// - by default in the memory of the page alone: whoever reloads it signs in again;

/// - with [`cookies`](Self::cookies) in two cookies that no script can read, until the browser is closed. The page then reaches the
///   endpoints by paths of its own, below its path, which take the cookies and refuse what no page of the same origin sent. No other
///   route takes a cookie.
///
/// ```
/// use tower_auth::endpoint::{KeysEndpoint, Page, SignInEndpoint};
/// use tower_auth::store::Memory;
/// use tower_auth::{ApiKeys, AuthLayer, Tokens};
///
/// let store = Memory::new();
/// let tokens = Tokens::hs256("example only: 0123456789abcdefghij").store(store.clone()).issuer("https://api.example.com");
/// let auth = AuthLayer::builder()
///     .users(store.clone())
///     .tokens(tokens)
///     .api_keys(ApiKeys::new(store).prefix("egret"))
///     .build()?;
/// let page = Page::new().title("Keys of Egret").fact("Company ID", "company_id");
///
/// let signing_in = auth.endpoints().sign_in("/token/", SignInEndpoint::new());
/// let endpoints = signing_in.api_keys("/api-keys/", KeysEndpoint::prefixed("egret")).page("/settings/", page.clone()).build()?;
/// assert!(endpoints.paths().any(|path| path == "/settings/"));
///
/// // Without an endpoint of keys there would be nothing to manage.
/// assert!(auth.endpoints().sign_in("/token/", SignInEndpoint::new()).page("/settings/", page).build().is_err());
/// # Ok::<(), tower_auth::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Page {
    title: String,
    name_label: Option<String>,
    keys: Option<String>,
    facts: Vec<Fact>,
    cookies: Option<String>,
}

#[derive(Clone, Debug)]
struct Fact {
    label: String,
    member: String,
}

impl Default for Page {
    fn default() -> Self {
        Self::new()
    }
}

impl Page {
    /// The page, with the tokens in its memory.
    pub fn new() -> Self {
        Self {
            title: "API keys".into(),
            name_label: None,
            keys: None,
            facts: Vec::new(),
            cookies: None,
        }
    }

    /// Its title; `API keys` by default.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// What the name to sign in by is called; by default after the field's name.
    pub fn name_label(mut self, label: impl Into<String>) -> Self {
        self.name_label = Some(label.into());
        self
    }

    /// Which keys, where the builder has several endpoints of them: the path of one, which has no parameters.
    pub fn keys(mut self, path: impl Into<String>) -> Self {
        self.keys = Some(path.into());
        self
    }

    /// Shows, beside the keys and beside a new one, a member of the user: `id`, or one of the profile.
    pub fn fact(mut self, label: impl Into<String>, member: impl Into<String>) -> Self {
        self.facts.push(Fact {
            label: label.into(),
            member: member.into(),
        });
        self
    }

    /// Keeps the tokens in the cookies `__Host-NAME-access` and `__Host-NAME-refresh`: `Secure`, `HttpOnly`, `SameSite=Strict`.
    /// Browsers take them over HTTPS, and from a loopback address.
    pub fn cookies(mut self, name: impl Into<String>) -> Self {
        self.cookies = Some(name.into());
        self
    }

    /// What the page needs of the other endpoints.
    pub(in crate::endpoint) fn plan(
        &self,
        path: &str,
        others: &Others<'_>,
    ) -> Result<Plan, Vec<ConfigProblem>> {
        let mut problems = Vec::new();
        if !path.ends_with('/') || path.contains('{') {
            problems.push(ConfigProblem::PageNeeds(
                "a path of its own that ends with a slash",
            ));
        }
        let cookies = self.cookies.as_deref().and_then(|name| {
            let cookies = Cookies::named(name);
            if cookies.is_none() {
                problems.push(ConfigProblem::CookieName(name.to_owned()));
            }
            cookies.map(Arc::new)
        });
        if others.sign_in.is_none() {
            problems.push(ConfigProblem::PageNeeds("sign_in"));
        }
        let keys = self.keys_among(others);
        if keys.is_none() {
            problems.push(ConfigProblem::PageNeeds(
                "one endpoint of keys without parameters in its path, or keys to say which of them",
            ));
        }
        let (Some((sign_in_path, sign_in)), Some((keys_path, keys)), true) =
            (others.sign_in, keys, problems.is_empty())
        else {
            return Err(problems);
        };
        let from = |to: &str| relative(path, to);
        let paths = match cookies {
            None => Paths {
                sign_in: from(sign_in_path),
                refresh: others.refresh.map(from),
                sign_out: others.sign_out.map(from),
                keys: from(keys_path),
            },
            Some(_) => Paths {
                sign_in: "session/".into(),
                refresh: Some("session/refresh/".into()),
                sign_out: Some("session/end/".into()),
                keys: "keys/".into(),
            },
        };
        let config = self.config(&paths, sign_in, keys, cookies.is_some());
        let owner = Owner {
            name_field: sign_in.name_field.clone(),
            facts: self.facts.clone(),
        };
        Ok(Plan {
            config,
            owner,
            sign_in: sign_in.clone(),
            keys: keys.clone(),
            cookies,
        })
    }

    fn keys_among<'a>(&self, others: &'a Others<'_>) -> Option<(&'a str, &'a Keys)> {
        let mut fitting = others.keys.iter().filter(|(path, _)| match &self.keys {
            Some(chosen) => chosen == path,
            None => true,
        });
        match (fitting.next(), fitting.next()) {
            (Some((path, keys)), None) if !path.contains('{') => Some((path, keys)),
            _ => None,
        }
    }

    fn config(&self, paths: &Paths, sign_in: &SignInEndpoint, keys: &Keys, cookies: bool) -> Bytes {
        let (secret_field, longest) = match keys {
            Keys::ApiKeys(endpoint) => (endpoint.shape.key_field.as_str(), None),
            Keys::PrivateTokens { longest } => ("token", Some(*longest)),
        };
        let config = json!({
            "title": self.title,
            "cookies": cookies,
            "sign_in": paths.sign_in,
            "refresh": paths.refresh,
            "sign_out": paths.sign_out,
            "owner": "owner/",
            "keys": paths.keys,
            "name_field": sign_in.name_field,
            "name_label": self.name_label.clone().unwrap_or_else(|| label_of(&sign_in.name_field)),
            "password_field": sign_in.password_field,
            "secret_field": secret_field,
            "must_expire": longest.is_some(),
            "longest": longest,
        });
        config.to_string().into()
    }
}

/// What a page finds among the other endpoints of its builder.
pub(in crate::endpoint) struct Others<'a> {
    pub(in crate::endpoint) sign_in: Option<(&'a str, &'a SignInEndpoint)>,
    pub(in crate::endpoint) refresh: Option<&'a str>,
    pub(in crate::endpoint) sign_out: Option<&'a str>,
    pub(in crate::endpoint) keys: Vec<(&'a str, Keys)>,
}

/// The keys of a page.
#[derive(Clone)]
pub(in crate::endpoint) enum Keys {
    ApiKeys(KeysEndpoint),
    /// With the longest lifetime, in seconds.
    PrivateTokens {
        longest: u64,
    },
}

/// What is mounted for a page.
pub(in crate::endpoint) struct Plan {
    pub(in crate::endpoint) config: Bytes,
    pub(in crate::endpoint) owner: Owner,
    pub(in crate::endpoint) sign_in: SignInEndpoint,
    pub(in crate::endpoint) keys: Keys,
    pub(in crate::endpoint) cookies: Option<Arc<Cookies>>,
}

struct Paths {
    sign_in: String,
    refresh: Option<String>,
    sign_out: Option<String>,
    keys: String,
}

/// From one path to another, so that a router that nests both below a prefix changes nothing.
fn relative(from: &str, to: &str) -> String {
    let up = from.matches('/').count().saturating_sub(1);
    format!("{}{}", "../".repeat(up), to.strip_prefix('/').unwrap_or(to))
}

/// `email` → `Email`, `user_name` → `User name`.
fn label_of(field: &str) -> String {
    let words = field.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// A file of the page: the same bytes for everybody.
#[derive(Clone, Copy)]
pub(in crate::endpoint) struct File {
    content_type: &'static str,
    text: &'static str,
}

impl File {
    /// Where each is, below the path of the page.
    pub(in crate::endpoint) const ALL: [(&str, Self); 4] = [
        (
            "",
            Self {
                content_type: "text/html; charset=utf-8",
                text: include_str!("page.html"),
            },
        ),
        (
            "page.css",
            Self {
                content_type: "text/css; charset=utf-8",
                text: include_str!("page.css"),
            },
        ),
        (
            "page.js",
            Self {
                content_type: "text/javascript; charset=utf-8",
                text: include_str!("page.js"),
            },
        ),
        (
            "page.svg",
            Self {
                content_type: "image/svg+xml",
                text: include_str!("page.svg"),
            },
        ),
    ];
}

#[async_trait]
impl Handler for File {
    async fn handle(&self, _: &AuthLayer, _: &Call, _: Input) -> Result<Reply, Rejection> {
        // Not kept by caches: the files of two versions do not fit together.
        let reply = Reply::file(self.content_type, self.text);
        Ok(guards()
            .into_iter()
            .fold(reply, |reply, (name, value)| reply.field(name, value)))
    }
}

fn guards() -> [(HeaderName, HeaderValue); 5] {
    [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ]
    .map(|(name, value)| (name, HeaderValue::from_static(value)))
}

/// Where the endpoints are.
pub(in crate::endpoint) struct Config(pub(in crate::endpoint) Bytes);

#[async_trait]
impl Handler for Config {
    async fn handle(&self, _: &AuthLayer, _: &Call, _: Input) -> Result<Reply, Rejection> {
        Ok(Reply::made(self.0.clone()))
    }
}

/// `GET` → `{name, facts: [{label, value}]}` of who is signed in.
pub(in crate::endpoint) struct Owner {
    name_field: String,
    facts: Vec<Fact>,
}

#[async_trait]
impl Handler for Owner {
    async fn handle(&self, auth: &AuthLayer, call: &Call, _: Input) -> Result<Reply, Rejection> {
        let user = users(auth)?.find(caller(call)?.subject(), call.now).await?;
        let members = user_map(&user, &self.name_field);
        let fact = |Fact { label, member }: &Fact| {
            let value = match members.get(member)? {
                Value::Null => return None,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Some(json!({ "label": label, "value": value }))
        };
        let mut owner = Map::new();
        owner.insert(
            "name".into(),
            user.names().next().unwrap_or_default().into(),
        );
        owner.insert("facts".into(), self.facts.iter().filter_map(fact).collect());
        Ok(Reply::ok(owner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_reached_from_the_page_wherever_both_are_mounted() {
        let cases = [
            ("/", "/token/", "token/"),
            ("/settings/", "/token/", "../token/"),
            (
                "/settings/api-keys/",
                "/api/v1/token/",
                "../../api/v1/token/",
            ),
        ];
        for (from, to, expected) in cases {
            assert_eq!(relative(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn a_label_is_the_name_of_its_field_in_words() {
        for (field, label) in [("email", "Email"), ("user_name", "User name"), ("", "")] {
            assert_eq!(label_of(field), label);
        }
    }

    #[test]
    fn the_page_has_no_code_and_no_style_of_its_own_and_names_nothing_elsewhere() {
        for (name, File { text, .. }) in File::ALL {
            let elsewhere = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!elsewhere.contains("//") || name == "page.js", "{name}");
            for refused in [
                "https:",
                "http:",
                "style=",
                "onclick=",
                "innerHTML",
                "localStorage",
                "eval(",
            ] {
                assert!(!elsewhere.contains(refused), "{name} has {refused}");
            }
        }
    }
}
