//! The self-service page: sign in, and make, list, rotate and revoke one's own keys.
//!
//! ```text
//! GET PATH              page.html    the same bytes for everybody; page.css, page.js and page.svg beside it
//! GET PATHconfig.json                where the endpoints are and what their fields are called
//! GET PATHowner/                     who is signed in, and what the owner needs beside a key
//!
//! in cookies only, each for requests of the page itself alone:
//! POST PATHsession/                  sign-in, answered with cookies
//! POST PATHsession/refresh/          new cookies
//! POST PATHsession/end/              sign-out
//!      PATHkeys/…                    the endpoint of the keys, for a caller who presents a cookie
//! ```

mod cookies;
mod page;
mod session;

pub use page::Page;

pub(super) use cookies::Cookies;
