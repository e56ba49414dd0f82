/// What is wrong with every public and private key in a build without a cryptographic back end, and
/// with whatever could work with such keys alone.
pub(super) const NEEDS_BACK_END: &str = "it needs the feature aws-lc-rs or rust-crypto";

/// Whether there are public and private keys at all. Secrets need no back end.
pub(crate) fn check_back_end() -> Result<(), &'static str> {
    if cfg!(any(feature = "aws-lc-rs", feature = "rust-crypto")) {
        Ok(())
    } else {
        Err(NEEDS_BACK_END)
    }
}
