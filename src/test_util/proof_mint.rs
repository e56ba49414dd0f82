use super::TokenMint;
use crate::key_set::ProofKey;
use crate::random;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::SystemTime;

/// Proofs of possession (RFC 9449), as a client makes them.
impl TokenMint {
    /// The thumbprint of the key pair (RFC 7638), which tokens that are bound to it say in
    /// `cnf.jkt`.
    ///
    /// # Panics
    ///
    /// The mint has a secret.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let key = ProofKey::read(&self.proved_key(), self.algorithm());
        let thumbprint = key.and_then(|key| key.thumbprint());
        // OK because the key signed when it was made.
        thumbprint.expect("the key is sound")
    }

    /// A proof of the key pair (RFC 9449 §4.2) for one request with this token, made at that time.
    /// Each has an id of its own.
    ///
    /// # Panics
    ///
    /// The mint has a secret, or the time is before 1970.
    #[must_use]
    pub fn dpop_proof(&self, method: &str, url: &str, token: &str, at: SystemTime) -> String {
        let issued = at.duration_since(SystemTime::UNIX_EPOCH);
        let header = json!({
            "typ": "dpop+jwt", "alg": self.algorithm().name(), "jwk": self.proved_key(),
        });
        let payload = json!({
            // OK because a test that has no randomness has failed.
            "jti": random::id().expect("the system has randomness"),
            "htm": method,
            "htu": url,
            // OK because it is a test's.
            "iat": issued.expect("a time after 1970").as_secs(),
            "ath": BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(token)),
        });
        self.sign_parts(&header.to_string(), &payload.to_string())
    }

    fn proved_key(&self) -> Value {
        // OK because a test that proves a secret is wrong.
        self.public_jwk().expect("a key pair")
    }
}
