//! What is inside an API key, a Bearer and Basic.

use super::Table;
use crate::headers::case::{Expect, Why, auth, bytes, no, no_bearer, x_key};
use crate::headers::world::{PASSWORD, PASSWORD_OF_COLONS, Setup, World, basic};
use Expect::Caller;
use Why::{Empty, Key, Malformed, NonAscii, Oversized, Password, Scheme, Several, Token};

const ANNA: Expect = Caller("Jwt anna");
const KEY: Expect = Caller("ApiKey 7");
const BARE_KEY: Expect = Caller("ApiKey 8");

pub(super) fn add(table: &mut Table, world: &World) {
    keys(table, world);
    other_prefixes(table, world);
    keys_and_tokens(table, world);
    bearers(table, world);
    basic_forms(table, world);
    basic_contents(table, world);
}

/// With one character replaced by the next in its class.
fn changed(text: &str, at: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = match bytes[at] {
        b'9' => b'0',
        b'z' => b'a',
        b'Z' => b'A',
        b => b + 1,
    };
    String::from_utf8(bytes).unwrap()
}

/// With the case of the first letter at or after a place flipped.
fn other_case(text: &str, from: usize) -> String {
    let at = from
        + text[from..]
            .find(|c: char| c.is_ascii_alphabetic())
            .unwrap();
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] ^= 0x20;
    String::from_utf8(bytes).unwrap()
}

fn keys(t: &mut Table, w: &World) {
    let k = &w.key;
    t.group("anatomy of an API key", Setup::Usual);
    t.case("good as Bearer", auth(format!("Bearer {k}")), KEY);
    t.case("good as Api-Key", auth(format!("Api-Key {k}")), KEY);
    t.case("good as X-API-Key", x_key(k), KEY);
    t.case("last character off", x_key(&k[..k.len() - 1]), no(Key));
    t.case(
        "half of it as Bearer",
        auth(format!("Bearer {}", &k[..k.len() / 2])),
        no_bearer(Key),
    );
    t.case("without its checksum", x_key(&k[..k.len() - 6]), no(Key));
    t.case("one character more", x_key(format!("{k}0")), no(Key));
    t.case("twice", auth(format!("Api-Key {k}{k}")), no(Key));
    t.case(
        "padding after it",
        auth(format!("Bearer {k}=")),
        no_bearer(Key),
    );
    t.case(
        "a letter in the other case",
        x_key(other_case(k, 6)),
        no(Key),
    );
    t.case("lower case", x_key(k.to_ascii_lowercase()), no(Key));
    t.case(
        "first random character changed",
        x_key(changed(k, 6)),
        no(Key),
    );
    t.case(
        "last of the checksum changed",
        auth(format!("Bearer {}", changed(k, k.len() - 1))),
        no_bearer(Key),
    );
    t.case(
        "checksum of zeros",
        x_key(format!("{}000000", &k[..k.len() - 6])),
        no(Key),
    );
    t.case(
        "a dash in it",
        x_key(format!("{}-{}", &k[..9], &k[10..])),
        no(Key),
    );
    t.case(
        "a dot in it",
        auth(format!("Bearer {}.{}", &k[..9], &k[10..])),
        no_bearer(Key),
    );
    t.case("an underscore more", x_key(k.replace('_', "__")), no(Key));
    t.case(
        "well-formed but unknown",
        auth(format!("Bearer {}", w.unknown_key)),
        no_bearer(Key),
    );
    t.case(
        "revoked",
        auth(format!("Bearer {}", w.revoked_key)),
        no_bearer(Key),
    );
    t.case(
        "expired",
        auth(format!("Bearer {}", w.expired_key)),
        no_bearer(Key),
    );
    t.case("revoked as X-API-Key", x_key(&w.revoked_key), no(Key));
    t.case(
        "expired as Api-Key",
        auth(format!("Api-Key {}", w.expired_key)),
        no(Key),
    );
}

