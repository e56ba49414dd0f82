use super::inferred::{SAMPLE_FIELDS, schema_of};
use super::operations::place;
use crate::authorize::Requirement;
use crate::credential::{Accepted, Source};
use crate::layer::auth_layer::AuthLayer;
use crate::pipeline::{Gate, Mode, Pipeline};
use crate::principal::Scope;
use crate::reject::{FieldError, Rejection, RejectionKind};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LINK, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, Response, StatusCode};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::Response as Described;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Components, ContentBuilder, Ref, RefOr, Schema};

/// What a layer answers, for the operations of a document: its refusals as its own error format
/// writes them, and the header fields that they have.
pub(crate) struct Answers<'a> {
    pipeline: &'a Pipeline,
    /// The fields that tell what is left; none where nothing is counted.
    limits: Vec<HeaderName>,
}

impl AuthLayer {
    /// What it answers, for a document.
    pub(crate) fn answers(&self) -> Answers<'_> {
        let pipeline = self.pipeline();
        let counts = match self.gate() {
            Gate::Authenticate(_) | Gate::Anonymous => pipeline.throttles.is_some(),
            Gate::Throttle(_) | Gate::ThrottlePublic(_) => true,
            Gate::Require(_) | Gate::Errors => false,
        };
        let limits = if counts {
            pipeline.surroundings.shown.names()
        } else {
            Vec::new()
        };
        Answers { pipeline, limits }
    }
}

