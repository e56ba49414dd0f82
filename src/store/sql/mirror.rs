use super::age::Age;
use crate::principal::Subject;
use crate::store::accounts::Accounts;
use crate::store::denials::{Denials, Kind};
use crate::store::{Account, Known, TokenIds};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// What is denied, as the database said it last, and how long ago that was.
pub(super) struct Mirror {
    denials: Denials,
    users: Users,
    age: Age,
}

impl Mirror {
    pub(super) fn new(bound: Duration, outage: Duration) -> Self {
        Self {
            denials: Denials::default(),
            users: Users::default(),
            age: Age::new(bound, outage),
        }
    }

    pub(super) fn age(&self) -> &Age {
        &self.age
    }

    pub(super) fn users(&self) -> &Users {
        &self.users
    }

    pub(super) fn peek_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Known {
        if self.age.is_believed(Instant::now()) {
            self.denials.peek(token, now)
        } else {
            Known::Ask
        }
    }

    pub(super) fn peek_account(&self, id: &Subject) -> Account {
        if self.age.is_believed(Instant::now()) {
            self.users.account(id)
        } else {
            Account::Ask
        }
    }

    /// Denies an id, through this node: by its next request.
    pub(super) fn deny(&self, kind: Kind, id: &str, until: SystemTime) {
        // Nothing is swept here: that is housekeeping's, by its own clock.
        self.denials.insert(kind, id, until, UNIX_EPOCH);
    }

    pub(super) fn sweep(&self, now: SystemTime) {
        self.denials.sweep(now, usize::MAX);
    }
}

/// Users who are disabled or were removed, or have lost rights.
///
/// What one node writes and what it hears of others come in any order, so each change of a user has
/// a version, and the latest one counts. A user who is whole again is remembered until no earlier
/// news can be on its way.
#[derive(Default)]
pub(super) struct Users {
    /// What requests look at.
    accounts: Accounts,
    /// Who changes something has this, from its first look to its last write.
    news: Mutex<News>,
}

#[derive(Default)]
struct News {
    latest: HashMap<Subject, Latest>,
    /// Who is whole again.
    lately: Vec<Subject>,
    /// How many hearings have begun.
    hearing: u64,
}

struct Latest {
    version: i64,
    is_whole: bool,
    /// The hearing that had begun last when it was written.
    hearing: u64,
}

impl Users {
    pub(super) fn account(&self, id: &Subject) -> Account {
        self.accounts.get(id)
    }

    pub(super) fn set(&self, id: &Subject, version: i64, account: Account) {
        self.take(&mut self.news(), id, version, account);
    }

    fn take(&self, news: &mut News, id: &Subject, version: i64, account: Account) {
        if let Some(known) = news.latest.get(id)
            // News of one user come in any order, from this node and from the feed. What is older
            // than what is known is no news.
            && known.version > version
        {
            return;
        }
        let is_whole = account == Account::Whole;
        if is_whole {
            news.lately.push(id.clone());
        }
        let latest = Latest {
            version,
            is_whole,
            hearing: news.hearing,
        };
        news.latest.insert(id.clone(), latest);
        self.accounts.set(id, account);
    }

    /// The database is about to be heard.
    pub(super) fn begin_hearing(&self) {
        let mut news = self.news();
        news.hearing = news.hearing.saturating_add(1);
    }

    /// What was said in this hearing is here.
    pub(super) fn end_hearing(&self) {
        let mut news = self.news();
        let News {
            latest,
            lately,
            hearing,
        } = &mut *news;
        lately.retain(|id| match latest.get(id) {
            Some(known) if known.is_whole && known.hearing >= *hearing => true,
            Some(known) if known.is_whole => {
                latest.remove(id);
                false
            }
            _ => false,
        });
    }

    /// All who are not whole, read in this hearing: others are, unless this node wrote otherwise
    /// since it began.
    pub(super) fn replace(&self, all: Vec<(Subject, i64, Account)>) {
        let mut news = self.news();
        let hearing = news.hearing;
        let earlier = news.latest.extract_if(|_, known| known.hearing < hearing);
        let earlier: Vec<Subject> = earlier.map(|(id, _)| id).collect();
        for (id, version, account) in all {
            self.take(&mut news, &id, version, account);
        }
        // Last: whoever is in both lists would pass for a moment if the former news were taken back
        // first.
        for id in earlier {
            if !news.latest.contains_key(&id) {
                self.accounts.set(&id, Account::Whole);
            }
        }
    }

    // Held for a change in memory, never over an await.
    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn nothing_is_believed_before_the_first_hearing_nor_after_the_bound() {
        let mirror = Mirror::new(BOUND, Duration::ZERO);
        let peek = || mirror.peek_revoked(TokenIds::new("t", None), UNIX_EPOCH);
        mirror.deny(Kind::Token, "t", UNIX_EPOCH + BOUND);
        assert_eq!(peek(), Known::Ask);
        mirror.age().hear(Instant::now());
        assert_eq!(peek(), Known::Yes);
        tokio::time::advance(BOUND).await;
        mirror.age().miss();
        assert_eq!((peek(), mirror.age().get()), (Known::Ask, Some(BOUND)));
        assert_eq!(mirror.peek_account(&Subject::user("1")), Account::Ask);
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_extends_belief_only_while_the_database_is_away() {
        let mirror = Mirror::new(BOUND, Duration::from_secs(10));
        mirror.age().hear(Instant::now());
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(
            !mirror.age().is_believed(Instant::now()),
            "it is there, so it can be asked"
        );
        mirror.age().miss();
        assert!(mirror.age().is_believed(Instant::now()) && !mirror.age().is_fresh(Instant::now()));
        tokio::time::advance(Duration::from_secs(6)).await;
        assert!(!mirror.age().is_believed(Instant::now()), "bounded");
    }

    #[test]
    fn news_that_comes_late_undoes_no_later_change() {
        let users = Users::default();
        let anna = Subject::user("anna");
        users.begin_hearing();
        users.set(&anna, 1, Account::Closed); // through this node
        users.set(&anna, 2, Account::Whole);
        users.set(&anna, 1, Account::Closed); // heard
        assert!(users.account(&anna) == Account::Whole);
        users.end_hearing();
        users.set(&anna, 1, Account::Closed);
        assert!(
            users.account(&anna) == Account::Whole,
            "written since the hearing began: earlier news may be on its way"
        );
        users.begin_hearing();
        users.end_hearing();
        assert!(
            users.news().latest.is_empty(),
            "and forgotten after the next"
        );
        users.set(&anna, 3, Account::Closed);
        assert!(users.account(&anna) == Account::Closed);
    }

    #[test]
    fn a_full_reading_replaces_what_was_known_but_not_what_was_written_since_it_began() {
        let users = Users::default();
        let [old, new, both] = ["old", "new", "both"].map(Subject::user);
        users.set(&old, 1, Account::Closed);
        users.set(&both, 1, Account::Closed);
        users.begin_hearing();
        users.set(&new, 1, Account::Closed);
        users.replace(vec![(both.clone(), 1, Account::Closed)]);
        assert_eq!(
            [&old, &new, &both].map(|id| users.account(id) == Account::Closed),
            [false, true, true]
        );
    }
}
