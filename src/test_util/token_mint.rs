use crate::key_set::{JwtAlgorithm, JwtKey, Signer, SigningKey};
use crate::random;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::{Sha256, Sha384, Sha512};
use std::fmt;
use std::sync::Arc;

/// Signs JWTs, as a login service would: with a shared secret, or with a key pair of its own.
///
/// ```
/// use serde_json::json;
/// use tower_auth::test_util::TokenMint;
/// use tower_auth::{AuthLayer, Jwt, RejectionKind};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (login, stranger) = (TokenMint::es256(), TokenMint::es256());
/// let jwt = Jwt::new().issuer("https://login.example.com").audience("reports").key(login.key());
/// let auth = AuthLayer::builder().accept(jwt).build()?;
/// # let refusal = async |token: String| {
/// #     let request = http::Request::get("/").header("authorization", format!("Bearer {token}"));
/// #     let head = request.body(()).unwrap().into_parts().0;
/// #     auth.explain(&head).await.rejection().map(|rejection| rejection.kind())
/// # };
///
/// // `refusal` is why a request with this token is refused.
/// let mut claims = json!({
///     "iss": "https://login.example.com", "aud": "reports", "sub": "anna", "exp": 4_000_000_000_u64,
/// });
/// assert_eq!(refusal(login.sign(&claims)).await, None);
/// assert_eq!(refusal(stranger.sign(&claims)).await, Some(RejectionKind::InvalidToken));
/// claims["exp"] = json!(1_700_000_000);
/// assert_eq!(refusal(login.sign(&claims)).await, Some(RejectionKind::ExpiredToken));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct TokenMint {
    key: Key,
    id: Option<String>,
}

#[derive(Clone)]
enum Key {
    Secret {
        algorithm: JwtAlgorithm,
        secret: Secret<Vec<u8>>,
    },
    Pair {
        key: SigningKey,
        signer: Arc<Signer>,
    },
}

/// FOR TESTS ONLY, as everybody can read it: an RSA key of 2048 bits (PKCS#8, base64). To make one
/// takes a second.
const RSA: &str = "\
    MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQDaJK3Xu92R29JpX8Zg0tEyEGSLremEUB7B\
    IIdhAAvkGHRX8/8oONLbe2m8Vbzgol2H/0ObcvlE2KwsQI8PavCcGsXu+dZATlJrFY3Lo4W6R/QQxWLgO49M\
    gEAAyO4Sz5gkr8pA6j3aAX5rKOIhNVxkNEzFFCydq/9RbuBDL39RGqOL+NonIlIRL4SP/eO/H0mQiBEozp0z\
    RWlCAH+WlcIObVS0TM9OGeyzUXnkgJLoWCg5flO6/+LZ68LVbuo21z8wsfFuvo+Vy/j5f7IijsEoyeldnu+H\
    4I+90P5+fJCtuVbGoGF3sxKQrxBP6anaHhDAvDiaGnn2XCejKvF6QDAVAgMBAAECggEAIUmEj412z4mUL4ky\
    W9b/nhybQyc8IXkaYE0G63nW1q0Wn883Sdt17ZEE/vy0UDDmhdihZ+ig+ez4RN5rFiay5Zc+Seus0m5BLF8D\
    HqZqwxS0vRRptJ7SDJHrclM25P7xj/OVMNetrYUZ1d9MtlWOrim+5znfXwX+dV4ucYIfcvAN+7ix8adsfPMa\
    wurUsrK/TL1l9njaw+8dlW42yFAPXJnF+kb7axy4rsugqLiGxUUu9tNh73CZzEGbnz6yeDq7UscADBjA+rKt\
    hIZjonkhxVp7bhS8Ia/gkx9d0Z64mnXA/8CrstSe+hPwdkmPoXaUPpSm6liZnLhkqiKKewOPpwKBgQD4bZSn\
    6e58GiZDvan6ctw7QoYf1mcfyummLYSKOsCK3v1gaC3LtmygMns71FB7ozJI7dcNAdZbErMMWgYe7HfVARsf\
    sOrN+zzmJ9029FJCXoyuBRys86/jM2mVljpuxp9h0kSl7FsS8Eu6tyEgRmVjAdWtnwtwhdzFRJrqWJigtwKB\
    gQDgystRAzmKaeHnDyKa8IE1qb+SorMGjuZ+bE5I7NC0qoZ6qep3t/qcuq6anomfZYGCeW2IG2IzKlEMKi0r\
    UC2wG8sFA2WT0ljmrnblMD0uIPlWNcEcvvciWJCS9BjCWdNh2e+kq/yabf/EYdxXEfTEMRLQ5A7SApBSHQzb\
    aE5RkwKBgQCsYj2ZFrap3utWbjGY3EL9y/eN+BSu9vqSmVszH/mjY4CmeSPuC7PspZrltTnz0RZ/jKqBGBlK\
    MPuVQpKkuqmcYJwVrYoBTKjBfEAAdiDudPVhe6KeUKpoGbDWX9xEKgdGtcV07UF1LtEdyx1ta+vGe+tuAsLJ\
    XdoH+McWfkvKmQKBgQCtx/lAavbL66lJwKinEXFCdDV2/jLayhSk/cPTmsiKMx59q+honyGukp+zRwbr5EQo\
    AwnLZCgZmAhKGD0NNBHuCL595K9dhQtXYt7ltdJGXBWGMU5Wk8dolQFHqk+NyHWjOyGJs7A4Dvvg7SqzYV1R\
    YwLB3N0cPAEoie7LnCqX4wKBgGKlfPM+TjNaiQBwoqGABA/Znxc+3SRxB+gbgeMcw3EKrwuwT4c8Yq01+VcY\
    0DDtVBq748XX+qXcGdx8WxYJWe0LDv5ec/LgZdQVlDZ2a0V+hmC/4bXdBibEFxJIkpQbDCol2DDQuJoSJy5M\
    xgxGOCCvi+4nfCsbIwQRK3cN6ujp";

