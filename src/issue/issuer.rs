use super::claims::{Names, Stamp};
use super::grant::CLAIM_TAKEN;
use super::tokens::Rotation;
use super::{Grant, checked_name};
use crate::event::{Action, Events};
use crate::key_set::KeyRing;
use crate::principal::{Principal, Subject};
use crate::random;
use crate::reject::{FieldError, Rejection, RejectionKind};
use crate::scheme::{IssuedIds, OurPolicy, Ours, TokenUse, revoked};
use crate::secret::Secret;
use crate::store::{
    FamilyRecord, Guard, Known, Rotated, TokenRecord, TokenStore, UserStore, caught,
};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How much the clocks of two machines may differ, or of two requests that overlap.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// Issues, refreshes and revokes tokens, as [`Tokens`](super::Tokens) configures it.
/// [`AuthLayer::tokens`](crate::AuthLayer::tokens) gives it.
#[derive(Clone)]
pub struct TokenIssuer {
    parts: Arc<Parts>,
    /// Whose accounts are looked at when a token is refreshed.
    users: Option<Arc<dyn UserStore>>,
}

pub(super) struct Parts {
    pub(super) ring: KeyRing,
    pub(super) policy: OurPolicy,
    pub(super) ours: Ours,
    pub(super) events: Events,
    pub(super) names: Names,
    pub(super) access_lifetime: Duration,
    pub(super) refresh_lifetime: Duration,
    pub(super) family_lifetime: Duration,
    pub(super) private_lifetime: Duration,
    pub(super) rotation: Rotation,
    pub(super) grace: Duration,
}

/// An access token, and mostly a refresh token.
#[derive(Debug)]
#[must_use]
pub struct TokenPair {
    access: Secret<String>,
    refresh: Option<Secret<String>>,
    access_expires: SystemTime,
}

impl TokenPair {
    /// The access token, for `Authorization: Bearer`.
    #[must_use]
    pub fn access(&self) -> &Secret<String> {
        &self.access
    }

    /// The refresh token; `None` after a refresh without rotation, which leaves the former one good.
    #[must_use]
    pub fn refresh(&self) -> Option<&Secret<String>> {
        self.refresh.as_ref()
    }

    /// When the access token expires.
    #[must_use]
    pub fn access_expires(&self) -> SystemTime {
        self.access_expires
    }
}

/// A private token that was just made.
#[derive(Debug)]
#[non_exhaustive]
pub struct NewPrivateToken {
    /// The token, to be shown once.
    pub token: Secret<String>,
    /// What the store keeps of it.
    pub record: TokenRecord,
}

