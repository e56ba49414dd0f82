//! A token of each provider that the guide names, in the shape in which it comes, before the lines
//! that the guide gives for it.

use super::forge::{NOW, claims_and, hmac_token, hs, message, signature, with_signature};
use super::keys;
use crate::support::{AUDIENCE, ISSUER, SECRET, bearer};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::time::{Duration, UNIX_EPOCH};
use tower::{ServiceExt, service_fn};
use tower_auth::fetch::{Fetch, FetchError};
use tower_auth::jwt::{JwtAlgorithm as Alg, JwtKey};
use tower_auth::store::Stores;
use tower_auth::test_util::ManualClock;
use tower_auth::{AuthLayer, Jwt, Principal, Realm, Rejection};
use tower_layer::Layer;

/// A provider, in memory: what it says of itself, and its keys, which name no algorithm.
struct Provider {
    /// Where its documents are.
    at: &'static str,
    /// What it calls itself.
    issuer: &'static str,
}

#[async_trait]
impl Fetch for Provider {
    async fn fetch(
        &self,
        request: Request<Bytes>,
        _: usize,
    ) -> Result<Response<Bytes>, FetchError> {
        let at = self.at.trim_end_matches('/');
        let url = request.uri().to_string();
        let keys = format!("{at}/keys");
        let document = if url == keys {
            json!({ "keys": [
                { "kty": "RSA", "use": "sig", "kid": "k1", "n": keys::RSA_N, "e": "AQAB", "x5t": "k1" },
                { "kty": "EC", "use": "sig", "kid": "k2", "crv": "P-521", "x": "AA", "y": "AA" },
            ] })
        } else if url == format!("{at}/.well-known/openid-configuration") {
            json!({ "issuer": self.issuer, "jwks_uri": keys })
        } else {
            return Ok(Response::builder().status(404).body(Bytes::new()).unwrap());
        };
        Ok(Response::new(document.to_string().into()))
    }
}

