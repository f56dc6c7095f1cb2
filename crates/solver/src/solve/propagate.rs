//! What follows from what is decided, until nothing more does.

use super::Solver;
use super::rows::Needs;
use super::state::{FORBIDDEN, Need, Standing};
use crate::universe::{SetId, flag};

impl Solver<'_> {
    /// Follows every decision to its end; false where they contradict each other.
    pub(super) fn propagate(&mut self) -> bool {
        loop {
            while let Some(&entry) = self.trail.get(self.head) {
                self.head += 1;
                let package = entry >> 1;
                let holds = if entry & 1 == 0 {
                    self.follow_installed(package)
                } else {
                    self.follow_forbidden(package)
                };
                if !holds {
                    return false;
                }
            }
            if !self.watching.is_empty() && !self.check_conditions() {
                return false;
            }
            if self.head == self.trail.len() {
                return true;
            }
        }
    }

    fn follow_installed(&mut self, package: u32) -> bool {
        let Needs { forced, choices, end, is_all } = self.beyond.needs(self.universe, package);
        if !is_all && !self.rows.conflicts.get(package).iter().all(|&other| self.forbid(other)) {
            return false;
        }
        if !(forced..choices).all(|at| self.install(self.beyond.item(at))) {
            return false;
        }
        if !(choices..end).all(|at| self.choice(package, at - choices, at)) {
            return false;
        }
        is_all || self.follow_special(package)
    }

    fn choice(&mut self, owner: u32, position: u32, at: u32) -> bool {
        self.need(Need::new(owner, position, self.beyond.item(at)))
    }

    /// What follows from a package beside what it needs and whom it cannot be installed with.
    fn follow_special(&mut self, package: u32) -> bool {
        let universe = self.universe;
        if universe.has(package, flag::CONDITIONAL) {
            let conditions = universe.conditions_of.get(package);
            self.watching.extend(conditions.iter().map(|&condition| (package, condition)));
        }
        !universe.has(package, flag::INFERIOR) || self.keep_in_step(package)
    }

    /// A package of an inferior architecture comes only beside the same version of a better one, unless
    /// just it was asked for. From libsolv's rules for inferior architectures.
    fn keep_in_step(&mut self, package: u32) -> bool {
        let name = self.universe.tables().package(crate::tables::PackageId(package)).name;
        if self.exempt_names.contains(&name.0) {
            return true;
        }
        match self.universe.lockstep.get(&package) {
            Some(set) => self.need(Need::last(set.0)),
            None => true,
        }
    }

    fn follow_forbidden(&mut self, package: u32) -> bool {
        let owners = self.rows.forced_by.get(package);
        if !owners.iter().all(|&owner| self.forbid(owner)) {
            return false;
        }
        let [start, end] = self.beyond.memberships(self.rows, package);
        (start..end).all(|at| self.follow_smaller(self.beyond.item(at))) && self.check_own_sets()
    }

    /// A set has lost a member: what is needed of it may have to be its last, and nobody may need it who can
    /// have none.
    fn follow_smaller(&mut self, set: u32) -> bool {
        if !self.active[set as usize] {
            let members = self.members(set);
            let is_lost = members.iter().all(|&member| self.state[member as usize] == FORBIDDEN);
            return !is_lost || self.lose(set);
        }
        match self.standing(set) {
            Standing::Met | Standing::Open => true,
            Standing::Last(package) => self.install(package),
            Standing::Lost => self.lose(set),
        }
    }

    /// A set that cannot be met takes those who need it with it.
    fn lose(&mut self, set: u32) -> bool {
        if self.active[set as usize] {
            self.conflict = super::Conflict::Set(SetId(set));
            return false;
        }
        let owners = self.rows.owners_of.get(set);
        owners.iter().all(|&owner| self.forbid(owner))
    }

    /// The job's own sets are in no index, being few.
    fn check_own_sets(&mut self) -> bool {
        let of_base = self.open_own_sets.len();
        (0..of_base).all(|at| self.follow_own(self.open_own_sets[at]))
            && self.own_set_numbers(self.base_sets).all(|set| self.follow_own(set))
    }

    fn follow_own(&mut self, set: u32) -> bool {
        !self.active[set as usize] || self.follow_smaller(set)
    }

    /// Conditions of installed packages: those that hold make their consequence a need, and those that
    /// must not hold forbid what would complete them.
    fn check_conditions(&mut self) -> bool {
        let mut at = 0;
        while let Some(&(owner, number)) = self.watching.get(at) {
            if !self.check_condition(owner, number) {
                return false;
            }
            at += 1;
        }
        true
    }

    fn check_condition(&mut self, owner: u32, number: u32) -> bool {
        let universe = self.universe;
        let condition = &universe.conditions[number as usize];
        let then = condition.then;
        let mut unmet = condition.when.iter().filter(|set| !self.is_met(set.0));
        match (unmet.next(), unmet.next()) {
            (None, _) => {
                // Conditional rules stand among their owner's, behind the plain ones.
                let need = Need::new(owner, u32::MAX - number, then.0);
                let is_known = self.active[then.0 as usize] && then != SetId::EMPTY;
                is_known || self.need(need)
            }
            (Some(&SetId(set)), None) if self.standing(then.0) == Standing::Lost => {
                universe.sets.get(set).iter().all(|&member| self.forbid(member))
            }
            _ => true,
        }
    }
}
