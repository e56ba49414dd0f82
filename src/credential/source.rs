use super::authorization::{not_accepted, split_scheme, token_after_scheme, token68};
use super::bearer::{classify, configured_prefix};
use super::{ApiKeyCredential, BasicCredential, Credential, OtherCredential};
use crate::reject::{Presented, Rejection, RejectionKind};
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What the configured schemes accept, hence what is a credential at all.
#[derive(Debug, Default)]
pub(crate) struct Accepted {
    /// Bearer carries JWTs.
    pub(crate) tokens: bool,
    /// API keys are accepted, in all of their forms.
    pub(crate) api_keys: bool,
    /// The prefixes of API keys, without the `_`.
    pub(crate) prefixes: Vec<Box<str>>,
    /// API keys without a prefix are accepted.
    pub(crate) bare_keys: bool,
    /// Basic is accepted.
    pub(crate) basic: bool,
    /// The names of the application's own schemes.
    pub(crate) others: Vec<&'static str>,
    /// The longest field value that is looked at, in bytes.
    pub(crate) max_len: usize,
}

/// The credential of a request.
#[derive(Debug)]
pub(crate) struct Found<'h> {
    pub(crate) credential: Credential<'h>,
    pub(crate) presented: Presented,
}

/// Finds the one credential of a request.
#[derive(Debug)]
pub(crate) struct Source(Accepted);

impl Source {
    pub(crate) fn new(accepted: Accepted) -> Self {
        Self(accepted)
    }

    #[cfg(feature = "openapi")]
    pub(crate) fn accepted(&self) -> &Accepted {
        &self.0
    }

    /// The credential of a request, `None` where there is none. The fields it came in are marked sensitive, so
    /// that no later `Debug` shows them and HPACK does not index them (RFC 7541 §7.1.3).
    ///
    /// One walk over the fields finds both of them and whether one came twice; looking each up by its hash costs more. A walk
    /// over the names alone comes first, at a third of the price: it is all that a flood of requests without a credential costs.
    #[inline]
    pub(crate) fn read<'h>(
        &self,
        headers: &'h mut HeaderMap,
    ) -> Result<Option<Found<'h>>, Rejection> {
        let api_keys = self.0.api_keys;
        if !headers
            .keys()
            .any(|name| *name == AUTHORIZATION || (api_keys && *name == X_API_KEY))
        {
            return Ok(None);
        }
        let (mut authorization, mut api_key) = (Lines::default(), Lines::default());
        for (name, value) in headers.iter_mut() {
            if *name == AUTHORIZATION {
                authorization.add(value);
            } else if api_keys && *name == X_API_KEY {
                api_key.add(value);
            }
        }
        let (credential, presented) = match (authorization.first, api_key.first) {
            (None, None) => return Ok(None),
            (Some(value), None) => {
                let line = self.line(value);
                let checked = self.only_line(value, authorization.more);
                (checked.and_then(|()| line.credential()), line.presented())
            }
            (None, Some(value)) => {
                let checked = self.only_line(value, api_key.more);
                (checked.and_then(|()| self.api_key(value)), Presented::Other)
            }
            (Some(value), Some(_)) => (
                Err(RejectionKind::MultipleCredentials),
                self.line(value).presented(),
            ),
        };
        match credential {
            Ok(credential) => Ok(Some(Found {
                credential,
                presented,
            })),
            Err(kind) => Err(Rejection::new(kind, "form").presented(presented)),
        }
    }

    /// A field that came twice is refused: whichever line is taken, a proxy may have looked at the other.
    fn only_line(&self, value: &[u8], more: bool) -> Result<(), RejectionKind> {
        if more {
            Err(RejectionKind::RepeatedField)
        } else if value.len() > self.0.max_len {
            Err(RejectionKind::OversizedCredential)
        } else {
            Ok(())
        }
    }

    fn line<'s, 'h>(&'s self, value: &'h [u8]) -> Line<'s, 'h> {
        // As nearly everybody writes it.
        if let Some(rest) = value
            .strip_prefix(b"Bearer")
            .filter(|rest| rest.starts_with(b" "))
        {
            return Line {
                accepted: &self.0,
                name: Name::Bearer,
                scheme: b"Bearer",
                rest,
            };
        }
        let (scheme, rest) = split_scheme(value);
        Line {
            accepted: &self.0,
            name: Name::of(scheme),
            scheme,
            rest,
        }
    }

    fn api_key<'h>(&self, value: &'h [u8]) -> Result<Credential<'h>, RejectionKind> {
        Ok(Credential::ApiKey(key(token68(value)?, &self.0.prefixes)))
    }
}

/// The one line of an `Authorization` field.
struct Line<'s, 'h> {
    accepted: &'s Accepted,
    name: Name,
    scheme: &'h [u8],
    rest: &'h [u8],
}

/// RFC 9110 §11.1: the name of a scheme is compared without regard to case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Bearer,
    ApiKey,
    Basic,
    Other,
}

impl Name {
    fn of(scheme: &[u8]) -> Self {
        if scheme.eq_ignore_ascii_case(b"Bearer") {
            Self::Bearer
        } else if scheme.eq_ignore_ascii_case(b"Api-Key") {
            Self::ApiKey
        } else if scheme.eq_ignore_ascii_case(b"Basic") {
            Self::Basic
        } else {
            Self::Other
        }
    }
}

impl<'h> Line<'_, 'h> {
    /// Whether it claims to be a Bearer, well-formed or not.
    fn presented(&self) -> Presented {
        if self.name == Name::Bearer {
            Presented::Bearer
        } else {
            Presented::Other
        }
    }

    fn credential(&self) -> Result<Credential<'h>, RejectionKind> {
        let Accepted {
            tokens,
            api_keys,
            basic,
            ref others,
            ref prefixes,
            bare_keys,
            ..
        } = *self.accepted;
        match self.name {
            Name::Bearer if tokens || api_keys => Ok(classify(self.token()?, prefixes, bare_keys)),
            Name::ApiKey if api_keys => Ok(Credential::ApiKey(key(self.token()?, prefixes))),
            Name::Basic if basic => BasicCredential::parse(self.token()?).map(Credential::Basic),
            _ => {
                let named = |other: &&&str| self.scheme.eq_ignore_ascii_case(other.as_bytes());
                let scheme = others
                    .iter()
                    .find(named)
                    .ok_or_else(|| not_accepted(self.scheme, self.rest))?;
                Ok(Credential::Other(OtherCredential {
                    scheme,
                    token: self.token()?,
                }))
            }
        }
    }

    fn token(&self) -> Result<&'h [u8], RejectionKind> {
        token_after_scheme(self.rest)
    }
}

fn key<'h>(token: &'h [u8], prefixes: &[Box<str>]) -> ApiKeyCredential<'h> {
    ApiKeyCredential {
        token,
        prefix: configured_prefix(token, prefixes),
    }
}

/// The lines of one field.
#[derive(Default)]
struct Lines<'h> {
    first: Option<&'h [u8]>,
    more: bool,
}

impl<'h> Lines<'h> {
    fn add(&mut self, value: &'h mut HeaderValue) {
        value.set_sensitive(true);
        match self.first {
            None => self.first = Some(value.as_bytes()),
            Some(_) => self.more = true,
        }
    }
}