struct Case {
    name: &'static str,
    /// The lines of the guide.
    jwt: Jwt,
    provider: Provider,
    header: &'static str,
    claims: Value,
    /// Subject, scopes and roles.
    is: &'static str,
    /// What makes the token one that must not pass.
    wrong: Vec<(&'static str, Value)>,
}

#[derive(Deserialize)]
struct Domain {
    hd: Option<String>,
}

const JWT: &str = r#"{"alg":"RS256","typ":"JWT","kid":"k1"}"#;
const NO_TYP: &str = r#"{"alg":"RS256","kid":"k1"}"#;
const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

fn cases() -> Vec<Case> {
    let mut cases = vec![
        keycloak(),
        auth0(),
        entra_2(),
        entra_2_tenants(),
        entra_1(),
        okta(),
    ];
    cases.extend([
        cognito(),
        google(),
        firebase(),
        clerk(),
        zitadel(),
        supabase(),
    ]);
    cases
}

fn keycloak() -> Case {
    Case {
        name: "Keycloak",
        jwt: Jwt::oidc("https://keycloak.example.com/realms/main")
            .audience("reports")
            .role_claim(["realm_access", "roles"])
            .role_claim(["resource_access", "reports", "roles"]),
        provider: Provider {
            at: "https://keycloak.example.com/realms/main",
            issuer: "https://keycloak.example.com/realms/main",
        },
        header: JWT,
        claims: json!({
            "iss": "https://keycloak.example.com/realms/main", "aud": ["reports", "account"], "typ": "Bearer",
            "sub": "6f1c4a1e-2f57", "azp": "web", "sid": "b5b7", "acr": "1", "jti": "onrtac:1",
            "allowed-origins": ["https://app.example.com"], "scope": "openid profile", "email_verified": true,
            "realm_access": { "roles": ["offline_access", "admin"] },
            "resource_access": {
                "reports": { "roles": ["editor"] },
                "account": { "roles": ["manage-account"] }
            },
        }),
        is: "user:6f1c4a1e-2f57 openid profile [offline_access admin editor]",
        wrong: vec![
            ("an ID token", json!({ "typ": "ID" })),
            ("a refresh token", json!({ "typ": "Refresh" })),
            ("without the audience mapper", json!({ "aud": "account" })),
            (
                "another realm",
                json!({ "iss": "https://keycloak.example.com/realms/test" }),
            ),
            (
                "roles that are no list",
                json!({ "realm_access": { "roles": { "admin": true } } }),
            ),
            (
                "roles that are no object",
                json!({ "realm_access": "admin" }),
            ),
        ],
    }
}

fn auth0() -> Case {
    Case {
        name: "Auth0",
        jwt: Jwt::oidc("https://example.eu.auth0.com/")
            .audience("https://api.example.com")
            .scope_claim("permissions"),
        provider: Provider {
            at: "https://example.eu.auth0.com/",
            issuer: "https://example.eu.auth0.com/",
        },
        header: JWT,
        claims: json!({
            "iss": "https://example.eu.auth0.com/",
            "aud": ["https://api.example.com", "https://example.eu.auth0.com/userinfo"],
            "sub": "auth0|64ab", "azp": "x1Y", "scope": "openid read:reports", "permissions": ["read:reports"],
        }),
        is: "user:auth0|64ab read:reports []",
        wrong: vec![
            (
                "without the slash",
                json!({ "iss": "https://example.eu.auth0.com" }),
            ),
            ("an ID token, for the client", json!({ "aud": "x1Y" })),
        ],
    }
}

fn entra_claims() -> Value {
    json!({
        "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        "aud": "2d4d11a2-f814-46a7-890a-274a72a7309e", "tid": TENANT, "sub": "AAAAb", "oid": "690222be",
        "azp": "c0de", "azpacr": "1", "scp": "Reports.Read Reports.Write", "roles": ["Reader"], "uti": "x", "ver": "2.0",
    })
}

fn entra_2() -> Case {
    Case {
        name: "Entra, version 2, one tenant",
        jwt: Jwt::oidc(format!("https://login.microsoftonline.com/{TENANT}/v2.0"))
            .audience("2d4d11a2-f814-46a7-890a-274a72a7309e")
            .subject_claim("oid")
            .scope_claim("scp"),
        provider: Provider {
            at: "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
            issuer: "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
        },
        header: JWT,
        claims: entra_claims(),
        is: "user:690222be Reports.Read Reports.Write [Reader]",
        wrong: vec![
            ("another application", json!({ "aud": "c0de" })),
            (
                "another tenant",
                json!({ "iss": "https://login.microsoftonline.com/other/v2.0" }),
            ),
            ("no oid", json!({ "oid": null })),
        ],
    }
}

fn entra_2_tenants() -> Case {
    Case {
        name: "Entra, version 2, several tenants",
        jwt: Jwt::oidc("https://login.microsoftonline.com/{tenantid}/v2.0")
            .tenants([TENANT, "3aa4a235-b6e2-48d5-9195-7fcf05b459b0"])
            .audience("2d4d11a2-f814-46a7-890a-274a72a7309e")
            .subject_claim("oid")
            .scope_claim("scp"),
        provider: Provider {
            at: "https://login.microsoftonline.com/common/v2.0",
            issuer: "https://login.microsoftonline.com/{tenantid}/v2.0",
        },
        header: JWT,
        claims: entra_claims(),
        is: "user:690222be Reports.Read Reports.Write [Reader]",
        wrong: vec![
            (
                "a tenant that is none of ours",
                json!({ "iss": "https://login.microsoftonline.com/other/v2.0", "tid": "other" }),
            ),
            (
                "a tid that is another",
                json!({ "tid": "3aa4a235-b6e2-48d5-9195-7fcf05b459b0" }),
            ),
            (
                "the template",
                json!({ "iss": "https://login.microsoftonline.com/{tenantid}/v2.0" }),
            ),
            ("a tid that is a number", json!({ "tid": 1 })),
        ],
    }
}

fn entra_1() -> Case {
    Case {
        name: "Entra, version 1",
        jwt: Jwt::oidc("https://sts.windows.net/{tenantid}/")
            .discovery("https://login.microsoftonline.com/common")
            .tenants([TENANT])
            .audience("api://2d4d11a2-f814-46a7-890a-274a72a7309e")
            .subject_claim("oid")
            .scope_claim("scp"),
        provider: Provider {
            at: "https://login.microsoftonline.com/common",
            issuer: "https://sts.windows.net/{tenantid}/",
        },
        header: JWT,
        claims: json!({
            "iss": format!("https://sts.windows.net/{TENANT}/"), "aud": "api://2d4d11a2-f814-46a7-890a-274a72a7309e",
            "tid": TENANT, "appid": "c0de", "appidacr": "1", "sub": "AAAAb", "oid": "690222be", "scp": "Reports.Read",
            "roles": ["Reader"], "ver": "1.0",
        }),
        is: "user:690222be Reports.Read [Reader]",
        wrong: vec![
            (
                "a token of version 2",
                json!({ "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0") }),
            ),
            ("another application", json!({ "aud": "api://other" })),
        ],
    }
}

