use crate::principal::Subject;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A refresh family: the lineage of tokens that one sign-in began.
///
/// ```text
/// sign-in ─ refresh token 1 ─→ 2 ─→ 3 …        previous, current: ids, of which only the current one rotates
///           access tokens, all with the family's id as `sid`
/// ```
///
/// It holds ids and times, no token: what is stored cannot be presented.
#[derive(Clone, PartialEq, Eq)]
pub struct FamilyRecord {
    id: Box<str>,
    subject: Subject,
    grants: Box<str>,
    created: SystemTime,
    /// When the family ends, however often it is rotated.
    ends: SystemTime,
    current: Box<str>,
    /// When the current refresh token expires.
    expires: SystemTime,
    /// The predecessor of the current one, and when it was rotated.
    previous: Option<(Box<str>, SystemTime)>,
    revoked: Option<SystemTime>,
}

impl FamilyRecord {
    /// A family that begins with the refresh token `current`. `grants` is JSON text of what its tokens say besides.
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

    /// The same family with a predecessor of the current token, rotated at that time: for stores.
    #[must_use]
    pub fn previous(mut self, id: impl Into<String>, rotated: SystemTime) -> Self {
        self.previous = Some((id.into().into_boxed_str(), rotated));
        self
    }

    /// The same family, revoked at that time, or as it was where it is revoked already: for stores.
    #[must_use]
    pub fn revoked(mut self, at: SystemTime) -> Self {
        self.revoked.get_or_insert(at);
        self
    }

    /// What becomes of the family when a refresh token of it is presented: the rule of rotation, which every store follows.
    ///
    /// Where the answer is [`Rotated::New`] or [`Rotated::Reuse`] the store replaces its record by the one in the answer, in
    /// the same atomic step in which it read it.
    #[must_use]
    pub fn rotate(&self, rotation: &Rotation<'_>, now: SystemTime) -> Rotated {
        if self.revoked.is_some() {
            return Rotated::Ended;
        }
        if *self.current == *rotation.presented {
            if now >= self.expires || now >= self.ends {
                return Rotated::Ended;
            }
            return Rotated::New(Arc::new(Self {
                current: rotation.successor.into(),
                expires: rotation.expires.min(self.ends),
                previous: Some((self.current.clone(), now)),
                ..self.clone()
            }));
        }
        let within_grace = |rotated: SystemTime| {
            // A clock that stepped back does not end the grace: the ids decide whether this is the predecessor.
            now.duration_since(rotated).unwrap_or_default() < rotation.grace
        };
        match &self.previous {
            Some((previous, rotated))
                if **previous == *rotation.presented && within_grace(*rotated) =>
            {
                Rotated::Again(Arc::new(self.clone()))
            }
            _ => Rotated::Reuse(Arc::new(self.clone().revoked(now))),
        }
    }

    /// Whether a refresh token is the current one and neither it nor the family has ended.
    #[must_use]
    pub fn is_current(&self, token: &str, now: SystemTime) -> bool {
        self.revoked.is_none() && *self.current == *token && now < self.expires && now < self.ends
    }

    /// The family's id, `sid` in its tokens.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Who signed in.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// What its tokens say besides, as JSON text.
    #[must_use]
    pub fn grants(&self) -> &str {
        &self.grants
    }

    /// When it began.
    #[must_use]
    pub fn created(&self) -> SystemTime {
        self.created
    }

    /// When it ends, however often it is rotated.
    #[must_use]
    pub fn ends(&self) -> SystemTime {
        self.ends
    }

    /// The id (`jti`) of the current refresh token.
    #[must_use]
    pub fn current(&self) -> &str {
        &self.current
    }

    /// When the current refresh token expires.
    #[must_use]
    pub fn expires(&self) -> SystemTime {
        self.expires
    }

    /// The id of the current token's predecessor, and when it was rotated.
    #[must_use]
    pub fn predecessor(&self) -> Option<(&str, SystemTime)> {
        self.previous
            .as_ref()
            .map(|(id, rotated)| (&**id, *rotated))
    }

