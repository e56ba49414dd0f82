//! Several nodes on one Redis, and what happens when it does not answer.

use super::server::Server;
use super::*;
use crate::watch::Log;
use tower::ServiceBuilder;
use tower::ServiceExt;
use tower_auth::throttle::{RedisLimiter, Settlement, Throttle};
use tower_auth::{ConfigProblem, Secret};

/// What a node needs that takes its time on a machine where everything else is tested too.
fn patient(server: &Server) -> RedisLimiter {
    RedisLimiter::new(&server.url()).deadline(Duration::from_secs(10))
}

fn nodes(
    world: &World,
    count: usize,
    limiter: &dyn Fn() -> RedisLimiter,
    rules: &[Throttle],
) -> Vec<AuthLayer> {
    let node = |_| {
        let builder = over(&world.realm().limiter(limiter()));
        rules
            .iter()
            .fold(builder, |builder, rule| builder.throttle(rule.clone()))
            .build()
            .unwrap()
    };
    (0..count).map(node).collect()
}

/// How many of the requests pass, each node serving so many at once.
async fn hammer(nodes: &[AuthLayer], key: &str, at_once: usize, each: usize) -> usize {
    let mut tasks = tokio::task::JoinSet::new();
    for node in nodes {
        for _ in 0..at_once {
            let (node, key) = (node.clone(), key.to_owned());
            tasks.spawn(async move { admitted(&node, &key, each).await });
        }
    }
    tasks.join_all().await.into_iter().sum()
}

/// What `build()` says of a limiter.
fn problems(limiter: RedisLimiter) -> Vec<ConfigProblem> {
    let error = over(&World::new().realm().limiter(limiter)).build();
    error.unwrap_err().problems().to_vec()
}

#[tokio::test]
async fn four_nodes_admit_exactly_n_together() {
    let (server, world) = (Server::start(), World::new());
    for (owner, rate) in [
        "50/hour",
        "300/hour",
        "50/day burst 50",
        "300/week calendar",
    ]
    .into_iter()
    .enumerate()
    {
        let key = world.key(Subject::user(owner.to_string())).await;
        let nodes = nodes(
            &world,
            4,
            &|| patient(&server),
            &[Throttle::per_principal(rate)],
        );
        let expected = rate.split('/').next().unwrap().parse::<usize>().unwrap();
        assert_eq!(hammer(&nodes, &key, 16, 8).await, expected, "{rate}");
    }
}

#[tokio::test]
async fn with_leases_at_most_n_are_admitted_and_n_once_they_are_used_up() {
    let (server, world) = (Server::start(), World::new());
    for (owner, rate) in ["500/day", "500/week calendar"].into_iter().enumerate() {
        let key = world.key(Subject::user(owner.to_string())).await;
        let leased = || patient(&server).leases(30);
        let nodes = nodes(&world, 4, &leased, &[Throttle::per_principal(rate)]);
        let passed = hammer(&nodes, &key, 16, 4).await;
        assert!(passed <= 256);
        assert_eq!(passed + hammer(&nodes, &key, 16, 40).await, 500, "{rate}");
    }
}

#[tokio::test]
async fn a_lease_is_answered_at_once_and_ends_with_its_time() {
    let (server, world) = (Server::start(), World::new());
    let rule = Throttle::per_principal("6400/64min");
    let auth = nodes(&world, 1, &|| patient(&server).leases(100), &[rule]).remove(0);
    let key = world.key(Subject::user("7")).await;
    let at_once = || {
        let service = tower_layer::Layer::layer(&auth, Whoami);
        tokio_test::task::spawn(service.oneshot(bearer(&key)))
            .poll()
            .is_ready()
    };
    assert!(!at_once(), "the first asks");
    assert_eq!(send(&auth, bearer(&key)).await.status, 200);
    assert!(at_once(), "the others have its lease");
    world.advance(10.0);
    assert!(!at_once(), "ten seconds is the longest");
}

#[tokio::test]
async fn several_limits_on_a_server_are_all_or_nothing() {
    let (server, world) = (Server::start(), World::new());
    let rules = [
        Throttle::per_principal("130/day"),
        Throttle::per_key("40/hour"),
    ];
    let nodes = nodes(&world, 4, &|| patient(&server), &rules);
    let (one, two) = (
        world.key(Subject::user("7")).await,
        world.key(Subject::user("7")).await,
    );
    assert_eq!(
        hammer(&nodes, &one, 8, 8).await + hammer(&nodes, &two, 8, 8).await,
        80
    );
    let others = [
        world.key(Subject::user("7")).await,
        world.key(Subject::user("7")).await,
    ];
    let passed = [
        hammer(&nodes, &others[0], 8, 8).await,
        hammer(&nodes, &others[1], 8, 8).await,
    ];
    assert_eq!(
        passed,
        [40, 10],
        "the owner's 130: nothing was lost by refusals"
    );
}

