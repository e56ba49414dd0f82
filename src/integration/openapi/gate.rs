use super::answers::Answers;
use super::operations::operations;
use super::security_schemes::SecuritySchemes;
use crate::authorize::Requirement;
use crate::layer::auth_layer::AuthLayer;
use crate::pipeline::{Gate, Mode};
use utoipa::Modify;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Components, OpenApi};

/// Says of every operation of a document what the layer, or the gate, answers in front of it: a
/// document is put together as a router is, one `modify` for each `layer`.
///
/// - Which refusals there are and how they look: 400 and 401 with its challenges, 403 where more is
///   required, 429 with the fields of the limits, and 503.
/// - Which schemes are accepted, with the scopes that a requirement demands. Where an operation
///   has been told so already, by an inner gate, that holds.
/// - Where an operation names a refusal without saying how it looks, it looks as the layer's error
///   format writes it: `responses((status = 404))` is enough for a handler that returns a
///   [`Rejection`](crate::Rejection).
///
/// ```
/// use tower_auth::store::Memory;
/// use tower_auth::{ApiKeys, AuthLayer, Realm, Scope};
/// use utoipa::{Modify, OpenApi};
///
/// /// The reports.
/// #[utoipa::path(get, path = "/reports/", responses((status = 200, description = "All of them")))]
/// async fn reports() {}
///
/// #[derive(OpenApi)]
/// #[openapi(paths(reports))]
/// struct Reports;
///
/// let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
/// let auth = AuthLayer::builder().accept(&keys).build()?;
/// let readers = auth.require(Scope::new("reports:read"));
///
/// let mut document = Reports::openapi();
/// readers.modify(&mut document); // as in `.layer(readers)`
/// auth.modify(&mut document); // and `.layer(auth)` around it
/// auth.security_schemes().modify(&mut document);
///
/// let document = serde_json::to_value(document).unwrap();
/// let operation = &document["paths"]["/reports/"]["get"];
/// assert_eq!(operation["security"][0]["bearerAuth"][0], "reports:read");
/// assert!(operation["responses"]["401"]["headers"]["WWW-Authenticate"].is_object());
/// assert!(operation["responses"]["403"]["content"]["application/problem+json"].is_object());
/// # Ok::<(), tower_auth::ConfigError>(())
/// ```
impl Modify for AuthLayer {
    fn modify(&self, document: &mut OpenApi) {
        let mut components = document.components.take().unwrap_or_default();
        let answers = self.answers();
        for operation in operations(document) {
            self.describe(operation, &answers, &mut components);
        }
        document.components = Some(components);
    }
}

impl AuthLayer {
    fn describe(
        &self,
        operation: &mut Operation,
        answers: &Answers<'_>,
        components: &mut Components,
    ) {
        let anyone = Requirement::anyone();
        let (mode, kinds) = match self.gate() {
            Gate::Authenticate(mode) => {
                let counting = answers.of_counting();
                (
                    Some(*mode),
                    [answers.of_credentials(*mode), counting].concat(),
                )
            }
            Gate::Require(requirement) => (Some(Mode::Required), requirement.refusals()),
            Gate::Throttle(stack) | Gate::ThrottlePublic(stack) => (None, stack.refusals()),
            Gate::Anonymous | Gate::Errors => (None, Vec::new()),
        };
        answers.tell_limits(operation);
        answers.complete(operation, components);
        answers.refuse(operation, &kinds, &[], components);
        let requirement = match self.gate() {
            Gate::Require(requirement) => requirement,
            _ => &anyone,
        };
        // An inner gate has spoken before, and knows the scopes that this one does not.
        if let (Some(mode), None) = (mode, &operation.security) {
            let names = SecuritySchemes::names(self);
            operation.security = Some(answers.security(mode, requirement, names));
        }
    }
}
