use super::call::Call;
use super::input::Input;
use super::mount::Endpoint;
use super::partner_keys::PartnerKeys;
use super::reply::Reply;
use super::route::{Access, Handler};
use crate::config::ConfigProblem;
use crate::event::Action;
#[cfg(feature = "pem")]
use crate::fetch::Fetch;
use crate::issue::KeyIssuer;
use crate::key_set::JwtKey;
use crate::reject::{Rejection, RejectionKind};
use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;

const KEY_ID: &str = "github-public-key-identifier";
const SIGNATURE: &str = "github-public-key-signature";
/// How many keys one report may name.
const MOST_REPORTED: usize = 100;

/// Where a partner reports keys that leaked, in the form of GitHub's [secret scanning partner
/// program](https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partnership-program/secret-scanning-partner-program):
/// each key that there is is revoked at once, and its owner is told of it by the event `key
/// leaked`.
///
/// ```text
/// POST PATH
/// Github-Public-Key-Identifier: bcb53661…
/// Github-Public-Key-Signature: MEQCIQDaMKqrGnE2…
/// [{"token":"egret_7Zk…","type":"egret","url":"https://github.com/…","source":"commit"}]
///
/// 200 [{"token_hash":"SXcgqWJI…","token_type":"egret","label":"true_positive"}]
/// ```
///
/// - The body is signed: ECDSA on P-256 with SHA-256, the signature in DER and base64, by a key of
///   the partner's that the first field names. Without a signature that verifies the answer is 401,
///   and nothing is looked at.
/// - A key that is unknown, or revoked already, is a `false_positive`; nothing else is told of it.
/// - At most 100 keys a report; the rest of a longer one is 400.
/// - The partner's keys are [given](Self::partner_key), or loaded from where it
///   [publishes](Self::partner_keys_at) them.
///
/// ```
/// # use tower_auth::endpoint::LeakReports;
/// # use tower_auth::store::Memory;
/// # use tower_auth::jwt::{JwtAlgorithm, JwtKey};
/// # use tower_auth::{ApiKeys, AuthLayer, Realm};
/// let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
/// let auth = AuthLayer::builder().accept(&keys).build()?;
/// let x = "9mZ4FvYV7Z3BT6Yg6hWcQvT8yG4hYxwnQb9QJcnKJ1c"; // as the partner publishes it
/// # let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
/// # let y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
/// let partner = JwtKey::ec(JwtAlgorithm::Es256, x, y);
/// let endpoints = auth
///     .endpoints()
///     .mount("/leaked-keys", LeakReports::of(&keys).partner_key("2026-01", partner))
///     .build()?;
/// # Ok::<(), tower_auth::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct LeakReports {
    keys: KeyIssuer,
    partner: PartnerKeys,
}

/// One key that leaked, as a partner reports it.
#[derive(Deserialize)]
struct Reported {
    /// Everybody can read it already.
    token: String,
    #[serde(rename = "type", default)]
    kind: String,
}

impl LeakReports {
    /// Where keys of this kind are reported. Nobody is believed yet.
    pub fn of(keys: &KeyIssuer) -> Self {
        Self {
            keys: keys.clone(),
            partner: PartnerKeys::new(Arc::clone(keys.realm().clock_handle())),
        }
    }

    /// A key that the partner signs with, for `Es256`, by the name that it gives it.
    pub fn partner_key(mut self, id: impl Into<String>, key: JwtKey) -> Self {
        self.partner.add(id.into(), key);
        self
    }

    /// Where the partner publishes its keys: GitHub does at
    /// `https://api.github.com/meta/public_keys/secret_scanning`. They are loaded when a report
    /// names one that is not known, at most once a minute.
    #[cfg(feature = "pem")]
    pub fn partner_keys_at(mut self, url: impl Into<String>, fetch: impl Fetch) -> Self {
        self.partner.load_from(url.into(), Arc::new(fetch));
        self
    }

    /// Whether it was there and is revoked now.
    async fn revoke(&self, reported: &Reported) -> Result<bool, Rejection> {
        let now = self.keys.realm().now();
        let verifier = self.keys.verifier().ok_or_else(no_store)?;
        let Some(key) = verifier.find_reported(&reported.token, now).await? else {
            return Ok(false);
        };
        self.keys.write_revoked(&key.owner, &key.id).await?;
        for action in [Action::KeyLeaked, Action::KeyRevoked] {
            // It has happened: a hook that panics changes nothing of it, and is logged. Refused
            // because of it, the rest of the report would leave its keys alive, and a partner that
            // reports once more would hear that this one is unknown.
            let _ = self.keys.realm().tell(action, &key.owner, Some(&key.id));
        }
        Ok(true)
    }
}

