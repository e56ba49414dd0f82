//! What is no key, or a weak one, is a mistake of the configuration: its text names the rule, never
//! the key.

use super::*;
use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der};
use aws_lc_rs::signature::{self, EcdsaKeyPair};

/// An RSA key of 1024 bits made for these tests with `openssl genpkey`, PKCS#8 DER, base64. It
/// guards nothing.
const RSA_1024_PRIVATE: &str = "MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAKGWh3XfCKGtGsvFxv+0RNxZFy7bejJXnSDqSHgYuoyfu2XWsaUp\
    2glCkm4tbWBa3+vELblJIsp56Pnb/LoJlXD3eHRx4YjXaaQElY2F7vZhkI4jv1K+L4UDhCi/1QNOx93lww3Jy8ZOQFj/M3uqIWNC\
    gSoF45MwrnFqX0yr2mwtAgMBAAECgYBg2emNU8ZHqYrDEmMpRnJzpA6KLlC6tdrfLK2NFj1SJjdbXeiSN1iRbk54LVA+jZljJe3F\
    /bkVpSZoBFwhYbcoz6cwmF6wN3KK7zwefV9zswVFV2ykj/Z7mG8xyt9canjpHZC+BoLJnd+w7eAntm6aSDyVQ77SEEpuGin3CGdm\
    HQJBANJrWMtRFWSCqV+gWTt3GyFYKRiYCfqycv9X9jJF7Ku+Nnn1JHQJFalDHTwyuVKsdvaCXsK1dcDyZK2IW9bx5h8CQQDEl0bC\
    BpIGwiDvHbd1UZ0FpqE+kubl8cTumi3pjdDR3HyAqqmzL1zSuyT0XP++CoNQLh/wA6gy5M/bbJRj2+wzAkBvwTGkskjRXBAGyMv7\
    qDORjxgshrtuGY64DQimBLtBL8IRHeChfB20CwAg87O3s/9uxyj68pM6ycIs5Coay9jzAkEAmYV1WVHeOW7iXzk6qmB4mhAdPYtk\
    y085tgcrMYdw+mIPzD76VRb4iwxgeIAjq1n0X+oVQM7qTAxJkhZB75Wv5wJASluUJ2hsesekcTP3KtbmZEdedqiszca5UT5zSBqh\
    KxUGAvtqiJTh3ZD5bktg316fiHqAd6hDcwLDjNVwxqhZtA==";
/// A P-521 key, likewise: a curve that no algorithm here has.
const P521_PRIVATE: &str = "MIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIAp2DS+9lQTvi8CGrWxtd14AsvA452KP8TGkBX3AZ0LXVmKrBIZxEY\
    45m+yCO9dwmV2MoLi5OPRDjnk7iUsdPCa3KhgYkDgYYABAEOD8VHrgUDy1OaYWx1i+p3eqVZ0uZAWqf7iID/e4LbSuNc5MkZ6JIP\
    FguBcla9epxIJwfser2zZUc0WksSRvO+ZAFGajpkrdqbET5oX/Oty8SxYU/U8RhtiRmYXXW1oo1f4GrJRk+LpYKXk6I3gqSOwSk4\
    0Mtkcw5qRpuFt/61vFbbBA==";

#[test]
fn what_is_no_key_is_refused_by_the_rule_that_it_breaks() {
    for (name, key, rule) in hostile().into_iter().chain(hostile_pems()) {
        let shown = format!("{key:?}");
        let Err(problem) = key.build() else {
            panic!("{name}: it was built")
        };
        assert!(
            problem.to_string().contains(rule),
            "{name}: no {rule:?} in {problem}"
        );
        for text in [shown, problem.to_string(), format!("{problem:?}")] {
            assert_tells_no_key(name, &text);
        }
    }
}

