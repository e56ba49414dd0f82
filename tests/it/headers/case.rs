//! What a row is, and what is expected of its answer.

use super::world::{Mode, Setup};
use crate::support::Reply;
use http::{HeaderName, HeaderValue, Request};

/// One situation: raw field lines, and the answer to them.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) row: &'static str,
    pub(super) name: &'static str,
    pub(super) setup: Setup,
    pub(super) method: &'static str,
    pub(super) target: String,
    /// Field lines as they are written to an HTTP/1 connection, each with its line break.
    pub(super) headers: Vec<u8>,
    pub(super) expect: Expect,
    /// Where no HTTP/1 parser has trimmed or split the field, if that makes a difference.
    pub(super) untrimmed: Option<Expect>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// The handler runs and answers this: the method and the subject.
    Caller(&'static str),
    Refused(Why, Presented),
    /// Refused with `grpc-status: 16` and this content type.
    Grpc(Why, &'static str),
    /// No field value can be this: the server's own 400, or for the http crate an error.
    Unparsed,
}

/// Whether the Bearer challenge names an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presented {
    Bearer,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Missing,
    Malformed,
    NonAscii,
    Empty,
    Oversized,
    Scheme,
    Several,
    Token,
    Key,
    Password,
}

impl Why {
    pub(super) fn status_and_code(self) -> (u16, &'static str) {
        match self {
            Self::Missing => (401, "not_authenticated"),
            Self::Malformed => (401, "credential_malformed"),
            Self::NonAscii => (401, "credential_non_ascii"),
            Self::Empty => (401, "credential_empty"),
            Self::Oversized => (401, "credential_oversized"),
            Self::Scheme => (401, "scheme_unknown"),
            Self::Several => (400, "invalid_request"),
            Self::Token => (401, "token_invalid"),
            Self::Key => (401, "api_key_invalid"),
            Self::Password => (401, "invalid_credentials"),
        }
    }
}

/// Refused, and no Bearer was presented.
pub(super) fn no(why: Why) -> Expect {
    Expect::Refused(why, Presented::Other)
}

/// Refused, and a Bearer was presented.
pub(super) fn no_bearer(why: Why) -> Expect {
    Expect::Refused(why, Presented::Bearer)
}

/// One byte a character, so that a row can write any byte as `\u{…}`.
pub(super) fn bytes(text: impl AsRef<str>) -> Vec<u8> {
    text.as_ref()
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect()
}

pub(super) fn field(name: &str, value: impl AsRef<str>) -> Vec<u8> {
    bytes(format!("{name}: {}\r\n", value.as_ref()))
}

pub(super) fn auth(value: impl AsRef<str>) -> Vec<u8> {
    field("Authorization", value)
}

pub(super) fn x_key(value: impl AsRef<str>) -> Vec<u8> {
    field("X-API-Key", value)
}

/// By which way an answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Http1,
    Http2,
    Call,
}

impl Case {
    pub(super) fn new(
        row: &'static str,
        name: &'static str,
        setup: Setup,
        headers: Vec<u8>,
        expect: Expect,
    ) -> Self {
        Self {
            row,
            name,
            setup,
            method: "GET",
            target: String::from("/"),
            headers,
            expect,
            untrimmed: None,
        }
    }

    pub(super) fn method(&mut self, method: &'static str) -> &mut Self {
        self.method = method;
        self
    }

    pub(super) fn target(&mut self, target: impl Into<String>) -> &mut Self {
        self.target = target.into();
        self
    }

    pub(super) fn untrimmed(&mut self, expect: Expect) {
        self.untrimmed = Some(expect);
    }

    /// The answer of a layer in that mode.
    pub(super) fn expected(&self, mode: Mode, way: Way) -> Expect {
        let expect = self
            .untrimmed
            .filter(|_| way != Way::Http1)
            .unwrap_or(self.expect);
        match expect {
            Expect::Refused(Why::Missing, _) | Expect::Grpc(Why::Missing, _)
                if mode == Mode::Optional =>
            {
                Expect::Caller("anonymous")
            }
            _ => expect,
        }
    }

    /// The request for a client or a service that takes no raw bytes; `None` where a field cannot
    /// be expressed.
    pub(super) fn request<B: Default>(&self, authority: &str) -> Option<Request<B>> {
        let mut request = Request::builder()
            .method(self.method)
            .uri(format!("{authority}{}", self.target))
            .body(B::default())
            .unwrap();
        let mut rest = self.headers.as_slice();
        while !rest.is_empty() {
            let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
            let line = &rest[..end];
            let colon = line.iter().position(|b| *b == b':')?;
            let value = line[colon + 1..]
                .strip_prefix(b" ")
                .unwrap_or(&line[colon + 1..]);
            let name = HeaderName::from_bytes(&line[..colon]).ok()?;
            request
                .headers_mut()
                .append(name, HeaderValue::from_bytes(value).ok()?);
            rest = &rest[end + 2..];
        }
        Some(request)
    }

