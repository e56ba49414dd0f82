//! Keys and policies that do not protect are mistakes of the configuration: `build()` names the
//! rule, never the key.

use super::forge::*;
use super::keys;
use super::policy::key;
use crate::support::{AUDIENCE, ISSUER, PUBLIC_KEYS, SECRET};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use tower_auth::fetch::{Fetch, FetchError};
use tower_auth::jwt::{JwtAlgorithm as Alg, JwtKey, JwtKeys};
use tower_auth::layer::AuthLayerBuilder;
use tower_auth::{AuthLayer, ConfigError, ConfigProblem as Problem, Jwt};

fn ours() -> Jwt {
    Jwt::new().issuer(ISSUER).audience(AUDIENCE)
}

fn errors(jwts: impl IntoIterator<Item = Jwt>) -> Result<(), ConfigError> {
    jwts.into_iter()
        .fold(AuthLayer::builder(), AuthLayerBuilder::accept)
        .build()
        .map(drop)
}

fn problems(name: &str, jwts: impl IntoIterator<Item = Jwt>) -> ConfigError {
    errors(jwts).expect_err(&format!("{name}: it was built"))
}

/// The text names the rule that is broken and has no eight characters in a row of any key.
fn assert_tells_the_rule_and_no_key(
    name: &str,
    error: &ConfigError,
    rule: &str,
    material: &[&str],
) {
    let mut texts = vec![error.to_string(), format!("{error:?}")];
    texts.extend(
        error
            .problems()
            .iter()
            .flat_map(|problem| [problem.to_string(), format!("{problem:?}")]),
    );
    assert!(
        texts[..2].iter().all(|text| text.contains(rule)),
        "{name}: no {rule:?} in {}",
        texts[0]
    );
    for (text, material) in texts
        .iter()
        .flat_map(|text| material.iter().map(move |m| (text, m)))
    {
        let leak = material
            .as_bytes()
            .windows(8)
            .find(|part| text.as_bytes().windows(8).any(|t| t == *part));
        let leak = leak.map(String::from_utf8_lossy);
        assert_eq!(leak, None, "{name}: of the key in {text:?}");
    }
}

/// One key, refused on its own: with the variant, and what its text says.
fn refused(name: &str, bad: JwtKey, rule: &str, material: &[&str]) -> Problem {
    let shown = format!("{bad:?}");
    for part in material.iter().filter(|part| part.len() >= 8) {
        assert!(!shown.contains(part), "{name}: {shown}");
    }
    let error = problems(name, [ours().key(bad)]);
    assert_tells_the_rule_and_no_key(name, &error, rule, material);
    let [problem] = error.problems() else {
        panic!("{name}: {error}")
    };
    problem.clone()
}

/// A key that breaks a rule of public keys.
fn refused_public(name: &str, bad: JwtKey, alg: Alg, rule: &str, material: &[&str]) {
    let problem = refused(name, bad, rule, material);
    assert!(
        matches!(problem, Problem::Key { algorithm, .. } if algorithm == alg.name()),
        "{name}: {problem:?}"
    );
}

#[test]
fn the_keys_and_policies_that_the_mistakes_below_are_made_of_are_right() {
    for alg in usable(ALGORITHMS) {
        errors([ours().key(key(alg))]).unwrap();
    }
    if !PUBLIC_KEYS {
        return;
    }
    errors([ours().key(JwtKey::rsa(Alg::Rs256, keys::RSA_CUBE_N, "Aw"))]).unwrap();
    errors([ours().key(JwtKey::pem(
        Alg::Rs256,
        &pem("PUBLIC KEY", &der(keys::RSA_SPKI), "\n"),
    ))])
    .unwrap();
    errors([ours().key(JwtKey::pem(
        Alg::Es384,
        &pem("PUBLIC KEY", &der(keys::P384_SPKI), "\n"),
    ))])
    .unwrap();
    errors([ours().key(JwtKey::pem(
        Alg::EdDsa,
        &pem("PUBLIC KEY", &der(keys::ED_SPKI), "\r\n"),
    ))])
    .unwrap();
    errors([ours().key(JwtKey::pem(
        Alg::Ps256,
        &pem("RSA PUBLIC KEY", &der(keys::RSA_SPKI)[24..], "\n"),
    ))])
    .unwrap();
}

