//! `import django`: what a service of Django REST Framework knows of users, keys and tokens.
//!
//! ```text
//! source (PostgreSQL, SQLite, a MySQL dump) ─→ rows ─→ users ─┐   what is there already
//!                                  mapping (JSON) ─→ rights   ├─→ target ─→ report
//!                                            keys, tokens ────┘   is left as it is
//! ```
//!
//! Every record has an id that follows from its row, so that a run that is repeated, or follows one
//! that was killed, finds what is there and adds the rest. Nothing that is there is changed.

mod api_keys;
mod blacklist;
mod django;
mod kind;
mod known_user;
mod mapping;
mod people;
mod report;
mod rights;
mod source;
mod tables;
mod target;
mod time;
mod tokens;
mod users;

pub(crate) use django::Django;
pub(crate) use report::KindReport;
