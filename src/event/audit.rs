use std::time::Duration;

/// The audit log ([`Realm::audit`](crate::Realm::audit)): what of all that happens is kept, and for
/// how long. By default that is everything but refused requests, for 90 days, in the store of the
/// realm.
///
/// ```
/// use std::time::Duration;
/// use tower_auth::store::{AuditStore, Memory};
/// use tower_auth::event::Audit;
/// use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Realm, Subject};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let store = Memory::new();
/// let audit = Audit::new().keep(Duration::from_secs(365 * 24 * 3600));
/// let realm = Realm::new(store.clone()).audit(audit.clone());
/// let keys = realm.api_keys(ApiKeys::prefix("egret"));
/// keys.issue(KeyRequest::new(Subject::user("7"), "ci")).await?;
///
/// realm.audit_written().await; // a request never waits for that
/// let kept = store.list_audit(None, 10).await?;
/// assert_eq!(&*kept[0].action, "key created");
/// assert_eq!(kept[0].subject, Some(Subject::user("7")));
///
/// let forgetful = Realm::new(store).audit(audit.keep(Duration::ZERO));
/// let keys = forgetful.api_keys(ApiKeys::prefix("egret"));
/// assert!(AuthLayer::builder().accept(&keys).build().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
///
/// What it promises:
///
/// - **No request waits for it**, and none fails because of it. Records are written in batches by a
///   task of their own, 256 at most.
/// - **What may be lost** is bounded. While the store answers, records are written as soon as the
///   batch before them is: a process that is killed loses what waits then, which is mostly what
///   came during one write. While the store fails, it is tried again each second, and up to 10,000
///   records wait; of those that come when so many do, none is kept. How many were lost is the
///   record after those that waited then, however many more have come since: `audit lost`, with
///   their number as `target`.
/// - **A flood of refused requests does not push out the rest**: they take at most half of the
///   room. So do those that a throttle would refuse which only
///   [observes](crate::throttle::Throttle::observe): they count as refused here.
/// - A server that stops should first wait for what was told before, with a time-out of its own:
///   [`Realm::audit_written`](crate::Realm::audit_written). None does so by itself.
#[derive(Clone, Debug)]
#[must_use]
pub struct Audit {
    pub(super) kept_for: Duration,
    pub(super) refusals: Refusals,
    pub(super) scope_uses: bool,
}

/// Which refused requests are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusals {
    None,
    /// Those of somebody who was known, wrong passwords and revoked tokens.
    OfSomebody,
    All,
}

impl Audit {
    /// Everything but refused requests, for 90 days.
    pub fn new() -> Self {
        Self {
            kept_for: Duration::from_secs(90 * 24 * 60 * 60),
            refusals: Refusals::None,
            scope_uses: false,
        }
    }

    /// For how long records are kept. 0 is a mistake that `build()` names.
    pub fn keep(mut self, time: Duration) -> Self {
        self.kept_for = time;
        self
    }

    /// It is kept which scopes API keys use, once a day for each key and scope, so that it can be
    /// told which they do not
    /// ([`KeyIssuer::unused_scopes`](crate::KeyIssuer::unused_scopes)). A scope is used where a key
    /// passes a requirement of the layer ([`AuthLayer::require`](crate::AuthLayer::require)) that
    /// names it.
    pub fn scope_uses(mut self) -> Self {
        self.scope_uses = true;
        self
    }

    /// What is kept is too old at once.
    pub(crate) fn keeps_nothing(&self) -> bool {
        self.kept_for.is_zero()
    }

    /// Refused requests are kept as well where they say something of somebody: of a caller who was
    /// verified and may not do this or calls too often (403, 429), and, of those that are 401,
    /// wrong passwords and tokens that were revoked. With them are kept the requests that a
    /// throttle would refuse which only [observes](crate::throttle::Throttle::observe).
    pub fn refusals(mut self) -> Self {
        self.refusals = Refusals::OfSomebody;
        self
    }

    /// All refused requests are kept. Whoever sends many makes many records.
    pub fn all_refusals(mut self) -> Self {
        self.refusals = Refusals::All;
        self
    }
}

impl Default for Audit {
    fn default() -> Self {
        Self::new()
    }
}
