/// What a token of ours is for; `token_type` says so, and one never passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenUse {
    Access,
    Refresh,
    Private,
}

impl TokenUse {
    /// Those that a request may present.
    pub(crate) const ACCESS: &[Self] = &[Self::Access, Self::Private];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
            Self::Private => "private",
        }
    }

    /// The use of exactly that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "access" => Some(Self::Access),
            "refresh" => Some(Self::Refresh),
            "private" => Some(Self::Private),
            _ => None,
        }
    }
}
