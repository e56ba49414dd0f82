use super::check::Check;
use super::findings::Findings;
use crate::failure::Failure;
use crate::service::Service;
use crate::settings::Settings;
use std::time::{Duration, SystemTime};
use tower_auth::clock::{Clock, SystemClock};
use tower_auth::store::{SchemaVersion, StoreError};

/// What clocks may differ by: a revocation is remembered for so much longer than a token lives.
const MOST_APART: Duration = Duration::from_secs(60);
/// What is not yet wrong, but nobody wants.
const FAR_APART: Duration = Duration::from_secs(5);
/// How often it is looked whether news came.
const REST: Duration = Duration::from_millis(20);

/// Asks the store about itself, as far as it answers.
pub(super) async fn check(
    service: &Service,
    settings: &Settings,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let began = SystemClock.steady();
    let version = match service.store.schema_version().await {
        Ok(version) => version,
        Err(error) => return findings.add([unanswered("store", error)]),
    };
    let took = SystemClock.steady().saturating_sub(began);
    let kind = service.store.kind();
    let answers = format!("The store ({kind}) answered in {took:.1?}");
    findings.add([Check::ok("store", answers), tables(version)])?;
    findings.add([clock(service).await])?;
    // Without tables there is neither news nor a key, and what is said above of the tables is
    // enough.
    if version.found > 0 {
        findings.add([news(service, settings.patience()).await])?;
        findings.add(peppers(service).await)?;
    }
    Ok(())
}

fn unanswered(check: &'static str, error: StoreError) -> Check {
    Check::fault(check, Failure::from(error).text())
}

fn tables(version: SchemaVersion) -> Check {
    let (found, known) = (version.found, version.known);
    if found == 0 {
        let told = "There are no tables: `tower-auth migrate` makes them";
        return Check::fault("tables", told);
    }
    if version.lacks_steps() {
        let told = format!(
            "The tables are of version {found}, and this release needs version {known}: \
             `tower-auth migrate` brings them up to date"
        );
        return Check::fault("tables", told);
    }
    if version.is_later() {
        let told = format!(
            "The tables are of version {found}, which a later release made; this one knows version \
             {known}, and goes on working"
        );
        return Check::warning("tables", told);
    }
    Check::ok(
        "tables",
        format!("The tables are of version {found}, the latest"),
    )
}

async fn clock(service: &Service) -> Check {
    let before = SystemClock.now();
    let theirs = match service.store.time().await {
        Ok(theirs) => theirs,
        Err(error) => return unanswered("clock", error),
    };
    // The store told its time at some moment between `before` and now. Were only one of the two
    // compared, a slow answer would look like a clock that is wrong.
    judged(apart(theirs, before, SystemClock.now()))
}

fn judged(apart: Duration) -> Check {
    let told = format!("The clocks of this machine and of the store are {apart:.1?} apart");
    if apart > MOST_APART {
        let why = "tokens expire too early or too late. Let both follow NTP";
        return Check::fault("clock", format!("{told}: {why}"));
    }
    if apart > FAR_APART {
        return Check::warning("clock", format!("{told}. Let both follow NTP"));
    }
    Check::ok("clock", told)
}

/// How far a time is from those between which it was told.
fn apart(theirs: SystemTime, before: SystemTime, after: SystemTime) -> Duration {
    let behind = before.duration_since(theirs).unwrap_or_default();
    let ahead = theirs.duration_since(after).unwrap_or_default();
    behind.max(ahead)
}

/// Whether a node hears what others revoke.
async fn news(service: &Service, patience: Duration) -> Check {
    let end = SystemClock.steady().saturating_add(patience);
    loop {
        if let Some(lag) = service.store.lag() {
            let told = format!("What other nodes change is heard: the last news are {lag:.1?} old");
            return Check::ok("news", told);
        }
        if SystemClock.steady() >= end {
            return Check::fault(
                "news",
                format!("Nothing was heard of other nodes within {patience:?}"),
            );
        }
        tokio::time::sleep(REST).await;
    }
}

/// Keys are refused by whoever has not the pepper that they are stored under.
async fn peppers(service: &Service) -> Vec<Check> {
    let algorithms = match service.store.key_algorithms().await {
        Ok(algorithms) => algorithms,
        Err(error) => return vec![unanswered("keys", error)],
    };
    let known = service.environment.pepper_ids();
    let mut checks = Vec::new();
    let mut all = 0;
    for (algorithm, keys) in &algorithms {
        all += keys;
        let Some(pepper) = algorithm.strip_prefix("hmac-sha256:") else {
            continue;
        };
        if known.contains(&pepper) {
            continue;
        }
        let told = format!(
            "{keys} API keys are stored under the pepper {pepper}, which is neither API_KEY_PEPPER \
             nor one of API_KEY_PEPPERS_PREVIOUS: a service that does not have it refuses them"
        );
        // Where the environment has no pepper at all, the application may well read its peppers
        // from somewhere else. Where it has some, a missing one is an oversight.
        checks.push(if known.is_empty() {
            Check::warning("keys", told)
        } else {
            Check::fault("keys", told)
        });
    }
    if checks.is_empty() {
        let told = format!("There are {all} API keys that are not revoked, each with its pepper");
        checks.push(Check::ok("keys", told));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    /// The clock of the store, and how long it took to answer, in seconds.
    fn result(theirs: u64, took: u64) -> serde_json::Value {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let apart = apart(at(theirs), at(1_000), at(1_000 + took));
        serde_json::to_value(judged(apart)).unwrap()["result"].clone()
    }

    #[test]
    fn clocks_that_are_apart_are_found_in_both_directions_and_a_slow_answer_is_none() {
        for ok in [(1_000, 0), (1_005, 0), (995, 0), (1_090, 90)] {
            assert_eq!(result(ok.0, ok.1), "ok", "{ok:?}");
        }
        for (theirs, found) in [
            (1_006, "warning"),
            (994, "warning"),
            (1_061, "fault"),
            (939, "fault"),
        ] {
            assert_eq!(result(theirs, 0), found, "{theirs}");
        }
    }
}
