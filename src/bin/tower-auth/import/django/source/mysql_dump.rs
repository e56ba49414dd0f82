use super::sql::{quoted, unreadable};
use super::sql_text::{SqlText, Unexpected};
use super::statements::Statements;
use crate::failure::Failure;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Reads those tables of a dump that are wanted into a database in memory. `mysqldump` of MySQL and
/// of MariaDB writes such files.
pub(super) async fn read(
    path: &Path,
    wanted: &HashSet<String>,
) -> Result<SqliteConnection, Failure> {
    let file = File::open(path).map_err(|error| broken(path, &error.to_string()))?;
    let mut statements = Statements::new(BufReader::new(file));
    let memory = SqliteConnection::connect("sqlite::memory:").await;
    let mut dump = Dump {
        memory: memory.map_err(unreadable)?,
        wanted,
        columns: HashMap::new(),
    };
    loop {
        let next = statements.next();
        let Some(statement) = next.map_err(|error| broken(path, &error.to_string()))? else {
            return Ok(dump.memory);
        };
        match table_or_rows(&statement, &dump) {
            Ok(None) => {}
            Ok(Some(Read::Table(table, columns))) => dump.add_table(table, columns).await?,
            Ok(Some(Read::Rows(table, columns, rows))) => dump.add(&table, &columns, rows).await?,
            Err(unexpected) => return Err(broken(path, unexpected)),
        }
    }
}

/// What was read so far.
struct Dump<'w> {
    memory: SqliteConnection,
    wanted: &'w HashSet<String>,
    /// By table.
    columns: HashMap<String, Vec<String>>,
}

type Values = Vec<Option<String>>;

/// What a statement of interest says.
enum Read {
    Table(String, Vec<String>),
    Rows(String, Vec<String>, Vec<Values>),
}

impl Dump<'_> {
    async fn add_table(&mut self, table: String, columns: Vec<String>) -> Result<(), Failure> {
        let list: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
        let (name, list) = (quoted(&table), list.join(", "));
        // The columns get no type: SQLite would turn the text `007` into the number 7 in a column
        // of numbers.
        let sql = format!("DROP TABLE IF EXISTS {name}; CREATE TABLE {name} ({list})");
        let made = sqlx::raw_sql(AssertSqlSafe(sql));
        made.execute(&mut self.memory).await.map_err(unreadable)?;
        self.columns.insert(table, columns);
        Ok(())
    }

    async fn add(
        &mut self,
        table: &str,
        columns: &[String],
        rows: Vec<Values>,
    ) -> Result<(), Failure> {
        let sql = insertion(table, columns);
        let mut step = self.memory.begin().await.map_err(unreadable)?;
        for row in rows {
            let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
            for value in row {
                query = query.bind(value);
            }
            query.execute(&mut *step).await.map_err(unreadable)?;
        }
        step.commit().await.map_err(unreadable)
    }
}

fn insertion(table: &str, columns: &[String]) -> String {
    let table = quoted(table);
    let list: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    let list = list.join(", ");
    let places: Vec<String> = (1..=columns.len()).map(|at| format!("${at}")).collect();
    let places = places.join(", ");
    format!("INSERT INTO {table} ({list}) VALUES ({places})")
}

fn table_or_rows(statement: &[u8], dump: &Dump<'_>) -> Result<Option<Read>, Unexpected> {
    let mut text = SqlText::new(statement);
    if text.takes("CREATE TABLE") {
        text.takes("IF NOT EXISTS");
        let table = text.name()?;
        if !dump.wanted.contains(&table) {
            return Ok(None);
        }
        return columns(&mut text).map(|columns| Some(Read::Table(table, columns)));
    }
    if !(text.takes("INSERT INTO")
        || text.takes("INSERT IGNORE INTO")
        || text.takes("REPLACE INTO"))
    {
        return Ok(None);
    }
    let table = text.name()?;
    if !dump.wanted.contains(&table) {
        return Ok(None);
    }
    let of_table = dump.columns.get(&table);
    let of_table =
        // Which value is whose cannot be told without the names of the columns: moving them would
        // be guessing.
        of_table.ok_or("rows stand before their CREATE TABLE: dump it with the schema")?;
    let listed = match text.takes_mark(b'(') {
        true => names(&mut text)?,
        false => of_table.clone(),
    };
    if !(text.takes("VALUES") || text.takes("VALUE")) {
        return Err("an INSERT has no VALUES");
    }
    let rows = rows(&mut text, listed.len())?;
    Ok(Some(Read::Rows(table, listed, rows)))
}

/// The names of the columns of a `CREATE TABLE`: what stands in backticks. All else that a table
/// has begins with a word.
fn columns(text: &mut SqlText<'_>) -> Result<Vec<String>, Unexpected> {
    if !text.takes_mark(b'(') {
        return Err("a CREATE TABLE has no columns");
    }
    let mut columns = Vec::new();
    loop {
        let is_rule = [
            "PRIMARY",
            "UNIQUE",
            "KEY",
            "INDEX",
            "CONSTRAINT",
            "FULLTEXT",
            "SPATIAL",
            "CHECK",
        ]
        .iter()
        .any(|word| text.takes(word));
        if !is_rule {
            columns.push(text.name()?);
        }
        text.skip_item()?;
        if !text.takes_mark(b',') {
            break;
        }
    }
    match text.takes_mark(b')') {
        true => Ok(columns),
        false => Err("a CREATE TABLE does not end"),
    }
}

