//! Users: what an operator does to them, and what becomes of it in a service that runs.

use super::place::Place;
use crate::databases::support::until;
use serde_json::json;
use tower_auth::store::{ManagedUserStore, UserRecord};
use tower_auth::{PasswordPolicy, Realm, RejectionKind, Secret, Subject};

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

#[tokio::test]
async fn a_user_who_was_added_signs_in_at_a_service_that_runs() {
    for place in Place::migrated().await {
        let arguments = [
            "user",
            "add",
            "Anna@Example.com",
            "--name",
            "anna",
            "--id",
            "7",
            "--scope",
            "reports:read",
            "--role",
            "admin",
            "--json",
        ];
        let added = place.tell(&arguments, "correct-horse-battery\n");
        let user = added.is(0).json();
        assert_eq!(user["id"], json!({ "kind": "user", "id": "7" }));
        assert_eq!(user["names"], json!(["anna@example.com", "anna"]));
        assert_eq!(
            (&user["state"], &user["has_password"]),
            (&json!("active"), &json!(true))
        );
        assert_eq!(user["scopes"], json!(["reports:read"]));
        assert_eq!(user["roles"], json!(["admin"]));

        let users = Realm::new(place.node().await).users(PasswordPolicy::new());
        let found = users
            .authenticate("anna", &secret("correct-horse-battery"))
            .await;
        assert_eq!(found.unwrap().id, Subject::user("7"), "{}", place.name);
    }
}

#[tokio::test]
async fn users_are_listed_page_by_page_as_a_table_and_as_lines_of_json() {
    for place in Place::migrated().await {
        let none = place.run(&["user", "list"]);
        assert_eq!(none.is(0).says("There are none.").out, "");
        let store = place.node().await;
        for n in 0..250 {
            let user = UserRecord::new(Subject::user(format!("{n:03}")), format!("user-{n:03}"));
            store.insert_user(user).await.unwrap();
        }
        let lines = place.run(&["user", "list", "--json"]).is(0).lines();
        let ids = lines.iter().map(|line| line["id"]["id"].as_str().unwrap());
        let expected: Vec<String> = (0..250).map(|n| format!("{n:03}")).collect();
        assert_eq!(ids.collect::<Vec<_>>(), expected, "{}", place.name);

        let table = place.run(&["user", "list"]);
        let rows: Vec<&str> = table.is(0).out.lines().collect();
        assert_eq!(rows.len(), 251, "one line of headings");
        let at = rows[0].find("STATE").unwrap();
        assert!(
            rows[1..].iter().all(|row| row[at..].starts_with("active ")),
            "aligned"
        );
    }
}

#[tokio::test]
async fn what_becomes_of_an_account_is_known_to_a_service_that_runs() {
    for place in Place::migrated().await {
        let id = Subject::user(place.add_user("anna@example.com"));
        let node = place.node().await;
        let is_whole =
            async || node.account(&id).await.unwrap() == tower_auth::store::Account::Whole;
        assert!(is_whole().await);

        let disabled = place.run(&["user", "disable", "Anna@example.com"]);
        assert_eq!(disabled.is(0).err, "");
        assert!(
            disabled.out.starts_with("The user anna@example.com (id "),
            "{disabled:?}"
        );
        assert!(disabled.out.ends_with(") is disabled.\n"), "{disabled:?}");
        until("refused", async || !is_whole().await).await;

        let enabled = place.run(&["user", "enable", "--id", id.id(), "--json"]);
        assert_eq!(enabled.is(0).json()["state"], "active");
        until("accepted again", is_whole).await;

        let removed = place.run(&["user", "remove", "anna@example.com", "--json"]);
        assert_eq!(removed.is(0).json()["state"], "removed");
        until("refused for good", async || !is_whole().await).await;
        place.run(&["user", "show", "anna@example.com"]).is(3);
        place.run(&["user", "enable", "--id", id.id()]).is(3);
    }
}

#[tokio::test]
async fn a_new_password_takes_the_place_of_the_former_one() {
    for place in Place::migrated().await {
        let id = place.add_user("anna@example.com");
        let file = crate::dir::Dir::new();
        let path = file.0.join("password");
        std::fs::write(&path, "another-horse-battery\n").unwrap();
        let arguments = [
            "user",
            "password",
            "anna@example.com",
            "--password-file",
            path.to_str().unwrap(),
        ];
        place
            .run(&arguments)
            .is(0)
            .prints(&id)
            .prints("has the new password");

        let users = Realm::new(place.node().await).users(PasswordPolicy::new());
        let sign_in = async |password| {
            users
                .authenticate("anna@example.com", &secret(password))
                .await
        };
        assert!(sign_in("another-horse-battery").await.is_ok());
        let refused = sign_in("correct-horse-battery").await.unwrap_err();
        assert_eq!(refused.kind(), RejectionKind::InvalidPassword);
    }
}
