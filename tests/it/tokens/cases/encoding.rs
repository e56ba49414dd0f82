//! Texts that two readers could read differently: repeated names, other encodings, other base64.

use crate::tokens::forge::*;
use crate::tokens::policy::{HS, Policy};
use crate::tokens::table::{Case, Expect, Row};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE};
use tower_auth::jwt::JwtAlgorithm as Alg;

pub(super) fn rows() -> Vec<Vec<Case>> {
    vec![
        repeated_names(),
        encodings(),
        not_json(),
        base64_forms(),
        last_bits(),
        around(),
    ]
}

fn payload(json: impl AsRef<[u8]>) -> String {
    hs(header(Alg::Hs256), json)
}

fn repeated_names() -> Vec<Case> {
    let mut row = Row::new("repeated names", HS);
    let headers = [
        ("typ", r#","typ":"JWT""#),
        ("kid", r#","kid":"a","kid":"a""#),
        ("an unknown member", r#","x":1,"x":2"#),
        ("an escaped unknown member", r#","x":1,"\u0078":2"#),
        ("in a jwk", r#","jwk":{"kty":"RSA","kty":"oct"}"#),
        ("in an array", r#","x":[{"a":1,"a":1}]"#),
    ];
    for (name, more) in headers {
        row.refuse(
            format!("header: {name}"),
            hs(header_and(Alg::Hs256, more), claims()),
        );
    }
    let members = [
        ("sub", r#","sub":"root""#),
        ("sub, the same", r#","sub":"anna""#),
        ("sub, escaped", r#","\u0073ub":"root""#),
        ("sub, wholly escaped", r#","\u0073\u0075\u0062":"root""#),
        ("iss", r#","iss":"https://login.example.com""#),
        ("iss, escaped", r#","is\u0073":"https://attacker.example""#),
        ("aud", r#","aud":"reports""#),
        ("exp", r#","exp":9000000000"#),
        ("exp, escaped", r#","e\u0078p":9000000000"#),
        ("iat", r#","iat":1"#),
        ("nbf", r#","nbf":1,"nbf":2"#),
        ("jti", r#","jti":"a","jti":"b""#),
        ("scope", r#","scope":"a","scope":"a b""#),
        ("roles", r#","roles":[],"roles":["admin"]"#),
        ("an unknown claim", r#","x":1,"x":1"#),
        ("an unknown claim, escaped", r#","xy":1,"x\u0079":1"#),
        ("the empty name", r#","":1,"":2"#),
        (
            "a surrogate pair, escaped once",
            ",\"\u{1f600}\":1,\"\\ud83d\\ude00\":2",
        ),
        ("an escaped slash", r#","a/b":1,"a\/b":2"#),
        ("nested", r#","x":{"a":1,"a":2}"#),
        ("nested, escaped", r#","x":{"a":1,"\u0061":2}"#),
        ("nested twice", r#","x":{"y":{"a":1,"a":2}}"#),
        ("nested in an array", r#","x":[[{"a":1,"a":2}]]"#),
        ("nested registered", r#","x":{"sub":1,"sub":2}"#),
    ];
    for (name, more) in members {
        row.refuse(format!("claims: {name}"), payload(claims_and(more)));
    }
    row.accept(
        "the same name in different objects",
        payload(claims_and(
            r#","x":{"sub":1,"y":{"sub":2}},"y":[{"sub":3}]"#,
        )),
    );
    row.accept(
        "names that differ in case",
        payload(claims_and(r#","Sub":"root","SUB":"root","Exp":1"#)),
    );
    row.accept(
        "names that differ in NUL",
        payload(claims_and(r#","sub\u0000":"root""#)),
    );
    row.done()
}

fn utf16(text: &str, unit: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

fn encodings() -> Vec<Case> {
    let mut row = Row::new("encodings of JSON", HS);
    let (head, claims) = (header(Alg::Hs256), claims());
    let bytes = |before: &[u8], text: &str, after: &[u8]| [before, text.as_bytes(), after].concat();
    let with_bytes = |bytes: &[u8]| {
        let text = claims_with("x", "\"@\"");
        let (before, after) = text.split_once('@').unwrap();
        payload([before.as_bytes(), bytes, after.as_bytes()].concat())
    };
    row.refuse(
        "BOM before the claims",
        payload(bytes(b"\xef\xbb\xbf", &claims, b"")),
    );
    row.refuse(
        "BOM before the header",
        hs(bytes(b"\xef\xbb\xbf", &head, b""), &claims),
    );
    row.refuse(
        "BOM after the claims",
        payload(bytes(b"", &claims, b"\xef\xbb\xbf")),
    );
    row.refuse(
        "claims in UTF-16LE",
        payload(utf16(&claims, u16::to_le_bytes)),
    );
    row.refuse(
        "claims in UTF-16BE",
        payload(utf16(&claims, u16::to_be_bytes)),
    );
    row.refuse(
        "claims in UTF-16LE with BOM",
        payload(bytes(b"\xff\xfe", "", &utf16(&claims, u16::to_le_bytes))),
    );
    row.refuse(
        "header in UTF-16LE",
        hs(utf16(&head, u16::to_le_bytes), &claims),
    );
    row.refuse(
        "header in UTF-16BE with BOM",
        hs(
            bytes(b"\xfe\xff", "", &utf16(&head, u16::to_be_bytes)),
            &claims,
        ),
    );
    row.refuse(
        "claims in UTF-32",
        payload(
            claims
                .chars()
                .flat_map(|c| (c as u32).to_le_bytes())
                .collect::<Vec<u8>>(),
        ),
    );
    for (name, text) in [
        ("a lone continuation byte", &b"\x80"[..]),
        ("Latin-1", b"caf\xe9"),
        ("an overlong slash", b"\xc0\xaf"),
        ("an overlong NUL", b"\xc0\x80"),
        ("an encoded surrogate", b"\xed\xa0\x80"),
        ("a code point past the last", b"\xf4\x90\x80\x80"),
        ("a cut sequence", b"\xe2\x82"),
        ("a byte of ones", b"\xff"),
    ] {
        row.refuse(format!("bad UTF-8: {name}"), with_bytes(text));
    }
    row.refuse(
        "bad UTF-8 in the header",
        hs(bytes(b"", r#"{"alg":"HS256","x":""#, b"\xff\"}"), &claims),
    );
    row.refuse(
        "bad UTF-8 after the claims",
        payload(bytes(b"", &claims, b"\xff")),
    );
    row.refuse(
        "an escaped lone surrogate in sub",
        payload(claims_with("sub", r#""\ud800""#)),
    );
    row.refuse(
        "escaped surrogates in the wrong order",
        payload(claims_with("sub", r#""\ude00\ud83d""#)),
    );
    row.accept(
        "good UTF-8 of four bytes",
        with_bytes("\u{1f600}".as_bytes()),
    );
    row.accept(
        "white space around members",
        payload(claims.replace(',', " ,\r\n\t")),
    );
    row.accept(
        "white space around the header",
        hs(format!(" {head}\n"), &claims),
    );
    row.done()
}

fn not_json() -> Vec<Case> {
    let mut row = Row::new("texts that are not JSON objects", HS);
    for json in [
        "NaN",
        "Infinity",
        "-Infinity",
        "undefined",
        "0x10",
        "010",
        "+1",
        ".5",
        "1.",
        "1e",
        "'a'",
        "TRUE",
        "\"a",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"a\nb\"",
        "\"\0\"",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\"}",
        "1e999",
        "/* a */ 1",
        "// a\n1",
        "",
    ] {
        row.refuse(format!("a claim {json:?}"), payload(claims_with("x", json)));
    }
    for json in [
        "",
        " ",
        "null",
        "true",
        "1",
        "\"anna\"",
        "[]",
        "[{}]",
        "{}",
        "{",
        "}",
        "{\"sub\":\"anna\"",
        "[\"sub\",\"anna\"]",
    ] {
        row.refuse(format!("claims {json:?}"), payload(json));
        if !json.contains("sub") {
            row.refuse(format!("header {json:?}"), hs(json, claims()));
        }
    }
    row.refuse("claims in an array", payload(format!("[{}]", claims())));
    row.refuse(
        "header in an array",
        hs(format!("[{}]", header(Alg::Hs256)), claims()),
    );
    row.refuse(
        "header as a string",
        hs(format!("{:?}", header(Alg::Hs256)), claims()),
    );
    row.refuse(
        "members in the order of their fields",
        payload(r#"["https://login.example.com","anna","reports",1,9]"#),
    );
    for (name, before, after) in [
        ("a letter after", "", "x"),
        ("NUL after", "", "\0"),
        ("a brace after", "", "}"),
        ("an object after", "", "{}"),
        ("a comma after", "", ","),
        ("another line after", "", "\n{\"sub\":\"root\"}"),
        ("a comment after", "", "// comment"),
        ("a vertical tab after", "", "\u{b}"),
        ("a no-break space after", "", "\u{a0}"),
        ("a letter before", "x", ""),
        ("an object before", "{}", ""),
        ("a prefix against inclusion", ")]}',\n", ""),
        ("NUL before", "\0", ""),
    ] {
        row.refuse(
            format!("claims with {name}"),
            payload(format!("{before}{}{after}", claims())),
        );
        row.refuse(
            format!("header with {name}"),
            hs(format!("{before}{}{after}", header(Alg::Hs256)), claims()),
        );
    }
    row.accept("a newline after", payload(format!("{}\n", claims())));
    row.accept(
        "a number of another size that nobody reads",
        payload(claims_with("x", "-1.5e10")),
    );
    row.accept(
        "an integer that nobody reads, of 40 digits",
        payload(claims_with("x", &"9".repeat(40))),
    );
    row.done()
}

/// A genuine signature over segments that are written in a way of their own.
fn signed(text: &str) -> String {
    with_signature(text, signature(Alg::Hs256, text.as_bytes()))
}

fn base64_forms() -> Vec<Case> {
    let mut row = Row::new("base64 in other forms", HS);
    // One that needs padding, and one whose base64 has both letters on which the alphabets differ.
    let head = header(Alg::Hs256) + " ";
    let claims = claims_with("x", "\"???>>>~~~\u{fffd}\u{fffd}\"") + " ";
    let (h, p) = (encode(&head), encode(&claims));
    row.accept("base64url without padding", signed(&format!("{h}.{p}")));
    let (padded_h, padded_p) = (URL_SAFE.encode(&head), URL_SAFE.encode(&claims));
    row.refuse("padded header", signed(&format!("{padded_h}=.{p}")));
    row.refuse("padded claims", signed(&format!("{h}.{padded_p}=")));
    row.refuse(
        "too much padding in the claims",
        signed(&format!("{h}.{p}====")),
    );
    row.refuse(
        "padded signature",
        format!("{}=", signed(&format!("{h}.{p}"))),
    );
    row.refuse(
        "twice padded signature",
        format!("{}==", signed(&format!("{h}.{p}"))),
    );
    row.refuse(
        "standard alphabet in the claims",
        signed(&format!("{h}.{}", STANDARD_NO_PAD.encode(&claims))),
    );
    let text = (0..200)
        .map(|n| message(&head, claims_with("jti", &format!("\"{n}\""))))
        .find(|text| encode(signature(Alg::Hs256, text.as_bytes())).contains(['-', '_']));
    let text = text.unwrap();
    row.refuse("standard alphabet in the signature", {
        format!(
            "{text}.{}",
            STANDARD_NO_PAD.encode(signature(Alg::Hs256, text.as_bytes()))
        )
    });
    row.refuse(
        "percent-encoded padding",
        format!("{}=", signed(&format!("{h}.{padded_p}"))),
    );
    row.refuse(
        "a claims segment of one letter more",
        signed(&format!("{h}.{p}A")),
    );
    row.refuse(
        "a header of one letter more",
        signed(&format!("{h}AAAA.{p}")),
    );
    row.refuse("unencoded header", signed(&format!("alg-HS256.{p}")));
    row.refuse(
        "encoded twice",
        signed(&format!("{}.{}", encode(&h), encode(&p))),
    );
    row.refuse("a tilde in the claims", signed(&format!("{h}.~{p}")));
    row.refuse(
        "a padding letter within",
        signed(&format!("{h}.{}={}", &p[..8], &p[8..])),
    );
    row.refuse("hexadecimal signature", {
        let text = format!("{h}.{p}");
        let mac = signature(Alg::Hs256, text.as_bytes());
        format!(
            "{text}.{}",
            mac.iter().map(|b| format!("{b:02x}")).collect::<String>()
        )
    });
    row.done()
}

/// The segment with its last letter's unused bits set: it decodes to the same bytes where a reader
/// is lax.
fn other_last_letter(segment: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    assert_ne!(segment.len() % 4, 0, "no unused bits");
    let (rest, last) = segment.split_at(segment.len() - 1);
    let value = ALPHABET.find(last).unwrap();
    format!("{rest}{}", &ALPHABET[value + 1..value + 2])
}

fn last_bits() -> Vec<Case> {
    let mut row = Row::new("unused bits of the last letter", HS);
    let pad = |mut text: String| {
        while text.len().is_multiple_of(3) {
            text.push(' ');
        }
        text
    };
    for alg in ALGORITHMS {
        row.on(Policy::Of(alg));
        let (h, p) = (pad(header(alg)), pad(claims()));
        let text = message(&h, &p);
        let signature_text = encode(signature(alg, text.as_bytes()));
        row.accept(
            format!("{}: canonical", alg.name()),
            format!("{text}.{signature_text}"),
        );
        if !signature_text.len().is_multiple_of(4) {
            row.refuse(
                format!("{}: signature", alg.name()),
                format!("{text}.{}", other_last_letter(&signature_text)),
            );
        }
        for (name, text) in [
            (
                "header",
                format!("{}.{}", other_last_letter(&encode(&h)), encode(&p)),
            ),
            (
                "claims",
                format!("{}.{}", encode(&h), other_last_letter(&encode(&p))),
            ),
        ] {
            let forged = with_signature(&text, signature(alg, text.as_bytes()));
            row.refuse(format!("{}: {name}", alg.name()), forged);
        }
    }
    row.done()
}

fn around() -> Vec<Case> {
    let mut row = Row::new("letters around and within", HS);
    let good = good(Alg::Hs256);
    let (head, rest) = good.split_once('.').unwrap();
    row.accept("one more space before", format!(" {good}"));
    for (name, text) in [
        ("space after", format!("{good} ")),
        ("tab after", format!("{good}\t")),
        ("tab before", format!("\t{good}")),
        ("space within", format!("{head} .{rest}")),
        ("tab within", format!("{head}.\t{rest}")),
        ("another word", format!("{good} {good}")),
        ("semicolon", format!("{good};")),
        ("per cent", format!("{good}%00")),
        ("colon", format!("token:{good}")),
        ("angle brackets", format!("<{good}>")),
        ("percent-encoded dot", good.replace('.', "%2E")),
    ] {
        row.add(name, text, Expect::Malformed);
    }
    row.add("comma", format!("{good},"), Expect::Joined);
    row.add(
        "two tokens and a comma",
        format!("{good}, Bearer {good}"),
        Expect::Joined,
    );
    row.add("comma before", format!(",{good}"), Expect::Joined);
    row.add("no-break space", format!("{good}\u{a0}"), Expect::NonAscii);
    row.add("BOM", format!("\u{feff}{good}"), Expect::NonAscii);
    row.add(
        "zero-width space within",
        format!("{head}.\u{200b}{rest}"),
        Expect::NonAscii,
    );
    row.add(
        "full-width dot",
        good.replace('.', "\u{ff0e}"),
        Expect::NonAscii,
    );
    row.refuse("plus", format!("+{good}"));
    row.refuse("slash", format!("{good}/"));
    row.refuse("letter before", format!("A{good}"));
    row.refuse("letters after", format!("{good}AAAA"));
    row.refuse("in capitals", good.to_uppercase());
    row.refuse(
        "other case",
        good.chars()
            .map(|c| {
                if c.is_lowercase() {
                    c.to_ascii_uppercase()
                } else {
                    c.to_ascii_lowercase()
                }
            })
            .collect::<String>(),
    );
    row.done()
}
