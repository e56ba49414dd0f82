//! A program that manages users, beside another one that issues their tokens over the same stores.

use crate::endpoints::world::NOW;
use crate::support::SECRET;
use std::time::Duration;
use tower_auth::store::Memory;
use tower_auth::test_util::ManualClock;
use tower_auth::{Grant, NewUser, PasswordPolicy, Realm, RejectionKind, Secret, Subject, Tokens};

const ACCESS: Duration = Duration::from_secs(2 * 60 * 60);

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

#[tokio::test]
async fn what_one_program_ends_stays_ended_while_access_tokens_of_another_live() {
    let (store, clock) = (Memory::new(), ManualClock::new(NOW));
    let issuing = Realm::new(store.clone()).clock(clock.clone());
    let tokens = Tokens::hs256(SECRET).issuer("https://api.example.com");
    let tokens = issuing.tokens(tokens.access_lifetime(ACCESS));
    let managing = Realm::new(store)
        .clock(clock.clone())
        .others_access_lifetime(ACCESS);
    let users = managing.users(PasswordPolicy::new());
    let new = NewUser::new("anna", secret("correct-horse-battery")).id(Subject::user("7"));
    let anna = users.register(new).await.unwrap();

    let pair = tokens.issue(Grant::new(anna.id.clone())).await.unwrap();
    let access = pair.access().expose().clone();
    tokens.verify(&access).await.unwrap();
    users
        .set_password(&anna.id, secret("another-horse-battery"))
        .await
        .unwrap();
    for _ in 0..4 {
        let refused = tokens.verify(&access).await.unwrap_err();
        assert_eq!(refused.kind(), RejectionKind::RevokedToken);
        clock.advance(ACCESS / 4 - Duration::from_secs(1));
    }
    clock.advance(Duration::from_secs(4));
    let over = tokens.verify(&access).await.unwrap_err();
    assert_eq!(over.kind(), RejectionKind::ExpiredToken);
}
