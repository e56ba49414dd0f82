//! SHA-256 (FIPS 180-4) of a few bytes, as an API key and the head of a signature are.

use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

/// With what is added to them, so many bytes are one block.
pub(crate) const ONE_BLOCK: usize = 55;

/// FIPS 180-4 §5.3.3.
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// What fits into one block goes there at once. The way through a buffer, which longer texts need,
/// is a tenth of the whole, in each request with a credential.
#[inline]
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    if bytes.len() > ONE_BLOCK {
        return Sha256::digest(bytes).into();
    }
    let mut block = [0; 64];
    block[..bytes.len()].copy_from_slice(bytes);
    block[bytes.len()] = 0x80;
    // The length in bits. 55 bytes are 440 of them, so the upper six of its eight bytes are 0.
    let bits = bytes.len() as u16 * 8;
    block[62..].copy_from_slice(&bits.to_be_bytes());
    let mut state = INITIAL;
    compress256(&mut state, &[block]);
    let mut digest = [0; 32];
    let (words, _) = digest.as_chunks_mut::<4>();
    for (word, number) in words.iter_mut().zip(state) {
        *word = number.to_be_bytes();
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_hashed_as_it_is_through_a_buffer() {
        let bytes: Vec<u8> = (0..200_u8).map(|n| n.wrapping_mul(7)).collect();
        for length in 0..=bytes.len() {
            let text = &bytes[..length];
            assert_eq!(sha256(text), *Sha256::digest(text), "{length}");
        }
    }
}
