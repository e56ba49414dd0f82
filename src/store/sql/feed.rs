//! What other nodes changed: read from the table of changes at short intervals, and at once where
//! the database gives notice.

use super::core::{Core, timed};
use super::engine::{Purpose, Row, UPKEEP_WITHIN, args};
use super::lease::Lease;
use super::purge::limit;
use super::rows::{ACCOUNT, account, account_columns, deleted_account};
use crate::principal::Subject;
use crate::store::denials::Kind;
use crate::store::{Account, StoreError};
use std::collections::HashSet;
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

/// Changes are kept for an hour, by the database's clock: who heard nothing for half of it reads
/// everything. By that clock as well, because the one of this process stands still while its machine
/// is suspended.
const CURSOR_LASTS: Duration = Duration::from_secs(1_800);

/// How many changes are read one by one. Where there are more, everything is read: that takes no
/// longer, and no more memory than there is to keep.
const MOST_CHANGES: usize = 10_000;

/// How many users are read one by one. Where rights were taken from more, everything is read: one
/// statement for each would not come to an end within the time of a reading.
const MOST_REDUCED: usize = 100;

/// How long a connection that brings no notice is kept.
const LISTENS_FOR: Duration = Duration::from_secs(60);

/// What a change is about, in the column `what`.
const TOKEN_REVOKED: i64 = 0;
const FAMILY_REVOKED: i64 = 1;
const USER_STATE: i64 = 2;
const USER_NAME: i64 = 3;
const KEY: i64 = 4;

/// What a change of a user's state says, in the column `number`. Any other one: rights were taken,
/// and the user's record says which.
const CLOSED: i64 = 0;
const WHOLE: i64 = 1;

/// Of some of them nothing is taken after all: it was given back.
const NOT_WHOLE: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM tower_auth_users u WHERE u.active = 0 OR u.taken_scopes <> '' OR u.taken_roles <> '' \
     UNION ALL SELECT ",
    deleted_account!(),
);

/// Up to where the changes were read.
struct Cursor {
    /// Another one is another server or file, or the same one from its backup: its cursors mean
    /// something else.
    incarnation: String,
    /// That of the engine.
    opened: u64,
    position: String,
    read: Instant,
    /// The same moment by the database's clock.
    time: SystemTime,
}

impl Cursor {
    /// Whether changes after it may have been removed by a time of the database's clock.
    fn is_over(&self, time: SystemTime) -> bool {
        let since = time.duration_since(self.time).unwrap_or_default();
        since >= CURSOR_LASTS
    }
}

/// Follows the changes until it is dropped.
pub(super) async fn follow(core: &Core) {
    let noticed = Notify::new();
    tokio::join!(poll(core, &noticed), listen(core, &noticed));
}

async fn poll(core: &Core, noticed: &Notify) {
    let interval = core.options.lag / 4;
    let mut cursor = None;
    loop {
        let began = Instant::now();
        match hear(core, &mut cursor).await {
            // As of the beginning: what was changed while the answer was on its way is not in it.
            Ok(()) => core.mirror.age().hear(began),
            Err(_) => core.mirror.age().miss(),
        }
        // It does not matter whether a notice came or the time is over: in either case the next
        // reading tells.
        let _ = timeout(interval, noticed.notified()).await;
    }
}

async fn listen(core: &Core, noticed: &Notify) {
    loop {
        // An error is not told: the polls go on meanwhile, so that nothing depends on this
        // connection. Where the network swallows the answer, it is asked for anew.
        if let Ok(Ok(listener)) = timeout(UPKEEP_WITHIN, core.engine.listen()).await {
            let Some(mut listener) = listener else { return };
            // What was changed before it listened gave no notice.
            noticed.notify_one();
            // A connection that died without a word reports no error. So one that brings nothing
            // for a while is replaced as well.
            while let Ok(Ok(())) = timeout(LISTENS_FOR, listener.changed()).await {
                noticed.notify_one();
            }
        }
        tokio::time::sleep(core.options.lag / 4).await;
    }
}