#[test]
fn a_secret_shorter_than_its_hash_is_refused_by_length() {
    let text = "u4Zq7Kw2xRm9zyxwvutsrqponmlkjihgfedcba 0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let make = |alg: Alg, secret: &str| match alg {
        Alg::Hs384 => JwtKey::hs384(secret),
        Alg::Hs512 => JwtKey::hs512(secret),
        _ => JwtKey::hs256(secret),
    };
    for (alg, least) in [(Alg::Hs256, 32), (Alg::Hs384, 48), (Alg::Hs512, 64)] {
        for length in [0, 1, 8, 16, 31, least - 1] {
            let secret = &text[..length];
            let name = format!("{} with {length} bytes", alg.name());
            let problem = refused(
                &name,
                make(alg, secret),
                &format!("at least {least} bytes"),
                &[secret],
            );
            assert_eq!(
                problem,
                Problem::ShortSecret {
                    algorithm: alg.name(),
                    least
                },
                "{name}"
            );
        }
        errors([ours().key(make(alg, &text[..least]))]).unwrap();
    }
}

#[test]
fn a_secret_that_is_published_or_repeats_itself_is_refused() {
    for secret in [
        "a-string-secret-at-least-256-bits-long",
        "a-valid-string-secret-that-is-at-least-384-bits-long",
        "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
        "your-256-bit-secret-your-256-bit-secret",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        "abababababababababababababababababababab",
        "secretsecretsecretsecretsecretsecret",
        "1234567123456712345671234567123456712345",
        "12345678901234567890123456789012",
        "0123456789abcdef0123456789abcdef",
        "0123456789abcdefghijklmnopqrstuvwxyz",
        "zyxwvutsrqponmlkjihgfedcba9876543210",
        "secret-key-secret-key-secret-key-",
        "my-super-secret-my-super-secret-my-s",
        "ChangeMe! 8dH2 kq0P zzT4 mm1L 77yX",
        "django-insecure-8dh2kq0pzzt4mm1l77yx",
        "please insert-secret here: 8dH2 kq0P",
        "example only: 0123456789abcdefghij",
        "tests only: 0123456789abcdefghij ABCDEFGHIJ zyxwvutsrqponmlkjihgf",
        "bench only: 0123456789abcdefghij",
        "For tests: 8dH2 kq0P zzT4 mm1L 77yX",
        "REPLACE_ME 8dH2 kq0P zzT4 mm1L 77yX",
    ] {
        let problem = refused(secret, JwtKey::hs256(secret), "HS256", &[secret]);
        assert_eq!(problem, Problem::WeakSecret("HS256"), "{secret}");
    }
    let secret = "x".repeat(64);
    assert_eq!(
        refused("HS384", JwtKey::hs384(&secret), "published", &[]),
        Problem::WeakSecret("HS384")
    );
    assert_eq!(
        refused("HS512", JwtKey::hs512(&secret), "published", &[]),
        Problem::WeakSecret("HS512")
    );
    let public = pem("PUBLIC KEY", &der(keys::RSA_SPKI), "\n");
    let problem = refused(
        "a PEM",
        JwtKey::hs256(&public),
        "text of a key",
        &[keys::RSA_SPKI],
    );
    assert_eq!(problem, Problem::WeakSecret("HS256"));
}

/// The number in base64url with its last byte made even.
fn even(number: &str) -> String {
    let mut bytes = decode(number);
    *bytes.last_mut().unwrap() &= 0xfe;
    encode(bytes)
}

