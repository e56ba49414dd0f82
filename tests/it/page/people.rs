//! What people see: in a browser, by keyboard, with a screen reader, in the dark, on a phone.

use super::site::{ACCESS, PASSWORD, REFRESH, Site, page};
use crate::browser::{Browser, ENTER, ESCAPE, TAB};
use serde_json::json;
use std::time::Duration;

/// Hostile as text can be.
const EVIL: &str = "<img src=x onerror=alert(1)>";

/// Signs in by keyboard.
async fn sign_in(browser: &Browser) {
    browser.focused("#name").await;
    browser
        .press(&format!("anna@example.com{TAB}{PASSWORD}{ENTER}"))
        .await;
    browser.focused("#keys-title").await;
}

/// Makes a key, and gives it back as it is shown.
async fn create(browser: &Browser, name: &str) -> String {
    browser.click("#create-open").await;
    browser.fill("#create-name", name).await;
    browser.press(ENTER).await;
    browser.until("document.querySelector('#shown').open").await;
    let key = browser.field("#shown-key").await;
    browser.click("#shown [type=submit]").await;
    browser
        .until("!document.querySelector('#shown').open")
        .await;
    key
}

/// The page asked nobody else, kept nothing, and the browser has no complaint but those.
async fn was_discreet(browser: &Browser, expected: &[&str]) {
    assert_eq!(browser.loaded_from_elsewhere().await, json!([]));
    assert_eq!(
        browser
            .value("[localStorage.length, sessionStorage.length, document.cookie]")
            .await,
        json!([0, 0, ""])
    );
    let console = browser.console().await;
    assert_eq!(console.len(), expected.len(), "{console:?}");
    for (line, part) in console.iter().zip(expected) {
        assert!(line.contains(part), "{console:?}");
    }
}

#[tokio::test]
async fn tokens_are_in_the_memory_of_the_page_alone() {
    let (site, browser) = (Site::new().await, Browser::start().await);
    let url = site
        .serve(site.with_api_keys().mount("/settings/", page()))
        .await;
    browser.goto(&url).await;
    sign_in(&browser).await;
    browser.sees("anna@example.com").await;
    was_discreet(&browser, &[]).await;
    assert!(browser.cookies().await.is_empty());
    browser.reload().await;
    browser.sees("Sign in").await;

    // A sign-out ends the family, and leaves nothing of what was there.
    sign_in(&browser).await;
    create(&browser, "left over").await;
    browser.click("#sign-out").await;
    browser.focused("#name").await;
    assert_eq!(
        (
            browser.field("#name").await,
            browser.field("#password").await
        ),
        (String::new(), String::new())
    );
    assert!(
        !browser
            .value("document.body.textContent")
            .await
            .as_str()
            .unwrap()
            .contains("left over")
    );
    browser.close().await;
}

#[tokio::test]
async fn tokens_in_cookies_outlive_a_reload_and_no_script_sees_them() {
    let (site, browser) = (Site::new().await, Browser::start().await);
    let url = site
        .serve(
            site.with_api_keys()
                .mount("/settings/", page().cookies("keys")),
        )
        .await;
    browser.goto(&url).await;
    sign_in(&browser).await;
    let cookies = browser.cookies().await;
    assert_eq!(cookies.len(), 2);
    for cookie in cookies {
        assert!(cookie.name().starts_with("__Host-keys-"));
        assert_eq!(
            (cookie.http_only(), cookie.secure(), cookie.path()),
            (Some(true), Some(true), Some("/"))
        );
        assert_eq!(
            cookie.same_site().map(|site| site.to_string()).as_deref(),
            Some("Strict")
        );
    }
    // At first nobody is signed in, and the page asks.
    was_discreet(&browser, &["owner/", "session/refresh/"]).await;

    browser.reload().await;
    browser.sees("anna@example.com").await;
    create(&browser, "ci").await;
    browser.sees("Your keys (1)").await;
    site.clock.advance(ACCESS);
    create(&browser, "after the access token").await;
    browser.sees("Your keys (2)").await;

    browser.click("#sign-out").await;
    browser.focused("#name").await;
    assert!(browser.cookies().await.is_empty());
    browser.reload().await;
    browser.focused("#name").await;
    browser.close().await;
}

