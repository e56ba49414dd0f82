use super::{ManagedKeyStore, ManagedUserStore, PrivateTokenStore};

/// A store that has every role, such as [`Memory`](super::Memory).
///
/// Whatever keeps keys, users and tokens is one.
pub trait AllStores: ManagedKeyStore + ManagedUserStore + PrivateTokenStore {}

impl<S: ManagedKeyStore + ManagedUserStore + PrivateTokenStore + ?Sized> AllStores for S {}
