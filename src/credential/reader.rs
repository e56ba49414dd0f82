use super::authorization::{not_accepted, split_scheme, token_after_scheme};
use super::elsewhere::{Candidate, Copied, Elsewhere, mark};
use super::precautions::Precautions;
use super::sender::{DPOP, Sender, Sight};
use super::source::Source;
use super::takes::Takes;
use super::text::visible;
use super::{Accepted, BasicCredential, Credential, OtherCredential};
use crate::reject::{Presented, Rejection, RejectionKind};
use http::Request;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

/// The one field beside `Authorization` that most layers read. A name that is known here costs half
/// of what any other does.
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The credential of a request.
#[derive(Debug)]
pub(crate) struct Found<'r> {
    pub(crate) credential: Credential<'r>,
    pub(crate) presented: Presented,
}

impl<'r> Found<'r> {
    /// The same, a key where it is one that stood in the name of Basic.
    fn told_by(
        self,
        elsewhere: &'r Elsewhere,
        copied: &'r mut Option<Copied>,
    ) -> Result<Self, Rejection> {
        let Self {
            credential: Credential::Basic(basic),
            presented,
        } = self
        else {
            return Ok(self);
        };
        match elsewhere.in_basic(basic, copied) {
            Ok(credential) => Ok(Self {
                credential,
                presented,
            }),
            Err(kind) => Err(refused(kind, presented)),
        }
    }
}

/// Finds the one credential of a request.
#[derive(Debug)]
pub(crate) struct Reader {
    accepted: Accepted,
    bearer: Option<Takes>,
    dpop: Option<Takes>,
    api_key: Option<Takes>,
    token: Option<Takes>,
    x_api_key: Option<Takes>,
    basic: BasicForm,
    elsewhere: Option<Box<Elsewhere>>,
    reads_senders: bool,
}

/// What `Authorization: Basic` is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BasicForm {
    Nothing,
    Passwords,
    /// As keys, which have no password; the rest is said by [`Elsewhere::in_basic`].
    Keys,
}

impl Reader {
    pub(crate) fn new(accepted: Accepted) -> Self {
        let usual = [
            Source::bearer(),
            Source::dpop(),
            Source::api_key(),
            Source::token(),
            Source::header(X_API_KEY.as_str()),
        ];
        let mut others = accepted.sources();
        others.retain(|source| !usual.contains(source));
        let [bearer, dpop, api_key, token, x_api_key] =
            usual.map(|source| Takes::at(&source, &accepted));
        let elsewhere = Elsewhere::of(&others, &accepted).map(Box::new);
        let basic = match &elsewhere {
            Some(elsewhere) if elsewhere.reads_basic_keys() => BasicForm::Keys,
            _ if accepted.basic => BasicForm::Passwords,
            _ => BasicForm::Nothing,
        };
        Self {
            bearer,
            dpop,
            api_key,
            token,
            x_api_key,
            basic,
            elsewhere,
            reads_senders: accepted.reads_senders(),
            accepted,
        }
    }

    #[inline]
    pub(crate) fn accepted(&self) -> &Accepted {
        &self.accepted
    }

    /// What the answer to a request must say because of where its credential stands. Asked before
    /// the request is read, which takes away what stands in a URL.
    #[inline]
    pub(crate) fn precautions<B>(&self, request: &Request<B>) -> Option<Box<Precautions>> {
        let elsewhere = self.elsewhere.as_ref()?;
        elsewhere.precautions(request).map(Box::new)
    }

    /// Whether any answer may need precautions.
    #[inline]
    pub(crate) fn reads_elsewhere(&self) -> bool {
        self.elsewhere.is_some()
    }

    /// Whether it matters who sent a request.
    #[inline]
    pub(crate) fn reads_senders(&self) -> bool {
        self.reads_senders
    }

    /// Who sent a request, where that matters.
    #[inline]
    pub(crate) fn sender<B>(&self, request: &Request<B>, sight: Sight) -> Option<Box<Sender>> {
        match self.reads_senders {
            true => self.read_sender(request, sight),
            false => None,
        }
    }

    #[inline(never)]
    fn read_sender<B>(&self, request: &Request<B>, sight: Sight) -> Option<Box<Sender>> {
        Sender::of(request, self.accepted.public_url.as_deref(), sight).map(Box::new)
    }

