use super::{keys, rows, signing_keys, tokens, users};

/// The statements by which requests look something up, each with its name and the types of its
/// arguments (`t`ext, `b`ytes, `i`nteger), for tests that explain them.
pub const LOOK_UPS: [(&str, &str, &str); 17] = [
    ("a key by digest", keys::FIND, "b"),
    ("a key by owner and id", keys::FIND_OWNED, "ttt"),
    ("keys by owner", keys::LIST, "itt"),
    ("a page of keys", keys::LIST_AFTER, "ittit"),
    ("a key by id", keys::FIND_BY_ID, "t"),
    ("a page of all keys", keys::LIST_ALL_AFTER, "it"),
    ("a user by name", users::FIND, "t"),
    ("a user by id", users::FIND_BY_ID, "tt"),
    ("an account", rows::ACCOUNT, "tt"),
    ("a page of users", users::LIST_AFTER, "itt"),
    ("a revocation", tokens::IS_REVOKED, "tti"),
    ("a family", tokens::FIND_FAMILY, "t"),
    ("a page of families", tokens::LIST_FAMILIES_AFTER, "ittit"),
    ("a private token", tokens::FIND_TOKEN, "t"),
    ("private tokens by owner", tokens::LIST_TOKENS, "itt"),
    (
        "a page of private tokens",
        tokens::LIST_TOKENS_AFTER,
        "ittit",
    ),
    ("keys to sign with", signing_keys::LIST, "t"),
];
