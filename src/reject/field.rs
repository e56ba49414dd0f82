use std::borrow::Cow;

/// What is wrong with one field of a request's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    field: Cow<'static, str>,
    code: &'static str,
    detail: Cow<'static, str>,
}

impl FieldError {
    /// `code` is for programs, `detail` for people; neither repeats what was sent.
    pub fn new(
        field: impl Into<Cow<'static, str>>,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            field: field.into(),
            code,
            detail: detail.into(),
        }
    }

    /// It is not there.
    pub fn required(field: impl Into<Cow<'static, str>>) -> Self {
        Self::new(field, "required", "This field is required.")
    }

    /// It has no value of the expected form.
    pub fn invalid(
        field: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(field, "invalid", detail)
    }

    /// The field's name.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The machine-readable code, such as `required`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The text for people.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}
