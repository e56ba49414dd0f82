use crate::console::Record;
use crate::failure::Failure;
use crate::input::{payload_of, read_secret};
use crate::service::{LONGEST_ACCESS, Service};
use crate::settings::Settings;
use clap::Args;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use tower_auth::{ApiKeys, AuthLayer, PasswordPolicy, Requirement, Scope, Secret};

#[derive(Args)]
pub(crate) struct Explain {
    #[arg(
        long,
        value_name = "PATH",
        help = "Reads the credential from the first line of this file, and not from stdin."
    )]
    credential_file: Option<PathBuf>,
    #[arg(
        long,
        value_name = "SCOPE",
        help = "Says as well whether the caller has this scope, as a route may demand it."
    )]
    scope: Vec<String>,
}

/// What a service would make of a credential.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Explained {
    /// Whether a request with it would be let in.
    passes: bool,
    /// The code of the refusal; `null` where it would be let in.
    refused: Option<String>,
    /// What each step would say, in their order.
    steps: Vec<StepShown>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct StepShown {
    /// `credential`, `scheme`, `account`, `caller` or `scope`.
    step: String,
    /// What it would say.
    text: String,
}

/// What a token says of where it comes from, before it is verified.
#[derive(Deserialize)]
struct Origin {
    iss: String,
    aud: Option<String>,
}

impl Explain {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let credential = read_secret(self.credential_file.as_deref(), "credential")?;
        let service = settings.service().await?;
        let explained = self.explain(&credential, &service).await?;
        settings.console().show(&explained)
    }

    async fn explain(
        &self,
        credential: &Secret<String>,
        service: &Service,
    ) -> Result<Explained, Failure> {
        let layer = layer_for(credential.expose(), service)?;
        let told = layer.explain(&head_with(credential)?).await;
        let mut steps: Vec<StepShown> = told
            .steps()
            .map(|(step, text)| StepShown {
                step: step.to_owned(),
                text: text.to_owned(),
            })
            .collect();
        let mut refused = told.rejection().map(|rejection| rejection.kind());
        // Without a caller there is nobody who could have a scope, and the refusal above says
        // enough.
        for scope in self.scope.iter().filter(|_| told.caller().is_some()) {
            let demanded = Requirement::from(Scope::new(scope.as_str()));
            let text = match told.require(&demanded) {
                Ok(()) => format!("{scope}: the caller has it"),
                Err(rejection) => {
                    refused = refused.or(Some(rejection.kind()));
                    format!("{scope}: the caller lacks it")
                }
            };
            let step = String::from("scope");
            steps.push(StepShown { step, text });
        }
        Ok(Explained {
            passes: refused.is_none(),
            refused: refused.map(|kind| kind.code().to_owned()),
            steps,
        })
    }
}

/// A layer that takes what the service takes, as far as the environment says it.
fn layer_for(credential: &str, service: &Service) -> Result<AuthLayer, Failure> {
    let environment = &service.environment;
    let form = match environment.api_key_prefix() {
        Some(prefix) => ApiKeys::prefix(prefix),
        None => ApiKeys::bare(),
    };
    let keys = service.realm.api_keys(environment.peppered(form));
    let users = service.realm.users(PasswordPolicy::new());
    let mut layer = AuthLayer::builder().accept(&keys).accept(users.basic());
    if environment.has_jwt_secret()
        && let Some(origin) = origin_of(credential)
    {
        let tokens = environment.tokens(LONGEST_ACCESS, LONGEST_ACCESS)?;
        // The token's own word for issuer and audience may be taken, because the command does not
        // know what the service calls itself, and the signature is verified all the same.
        let mut tokens = tokens.issuer(origin.iss);
        if let Some(audience) = origin.aud {
            tokens = tokens.audience(audience);
        }
        layer = layer.accept(&service.realm.tokens(tokens));
    }
    layer.build().map_err(|error| Failure::environment(&error))
}

/// The token stands alone, or behind the name of its scheme.
fn origin_of(credential: &str) -> Option<Origin> {
    payload_of(credential.rsplit(' ').next()?)
}

/// With a blank in it, it is the value of the field; alone, a token or a key.
fn head_with(credential: &Secret<String>) -> Result<http::request::Parts, Failure> {
    let text = credential.expose();
    let value = match text.contains(' ') {
        true => text.clone(),
        false => format!("Bearer {text}"),
    };
    let Ok(mut value) = HeaderValue::try_from(value) else {
        let unfit = "What was read cannot stand in a header field.";
        return Err(Failure::usage(unfit));
    };
    // A request that is shown by `Debug` must not show the credential.
    value.set_sensitive(true);
    let request = Request::builder().header(AUTHORIZATION, value).body(());
    let request = request.map_err(|error| Failure::failed(format!("{error}.")))?;
    Ok(request.into_parts().0)
}

impl Record for Explained {
    const COLUMNS: &'static [&'static str] = &["passes", "refused"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.passes.to_string(),
            self.refused.clone().unwrap_or_default(),
        ]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        let verdict = match &self.refused {
            None => String::from("it passes"),
            Some(code) => format!("refused, {code}"),
        };
        let mut details: Vec<(&'static str, String)> = Vec::new();
        for StepShown { step, text } in &self.steps {
            details.push((name_of(step), text.clone()));
        }
        details.push(("so", verdict));
        details
    }
}

fn name_of(step: &str) -> &'static str {
    match step {
        "credential" => "credential",
        "scheme" => "scheme",
        "account" => "account",
        "caller" => "caller",
        "throttle" => "throttle",
        _ => "scope",
    }
}
