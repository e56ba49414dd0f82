use super::claims::Claims;
use super::simplejwt::SimpleJwtUsers;
use crate::key_set::refused;
use crate::principal::{Subject, TokenIdentity, TokenUse};
use crate::rehearsal;
use crate::reject::{Rejection, RejectionKind};
use crate::store::{FamilyRecord, Guard, Known, PrivateTokenStore, TokenIds, TokenStore, caught};
use crate::upkeep::Upkeep;
use quick_cache::sync::Cache;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How much later a use of a private token must be to be noted again.
const NOTED_EVERY: Duration = Duration::from_secs(60);
/// How many private tokens are remembered as noted lately; beyond that some are written more often.
const NOTED: usize = 10_000;

/// What a token of ours is, and its ids.
#[derive(Clone, Debug)]
pub(crate) struct IssuedIds {
    pub(crate) is: TokenUse,
    pub(crate) token: String,
    pub(crate) family: Option<String>,
}

impl IssuedIds {
    pub(super) fn of(claims: &Claims<'_>) -> Result<Self, Rejection> {
        let ids = ids(claims)?;
        Ok(Self {
            is: use_of(claims)?,
            token: ids.token.to_owned(),
            family: ids.family.map(str::to_owned),
        })
    }

    /// The same of a token of simplejwt, which names no family: that of a refresh token is its own,
    /// and all others of a user have one together.
    pub(super) fn of_simplejwt(claims: &Claims<'_>, user: &str) -> Result<Self, Rejection> {
        // A token of ours is revoked by the family that it names. Read as one of simplejwt, it
        // would be looked for under another one.
        if claims.sid.is_some() {
            return Err(refused("sid"));
        }
        let jti = jti(claims)?;
        let is = use_of(claims)?;
        let family = match is {
            TokenUse::Access => FamilyRecord::simplejwt_id_of(user),
            TokenUse::Refresh => FamilyRecord::simplejwt_id(jti),
            TokenUse::Private => return Err(refused("token_type")),
        };
        Ok(Self {
            is,
            token: jti.to_owned(),
            family: Some(family),
        })
    }

    pub(crate) fn borrowed(&self) -> TokenIds<'_> {
        TokenIds::new(&self.token, self.family.as_deref())
    }
}

/// What a token of ours is for. One that does not say so is none of ours.
pub(super) fn use_of(claims: &Claims<'_>) -> Result<TokenUse, Rejection> {
    claims
        .token_type
        .as_deref()
        .and_then(TokenUse::named)
        .ok_or_else(|| refused("token_type"))
}

/// Every token of ours has an id, and all but private ones a family.
pub(super) fn ids<'c>(claims: &'c Claims<'_>) -> Result<TokenIds<'c>, Rejection> {
    let token = jti(claims)?;
    let family = claims.sid.as_deref().filter(|id| !id.is_empty());
    // A private token is revoked by its own id, and every other one by its family, so what it is
    // decides which ids it must have.
    if family.is_some() == (use_of(claims)? == TokenUse::Private) {
        return Err(refused("sid"));
    }
    Ok(TokenIds::new(token, family))
}

fn jti<'c>(claims: &'c Claims<'_>) -> Result<&'c str, Rejection> {
    let id = claims.jti.as_deref().filter(|id| !id.is_empty());
    id.ok_or_else(|| refused("jti"))
}

/// A token of ours that was presented to be refreshed, revoked or asked about.
#[derive(Debug)]
pub(crate) struct ReadToken {
    pub(crate) subject: Subject,
    pub(crate) ids: IssuedIds,
    pub(crate) expires: SystemTime,
}

/// What tokens that we issue are held against besides: were they revoked?
#[derive(Clone)]
pub(crate) struct Ours {
    store: Arc<dyn TokenStore>,
    private_store: Option<Arc<dyn PrivateTokenStore>>,
    guard: Guard,
    uses: Option<Arc<Upkeep<String>>>,
    noted: Arc<Cache<String, SystemTime>>,
    /// Where they are tokens of simplejwt: about each of these the stores are asked.
    simplejwt: Option<SimpleJwtUsers>,
}

impl Ours {
    pub(crate) fn new(
        store: Arc<dyn TokenStore>,
        private_store: Option<Arc<dyn PrivateTokenStore>>,
        guard: Guard,
    ) -> Self {
        Self {
            store,
            guard,
            uses: private_store.clone().map(uses_written_to),
            private_store,
            noted: Arc::new(Cache::new(NOTED)),
            simplejwt: None,
        }
    }

    /// The same for tokens that simplejwt issued to these users.
    pub(crate) fn of_simplejwt(self, users: SimpleJwtUsers) -> Self {
        Self {
            simplejwt: Some(users),
            ..self
        }
    }

    pub(crate) fn store(&self) -> &dyn TokenStore {
        &*self.store
    }

    pub(crate) fn private_store(&self) -> Option<&dyn PrivateTokenStore> {
        self.private_store.as_deref()
    }

    /// Refuses a revoked token; `false` where a store has to be asked.
    pub(super) fn look_up(&self, ids: TokenIds<'_>, now: SystemTime) -> Result<bool, Rejection> {
        match caught(|| self.store.peek_revoked(ids, now))? {
            Known::Yes => return Err(revoked()),
            Known::No => {}
            Known::Ask => return Ok(false),
        }
        if ids.family.is_none() {
            self.note_use(ids.token, now);
        }
        // What a token of simplejwt grants stands with its user, so a store is asked about each of
        // them.
        Ok(self.simplejwt.is_none())
    }

    /// Refuses a token that is revoked, or that its user has lost, and gives it with the rights that
    /// it has; 503 where a store cannot tell.
    pub(super) async fn judge(
        &self,
        identity: Arc<TokenIdentity>,
        ids: &IssuedIds,
        now: SystemTime,
    ) -> Result<Arc<TokenIdentity>, Rejection> {
        self.ask(ids, now).await?;
        match &self.simplejwt {
            None => Ok(identity),
            Some(users) => {
                let user = users.admitted(&identity.subject, now).await?;
                users.with_rights(&identity, &user)
            }
        }
    }

    /// Refuses a revoked token; 503 where the store cannot tell.
    pub(crate) async fn ask(&self, ids: &IssuedIds, now: SystemTime) -> Result<(), Rejection> {
        if self
            .guard
            .call(self.store.is_revoked(ids.borrowed(), now))
            .await?
        {
            return Err(revoked());
        }
        if ids.family.is_none() {
            self.note_use(&ids.token, now);
        }
        Ok(())
    }

    fn note_use(&self, id: &str, now: SystemTime) {
        let Some(uses) = &self.uses else {
            return;
        };
        // A clock that was set back makes no use due: the one noted later is in the store.
        let is_due = match self.noted.get(id) {
            Some(noted) => now
                .duration_since(noted)
                .is_ok_and(|since| since >= NOTED_EVERY),
            None => true,
        };
        if is_due && !rehearsal::is_on() {
            self.noted.insert(id.to_owned(), now);
            uses.add(id.to_owned(), now);
        }
    }
}

fn uses_written_to(store: Arc<dyn PrivateTokenStore>) -> Arc<Upkeep<String>> {
    Upkeep::new(move |uses: Vec<(String, SystemTime)>| {
        let store = Arc::clone(&store);
        async move {
            // A use that could not be written is not worth a refusal: the next one follows in a
            // minute.
            let _ = store.note_token_uses(&uses).await;
        }
    })
}

pub(crate) fn revoked() -> Rejection {
    Rejection::new(RejectionKind::RevokedToken, "revoked")
}

impl fmt::Debug for Ours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ours").finish_non_exhaustive()
    }
}