fn okta() -> Case {
    Case {
        name: "Okta",
        jwt: Jwt::oidc("https://example.okta.com/oauth2/default")
            .audience("api://default")
            .scope_claim("scp")
            .role_claim("groups"),
        provider: Provider {
            at: "https://example.okta.com/oauth2/default",
            issuer: "https://example.okta.com/oauth2/default",
        },
        header: NO_TYP,
        claims: json!({
            "ver": 1, "jti": "AT.1", "iss": "https://example.okta.com/oauth2/default", "aud": "api://default",
            "sub": "anna@example.com", "uid": "00u1", "cid": "0oa1", "scp": ["openid", "reports.read"],
            "groups": ["staff", "editors"], "auth_time": NOW - 60,
        }),
        is: "user:anna@example.com openid reports.read [staff editors]",
        wrong: vec![
            ("an ID token, for the client", json!({ "aud": "0oa1" })),
            (
                "the organization's own server",
                json!({ "iss": "https://example.okta.com" }),
            ),
        ],
    }
}

fn cognito() -> Case {
    const ISSUER: &str = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_ExAmPlE";
    Case {
        name: "Cognito",
        jwt: Jwt::oidc(ISSUER)
            .instead_of_audience("client_id", "1example23456789")
            .role_claim("cognito:groups"),
        provider: Provider {
            at: ISSUER,
            issuer: ISSUER,
        },
        header: NO_TYP,
        claims: json!({
            "iss": ISSUER, "client_id": "1example23456789", "token_use": "access", "sub": "aaaa-bbbb", "username": "anna",
            "scope": "reports/read", "cognito:groups": ["admins"], "event_id": "e", "version": 2, "jti": "j",
            "origin_jti": "o", "auth_time": NOW - 60,
        }),
        is: "user:aaaa-bbbb reports/read [admins]",
        wrong: vec![
            (
                "an ID token",
                json!({ "token_use": "id", "aud": "1example23456789" }),
            ),
            ("another client", json!({ "client_id": "2example" })),
            ("no client", json!({ "client_id": null })),
            (
                "an audience that nobody named",
                json!({ "aud": "1example23456789" }),
            ),
            (
                "a client that is a list",
                json!({ "client_id": ["1example23456789"] }),
            ),
        ],
    }
}

fn google() -> Case {
    const CLIENT: &str = "1234-abc.apps.googleusercontent.com";
    Case {
        name: "Google",
        jwt: Jwt::oidc("https://accounts.google.com")
            .audience(CLIENT)
            .read_claims(|token| {
                let Domain { hd } = token.claims()?;
                match hd.as_deref() {
                    Some("example.com") => Ok(()),
                    _ => Err(Rejection::permission_denied("of another organization")),
                }
            }),
        provider: Provider {
            at: "https://accounts.google.com",
            issuer: "https://accounts.google.com",
        },
        header: JWT,
        claims: json!({
            "iss": "https://accounts.google.com", "aud": CLIENT, "azp": CLIENT, "sub": "110169484474386276334",
            "email": "anna@example.com", "email_verified": true, "hd": "example.com", "at_hash": "HK6E", "nonce": "n",
        }),
        is: "user:110169484474386276334  []",
        wrong: vec![
            ("another organization", json!({ "hd": "example.org" })),
            ("nobody's organization", json!({ "hd": null })),
            (
                "another client",
                json!({ "aud": "other.apps.googleusercontent.com" }),
            ),
        ],
    }
}

