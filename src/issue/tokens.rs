use super::Grant;
use super::claims::Names;
use super::grant::{GrantOf, granted_to};
use super::key_rotation::{KeyRotation, StoredKeys};
use super::mint::{Mint, SimpleJwtPolicy};
use super::rotation::Rotation;
use super::signing::Signing;
use super::simple_jwt::SimpleJwt;
use crate::config::ConfigProblem;
use crate::credential::Source;
use crate::event::Events;
use crate::key_set::{JwtKey, KeyRing, KeySet, KeySource, LiveKeys, SigningKey};
use crate::reject::Rejection;
use crate::scheme::jwt::Jwt;
use crate::scheme::{CACHE_BYTES, OurPolicy, Ours, SimpleJwtUsers};
use crate::store::{Guard, Stores, UserRecord};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a family may live, however often it is rotated, unless a single refresh token may live
/// longer.
const LONGEST_FAMILY: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Tokens that we issue and accept: pairs of a short-lived access token and a refresh token, and
/// private tokens.
///
/// ```text
/// sign-in ─→ access (Bearer)   token_type access    sid = the family
///        └─→ refresh           token_type refresh   sid = the family, jti = its place in it
/// owner ───→ private (Bearer)  token_type private   no family, revoked by its own id
/// ```
///
/// All are JWTs (RFC 7519) with `iss`, `sub`, `jti`, `iat` and `exp`, with `scope` and `roles`
/// where there are any, and with the application's own claims. None passes for another:
/// `token_type` is required and compared.
///
/// - A refresh token is good once: it is rotated (RFC 9700 §4.14.2). Within the
///   [`grace`](Self::grace) its predecessor gets the same successor again; after that, or once the
///   successor was used, a predecessor that comes again revokes the family.
/// - What was revoked is refused by the next request, from memory.
/// - Nothing usable is stored: ids and times, and private keys ([`rotating`](Self::rotating)) only
///   sealed, by a secret that the store never sees.
///
/// ```
/// use std::time::Duration;
/// use tower_auth::store::Memory;
/// use tower_auth::{AuthLayer, Grant, Realm, Subject, Tokens, random_secret};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let secret = random_secret()?; // a real service has it in its environment
/// let tokens = Realm::new(Memory::new()).tokens(
///     Tokens::hs256(secret.expose())
///         .issuer("https://api.example.com")
///         .access_lifetime(Duration::from_secs(30 * 60)),
/// );
/// let auth = AuthLayer::builder().accept(&tokens).build()?;
///
/// let first = tokens.issue(Grant::new(Subject::user("7")).scope("reports:read")).await?;
/// let second = tokens.refresh(first.refresh().expect("a pair").expose()).await?;
/// assert_ne!(first.access().expose(), second.access().expose());
/// assert!(tokens.refresh("garbage").await.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
#[must_use]
pub struct Tokens {
    keys: Keys,
    next: Vec<SigningKey>,
    retired: Vec<JwtKey>,
    grant: Option<GrantOf>,
    issuer: String,
    audience: Option<String>,
    access_lifetime: Duration,
    refresh_lifetime: Duration,
    private_lifetime: Duration,
    private_per_owner: usize,
    rotation: Rotation,
    grace: Duration,
    scope_claim: String,
    role_claim: String,
    sources: Vec<Source>,
    cache_bytes: u64,
    simplejwt: Option<SimpleJwt>,
}

/// What tokens are signed with.
#[derive(Clone, Debug)]
enum Keys {
    Fixed(SigningKey),
    Rotating(KeyRotation),
}