/// Names up to the closing bracket.
fn names(text: &mut SqlText<'_>) -> Result<Vec<String>, Unexpected> {
    let mut names = vec![text.name()?];
    while text.takes_mark(b',') {
        names.push(text.name()?);
    }
    match text.takes_mark(b')') {
        true => Ok(names),
        false => Err("a list of columns does not end"),
    }
}

fn rows(text: &mut SqlText<'_>, columns: usize) -> Result<Vec<Values>, Unexpected> {
    let mut rows = Vec::new();
    loop {
        if !text.takes_mark(b'(') {
            return Err("a row does not begin with a bracket");
        }
        let mut row = vec![text.value()?];
        while text.takes_mark(b',') {
            row.push(text.value()?);
        }
        if !text.takes_mark(b')') {
            return Err("a row does not end with a bracket");
        }
        if row.len() != columns {
            return Err("a row has more or fewer values than its table has columns");
        }
        rows.push(row);
        if !text.takes_mark(b',') {
            break;
        }
    }
    match text.is_over() {
        true => Ok(rows),
        false => Err("something stands after the rows of an INSERT"),
    }
}

fn broken(path: &Path, why: &str) -> Failure {
    Failure::usage(format!(
        "The dump {} cannot be read: {why}.",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::Row;

    fn dumped(text: &str) -> tempfile::Written {
        tempfile::Written::new(text)
    }

    /// A file that ends with the test.
    mod tempfile {
        use std::path::PathBuf;
        use std::sync::atomic::{AtomicUsize, Ordering};

        pub(super) struct Written(pub(super) PathBuf);

        impl Written {
            pub(super) fn new(text: &str) -> Self {
                static NEXT: AtomicUsize = AtomicUsize::new(0);
                let next = NEXT.fetch_add(1, Ordering::SeqCst);
                let name = format!("tower-auth-dump-{}-{next}", std::process::id());
                let path = std::env::temp_dir().join(name);
                std::fs::write(&path, text).expect("the directory of temporary files");
                Self(path)
            }
        }

        impl Drop for Written {
            fn drop(&mut self) {
                let _ = std::fs::remove_file(&self.0);
            }
        }
    }

    async fn names(dump: &str) -> Result<Vec<String>, Failure> {
        let wanted = HashSet::from([String::from("auth_user")]);
        let mut memory = read(&dumped(dump).0, &wanted).await?;
        let rows = sqlx::query("SELECT username FROM auth_user ORDER BY rowid");
        let rows = rows.fetch_all(&mut memory).await.expect("the table");
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    const TABLE: &str = "CREATE TABLE `auth_user` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  \
        `username` varchar(150) COLLATE utf8mb4_bin DEFAULT 'a,b)' COMMENT 'it''s (so)',\n  \
        `d` decimal(3,2), PRIMARY KEY (`id`),\n  UNIQUE KEY `username` (`username`)\n) ENGINE=InnoDB;\n";

    #[tokio::test]
    async fn the_rows_of_a_wanted_table_are_read_with_and_without_a_list_of_columns() {
        let dump = format!(
            "{TABLE}LOCK TABLES `auth_user` WRITE;\n\
             INSERT INTO `auth_user` VALUES (1,'anna',NULL),\n(2,'b;e\\'n',1.50);\n\
             INSERT INTO `auth_user` (`username`, `id`) VALUES ('carla',3);\n\
             INSERT INTO `other` VALUES (1,now());\nUNLOCK TABLES;\n"
        );
        assert_eq!(
            names(&dump).await.expect("a dump"),
            ["anna", "b;e'n", "carla"]
        );
    }

    #[tokio::test]
    async fn a_dump_that_is_cut_or_does_not_fit_is_refused_and_no_value_is_shown() {
        for (name, rows) in [
            ("cut", "INSERT INTO `auth_user` VALUES (1,'hidden"),
            (
                "fewer values",
                "INSERT INTO `auth_user` VALUES (1,'hidden');",
            ),
            ("no rows", "INSERT INTO `auth_user` SELECT 'hidden';"),
            (
                "a function",
                "INSERT INTO `auth_user` VALUES (1,hidden(),2);",
            ),
            (
                "more",
                "INSERT INTO `auth_user` VALUES (1,'hidden',2) ON DUPLICATE KEY UPDATE id=1;",
            ),
        ] {
            let failure = names(&format!("{TABLE}{rows}")).await.expect_err(name);
            assert!(
                !format!("{failure:?}").contains("hidden"),
                "{name}: {failure:?}"
            );
        }
        let without_table = "INSERT INTO `auth_user` VALUES (1,'anna',NULL);";
        assert!(names(without_table).await.is_err());
    }
}
