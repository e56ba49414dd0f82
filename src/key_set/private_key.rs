//! Private keys, checked when they are loaded, and the cryptographic back ends: AWS-LC, RustCrypto,
//! or none.
//!
//! ```text
//! PrivateKeyInfo ::= SEQUENCE {          RFC 5208 §5, RFC 5958 §2
//!     version      INTEGER,              0, or 1 where a public key follows
//!     algorithm    SEQUENCE { OBJECT IDENTIFIER, parameters },
//!     privateKey   OCTET STRING,         RSA: RSAPrivateKey ::= SEQUENCE { version, n, e, … } (RFC 8017 §A.1.2)
//!     …            attributes, public key
//! }
//! ```
//!
//! The envelope is read here, so that a mistake is called by its name with either back end; the key
//! itself is read by the back end, which is called directly, never through jsonwebtoken's
//! process-wide provider.

use super::algorithm::JwtAlgorithm;
use super::back_end::check_back_end;
use super::key::JwtKey;
use super::sign_error::SignError;
use crate::config::ConfigProblem;
use base64_simd::URL_SAFE_NO_PAD;

type Checked<T> = Result<T, &'static str>;

/// A private key that signs with one algorithm.
pub(super) struct PrivateKey(backend::Key);

impl PrivateKey {
    /// The key of a PKCS#8 document in DER, and the public key that goes with it.
    pub(super) fn read(
        algorithm: JwtAlgorithm,
        der: &[u8],
    ) -> Result<(Self, JwtKey), ConfigProblem> {
        let document = document_for(algorithm, der).map_err(|reason| problem(algorithm, reason))?;
        let read = match algorithm {
            JwtAlgorithm::Es256 | JwtAlgorithm::Es384 => backend::Key::ec(algorithm, der)
                .map(|(key, x, y)| (key, JwtKey::ec(algorithm, &text(&x), &text(&y)))),
            JwtAlgorithm::EdDsa => {
                backend::Key::ed25519(der).map(|(key, x)| (key, JwtKey::ed25519(&text(&x))))
            }
            _ => match document.rsa_public() {
                Some((n, e)) => {
                    let public = JwtKey::rsa(algorithm, &text(n), &text(e));
                    // Before the back end reads it, which would refuse a short key without saying
                    // why.
                    public.check()?;
                    backend::Key::rsa(algorithm, der, document.key).map(|key| (key, public))
                }
                None => None,
            },
        };
        match read {
            Some((key, public)) => Ok((Self(key), public)),
            None => Err(problem(algorithm, DAMAGED)),
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.0.sign(message).ok_or(SignError)
    }
}

pub(super) fn problem(algorithm: JwtAlgorithm, reason: &'static str) -> ConfigProblem {
    ConfigProblem::Key {
        algorithm: algorithm.name(),
        reason,
    }
}

fn document_for(algorithm: JwtAlgorithm, der: &[u8]) -> Checked<Pkcs8<'_>> {
    let document = Pkcs8::read(der)?;
    document.check_type(algorithm)?;
    check_back_end()?;
    Ok(document)
}

fn text(number: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(number)
}

const DAMAGED: &str =
    "it is damaged, of a rare form, or its private and its public half do not belong together";

/// What the envelope says, and what is in it.
struct Pkcs8<'a> {
    /// An object identifier, and that of the curve where there is one.
    algorithm: (&'a [u8], Option<&'a [u8]>),
    key: &'a [u8],
}

impl<'a> Pkcs8<'a> {
    fn read(document: &'a [u8]) -> Checked<Self> {
        const NO_PKCS8: &str = "it is no PKCS#8 document of one private key that is not encrypted";
        let mut file = Der(document);
        let mut info = file
            .take(SEQUENCE)
            .filter(|_| file.0.is_empty())
            .map(Der)
            .ok_or(NO_PKCS8)?;
        // A version comes first only in a private key that is not encrypted. A public key and an
        // encrypted one begin with the algorithm.
        info.take(INTEGER)
            .filter(|version| matches!(version, [0 | 1]))
            .ok_or(NO_PKCS8)?;
        let mut algorithm = info.take(SEQUENCE).map(Der).ok_or(NO_PKCS8)?;
        let oid = algorithm.take(OBJECT_IDENTIFIER).ok_or(NO_PKCS8)?;
        let curve = algorithm.take(OBJECT_IDENTIFIER);
        let key = info.take(OCTET_STRING).ok_or(NO_PKCS8)?;
        Ok(Self {
            algorithm: (oid, curve),
            key,
        })
    }

