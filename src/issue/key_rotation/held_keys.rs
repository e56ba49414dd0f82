use super::schedule::Schedule;
use crate::key_set::{JwtKey, Signer, jwks};
use crate::store::SigningKeyRecord;
use std::borrow::Borrow;
use std::sync::Arc;
use std::time::SystemTime;

/// The keys of an issuer as they were read last, those that are to be forgotten left out.
#[derive(Debug, Default)]
pub(super) struct HeldKeys(Vec<HeldKey>);

/// A key that was opened.
#[derive(Clone, Debug)]
pub(super) struct HeldKey {
    pub(super) record: Arc<SigningKeyRecord>,
    pub(super) signer: Arc<Signer>,
    /// Whether it is sealed with the secret that seals now.
    pub(super) is_sealed_anew: bool,
}

impl Borrow<SigningKeyRecord> for HeldKey {
    fn borrow(&self) -> &SigningKeyRecord {
        &self.record
    }
}

impl HeldKeys {
    /// By serial.
    pub(super) fn new(keys: Vec<HeldKey>) -> Self {
        Self(keys)
    }

    pub(super) fn all(&self) -> &[HeldKey] {
        &self.0
    }

    /// Whether others are the same keys, whatever became of their records.
    pub(super) fn are_those_of(&self, others: &Self) -> bool {
        let ids = self.0.iter().map(|key| &key.record.id);
        // By their ids alone: a key that was sealed anew verifies the same tokens, so nothing that
        // was remembered of these is wrong.
        ids.eq(others.0.iter().map(|key| &key.record.id))
    }

    /// The key of this very record, opened already.
    pub(super) fn opened(&self, record: &SigningKeyRecord) -> Option<&HeldKey> {
        // The whole record and not the id: times that somebody changed by hand no longer fit the
        // seal, and opening it finds that.
        self.0.iter().find(|key| *key.record == *record)
    }

    /// Who signs now.
    pub(super) fn signer(&self, schedule: &Schedule, now: SystemTime) -> Option<&Arc<Signer>> {
        let at = schedule.signing(&self.0, now)?;
        self.0.get(at).map(|key| &key.signer)
    }

    /// The next one, the one that signs and those that did.
    pub(super) fn verifying_keys(&self) -> impl Iterator<Item = JwtKey> {
        self.0.iter().map(|key| key.signer.verifying_key())
    }

    /// The JWK set (RFC 7517 §5) of these and other keys.
    pub(super) fn jwks(&self, others: &[JwtKey]) -> Vec<u8> {
        let mut keys: Vec<JwtKey> = self.verifying_keys().collect();
        keys.extend_from_slice(others);
        jwks(&keys)
    }
}
