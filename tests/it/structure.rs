//! The folder tree is the way of a request: no file uses one that uses it, and no step a later one.
//!
//! The test reads the files below `src` and follows each name to the file that defines it.

mod planted;
mod source;
mod tokens;

use source::{Arrows, Files, Module, Source};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use tokens::after_group;

/// Rooms in their order: a file may use its own room, an earlier one, and others in its line.
const ROOMS: [&[&str]; 11] = [
    // Shared tools. How often something happened is counted for two steps, so it is one of them.
    &[
        "reject",
        "chain",
        "clock",
        "config",
        "secret",
        "random",
        "rate",
        "digest_hasher",
        "sha256",
        "intern",
        "login",
        "address",
        "framework",
        "event",
        "metrics",
        "rehearsal",
        "fetch",
        "key_set",
        "password",
        "upkeep",
        "turns",
        "store",
        "throttle/limiter",
    ],
    &["credential"],
    &["attempt"],
    &["scheme"],
    &["principal"],
    &["throttle"],
    &["authorize"],
    // Beside the way of a request stand those that issue and manage credentials.
    &["pipeline", "issue", "users", "realm"],
    &["layer"],
    &["endpoint", "integration", "server", "test_util"],
    // Modules that only name what others have.
    &["api_key", "jwt", "openapi"],
];

type Exception = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
);

/// Arrows back that are allowed: from where, to which file, names, reason.
const ALLOWED: [Exception; 5] = [
    (
        "",
        "principal/subject.rs",
        &["Subject"],
        "records and events say of whom they speak",
    ),
    (
        "",
        "principal/grant.rs",
        &["Scope", "Scopes", "Role", "Roles"],
        "records and keys say what was granted",
    ),
    (
        "event/",
        "principal/principal.rs",
        &["Principal"],
        "events say who it was",
    ),
    (
        "scheme/",
        "principal/principal.rs",
        &["Principal", "PrincipalBuilder", "TokenIdentity"],
        "what a scheme answers is a principal",
    ),
    (
        "scheme/jwt/",
        "principal/token_use.rs",
        &["TokenUse"],
        "and what it says of a token of ours",
    ),
];

/// Public functions whose subject is a time: in which folder, names (none is all), reason.
const TIMED: [(&str, &[&str], &str); 3] = [
    ("store/conformance/", &[], "the suite lets time pass"),
    (
        "store/record/",
        &["is_active", "is_current", "rotate", "of", "new"],
        "a time of the record is compared",
    ),
    (
        "store/",
        &[
            "rotate_key",
            "revoke_key",
            "is_revoked",
            "peek_revoked",
            "rotate_family",
            "revoke_family",
            "revoke_families",
            "revoke_token",
            "revoke_subject",
        ],
        "a time is compared with one that was written, or is written",
    ),
];

#[test]
fn no_files_use_each_other_in_a_circle() {
    for files in [files(), files_of_command()] {
        let (arrows, unknown) = Source::read(&files).arrows();
        // Otherwise a path that is not understood would pass for one that is good.
        assert_eq!(unknown, [""; 0], "paths that lead nowhere");
        assert!(arrows.len() > files.len(), "too few to believe: {arrows:?}");
        none(circles(&arrows));
    }
}

#[test]
fn no_step_uses_a_later_one_and_no_tool_a_step() {
    none(arrows_back(&Source::read(&files()).arrows().0));
}

#[test]
fn mod_files_hold_documentation_and_re_exports_only() {
    for files in [files(), files_of_command()] {
        none(Source::read(&files).modules().flat_map(not_only_re_exports));
    }
}

#[test]
fn public_functions_are_told_the_time_only_where_a_time_is_their_subject() {
    none(Source::read(&files()).modules().flat_map(given_the_time));
}

#[test]
fn the_tests_that_documents_name_are_there() {
    let tests = files_below("tests/it");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = 0;
    let mut missing = Vec::new();
    for document in ["ARCHITECTURE.md", "src/guide/design.rs"] {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        for test in text.split('`').filter(|text| is_path_of(text, &tests)) {
            named += 1;
            if !is_test_of(test, &tests) {
                missing.push(format!("{document}: {test}"));
            }
        }
    }
    assert!(named > 30, "too few to believe: {named}");
    none(missing);
}

/// Whether it is a path, `headers::uniform`, into a folder or a file of these.
fn is_path_of(text: &str, tests: &Files) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_:".contains(&b);
    let Some((first, _)) = text.split_once("::") else {
        return false;
    };
    let is_there = tests.contains_key(&format!("{first}.rs"))
        || tests.contains_key(&format!("{first}/mod.rs"));
    is_there && text.bytes().all(plain)
}

/// Whether it is one of the modules, or a function in one.
fn is_test_of(path: &str, tests: &Files) -> bool {
    let file = |path: &str| tests.get(&format!("{}.rs", path.replace("::", "/")));
    if file(path).is_some() {
        return true;
    }
    let (module, name) = path.rsplit_once("::").unwrap();
    file(module).is_some_and(|text| text.contains(&format!("fn {name}(")))
}

fn none(offences: impl IntoIterator<Item = String>) {
    let offences: Vec<String> = offences.into_iter().collect();
    assert!(
        offences.is_empty(),
        "{} offences:\n{}",
        offences.len(),
        offences.join("\n")
    );
}

