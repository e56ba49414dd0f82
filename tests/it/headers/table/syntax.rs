//! How one field value is written.

use super::Table;
use crate::headers::case::{Expect, Why, auth, bytes, field, no, no_bearer, x_key};
use crate::headers::world::{PASSWORD, Setup, World, basic};
use Expect::{Caller, Unparsed};
use Why::{Empty, Malformed, Missing, NonAscii, Oversized, Scheme, Token};

const ANNA: Expect = Caller("Jwt anna");
const KEY: Expect = Caller("ApiKey 7");

pub(super) fn add(table: &mut Table, world: &World) {
    accepted_forms(table, world);
    white_space(table, world);
    foreign_characters(table, world);
    unparsed_bytes(table, world);
    nothing_in_it(table, world);
    other_schemes(table, world);
    length(table, world);
}

fn accepted_forms(t: &mut Table, w: &World) {
    let (j, k) = (&w.token, &w.key);
    t.group("scheme in any case", Setup::Usual);
    t.case("Bearer", auth(format!("Bearer {j}")), ANNA);
    t.case("bearer", auth(format!("bearer {j}")), ANNA);
    t.case("BEARER", auth(format!("BEARER {j}")), ANNA);
    t.case("bEaReR", auth(format!("bEaReR {j}")), ANNA);
    t.case("Api-Key", auth(format!("Api-Key {k}")), KEY);
    t.case("api-key", auth(format!("api-key {k}")), KEY);
    t.case("API-KEY", auth(format!("API-KEY {k}")), KEY);
    t.on(Setup::All);
    let anna = basic(format!("anna:{PASSWORD}"));
    t.case("Basic", auth(&anna), Caller("Basic 9"));
    t.case(
        "basic",
        auth(anna.replace("Basic", "basic")),
        Caller("Basic 9"),
    );
    t.case(
        "BASIC",
        auth(anna.replace("Basic", "BASIC")),
        Caller("Basic 9"),
    );

    t.group("field name in any case", Setup::Usual);
    t.case(
        "authorization",
        field("authorization", format!("Bearer {j}")),
        ANNA,
    );
    t.case(
        "AUTHORIZATION",
        field("AUTHORIZATION", format!("Bearer {j}")),
        ANNA,
    );
    t.case("x-api-key", field("x-api-key", k), KEY);
    t.case("X-API-KEY", field("X-API-KEY", k), KEY);

    t.group("several spaces after the scheme", Setup::Usual);
    t.case("two", auth(format!("Bearer  {j}")), ANNA);
    t.case("forty", auth(format!("Bearer{}{j}", " ".repeat(40))), ANNA);
    t.case("three after Api-Key", auth(format!("Api-Key   {k}")), KEY);
    t.on(Setup::All);
    t.case(
        "two after Basic",
        auth(anna.replace("Basic", "Basic ")),
        Caller("Basic 9"),
    );
}

