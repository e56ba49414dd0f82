//! What the provided methods of stores have in common: they read, and replace what is still as it
//! was read, until nobody came between.

use super::{StoreError, StoreErrorKind};

/// How often a provided method reads anew because somebody else was quicker. Each time somebody has
/// got on, so that only a store that contradicts itself needs so many.
pub(super) const TRIES: usize = 100;

pub(super) fn missing() -> StoreError {
    StoreError::new(StoreErrorKind::Missing)
}

pub(super) fn contended() -> StoreError {
    StoreError::unavailable("the record was another one each time that it was read")
}

/// Whether a record was replaced; where it was changed meanwhile it is to be read anew.
pub(super) fn is_replaced(replaced: Result<(), StoreError>) -> Result<bool, StoreError> {
    match replaced {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == StoreErrorKind::Missing => Ok(false),
        Err(error) => Err(error),
    }
}