fn other_prefixes(t: &mut Table, w: &World) {
    let k = &w.key;
    let random = &k[6..];
    t.group("prefixes", Setup::Usual);
    t.case("alone as Bearer", auth("Bearer egret_"), no_bearer(Key));
    t.case("alone as X-API-Key", x_key("egret_"), no(Key));
    t.case(
        "without the underscore",
        auth("Bearer egret"),
        no_bearer(Token),
    );
    t.case(
        "without the underscore but the rest",
        auth(format!("Bearer egret{random}")),
        no_bearer(Token),
    );
    t.case(
        "upper case",
        auth(format!("Bearer EGRET_{random}")),
        no_bearer(Token),
    );
    t.case(
        "upper case as X-API-Key",
        x_key(format!("EGRET_{random}")),
        no(Key),
    );
    t.case(
        "unknown",
        auth(format!("Bearer heron_{random}")),
        no_bearer(Token),
    );
    t.case(
        "unknown as X-API-Key",
        x_key(format!("heron_{random}")),
        no(Key),
    );
    t.case(
        "unknown as Api-Key",
        auth(format!("Api-Key heron_{random}")),
        no(Key),
    );
    t.case("none", x_key(random), no(Key));
    t.case("longer", x_key(format!("egrets_{random}")), no(Key));
    t.case(
        "bare key where those are off",
        auth(format!("Bearer {}", w.bare_key)),
        no_bearer(Token),
    );
    t.case(
        "bare key as X-API-Key where those are off",
        x_key(&w.bare_key),
        no(Key),
    );

    t.group("prefixes where bare keys are on", Setup::BareKeys);
    t.case(
        "good bare key",
        auth(format!("Bearer {}", w.bare_key)),
        BARE_KEY,
    );
    t.case(
        "good bare key as Api-Key",
        auth(format!("Api-Key {}", w.bare_key)),
        BARE_KEY,
    );
    t.case("good bare key as X-API-Key", x_key(&w.bare_key), BARE_KEY);
    t.case("good key with a prefix", auth(format!("Bearer {k}")), KEY);
    t.case(
        "bare key behind the prefix",
        auth(format!("Bearer egret_{}", w.bare_key)),
        no_bearer(Key),
    );
    t.case(
        "key without its prefix",
        auth(format!("Bearer {random}")),
        no_bearer(Key),
    );
    t.case(
        "unknown prefix",
        auth(format!("Bearer heron_{random}")),
        no_bearer(Key),
    );
    t.case(
        "upper case prefix",
        auth(format!("Bearer EGRET_{random}")),
        no_bearer(Key),
    );
    t.case(
        "bare key in the other case",
        x_key(other_case(&w.bare_key, 0)),
        no(Key),
    );
    t.case(
        "bare key cut",
        auth(format!("Bearer {}", &w.bare_key[1..])),
        no_bearer(Key),
    );
}

fn keys_and_tokens(t: &mut Table, w: &World) {
    let (j, k) = (&w.token, &w.key);
    t.group(
        "a key is never tried as a token, nor a token as a key",
        Setup::Usual,
    );
    t.case(
        "prefix and a good token",
        auth(format!("Bearer egret_{j}")),
        no_bearer(Key),
    );
    t.case("good token as X-API-Key", x_key(j), no(Key));
    t.case(
        "good token as Api-Key",
        auth(format!("Api-Key {j}")),
        no(Key),
    );
    t.case(
        "key as the signature of a token",
        auth(format!("Bearer a.b.{k}")),
        no_bearer(Token),
    );
    t.case(
        "good token and key",
        auth(format!("Bearer {j}.{k}")),
        no_bearer(Token),
    );
    t.on(Setup::BareKeys);
    t.case(
        "prefix and a good token where bare keys are on",
        auth(format!("Bearer egret_{j}")),
        no_bearer(Key),
    );
    t.case(
        "good token where bare keys are on",
        auth(format!("Bearer {j}")),
        ANNA,
    );
    t.case(
        "good token as X-API-Key where bare keys are on",
        x_key(j),
        no(Key),
    );
    t.on(Setup::KeysOnly);
    t.case(
        "good token where tokens are off",
        auth(format!("Bearer {j}")),
        no_bearer(Token),
    );
    t.case(
        "good key where tokens are off",
        auth(format!("Bearer {k}")),
        KEY,
    );
    t.on(Setup::TokensOnly);
    t.case(
        "good key where keys are off",
        auth(format!("Bearer {k}")),
        no_bearer(Token),
    );
    t.case(
        "good token where keys are off",
        auth(format!("Bearer {j}")),
        ANNA,
    );
}

