//! The layers that the table's tokens are shown to.

use super::forge::{NOW, SECRET_384, SECRET_512, is_of_secrets};
use super::keys;
use crate::support::{AUDIENCE, ISSUER, PUBLIC_KEYS, SECRET};
use std::time::Duration;
use tower_auth::jwt::{JwtAlgorithm as Alg, JwtKey};
use tower_auth::layer::AuthLayerBuilder;
use tower_auth::store::Stores;
use tower_auth::test_util::ManualClock;
use tower_auth::{AuthLayer, Jwt, Realm};

pub(super) const OTHER_ISSUER: &str = "https://login.example.org";
/// Test value: the secret of the other issuer, or of the newer key.
pub(super) const OTHER_SECRET: &str = "u4Zq7Kw2xRm9other issuer 0123456789abcdef";
/// 9999-12-31T23:59:59Z, the latest time that a claim may have.
pub(super) const LATEST: u64 = 253_402_300_799;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Policy {
    /// One key without an id, at `NOW`, with the leeway of 60 seconds that is the default.
    Of(Alg),
    /// An RSA key with exponent 3.
    CubeRsa,
    /// A key for HS256 with the id `2026`, and one for HS512 with the id `2027`.
    Ids,
    /// Two keys for HS256 with the ids `old` and `new`.
    Rotation,
    /// An RSA, a P-256 and an Ed25519 key with the ids `rsa`, `ec` and `ed`.
    PublicIds,
    /// The same, and beside them a secret for HS256 without an id.
    Beside,
    /// An RSA key for RS256 and the same for PS256, a P-256 and an Ed25519 key, all without ids.
    Mixed,
    /// Two issuers with a secret each, and different audiences.
    TwoIssuers,
    /// Two audiences.
    TwoAudiences,
    /// The `typ` must be `at+jwt`.
    AccessType,
    /// HS256 at this time, with this leeway in seconds.
    At { now: u64, leeway: u64 },
    /// HS256 at this time, with this leeway and at most an hour after `iat`.
    MaxAge { now: u64, leeway: u64 },
}

pub(super) const HS: Policy = Policy::Of(Alg::Hs256);

pub(super) fn key(alg: Alg) -> JwtKey {
    match alg {
        Alg::Hs384 => JwtKey::hs384(SECRET_384),
        Alg::Hs512 => JwtKey::hs512(SECRET_512),
        Alg::Es256 => JwtKey::ec(alg, keys::P256_X, keys::P256_Y),
        Alg::Es384 => JwtKey::ec(alg, keys::P384_X, keys::P384_Y),
        Alg::EdDsa => JwtKey::ed25519(keys::ED_X),
        Alg::Hs256 => JwtKey::hs256(SECRET),
        _ => JwtKey::rsa(alg, keys::RSA_N, "AQAB"),
    }
}

fn ours() -> Jwt {
    Jwt::new().issuer(ISSUER).audience(AUDIENCE)
}

fn public_ids() -> Jwt {
    ours()
        .key(key(Alg::Rs256).id("rsa"))
        .key(key(Alg::Es256).id("ec"))
        .key(key(Alg::EdDsa).id("ed"))
}

impl Policy {
    /// Whether a layer can be built of it: without a back end of secrets alone.
    pub(super) fn is_usable(self) -> bool {
        match self {
            Self::Of(alg) => PUBLIC_KEYS || is_of_secrets(alg),
            Self::CubeRsa | Self::PublicIds | Self::Beside | Self::Mixed => PUBLIC_KEYS,
            _ => true,
        }
    }

    fn now(self) -> u64 {
        match self {
            Self::At { now, .. } | Self::MaxAge { now, .. } => now,
            _ => NOW,
        }
    }

    fn jwts(self) -> Vec<Jwt> {
        let jwt = match self {
            Self::Of(alg) => ours().key(key(alg)),
            Self::CubeRsa => ours().key(JwtKey::rsa(Alg::Rs256, keys::RSA_CUBE_N, "Aw")),
            Self::Ids => ours()
                .key(key(Alg::Hs256).id("2026"))
                .key(key(Alg::Hs512).id("2027")),
            Self::Rotation => ours()
                .key(key(Alg::Hs256).id("old"))
                .key(JwtKey::hs256(OTHER_SECRET).id("new")),
            Self::PublicIds => public_ids(),
            Self::Beside => public_ids().key(key(Alg::Hs256)),
            Self::Mixed => ours()
                .key(key(Alg::Rs256))
                .key(key(Alg::Ps256))
                .key(key(Alg::Es256))
                .key(key(Alg::EdDsa)),
            Self::TwoIssuers => {
                let other = Jwt::hs256(OTHER_SECRET)
                    .issuer(OTHER_ISSUER)
                    .audience("invoices");
                return vec![ours().key(key(Alg::Hs256)), other];
            }
            Self::TwoAudiences => ours().audience("invoices").key(key(Alg::Hs256)),
            Self::AccessType => ours().token_type("at+jwt").key(key(Alg::Hs256)),
            Self::At { leeway, .. } => ours()
                .key(key(Alg::Hs256))
                .leeway(Duration::from_secs(leeway)),
            Self::MaxAge { leeway, .. } => ours()
                .key(key(Alg::Hs256))
                .leeway(Duration::from_secs(leeway))
                .max_age(Duration::from_secs(3600)),
        };
        vec![jwt]
    }

    pub(super) fn layer(self) -> AuthLayer {
        let realm = Realm::new(Stores::new()).clock(ManualClock::new(self.now()));
        self.jwts()
            .into_iter()
            .fold(AuthLayer::builder().realm(&realm), AuthLayerBuilder::accept)
            .build()
            .unwrap()
    }
}