    fn check_type(&self, algorithm: JwtAlgorithm) -> Checked<()> {
        use JwtAlgorithm as A;
        const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]; // 1.2.840.113549.1.1.1
        const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]; // 1.2.840.10045.2.1
        const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]; // 1.2.840.10045.3.1.7
        const P384: &[u8] = &[0x2b, 0x81, 4, 0, 0x22]; // 1.3.132.0.34
        const ED25519: &[u8] = &[0x2b, 0x65, 0x70]; // 1.3.101.112
        match (algorithm, self.algorithm) {
            (A::Hs256 | A::Hs384 | A::Hs512, _) => Err("the algorithm has no key pairs"),
            (A::Es256, (EC, Some(P256)))
            | (A::Es384, (EC, Some(P384)))
            | (A::EdDsa, (ED25519, None)) => Ok(()),
            (A::Es256 | A::Es384, (EC, _)) => Err("the key is not on the algorithm's curve"),
            (A::Rs256 | A::Rs384 | A::Rs512 | A::Ps256 | A::Ps384 | A::Ps512, (RSA, _)) => Ok(()),
            _ => Err("the algorithm is for keys of another type"),
        }
    }

    /// Modulus and public exponent.
    fn rsa_public(&self) -> Option<(&'a [u8], &'a [u8])> {
        let mut key = Der(Der(self.key).take(SEQUENCE)?);
        key.take(INTEGER)?;
        Some((key.take(INTEGER)?, key.take(INTEGER)?))
    }
}

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// Elements in DER (X.690), one after another.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The content of the next element, if it has that tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&[found, first], rest) = self.0.split_first_chunk()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (long_length(bytes)?, rest)
        };
        let (content, rest) = rest.split_at_checked(length).filter(|_| found == tag)?;
        self.0 = rest;
        Some(content)
    }
}

/// The length of a content that is longer than 127 bytes.
fn long_length(bytes: &[u8]) -> Option<usize> {
    // No key is so long that its length takes more than four bytes, and more could overflow the
    // number. None at all would be the indefinite form, which DER does not have.
    if !(1..=4).contains(&bytes.len()) {
        return None;
    }
    let mut length = 0;
    for byte in bytes {
        length = length << 8 | usize::from(*byte);
    }
    Some(length)
}

/// The document in a PEM text (RFC 7468 §10): only what its label says it is, and only one.
#[cfg(feature = "pem")]
pub(super) fn read_pem(text: &str) -> Checked<crate::Secret<Vec<u8>>> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let lines = text.lines().map(str::trim);
    let labels: Vec<&str> = lines
        .clone()
        .filter_map(|line| line.strip_prefix("-----BEGIN "))
        .collect();
    match labels.as_slice() {
        ["PRIVATE KEY-----"] => {}
        ["ENCRYPTED PRIVATE KEY-----"] => {
            return Err("it is encrypted: decrypt it with openssl pkcs8");
        }
        ["RSA PRIVATE KEY-----" | "EC PRIVATE KEY-----"] => {
            return Err("it is no PKCS#8: convert it with openssl pkcs8 -topk8 -nocrypt");
        }
        [label] if label.ends_with("PUBLIC KEY-----") => {
            return Err("it is a public key: to sign needs the private one");
        }
        _ => return Err("it is no PEM of one private key"),
    }
    let body = lines
        .skip_while(|line| !line.starts_with("-----BEGIN "))
        .skip(1);
    let end = body.clone().any(|line| line == "-----END PRIVATE KEY-----");
    let body: crate::Secret<String> = body
        .take_while(|line| !line.starts_with('-'))
        .collect::<String>()
        .into();
    let der = STANDARD.decode(body.expose()).ok().filter(|_| end);
    der.map(Into::into).ok_or("it is no PEM of one private key")
}

/// AWS-LC, called by its own crate: jsonwebtoken would parse the key anew for each signature.
#[cfg(feature = "aws-lc-rs")]
mod backend {
    use super::JwtAlgorithm as A;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{
        self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair,
    };

    pub(super) enum Key {
        Rsa(RsaKeyPair, &'static dyn RsaEncoding),
        Ec(EcdsaKeyPair),
        Ed25519(Ed25519KeyPair),
    }

    impl Key {
        pub(super) fn rsa(algorithm: A, document: &[u8], _: &[u8]) -> Option<Self> {
            let encoding: &'static dyn RsaEncoding = match algorithm {
                A::Rs256 => &signature::RSA_PKCS1_SHA256,
                A::Rs384 => &signature::RSA_PKCS1_SHA384,
                A::Rs512 => &signature::RSA_PKCS1_SHA512,
                A::Ps256 => &signature::RSA_PSS_SHA256,
                A::Ps384 => &signature::RSA_PSS_SHA384,
                A::Ps512 => &signature::RSA_PSS_SHA512,
                _ => return None,
            };
            RsaKeyPair::from_pkcs8(document)
                .ok()
                .map(|key| Self::Rsa(key, encoding))
        }

