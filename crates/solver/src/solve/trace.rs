//! What a question's answer depends on: every package that was installed or forbidden on the way to it.

use super::Solver;
use crate::rules::Rules;

/// What questions find when they begin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct BaseState {
    /// Packages the base installs, sorted.
    pub(crate) installed: Vec<u32>,
    /// Packages the base forbids, sorted.
    pub(crate) forbidden: Vec<u32>,
    /// Candidates of the needs and wants the base leaves open, in their order.
    pub(crate) open: Vec<Vec<u32>>,
    /// Conditions that installed packages state.
    pub(crate) conditions: usize,
    /// Whether the base itself is contradictory.
    pub(crate) is_impossible: bool,
}

impl Solver<'_> {
    /// Notes from now on what is taken back, too.
    pub(crate) fn keep_trace(&mut self) {
        self.undone = Some(Vec::new());
    }

    /// The packages that were ever installed beyond the base for the last question, and the ones that were
    /// ever forbidden; in no order and with repetitions.
    pub(crate) fn trace(&self) -> (impl Iterator<Item = u32> + '_, impl Iterator<Item = u32> + '_) {
        let undone = self.undone.as_deref().unwrap_or_default();
        let entries = || self.trail[self.base.trail..].iter().chain(undone);
        let of =
            |bit: u32| entries().filter(move |entry| **entry & 1 == bit).map(|entry| entry >> 1);
        (of(0), of(1))
    }

    /// Everything installed or forbidden for the question so far, where that is noted.
    pub(super) fn noted(&self) -> Vec<u32> {
        let Some(undone) = &self.undone else { return Vec::new() };
        [undone, &self.trail[self.base.trail..]].concat()
    }

    /// Notes what was looked at in another way than by the solver itself.
    pub(super) fn note(&mut self, entries: impl IntoIterator<Item = u32>) {
        if let Some(undone) = &mut self.undone {
            undone.extend(entries);
        }
    }

    /// Notes what the exact search looked at: its clauses see contradictions before the solver does, so not
    /// all of it came to be installed or forbidden there.
    pub(super) fn note_rules(&mut self, rules: &Rules<'_>) {
        self.note(rules.looked_into().flat_map(|(package, [failed, held])| {
            let entries = [held.then_some(package << 1), failed.then_some(package << 1 | 1)];
            entries.into_iter().flatten()
        }));
    }

    /// Where all questions begin.
    pub(crate) fn base_state(&self) -> BaseState {
        let entries = &self.trail[..self.base.trail];
        let of = |bit: u32| {
            let entries = entries.iter().filter(|entry| **entry & 1 == bit);
            let mut packages: Vec<u32> = entries.map(|entry| entry >> 1).collect();
            packages.sort_unstable();
            packages
        };
        let needs = self.needs.iter().map(|need| need.set);
        let sets = needs.chain(self.wants[..self.base_wants].iter().copied());
        let open = sets.filter(|&set| !self.is_met(set)).map(|set| self.members(set).to_vec());
        BaseState {
            installed: of(0),
            forbidden: of(1),
            open: open.collect(),
            conditions: self.watching.len(),
            is_impossible: self.base_conflict.is_some(),
        }
    }
}