/// Those of the library.
fn files() -> Files {
    let mut files = files_below("src");
    files.retain(|name, _| !name.starts_with("bin/"));
    files
}

/// Those of the command, which uses the library as any other program does.
fn files_of_command() -> Files {
    files_below("src/bin/tower-auth")
}

fn files_below(folder: &str) -> Files {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files = Files::new();
    read(&folder, &folder, &mut files);
    files
}

fn read(root: &Path, folder: &Path, files: &mut Files) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            files.insert(name.to_owned(), std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// The shortest circle, then the next one as if the first one's least arrow were gone, and so on.
fn circles(arrows: &Arrows) -> Vec<String> {
    let mut left = arrows.clone();
    let mut told = Vec::new();
    while let Some(circle) = shortest_circle(&left) {
        let arrow = |at: usize| (circle[at].clone(), circle[(at + 1) % circle.len()].clone());
        let lines: Vec<String> = (0..circle.len())
            .map(|at| told_arrow(&arrow(at), &left[&arrow(at)]))
            .collect();
        told.push(format!("circle of {}: {}", circle.len(), lines.join("; ")));
        let least = (0..circle.len()).map(arrow).min_by_key(|arrow| {
            let forwards = room(&arrow.0) >= room(&arrow.1);
            (forwards, left[arrow].len())
        });
        left.remove(&least.unwrap());
    }
    told
}

fn shortest_circle(arrows: &Arrows) -> Option<Vec<String>> {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in arrows.keys() {
        next.entry(from).or_default().push(to);
    }
    let circle = |start: &&str| {
        let mut came_from = BTreeMap::new();
        let mut open = VecDeque::from([*start]);
        while let Some(at) = open.pop_front() {
            for to in next.get(at).into_iter().flatten() {
                if to == start {
                    let back = std::iter::successors(Some(at), |at| came_from.get(at).copied());
                    return Some(back.map(str::to_owned).collect::<Vec<_>>());
                }
                if !came_from.contains_key(to) {
                    came_from.insert(*to, at);
                    open.push_back(to);
                }
            }
        }
        None
    };
    let mut circle = next.keys().filter_map(circle).min_by_key(Vec::len)?;
    circle.reverse();
    Some(circle)
}

fn told_arrow((from, to): &(String, String), names: &BTreeSet<String>) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    format!("{from} -> {to} ({})", names.join(", "))
}

fn arrows_back(arrows: &Arrows) -> Vec<String> {
    let mut offences = Vec::new();
    for (arrow, names) in arrows {
        let (from, to) = arrow;
        let (Some(here), Some(there)) = (room(from), room(to)) else {
            offences.push(format!("in no room: {from} or {to}"));
            continue;
        };
        let allowed = |name: &str| {
            ALLOWED.iter().any(|(users, file, names, _)| {
                from.starts_with(users) && to == file && names.contains(&name)
            })
        };
        let mut names = names.clone();
        names.retain(|name| !allowed(name));
        if here < there && !names.is_empty() {
            offences.push(format!("arrow back: {}", told_arrow(arrow, &names)));
        }
    }
    offences
}

/// The room with the longest name that a file lies in.
fn room(file: &str) -> Option<usize> {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    let lies_in = |room: &str| {
        let rest = path.strip_prefix(room);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let rooms = ROOMS.iter().enumerate();
    let named = rooms.flat_map(|(at, rooms)| rooms.iter().map(move |room| (room, at)));
    let found = named.filter(|(room, _)| lies_in(room));
    let longest = found.max_by_key(|(room, _)| room.len())?;
    Some(longest.1)
}

fn not_only_re_exports(module: &Module<'_>) -> Vec<String> {
    let is_room = module.file.ends_with("mod.rs");
    let items = module.items.iter().filter(|_| is_room);
    items
        .map(|(keyword, name)| format!("{}: {keyword} {name}", module.file))
        .collect()
}

/// Public functions that want to be told the time.
fn given_the_time(module: &Module<'_>) -> Vec<String> {
    let tokens = &module.tokens;
    let mut offences = Vec::new();
    let mut trait_until = 0;
    for (at, token) in tokens.iter().enumerate() {
        if tokens[at..].starts_with(&["pub", "trait"]) {
            let body = tokens[at..].iter().position(|token| *token == "{").unwrap();
            trait_until = after_group(tokens, at + body);
        }
        let modifiers = ["async", "const", "unsafe"];
        let before = tokens[..at]
            .iter()
            .rev()
            .find(|token| !modifiers.contains(token));
        if *token != "fn" || !(before == Some(&"pub") || at < trait_until) {
            continue;
        }
        let name = tokens[at + 1];
        let until = tokens[at..]
            .iter()
            .position(|token| ["{", ";"].contains(token));
        let signature = &tokens[at..at + until.unwrap_or(0)];
        let timed = signature.windows(3).any(|three| {
            three[0].trim_start_matches('_') == "now" && three[1..] == [":", "SystemTime"]
        });
        let allowed = TIMED.iter().any(|(place, names, _)| {
            module.file.starts_with(place) && (names.is_empty() || names.contains(&name))
        });
        if timed && !allowed {
            offences.push(format!("told the time: {}: {name}", module.file));
        }
    }
    offences
}
