use crate::principal::{Roles, Scopes, Subject, TokenIdentity};
use crate::reject::{Rejection, RejectionKind};
use crate::store::{FamilyRecord, Guard, ManagedUserStore, TokenStore, UserRecord};
use std::sync::Arc;
use std::time::SystemTime;

/// What the tokens of a user grant.
pub(crate) type RightsOf =
    Arc<dyn Fn(&UserRecord) -> Result<(Scopes, Roles), Rejection> + Send + Sync>;

/// The users who have tokens of djangorestframework-simplejwt. Such a token says who it is and
/// nothing else, so what it grants stands with its user, and is read whenever it is presented.
#[derive(Clone)]
pub(crate) struct SimpleJwtUsers {
    tokens: Arc<dyn TokenStore>,
    users: Arc<dyn ManagedUserStore>,
    guard: Guard,
    rights: RightsOf,
}

impl SimpleJwtUsers {
    pub(crate) fn new(
        tokens: Arc<dyn TokenStore>,
        users: Arc<dyn ManagedUserStore>,
        guard: Guard,
        rights: RightsOf,
    ) -> Self {
        Self {
            tokens,
            users,
            guard,
            rights,
        }
    }

    /// The user of a genuine token, while tokens of simplejwt are let in for them: who was not moved
    /// in, was disabled, or whose sessions were ended since has none.
    pub(crate) async fn admitted(
        &self,
        subject: &Subject,
        now: SystemTime,
    ) -> Result<Arc<UserRecord>, Rejection> {
        let id = FamilyRecord::simplejwt_id_of(subject.id());
        let found = self.guard.call(self.tokens.find_family(&id)).await?;
        let is_let_in = found.is_some_and(|family| {
            family.subject == *subject && family.revoked.is_none() && now < family.ends
        });
        if !is_let_in {
            return Err(not_let_in());
        }
        let found = self.guard.call(self.users.find_user_by_id(subject)).await?;
        found.filter(|user| user.is_active()).ok_or_else(not_let_in)
    }

    /// The same identity with what its user has now.
    pub(super) fn with_rights(
        &self,
        identity: &TokenIdentity,
        user: &UserRecord,
    ) -> Result<Arc<TokenIdentity>, Rejection> {
        let (scopes, roles) = (self.rights)(user)?;
        Ok(Arc::new(TokenIdentity {
            scopes,
            roles,
            ..identity.clone()
        }))
    }
}

fn not_let_in() -> Rejection {
    Rejection::new(RejectionKind::RevokedToken, "simplejwt")
}

/// The claims of a token with its family, as ours have them. Their text is an object with members,
/// and none of these is `sid`.
pub(super) fn with_family(claims: &str, family: &str) -> String {
    let members = claims.trim_start().trim_start_matches('{');
    let family = serde_json::Value::from(family);
    format!("{{\"sid\":{family},{members}")
}
