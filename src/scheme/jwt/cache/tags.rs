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
    /// Where this tag is, in no order. Beside a place that has it, one may be given that has not.
    #[inline]
    pub(super) fn find(&self, tag: u16) -> impl Iterator<Item = usize> {
        let pattern = LOWEST.wrapping_mul(u64::from(tag));
        // Each word leaves its marks in other bits: bit 15 - `word` of a lane says that this lane
        // of this word has the tag.
        let mut found = 0;
        for (word, tags) in self.0.iter().enumerate() {
            // A lane that has the tag is 0 now, and the subtraction borrows through it to its
            // highest bit. The borrow may reach the next lane too, which is then given although it
            // has another tag.
            let differs = tags.load(Ordering::Relaxed) ^ pattern;
            found |= (differs.wrapping_sub(LOWEST) & !differs & HIGHEST) >> word;
        }
        std::iter::from_fn(move || {
            let bit = (found != 0).then(|| found.trailing_zeros() as usize)?;
            found &= found - 1;
            Some((15 - bit % 16) * LANES + bit / 16)
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
    fn a_tag_is_found_wherever_it_is_and_another_one_is_not() {
        for way in 0..WAYS {
            let tags = Tags::default();
            assert_eq!(tags.find(0).count(), WAYS);
            for tag in [1, 0x7fff, 0x8000, 0xffff] {
                tags.set(way, tag);
                assert_eq!(tags.find(tag).next(), Some(way), "{tag} at {way}");
                for other in [tag ^ 1, tag ^ 0x8000, tag.wrapping_add(1), !tag] {
                    let found = tags.find(other).next();
                    assert!(found.is_none() || other == 0, "{other} for {tag} at {way}");
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
        let mut found: Vec<usize> = tags.find(4_711).collect();
        found.sort_unstable();
        assert_eq!(found, [1, 2, 7, 15]);
    }
}
