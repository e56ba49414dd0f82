use crate::attempt::Origin;
use crate::event::Action;
use crate::login::{LONGEST_NAME, SignIn, is_longer_than_any, is_visible, name_form};
use crate::password::policy::PasswordPolicy;
use crate::principal::{Principal, Role, Roles, Scope, Scopes, Subject};
use crate::random;
use crate::realm::Realm;
use crate::reject::{FieldError, Rejection, RejectionKind};
use crate::scheme::{Judge, wrong_password};
use crate::secret::Secret;
use crate::store::{
    Change, ManagedUserStore, StoreError, UserChange, UserRecord, UserStore, Write,
};
use crate::turns::Source;
use serde::Serialize;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// How often a user whom somebody changes meanwhile is read anew.
const TRIES: usize = 100;

/// The users of a realm: registration, sign-in, passwords and the state of accounts. Made by
/// [`Realm::users`].
///
/// - Passwords are hashed with argon2id on threads of their own, half of the cores at a time;
///   beyond a bounded queue the answer is 429.
/// - An unknown user, a disabled one and a wrong password are refused alike, after the same work.
/// - Hashes of other costs and kinds of argon2 are read too, and with feature `django-hashes` those
///   that Django wrote (`pbkdf2_sha256`, `bcrypt_sha256`, `bcrypt`, `argon2`); each is replaced
///   when its user signs in. A wrong password costs their work and that of a current hash: by the
///   time it takes, such a user can be told from an unknown one until the hash is replaced.
/// - Names that read alike are one name, whatever their case, width and composition, and are kept
///   in one form ([`name_form`](crate::store::name_form)). A new one has no blanks and nothing
///   invisible in it. A name that something else has written into the store in another form signs
///   in as it is written there.
/// - Passwords that differ in how a keyboard composed them are one (RFC 8265 §4.2).
/// - A disabled or removed user is refused by the next request, whatever credential it carries.
///
/// ```
/// use tower_auth::store::Memory;
/// use tower_auth::{NewUser, PasswordPolicy, Realm, RejectionKind, Secret};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let users = Realm::new(Memory::new()).users(PasswordPolicy::new());
/// let password = Secret::new(String::from("correct-horse-battery"));
/// let anna = users.register(NewUser::new("anna@example.com", password.clone())).await?;
///
/// assert_eq!(users.authenticate("Anna@Example.com", &password).await?.id, anna.id);
/// let wrong = Secret::new(String::from("wrong"));
/// let refusal = users.authenticate("anna@example.com", &wrong).await.unwrap_err();
/// assert_eq!(refusal.kind(), RejectionKind::InvalidPassword);
/// # Ok::<(), tower_auth::Rejection>(()) }).unwrap();
/// ```
///
/// argon2 is slow by design. In a debug build, without optimisation, a hash takes over a second, so
/// an application's `Cargo.toml` has it optimised there too:
///
/// ```toml
/// [profile.dev.package.argon2]
/// opt-level = 3
/// [profile.dev.package.blake2]
/// opt-level = 3
/// ```
#[derive(Clone)]
#[must_use]
pub struct Users {
    realm: Realm,
    policy: PasswordPolicy,
    /// On whose behalf users are changed.
    caller: Option<Principal>,
}

/// A user who is to be [registered](Users::register): the names to sign in by, a password, and what
/// they may do.
///
/// ```
/// use tower_auth::store::Memory;
/// use tower_auth::{NewUser, PasswordPolicy, Realm, Secret};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let users = Realm::new(Memory::new()).users(PasswordPolicy::new());
/// let password = Secret::new(String::from("correct-horse-battery"));
/// let new = NewUser::new("anna", password.clone())
///     .name("anna@example.com")
///     .role("editor")
///     .profile(&serde_json::json!({ "first_name": "Anna" }))?;
/// let anna = users.register(new).await?;
/// assert!(anna.roles.contains("editor"));
/// assert_eq!(users.authenticate("anna@example.com", &password).await?.id, anna.id);
///
/// // A name is one user's, in whatever case.
/// let second = NewUser::new("ANNA@example.com", password);
/// let refusal = users.register(second).await.unwrap_err();
/// assert_eq!((refusal.status().as_u16(), refusal.fields()[0].field()), (400, "name"));
/// # Ok(())
/// # }
/// ```
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

