use super::attempts::Attempts;
use super::origin::Origin;
use crate::credential::{Credential, Sender};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

/// A credential that somebody tries, right or wrong: what a [`Scheme`](crate::scheme::Scheme) is
/// asked about.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    credential: &'a Credential<'a>,
    now: SystemTime,
    attempts: &'a Arc<Attempts>,
    peer: Option<IpAddr>,
    sender: Option<&'a Sender>,
}

impl<'a> Attempt<'a> {
    #[inline]
    pub(crate) fn new(
        credential: &'a Credential<'a>,
        now: SystemTime,
        attempts: &'a Arc<Attempts>,
        peer: Option<IpAddr>,
        sender: Option<&'a Sender>,
    ) -> Self {
        Self {
            credential,
            now,
            attempts,
            peer,
            sender,
        }
    }

    /// The credential that is tried: nothing about it has been verified.
    #[must_use]
    pub fn credential(&self) -> &'a Credential<'a> {
        self.credential
    }

    /// When the request came, by the realm's clock: what expires is judged by this.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.now
    }

    /// Who sent it, where the layer accepts tokens that are bound to that.
    #[cfg(feature = "jwt")]
    pub(crate) fn sender(&self) -> Option<&'a Sender> {
        self.sender
    }

    /// Where it comes from, for those who count it.
    pub(crate) fn origin(&self) -> Origin {
        if self.peer.is_none() {
            self.attempts.tell_of_no_peer();
        }
        Origin::new(self.attempts, self.peer)
    }
}

/// Never shows what was presented.
impl fmt::Debug for Attempt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("credential", self.credential)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}
