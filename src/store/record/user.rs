use super::{Account, TakenRights, UserChange, UserState};
use crate::principal::{Role, Roles, Scope, Scopes, Subject};
use crate::rate::Rate;
use crate::secret::Secret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use subtle::ConstantTimeEq;

/// A user, as far as authentication needs one.
///
/// Two records are equal when all that a store keeps is equal; [`app`](Self::app) is not kept.
#[derive(Clone)]
#[non_exhaustive]
pub struct UserRecord {
    /// The stable id.
    pub id: Subject,
    /// The names to sign in by: a user name, an email address beside it.
    pub names: Vec<Box<str>>,
    /// The password's hash as a PHC string, `$argon2id$v=19$m=…,t=…,p=…$salt$hash`; with feature
    /// `django-hashes` also as Django wrote it. `None` is a user without a password.
    pub password_hash: Option<Secret<String>>,
    /// Whether the user may sign in.
    pub state: UserState,
    /// The scopes granted to the user.
    pub scopes: Scopes,
    /// The user's roles.
    pub roles: Roles,
    /// The rights that were taken from the user and not given back. What
    /// [`changed`](Self::changed) takes away is noted here.
    pub taken: TakenRights,
    /// A rate of the user's own, for a throttle that reads it from records.
    pub rate: Option<Rate>,
    /// What else the application knows of the user, as JSON text: a given name, a company's id.
    pub profile: Option<Box<str>>,
    /// When the user was made; 1970 unless it is said.
    pub created: SystemTime,
    /// The application's own user, kept in memory only, for
    /// [`Principal::user`](crate::Principal::user).
    pub app: Option<Arc<dyn Any + Send + Sync>>,
}

impl UserRecord {
    /// An active user without a password, who signs in by `name`.
    #[must_use]
    pub fn new(id: Subject, name: impl Into<String>) -> Self {
        let mut user = Self::nameless(id, UserState::Active, UNIX_EPOCH);
        user.names.push(name.into().into_boxed_str());
        user
    }

    /// The name that a user is called by: the first one, or nothing where there is none.
    #[cfg(feature = "basic")]
    pub(crate) fn first_name(&self) -> &str {
        match self.names.first() {
            Some(name) => name,
            None => "",
        }
    }

    fn nameless(id: Subject, state: UserState, created: SystemTime) -> Self {
        Self {
            id,
            names: Vec::new(),
            password_hash: None,
            state,
            scopes: Scopes::default(),
            roles: Roles::default(),
            taken: TakenRights::default(),
            rate: None,
            profile: None,
            created,
            app: None,
        }
    }