#[tokio::test]
async fn an_expired_sign_in_is_renewed_as_long_as_it_can_be_and_then_said() {
    let (site, browser) = (Site::new().await, Browser::start().await);
    let url = site
        .serve(site.with_api_keys().mount("/settings/", page()))
        .await;
    browser.goto(&url).await;
    sign_in(&browser).await;
    for name in ["first", "second"] {
        site.clock.advance(ACCESS);
        create(&browser, name).await;
    }
    browser.sees("Your keys (2)").await;
    site.clock.advance(REFRESH);
    browser.click("#create-open").await;
    browser.press(&format!("third{ENTER}")).await;
    browser
        .sees("Your sign-in has expired. Sign in again.")
        .await;
    browser.focused("#password").await;
    browser.press(&format!("{PASSWORD}{ENTER}")).await;
    browser.focused("#keys-title").await;
    assert!(!browser.text().await.contains("expired. Sign in again"));
    browser.close().await;
}

#[tokio::test]
async fn whatever_goes_wrong_is_said_where_it_is_wrong() {
    let (site, browser) = (Site::new().await, Browser::start().await);
    let url = site
        .serve(site.with_private_tokens().mount("/settings/", page()))
        .await;
    browser.goto(&url).await;
    browser.focused("#name").await;
    // Nothing at all; then a wrong password.
    browser.press(ENTER).await;
    browser
        .until("document.querySelector('#name').ariaInvalid === 'true'")
        .await;
    browser.focused("#name").await;
    browser
        .press(&format!("anna@example.com{TAB}wrong{ENTER}"))
        .await;
    // It is called as on the label beside it.
    browser.sees("Email or password is wrong.").await;
    assert!(!browser.text().await.contains("user name"));
    browser.focused("#password").await;
    browser.fill("#password", PASSWORD).await;
    browser.press(ENTER).await;
    browser.focused("#keys-title").await;

    // A day that is missing, past, and further away than the server lets it be.
    browser.click("#create-open").await;
    browser.fill("#create-name", "ci").await;
    browser.select("#create-expiry", "day").await;
    browser.click("#create [type=submit]").await;
    browser.focused("#create-day").await;
    for (day, words) in [
        ("2001-02-03", "must be in the future"),
        ("2999-12-31", "too far away"),
    ] {
        browser
            .value(&format!(
                "(document.querySelector('#create-day').value = '{day}')"
            ))
            .await;
        browser.click("#create [type=submit]").await;
        browser.sees(words).await;
        browser.focused("#create-expiry").await;
        assert_eq!(
            browser
                .value("document.querySelector('#create-expiry').ariaInvalid")
                .await,
            "true"
        );
    }
    // What was wrong is forgotten when the form is opened again.
    browser.click("#create [data-does=close]").await;
    browser.focused("#create-open").await;
    browser.press(ENTER).await;
    browser
        .until("document.querySelector('#create').open")
        .await;
    assert!(!browser.text().await.contains("too far away"));
    assert_eq!(
        browser
            .value("document.querySelectorAll('[aria-invalid]').length")
            .await,
        0
    );
    browser.close().await;
}

#[tokio::test]
async fn the_longest_expiry_that_is_offered_is_taken_though_the_browsers_clock_is_ahead() {
    let thirty_days = Duration::from_secs(30 * 24 * 60 * 60);
    // The clock of the site stands still.
    let site = Site::of(|tokens| tokens.private_lifetime(thirty_days), |layer| layer).await;
    let browser = Browser::start().await;
    let url = site
        .serve(site.with_private_tokens().mount("/settings/", page()))
        .await;
    browser.goto(&url).await;
    sign_in(&browser).await;
    create(&browser, "for thirty days").await;
    browser.sees("Your keys (1)").await;
    browser.click("[data-does=rotate]").await;
    browser.click("#rotate [type=submit]").await;
    browser.until("document.querySelector('#shown').open").await;
    browser.close().await;
}

