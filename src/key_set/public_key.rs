//! Public keys, checked when they are loaded, and the cryptographic back ends: AWS-LC, RustCrypto,
//! or none.
//!
//! A back end is called directly, never through jsonwebtoken's process-wide provider: with both of
//! its features on, as another crate of the same build can bring about, that one panics.

use super::algorithm::JwtAlgorithm;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A public key as it was configured.
#[derive(Clone)]
pub(super) enum PublicKeyForm {
    /// Modulus and exponent, base64url.
    Rsa { n: Box<str>, e: Box<str> },
    /// Coordinates, base64url.
    Ec { x: Box<str>, y: Box<str> },
    /// The 32 bytes, base64url.
    Ed25519 { x: Box<str> },
    /// A PEM file.
    #[cfg(feature = "pem")]
    Pem(Box<str>),
}

/// The numbers of a public key, checked as far as their form goes.
enum Numbers {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// Uncompressed, 0x04 and both coordinates (SEC 1 §2.3.3).
    Point(Vec<u8>),
    Ed25519([u8; 32]),
}

/// A public key that verifies signatures of one algorithm.
pub(super) struct PublicKey {
    key: backend::Key,
    /// RSA only: the modulus, which a signature is smaller than.
    modulus: Option<Vec<u8>>,
}

type Checked<T> = Result<T, &'static str>;

impl PublicKey {
    pub(super) fn new(algorithm: JwtAlgorithm, form: &PublicKeyForm) -> Checked<Self> {
        let numbers = Numbers::read(algorithm, form)?;
        numbers.check(algorithm)?;
        let key = backend::Key::new(algorithm, &numbers)?;
        let modulus = match numbers {
            Numbers::Rsa { n, .. } => Some(n),
            Numbers::Point(_) | Numbers::Ed25519(_) => None,
        };
        Ok(Self { key, modulus })
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        // A number that is not below the modulus is no signature (RFC 8017 §5.2.2). One back end
        // takes it modulo n, and every signature would have a second form.
        let is_in_range = match &self.modulus {
            Some(n) => signature.len() == n.len() && signature < n.as_slice(),
            None => true,
        };
        is_in_range && self.key.verify(message, signature)
    }
}

/// The members that a JWK of the key's type must have (RFC 7518 §6, RFC 8037 §2), in the order of
/// their names.
pub(super) fn jwk_members(
    algorithm: JwtAlgorithm,
    form: &PublicKeyForm,
) -> Checked<Vec<(&'static str, String)>> {
    Ok(match Numbers::read(algorithm, form)? {
        Numbers::Rsa { n, e } => vec![("e", text(&e)), ("kty", "RSA".into()), ("n", text(&n))],
        Numbers::Point(point) => {
            // OK because a point is read with exactly two coordinates.
            let (x, y) = point[1..].split_at(coordinate(algorithm));
            let curve = if algorithm == JwtAlgorithm::Es384 {
                "P-384"
            } else {
                "P-256"
            };
            vec![
                ("crv", curve.into()),
                ("kty", "EC".into()),
                ("x", text(x)),
                ("y", text(y)),
            ]
        }
        Numbers::Ed25519(key) => {
            vec![
                ("crv", "Ed25519".into()),
                ("kty", "OKP".into()),
                ("x", text(&key)),
            ]
        }
    })
}

fn text(number: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(number)
}

impl Numbers {
    fn read(algorithm: JwtAlgorithm, form: &PublicKeyForm) -> Checked<Self> {
        match form {
            PublicKeyForm::Rsa { n, e } => Ok(Self::Rsa {
                n: unsigned(n)?,
                e: unsigned(e)?,
            }),
            PublicKeyForm::Ec { x, y } => {
                let (x, y) = (base64url(x)?, base64url(y)?);
                let length = coordinate(algorithm);
                if x.len() != length || y.len() != length {
                    return Err("a coordinate does not have the length of the algorithm's curve");
                }
                Ok(Self::Point([&[4], x.as_slice(), &y].concat()))
            }
            PublicKeyForm::Ed25519 { x } => {
                // Checked before a back end sees it: one of them panics at a shorter key, and cuts
                // off a longer one.
                let key = base64url(x)?
                    .try_into()
                    .map_err(|_| "an Ed25519 key has 32 bytes")?;
                Ok(Self::Ed25519(key))
            }
            #[cfg(feature = "pem")]
            PublicKeyForm::Pem(pem) => Self::read_pem(algorithm, pem),
        }
    }

