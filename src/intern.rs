//! Texts that live as long as the process, equal ones once.
//!
//! What each request hands on (a header value, the issuer of a token) is one of a few texts of the
//! configuration. As a reference it is copied for nothing; as an `Arc` it would have a counter that
//! every thread writes.

use bytes::Bytes;
use http::HeaderValue;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Bytes that live as long as the process, equal ones once. Only for what a configuration says, of
/// which there is little.
pub(crate) fn bytes(bytes: &[u8]) -> &'static [u8] {
    // A panic cannot leave half a change here, so a poisoned lock is as good as any other.
    static KNOWN: Mutex<BTreeSet<&'static [u8]>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = known.get(bytes) {
        return kept;
    }
    let kept: &'static [u8] = Box::leak(bytes.into());
    known.insert(kept);
    kept
}

/// The same of a header value. Where these bytes cannot stand in a header it is empty.
pub(crate) fn header_value(text: &[u8]) -> &'static HeaderValue {
    // A panic leaves no half of a change here either.
    static KNOWN: Mutex<BTreeMap<&'static [u8], &'static HeaderValue>> =
        Mutex::new(BTreeMap::new());
    // Before the lock: `bytes` takes one of its own.
    let text = bytes(text);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(text).or_insert_with(|| {
        let value = HeaderValue::from_maybe_shared(Bytes::from_static(text));
        Box::leak(Box::new(value.unwrap_or(HeaderValue::from_static(""))))
    })
}

/// The same of a text.
#[cfg(feature = "jwt")]
pub(crate) fn text(text: &str) -> &'static str {
    // OK because these bytes are those of a `str`.
    std::str::from_utf8(bytes(text.as_bytes())).unwrap_or_default()
}
