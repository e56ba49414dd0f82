//! Who issued a token, for whom, about whom and as what.

use crate::support::{AUDIENCE, ISSUER};
use crate::tokens::forge::*;
use crate::tokens::policy::{HS, Policy};
use crate::tokens::table::{Case, Expect, Row};
use tower_auth::jwt::JwtAlgorithm as Alg;

pub(super) fn rows() -> Vec<Vec<Case>> {
    vec![
        issuers(),
        audiences(),
        subjects(),
        token_ids(),
        other_tokens(),
        grants(),
    ]
}

fn claim(name: &str, json: &str) -> String {
    hs(header(Alg::Hs256), claims_with(name, json))
}

const WRONG_FOR_TEXT: [&str; 9] = [
    "null",
    "true",
    "false",
    "0",
    "1",
    "1.5",
    "[]",
    "{}",
    r#"{"0":"anna"}"#,
];

fn issuers() -> Vec<Case> {
    let mut row = Row::new("iss", HS);
    let texts = [
        ("empty", String::new()),
        ("another", "https://attacker.example".into()),
        ("prefix", "https://login.example".into()),
        ("suffix", "login.example.com".into()),
        ("trailing slash", format!("{ISSUER}/")),
        ("path", format!("{ISSUER}/tenant")),
        ("suffixed host", format!("{ISSUER}.attacker.example")),
        ("user part", format!("{ISSUER}@attacker.example")),
        (
            "within another",
            format!("https://attacker.example/?{ISSUER}"),
        ),
        ("fragment", format!("{ISSUER}#")),
        ("default port", format!("{ISSUER}:443")),
        ("http", ISSUER.replace("https", "http")),
        ("scheme in capitals", ISSUER.replace("https", "HTTPS")),
        ("host in capitals", ISSUER.replace("login", "LOGIN")),
        ("space before", format!(" {ISSUER}")),
        ("space after", format!("{ISSUER} ")),
        ("newline after", format!("{ISSUER}\\n")),
        ("NUL after", format!("{ISSUER}\\u0000")),
        ("Cyrillic letter", ISSUER.replace('a', "\u{430}")),
        ("soft hyphen", ISSUER.replace("login", "lo\u{ad}gin")),
        ("percent-encoded", ISSUER.replace("login", "%6Cogin")),
        ("wildcard", "https://*.example.com".into()),
        ("two in a string", format!("{ISSUER} {ISSUER}")),
        (
            "two in a string, comma",
            format!("{ISSUER},https://attacker.example"),
        ),
    ];
    for (name, text) in texts {
        row.refuse(name, claim("iss", &format!("\"{text}\"")));
    }
    for json in WRONG_FOR_TEXT {
        row.refuse(format!("JSON {json}"), claim("iss", json));
    }
    row.refuse("array of it", claim("iss", &format!("[\"{ISSUER}\"]")));
    row.refuse(
        "array with another",
        claim(
            "iss",
            &format!("[\"{ISSUER}\",\"https://attacker.example\"]"),
        ),
    );
    row.refuse(
        "object of it",
        claim("iss", &format!("{{\"iss\":\"{ISSUER}\"}}")),
    );
    row.refuse("missing", hs(header(Alg::Hs256), claims_without("iss")));
    row.refuse("in a nested object", {
        hs(
            header(Alg::Hs256),
            claims_without("iss").replace(
                "{\"sub\"",
                &format!("{{\"x\":{{\"iss\":\"{ISSUER}\"}},\"sub\""),
            ),
        )
    });
    row.refuse("in the header alone", {
        hs(
            header_and(Alg::Hs256, &format!(",\"iss\":\"{ISSUER}\"")),
            claims_without("iss"),
        )
    });
    row.refuse(
        "name in capitals",
        hs(header(Alg::Hs256), claims().replace("\"iss\"", "\"ISS\"")),
    );
    row.accept(
        "escaped",
        claim("iss", &format!("\"{}\"", ISSUER.replace('/', "\\/"))),
    );
    row.done()
}

