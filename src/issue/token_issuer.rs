use super::claims::Names;
use super::grant::{CLAIM_TAKEN, granted_to};
use super::mint::{Mint, SimpleJwtPolicy};
use super::name::checked_name;
use super::rotation::Rotation;
use super::signing::Published;
use super::{Grant, TokenPair, Tokens};
use crate::clock::later;
use crate::config::{ConfigError, ConfigProblem};
#[cfg(feature = "endpoints")]
use crate::credential::Source;
use crate::event::Action;
use crate::principal::TokenUse;
use crate::principal::{Principal, Subject};
use crate::random;
use crate::realm::Realm;
use crate::reject::{FieldError, Rejection, RejectionKind};
use crate::scheme::{IssuedIds, OurPolicy, ReadToken, revoked};
use crate::secret::Secret;
#[cfg(feature = "endpoints")]
use crate::store::Account;
use crate::store::{
    Change, FamilyRecord, Known, PrivateTokenStore, Room, Rotated, Rotation as Rotate, TokenRecord,
    TokenStore, UserRecord, Write, caught,
};
#[cfg(feature = "endpoints")]
use http::StatusCode;
#[cfg(feature = "endpoints")]
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;
#[cfg(feature = "endpoints")]
use std::time::Duration;
use std::time::SystemTime;

/// How many records are asked of a store at once.
const PAGE: usize = 100;

/// Issues, refreshes and revokes tokens, as [`Tokens`] configures it, and verifies them where a
/// layer accepts it. Made by [`Realm::tokens`].
///
/// ```
/// use tower_auth::store::Memory;
/// use tower_auth::{Grant, Realm, RejectionKind, Subject, Tokens, random_secret};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = random_secret()?; // a real service has it in its environment
/// let tokens = Realm::new(Memory::new())
///     .tokens(Tokens::hs256(secret.expose()).issuer("https://api.example.com"));
/// let anna = Subject::user("7");
/// let pair = tokens.issue(Grant::new(anna.clone())).await?;
/// assert!(tokens.verify(pair.access().expose()).await.is_ok());
///
/// // What was issued before is refused from now on, the refresh token too.
/// tokens.sign_out_everywhere(&anna).await?;
/// let refusal = tokens.verify(pair.access().expose()).await.unwrap_err();
/// assert_eq!(refusal.kind(), RejectionKind::RevokedToken);
/// let refresh = pair.refresh().expect("a pair");
/// assert!(tokens.refresh(refresh.expose()).await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct TokenIssuer {
    realm: Realm,
    mint: Result<Arc<Mint>, Arc<[ConfigProblem]>>,
    /// On whose behalf private tokens are made.
    caller: Option<Principal>,
}

/// A private token that was just made: the token itself, shown this once, and the record that is
/// kept of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct NewPrivateToken {
    /// The token, to be shown once.
    pub token: Secret<String>,
    /// What the store keeps of it.
    pub record: TokenRecord,
}

impl Realm {
    /// Tokens that this realm issues.
    ///
    /// Mistakes in the configuration, and a realm without a store of tokens, are reported by the
    /// layer or the endpoints that are built with it; a call of a misconfigured issuer is a 500.
    pub fn tokens(&self, tokens: Tokens) -> TokenIssuer {
        self.issues_access_for(tokens.lifetime_of_access());
        let mint = tokens.build(self.stores(), self.guard(), self.events());
        TokenIssuer {
            realm: self.clone(),
            mint: mint.map(Arc::new).map_err(Into::into),
            caller: None,
        }
    }
}

impl TokenIssuer {
    pub(crate) fn realm(&self) -> &Realm {
        &self.realm
    }

    /// The same, for what a verified caller asks for, as an endpoint does.
    ///
    /// - No private token is made or rotated unless the credential of that caller is good in the
    ///   very step in which it is written: whoever signs out stops what is under way.
    /// - It grants no more scopes and roles than the caller has, and does not outlive a key or a
    ///   private token that makes it.
    pub fn on_behalf_of(&self, caller: &Principal) -> Self {
        Self {
            caller: Some(caller.clone()),
            ..self.clone()
        }
    }

    /// All mistakes in its configuration.
    pub(crate) fn problems(&self) -> &[ConfigProblem] {
        match &self.mint {
            Ok(_) => &[],
            Err(problems) => problems,
        }
    }

