use super::kind::Kind;
use super::people::People;
use super::report::Report;
use super::source::{Row, Source};
use super::tables::{BLACKLISTED, OUTSTANDING};
use super::target::Target;
use super::time::time;
use crate::failure::Failure;
use indicatif::ProgressBar;
use std::collections::HashMap;
use std::time::{Duration, SystemTime};
use tower_auth::Subject;
use tower_auth::store::FamilyRecord;

/// How long tokens of simplejwt are let in at most: longer than anybody lets one live.
const LET_IN_FOR: Duration = Duration::from_secs(2 * 366 * 24 * 60 * 60);
/// How long a family lives at least, however often it is rotated.
const FAMILY: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Lets in the tokens that simplejwt issued to the users.
pub(super) async fn let_in(
    target: &mut Target,
    people: &People,
    progress: &ProgressBar,
    report: &mut Report,
    now: SystemTime,
) -> Result<(), Failure> {
    for id in people.ids() {
        let family = FamilyRecord::admitting_simplejwt(Subject::user(id), now, now + LET_IN_FOR);
        target
            .add_family(Kind::SimplejwtUsers, id, family, report)
            .await?;
        progress.inc(1);
    }
    target.write(report).await
}

/// Moves the refresh tokens of simplejwt that are good, and those that were blacklisted. What
/// follows is that the former are good once, and the latter never.
pub(super) async fn move_refresh_tokens(
    source: &mut Source,
    target: &mut Target,
    people: &People,
    progress: &ProgressBar,
    report: &mut Report,
    now: SystemTime,
) -> Result<(), Failure> {
    // All of them are known before the first token is moved, so a blacklisted one is never good in
    // the store, not even for the time of a step.
    let mut blacklisted = HashMap::new();
    let columns = ["token_id", "blacklisted_at"];
    for row in source.all(BLACKLISTED, "id", &columns).await? {
        let at = row.text("blacklisted_at").and_then(time).unwrap_or(now);
        blacklisted.insert(row.text_or_empty("token_id").to_owned(), at);
    }
    // The column `token` is not read: it has the token itself, with which anybody could sign in.
    let columns = ["id", "jti", "user_id", "created_at", "expires_at"];
    let mut reading = source.read(OUTSTANDING, "id", &columns).await?;
    loop {
        let page = source.page(&mut reading).await?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            let id = row.text_or_empty("id");
            match family(row, blacklisted.get(id).copied(), people, now) {
                Ok(family) => {
                    target
                        .add_family(Kind::RefreshTokens, id, family, report)
                        .await?;
                }
                Err(why) => report.left(Kind::RefreshTokens, id, why),
            }
            progress.inc(1);
        }
    }
    target.write(report).await
}

fn family(
    row: &Row,
    blacklisted: Option<SystemTime>,
    people: &People,
    now: SystemTime,
) -> Result<FamilyRecord, &'static str> {
    let jti = row
        .text("jti")
        .filter(|jti| !jti.is_empty())
        .ok_or("its row has no jti")?;
    let expires = row
        .text("expires_at")
        .and_then(time)
        .ok_or("its expires_at cannot be read")?;
    if expires <= now {
        return Err("it has expired");
    }
    let user = row.text("user_id").ok_or("its user is gone")?;
    people.user(user).ok_or("its user is not there")?;
    let created = row
        .text("created_at")
        .and_then(time)
        .unwrap_or(now)
        .min(now);
    let ends = expires.max(now + FAMILY);
    let family = FamilyRecord::from_simplejwt(jti, Subject::user(user), created, ends, expires);
    Ok(match blacklisted {
        Some(at) => family.revoked(at),
        None => family,
    })
}
