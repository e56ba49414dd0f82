use super::member_form::MemberForm;
use utoipa::openapi::schema::ObjectBuilder;

/// A member that a reading asks for.
pub(super) struct Asked {
    pub(super) name: String,
    pub(super) form: MemberForm,
    pub(super) is_required: bool,
}

/// A body that has these members.
pub(super) fn body_object(asked: &[Asked]) -> ObjectBuilder {
    let mut object = ObjectBuilder::new();
    for member in asked {
        object = object.property(&member.name, member.form.schema());
        if member.is_required {
            object = object.required(&member.name);
        }
    }
    object
}
