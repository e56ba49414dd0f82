//! When a token is valid: types and edges of `exp`, `nbf` and `iat`.

use crate::tokens::forge::*;
use crate::tokens::policy::{HS, LATEST, Policy};
use crate::tokens::table::{Case, Row};
use tower_auth::jwt::JwtAlgorithm as Alg;

pub(super) fn rows() -> Vec<Vec<Case>> {
    vec![
        forms("exp"),
        forms("nbf"),
        forms("iat"),
        expiry(),
        fractions(),
        not_before(),
        ends_of_time(),
        ages(),
    ]
}

fn claim(name: &str, json: &str) -> String {
    hs(header(Alg::Hs256), claims_with(name, json))
}

fn at(name: &str, seconds: u64) -> String {
    claim(name, &seconds.to_string())
}

/// The same forms for each: a wrong type is never taken for absence.
fn forms(name: &'static str) -> Vec<Case> {
    let mut row = Row::new(name, HS);
    // Right as a number, for each of the three.
    let right = if name == "exp" { NOW + 600 } else { NOW - 600 };
    row.accept("an integer", at(name, right));
    for (form, json) in [
        ("float", format!("{right}.0")),
        ("float with a fraction", format!("{right}.5")),
        ("exponent", format!("{:e}", right as f64)),
        ("exponent in capitals", format!("{:E}", right as f64)),
        ("exponent with a sign", format!("{right}0e-1")),
    ] {
        row.accept(form, claim(name, &json));
    }
    // Both are 0 by value.
    for json in ["-0", "1e-400"] {
        if name == "exp" {
            row.refuse(format!("{json}, long ago"), claim(name, json));
        } else {
            row.accept(format!("{json}, long ago"), claim(name, json));
        }
    }
    let texts = [
        ("string", format!("\"{right}\"")),
        ("string with a space", format!("\" {right}\"")),
        ("date", "\"2027-01-15T08:00:00Z\"".into()),
        ("empty string", "\"\"".into()),
        ("null", "null".into()),
        ("true", "true".into()),
        ("false", "false".into()),
        ("array", format!("[{right}]")),
        ("empty array", "[]".into()),
        ("object", format!("{{\"$numberLong\":\"{right}\"}}")),
        ("empty object", "{}".into()),
        ("negative", "-1".into()),
        ("negative and large", format!("-{right}")),
        ("negative float", "-1.5".into()),
        ("milliseconds", format!("{right}000")),
        ("microseconds", format!("{right}000000")),
        ("one second past the last", (LATEST + 1).to_string()),
        ("2^53 + 1", "9007199254740993".into()),
        ("2^63 - 1", i64::MAX.to_string()),
        ("2^63", (1_u64 << 63).to_string()),
        ("2^64 - 1", u64::MAX.to_string()),
        ("2^64", "18446744073709551616".into()),
        (
            "2^64 and a right time",
            (u128::from(u64::MAX) + 1 + u128::from(right)).to_string(),
        ),
        ("40 digits", "9".repeat(40)),
        ("1e308", "1e308".into()),
        ("1e400", "1e400".into()),
        ("leading zero", format!("0{right}")),
        ("plus sign", format!("+{right}")),
        ("hexadecimal", format!("{right:#x}")),
        ("NaN", "NaN".into()),
        ("Infinity", "Infinity".into()),
        ("with separators", "1_800_000_000".into()),
    ];
    for (form, json) in texts {
        row.refuse(form, claim(name, &json));
    }
    if name == "exp" {
        row.refuse("missing", hs(header(Alg::Hs256), claims_without("exp")));
        row.refuse("zero", at("exp", 0));
        row.refuse("in the header alone", {
            hs(
                header_and(Alg::Hs256, &format!(",\"exp\":{right}")),
                claims_without("exp"),
            )
        });
        row.refuse(
            "name in capitals",
            hs(header(Alg::Hs256), claims().replace("\"exp\"", "\"EXP\"")),
        );
        row.accept("the last second", at("exp", LATEST));
    } else {
        row.accept("missing", hs(header(Alg::Hs256), claims_without(name)));
        row.accept("zero", at(name, 0));
        row.refuse("the last second", at(name, LATEST));
    }
    row.done()
}

