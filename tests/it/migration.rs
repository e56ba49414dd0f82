//! Moving over from Django and DRF: what they stored opens here, without a password reset.
//!
//! The literals were written by Django 5.2.19, argon2-cffi 25.1.0, bcrypt 5.0.0 and
//! djangorestframework-api-key 3.1.0 (djangorestframework 3.18.3): `PASSWORD_HASHERS` one by one,
//! `make_password(None)`, `argon2.PasswordHasher` for the PHC strings, and
//! `APIKey.objects.create_key`. Where a cost is not Django's default, it was set on the hasher.

use crate::support::*;
use sha2::{Digest, Sha512};
use tower_auth::store::{ManagedUserStore, Memory, UserRecord};
use tower_auth::test_util::ManualClock;
use tower_auth::{AuthLayer, PasswordPolicy, Realm, Subject};

/// Everybody's. For tests only.
pub(crate) const PASSWORD: &str = "tests only: pferd-batterie-ß";

/// User name and hash; the names say which hasher.
pub(crate) const READ: [(&str, &str); 10] = [
    (
        "pbkdf2_sha256, 1,000,000 rounds, the default",
        "pbkdf2_sha256$1000000$jN0fy6Z8wpDHhDqbXQDXq5$OTDrx6Q1rhD9bb2EAjYp6c+ITdRL2fYPWhXD63Ax2lY=",
    ),
    (
        "pbkdf2_sha256, 1,000 rounds",
        "pbkdf2_sha256$1000$WelDqUvgQ3hiG4AjfjWoXU$Kok7zBq7DPizOXJjjH9k3ks2wVSKlCVrqcWo5a1h3mA=",
    ),
    (
        "argon2, the default",
        "argon2$argon2id$v=19$m=102400,t=2,p=8$OE5yMlRBbERrMVZBdlI1eDhjM0lEZQ$wNBOKEvw7KvbnKvi7g4Xmm+6REwXvd60NQC00NCV1us",
    ),
    (
        "argon2, cheap",
        "argon2$argon2id$v=19$m=64,t=1,p=2$azcwSGY2MjBjcHFOMXlzaGRUbG5GbA$IcpXqi8ZRhvZDZf13ZBW1k7rMuHQCEt02Vx0jupoJ1s",
    ),
    (
        "bcrypt_sha256, cost 12, the default",
        "bcrypt_sha256$$2b$12$IPU/7JuUZ.z0y.G1XfK.hOeCnJamAIdKjcyD2vx/Sj5KpSpv11unu",
    ),
    (
        "bcrypt_sha256, cost 4",
        "bcrypt_sha256$$2b$04$w12D/LoKbg6E0PC2uGYjPuH7o7PX4S.NKv4kWk8aUE2nRnjUMJ9de",
    ),
    (
        "bcrypt, cost 4",
        "bcrypt$$2b$04$xa6jgFvzscQQKPXkAsbc1.Uo7b2O1S3ncX3P78.scr/H4n2OF6cCO",
    ),
    (
        "PHC argon2i",
        "$argon2i$v=19$m=64,t=2,p=1$FZ7polzYE/UnJPTKH+w0Zw$VVq5XRAAKy9QUoVZHTpXQUq4WNASWUEoz4SCNqLwgXY",
    ),
    (
        "PHC argon2d",
        "$argon2d$v=19$m=64,t=2,p=1$7ZdzpIbksh99kQji9OhoQQ$GFjzcONLWs0m3qk5wYsgT0gJ5ehWr4Wo2F5sZwPJPuQ",
    ),
    (
        "PHC argon2id",
        "$argon2id$v=19$m=64,t=2,p=1$0/CXfHGr17E2sd5phQ5Wpg$OmdwaE1kV+83JkAlkR55H8Qb75m3F7NsE6+sGy9CQKk",
    ),
];

/// What Django can write and this crate does not read: these users need a reset.
const NOT_READ: [(&str, &str); 4] = [
    (
        "scrypt",
        "scrypt$16$testsalttestsalt$8$5$+h0GN199YLqiQGqGhD1T+wJCEuXs52LwYthf+qPAPqN4w0VGAQb1HcmIeM3h/JclY16pFqtC2iQiJN9E8HAYsw==",
    ),
    (
        "pbkdf2_sha1",
        "pbkdf2_sha1$1000$testsalttestsalt$Vz+b+BD2tBFxpXFhQC08NNu4ZFg=",
    ),
    (
        "md5",
        "md5$testsalttestsalt$7cdd417da32b85f8d46700c0c23daf5c",
    ),
    (
        "an unusable password",
        "!B2qQdEnQlqDvZKs8vPJgm57xOSlwHW1apU2cBiXE",
    ),
];

