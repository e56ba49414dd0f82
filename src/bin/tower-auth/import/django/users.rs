use super::kind::Kind;
use super::known_user::report_known;
use super::mapping::Mapping;
use super::people::People;
use super::report::Report;
use super::source::{Row, Source};
use super::tables::Tables;
use super::target::Target;
use super::time::time;
use crate::failure::Failure;
use indicatif::ProgressBar;
use serde_json::{Map, Value};
use std::time::UNIX_EPOCH;
use tower_auth::Subject;
use tower_auth::password::reads_password_hash;
use tower_auth::store::{UserRecord, Write};

/// What the application may want to know of a user besides.
const PROFILE: [&str; 4] = ["username", "email", "first_name", "last_name"];

/// The hashers that Django has or had, and those of the package django-hashers-passlib that are
/// common.
const HASHERS: [&str; 17] = [
    "argon2",
    "bcrypt",
    "bcrypt_php",
    "bcrypt_sha256",
    "crypt",
    "md5",
    "pbkdf2_sha1",
    "pbkdf2_sha256",
    "pbkdf2_sha512",
    "phpass",
    "scrypt",
    "sha1",
    "sha256_crypt",
    "sha512",
    "sha512_crypt",
    "unsalted_md5",
    "unsalted_sha1",
];

const COLUMNS: [&str; 10] = [
    "id",
    "password",
    "is_active",
    "is_staff",
    "is_superuser",
    "date_joined",
    "username",
    "email",
    "first_name",
    "last_name",
];

/// The columns of names to sign in by.
pub(super) async fn name_columns(
    source: &mut Source,
    tables: &Tables,
) -> Result<Vec<String>, Failure> {
    let table = &tables.user_table;
    let known = source.columns(table).await?;
    if known.is_empty() {
        let text = format!("The database of Django has no table {table}. --user-table names it.");
        return Err(Failure::usage(text));
    }
    if let Some(missing) = tables
        .name_columns
        .iter()
        .find(|name| !known.contains_key(*name))
    {
        let text = format!("The table {table} has no column {missing}.");
        return Err(Failure::usage(text));
    }
    if !tables.name_columns.is_empty() {
        return Ok(tables.name_columns.clone());
    }
    let usual = ["username", "email"]
        .into_iter()
        .find(|name| known.contains_key(*name));
    match usual {
        Some(column) => Ok(vec![column.to_owned()]),
        None => Err(Failure::usage(format!(
            "The table {table} has neither a column username nor email. \
             --name-column names that of the names to sign in by."
        ))),
    }
}

/// Moves the users, and says who they are and what they may do.
pub(super) async fn move_users(
    source: &mut Source,
    target: &mut Target,
    tables: &Tables,
    mapping: &Mapping,
    progress: &ProgressBar,
    report: &mut Report,
) -> Result<People, Failure> {
    let names = name_columns(source, tables).await?;
    let mut people = People::read(source, tables, &names, mapping).await?;
    let mut columns = COLUMNS.to_vec();
    columns.extend(
        names
            .iter()
            .map(String::as_str)
            .filter(|name| !COLUMNS.contains(name)),
    );
    let mut reading = source.read(&tables.user_table, "id", &columns).await?;
    loop {
        let page = source.page(&mut reading).await?;
        if page.is_empty() {
            break;
        }
        for row in &page {
            let user = user(row, &names, &mut people, mapping, report);
            add(user, target, report).await?;
            progress.inc(1);
        }
    }
    target.write(report).await?;
    Ok(people)
}

fn user(
    row: &Row,
    name_columns: &[String],
    people: &mut People,
    mapping: &Mapping,
    report: &mut Report,
) -> UserRecord {
    let id = row.text_or_empty("id");
    let rights = people.rights_of(row, mapping);
    let names = people.names_of(row, name_columns);
    for other in names.others {
        let why = format!("does not sign in by the name that user {other} has as well");
        report.note(Kind::Users, id, why);
    }
    let mut user = UserRecord::new(Subject::user(id), "");
    user.names = names.kept.into_iter().map(String::into_boxed_str).collect();
    user.created = row.text("date_joined").and_then(time).unwrap_or(UNIX_EPOCH);
    user.scopes = rights.scopes;
    user.roles = rights.roles;
    user.profile = profile(row);
    // A user model of the project's own may lack the column, and then Django takes everybody for
    // active.
    if !row.is_true("is_active") && row.text("is_active").is_some() {
        user = user.disabled();
    }
    match row.text_or_empty("password") {
        hash if reads_password_hash(hash) => user.password_hash(hash),
        // Django writes `!` where a user cannot sign in by a password, so there is nothing to tell.
        hash if hash.is_empty() || hash.starts_with('!') => user,
        hash => {
            let hasher = hasher(hash);
            let why = format!("needs a new password: hashes of the kind {hasher} are not read");
            report.note(Kind::Users, id, why);
            user
        }
    }
}

/// What of a hash may stand in the report: the name of a hasher that is known.
///
/// Never a part of the hash itself. The legacy hashers write no name before it, a model of the
/// project's own may hold a password as it is, and either may look like a name.
fn hasher(hash: &str) -> &'static str {
    let before = hash.split_once('$').map(|(before, _)| before);
    let known = HASHERS.into_iter().find(|name| before == Some(*name));
    known.unwrap_or("unknown")
}

fn profile(row: &Row) -> Option<Box<str>> {
    let mut profile = Map::new();
    for column in PROFILE {
        if let Some(text) = row.text(column).filter(|text| !text.is_empty()) {
            profile.insert(column.to_owned(), Value::from(text));
        }
    }
    let profile = Some(profile).filter(|profile| !profile.is_empty())?;
    Some(Value::Object(profile).to_string().into_boxed_str())
}

async fn add(user: UserRecord, target: &mut Target, report: &mut Report) -> Result<(), Failure> {
    let id = user.id.id().to_owned();
    if let Some(known) = target.user(&user.id).await? {
        report_known(&known, &user, report);
        return Ok(());
    }
    let write = Write::InsertUser(Box::new(user));
    target.add(Kind::Users, &id, write, report).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_a_hasher_that_is_known_and_shows_nothing_of_a_hash() {
        for (hash, named) in [
            (
                "pbkdf2_sha1$1000$salt$22x/G0n/pCkI5Gl1z2alYf3czSY=",
                "pbkdf2_sha1",
            ),
            ("scrypt$16384$salt$8$5$AAAA", "scrypt"),
            ("md5$salt$0cc175b9c0f1b6a831c399e269772661", "md5"),
            ("md5$$0cc175b9c0f1b6a831c399e269772661", "md5"),
            ("sha1$$86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", "sha1"),
            ("crypt$$abJnggxhB/yWI", "crypt"),
            // Unsalted MD5 and crypt as they were written before their hashers had names.
            ("0cc175b9c0f1b6a831c399e269772661", "unknown"),
            ("abJnggxhByyWI", "unknown"),
            // A salt, a part of a hash or a password may stand where a name is expected.
            ("0cc175b9$c0f1b6a831c399e269772661", "unknown"),
            ("hunter2$", "unknown"),
            ("hunter2", "unknown"),
            ("scrypt", "unknown"),
            ("$2b$04$Wg7fz9fcqB2xTMHWwioi6.crugiN8dY6PI", "unknown"),
            ("{SSHA}0cc175b9c0f1b6a831c399e2", "unknown"),
        ] {
            assert_eq!(hasher(hash), named, "{hash}");
        }
    }
}
