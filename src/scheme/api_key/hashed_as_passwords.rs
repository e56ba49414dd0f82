#[cfg(feature = "django-hashes")]
use crate::password::{Check, Passwords};
use crate::reject::Rejection;
use crate::secret::Secret;
use crate::store::KeyRecord;
use crate::turns::Source;

/// Verifies keys that Django hashed as passwords. Without the feature `django-hashes` there are
/// none.
#[derive(Clone)]
pub(crate) struct HashedAsPasswords {
    #[cfg(feature = "django-hashes")]
    passwords: Passwords,
}

impl HashedAsPasswords {
    #[cfg(feature = "django-hashes")]
    pub(crate) fn new(passwords: Passwords) -> Self {
        Self { passwords }
    }

    /// Whether a key is that of a record which was found by the key's prefix.
    #[cfg(feature = "django-hashes")]
    pub(super) async fn fits(
        &self,
        key: &Secret<String>,
        record: &KeyRecord,
        source: Source,
    ) -> Result<bool, Rejection> {
        let hash = record.digest.password_hash().map(str::to_owned);
        let (hash, key) = (hash.map(Secret::new), key.clone());
        // Queued with passwords, by where it comes from: such a hash is as slow as theirs, and who
        // asks for many waits behind others.
        let check = self.passwords.verify(source, hash, key).await?;
        Ok(check != Check::Wrong)
    }

    #[cfg(not(feature = "django-hashes"))]
    pub(super) async fn fits(
        &self,
        _: &Secret<String>,
        _: &KeyRecord,
        _: Source,
    ) -> Result<bool, Rejection> {
        Ok(false)
    }
}
