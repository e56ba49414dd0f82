use super::doctor::Check;
use super::explain::Explained;
use super::key::{NewKeyShown, PatternShown, UnusedShown};
use super::migrate::Migration;
use super::secret::NewSecret;
use super::token::Revocation;
use crate::failure::Failure;
use crate::import::KindReport;
use crate::settings::Settings;
use crate::shown::{AuditShown, KeyShown, UserShown};
use clap::Args;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

/// A command, and the schema of what it prints.
type Output = (&'static str, fn() -> Value);

/// Each command that prints objects of JSON, and what they are. Of a list it is a line.
const OUTPUTS: [Output; 22] = [
    ("migrate", schema_of::<Migration>),
    ("doctor", schema_of::<Check>),
    ("user add", schema_of::<UserShown>),
    ("user list", schema_of::<UserShown>),
    ("user show", schema_of::<UserShown>),
    ("user password", schema_of::<UserShown>),
    ("user disable", schema_of::<UserShown>),
    ("user enable", schema_of::<UserShown>),
    ("user remove", schema_of::<UserShown>),
    ("key create", schema_of::<NewKeyShown>),
    ("key list", schema_of::<KeyShown>),
    ("key show", schema_of::<KeyShown>),
    ("key rotate", schema_of::<NewKeyShown>),
    ("key revoke", schema_of::<KeyShown>),
    ("key pattern", schema_of::<PatternShown>),
    ("key unused-scopes", schema_of::<UnusedShown>),
    ("token revoke", schema_of::<Revocation>),
    ("explain", schema_of::<Explained>),
    ("audit tail", schema_of::<AuditShown>),
    ("import django", schema_of::<KindReport>),
    ("secret new", schema_of::<NewSecret>),
    ("schema", schema_of_schemas),
];

#[derive(Args)]
pub(crate) struct Schema {
    #[arg(
        value_name = "COMMAND",
        help = "The command whose schema is printed, such as user list; all by default."
    )]
    command: Vec<String>,
}

impl Schema {
    pub(crate) fn run(self, settings: &Settings) -> Result<(), Failure> {
        let printed = match self.command.join(" ").as_str() {
            "" => all(),
            name => match OUTPUTS.iter().find(|(command, _)| *command == name) {
                Some((_, schema)) => schema(),
                None => {
                    return Err(Failure::not_found(format!(
                        "There is no command {name} that prints JSON."
                    )));
                }
            },
        };
        settings.console().print(&format!("{printed:#}\n"))
    }
}

fn all() -> Value {
    let schemas = OUTPUTS
        .iter()
        .map(|(command, schema)| ((*command).to_owned(), schema()));
    Value::Object(schemas.collect::<Map<_, _>>())
}

/// As it is written: what may be `null` is there all the same.
fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<T>().into()
}

/// Of an object with a schema for each command.
fn schema_of_schemas() -> Value {
    schema_of::<std::collections::BTreeMap<String, Map<String, Value>>>()
}

#[cfg(test)]
pub(crate) fn commands_with_a_schema() -> Vec<&'static str> {
    OUTPUTS.iter().map(|(command, _)| *command).collect()
}
