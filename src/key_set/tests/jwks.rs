//! A JWK is read by what it says of itself, and in a set each by itself.

use super::*;
use crate::key_set::algorithms::Algorithms;
use crate::key_set::{JwtKeys, KeySet};
use serde_json::Value;

/// A good key of each type, each with this before its members.
fn rsa(members: &str) -> String {
    format!(
        r#"{{{members}"kty":"RSA","n":"{}","e":"AQAB"}}"#,
        keys::RSA_N
    )
}

fn ec(members: &str) -> String {
    let point = format!(r#""x":"{}","y":"{}""#, keys::P256_X, keys::P256_Y);
    format!(r#"{{{members}"kty":"EC","crv":"P-256",{point}}}"#)
}

fn ed(members: &str) -> String {
    let x = keys::ED_X;
    format!(r#"{{{members}"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#)
}

fn oct(members: &str, secret: &[u8]) -> String {
    let secret = URL_SAFE_NO_PAD.encode(secret);
    format!(r#"{{{members}"kty":"oct","k":"{secret}"}}"#)
}

/// Keys that are not used, each with a word of the rule that it breaks.
fn unusable() -> Vec<(&'static str, String, &'static str)> {
    let ec_of = |crv: &str, x: &str, y: &str| {
        format!(r#"{{"kty":"EC","crv":"{crv}","x":"{x}","y":"{y}"}}"#)
    };
    let ed_of = |x: &str| format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#);
    let rsa_of = |n: &str, e: &str| format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#);
    let long = "k".repeat(257);
    let zero = URL_SAFE_NO_PAD.encode([0; 32]);
    vec![
        ("a number", "5".into(), "no JSON object"),
        ("null", "null".into(), "no JSON object"),
        ("an array", r#"["RSA","AQAB"]"#.into(), "no JSON object"),
        ("nothing in it", "{}".into(), "missing"),
        ("kty is a number", r#"{"kty":1}"#.into(), "JSON type"),
        ("another kty", r#"{"kty":"AKP"}"#.into(), "type (kty)"),
        (
            "kty in small letters",
            rsa("").replace("RSA", "rsa"),
            "type (kty)",
        ),
        ("for encryption", rsa(r#""use":"enc","#), "use"),
        ("use is an array", rsa(r#""use":["sig"],"#), "JSON type"),
        ("no operation", ed(r#""key_ops":[],"#), "key_ops"),
        ("to sign", ed(r#""key_ops":["sign"],"#), "key_ops"),
        (
            "key_ops is a string",
            ed(r#""key_ops":"verify","#),
            "JSON type",
        ),
        ("alg none", ed(r#""alg":"none","#), "signature algorithm"),
        (
            "alg in small letters",
            ed(r#""alg":"eddsa","#),
            "signature algorithm",
        ),
        (
            "alg of encryption",
            rsa(r#""alg":"RSA-OAEP","#),
            "signature algorithm",
        ),
        ("alg is null", ed(r#""alg":null,"#), "JSON type"),
        (
            "an RSA key for HS256",
            rsa(r#""alg":"HS256","#),
            "another type",
        ),
        (
            "an EC key for RS256",
            ec(r#""alg":"RS256","#),
            "another type",
        ),
        ("a P-256 key for ES384", ec(r#""alg":"ES384","#), "curve"),
        ("P-521", ec_of("P-521", keys::P256_X, keys::P256_Y), "curve"),
        (
            "secp256k1",
            ec_of("secp256k1", keys::P256_X, keys::P256_Y),
            "curve",
        ),
        (
            "no curve",
            r#"{"kty":"EC","x":"","y":""}"#.into(),
            "missing",
        ),
        ("X25519", ed("").replace("Ed25519", "X25519"), "curve"),
        ("Ed448", ed("").replace("Ed25519", "Ed448"), "curve"),
        ("kid is a number", rsa(r#""kid":7,"#), "JSON type"),
        (
            "kid is too long",
            rsa(&format!(r#""kid":"{long}","#)),
            "256 bytes",
        ),
        (
            "no modulus",
            r#"{"kty":"RSA","e":"AQAB"}"#.into(),
            "missing",
        ),
        (
            "no exponent",
            rsa("").replace(r#","e":"AQAB""#, ""),
            "missing",
        ),
        (
            "padding",
            rsa_of(&format!("{}=", keys::RSA_N), "AQAB"),
            "base64url",
        ),
        (
            "base64 of another kind",
            ed_of(&format!("+{}", &keys::ED_X[1..])),
            "base64url",
        ),
        ("1024 bits", rsa_of(keys::RSA_1024_N, "AQAB"), "2048 bits"),
        ("exponent 1", rsa_of(keys::RSA_N, "AQ"), "exponent"),
        ("an even exponent", rsa_of(keys::RSA_N, "Ag"), "exponent"),
        (
            "a short coordinate",
            ec_of("P-256", keys::ED_X, "AA"),
            "length",
        ),
        (
            "off the curve",
            ec_of("P-256", keys::P256_X, keys::P256_X),
            "curve",
        ),
        ("the point 0, 0", ec_of("P-256", &zero, &zero), "curve"),
        (
            "a P-256 point as P-384",
            ec_of("P-384", keys::P256_X, keys::P256_Y),
            "length",
        ),
        (
            "31 bytes",
            ed_of(&URL_SAFE_NO_PAD.encode([7; 31])),
            "32 bytes",
        ),
        (
            "33 bytes",
            ed_of(&URL_SAFE_NO_PAD.encode([7; 33])),
            "32 bytes",
        ),
        ("small order", ed_of(&zero), "small order"),
        ("a private RSA key", rsa(r#""d":"AQAB","#), "private"),
        ("a prime", rsa(r#""p":"AQAB","#), "private"),
        ("a private EC key", ec(r#""d":"AQAB","#), "private"),
        ("a private Ed25519 key", ed(r#""d":null,"#), "private"),
    ]
}

fn key_of(json: &str) -> JwtKey {
    JwtKey::jwk(json)
}

#[test]
fn a_jwk_that_is_no_key_is_refused_by_the_rule_that_it_breaks() {
    for (name, json, rule) in unusable() {
        let Err(problem) = key_of(&json).build() else {
            panic!("{name}: it was built")
        };
        assert!(problem.to_string().contains(rule), "{name}: {problem}");
    }
    let not_json = [("no JSON", "{"), ("two", "{}{}"), ("empty", "")];
    for (name, json) in not_json {
        let found = key_of(json).build().unwrap_err();
        assert_eq!(found, Problem::Jwk("it is no JSON"), "{name}");
    }
}

#[test]
fn a_key_that_cannot_be_used_is_skipped_and_told_and_costs_no_other() {
    let good = [rsa(r#""kid":"first","#), ed(r#""kid":"last","#)];
    let mut elements = vec![good[0].clone()];
    elements.extend(unusable().into_iter().map(|(_, json, _)| json));
    elements.push(good[1].clone());
    let document = format!(r#"{{"keys":[{}],"more":[1]}}"#, elements.join(","));
    for keys in [
        JwtKeys::jwks(&document),
        JwtKeys::published(document.as_bytes(), Algorithms::all(), vec![]).unwrap(),
    ] {
        assert_eq!(keys.len(), 2);
        let told: Vec<(usize, &str)> = keys
            .skipped()
            .iter()
            .map(|skipped| (skipped.position(), skipped.reason()))
            .collect();
        for ((at, reason), (index, (name, _, rule))) in
            told.iter().zip(unusable().into_iter().enumerate())
        {
            assert_eq!(*at, index + 1, "{name}");
            assert!(reason.contains(rule), "{name}: {reason}");
        }
        assert_eq!(told.len(), unusable().len());
        assert_eq!(keys.into_keys().map(|keys| keys.len()), Ok(2));
    }
}

#[test]
fn a_document_that_is_no_set_of_keys_is_an_error_as_a_whole() {
    let many = vec!["{}"; 1025].join(",");
    let cases = [
        ("empty", String::new(), "no JSON"),
        ("HTML", "<html></html>".into(), "no JSON"),
        ("cut off", r#"{"keys":["#.into(), "no JSON"),
        ("more after it", r#"{"keys":[]} {}"#.into(), "no JSON"),
        ("an array", "[]".into(), "array `keys`"),
        ("a string", r#""keys""#.into(), "array `keys`"),
        ("without keys", "{}".into(), "array `keys`"),
        ("keys is an object", r#"{"keys":{}}"#.into(), "array `keys`"),
        ("a key alone", ed(""), "array `keys`"),
        ("too many", format!(r#"{{"keys":[{many}]}}"#), "1024"),
        ("too long", " ".repeat(512 * 1024 + 1), "512 KiB"),
        ("very deep", "[".repeat(100_000), "no JSON"),
    ];
    for (name, document, rule) in cases {
        let published = JwtKeys::published(document.as_bytes(), Algorithms::all(), vec![]);
        let found = published.unwrap_err();
        assert!(found.contains(rule), "{name}: {found}");
        let found = JwtKeys::jwks(&document).into_keys().unwrap_err();
        assert_eq!(found, Problem::Jwks(published_error(&document)), "{name}");
    }
    let foreign = oct(r#""alg":"RS256","#, SECRET.as_bytes());
    let found = key_of(&foreign).build().unwrap_err().to_string();
    assert!(
        found.contains("another type"),
        "a secret for RS256: {found}"
    );
    for empty in [r#"{"keys":[]}"#, r#"{"keys":[{}]}"#] {
        let found = JwtKeys::jwks(empty).into_keys().unwrap_err();
        assert_eq!(found, Problem::Jwks("it has no key that can be used"));
    }
}

fn published_error(document: &str) -> &'static str {
    JwtKeys::published(document.as_bytes(), Algorithms::all(), vec![]).unwrap_err()
}

#[test]
fn a_jwk_is_for_its_alg_or_for_all_that_its_type_and_curve_have() {
    let rsa_all = [
        Alg::Rs256,
        Alg::Rs384,
        Alg::Rs512,
        Alg::Ps256,
        Alg::Ps384,
        Alg::Ps512,
    ];
    let p384 = format!(r#""x":"{}","y":"{}""#, keys::P384_X, keys::P384_Y);
    let secret = SECRET.as_bytes();
    let cases: Vec<(&str, String, Vec<Alg>)> = vec![
        ("RSA", rsa(""), rsa_all.to_vec()),
        ("RSA with alg", rsa(r#""alg":"PS384","#), vec![Alg::Ps384]),
        ("P-256", ec(""), vec![Alg::Es256]),
        (
            "P-384",
            format!(r#"{{"kty":"EC","crv":"P-384",{p384}}}"#),
            vec![Alg::Es384],
        ),
        ("Ed25519", ed(""), vec![Alg::EdDsa]),
        (
            "64 bytes",
            oct("", &secret[..64]),
            vec![Alg::Hs256, Alg::Hs384, Alg::Hs512],
        ),
        (
            "48 bytes",
            oct("", &secret[..48]),
            vec![Alg::Hs256, Alg::Hs384],
        ),
        ("32 bytes", oct("", &secret[..32]), vec![Alg::Hs256]),
        (
            "a secret with alg",
            oct(r#""alg":"HS384","#, secret),
            vec![Alg::Hs384],
        ),
        (
            "for signatures",
            ed(r#""use":"sig","key_ops":["verify"],"#),
            vec![Alg::EdDsa],
        ),
        (
            "with what else there is",
            ed(r#""x5c":[],"x5u":7,"ext":true,"#),
            vec![Alg::EdDsa],
        ),
    ];
    for (name, json, expected) in cases {
        let built = key_of(&json).build().unwrap();
        let found: Vec<Alg> = built.iter().map(|key| key.algorithm()).collect();
        assert_eq!(found, expected, "{name}");
    }
    for (name, json, expected) in [
        ("31 bytes", oct("", &secret[..31]), ("HS256", 32)),
        (
            "63 bytes for HS512",
            oct(r#""alg":"HS512","#, &secret[..63]),
            ("HS512", 64),
        ),
    ] {
        let (algorithm, least) = expected;
        let problem = Problem::ShortSecret { algorithm, least };
        assert_eq!(key_of(&json).build().unwrap_err(), problem, "{name}");
    }
}

#[test]
fn a_secret_counts_in_a_set_that_the_operator_wrote_and_never_in_a_published_one() {
    let secret = oct(r#""kid":"s","#, SECRET.as_bytes());
    let document = format!(r#"{{"keys":[{secret},{}]}}"#, ed(""));
    let local = JwtKeys::jwks(&document);
    assert_eq!((local.len(), local.skipped().len()), (2, 0));
    let published = JwtKeys::published(document.as_bytes(), Algorithms::all(), vec![]).unwrap();
    assert_eq!(published.len(), 1);
    assert_eq!(published.skipped()[0].id(), Some("s"));
    assert!(published.skipped()[0].reason().contains("shared secret"));
    for shown in [format!("{local:?}"), format!("{published:?}")] {
        assert!(!shown.contains(&URL_SAFE_NO_PAD.encode(SECRET)), "{shown}");
    }
}

#[test]
fn of_keys_with_one_kid_and_alg_the_first_counts() {
    let theirs = format!(
        r#"{{"kid":"a","kty":"OKP","crv":"Ed25519","x":"{}"}}"#,
        keys::ED_THEIRS_X
    );
    let document = [
        ed(r#""kid":"a","#),
        theirs.clone(),
        // Another algorithm, so that a token can say which it means.
        ec(r#""kid":"a","#),
        rsa(r#""kid":"r","alg":"RS256","#),
        rsa(r#""kid":"r","#),
        rsa(r#""kid":"r","alg":"PS256","#),
        ed(""),
        ed(""),
    ];
    let document = format!(r#"{{"keys":[{}]}}"#, document.join(","));
    let published = |known| JwtKeys::published(document.as_bytes(), Algorithms::all(), known);
    let read = published(vec![]).unwrap();
    let skipped: Vec<usize> = read.skipped().iter().map(|key| key.position()).collect();
    assert_eq!(skipped, [1, 5, 7]);
    let set = KeySet::build(&read.into_keys().unwrap()).unwrap();
    let genuine = pair(Alg::EdDsa, keys::ED_PRIVATE).id("a").build().unwrap();
    let forged = pair(Alg::EdDsa, keys::ED_THEIRS_PRIVATE)
        .id("a")
        .build()
        .unwrap();
    let judged = |set: &KeySet, signer| {
        let token = issue(signer).unwrap();
        let parts = super::super::Parts::split(token.as_bytes()).unwrap();
        let key = set.choose(Some("EdDSA"), Some("a")).unwrap();
        key.verify(parts).is_ok()
    };
    assert!(judged(&set, &genuine));
    assert!(!judged(&set, &forged));
    for (alg, kid) in [
        ("ES256", "a"),
        ("RS256", "r"),
        ("PS512", "r"),
        ("PS256", "r"),
    ] {
        assert!(set.choose(Some(alg), Some(kid)).is_ok(), "{alg} {kid}");
    }
    // What the operator configured stands before what is published.
    let read = published(vec![JwtKey::jwk(&theirs)]).unwrap();
    let set = KeySet::build(&read.into_keys().unwrap()).unwrap();
    assert!(judged(&set, &forged));
    assert!(!judged(&set, &genuine));
}

#[test]
fn keys_are_for_the_algorithms_that_the_issuer_may_use_alone() {
    let document = format!(
        r#"{{"keys":[{},{}]}}"#,
        rsa(r#""kid":"r","#),
        ed(r#""kid":"e","#)
    );
    let allowed: Algorithms = [Alg::Rs256, Alg::Es256].into_iter().collect();
    let read = JwtKeys::published(document.as_bytes(), allowed, vec![]).unwrap();
    assert_eq!(read.skipped()[0].id(), Some("e"));
    let set = KeySet::build(&read.into_keys().unwrap()).unwrap();
    assert!(set.choose(Some("RS256"), Some("r")).is_ok());
    for (alg, kid) in [
        ("PS256", "r"),
        ("RS512", "r"),
        ("EdDSA", "e"),
        ("HS256", "r"),
    ] {
        assert!(set.choose(Some(alg), Some(kid)).is_err(), "{alg} {kid}");
    }
}

#[test]
fn what_a_ring_publishes_is_read_back_key_for_key() {
    let rsa = pair(Alg::Ps256, keys::RSA_PRIVATE).id("next");
    let retired = JwtKey::jwk(&ec(""));
    let ring = KeyRing::build(super::ed(), vec![rsa], vec![retired]).unwrap();
    let read = JwtKeys::published(&ring.jwks(), Algorithms::all(), vec![]).unwrap();
    assert_eq!(read.skipped(), []);
    let set = KeySet::build(&read.into_keys().unwrap()).unwrap();
    let token = issue(ring.active()).unwrap();
    let parts = super::super::Parts::split(token.as_bytes()).unwrap();
    let kid = ring.active().id();
    assert!(
        set.choose(Some("EdDSA"), kid)
            .unwrap()
            .verify(parts)
            .is_ok()
    );
    let published: Value = serde_json::from_slice(&ring.jwks()).unwrap();
    assert_eq!(published["keys"].as_array().unwrap().len(), 3);
    assert!(set.choose(Some("PS256"), Some("next")).is_ok());
}
