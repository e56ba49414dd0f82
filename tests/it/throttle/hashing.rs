//! No address keeps another from having passwords hashed.

use super::*;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr};
use tower::ServiceExt;
use tower_auth::endpoint::{ChangePassword, Endpoints, SignIn, UsersEndpoint};
use tower_auth::throttle::AttemptLimits;
use tower_auth::{NewUser, PasswordPolicy, Secret, Tokens, Users};

const PASSWORD: &str = "Klammer-Heftung-7";

/// A realm with every door to its passwords.
#[derive(Clone)]
struct House {
    users: Users,
    auth: AuthLayer,
    endpoints: Endpoints,
    clock: ManualClock,
}

impl House {
    async fn new(limits: AttemptLimits) -> Self {
        let clock = ManualClock::new(1_705_190_400);
        let realm = Realm::new(Memory::new())
            .attempts(limits)
            .clock(clock.clone());
        let users = realm.users(PasswordPolicy::new());
        let tokens = realm.tokens(Tokens::hs256(SECRET).issuer(ISSUER));
        let auth = AuthLayer::builder()
            .accept(&tokens)
            .accept(users.basic())
            .build()
            .unwrap();
        let endpoints = auth
            .endpoints()
            .mount("/token/", SignIn::of(&tokens))
            .mount("/users/", UsersEndpoint::of(&users))
            .mount("/password/", ChangePassword::of(&users, &tokens))
            .build()
            .unwrap();
        for n in 0..8 {
            let password = Secret::new(PASSWORD.to_owned());
            let user = NewUser::new(format!("{n}@example.com"), password);
            users.register(user).await.unwrap();
        }
        Self {
            users,
            auth,
            endpoints,
            clock,
        }
    }

    async fn post(&self, path: &str, token: &str, body: serde_json::Value, peer: IpAddr) -> Reply {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"));
        let mut request = request.body(Full::<Bytes>::from(body.to_string())).unwrap();
        request.extensions_mut().insert(Peer(peer));
        reply(self.endpoints.clone().oneshot(request).await.unwrap()).await
    }

    async fn sign_in(&self, n: usize, peer: IpAddr) -> Reply {
        let body = json!({ "email": format!("{n}@example.com"), "password": PASSWORD });
        self.post("/token/", "", body, peer).await
    }

    async fn basic(&self, n: usize, peer: IpAddr) -> Reply {
        let mut request = basic(&format!("{n}@example.com"), PASSWORD);
        request.extensions_mut().insert(Peer(peer));
        send(&self.auth, request).await
    }

    async fn register(&self, name: &str, peer: IpAddr) -> Reply {
        let body = json!({ "email": format!("{name}@example.org"), "password": PASSWORD });
        self.post("/users/", "", body, peer).await
    }

    /// One request of a flood.
    async fn door(&self, door: Door, n: usize, peer: IpAddr, token: &str) -> u16 {
        let reply = match door {
            Door::Registration => self.register(&format!("new-{n}"), peer).await,
            Door::SignIn => self.sign_in(n % 4, peer).await,
            // Each is the first of a client: after a minute nothing is remembered.
            Door::Basic => {
                self.clock.advance(Duration::from_secs(61));
                self.basic(n % 4, peer).await
            }
            Door::ChangeOfPassword => {
                let body = json!({
                    "current_password": PASSWORD,
                    "new_password": PASSWORD,
                });
                self.post("/password/", token, body, peer).await
            }
        };
        reply.status.as_u16()
    }
}

#[derive(Clone, Copy, Debug)]
enum Door {
    Registration,
    SignIn,
    Basic,
    ChangeOfPassword,
}

const DOORS: [Door; 4] = [
    Door::Registration,
    Door::SignIn,
    Door::Basic,
    Door::ChangeOfPassword,
];

fn peer(n: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, n).into()
}

/// How many are hashed at once.
fn slots() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (cores / 2).max(1)
}

/// Without a limit on what an address may do, so that turns alone decide.
fn unlimited() -> AttemptLimits {
    AttemptLimits::new()
        .sign_ins_per_address("1000000/min")
        .registrations_per_address("1000000/min")
}

#[tokio::test]
async fn while_one_address_floods_a_door_right_sign_ins_from_elsewhere_get_their_turn() {
    for door in DOORS {
        let house = House::new(unlimited()).await;
        let token = house.sign_in(0, peer(1)).await.json()["access"].clone();
        let token = token.as_str().unwrap().to_owned();
        let flood: Vec<_> = (0..slots() * 60)
            .map(|n| {
                let (house, token) = (house.clone(), token.clone());
                tokio::spawn(async move { house.door(door, n, peer(1), &token).await })
            })
            .collect();
        while house.users.argon2_runs() < 12 {
            tokio::task::yield_now().await;
        }
        for n in 0..20 {
            let before = house.users.argon2_runs();
            let victim = house.sign_in(4 + n % 4, peer(100 + n as u8)).await;
            let hashed = house.users.argon2_runs() - before;
            assert_eq!(victim.status, 200, "{door:?}, sign-in {n}");
            // Its own, one of the address that waits, and what begins before it is told.
            let most = 4 * slots() as u64;
            assert!(hashed <= most, "{door:?}: {hashed} hashes while {n} waited");
        }
        for task in flood {
            task.abort();
        }
    }
}

#[tokio::test]
async fn an_address_signs_in_and_registers_so_often_and_others_go_on() {
    let limits = AttemptLimits::new()
        .sign_ins_per_address("4/min")
        .registrations_per_address("3/hour");
    let house = House::new(limits).await;
    let (one, other) = (peer(1), peer(2));

    let mut statuses = Vec::new();
    for n in 0..3 {
        statuses.push(house.sign_in(n, one).await.status.as_u16());
        statuses.push(house.basic(n, one).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 200, 429, 429]);
    let hashed = house.users.argon2_runs();
    let refused = house.sign_in(3, one).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.headers["retry-after"]),
        (429, &http::HeaderValue::from_static("60"))
    );
    assert_eq!(house.users.argon2_runs(), hashed, "a password was hashed");
    assert_eq!(house.sign_in(3, other).await.status, 200);
    assert_eq!(house.basic(0, one).await.status, 200, "it is remembered");

    let mut statuses = Vec::new();
    for name in ["a", "b", "b", "c"] {
        statuses.push(house.register(name, one).await.status.as_u16());
    }
    assert_eq!(statuses, [201, 201, 400, 429]);
    assert_eq!(house.register("c", other).await.status, 201);
    for n in 0..9 {
        let own = NewUser::new(format!("own-{n}"), Secret::new(PASSWORD.to_owned()));
        house.users.register(own).await.expect("of the application");
    }
    house.clock.advance(Duration::from_secs(3_660));
    assert_eq!(house.register("d", one).await.status, 201);
    assert_eq!(house.sign_in(3, one).await.status, 200);
}
