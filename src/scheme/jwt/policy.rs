use super::cache::{Cache, Entry, Sought, Trace};
use super::claims::{Claims, Times};
use super::header::with_header;
use super::issuer::Issuer;
use super::ours::{IssuedIds, Ours, ReadToken, ids, use_of};
use super::reading::Reading;
use super::sender::Senders;
use super::simplejwt::with_family;
use super::strict::OneOrMany;
use super::token_facts::TokenFacts;
use super::verified_token::{Terms, VerifiedToken};
use crate::attempt::Origin;
use crate::clock::since_1970;
use crate::credential::Source;
use crate::key_set::{Key, KeySet, LiveKeys, Parts, Unchosen, decoded, refused};
use crate::metrics::{Gauge, Meter};
use crate::principal::{Subject, TokenIdentity, TokenUse};
use crate::reject::{Rejection, RejectionKind};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The application's function for claims that no path reaches.
pub(super) type ReadClaims =
    Arc<dyn Fn(&mut TokenFacts<'_>) -> Result<(), Rejection> + Send + Sync>;

/// A [`Jwt`](super::Jwt) that was found sound.
pub(crate) struct Policy {
    pub(super) issuer: Issuer,
    pub(super) audiences: Vec<String>,
    pub(super) keys: Keys,
    pub(super) leeway: Duration,
    pub(super) max_age: Option<Duration>,
    pub(super) token_type: Option<String>,
    pub(super) profile: Profile,
    /// Whether another claim than `sub` says who it is.
    pub(super) takes_subject_elsewhere: bool,
    pub(super) reading: Reading,
    pub(super) read_claims: Option<ReadClaims>,
    /// What nearly all tokens ask.
    pub(super) reads_bearer: bool,
    pub(super) sources: Vec<Source>,
    pub(super) ours: Option<Ours>,
    /// Tokens that were verified; `None` where none are remembered.
    pub(super) cache: Option<Cache<VerifiedToken>>,
    pub(super) senders: Senders,
}

/// The keys of an issuer.
#[derive(Debug)]
pub(super) enum Keys {
    /// Those that were configured.
    Fixed(KeySet),
    /// Those that are loaded while the process runs.
    Live(Arc<LiveKeys>),
}

/// The number of a set of keys that never changes.
const FIXED: u64 = 0;

impl Keys {
    /// The number of the set that may be used now, where there is one.
    #[inline]
    fn generation(&self, now: SystemTime) -> Option<u64> {
        match self {
            Self::Fixed(_) => Some(FIXED),
            Self::Live(keys) => keys.generation(now),
        }
    }
}

/// What a token has to say besides what every one needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    Any,
    /// A JWT access token of RFC 9068.
    Rfc9068,
    /// What an issuer says of an opaque token, which is known to be its: `iss` and `exp` may be
    /// missing (RFC 7662 §2.2).
    Introspected,
    /// A token of djangorestframework-simplejwt: it names neither issuer nor audience.
    SimpleJwt,
}

/// A token that waits for keys, and where it comes from.
pub(super) struct Presented {
    pub(super) bytes: Vec<u8>,
    /// `None` where it was presented to an endpoint, which counts by itself.
    pub(super) origin: Option<Origin>,
}

/// What memory says of a token.
pub(super) enum Verified {
    /// It is good.
    Live(Arc<TokenIdentity>),
    /// Its signature and claims are right. It is one of ours, and memory cannot tell whether it was
    /// revoked.
    Ask(Arc<TokenIdentity>, IssuedIds),
    /// The keys of its issuer have to be loaded first: there are none, or the token names another.
    Load,
}

impl Policy {
    /// Whether a token that names this issuer, or none, may be one of these, before anything about
    /// it is verified.
    pub(super) fn may_be_of(&self, claimed: Option<&str>) -> bool {
        match claimed {
            Some(claimed) => !self.names_no_issuer() && self.issuer.may_be(claimed),
            None => self.names_no_issuer(),
        }
    }

