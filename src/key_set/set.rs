use super::algorithm::JwtAlgorithm;
use super::jws::refused;
use super::key::{JwtKey, Key};
use crate::config::ConfigProblem;
use crate::reject::Rejection;

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
                Ok(key) => match unnamed_like(&mut set, &key) {
                    Some(first) => {
                        let name = key.algorithm().name();
                        if first.joined_by(key).is_none() {
                            problems.push(ConfigProblem::AmbiguousKeys(name));
                        }
                    }
                    None => set.push(key),
                },
            }
        }
        if keys.is_empty() {
            problems.push(ConfigProblem::NoKey);
        }
        let symmetric = keys
            .iter()
            .filter(|key| key.algorithm().is_symmetric())
            .count();
        if symmetric != 0 && symmetric != keys.len() {
            problems.push(ConfigProblem::MixedKeys);
        }
        for (at, key) in set.iter().enumerate() {
            let has_same_id = |other: &Key| other.id().is_some() && other.id() == key.id();
            if set[..at].iter().any(has_same_id) {
                problems.push(ConfigProblem::DuplicateKeyId);
            }
        }
        if problems.is_empty() {
            Ok(Self(set))
        } else {
            Err(problems)
        }
    }

    /// The key whose genuine tokens had exactly this header before.
    pub(crate) fn seen(&self, header: &[u8]) -> Option<&Key> {
        self.0.iter().find(|key| key.seen_header() == Some(header))
    }

    /// The key that a header means by `alg` and `kid`: the key has the last word on the algorithm.
    pub(crate) fn choose(&self, alg: Option<&str>, kid: Option<&str>) -> Result<&Key, Rejection> {
        let algorithm = alg
            .and_then(JwtAlgorithm::named)
            .ok_or_else(|| refused("alg"))?;
        let key = match kid {
            Some(kid) if self.0.iter().any(|key| key.id().is_some()) => self
                .0
                .iter()
                .find(|key| key.id() == Some(kid))
                .ok_or_else(|| refused("kid"))?,
            _ => self.unnamed(algorithm)?,
        };
        if key.algorithm() == algorithm {
            Ok(key)
        } else {
            Err(refused("alg"))
        }
    }

    /// The key of an algorithm that a token without `kid` means: the one without an id, else the
    /// only one.
    fn unnamed(&self, algorithm: JwtAlgorithm) -> Result<&Key, Rejection> {
        let mut fitting = self.0.iter().filter(|key| key.algorithm() == algorithm);
        if let Some(key) = fitting.clone().find(|key| key.id().is_none()) {
            return Ok(key);
        }
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (None, _) => Err(refused("alg")),
            (Some(_), Some(_)) => Err(refused("kid")),
        }
    }
}
