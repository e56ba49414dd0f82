//! A credential counts where its scheme reads it and nowhere else, and each place keeps its
//! precautions.

use super::case::{Why, bytes as raw};
use super::world::{PASSWORD, World, basic, clock, key_of, prefixed, world};
use crate::support::{AUDIENCE, FAR, Reply, SECRET, jwt, mistyped, reply, token_for};
use crate::watch::{Log, Pieces};
use http::header::{CACHE_CONTROL, REFERRER_POLICY, SEC_WEBSOCKET_PROTOCOL, VARY};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tower::{ServiceExt, service_fn};
use tower_auth::credential::{Credential, Source};
use tower_auth::layer::AuthLayerBuilder;
use tower_auth::scheme::{Answer, Attempt, Scheme};
use tower_auth::store::Memory;
use tower_auth::test_util::{Intercept, Intercepted, TokenMint};
use tower_auth::{
    ApiKeys, AuthLayer, KeyRequest, PasswordPolicy, Principal, Realm, Rejection, RejectionKind,
    Secret, Subject,
};
use tower_layer::Layer;

type Body = Full<bytes::Bytes>;

const COOKIE: &str = "__Host-key";
const SITE: &str = "https://api.example.com";

/// What is sent, and what becomes of it.
struct Row {
    name: &'static str,
    request: Request<Body>,
    expect: Expect,
}

