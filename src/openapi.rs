//! An OpenAPI document of `utoipa` that says what a layer accepts.

pub use crate::integration::SecuritySchemes;
