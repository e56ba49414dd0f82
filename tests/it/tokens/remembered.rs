//! What is remembered of a verified token are facts: every decision is taken anew, each time.
//!
//! A function that reads claims is asked whenever a token is verified, and not when it is found
//! again: by its calls a test knows which of both happened.

use super::forge::*;
use super::policy::{OTHER_ISSUER, OTHER_SECRET, key};
use crate::endpoints::world::{World, access};
use crate::support::{AUDIENCE, ISSUER, Reply, SECRET, Whoami, bearer, get, send};
use http::HeaderValue;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tower::ServiceExt;
use tower_auth::credential::Source;
use tower_auth::format::Coded;
use tower_auth::jwt::{JwtAlgorithm as Alg, JwtKey};
use tower_auth::layer::AuthLayerBuilder;
use tower_auth::store::{Memory, Stores, UserChange};
use tower_auth::test_util::ManualClock;
use tower_auth::{AuthLayer, Grant, Jwt, Realm, Scope, Subject, Tokens};
use tower_layer::Layer as _;

/// Layers that remember, their clock, and how often a token was verified.
struct Remembering {
    auth: AuthLayer,
    clock: ManualClock,
    verified: Arc<AtomicUsize>,
}

impl Remembering {
    fn new(jwts: impl IntoIterator<Item = Jwt>) -> Self {
        let clock = ManualClock::new(NOW);
        let verified = Arc::new(AtomicUsize::new(0));
        let realm = Realm::new(Stores::new()).clock(clock.clone());
        let auth = jwts
            .into_iter()
            .map(|jwt| {
                let verified = Arc::clone(&verified);
                jwt.read_claims(move |_| {
                    verified.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                })
            })
            .fold(AuthLayer::builder().realm(&realm), AuthLayerBuilder::accept)
            .format(Coded)
            .build()
            .unwrap();
        Self {
            auth,
            clock,
            verified,
        }
    }

    async fn show(&self, token: &str) -> Reply {
        send(&self.auth, bearer(token)).await
    }

    async fn opens(&self, token: &str) -> bool {
        self.show(token).await.status == 200
    }

    /// Shows a good token until it is remembered.
    async fn remember(&self, token: &str) {
        for _ in 0..2 {
            assert!(self.opens(token).await);
        }
        let verified = self.verified.load(Ordering::Relaxed);
        assert!(self.opens(token).await);
        let is_remembered = verified == self.verified.load(Ordering::Relaxed);
        assert!(is_remembered, "it was verified a third time");
    }
}

fn ours(alg: Alg) -> Jwt {
    Jwt::new().issuer(ISSUER).audience(AUDIENCE).key(key(alg))
}

#[tokio::test]
async fn a_token_is_verified_once_and_one_under_a_secret_twice_however_often_it_comes() {
    for alg in usable(ALGORITHMS) {
        let expected = if is_of_secrets(alg) { 2 } else { 1 };
        let layer = Remembering::new([ours(alg)]);
        let token = good(alg);
        let first = layer.show(&token).await;
        for _ in 0..5 {
            assert_eq!(layer.show(&token).await, first, "{alg:?}");
        }
        assert_eq!(first.text(), "Jwt anna");
        let verified = layer.verified.load(Ordering::Relaxed);
        assert_eq!(verified, expected, "{alg:?}");
    }
}

#[tokio::test]
async fn without_a_cache_a_token_is_verified_whenever_it_comes() {
    for alg in usable([Alg::Hs256, Alg::Es256]) {
        let layer = Remembering::new([ours(alg).cache_bytes(0)]);
        let token = good(alg);
        for _ in 0..5 {
            assert!(layer.opens(&token).await);
        }
        assert_eq!(layer.verified.load(Ordering::Relaxed), 5, "{alg:?}");
    }
}