impl Answers<'_> {
    fn accepted(&self) -> &Accepted {
        self.pipeline.reader.accepted()
    }

    /// The refusals of who has to say who they are.
    pub(crate) fn of_credentials(&self, mode: Mode) -> Vec<RejectionKind> {
        use RejectionKind as K;
        let accepted = self.accepted();
        let reads_keys = !accepted.api_keys.is_empty();
        let mut kinds = vec![
            K::MultipleCredentials,
            K::MalformedCredential,
            K::UnknownScheme,
            K::Unavailable,
        ];
        if mode == Mode::Required {
            kinds.push(K::MissingCredential);
        }
        if !accepted.tokens.is_empty() {
            kinds.extend(BAD_TOKEN);
        }
        if accepted.reads(&Source::dpop()) {
            kinds.extend([K::InvalidProof, K::NonceRequired]);
        }
        if reads_keys {
            kinds.push(K::InvalidApiKey);
        }
        if accepted.basic {
            kinds.push(K::InvalidPassword);
        }
        // Where too many credentials are wrong, or too many wait to be looked up, the answer is
        // 429, although the route counts nothing.
        if reads_keys || accepted.basic {
            kinds.push(K::Throttled);
        }
        kinds
    }

    /// The refusals of who comes too often.
    pub(crate) fn of_counting(&self) -> Vec<RejectionKind> {
        match &self.pipeline.throttles {
            Some(stack) => stack.refusals(),
            None => Vec::new(),
        }
    }

    /// What an operation needs of its caller: each scheme that is accepted, with the scopes that
    /// the requirement demands.
    pub(crate) fn security(
        &self,
        mode: Mode,
        requirement: &Requirement,
        names: impl IntoIterator<Item = String>,
    ) -> Vec<SecurityRequirement> {
        let sets = requirement.scope_sets();
        let mut security = Vec::new();
        for name in names {
            for set in &sets {
                let scopes = set.iter().map(Scope::as_str);
                security.push(SecurityRequirement::new(name.as_str(), scopes));
            }
        }
        if mode == Mode::Optional {
            security.push(SecurityRequirement::default());
        }
        security
    }

    /// Adds refusals of these kinds to an operation, each under its status. `fields` are members of
    /// its body.
    pub(crate) fn refuse(
        &self,
        operation: &mut Operation,
        kinds: &[RejectionKind],
        fields: &[&str],
        components: &mut Components,
    ) {
        let mut by_status: BTreeMap<StatusCode, Vec<Rejection>> = BTreeMap::new();
        for kind in kinds {
            let refusals = by_status.entry(kind.status()).or_default();
            refusals.push(sample(*kind));
            if *kind == RejectionKind::InvalidInput && !fields.is_empty() {
                let missing = fields
                    .iter()
                    .map(|field| FieldError::required((*field).to_owned()));
                refusals.push(Rejection::invalid(missing));
            }
        }
        let responses = &mut operation.responses.responses;
        for (status, refusals) in by_status {
            // What an operation says of a status itself holds: it knows more of its own answers.
            if !responses.contains_key(status.as_str()) {
                let described = self.described(status, &refusals, components);
                responses.insert(status.as_str().to_owned(), RefOr::T(described));
            }
        }
    }

    /// Says of each refusal that an operation names what its body is, unless it says so itself.
    pub(crate) fn complete(&self, operation: &mut Operation, components: &mut Components) {
        for (status, response) in &mut operation.responses.responses {
            let RefOr::T(response) = response else {
                continue;
            };
            let Ok(status) = status.parse::<StatusCode>() else {
                continue;
            };
            if response.description.is_empty() {
                response.description = reason(status).to_owned();
            }
            let is_refusal = status.is_client_error() || status.is_server_error();
            if !is_refusal || !response.content.is_empty() {
                continue;
            }
            let kinds = RejectionKind::ALL.into_iter();
            let kinds = kinds.filter(|kind| kind.status() == status && is_of_handlers(*kind));
            let refusals: Vec<Rejection> = kinds.map(sample).collect();
            // No kind of refusal has this status, but what the body looks like is the same for
            // every one.
            let refusals = if refusals.is_empty() {
                vec![sample(RejectionKind::Failed)]
            } else {
                refusals
            };
            let full = self.described(status, &refusals, components);
            response.content = full.content;
            for (name, field) in full.headers {
                response.headers.entry(name).or_insert(field);
            }
        }
    }

    /// Adds the fields that tell what is left to what is answered where nothing is refused.
    pub(crate) fn tell_limits(&self, operation: &mut Operation) {
        for (status, response) in &mut operation.responses.responses {
            let is_success = status.starts_with('2');
            if let (true, RefOr::T(response)) = (is_success, response) {
                for name in &self.limits {
                    add_field(response, name);
                }
            }
        }
    }

    fn described(
        &self,
        status: StatusCode,
        refusals: &[Rejection],
        components: &mut Components,
    ) -> Described {
        let mut response = Described::new(reason(status));
        let mut examples = BTreeMap::new();
        let mut content_type = String::new();
        for refusal in refusals {
            let answer = self.pipeline.responder.sample(refusal);
            for name in answer
                .headers()
                .keys()
                .filter(|name| **name != CONTENT_TYPE)
            {
                add_field(&mut response, name);
            }
            content_type = type_of(&answer);
            let name = match refusal.fields() {
                [] => refusal.kind().code(),
                _ => "fields",
            };
            if let Some(body) = body_of(&answer) {
                examples.insert(name.to_owned(), body);
            }
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            for name in &self.limits {
                add_field(&mut response, name);
            }
        }
        let is_about_fields = status == RejectionKind::InvalidInput.status();
        let schema = self.schema(is_about_fields, components);
        let examples = examples.into_iter();
        let examples = examples.map(|(name, body)| (name, ExampleBuilder::new().value(Some(body))));
        let content = ContentBuilder::new()
            .schema(Some(schema))
            .examples_from_iter(examples.map(|(name, example)| (name, example.build())));
        response
            .content
            .insert(content_type, RefOr::T(content.build()));
        response
    }

    /// The schema of refusals in the layer's format: of all, and of those that are about fields.
    fn schema(&self, is_about_fields: bool, components: &mut Components) -> RefOr<Schema> {
        let error = self.component("Error", &samples(), components);
        if !is_about_fields {
            return RefOr::Ref(error);
        }
        let [one, other] = SAMPLE_FIELDS;
        let both = [
            Rejection::invalid([FieldError::required(one)]),
            Rejection::invalid([
                FieldError::required(one),
                FieldError::invalid(other, "wrong"),
            ]),
        ];
        let of_fields = self.component("ValidationError", &both, components);
        if of_fields == error {
            return RefOr::Ref(error);
        }
        let either = AnyOfBuilder::new().item(of_fields).item(error);
        RefOr::T(Schema::AnyOf(either.build()))
    }

    fn component(&self, name: &str, refusals: &[Rejection], components: &mut Components) -> Ref {
        let answers = refusals
            .iter()
            .map(|refusal| self.pipeline.responder.sample(refusal));
        let bodies: Vec<Value> = answers.filter_map(|answer| body_of(&answer)).collect();
        let schema = if bodies.is_empty() {
            // The format writes no JSON, so nothing is known of the form of its text.
            ObjectBuilder::new().schema_type(Type::String).into()
        } else {
            schema_of(&bodies.iter().collect::<Vec<_>>())
        };
        place(components, name, schema)
    }
}

/// How a token is refused that is no good here.
pub(crate) const BAD_TOKEN: [RejectionKind; 3] = [
    RejectionKind::InvalidToken,
    RejectionKind::ExpiredToken,
    RejectionKind::RevokedToken,
];

