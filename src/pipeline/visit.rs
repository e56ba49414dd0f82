use super::decision::By;
use crate::credential::Precautions;
use crate::event::KeptFacts;
use crate::reject::{LimitFields, Rejection, Shape};

/// What is kept of a request that was let through, for the answer to it.
pub(crate) struct Visit {
    /// In what shape a refusal of its handler is answered.
    pub(super) shape: Shape,
    /// By which scheme it got in.
    pub(super) by: By,
    /// What its answer tells of limits.
    pub(super) fields: Option<LimitFields>,
    /// For telling of what happens, and of a refusal of its handler; only where somebody listens.
    pub(super) facts: Option<Box<KeptFacts>>,
    /// What its answer says because of where the credential stood.
    pub(super) precautions: Option<Box<Precautions>>,
}

/// What is kept of a request that was refused, for the answer to it.
pub(crate) struct Refused {
    pub(super) rejection: Rejection,
    pub(super) shape: Shape,
    pub(super) precautions: Option<Box<Precautions>>,
}
