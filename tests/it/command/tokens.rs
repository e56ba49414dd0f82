//! Tokens and sessions that an operator ends, at a service that runs.

use super::place::{Place, SECRET};
use crate::databases::support::until;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tower_auth::clock::{Clock, SystemClock};
use tower_auth::test_util::ManualClock;
use tower_auth::{Grant, Realm, RejectionKind, Subject, TokenIssuer, Tokens};

const ACCESS: Duration = Duration::from_secs(2 * 60 * 60);

struct Service {
    clock: ManualClock,
    tokens: TokenIssuer,
}

impl Service {
    /// A service that runs beside the command, whose clock is moved by hand.
    async fn at(place: &Place, secret: &str) -> Self {
        let now = SystemClock.now().duration_since(UNIX_EPOCH).unwrap();
        let clock = ManualClock::new(now.as_secs());
        let tokens = Tokens::hs256(secret)
            .issuer("https://api.example.com")
            .audience("reports")
            .access_lifetime(ACCESS);
        let realm = Realm::new(place.node().await).clock(clock.clone());
        Self {
            tokens: realm.tokens(tokens),
            clock,
        }
    }

    /// An access and a refresh token.
    async fn sign_in(&self, user: &str) -> (String, String) {
        let pair = self
            .tokens
            .issue(Grant::new(Subject::user(user)))
            .await
            .unwrap();
        let refresh = pair.refresh().unwrap().expose().clone();
        (pair.access().expose().clone(), refresh)
    }

    async fn private_token(&self, user: &str) -> (String, String) {
        let end: SystemTime = self.clock.now() + Duration::from_secs(30 * 86_400);
        let grant = Grant::new(Subject::user(user));
        let new = self.tokens.issue_private(grant, "ci", end).await.unwrap();
        (new.record.id.to_string(), new.token.expose().clone())
    }

    async fn accepts(&self, token: &str) -> bool {
        self.tokens.verify(token).await.is_ok()
    }

    async fn comes_to_refuse(&self, token: &str) {
        // A store that is busy refuses for another reason.
        let is_revoked = async || match self.tokens.verify(token).await {
            Ok(_) => false,
            Err(rejection) => rejection.kind() == RejectionKind::RevokedToken,
        };
        until("refused", is_revoked).await;
    }
}

#[tokio::test]
async fn a_token_that_is_brought_is_revoked_and_of_a_refresh_token_the_whole_session() {
    for place in Place::migrated().await {
        let place = place.with("JWT_SECRET", SECRET);
        let service = Service::at(&place, SECRET).await;
        let (access, refresh) = service.sign_in("7").await;
        let (_, private) = service.private_token("7").await;

        let revoked = place.tell(&["token", "revoke"], &format!("{access}\n"));
        assert_eq!(revoked.is(0).out, "The token of 7 is revoked.\n");
        service.comes_to_refuse(&access).await;
        assert!(service.accepts(&refresh).await, "{}", place.name);

        let file = crate::dir::Dir::new();
        let path = file.0.join("token");
        std::fs::write(&path, &private).unwrap();
        let by_file = [
            "token",
            "revoke",
            "--token-file",
            path.to_str().unwrap(),
            "--json",
        ];
        let revoked = place.run(&by_file).is(0).json();
        assert_eq!(
            (&revoked["revoked"], &revoked["owner"]["id"]),
            (&"token".into(), &"7".into())
        );
        service.comes_to_refuse(&private).await;

        let (other_access, other_refresh) = service.sign_in("7").await;
        place.tell(&["token", "revoke"], &other_refresh).is(0);
        service.comes_to_refuse(&other_refresh).await;
        service.comes_to_refuse(&other_access).await;
        // What was revoked before is no mistake.
        place.tell(&["token", "revoke"], &other_refresh).is(0);
        assert!(service.accepts(&refresh).await);
    }
}

