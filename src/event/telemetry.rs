//! What happened, as `tracing` events of target `tower_auth` with stable names. The feature stands
//! in this file alone.
//!
//! Texts are quoted, so that none of them can look like a line of its own, and cut, so that none of
//! them can fill a disk.

#[cfg(feature = "tracing")]
pub(crate) use on::*;

#[cfg(not(feature = "tracing"))]
pub(crate) use off::*;

#[cfg(feature = "tracing")]
mod on {
    use crate::chain::write_chain;
    use crate::event::{Action, Event};
    #[cfg(feature = "jwt")]
    use crate::key_set::SkippedKey;
    use crate::principal::Subject;
    use crate::reject::{Rejection, RejectionKind};
    use std::error::Error;
    use std::fmt::{self, Write};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use tracing::field::DebugValue;
    use tracing::level_filters::LevelFilter;

    /// How much of a text is written, in bytes.
    const LONGEST_TEXT: usize = 256;
    /// Of how many skipped keys it is told why.
    #[cfg(feature = "jwt")]
    const MOST_SKIPPED: usize = 32;
    /// How much of what a chain of errors says is written, in bytes.
    const LONGEST_SOURCE: usize = 1024;

    /// Whether anybody listens to refusals of the least frequent level, hence to any.
    #[inline]
    pub(crate) fn listens() -> bool {
        LevelFilter::ERROR <= LevelFilter::current()
    }

    /// Whether anybody listens at the level of this kind.
    #[inline]
    pub(crate) fn listens_to(kind: RejectionKind) -> bool {
        let level = if is_fault(kind) {
            LevelFilter::ERROR
        } else {
            LevelFilter::DEBUG
        };
        level <= LevelFilter::current()
    }

    /// Whether the service is to blame: the kinds of 5xx, without a look at the table for the many
    /// that are not.
    #[inline]
    fn is_fault(kind: RejectionKind) -> bool {
        use RejectionKind::{Failed, MissingLayer, Unavailable};
        matches!(kind, Unavailable | MissingLayer | Failed)
    }

    /// Event `request refused`: `kind`, `reason` in fixed words, and where known `subject`, `id`
    /// (of the API key), `scheme`, `peer`, `method`, `route` (its pattern) and `source` (what
    /// failed, with all that it says made it fail). At `debug` for what a client did wrong, at
    /// `error` for what the service did.
    #[inline]
    pub(crate) fn refused(rejection: &Rejection, event: &Event<'_>) {
        if listens_to(rejection.kind()) {
            tell_of_refusal(rejection, event);
        }
    }

    #[cold]
    fn tell_of_refusal(rejection: &Rejection, event: &Event<'_>) {
        // A macro, because `tracing` takes its level as a constant: each level is an event of its
        // own.
        macro_rules! refused {
            ($level:ident) => {
                tracing::$level!(
                    target: "tower_auth",
                    kind = ?rejection.kind(),
                    reason = rejection.reason(),
                    subject = event.subject().map(|subject| quoted(&subject.to_string())),
                    id = event.id().map(quoted),
                    scheme = event.scheme().map(quoted),
                    peer = event.peer().map(tracing::field::display),
                    method = event.method().map(|method| quoted(method.as_str())),
                    route = event.route().map(quoted),
                    source = rejection.source().map(chain),
                    "request refused"
                )
            };
        }
        if is_fault(rejection.kind()) {
            refused!(error);
        } else {
            refused!(debug);
        }
    }

    /// An event whose message is the action's name, at `info`; at `warn` where a refresh token was
    /// reused.
    pub(crate) fn happened(action: Action, subject: &Subject, id: Option<&str>) {
        let kind = quoted(subject.kind());
        let subject = quoted(subject.id());
        let id = id.map(quoted);
        if action == Action::ReuseDetected {
            tracing::warn!(target: "tower_auth", kind, subject, id, "{}", action.name());
        } else {
            tracing::info!(target: "tower_auth", kind, subject, id, "{}", action.name());
        }
    }

    /// Event `throttle would refuse`, at `info`: a rule that only observes, by its scope and name.
    pub(crate) fn would_refuse(scope: &str, throttle: &str) {
        tracing::info!(target: "tower_auth", scope, throttle, "throttle would refuse");
    }

