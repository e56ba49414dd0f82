//! The self-service page: what a browser is sent, what cookies are good for, and what people see.

mod cookies;
mod files;
mod people;
mod site;
