//! Key pairs that are made here, as PKCS#8 documents (RFC 5208 §5).
//!
//! The private key on a curve is a random number below the curve's order, and that of Ed25519 any
//! 32 bytes: they need no back end, which finds the public half when it reads the document. The two
//! primes of an RSA key do.

use super::algorithm::JwtAlgorithm;
use super::back_end::check_back_end;
use super::private_key::problem;
use crate::config::ConfigProblem;
use crate::random::{self, RandomError};
use crate::secret::Secret;
use zeroize::Zeroizing;

/// What comes before the private key in its document.
const P256: &[u8] = &[
    0x30, 0x41, 0x02, 0x01, 0x00, // PrivateKeyInfo, version 0
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, // id-ecPublicKey
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, // secp256r1
    0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20, // ECPrivateKey (RFC 5915 §3)
];
const P384: &[u8] = &[
    0x30, 0x4e, 0x02, 0x01, 0x00, // PrivateKeyInfo, version 0
    0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, // id-ecPublicKey
    0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, // secp384r1
    0x04, 0x37, 0x30, 0x35, 0x02, 0x01, 0x01, 0x04, 0x30, // ECPrivateKey (RFC 5915 §3)
];
const ED25519: &[u8] = &[
    0x30, 0x2e, 0x02, 0x01, 0x00, // PrivateKeyInfo, version 0
    0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, // id-Ed25519 (RFC 8410 §3)
    0x04, 0x22, 0x04, 0x20, // CurvePrivateKey (RFC 8410 §7)
];

/// The orders of the curves (SEC 2 §2.4.2, §2.5.1), most significant byte first.
const ORDER_OF_P256: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
const ORDER_OF_P384: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
];

/// Why no key pair was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewPairError {
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error("the cryptographic back end made no key")]
    BackEnd,
}

/// Whether key pairs for an algorithm can be made here.
pub(crate) fn check_makes_pairs(algorithm: JwtAlgorithm) -> Result<(), ConfigProblem> {
    use JwtAlgorithm as A;
    match algorithm {
        A::Es256 | A::Es384 | A::EdDsa => {
            check_back_end().map_err(|reason| problem(algorithm, reason))
        }
        A::Hs256 | A::Hs384 | A::Hs512 => Err(problem(algorithm, "the algorithm has no key pairs")),
        _ => backend::check_makes_rsa(algorithm),
    }
}

/// The document of a new private key. An RSA key takes up to a second of a processor.
pub(crate) fn new_pair(algorithm: JwtAlgorithm) -> Result<Secret<Vec<u8>>, NewPairError> {
    use JwtAlgorithm as A;
    match algorithm {
        A::Es256 => Ok(document(P256, &*below(&ORDER_OF_P256, random::fill)?)),
        A::Es384 => Ok(document(P384, &*below(&ORDER_OF_P384, random::fill)?)),
        A::EdDsa => {
            let mut seed = Zeroizing::new([0; 32]);
            random::fill(&mut *seed)?;
            Ok(document(ED25519, &*seed))
        }
        _ => backend::new_rsa(algorithm).ok_or(NewPairError::BackEnd),
    }
}

fn document(before: &[u8], key: &[u8]) -> Secret<Vec<u8>> {
    // Made as long as it will be: to grow would leave a copy behind.
    let mut document = Vec::with_capacity(before.len() + key.len());
    document.extend_from_slice(before);
    document.extend_from_slice(key);
    Secret::new(document)
}

/// A number from 1 to one below the order, all equally likely (FIPS 186-5 §A.2.2): those that are
/// not are drawn anew, one in four thousand millions.
fn below<const N: usize, E>(
    order: &[u8; N],
    random: impl Fn(&mut [u8]) -> Result<(), E>,
) -> Result<Zeroizing<[u8; N]>, E> {
    loop {
        let mut number = Zeroizing::new([0; N]);
        random(&mut *number)?;
        if *number < *order && number.iter().any(|byte| *byte != 0) {
            return Ok(number);
        }
    }
}

