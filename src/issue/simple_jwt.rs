use crate::key_set::JwtKey;
use crate::scheme::jwt::Jwt;
use std::time::Duration;

/// Tokens that djangorestframework-simplejwt issued before this service took its place, for
/// [`Tokens::simplejwt`](super::Tokens::simplejwt).
///
/// ```text
/// { "token_type": "access", "exp": 1700000300, "iat": 1700000000, "jti": "5b0c…", "user_id": "7" }
/// ```
///
/// - They name no issuer and no audience; one that does is refused here. `user_id` is the user's
///   id, a text or a number, and `jti` and `exp` are there. Sliding tokens are refused.
/// - They are let in for users who have a record of it
///   ([`FamilyRecord::admitting_simplejwt`](crate::store::FamilyRecord::admitting_simplejwt)),
///   which `tower-auth import django` writes for each user. The end of all sessions of a user, by a
///   new password for example, ends it, and with it all tokens that simplejwt issued to them. So
///   does signing out with one of them, for nothing in it says to which refresh token it belongs.
/// - What one grants is what its user has at that moment: on each request with such a token the
///   user is looked up in the store. A user who is disabled or removed is refused.
/// - A refresh token becomes a family of ours when it is presented for the first time, and is good
///   as often as one of ours: once, where tokens [rotate](super::Tokens::without_rotation). One
///   that was blacklisted is refused, where its record was moved in
///   ([`FamilyRecord::from_simplejwt`](crate::store::FamilyRecord::from_simplejwt)).
/// - A refresh token is refused as an access token, and the other way round.
///
/// ```
/// use tower_auth::store::Memory;
/// use tower_auth::jwt::SimpleJwt;
/// use tower_auth::{AuthLayer, random_secret, Realm, Tokens};
///
/// # let django_secret_key = "qk%hbr_oo!pda&%tri-&v#=2j^r91kkz_h-i@1woh#d7m1llfh";
/// let old = SimpleJwt::hs256(django_secret_key); // SIGNING_KEY, where simplejwt has one
/// let tokens = Tokens::hs256(random_secret()?.expose())
///     .issuer("https://api.example.com")
///     .simplejwt(old);
/// let tokens = Realm::new(Memory::new()).tokens(tokens);
/// assert!(AuthLayer::builder().accept(&tokens).build().is_ok());
///
/// let short = Tokens::hs256(random_secret()?.expose())
///     .issuer("https://api.example.com")
///     .simplejwt(SimpleJwt::hs256("too short"));
/// let tokens = Realm::new(Memory::new()).tokens(short);
/// assert!(AuthLayer::builder().accept(&tokens).build().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SimpleJwt {
    keys: Vec<JwtKey>,
    user_id_claim: String,
}

impl SimpleJwt {
    /// Signed with HS256 under this secret of at least 32 bytes: Django's `SECRET_KEY`, or
    /// simplejwt's `SIGNING_KEY`. One that begins with `django-insecure-` is refused: it stands in
    /// the settings that `startproject` wrote, and so in a repository.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Self {
        Self::new(JwtKey::hs256(secret))
    }

    /// Signed with the key that this one verifies, for another `ALGORITHM` of simplejwt.
    pub fn new(key: JwtKey) -> Self {
        Self {
            keys: vec![key],
            user_id_claim: String::from("user_id"),
        }
    }

    /// A further key.
    pub fn key(mut self, key: JwtKey) -> Self {
        self.keys.push(key);
        self
    }

    /// The claim that holds the user's id, a text or a number, `user_id` by default: simplejwt's
    /// `USER_ID_CLAIM`.
    pub fn user_id_claim(mut self, name: impl Into<String>) -> Self {
        self.user_id_claim = name.into();
        self
    }

    /// What verifies them; `issuer` is who issues tokens now.
    pub(super) fn policy(self, issuer: &str) -> Jwt {
        let mut jwt = Jwt::new().simplejwt().issuer(issuer).leeway(Duration::ZERO);
        // `sub` is read anyway, and `Jwt` refuses a registered claim as the name of another one.
        if self.user_id_claim != "sub" {
            jwt = jwt.subject_claim(self.user_id_claim);
        }
        self.keys.into_iter().fold(jwt, Jwt::key)
    }
}
