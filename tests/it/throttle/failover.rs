//! What a Redis server says when it cannot count, and what cures it.

use super::forwarder::Forwarder;
use super::server::Server;
use super::*;
use tower_auth::throttle::{RedisLimiter, Throttle};

/// A node that refuses whom nobody has counted.
struct Node {
    world: World,
    auth: AuthLayer,
    key: String,
}

impl Node {
    async fn at(url: &str, rate: &str) -> Self {
        Self::with(
            RedisLimiter::new(url).deadline(Duration::from_secs(10)),
            rate,
        )
        .await
    }

    async fn with(limiter: RedisLimiter, rate: &str) -> Self {
        let world = World::new();
        let auth = over(&world.realm().limiter(limiter))
            .throttle(Throttle::per_principal(rate).refuse_in_outage())
            .build()
            .unwrap();
        let key = world.key(Subject::user("7")).await;
        Self { world, auth, key }
    }

    async fn statuses(&self, times: usize) -> Vec<u16> {
        statuses(&self.auth, &self.key, times).await
    }

    /// One request, a second after the last one: whoever does not answer is asked again by then.
    async fn status_a_second_later(&self) -> u16 {
        self.world.advance(1.0);
        self.statuses(1).await[0]
    }
}

/// A server and its replica, which has all that the first one has.
fn pair() -> (Server, Server) {
    let (first, second) = (Server::start(), Server::start());
    second.follow(first.port());
    second.catch_up_with(&first);
    (first, second)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failover_the_new_server_counts_on_and_nobody_is_refused() {
    let (first, second) = pair();
    let name = Forwarder::to(first.port()).await;
    let node = Node::at(&name.url(), "50/day").await;
    assert_eq!(node.statuses(10).await, [200; 10]);
    second.catch_up_with(&first);

    second.tell::<()>(&["REPLICAOF", "NO", "ONE"]);
    first.follow(second.port());
    name.moves_to(second.port());
    // The old connection still leads to the first, which only reads now.
    assert_eq!(node.statuses(30).await, [200; 30]);
    assert_eq!(node.statuses(20).await, [[200; 10], [429; 10]].concat());

    // And back, with requests under way.
    second.tell::<()>(&["CONFIG", "SET", "replica-serve-stale-data", "no"]);
    first.tell::<()>(&["REPLICAOF", "NO", "ONE"]);
    first.tell::<()>(&["FLUSHALL"]);
    name.moves_to(first.port());
    second.follow(1);
    // Its master is not there: `MASTERDOWN`.
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (auth, key) = (node.auth.clone(), node.key.clone());
        tasks.spawn(async move { admitted(&auth, &key, 5).await });
    }
    let passed: usize = tasks.join_all().await.into_iter().sum();
    assert_eq!(passed, 40);
}

#[tokio::test]
async fn while_a_demoted_server_is_all_there_is_nobody_passes_and_then_everybody() {
    let (first, second) = pair();
    let name = Forwarder::to(first.port()).await;
    let node = Node::at(&name.url(), "50/day").await;
    assert_eq!(node.statuses(1).await, [200]);
    for stale in ["yes", "no"] {
        first.tell::<()>(&["CONFIG", "SET", "replica-serve-stale-data", stale]);
        first.follow(1);
        assert_eq!(node.statuses(10).await, [503; 10], "stale: {stale}");
        second.tell::<()>(&["REPLICAOF", "NO", "ONE"]);
        name.moves_to(second.port());
        assert_eq!(node.status_a_second_later().await, 200);
        assert_eq!(node.statuses(10).await, [200; 10], "stale: {stale}");
        // Once more from the beginning.
        first.tell::<()>(&["REPLICAOF", "NO", "ONE"]);
        name.moves_to(first.port());
        second.tell::<()>(&["CLIENT", "KILL", "TYPE", "normal"]);
        assert_eq!(node.statuses(1).await, [200]);
    }
}

#[tokio::test]
async fn a_connection_that_was_killed_costs_no_request() {
    let server = Server::start();
    let node = Node::at(&server.url(), "50/day").await;
    for round in 0..10 {
        assert_eq!(node.statuses(3).await, [200; 3], "round {round}");
        server.tell::<u64>(&["CLIENT", "KILL", "TYPE", "normal"]);
    }
    server.tell::<()>(&["SCRIPT", "FLUSH"]);
    assert_eq!(
        node.statuses(30).await,
        [[200; 20].as_slice(), &[429; 10]].concat()
    );
}

#[tokio::test]
async fn a_server_that_starts_again_is_asked_again() {
    let mut server = Server::start();
    let node = Node::at(&server.url(), "50/day").await;
    assert_eq!(node.statuses(3).await, [200; 3]);
    server.kill();
    assert_eq!(node.statuses(10).await, [503; 10]);
    server.restart();
    assert_eq!(node.status_a_second_later().await, 200);
    assert_eq!(node.statuses(10).await, [200; 10]);
}

