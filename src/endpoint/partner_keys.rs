#![cfg_attr(
    not(feature = "pem"),
    allow(
        dead_code,
        reason = "what is published is PEM, and nothing else is loaded"
    )
)]

use crate::clock::Clock;
use crate::config::ConfigProblem;
use crate::fetch::{Fetch, HttpUrl, Trust};
use crate::key_set::{JwtAlgorithm, JwtKey, check_back_end};
use crate::reject::Rejection;
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How often the keys are loaded at most, whatever comes of it.
const COOLDOWN: Duration = Duration::from_secs(60);
/// How long that may take.
const WITHIN: Duration = Duration::from_secs(5);
/// How much is read of what the partner publishes.
const LONGEST: usize = 64 * 1024;
/// The parts of an ECDSA signature on P-256, in bytes.
const PART: usize = 32;

/// The public keys by which a partner signs what it reports. Clones share what was loaded.
#[derive(Clone)]
pub(super) struct PartnerKeys {
    given: Vec<Named>,
    source: Option<Source>,
    // Held over a load on purpose: whoever waits for it waits for that load, finds the keys, and
    // does not load them again.
    loaded: Arc<Mutex<Loaded>>,
    clock: Arc<dyn Clock>,
}

#[derive(Clone)]
struct Named {
    id: String,
    key: JwtKey,
}

#[derive(Clone)]
struct Source {
    url: String,
    fetch: Arc<dyn Fetch>,
}

#[derive(Default)]
struct Loaded {
    keys: Vec<Named>,
    /// When they were asked for last, by the steady clock.
    asked: Option<Duration>,
    /// Whether the last load failed, or has not ended.
    has_failed: bool,
}

/// What GitHub publishes.
#[derive(Deserialize)]
struct Published {
    public_keys: Vec<PublishedKey>,
}

#[derive(Deserialize)]
struct PublishedKey {
    key_identifier: String,
    key: String,
}

impl PartnerKeys {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            given: Vec::new(),
            source: None,
            loaded: Arc::default(),
            clock,
        }
    }

    pub(super) fn add(&mut self, id: String, key: JwtKey) {
        self.given.push(Named { id, key });
    }

    #[cfg(feature = "pem")]
    pub(super) fn load_from(&mut self, url: String, fetch: Arc<dyn Fetch>) {
        self.source = Some(Source { url, fetch });
    }

    /// Nobody could ever be believed.
    pub(super) fn is_empty(&self) -> bool {
        self.given.is_empty() && self.source.is_none()
    }

    pub(super) fn problems(&self) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        for Named { key, .. } in &self.given {
            problems.extend(key.check().err());
        }
        let Some(Source { url, .. }) = &self.source else {
            return problems;
        };
        if let Err(rule) = HttpUrl::configured(url, Trust::None) {
            let url = url.clone();
            problems.push(ConfigProblem::KeysUrl { url, rule });
        }
        if let Err(reason) = check_back_end() {
            let algorithm = JwtAlgorithm::Es256.name();
            problems.push(ConfigProblem::Key { algorithm, reason });
        }
        problems
    }

    /// Whether the key of that name signed this. 503 where it is not known and cannot be loaded.
    pub(super) async fn verifies(
        &self,
        id: &str,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, Rejection> {
        let Some(key) = self.find(id).await? else {
            return Ok(false);
        };
        // A text that is no signature is a wrong one: the caller is told no more of it.
        let Some(signature) = from_der(signature) else {
            return Ok(false);
        };
        Ok(key.verifies_message(message, &signature))
    }

    async fn find(&self, id: &str) -> Result<Option<JwtKey>, Rejection> {
        if let Some(key) = named(&self.given, id) {
            return Ok(Some(key));
        }
        let Some(source) = &self.source else {
            return Ok(None);
        };
        let mut loaded = self.loaded.lock().await;
        if let Some(key) = named(&loaded.keys, id) {
            return Ok(Some(key));
        }
        let now = self.clock.steady();
        if let Some(asked) = loaded.asked
            && now.saturating_sub(asked) < COOLDOWN
        {
            // Whose key it is, nobody could tell: a report that is refused as forged may not come
            // again.
            if loaded.has_failed {
                return Err(Rejection::unavailable(
                    "partner keys",
                    "the last load failed",
                ));
            }
            return Ok(None);
        }
        // Claimed before the load and whatever comes of it: made-up ids must not have the keys
        // loaded again and again.
        loaded.asked = Some(now);
        loaded.has_failed = true;
        loaded.keys = source.load().await?;
        loaded.has_failed = false;
        Ok(named(&loaded.keys, id))
    }
}

fn named(keys: &[Named], id: &str) -> Option<JwtKey> {
    let found = keys.iter().find(|named| named.id == id)?;
    Some(found.key.clone())
}

impl Source {
    async fn load(&self) -> Result<Vec<Named>, Rejection> {
        let url = HttpUrl::configured(&self.url, Trust::None)
            .map_err(|rule| Rejection::unavailable("partner keys", rule))?;
        let fetched = timeout(WITHIN, self.fetch.fetch(url.request(), LONGEST)).await;
        let response = fetched
            .map_err(|late| Rejection::unavailable("partner keys", late))?
            .map_err(|error| Rejection::unavailable("partner keys", error))?;
        if !response.status().is_success() {
            return Err(Rejection::unavailable(
                "partner keys",
                "another status than 200",
            ));
        }
        let published: Published = serde_json::from_slice(response.body())
            .map_err(|error| Rejection::unavailable("partner keys", error))?;
        let keys: Vec<Named> = published.public_keys.into_iter().filter_map(read).collect();
        // An empty list is an error, so that the keys that are held go on serving. Taken over, it
        // would refuse every report.
        if keys.is_empty() {
            return Err(Rejection::unavailable(
                "partner keys",
                "none that can be used",
            ));
        }
        Ok(keys)
    }
}