impl TokenIssuer {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            users: None,
        }
    }

    pub(crate) fn for_users(mut self, users: Arc<dyn UserStore>) -> Self {
        self.users = Some(users);
        self
    }

    pub(crate) fn policy(&self) -> &OurPolicy {
        &self.parts.policy
    }

    /// Begins a family: what a sign-in does.
    ///
    /// # Errors
    ///
    /// 400 where the subject is no user, for a `sub` has no room for another kind, or a claim is named like that of the scopes or
    /// the roles. 503 where the store fails.
    pub async fn issue(&self, grant: Grant, now: SystemTime) -> Result<TokenPair, Rejection> {
        check_grant(&grant, &self.parts.names)?;
        let (id, first) = (random::id()?, random::id()?);
        let family = FamilyRecord::new(
            id,
            grant.subject.clone(),
            grant.to_text(),
            now,
            later(now, self.parts.family_lifetime),
            first,
            later(now, self.parts.refresh_lifetime),
        );
        self.guard()
            .change(self.store().insert_family(family.clone(), now))
            .await?
            .found()?;
        let pair = self.pair(&family, &grant, now)?;
        self.parts
            .events
            .tell(Action::SignedIn, now, family.subject(), Some(family.id()))?;
        Ok(pair)
    }

    /// A new pair for a refresh token; without rotation, a new access token.
    ///
    /// # Errors
    ///
    /// 401: [`InvalidToken`](RejectionKind::InvalidToken) where it is no refresh token of ours,
    /// [`ExpiredToken`](RejectionKind::ExpiredToken), [`RevokedToken`](RejectionKind::RevokedToken) where its family has ended, by
    /// this very call if it was rotated before, or its user is disabled. 503 where a store fails: then the token stays as good as
    /// it was.
    pub async fn refresh(&self, token: &str, now: SystemTime) -> Result<TokenPair, Rejection> {
        let (subject, ids) = self.parts.policy.read(token, &[TokenUse::Refresh], now)?;
        // Before the rotation, lest a store that fails or an account that is disabled costs the token.
        let shrink = self.account(&subject, now).await?;
        let (action, family, refresh) = match self.parts.rotation {
            Rotation::On => self.rotate(&ids, now).await?,
            Rotation::Off => (Action::Refreshed, self.family_of(&ids, now).await?, false),
        };
        let grant = shrink(Grant::from_text(family.subject().clone(), family.grants()));
        let pair = self.pair(&family, &grant, now)?;
        self.parts
            .events
            .tell(action, now, family.subject(), Some(family.id()))?;
        Ok(TokenPair {
            refresh: pair.refresh.filter(|_| refresh),
            ..pair
        })
    }

    async fn rotate(
        &self,
        ids: &IssuedIds,
        now: SystemTime,
    ) -> Result<(Action, Arc<FamilyRecord>, bool), Rejection> {
        let successor = random::id()?;
        let expires = later(now, self.parts.refresh_lifetime);
        let family = ids.family.as_deref().unwrap_or_default();
        let rotation = crate::store::Rotation::new(family, &ids.token, &successor, expires)
            .grace(self.parts.grace)
            .access_until(self.denied_until(now));
        match self
            .guard()
            .call(self.store().rotate_family(rotation, now))
            .await?
        {
            Rotated::New(family) => Ok((Action::Rotated, family, true)),
            Rotated::Again(family) => Ok((Action::Refreshed, family, true)),
            Rotated::Reuse(family) => {
                self.parts.events.tell(
                    Action::ReuseDetected,
                    now,
                    family.subject(),
                    Some(family.id()),
                )?;
                Err(revoked())
            }
            Rotated::Ended | Rotated::Unknown => Err(revoked()),
        }
    }

    /// The family of a refresh token that is its current one.
    async fn family_of(
        &self,
        ids: &IssuedIds,
        now: SystemTime,
    ) -> Result<Arc<FamilyRecord>, Rejection> {
        let family = ids.family.as_deref().unwrap_or_default();
        let found = self
            .guard()
            .call(self.store().find_family(family, now))
            .await?;
        found
            .filter(|family| family.is_current(&ids.token, now))
            .ok_or_else(revoked)
    }

    /// What the user has lost since the sign-in; refused where the account is disabled or gone.
    async fn account(
        &self,
        subject: &Subject,
        now: SystemTime,
    ) -> Result<impl FnOnce(Grant) -> Grant + use<>, Rejection> {
        let user = match &self.users {
            None => None,
            Some(users) => {
                let found = self
                    .guard()
                    .call(users.find_user_by_id(subject, now))
                    .await?;
                Some(found.filter(|user| user.is_active()).ok_or_else(revoked)?)
            }
        };
        Ok(move |grant: Grant| match user {
            Some(user) => grant.shrunk_to(user.scopes(), user.roles()),
            None => grant,
        })
    }

    /// Whether a token that was presented as text is one of ours, of whatever use, that is good now.
    ///
    /// # Errors
    ///
    /// 401 where it is not, 503 where the store cannot tell.
    pub async fn verify(&self, token: &str, now: SystemTime) -> Result<(), Rejection> {
        let uses = [TokenUse::Access, TokenUse::Private, TokenUse::Refresh];
        let (subject, ids) = self.parts.policy.read(token, &uses, now)?;
        match ids.is {
            // What is denied is kept for as long as access tokens live: of a refresh token the family knows.
            TokenUse::Refresh => drop(self.family_of(&ids, now).await?),
            TokenUse::Access | TokenUse::Private => self.refuse_revoked(&ids, now).await?,
        }
        if let Some(users) = &self.users
            && self.guard().call(users.is_disabled(&subject, now)).await?
        {
            return Err(revoked());
        }
        Ok(())
    }

    async fn refuse_revoked(&self, ids: &IssuedIds, now: SystemTime) -> Result<(), Rejection> {
        match caught(|| self.store().peek_revoked(ids.borrowed(), now))? {
            Known::Yes => Err(revoked()),
            Known::No => Ok(()),
            Known::Ask => self.parts.ours.ask(ids, now).await,
        }
    }

    /// Ends the family of the access token that the caller presented: that token and the family's refresh token are refused from
    /// now on.
    ///
    /// # Errors
    ///
    /// 403 where the caller did not present an access token of ours, 503 where the store fails.
    pub async fn sign_out(&self, caller: &Principal, now: SystemTime) -> Result<(), Rejection> {
        let family = caller
            .session()
            .ok_or_else(|| Rejection::permission_denied("no session"))?;
        let ended = self
            .store()
            .revoke_family(&family, self.denied_until(now), now);
        self.guard().call(ended).await?;
        self.parts
            .events
            .tell(Action::SignedOut, now, caller.subject(), Some(&family))
    }

    /// Ends all families and private tokens that a subject has now. API keys are not tokens, and stay.
    ///
    /// # Errors
    ///
    /// 503 where the store fails.
    pub async fn sign_out_everywhere(
        &self,
        subject: &Subject,
        now: SystemTime,
    ) -> Result<(), Rejection> {
        let ended = self
            .store()
            .revoke_subject(subject, self.denied_until(now), now);
        self.guard().call(ended).await?;
        self.parts
            .events
            .tell(Action::SignedOutEverywhere, now, subject, None)
    }

    /// Revokes one access or private token, presented as text. One that is no good anyway is no error (RFC 7009 §2.2).
    ///
    /// # Errors
    ///
    /// 503 where the store fails.
    pub async fn revoke(&self, token: &str, now: SystemTime) -> Result<(), Rejection> {
        let Ok((subject, ids)) = self.parts.policy.read(token, TokenUse::ACCESS, now) else {
            return Ok(());
        };
        let longest = self.parts.access_lifetime.max(self.parts.private_lifetime);
        let until = if ids.family.is_some() {
            self.denied_until(now)
        } else {
            later(now, longest)
        };
        self.guard()
            .call(self.store().revoke_token(&ids.token, until, now))
            .await?;
        self.parts
            .events
            .tell(Action::TokenRevoked, now, &subject, Some(&ids.token))
    }

    /// Makes a private token.
    ///
    /// # Errors
    ///
    /// 400 with the field: a name that is blank, too long or has control characters, an expiry that is past or further away than
    /// [`private_lifetime`](super::Tokens::private_lifetime). 503 where the store fails.
    pub async fn issue_private(
        &self,
        grant: Grant,
        name: &str,
        expires: SystemTime,
        now: SystemTime,
    ) -> Result<NewPrivateToken, Rejection> {
        check_grant(&grant, &self.parts.names)?;
        let mut fields: Vec<FieldError> = checked_name(name).err().into_iter().collect();
        if expires <= now {
            fields.push(FieldError::invalid(
                "expires_at",
                "The expiry must be in the future.",
            ));
        } else if expires > later(now, self.parts.private_lifetime) {
            fields.push(FieldError::invalid(
                "expires_at",
                "The expiry is too far away.",
            ));
        }
        if !fields.is_empty() {
            return Err(Rejection::invalid(fields));
        }
        let record = TokenRecord::new(
            random::id()?,
            grant.subject.clone(),
            name.trim(),
            now,
            expires,
        );
        self.guard()
            .change(self.store().insert_private_token(record.clone(), now))
            .await?
            .found()?;
        let stamp = Stamp {
            is: TokenUse::Private,
            subject: record.owner(),
            id: record.id(),
            family: None,
            issued: now,
            expires,
        };
        let token = self.sign(stamp, &grant)?;
        self.parts.events.tell(
            Action::PrivateTokenCreated,
            now,
            record.owner(),
            Some(record.id()),
        )?;
        Ok(NewPrivateToken { token, record })
    }

    /// How long a private token may live at most.
    #[cfg(feature = "endpoints")]
    pub(crate) fn longest_private(&self) -> Duration {
        self.parts.private_lifetime
    }

    /// The private tokens of an owner, oldest first, revoked and expired ones included.
    ///
    /// # Errors
    ///
    /// 503 where the store fails.
    pub async fn private_tokens(
        &self,
        owner: &Subject,
        now: SystemTime,
    ) -> Result<Vec<Arc<TokenRecord>>, Rejection> {
        self.guard()
            .call(self.store().list_private_tokens(owner, now))
            .await
    }

    /// Revokes a private token by its id: the next request with it is refused.
    ///
    /// # Errors
    ///
    /// 404 where the owner has no such token, 503 where the store fails.
    pub async fn revoke_private(
        &self,
        owner: &Subject,
        id: &str,
        now: SystemTime,
    ) -> Result<(), Rejection> {
        self.guard()
            .change(self.store().revoke_private_token(owner, id, now))
            .await?
            .found()?;
        self.parts
            .events
            .tell(Action::PrivateTokenRevoked, now, owner, Some(id))
    }

    /// The public keys as a JWK Set (RFC 7517 §5), JSON; empty where tokens are signed with a secret.
    #[must_use]
    pub fn jwks(&self) -> Vec<u8> {
        self.parts.ring.jwks()
    }

    fn pair(
        &self,
        family: &FamilyRecord,
        grant: &Grant,
        now: SystemTime,
    ) -> Result<TokenPair, Rejection> {
        let access_expires = self.access_until(now).min(family.ends());
        let access = Stamp {
            is: TokenUse::Access,
            subject: family.subject(),
            id: &random::id()?,
            family: Some(family.id()),
            issued: now,
            expires: access_expires,
        };
        let refresh = Stamp {
            is: TokenUse::Refresh,
            id: family.current(),
            // The same for every copy of it that is minted anew.
            issued: family
                .predecessor()
                .map_or(family.created(), |(_, rotated)| rotated),
            expires: family.expires(),
            ..access
        };
        let refresh = Some(self.sign(refresh, grant)?);
        Ok(TokenPair {
            access: self.sign(access, grant)?,
            refresh,
            access_expires,
        })
    }

    fn sign(&self, stamp: Stamp<'_>, grant: &Grant) -> Result<Secret<String>, Rejection> {
        let payload = self.parts.names.payload(stamp, grant);
        let token = self.parts.ring.active().sign("JWT", &payload);
        token
            .map(Secret::new)
            .map_err(|_| Rejection::new(RejectionKind::Failed, "signature"))
    }

    /// Until when an access token lives that is made now.
    fn access_until(&self, now: SystemTime) -> SystemTime {
        later(now, self.parts.access_lifetime)
    }

    /// Until when access tokens are to be denied that exist now. One may be minted just then, by another request or on a machine
    /// whose clock is ahead.
    fn denied_until(&self, now: SystemTime) -> SystemTime {
        later(
            now,
            self.parts.access_lifetime.saturating_add(CLOCKS_DIFFER),
        )
    }

    fn store(&self) -> &dyn TokenStore {
        &*self.parts.ours.store
    }

    fn guard(&self) -> Guard {
        self.parts.ours.guard
    }
}

/// A `sub` is a text, and says nothing of kinds; and what a token grants is not said by a claim of the application's.
fn check_grant(grant: &Grant, names: &Names) -> Result<(), Rejection> {
    let subject = grant.subject();
    if subject.kind() != "user" || subject.id().is_empty() {
        return Err(Rejection::invalid([FieldError::invalid(
            "subject",
            "A token's subject is a user.",
        )]));
    }
    match [&names.scopes, &names.roles]
        .into_iter()
        .find(|name| grant.claims.contains_key(*name))
    {
        Some(taken) => Err(Rejection::invalid([FieldError::invalid(
            taken.clone(),
            CLAIM_TAKEN,
        )])),
        None => Ok(()),
    }
}

/// A lifetime that ends after time itself does not end.
fn later(now: SystemTime, lifetime: Duration) -> SystemTime {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    now.checked_add(lifetime.min(CENTURY)).unwrap_or(now)
}

impl fmt::Debug for TokenIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenIssuer")
            .field("issuer", &self.parts.names.issuer)
            .finish_non_exhaustive()
    }
}