fn firebase() -> Case {
    Case {
        name: "Firebase",
        jwt: Jwt::oidc("https://securetoken.google.com/example-1").audience("example-1"),
        provider: Provider {
            at: "https://securetoken.google.com/example-1",
            issuer: "https://securetoken.google.com/example-1",
        },
        header: JWT,
        claims: json!({
            "iss": "https://securetoken.google.com/example-1", "aud": "example-1", "sub": "dQw4", "user_id": "dQw4",
            "auth_time": NOW - 60, "roles": ["editor"], "email": "anna@example.com",
            "firebase": { "identities": { "email": ["anna@example.com"] }, "sign_in_provider": "password" },
        }),
        is: "user:dQw4  [editor]",
        wrong: vec![
            (
                "another project",
                json!({ "iss": "https://securetoken.google.com/example-2", "aud": "example-2" }),
            ),
            ("nobody", json!({ "sub": "" })),
        ],
    }
}

fn clerk() -> Case {
    Case {
        name: "Clerk",
        jwt: Jwt::oidc("https://clerk.example.com")
            .instead_of_audience("azp", "https://app.example.com")
            .role_claim(["o", "rol"]),
        provider: Provider {
            at: "https://clerk.example.com",
            issuer: "https://clerk.example.com",
        },
        header: JWT,
        claims: json!({
            "iss": "https://clerk.example.com", "azp": "https://app.example.com", "sub": "user_2N", "sid": "sess_2N",
            "v": 2, "fva": [1, -1], "o": { "id": "org_2N", "slg": "acme", "rol": "admin", "per": "read,manage" },
        }),
        is: "user:user_2N  [admin]",
        wrong: vec![
            ("another page", json!({ "azp": "https://evil.example" })),
            ("no page", json!({ "azp": null })),
        ],
    }
}

fn zitadel() -> Case {
    Case {
        name: "Zitadel",
        jwt: Jwt::oidc("https://example.zitadel.cloud")
            .audience("1680")
            .role_names("urn:zitadel:iam:org:project:roles"),
        provider: Provider {
            at: "https://example.zitadel.cloud",
            issuer: "https://example.zitadel.cloud",
        },
        header: JWT,
        claims: json!({
            "iss": "https://example.zitadel.cloud", "aud": ["1690@reports", "1680"], "sub": "1677", "jti": "V2_1",
            "urn:zitadel:iam:org:project:roles": {
                "editor": { "1674": "example.zitadel.cloud" },
                "viewer": { "1674": "example.zitadel.cloud" }
            },
        }),
        is: "user:1677  [editor viewer]",
        wrong: vec![
            ("another project", json!({ "aud": ["1690@other", "1691"] })),
            (
                "a role that is not given",
                json!({ "urn:zitadel:iam:org:project:roles": { "admin": false } }),
            ),
            (
                "roles that are a list",
                json!({ "urn:zitadel:iam:org:project:roles": ["admin"] }),
            ),
        ],
    }
}

fn supabase() -> Case {
    Case {
        name: "Supabase",
        jwt: Jwt::oidc("https://abcd.supabase.co/auth/v1")
            .audience("authenticated")
            .key(JwtKey::hs256(SECRET))
            .role_claim("role")
            .role_claim(["app_metadata", "roles"]),
        provider: Provider {
            at: "https://abcd.supabase.co/auth/v1",
            issuer: "https://abcd.supabase.co/auth/v1",
        },
        header: JWT,
        claims: json!({
            "iss": "https://abcd.supabase.co/auth/v1", "aud": "authenticated", "sub": "a1b2", "role": "authenticated",
            "aal": "aal1", "session_id": "s", "is_anonymous": false,
            "app_metadata": { "provider": "email", "roles": ["editor"] }, "user_metadata": {},
        }),
        is: "user:a1b2  [editor authenticated]",
        wrong: vec![(
            "a key of the project",
            json!({ "aud": null, "role": "anon" }),
        )],
    }
}

