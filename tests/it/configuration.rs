//! `build()` reports every mistake, and all of them at once.

use crate::support::*;
use std::error::Error;
use std::time::Duration;
use tower_auth::credential::Source;
use tower_auth::format::ErrorFormat;
use tower_auth::jwt::{JwtKey, SigningKey};
use tower_auth::layer::AuthLayerBuilder;
use tower_auth::scheme::{Answer, Attempt, Scheme};
use tower_auth::store::{Memory, StoreError, StoreErrorKind, Stores};
use tower_auth::throttle::{LimiterError, Rate};
use tower_auth::{
    ApiKeys, AuthLayer, ConfigProblem, Grant, Jwt, KeyRequest, PasswordPolicy, Realm, Rejection,
    RejectionKind, Subject, Tokens,
};

fn problems(builder: AuthLayerBuilder) -> Vec<ConfigProblem> {
    builder
        .build()
        .map_or_else(|error| error.problems().to_vec(), |_| Vec::new())
}

fn with_jwt(jwt: Jwt) -> Vec<ConfigProblem> {
    problems(AuthLayer::builder().accept(jwt))
}

fn with_keys<const N: usize>(kinds: [ApiKeys; N]) -> Vec<ConfigProblem> {
    let realm = Realm::new(Memory::new());
    let mut builder = AuthLayer::builder();
    for keys in kinds {
        builder = builder.accept(&realm.api_keys(keys));
    }
    problems(builder)
}

fn with_tokens(tokens: Tokens) -> Vec<ConfigProblem> {
    let tokens = Realm::new(Memory::new()).tokens(tokens);
    problems(AuthLayer::builder().accept(&tokens))
}

/// What is wrong with a realm without stores, or with a layer in it.
fn with_realm(set_up: impl FnOnce(Realm) -> Realm) -> Vec<ConfigProblem> {
    let realm = set_up(Realm::new(Stores::new()));
    problems(AuthLayer::builder().realm(&realm).accept(jwt()))
}

struct Named(&'static str);

impl Scheme for Named {
    fn name(&self) -> &'static str {
        self.0
    }

    fn authenticate(&self, _: &Attempt<'_>) -> Answer {
        Answer::NotPresented
    }
}

struct Format(&'static str);

impl ErrorFormat for Format {
    fn content_type(&self) -> &'static str {
        self.0
    }

    fn body(&self, _: &Rejection) -> Vec<u8> {
        assert_ne!(self.0, "panic", "planted");
        Vec::new()
    }
}

fn too_short() -> ConfigProblem {
    ConfigProblem::TooShort {
        what: "max_credential_len",
        least: 64,
    }
}

fn in_basic() -> ConfigProblem {
    ConfigProblem::Source {
        place: String::from("Authorization: Basic"),
        rule: "only API keys do, and names with passwords",
    }
}

