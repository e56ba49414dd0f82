use super::claims::{Claims, Names};
use super::header::with_header;
use super::ours::{IssuedIds, Ours, use_of};
use crate::clock::since_1970;
use crate::config::ConfigProblem;
use crate::credential::Source;
use crate::intern;
use crate::key_set::{JwtKey, Key, KeySet, Parts, decoded, refused};
use crate::principal::{Roles, Scopes, Subject, TokenIdentity, TokenUse};
use crate::reject::Rejection;
use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const LONGEST_LEEWAY: Duration = Duration::from_secs(600);

/// Which JWTs of one issuer are accepted.
///
/// Required of every token: `iss` is the issuer, `aud` names an audience, `exp` is to come, `sub`
/// is there, and a configured key verifies the signature under the key's own algorithm. Besides:
///
/// - `nbf` and `iat`, where present, are not in the future; [`leeway`](Self::leeway) forgives
///   clocks that differ, 60 seconds by default.
/// - `typ` is absent, `JWT` or `at+jwt`, or what [`token_type`](Self::token_type) says. A token
///   that calls itself something other than an access token (`token_type`, `token_use`, `typ`) is
///   refused.
/// - `crit`, compressed and nested tokens are refused. Keys that a token brings along are not
///   looked at.
/// - The scopes are those of `scope` (RFC 8693 §4.2; an array is read as well), the roles those of
///   `roles`.
///
/// ```
/// use tower_auth::{AuthLayer, Jwt, JwtKey};
///
/// let auth = AuthLayer::builder()
///     .accept(
///         Jwt::new()
///             .issuer("https://login.example.com")
///             .audience("reports")
///             .key(JwtKey::ed25519("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").id("2026")),
///     )
///     .build()?;
/// # Ok::<(), tower_auth::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Jwt {
    issuer: String,
    audiences: Vec<String>,
    keys: Vec<JwtKey>,
    leeway: Duration,
    max_age: Option<Duration>,
    token_type: Option<String>,
    scope_claim: String,
    role_claim: String,
    sources: Vec<Source>,
}

impl Default for Jwt {
    fn default() -> Self {
        Self::new()
    }
}

impl Jwt {
    /// A policy without issuer, audience and keys, all of which it needs.
    pub fn new() -> Self {
        Self {
            issuer: String::new(),
            audiences: Vec::new(),
            keys: Vec::new(),
            leeway: Duration::from_secs(60),
            max_age: None,
            token_type: None,
            scope_claim: String::from("scope"),
            role_claim: String::from("roles"),
            sources: vec![Source::bearer()],
        }
    }

    /// Tokens signed with HS256 under a shared secret of at least 32 bytes.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Self {
        Self::new().key(JwtKey::hs256(secret))
    }

    /// The issuer: `iss` must be exactly this.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// An audience: `aud` must name one of those given.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// A key: of those of the token's algorithm, the one whose id is the token's `kid` where any
    /// has an id; else the only one. A secret and public keys may stand side by side, as an issuer
    /// that moves from one to the other needs them: each is for its own algorithm alone.
    pub fn key(mut self, key: JwtKey) -> Self {
        self.keys.push(key);
        self
    }

    /// How much the issuer's clock may differ, at most 10 minutes; 60 seconds by default.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Tokens issued longer ago are refused, and so are those without `iat`.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// The `typ` that a token must have (RFC 8725 §3.11), such as `at+jwt` (RFC 9068 §2.1).
    pub fn token_type(mut self, typ: impl Into<String>) -> Self {
        self.token_type = Some(typ.into());
        self
    }

    /// The claim that holds the scopes, `scope` by default.
    pub fn scope_claim(mut self, name: impl Into<String>) -> Self {
        self.scope_claim = name.into();
        self
    }

    /// The claim that holds the roles, `roles` by default.
    pub fn role_claim(mut self, name: impl Into<String>) -> Self {
        self.role_claim = name.into();
        self
    }

    /// Where tokens of this issuer are read; as [`Source::bearer`] alone by default. Anywhere else
    /// they are refused.
    pub fn sources(mut self, sources: impl IntoIterator<Item = Source>) -> Self {
        self.sources = sources.into_iter().collect();
        self
    }

    fn claim_names(&self) -> Names<'_> {
        Names {
            scope: &self.scope_claim,
            roles: &self.role_claim,
            sid: false,
        }
    }

    /// What is wrong with it, its keys apart. For tokens that we issue an audience is a choice.
    pub(crate) fn problems_but_keys(&self, ours: bool) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        if self.issuer.is_empty() {
            problems.push(match ours {
                true => ConfigProblem::TokensIssuer,
                false => ConfigProblem::Issuer,
            });
        }
        let lacks_audience = self.audiences.is_empty() && !ours;
        if lacks_audience || self.audiences.iter().any(String::is_empty) {
            problems.push(match ours {
                true => ConfigProblem::TokensAudience,
                false => ConfigProblem::Audience,
            });
        }
        if self.leeway > LONGEST_LEEWAY {
            problems.push(ConfigProblem::Leeway);
        }
        if self.max_age.is_some_and(|age| age < Duration::from_secs(1)) {
            problems.push(ConfigProblem::MaxAge);
        }
        if self.token_type.as_deref() == Some("") {
            problems.push(ConfigProblem::TokenType);
        }
        if !self.claim_names().are_sound() {
            problems.push(ConfigProblem::ClaimName);
        }
        let names = [&self.scope_claim, &self.role_claim];
        let paths = names.into_iter().filter(|name| is_path(name));
        problems.extend(paths.map(|path| ConfigProblem::ClaimPath(path.clone())));
        problems.extend(self.sources.iter().filter_map(Source::problem));
        if self.sources.is_empty() {
            problems.push(ConfigProblem::NoSource(match ours {
                true => "a Tokens",
                false => "a Jwt",
            }));
        }
        problems
    }

    /// `ours` makes it the policy of tokens that we issue.
    pub(super) fn build(self, ours: Option<Ours>) -> Result<Policy, Vec<ConfigProblem>> {
        let mut problems = self.problems_but_keys(ours.is_some());
        let keys = KeySet::build(&self.keys).unwrap_or_else(|found| {
            problems.extend(found);
            KeySet::default()
        });
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Policy {
            issuer: intern::text(&self.issuer),
            audiences: self.audiences,
            keys,
            leeway: self.leeway,
            max_age: self.max_age,
            token_type: self.token_type,
            scope_claim: self.scope_claim,
            role_claim: self.role_claim,
            reads_bearer: self.sources.contains(&Source::bearer()),
            sources: self.sources,
            ours,
        })
    }
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwt")
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

