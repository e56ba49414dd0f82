use crate::failure::Failure;
use crate::input::payload_of;
use crate::service::{LONGEST_ACCESS, Service};
use serde::Deserialize;
use tower_auth::{Rejection, RejectionKind, Secret, Subject, TokenIssuer};

/// A token that somebody has brought, before it is verified: what it says of its issuer decides
/// only with which names it is looked at, and the signature has to be right all the same.
pub(super) struct PresentedToken {
    text: Secret<String>,
    claims: Claims,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Option<String>,
}

impl PresentedToken {
    pub(super) fn read(text: Secret<String>) -> Result<Self, Failure> {
        match payload_of(text.expose()) {
            Some(claims) => Ok(Self { text, claims }),
            None => Err(Failure::usage(
                "What was read is no token of this service: it is no JWT with iss and sub.",
            )),
        }
    }

    pub(super) fn subject(&self) -> Subject {
        Subject::user(&*self.claims.sub)
    }

    pub(super) async fn revoke(&self, service: &Service) -> Result<(), Failure> {
        let tokens = self.issuer(service)?;
        let text = self.text.expose();
        if let Err(rejection) = tokens.verify(text).await {
            check_was_signed(&rejection)?;
        }
        let revoked = tokens.revoke(text).await;
        revoked.map_err(|rejection| Failure::refused(&rejection, "token"))
    }

    /// What issues such tokens.
    fn issuer(&self, service: &Service) -> Result<TokenIssuer, Failure> {
        if !service.environment.has_jwt_secret() {
            return Err(Failure::usage(
                "JWT_SECRET is not set, by which the token could be verified. Name its owner by \
                 --user or --owner, and all of the owner's sessions end.",
            ));
        }
        let tokens = service.environment.tokens(LONGEST_ACCESS, LONGEST_ACCESS)?;
        let mut tokens = tokens.issuer(&*self.claims.iss);
        if let Some(audience) = &self.claims.aud {
            tokens = tokens.audience(&**audience);
        }
        Ok(service.realm.tokens(tokens))
    }
}

fn check_was_signed(rejection: &Rejection) -> Result<(), Failure> {
    match rejection.kind() {
        // The signature was right in both cases, and the session of an expired refresh token may
        // still be good through its successor.
        RejectionKind::ExpiredToken | RejectionKind::RevokedToken => Ok(()),
        RejectionKind::Unavailable => Err(Failure::refused(rejection, "token")),
        _ => Err(Failure::usage(
            "The token was not signed with JWT_SECRET or JWT_SECRET_PREVIOUS.",
        )),
    }
}
