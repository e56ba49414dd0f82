//! A JWK (RFC 7517 §4) as an issuer publishes it or an operator writes it.
//!
//! Issuers publish keys for other uses, and of kinds that are unknown here, beside those that they
//! sign with: each is judged by itself, and what speaks against one is said in fixed words.

use super::algorithm::JwtAlgorithm;
use super::algorithms::Algorithms;
use super::jws::LONGEST_KID;
use super::material::Material;
use super::public_key::PublicKeyForm;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

type Checked<T> = Result<T, &'static str>;

/// Whether a secret may stand in a set of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrets {
    /// The operator wrote the set.
    Allowed,
    /// It came over the network, and others read it too: a secret in it is none.
    Skipped,
}

/// A JWK that may verify signatures, as far as its members say.
pub(super) struct Jwk {
    /// The one of `alg`, else all that its type or its curve has.
    pub(super) algorithms: Algorithms,
    pub(super) id: Option<Box<str>>,
    pub(super) material: Material,
}

impl Jwk {
    pub(super) fn parse(json: &str) -> Checked<Self> {
        let value: Value = serde_json::from_str(json).map_err(|_| "it is no JSON")?;
        Self::read(&value, Secrets::Allowed)
    }

    pub(super) fn read(value: &Value, secrets: Secrets) -> Checked<Self> {
        let members = value.as_object().ok_or("it is no JSON object")?;
        check_use(members)?;
        let kind = required(members, "kty")?;
        let fitting = fitting(kind, members)?;
        if kind == "oct" && secrets == Secrets::Skipped {
            return Err("it is a shared secret, which no published set of keys has");
        }
        if kind != "oct" && PRIVATE.iter().any(|name| members.contains_key(*name)) {
            return Err("it is a private key: a verifier needs the public one only");
        }
        Ok(Self {
            algorithms: chosen(fitting, members)?,
            id: id(members)?,
            material: material(kind, members)?,
        })
    }
}

/// The members of private keys and of secrets (RFC 7518 §6.2.2, §6.3.2 and §6.4, RFC 8037 §2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// RFC 7517 §4.2 and §4.3: what says that it is for something else is not taken for verifying.
fn check_use(members: &Map<String, Value>) -> Checked<()> {
    if optional(members, "use")?.is_some_and(|is| is != "sig") {
        return Err("its use is not sig");
    }
    // `key_ops` is optional (RFC 7517 §4.3): a key that has none is not limited by it.
    let Some(operations) = members.get("key_ops") else {
        return Ok(());
    };
    let operations = operations.as_array().ok_or(WRONG_TYPE)?;
    if operations.iter().any(|operation| operation == "verify") {
        Ok(())
    } else {
        Err("its key_ops do not have verify")
    }
}

/// The algorithms of a type of keys, or of its curve.
fn fitting(kind: &str, members: &Map<String, Value>) -> Checked<Algorithms> {
    match kind {
        "RSA" => Ok(Algorithms::rsa()),
        "EC" => match required(members, "crv")? {
            "P-256" => Ok(JwtAlgorithm::Es256.into()),
            "P-384" => Ok(JwtAlgorithm::Es384.into()),
            _ => Err(UNKNOWN_CURVE),
        },
        "OKP" => match required(members, "crv")? {
            "Ed25519" => Ok(JwtAlgorithm::EdDsa.into()),
            _ => Err(UNKNOWN_CURVE),
        },
        "oct" => Ok(Algorithms::symmetric()),
        _ => Err("its type (kty) is none of RSA, EC, OKP and oct"),
    }
}

const UNKNOWN_CURVE: &str = "its curve (crv) is none of P-256, P-384 and Ed25519";

/// `alg` binds, where it is there.
fn chosen(fitting: Algorithms, members: &Map<String, Value>) -> Checked<Algorithms> {
    let Some(name) = optional(members, "alg")? else {
        return Ok(fitting);
    };
    let algorithm = JwtAlgorithm::named(name).ok_or("its alg is no known signature algorithm")?;
    if fitting.contains(algorithm) {
        Ok(algorithm.into())
    } else {
        Err("its alg is for keys of another type or curve")
    }
}

fn id(members: &Map<String, Value>) -> Checked<Option<Box<str>>> {
    match optional(members, "kid")? {
        Some(id) if id.len() > LONGEST_KID => Err("its kid has more than 256 bytes"),
        Some(id) => Ok(Some(id.into())),
        None => Ok(None),
    }
}

fn material(kind: &str, members: &Map<String, Value>) -> Checked<Material> {
    Ok(match kind {
        "RSA" => Material::Public(PublicKeyForm::Rsa {
            n: required(members, "n")?.into(),
            e: required(members, "e")?.into(),
        }),
        "EC" => Material::Public(PublicKeyForm::Ec {
            x: required(members, "x")?.into(),
            y: required(members, "y")?.into(),
        }),
        "OKP" => Material::Public(PublicKeyForm::Ed25519 {
            x: required(members, "x")?.into(),
        }),
        _ => {
            let secret = URL_SAFE_NO_PAD.decode(required(members, "k")?);
            let secret = secret.map_err(|_| "a member is not base64url without padding")?;
            Material::Secret(Secret::new(secret))
        }
    })
}

const WRONG_TYPE: &str = "a member has the wrong JSON type";

fn required<'m>(members: &'m Map<String, Value>, name: &str) -> Checked<&'m str> {
    optional(members, name)?.ok_or("a member that keys of its type have is missing")
}

fn optional<'m>(members: &'m Map<String, Value>, name: &str) -> Checked<Option<&'m str>> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(WRONG_TYPE),
    }
}
