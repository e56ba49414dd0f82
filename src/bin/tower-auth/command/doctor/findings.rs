use super::check::Check;
use crate::console::{Console, List};
use crate::failure::Failure;

/// What was found so far, printed as it is found.
pub(super) struct Findings {
    list: List<Check>,
    faults: usize,
}

impl Findings {
    pub(super) fn new(console: Console) -> Self {
        Self {
            list: List::new(console),
            faults: 0,
        }
    }

    pub(super) fn add(&mut self, checks: impl IntoIterator<Item = Check>) -> Result<(), Failure> {
        let checks: Vec<Check> = checks.into_iter().collect();
        self.faults += checks.iter().filter(|check| check.is_fault()).count();
        self.list.page(&checks)
    }

    pub(super) fn end(self) -> Result<(), Failure> {
        match self.faults {
            0 => Ok(()),
            1 => Err(Failure::failed("There is a fault.")),
            faults => Err(Failure::failed(format!("There are {faults} faults."))),
        }
    }
}