#[tokio::test]
async fn a_key_that_is_shown_once_is_not_lost_by_a_slip_and_is_gone_afterwards() {
    let (site, browser) = (Site::new().await, Browser::start().await);
    let url = site
        .serve(site.with_api_keys().mount("/settings/", page()))
        .await;
    browser.goto(&url).await;
    sign_in(&browser).await;
    browser.click("#create-open").await;
    browser.fill("#create-name", "ci").await;
    browser.press(ENTER).await;
    browser.focused("[data-copies=shown-key]").await;
    browser.press(ESCAPE).await;
    browser.press(ESCAPE).await;
    assert_eq!(
        browser.value("document.querySelector('#shown').open").await,
        true
    );
    browser.press(ENTER).await;
    browser
        .until("document.querySelector('#shown .said').textContent !== ''")
        .await;
    let key = browser.field("#shown-key").await;
    assert!(key.starts_with("egret_"));
    browser.click("#shown [type=submit]").await;
    browser.focused("#create-open").await;
    let page = browser.value("document.documentElement.outerHTML").await;
    assert!(!page.as_str().unwrap().contains(&key));
    assert_eq!(browser.field("#shown-key").await, "");
    browser.close().await;
}

#[tokio::test]
async fn the_page_speaks_every_format_of_refusals() {
    use tower_auth::format::{Coded, Drf, DrfStandardized, Problem};
    let browser = Browser::start().await;
    let sites = [
        Site::with(|builder| builder.format(Problem)).await,
        Site::with(|builder| builder.format(Drf)).await,
        Site::with(|builder| builder.format(DrfStandardized)).await,
        Site::with(|builder| builder.format(Coded)).await,
    ];
    for site in sites {
        let url = site
            .serve(site.with_api_keys().mount("/settings/", page()))
            .await;
        browser.goto(&url).await;
        browser.focused("#name").await;
        browser
            .press(&format!("anna@example.com{TAB}wrong{ENTER}"))
            .await;
        browser.sees("Email or password is wrong.").await;
        browser.fill("#password", PASSWORD).await;
        browser.press(ENTER).await;
        browser.focused("#keys-title").await;
        browser.click("#create-open").await;
        browser.fill("#create-name", "ci").await;
        browser.select("#create-expiry", "day").await;
        browser
            .value("(document.querySelector('#create-day').value = '2001-02-03')")
            .await;
        browser.click("#create [type=submit]").await;
        browser
            .until(
                "document.querySelector('#create-expiry-failure').textContent.includes('future')",
            )
            .await;
        assert_eq!(
            browser
                .value("document.querySelector('#create .failure').textContent")
                .await,
            ""
        );
        browser.click("#create [data-does=close]").await;
        // What concerns no field: a key that is revoked elsewhere meanwhile.
        create(&browser, "ci").await;
        let key = site.only_key().await;
        site.keys.revoke(&site.anna, &key.id).await.unwrap();
        browser.click("[data-does=revoke]").await;
        browser.click("#revoke [type=submit]").await;
        browser.sees("Not found.").await;
    }
    browser.close().await;
}