#[test]
fn an_rsa_key_that_is_short_or_has_a_bad_number_is_refused() {
    let n = keys::RSA_N;
    let half = encode(&decode(n)[..128]);
    let nearly = encode([&[0x7f], &decode(n)[1..]].concat());
    let padded = encode([&[0; 128][..], &decode(keys::RSA_1024_N)].concat());
    let longer = encode([decode(n).repeat(5)].concat());
    let (even_n, standard) = (even(n), format!("{n}=="));
    let table: [(&str, &str, &str, &str); 17] = [
        ("1024 bits", keys::RSA_1024_N, "AQAB", "2048 bits"),
        (
            "1024 bits, half of a longer one",
            &half,
            "AQAB",
            "2048 bits",
        ),
        ("2047 bits", &nearly, "AQAB", "2048 bits"),
        ("1024 bits after zeros", &padded, "AQAB", "2048 bits"),
        ("no modulus", "", "AQAB", "2048 bits"),
        ("a modulus of zero", "AA", "AQAB", "2048 bits"),
        ("10240 bits", &longer, "AQAB", "longer"),
        ("an even modulus", &even_n, "AQAB", "odd"),
        ("an exponent of 1", n, "AQ", "exponent"),
        ("an exponent of 1 after zeros", n, "AAAB", "exponent"),
        ("an exponent of 0", n, "AA", "exponent"),
        ("no exponent", n, "", "exponent"),
        ("an exponent of 2", n, "Ag", "exponent"),
        ("an exponent of 65536", n, "AQAA", "exponent"),
        ("an exponent as long as the modulus", n, n, "exponent"),
        ("a padded modulus", &standard, "AQAB", "base64url"),
        ("an exponent in decimal", n, "65537", "base64url"),
    ];
    for (name, n, e, rule) in table {
        for alg in [Alg::Rs256, Alg::Rs512, Alg::Ps384] {
            let label = format!("{name}, {}", alg.name());
            refused_public(&label, JwtKey::rsa(alg, n, e), alg, rule, &[n]);
        }
    }
}

#[test]
fn an_ec_key_that_is_no_point_of_its_curve_is_refused() {
    if !PUBLIC_KEYS {
        return;
    }
    let (x, y) = (keys::P256_X, keys::P256_Y);
    let mut next = decode(y);
    next[31] ^= 1;
    let (next, zero, ones) = (encode(next), encode([0; 32]), encode([0xff; 32]));
    let (short, long) = (
        encode(&decode(x)[1..]),
        encode([&[0], &*decode(x)].concat()),
    );
    let off_curve = "algorithm's type and curve";
    let table: [(&str, Alg, &str, &str, &str); 13] = [
        ("a point beside the curve", Alg::Es256, x, &next, off_curve),
        ("coordinates exchanged", Alg::Es256, y, x, off_curve),
        ("the origin", Alg::Es256, &zero, &zero, off_curve),
        ("x = 0 and some y", Alg::Es256, &zero, y, off_curve),
        (
            "coordinates past the field",
            Alg::Es256,
            &ones,
            &ones,
            off_curve,
        ),
        ("P-256 as ES384", Alg::Es384, x, y, "length"),
        (
            "P-384 as ES256",
            Alg::Es256,
            keys::P384_X,
            keys::P384_Y,
            "length",
        ),
        ("x of 31 bytes", Alg::Es256, &short, y, "length"),
        ("x of 33 bytes", Alg::Es256, &long, y, "length"),
        ("no y", Alg::Es256, x, "", "length"),
        ("no point", Alg::Es384, "", "", "length"),
        (
            "x of one and y of another curve",
            Alg::Es384,
            keys::P384_X,
            y,
            "length",
        ),
        ("x in hexadecimal", Alg::Es256, "zz!", y, "base64url"),
    ];
    for (name, alg, x, y, rule) in table {
        refused_public(name, JwtKey::ec(alg, x, y), alg, rule, &[x, y]);
    }
    let mut next = decode(keys::P384_Y);
    next[47] ^= 1;
    let next = encode(next);
    refused_public(
        "a point beside P-384",
        JwtKey::ec(Alg::Es384, keys::P384_X, &next),
        Alg::Es384,
        off_curve,
        &[&next],
    );
}

