use super::kind::Kind;
use super::mapping::ApiKeyMapping;
use super::report::Report;
use super::source::{Row, Source};
use super::tables::Tables;
use super::target::Target;
use super::time::time;
use crate::failure::Failure;
use indicatif::ProgressBar;
use std::time::{SystemTime, UNIX_EPOCH};
use tower_auth::store::{KeyDigest, KeyRecord};

/// Moves the keys of djangorestframework-api-key, and of models that extend its `AbstractAPIKey`.
pub(super) async fn move_api_keys(
    source: &mut Source,
    target: &mut Target,
    tables: &Tables,
    mapping: &ApiKeyMapping,
    progress: &ProgressBar,
    report: &mut Report,
    now: SystemTime,
) -> Result<(), Failure> {
    let table = &tables.api_key_table;
    let mut columns = vec![
        "id",
        "prefix",
        "hashed_key",
        "created",
        "name",
        "revoked",
        "expiry_date",
    ];
    if let Some(owner) = &mapping.owner_column {
        // `read` leaves out columns that a table does not have. Every key would then be left for
        // want of an owner, and nobody would see the typing error.
        if !source.columns(table).await?.contains_key(owner) {
            let text = format!("The table {table} has no column {owner}, which the mapping names.");
            return Err(Failure::usage(text));
        }
        columns.push(owner);
    }
    let mut reading = source.read(table, "id", &columns).await?;
    loop {
        let page = source.page(&mut reading).await?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            add(row, target, mapping, report, now).await?;
            progress.inc(1);
        }
    }
    target.write(report).await
}

async fn add(
    row: &Row,
    target: &mut Target,
    mapping: &ApiKeyMapping,
    report: &mut Report,
    now: SystemTime,
) -> Result<(), Failure> {
    // The report tells the prefix of a key, because the id of its row is `prefix.hash` and would
    // show the hash.
    let prefix = row.text_or_empty("prefix");
    let digest = KeyDigest::from_django(prefix, row.text_or_empty("hashed_key"));
    let Some(digest) = digest.filter(|_| !prefix.is_empty()) else {
        let why = "its hash is of a kind that is not read: make its client a new key";
        report.left(Kind::ApiKeys, prefix, why);
        return Ok(());
    };
    let owner = match &mapping.owner_column {
        None => Some(prefix),
        Some(column) => row.text(column),
    };
    let Some(owner) = owner else {
        report.left(Kind::ApiKeys, prefix, "its row says no owner");
        return Ok(());
    };
    let owner = mapping.owner(owner);
    // Before version 3 of djangorestframework-api-key the keys were hashed like passwords. The
    // layer verifies such hashes only where it is told to, because each takes long.
    if !digest.algorithm().starts_with("sha512") {
        let why =
            "is hashed as a password: the service accepts it by ApiKeys::imported_password_hashes";
        report.note(Kind::ApiKeys, prefix, why);
    }
    let created = row.text("created").and_then(time).unwrap_or(UNIX_EPOCH);
    let name = row.text_or_empty("name");
    let mut record = KeyRecord::new(prefix, owner, name, format!("{prefix}…"), digest, created);
    let rights = mapping.rights();
    record.scopes = rights.scopes;
    record.roles = rights.roles;
    if let Some(expires) = row.text("expiry_date") {
        let Some(expires) = time(expires) else {
            report.left(Kind::ApiKeys, prefix, "its expiry_date cannot be read");
            return Ok(());
        };
        record.expires = Some(expires);
    }
    if row.is_true("revoked") {
        // Django keeps no time of it, so the key counts as revoked from now on.
        record = record.revoked(now);
    }
    target.add_key(Kind::ApiKeys, prefix, record, report).await
}
