use super::algorithm::JwtAlgorithm;
use super::jwk::{Jwk, Secrets};
use super::jws::Parts;
use super::key::JwtKey;
use serde_json::Value;

/// The public key that a proof of possession brings along, for the one algorithm that the proof
/// names.
///
/// Whoever makes a proof chooses the key: it says nothing until its thumbprint is the one that a
/// token is bound to.
pub(crate) struct ProofKey(JwtKey);

impl ProofKey {
    /// `None` where it is no sound public key, has private members, or is for another algorithm.
    pub(crate) fn read(jwk: &Value, algorithm: JwtAlgorithm) -> Option<Self> {
        // The key of a proof is a public one (RFC 9449 §4.2). A shared secret in it could be used
        // by whoever reads the proof.
        let jwk = Jwk::read(jwk, Secrets::Skipped).ok()?;
        let key = JwtKey::of(jwk).only_for(algorithm.into());
        if key.algorithms().is_empty() {
            return None;
        }
        Some(Self(key))
    }

    /// RFC 7638, base64url. `None` where the key is not what its type says.
    pub(crate) fn thumbprint(&self) -> Option<String> {
        self.0.thumbprint()
    }

    pub(crate) fn verifies(&self, parts: Parts<'_>) -> bool {
        let Ok(keys) = self.0.build() else {
            return false;
        };
        keys.iter().any(|key| key.verify(parts).is_ok())
    }
}
