#[cfg(feature = "openapi")]
use super::asked::{Asked, body_object};
use super::body_form::BodyForm;
#[cfg(feature = "axum")]
use super::in_time::in_time;
use super::member_form::{LONGEST_TEXT, MOST_TEXTS, MemberForm};
use crate::clock::parse_rfc3339;
use crate::reject::{FieldError, Rejection, RejectionKind};
use crate::secret::Secret;
use bytes::Bytes;
use http::HeaderMap;
#[cfg(feature = "axum")]
use http::Request;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Number, Value};

use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime};
#[cfg(feature = "openapi")]
use utoipa::openapi::{RefOr, Schema};

const NOT_A_TIME: &str = "Not a date and time of RFC 3339 up to 9999-12-30T22:00:00Z.";

/// The largest number that is read.
const MOST_NUMBER: u64 = u64::MAX;
/// Up to here each whole number is one of a `f64` too: 2^53.
const LAST_EXACT: f64 = 9_007_199_254_740_992.0;

/// How much of a body is read at most, in bytes.
pub(super) const BODY_LIMIT: usize = 64 * 1024;
/// How long a body may take to come.
pub(super) const BODY_WITHIN: Duration = Duration::from_secs(30);

/// The body of a request: a JSON object whose members are read one by one. What nobody asks for is
/// ignored and assigns nothing.
///
/// What is missing or wrong is gathered, so that one refusal names all of it. The ready-made
/// endpoints read their bodies so; on axum it is an extractor for handlers of the application's own
/// (feature `axum`), which refuses anything but `application/json` (415), more than 65,536 bytes
/// (413), what has not come within 30 seconds (408) and what is no JSON object (400).
///
/// ```
/// use axum::{Router, body::Body, routing::post};
/// use http::Request;
/// use tower::ServiceExt;
/// use tower_auth::{Rejection, endpoint::Input};
///
/// async fn create(mut input: Input) -> Result<String, Rejection> {
///     let name = input.text("name");
///     input.check()?; // 400 with every field that is missing or wrong
///     Ok(name)
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let app: Router = Router::new().route("/", post(create));
/// let request = |body: &str| {
///     let json = Request::post("/").header("content-type", "application/json");
///     json.body(Body::from(body.to_owned())).unwrap()
/// };
/// assert_eq!(app.clone().oneshot(request(r#"{"name": "ci"}"#)).await.unwrap().status(), 200);
/// assert_eq!(app.oneshot(request("{}")).await.unwrap().status(), 400);
/// # });
/// ```
pub struct Input {
    /// What came, where it is signed.
    whole: Bytes,
    members: Map<String, Value>,
    problems: Vec<FieldError>,
    /// What is asked for, where nothing is read but somebody wants to know it.
    #[cfg(feature = "openapi")]
    asked: Option<Vec<Asked>>,
}

impl Input {
    fn of_members(members: Map<String, Value>) -> Self {
        Self {
            whole: Bytes::new(),
            members,
            problems: Vec::new(),
            #[cfg(feature = "openapi")]
            asked: None,
        }
    }

    /// No body.
    pub(super) fn none() -> Self {
        Self::of_members(Map::new())
    }

    /// What a reading asks for.
    #[cfg(feature = "openapi")]
    pub(super) fn asked_by(read: impl FnOnce(&mut Self)) -> Vec<Asked> {
        let mut input = Self::none();
        input.asked = Some(Vec::new());
        read(&mut input);
        input.asked.unwrap_or_default()
    }