fn bearers(t: &mut Table, w: &World) {
    let j = &w.token;
    let bearer = |token: &str| auth(format!("Bearer {token}"));
    t.group("Bearer by its segments", Setup::Usual);
    t.case("one", bearer("a"), no_bearer(Token));
    t.case("two", bearer("a.b"), no_bearer(Token));
    t.case("three", bearer("a.b.c"), no_bearer(Token));
    t.case("four", bearer("a.b.c.d"), no_bearer(Token));
    t.case("five", bearer("a.b.c.d.e"), no_bearer(Token));
    t.case("two dots", bearer(".."), no_bearer(Token));
    t.case("empty first", bearer(".b.c"), no_bearer(Token));
    t.case("empty second", bearer("a..c"), no_bearer(Token));
    t.case("empty third", bearer("a.b."), no_bearer(Token));
    t.case("good and a dot", bearer(&format!("{j}.")), no_bearer(Token));
    t.case("a dot and good", bearer(&format!(".{j}")), no_bearer(Token));
    t.case(
        "good and padding",
        bearer(&format!("{j}=")),
        no_bearer(Token),
    );
    t.case(
        "good without its signature",
        bearer(&j[..=j.rfind('.').unwrap()]),
        no_bearer(Token),
    );
    t.case(
        "good in standard base64",
        bearer(&j.replacen(&j[..1], "+", 1)),
        no_bearer(Token),
    );
    t.case("good twice", bearer(&format!("{j}{j}")), no_bearer(Token));
    t.case("expired", bearer(&w.expired_token), no_bearer(Token));
    t.on(Setup::BareKeys);
    t.case(
        "three where bare keys are on",
        bearer("a.b.c"),
        no_bearer(Token),
    );
    t.case("one where bare keys are on", bearer("a"), no_bearer(Key));
    t.case("two where bare keys are on", bearer("a.b"), no_bearer(Key));
    t.case(
        "four where bare keys are on",
        bearer("a.b.c.d"),
        no_bearer(Key),
    );
    t.case(
        "empty second where bare keys are on",
        bearer("a..c"),
        no_bearer(Key),
    );
    t.case(
        "empty third where bare keys are on",
        bearer("a.b."),
        no_bearer(Key),
    );
    t.case("a dot where bare keys are on", bearer("."), no_bearer(Key));
    t.case(
        "padding where bare keys are on",
        bearer("a.b.c="),
        no_bearer(Key),
    );
    t.case(
        "good and a dot where bare keys are on",
        bearer(&format!("{j}.")),
        no_bearer(Key),
    );
}

fn basic_forms(t: &mut Table, _: &World) {
    let anna = basic(format!("anna:{PASSWORD}"));
    assert!(anna.ends_with("=="), "the rows below take the padding off");
    let last = |with: &str| format!("{}{with}==", &anna[..anna.len() - 3]);
    let twin = char::from(anna.as_bytes()[anna.len() - 3] + 1).to_string();
    t.group("form of Basic", Setup::BasicOnly);
    t.case("good", auth(&anna), Caller("Basic 9"));
    t.case(
        "without padding",
        auth(anna.trim_end_matches('=')),
        no(Malformed),
    );
    t.case(
        "half of the padding",
        auth(&anna[..anna.len() - 1]),
        no(Malformed),
    );
    t.case("more padding", auth(format!("{anna}=")), no(Malformed));
    t.case(
        "padding first",
        auth(anna.replace("Basic ", "Basic =")),
        no(Malformed),
    );
    t.case("bits left over", auth(last(&twin)), no(Malformed));
    t.case("no base64", auth("Basic !!!!"), no(Malformed));
    t.case("one character", auth("Basic a"), no(Malformed));
    t.case(
        "the alphabet of URLs",
        auth("Basic YT9-Pj86Pz8_"),
        no(Malformed),
    );
    t.case("not encoded", auth("Basic anna:secret"), no(Malformed));
    t.case(
        "a space in it",
        auth(format!("{} {}", &anna[..12], &anna[12..])),
        no(Malformed),
    );
    t.case("a parameter", auth("Basic realm=\"x\""), no(Malformed));
    t.case("joined", auth(format!("{anna}, {anna}")), no(Several));
    t.case(
        "bytes outside of ASCII",
        auth("Basic YTp\u{e9}"),
        no(NonAscii),
    );
    t.case("a JWT", auth("Basic a.b.c"), no(Malformed));
    t.case(
        "Bearer with Basic's contents",
        auth(anna.replace("Basic", "Bearer")),
        no_bearer(Scheme),
    );
    t.on(Setup::All);
    t.case("good beside other schemes", auth(&anna), Caller("Basic 9"));
    t.case(
        "Basic's contents as Bearer",
        auth(anna.replace("Basic", "Bearer")),
        no_bearer(Token),
    );
    t.case(
        "Basic's contents as X-API-Key",
        x_key(&anna["Basic ".len()..]),
        no(Key),
    );
}