/// A fraction is judged by its value.
fn fractions() -> Vec<Case> {
    let mut row = Row::new("fractions of a second", HS);
    row.on(Policy::At {
        now: NOW,
        leeway: 0,
    });
    let (half_past, half_to) = (format!("{NOW}.5"), format!("{}.5", NOW - 1));
    row.accept("expires in half a second", claim("exp", &half_past));
    row.refuse("expired half a second ago", claim("exp", &half_to));
    row.refuse("expires now", claim("exp", &format!("{NOW}.0")));
    for name in ["nbf", "iat"] {
        row.refuse(format!("{name} in half a second"), claim(name, &half_past));
        row.accept(format!("{name} half a second ago"), claim(name, &half_to));
        row.accept(format!("{name} now"), claim(name, &format!("{NOW}.0")));
    }
    let too_late = format!("{LATEST}.5");
    row.refuse("half a second past the last", claim("exp", &too_late));
    row.done()
}

fn expiry() -> Vec<Case> {
    let mut row = Row::new("edges of exp", HS);
    for leeway in [0, 1, 60, 600] {
        row.on(Policy::At { now: NOW, leeway });
        row.refuse(
            format!("leeway {leeway}: at its end"),
            at("exp", NOW - leeway),
        );
        row.refuse(
            format!("leeway {leeway}: a second after"),
            at("exp", NOW - leeway - 1),
        );
        row.accept(
            format!("leeway {leeway}: a second before"),
            at("exp", NOW - leeway + 1),
        );
    }
    row.on(HS);
    row.accept(
        "59 seconds ago, with what is the default",
        at("exp", NOW - 59),
    );
    row.refuse(
        "60 seconds ago, with what is the default",
        at("exp", NOW - 60),
    );
    row.done()
}

fn not_before() -> Vec<Case> {
    let mut row = Row::new("edges of nbf and iat", HS);
    for name in ["nbf", "iat"] {
        for leeway in [0, 1, 60, 600] {
            // Its exp is to come on all of them.
            row.on(Policy::At { now: NOW, leeway });
            row.accept(
                format!("{name}, leeway {leeway}: at its end"),
                at(name, NOW + leeway),
            );
            row.refuse(
                format!("{name}, leeway {leeway}: a second after"),
                at(name, NOW + leeway + 1),
            );
            row.accept(
                format!("{name}, leeway {leeway}: a second before"),
                at(name, (NOW + leeway).saturating_sub(1)),
            );
        }
    }
    row.on(HS);
    row.refuse(
        "nbf after exp",
        hs(
            header(Alg::Hs256),
            claims_with("nbf", &(NOW + 700).to_string()),
        ),
    );
    row.refuse("both in an hour", {
        let later = (NOW + 3600).to_string();
        hs(
            header(Alg::Hs256),
            claims_with_all(&[
                ("nbf", &later),
                ("iat", &later),
                ("exp", &(NOW + 7200).to_string()),
            ]),
        )
    });
    row.done()
}

/// Without `iat`, which at the beginning of time would lie in the future.
fn only(name: &str, seconds: u64) -> String {
    let mut more = vec![(name, seconds)];
    if name != "exp" {
        more.push(("exp", LATEST));
    }
    let members: Vec<String> = more
        .iter()
        .map(|(name, seconds)| format!(",\"{name}\":{seconds}"))
        .collect();
    let rest = claims_without("iat").replace(&format!(",\"exp\":{}", NOW + 600), &members.concat());
    hs(header(Alg::Hs256), rest)
}

