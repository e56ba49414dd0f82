use super::FamilyRecord;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

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

    /// What becomes of a family when this refresh token of it is presented: the rule of rotation,
    /// which every store follows.
    ///
    /// Where the answer is [`Rotated::New`] or [`Rotated::Reuse`] the store replaces its record by
    /// the one in the answer, in the same atomic step in which it read it.
    #[must_use]
    pub fn of(&self, family: &FamilyRecord, now: SystemTime) -> Rotated {
        if family.revoked.is_some() {
            return Rotated::Ended;
        }
        if *family.current == *self.presented {
            if now >= family.expires || now >= family.ends {
                return Rotated::Ended;
            }
            return Rotated::New(Arc::new(FamilyRecord {
                current: self.successor.into(),
                // A successor never outlives the family, however often it is rotated.
                expires: self.expires.min(family.ends),
                previous: Some((family.current.clone(), now)),
                ..family.clone()
            }));
        }
        match &family.previous {
            Some((previous, rotated))
                if **previous == *self.presented && self.is_within_grace(*rotated, now) =>
            {
                // Nothing is written, so the grace is counted from the first rotation and cannot be
                // prolonged by asking again.
                Rotated::Again(Arc::new(family.clone()))
            }
            // Neither the current one nor its predecessor within the grace: two have had it, and
            // nobody can say which of them is the owner (RFC 9700 §4.14.2).
            _ => Rotated::Reuse(Arc::new(family.clone().revoked(now))),
        }
    }

    /// A clock that stepped back does not end the grace: the ids decide whether this is the
    /// predecessor.
    fn is_within_grace(&self, rotated: SystemTime, now: SystemTime) -> bool {
        now.duration_since(rotated).unwrap_or_default() < self.grace
    }
}

/// What became of a presented refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotated {
    /// It was the current one; now its successor is.
    New(Arc<FamilyRecord>),
    /// It is the predecessor of the current one, within the grace: the same successor again (two
    /// tabs, a lost answer).
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
    use crate::principal::Subject;
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
        rotation.of(family, at(now))
    }

    #[test]
    fn the_current_token_rotates_and_its_predecessor_gets_the_same_successor_within_the_grace() {
        let Rotated::New(second) = rotate(&family(), "1", "2", 50) else {
            panic!("not rotated")
        };
        assert_eq!((&*second.current, second.expires), ("2", at(150)));
        assert_eq!(
            rotate(&second, "1", "9", 59),
            Rotated::Again(Arc::clone(&second))
        );
        assert!(
            matches!(rotate(&second, "1", "9", 60), Rotated::Reuse(ended) if ended.revoked == Some(at(60)))
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
        assert_eq!(last.expires, at(1_000));
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