/// A [`Jwt`] that was found sound.
#[derive(Debug)]
pub(crate) struct Policy {
    issuer: &'static str,
    audiences: Vec<String>,
    keys: KeySet,
    leeway: Duration,
    max_age: Option<Duration>,
    token_type: Option<String>,
    scope_claim: String,
    role_claim: String,
    /// What nearly all tokens ask.
    reads_bearer: bool,
    sources: Vec<Source>,
    ours: Option<Ours>,
}

/// A token whose signature and claims are right.
pub(super) enum Verified {
    /// It is good.
    Live(TokenIdentity),
    /// It is one of ours, and memory cannot tell whether it was revoked.
    Ask(TokenIdentity, IssuedIds),
}

impl Policy {
    pub(super) fn issuer(&self) -> &str {
        self.issuer
    }

    /// Whether its tokens are read there.
    #[inline]
    pub(super) fn reads(&self, source: &Source) -> bool {
        (self.reads_bearer && source.is_bearer()) || self.sources.contains(source)
    }

    pub(super) fn read_at(&self) -> &[Source] {
        &self.sources
    }

    pub(super) fn ours(&self) -> Option<&Ours> {
        self.ours.as_ref()
    }

    pub(super) fn verify(&self, parts: Parts<'_>, now: SystemTime) -> Result<Verified, Rejection> {
        let payload = self.genuine(parts)?;
        let claims = self.checked(&payload, TokenUse::ACCESS, now)?;
        let issued = match &self.ours {
            None => None,
            Some(ours) => Some((use_of(&claims)?, ours.look_up(&claims, now)?)),
        };
        let scopes = claims.scope.map(|scope| match scope {
            super::strict::OneOrMany::One(text) => Scopes::parse(&text),
            many => many.iter().collect(),
        });
        let roles = claims.roles.map(|roles| roles.iter().collect::<Roles>());
        let identity = TokenIdentity {
            subject: claims.sub.map(subject_of).ok_or_else(|| refused("sub"))?,
            issuer: self.issuer,
            scopes: scopes.unwrap_or_default(),
            roles: roles.unwrap_or_default(),
            issued: issued.as_ref().map(|(is, _)| *is),
            claims: payload,
        };
        Ok(match issued {
            Some((_, Some(ids))) => Verified::Ask(identity, ids),
            _ => Verified::Live(identity),
        })
    }

    /// The ids of a token of ours of one of these uses, whether or not it was revoked.
    pub(super) fn issued(
        &self,
        parts: Parts<'_>,
        uses: &[TokenUse],
        now: SystemTime,
    ) -> Result<(Subject, IssuedIds), Rejection> {
        let payload = self.genuine(parts)?;
        let claims = self.checked(&payload, uses, now)?;
        let ids = IssuedIds::of(&claims)?;
        Ok((
            claims.sub.map(subject_of).ok_or_else(|| refused("sub"))?,
            ids,
        ))
    }

    /// Signature first: nothing about a forged token is told, and nothing in it is read.
    fn genuine(&self, parts: Parts<'_>) -> Result<String, Rejection> {
        self.key(parts.header)?.verify(parts)?;
        decoded(parts.payload)
    }

