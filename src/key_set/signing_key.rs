use super::algorithm::JwtAlgorithm;
use super::jws::LONGEST_KID;
use super::key::JwtKey;
#[cfg(feature = "pem")]
use super::private_key::read_pem;
use super::private_key::{PrivateKey, problem};
use super::secret_key::SecretKey;
use super::sign_error::SignError;
use crate::config::ConfigProblem;
use crate::secret::Secret;
use base64_simd::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::fmt;

/// A key to sign JWTs with, for one algorithm.
///
/// - Texts of keys are never guessed at: each constructor takes one form, and what does not have
///   it, or is too weak, is a [`ConfigProblem`](crate::ConfigProblem) of `build()`. Nothing is
///   checked before.
/// - A key pair needs one of the features `aws-lc-rs` and `rust-crypto`; a secret needs neither.
/// - A key pair has an id: the one it is given, or its thumbprint (RFC 7638). A secret has none but
///   the one it is given.
///
/// ```
/// use tower_auth::jwt::SigningKey;
/// use tower_auth::random_secret;
///
/// let secret = random_secret()?; // a real service has it in its environment
/// let key = SigningKey::hs256(secret.expose()).id("2026");
/// assert_eq!(format!("{key:?}"), r#"SigningKey { algorithm: Hs256, id: Some("2026"), .. }"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct SigningKey {
    algorithm: JwtAlgorithm,
    id: Option<Box<str>>,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Secret(Secret<Vec<u8>>),
    Pkcs8(Secret<Vec<u8>>),
    #[cfg(feature = "pem")]
    Pem(Secret<String>),
}

impl SigningKey {
    /// A secret of at least 32 random bytes.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Self {
        Self::new(
            JwtAlgorithm::Hs256,
            Material::Secret(secret.as_ref().to_vec().into()),
        )
    }

    /// A secret of at least 48 random bytes.
    pub fn hs384(secret: impl AsRef<[u8]>) -> Self {
        Self::new(
            JwtAlgorithm::Hs384,
            Material::Secret(secret.as_ref().to_vec().into()),
        )
    }

    /// A secret of at least 64 random bytes.
    pub fn hs512(secret: impl AsRef<[u8]>) -> Self {
        Self::new(
            JwtAlgorithm::Hs512,
            Material::Secret(secret.as_ref().to_vec().into()),
        )
    }

    /// A private key as a PKCS#8 document in DER, not encrypted (RFC 5208 §5), for an asymmetric
    /// algorithm: RSA of 2048 to 8192 bits (4096 with the `rust-crypto` back end alone) for
    /// `Rs…` and `Ps…`, P-256 for `Es256`, P-384 for `Es384`, Ed25519 for `EdDsa`.
    pub fn pkcs8_der(algorithm: JwtAlgorithm, der: &[u8]) -> Self {
        Self::new(algorithm, Material::Pkcs8(der.to_vec().into()))
    }

    /// The same as a PEM file has it: one `BEGIN PRIVATE KEY`, as `openssl genpkey` writes it.
    #[cfg(feature = "pem")]
    pub fn pem(algorithm: JwtAlgorithm, pem: &str) -> Self {
        Self::new(algorithm, Material::Pem(String::from(pem).into()))
    }

    /// The key's id, 1 to 256 bytes: the `kid` of what it signs.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into().into_boxed_str());
        self
    }

    fn new(algorithm: JwtAlgorithm, material: Material) -> Self {
        Self {
            algorithm,
            id: None,
            material,
        }
    }

    pub(crate) fn build(&self) -> Result<Signer, ConfigProblem> {
        if let Some(id) = &self.id
            && (id.is_empty() || id.len() > LONGEST_KID)
        {
            return Err(ConfigProblem::KeyId);
        }
        let (key, verifying) = self.halves()?;
        let verifying = match &self.id {
            Some(id) => verifying.id(id.as_ref()),
            None => verifying.or_thumbprint(),
        };
        let signer = Signer::new(self.algorithm, key, verifying);
        signer.prove(&signer.verifying)?;
        Ok(signer)
    }

    /// What signs, and what verifies that.
    fn halves(&self) -> Result<(Half, JwtKey), ConfigProblem> {
        let secret = match &self.material {
            Material::Secret(secret) => secret.expose(),
            Material::Pkcs8(der) => return pair(self.algorithm, der.expose()),
            #[cfg(feature = "pem")]
            Material::Pem(text) => {
                let der =
                    read_pem(text.expose()).map_err(|reason| problem(self.algorithm, reason))?;
                return pair(self.algorithm, der.expose());
            }
        };
        let key = SecretKey::new(self.algorithm, secret)?;
        Ok((
            Half::Secret(key.into()),
            JwtKey::secret(self.algorithm, secret),
        ))
    }
}

