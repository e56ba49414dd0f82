use std::fmt;
use std::mem;

/// One granted right, an OAuth scope-token: printable ASCII without space, `"` and `\` (RFC 6749
/// §3.3).
///
/// A text that is not a scope-token can be required, but is never granted, so such a requirement
/// refuses everybody.
///
/// ```
/// use tower_auth::{Principal, Requirement, Scope, Subject};
///
/// let granted = |scope: &str| Principal::builder(Subject::user("anna")).scope(scope).build();
/// let write = Requirement::from(Scope::new("reports:write"));
/// assert!(granted("reports:write").require(&write).is_ok());
///
/// // Compared whole: there are no patterns.
/// assert!(granted("reports:*").require(&write).is_err());
/// // No scope-token, for it has a space: nothing is granted.
/// assert!(granted("reports:read reports:write").scopes().is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope(Box<str>);

impl Scope {
    /// A scope of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into().into_boxed_str())
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a scope-token: what is none should be granted to nobody.
    ///
    /// ```
    /// use tower_auth::Scope;
    ///
    /// assert!(Scope::new("reports:read").is_token());
    /// assert!(!Scope::new("reports:read admin").is_token(), "two of them");
    /// ```
    #[must_use]
    pub fn is_token(&self) -> bool {
        is_scope_token(&self.0)
    }
}

impl From<&str> for Scope {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One role of a caller, such as `admin`: any text, compared exactly.
///
/// ```
/// use tower_auth::{Principal, RejectionKind, Requirement, Role, Subject};
///
/// let with = |role: Role| Principal::builder(Subject::user("anna")).role(role).build();
/// let admins = Requirement::role("admin");
/// assert!(with(Role::new("admin")).require(&admins).is_ok());
///
/// let refusal = with(Role::new("Admin")).require(&admins).unwrap_err();
/// assert_eq!(refusal.kind(), RejectionKind::PermissionDenied);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Role(Box<str>);

impl Role {
    /// A role of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into().into_boxed_str())
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Role {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The scopes granted to a credential.
///
/// Kept as one text in the form of a token's `scope` claim (RFC 8693 §4.2), because they are few
/// and read seldom: one allocation a token instead of one a scope. They change seldom too, and are
/// kept a million times: so there is no room to grow.
///
/// ```
/// use tower_auth::Scopes;
///
/// let scopes = Scopes::parse("reports:read reports:write");
/// assert!(scopes.contains("reports:read"));
/// assert!(!scopes.contains("reports"));
///
/// // Of a collection each item is one scope: a claim as a whole is none, and is left out.
/// let collected: Scopes = ["reports:read reports:write"].into_iter().collect();
/// assert!(collected.is_empty());
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Scopes(Box<str>);

impl Scopes {
    /// Reads names separated by spaces; what is no scope-token is left out.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut marks = 0;
        for name in text.split(' ') {
            let mark = mark(name);
            // Names that may be alike are told apart one by one; mostly no two of them may.
            if !is_scope_token(name) || marks & mark != 0 {
                return Self::parse_each(text);
            }
            marks |= mark;
        }
        Self(text.into())
    }

    #[cold]
    fn parse_each(text: &str) -> Self {
        let mut scopes = Self::default();
        text.split(' ').for_each(|name| scopes.push(name));
        scopes
    }

    /// Adds a scope; one that is no scope-token, or there already, changes nothing.
    pub fn insert(&mut self, scope: &Scope) {
        self.push(scope.as_str());
    }

    fn push(&mut self, name: &str) {
        // A name with a space would read as two scopes in the text, and grant what nobody has
        // granted.
        if !is_scope_token(name) || self.contains(name) {
            return;
        }
        let mut names = String::from(mem::take(&mut self.0));
        if !names.is_empty() {
            names.push(' ');
        }
        names.push_str(name);
        self.0 = names.into_boxed_str();
    }

    /// Whether a scope was granted; compared exactly.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|granted| granted == scope)
    }

    /// The names, separated by spaces.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, in the order they were granted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|name| !name.is_empty())
    }
}

impl<S: Into<Scope>> FromIterator<S> for Scopes {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        let mut scopes = Self::default();
        names
            .into_iter()
            .for_each(|scope| scopes.insert(&scope.into()));
        scopes
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The roles of a caller, each once, in the order in which they were given.
///
/// ```
/// use tower_auth::{Role, Roles};
///
/// let mut roles: Roles = ["editor", "admin"].into_iter().collect();
/// roles.insert(Role::new("editor")); // is there already
/// assert_eq!(roles.iter().collect::<Vec<_>>(), ["editor", "admin"]);
///
/// assert!(roles.contains("admin"));
/// assert!(!roles.contains("Admin"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Roles(Box<[Role]>);

impl Roles {
    /// Adds a role; one that is there already changes nothing.
    pub fn insert(&mut self, role: Role) {
        if !self.contains(role.as_str()) {
            let mut roles = mem::take(&mut self.0).into_vec();
            roles.push(role);
            self.0 = roles.into_boxed_slice();
        }
    }

    /// Whether a role is among them; compared exactly.
    #[must_use]
    pub fn contains(&self, role: &str) -> bool {
        self.iter().any(|given| given == role)
    }

    /// The names, in the order they were given.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Role::as_str)
    }
}

impl<R: Into<Role>> FromIterator<R> for Roles {
    fn from_iter<I: IntoIterator<Item = R>>(names: I) -> Self {
        let mut roles: Vec<Role> = Vec::new();
        for role in names {
            let role = role.into();
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
        Self(roles.into_boxed_slice())
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// One bit of 64. Equal names have the same, and most others do not.
#[inline]
fn mark(name: &str) -> u64 {
    let last = name.as_bytes().last().copied().unwrap_or_default();
    1 << ((name.len() ^ usize::from(last)) % 64)
}

/// RFC 6749 §3.3: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`.
fn is_scope_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_compared_whole() {
        let scopes = Scopes::parse("reports:read reports:write");
        assert!(scopes.contains("reports:read"));
        for other in [
            "reports",
            "reports:",
            "reports:rea",
            "reports:read reports:write",
            "",
            " ",
        ] {
            assert!(!scopes.contains(other), "{other:?}");
        }
    }

    #[test]
    fn a_scope_that_is_said_twice_is_granted_once() {
        for (text, granted) in [
            ("a a", "a"),
            ("a b a", "a b"),
            ("a b b c a", "a b c"),
            ("a aa a", "a aa"),
            ("a  a", "a"),
        ] {
            let scopes = Scopes::parse(text);
            assert_eq!(scopes.as_str(), granted, "{text:?}");
            let inserted: Scopes = text.split(' ').collect();
            assert_eq!(scopes, inserted, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_scope_token_is_never_granted() {
        for text in ["", " ", "a\"b", "a\\b", "ä", "a\tb", "a\nb"] {
            let scopes = Scopes::parse(text);
            assert_eq!(scopes.iter().count(), 0, "{text:?}");
            assert!(!scopes.contains(text));
        }
        assert_eq!(
            Scopes::parse("a  b a").iter().collect::<Vec<_>>(),
            ["a", "b"]
        );
    }
}