/// Documents and texts that are no key of the algorithm, and a word of the rule that they break.
fn hostile() -> Vec<(&'static str, SigningKey, &'static str)> {
    const ENVELOPE: &str = "no PKCS#8";
    const TYPE: &str = "another type";
    const CURVE: &str = "curve";
    const DAMAGED: &str = "damaged";
    let (rsa, p256, p384, ed) = (
        der(keys::RSA_PRIVATE),
        der(keys::P256_PRIVATE),
        der(keys::P384_PRIVATE),
        der(keys::ED_PRIVATE),
    );
    let point = |x: &str, y: &str| [bytes(x), bytes(y)].concat();
    let other_point = replaced(
        &p256,
        &point(keys::P256_X, keys::P256_Y),
        &point(keys::P256_THEIRS_X, keys::P256_THEIRS_Y),
    );
    let other_modulus = replaced(&rsa, &bytes(keys::RSA_N), &bytes(keys::RSA_THEIRS_N));
    let even_modulus = replaced(&rsa, &bytes(keys::RSA_N), &{
        let mut n = bytes(keys::RSA_N);
        *n.last_mut().unwrap() &= 0xfe;
        n
    });
    // Modulus, exponents and what is before them are 559 bytes; a prime follows.
    let mut other_prime = rsa.clone();
    other_prime[600] ^= 2;
    let zero_scalar = replaced(&p256, &p256[36..68], &[0; 32]);
    let secp256k1 = EcdsaKeyPair::generate(&signature::ECDSA_P256K1_SHA256_FIXED_SIGNING).unwrap();
    let secp256k1 = secp256k1.to_pkcs8v1().unwrap();
    let sec1 =
        EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &p256).unwrap();
    let sec1 = AsDer::<EcPrivateKeyRfc5915Der<'_>>::as_der(&sec1.private_key()).unwrap();
    let x25519 = replaced(&ed, &[0x2b, 0x65, 0x70], &[0x2b, 0x65, 0x6e]);
    let encrypted = [
        &[
            0x30, 0x14, 0x30, 0x0b, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13, 4, 5,
        ][..],
        b"_____",
    ]
    .concat();
    let indefinite = [&[0x30, 0x80], &ed[2..], &[0, 0]].concat();
    let long_length = [&[0x30, 0x8a, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x2e], &ed[2..]].concat();
    let huge_length = [&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &ed[2..]].concat();

    let make = SigningKey::pkcs8_der;
    vec![
        ("nothing", make(Alg::Es256, b""), ENVELOPE),
        (
            "garbage",
            make(Alg::Rs256, b"tests only: garbage"),
            ENVELOPE,
        ),
        (
            "a text",
            make(Alg::EdDsa, pem("PRIVATE KEY", &ed, "\n").as_bytes()),
            ENVELOPE,
        ),
        (
            "base64",
            make(Alg::EdDsa, keys::ED_PRIVATE.as_bytes()),
            ENVELOPE,
        ),
        (
            "a byte after it",
            make(Alg::EdDsa, &[&ed[..], &[0]].concat()),
            ENVELOPE,
        ),
        (
            "two documents",
            make(Alg::Es256, &[&p256[..], &p256].concat()),
            ENVELOPE,
        ),
        (
            "a length without end",
            make(Alg::EdDsa, &indefinite),
            ENVELOPE,
        ),
        (
            "a length of 10 bytes",
            make(Alg::EdDsa, &long_length),
            ENVELOPE,
        ),
        (
            "a length of 4 GiB",
            make(Alg::EdDsa, &huge_length),
            ENVELOPE,
        ),
        (
            "version 2",
            make(Alg::EdDsa, &replaced(&ed, &[2, 1, 0], &[2, 1, 2])),
            ENVELOPE,
        ),
        (
            "a bit string in it",
            make(Alg::EdDsa, &replaced(&ed, &[4, 0x22, 4], &[3, 0x22, 4])),
            ENVELOPE,
        ),
        ("an encrypted key", make(Alg::EdDsa, &encrypted), ENVELOPE),
        (
            "a public RSA key",
            make(Alg::Rs256, &der(keys::RSA_SPKI)),
            ENVELOPE,
        ),
        (
            "a public P-256 key",
            make(Alg::Es256, &der(keys::P256_SPKI)),
            ENVELOPE,
        ),
        (
            "a public Ed25519 key",
            make(Alg::EdDsa, &der(keys::ED_SPKI)),
            ENVELOPE,
        ),
        ("PKCS#1", make(Alg::Rs256, &rsa[26..]), ENVELOPE),
        ("SEC 1", make(Alg::Es256, sec1.as_ref()), ENVELOPE),
        ("a seed alone", make(Alg::EdDsa, &ed[16..]), ENVELOPE),
        ("P-256 for ES384", make(Alg::Es384, &p256), CURVE),
        ("P-384 for ES256", make(Alg::Es256, &p384), CURVE),
        ("P-521", make(Alg::Es256, &der(P521_PRIVATE)), CURVE),
        ("secp256k1", make(Alg::Es256, secp256k1.as_ref()), CURVE),
        (
            "P-256 called P-384",
            make(Alg::Es384, &replaced(&p384, &p384[24..], &p256[27..])),
            ENVELOPE,
        ),
        ("RSA for ES256", make(Alg::Es256, &rsa), TYPE),
        ("P-256 for RS256", make(Alg::Rs256, &p256), TYPE),
        ("P-256 for EdDSA", make(Alg::EdDsa, &p256), TYPE),
        ("Ed25519 for PS512", make(Alg::Ps512, &ed), TYPE),
        ("Ed25519 for ES256", make(Alg::Es256, &ed), TYPE),
        ("X25519", make(Alg::EdDsa, &x25519), TYPE),
        (
            "a key pair for HS256",
            make(Alg::Hs256, &rsa),
            "no key pairs",
        ),
        (
            "RSA of 1024 bits",
            make(Alg::Rs256, &der(RSA_1024_PRIVATE)),
            "2048 bits",
        ),
        (
            "RSA of 1024 bits for PS",
            make(Alg::Ps384, &der(RSA_1024_PRIVATE)),
            "2048 bits",
        ),
        ("an even modulus", make(Alg::Rs256, &even_modulus), "odd"),
        (
            "exponent 1",
            make(
                Alg::Rs256,
                &replaced(&rsa, &[2, 3, 1, 0, 1], &[2, 3, 0, 0, 1]),
            ),
            "exponent",
        ),
        (
            "another key's modulus",
            make(Alg::Rs256, &other_modulus),
            DAMAGED,
        ),
        ("another prime", make(Alg::Ps256, &other_prime), DAMAGED),
        (
            "another key's point",
            make(Alg::Es256, &other_point),
            DAMAGED,
        ),
        ("a scalar of zero", make(Alg::Es256, &zero_scalar), DAMAGED),
        (
            "another key's Ed25519",
            make(Alg::EdDsa, &ed_with(keys::ED_THEIRS_X)),
            DAMAGED,
        ),
        (
            "no RSA in an RSA envelope",
            make(Alg::Rs256, &replaced(&rsa, &rsa[26..30], &[4, 0x82, 0, 4])),
            DAMAGED,
        ),
        (
            "a short secret",
            SigningKey::hs256("tests only: too short"),
            "at least 32 bytes",
        ),
        (
            "a secret too short for HS512",
            SigningKey::hs512(&SECRET[..63]),
            "at least 64 bytes",
        ),
        ("no secret", SigningKey::hs384(""), "at least 48 bytes"),
        (
            "a weak secret",
            SigningKey::hs256("changeme-changeme-changeme-8264019375"),
            "random bytes",
        ),
        (
            "a private key for a secret",
            SigningKey::hs256(pem("PRIVATE KEY", &ed, "\n")),
            "random bytes",
        ),
        (
            "a public key for a secret",
            SigningKey::hs512(pem("PUBLIC KEY", &der(keys::RSA_SPKI), "\n")),
            "random bytes",
        ),
        (
            "a JWK for a secret",
            SigningKey::hs256(format!(
                r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#,
                keys::ED_X
            )),
            "random bytes",
        ),
    ]
}

