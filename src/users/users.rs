use crate::event::{Action, Events};
use crate::password::{Check, PasswordPolicy, PasswordProblem, Passwords};
use crate::principal::{Role, Roles, Scope, Scopes, Subject};
use crate::random;
use crate::reject::{FieldError, Rejection, RejectionKind};
use crate::secret::Secret;
use crate::store::{Change, Guard, UserChange, UserRecord, UserStore};
use crate::throttle::{Attempts, Ticket};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
#[cfg(feature = "endpoints")]
use subtle::ConstantTimeEq;

/// The longest name to sign in by, in bytes.
const LONGEST_NAME: usize = 254;

/// The longest password, in bytes: none is cut, a longer one is refused before it is hashed.
const LONGEST_PASSWORD: usize = 1024;

/// Users in a [`UserStore`]: registration, sign-in, passwords and the state of accounts.
///
/// - Passwords are hashed with argon2id on threads of their own, half of the cores at a time; beyond a bounded queue the answer is
///   429.
/// - An unknown user, a disabled one and a wrong password are refused alike, after the same work.
/// - Hashes of other costs and kinds of argon2 are read too, and with feature `django-hashes` those that Django wrote
///   (`pbkdf2_sha256`, `bcrypt_sha256`, `bcrypt`, `argon2`); each is replaced when its user signs in. A wrong password costs their
///   work and that of a current hash: by the time it takes, such a user can be told from an unknown one until the hash is
///   replaced.
/// - A name with an `@` is an email address, in which case does not matter; all other names are compared exactly.
/// - A disabled or removed user is refused by the next request, whatever credential it carries.
///
/// ```
/// use tower_auth::store::Memory;
/// use tower_auth::{NewUser, RejectionKind, Secret, Users};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let users = Users::new(Memory::new());
/// let now = std::time::SystemTime::now();
/// let password = Secret::new(String::from("correct-horse-battery"));
/// let anna = users.register(NewUser::new("anna@example.com", password.clone()), now).await?;
///
/// assert_eq!(users.authenticate("Anna@Example.com", &password, now).await?.id(), anna.id());
/// let refusal = users.authenticate("anna@example.com", &Secret::new("wrong".into()), now).await.unwrap_err();
/// assert_eq!(refusal.kind(), RejectionKind::InvalidPassword);
/// # Ok::<(), tower_auth::Rejection>(()) }).unwrap();
/// ```
#[derive(Clone)]
#[must_use]
pub struct Users {
    store: Arc<dyn UserStore>,
    passwords: Passwords,
    policy: PasswordPolicy,
    guard: Guard,
    events: Events,
    attempts: Option<Arc<Attempts>>,
}

/// Somebody says who they are.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) name: &'a str,
    pub(crate) password: &'a Secret<String>,
    /// From where, as far as the server tells.
    pub(crate) peer: Option<IpAddr>,
}

/// Who registers.
#[derive(Clone, Debug)]
#[must_use]
pub struct NewUser {
    id: Option<Subject>,
    names: Vec<String>,
    password: Secret<String>,
    profile: Option<String>,
    scopes: Scopes,
    roles: Roles,
}

impl NewUser {
    /// A user who signs in by this name, mostly an email address, and gets a random UUID for an id.
    pub fn new(name: impl Into<String>, password: Secret<String>) -> Self {
        Self {
            id: None,
            names: vec![name.into()],
            password,
            profile: None,
            scopes: Scopes::default(),
            roles: Roles::default(),
        }
    }

    /// A further name to sign in by.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    /// An id of the application's choice.
    pub fn id(mut self, id: Subject) -> Self {
        self.id = Some(id);
        self
    }

    /// What else the application knows of the user, kept as JSON.
    ///
    /// # Errors
    ///
    /// The value cannot be written as JSON.
    pub fn profile(mut self, profile: &impl Serialize) -> Result<Self, serde_json::Error> {
        self.profile = Some(serde_json::to_string(profile)?);
        Ok(self)
    }

    #[cfg(feature = "endpoints")]
    pub(crate) fn profile_json(mut self, json: String) -> Self {
        self.profile = Some(json);
        self
    }

    /// Grants a scope.
    pub fn scope(mut self, scope: impl Into<Scope>) -> Self {
        self.scopes.insert(&scope.into());
        self
    }

    /// Gives a role.
    pub fn role(mut self, role: impl Into<Role>) -> Self {
        self.roles.insert(role.into());
        self
    }
}

