use super::cookies::Cookies;
use super::session;
use crate::config::ConfigProblem;
use crate::credential::Source;
use crate::endpoint::call::Call;
use crate::endpoint::input::Input;
use crate::endpoint::mount::{
    Endpoint, KeyScopes, KeysLandmark, Landmarks, Mounting, SignInLandmark, signed_in,
};
use crate::endpoint::reply::Reply;
use crate::endpoint::route::{Access, Handler};
use crate::endpoint::shown::{caller, user_map};
use crate::password::policy::PasswordPolicy;
use crate::principal::{Principal, Scope};
use crate::rate::Rate;
use crate::reject::Rejection;
use crate::users::Users;
use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Nothing but what lies beside the page is loaded, no text becomes code, and the page is in
/// nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'none'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// A page on which users sign in and manage their keys: API keys, or private tokens.
///
/// It uses the other endpoints of the same builder: [`SignIn`](crate::endpoint::SignIn), keys, and
/// where they are there [`Refresh`](crate::endpoint::Refresh) and
/// [`SignOut`](crate::endpoint::SignOut). It loads nothing from elsewhere, under a strict
/// Content-Security-Policy, and needs a path that ends with a `/`.
///
/// The tokens of who signed in are
///
/// - by default in the memory of the page alone: whoever reloads it signs in again;
/// - with [`cookies`](Self::cookies) in two cookies that no script can read, until the browser is
///   closed. The page then reaches the endpoints by paths of its own, below its path, which take
///   the cookies and refuse what no page of the same origin sent. No other route takes a cookie.
///
/// Whoever makes an API key chooses among the [scopes](Self::scope) that they have themselves, and
/// among the [rates](crate::endpoint::KeysEndpoint::rates) that the endpoint allows.
///
/// ```
/// use tower_auth::endpoint::{KeysEndpoint, Page, SignIn};
/// use tower_auth::store::Memory;
/// use tower_auth::{ApiKeys, AuthLayer, Realm, Tokens, random_secret};
///
/// let secret = random_secret()?; // a real service has it in its environment
/// let realm = Realm::new(Memory::new());
/// let tokens = realm.tokens(Tokens::hs256(secret.expose()).issuer("https://api.example.com"));
/// let keys = realm.api_keys(ApiKeys::prefix("egret"));
/// let auth = AuthLayer::builder().accept(&tokens).accept(&keys).build()?;
/// let page = Page::new().title("Keys of Egret").fact("Company ID", "company_id");
///
/// let endpoints = auth
///     .endpoints()
///     .mount("/token/", SignIn::of(&tokens))
///     .mount("/api-keys/", KeysEndpoint::of(&keys))
///     .mount("/settings/", page.clone())
///     .build()?;
/// assert!(endpoints.paths().any(|path| path == "/settings/"));
///
/// // Without an endpoint of keys there would be nothing to manage.
/// let no_keys = auth.endpoints().mount("/token/", SignIn::of(&tokens));
/// assert!(no_keys.mount("/settings/", page).build().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Page {
    title: String,
    name_label: Option<String>,
    keys: Option<String>,
    facts: Vec<Fact>,
    scopes: Vec<OfferedScope>,
    cookies: Option<String>,
}

#[derive(Clone, Debug)]
struct Fact {
    label: String,
    member: String,
}

#[derive(Clone, Debug)]
struct OfferedScope {
    scope: Scope,
    label: String,
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
            scopes: Vec::new(),
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

    /// Which keys, where the builder has several endpoints of them: the path of one, which has no
    /// parameters.
    pub fn keys(mut self, path: impl Into<String>) -> Self {
        self.keys = Some(path.into());
        self
    }

    /// Shows, beside the keys and beside a new one, a member of the user: `id`, or one of the
    /// profile.
    pub fn fact(mut self, label: impl Into<String>, member: impl Into<String>) -> Self {
        self.facts.push(Fact {
            label: label.into(),
            member: member.into(),
        });
        self
    }

    /// Offers this scope for new API keys, in these words, to whoever has it.
    ///
    /// By default the page offers each scope that the caller has, by its own name, and none where
    /// [`KeysEndpoint::request`](crate::endpoint::KeysEndpoint::request) decides about new keys.
    pub fn scope(mut self, scope: impl Into<Scope>, label: impl Into<String>) -> Self {
        self.scopes.push(OfferedScope {
            scope: scope.into(),
            label: label.into(),
        });
        self
    }

    /// Keeps the tokens in the cookies `__Host-NAME-access` and `__Host-NAME-refresh`: `Secure`,
    /// `HttpOnly`, `SameSite=Strict`. Browsers take them over HTTPS, and from a loopback
    /// address.
    pub fn cookies(mut self, name: impl Into<String>) -> Self {
        self.cookies = Some(name.into());
        self
    }

