//! The door to tower: layer, service and future. It holds no policy.

mod builder;
mod future;
mod layer;
mod service;

pub use builder::AuthLayerBuilder;
pub use future::ResponseFuture;
pub use layer::AuthLayer;
pub(crate) use layer::Services;
pub use service::AuthService;
