//! What holds of every token.

use super::forge::*;
use super::policy::{HS, LATEST, Policy};
use super::table::{request, show};
use crate::support::{AUDIENCE, ISSUER, Reply, Whoami, reply};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;
use tower::ServiceExt;
use tower_auth::AuthLayer;
use tower_auth::jwt::JwtAlgorithm as Alg;
use tower_layer::Layer;

/// A short token with fixed bytes, so that there are few bits to flip.
async fn no_flipped_bit_is_accepted(alg: Alg) {
    let layer = Policy::Of(alg).layer();
    let right = good(alg).into_bytes();
    assert_eq!(show(&layer, &right).await.body, "Jwt anna");
    let mut shown = 0;
    for at in 0..right.len() {
        for bit in 0..8 {
            let mut token = right.clone();
            token[at] ^= 1 << bit;
            // A control character cannot stand in a header field at all. A space at the end is one
            // after the token.
            let Some(request) = request(&token) else {
                continue;
            };
            let reply = reply(layer.layer(Whoami).oneshot(request).await.unwrap()).await;
            assert!(
                matches!(reply.status.as_u16(), 400 | 401),
                "bit {bit} of byte {at}: {reply:?}"
            );
            shown += 1;
        }
    }
    assert!(shown > right.len() * 5, "only {shown} could be shown");
    assert_eq!(show(&layer, &right).await.body, "Jwt anna");
}

macro_rules! flips {
    ($($name:ident: $alg:ident;)*) => {$(
        #[tokio::test]
        async fn $name() {
            no_flipped_bit_is_accepted(Alg::$alg).await;
        }
    )*};
}

flips! {
    a_flipped_bit_of_an_hs256_token_is_refused: Hs256;
    a_flipped_bit_of_an_hs384_token_is_refused: Hs384;
    a_flipped_bit_of_an_hs512_token_is_refused: Hs512;
}

#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
flips! {
    a_flipped_bit_of_an_rs256_token_is_refused: Rs256;
    a_flipped_bit_of_an_rs384_token_is_refused: Rs384;
    a_flipped_bit_of_an_rs512_token_is_refused: Rs512;
    a_flipped_bit_of_a_ps256_token_is_refused: Ps256;
    a_flipped_bit_of_a_ps384_token_is_refused: Ps384;
    a_flipped_bit_of_a_ps512_token_is_refused: Ps512;
    a_flipped_bit_of_an_es256_token_is_refused: Es256;
    a_flipped_bit_of_an_es384_token_is_refused: Es384;
    a_flipped_bit_of_an_eddsa_token_is_refused: EdDsa;
}

static LAYER: LazyLock<AuthLayer> = LazyLock::new(|| HS.layer());

/// The answer to a Bearer of these bytes, `None` where no header field can carry them.
fn answer(token: &[u8]) -> Option<Reply> {
    let request = request(token)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    Some(runtime.block_on(async {
        reply(LAYER.clone().layer(Whoami).oneshot(request).await.unwrap()).await
    }))
}

fn is_refused(reply: &Reply) -> bool {
    let error = match reply.status.as_u16() {
        400 => "invalid_request",
        401 => "invalid_token",
        _ => return false,
    };
    reply.challenges() == [format!("Bearer realm=\"api\", error=\"{error}\"")]
}

/// What a strict reader makes of claims: whether they are good at `NOW`, with a leeway of 60
/// seconds.
fn are_good(claims: &Value) -> bool {
    let text = |name: &str| {
        claims
            .get(name)
            .map(|value| value.as_str().map(str::to_owned))
    };
    let time = |name: &str| {
        claims.get(name).map(|value| {
            value
                .as_f64()
                .filter(|time| (0.0..=LATEST as f64).contains(time))
        })
    };
    let one_or_many = |name: &str| -> Option<Option<Vec<String>>> {
        claims.get(name).map(|value| match value {
            Value::String(one) => Some(vec![one.clone()]),
            Value::Array(many) => many
                .iter()
                .map(|one| one.as_str().map(str::to_owned))
                .collect(),
            _ => None,
        })
    };
    let past = |time: Option<Option<f64>>| {
        time.is_none_or(|time| time.is_some_and(|time| time <= (NOW + 60) as f64))
    };
    text("iss") == Some(Some(ISSUER.into()))
        && matches!(text("sub"), Some(Some(sub)) if !sub.is_empty())
        && matches!(one_or_many("aud"), Some(Some(aud)) if aud.iter().any(|aud| aud == AUDIENCE))
        && matches!(time("exp"), Some(Some(exp)) if exp + 60.0 > NOW as f64)
        && past(time("nbf"))
        && past(time("iat"))
        && text("jti") != Some(None)
        && one_or_many("scope") != Some(None)
        && one_or_many("roles") != Some(None)
        && text("token_type").is_none_or(|is| {
            is.is_some_and(|is| is == "access" || is.eq_ignore_ascii_case("bearer"))
        })
        && text("token_use").is_none_or(|is| is.as_deref() == Some("access"))
}

