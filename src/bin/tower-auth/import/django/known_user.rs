use super::kind::Kind;
use super::report::Report;
use tower_auth::store::UserRecord;

/// Says of a user who is to be moved what it means that the store has a user of that id.
pub(super) fn report_known(known: &UserRecord, user: &UserRecord, report: &mut Report) {
    let id = user.id.id();
    if known.is_removed() {
        let why = "a user of that id was removed from the store";
        report.left(Kind::Users, id, why);
        return;
    }
    report.there(Kind::Users);
    if let Some(why) = difference(known, user) {
        report.note(Kind::Users, id, why);
    }
}

/// What has become different, here or in Django, since a user was moved.
fn difference(known: &UserRecord, user: &UserRecord) -> Option<String> {
    let mut differs = Vec::new();
    if known.names != user.names {
        differs.push("names");
    }
    if known.state != user.state {
        differs.push("is_active");
    }
    if known.scopes != user.scopes || known.roles != user.roles {
        differs.push("rights");
    }
    // A sign-in has replaced the hash by one of our own kind of the same password, so a difference
    // says nothing.
    let is_rehashed = known
        .password_hash
        .as_ref()
        .is_some_and(|hash| hash.expose().starts_with("$argon2id$"));
    if !is_rehashed && !known.has_password_hash(user.password_hash.as_ref()) {
        differs.push("password");
    }
    if differs.is_empty() {
        return None;
    }
    let differs = differs.join(", ");
    Some(format!(
        "is there, and was left as it is, but differs from Django: {differs}"
    ))
}