fn white_space(t: &mut Table, w: &World) {
    let (j, k) = (&w.token, &w.key);
    t.group("other white space", Setup::Usual);
    t.case(
        "tab instead of the space",
        auth(format!("Bearer\t{j}")),
        no(Malformed),
    );
    t.case(
        "tab after the space",
        auth(format!("Bearer \t{j}")),
        no_bearer(Malformed),
    );
    t.case(
        "tab before the space",
        auth(format!("Bearer\t {j}")),
        no(Malformed),
    );
    t.case(
        "space in the token",
        auth(format!("Bearer {} {}", &j[..9], &j[9..])),
        no_bearer(Malformed),
    );
    t.case(
        "tab in the token",
        auth(format!("Bearer {}\t{}", &j[..9], &j[9..])),
        no_bearer(Malformed),
    );
    t.case(
        "a word after the token",
        auth(format!("Bearer {j} x")),
        no_bearer(Malformed),
    );
    t.case(
        "no-break space in Latin-1",
        auth(format!("Bearer\u{a0}{j}")),
        no(NonAscii),
    );
    t.case(
        "no-break space in UTF-8",
        auth(format!("Bearer \u{c2}\u{a0}{j}")),
        no_bearer(NonAscii),
    );
    t.case(
        "em space in UTF-8",
        auth(format!("Bearer\u{e2}\u{80}\u{83}{j}")),
        no(NonAscii),
    );
    t.case(
        "space in a key",
        x_key(format!("{} {}", &k[..9], &k[9..])),
        no(Malformed),
    );
    t.case(
        "tab in a key",
        x_key(format!("{}\t{}", &k[..9], &k[9..])),
        no(Malformed),
    );
    t.case(
        "space in the scheme",
        auth(format!("Bear er {j}")),
        no(Scheme),
    );

    // HTTP/1 itself takes it off (RFC 9112 §5.1); what is left of it elsewhere is no credential.
    t.group("white space around the value", Setup::Usual);
    t.case("space before Bearer", auth(format!(" Bearer {j}")), ANNA)
        .untrimmed(no(Malformed));
    t.case("tab before Bearer", auth(format!("\tBearer {j}")), ANNA)
        .untrimmed(no(Malformed));
    t.case("space after a token", auth(format!("Bearer {j} ")), ANNA)
        .untrimmed(no_bearer(Malformed));
    t.case("tab after a token", auth(format!("Bearer {j}\t")), ANNA)
        .untrimmed(no_bearer(Malformed));
    t.case("space before a key", x_key(format!(" {k}")), KEY)
        .untrimmed(no(Malformed));
    t.case("space after a key", x_key(format!("{k} ")), KEY)
        .untrimmed(no(Malformed));
    t.case("tabs around a key", x_key(format!("\t{k}\t")), KEY)
        .untrimmed(no(Malformed));
    t.case(
        "no space after the colon",
        bytes(format!("Authorization:Bearer {j}\r\n")),
        ANNA,
    );
}

fn foreign_characters(t: &mut Table, w: &World) {
    let (j, k) = (&w.token, &w.key);
    t.group("percent-encoding", Setup::Usual);
    t.case("of the space", auth(format!("Bearer%20{j}")), no(Scheme));
    t.case(
        "of a letter of the scheme",
        auth(format!("Be%61rer {j}")),
        no(Scheme),
    );
    t.case(
        "of a letter of the token",
        auth(format!("Bearer %65{}", &j[1..])),
        no_bearer(Malformed),
    );
    t.case(
        "of the prefix of a key",
        x_key(format!("%65{}", &k[1..])),
        no(Why::Key),
    );
    t.case(
        "of padding",
        auth(format!("Bearer {j}%3D")),
        no_bearer(Malformed),
    );
    t.case(
        "of a line break",
        auth(format!("Bearer {j}%0d%0a")),
        no_bearer(Malformed),
    );

    t.group("bytes outside of ASCII", Setup::Usual);
    t.case(
        "before the token",
        auth(format!("Bearer \u{e9}{j}")),
        no_bearer(NonAscii),
    );
    t.case(
        "after the token",
        auth(format!("Bearer {j}\u{ff}")),
        no_bearer(NonAscii),
    );
    t.case(
        "in the scheme",
        auth(format!("B\u{e9}arer {j}")),
        no(NonAscii),
    );
    t.case("alone", auth("\u{80}"), no(NonAscii));
    t.case("before a key", x_key(format!("\u{80}{k}")), no(NonAscii));
    t.case("after a key", x_key(format!("{k}\u{e9}")), no(NonAscii));
    t.case(
        "Cyrillic letters that look alike",
        auth(format!("\u{d0}\u{92}\u{d0}\u{b5}arer {j}")),
        no(NonAscii),
    );
    t.case(
        "after Api-Key",
        auth(format!("Api-Key {k}\u{fe}")),
        no(NonAscii),
    );
    t.case(
        "token in letters of full width",
        auth("Bearer \u{ef}\u{bd}\u{85}"),
        no_bearer(NonAscii),
    );

    t.group("invalid UTF-8", Setup::Usual);
    t.case(
        "a lone continuation",
        auth(format!("Bearer {j}\u{80}")),
        no_bearer(NonAscii),
    );
    t.case(
        "an overlong slash",
        auth("Bearer \u{c0}\u{af}"),
        no_bearer(NonAscii),
    );
    t.case(
        "half of a pair in a key",
        x_key(format!("{k}\u{ed}\u{a0}\u{80}")),
        no(NonAscii),
    );
    t.case(
        "a sequence cut off after Api-Key",
        auth("Api-Key \u{f0}\u{9f}"),
        no(NonAscii),
    );
    t.case(
        "in another field",
        [auth(format!("Bearer {j}")), field("X-Name", "\u{ff}\u{fe}")].concat(),
        ANNA,
    );

    t.group("quotes and brackets", Setup::Usual);
    t.case(
        "around the token",
        auth(format!("Bearer \"{j}\"")),
        no_bearer(Malformed),
    );
    t.case(
        "single around the token",
        auth(format!("Bearer '{j}'")),
        no_bearer(Malformed),
    );
    t.case(
        "around the scheme",
        auth(format!("\"Bearer\" {j}")),
        no(Malformed),
    );
    t.case(
        "around the whole",
        auth(format!("\"Bearer {j}\"")),
        no(Malformed),
    );
    t.case(
        "around a parameter",
        auth(format!("Bearer token=\"{j}\"")),
        no_bearer(Malformed),
    );
    t.case("around a key", x_key(format!("\"{k}\"")), no(Why::Key));
    t.case(
        "angle brackets",
        auth(format!("Bearer <{j}>")),
        no_bearer(Malformed),
    );
    t.case(
        "braces",
        auth(format!("Bearer {{{j}}}")),
        no_bearer(Malformed),
    );
    t.case(
        "backslash",
        auth(format!("Bearer {j}\\")),
        no_bearer(Malformed),
    );

    const BOM: &str = "\u{ef}\u{bb}\u{bf}";
    t.group("byte order mark", Setup::Usual);
    t.case(
        "before the scheme",
        auth(format!("{BOM}Bearer {j}")),
        no(NonAscii),
    );
    t.case(
        "before the token",
        auth(format!("Bearer {BOM}{j}")),
        no_bearer(NonAscii),
    );
    t.case(
        "after the token",
        auth(format!("Bearer {j}{BOM}")),
        no_bearer(NonAscii),
    );
    t.case("before a key", x_key(format!("{BOM}{k}")), no(NonAscii));
    t.case(
        "of UTF-16",
        auth(format!("\u{ff}\u{fe}Bearer {j}")),
        no(NonAscii),
    );
}

