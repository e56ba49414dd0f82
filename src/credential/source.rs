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
    pub(crate) fn read<'h>(&self, headers: &'h mut HeaderMap) -> Result<Option<Found<'h>>, Rejection> {
        let in_authorization = mark_sensitive(headers, &AUTHORIZATION);
        let in_api_key = self.0.api_keys && mark_sensitive(headers, &X_API_KEY);
        let headers = &*headers;
        match (in_authorization, in_api_key) {
            (false, false) => Ok(None),
            (true, false) => {
                let value = self.only_line(headers, &AUTHORIZATION)?;
                found(self.authorization(value), presented(value))
            }
            (false, true) => {
                let value = self.only_line(headers, &X_API_KEY)?;
                found(self.api_key(value), Presented::Other)
            }
            (true, true) => {
                let presented =
                    headers.get(AUTHORIZATION).map_or(Presented::Other, |v| presented(v.as_bytes()));
                Err(refused(RejectionKind::MultipleCredentials, presented))
            }
        }
    }

    /// A field that came twice is refused: whichever line is taken, a proxy may have looked at the other.
    fn only_line<'h>(&self, headers: &'h HeaderMap, name: &HeaderName) -> Result<&'h [u8], Rejection> {
        let mut lines = headers.get_all(name).iter();
        let value = lines.next().map(HeaderValue::as_bytes).unwrap_or_default();
        let kind = if lines.next().is_some() {
            RejectionKind::RepeatedField
        } else if value.len() > self.0.max_len {
            RejectionKind::OversizedCredential
        } else {
            return Ok(value);
        };
        Err(refused(kind, if *name == AUTHORIZATION { presented(value) } else { Presented::Other }))
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

/// Whether the field is there at all.
fn mark_sensitive(headers: &mut HeaderMap, name: &HeaderName) -> bool {
    let Some(first) = headers.get_mut(name) else { return false };
    first.set_sensitive(true);
    if headers.len() > headers.keys_len() {
        // Some field has several lines; only this rare request pays for a walk over all of them.
        headers
            .iter_mut()
            .filter(|(other, _)| *other == name)
            .for_each(|(_, value)| value.set_sensitive(true));
    }
    true
}
