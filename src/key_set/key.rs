use super::algorithm::JwtAlgorithm;
use super::algorithms::Algorithms;
use super::jwk::Jwk;
use super::jws::{Parts, decoded_into, refused};
use super::material::Material;
use super::public_key::{PublicKey, PublicKeyForm, jwk_members};
use super::secret_key::SecretKey;
use crate::config::ConfigProblem;
use crate::reject::Rejection;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::OnceLock;

/// How many secrets without an id one issuer may have: each forged token is tried with all of them.
const MOST_UNNAMED: usize = 4;

/// The signature of an 8192-bit RSA key, the longest there is, in bytes.
const LONGEST_SIGNATURE: usize = 1024;

/// A key to verify JWTs with, for one algorithm; a [JWK](Self::jwk) that names none is for each
/// that its type has.
///
/// Texts of keys are never guessed at: each constructor takes one form, and what does not have it
/// is a [`ConfigProblem`](crate::ConfigProblem) of `build()`. So is a public key where neither of
/// the features `aws-lc-rs` and `rust-crypto` is on.
///
/// ```
/// use tower_auth::jwt::JwtKey;
/// use tower_auth::{AuthLayer, ConfigProblem, Jwt};
///
/// let built = |key: JwtKey| {
///     let jwt = Jwt::new().issuer("https://login.example.com").audience("reports");
///     AuthLayer::builder().accept(jwt.key(key)).build()
/// };
/// let key = JwtKey::ed25519("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
/// assert!(built(key.id("2026")).is_ok());
///
/// // The same bytes in base64, which is not the form of a JWK.
/// let base64 = JwtKey::ed25519("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
/// let error = built(base64).unwrap_err();
/// assert!(matches!(error.problems(), [ConfigProblem::Key { .. }]));
/// ```
#[derive(Clone)]
#[must_use]
pub struct JwtKey {
    algorithms: Algorithms,
    id: Option<Box<str>>,
    material: Material,
}

