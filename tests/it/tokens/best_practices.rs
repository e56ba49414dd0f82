//! RFC 8725 §3, section by section: what each tells a verifier to refuse, and to accept.

use super::forge::*;
use super::keys;
use super::policy::{HS, Policy, key};
use super::table::show;
use crate::support::{AUDIENCE, ISSUER, SECRET};
use tower_auth::jwt::{JwtAlgorithm as Alg, JwtKey};
use tower_auth::{AuthLayer, ConfigProblem, Jwt};

/// One sentence of the RFC, and a token.
struct Row {
    section: &'static str,
    name: &'static str,
    policy: Policy,
    token: String,
    status: u16,
}

fn refused(section: &'static str, name: &'static str, policy: Policy, token: String) -> Row {
    Row {
        section,
        name,
        policy,
        token,
        status: 401,
    }
}

fn accepted(section: &'static str, name: &'static str, policy: Policy, token: String) -> Row {
    Row {
        section,
        name,
        policy,
        token,
        status: 200,
    }
}

fn claim(name: &str, json: &str) -> String {
    hs(header(Alg::Hs256), claims_with(name, json))
}

fn unsigned() -> String {
    with_signature(&message(r#"{"alg":"none","typ":"JWT"}"#, claims()), "")
}

/// The public key of the RSA policy as a secret.
fn confused() -> String {
    hmac_token(
        Alg::Hs256,
        der(keys::RSA_SPKI),
        header(Alg::Hs256),
        claims(),
    )
}

fn inner() -> String {
    hs(
        r#"{"alg":"HS256","typ":"JWT","cty":"JWT"}"#,
        good(Alg::Hs256),
    )
}

fn with_header(more: &str) -> String {
    hs(header_and(Alg::Hs256, more), claims())
}

fn rows() -> Vec<Row> {
    let rs = Policy::Of(Alg::Rs256);
    let es = Policy::Of(Alg::Es256);
    let zeros = with_signature(&message(header(Alg::Es256), claims()), [0; 64]);
    let theirs = theirs(Alg::Rs256, header(Alg::Rs256), claims());
    vec![
        accepted("3.1", "a key with its algorithm", rs, good(Alg::Rs256)),
        refused("3.1", "a key with another algorithm", rs, good(Alg::Ps256)),
        refused("3.1", "a public key for a secret", rs, confused()),
        refused("3.1", "an algorithm of another key", HS, good(Alg::Hs512)),
        refused("3.2", "none", HS, unsigned()),
        refused(
            "3.2",
            "an unknown algorithm",
            HS,
            hs(r#"{"alg":"HS1","typ":"JWT"}"#, claims()),
        ),
        refused(
            "3.3",
            "a nested token, of which one layer would be judged",
            HS,
            inner(),
        ),
        refused("3.3", "a signature of somebody else", rs, theirs),
        refused("3.4", "an ECDSA signature of zeros", es, zeros),
        refused("3.6", "compression", HS, with_header(r#","zip":"DEF""#)),
        refused(
            "3.7",
            "claims that are not UTF-8",
            HS,
            hs(header(Alg::Hs256), b"{\"sub\":\"\xff\"}"),
        ),
        refused(
            "3.7",
            "a byte order mark",
            HS,
            hs(header(Alg::Hs256), format!("\u{feff}{}", claims())),
        ),
        refused(
            "3.8",
            "another issuer",
            HS,
            claim("iss", "\"https://attacker.example\""),
        ),
        refused(
            "3.8",
            "no issuer",
            HS,
            hs(header(Alg::Hs256), claims_without("iss")),
        ),
        refused(
            "3.8",
            "no subject",
            HS,
            hs(header(Alg::Hs256), claims_without("sub")),
        ),
        refused("3.9", "another audience", HS, claim("aud", "\"billing\"")),
        refused(
            "3.9",
            "no audience",
            HS,
            hs(header(Alg::Hs256), claims_without("aud")),
        ),
        accepted(
            "3.9",
            "one of several",
            HS,
            claim("aud", &format!("[\"billing\",\"{AUDIENCE}\"]")),
        ),
        refused(
            "3.10",
            "a kid that is a path",
            Policy::Ids,
            with_header(r#","kid":"../../dev/null""#),
        ),
        refused(
            "3.10",
            "a kid that is a query",
            Policy::Ids,
            with_header(r#","kid":"' OR 1=1 --""#),
        ),
        accepted(
            "3.10",
            "a jku, which nobody follows",
            HS,
            with_header(r#","jku":"https://attacker.example/""#),
        ),
        refused(
            "3.11",
            "a type that is for something else",
            HS,
            hs(r#"{"alg":"HS256","typ":"secevent+jwt"}"#, claims()),
        ),
        refused(
            "3.11",
            "no type where one is required",
            Policy::AccessType,
            hs(r#"{"alg":"HS256"}"#, claims()),
        ),
        refused(
            "3.12",
            "an ID token",
            HS,
            claims_and(r#","token_use":"id""#),
        ),
        refused(
            "3.12",
            "a refresh token",
            HS,
            claims_and(r#","token_type":"refresh""#),
        ),
    ]
    .into_iter()
    .map(signed)
    .collect()
}

/// Rows of 3.12 give claims alone.
fn signed(row: Row) -> Row {
    let token = match row.token.starts_with('{') {
        true => hs(header(Alg::Hs256), &row.token),
        false => row.token,
    };
    Row { token, ..row }
}

#[tokio::test]
async fn each_section_of_rfc_8725_is_kept() {
    let mut sections = Vec::new();
    for row in rows() {
        let reply = show(&row.policy.layer(), row.token.as_bytes()).await;
        assert_eq!(reply.status, row.status, "§{}: {}", row.section, row.name);
        sections.push(row.section);
    }
    sections.dedup();
    assert_eq!(
        sections,
        [
            "3.1", "3.2", "3.3", "3.4", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12"
        ]
    );
}

/// §3.4 of keys, and §3.5: judged when they are loaded, before any token is.
#[test]
fn keys_that_rfc_8725_warns_of_are_refused_when_they_are_loaded() {
    let problems = |key: JwtKey| {
        let jwt = Jwt::new().issuer(ISSUER).audience(AUDIENCE).key(key);
        let built = AuthLayer::builder().accept(jwt).build();
        built.map_or_else(|error| error.problems().to_vec(), |_| Vec::new())
    };
    let off = JwtKey::ec(Alg::Es256, keys::P256_X, keys::P256_X);
    let identity = JwtKey::ed25519(&encode([&[1][..], &[0; 31]].concat()));
    for (name, key) in [("off the curve", off), ("of small order", identity)] {
        assert!(
            matches!(&*problems(key), [ConfigProblem::Key { .. }]),
            "{name}"
        );
    }
    let short = problems(JwtKey::hs256(&SECRET[..31]));
    assert!(matches!(&*short, [ConfigProblem::ShortSecret { .. }]));
    let guessed = problems(JwtKey::hs256("a".repeat(64)));
    assert!(matches!(&*guessed, [ConfigProblem::WeakSecret(_)]));
    assert!(problems(key(Alg::Es256)).is_empty());
    assert!(problems(key(Alg::Hs256)).is_empty());
}
