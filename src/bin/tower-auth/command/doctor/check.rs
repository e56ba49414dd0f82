use crate::console::Record;
use crate::failure::sentence;
use schemars::JsonSchema;
use serde::Serialize;

/// What was looked at, and what was found.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Check {
    /// What was looked at: `environment`, `jwt_secret`, `pepper`, `store`, `tables`, `clock`,
    /// `news`, `keys` or `redis`.
    check: &'static str,
    /// Whether what was looked at is in order, or how urgently somebody has to see to it.
    result: Finding,
    /// The same in a sentence, and what to do about it.
    detail: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum Finding {
    /// What was looked at is in order: nobody has to do anything.
    Ok,
    /// It may be meant so; if not, something goes wrong.
    Warning,
    /// Something is wrong, which an operator has to mend.
    Fault,
}

impl Check {
    pub(super) fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self::new(check, Finding::Ok, detail)
    }

    pub(super) fn warning(check: &'static str, detail: impl Into<String>) -> Self {
        Self::new(check, Finding::Warning, detail)
    }

    pub(super) fn fault(check: &'static str, detail: impl Into<String>) -> Self {
        Self::new(check, Finding::Fault, detail)
    }

    fn new(check: &'static str, result: Finding, detail: impl Into<String>) -> Self {
        let detail: String = detail.into();
        Self {
            check,
            result,
            detail: sentence(&detail.replace('\n', " ")),
        }
    }

    pub(super) fn is_fault(&self) -> bool {
        self.result == Finding::Fault
    }
}

impl Record for Check {
    const COLUMNS: &'static [&'static str] = &["check", "result", "detail"];

    fn cells(&self) -> Vec<String> {
        let result = match self.result {
            Finding::Ok => "ok",
            Finding::Warning => "warning",
            Finding::Fault => "FAULT",
        };
        vec![
            self.check.to_owned(),
            result.to_owned(),
            self.detail.clone(),
        ]
    }
}