#[tokio::test]
async fn a_new_key_has_the_scopes_that_were_ticked_and_the_rate_that_was_chosen() {
    let (site, browser) = (Site::new().await, Browser::start().await);
    let url = site
        .serve(site.with_choices().mount("/settings/", page()))
        .await;
    browser.goto(&url).await;
    sign_in(&browser).await;
    let offered = "[...document.querySelectorAll('#create-scopes label')]
        .map((label) => [label.textContent, label.control.checked])";
    assert_eq!(
        browser.value(offered).await,
        json!([["reports:read", false], ["reports:write", false]])
    );
    browser.click("#create-open").await;
    browser.fill("#create-name", "ci").await;
    browser
        .click("#create-scopes [value='reports:write']")
        .await;
    browser.select("#create-rate", "2000/day").await;
    browser.click("#create [type=submit]").await;
    browser.focused("[data-copies=shown-key]").await;
    browser.click("#shown [type=submit]").await;
    let key = site.only_key().await;
    assert_eq!(key.scopes.as_str(), "reports:write");
    assert_eq!(key.rate, Some("2000/day".parse().unwrap()));
    browser.sees("2000 per day").await;
    let shown = browser.value("document.querySelector('#list').innerText");
    assert!(shown.await.as_str().unwrap().contains("reports:write"));
    site.keys.revoke(&site.anna, &key.id).await.unwrap();

    // Nothing is ticked or chosen from the time before.
    create(&browser, "nothing").await;
    let key = site.only_key().await;
    assert_eq!((key.scopes.as_str(), key.rate), ("", None));

    // What the caller has not, or nobody offers, is refused beside its field.
    for (field, wrong) in [
        ("#create-scopes input", "admin"),
        ("#create-rate option", "1/s"),
    ] {
        browser.click("#create-open").await;
        browser.fill("#create-name", "more").await;
        let sent = format!(
            "(([field]) => {{ field.value = '{wrong}'; field.click(); field.selected = true; }})
                (document.querySelectorAll('{field}'))"
        );
        browser.value(&sent).await;
        browser.click("#create [type=submit]").await;
        let (fieldset, _) = field.split_once(' ').unwrap();
        let failure = format!("document.querySelector('{fieldset}-failure').textContent !== ''");
        browser.until(&failure).await;
        browser
            .until("document.activeElement.ariaInvalid === 'true'")
            .await;
        browser.click("#create [data-does=close]").await;
    }
    browser.close().await;
}

#[tokio::test]
async fn scopes_are_offered_in_the_words_of_the_page_and_only_to_who_has_them() {
    let (site, browser) = (Site::new().await, Browser::start().await);
    let described = page()
        .scope("reports:write", "Write reports")
        .scope("admin", "Everything");
    let rows = [
        (
            site.with_choices().mount("/settings/", described),
            vec!["Write reports"],
        ),
        // The application decides, or the user's own rights do.
        (site.with_api_keys().mount("/settings/", page()), vec![]),
        (
            site.with_private_tokens().mount("/settings/", page()),
            vec![],
        ),
    ];
    for (endpoints, expected) in rows {
        browser.goto(&site.serve(endpoints).await).await;
        sign_in(&browser).await;
        browser.click("#create-open").await;
        let offered = "[...document.querySelectorAll('#create-scopes label')]
            .map((label) => label.innerText)";
        assert_eq!(browser.value(offered).await, json!(expected));
        let is_shown = "document.querySelector('#create-scopes').checkVisibility()";
        assert_eq!(browser.value(is_shown).await, json!(!expected.is_empty()));
    }
    browser.close().await;
}

#[tokio::test]
async fn a_key_begins_as_its_record_says_and_no_date_is_broken() {
    let (site, browser) = (Site::new().await, Browser::start().await);
    let url = site
        .serve(site.with_choices().mount("/settings/", page()))
        .await;
    // Long dates: "29 de nov. de 2026, 12:34".
    browser.speak("pt-BR").await;
    browser.goto(&url).await;
    sign_in(&browser).await;
    let key = create(&browser, "ci").await;
    browser.focused("#create-open").await;
    let record = site.only_key().await;
    let begins = browser.value("document.querySelector('#list code').textContent");
    let begins = begins.await.as_str().unwrap().to_owned();
    assert_eq!(begins, *record.hint);
    assert_eq!(begins.matches('…').count(), 1);
    assert!(key.starts_with(begins.trim_end_matches('…')));
    for width in [1280, 375, 320] {
        browser.look(width, "light").await;
        browser.until(&format!("innerWidth === {width}")).await;
        let lines =
            "[...document.querySelectorAll('time')].map((time) => time.getClientRects().length)";
        assert_eq!(browser.value(lines).await, json!([1, 1]), "{width}");
        assert_eq!(browser.value(TOO_WIDE).await, json!([]), "{width}");
    }
    browser.close().await;
}

