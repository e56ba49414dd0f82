use super::{Peek, StoreError, UserRecord};
use async_trait::async_trait;
use std::sync::Arc;

/// Finds users: all that Basic takes. (Tokens are given to users of a store that manages them.)
#[async_trait]
pub trait UserStore: Send + Sync + 'static {
    /// The user who signs in by that name, disabled ones included: the caller judges. Names are
    /// compared exactly.
    ///
    /// Somebody who types a name in another form than its one
    /// ([`name_form`](crate::store::name_form)) is looked for by what was typed and by the form.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot
    /// tell.
    async fn find_user(&self, name: &str) -> Result<Option<Arc<UserRecord>>, StoreError>;

    /// The user who signs in by that name as far as memory knows.
    fn peek_user(&self, name: &str) -> Peek<UserRecord> {
        let _ = name;
        Peek::Ask
    }
}
