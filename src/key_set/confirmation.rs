/// What a token says its bearer has to prove (`cnf`, RFC 7800 §3.1), as far as it can be proved
/// here. One in which nothing stands binds the token to something else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Confirmation {
    /// `jkt`: the thumbprint of a public key (RFC 9449 §6.1), base64url.
    pub(crate) key: Option<Box<str>>,
    /// `x5t#S256`: the SHA-256 digest of a certificate (RFC 8705 §3.1), base64url.
    pub(crate) certificate: Option<Box<str>>,
}

impl Confirmation {
    /// How many bytes it takes, with what an allocator adds to each piece.
    pub(crate) fn bytes(&self) -> usize {
        let texts = self.key.iter().chain(&self.certificate);
        size_of::<Self>() + 16 + texts.map(|text| text.len() + 16).sum::<usize>()
    }
}
