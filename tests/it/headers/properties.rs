//! Whatever bytes a credential field holds, the answer is a refusal unless they are a good
//! credential.

use super::wire::Witness;
use super::world::{Mode, Setup, World, world};
use crate::support::{Reply, reply};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::Full;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;
use tower::ServiceExt;
use tower_auth::AuthLayer;
use tower_layer::Layer;

/// A layer, called without a server, and a runtime for that.
struct Bench {
    runtime: Runtime,
    world: &'static World,
    layers: Vec<(Setup, AuthLayer)>,
}

impl Bench {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let world = runtime.block_on(world());
        let setups = [
            Setup::Usual,
            Setup::BareKeys,
            Setup::TokensOnly,
            Setup::KeysOnly,
            Setup::Small,
        ];
        let layers = setups
            .into_iter()
            .flat_map(|setup| {
                [Mode::Required, Mode::Optional].map(|mode| (setup, world.layer(setup, mode)))
            })
            .collect();
        Self {
            runtime,
            world,
            layers,
        }
    }

    fn ask(&self, layer: &AuthLayer, fields: &[(HeaderName, HeaderValue)]) -> Reply {
        let mut request = Request::new(Full::<Bytes>::default());
        request.headers_mut().extend(fields.iter().cloned());
        self.runtime.block_on(async {
            reply(
                layer
                    .layer(Witness::default())
                    .oneshot(request)
                    .await
                    .unwrap(),
            )
            .await
        })
    }

    /// Every layer refuses these fields, in good form. None has Basic, which would cost a hash a
    /// case.
    fn is_refused(&self, fields: &[(HeaderName, HeaderValue)]) -> Result<(), TestCaseError> {
        for (setup, layer) in &self.layers {
            let ignored = *setup == Setup::TokensOnly
                && fields.iter().all(|(name, _)| name != "authorization");
            if ignored {
                continue;
            }
            let refused = self.ask(layer, fields);
            let challenges = refused.challenges();
            prop_assert!(
                matches!(refused.status.as_u16(), 400 | 401),
                "{setup:?}: {}",
                refused.status
            );
            prop_assert_eq!(challenges.len(), setup.challenges(None).len());
            prop_assert!(challenges[0].starts_with("Bearer realm=\"api\""));
            prop_assert!(challenges[1..].iter().all(|line| !line.contains("error")));
            prop_assert_eq!(&refused.headers["cache-control"], "no-store");
            prop_assert!(refused.json()["code"].is_string());
        }
        Ok(())
    }
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    })
}

fn authorization(value: HeaderValue) -> (HeaderName, HeaderValue) {
    (http::header::AUTHORIZATION, value)
}

fn x_api_key(value: HeaderValue) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static("x-api-key"), value)
}

/// Any bytes a field can hold.
fn any_value() -> impl Strategy<Value = HeaderValue> {
    let allowed = |b: u8| {
        if (b < 0x20 && b != b'\t') || b == 0x7f {
            b | 0x80
        } else {
            b
        }
    };
    prop::collection::vec(any::<u8>().prop_map(allowed), 0..300)
        .prop_filter_map("a field value", |bytes| {
            HeaderValue::from_bytes(&bytes).ok()
        })
}

/// A scheme or something like it, something like a space, and something like a credential.
fn likely_value() -> impl Strategy<Value = HeaderValue> {
    let schemes = [
        "Bearer", "bearer", "Api-Key", "Basic", "Digest", "Bearer,", "Béarer", "",
    ];
    let spaces = [" ", "  ", "\t", "", " \t ", ","];
    let starts = [
        "",
        "egret_",
        "egret",
        "eyJhbGciOiJIUzI1NiJ9.",
        "eyJhbGciOiJub25lIn0.e30.",
        "\"",
    ];
    let rest = "[A-Za-z0-9._~+/=,\\- ]{0,120}";
    (
        select(schemes.to_vec()),
        select(spaces.to_vec()),
        select(starts.to_vec()),
        rest,
    )
        .prop_filter_map("a field value", |(scheme, space, start, rest)| {
            HeaderValue::from_bytes(format!("{scheme}{space}{start}{rest}").as_bytes()).ok()
        })
}

#[test]
fn any_bytes_in_authorization_are_refused() {
    let bench = Bench::new();
    let values = prop_oneof![any_value(), likely_value()];
    runner(1_000)
        .run(&values, |value| bench.is_refused(&[authorization(value)]))
        .unwrap();
}

#[test]
fn any_bytes_in_x_api_key_are_refused() {
    let bench = Bench::new();
    let values = prop_oneof![any_value(), likely_value()];
    runner(1_000)
        .run(&values, |value| bench.is_refused(&[x_api_key(value)]))
        .unwrap();
}

