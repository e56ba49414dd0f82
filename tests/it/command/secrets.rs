//! Where secrets are seen, and where not.

use super::place::{Place, Ran};
use crate::databases::support::until;
use std::io::{Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

const PASSWORD: &str = "correct-horse-battery";

#[tokio::test]
async fn a_password_is_neither_among_the_arguments_nor_in_what_is_printed() {
    for place in Place::migrated().await {
        for arguments in [&["user", "add", "anna"][..], &["user", "password", "anna"]] {
            let mut process = place.spawn(arguments);
            let mut stdin = process.stdin.take().unwrap();
            stdin.write_all(PASSWORD.as_bytes()).unwrap();
            // It waits for the end of the line. At its very beginning it has no arguments yet.
            let words = || std::fs::read_to_string(format!("/proc/{}/cmdline", process.id()));
            until("it runs", async || words().unwrap().contains("anna")).await;
            assert!(!words().unwrap().contains(PASSWORD));
            drop(stdin);
            let ran = Ran::of(process.wait_with_output().unwrap());
            ran.is(0);
            assert!(
                !format!("{}{}", ran.out, ran.err).contains(PASSWORD),
                "{ran:?}"
            );
        }
    }
}

#[test]
fn a_new_secret_stands_alone_on_stdout_and_is_another_one_each_time() {
    let place = Place::anywhere("");
    let (first, second) = (place.run(&["secret", "new"]), place.run(&["secret", "new"]));
    assert_eq!((first.is(0).out.len(), first.err.as_str()), (44, ""));
    assert_ne!(first.out, second.out);
    assert!(
        first
            .out
            .trim_end()
            .bytes()
            .all(|b| b.is_ascii_alphanumeric())
    );
}

/// A terminal at which somebody sits.
struct Terminal {
    script: Child,
    shown: ChildStdout,
    /// The terminal's device.
    device: String,
    /// All that was shown so far.
    text: String,
}

impl Terminal {
    fn start(place: &Place, arguments: &str) -> Self {
        let program = env!("CARGO_BIN_EXE_tower-auth");
        let mut script = Command::new("script");
        script
            .env("DATABASE_URL", &place.url)
            .args([
                "-qec",
                &format!("tty; exec {program} {arguments}"),
                "/dev/null",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut script = script.spawn().unwrap();
        let shown = script.stdout.take().unwrap();
        let mut terminal = Self {
            script,
            shown,
            device: String::new(),
            text: String::new(),
        };
        terminal.waits_for("\n");
        terminal.device = terminal.text.trim().to_owned();
        terminal
    }

    fn waits_for(&mut self, words: &str) {
        let from = self.text.len();
        while !self.text[from..].contains(words) {
            let mut byte = [0];
            let read = self.shown.read(&mut byte).unwrap();
            assert_eq!(read, 1, "{words:?} never came: {}", self.text);
            self.text.push(char::from(byte[0]));
        }
    }

    /// Waits until what is typed is not shown, and types.
    async fn types_unseen(&mut self, text: &str) {
        let device = &self.device;
        until("the echo is off", async || {
            let settings = Command::new("stty").args(["-a", "-F", device]).output();
            String::from_utf8(settings.unwrap().stdout)
                .unwrap()
                .contains(" -echo ")
        })
        .await;
        let mut keyboard = self.script.stdin.as_ref().unwrap();
        keyboard.write_all(text.as_bytes()).unwrap();
    }

    fn ends(mut self) -> (Option<i32>, String) {
        self.shown.read_to_string(&mut self.text).unwrap();
        (self.script.wait().unwrap().code(), self.text)
    }
}

#[tokio::test]
async fn at_a_terminal_a_password_is_asked_for_twice_and_not_shown() {
    for place in Place::migrated().await {
        let mut terminal = Terminal::start(&place, "user add anna");
        terminal.waits_for("The password: ");
        terminal.types_unseen(&format!("{PASSWORD}\n")).await;
        terminal.waits_for("The password again: ");
        terminal.types_unseen(&format!("{PASSWORD}\n")).await;
        let (code, text) = terminal.ends();
        assert_eq!(code, Some(0), "{text}");
        assert!(
            text.contains("active") && !text.contains(PASSWORD),
            "{text}"
        );

        let mut terminal = Terminal::start(&place, "user add bob");
        terminal.waits_for("The password: ");
        terminal.types_unseen(&format!("{PASSWORD}\n")).await;
        terminal.waits_for("The password again: ");
        terminal.types_unseen("another-horse-battery\n").await;
        let (code, text) = terminal.ends();
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains("The two passwords differ"), "{text}");
        place.run(&["user", "show", "bob"]).is(3);
    }
}