    #[cfg(feature = "pem")]
    fn read_pem(algorithm: JwtAlgorithm, pem: &str) -> Checked<Self> {
        use jsonwebtoken::{DecodingKey, DecodingKeyKind};
        // Only what its label says it is, and only one. A certificate is refused, because nobody
        // would look at its dates.
        let labels: Vec<&str> = pem
            .lines()
            .filter_map(|line| line.trim().strip_prefix("-----BEGIN "))
            .collect();
        match labels.as_slice() {
            ["PUBLIC KEY-----" | "RSA PUBLIC KEY-----"] => {}
            [label] if label.contains("PRIVATE KEY") => {
                return Err("it is a private key: a verifier needs the public one only");
            }
            _ => return Err("it is no PEM of one public key"),
        }
        let read = match algorithm {
            JwtAlgorithm::Es256 | JwtAlgorithm::Es384 => DecodingKey::from_ec_pem(pem.as_bytes()),
            JwtAlgorithm::EdDsa => DecodingKey::from_ed_pem(pem.as_bytes()),
            _ => DecodingKey::from_rsa_pem(pem.as_bytes()),
        };
        let read = read.map_err(|_| "it is no PEM of a public key of the algorithm's type")?;
        let DecodingKeyKind::SecretOrDer(bytes) = read.kind() else {
            return Err("it is no PEM of a public key of the algorithm's type");
        };
        match algorithm {
            JwtAlgorithm::Es256 | JwtAlgorithm::Es384
                if bytes.len() != 1 + 2 * coordinate(algorithm) =>
            {
                Err("a coordinate does not have the length of the algorithm's curve")
            }
            JwtAlgorithm::Es256 | JwtAlgorithm::Es384 => Ok(Self::Point(bytes.clone())),
            JwtAlgorithm::EdDsa => {
                let key = bytes
                    .as_slice()
                    .try_into()
                    .map_err(|_| "an Ed25519 key has 32 bytes")?;
                Ok(Self::Ed25519(key))
            }
            _ => {
                let components = backend::rsa_components(bytes)?;
                let (n, e) = (
                    without_leading_zeros(components.0),
                    without_leading_zeros(components.1),
                );
                Ok(Self::Rsa { n, e })
            }
        }
    }

    fn check(&self, algorithm: JwtAlgorithm) -> Checked<()> {
        use JwtAlgorithm as A;
        match (algorithm, self) {
            (
                A::Rs256 | A::Rs384 | A::Rs512 | A::Ps256 | A::Ps384 | A::Ps512,
                Self::Rsa { n, e },
            ) => check_rsa(n, e),
            (A::Es256 | A::Es384, Self::Point(_)) => Ok(()),
            (A::EdDsa, Self::Ed25519(key)) if is_small_order(key) => {
                Err("the point has small order")
            }
            (A::EdDsa, Self::Ed25519(_)) => Ok(()),
            _ => Err("the algorithm is for keys of another type"),
        }
    }
}

/// RFC 7518 §3.3: at least 2048 bits. An exponent is odd and at least 3.
fn check_rsa(n: &[u8], e: &[u8]) -> Checked<()> {
    let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
    if bits < 2048 {
        return Err("an RSA key has at least 2048 bits (RFC 7518 §3.3)");
    }
    if bits > backend::LONGEST_RSA {
        return Err("the RSA key is longer than the back end takes");
    }
    let small = e.len() > 4 || e == [1];
    if !is_odd(n) || !is_odd(e) || small {
        return Err("modulus and exponent are odd, and the exponent is 3 to 2^32");
    }
    Ok(())
}