    /// What a reading asks for, as the schema of a body: so that a document says of a body what its
    /// handler reads. Nothing is read meanwhile.
    ///
    /// ```
    /// use tower_auth::endpoint::Input;
    /// use utoipa::openapi::{RefOr, Schema};
    /// use utoipa::{PartialSchema, ToSchema};
    ///
    /// struct Domain {
    ///     name: String,
    /// }
    ///
    /// impl Domain {
    ///     fn read(input: &mut Input) -> Self {
    ///         Self { name: input.text("name") }
    ///     }
    /// }
    ///
    /// // For `request_body = Domain` of a handler.
    /// impl PartialSchema for Domain {
    ///     fn schema() -> RefOr<Schema> {
    ///         Input::schema(Self::read)
    ///     }
    /// }
    ///
    /// impl ToSchema for Domain {}
    ///
    /// let schema = serde_json::to_value(Domain::schema()).unwrap();
    /// assert_eq!(schema["required"][0], "name");
    /// assert_eq!(schema["properties"]["name"]["maxLength"], 8192);
    /// ```
    #[cfg(feature = "openapi")]
    pub fn schema<T>(read: impl FnOnce(&mut Self) -> T) -> RefOr<Schema> {
        let asked = Self::asked_by(|input| {
            read(input);
        });
        body_object(&asked).into()
    }

    #[cfg(feature = "openapi")]
    fn note(&mut self, field: &str, form: MemberForm) {
        if let Some(asked) = &mut self.asked {
            asked.push(Asked {
                name: field.to_owned(),
                form,
                is_required: false,
            });
        }
    }

    #[cfg(not(feature = "openapi"))]
    fn note(&mut self, _: &str, _: MemberForm) {}

    #[cfg(feature = "openapi")]
    fn note_required(&mut self, field: &str) {
        let asked = self.asked.iter_mut().flatten();
        for member in asked.filter(|member| member.name == field) {
            member.is_required = true;
        }
    }

    #[cfg(not(feature = "openapi"))]
    fn note_required(&mut self, _: &str) {}

    /// The body as it came, where its signature is to be verified.
    pub(super) fn whole(&self) -> &[u8] {
        &self.whole
    }

