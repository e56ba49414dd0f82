use super::reading::{Found, Reading};
use super::strict::{Id, Members, ObjectSeed, OneOrMany, Text, read_object};
use crate::key_set::{Confirmation, refused};
use crate::reject::Rejection;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// 9999-12-31T23:59:59Z. A later time is a mistake, milliseconds most likely.
const LATEST: Duration = Duration::from_secs(253_402_300_799);

/// The registered claims (RFC 7519 §4.1), those that name what kind of token it is, and what its
/// issuer's configuration reads besides.
///
/// A claim of the wrong type is refused, never taken for absent.
#[derive(Debug)]
pub(super) struct Claims<'a> {
    reading: &'a Reading,
    pub(super) found: Found<'a>,
    pub(super) iss: Option<Cow<'a, str>>,
    pub(super) sub: Option<Cow<'a, str>>,
    pub(super) aud: Option<OneOrMany<'a>>,
    /// Since 1970, as the other times.
    pub(super) exp: Option<Duration>,
    pub(super) nbf: Option<Duration>,
    pub(super) iat: Option<Duration>,
    pub(super) token_type: Option<Cow<'a, str>>,
    pub(super) token_use: Option<Cow<'a, str>>,
    /// In the payload, where Keycloak says what a token is for.
    pub(super) typ: Option<Cow<'a, str>>,
    pub(super) jti: Option<Cow<'a, str>>,
    /// The family's id; read of our own tokens alone.
    pub(super) sid: Option<Cow<'a, str>>,
    /// To whom it is bound, so that its bearer has to prove to be that (`cnf`, RFC 7800 §3.1).
    pub(super) confirmation: Option<Box<Confirmation>>,
}

/// When a token is good, since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) exp: Option<Duration>,
    pub(super) nbf: Option<Duration>,
    pub(super) iat: Option<Duration>,
}

impl<'a> Claims<'a> {
    pub(super) fn times(&self) -> Times {
        Times {
            exp: self.exp,
            nbf: self.nbf,
            iat: self.iat,
        }
    }

    pub(super) fn parse(json: &'a str, reading: &'a Reading) -> Result<Self, Rejection> {
        let mut claims = Self {
            reading,
            found: Found::default(),
            iss: None,
            sub: None,
            aud: None,
            exp: None,
            nbf: None,
            iat: None,
            token_type: None,
            token_use: None,
            typ: None,
            jti: None,
            sid: None,
            confirmation: None,
        };
        read_object(json, &mut claims).map_err(|_| refused("claims"))?;
        Ok(claims)
    }
}

/// The issuer that a token names, if it names one, before anything about it is verified.
pub(super) fn claimed_issuer(json: &str) -> Result<Option<Cow<'_, str>>, Rejection> {
    let mut issuer = Issuer(None);
    read_object(json, &mut issuer).map_err(|_| refused("claims"))?;
    Ok(issuer.0)
}

/// `iss` alone: what else a token says, and under which names, only that issuer's policy can tell.
struct Issuer<'a>(Option<Cow<'a, str>>);

impl<'de> Members<'de> for Issuer<'de> {
    fn number(&self, name: &str) -> Option<u8> {
        (name == "iss").then_some(ISS)
    }

    fn read<A: MapAccess<'de>>(&mut self, _: u8, map: &mut A) -> Result<(), A::Error> {
        self.0 = Some(text(map)?);
        Ok(())
    }
}
const ISS: u8 = 0;
const SUB: u8 = 1;
const AUD: u8 = 2;
const EXP: u8 = 3;
const NBF: u8 = 4;
const IAT: u8 = 5;
const JTI: u8 = 6;
const TOKEN_TYPE: u8 = 7;
const TOKEN_USE: u8 = 8;
const SID: u8 = 9;
const TYP: u8 = 10;
const CNF: u8 = 11;
/// What an issuer's configuration reads comes after these.
const OTHERS: u8 = 12;

