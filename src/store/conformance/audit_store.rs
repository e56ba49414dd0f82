use super::support::{Call, NOW, ODD, later, together};
use crate::principal::Subject;
use crate::store::{AuditRecord, AuditStore};
use std::sync::Arc;

/// Checks an [`AuditStore`]. `fresh` makes an empty one, as often as it is called.
///
/// # Panics
///
/// Where the store breaks a promise; the message says which.
pub async fn audit_store<S: AuditStore>(fresh: impl AsyncFn() -> S) {
    kept(&fresh().await).await;
    let shared: Arc<dyn AuditStore> = Arc::new(fresh().await);
    kept(&shared).await;
    whoever_follows_misses_nothing(&fresh().await).await;
}

async fn kept(store: &impl AuditStore) {
    records_are_read_as_they_were_in_their_order(store).await;
    a_page_follows_a_number_or_is_the_last(store).await;
    what_is_old_is_removed_and_nothing_else_is(store).await;
}

fn happened(action: &str) -> AuditRecord {
    AuditRecord::new(action, NOW)
}

async fn all(store: &impl AuditStore) -> Vec<AuditRecord> {
    store.list_audit(Some(0), usize::MAX).await.unwrap()
}

fn numbers(records: &[AuditRecord]) -> Vec<u64> {
    records.iter().map(|record| record.number).collect()
}

async fn records_are_read_as_they_were_in_their_order(store: &impl AuditStore) {
    let mut whole = happened(ODD);
    whole.at = later(1);
    whole.actor = Some(Subject::user(ODD));
    whole.credential = Some(ODD.into());
    whole.scheme = Some("Bearer".into());
    whole.subject = Some(Subject::new("agent", ODD));
    whole.target = Some(ODD.into());
    whole.scope = Some(ODD.into());
    whole.peer = "2001:db8::1".parse().ok();
    whole.method = Some("PROPFIND".into());
    whole.route = Some("/reports/{id}".into());
    whole.request_id = Some(ODD.into());
    whole.kind = Some("throttled".into());
    whole.reason = Some("".into());
    let nothing = happened("signed out");
    let written = [whole, nothing];
    store.insert_audit(&[]).await.unwrap();
    assert!(all(store).await.is_empty(), "nothing is nothing");
    store.insert_audit(&written).await.unwrap();
    let read = all(store).await;
    assert!(read[0].number > 0 && read[1].number > read[0].number);
    let as_written = read.into_iter().map(|mut record| {
        record.number = 0;
        record
    });
    let as_written: Vec<AuditRecord> = as_written.collect();
    assert_eq!(as_written, written);
}

async fn a_page_follows_a_number_or_is_the_last(store: &impl AuditStore) {
    let more: Vec<AuditRecord> = (0..5).map(|n| happened(&n.to_string())).collect();
    store.insert_audit(&more).await.unwrap();
    let all = numbers(&all(store).await);
    assert_eq!(all.len(), 7);
    let page = store.list_audit(Some(all[1]), 3).await.unwrap();
    assert_eq!(numbers(&page), all[2..5]);
    let rest = store.list_audit(Some(all[4]), 3).await.unwrap();
    assert_eq!(numbers(&rest), all[5..]);
    let none = store.list_audit(Some(all[6]), 3).await.unwrap();
    assert_eq!(none, []);
    let last = store.list_audit(None, 3).await.unwrap();
    assert_eq!(numbers(&last), all[4..], "the last, in their order");
}

async fn what_is_old_is_removed_and_nothing_else_is(store: &impl AuditStore) {
    let before = all(store).await;
    let old = before.iter().filter(|record| record.at < later(1)).count();
    assert_eq!(store.purge_audit(NOW, 100).await.unwrap(), 0);
    assert_eq!(store.purge_audit(later(1), 2).await.unwrap(), 2);
    assert_eq!(store.purge_audit(later(1), 100).await.unwrap(), old - 2);
    let after = all(store).await;
    let stays: Vec<AuditRecord> = before
        .into_iter()
        .filter(|record| record.at >= later(1))
        .collect();
    assert_eq!(after, stays);
    // Whoever follows the records by their numbers would take one with a former number for one that
    // was seen.
    store.insert_audit(&[happened("later")]).await.unwrap();
    let last = store.list_audit(None, 1).await.unwrap();
    assert!(last[0].number > after[0].number, "no number is given twice");
}

/// Of several who write at once: whoever reads on from the last number sees all.
async fn whoever_follows_misses_nothing(store: &impl AuditStore) {
    const WRITERS: usize = 4;
    const EACH: usize = 25;
    let mut calls: Vec<Call<'_, Vec<AuditRecord>>> = Vec::new();
    // A store may give a number when a write begins, and show the record when it ends. Then a
    // smaller number appears after a greater one, and this reader has passed it.
    calls.push(Box::pin(follow(store, WRITERS * EACH * 2)));
    for writer in 0..WRITERS {
        calls.push(Box::pin(write(store, writer, EACH)));
    }
    let seen = together(calls).await.concat();
    let numbers = numbers(&seen);
    assert!(numbers.is_sorted_by(|one, next| one < next));
    assert_eq!(all(store).await, seen);
}

/// Writes two at a time, and has seen none.
async fn write(store: &impl AuditStore, writer: usize, times: usize) -> Vec<AuditRecord> {
    for n in 0..times {
        let record = happened(&format!("{writer} {n}"));
        store.insert_audit(&[record.clone(), record]).await.unwrap();
    }
    Vec::new()
}

/// Reads on from the last number, until it has seen so many.
async fn follow(store: &impl AuditStore, until: usize) -> Vec<AuditRecord> {
    let mut seen: Vec<AuditRecord> = Vec::new();
    while seen.len() < until {
        let after = seen.last().map_or(0, |last| last.number);
        seen.extend(store.list_audit(Some(after), 10).await.unwrap());
        tokio::task::yield_now().await;
    }
    seen
}
