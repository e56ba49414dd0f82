//! A browser without a window: Chromium, driven over WebDriver.

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::Url;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// On Debian.
const INSTALL: &str =
    "apt-get update && apt-get install -y --no-install-recommends chromium chromium-driver";

/// One browser, with a profile of its own. It and its driver end with the value, a test that fails
/// included.
pub(crate) struct Browser {
    client: Client,
    driver: Driver,
}

struct Driver {
    process: Child,
    profile: PathBuf,
}

/// Keys on a keyboard (WebDriver §17.4.2).
pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const ESCAPE: &str = "\u{e00c}";

impl Browser {
    pub(crate) async fn start() -> Self {
        install();
        let (driver, url) = Driver::start();
        let profile = format!("--user-data-dir={}", driver.profile.display());
        let arguments = [
            "--headless",
            // Chromium's sandbox does not work for root.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-breakpad",
            "--lang=en-US",
            // Any name is this machine's: nothing that a page loads leaves it.
            "--host-resolver-rules=MAP * 127.0.0.1",
            &profile,
        ];
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
            // A machine may be busy; what never comes is a failure all the same.
            "timeouts": { "script": 120_000 },
        });
        let Value::Object(capabilities) = capabilities else {
            unreachable!()
        };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder
            .capabilities(capabilities)
            .connect(&url)
            .await
            .unwrap();
        Self { client, driver }
    }

    pub(crate) async fn close(self) {
        self.client.close().await.unwrap();
        drop(self.driver);
    }

    pub(crate) async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    pub(crate) async fn reload(&self) {
        self.client.refresh().await.unwrap();
    }

    /// The value of a JavaScript expression.
    pub(crate) async fn value(&self, expression: &str) -> Value {
        self.client
            .execute(&format!("return {expression};"), Vec::new())
            .await
            .unwrap()
    }

    /// Waits until a JavaScript expression is true, looking at it whenever the browser draws.
    pub(crate) async fn until(&self, expression: &str) {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             const look = () => {{
                 if ({expression}) done(true); else requestAnimationFrame(look);
             }};
             look();"
        );
        if let Err(error) = self.client.execute_async(&script, Vec::new()).await {
            panic!("{expression} is never true: {error}\n{}", self.text().await);
        }
    }

    /// Waits until that text is to be seen.
    pub(crate) async fn sees(&self, text: &str) {
        self.until(&format!(
            "document.body.innerText.includes({})",
            Value::from(text)
        ))
        .await;
    }

    pub(crate) async fn text(&self) -> String {
        self.value("document.body.innerText")
            .await
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Waits until that element has the focus.
    pub(crate) async fn focused(&self, selector: &str) {
        self.until(&format!(
            "document.activeElement?.matches({})",
            Value::from(selector)
        ))
        .await;
    }

    /// Presses keys, wherever the focus is.
    pub(crate) async fn press(&self, keys: &str) {
        self.client
            .active_element()
            .await
            .unwrap()
            .send_keys(keys)
            .await
            .unwrap();
    }

    pub(crate) async fn click(&self, selector: &str) {
        self.client
            .find(Locator::Css(selector))
            .await
            .unwrap()
            .click()
            .await
            .unwrap();
    }

    /// Types into a field, whatever was in it before.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let field = self.client.find(Locator::Css(selector)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    pub(crate) async fn select(&self, selector: &str, value: &str) {
        let field = self.client.find(Locator::Css(selector)).await.unwrap();
        field.select_by_value(value).await.unwrap();
    }

    /// The value of a field.
    pub(crate) async fn field(&self, selector: &str) -> String {
        let value = self
            .value(&format!(
                "document.querySelector({}).value",
                Value::from(selector)
            ))
            .await;
        value.as_str().unwrap().to_owned()
    }

    pub(crate) async fn cookies(&self) -> Vec<fantoccini::cookies::Cookie<'static>> {
        self.client.get_all_cookies().await.unwrap()
    }

    /// How wide the window is, and which colours its user prefers.
    pub(crate) async fn look(&self, width: u32, scheme: &str) {
        let size =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await;
        let scheme = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", scheme).await;
    }

    /// Which language its user reads.
    pub(crate) async fn speak(&self, locale: &str) {
        self.devtools("Emulation.setLocaleOverride", json!({ "locale": locale }))
            .await;
    }

    /// What axe-core, whose script is in that file, finds wrong with what is to be seen.
    pub(crate) async fn violations(&self, axe: &str) -> Value {
        let script = std::fs::read_to_string(axe).unwrap();
        let run = "const done = arguments[arguments.length - 1];
            axe.run().then(({ passes, violations }) => done([
                passes.length,
                violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
            ]));";
        let script = format!("{script}\n{run}");
        let found = self.client.execute_async(&script, Vec::new()).await;
        let Value::Array(found) = found.unwrap() else {
            panic!("axe says nothing");
        };
        assert!(found[0].as_u64().unwrap() > 10, "axe has looked at nothing");
        found[1].clone()
    }

    /// What a screen reader gets to know of: role and name of each node.
    pub(crate) async fn spoken(&self) -> Vec<(String, String)> {
        let tree = self
            .devtools("Accessibility.getFullAXTree", json!({}))
            .await;
        let text = |value: &Value| value["value"].as_str().unwrap_or_default().to_owned();
        let nodes = tree["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|node| node["ignored"] != true);
        nodes
            .map(|node| (text(&node["role"]), text(&node["name"])))
            .collect()
    }

    /// What the page asked of anybody but the server that it is from.
    pub(crate) async fn loaded_from_elsewhere(&self) -> Value {
        let elsewhere = "performance.getEntriesByType('resource').map(({name}) => name)
            .filter((name) => new URL(name).origin !== location.origin)";
        self.value(elsewhere).await
    }

    /// The lines of the console since the last call.
    pub(crate) async fn console(&self) -> Vec<String> {
        let lines = self.issue("se/log", json!({ "type": "browser" })).await;
        let message = |line: &Value| line["message"].as_str().unwrap().to_owned();
        lines.as_array().unwrap().iter().map(message).collect()
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.issue(
            "goog/cdp/execute",
            json!({ "cmd": command, "params": parameters }),
        )
        .await
    }

    async fn issue(&self, path: &'static str, body: Value) -> Value {
        self.client
            .issue_cmd(Extension { path, body })
            .await
            .unwrap()
    }
}

