use super::asked::Asked;
use super::input::Input;
use super::known_schema::KnownSchema;
use crate::reject::RejectionKind;
use http::{HeaderName, StatusCode};
use utoipa::openapi::{RefOr, Schema};

/// What a handler does, in the words of a document.
pub(super) struct About {
    /// What generated clients call it.
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) success: StatusCode,
    /// The JSON of a success.
    pub(super) answer: Option<KnownSchema>,
    /// Header fields of a success.
    pub(super) fields: Vec<HeaderName>,
    /// The members of the body that it reads.
    pub(super) body: Vec<Asked>,
    /// Parameters of the query, each with what it says.
    pub(super) queries: Vec<(&'static str, &'static str)>,
    /// How it refuses, besides the gates before it and those that read its body.
    pub(super) refusals: Vec<RejectionKind>,
    /// Whether who has the answer already gets 304.
    pub(super) is_conditional: bool,
}

impl About {
    pub(super) fn new(id: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            summary,
            success: StatusCode::NO_CONTENT,
            answer: None,
            fields: Vec::new(),
            body: Vec::new(),
            queries: Vec::new(),
            refusals: Vec::new(),
            is_conditional: false,
        }
    }

    /// Answers with 200 and this JSON.
    pub(super) fn ok(self, answer: impl Into<RefOr<Schema>>) -> Self {
        self.answering(StatusCode::OK, KnownSchema::new(answer))
    }

    /// Answers with 200 and an object of which that is known.
    pub(super) fn showing(self, answer: KnownSchema) -> Self {
        self.answering(StatusCode::OK, answer)
    }

    /// Answers with 201 and this JSON.
    pub(super) fn created(self, answer: KnownSchema) -> Self {
        self.answering(StatusCode::CREATED, answer)
    }

    /// Answers with 200 and a list of these.
    pub(super) fn list(self, item: &KnownSchema) -> Self {
        self.showing(item.list())
    }

    /// Answers with 200 and no body.
    pub(super) fn done(mut self) -> Self {
        self.success = StatusCode::OK;
        self
    }

    fn answering(mut self, status: StatusCode, answer: KnownSchema) -> Self {
        self.success = status;
        self.answer = Some(answer);
        self
    }

    /// Answers with 200 and this JSON, or with 304.
    pub(super) fn public(self, answer: impl Into<RefOr<Schema>>) -> Self {
        let mut about = self.ok(answer);
        about.is_conditional = true;
        about
    }

    /// A header field of the success.
    pub(super) fn field(mut self, name: HeaderName) -> Self {
        self.fields.push(name);
        self
    }

    /// Reads a body in this way.
    pub(super) fn reading(mut self, read: impl FnOnce(&mut Input)) -> Self {
        self.body = Input::asked_by(read);
        self
    }

    /// Reads a parameter of the query.
    pub(super) fn query(mut self, name: &'static str, says: &'static str) -> Self {
        self.queries.push((name, says));
        self
    }

    /// Refuses in these ways.
    pub(super) fn refusing(mut self, kinds: impl IntoIterator<Item = RejectionKind>) -> Self {
        self.refusals.extend(kinds);
        self
    }
}