/// The encodings of the eight points of small order: y, little-endian, and the sign of x.
fn small_order() -> Vec<[u8; 32]> {
    let near = |lowest: u8| {
        let mut y = [0xff; 32];
        (y[0], y[31]) = (lowest, 0x7f);
        y
    };
    let small = |lowest: u8| {
        let mut y = [0; 32];
        y[0] = lowest;
        y
    };
    let eighth = |text: &str| -> [u8; 32] { decode(text).try_into().unwrap() };
    let mut all = vec![
        small(0),
        small(1),
        near(0xec),
        near(0xed),
        near(0xee),
        eighth("JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU"),
        eighth("xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o"),
    ];
    let signed: Vec<[u8; 32]> = all
        .iter()
        .map(|y| {
            let mut y = *y;
            y[31] |= 0x80;
            y
        })
        .collect();
    all.extend(signed);
    all
}

#[test]
fn an_ed25519_key_of_another_length_or_of_small_order_is_refused() {
    let x = decode(keys::ED_X);
    for (name, bytes) in [
        ("31 bytes", x[..31].to_vec()),
        ("33 bytes", [&*x, &[0]].concat()),
        ("33 bytes, a zero before", [&[0], &*x].concat()),
        ("none", Vec::new()),
        ("64 bytes", x.repeat(2)),
        ("57 bytes, as Ed448 has", [&*x, &x[..25]].concat()),
        ("DER", der(keys::ED_SPKI)),
    ] {
        let text = encode(bytes);
        refused_public(
            name,
            JwtKey::ed25519(&text),
            Alg::EdDsa,
            "32 bytes",
            &[&text],
        );
    }
    for point in small_order() {
        let text = encode(point);
        refused_public(
            &text,
            JwtKey::ed25519(&text),
            Alg::EdDsa,
            "small order",
            &[&text],
        );
    }
    let hexadecimal: String = x.iter().map(|b| format!("{b:02x}")).collect();
    refused_public(
        "hexadecimal",
        JwtKey::ed25519(&hexadecimal),
        Alg::EdDsa,
        "32 bytes",
        &[&hexadecimal],
    );
    let padded = format!("{}=", keys::ED_X);
    refused_public(
        "padded",
        JwtKey::ed25519(&padded),
        Alg::EdDsa,
        "base64url",
        &[&padded],
    );
}

#[test]
fn an_algorithm_for_keys_of_another_type_is_refused() {
    let numbers = |alg| JwtKey::rsa(alg, keys::RSA_N, "AQAB");
    let point = |alg| JwtKey::ec(alg, keys::P256_X, keys::P256_Y);
    for alg in [
        Alg::Hs256,
        Alg::Hs384,
        Alg::Hs512,
        Alg::Es256,
        Alg::Es384,
        Alg::EdDsa,
    ] {
        let name = format!("an RSA key for {}", alg.name());
        let error = problems(&name, [ours().key(numbers(alg))]);
        assert_tells_the_rule_and_no_key(&name, &error, alg.name(), &[keys::RSA_N]);
        assert!(
            matches!(error.problems(), [Problem::Key { .. }]),
            "{name}: {error}"
        );
    }
    for alg in [Alg::Hs256, Alg::Hs512, Alg::Rs256, Alg::Ps512, Alg::EdDsa] {
        let name = format!("a P-256 key for {}", alg.name());
        let error = problems(&name, [ours().key(point(alg))]);
        assert_tells_the_rule_and_no_key(&name, &error, alg.name(), &[keys::P256_X, keys::P256_Y]);
        assert!(
            matches!(error.problems(), [Problem::Key { .. }]),
            "{name}: {error}"
        );
    }
}