async fn hear(core: &Core, cursor: &mut Option<Cursor>) -> Result<(), StoreError> {
    core.mirror.users().begin_hearing();
    let within = (core.options.lag / 2).max(Duration::from_millis(50));
    match cursor
        .take()
        .filter(|cursor| cursor.read.elapsed() < CURSOR_LASTS)
    {
        None => *cursor = Some(timed(UPKEEP_WITHIN, read_all(core)).await?),
        Some(known) => {
            *cursor = match timeout(within, read_changes(core, &known)).await {
                Ok(Ok(next)) => next,
                // Where the reading fails the cursor stays where it is, so that nothing is left out
                // by the next one.
                Ok(Err(error)) => {
                    *cursor = Some(known);
                    return Err(error);
                }
                // What could not be read in time would not be the next time, when there is more of
                // it. So the next reading is one of everything, which has more time.
                Err(late) => return Err(StoreError::unavailable(late)),
            };
            if cursor.is_none() {
                *cursor = Some(timed(UPKEEP_WITHIN, read_all(core)).await?);
            }
        }
    }
    core.mirror.users().end_hearing();
    Ok(())
}

/// Reads all that is denied, and forgets what may have changed unheard.
async fn read_all(core: &Core) -> Result<Cursor, StoreError> {
    let mut lease = core.lease(Purpose::Upkeep).await?;
    // The cursor is read first. What changes between it and the readings is read twice; the other
    // way round it would be missed.
    let cursor = cursor(core, &mut lease).await?;
    for mut row in lease
        .run("SELECT kind, id, until FROM tower_auth_revoked", &[])
        .await?
    {
        let kind = if row.int()? == TOKEN_REVOKED {
            Kind::Token
        } else {
            Kind::Family
        };
        core.mirror.deny(kind, &row.text()?, row.time()?);
    }
    let rows = lease.run(NOT_WHOLE, &[]).await?;
    let accounts: Result<_, _> = rows.into_iter().map(account).collect();
    core.mirror.users().replace(accounts?);
    core.keys.forget_all();
    core.users.forget_all();
    Ok(cursor)
}

async fn cursor(core: &Core, lease: &mut Lease<'_>) -> Result<Cursor, StoreError> {
    let read = Instant::now();
    let opened = core.engine.times_opened();
    // The statement comes last: if another file came in between, the cursor names the former one,
    // and the next reading begins anew.
    let row = lease.first(core.engine.dialect().cursor, &[]).await?;
    let mut row = row.ok_or_else(|| StoreError::unavailable("the database has no cursor"))?;
    Ok(Cursor {
        incarnation: row.text()?,
        position: row.text()?,
        time: row.time()?,
        opened,
        read,
    })
}

/// Reads and applies the changes after a cursor; `None` where they do not follow on it.
async fn read_changes(core: &Core, after: &Cursor) -> Result<Option<Cursor>, StoreError> {
    let read = Instant::now();
    let mut lease = core.lease(Purpose::Upkeep).await?;
    let opened = core.engine.times_opened();
    if opened != after.opened {
        return Ok(None);
    }
    // One more than is read one by one, which tells whether there are more.
    let most = limit(MOST_CHANGES + 1);
    let args = args![after.position.as_str(), most];
    let rows = lease.run(core.engine.dialect().changes, args).await?;
    if rows.len() > MOST_CHANGES {
        return Ok(None);
    }
    let mut reduced = HashSet::new();
    let mut next = None;
    for mut row in rows {
        let incarnation = row.text()?;
        let position = row.text()?;
        let time = row.time()?;
        if incarnation != after.incarnation || after.is_over(time) {
            return Ok(None);
        }
        next = Some(Cursor {
            incarnation,
            position,
            opened,
            read,
            time,
        });
        reduced.extend(apply(core, row)?);
    }
    if reduced.len() > MOST_REDUCED {
        return Ok(None);
    }
    for id in reduced {
        let row = lease.first(ACCOUNT, args![id.kind(), id.id()]).await?;
        if let Some(row) = row {
            let (id, version, account) = account(row)?;
            core.mirror.users().set(&id, version, account);
        }
    }
    Ok(next)
}

