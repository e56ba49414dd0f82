use super::nonces::Nonces;
use super::presentation::Presentation;
use super::proof_claims::ProofClaims;
use super::proof_header::ProofHeader;
use super::seen_proofs::{SeenProofs, Sighting};
use crate::clock::since_1970;
use crate::credential::{Proof, Sender, Sight};
use crate::key_set::{Algorithms, Parts, ProofKey, decoded};
use crate::reject::{Rejection, RejectionKind};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::time::{Duration, SystemTime};

/// More than any proof has: one with an RSA key of 8192 bits takes some 5,000 bytes.
const LONGEST_PROOF: usize = 8 * 1024;

/// Judges proofs (RFC 9449 §4.3).
#[derive(Debug)]
pub(in crate::scheme::jwt) struct Proofs {
    pub(super) algorithms: Algorithms,
    pub(super) max_age: Duration,
    pub(super) leeway: Duration,
    pub(super) is_required: bool,
    pub(super) seen: SeenProofs,
    pub(super) nonces: Option<Nonces>,
}

impl Proofs {
    pub(super) fn are_required(&self) -> bool {
        self.is_required
    }

    pub(in crate::scheme::jwt) fn algorithms(&self) -> Algorithms {
        self.algorithms
    }

    /// Whether the sender of a token has proved the key with this thumbprint.
    ///
    /// The signature is verified when all else is right, for it costs the most. Only then is the
    /// proof remembered: nobody but the holder of a key fills the memory.
    pub(super) fn check(
        &self,
        thumbprint: &str,
        presented: &Presentation<'_>,
        now: SystemTime,
    ) -> Result<(), Rejection> {
        let sender = presented.sender.ok_or_else(|| wrong("no proof"))?;
        let parts = split(sender.proof())?;
        let key = self.key(parts)?;
        if key.thumbprint().as_deref() != Some(thumbprint) {
            return Err(wrong("jkt"));
        }
        let payload = parts.payload().map_err(|_| wrong("segments"))?;
        let payload = decoded(payload).map_err(|_| wrong("payload"))?;
        let claims = ProofClaims::parse(&payload).map_err(|_| wrong("claims"))?;
        check_request(&claims, presented.token, sender)?;
        if !key.verifies(parts) {
            return Err(wrong("signature"));
        }
        match sender.sight() {
            Sight::First => self.check_first(thumbprint, &claims, now),
            // Judged when the head of the request came, and remembered then: it would be refused as
            // a replay of itself, and may be too old by now.
            Sight::Again => Ok(()),
        }
    }

    fn key(&self, parts: Parts<'_>) -> Result<ProofKey, Rejection> {
        let header = parts.header().map_err(|_| wrong("segments"))?;
        let header = decoded(header).map_err(|_| wrong("header"))?;
        let header = ProofHeader::parse(&header).map_err(|_| wrong("header"))?;
        if !header.is_proof() {
            return Err(wrong("typ"));
        }
        let algorithm = header.algorithm().ok_or_else(|| wrong("alg"))?;
        // The key comes with the proof, so nothing but this list keeps a client from choosing an
        // algorithm that is too weak.
        if !self.algorithms.contains(algorithm) {
            return Err(wrong("alg"));
        }
        header.key(algorithm).ok_or_else(|| wrong("jwk"))
    }

    /// Whether it is made for now, and was not presented before.
    fn check_first(
        &self,
        thumbprint: &str,
        claims: &ProofClaims<'_>,
        now: SystemTime,
    ) -> Result<(), Rejection> {
        let since_1970 = since_1970(now);
        let issued = claims.iat.ok_or_else(|| wrong("iat"))?;
        let ends = issued.saturating_add(self.max_age);
        // A proof from the future would be good for longer than `max_age`.
        if issued > since_1970.saturating_add(self.leeway) || ends < since_1970 {
            return Err(wrong("iat"));
        }
        if let Some(nonces) = &self.nonces {
            nonces.check(claims.nonce.as_deref(), since_1970)?;
        }
        let sighting = Sighting {
            key: thumbprint,
            url: claims.htu.as_deref().unwrap_or_default(),
            id: claims.jti.as_deref().unwrap_or_default(),
            ends,
        };
        self.seen.add(&sighting, since_1970).map_err(wrong)
    }
}

fn split(proof: &Proof) -> Result<Parts<'_>, Rejection> {
    let proof = match proof {
        Proof::None => return Err(wrong("no proof")),
        Proof::Several => {
            return Err(Rejection::new(
                RejectionKind::RepeatedField,
                "several proofs",
            ));
        }
        Proof::One(proof) => proof.as_bytes(),
    };
    if proof.len() > LONGEST_PROOF {
        return Err(wrong("length"));
    }
    Parts::split(proof).map_err(|_| wrong("segments"))
}

/// Whether it is for this request and this token.
fn check_request(claims: &ProofClaims<'_>, token: &[u8], sender: &Sender) -> Result<(), Rejection> {
    let ProofClaims { jti, htm, htu, .. } = claims;
    if jti.as_deref().is_none_or(str::is_empty) {
        return Err(wrong("jti"));
    }
    if !htm.as_deref().is_some_and(|htm| sender.used_method(htm)) {
        return Err(wrong("htm"));
    }
    if !htu.as_deref().is_some_and(|htu| sender.sent_to(htu)) {
        return Err(wrong("htu"));
    }
    let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(token));
    // Without this, a proof that was made for another token of the same key would do.
    if claims.ath.as_deref() != Some(&*digest) {
        return Err(wrong("ath"));
    }
    Ok(())
}

fn wrong(reason: &'static str) -> Rejection {
    Rejection::new(RejectionKind::InvalidProof, reason)
}