fn pair(algorithm: JwtAlgorithm, der: &[u8]) -> Result<(Half, JwtKey), ConfigProblem> {
    let (key, public) = PrivateKey::read(algorithm, der)?;
    Ok((Half::Private(key), public))
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A [`SigningKey`] that was found sound, ready to sign.
pub(crate) struct Signer {
    algorithm: JwtAlgorithm,
    key: Half,
    verifying: JwtKey,
    /// The header from `alg` on, which is the same for every token.
    header_end: String,
}

enum Half {
    Secret(Box<SecretKey>),
    Private(PrivateKey),
}

impl Signer {
    fn new(algorithm: JwtAlgorithm, key: Half, verifying: JwtKey) -> Self {
        let id = verifying
            .key_id()
            // Written as JSON, which escapes: an id may have quotes in it.
            .map(|id| format!(r#","kid":{}"#, Value::from(id)))
            .unwrap_or_default();
        let header_end = format!(r#","alg":"{}"{id}}}"#, algorithm.name());
        Self {
            algorithm,
            key,
            verifying,
            header_end,
        }
    }

    /// A compact JWS (RFC 7515 §3.1) of `{"typ":…,"alg":…,"kid":…}` and the payload.
    pub(crate) fn sign(&self, typ: &str, payload: &[u8]) -> Result<String, SignError> {
        let header = format!(r#"{{"typ":{}{}"#, Value::from(typ), self.header_end);
        let mut token = String::with_capacity((header.len() + payload.len()) * 4 / 3 + 100);
        URL_SAFE_NO_PAD.encode_append(header, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_append(payload, &mut token);
        let signature = self.signature(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_append(signature, &mut token);
        Ok(token)
    }

    /// The signature of a message of any form.
    pub(crate) fn signature(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match &self.key {
            Half::Secret(key) => Ok(key.sign(message)),
            Half::Private(key) => key.sign(message),
        }
    }

    #[cfg(any(test, feature = "test-util"))]
    pub(crate) fn algorithm(&self) -> JwtAlgorithm {
        self.algorithm
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.verifying.key_id()
    }

    /// Whether it is a secret that has no id.
    pub(super) fn is_unnamed_secret(&self) -> bool {
        self.id().is_none() && self.verifying.is_secret()
    }

    /// The key that verifies what this one signs, with the same id.
    pub(crate) fn verifying_key(&self) -> JwtKey {
        self.verifying.clone()
    }

    /// Its public form; a secret has none.
    #[cfg(any(test, feature = "test-util"))]
    pub(crate) fn public_jwk(&self) -> Option<Value> {
        self.verifying.public_jwk()
    }

    /// Signs once: halves that do not belong together would issue tokens that nobody accepts.
    pub(super) fn prove(&self, verifying: &JwtKey) -> Result<(), ConfigProblem> {
        let fits = match self.sign("JWT", b"{}") {
            Ok(token) => verifying.verifies(&token)?,
            Err(SignError) => false,
        };
        if fits {
            Ok(())
        } else {
            Err(problem(
                self.algorithm,
                "its public half does not verify what it signs",
            ))
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("algorithm", &self.algorithm)
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}
