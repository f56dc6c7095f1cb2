//! By which rule one candidate is chosen before another.

use crate::solve::Solver;
use crate::universe::flag;

/// Rules of choice, in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The question prefers it.
    Favoured,
    /// Its repository has the higher priority.
    Priority,
    /// Its architecture is the better one.
    Architecture,
    /// It is the newer version of the same name.
    Version,
    /// It replaces the other.
    Obsoletes,
    /// Something installed recommends it, or it supplements something installed.
    Recommended,
    /// The other has a newer version elsewhere.
    NewestOfName,
    /// It provides newer versions of what both provide.
    NewerProvides,
    /// Something installed suggests it, or it enhances something installed.
    Suggested,
    /// Nothing else speaks for either; it comes first by name.
    Order,
}

impl Rule {
    /// Why the winner is chosen, as the end of a sentence that begins with it.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Favoured => "is preferred by the question",
            Self::Priority => "is of a repository with higher priority",
            Self::Architecture => "has the better architecture",
            Self::Version => "is newer",
            Self::Obsoletes => "obsoletes it",
            Self::Recommended => "is recommended by what is installed",
            Self::NewestOfName => "is the newest of its name, which it is not",
            Self::NewerProvides => "provides newer versions of what both provide",
            Self::Suggested => "is suggested by what is installed",
            Self::Order => "comes first by name",
        }
    }
}

/// Leaves of candidates those that a rule does not speak against.
type Prune<'u> = fn(&Solver<'u>, &mut Vec<u32>);

impl Solver<'_> {
    /// The rule that chooses one candidate before another over what is installed now; none where no rule
    /// does, or another way round.
    pub(crate) fn rule_between(&self, winner: u32, loser: u32) -> Option<Rule> {
        let prunings: [(Rule, Prune<'_>); 6] = [
            (Rule::Favoured, Self::keep_preferred),
            (Rule::Priority, Self::keep_best_priority),
            (Rule::Architecture, Self::keep_best_architecture),
            (Rule::Version, Self::keep_best_versions),
            (Rule::Obsoletes, Self::drop_obsoleted),
            (Rule::Recommended, Self::keep_recommended),
        ];
        let mut pair = vec![winner, loser];
        pair.sort_by(|&one, &other| self.universe.choice_order(one, other));
        for (rule, prune) in prunings {
            let mut candidates = pair.clone();
            prune(self, &mut candidates);
            if let [only] = candidates[..] {
                return (only == winner).then_some(rule);
            }
        }
        self.order_between(winner, loser, pair)
    }

    /// Leaves of candidates those that the question likes best, if nothing else speaks against all of them.
    fn keep_preferred(&self, candidates: &mut Vec<u32>) {
        let best = candidates.iter().map(|&id| self.favour_of(id)).max();
        let is_best = |id: &u32| Some(self.favour_of(*id)) == best;
        let mut left = candidates.clone();
        self.prune(&mut left);
        if left.iter().any(is_best) {
            candidates.retain(is_best);
        }
    }

    fn order_between(&self, winner: u32, loser: u32, mut pair: Vec<u32>) -> Option<Rule> {
        let is_suggested = |package| self.is_called_for(package, &self.universe.suggested);
        if is_suggested(winner) != is_suggested(loser) {
            return is_suggested(winner).then_some(Rule::Suggested);
        }
        let before = pair.clone();
        self.prefer_newer_provides(&mut pair);
        if pair != before {
            return (pair[0] == winner).then_some(Rule::NewerProvides);
        }
        let is_old = |package| self.universe.has(package, flag::OLD);
        if is_old(winner) != is_old(loser) {
            return is_old(loser).then_some(Rule::NewestOfName);
        }
        (pair[0] == winner).then_some(Rule::Order)
    }

    /// Enters a whole answer as if it had been found, to ask which rules speak for what.
    pub(crate) fn suppose(&mut self, packages: impl IntoIterator<Item = u32>) {
        for package in packages {
            self.install(package);
        }
    }
}
