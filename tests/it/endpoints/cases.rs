//! One good request to each route, by whoever may make it.

use super::world::*;
use crate::support::Reply;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use tower_auth::TokenPair;
use tower_auth::api_key::NewKey;
use tower_auth::jwt::NewPrivateToken;

/// What anna holds when the request is made.
pub(super) struct Held {
    pub(super) pair: TokenPair,
    pub(super) key: NewKey,
    pub(super) private: NewPrivateToken,
}

impl Held {
    pub(super) async fn by_anna(world: &World) -> Self {
        let (pair, key) = (world.sign_in("7").await, world.key("7").await);
        Self {
            pair,
            key,
            private: world.private_token("7").await,
        }
    }

    pub(super) fn credential(&self, by: By) -> String {
        match by {
            By::Nobody => String::new(),
            By::Access => bearing(access(&self.pair)),
            By::Key => bearing(self.key.key.expose()),
            By::Private => bearing(self.private.token.expose()),
            By::Basic => basic(ANNA, PASSWORD),
        }
    }

    /// All that opens something.
    pub(super) fn secrets(&self) -> Vec<String> {
        [
            access(&self.pair),
            refresh(&self.pair),
            self.key.key.expose(),
            self.private.token.expose(),
            PASSWORD,
        ]
        .map(str::to_owned)
        .to_vec()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Nobody,
    Access,
    Key,
    Private,
    Basic,
}

/// A request that succeeds.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: Option<Value>,
    pub(super) by: By,
    /// Who else may.
    pub(super) also: &'static [By],
    pub(super) status: u16,
    /// The members of the answer; of a list, those of its elements.
    pub(super) members: &'static [&'static str],
    /// The status of the same request after one that was carried out and whose answer was lost at
    /// that call, where it differs.
    pub(super) again: &'static [(&'static str, u16)],
}

impl Case {
    pub(super) fn request(&self, held: &Held) -> Request<Full<bytes::Bytes>> {
        self.request_by(&held.credential(self.by))
    }

    pub(super) fn request_by(&self, credential: &str) -> Request<Full<bytes::Bytes>> {
        asking(self.method, &self.path, credential, self.body.as_ref())
    }

    pub(super) async fn ask(&self, world: &World, held: &Held) -> Reply {
        world.send(self.request(held)).await
    }

    pub(super) fn takes_body(&self) -> bool {
        self.body.is_some()
    }
}

const KEY: &[&str] = &[
    "created",
    "expires_at",
    "id",
    "last_used",
    "name",
    "prefix",
    "scopes",
];
const NEW_KEY: &[&str] = &[
    "created",
    "expires_at",
    "id",
    "key",
    "last_used",
    "name",
    "prefix",
    "scopes",
];
const TOKEN: &[&str] = &["created", "expires_at", "id", "last_used", "name"];
const NEW_TOKEN: &[&str] = &["created", "expires_at", "id", "last_used", "name", "token"];
const USER: &[&str] = &["company", "email", "first_name", "id"];

