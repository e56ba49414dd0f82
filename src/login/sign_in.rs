use crate::secret::Secret;

/// Somebody says who they are.
#[derive(Clone, Copy)]
pub(crate) struct SignIn<'a> {
    pub(crate) name: &'a str,
    pub(crate) password: &'a Secret<String>,
}
