use crate::clock::rfc3339;
use crate::principal::Subject;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::net::IpAddr;
use std::time::SystemTime;

/// Something that happened, as it is kept: who did it, whose it was, what, when and from where. It
/// holds no secret.
///
/// Texts that a client may choose are cut at 256 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditRecord {
    /// Its place among all that were kept, from 1; 0 before it was.
    pub number: u64,
    /// When it happened, to the microsecond.
    pub at: SystemTime,
    /// The [name](crate::event::Action::name) of what happened.
    pub action: Box<str>,
    /// Who asked for it; nobody where no credential was needed, or the application itself did it.
    pub actor: Option<Subject>,
    /// The id of the actor's credential: that of an API key, or `jti` of a token.
    pub credential: Option<Box<str>>,
    /// The scheme that judged the credential.
    pub scheme: Option<Box<str>>,
    /// Whose it concerns.
    pub subject: Option<Subject>,
    /// The id of what it concerns: a key, a private token, a family; or the name of a rule.
    pub target: Option<Box<str>>,
    /// The scope that was used.
    pub scope: Option<Box<str>>,
    /// From where the request came.
    pub peer: Option<IpAddr>,
    /// The method of the request.
    pub method: Option<Box<str>>,
    /// The pattern of its route.
    pub route: Option<Box<str>>,
    /// What the request is called.
    pub request_id: Option<Box<str>>,
    /// The [code](crate::RejectionKind::code) of the refusal, where something was refused.
    pub kind: Option<Box<str>>,
    /// Why it was refused, in fixed words.
    pub reason: Option<Box<str>>,
}

impl AuditRecord {
    /// What it is called in the [application logging
    /// vocabulary](https://cheatsheetseries.owasp.org/cheatsheets/Logging_Vocabulary_Cheat_Sheet.html)
    /// of OWASP, or its own name where that has none for it.
    ///
    /// ```
    /// use std::time::UNIX_EPOCH;
    /// use tower_auth::store::AuditRecord;
    ///
    /// let record = AuditRecord::new("reuse detected", UNIX_EPOCH);
    /// assert_eq!(record.owasp_event(), "authn_token_reuse");
    /// let record = AuditRecord::new("signing key removed", UNIX_EPOCH);
    /// assert_eq!(record.owasp_event(), "signing key removed");
    /// ```
    #[must_use]
    pub fn owasp_event(&self) -> &str {
        match &*self.action {
            "request refused" => self.owasp_refusal(),
            "signed in" => "authn_login_success",
            "refreshed" | "rotated" => "session_renewed",
            "reuse detected" => "authn_token_reuse",
            "signed out" | "signed out everywhere" => "session_expired",
            "token revoked" | "private token revoked" | "key revoked" | "key leaked" => {
                "authn_token_revoked"
            }
            "private token created" | "key created" | "key rotated" => "authn_token_created",
            "user registered" => "user_created",
            "user changed" | "user enabled" => "user_updated",
            "user disabled" => "user_archived",
            "user removed" => "user_deleted",
            "password changed" => "authn_password_change",
            own => own,
        }
    }

    fn owasp_refusal(&self) -> &str {
        match self.kind.as_deref() {
            Some("invalid_credentials") => "authn_login_fail",
            Some("throttled") => "excess_rate_limit_exceeded",
            Some("insufficient_scope" | "permission_denied") => "authz_fail",
            Some("validation_error") => "input_validation_fail",
            _ => &self.action,
        }
    }

    /// That happened at that time. All else is nothing yet.
    #[must_use]
    pub fn new(action: impl Into<Box<str>>, at: SystemTime) -> Self {
        Self {
            number: 0,
            at,
            action: action.into(),
            actor: None,
            credential: None,
            scheme: None,
            subject: None,
            target: None,
            scope: None,
            peer: None,
            method: None,
            route: None,
            request_id: None,
            kind: None,
            reason: None,
        }
    }
}

/// As one object with the names of OpenTelemetry's
/// [semantic conventions](https://opentelemetry.io/docs/specs/semconv/) where these have one. What
/// is not known is left out. Times are RFC 3339, in UTC.
///
/// ```
/// use std::time::UNIX_EPOCH;
/// use tower_auth::Subject;
/// use tower_auth::store::AuditRecord;
///
/// let mut record = AuditRecord::new("signed in", UNIX_EPOCH);
/// record.subject = Some(Subject::user("7"));
/// record.peer = "192.0.2.7".parse().ok();
/// let text = serde_json::to_string(&record).unwrap();
/// assert_eq!(
///     text,
///     concat!(
///         r#"{"number":0,"timestamp":"1970-01-01T00:00:00Z","event.name":"authn_login_success","#,
///         r#""action":"signed in","subject":"7","client.address":"192.0.2.7"}"#,
///     )
/// );
/// ```
impl Serialize for AuditRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("number", &self.number)?;
        map.serialize_entry("timestamp", &rfc3339(self.at))?;
        map.serialize_entry("event.name", self.owasp_event())?;
        map.serialize_entry("action", &self.action)?;
        let actor = self.actor.as_ref().map(ToString::to_string);
        let subject = self.subject.as_ref().map(ToString::to_string);
        let peer = self.peer.map(|peer| peer.to_string());
        let texts = [
            ("user.id", actor.as_deref()),
            ("credential.id", self.credential.as_deref()),
            ("credential.scheme", self.scheme.as_deref()),
            ("subject", subject.as_deref()),
            ("target", self.target.as_deref()),
            ("scope", self.scope.as_deref()),
            ("client.address", peer.as_deref()),
            ("http.request.method", self.method.as_deref()),
            ("http.route", self.route.as_deref()),
            (
                "http.request.header.x-request-id",
                self.request_id.as_deref(),
            ),
            ("error.type", self.kind.as_deref()),
            ("reason", self.reason.as_deref()),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                map.serialize_entry(name, text)?;
            }
        }
        map.end()
    }
}
