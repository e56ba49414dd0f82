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
use crate::scheme::{OurPolicy, Ours};
use crate::secret::Secret;
use crate::store::{FamilyRecord, TokenRecord};
use std::time::{Duration, SystemTime};

/// What signs and verifies the tokens of one issuer: a [`Tokens`](super::Tokens) that was found
/// sound.
pub(super) struct Mint {
    pub(super) signing: Signing,
    pub(super) policy: OurPolicy,
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

impl Mint {
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
