use super::rights::Rights;
use crate::failure::Failure;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;
use tower_auth::{Role, Scope, Scopes, Subject};

/// What is said of all groups, or permissions, that are not named.
const OTHERS: &str = "*";
/// What stands for the name of a group or a permission.
const NAME: &str = "{name}";

/// What Django's groups and permissions become, from a file in JSON.
///
/// Without a file, and for each member that is not there:
///
/// ```json
/// {
///   "everybody":   {},
///   "staff":       { "roles": ["staff"] },
///   "superuser":   { "roles": ["superuser"] },
///   "groups":      { "*": { "roles": ["{name}"] } },
///   "permissions": { "*": { "scopes": ["{name}"] } },
///   "api_keys":    { "owner_kind": "api-key" }
/// }
/// ```
///
/// A permission's name is `app_label.codename`, as `has_perm` takes it. What is named in `groups`
/// or `permissions` gets what is said there alone, `*` is for all others, and where that is left
/// out, they get nothing. Keys of djangorestframework-api-key get `scopes` and `roles`; they belong
/// to `owner_kind` and their prefix, or to `owner_kind` and what is in the column `owner_column`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Mapping {
    everybody: Granted,
    staff: Granted,
    superuser: Granted,
    groups: BTreeMap<String, Granted>,
    permissions: BTreeMap<String, Granted>,
    pub(super) api_keys: ApiKeyMapping,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Granted {
    scopes: Vec<String>,
    roles: Vec<String>,
}

/// Whose keys those of djangorestframework-api-key become, and what they may do.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ApiKeyMapping {
    owner_kind: String,
    pub(super) owner_column: Option<String>,
    scopes: Vec<String>,
    roles: Vec<String>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            everybody: Granted::default(),
            staff: Granted::role("staff"),
            superuser: Granted::role("superuser"),
            groups: BTreeMap::from([(OTHERS.to_owned(), Granted::role(NAME))]),
            permissions: BTreeMap::from([(OTHERS.to_owned(), Granted::scope(NAME))]),
            api_keys: ApiKeyMapping::default(),
        }
    }
}

impl Granted {
    fn role(name: &str) -> Self {
        Self {
            scopes: Vec::new(),
            roles: vec![name.to_owned()],
        }
    }

    fn scope(name: &str) -> Self {
        Self {
            scopes: vec![name.to_owned()],
            roles: Vec::new(),
        }
    }
}

impl Default for ApiKeyMapping {
    fn default() -> Self {
        Self {
            owner_kind: String::from("api-key"),
            owner_column: None,
            scopes: Vec::new(),
            roles: Vec::new(),
        }
    }
}

impl Mapping {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let mapping = match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text),
            Err(error) => Err(error.to_string()),
        };
        mapping.map_err(|why| {
            let path = path.display();
            Failure::usage(format!("The mapping {path} cannot be read: {why}."))
        })
    }

    fn parse(json: &str) -> Result<Self, String> {
        // It is read as an object first, because serde would take a list for the members in their
        // order.
        let members: Map<String, Value> =
            serde_json::from_str(json).map_err(|error| error.to_string())?;
        let mapping = serde_json::from_value::<Self>(Value::Object(members));
        let mapping = mapping.map_err(|error| error.to_string())?;
        mapping.check()?;
        Ok(mapping)
    }

    /// Whether every scope that it grants is one.
    fn check(&self) -> Result<(), String> {
        let fixed = [&self.everybody, &self.staff, &self.superuser];
        let named = self.groups.values().chain(self.permissions.values());
        let scopes = fixed
            .into_iter()
            .chain(named)
            .flat_map(|granted| &granted.scopes);
        for scope in scopes.chain(&self.api_keys.scopes) {
            // A scope that is none would be dropped in silence, and whoever was to have it would be
            // refused. What stands for the name is not known yet, so a letter takes its place.
            if !is_scope(&scope.replace(NAME, "x")) {
                return Err(format!(
                    "{scope:?} is no scope: it is ASCII without spaces and quotes"
                ));
            }
        }
        Ok(())
    }

    /// What a user has by what Django says of each.
    pub(super) fn of_user(&self, is_staff: bool, is_superuser: bool) -> Rights {
        let mut rights = self.everybody.rights("");
        if is_staff {
            rights.add(&self.staff.rights(""));
        }
        if is_superuser {
            rights.add(&self.superuser.rights(""));
        }
        rights
    }

    pub(super) fn of_group(&self, name: &str) -> Rights {
        of_named(&self.groups, name)
    }

    pub(super) fn of_permission(&self, name: &str) -> Rights {
        of_named(&self.permissions, name)
    }
}

