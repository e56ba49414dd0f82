use crate::console::note;
use crate::failure::Failure;
use std::time::Duration;
use tower_auth::server::Environment;
use tower_auth::store::{Store, StoreErrorKind, StoreOptions};
use tower_auth::{Realm, TokenIssuer, Tokens, random_secret};

/// How long access tokens are taken to live that the service issues, which it alone knows: a
/// session that is ended here stays ended for as long. Longer than they live costs a line in a
/// table.
pub(crate) const LONGEST_ACCESS: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The service that the environment describes: its store, and a realm over it.
pub(crate) struct Service {
    pub(crate) environment: Environment,
    pub(crate) store: Store,
    pub(crate) realm: Realm,
}

impl Service {
    /// That of a store which has to be there.
    pub(crate) async fn existing(patience: Duration) -> Result<Self, Failure> {
        Self::open(StoreOptions::new().existing(), patience).await
    }

    /// That of a store whose file is made where there is none.
    pub(crate) async fn new_or_existing(patience: Duration) -> Result<Self, Failure> {
        Self::open(StoreOptions::new(), patience).await
    }

    async fn open(options: StoreOptions, patience: Duration) -> Result<Self, Failure> {
        let environment = read_environment()?;
        // One call at a time.
        let options = options.timeout(patience).connections(2);
        let store = match environment.store(options).await {
            Ok(store) => store,
            Err(error) if error.kind() == StoreErrorKind::Invalid => {
                let forms = "It is sqlite:PATH or postgres://USER@HOST/DATABASE.";
                return Err(Failure::usage(format!(
                    "DATABASE_URL cannot be used. {forms}"
                )));
            }
            Err(error) => return Err(error.into()),
        };
        // Without `DATABASE_URL` a store in memory is made. All that is done in it would be gone
        // when the command ends, and it would look as if it had been done.
        if store.kind() == "memory" {
            let where_it_is = "Set it to that of the service, such as sqlite:auth.db or \
                               postgres://auth@db.example.com/auth.";
            return Err(Failure::usage(format!(
                "DATABASE_URL is not set. {where_it_is}"
            )));
        }
        let realm = Realm::new(store.clone())
            .store_deadline(patience)
            .others_access_lifetime(LONGEST_ACCESS);
        Ok(Self {
            environment,
            store,
            realm,
        })
    }

    /// Whether the tables are those that this release works with.
    pub(crate) async fn check_tables(&self) -> Result<(), Failure> {
        let version = self.store.schema_version().await?;
        if version.lacks_steps() {
            return Err(Failure::not_migrated(match version.found {
                0 => {
                    String::from("The store has no tables. Run `tower-auth migrate` to make them.")
                }
                found => format!(
                    "The tables are of version {found}, and this release needs version {}. \
                     Run `tower-auth migrate` to bring them up to date.",
                    version.known
                ),
            }));
        }
        if version.is_later() {
            note(&format!(
                "warning: The tables are of version {}, which a later release made; this one knows \
                 version {}.",
                version.found, version.known
            ));
        }
        Ok(())
    }

    /// A token issuer that can end the sessions of users, and issues nothing.
    pub(crate) fn ends_sessions(&self) -> Result<TokenIssuer, Failure> {
        // An issuer needs a secret, and ending sessions needs none. One that is forgotten serves,
        // and signs nothing that anybody gets.
        let secret = random_secret()?;
        let tokens = Tokens::hs256(secret.expose()).issuer("tower-auth");
        Ok(self.realm.tokens(tokens))
    }
}

pub(crate) fn read_environment() -> Result<Environment, Failure> {
    Environment::read().map_err(|error| Failure::environment(&error))
}
