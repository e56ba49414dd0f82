//! The table, shown case by case to real layers.

use super::cases;
use super::policy::Policy;
use crate::support::{Reply, Whoami, reply};
use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::Full;
use std::collections::{BTreeMap, HashMap, HashSet};
use tower::ServiceExt;
use tower_auth::AuthLayer;
use tower_layer::Layer;

/// What a token is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// It is let in as this subject.
    Accept(&'static str),
    /// The one answer for every token that is not valid.
    Refuse,
    /// Too long to be looked at.
    Oversized,
    /// Not the text of a Bearer credential.
    Malformed,
    /// A comma: two credentials in one field.
    Joined,
    /// Bytes outside of ASCII.
    NonAscii,
}

pub(super) struct Case {
    pub(super) row: &'static str,
    pub(super) name: String,
    pub(super) token: Vec<u8>,
    pub(super) policy: Policy,
    pub(super) expect: Expect,
}

/// Collects the cases of a row.
pub(super) struct Row {
    row: &'static str,
    policy: Policy,
    cases: Vec<Case>,
}

impl Row {
    pub(super) fn new(row: &'static str, policy: Policy) -> Self {
        Self {
            row,
            policy,
            cases: Vec::new(),
        }
    }

    /// The policy of the cases that follow.
    pub(super) fn on(&mut self, policy: Policy) -> &mut Self {
        self.policy = policy;
        self
    }

    pub(super) fn add(
        &mut self,
        name: impl Into<String>,
        token: impl Into<Vec<u8>>,
        expect: Expect,
    ) {
        let Self { row, policy, .. } = *self;
        self.cases.push(Case {
            row,
            name: name.into(),
            token: token.into(),
            policy,
            expect,
        });
    }

    pub(super) fn refuse(&mut self, name: impl Into<String>, token: impl Into<Vec<u8>>) {
        self.add(name, token, Expect::Refuse);
    }

    pub(super) fn accept(&mut self, name: impl Into<String>, token: impl Into<Vec<u8>>) {
        self.add(name, token, Expect::Accept("anna"));
    }

    pub(super) fn done(&mut self) -> Vec<Case> {
        std::mem::take(&mut self.cases)
    }
}

/// `GET /` with this token, or nothing where no header field can carry it.
pub(super) fn request(token: &[u8]) -> Option<Request<Full<Bytes>>> {
    let value = HeaderValue::from_bytes(&[b"Bearer ", token].concat()).ok()?;
    let request = Request::get("/").header("authorization", value);
    Some(request.body(Full::default()).unwrap())
}

pub(super) async fn show(layer: &AuthLayer, token: &[u8]) -> Reply {
    reply(
        layer
            .layer(Whoami)
            .oneshot(request(token).unwrap())
            .await
            .unwrap(),
    )
    .await
}

/// What the answer to a request without a valid token looks like.
fn mistake(reply: &Reply, status: u16, error: &str, code: &str) -> Option<String> {
    let challenge = format!("Bearer realm=\"api\", error=\"{error}\"");
    let body = String::from_utf8_lossy(&reply.body);
    let wrong = reply.status != status
        || reply.challenges() != [&*challenge]
        || !body.contains(&format!("\"{code}\""));
    wrong.then(|| format!("{} {:?} {body}", reply.status, reply.headers))
}

fn wrong(case: &Case, reply: &Reply) -> Option<String> {
    match case.expect {
        Expect::Accept(subject) => {
            let right = reply.status == 200 && reply.body == format!("Jwt {subject}");
            (!right).then(|| format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body)))
        }
        Expect::Refuse => mistake(reply, 401, "invalid_token", "token_invalid"),
        Expect::Oversized => mistake(reply, 401, "invalid_token", "credential_oversized"),
        Expect::Malformed => mistake(reply, 401, "invalid_token", "credential_malformed"),
        Expect::NonAscii => mistake(reply, 401, "invalid_token", "credential_non_ascii"),
        Expect::Joined => mistake(reply, 400, "invalid_request", "invalid_request"),
    }
}

#[tokio::test]
async fn every_token_of_the_table_gets_its_answer_and_all_refusals_are_one_answer() {
    let mut layers: HashMap<Policy, AuthLayer> = HashMap::new();
    let mut failures = Vec::new();
    let mut refusal: Option<Reply> = None;
    for case in cases::usable() {
        let layer = layers
            .entry(case.policy)
            .or_insert_with(|| case.policy.layer());
        let reply = show(layer, &case.token).await;
        let label = format!("{} / {} / {:?}", case.row, case.name, case.policy);
        if let Some(got) = wrong(&case, &reply) {
            failures.push(format!("{label}: want {:?}, got {got}", case.expect));
        } else if case.expect == Expect::Refuse
            && *refusal.get_or_insert_with(|| reply.clone()) != reply
        {
            failures.push(format!(
                "{label}: refused otherwise than the first, {reply:?}"
            ));
        }
    }
    assert!(
        failures.is_empty(),
        "{} wrong:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// A layer remembers headers that it has seen genuine; that must change no answer.
#[tokio::test]
async fn a_layer_that_has_accepted_a_token_answers_the_table_as_before() {
    let cases = cases::usable();
    let mut layers: HashMap<Policy, AuthLayer> = HashMap::new();
    for case in cases
        .iter()
        .filter(|case| matches!(case.expect, Expect::Accept(_)))
    {
        let layer = layers
            .entry(case.policy)
            .or_insert_with(|| case.policy.layer());
        show(layer, &case.token).await;
    }
    for case in cases.iter().rev() {
        let reply = show(&layers[&case.policy], &case.token).await;
        assert_eq!(
            wrong(case, &reply),
            None,
            "{} / {} / {:?}",
            case.row,
            case.name,
            case.policy
        );
    }
}

#[test]
fn the_table_has_three_refused_cases_a_row_unique_names_and_an_accepted_token_for_each_policy() {
    let cases = cases::all();
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    let mut names = HashSet::new();
    let mut tokens: HashMap<(&str, Policy, &[u8]), &str> = HashMap::new();
    for case in &cases {
        let refused = !matches!(case.expect, Expect::Accept(_));
        *rows.entry(case.row).or_default() += usize::from(refused);
        assert!(
            names.insert((case.row, &case.name)),
            "{} / {} stands twice",
            case.row,
            case.name
        );
        let same = tokens.insert((case.row, case.policy, &case.token), &case.name);
        assert!(
            !refused || same.is_none(),
            "{} is the same token as {same:?}",
            case.name
        );
    }
    for (row, count) in &rows {
        assert!(*count >= 3, "row {row} has {count} refused cases");
    }
    let controlled: HashSet<Policy> = cases
        .iter()
        .filter(|case| matches!(case.expect, Expect::Accept(_)))
        .map(|case| case.policy)
        .collect();
    for case in &cases {
        assert!(
            controlled.contains(&case.policy),
            "{:?} has no accepted token",
            case.policy
        );
    }
    assert!(cases.len() >= 300, "{} cases", cases.len());
    println!("{} cases in {} rows", cases.len(), rows.len());
}