#[tokio::test]
async fn routes_are_apart_on_a_server_and_the_same_route_of_two_nodes_is_one() {
    let (server, world) = (Server::start(), World::new());
    let key = world.key(Subject::user("7")).await;
    let mut passed = Vec::new();
    for scope in ["search", "search", "report"] {
        let realm = world.realm().limiter(patient(&server));
        let auth = over(&realm).build().unwrap();
        let route = auth
            .throttle(scope, [Throttle::per_principal("5/hour")])
            .unwrap();
        let service = ServiceBuilder::new()
            .layer(auth)
            .layer(route)
            .service(Whoami);
        let mut count = 0;
        for _ in 0..4 {
            count += usize::from(
                service
                    .clone()
                    .oneshot(bearer(&key))
                    .await
                    .unwrap()
                    .status()
                    == 200,
            );
        }
        passed.push(count);
    }
    assert_eq!(passed, [4, 1, 4]);
}

#[tokio::test]
async fn answers_tell_the_standing_on_the_server() {
    let (server, world) = (Server::start(), World::new());
    let nodes = nodes(
        &world,
        2,
        &|| patient(&server),
        &[Throttle::per_principal("3/hour")],
    );
    let key = world.key(Subject::user("7")).await;
    let left = async |node: &AuthLayer| {
        let reply = send(node, bearer(&key)).await;
        let told = reply.headers["ratelimit"].to_str().unwrap();
        told.split("r=")
            .nth(1)
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        [
            left(&nodes[0]).await,
            left(&nodes[1]).await,
            left(&nodes[0]).await
        ],
        ["2", "1", "0"]
    );
    let refused = send(&nodes[1], bearer(&key)).await;
    let retry_after: u64 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        refused.status == 429 && (3590..=3600).contains(&retry_after),
        "{retry_after}"
    );
}

#[tokio::test]
async fn settled_costs_reach_the_server() {
    let (server, world) = (Server::start(), World::new());
    let rule = Throttle::per_principal("100/hour").cost(|_| 10).settled();
    let auth = nodes(&world, 1, &|| patient(&server), &[rule]).remove(0);
    let key = world.key(Subject::user("7")).await;
    let handler = |request: Request<Full<Bytes>>| {
        request.extensions().get::<Settlement>().unwrap().settle(95);
        std::future::ready(Ok::<_, std::convert::Infallible>(http::Response::new(
            Full::<Bytes>::default(),
        )))
    };
    let service = ServiceBuilder::new()
        .layer(auth)
        .service(tower::service_fn(handler));
    assert_eq!(
        service
            .clone()
            .oneshot(bearer(&key))
            .await
            .unwrap()
            .status(),
        200
    );
    // It is sent in the background: the server says when it is there.
    let mut connection = ::redis::Client::open(server.url())
        .unwrap()
        .get_connection()
        .unwrap();
    let names: Vec<String> = ::redis::cmd("KEYS")
        .arg("*")
        .query(&mut connection)
        .unwrap();
    let mut stored = || -> Vec<u8> {
        ::redis::cmd("GET")
            .arg(&names[0])
            .query(&mut connection)
            .unwrap()
    };
    // The count is the last byte of its one entry.
    while stored().last() != Some(&95) {
        tokio::task::yield_now().await;
    }
    assert_eq!(service.oneshot(bearer(&key)).await.unwrap().status(), 429);
}

