use crate::scheme::jwt::claims::numeric_date;
use crate::scheme::jwt::strict::{Members, Refused, Text, read_object};
use serde::de::MapAccess;
use std::borrow::Cow;
use std::time::Duration;

/// The payload of a proof (RFC 9449 §4.2).
#[derive(Debug, Default)]
pub(super) struct ProofClaims<'a> {
    pub(super) jti: Option<Cow<'a, str>>,
    pub(super) htm: Option<Cow<'a, str>>,
    pub(super) htu: Option<Cow<'a, str>>,
    pub(super) ath: Option<Cow<'a, str>>,
    pub(super) nonce: Option<Cow<'a, str>>,
    /// Since 1970.
    pub(super) iat: Option<Duration>,
}

impl<'a> ProofClaims<'a> {
    pub(super) fn parse(json: &'a str) -> Result<Self, Refused> {
        let mut claims = Self::default();
        read_object(json, &mut claims)?;
        Ok(claims)
    }
}

const JTI: u8 = 0;
const HTM: u8 = 1;
const HTU: u8 = 2;
const ATH: u8 = 3;
const NONCE: u8 = 4;
const IAT: u8 = 5;

impl<'de> Members<'de> for ProofClaims<'de> {
    fn number(&self, name: &str) -> Option<u8> {
        Some(match name {
            "jti" => JTI,
            "htm" => HTM,
            "htu" => HTU,
            "ath" => ATH,
            "nonce" => NONCE,
            "iat" => IAT,
            _ => return None,
        })
    }

    fn read<A: MapAccess<'de>>(&mut self, number: u8, map: &mut A) -> Result<(), A::Error> {
        if number == IAT {
            self.iat = Some(numeric_date(map)?);
            return Ok(());
        }
        let text = map.next_value::<Text<'de>>()?.0;
        let member = match number {
            JTI => &mut self.jti,
            HTM => &mut self.htm,
            HTU => &mut self.htu,
            ATH => &mut self.ath,
            _ => &mut self.nonce,
        };
        *member = Some(text);
        Ok(())
    }
}
