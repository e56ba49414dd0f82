//! Which fields count, and how often they may come.

use super::Table;
use crate::headers::case::{Expect, Why, auth, bytes, field, no, no_bearer, x_key};
use crate::headers::world::{PASSWORD, Setup, World, basic};
use Expect::Caller;
use Why::{Key, Malformed, Missing, Scheme, Several, Token};

const ANNA: Expect = Caller("Jwt anna");

pub(super) fn add(table: &mut Table, world: &World) {
    several_lines(table, world);
    joined(table, world);
    two_fields(table, world);
    names_that_look_alike(table, world);
    identity(table, world);
    other_places(table, world);
}

fn several_lines(t: &mut Table, w: &World) {
    let (j, k) = (&w.token, &w.key);
    let good = || auth(format!("Bearer {j}"));
    t.group("several Authorization lines", Setup::Usual);
    t.case(
        "the same twice",
        [good(), good()].concat(),
        no_bearer(Several),
    );
    t.case(
        "two tokens",
        [good(), auth("Bearer x.y.z")].concat(),
        no_bearer(Several),
    );
    t.case(
        "bad and good",
        [auth("Bearer x.y.z"), good()].concat(),
        no_bearer(Several),
    );
    // Whichever of them is first.
    t.case(
        "empty and good",
        [auth(""), good()].concat(),
        no_bearer(Several),
    );
    t.case(
        "good and empty",
        [good(), auth("")].concat(),
        no_bearer(Several),
    );
    t.case("both empty", [auth(""), auth("")].concat(), no(Several));
    t.case(
        "token and key",
        [good(), auth(format!("Api-Key {k}"))].concat(),
        no_bearer(Several),
    );
    t.case(
        "unknown scheme and good",
        [auth("Digest x"), good()].concat(),
        no_bearer(Several),
    );
    t.case(
        "good and unknown scheme",
        [good(), auth("Digest x")].concat(),
        no_bearer(Several),
    );
    t.case(
        "two unknown schemes",
        [auth("Digest x"), auth("Digest x")].concat(),
        no(Several),
    );
    t.case(
        "Bearer as the third and in lower case",
        [auth("Digest x"), auth(""), auth("bearer x")].concat(),
        no_bearer(Several),
    );
    t.case(
        "two without a Bearer and a key",
        [auth("Digest x"), auth("Digest x"), x_key(k)].concat(),
        no(Several),
    );
    t.case(
        "a second line that is a Bearer, and a key",
        [auth("Digest x"), good(), x_key(k)].concat(),
        no_bearer(Several),
    );
    t.case(
        "apart from each other",
        [good(), field("Accept", "*/*"), good()].concat(),
        no_bearer(Several),
    );
    t.case(
        "names in two cases",
        [good(), field("AUTHORIZATION", "Bearer x")].concat(),
        no_bearer(Several),
    );
    t.case("twenty", good().repeat(20), no_bearer(Several));
    t.case(
        "bytes outside of ASCII and good",
        [auth("\u{ff}"), good()].concat(),
        no_bearer(Several),
    );
    t.on(Setup::All);
    t.case(
        "Basic and token",
        [auth(basic(format!("anna:{PASSWORD}"))), good()].concat(),
        no_bearer(Several),
    );

    t.group("several X-API-Key lines", Setup::Usual);
    t.case("the same twice", x_key(k).repeat(2), no(Several));
    t.case(
        "two keys",
        [x_key(k), x_key(&w.unknown_key)].concat(),
        no(Several),
    );
    t.case(
        "empty and good",
        [x_key(""), x_key(k)].concat(),
        no(Several),
    );
    t.case(
        "good and empty",
        [x_key(k), x_key("")].concat(),
        no(Several),
    );
    t.case(
        "names in two cases",
        [x_key(k), field("x-api-key", k)].concat(),
        no(Several),
    );
    t.on(Setup::TokensOnly);
    t.case(
        "two where they are off",
        [x_key(k).repeat(2), good()].concat(),
        ANNA,
    );
}