/// What a strict reader makes of a header, of a policy with one key for HS256.
fn is_good_header(header: &Value) -> bool {
    let typ = header.get("typ").is_none_or(|typ| {
        let short = typ.as_str().map(str::to_ascii_lowercase);
        matches!(
            short.as_deref(),
            Some("jwt" | "at+jwt" | "application/jwt" | "application/at+jwt")
        )
    });
    header.get("alg") == Some(&json!("HS256"))
        && typ
        && header
            .get("kid")
            .is_none_or(|kid| kid.as_str().is_some_and(|kid| kid.len() <= 256))
        && ["crit", "b64", "zip", "enc", "cty"]
            .iter()
            .all(|name| header.get(name).is_none())
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (NOW - 100..NOW + 100).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            ISSUER, AUDIENCE, "anna", "HS256", "none", "JWT", "at+jwt", "access", "Bearer"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{0,3}", inner, 0..4)
                .prop_map(|map| Value::from_iter(map.into_iter().collect::<Vec<_>>())),
        ]
    })
}

/// Good members, some of which are replaced, removed or joined by others.
fn varied(good: Value, names: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let change = (prop::sample::select(names), prop::option::of(any_json()));
    prop::collection::vec(change, 0..3).prop_map(move |changes| {
        let mut object = good.clone();
        for (name, value) in changes {
            let members = object.as_object_mut().unwrap();
            match value {
                Some(value) => drop(members.insert(name.to_owned(), value)),
                None => drop(members.remove(name)),
            }
        }
        object
    })
}

const CLAIMS: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "scope",
    "roles",
    "token_type",
    "token_use",
    "x",
    "",
    "kid",
    "alg",
];
const HEADER: &[&str] = &[
    "alg", "typ", "kid", "crit", "b64", "zip", "enc", "cty", "jwk", "jku", "x5c", "x", "", "iss",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_as_a_bearer_are_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        if let Some(reply) = answer(&bytes) {
            prop_assert!(is_refused(&reply), "{reply:?}");
        }
    }

    #[test]
    fn arbitrary_visible_text_as_a_bearer_is_refused(text in "[!-~]{0,40}(\\.[!-~]{0,40}){0,5}") {
        let reply = answer(text.as_bytes()).unwrap();
        prop_assert!(is_refused(&reply), "{reply:?}");
    }

    #[test]
    fn arbitrary_segments_are_refused(
        segments in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6),
    ) {
        let token = segments.iter().map(encode).collect::<Vec<_>>().join(".");
        let reply = answer(token.as_bytes()).unwrap();
        prop_assert!(is_refused(&reply), "{reply:?}");
    }

    #[test]
    fn arbitrary_bytes_as_signed_header_and_claims_are_refused(
        header in prop::collection::vec(any::<u8>(), 0..80),
        claims in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        for token in [
            hs(&header, &claims),
            hs(super::forge::header(Alg::Hs256), &claims),
            hs(&header, super::forge::claims()),
        ] {
            let reply = answer(token.as_bytes()).unwrap();
            prop_assert!(is_refused(&reply), "{reply:?}");
        }
    }

    #[test]
    fn arbitrary_json_as_signed_header_and_claims_is_refused(
        header in any_json(),
        claims in any_json(),
    ) {
        let reply = answer(hs(header.to_string(), claims.to_string()).as_bytes()).unwrap();
        prop_assert!(is_refused(&reply), "{reply:?}");
    }

    #[test]
    fn genuine_claims_are_accepted_exactly_where_a_strict_reader_accepts_them(
        claims in varied(serde_json::from_str(&super::forge::claims()).unwrap(), CLAIMS),
    ) {
        let reply = answer(hs(header(Alg::Hs256), claims.to_string()).as_bytes()).unwrap();
        if are_good(&claims) {
            let wanted = format!("Jwt {}", claims["sub"].as_str().unwrap());
            prop_assert_eq!(&*reply.body, wanted.as_bytes());
        } else {
            prop_assert!(is_refused(&reply), "{reply:?}");
        }
    }

    #[test]
    fn genuine_headers_are_accepted_exactly_where_a_strict_reader_accepts_them(
        header in varied(json!({ "alg": "HS256", "typ": "JWT" }), HEADER),
    ) {
        let reply = answer(hs(header.to_string(), claims()).as_bytes()).unwrap();
        if is_good_header(&header) {
            prop_assert_eq!(&*reply.body, b"Jwt anna");
        } else {
            prop_assert!(is_refused(&reply), "{reply:?}");
        }
    }
}
