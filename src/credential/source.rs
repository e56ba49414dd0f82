use super::authorization::{scheme, token_after_scheme, token68};
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

    /// The credential of a request, `None` where there is none. The fields it came in are marked sensitive, so
    /// that no later `Debug` shows them and HPACK does not index them (RFC 7541 §7.1.3).
    ///
    /// One walk over the fields finds both of them and whether one came twice; looking each up by its hash costs more.
    pub(crate) fn read<'h>(&self, headers: &'h mut HeaderMap) -> Result<Option<Found<'h>>, Rejection> {
        let (mut authorization, mut api_key) = (Lines::default(), Lines::default());
        for (name, value) in headers.iter_mut() {
            if *name == AUTHORIZATION {
                authorization.add(value);
            } else if self.0.api_keys && *name == X_API_KEY {
                api_key.add(value);
            }
        }
        match (authorization.first, api_key.first) {
            (None, None) => Ok(None),
            (Some(value), None) => {
                let checked = self.only_line(value, authorization.more);
                found(checked.and_then(|()| self.authorization(value)), presented(value))
            }
            (None, Some(value)) => {
                let checked = self.only_line(value, api_key.more);
                found(checked.and_then(|()| self.api_key(value)), Presented::Other)
            }
            (Some(value), Some(_)) => Err(refused(RejectionKind::MultipleCredentials, presented(value))),
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

    fn authorization<'h>(&self, value: &'h [u8]) -> Result<Credential<'h>, RejectionKind> {
        let (name, rest) = scheme(value)?;
        let accepted = self.accepted(name).ok_or(RejectionKind::UnknownScheme)?;
        let token = token_after_scheme(rest)?;
        Ok(match accepted {
            Form::Bearer => classify(token, &self.0.prefixes, self.0.bare_keys),
            Form::ApiKey => Credential::ApiKey(self.key(token)),
            Form::Basic => Credential::Basic(BasicCredential::parse(token)?),
            Form::Other(scheme) => Credential::Other(OtherCredential { scheme, text: token }),
        })
    }

    /// RFC 9110 §11.1: the name of a scheme is compared without regard to case.
    fn accepted(&self, name: &[u8]) -> Option<Form> {
        let Accepted { tokens, api_keys, basic, ref others, .. } = self.0;
        if name.eq_ignore_ascii_case(b"Bearer") {
            (tokens || api_keys).then_some(Form::Bearer)
        } else if name.eq_ignore_ascii_case(b"Api-Key") {
            api_keys.then_some(Form::ApiKey)
        } else if name.eq_ignore_ascii_case(b"Basic") {
            basic.then_some(Form::Basic)
        } else {
            others
                .iter()
                .find(|other| name.eq_ignore_ascii_case(other.as_bytes()))
                .map(|other| Form::Other(other))
        }
    }

    fn api_key<'h>(&self, value: &'h [u8]) -> Result<Credential<'h>, RejectionKind> {
        Ok(Credential::ApiKey(self.key(token68(value)?)))
    }

    fn key<'h>(&self, text: &'h str) -> ApiKeyCredential<'h> {
        ApiKeyCredential { text, prefix: configured_prefix(text, &self.0.prefixes) }
    }
}

#[derive(Clone, Copy)]
enum Form {
    Bearer,
    ApiKey,
    Basic,
    Other(&'static str),
}

fn found(
    credential: Result<Credential<'_>, RejectionKind>,
    presented: Presented,
) -> Result<Option<Found<'_>>, Rejection> {
    match credential {
        Ok(credential) => Ok(Some(Found { credential, presented })),
        Err(kind) => Err(refused(kind, presented)),
    }
}

fn refused(kind: RejectionKind, presented: Presented) -> Rejection {
    Rejection::new(kind, "form").presented(presented)
}

/// Whether a field value claims to be a Bearer, well-formed or not.
fn presented(value: &[u8]) -> Presented {
    let name = value.split(|b| *b == b' ').next().unwrap_or_default();
    if name.eq_ignore_ascii_case(b"Bearer") { Presented::Bearer } else { Presented::Other }
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