fn joined(t: &mut Table, w: &World) {
    let (j, k) = (&w.token, &w.key);
    t.group("credentials joined by a comma", Setup::Usual);
    t.case(
        "the same twice",
        auth(format!("Bearer {j}, Bearer {j}")),
        no_bearer(Several),
    );
    t.case(
        "without a space",
        auth(format!("Bearer {j},Bearer {j}")),
        no_bearer(Several),
    );
    t.case(
        "with Basic",
        auth(format!("Bearer {j}, {}", basic("a:b"))),
        no_bearer(Several),
    );
    t.case(
        "key and token",
        auth(format!("Api-Key {k}, Bearer {j}")),
        no(Several),
    );
    t.case(
        "two tokens of one scheme",
        auth(format!("Bearer {j},{j}")),
        no_bearer(Several),
    );
    t.case(
        "good and empty",
        auth(format!("Bearer {j},")),
        no_bearer(Several),
    );
    t.case("empty and good", auth(format!(", Bearer {j}")), no(Several));
    t.case(
        "empty and good without a space",
        auth(format!(",Bearer {j}")),
        no(Several),
    );
    t.case(
        "scheme alone and good",
        auth(format!("Bearer, Bearer {j}")),
        no(Several),
    );
    t.case("two keys", x_key(format!("{k}, {k}")), no(Several));
    // In a field of its own a comma may be part of a key; no part is taken for the whole.
    t.case(
        "two keys without a space",
        x_key(format!("{k},{k}")),
        no(Key),
    );
    t.case("key and empty", x_key(format!("{k},")), no(Key));
    // The parameters of a foreign scheme hold commas of their own.
    t.case(
        "unknown scheme and good",
        auth(format!("Digest a=\"b\", Bearer {j}")),
        no(Scheme),
    );
    t.case(
        "a semicolon is no comma",
        auth(format!("Bearer {j}; Bearer {j}")),
        no_bearer(Malformed),
    );
}

fn two_fields(t: &mut Table, w: &World) {
    let (j, k) = (&w.token, &w.key);
    let good = || auth(format!("Bearer {j}"));
    t.group("credentials in two fields", Setup::Usual);
    t.case(
        "token and key",
        [good(), x_key(k)].concat(),
        no_bearer(Several),
    );
    t.case(
        "key and token",
        [x_key(k), good()].concat(),
        no_bearer(Several),
    );
    t.case(
        "bad token and good key",
        [auth("Bearer x.y.z"), x_key(k)].concat(),
        no_bearer(Several),
    );
    t.case(
        "good token and bad key",
        [good(), x_key("egret_x")].concat(),
        no_bearer(Several),
    );
    t.case(
        "the same key",
        [auth(format!("Api-Key {k}")), x_key(k)].concat(),
        no(Several),
    );
    t.case(
        "the same key as Bearer",
        [auth(format!("Bearer {k}")), x_key(k)].concat(),
        no_bearer(Several),
    );
    t.case(
        "empty Authorization and key",
        [auth(""), x_key(k)].concat(),
        no(Several),
    );
    t.case(
        "token and empty key",
        [good(), x_key("")].concat(),
        no_bearer(Several),
    );
    t.case(
        "unknown scheme and key",
        [auth("Digest x"), x_key(k)].concat(),
        no(Several),
    );
    t.case(
        "Bearer without a token and key",
        [auth("Bearer"), x_key(k)].concat(),
        no_bearer(Several),
    );
    t.on(Setup::All);
    t.case(
        "Basic and key",
        [auth(basic(format!("anna:{PASSWORD}"))), x_key(k)].concat(),
        no(Several),
    );
    t.on(Setup::TokensOnly);
    t.case(
        "token and a key where keys are off",
        [good(), x_key(k)].concat(),
        ANNA,
    );
}

fn names_that_look_alike(t: &mut Table, w: &World) {
    let (j, k) = (&w.token, &w.key);
    let token = format!("Bearer {j}");
    t.group("names that look alike are ignored", Setup::Usual);
    t.case("X_API_Key", field("X_API_Key", k), no(Missing));
    t.case("X-API_Key", field("X-API_Key", k), no(Missing));
    t.case("XAPIKey", field("XAPIKey", k), no(Missing));
    t.case("X-API-Key-", field("X-API-Key-", k), no(Missing));
    t.case("Api-Key", field("Api-Key", k), no(Missing));
    t.case(
        "Authorization_",
        field("Authorization_", &token),
        no(Missing),
    );
    t.case(
        "_Authorization",
        field("_Authorization", &token),
        no(Missing),
    );
    t.case(
        "X-Authorization",
        field("X-Authorization", &token),
        no(Missing),
    );
    t.case(
        "Proxy-Authorization",
        field("Proxy-Authorization", &token),
        no(Missing),
    );
    t.case(
        "HTTP_AUTHORIZATION",
        field("HTTP_AUTHORIZATION", &token),
        no(Missing),
    );
    t.case("Authorisation", field("Authorisation", &token), no(Missing));
    t.case(
        "X_API_Key beside a token",
        [auth(&token), field("X_API_Key", k)].concat(),
        ANNA,
    );
    t.case(
        "Proxy-Authorization beside",
        [auth(&token), field("Proxy-Authorization", "Basic x")].concat(),
        ANNA,
    );
}

