//! What would become of a request, told to an administrator. Nothing is counted or written.

use super::explanation::Explanation;
use super::gate::Mode;
use super::pipeline::Pipeline;
use crate::attempt::{Attempt, Attempts};
use crate::clock::rfc3339;
use crate::credential::{Credential, Sight};
use crate::principal::Principal;
use crate::rehearsal::rehearsed;
use crate::reject::Rejection;
use crate::scheme::SchemeId;
use crate::throttle::Call;
use http::Request;
use http::request::Parts;
use std::error::Error;
use std::future::ready;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

impl Pipeline {
    pub(crate) async fn explain(&self, mode: Mode, head: &Parts) -> Explanation {
        rehearsed(self.rehearse(mode, head)).await
    }

    async fn rehearse(&self, mode: Mode, head: &Parts) -> Explanation {
        let mut told = Explanation {
            steps: Vec::new(),
            caller: None,
            rejection: None,
        };
        let mut request = Request::from_parts(head.clone(), ());
        let judged = self
            .rehearse_credential(mode, &mut request, &mut told)
            .await;
        match judged {
            Ok(caller) => {
                told.caller = caller;
                self.rehearse_throttles(&request, &mut told).await;
            }
            Err(rejection) => told.rejection = Some(rejection),
        }
        told
    }

    /// Steps 1 to 4.
    async fn rehearse_credential(
        &self,
        mode: Mode,
        request: &mut Request<()>,
        told: &mut Explanation,
    ) -> Result<Option<Principal>, Rejection> {
        let peer = self.peer(request.headers(), request.extensions());
        // `Again`, because the very request may have come before, or may come yet: its proof is
        // neither refused as a replay nor remembered.
        let sender = self.reader.sender(request, Sight::Again);
        let mut copied = None;
        let found = match self.reader.read(request, &mut copied) {
            Ok(Some(found)) => found,
            Ok(None) if mode == Mode::Optional => {
                told.say(
                    "credential",
                    "none, which is enough here: the caller is anonymous",
                );
                return Ok(None);
            }
            Ok(None) => {
                let missing = Rejection::missing();
                told.say("credential", format!("none: {}", refusal(&missing)));
                return Err(missing);
            }
            Err(rejection) => {
                told.say("credential", refusal(&rejection));
                return Err(rejection);
            }
        };
        let now = self.clock.now();
        told.say("credential", described(&found.credential, now));
        let scheme = SchemeId::of(&found.credential, &self.reader.accepted().others);
        let scheme = scheme
            .name(&self.reader.accepted().others)
            .unwrap_or("its own");
        // Counters of nobody: what is rehearsed is no attempt.
        let attempts = Arc::new(Attempts::of_nobody(&self.attempts));
        let attempt = Attempt::new(&found.credential, now, &attempts, peer, sender.as_deref());
        let answer = self.chain.authenticate(&attempt).into_pending();
        let verified = answer.await.inspect_err(|rejection| {
            told.say("scheme", format!("{scheme}: {}", refusal(rejection)))
        })?;
        told.say(
            "scheme",
            format!("{scheme}: verified, {}", of_what(&verified)),
        );
        let granted = rights(&verified);
        let asked = self.accounts.ask(Box::pin(ready(Ok(verified))), now);
        let caller = asked
            .await
            .inspect_err(|rejection| told.say("account", refusal(rejection)))?;
        if rights(&caller) != granted {
            let text = "open, but its user has lost rights that the credential was granted";
            told.say("account", format!("{text}: {granted}"));
        } else if caller.account().is_some() {
            told.say("account", "open, with all rights of the credential");
        }
        told.say("caller", of_whom(&caller));
        Ok(Some(caller))
    }