/// The rules of each policy, on a server that is not there.
#[tokio::test]
async fn while_the_server_is_gone_each_rule_does_what_it_says() {
    let (mut server, world) = (Server::start(), World::new());
    let key = world.key(Subject::user("7")).await;
    let node = |rule: Throttle| nodes(&world, 1, &|| patient(&server).nodes(4), &[rule]).remove(0);
    let rule = || Throttle::per_principal("40/day");
    let (share, refuse) = (node(rule()), node(rule().refuse_in_outage()));
    let admit = node(rule().dangerous().admit_in_outage());
    for auth in [&share, &refuse, &admit] {
        assert_eq!(admitted(auth, &key, 1).await, 1);
    }
    server.kill();
    assert_eq!(admitted(&share, &key, 50).await, 10, "a quarter");
    assert_eq!(admitted(&admit, &key, 50).await, 50);
    let refused = send(&refuse, bearer(&key)).await;
    assert_eq!(
        (
            refused.status.as_u16(),
            refused.headers.contains_key("retry-after")
        ),
        (503, true)
    );
    server.restart();
    world.advance(1.0);
    for auth in [&share, &refuse, &admit] {
        // The breaker lets one request a second try; the first may find the connection still
        // broken.
        let mut tries = 0;
        while send(auth, bearer(&key))
            .await
            .headers
            .get("ratelimit")
            .is_none_or(|told| !told.to_str().unwrap().contains("r=3"))
        {
            world.advance(1.0);
            tries += 1;
            assert!(tries < 1_000, "it does not come back");
        }
    }
}

#[tokio::test]
async fn a_frozen_server_costs_few_requests_their_deadline_and_the_others_nothing() {
    let (server, world) = (Server::start(), World::new());
    let key = world.key(Subject::user("7")).await;
    // Half a second, so that what waits can be told from what does not on any machine.
    let limiter = || RedisLimiter::new(&server.url()).deadline(Duration::from_millis(500));
    let auth = nodes(&world, 1, &limiter, &[Throttle::per_principal("1000/day")]).remove(0);
    assert_eq!(admitted(&auth, &key, 2).await, 2);
    server.freeze();
    let mut waited = 0;
    for _ in 0..200 {
        let start = start();
        assert_eq!(
            send(&auth, bearer(&key)).await.status,
            200,
            "from this node's share"
        );
        waited += usize::from(start.elapsed() >= Duration::from_millis(400));
    }
    assert_eq!(
        waited, 3,
        "three fail, then nobody asks: 99 of 100 wait for nothing"
    );
    server.thaw();
    world.advance(1.0);
    assert_eq!(send(&auth, bearer(&key)).await.status, 200);
}

#[tokio::test]
async fn a_forgotten_script_is_sent_again_and_a_key_of_another_kind_is_an_outage() {
    let (server, world) = (Server::start(), World::new());
    let key = world.key(Subject::user("7")).await;
    let rule = Throttle::per_principal("5/day").refuse_in_outage();
    let auth = nodes(&world, 1, &|| patient(&server), &[rule]).remove(0);
    let mut connection = ::redis::Client::open(server.url())
        .unwrap()
        .get_connection()
        .unwrap();
    assert_eq!(admitted(&auth, &key, 2).await, 2);
    ::redis::cmd("SCRIPT")
        .arg("FLUSH")
        .exec(&mut connection)
        .unwrap();
    assert_eq!(admitted(&auth, &key, 9).await, 3);
    let names: Vec<String> = ::redis::cmd("KEYS")
        .arg("*")
        .query(&mut connection)
        .unwrap();
    ::redis::cmd("DEL")
        .arg(&names)
        .exec(&mut connection)
        .unwrap();
    ::redis::cmd("LPUSH")
        .arg(&names[0])
        .arg("x")
        .exec(&mut connection)
        .unwrap();
    assert_eq!(send(&auth, bearer(&key)).await.status, 503);
}

#[tokio::test]
async fn a_server_is_asked_over_tls_if_it_has_a_certificate_that_is_trusted() {
    let server = Server::start_with_tls();
    let patient = |limiter: RedisLimiter| limiter.deadline(Duration::from_secs(10));
    let auth = |world: &World, limiter: RedisLimiter| {
        over(&world.realm().limiter(patient(limiter)))
            .throttle(Throttle::per_principal("3/day").refuse_in_outage())
            .build()
            .unwrap()
    };
    let limiter = || RedisLimiter::new(&server.url());
    let (world, other) = (World::new(), World::new());
    let (key, others) = (
        world.key(Subject::user("7")).await,
        other.key(Subject::user("7")).await,
    );
    assert_eq!(
        admitted(
            &auth(&world, limiter().root_certificates(server.certificate())),
            &key,
            2
        )
        .await,
        2
    );
    assert_eq!(
        admitted(
            &auth(&other, limiter().root_certificates(server.certificate())),
            &others,
            5
        )
        .await,
        1
    );
    let unknown = send(&auth(&world, limiter()), bearer(&key)).await;
    assert_eq!(
        unknown.status, 503,
        "nobody trusts a certificate that signs itself"
    );

    assert_eq!(
        problems(limiter().root_certificates("no PEM")),
        [ConfigProblem::RedisCertificates]
    );
    let plain = RedisLimiter::new("redis://127.0.0.1").root_certificates(server.certificate());
    assert_eq!(problems(plain), [ConfigProblem::RedisCertificates]);
}

