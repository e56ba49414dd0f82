use super::key::JwtKey;
use super::set::KeySet;
use super::signing_key::{Signer, SigningKey};
use crate::config::ConfigProblem;
use serde_json::{Value, json};
use std::sync::Arc;

/// The keys of the tokens we issue: one signs, all verify.
///
/// - Keys to sign with have ids where there are several. A retired one may do without: it is then
///   the key of what was signed before there was a ring, without `kid`. A public key without an id
///   has its thumbprint for one. Secrets may all do without, up to four: each is tried.
/// - The ids differ, those of keys for different algorithms too: others who read the key set may
///   choose by them alone.
/// - Secrets and key pairs may stand in one ring, so that an issuer can go from one to the other.
///   Each key is for its own algorithm alone: what is public of a pair is never tried as a secret.
#[derive(Debug)]
pub(crate) struct KeyRing {
    active: Arc<Signer>,
    keys: Vec<JwtKey>,
}

impl KeyRing {
    /// The key that signs, those that will, and those that did.
    pub(crate) fn build(
        active: SigningKey,
        next: Vec<SigningKey>,
        retired: Vec<JwtKey>,
    ) -> Result<Self, Vec<ConfigProblem>> {
        let several = !next.is_empty() || !retired.is_empty();
        let mut problems = Vec::new();
        let mut signers = Vec::new();
        for key in std::iter::once(active).chain(next) {
            match key.build() {
                Ok(signer) => signers.push(signer),
                Err(problem) => problems.push(problem),
            }
        }
        let are_secrets = signers.iter().all(Signer::is_unnamed_secret)
            && retired.iter().all(|key| key.key_id().is_none());
        if several && !are_secrets && signers.iter().any(|signer| signer.id().is_none()) {
            problems.push(ConfigProblem::MissingKeyId);
        }
        let verifying = signers.iter().map(Signer::verifying_key);
        let keys: Vec<JwtKey> = verifying
            .chain(retired.into_iter().map(JwtKey::or_thumbprint))
            .collect();
        if !keys.is_empty() {
            let found = KeySet::build(&keys).err().unwrap_or_default();
            let is_told = found.contains(&ConfigProblem::DuplicateKeyId);
            problems.extend(found);
            // `KeySet` allows one id for keys of different algorithms, but others who read the
            // published set may choose by the id alone. What it has told already is not told twice.
            if has_repeated_id(&keys) && !is_told {
                problems.push(ConfigProblem::DuplicateKeyId);
            }
        }
        match signers.into_iter().next() {
            Some(active) if problems.is_empty() => Ok(Self {
                active: Arc::new(active),
                keys,
            }),
            _ => Err(problems),
        }
    }

    pub(crate) fn active(&self) -> &Arc<Signer> {
        &self.active
    }

    /// Active, next and retired.
    pub(crate) fn verifying_keys(&self) -> Vec<JwtKey> {
        self.keys.clone()
    }

    /// The JWK set (RFC 7517 §5) for others to verify with: the public keys only.
    pub(crate) fn jwks(&self) -> Vec<u8> {
        jwks(&self.keys)
    }
}

/// The JWK set (RFC 7517 §5) of the public ones among these keys.
pub(crate) fn jwks(keys: &[JwtKey]) -> Vec<u8> {
    let keys: Vec<Value> = keys.iter().filter_map(JwtKey::public_jwk).collect();
    json!({ "keys": keys }).to_string().into_bytes()
}

fn has_repeated_id(keys: &[JwtKey]) -> bool {
    let mut ids: Vec<&str> = keys.iter().filter_map(JwtKey::key_id).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    ids.len() < all
}