#[test]
fn every_mistake_is_named() {
    let long = "p".repeat(33);
    let realm = Realm::new(Memory::new());
    let users = realm.users(PasswordPolicy::new());
    let tokens = || Tokens::hs256(SECRET).issuer(ISSUER);
    let cases: Vec<(&str, Vec<ConfigProblem>, ConfigProblem)> = vec![
        (
            "nothing",
            problems(AuthLayer::builder()),
            ConfigProblem::NoScheme,
        ),
        (
            "empty prefix",
            with_keys([ApiKeys::prefix("")]),
            ConfigProblem::Prefix,
        ),
        (
            "odd prefix",
            with_keys([ApiKeys::prefix("a.b")]),
            ConfigProblem::Prefix,
        ),
        (
            "prefix like a JWT",
            with_keys([ApiKeys::prefix("eyJ")]),
            ConfigProblem::Prefix,
        ),
        (
            "digit first",
            with_keys([ApiKeys::prefix("1a")]),
            ConfigProblem::Prefix,
        ),
        (
            "long prefix",
            with_keys([ApiKeys::prefix(long)]),
            ConfigProblem::Prefix,
        ),
        (
            "equal",
            with_keys([ApiKeys::prefix("a"), ApiKeys::prefix("a")]),
            ConfigProblem::EqualPrefixes("a_".into()),
        ),
        (
            "equal but for the separator",
            with_keys([ApiKeys::prefix("a"), ApiKeys::prefix("a_")]),
            ConfigProblem::EqualPrefixes("a_".into()),
        ),
        (
            "two bare",
            with_keys([ApiKeys::bare(), ApiKeys::bare().opaque()]),
            ConfigProblem::TwoBareKeys,
        ),
        (
            "short pepper",
            with_keys([ApiKeys::prefix("a").pepper("p", [7; 31])]),
            ConfigProblem::Pepper,
        ),
        (
            "pepper id",
            with_keys([ApiKeys::prefix("a").pepper("p:q", [7; 32])]),
            ConfigProblem::Pepper,
        ),
        (
            "pepper twice",
            with_keys([ApiKeys::prefix("a")
                .pepper("p", [7; 32])
                .previous_pepper("p", [8; 32])]),
            ConfigProblem::Pepper,
        ),
        (
            "basic twice",
            problems(
                AuthLayer::builder()
                    .accept(users.basic())
                    .accept(users.basic()),
            ),
            ConfigProblem::TwoBasic,
        ),
        (
            "taken name",
            problems(AuthLayer::builder().accept(Named("basic"))),
            ConfigProblem::SchemeName("basic"),
        ),
        (
            "two of one's own for Bearer",
            problems(
                AuthLayer::builder()
                    .accept(Named("Bearer"))
                    .accept(Named("bearer")),
            ),
            ConfigProblem::SchemeName("bearer"),
        ),
        (
            "same name",
            problems(AuthLayer::builder().accept(Named("A")).accept(Named("a"))),
            ConfigProblem::SchemeName("a"),
        ),
        (
            "odd name",
            problems(AuthLayer::builder().accept(Named("a b"))),
            ConfigProblem::SchemeName("a b"),
        ),
        (
            "realm",
            with_realm(|realm| realm.name("a\nb")),
            ConfigProblem::Realm,
        ),
        (
            "empty realm",
            with_realm(|realm| realm.name("")),
            ConfigProblem::Realm,
        ),
        (
            "no length",
            problems(AuthLayer::builder().accept(jwt()).max_credential_len(0)),
            too_short(),
        ),
        (
            "a length that no credential has",
            problems(AuthLayer::builder().accept(jwt()).max_credential_len(10)),
            too_short(),
        ),
        (
            "a path for the name of a claim",
            problems(AuthLayer::builder().accept(jwt().role_claim("realm_access.roles"))),
            ConfigProblem::ClaimPath("realm_access.roles".into()),
        ),
        (
            "a public URL without a scheme",
            problems(
                AuthLayer::builder()
                    .accept(jwt())
                    .public_url("api.example.com"),
            ),
            ConfigProblem::PublicUrl,
        ),
        (
            "no time",
            with_realm(|realm| realm.store_deadline(Duration::ZERO)),
            ConfigProblem::Zero("store_deadline"),
        ),
        (
            "panicking format",
            problems(AuthLayer::builder().accept(jwt()).format(Format("panic"))),
            ConfigProblem::Format,
        ),
        (
            "content type",
            problems(AuthLayer::builder().accept(jwt()).format(Format("a\nb"))),
            ConfigProblem::Format,
        ),
        (
            "leeway",
            with_jwt(jwt().leeway(Duration::from_secs(601))),
            ConfigProblem::Leeway,
        ),
        (
            "half a second",
            with_jwt(jwt().max_age(Duration::from_millis(500))),
            ConfigProblem::MaxAge,
        ),
        (
            "empty typ",
            with_jwt(jwt().token_type("")),
            ConfigProblem::TokenType,
        ),
        (
            "no scopes",
            with_jwt(jwt().scope_claim("")),
            ConfigProblem::ClaimName,
        ),
        (
            "no roles",
            with_jwt(jwt().role_claim("")),
            ConfigProblem::ClaimName,
        ),
        (
            "roles of sub",
            with_jwt(jwt().role_claim("sub")),
            ConfigProblem::ClaimName,
        ),
        (
            "roles of scopes",
            with_jwt(jwt().role_claim("scope")),
            ConfigProblem::ClaimName,
        ),
        (
            "issuer twice",
            problems(AuthLayer::builder().accept(jwt()).accept(jwt())),
            ConfigProblem::DuplicateIssuer(ISSUER.into()),
        ),
        (
            "a token that lives no time",
            with_tokens(tokens().access_lifetime(Duration::ZERO)),
            ConfigProblem::Zero("access_lifetime"),
        ),
        (
            "an access token that outlives its refresh token",
            with_tokens(tokens().refresh_lifetime(Duration::from_secs(60))),
            ConfigProblem::Lifetimes,
        ),
        (
            "tokens that are read nowhere",
            with_tokens(tokens().sources([])),
            ConfigProblem::NoSource("a Tokens"),
        ),
        (
            "bare keys beside a Bearer of one's own",
            problems(
                AuthLayer::builder()
                    .accept(&realm.api_keys(ApiKeys::bare()))
                    .accept(Named("Bearer")),
            ),
            ConfigProblem::TwoBearers,
        ),
        (
            "bare keys in the names of users",
            problems(
                AuthLayer::builder()
                    .accept(&realm.api_keys(ApiKeys::bare().sources([Source::basic()])))
                    .accept(users.basic()),
            ),
            ConfigProblem::BareKeysInBasic,
        ),
        (
            "tokens in the names of users",
            with_jwt(jwt().sources([Source::bearer(), Source::basic()])),
            in_basic(),
        ),
        (
            "tokens of one's own in the names of users",
            with_tokens(tokens().sources([Source::basic()])),
            in_basic(),
        ),
        (
            "public URL",
            problems(
                AuthLayer::builder()
                    .accept(jwt())
                    .public_url("api.example.com"),
            ),
            ConfigProblem::PublicUrl,
        ),
        (
            "a JWK of a key for encryption",
            with_jwt(jwt().key(JwtKey::jwk(r#"{"kty":"RSA","use":"enc"}"#))),
            ConfigProblem::Jwk("its use is not sig"),
        ),
    ];
    for (name, found, expected) in cases {
        assert_eq!(found, [expected], "{name}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once_and_none_shows_a_secret() {
    let secret = "sixteen bytes...";
    let realm = Realm::new(Memory::new()).name("\u{e4}");
    let keys = realm.api_keys(ApiKeys::prefix("an egret").pepper("p", secret));
    let error = AuthLayer::builder()
        .accept(Jwt::hs256(secret))
        .accept(&keys)
        .build()
        .unwrap_err();
    let expected = [
        ConfigProblem::Realm,
        ConfigProblem::Issuer,
        ConfigProblem::Audience,
        ConfigProblem::ShortSecret {
            algorithm: "HS256",
            least: 32,
        },
        ConfigProblem::Prefix,
        ConfigProblem::Pepper,
    ];
    assert_eq!(error.problems(), expected);
    for text in [
        error.to_string(),
        format!("{error:?}"),
        format!("{:?}", error.problems()),
    ] {
        assert!(!text.contains("sixteen"), "{text}");
    }
    assert_eq!(error.to_string().lines().count(), 1 + expected.len());
}

#[test]
fn a_sound_configuration_with_everything_is_accepted() {
    let realm = Realm::new(Memory::new());
    let auth = AuthLayer::builder()
        .accept(&realm.tokens(Tokens::hs256(SECRET).issuer("https://api.example.com")))
        .accept(jwt())
        .accept(jwt().issuer("https://other.example.com"))
        .accept(&realm.api_keys(ApiKeys::prefix("egret").pepper("p", [7; 32])))
        .accept(&realm.api_keys(ApiKeys::prefix("egret_live_")))
        .accept(&realm.api_keys(ApiKeys::bare()))
        .accept(realm.users(PasswordPolicy::new()).basic())
        .accept(Named("Badge"));
    assert_eq!(problems(auth), []);
}

#[test]
fn all_mistakes_of_what_a_realm_issues_are_reported_at_once() {
    let tokens = Tokens::hs256("sixteen bytes...")
        .next_key(SigningKey::hs256(SECRET))
        .retired_key(JwtKey::hs256(SECRET).id("old"))
        .access_lifetime(Duration::from_secs(60))
        .refresh_lifetime(Duration::ZERO)
        .sources([])
        .scope_claim("");
    let realm = Realm::new(Stores::new());
    let tokens = realm.tokens(tokens);
    let keys = realm.api_keys(ApiKeys::prefix("an egret").sources([]));
    let users = realm.users(PasswordPolicy::new());
    let layer = AuthLayer::builder().accept(&tokens).accept(&keys);
    let expected = [
        ConfigProblem::Zero("refresh_lifetime"),
        ConfigProblem::Lifetimes,
        ConfigProblem::NoStore("tokens"),
        ConfigProblem::ShortSecret {
            algorithm: "HS256",
            least: 32,
        },
        ConfigProblem::MissingKeyId,
        ConfigProblem::TokensIssuer,
        ConfigProblem::ClaimName,
        ConfigProblem::NoSource("a Tokens"),
        ConfigProblem::NoSource("an ApiKeys"),
        ConfigProblem::Prefix,
        ConfigProblem::NoStore("API keys"),
        ConfigProblem::NoStore("users"),
    ];
    assert_eq!(problems(layer.accept(users.basic())), expected);
}

#[tokio::test]
async fn a_misconfigured_issuer_that_no_layer_was_built_with_is_500() {
    let tokens = Realm::new(Memory::new()).tokens(Tokens::hs256("short"));
    let refused = tokens.issue(Grant::new(Subject::user("7"))).await;
    assert_eq!(refused.unwrap_err().status(), 500);
    let keys = Realm::new(Stores::new()).api_keys(ApiKeys::prefix("egret"));
    let refused = keys.issue(KeyRequest::new(Subject::user("7"), "ci")).await;
    assert_eq!(refused.unwrap_err().status(), 500);
}

#[test]
fn what_belongs_to_two_realms_does_not_stand_in_one_layer() {
    let (one, other) = (Realm::new(Memory::new()), Realm::new(Memory::new()));
    let tokens = one.tokens(Tokens::hs256(SECRET).issuer(ISSUER));
    let keys = other.api_keys(ApiKeys::prefix("egret"));
    let users = other.users(PasswordPolicy::new());
    let layer = || AuthLayer::builder().accept(&tokens);
    for mixed in [
        layer().accept(&keys),
        layer().accept(users.basic()),
        layer().realm(&other),
        AuthLayer::builder().realm(&one).accept(jwt()).accept(&keys),
    ] {
        assert_eq!(problems(mixed), [ConfigProblem::TwoRealms]);
    }
    // A clone is the same realm, and what belongs to none fits into any.
    let keys = one.clone().api_keys(ApiKeys::prefix("egret"));
    let fits = layer()
        .accept(&keys)
        .accept(jwt().issuer("https://other.example.com"));
    assert_eq!(problems(fits.accept(Named("Badge")).realm(&one)), []);
    // A setting makes another realm.
    let renamed = one.clone().name("renamed").api_keys(ApiKeys::bare());
    assert_eq!(
        problems(layer().accept(&renamed)),
        [ConfigProblem::TwoRealms]
    );
}

/// A `main` that returns an error prints its `Debug`.
#[test]
fn what_a_main_returns_reads_as_a_sentence() {
    let store = |kind| StoreError::new(kind);
    let unavailable = StoreError::unavailable("no such table: keys");
    let rate = "often".parse::<Rate>().unwrap_err();
    let mistakes = AuthLayer::builder().build().unwrap_err();
    let refused = Rejection::new(RejectionKind::Unavailable, "store failed");
    let errors: [(&str, Box<dyn Error>); 8] = [
        ("exists", Box::new(store(StoreErrorKind::Exists))),
        ("missing", Box::new(store(StoreErrorKind::Missing))),
        ("invalid", Box::new(store(StoreErrorKind::Invalid))),
        ("unavailable", Box::new(unavailable)),
        ("limiter", Box::new(LimiterError::new("no route to host"))),
        ("rate", Box::new(rate)),
        ("configuration", Box::new(mistakes)),
        ("rejection", Box::new(refused)),
    ];
    for (name, error) in errors {
        let printed = format!("{error:?}");
        assert!(printed.contains(&error.to_string()), "{name}: {printed}");
        assert!(!printed.contains(['{', '}']), "{name}: {printed}");
        if let Some(source) = error.source() {
            let ends = format!(": {source}");
            assert!(printed.ends_with(&ends), "{name}: {printed}");
        }
    }
}
