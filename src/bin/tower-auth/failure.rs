use crate::console::{note, printable};
use crate::exit::Exit;
use std::error::Error;
use std::io;
use std::process::ExitCode;
use tower_auth::store::{StoreError, StoreErrorKind};
use tower_auth::{ConfigError, RandomError, Rejection, RejectionKind};

/// Why a command was not done: a sentence or two for whoever runs it, and a number for scripts.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    text: String,
}

impl Failure {
    fn new(exit: Exit, text: impl Into<String>) -> Self {
        Self {
            exit,
            text: text.into(),
        }
    }

    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self::new(Exit::Failed, text)
    }

    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::new(Exit::Usage, text)
    }

    pub(crate) fn not_found(text: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, text)
    }

    pub(crate) fn already_there(text: impl Into<String>) -> Self {
        Self::new(Exit::AlreadyThere, text)
    }

    pub(crate) fn not_migrated(text: impl Into<String>) -> Self {
        Self::new(Exit::NotMigrated, text)
    }

    fn unreachable(why: &str) -> Self {
        let what_to_do = "Is DATABASE_URL right, and does the database run?";
        let text = format!("The store does not answer: {why}. {what_to_do}");
        Self::new(Exit::Unreachable, text)
    }

    /// The failure to print a result, unless whoever reads it has gone away on purpose.
    pub(crate) fn printing(error: &io::Error) -> Self {
        match error.kind() {
            // Whoever pipes a list into `head` has got what was wanted, so the command has not
            // failed.
            io::ErrorKind::BrokenPipe => Self::new(Exit::Done, ""),
            _ => Self::failed(format!("The output could not be written: {error}.")),
        }
    }

    /// What was asked of a user, a key or a token, which `what` names.
    pub(crate) fn refused(rejection: &Rejection, what: &str) -> Self {
        match rejection.kind() {
            RejectionKind::NotFound => Self::not_found(format!("There is no {what}.")),
            RejectionKind::InvalidInput => Self::invalid(rejection),
            RejectionKind::Unavailable => Self::unreachable(&source_chain(rejection)),
            _ => Self::failed(format!("It failed: {}.", whole_chain(rejection))),
        }
    }

    fn invalid(rejection: &Rejection) -> Self {
        if rejection.fields().is_empty() {
            // The store itself has refused the value. It knows no field, so it cannot say which.
            let why = "a text holds a NUL, or an id or a name is too long for the store";
            return Self::usage(format!("It was refused, and nothing has changed: {why}."));
        }
        let mut text = String::from("It was refused, and nothing has changed.");
        for field in rejection.fields() {
            text.push_str(&format!(
                "\n- {}: {}",
                field.field(),
                sentence(field.detail())
            ));
        }
        let is_taken = rejection
            .fields()
            .iter()
            .any(|field| field.code() == "unique");
        if is_taken {
            Self::already_there(text)
        } else {
            Self::usage(text)
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Says why, and gives the number to end with.
    pub(crate) fn tell(&self) -> ExitCode {
        if !self.text.is_empty() {
            // A name in the text may hold what moves the cursor. Line by line, because `printable`
            // would show the ends of lines by their number as well.
            let lines: Vec<String> = self.text.lines().map(printable).collect();
            note(&format!("error: {}", lines.join("\n")));
        }
        ExitCode::from(self.exit as u8)
    }

    /// What a variable of the environment says cannot be used.
    pub(crate) fn environment(error: &ConfigError) -> Self {
        let mut text = String::from("The environment cannot be used.");
        for problem in error.problems() {
            text.push_str(&format!("\n- {}", sentence(&problem.to_string())));
        }
        Self::usage(text)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error.kind() {
            StoreErrorKind::Invalid => Self::usage(format!("{}.", whole_chain(&error))),
            StoreErrorKind::Missing => Self::not_found("There is no such record."),
            StoreErrorKind::Exists => Self::already_there("There is such a record already."),
            StoreErrorKind::Unavailable => Self::unreachable(&source_chain(&error)),
            _ => Self::failed(format!("It failed: {}.", whole_chain(&error))),
        }
    }
}

impl From<RandomError> for Failure {
    fn from(error: RandomError) -> Self {
        Self::failed(format!("It failed: {}.", whole_chain(&error)))
    }
}

/// The first letter in upper case, and a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let Some(first) = characters.next() else {
        return String::new();
    };
    let mut sentence: String = first.to_uppercase().chain(characters).collect();
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}

/// An error and what it is because of, on one line.
pub(crate) fn whole_chain(error: &(dyn Error + 'static)) -> String {
    let mut text = told(error);
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&told(source));
        next = source.source();
    }
    text
}

/// What an error says, and of one that says too little what the operator can look at.
fn told(error: &(dyn Error + 'static)) -> String {
    match error.downcast_ref() {
        // A pool goes on trying where a connection is refused, and then says only that it has
        // waited. So its error names the usual reasons.
        Some(sqlx::Error::PoolTimedOut) => String::from(
            "no connection was made in time, because nothing listens there, the database is just \
             starting, or it has no connection left",
        ),
        _ => error.to_string(),
    }
}

/// What an error is because of; the error itself where it does not say.
fn source_chain(error: &(dyn Error + 'static)) -> String {
    match error.source() {
        Some(source) => whole_chain(source),
        None => error.to_string(),
    }
}