/// Every route once, as [`every`] mounts them.
pub(super) fn cases(held: &Held) -> Vec<Case> {
    let case = |name, method, path: &str, body, by, status, members| Case {
        name,
        method,
        path: path.to_owned(),
        body,
        by,
        also: &[],
        status,
        members,
        again: &[],
    };
    let (one, private) = (&held.key.record.id, &held.private.record.id);
    let (key, rotate) = (
        format!("/api-keys/{one}/"),
        format!("/api-keys/{one}/rotate/"),
    );
    let private = format!("/private-tokens/{private}/");
    let new_password = "tests only: Klammer-Heftung";
    let signed_in: &[By] = &[By::Basic];
    let itself: &[By] = &[By::Key, By::Basic];
    let any: &[By] = &[By::Key, By::Private, By::Basic];
    let sign_in = json!({ "email": ANNA, "password": PASSWORD });
    let passwords = json!({ "current_password": PASSWORD, "new_password": new_password });
    let carl =
        json!({ "email": "carl@example.com", "password": new_password, "first_name": "Carl" });
    let expiring = json!({ "name": "phone", "expires_at": "2027-01-16T08:00:00Z" });
    let scoped =
        json!({ "name": "cd", "scopes": ["reports:read"], "expires_at": "2027-02-01T00:00:00Z" });
    vec![
        case(
            "sign in",
            "POST",
            "/token/",
            Some(sign_in),
            By::Nobody,
            200,
            &["access", "refresh"],
        ),
        Case {
            again: &[],
            ..case(
                "refresh",
                "POST",
                "/refresh/",
                Some(json!({ "refresh": refresh(&held.pair) })),
                By::Nobody,
                200,
                &["access", "refresh"],
            )
        },
        case(
            "verify",
            "POST",
            "/verify/",
            Some(json!({ "token": access(&held.pair) })),
            By::Nobody,
            200,
            &[],
        ),
        Case {
            again: &[("revoke_family", 401)],
            ..case("sign out", "POST", "/logout/", None, By::Access, 204, &[])
        },
        Case {
            again: &[("revoke_subject", 401)],
            ..case(
                "sign out everywhere",
                "POST",
                "/logout-everywhere/",
                None,
                By::Access,
                204,
                &[],
            )
        },
        Case {
            again: &[("commit", 401)],
            ..case(
                "change password",
                "POST",
                "/password/",
                Some(passwords),
                By::Access,
                204,
                &[],
            )
        },
        Case {
            again: &[("commit", 400)],
            ..case(
                "register",
                "POST",
                "/users/",
                Some(carl),
                By::Nobody,
                201,
                &["email", "first_name", "id"],
            )
        },
        Case {
            also: any,
            ..case(
                "current user",
                "GET",
                "/users/",
                None,
                By::Access,
                200,
                USER,
            )
        },
        Case {
            also: any,
            ..case("a user", "GET", "/users/7/", None, By::Access, 200, USER)
        },
        Case {
            also: any,
            ..case(
                "change a user",
                "PATCH",
                "/users/7/",
                Some(json!({ "first_name": "Anne" })),
                By::Access,
                200,
                USER,
            )
        },
        Case {
            also: signed_in,
            ..case(
                "new key",
                "POST",
                "/api-keys/",
                Some(scoped),
                By::Access,
                201,
                NEW_KEY,
            )
        },
        Case {
            also: any,
            ..case("keys", "GET", "/api-keys/", None, By::Access, 200, KEY)
        },
        Case {
            also: any,
            ..case("a key", "GET", &key, None, By::Access, 200, KEY)
        },
        Case {
            also: any,
            ..case(
                "rename a key",
                "PATCH",
                &key,
                Some(json!({ "name": "ci 2" })),
                By::Access,
                200,
                KEY,
            )
        },
        Case {
            also: itself,
            again: &[("commit", 404)],
            ..case(
                "rotate a key",
                "POST",
                &rotate,
                Some(json!({ "overlap": 60 })),
                By::Access,
                201,
                NEW_KEY,
            )
        },
        Case {
            also: any,
            again: &[("revoke_key", 404)],
            ..case("revoke a key", "DELETE", &key, None, By::Access, 204, &[])
        },
        case(
            "new private token",
            "POST",
            "/private-tokens/",
            Some(expiring),
            By::Access,
            201,
            NEW_TOKEN,
        ),
        case(
            "private tokens",
            "GET",
            "/private-tokens/",
            None,
            By::Access,
            200,
            TOKEN,
        ),
        Case {
            again: &[("commit", 404)],
            ..case(
                "rotate a private token",
                "POST",
                &format!("{private}rotate/"),
                Some(json!({ "expires_at": "2027-01-17T08:00:00Z" })),
                By::Access,
                201,
                NEW_TOKEN,
            )
        },
        Case {
            again: &[("revoke_private_token", 404)],
            ..case(
                "revoke a private token",
                "DELETE",
                &private,
                None,
                By::Access,
                204,
                &[],
            )
        },
        case("key set", "GET", "/jwks/", None, By::Nobody, 200, &["keys"]),
    ]
}
