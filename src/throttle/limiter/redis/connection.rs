use super::about::About;
use redis::RedisError;
use redis::aio::ConnectionManager;
use tokio::sync::watch;

/// A connection, and what the server has said of itself at its beginning.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) manager: ConnectionManager,
    about: watch::Receiver<Option<About>>,
}

impl Connection {
    /// Asks the server about itself in a task of its own: that also makes the connection, and a
    /// request that waits for it ends at its deadline.
    pub(super) fn greet(
        manager: ConnectionManager,
        tell: impl FnOnce(&About) + Send + 'static,
    ) -> Self {
        let (told, about) = watch::channel(None);
        let mut greeted = manager.clone();
        tokio::spawn(async move {
            let info: Result<String, RedisError> =
                redis::cmd("INFO").query_async(&mut greeted).await;
            // An error is not told here: a server that does not answer fails the requests, which
            // say so, and one that may not answer (an ACL without `+info`) has nothing to be said
            // against it.
            let about = info.map_or_else(|_| About::default(), |info| About::read(&info));
            tell(&about);
            told.send_replace(Some(about));
        });
        Self { manager, about }
    }

    /// Once the server has said something: whether one may count on it.
    pub(super) async fn check(&mut self) -> Result<(), RedisError> {
        match self.about.wait_for(Option::is_some).await {
            Ok(about) => about.as_ref().map_or(Ok(()), About::check),
            // The task ended together with its runtime, before the server could say anything.
            // Nothing is known against it.
            Err(_) => Ok(()),
        }
    }

    /// The settings by which the server forgets, as far as it has said something.
    pub(super) fn forgets_by(&self) -> Option<String> {
        self.about.borrow().as_ref()?.forgets_by()
    }
}