#[cfg(feature = "pem")]
fn read(published: PublishedKey) -> Option<Named> {
    let key = JwtKey::pem(JwtAlgorithm::Es256, &published.key);
    // One key that cannot be used costs no other.
    key.check().ok()?;
    Some(Named {
        id: published.key_identifier,
        key,
    })
}

#[cfg(not(feature = "pem"))]
fn read(published: PublishedKey) -> Option<Named> {
    let PublishedKey {
        key_identifier,
        key,
    } = published;
    let _ = (key_identifier, key);
    None
}

/// An ECDSA signature as JWS has it (RFC 7518 §3.4), of the form of X.509 (RFC 3279 §2.2.3):
/// `SEQUENCE { r INTEGER, s INTEGER }`. `None` where it is none of P-256.
fn from_der(der: &[u8]) -> Option<[u8; 2 * PART]> {
    let (body, rest) = element(0x30, der)?;
    let (r, body) = element(0x02, body)?;
    let (s, end) = element(0x02, body)?;
    if !rest.is_empty() || !end.is_empty() {
        return None;
    }
    let mut raw = [0; 2 * PART];
    write_part(r, &mut raw[..PART])?;
    write_part(s, &mut raw[PART..])?;
    Some(raw)
}

/// The content of an element of that tag, which is shorter than 128 bytes, and what follows it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, length], rest) = der.split_first_chunk::<2>()?;
    // No signature of P-256 is so long that its length takes a second byte. A longer form of a
    // short length is not DER, and would make a second spelling of one signature.
    if found != tag || length >= 0x80 {
        return None;
    }
    rest.split_at_checked(usize::from(length))
}

/// A positive number, as short as it can be written, to the right of its place.
fn write_part(number: &[u8], place: &mut [u8]) -> Option<()> {
    let digits = match number {
        [] => return None,
        [0, first, ..] if *first >= 0x80 => &number[1..],
        [0, _, ..] => return None,
        [first, ..] if *first >= 0x80 => return None,
        digits => digits,
    };
    let start = place.len().checked_sub(digits.len())?;
    place[start..].copy_from_slice(digits);
    Some(())
}

impl fmt::Debug for PartnerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = self.given.iter().map(|named| &named.id);
        f.debug_struct("PartnerKeys")
            .field("given", &given.collect::<Vec<_>>())
            .field("url", &self.source.as_ref().map(|source| &source.url))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_der_allows_is_a_signature() {
        let der = |r: &[u8], s: &[u8]| {
            let mut body = vec![0x02, u8::try_from(r.len()).unwrap()];
            body.extend_from_slice(r);
            body.extend([0x02, u8::try_from(s.len()).unwrap()]);
            body.extend_from_slice(s);
            let mut der = vec![0x30, u8::try_from(body.len()).unwrap()];
            der.extend(body);
            der
        };
        let high = [&[0, 0xff][..], &[1; 31]].concat();
        let raw = from_der(&der(&high, &[7])).unwrap();
        assert_eq!((raw[0], raw[31], raw[32], raw[63]), (0xff, 1, 0, 7));

        let whole = der(&high, &[7]);
        let mut longer = whole.clone();
        longer.push(0);
        let mut other_tag = whole.clone();
        other_tag[0] = 0x31;
        let wrong = [
            ("nothing", vec![]),
            ("a part", whole[..whole.len() - 1].to_vec()),
            ("more", longer),
            ("another tag", other_tag),
            ("negative", der(&[0x80], &[7])),
            ("empty", der(&[], &[7])),
            ("not as short as can be", der(&[0, 1], &[7])),
            ("too long", der(&[1; 33], &[7])),
        ];
        for (name, der) in wrong {
            assert_eq!(from_der(&der), None, "{name}");
        }
    }

    /// Publishes this text.
    #[cfg(all(feature = "pem", feature = "test-util"))]
    struct Site(&'static str);

    #[cfg(all(feature = "pem", feature = "test-util"))]
    #[async_trait::async_trait]
    impl Fetch for Site {
        async fn fetch(
            &self,
            _: http::Request<bytes::Bytes>,
            _: usize,
        ) -> Result<http::Response<bytes::Bytes>, crate::fetch::FetchError> {
            Ok(http::Response::new(self.0.into()))
        }
    }

    #[cfg(all(feature = "pem", feature = "test-util"))]
    #[tokio::test]
    async fn an_answer_without_a_key_that_can_be_used_replaces_none() {
        use crate::key_set::JwtAlgorithm;
        use crate::reject::RejectionKind;
        use crate::test_util::ManualClock;
        let answers = [
            r#"{"public_keys":[]}"#,
            r#"{"public_keys":[{"key_identifier":"b","key":"no PEM"}]}"#,
        ];
        for answer in answers {
            let mut keys = PartnerKeys::new(Arc::new(ManualClock::new(1_800_000_000)));
            keys.load_from("https://keys.example.com/".into(), Arc::new(Site(answer)));
            // RFC 7515, appendix A.3.
            let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
            let y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
            let id = String::from("a");
            let key = JwtKey::ec(JwtAlgorithm::Es256, x, y);
            keys.loaded.lock().await.keys = vec![Named { id, key }];
            let unknown = keys.find("b").await.map(|found| found.is_some());
            assert_eq!(
                unknown.unwrap_err().kind(),
                RejectionKind::Unavailable,
                "{answer}"
            );
            let held = keys.find("a").await.unwrap();
            assert!(held.is_some(), "{answer}: what is held serves");
        }
    }
}
