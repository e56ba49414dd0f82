//! The five systems, each as a process of its own, answer as their documents say.

mod client;
mod jina_connect;
mod ngenea_hub;
mod rag_chats;
mod restart;
mod server;