#[test]
fn a_private_a_foreign_or_a_garbled_pem_is_refused() {
    let public = |der: &[u8]| pem("PUBLIC KEY", der, "\n");
    let (rsa, ec, ed) = (
        der(keys::RSA_SPKI),
        der(keys::P256_SPKI),
        der(keys::ED_SPKI),
    );
    let private = [
        (Alg::Rs256, keys::RSA_PRIVATE),
        (Alg::Ps256, keys::RSA_PRIVATE),
        (Alg::Es256, keys::P256_PRIVATE),
        (Alg::Es384, keys::P384_PRIVATE),
        (Alg::EdDsa, keys::ED_PRIVATE),
    ];
    for (alg, key) in private {
        for label in [
            "PRIVATE KEY",
            "RSA PRIVATE KEY",
            "EC PRIVATE KEY",
            "ENCRYPTED PRIVATE KEY",
        ] {
            let text = pem(label, &der(key), "\n");
            let name = format!("{label} for {}", alg.name());
            refused_public(&name, JwtKey::pem(alg, &text), alg, "private key", &[key]);
        }
        // In a public key's clothes.
        let text = public(&der(key));
        refused_public(
            "a disguised private key",
            JwtKey::pem(alg, &text),
            alg,
            alg.name(),
            &[key],
        );
    }
    let cut = public(&rsa)[..200].to_owned();
    let garbled = public(&rsa).replacen("MIIB", "MI!B", 1);
    let headless = public(&rsa).lines().skip(1).collect::<Vec<_>>().join("\n");
    for (name, text) in [
        ("empty", String::new()),
        ("a word", "garbage".into()),
        ("cut", cut),
        ("a letter outside of base64", garbled),
        ("without its first line", headless),
        (
            "labels alone",
            "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n".into(),
        ),
        (
            "labels that differ",
            public(&rsa).replacen("BEGIN PUBLIC", "BEGIN RSA PUBLIC", 1),
        ),
        ("DER cut", public(&rsa[..rsa.len() - 1])),
        ("zeros", public(&[0; 294])),
        (
            "a PKCS#1 private key called public",
            pem("RSA PUBLIC KEY", &der(keys::RSA_PRIVATE)[26..], "\n"),
        ),
        (
            "text before",
            format!("key:\n{}", public(&rsa).replace("-----BEGIN", "----BEGIN")),
        ),
        (
            "a parameter block",
            public(&rsa).replace("PUBLIC KEY", "EC PARAMETERS"),
        ),
        ("a block of no name", public(&rsa).replace("PUBLIC KEY", "")),
        (
            "lower-case labels",
            public(&rsa).replace("PUBLIC KEY", "public key"),
        ),
        (
            "an OpenSSH label",
            public(&rsa).replace("PUBLIC KEY", "OPENSSH PUBLIC KEY"),
        ),
        (
            "a JWK",
            format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, keys::RSA_N),
        ),
        ("a P-256 key", public(&ec)),
        ("an Ed25519 key", public(&ed)),
    ] {
        refused_public(
            name,
            JwtKey::pem(Alg::Rs256, &text),
            Alg::Rs256,
            "RS256",
            &[keys::RSA_SPKI, keys::P256_SPKI, keys::RSA_PRIVATE],
        );
    }
    for (name, alg, der) in [
        ("an RSA key for ES256", Alg::Es256, &rsa),
        ("an RSA key for EdDSA", Alg::EdDsa, &rsa),
        ("an Ed25519 key for ES256", Alg::Es256, &ed),
        ("a P-256 key for ES384", Alg::Es384, &ec),
        ("a P-256 key for EdDSA", Alg::EdDsa, &ec),
        (
            "a P-384 key for ES256",
            Alg::Es256,
            &super::forge::der(keys::P384_SPKI),
        ),
        (
            "a P-521 key for ES384",
            Alg::Es384,
            &super::forge::der(keys::P521_SPKI),
        ),
        (
            "an RSA key of 1024 bits",
            Alg::Rs256,
            &super::forge::der(keys::RSA_1024_SPKI),
        ),
    ] {
        refused_public(name, JwtKey::pem(alg, &public(der)), alg, alg.name(), &[]);
    }
    let off_curve = {
        let mut ec = ec.clone();
        *ec.last_mut().unwrap() ^= 1;
        public(&ec)
    };
    refused_public(
        "a point beside the curve",
        JwtKey::pem(Alg::Es256, &off_curve),
        Alg::Es256,
        "key",
        &[],
    );
    for alg in [Alg::Hs256, Alg::Hs384, Alg::Hs512] {
        let name = format!("a PEM for {}", alg.name());
        refused_public(
            &name,
            JwtKey::pem(alg, &public(&rsa)),
            alg,
            alg.name(),
            &[keys::RSA_SPKI],
        );
    }
}

