//! An issuer that answers as it is told: what is asked of it, and what is made of its answers.

use super::{JwksSource, OidcSource, Remote};
use crate::config::ConfigProblem;
use crate::fetch::{Fetch, FetchError, LearnedHost, Trust};
use crate::jwt::{JwtAlgorithm as Alg, JwtKey};
use crate::key_set::{Algorithms, KeySet, KeySource, LiveKeys, LiveLimits};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const ISSUER: &str = "https://login.example.com/realms/a";
const OPENID: &str = "https://login.example.com/realms/a/.well-known/openid-configuration";
const OAUTH: &str = "https://login.example.com/.well-known/oauth-authorization-server/realms/a";
const JWKS: &str = "https://login.example.com/keys";
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Clone)]
enum Does {
    Answers(u16, String, Vec<(&'static str, &'static str)>),
    Fails,
    Hangs,
}

#[derive(Default)]
struct Site {
    pages: Mutex<BTreeMap<String, Does>>,
    asked: Mutex<Vec<Asked>>,
}

/// A URL, the ETag that was sent along, and whether its host was learned.
type Asked = (String, Option<String>, bool);

#[async_trait]
impl Fetch for Site {
    async fn fetch(
        &self,
        request: Request<Bytes>,
        _: usize,
    ) -> Result<Response<Bytes>, FetchError> {
        assert_eq!(request.method(), "GET");
        let url = request.uri().to_string();
        let etag = request.headers().get("if-none-match");
        let etag = etag.map(|etag| etag.to_str().unwrap().to_owned());
        let learned = request.extensions().get::<LearnedHost>().is_some();
        self.asked
            .lock()
            .unwrap()
            .push((url.clone(), etag, learned));
        let does = self.pages.lock().unwrap().get(&url).cloned();
        match does {
            None => Ok(answer(404, "nothing here", &[])),
            Some(Does::Answers(status, body, fields)) => Ok(answer(status, &body, &fields)),
            Some(Does::Fails) => Err(FetchError::new("planted")),
            Some(Does::Hangs) => std::future::pending().await,
        }
    }
}

