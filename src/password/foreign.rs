use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bcrypt::HashParts;
use pbkdf2::{Algorithm, Params, pbkdf2_hmac_with_params};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What a stored hash may ask for; Django 5.2 asks for 1,000,000 rounds of PBKDF2 and a cost of 12
/// of bcrypt.
const MOST_ROUNDS: u32 = 4_000_000;
const MOST_COST: u32 = 15;
/// bcrypt looks at no more than this (in bytes).
const LONGEST_BCRYPT: usize = 72;

/// A hash as Django's `PASSWORD_HASHERS` write it, of a kind that is not argon2:
///
/// ```text
/// pbkdf2_sha256$ROUNDS$SALT$BASE64         of 32 bytes
/// bcrypt_sha256$$2b$COST$SALT+HASH         bcrypt of the password's SHA-256 in hexadecimal
/// bcrypt$$2b$COST$SALT+HASH                bcrypt of the password
/// ```
pub(super) enum Foreign {
    Pbkdf2 {
        params: Params,
        salt: String,
        hash: [u8; 32],
    },
    Bcrypt {
        of: Of,
        hash: String,
    },
}

/// What bcrypt is of.
#[derive(Clone, Copy)]
pub(super) enum Of {
    Password,
    Sha256,
}

impl Foreign {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (algorithm, rest) = text.split_once('$')?;
        match algorithm {
            "pbkdf2_sha256" => Self::pbkdf2(rest),
            "bcrypt_sha256" => Self::bcrypt(Of::Sha256, rest),
            "bcrypt" => Self::bcrypt(Of::Password, rest),
            _ => None,
        }
    }

    fn pbkdf2(text: &str) -> Option<Self> {
        let (rounds, rest) = text.split_once('$')?;
        let (salt, hash) = rest.split_once('$')?;
        let rounds = rounds
            .parse()
            .ok()
            .filter(|rounds| *rounds <= MOST_ROUNDS)?;
        let params = Params::new(rounds).ok()?;
        // All of it: a shorter hash would fit more passwords, an empty one every password.
        let hash = STANDARD.decode(hash).ok()?.try_into().ok()?;
        if salt.is_empty() {
            return None;
        }
        Some(Self::Pbkdf2 {
            params,
            salt: salt.to_owned(),
            hash,
        })
    }

    fn bcrypt(of: Of, hash: &str) -> Option<Self> {
        // 2x marks hashes of an implementation that lost bits.
        let known = ["$2a$", "$2b$", "$2y$"]
            .iter()
            .any(|version| hash.starts_with(version));
        let cost = hash.parse::<HashParts>().ok()?.get_cost();
        if !known || !(4..=MOST_COST).contains(&cost) {
            return None;
        }
        Some(Self::Bcrypt {
            of,
            hash: hash.to_owned(),
        })
    }

    pub(super) fn fits(&self, password: &str) -> bool {
        // HMAC and bcrypt pad with NUL, so that others would fit too. Django's forms take none.
        if password.contains('\0') {
            return false;
        }
        match self {
            Self::Pbkdf2 { params, salt, hash } => {
                let mut own = Zeroizing::new([0; 32]);
                let (password, salt) = (password.as_bytes(), salt.as_bytes());
                pbkdf2_hmac_with_params(
                    password,
                    salt,
                    Algorithm::Pbkdf2Sha256,
                    *params,
                    &mut *own,
                );
                own.ct_eq(hash).into()
            }
            Self::Bcrypt {
                of: Of::Sha256,
                hash,
            } => {
                let digest = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(password)));
                bcrypt::verify(hex(&*digest).as_slice(), hash).unwrap_or(false)
            }
            // What is longer would be cut: others would fit too.
            Self::Bcrypt {
                of: Of::Password,
                hash,
            } => {
                password.len() <= LONGEST_BCRYPT && bcrypt::verify(password, hash).unwrap_or(false)
            }
        }
    }
}

/// In lower case, as Python's `hexlify`.
fn hex(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| DIGITS[usize::from(digit)]);
    let mut text = Zeroizing::new(Vec::with_capacity(2 * bytes.len()));
    text.extend(digits);
    text
}

#[cfg(test)]
mod tests {
    use crate::password::hash::{Check, Hasher, Stored};

    // Of "correct horse", by Django 5.2.19 with bcrypt 5.0.0.
    const PBKDF2: &str =
        "pbkdf2_sha256$1000$testsaltTESTSALT012345$cQL87/iYEPF/l9yPfgmn3ff7496a18YTct/yJ0xjClY=";
    const BCRYPT_SHA256: &str =
        "bcrypt_sha256$$2b$04$Ipi0F4MFtmDiBtp.f3XogeZhC/IZ2g9.vcoSimZyZocd3ovsofQ12";
    const BCRYPT: &str = "bcrypt$$2b$04$Wg7fz9fcqB2xTMHWwioi6.crugiN8dY6PI/fYMgphp9aELqccyC5.";
    // Of 72 times "x".
    const BCRYPT_LONG: &str = "bcrypt$$2b$04$VXEkP0NgLTw.XA9LQLxQmumpnn4EGQpIiIXDW4x.5/dHTJDbVpB52";

    fn check(stored: &str, password: &str) -> Check {
        Hasher::default().check(Some(stored), password)
    }

