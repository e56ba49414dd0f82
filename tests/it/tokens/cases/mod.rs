//! The cases, row by row. A row is a kind of attack, its cases differ in how it is done.

mod claims;
mod confusion;
mod encoding;
mod header;
mod signature;
mod time;

use super::table::Case;

pub(super) fn all() -> Vec<Case> {
    [
        claims::rows(),
        confusion::rows(),
        encoding::rows(),
        header::rows(),
        signature::rows(),
        time::rows(),
    ]
    .into_iter()
    .flatten()
    .flatten()
    .collect()
}

/// Those whose policies can be built.
pub(super) fn usable() -> Vec<Case> {
    let mut cases = all();
    cases.retain(|case| case.policy.is_usable());
    cases
}
