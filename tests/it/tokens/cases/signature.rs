//! Signatures that are none, and algorithms that are none.

use crate::tokens::crafted;
use crate::tokens::forge::*;
use crate::tokens::policy::{HS, Policy};
use crate::tokens::table::{Case, Row};
use tower_auth::jwt::JwtAlgorithm as Alg;

pub(super) fn rows() -> Vec<Vec<Case>> {
    vec![
        controls(),
        alg_none(),
        alg_malformed(),
        no_signature(),
        damaged_signature(),
        rsa_padding(),
        pss(),
        cube_root(),
        ecdsa(),
        ed25519(),
    ]
}

fn controls() -> Vec<Case> {
    let mut row = Row::new("right tokens", HS);
    for alg in ALGORITHMS {
        row.on(Policy::Of(alg))
            .accept(format!("{} with the usual claims", alg.name()), good(alg));
        row.accept(
            format!("{} without typ", alg.name()),
            token(alg, format!(r#"{{"alg":"{}"}}"#, alg.name()), claims()),
        );
        row.refuse(format!("{} by another key", alg.name()), {
            if alg == Alg::Es384 {
                with_signature(
                    &message(header(alg), claims()),
                    signature(alg, b"another message"),
                )
            } else {
                theirs(alg, header(alg), claims())
            }
        });
    }
    row.done()
}

fn alg_none() -> Vec<Case> {
    let mut row = Row::new("alg none", HS);
    let spellings = [
        "none",
        "None",
        "NONE",
        "nOnE",
        "none ",
        " none",
        "nonE\\u0000",
        "n\\u006fne",
        "n\u{43e}ne",
        "\u{ff4e}one",
        "none\\n",
        "no\\u00adne",
        "",
        "null",
        "false",
        "plain",
    ];
    for (number, alg) in spellings.into_iter().enumerate() {
        let text = message(format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#), claims());
        row.refuse(
            format!("{alg:?} and an empty signature"),
            format!("{text}."),
        );
        let signed = with_signature(&text, signature(Alg::Hs256, text.as_bytes()));
        row.refuse(format!("{alg:?} and a genuine HMAC"), signed);
        if number < 4 {
            row.refuse(format!("{alg:?} and two segments"), text.clone());
            row.on(Policy::Of(Alg::Rs256))
                .refuse(format!("{alg:?} against an RSA key"), format!("{text}."));
            row.on(Policy::Of(Alg::EdDsa)).refuse(
                format!("{alg:?} against an Ed25519 key"),
                format!("{text}."),
            );
            row.on(HS);
        }
    }
    row.done()
}

fn alg_malformed() -> Vec<Case> {
    let mut row = Row::new("alg of a wrong form", HS);
    let headers = [
        ("missing", r#"{"typ":"JWT"}"#),
        ("null", r#"{"alg":null}"#),
        ("true", r#"{"alg":true}"#),
        ("number", r#"{"alg":256}"#),
        ("array", r#"{"alg":["HS256"]}"#),
        ("object", r#"{"alg":{"name":"HS256"}}"#),
        ("twice, none first", r#"{"alg":"none","alg":"HS256"}"#),
        ("twice, none last", r#"{"alg":"HS256","alg":"none"}"#),
        ("twice the same", r#"{"alg":"HS256","alg":"HS256"}"#),
        (
            "twice, once escaped",
            r#"{"alg":"HS256","\u0061lg":"none"}"#,
        ),
        ("in capitals", r#"{"ALG":"HS256"}"#),
        ("lower-case value", r#"{"alg":"hs256"}"#),
        ("value with a space", r#"{"alg":"HS256 "}"#),
        ("value with a hyphen", r#"{"alg":"HS-256"}"#),
        ("value with NUL", r#"{"alg":"HS256\u0000"}"#),
        ("hash name", r#"{"alg":"SHA256"}"#),
        (
            "XML name",
            r#"{"alg":"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"}"#,
        ),
        ("list in a string", r#"{"alg":"HS256,none"}"#),
        ("unsupported", r#"{"alg":"ES256K"}"#),
        ("for key wrapping", r#"{"alg":"dir"}"#),
        ("empty header", "{}"),
    ];
    for (name, header) in headers {
        row.refuse(name, hs(header, claims()));
    }
    row.accept(
        "escaped but the same",
        hs(r#"{"alg":"\u0048S256"}"#, claims()),
    );
    row.done()
}

fn length(alg: Alg) -> usize {
    signature(alg, b"any").len()
}

fn no_signature() -> Vec<Case> {
    let mut row = Row::new("null and empty signatures", HS);
    for alg in ALGORITHMS {
        let (name, text) = (alg.name(), message(header(alg), claims()));
        row.on(Policy::Of(alg));
        row.refuse(format!("{name}: empty"), format!("{text}."));
        row.refuse(format!("{name}: no third segment"), text.clone());
        row.refuse(format!("{name}: one zero byte"), with_signature(&text, [0]));
        row.refuse(
            format!("{name}: all zero"),
            with_signature(&text, vec![0; length(alg)]),
        );
        row.refuse(
            format!("{name}: all ones"),
            with_signature(&text, vec![0xff; length(alg)]),
        );
    }
    row.on(HS);
    row.refuse(
        "the word null",
        format!("{}.null", message(header(Alg::Hs256), claims())),
    );
    row.refuse(
        "a tilde",
        format!("{}.~", message(header(Alg::Hs256), claims())),
    );
    row.done()
}

fn damaged_signature() -> Vec<Case> {
    let mut row = Row::new("truncated and lengthened signatures", HS);
    for alg in ALGORITHMS {
        let (name, text) = (alg.name(), message(header(alg), claims()));
        let right = signature(alg, text.as_bytes());
        row.on(Policy::Of(alg));
        row.refuse(
            format!("{name}: last byte missing"),
            with_signature(&text, &right[..right.len() - 1]),
        );
        row.refuse(
            format!("{name}: first half"),
            with_signature(&text, &right[..right.len() / 2]),
        );
        row.refuse(
            format!("{name}: first byte missing"),
            with_signature(&text, &right[1..]),
        );
        row.refuse(
            format!("{name}: a zero before"),
            with_signature(&text, [&[0], &*right].concat()),
        );
        row.refuse(
            format!("{name}: a zero after"),
            with_signature(&text, [&*right, &[0]].concat()),
        );
        row.refuse(
            format!("{name}: twice"),
            with_signature(&text, [&*right, &*right].concat()),
        );
        row.refuse(
            format!("{name}: of other claims"),
            with_signature(
                &message(header(alg), claims_with("sub", "\"root\"")),
                &right,
            ),
        );
    }
    row.done()
}

fn rsa_padding() -> Vec<Case> {
    let mut row = Row::new("PKCS#1 v1.5 padding", Policy::Of(Alg::Rs256));
    let text = message(header(Alg::Rs256), claims());
    row.accept(
        "the message that the crafted signatures are over",
        format!("{text}.{}", crafted::RS256_GOOD),
    );
    for (name, signature) in crafted::RS256_BAD {
        row.refuse(name, format!("{text}.{signature}"));
    }
    row.done()
}

fn pss() -> Vec<Case> {
    let mut row = Row::new("PSS", Policy::Of(Alg::Ps256));
    let text = message(header(Alg::Ps256), claims());
    row.accept(
        "the message that the crafted signatures are over",
        format!("{text}.{}", crafted::PS256_GOOD),
    );
    for (name, signature) in crafted::PS256_BAD {
        row.refuse(format!("PS256: {name}"), format!("{text}.{signature}"));
    }
    for (alg, bad) in [
        (Alg::Ps384, crafted::PS384_BAD),
        (Alg::Ps512, crafted::PS512_BAD),
    ] {
        let text = message(header(alg), claims());
        row.on(Policy::Of(alg));
        for (name, signature) in bad {
            row.refuse(
                format!("{}: {name}", alg.name()),
                format!("{text}.{signature}"),
            );
        }
    }
    row.done()
}

fn cube_root() -> Vec<Case> {
    let mut row = Row::new("exponent 3", Policy::CubeRsa);
    let text = message(header(Alg::Rs256), claims());
    row.accept("a right signature", format!("{text}.{}", crafted::E3_GOOD));
    for (name, signature) in crafted::E3_BAD {
        row.refuse(name, format!("{text}.{signature}"));
    }
    row.done()
}

/// The order of P-256.
const N: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// a - b, big-endian, of equal lengths, modulo 2^(8 · length).
fn minus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = 0_i16;
    let mut difference: Vec<u8> = a
        .iter()
        .zip(b)
        .rev()
        .map(|(a, b)| {
            let digit = i16::from(*a) - i16::from(*b) - borrow;
            borrow = i16::from(digit < 0);
            digit.rem_euclid(256) as u8
        })
        .collect();
    difference.reverse();
    difference
}

fn ecdsa() -> Vec<Case> {
    let mut row = Row::new("ECDSA", Policy::Of(Alg::Es256));
    let text = message(header(Alg::Es256), claims());
    let right = signature(Alg::Es256, text.as_bytes());
    let (r, s) = right.split_at(32);
    let (zero, one, ones) = (
        [0; 32],
        minus(&N, &minus(&N, &[&[0; 31][..], &[1]].concat())),
        [0xff; 32],
    );
    let last = minus(&N, &one);
    row.accept("s as it came", with_signature(&text, &right));
    // Malleable by design; harmless, because nothing takes a token's bytes for its identity.
    row.accept(
        "n - s, the other one of the pair",
        with_signature(&text, [r, &minus(&N, s)].concat()),
    );
    let pairs: [(&str, &[u8], &[u8]); 14] = [
        ("r = 0", &zero, s),
        ("s = 0", r, &zero),
        ("r = n", &N, s),
        ("s = n", r, &N),
        ("r = n and s = n", &N, &N),
        ("r = 0 and s = n", &zero, &N),
        ("r = 1 and s = 1", &one, &one),
        ("r = n - 1 and s = n - 1", &last, &last),
        ("r of ones", &ones, s),
        ("s of ones", r, &ones),
        ("r and s exchanged", s, r),
        ("r twice", r, r),
        ("n - r", &minus(&N, r), s),
        ("s is r, r is 1", &one, r),
    ];
    for (name, r, s) in pairs {
        row.refuse(name, with_signature(&text, [r, s].concat()));
    }
    let plus_n = |x: &[u8]| minus(x, &minus(&[0; 32], &N));
    row.refuse(
        "s + n, cut to 32 bytes",
        with_signature(&text, [r, &plus_n(s)].concat()),
    );
    row.refuse(
        "DER",
        with_signature(&text, p256_der_signature(text.as_bytes())),
    );
    row.refuse(
        "coordinates of 33 bytes",
        with_signature(&text, [&[0], r, &[0], s].concat()),
    );
    row.refuse(
        "coordinates of 48 bytes",
        with_signature(&text, [&[0; 16], r, &[0; 16], s].concat()),
    );
    row.refuse("little-endian", {
        let reversed = |x: &[u8]| x.iter().rev().copied().collect::<Vec<u8>>();
        with_signature(&text, [reversed(r), reversed(s)].concat())
    });
    row.on(Policy::Of(Alg::Es384));
    let text = message(header(Alg::Es384), claims());
    let right = signature(Alg::Es384, text.as_bytes());
    row.refuse(
        "ES384: r = 0",
        with_signature(&text, [&[0; 48], &right[48..]].concat()),
    );
    row.refuse(
        "ES384: s = 0",
        with_signature(&text, [&right[..48], &[0; 48]].concat()),
    );
    row.refuse(
        "ES384: r and s exchanged",
        with_signature(&text, [&right[48..], &right[..48]].concat()),
    );
    row.done()
}

/// The order of the group of Ed25519, little-endian.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// a + b, little-endian, modulo 2^256.
fn plus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    a.iter()
        .zip(b)
        .map(|(a, b)| {
            let digit = u16::from(*a) + u16::from(*b) + carry;
            carry = digit >> 8;
            digit as u8
        })
        .collect()
}

fn ed25519() -> Vec<Case> {
    let mut row = Row::new("Ed25519", Policy::Of(Alg::EdDsa));
    let text = message(header(Alg::EdDsa), claims());
    let right = signature(Alg::EdDsa, text.as_bytes());
    let (r, s) = right.split_at(32);
    let (mut identity, zero) = ([0; 32], [0; 32]);
    identity[0] = 1;
    let mut flagged = s.to_vec();
    flagged[31] |= 0x20;
    let other = signature(Alg::EdDsa, b"another message");
    row.accept("S as it came", with_signature(&text, &right));
    let pairs: [(&str, &[u8], &[u8]); 10] = [
        ("S + L", r, &plus(s, &L)),
        ("S + 2L", r, &plus(&plus(s, &L), &L)),
        ("S = 0", r, &zero),
        ("S = L", r, &L),
        ("R the identity and S = 0", &identity, &zero),
        ("R the identity", &identity, s),
        ("S with its highest bits set", r, &flagged),
        ("R and S exchanged", s, r),
        ("R of another signature", &other[..32], s),
        ("R of ones", &[0xff; 32], s),
    ];
    for (name, r, s) in pairs {
        row.refuse(name, with_signature(&text, [r, s].concat()));
    }
    row.refuse("cut to R", with_signature(&text, r));
    row.refuse("63 bytes", with_signature(&text, &right[..63]));
    row.refuse(
        "the length of Ed448",
        with_signature(&text, [&*right, &[0; 50]].concat()),
    );
    row.done()
}
