//! Middleware for tower: what [`AuthLayer`](crate::AuthLayer) is built by, the service that it
//! makes of another one, and what it can tell of itself. It holds no policy.

mod accept;
pub(crate) mod auth_layer;
mod builder;
mod future;
mod service;

pub use accept::Accept;
pub use builder::AuthLayerBuilder;
pub use future::ResponseFuture;
pub use service::AuthService;

pub use crate::authorize::ScopeGaps;
pub use crate::pipeline::Explanation;
pub use crate::reject::ResponseBody;
