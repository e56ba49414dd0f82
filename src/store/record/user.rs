use crate::principal::{Role, Roles, Scope, Scopes, Subject};
use crate::secret::Secret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// A user, as far as authentication needs one.
#[derive(Clone)]
pub struct UserRecord {
    id: Subject,
    names: Vec<Box<str>>,
    password_hash: Option<Secret<String>>,
    active: bool,
    scopes: Scopes,
    roles: Roles,
    rate: Option<Box<str>>,
    profile: Option<Box<str>>,
    created: SystemTime,
    app: Option<Arc<dyn Any + Send + Sync>>,
}

impl UserRecord {
    /// An active user without a password, who signs in by `name`.
    #[must_use]
    pub fn new(id: Subject, name: impl Into<String>) -> Self {
        Self {
            id,
            names: vec![name.into().into_boxed_str()],
            password_hash: None,
            active: true,
            scopes: Scopes::default(),
            roles: Roles::default(),
            rate: None,
            profile: None,
            created: UNIX_EPOCH,
            app: None,
        }
    }

    /// A further name to sign in by (an email address beside a user name).
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into().into_boxed_str());
        self
    }

    /// The password's hash as a PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`; with feature `django-hashes` also as
    /// Django wrote it.
    #[must_use]
    pub fn password_hash(mut self, hash: impl Into<String>) -> Self {
        self.password_hash = Some(Secret::new(hash.into()));
        self
    }

    /// A disabled user is refused as if there were none.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.active = false;
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

    /// Grants these scopes and no others.
    #[must_use]
    pub fn with_scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// Gives these roles and no others.
    #[must_use]
    pub fn with_roles(mut self, roles: Roles) -> Self {
        self.roles = roles;
        self
    }

    /// A rate of the user's own, such as `2000/day`, for a throttle that reads it from records.
    #[must_use]
    pub fn rate(mut self, rate: impl Into<String>) -> Self {
        self.rate = Some(rate.into().into_boxed_str());
        self
    }

    /// When the user was made; 1970 unless it is said.
    #[must_use]
    pub fn created_at(mut self, at: SystemTime) -> Self {
        self.created = at;
        self
    }

    /// Attaches what else the application knows of the user, kept as JSON: a given name, a company's id.
    ///
    /// # Errors
    ///
    /// The value cannot be written as JSON.
    pub fn with_profile(mut self, profile: &impl Serialize) -> Result<Self, serde_json::Error> {
        self.profile = Some(serde_json::to_string(profile)?.into_boxed_str());
        Ok(self)
    }

    /// Attaches a profile that is JSON text already: for stores.
    #[must_use]
    pub fn with_profile_json(mut self, json: impl Into<String>) -> Self {
        self.profile = Some(json.into().into_boxed_str());
        self
    }

    /// The same record after a change: for stores.
    #[must_use]
    pub fn changed(mut self, change: UserChange) -> Self {
        if let Some(names) = change.names {
            self.names = names.into_iter().map(String::into_boxed_str).collect();
        }
        if let Some(profile) = change.profile {
            self.profile = Some(profile.into_boxed_str());
        }
        self.active = change.active.unwrap_or(self.active);
        self.scopes = change.scopes.unwrap_or(self.scopes);
        self.roles = change.roles.unwrap_or(self.roles);
        self
    }

    /// Attaches the application's own user, kept in memory only, for [`Principal::user`](crate::Principal::user).
    #[must_use]
    pub fn with_app<T: Any + Send + Sync>(mut self, user: T) -> Self {
        self.app = Some(Arc::new(user));
        self
    }

    /// The stable id.
    #[must_use]
    pub fn id(&self) -> &Subject {
        &self.id
    }

    /// The names to sign in by.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// The password's hash, where the user has a password.
    #[must_use]
    pub fn stored_hash(&self) -> Option<&Secret<String>> {
        self.password_hash.as_ref()
    }

    /// Whether the user may sign in.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// The scopes granted to the user.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// The user's roles.
    #[must_use]
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// The user's own rate, where there is one.
    #[must_use]
    pub fn own_rate(&self) -> Option<&str> {
        self.rate.as_deref()
    }

    /// When the user was made.
    #[must_use]
    pub fn created(&self) -> SystemTime {
        self.created
    }

    /// What else the application knows of the user, read into a type; `None` where there is nothing of that form.
    #[must_use]
    pub fn profile<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.profile.as_deref()?).ok()
    }

    /// The profile as JSON text: for stores.
    #[must_use]
    pub fn profile_json(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// About how many bytes it takes.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn footprint(&self) -> usize {
        let hash = self.stored_hash().map(|hash| hash.expose().as_str());
        let options = [
            hash,
            self.own_rate(),
            self.profile_json(),
            Some(self.id.kind()),
            Some(self.id.id()),
        ];
        let grants = self.scopes.iter().chain(self.roles.iter());
        let bytes = options
            .into_iter()
            .flatten()
            .chain(self.names())
            .chain(grants)
            .map(str::len);
        size_of::<Self>() + self.names.len() * size_of::<Box<str>>() + bytes.sum::<usize>()
    }

    /// The application's own user, where it is of that type.
    #[must_use]
    pub fn app<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.app.as_deref().and_then(|user| user.downcast_ref())
    }
}

impl fmt::Debug for UserRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRecord")
            .field("id", &self.id)
            .field("active", &self.active)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

/// What is to change of a user; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserChange {
    /// All names to sign in by, in place of those before.
    pub names: Option<Vec<String>>,
    /// The profile, JSON text.
    pub profile: Option<String>,
    /// Whether the user may sign in.
    pub active: Option<bool>,
    /// All scopes, in place of those before.
    pub scopes: Option<Scopes>,
    /// All roles, in place of those before.
    pub roles: Option<Roles>,
}