    /// What its tokens are held against; nothing where it is misconfigured.
    pub(crate) fn policies(&self) -> impl Iterator<Item = &OurPolicy> {
        let mint = self.mint.as_ref().ok();
        let old = mint.and_then(|mint| mint.simplejwt.as_ref());
        let ours = mint.map(|mint| &mint.policy);
        ours.into_iter().chain(old.map(|old| &old.policy))
    }

    /// Whether its tokens are read there; of one that is misconfigured something else is wrong.
    #[cfg(feature = "endpoints")]
    pub(crate) fn is_read_at(&self, source: &Source) -> bool {
        self.policies()
            .next()
            .is_none_or(|policy| policy.reads(source))
    }

    fn mint(&self) -> Result<&Mint, Rejection> {
        match &self.mint {
            Ok(mint) => Ok(mint),
            Err(problems) => {
                let error = ConfigError::of(problems.to_vec());
                Err(Rejection::misconfigured(error))
            }
        }
    }

    fn store(&self) -> Result<&dyn TokenStore, Rejection> {
        Ok(self.mint()?.ours.store())
    }

    fn private_store(&self) -> Result<&dyn PrivateTokenStore, Rejection> {
        let store = self.mint()?.ours.private_store();
        store.ok_or_else(|| Rejection::misconfigured("the realm has no store of private tokens"))
    }

    /// What a user's tokens say: all that the user has, or what [`Tokens::grant`] makes of it.
    ///
    /// # Errors
    ///
    /// Those of that function, and 500 where the issuer is misconfigured.
    pub fn grant_for(&self, user: &UserRecord) -> Result<Grant, Rejection> {
        granted_to(user, self.mint()?.grant.as_ref())
    }

    /// Begins a family: what a sign-in does.
    ///
    /// # Errors
    ///
    /// 400 where the subject is no user, for a `sub` has no room for another kind, or a claim is
    /// named like that of the scopes or the roles. 503 where the store fails.
    pub async fn issue(&self, grant: Grant) -> Result<TokenPair, Rejection> {
        let mint = self.mint()?;
        check_grant(&grant, &mint.names)?;
        let now = self.realm.now();
        let signer = mint.signing.signer(now).await?;
        let family = FamilyRecord::new(
            random::id()?,
            grant.subject.clone(),
            grant.to_text(),
            now,
            later(now, mint.family_lifetime),
            random::id()?,
            later(now, mint.refresh_lifetime),
        );
        // Written before anything is signed: tokens of a family that the store does not know could
        // not be revoked.
        let inserted = self.store()?.insert_family(family.clone());
        self.realm.change(inserted).await?.found()?;
        let pair = mint.pair(&signer, &family, &grant, now)?;
        self.realm
            .tell(Action::SignedIn, &family.subject, Some(&family.id))?;
        Ok(pair)
    }

    /// A new pair for a refresh token; without rotation, a new access token.
    ///
    /// # Errors
    ///
    /// 401: [`InvalidToken`](crate::RejectionKind::InvalidToken) where it is no refresh token of
    /// ours, [`ExpiredToken`](crate::RejectionKind::ExpiredToken),
    /// [`RevokedToken`](crate::RejectionKind::RevokedToken) where its family has ended, by this
    /// very call if it was rotated before, or its user is disabled. 503 where a store fails:
    /// then the token stays as good as it was.
    pub async fn refresh(&self, token: &str) -> Result<TokenPair, Rejection> {
        let mint = self.mint()?;
        let now = self.realm.now();
        let read = mint.read(token, &[TokenUse::Refresh], now).await?;
        // Before the rotation, lest a store that fails or an account that is disabled costs the
        // token.
        let user = match mint.simplejwt_of(token) {
            Some(old) => Some(self.move_in(old, &read, now).await?),
            None => self.account(&read.subject).await?,
        };
        let signer = mint.signing.signer(now).await?;
        let (action, family) = match mint.rotation {
            Rotation::On => self.rotate(&read.ids, now).await?,
            Rotation::Off => (Action::Refreshed, self.family_of(&read.ids, now).await?),
        };
        let grant = self.grant_of(&family, user.as_deref())?;
        let pair = match mint.rotation {
            Rotation::On => mint.pair(&signer, &family, &grant, now)?,
            Rotation::Off => mint.access(&signer, &family, &grant, now)?,
        };
        self.realm.tell(action, &family.subject, Some(&family.id))?;
        Ok(pair)
    }

