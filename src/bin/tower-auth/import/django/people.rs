use super::mapping::Mapping;
use super::rights::Rights;
use super::source::{Row, Source};
use super::tables::{CONTENT_TYPES, GROUP_PERMISSIONS, GROUPS, PERMISSIONS, Tables};
use crate::failure::Failure;
use std::collections::{BTreeMap, HashMap, HashSet};
use tower_auth::store::name_form;

/// What is known of all users before the first of them is written.
pub(super) struct People {
    /// By the id of the user: what groups and permissions grant.
    granted: HashMap<String, Rights>,
    /// The forms of names that several users share, who differ in case, for example.
    shared: HashSet<String>,
    /// The users that there are, and what each may do.
    users: BTreeMap<String, Rights>,
    /// By name as it is kept: the id of the user who has it.
    names: HashMap<String, String>,
}

/// The names of a user as they are kept, and the users who have names that this one does not get.
#[derive(Default)]
pub(super) struct Names {
    pub(super) kept: Vec<String>,
    pub(super) others: Vec<String>,
}

impl People {
    pub(super) async fn read(
        source: &mut Source,
        tables: &Tables,
        names: &[String],
        mapping: &Mapping,
    ) -> Result<Self, Failure> {
        let permissions = permissions(source, mapping).await?;
        let mut groups: HashMap<String, Rights> = HashMap::new();
        for row in source.all(GROUPS, "id", &["id", "name"]).await? {
            let rights = mapping.of_group(row.text_or_empty("name"));
            groups.insert(row.text_or_empty("id").to_owned(), rights);
        }
        let columns = ["group_id", "permission_id"];
        for row in source.all(GROUP_PERMISSIONS, "id", &columns).await? {
            let group = groups.get_mut(row.text_or_empty("group_id"));
            let permission = permissions.get(row.text_or_empty("permission_id"));
            if let (Some(group), Some(permission)) = (group, permission) {
                group.add(permission);
            }
        }
        let mut people = Self {
            granted: HashMap::new(),
            shared: shared_names(source, &tables.user_table, names).await?,
            users: BTreeMap::new(),
            names: HashMap::new(),
        };
        people
            .grant(source, &tables.user_groups(), "group_id", &groups)
            .await?;
        let own = tables.user_permissions();
        people
            .grant(source, &own, "permission_id", &permissions)
            .await?;
        Ok(people)
    }

    /// What a table that links users with groups, or permissions, grants.
    async fn grant(
        &mut self,
        source: &mut Source,
        table: &str,
        column: &str,
        rights: &HashMap<String, Rights>,
    ) -> Result<(), Failure> {
        // Django names this column after the model of the user, which a project may have replaced,
        // so it is found as the one that is left.
        let known = source.columns(table).await?;
        let mut others = known
            .into_keys()
            .filter(|name| name != "id" && name != column);
        let Some(user) = others.find(|name| name.ends_with("_id")) else {
            return Ok(());
        };
        let mut reading = source.read(table, "id", &[&user, column]).await?;
        loop {
            let page = source.page(&mut reading).await?;
            if page.is_empty() {
                return Ok(());
            }
            for row in &page {
                if let Some(rights) = rights.get(row.text_or_empty(column)) {
                    let user = row.text_or_empty(&user).to_owned();
                    self.granted.entry(user).or_default().add(rights);
                }
            }
        }
    }

    /// What a user may do, who is there from now on.
    pub(super) fn rights_of(&mut self, row: &Row, mapping: &Mapping) -> Rights {
        let mut rights = mapping.of_user(row.is_true("is_staff"), row.is_true("is_superuser"));
        let id = row.text_or_empty("id");
        if let Some(granted) = self.granted.get(id) {
            rights.add(granted);
        }
        self.users.insert(id.to_owned(), rights.clone());
        rights
    }

    /// What a user may do; `None` where there is no such user.
    pub(super) fn user(&self, id: &str) -> Option<&Rights> {
        self.users.get(id)
    }

    /// The ids of all users.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.users.keys().map(String::as_str)
    }

    /// The names of a user. What two users have, an address for example, the first of them keeps.
    pub(super) fn names_of(&mut self, row: &Row, columns: &[String]) -> Names {
        let id = row.text_or_empty("id");
        let mut names = Names::default();
        for name in columns.iter().filter_map(|column| row.text(column)) {
            let name = self.kept(name);
            if name.is_empty() || names.kept.contains(&name) {
                continue;
            }
            // Rows come in the same order each time, so a repeated run gives the name to the same
            // user.
            let holder = self
                .names
                .entry(name.clone())
                .or_insert_with(|| id.to_owned());
            match holder == id {
                true => names.kept.push(name),
                false => names.others.push(holder.clone()),
            }
        }
        names
    }

    /// The name under which a user is kept: in its one form, or as Django has it where two would
    /// clash.
    fn kept(&self, name: &str) -> String {
        let form = name_form(name);
        match self.shared.contains(&*form) {
            // Two users whose names differ in Django would have the same name in the one form, and
            // one of them could no longer sign in. So each keeps it as it is written there.
            true => name.to_owned(),
            false => form.into_owned(),
        }
    }
}

/// What each permission grants, by its id.
async fn permissions(
    source: &mut Source,
    mapping: &Mapping,
) -> Result<HashMap<String, Rights>, Failure> {
    let mut apps = HashMap::new();
    for row in source
        .all(CONTENT_TYPES, "id", &["id", "app_label"])
        .await?
    {
        let id = row.text_or_empty("id").to_owned();
        apps.insert(id, row.text_or_empty("app_label").to_owned());
    }
    let mut permissions = HashMap::new();
    let columns = ["id", "content_type_id", "codename"];
    for row in source.all(PERMISSIONS, "id", &columns).await? {
        if let Some(app) = apps.get(row.text_or_empty("content_type_id")) {
            let name = format!("{app}.{}", row.text_or_empty("codename"));
            let id = row.text_or_empty("id").to_owned();
            permissions.insert(id, mapping.of_permission(&name));
        }
    }
    Ok(permissions)
}

/// The forms of names that more than one user has.
async fn shared_names(
    source: &mut Source,
    table: &str,
    names: &[String],
) -> Result<HashSet<String>, Failure> {
    let mut columns = vec!["id"];
    columns.extend(names.iter().map(String::as_str));
    let mut reading = source.read(table, "id", &columns).await?;
    let mut holders: HashMap<String, String> = HashMap::new();
    let mut shared = HashSet::new();
    loop {
        let page = source.page(&mut reading).await?;
        if page.is_empty() {
            return Ok(shared);
        }
        for row in &page {
            let id = row.text_or_empty("id");
            for name in names.iter().filter_map(|column| row.text(column)) {
                let form = name_form(name).into_owned();
                let holder = holders.entry(form.clone()).or_insert_with(|| id.to_owned());
                if holder != id && !form.is_empty() {
                    shared.insert(form);
                }
            }
        }
    }
}
