use crate::authorize::Requirement;
use crate::throttle::Stack;
use std::fmt;
use std::sync::Arc;

/// Which steps a layer takes with a request.
#[derive(Clone)]
pub(crate) enum Gate {
    /// Who calls, and how often the whole layer may be called.
    Authenticate(Mode),
    /// Counted like every request, but nobody is verified: for endpoints whose credential is in the
    /// body.
    #[cfg_attr(
        not(feature = "endpoints"),
        expect(dead_code, reason = "only endpoints have it")
    )]
    Anonymous,
    /// How often these routes may be called, inside of a layer that authenticates.
    Throttle(Arc<Stack>),
    /// How often public routes may be called, by whomever.
    ThrottlePublic(Arc<Stack>),
    /// What a caller must be or have, inside of a layer that authenticates.
    Require(Arc<Requirement>),
    /// Nothing is refused here. What a handler refuses is answered and told like everywhere.
    Errors,
}

/// Whether every request needs a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// No credential is refused.
    Required,
    /// No credential is anonymous. A bad one is refused all the same.
    Optional,
}

/// What the numbers call the gates.
pub(crate) const GATES: [&str; 5] = ["authenticate", "endpoint", "throttle", "require", "handler"];

impl Gate {
    /// The place of what a handler refuses among the names.
    pub(super) const HANDLER: usize = 4;

    /// The place of its name. What a layer refuses that only renders errors is its handler's.
    #[inline]
    pub(super) fn place(&self) -> usize {
        match self {
            Self::Authenticate(_) => 0,
            Self::Anonymous => 1,
            Self::Throttle(_) | Self::ThrottlePublic(_) => 2,
            Self::Require(_) => 3,
            Self::Errors => Self::HANDLER,
        }
    }

    /// Whether who comes this way needs a credential.
    pub(crate) fn mode(&self) -> Mode {
        match self {
            Self::Authenticate(mode) => *mode,
            Self::Require(_) => Mode::Required,
            Self::Anonymous | Self::Throttle(_) | Self::ThrottlePublic(_) | Self::Errors => {
                Mode::Optional
            }
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authenticate(mode) => write!(f, "authenticate: {mode:?}"),
            Self::Anonymous => f.write_str("anonymous"),
            Self::Throttle(stack) => write!(f, "throttle: {stack:?}"),
            Self::ThrottlePublic(stack) => write!(f, "throttle, public: {stack:?}"),
            Self::Require(requirement) => write!(f, "require: {requirement:?}"),
            Self::Errors => f.write_str("errors"),
        }
    }
}
