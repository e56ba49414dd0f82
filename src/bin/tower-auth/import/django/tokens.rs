use super::kind::Kind;
use super::people::People;
use super::report::Report;
use super::source::{Row, Source};
use super::tables::Tables;
use super::target::Target;
use super::time::time;
use crate::failure::Failure;
use indicatif::ProgressBar;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};
use tower_auth::Subject;
use tower_auth::store::{KeyDigest, KeyRecord};

/// What the ids begin with that these keys get.
const PREFIX: &str = "drf-";

/// Moves the tokens of rest_framework's `TokenAuthentication`, which become API keys. Django keeps
/// them as they are presented; here their digest is kept.
///
/// A log-out of Django deletes the token. So those that were moved before and are not there any more
/// are revoked, as long as others that were moved before are there.
pub(super) async fn move_tokens(
    source: &mut Source,
    target: &mut Target,
    tables: &Tables,
    people: &People,
    progress: &ProgressBar,
    report: &mut Report,
    now: SystemTime,
) -> Result<(), Failure> {
    // A table that is not there says nothing of tokens that are gone.
    if source.columns(&tables.token_table).await?.is_empty() {
        return Ok(());
    }
    let mut had = HashSet::new();
    let columns = ["key", "created", "user_id"];
    let mut reading = source.read(&tables.token_table, "key", &columns).await?;
    loop {
        let page = source.page(&mut reading).await?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            add(row, target, people, &mut had, report).await?;
            progress.inc(1);
        }
    }
    target.write(report).await?;
    target
        .revoke_others(Kind::Tokens, PREFIX, &had, report, now)
        .await
}

async fn add(
    row: &Row,
    target: &mut Target,
    people: &People,
    had: &mut HashSet<String>,
    report: &mut Report,
) -> Result<(), Failure> {
    let Some(key) = row.text("key").filter(|key| !key.is_empty()) else {
        report.left(Kind::Tokens, "", "its row has no key");
        return Ok(());
    };
    let user = row.text_or_empty("user_id");
    let digest: [u8; 32] = Sha256::digest(key).into();
    let id = id(&digest);
    had.insert(id.clone());
    let Some(rights) = people.user(user) else {
        report.left(Kind::Tokens, &id, "its user is not there");
        return Ok(());
    };
    let owner = Subject::user(user);
    let created = row.text("created").and_then(time).unwrap_or(UNIX_EPOCH);
    let digest = KeyDigest::new("sha256", digest);
    let mut record = KeyRecord::new(&*id, owner, "Token", hint(key), digest, created);
    record.scopes = rights.scopes.clone();
    record.roles = rights.roles.clone();
    target.add_key(Kind::Tokens, &id, record, report).await
}

/// The first 80 bits of the digest: they follow from the token, so that a repeated run finds it,
/// and do not give it away.
fn id(digest: &[u8; 32]) -> String {
    let digits: String = digest[..10]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{PREFIX}{digits}")
}

/// What lists show of it. A token that is shorter than those of rest_framework shows nothing.
fn hint(key: &str) -> String {
    match key.get(..4) {
        Some(visible) if key.len() >= 16 => format!("{visible}…"),
        _ => String::new(),
    }
}