fn basic_contents(t: &mut Table, w: &World) {
    let of = |text: &str| auth(basic(text));
    let latin1 = |text: &str| auth(basic(bytes(text)));
    let long = &w.long_password;
    t.group("contents of Basic", Setup::BasicOnly);
    t.case("no colon", of("anna"), no(Malformed));
    t.case("a colon alone", of(":"), no(Empty));
    t.case("no name", of(":secret"), no(Empty));
    t.case("no password", of("anna:"), no(Empty));
    t.case(
        "colons in the password",
        of(&format!("cleo:{PASSWORD_OF_COLONS}")),
        Caller("Basic 10"),
    );
    t.case(
        "line feed in the name",
        of(&format!("an\nna:{PASSWORD}")),
        no(Malformed),
    );
    t.case(
        "NUL after the password",
        of(&format!("anna:{PASSWORD}\0")),
        no(Malformed),
    );
    t.case(
        "tab before the password",
        of(&format!("anna:\t{PASSWORD}")),
        no(Malformed),
    );
    t.case("delete in the password", of("anna:a\u{7f}"), no(Malformed));
    t.case("C1 control in the name", of("an\u{85}na:x"), no(Malformed));
    t.case("name in Latin-1", latin1("ann\u{e9}:x"), no(Malformed));
    t.case("password in Latin-1", latin1("anna:\u{e9}"), no(Malformed));
    t.case("overlong UTF-8", latin1("anna:\u{c0}\u{ba}"), no(Malformed));
    t.case("nothing", auth("Basic "), no(Empty));
    t.case(
        "password of 1024 bytes",
        of(&format!("lena:{long}")),
        Caller("Basic 11"),
    );
    t.case(
        "password of 1025 bytes",
        of(&format!("lena:{long}x")),
        no(Oversized),
    );
    t.case(
        "password of 4096 bytes",
        of(&format!("lena:{}", long.repeat(4))),
        no(Oversized),
    );
    t.case(
        "password of 1026 bytes in its form",
        of(&format!("lena:{}", "e\u{301}".repeat(513))),
        no(Oversized),
    );
    t.case(
        "name of 513 bytes",
        of(&format!("{}:x", "n".repeat(513))),
        no(Oversized),
    );
    // Each of these costs a password hash.
    t.case(
        "1024 bytes of which the last is wrong",
        of(&format!("lena:{}!", &long[..1023])),
        no(Password),
    );
    let longest = format!("{}:{long}", "n".repeat(512));
    t.case(
        "name of 512 bytes and password of 1024",
        of(&longest),
        no(Password),
    );
    t.case(
        "unknown name",
        of(&format!("nobody:{PASSWORD}")),
        no(Password),
    );
    t.case("unknown name in UTF-8", of("ann\u{e9}e:x"), no(Password));
    t.case("wrong password", of("anna:wrong"), no(Password));
    t.case(
        "name in the other case",
        of(&format!("Anna:{PASSWORD}")),
        Caller("Basic 9"),
    );
    t.case(
        "space after the password",
        of(&format!("anna:{PASSWORD} ")),
        no(Password),
    );
    t.case(
        "disabled account",
        of(&format!("away:{PASSWORD}")),
        no(Password),
    );
}
