use clap::Args;
use std::collections::HashSet;

/// What the tables of Django are called.
#[derive(Args)]
pub(super) struct Tables {
    #[arg(
        long,
        value_name = "TABLE",
        default_value = "auth_user",
        help = "Names the table of users, where AUTH_USER_MODEL is another model."
    )]
    pub(super) user_table: String,
    #[arg(
        long = "name-column",
        value_name = "COLUMN",
        help = "Names a column of names to sign in by; given twice, both are. \
                username by default, email where there is none."
    )]
    pub(super) name_columns: Vec<String>,
    #[arg(
        long,
        value_name = "TABLE",
        default_value = "authtoken_token",
        help = "Names the table of rest_framework's tokens. Those that were moved and are not in \
                this table any more are revoked."
    )]
    pub(super) token_table: String,
    #[arg(
        long,
        value_name = "TABLE",
        default_value = "rest_framework_api_key_apikey",
        help = "Names the table of djangorestframework-api-key, where it is that of another model."
    )]
    pub(super) api_key_table: String,
}

pub(super) const GROUPS: &str = "auth_group";
pub(super) const GROUP_PERMISSIONS: &str = "auth_group_permissions";
pub(super) const PERMISSIONS: &str = "auth_permission";
pub(super) const CONTENT_TYPES: &str = "django_content_type";
pub(super) const OUTSTANDING: &str = "token_blacklist_outstandingtoken";
pub(super) const BLACKLISTED: &str = "token_blacklist_blacklistedtoken";

impl Tables {
    pub(super) fn user_groups(&self) -> String {
        format!("{}_groups", self.user_table)
    }

    pub(super) fn user_permissions(&self) -> String {
        format!("{}_user_permissions", self.user_table)
    }

    /// All that are read.
    pub(super) fn wanted(&self) -> HashSet<String> {
        let fixed = [
            GROUPS,
            GROUP_PERMISSIONS,
            PERMISSIONS,
            CONTENT_TYPES,
            OUTSTANDING,
            BLACKLISTED,
            &self.user_table,
            &self.token_table,
            &self.api_key_table,
        ];
        let mut wanted: HashSet<String> = fixed.map(str::to_owned).into();
        wanted.insert(self.user_groups());
        wanted.insert(self.user_permissions());
        wanted
    }
}
