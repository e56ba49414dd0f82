//! Shared secrets, which need no back end.

use super::*;
use crate::test_util::TokenMint;

#[test]
fn the_header_says_type_algorithm_and_id() {
    let cases = [
        (
            SigningKey::hs256(SECRET),
            "JWT",
            r#"{"typ":"JWT","alg":"HS256"}"#,
        ),
        (
            SigningKey::hs512(SECRET).id("a"),
            "at+jwt",
            r#"{"typ":"at+jwt","alg":"HS512","kid":"a"}"#,
        ),
        (
            SigningKey::hs256(SECRET).id("é\"\n"),
            "\"",
            r#"{"typ":"\"","alg":"HS256","kid":"é\"\n"}"#,
        ),
    ];
    for (key, typ, expected) in cases {
        let token = key.build().unwrap().sign(typ, b"{}").unwrap();
        assert_eq!(header(&token), expected);
        assert_eq!(token.split('.').nth(1), Some("e30"));
    }
}

#[test]
fn a_secret_signs_as_the_token_mint_does() {
    let mint = TokenMint::hs384(SECRET);
    let signer = SigningKey::hs384(SECRET).id("1").build().unwrap();
    let token = signer.sign("JWT", b"{}").unwrap();
    assert_eq!(
        token,
        mint.sign_parts(r#"{"typ":"JWT","alg":"HS384","kid":"1"}"#, "{}")
    );
}

#[tokio::test]
async fn tokens_from_before_there_were_ids_stay_good_until_their_key_is_taken_out() {
    let before = issue(&SigningKey::hs256(OTHER_SECRET).build().unwrap()).unwrap();
    let active = || SigningKey::hs256(SECRET).id("2027");
    let with = KeyRing::build(active(), vec![], vec![JwtKey::hs256(OTHER_SECRET)]).unwrap();
    let without = KeyRing::build(active(), vec![], vec![]).unwrap();
    let layers = [
        verified_by(with.verifying_keys()),
        verified_by(without.verifying_keys()),
    ];
    assert_eq!(caller(&layers[0], &before).await.as_deref(), Ok("anna"));
    assert_eq!(caller(&layers[1], &before).await, Err(401));
    for layer in &layers {
        assert_eq!(
            caller(layer, &issue(with.active()).unwrap())
                .await
                .as_deref(),
            Ok("anna")
        );
        // The retired key does not verify in the active one's name, nor that one without its name.
        let named = SigningKey::hs256(OTHER_SECRET).id("2027").build().unwrap();
        assert_eq!(caller(layer, &issue(&named).unwrap()).await, Err(401));
    }
    let unnamed = issue(&SigningKey::hs256(SECRET).build().unwrap()).unwrap();
    assert_eq!(caller(&layers[0], &unnamed).await, Err(401));
}

#[tokio::test]
async fn of_secrets_without_ids_each_is_tried_and_the_first_signs() {
    let old = issue(&SigningKey::hs256(OTHER_SECRET).build().unwrap()).unwrap();
    let retired = vec![JwtKey::hs256(OTHER_SECRET)];
    let ring = KeyRing::build(SigningKey::hs256(SECRET), vec![], retired).unwrap();
    let layer = verified_by(ring.verifying_keys());
    let new = issue(ring.active()).unwrap();
    for _ in 0..2 {
        for token in [&old, &new] {
            assert_eq!(caller(&layer, token).await.as_deref(), Ok("anna"));
        }
    }
    let third = SigningKey::hs256(format!("{SECRET}{OTHER_SECRET}"));
    let forged = issue(&third.build().unwrap()).unwrap();
    assert_eq!(caller(&layer, &forged).await, Err(401));
    let alone = KeyRing::build(SigningKey::hs256(SECRET), vec![], vec![]).unwrap();
    let layer = verified_by(alone.verifying_keys());
    assert_eq!(caller(&layer, &old).await, Err(401));
}
