//! Looks for pieces of secrets in what is logged and printed.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// The shortest piece that counts.
pub(crate) const PIECE: usize = 8;

pub(crate) struct Pieces(HashSet<Vec<u8>>);

impl Pieces {
    pub(crate) fn of(secrets: &[String]) -> Self {
        Self(
            secrets
                .iter()
                .flat_map(|secret| secret.as_bytes().windows(PIECE))
                .map(<[u8]>::to_vec)
                .collect(),
        )
    }

    pub(crate) fn find_in<'t>(&self, text: &'t [u8]) -> Option<std::borrow::Cow<'t, str>> {
        text.windows(PIECE)
            .find(|piece| self.0.contains(*piece))
            .map(String::from_utf8_lossy)
    }

    pub(crate) fn leak(&self, what: &str, text: impl AsRef<[u8]>) -> Option<String> {
        self.find_in(text.as_ref())
            .map(|piece| format!("{what} holds {piece:?} of a secret"))
    }

    pub(crate) fn assert_none_in(&self, what: &str, text: impl AsRef<[u8]>) {
        assert_eq!(self.leak(what, text), None);
    }
}

/// What was logged on this thread at any level, while the guard lives.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn capture(&self) -> impl Sized {
        let capture = || {
            tracing_subscriber::fmt()
                .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
                .with_ansi(false)
                .with_writer(self.clone())
                .finish()
                .set_default()
        };
        // While there is but one subscriber, an event that another thread logs first is switched
        // off for all threads if that one has none. The second is never heard of again.
        let first = capture();
        (capture(), first)
    }

    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