    fn checked<'p>(
        &'p self,
        payload: &'p str,
        uses: &[TokenUse],
        now: SystemTime,
    ) -> Result<Claims<'p>, Rejection> {
        let claims = Claims::parse(payload, self.claim_names())?;
        self.check(&claims, uses, since_1970(now))?;
        Ok(claims)
    }

    fn claim_names(&self) -> Names<'_> {
        Names {
            scope: &self.scope_claim,
            roles: &self.role_claim,
            sid: self.ours.is_some(),
        }
    }

    fn key(&self, header: &[u8]) -> Result<&Key, Rejection> {
        match self.keys.seen(header) {
            Some(key) => Ok(key),
            None => with_header(header, |header| {
                self.check_type(header.typ.as_deref())?;
                let key = self
                    .keys
                    .choose(header.alg.as_deref(), header.kid.as_deref());
                key.map_err(Rejection::from)
            }),
        }
    }

    /// `typ` is compared without regard to case, and `application/` may be left out (RFC 7515
    /// §4.1.9).
    fn check_type(&self, typ: Option<&str>) -> Result<(), Rejection> {
        let is = |expected: &str| {
            typ.is_some_and(|typ| {
                short_media_type(typ).eq_ignore_ascii_case(short_media_type(expected))
            })
        };
        let accepted = match &self.token_type {
            Some(required) => is(required),
            None => typ.is_none() || is("JWT") || is("at+jwt"),
        };
        if accepted {
            Ok(())
        } else {
            Err(refused("typ"))
        }
    }

    fn check(
        &self,
        claims: &Claims<'_>,
        uses: &[TokenUse],
        now: Duration,
    ) -> Result<(), Rejection> {
        if claims.iss.as_deref() != Some(self.issuer) {
            return Err(refused("iss"));
        }
        if claims.sub.as_deref().is_none_or(str::is_empty) {
            return Err(refused("sub"));
        }
        self.check_audience(claims)?;
        match &self.ours {
            Some(_) if !uses.contains(&use_of(claims)?) => return Err(refused("token_type")),
            Some(_) => {}
            None => check_use(claims)?,
        }
        self.check_times(claims, now)
    }

    fn check_audience(&self, claims: &Claims<'_>) -> Result<(), Rejection> {
        if self.audiences.is_empty() {
            return Ok(());
        }
        let audience = claims.aud.as_ref().ok_or_else(|| refused("aud"))?;
        let named = audience
            .iter()
            .any(|named| self.audiences.iter().any(|ours| ours == named));
        if named { Ok(()) } else { Err(refused("aud")) }
    }

    /// Expiry last, so that only a token that is right in all else is told that it is expired.
    fn check_times(&self, claims: &Claims<'_>, now: Duration) -> Result<(), Rejection> {
        let latest = now.saturating_add(self.leeway);
        if claims.nbf.is_some_and(|nbf| nbf > latest) {
            return Err(refused("nbf"));
        }
        // Of ours it was this clock that wrote it, or that of a machine beside this one: it says
        // nothing that the ids do not.
        if self.ours.is_none() && claims.iat.is_some_and(|iat| iat > latest) {
            return Err(refused("iat"));
        }
        if let Some(age) = self.max_age {
            let issued = claims.iat.ok_or_else(|| refused("iat"))?;
            if issued.saturating_add(age).saturating_add(self.leeway) <= now {
                return Err(refused("max age"));
            }
        }
        let expires = claims.exp.ok_or_else(|| refused("exp"))?;
        // RFC 7519 §4.1.4: "on or after which" it is not accepted.
        if expires.saturating_add(self.leeway) <= now {
            return Err(Rejection::expired_token(UNIX_EPOCH + expires));
        }
        Ok(())
    }
}

/// A token of another issuer that calls itself something other than an access token.
fn check_use(claims: &Claims<'_>) -> Result<(), Rejection> {
    if claims
        .token_type
        .as_deref()
        .is_some_and(|is| is != "access" && !is.eq_ignore_ascii_case("Bearer"))
    {
        return Err(refused("token_type"));
    }
    if claims.token_use.as_deref().is_some_and(|is| is != "access") {
        return Err(refused("token_use"));
    }
    // Keycloak's access tokens say `Bearer`; those that say `ID`, `Refresh`, `Offline`, `Logout` or
    // anything else are for another use.
    let fits = |typ: &str| {
        ["Bearer", "access", "JWT", "at+jwt"]
            .iter()
            .any(|known| short_media_type(typ).eq_ignore_ascii_case(known))
    };
    if claims.typ.as_deref().is_some_and(|typ| !fits(typ)) {
        return Err(refused("typ"));
    }
    Ok(())
}

fn subject_of(sub: Cow<'_, str>) -> Subject {
    Subject::user(sub)
}

/// Whether it is a path into a claim that known issuers write as an object (Keycloak, Auth0,
/// Supabase). Other names may have dots.
fn is_path(name: &str) -> bool {
    const OBJECTS: [&str; 4] = [
        "realm_access",
        "resource_access",
        "app_metadata",
        "user_metadata",
    ];
    let first = name.split_once('.').map(|(first, _)| first);
    first.is_some_and(|first| OBJECTS.contains(&first))
}

fn short_media_type(typ: &str) -> &str {
    const APPLICATION: &str = "application/";
    match typ.split_at_checked(APPLICATION.len()) {
        Some((head, rest)) if head.eq_ignore_ascii_case(APPLICATION) && !rest.contains('/') => rest,
        _ => typ,
    }
}