impl Realm {
    /// The users of this realm, whose new passwords have to satisfy a policy.
    ///
    /// A realm without a store of users has none: layers and endpoints that need them say so when
    /// they are built, and a call is a 500.
    pub fn users(&self, policy: PasswordPolicy) -> Users {
        Users {
            realm: self.clone(),
            policy,
            caller: None,
        }
    }
}

impl Users {
    pub(crate) fn realm(&self) -> &Realm {
        &self.realm
    }

    /// How many characters a new password has at least.
    #[cfg(feature = "endpoints")]
    pub(crate) fn least_password(&self) -> usize {
        self.policy.least()
    }

    fn managed(&self) -> Result<&Arc<dyn ManagedUserStore>, Rejection> {
        let store = self.realm.stores().managed_user_store();
        store.ok_or_else(|| Rejection::misconfigured("the realm has no store that manages users"))
    }

    pub(crate) fn store(&self) -> Result<&Arc<dyn UserStore>, Rejection> {
        let store = self.realm.stores().user_store();
        store.ok_or_else(|| Rejection::misconfigured("the realm has no store of users"))
    }

    /// The same, for what a verified caller asks for, as an endpoint does: no user is registered,
    /// changed or removed, and no password is changed, unless the credential of that caller is good
    /// in the very step in which that is written; else it is a 401. Whoever signs out, or changes a
    /// password, stops what is under way.
    ///
    /// Whether the caller may change that user at all is for the route to demand
    /// ([`AuthLayer::require`](crate::AuthLayer::require)).
    pub fn on_behalf_of(&self, caller: &Principal) -> Self {
        Self {
            caller: Some(caller.clone()),
            ..self.clone()
        }
    }

    /// How often argon2 ran: a test that counts needs no stopwatch.
    #[cfg(feature = "test-util")]
    #[must_use]
    pub fn argon2_runs(&self) -> u64 {
        self.realm.passwords().argon2_runs()
    }

    /// Adds a user.
    ///
    /// This is the application's own act: any text is a name, an address or not, and nobody counts
    /// how many users an address registers. Both are looked at where an endpoint registers them.
    ///
    /// # Errors
    ///
    /// 400 with the field: a name (`name`) that is taken, empty, longer than 254 bytes or has
    /// control characters, or a password (`password`) that the policy refuses. 429 where too
    /// many passwords wait to be hashed, 503 where the store fails.
    pub async fn register(&self, new: NewUser) -> Result<Arc<UserRecord>, Rejection> {
        self.register_from(None, new).await
    }

    /// The same, for somebody whose address is known: an address registers so many.
    pub(crate) async fn register_from(
        &self,
        peer: Option<IpAddr>,
        new: NewUser,
    ) -> Result<Arc<UserRecord>, Rejection> {
        let mut names = Vec::new();
        let mut fields = Vec::new();
        for name in &new.names {
            match new_name(name) {
                Ok(name) => names.push(name),
                Err(field) => fields.push(field),
            }
        }
        fields.extend(
            self.check_password("password", new.password.expose(), &names)
                .err(),
        );
        if !fields.is_empty() {
            return Err(Rejection::invalid(fields));
        }
        let origin = self.origin(peer);
        // Counted only now: what is refused for its form costs no hash and fills no store.
        let ticket = origin.enter_registration()?;
        let added = self.add(origin.source(), new, names).await;
        ticket.conclude_work(&added);
        added
    }

