use super::{FamilyRecord, Known, Rotated, Rotation, StoreError, TokenIds, TokenRecord};
use crate::principal::Subject;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::SystemTime;

/// Keeps refresh families, private tokens and what is revoked.
///
/// What is denied is kept, not what is allowed: an id stays revoked until the time that the revocation gives, at which the
/// token is expired anyway, and nothing else makes a store forget it.
#[async_trait]
pub trait TokenStore: Send + Sync + 'static {
    /// Whether a token or its family is revoked, as far as memory knows.
    fn peek_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Known {
        let _ = (token, now);
        Known::Ask
    }

    /// Whether a token or its family is revoked. An id that was never heard of is not.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot tell.
    async fn is_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Result<bool, StoreError>;

    /// Revokes one token by its id (`jti`), which lives until `until`.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be written.
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
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be written.
    async fn insert_family(&self, family: FamilyRecord, now: SystemTime) -> Result<(), StoreError>;

    /// The family of that id, revoked ones included.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot tell.
    async fn find_family(
        &self,
        id: &str,
        now: SystemTime,
    ) -> Result<Option<Arc<FamilyRecord>>, StoreError>;

    /// Rotates a refresh token by the rule of [`FamilyRecord::rotate`], in one atomic step: of any number of concurrent calls
    /// with one token one gets [`Rotated::New`]. Reuse revokes the family, and its access tokens until
    /// [`access_until`](Rotation::access_until), before this returns.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be written: neither success nor
    /// reuse.
    async fn rotate_family(
        &self,
        rotation: Rotation<'_>,
        now: SystemTime,
    ) -> Result<Rotated, StoreError>;

    /// Revokes a family and, until `access_until`, its access tokens. One that is revoked already, or is not there, is no error.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be written.
    async fn revoke_family(
        &self,
        id: &str,
        access_until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError>;

    /// Revokes all families and private tokens of a subject that are there now, and, until `access_until`, the access tokens.
    /// What is made afterwards is not affected.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be written.
    async fn revoke_subject(
        &self,
        subject: &Subject,
        access_until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError>;

    /// Adds a private token.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Exists`](super::StoreErrorKind::Exists) when its id is taken,
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be written.
    async fn insert_private_token(
        &self,
        token: TokenRecord,
        now: SystemTime,
    ) -> Result<(), StoreError>;

    /// The private tokens of an owner, revoked and expired ones included, oldest first, by time and then id.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot tell.
    async fn list_private_tokens(
        &self,
        owner: &Subject,
        now: SystemTime,
    ) -> Result<Vec<Arc<TokenRecord>>, StoreError>;

    /// Revokes a private token of that owner. One that is revoked already stays as it is, with its first time.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`](super::StoreErrorKind::Missing) when the owner has no such token, somebody else's included;
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be written.
    async fn revoke_private_token(
        &self,
        owner: &Subject,
        id: &str,
        now: SystemTime,
    ) -> Result<(), StoreError>;

    /// Takes down when private tokens were last used, by id. A time before one that is known, or a token that is gone, changes
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be written.
    async fn note_token_uses(
        &self,
        uses: &[(String, SystemTime)],
        now: SystemTime,
    ) -> Result<(), StoreError>;

    /// Removes at most `most` families, private tokens and revocations whose time was over before `before`, and says how
    /// many.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when they could not be removed.
    async fn purge_tokens(
        &self,
        before: SystemTime,
        most: usize,
        now: SystemTime,
    ) -> Result<usize, StoreError>;
}