/// With these claims in the place of its own; `null` takes one away.
fn token(case: &Case, others: &Value) -> String {
    let message = message(case.header, payload(case, others));
    with_signature(&message, signature(Alg::Rs256, message.as_bytes()))
}

fn payload(case: &Case, others: &Value) -> String {
    let mut claims = case.claims.clone();
    claims["iat"] = (NOW - 10).into();
    claims["exp"] = (NOW + 60).into();
    for (name, value) in others.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    claims.to_string()
}

fn layer(case: &Case) -> AuthLayer {
    let provider = Provider { ..case.provider };
    let realm = Realm::new(Stores::new()).clock(ManualClock::new(NOW));
    AuthLayer::builder()
        .realm(&realm)
        .accept(case.jwt.clone().fetcher(provider))
        .build()
        .unwrap()
}

/// Who a token's bearer is, or the status.
async fn caller(layer: &AuthLayer, token: &str) -> Result<String, u16> {
    let whoami = service_fn(|request: Request<Full<Bytes>>| async move {
        let caller = Principal::from_extensions(request.extensions()).unwrap();
        let roles: Vec<&str> = caller.roles().iter().collect();
        let is = format!(
            "{}:{} {} [{}]",
            caller.subject().kind(),
            caller.subject().id(),
            caller.scopes().as_str(),
            roles.join(" ")
        );
        Ok::<_, Infallible>(Response::new(Full::from(is)))
    });
    let response = layer.layer(whoami).oneshot(bearer(token)).await.unwrap();
    let reply = crate::support::reply(response).await;
    if reply.status == 200 {
        Ok(reply.text().to_owned())
    } else {
        Err(reply.status.as_u16())
    }
}

#[tokio::test]
async fn a_token_of_each_provider_is_accepted_by_the_lines_of_the_guide() {
    for case in cases() {
        let layer = layer(&case);
        layer.ready().await.unwrap();
        let good = token(&case, &json!({}));
        assert_eq!(
            caller(&layer, &good).await,
            Ok(case.is.to_owned()),
            "{}",
            case.name
        );
        // Twice: what is remembered is the same.
        assert_eq!(
            caller(&layer, &good).await,
            Ok(case.is.to_owned()),
            "{}",
            case.name
        );
    }
}

#[tokio::test]
async fn a_token_of_a_provider_that_is_for_something_else_is_refused() {
    for case in cases() {
        let layer = layer(&case);
        for (name, others) in &case.wrong {
            let answer = caller(&layer, &token(&case, others)).await;
            let is_refusal = answer == Err(401) || answer == Err(403);
            assert!(is_refusal, "{}: {name}: {answer:?}", case.name);
        }
    }
}