fn is_odd(number: &[u8]) -> bool {
    match number.last() {
        Some(last) => last % 2 == 1,
        None => false,
    }
}

/// The points of order 1, 2, 4 and 8, by their y coordinate (RFC 8032 §5.1.2), canonical or not:
/// for such a key anybody can sign.
fn is_small_order(key: &[u8; 32]) -> bool {
    const P_MINUS_1: [u8; 32] = near_p(0xec);
    const P: [u8; 32] = near_p(0xed);
    const P_PLUS_1: [u8; 32] = near_p(0xee);
    const ZERO: [u8; 32] = [0; 32];
    const ONE: [u8; 32] = {
        let mut y = [0; 32];
        y[0] = 1;
        y
    };
    // The two y of order 8: each is the other one's negative.
    const ORDER_8: [u8; 32] = [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ];
    const OTHER_ORDER_8: [u8; 32] = [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ];
    let mut y = *key;
    y[31] &= 0x7f; // the sign of x
    [ZERO, ONE, ORDER_8, OTHER_ORDER_8, P_MINUS_1, P, P_PLUS_1].contains(&y)
}

/// 2^255 - 1 with another lowest byte; p is 2^255 - 19.
const fn near_p(lowest: u8) -> [u8; 32] {
    let mut y = [0xff; 32];
    y[0] = lowest;
    y[31] = 0x7f;
    y
}

fn coordinate(algorithm: JwtAlgorithm) -> usize {
    if algorithm == JwtAlgorithm::Es384 {
        48
    } else {
        32
    }
}

fn base64url(text: &str) -> Checked<Vec<u8>> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| "a member is not base64url without padding")
}

fn unsigned(text: &str) -> Checked<Vec<u8>> {
    base64url(text).map(without_leading_zeros)
}

fn without_leading_zeros(number: Vec<u8>) -> Vec<u8> {
    let zeros = number.iter().take_while(|b| **b == 0).count();
    number[zeros..].to_vec()
}

/// AWS-LC, called by its own crate: jsonwebtoken would parse the key anew for each signature.
#[cfg(feature = "aws-lc-rs")]
mod backend {
    use super::{Checked, JwtAlgorithm as A, Numbers};
    use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};

    pub(super) const LONGEST_RSA: usize = 8192;

    pub(super) struct Key(ParsedPublicKey);

    impl Key {
        pub(super) fn new(algorithm: A, numbers: &Numbers) -> Checked<Self> {
            let bytes = match numbers {
                Numbers::Rsa { n, e } => pkcs1(n, e),
                Numbers::Point(point) => point.clone(),
                Numbers::Ed25519(key) => key.to_vec(),
            };
            let verification = verification(algorithm).ok_or("the algorithm has no public keys")?;
            let key = ParsedPublicKey::new(verification, bytes);
            key.map(Self)
                .map_err(|_| "it is no key of the algorithm's type and curve")
        }

        pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
            self.0.verify_sig(message, signature).is_ok()
        }
    }

    fn verification(algorithm: A) -> Option<&'static dyn VerificationAlgorithm> {
        Some(match algorithm {
            A::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            A::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            A::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            A::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
            A::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
            A::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
            A::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
            A::Es384 => &signature::ECDSA_P384_SHA384_FIXED,
            A::EdDsa => &signature::ED25519,
            A::Hs256 | A::Hs384 | A::Hs512 => return None,
        })
    }

    /// `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }` in DER (RFC 8017
    /// §A.1.1).
    fn pkcs1(n: &[u8], e: &[u8]) -> Vec<u8> {
        const SEQUENCE: u8 = 0x30;
        der(SEQUENCE, [integer(n), integer(e)].concat())
    }

    fn integer(number: &[u8]) -> Vec<u8> {
        const INTEGER: u8 = 0x02;
        let mut content = Vec::new();
        // An INTEGER is signed. A zero goes before a number whose highest bit is set, which would
        // be negative without it.
        if let Some(0x80..) = number.first() {
            content.push(0);
        }
        content.extend(number);
        der(INTEGER, content)
    }

    fn der(tag: u8, content: Vec<u8>) -> Vec<u8> {
        let length = content.len().to_be_bytes();
        let mut encoded = vec![tag];
        if content.len() < 0x80 {
            encoded.extend(&length[length.len() - 1..]);
        } else {
            let significant: Vec<u8> = length.into_iter().skip_while(|b| *b == 0).collect();
            encoded.push(0x80 | significant.len() as u8);
            encoded.extend(significant);
        }
        encoded.extend(content);
        encoded
    }

    #[cfg(feature = "pem")]
    pub(super) fn rsa_components(der: &[u8]) -> Checked<(Vec<u8>, Vec<u8>)> {
        let utils = &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.key_utils;
        (utils.rsa_pub_components_from_public_key)(der).map_err(|_| "it is no RSA public key")
    }
}

