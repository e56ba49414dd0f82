//! The page `guide::command` says what is so.

use super::help::all_commands;
use super::place::Place;
use crate::dir::Dir;
use std::path::Path;
use std::process::Command;

const PAGE: &str = include_str!("../../../src/guide/command.rs");

/// The lines between ```` ```KIND ```` and ```` ``` ````.
fn block(kind: &str) -> String {
    let page = PAGE.replace("//! ", "").replace("//!", "");
    let (_, from) = page.split_once(&format!("\n```{kind}\n")).unwrap();
    from.split_once("\n```").unwrap().0.to_owned()
}

#[test]
fn the_first_key_is_made_by_the_lines_of_the_guide() {
    let dir = Dir::new();
    std::fs::write(dir.0.join("password.txt"), "correct-horse-battery\n").unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_tower-auth"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let mut shell = Command::new("sh");
    shell.env_clear().env("PATH", path).current_dir(&dir.0);
    let ran = shell.args(["-euc", &block("sh")]).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let key = std::fs::read_to_string(dir.0.join("key.txt")).unwrap();
    assert!(
        key.starts_with("egret_") && key.trim_end().len() == 55,
        "{key}"
    );
    let listed = String::from_utf8(ran.stdout).unwrap();
    assert!(listed.contains("ci    egret_"), "{listed}");
}

#[test]
fn the_guide_names_every_command_and_every_exit_code() {
    for path in all_commands() {
        let name = path.join(" ");
        let has_others_below = all_commands()
            .iter()
            .any(|other| other.len() > path.len() && other.starts_with(&path));
        let named = PAGE.contains(&format!("`{name}`")) || PAGE.contains(&format!("`{name} "));
        assert!(named || has_others_below, "{name}");
    }
    for code in 0..=6 {
        assert!(PAGE.contains(&format!("\n//! | {code} | ")), "{code}");
    }
}

/// An object of the guide has the members that the command prints.
#[tokio::test]
async fn the_user_of_the_guide_has_the_members_that_are_printed() {
    let shown: serde_json::Value = serde_json::from_str(&block("json")).unwrap();
    for place in Place::migrated().await {
        place.add_user("anna@example.com");
        let printed = place
            .run(&["--json", "user", "show", "anna@example.com"])
            .json();
        let members = |value: &serde_json::Value| {
            let object = value.as_object().unwrap();
            object.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(members(&shown), members(&printed));
    }
}
