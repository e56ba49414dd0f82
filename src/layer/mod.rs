//! The door to tower: layer, service and future. It holds no policy.

mod accept;
mod builder;
mod future;
mod layer;
mod service;

pub use accept::Accept;
pub use builder::AuthLayerBuilder;
pub use future::ResponseFuture;
pub use layer::AuthLayer;
pub use service::AuthService;
