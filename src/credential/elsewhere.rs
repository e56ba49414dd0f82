use super::basic_keys::BasicKeys;
use super::cookie::{cookie, hide_cookies};
use super::origin::check_unsafe;
use super::precautions::{Opened, Precautions};
use super::query::{has_parameter, take_parameter};
use super::source::{Place, Source};
use super::takes::Takes;
use super::text::visible;
use super::websocket::{first_other, has_item, take_item};
use super::{Accepted, BasicCredential, Credential};
use crate::reject::RejectionKind;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderMap, HeaderName, Method, Request};
use zeroize::Zeroizing;

/// The places that few layers read: further header fields, cookies, query parameters, WebSocket
/// protocols, names of Basic.
///
/// They have a way of their own, so that the layers that read none of them pay nothing for it. A
/// credential found here is copied, for in some of the places it is encoded, and from some it is
/// taken away.
#[derive(Debug)]
pub(super) struct Elsewhere {
    places: Vec<Takes>,
    /// The reader finds what stands in `Authorization`, and asks here what it is.
    basic_keys: Option<BasicKeys>,
    max_len: usize,
    public_url: Option<String>,
}

/// A credential that was found, and where.
pub(super) struct Candidate<'r> {
    takes: &'r Takes,
    text: Result<Text, RejectionKind>,
}

type Text = Zeroizing<Vec<u8>>;

/// A credential outside of the request, overwritten when it is dropped. Small where there is none,
/// as there mostly is.
pub(crate) type Copied = Box<Zeroizing<Vec<u8>>>;

impl Elsewhere {
    /// `None` where no source is of that kind.
    pub(super) fn of(sources: &[Source], accepted: &Accepted) -> Option<Self> {
        let places: Vec<Takes> = sources
            .iter()
            .filter(|source| **source != Source::basic())
            .filter_map(|source| Takes::at(source, accepted))
            .collect();
        let basic_keys = BasicKeys::of(accepted);
        if places.is_empty() && basic_keys.is_none() {
            return None;
        }
        Some(Self {
            places,
            basic_keys,
            max_len: accepted.max_len,
            public_url: accepted.public_url.clone(),
        })
    }

    /// What the answer must say, of a request from which nothing was taken yet.
    pub(super) fn precautions<B>(&self, request: &Request<B>) -> Option<Precautions> {
        let mut in_url = false;
        let mut in_protocols = false;
        let mut protocols = Vec::new();
        for takes in &self.places {
            match &takes.source().0 {
                Place::Query(name) => in_url |= has_parameter(request.uri(), name),
                Place::WebSocket(name) => {
                    in_protocols |= has_item(request.headers(), name);
                    protocols.push(&**name);
                }
                _ => {}
            }
        }
        if !in_url && !in_protocols {
            return None;
        }
        let protocol = if in_protocols {
            first_other(request.headers(), &protocols)
        } else {
            None
        };
        Some(Precautions {
            in_url,
            protocol,
            opened: Opened::of(request),
        })
    }