    /// Hashes the password, and writes the user with these names.
    async fn add(
        &self,
        source: Source,
        new: NewUser,
        names: Vec<String>,
    ) -> Result<Arc<UserRecord>, Rejection> {
        let hash = self.realm.passwords().hash(source, new.password).await?;
        let id = match new.id {
            Some(id) => id,
            None => Subject::user(random::uuid()?),
        };
        let mut names = names.into_iter();
        let mut user = UserRecord::new(id, names.next().unwrap_or_default());
        user = names
            .fold(user, UserRecord::name)
            .password_hash(hash.expose())
            .created(self.realm.now());
        user.scopes = new.scopes;
        user.roles = new.roles;
        user.profile = new.profile.map(String::into_boxed_str);
        self.managed()?;
        let insertion = Write::InsertUser(Box::new(user.clone()));
        match self
            .realm
            .commit(self.caller.as_ref(), vec![insertion])
            .await?
        {
            Change::Exists => return Err(taken()),
            change => change.found()?,
        }
        self.realm.tell(Action::UserRegistered, &user.id, None)?;
        Ok(Arc::new(user))
    }

    /// The user of the new one's first name, added where there is none: what a program does at each
    /// start. One who is there already stays as they are.
    ///
    /// # Errors
    ///
    /// As [`register`](Self::register).
    pub async fn ensure(&self, new: NewUser) -> Result<Arc<UserRecord>, Rejection> {
        let name = new.names.first().cloned().unwrap_or_default();
        let judge = self.judge()?;
        if let Some(user) = judge.find(&name).await? {
            return Ok(user);
        }
        match self.register(new).await {
            // Another node has added the user meanwhile. Where it is still not there, the input was
            // wrong for another reason.
            Err(rejection) if rejection.kind() == RejectionKind::InvalidInput => {
                judge.find(&name).await?.ok_or(rejection)
            }
            answer => answer,
        }
    }

    /// The user who signs in by that name with that password.
    ///
    /// # Errors
    ///
    /// 401 ([`InvalidPassword`](RejectionKind::InvalidPassword)) where there is no such user, the
    /// password is another or the account is disabled; 429 where too many passwords wait to be
    /// hashed, or were wrong; 503 where the store fails.
    pub async fn authenticate(
        &self,
        name: &str,
        password: &Secret<String>,
    ) -> Result<Arc<UserRecord>, Rejection> {
        self.authenticate_from(None, SignIn { name, password })
            .await
    }

    /// The same, for somebody whose address is known.
    pub(crate) async fn authenticate_from(
        &self,
        peer: Option<IpAddr>,
        sign_in: SignIn<'_>,
    ) -> Result<Arc<UserRecord>, Rejection> {
        // Nobody has such a name, so that refusing it at once tells nothing.
        if sign_in.name.len() > LONGEST_NAME {
            return Err(wrong_password());
        }
        self.attempt(peer, sign_in, None).await
    }

    /// `known` is what the store has said of the name already.
    async fn attempt(
        &self,
        peer: Option<IpAddr>,
        sign_in: SignIn<'_>,
        known: Option<Option<Arc<UserRecord>>>,
    ) -> Result<Arc<UserRecord>, Rejection> {
        if is_longer_than_any(sign_in.password.expose()) {
            return Err(wrong_password());
        }
        let judge = self.judge()?;
        let origin = self.origin(peer);
        judge.judge(&origin, sign_in, known, |_| false).await
    }

    fn origin(&self, peer: Option<IpAddr>) -> Origin {
        Origin::new(self.realm.attempt_guard(), peer)
    }

    /// Who says whose name and password these are.
    pub(crate) fn judge(&self) -> Result<Judge, Rejection> {
        let realm = &self.realm;
        Ok(Judge {
            users: Arc::clone(self.store()?),
            managed: realm.stores().managed_user_store().cloned(),
            guard: realm.guard(),
            passwords: realm.passwords().clone(),
            events: realm.events().clone(),
            clock: Arc::clone(realm.clock_handle()),
        })
    }

