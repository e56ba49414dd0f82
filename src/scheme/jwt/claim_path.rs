/// Where a claim stands in a token: its name, or the names of the members on the way to it.
///
/// ```
/// use tower_auth::jwt::ClaimPath;
/// use tower_auth::Jwt;
///
/// let keycloak = Jwt::new()
///     .role_claim(["realm_access", "roles"]) // {"realm_access": {"roles": ["admin"]}}
///     .role_claim("groups");                 // {"groups": ["staff"]}
///
/// assert_eq!(ClaimPath::from("groups"), ClaimPath::from(["groups"]));
/// // A dot is part of a name, as in claims that are named by a URL.
/// let url = ClaimPath::from("https://example.com/roles");
/// assert_ne!(url, ClaimPath::from(["https://example", "com/roles"]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// The names, from the outermost to the claim's own.
    pub(super) fn names(&self) -> &[String] {
        &self.0
    }

    /// A name that looks like a path into a claim that known issuers write as an object
    /// (Keycloak, Auth0, Supabase). Other names may have dots.
    pub(super) fn mistaken(&self) -> Option<&str> {
        const OBJECTS: [&str; 4] = [
            "realm_access",
            "resource_access",
            "app_metadata",
            "user_metadata",
        ];
        let first = self.0.first()?;
        let (object, _) = first.split_once('.')?;
        if OBJECTS.contains(&object) {
            Some(first)
        } else {
            None
        }
    }
}

impl From<&str> for ClaimPath {
    fn from(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }
}

impl From<String> for ClaimPath {
    fn from(name: String) -> Self {
        Self(vec![name])
    }
}

impl<const N: usize> From<[&str; N]> for ClaimPath {
    fn from(names: [&str; N]) -> Self {
        Self(names.map(str::to_owned).to_vec())
    }
}