#[async_trait]
impl Handler for LeakReports {
    async fn handle(&self, call: &Call, input: Input) -> Result<Reply, Rejection> {
        let (Some(id), Some(signature)) = (field(call, KEY_ID), field(call, SIGNATURE)) else {
            return Err(unsigned("no signature"));
        };
        let signature = BASE64_STANDARD
            .decode(signature)
            .map_err(|_| unsigned("signature is no base64"))?;
        // Verified over the bytes as they came, before anything in them is read.
        if !self.partner.verifies(id, input.whole(), &signature).await? {
            return Err(unsigned("signature"));
        }
        let reports: Vec<Reported> = serde_json::from_slice(input.whole())
            .map_err(|_| Rejection::new(RejectionKind::InvalidInput, "no list of keys"))?;
        // Each one is looked up, so their number is bounded.
        if reports.len() > MOST_REPORTED {
            return Err(Rejection::new(RejectionKind::InvalidInput, "too many keys"));
        }
        let mut labels = Vec::new();
        for reported in &reports {
            let label = match self.revoke(reported).await? {
                true => "true_positive",
                // One answer for a key that nobody has and for one that is dead, so that a report
                // tells nothing of keys.
                false => "false_positive",
            };
            let digest = Sha256::digest(reported.token.as_bytes());
            labels.push(json!({
                "token_hash": BASE64_STANDARD.encode(digest),
                "token_type": reported.kind,
                "label": label,
            }));
        }
        Ok(Reply::json(StatusCode::OK, &Value::Array(labels)))
    }
}

/// Nobody is told what a report lacks.
fn field<'c>(call: &'c Call, name: &str) -> Option<&'c str> {
    call.head().headers.get(name)?.to_str().ok()
}

fn no_store() -> Rejection {
    Rejection::misconfigured("the realm has no store of API keys")
}

fn unsigned(reason: &'static str) -> Rejection {
    Rejection::new(RejectionKind::InvalidToken, reason)
}

impl From<LeakReports> for Endpoint {
    fn from(endpoint: LeakReports) -> Self {
        Self::new(move |path, mounting| {
            mounting.uses_keys(&endpoint.keys);
            mounting.problems.extend(endpoint.partner.problems());
            if endpoint.partner.is_empty() {
                mounting.problems.push(ConfigProblem::NoPartnerKey);
            }
            mounting.post_signed(path, Access::Anybody, endpoint);
        })
    }
}

impl fmt::Debug for LeakReports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeakReports")
            .field("partner", &self.partner)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ApiKeys, KeyRequest, Realm, Subject, store::Memory};
    use std::sync::Mutex;

    #[tokio::test]
    async fn a_hook_that_panics_leaves_no_leaked_key_alive() {
        let told = Arc::new(Mutex::new(Vec::new()));
        for panics_at in [Action::KeyLeaked, Action::KeyRevoked] {
            let heard = Arc::clone(&told);
            let realm = Realm::new(Memory::new()).on_event(move |event| {
                heard.lock().unwrap().push(event.action());
                assert!(event.action() != panics_at, "on purpose");
            });
            let keys = realm.api_keys(ApiKeys::prefix("egret"));
            let request = KeyRequest::new(Subject::user("7"), "ci");
            let leaked = keys.issue(request).await.unwrap();
            told.lock().unwrap().clear();
            let reported = Reported {
                token: leaked.key.expose().clone(),
                kind: String::from("egret"),
            };
            let reports = LeakReports::of(&keys);
            let was_there = reports.revoke(&reported).await;
            assert!(
                was_there.unwrap(),
                "{panics_at:?}: the partner need not report it again"
            );
            let record = keys.find(&leaked.record.owner, &leaked.record.id).await;
            assert!(record.unwrap().revoked.is_some(), "{panics_at:?}");
            let actions = [Action::KeyLeaked, Action::KeyRevoked];
            assert_eq!(*told.lock().unwrap(), actions, "{panics_at:?}");
            assert!(!reports.revoke(&reported).await.unwrap(), "{panics_at:?}");
        }
    }
}