impl Users {
    /// Users in that store.
    pub fn new(store: impl UserStore) -> Self {
        Self {
            store: Arc::new(store),
            passwords: Passwords::new(),
            policy: PasswordPolicy::default(),
            guard: Guard {
                deadline: Duration::MAX,
            },
            events: Events::default(),
            attempts: None,
        }
    }

    /// What a new password has to satisfy.
    pub fn password_policy(mut self, policy: PasswordPolicy) -> Self {
        self.policy = policy;
        self
    }

    pub(crate) fn within(
        mut self,
        deadline: Duration,
        events: &Events,
        attempts: &Arc<Attempts>,
    ) -> Self {
        self.guard = Guard { deadline };
        self.events = events.clone();
        self.attempts = Some(Arc::clone(attempts));
        self
    }

    pub(crate) fn store(&self) -> &Arc<dyn UserStore> {
        &self.store
    }

    pub(crate) fn guard(&self) -> Guard {
        self.guard
    }

    /// How often argon2 ran: a test that counts needs no stopwatch.
    #[cfg(feature = "test-util")]
    #[must_use]
    pub fn argon2_runs(&self) -> u64 {
        self.passwords.argon2_runs()
    }

    /// Adds a user.
    ///
    /// # Errors
    ///
    /// 400 with the field: a name (`name`) that is taken, empty, longer than 254 bytes or has control characters, or a password
    /// (`password`) that the policy refuses. 429 where too many passwords wait to be hashed, 503 where the store fails.
    pub async fn register(
        &self,
        new: NewUser,
        now: SystemTime,
    ) -> Result<Arc<UserRecord>, Rejection> {
        let names: Vec<String> = new
            .names
            .iter()
            .map(|name| normal(name).into_owned())
            .collect();
        let mut fields: Vec<FieldError> = names
            .iter()
            .filter_map(|name| check_name(name).err())
            .collect();
        fields.extend(
            self.check_password("password", new.password.expose(), &names)
                .err(),
        );
        if !fields.is_empty() {
            return Err(Rejection::invalid(fields));
        }
        let hash = self.passwords.hash(new.password).await?;
        let id = new
            .id
            .map_or_else(|| random::uuid().map(Subject::user), Ok)?;
        let mut names = names.into_iter();
        let mut user = UserRecord::new(id, names.next().unwrap_or_default());
        user = names
            .fold(user, UserRecord::name)
            .password_hash(hash.expose())
            .created_at(now);
        user = user.with_scopes(new.scopes).with_roles(new.roles);
        if let Some(profile) = new.profile {
            user = user.with_profile_json(profile);
        }
        match self
            .guard
            .change(self.store.insert_user(user.clone(), now))
            .await?
        {
            Change::Exists => return Err(taken()),
            change => change.found()?,
        }
        self.events
            .tell(Action::UserRegistered, now, user.id(), None)?;
        Ok(Arc::new(user))
    }

    /// The user of the new one's first name, added where there is none: what a program does at each start. One who is there already
    /// stays as they are.
    ///
    /// # Errors
    ///
    /// As [`register`](Self::register).
    pub async fn ensure(
        &self,
        new: NewUser,
        now: SystemTime,
    ) -> Result<Arc<UserRecord>, Rejection> {
        let name = new
            .names
            .first()
            .map(|name| normal(name).into_owned())
            .unwrap_or_default();
        if let Some(user) = self.guard.call(self.store.find_user(&name, now)).await? {
            return Ok(user);
        }
        match self.register(new, now).await {
            // Another node was quicker.
            Err(rejection) if rejection.kind() == RejectionKind::InvalidInput => {
                let found = self.guard.call(self.store.find_user(&name, now)).await?;
                found.ok_or(rejection)
            }
            answer => answer,
        }
    }

    /// The user who signs in by that name with that password.
    ///
    /// # Errors
    ///
    /// 401 ([`InvalidPassword`](RejectionKind::InvalidPassword)) where there is no such user, the password is another or the account
    /// is disabled; 429 where too many passwords wait to be hashed, or, for the users of a layer, where too many were wrong; 503
    /// where the store fails.
    pub async fn authenticate(
        &self,
        name: &str,
        password: &Secret<String>,
        now: SystemTime,
    ) -> Result<Arc<UserRecord>, Rejection> {
        self.authenticate_from(
            Attempt {
                name,
                password,
                peer: None,
            },
            now,
        )
        .await
    }

