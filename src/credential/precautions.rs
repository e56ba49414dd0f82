use http::header::{CACHE_CONTROL, REFERRER_POLICY, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};

/// What the answer to a request says because of where its credential stood. Most requests need
/// none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Precautions {
    /// It stood in the URL, which a browser would show to the next site and a cache keep.
    pub(super) in_url: bool,
    /// It stood among the protocols of a WebSocket, and this is another one of them.
    pub(super) protocol: Option<HeaderValue>,
    /// How an answer says that the socket is open.
    pub(super) opened: Opened,
}

/// The status by which a WebSocket is opened: of HTTP/1.1 (RFC 6455 §4.2.2), or of `CONNECT` (RFC
/// 8441 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    SwitchingProtocols,
    AnySuccess,
}

impl Opened {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        if *request.method() == Method::CONNECT {
            Self::AnySuccess
        } else {
            Self::SwitchingProtocols
        }
    }

    fn is(self, status: StatusCode) -> bool {
        match self {
            Self::SwitchingProtocols => status == StatusCode::SWITCHING_PROTOCOLS,
            Self::AnySuccess => status.is_success(),
        }
    }
}

impl Precautions {
    /// Writes them into the answer, whoever made it.
    pub(crate) fn write<B>(&self, response: &mut Response<B>) {
        let status = response.status();
        let headers = response.headers_mut();
        if self.in_url {
            headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        self.choose_protocol(status, headers);
    }

    /// A browser that offered protocols closes a socket for which none was chosen.
    fn choose_protocol(&self, status: StatusCode, headers: &mut HeaderMap) {
        let Some(protocol) = &self.protocol else {
            return;
        };
        if self.opened.is(status) && !headers.contains_key(SEC_WEBSOCKET_PROTOCOL) {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol.clone());
        }
    }
}