#[tokio::test]
async fn a_tenant_of_ones_own_and_those_of_partners_have_a_policy_each_in_either_order() {
    const PARTNER: &str = "3aa4a235-b6e2-48d5-9195-7fcf05b459b0";
    let of = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
    let own = || Jwt::hs256(SECRET).issuer(of(TENANT)).audience("own");
    let partners = || {
        let each = Jwt::hs256(SECRET).issuer(of("{tenantid}"));
        each.tenants([PARTNER]).audience("partners")
    };
    for (name, first, last) in [
        ("own first", own(), partners()),
        ("partners first", partners(), own()),
    ] {
        let realm = Realm::new(Stores::new()).clock(ManualClock::new(NOW));
        let layer = AuthLayer::builder().realm(&realm);
        let layer = layer.accept(first).accept(last).build().unwrap();
        for (tenant, audience, is_accepted) in [
            (TENANT, "own", true),
            (PARTNER, "partners", true),
            (TENANT, "partners", false),
            (PARTNER, "own", false),
            ("other", "partners", false),
            ("other", "own", false),
        ] {
            let claims = json!({
                "iss": of(tenant), "aud": audience, "sub": "a", "iat": NOW - 10, "exp": NOW + 60,
            });
            let token = hs(r#"{"alg":"HS256"}"#, claims.to_string());
            let answer = caller(&layer, &token).await;
            assert_eq!(answer.is_ok(), is_accepted, "{name}: {tenant} {audience}");
        }
    }
}

#[tokio::test]
async fn a_secret_and_published_keys_of_one_issuer_stand_side_by_side() {
    let case = supabase();
    let layer = layer(&case);
    let header = r#"{"alg":"HS256","typ":"JWT"}"#;
    let by_secret = hs(header, payload(&case, &json!({})));
    assert!(caller(&layer, &by_secret).await.is_ok());
    let by_pair = token(&case, &json!({}));
    assert!(caller(&layer, &by_pair).await.is_ok());
    // What is public of the pair is no secret.
    for secret in [keys::RSA_N.as_bytes(), keys::RSA_SPKI.as_bytes()] {
        let forged = hmac_token(Alg::Hs256, secret, header, payload(&case, &json!({})));
        assert_eq!(caller(&layer, &forged).await, Err(401));
    }
}

#[tokio::test]
async fn a_token_ends_when_it_says_so_whatever_its_issuer_writes_as_its_session() {
    let realm = Realm::new(Stores::new()).clock(ManualClock::new(NOW));
    let jwt = Jwt::hs256(SECRET).issuer(ISSUER).audience(AUDIENCE);
    let layer = AuthLayer::builder().realm(&realm).accept(jwt);
    let layer = layer.build().unwrap();
    for (name, sid) in [
        ("a text", json!("b5b7")),
        ("a number", json!(7)),
        ("an object", json!({ "id": 7 })),
        ("a list", json!(["b5b7"])),
        ("null", json!(null)),
    ] {
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "a", "exp": NOW + 60, "jti": "1", "sid": sid,
        });
        let token = hs(r#"{"alg":"HS256"}"#, claims.to_string());
        let (head, _) = bearer(&token).into_parts();
        let explained = layer.explain(&head).await;
        let caller = explained.caller().unwrap();
        let end = UNIX_EPOCH + Duration::from_secs(NOW + 60);
        assert_eq!(caller.expires(), Some(end), "{name}");
        assert_eq!(caller.session(), None, "{name}");
    }
}

/// RFC 9068 §2.2, §4: each is needed.
#[tokio::test]
async fn the_profile_of_rfc_9068_needs_its_type_and_its_claims() {
    let jwt = || {
        Jwt::hs256(SECRET)
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .rfc9068()
    };
    let realm = Realm::new(Stores::new()).clock(ManualClock::new(NOW));
    let layer = AuthLayer::builder()
        .realm(&realm)
        .accept(jwt())
        .build()
        .unwrap();
    let claims = || claims_and(r#","jti":"1","client_id":"web""#);
    let typed = |typ: &str| format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#);
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        let answer = caller(&layer, &hs(typed(typ), claims())).await;
        assert!(answer.is_ok(), "{typ}: {answer:?}");
    }
    for (name, header, claims) in [
        ("typ JWT", typed("JWT"), claims()),
        ("no typ", r#"{"alg":"HS256"}"#.to_owned(), claims()),
        (
            "no jti",
            typed("at+jwt"),
            claims_and(r#","client_id":"web""#),
        ),
        (
            "empty jti",
            typed("at+jwt"),
            claims_and(r#","jti":"","client_id":"web""#),
        ),
        ("no client_id", typed("at+jwt"), claims_and(r#","jti":"1""#)),
        (
            "empty client_id",
            typed("at+jwt"),
            claims_and(r#","jti":"1","client_id":"""#),
        ),
        (
            "client_id of a wrong type",
            typed("at+jwt"),
            claims_and(r#","jti":"1","client_id":7"#),
        ),
        (
            "no iat",
            typed("at+jwt"),
            claims().replace("\"iat\"", "\"x_iat\""),
        ),
        (
            "no sub",
            typed("at+jwt"),
            claims().replace("\"sub\"", "\"x_sub\""),
        ),
        (
            "no aud",
            typed("at+jwt"),
            claims().replace("\"aud\"", "\"x_aud\""),
        ),
    ] {
        assert_eq!(
            caller(&layer, &hs(header, claims)).await,
            Err(401),
            "{name}"
        );
    }
}