#[tokio::test]
async fn the_page_is_legible_narrow_and_named_in_every_state() {
    let (site, browser) = (Site::new().await, Browser::start().await);
    // Without a place to break it, as long as a name may be.
    let long = "m".repeat(200);
    let url = site
        .serve(site.with_choices().mount("/settings/", page()))
        .await;
    browser.goto(&url).await;
    browser.focused("#name").await;
    browser.press(ENTER).await;
    browser
        .until("document.querySelector('[aria-invalid]')")
        .await;
    looks_good(&browser, "sign-in").await;
    sign_in(&browser).await;
    looks_good(&browser, "no keys").await;
    for name in [&long, EVIL] {
        create(&browser, name).await;
    }
    browser.sees(EVIL).await;
    assert_eq!(
        browser
            .value("document.querySelectorAll('main img').length")
            .await,
        0
    );
    looks_good(&browser, "keys").await;
    for (name, opener, dialog) in [
        ("create", "#create-open", "#create"),
        ("rotate", "li:last-child [data-does=rotate]", "#rotate"),
        ("revoke", "li:last-child [data-does=revoke]", "#revoke"),
    ] {
        browser.click(opener).await;
        browser
            .until(&format!("document.querySelector('{dialog}').open"))
            .await;
        looks_good(&browser, name).await;
        browser.press(ESCAPE).await;
        browser.focused(opener).await;
    }
    browser.click("#create-open").await;
    browser.press(&format!("ci{ENTER}")).await;
    browser.focused("[data-copies=shown-key]").await;
    looks_good(&browser, "a new key").await;
    was_discreet(&browser, &[]).await;
    browser.close().await;
}

/// In both schemes, wide and as narrow as a small phone: nothing to scroll sideways for, enough
/// contrast, a name for every control. `.ci/axe` has axe look at it besides.
async fn looks_good(browser: &Browser, state: &str) {
    let widths = [1280, 375, 320];
    let looks = widths.map(|width| [(width, "light"), (width, "dark")]);
    for (width, scheme) in looks.into_iter().flatten() {
        browser.look(width, scheme).await;
        browser
            .until(&format!(
                "innerWidth === {width} && matchMedia('(prefers-color-scheme: {scheme})').matches"
            ))
            .await;
        let at = format!("{state}, {width}, {scheme}");
        assert_eq!(browser.value(TOO_WIDE).await, json!([]), "{at}");
        assert_eq!(browser.value(TOO_FAINT).await, json!([]), "{at}");
        assert_eq!(browser.value(TOO_SMALL).await, json!([]), "{at}");
        if let Ok(axe) = std::env::var("TOWER_AUTH_TEST_AXE") {
            assert_eq!(browser.violations(&axe).await, json!([]), "{at}");
        }
    }
    let spoken = browser.spoken().await;
    let controls = [
        "button",
        "textbox",
        "combobox",
        "checkbox",
        "group",
        "dialog",
        "alertdialog",
        "Date",
        "list",
        "heading",
        "region",
    ];
    for (role, name) in &spoken {
        assert!(
            !controls.contains(&role.as_str()) || !name.is_empty(),
            "{state}: a {role} without a name"
        );
    }
    assert!(
        spoken.iter().any(|(role, _)| role == "heading"),
        "{state}: {spoken:?}"
    );
    let buttons: Vec<&String> = spoken
        .iter()
        .filter(|(role, _)| role == "button")
        .map(|(_, name)| name)
        .collect();
    let mut different = buttons.clone();
    different.sort();
    different.dedup();
    assert_eq!(
        different.len(),
        buttons.len(),
        "{state}: buttons of one name: {buttons:?}"
    );
}