/// What an error says, with all its sources.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

/// A third of the callers would be counted, or all of them by each node by itself.
#[tokio::test]
async fn a_cluster_is_refused_in_words_by_ready_and_by_each_request() {
    let servers = Server::start_as_cluster();
    for server in &servers {
        let error = patient(server).ready().await.unwrap_err();
        let told = chain(&error);
        assert!(told.contains("a node of a Redis Cluster"), "{told}");
        let world = World::new();
        let log = Log::default();
        let captured = log.capture();
        let rule = Throttle::per_principal("5/day").refuse_in_outage();
        let auth = nodes(&world, 1, &|| patient(server), &[rule]).remove(0);
        for user in 0..12 {
            let key = world.key(Subject::user(user.to_string())).await;
            assert_eq!(statuses(&auth, &key, 2).await, [503; 2], "{user}");
        }
        drop(captured);
        let told = String::from_utf8(log.take()).unwrap();
        assert!(told.contains("a node of a Redis Cluster"), "{told}");
        assert_eq!(server.tell::<u64>(&["DBSIZE"]), 0);
    }
}

#[tokio::test]
async fn a_start_can_wait_for_the_server() {
    let mut server = Server::start();
    patient(&server).ready().await.unwrap();
    let limiter = patient(&server);
    server.kill();
    let error = limiter.ready().await.unwrap_err();
    assert!(chain(&error).contains("refused"), "{}", chain(&error));
    server.restart();
    limiter.ready().await.unwrap();
}

