//! Three services that somebody wrote who had read nothing but the guide.
//!
//! They stay as that person wrote them where the API allows, so that a change of what the guide
//! promises fails here.

mod greeter;
mod reports;
mod resource;