fn hostile_pems() -> Vec<(&'static str, SigningKey, &'static str)> {
    let (rsa, p256, ed) = (
        der(keys::RSA_PRIVATE),
        der(keys::P256_PRIVATE),
        der(keys::ED_PRIVATE),
    );
    let private = |der: &[u8]| pem("PRIVATE KEY", der, "\n");
    let (one, other) = (private(&ed), private(&der(keys::ED_THEIRS_PRIVATE)));
    let make = |text: &str| SigningKey::pem(Alg::EdDsa, text);
    const PEM: &str = "no PEM of one private key";
    vec![
        ("nothing", make(""), PEM),
        ("base64 alone", make(keys::ED_PRIVATE), PEM),
        ("two keys", make(&format!("{one}{other}")), PEM),
        (
            "a key and its public key",
            make(&format!(
                "{one}{}",
                pem("PUBLIC KEY", &der(keys::ED_SPKI), "\n")
            )),
            PEM,
        ),
        ("a certificate", make(&pem("CERTIFICATE", &ed, "\n")), PEM),
        (
            "another label at its end",
            make(&one.replace("END PRIVATE", "END PUBLIC")),
            PEM,
        ),
        ("no end", make(&one[..one.find("-----END").unwrap()]), PEM),
        ("no lines", make(&one.replace('\n', "")), PEM),
        ("newlines spelt out", make(&one.replace('\n', "\\n")), PEM),
        ("no base64", make(&one.replace("MC4C", "M$4C")), PEM),
        (
            "fields before the text",
            make(&one.replacen('\n', "\nProc-Type: 4,ENCRYPTED\n\n", 1)),
            PEM,
        ),
        ("nothing in it", make(&private(b"")), "no PKCS#8"),
        (
            "a secret in it",
            make(&private(SECRET.as_bytes())),
            "no PKCS#8",
        ),
        ("half of it", make(&private(&ed[..24])), "no PKCS#8"),
        (
            "a public key called private",
            make(&private(&der(keys::ED_SPKI))),
            "no PKCS#8",
        ),
        (
            "a public key",
            make(&pem("PUBLIC KEY", &der(keys::ED_SPKI), "\n")),
            "public key",
        ),
        (
            "a public RSA key",
            SigningKey::pem(
                Alg::Rs256,
                &pem("RSA PUBLIC KEY", &der(keys::RSA_SPKI)[24..], "\n"),
            ),
            "public key",
        ),
        (
            "PKCS#1",
            SigningKey::pem(Alg::Rs256, &pem("RSA PRIVATE KEY", &rsa[26..], "\n")),
            "topk8",
        ),
        (
            "PKCS#1 called PKCS#8",
            SigningKey::pem(Alg::Rs256, &private(&rsa[26..])),
            "no PKCS#8",
        ),
        (
            "SEC 1",
            SigningKey::pem(Alg::Es256, &pem("EC PRIVATE KEY", &p256[26..], "\n")),
            "topk8",
        ),
        (
            "an encrypted key",
            make(&pem("ENCRYPTED PRIVATE KEY", &ed, "\n")),
            "encrypted",
        ),
        (
            "a key for HS256",
            SigningKey::pem(Alg::Hs256, &one),
            "no key pairs",
        ),
        (
            "P-256 for ES384",
            SigningKey::pem(Alg::Es384, &private(&p256)),
            "curve",
        ),
        (
            "RSA of 1024 bits",
            SigningKey::pem(Alg::Rs512, &private(&der(RSA_1024_PRIVATE))),
            "2048 bits",
        ),
    ]
}