/// A command of chromedriver's own.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(
        &self,
        base_url: &Url,
        session_id: Option<&str>,
    ) -> Result<Url, <Url as std::str::FromStr>::Err> {
        base_url.join(&format!(
            "session/{}/{}",
            session_id.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

impl Driver {
    fn start() -> (Self, String) {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("chromium-{}-{number}", std::process::id());
        let profile = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&profile).unwrap();
        let mut command = Command::new("chromedriver");
        // A process group of its own, so that the browser can be ended with it.
        command
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0);
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let driver = Self { process, profile };
        let said = |line: std::io::Result<String>| {
            let line = line.ok()?;
            Some(
                line.split_once("successfully on port ")?
                    .1
                    .trim_end_matches('.')
                    .to_owned(),
            )
        };
        let port = lines
            .into_iter()
            .find_map(said)
            .expect("the line on which chromedriver says its port");
        (driver, format!("http://127.0.0.1:{port}"))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let group = format!("kill -9 -{}", self.process.id());
        let _ = Command::new("sh").args(["-c", &group]).status();
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// Root installs what is missing; anybody else is told how to.
fn install() {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let sh = |script: &str| {
        Command::new("sh")
            .args(["-c", script])
            .stdout(Stdio::null())
            .status()
    };
    let is_there = || {
        sh("command -v chromedriver && command -v chromium")
            .unwrap()
            .success()
    };
    if is_there() {
        return;
    }
    let is_root = sh("[ \"$(id -u)\" = 0 ]").unwrap().success();
    assert!(is_root, "Chromium and chromedriver are missing: {INSTALL}");
    assert!(
        sh(INSTALL).unwrap().success() && is_there(),
        "this failed: {INSTALL}"
    );
}
