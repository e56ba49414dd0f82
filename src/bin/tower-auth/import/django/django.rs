use super::api_keys::move_api_keys;
use super::blacklist::{let_in, move_refresh_tokens};
use super::mapping::Mapping;
use super::report::Report;
use super::source::{Place, Source};
use super::tables::{OUTSTANDING, Tables};
use super::target::Target;
use super::tokens::move_tokens;
use super::users::move_users;
use crate::failure::Failure;
use crate::settings::Settings;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;
use tower_auth::clock::{Clock, SystemClock};

const DETAILS: &str = "\
The database is read from a file (--sqlite, --mysql-dump), or from PostgreSQL, whose URL is in \
DJANGO_DATABASE_URL, and is not changed. What is in the store already stays as it is, so this can be \
run again: when it was interrupted, and once more after the Django service has stopped. Then keys and \
refresh tokens that Django has revoked, and tokens that it has deleted, since they were moved are \
revoked in the store as well. The report says what was moved, what was there, what was left and what \
was revoked, with ids and reasons, and never shows a hash.";

/// Moves what a Django service has into the store.
#[derive(Args)]
#[command(after_help = DETAILS)]
pub(crate) struct Django {
    #[arg(
        long,
        value_name = "PATH",
        conflicts_with = "mysql_dump",
        help = "Reads the SQLite database of Django in this file."
    )]
    sqlite: Option<PathBuf>,
    #[arg(
        long,
        value_name = "PATH",
        help = "Reads a dump that mysqldump or mariadb-dump has written, with the schema."
    )]
    mysql_dump: Option<PathBuf>,
    #[arg(
        long,
        value_name = "PATH",
        help = "Reads from this file (JSON) which roles and scopes groups and permissions become."
    )]
    mapping: Option<PathBuf>,
    #[command(flatten)]
    tables: Tables,
    #[arg(
        long,
        help = "Lets in access and refresh tokens of simplejwt although there is no table of its \
                token_blacklist; where there is one they are let in anyway."
    )]
    simplejwt: bool,
    #[arg(long, help = "Writes nothing, and says what would be moved.")]
    dry_run: bool,
}

impl Django {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let place = self.place()?;
        let mapping = match &self.mapping {
            Some(path) => Mapping::read(path)?,
            None => Mapping::default(),
        };
        let store = settings.service().await?.store;
        let mut source = Source::open(&place, &self.tables.wanted()).await?;
        let mut target = Target::new(store, self.dry_run);
        let mut report = Report::new(self.dry_run);
        let progress = self.progress(&mut source).await?;
        let moved = self.move_all(&mut source, &mut target, &mapping, &progress, &mut report);
        let moved = moved.await;
        // The bar is cleared before an error is returned, or the error would stand behind it on its
        // line.
        progress.finish_and_clear();
        moved?;
        report.show(settings.console())
    }

    async fn move_all(
        &self,
        source: &mut Source,
        target: &mut Target,
        mapping: &Mapping,
        progress: &ProgressBar,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let now = SystemClock.now();
        let tables = &self.tables;
        progress.set_message("users");
        // Users come first: a token is moved only where its user is there, and its key gets the
        // user's rights.
        let people = move_users(source, target, tables, mapping, progress, report).await?;
        if self.simplejwt || has(source, OUTSTANDING).await? {
            progress.set_message("users of simplejwt");
            let_in(target, &people, progress, report, now).await?;
        }
        progress.set_message("tokens");
        move_tokens(source, target, tables, &people, progress, report, now).await?;
        progress.set_message("API keys");
        let keys = &mapping.api_keys;
        move_api_keys(source, target, tables, keys, progress, report, now).await?;
        progress.set_message("refresh tokens");
        move_refresh_tokens(source, target, &people, progress, report, now).await
    }

    fn place(&self) -> Result<Place, Failure> {
        match (&self.sqlite, &self.mysql_dump) {
            (Some(path), _) => return Ok(Place::Sqlite(path.clone())),
            (None, Some(path)) => return Ok(Place::MySqlDump(path.clone())),
            (None, None) => {}
        }
        let url = std::env::var("DJANGO_DATABASE_URL").unwrap_or_default();
        match url.split_once(':') {
            Some(("postgres" | "postgresql", _)) => Ok(Place::Postgres(url)),
            Some(("sqlite", path)) => Ok(Place::Sqlite(PathBuf::from(path))),
            // The URL is not shown, because it may hold a password.
            _ => Err(Failure::usage(
                "Nothing says where the database of Django is. Name its file by --sqlite, or a dump \
                 of it by --mysql-dump, or set DJANGO_DATABASE_URL to postgres://USER@HOST/DATABASE.",
            )),
        }
    }

    /// A bar on a terminal, and nothing elsewhere.
    async fn progress(&self, source: &mut Source) -> Result<ProgressBar, Failure> {
        let tables = &self.tables;
        let mut rows = 0;
        let users = &*tables.user_table;
        // Users are counted twice, because those whose tokens of simplejwt are let in are gone
        // through once more.
        for table in [
            users,
            users,
            &tables.token_table,
            &tables.api_key_table,
            OUTSTANDING,
        ] {
            if has(source, table).await? {
                rows += source.count(table).await?;
            }
        }
        let bar = ProgressBar::new(rows);
        let template = "{msg:20} {wide_bar} {pos}/{len} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Ok(bar)
    }
}

async fn has(source: &mut Source, table: &str) -> Result<bool, Failure> {
    Ok(!source.columns(table).await?.is_empty())
}