fn unparsed_bytes(t: &mut Table, w: &World) {
    let (j, k) = (&w.token, &w.key);
    t.group("control characters", Setup::Usual);
    t.case(
        "NUL after the token",
        auth(format!("Bearer {j}\0")),
        Unparsed,
    );
    t.case("NUL before a key", x_key(format!("\0{k}")), Unparsed);
    t.case("UTF-16", auth("B\0e\0a\0r\0e\0r\0 \0x\0"), Unparsed);
    t.case("bell", auth(format!("Bearer {j}\u{7}")), Unparsed);
    t.case("escape", auth(format!("Bearer \u{1b}[2K{j}")), Unparsed);
    t.case("vertical tab", auth(format!("Bearer\u{b}{j}")), Unparsed);
    t.case("form feed", auth(format!("Bearer\u{c}{j}")), Unparsed);
    t.case("delete", auth(format!("Bearer {j}\u{7f}")), Unparsed);

    t.group("line breaks in a value", Setup::Usual);
    t.case(
        "carriage return in the token",
        auth(format!("Bearer {}\r{}", &j[..9], &j[9..])),
        Unparsed,
    );
    t.case(
        "carriage return before a key",
        x_key(format!("\r{k}")),
        Unparsed,
    );
    t.case("folded line", auth(format!("Bearer\r\n {j}")), Unparsed);
    t.case(
        "folded line with a tab",
        auth(format!("Bearer {}\r\n\t{}", &j[..9], &j[9..])),
        Unparsed,
    );
    t.case(
        "line feed in the scheme",
        auth(format!("Bear\ner {j}")),
        Unparsed,
    );
    // HTTP/1 ends the line there (RFC 9112 §2.2), so that what follows is a field of its own.
    t.case(
        "line feed and a field",
        auth(format!("Bearer {j}\nX-User-Id: root")),
        ANNA,
    )
    .untrimmed(Unparsed);
    t.case(
        "line feed for the token",
        auth("Bearer \nX-Token: x"),
        no_bearer(Empty),
    )
    .untrimmed(Unparsed);

    t.group("broken field lines", Setup::Usual);
    t.case(
        "space before the colon",
        bytes(format!("Authorization : Bearer {j}\r\n")),
        Unparsed,
    );
    t.case(
        "no colon",
        bytes(format!("Authorization Bearer {j}\r\n")),
        Unparsed,
    );
    t.case(
        "space before the name",
        bytes(format!(" Authorization: Bearer {j}\r\n")),
        Unparsed,
    );
    t.case(
        "name outside of ASCII",
        bytes(format!("Authorizati\u{f6}n: Bearer {j}\r\n")),
        Unparsed,
    );
    t.case(
        "NUL in the name",
        bytes(format!("Author\0ization: Bearer {j}\r\n")),
        Unparsed,
    );
    t.case("no name", bytes(format!(": Bearer {j}\r\n")), Unparsed);
}

