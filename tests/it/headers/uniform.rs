//! What a caller must not be able to tell apart is alike to the byte, and what has no form costs no
//! look-up.

use super::case::{Case, Expect, auth, x_key};
use super::wire::{Witness, direct};
use super::world::{Mode, PASSWORD, Setup, World, basic, prefixed, world};
use crate::support::Reply;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tower_auth::store::Memory;
use tower_auth::test_util::{Intercept, Intercepted};
use tower_auth::{AuthLayer, PasswordPolicy, Realm};

async fn ask(layer: &AuthLayer, headers: Vec<u8>) -> Reply {
    let case = Case::new("", "", Setup::All, headers, Expect::Unparsed);
    direct(layer, &Witness::default(), &case).await.unwrap()
}

async fn all_alike(world: &World, headers: Vec<Vec<u8>>) -> Reply {
    let layer = world.layer(Setup::All, Mode::Required);
    let first = ask(&layer, headers[0].clone()).await;
    for (index, headers) in headers.into_iter().enumerate() {
        assert_eq!(
            ask(&layer, headers).await,
            first,
            "{index} answers like the first"
        );
    }
    first
}

#[tokio::test]
async fn malformed_unknown_revoked_and_expired_keys_are_answered_byte_for_byte_alike() {
    let world = world().await;
    let keys = [
        "egret_x",
        &world.unknown_key,
        &world.revoked_key,
        &world.expired_key,
    ];
    let ways: [fn(&str) -> Vec<u8>; 3] = [
        |key| auth(format!("Bearer {key}")),
        |key| auth(format!("Api-Key {key}")),
        |key| x_key(key),
    ];
    for way in ways {
        let refused = all_alike(world, keys.map(way).to_vec()).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code().as_str()),
            (401, "api_key_invalid")
        );
    }
}

#[tokio::test]
async fn unknown_users_wrong_passwords_and_disabled_accounts_are_answered_byte_for_byte_alike() {
    let pairs = [
        "nobody:x",
        "anna:x",
        "away:x",
        &format!("away:{PASSWORD}"),
        &format!("anna:{PASSWORD}x"),
    ];
    let refused = all_alike(world().await, pairs.map(|pair| auth(basic(pair))).to_vec()).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (401, "invalid_credentials")
    );
}

#[tokio::test]
async fn forged_expired_and_shapeless_tokens_are_answered_byte_for_byte_alike() {
    let world = world().await;
    let token = &world.token;
    let forged = format!(
        "{}{}",
        &token[..token.rfind('.').unwrap() + 1],
        "A".repeat(43)
    );
    let tokens = [
        "x",
        "a.b.c",
        "a.b.c.d",
        &forged,
        &world.expired_token,
        &format!("{token}="),
    ];
    let refused = all_alike(
        world,
        tokens.map(|token| auth(format!("Bearer {token}"))).to_vec(),
    )
    .await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (401, "token_invalid")
    );
}

#[tokio::test]
async fn a_credential_without_a_good_form_asks_no_store() {
    let world = world().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let store = Intercepted::new(Memory::new(), move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Intercept::Pass
    });
    let realm = Realm::new(store);
    let layer = AuthLayer::builder()
        .accept(&realm.api_keys(prefixed()))
        .accept(realm.users(PasswordPolicy::new()).basic())
        .build()
        .unwrap();
    let key = &world.unknown_key;
    let other = if key.as_bytes()[10] == b'a' { 'b' } else { 'a' };
    let typo = format!("{}{other}{}", &key[..10], &key[11..]);
    let dash = format!("{}-{}", &key[..10], &key[11..]);
    let cut = &key[..key.len() - 1];
    let long = format!("anna:{}x", world.long_password);
    let shapeless = [
        auth(format!("Bearer {typo}")),
        auth(format!("Bearer {dash}")),
        auth(format!("Api-Key {cut}")),
        x_key(&typo),
        x_key(format!("{key}0")),
        x_key("egret_"),
        x_key(&world.token),
        [x_key(key), x_key(key)].concat(),
        [auth(format!("Bearer {key}")), x_key(key)].concat(),
        auth(basic(&long)),
        auth(basic("anna:")),
        auth(basic("anna")),
        auth(basic("an\nna:x")),
        auth("Basic a"),
    ];
    for (index, headers) in shapeless.into_iter().enumerate() {
        assert!(ask(&layer, headers).await.status.is_client_error());
        assert_eq!(asked.swap(0, Ordering::SeqCst), 0, "{index}");
    }
    for headers in [x_key(key), auth(basic("anna:x"))] {
        assert_eq!(ask(&layer, headers).await.status, 401);
        assert_eq!(asked.swap(0, Ordering::SeqCst), 1, "the counter counts");
    }
}
