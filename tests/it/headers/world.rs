//! Who exists, what they hold, and the layers that the rows are sent to.

use crate::support::{AUDIENCE, FAR, ISSUER, SECRET, jwt, token_for};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::OnceCell;
use tower_auth::api_key::NewKey;
use tower_auth::clock::Clock;
use tower_auth::layer::AuthLayerBuilder;
use tower_auth::password::hash_password;
use tower_auth::store::{ManagedUserStore, Memory, UserRecord};
use tower_auth::test_util::{ManualClock, TokenMint};
use tower_auth::{ApiKeys, AuthLayer, KeyIssuer, KeyRequest, PasswordPolicy, Realm, Subject};

/// `anna:` and this are 22 bytes, so that their base64 ends with `==`.
pub(super) const PASSWORD: &str = "quiet Zebra 47 ox";
pub(super) const PASSWORD_OF_COLONS: &str = "Xy7:qR2m:Wd9k";

/// What the layers of a row accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Setup {
    /// JWTs, and API keys with the prefix `egret`.
    Usual,
    /// The same and Basic.
    All,
    /// As `Usual`, and keys without a prefix.
    BareKeys,
    TokensOnly,
    KeysOnly,
    BasicOnly,
    /// As `Usual`, with fields of 64 bytes at most.
    Small,
    /// As `Usual`, with preflights let through.
    Preflight,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Required,
    Optional,
}

/// Everything that is a secret in these tests but for the signing secret.
#[derive(Debug)]
pub(super) struct World {
    store: Memory,
    pub(super) token: String,
    pub(super) expired_token: String,
    pub(super) key: String,
    pub(super) bare_key: String,
    pub(super) unknown_key: String,
    pub(super) revoked_key: String,
    pub(super) expired_key: String,
    pub(super) long_password: String,
    pub(super) hashes: Vec<String>,
}

/// The same for all tests: hashing its passwords takes a while.
pub(super) async fn world() -> &'static World {
    static WORLD: OnceCell<World> = OnceCell::const_new();
    WORLD.get_or_init(World::new).await
}

pub(super) fn clock() -> ManualClock {
    ManualClock::new(FAR - 1_000)
}

/// Keys like `egret_…`.
pub(super) fn prefixed() -> ApiKeys {
    ApiKeys::prefix("egret")
}

/// A key of that user.
pub(super) async fn key_of(keys: &KeyIssuer, owner: &str) -> NewKey {
    let request = KeyRequest::new(Subject::user(owner), "ci");
    keys.issue(request).await.unwrap()
}

pub(super) fn basic(name_and_password: impl AsRef<[u8]>) -> String {
    format!("Basic {}", STANDARD.encode(name_and_password))
}