    /// Whether the password that a user signed in with is still good, now that tokens are there: a
    /// sign-in that overlaps a change of the password must not outlive it.
    #[cfg(feature = "endpoints")]
    pub(crate) async fn confirm(
        &self,
        peer: Option<IpAddr>,
        mut user: Arc<UserRecord>,
        password: &Secret<String>,
    ) -> Result<(), Rejection> {
        loop {
            let found = self
                .realm
                .call(self.managed()?.find_user_by_id(&user.id))
                .await?;
            if let Some(found) = &found
                && found.is_active()
                && has_same_hash(found, &user)
            {
                return Ok(());
            }
            // Another password, or the same one that was hashed anew by a sign-in beside this one.
            // Only the password itself tells which.
            let judge = self.judge()?;
            user = judge.check(&self.origin(peer), found, password).await?;
        }
    }

    /// Changes a password, for a user who knows the present one, and ends all families and private
    /// tokens of that user in the same step: whoever has stolen one has it no more. API keys are
    /// not tokens, and stay.
    ///
    /// Where the new password is the present one already, it stays, the tokens end, and it is no
    /// error: so a client whose answer was lost can ask again.
    ///
    /// # Errors
    ///
    /// 400 with the field: the present password (`current_password`) is another, or the policy
    /// refuses the new one (`new_password`). 404 where there is no such user, 429 where too
    /// many passwords wait to be hashed, 503 where the store fails.
    pub async fn change_password(
        &self,
        id: &Subject,
        current: &Secret<String>,
        new: Secret<String>,
    ) -> Result<(), Rejection> {
        self.change_password_from(None, id, current, new).await
    }

    /// The same, for somebody whose address is known.
    pub(crate) async fn change_password_from(
        &self,
        peer: Option<IpAddr>,
        id: &Subject,
        current: &Secret<String>,
        new: Secret<String>,
    ) -> Result<(), Rejection> {
        let user = self.find(id).await?;
        let user = match self.attempt_of(peer, &user, current).await {
            Ok(user) => user,
            Err(no) if no.kind() == RejectionKind::InvalidPassword => {
                // The new password is the present one already: this is a client that asks again
                // because an answer was lost.
                return match self.attempt_of(peer, &user, &new).await {
                    Ok(_) => self.end_sessions(id).await,
                    Err(no) if no.kind() == RejectionKind::InvalidPassword => Err(wrong_current()),
                    Err(failed) => Err(failed),
                };
            }
            Err(failed) => return Err(failed),
        };
        let source = self.origin(peer).source();
        match self.replace_password(source, &user, new).await? {
            Change::Made(()) => self.realm.tell(Action::PasswordChanged, id, None),
            Change::Exists | Change::Missing | Change::Full => Err(wrong_current()),
        }
    }

    /// An attempt at the password of a user who has been found already.
    async fn attempt_of(
        &self,
        peer: Option<IpAddr>,
        user: &Arc<UserRecord>,
        password: &Secret<String>,
    ) -> Result<Arc<UserRecord>, Rejection> {
        let name = user.first_name();
        let known = Some(Some(Arc::clone(user)));
        self.attempt(peer, SignIn { name, password }, known).await
    }

    async fn end_sessions(&self, id: &Subject) -> Result<(), Rejection> {
        let ends: Vec<Write> = self.end_of_sessions(id).into_iter().collect();
        self.realm.commit(self.caller.as_ref(), ends).await?.found()
    }

    /// What ends all families and private tokens, where any are issued.
    fn end_of_sessions(&self, id: &Subject) -> Option<Write> {
        let stores = self.realm.stores();
        stores.token_store()?;
        let now = self.realm.now();
        Some(Write::RevokeSubject {
            subject: id.clone(),
            access_until: self.realm.denied_until(now),
            now,
        })
    }

    /// Sets a password, whatever the present one is, and ends all families and private tokens of
    /// that user in the same step: for administrators, and after a reset.
    ///
    /// # Errors
    ///
    /// 400 where the policy refuses it (`new_password`), 404 where there is no such user or its
    /// password was changed meanwhile, 429 where too many passwords wait to be hashed, 503
    /// where the store fails.
    pub async fn set_password(&self, id: &Subject, new: Secret<String>) -> Result<(), Rejection> {
        let user = self.find(id).await?;
        self.replace_password(None, &user, new).await?.found()?;
        self.realm.tell(Action::PasswordChanged, id, None)
    }