    /// The credential of a request, `None` where there is none. The fields it came in are marked
    /// sensitive, so that no later `Debug` shows them and HPACK does not index them (RFC 7541
    /// §7.1.3). What stood elsewhere is in `copied`.
    #[inline]
    pub(crate) fn read<'r, B>(
        &'r self,
        request: &'r mut Request<B>,
        copied: &'r mut Option<Copied>,
    ) -> Result<Option<Found<'r>>, Rejection> {
        if self.reads_senders {
            mark(request.headers_mut(), &DPOP);
        }
        match &self.elsewhere {
            None => self.read_fields(request.headers_mut()),
            Some(elsewhere) => self.read_everywhere(elsewhere, request, copied),
        }
    }

    #[inline(never)]
    fn read_everywhere<'r, B>(
        &'r self,
        elsewhere: &'r Elsewhere,
        request: &'r mut Request<B>,
        copied: &'r mut Option<Copied>,
    ) -> Result<Option<Found<'r>>, Rejection> {
        let mut candidates = elsewhere.find(request);
        // Read even where a candidate was found: of two credentials none is chosen, and all fields
        // that hold one are marked sensitive.
        let in_fields = self.read_fields(request.headers_mut());
        let Some(candidate) = candidates.pop() else {
            return match in_fields? {
                Some(found) => found.told_by(elsewhere, copied).map(Some),
                None => Ok(None),
            };
        };
        let presented = match &in_fields {
            Ok(None) if candidates.is_empty() => return one(candidate, copied).map(Some),
            Ok(None) => Presented::Other,
            Ok(Some(found)) => found.presented,
            Err(rejection) => rejection.was_presented(),
        };
        Err(refused(RejectionKind::MultipleCredentials, presented))
    }

    /// One walk over the fields finds both of them and whether one came twice; looking each up by
    /// its hash costs more. A walk over the names alone comes first, at a third of the price:
    /// it is all that a flood of requests without a credential costs.
    #[inline(always)] // but for one, all layers come this way
    fn read_fields<'r>(
        &'r self,
        headers: &'r mut HeaderMap,
    ) -> Result<Option<Found<'r>>, Rejection> {
        if !self.may_find(headers) {
            return Ok(None);
        }
        let reads_key = self.x_api_key.is_some();
        let (mut authorization, mut own) = (Lines::default(), Lines::default());
        for (name, value) in headers.iter_mut() {
            if *name == AUTHORIZATION {
                authorization.add(value);
            } else if reads_key && *name == X_API_KEY {
                own.add(value);
            }
        }
        let (credential, presented) = match (authorization.first, own.first) {
            (None, None) => return Ok(None),
            (Some(value), None) => {
                let line = self.line(value);
                let checked = self.only_line(value, authorization.more);
                let presented = line.presented();
                match checked {
                    Ok(()) => (line.credential(), presented),
                    Err(kind) => (Err(kind), authorization.presented(presented)),
                }
            }
            (None, Some(value)) => {
                let checked = self.only_line(value, own.more);
                (
                    checked.and_then(|()| self.in_x_api_key(value)),
                    Presented::Other,
                )
            }
            // Neither of the two is chosen: a program on the way may have chosen the other one.
            (Some(value), Some(_)) => (
                Err(RejectionKind::MultipleCredentials),
                authorization.presented(self.line(value).presented()),
            ),
        };
        match credential {
            Ok(credential) => Ok(Some(Found {
                credential,
                presented,
            })),
            Err(kind) => Err(refused(kind, presented)),
        }
    }

    #[inline(always)] // as `read_fields`
    fn may_find(&self, headers: &HeaderMap) -> bool {
        let reads_key = self.x_api_key.is_some();
        headers
            .keys()
            .any(|name| *name == AUTHORIZATION || (reads_key && *name == X_API_KEY))
    }

    /// Marks the fields that a credential may stand in sensitive, as [`read`](Self::read) does, and
    /// looks at none.
    #[inline]
    pub(crate) fn hide(&self, headers: &mut HeaderMap) {
        if self.may_find(headers) {
            mark(headers, &AUTHORIZATION);
            mark(headers, &X_API_KEY);
        }
        if self.reads_senders {
            mark(headers, &DPOP);
        }
        if let Some(elsewhere) = &self.elsewhere {
            elsewhere.hide(headers);
        }
    }

    /// A field that came twice is refused: whichever line is taken, a proxy may have looked at the
    /// other.
    fn only_line(&self, value: &[u8], more: More) -> Result<(), RejectionKind> {
        if more != More::None {
            Err(RejectionKind::RepeatedField)
        } else if value.len() > self.accepted.max_len {
            Err(RejectionKind::OversizedCredential)
        } else {
            Ok(())
        }
    }

    fn line<'r>(&'r self, value: &'r [u8]) -> Line<'r> {
        // The two spellings that nearly everybody uses are compared as they are. All others are
        // compared without regard to case (RFC 9110 §11.1).
        let (name, length) = if value.starts_with(b"Bearer ") {
            (Name::Bearer, 6)
        } else if value.starts_with(b"Basic ") {
            (Name::Basic, 5)
        } else {
            let (scheme, _) = split_scheme(value);
            (Name::of(scheme), scheme.len())
        };
        let (scheme, rest) = value.split_at(length);
        Line {
            reader: self,
            name,
            scheme,
            rest,
        }
    }

    fn in_x_api_key<'r>(&'r self, value: &'r [u8]) -> Result<Credential<'r>, RejectionKind> {
        match &self.x_api_key {
            Some(takes) => takes.read(visible(value)?),
            None => Err(RejectionKind::UnknownScheme),
        }
    }
}

