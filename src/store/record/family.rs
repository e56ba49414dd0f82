use crate::principal::Subject;
use std::fmt;
use std::time::SystemTime;

/// A refresh family: the lineage of tokens that one sign-in began.
///
/// ```text
/// sign-in ─ refresh token 1 ─→ 2 ─→ 3 …   previous, current: ids; only the current one rotates
///           access tokens, all with the family's id as `sid`
/// ```
///
/// It holds ids and times, no token: what is stored cannot be presented. How it changes when a
/// refresh token is presented says [`Rotation::of`](super::Rotation::of).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FamilyRecord {
    /// The family's id, `sid` in its tokens.
    pub id: Box<str>,
    /// Who signed in.
    pub subject: Subject,
    /// What its tokens say besides, as JSON text; empty where it is what the user has now.
    pub grants: Box<str>,
    /// When it began.
    pub created: SystemTime,
    /// When it ends, however often it is rotated.
    pub ends: SystemTime,
    /// The id (`jti`) of the current refresh token.
    pub current: Box<str>,
    /// When the current refresh token expires.
    pub expires: SystemTime,
    /// The id of the current token's predecessor, and when it was rotated.
    pub previous: Option<(Box<str>, SystemTime)>,
    /// When it was revoked; `None` is not.
    pub revoked: Option<SystemTime>,
}

impl FamilyRecord {
    /// A family that begins with the refresh token `current`. `grants` is JSON text of what its
    /// tokens say besides.
    #[must_use]
    pub fn new(
        id: impl Into<String>,
        subject: Subject,
        grants: impl Into<String>,
        created: SystemTime,
        ends: SystemTime,
        current: impl Into<String>,
        expires: SystemTime,
    ) -> Self {
        Self {
            id: id.into().into_boxed_str(),
            subject,
            grants: grants.into().into_boxed_str(),
            created,
            ends,
            current: current.into().into_boxed_str(),
            expires,
            previous: None,
            revoked: None,
        }
    }

    /// The family that a refresh token of djangorestframework-simplejwt begins: it is good once, as
    /// one of ours ([`Tokens::simplejwt`](crate::Tokens::simplejwt)). `jti` is the token's, as in
    /// the table `token_blacklist_outstandingtoken`; one that was blacklisted is
    /// [`revoked`](Self::revoked).
    ///
    /// What its tokens grant is what its user has at each refresh.
    #[must_use]
    pub fn from_simplejwt(
        jti: &str,
        subject: Subject,
        created: SystemTime,
        ends: SystemTime,
        expires: SystemTime,
    ) -> Self {
        let id = Self::simplejwt_id(jti);
        Self::new(id, subject, "", created, ends, jti, expires)
    }

    /// What lets in the tokens of a user that djangorestframework-simplejwt issued, until `ends`: it
    /// stands for all of them ([`Tokens::simplejwt`](crate::Tokens::simplejwt)). Where it is
    /// revoked, by the end of all of the user's sessions for example, they are refused.
    #[must_use]
    pub fn admitting_simplejwt(subject: Subject, created: SystemTime, ends: SystemTime) -> Self {
        let id = Self::simplejwt_id_of(subject.id());
        Self::new(id, subject, "", created, ends, "", ends)
    }

    /// The id of the family that a refresh token of simplejwt begins.
    pub(crate) fn simplejwt_id(jti: &str) -> String {
        format!("simplejwt:jti:{jti}")
    }

    /// The id of the family that stands for all tokens of simplejwt that a user has.
    pub(crate) fn simplejwt_id_of(user: &str) -> String {
        format!("simplejwt:user:{user}")
    }

    /// The same family with a predecessor of the current token, rotated at that time.
    #[must_use]
    pub fn previous(mut self, id: impl Into<String>, rotated: SystemTime) -> Self {
        self.previous = Some((id.into().into_boxed_str(), rotated));
        self
    }

    /// The same family, revoked at that time, or as it was where it is revoked already.
    #[must_use]
    pub fn revoked(mut self, at: SystemTime) -> Self {
        self.revoked.get_or_insert(at);
        self
    }

    /// Whether a refresh token is the current one and neither it nor the family has ended.
    #[must_use]
    pub fn is_current(&self, token: &str, now: SystemTime) -> bool {
        self.revoked.is_none() && *self.current == *token && now < self.expires && now < self.ends
    }
}

impl fmt::Debug for FamilyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FamilyRecord")
            .field("id", &self.id)
            .field("subject", &self.subject)
            .field("ends", &self.ends)
            .field("revoked", &self.revoked)
            .finish_non_exhaustive()
    }
}