/// The claims whose names no configuration changes.
#[inline]
pub(super) fn registered(name: &str) -> Option<u8> {
    Some(match name {
        "iss" => ISS,
        "sub" => SUB,
        "aud" => AUD,
        "exp" => EXP,
        "nbf" => NBF,
        "iat" => IAT,
        "jti" => JTI,
        "token_type" => TOKEN_TYPE,
        "token_use" => TOKEN_USE,
        "typ" => TYP,
        "cnf" => CNF,
        _ => return None,
    })
}

impl<'de> Members<'de> for Claims<'de> {
    fn number(&self, name: &str) -> Option<u8> {
        match registered(name) {
            // Of another issuer it is a session there (OpenID Connect Front-Channel Logout 1.0,
            // section 3), and none of our families.
            None if self.reading.sid && name == "sid" => Some(SID),
            None => Some(self.reading.number(name)? + OTHERS),
            number => number,
        }
    }

    fn read<A: MapAccess<'de>>(&mut self, number: u8, map: &mut A) -> Result<(), A::Error> {
        match number {
            ISS => self.iss = Some(text(map)?),
            // simplejwt leaves an id that is a number as it is. Anywhere else `sub` is a text (RFC
            // 7519 §4.1.2).
            SUB if self.reading.takes_number_for_sub => {
                let Id(sub) = map.next_value()?;
                self.sub = Some(sub);
            }
            SUB => self.sub = Some(text(map)?),
            AUD => self.aud = Some(map.next_value()?),
            EXP => self.exp = Some(numeric_date(map)?),
            NBF => self.nbf = Some(numeric_date(map)?),
            IAT => self.iat = Some(numeric_date(map)?),
            JTI => self.jti = Some(text(map)?),
            SID => self.sid = Some(text(map)?),
            TOKEN_TYPE => self.token_type = Some(text(map)?),
            TOKEN_USE => self.token_use = Some(text(map)?),
            TYP => self.typ = Some(text(map)?),
            // `cnf` is always read. A token that is bound to a key must not pass as a bearer token
            // only because nobody has configured proofs.
            CNF => {
                let mut confirmation = Box::<Confirmation>::default();
                map.next_value_seed(ObjectSeed(&mut *confirmation))?;
                self.confirmation = Some(confirmation);
            }
            other => self.reading.read(other - OTHERS, &mut self.found, map)?,
        }
        Ok(())
    }
}

/// What a token is bound to. A member that is not known binds it all the same, to something that
/// nobody here can prove (RFC 7800 §3.1).
impl<'de> Members<'de> for Confirmation {
    fn number(&self, name: &str) -> Option<u8> {
        match name {
            "jkt" => Some(JKT),
            "x5t#S256" => Some(X5T_S256),
            _ => None,
        }
    }

    fn read<A: MapAccess<'de>>(&mut self, number: u8, map: &mut A) -> Result<(), A::Error> {
        let value = Some(text(map)?.into());
        match number {
            JKT => self.key = value,
            _ => self.certificate = value,
        }
        Ok(())
    }
}

const JKT: u8 = 0;
const X5T_S256: u8 = 1;

fn text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Cow<'de, str>, A::Error> {
    map.next_value::<Text<'de>>().map(|text| text.0)
}

/// NumericDate (RFC 7519 §2): a number of seconds, which may have a fraction or an exponent.
pub(super) fn numeric_date<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Duration, A::Error> {
    let NumericDate(time) = map.next_value()?;
    // A time in milliseconds would be one in the year 50,000, and the token would never expire.
    if time <= LATEST {
        Ok(time)
    } else {
        Err(A::Error::custom("time"))
    }
}

struct NumericDate(Duration);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Seconds)
    }
}

struct Seconds;

impl Visitor<'_> for Seconds {
    type Value = NumericDate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds")
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<NumericDate, E> {
        Ok(NumericDate(Duration::from_secs(seconds)))
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<NumericDate, E> {
        // A negative number or one that is too large is an error. `from_secs_f64` would panic at
        // it.
        let time = Duration::try_from_secs_f64(seconds).map_err(E::custom)?;
        Ok(NumericDate(time))
    }
}
