use super::claims::{Names, Stamp};
use super::grant::GrantOf;
use super::rotation::Rotation;
use super::signing::Signing;
use super::{Grant, TokenPair};
use crate::clock::later;
use crate::key_set::Signer;
use crate::principal::TokenUse;
use crate::random;
use crate::reject::{Rejection, RejectionKind};
use crate::scheme::{OurPolicy, Ours, ReadToken, SimpleJwtUsers};
use crate::secret::Secret;
use crate::store::{FamilyRecord, TokenRecord};
#[cfg(feature = "endpoints")]
use serde_json::{Map, Value};
use std::time::{Duration, SystemTime};

/// What signs and verifies the tokens of one issuer: a [`Tokens`](super::Tokens) that was found
/// sound.
pub(super) struct Mint {
    pub(super) signing: Signing,
    pub(super) policy: OurPolicy,
    /// Of tokens that simplejwt issued, where they are accepted.
    pub(super) simplejwt: Option<SimpleJwtPolicy>,
    pub(super) ours: Ours,
    pub(super) grant: Option<GrantOf>,
    pub(super) names: Names,
    pub(super) access_lifetime: Duration,
    pub(super) refresh_lifetime: Duration,
    pub(super) family_lifetime: Duration,
    pub(super) private_lifetime: Duration,
    pub(super) private_per_owner: usize,
    pub(super) rotation: Rotation,
    pub(super) grace: Duration,
}

/// What verifies tokens that simplejwt issued, and who has them.
pub(super) struct SimpleJwtPolicy {
    pub(super) policy: OurPolicy,
    pub(super) users: SimpleJwtUsers,
}

impl Mint {
    /// What verifies a token, by what it says of its issuer.
    fn policy_of(&self, token: &str) -> &OurPolicy {
        match self.simplejwt_of(token) {
            Some(old) => &old.policy,
            None => &self.policy,
        }
    }

    /// Where a token is one that simplejwt may have issued: who has such.
    pub(super) fn simplejwt_of(&self, token: &str) -> Option<&SimpleJwtPolicy> {
        let old = self.simplejwt.as_ref()?;
        Some(old).filter(|old| old.policy.may_have_issued(token))
    }

    /// What a token of these uses says, whoever of the two issued it. Whether it was revoked is not
    /// asked.
    pub(super) async fn read(
        &self,
        token: &str,
        uses: &[TokenUse],
        now: SystemTime,
    ) -> Result<ReadToken, Rejection> {
        self.policy_of(token).read(token, uses, now).await
    }

    /// What a token says that is to be revoked, a refresh token after its expiry as well.
    pub(super) async fn read_to_revoke(
        &self,
        token: &str,
        now: SystemTime,
    ) -> Result<ReadToken, Rejection> {
        self.policy_of(token).read_to_revoke(token, now).await
    }

    /// What a token says that was read before.
    #[cfg(feature = "endpoints")]
    pub(super) fn claims(&self, token: &str) -> Result<Map<String, Value>, Rejection> {
        self.policy_of(token).claims(token)
    }

    /// An access token of a family and its current refresh token, which is the same for every copy
    /// of it that is minted anew.
    pub(super) fn pair(
        &self,
        signer: &Signer,
        family: &FamilyRecord,
        grant: &Grant,
        now: SystemTime,
    ) -> Result<TokenPair, Rejection> {
        let refresh = self.refresh(signer, family, grant)?;
        let pair = self.access(signer, family, grant, now)?;
        Ok(TokenPair {
            refresh: Some(refresh),
            ..pair
        })
    }

    /// An access token of a family alone.
    pub(super) fn access(
        &self,
        signer: &Signer,
        family: &FamilyRecord,
        grant: &Grant,
        now: SystemTime,
    ) -> Result<TokenPair, Rejection> {
        // No access token outlives its family: once that has ended nobody remembers it, and nothing
        // could refuse the token.
        let access_expires = later(now, self.access_lifetime).min(family.ends);
        let stamp = Stamp {
            is: TokenUse::Access,
            subject: &family.subject,
            id: &random::id()?,
            family: Some(&family.id),
            issued: now,
            expires: access_expires,
        };
        Ok(TokenPair {
            access: self.sign(signer, stamp, grant)?,
            refresh: None,
            access_expires,
        })
    }

    fn refresh(
        &self,
        signer: &Signer,
        family: &FamilyRecord,
        grant: &Grant,
    ) -> Result<Secret<String>, Rejection> {
        // The time of the rotation and not that of now: within the grace the predecessor gets the
        // very same token once more.
        let issued = match &family.previous {
            Some((_, rotated)) => *rotated,
            None => family.created,
        };
        let stamp = Stamp {
            is: TokenUse::Refresh,
            subject: &family.subject,
            id: &family.current,
            family: Some(&family.id),
            issued,
            expires: family.expires,
        };
        self.sign(signer, stamp, grant)
    }

    /// The private token of a record.
    pub(super) fn private(
        &self,
        signer: &Signer,
        record: &TokenRecord,
        grant: &Grant,
    ) -> Result<Secret<String>, Rejection> {
        let stamp = Stamp {
            is: TokenUse::Private,
            subject: &record.owner,
            id: &record.id,
            family: None,
            issued: record.created,
            expires: record.expires,
        };
        self.sign(signer, stamp, grant)
    }

    fn sign(
        &self,
        signer: &Signer,
        stamp: Stamp<'_>,
        grant: &Grant,
    ) -> Result<Secret<String>, Rejection> {
        let payload = self.names.payload(stamp, grant);
        match signer.sign("JWT", &payload) {
            Ok(token) => Ok(Secret::new(token)),
            Err(_) => Err(Rejection::new(RejectionKind::Failed, "signature")),
        }
    }
}