#[test]
fn any_number_of_credential_fields_but_one_good_is_refused() {
    let bench = Bench::new();
    let good = HeaderValue::try_from(format!("Bearer {}", bench.world.token)).unwrap();
    let key = HeaderValue::try_from(bench.world.key.as_str()).unwrap();
    let one = prop_oneof![
        any_value().prop_map(authorization),
        likely_value().prop_map(authorization),
        Just(authorization(good)),
    ];
    let other = prop_oneof![
        any_value().prop_map(x_api_key),
        likely_value().prop_map(x_api_key),
        Just(x_api_key(key)),
    ];
    let lines = (
        prop::collection::vec(one, 1..4),
        prop::collection::vec(other, 0..3),
    );
    let lines = lines.prop_filter("at least two", |(first, second)| {
        first.len() + second.len() > 1
    });
    runner(500)
        .run(&lines, |(first, second)| {
            let repeated = first.len() > 1;
            let fields = [first, second].concat();
            for (setup, layer) in &bench.layers {
                if *setup != Setup::TokensOnly || repeated {
                    prop_assert_eq!(
                        bench.ask(layer, &fields).status.as_u16(),
                        400,
                        "{:?}",
                        setup
                    );
                }
            }
            Ok(())
        })
        .unwrap();
}

#[derive(Clone, Debug)]
enum Mutation {
    Flip(Index, u8),
    Replace(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Truncate(Index),
    Append(Vec<u8>),
    Swap(Index, Index),
    Repeat,
    Reverse,
}

impl Mutation {
    fn apply(&self, text: &[u8]) -> Vec<u8> {
        let mut bytes = text.to_vec();
        let length = bytes.len();
        match self {
            Self::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
            Self::Replace(at, with) => bytes[at.index(length)] = *with,
            Self::Insert(at, with) => bytes.insert(at.index(length + 1), *with),
            Self::Remove(at) => drop(bytes.remove(at.index(length))),
            Self::Truncate(at) => bytes.truncate(at.index(length)),
            Self::Append(more) => bytes.extend(more),
            Self::Swap(one, other) => bytes.swap(one.index(length), other.index(length)),
            Self::Repeat => bytes.extend_from_within(..),
            Self::Reverse => bytes.reverse(),
        }
        bytes
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    let character = || {
        prop_oneof![
            any::<u8>(),
            "[A-Za-z0-9._=-]".prop_map(|text| text.as_bytes()[0])
        ]
    };
    prop_oneof![
        (at(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        (at(), character()).prop_map(|(at, with)| Mutation::Replace(at, with)),
        (at(), character()).prop_map(|(at, with)| Mutation::Insert(at, with)),
        at().prop_map(Mutation::Remove),
        at().prop_map(Mutation::Truncate),
        prop::collection::vec(character(), 1..20).prop_map(Mutation::Append),
        (at(), at()).prop_map(|(one, other)| Mutation::Swap(one, other)),
        Just(Mutation::Repeat),
        Just(Mutation::Reverse),
    ]
}

/// The fields in which a changed credential can come; none where no field can hold it, or nothing
/// has changed.
fn changed_fields(good: &str, changed: &[u8]) -> Vec<(HeaderName, HeaderValue)> {
    let spaces = changed.iter().take_while(|b| **b == b' ').count();
    // Any number of spaces may stand between the scheme and the credential.
    let behind_scheme = [&b"Bearer "[..], b"Api-Key "]
        .into_iter()
        .filter(|_| &changed[spaces..] != good.as_bytes())
        .filter_map(|scheme| HeaderValue::from_bytes(&[scheme, changed].concat()).ok())
        .map(authorization);
    let alone = HeaderValue::from_bytes(changed)
        .ok()
        .filter(|_| changed != good.as_bytes())
        .map(x_api_key);
    behind_scheme.chain(alone).collect()
}

#[test]
fn any_change_of_a_good_credential_is_refused() {
    let bench = Bench::new();
    let goods = [
        bench.world.key.as_str(),
        &bench.world.bare_key,
        &bench.world.token,
    ];
    let changes = (
        select(goods.to_vec()),
        prop::collection::vec(mutation(), 1..4),
    );
    runner(2_000)
        .run(&changes, |(good, mutations)| {
            let changed = mutations
                .iter()
                .fold(good.as_bytes().to_vec(), |bytes, mutation| {
                    match bytes.len() {
                        0 => bytes,
                        _ => mutation.apply(&bytes),
                    }
                });
            for field in changed_fields(good, &changed) {
                bench.is_refused(&[field])?;
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn every_change_of_one_bit_of_a_good_credential_is_refused() {
    let bench = Bench::new();
    for good in [&bench.world.key, &bench.world.bare_key, &bench.world.token] {
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut changed = good.clone().into_bytes();
                changed[at] ^= 1 << bit;
                for field in changed_fields(good, &changed) {
                    bench
                        .is_refused(&[field])
                        .unwrap_or_else(|fault| panic!("bit {bit} of byte {at}: {fault}"));
                }
            }
        }
    }
}

#[test]
fn the_good_credentials_that_are_changed_here_are_accepted_as_they_are() {
    let bench = Bench::new();
    let World {
        key,
        bare_key,
        token,
        ..
    } = bench.world;
    let (_, layer) = bench
        .layers
        .iter()
        .find(|(setup, _)| *setup == Setup::BareKeys)
        .unwrap();
    for (good, caller) in [
        (key, "ApiKey 7"),
        (bare_key, "ApiKey 8"),
        (token, "Jwt anna"),
    ] {
        let field = authorization(HeaderValue::try_from(format!("Bearer {good}")).unwrap());
        assert_eq!(bench.ask(layer, &[field]).text(), caller);
    }
}