    /// The issuer of whose tokens none could say which of two policies is meant.
    pub(super) fn shared_issuer(&self, other: &Self) -> Option<&'static str> {
        match (self.names_no_issuer(), other.names_no_issuer()) {
            (true, true) => Some(self.issuer()),
            (false, false) => self.issuer.shared_with(&other.issuer),
            _ => None,
        }
    }

    fn names_no_issuer(&self) -> bool {
        self.profile == Profile::SimpleJwt
    }

    /// As it was configured.
    pub(super) fn issuer(&self) -> &'static str {
        self.issuer.configured()
    }

    /// Whether its tokens are read there.
    #[inline]
    pub(super) fn reads(&self, source: &Source) -> bool {
        (self.reads_bearer && source.is_bearer()) || self.sources.contains(source)
    }

    pub(super) fn read_at(&self) -> &[Source] {
        &self.sources
    }

    /// Keys that are loaded.
    pub(super) fn live_keys(&self) -> Option<Arc<LiveKeys>> {
        match &self.keys {
            Keys::Fixed(_) => None,
            Keys::Live(keys) => Some(Arc::clone(keys)),
        }
    }

    /// Has a meter show what it holds in memory.
    pub(super) fn measure_by(self: &Arc<Self>, meter: &Meter) {
        let policy = Arc::downgrade(self);
        meter.read_off(Gauge::TokenCache, move || {
            let policy = policy.upgrade()?;
            Some(policy.cache.as_ref()?.bytes() as f64)
        });
        if let Keys::Live(keys) = &self.keys {
            keys.measure_by(meter);
        }
    }

    /// What is known of exactly this token, if it was verified before by the keys that there are.
    #[inline]
    pub(super) fn remembered(
        &self,
        token: &Sought<'_>,
        now: SystemTime,
    ) -> Option<Arc<VerifiedToken>> {
        let cache = self.cache.as_ref()?;
        cache.find(token, self.keys.generation(now)?)
    }

    /// Keeps nothing of a token that will never be good again.
    pub(super) fn forget_if_over(&self, token: Trace, refusal: &Rejection) {
        let is_over = matches!(
            refusal.kind(),
            RejectionKind::ExpiredToken | RejectionKind::RevokedToken
        );
        if let Some(cache) = &self.cache
            && is_over
        {
            cache.forget(token);
        }
    }

    /// Judges a token that was verified before: by all that may have changed since.
    pub(super) fn verify_again(
        &self,
        remembered: &VerifiedToken,
        now: SystemTime,
    ) -> Result<Verified, Rejection> {
        let VerifiedToken { identity, terms } = remembered;
        if !self.issuer.includes(identity.issuer) {
            return Err(refused("iss"));
        }
        self.check_audience(terms.audience.as_ref(), terms.is_for_us)?;
        let since = since_1970(now);
        self.check_beginning(terms.times, since)?;
        self.check_expiry(terms.times.exp, since)?;
        if let (Some(ours), Some(ids)) = (&self.ours, &terms.ids)
            && !ours.look_up(ids.borrowed(), now)?
        {
            return Ok(Verified::Ask(Arc::clone(identity), ids.clone()));
        }
        Ok(Verified::Live(Arc::clone(identity)))
    }

    /// Judges a token by what memory has.
    pub(super) fn verify(
        &self,
        token: &Sought<'_>,
        now: SystemTime,
    ) -> Result<Verified, Rejection> {
        let held;
        let (generation, set) = match &self.keys {
            Keys::Fixed(set) => (FIXED, set),
            Keys::Live(keys) => {
                let current = keys.generation(now).and_then(|_| keys.current());
                let Some((generation, set)) = current else {
                    return Ok(Verified::Load);
                };
                held = set;
                (generation, &*held)
            }
        };
        match (self.key(set, *token.parts())?, &self.keys) {
            (Ok(key), _) => self.verify_by(key, generation, token, now),
            (Err(Unchosen::Unknown(_)), Keys::Live(_)) => Ok(Verified::Load),
            (Err(unchosen), _) => Err(unchosen.into()),
        }
    }

    /// The same, with keys that are loaded where they have to be. A token that names an unknown key
    /// counts as an attempt of where it comes from, so that no one address has the keys loaded
    /// again and again.
    pub(super) async fn verify_loading(
        &self,
        token: &Presented,
        now: SystemTime,
    ) -> Result<Arc<TokenIdentity>, Rejection> {
        let (generation, set) = self.loaded(token, now).await?;
        let verified = {
            let token = Sought::new(Parts::split(&token.bytes)?);
            let key = self.key(&set, *token.parts())??;
            self.verify_by(key, generation, &token, now)?
        };
        match verified {
            Verified::Live(identity) => Ok(identity),
            Verified::Ask(identity, ids) => self.ask(identity, &ids, now).await,
            // OK because a key was there: a refusal is all that is left to say.
            Verified::Load => Err(refused("kid")),
        }
    }

    /// What the stores say of one of ours, where memory cannot tell: it is refused where it was
    /// revoked.
    pub(super) async fn ask(
        &self,
        identity: Arc<TokenIdentity>,
        ids: &IssuedIds,
        now: SystemTime,
    ) -> Result<Arc<TokenIdentity>, Rejection> {
        match &self.ours {
            Some(ours) => ours.judge(identity, ids, now).await,
            None => Ok(identity),
        }
    }

    /// A set that has the key of a token, and its number, loaded now if that is allowed.
    async fn loaded(
        &self,
        token: &Presented,
        now: SystemTime,
    ) -> Result<(u64, Arc<KeySet>), Rejection> {
        let Keys::Live(keys) = &self.keys else {
            return Err(refused("kid"));
        };
        let (generation, set) = keys.usable(now).await?;
        let unchosen = self.key(&set, Parts::split(&token.bytes)?)?.err();
        match unchosen {
            None => Ok((generation, set)),
            Some(Unchosen::Impossible(reason)) => Err(refused(reason)),
            Some(Unchosen::Unknown(_)) => {
                // It counts as an attempt of its address until its key is found. Else one address
                // could use up every load that the cooldown allows.
                let ticket = match &token.origin {
                    Some(origin) => Some(origin.enter("Bearer", &token.bytes)?),
                    None => None,
                };
                let newer = keys.newer(generation, now).await;
                let found = self.with_key_of(token, newer);
                if let Some(ticket) = ticket {
                    ticket.conclude(&found);
                }
                found
            }
        }
    }

    fn with_key_of(
        &self,
        token: &Presented,
        loaded: Result<(u64, Arc<KeySet>), Rejection>,
    ) -> Result<(u64, Arc<KeySet>), Rejection> {
        let (generation, set) = loaded?;
        self.key(&set, Parts::split(&token.bytes)?)??;
        Ok((generation, set))
    }

    #[inline(always)] // what forged tokens cost counts, and most tokens come by one way
    fn verify_by(
        &self,
        key: &Key,
        generation: u64,
        token: &Sought<'_>,
        now: SystemTime,
    ) -> Result<Verified, Rejection> {
        let parts = *token.parts();
        // The signature comes first. Nothing in a forged token is read, and nothing about it is
        // told.
        key.verify(parts)?;
        let payload = decoded(parts.payload()?)?;
        let claims = self.checked(&payload, TokenUse::ACCESS, now)?;
        let mut issued = None;
        let mut ask = None;
        if let Some(ours) = &self.ours {
            issued = Some(use_of(&claims)?);
            ask = self.look_up(ours, &claims, now)?;
        }
        let terms = match self.is_worth_keeping(key, token, now) {
            true => {
                let ids = self.ours.is_some().then(|| self.ids_of(&claims));
                Some(Terms::of(&claims, ids.transpose()?))
            }
            false => None,
        };
        let issuer = self.issuer_of(&claims)?;
        let subject = self.subject(&claims)?;
        let scopes = claims.found.scopes;
        let roles = claims.found.roles;
        let confirmation = claims.confirmation;
        let claims = match &ask {
            // A session is known by `sid`, which tokens of simplejwt do not have. Without it nobody
            // could sign out of one.
            Some(ids) if self.profile == Profile::SimpleJwt => {
                with_family(&payload, ids.family.as_deref().unwrap_or_default())
            }
            _ => payload,
        };
        let identity = Arc::new(self.read_further(TokenIdentity {
            subject,
            issuer,
            scopes,
            roles,
            issued,
            confirmation,
            claims,
        })?);
        if let Some(terms) = terms {
            let identity = Arc::clone(&identity);
            self.keep(token, VerifiedToken { identity, terms }, generation, now);
        }
        Ok(match ask {
            Some(ids) => Verified::Ask(identity, ids),
            None => Verified::Live(identity),
        })
    }

    /// Refuses a revoked token of ours; its ids where a store has to be asked about it.
    #[inline]
    fn look_up(
        &self,
        ours: &Ours,
        claims: &Claims<'_>,
        now: SystemTime,
    ) -> Result<Option<IssuedIds>, Rejection> {
        if self.profile == Profile::SimpleJwt {
            let ids = self.ids_of(claims)?;
            ours.look_up(ids.borrowed(), now)?;
            return Ok(Some(ids));
        }
        match ours.look_up(ids(claims)?, now)? {
            true => Ok(None),
            false => self.ids_of(claims).map(Some),
        }
    }

    /// The ids of a token of ours.
    fn ids_of(&self, claims: &Claims<'_>) -> Result<IssuedIds, Rejection> {
        match self.profile {
            Profile::SimpleJwt => IssuedIds::of_simplejwt(claims, self.subject_text(claims)?),
            Profile::Any | Profile::Rfc9068 | Profile::Introspected => IssuedIds::of(claims),
        }
    }

    /// Judges what an issuer says of an opaque token, and gives until when it is one.
    pub(super) fn told(
        &self,
        said: String,
        now: SystemTime,
    ) -> Result<(TokenIdentity, Option<SystemTime>), Rejection> {
        let claims = self.checked(&said, TokenUse::ACCESS, now)?;
        let end = claims.exp.map(|exp| UNIX_EPOCH + exp);
        let issuer = self.issuer_of(&claims)?;
        let subject = self.subject(&claims)?;
        let found = claims.found;
        let identity = self.read_further(TokenIdentity {
            subject,
            issuer,
            scopes: found.scopes,
            roles: found.roles,
            issued: None,
            confirmation: claims.confirmation,
            claims: said,
        })?;
        Ok((identity, end))
    }

    /// What the application reads besides.
    fn read_further(&self, identity: TokenIdentity) -> Result<TokenIdentity, Rejection> {
        let Some(read) = &self.read_claims else {
            return Ok(identity);
        };
        let mut facts = TokenFacts {
            claims: &identity.claims,
            issuer: identity.issuer,
            subject: identity.subject,
            scopes: identity.scopes,
            roles: identity.roles,
        };
        read(&mut facts)?;
        let TokenFacts {
            subject,
            scopes,
            roles,
            ..
        } = facts;
        Ok(TokenIdentity {
            subject,
            scopes,
            roles,
            ..identity
        })
    }

    fn is_worth_keeping(&self, key: &Key, token: &Sought<'_>, now: SystemTime) -> bool {
        match &self.cache {
            None => false,
            // An HMAC is checked nearly as fast as a kept token is found. So a token under a secret
            // is kept when it comes a second time, and not before.
            Some(cache) => !key.algorithm().is_symmetric() || cache.note(token, since_1970(now)),
        }
    }

    fn keep(
        &self,
        token: &Sought<'_>,
        remembered: VerifiedToken,
        generation: u64,
        now: SystemTime,
    ) {
        let (Some(cache), Some(expires)) = (&self.cache, remembered.terms.times.exp) else {
            return;
        };
        let entry = Entry {
            bytes: remembered.bytes(),
            value: Arc::new(remembered),
            generation,
            // For so long the token is accepted, so for so long it is worth its place.
            ends: expires.saturating_add(self.leeway),
        };
        cache.keep(token, entry, since_1970(now));
    }

    /// What a token of ours of one of these uses says, whether or not it was revoked or has expired.
    pub(super) async fn issued(
        &self,
        token: &Presented,
        uses: &[TokenUse],
        now: SystemTime,
    ) -> Result<ReadToken, Rejection> {
        let loaded;
        let set = match &self.keys {
            Keys::Fixed(set) => set,
            Keys::Live(_) => {
                (_, loaded) = self.loaded(token, now).await?;
                &loaded
            }
        };
        let parts = Parts::split(&token.bytes)?;
        self.key(set, parts)??.verify(parts)?;
        let payload = decoded(parts.payload()?)?;
        let claims = self.read(&payload, uses, now)?;
        let expires = claims.exp.ok_or_else(|| refused("exp"))?;
        Ok(ReadToken {
            subject: self.subject(&claims)?,
            ids: self.ids_of(&claims)?,
            expires: UNIX_EPOCH + expires,
        })
    }

    fn checked<'p>(
        &'p self,
        payload: &'p str,
        uses: &[TokenUse],
        now: SystemTime,
    ) -> Result<Claims<'p>, Rejection> {
        let claims = self.read(payload, uses, now)?;
        // Last, so that only a token that is right in all else is told that it is expired.
        self.check_expiry(claims.exp, since_1970(now))?;
        Ok(claims)
    }

    /// The claims of a token that is right in all but its expiry, which is not judged.
    fn read<'p>(
        &'p self,
        payload: &'p str,
        uses: &[TokenUse],
        now: SystemTime,
    ) -> Result<Claims<'p>, Rejection> {
        let claims = Claims::parse(payload, &self.reading)?;
        self.check(&claims, uses, since_1970(now))?;
        Ok(claims)
    }

    /// The same token, unless it has expired.
    pub(super) fn unexpired(
        &self,
        token: ReadToken,
        now: SystemTime,
    ) -> Result<ReadToken, Rejection> {
        let expires = since_1970(token.expires);
        self.check_expiry(Some(expires), since_1970(now))?;
        Ok(token)
    }

    /// The key of a set that a header means, unless it is refused for what it says.
    fn key<'s>(
        &self,
        set: &'s KeySet,
        token: Parts<'_>,
    ) -> Result<Result<&'s Key, Unchosen>, Rejection> {
        match set.seen(token) {
            Some(key) => Ok(Ok(key)),
            None => with_header(token.header()?, |header| {
                self.check_type(header.typ.as_deref())?;
                Ok(set.choose(header.alg.as_deref(), header.kid.as_deref()))
            }),
        }
    }

    /// `typ` is compared without regard to case, and `application/` may be left out (RFC 7515
    /// §4.1.9).
    fn check_type(&self, typ: Option<&str>) -> Result<(), Rejection> {
        let accepted = match (&self.token_type, typ) {
            (Some(required), Some(typ)) => is_media_type(typ, required),
            (None, Some(typ)) if self.profile == Profile::Rfc9068 => is_media_type(typ, "at+jwt"),
            (None, Some(typ)) => is_media_type(typ, "JWT") || is_media_type(typ, "at+jwt"),
            (None, None) => self.profile != Profile::Rfc9068,
            (Some(_), None) => false,
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
        self.issuer_of(claims)?;
        self.subject_text(claims)?;
        self.check_audience(claims.aud.as_ref(), claims.found.is_for_us)?;
        if self.profile == Profile::SimpleJwt && claims.aud.is_some() {
            return Err(refused("aud"));
        }
        self.senders.accept(claims.confirmation.as_deref())?;
        if self.profile == Profile::Rfc9068 {
            check_rfc9068(claims)?;
        }
        match &self.ours {
            Some(_) if !uses.contains(&use_of(claims)?) => return Err(refused("token_type")),
            Some(_) => {}
            None => check_use(claims)?,
        }
        self.check_beginning(claims.times(), now)
    }

    fn issuer_of(&self, claims: &Claims<'_>) -> Result<&'static str, Rejection> {
        let claimed = match (&claims.iss, self.profile) {
            (Some(_), Profile::SimpleJwt) => return Err(refused("iss")),
            (Some(claimed), _) => claimed,
            (None, Profile::Introspected | Profile::SimpleJwt) => self.issuer.configured(),
            (None, _) => return Err(refused("iss")),
        };
        let accepted = self
            .issuer
            .accepted(claimed, claims.found.tenant.as_deref());
        accepted.ok_or_else(|| refused("iss"))
    }

    fn subject(&self, claims: &Claims<'_>) -> Result<Subject, Rejection> {
        self.subject_text(claims).map(Subject::user)
    }

    fn subject_text<'c>(&self, claims: &'c Claims<'_>) -> Result<&'c str, Rejection> {
        let text = match self.takes_subject_elsewhere {
            true => claims.found.subject.as_deref(),
            false => claims.sub.as_deref(),
        };
        text.filter(|text| !text.is_empty())
            .ok_or_else(|| refused("sub"))
    }

    /// `is_for_us`: what stands for a missing audience does.
    fn check_audience(
        &self,
        audience: Option<&OneOrMany<'_>>,
        is_for_us: bool,
    ) -> Result<(), Rejection> {
        if self.audiences.is_empty() && self.ours.is_some() {
            return Ok(());
        }
        let Some(audience) = audience else {
            return match is_for_us {
                true => Ok(()),
                false => Err(refused("aud")),
            };
        };
        if self.audiences.iter().any(|ours| audience.contains(ours)) {
            Ok(())
        } else {
            Err(refused("aud"))
        }
    }

    /// Refuses what is not good yet, or was issued too long ago.
    fn check_beginning(&self, times: Times, now: Duration) -> Result<(), Rejection> {
        let latest = now.saturating_add(self.leeway);
        if times.nbf.is_some_and(|nbf| nbf > latest) {
            return Err(refused("nbf"));
        }
        // Not of our own tokens: the clock of another node may be slightly ahead, and the signature
        // proves already that we issued them.
        if self.ours.is_none() && times.iat.is_some_and(|iat| iat > latest) {
            return Err(refused("iat"));
        }
        if let Some(age) = self.max_age {
            let issued = times.iat.ok_or_else(|| refused("iat"))?;
            if issued.saturating_add(age).saturating_add(self.leeway) <= now {
                return Err(refused("max age"));
            }
        }
        Ok(())
    }

    fn check_expiry(&self, expires: Option<Duration>, now: Duration) -> Result<(), Rejection> {
        let Some(expires) = expires else {
            return match self.profile {
                Profile::Introspected => Ok(()),
                _ => Err(refused("exp")),
            };
        };
        // RFC 7519 §4.1.4: "on or after which" it is not accepted.
        if expires.saturating_add(self.leeway) <= now {
            return Err(Rejection::expired_token(UNIX_EPOCH + expires));
        }
        Ok(())
    }
}

/// A token of another issuer that calls itself something other than an access token.
fn check_use(claims: &Claims<'_>) -> Result<(), Rejection> {
    if let Some(is) = claims.token_type.as_deref()
        && is != "access"
        && !is.eq_ignore_ascii_case("Bearer")
    {
        return Err(refused("token_type"));
    }
    // Cognito's access tokens say `access`, those of ORY Hydra `access_token`.
    if let Some(is) = claims.token_use.as_deref()
        && !["access", "access_token"].contains(&is)
    {
        return Err(refused("token_use"));
    }
    if let Some(typ) = claims.typ.as_deref()
        && !is_for_access(short_media_type(typ))
    {
        return Err(refused("typ"));
    }
    Ok(())
}

/// Keycloak's access tokens say `Bearer`; those that say `ID`, `Refresh`, `Offline`, `Logout` or
/// anything else are for another use.
fn is_for_access(typ: &str) -> bool {
    ["Bearer", "access", "JWT", "at+jwt"]
        .iter()
        .any(|known| typ.eq_ignore_ascii_case(known))
}

/// RFC 9068 §2.2: what an access token has besides the claims that every token needs.
fn check_rfc9068(claims: &Claims<'_>) -> Result<(), Rejection> {
    if claims.iat.is_none() {
        return Err(refused("iat"));
    }
    if claims.jti.as_deref().is_none_or(str::is_empty) {
        return Err(refused("jti"));
    }
    if claims.found.has_client {
        Ok(())
    } else {
        Err(refused("client_id"))
    }
}

fn is_media_type(typ: &str, expected: &str) -> bool {
    short_media_type(typ).eq_ignore_ascii_case(short_media_type(expected))
}

fn short_media_type(typ: &str) -> &str {
    const APPLICATION: &str = "application/";
    match typ.split_at_checked(APPLICATION.len()) {
        Some((head, rest)) if head.eq_ignore_ascii_case(APPLICATION) && !rest.contains('/') => rest,
        _ => typ,
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}