impl TokenMint {
    /// Signs with HS256. Any secret will do, however short.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Self {
        Self::secret(JwtAlgorithm::Hs256, secret.as_ref())
    }

    /// Signs with HS384.
    pub fn hs384(secret: impl AsRef<[u8]>) -> Self {
        Self::secret(JwtAlgorithm::Hs384, secret.as_ref())
    }

    /// Signs with HS512.
    pub fn hs512(secret: impl AsRef<[u8]>) -> Self {
        Self::secret(JwtAlgorithm::Hs512, secret.as_ref())
    }

    /// Signs with RS256, under the same key in every mint: one that is published with this crate.
    ///
    /// # Panics
    ///
    /// Neither of the features `aws-lc-rs` and `rust-crypto` is on.
    pub fn rs256() -> Self {
        Self::pair(JwtAlgorithm::Rs256, &rsa())
    }

    /// Signs with ES256, under a new key.
    ///
    /// # Panics
    ///
    /// The system's source of randomness failed, or neither of the features `aws-lc-rs` and
    /// `rust-crypto` is on.
    pub fn es256() -> Self {
        // PrivateKeyInfo for id-ecPublicKey on P-256, and in it ECPrivateKey without the public key
        // (RFC 5915 §3).
        const START: [u8; 35] = [
            0x30, 0x41, 2, 1, 0, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a,
            0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 4, 0x27, 0x30, 0x25, 2, 1, 1, 4, 0x20,
        ];
        let mut scalar = random_bytes();
        // Below the order of the curve, which begins with ff ff ff ff, and not zero.
        scalar[0] &= 0x7f;
        scalar[31] |= 1;
        Self::pair(JwtAlgorithm::Es256, &[&START[..], &scalar].concat())
    }

    /// Signs with EdDSA (Ed25519), under a new key.
    ///
    /// # Panics
    ///
    /// The system's source of randomness failed, or neither of the features `aws-lc-rs` and
    /// `rust-crypto` is on.
    pub fn eddsa() -> Self {
        // PrivateKeyInfo for id-Ed25519 (RFC 8410 §7).
        const START: [u8; 16] = [
            0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
        ];
        let seed = random_bytes();
        Self::pair(JwtAlgorithm::EdDsa, &[&START[..], &seed].concat())
    }

    fn secret(algorithm: JwtAlgorithm, secret: &[u8]) -> Self {
        let secret = Secret::new(secret.to_vec());
        Self {
            key: Key::Secret { algorithm, secret },
            id: None,
        }
    }

    fn pair(algorithm: JwtAlgorithm, document: &[u8]) -> Self {
        Self::of(SigningKey::pkcs8_der(algorithm, document), None)
    }

    fn of(key: SigningKey, id: Option<String>) -> Self {
        // OK because both back ends take the keys that are made here. Where there is none the problem
        // names the features.
        let signer = key.build().expect("the key is sound");
        let id = id.or_else(|| signer.id().map(String::from));
        Self {
            key: Key::Pair {
                key,
                signer: Arc::new(signer),
            },
            id,
        }
    }

    /// Writes this `kid`. A key pair has its thumbprint (RFC 7638) for one unless it is given
    /// another.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        let id = id.into();
        match self.key {
            Key::Pair { key, .. } => Self::of(key.id(id.clone()), Some(id)),
            Key::Secret { .. } => {
                self.id = Some(id);
                self
            }
        }
    }

    /// The key that verifies what this mint signs, with the same id: the public half of a key pair,
    /// or the secret.
    pub fn key(&self) -> JwtKey {
        let (algorithm, secret) = match &self.key {
            Key::Pair { signer, .. } => return signer.verifying_key(),
            Key::Secret { algorithm, secret } => (algorithm, secret.expose()),
        };
        let key = match algorithm {
            JwtAlgorithm::Hs384 => JwtKey::hs384(secret),
            JwtAlgorithm::Hs512 => JwtKey::hs512(secret),
            _ => JwtKey::hs256(secret),
        };
        match &self.id {
            Some(id) => key.id(id),
            None => key,
        }
    }

    /// The public half of its key as an identity provider publishes it: a JSON Web Key Set (RFC 7517
    /// §5), for [`JwtKeys::jwks`](crate::jwt::JwtKeys::jwks) or for a provider that a test serves. A
    /// mint with a secret publishes none, so its set is empty.
    ///
    /// ```
    /// use tower_auth::jwt::JwtKeys;
    /// use tower_auth::test_util::TokenMint;
    ///
    /// let published = JwtKeys::jwks(TokenMint::es256().jwks());
    /// assert_eq!((published.len(), published.skipped().len()), (1, 0));
    /// assert_eq!(TokenMint::hs256("tests only").jwks(), r#"{"keys":[]}"#);
    /// ```
    #[must_use]
    pub fn jwks(&self) -> String {
        let keys: Vec<_> = self.public_jwk().into_iter().collect();
        serde_json::json!({ "keys": keys }).to_string()
    }

    /// A token with these claims, and a header of `alg`, `typ` and perhaps `kid`.
    ///
    /// # Panics
    ///
    /// The claims cannot be written as JSON.
    #[must_use]
    pub fn sign(&self, claims: &impl Serialize) -> String {
        let mut header = serde_json::Map::new();
        header.insert("alg".into(), self.algorithm().name().into());
        header.insert("typ".into(), "JWT".into());
        if let Some(id) = &self.id {
            header.insert("kid".into(), id.as_str().into());
        }
        // OK because it is a test's.
        let payload = serde_json::to_string(claims).expect("claims are JSON");
        self.sign_parts(&serde_json::Value::from(header).to_string(), &payload)
    }

    /// A token with exactly this header and this payload, whatever they say.
    ///
    /// # Panics
    ///
    /// The cryptographic back end did not sign.
    #[must_use]
    pub fn sign_parts(&self, header: &str, payload: &str) -> String {
        let header = URL_SAFE_NO_PAD.encode(header);
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
        let signature = match &self.key {
            // OK because the key signed when it was made.
            Key::Pair { signer, .. } => {
                signer.signature(message.as_bytes()).expect("the key signs")
            }
            Key::Secret { algorithm, secret } => match algorithm {
                JwtAlgorithm::Hs384 => mac::<Hmac<Sha384>>(secret.expose(), &message),
                JwtAlgorithm::Hs512 => mac::<Hmac<Sha512>>(secret.expose(), &message),
                _ => mac::<Hmac<Sha256>>(secret.expose(), &message),
            },
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(super) fn public_jwk(&self) -> Option<serde_json::Value> {
        match &self.key {
            Key::Pair { signer, .. } => signer.public_jwk(),
            Key::Secret { .. } => None,
        }
    }

    pub(super) fn algorithm(&self) -> JwtAlgorithm {
        match &self.key {
            Key::Secret { algorithm, .. } => *algorithm,
            Key::Pair { signer, .. } => signer.algorithm(),
        }
    }
}

fn rsa() -> Vec<u8> {
    // OK because the constant is base64.
    STANDARD.decode(RSA).expect("the key is base64")
}

fn random_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    // OK because a test that has no randomness has failed.
    random::fill(&mut bytes).expect("the system has randomness");
    bytes
}