    /// Reads the body of a request to a handler.
    #[cfg(feature = "axum")]
    pub(crate) async fn of<B>(request: Request<B>) -> Result<Self, Rejection>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let reading = Self::read(BodyForm::Json, &head.headers, body, BODY_LIMIT);
        match in_time(BODY_WITHIN, reading).await {
            Some((read, _)) => read,
            None => Err(slow()),
        }
    }

    /// Reads a body: of this form (415), at most `most` bytes (413), one JSON object or parameters
    /// of which none is repeated (400). No body at all has no members.
    pub(super) async fn read<B>(
        form: BodyForm,
        headers: &HeaderMap,
        body: B,
        most: usize,
    ) -> Result<Self, Rejection>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        // No body needs no type: a POST without one asks for the defaults.
        if body.is_end_stream() && !headers.contains_key(CONTENT_TYPE) {
            return Ok(Self::none());
        }
        if !form.is_said_by(headers) {
            return Err(Rejection::new(
                RejectionKind::UnsupportedMediaType,
                "content type",
            ));
        }
        let announced = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        // Refused before anything is read. What is not announced is counted below as it comes in.
        if let Some(length) = announced
            && length > most as u64
        {
            return Err(too_large());
        }
        let collected = Limited::new(body, most).collect().await;
        let bytes = collected.map_err(|error| match error.downcast::<LengthLimitError>() {
            Ok(_) => too_large(),
            Err(_) => Rejection::new(RejectionKind::InvalidInput, "body broke off"),
        })?;
        match form {
            BodyForm::Json => Self::parse(&bytes.to_bytes()),
            // The signature is over the bytes as they came. Whatever is written anew from what was
            // read may be other bytes.
            BodyForm::Signed => Ok(Self {
                whole: bytes.to_bytes(),
                ..Self::none()
            }),
            BodyForm::Parameters => Self::parse_parameters(&bytes.to_bytes()),
        }
    }

    fn parse(json: &Bytes) -> Result<Self, Rejection> {
        let Members(members) = serde_json::from_slice(json)
            // serde's message is dropped, because it quotes the text, which may be a password.
            .map_err(|_| Rejection::new(RejectionKind::InvalidInput, "no JSON object"))?;
        Ok(Self::of_members(members))
    }

    /// RFC 6749 §3.2: no parameter stands twice, and one without a value is as if it were not
    /// there.
    fn parse_parameters(form: &[u8]) -> Result<Self, Rejection> {
        let mut members = Map::new();
        for (name, value) in form_urlencoded::parse(form) {
            if value.is_empty() {
                continue;
            }
            let former = members.insert(name.into_owned(), Value::String(value.into_owned()));
            if former.is_some() {
                let repeated = "a parameter is repeated";
                return Err(Rejection::new(RejectionKind::InvalidInput, repeated));
            }
        }
        Ok(Self::of_members(members))
    }

    /// A text that has to be there, and not be blank.
    pub fn text(&mut self, field: &str) -> String {
        self.text_as(MemberForm::Text, field)
    }

    /// The same, of which somebody demands more.
    pub(super) fn text_as(&mut self, form: MemberForm, field: &str) -> String {
        self.required(field, |input| input.optional_text_as(form, field))
            .unwrap_or_default()
    }

    /// A text that may be missing.
    pub fn optional_text(&mut self, field: &str) -> Option<String> {
        self.optional_text_as(MemberForm::Text, field)
    }

    /// The same, of which somebody demands more.
    pub(super) fn optional_text_as(&mut self, form: MemberForm, field: &str) -> Option<String> {
        self.note(field, form);
        match self.members.remove(field)? {
            Value::String(text) if text.trim().is_empty() => {
                self.problem(field, "blank", "This field may not be blank.")
            }
            Value::String(text) if text.chars().count() > LONGEST_TEXT => {
                self.problem(field, "max_length", "This field is too long.")
            }
            // PostgreSQL keeps no NUL in a text, so no store is asked to.
            Value::String(text) if text.contains('\0') => self.problem(
                field,
                "null_characters_not_allowed",
                "Null characters are not allowed.",
            ),
            Value::String(text) => Some(text),
            Value::Null => self.problem(field, "null", "This field may not be null."),
            _ => self.problem(field, "invalid", "Not a valid string."),
        }
    }

    /// What nobody here looks at, whatever it is.
    pub(super) fn ignored(&mut self, field: &str) {
        self.note(field, MemberForm::Hint);
        self.members.remove(field);
    }

    /// A password that has to be there: any text that is not empty.
    pub fn password(&mut self, field: &str) -> Secret<String> {
        self.password_as(MemberForm::Password, field)
    }

    /// The same, of which a policy demands more.
    pub(super) fn password_as(&mut self, form: MemberForm, field: &str) -> Secret<String> {
        self.required(field, |input| input.optional_password_as(form, field))
            .unwrap_or_else(|| Secret::new(String::new()))
    }

    fn optional_password_as(&mut self, form: MemberForm, field: &str) -> Option<Secret<String>> {
        self.note(field, form);
        match self.members.remove(field)? {
            Value::String(text) if text.is_empty() => {
                self.problem(field, "blank", "This field may not be blank.")
            }
            // As it is: blanks at its ends are part of a password.
            Value::String(text) => Some(Secret::new(text)),
            Value::Null => self.problem(field, "null", "This field may not be null."),
            _ => self.problem(field, "invalid", "Not a valid string."),
        }
    }

    /// A time (RFC 3339) that may be missing or null.
    pub fn optional_time(&mut self, field: &str) -> Option<SystemTime> {
        self.note(field, MemberForm::End);
        self.time_or_null(field)
    }

    fn time_or_null(&mut self, field: &str) -> Option<SystemTime> {
        match self.members.remove(field)? {
            Value::Null => None,
            Value::String(text) => match parse_rfc3339(&text) {
                Some(time) => Some(time),
                None => self.problem(field, "invalid", NOT_A_TIME),
            },
            _ => self.problem(field, "invalid", NOT_A_TIME),
        }
    }

    /// A time (RFC 3339) that has to be there.
    pub fn time(&mut self, field: &str) -> SystemTime {
        self.required(field, |input| input.time_but_not_null(field))
            .unwrap_or(SystemTime::UNIX_EPOCH)
    }

    fn time_but_not_null(&mut self, field: &str) -> Option<SystemTime> {
        self.note(field, MemberForm::Time);
        // To `time_or_null` null is no mistake. Here it would become 1970 without a word.
        if let Some(Value::Null) = self.members.get(field) {
            self.members.remove(field);
            return self.problem(field, "null", "This field may not be null.");
        }
        self.time_or_null(field)
    }

    /// A whole number that may be missing.
    pub fn optional_number(&mut self, field: &str) -> Option<u64> {
        self.optional_number_up_to(MOST_NUMBER, field)
    }

    /// The same, which is no more than that.
    pub(super) fn optional_number_up_to(&mut self, most: u64, field: &str) -> Option<u64> {
        self.note(field, MemberForm::Whole { most });
        let value = self.members.remove(field)?;
        match value.as_number().and_then(whole) {
            Some(number) if number <= most => Some(number),
            Some(_) => self.problem(field, "max_value", "This number is too large."),
            None => self.problem(field, "invalid", "A valid whole number is required."),
        }
    }

    /// A list of texts that may be missing.
    pub fn optional_texts(&mut self, field: &str) -> Vec<String> {
        self.note(field, MemberForm::Scopes);
        let Some(value) = self.members.remove(field) else {
            return Vec::new();
        };
        let texts = match &value {
            Value::Array(texts) if texts.len() > MOST_TEXTS => {
                return self
                    .problem(field, "max_length", "This list is too long.")
                    .unwrap_or_default();
            }
            Value::Array(texts) => texts
                .iter()
                .map(|text| text.as_str().map(str::to_owned))
                .collect(),
            _ => None,
        };
        texts.unwrap_or_else(|| {
            self.problem(field, "invalid", "Not a list of strings.")
                .unwrap_or_default()
        })
    }

    fn required<T>(&mut self, field: &str, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if !self.members.contains_key(field) {
            self.problems.push(FieldError::required(field.to_owned()));
        }
        // Read even where it is missing: a document learns by this which members there are.
        let read = read(self);
        self.note_required(field);
        read
    }

    pub(super) fn problem<T>(
        &mut self,
        field: &str,
        code: &'static str,
        detail: &'static str,
    ) -> Option<T> {
        self.problems
            .push(FieldError::new(field.to_owned(), code, detail));
        None
    }

    /// Refuses where anything was missing or wrong.
    ///
    /// # Errors
    ///
    /// 400 with all such fields.
    pub fn check(&mut self) -> Result<(), Rejection> {
        if self.problems.is_empty() {
            return Ok(());
        }
        Err(Rejection::invalid(std::mem::take(&mut self.problems)))
    }
}