#[tokio::test]
async fn a_remembered_token_is_judged_by_its_times_to_the_second() {
    struct Case {
        name: &'static str,
        claims: String,
        jwt: fn(Jwt) -> Jwt,
        good: u64,
        bad: u64,
    }
    let usual = |jwt: Jwt| jwt;
    let strict = |jwt: Jwt| jwt.leeway(Duration::ZERO);
    let young = |jwt: Jwt| jwt.max_age(Duration::from_secs(100));
    let young_and_strict = |jwt: Jwt| {
        let jwt = jwt.max_age(Duration::from_secs(100));
        jwt.leeway(Duration::ZERO)
    };
    let cases = [
        Case {
            name: "exp",
            claims: claims(),
            jwt: strict,
            good: NOW + 599,
            bad: NOW + 600,
        },
        Case {
            name: "exp with leeway",
            claims: claims(),
            jwt: usual,
            good: NOW + 659,
            bad: NOW + 660,
        },
        Case {
            name: "nbf, and a clock that steps back",
            claims: claims_with_all(&[
                ("nbf", &NOW.to_string()),
                ("iat", &(NOW - 999).to_string()),
            ]),
            jwt: strict,
            good: NOW,
            bad: NOW - 1,
        },
        Case {
            name: "nbf with leeway",
            claims: claims_with_all(&[
                ("nbf", &NOW.to_string()),
                ("iat", &(NOW - 999).to_string()),
            ]),
            jwt: usual,
            good: NOW - 60,
            bad: NOW - 61,
        },
        Case {
            name: "iat, and a clock that steps back",
            claims: claims(),
            jwt: strict,
            good: NOW - 10,
            bad: NOW - 11,
        },
        Case {
            name: "max age",
            claims: claims(),
            jwt: young_and_strict,
            good: NOW + 89,
            bad: NOW + 90,
        },
        Case {
            name: "max age with leeway",
            claims: claims(),
            jwt: young,
            good: NOW + 149,
            bad: NOW + 150,
        },
    ];
    for alg in usable([Alg::Hs256, Alg::Es256]) {
        for case in &cases {
            let name = case.name;
            let layer = Remembering::new([(case.jwt)(ours(alg))]);
            let fresh = Remembering::new([(case.jwt)(ours(alg)).cache_bytes(0)]);
            let token = token(alg, header(alg), &case.claims);
            layer.remember(&token).await;
            for _ in 0..3 {
                layer.clock.set(case.good);
                assert!(layer.opens(&token).await, "{alg:?}, {name}");
                layer.clock.set(case.bad);
                let refused = layer.show(&token).await;
                assert_eq!(refused.status, 401, "{alg:?}, {name}");
                fresh.clock.set(case.bad);
                assert_eq!(refused, fresh.show(&token).await, "{alg:?}, {name}");
            }
        }
    }
}

#[tokio::test]
async fn a_remembered_token_that_is_altered_in_one_bit_is_refused_whichever_it_is() {
    for alg in usable([Alg::Hs256, Alg::EdDsa]) {
        let layer = Remembering::new([ours(alg)]);
        let token = good(alg);
        layer.remember(&token).await;
        let mut altered = 0;
        for at in 0..token.len() {
            for bit in 0..8 {
                let mut bytes = format!("Bearer {token}").into_bytes();
                bytes["Bearer ".len() + at] ^= 1 << bit;
                // What no header may hold never comes here.
                let Ok(value) = HeaderValue::from_bytes(&bytes) else {
                    continue;
                };
                let mut request = get(&[]);
                request.headers_mut().insert("authorization", value);
                let reply = send(&layer.auth, request).await;
                // A comma would begin a second credential.
                let expected = if bytes.contains(&b',') { 400 } else { 401 };
                assert_eq!(reply.status, expected, "{alg:?}: bit {bit} of byte {at}");
                altered += 1;
            }
        }
        assert!(altered > 7 * token.len(), "{altered}");
        assert!(layer.opens(&token).await, "the token itself is still good");
    }
}

#[tokio::test]
async fn parts_of_remembered_tokens_make_no_other_one() {
    let layer = Remembering::new([ours(Alg::Hs256)]);
    let [anna, ben] = ["anna", "ben"].map(|who| {
        let claims = claims_with("sub", &format!("\"{who}\""));
        hs(header(Alg::Hs256), claims)
    });
    layer.remember(&anna).await;
    layer.remember(&ben).await;
    let parts = |token: &str| -> [String; 3] {
        let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
        parts.try_into().unwrap()
    };
    let [header, annas, annas_mac] = parts(&anna);
    let [_, bens, bens_mac] = parts(&ben);
    for (name, token) in [
        (
            "her name, his signature",
            format!("{header}.{annas}.{bens_mac}"),
        ),
        (
            "his name, her signature",
            format!("{header}.{bens}.{annas_mac}"),
        ),
        ("longer", format!("{anna}A")),
        ("another segment", format!("{anna}.{annas_mac}")),
        ("a segment before", format!("{header}.{anna}")),
        ("the signature alone", format!("..{annas_mac}")),
        (
            "half a signature",
            format!("{header}.{annas}.{}", &annas_mac[..22]),
        ),
    ] {
        assert!(!layer.opens(&token).await, "{name}");
    }
}

