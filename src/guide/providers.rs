//! Tokens of well-known identity providers: what each puts into them, and the lines that accept
//! them.
//!
//! Every page of a provider's console calls things otherwise. Four questions decide what a
//! [`Jwt`](crate::Jwt) has to say:
//!
//! 1. **Who issues them?** The `iss` of a token, character by character, a slash at its end
//!    included. [`Jwt::oidc`](crate::Jwt::oidc) finds the keys by it.
//! 2. **For whom are they?** The `aud`. A token for another service of the same provider must not
//!    pass, so an audience is required; where a provider writes none, another claim takes its place
//!    ([`instead_of_audience`](crate::Jwt::instead_of_audience)).
//! 3. **What do they grant?** Scopes and roles, each from one or several claims.
//! 4. **Who is it?** `sub`, unless another claim is stable for your purpose.
//!
//! What a token says is seen by decoding its middle part, which is base64url without padding: `cut
//! -d. -f2 | tr _- /+ | base64 -d 2>/dev/null`. Why one is refused is in the log, never in the
//! answer.
//!
//! All code below goes into the same place:
//!
//! ```
//! # use tower_auth::{AuthLayer, Jwt};
//! # let jwt = Jwt::oidc("https://login.example.com").audience("reports");
//! let auth = AuthLayer::builder().accept(jwt).build()?;
//! # async fn at_start(auth: AuthLayer) -> Result<(), tower_auth::Rejection> {
//! auth.ready().await?; // the keys are there before the first request; 503 where they are not
//! # Ok(()) }
//! # Ok::<(), tower_auth::ConfigError>(())
//! ```
//!
//! # Keycloak
//!
//! ```json
//! { "iss": "https://keycloak.example.com/realms/main", "aud": ["reports", "account"],
//!   "typ": "Bearer", "sub": "6f1c…", "azp": "web", "scope": "openid profile",
//!   "realm_access": { "roles": ["offline_access", "admin"] },
//!   "resource_access": { "reports": { "roles": ["editor"] } } }
//! ```
//!
//! `aud` names the service only where the client has an *audience mapper* for it; by default it is
//! `account`. ID, refresh and logout tokens say so in `typ`, and are refused.
//!
//! ```
//! # use tower_auth::Jwt;
//! let keycloak = Jwt::oidc("https://keycloak.example.com/realms/main")
//!     .audience("reports")
//!     .role_claim(["realm_access", "roles"])
//!     .role_claim(["resource_access", "reports", "roles"]);
//! # tower_auth::AuthLayer::builder().accept(keycloak).build().unwrap();
//! ```
//!
//! # Auth0
//!
//! ```json
//! { "iss": "https://example.eu.auth0.com/",
//!   "aud": ["https://api.example.com", "https://example.eu.auth0.com/userinfo"],
//!   "sub": "auth0|64ab…", "azp": "x1Y…",
//!   "scope": "openid read:reports", "permissions": ["read:reports"] }
//! ```
//!
//! The issuer ends in a slash. `permissions` is there when the API has RBAC with *Add Permissions
//! in the Access Token*. Without an `audience` in the request for a token Auth0 gives an opaque
//! one.
//!
//! ```
//! # use tower_auth::Jwt;
//! let auth0 = Jwt::oidc("https://example.eu.auth0.com/")
//!     .audience("https://api.example.com")
//!     .scope_claim("permissions");
//! # tower_auth::AuthLayer::builder().accept(auth0).build().unwrap();
//! ```
//!
//! # Entra ID, tokens of version 2
//!
//! ```json
//! { "iss": "https://login.microsoftonline.com/72f988bf-…/v2.0", "aud": "2d4d11a2-…",
//!   "tid": "72f988bf-…", "sub": "AAAA…", "oid": "690222be-…", "azp": "c0de…",
//!   "scp": "Reports.Read", "roles": ["Reader"], "ver": "2.0" }
//! ```
//!
//! `sub` is another one for each application; `oid` is the user, or the program, in the whole
//! tenant. The audience is the application's id, without `api://`.
//!
//! ```
//! # use tower_auth::Jwt;
//! let issuer = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0";
//! let one_tenant = Jwt::oidc(issuer)
//!     .audience("2d4d11a2-f814-46a7-890a-274a72a7309e")
//!     .subject_claim("oid")
//!     .scope_claim("scp");
//!
//! // Of several tenants each is an issuer of its own.
//! let several = Jwt::oidc("https://login.microsoftonline.com/{tenantid}/v2.0")
//!     .tenants(["72f988bf-86f1-41af-91ab-2d7cd011db47", "3aa4a235-b6e2-48d5-9195-7fcf05b459b0"])
//!     .audience("2d4d11a2-f814-46a7-890a-274a72a7309e")
//!     .subject_claim("oid")
//!     .scope_claim("scp");
//! # tower_auth::AuthLayer::builder().accept(one_tenant).build().unwrap();
//! # tower_auth::AuthLayer::builder().accept(several).build().unwrap();
//! ```
//!
//! # Entra ID, tokens of version 1
//!
//! ```json
//! { "iss": "https://sts.windows.net/72f988bf-…/", "aud": "api://2d4d11a2-…", "tid": "72f988bf-…",
//!   "appid": "c0de…", "oid": "690222be-…", "scp": "Reports.Read", "roles": ["Reader"],
//!   "ver": "1.0" }
//! ```
//!
//! Applications whose manifest leaves `accessTokenAcceptedVersion` at null get these, from
//! whichever endpoint. The issuer's name is not its address.
//!
//! ```
//! # use tower_auth::Jwt;
//! let version_1 = Jwt::oidc("https://sts.windows.net/{tenantid}/")
//!     .discovery("https://login.microsoftonline.com/common")
//!     .tenants(["72f988bf-86f1-41af-91ab-2d7cd011db47"])
//!     .audience("api://2d4d11a2-f814-46a7-890a-274a72a7309e")
//!     .subject_claim("oid")
//!     .scope_claim("scp");
//! # tower_auth::AuthLayer::builder().accept(version_1).build().unwrap();
//! ```
//!
//! # Okta
//!
//! ```json
//! { "iss": "https://example.okta.com/oauth2/default", "aud": "api://default",
//!   "sub": "anna@example.com", "uid": "00u…", "cid": "0oa…",
//!   "scp": ["openid", "reports.read"], "groups": ["staff"] }
//! ```
//!
//! Only a *custom authorization server* (`/oauth2/default` is one) gives access tokens that others
//! may verify. `sub` is the user's name; `uid` stays when the name changes, and is missing where a
//! program has the token. `groups` is there when a claim of that name is configured.
//!
//! ```
//! # use tower_auth::Jwt;
//! let okta = Jwt::oidc("https://example.okta.com/oauth2/default")
//!     .audience("api://default")
//!     .scope_claim("scp")
//!     .role_claim("groups");
//! # tower_auth::AuthLayer::builder().accept(okta).build().unwrap();
//! ```
//!
//! # Amazon Cognito
//!
//! ```json
//! { "iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_ExAmPlE",
//!   "client_id": "1example23456789", "token_use": "access", "sub": "aaaa…",
//!   "username": "anna", "scope": "reports/read", "cognito:groups": ["admins"] }
//! ```
//!
//! Access tokens have no `aud`: `client_id` is the application that signed the user in. ID tokens
//! say so in `token_use`, and are refused.
//!
//! ```
//! # use tower_auth::Jwt;
//! let cognito = Jwt::oidc("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_ExAmPlE")
//!     .instead_of_audience("client_id", "1example23456789")
//!     .role_claim("cognito:groups");
//! # tower_auth::AuthLayer::builder().accept(cognito).build().unwrap();
//! ```
//!
//! # Google
//!
//! ```json
//! { "iss": "https://accounts.google.com", "aud": "1234-abc.apps.googleusercontent.com",
//!   "azp": "1234-abc.apps.googleusercontent.com", "sub": "110169484474386276334",
//!   "email": "anna@example.com", "email_verified": true, "hd": "example.com" }
//! ```
//!
//! These are ID tokens: Google's access tokens are opaque, and no service but Google's can judge
//! them. An ID token for a client of your own says who signed in there. It grants nothing, and only
//! `hd` says to which organization somebody belongs.
//!
//! ```
//! # use serde::Deserialize;
//! # use tower_auth::{Jwt, Rejection};
//! #[derive(Deserialize)]
//! struct Domain {
//!     hd: Option<String>,
//! }
//!
//! let google = Jwt::oidc("https://accounts.google.com")
//!     .audience("1234-abc.apps.googleusercontent.com")
//!     .read_claims(|token| {
//!         let Domain { hd } = token.claims()?;
//!         match hd.as_deref() {
//!             Some("example.com") => Ok(()),
//!             _ => Err(Rejection::permission_denied("of another organization")),
//!         }
//!     });
//! # tower_auth::AuthLayer::builder().accept(google).build().unwrap();
//! ```
//!
//! # Firebase Authentication
//!
//! ```json
//! { "iss": "https://securetoken.google.com/example-1", "aud": "example-1", "sub": "dQw4…",
//!   "user_id": "dQw4…", "auth_time": 1700000000, "roles": ["editor"],
//!   "firebase": { "sign_in_provider": "password" } }
//! ```
//!
//! The audience is the project. Custom claims, such as these `roles`, stand beside the others.
//!
//! ```
//! # use tower_auth::Jwt;
//! let firebase = Jwt::oidc("https://securetoken.google.com/example-1").audience("example-1");
//! # tower_auth::AuthLayer::builder().accept(firebase).build().unwrap();
//! ```
//!
//! # Clerk
//!
//! ```json
//! { "iss": "https://clerk.example.com", "azp": "https://app.example.com",
//!   "sub": "user_2N…", "sid": "sess_2N…", "v": 2,
//!   "o": { "id": "org_2N…", "slg": "acme", "rol": "admin" } }
//! ```
//!
//! Session tokens have no `aud`; `azp` is the origin of the page that got them. They live for a
//! minute, so that clocks matter: the leeway of 60 seconds doubles that.
//!
//! ```
//! # use tower_auth::Jwt;
//! let clerk = Jwt::oidc("https://clerk.example.com")
//!     .instead_of_audience("azp", "https://app.example.com")
//!     .role_claim(["o", "rol"]);
//! # tower_auth::AuthLayer::builder().accept(clerk).build().unwrap();
//! ```
//!
//! # Zitadel
//!
//! ```json
//! { "iss": "https://example.zitadel.cloud", "aud": ["1690@reports", "1680"],
//!   "sub": "1677…", "jti": "V2_…",
//!   "urn:zitadel:iam:org:project:roles": { "editor": { "1674": "example.zitadel.cloud" } } }
//! ```
//!
//! Access tokens are JWTs only where the application's *Auth Token Type* says so. Roles are the
//! names of an object.
//!
//! ```
//! # use tower_auth::Jwt;
//! let zitadel = Jwt::oidc("https://example.zitadel.cloud")
//!     .audience("1680")
//!     .role_names("urn:zitadel:iam:org:project:roles");
//! # tower_auth::AuthLayer::builder().accept(zitadel).build().unwrap();
//! ```
//!
//! # Supabase
//!
//! ```json
//! { "iss": "https://abcd.supabase.co/auth/v1", "aud": "authenticated",
//!   "sub": "a1b2…", "role": "authenticated",
//!   "app_metadata": { "provider": "email", "roles": ["editor"] } }
//! ```
//!
//! A project that moves from its secret to key pairs has tokens of both for a while. Each key
//! verifies its own algorithm alone.
//!
//! ```
//! # use tower_auth::jwt::JwtKey;
//! # use tower_auth::Jwt;
//! # let secret = "u4Zq7Kw2xRm9 of a test: 0123456789abcdefgh";
//! let supabase = Jwt::oidc("https://abcd.supabase.co/auth/v1")
//!     .audience("authenticated")
//!     .key(JwtKey::hs256(secret)) // until its last token has expired
//!     .role_claim("role")
//!     .role_claim(["app_metadata", "roles"]);
//! # tower_auth::AuthLayer::builder().accept(supabase).build().unwrap();
//! ```
