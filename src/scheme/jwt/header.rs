use super::strict::{Members, Text, read_object};
use crate::key_set::{LONGEST_KID, decoded, decoded_into, refused};
use crate::reject::Rejection;
use serde::de::{Error, IgnoredAny, MapAccess};
use std::borrow::Cow;

/// What a JOSE header (RFC 7515 §4) says that matters here.
///
/// `jku`, `jwk`, `x5u` and `x5c` are not read: a token does not get to say by which key it is
/// verified.
#[derive(Debug, Default)]
pub(super) struct Header<'a> {
    pub(super) alg: Option<Cow<'a, str>>,
    pub(super) kid: Option<Cow<'a, str>>,
    pub(super) typ: Option<Cow<'a, str>>,
}

/// Decodes a header into `buffer`, or the heap where it is longer, and hands it to `then`.
pub(super) fn with_header<T>(
    segment: &[u8],
    then: impl FnOnce(Header<'_>) -> Result<T, Rejection>,
) -> Result<T, Rejection> {
    // 512 characters of base64 are 384 bytes, and most headers are shorter.
    let mut buffer = [0; 384];
    let heap;
    let json = if segment.len() <= 512 {
        let bytes = decoded_into(segment, &mut buffer).ok_or_else(|| refused("base64url"))?;
        std::str::from_utf8(bytes).map_err(|_| refused("utf-8"))?
    } else {
        heap = decoded(segment)?;
        &heap
    };
    let mut header = Header::default();
    read_object(json, &mut header).map_err(|_| refused("header"))?;
    then(header)
}

const ALG: u8 = 0;
const KID: u8 = 1;
const TYP: u8 = 2;
const REFUSED: u8 = 3;

impl<'de> Members<'de> for Header<'de> {
    fn number(&self, name: &str) -> Option<u8> {
        match name {
            "alg" => Some(ALG),
            "kid" => Some(KID),
            "typ" => Some(TYP),
            // `crit` (RFC 7515 §4.1.11) names what must be understood, and nothing is; the others
            // change what the payload means: unencoded (RFC 7797), compressed,
            // encrypted or a token in a token (RFC 7519 §5.2).
            "crit" | "b64" | "zip" | "enc" | "cty" => Some(REFUSED),
            _ => None,
        }
    }

    fn read<A: MapAccess<'de>>(&mut self, number: u8, map: &mut A) -> Result<(), A::Error> {
        match number {
            ALG => self.alg = Some(map.next_value::<Text<'de>>()?.0),
            TYP => self.typ = Some(map.next_value::<Text<'de>>()?.0),
            KID => {
                let kid = map.next_value::<Text<'de>>()?.0;
                if kid.len() > LONGEST_KID {
                    return Err(A::Error::custom("kid"));
                }
                self.kid = Some(kid);
            }
            _ => {
                map.next_value::<IgnoredAny>()?;
                return Err(A::Error::custom("refused member"));
            }
        }
        Ok(())
    }
}
