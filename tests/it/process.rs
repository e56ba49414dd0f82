//! Examples as processes of their own.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

/// An example that runs until it is told to stop.
pub(crate) struct Example {
    process: Child,
    output: BufReader<ChildStdout>,
    pub(crate) url: String,
}

impl Example {
    pub(crate) fn start(name: &str) -> Self {
        Self::start_with(name, &[])
    }

    /// With these variables in its environment.
    pub(crate) fn start_with(name: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = command_of(name, variables);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .expect("the line on which servers say where they are");
        Self {
            url: url.to_owned(),
            process,
            output,
        }
    }

    /// What it prints where it ends at once, and not well.
    pub(crate) fn fails_to_start(name: &str, variables: &[(&str, &str)]) -> String {
        let output = command_of(name, variables).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    }

    pub(crate) fn line_with(&mut self, part: &str) -> String {
        let mut line = String::new();
        while !line.contains(part) {
            line.clear();
            assert_ne!(
                self.output.read_line(&mut line).unwrap(),
                0,
                "no line with {part:?}"
            );
        }
        line.trim().to_owned()
    }

    /// Stops it as an operator does.
    pub(crate) fn terminate(self) -> ExitStatus {
        self.tell_to_stop();
        self.wait()
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn tell_to_stop(&self) {
        let kill = format!("kill -TERM {}", self.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
    }

    pub(crate) fn wait(mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

/// A test that fails leaves nothing running.
impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// It listens at a free port, and its environment says what these variables say.
fn command_of(name: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(path_of(name));
    for unset in [
        "DATABASE_URL",
        "REDIS_URL",
        "REDIS_NAMESPACE",
        "REDIS_NODES",
        "JWT_SECRET",
        "PUBLIC_URL",
        "THROTTLE_RATE",
    ] {
        command.env_remove(unset);
    }
    command
        .env("ADDR", "127.0.0.1:0")
        .envs(variables.iter().copied());
    command
}

/// `cargo test` builds the examples beside the tests.
pub(crate) fn path_of(name: &str) -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let path = deps.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(
        path.exists(),
        "{} is not built: run `cargo build --examples` before a single test",
        path.display()
    );
    path
}
