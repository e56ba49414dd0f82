use super::Memory;
use super::keys::{Index, Keys};
use super::tokens::Records;
use super::users::{ById, key};
use crate::store::{AllStores, Known, StoreError, StoreErrorKind, Warrant, Write};
use async_trait::async_trait;
use std::time::Duration;

/// All that changes, held while a commit is made: users first, then tokens, then keys. Whoever
/// changes one of them alone has its lock alone.
struct Held<'a> {
    users: &'a mut ById,
    tokens: &'a mut Records,
    keys: &'a mut Index,
}

impl Memory {
    fn commit(&self, warrant: Option<&Warrant>, writes: Vec<Write>) -> Result<(), StoreError> {
        let mut users = self.users().by_id();
        let mut tokens = self.tokens().records();
        let mut keys = self.keys().index();
        let mut held = Held {
            users: &mut users,
            tokens: &mut tokens,
            keys: &mut keys,
        };
        if warrant.is_some_and(|warrant| !self.holds(&held, warrant)) {
            return Err(StoreError::new(StoreErrorKind::Revoked));
        }
        // All are checked before the first one is made: nothing here could take a change back. So
        // each is checked against what there will be once those before it are made.
        for (at, write) in writes.iter().enumerate() {
            self.check(&held, &writes[..at], write)?;
        }
        for write in writes {
            self.put(&mut held, write);
        }
        Ok(())
    }

    fn holds(&self, held: &Held<'_>, warrant: &Warrant) -> bool {
        let users_agree = match &warrant.account {
            Some(account) => {
                let user = held.users.get(&key(account));
                warrant.holds_for_user(user.map(|user| &**user))
            }
            None => true,
        };
        let tokens_agree = match warrant.token_ids() {
            // Whoever revokes a token has the lock of the records, which is held here. So the
            // answer is true until all is written.
            Some(ids) => self.tokens().denials.peek(ids, warrant.now) == Known::No,
            None => true,
        };
        let keys_agree = match &warrant.key {
            Some(record) => {
                let found = Keys::owned(held.keys, &record.owner, &record.id);
                warrant.holds_for_key(found)
            }
            None => true,
        };
        !warrant.is_expired() && users_agree && tokens_agree && keys_agree
    }

    /// Whether a change can be made, once the earlier ones are. Nothing is changed before all were
    /// found possible.
    fn check(&self, held: &Held<'_>, earlier: &[Write], write: &Write) -> Result<(), StoreError> {
        match write {
            Write::InsertUser(user) => self.users().check_free(held.users, earlier, user),
            Write::InsertFamily(family) => held.tokens.check_free_family(earlier, &family.id),
            Write::InsertKey(record) => self.keys().check_free(held.keys, earlier, record),
            Write::RoomForKey { owner, room } => {
                self.keys().check_room(held.keys, earlier, owner, *room)
            }
            Write::RoomForPrivateToken { owner, room } => {
                held.tokens.check_room(earlier, owner, *room)
            }
            Write::ReplaceKey {
                former,
                next,
                successor,
            } => {
                let successor = successor.as_deref();
                self.keys()
                    .check_replaced(held.keys, earlier, former, next, successor)
            }
            Write::ReplaceUser { former, next } => self
                .users()
                .check_replaced(held.users, earlier, former, next),
            Write::InsertPrivateToken(token) => held.tokens.check_free(earlier, &token.id),
            Write::ReplacePrivateToken { former, .. } => {
                held.tokens.check_unchanged(earlier, former)
            }
            Write::RevokeSubject { .. } => Ok(()),
        }
    }

    fn put(&self, held: &mut Held<'_>, write: Write) {
        match write {
            Write::RoomForKey { .. } | Write::RoomForPrivateToken { .. } => {}
            Write::InsertUser(user) => drop(self.users().put(held.users, *user)),
            Write::InsertFamily(family) => held.tokens.put_family(*family),
            Write::InsertKey(record) => self.keys().put(held.keys, record),
            Write::ReplaceKey {
                next, successor, ..
            } => {
                let successor = successor.map(|successor| *successor);
                self.keys().put_replaced(held.keys, *next, successor);
            }
            Write::ReplaceUser { next, .. } => self.users().put_replaced(held.users, *next),
            Write::InsertPrivateToken(token) => held.tokens.put_private(token),
            Write::ReplacePrivateToken {
                next, denied_until, ..
            } => self.tokens().put_replaced(held.tokens, *next, denied_until),
            Write::RevokeSubject {
                subject,
                access_until,
                now,
            } => {
                let tokens = self.tokens();
                tokens.end_subject(held.tokens, &subject, access_until, now);
            }
        }
    }
}

#[async_trait]
impl AllStores for Memory {
    async fn commit(
        &self,
        warrant: Option<&Warrant>,
        writes: Vec<Write>,
    ) -> Result<(), StoreError> {
        Self::commit(self, warrant, writes)
    }

    /// There are no other nodes.
    fn lag(&self) -> Option<Duration> {
        Some(Duration::ZERO)
    }
}
