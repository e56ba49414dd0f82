//! `build()` reports every mistake, and all of them at once.

use crate::support::*;
use std::time::Duration;
use tower_auth::store::Memory;
use tower_auth::{
    Answer, ApiKeys, AuthLayer, AuthLayerBuilder, Basic, ConfigProblem, Credential, Jwt, JwtKey,
    Rejection, Scheme, format::ErrorFormat,
};

fn problems(builder: AuthLayerBuilder) -> Vec<ConfigProblem> {
    builder
        .build()
        .map_or_else(|error| error.problems().to_vec(), |_| Vec::new())
}

fn keys() -> ApiKeys {
    ApiKeys::new(Memory::new())
}

fn with_keys(api_keys: impl IntoIterator<Item = ApiKeys>) -> Vec<ConfigProblem> {
    problems(
        api_keys
            .into_iter()
            .fold(AuthLayer::builder(), AuthLayerBuilder::api_keys),
    )
}

struct Named(&'static str);

impl Scheme for Named {
    fn name(&self) -> &'static str {
        self.0
    }

    fn authenticate(&self, _: &Credential<'_>, _: std::time::SystemTime) -> Answer {
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

#[test]
fn every_mistake_is_named() {
    let long = "p".repeat(33);
    let cases: Vec<(&str, Vec<ConfigProblem>, ConfigProblem)> = vec![
        (
            "nothing",
            problems(AuthLayer::builder()),
            ConfigProblem::NoScheme,
        ),
        ("no form", with_keys([keys()]), ConfigProblem::KeyForm),
        (
            "empty prefix",
            with_keys([keys().prefix("")]),
            ConfigProblem::Prefix,
        ),
        (
            "odd prefix",
            with_keys([keys().prefix("a.b")]),
            ConfigProblem::Prefix,
        ),
        (
            "prefix like a JWT",
            with_keys([keys().prefix("eyJ")]),
            ConfigProblem::Prefix,
        ),
        (
            "prefix with its separator",
            with_keys([keys().prefix("egret_")]),
            ConfigProblem::Prefix,
        ),
        (
            "digit first",
            with_keys([keys().prefix("1a")]),
            ConfigProblem::Prefix,
        ),
        (
            "long prefix",
            with_keys([keys().prefix(long)]),
            ConfigProblem::Prefix,
        ),
        (
            "equal",
            with_keys([keys().prefix("a"), keys().prefix("a")]),
            ConfigProblem::EqualPrefixes("a".into()),
        ),
        (
            "two bare",
            with_keys([keys().bare(), keys().opaque()]),
            ConfigProblem::TwoBareKeys,
        ),
        (
            "short pepper",
            with_keys([keys().prefix("a").pepper("p", [7; 31])]),
            ConfigProblem::Pepper,
        ),
        (
            "pepper id",
            with_keys([keys().prefix("a").pepper("p:q", [7; 32])]),
            ConfigProblem::Pepper,
        ),
        (
            "pepper twice",
            with_keys([keys()
                .prefix("a")
                .pepper("p", [7; 32])
                .previous_pepper("p", [8; 32])]),
            ConfigProblem::Pepper,
        ),
        (
            "basic twice",
            problems(
                AuthLayer::builder()
                    .basic(Basic::new(Memory::new()))
                    .basic(Basic::new(Memory::new())),
            ),
            ConfigProblem::TwoBasic,
        ),
        (
            "taken name",
            problems(AuthLayer::builder().scheme(Named("bearer"))),
            ConfigProblem::SchemeName("bearer"),
        ),
        (
            "same name",
            problems(AuthLayer::builder().scheme(Named("A")).scheme(Named("a"))),
            ConfigProblem::SchemeName("a"),
        ),
        (
            "odd name",
            problems(AuthLayer::builder().scheme(Named("a b"))),
            ConfigProblem::SchemeName("a b"),
        ),
        (
            "realm",
            problems(AuthLayer::builder().jwt(jwt()).realm("a\nb")),
            ConfigProblem::Realm,
        ),
        (
            "empty realm",
            problems(AuthLayer::builder().jwt(jwt()).realm("")),
            ConfigProblem::Realm,
        ),
        (
            "no length",
            problems(AuthLayer::builder().jwt(jwt()).max_credential_len(0)),
            ConfigProblem::Zero("max_credential_len"),
        ),
        (
            "no time",
            problems(
                AuthLayer::builder()
                    .jwt(jwt())
                    .store_deadline(Duration::ZERO),
            ),
            ConfigProblem::Zero("store_deadline"),
        ),
        (
            "panicking format",
            problems(AuthLayer::builder().jwt(jwt()).format(Format("panic"))),
            ConfigProblem::Format,
        ),
        (
            "content type",
            problems(AuthLayer::builder().jwt(jwt()).format(Format("a\nb"))),
            ConfigProblem::Format,
        ),
        (
            "leeway",
            problems(AuthLayer::builder().jwt(jwt().leeway(Duration::from_secs(601)))),
            ConfigProblem::Leeway,
        ),
        (
            "half a second",
            problems(AuthLayer::builder().jwt(jwt().max_age(Duration::from_millis(500)))),
            ConfigProblem::MaxAge,
        ),
        (
            "empty typ",
            problems(AuthLayer::builder().jwt(jwt().token_type(""))),
            ConfigProblem::TokenType,
        ),
        (
            "no scopes",
            problems(AuthLayer::builder().jwt(jwt().scope_claim(""))),
            ConfigProblem::ClaimName,
        ),
        (
            "no roles",
            problems(AuthLayer::builder().jwt(jwt().role_claim(""))),
            ConfigProblem::ClaimName,
        ),
        (
            "roles of sub",
            problems(AuthLayer::builder().jwt(jwt().role_claim("sub"))),
            ConfigProblem::ClaimName,
        ),
        (
            "roles of scopes",
            problems(AuthLayer::builder().jwt(jwt().role_claim("scope"))),
            ConfigProblem::ClaimName,
        ),
        (
            "issuer twice",
            problems(AuthLayer::builder().jwt(jwt()).jwt(jwt())),
            ConfigProblem::DuplicateIssuer(ISSUER.into()),
        ),
        (
            "secret beside a public key",
            problems(AuthLayer::builder().jwt(
                jwt().key(JwtKey::ed25519("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").id("k")),
            )),
            ConfigProblem::MixedKeys,
        ),
    ];
    for (name, found, expected) in cases {
        assert_eq!(found, [expected], "{name}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once_and_none_shows_a_secret() {
    let secret = "sixteen bytes...";
    let error = AuthLayer::builder()
        .realm("\u{e4}")
        .jwt(Jwt::hs256(secret))
        .api_keys(keys().prefix("egret_").pepper("p", secret))
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
    let auth = AuthLayer::builder()
        .jwt(jwt())
        .jwt(jwt().issuer("https://other.example.com"))
        .api_keys(keys().prefix("egret").pepper("p", [7; 32]))
        .api_keys(keys().prefix("egret_live"))
        .api_keys(keys().bare())
        .basic(Basic::new(Memory::new()))
        .scheme(Named("Badge"));
    assert_eq!(problems(auth), []);
}