fn mac<M: Mac + KeyInit>(secret: &[u8], message: &str) -> Vec<u8> {
    // OK because HMAC takes keys of any length (RFC 2104 §2).
    let mac = <M as KeyInit>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

impl fmt::Debug for TokenMint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenMint")
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AuthLayer, Jwt, Principal};
    use http::{Request, Response};
    use std::convert::Infallible;
    use tower::{ServiceExt, service_fn};
    use tower_layer::Layer;

    const SECRET: &str = "u4Zq7Kw2xRm90123456789abcdefghij ABCDEFGHIJ zyxwvutsrqponmlkjihgf";

    /// The status of an answer to the token of one mint, from a layer that has the key of another.
    async fn status(signs: &TokenMint, verifies: &TokenMint) -> u16 {
        let jwt = Jwt::new().issuer("i").audience("a").key(verifies.key());
        let auth = AuthLayer::builder().accept(jwt).build().unwrap();
        let claims = serde_json::json!({
            "iss": "i", "aud": "a", "sub": "anna", "exp": 4_000_000_000_u64,
        });
        let request = Request::get("/")
            .header("authorization", format!("Bearer {}", signs.sign(&claims)))
            .body(())
            .unwrap();
        let inner = service_fn(|request: Request<()>| async move {
            let caller = Principal::from_extensions(request.extensions()).unwrap();
            assert_eq!(caller.subject().id(), "anna");
            Ok::<_, Infallible>(Response::new(()))
        });
        auth.layer(inner)
            .oneshot(request)
            .await
            .unwrap()
            .status()
            .as_u16()
    }

    #[tokio::test]
    async fn what_a_mint_signs_its_own_key_verifies_and_no_other() {
        let mints = [
            TokenMint::hs256(SECRET),
            TokenMint::hs384(SECRET),
            TokenMint::hs512(SECRET).id("s"),
            TokenMint::rs256(),
            TokenMint::es256(),
            TokenMint::es256().id("e"),
            TokenMint::eddsa(),
            TokenMint::eddsa(),
        ];
        for (signing, signs) in mints.iter().enumerate() {
            for (verifying, verifies) in mints.iter().enumerate() {
                let expected = if signing == verifying { 200 } else { 401 };
                assert_eq!(
                    status(signs, verifies).await,
                    expected,
                    "{signs:?} {verifies:?}"
                );
            }
        }
    }

    #[test]
    fn a_mint_prints_no_key() {
        let shown = format!("{:?} {:?}", TokenMint::hs256(SECRET), TokenMint::rs256());
        let expected = "TokenMint { algorithm: Hs256, .. } TokenMint { algorithm: Rs256, .. }";
        assert_eq!(shown, expected);
    }
}
