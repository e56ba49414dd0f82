//! What a layer lets through and what it refuses.

use crate::support::*;
use std::time::UNIX_EPOCH;
use tower_auth::store::{KeyStore, Memory, UserRecord, UserStore};
use tower_auth::test_util::TokenMint;
use tower_auth::{ApiKeys, AuthLayer, Basic, Jwt, Subject, hash_password};

#[tokio::test]
async fn a_jwt_a_key_and_basic_are_accepted_and_nothing_is_refused_with_three_challenges() {
    let store = Memory::new();
    let keys = ApiKeys::new(store.clone()).prefix("egret");
    let new = keys.mint(Subject::user("7"), "ci", UNIX_EPOCH).unwrap();
    store.insert_key(new.record, UNIX_EPOCH).await.unwrap();
    let user = UserRecord::new(Subject::user("9"), "anna")
        .password_hash(hash_password("correct horse").unwrap());
    store.insert_user(user, UNIX_EPOCH).await.unwrap();
    let auth = AuthLayer::builder()
        .jwt(jwt())
        .api_keys(keys)
        .basic(Basic::new(store))
        .build()
        .unwrap();

    assert_eq!(
        send(&auth, bearer(&token_for("anna"))).await.text(),
        "Jwt anna"
    );
    let key = new.key.expose();
    assert_eq!(send(&auth, bearer(key)).await.text(), "ApiKey 7");
    assert_eq!(
        send(&auth, get(&[("authorization", &format!("api-key {key}"))]))
            .await
            .text(),
        "ApiKey 7"
    );
    assert_eq!(
        send(&auth, get(&[("x-api-key", key)])).await.text(),
        "ApiKey 7"
    );
    let basic = get(&[("authorization", "Basic YW5uYTpjb3JyZWN0IGhvcnNl")]);
    assert_eq!(send(&auth, basic.clone()).await.text(), "Basic 9");
    assert_eq!(send(&auth, basic).await.text(), "Basic 9");

    let refused = send(&auth, get(&[])).await;
    assert_eq!(refused.status, 401);
    assert_eq!(
        refused.challenges(),
        [
            "Bearer realm=\"api\"",
            "Api-Key realm=\"api\"",
            "Basic realm=\"api\", charset=\"UTF-8\""
        ]
    );
    assert_eq!(refused.code(), "not_authenticated");
}

#[tokio::test]
async fn each_of_several_issuers_is_read_by_its_own_names_of_claims() {
    let theirs = Jwt::hs256(SECRET)
        .issuer("https://idp.example.org")
        .audience(AUDIENCE);
    let theirs = theirs.scope_claim("permissions").role_claim("groups");
    let auth = AuthLayer::builder().jwt(jwt()).jwt(theirs).build().unwrap();
    // `scope` and `roles` are that issuer's own affair, in whatever form.
    let claims = serde_json::json!({
        "iss": "https://idp.example.org", "aud": AUDIENCE, "sub": "anna", "exp": FAR,
        "permissions": ["reports:read"], "groups": ["staff"], "scope": 7, "roles": { "x": 1 },
    });
    let token = TokenMint::hs256(SECRET).sign(&claims);
    assert_eq!(send(&auth, bearer(&token)).await.text(), "Jwt anna");
    let ours = token_with(serde_json::json!({ "sub": "bert", "scope": 7 }));
    assert_eq!(send(&auth, bearer(&ours)).await.status, 401);
}