#[derive(Clone, Copy, Debug)]
enum Expect {
    /// The handler runs and answers this.
    Caller(&'static str),
    Refused(Why),
    /// 403: no page of this origin sent it.
    Forbidden,
}
use Expect::{Caller, Forbidden, Refused};
use Why::{Empty, Key, Malformed, Missing, NonAscii, Oversized, Several, Token};

const KEY: Expect = Caller("ApiKey 7");
const ANNA: Expect = Caller("Jwt anna");

/// `method target`, and fields of which each is `name: value`.
fn asked(line: &str, fields: &[&str]) -> Request<Body> {
    let (method, target) = line.split_once(' ').unwrap();
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header("host", "api.example.com");
    for field in fields {
        let (name, value) = field.split_once(": ").unwrap();
        let value = HeaderValue::from_bytes(&raw(value)).unwrap();
        request = request.header(name, value);
    }
    request.body(Full::default()).unwrap()
}

fn row(name: &'static str, line: &str, fields: &[&str], expect: Expect) -> Row {
    Row {
        name,
        request: asked(line, fields),
        expect,
    }
}

/// What the handler saw of requests.
type Seen = Arc<Mutex<String>>;

async fn answer(layer: &AuthLayer, seen: &Seen, request: Request<Body>) -> Reply {
    let inner = service_fn(|request: Request<Body>| {
        let caller = Principal::optional_from_extensions(request.extensions()).unwrap();
        let (head, _) = request.into_parts();
        seen.lock()
            .unwrap()
            .push_str(&format!("{head:?} {caller:?} {}\n", head.uri));
        let text = match caller {
            Some(caller) => format!("{:?} {}", caller.method(), caller.subject()),
            None => String::from("anonymous"),
        };
        std::future::ready(Ok::<_, Infallible>(Response::new(Body::from(text))))
    });
    reply(layer.layer(inner).oneshot(request).await.unwrap()).await
}

/// Every row is answered as stated, and nothing that anybody can read has a piece of a secret.
async fn judge(world: &World, configure: impl FnOnce(&Realm) -> AuthLayerBuilder, rows: Vec<Row>) {
    let told = Seen::default();
    let events = Arc::clone(&told);
    let realm = world
        .realm()
        .on_event(move |event| events.lock().unwrap().push_str(&format!("{event:?}\n")));
    let layer = configure(&realm)
        .max_credential_len(1_000)
        .public_url(SITE)
        .build()
        .unwrap();
    let seen = Seen::default();
    let log = Log::default();
    let _guard = log.capture();
    let mut faults = Vec::new();
    for Row {
        name,
        request,
        expect,
    } in rows
    {
        let reply = answer(&layer, &seen, request).await;
        let got = (reply.status.as_u16(), reply.text().to_owned());
        let is_right = match expect {
            Caller(caller) => got == (200, caller.to_owned()),
            Refused(why) => {
                let (status, code) = why.status_and_code();
                got.0 == status && reply.code() == code
            }
            Forbidden => got.0 == 403 && reply.code() == "permission_denied",
        };
        if !is_right {
            faults.push(format!("{name}: {expect:?}, but {got:?}"));
        }
        seen.lock()
            .unwrap()
            .push_str(&format!("{:?} {}", reply.headers, reply.text()));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let pieces = Pieces::of(&world.secrets());
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert!(seen.contains("Principal"), "the search looks at something");
    pieces.assert_none_in("request or answer", seen);
    let told = std::mem::take(&mut *told.lock().unwrap());
    assert!(told.contains("Refused"), "{told}");
    pieces.assert_none_in("event", told);
    let logged = log.take();
    assert!(!logged.is_empty());
    pieces.assert_none_in("log", logged);
    pieces.assert_none_in("Debug", format!("{layer:?}"));
}

fn keys_at(realm: &Realm, sources: impl IntoIterator<Item = Source>) -> AuthLayerBuilder {
    let keys = realm.api_keys(prefixed().sources(sources));
    AuthLayer::builder().accept(&keys)
}

fn tokens_and_keys_at(realm: &Realm, source: &Source) -> AuthLayerBuilder {
    keys_at(realm, [source.clone()]).accept(jwt().sources([source.clone()]))
}

fn long() -> String {
    format!("egret_{}", "a".repeat(1_000))
}

#[tokio::test]
async fn each_header_form_is_read_where_it_is_configured_and_nowhere_else() {
    let world = world().await;
    let key = &world.key;
    let as_bearer = format!("authorization: Bearer {key}");
    let as_api_key = format!("authorization: Api-Key {key}");
    let in_field = format!("x-acme-key: {key}");
    let in_usual = format!("x-api-key: {key}");
    // The names of schemes are compared without regard to case.
    let as_token = format!("authorization: tOKEN {key}");
    let all = [&*as_bearer, &as_api_key, &in_field, &in_usual, &as_token];
    for (source, expects) in [
        (
            Source::bearer(),
            [
                KEY,
                Refused(Why::Scheme),
                Refused(Missing),
                Refused(Missing),
                Refused(Why::Scheme),
            ],
        ),
        (
            Source::api_key(),
            [
                Refused(Key),
                KEY,
                Refused(Missing),
                Refused(Missing),
                Refused(Why::Scheme),
            ],
        ),
        (
            Source::header("X-Acme-Key"),
            [
                Refused(Key),
                Refused(Why::Scheme),
                KEY,
                Refused(Missing),
                Refused(Why::Scheme),
            ],
        ),
        (
            Source::token(),
            [
                Refused(Key),
                Refused(Why::Scheme),
                Refused(Missing),
                Refused(Missing),
                KEY,
            ],
        ),
    ] {
        let rows = all.into_iter().zip(expects);
        let mut rows: Vec<Row> = rows
            .map(|(field, expect)| row("alone", "GET /", &[field], expect))
            .collect();
        let token = format!("authorization: Bearer {}", world.token);
        rows.push(row("a token all the same", "GET /", &[&token], ANNA));
        let elsewhere = format!("GET /?api_key={key}&access_token={key}");
        let cookie = format!("cookie: {COOKIE}={key}");
        let protocol = format!("sec-websocket-protocol: chat, bearer.{key}");
        // What is not read is nobody's to hide: these alone would be found by the search for
        // pieces.
        let realm = world.realm();
        let layer = keys_at(&realm, [source.clone()]).accept(jwt());
        let layer = layer.build().unwrap();
        for request in [
            asked(&elsewhere, &[]),
            asked("GET /", &[&cookie]),
            asked("GET /", &[&protocol]),
        ] {
            let refused = answer(&layer, &Seen::default(), request).await;
            assert_eq!(
                (refused.status.as_u16(), &*refused.code()),
                (401, "not_authenticated")
            );
        }
        judge(world, |realm| keys_at(realm, [source]).accept(jwt()), rows).await;
    }
}

#[tokio::test]
async fn challenges_and_vary_say_what_is_accepted() {
    let world = world().await;
    let bearer = r#"Bearer realm="api""#;
    let api_key = r#"Api-Key realm="api""#;
    let field = r#"ApiKey realm="api", in="header", name="X-Acme-Key""#;
    let cookie = r#"ApiKey realm="api", in="cookie", name="__Host-key""#;
    let basic = r#"Basic realm="api", charset="UTF-8""#;
    let token = r#"Token realm="api""#;
    let rows: [(Vec<Source>, &[&str], &str); 10] = [
        (vec![Source::bearer()], &[bearer], "Authorization"),
        (vec![Source::basic()], &[basic], "Authorization"),
        (
            vec![
                Source::basic(),
                Source::header("X-Acme-Key"),
                Source::bearer(),
            ],
            &[bearer, basic],
            "Authorization, X-Acme-Key",
        ),
        (vec![Source::api_key()], &[api_key], "Authorization"),
        (
            vec![Source::token(), Source::api_key()],
            &[api_key, token],
            "Authorization",
        ),
        (
            vec![Source::header("X-Acme-Key")],
            &[field],
            "Authorization, X-Acme-Key",
        ),
        (
            vec![Source::api_key(), Source::header("X-Acme-Key")],
            &[api_key],
            "Authorization, X-Acme-Key",
        ),
        (
            vec![Source::cookie(COOKIE), Source::bearer()],
            &[bearer],
            "Authorization, Cookie",
        ),
        (
            vec![Source::cookie(COOKIE)],
            &[cookie],
            "Authorization, Cookie",
        ),
        (
            vec![
                Source::bearer(),
                Source::websocket("key"),
                Source::query("key"),
            ],
            &[bearer],
            "Authorization, Sec-WebSocket-Protocol",
        ),
    ];
    for (sources, challenges, fields) in rows {
        let layer = keys_at(&world.realm(), sources.clone())
            .vary()
            .build()
            .unwrap();
        let refused = answer(&layer, &Seen::default(), asked("GET /", &[])).await;
        assert_eq!(refused.challenges(), challenges, "{sources:?}");
        let open = layer.optional();
        let passed = answer(&open, &Seen::default(), asked("GET /", &[])).await;
        assert_eq!(passed.headers[VARY], fields, "{sources:?}");
    }
}

#[tokio::test]
async fn a_key_in_a_field_of_its_own_may_have_any_visible_character() {
    let foreign = r##"!"#$%&'()*+,-./0:;<=>?@A[\]^_`a{|}~,as=another,system:wrote/it"##;
    let sources = [
        Source::header("X-Foreign"),
        Source::header("X-Second"),
        Source::bearer(),
    ];
    let realm = Realm::new(Memory::new());
    let keys = realm.api_keys(ApiKeys::bare().opaque().sources(sources));
    let request = KeyRequest::new(Subject::user("8"), "ci");
    keys.import(&Secret::new(foreign.into()), request)
        .await
        .unwrap();
    let layer = AuthLayer::builder().accept(&keys).build().unwrap();
    let ask = async |fields: &[&str]| {
        let reply = answer(&layer, &Seen::default(), asked("GET /", fields)).await;
        (reply.status.as_u16(), reply.text().to_owned())
    };
    for field in ["x-foreign", "x-second"] {
        let whole = format!("{field}: {foreign}");
        assert_eq!(ask(&[&whole]).await, (200, "ApiKey 8".into()));
        assert_eq!(ask(&[&format!("{field}: {foreign},")]).await.0, 401);
        assert_eq!(
            ask(&[&format!("{field}: {foreign}, {foreign}")]).await.0,
            400
        );
        assert_eq!(ask(&[&format!("{field}: \u{e4}{foreign}")]).await.0, 401);
        assert_eq!(ask(&[&whole, &whole]).await.0, 400);
        assert_eq!(ask(&[&format!("{field}: ")]).await.0, 401);
    }
    let both = [
        format!("x-foreign: {foreign}"),
        format!("x-second: {foreign}"),
    ];
    assert_eq!(ask(&[&both[0], &both[1]]).await.0, 400);
    assert_eq!(ask(&[&both[1], "authorization: Bearer x"]).await.0, 400);
    assert_eq!(
        ask(&[&format!("authorization: Bearer {foreign}")]).await.0,
        400
    );
}

fn line(value: &str) -> String {
    format!("authorization: {value}")
}

/// `Authorization: Basic` of that name and password.
fn in_basic(name_and_password: impl AsRef<[u8]>) -> String {
    line(&basic(name_and_password))
}

/// What is answered alike whether names and passwords are taken by Basic too or not.
fn rows_of_basic(world: &World) -> Vec<Row> {
    let key = &world.key;
    let good = &*in_basic(format!("{key}:"));
    let row = |name, fields: &[&str], expect| row(name, "GET /", fields, expect);
    let one = |name, text: String, expect| row(name, &[&in_basic(text)], expect);
    let typo = format!("{}:", mistyped(key));
    let mut rows = vec![
        row("key", &[good], KEY),
        row("lower case", &[&good.replace("Basic", "basic")], KEY),
        row("more spaces", &[&good.replace("Basic ", "Basic   ")], KEY),
        one("unknown", format!("{}:", world.unknown_key), Refused(Key)),
        one("revoked", format!("{}:", world.revoked_key), Refused(Key)),
        one("expired", format!("{}:", world.expired_key), Refused(Key)),
        one("a typo", typo, Refused(Key)),
        one("its prefix alone", "egret_:".into(), Refused(Key)),
        one("a letter before it", format!("a{key}:"), Refused(Key)),
        one("a space after it", format!("{key} :"), Refused(Malformed)),
        one(
            "a letter outside of ASCII",
            format!("{key}\u{e4}:"),
            Refused(NonAscii),
        ),
        one("a comma", format!("{key},a:"), Refused(Key)),
        one(
            "a control character",
            format!("{key}\n:"),
            Refused(Malformed),
        ),
        one("no colon", key.clone(), Refused(Malformed)),
        one("no name and no password", ":".into(), Refused(Empty)),
        one("no name", format!(":{key}"), Refused(Empty)),
        one("a token", format!("{}:", world.token), Refused(Key)),
        one(
            "a long name",
            format!("egret_{}:", "a".repeat(507)),
            Refused(Oversized),
        ),
        one("a long field", format!("{}:", long()), Refused(Oversized)),
        row("nothing", &[&line("Basic")], Refused(Empty)),
        row("no base64", &[&line("Basic a%b")], Refused(Malformed)),
        row(
            "the key as it is",
            &[&line(&format!("Basic {key}"))],
            Refused(Malformed),
        ),
        row(
            "without padding",
            &[good.trim_end_matches('=')],
            Refused(Malformed),
        ),
        row("twice", &[good, good], Refused(Several)),
        row(
            "joined",
            &[&format!("{good}, {}", basic(format!("{key}:")))],
            Refused(Several),
        ),
        row(
            "beside a Bearer",
            &[good, &line(&format!("Bearer {key}"))],
            Refused(Several),
        ),
        row(
            "beside a field",
            &[good, &format!("x-api-key: {key}")],
            Refused(Several),
        ),
        row(
            "beside a cookie",
            &[good, &format!("cookie: {COOKIE}={key}")],
            Refused(Several),
        ),
        row("a key in the field", &[&format!("x-api-key: {key}")], KEY),
        row(
            "a key in the cookie",
            &[&format!("cookie: {COOKIE}={key}")],
            KEY,
        ),
        row(
            "as a Bearer, where it is not read",
            &[&line(&format!("Bearer {key}"))],
            Refused(Key),
        ),
    ];
    let mut bytes = format!("{key}:").into_bytes();
    bytes[10] = 0xff;
    rows.push(row(
        "bytes that are no text",
        &[&in_basic(bytes)],
        Refused(Malformed),
    ));
    rows
}

#[tokio::test]
async fn a_key_stands_as_the_user_name_of_basic_with_an_empty_password_by_choice() {
    let world = world().await;
    let key = &world.key;
    let one = |name, text: String, expect| row(name, "GET /", &[&in_basic(text)], expect);
    let sources = [
        Source::basic(),
        Source::header("X-API-Key"),
        Source::cookie(COOKIE),
    ];
    let by_choice = |realm: &Realm| keys_at(realm, sources.clone()).accept(jwt());

    // Keys and tokens, and nobody's password.
    let mut rows = rows_of_basic(world);
    rows.extend([
        one("with a password", format!("{key}:{PASSWORD}"), Refused(Key)),
        one("with a colon more", format!("{key}::"), Refused(Key)),
        one("as the password", format!("anna:{key}"), Refused(Key)),
        one(
            "a name and a password",
            format!("anna:{PASSWORD}"),
            Refused(Key),
        ),
        one("a name", "anna:".into(), Refused(Key)),
        one(
            "a name outside of ASCII",
            "\u{e4}nna:".into(),
            Refused(NonAscii),
        ),
        row(
            "a token",
            "GET /",
            &[&line(&format!("Bearer {}", world.token))],
            ANNA,
        ),
    ]);
    judge(world, by_choice, rows).await;

    // The same beside names and passwords.
    let mut rows = rows_of_basic(world);
    rows.retain(|row| {
        // What has no prefix is a name without its password.
        !["a letter before it", "a token"].contains(&row.name)
    });
    let password = Refused(Why::Password);
    rows.extend([
        one("with a password", format!("{key}:{PASSWORD}"), password),
        one("with a colon more", format!("{key}::"), password),
        one("as the password", format!("anna:{key}"), password),
        one(
            "a name and a password",
            format!("anna:{PASSWORD}"),
            Caller("Basic 9"),
        ),
        one("another password", format!("anna:{PASSWORD}."), password),
        one("a name", "anna:".into(), Refused(Empty)),
        one(
            "a name outside of ASCII",
            "\u{e4}nna:".into(),
            Refused(Empty),
        ),
        one("a letter before it", format!("a{key}:"), Refused(Empty)),
        one(
            "a token as a name",
            format!("{}:", world.token),
            Refused(Empty),
        ),
    ]);
    let beside_passwords = |realm: &Realm| {
        let users = realm.users(PasswordPolicy::new());
        by_choice(realm).accept(users.basic())
    };
    judge(world, beside_passwords, rows).await;

    // Nobody chose it.
    let realm = world.realm();
    let keys = realm.api_keys(prefixed());
    let users = realm.users(PasswordPolicy::new());
    let usual = || AuthLayer::builder().accept(&keys);
    for (builder, why) in [
        (usual(), Why::Scheme),
        (usual().accept(users.basic()), Empty),
    ] {
        let layer = builder.build().unwrap();
        let request = asked("GET /", &[&in_basic(format!("{key}:"))]);
        let refused = answer(&layer, &Seen::default(), request).await;
        let (status, code) = why.status_and_code();
        assert_eq!((refused.status.as_u16(), &*refused.code()), (status, code));
    }
}

#[tokio::test]
async fn a_cookie_is_read_of_pages_of_the_same_origin_and_of_safe_requests() {
    let world = world().await;
    let (k, j) = (&world.key, &world.token);
    let key = &*format!("cookie: a=1; {COOKIE}={k}; b=2");
    let token = &*format!("cookie: {COOKIE}={j}");
    let cookie = |value: &str| format!("cookie: {COOKIE}={value}");
    let (site, origin) = (
        "sec-fetch-site: same-origin",
        "origin: https://api.example.com",
    );
    let foreign = [
        "sec-fetch-site: cross-site",
        "sec-fetch-site: same-site",
        "sec-fetch-site: none",
    ];
    let upgrade = "upgrade: websocket";
    let rows = vec![
        row("key", "GET /", &[key], KEY),
        row("token", "GET /", &[token], ANNA),
        row("in the second line", "HEAD /", &["cookie: a=1", key], KEY),
        row("followed link", "GET /", &[key, foreign[0]], KEY),
        row("page", "POST /", &[key, site], KEY),
        row("page of an older browser", "DELETE /", &[key, origin], KEY),
        row("another site", "POST /", &[key, foreign[0]], Forbidden),
        row(
            "another host of the domain",
            "PUT /",
            &[key, foreign[1]],
            Forbidden,
        ),
        row("an address typed", "POST /", &[key, foreign[2]], Forbidden),
        row("nobody says", "POST /", &[key], Forbidden),
        row(
            "another origin",
            "PATCH /",
            &[key, "origin: https://evil.example"],
            Forbidden,
        ),
        row(
            "without TLS",
            "POST /",
            &[key, "origin: http://api.example.com"],
            Forbidden,
        ),
        row("a sandbox", "POST /", &[key, "origin: null"], Forbidden),
        row(
            "site before origin",
            "POST /",
            &[key, foreign[0], origin],
            Forbidden,
        ),
        row(
            "a bad one of another site",
            "POST /",
            &[&cookie("x"), foreign[0]],
            Forbidden,
        ),
        row("socket of the page", "GET /", &[key, upgrade, origin], KEY),
        row(
            "socket of another page",
            "GET /",
            &[key, upgrade, "origin: https://evil.example"],
            Forbidden,
        ),
        row(
            "socket over HTTP/2",
            "CONNECT api.example.com:443",
            &[key],
            Forbidden,
        ),
        row(
            "twice",
            "GET /",
            &[&format!("{key}; {COOKIE}={k}")],
            Refused(Several),
        ),
        row("twice in two lines", "GET /", &[key, key], Refused(Several)),
        row(
            "beside a Bearer",
            "GET /",
            &[key, "authorization: Bearer x"],
            Refused(Several),
        ),
        row("empty", "GET /", &[&cookie("")], Refused(Empty)),
        row(
            "quoted",
            "GET /",
            &[&cookie(&format!("\"{k}\""))],
            Refused(Token),
        ),
        row(
            "a space in it",
            "GET /",
            &[&cookie("egret_ x")],
            Refused(Malformed),
        ),
        row(
            "bytes outside of ASCII",
            "GET /",
            &[&cookie("\u{e4}")],
            Refused(NonAscii),
        ),
        row(
            "oversized",
            "GET /",
            &[&cookie(&long())],
            Refused(Oversized),
        ),
        row("broken", "GET /", &[&cookie("egret_x")], Refused(Key)),
        row(
            "another name",
            "GET /",
            &["cookie: __host-key=x; __Host-key2=y"],
            Refused(Missing),
        ),
    ];
    let source = Source::cookie(COOKIE);
    judge(world, |realm| tokens_and_keys_at(realm, &source), rows).await;
}

#[tokio::test]
async fn a_query_parameter_is_read_once_of_get_and_head_and_taken_out() {
    let world = world().await;
    let (k, j) = (&world.key, &world.token);
    let escaped: String = k.bytes().map(|b| format!("%{b:02x}")).collect();
    let get = |query: &str| format!("GET /events?{query}");
    let row = |name, line: &str, expect| row(name, line, &[], expect);
    let mut rows = vec![
        row("key", &get(&format!("key={k}")), KEY),
        row("token", &get(&format!("key={j}")), ANNA),
        row("among others", &get(&format!("a=1&key={k}&b=%20")), KEY),
        row("percent-encoded", &get(&format!("key={escaped}")), KEY),
        row(
            "by a name that is encoded",
            &get(&format!("%6Bey={k}")),
            KEY,
        ),
        row("HEAD", &format!("HEAD /events?key={k}"), KEY),
        row("POST", &format!("POST /events?key={k}"), Refused(Malformed)),
        row(
            "DELETE",
            &format!("DELETE /events?key={k}"),
            Refused(Malformed),
        ),
        row("twice", &get(&format!("key={k}&key={k}")), Refused(Several)),
        row(
            "twice, once encoded",
            &get(&format!("key={k}&k%65y=x")),
            Refused(Several),
        ),
        row("empty", &get("key="), Refused(Empty)),
        row("without a value", &get("key"), Refused(Empty)),
        row(
            "broken escape",
            &get(&format!("key={k}%")),
            Refused(Malformed),
        ),
        row(
            "encoded NUL",
            &get(&format!("key={k}%00")),
            Refused(Malformed),
        ),
        row(
            "encoded space",
            &get(&format!("key=%20{k}")),
            Refused(Malformed),
        ),
        row(
            "bytes outside of ASCII",
            &get("key=%c3%a4"),
            Refused(NonAscii),
        ),
        row(
            "oversized",
            &get(&format!("key={}", long())),
            Refused(Oversized),
        ),
        row("broken", &get("key=egret_x"), Refused(Key)),
        row("another name", &get("Key=x&keys=y"), Refused(Missing)),
    ];
    rows.push(self::row(
        "beside a Bearer",
        &get(&format!("key={k}")),
        &["authorization: Bearer x"],
        Refused(Several),
    ));
    let source = Source::query("key");
    judge(world, |realm| tokens_and_keys_at(realm, &source), rows).await;
}

#[tokio::test]
async fn answers_to_a_credential_in_a_url_are_not_kept_and_send_no_referrer() {
    let world = world().await;
    let sources = [Source::query("key"), Source::bearer()];
    let layer = keys_at(&world.realm(), sources).build().unwrap();
    let good = format!("GET /?key={}", world.key);
    for line in [
        &*good,
        "GET /?key=x",
        "GET /?key=",
        "POST /?key=x",
        "GET /?key=x&key=y",
    ] {
        let answer = answer(&layer, &Seen::default(), asked(line, &[])).await;
        assert_eq!(answer.headers[REFERRER_POLICY], "no-referrer", "{line}");
        assert_eq!(answer.headers[CACHE_CONTROL], "no-store", "{line}");
    }
    let header = format!("authorization: Bearer {}", world.key);
    let plain = answer(&layer, &Seen::default(), asked("GET /?a=1", &[&header])).await;
    assert!(!plain.headers.contains_key(REFERRER_POLICY));
    assert!(!plain.headers.contains_key(CACHE_CONTROL));

    // Also where the store has to be asked first, and over what the handler says.
    let seen = Seen::default();
    let store = Intercepted::new(world.store().clone(), |call| {
        match call.starts_with("peek") {
            true => Intercept::Fail,
            false => Intercept::Pass,
        }
    });
    let slow = Realm::new(store).clock(clock());
    let asking = keys_at(&slow, [Source::query("key")]).build().unwrap();
    let answer = answer(&asking, &seen, asked(&format!("{good}&a=1"), &[])).await;
    assert_eq!(answer.text(), "ApiKey 7");
    assert_eq!(answer.headers[REFERRER_POLICY], "no-referrer");
    assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
    assert!(seen.lock().unwrap().ends_with(" /?a=1\n"), "{seen:?}");
}

#[tokio::test]
async fn a_websocket_protocol_is_read_once_and_taken_out() {
    let world = world().await;
    let (k, j) = (&world.key, &world.token);
    let offers = |items: &str| format!("sec-websocket-protocol: {items}");
    let alone = &*offers(&format!("key.{k}"));
    let row = |name, fields: &[&str], expect| row(name, "GET /", fields, expect);
    let rows = vec![
        row("key", &[&offers(&format!("chat, key.{k}"))], KEY),
        row("token", &[&offers(&format!("key.{j},chat"))], ANNA),
        row("alone", &[alone], KEY),
        row("in the second line", &[&offers("chat"), alone], KEY),
        row(
            "twice",
            &[&offers(&format!("key.{k}, chat, key.{k}"))],
            Refused(Several),
        ),
        row("twice in two lines", &[alone, alone], Refused(Several)),
        row(
            "beside a Bearer",
            &[alone, "authorization: Bearer x"],
            Refused(Several),
        ),
        row("empty", &[&offers("key., chat")], Refused(Empty)),
        row(
            "a space in it",
            &[&offers("key.egret_ x")],
            Refused(Malformed),
        ),
        row(
            "bytes outside of ASCII",
            &[&offers("key.\u{e4}")],
            Refused(NonAscii),
        ),
        row(
            "oversized",
            &[&offers(&format!("key.{}", long()))],
            Refused(Oversized),
        ),
        row("broken", &[&offers("chat, key.egret_x")], Refused(Key)),
        row(
            "other protocols",
            &[&offers("chat, Key.x, keys.y")],
            Refused(Missing),
        ),
    ];
    let source = Source::websocket("key");
    judge(world, |realm| tokens_and_keys_at(realm, &source), rows).await;
}

#[tokio::test]
async fn an_open_socket_has_a_protocol_that_the_client_offered_and_never_the_credential() {
    let world = world().await;
    let layer = keys_at(&world.realm(), [Source::websocket("key")]);
    let layer = layer.build().unwrap();
    let offered = |first: &str| format!("{first}key.{}", world.key);
    let switching = StatusCode::SWITCHING_PROTOCOLS;
    for (method, items, status, chooses, expected) in [
        (
            Method::GET,
            offered("v2, v1, "),
            switching,
            None,
            Some("v2"),
        ),
        (
            Method::GET,
            offered("v2, v1, "),
            switching,
            Some("v1"),
            Some("v1"),
        ),
        (Method::GET, offered(""), switching, None, None),
        (Method::GET, offered("v2, "), StatusCode::OK, None, None),
        (
            Method::CONNECT,
            offered("v2, "),
            StatusCode::OK,
            None,
            Some("v2"),
        ),
        (
            Method::CONNECT,
            offered("v2, "),
            StatusCode::NOT_FOUND,
            None,
            None,
        ),
        (Method::GET, "v2, key.x".into(), switching, None, None),
        (Method::GET, "v2".into(), switching, None, None),
    ] {
        let seen = Seen::default();
        let inner = service_fn(|request: Request<Body>| {
            seen.lock()
                .unwrap()
                .push_str(&format!("{:?}", request.headers()));
            let mut response = Response::new(Body::default());
            *response.status_mut() = status;
            let chosen = chooses.map(HeaderValue::from_static);
            let chosen = chosen.map(|chosen| (SEC_WEBSOCKET_PROTOCOL, chosen));
            response.headers_mut().extend(chosen);
            std::future::ready(Ok::<_, Infallible>(response))
        });
        let request = Request::builder()
            .method(method)
            .uri("http://api.example.com/")
            .header(SEC_WEBSOCKET_PROTOCOL, &items)
            .body(Body::default())
            .unwrap();
        let response = layer.layer(inner).oneshot(request).await.unwrap();
        let chosen = response.headers().get(SEC_WEBSOCKET_PROTOCOL);
        let chosen = chosen.map(|chosen| chosen.to_str().unwrap());
        assert_eq!(chosen, expected, "{items} {status}");
        let seen = seen.lock().unwrap();
        assert!(!seen.contains("key."), "{seen}");
    }
}

#[tokio::test]
async fn tokens_of_each_issuer_are_read_where_that_issuer_says() {
    let cookie = Source::cookie(COOKIE);
    let other = jwt().issuer("https://other.example.com");
    let layer = AuthLayer::builder()
        .realm(&world().await.realm())
        .accept(jwt().sources([cookie, Source::bearer()]))
        .accept(other.sources([Source::api_key()]))
        .build()
        .unwrap();
    let ours = token_for("anna");
    let claims = serde_json::json!({
        "iss": "https://other.example.com", "aud": AUDIENCE, "sub": "ben", "exp": FAR,
    });
    let foreign = TokenMint::hs256(SECRET).sign(&claims);
    for (field, status) in [
        (format!("authorization: Bearer {ours}"), 200),
        (format!("cookie: {COOKIE}={ours}"), 200),
        (format!("authorization: Api-Key {ours}"), 401),
        (format!("authorization: Api-Key {foreign}"), 200),
        (format!("authorization: Bearer {foreign}"), 401),
        (format!("cookie: {COOKIE}={foreign}"), 401),
    ] {
        let answer = answer(&layer, &Seen::default(), asked("GET /", &[&field])).await;
        assert_eq!(answer.status.as_u16(), status, "{field}");
    }
}

/// Opaque tokens, as a session store or an introspection endpoint knows them.
struct Opaque;

impl Scheme for Opaque {
    fn name(&self) -> &'static str {
        "Bearer"
    }

    fn authenticate(&self, attempt: &Attempt<'_>) -> Answer {
        let Credential::Token(token) = attempt.credential() else {
            return Answer::NotPresented;
        };
        assert_eq!(*token.source(), Source::bearer());
        match token.expose() {
            "opaque" | "o.p.q" => {
                Answer::Verified(Principal::builder(Subject::user("olga")).build())
            }
            _ => Answer::Refused(Rejection::new(RejectionKind::InvalidToken, "opaque")),
        }
    }
}

#[tokio::test]
async fn a_scheme_of_ones_own_gets_the_bearer_tokens_that_no_other_claims() {
    let world = world().await;
    let k = &world.key;
    let bearer = |token: &str| format!("authorization: Bearer {token}");
    let olga = Caller("Other olga");
    let case = |name, token: &str, expect| row(name, "GET /", &[&bearer(token)], expect);
    let rows = |jws| {
        vec![
            case("opaque", "opaque", olga),
            case("unknown", "another", Refused(Token)),
            case("three segments", "o.p.q", jws),
            case("key", k, KEY),
            case("broken key", "egret_opaque", Refused(Key)),
        ]
    };
    // The last one added is the last one asked, in whichever order they come.
    judge(
        world,
        |realm| keys_at(realm, [Source::bearer()]).accept(Opaque),
        rows(olga),
    )
    .await;
    let mut with_tokens = rows(Refused(Token));
    with_tokens.push(case("token", &world.token, ANNA));
    judge(
        world,
        |realm| {
            let keys = realm.api_keys(prefixed());
            AuthLayer::builder()
                .accept(Opaque)
                .accept(jwt())
                .accept(&keys)
        },
        with_tokens,
    )
    .await;

    let layer = AuthLayer::builder().accept(Opaque).build().unwrap();
    let refused = answer(&layer, &Seen::default(), asked("GET /", &[])).await;
    assert_eq!(refused.challenges(), [r#"Bearer realm="api""#]);
}

#[tokio::test]
async fn a_key_whose_prefix_ends_with_a_dash_is_told_by_it() {
    let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("sk-live-"));
    let new = key_of(&keys, "7").await;
    let key = new.key.expose();
    assert!(key.starts_with("sk-live-"), "{key}");
    let layer = AuthLayer::builder().accept(jwt()).accept(&keys);
    let layer = layer.build().unwrap();
    for (field, status) in [
        (format!("authorization: Bearer {key}"), 200),
        (format!("x-api-key: {key}"), 200),
        (
            format!(
                "authorization: Bearer {}",
                key.replace("sk-live-", "sk-live_")
            ),
            401,
        ),
        (
            format!(
                "authorization: Bearer {}",
                key.replace("sk-live-", "sk-test-")
            ),
            401,
        ),
    ] {
        let answer = answer(&layer, &Seen::default(), asked("GET /", &[&field])).await;
        assert_eq!(answer.status.as_u16(), status, "{field}");
    }
}
