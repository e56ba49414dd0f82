use super::presentation::Presentation;
use super::proofs::Proofs;
use crate::credential::Sender;
use crate::key_set::{Confirmation, refused};
use crate::principal::TokenIdentity;
use crate::reject::Rejection;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use std::time::SystemTime;

/// Which tokens that are bound to their sender are accepted of an issuer, and what proves it. By
/// default none is.
#[derive(Debug, Default)]
pub(in crate::scheme::jwt) struct Senders {
    pub(in crate::scheme::jwt) proofs: Option<Proofs>,
    pub(in crate::scheme::jwt) certificates: bool,
}

impl Senders {
    /// Whether a token may be bound so, or not at all, whoever sends it.
    pub(in crate::scheme::jwt) fn accept(
        &self,
        confirmation: Option<&Confirmation>,
    ) -> Result<(), Rejection> {
        let Some(Confirmation { key, certificate }) = confirmation else {
            return match &self.proofs {
                Some(proofs) if proofs.are_required() => Err(refused("not bound")),
                _ => Ok(()),
            };
        };
        let is_known = key.is_some() || certificate.is_some();
        let are_accepted = (key.is_none() || self.proofs.is_some())
            && (certificate.is_none() || self.certificates);
        // Whoever steals a token that is bound must not get in by it.
        if is_known && are_accepted {
            Ok(())
        } else {
            Err(refused("cnf"))
        }
    }

    /// Whether whom a token is bound to has sent it. A token that is bound to nobody is no DPoP
    /// token, and one that is bound to a key no Bearer (RFC 9449 §7.1).
    #[inline]
    pub(in crate::scheme::jwt) fn check(
        &self,
        identity: &TokenIdentity,
        presented: &Presentation<'_>,
        now: SystemTime,
    ) -> Result<(), Rejection> {
        match (&identity.confirmation, presented.source.is_dpop()) {
            (None, false) => Ok(()),
            (None, true) => Err(refused("not bound")),
            (Some(confirmation), _) => self.prove(confirmation, presented, now),
        }
    }

    #[inline(never)]
    fn prove(
        &self,
        confirmation: &Confirmation,
        presented: &Presentation<'_>,
        now: SystemTime,
    ) -> Result<(), Rejection> {
        self.accept(Some(confirmation))?;
        // RFC 9449, section 7.1: a token that is bound to a key comes as DPoP, and nothing else
        // does. One that is bound to a certificate comes as Bearer.
        if confirmation.key.is_some() != presented.source.is_dpop() {
            return Err(refused("cnf"));
        }
        if let Some(digest) = &confirmation.certificate {
            check_certificate(digest, presented.sender)?;
        }
        match (&confirmation.key, &self.proofs) {
            (Some(key), Some(proofs)) => proofs.check(key, presented, now),
            _ => Ok(()),
        }
    }
}

fn check_certificate(digest: &str, sender: Option<&Sender>) -> Result<(), Rejection> {
    let certificate = sender.and_then(Sender::certificate);
    let certificate = certificate.ok_or_else(|| refused("no certificate"))?;
    // A plain comparison: the digest of a certificate is no secret.
    if BASE64_URL_SAFE_NO_PAD.encode(certificate.digest()) == digest {
        Ok(())
    } else {
        Err(refused("certificate"))
    }
}
