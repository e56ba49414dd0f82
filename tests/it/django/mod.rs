//! Moving in from Django: `tower-auth import django` moves the database of a real service, and then
//! its clients go on with what they hold.
//!
//! `tests/django` has the service and what makes the fixture; `.ci/django` makes it anew.

mod database;
mod import;
mod moved;
mod recorded;
mod service;

pub(crate) use database::fixture;