    async fn replace_password(
        &self,
        source: Source,
        user: &UserRecord,
        new: Secret<String>,
    ) -> Result<Change<()>, Rejection> {
        let names: Vec<String> = user.names.iter().map(|name| name.to_string()).collect();
        self.check_password("new_password", new.expose(), &names)
            .map_err(|field| Rejection::invalid([field]))?;
        let hash = self.realm.passwords().hash(source, new).await?;
        for _ in 0..TRIES {
            let former = self.find(&user.id).await?;
            // Somebody has changed the password since it was checked. To replace it now would undo
            // that change.
            if !former.has_password_hash(user.password_hash.as_ref()) {
                return Ok(Change::Missing);
            }
            let mut next = UserRecord::clone(&former);
            next.password_hash = Some(hash.clone());
            let mut writes = vec![replacement(&former, next)];
            // In the same step: a session that a thief has must not outlive the password by which
            // it began.
            writes.extend(self.end_of_sessions(&user.id));
            match self.realm.commit(self.caller.as_ref(), writes).await? {
                // Something else of the user was changed meanwhile, which must not be lost.
                Change::Missing => {}
                change => return Ok(change),
            }
        }
        Err(contended())
    }

    /// A user by id.
    ///
    /// # Errors
    ///
    /// 404 where there is none, 503 where the store fails.
    pub async fn find(&self, id: &Subject) -> Result<Arc<UserRecord>, Rejection> {
        let found = self.realm.call(self.managed()?.find_user_by_id(id)).await?;
        match found {
            Some(user) if !user.is_removed() => Ok(user),
            _ => Err(Rejection::new(RejectionKind::NotFound, "missing")),
        }
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
    ) -> Result<Vec<Arc<UserRecord>>, Rejection> {
        self.realm
            .call(self.managed()?.list_users(after, most))
            .await
    }

    /// Changes a user.
    ///
    /// # Errors
    ///
    /// 400 where a name (`name`) is taken or cannot be one, 404 where there is no such user, 503
    /// where the store fails.
    pub async fn change(
        &self,
        id: &Subject,
        change: UserChange,
    ) -> Result<Arc<UserRecord>, Rejection> {
        self.change_as(id, |_| change.clone()).await
    }

    /// Changes a user in a way that depends on what the record is before: it is asked for anew
    /// where somebody else changes the user meanwhile, or that change would be undone.
    pub(crate) async fn change_as(
        &self,
        id: &Subject,
        change: impl Fn(&UserRecord) -> UserChange + Send + Sync,
    ) -> Result<Arc<UserRecord>, Rejection> {
        for _ in 0..TRIES {
            let former = self.find(id).await?;
            let mut change = change(&former);
            if let Some(names) = &mut change.names {
                *names = new_names(&former, names)?;
            }
            let action = match change.active {
                Some(true) => Action::UserEnabled,
                Some(false) => Action::UserDisabled,
                None => Action::UserChanged,
            };
            let next = UserRecord::clone(&former).changed(change);
            let writes = vec![replacement(&former, next.clone())];
            match self.realm.commit(self.caller.as_ref(), writes).await? {
                Change::Made(()) => {
                    self.realm.tell(action, id, None)?;
                    return Ok(Arc::new(next));
                }
                Change::Exists | Change::Full => return Err(taken()),
                // Something else of the user was changed meanwhile.
                Change::Missing => {}
            }
        }
        Err(contended())
    }

    /// Refuses a user from now on, whatever credential is presented.
    ///
    /// # Errors
    ///
    /// 404 where there is no such user, 503 where the store fails.
    pub async fn disable(&self, id: &Subject) -> Result<(), Rejection> {
        self.change(
            id,
            UserChange {
                active: Some(false),
                ..UserChange::default()
            },
        )
        .await
        .map(drop)
    }

    /// Takes back [`disable`](Self::disable): keys and tokens from before are good again, unless
    /// they have expired or were revoked meanwhile.
    ///
    /// # Errors
    ///
    /// 404 where there is no such user, 503 where the store fails.
    pub async fn enable(&self, id: &Subject) -> Result<(), Rejection> {
        self.change(
            id,
            UserChange {
                active: Some(true),
                ..UserChange::default()
            },
        )
        .await
        .map(drop)
    }

