//! Deploying: proxies, TLS, several nodes, backups, and the rotation of what is secret.
//!
//! # Behind a proxy
//!
//! Limits by address, and the guard of passwords, go by the address that a request comes from.
//! Behind a proxy, every request has the proxy's address. So list your proxies:
//!
//! ```
//! # use tower_auth::Realm;
//! # use tower_auth::store::Memory;
//! # use tower_auth::throttle::Addresses;
//! let realm = Realm::new(Memory::new()).addresses(Addresses::new().trust("10.0.0.0/8"));
//! # let keys = realm.api_keys(tower_auth::ApiKeys::prefix("egret"));
//! # tower_auth::AuthLayer::builder().accept(&keys).build().unwrap();
//! ```
//!
//! - `X-Forwarded-For` is read from trusted peers alone, from its right end, so that what a client
//!   writes into it counts for nothing. For `Forwarded` (RFC 7239) there is
//!   [`Addresses::forwarded`](crate::throttle::Addresses::forwarded), for a proxy whose addresses
//!   change [`Addresses::hops`](crate::throttle::Addresses::hops).
//! - The proxy must *set* the field, or append to it: in nginx `proxy_set_header X-Forwarded-For
//!   $proxy_add_x_forwarded_for;`.
//! - The server has to tell the peer's address. axum:
//!   `app.into_make_service_with_connect_info::<SocketAddr>()`; `server` of this crate does so. The
//!   log says `peer unknown` once where nothing tells it.
//! - A proxy that caches must not cache answers to requests with a credential:
//!   [`AuthLayerBuilder::vary`](crate::layer::AuthLayerBuilder::vary) says by which fields they
//!   differ.
//!
//! # TLS
//!
//! Credentials are in every request, so every hop that others can listen on is TLS. End it at a
//! proxy, or serve with a TLS server (`axum-server`, `tokio-rustls`) and this layer inside. Say the
//! URL that browsers see:
//! [`AuthLayerBuilder::public_url`](crate::layer::AuthLayerBuilder::public_url) is what cookies and
//! DPoP proofs are held against. (`PUBLIC_URL` of [`Environment`](crate::server::Environment) is
//! what its server calls itself; hand it to the layer as well.) To PostgreSQL TLS is switched on in
//! its URL (`?sslmode=verify-full`), to Redis by `rediss://` (feature `redis-tls`).
//!
//! # Several nodes
//!
//! Nodes share a PostgreSQL database; processes of one machine may share an SQLite file.
//!
//! - A node hears of what another one revokes at once by PostgreSQL's notifications, and within
//!   [`StoreOptions::lag`](crate::store::StoreOptions::lag) (1 second) in any case. Where it hears
//!   nothing for longer, it asks the database at each request instead of trusting its memory.
//!   [`Postgres::lag`] is how old its news is; alert on it.
//! - Each node counts its throttles for itself, so that three nodes admit three times as much,
//!   unless they share a Redis or Valkey server: [`Realm::limiter`](crate::Realm::limiter) with
//!   `RedisLimiter::new(url).nodes(3)` (`REDIS_NODES` in the environment). While that server does
//!   not answer, each node admits its share of a rate, which is the whole rate where `nodes` is not
//!   said. What the server has to be set to stands at [`RedisLimiter`];
//!   [`RedisLimiter::may_forget`] looks at the settings.
//! - Attempts at passwords are counted by each node, too, and so are the proofs of DPoP that were
//!   used: a proof is good once on each node.
//! - What [`load_user`](crate::layer::AuthLayerBuilder::load_user) gave is remembered by each node
//!   for a minute; [`AuthLayer::forget_user`](crate::AuthLayer::forget_user) forgets it on one.
//! - Each node opens at most [`StoreOptions::connections`](crate::store::StoreOptions::connections)
//!   connections for requests and three more for upkeep and news. PgBouncer works in session mode
//!   alone.
//! - All nodes have the same secrets, and clocks that agree: a token that one of them issued ends
//!   on each by its own clock.
//!
//! # Start, probes and stop
//!
//! - `migrate` before the new release starts: `tower-auth migrate` (feature `cli`), or
//!   [`Store::migrate`](crate::store::Store::migrate) at start. The steps are such that the release
//!   before goes on working; several nodes may migrate at once, and one of them does.
//! - Readiness: [`AuthLayer::ready`](crate::AuthLayer::ready) loads the keys of issuers, and fails
//!   where they cannot be. Liveness needs nothing of this crate.
//! - A server made ready: [`server`](crate::server) (feature `server`) reads addresses, secrets,
//!   stores and limits from the environment ([`Environment`](crate::server::Environment)), serves
//!   with connect info, and stops as follows. Its refresh tokens are rotated only with
//!   `ROTATE_REFRESH_TOKENS=true`; without it a stolen one is not noticed.
//! - What happens is kept with `Realm::audit(Audit::new())`
//!   ([`Audit`](crate::event::Audit)), in the realm's store.
//! - Stop: on SIGTERM finish what is in flight, then wait for
//!   [`Realm::audit_written`](crate::Realm::audit_written) where you keep what happens.
//! - `tower-auth doctor` says what is wrong with a deployment before its users do.
//!
//! # Backup and restore
//!
//! **SQLite.** Copying the file is not a backup: what was written last may be in `auth.db-wal`, and
//! a copy that is made while somebody writes may be torn. Ask SQLite for a copy, which is whole and
//! does not stop the service:
//!
//! ```text
//! sqlite3 auth.db "VACUUM INTO 'backup/auth-2026-11-29.db'"
//! ```
//!
//! To restore while the service runs, have SQLite write it: `sqlite3 auth.db ".restore backup.db"`.
//! To restore with the service stopped, put the copy in the place of `auth.db` **and remove
//! `auth.db-wal` and `auth.db-shm`**, which belong to the former file.
//!
//! **PostgreSQL.** `pg_dump`, or continuous archiving. All tables of this crate begin with
//! `tower_auth_`; dump them together.
//!
//! A restore takes back what happened since, revocations included: a key that was revoked after the
//! backup is good again, and a password is the former one. Running nodes notice that the data
//! changed and clear their caches. After a restore end all sessions, where that is a risk: with
//! another `JWT_SECRET` and no previous one, every token is refused from then on. Keys that were
//! revoked since are in the audit: `tower-auth audit tail`, where you keep one in another place.
//!
//! Neither tokens nor keys nor passwords can be read from a backup: it has hashes of them. With a
//! pepper, which is not in it, a stolen backup does not even tell whether a given key is there.
//!
//! # Rotating what is secret
//!
//! **The secret of [`Tokens`]** (`JWT_SECRET`). Nobody is signed out:
//!
//! 1. `tower-auth secret new`.
//! 2. Set `JWT_SECRET_PREVIOUS` to the *new* secret on every node. It verifies, and does not sign
//!    yet. With one node, or where a few 401s during the roll-out do no harm, leave this step out.
//! 3. On every node set `JWT_SECRET` to the new secret and `JWT_SECRET_PREVIOUS` to the former one.
//! 4. After the longest lifetime of a refresh or private token unset `JWT_SECRET_PREVIOUS`.
//!
//! In code that is [`Tokens::next_key`](crate::Tokens::next_key) and
//! [`Tokens::retired_key`](crate::Tokens::retired_key). A secret that *leaked* is not kept as the
//! previous one: set a new one alone, and everybody signs in anew.
//!
//! **Key pairs** rotate by themselves: [`KeyRotation`](crate::jwt::KeyRotation), with the next key
//! published before it signs and each kept until its last token has expired.
//!
//! **The pepper of API keys** (`API_KEY_PEPPER`). A stored key moves to the new pepper when it is
//! used next:
//!
//! 1. `tower-auth secret new`, and an id for it, such as `2027`.
//! 2. Add the *new* `ID:SECRET` to `API_KEY_PEPPERS_PREVIOUS` on every node. A node that already
//!    stores keys under the new pepper would otherwise hide them from those that do not know it
//!    yet, which answer 401. With one node leave this step out.
//! 3. On every node set `API_KEY_PEPPER` to the new one, and have the former one in
//!    `API_KEY_PEPPERS_PREVIOUS` (beside those that are there).
//! 4. Choose a period in which every key should be used once, and then remove the former one. Keys
//!    that were not used by then stop working.
//!
//! The first pepper of a service that has none yet is brought in by the same steps.
//!
//! **An API key.** `POST …/rotate/` of the keys' endpoint, or `tower-auth key rotate`: the
//! successor is shown once, and the former key goes on working for the overlap. A key that leaked
//! is revoked, not rotated; let scanners find it before others do
//! ([`ApiKeys::scanner_rule`](crate::ApiKeys::scanner_rule)), and partners report it
//! ([`LeakReports`](crate::endpoint::LeakReports)).
//!
//! **A user's password**: `tower-auth user password`, which ends all sessions and private tokens of
//! the user.
//!
//! # What to watch
//!
//! The page [`metrics`] (feature `metrics`) has the numbers, and the alerts that are worth a
//! night: `unavailable` decisions, lag, reuse of refresh tokens, keys of issuers that cannot be
//! loaded. In the log, events of target `tower_auth` at `error` say what the service did wrong, and
//! at `warn` what an operator should look at.
//!
//! [`Postgres::lag`]: ../../store/struct.Postgres.html#method.lag
//! [`RedisLimiter::may_forget`]: ../../throttle/struct.RedisLimiter.html#method.may_forget
//! [`RedisLimiter`]: ../../throttle/struct.RedisLimiter.html
//! [`Tokens`]: ../../struct.Tokens.html
//! [`metrics`]: ../metrics/index.html
