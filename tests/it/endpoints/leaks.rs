//! After a full life: no piece of a key, a token or a password in any record, event, log line or
//! answer but the one that hands it out.

use super::world::*;
use crate::support::Reply;
use crate::watch::{Log, PIECE, Pieces};
use serde_json::{Value, json};
use tower_auth::Secret;
use tower_auth::api_key::KeyIds;

const NEW_PASSWORD: &str = "Quitte+Regenwurm+Anker";

/// What was handed out, and what came back besides.
#[derive(Default)]
struct Life {
    secrets: Vec<String>,
    /// Of each answer: what it was about and its head and body.
    answers: Vec<(String, String)>,
}

impl Life {
    async fn ask(
        &mut self,
        world: &World,
        method: &str,
        path: &str,
        credential: &str,
        body: Option<Value>,
    ) -> Reply {
        let reply = world
            .send(asking(method, path, credential, body.as_ref()))
            .await;
        let body = String::from_utf8_lossy(&reply.body);
        self.answers.push((
            format!("{method} {path}"),
            format!("{:?} {body}", reply.headers),
        ));
        reply
    }

    /// The same, of an answer that hands out these members.
    async fn get(
        &mut self,
        world: &World,
        path: &str,
        by: &str,
        body: Value,
        members: &[&str],
    ) -> Vec<String> {
        let reply = self.ask(world, "POST", path, by, Some(body)).await;
        assert!(reply.status.is_success(), "{path}: {reply:?}");
        let mut answer = reply.json();
        let given: Vec<String> = members
            .iter()
            .map(|member| {
                answer
                    .as_object_mut()
                    .unwrap()
                    .remove(*member)
                    .unwrap()
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        self.secrets.extend(given.iter().cloned());
        let (_, text) = self.answers.last_mut().unwrap();
        *text = format!("{:?} {answer}", reply.headers);
        given
    }
}

/// Everything that the endpoints do, well and badly.
async fn live(world: &World) -> Life {
    let mut life = Life::default();
    let secret = |text: &str| text.to_owned();
    life.secrets.extend([PASSWORD, NEW_PASSWORD].map(secret));
    let l = &mut life;
    let carl = json!({ "email": "carl@example.com", "password": PASSWORD, "first_name": "Carl" });
    l.ask(world, "POST", "/users/", "", Some(carl.clone()))
        .await;
    l.ask(world, "POST", "/users/", "", Some(carl)).await;
    let sign_in = json!({ "email": "carl@example.com", "password": PASSWORD });
    let first = l
        .get(world, "/token/", "", sign_in, &["access", "refresh"])
        .await;
    let body = json!({ "refresh": first[1] });
    let second = l
        .get(world, "/refresh/", "", body.clone(), &["access", "refresh"])
        .await;
    let by = bearing(&second[0]);
    let mut keys = Vec::new();
    for name in ["ci", "cd"] {
        let made = l
            .get(world, "/api-keys/", &by, json!({ "name": name }), &["key"])
            .await;
        assert!(world.opens(&made[0]).await);
        keys.extend(made);
    }
    let rotated = l
        .get(
            world,
            "/api-keys/1/rotate/",
            &by,
            json!({ "overlap": 60 }),
            &["key"],
        )
        .await;
    assert!(world.opens(&rotated[0]).await);
    l.ask(
        world,
        "PATCH",
        "/api-keys/1/",
        &by,
        Some(json!({ "name": "ci 1" })),
    )
    .await;
    let body = json!({ "name": "laptop", "expires_at": "2027-01-20T00:00:00Z" });
    let private = l
        .get(world, "/private-tokens/", &by, body, &["token"])
        .await;
    assert!(world.opens(&private[0]).await);
    l.ask(
        world,
        "GET",
        "/users/",
        &basic("carl@example.com", PASSWORD),
        None,
    )
    .await;
    for (method, path) in [
        ("GET", "/users/"),
        ("GET", "/api-keys/"),
        ("GET", "/api-keys/2/"),
        ("GET", "/private-tokens/"),
        ("DELETE", "/api-keys/2/"),
        ("GET", "/jwks/"),
        ("PUT", "/api-keys/"),
    ] {
        l.ask(world, method, path, &by, None).await;
    }
    // Secrets in the wrong places.
    for wrong in [&second[1], &keys[0], &private[0], PASSWORD] {
        l.ask(
            world,
            "POST",
            "/token/",
            "",
            Some(json!({ "email": wrong, "password": wrong })),
        )
        .await;
        l.ask(
            world,
            "POST",
            "/verify/",
            "",
            Some(json!({ "token": format!("{wrong}x") })),
        )
        .await;
        l.ask(
            world,
            "POST",
            "/refresh/",
            "",
            Some(json!({ "refresh": tampered(&second[0]), "x": wrong })),
        )
        .await;
        l.ask(
            world,
            "POST",
            "/api-keys/",
            &by,
            Some(json!({ "name": 7, "scopes": [wrong] })),
        )
        .await;
        l.ask(
            world,
            "POST",
            "/users/",
            "",
            Some(json!({ "email": "d@example.com", "password": [wrong] })),
        )
        .await;
        let path = format!("/api-keys/{}/", wrong.replace(' ', "+"));
        let reply = world.send(asking("GET", &path, &by, None)).await;
        l.answers.push((
            "a path".into(),
            format!("{:?} {}", reply.headers, reply.text()),
        ));
        l.ask(
            world,
            "GET",
            "/users/",
            &bearing(&format!("{wrong}x").replace(' ', "+")),
            None,
        )
        .await;
        l.ask(world, "GET", "/users/", &basic(wrong, wrong), None)
            .await;
    }
    // Stolen, then ended.
    world.pass(11);
    l.ask(
        world,
        "POST",
        "/refresh/",
        "",
        Some(json!({ "refresh": first[1] })),
    )
    .await;
    let sign_in = json!({ "email": "carl@example.com", "password": PASSWORD });
    let third = l
        .get(world, "/token/", "", sign_in, &["access", "refresh"])
        .await;
    let passwords = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    let changed = l
        .ask(
            world,
            "POST",
            "/password/",
            &bearing(&third[0]),
            Some(passwords),
        )
        .await;
    assert_eq!(changed.status, 204);
    life
}

async fn world() -> World {
    World::of(Plan {
        keys: |keys| keys.ids(KeyIds::Serial),
        ..Plan::default()
    })
    .await
}

/// What is a secret of each: of a key all but what lists show of it, of a token all.
fn pieces(life: &Life) -> Pieces {
    let secret = |text: &String| {
        text.strip_prefix("egret_")
            .map_or(text.clone(), |random| random[4..].into())
    };
    Pieces::of(&life.secrets.iter().map(secret).collect::<Vec<_>>())
}

/// The same without what the tokens of one user have in common: their heads.
fn pieces_of_signatures(life: &Life) -> Pieces {
    let secret = |text: &String| match text.rsplit_once('.') {
        Some((_, signature)) if text.starts_with("eyJ") => signature.to_owned(),
        _ => text
            .strip_prefix("egret_")
            .map_or(text.clone(), |random| random[4..].into()),
    };
    Pieces::of(&life.secrets.iter().map(secret).collect::<Vec<_>>())
}

#[tokio::test]
async fn no_record_holds_a_piece_of_a_key_a_token_or_a_password() {
    let world = world().await;
    let life = live(&world).await;
    let tokens: Vec<&str> = life
        .secrets
        .iter()
        .filter(|text| text.starts_with("eyJ"))
        .map(String::as_str)
        .collect();
    let dump = world.dump(&tokens).await;
    for kept in [
        "carl@example.com",
        "Carl",
        "$argon2id$",
        "laptop",
        "ci 1",
        "egret_",
        "FamilyRecord",
    ] {
        assert!(dump.contains(kept), "the dump is not whole: {kept}");
    }
    pieces(&life).assert_none_in("a record", &dump);
    for secret in &life.secrets {
        let end = &secret[secret.len() - PIECE..];
        assert!(
            pieces(&life)
                .find_in(format!("{dump} {end}").as_bytes())
                .is_some(),
            "{end} would be found"
        );
    }
}

#[tokio::test]
async fn no_event_log_line_or_answer_holds_a_piece_of_a_secret_that_it_does_not_hand_out() {
    let log = Log::default();
    let (world, life) = {
        let _guard = log.capture();
        let world = world().await;
        let life = live(&world).await;
        (world, life)
    };
    let events = world.events.text();
    for heard in [
        "SignedIn",
        "Rotated",
        "ReuseDetected",
        "KeyCreated",
        "PasswordChanged",
        "Refused",
    ] {
        assert!(events.contains(heard), "{heard}");
    }
    pieces(&life).assert_none_in("an event", &events);
    let logged = log.take();
    for said in [
        "signed in",
        "rotated",
        "reuse detected",
        "key created",
        "request refused",
    ] {
        assert!(String::from_utf8_lossy(&logged).contains(said), "{said}");
    }
    pieces(&life).assert_none_in("the log", &logged);
    for (asked, text) in &life.answers {
        pieces_of_signatures(&life).assert_none_in(asked, text);
    }
    assert!(life.answers.len() > 40);
}

#[tokio::test]
async fn nothing_that_is_handed_out_shows_itself_in_debug() {
    let world = World::new().await;
    let (pair, key) = (world.sign_in("7").await, world.key("7").await);
    let private = world.private_token("7").await;
    let secrets = [
        access(&pair),
        refresh(&pair),
        &key.key.expose()[10..],
        private.token.expose(),
        PASSWORD,
    ];
    let new = tower_auth::NewUser::new("carl@example.com", Secret::new(PASSWORD.into()));
    let text = format!(
        "{pair:?} {key:?} {private:?} {new:?} {:?} {:?} {:?} {:?} {:?}",
        world.auth,
        world.endpoints,
        world.tokens(),
        world.users(),
        world.keys(),
    );
    Pieces::of(&secrets.map(str::to_owned)).assert_none_in("Debug", text);
    Pieces::of(&[crate::support::SECRET.to_owned()])
        .assert_none_in("Debug", format!("{:?}", world.tokens()));
}
