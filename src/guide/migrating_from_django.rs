//! Moving in from Django: users, tokens and keys of a service of Django REST Framework go on
//! working here. Nobody signs in anew, and no key changes.
//!
//! | in Django | becomes | its clients |
//! |---|---|---|
//! | `auth_user`, or another `AUTH_USER_MODEL` | users; groups and permissions become roles and scopes | sign in with the password they have |
//! | `authtoken_token` (`TokenAuthentication`) | API keys | go on with `Authorization: Token …` |
//! | `rest_framework_api_key_apikey`, or another `AbstractAPIKey` | API keys | go on with `Authorization: Api-Key …` |
//! | simplejwt's access tokens | are accepted until they expire | go on with `Authorization: Bearer …` |
//! | simplejwt's refresh tokens, `token_blacklist` | families; blacklisted ones are refused | refresh once more, and have ours from then on |
//!
//! # 1. The service accepts what Django issued
//!
//! By choice: without these lines none of it is accepted.
//!
//! ```
//! use tower_auth::store::Memory;
//! use tower_auth::credential::Source;
//! use tower_auth::jwt::SimpleJwt;
//! use tower_auth::{ApiKeys, AuthLayer, PasswordPolicy, Realm, Tokens};
//!
//! # let secret = "u4Zq7Kw2xRm90123456789abcdefghij";
//! # let django_secret_key = "qk%hbr_oo!pda&%tri-&v#=2j^r91kkz_h-i@1woh#d7m1llfh";
//! let realm = Realm::new(Memory::new()); // a real service has a database
//! let users = realm.users(PasswordPolicy::new());
//! let tokens = realm.tokens(
//!     Tokens::hs256(secret)
//!         .issuer("https://api.example.com")
//!         .simplejwt(SimpleJwt::hs256(django_secret_key)),
//! );
//! let new_keys = realm.api_keys(ApiKeys::prefix("acme"));
//! let old_keys = realm.api_keys(
//!     ApiKeys::bare()
//!         .opaque()
//!         .imported_sha512()
//!         .sources([Source::api_key(), Source::token()]),
//! );
//! let auth = AuthLayer::builder()
//!     .accept(&tokens)
//!     .accept(&new_keys)
//!     .accept(&old_keys)
//!     .accept(users.basic()) // where BasicAuthentication was on
//!     .build()?;
//! # Ok::<(), tower_auth::ConfigError>(())
//! ```
//!
//! - Feature `django-hashes` reads the hashes of passwords: `pbkdf2_sha256`, `argon2`,
//!   `bcrypt_sha256` and `bcrypt`. Each is replaced by argon2id when its user signs in.
//! - The secret that signs from now on is a new one: [`SimpleJwt`](crate::jwt::SimpleJwt) has that
//!   of Django. When the last of its tokens has expired, that line goes, and with it the secret.
//! - [`format::Drf`](crate::format::Drf) answers errors in the form of DRF, and
//!   `SignIn::name_field("username")` reads the fields of simplejwt's `TokenObtainPairView`.
//! - Keys of djangorestframework-api-key before its version 3 are hashed as passwords;
//!   [`ApiKeys::imported_password_hashes`](crate::ApiKeys) takes those as well. The import says
//!   whether there are any.
//!
//! # 2. What Django has is moved
//!
//! The command `tower-auth` (feature `cli`) reads the database of Django and writes the store at
//! `DATABASE_URL`:
//!
//! ```text
//! cargo install tower-auth --features cli
//! export DATABASE_URL=postgres://auth@db.example.com/auth
//! export DJANGO_DATABASE_URL=postgres://django@db.example.com/django
//!
//! tower-auth migrate
//! tower-auth import django --dry-run                    # says what would be moved
//! tower-auth import django
//! tower-auth import django --sqlite db.sqlite3          # from a file
//! tower-auth import django --mysql-dump dump.sql        # of mysqldump or mariadb-dump
//! ```
//!
//! ```text
//! KIND                READ   MOVED  THERE  LEFT
//! users               40210  40210  0      0
//! users of simplejwt  40210  40210  0      0
//! tokens              1204   1203   0      1
//! API keys            310    310    0      0
//! refresh tokens      98113  61200  0      36913
//! left: tokens: its user is not there: drf-5f1c0a…
//! note: users: needs a new password: hashes of the kind md5 are not read: 17, 4411
//! ```
//!
//! - What is in the store already stays as it is. So it can be run again after it was interrupted,
//!   and once more when the old service has stopped, for what was added meanwhile. Who has changed
//!   in Django between two runs is named, and not changed here.
//! - What Django has ended between two runs ends here as well, and is named: API keys that were
//!   revoked, refresh tokens that were blacklisted, tokens of `TokenAuthentication` that are gone
//!   from their table, because a log-out deletes them. (Where none of those that were moved is
//!   there, it may be another database, and they are only named.) `--dry-run` names them and
//!   revokes nothing.
//! - A refresh token that was refreshed here before, and a key that expires earlier in Django now,
//!   are named and left as they are. An API key, or a user, whose row was deleted in Django cannot
//!   be told from one that was made here: revoke or remove these here by hand.
//! - The report has ids and reasons, never a hash. `--json` prints an object for each kind, with
//!   every id.
//! - The database of Django is not written. PostgreSQL is read as it is at one moment.
//!
//! What becomes what:
//!
//! - **Users** keep their ids, `date_joined`, and `is_active`. They sign in by `username`, or the
//!   columns that `--name-column` names. Django tells `Anna` from `anna`; here they are one name,
//!   so where both exist, each signs in by the name as it is written in Django. Names and address
//!   are kept as the profile: `{"username", "email", "first_name", "last_name"}`. Who has a hash
//!   that is not read (`md5`, `scrypt`, `pbkdf2_sha1`) is moved without a password.
//! - **Tokens** of `TokenAuthentication` belong to their user and have the rights that the user has
//!   now. Django keeps them as they are presented; the store has their digest.
//! - **API keys** of djangorestframework-api-key have their prefix as id, and are revoked and
//!   expire as in Django. Each belongs to itself (`Subject::new("api-key", PREFIX)`), or to what a
//!   column of its table says.
//! - **Refresh tokens** that have not expired become families, those in `BlacklistedToken` revoked
//!   ones. Without the app `token_blacklist` there is nothing to move, and `--simplejwt` lets in
//!   what was issued.
//!
//! # Roles and scopes
//!
//! A mapping (`--mapping FILE`) says what groups and permissions become. Without one, and for each
//! member that is left out:
//!
//! ```json
//! {
//!   "everybody":   {},
//!   "staff":       { "roles": ["staff"] },
//!   "superuser":   { "roles": ["superuser"] },
//!   "groups":      { "*": { "roles": ["{name}"] } },
//!   "permissions": { "*": { "scopes": ["{name}"] } },
//!   "api_keys":    { "owner_kind": "api-key", "scopes": [], "roles": [] }
//! }
//! ```
//!
//! A permission is called `app_label.codename`, as `has_perm` takes it, and a user has those of
//! their groups as well. Superusers pass every `has_perm` in Django; here they have the role and
//! what was granted to them, and the service says what the role may do. `*` is for all that are not
//! named. A name that is listed gets exactly what its entry says, and `{}` grants nothing:
//!
//! ```json
//! {
//!   "superuser":   { "roles": ["admin"] },
//!   "groups":      { "editors": { "scopes": ["reports:write"] }, "beta": {},
//!                    "*": { "roles": ["{name}"] } },
//!   "permissions": { "reports.view_report": { "scopes": ["reports:read"] } },
//!   "api_keys":    { "owner_kind": "tenant", "owner_column": "tenant_id",
//!                    "scopes": ["reports:read"] }
//! }
//! ```
//!
//! # 3. The day of the change
//!
//! 1. Run the import while Django serves, and read what it left.
//! 2. Stop Django, run the import once more, start the new service. What was revoked in Django in
//!    between is revoked here by that run.
//! 3. Each request with an access token of simplejwt asks the store, until the last of these tokens
//!    has expired.
//!    A sign-out with one of them ends all tokens that simplejwt issued to that user.
