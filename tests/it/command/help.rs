//! What the command says of itself.

use super::place::Ran;
use std::process::Command;

fn help(path: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tower-auth"));
    let ran = Ran::of(
        command
            .env_clear()
            .args(path)
            .arg("--help")
            .output()
            .unwrap(),
    );
    assert_eq!(ran.is(0).err, "");
    ran.out
}

/// The names below `Commands:`.
fn commands_in(help: &str) -> Vec<String> {
    let below = help.split_once("\nCommands:\n").map(|(_, below)| below);
    let lines = below.unwrap_or_default().lines();
    let named = lines
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "));
    let names = named.map(|line| line.split_whitespace().next().unwrap().to_owned());
    names.filter(|name| name != "help").collect()
}

/// Every command, those that only have others below them included.
pub(super) fn all_commands() -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = Vec::new();
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(path) = open.pop() {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        for name in commands_in(&help(&words)) {
            let child = [&path[..], &[name]].concat();
            open.push(child.clone());
            found.push(child);
        }
    }
    found
}

#[test]
fn the_help_of_every_command_begins_with_a_sentence_and_says_its_usage() {
    let commands = all_commands();
    for known in [
        "migrate",
        "doctor",
        "user add",
        "key create",
        "token revoke",
        "secret new",
    ] {
        assert!(
            commands.iter().any(|path| path.join(" ") == known),
            "{known}"
        );
    }
    for path in commands {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let text = help(&words);
        let (about, rest) = text.split_once("\n\n").unwrap();
        let is_sentence = about.starts_with(char::is_uppercase) && about.ends_with('.');
        assert!(is_sentence, "{path:?}: {about}");
        let usage = format!("Usage: tower-auth {}", path.join(" "));
        assert!(rest.starts_with(&usage), "{path:?}: {rest}");
    }
}

#[test]
fn the_exit_codes_are_part_of_the_help() {
    let text = help(&[]);
    for code in 0..=6 {
        assert!(text.contains(&format!("\n  {code}  ")), "{code}: {text}");
    }
}

#[test]
fn called_without_a_word_it_shows_its_help_and_is_a_mistake() {
    let output = Command::new(env!("CARGO_BIN_EXE_tower-auth")).output();
    Ran::of(output.unwrap()).is(2).says("Usage: tower-auth");
}