    /// Step 5.
    async fn rehearse_throttles(&self, request: &Request<()>, told: &mut Explanation) {
        let Some(stack) = &self.throttles else {
            return;
        };
        let caller = told.caller.clone();
        let addresses = &self.surroundings.addresses;
        let call = Call::new(request, caller.as_ref(), addresses);
        for (text, rejection) in stack.rehearse(&call).await {
            told.say("throttle", text);
            if let Some(rejection) = rejection {
                told.rejection.get_or_insert(rejection);
            }
        }
    }
}

/// `refused, token_expired (exp): what failed`
fn refusal(rejection: &Rejection) -> String {
    let code = rejection.kind().code();
    let reason = rejection.reason();
    let mut text = format!("refused, {code} ({reason})");
    if let Some(source) = rejection.source() {
        text.push_str(": ");
        // What could not be written of it is not told.
        let _ = crate::chain::write_chain(source, &mut text);
    }
    text
}

fn described(credential: &Credential<'_>, now: SystemTime) -> String {
    match credential {
        Credential::Token(token) => {
            let length = token.expose().len();
            let text = format!("a token of {length} bytes, at {}", token.source());
            match said(token.expose(), now) {
                Some(said) => format!("{text}, which says: {said}"),
                None => format!("{text}, which is no JWT"),
            }
        }
        Credential::ApiKey(key) => {
            let length = key.expose().len();
            match key.prefix() {
                Some(prefix) => format!("an API key of {length} bytes that begins with {prefix:?}"),
                None => format!("an API key of {length} bytes, without a prefix"),
            }
        }
        Credential::Basic(basic) => format!("the password of {:?}", basic.name()),
        Credential::Other(other) => format!("one of the scheme {}", other.scheme()),
    }
}

/// What a JWT says of itself, unverified: only what tells whose it is and when it is good.
fn said(token: &str, now: SystemTime) -> Option<String> {
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    const HEADER: [&str; 3] = ["alg", "kid", "typ"];
    const CLAIMS: [&str; 5] = ["iss", "aud", "sub", "token_type", "scope"];
    const TIMES: [&str; 3] = ["iat", "nbf", "exp"];
    let object = |part: Option<&str>| {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(part?).ok()?;
        serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&bytes).ok()
    };
    let mut parts = token.split('.');
    let header = object(parts.next())?;
    let claims = object(parts.next())?;
    let mut said = Vec::new();
    for (names, object) in [(&HEADER[..], &header), (&CLAIMS[..], &claims)] {
        for name in names {
            if let Some(value) = object.get(*name) {
                said.push(format!("{name} {value}"));
            }
        }
    }
    for name in TIMES {
        let time = claims.get(name).and_then(serde_json::Value::as_f64);
        let since = time.and_then(|time| Duration::try_from_secs_f64(time).ok());
        let time = since.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
        if let Some(time) = time {
            let shown = rfc3339(time).unwrap_or_else(|| String::from("after the year 9999"));
            let order = if time <= now { "past" } else { "to come" };
            said.push(format!("{name} {shown} ({order})"));
        }
    }
    Some(said.join(", "))
}

/// What was verified.
fn of_what(caller: &Principal) -> String {
    if let Some(key) = caller.key() {
        let expires = match key.expires {
            Some(expires) => rfc3339(expires).unwrap_or_default(),
            None => String::from("never"),
        };
        return format!("key {:?}, named {:?}, expires {expires}", key.id, key.name);
    }
    match caller.issuer() {
        Some(issuer) => format!("token of {issuer:?}"),
        None => format!("by {}", caller.method()),
    }
}

fn of_whom(caller: &Principal) -> String {
    let subject = caller.subject().to_string();
    format!("{subject:?}, {}", rights(caller))
}

fn rights(caller: &Principal) -> String {
    let scopes: Vec<String> = caller
        .scopes()
        .iter()
        .map(|scope| scope.to_string())
        .collect();
    let roles: Vec<String> = caller.roles().iter().map(|role| role.to_string()).collect();
    format!("scopes {:?}, roles {:?}", scopes.join(" "), roles.join(" "))
}