    /// The same, for somebody whose address is known.
    pub(crate) async fn authenticate_from(
        &self,
        attempt: Attempt<'_>,
        now: SystemTime,
    ) -> Result<Arc<UserRecord>, Rejection> {
        if attempt.name.len() > LONGEST_NAME || attempt.password.expose().len() > LONGEST_PASSWORD {
            return Err(refused());
        }
        self.attempt(attempt, None, |_| false, now).await
    }

    /// An attempt is counted before the store is asked and a password is hashed. `known` is what the store has said of the name
    /// already, and of whom `holds` is true needs no hash.
    pub(crate) async fn attempt(
        &self,
        attempt: Attempt<'_>,
        known: Option<Option<Arc<UserRecord>>>,
        holds: impl Fn(&UserRecord) -> bool,
        now: SystemTime,
    ) -> Result<Arc<UserRecord>, Rejection> {
        let attempts = self.attempts.as_ref();
        let mut ticket = attempts
            .map(|attempts| attempts.check(attempt.name, attempt.peer))
            .transpose()?;
        let verified = self
            .verified(attempt, known, holds, ticket.as_mut(), now)
            .await;
        ticket
            .into_iter()
            .for_each(|ticket| ticket.conclude(&verified));
        verified
    }

    async fn verified(
        &self,
        Attempt { name, password, .. }: Attempt<'_>,
        known: Option<Option<Arc<UserRecord>>>,
        holds: impl Fn(&UserRecord) -> bool,
        ticket: Option<&mut Ticket>,
        now: SystemTime,
    ) -> Result<Arc<UserRecord>, Rejection> {
        let user = match known {
            Some(user) => user,
            None => {
                self.guard
                    .call(self.store.find_user(&normal(name), now))
                    .await?
            }
        };
        if let (Some(ticket), Some(user)) = (ticket, &user) {
            ticket.resolved(user.id())?;
        }
        if let Some(user) = user.as_ref().filter(|user| holds(user)) {
            return Ok(Arc::clone(user));
        }
        self.authenticate_as(user, password, now).await
    }

    /// Whether that user has that password; without a user the same work is done.
    async fn authenticate_as(
        &self,
        user: Option<Arc<UserRecord>>,
        password: &Secret<String>,
        now: SystemTime,
    ) -> Result<Arc<UserRecord>, Rejection> {
        let user = user.filter(|user| user.is_active());
        let stored = user.as_ref().and_then(|user| user.stored_hash()).cloned();
        let check = self.passwords.verify(stored, password.clone()).await?;
        match (user, check) {
            (Some(user), Check::Fits) => Ok(user),
            (Some(user), Check::FitsOutdated) => Ok(self.rehash(user, password, now).await),
            (_, Check::Wrong) | (None, _) => Err(refused()),
        }
    }

    /// Brings a hash up to date, and gives the record after that. Should it fail, the next sign-in tries again.
    async fn rehash(
        &self,
        user: Arc<UserRecord>,
        password: &Secret<String>,
        now: SystemTime,
    ) -> Arc<UserRecord> {
        let Ok(hash) = self.passwords.hash(password.clone()).await else {
            return user;
        };
        let replaced =
            self.store
                .replace_password(user.id(), user.stored_hash(), hash.clone(), now);
        if !matches!(self.guard.change(replaced).await, Ok(Change::Made(()))) {
            return user;
        }
        // The user is signed in all the same.
        let _ = self
            .events
            .tell(Action::PasswordRehashed, now, user.id(), None);
        Arc::new(UserRecord::clone(&user).password_hash(hash.expose()))
    }

    /// Whether the password that a user signed in with is still good, now that tokens are there: a sign-in that overlaps a change
    /// of the password must not outlive it.
    #[cfg(feature = "endpoints")]
    pub(crate) async fn confirm(
        &self,
        mut user: Arc<UserRecord>,
        password: &Secret<String>,
        now: SystemTime,
    ) -> Result<(), Rejection> {
        loop {
            let found = self
                .guard
                .call(self.store.find_user_by_id(user.id(), now))
                .await?;
            if found
                .as_ref()
                .is_some_and(|found| found.is_active() && has_same_hash(found, &user))
            {
                return Ok(());
            }
            // Another password, or the same one hashed anew by a sign-in beside this one.
            user = self.authenticate_as(found, password, now).await?;
        }
    }