    /// Begins the family of a refresh token that simplejwt issued, unless there is one already, and
    /// gives its user. Who of several is quicker makes no difference: the family is rotated once.
    async fn move_in(
        &self,
        old: &SimpleJwtPolicy,
        token: &ReadToken,
        now: SystemTime,
    ) -> Result<Arc<UserRecord>, Rejection> {
        let ids = &token.ids;
        let id = ids.family.as_deref().unwrap_or_default();
        // Looked for before its user is judged: an end of all sessions after that judgement ends a
        // family that is there.
        let found = self.realm.call(self.store()?.find_family(id)).await?;
        let user = old.users.admitted(&token.subject, now).await?;
        if found.is_some() {
            return Ok(user);
        }
        let ends = later(now, self.mint()?.family_lifetime).max(token.expires);
        let subject = token.subject.clone();
        let family = FamilyRecord::from_simplejwt(&ids.token, subject, now, ends, token.expires);
        let inserted = self.store()?.insert_family(family);
        match self.realm.change(inserted).await? {
            // Another request with the same token was quicker, and the family is there.
            Change::Exists => {}
            change => change.found()?,
        }
        // Judged once more now that the family is written: an end of all sessions in between has
        // ended the families that it found, and this one was not there yet.
        old.users.admitted(&token.subject, now).await
    }

    /// What a family grants at a refresh.
    fn grant_of(
        &self,
        family: &FamilyRecord,
        user: Option<&UserRecord>,
    ) -> Result<Grant, Rejection> {
        match user {
            Some(user) if family.grants.is_empty() => self.grant_for(user),
            // What the user has lost since the sign-in is granted no more.
            Some(user) => {
                let grant = Grant::from_text(family.subject.clone(), &family.grants);
                Ok(grant.shrunk_to(&user.scopes, &user.roles))
            }
            None => Ok(Grant::from_text(family.subject.clone(), &family.grants)),
        }
    }