    /// When it was revoked; `None` is not.
    #[must_use]
    pub fn revoked_at(&self) -> Option<SystemTime> {
        self.revoked
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

/// A refresh token is presented, to be rotated.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Rotation<'a> {
    /// The family that it names.
    pub family: &'a str,
    /// Its id.
    pub presented: &'a str,
    /// The id of its successor, should there be one.
    pub successor: &'a str,
    /// When that one expires.
    pub expires: SystemTime,
    /// How long the predecessor gets the same successor again.
    pub grace: Duration,
    /// Until when the family's access tokens live, which are revoked when this is reuse.
    pub access_until: SystemTime,
}

impl<'a> Rotation<'a> {
    /// The rotation of `presented` to `successor`, which expires at `expires`; without grace.
    #[must_use]
    pub fn new(
        family: &'a str,
        presented: &'a str,
        successor: &'a str,
        expires: SystemTime,
    ) -> Self {
        Self {
            family,
            presented,
            successor,
            expires,
            grace: Duration::ZERO,
            access_until: expires,
        }
    }

    /// How long the predecessor gets the same successor again.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Until when the family's access tokens live.
    #[must_use]
    pub fn access_until(mut self, until: SystemTime) -> Self {
        self.access_until = until;
        self
    }
}

/// What became of a presented refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotated {
    /// It was the current one; now its successor is.
    New(Arc<FamilyRecord>),
    /// It is the predecessor of the current one, within the grace: the same successor again (two tabs, a lost answer).
    Again(Arc<FamilyRecord>),
    /// It was rotated before: somebody has a copy. The family is revoked by this very call.
    Reuse(Arc<FamilyRecord>),
    /// It is current no more: the family was revoked or has ended.
    Ended,
    /// There is no such family.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn family() -> FamilyRecord {
        FamilyRecord::new(
            "f",
            Subject::user("1"),
            "{}",
            at(0),
            at(1_000),
            "1",
            at(100),
        )
    }

    fn rotate(family: &FamilyRecord, presented: &str, successor: &str, now: u64) -> Rotated {
        let rotation =
            Rotation::new("f", presented, successor, at(now + 100)).grace(Duration::from_secs(10));
        family.rotate(&rotation, at(now))
    }

    #[test]
    fn the_current_token_rotates_and_its_predecessor_gets_the_same_successor_within_the_grace() {
        let Rotated::New(second) = rotate(&family(), "1", "2", 50) else {
            panic!("not rotated")
        };
        assert_eq!((second.current(), second.expires()), ("2", at(150)));
        assert_eq!(
            rotate(&second, "1", "9", 59),
            Rotated::Again(Arc::clone(&second))
        );
        assert!(
            matches!(rotate(&second, "1", "9", 60), Rotated::Reuse(ended) if ended.revoked_at() == Some(at(60)))
        );
        assert!(
            matches!(rotate(&second, "1", "9", 40), Rotated::Again(_)),
            "a clock that stepped back"
        );
    }

    #[test]
    fn once_the_successor_was_used_the_predecessor_is_reuse_within_the_grace_too() {
        let Rotated::New(second) = rotate(&family(), "1", "2", 50) else {
            panic!("not rotated")
        };
        let Rotated::New(third) = rotate(&second, "2", "3", 51) else {
            panic!("not rotated")
        };
        assert!(matches!(rotate(&third, "1", "9", 51), Rotated::Reuse(_)));
        assert!(matches!(rotate(&third, "2", "9", 51), Rotated::Again(_)));
        assert!(matches!(
            rotate(&third, "never seen", "9", 51),
            Rotated::Reuse(_)
        ));
    }

    #[test]
    fn a_family_ends_at_its_end_however_often_it_was_rotated() {
        let late = FamilyRecord {
            expires: at(2_000),
            ..family()
        };
        let Rotated::New(last) = rotate(&late, "1", "2", 999) else {
            panic!("not rotated")
        };
        assert_eq!(last.expires(), at(1_000));
        assert_eq!(rotate(&late, "1", "2", 1_000), Rotated::Ended);
        assert_eq!(
            rotate(&family(), "1", "2", 100),
            Rotated::Ended,
            "an expired token"
        );
        assert_eq!(
            rotate(&family().revoked(at(1)), "1", "2", 50),
            Rotated::Ended
        );
    }
}
