//! The endpoints in an OpenAPI document.

use super::about::{About, Member};
use super::body_form::BodyForm;
use super::route::{Access, Route};
use super::service::Endpoints;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use utoipa::Modify;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, OpenApi, Required, Response};

impl Route {
    fn operation(&self, about: &About) -> Operation {
        let mut operation = OperationBuilder::new()
            .summary(Some(about.summary))
            .tag("auth");
        for name in self.path.parameters() {
            let text = ObjectBuilder::new().schema_type(Type::String);
            let parameter = ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path);
            operation = operation.parameter(parameter.required(Required::True).schema(Some(text)));
        }
        if let Some(form) = self.body {
            operation = operation.request_body(Some(body_of(form, about)));
        }
        if matches!(self.access, Access::Anybody) {
            operation = operation.securities(Some([]));
        }
        for status in self.statuses(about.success) {
            let reason = status.canonical_reason().unwrap_or_default();
            operation = operation.response(status.as_str(), Response::new(reason));
        }
        operation.build()
    }

    fn statuses(&self, success: StatusCode) -> impl Iterator<Item = StatusCode> {
        let (body, caller) = (
            self.body.is_some(),
            matches!(self.access, Access::Caller(_)),
        );
        let known = [
            (true, success),
            (body, StatusCode::BAD_REQUEST),
            (body || caller, StatusCode::UNAUTHORIZED),
            (caller, StatusCode::FORBIDDEN),
            (
                self.path.parameters().next().is_some(),
                StatusCode::NOT_FOUND,
            ),
            (body, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ];
        known
            .into_iter()
            .filter(|(answers, _)| *answers)
            .map(|(_, status)| status)
    }

    fn http_method(&self) -> HttpMethod {
        match self.method {
            Method::POST => HttpMethod::Post,
            Method::PATCH => HttpMethod::Patch,
            Method::DELETE => HttpMethod::Delete,
            _ => HttpMethod::Get,
        }
    }
}

/// Adds the endpoints to a document: paths, parameters, bodies, statuses, and which of them need no
/// credential.
impl Modify for Endpoints {
    fn modify(&self, document: &mut OpenApi) {
        // What takes a page's cookies is for the page alone.
        for route in self
            .routes()
            .iter()
            .filter(|route| !route.access.is_for_pages())
        {
            let Some(about) = route.handler.about() else {
                continue;
            };
            let methods = vec![route.http_method()];
            document.paths.add_path_operation(
                route.path.as_str(),
                methods,
                route.operation(&about),
            );
        }
    }
}

fn body_of(form: BodyForm, about: &About) -> RequestBody {
    let mut object = ObjectBuilder::new();
    // What a page offers to be sent: of the rest, an empty text would be refused.
    let mut example = json!({});
    for Member {
        name,
        schema,
        required,
    } in &about.members
    {
        object = object.property(name, schema.clone());
        if *required == Required::True {
            object = object.required(name);
            example[name] = Value::from("string");
        }
    }
    let content = ContentBuilder::new()
        .schema(Some(object))
        .example(Some(example))
        .build();
    RequestBodyBuilder::new()
        .content(form.media_type(), content)
        .required(Some(Required::True))
        .build()
}