/// Each with a value that would be somebody.
const IDENTITY: [(&str, &str, &str); 15] = [
    ("X-User-Id", "X-User-Id and a token", "root"),
    ("X-User", "X-User and a token", "root"),
    ("X_User_Id", "X_User_Id and a token", "root"),
    ("X-Forwarded-User", "X-Forwarded-User and a token", "root"),
    (
        "X-Forwarded-Email",
        "X-Forwarded-Email and a token",
        "root@example.com",
    ),
    (
        "X-Auth-Request-User",
        "X-Auth-Request-User and a token",
        "root",
    ),
    ("Remote-User", "Remote-User and a token", "root"),
    ("X-Original-URL", "X-Original-URL and a token", "/public"),
    ("X-Rewrite-URL", "X-Rewrite-URL and a token", "/public"),
    ("X-Forwarded-Uri", "X-Forwarded-Uri and a token", "/public"),
    (
        "X-Forwarded-Host",
        "X-Forwarded-Host and a token",
        "evil.example\", error=\"x",
    ),
    (
        "X-Forwarded-For",
        "X-Forwarded-For and a token",
        "127.0.0.1",
    ),
    (
        "Forwarded",
        "Forwarded and a token",
        "for=127.0.0.1;host=evil.example",
    ),
    (
        "X-Forwarded-Method",
        "X-Forwarded-Method and a token",
        "OPTIONS",
    ),
    ("X-Client-Cert", "X-Client-Cert and a token", "CN=root"),
];

fn identity(t: &mut Table, w: &World) {
    t.group("identity fields are no credential", Setup::Usual);
    for (name, _, value) in IDENTITY {
        t.case(name, field(name, value), no(Missing));
    }
    t.case(
        "X-User-Id and a bad token",
        [field("X-User-Id", "root"), auth("Bearer x.y.z")].concat(),
        no_bearer(Token),
    );
    t.group("identity fields change no principal", Setup::Usual);
    for (name, with_token, value) in IDENTITY {
        t.case(
            with_token,
            [field(name, value), auth(format!("Bearer {}", w.token))].concat(),
            ANNA,
        );
    }
    t.case(
        "X-User-Id and a key",
        [x_key(&w.key), field("X-User-Id", "root")].concat(),
        Caller("ApiKey 7"),
    );
}

fn other_places(t: &mut Table, w: &World) {
    let (j, k) = (&w.token, &w.key);
    let cookie = |value: String| field("Cookie", value);
    t.group("query, cookie and body carry no credential", Setup::Usual);
    t.case("access_token in the query", Vec::new(), no(Missing))
        .target(format!("/?access_token={j}"));
    t.case("api_key in the query", Vec::new(), no(Missing))
        .target(format!("/?api_key={k}"));
    t.case("Authorization in the query", Vec::new(), no(Missing))
        .target(format!("/?Authorization=Bearer%20{j}"));
    t.case(
        "access_token in a cookie",
        cookie(format!("access_token={j}")),
        no(Missing),
    );
    t.case(
        "Authorization in a cookie",
        cookie(format!("Authorization=Bearer {j}")),
        no(Missing),
    );
    t.case(
        "X-API-Key in a cookie",
        cookie(format!("X-API-Key={k}")),
        no(Missing),
    );
    t.case(
        "WebSocket protocol",
        field("Sec-WebSocket-Protocol", format!("bearer, {j}")),
        no(Missing),
    );
    t.case(
        "bad token and a good one in the query",
        auth("Bearer x.y.z"),
        no_bearer(Token),
    )
    .target(format!("/?access_token={j}"));
    t.case(
        "good token and a bad one in the query",
        auth(format!("Bearer {j}")),
        ANNA,
    )
    .target("/?access_token=x");
    t.on(Setup::All);
    t.case("user in the target", Vec::new(), no(Missing))
        .target(format!("http://anna:x@localhost/?{k}"));
    t.case("nothing", bytes(""), no(Missing));
}
