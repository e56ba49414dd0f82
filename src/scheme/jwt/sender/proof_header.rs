use crate::key_set::{JwtAlgorithm, ProofKey};
use crate::scheme::jwt::strict::{Members, NoMembers, Refused, Text, read_object};
use serde::de::{Error, IgnoredAny, MapAccess};
use serde_json::Value;
use std::borrow::Cow;

/// The header of a proof (RFC 9449 §4.2).
///
/// A header of its own, because the key that it brings along is looked at: in a token it is not.
#[derive(Debug, Default)]
pub(super) struct ProofHeader<'a> {
    typ: Option<Cow<'a, str>>,
    alg: Option<Cow<'a, str>>,
    jwk: Option<Value>,
}

impl<'a> ProofHeader<'a> {
    pub(super) fn parse(json: &'a str) -> Result<Self, Refused> {
        // Names that are repeated inside of the key are found here: the value that is read below
        // keeps the last one.
        read_object(json, &mut NoMembers)?;
        let mut header = Self::default();
        read_object(json, &mut header)?;
        Ok(header)
    }

    pub(super) fn is_proof(&self) -> bool {
        self.typ
            .as_deref()
            .is_some_and(|typ| typ.eq_ignore_ascii_case("dpop+jwt"))
    }

    pub(super) fn algorithm(&self) -> Option<JwtAlgorithm> {
        self.alg.as_deref().and_then(JwtAlgorithm::named)
    }

    pub(super) fn key(&self, algorithm: JwtAlgorithm) -> Option<ProofKey> {
        ProofKey::read(self.jwk.as_ref()?, algorithm)
    }
}

const TYP: u8 = 0;
const ALG: u8 = 1;
const JWK: u8 = 2;
const REFUSED: u8 = 3;

impl<'de> Members<'de> for ProofHeader<'de> {
    fn number(&self, name: &str) -> Option<u8> {
        match name {
            "typ" => Some(TYP),
            "alg" => Some(ALG),
            "jwk" => Some(JWK),
            // Refused as in the header of a token: each asks for something that is not done here.
            "crit" | "b64" | "zip" | "enc" | "cty" => Some(REFUSED),
            _ => None,
        }
    }

    fn read<A: MapAccess<'de>>(&mut self, number: u8, map: &mut A) -> Result<(), A::Error> {
        match number {
            TYP => self.typ = Some(map.next_value::<Text<'de>>()?.0),
            ALG => self.alg = Some(map.next_value::<Text<'de>>()?.0),
            JWK => self.jwk = Some(map.next_value()?),
            _ => {
                map.next_value::<IgnoredAny>()?;
                return Err(A::Error::custom("refused member"));
            }
        }
        Ok(())
    }
}