    /// All credentials that stand in these places.
    pub(super) fn find<'r, B>(&'r self, request: &mut Request<B>) -> Vec<Candidate<'r>> {
        let mut found = Vec::new();
        for takes in &self.places {
            let text = match self.text_at(&takes.source().0, request) {
                Ok(None) => continue,
                Ok(Some(text)) => self.checked(text),
                Err(kind) => Err(kind),
            };
            found.push(Candidate { takes, text });
        }
        found
    }

    /// Whether keys stand in names of Basic.
    pub(super) fn reads_basic_keys(&self) -> bool {
        self.basic_keys.is_some()
    }

    /// What a Basic credential is: a key, whose text is kept in `copied`, or a name and a password.
    pub(super) fn in_basic<'r>(
        &'r self,
        basic: BasicCredential,
        copied: &'r mut Option<Copied>,
    ) -> Result<Credential<'r>, RejectionKind> {
        let Some(keys) = &self.basic_keys else {
            return Ok(Credential::Basic(basic));
        };
        match keys.key_in(&basic)? {
            Some(text) => keys.takes().read(copied.insert(Box::new(text))),
            None => Ok(Credential::Basic(basic)),
        }
    }

    /// Marks the fields of these places sensitive.
    pub(super) fn hide(&self, headers: &mut HeaderMap) {
        for takes in &self.places {
            match &takes.source().0 {
                Place::Header(name) => {
                    if let Ok(field) = HeaderName::from_bytes(name.as_bytes()) {
                        mark(headers, &field);
                    }
                }
                Place::Cookie(_) => hide_cookies(headers),
                Place::WebSocket(_) => mark(headers, &SEC_WEBSOCKET_PROTOCOL),
                // A URL cannot be marked.
                Place::Bearer
                | Place::Dpop
                | Place::ApiKey
                | Place::Token
                | Place::Basic
                | Place::Query(_) => {}
            }
        }
    }

    fn text_at<B>(
        &self,
        place: &Place,
        request: &mut Request<B>,
    ) -> Result<Option<Text>, RejectionKind> {
        match place {
            // The reader itself looks at these.
            Place::Bearer | Place::Dpop | Place::ApiKey | Place::Token | Place::Basic => Ok(None),
            Place::Header(name) => field(request.headers_mut(), name),
            Place::Cookie(name) => self.cookie(name, request),
            Place::Query(name) => parameter(request, name),
            Place::WebSocket(name) => take_item(request.headers_mut(), name),
        }
    }

    fn cookie<B>(
        &self,
        name: &str,
        request: &mut Request<B>,
    ) -> Result<Option<Text>, RejectionKind> {
        hide_cookies(request.headers_mut());
        let Some(value) = cookie(request.headers(), name)? else {
            return Ok(None);
        };
        // A browser adds the cookie to whatever request a page makes it send. So what changes
        // something has to come from a page of ours.
        check_unsafe(request, self.public_url.as_deref()).map_err(|refusal| refusal.kind())?;
        Ok(Some(Zeroizing::new(value.to_vec())))
    }

    fn checked(&self, text: Text) -> Result<Text, RejectionKind> {
        if text.len() > self.max_len {
            return Err(RejectionKind::OversizedCredential);
        }
        visible(&text)?;
        Ok(text)
    }
}

impl<'r> Candidate<'r> {
    /// The credential; its text is kept in `copied`.
    pub(super) fn credential(
        self,
        copied: &'r mut Option<Copied>,
    ) -> Result<Credential<'r>, RejectionKind> {
        let text = Box::new(self.text?);
        self.takes.read(copied.insert(text))
    }
}

/// The value of a field that is a credential as a whole. Whichever line of several is taken, a
/// proxy may have looked at the other.
fn field(headers: &mut HeaderMap, name: &str) -> Result<Option<Text>, RejectionKind> {
    let Ok(field) = HeaderName::from_bytes(name.as_bytes()) else {
        return Ok(None);
    };
    let mut found = None;
    for (name, value) in headers.iter_mut() {
        if *name != field {
            continue;
        }
        value.set_sensitive(true);
        let copied = Zeroizing::new(value.as_bytes().to_vec());
        if found.replace(copied).is_some() {
            // The other lines still have to be marked.
            mark(headers, &field);
            return Err(RejectionKind::RepeatedField);
        }
    }
    Ok(found)
}

pub(super) fn mark(headers: &mut HeaderMap, field: &HeaderName) {
    for (name, value) in headers.iter_mut() {
        if name == field {
            value.set_sensitive(true);
        }
    }
}

/// A parameter of the query. It is taken out whatever the method is, and read of those alone that a
/// URL is enough for.
fn parameter<B>(request: &mut Request<B>, name: &str) -> Result<Option<Text>, RejectionKind> {
    let found = take_parameter(request.uri_mut(), name)?;
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    // A URL ends up in logs and histories. It is enough for what a link or an image asks for, and
    // not for what changes something.
    if found.is_some() && !reads {
        return Err(RejectionKind::MalformedCredential);
    }
    Ok(found)
}