#[tokio::test]
async fn a_namespace_keeps_two_services_on_one_server_apart() {
    let (server, world) = (Server::start(), World::new());
    let key = world.key(Subject::user("7")).await;
    for leases in [1, 5] {
        let limiter = patient(&server).leases(leases);
        let named = |name: &str| limiter.clone().namespace(name);
        let scope = format!("of-{leases}");
        let node = |limiter: RedisLimiter| {
            let auth = over(&world.realm().limiter(limiter)).build().unwrap();
            let rule = [Throttle::per_principal("10/hour")];
            let route = auth.throttle(&scope, rule).unwrap();
            ServiceBuilder::new()
                .layer(auth)
                .layer(route)
                .service(Whoami)
        };
        let passes = async |limiter: RedisLimiter| {
            let (service, mut passed) = (node(limiter), 0);
            for _ in 0..20 {
                let answer = service.clone().oneshot(bearer(&key)).await.unwrap();
                passed += usize::from(answer.status() == 200);
            }
            passed
        };
        assert_eq!(passes(named("orders")).await, 10, "{leases}");
        assert_eq!(
            passes(named("orders")).await,
            0,
            "{leases}: nodes of one service"
        );
        assert_eq!(
            passes(named("reports")).await,
            10,
            "{leases}: another service"
        );
        assert_eq!(passes(limiter.clone()).await, 10, "{leases}: none");
    }
    let names: Vec<String> = server.tell(&["KEYS", "tower-auth:orders:{*"]);
    assert_eq!(names.len(), 2);
    for wrong in ["", "a:b", "{a}", "a b", &"a".repeat(65)] {
        let limiter = patient(&server).namespace(wrong);
        assert_eq!(
            problems(limiter),
            [ConfigProblem::RedisNamespace],
            "{wrong:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_may_forget_is_told_to_the_log_once() {
    let server = Server::start();
    server.tell::<()>(&["CONFIG", "SET", "maxmemory", "100mb"]);
    for (policy, appends, told) in [
        ("allkeys-lru", "yes", Some("maxmemory-policy allkeys-lru")),
        (
            "volatile-ttl",
            "no",
            Some("maxmemory-policy volatile-ttl, appendonly no"),
        ),
        ("noeviction", "no", Some("appendonly no")),
        ("noeviction", "yes", None),
    ] {
        server.tell::<()>(&["CONFIG", "SET", "maxmemory-policy", policy]);
        server.tell::<()>(&["CONFIG", "SET", "appendonly", appends]);
        let world = World::new();
        let key = world.key(Subject::user("7")).await;
        let log = Log::default();
        let captured = log.capture();
        let rule = Throttle::per_principal("50/day").refuse_in_outage();
        let auth = nodes(&world, 1, &|| patient(&server), &[rule]).remove(0);
        for _ in 0..3 {
            assert_eq!(admitted(&auth, &key, 1).await, 1);
            server.tell::<u64>(&["CLIENT", "KILL", "TYPE", "normal"]);
        }
        drop(captured);
        let logged = String::from_utf8(log.take()).unwrap();
        let lines: Vec<&str> = logged
            .lines()
            .filter(|line| line.contains("limiter may forget"))
            .collect();
        match told {
            Some(told) => {
                assert_eq!(lines.len(), 1, "{logged}");
                assert!(
                    lines[0].contains("WARN") && lines[0].contains(told),
                    "{logged}"
                );
            }
            None => assert_eq!(lines, [""; 0]),
        }
        server.tell::<()>(&["FLUSHALL"]);
    }
}

#[tokio::test]
async fn mistakes_are_reported_by_build() {
    assert_eq!(
        problems(RedisLimiter::new("http://x")),
        [ConfigProblem::RedisUrl]
    );
    let url = "redis://:a-password@127.0.0.1:1";
    let zero = RedisLimiter::new(url)
        .nodes(0)
        .deadline(Duration::ZERO)
        .leases(0);
    assert!(!format!("{zero:?}").contains("a-password"));
    assert_eq!(problems(zero).len(), 3);
}

const URL: &str = "TOWER_AUTH_TEST_PROCESS_OF_REDIS";
const OWNER: &str = "TOWER_AUTH_TEST_OWNER";
const LEASES: &str = "TOWER_AUTH_TEST_LEASES";

/// The other processes are this program, told by its environment where the server is.
#[tokio::test]
async fn four_processes_admit_exactly_n() {
    if let Ok(url) = std::env::var(URL) {
        return one_process(&url).await;
    }
    let (server, long) = (Server::start(), Long::asked_for());
    for run in 0..long.runs {
        assert_eq!(four_processes(&server, run, 1), 333, "run {run}");
    }
}

#[tokio::test]
async fn four_processes_with_leases_admit_n_once_they_are_used_up_and_never_more() {
    let (server, long) = (Server::start(), Long::asked_for());
    for run in 0..long.runs {
        assert_eq!(four_processes(&server, run, 20), 333, "run {run}");
        assert_eq!(
            four_processes(&server, run, 1),
            0,
            "run {run}, after all were used up"
        );
    }
}

/// How many requests of an owner four processes let through together.
fn four_processes(server: &Server, owner: usize, leases: u32) -> usize {
    let child = |_| {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args([
            "--exact",
            "throttle::redis::four_processes_admit_exactly_n",
            "--nocapture",
        ]);
        command
            .env(URL, server.url())
            .env(OWNER, owner.to_string())
            .env(LEASES, leases.to_string());
        command
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = (0..4).map(child).collect();
    let passed = children.into_iter().map(|child| {
        let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let line = output.lines().find_map(|line| line.split_once("passed="));
        line.unwrap_or_else(|| panic!("{output}"))
            .1
            .trim()
            .parse::<usize>()
            .unwrap()
    });
    passed.sum()
}

async fn one_process(url: &str) {
    let variable = |name: &str| std::env::var(name).unwrap();
    let key = "sixteen-or-more-characters";
    let leases = variable(LEASES).parse().unwrap();
    let limiter = RedisLimiter::new(url)
        .deadline(Duration::from_secs(10))
        .leases(leases);
    // By a clock that stands still no lease runs off unused, however slow the machine is.
    let realm = Realm::new(Memory::new())
        .limiter(limiter)
        .clock(ManualClock::new(1_000));
    let keys = realm.api_keys(ApiKeys::bare().opaque());
    let request = KeyRequest::new(Subject::user(variable(OWNER)), "test");
    keys.import(&Secret::new(key.to_owned()), request)
        .await
        .unwrap();
    let auth = AuthLayer::builder()
        .accept(&keys)
        .throttle(Throttle::per_principal("333/day"))
        .build()
        .unwrap();
    let (long, start, mut passed) = (Long::asked_for(), start(), 0);
    loop {
        let round = hammer(std::slice::from_ref(&auth), key, 16, 10).await;
        passed += round;
        // Whoever is refused throughout a round has used up all that was leased.
        if round == 0 && !long.goes_on(start) {
            break;
        }
    }
    println!("passed={passed}");
}
