//! The source of randomness. Nothing else asks the system for it.

#![cfg_attr(
    not(all(feature = "jwt", feature = "api-key", feature = "basic")),
    allow(dead_code, unused_imports, reason = "each scheme needs a part of it")
)]

use crate::chain::write_chain;
use crate::secret::Secret;
use std::fmt;
use zeroize::Zeroizing;

/// The system's source of randomness failed: nothing secret can be made.
///
/// Whoever returns it from `main` reads why; a handler that hands it on answers 503.
///
/// ```
/// use tower_auth::{RandomError, Rejection, random_secret};
///
/// // A nonce that can be guessed is worth nothing: without randomness there is no answer.
/// fn nonce() -> Result<String, Rejection> {
///     Ok(random_secret()?.expose().clone())
/// }
///
/// fn main() -> Result<(), RandomError> {
///     assert_ne!(random_secret()?.expose(), random_secret()?.expose());
///     assert!(nonce().is_ok());
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy, thiserror::Error)]
#[error("the system's source of randomness failed")]
pub struct RandomError(#[source] getrandom::Error);

/// As `Display`, with its source: it is what a `main` prints that returns it.
impl fmt::Debug for RandomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_chain(self, f)
    }
}

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 22 characters of base62 are 130 random bits.
const ID: usize = 22;
const SECRET: usize = 43;

pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), RandomError> {
    getrandom::fill(bytes).map_err(RandomError)
}

/// Adds so many characters of base62, all equally likely, that `random` supplies the bytes for.
pub(crate) fn push_base62<E>(
    text: &mut String,
    count: usize,
    mut random: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<(), E> {
    let length = text.len() + count;
    let mut bytes = Zeroizing::new([0; 64]);
    while text.len() < length {
        random(&mut *bytes)?;
        // 248 is 4 × 62. With the bytes above it the first characters of the alphabet would be
        // likelier than the rest.
        let fair = bytes
            .iter()
            .filter(|b| **b < 248)
            .map(|b| char::from(ALPHABET[usize::from(b % 62)]));
        let missing = length - text.len();
        text.extend(fair.take(missing));
    }
    Ok(())
}

/// The digits of a number in base62, most significant first, as many as there are places.
#[cfg(feature = "api-key")]
pub(crate) fn base62<const N: usize>(mut rest: u32) -> [u8; N] {
    let mut digits = [0; N];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

/// The number that up to six digits are; one greater than any `u32` where there is another
/// character among them.
#[cfg(feature = "api-key")]
pub(crate) fn read_base62<const N: usize>(digits: [u8; N]) -> u64 {
    const VALUES: [u64; 256] = {
        let mut values = [1 << 32; 256];
        let mut digit = 0;
        while digit < ALPHABET.len() {
            values[ALPHABET[digit] as usize] = digit as u64;
            digit += 1;
        }
        values
    };
    digits.iter().fold(0, |number: u64, digit| {
        number
            .wrapping_mul(62)
            .wrapping_add(VALUES[usize::from(*digit)])
    })
}

/// A secret to sign with, for a process that is given none: 43 characters of base62, which are 256
/// random bits.
///
/// What is signed with it is good for as long as the process lives, and at this node alone:
///
/// ```
/// use tower_auth::store::Memory;
/// use tower_auth::{Grant, Realm, Secret, Subject, TokenIssuer, Tokens, random_secret};
///
/// fn started_with(secret: &Secret<String>) -> TokenIssuer {
///     let tokens = Tokens::hs256(secret.expose()).issuer("https://api.example.com");
///     Realm::new(Memory::new()).tokens(tokens)
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = random_secret()?;
/// let pair = started_with(&secret).issue(Grant::new(Subject::user("7"))).await?;
///
/// let again = started_with(&secret); // as from an environment
/// assert!(again.verify(pair.access().expose()).await.is_ok());
/// let other = started_with(&random_secret()?);
/// assert!(other.verify(pair.access().expose()).await.is_err());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`RandomError`] where the system's source of randomness fails.
pub fn random_secret() -> Result<Secret<String>, RandomError> {
    // The whole length at once: a string that grows leaves copies of the secret behind.
    let mut secret = String::with_capacity(SECRET);
    push_base62(&mut secret, SECRET, fill)?;
    Ok(Secret::new(secret))
}

/// An id that nobody guesses: 22 characters of base62.
pub(crate) fn id() -> Result<String, RandomError> {
    let mut id = String::with_capacity(ID);
    push_base62(&mut id, ID, fill)?;
    Ok(id)
}

/// A random UUID (RFC 9562 §5.4).
pub(crate) fn uuid() -> Result<String, RandomError> {
    let mut bytes = [0; 16];
    fill(&mut bytes)?;
    Ok(uuid_of(bytes))
}

fn uuid_of(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40; // version 4
    bytes[8] = bytes[8] & 0x3f | 0x80; // variant
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_equally_likely() {
        // A source that gives each byte equally often: all 256 in turn.
        let mut next = 0_u8;
        let mut source = |bytes: &mut [u8]| {
            for byte in bytes {
                *byte = next;
                next = next.wrapping_add(1);
            }
            Ok::<(), std::convert::Infallible>(())
        };
        let mut text = String::new();
        push_base62(&mut text, 62 * 400, &mut source).unwrap();
        for character in ALPHABET {
            let count = text.bytes().filter(|byte| byte == character).count();
            assert_eq!(count, 400, "{}", char::from(*character));
        }
    }

    #[cfg(feature = "api-key")]
    #[test]
    fn a_number_is_read_as_it_was_written() {
        for number in [
            0,
            1,
            61,
            62,
            916_132_831,
            916_132_832,
            u32::MAX - 1,
            u32::MAX,
        ] {
            assert_eq!(read_base62(base62::<6>(number)), u64::from(number));
        }
        for foreign in (0..=u8::MAX).filter(|b| !b.is_ascii_alphanumeric()) {
            for at in 0..6 {
                let mut digits = *b"000000";
                digits[at] = foreign;
                assert!(
                    read_base62(digits) > u64::from(u32::MAX),
                    "{foreign:#x} at {at}"
                );
            }
        }
    }

    #[test]
    fn ids_have_their_form_and_differ() {
        let (a, b) = (id().unwrap(), id().unwrap());
        assert_eq!((a.len(), b.len()), (22, 22));
        assert_ne!(a, b);
        assert_eq!(uuid_of([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid_of([0; 16]), "00000000-0000-4000-8000-000000000000");
    }
}
