//! Why it is as it is: the decisions that the rest follows from, what each costs, and what keeps
//! it.
//!
//! Names of tests are those of the repository, below `tests/it`; they fail when the decision is
//! broken. `ARCHITECTURE.md` there says where which code stands.
//!
//! # Facts are remembered, decisions are not
//!
//! What is true of a token stays true: its signature, its claims. That is remembered, and the token
//! is not verified again. Whether it may pass changes by the second: it expires, its session ends,
//! its user loses a right. That is judged with every request, from memory, by what was denied
//! since. The same holds for a key (its record is remembered, its expiry is compared each time) and
//! for Basic (that this password fits this hash is remembered for a minute).
//!
//! ```
//! use std::time::Duration;
//! use tower_auth::test_util::ManualClock;
//! use tower_auth::{AuthLayer, Grant, Realm, Subject, Tokens, random_secret, store::Memory};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = ManualClock::new(1_800_000_000);
//! let secret = random_secret()?;
//! let realm = Realm::new(Memory::new()).clock(clock.clone());
//! let tokens = realm.tokens(Tokens::hs256(secret.expose()).issuer("https://api.example.com"));
//! let auth = AuthLayer::builder().accept(&tokens).build()?;
//! let passes = async |token: &str| {
//!     let request = http::Request::get("/").header("authorization", format!("Bearer {token}"));
//!     auth.explain(&request.body(()).unwrap().into_parts().0).await.caller().is_some()
//! };
//!
//! let anna = tokens.issue(Grant::new(Subject::user("7"))).await?;
//! let ben = tokens.issue(Grant::new(Subject::user("8"))).await?;
//! for _ in 0..3 {
//!     assert!(passes(anna.access().expose()).await);
//!     assert!(passes(ben.access().expose()).await);
//! }
//! tokens.sign_out_everywhere(&Subject::user("7")).await?;
//! assert!(!passes(anna.access().expose()).await); // the next request
//! assert!(passes(ben.access().expose()).await);
//! clock.advance(Duration::from_secs(15 * 60));
//! assert!(!passes(ben.access().expose()).await); // to the second
//! # Ok(()) }
//! ```
//!
//! - *Costs*: a token that was seen before still costs 3,300 to 3,720 instructions (page
//!   [`performance`](super::performance)); what is denied is held by every node; between nodes
//!   there is a bound within which a revocation becomes known, a second by default
//!   ([`StoreOptions::lag`](crate::store::StoreOptions::lag)). A node that hears nothing for longer
//!   asks the database. Tokens of other issuers end when they expire: nobody tells of them earlier,
//!   except to [`Introspection`](crate::jwt::Introspection).
//! - *Kept by* `tokens::remembered::a_remembered_token_is_judged_by_its_times_to_the_second`,
//!   `tokens::remembered::a_remembered_token_of_ours_ends_with_its_family_and_with_its_key`,
//!   `endpoints::taken::every_change_of_a_user_reaches_every_credential_its_use_and_what_it_makes`,
//!   `databases::nodes::a_key_revoked_on_one_node_is_refused_on_the_other_within_the_bound`.
//!
//! # One realm
//!
//! Stores, clock, deadline, events, counts of attempts and limits are given once, to a
//! [`Realm`](crate::Realm), and everything that acts is made from it. So two layers count together,
//! a layer that is built anew goes on counting where the old one was, and no endpoint can have
//! another store than the layer that guards it.
//!
//! ```
//! use http::{Request, Response};
//! use std::convert::Infallible;
//! use tower::{Layer, ServiceExt, service_fn};
//! use tower_auth::throttle::Throttle;
//! use tower_auth::{ApiKeys, AuthLayer, ConfigProblem, KeyRequest, Realm, Subject, store::Memory};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
//! let key = keys.issue(KeyRequest::new(Subject::user("7"), "ci")).await?.key;
//! let layer = || AuthLayer::builder().accept(&keys).throttle(Throttle::per_key("2/min")).build();
//! let status = async |auth: AuthLayer| {
//!     let hello = |_: Request<String>| async {
//!         Ok::<_, Infallible>(Response::new(String::new()))
//!     };
//!     let request = Request::get("/").header("x-api-key", key.expose());
//!     let request = request.body(String::new()).unwrap();
//!     auth.layer(service_fn(hello)).oneshot(request).await.unwrap().status().as_u16()
//! };
//! assert_eq!(status(layer()?).await, 200);
//! assert_eq!(status(layer()?).await, 200); // another layer, the same count
//! assert_eq!(status(layer()?).await, 429);
//!
//! let others = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("heron"));
//! let error = AuthLayer::builder().accept(&keys).accept(&others).build().unwrap_err();
//! assert_eq!(error.problems(), [ConfigProblem::TwoRealms]);
//! # Ok(()) }
//! ```
//!
//! - *Costs*: an application with two sets of users that must not know of each other has two realms
//!   and two layers.
//! - *Kept by* [`ConfigProblem::TwoRealms`](crate::ConfigProblem::TwoRealms),
//!   `layer::two_layers_over_one_realm_count_wrong_passwords_together`,
//!   `configuration::what_belongs_to_two_realms_does_not_stand_in_one_layer`.
//!
//! # One scheme judges a credential
//!
//! A scheme gives one of three answers about a credential: not mine, genuine, or refused. Another
//! scheme is asked only after "not mine". A bad key is never tried as a token, and a bad credential
//! on an optional route is refused, not anonymous. Two credentials in one request are refused,
//! whichever they are: a proxy and a service that choose differently among them are a hole.
//!
//! - *Costs*: where cookies are read, a client that sends a stale one beside a good header gets
//!   400. What may stand where has to be said ([`Source`](crate::credential::Source)).
//! - *Kept by* [`Answer`](crate::scheme::Answer),
//!   `contract::the_first_scheme_that_recognises_a_credential_decides_and_no_other_is_shown_it`,
//!   `headers::properties::any_number_of_credential_fields_but_one_good_is_refused`.
//!
//! # What belongs together is written in one step
//!
//! A new password and the end of all sessions are one call of the store. So is making a key, on the
//! condition that the credential that asks for it is still good *in that step*: whoever signs out
//! while a request is under way leaves nothing behind. A refresh token is exchanged by one atomic
//! call, so that of two clients that present it at once no two have a living successor.
//!
//! - *Costs*: a store of your own has to have such a step
//!   ([`AllStores::commit`](crate::store::AllStores::commit)); one that has none is given role by
//!   role ([`Stores`](crate::store::Stores)), and what a dead credential made is taken back
//!   afterwards. An endpoint judges its caller twice, before the body and after it.
//! - *Kept by* the suite for stores (`store::conformance`, feature `test-util`),
//!   `endpoints::late`,
//!   `endpoints::race::a_thousand_refreshes_at_once_yield_one_live_successor`.
//!
//! # A store that fails is no answer
//!
//! Where a store or an issuer fails, is slow or panics, the answer is 503; where a hook, a check or
//! a scheme of yours panics, it is 500. It is never 401, for a client would throw a good credential
//! away, and never a pass. A shared limiter that does not answer is another matter: each node then
//! counts by itself and admits its share of the rate, which is all of it unless
//! `RedisLimiter::nodes` says how many nodes there are. By choice the answer is 503
//! ([`Throttle::refuse_in_outage`](crate::throttle::Throttle::refuse_in_outage)).
//!
//! - *Costs*: what has to be asked is down with the database. What memory can answer goes on.
//! - *Kept by* `stores::a_failed_slow_or_panicking_key_store_is_503_never_401_and_never_a_pass`.
//!   Who would rather have everything pass while a shared limiter is down says so by
//!   [`Throttle::dangerous`](crate::throttle::Throttle::dangerous).
//!
//! # Mistakes are refused at the start
//!
//! Texts become types where they come in: a [`Rate`](crate::throttle::Rate), a
//! [`Scope`](crate::Scope), an address. What cannot be one, and settings that contradict each other
//! or would mean nothing, are listed by `build()`, all at once; no request finds them. Settings
//! that can open a door stand behind `dangerous()`, and `none` or an algorithm of the token's
//! choice cannot be configured: the key says which algorithm it is for.
//!
//! ```
//! use tower_auth::throttle::Throttle;
//! use tower_auth::{AuthLayer, ConfigProblem, Jwt};
//!
//! let wrong = Jwt::hs256("too short").issuer("https://login.example.com");
//! let layer = AuthLayer::builder().accept(wrong).throttle(Throttle::per_principal("10/month"));
//! let error = layer.build().unwrap_err();
//! let [ConfigProblem::Audience, ConfigProblem::ShortSecret { .. }, ConfigProblem::Rate(_)] =
//!     error.problems()
//! else {
//!     panic!("{error}");
//! };
//! assert!(!error.to_string().contains("too short"), "no secret is shown");
//! ```
//!
//! - *Costs*: some set-ups that others let pass do not start: a secret of less than 32 bytes, a
//!   token without an audience, a cookie that another host of the domain can plant.
//! - *Kept by* [`ConfigError`](crate::ConfigError),
//!   `configuration::all_mistakes_are_reported_at_once_and_none_shows_a_secret`.
//!
//! # What a refusal tells
//!
//! | | the client | the log and the hook |
//! |---|---|---|
//! | what kind of refusal | status, `code`, challenges of all schemes | the same |
//! | why a token or a key was refused | nothing: forged, expired and revoked are answered alike | `reason`, in fixed words |
//! | who called | nothing | the caller, where one was verified |
//! | what failed behind it | nothing | the whole chain of errors |
//! | which scope is missing | its name | its name |
//! | when to come again | `Retry-After` | |
//! | the credential | nothing | nothing |
//!
//! Unknown users, wrong passwords and disabled accounts are answered alike after the same work.
//! There are three exceptions. The format [`Coded`](crate::format::Coded) tells the bearer of a
//! genuine token that it has expired or was revoked. A registration says that a name is taken. And
//! an imported hash of another kind takes another time to verify, until its user has signed in
//! once. Every refusal, of a gate, a handler or an endpoint, leaves by one door, in one format, and
//! is told once.
//!
//! ```
//! use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Realm, Subject, store::Memory};
//! # use http::{Request, Response};
//! # use http_body_util::BodyExt;
//! # use std::convert::Infallible;
//! # use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
//! let auth = AuthLayer::builder().accept(&keys).build()?;
//! # let answer = async |key: &str| {
//! #     let hello = |_: Request<String>| async {
//! #         Ok::<_, Infallible>(Response::new(String::new()))
//! #     };
//! #     let request = Request::get("/").header("x-api-key", key).body(String::new()).unwrap();
//! #     let response = auth.layer(service_fn(hello)).oneshot(request).await.unwrap();
//! #     let (head, body) = response.into_parts();
//! #     let body = body.collect().await.unwrap().to_bytes();
//! #     (head.status.as_u16(), format!("{:?}", head.headers), body)
//! # };
//! let owner = Subject::user("7");
//! let new = keys.issue(KeyRequest::new(owner.clone(), "ci")).await?;
//! assert_eq!(answer(new.key.expose()).await.0, 200);
//!
//! keys.revoke(&owner, &new.record.id).await?;
//! let revoked = answer(new.key.expose()).await;
//! let elsewhere = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
//! let unknown = elsewhere.issue(KeyRequest::new(owner, "ci")).await?.key;
//! assert_eq!(revoked.0, 401);
//! assert_eq!(answer(unknown.expose()).await, revoked);
//! assert_eq!(answer("egret_mistyped").await, revoked);
//! # Ok(()) }
//! ```
//!
//! - *Costs*: whoever asks "why 401?" has to look into the log; the page
//!   [`troubleshooting`](super::troubleshooting) says
//!   where.
//! - *Kept by* [`RejectionKind`](crate::RejectionKind), the one table of what each kind means on
//!   the wire; `headers::uniform`; `endpoints::enumeration`;
//!   `doors::a_handlers_refusal_is_told_once_whatever_layers_it_passes`.
//!
//! # Limits are charged before the work
//!
//! How often somebody may be wrong is counted before a password is hashed or a store is asked, and
//! given back where the credential was right. So what is under way counts, and a thousand guesses
//! at once are no more than a thousand one by one. Hashing goes by turns of address, and a key that
//! was good lately, or an owner who signs in from where they did before, is not refused for what
//! others do: a guard must not be a way to keep people out. Limits of rates stand after the
//! verification, because they count callers, and before the handler; several are all or nothing.
//!
//! - *Costs*: whoever hangs up in the middle has tried. The server has to tell the peer's address.
//!   Attempts are counted by each node for itself.
//! - *Kept by* [`AttemptLimits`](crate::throttle::AttemptLimits),
//!   `throttle::attempts::guessing_stops_before_a_password_is_hashed`,
//!   `throttle::hashing`,
//!   `throttle::races::sixty_four_threads_admit_exactly_n`.
//!
//! # What is kept cannot be presented
//!
//! | of | the store has | and not |
//! |---|---|---|
//! | an API key | SHA-256 of it, or HMAC with a pepper that is elsewhere; prefix and first characters for lists; owner, rights, expiry, last use | the key, which is shown once |
//! | a session | the ids of the current refresh token and the one before, times, what it grants | a token |
//! | a private token | its id, name, times | the token |
//! | a revoked token | its id, until it would have expired | the token |
//! | a password | argon2id | the password |
//! | a signing key | the pair, sealed under a secret that the store does not see | the private key in the open |
//!
//! A key has 256 random bits, so a fast hash is enough: nobody guesses it. It has a checksum, so
//! that a typo is refused without a look-up, and a prefix, so that scanners find one that leaked. A
//! password is guessed, so its hash is slow.
//!
//! - *Costs*: a lost key cannot be shown again; it is rotated. Rotating a pepper takes as long as
//!   everybody needs to use their key once.
//! - *Kept by* [`KeyRecord`](crate::store::KeyRecord),
//!   `endpoints::leaks::no_record_holds_a_piece_of_a_key_a_token_or_a_password`,
//!   `stores::a_typo_or_garbage_is_refused_without_asking_the_store`.
//!
//! # Nothing generic, and nothing that waits without need
//!
//! Layers, stores, limiters and formats have no type parameters that an application carries through
//! its signatures. What memory can answer is neither boxed nor spawned; a request that has to ask a
//! store is boxed once. The body is not touched, and need not be `Send`.
//!
//! - *Costs*: claims are parsed where a handler asks for them, at each call
//!   ([`Principal::claims`](crate::Principal::claims)), and a type that does not fit is seen when
//!   the code runs. A scheme of your own has to answer at once, or to return a future.
//! - *Kept by* `cargo bench --bench request -- gate`, which counts instructions and allocations of
//!   each request against a budget (page [`performance`](super::performance)),
//!   `contract::bodies_need_not_be_send_and_requests_without_refusal_reach_the_service_unchanged`.
//!
//! # Time is passed in
//!
//! The realm has the [`Clock`](crate::clock::Clock), and what expires is judged by it. So a test
//! moves a clock instead of sleeping, yours too: page [`testing`].
//!
//! - *Costs*: a store of your own compares with the time that it is given, not with its own.
//! - *Kept by* clippy, to which `SystemTime::now` is a disallowed method, and by
//!   `store::conformance`.
//!
//! [`testing`]: ../testing/index.html