    /// Lays the page out among the endpoints beside it.
    fn lay_out(self, path: &str, mounting: &mut Mounting) {
        let plan = match self.plan(path, &mounting.landmarks) {
            Ok(plan) => plan,
            Err(problems) => return mounting.problems.extend(problems),
        };
        for (name, file) in File::ALL {
            mounting.get(&format!("{path}{name}"), Access::File, file);
        }
        let config = format!("{path}config.json");
        mounting.get(&config, Access::File, Config(plan.config));
        let owner = format!("{path}owner/");
        // Without cookies the page keeps its tokens in memory and uses the other endpoints as any
        // client does.
        let Some(cookies) = plan.cookies else {
            return mounting.get(&owner, Access::Caller(signed_in()), plan.owner);
        };
        let access = |requirement| Access::Cookies(Arc::clone(&cookies), requirement);
        let tokens = plan.sign_in.tokens.clone();
        mounting.get(&owner, access(signed_in()), plan.owner);
        let sign_in = session::SignIn {
            sign_in: plan.sign_in,
            cookies: Arc::clone(&cookies),
        };
        let session = format!("{path}session/");
        mounting.post(&session, Access::Page, sign_in);
        let refresh = session::Refresh {
            tokens: tokens.clone(),
            cookies: Arc::clone(&cookies),
        };
        mounting.act(&format!("{session}refresh/"), Access::Page, refresh);
        let sign_out = session::SignOut {
            tokens,
            cookies: Arc::clone(&cookies),
        };
        mounting.act(&format!("{session}end/"), access(signed_in()), sign_out);
        (plan.keys.remount)(&format!("{path}keys/"), &access, mounting);
    }

    /// What the page needs of the other endpoints.
    fn plan(&self, path: &str, beside: &Landmarks) -> Result<Plan, Vec<ConfigProblem>> {
        let mut problems = Vec::new();
        if path.contains('{') {
            let own = "a path of its own, without parameters";
            problems.push(ConfigProblem::PageNeeds(own));
        }
        let mut cookies = None;
        if let Some(name) = &self.cookies {
            match Cookies::named(name) {
                Some(named) => cookies = Some(Arc::new(named)),
                None => problems.push(ConfigProblem::CookieName(name.clone())),
            }
        }
        match &beside.sign_in {
            None => problems.push(ConfigProblem::PageNeeds("sign_in")),
            // The page presents its access token as a Bearer, whether it has it in its memory or in
            // a cookie.
            Some(sign_in) if !sign_in.tokens.is_read_at(&Source::bearer()) => {
                problems.push(ConfigProblem::PageNeeds("tokens that are read as Bearer"));
            }
            Some(_) => {}
        }
        let keys = self.keys_among(beside);
        if keys.is_none() {
            problems.push(ConfigProblem::PageNeeds(
                "one endpoint of keys without parameters in its path, or keys to say which of them",
            ));
        }
        if let Some(keys) = keys
            && keys.scopes == KeyScopes::OfUser
            && !self.scopes.is_empty()
        {
            let api_keys =
                "API keys where it offers scopes: private tokens have those of their user";
            problems.push(ConfigProblem::PageNeeds(api_keys));
        }
        let (Some(sign_in), Some(keys)) = (&beside.sign_in, keys) else {
            return Err(problems);
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        let paths = match cookies {
            None => Paths {
                sign_in: relative(path, &sign_in.path),
                refresh: beside.refresh.as_ref().map(|to| relative(path, to)),
                sign_out: beside.sign_out.as_ref().map(|to| relative(path, to)),
                keys: relative(path, &keys.path),
            },
            Some(_) => Paths {
                sign_in: "session/".into(),
                refresh: Some("session/refresh/".into()),
                sign_out: Some("session/end/".into()),
                keys: "keys/".into(),
            },
        };
        Ok(Plan {
            config: self.config(&paths, sign_in, keys, cookies.is_some()),
            owner: Owner {
                users: sign_in.tokens.realm().users(PasswordPolicy::new()),
                name_field: sign_in.name_field.clone(),
                facts: self.facts.clone(),
                offers: self.offers(keys.scopes),
            },
            sign_in: sign_in.clone(),
            keys: keys.clone(),
            cookies,
        })
    }

    fn offers(&self, scopes: KeyScopes) -> Offers {
        if !self.scopes.is_empty() {
            return Offers::These(self.scopes.clone());
        }
        match scopes {
            KeyScopes::ByCaller => Offers::All,
            KeyScopes::OfUser | KeyScopes::ByApplication => Offers::These(Vec::new()),
        }
    }

    fn keys_among<'a>(&self, beside: &'a Landmarks) -> Option<&'a KeysLandmark> {
        let mut fitting = beside.keys.iter().filter(|keys| match &self.keys {
            Some(chosen) => *chosen == keys.path,
            None => true,
        });
        match (fitting.next(), fitting.next()) {
            // With several the page could not know whose keys are meant, nor what to put for a
            // parameter.
            (Some(only), None) if !only.path.contains('{') => Some(only),
            _ => None,
        }
    }

    fn config(
        &self,
        paths: &Paths,
        sign_in: &SignInLandmark,
        keys: &KeysLandmark,
        cookies: bool,
    ) -> Bytes {
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
            "secret_field": keys.secret_field,
            "must_expire": keys.longest.is_some(),
            "longest": keys.longest,
            "rates": keys.rates.iter().map(Rate::to_string).collect::<Vec<_>>(),
        });
        config.to_string().into()
    }
}

