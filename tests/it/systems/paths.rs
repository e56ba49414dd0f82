//! Where the five systems have what each of them has.

use serde_json::{Value, json};

/// What a client needs to know of a system.
pub(crate) struct Paths {
    pub(crate) name: &'static str,
    /// Where to sign in, and by which field and name.
    pub(crate) sign_in: (&'static str, &'static str, &'static str),
    pub(crate) refresh: &'static str,
    pub(crate) keys: &'static str,
    /// What the raw key is called in the answer that made it.
    pub(crate) key_field: &'static str,
    /// What an access token opens.
    pub(crate) guarded: &'static str,
    /// Where keys go: a body, and what to put before the key.
    pub(crate) keyed: (&'static str, Value, &'static str),
}

pub(crate) fn systems() -> [Paths; 5] {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "whoami", "arguments": {} } });
    [
        Paths {
            name: "rag_chats",
            sign_in: ("/api/auth/login/", "email", "user@example.com"),
            refresh: "/api/auth/token/refresh/",
            keys: "/api/agents/support/api-keys/",
            key_field: "key",
            guarded: "/api/agents/",
            keyed: (
                "/api/agents/support/query/",
                json!({ "message": "Hello" }),
                "Bearer ",
            ),
        },
        Paths {
            name: "ngenea_hub",
            sign_in: ("/api/auth/token/", "username", "user"),
            refresh: "/api/auth/token/refresh/",
            keys: "/api/auth/clientkeys/",
            key_field: "api_key",
            guarded: "/api/health/",
            keyed: ("/api/jobs/", Value::Null, "Api-Key "),
        },
        Paths {
            name: "jina_connect",
            sign_in: ("/token/", "email", "user@example.com"),
            refresh: "/refresh/",
            keys: "/tenants/tenant-access-keys/",
            key_field: "key",
            guarded: "/tenants/",
            keyed: ("/mcp/", call, "Bearer "),
        },
        Paths {
            name: "private_tokens",
            sign_in: ("/api/v1/auth/token/", "email", "user@example.com"),
            refresh: "/api/v1/auth/token/refresh/",
            keys: "/api/v1/auth/private-tokens/",
            key_field: "token",
            guarded: "/api/v1/companies/1/datasets/",
            keyed: ("/api/v1/companies/1/datasets/", Value::Null, "Bearer "),
        },
        Paths {
            name: "egret",
            sign_in: ("/auth/jwt/create/", "email", "user@example.com"),
            refresh: "/auth/jwt/refresh/",
            keys: "/api-keys/",
            key_field: "key",
            guarded: "/domains/",
            keyed: ("/domains/", Value::Null, "Bearer "),
        },
    ]
}
