//! Key pairs of our own that are made, published, used and removed by a schedule, which nodes keep
//! together through their store.
//!
//! ```text
//! KeyRotation ─ build ─ Schedule, Seal ─┐
//!                                       ├─ StoredKeys: a KeySource, which makes and removes keys
//! SigningKeyStore ──────────────────────┘      └─ HeldKeys: who signs now, who verifies, the JWKS
//! ```

mod held_keys;
mod key_rotation;
mod rotation_error;
mod schedule;
mod stored_keys;

pub use key_rotation::KeyRotation;

pub(super) use key_rotation::BuiltRotation;
pub(super) use stored_keys::StoredKeys;
