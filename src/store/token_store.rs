use super::retry::{TRIES, contended, is_replaced};
use super::{FamilyRecord, Known, Rotated, Rotation, StoreError, TokenIds};
use crate::principal::Subject;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::SystemTime;

/// How many families are read at once where all of a subject's are ended.
const PAGE: usize = 100;

/// Keeps refresh families and what is revoked.
///
/// What is denied is kept, not what is allowed: an id stays revoked until the time that the
/// revocation gives, at which the token is expired anyway, and nothing else makes a store forget
/// it.
///
/// Six methods are required: a look-up and a write of what is revoked, and of families read,
/// insert, replace if unchanged and list by page. The others are provided on top of them, and keep
/// their promises by [`replace_family`](Self::replace_family) alone; a store that can do one of
/// them in a single statement does so.
///
/// ```
/// use async_trait::async_trait;
/// use std::collections::HashMap;
/// use std::sync::{Arc, Mutex};
/// use std::time::{Duration, SystemTime, UNIX_EPOCH};
/// use tower_auth::Subject;
/// use tower_auth::store::{
///     FamilyRecord, StoreError, StoreErrorKind, TokenIds, TokenStore, conformance,
/// };
///
/// /// Families, and until when an id of a family or a token is denied. Whoever holds its lock makes
/// /// one step.
/// #[derive(Default)]
/// struct Kept(Mutex<(Vec<FamilyRecord>, HashMap<String, SystemTime>)>);
///
/// /// Tokens and families have ids of the same form: what is denied says which it is.
/// fn deny(denied: &mut HashMap<String, SystemTime>, what: String, until: SystemTime) {
///     let known = denied.entry(what).or_insert(until);
///     *known = until.max(*known);
/// }
///
/// #[async_trait]
/// impl TokenStore for Kept {
///     async fn is_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Result<bool, StoreError> {
///         let denied = &self.0.lock().unwrap().1;
///         let is_denied = |what: String| denied.get(&what).is_some_and(|until| now < *until);
///         let by_family = token.family.is_some_and(|family| is_denied(format!("family {family}")));
///         Ok(by_family || is_denied(format!("token {}", token.token)))
///     }
///
///     async fn revoke_token(
///         &self,
///         id: &str,
///         until: SystemTime,
///         _: SystemTime,
///     ) -> Result<(), StoreError> {
///         deny(&mut self.0.lock().unwrap().1, format!("token {id}"), until);
///         Ok(())
///     }
///
///     async fn insert_family(&self, family: FamilyRecord) -> Result<(), StoreError> {
///         let families = &mut self.0.lock().unwrap().0;
///         if families.iter().any(|known| known.id == family.id) {
///             return Err(StoreError::new(StoreErrorKind::Exists));
///         }
///         families.push(family);
///         Ok(())
///     }
///
///     async fn find_family(&self, id: &str) -> Result<Option<Arc<FamilyRecord>>, StoreError> {
///         let families = &self.0.lock().unwrap().0;
///         Ok(families.iter().find(|family| *family.id == *id).cloned().map(Arc::new))
///     }
///
///     async fn replace_family(
///         &self,
///         former: &FamilyRecord,
///         next: FamilyRecord,
///         denied_until: Option<SystemTime>,
///     ) -> Result<(), StoreError> {
///         let (families, denied) = &mut *self.0.lock().unwrap();
///         match families.iter_mut().find(|known| *known == former) {
///             Some(family) => *family = next,
///             None => return Err(StoreError::new(StoreErrorKind::Missing)),
///         }
///         if let Some(until) = denied_until {
///             deny(denied, format!("family {}", former.id), until);
///         }
///         Ok(())
///     }
///
///     async fn list_families(
///         &self,
///         subject: &Subject,
///         after: Option<&FamilyRecord>,
///         most: usize,
///     ) -> Result<Vec<Arc<FamilyRecord>>, StoreError> {
///         let place = |family: &FamilyRecord| (family.created, family.id.clone());
///         let mut families = self.0.lock().unwrap().0.clone();
///         families.retain(|one| one.subject == *subject && Some(place(one)) > after.map(place));
///         families.sort_by_key(place);
///         Ok(families.into_iter().take(most).map(Arc::new).collect())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (store, now) = (Kept::default(), UNIX_EPOCH);
/// let end = now + Duration::from_secs(60);
/// store.insert_family(FamilyRecord::new("f", Subject::user("7"), "", now, end, "1", end)).await?;
/// let access = TokenIds::new("a", Some("f"));
/// assert!(!store.is_revoked(access, now).await?);
/// store.revoke_family("f", end, now).await?; // provided
/// assert!(store.is_revoked(access, now).await?);
///
/// // All promises are checked (feature `test-util`).
/// conformance::token_store(async || Kept::default()).await;
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait TokenStore: Send + Sync + 'static {
    /// Whether a token or its family is revoked at `now`. An id that was never heard of is not.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot
    /// tell.
    async fn is_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Result<bool, StoreError>;

    /// Revokes one token by its id (`jti`), which lives until `until`. One that is revoked for
    /// longer stays so. What was over before `now` may be forgotten.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be
    /// written.
    async fn revoke_token(
        &self,
        id: &str,
        until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError>;

    /// Adds a family.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Exists`](super::StoreErrorKind::Exists) when its id is taken,
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be
    /// written.
    async fn insert_family(&self, family: FamilyRecord) -> Result<(), StoreError>;

    /// The family of that id, revoked ones included.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot
    /// tell.
    async fn find_family(&self, id: &str) -> Result<Option<Arc<FamilyRecord>>, StoreError>;

    /// Puts `next` in the place of a record that is still equal to `former`, and where
    /// `denied_until` is given revokes the family's access tokens until then, in one atomic step:
    /// of concurrent replacements of one record one is made. Both have the same id and subject.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`](super::StoreErrorKind::Missing) when there is no record like
    /// `former`, [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could
    /// not be written.
    async fn replace_family(
        &self,
        former: &FamilyRecord,
        next: FamilyRecord,
        denied_until: Option<SystemTime>,
    ) -> Result<(), StoreError>;

    /// At most `most` families of a subject, revoked and ended ones included, oldest first, by
    /// [`created`](FamilyRecord::created) and then id (by bytes): those after `after`, which need
    /// not be there any more.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot
    /// tell.
    async fn list_families(
        &self,
        subject: &Subject,
        after: Option<&FamilyRecord>,
        most: usize,
    ) -> Result<Vec<Arc<FamilyRecord>>, StoreError>;

    /// Whether a token or its family is revoked at `now`, as far as memory knows.
    fn peek_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Known {
        let _ = (token, now);
        Known::Ask
    }

    /// Rotates a refresh token by the rule of [`Rotation::of`], in one atomic step: of any number
    /// of concurrent calls with one token one gets [`Rotated::New`]. Reuse revokes the family, and
    /// its access tokens until [`access_until`](Rotation::access_until), before this returns.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be
    /// written: neither success nor reuse.
    async fn rotate_family(
        &self,
        rotation: Rotation<'_>,
        now: SystemTime,
    ) -> Result<Rotated, StoreError> {
        for _ in 0..TRIES {
            let Some(former) = self.find_family(rotation.family).await? else {
                return Ok(Rotated::Unknown);
            };
            // Judged anew in each turn: whoever came between may have rotated the same token, and
            // then this one is the predecessor.
            let rotated = rotation.of(&former, now);
            let (next, denied_until) = match &rotated {
                Rotated::New(next) => (next, None),
                Rotated::Reuse(ended) => (ended, Some(rotation.access_until)),
                Rotated::Again(_) | Rotated::Ended | Rotated::Unknown => return Ok(rotated),
            };
            let next = FamilyRecord::clone(next);
            if is_replaced(self.replace_family(&former, next, denied_until).await)? {
                return Ok(rotated);
            }
        }
        Err(contended())
    }

    /// Revokes a family and, until `access_until`, its access tokens. One that is revoked already,
    /// or is not there, is no error.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be
    /// written.
    async fn revoke_family(
        &self,
        id: &str,
        access_until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let Some(former) = self.find_family(id).await? else {
                return Ok(());
            };
            // The first time stays, and what was denied then is denied still.
            if former.revoked.is_some() {
                return Ok(());
            }
            let next = FamilyRecord::clone(&former).revoked(now);
            let ended = self.replace_family(&former, next, Some(access_until)).await;
            if is_replaced(ended)? {
                return Ok(());
            }
        }
        Err(contended())
    }

    /// Revokes all families of a subject that are there now and, until `access_until`, their access
    /// tokens. What is made afterwards is not affected. As provided it is one step a family: what
    /// was ended when it fails stays so.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be
    /// written.
    async fn revoke_families(
        &self,
        subject: &Subject,
        access_until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        let mut after: Option<Arc<FamilyRecord>> = None;
        loop {
            let page = self.list_families(subject, after.as_deref(), PAGE).await?;
            for family in &page {
                self.revoke_family(&family.id, access_until, now).await?;
            }
            if page.len() < PAGE {
                return Ok(());
            }
            after = page.into_iter().last();
        }
    }

    /// Removes at most `most` families and revocations whose time was over before `before`, and
    /// says how many. A store need not forget: then it removes none.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when they could not be
    /// removed.
    async fn purge_tokens(&self, before: SystemTime, most: usize) -> Result<usize, StoreError> {
        let _ = (before, most);
        Ok(0)
    }
}