/// A key of djangorestframework-api-key and its row: the client sends `PREFIX.SECRET`; stored are
/// `prefix`, `hashed_key` (SHA-512 of the whole key) and, as `id`, both with a dot between.
pub(crate) struct DrfKey {
    pub(crate) name: &'static str,
    pub(crate) key: &'static str,
    pub(crate) prefix: &'static str,
    pub(crate) hashed_key: &'static str,
    pub(crate) id: &'static str,
}

pub(crate) const DRF_KEYS: [DrfKey; 2] = [
    DrfKey {
        name: "ci",
        key: "sVfeTZ4a.sbA3Rs6xsv1I7h6jErwmGagr0LW95NJl",
        prefix: "sVfeTZ4a",
        hashed_key: "sha512$$2cb2aa0f1b4e30b364389536375deb7ec29f011516bbca6b536c51221f2d34ee4435e83190db9230da22a2707c7ce5a5fb8ad1241641f8a53cc8401802aaec32",
        id: "sVfeTZ4a.sha512$$2cb2aa0f1b4e30b364389536375deb7ec29f011516bbca6b536c51221f2d34ee4435e83190db9230da22a2707c7ce5a5fb8ad1241641f8a53cc8401802aaec32",
    },
    DrfKey {
        name: "reports",
        key: "3EhOaRiw.I3IhvjKfQTNPEgaDq7Bo06TS5xTBgrTF",
        prefix: "3EhOaRiw",
        hashed_key: "sha512$$61bb7d320d0bf6a32b78775f3cb04b1bff2d644f85ccb16807b72dffe86f21811e425c1eba87dfb4b9204566045eafa6d6955847a635a766205cf878c03d53d7",
        id: "3EhOaRiw.sha512$$61bb7d320d0bf6a32b78775f3cb04b1bff2d644f85ccb16807b72dffe86f21811e425c1eba87dfb4b9204566045eafa6d6955847a635a766205cf878c03d53d7",
    },
];

async fn guarded(users: &[(&str, &str)]) -> AuthLayer {
    let (store, clock) = (Memory::new(), ManualClock::new(1_000));
    for (name, hash) in users {
        let user = UserRecord::new(Subject::user(*name), *name).password_hash(*hash);
        store.insert_user(user).await.unwrap();
    }
    let users = Realm::new(store).clock(clock).users(PasswordPolicy::new());
    AuthLayer::builder().accept(users.basic()).build().unwrap()
}

async fn sign_in(auth: &AuthLayer, name: &str, password: &str) -> Reply {
    send(auth, basic(name, password)).await
}

#[tokio::test]
async fn users_of_django_sign_in_with_the_password_they_have() {
    let auth = guarded(&READ).await;
    for (name, _) in READ {
        assert_eq!(
            sign_in(&auth, name, PASSWORD).await.text(),
            format!("Basic {name}")
        );
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused_whatever_the_hash() {
    let auth = guarded(&READ).await;
    let unknown = sign_in(&auth, "nobody", PASSWORD).await;
    assert_eq!(
        (unknown.status.as_u16(), unknown.code().as_str()),
        (401, "invalid_credentials")
    );
    // The costly ones once, above.
    for (name, _) in READ.iter().filter(|(name, _)| !name.contains("default")) {
        for wrong in [
            "tests only: pferd-batterie-s",
            "tests only: pferd-batterie-ß ",
            "x",
        ] {
            assert_eq!(sign_in(&auth, name, wrong).await, unknown, "{name}");
        }
    }
}

#[tokio::test]
async fn hashes_that_are_not_read_open_nothing() {
    let auth = guarded(&NOT_READ).await;
    let unknown = sign_in(&auth, "nobody", PASSWORD).await;
    for (name, hash) in NOT_READ {
        assert_eq!(sign_in(&auth, name, PASSWORD).await, unknown, "{name}");
        assert_eq!(
            sign_in(&auth, name, hash).await,
            unknown,
            "{name}: the hash is no password"
        );
    }
}

#[test]
fn the_api_keys_of_drf_are_stored_as_sha_512_of_the_whole_key() {
    for DrfKey {
        name,
        key,
        prefix,
        hashed_key,
        id,
    } in DRF_KEYS
    {
        let digest: String = Sha512::digest(key)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hashed_key, format!("sha512$${digest}"), "{name}");
        assert_eq!(id, format!("{prefix}.{hashed_key}"), "{name}");
        assert_eq!(
            key.split_once('.')
                .map(|(prefix, secret)| (prefix, secret.len())),
            Some((prefix, 32)),
            "{name}"
        );
    }
}
