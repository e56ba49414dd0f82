//! Other names, paths and bodies, and mistakes that are found when the endpoints are built.

use super::world::*;
use crate::support::{SECRET, reply};
use serde_json::{Map, Value, json};
use tower::ServiceExt;
use tower_auth::api_key::KeyIds;
use tower_auth::endpoint::{
    Call, Endpoint, EndpointsBuilder, Jwks, KeysEndpoint, Page, PrivateTokensEndpoint, Refresh,
    SignIn, SignOut, UsersEndpoint, Verify,
};
use tower_auth::store::{KeyRecord, Memory, Stores};
use tower_auth::{ApiKeys, AuthLayer, ConfigProblem, Jwt, PasswordPolicy, Realm, Tokens};

#[tokio::test]
async fn fields_are_called_as_the_application_calls_them_and_so_are_they_in_refusals() {
    let plan = Plan {
        endpoints: |endpoints, Services { users, tokens, .. }| {
            let sign_in = SignIn::of(tokens)
                .name_field("username")
                .password_field("pass")
                .with_user();
            let people = UsersEndpoint::of(users)
                .name_field("username")
                .profile_field("nick/name");
            endpoints.mount("/login", sign_in).mount("/people/", people)
        },
        ..Plan::default()
    };
    let world = World::of(plan).await;
    let signed_in = world
        .post(
            "/login",
            "",
            json!({ "username": "anna", "pass": PASSWORD }),
        )
        .await
        .json();
    let user = json!({ "id": "7", "username": ANNA, "first_name": "Anna", "company": 3 });
    assert_eq!(signed_in["user"], user);
    assert!(world.opens(signed_in["access"].as_str().unwrap()).await);
    let pointers = async |path: &str, body| {
        let errors = world.post(path, "", body).await.json()["errors"].clone();
        errors
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["pointer"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        pointers("/login", json!({ "email": "anna", "password": "x" })).await,
        ["#/username", "#/pass"]
    );
    let taken = json!({ "username": "anna", "password": "tests only: Klammer-Heftung" });
    assert_eq!(pointers("/people/", taken).await, ["#/username"]);
    let blank =
        json!({ "username": "carl", "password": "tests only: Klammer-Heftung", "nick/name": "" });
    assert_eq!(pointers("/people/", blank).await, ["#/nick~1name"]);
    let long = json!({ "username": "n".repeat(255), "password": "tests only: Klammer-Heftung" });
    assert_eq!(
        world.post("/people/", "", long).await.json()["errors"][0]["code"],
        "max_length"
    );
    let carl =
        json!({ "username": "carl", "password": "tests only: Klammer-Heftung", "nick/name": "C" });
    let registered = world.post("/people/", "", carl).await.json();
    assert_eq!(
        (&registered["username"], &registered["nick/name"]),
        (&json!("carl"), &json!("C"))
    );
}

#[tokio::test]
async fn an_email_address_is_one() {
    let world = World::new().await;
    let register = async |email: &str| {
        let body = json!({ "email": email, "password": "tests only: Klammer-Heftung" });
        world.post("/users/", "", body).await
    };
    for email in [
        "carl@example.com",
        "c.arl+x@mail.example.com",
        "o'neil@example.org",
        "jörg@bücher.example",
    ] {
        assert_eq!(register(email).await.status, 201, "{email}");
    }
    for email in [
        "carl",
        "carl@",
        "@example.com",
        "c arl@example.com",
        "carl@example",
        "carl@@example.com",
        "carl@exa mple.com",
        "carl@.example.com",
        "Carl <carl@example.com>",
        "carl@[192.0.2.1]",
        // Of another width, which the form of a name has not.
        "carl\u{ff20}evil.example@example.com",
        "carl@example.com\u{ff0c}evil@example.com",
    ] {
        let refused = register(email).await;
        assert_eq!(refused.status, 400, "{email}");
        assert_eq!(refused.json()["errors"][0]["pointer"], "#/email", "{email}");
    }
    let token = bearing(access(&world.sign_in("7").await));
    for (email, status) in [
        ("anna", 400),
        ("anna\u{ff20}evil.example@example.com", 400),
        ("anna.lopez@example.com", 200),
    ] {
        let changed = world
            .send(asking(
                "PATCH",
                "/users/7/",
                &token,
                Some(&json!({ "email": email })),
            ))
            .await;
        assert_eq!(changed.status, status, "{email}");
    }
}

#[tokio::test]
async fn serial_ids_a_url_and_another_name_for_the_raw_key() {
    let plan = Plan {
        keys: |keys| keys.ids(KeyIds::Serial),
        endpoints: |endpoints, Services { keys, .. }| {
            let keys = KeysEndpoint::of(keys)
                .key_field("api_key")
                .show(|key, call| {
                    let mut shown = Map::new();
                    shown.insert("id".into(), KeysEndpoint::default_map(key)["id"].clone());
                    shown.insert("name".into(), (*key.name).into());
                    shown.insert(
                        "url".into(),
                        call.url(&format!("/api/auth/clientkeys/{}/", key.id))
                            .into(),
                    );
                    shown
                })
                .list(|keys| json!({ "count": keys.len(), "results": keys }));
            endpoints.mount("/api/auth/clientkeys/", keys)
        },
        ..Plan::default()
    };
    let world = World::of(plan).await;
    let annas = bearing(access(&world.sign_in("7").await));
    let ask = async |host: &str, name: &str| {
        let mut request = asking(
            "POST",
            "/api/auth/clientkeys/",
            &annas,
            Some(&json!({ "name": name })),
        );
        request.headers_mut().insert("host", host.parse().unwrap());
        world.send(request).await.json()
    };
    let first = ask("hub.example.com:8443", "ci").await;
    assert_eq!(
        first["url"],
        "http://hub.example.com:8443/api/auth/clientkeys/1/"
    );
    assert_eq!(first["id"], 1);
    assert!(world.opens(first["api_key"].as_str().unwrap()).await);
    let members: Vec<_> = first.as_object().unwrap().keys().collect();
    assert_eq!(members, ["api_key", "id", "name", "url"]);
    for host in ["evil@example.com", "a b", "x/y"] {
        let url = ask(host, "odd").await["url"].as_str().unwrap().to_owned();
        assert!(url.starts_with("/api/auth/clientkeys/"), "{host}: {url}");
    }
    let list = world.get("/api/auth/clientkeys/", &annas).await.json();
    assert_eq!(
        (&list["count"], &list["results"][0]["name"]),
        (&json!(4), &json!("ci"))
    );
    assert_eq!(
        world
            .send(asking("DELETE", "/api/auth/clientkeys/1/", &annas, None))
            .await
            .status,
        204
    );
    assert!(!world.opens(first["api_key"].as_str().unwrap()).await);
    for path in [
        "/api/auth/clientkeys/1/",
        "/api/auth/clientkeys/01/",
        "/api/auth/clientkeys/+2/",
    ] {
        assert_eq!(world.get(path, &annas).await.status, 404, "{path}");
    }
    assert_eq!(
        world.get("/api/auth/clientkeys/2/", &annas).await.status,
        200
    );
}

#[tokio::test]
async fn a_key_has_one_of_the_rates_that_its_endpoint_offers_or_none() {
    let plan = Plan {
        endpoints: |endpoints, Services { keys, .. }| {
            let offered = KeysEndpoint::of(keys).rates(["100/hour", "2000/day"]);
            endpoints
                .mount("/keys/", offered)
                .mount("/others/", KeysEndpoint::of(keys))
        },
        ..Plan::default()
    };
    let world = World::of(plan).await;
    let annas = bearing(access(&world.sign_in("7").await));
    let make = async |path: &str, rate: &Value| {
        let body = json!({ "name": "ci", "rate": rate });
        world.send(asking("POST", path, &annas, Some(&body))).await
    };
    for (rate, shown) in [("2000/day", "2000/day"), ("100/60min", "100/hour")] {
        let made = make("/keys/", &json!(rate)).await;
        assert_eq!(
            (made.status.as_u16(), &made.json()["rate"]),
            (201, &json!(shown))
        );
    }
    for wrong in [
        json!("2001/day"),
        json!("often"),
        json!(7),
        json!(null),
        json!(""),
    ] {
        let refused = make("/keys/", &wrong).await;
        assert_eq!(refused.status, 400, "{wrong}");
        assert_eq!(refused.json()["errors"][0]["pointer"], "#/rate", "{wrong}");
    }
    let body = json!({ "name": "usual" });
    let usual = world
        .send(asking("POST", "/keys/", &annas, Some(&body)))
        .await;
    assert_eq!(
        (usual.status.as_u16(), &usual.json()["rate"]),
        (201, &json!(null))
    );
    // An endpoint that offers none gives none, whatever is asked for.
    assert_eq!(make("/others/", &json!("2000/day")).await.status, 201);
    let list = world.get("/keys/", &annas).await.json();
    let keys = list.as_array().unwrap().iter();
    let mut rates: Vec<String> = keys.map(|key| key["rate"].to_string()).collect();
    rates.sort();
    assert_eq!(rates, [r#""100/hour""#, r#""2000/day""#, "null", "null"]);
}

#[tokio::test]
async fn a_public_url_stands_where_the_host_would() {
    let plan = Plan {
        endpoints: |endpoints, Services { keys, .. }| {
            let show = |key: &KeyRecord, call: &Call| {
                Map::from_iter([("url".to_owned(), call.url(&key.name).into())])
            };
            endpoints
                .public_url("https://hub.example.com")
                .mount("/keys/", KeysEndpoint::of(keys).show(show))
        },
        ..Plan::default()
    };
    let world = World::of(plan).await;
    let annas = bearing(access(&world.sign_in("7").await));
    let mut request = asking("POST", "/keys/", &annas, Some(&json!({ "name": "/x/" })));
    request
        .headers_mut()
        .insert("host", "evil.example".parse().unwrap());
    assert_eq!(
        world.send(request).await.json()["url"],
        "https://hub.example.com/x/"
    );
}

#[tokio::test]
async fn a_hook_that_panics_is_500_and_the_next_request_is_served() {
    let plan = Plan {
        endpoints: |endpoints, Services { keys, .. }| {
            let panics = |at: &'static str| move |name: &str| assert_ne!(name, at, "planted");
            let (owner, request, show) = (panics("owner"), panics("request"), panics("show"));
            let asked = |call: &Call| {
                call.head()
                    .headers
                    .get("x-panic")
                    .map_or("", |at| at.to_str().unwrap())
                    .to_owned()
            };
            let keys = KeysEndpoint::of(keys)
                .owner(move |call| {
                    owner(&asked(call));
                    Ok(call.caller().unwrap().subject().clone())
                })
                .request(move |call, key| {
                    request(&asked(call));
                    Ok(key)
                })
                .show(move |key, call| {
                    show(&asked(call));
                    KeysEndpoint::default_map(key)
                });
            endpoints.mount("/keys/", keys)
        },
        ..Plan::default()
    };
    let world = World::of(plan).await;
    let annas = bearing(access(&world.sign_in("7").await));
    let ask = async |at: &str| {
        let mut request = asking("POST", "/keys/", &annas, Some(&json!({ "name": "ci" })));
        request.headers_mut().insert("x-panic", at.parse().unwrap());
        world.send(request).await
    };
    for at in ["owner", "request", "show"] {
        let failed = ask(at).await;
        assert_eq!(
            (failed.status.as_u16(), failed.code().as_str()),
            (500, "internal_error"),
            "{at}"
        );
        assert!(!failed.text().contains("egret_"), "{at}");
        assert_eq!(ask("").await.status, 201, "{at}");
    }
}

#[tokio::test]
async fn a_policy_and_a_limit_of_the_applications_own_hold() {
    let realm = Realm::new(Memory::new());
    let users = realm.users(PasswordPolicy::new().least_length(30));
    let tokens = realm.tokens(Tokens::hs256(SECRET).issuer(ISSUER));
    let auth = AuthLayer::builder().accept(&tokens).build().unwrap();
    let endpoints = auth
        .endpoints()
        .body_limit(100)
        .mount("/users/", UsersEndpoint::of(&users))
        .build()
        .unwrap();
    let ask = async |password: &str| {
        let body = json!({ "email": "anna@example.com", "password": password });
        let request = asking("POST", "/users/", "", Some(&body));
        reply(endpoints.clone().oneshot(request).await.unwrap()).await
    };
    assert_eq!(ask("tests only: 29 characters only").await.status, 201);
    assert_eq!(
        ask("tests only: too short").await.json()["errors"][0]["code"],
        "password_too_short"
    );
    assert_eq!(ask(&"long ".repeat(20)).await.status, 413);
}

/// What [`every`] mounts, of that realm.
fn services(realm: &Realm) -> Services {
    Services {
        users: realm.users(PasswordPolicy::new()),
        tokens: realm.tokens(Tokens::hs256(SECRET).issuer(ISSUER)),
        keys: realm.api_keys(ApiKeys::prefix(PREFIX)),
    }
}

/// A layer that accepts all of these.
fn accepting(services: &Services) -> AuthLayer {
    AuthLayer::builder()
        .accept(services.users.basic())
        .accept(&services.tokens)
        .accept(&services.keys)
        .build()
        .unwrap()
}

fn problems(builder: EndpointsBuilder) -> Vec<ConfigProblem> {
    match builder.build() {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().to_vec(),
    }
}

#[test]
fn mistakes_are_found_when_the_endpoints_are_built() {
    use ConfigProblem as Problem;
    let jwt = Jwt::hs256(SECRET)
        .issuer("https://login.example.com")
        .audience("api");
    let bare = Realm::new(Stores::new());
    let auth = AuthLayer::builder()
        .realm(&bare)
        .accept(jwt)
        .build()
        .unwrap();
    // What a service lacks is told once, by however many endpoints it is used.
    assert_eq!(
        problems(every(auth.endpoints(), &services(&bare)).body_limit(0)),
        [
            Problem::NoStore("tokens"),
            Problem::NoStore("users"),
            Problem::NoStore("API keys"),
            Problem::Zero("body_limit"),
        ]
    );
    let whole = services(&Realm::new(Memory::new()));
    assert_eq!(
        problems(every(auth.endpoints(), &whole)),
        [Problem::TwoRealms]
    );
    let auth = accepting(&whole);
    assert_eq!(problems(every(auth.endpoints(), &whole)), []);
    let (tokens, keys) = (&whole.tokens, || KeysEndpoint::of(&whole.keys));
    for (path, found) in [
        ("api-keys/", "api-keys/"),
        ("/{a}/{a}/", "/{a}/{a}/"),
        ("/{key_id}/keys/", "/{key_id}/keys/{key_id}/"),
        ("/keys?x=/", "/keys?x=/"),
        ("/:a/keys/", "/:a/keys/"),
        ("/*/keys/", "/*/keys/"),
    ] {
        let found = Problem::Path(found.into());
        let problems = problems(auth.endpoints().mount(path, keys()));
        assert!(problems.contains(&found), "{path}");
    }
    let missing = Problem::PathEnd("/x".into());
    let below: [Endpoint; 4] = [
        keys().into(),
        PrivateTokensEndpoint::of(tokens).into(),
        UsersEndpoint::of(&whole.users).into(),
        Page::new().into(),
    ];
    for endpoint in below {
        let found = problems(auth.endpoints().mount("/x", endpoint));
        assert_eq!(found.iter().filter(|found| **found == missing).count(), 1);
        assert!(!found.iter().any(|found| matches!(found, Problem::Path(_))));
    }
    for url in [
        "api.example.com",
        "//api.example.com",
        "https://api.example.com/",
        "ftp://a",
    ] {
        let found = problems(auth.endpoints().public_url(url));
        assert_eq!(found, [Problem::PublicUrl], "{url}");
    }
    let twice = auth
        .endpoints()
        .mount("/a/", Refresh::of(tokens))
        .mount("/a/", Verify::of(tokens))
        .mount("/b/{x}/", SignOut::of(tokens))
        .mount("/b/{y}/", SignOut::of(tokens))
        // Of another method.
        .mount("/b/{z}/", Jwks::of(tokens));
    assert_eq!(
        problems(twice),
        ["/a/", "/b/{y}/", "/b/{z}/"].map(|path| Problem::TwoEndpoints(path.into()))
    );
    let clashing = auth
        .endpoints()
        .mount("/x/", PrivateTokensEndpoint::of(tokens))
        .mount("/x/", keys());
    // Each path once, however many methods of it clash.
    assert_eq!(
        problems(clashing),
        ["/x/", "/x/{key_id}/", "/x/{key_id}/rotate/"]
            .map(|path| Problem::TwoEndpoints(path.into()))
    );
}

#[test]
fn stores_that_a_layer_can_do_with_are_not_enough_for_endpoints_that_manage() {
    let stores = Stores::new()
        .users(Memory::new())
        .tokens(Memory::new())
        .keys(Memory::new());
    let services = services(&Realm::new(stores));
    assert_eq!(
        problems(every(accepting(&services).endpoints(), &services)),
        ["managed users", "managed API keys", "private tokens"].map(ConfigProblem::NoStore)
    );
}