#[test]
fn a_policy_that_lacks_a_part_or_has_one_twice_is_refused() {
    if !PUBLIC_KEYS {
        return;
    }
    let hs = || key(Alg::Hs256);
    let other = || JwtKey::hs256(SECRET_THEIRS);
    let rsa = || key(Alg::Rs256);
    let material = [
        SECRET,
        SECRET_384,
        SECRET_512,
        SECRET_THEIRS,
        keys::RSA_N,
        keys::P256_X,
        keys::ED_X,
    ];
    let named = |id: &str| key(Alg::Es256).id(id);
    let table: Vec<(&str, Vec<Jwt>, Vec<Problem>, &str)> = vec![
        (
            "no issuer",
            vec![Jwt::new().audience(AUDIENCE).key(hs())],
            vec![Problem::Issuer],
            "issuer",
        ),
        (
            "an empty issuer",
            vec![ours().issuer("").key(hs())],
            vec![Problem::Issuer],
            "issuer",
        ),
        (
            "no audience",
            vec![Jwt::new().issuer(ISSUER).key(hs())],
            vec![Problem::Audience],
            "audience",
        ),
        (
            "an empty audience",
            vec![Jwt::new().issuer(ISSUER).audience("").key(hs())],
            vec![Problem::Audience],
            "audience",
        ),
        (
            "an empty audience too",
            vec![ours().audience("").key(hs())],
            vec![Problem::Audience],
            "audience",
        ),
        ("no key", vec![ours()], vec![Problem::NoKey], "needs a key"),
        (
            "nothing",
            vec![Jwt::new()],
            vec![Problem::Issuer, Problem::Audience, Problem::NoKey],
            "needs a key",
        ),
        (
            "an id twice",
            vec![ours().key(rsa().id("a")).key(rsa().id("a"))],
            vec![Problem::DuplicateKeyId],
            "same id",
        ),
        (
            "an empty id twice",
            vec![ours().key(named("")).key(named(""))],
            vec![Problem::DuplicateKeyId],
            "same id",
        ),
        (
            "an id three times",
            vec![
                ours()
                    .key(named("a"))
                    .key(rsa().id("a"))
                    .key(named("b"))
                    .key(rsa().id("a"))
                    .key(key(Alg::EdDsa).id("a"))
                    .key(rsa().id("a")),
            ],
            vec![Problem::DuplicateKeyId, Problem::DuplicateKeyId],
            "same id",
        ),
        (
            "five secrets without ids",
            vec![(0..5).fold(ours(), |jwt, n| {
                jwt.key(JwtKey::hs256(format!("{SECRET}{n}")))
            })],
            vec![Problem::AmbiguousKeys("HS256")],
            "HS256",
        ),
        (
            "the same key twice",
            vec![ours().key(rsa()).key(rsa())],
            vec![Problem::AmbiguousKeys("RS256")],
            "RS256",
        ),
        (
            "two issuers of one name",
            vec![ours().key(hs()), ours().key(other())],
            vec![Problem::DuplicateIssuer(ISSUER.into())],
            ISSUER,
        ),
        (
            "two issuers of one name among three",
            vec![
                ours().key(hs()),
                ours().issuer("https://a.example").key(hs()),
                ours().key(rsa()),
            ],
            vec![Problem::DuplicateIssuer(ISSUER.into())],
            ISSUER,
        ),
        (
            "a short secret in the second policy",
            vec![
                ours().key(hs()),
                ours()
                    .issuer("https://a.example")
                    .key(JwtKey::hs256("short")),
            ],
            vec![Problem::ShortSecret {
                algorithm: "HS256",
                least: 32,
            }],
            "32 bytes",
        ),
    ];
    for (name, jwts, wanted, rule) in table {
        let shown: Vec<String> = jwts.iter().map(|jwt| format!("{jwt:?}")).collect();
        for secret in [SECRET, SECRET_THEIRS] {
            assert!(!shown.concat().contains(secret), "{name}: {shown:?}");
        }
        let error = problems(name, jwts);
        assert_eq!(error.problems(), wanted, "{name}");
        assert_tells_the_rule_and_no_key(name, &error, rule, &material);
    }
}

