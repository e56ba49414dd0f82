//! The command `tower-auth`: users, API keys and tokens of a service, looked after from a shell.
//!
//! ```text
//! cargo install tower-auth --features cli
//! ```
//!
//! It works on the store of the service, with the service's own checks. A running service sees each
//! change within its [`StoreOptions::lag`](crate::store::StoreOptions::lag). What the command needs
//! to know is in the environment, in the variables of [`Environment`](crate::server::Environment):
//! `DATABASE_URL` (`sqlite:PATH` or `postgres://…`), and where the service has them `JWT_SECRET`,
//! `API_KEY_PREFIX`, `API_KEY_PEPPER`, `API_KEY_PEPPERS_PREVIOUS` and `REDIS_URL`.
//!
//! # The first key
//!
//! ```sh
//! umask 077 # the key is for you alone
//! export DATABASE_URL=sqlite:auth.db
//! tower-auth migrate
//! tower-auth user add anna@example.com < password.txt
//! tower-auth key create --user anna@example.com --name ci --prefix egret \
//!   --scope reports:read > key.txt
//! tower-auth key list --user anna@example.com
//! ```
//!
//! On a terminal the password is asked for, and not shown. Then a client sends the key:
//!
//! ```text
//! printf 'X-API-Key: %s' "$(cat key.txt)" | curl -H @- https://api.example.com/reports/
//! ```
//!
//! # Commands
//!
//! | command | does |
//! |---|---|
//! | `migrate` | makes the tables, or brings them up to date |
//! | `doctor` | looks for what is wrong: variables, secrets, tables, clocks, news of other nodes, peppers, Redis |
//! | `user add NAME` | adds a user, with `--name`, `--id`, `--scope` and `--role`; reads a password |
//! | `user list`, `user show NAME` | tell what is known of users |
//! | `user password NAME` | sets a password, and ends all sessions and private tokens of the user; reads a password |
//! | `user disable NAME`, `user enable NAME` | refuses all credentials of a user, or no longer |
//! | `user remove NAME` | removes a user for good |
//! | `key create --user NAME --name NAME` | makes a key, with `--scope`, `--role`, `--rate`, `--expires`, `--expires-in` and `--metadata` |
//! | `key list`, `key show ID` | tell what is kept of all keys, of those of an owner (`--user NAME`), or of one |
//! | `key rotate ID` | makes a successor; the key itself goes on working for `--overlap`, a day by default |
//! | `key revoke ID` | revokes a key |
//! | `token revoke` | revokes a token that `JWT_SECRET` signed; of a refresh token the whole session; reads the token |
//! | `token revoke --user NAME` | ends all sessions and private tokens; with `--private ID` one private token |
//! | `key pattern` | prints the rule by which gitleaks, TruffleHog or GitHub find leaked keys |
//! | `key unused-scopes --user NAME` | lists the scopes that keys have and have not used for `--days` ([`Audit::scope_uses`](crate::event::Audit::scope_uses)) |
//! | `explain` | says what the service would make of a credential, and with `--scope` of a route that demands it; nothing is counted or written; reads a token, a key, or the value of `Authorization` |
//! | `audit tail` | prints what happened last ([`Realm::audit`](crate::Realm::audit)), with `--follow` what happens |
//! | `import django` | moves what a service of Django REST Framework has into the store ([how](super::migrating_from_django)) |
//! | `secret new` | makes a secret for `JWT_SECRET` or a pepper |
//! | `schema` | prints the JSON Schema of what each command prints with `--json` |
//!
//! - `--id [KIND:]ID` names a user by the id, in place of a name; `--owner [KIND:]ID` an owner in
//!   place of `--user`: a user, or a thing of another kind, such as `tenant:42`.
//! - A secret is never an argument, for everybody on the machine sees those: it is read from the
//!   first line of stdin, or of the file that `--password-file`, `--token-file` or
//!   `--credential-file` names, which may be `/dev/fd/3`.
//! - A new key goes to stdout alone, and what is kept of it to stderr. One that cannot be printed
//!   is revoked.
//! - New keys look as the service makes them: their prefix is that of `--prefix` or
//!   `API_KEY_PREFIX`, or none (`--bare`), their id of the form `--ids` says.
//! - The policy for passwords is [`PasswordPolicy::new`](crate::PasswordPolicy::new) with the list
//!   of common passwords, and `--least-length` as in
//!   [`least_length`](crate::PasswordPolicy::least_length).
//! - Sessions that are ended here stay ended for 90 days, for it is not known how long the service
//!   lets its access tokens live.
//!
//! # Exit codes
//!
//! | code | meaning |
//! |---:|---|
//! | 0 | It was done. |
//! | 1 | It failed for another reason than those below, or `doctor` found a fault. |
//! | 2 | The arguments, the environment or the input cannot be used: a password that the policy refuses, for one. Nothing has changed. |
//! | 3 | There is no such user, key or token. Nothing has changed. |
//! | 4 | It is there already, or the name is taken. Nothing has changed. |
//! | 5 | The store does not answer. |
//! | 6 | The tables are missing or of an earlier release: run `tower-auth migrate`. |
//!
//! Why is on stderr, in a sentence that says what to do. Whoever stops reading a list (`| head`)
//! causes no failure.
//!
//! # JSON
//!
//! With `--json` each record is an object on a line of its own, a list has a line for each, and
//! `tower-auth schema user list` prints the schema of such a line (JSON Schema, draft 2020-12).
//! Times are in UTC, in the form of RFC 3339. Further members may come with later releases; none
//! goes away or becomes something else.
//!
//! ```json
//! {"id":{"kind":"user","id":"7"},"names":["anna@example.com"],"state":"active",
//!  "has_password":true,"scopes":["reports:read"],"roles":[],"rate":null,"profile":null,
//!  "created":"2027-01-31T09:00:00Z"}
//! ```
//!
//! | command | prints |
//! |---|---|
//! | `user …` | a user, as it is afterwards: `id`, `names`, `state`, `has_password`, `scopes`, `roles`, `rate`, `profile`, `created` |
//! | `key list`, `key show`, `key revoke` | what is kept of a key: `id`, `owner`, `name`, `hint`, `state`, `scopes`, `roles`, `metadata`, `rate`, `created`, `expires`, `revoked`, `last_used`, `lineage`, `successor`, `algorithm` |
//! | `key create`, `key rotate` | the `key`, and its `record` as above |
//! | `token revoke` | what was `revoked` (`token`, `private_token`, `everything`), its `owner` and its `id` |
//! | `import django` | of a `kind` a line: how many were `read`, `moved` and `there`, and which were `left`, or are to be known of (`notes`) |
//! | `doctor` | a `check` a line, its `result` (`ok`, `warning`, `fault`) and a `detail` |
//! | `migrate` | the version of the tables: `from`, `to` |
//! | `secret new` | the `secret` |