    #[test]
    fn hashes_of_django_fit_their_password_alone_and_are_outdated() {
        for stored in [
            PBKDF2,
            BCRYPT_SHA256,
            BCRYPT,
            &BCRYPT.replace("$2b$", "$2y$"),
        ] {
            assert_eq!(
                check(stored, "correct horse"),
                Check::FitsOutdated,
                "{stored}"
            );
            for wrong in [
                "correct hors",
                "Correct horse",
                "correct horse ",
                "correct horse\0",
                "",
            ] {
                assert_eq!(check(stored, wrong), Check::Wrong, "{stored} {wrong:?}");
            }
        }
    }

    #[test]
    fn bcrypt_is_asked_for_no_password_that_it_would_cut_or_repeat() {
        assert_eq!(check(BCRYPT_LONG, &"x".repeat(72)), Check::FitsOutdated);
        assert_eq!(check(BCRYPT_LONG, &"x".repeat(73)), Check::Wrong);
        assert_eq!(
            check(BCRYPT_LONG, &format!("{}y", "x".repeat(72))),
            Check::Wrong
        );
        assert_eq!(check(BCRYPT, "correct horse\0correct horse"), Check::Wrong);
        // What is digested first has no such limit.
        assert_eq!(check(BCRYPT_SHA256, &"x".repeat(1024)), Check::Wrong);
    }

    #[test]
    fn what_is_malformed_or_costs_too_much_is_refused_before_it_costs_anything() {
        let (_, bcrypt) = BCRYPT.split_once('$').unwrap();
        let hostile = [
            ("no rounds", PBKDF2.replace("$1000$", "$$")),
            ("rounds of nothing", PBKDF2.replace("$1000$", "$0$")),
            ("too few rounds", PBKDF2.replace("$1000$", "$999$")),
            ("negative rounds", PBKDF2.replace("$1000$", "$-1000$")),
            ("rounds with a blank", PBKDF2.replace("$1000$", "$ 1000$")),
            ("too many rounds", PBKDF2.replace("$1000$", "$4000001$")),
            (
                "rounds beyond 32 bits",
                PBKDF2.replace("$1000$", "$4294968296$"),
            ),
            (
                "rounds beyond 64 bits",
                PBKDF2.replace("$1000$", "$99999999999999999999999$"),
            ),
            ("no salt", PBKDF2.replace("testsaltTESTSALT012345", "")),
            ("no hash", PBKDF2.split_inclusive('$').take(3).collect()),
            (
                "a hash of nothing",
                format!(
                    "{}AA==",
                    PBKDF2.split_inclusive('$').take(3).collect::<String>()
                ),
            ),
            ("a short hash", PBKDF2.replace("ClY=", "")),
            ("a hash that is longer", PBKDF2.replace("ClY=", "ClYA")),
            ("no padding", PBKDF2.trim_end_matches('=').to_owned()),
            ("a field more", format!("{PBKDF2}$")),
            ("a line more", format!("{PBKDF2}\n")),
            ("a NUL more", format!("{PBKDF2}\0")),
            ("its name alone", "pbkdf2_sha256".into()),
            ("its name in capitals", PBKDF2.to_uppercase()),
            (
                "SHA-1",
                "pbkdf2_sha1$1000$testsalttestsalt$22x/G0n/pCkI5Gl1z2alYf3czSY=".into(),
            ),
            ("scrypt", "scrypt$16384$testsalttestsalt$8$5$AAAA".into()),
            (
                "MD5",
                "md5$testsalt$0cc175b9c0f1b6a831c399e269772661".into(),
            ),
            (
                "an unusable password",
                "!B2qQdEnQlqDvZKs8vPJgm57xOSlwHW1apU2cBiXE".into(),
            ),
            ("bcrypt of no cost", BCRYPT.replace("$04$", "$00$")),
            (
                "bcrypt below the least cost",
                BCRYPT.replace("$04$", "$03$"),
            ),
            ("bcrypt of too high a cost", BCRYPT.replace("$04$", "$16$")),
            ("bcrypt of the highest cost", BCRYPT.replace("$04$", "$31$")),
            (
                "bcrypt of an impossible cost",
                BCRYPT.replace("$04$", "$99$"),
            ),
            ("bcrypt of no number", BCRYPT.replace("$04$", "$0x$")),
            ("bcrypt 2x", BCRYPT.replace("$2b$", "$2x$")),
            ("bcrypt of another version", BCRYPT.replace("$2b$", "$3b$")),
            ("bcrypt without Django's prefix", bcrypt.to_owned()),
            ("bcrypt cut", BCRYPT[..BCRYPT.len() - 1].to_owned()),
            ("bcrypt with more", format!("{BCRYPT}A")),
            (
                "bcrypt of other bytes",
                format!("bcrypt$$2b$04${}", "ß".repeat(26) + "a"),
            ),
            ("bcrypt with foreign letters", BCRYPT.replace("Wg7", "W+7")),
            ("bcrypt of nothing", "bcrypt$".into()),
            ("argon2 of nothing", "argon2$".into()),
            (
                "argon2 with one dollar too many",
                "argon2$$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aaaa".into(),
            ),
            (
                "argon2 twice",
                "argon2argon2$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aaaa".into(),
            ),
            (
                "argon2 of gigabytes",
                "argon2$argon2id$v=19$m=2097152,t=1,p=1$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA".into(),
            ),
        ];
        for (name, stored) in &hostile {
            assert!(Stored::read(stored).is_none(), "{name}");
        }
        // Some for all of them: the work that is done nevertheless takes a while.
        for (name, stored) in hostile.iter().step_by(4) {
            assert_eq!(check(stored, "correct horse"), Check::Wrong, "{name}");
        }
    }
}