fn answer(status: u16, body: &str, fields: &[(&'static str, &'static str)]) -> Response<Bytes> {
    let mut response = Response::new(Bytes::copy_from_slice(body.as_bytes()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in fields {
        response.headers_mut().append(*name, value.parse().unwrap());
    }
    response
}

fn ok(body: impl Into<String>) -> Does {
    Does::Answers(200, body.into(), vec![("content-type", "text/plain")])
}

fn configuration(issuer: &str, jwks: &str) -> String {
    format!(r#"{{"issuer":"{issuer}","jwks_uri":"{jwks}","token_endpoint":"…"}}"#)
}

fn jwks(ids: &[&str]) -> String {
    let key = |id: &&str| format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{id}","x":"{X}"}}"#);
    let keys: Vec<String> = ids.iter().map(key).collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

impl Site {
    fn new(pages: &[(&str, Does)]) -> Arc<Self> {
        let site = Self::default();
        for (url, does) in pages {
            site.now(url, does.clone());
        }
        Arc::new(site)
    }

    fn usual() -> Arc<Self> {
        let found = ok(configuration(ISSUER, JWKS));
        Self::new(&[(OPENID, found), (JWKS, ok(jwks(&["a"])))])
    }

    fn now(&self, url: &str, does: Does) {
        self.pages.lock().unwrap().insert(url.to_owned(), does);
    }

    /// The URLs that were asked since the last time.
    fn asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.into_iter().map(|(url, _, _)| url).collect()
    }
}

fn remote(site: &Arc<Site>) -> Remote {
    Remote {
        fetch: Arc::clone(site) as _,
        trust: Trust::None,
        allowed: Algorithms::all(),
        known: Vec::new(),
    }
}

fn oidc(site: &Arc<Site>) -> OidcSource {
    OidcSource::new(ISSUER, ISSUER, remote(site)).unwrap()
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// The set of what a source loads, or what it says is wrong.
async fn loaded(source: &impl KeySource, now: SystemTime) -> Result<Option<KeySet>, String> {
    match source.load(now).await {
        Ok(loaded) => Ok(loaded.keys),
        Err(error) => {
            let mut text = String::new();
            crate::chain::write_chain(&error, &mut text).unwrap();
            Err(text)
        }
    }
}

fn has(set: &KeySet, kid: &str) -> bool {
    set.choose(Some("EdDSA"), Some(kid)).is_ok()
}

#[tokio::test]
async fn an_issuer_says_where_its_keys_are() {
    let site = Site::usual();
    let set = loaded(&oidc(&site), now()).await.unwrap().unwrap();
    assert!(has(&set, "a"));
    assert_eq!(site.asked(), [OPENID, JWKS]);

    // RFC 8414, where there is no OpenID Connect.
    let site = Site::new(&[
        (OAUTH, ok(configuration(ISSUER, JWKS))),
        (JWKS, ok(jwks(&["a"]))),
    ]);
    assert!(loaded(&oidc(&site), now()).await.unwrap().is_some());
    assert_eq!(site.asked(), [OPENID, OAUTH, JWKS]);
}

#[tokio::test]
async fn the_documents_of_an_issuer_are_where_the_specifications_say() {
    let cases = [
        (
            "https://login.example.com",
            "https://login.example.com/.well-known/openid-configuration",
            "https://login.example.com/.well-known/oauth-authorization-server",
        ),
        (
            "https://example.eu.auth0.com/",
            "https://example.eu.auth0.com/.well-known/openid-configuration",
            "https://example.eu.auth0.com/.well-known/oauth-authorization-server",
        ),
        (
            "https://login.example.com:8443/a/b/",
            "https://login.example.com:8443/a/b/.well-known/openid-configuration",
            "https://login.example.com:8443/.well-known/oauth-authorization-server/a/b",
        ),
    ];
    for (issuer, openid, oauth) in cases {
        let site = Site::new(&[]);
        let source = OidcSource::new(issuer, issuer, remote(&site)).unwrap();
        assert!(loaded(&source, now()).await.is_err());
        assert_eq!(site.asked(), [openid, oauth]);
        let site = Site::new(&[(openid, ok(configuration(issuer, JWKS)))]);
        site.now(JWKS, ok(jwks(&["a"])));
        let source = OidcSource::new(issuer, issuer, remote(&site)).unwrap();
        assert!(loaded(&source, now()).await.is_ok(), "{issuer}");
    }
}

#[tokio::test]
async fn a_provider_with_many_tenants_calls_itself_by_its_template() {
    let at = "https://login.microsoftonline.com/common/v2.0";
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let openid = format!("{at}/.well-known/openid-configuration");
    let site = Site::new(&[(JWKS, ok(jwks(&["a"])))]);
    for (said, is_right) in [(template, true), (at, false), (ISSUER, false)] {
        site.now(&openid, ok(configuration(said, JWKS)));
        let source = OidcSource::new(at, template, remote(&site)).unwrap();
        assert_eq!(loaded(&source, now()).await.is_ok(), is_right, "{said}");
    }
}

#[tokio::test]
async fn an_issuer_that_is_another_or_says_nothing_useful_is_refused() {
    let with = |member: &str| format!(r#"{{"issuer":"{ISSUER}",{member}}}"#);
    let cases = [
        (
            "another issuer",
            ok(configuration("https://login.example.org", JWKS)),
            "issuer is not",
        ),
        (
            "a slash more",
            ok(configuration(&format!("{ISSUER}/"), JWKS)),
            "issuer is not",
        ),
        (
            "a prefix",
            ok(configuration("https://login.example.com/", JWKS)),
            "issuer is not",
        ),
        (
            "in capitals",
            ok(configuration(&ISSUER.to_uppercase(), JWKS)),
            "issuer is not",
        ),
        (
            "no issuer",
            ok(format!(r#"{{"jwks_uri":"{JWKS}"}}"#)),
            "issuer is not",
        ),
        (
            "a number",
            ok(r#"{"issuer":7,"jwks_uri":"https://a.example/"}"#),
            "issuer is not",
        ),
        (
            "an array of it",
            ok(format!(r#"{{"issuer":["{ISSUER}"]}}"#)),
            "issuer is not",
        ),
        ("an array", ok("[]"), "issuer is not"),
        ("no JSON", ok("<html>planted</html>"), "no JSON"),
        ("empty", ok(""), "no JSON"),
        ("very deep", ok("[".repeat(100_000)), "no JSON"),
        ("no jwks_uri", ok(with(r#""jwks":"x""#)), "no jwks_uri"),
        (
            "jwks_uri is an object",
            ok(with(r#""jwks_uri":{}"#)),
            "no jwks_uri",
        ),
        ("too long", ok(" ".repeat(512 * 1024 + 1)), "512 KiB"),
        (
            "500",
            Does::Answers(500, configuration(ISSUER, JWKS), vec![]),
            "status is not 200: 500",
        ),
        (
            "302",
            Does::Answers(302, String::new(), vec![("location", JWKS)]),
            "200: 302",
        ),
        (
            "304, unasked",
            Does::Answers(304, String::new(), vec![]),
            "200: 304",
        ),
        ("403", Does::Answers(403, String::new(), vec![]), "200: 403"),
        (
            "no answer",
            Does::Fails,
            "could not be fetched: the request failed: planted",
        ),
    ];
    for (name, does, rule) in cases {
        let site = Site::new(&[(OPENID, does), (JWKS, ok(jwks(&["a"])))]);
        let wrong = loaded(&oidc(&site), now()).await.unwrap_err();
        assert!(wrong.contains(rule), "{name}: {wrong}");
        assert!(!wrong.contains("planted</html>"), "{name}: {wrong}");
        assert_eq!(site.asked(), [OPENID], "{name}: nothing else is asked");
    }
}

#[tokio::test]
async fn the_url_of_the_keys_is_held_to_the_rules_for_urls() {
    let refused = [
        "http://login.example.com/keys",
        "http://127.0.0.1/keys",
        "https://127.0.0.1/keys",
        "https://localhost/keys",
        "https://169.254.169.254/latest/meta-data/iam",
        "https://[::ffff:169.254.169.254]/",
        "https://10.0.0.7/keys",
        "https://[fd00::7]/keys",
        "https://user:word@login.example.com/keys",
        "https://login.example.com/keys#a",
        "https://2852039166/",
        "file:///etc/passwd",
        "/keys",
        "keys",
        "",
    ];
    for url in refused {
        let site = Site::new(&[(OPENID, ok(configuration(ISSUER, url)))]);
        let wrong = loaded(&oidc(&site), now()).await.unwrap_err();
        assert!(
            wrong.contains("its jwks_uri cannot be used: "),
            "{url}: {wrong}"
        );
        assert_eq!(
            site.asked(),
            [OPENID],
            "{url}: nothing is fetched from there"
        );
    }
    for (url, is_learned) in [
        ("https://login.example.com/keys?a=b", false),
        ("https://keys.example.org/a", true),
    ] {
        let site = Site::new(&[
            (OPENID, ok(configuration(ISSUER, url))),
            (url, ok(jwks(&["a"]))),
        ]);
        assert!(loaded(&oidc(&site), now()).await.is_ok(), "{url}");
        let asked = site.asked.lock().unwrap().clone();
        assert_eq!(asked[1], (url.to_owned(), None, is_learned));
    }
    // Where the operator says so, an issuer of this network may name its neighbours.
    let (at, keys) = ("http://keycloak:8080/realms/a", "http://10.0.0.7/keys");
    let openid = format!("{at}/.well-known/openid-configuration");
    let site = Site::new(&[
        (&openid, ok(configuration(at, keys))),
        (keys, ok(jwks(&["a"]))),
    ]);
    let trusted = Remote {
        trust: Trust::Dangerous,
        ..remote(&site)
    };
    let source = OidcSource::new(at, at, trusted).unwrap();
    assert!(loaded(&source, now()).await.is_ok());
}

#[test]
fn a_url_that_breaks_a_rule_is_a_mistake_of_the_configuration() {
    let site = Site::new(&[]);
    for url in [
        "",
        "login.example.com",
        "http://login.example.com",
        "https://a.example/#b",
    ] {
        let at_url = JwksSource::new(url, remote(&site)).err().unwrap();
        let by_name = OidcSource::new(url, url, remote(&site)).err().unwrap();
        for problem in [at_url, by_name] {
            assert!(
                matches!(problem, ConfigProblem::KeysUrl { .. }),
                "{url}: {problem}"
            );
        }
    }
    assert!(OidcSource::new("https://a.example/?b=c", "", remote(&site)).is_err());
    assert!(JwksSource::new("https://a.example/?b=c", remote(&site)).is_ok());
}

#[tokio::test]
async fn a_jwk_set_is_judged_by_what_it_is_and_not_by_what_it_is_called() {
    let source = |does: Does| {
        let site = Site::new(&[(JWKS, does)]);
        JwksSource::new(JWKS, remote(&site)).unwrap()
    };
    for content_type in ["application/json", "text/html", "application/octet-stream"] {
        let does = Does::Answers(200, jwks(&["a"]), vec![("content-type", content_type)]);
        assert!(loaded(&source(does), now()).await.unwrap().is_some());
    }
    let cases = [
        (
            "HTML",
            ok("<html>planted</html>"),
            "no JWK set: it is no JSON",
        ),
        ("empty", ok(""), "no JWK set"),
        ("no keys", ok("{}"), "no JWK set"),
        (
            "an empty set",
            ok(r#"{"keys":[]}"#),
            "no key that can be used",
        ),
        (
            "nothing usable",
            ok(r#"{"keys":[{"kty":"RSA","use":"enc"}]}"#),
            "no key that can be used",
        ),
        (
            "a secret",
            ok(r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#),
            "no key that can be used",
        ),
        (
            "404",
            Does::Answers(404, jwks(&["a"]), vec![]),
            "status is not 200: 404",
        ),
        (
            "206",
            Does::Answers(206, jwks(&["a"]), vec![]),
            "status is not 200: 206",
        ),
        (
            "304, unasked",
            Does::Answers(304, String::new(), vec![]),
            "status is not 200: 304",
        ),
        ("no answer", Does::Fails, "planted"),
    ];
    for (name, does, rule) in cases {
        let wrong = loaded(&source(does), now()).await.unwrap_err();
        assert!(wrong.contains(rule), "{name}: {wrong}");
        assert!(!wrong.contains("planted</html>"), "{name}: {wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_costs_five_seconds() {
    let site = Site::new(&[(JWKS, Does::Hangs), (OPENID, Does::Hangs)]);
    let began = tokio::time::Instant::now();
    let source = JwksSource::new(JWKS, remote(&site)).unwrap();
    let wrong = loaded(&source, now()).await.unwrap_err();
    assert!(wrong.contains("in time"), "{wrong}");
    assert!(loaded(&oidc(&site), now()).await.is_err());
    assert_eq!(began.elapsed(), Duration::from_secs(10));
}

#[tokio::test]
async fn a_set_that_has_not_changed_is_not_sent_or_not_read_again() {
    let tagged =
        |body: &str, tag: &'static str| Does::Answers(200, body.to_owned(), vec![("etag", tag)]);
    let site = Site::new(&[(JWKS, tagged(&jwks(&["a"]), r#"W/"1""#))]);
    let source = JwksSource::new(JWKS, remote(&site)).unwrap();
    assert!(loaded(&source, now()).await.unwrap().is_some());
    let cached = vec![("cache-control", "max-age=120")];
    site.now(JWKS, Does::Answers(304, String::new(), cached));
    let again = source.load(now()).await.unwrap();
    assert!(again.keys.is_none());
    assert_eq!(again.fresh_for, Some(Duration::from_secs(120)));
    // The same text without a 304.
    site.now(JWKS, ok(jwks(&["a"])));
    assert!(loaded(&source, now()).await.unwrap().is_none());
    // A set that is not taken is not what the next one is compared with.
    site.now(JWKS, tagged(r#"{"keys":[]}"#, r#""2""#));
    assert!(loaded(&source, now()).await.is_err());
    site.now(JWKS, tagged(&jwks(&["a"]), r#""3""#));
    assert!(loaded(&source, now()).await.unwrap().is_none());
    site.now(JWKS, tagged(&jwks(&["b"]), r#""4""#));
    assert!(has(&loaded(&source, now()).await.unwrap().unwrap(), "b"));
    let sent = site.asked.lock().unwrap().clone();
    let tags: Vec<Option<&str>> = sent.iter().map(|(_, tag, _)| tag.as_deref()).collect();
    let first = Some(r#"W/"1""#);
    assert_eq!(tags, [None, first, first, None, None, Some(r#""3""#)]);
}

#[tokio::test]
async fn what_an_issuer_says_of_itself_is_asked_again_after_its_time_or_where_its_keys_are_gone() {
    let site = Site::usual();
    let source = oidc(&site);
    let mut at = now();
    assert!(loaded(&source, at).await.is_ok());
    site.asked();
    at += 59 * MINUTE;
    assert!(loaded(&source, at).await.is_ok());
    assert_eq!(site.asked(), [JWKS], "an hour, where nothing is said");
    at += MINUTE;
    assert!(loaded(&source, at).await.is_ok());
    assert_eq!(site.asked(), [OPENID, JWKS]);

    // The keys have moved.
    let moved = "https://keys.example.org/new";
    site.now(OPENID, ok(configuration(ISSUER, moved)));
    site.now(moved, ok(jwks(&["b"])));
    site.now(JWKS, Does::Answers(410, String::new(), vec![]));
    let set = loaded(&source, at).await.unwrap().unwrap();
    assert!(has(&set, "b"));
    assert_eq!(site.asked(), [JWKS, OPENID, moved]);
    assert!(loaded(&source, at).await.is_ok());
    assert_eq!(site.asked(), [moved]);

    // One that is down has not moved.
    site.now(moved, Does::Answers(503, String::new(), vec![]));
    assert!(loaded(&source, at).await.is_err());
    site.now(moved, Does::Fails);
    assert!(loaded(&source, at).await.is_err());
    assert_eq!(site.asked(), [moved, moved]);
    // One that is gone for good is asked for once.
    site.now(moved, Does::Answers(404, String::new(), vec![]));
    assert!(loaded(&source, at).await.is_err());
    assert_eq!(site.asked(), [moved, OPENID, moved]);
    // A clock that was set back.
    at -= 24 * 60 * MINUTE;
    assert!(loaded(&source, at).await.is_err());
    assert_eq!(site.asked(), [OPENID, moved]);
}

#[tokio::test]
async fn how_long_an_issuer_is_believed_is_what_it_says_within_bounds() {
    let cases = [
        ("max-age=300", 5 * MINUTE),
        ("no-store", MINUTE),
        ("max-age=1", MINUTE),
        ("max-age=31536000", 24 * 60 * MINUTE),
    ];
    for (said, believed) in cases {
        let fields = vec![("cache-control", said)];
        let site = Site::usual();
        site.now(
            OPENID,
            Does::Answers(200, configuration(ISSUER, JWKS), fields),
        );
        let source = oidc(&site);
        assert!(loaded(&source, now()).await.is_ok());
        site.asked();
        assert!(
            loaded(&source, now() + believed - MINUTE / 60)
                .await
                .is_ok()
        );
        assert_eq!(site.asked(), [JWKS], "{said}");
        assert!(loaded(&source, now() + believed).await.is_ok());
        assert_eq!(site.asked(), [OPENID, JWKS], "{said}");
    }
}

#[tokio::test]
async fn keys_that_the_operator_gave_are_in_each_set_and_make_no_empty_one_whole() {
    let secret = "u4Zq7Kw2xRm90123456789abcdefghij";
    let site = Site::usual();
    let with = Remote {
        allowed: [Alg::EdDsa].into_iter().collect(),
        known: vec![JwtKey::hs256(secret)],
        ..remote(&site)
    };
    let source = JwksSource::new(JWKS, with).unwrap();
    let set = loaded(&source, now()).await.unwrap().unwrap();
    assert!(has(&set, "a") && set.choose(Some("HS256"), None).is_ok());
    site.now(JWKS, ok(r#"{"keys":[]}"#));
    assert!(loaded(&source, now()).await.is_err());
}

#[tokio::test]
async fn through_live_keys_a_rotation_is_found_and_an_outage_is_not_seen() {
    let site = Site::usual();
    let live = LiveKeys::new(Arc::new(oidc(&site)), LiveLimits::default());
    let mut at = now();
    let (first, set) = live.usable(at).await.unwrap();
    assert!(has(&set, "a"));
    site.now(JWKS, ok(jwks(&["b"])));
    at += MINUTE;
    let (_, set) = live.newer(first, at).await.unwrap();
    assert!(has(&set, "b") && !has(&set, "a"));
    site.now(JWKS, Does::Fails);
    site.now(OPENID, Does::Fails);
    for _ in 0..6 {
        at += 10 * MINUTE;
        assert!(has(&live.usable(at).await.unwrap().1, "b"));
        tokio::task::yield_now().await;
    }
    at += 24 * 60 * MINUTE;
    assert!(live.usable(at).await.is_err());
}
