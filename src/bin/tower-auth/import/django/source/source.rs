use super::Row;
use super::mysql_dump;
use super::sql::{quoted, unreadable};
use crate::failure::Failure;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, Row as _, SqliteConnection};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// How many rows are held at once.
const PAGE: usize = 500;

/// Where the database of Django is.
#[derive(Debug)]
pub(in super::super) enum Place {
    Sqlite(PathBuf),
    Postgres(String),
    MySqlDump(PathBuf),
}

/// The database of Django.
pub(in super::super) enum Source {
    /// A file, or a dump that was read into memory.
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A table that is read to its end.
pub(in super::super) struct Reading {
    table: String,
    columns: Vec<String>,
    /// What the rows are ordered by, and its type in PostgreSQL.
    key: (String, String),
    after: Option<String>,
    is_over: bool,
}

impl Source {
    /// `wanted` are the tables that are read of a dump.
    pub(in super::super) async fn open(
        place: &Place,
        wanted: &HashSet<String>,
    ) -> Result<Self, Failure> {
        match place {
            Place::Sqlite(path) => open_file(path).await,
            Place::Postgres(url) => open_postgres(url).await,
            Place::MySqlDump(path) => {
                let dump = mysql_dump::read(path, wanted).await?;
                Ok(Self::Sqlite(dump))
            }
        }
    }

    /// The columns of a table with their types; none where there is no such table.
    pub(in super::super) async fn columns(
        &mut self,
        table: &str,
    ) -> Result<HashMap<String, String>, Failure> {
        match self {
            Self::Sqlite(connection) => {
                let sql = "SELECT name, type FROM pragma_table_info($1)";
                let rows = sqlx::query(sql).bind(table).fetch_all(connection).await;
                Ok(pairs(rows.map_err(unreadable)?.iter()))
            }
            Self::Postgres(connection) => {
                let sql = "SELECT column_name::text, udt_name::text \
                           FROM information_schema.columns \
                           WHERE table_schema = ANY (current_schemas(false)) AND table_name = $1";
                let rows = sqlx::query(sql).bind(table).fetch_all(connection).await;
                Ok(pairs(rows.map_err(unreadable)?.iter()))
            }
        }
    }

    pub(in super::super) async fn count(&mut self, table: &str) -> Result<u64, Failure> {
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {}", quoted(table)));
        let count: i64 = match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).fetch_one(connection).await,
            Self::Postgres(connection) => sqlx::query_scalar(sql).fetch_one(connection).await,
        }
        .map_err(unreadable)?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Begins to read those of these columns that the table has, in the order of `key`.
    pub(in super::super) async fn read(
        &mut self,
        table: &str,
        key: &str,
        columns: &[&str],
    ) -> Result<Reading, Failure> {
        let known = self.columns(table).await?;
        let kind = known.get(key).cloned().unwrap_or_default();
        let mut columns = columns.to_vec();
        columns.retain(|column| known.contains_key(*column));
        Ok(Reading {
            table: table.to_owned(),
            columns: columns.into_iter().map(str::to_owned).collect(),
            key: (key.to_owned(), kind),
            after: None,
            is_over: known.is_empty(),
        })
    }

    /// The next rows; none at the end.
    pub(in super::super) async fn page(
        &mut self,
        reading: &mut Reading,
    ) -> Result<Vec<Row>, Failure> {
        if reading.is_over {
            return Ok(Vec::new());
        }
        let page = match self {
            Self::Sqlite(connection) => sqlite_page(connection, reading).await,
            Self::Postgres(connection) => postgres_page(connection, reading).await,
        }
        .map_err(unreadable)?;
        reading.is_over = page.len() < PAGE;
        let mut rows = Vec::with_capacity(page.len());
        for (cursor, values) in page {
            reading.after = Some(cursor);
            rows.push(Row::new(values));
        }
        Ok(rows)
    }

