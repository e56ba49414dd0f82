use super::algorithm::JwtAlgorithm;
use super::jws::Parts;
use super::key::{JwtKey, Key};
use super::unchosen::Unchosen;
use crate::config::ConfigProblem;

/// The keys of one issuer, of which a token's header chooses one at most.
#[derive(Debug, Default)]
pub(crate) struct KeySet(Vec<Key>);

/// The key of the same algorithm that a token without `kid` means already.
fn unnamed_like<'s>(set: &'s mut [Key], key: &Key) -> Option<&'s mut Key> {
    if key.id().is_some() {
        return None;
    }
    let mut unnamed = set.iter_mut().filter(|other| other.id().is_none());
    unnamed.find(|other| other.algorithm() == key.algorithm())
}

impl KeySet {
    pub(crate) fn build(keys: &[JwtKey]) -> Result<Self, Vec<ConfigProblem>> {
        let mut problems = Vec::new();
        let mut set: Vec<Key> = Vec::new();
        for key in keys {
            match key.build() {
                Err(problem) => problems.push(problem),
                Ok(keys) => {
                    for key in keys {
                        problems.extend(add(&mut set, key).err());
                    }
                }
            }
        }
        if keys.is_empty() {
            problems.push(ConfigProblem::NoKey);
        }
        if problems.is_empty() {
            Ok(Self(set))
        } else {
            Err(problems)
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key whose genuine tokens had exactly the header of this one before.
    pub(crate) fn seen(&self, token: Parts<'_>) -> Option<&Key> {
        self.0
            .iter()
            .find(|key| key.has_seen_header_of(token.message))
    }

    /// The key that a header means by `alg` and `kid`. A key is for one algorithm: what is public
    /// of one is never tried as a secret, and no token chooses how its key is used.
    pub(crate) fn choose(&self, alg: Option<&str>, kid: Option<&str>) -> Result<&Key, Unchosen> {
        let algorithm = alg.and_then(JwtAlgorithm::named);
        let algorithm = algorithm.ok_or(Unchosen::Impossible("alg"))?;
        let mut fitting = self.0.iter().filter(|key| key.algorithm() == algorithm);
        // Keys that were configured without ids know nothing of a `kid`. Were it to bind there,
        // tokens of an issuer that writes one would fit no key.
        let kid = kid.filter(|_| fitting.clone().any(|key| key.id().is_some()));
        let Some(kid) = kid else {
            return unnamed(fitting);
        };
        fitting
            .find(|key| key.id() == Some(kid))
            .ok_or(Unchosen::Unknown("kid"))
    }
}

/// Puts a key into a set, where a token could still say which one it means.
fn add(set: &mut Vec<Key>, key: Key) -> Result<(), ConfigProblem> {
    if let Some(first) = unnamed_like(set, &key) {
        let name = key.algorithm().name();
        return first
            .joined_by(key)
            .ok_or(ConfigProblem::AmbiguousKeys(name));
    }
    // A token says `alg` and `kid`, and of two keys that share both it could mean either.
    for other in set.iter() {
        if other.id() == key.id() && other.algorithm() == key.algorithm() {
            return Err(ConfigProblem::DuplicateKeyId);
        }
    }
    set.push(key);
    Ok(())
}

/// Of the keys of one algorithm the one that a token without `kid` means: the one without an id,
/// else the only one.
fn unnamed<'s>(mut fitting: impl Iterator<Item = &'s Key> + Clone) -> Result<&'s Key, Unchosen> {
    if let Some(key) = fitting.clone().find(|key| key.id().is_none()) {
        return Ok(key);
    }
    match (fitting.next(), fitting.next()) {
        (Some(key), None) => Ok(key),
        (None, _) => Err(Unchosen::Unknown("alg")),
        (Some(_), Some(_)) => Err(Unchosen::Impossible("kid")),
    }
}