impl From<Page> for Endpoint {
    fn from(page: Page) -> Self {
        Self::new(move |path, mounting| {
            let path = path.to_owned();
            if !mounting.has_room_below(&path) {
                return;
            }
            mounting.pages.push(Self::new(move |_, mounting| {
                page.lay_out(&path, mounting);
            }));
        })
    }
}

/// What is mounted for a page.
struct Plan {
    config: Bytes,
    owner: Owner,
    sign_in: SignInLandmark,
    keys: KeysLandmark,
    cookies: Option<Arc<Cookies>>,
}

struct Paths {
    sign_in: String,
    refresh: Option<String>,
    sign_out: Option<String>,
    keys: String,
}

/// The link from one path of the server to another, relative to the first.
fn relative(from: &str, to: &str) -> String {
    // Relative, so that a router may nest both below a prefix that nobody here knows.
    let up = from.matches('/').count().saturating_sub(1);
    format!("{}{}", "../".repeat(up), to.strip_prefix('/').unwrap_or(to))
}

/// `email` → `Email`, `user_name` → `User name`.
fn label_of(field: &str) -> String {
    let words = field.replace('_', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// A file of the page: the same bytes for everybody.
#[derive(Clone, Copy)]
struct File {
    content_type: &'static str,
    text: &'static str,
}

impl File {
    /// Where each is, below the path of the page.
    const ALL: [(&str, Self); 4] = [
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
    async fn handle(&self, _: &Call, _: Input) -> Result<Reply, Rejection> {
        // No cache keeps these: after an update, files of two versions would not fit together.
        let reply = Reply::file(self.content_type, self.text);
        Ok(guards()
            .into_iter()
            .fold(reply, |reply, (name, value)| reply.field(name, value)))
    }
}

fn guards() -> [(HeaderName, HeaderValue); 4] {
    [
        (CONTENT_SECURITY_POLICY, POLICY),
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
struct Config(Bytes);

#[async_trait]
impl Handler for Config {
    async fn handle(&self, _: &Call, _: Input) -> Result<Reply, Rejection> {
        Ok(Reply::made(self.0.clone()))
    }
}

/// `GET` → `{name, facts: [{label, value}], scopes: [{scope, label}]}` of who is signed in.
struct Owner {
    users: Users,
    name_field: String,
    facts: Vec<Fact>,
    offers: Offers,
}

/// Which scopes of the caller's are offered for a new key.
enum Offers {
    All,
    These(Vec<OfferedScope>),
}

impl Offers {
    fn to(&self, caller: &Principal) -> Value {
        let mut offers = Vec::new();
        match self {
            Self::All => {
                for name in caller.scopes().iter() {
                    offers.push(json!({ "scope": name, "label": name }));
                }
            }
            Self::These(scopes) => {
                for OfferedScope { scope, label } in scopes {
                    // A scope that the caller lacks would be refused when the key is made.
                    if caller.has_scope(scope.as_str()) {
                        offers.push(json!({ "scope": scope.as_str(), "label": label }));
                    }
                }
            }
        }
        Value::Array(offers)
    }
}

#[async_trait]
impl Handler for Owner {
    async fn handle(&self, call: &Call, _: Input) -> Result<Reply, Rejection> {
        let caller = caller(call)?;
        let user = self.users.find(caller.subject()).await?;
        let members = user_map(&user, &self.name_field);
        let facts = self.facts.iter().filter_map(|fact| fact.among(&members));
        let mut owner = Map::new();
        owner.insert("name".into(), user.first_name().into());
        owner.insert("facts".into(), facts.collect());
        owner.insert("scopes".into(), self.offers.to(caller));
        Ok(Reply::ok(owner))
    }
}

impl Fact {
    /// As it is shown, where the user has this member.
    fn among(&self, members: &Map<String, Value>) -> Option<Value> {
        let value = match members.get(&self.member)? {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some(json!({ "label": self.label, "value": value }))
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
