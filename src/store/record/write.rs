use super::{FamilyRecord, KeyRecord, Room, TokenRecord, UserRecord};
use crate::principal::Subject;
use std::time::SystemTime;

/// One of the changes that [`AllStores::commit`](crate::store::AllStores::commit) makes together.
/// Each is as the method of the same name says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Write {
    /// [`ManagedUserStore::insert_user`](crate::store::ManagedUserStore::insert_user).
    InsertUser(Box<UserRecord>),
    /// [`TokenStore::insert_family`](crate::store::TokenStore::insert_family).
    InsertFamily(Box<FamilyRecord>),
    /// [`ManagedKeyStore::insert_key`](crate::store::ManagedKeyStore::insert_key).
    InsertKey(KeyRecord),
    /// Nothing but a condition: the owner has room for one more key.
    RoomForKey {
        /// Whose keys are counted.
        owner: Subject,
        /// How many there may be.
        room: Room,
    },
    /// Nothing but a condition: the owner has room for one more private token.
    RoomForPrivateToken {
        /// Whose private tokens are counted.
        owner: Subject,
        /// How many there may be.
        room: Room,
    },
    /// [`ManagedKeyStore::replace_key`](crate::store::ManagedKeyStore::replace_key).
    ReplaceKey {
        /// The record as it was read.
        former: Box<KeyRecord>,
        /// What takes its place.
        next: Box<KeyRecord>,
        /// A key that is added.
        successor: Option<Box<KeyRecord>>,
    },
    /// [`ManagedUserStore::replace_user`](crate::store::ManagedUserStore::replace_user).
    ReplaceUser {
        /// The record as it was read.
        former: Box<UserRecord>,
        /// What takes its place.
        next: Box<UserRecord>,
    },
    /// [`PrivateTokenStore::insert_private_token`](crate::store::PrivateTokenStore::insert_private_token).
    InsertPrivateToken(TokenRecord),
    /// [`PrivateTokenStore::replace_private_token`](crate::store::PrivateTokenStore::replace_private_token).
    ReplacePrivateToken {
        /// The record as it was read.
        former: Box<TokenRecord>,
        /// What takes its place.
        next: Box<TokenRecord>,
        /// Until when the token is revoked.
        denied_until: Option<SystemTime>,
    },
    /// [`PrivateTokenStore::revoke_subject`](crate::store::PrivateTokenStore::revoke_subject).
    RevokeSubject {
        /// Whose families and private tokens end.
        subject: Subject,
        /// Until when access tokens live.
        access_until: SystemTime,
        /// The time of the change.
        now: SystemTime,
    },
}
