//! What stands between a service and the server of its limits: a name that moves to another
//! machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Leads new connections to where it points. Those that are there stay where they are.
pub(crate) struct Forwarder {
    port: u16,
    target: Arc<watch::Sender<u16>>,
    accepted: Arc<AtomicU64>,
    /// Connections before the one of that number swallow all that is sent.
    silent_before: Arc<watch::Sender<u64>>,
    task: tokio::task::JoinHandle<()>,
}

impl Forwarder {
    pub(crate) async fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = Arc::new(watch::Sender::new(target));
        let silent_before = Arc::new(watch::Sender::new(0));
        let accepted = Arc::new(AtomicU64::new(0));
        let (points_to, silent) = (Arc::clone(&target), Arc::clone(&silent_before));
        let counter = Arc::clone(&accepted);
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let number = counter.fetch_add(1, Ordering::SeqCst);
                let target = *points_to.borrow();
                tokio::spawn(connect(client, target, number, silent.subscribe()));
            }
        });
        Self {
            port,
            target,
            accepted,
            silent_before,
            task,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn moves_to(&self, target: u16) {
        self.target.send_replace(target);
    }

    /// The machine behind the connections that there are is gone, and nobody says so.
    pub(crate) fn swallows_what_comes_from_old_connections(&self) {
        let accepted = self.accepted.load(Ordering::SeqCst);
        self.silent_before.send_replace(accepted);
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connect(
    mut client: TcpStream,
    target: u16,
    number: u64,
    mut silent: watch::Receiver<u64>,
) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", target)).await else {
        return;
    };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
        _ = silent.wait_for(|before| number < *before) => {}
    }
    // Both sides stay open.
    std::future::pending().await
}
