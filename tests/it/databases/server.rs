//! A PostgreSQL server that a test stops, starts and freezes.

use super::support::*;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

pub(super) struct Server {
    bin: PathBuf,
    dir: Dir,
    port: u16,
    /// `None` while it is stopped.
    process: Option<Child>,
}

impl Server {
    pub(super) async fn start() -> Self {
        let bin = std::env::var("TOWER_AUTH_TEST_POSTGRES_BIN").expect(
            "this test starts PostgreSQL, and TOWER_AUTH_TEST_POSTGRES_BIN does not say where: run tests/run",
        );
        let mut server = Self {
            bin: bin.into(),
            dir: Dir::new(),
            port: free_port(),
            process: None,
        };
        if let Some((user, group)) = server_user() {
            std::os::unix::fs::chown(&server.dir.0, Some(user), Some(group)).unwrap();
        }
        let data = server.data();
        let arguments = [
            "-D",
            &data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-N",
            "-E",
            "UTF8",
            "--no-locale",
        ];
        let made = server
            .command("initdb")
            .args(arguments)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success());
        server.resume().await;
        server
    }

    pub(super) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it again, and waits until it answers.
    pub(super) async fn resume(&mut self) {
        let (data, port) = (self.data(), self.port.to_string());
        let socket = self.dir.0.display().to_string();
        let arguments = [
            "-D",
            &data,
            "-k",
            &socket,
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-c",
            "fsync=off",
        ];
        let mut command = self.command("postgres");
        self.process = Some(
            command
                .args(arguments)
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        let url = self.url();
        until("the server answers", async || {
            use sqlx::Connection;
            sqlx::PgConnection::connect(&url).await.is_ok()
        })
        .await;
    }

    /// Ends it as a power cut would.
    pub(super) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            signal(&process, libc::SIGQUIT);
            process.wait().unwrap();
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir(&self.dir.0);
        if let Some((user, group)) = server_user() {
            command.uid(user).gid(group);
        }
        command
    }

    fn data(&self) -> String {
        self.dir.0.join("data").display().to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn signal(process: &Child, signal: i32) {
    let id = i32::try_from(process.id()).unwrap();
    #[expect(unsafe_code, reason = "std cannot send signals")]
    // OK because it is a child of ours that was not waited for, so the id is its own.
    let sent = unsafe { libc::kill(id, signal) };
    assert_eq!(sent, 0);
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// PostgreSQL refuses to run as root: then it runs as the user of that name. `None` where we are
/// not root.
fn server_user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().unwrap().stdout;
        String::from_utf8(output)
            .unwrap()
            .trim()
            .parse::<u32>()
            .unwrap()
    };
    (id(&["-u"]) == 0).then(|| (id(&["-u", "postgres"]), id(&["-g", "postgres"])))
}