#[tokio::test]
async fn a_refresh_token_that_has_expired_ends_the_session_that_lives_on_through_its_successor() {
    const HALF: Duration = Duration::from_secs(15 * 86_400);
    for place in Place::migrated().await {
        let place = place.with("JWT_SECRET", SECRET);
        let service = Service::at(&place, SECRET).await;
        let now = service.clock.now().duration_since(UNIX_EPOCH).unwrap();
        service.clock.set((now - 2 * HALF).as_secs());
        let (_, first) = service.sign_in("7").await;
        service.clock.advance(HALF);
        let pair = service.tokens.refresh(&first).await.unwrap();
        let second = pair.refresh().unwrap().expose();
        service.clock.advance(HALF);
        assert!(service.accepts(second).await, "{}", place.name);
        let revoked = place.tell(&["token", "revoke"], &first);
        assert_eq!(revoked.is(0).out, "The token of 7 is revoked.\n");
        service.comes_to_refuse(second).await;
    }
}

#[tokio::test]
async fn all_that_somebody_has_ends_or_one_private_token_alone() {
    for place in Place::migrated().await {
        let service = Service::at(&place, SECRET).await;
        let id = place.add_user("anna@example.com");
        let (access, refresh) = service.sign_in(&id).await;
        let (first_id, first) = service.private_token(&id).await;
        let (_, second) = service.private_token(&id).await;
        let (theirs, _) = service.sign_in("other").await;

        let alone = [
            "token",
            "revoke",
            "--user",
            "anna@example.com",
            "--private",
            &first_id,
        ];
        let told = format!("The private token {first_id} of {id} is revoked.\n");
        assert_eq!(place.run(&alone).is(0).out, told);
        service.comes_to_refuse(&first).await;
        for token in [&access, &refresh, &second] {
            assert!(service.accepts(token).await, "{}", place.name);
        }
        let unknown = [
            "token",
            "revoke",
            "--owner",
            "other",
            "--private",
            &first_id,
        ];
        place.run(&unknown).is(3).says("There is no private token");

        let everything = place.run(&["token", "revoke", "--owner", &id]);
        assert_eq!(
            everything.is(0).out,
            format!("All sessions and private tokens of {id} have ended.\n")
        );
        for token in [&access, &refresh, &second] {
            service.comes_to_refuse(token).await;
        }
        assert!(service.accepts(&theirs).await);
    }
}

/// The command does not know how long the service lets access tokens live.
#[tokio::test]
async fn what_is_ended_stays_ended_for_as_long_as_access_tokens_live() {
    for place in Place::migrated().await {
        let service = Service::at(&place, SECRET).await;
        let id = place.add_user("anna@example.com");
        for end in [
            &["token", "revoke", "--owner", &id][..],
            &["user", "password", "anna@example.com"],
        ] {
            let (access, _) = service.sign_in(&id).await;
            place.tell(end, "another-horse-battery\n").is(0);
            service.comes_to_refuse(&access).await;
            service.clock.advance(ACCESS - Duration::from_secs(60));
            // A node that has asked the database and then hears what it said before may pass it
            // once more, within the lag.
            service.comes_to_refuse(&access).await;
        }
    }
}

#[tokio::test]
async fn what_is_no_token_of_the_service_is_refused_and_not_repeated() {
    for place in Place::migrated().await {
        let service = Service::at(&place, "9Xc2Vb5Nm8Qw1Er4Ty7Ui0Op3As6Df9G").await;
        let (foreign, _) = service.sign_in("7").await;
        let place = place.with("JWT_SECRET", SECRET);
        for (token, words) in [
            ("", "The token is empty"),
            ("hidden", "no token of this service"),
            ("a.b.c", "no token of this service"),
            (&*foreign, "not signed with JWT_SECRET"),
        ] {
            let ran = place.tell(&["token", "revoke"], token);
            ran.is(2).says(words);
            assert!(token.is_empty() || !ran.err.contains(token), "{ran:?}");
        }
        assert!(service.accepts(&foreign).await, "{}", place.name);
        let place = place.with("JWT_SECRET", "");
        place
            .tell(&["token", "revoke"], &foreign)
            .is(2)
            .says("JWT_SECRET is not set");
    }
}