/// Also of those that it greets with `LOADING`, because they choose a database.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_loads_is_asked_again_when_it_has_loaded() {
    let server = Server::start();
    let nodes = [
        Node::at(&server.url(), "50/day").await,
        Node::at(&format!("{}/1", server.url()), "50/day").await,
        Node::at(&format!("{}/1", server.url()), "50/day").await,
    ];
    for node in &nodes[..2] {
        assert_eq!(node.statuses(1).await, [200]);
    }
    server.tell::<()>(&["CONFIG", "SET", "rdbcompression", "no"]);
    for n in 0..1_000 {
        server.tell::<()>(&["SET", &n.to_string(), &"x".repeat(4_000)]);
    }
    // Ten milliseconds a key, after each of which it answers, until it is told otherwise.
    server.tell::<()>(&[
        "CONFIG",
        "SET",
        "loading-process-events-interval-bytes",
        "1024",
    ]);
    server.tell::<()>(&["CONFIG", "SET", "key-load-delay", "10000"]);
    std::thread::scope(|scope| {
        scope.spawn(|| server.tell::<()>(&["DEBUG", "RELOAD"]));
        let loads = || {
            let info = server.tell::<String>(&["INFO", "persistence"]);
            info.contains("\nloading:1")
        };
        while !loads() {
            std::thread::yield_now();
        }
        let runtime = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| {
            for node in &nodes {
                let statuses = runtime.block_on(node.statuses(5));
                assert_eq!(statuses, [503; 5]);
            }
        });
        assert!(loads(), "all of that while it loaded");
        server.tell::<()>(&["CONFIG", "SET", "key-load-delay", "0"]);
    });
    for node in &nodes {
        assert_eq!(node.status_a_second_later().await, 200);
        assert_eq!(node.statuses(5).await, [200; 5]);
    }
}

#[tokio::test]
async fn a_server_without_memory_counts_again_when_it_has_some() {
    let server = Server::start();
    let node = Node::at(&server.url(), "50/day").await;
    assert_eq!(node.statuses(3).await, [200; 3]);
    server.tell::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_eq!(node.statuses(10).await, [503; 10]);
    server.tell::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(node.status_a_second_later().await, 200);
    assert_eq!(node.statuses(10).await, [200; 10]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_busy_with_a_script_is_asked_again_when_that_has_ended() {
    let server = Server::start();
    let node = Node::at(&server.url(), "50/day").await;
    assert_eq!(node.statuses(3).await, [200; 3]);
    server.tell::<()>(&["CONFIG", "SET", "lua-time-limit", "1"]);
    std::thread::scope(|scope| {
        let client = ::redis::Client::open(server.url()).unwrap();
        let mut connection = client.get_connection().unwrap();
        scope.spawn(move || {
            let endless = ::redis::cmd("EVAL")
                .arg("while true do end")
                .arg(0)
                .exec(&mut connection);
            assert!(endless.is_err(), "it was killed");
        });
        let is_busy = || {
            let mut connection = client.get_connection().unwrap();
            ::redis::cmd("PING").exec(&mut connection).is_err()
        };
        while !is_busy() {
            std::thread::yield_now();
        }
        let runtime = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| {
            assert_eq!(runtime.block_on(node.statuses(10)), [503; 10]);
        });
        server.tell::<()>(&["SCRIPT", "KILL"]);
    });
    assert_eq!(node.status_a_second_later().await, 200);
    assert_eq!(node.statuses(10).await, [200; 10]);
}

/// The server is there: it only has no answer to this one.
#[tokio::test]
async fn a_counter_that_is_none_is_its_callers_outage_and_nobody_elses() {
    let server = Server::start();
    let node = Node::at(&server.url(), "50/day").await;
    let others = node.world.key(Subject::user("8")).await;
    assert_eq!(node.statuses(1).await, [200]);
    let names: Vec<String> = server.tell(&["KEYS", "*"]);
    server.tell::<()>(&["DEL", &names[0]]);
    server.tell::<()>(&["LPUSH", &names[0], "x"]);
    assert_eq!(node.statuses(10).await, [503; 10]);
    assert_eq!(admitted(&node.auth, &others, 10).await, 10);
    server.tell::<()>(&["DEL", &names[0]]);
    assert_eq!(node.statuses(10).await, [200; 10]);
}

/// A machine that is gone sends nothing, not even that the connection has ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_nothing_comes_through_is_given_up() {
    let (first, second) = (Server::start(), Server::start());
    let name = Forwarder::to(first.port()).await;
    let limiter = RedisLimiter::new(&name.url()).deadline(Duration::from_secs(1));
    let node = Node::with(limiter, "50/day").await;
    assert_eq!(node.statuses(3).await, [200; 3]);
    name.moves_to(second.port());
    name.swallows_what_comes_from_old_connections();
    assert_eq!(node.statuses(3).await, [503; 3]);
    assert_eq!(node.status_a_second_later().await, 200);
    assert_eq!(node.statuses(10).await, [200; 10]);
}
