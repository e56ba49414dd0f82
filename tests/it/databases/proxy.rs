//! A network between a store and its server that a test slows down and breaks.

use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Network {
    Good,
    /// Each packet takes so long.
    Slow(Duration),
    /// Connections are reset, old and new ones.
    Reset,
    /// Packets are swallowed; connections stay open.
    Silent,
}

pub(super) struct Proxy {
    pub(super) port: u16,
    network: Arc<watch::Sender<Network>>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    pub(super) async fn to(address: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let network = Arc::new(watch::Sender::new(Network::Good));
        let state = Arc::clone(&network);
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(connect(client, address.clone(), state.subscribe()));
            }
        });
        Self {
            port,
            network,
            task,
        }
    }

    pub(super) fn set(&self, network: Network) {
        self.network.send_replace(network);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connect(client: TcpStream, address: String, network: watch::Receiver<Network>) {
    if *network.borrow() == Network::Reset {
        return;
    }
    let Ok(server) = TcpStream::connect(address).await else {
        return;
    };
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    let mut reset = network.clone();
    tokio::select! {
        () = pump(from_client, to_server, network.clone()) => {}
        () = pump(from_server, to_client, network) => {}
        _ = reset.wait_for(|network| *network == Network::Reset) => {}
    }
}

async fn pump(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut network: watch::Receiver<Network>,
) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let state = *network.borrow();
        match state {
            Network::Good | Network::Reset => {}
            Network::Slow(by) => tokio::time::sleep(by).await,
            // What was swallowed does not come later.
            Network::Silent => {
                let _ = network.wait_for(|network| *network == Network::Reset).await;
                return;
            }
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