        /// And both coordinates.
        pub(super) fn ec(algorithm: A, document: &[u8]) -> Option<(Self, Vec<u8>, Vec<u8>)> {
            let signing = match algorithm {
                A::Es256 => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
                A::Es384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
                _ => return None,
            };
            let key = EcdsaKeyPair::from_pkcs8(signing, document).ok()?;
            // Uncompressed, 0x04 and both coordinates (SEC 1 §2.3.3).
            let (_, point) = key.public_key().as_ref().split_first()?;
            let (x, y) = point.split_at_checked(point.len() / 2)?;
            let (x, y) = (x.to_vec(), y.to_vec());
            Some((Self::Ec(key), x, y))
        }

        /// And the public key.
        pub(super) fn ed25519(document: &[u8]) -> Option<(Self, Vec<u8>)> {
            let key = Ed25519KeyPair::from_pkcs8(document).ok()?;
            let x = key.public_key().as_ref().to_vec();
            Some((Self::Ed25519(key), x))
        }

        pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
            match self {
                Self::Rsa(key, encoding) => {
                    let mut signature = vec![0; key.public_modulus_len()];
                    key.sign(*encoding, &SystemRandom::new(), message, &mut signature)
                        .ok()?;
                    Some(signature)
                }
                Self::Ec(key) => Some(
                    key.sign(&SystemRandom::new(), message)
                        .ok()?
                        .as_ref()
                        .to_vec(),
                ),
                Self::Ed25519(key) => Some(key.try_sign(message).ok()?.as_ref().to_vec()),
            }
        }
    }
}

/// The RustCrypto crates, by way of jsonwebtoken, whose signers cannot be kept: they are not
/// `Send`.
#[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
mod backend {
    use super::JwtAlgorithm as A;
    use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
    use jsonwebtoken::jwk::EllipticCurve;
    use jsonwebtoken::{Algorithm, EncodingKey};

    pub(super) struct Key {
        algorithm: Algorithm,
        key: EncodingKey,
    }

    impl Key {
        pub(super) fn rsa(algorithm: A, _: &[u8], key: &[u8]) -> Option<Self> {
            // Read once to find out whether it can be read: `from_rsa_der` takes any bytes.
            (DEFAULT_PROVIDER
                .key_utils
                .rsa_pub_components_from_private_key)(key)
            .ok()?;
            Self::new(algorithm, EncodingKey::from_rsa_der(key))
        }

        /// And both coordinates.
        pub(super) fn ec(algorithm: A, document: &[u8]) -> Option<(Self, Vec<u8>, Vec<u8>)> {
            let key = Self::new(algorithm, EncodingKey::from_ec_der(document))?;
            let public = DEFAULT_PROVIDER
                .key_utils
                .ec_pub_components_from_private_key;
            let (_, x, y) = public(document, key.algorithm).ok()?;
            Some((key, x, y))
        }

        /// And the public key.
        pub(super) fn ed25519(document: &[u8]) -> Option<(Self, Vec<u8>)> {
            let public = DEFAULT_PROVIDER
                .key_utils
                .ed_pub_components_from_private_key;
            let x = public(document, &EllipticCurve::Ed25519).ok()?;
            Some((Self::new(A::EdDsa, EncodingKey::from_ed_der(document))?, x))
        }

        fn new(algorithm: A, key: EncodingKey) -> Option<Self> {
            Some(Self {
                algorithm: algorithm.name().parse().ok()?,
                key,
            })
        }

        pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
            (DEFAULT_PROVIDER.signer_factory)(&self.algorithm, &self.key)
                .ok()?
                .try_sign(message)
                .ok()
        }
    }
}

/// No back end: a private key is refused before it is read, so that there is none to sign with.
#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
mod backend {
    use super::JwtAlgorithm;

    pub(super) enum Key {}

    impl Key {
        pub(super) fn rsa(_: JwtAlgorithm, _: &[u8], _: &[u8]) -> Option<Self> {
            None
        }

        pub(super) fn ec(_: JwtAlgorithm, _: &[u8]) -> Option<(Self, Vec<u8>, Vec<u8>)> {
            None
        }

        pub(super) fn ed25519(_: &[u8]) -> Option<(Self, Vec<u8>)> {
            None
        }

        pub(super) fn sign(&self, _: &[u8]) -> Option<Vec<u8>> {
            match *self {}
        }
    }
}