/// How a body is refused, whatever it is for.
#[cfg(feature = "endpoints")]
pub(crate) const OF_BODIES: [RejectionKind; 4] = [
    RejectionKind::InvalidInput,
    RejectionKind::OversizedBody,
    RejectionKind::UnsupportedMediaType,
    RejectionKind::SlowBody,
];

/// A refusal of each kind, with all that one of it may carry.
fn samples() -> Vec<Rejection> {
    let kinds = RejectionKind::ALL.into_iter();
    // A member that some refusals lack must not become a required one. So each kind is looked at
    // without what it may carry, too.
    let plain = kinds.map(|kind| Rejection::new(kind, ""));
    plain.chain(RejectionKind::ALL.map(sample)).collect()
}

fn sample(kind: RejectionKind) -> Rejection {
    match kind {
        RejectionKind::InsufficientScope => Rejection::insufficient_scope([Scope::new("a:scope")]),
        RejectionKind::Throttled => Rejection::throttled(Duration::from_secs(30)),
        #[cfg(feature = "jwt")]
        RejectionKind::ExpiredToken => {
            let noon = Duration::from_secs(1_767_268_800);
            Rejection::expired_token(std::time::UNIX_EPOCH + noon)
        }
        #[cfg(feature = "jwt")]
        RejectionKind::NonceRequired => Rejection::nonce_required("a nonce".into()),
        kind => Rejection::new(kind, ""),
    }
}

/// Whether a handler would answer so. What is wrong with a credential is said before it.
fn is_of_handlers(kind: RejectionKind) -> bool {
    !kind.is_challenged()
        || kind == RejectionKind::InvalidInput
        || kind == RejectionKind::MissingCredential
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("An answer")
}

fn type_of(answer: &Response<Bytes>) -> String {
    let value = answer.headers().get(CONTENT_TYPE);
    let text = value.and_then(|value| value.to_str().ok());
    text.unwrap_or("application/octet-stream").to_owned()
}

/// The body, where it is JSON.
fn body_of(answer: &Response<Bytes>) -> Option<Value> {
    let essence = type_of(answer);
    let essence = essence.split(';').next().unwrap_or_default().trim();
    let is_json = essence.ends_with("/json") || essence.ends_with("+json");
    serde_json::from_slice(answer.body())
        .ok()
        // A format of the application's own may write what reads as JSON, a number for example, and
        // mean a text.
        .filter(|_| is_json)
}

/// Adds what there is to say of a header field.
pub(crate) fn add_field(response: &mut Described, name: &HeaderName) {
    let (shown, described) = field(name);
    response
        .headers
        .entry(shown)
        .or_insert_with(|| RefOr::T(described));
}

/// A header field of answers as it is written, and what it says.
fn field(name: &HeaderName) -> (String, Header) {
    let (shown, schema, says) = match name {
        name if *name == RETRY_AFTER => (
            "Retry-After",
            number(1),
            "The seconds after which the request may come again.",
        ),
        name if *name == WWW_AUTHENTICATE => (
            "WWW-Authenticate",
            text(),
            "A challenge for each scheme that is accepted (RFC 9110, section 11.6.1).",
        ),
        name if *name == CACHE_CONTROL => (
            "Cache-Control",
            text(),
            "Whether and for how long a cache may keep the answer.",
        ),
        name if *name == ETAG => ("ETag", text(), "Names this version, for `If-None-Match`."),
        name if *name == LINK => (
            "Link",
            text(),
            "Where the next page is (`rel=\"next\"`, RFC 8288); left out on the last one.",
        ),
        name => match name.as_str() {
            "dpop-nonce" => (
                "DPoP-Nonce",
                text(),
                "The nonce that a proof has to have (RFC 9449, section 8).",
            ),
            "ratelimit" => (
                "RateLimit",
                text(),
                "For each limit, how much is left (`r`) and in how many seconds it is whole again (`t`).",
            ),
            "ratelimit-policy" => (
                "RateLimit-Policy",
                text(),
                "For each limit, how many requests (`q`) are allowed in how many seconds (`w`).",
            ),
            "x-ratelimit-limit" => ("X-RateLimit-Limit", number(0), "How many are allowed."),
            "x-ratelimit-remaining" => ("X-RateLimit-Remaining", number(0), "How many are left."),
            "x-ratelimit-reset" => (
                "X-RateLimit-Reset",
                number(0),
                "In how many seconds it is whole again.",
            ),
            other => (other, text(), "A header field of the answer."),
        },
    };
    let header = HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(says));
    (shown.to_owned(), header.build())
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn number(least: usize) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(least))
}