    /// Changes a password, for a user who knows the present one. Tokens issued before are not affected by this alone: an
    /// application that has any calls [`sign_out_everywhere`](crate::TokenIssuer::sign_out_everywhere) as well, as the ready-made
    /// endpoint does.
    ///
    /// Where the new password is the present one already, nothing is changed and it is no error: so a client whose answer was lost
    /// can ask again.
    ///
    /// # Errors
    ///
    /// 400 with the field: the present password (`current_password`) is another, or the policy refuses the new one
    /// (`new_password`). 404 where there is no such user, 429 where too many passwords wait to be hashed, 503 where the store
    /// fails.
    pub async fn change_password(
        &self,
        id: &Subject,
        current: &Secret<String>,
        new: Secret<String>,
        now: SystemTime,
    ) -> Result<(), Rejection> {
        self.change_password_from(None, id, current, new, now).await
    }

    /// The same, for somebody whose address is known.
    pub(crate) async fn change_password_from(
        &self,
        peer: Option<IpAddr>,
        id: &Subject,
        current: &Secret<String>,
        new: Secret<String>,
        now: SystemTime,
    ) -> Result<(), Rejection> {
        let user = self.find(id, now).await?;
        let wrong = || {
            Rejection::invalid([FieldError::new(
                "current_password",
                "password_incorrect",
                "The password is wrong.",
            )])
        };
        let name = user.names().next().unwrap_or_default();
        let attempt = |password| {
            let known = Some(Some(Arc::clone(&user)));
            self.attempt(
                Attempt {
                    name,
                    password,
                    peer,
                },
                known,
                |_| false,
                now,
            )
        };
        let user = match attempt(current).await {
            Ok(user) => user,
            Err(no) if no.kind() == RejectionKind::InvalidPassword => {
                let done = attempt(&new).await.map(drop);
                return done.map_err(|no| {
                    if no.kind() == RejectionKind::InvalidPassword {
                        wrong()
                    } else {
                        no
                    }
                });
            }
            Err(failed) => return Err(failed),
        };
        match self.replace_password(&user, new, now).await? {
            Change::Made(()) => self.events.tell(Action::PasswordChanged, now, id, None),
            Change::Exists | Change::Missing => Err(wrong()),
        }
    }

    /// Sets a password, whatever the present one is: for administrators, and after a reset.
    ///
    /// # Errors
    ///
    /// 400 where the policy refuses it (`new_password`), 404 where there is no such user or its password was changed meanwhile, 429
    /// where too many passwords wait to be hashed, 503 where the store fails.
    pub async fn set_password(
        &self,
        id: &Subject,
        new: Secret<String>,
        now: SystemTime,
    ) -> Result<(), Rejection> {
        let user = self.find(id, now).await?;
        self.replace_password(&user, new, now).await?.found()?;
        self.events.tell(Action::PasswordChanged, now, id, None)
    }

    async fn replace_password(
        &self,
        user: &UserRecord,
        new: Secret<String>,
        now: SystemTime,
    ) -> Result<Change<()>, Rejection> {
        let names: Vec<String> = user.names().map(str::to_owned).collect();
        self.check_password("new_password", new.expose(), &names)
            .map_err(|field| Rejection::invalid([field]))?;
        let hash = self.passwords.hash(new).await?;
        self.guard
            .change(
                self.store
                    .replace_password(user.id(), user.stored_hash(), hash, now),
            )
            .await
    }

    /// A user by id.
    ///
    /// # Errors
    ///
    /// 404 where there is none, 503 where the store fails.
    pub async fn find(&self, id: &Subject, now: SystemTime) -> Result<Arc<UserRecord>, Rejection> {
        let found = self.guard.call(self.store.find_user_by_id(id, now)).await?;
        found.ok_or_else(|| Rejection::new(RejectionKind::NotFound, "missing"))
    }

    /// At most `most` users in the order of their ids, those after `after`.
    ///
    /// # Errors
    ///
    /// 503 where the store fails.
    pub async fn list(
        &self,
        after: Option<&Subject>,
        most: usize,
        now: SystemTime,
    ) -> Result<Vec<Arc<UserRecord>>, Rejection> {
        self.guard
            .call(self.store.list_users(after, most, now))
            .await
    }

