//! The five systems, each as a process of its own, answer as their documents say.

mod attacks;
mod client;
mod documents;
mod egret;
mod jina_connect;
mod ngenea_hub;
mod paths;
mod private_tokens;
mod rag_chats;
mod restart;
mod server;
mod swagger_ui;
