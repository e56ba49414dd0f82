//! What is issued, rotated and revoked, without HTTP between.

mod confusion;
mod keys;
mod others;
mod refresh;
mod renewed;
