/// Whether a refresh token is good once or until it expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rotation {
    On,
    Off,
}
