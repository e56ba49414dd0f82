use sha2::{Digest, Sha256};

/// The certificate that a client proved to have when it opened its TLS connection: in the
/// extensions of a request, put there by whatever ends TLS.
///
/// Tokens that are bound to a certificate (RFC 8705 §3) are held against it where
/// [`Jwt::certificate_bound`](crate::Jwt::certificate_bound) is on. Nobody reads it from a header
/// field: a proxy that passes it on in one is believed by whoever puts it here, after having made
/// sure that no client can send that field.
///
/// ```
/// use http::Request;
/// use tower_auth::credential::ClientCertificate;
///
/// # let der = b"DER";
/// let mut request = Request::new(());
/// request.extensions_mut().insert(ClientCertificate::from_der(der));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    digest: [u8; 32],
}

impl ClientCertificate {
    /// From the certificate itself, in DER.
    #[must_use]
    pub fn from_der(der: &[u8]) -> Self {
        Self::from_sha256(Sha256::digest(der).into())
    }

    /// From the SHA-256 digest of its DER form.
    #[must_use]
    pub fn from_sha256(digest: [u8; 32]) -> Self {
        Self { digest }
    }

    pub(crate) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}
