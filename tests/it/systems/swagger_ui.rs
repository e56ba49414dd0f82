//! The Authorize button of the page of `ngenea_hub`, in a browser.

use super::client::{PASSWORD, System, bearer};
use crate::browser::Browser;
use serde_json::json;

/// `GET /api/jobs/` on the page.
const OPERATION: &str = "#operations-hub-jobs";

/// Whatever name the hub has: of `localhost` the page would keep quiet where it tells others.
fn named(url: &str) -> String {
    format!("{}/api/docs/", url.replace("127.0.0.1", "hub.test"))
}

async fn click(browser: &Browser, selector: &str) {
    browser
        .until(&format!("document.querySelector('{selector}')"))
        .await;
    browser.click(selector).await;
}

/// Types a credential into the dialog, word for word as it is sent.
async fn authorize(browser: &Browser, credential: &str) {
    click(browser, ".auth-wrapper .authorize").await;
    browser
        .until("document.querySelector('.auth-container input')")
        .await;
    assert_eq!(
        browser
            .value("document.querySelectorAll('.auth-container').length")
            .await,
        1,
        "one scheme"
    );
    browser.fill(".auth-container input", credential).await;
    click(browser, ".auth-container [type=submit]").await;
    browser.sees("Authorized").await;
    click(browser, ".auth-container .btn-done").await;
    browser.until("!document.querySelector('.dialog-ux')").await;
}

async fn log_out(browser: &Browser) {
    click(browser, ".auth-wrapper .authorize").await;
    browser.sees("Authorized").await;
    browser
        .click(".auth-container .auth-btn-wrapper button")
        .await;
    browser
        .until("document.querySelector('.auth-container input')")
        .await;
    click(browser, ".auth-container .btn-done").await;
    browser.until("!document.querySelector('.dialog-ux')").await;
}

/// Sends the request, and waits for that answer.
async fn try_out(browser: &Browser, status: u16, body: &str) {
    click(browser, &format!("{OPERATION} .execute")).await;
    let answer = format!("document.querySelector('{OPERATION} .live-responses-table tr.response')");
    browser
        .until(&format!(
            "{answer}?.cells[0].innerText.trim() === '{status}'"
        ))
        .await;
    browser
        .until(&format!("{answer}.innerText.includes('{body}')"))
        .await;
    click(browser, &format!("{OPERATION} .btn-clear")).await;
    browser.until(&format!("!{answer}")).await;
}

#[tokio::test]
async fn the_authorize_button_takes_a_token_and_a_key_as_they_are_sent() {
    let hub = System::start("ngenea_hub");
    let body = json!({ "username": "user", "password": PASSWORD });
    let access = bearer(
        &hub.post("/api/auth/token/", "", body)
            .await
            .is(200)
            .text_of("access"),
    );
    let key = hub
        .post("/api/auth/clientkeys/", &access, json!({ "name": "page" }))
        .await
        .is(201);
    let key = format!("Api-Key {}", key.text_of("api_key"));

    let browser = Browser::start().await;
    browser.goto(&named(&hub.example.url)).await;
    click(&browser, &format!("{OPERATION} .opblock-summary-control")).await;
    click(&browser, &format!("{OPERATION} .try-out__btn")).await;
    try_out(&browser, 401, "not_authenticated").await;
    for credential in [access, key] {
        authorize(&browser, &credential).await;
        try_out(&browser, 200, "\"count\": 3").await;
        log_out(&browser).await;
        try_out(&browser, 401, "not_authenticated").await;
    }

    assert_eq!(browser.loaded_from_elsewhere().await, json!([]));
    let console = browser.console().await;
    assert!(
        console
            .iter()
            .all(|line| line.contains("/api/jobs/") && line.contains("401")),
        "{console:?}"
    );
    browser.close().await;
}