fn nothing_in_it(t: &mut Table, w: &World) {
    let j = &w.token;
    t.group("empty value", Setup::Usual);
    t.case("Authorization", bytes("Authorization:\r\n"), no(Empty));
    t.case("Authorization with a space", auth(""), no(Empty));
    t.case("Authorization with spaces", auth("   "), no(Empty))
        .untrimmed(no(Malformed));
    t.case("X-API-Key", bytes("X-API-Key:\r\n"), no(Empty));
    t.case("X-API-Key with spaces", x_key("  "), no(Empty))
        .untrimmed(no(Malformed));

    t.group("scheme without a credential", Setup::Usual);
    t.case("Bearer", auth("Bearer"), no_bearer(Empty));
    t.case("bearer and a space", auth("bearer "), no_bearer(Empty));
    t.case(
        "Bearer and many spaces",
        auth("Bearer      "),
        no_bearer(Empty),
    );
    t.case("Api-Key", auth("Api-Key"), no(Empty));
    t.case("an unknown scheme", auth("Digest"), no(Scheme));
    t.case("Basic where it is off", auth("Basic"), no(Scheme));
    t.on(Setup::All);
    t.case("Basic", auth("Basic"), no(Empty));
    t.case("Basic and a space", auth("Basic "), no(Empty));

    t.group("Bearer that is none", Setup::Usual);
    t.case("a token without a scheme", auth(j), no(Scheme));
    t.case("a key without a scheme", auth(&w.key), no(Scheme));
    t.case("no space", auth(format!("Bearer{j}")), no(Scheme));
    t.case("a colon", auth(format!("Bearer: {j}")), no(Malformed));
    t.case(
        "a colon without a space",
        auth(format!("Bearer:{j}")),
        no(Malformed),
    );
    t.case("an equals sign", auth(format!("Bearer={j}")), no(Malformed));
    t.case(
        "twice the scheme",
        auth(format!("Bearer Bearer {j}")),
        no_bearer(Malformed),
    );
    t.case(
        "twice the token",
        auth(format!("Bearer {j} {j}")),
        no_bearer(Malformed),
    );
    t.case(
        "a semicolon after it",
        auth(format!("Bearer {j};")),
        no_bearer(Malformed),
    );
    t.case(
        "scheme after the token",
        auth(format!("{j} Bearer")),
        no(Scheme),
    );
    t.case("a slash", auth(format!("Bearer/1 {j}")), no(Malformed));
    t.case("the word null", auth("Bearer null"), no_bearer(Token));
    t.case(
        "the word undefined",
        auth("Bearer undefined"),
        no_bearer(Token),
    );
    t.case(
        "a JSON object",
        auth("Bearer {\"token\":1}"),
        no_bearer(Malformed),
    );
    t.case("padding alone", auth("Bearer ="), no_bearer(Token));
}

