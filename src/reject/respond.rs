use super::format::{ErrorFormat, Problem};
use super::grpc::{self, DPOP_NONCE};
use super::{Challenges, Presented, Rejection, RejectionKind, ResponseBody};
use crate::intern;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use http::response::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Turns a [`Rejection`] into a response: status, challenges, body, in one format for the whole
/// layer.
///
/// Most refusals carry nothing of their own. Their answers are made once, in [`Responder::new`],
/// and only cloned afterwards: a flood of refusals costs about as much as copying a dozen header
/// fields.
pub(crate) struct Responder {
    format: Box<dyn ErrorFormat>,
    challenges: Challenges,
    /// For each kind three answers: with a Bearer, a DPoP token, or neither of them presented.
    prepared: Vec<[Prepared; 3]>,
    /// What answers that are no refusals say of the fields they depend on.
    vary: Option<HeaderValue>,
}

struct Prepared {
    head: Parts,
    body: Bytes,
}

/// In what shape a request wants its refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Status, header fields and a body.
    Http,
    /// The same without the body (RFC 9110 §9.3.2).
    Head,
    /// HTTP 200 and `grpc-status`, with this content type.
    Grpc(&'static str),
}

impl Shape {
    pub(crate) fn of(method: &Method, headers: &HeaderMap) -> Self {
        match *method {
            // gRPC is always POST (PROTOCOL-HTTP2, "Requests"): the others need no look at their
            // content type.
            Method::POST => match grpc::answer_type(headers) {
                Some(content_type) => Self::Grpc(content_type),
                None => Self::Http,
            },
            Method::HEAD => Self::Head,
            _ => Self::Http,
        }
    }

    pub(crate) fn of_http(method: &Method) -> Self {
        if *method == Method::HEAD {
            Self::Head
        } else {
            Self::Http
        }
    }
}

/// The application's error format panicked, or its content type is no header value.
#[derive(Debug)]
pub(crate) struct UnusableFormat;

impl Responder {
    /// Prepares the answers. The format is called here for each kind, so one that cannot be used is
    /// found now.
    pub(crate) fn new(
        format: Box<dyn ErrorFormat>,
        challenges: Challenges,
    ) -> Result<Self, UnusableFormat> {
        let mut responder = Self {
            format,
            challenges,
            prepared: Vec::new(),
            vary: None,
        };
        for kind in RejectionKind::ALL {
            let prepared = [
                responder.prepare(kind, Presented::Other)?,
                responder.prepare(kind, Presented::Bearer)?,
                responder.prepare(kind, Presented::Dpop)?,
            ];
            responder.prepared.push(prepared);
        }
        Ok(responder)
    }

    fn prepare(
        &self,
        kind: RejectionKind,
        presented: Presented,
    ) -> Result<Prepared, UnusableFormat> {
        let rejection = Rejection::new(kind, "").presented(presented);
        Ok(self.render(&rejection)?.kept())
    }

    /// Answers of the inner service say that they depend on these fields.
    pub(crate) fn varying_by(self, fields: HeaderValue) -> Self {
        Self {
            vary: Some(fields),
            ..self
        }
    }

    /// For a refusal outside of any layer: a problem (RFC 9457) without challenges.
    #[cfg(feature = "axum")]
    pub(crate) fn standalone(rejection: &Rejection) -> Response<Bytes> {
        let responder = Self {
            format: Box::new(Problem),
            challenges: Challenges::new("", [("", ""); 0]),
            prepared: Vec::new(),
            vary: None,
        };
        responder.fresh(rejection).response(|body| body)
    }

    /// The answer to a refusal, to be looked at.
    #[cfg(feature = "openapi")]
    pub(crate) fn sample(&self, rejection: &Rejection) -> Response<Bytes> {
        self.fresh(rejection).response(|body| body)
    }

    #[inline]
    pub(crate) fn respond<B>(
        &self,
        rejection: Rejection,
        shape: Shape,
    ) -> Response<ResponseBody<B>> {
        if rejection.quota().is_none() {
            return self.answer(rejection, shape);
        }
        let fields = rejection.quota().cloned();
        let mut response = self.answer(rejection, shape);
        if let Some(fields) = fields {
            fields.write(response.headers_mut());
        }
        response
    }

    #[inline]
    fn answer<B>(&self, rejection: Rejection, shape: Shape) -> Response<ResponseBody<B>> {
        match (self.prepared(&rejection), shape) {
            (Some(answer), Shape::Http) => {
                answer.response(|body| ResponseBody::refused(body, rejection))
            }
            (_, Shape::Http) => self
                .fresh(&rejection)
                .response(|body| ResponseBody::refused(body, rejection)),
            (_, Shape::Head) => self.fresh(&rejection).head_response(rejection),
            // An answer of gRPC is HTTP 200, and the status of the call stands in `grpc-status`
            // (PROTOCOL-HTTP2, "Responses").
            (_, Shape::Grpc(content_type)) => {
                let headers = grpc::headers(&self.shown(&rejection), content_type);
                let answer = Prepared::new(StatusCode::OK, headers, Bytes::new());
                answer.response(|body| ResponseBody::refused(body, rejection))
            }
        }
    }

