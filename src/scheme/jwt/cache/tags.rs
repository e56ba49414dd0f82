use std::sync::atomic::{AtomicU64, Ordering};

/// How many tags there are room for.
pub(super) const WAYS: usize = 16;
/// In one word.
const LANES: usize = 4;
const LOWEST: u64 = 0x0001_0001_0001_0001;
const HIGHEST: u64 = LOWEST << 15;

/// Sixteen tags of 16 bits, four of which are compared at once. 0 stands for none.
///
/// They are read without a lock: what is found by one is looked at again by whoever found it.
#[derive(Default)]
pub(super) struct Tags([AtomicU64; WAYS / LANES]);

impl Tags {
    /// Where this tag is. Behind a place that has it, one may be given that has another.
    #[inline]
    pub(super) fn find(&self, tag: u16) -> impl Iterator<Item = usize> {
        let pattern = LOWEST.wrapping_mul(u64::from(tag));
        self.0.iter().enumerate().flat_map(move |(word, tags)| {
            let differs = tags.load(Ordering::Relaxed) ^ pattern;
            // The highest bit of each lane that is 0.
            let mut found = differs.wrapping_sub(LOWEST) & !differs & HIGHEST;
            std::iter::from_fn(move || {
                let lane = (found != 0).then(|| found.trailing_zeros() as usize / 16)?;
                found &= found - 1;
                Some(word * LANES + lane)
            })
        })
    }

    /// Of two that write at once into the same word, one may write in vain.
    pub(super) fn set(&self, way: usize, tag: u16) {
        let word = &self.0[way / LANES];
        let shift = way % LANES * 16;
        let others = word.load(Ordering::Relaxed) & !(0xffff << shift);
        word.store(others | u64::from(tag) << shift, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_wherever_it_is_and_no_other_one_before_it() {
        for way in 0..WAYS {
            let tags = Tags::default();
            assert_eq!(tags.find(0).next(), Some(0));
            for tag in [1, 0x7fff, 0x8000, 0xffff] {
                tags.set(way, tag);
                assert_eq!(tags.find(tag).next(), Some(way), "{tag} at {way}");
                for other in [tag ^ 1, tag ^ 0x8000, tag.wrapping_add(1), !tag] {
                    let found = tags.find(other).find(|_| other != 0);
                    assert_eq!(found, None, "{other} for {tag} at {way}");
                }
            }
        }
    }

    #[test]
    fn each_of_several_places_is_found() {
        let tags = Tags::default();
        for way in [1, 2, 7, 15] {
            tags.set(way, 4_711);
        }
        let found: Vec<usize> = tags.find(4_711).collect();
        assert_eq!(found, [1, 2, 7, 15]);
    }
}
