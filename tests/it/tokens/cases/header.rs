//! What a header may not say, and what is no compact JWS.

use crate::tokens::forge::*;
use crate::tokens::policy::{HS, Policy};
use crate::tokens::table::{Case, Expect, Row};
use tower_auth::jwt::JwtAlgorithm as Alg;

pub(super) fn rows() -> Vec<Vec<Case>> {
    vec![
        critical(),
        other_payload(),
        types(),
        other_serialisations(),
        sizes(),
    ]
}

fn extended(more: &str) -> String {
    hs(header_and(Alg::Hs256, more), claims())
}

fn critical() -> Vec<Case> {
    let mut row = Row::new("crit", HS);
    let members = [
        ("unknown name", r#","crit":["x"],"x":1"#),
        ("name that is missing", r#","crit":["x"]"#),
        ("exp", r#","crit":["exp"],"exp":1"#),
        ("b64", r#","crit":["b64"],"b64":true"#),
        ("names of RFC 7515", r#","crit":["alg"]"#),
        ("empty list", r#","crit":[]"#),
        ("null", r#","crit":null"#),
        ("false", r#","crit":false"#),
        ("string", r#","crit":"x""#),
        ("empty string", r#","crit":"""#),
        ("object", r#","crit":{}"#),
        ("numbers", r#","crit":[1]"#),
        ("same name twice", r#","crit":["x","x"],"x":1"#),
        ("empty name", r#","crit":[""],"":1"#),
        ("twice", r#","crit":["x"],"crit":["y"]"#),
        ("escaped", r#","\u0063rit":["x"]"#),
        (
            "signature validity by URL",
            r#","crit":["http://openbanking.org.uk/iat"]"#,
        ),
    ];
    for (name, member) in members {
        row.refuse(name, extended(member));
    }
    row.accept(
        "in a member that nobody reads",
        extended(r#","x":{"crit":["y"]}"#),
    );
    row.accept(
        "in capitals, which is another name",
        extended(r#","CRIT":["x"]"#),
    );
    row.accept(
        "in the claims",
        hs(header(Alg::Hs256), claims_with("crit", r#"["x"]"#)),
    );
    row.done()
}

fn other_payload() -> Vec<Case> {
    let mut row = Row::new("payloads that are not plain claims", HS);
    let members = [
        ("b64 false", r#","b64":false"#),
        ("b64 false and critical", r#","b64":false,"crit":["b64"]"#),
        ("b64 true", r#","b64":true"#),
        ("b64 null", r#","b64":null"#),
        ("zip DEF", r#","zip":"DEF""#),
        ("zip GZIP", r#","zip":"GZIP""#),
        ("zip null", r#","zip":null"#),
        ("cty JWT", r#","cty":"JWT""#),
        ("cty lower-case", r#","cty":"jwt""#),
        ("cty JSON", r#","cty":"json""#),
        ("cty empty", r#","cty":"""#),
        ("enc beside alg", r#","enc":"A256GCM""#),
        ("enc and zip", r#","enc":"A128CBC-HS256","zip":"DEF""#),
    ];
    for (name, member) in members {
        row.refuse(name, extended(member));
    }
    row.refuse("an unencoded payload", {
        let text = format!(
            "{}.{}",
            encode(header_and(Alg::Hs256, r#","b64":false,"crit":["b64"]"#)),
            "anna"
        );
        with_signature(&text, signature(Alg::Hs256, text.as_bytes()))
    });
    row.refuse(
        "a token in a token",
        hs(header(Alg::Hs256), good(Alg::Hs256)),
    );
    row.refuse("a token in a token, as it is announced", {
        hs(header_and(Alg::Hs256, r#","cty":"JWT""#), good(Alg::Hs256))
    });
    row.refuse(
        "a token in a JSON string",
        hs(header(Alg::Hs256), format!("\"{}\"", good(Alg::Hs256))),
    );
    row.done()
}

fn typed(typ_json: &str) -> String {
    hs(format!(r#"{{"alg":"HS256","typ":{typ_json}}}"#), claims())
}

fn types() -> Vec<Case> {
    let mut row = Row::new("typ", HS);
    for typ in [
        "JWT",
        "jwt",
        "Jwt",
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "Application/JWT",
    ] {
        row.accept(typ, typed(&format!("\"{typ}\"")));
    }
    let others = [
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "id+jwt",
        "refresh+jwt",
        "rt+jwt",
        "JWE",
        "JOSE",
        "JOSE+JSON",
        "JWS",
        "",
        " JWT",
        "JWT ",
        "JW",
        "JWTT",
        "at+jwt2",
        "at jwt",
        "application/",
        "application/json",
        "text/JWT",
        "application/application/JWT",
        "application/x/JWT",
        "x/application/JWT",
        "token-introspection+jwt",
        "oauth-authz-req+jwt",
        "entity-statement+jwt",
        "kb+jwt",
        "vc+sd-jwt",
        "JWT\\u0000",
        "at+jwt; v=1",
        "+jwt",
    ];
    for typ in others {
        row.refuse(format!("{typ:?}"), typed(&format!("\"{typ}\"")));
    }
    for json in ["null", "1", "true", "[\"JWT\"]", "{\"typ\":\"JWT\"}", "[]"] {
        row.refuse(format!("JSON {json}"), typed(json));
    }
    row.on(Policy::AccessType);
    row.accept("at+jwt, required", typed("\"at+jwt\""));
    row.accept(
        "application/at+jwt, required",
        typed("\"application/at+jwt\""),
    );
    row.refuse("JWT instead of at+jwt", typed("\"JWT\""));
    row.refuse("none instead of at+jwt", hs(r#"{"alg":"HS256"}"#, claims()));
    row.refuse("null instead of at+jwt", typed("null"));
    row.refuse("jwt instead of at+jwt", typed("\"jwt\""));
    row.refuse(
        "at+jwt in the claims",
        hs(r#"{"alg":"HS256"}"#, claims_with("typ", "\"at+jwt\"")),
    );
    row.done()
}

fn other_serialisations() -> Vec<Case> {
    let mut row = Row::new("other serialisations and polyglots", HS);
    let good = good(Alg::Hs256);
    let [head, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        unreachable!()
    };
    let flat =
        format!(r#"{{"payload":"{payload}","protected":"{head}","signature":"{signature}"}}"#);
    let general = format!(
        r#"{{"payload":"{payload}","signatures":[{{"protected":"{head}","signature":"{signature}"}}]}}"#
    );
    row.add("flattened JSON", flat.replace(',', ""), Expect::Malformed);
    row.add(
        "flattened JSON with its commas",
        flat.clone(),
        Expect::Joined,
    );
    row.add(
        "general JSON with its commas",
        general.clone(),
        Expect::Joined,
    );
    row.add(
        "JSON around the compact form",
        format!("{{\"{good}\":0}}"),
        Expect::Malformed,
    );
    row.add(
        "in quotation marks",
        format!("\"{good}\""),
        Expect::Malformed,
    );
    row.refuse("flattened JSON in base64url", encode(&flat));
    row.refuse("general JSON in base64url", encode(&general));
    row.refuse("compact form in base64url", encode(&good));
    row.refuse(
        "flattened JSON as the header",
        format!("{}.{payload}.{signature}", encode(&flat)),
    );
    row.refuse(
        "flattened JSON as a signed payload",
        hs(header(Alg::Hs256), &flat),
    );
    row.refuse("members of the flattened form in the header", {
        hs(
            header_and(Alg::Hs256, &format!(r#","protected":"{head}""#)),
            "{}",
        )
    });
    row.refuse("JWE of five segments", {
        let header = encode(r#"{"alg":"dir","enc":"A256GCM"}"#);
        format!(
            "{header}..{}.{}.{}",
            encode([0; 12]),
            encode(claims()),
            encode([0; 16])
        )
    });
    row.refuse(
        "JWE header on a genuine JWS",
        hs(r#"{"alg":"HS256","enc":"A256GCM"}"#, claims()),
    );
    row.refuse("five segments, three of them genuine", format!("{good}..."));
    row.refuse("four segments", format!("{good}.{signature}"));
    row.refuse("a dot after", format!("{good}."));
    row.refuse("a dot before", format!(".{good}"));
    row.refuse(
        "two dots in the middle",
        format!("{head}..{payload}.{signature}"),
    );
    row.refuse("detached payload", format!("{head}..{signature}"));
    row.refuse("no header", format!(".{payload}.{signature}"));
    row.refuse("two segments", format!("{payload}.{signature}"));
    row.refuse("one segment", head.to_owned());
    row.refuse("two dots", "..".to_owned());
    row.refuse("one dot", ".".to_owned());
    row.refuse(
        "SD-JWT",
        format!("{good}~{}~", encode(r#"["salt","sub","root"]"#)),
    );
    row.refuse("two tokens", format!("{good}.{good}"));
    row.refuse(
        "segments in another order",
        format!("{payload}.{head}.{signature}"),
    );
    row.refuse("PASETO", format!("v4.public.{payload}"));
    row.done()
}

fn sizes() -> Vec<Case> {
    let mut row = Row::new("sizes", HS);
    row.accept(
        "nearly 8 KiB",
        hs(
            header(Alg::Hs256),
            claims_with("x", &format!("\"{}\"", "x".repeat(5800))),
        ),
    );
    row.accept(
        "a header of 2 KiB",
        extended(&format!(r#","x":"{}""#, "x".repeat(2048))),
    );
    row.accept("an array of 2000 numbers", {
        hs(
            header(Alg::Hs256),
            claims_with("x", &format!("[{}0]", "0,".repeat(2000))),
        )
    });
    row.accept("objects 50 deep", {
        let deep = format!("{}0{}", "{\"a\":".repeat(50), "}".repeat(50));
        hs(header(Alg::Hs256), claims_with("x", &deep))
    });
    // Names are compared with each other: with thousands of them that would be an attack.
    let names = |count: usize| {
        (0..count)
            .map(|n| format!(r#","n{n}":0"#))
            .collect::<String>()
    };
    row.accept(
        "128 names that nobody reads",
        hs(header(Alg::Hs256), claims_and(&names(128))),
    );
    row.refuse(
        "129 names that nobody reads",
        hs(header(Alg::Hs256), claims_and(&names(129))),
    );
    row.refuse("129 names that nobody reads in an object", {
        hs(
            header(Alg::Hs256),
            claims_with("x", &format!(r#"{{"m":0{}}}"#, names(128))),
        )
    });
    row.accept(
        "128 names that nobody reads in the header",
        extended(&names(128)),
    );
    row.refuse(
        "129 names that nobody reads in the header",
        extended(&names(129)),
    );
    for (name, depth) in [("200", 200), ("2000", 2000)] {
        let arrays = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        row.refuse(
            format!("arrays {name} deep in a claim"),
            hs(header(Alg::Hs256), claims_with("x", &arrays)),
        );
        row.refuse(
            format!("arrays {name} deep in aud"),
            hs(header(Alg::Hs256), claims_with("aud", &arrays)),
        );
        row.refuse(
            format!("arrays {name} deep in the header"),
            extended(&format!(r#","jwk":{arrays}"#)),
        );
        row.refuse(
            format!("{name} arrays not closed"),
            hs("[".repeat(depth), claims()),
        );
    }
    row.refuse("objects 500 deep", {
        let deep = format!("{}0{}", "{\"a\":".repeat(500), "}".repeat(500));
        hs(header(Alg::Hs256), claims_with("x", &deep))
    });
    row.refuse("8000 dots", ".".repeat(8000));
    row.refuse("8000 letters", "A".repeat(8000));
    row.refuse(
        "a signature of 7000 letters",
        format!(
            "{}.{}",
            message(header(Alg::Hs256), claims()),
            "A".repeat(7000)
        ),
    );
    row.on(Policy::Of(Alg::Rs256))
        .refuse("an RSA signature of 7000 letters", {
            format!(
                "{}.{}",
                message(header(Alg::Rs256), claims()),
                "A".repeat(7000)
            )
        });
    row.on(HS);
    let big = hs(
        header(Alg::Hs256),
        claims_with("x", &format!("\"{}\"", "x".repeat(20_000))),
    );
    row.add("a genuine token of 27 KB", big, Expect::Oversized);
    row.add("a million dots", ".".repeat(1_000_000), Expect::Oversized);
    row.add("24 MB", "A".repeat(24_000_000), Expect::Oversized);
    row.add(
        "nested 20000 deep",
        hs("[".repeat(20_000), claims()),
        Expect::Oversized,
    );
    row.add(
        "just too long",
        "A".repeat(8192 - "Bearer ".len() + 1),
        Expect::Oversized,
    );
    row.refuse("just not too long", "A".repeat(8192 - "Bearer ".len()));
    row.done()
}