    /// Event `event hook panicked`, at `error`: the request that it was told of is answered with
    /// 500.
    pub(crate) fn hook_panicked(action: Action) {
        tracing::error!(target: "tower_auth", event = action.name(), "event hook panicked");
    }

    /// Event `audit not written`, at `error`: what happens waits until the store answers.
    pub(crate) fn audit_not_written(error: &(dyn Error + 'static)) {
        tracing::error!(target: "tower_auth", error = chain(error), "audit not written");
    }

    /// Event `limiter failed`, at `error`: from now on throttles do what they do without it.
    pub(crate) fn limiter_failed(error: &(dyn Error + 'static)) {
        tracing::error!(target: "tower_auth", error = chain(error), "limiter failed");
    }

    /// Event `keys loaded`, at `info`, where an issuer has published other keys than before: how
    /// many can be used, and how many not; and for these event `key skipped` with the reason.
    #[cfg(feature = "jwt")]
    pub(crate) fn keys_loaded(source: &str, usable: usize, skipped: &[SkippedKey]) {
        let keys = usable as u64;
        let left_out = skipped.len() as u64;
        let from = quoted(source);
        tracing::info!(target: "tower_auth", source = from, keys, skipped = left_out, "keys loaded");
        // How many there are is the issuer's choice, and must not fill the log.
        for key in skipped.iter().take(MOST_SKIPPED) {
            tracing::info!(
                target: "tower_auth",
                source = quoted(source),
                position = key.position() as u64,
                id = key.id().map(quoted),
                reason = key.reason(),
                "key skipped"
            );
        }
    }

    /// Event `keys not loaded`, at `error`: those of an issuer. Its tokens are judged by the keys
    /// that are held, as long as these may serve.
    #[cfg(feature = "jwt")]
    pub(crate) fn keys_not_loaded(source: &str, error: &(dyn Error + 'static)) {
        let source = quoted(source);
        tracing::error!(target: "tower_auth", source, error = chain(error), "keys not loaded");
    }

    /// Event named by the action, at `info`: what became of a key that tokens of `issuer` are signed
    /// with, by its `id`.
    #[cfg(feature = "jwt")]
    pub(crate) fn signing_key(action: Action, issuer: &str, id: &str) {
        let issuer = quoted(issuer);
        let id = quoted(id);
        tracing::info!(target: "tower_auth", issuer, id, "{}", action.name());
    }

    /// Event `signing keys not written`, at `error`: the store of an issuer's keys can be read, and
    /// what has to be written is not. Tokens go on being signed until the time of the last key is
    /// over.
    #[cfg(feature = "jwt")]
    pub(crate) fn signing_keys_not_written(issuer: &str, error: &(dyn Error + 'static)) {
        let issuer = quoted(issuer);
        let error = chain(error);
        tracing::error!(target: "tower_auth", issuer, error, "signing keys not written");
    }

    /// Event `limiter may forget`, at `warn`: the settings by which the server of a limiter forgets
    /// counters that are live, so that more than N may pass.
    #[cfg(feature = "redis")]
    pub(crate) fn limiter_may_forget(settings: &str) {
        tracing::warn!(target: "tower_auth", settings = quoted(settings), "limiter may forget");
    }

    /// Event `peer unknown`, at `warn`: nothing tells the address that a request comes from, so
    /// that attempts are counted by account alone.
    pub(crate) fn peer_unknown() {
        tracing::warn!(
            target: "tower_auth",
            cure = "serve with connect info, or insert a Peer into each request",
            "peer unknown"
        );
    }

    /// Runs a future in the span that is entered now, wherever it goes on.
    #[cfg(feature = "endpoints")]
    pub(crate) fn in_this_span<F: Future>(future: F) -> impl Future<Output = F::Output> {
        tracing::Instrument::in_current_span(future)
    }

    /// A text in quotes, with escapes for whatever would end a line or move a cursor.
    fn quoted(text: &str) -> DebugValue<String> {
        let mut cut = Cut::at(LONGEST_TEXT);
        // A failure means that it is full, which `finish` shows.
        let _ = cut.write_str(text);
        tracing::field::debug(cut.finish())
    }

    /// An error and its sources, in quotes: `the store is unavailable: no such table: keys`.
    fn chain(error: &(dyn Error + 'static)) -> DebugValue<String> {
        let mut cut = Cut::at(LONGEST_SOURCE);
        // What an error says is its author's: where that panics, what was said so far is told.
        let _ = catch_unwind(AssertUnwindSafe(|| write_chain(error, &mut cut)));
        tracing::field::debug(cut.finish())
    }

    /// A text of bounded length: whoever writes more is stopped, however much there would be.
    struct Cut {
        text: String,
        most: usize,
        is_full: bool,
    }

    impl Cut {
        fn at(most: usize) -> Self {
            Self {
                text: String::new(),
                most,
                is_full: false,
            }
        }

        fn finish(mut self) -> String {
            if self.is_full {
                self.text.push('…');
            }
            self.text
        }
    }

    impl Write for Cut {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let room = self.most - self.text.len();
            if text.len() <= room {
                self.text.push_str(text);
                return Ok(());
            }
            self.text.push_str(&text[..text.floor_char_boundary(room)]);
            self.is_full = true;
            // Nothing shorter is to follow what was cut.
            self.most = self.text.len();
            Err(fmt::Error)
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[derive(Debug, thiserror::Error)]
        #[error("{0}")]
        struct Layered(String, #[source] Option<Box<Layered>>);

        fn layered(texts: &[&str]) -> Layered {
            let (first, rest) = texts.split_first().unwrap();
            let source = (!rest.is_empty()).then(|| Box::new(layered(rest)));
            Layered((*first).to_owned(), source)
        }

        #[test]
        fn the_faults_are_the_kinds_of_5xx() {
            for kind in RejectionKind::ALL {
                assert_eq!(is_fault(kind), kind.status().is_server_error(), "{kind:?}");
            }
        }

        #[test]
        fn a_chain_is_told_whole_and_on_one_line() {
            let error = layered(&["the store is unavailable", "no such table\nERROR \"x\""]);
            assert_eq!(
                format!("{:?}", chain(&error)),
                r#""the store is unavailable: no such table\nERROR \"x\"""#
            );
        }

        #[test]
        fn what_is_too_long_is_cut_between_characters() {
            let long = "ä".repeat(LONGEST_TEXT);
            let shown = format!("{:?}", quoted(&long));
            assert_eq!(shown, format!("\"{}…\"", "ä".repeat(LONGEST_TEXT / 2)));
            let error = layered(&[&"x".repeat(LONGEST_SOURCE), "never shown"]);
            let shown = format!("{:?}", chain(&error));
            assert_eq!(shown, format!("\"{}…\"", "x".repeat(LONGEST_SOURCE)));
        }

        #[test]
        fn of_an_error_that_panics_is_told_what_it_said_before() {
            #[derive(Debug)]
            struct Panics;
            impl fmt::Display for Panics {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("so far")?;
                    panic!("planted")
                }
            }
            impl Error for Panics {}
            assert_eq!(format!("{:?}", chain(&Panics)), "\"so far\"");
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use crate::event::{Action, Event};
    use crate::principal::Subject;
    use crate::reject::{Rejection, RejectionKind};

    pub(crate) fn listens() -> bool {
        false
    }

    pub(crate) fn listens_to(_: RejectionKind) -> bool {
        false
    }

    pub(crate) fn refused(_: &Rejection, _: &Event<'_>) {}

    pub(crate) fn happened(_: Action, _: &Subject, _: Option<&str>) {}

    pub(crate) fn would_refuse(_: &str, _: &str) {}

    pub(crate) fn hook_panicked(_: Action) {}

    pub(crate) fn audit_not_written(_: &dyn std::error::Error) {}

    pub(crate) fn limiter_failed(_: &dyn std::error::Error) {}

    #[cfg(feature = "jwt")]
    pub(crate) fn keys_loaded(_: &str, _: usize, _: &[crate::key_set::SkippedKey]) {}

    #[cfg(feature = "jwt")]
    pub(crate) fn keys_not_loaded(_: &str, _: &dyn std::error::Error) {}

    #[cfg(feature = "jwt")]
    pub(crate) fn signing_key(_: Action, _: &str, _: &str) {}

    #[cfg(feature = "jwt")]
    pub(crate) fn signing_keys_not_written(_: &str, _: &dyn std::error::Error) {}

    #[cfg(feature = "redis")]
    pub(crate) fn limiter_may_forget(_: &str) {}

    pub(crate) fn peer_unknown() {}

    #[cfg(feature = "endpoints")]
    pub(crate) fn in_this_span<F: Future>(future: F) -> F {
        future
    }
}