#[tokio::test]
async fn each_layer_and_each_issuer_remembers_for_itself() {
    let other = || {
        Jwt::new()
            .issuer(OTHER_ISSUER)
            .audience(AUDIENCE)
            .key(JwtKey::hs256(OTHER_SECRET).id("k1"))
    };
    let one = || {
        Jwt::new()
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .key(JwtKey::hs256(SECRET).id("k1"))
    };
    let header = header_and(Alg::Hs256, r#","kid":"k1""#);
    let ours = hs(&header, claims());
    let claims_of_other = claims_with("iss", &format!("\"{OTHER_ISSUER}\""));
    let theirs = hmac_token(Alg::Hs256, OTHER_SECRET, &header, &claims_of_other);
    // Signed by one of both, it says to be the other's.
    let pretends = hs(&header, &claims_of_other);
    let pretends_too = hmac_token(Alg::Hs256, OTHER_SECRET, &header, claims());
    let both = Remembering::new([one(), other()]);
    for _ in 0..3 {
        for token in [&ours, &theirs] {
            both.remember(token).await;
        }
        for token in [&pretends, &pretends_too] {
            assert!(!both.opens(token).await);
        }
    }
    // What one layer has let in, another does not know of.
    for (name, jwt) in [
        ("another issuer", other()),
        (
            "another audience",
            Jwt::hs256(SECRET).issuer(ISSUER).audience("invoices"),
        ),
        (
            "another key",
            Jwt::hs256(OTHER_SECRET).issuer(ISSUER).audience(AUDIENCE),
        ),
        ("another type", one().token_type("at+jwt")),
        (
            "a younger one",
            one().max_age(Duration::from_secs(5)).leeway(Duration::ZERO),
        ),
    ] {
        let alone = Remembering::new([jwt]);
        for _ in 0..3 {
            assert!(!alone.opens(&ours).await, "{name}");
        }
    }
}

#[tokio::test]
async fn a_remembered_token_is_refused_where_its_issuer_s_tokens_are_not_read() {
    let there = ours(Alg::Hs256).sources([Source::header("X-Token")]);
    let here = Jwt::hs256(OTHER_SECRET)
        .issuer(OTHER_ISSUER)
        .audience(AUDIENCE);
    let layer = Remembering::new([there, here]);
    let token = good(Alg::Hs256);
    for _ in 0..3 {
        let in_field = send(&layer.auth, get(&[("x-token", &token)])).await;
        assert_eq!(in_field.status, 200);
        assert!(!layer.opens(&token).await);
    }
    assert_eq!(layer.verified.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_remembered_token_of_a_tenant_that_is_let_in_no_longer_is_refused() {
    let open = Arc::new(AtomicBool::new(true));
    let is_open = Arc::clone(&open);
    let jwt = Jwt::hs256(SECRET)
        .issuer("https://login.example.com/{tenantid}/v2.0")
        .tenants_if(move |_| is_open.load(Ordering::Relaxed))
        .audience(AUDIENCE);
    let layer = Remembering::new([jwt]);
    let claims = claims_with("iss", "\"https://login.example.com/a-1/v2.0\"");
    let token = hs(header(Alg::Hs256), claims);
    layer.remember(&token).await;
    open.store(false, Ordering::Relaxed);
    assert!(!layer.opens(&token).await);
    open.store(true, Ordering::Relaxed);
    assert!(layer.opens(&token).await);
}

#[tokio::test]
async fn a_token_whose_claims_are_refused_is_not_remembered() {
    for alg in usable([Alg::Hs256, Alg::Es256]) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let jwt = ours(alg).read_claims(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Err(tower_auth::Rejection::permission_denied("not that one"))
        });
        let auth = AuthLayer::builder()
            .realm(&Realm::new(Stores::new()).clock(ManualClock::new(NOW)))
            .accept(jwt)
            .build()
            .unwrap();
        for times in 1..4 {
            let refused = send(&auth, bearer(&good(alg))).await;
            assert_eq!(refused.status, 403);
            assert_eq!(asked.load(Ordering::Relaxed), times, "{alg:?}");
        }
    }
}

/// What ends, or takes from, a token that we issued.
#[derive(Clone, Copy, Debug)]
enum End {
    Revoked,
    SignedOutEverywhere,
    Disabled,
    Removed,
    Expired,
    ScopeTaken,
}

const ENDS: [End; 6] = [
    End::Revoked,
    End::SignedOutEverywhere,
    End::Disabled,
    End::Removed,
    End::Expired,
    End::ScopeTaken,
];

impl End {
    async fn comes(self, world: &World, token: &str) {
        let anna = Subject::user("7");
        match self {
            Self::Revoked => world.tokens().revoke(token).await.unwrap(),
            Self::SignedOutEverywhere => world.tokens().sign_out_everywhere(&anna).await.unwrap(),
            Self::Disabled => world.users().disable(&anna).await.unwrap(),
            Self::Removed => world.users().remove(&anna).await.unwrap(),
            Self::Expired => world.clock.set(NOW + 400 * 86_400),
            Self::ScopeTaken => {
                let mut change = UserChange::default();
                change.scopes = Some(["reports:read"].into_iter().collect());
                drop(world.users().change(&anna, change).await.unwrap());
            }
        }
    }
}

#[tokio::test]
async fn a_remembered_token_of_ours_ends_or_loses_its_scope_by_the_next_request() {
    for end in ENDS {
        for private in [false, true] {
            let world = World::new().await;
            let token = match private {
                true => world.private_token("7").await.token.expose().clone(),
                false => access(&world.sign_in("7").await).to_owned(),
            };
            for _ in 0..4 {
                assert!(world.opens(&token).await, "{end:?}, private: {private}");
            }
            end.comes(&world, &token).await;
            for _ in 0..2 {
                let scope = world.auth.require(Scope::new("reports:write"));
                let guarded = world.auth.layer(scope.layer(Whoami));
                let response = guarded.oneshot(bearer(&token)).await.unwrap();
                let status = response.status();
                let expected = match end {
                    End::ScopeTaken => 403,
                    _ => 401,
                };
                assert_eq!(status, expected, "{end:?}, private: {private}");
            }
        }
    }
}

#[tokio::test]
async fn a_remembered_token_of_ours_ends_with_its_family_and_with_its_key() {
    let clock = ManualClock::new(NOW);
    let realm = Realm::new(Memory::new()).clock(clock.clone());
    let tokens = realm.tokens(Tokens::hs256(SECRET).issuer(ISSUER));
    let layers = [(); 2].map(|()| AuthLayer::builder().accept(&tokens).build().unwrap());
    let first = tokens.issue(Grant::new(Subject::user("7"))).await.unwrap();
    let opens = async |token: &str| {
        let mut statuses = Vec::new();
        for layer in &layers {
            statuses.push(send(layer, bearer(token)).await.status == 200);
        }
        statuses
    };
    for _ in 0..3 {
        assert_eq!(opens(access(&first)).await, [true; 2]);
    }
    // A refresh token that comes again after its grace ends the family.
    let refresh = first.refresh().unwrap().expose();
    drop(tokens.refresh(refresh).await.unwrap());
    clock.set(NOW + 60);
    assert!(tokens.refresh(refresh).await.is_err());
    assert_eq!(opens(access(&first)).await, [false; 2]);

    let second = tokens.issue(Grant::new(Subject::user("7"))).await.unwrap();
    for _ in 0..3 {
        assert_eq!(opens(access(&second)).await, [true; 2]);
    }
    let with_another_key = realm.tokens(Tokens::hs256(OTHER_SECRET).issuer(ISSUER));
    let layer = AuthLayer::builder().accept(&with_another_key).build();
    let reply = send(&layer.unwrap(), bearer(access(&second))).await;
    assert_eq!(reply.status, 401);
}
