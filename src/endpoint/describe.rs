//! The endpoints in an OpenAPI document.

use super::about::About;
use super::asked::body_object;
use super::body_form::BodyForm;
use super::route::{Access, Route};
use super::service::Endpoints;
use crate::integration::{Answers, OF_BODIES, SecuritySchemes, add_field, operation_ids};
use crate::pipeline::Mode;
use http::header::ETAG;
use http::{Method, StatusCode};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use utoipa::Modify;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Components, ContentBuilder, OpenApi, RefOr, Required, Response};

/// Adds the endpoints to a document: ids, paths, parameters, bodies with the limits of each member,
/// answers and refusals with their header fields and schemas, and which scopes each of them needs.
///
/// Whatever the endpoints read, write and refuse is asked of themselves, and refusals look as the
/// layer's error format writes them. Objects of the application's own making (`show`, `list`) are
/// objects of which nothing more is said.
impl Modify for Endpoints {
    fn modify(&self, document: &mut OpenApi) {
        let answers = self.auth().answers();
        let schemes = SecuritySchemes::names(self.auth());
        let mut ids = operation_ids(document);
        let mut components = document.components.take().unwrap_or_default();
        // Routes that take a page's cookies are for the page alone, so no client is told of them.
        let routes = self.routes().iter();
        for route in routes.filter(|route| !route.access.is_for_pages()) {
            let Some(about) = route.handler.about() else {
                continue;
            };
            let mut operation = route.operation(&about, free_id(about.id, route, &mut ids));
            if let Some(known) = &about.answer {
                known.place(&mut components);
            }
            route.refuse(&about, &answers, &mut operation, &mut components);
            let requirement = route.access.requirement();
            let security = requirement.map(|requirement| {
                answers.security(Mode::Required, requirement, schemes.iter().cloned())
            });
            operation.security = Some(security.unwrap_or_default());
            let methods = vec![route.http_method()];
            let path = route.path.as_str();
            document.paths.add_path_operation(path, methods, operation);
        }
        document.components = Some(components);
    }
}

/// An id that no other operation has. Where the same endpoint is mounted twice, the second one is
/// called by its path as well.
fn free_id(id: &str, route: &Route, ids: &mut BTreeSet<String>) -> String {
    let mut free = id.to_owned();
    if ids.contains(&free) {
        let words = route
            .path
            .as_str()
            .split(|c: char| !c.is_ascii_alphanumeric());
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        free = format!("{id}_at_{}", words.join("_"));
    }
    ids.insert(free.clone());
    free
}

impl Route {
    fn operation(&self, about: &About, id: String) -> Operation {
        let mut operation = OperationBuilder::new()
            .operation_id(Some(id))
            .summary(Some(about.summary))
            .tag("auth");
        for name in self.path.parameters() {
            // A parameter is never empty: without it the path is another one.
            let text = text().min_length(Some(1));
            let parameter = parameter(name, ParameterIn::Path, text);
            operation = operation.parameter(parameter.required(Required::True));
        }
        for (name, says) in &about.queries {
            let parameter = parameter(name, ParameterIn::Query, text());
            operation = operation.parameter(parameter.description(Some(*says)));
        }
        if let Some(form) = self.body {
            operation = operation.request_body(Some(body_of(form, about)));
        }
        operation = operation.response(about.success.as_str(), success(about));
        if about.is_conditional {
            let mut same = Response::new("Not Modified");
            add_field(&mut same, &ETAG);
            operation = operation.response(StatusCode::NOT_MODIFIED.as_str(), same);
        }
        operation.build()
    }

    /// Adds what the gates of the route refuse, what is no body, and what the handler refuses.
    fn refuse(
        &self,
        about: &About,
        answers: &Answers<'_>,
        operation: &mut Operation,
        components: &mut Components,
    ) {
        let mut kinds = about.refusals.clone();
        // A file has no gate that counts.
        if !matches!(self.access, Access::File) {
            answers.tell_limits(operation);
            kinds.extend(answers.of_counting());
        }
        if let Some(requirement) = self.access.requirement() {
            kinds.extend(answers.of_credentials(Mode::Required));
            kinds.extend(requirement.refusals());
        }
        if self.body.is_some() {
            kinds.extend(OF_BODIES);
        }
        let required = about.body.iter().filter(|member| member.is_required);
        let required: Vec<&str> = required.map(|member| member.name.as_str()).collect();
        answers.refuse(operation, &kinds, &required, components);
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

fn parameter(name: &str, place: ParameterIn, schema: ObjectBuilder) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .schema(Some(schema))
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn success(about: &About) -> Response {
    let mut response = Response::new(about.success.canonical_reason().unwrap_or_default());
    if let Some(known) = &about.answer {
        let content = ContentBuilder::new().schema(Some(known.schema())).build();
        let media_type = BodyForm::Json.media_type().to_owned();
        response.content.insert(media_type, RefOr::T(content));
    }
    if about.is_conditional {
        add_field(&mut response, &ETAG);
    }
    for name in &about.fields {
        add_field(&mut response, name);
    }
    response
}

fn body_of(form: BodyForm, about: &About) -> RequestBody {
    // An interactive page sends the example as it is. It has what is required alone: an empty text
    // for anything else would be refused.
    let mut example = Some(Map::new());
    let mut is_required = Required::False;
    for member in about.body.iter().filter(|member| member.is_required) {
        is_required = Required::True;
        example = with_example(example, &member.name, member.form.example());
    }
    let content = ContentBuilder::new()
        .schema(Some(body_object(&about.body)))
        .example(example.map(Value::Object))
        .build();
    RequestBodyBuilder::new()
        .content(form.media_type(), content)
        .required(Some(is_required))
        .build()
}

/// None as a whole where one member has none.
fn with_example(
    example: Option<Map<String, Value>>,
    name: &str,
    value: Option<Value>,
) -> Option<Map<String, Value>> {
    let mut example = example?;
    example.insert(name.to_owned(), value?);
    Some(example)
}