/// A number without a fraction, however it is written: `1.0` is one (JSON Schema, "integer").
fn whole(number: &Number) -> Option<u64> {
    if let Some(number) = number.as_u64() {
        return Some(number);
    }
    let number = number.as_f64()?;
    let is_exact = number.fract() == 0.0 && (0.0..=LAST_EXACT).contains(&number);
    // OK because it lies among the numbers that both have.
    is_exact.then_some(number as u64)
}

/// A JSON object. A name that comes twice is refused: whoever looked at the body before may have
/// taken the other one.
struct Members(Map<String, Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;

        impl<'de> Visitor<'de> for Visit {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    // Two readers of one body could take different ones of the two.
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("repeated name"));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Visit)
    }
}

/// Says nothing of the members, which may be passwords.
impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").finish_non_exhaustive()
    }
}

/// Names the fields of a refusal as this endpoint calls them.
pub(super) fn named(rejection: Rejection, names: &[(&str, &str)]) -> Rejection {
    if rejection.fields().is_empty() {
        return rejection;
    }
    let mut fields = Vec::new();
    for field in rejection.fields() {
        let name = match names.iter().find(|(ours, _)| *ours == field.field()) {
            Some((_, name)) => name,
            None => field.field(),
        };
        let detail = field.detail().to_owned();
        fields.push(FieldError::new(name.to_owned(), field.code(), detail));
    }
    Rejection::invalid(fields)
}

pub(super) fn slow() -> Rejection {
    Rejection::new(RejectionKind::SlowBody, "body too slow")
}

fn too_large() -> Rejection {
    Rejection::new(RejectionKind::OversizedBody, "length")
}