/// Applies a change, which may have been applied already. Gives the user whose account is to be
/// read, because rights were taken from it.
fn apply(core: &Core, mut row: Row) -> Result<Option<Subject>, StoreError> {
    let Some(what) = row.int_or_null()? else {
        return Ok(None);
    }; // no change, only the cursor
    let (kind, id, digest) = (
        row.text_or_null()?,
        row.text_or_null()?,
        row.digest_or_null()?,
    );
    match (what, kind, id, digest) {
        (TOKEN_REVOKED, _, Some(id), _) => core.mirror.deny(Kind::Token, &id, row.time()?),
        (FAMILY_REVOKED, _, Some(id), _) => core.mirror.deny(Kind::Family, &id, row.time()?),
        (USER_STATE, Some(kind), Some(id), _) => {
            let id = Subject::new(kind, id);
            let state = row.int()?;
            let version = row.int()?;
            match state {
                CLOSED => core.mirror.users().set(&id, version, Account::Closed),
                WHOLE => core.mirror.users().set(&id, version, Account::Whole),
                _ => return Ok(Some(id)),
            }
        }
        (USER_NAME, _, Some(name), _) => core.users.forget(name.as_str()),
        (KEY, _, _, Some(digest)) => core.keys.forget(&digest),
        // A later release may note changes of a kind that does not concern this one.
        _ => {}
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::super::engine::{Arg, Cell, Connection, Dialect, Engine, Listener};
    use super::super::locking::locking;
    use super::*;
    use crate::store::{KeyDigest, KeyRecord, Peek, StoreOptions, UserRecord};
    use async_trait::async_trait;
    use std::sync::{Arc, Mutex};
    use std::time::UNIX_EPOCH;

    static DIALECT: Dialect = Dialect {
        begin_audit: "",
        insert_audit: "",
        begin: "",
        begin_migration: "",
        schema: &[],
        schema_table: "",
        now: "",
        lock_key: "",
        lock_token: "",
        lock_account: "",
        lock_id: None,
        lock_family: "",
        lock_user: "",
        locking: locking!("", ""),
        note_key_uses: "",
        note_token_uses: "",
        cursor: "cursor",
        changes: "changes",
        purge_changes: "",
    };

    /// A database in which nothing happens, but which may be another one.
    #[derive(Clone, Default)]
    struct Quiet(Arc<Mutex<State>>);

    #[derive(Default)]
    struct State {
        incarnation: i64,
        opened: u64,
        readings: usize,
        changes: usize,
        /// By its own clock, in microseconds.
        time: i64,
        /// How many of the changes take a right from a user of their own.
        reduced: usize,
        /// How many users were read one by one.
        accounts: usize,
        /// How long a reading of the changes takes.
        takes: Duration,
    }

    #[async_trait]
    impl Engine for Quiet {
        fn dialect(&self) -> &'static Dialect {
            &DIALECT
        }

        async fn open(&self, _: Purpose) -> Result<Box<dyn Connection>, StoreError> {
            Ok(Box::new(self.clone()))
        }

        fn times_opened(&self) -> u64 {
            self.0.lock().unwrap().opened
        }

        fn may_pass(&self, _: &StoreError) -> bool {
            false
        }

        async fn listen(&self) -> Result<Option<Box<dyn Listener>>, StoreError> {
            Ok(None)
        }
    }

    #[async_trait]
    impl Connection for Quiet {
        async fn run(&mut self, sql: &'static str, _: &[Arg<'_>]) -> Result<Vec<Row>, StoreError> {
            if sql == "changes" {
                let takes = self.0.lock().unwrap().takes;
                tokio::time::sleep(takes).await;
            }
            let mut state = self.0.lock().unwrap();
            match sql {
                "cursor" => {
                    state.readings += 1;
                    Ok(vec![Row::new(state.cursor())])
                }
                "changes" => {
                    let changes = (0..=state.changes).map(|n| Row::new(state.change(n)));
                    Ok(changes.collect())
                }
                ACCOUNT => {
                    state.accounts += 1;
                    Ok(Vec::new())
                }
                _ => Ok(Vec::new()),
            }
        }

        async fn batch(&mut self, _: &'static str) -> Result<(), StoreError> {
            Ok(())
        }

        fn give_back(self: Box<Self>) {}
    }

    impl State {
        fn cursor(&self) -> Vec<Cell> {
            let incarnation = Cell::Text(self.incarnation.to_string());
            vec![
                incarnation,
                Cell::Text("1".to_owned()),
                Cell::Int(self.time),
            ]
        }

        /// The first ones take a right from a user, and the others are none.
        fn change(&self, n: usize) -> Vec<Cell> {
            const REDUCED: i64 = 2;
            let mut row = self.cursor();
            if n < self.reduced {
                let text = |text: &str| Cell::Text(text.to_owned());
                row.extend([Cell::Int(USER_STATE), text("user"), text(&n.to_string())]);
                row.extend([Cell::Null, Cell::Int(REDUCED), Cell::Int(1)]);
            } else {
                row.extend(std::iter::repeat_with(|| Cell::Null).take(6));
            }
            row
        }
    }

    const DIGEST: [u8; 32] = [7; 32];

    /// Whether a key and a user that are cached are still known after a hearing.
    async fn hear_once(core: &Core, cursor: &mut Option<Cursor>) -> bool {
        let now = Instant::now();
        let key = async {
            let digest = KeyDigest::new("sha256", DIGEST);
            let owner = Subject::user("1");
            Ok(Some(Arc::new(KeyRecord::new(
                "1", owner, "n", "h", digest, UNIX_EPOCH,
            ))))
        };
        core.keys.get(&DIGEST, now, key).await.unwrap();
        let user = async { Ok(Some(Arc::new(UserRecord::new(Subject::user("1"), "anna")))) };
        core.users.get("anna", now, user).await.unwrap();
        hear(core, cursor).await.unwrap();
        let is_known = [
            matches!(core.keys.peek(&DIGEST, now), Peek::Found(_)),
            matches!(core.users.peek("anna", now), Peek::Found(_)),
        ];
        assert_eq!(is_known[0], is_known[1], "both or none");
        is_known[0]
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_cached_is_forgotten_after_a_failover_a_restoration_and_half_an_hour_of_deafness()
     {
        let engine = Quiet::default();
        let core = Core::new(engine.clone(), StoreOptions::new());
        let mut cursor = None;
        let readings = || engine.0.lock().unwrap().readings;
        assert!(!hear_once(&core, &mut cursor).await, "the first reading");
        assert!(hear_once(&core, &mut cursor).await, "nothing happened");
        assert_eq!(readings(), 1);

        engine.0.lock().unwrap().incarnation = 1;
        assert!(!hear_once(&core, &mut cursor).await, "another server");
        assert!(hear_once(&core, &mut cursor).await);
        engine.0.lock().unwrap().opened = 1;
        assert!(!hear_once(&core, &mut cursor).await, "another file");
        assert!(hear_once(&core, &mut cursor).await);
        engine.0.lock().unwrap().changes = MOST_CHANGES;
        assert!(!hear_once(&core, &mut cursor).await, "too many changes");
        engine.0.lock().unwrap().changes = 0;
        assert!(hear_once(&core, &mut cursor).await);
        assert_eq!(readings(), 4);

        tokio::time::advance(CURSOR_LASTS - Duration::from_millis(1)).await;
        assert!(
            hear_once(&core, &mut cursor).await,
            "the changes are there yet"
        );
        tokio::time::advance(CURSOR_LASTS).await;
        assert!(!hear_once(&core, &mut cursor).await, "some may be gone");
        assert_eq!(readings(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_suspended_for_longer_than_changes_are_kept_reads_everything() {
        let engine = Quiet::default();
        let core = Core::new(engine.clone(), StoreOptions::new());
        let mut cursor = None;
        hear_once(&core, &mut cursor).await;
        let minutes = |n: i64| n * 60_000_000;
        for (passed, is_known) in [
            (0, true),
            (minutes(29), true),
            // A clock that is set back removes nothing.
            (minutes(-60), true),
            (minutes(30), false),
            (minutes(120), false),
        ] {
            engine.0.lock().unwrap().time += passed;
            // The clock of the process stands still meanwhile.
            tokio::time::advance(Duration::from_millis(250)).await;
            let known = hear_once(&core, &mut cursor).await;
            assert_eq!(known, is_known, "{passed}");
            assert!(hear_once(&core, &mut cursor).await, "{passed}: and then on");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn rights_taken_from_many_users_at_once_are_read_by_one_reading_of_everything() {
        for (reduced, accounts, readings) in [
            (MOST_REDUCED, MOST_REDUCED, 1),
            (MOST_REDUCED + 1, 0, 2),
            (5_000, 0, 2),
        ] {
            let engine = Quiet::default();
            let core = Core::new(engine.clone(), StoreOptions::new());
            let mut cursor = None;
            hear(&core, &mut cursor).await.unwrap();
            engine.0.lock().unwrap().changes = reduced;
            engine.0.lock().unwrap().reduced = reduced;
            hear(&core, &mut cursor).await.unwrap();
            let state = engine.0.lock().unwrap();
            assert_eq!(state.accounts, accounts, "{reduced}");
            assert_eq!(state.readings, readings, "{reduced}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn changes_that_cannot_be_read_in_time_are_followed_by_a_reading_of_everything() {
        let engine = Quiet::default();
        let core = Core::new(engine.clone(), StoreOptions::new());
        let mut cursor = None;
        hear(&core, &mut cursor).await.unwrap();
        engine.0.lock().unwrap().takes = core.options.lag;
        assert!(hear(&core, &mut cursor).await.is_err(), "too late");
        hear(&core, &mut cursor).await.unwrap();
        assert_eq!(engine.0.lock().unwrap().readings, 2);
    }
}