fn one<'r>(
    candidate: Candidate<'r>,
    copied: &'r mut Option<Copied>,
) -> Result<Found<'r>, Rejection> {
    let presented = Presented::Other;
    match candidate.credential(copied) {
        Ok(credential) => Ok(Found {
            credential,
            presented,
        }),
        Err(kind) => Err(refused(kind, presented)),
    }
}

fn refused(kind: RejectionKind, presented: Presented) -> Rejection {
    Rejection::new(kind, "form").presented(presented)
}

/// The one line of an `Authorization` field.
struct Line<'r> {
    reader: &'r Reader,
    name: Name,
    scheme: &'r [u8],
    rest: &'r [u8],
}

/// RFC 9110 §11.1: the name of a scheme is compared without regard to case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Bearer,
    Dpop,
    ApiKey,
    Token,
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
        } else if scheme.eq_ignore_ascii_case(b"DPoP") {
            Self::Dpop
        } else if scheme.eq_ignore_ascii_case(b"Token") {
            Self::Token
        } else {
            Self::Other
        }
    }
}

impl<'r> Line<'r> {
    /// What it claims to be, well-formed or not.
    fn presented(&self) -> Presented {
        match self.name {
            Name::Bearer => Presented::Bearer,
            Name::Dpop => Presented::Dpop,
            Name::ApiKey | Name::Token | Name::Basic | Name::Other => Presented::Other,
        }
    }

    fn credential(&self) -> Result<Credential<'r>, RejectionKind> {
        let takes = match self.name {
            Name::Bearer => &self.reader.bearer,
            Name::Dpop => &self.reader.dpop,
            Name::ApiKey => &self.reader.api_key,
            Name::Token => &self.reader.token,
            Name::Basic => return self.basic(),
            Name::Other => &None,
        };
        match takes {
            Some(takes) => takes.read(self.token()?),
            None => self.other(),
        }
    }

    fn basic(&self) -> Result<Credential<'r>, RejectionKind> {
        let basic = match self.reader.basic {
            BasicForm::Passwords => BasicCredential::parse(self.token()?)?,
            BasicForm::Keys => BasicCredential::parse_any(self.token()?)?,
            BasicForm::Nothing => return self.other(),
        };
        Ok(Credential::Basic(basic))
    }

    /// A scheme of the application's own, or one that nobody accepts.
    fn other(&self) -> Result<Credential<'r>, RejectionKind> {
        for scheme in &self.reader.accepted.others {
            if self.scheme.eq_ignore_ascii_case(scheme.as_bytes()) {
                let token = self.token()?;
                return Ok(Credential::Other(OtherCredential { scheme, token }));
            }
        }
        Err(not_accepted(self.scheme, self.rest))
    }

    fn token(&self) -> Result<&'r [u8], RejectionKind> {
        token_after_scheme(self.rest)
    }
}

/// The lines of one field.
#[derive(Default)]
struct Lines<'r> {
    first: Option<&'r [u8]>,
    more: More,
}

/// Whether there are lines after the first one.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum More {
    #[default]
    None,
    Some,
    /// A Bearer is among them.
    Bearer,
}

impl<'r> Lines<'r> {
    fn add(&mut self, value: &'r mut HeaderValue) {
        value.set_sensitive(true);
        let value = value.as_bytes();
        match self.first {
            None => self.first = Some(value),
            Some(_) => self.more = self.more.and(value),
        }
    }

    /// In what form the lines came, given that of the first: which of them is first makes no
    /// difference.
    fn presented(&self, first: Presented) -> Presented {
        if self.more == More::Bearer {
            Presented::Bearer
        } else {
            first
        }
    }
}

impl More {
    #[cold]
    fn and(self, value: &[u8]) -> Self {
        let (scheme, _) = split_scheme(value);
        if self == Self::Bearer || Name::of(scheme) == Name::Bearer {
            Self::Bearer
        } else {
            Self::Some
        }
    }
}