    /// Changes a user.
    ///
    /// # Errors
    ///
    /// 400 where a name (`name`) is taken or cannot be one, 404 where there is no such user, 503 where the store fails.
    pub async fn change(
        &self,
        id: &Subject,
        mut change: UserChange,
        now: SystemTime,
    ) -> Result<Arc<UserRecord>, Rejection> {
        if let Some(names) = &mut change.names {
            names
                .iter_mut()
                .for_each(|name| *name = normal(name).into_owned());
            let wrong: Vec<FieldError> = names
                .iter()
                .filter_map(|name| check_name(name).err())
                .collect();
            if !wrong.is_empty() {
                return Err(Rejection::invalid(wrong));
            }
        }
        let action = match change.active {
            Some(true) => Action::UserEnabled,
            Some(false) => Action::UserDisabled,
            None => Action::UserChanged,
        };
        let user = match self
            .guard
            .change(self.store.change_user(id, change, now))
            .await?
        {
            Change::Exists => return Err(taken()),
            change => change.found()?,
        };
        self.events.tell(action, now, id, None)?;
        Ok(user)
    }

    /// Refuses a user from now on, whatever credential is presented.
    ///
    /// # Errors
    ///
    /// 404 where there is no such user, 503 where the store fails.
    pub async fn disable(&self, id: &Subject, now: SystemTime) -> Result<(), Rejection> {
        self.change(
            id,
            UserChange {
                active: Some(false),
                ..UserChange::default()
            },
            now,
        )
        .await
        .map(drop)
    }

    /// Takes back [`disable`](Self::disable).
    ///
    /// # Errors
    ///
    /// 404 where there is no such user, 503 where the store fails.
    pub async fn enable(&self, id: &Subject, now: SystemTime) -> Result<(), Rejection> {
        self.change(
            id,
            UserChange {
                active: Some(true),
                ..UserChange::default()
            },
            now,
        )
        .await
        .map(drop)
    }

    /// Removes a user. The id stays taken, and all credentials are refused from now on.
    ///
    /// # Errors
    ///
    /// 404 where there is no such user, 503 where the store fails.
    pub async fn remove(&self, id: &Subject, now: SystemTime) -> Result<(), Rejection> {
        self.guard
            .change(self.store.remove_user(id, now))
            .await?
            .found()?;
        self.events.tell(Action::UserRemoved, now, id, None)
    }

    fn check_password(
        &self,
        field: &'static str,
        password: &str,
        names: &[String],
    ) -> Result<(), FieldError> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let told =
            |problem: PasswordProblem| FieldError::new(field, problem.code(), problem.to_string());
        self.policy.check(password, &names).map_err(told)
    }
}

impl<S: UserStore> From<S> for Users {
    fn from(store: S) -> Self {
        Self::new(store)
    }
}

/// An email address in lower case; any other name as it is.
pub(crate) fn normal(name: &str) -> Cow<'_, str> {
    if name.contains('@') && name.chars().any(|c| !c.is_lowercase() && c.is_alphabetic()) {
        Cow::Owned(name.to_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(feature = "endpoints")]
fn has_same_hash(user: &UserRecord, other: &UserRecord) -> bool {
    let bytes = |user: &UserRecord| {
        user.stored_hash()
            .map(|hash| hash.expose().clone().into_bytes())
    };
    match (bytes(user), bytes(other)) {
        (Some(one), Some(two)) => one.ct_eq(&two).into(),
        _ => false,
    }
}

fn check_name(name: &str) -> Result<(), FieldError> {
    if name.trim().is_empty() {
        return Err(FieldError::new(
            "name",
            "blank",
            "This field may not be blank.",
        ));
    }
    if name.trim() != name || name.chars().any(char::is_control) {
        return Err(FieldError::invalid(
            "name",
            "A name has no control characters, and no blanks around it.",
        ));
    }
    // Basic could not carry it (RFC 7617 §2).
    if name.contains(':') {
        return Err(FieldError::invalid("name", "A name has no colon."));
    }
    if name.len() > LONGEST_NAME {
        return Err(FieldError::new(
            "name",
            "max_length",
            "A name has at most 254 bytes.",
        ));
    }
    Ok(())
}

fn taken() -> Rejection {
    Rejection::invalid([FieldError::new(
        "name",
        "unique",
        "Another user has this already.",
    )])
}

pub(crate) fn refused() -> Rejection {
    Rejection::new(RejectionKind::InvalidPassword, "user, password or account")
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
