//! Tokens that are bound to whoever sends them, so that one that was stolen is worth nothing: by a
//! proof of a key (DPoP, RFC 9449), or by the certificate of the TLS connection (RFC 8705).
//!
//! ```text
//! Confirmation (cnf) ─ Senders: accepted, and proved? ─┬─ jkt ────── Proofs ─┬─ SeenProofs: not twice
//!                                                      │                     └─ Nonces: by choice
//!                                                      └─ x5t#S256 ─ the ClientCertificate
//! ```

mod dpop;
mod nonces;
mod presentation;
mod proof_claims;
mod proof_header;
mod proofs;
mod seen_proofs;
mod senders;
#[cfg(test)]
mod tests;

pub use dpop::Dpop;
pub(super) use presentation::Presentation;
pub(super) use senders::Senders;
