//! What the layer adds to a request.
//!
//! ```text
//! cargo bench --bench request                    # time, rows alternating: medians, allocations
//! cargo bench --bench request -- instr [WORD…]   # instructions (Linux, x86-64)
//! cargo bench --bench request -- gate [WORD…]    # of rows with a budget; 1 if one is missed
//! cargo bench --bench request -- threads [WORD…] # two threads over one; 1 if a budget is missed
//! cargo bench --bench request -- flood           # what two million bad tokens leave behind; 1 if anything
//! cargo bench --bench request -- list            # the rows
//! ```
//!
//! A row is one tower service in process; a word selects the rows whose names contain it. Every
//! figure is net of `bare`, the inner service alone. FLOOR rows do only what the job cannot do
//! without, by hand: what a layer costs beside them is what it costs for keeping its promises (a
//! second credential looked for, expiry, sensitive marks, challenges).
//!
//! | rows | question |
//! |---|---|
//! | API key | a known key of 1000 in memory, in either field |
//! | HS256, RS256, ES256, EdDSA | each request has a token that was never seen before |
//! | seen before | each request has the same token, which is remembered |
//! | issued access token | a token of ours: revocation and account are looked at |
//! | throttle alone | a gate that counts by the text of a key and has nobody to authenticate |
//! | refused | what it costs to say no: nothing presented, garbage, a forged token |
//! | optional, require, Basic | the other ways through the layer |
//! | axum | the same inside a router |
//!
//! Nanoseconds compare within one run only; instructions hold from run to run. `gate` takes some
//! ten minutes, most of them for public keys. What `threads` measures on a machine that has other
//! work stands in `support/threads.rs`: short rounds in pairs, those in which a thread lost its
//! core thrown away, medians over the bare service's figure of the same round.

#![expect(clippy::unwrap_used, reason = "a bench that cannot unwrap has failed")]

mod support {
    pub(crate) mod count;
    pub(crate) mod fixtures;
    pub(crate) mod flood;
    pub(crate) mod floor;
    pub(crate) mod harness;
    pub(crate) mod rows;
    pub(crate) mod threads;
    pub(crate) mod world;
}

fn main() {
    support::harness::main();
}