impl Tokens {
    /// Tokens signed with HS256 under a secret of at least 32 random bytes.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Self {
        Self::new(SigningKey::hs256(secret))
    }

    /// Tokens signed with this key.
    pub fn new(key: SigningKey) -> Self {
        Self::signed_with(Keys::Fixed(key))
    }

    /// Tokens signed with key pairs that this crate makes, publishes and replaces by a schedule,
    /// and keeps in the realm's store of signing keys
    /// ([`SigningKeyStore`](crate::store::SigningKeyStore)).
    ///
    /// A key that tokens were signed with before goes on verifying as a
    /// [`retired_key`](Self::retired_key).
    pub fn rotating(keys: KeyRotation) -> Self {
        Self::signed_with(Keys::Rotating(keys))
    }

    fn signed_with(keys: Keys) -> Self {
        Self {
            keys,
            next: Vec::new(),
            retired: Vec::new(),
            grant: None,
            issuer: String::new(),
            audience: None,
            access_lifetime: 15 * MINUTE,
            refresh_lifetime: 30 * DAY,
            private_lifetime: 366 * DAY,
            private_per_owner: 100,
            rotation: Rotation::On,
            grace: Duration::from_secs(10),
            scope_claim: String::from("scope"),
            role_claim: String::from("roles"),
            sources: vec![Source::bearer()],
            cache_bytes: CACHE_BYTES,
            simplejwt: None,
        }
    }

    /// What the tokens of a user are to say, given all that the user has: to add claims, or to
    /// grant less.
    pub fn grant(
        mut self,
        grant: impl Fn(&UserRecord, Grant) -> Result<Grant, Rejection> + Send + Sync + 'static,
    ) -> Self {
        self.grant = Some(Arc::new(grant));
        self
    }

    /// Who issues them: `iss`.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// Whom they are for: `aud`, required of each where it is set.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// A key that will sign next: its tokens are accepted, and the JWKS shows it, so that verifiers
    /// know it in time.
    pub fn next_key(mut self, key: SigningKey) -> Self {
        self.next.push(key);
        self
    }

    /// A key that signs no more: its tokens are accepted until they expire.
    pub fn retired_key(mut self, key: JwtKey) -> Self {
        self.retired.push(key);
        self
    }

    /// How long an access token lives; 15 minutes by default. Revoked ids are remembered for this
    /// time and one minute more, because clocks differ. Before you start to use a shorter time,
    /// wait until the older tokens have expired.
    pub fn access_lifetime(mut self, lifetime: Duration) -> Self {
        self.access_lifetime = lifetime;
        self
    }

    /// How long a refresh token lives; 30 days by default. A family lives at most the longer of
    /// this and 90 days.
    pub fn refresh_lifetime(mut self, lifetime: Duration) -> Self {
        self.refresh_lifetime = lifetime;
        self
    }

    /// How long a private token may live at most; 366 days by default.
    pub fn private_lifetime(mut self, lifetime: Duration) -> Self {
        self.private_lifetime = lifetime;
        self
    }

    /// How many private tokens an owner may have that are good, where a caller asks for them
    /// ([`TokenIssuer::on_behalf_of`](crate::TokenIssuer::on_behalf_of)); 100 by default, and ten
    /// times as many that have not expired, revoked ones included, because every node remembers
    /// these. What the application makes itself is not bounded.
    pub fn private_per_owner(mut self, most: usize) -> Self {
        self.private_per_owner = most;
        self
    }

    /// A refresh token stays good until it expires, and a refresh gives an access token alone.
    ///
    /// Then nothing shows that one was stolen: RFC 9700 §2.2.2 asks for rotation with public
    /// clients.
    pub fn without_rotation(mut self) -> Self {
        self.rotation = Rotation::Off;
        self
    }

    /// How long after a rotation the predecessor gets the same successor again (two tabs, a lost
    /// answer); 10 seconds by default, 0 for never.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
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

    /// Where access and private tokens are read; as [`Source::bearer`] alone by default. Anywhere
    /// else they are refused.
    pub fn sources(mut self, sources: impl IntoIterator<Item = Source>) -> Self {
        self.sources = sources.into_iter().collect();
        self
    }

    /// How much memory may be taken by what is kept of access and private tokens that were
    /// verified, so that they are not verified anew each time; 16 MiB by default, as in
    /// [`Jwt::cache_bytes`](crate::Jwt::cache_bytes), and 0 verifies each whenever it comes.
    pub fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// Accepts besides what djangorestframework-simplejwt issued, until it expires: access tokens
    /// wherever ours are read, and refresh tokens in exchange for ours. No such token is accepted
    /// otherwise.
    ///
    /// The realm needs a store of users, who are asked about whenever such a token comes.
    pub fn simplejwt(mut self, old: SimpleJwt) -> Self {
        self.simplejwt = Some(old);
        self
    }

    pub(super) fn lifetime_of_access(&self) -> Duration {
        self.access_lifetime
    }

    /// All mistakes at once.
    pub(super) fn build(
        self,
        stores: &Stores,
        guard: Guard,
        events: &Events,
    ) -> Result<Mint, Vec<ConfigProblem>> {
        let mut problems = self.wrong_lifetimes();
        let store = stores.token_store();
        if store.is_none() {
            problems.push(ConfigProblem::NoStore("tokens"));
        }
        let mut jwt = Jwt::new()
            .issuer(self.issuer.clone())
            .leeway(Duration::ZERO)
            .sources(self.sources.clone())
            .cache_bytes(self.cache_bytes)
            .scope_claim(self.scope_claim.clone())
            .role_claim(self.role_claim.clone());
        if let Some(audience) = &self.audience {
            jwt = jwt.audience(audience.clone());
        }
        let signing = match self.signing(stores, guard.clone(), events) {
            Ok(signing) => Some(signing),
            Err(found) => {
                problems.extend(found);
                None
            }
        };
        let simplejwt = self
            .simplejwt_policy(stores, guard.clone())
            .unwrap_or_else(|found| {
                problems.extend(found);
                None
            });
        let Some((signing, store)) = signing.zip(store) else {
            // The rest of the policy is looked at without keys.
            problems.extend(jwt.problems_but_keys(true));
            return Err(problems);
        };
        let private_store = stores.private_token_store().cloned();
        let ours = Ours::new(Arc::clone(store), private_store, guard);
        let policy = match &signing {
            Signing::Fixed(ring) => {
                let jwt = ring.verifying_keys().into_iter().fold(jwt, Jwt::key);
                OurPolicy::build(jwt, ours.clone())
            }
            Signing::Rotating { live, .. } => {
                OurPolicy::build_live(jwt, Arc::clone(live), ours.clone())
            }
        };
        let policy = match policy {
            Ok(policy) if problems.is_empty() => policy,
            Ok(_) => return Err(problems),
            Err(found) => {
                problems.extend(found);
                return Err(problems);
            }
        };
        Ok(Mint {
            signing,
            policy,
            simplejwt,
            ours,
            grant: self.grant,
            names: Names {
                issuer: self.issuer,
                audience: self.audience,
                scopes: self.scope_claim,
                roles: self.role_claim,
            },
            access_lifetime: self.access_lifetime,
            refresh_lifetime: self.refresh_lifetime,
            // A family has to outlive its first refresh token, or that would be good for less than
            // it says.
            family_lifetime: self.refresh_lifetime.max(LONGEST_FAMILY),
            private_lifetime: self.private_lifetime,
            private_per_owner: self.private_per_owner,
            rotation: self.rotation,
            grace: self.grace,
        })
    }

    /// What verifies tokens of simplejwt, where they are accepted.
    fn simplejwt_policy(
        &self,
        stores: &Stores,
        guard: Guard,
    ) -> Result<Option<SimpleJwtPolicy>, Vec<ConfigProblem>> {
        let Some(old) = self.simplejwt.clone() else {
            return Ok(None);
        };
        let Some(users) = stores.managed_user_store() else {
            return Err(vec![ConfigProblem::NoStore("managed users")]);
        };
        // That there is no issuer, or no store of tokens, is told once.
        let Some(tokens) = stores.token_store().filter(|_| !self.issuer.is_empty()) else {
            return Ok(None);
        };
        let (tokens, users) = (Arc::clone(tokens), Arc::clone(users));
        let grant = self.grant.clone();
        let rights = Arc::new(move |user: &UserRecord| {
            let granted = granted_to(user, grant.as_ref())?;
            Ok((granted.scopes, granted.roles))
        });
        let users = SimpleJwtUsers::new(Arc::clone(&tokens), users, guard.clone(), rights);
        let ours = Ours::new(tokens, None, guard).of_simplejwt(users.clone());
        let jwt = old.policy(&self.issuer).sources(self.sources.clone());
        let policy = OurPolicy::build(jwt.cache_bytes(self.cache_bytes), ours)?;
        Ok(Some(SimpleJwtPolicy { policy, users }))
    }

    fn signing(
        &self,
        stores: &Stores,
        guard: Guard,
        events: &Events,
    ) -> Result<Signing, Vec<ConfigProblem>> {
        match &self.keys {
            Keys::Fixed(key) => {
                let (next, retired) = (self.next.clone(), self.retired.clone());
                KeyRing::build(key.clone(), next, retired).map(Signing::Fixed)
            }
            Keys::Rotating(rotation) => self.rotating_keys(rotation, stores, guard, events),
        }
    }

    fn rotating_keys(
        &self,
        rotation: &KeyRotation,
        stores: &Stores,
        guard: Guard,
        events: &Events,
    ) -> Result<Signing, Vec<ConfigProblem>> {
        let mut problems = Vec::new();
        if !self.next.is_empty() {
            problems.push(ConfigProblem::NextKeyOfRotation);
        }
        let store = stores.signing_key_store();
        if store.is_none() {
            problems.push(ConfigProblem::NoStore("signing keys"));
        }
        // Keys that are made have an id, and beside them a key without one would never be chosen.
        let retired = self.retired.iter().cloned().map(JwtKey::or_thumbprint);
        let retired: Vec<JwtKey> = retired.collect();
        if !retired.is_empty() {
            problems.extend(KeySet::build(&retired).err().into_iter().flatten());
        }
        // A key verifies until the last token that it may have signed has expired, whatever kind
        // that is.
        let longest = self.access_lifetime.max(self.refresh_lifetime);
        match (rotation.build(longest.max(self.private_lifetime)), store) {
            (Ok(rotation), Some(store)) if problems.is_empty() => {
                let limits = rotation.live_limits();
                let store = Arc::clone(store);
                let stored = StoredKeys::new(&self.issuer, rotation, store, guard, events.clone());
                let stored = Arc::new(stored.beside(retired));
                let source = Arc::clone(&stored) as Arc<dyn KeySource>;
                let live = LiveKeys::new(source, limits);
                Ok(Signing::Rotating { stored, live })
            }
            (built, _) => {
                problems.extend(built.err().into_iter().flatten());
                Err(problems)
            }
        }
    }

    fn wrong_lifetimes(&self) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        for (name, lifetime) in [
            ("access_lifetime", self.access_lifetime),
            ("refresh_lifetime", self.refresh_lifetime),
            ("private_lifetime", self.private_lifetime),
        ] {
            if lifetime < Duration::from_secs(1) {
                problems.push(ConfigProblem::Zero(name));
            }
        }
        if self.private_per_owner == 0 {
            problems.push(ConfigProblem::Zero("private_per_owner"));
        }
        if self.access_lifetime > self.refresh_lifetime {
            problems.push(ConfigProblem::Lifetimes);
        }
        problems
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("keys", &self.keys)
            .field("access_lifetime", &self.access_lifetime)
            .field("refresh_lifetime", &self.refresh_lifetime)
            .field("rotation", &self.rotation)
            .finish_non_exhaustive()
    }
}