    /// All rows of a small table.
    pub(in super::super) async fn all(
        &mut self,
        table: &str,
        key: &str,
        columns: &[&str],
    ) -> Result<Vec<Row>, Failure> {
        let mut reading = self.read(table, key, columns).await?;
        let mut all = Vec::new();
        loop {
            let page = self.page(&mut reading).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }
}

impl Reading {
    /// The columns as texts.
    fn selected(&self) -> String {
        let columns = self.columns.iter();
        let texts = columns.map(|column| format!(", CAST({} AS text)", quoted(column)));
        texts.collect()
    }

    fn values(
        &self,
        texts: impl Iterator<Item = Option<String>>,
    ) -> HashMap<String, Option<String>> {
        self.columns.iter().cloned().zip(texts).collect()
    }
}

type Page = Vec<(String, HashMap<String, Option<String>>)>;

/// In the order of the number that SQLite gives each row, whatever the key is.
async fn sqlite_page(
    connection: &mut SqliteConnection,
    reading: &Reading,
) -> Result<Page, sqlx::Error> {
    let (table, selected) = (quoted(&reading.table), reading.selected());
    let sql = format!(
        "SELECT CAST(rowid AS text){selected} FROM {table} \
         WHERE rowid > $1 ORDER BY rowid LIMIT {PAGE}"
    );
    let after = reading
        .after
        .as_deref()
        .and_then(|after| after.parse().ok());
    let query = sqlx::query(AssertSqlSafe(sql)).bind(after.unwrap_or(i64::MIN));
    let rows = query.fetch_all(connection).await?;
    let mut page = Page::new();
    for row in &rows {
        let mut texts = Vec::new();
        for at in 1..row.len() {
            texts.push(row.try_get(at)?);
        }
        page.push((row.try_get(0)?, reading.values(texts.into_iter())));
    }
    Ok(page)
}

async fn postgres_page(
    connection: &mut PgConnection,
    reading: &Reading,
) -> Result<Page, sqlx::Error> {
    let (table, selected) = (quoted(&reading.table), reading.selected());
    let (key, kind) = (quoted(&reading.key.0), quoted(&reading.key.1));
    let place = match reading.after {
        // Compared as texts, 10 would come before 9, and rows would be left out.
        Some(_) => format!("WHERE {key} > CAST($1 AS {kind})"),
        // The first page has no row to come after, but the parameter has to be named all the same,
        // with its type: PostgreSQL refuses a value that no parameter takes.
        None => String::from("WHERE CAST($1 AS text) IS NULL"),
    };
    // The order is by the column of the table. A name alone would mean the text that is selected.
    let sql = format!(
        "SELECT CAST({key} AS text){selected} FROM {table} AS rows {place} \
         ORDER BY rows.{key} LIMIT {PAGE}"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(reading.after.as_deref());
    let rows = query.fetch_all(connection).await?;
    let mut page = Page::new();
    for row in &rows {
        let mut texts = Vec::new();
        for at in 1..row.len() {
            texts.push(row.try_get(at)?);
        }
        page.push((row.try_get(0)?, reading.values(texts.into_iter())));
    }
    Ok(page)
}

fn pairs<'r, R>(rows: impl Iterator<Item = &'r R>) -> HashMap<String, String>
where
    R: sqlx::Row,
    usize: sqlx::ColumnIndex<R>,
    String: sqlx::Type<R::Database> + for<'d> sqlx::Decode<'d, R::Database>,
{
    rows.map(|row| (row.get(0), row.get(1))).collect()
}

async fn open_file(path: &Path) -> Result<Source, Failure> {
    if !path.is_file() {
        let text = format!("There is no database at {}.", path.display());
        return Err(Failure::usage(text));
    }
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    options
        .connect()
        .await
        .map(Source::Sqlite)
        .map_err(unreadable)
}

/// Reads the state of one moment, and writes nothing.
async fn open_postgres(url: &str) -> Result<Source, Failure> {
    let options: PgConnectOptions = url.parse().map_err(unreadable)?;
    let mut connection = options.connect().await.map_err(unreadable)?;
    // All pages of all tables have to be of one moment. A token that the service makes while this
    // runs would belong to a user who was not read.
    let begin = "SET TIME ZONE 'UTC'; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    let begun = sqlx::raw_sql(begin).execute(&mut connection).await;
    begun.map_err(unreadable)?;
    Ok(Source::Postgres(connection))
}
