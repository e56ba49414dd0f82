use crate::random::RandomError;
use crate::reject::{FieldError, Rejection};

/// The longest name of a key or a private token, in characters.
pub(crate) const LONGEST_NAME: usize = 200;

/// A name that can stand in a list.
pub(super) fn checked_name(name: &str) -> Result<(), FieldError> {
    if name.trim().is_empty() {
        return Err(FieldError::new(
            "name",
            "blank",
            "This field may not be blank.",
        ));
    }
    if name.chars().any(char::is_control) {
        return Err(FieldError::invalid(
            "name",
            "A name has no control characters.",
        ));
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(FieldError::new(
            "name",
            "max_length",
            "A name has at most 200 characters.",
        ));
    }
    Ok(())
}

impl From<RandomError> for Rejection {
    fn from(error: RandomError) -> Self {
        Self::unavailable("no randomness", error)
    }
}