    /// What is wrong with an answer, if anything.
    pub(super) fn fault(&self, way: Way, expect: Expect, reply: &Reply) -> Option<String> {
        match expect {
            Expect::Caller(caller) => {
                let got = (reply.status.as_u16(), &*reply.body);
                let body: &[u8] = if self.method == "HEAD" {
                    b""
                } else {
                    caller.as_bytes()
                };
                differs("answer", &got, &(200, body))
            }
            Expect::Refused(why, presented) => self.refusal_fault(way, why, presented, reply),
            Expect::Grpc(why, content_type) => grpc_fault(why, content_type, reply),
            Expect::Unparsed => {
                let got = (reply.status.as_u16(), reply.body.len(), reply.challenges());
                differs("server's own answer", &got, &(400, 0, Vec::new()))
            }
        }
    }

    fn refusal_fault(
        &self,
        way: Way,
        why: Why,
        presented: Presented,
        reply: &Reply,
    ) -> Option<String> {
        let (status, code) = why.status_and_code();
        let error = match (presented, why) {
            (Presented::Other, _) | (_, Why::Missing) => None,
            (Presented::Bearer, Why::Several) => Some("invalid_request"),
            (Presented::Bearer, _) => Some("invalid_token"),
        };
        let fields = ["content-type", "cache-control"].map(|name| one(reply, name));
        let length = one(reply, "content-length");
        let told = if self.method == "HEAD" {
            (
                code.to_owned(),
                reply.body.is_empty() && length != "0" && !length.is_empty(),
            )
        } else {
            // Without a server nobody has to write the length down.
            let unsaid = way == Way::Call && length.is_empty();
            (
                code_of(reply),
                unsaid || length == reply.body.len().to_string(),
            )
        };
        differs("status", &reply.status.as_u16(), &status)
            .or_else(|| differs("code and length", &told, &(code.to_owned(), true)))
            .or_else(|| {
                differs(
                    "challenges",
                    &reply.challenges(),
                    &self.setup.challenges(error),
                )
            })
            .or_else(|| {
                differs(
                    "fields",
                    &fields,
                    &["application/problem+json", "no-store"].map(String::from),
                )
            })
            .or_else(|| {
                foreign_field(
                    reply,
                    &[
                        "content-type",
                        "content-length",
                        "cache-control",
                        "www-authenticate",
                    ],
                )
            })
    }
}

fn grpc_fault(why: Why, content_type: &str, reply: &Reply) -> Option<String> {
    let fields = ["content-type", "grpc-status", "cache-control"].map(|name| one(reply, name));
    let texts = ["Authentication", "The ", "A ", "More "];
    let message = one(reply, "grpc-message");
    differs("status", &reply.status.as_u16(), &200)
        .or_else(|| {
            differs(
                "fields",
                &fields,
                &[content_type.to_owned(), "16".into(), "no-store".into()],
            )
        })
        .or_else(|| differs("body", &reply.body.len(), &0))
        .or_else(|| {
            differs(
                "message",
                &texts.iter().any(|text| message.starts_with(text)),
                &true,
            )
        })
        .or_else(|| {
            foreign_field(
                reply,
                &[
                    "content-type",
                    "grpc-status",
                    "grpc-message",
                    "cache-control",
                ],
            )
        })
        .map(|fault| format!("{why:?}: {fault}"))
}

/// The machine code of a problem that says nothing but what it should.
fn code_of(reply: &Reply) -> String {
    let Ok(serde_json::Value::Object(problem)) = serde_json::from_slice(&reply.body) else {
        return format!("no problem: {:?}", reply.body);
    };
    let mut names: Vec<&str> = problem.keys().map(String::as_str).collect();
    names.sort_unstable();
    let status = reply.status.as_u16();
    if names != ["code", "detail", "status", "title", "type"] || problem["status"] != status {
        return format!("no problem: {problem:?}");
    }
    problem["code"].as_str().unwrap_or_default().to_owned()
}

fn one(reply: &Reply, name: &str) -> String {
    let lines: Vec<_> = reply
        .headers
        .get_all(name)
        .iter()
        .map(|line| line.to_str().unwrap())
        .collect();
    lines.join(" and ")
}

/// No field but these, and those of the server itself, whose values are fixed words, numbers or a
/// date.
fn foreign_field(reply: &Reply, expected: &[&str]) -> Option<String> {
    let of_server = |name: &str, value: &HeaderValue| match name {
        "date" => value.len() == 29,
        "connection" => value == "close",
        "content-length" => value == "0",
        _ => false,
    };
    let foreign = |(name, value): &(&HeaderName, &HeaderValue)| {
        !expected.contains(&name.as_str()) && !of_server(name.as_str(), value)
    };
    reply
        .headers
        .iter()
        .find(foreign)
        .map(|(name, value)| format!("field {name}: {value:?}"))
}

fn differs<A: std::fmt::Debug + PartialEq<B>, B: std::fmt::Debug>(
    what: &str,
    got: &A,
    want: &B,
) -> Option<String> {
    (got != want).then(|| format!("{what}: got {got:?}, want {want:?}"))
}
