//! Stores that hand every call to another one, from the one list of all calls.

/// All traits, for a type that gets at a store that has them: with `|self| asked!(self.0)` each
/// call is that of `self.0`. Another macro may stand for [`asked`], with the same arms.
macro_rules! forward_stores {
    ($($to:tt)*) => {
        const _: () = {
            use std::sync::Arc;
            use std::time::{Duration, SystemTime};
            use $crate::principal::Subject;
            use $crate::secret::Secret;
            use $crate::store::*;

            $crate::store::forward::forward! { KeyStore, $($to)*;
                fn peek_key(digest: &KeyDigest) -> Peek<KeyRecord>;
                tell fn forget_key(digest: &KeyDigest);
                async fn find_key(digest: &KeyDigest) -> Option<Arc<KeyRecord>>;
            }

            $crate::store::forward::forward! { ManagedKeyStore, $($to)*;
                async fn find_owned_key(owner: &Subject, id: &str) -> Option<Arc<KeyRecord>>;
                async fn insert_key(record: KeyRecord) -> ();
                async fn replace_key(
                    former: &KeyRecord, next: KeyRecord, successor: Option<KeyRecord>
                ) -> ();
                async fn list_keys(
                    owner: &Subject, after: Option<&KeyRecord>, most: usize
                ) -> Vec<Arc<KeyRecord>>;
                async fn rename_key(owner: &Subject, id: &str, name: &str) -> ();
                async fn rotate_key(
                    owner: &Subject, id: &str, successor: KeyRecord, until: SystemTime,
                    now: SystemTime
                ) -> ();
                async fn revoke_key(owner: &Subject, id: &str, at: SystemTime) -> ();
                async fn replace_key_digest(from: &KeyDigest, to: KeyDigest) -> ();
                async fn note_key_uses(uses: &[(KeyDigest, SystemTime)]) -> ();
                async fn next_key_number() -> u64;
                async fn find_key_by_id(id: &str) -> Option<Arc<KeyRecord>>;
                async fn list_all_keys(after: Option<&str>, most: usize) -> Vec<Arc<KeyRecord>>;
                async fn purge_keys(before: SystemTime, most: usize) -> usize;
            }

            $crate::store::forward::forward! { UserStore, $($to)*;
                fn peek_user(name: &str) -> Peek<UserRecord>;
                async fn find_user(name: &str) -> Option<Arc<UserRecord>>;
            }

            $crate::store::forward::forward! { ManagedUserStore, $($to)*;
                fn peek_account(id: &Subject) -> Account;
                async fn find_user_by_id(id: &Subject) -> Option<Arc<UserRecord>>;
                async fn insert_user(user: UserRecord) -> ();
                async fn replace_user(former: &UserRecord, next: UserRecord) -> ();
                async fn list_users(after: Option<&Subject>, most: usize) -> Vec<Arc<UserRecord>>;
                async fn account(id: &Subject) -> Account;
                async fn change_user(id: &Subject, change: UserChange) -> Arc<UserRecord>;
                async fn replace_password(
                    id: &Subject, from: Option<&Secret<String>>, to: Secret<String>
                ) -> ();
                async fn remove_user(id: &Subject) -> ();
            }

            $crate::store::forward::forward! { TokenStore, $($to)*;
                fn peek_revoked(token: TokenIds<'_>, now: SystemTime) -> Known;
                async fn is_revoked(token: TokenIds<'_>, now: SystemTime) -> bool;
                async fn revoke_token(id: &str, until: SystemTime, now: SystemTime) -> ();
                async fn insert_family(family: FamilyRecord) -> ();
                async fn find_family(id: &str) -> Option<Arc<FamilyRecord>>;
                async fn replace_family(
                    former: &FamilyRecord, next: FamilyRecord, denied_until: Option<SystemTime>
                ) -> ();
                async fn list_families(
                    subject: &Subject, after: Option<&FamilyRecord>, most: usize
                ) -> Vec<Arc<FamilyRecord>>;
                async fn rotate_family(rotation: Rotation<'_>, now: SystemTime) -> Rotated;
                async fn revoke_family(
                    id: &str, access_until: SystemTime, now: SystemTime
                ) -> ();
                async fn revoke_families(
                    subject: &Subject, access_until: SystemTime, now: SystemTime
                ) -> ();
                async fn purge_tokens(before: SystemTime, most: usize) -> usize;
            }

            $crate::store::forward::forward! { PrivateTokenStore, $($to)*;
                async fn find_private_token(id: &str) -> Option<Arc<TokenRecord>>;
                async fn insert_private_token(token: TokenRecord) -> ();
                async fn replace_private_token(
                    former: &TokenRecord, next: TokenRecord, denied_until: Option<SystemTime>
                ) -> ();
                async fn list_private_tokens(
                    owner: &Subject, after: Option<&TokenRecord>, most: usize
                ) -> Vec<Arc<TokenRecord>>;
                async fn revoke_private_token(owner: &Subject, id: &str, at: SystemTime) -> ();
                async fn revoke_subject(
                    subject: &Subject, access_until: SystemTime, now: SystemTime
                ) -> ();
                async fn note_token_uses(uses: &[(String, SystemTime)]) -> ();
                async fn purge_private_tokens(before: SystemTime, most: usize) -> usize;
            }

            $crate::store::forward::forward! { SigningKeyStore, $($to)*;
                async fn list_signing_keys(issuer: &str) -> Vec<Arc<SigningKeyRecord>>;
                async fn insert_signing_key(key: SigningKeyRecord) -> ();
                async fn replace_signing_key(
                    former: &SigningKeyRecord, next: SigningKeyRecord
                ) -> ();
                async fn forget_signing_keys(issuer: &str, at: SystemTime) -> usize;
            }

            $crate::store::forward::forward! { AuditStore, $($to)*;
                async fn insert_audit(records: &[AuditRecord]) -> ();
                async fn list_audit(after: Option<u64>, most: usize) -> Vec<AuditRecord>;
                async fn purge_audit(before: SystemTime, most: usize) -> usize;
            }

            $crate::store::forward::forward! { AllStores, $($to)*;
                read fn lag() -> Option<Duration>;
                async fn commit(warrant: Option<&Warrant>, writes: Vec<Write>) -> ();
            }
        };
    };
}

/// One trait. What is asynchronous may fail.
macro_rules! forward {
    (
        $trait:ident,
        impl$(<$param:ident$(: ?$sized:ident)?>)? for $type:ty, |$this:ident| $asked:ident!($store:expr);
        $(fn $peek:ident($($key:ident: $key_type:ty),*) -> $answer:ty;)*
        $(tell fn $told:ident($($fact:ident: $fact_type:ty),*);)*
        $(read fn $read:ident() -> $value:ty;)*
        $(async fn $call:ident($($arg:ident: $arg_type:ty),*) -> $done:ty;)*
    ) => {
        // What is not in the list would be answered by the trait's default.
        #[deny(clippy::missing_trait_methods)]
        #[async_trait::async_trait]
        impl$(<$param: $trait$( + ?$sized)?>)? $trait for $type {
            $(fn $peek(&$this, $($key: $key_type),*) -> $answer {
                $asked!(peek $store, $peek($($key),*), <$answer>::Ask)
            })*

            $(fn $told(&$this, $($fact: $fact_type),*) {
                $asked!(tell $store, $told($($fact),*));
            })*

            $(fn $read(&$this) -> $value {
                $asked!(read $store, $read())
            })*

            $(async fn $call(&$this, $($arg: $arg_type),*) -> Result<$done, StoreError> {
                $asked!(call $store, $call($($arg),*))
            })*
        }
    };
}

/// A call of the other store. A synchronous one comes with the answer of a store that cannot tell.
macro_rules! asked {
    (peek $store:expr, $call:ident($($arg:ident),*), $none:expr) => { $store.$call($($arg),*) };
    (tell $store:expr, $call:ident($($arg:ident),*)) => { $store.$call($($arg),*) };
    (read $store:expr, $call:ident()) => { $store.$call() };
    (call $store:expr, $call:ident($($arg:ident),*)) => { $store.$call($($arg),*).await };
}

forward_stores!(impl<T: ?Sized> for Arc<T>, |self| asked!(**self));

pub(crate) use {asked, forward, forward_stores};
