use super::engine::args;
use super::sql::Sql;
use crate::store::StoreError;
use serde_json::Value;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::SystemTime;
use tokio::time::{Instant, sleep};

/// How many uses one statement takes down: few enough that whoever writes meanwhile waits for some
/// milliseconds at most.
const BATCH: usize = 128;

/// Each once, with its latest use.
pub(super) fn latest<K: Eq + Hash>(uses: &[(K, SystemTime)]) -> HashMap<&K, SystemTime> {
    let mut latest = HashMap::with_capacity(uses.len());
    for (what, at) in uses {
        let known = latest.entry(what).or_insert(*at);
        *known = (*known).max(*at);
    }
    latest
}

/// Takes down uses by a statement of the dialect, some at a time, each time in a transaction and
/// under a deadline of its own: others get in between.
pub(super) async fn write(
    store: &Sql,
    sql: &'static str,
    uses: Vec<Value>,
) -> Result<(), StoreError> {
    let mut took = None;
    for batch in uses.chunks(BATCH) {
        // Writers of other processes do not stand in the queue of this one, but look now and then
        // whether the file is free. A rest as long as the last batch took leaves it free for half
        // of the time.
        if let Some(took) = took {
            sleep(took).await;
        }
        let began = Instant::now();
        let batch = Value::from(batch).to_string();
        let args = args![batch.as_str()];
        store.call(|| store.core().write_first(sql, args)).await?;
        took = Some(began.elapsed());
    }
    Ok(())
}