/// Elements that reach out of the window, or out of an open dialog.
const TOO_WIDE: &str = "[document.scrollingElement, ...document.querySelectorAll('dialog[open]')]
    .filter((element) => element.scrollWidth > element.clientWidth)
    .map((element) => element.outerHTML.slice(0, 200))";

/// Controls that a finger misses (WCAG 2.2, 2.5.8).
const TOO_SMALL: &str = "[...document.querySelectorAll('button, input, select')]
    .filter((element) => element.checkVisibility() && element.getBoundingClientRect().height < 24)
    .map((element) => element.outerHTML)";

/// Text with a contrast below 4.5 to 1 (WCAG 2.2, 1.4.3). Behind an open dialog nothing is to be
/// read.
const TOO_FAINT: &str = "(() => {
    const channels = (color) => color.match(/[\\d.]+/g).map(Number);
    const light = (color) => {
        const [r, g, b] = channels(color).map((c) => c / 255)
            .map((c) => (c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4));
        return .2126 * r + .7152 * g + .0722 * b;
    };
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const color = getComputedStyle(at).backgroundColor;
            if ((channels(color)[3] ?? 1) === 1) return color;
        }
        return getComputedStyle(document.body).backgroundColor;
    };
    const within = document.querySelector('dialog[open]') ?? document.body;
    const hasText = (element) => element.matches('input, select') ||
        [...element.childNodes]
            .some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const contrast = (element) => {
        const colors = [light(getComputedStyle(element).color), light(behind(element))];
        const [a, b] = colors.toSorted((a, b) => b - a);
        return [element.textContent || element.id, (a + .05) / (b + .05)];
    };
    return [...within.querySelectorAll('*')]
        .filter((element) => element.checkVisibility() && hasText(element))
        .map(contrast)
        .filter(([, contrast]) => contrast < 4.5);
})()";

#[tokio::test]
async fn a_key_that_was_made_on_the_page_is_good() {
    let (site, browser) = (Site::new().await, Browser::start().await);
    let url = site
        .serve(site.with_private_tokens().mount("/settings/", page()))
        .await;
    browser.goto(&url).await;
    sign_in(&browser).await;
    let token = create(&browser, "ci").await;
    let whoami = url.replace("/settings/", "/whoami");
    let whoami = async |token: &str| {
        reqwest::Client::new()
            .get(&whoami)
            .bearer_auth(token)
            .send()
            .await
            .unwrap()
    };
    assert_eq!(whoami(&token).await.status(), 200);

    // Rotated, then revoked.
    browser.click("[data-does=rotate]").await;
    browser
        .until("document.querySelector('#rotate').open")
        .await;
    browser.click("#rotate [type=submit]").await;
    browser.focused("[data-copies=shown-key]").await;
    let successor = browser.field("#shown-key").await;
    assert_eq!(
        (
            whoami(&token).await.status(),
            whoami(&successor).await.status()
        ),
        (401.try_into().unwrap(), 200.try_into().unwrap())
    );
    browser.click("#shown [type=submit]").await;
    browser.focused("#create-open").await;
    browser.click("[data-does=revoke]").await;
    browser.focused("#revoke [data-does=close]").await;
    browser.press(ESCAPE).await;
    assert_eq!(
        whoami(&successor).await.status(),
        200,
        "not without a confirmation"
    );
    browser.click("[data-does=revoke]").await;
    browser.focused("#revoke [data-does=close]").await;
    browser.press(&format!("{TAB}{ENTER}")).await;
    browser.sees("You have no API keys yet.").await;
    browser
        .until("document.querySelector('#status').textContent === 'ci is revoked.'")
        .await;
    assert_eq!(whoami(&successor).await.status(), 401);
    browser.close().await;
}
