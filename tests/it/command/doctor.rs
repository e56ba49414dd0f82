//! What `doctor` finds.

use super::place::{Place, SECRET};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

/// What came of each check, by its name.
fn findings(place: &Place, code: i32) -> Vec<(String, String, String)> {
    let lines = place
        .run(&["--timeout", "2", "doctor", "--json"])
        .is(code)
        .lines();
    let text = |line: &Value, member: &str| line[member].as_str().unwrap().to_owned();
    let told = lines.iter().map(|line| {
        (
            text(line, "check"),
            text(line, "result"),
            text(line, "detail"),
        )
    });
    told.collect()
}

#[track_caller]
fn has(found: &[(String, String, String)], check: &str, result: &str, words: &str) {
    let is_it = |(found_check, found_result, detail): &(String, String, String)| {
        found_check == check && found_result == result && detail.contains(words)
    };
    assert!(
        found.iter().any(is_it),
        "{check}, {result}, {words:?}: {found:#?}"
    );
    let unfinished = found.iter().find(|(_, _, detail)| !detail.ends_with('.'));
    assert_eq!(unfinished, None, "a sentence");
}

async fn run_sql(place: &Place, sql: &str) {
    let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
    match place.url.strip_prefix("sqlite:") {
        Some(file) => {
            let options = SqliteConnectOptions::new().filename(file);
            sql.execute(&mut options.connect().await.unwrap())
                .await
                .unwrap();
        }
        None => {
            let mut connection = PgConnection::connect(&place.url).await.unwrap();
            sql.execute(&mut connection).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_service_that_is_well_has_no_fault() {
    for place in Place::migrated().await {
        let place = place.with("JWT_SECRET", SECRET);
        let found = findings(&place, 0);
        for check in [
            "environment",
            "jwt_secret",
            "pepper",
            "store",
            "tables",
            "clock",
            "news",
            "keys",
            "redis",
        ] {
            has(&found, check, "ok", "");
        }
        has(&found, "store", "ok", place.name);
        let table = place.run(&["doctor"]);
        table
            .is(0)
            .prints("CHECK")
            .prints("The tables are of version 3, the latest.");
    }
}

#[tokio::test]
async fn tables_that_are_missing_or_of_an_earlier_release_are_a_fault() {
    for place in Place::bare().await {
        place.node().await;
        let found = findings(&place, 1);
        has(&found, "tables", "fault", "`tower-auth migrate` makes them");
        place.run(&["migrate"]).is(0);
        run_sql(&place, "DELETE FROM tower_auth_schema WHERE version > 1").await;
        let found = findings(&place, 1);
        has(&found, "tables", "fault", "this release needs version 3");
        place
            .run(&["user", "list"])
            .is(6)
            .says("are of version 1, and this release needs version 3");
    }
}

#[tokio::test]
async fn secrets_that_are_published_or_missing_are_named_and_not_shown() {
    let published = "a-string-secret-at-least-256-bits-long";
    for mut place in Place::migrated().await {
        has(
            &findings(&place, 0),
            "jwt_secret",
            "warning",
            "JWT_SECRET is not set",
        );
        place.set("JWT_SECRET", SECRET);
        place.set("JWT_SECRET_PREVIOUS", published);
        let found = findings(&place, 1);
        has(
            &found,
            "jwt_secret",
            "fault",
            "JWT_SECRET_PREVIOUS must be 32 random bytes",
        );
        place.set("JWT_SECRET_PREVIOUS", "");
        place.set("API_KEY_PEPPER", &format!("2026:{published}"));
        let found = findings(&place, 1);
        has(
            &found,
            "pepper",
            "fault",
            "API_KEY_PEPPER must be 32 random bytes",
        );
        assert!(!format!("{found:?}").contains(published), "{found:?}");
    }
}

#[tokio::test]
async fn keys_under_a_pepper_that_the_environment_lacks_are_counted() {
    for mut place in Place::migrated().await {
        let create = ["key", "create", "--owner", "7", "--name", "ci", "--bare"];
        place.run(&create).is(0);
        place.set("API_KEY_PEPPER", &format!("2025:{SECRET}"));
        place.run(&create).is(0);
        place.run(&create).is(0);
        has(&findings(&place, 0), "keys", "ok", "There are 3 API keys");
        // Another pepper, and the former one forgotten.
        place.set("API_KEY_PEPPER", "2026:9Xc2Vb5Nm8Qw1Er4Ty7Ui0Op3As6Df9G");
        let found = findings(&place, 1);
        has(
            &found,
            "keys",
            "fault",
            "2 API keys are stored under the pepper 2025",
        );
        place.set("API_KEY_PEPPERS_PREVIOUS", &format!("2025:{SECRET}"));
        has(&findings(&place, 0), "keys", "ok", "There are 3 API keys");
        // An application may have them elsewhere.
        place.set("API_KEY_PEPPER", "");
        place.set("API_KEY_PEPPERS_PREVIOUS", "");
        has(
            &findings(&place, 0),
            "keys",
            "warning",
            "stored under the pepper 2025",
        );
    }
}

#[tokio::test]
async fn what_cannot_be_reached_or_read_is_a_fault_beside_what_can() {
    let redis = std::env::var("TOWER_AUTH_TEST_REDIS").expect("tests/run starts one");
    for mut place in Place::migrated().await {
        place.set("REDIS_URL", &redis);
        // The server of the tests keeps nothing on a disk.
        has(&findings(&place, 0), "redis", "warning", "appendonly no");
        place.set("REDIS_URL", "redis://:hidden@127.0.0.1:1/");
        let found = findings(&place, 1);
        has(&found, "redis", "fault", "does not count");
        has(&found, "tables", "ok", "");
        assert!(!format!("{found:?}").contains("hidden"));
        place.set("REDIS_URL", "no url");
        has(&findings(&place, 1), "redis", "fault", "");
        place.set("REDIS_URL", "");
        place.set("THROTTLE_RATE", "");
        place.set("SIGN_IN_ATTEMPTS", "often");
        has(
            &findings(&place, 1),
            "environment",
            "fault",
            "SIGN_IN_ATTEMPTS must be a rate",
        );
    }
}

/// Whoever hears nothing lets pass what others revoke.
#[tokio::test]
async fn a_store_that_tells_nothing_of_other_nodes_is_a_fault() {
    for place in Place::migrated().await {
        run_sql(&place, "DROP TABLE tower_auth_revoked").await;
        let found = findings(&place, 1);
        has(
            &found,
            "news",
            "fault",
            "Nothing was heard of other nodes within 2s",
        );
        has(&found, "store", "ok", place.name);
    }
}
