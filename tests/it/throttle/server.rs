//! A redis-server of one's own, on a free port of this machine.

use super::dir::Dir;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

pub(crate) struct Server {
    process: Child,
    port: u16,
    kind: Kind,
    /// What it saves, where it is told to.
    files: Dir,
}

enum Kind {
    Plain,
    Tls(Tls),
    /// A node of a cluster.
    Cluster,
}

/// A certificate for 127.0.0.1 that signs itself, as files for the server.
struct Tls {
    files: Dir,
    certificate: String,
}

impl Tls {
    fn new() -> Self {
        let files = Dir::new();
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let certificate = own.cert.pem();
        std::fs::write(files.0.join("cert"), &certificate).unwrap();
        std::fs::write(files.0.join("key"), own.signing_key.serialize_pem()).unwrap();
        Self { files, certificate }
    }
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(Kind::Plain)
    }

    /// It speaks TLS only.
    pub(crate) fn start_with_tls() -> Self {
        Self::start_with(Kind::Tls(Tls::new()))
    }

    /// The nodes of a cluster, each of which has a third of the slots.
    pub(crate) fn start_as_cluster() -> [Self; 3] {
        let servers = [(); 3].map(|()| Self::start_with(Kind::Cluster));
        for (server, slots) in servers
            .iter()
            .zip([(0, 5_460), (5_461, 10_922), (10_923, 16_383)])
        {
            let (first, last) = (slots.0.to_string(), slots.1.to_string());
            server.tell::<()>(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
            let [port, bus] = [servers[0].port(), servers[0].bus()].map(|port| port.to_string());
            server.tell::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        }
        for server in &servers {
            let info = || server.tell::<String>(&["CLUSTER", "INFO"]);
            while !info().contains("cluster_state:ok") {
                std::thread::yield_now();
            }
        }
        servers
    }

    /// Where nodes of a cluster talk to one another.
    fn bus(&self) -> u16 {
        let [_, port]: [String; 2] = self.tell(&["CONFIG", "GET", "cluster-port"]);
        port.parse().unwrap()
    }

    fn start_with(kind: Kind) -> Self {
        let files = Dir::new();
        // The port is free when it is looked up; should somebody else be quicker, another is tried.
        let tries = (0..10).filter_map(|_| {
            let port = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            Some((spawn(port, &kind, &files)?, port))
        });
        let (process, port) = { tries }.next().expect("no redis-server comes up");
        Self {
            process,
            port,
            kind,
            files,
        }
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if matches!(self.kind, Kind::Tls(_)) {
            "rediss"
        } else {
            "redis"
        };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// Its certificate, of one that speaks TLS.
    pub(crate) fn certificate(&self) -> &str {
        let Kind::Tls(tls) = &self.kind else {
            panic!("no TLS")
        };
        &tls.certificate
    }

    /// What it answers to a command of an operator.
    pub(crate) fn tell<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let mut connection = redis::Client::open(self.url())
            .unwrap()
            .get_connection()
            .unwrap();
        let mut command = redis::Cmd::new();
        command.arg(words);
        command.query(&mut connection).unwrap()
    }

    /// Has all of another server's from now on, and writes nothing of its own.
    pub(crate) fn follow(&self, port: u16) {
        self.tell::<()>(&["REPLICAOF", "127.0.0.1", &port.to_string()]);
    }

    /// Waits until it has all that the other has.
    pub(crate) fn catch_up_with(&self, other: &Self) {
        let said = |server: &Self, name: &str| {
            let info: String = server.tell(&["INFO", "replication"]);
            let line = info.lines().find_map(|line| line.strip_prefix(name));
            line.map(str::to_owned)
        };
        while said(self, "master_link_status:").as_deref() != Some("up")
            || said(self, "slave_repl_offset:") != said(other, "master_repl_offset:")
        {
            std::thread::yield_now();
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Ends it as a failing machine does; it has saved nothing.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn restart(&mut self) {
        let process = spawn(self.port, &self.kind, &self.files);
        self.process = process.expect("the port is taken");
    }

    /// It is there and does not answer.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
    }
}

/// `None` where the port is taken.
fn spawn(port: u16, kind: &Kind, files: &Dir) -> Option<Child> {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    command.args([
        "--enable-debug-command",
        "yes",
        "--repl-diskless-sync-delay",
        "0",
    ]);
    command.arg("--dir").arg(&files.0);
    let port = port.to_string();
    match kind {
        Kind::Plain => command.args(["--port", &port]),
        Kind::Cluster => {
            let bus = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port()
                .to_string();
            command.args([
                "--port",
                &port,
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus,
            ])
        }
        Kind::Tls(tls) => {
            command.args([
                "--port",
                "0",
                "--tls-port",
                &port,
                "--tls-auth-clients",
                "no",
            ]);
            command.arg("--tls-cert-file").arg(tls.files.0.join("cert"));
            command.arg("--tls-key-file").arg(tls.files.0.join("key"))
        }
    };
    command.stdout(Stdio::piped());
    let mut process = command
        .spawn()
        .expect("no redis-server: apt-get install redis-server");
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 {
        if line.contains("Ready to accept connections") {
            // Read on, lest it wait for somebody to.
            std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
            return Some(process);
        }
        line.clear();
    }
    process.wait().unwrap();
    None
}

/// A test that fails leaves nothing running.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
