//! Throttling, through the layer.

mod addresses;
mod attempts;
mod failover;
mod fields;
pub(crate) mod forwarder;
mod hashing;
mod limiters;
mod races;
mod redis;
mod rules;
pub(crate) mod server;
mod settlements;

use crate::dir;
use crate::support::*;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use std::time::{Duration, Instant};
use tower_auth::layer::AuthLayerBuilder;
use tower_auth::store::Memory;
use tower_auth::test_util::ManualClock;
use tower_auth::throttle::Peer;
use tower_auth::{ApiKeys, AuthLayer, KeyIssuer, KeyRequest, Realm, Subject};

/// Keys in memory, and a clock that is moved by hand.
pub(super) struct World {
    store: Memory,
    pub(super) clock: ManualClock,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            store: Memory::new(),
            clock: ManualClock::new(1_705_190_400),
        }
    }

    /// A realm over these keys, with counters of its own: what another process would have.
    pub(super) fn realm(&self) -> Realm {
        Realm::new(self.store.clone()).clock(self.clock.clone())
    }

    /// A layer over a realm of its own.
    pub(super) fn builder(&self) -> AuthLayerBuilder {
        over(&self.realm())
    }

    pub(super) fn keys(&self) -> KeyIssuer {
        keys_of(&self.realm())
    }

    /// A key of that owner.
    pub(super) async fn key(&self, owner: Subject) -> String {
        self.key_with(KeyRequest::new(owner, "test")).await
    }

    pub(super) async fn key_with(&self, request: KeyRequest) -> String {
        let new = self.keys().issue(request).await.unwrap();
        new.key.expose().clone()
    }

    pub(super) fn advance(&self, seconds: f64) {
        self.clock.advance(Duration::from_secs_f64(seconds));
    }
}

pub(super) fn keys_of(realm: &Realm) -> KeyIssuer {
    realm.api_keys(ApiKeys::prefix("egret"))
}

/// A layer of that realm.
pub(super) fn over(realm: &Realm) -> AuthLayerBuilder {
    AuthLayer::builder().accept(&keys_of(realm)).accept(jwt())
}

pub(super) fn with_peer(mut request: Request<Full<Bytes>>, peer: &str) -> Request<Full<Bytes>> {
    request.extensions_mut().insert(Peer(peer.parse().unwrap()));
    request
}

/// How often and for how long races are run: a little here, for long in `.ci/races`.
pub(super) struct Long {
    pub(super) runs: usize,
    pub(super) each: Duration,
}

impl Long {
    pub(super) fn asked_for() -> Self {
        let number = |name: &str, otherwise: f64| {
            std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
        };
        let each = Duration::from_secs_f64(number("RACE_SECONDS", 0.2));
        Self {
            runs: number("RACE_RUNS", 2.0) as usize,
            each,
        }
    }

    /// Whether a race that began then goes on.
    pub(super) fn goes_on(&self, start: Instant) -> bool {
        start.elapsed() < self.each
    }
}

#[expect(clippy::disallowed_methods, reason = "races are run for a time")]
pub(crate) fn start() -> Instant {
    Instant::now()
}

/// The statuses of so many requests one after the other.
pub(super) async fn statuses(auth: &AuthLayer, key: &str, times: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..times {
        statuses.push(send(auth, bearer(key)).await.status.as_u16());
    }
    statuses
}

/// How many of so many requests pass.
pub(super) async fn admitted(auth: &AuthLayer, key: &str, times: usize) -> usize {
    statuses(auth, key, times)
        .await
        .into_iter()
        .filter(|status| *status == 200)
        .count()
}
