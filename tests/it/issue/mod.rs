//! What is issued, rotated and revoked, without HTTP between.

mod confusion;
mod keys;
mod refresh;
mod renewed;