    async fn rotate(
        &self,
        ids: &IssuedIds,
        now: SystemTime,
    ) -> Result<(Action, Arc<FamilyRecord>), Rejection> {
        let mint = self.mint()?;
        // Drawn before anything is known of the token: the store decides in one step whether it
        // becomes the current one.
        let successor = random::id()?;
        let expires = later(now, mint.refresh_lifetime);
        let family = ids.family.as_deref().unwrap_or_default();
        let rotation = Rotate::new(family, &ids.token, &successor, expires)
            .grace(mint.grace)
            // Should it be reuse, the access tokens of the thief end in the same step as the
            // family.
            .access_until(self.realm.denied_until(now));
        let rotated = self.store()?.rotate_family(rotation, now);
        match self.realm.call(rotated).await? {
            Rotated::New(family) => Ok((Action::Rotated, family)),
            // Two tabs, or a lost answer. It is no rotation, so it is not told as one.
            Rotated::Again(family) => Ok((Action::Refreshed, family)),
            Rotated::Reuse(family) => {
                let id = Some(&*family.id);
                self.realm
                    .tell(Action::ReuseDetected, &family.subject, id)?;
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
        let found = self.store()?.find_family(family);
        match self.realm.call(found).await? {
            // Only the current one: where rotation was turned off lately, its predecessors must
            // stay dead.
            Some(family) if family.is_current(&ids.token, now) => Ok(family),
            _ => Err(revoked()),
        }
    }

    /// The user of a token, where the realm knows of users; refused where the account is disabled
    /// or gone.
    async fn account(&self, subject: &Subject) -> Result<Option<Arc<UserRecord>>, Rejection> {
        let Some(users) = self.realm.stores().managed_user_store() else {
            return Ok(None);
        };
        let found = users.find_user_by_id(subject);
        match self.realm.call(found).await? {
            Some(user) if user.is_active() => Ok(Some(user)),
            Some(_) => Err(revoked()),
            // A subject that never was a user of ours has no account to lose.
            None => Ok(None),
        }
    }

    /// Whether a token that was presented as text is one of ours, of whatever use, that is good
    /// now.
    ///
    /// # Errors
    ///
    /// 401: [`InvalidToken`](crate::RejectionKind::InvalidToken) where it is none of ours,
    /// [`ExpiredToken`](crate::RejectionKind::ExpiredToken),
    /// [`RevokedToken`](crate::RejectionKind::RevokedToken) where it or its family was revoked, or
    /// its user is disabled. 503 where the store cannot tell.
    pub async fn verify(&self, token: &str) -> Result<(), Rejection> {
        let uses = [TokenUse::Access, TokenUse::Private, TokenUse::Refresh];
        let now = self.realm.now();
        let mint = self.mint()?;
        let read = mint.read(token, &uses, now).await?;
        let old = mint.simplejwt_of(token);
        if let (Some(old), TokenUse::Refresh) = (old, read.ids.is) {
            self.move_in(old, &read, now).await?;
        }
        match read.ids.is {
            // What is denied is kept for as long as access tokens live: of a refresh token the
            // family knows.
            TokenUse::Refresh => drop(self.family_of(&read.ids, now).await?),
            TokenUse::Access | TokenUse::Private => self.refuse_revoked(&read.ids, now).await?,
        }
        match old {
            Some(old) => drop(old.users.admitted(&read.subject, now).await?),
            None => drop(self.account(&read.subject).await?),
        }
        Ok(())
    }

    async fn refuse_revoked(&self, ids: &IssuedIds, now: SystemTime) -> Result<(), Rejection> {
        let store = self.store()?;
        match caught(|| store.peek_revoked(ids.borrowed(), now))? {
            Known::Yes => Err(revoked()),
            Known::No => Ok(()),
            Known::Ask => self.mint()?.ours.ask(ids, now).await,
        }
    }

    /// Ends the family of the access token that the caller presented: that token and the family's
    /// refresh token are refused from now on.
    ///
    /// # Errors
    ///
    /// 403 where the caller did not present an access token of ours, 503 where the store fails.
    pub async fn sign_out(&self, caller: &Principal) -> Result<(), Rejection> {
        let Some(family) = caller.session() else {
            return Err(Rejection::permission_denied("no session"));
        };
        let now = self.realm.now();
        let expires = caller.expires().unwrap_or(now);
        self.end_family(&family, caller.subject(), expires, now)
            .await?;
        self.realm
            .tell(Action::SignedOut, caller.subject(), Some(&family))
    }

    /// Ends the family of a token that expires then, and its access tokens.
    async fn end_family(
        &self,
        id: &str,
        subject: &Subject,
        expires: SystemTime,
        now: SystemTime,
    ) -> Result<(), Rejection> {
        self.write_down(id, subject, expires, now).await?;
        // For as long as any access token of this realm may live, whichever issuer has made it.
        let until = self.realm.denied_until(now);
        let ended = self.store()?.revoke_family(id, until, now);
        self.realm.call(ended).await
    }

    /// Has the store know the family of a genuine token, so that it can be ended: a store in memory
    /// knows none from before its start, a database that was restored has lost some, and a refresh
    /// token of simplejwt may have begun none yet.
    async fn write_down(
        &self,
        id: &str,
        subject: &Subject,
        expires: SystemTime,
        now: SystemTime,
    ) -> Result<(), Rejection> {
        let store = self.store()?;
        let found = self.realm.call(store.find_family(id)).await?;
        if found.is_some() {
            return Ok(());
        }
        let ends = self.realm.denied_until(now).max(expires);
        // No refresh token is its current one, so that none can be exchanged before it has ended.
        let family = FamilyRecord::new(id, subject.clone(), "", now, ends, "", ends);
        match self.realm.change(store.insert_family(family)).await? {
            // Another request has written it since it was looked for, so it can be ended.
            Change::Exists => Ok(()),
            change => change.found(),
        }
    }

    /// Ends all families and private tokens that a subject has now. API keys are not tokens, and
    /// stay.
    ///
    /// # Errors
    ///
    /// 503 where the store fails.
    pub async fn sign_out_everywhere(&self, subject: &Subject) -> Result<(), Rejection> {
        let now = self.realm.now();
        let until = self.realm.denied_until(now);
        match self.mint()?.ours.private_store() {
            Some(store) => {
                let ended = store.revoke_subject(subject, until, now);
                self.realm.call(ended).await?;
            }
            None => {
                let ended = self.store()?.revoke_families(subject, until, now);
                self.realm.call(ended).await?;
            }
        }
        self.realm.tell(Action::SignedOutEverywhere, subject, None)
    }

    /// The same for a caller who asks for it, whose own session ends in any case.
    #[cfg(feature = "endpoints")]
    pub(crate) async fn sign_out_everywhere_by(&self, caller: &Principal) -> Result<(), Rejection> {
        if let Some(family) = caller.session() {
            let now = self.realm.now();
            let expires = caller.expires().unwrap_or(now);
            self.write_down(&family, caller.subject(), expires, now)
                .await?;
        }
        self.sign_out_everywhere(caller.subject()).await
    }

    /// What a token says, presented as text, if a request with it would pass now: it is an access
    /// or private token of ours (RFC 7662 §2.2).
    #[cfg(feature = "endpoints")]
    pub(crate) async fn introspect(
        &self,
        token: &str,
    ) -> Result<Option<Map<String, Value>>, Rejection> {
        match self.active(token).await {
            Ok(claims) => Ok(Some(claims)),
            Err(rejection) if rejection.status() == StatusCode::UNAUTHORIZED => Ok(None),
            Err(rejection) => Err(rejection),
        }
    }

    #[cfg(feature = "endpoints")]
    async fn active(&self, token: &str) -> Result<Map<String, Value>, Rejection> {
        let mint = self.mint()?;
        let now = self.realm.now();
        let ReadToken { subject, ids, .. } = mint.read(token, TokenUse::ACCESS, now).await?;
        self.refuse_revoked(&ids, now).await?;
        let mut claims = mint.claims(token)?;
        claims.insert("token_type".into(), "Bearer".into());
        if let Some(old) = mint.simplejwt_of(token) {
            let user = old.users.admitted(&subject, now).await?;
            claims.insert("sub".into(), subject.to_string().into());
            // Rights are those that the user has now. What the token says of them under these names
            // is taken out first, because a user without any writes nothing over it.
            claims.remove(&mint.names.scopes);
            claims.remove(&mint.names.roles);
            mint.names.grant(&self.grant_for(&user)?, &mut claims);
            return Ok(claims);
        }
        let Some(users) = self.realm.stores().managed_user_store() else {
            return Ok(claims);
        };
        let taken = match self.realm.call(users.account(&subject)).await? {
            Account::Whole => return Ok(claims),
            Account::Reduced(taken) => taken,
            Account::Closed => return Err(revoked()),
            Account::Ask => {
                let error = "the store does not tell what became of an account";
                return Err(Rejection::unavailable("store failed", error));
            }
        };
        mint.names.take(&taken, &mut claims);
        Ok(claims)
    }

    /// Revokes one token, presented as text: an access or private token, or the family of a refresh
    /// token, which may live on through a successor when that token itself has been rotated or has
    /// expired. One that is no good anyway is no error (RFC 7009 §2.2).
    ///
    /// # Errors
    ///
    /// 503 where the store fails.
    pub async fn revoke(&self, token: &str) -> Result<(), Rejection> {
        let mint = self.mint()?;
        let now = self.realm.now();
        let read = match mint.read_to_revoke(token, now).await {
            Ok(read) => read,
            // Whether it is good is not known: it may be, and then it would stay so.
            Err(unknown) if unknown.kind() == RejectionKind::Unavailable => return Err(unknown),
            // What is no good token needs no revoking, and is no error (RFC 7009 §2.2).
            Err(_) => return Ok(()),
        };
        let ReadToken {
            subject,
            ids,
            expires,
        } = &read;
        if ids.is == TokenUse::Refresh {
            let family = ids.family.as_deref().unwrap_or_default();
            self.end_family(family, subject, *expires, now).await?;
            return self.realm.tell(Action::SignedOut, subject, Some(family));
        }
        if ids.is == TokenUse::Private
            && let Some(store) = mint.ours.private_store()
        {
            let revoked = store.revoke_private_token(subject, &ids.token, now);
            match self.realm.change(revoked).await? {
                // Its record is gone, so that it is denied by its id alone.
                Change::Missing => {}
                change => {
                    change.found()?;
                    let id = Some(&*ids.token);
                    return self.realm.tell(Action::PrivateTokenRevoked, subject, id);
                }
            }
        }
        let until = self.realm.denied_past(*expires, now);
        let revoked = self.store()?.revoke_token(&ids.token, until, now);
        self.realm.call(revoked).await?;
        self.realm
            .tell(Action::TokenRevoked, subject, Some(&ids.token))
    }

    /// Makes a private token.
    ///
    /// # Errors
    ///
    /// 400 with the field: a name that is blank, too long or has control characters, an expiry that
    /// is past, further away than [`private_lifetime`](Tokens::private_lifetime) or later than that
    /// of the [caller](Self::on_behalf_of). 401 where that caller's credential is good no more. 503
    /// where the store fails.
    pub async fn issue_private(
        &self,
        grant: Grant,
        name: &str,
        expires: SystemTime,
    ) -> Result<NewPrivateToken, Rejection> {
        self.make_private(None, grant, name, expires).await
    }

    /// Puts a new private token in the place of one, which is refused from then on, in one step.
    ///
    /// # Errors
    ///
    /// As [`issue_private`](Self::issue_private), and 404 where the former one is another by now.
    pub async fn rotate_private(
        &self,
        former: &TokenRecord,
        grant: Grant,
        expires: SystemTime,
    ) -> Result<NewPrivateToken, Rejection> {
        let name = former.name.clone();
        self.make_private(Some(former), grant, &name, expires).await
    }

    async fn make_private(
        &self,
        former: Option<&TokenRecord>,
        grant: Grant,
        name: &str,
        expires: SystemTime,
    ) -> Result<NewPrivateToken, Rejection> {
        let mint = self.mint()?;
        let caller = self.caller.as_ref();
        let grant = match caller {
            Some(caller) => grant.shrunk_to(caller.scopes(), caller.roles()),
            None => grant,
        };
        check_grant(&grant, &mint.names)?;
        let now = self.realm.now();
        let mut fields = Vec::new();
        if let Err(field) = checked_name(name) {
            fields.push(field);
        }
        if expires <= now {
            let past = "The expiry must be in the future.";
            fields.push(FieldError::invalid("expires_at", past));
        } else if expires > later(now, mint.private_lifetime) {
            let far = "The expiry is too far away.";
            fields.push(FieldError::invalid("expires_at", far));
        }
        let end = caller.and_then(Principal::end_of_what_it_makes);
        if end.is_some_and(|end| expires > end) {
            let later = "A token does not outlive the credential that makes it.";
            fields.push(FieldError::invalid("expires_at", later));
        }
        if !fields.is_empty() {
            return Err(Rejection::invalid(fields));
        }
        self.private_store()?;
        let owner = grant.subject.clone();
        let record = TokenRecord::new(random::id()?, owner, name.trim(), now, expires);
        let signer = mint.signing.signer(now).await?;
        let token = mint.private(&signer, &record, &grant)?;
        let mut writes: Vec<Write> = Vec::new();
        if caller.is_some() {
            let room = Room::new(mint.private_per_owner, now);
            let room = match former {
                Some(_) => room.of_rotation(),
                None => room,
            };
            let owner = record.owner.clone();
            writes.push(Write::RoomForPrivateToken { owner, room });
        }
        // First the new one: where no store makes both in one step and the second fails, the first
        // is taken back, and the owner still has the former one.
        writes.push(Write::InsertPrivateToken(record.clone()));
        writes.extend(former.map(|former| revocation(former, now)));
        self.realm.commit(caller, writes).await?.found()?;
        let id = Some(&*record.id);
        let mut told = self
            .realm
            .tell(Action::PrivateTokenCreated, &record.owner, id);
        if let Some(former) = former {
            let id = Some(&*former.id);
            let revoked = self
                .realm
                .tell(Action::PrivateTokenRevoked, &former.owner, id);
            // Both have happened. A hook that panics at the first must not keep the second out of
            // the audit log.
            told = told.and(revoked);
        }
        told?;
        Ok(NewPrivateToken { token, record })
    }

    /// How long a private token may live at most.
    #[cfg(feature = "endpoints")]
    pub(crate) fn longest_private(&self) -> Duration {
        match &self.mint {
            Ok(mint) => mint.private_lifetime,
            Err(_) => Duration::ZERO,
        }
    }

    /// The private tokens of an owner, oldest first, revoked and expired ones included.
    ///
    /// # Errors
    ///
    /// 503 where the store fails.
    pub async fn private_tokens(
        &self,
        owner: &Subject,
    ) -> Result<Vec<Arc<TokenRecord>>, Rejection> {
        let mut all: Vec<Arc<TokenRecord>> = Vec::new();
        loop {
            let after = all.last().map(|last| &**last);
            let listed = self
                .private_store()?
                .list_private_tokens(owner, after, PAGE);
            let page = self.realm.call(listed).await?;
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// A private token by its id, revoked and expired ones included.
    ///
    /// # Errors
    ///
    /// 404 where the owner has no such token, 503 where the store fails.
    pub async fn find_private(
        &self,
        owner: &Subject,
        id: &str,
    ) -> Result<Arc<TokenRecord>, Rejection> {
        let found = self.private_store()?.find_private_token(id);
        let found = self.realm.call(found).await?;
        let owned = found.filter(|token| token.owner == *owner);
        owned.ok_or_else(|| Rejection::new(RejectionKind::NotFound, "missing"))
    }

    /// Revokes a private token by its id: the next request with it is refused.
    ///
    /// # Errors
    ///
    /// 404 where the owner has no such token, 503 where the store fails.
    pub async fn revoke_private(&self, owner: &Subject, id: &str) -> Result<(), Rejection> {
        let now = self.realm.now();
        let revoked = self.private_store()?.revoke_private_token(owner, id, now);
        self.realm.change(revoked).await?.found()?;
        self.realm
            .tell(Action::PrivateTokenRevoked, owner, Some(id))
    }

    /// The public keys as a JWK Set (RFC 7517 §5), JSON; empty where tokens are signed with a
    /// secret.
    ///
    /// # Errors
    ///
    /// 500 where the issuer is misconfigured. 503 where its keys are in a
    /// [store](crate::jwt::KeyRotation) that fails, and none were read so far.
    pub async fn jwks(&self) -> Result<Vec<u8>, Rejection> {
        Ok(self.published().await?.jwks)
    }

    /// The same, and how long it may be kept.
    pub(crate) async fn published(&self) -> Result<Published, Rejection> {
        let now = self.realm.now();
        self.mint()?.signing.published(now).await
    }

    /// How whoever asks for the public keys is refused: those that rotate are in the store.
    #[cfg(all(feature = "endpoints", feature = "openapi"))]
    pub(crate) fn refusals_of_keys(&self) -> Vec<RejectionKind> {
        match self.mint() {
            Ok(mint) if mint.signing.rotates() => vec![RejectionKind::Unavailable],
            _ => Vec::new(),
        }
    }

    /// The `iss` of its tokens.
    #[cfg(feature = "endpoints")]
    pub(crate) fn issuer(&self) -> Result<&str, Rejection> {
        Ok(&self.mint()?.names.issuer)
    }
}

fn revocation(former: &TokenRecord, now: SystemTime) -> Write {
    Write::ReplacePrivateToken {
        former: Box::new(former.clone()),
        next: Box::new(former.clone().revoked(now)),
        denied_until: Some(former.expires),
    }
}

/// A `sub` is a text, and says nothing of kinds; and what a token grants is not said by a claim of
/// the application's.
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

impl fmt::Debug for TokenIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuer = match &self.mint {
            Ok(mint) => Some(&mint.names.issuer),
            Err(_) => None,
        };
        f.debug_struct("TokenIssuer")
            .field("issuer", &issuer)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::store::Memory;
    use crate::test_util::ManualClock;
    use std::sync::Mutex;
    use std::time::Duration;

    const NOW: u64 = 1_800_000_000;
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    /// For tests only.
    const SECRET: &str = "u4Zq7Kw2xRm90123456789abcdefghij";

    fn configured() -> Tokens {
        Tokens::hs256(SECRET).issuer("https://api.example.com")
    }

    #[tokio::test]
    async fn a_private_token_stays_revoked_after_the_longest_lifetime_was_lowered() {
        let clock = ManualClock::new(NOW);
        let realm = Realm::new(Memory::new()).clock(clock.clone());
        let before = realm.tokens(configured());
        let grant = Grant::new(Subject::user("7"));
        let year = later(clock.now(), 365 * DAY);
        let made = before.issue_private(grant, "ci", year).await.unwrap();
        let token = made.token.expose();
        let after = realm.tokens(configured().private_lifetime(DAY));
        after.verify(token).await.unwrap();
        after.revoke(token).await.unwrap();
        for days in [0, 2, 300] {
            clock.advance(days * DAY);
            let refused = after.verify(token).await.unwrap_err();
            assert_eq!(refused.kind(), RejectionKind::RevokedToken, "{days} days");
        }
    }

    #[tokio::test]
    async fn an_access_token_stays_revoked_after_the_lifetime_was_lowered() {
        let clock = ManualClock::new(NOW);
        let store = Memory::new();
        let before = Realm::new(store.clone()).clock(clock.clone());
        let before = before.tokens(configured().access_lifetime(DAY));
        let grant = Grant::new(Subject::user("7"));
        let pair = before.issue(grant).await.unwrap();
        let token = pair.access.expose();
        let after = Realm::new(store).clock(clock.clone());
        let after = after.tokens(configured().access_lifetime(Duration::from_secs(60)));
        after.revoke(token).await.unwrap();
        clock.advance(DAY / 2);
        let refused = after.verify(token).await.unwrap_err();
        assert_eq!(refused.kind(), RejectionKind::RevokedToken);
    }

    #[tokio::test]
    async fn a_family_that_the_store_does_not_know_is_ended_as_well() {
        let clock = ManualClock::new(NOW);
        let realm = || Realm::new(Memory::new()).clock(clock.clone());
        let before = realm().tokens(configured());
        for name in ["sign-out", "its refresh token", "its access token"] {
            let pair = before.issue(Grant::new(Subject::user("7"))).await.unwrap();
            let refresh = pair.refresh.unwrap();
            let successor = before.refresh(refresh.expose()).await.unwrap();
            let presented = pair.access.expose();
            let other = successor.access.expose();
            // Another start of the service, over a store that knows nothing.
            let realm = realm();
            let after = realm.tokens(configured());
            match name {
                "sign-out" => {
                    let auth = crate::AuthLayer::builder().accept(&after).build().unwrap();
                    let request = http::Request::get("/")
                        .header("authorization", format!("Bearer {presented}"))
                        .body(())
                        .unwrap();
                    let explained = auth.explain(&request.into_parts().0).await;
                    after.sign_out(explained.caller().unwrap()).await.unwrap();
                }
                "its refresh token" => after.revoke(refresh.expose()).await.unwrap(),
                _ => after.revoke(presented).await.unwrap(),
            }
            let kind = async |token: &str| match after.verify(token).await {
                Ok(()) => None,
                Err(refused) => Some(refused.kind()),
            };
            let revoked = Some(RejectionKind::RevokedToken);
            assert_eq!(kind(presented).await, revoked, "{name}");
            let others = match name {
                "its access token" => None,
                _ => revoked,
            };
            assert_eq!(kind(other).await, others, "{name}");
            assert_eq!(kind(refresh.expose()).await, revoked, "{name}");
        }
    }

    #[tokio::test]
    async fn both_events_of_a_rotation_are_told_to_a_hook_that_panics() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&told);
        let realm = Realm::new(Memory::new()).on_event(move |event| {
            heard.lock().unwrap().push(event.action());
            assert!(event.action() != Action::PrivateTokenCreated, "on purpose");
        });
        let tokens = realm.tokens(configured());
        let expires = later(realm.now(), DAY);
        let grant = Grant::new(Subject::user("7"));
        let former = TokenRecord::new("a", Subject::user("7"), "ci", realm.now(), expires);
        let store = tokens.private_store().unwrap();
        store.insert_private_token(former.clone()).await.unwrap();
        let rotated = tokens.rotate_private(&former, grant, expires).await;
        assert_eq!(rotated.unwrap_err().kind(), RejectionKind::Failed);
        let actions = [Action::PrivateTokenCreated, Action::PrivateTokenRevoked];
        assert_eq!(*told.lock().unwrap(), actions);
    }

    #[cfg(feature = "endpoints")]
    #[tokio::test]
    async fn what_a_token_of_simplejwt_says_of_rights_is_not_repeated() {
        use crate::jwt::SimpleJwt;
        use crate::store::ManagedUserStore;
        use crate::test_util::TokenMint;
        const DJANGO: &str = "qk%hbr_oo!pda&%tri-&v#=2j^r91kkz_h-i@1woh#d7m1llfh";
        let store = Memory::new();
        let realm = Realm::new(store.clone()).clock(ManualClock::new(NOW));
        let tokens = realm.tokens(configured().simplejwt(SimpleJwt::hs256(DJANGO)));
        let user = UserRecord::new(Subject::user("8"), "ben");
        store.insert_user(user).await.unwrap();
        let family = FamilyRecord::admitting_simplejwt(
            Subject::user("8"),
            realm.now(),
            later(realm.now(), 400 * DAY),
        );
        store.insert_family(family).await.unwrap();
        let token = TokenMint::hs256(DJANGO).sign(&serde_json::json!({
            "token_type": "access", "exp": NOW + 60, "iat": NOW, "jti": "a", "user_id": "8",
            "scope": "reports:write", "roles": ["admin"],
        }));
        let said = tokens.introspect(&token).await.unwrap().expect("active");
        assert_eq!(said["sub"], "8");
        assert_eq!(
            (said.get("scope"), said.get("roles")),
            (None, None),
            "{said:?}"
        );
    }
}