#[cfg(feature = "aws-lc-rs")]
mod backend {
    use super::{ConfigProblem, JwtAlgorithm as A, Secret};
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::rsa::{KeyPair, KeySize};

    #[expect(clippy::unnecessary_wraps, reason = "the other back end makes none")]
    pub(super) fn check_makes_rsa(_: A) -> Result<(), ConfigProblem> {
        Ok(())
    }

    /// As long as the hash asks for (NIST SP 800-57 part 1, §5.6.1), and at most 4096 bits.
    pub(super) fn new_rsa(algorithm: A) -> Option<Secret<Vec<u8>>> {
        let size = match algorithm {
            A::Rs256 | A::Ps256 => KeySize::Rsa2048,
            A::Rs384 | A::Ps384 => KeySize::Rsa3072,
            _ => KeySize::Rsa4096,
        };
        let pair = KeyPair::generate(size).ok()?;
        let document: Pkcs8V1Der<'_> = pair.as_der().ok()?;
        Some(Secret::new(document.as_ref().to_vec()))
    }
}

#[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
mod backend {
    use super::{ConfigProblem, JwtAlgorithm as A, Secret, problem};

    pub(super) fn check_makes_rsa(algorithm: A) -> Result<(), ConfigProblem> {
        let reason =
            "the back end rust-crypto makes no RSA keys: take Es256, or the feature aws-lc-rs";
        Err(problem(algorithm, reason))
    }

    pub(super) fn new_rsa(_: A) -> Option<Secret<Vec<u8>>> {
        None
    }
}

/// No back end: it could not read what is made here either.
#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
mod backend {
    use super::{ConfigProblem, JwtAlgorithm, Secret, check_back_end, problem};

    pub(super) fn check_makes_rsa(algorithm: JwtAlgorithm) -> Result<(), ConfigProblem> {
        check_back_end().map_err(|reason| problem(algorithm, reason))
    }

    pub(super) fn new_rsa(_: JwtAlgorithm) -> Option<Secret<Vec<u8>>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::convert::Infallible;

    #[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
    #[test]
    fn a_new_pair_signs_what_its_public_half_verifies_and_no_two_are_alike() {
        use crate::key_set::SigningKey;
        use JwtAlgorithm as A;
        // A longer RSA key would take a test too long.
        let algorithms = [A::Es256, A::Es384, A::EdDsa, A::Rs256, A::Ps256];
        for algorithm in algorithms {
            if check_makes_pairs(algorithm).is_err() {
                let name = algorithm.name();
                assert!(
                    cfg!(not(feature = "aws-lc-rs")) && !name.starts_with('E'),
                    "{name}"
                );
                continue;
            }
            let ids = [(); 2].map(|()| {
                let document = new_pair(algorithm).unwrap();
                // Building signs once, and verifies.
                let signer = SigningKey::pkcs8_der(algorithm, document.expose()).build();
                let signer = signer.unwrap_or_else(|problem| panic!("{algorithm:?}: {problem}"));
                signer.id().expect("a thumbprint").to_owned()
            });
            assert_ne!(ids[0], ids[1], "{algorithm:?}");
        }
        for algorithm in [A::Hs256, A::Hs384, A::Hs512] {
            assert!(check_makes_pairs(algorithm).is_err(), "{algorithm:?}");
        }
    }

    #[test]
    fn a_number_that_is_no_key_of_the_curve_is_drawn_anew() {
        let one_less = {
            let mut order = ORDER_OF_P256;
            order[31] -= 1;
            order
        };
        for (name, no_key) in [
            ("zero", [0; 32]),
            ("the order", ORDER_OF_P256),
            ("the largest", [0xff; 32]),
        ] {
            let draws = Cell::new(0);
            let draw = |bytes: &mut [u8]| {
                draws.set(draws.get() + 1);
                bytes.copy_from_slice(if draws.get() == 1 { &no_key } else { &one_less });
                Ok::<(), Infallible>(())
            };
            let Ok(number) = below(&ORDER_OF_P256, draw);
            assert_eq!((*number, draws.get()), (one_less, 2), "{name}");
        }
    }
}
