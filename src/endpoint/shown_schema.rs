//! The schemas of what answers show.

use super::member_form::MemberForm;
use super::shown::Part;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};

/// Of a record that is shown in these parts.
pub(super) fn object_of<T>(parts: &[Part<T>]) -> ObjectBuilder {
    let members = parts.iter().map(|part| (part.name, part.form));
    members.fold(ObjectBuilder::new(), |object, (name, form)| {
        with(object, name, form)
    })
}

/// The same with a member more, which is always there.
pub(super) fn with(object: ObjectBuilder, name: &str, form: MemberForm) -> ObjectBuilder {
    object.property(name, form.schema()).required(name)
}

/// Of a user: further members are those of the profile.
pub(super) fn user_object(name_field: &str, profile_fields: &[String]) -> ObjectBuilder {
    let user = with(ObjectBuilder::new(), "id", MemberForm::Answer);
    let user = with(user, name_field, MemberForm::Answer);
    let fields = profile_fields.iter();
    fields.fold(user, |user, field| {
        user.property(field, MemberForm::Answer.schema())
    })
}

/// Of a pair of tokens; without a new refresh token where none takes the place of the former.
pub(super) fn pair_object() -> ObjectBuilder {
    let pair = with(ObjectBuilder::new(), "access", MemberForm::Credential);
    pair.property("refresh", MemberForm::Credential.schema())
}

/// Of whatever the application makes.
pub(super) fn anything() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue)
}

/// Of the public keys of tokens (RFC 7517 §5). What else a key has depends on its type.
pub(super) fn key_set() -> ObjectBuilder {
    let key = with(ObjectBuilder::new(), "kty", MemberForm::Answer);
    let names = ["alg", "crv", "e", "kid", "n", "use", "x", "y"];
    let key = names.into_iter().fold(key, |key, name| {
        key.property(name, MemberForm::Answer.schema())
    });
    let keys = ArrayBuilder::new().items(key);
    ObjectBuilder::new().property("keys", keys).required("keys")
}

/// Of what a token says (RFC 7662 §2.2): its other claims are there too.
pub(super) fn said_of_a_token() -> ObjectBuilder {
    let active = ObjectBuilder::new().schema_type(Type::Boolean);
    let said = ObjectBuilder::new()
        .property("active", active)
        .required("active");
    let texts = ["iss", "jti", "scope", "sub", "token_type"];
    let said = texts.into_iter().fold(said, |said, name| {
        said.property(name, MemberForm::Answer.schema())
    });
    let times = ["exp", "iat"];
    times.into_iter().fold(said, |said, name| {
        said.property(name, ObjectBuilder::new().schema_type(Type::Integer))
    })
}
