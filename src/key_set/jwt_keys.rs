use super::algorithms::Algorithms;
use super::back_end::NEEDS_BACK_END;
use super::jwk::{Jwk, Secrets};
use super::jws::LONGEST_KID;
use super::key::JwtKey;
use super::skipped_key::SkippedKey;
use crate::config::ConfigProblem;
use serde_json::Value;

/// The longest JWK set that is read, in bytes.
pub(crate) const LONGEST_JWKS: usize = 512 * 1024;

/// No issuer has more: the largest have a few dozen.
const MOST_KEYS: usize = 1024;

/// The keys of a JWK set (RFC 7517 §5), as an issuer publishes it.
///
/// Each key is judged by itself. One that cannot verify tokens here is skipped, and reported, and
/// never costs the others:
///
/// - a key for another use (`use` other than `sig`, `key_ops` without `verify`), or of a type,
///   curve or algorithm that is unknown here;
/// - one that is malformed or too weak (RSA of less than 2048 bits, a point that is not on its
///   curve or of small order), a private key, and a `kid` of more than 256 bytes;
/// - a public key where neither of the features `aws-lc-rs` and `rust-crypto` is on;
/// - the second of two with the same `kid` and `alg`.
///
/// A text that is no JSON object with an array `keys`, has more than 512 KiB or 1,024 keys, or none
/// that can be used, is a [`ConfigProblem`](crate::ConfigProblem) of `build()`. Each key is as
/// [`JwtKey::jwk`] reads it.
///
/// ```
/// use tower_auth::jwt::JwtKeys;
///
/// let keys = JwtKeys::jwks(r#"{"keys":[
///     {"kty":"OKP","crv":"Ed25519","kid":"2026",
///      "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
///     {"kty":"RSA","use":"enc","kid":"for encryption","n":"…","e":"AQAB"}
/// ]}"#);
/// assert_eq!(keys.len(), 1);
/// let skipped = &keys.skipped()[0];
/// assert_eq!((skipped.id(), skipped.reason()), (Some("for encryption"), "its use is not sig"));
///
/// assert!(JwtKeys::jwks("<html>").is_empty());
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct JwtKeys {
    keys: Vec<JwtKey>,
    skipped: Vec<SkippedKey>,
    problem: Option<&'static str>,
}

impl JwtKeys {
    /// The text of a JWK set, from a file most likely: `JwtKeys::jwks(std::fs::read(path)?)`. As
    /// the operator has written it, it may have secrets (`kty` oct).
    pub fn jwks(document: impl AsRef<[u8]>) -> Self {
        let reading = Reading::new(Secrets::Allowed, Algorithms::all(), Vec::new());
        match reading.read(document.as_ref()) {
            Ok(keys) => keys,
            Err(problem) => Self {
                keys: Vec::new(),
                skipped: Vec::new(),
                problem: Some(problem),
            },
        }
    }

    /// What an issuer publishes, for these algorithms, after keys that are known already: of two
    /// with the same `kid` and `alg` those come first. Secrets in it are none.
    pub(crate) fn published(
        document: &[u8],
        allowed: Algorithms,
        known: Vec<JwtKey>,
    ) -> Result<Self, &'static str> {
        Reading::new(Secrets::Skipped, allowed, known).read(document)
    }

    /// How many keys can be used.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether none can be used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that are not used.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// Those that can be used, one at least.
    pub(crate) fn into_keys(self) -> Result<Vec<JwtKey>, ConfigProblem> {
        match self.problem {
            Some(problem) => Err(ConfigProblem::Jwks(problem)),
            None if self.keys.is_empty() => Err(ConfigProblem::Jwks(self.why_empty())),
            None => Ok(self.keys),
        }
    }

    /// A feature that is off is named: the set itself may be in order.
    fn why_empty(&self) -> &'static str {
        let mut skipped = self.skipped.iter();
        if skipped.any(|key| key.reason == NEEDS_BACK_END) {
            NEEDS_BACK_END
        } else {
            NO_KEY
        }
    }
}

const NO_KEY: &str = "it has no key that can be used";

/// A set that is being read.
struct Reading {
    secrets: Secrets,
    allowed: Algorithms,
    keys: Vec<JwtKey>,
}

impl Reading {
    fn new(secrets: Secrets, allowed: Algorithms, known: Vec<JwtKey>) -> Self {
        Self {
            secrets,
            allowed,
            keys: known,
        }
    }

    fn read(mut self, document: &[u8]) -> Result<JwtKeys, &'static str> {
        // Before it is parsed, which takes memory in proportion to the text.
        if document.len() > LONGEST_JWKS {
            return Err("it has more than 512 KiB");
        }
        let document: Value = serde_json::from_slice(document).map_err(|_| "it is no JSON")?;
        let keys = document.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or("it is no JSON object with an array `keys` (RFC 7517 §5)")?;
        if keys.len() > MOST_KEYS {
            return Err("it has more than 1024 keys");
        }
        let mut skipped = Vec::new();
        for (position, key) in keys.iter().enumerate() {
            if let Err(reason) = self.add(key) {
                let id = id_of(key);
                skipped.push(SkippedKey {
                    position,
                    id,
                    reason,
                });
            }
        }
        Ok(JwtKeys {
            keys: self.keys,
            skipped,
            problem: None,
        })
    }

    fn add(&mut self, value: &Value) -> Result<(), &'static str> {
        let key = JwtKey::of(Jwk::read(value, self.secrets)?).only_for(self.allowed);
        if key.algorithms().is_empty() {
            return Err("its alg is none of those that the issuer may use here");
        }
        // Before the ids are compared, so that a broken key does not take the id of a sound one.
        key.check().map_err(rule)?;
        let key = self.not_taken(key);
        if key.algorithms().is_empty() {
            return Err("a key with the same kid and alg stands before it");
        }
        self.keys.push(key);
        Ok(())
    }

    /// Without the algorithms for which another key has its id already: a token could not say which
    /// of them is meant.
    fn not_taken(&self, key: JwtKey) -> JwtKey {
        let mut left = key.algorithms();
        for other in &self.keys {
            if other.key_id() == key.key_id() {
                left = left.without(other.algorithms());
            }
        }
        key.only_for(left)
    }
}

fn rule(problem: ConfigProblem) -> &'static str {
    match problem {
        ConfigProblem::Key { reason, .. } | ConfigProblem::Jwk(reason) => reason,
        _ => "it is a secret that is too short (RFC 7518 §3.2) or that can be guessed",
    }
}

fn id_of(key: &Value) -> Option<Box<str>> {
    let id = key.get("kid")?.as_str()?;
    if id.len() > LONGEST_KID {
        return None;
    }
    Some(id.into())
}
