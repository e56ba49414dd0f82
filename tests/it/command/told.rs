//! What the command tells of credentials, of what happened, and of keys that leak.

use super::place::{Place, SECRET};
use std::time::UNIX_EPOCH;
use tower_auth::store::{AuditRecord, AuditStore};
use tower_auth::{ApiKeys, Grant, KeyRequest, Realm, Subject, Tokens};

async fn bases() -> Vec<Place> {
    let mut places = Vec::new();
    for place in Place::bare().await {
        let place = place
            .with("JWT_SECRET", SECRET)
            .with("API_KEY_PREFIX", "egret");
        place.run(&["migrate"]).is(0);
        places.push(place);
    }
    places
}

#[tokio::test]
async fn explain_says_what_the_service_would_make_of_a_token_a_key_and_a_password() {
    for place in bases().await {
        place
            .tell(
                &["user", "add", "anna", "--id", "7"],
                "correct-horse-battery\n",
            )
            .is(0);
        let realm = Realm::new(place.node().await);
        let keys = realm.api_keys(ApiKeys::prefix("egret"));
        let key = keys.issue(KeyRequest::new(Subject::user("7"), "ci").scope("a"));
        let key = key.await.unwrap();
        let tokens = Tokens::hs256(SECRET)
            .issuer("https://api.example.com")
            .audience("api");
        let tokens = realm.tokens(tokens);
        let pair = tokens.issue(Grant::new(Subject::user("7"))).await.unwrap();
        let token = pair.access().expose();

        let told = place.tell(&["explain"], key.key.expose());
        told.is(0)
            .prints("Api-Key: verified, key")
            .prints("it passes");
        let told = place.tell(&["explain", "--scope", "b"], key.key.expose());
        told.is(0)
            .prints("b: the caller lacks it")
            .prints("refused, insufficient_scope");
        let told = place.tell(&["explain"], token);
        told.is(0)
            .prints("iss \"https://api.example.com\"")
            .prints("it passes");
        assert!(!told.out.contains(token), "{told:?}");
        let told = place.tell(&["explain"], &format!("Bearer {token}x"));
        told.is(0).prints("refused, token_invalid");
        let told = place.tell(&["explain"], "Basic YW5uYTpjb3JyZWN0LWhvcnNlLWJhdHRlcnk=");
        told.is(0)
            .prints("the password of \"anna\"")
            .prints("it passes");
        place.run(&["user", "disable", "anna"]).is(0);
        let told = place.tell(&["explain"], key.key.expose());
        told.is(0)
            .prints("refused, api_key_invalid (account disabled)");
        place.tell(&["explain"], "").is(2);
    }
}

#[tokio::test]
async fn the_audit_is_printed_from_its_end_or_after_a_number() {
    for place in bases().await {
        let empty = place.run(&["audit", "tail"]);
        assert_eq!(empty.is(0).out, "");
        let node = place.node().await;
        let records: Vec<AuditRecord> = (0..250)
            .map(|n| AuditRecord::new(format!("event {n}"), UNIX_EPOCH))
            .collect();
        node.insert_audit(&records).await.unwrap();
        let last = place.run(&["audit", "tail", "-n", "2"]);
        last.is(0).prints("event 248").prints("event 249");
        assert!(!last.out.contains("event 247"), "{last:?}");
        let all = place.run(&["audit", "tail", "--after", "0", "--json"]);
        assert_eq!(all.is(0).lines().len(), 250);
    }
}

#[tokio::test]
async fn rules_for_scanners_need_a_prefix_and_no_store() {
    let place = Place::anywhere("").with("API_KEY_PREFIX", "egret");
    for (scanner, says) in [
        ("gitleaks", "regex = '''\\b(egret_[0-9A-Za-z]{49})"),
        ("trufflehog", "key: '\\b(egret_[0-9A-Za-z]{49})\\b'"),
        ("github", "Secret format: egret_[0-9A-Za-z]{49}"),
    ] {
        place
            .run(&["key", "pattern", "--scanner", scanner])
            .is(0)
            .prints(says);
    }
    let other = place.run(&["key", "pattern", "--prefix", "sk-live-"]);
    other.is(0).prints("sk-live-[0-9A-Za-z]{49}");
    place
        .run(&["key", "pattern", "--bare"])
        .is(2)
        .says("Only keys with a prefix");
}