/// Another key's bytes in the place of these.
fn replaced(document: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = document
        .windows(old.len())
        .position(|part| part == old)
        .expect("the bytes to replace");
    [&document[..at], new, &document[at + old.len()..]].concat()
}

#[test]
fn no_part_of_a_document_is_a_key() {
    for (algorithm, key) in PAIRS {
        let document = der(key);
        for length in 0..document.len() {
            assert!(
                SigningKey::pkcs8_der(algorithm, &document[..length])
                    .build()
                    .is_err(),
                "{algorithm:?}: {length}"
            );
        }
    }
}

#[test]
fn a_flipped_bit_is_a_mistake_or_another_key_that_signs() {
    for (algorithm, key) in [
        (Alg::Es256, keys::P256_PRIVATE),
        (Alg::EdDsa, keys::ED_PRIVATE),
    ] {
        let document = der(key);
        for at in 0..document.len() * 8 {
            let mut document = document.clone();
            document[at / 8] ^= 1 << (at % 8);
            if let Ok(signer) = SigningKey::pkcs8_der(algorithm, &document).build() {
                let token = issue(&signer).unwrap();
                assert_eq!(
                    signer.verifying_key().verifies(&token),
                    Ok(true),
                    "{algorithm:?}: bit {at}"
                );
            }
        }
    }
}

