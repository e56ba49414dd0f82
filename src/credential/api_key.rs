//! The anatomy of an API key.
//!
//! ```text
//! egret_7ZkRcP0b…Xw3a4Qh2fGmT9
//! └──┬─┘└──────┬──────┘└──┬─┘
//! prefix   43 random    CRC-32 of all that comes before, as 6 digits
//!          base62       base62 (0-9 A-Z a-z, most significant first)
//! ```
//!
//! 43 characters of base62 are 256 random bits. The checksum is no secret and proves nothing: it
//! refuses typos and garbage before the store is asked. That what it fits is base62 too is not
//! looked at: whoever makes such a text on purpose can make one that is. A bare key is the same
//! without `egret_`. A prefix ends in `_` or `-`, which belongs to it.

use crate::random::{base62, push_base62, read_base62};
use crate::secret::Secret;
use crc32fast::Hasher;
use std::sync::LazyLock;

const RANDOM: usize = 43;
const CHECKSUM: usize = 6;

/// Whether it has the right length and the checksum fits.
pub(crate) fn is_well_formed(key: &[u8], prefix: Option<&str>) -> bool {
    let start = prefix.map_or(0, str::len);
    if key.len() != start + RANDOM + CHECKSUM {
        return false;
    }
    let checked = key.split_last_chunk::<CHECKSUM>();
    checked.is_some_and(|(body, digits)| read_base62(*digits) == u64::from(checksum(body)))
}

/// CRC-32 (ISO-HDLC).
fn checksum(body: &[u8]) -> u32 {
    // `Hasher::new` asks the processor what it can do, each time. A copy does not.
    static EMPTY: LazyLock<Hasher> = LazyLock::new(Hasher::new);
    let mut hasher = EMPTY.clone();
    hasher.update(body);
    hasher.finalize()
}

/// Makes a key of 43 characters that `random` supplies the bytes for.
pub(crate) fn make<E>(
    prefix: Option<&str>,
    random: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<Secret<String>, E> {
    let prefix = prefix.unwrap_or_default();
    // The whole length at once: a string that grows leaves copies of the secret behind.
    let mut key = String::with_capacity(prefix.len() + RANDOM + CHECKSUM);
    key.push_str(prefix);
    push_base62(&mut key, RANDOM, random)?;
    let checksum: [u8; CHECKSUM] = base62(self::checksum(key.as_bytes()));
    key.extend(checksum.map(char::from));
    Ok(Secret::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(prefix: Option<&str>) -> String {
        let mut next = 0_u8;
        let random = |bytes: &mut [u8]| -> Result<(), ()> {
            bytes.fill_with(|| {
                next = next.wrapping_mul(5).wrapping_add(113);
                next
            });
            Ok(())
        };
        make(prefix, random).unwrap().expose().clone()
    }

    #[test]
    fn a_made_key_is_well_formed_and_nothing_else_of_its_length_is() {
        for prefix in [None, Some("egret_"), Some("sk-live-")] {
            let key = fixed(prefix);
            assert!(is_well_formed(key.as_bytes(), prefix), "{key}");
            let random = prefix.map_or(0, str::len);
            for at in random..key.len() {
                for other in 0..=127_u8 {
                    let mut changed = key.clone().into_bytes();
                    changed[at] = other;
                    let changed = String::from_utf8(changed).unwrap();
                    assert_eq!(
                        is_well_formed(changed.as_bytes(), prefix),
                        changed == key,
                        "{changed}"
                    );
                }
            }
            for wrong in [
                &key[1..],
                &key[..key.len() - 1],
                &format!("{key}a"),
                &format!(" {key}"),
                "",
            ] {
                assert!(!is_well_formed(wrong.as_bytes(), prefix), "{wrong:?}");
            }
        }
    }

    #[test]
    fn a_source_of_randomness_that_fails_gives_no_key() {
        assert!(make(Some("egret_"), |_| Err("no entropy")).is_err());
    }
}