    /// Once, however many layers of this responder an answer passes.
    #[inline(always)] // few layers are asked for it
    pub(crate) fn add_vary(&self, headers: &mut HeaderMap) {
        if let Some(fields) = &self.vary {
            add_line(headers, fields);
        }
    }

    #[inline]
    fn prepared(&self, rejection: &Rejection) -> Option<&Prepared> {
        // With details of its own the answer is another one each time.
        if rejection.details.is_some() {
            return None;
        }
        let [other, bearer, dpop] = self.prepared.get(rejection.kind as usize)?;
        Some(match rejection.presented {
            Presented::Bearer => bearer,
            Presented::Dpop => dpop,
            Presented::Other => other,
        })
    }

    /// A hook that panics must not take the connection with it, nor change the status.
    fn fresh(&self, rejection: &Rejection) -> Prepared {
        self.render(rejection).unwrap_or_else(|UnusableFormat| {
            let headers = self.headers(rejection, HeaderValue::from_static(Problem.content_type()));
            Prepared::new(rejection.status(), headers, Bytes::new())
        })
    }

    fn render(&self, rejection: &Rejection) -> Result<Prepared, UnusableFormat> {
        // What the client must not know is taken out before the application's format sees the
        // refusal.
        let shown = &*self.shown(rejection);
        let made = catch_unwind(AssertUnwindSafe(|| {
            (self.format.content_type(), self.format.body(shown))
        }));
        let (content_type, body) = made.map_err(|_| UnusableFormat)?;
        let content_type = HeaderValue::from_str(content_type).map_err(|_| UnusableFormat)?;
        let headers = self.headers(shown, content_type);
        Ok(Prepared::new(
            rejection.status(),
            headers,
            Bytes::from(body),
        ))
    }

    /// What the client gets to know of a refusal, in whatever shape.
    fn shown<'r>(&self, rejection: &'r Rejection) -> Cow<'r, Rejection> {
        if self.format.tells_token_state() {
            Cow::Borrowed(rejection)
        } else {
            rejection.masked()
        }
    }

    fn headers(&self, rejection: &Rejection, content_type: HeaderValue) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type);
        // A shared cache must not serve one caller's refusal to another (RFC 9111 §3.5).
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for line in self.challenges.lines(rejection) {
            headers.append(WWW_AUTHENTICATE, line);
        }
        if let Some(nonce) = rejection.nonce() {
            headers.insert(DPOP_NONCE, nonce.clone());
        }
        if let Some(seconds) = rejection.retry_after_seconds() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        headers
    }
}

/// Adds a line of `Vary`, unless it is there.
#[inline(never)]
fn add_line(headers: &mut HeaderMap, fields: &HeaderValue) {
    if !headers.get_all(VARY).iter().any(|line| line == fields) {
        headers.append(VARY, fields.clone());
    }
}

impl Prepared {
    fn new(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        let (mut head, ()) = Response::new(()).into_parts();
        head.status = status;
        head.headers = headers;
        Self { head, body }
    }

    /// The same of bytes that are never freed: cloning them then counts no references, whose
    /// counters all threads that refuse would wait for. A layer keeps some five kilobytes so;
    /// equal texts are kept once, however many layers are built.
    fn kept(mut self) -> Self {
        for value in self.head.headers.values_mut() {
            if let Ok(kept) =
                HeaderValue::from_maybe_shared(Bytes::from_static(intern::bytes(value.as_bytes())))
            {
                *value = kept;
            }
        }
        self.body = Bytes::from_static(intern::bytes(&self.body));
        self
    }

    #[inline]
    fn response<T>(&self, body: impl FnOnce(Bytes) -> T) -> Response<T> {
        Response::from_parts(self.head.clone(), body(self.body.clone()))
    }

    /// The fields of the answer to GET, and no body (RFC 9110 §9.3.2).
    fn head_response<B>(&self, rejection: Rejection) -> Response<ResponseBody<B>> {
        let mut response = self.response(|_| ResponseBody::refused(Bytes::new(), rejection));
        // The length is that of the body which GET would have (RFC 9110 §8.6). For other answers
        // the server takes it from the body itself.
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        response
    }
}

impl std::fmt::Debug for Responder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Responder").finish_non_exhaustive()
    }
}