/// The RustCrypto crates, by way of jsonwebtoken.
#[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
mod backend {
    use super::{Checked, JwtAlgorithm as A, Numbers};
    use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
    use jsonwebtoken::{Algorithm, DecodingKey};

    /// The limit of the `rsa` crate.
    pub(super) const LONGEST_RSA: usize = 4096;

    pub(super) struct Key {
        algorithm: Algorithm,
        key: DecodingKey,
    }

    impl Key {
        pub(super) fn new(algorithm: A, numbers: &Numbers) -> Checked<Self> {
            let key = match numbers {
                Numbers::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
                Numbers::Point(point) => DecodingKey::from_ec_der(point),
                Numbers::Ed25519(key) => DecodingKey::from_ed_der(key),
            };
            let algorithm = mapped(algorithm).ok_or("the algorithm has no public keys")?;
            // Made for nothing but to find out whether the key is sound: at a request it would be
            // too late.
            let usable = (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &key);
            usable.map_err(|_| "it is no key of the algorithm's type and curve")?;
            Ok(Self { algorithm, key })
        }

        pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
            let verifier = (DEFAULT_PROVIDER.verifier_factory)(&self.algorithm, &self.key);
            verifier.is_ok_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok())
        }
    }

    fn mapped(algorithm: A) -> Option<Algorithm> {
        Some(match algorithm {
            A::Rs256 => Algorithm::RS256,
            A::Rs384 => Algorithm::RS384,
            A::Rs512 => Algorithm::RS512,
            A::Ps256 => Algorithm::PS256,
            A::Ps384 => Algorithm::PS384,
            A::Ps512 => Algorithm::PS512,
            A::Es256 => Algorithm::ES256,
            A::Es384 => Algorithm::ES384,
            A::EdDsa => Algorithm::EdDSA,
            A::Hs256 | A::Hs384 | A::Hs512 => return None,
        })
    }

    #[cfg(feature = "pem")]
    pub(super) fn rsa_components(der: &[u8]) -> Checked<(Vec<u8>, Vec<u8>)> {
        let utils = &DEFAULT_PROVIDER.key_utils;
        (utils.rsa_pub_components_from_public_key)(der).map_err(|_| "it is no RSA public key")
    }
}

/// No back end: a public key is refused when it is built, so that there is none to verify with.
#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
mod backend {
    use super::{Checked, JwtAlgorithm, Numbers};
    use crate::key_set::back_end::NEEDS_BACK_END;

    pub(super) const LONGEST_RSA: usize = 8192;

    pub(super) enum Key {}

    impl Key {
        pub(super) fn new(_: JwtAlgorithm, _: &Numbers) -> Checked<Self> {
            Err(NEEDS_BACK_END)
        }

        pub(super) fn verify(&self, _: &[u8], _: &[u8]) -> bool {
            match *self {}
        }
    }

    #[cfg(feature = "pem")]
    pub(super) fn rsa_components(_: &[u8]) -> Checked<(Vec<u8>, Vec<u8>)> {
        Err(NEEDS_BACK_END)
    }
}