    /// A further name to sign in by (an email address beside a user name).
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into().into_boxed_str());
        self
    }

    /// The password's hash.
    #[must_use]
    pub fn password_hash(mut self, hash: impl Into<String>) -> Self {
        self.password_hash = Some(Secret::new(hash.into()));
        self
    }

    /// A disabled user is refused as if there were none.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.state = UserState::Disabled;
        self
    }

    /// Grants a scope.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<Scope>) -> Self {
        self.scopes.insert(&scope.into());
        self
    }

    /// Gives a role.
    #[must_use]
    pub fn role(mut self, role: impl Into<Role>) -> Self {
        self.roles.insert(role.into());
        self
    }

    /// A rate of the user's own.
    #[must_use]
    pub fn rate(mut self, rate: Rate) -> Self {
        self.rate = Some(rate);
        self
    }

    /// When the user was made.
    #[must_use]
    pub fn created(mut self, at: SystemTime) -> Self {
        self.created = at;
        self
    }

    /// Attaches what else the application knows of the user, kept as JSON.
    ///
    /// # Errors
    ///
    /// The value cannot be written as JSON.
    pub fn with_profile(mut self, profile: &impl Serialize) -> Result<Self, serde_json::Error> {
        self.profile = Some(serde_json::to_string(profile)?.into_boxed_str());
        Ok(self)
    }

    /// Attaches the application's own user, kept in memory only.
    #[must_use]
    pub fn with_app<T: Any + Send + Sync>(mut self, user: T) -> Self {
        self.app = Some(Arc::new(user));
        self
    }

    /// The same record after a change.
    #[must_use]
    pub fn changed(mut self, change: UserChange) -> Self {
        if let Some(names) = change.names {
            self.names = names.into_iter().map(String::into_boxed_str).collect();
        }
        if let Some(profile) = change.profile {
            self.profile = Some(profile.into_boxed_str());
        }
        match change.active {
            Some(true) => self.state = UserState::Active,
            Some(false) => self.state = UserState::Disabled,
            None => {}
        }
        let scopes = change.scopes.unwrap_or_else(|| self.scopes.clone());
        let roles = change.roles.unwrap_or_else(|| self.roles.clone());
        self.taken = self
            .taken
            .after((&self.scopes, &self.roles), (&scopes, &roles));
        self.scopes = scopes;
        self.roles = roles;
        self
    }

    /// The same record, where what `former` had and it has not is noted as taken; of a user who was
    /// removed nothing is.
    #[must_use]
    pub(crate) fn replacing(mut self, former: &Self) -> Self {
        // Every credential of a removed user is refused: which rights it would lose is nothing that
        // anybody asks for, and the record of what the user was.
        if self.is_removed() {
            self.taken = TakenRights::default();
            return self;
        }
        let had = (&former.scopes, &former.roles);
        // Whoever made this record may have changed its rights without `changed`, which notes what
        // is taken.
        self.taken = self.taken.after(had, (&self.scopes, &self.roles));
        self
    }

    /// What the user's credentials are judged by.
    #[must_use]
    pub fn account(&self) -> Account {
        if !self.is_active() {
            return Account::Closed;
        }
        let nothing = (&Scopes::default(), &Roles::default());
        let taken = self.taken.clone();
        // Where rights were given back by hand, past `changed`, they are among the taken ones
        // still. What the user has now counts.
        let taken = taken.after(nothing, (&self.scopes, &self.roles));
        if taken.is_empty() {
            Account::Whole
        } else {
            Account::Reduced(Arc::new(taken))
        }
    }

    /// What is left of a user who was removed: id and time, with no name, password or right.
    #[must_use]
    pub fn removed(self) -> Self {
        Self::nameless(self.id, UserState::Removed, self.created)
    }

    /// Whether the user may sign in.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state == UserState::Active
    }

    /// Whether the user was removed.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.state == UserState::Removed
    }

    /// Whether the stored hash is this one, in a time that does not depend on where they differ.
    #[must_use]
    pub fn has_password_hash(&self, hash: Option<&Secret<String>>) -> bool {
        match (&self.password_hash, hash) {
            (Some(one), Some(two)) => {
                let two = two.expose().as_bytes();
                one.expose().as_bytes().ct_eq(two).into()
            }
            (None, None) => true,
            _ => false,
        }
    }

    /// What else the application knows of the user, read into a type; `None` where there is nothing
    /// of that form.
    #[must_use]
    pub fn profile<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.profile.as_deref()?).ok()
    }

    /// The application's own user, where it is of that type.
    #[must_use]
    pub fn app<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.app.as_deref()?.downcast_ref()
    }

    /// About how many bytes it takes.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn footprint(&self) -> usize {
        let hash = self.password_hash.as_ref().map(|hash| &**hash.expose());
        let options = [hash, self.profile.as_deref()];
        let texts = [self.id.kind(), self.id.id()];
        let grants = self.scopes.iter().chain(self.roles.iter());
        let bytes = texts
            .into_iter()
            .chain(options.into_iter().flatten())
            .chain(self.names.iter().map(|name| &**name))
            .chain(grants)
            .map(str::len);
        size_of::<Self>() + self.names.len() * size_of::<Box<str>>() + bytes.sum::<usize>()
    }
}

impl PartialEq for UserRecord {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
            && self.names == other.names
            && self.has_password_hash(other.password_hash.as_ref())
            && self.state == other.state
            && self.scopes == other.scopes
            && self.roles == other.roles
            && self.taken == other.taken
            && self.rate == other.rate
            && self.profile == other.profile
            && self.created == other.created
    }
}

impl Eq for UserRecord {}

impl fmt::Debug for UserRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRecord")
            .field("id", &self.id)
            .field("state", &self.state)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_of_the_rights_of_a_removed_user() {
        let former = UserRecord::new(Subject::user("7"), "anna")
            .scope("a")
            .role("x");
        let mut reduced = former.clone();
        reduced.scopes = Scopes::default();
        let reduced = reduced.replacing(&former);
        assert!(reduced.taken.scopes.contains("a"));
        for before in [former, reduced] {
            let left = before.clone().removed();
            assert_eq!(left.clone().replacing(&before), left);
            assert!(left.taken.is_empty());
        }
    }
}
