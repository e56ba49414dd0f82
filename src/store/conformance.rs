//! Promises of stores.
