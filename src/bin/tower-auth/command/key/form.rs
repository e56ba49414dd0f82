use crate::failure::Failure;
use crate::service::Service;
use clap::{Args, ValueEnum};
use tower_auth::api_key::KeyIds;
use tower_auth::server::Environment;
use tower_auth::store::KeyRecord;
use tower_auth::{ApiKeys, AuthLayer, KeyIssuer};

/// What new keys look like: as those that the service makes.
#[derive(Args)]
pub(super) struct KeyForm {
    #[arg(
        long,
        value_name = "PREFIX",
        conflicts_with = "bare",
        help = "Says what the key begins with, in place of API_KEY_PREFIX."
    )]
    prefix: Option<String>,
    #[arg(long, help = "Makes a key without a prefix.")]
    bare: bool,
    #[arg(
        long,
        value_enum,
        value_name = "FORM",
        default_value_t = Ids::Random,
        help = "Says what the id of the key looks like."
    )]
    ids: Ids,
}

#[derive(Clone, Copy, ValueEnum)]
enum Ids {
    #[value(help = "22 random letters and digits.")]
    Random,
    #[value(help = "A random UUID.")]
    Uuid,
    #[value(help = "1, 2, 3, as the store counts them.")]
    Serial,
}

impl KeyForm {
    /// That of new keys, as the arguments or else the environment say.
    pub(super) fn of_new(&self, service: &Service) -> Result<KeyIssuer, Failure> {
        match self.chosen(service) {
            Some(keys) => self.issuer(keys, service),
            None => Err(Failure::usage(
                "Say what the key begins with: --prefix egret, or API_KEY_PREFIX in the \
                 environment; --bare makes one without a prefix.",
            )),
        }
    }

    /// The same of the successor of a key, which begins as the key does where nobody says
    /// otherwise.
    pub(super) fn of_successor(
        &self,
        former: &KeyRecord,
        service: &Service,
    ) -> Result<KeyIssuer, Failure> {
        let keys = match (&self.prefix, self.bare) {
            // The service tells its keys by their prefix, and that of the former key is one that it
            // takes.
            (None, false) => prefix_of(&former.hint)
                .map(keys_of)
                .or_else(|| self.chosen(service)),
            _ => self.chosen(service),
        };
        match keys {
            Some(keys) => self.issuer(keys, service),
            None => Err(Failure::usage(
                "It is not known what the key begins with: say it by --prefix or --bare.",
            )),
        }
    }

    fn chosen(&self, service: &Service) -> Option<ApiKeys> {
        self.chosen_by(&service.environment)
    }

    /// As the arguments or else the environment say, without its peppers.
    pub(super) fn chosen_by(&self, environment: &Environment) -> Option<ApiKeys> {
        if self.bare {
            return Some(ApiKeys::bare());
        }
        let prefix = self.prefix.as_deref();
        prefix.or(environment.api_key_prefix()).map(ApiKeys::prefix)
    }

    fn issuer(&self, keys: ApiKeys, service: &Service) -> Result<KeyIssuer, Failure> {
        let keys = service.environment.peppered(keys).ids(match self.ids {
            Ids::Random => KeyIds::Random,
            Ids::Uuid => KeyIds::Uuid,
            Ids::Serial => KeyIds::Serial,
        });
        let issuer = service.realm.api_keys(keys);
        // A layer is built only to hear whether such keys can be used, for example whether the
        // prefix is in order: a service would be told so when it starts.
        match AuthLayer::builder().accept(&issuer).build() {
            Ok(_) => Ok(issuer),
            Err(error) => Err(Failure::environment(&error)),
        }
    }
}

/// For what makes no key: what it looks like does not matter.
pub(super) fn any_keys(service: &Service) -> KeyIssuer {
    service.realm.api_keys(ApiKeys::bare())
}

/// What a key of ours begins with, by what lists show of it: its prefix and four characters.
///
/// Of a foreign one that is short nothing is shown. Of others it may be anything, such as the whole
/// prefix of a key that Django made, which is none of ours: those end with a `_` or a `-`.
fn prefix_of(hint: &str) -> Option<&str> {
    let visible = hint.strip_suffix('…')?;
    let end = visible.char_indices().rev().nth(3)?.0;
    let prefix = visible.get(..end)?;
    (prefix.is_empty() || prefix.ends_with(['_', '-'])).then_some(prefix)
}

fn keys_of(prefix: &str) -> ApiKeys {
    match prefix {
        "" => ApiKeys::bare(),
        prefix => ApiKeys::prefix(prefix),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_successor_begins_as_its_key_does_where_that_is_one_of_ours() {
        for (hint, prefix) in [
            ("egret_7ZkR…", Some("egret_")),
            ("sk-live-7ZkR…", Some("sk-live-")),
            // A key without a prefix, and a token of rest_framework that was imported.
            ("7ZkR…", Some("")),
            // What djangorestframework-api-key calls a prefix is shown whole.
            ("7ZkRcP0b…", None),
            ("short", None),
            ("", None),
        ] {
            assert_eq!(prefix_of(hint), prefix, "{hint}");
        }
    }
}
