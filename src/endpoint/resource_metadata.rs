#[cfg(feature = "openapi")]
use super::about::About;
use super::call::Call;
use super::input::Input;
use super::mount::Endpoint;
use super::reply::{METADATA_FOR, Reply};
use super::route::{Access, Handler};
use crate::config::{ConfigProblem, is_http_url};
#[cfg(feature = "openapi")]
use crate::integration::schema_of;
use crate::principal::Scope;
use crate::reject::Rejection;
use async_trait::async_trait;
use serde::Serialize;

/// What a client has to know to use a protected resource (RFC 9728 §2), an MCP server for example.
///
/// Where it is goes into challenges by
/// [`AuthLayerBuilder::resource_metadata`](crate::layer::AuthLayerBuilder::resource_metadata).
///
/// ```
/// use tower_auth::endpoint::ResourceMetadata;
///
/// let metadata = ResourceMetadata::new("https://api.example.com/mcp/").name("Reports");
/// // RFC 9728 §3.1: between the host and the path.
/// assert_eq!(metadata.url(), "https://api.example.com/.well-known/oauth-protected-resource/mcp/");
/// ```
#[derive(Clone, Debug, Serialize)]
#[must_use]
pub struct ResourceMetadata {
    resource: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_documentation: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_servers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes_supported: Vec<String>,
    /// RFC 6750 §2: this crate reads the header field alone.
    bearer_methods_supported: [&'static str; 1],
}

impl ResourceMetadata {
    /// Of the resource at that URL, absolute and without a fragment.
    pub fn new(resource: impl Into<String>) -> Self {
        Self {
            resource: resource.into(),
            resource_name: None,
            resource_documentation: None,
            authorization_servers: Vec::new(),
            scopes_supported: Vec::new(),
            bearer_methods_supported: ["header"],
        }
    }

    /// Its name, for people.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.resource_name = Some(name.into());
        self
    }

    /// The URL of a page for developers.
    pub fn documentation(mut self, url: impl Into<String>) -> Self {
        self.resource_documentation = Some(url.into());
        self
    }

    /// The issuer of an authorization server (RFC 8414) whose tokens it takes; none where keys come
    /// by another way.
    pub fn authorization_server(mut self, issuer: impl Into<String>) -> Self {
        self.authorization_servers.push(issuer.into());
        self
    }

    /// A scope that its requests may need.
    pub fn scope(mut self, scope: impl Into<Scope>) -> Self {
        self.scopes_supported.push(scope.into().as_str().to_owned());
        self
    }

    /// Where clients look for it (RFC 9728 §3.1): the well-known path stands between the host and
    /// the resource's own.
    #[must_use]
    pub fn url(&self) -> String {
        let (scheme, rest) = self
            .resource
            .split_once("://")
            .unwrap_or(("https", &self.resource));
        let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let path = if path == "/" { "" } else { path };
        format!("{scheme}://{host}/.well-known/oauth-protected-resource{path}")
    }

    fn problem(&self) -> Option<ConfigProblem> {
        let urls = [&self.resource]
            .into_iter()
            .chain(&self.resource_documentation);
        let mut urls = urls.chain(&self.authorization_servers);
        if urls.all(|url| is_http_url(url)) {
            None
        } else {
            Some(ConfigProblem::ResourceUrl)
        }
    }
}

#[async_trait]
impl Handler for ResourceMetadata {
    async fn handle(&self, call: &Call, _: Input) -> Result<Reply, Rejection> {
        // OK because a struct of texts cannot fail to serialize.
        let json = serde_json::to_vec(self).unwrap_or_default();
        Reply::public(call, json, METADATA_FOR)
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("resource_metadata", "Metadata of the protected resource");
        let document = serde_json::to_value(self).unwrap_or_default();
        Some(about.public(schema_of(&[&document])))
    }
}

impl From<ResourceMetadata> for Endpoint {
    fn from(endpoint: ResourceMetadata) -> Self {
        Self::new(move |path, mounting| {
            mounting.problems.extend(endpoint.problem());
            mounting.get(path, Access::Anybody, endpoint);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_path_stands_between_host_and_path() {
        for (resource, url) in [
            (
                "https://a.example",
                "https://a.example/.well-known/oauth-protected-resource",
            ),
            (
                "https://a.example/",
                "https://a.example/.well-known/oauth-protected-resource",
            ),
            (
                "http://[::1]:3000/mcp",
                "http://[::1]:3000/.well-known/oauth-protected-resource/mcp",
            ),
            (
                "https://a.example/x/y/",
                "https://a.example/.well-known/oauth-protected-resource/x/y/",
            ),
            (
                "https://a.example?x=1",
                "https://a.example/.well-known/oauth-protected-resource?x=1",
            ),
        ] {
            assert_eq!(ResourceMetadata::new(resource).url(), url);
        }
    }
}