/// A client that is never asked.
struct Nobody;

#[async_trait]
impl Fetch for Nobody {
    async fn fetch(&self, _: Request<Bytes>, _: usize) -> Result<Response<Bytes>, FetchError> {
        panic!("nothing is loaded before a token comes");
    }
}

#[test]
fn algorithms_that_leave_no_key_are_a_mistake() {
    if !PUBLIC_KEYS {
        return;
    }
    let ed = format!(
        r#"{{"kty":"OKP","kid":"ed","crv":"Ed25519","x":"{}"}}"#,
        keys::ED_X
    );
    let ec = format!(
        r#"{{"kty":"EC","kid":"ec","crv":"P-256","x":"{}","y":"{}"}}"#,
        keys::P256_X,
        keys::P256_Y
    );
    let set = |keys: &[&str]| JwtKeys::jwks(format!(r#"{{"keys":[{}]}}"#, keys.join(",")));
    let ed_alone = || ours().keys(set(&[&ed]));
    let both = || ours().keys(set(&[&ed, &ec]));
    let published = || {
        Jwt::jwks("https://login.example.com/keys")
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .fetcher(Nobody)
    };
    let none = [Alg::Hs256; 0];
    let mistake = [Problem::Algorithms].as_slice();
    let fine = [].as_slice();
    for (name, jwt, wanted) in [
        ("no key", ed_alone().algorithms([Alg::Rs256]), mistake),
        ("no algorithm", ed_alone().algorithms(none), mistake),
        ("no key of two", both().algorithms([Alg::Rs256]), mistake),
        ("one key of two", both().algorithms([Alg::Es256]), fine),
        ("the key", ed_alone().algorithms([Alg::EdDsa]), fine),
        ("any algorithm", ed_alone(), fine),
        (
            "one of two sets",
            ed_alone()
                .keys(set(&[&ec]))
                .algorithms([Alg::EdDsa, Alg::Rs256]),
            mistake,
        ),
        (
            "published, no algorithm",
            published().algorithms(none),
            mistake,
        ),
        (
            "published, secrets alone",
            published().algorithms([Alg::Hs256, Alg::Hs512]),
            mistake,
        ),
        (
            "published, an algorithm of public keys too",
            published().algorithms([Alg::Hs256, Alg::Rs256]),
            fine,
        ),
        ("published, any algorithm", published(), fine),
    ] {
        let found = match errors([jwt]) {
            Ok(()) => Vec::new(),
            Err(error) => error.problems().to_vec(),
        };
        assert_eq!(found, wanted, "{name}");
    }
}

#[test]
fn a_tenant_that_is_listed_has_no_other_policy() {
    let of = |tenant: &str| format!("https://login.example.com/{tenant}/v2.0");
    let one = |tenant: &str| ours().issuer(of(tenant)).key(key(Alg::Hs256));
    let each = || one("{tenantid}");
    let listed = || each().tenants(["a", "b"]);
    let shared = |issuer: String| vec![Problem::DuplicateIssuer(issuer)];
    for (name, jwts, wanted) in [
        ("listed first", [listed(), one("b")], shared(of("b"))),
        ("listed last", [one("b"), listed()], shared(of("b"))),
        (
            "listed twice",
            [listed(), each().tenants(["c"])],
            shared(of("{tenantid}")),
        ),
        ("another tenant first", [one("c"), listed()], Vec::new()),
        ("another tenant last", [listed(), one("c")], Vec::new()),
        (
            "a function, which is not asked",
            [each().tenants_if(|_| panic!("asked")), one("b")],
            Vec::new(),
        ),
    ] {
        let found = match errors(jwts) {
            Ok(()) => Vec::new(),
            Err(error) => error.problems().to_vec(),
        };
        assert_eq!(found, wanted, "{name}");
    }
}

#[test]
fn all_mistakes_of_a_policy_are_told_at_once() {
    let bad = [
        JwtKey::hs256("short"),
        JwtKey::rsa(Alg::Rs256, keys::RSA_1024_N, "AQAB"),
        JwtKey::ed25519("AA"),
    ];
    let jwt = bad.into_iter().fold(Jwt::new(), |jwt, key| jwt.key(key));
    let error = problems("all", [jwt]);
    for rule in ["issuer", "audience", "32 bytes", "2048 bits", "Ed25519"] {
        assert_tells_the_rule_and_no_key("all", &error, rule, &[keys::RSA_1024_N]);
    }
    assert_eq!(
        error.to_string().lines().count(),
        1 + error.problems().len()
    );
}

#[test]
fn a_certificate_is_no_pem_of_a_public_key() {
    // Made with `openssl req -x509` for this test.
    const CERTIFICATE: &str = "MIIBdTCCARugAwIBAgIUS/FgkqX6aXyJDbVY9Bob7a0I6gQwCgYIKoZIzj0EAwIwEDEOMAwGA1UEAwwFdGVzdHMwHhcNMjYx\
    MTI0MDk0OTI1WhcNMzYxMTIxMDk0OTI1WjAQMQ4wDAYDVQQDDAV0ZXN0czBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABN7U\
    3586fOMwz3lDjbvbKQvOOU9YbtmAfcbzgkQv8AcNfwURXrAAae7Pr4pvXRE1FrWyVPUJVg4TtN1dphM8RjujUzBRMB0GA1Ud\
    DgQWBBQTzHuHdobBHj/1SWrC2OomHlujpTAfBgNVHSMEGDAWgBQTzHuHdobBHj/1SWrC2OomHlujpTAPBgNVHRMBAf8EBTAD\
    AQH/MAoGCCqGSM49BAMCA0gAMEUCIQDwsioIPejMGiAMFbv3bpXUvKdZ7cfQJZojNGzZSJGEiwIgKRRxwhP7ZbWVvIkoFXpI\
    +gQV8LOyBB3X7lO/Ty/+wlQ=";
    let certificate = pem("CERTIFICATE", &der(CERTIFICATE), "\n");
    let named_so = pem("CERTIFICATE", &der(keys::RSA_SPKI), "\n");
    refused_public(
        "a certificate",
        JwtKey::pem(Alg::Es256, &certificate),
        Alg::Es256,
        "public key",
        &[],
    );
    refused_public(
        "a key that is called so",
        JwtKey::pem(Alg::Rs256, &named_so),
        Alg::Rs256,
        "public key",
        &[],
    );
}
