//! The rows. Each file holds the groups of one theme.

mod credentials;
mod fields;
mod methods;
mod syntax;

use super::case::{Case, Expect};
use super::world::{Setup, World};

pub(super) fn rows(world: &World) -> Vec<Case> {
    let mut table = Table {
        row: "",
        setup: Setup::Usual,
        cases: Vec::new(),
    };
    for add in [syntax::add, fields::add, credentials::add, methods::add] {
        add(&mut table, world);
    }
    table.cases
}

/// Collects rows; what is not said is as in the row before.
struct Table {
    row: &'static str,
    setup: Setup,
    cases: Vec<Case>,
}

impl Table {
    /// Begins a group.
    fn group(&mut self, row: &'static str, setup: Setup) {
        self.row = row;
        self.setup = setup;
    }

    fn on(&mut self, setup: Setup) {
        self.setup = setup;
    }

    fn case(&mut self, name: &'static str, headers: Vec<u8>, expect: Expect) -> &mut Case {
        self.cases
            .push(Case::new(self.row, name, self.setup, headers, expect));
        let last = self.cases.len() - 1;
        &mut self.cases[last]
    }
}