    /// Removes a user. The id stays taken, and all credentials are refused from now on.
    ///
    /// # Errors
    ///
    /// 404 where there is no such user, 503 where the store fails.
    pub async fn remove(&self, id: &Subject) -> Result<(), Rejection> {
        for _ in 0..TRIES {
            let former = self.find(id).await?;
            let next = UserRecord::clone(&former).removed();
            let writes = vec![replacement(&former, next)];
            match self.realm.commit(self.caller.as_ref(), writes).await? {
                // Something else of the user was changed meanwhile.
                Change::Missing => {}
                change => {
                    change.found()?;
                    return self.realm.tell(Action::UserRemoved, id, None);
                }
            }
        }
        Err(contended())
    }

    fn check_password(
        &self,
        field: &'static str,
        password: &str,
        names: &[String],
    ) -> Result<(), FieldError> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        match self.policy.check(password, &names) {
            Ok(()) => Ok(()),
            Err(problem) => {
                let detail = problem.to_string();
                Err(FieldError::new(field, problem.code(), detail))
            }
        }
    }
}

#[cfg(feature = "endpoints")]
fn has_same_hash(user: &UserRecord, other: &UserRecord) -> bool {
    user.password_hash.is_some() && user.has_password_hash(other.password_hash.as_ref())
}

/// The one form of each name. Those that the user has in another form stay as they are.
fn new_names(user: &UserRecord, names: &[String]) -> Result<Vec<String>, Rejection> {
    let mut formed = Vec::new();
    let mut wrong = Vec::new();
    for name in names {
        // A name from before this rule stays good: else nothing of the user could be changed.
        if is_in_form(name) || user.names.iter().any(|own| **own == **name) {
            formed.push(name.clone());
            continue;
        }
        match new_name(name) {
            Ok(name) => formed.push(name),
            Err(field) => wrong.push(field),
        }
    }
    if wrong.is_empty() {
        Ok(formed)
    } else {
        Err(Rejection::invalid(wrong))
    }
}

fn replacement(former: &UserRecord, next: UserRecord) -> Write {
    Write::ReplaceUser {
        former: Box::new(former.clone()),
        next: Box::new(next),
    }
}

fn contended() -> Rejection {
    let source = StoreError::unavailable("the user was another one each time that it was read");
    Rejection::unavailable("user contended", source)
}

fn wrong_current() -> Rejection {
    Rejection::invalid([FieldError::new(
        "current_password",
        "password_incorrect",
        "The password is wrong.",
    )])
}

fn is_in_form(name: &str) -> bool {
    match new_name(name) {
        Ok(form) => form == name,
        Err(_) => false,
    }
}

/// The one form of a new name.
fn new_name(name: &str) -> Result<String, FieldError> {
    // Before its form is made: what somebody sends may be as long as a body may be.
    if name.len() > LONGEST_NAME {
        return Err(long_name());
    }
    let form = name_form(name);
    if form.is_empty() {
        return Err(FieldError::new(
            "name",
            "blank",
            "This field may not be blank.",
        ));
    }
    // Refused instead of left out silently: whoever typed it would wonder where it is gone.
    if !name.chars().all(is_visible) {
        return Err(FieldError::invalid(
            "name",
            "A name has no blanks, no control characters and nothing invisible in it.",
        ));
    }
    // Basic could not carry it: the first colon ends the name (RFC 7617 §2).
    if form.contains(':') {
        return Err(FieldError::invalid("name", "A name has no colon."));
    }
    // Some letters become longer there.
    if form.len() > LONGEST_NAME {
        return Err(long_name());
    }
    Ok(form.into_owned())
}

fn long_name() -> FieldError {
    let detail = "A name has at most 254 bytes.";
    FieldError::new("name", "max_length", detail)
}

fn taken() -> Rejection {
    Rejection::invalid([FieldError::new(
        "name",
        "unique",
        "Another user has this already.",
    )])
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
