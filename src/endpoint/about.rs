use http::StatusCode;
use utoipa::openapi::Required;
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type,
};

/// What a handler does, and which members of a body it reads.
pub(super) struct About {
    pub(super) summary: &'static str,
    pub(super) success: StatusCode,
    pub(super) members: Vec<Member>,
}

pub(super) struct Member {
    pub(super) name: String,
    pub(super) schema: Schema,
    pub(super) required: Required,
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
}

fn formatted(format: KnownFormat) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(format)))
}
