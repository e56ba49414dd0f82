use std::hash::Hasher;

/// Takes a digest for its own hash: its first eight bytes. Only for tables of digests that nobody
/// can choose.
#[derive(Default)]
pub(crate) struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    // An array hashes its length before its bytes, and that is the same for all digests.
    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