impl ApiKeyMapping {
    pub(super) fn rights(&self) -> Rights {
        let granted = Granted {
            scopes: self.scopes.clone(),
            roles: self.roles.clone(),
        };
        granted.rights("")
    }

    pub(super) fn owner(&self, id: &str) -> Subject {
        Subject::new(&*self.owner_kind, id)
    }
}

impl Granted {
    fn rights(&self, name: &str) -> Rights {
        let mut rights = Rights::default();
        for scope in &self.scopes {
            rights.scopes.insert(&Scope::new(scope.replace(NAME, name)));
        }
        for role in &self.roles {
            rights.roles.insert(Role::new(role.replace(NAME, name)));
        }
        rights
    }
}

fn of_named(all: &BTreeMap<String, Granted>, name: &str) -> Rights {
    let granted = all.get(name).or_else(|| all.get(OTHERS));
    granted
        .map(|granted| granted.rights(name))
        .unwrap_or_default()
}

fn is_scope(text: &str) -> bool {
    Scopes::parse(text).contains(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(rights: &Rights) -> (Vec<&str>, Vec<&str>) {
        (
            rights.scopes.iter().collect(),
            rights.roles.iter().collect(),
        )
    }

    fn mapping(json: &str) -> Result<Mapping, String> {
        Mapping::parse(json)
    }

    #[test]
    fn without_a_file_groups_are_roles_and_permissions_are_scopes() {
        let mapping = mapping("{}").expect("a mapping");
        assert_eq!(names(&mapping.of_user(false, false)), (vec![], vec![]));
        let admin = mapping.of_user(true, true);
        assert_eq!(names(&admin), (vec![], vec!["staff", "superuser"]));
        let group = mapping.of_group("Night shift");
        assert_eq!(names(&group), (vec![], vec!["Night shift"]));
        let permission = mapping.of_permission("reports.view_report");
        assert_eq!(names(&permission), (vec!["reports.view_report"], vec![]));
        assert_eq!(mapping.api_keys.owner("abc").to_string(), "api-key:abc");
    }

    #[test]
    fn what_is_named_gets_what_is_said_there_and_all_others_what_the_star_says() {
        let mapping = mapping(
            r#"{ "superuser": { "roles": ["admin"], "scopes": ["everything"] },
                 "groups": { "editors": { "scopes": ["reports:write"] }, "old": {}, "*": { "roles": ["group:{name}"] } },
                 "permissions": { "reports.view_report": { "scopes": ["reports:read"] } },
                 "api_keys": { "owner_kind": "tenant", "owner_column": "tenant_id", "scopes": ["reports:read"] } }"#,
        )
        .expect("a mapping");
        let admin = mapping.of_user(false, true);
        assert_eq!(names(&admin), (vec!["everything"], vec!["admin"]));
        let editors = mapping.of_group("editors");
        assert_eq!(names(&editors), (vec!["reports:write"], vec![]));
        assert_eq!(mapping.of_group("old"), Rights::default());
        assert_eq!(names(&mapping.of_group("new")).1, ["group:new"]);
        let view = mapping.of_permission("reports.view_report");
        assert_eq!(names(&view).0, ["reports:read"]);
        assert_eq!(mapping.of_permission("auth.add_user"), Rights::default());
        assert_eq!(mapping.api_keys.owner("7").to_string(), "tenant:7");
    }

    #[test]
    fn a_member_that_is_not_known_and_a_scope_that_is_none_are_mistakes() {
        for wrong in [
            r#"{ "group": {} }"#,
            r#"{ "staff": { "role": ["x"] } }"#,
            r#"{ "staff": { "scopes": ["two words"] } }"#,
            r#"{ "permissions": { "*": { "scopes": [""] } } }"#,
            "[]",
        ] {
            assert!(mapping(wrong).is_err(), "{wrong}");
        }
    }
}