fn audiences() -> Vec<Case> {
    let mut row = Row::new("aud", HS);
    for (name, json) in [
        ("array of ours", r#"["reports"]"#),
        ("ours among others", r#"["invoices","reports","mail"]"#),
        ("ours twice", r#"["reports","reports"]"#),
        ("ours and an empty one", r#"["","reports"]"#),
        ("ours escaped", r#"["\u0072eports"]"#),
    ] {
        row.accept(name, claim("aud", json));
    }
    for text in [
        "",
        "report",
        "reportss",
        "xreports",
        "Reports",
        "REPORTS",
        " reports",
        "reports ",
        "reports/",
        "reports\\n",
        "reports\\u0000",
        "invoices",
        "*",
        "reports,invoices",
        "reports invoices",
        "https://reports",
        "r",
        "rep\u{43e}rts",
        "[\\\"reports\\\"]",
    ] {
        row.refuse(
            format!("string {text:?}"),
            claim("aud", &format!("\"{text}\"")),
        );
        if !text.is_empty() {
            row.refuse(
                format!("array of {text:?}"),
                claim("aud", &format!("[\"{text}\"]")),
            );
        }
    }
    for json in WRONG_FOR_TEXT {
        row.refuse(format!("JSON {json}"), claim("aud", json));
    }
    for json in [
        r#"[""]"#,
        r#"["reports",1]"#,
        r#"[1,"reports"]"#,
        r#"["reports",null]"#,
        r#"["reports",["x"]]"#,
        r#"[["reports"]]"#,
        r#"["reports",{}]"#,
        r#"["reports",true]"#,
        r#"{"reports":true}"#,
        r#"{"aud":"reports"}"#,
        "[null]",
        r#"["rep","orts"]"#,
    ] {
        row.refuse(format!("JSON {json}"), claim("aud", json));
    }
    row.refuse("missing", hs(header(Alg::Hs256), claims_without("aud")));
    row.refuse(
        "azp instead",
        hs(
            header(Alg::Hs256),
            claims_without("aud").replace("{", &format!("{{\"azp\":\"{AUDIENCE}\",")),
        ),
    );
    row.refuse("client_id instead", {
        hs(
            header(Alg::Hs256),
            claims_without("aud").replace("{", &format!("{{\"client_id\":\"{AUDIENCE}\",")),
        )
    });
    row.refuse("the issuer's name", claim("aud", &format!("\"{ISSUER}\"")));
    row.on(Policy::TwoAudiences);
    row.accept("the first of two", claim("aud", "\"reports\""));
    row.accept("the second of two", claim("aud", "[\"mail\",\"invoices\"]"));
    row.refuse("neither of two", claim("aud", "[\"mail\",\"wiki\"]"));
    row.refuse("both in a string", claim("aud", "\"reports invoices\""));
    row.done()
}

fn subjects() -> Vec<Case> {
    let mut row = Row::new("sub", HS);
    for json in WRONG_FOR_TEXT {
        row.refuse(format!("JSON {json}"), claim("sub", json));
    }
    row.refuse("a number", claim("sub", "17"));
    row.refuse("empty", claim("sub", "\"\""));
    row.refuse("missing", hs(header(Alg::Hs256), claims_without("sub")));
    row.refuse("array", claim("sub", "[\"anna\"]"));
    row.refuse("object", claim("sub", "{\"sub\":\"anna\"}"));
    row.refuse(
        "name in capitals",
        hs(header(Alg::Hs256), claims().replace("\"sub\"", "\"SUB\"")),
    );
    row.refuse(
        "in the header alone",
        hs(
            header_and(Alg::Hs256, ",\"sub\":\"anna\""),
            claims_without("sub"),
        ),
    );
    row.add("another", claim("sub", "\"olga\""), Expect::Accept("olga"));
    row.add(
        "a number in a string",
        claim("sub", "\"17\""),
        Expect::Accept("17"),
    );
    row.add(
        "escaped",
        claim("sub", r#""\u0061nna""#),
        Expect::Accept("anna"),
    );
    row.add(
        "case kept",
        claim("sub", "\"ANNA\""),
        Expect::Accept("ANNA"),
    );
    row.add(
        "not ASCII",
        claim("sub", "\"\u{e5}sa\""),
        Expect::Accept("\u{e5}sa"),
    );
    row.done()
}

fn token_ids() -> Vec<Case> {
    let mut row = Row::new("jti", HS);
    for json in WRONG_FOR_TEXT {
        row.refuse(format!("JSON {json}"), claim("jti", json));
    }
    row.refuse("array", claim("jti", "[\"a\"]"));
    row.refuse("a long number", claim("jti", &"9".repeat(30)));
    row.refuse("negative", claim("jti", "-1"));
    row.accept("a text", claim("jti", "\"a\""));
    row.accept(
        "a UUID",
        claim("jti", "\"00000000-0000-4000-8000-000000000000\""),
    );
    row.done()
}

fn other_tokens() -> Vec<Case> {
    let mut row = Row::new("tokens for another use", HS);
    for json in ["\"access\"", "\"Bearer\"", "\"bearer\"", "\"BEARER\""] {
        row.accept(format!("token_type {json}"), claim("token_type", json));
    }
    for json in ["\"access\"", "\"access_token\""] {
        row.accept(format!("token_use {json}"), claim("token_use", json));
    }
    row.accept(
        "both",
        hs(
            header(Alg::Hs256),
            claims_and(r#","token_type":"access","token_use":"access""#),
        ),
    );
    for text in [
        "Bearer",
        "bearer",
        "JWT",
        "at+jwt",
        "application/at+jwt",
        "access",
    ] {
        row.accept(
            format!("payload typ {text}"),
            claim("typ", &format!("\"{text}\"")),
        );
    }
    // As Keycloak writes them.
    for text in [
        "ID",
        "Refresh",
        "Offline",
        "Logout",
        "logout",
        "DPoP",
        "Serialized-ID",
        "",
        "Bearer ",
    ] {
        row.refuse(
            format!("payload typ {text:?}"),
            claim("typ", &format!("\"{text}\"")),
        );
    }
    for text in [
        "refresh",
        "Refresh",
        "id",
        "id_token",
        "logout",
        "",
        "ACCESS",
        "Access",
        " access",
        "access ",
        "refresh_token",
        "acces",
        "accesss",
        "DPoP",
        "mac",
        "verify",
        "reset",
        "sliding",
        "ID",
        "access\\u0000",
        "access refresh",
    ] {
        row.refuse(
            format!("token_type {text:?}"),
            claim("token_type", &format!("\"{text}\"")),
        );
        row.refuse(
            format!("token_use {text:?}"),
            claim("token_use", &format!("\"{text}\"")),
        );
    }
    row.refuse("token_use \"Bearer\"", claim("token_use", "\"Bearer\""));
    row.refuse(
        "token_type \"access_token\"",
        claim("token_type", "\"access_token\""),
    );
    for json in ["null", "true", "1", "[\"access\"]", "{}", "[]"] {
        row.refuse(format!("token_type JSON {json}"), claim("token_type", json));
        row.refuse(format!("token_use JSON {json}"), claim("token_use", json));
        row.refuse(format!("payload typ JSON {json}"), claim("typ", json));
    }
    row.refuse("access by one, refresh by the other", {
        hs(
            header(Alg::Hs256),
            claims_and(r#","token_type":"access","token_use":"refresh""#),
        )
    });
    row.refuse("refresh by one, access by the other", {
        hs(
            header(Alg::Hs256),
            claims_and(r#","token_type":"refresh","token_use":"access""#),
        )
    });
    row.refuse("a logout token by typ", {
        let events =
            r#","sid":"1","events":{"http://schemas.openid.net/event/backchannel-logout":{}}"#;
        hs(r#"{"alg":"HS256","typ":"logout+jwt"}"#, claims_and(events))
    });
    row.refuse("an ID token, which is for the client", {
        hs(
            header(Alg::Hs256),
            claims_with_all(&[
                ("aud", "\"web-client\""),
                ("nonce", "\"n\""),
                ("at_hash", "\"h\""),
            ]),
        )
    });
    row.refuse("an ID token that says so", {
        hs(
            header(Alg::Hs256),
            claims_with_all(&[("nonce", "\"n\""), ("token_use", "\"id\"")]),
        )
    });
    row.done()
}

fn grants() -> Vec<Case> {
    let mut row = Row::new("scope and roles of a wrong type", HS);
    for name in ["scope", "roles"] {
        for json in [
            "null",
            "true",
            "1",
            "1.5",
            "{}",
            "[1]",
            "[null]",
            "[[\"a\"]]",
            "[\"a\",1]",
            "{\"a\":true}",
        ] {
            row.refuse(format!("{name} JSON {json}"), claim(name, json));
        }
        for json in ["\"\"", "\"a b\"", "[]", "[\"a\",\"b\"]"] {
            row.accept(format!("{name} JSON {json}"), claim(name, json));
        }
    }
    row.done()
}
