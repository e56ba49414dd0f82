use super::retry::{TRIES, contended, is_replaced, missing};
use super::{StoreError, TokenRecord, TokenStore};
use crate::principal::Subject;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::SystemTime;

/// How many tokens are read at once where all of a subject's are ended.
const PAGE: usize = 100;

/// Keeps private tokens. It is a [`TokenStore`] besides, because a private token that was revoked
/// is denied where every token is looked up, by the same step.
///
/// Four methods are required: read, insert, replace if unchanged, list by page. The others are
/// provided on top of them, and keep their promises by
/// [`replace_private_token`](Self::replace_private_token) alone; a store that can do one of them
/// in a single statement does so.
///
/// Without the part that every [`TokenStore`] has, which is on its page:
///
/// ```
/// # use std::collections::HashMap;
/// # use tower_auth::store::FamilyRecord;
/// use async_trait::async_trait;
/// use std::sync::{Arc, Mutex};
/// use std::time::{Duration, SystemTime, UNIX_EPOCH};
/// use tower_auth::Subject;
/// use tower_auth::store::{
///     PrivateTokenStore, StoreError, StoreErrorKind, TokenIds, TokenRecord, TokenStore, conformance,
/// };
///
/// #[derive(Default)]
/// struct Kept {
///     private: Mutex<Vec<TokenRecord>>,
///     // … and what a `TokenStore` keeps.
/// #     families: Mutex<Vec<FamilyRecord>>,
/// #     denied: Mutex<HashMap<String, SystemTime>>,
/// }
/// #
/// # impl Kept {
/// #     fn deny(&self, what: String, until: SystemTime) {
/// #         let mut denied = self.denied.lock().unwrap();
/// #         let known = denied.entry(what).or_insert(until);
/// #         *known = until.max(*known);
/// #     }
/// # }
/// #
/// # #[async_trait]
/// # impl TokenStore for Kept {
/// #     async fn is_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Result<bool, StoreError> {
/// #         let denied = self.denied.lock().unwrap();
/// #         let is_denied = |what: String| denied.get(&what).is_some_and(|until| now < *until);
/// #         let by_family = token.family.is_some_and(|family| is_denied(format!("family {family}")));
/// #         Ok(by_family || is_denied(format!("token {}", token.token)))
/// #     }
/// #
/// #     async fn revoke_token(
/// #         &self,
/// #         id: &str,
/// #         until: SystemTime,
/// #         _: SystemTime,
/// #     ) -> Result<(), StoreError> {
/// #         self.deny(format!("token {id}"), until);
/// #         Ok(())
/// #     }
/// #
/// #     async fn insert_family(&self, family: FamilyRecord) -> Result<(), StoreError> {
/// #         let mut families = self.families.lock().unwrap();
/// #         if families.iter().any(|known| known.id == family.id) {
/// #             return Err(StoreError::new(StoreErrorKind::Exists));
/// #         }
/// #         families.push(family);
/// #         Ok(())
/// #     }
/// #
/// #     async fn find_family(&self, id: &str) -> Result<Option<Arc<FamilyRecord>>, StoreError> {
/// #         let families = self.families.lock().unwrap();
/// #         Ok(families.iter().find(|family| *family.id == *id).cloned().map(Arc::new))
/// #     }
/// #
/// #     async fn replace_family(
/// #         &self,
/// #         former: &FamilyRecord,
/// #         next: FamilyRecord,
/// #         denied_until: Option<SystemTime>,
/// #     ) -> Result<(), StoreError> {
/// #         let mut families = self.families.lock().unwrap();
/// #         match families.iter_mut().find(|known| *known == former) {
/// #             Some(family) => *family = next,
/// #             None => return Err(StoreError::new(StoreErrorKind::Missing)),
/// #         }
/// #         if let Some(until) = denied_until {
/// #             self.deny(format!("family {}", former.id), until);
/// #         }
/// #         Ok(())
/// #     }
/// #
/// #     async fn list_families(
/// #         &self,
/// #         subject: &Subject,
/// #         after: Option<&FamilyRecord>,
/// #         most: usize,
/// #     ) -> Result<Vec<Arc<FamilyRecord>>, StoreError> {
/// #         let place = |family: &FamilyRecord| (family.created, family.id.clone());
/// #         let mut families = self.families.lock().unwrap().clone();
/// #         families.retain(|one| one.subject == *subject && Some(place(one)) > after.map(place));
/// #         families.sort_by_key(place);
/// #         Ok(families.into_iter().take(most).map(Arc::new).collect())
/// #     }
/// # }
///
/// #[async_trait]
/// impl PrivateTokenStore for Kept {
///     async fn find_private_token(&self, id: &str) -> Result<Option<Arc<TokenRecord>>, StoreError> {
///         let private = self.private.lock().unwrap();
///         Ok(private.iter().find(|token| *token.id == *id).cloned().map(Arc::new))
///     }
///
///     async fn insert_private_token(&self, token: TokenRecord) -> Result<(), StoreError> {
///         let mut private = self.private.lock().unwrap();
///         if private.iter().any(|known| known.id == token.id) {
///             return Err(StoreError::new(StoreErrorKind::Exists));
///         }
///         private.push(token);
///         Ok(())
///     }
///
///     async fn replace_private_token(
///         &self,
///         former: &TokenRecord,
///         next: TokenRecord,
///         denied_until: Option<SystemTime>,
///     ) -> Result<(), StoreError> {
///         let mut private = self.private.lock().unwrap();
///         match private.iter_mut().find(|known| *known == former) {
///             Some(token) => *token = next,
///             None => return Err(StoreError::new(StoreErrorKind::Missing)),
///         }
///         if let Some(until) = denied_until {
///             self.deny(format!("token {}", former.id), until);
///         }
///         Ok(())
///     }
///
///     async fn list_private_tokens(
///         &self,
///         owner: &Subject,
///         after: Option<&TokenRecord>,
///         most: usize,
///     ) -> Result<Vec<Arc<TokenRecord>>, StoreError> {
///         let place = |token: &TokenRecord| (token.created, token.id.clone());
///         let mut private = self.private.lock().unwrap().clone();
///         private.retain(|token| token.owner == *owner && Some(place(token)) > after.map(place));
///         private.sort_by_key(place);
///         Ok(private.into_iter().take(most).map(Arc::new).collect())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (store, now) = (Kept::default(), UNIX_EPOCH);
/// let end = now + Duration::from_secs(60);
/// store.insert_private_token(TokenRecord::new("1", Subject::user("7"), "ci", now, end)).await?;
/// assert!(!store.is_revoked(TokenIds::new("1", None), now).await?);
/// store.revoke_private_token(&Subject::user("7"), "1", now).await?; // provided
/// assert!(store.is_revoked(TokenIds::new("1", None), now).await?);
///
/// // All promises are checked (feature `test-util`).
/// conformance::private_token_store(async || Kept::default()).await;
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait PrivateTokenStore: TokenStore {
    /// The private token of that id, revoked and expired ones included.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot
    /// tell.
    async fn find_private_token(&self, id: &str) -> Result<Option<Arc<TokenRecord>>, StoreError>;

    /// Adds a private token.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Exists`](super::StoreErrorKind::Exists) when its id is taken,
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be
    /// written.
    async fn insert_private_token(&self, token: TokenRecord) -> Result<(), StoreError>;

    /// Puts `next` in the place of a record that is still as it was read, and where `denied_until`
    /// is given revokes the token until then ([`TokenStore::is_revoked`]), in one atomic step: of
    /// concurrent replacements of one record one is made.
    ///
    /// - `next` has the id and the owner of `former`.
    /// - A last use that was noted meanwhile is no change
    ///   ([`is_unchanged_from`](TokenRecord::is_unchanged_from)), and the later one stays. A store
    ///   that counts it as a change is as good.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`](super::StoreErrorKind::Missing) when there is no record like
    /// `former`, [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could
    /// not be written.
    async fn replace_private_token(
        &self,
        former: &TokenRecord,
        next: TokenRecord,
        denied_until: Option<SystemTime>,
    ) -> Result<(), StoreError>;

    /// At most `most` private tokens of an owner, revoked and expired ones included, oldest first,
    /// by [`created`](TokenRecord::created) and then id (by bytes): those after `after`, which
    /// need not be there any more.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot
    /// tell.
    async fn list_private_tokens(
        &self,
        owner: &Subject,
        after: Option<&TokenRecord>,
        most: usize,
    ) -> Result<Vec<Arc<TokenRecord>>, StoreError>;

    /// Revokes a private token of that owner. One that is revoked already stays as it is, with its
    /// first time.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`](super::StoreErrorKind::Missing) when the owner has no such
    /// token, somebody else's included;
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be
    /// written.
    async fn revoke_private_token(
        &self,
        owner: &Subject,
        id: &str,
        at: SystemTime,
    ) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let found = self.find_private_token(id).await?;
            let former = found
                .filter(|token| token.owner == *owner)
                .ok_or_else(missing)?;
            if former.revoked.is_some() {
                return Ok(());
            }
            let next = TokenRecord::clone(&former).revoked(at);
            let until = Some(next.expires);
            if is_replaced(self.replace_private_token(&former, next, until).await)? {
                return Ok(());
            }
        }
        Err(contended())
    }

    /// Revokes all families and private tokens of a subject that are there now and, until
    /// `access_until`, the access tokens. What is made afterwards is not affected. As provided it
    /// is one step a record: what was ended when it fails stays so.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be
    /// written.
    async fn revoke_subject(
        &self,
        subject: &Subject,
        access_until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        self.revoke_families(subject, access_until, now).await?;
        let mut after: Option<Arc<TokenRecord>> = None;
        loop {
            let listed = self.list_private_tokens(subject, after.as_deref(), PAGE);
            let page = listed.await?;
            for token in &page {
                self.revoke_private_token(subject, &token.id, now).await?;
            }
            if page.len() < PAGE {
                return Ok(());
            }
            after = page.into_iter().last();
        }
    }

    /// Takes down when private tokens were last used, by id. A time before one that is known, or a
    /// token that is gone, changes nothing. A token that somebody changes at that moment may be
    /// passed over: a note keeps nobody from revoking one.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be
    /// written; a part may have been.
    async fn note_token_uses(&self, uses: &[(String, SystemTime)]) -> Result<(), StoreError> {
        for (id, at) in uses {
            note_use(self, id, *at).await?;
        }
        Ok(())
    }

    /// Removes at most `most` private tokens that had expired before `before`, and says how many. A
    /// store need not forget: then it removes none.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when they could not be
    /// removed.
    async fn purge_private_tokens(
        &self,
        before: SystemTime,
        most: usize,
    ) -> Result<usize, StoreError> {
        let _ = (before, most);
        Ok(0)
    }
}

async fn note_use<S: PrivateTokenStore + ?Sized>(
    store: &S,
    id: &str,
    at: SystemTime,
) -> Result<(), StoreError> {
    for _ in 0..TRIES {
        let Some(former) = store.find_private_token(id).await? else {
            return Ok(());
        };
        // A use that comes late, from another node or a slower batch, must not set the time back.
        if former.last_used.get() > Some(at) {
            return Ok(());
        }
        let next = TokenRecord::clone(&former);
        next.last_used.set(at);
        if is_replaced(store.replace_private_token(&former, next, None).await)? {
            return Ok(());
        }
    }
    Err(contended())
}