fn other_schemes(t: &mut Table, w: &World) {
    let (j, k) = (&w.token, &w.key);
    t.group("schemes that are not accepted", Setup::Usual);
    t.case(
        "Digest",
        auth("Digest username=\"anna\", realm=\"api\", response=\"0\""),
        no(Scheme),
    );
    t.case(
        "Negotiate",
        auth("Negotiate YIIJvwYGKwYBBQUCoIIJszCCCa8="),
        no(Scheme),
    );
    t.case("NTLM", auth("NTLM TlRMTVNTUAABAAAA"), no(Scheme));
    t.case(
        "Basic where it is off",
        auth(basic(format!("anna:{PASSWORD}"))),
        no(Scheme),
    );
    t.case("DPoP", auth(format!("DPoP {j}")), no(Scheme));
    t.case("Token", auth(format!("Token {j}")), no(Scheme));
    t.case("JWT", auth(format!("JWT {j}")), no(Scheme));
    t.case("ApiKey", auth(format!("ApiKey {k}")), no(Scheme));
    t.case("Api_Key", auth(format!("Api_Key {k}")), no(Scheme));
    t.case("X-API-Key", auth(format!("X-API-Key {k}")), no(Scheme));
    t.case(
        "AWS4-HMAC-SHA256",
        auth("AWS4-HMAC-SHA256 Credential=A/20260101, Signature=0"),
        no(Scheme),
    );
    t.on(Setup::TokensOnly);
    t.case(
        "Api-Key where it is off",
        auth(format!("Api-Key {k}")),
        no(Scheme),
    );
    t.on(Setup::BasicOnly);
    t.case(
        "Bearer where it is off",
        auth(format!("Bearer {j}")),
        no_bearer(Scheme),
    );
    t.case(
        "a key where it is off",
        auth(format!("Bearer {k}")),
        no_bearer(Scheme),
    );
    t.case("X-API-Key where it is off", x_key(k), no(Missing));
}

fn length(t: &mut Table, w: &World) {
    let (j, k) = (&w.token, &w.key);
    let of = |start: &str, length: usize| format!("{start}{}", "a".repeat(length - start.len()));
    t.group("long values", Setup::Usual);
    t.case(
        "Bearer of 8192 bytes",
        auth(of("Bearer ", 8192)),
        no_bearer(Token),
    );
    t.case(
        "Bearer of 8193 bytes",
        auth(of("Bearer ", 8193)),
        no_bearer(Oversized),
    );
    t.case(
        "Bearer of 65536 bytes",
        auth(of("Bearer ", 65_536)),
        no_bearer(Oversized),
    );
    t.case(
        "API key of 8192 bytes",
        x_key(of("egret_", 8192)),
        no(Why::Key),
    );
    t.case(
        "API key of 8193 bytes",
        x_key(of("egret_", 8193)),
        no(Oversized),
    );
    t.case(
        "unknown scheme of 8193 bytes",
        auth(of("Digest ", 8193)),
        no(Oversized),
    );
    t.case("no scheme of 8193 bytes", auth(of("", 8193)), no(Oversized));
    t.case(
        "8193 bytes outside of ASCII",
        auth("\u{e9}".repeat(8193)),
        no(Oversized),
    );
    let padded =
        |length: usize| format!("Bearer{}{j}", " ".repeat(length - "Bearer".len() - j.len()));
    t.case("good token after spaces to 8192", auth(padded(8192)), ANNA);
    t.case(
        "good token after spaces to 8193",
        auth(padded(8193)),
        no_bearer(Oversized),
    );
    t.case(
        "many dots",
        auth(format!("Bearer {}", ".".repeat(8185))),
        no_bearer(Token),
    );

    t.group("long values where less is allowed", Setup::Small);
    t.case(
        "Bearer of 64 bytes",
        auth(of("Bearer ", 64)),
        no_bearer(Token),
    );
    t.case(
        "Bearer of 65 bytes",
        auth(of("Bearer ", 65)),
        no_bearer(Oversized),
    );
    t.case("API key of 64 bytes", x_key(of("egret_", 64)), no(Why::Key));
    t.case(
        "API key of 65 bytes",
        x_key(of("egret_", 65)),
        no(Oversized),
    );
    t.case(
        "good token of more",
        auth(format!("Bearer {j}")),
        no_bearer(Oversized),
    );
    t.case("good key of less", auth(format!("Bearer {k}")), KEY);
    t.case(
        "good key after spaces to 65",
        auth(format!("Bearer{}{k}", " ".repeat(59 - k.len()))),
        no_bearer(Oversized),
    );
}
