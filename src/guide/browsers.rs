//! Browsers: where a page keeps its token, cookies and forged requests (CSRF), CORS, WebSockets,
//! and the page on which users manage their keys.
//!
//! # Where a page keeps its token
//!
//! | place | who can take it | sent to | take it for |
//! |---|---|---|---|
//! | memory of the page | scripts of the page, also injected ones (XSS), while it is open | any origin that CORS allows | single-page applications on another origin than the API |
//! | a cookie that is `HttpOnly` | no script; an injected one can still send requests | the API's own origin | pages that the API's own host serves |
//! | `localStorage`, `sessionStorage` | scripts of the page, also injected ones, and `localStorage` long after | any origin that CORS allows | better nothing |
//! | the URL | logs, histories, `Referer` | anywhere | what is short-lived, for `EventSource` |
//!
//! Injected scripts are met by a Content-Security-Policy, not by this crate. What it does for
//! either place: access tokens are short-lived (15 minutes by default), and a refresh token that
//! is stolen and used ends its whole family.
//!
//! # Cookies
//!
//! A scheme reads a cookie where its sources say so, and no other cookie is looked at:
//!
//! ```
//! use http::{Request, Response};
//! use std::convert::Infallible;
//! use tower::{ServiceExt, service_fn};
//! use tower_auth::store::Memory;
//! use tower_auth::credential::Source;
//! use tower_auth::{AuthLayer, Grant, random_secret, Realm, Subject, Tokens};
//! use tower_layer::Layer;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = random_secret()?; // a real service has it in its environment
//! let tokens = Tokens::hs256(secret.expose())
//!     .issuer("https://www.example.com")
//!     .sources([Source::bearer(), Source::cookie("__Host-access")]);
//! let tokens = Realm::new(Memory::new()).tokens(tokens);
//! let auth = AuthLayer::builder()
//!     .accept(&tokens)
//!     .public_url("https://www.example.com") // the origin whose pages may use the cookie
//!     .build()?;
//! let handler = |_: Request<String>| async { Ok::<_, Infallible>(Response::new(String::new())) };
//! let app = auth.layer(service_fn(handler));
//!
//! // What the sign-in of your application answers with:
//! // Set-Cookie: __Host-access=TOKEN; Secure; HttpOnly; Path=/; SameSite=Strict
//! let pair = tokens.issue(Grant::new(Subject::user("7"))).await?;
//! let cookie = format!("__Host-access={}", pair.access().expose());
//! let status = async |method: &str, fields: &[(&str, &str)]| {
//!     let mut request = Request::builder().method(method).header("cookie", &cookie);
//!     for (name, value) in fields {
//!         request = request.header(*name, *value);
//!     }
//!     let request = request.body(String::new()).unwrap();
//!     app.clone().oneshot(request).await.unwrap().status().as_u16()
//! };
//!
//! assert_eq!(status("GET", &[]).await, 200);
//! assert_eq!(status("POST", &[("sec-fetch-site", "same-origin")]).await, 200);
//! assert_eq!(status("POST", &[("origin", "https://www.example.com")]).await, 200);
//! assert_eq!(status("POST", &[("sec-fetch-site", "cross-site")]).await, 403); // forged
//! assert_eq!(status("POST", &[("sec-fetch-site", "same-site")]).await, 403); // from our other host
//! assert_eq!(status("POST", &[]).await, 403); // no browser says who sent it
//! // A socket that a page of another origin opens:
//! let hijack = [("upgrade", "websocket"), ("origin", "https://evil.example")];
//! assert_eq!(status("GET", &hijack).await, 403);
//! // Two credentials:
//! assert_eq!(status("GET", &[("authorization", "Bearer x")]).await, 400);
//! # Ok(()) }
//! ```
//!
//! - The name begins with `__Host-`, so that no other host of the domain can plant one; another
//!   name is an error of `build()`.
//! - **CSRF.** With `POST`, `PUT`, `PATCH`, `DELETE`, or the handshake of a WebSocket, the cookie
//!   counts only if a page of the same origin sent the request
//!   ([`Source::cookie`](crate::credential::Source::cookie) has the rule). There is no CSRF token
//!   to hand out. `GET` and `HEAD` are let through, for links lead to them: they must change
//!   nothing.
//! - *Same origin* is narrower than *same site*. A page of `app.example.com` cannot use the cookie
//!   of `api.example.com` to write. Serve both below one host, by a proxy for example, or have the
//!   page send a Bearer token.
//! - The rule is about requests that carry the cookie. A sign-in of your own that *sets* one has to
//!   refuse other origins itself. Otherwise a visitor may be signed in as somebody else. The page
//!   below refuses such origins.
//! - To sign out, end the session with the issuer of the token, and answer
//!   `Set-Cookie: __Host-access=; Secure; HttpOnly; Path=/; Max-Age=0`.
//! - Basic is like a cookie: browsers keep what was typed, and send it with forged requests
//!   too. Do not accept it where browsers come.
//!
//! # CORS
//!
//! A page of another origin asks first (a *preflight*: `OPTIONS` with
//! `Access-Control-Request-Method`), and that question never has a credential. So the CORS layer
//! stands outside of this one: it answers preflights itself, and refusals get its fields, without
//! which a script sees no 401 at all. In axum the last layer is the outermost:
//!
//! ```
//! use axum::{Router, body::Body, routing::get};
//! use http::Request;
//! use tower::ServiceExt;
//! use tower_auth::{ApiKeys, AuthLayer, Realm, store::Memory};
//! # // Stands for tower-http's `CorsLayer`.
//! # async fn answer(request: Request<Body>, next: axum::middleware::Next) -> http::Response<Body> {
//! #     let mut response = match request.headers().contains_key("access-control-request-method") {
//! #         true => http::Response::new(Body::empty()),
//! #         false => next.run(request).await,
//! #     };
//! #     let origin = http::HeaderValue::from_static("https://app.example.com");
//! #     response.headers_mut().insert("access-control-allow-origin", origin);
//! #     response
//! # }
//! # let cors = axum::middleware::from_fn(answer);
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
//! let auth = AuthLayer::builder().accept(&keys).build()?;
//! let routes = Router::new().route("/", get(async || "hello"));
//! let right = routes.clone().layer(auth.clone()).layer(cors.clone());
//! let wrong = routes.clone().layer(cors).layer(auth);
//! let preflight = || {
//!     Request::options("/")
//!         .header("origin", "https://app.example.com")
//!         .header("access-control-request-method", "GET")
//!         .body(Body::empty())
//! };
//!
//! assert_eq!(right.clone().oneshot(preflight()?).await?.status(), 200);
//! let refused = right.oneshot(Request::get("/").body(Body::empty())?).await?;
//! assert_eq!(refused.status(), 401);
//! assert!(refused.headers().contains_key("access-control-allow-origin"));
//!
//! assert_eq!(wrong.oneshot(preflight()?).await?.status(), 401);
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! With tower-http (0.6 and 0.7) such a layer is
//!
//! ```text
//! CorsLayer::new()
//!     .allow_origin(HeaderValue::from_static("https://app.example.com"))
//!     .allow_methods([Method::GET, Method::POST])
//!     .allow_headers([AUTHORIZATION, CONTENT_TYPE, HeaderName::from_static("x-api-key")])
//!     .expose_headers([WWW_AUTHENTICATE, RETRY_AFTER, HeaderName::from_static("ratelimit")])
//! ```
//!
//! - Name `AUTHORIZATION` and `x-api-key` among the headers that are allowed: `*` does not stand
//!   for `Authorization` (Fetch standard).
//! - Bearer tokens and API keys need no `allow_credentials`, which is about cookies; and a
//!   cookie is read across origins with safe methods alone, as said above. Leave it out.
//! - Where handlers answer preflights themselves, there is
//!   [`allow_preflight`](crate::layer::AuthLayerBuilder::allow_preflight), which lets them through
//!   as anonymous.
//!
//! # WebSockets and event streams
//!
//! A script cannot set `Authorization` at the handshake of a WebSocket, but it can offer protocols.
//! [`Source::websocket`](crate::credential::Source::websocket) reads the credential there and takes
//! it out:
//!
//! ```text
//! new WebSocket("wss://api.example.com/live", ["chat", "bearer." + token])
//! ```
//!
//! ```
//! use http::{Request, Response};
//! use std::convert::Infallible;
//! use tower::{ServiceExt, service_fn};
//! use tower_auth::store::Memory;
//! use tower_auth::credential::Source;
//! use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Realm, Subject};
//! use tower_layer::Layer;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = ApiKeys::prefix("egret").sources([Source::bearer(), Source::websocket("bearer")]);
//! let keys = Realm::new(Memory::new()).api_keys(keys);
//! let auth = AuthLayer::builder().accept(&keys).build()?;
//! let handler = |request: Request<String>| async move {
//!     assert_eq!(request.headers()["sec-websocket-protocol"], "chat"); // the key is gone
//!     Ok::<_, Infallible>(Response::builder().status(101).body(String::new()).unwrap())
//! };
//! let app = auth.layer(service_fn(handler));
//! let open = |offered: String| {
//!     Request::get("/live")
//!         .header("upgrade", "websocket")
//!         .header("sec-websocket-protocol", offered)
//!         .body(String::new())
//! };
//!
//! let key = keys.issue(KeyRequest::new(Subject::user("7"), "live")).await?.key;
//! let opened = app.clone().oneshot(open(format!("chat, bearer.{}", key.expose()))?).await?;
//! assert_eq!(opened.status(), 101);
//! assert_eq!(opened.headers()["sec-websocket-protocol"], "chat"); // what a browser insists on
//! let refused = app.oneshot(open(String::from("chat, bearer.egret_x"))?).await?;
//! assert_eq!(refused.status(), 401);
//! # Ok(()) }
//! ```
//!
//! - Offer a second protocol, as `chat` above: a browser closes the connection unless one is
//!   chosen, and the credential is never the one.
//! - The credential is judged at the handshake. A socket that is open outlives its expiry and its
//!   revocation: close it at [`Principal::expires`](crate::Principal::expires), and long ones from
//!   time to time.
//! - `EventSource` can set nothing: [`Source::query`](crate::credential::Source::query), with a
//!   credential that is short-lived, and with query strings kept out of logs.
//!
//! # The self-service page
//!
//! [`endpoint::Page`] (feature `endpoints`) is a ready-made page on which users sign in and make,
//! list, rotate and revoke their keys. Its tokens are in its memory, or with [`Page::cookies`] in
//! two `__Host-` cookies, `Secure`, `HttpOnly` and `SameSite=Strict`, that only the page's own
//! paths take. It comes under a strict Content-Security-Policy and loads nothing from elsewhere.
//!
//! ```text
//! .mount("/settings/", Page::new().title("Keys of Egret").cookies("egret"))
//! ```
//!
//! [`Page::cookies`]: ../../endpoint/struct.Page.html#method.cookies
//! [`endpoint::Page`]: ../../endpoint/struct.Page.html
