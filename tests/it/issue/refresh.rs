//! Families: one live successor whatever happens at once, reuse ends them, and none lives for ever.

use crate::endpoints::world::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tower_auth::event::Action;
use tower_auth::store::{PrivateTokenStore, TokenStore};
use tower_auth::{Grant, Rejection, RejectionKind, Subject, TokenPair, Tokens};

const AT_ONCE: usize = 1_000;

async fn with_tokens(tokens: fn(Tokens) -> Tokens) -> World {
    World::of(Plan {
        tokens,
        ..Plan::default()
    })
    .await
}

async fn again(world: &World, pair: &TokenPair) -> Result<TokenPair, Rejection> {
    world.tokens().refresh(refresh(pair)).await
}

async fn refused(world: &World, pair: &TokenPair) -> RejectionKind {
    again(world, pair).await.unwrap_err().kind()
}

async fn refresh_at_once(world: &World, pair: &TokenPair) -> Vec<Result<TokenPair, Rejection>> {
    let start = Arc::new(Barrier::new(AT_ONCE));
    let mut all = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (tokens, start) = (world.tokens().clone(), Arc::clone(&start));
        let token = refresh(pair).to_owned();
        all.spawn(async move {
            start.wait().await;
            tokens.refresh(&token).await
        });
    }
    all.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_refreshes_at_once_yield_one_live_successor() {
    let world = World::new().await;
    for _ in 0..5 {
        let first = world.sign_in("7").await;
        world.events.take();
        let pairs = refresh_at_once(&world, &first).await;
        let pairs: Vec<_> = pairs.into_iter().map(|pair| pair.unwrap()).collect();
        let ids: BTreeSet<_> = pairs
            .iter()
            .map(|pair| claims(refresh(pair))["jti"].to_string())
            .collect();
        assert_eq!(ids.len(), 1);
        let access_ids: BTreeSet<_> = pairs
            .iter()
            .map(|pair| claims(access(pair))["jti"].to_string())
            .collect();
        assert_eq!(
            access_ids.len(),
            AT_ONCE,
            "each access token has an id of its own"
        );
        let heard = world.events.take();
        assert_eq!(
            heard
                .iter()
                .filter(|action| **action == Action::Rotated)
                .count(),
            1
        );
        assert_eq!(heard.len(), AT_ONCE);

        // Each of them is the same and good once.
        let third = again(&world, &pairs[0]).await.unwrap();
        assert_eq!(
            refresh(&again(&world, &pairs[AT_ONCE - 1]).await.unwrap()),
            refresh(&third)
        );
        assert_eq!(
            refused(&world, &first).await,
            RejectionKind::RevokedToken,
            "its successor was used"
        );
        assert_eq!(refused(&world, &third).await, RejectionKind::RevokedToken);
        for pair in pairs.iter().chain([&first, &third]) {
            assert!(!world.opens(access(pair)).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_refreshes_at_once_without_grace_leave_no_live_family() {
    let world = with_tokens(|tokens| tokens.grace(Duration::ZERO)).await;
    let first = world.sign_in("7").await;
    let (good, bad): (Vec<_>, Vec<_>) = refresh_at_once(&world, &first)
        .await
        .into_iter()
        .partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (1, AT_ONCE - 1));
    let winner = good.into_iter().next().unwrap().unwrap();
    assert_eq!(refused(&world, &winner).await, RejectionKind::RevokedToken);
    assert!(!world.opens(access(&winner)).await && !world.opens(access(&first)).await);
    assert!(
        bad.into_iter()
            .all(|bad| bad.unwrap_err().kind() == RejectionKind::RevokedToken)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refresh_that_races_with_a_sign_out_leaves_nothing_that_works() {
    let world = World::new().await;
    for _ in 0..200 {
        let first = world.sign_in("7").await;
        let (tokens, token) = (world.tokens().clone(), refresh(&first).to_owned());
        let refreshing = tokio::spawn(async move { tokens.refresh(&token).await });
        let tokens = world.tokens().clone();
        let ending =
            tokio::spawn(async move { tokens.sign_out_everywhere(&Subject::user("7")).await });
        ending.await.unwrap().unwrap();
        let second = refreshing.await.unwrap();
        for pair in second.iter().chain([&first]) {
            assert!(!world.opens(access(pair)).await);
            assert_eq!(refused(&world, pair).await, RejectionKind::RevokedToken);
        }
    }
}

#[tokio::test]
async fn within_the_grace_the_predecessor_gets_the_same_successor_again() {
    let world = World::new().await;
    let first = world.sign_in("7").await;
    let second = again(&world, &first).await.unwrap();
    world.clock.advance(Duration::from_millis(9_999));
    let same = again(&world, &first).await.unwrap();
    assert_eq!(refresh(&same), refresh(&second), "to the letter");
    assert_ne!(access(&same), access(&second));
    assert!(world.opens(access(&first)).await && world.opens(access(&same)).await);
    assert_eq!(
        world.events.take(),
        [Action::SignedIn, Action::Rotated, Action::Refreshed]
    );
}

#[tokio::test]
async fn after_the_grace_the_predecessor_ends_the_family_and_all_its_tokens() {
    let world = World::new().await;
    let (first, other) = (world.sign_in("7").await, world.sign_in("7").await);
    let second = again(&world, &first).await.unwrap();
    world.events.take();
    world.pass(10);
    assert_eq!(refused(&world, &first).await, RejectionKind::RevokedToken);
    assert_eq!(world.events.take(), [Action::ReuseDetected]);
    assert!(!world.opens(access(&first)).await && !world.opens(access(&second)).await);
    for pair in [&second, &first] {
        assert_eq!(refused(&world, pair).await, RejectionKind::RevokedToken);
    }
    assert!(
        !world.events.take().contains(&Action::ReuseDetected),
        "it is told once"
    );
    assert!(
        world.opens(access(&other)).await && again(&world, &other).await.is_ok(),
        "no other family ends"
    );
}

#[tokio::test]
async fn once_the_successor_was_used_the_predecessor_is_reuse_within_the_grace_too() {
    let world = World::new().await;
    let first = world.sign_in("7").await;
    let second = again(&world, &first).await.unwrap();
    let third = again(&world, &second).await.unwrap();
    assert_eq!(refused(&world, &first).await, RejectionKind::RevokedToken);
    assert_eq!(refused(&world, &third).await, RejectionKind::RevokedToken);
    assert!(!world.opens(access(&third)).await);
}

#[tokio::test]
async fn without_grace_the_second_use_is_reuse_at_once() {
    let world = with_tokens(|tokens| tokens.grace(Duration::ZERO)).await;
    let first = world.sign_in("7").await;
    let second = again(&world, &first).await.unwrap();
    assert_eq!(refused(&world, &first).await, RejectionKind::RevokedToken);
    assert_eq!(refused(&world, &second).await, RejectionKind::RevokedToken);
}

#[tokio::test]
async fn a_refresh_token_expires_and_a_family_ends_however_often_it_is_rotated() {
    let day = 86_400;
    let world = World::new().await;
    let idle = world.sign_in("7").await;
    let mut busy = world.sign_in("7").await;
    world.pass(30 * day - 1);
    assert!(again(&world, &idle).await.is_ok());
    busy = again(&world, &busy).await.unwrap();
    let expiring = world.sign_in("7").await;
    world.pass(30 * day);
    assert_eq!(
        refused(&world, &expiring).await,
        RejectionKind::ExpiredToken
    );
    assert_eq!(refused(&world, &busy).await, RejectionKind::ExpiredToken);

    let mut busy = world.sign_in("7").await;
    let began = NOW + 60 * day - 1;
    for _ in 0..89 {
        world.pass(day);
        busy = again(&world, &busy).await.unwrap();
    }
    assert_eq!(
        claims(refresh(&busy))["exp"],
        began + 90 * day,
        "no refresh token outlives its family"
    );
    world.pass(day - 60);
    let last = again(&world, &busy).await.unwrap();
    assert_eq!(
        claims(access(&last))["exp"],
        began + 90 * day,
        "and no access token"
    );
    world.pass(60);
    assert_eq!(refused(&world, &last).await, RejectionKind::ExpiredToken);
    assert!(!world.opens(access(&last)).await);
}

#[tokio::test]
async fn without_rotation_a_refresh_gives_an_access_token_alone_and_the_refresh_token_stays_good() {
    let world = with_tokens(Tokens::without_rotation).await;
    let pair = world.sign_in("7").await;
    for _ in 0..5 {
        let second = again(&world, &pair).await.unwrap();
        assert!(second.refresh().is_none() && world.opens(access(&second)).await);
        assert_eq!(claims(access(&second))["sid"], claims(access(&pair))["sid"]);
        world.pass(86_400);
    }
    let body = serde_json::json!({ "refresh": refresh(&pair) });
    let answer = world.post("/refresh/", "", body).await.json();
    assert_eq!(
        answer.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["access"]
    );
    let second = again(&world, &pair).await.unwrap();
    world
        .tokens()
        .sign_out_everywhere(&Subject::user("7"))
        .await
        .unwrap();
    assert_eq!(refused(&world, &pair).await, RejectionKind::RevokedToken);
    assert!(!world.opens(access(&second)).await);

    let pair = world.sign_in("7").await;
    world.pass(30 * 86_400);
    assert_eq!(refused(&world, &pair).await, RejectionKind::ExpiredToken);
}

#[tokio::test]
async fn tokens_say_what_was_configured_and_granted() {
    let world = with_tokens(|tokens| {
        let tokens = tokens
            .audience("reports")
            .scope_claim("scp")
            .role_claim("groups");
        tokens
            .access_lifetime(Duration::from_secs(60))
            .refresh_lifetime(Duration::from_secs(600))
    })
    .await;
    let grant = Grant::new(Subject::user("7"))
        .scope("reports:read")
        .role("staff");
    let grant = grant.claim("company_id", &3).unwrap();
    let pair = world.tokens().issue(grant).await.unwrap();
    let (said, kept) = (claims(access(&pair)), claims(refresh(&pair)));
    let expected = serde_json::json!({
        "iss": ISSUER, "aud": "reports", "sub": "7", "token_type": "access",
        "iat": NOW, "exp": NOW + 60, "jti": said["jti"], "sid": said["sid"],
        "scp": "reports:read", "groups": ["staff"], "company_id": 3,
    });
    assert_eq!(said, expected);
    let expected = serde_json::json!({
        "iss": ISSUER, "aud": "reports", "sub": "7", "token_type": "refresh",
        "iat": NOW, "exp": NOW + 600, "jti": kept["jti"], "sid": said["sid"],
    });
    assert_eq!(
        kept, expected,
        "nothing that was granted: it is for us alone"
    );
    assert_ne!(said["jti"], kept["jti"]);
    assert_eq!(pair.access_expires(), seconds(NOW + 60));
    assert!(world.opens(access(&pair)).await);
    world.pass(59);
    assert!(world.opens(access(&pair)).await);
    world.pass(1);
    assert!(!world.opens(access(&pair)).await);

    // What a token grants is said by what was granted, not by a claim of that name.
    for name in ["scp", "groups"] {
        let grant = Grant::new(Subject::user("7"))
            .claim(name, &"admin")
            .unwrap();
        let refusal = world.tokens().issue(grant.clone()).await.unwrap_err();
        assert_eq!(
            (refusal.status().as_u16(), refusal.fields()[0].field()),
            (400, name)
        );
        let later = world.now() + Duration::from_secs(60);
        assert!(
            world
                .tokens()
                .issue_private(grant, "laptop", later)
                .await
                .is_err()
        );
    }
    let agent = Grant::new(Subject::new("agent", "7"));
    assert_eq!(world.tokens().issue(agent).await.unwrap_err().status(), 400);
}

#[tokio::test]
async fn what_is_over_is_purged_and_what_is_not_stays() {
    let world = World::new().await;
    let pairs = [world.sign_in("7").await, world.sign_in("8").await];
    let private = world.private_token("7").await;
    world
        .tokens()
        .sign_out_everywhere(&Subject::user("8"))
        .await
        .unwrap();
    let memory = &world.memory;
    let purged = async |most| {
        (
            memory.purge_tokens(world.now(), most).await.unwrap(),
            memory
                .purge_private_tokens(world.now(), most)
                .await
                .unwrap(),
        )
    };
    assert_eq!(purged(100).await, (0, 0));
    assert!(world.opens(access(&pairs[0])).await && !world.opens(access(&pairs[1])).await);
    world.pass(86_401);
    assert_eq!(
        purged(100).await,
        (1, 1),
        "what ben's access token was denied by, and the private token"
    );
    assert!(!world.opens(private.token.expose()).await);
    assert_eq!(
        refused(&world, &pairs[1]).await,
        RejectionKind::RevokedToken
    );
    assert!(again(&world, &pairs[0]).await.is_ok());
    world.pass(91 * 86_400);
    assert_eq!(purged(1).await, (1, 0), "no more than asked");
    assert_eq!(purged(100).await, (1, 0));
}
