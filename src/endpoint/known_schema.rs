use utoipa::ToSchema;
use utoipa::openapi::schema::{AllOfBuilder, ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema};
use utoipa::openapi::{Components, RefOr};

/// What is known of an object in an answer: its schema, and those that it refers to.
#[derive(Clone)]
pub(super) struct KnownSchema {
    schema: RefOr<Schema>,
    parts: Vec<(String, RefOr<Schema>)>,
}

impl KnownSchema {
    /// Of this form.
    pub(super) fn new(schema: impl Into<RefOr<Schema>>) -> Self {
        Self {
            schema: schema.into(),
            parts: Vec::new(),
        }
    }

    /// Of a type of the application's own.
    pub(super) fn of<T: ToSchema>() -> Self {
        let mut parts = Vec::new();
        T::schemas(&mut parts);
        Self {
            schema: T::schema(),
            parts,
        }
    }

    pub(super) fn schema(&self) -> RefOr<Schema> {
        self.schema.clone()
    }

    /// The same with further members.
    pub(super) fn with(&self, members: ObjectBuilder) -> Self {
        let both = AllOfBuilder::new().item(self.schema()).item(members);
        Self {
            schema: RefOr::T(Schema::AllOf(both.build())),
            parts: self.parts.clone(),
        }
    }

    /// It is a member of another object.
    pub(super) fn beside(&self, name: &str, members: ObjectBuilder) -> Self {
        let object = members.property(name, self.schema()).required(name);
        Self {
            schema: object.into(),
            parts: self.parts.clone(),
        }
    }

    /// A list of such.
    pub(super) fn list(&self) -> Self {
        let list = ArrayBuilder::new().items(self.schema());
        Self {
            schema: RefOr::T(Schema::Array(list.build())),
            parts: self.parts.clone(),
        }
    }

    /// One of such, or a list of so many at most.
    pub(super) fn one_or_list(&self, most: usize) -> Self {
        let list = ArrayBuilder::new()
            .items(self.schema())
            .max_items(Some(most));
        let either = OneOfBuilder::new().item(self.schema()).item(list);
        Self {
            schema: RefOr::T(Schema::OneOf(either.build())),
            parts: self.parts.clone(),
        }
    }

    /// Puts what it refers to among the components.
    pub(super) fn place(&self, components: &mut Components) {
        for (name, schema) in &self.parts {
            let slot = components.schemas.entry(name.clone());
            // A type of this name that the application has described itself stays as it is.
            slot.or_insert_with(|| schema.clone());
        }
    }
}