#[test]
fn halves_that_do_not_belong_together_are_found_by_a_signature() {
    let theirs = pair(Alg::EdDsa, keys::ED_THEIRS_PRIVATE)
        .build()
        .unwrap()
        .verifying_key();
    let signer = ed().build().unwrap();
    signer.prove(&signer.verifying_key()).unwrap();
    let Err(Problem::Key { reason, .. }) = signer.prove(&theirs) else {
        panic!("it was taken")
    };
    assert!(reason.contains("does not verify"), "{reason}");
}

#[test]
fn an_id_that_no_token_can_have_is_refused() {
    for id in [String::new(), "k".repeat(257)] {
        assert_eq!(ed().id(id).build().unwrap_err(), Problem::KeyId);
    }
    let longest = "k".repeat(256);
    assert_eq!(ed().id(&longest).build().unwrap().id(), Some(&*longest));
}

#[test]
fn debug_shows_algorithm_and_id_alone() {
    for key in all().into_iter().map(|key| key.id("2026")) {
        let signer = key.build().unwrap();
        let ring = KeyRing::build(key.clone(), vec![], vec![]).unwrap();
        for text in [
            format!("{key:?}"),
            format!("{signer:?}"),
            format!("{ring:?}"),
        ] {
            assert!(text.contains("2026"), "{text}");
            assert_tells_no_key("debug", &text);
        }
    }
    let key = SigningKey::pem(
        Alg::EdDsa,
        &pem("PRIVATE KEY", &der(keys::ED_PRIVATE), "\n"),
    );
    assert_eq!(
        format!("{key:?}"),
        "SigningKey { algorithm: EdDsa, id: None, .. }"
    );
}

/// No eight characters in a row of any key here.
fn assert_tells_no_key(name: &str, text: &str) {
    let hex = |base64: &str| {
        der(base64)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let texts = [
        SECRET,
        OTHER_SECRET,
        keys::RSA_PRIVATE,
        keys::P256_PRIVATE,
        keys::P384_PRIVATE,
        keys::ED_PRIVATE,
        keys::RSA_N,
        keys::ED_X,
    ];
    let texts = texts
        .map(String::from)
        .into_iter()
        .chain([hex(keys::P256_PRIVATE), hex(keys::ED_PRIVATE)]);
    for material in texts {
        let leak = material
            .as_bytes()
            .windows(8)
            .find(|part| text.as_bytes().windows(8).any(|t| t == *part));
        assert_eq!(
            leak.map(String::from_utf8_lossy),
            None,
            "{name}: of a key in {text:?}"
        );
    }
}
