use std::fmt;

/// The stable id of a caller: a user, or a thing of another kind (a tenant, an agent, a company).
///
/// Two subjects are equal when kind and id are.
///
/// ```
/// use tower_auth::Subject;
///
/// assert_eq!(Subject::user("42").to_string(), "42");
/// assert_eq!(Subject::new("tenant", "42").to_string(), "tenant:42");
/// assert_ne!(Subject::new("tenant", "42"), Subject::user("42"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// `None` is a user, by far the commonest, and costs no allocation.
    kind: Option<Box<str>>,
    id: Box<str>,
}

impl Subject {
    /// A user.
    pub fn user(id: impl Into<String>) -> Self {
        Self {
            kind: None,
            id: id.into().into_boxed_str(),
        }
    }

    /// A thing of any kind; of kind `user` it equals [`Subject::user`].
    pub fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        let kind = kind.into();
        Self {
            // One form for a user, or the two would differ where they are compared.
            kind: (kind != "user").then(|| kind.into_boxed_str()),
            id: id.into().into_boxed_str(),
        }
    }

    /// What kind of thing: `user`, or the name given to [`Subject::new`].
    #[must_use]
    pub fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or("user")
    }

    /// The id, unique within its kind.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Some(kind) => write!(f, "{kind}:{}", self.id),
            None => f.write_str(&self.id),
        }
    }
}
