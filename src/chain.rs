//! An error and its sources on one line: `the store is unavailable: no such table: keys`.

use std::error::Error;
use std::fmt::{self, Write};

/// How many sources are shown: a chain that is a circle ends as well.
const DEEPEST: usize = 16;

/// Writes an error and what it is because of.
pub(crate) fn write_chain(error: &(dyn Error + 'static), text: &mut impl Write) -> fmt::Result {
    write!(text, "{error}")?;
    let mut next = error.source();
    // The errors of an application may name each other as their sources, and then the chain has no
    // end.
    for _ in 1..DEEPEST {
        let Some(source) = next else { break };
        write!(text, ": {source}")?;
        next = source.source();
    }
    Ok(())
}
