/// What can happen: the action of an [`Event`](super::Event). The names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// `request refused`
    Refused,
    /// `throttle would refuse`: a rule that only [observes](crate::throttle::Throttle::observe),
    /// once a request.
    ThrottleWouldRefuse,
    /// `signed in`
    SignedIn,
    /// `refreshed`: an access token for a refresh token, which goes on being the current one.
    Refreshed,
    /// `rotated`: the refresh token was replaced by its successor.
    Rotated,
    /// `reuse detected`: a refresh token that was rotated before came again; its family was
    /// revoked.
    ReuseDetected,
    /// `signed out`
    SignedOut,
    /// `signed out everywhere`
    SignedOutEverywhere,
    /// `token revoked`: one access token.
    TokenRevoked,
    /// `private token created`
    PrivateTokenCreated,
    /// `private token revoked`
    PrivateTokenRevoked,
    /// `user registered`
    UserRegistered,
    /// `user changed`
    UserChanged,
    /// `user disabled`
    UserDisabled,
    /// `user enabled`
    UserEnabled,
    /// `user removed`
    UserRemoved,
    /// `password changed`
    PasswordChanged,
    /// `password rehashed`: a hash of an older make was replaced at sign-in.
    PasswordRehashed,
    /// `key created`
    KeyCreated,
    /// `key renamed`
    KeyRenamed,
    /// `key rotated`
    KeyRotated,
    /// `key revoked`
    KeyRevoked,
    /// `key leaked`: a partner has found it where everybody can read it. It is revoked by then, and
    /// `key revoked` is told next.
    KeyLeaked,
    /// `scope used`: an API key passed a requirement that names this
    /// [scope](crate::event::Event::scope), once a day for each; only where it is
    /// [kept](crate::event::Audit::scope_uses).
    ScopeUsed,
    /// `signing key created`: the next key of a [`KeyRotation`](crate::jwt::KeyRotation), told by
    /// the node that made it.
    SigningKeyCreated,
    /// `signing key removed`: the last token that it signed has expired.
    SigningKeyRemoved,
}

impl Action {
    /// Its name, which does not change.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "request refused",
            Self::ThrottleWouldRefuse => "throttle would refuse",
            Self::SignedIn => "signed in",
            Self::Refreshed => "refreshed",
            Self::Rotated => "rotated",
            Self::ReuseDetected => "reuse detected",
            Self::SignedOut => "signed out",
            Self::SignedOutEverywhere => "signed out everywhere",
            Self::TokenRevoked => "token revoked",
            Self::PrivateTokenCreated => "private token created",
            Self::PrivateTokenRevoked => "private token revoked",
            Self::UserRegistered => "user registered",
            Self::UserChanged => "user changed",
            Self::UserDisabled => "user disabled",
            Self::UserEnabled => "user enabled",
            Self::UserRemoved => "user removed",
            Self::PasswordChanged => "password changed",
            Self::PasswordRehashed => "password rehashed",
            Self::KeyCreated => "key created",
            Self::KeyRenamed => "key renamed",
            Self::KeyRotated => "key rotated",
            Self::KeyRevoked => "key revoked",
            Self::KeyLeaked => "key leaked",
            Self::ScopeUsed => "scope used",
            Self::SigningKeyCreated => "signing key created",
            Self::SigningKeyRemoved => "signing key removed",
        }
    }
}