impl World {
    async fn new() -> Self {
        let store = Memory::new();
        let earlier = ManualClock::new(FAR - 2_000);
        let realm = Realm::new(store.clone()).clock(earlier);
        let keys = realm.api_keys(prefixed());
        let bare_keys = realm.api_keys(ApiKeys::bare());
        let elsewhere = Realm::new(Memory::new()).api_keys(prefixed());
        let key = key_of(&keys, "7").await;
        let bare_key = key_of(&bare_keys, "8").await;
        let unknown_key = key_of(&elsewhere, "7").await;
        let revoked_key = key_of(&keys, "7").await;
        let revoked = &revoked_key.record;
        keys.revoke(&revoked.owner, &revoked.id).await.unwrap();
        let expiring = KeyRequest::new(Subject::user("7"), "ci").expires(clock().now());
        let expired_key = keys.issue(expiring).await.unwrap();

        let long_password = (0_u64..)
            .map(|n| n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .flat_map(|n| format!("{n:016x}").into_bytes())
            .take(1024)
            .map(char::from)
            .collect::<String>();
        let users = [
            ("9", "anna", PASSWORD),
            ("10", "cleo", PASSWORD_OF_COLONS),
            ("11", "lena", &long_password),
        ];
        let mut hashes = Vec::new();
        for (id, name, password) in users {
            let hash = hash_password(password).unwrap();
            hashes.push(hash.clone());
            let user = UserRecord::new(Subject::user(id), name).password_hash(hash);
            store.insert_user(user).await.unwrap();
        }
        let away = UserRecord::new(Subject::user("12"), "away")
            .password_hash(hashes[0].clone())
            .disabled();
        store.insert_user(away).await.unwrap();

        let expired =
            serde_json::json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "anna", "exp": 1_000 });
        Self {
            token: token_for("anna"),
            expired_token: TokenMint::hs256(SECRET).sign(&expired),
            key: key.key.expose().clone(),
            bare_key: bare_key.key.expose().clone(),
            unknown_key: unknown_key.key.expose().clone(),
            revoked_key: revoked_key.key.expose().clone(),
            expired_key: expired_key.key.expose().clone(),
            long_password,
            hashes,
            store,
        }
    }

    pub(super) fn store(&self) -> &Memory {
        &self.store
    }

    /// A realm over the store, with counts of its own: what is tried in one test is no attempt in
    /// another.
    pub(super) fn realm(&self) -> Realm {
        Realm::new(self.store.clone()).clock(clock())
    }

    pub(super) fn builder(&self, setup: Setup) -> AuthLayerBuilder {
        let realm = self.realm();
        let keys = realm.api_keys(prefixed());
        let basic = realm.users(PasswordPolicy::new()).basic();
        let builder = AuthLayer::builder().realm(&realm);
        match setup {
            Setup::Usual => builder.accept(jwt()).accept(&keys),
            Setup::All => builder.accept(jwt()).accept(&keys).accept(basic),
            Setup::BareKeys => {
                let bare = realm.api_keys(ApiKeys::bare());
                builder.accept(jwt()).accept(&keys).accept(&bare)
            }
            Setup::TokensOnly => builder.accept(jwt()),
            Setup::KeysOnly => builder.accept(&keys),
            Setup::BasicOnly => builder.accept(basic),
            Setup::Small => builder.accept(jwt()).accept(&keys).max_credential_len(64),
            Setup::Preflight => builder.accept(jwt()).accept(&keys).allow_preflight(),
        }
    }

    pub(super) fn layer(&self, setup: Setup, mode: Mode) -> AuthLayer {
        let builder = self.builder(setup);
        let builder = if mode == Mode::Optional {
            builder.optional()
        } else {
            builder
        };
        builder.build().unwrap()
    }

    /// A credential that a setup accepts, as a field line, and the caller it belongs to.
    pub(super) fn good(&self, setup: Setup) -> (String, &'static str) {
        match setup {
            Setup::BasicOnly => (
                format!("Authorization: {}\r\n", basic(format!("anna:{PASSWORD}"))),
                "Basic 9",
            ),
            Setup::KeysOnly | Setup::Small => (format!("X-API-Key: {}\r\n", self.key), "ApiKey 7"),
            _ => (
                format!("Authorization: Bearer {}\r\n", self.token),
                "Jwt anna",
            ),
        }
    }

    /// What must appear nowhere. Of a key its hint is public, the prefix and four characters, and
    /// of a token all but its signature may be shown to whoever sent it.
    pub(super) fn secrets(&self) -> Vec<String> {
        let keys = [
            &self.key,
            &self.unknown_key,
            &self.revoked_key,
            &self.expired_key,
        ];
        let signature = |token: &str| token.rsplit('.').next().unwrap().to_owned();
        let mut secrets: Vec<String> = keys
            .iter()
            .map(|key| key["egret_".len()..].to_owned())
            .collect();
        secrets.extend([&self.token, &self.expired_token].map(|token| signature(token)));
        secrets.extend([
            self.bare_key.clone(),
            self.long_password.clone(),
            SECRET.into(),
        ]);
        secrets.extend([PASSWORD, PASSWORD_OF_COLONS].map(String::from));
        let users = [
            ("anna", PASSWORD),
            ("cleo", PASSWORD_OF_COLONS),
            ("lena", self.long_password.as_str()),
        ];
        secrets.extend(users.map(|(name, password)| STANDARD.encode(format!("{name}:{password}"))));
        // As they stand in Basic.
        secrets.extend(keys.map(|key| STANDARD.encode(format!("{key}:"))));
        secrets.extend(
            self.hashes
                .iter()
                .map(|hash| hash.rsplit('$').next().unwrap().to_owned()),
        );
        secrets
    }
}

impl Setup {
    pub(super) const ALL: [Self; 8] = [
        Self::Usual,
        Self::All,
        Self::BareKeys,
        Self::TokensOnly,
        Self::KeysOnly,
        Self::BasicOnly,
        Self::Small,
        Self::Preflight,
    ];

    /// One challenge for each scheme, in order; `error` on Bearer alone.
    pub(super) fn challenges(self, error: Option<&str>) -> Vec<String> {
        let error = error
            .map(|error| format!(", error=\"{error}\""))
            .unwrap_or_default();
        let bearer = format!("Bearer realm=\"api\"{error}");
        let key = String::from("Api-Key realm=\"api\"");
        let basic = String::from("Basic realm=\"api\", charset=\"UTF-8\"");
        match self {
            Self::TokensOnly => vec![bearer],
            Self::BasicOnly => vec![basic],
            Self::All => vec![bearer, key, basic],
            Self::Usual | Self::BareKeys | Self::KeysOnly | Self::Small | Self::Preflight => {
                vec![bearer, key]
            }
        }
    }
}