fn ends_of_time() -> Vec<Case> {
    let mut row = Row::new("ends of time", HS);
    for leeway in [0, 60] {
        row.on(Policy::At { now: 0, leeway });
        row.accept(
            format!("in 1970, leeway {leeway}: exp = leeway + 1"),
            only("exp", leeway + 1),
        );
        if leeway == 0 {
            row.refuse("in 1970: exp = 0", only("exp", 0));
            row.refuse("in 1970: nbf = 1", only("nbf", 1));
        } else {
            row.accept("in 1970, with leeway: exp = 0", only("exp", 0));
        }
        row.accept(
            format!("in 1970, leeway {leeway}: nbf at its end"),
            only("nbf", leeway),
        );
        row.refuse(
            format!("in 1970, leeway {leeway}: iat after its end"),
            only("iat", leeway + 1),
        );
        row.refuse(
            format!("in 1970, leeway {leeway}: issued today"),
            good(Alg::Hs256),
        );
    }
    for (name, now) in [
        ("a second before the last", LATEST - 1),
        ("at the last second", LATEST),
    ] {
        row.on(Policy::At { now, leeway: 60 });
        row.accept(format!("{name}: exp at the last"), only("exp", LATEST));
        row.accept(format!("{name}: nbf at the last"), only("nbf", LATEST));
        row.accept(format!("{name}: iat at the last"), only("iat", LATEST));
        row.refuse(format!("{name}: issued today"), good(Alg::Hs256));
        row.refuse(
            format!("{name}: exp after the last"),
            only("exp", LATEST + 1),
        );
    }
    row.on(Policy::At {
        now: LATEST - 1,
        leeway: 0,
    });
    row.accept(
        "a second before the last, without leeway: exp at the last",
        only("exp", LATEST),
    );
    row.refuse(
        "a second before the last, without leeway: exp then",
        only("exp", LATEST - 1),
    );
    row.refuse(
        "a second before the last, without leeway: nbf at the last",
        only("nbf", LATEST),
    );
    row.on(Policy::At {
        now: LATEST + 59,
        leeway: 60,
    })
    .accept("past the last, within leeway", only("exp", LATEST));
    row.refuse("past the last, iat = 2^64 - 1", only("iat", u64::MAX));
    row.done()
}

fn ages() -> Vec<Case> {
    const HOUR: u64 = 3600;
    let mut row = Row::new("edges of max_age", HS);
    for leeway in [0, 60] {
        row.on(Policy::MaxAge { now: NOW, leeway });
        row.accept(
            format!("leeway {leeway}: a second younger"),
            at("iat", NOW - HOUR - leeway + 1),
        );
        row.refuse(
            format!("leeway {leeway}: as old"),
            at("iat", NOW - HOUR - leeway),
        );
        row.refuse(
            format!("leeway {leeway}: a second older"),
            at("iat", NOW - HOUR - leeway - 1),
        );
        row.accept(format!("leeway {leeway}: issued now"), at("iat", NOW));
        row.refuse(
            format!("leeway {leeway}: issued in the future"),
            at("iat", NOW + leeway + 1),
        );
        row.refuse(
            format!("leeway {leeway}: no iat"),
            hs(header(Alg::Hs256), claims_without("iat")),
        );
        row.refuse(
            format!("leeway {leeway}: nbf instead of iat"),
            only("nbf", NOW - 10),
        );
        row.refuse(format!("leeway {leeway}: iat null"), claim("iat", "null"));
        row.refuse(
            format!("leeway {leeway}: iat in a string"),
            claim("iat", &format!("\"{NOW}\"")),
        );
        row.refuse(format!("leeway {leeway}: young but expired"), {
            hs(
                header(Alg::Hs256),
                claims_with("exp", &(NOW - leeway).to_string()),
            )
        });
    }
    row.on(Policy::MaxAge {
        now: 100,
        leeway: 0,
    });
    row.accept("a clock before the age: iat = 0", only("iat", 0));
    row.refuse("a clock before the age: iat = 101", only("iat", 101));
    row.done()
}