impl JwtKey {
    /// A shared secret of at least 32 random bytes.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Self {
        Self::secret(JwtAlgorithm::Hs256, secret.as_ref())
    }

    /// A shared secret of at least 48 random bytes.
    pub fn hs384(secret: impl AsRef<[u8]>) -> Self {
        Self::secret(JwtAlgorithm::Hs384, secret.as_ref())
    }

    /// A shared secret of at least 64 random bytes.
    pub fn hs512(secret: impl AsRef<[u8]>) -> Self {
        Self::secret(JwtAlgorithm::Hs512, secret.as_ref())
    }

    /// An RSA public key of 2048 to 8192 bits (4096 with the `rust-crypto` back end alone), for an
    /// `Rs…` or `Ps…` algorithm: the members `n` and `e` of its JWK, base64url without padding
    /// (RFC 7518 §6.3.1).
    pub fn rsa(algorithm: JwtAlgorithm, n: &str, e: &str) -> Self {
        Self::public(
            algorithm,
            PublicKeyForm::Rsa {
                n: n.into(),
                e: e.into(),
            },
        )
    }

    /// A point on P-256 for `Es256` or on P-384 for `Es384`: the members `x` and `y` of its JWK,
    /// base64url without padding (RFC 7518 §6.2.1).
    pub fn ec(algorithm: JwtAlgorithm, x: &str, y: &str) -> Self {
        Self::public(
            algorithm,
            PublicKeyForm::Ec {
                x: x.into(),
                y: y.into(),
            },
        )
    }

    /// An Ed25519 public key: the member `x` of its JWK, base64url without padding (RFC 8037 §2).
    ///
    /// 32 bytes that are no point of the curve are a mistake that the `aws-lc-rs` back end does not
    /// tell: no token fits them.
    pub fn ed25519(x: &str) -> Self {
        Self::public(JwtAlgorithm::EdDsa, PublicKeyForm::Ed25519 { x: x.into() })
    }

    /// A public key as a PEM file has it (`BEGIN PUBLIC KEY`, or `BEGIN RSA PUBLIC KEY`), for an
    /// asymmetric algorithm.
    #[cfg(feature = "pem")]
    pub fn pem(algorithm: JwtAlgorithm, pem: &str) -> Self {
        Self::public(algorithm, PublicKeyForm::Pem(pem.into()))
    }

    /// A JWK (RFC 7517 §4): a JSON object such as `{"kty":"OKP","crv":"Ed25519","x":"11qY…"}`, with
    /// `kty` RSA, EC, OKP or oct (RFC 7518 §6, RFC 8037 §2). Its `kid` is the key's id.
    ///
    /// - Where it has `alg`, it is for that algorithm alone; else an RSA key is for each `Rs…` and
    ///   `Ps…`, a secret for each `Hs…` that it is long enough for, and another key for the one of
    ///   its curve.
    /// - `use` is `sig`, and `key_ops` has `verify`, where they are there. Private keys are
    ///   refused.
    ///
    /// ```
    /// use tower_auth::jwt::JwtKey;
    /// use tower_auth::{AuthLayer, ConfigProblem, Jwt};
    ///
    /// let built = |jwk: &str| {
    ///     let jwt = Jwt::new().issuer("https://login.example.com").audience("reports");
    ///     AuthLayer::builder().accept(jwt.key(JwtKey::jwk(jwk))).build()
    /// };
    /// let x = r#""x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
    /// assert!(built(&format!(r#"{{"kty":"OKP","crv":"Ed25519",{x}}}"#)).is_ok());
    ///
    /// let error = built(&format!(r#"{{"kty":"OKP","crv":"X25519",{x}}}"#)).unwrap_err();
    /// assert!(matches!(error.problems(), [ConfigProblem::Jwk(_)]));
    /// ```
    pub fn jwk(json: &str) -> Self {
        match Jwk::parse(json) {
            Ok(jwk) => Self::of(jwk),
            Err(reason) => Self {
                algorithms: Algorithms::default(),
                id: None,
                material: Material::Broken(reason),
            },
        }
    }

    pub(super) fn of(jwk: Jwk) -> Self {
        let algorithms = match &jwk.material {
            Material::Secret(secret) => jwk.algorithms.with_hashes_of(secret.expose().len()),
            Material::Public(_) | Material::Broken(_) => jwk.algorithms,
        };
        Self {
            algorithms,
            id: jwk.id,
            material: jwk.material,
        }
    }

    /// The key's id, which a token's `kid` is compared with.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into().into_boxed_str());
        self
    }

    pub(super) fn secret(algorithm: JwtAlgorithm, secret: &[u8]) -> Self {
        Self {
            algorithms: algorithm.into(),
            id: None,
            material: Material::Secret(Secret::new(secret.to_vec())),
        }
    }

    fn public(algorithm: JwtAlgorithm, form: PublicKeyForm) -> Self {
        Self {
            algorithms: algorithm.into(),
            id: None,
            material: Material::Public(form),
        }
    }

    /// What it verifies; nothing where it is no key.
    pub(crate) fn algorithms(&self) -> Algorithms {
        self.algorithms
    }

    /// The same key for those of its algorithms alone.
    pub(crate) fn only_for(mut self, algorithms: Algorithms) -> Self {
        self.algorithms = self.algorithms.and(algorithms);
        self
    }

    pub(super) fn is_secret(&self) -> bool {
        matches!(self.material, Material::Secret(_))
    }

    pub(super) fn key_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// With its thumbprint for an id where it has none. A secret's thumbprint would be a hash of it
    /// (RFC 7638 §7).
    pub(crate) fn or_thumbprint(mut self) -> Self {
        self.id = self
            .id
            .take()
            .or_else(|| self.thumbprint().map(String::into_boxed_str));
        self
    }

    /// The JWK (RFC 7517 §4) of a public key. A secret has none, so that no key set can publish it.
    pub(super) fn public_jwk(&self) -> Option<Value> {
        let mut jwk: Map<String, Value> = self
            .jwk_members()?
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        jwk.insert("use".into(), "sig".into());
        if let Some(only) = self.only_algorithm() {
            jwk.insert("alg".into(), only.name().into());
        }
        if let Some(id) = self.key_id() {
            jwk.insert("kid".into(), id.into());
        }
        Some(jwk.into())
    }

    /// SHA-256 over the required members, in order and without white space (RFC 7638 §3),
    /// base64url.
    pub(super) fn thumbprint(&self) -> Option<String> {
        let members = self.jwk_members()?.into_iter();
        // The values are names of curves and base64url, so nothing has to be escaped.
        let members = members.map(|(name, value)| format!(r#""{name}":"{value}""#));
        let members = members.collect::<Vec<_>>().join(",");
        Some(URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{{{members}}}"))))
    }

    fn jwk_members(&self) -> Option<Vec<(&'static str, String)>> {
        match &self.material {
            Material::Public(form) => jwk_members(self.algorithms.iter().next()?, form).ok(),
            Material::Secret(_) | Material::Broken(_) => None,
        }
    }

    fn only_algorithm(&self) -> Option<JwtAlgorithm> {
        let mut algorithms = self.algorithms.iter();
        match (algorithms.next(), algorithms.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    /// Whether it is sound.
    pub(crate) fn check(&self) -> Result<(), ConfigProblem> {
        self.build().map(drop)
    }

    /// Whether the token was signed with its other half, whatever else it says.
    pub(super) fn verifies(&self, token: &str) -> Result<bool, ConfigProblem> {
        let keys = self.build()?;
        let Ok(parts) = Parts::split(token.as_bytes()) else {
            return Ok(false);
        };
        Ok(keys.iter().any(|key| key.verify(parts).is_ok()))
    }

    /// Whether these bytes were signed with its other half; the signature as its algorithm has it,
    /// not encoded.
    #[cfg(feature = "endpoints")]
    pub(crate) fn verifies_message(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(keys) = self.build() else {
            return false;
        };
        let signature = URL_SAFE_NO_PAD.encode(signature);
        let parts = Parts {
            message,
            signature: signature.as_bytes(),
        };
        keys.iter().any(|key| key.verify(parts).is_ok())
    }

    /// One key for each of its algorithms.
    pub(super) fn build(&self) -> Result<Vec<Key>, ConfigProblem> {
        if let Material::Broken(reason) = &self.material {
            return Err(ConfigProblem::Jwk(reason));
        }
        let algorithms = self.algorithms.iter();
        algorithms
            .map(|algorithm| self.build_for(algorithm))
            .collect()
    }

    fn build_for(&self, algorithm: JwtAlgorithm) -> Result<Key, ConfigProblem> {
        let verifier = match &self.material {
            Material::Secret(secret) => {
                Verifier::Secret(SecretKey::new(algorithm, secret.expose())?, Vec::new())
            }
            Material::Public(form) => {
                let key = PublicKey::new(algorithm, form);
                let algorithm = algorithm.name();
                Verifier::Public(key.map_err(|reason| ConfigProblem::Key { algorithm, reason })?)
            }
            Material::Broken(reason) => return Err(ConfigProblem::Jwk(reason)),
        };
        Ok(Key {
            algorithm,
            id: self.id.clone(),
            verifier,
            seen_start: OnceLock::new(),
        })
    }
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtKey")
            .field("algorithms", &self.algorithms)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A [`JwtKey`] that was found sound, ready to verify.
pub(crate) struct Key {
    algorithm: JwtAlgorithm,
    id: Option<Box<str>>,
    verifier: Verifier,
    /// The encoded header of the first token that this key verified, and the dot after it. Issuers
    /// write the same header again and again, and equal bytes mean the same; so most tokens need no
    /// parsing of theirs.
    seen_start: OnceLock<Box<[u8]>>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "keys are few, and a secret is read for every token"
)]
enum Verifier {
    /// The first, and others that a token without an id may have been signed with.
    Secret(SecretKey, Vec<SecretKey>),
    Public(PublicKey),
}

impl Key {
    /// Takes in another secret of the same algorithm that has no id either: a token cannot say
    /// which of them is meant, so each is tried. `None` where it cannot be so.
    pub(super) fn joined_by(&mut self, other: Self) -> Option<()> {
        if self.id.is_some() || other.id.is_some() || self.algorithm != other.algorithm {
            return None;
        }
        match (&mut self.verifier, other.verifier) {
            (Verifier::Secret(_, more), Verifier::Secret(secret, _))
                if more.len() + 1 < MOST_UNNAMED =>
            {
                more.push(secret);
                Some(())
            }
            _ => None,
        }
    }

    pub(crate) fn algorithm(&self) -> JwtAlgorithm {
        self.algorithm
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether what was signed starts with the header that its genuine tokens had before. No header
    /// has a dot in it, so none is the start of another.
    pub(super) fn has_seen_header_of(&self, message: &[u8]) -> bool {
        self.seen_start
            .get()
            .is_some_and(|start| message.starts_with(start))
    }

    pub(crate) fn verify(&self, parts: Parts<'_>) -> Result<(), Rejection> {
        let message = parts.message;
        let genuine = match &self.verifier {
            Verifier::Public(key) => key.verify(
                message,
                decode_signature(parts.signature, &mut [0; LONGEST_SIGNATURE])?,
            ),
            Verifier::Secret(key, more) => {
                // As long as the MAC of HS512, which is the longest.
                let mut buffer = [0; 64];
                let mac = decode_signature(parts.signature, &mut buffer)?;
                key.verify(message, mac) || more.iter().any(|key| key.verify(message, mac))
            }
        };
        if !genuine {
            return Err(refused("signature"));
        }
        // Only now that the signature is genuine: the header of a forged token must not become the
        // one that is known.
        if self.seen_start.get().is_none()
            && let Ok(header) = parts.header()
        {
            let start = &message[..header.len() + 1];
            self.seen_start.get_or_init(|| start.into());
        }
        Ok(())
    }
}

fn decode_signature<'b>(segment: &[u8], buffer: &'b mut [u8]) -> Result<&'b [u8], Rejection> {
    decoded_into(segment, buffer).ok_or_else(|| refused("signature form"))
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("algorithm", &self.algorithm)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
