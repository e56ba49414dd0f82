//! The endpoints in an OpenAPI document.

use super::route::{Access, Route, TakesBody};
use super::service::Endpoints;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use utoipa::Modify;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::{ContentBuilder, OpenApi, Required, Response};

/// What a handler does, and which members of a body it reads.
pub(super) struct About {
    summary: &'static str,
    success: StatusCode,
    members: Vec<Member>,
}

struct Member {
    name: String,
    schema: Schema,
    required: Required,
}

impl About {
    pub(super) fn new(success: StatusCode, summary: &'static str) -> Self {
        Self {
            summary,
            success,
            members: Vec::new(),
        }
    }

    /// A text that has to be there.
    pub(super) fn text(self, name: &str) -> Self {
        self.member(
            name,
            Required::True,
            ObjectBuilder::new().schema_type(Type::String),
        )
    }

    /// A text that may be missing.
    pub(super) fn optional_text(self, name: &str) -> Self {
        self.member(
            name,
            Required::False,
            ObjectBuilder::new().schema_type(Type::String),
        )
    }

    pub(super) fn optional_texts(self, name: &str) -> Self {
        let text = ObjectBuilder::new().schema_type(Type::String);
        self.member(name, Required::False, ArrayBuilder::new().items(text))
    }

    pub(super) fn password(self, name: &str) -> Self {
        self.member(name, Required::True, formatted(KnownFormat::Password))
    }

    pub(super) fn time(self, name: &str) -> Self {
        self.member(name, Required::True, formatted(KnownFormat::DateTime))
    }

    pub(super) fn optional_time(self, name: &str) -> Self {
        self.member(name, Required::False, formatted(KnownFormat::DateTime))
    }

    pub(super) fn optional_number(self, name: &str) -> Self {
        self.member(
            name,
            Required::False,
            ObjectBuilder::new().schema_type(Type::Integer),
        )
    }

    fn member(mut self, name: &str, required: Required, schema: impl Into<Schema>) -> Self {
        self.members.push(Member {
            name: name.to_owned(),
            schema: schema.into(),
            required,
        });
        self
    }

    fn body(&self) -> RequestBody {
        let mut object = ObjectBuilder::new();
        // What a page offers to be sent: of the rest, an empty text would be refused.
        let mut example = json!({});
        for Member {
            name,
            schema,
            required,
        } in &self.members
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
            .content("application/json", content)
            .required(Some(Required::True))
            .build()
    }
}

fn formatted(format: KnownFormat) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(format)))
}

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
        if self.body == TakesBody::Yes {
            operation = operation.request_body(Some(about.body()));
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
            self.body == TakesBody::Yes,
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

/// Adds the endpoints to a document: paths, parameters, bodies, statuses, and which of them need no credential.
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
