//! What a flood of tokens that are no good leaves behind.

use super::fixtures::{self, bearer, forged, hs256, hs256_of_number};
use super::floor::Hello;
use super::harness::Field;
use super::world::World;
use http::StatusCode;
use std::rc::Rc;
use tokio::runtime::Runtime;
use tower::{Service, ServiceExt};
use tower_auth::AuthLayer;
use tower_auth::test_util::TokenMint;
use tower_layer::Layer;

const TOKENS: usize = 1_000_000;
/// What an allocator may keep of what it was given back, in bytes.
const SLACK: usize = 1 << 20;

/// A million forged tokens, and a million expired ones, each another one. Ends with 1 if the
/// process has grown, or forgets a token that it remembered.
pub(crate) fn main() {
    let world = World::new();
    let layer = world.all();
    let good = bearer(&hs256());
    for _ in 0..3 {
        assert_eq!(send(&world.runtime, &layer, &good), StatusCode::OK);
    }
    let forged = |number: usize| bearer(&forged(&hs256_of_number(number)));
    let expired = |number: usize| {
        let claims = fixtures::claims_of_number(number).replace("4000000000", "1700000001");
        bearer(&TokenMint::hs256(fixtures::SECRET).sign_parts(fixtures::HEADER, &claims))
    };
    let kinds: [(&str, &dyn Fn(usize) -> Field); 2] = [("forged", &forged), ("expired", &expired)];
    println!("| a million tokens | bytes resident before | after |\n|---|---:|---:|");
    let mut has_grown = false;
    for (name, token) in kinds {
        // What serves each kind for the first time is made once.
        for number in 0..10_000 {
            send(&world.runtime, &layer, &token(number));
        }
        let before = resident();
        for number in 10_000..TOKENS {
            let status = send(&world.runtime, &layer, &token(number));
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{name}");
        }
        let after = resident();
        println!("| {name} | {before} | {after} |");
        has_grown |= after > before + SLACK;
    }
    if has_grown {
        println!("\nMISSED: the process has grown");
        std::process::exit(1);
    }
}

fn send(runtime: &Rc<Runtime>, layer: &AuthLayer, credential: &Field) -> StatusCode {
    let request = fixtures::request(fixtures::headers(Some(credential)));
    runtime.block_on(async {
        let mut service = layer.layer(Hello);
        let service = service.ready().await.unwrap();
        service.call(request).await.unwrap().status()
    })
}

/// How much memory the process has, in bytes.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    const PAGE: usize = 4_096;
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let resident = pages.split_ascii_whitespace().nth(1).unwrap();
    resident.parse::<usize>().unwrap() * PAGE
}

#[cfg(not(target_os = "linux"))]
fn resident() -> usize {
    eprintln!("the memory of a process is read on Linux only");
    std::process::exit(2);
}
