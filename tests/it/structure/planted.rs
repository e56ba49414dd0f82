//! Planted offences: what the test of the crate itself would say of them.

use super::source::{Files, Source};
use super::{arrows_back, circles, given_the_time, not_only_re_exports, told_arrow};

fn arrows(files: &[(&str, &str)]) -> Vec<String> {
    let files = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let files: Files = files.collect();
    let (arrows, unknown) = Source::read(&files).arrows();
    assert_eq!(unknown, [""; 0]);
    let told = circles(&arrows).into_iter().chain(arrows_back(&arrows));
    let all = arrows.iter().map(|(arrow, names)| told_arrow(arrow, names));
    told.chain(all).collect()
}

#[test]
fn a_circle_of_three_is_found_and_a_test_closes_none() {
    let closed = [
        ("lib.rs", "mod rate; mod clock; mod secret;"),
        (
            "rate.rs",
            "use crate::clock::Clock; pub struct Rate(Clock);",
        ),
        (
            "clock.rs",
            "pub struct Clock; fn f() { super::secret::hide(\"crate::x::y\") }",
        ),
        (
            "secret.rs",
            "use super::{rate as r, clock::{self}}; pub fn hide() { r::Rate; }",
        ),
    ];
    let said = arrows(&closed);
    let circle = "circle of 3: clock.rs -> secret.rs (hide); \
                  secret.rs -> rate.rs (Rate); rate.rs -> clock.rs (Clock)";
    assert_eq!(said[0], circle);
    assert_eq!(said.len(), 1 + 3);

    let mut open = closed;
    open[3].1 = "pub fn hide() {} #[cfg(test)] mod tests { use crate::rate::Rate; }";
    assert_eq!(arrows(&open).len(), 2);
}

#[test]
fn an_arrow_back_is_found_through_re_exports_globs_and_aliases() {
    let said = arrows(&[
        (
            "lib.rs",
            "mod credential; mod throttle; mod principal; pub use throttle::Rule;",
        ),
        (
            "credential.rs",
            "use crate::Rule as R; use crate::principal::Subject; fn f(_: R) {}",
        ),
        ("throttle/mod.rs", "mod rule; pub use rule::*;"),
        ("throttle/rule.rs", "made! { pub struct Rule { at: u8 } }"),
        (
            "principal/mod.rs",
            "mod subject; pub(crate) use self::{subject::Subject};",
        ),
        (
            "principal/subject.rs",
            "/* one's */ pub struct Subject<'a>(&'a str, char);",
        ),
    ]);
    let expected = [
        "arrow back: credential.rs -> throttle/rule.rs (Rule)",
        "credential.rs -> principal/subject.rs (Subject)",
        "credential.rs -> throttle/rule.rs (Rule)",
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_type_in_a_folder_s_mod_file_and_a_time_that_is_asked_for_are_found() {
    let text = "mod a; pub use a::B; struct C; \
                pub trait T { async fn f(&self, _now: SystemTime); } \
                impl C { pub fn g<F: Fn(u8)>(now: SystemTime) {} fn h(now: SystemTime) {} }";
    let files = [
        ("lib.rs", "mod issue;"),
        ("issue/mod.rs", text),
        ("issue/a.rs", "pub struct B;"),
    ];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let files = Files::from(files);
    let source = Source::read(&files);
    let items: Vec<String> = source.modules().flat_map(not_only_re_exports).collect();
    assert_eq!(items, ["issue/mod.rs: struct C", "issue/mod.rs: trait T"]);
    let timed: Vec<String> = source.modules().flat_map(given_the_time).collect();
    assert_eq!(
        timed,
        [
            "told the time: issue/mod.rs: f",
            "told the time: issue/mod.rs: g"
        ]
    );
}
