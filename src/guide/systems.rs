//! Five public APIs, each reproduced with the crate and a few handlers, as a server of its own.
//!
//! `ADDR`, `DATABASE_URL`, `REDIS_URL`, `JWT_SECRET` and more (`tower_auth::server::Environment`)
//! configure them; `user@example.com` signs in with `correct-horse-battery`.
//!
//! | command | shows | lines of code |
//! |---|---|---:|
//! | `cargo run --example jina_connect` | JWTs or Basic for REST, keys for an MCP server (RFC 9728 metadata); registration; a route with a rate of its own | 184 |
//! | `cargo run --example ngenea_hub` | `Api-Key` keys with numbers for ids; OpenAPI 3.1 and Swagger UI at `/api/docs/` | 175 |
//! | `cargo run --example rag_chats` | bare keys, each of one agent; sign-out; error codes that tell an expired token | 192 |
//! | `cargo run --example private_tokens` | long-lived JWTs that expire when their owner says; the self-service page at `/settings/api-keys/` | 105 |
//! | `cargo run --example egret` | prefixed keys beside JWTs; what administrators alone may do; the self-service page | 234 |
//!
//! Each serves an OpenAPI 3.1 document of all that it takes and answers, put together as its router
//! is. `.ci/openapi` has programs of others judge it: `openapi-spec-validator`, `schemathesis`,
//! which asks each server for what its document says, and `openapi-python-client`, whose client
//! signs in, makes a key and uses it.
//!
//! `.ci/load` loads each for a minute, keys and tokens mixed on 16 connections: in the last run all
//! of 11,998,756 requests had the right answer, and each server held 33 to 38 MB at the end, within
//! 0.2 MB of what it held after 15 seconds.
