use super::{SubjectShown, Time};
use crate::console::Record;
use schemars::JsonSchema;
use serde::Serialize;
use tower_auth::store::AuditRecord;

/// Something that happened.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AuditShown {
    /// Its place among all that was kept.
    number: u64,
    /// When it happened.
    at: Time,
    /// What happened, by the name of the event.
    action: String,
    /// The same in the logging vocabulary of OWASP, where that has a word for it.
    owasp_event: String,
    /// Who asked for it; `null` where no credential was needed, or the application itself did it.
    actor: Option<SubjectShown>,
    /// The id of the actor's credential.
    credential: Option<String>,
    /// The scheme that judged it.
    scheme: Option<String>,
    /// Whose it concerns.
    subject: Option<SubjectShown>,
    /// The id of what it concerns.
    target: Option<String>,
    /// The scope that was used.
    scope: Option<String>,
    /// From where the request came.
    peer: Option<String>,
    /// The method of the request.
    method: Option<String>,
    /// The pattern of its route.
    route: Option<String>,
    /// What the request is called.
    request_id: Option<String>,
    /// The code of the refusal, where something was refused.
    kind: Option<String>,
    /// Why it was refused.
    reason: Option<String>,
}

impl From<&AuditRecord> for AuditShown {
    fn from(record: &AuditRecord) -> Self {
        Self {
            number: record.number,
            at: Time::from(record.at),
            action: record.action.to_string(),
            owasp_event: record.owasp_event().to_owned(),
            actor: record.actor.as_ref().map(SubjectShown::from),
            credential: text(&record.credential),
            scheme: text(&record.scheme),
            subject: record.subject.as_ref().map(SubjectShown::from),
            target: text(&record.target),
            scope: text(&record.scope),
            peer: record.peer.map(|peer| peer.to_string()),
            method: text(&record.method),
            route: text(&record.route),
            request_id: text(&record.request_id),
            kind: text(&record.kind),
            reason: text(&record.reason),
        }
    }
}

fn text(text: &Option<Box<str>>) -> Option<String> {
    text.as_deref().map(str::to_owned)
}

impl Record for AuditShown {
    const COLUMNS: &'static [&'static str] = &[
        "number", "at", "action", "actor", "subject", "target", "peer", "route",
    ];

    fn cells(&self) -> Vec<String> {
        let action = match &self.kind {
            Some(kind) => format!("{}: {kind}", self.action),
            None => self.action.clone(),
        };
        let target = match &self.scope {
            Some(scope) => format!("{} {scope}", self.target.clone().unwrap_or_default()),
            None => self.target.clone().unwrap_or_default(),
        };
        vec![
            self.number.to_string(),
            self.at.to_string(),
            action,
            cell(&self.actor),
            cell(&self.subject),
            target,
            self.peer.clone().unwrap_or_default(),
            self.route.clone().unwrap_or_default(),
        ]
    }
}

fn cell(subject: &Option<SubjectShown>) -> String {
    match subject {
        Some(subject) => subject.to_string(),
        None => String::new(),
    }
}
