//! Why a question has no answer: facts that contradict each other, none of which could be left out.

use super::fact::{self, Fact};
use super::request::Request;
use crate::clauses::{Clauses, Literal};
use crate::rules::{Origin, Rules};
use crate::solve::{Ban, Job, Want};
use crate::tables::{DependencyId, PackageId, Relation};
use crate::universe::{Universe, flag};
use rustc_hash::{FxHashMap, FxHashSet};

/// How often a smaller set of facts may be tried in vain before a fact is simply kept.
const PATIENCE: usize = 10_000;

/// Facts that cannot hold together; without any one of them they could.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The facts, from what was asked to where it ends.
    pub facts: Vec<Fact>,
}

impl Proof {
    /// A sentence for each fact.
    #[must_use]
    pub fn sentences(&self, universe: &Universe) -> Vec<String> {
        self.facts.iter().map(|fact| fact.sentence(universe)).collect()
    }

    /// The sentences one below the other, as package managers print them.
    #[must_use]
    pub fn text(&self, universe: &Universe) -> String {
        match &self.sentences(universe)[..] {
            [only] => only.clone(),
            several => format!("conflicting requests\n - {}", several.join("\n - ")),
        }
    }
}

/// Why a job cannot be installed on top of a base; none where it can.
#[must_use]
pub fn impossible(universe: &Universe, base: &Job, job: &Job) -> Option<Proof> {
    let mut rules = Rules::new(universe, [base, job], true);
    if !is_contradictory(&mut rules) {
        return None;
    }
    let core = minimise(&rules, rules.clauses.core());
    let mut facts: Vec<Fact> = Vec::new();
    for origin in core.into_iter().map(|number| rules.origin(number)) {
        let fact = from_origin(universe, &rules, [base, job], origin);
        if let Some(fact) = fact.filter(|fact| !facts.contains(fact)) {
            facts.push(fact);
        }
    }
    Some(Proof { facts: in_order(facts) })
}

/// Decides what is open, one candidate after the other, until all is met or nothing can be.
fn is_contradictory(rules: &mut Rules<'_>) -> bool {
    loop {
        if let Some(failed) = rules.propagate() {
            if rules.learn(failed).is_none() {
                return true;
            }
            continue;
        }
        match rules.clauses.open_choice() {
            Some(literal) => rules.clauses.decide(literal),
            None => return false,
        }
    }
}

/// Leaves facts out one by one for as long as the others still contradict each other.
fn minimise(rules: &Rules<'_>, mut core: Vec<u32>) -> Vec<u32> {
    let is_in_core = |fact: u32| core.binary_search(&fact).is_ok() || fact == 0;
    let all: Vec<Stated<'_>> =
        rules.clauses.facts().filter(|(_, fact)| is_in_core(*fact)).collect();
    core.retain(|&number| number != 0);
    let mut at = core.len();
    while let Some(next) = at.checked_sub(1) {
        at = next;
        let mut rest = core.clone();
        rest.remove(at);
        if let Some(smaller) = contradiction(&all, &rest) {
            core = smaller;
            at = at.min(core.len());
        }
    }
    core
}

/// A clause, and the fact it comes from.
type Stated<'r> = (&'r [Literal], u32);

/// Those of the facts that contradict each other, if they do.
fn contradiction(all: &[Stated<'_>], facts: &[u32]) -> Option<Vec<u32>> {
    let mut clauses = Clauses::default();
    let mut variables: FxHashMap<u32, u32> = FxHashMap::default();
    let is_kept = |fact: u32| fact == 0 || facts.binary_search(&fact).is_ok();
    for &(literals, fact) in all.iter().filter(|(_, fact)| is_kept(*fact)) {
        let literals: Vec<Literal> = literals
            .iter()
            .map(|literal| {
                let variable =
                    *variables.entry(literal.variable()).or_insert_with(|| clauses.variable());
                if literal.is_positive() {
                    Literal::holds(variable)
                } else {
                    Literal::fails(variable)
                }
            })
            .collect();
        clauses.add(&literals, fact);
    }
    let mut patience = PATIENCE;
    loop {
        if let Some(failed) = clauses.propagate() {
            if clauses.learn(failed).is_none() {
                let mut core = clauses.core();
                core.retain(|&fact| fact != 0);
                return Some(core);
            }
            patience = patience.checked_sub(1)?;
        } else {
            clauses.decide(clauses.open_choice()?);
        }
    }
}

/// The fact behind a clause; none for what only defines.
fn from_origin(
    universe: &Universe,
    rules: &Rules<'_>,
    jobs: [&Job; 2],
    origin: Origin,
) -> Option<Fact> {
    Some(match origin {
        Origin::Definition => return None,
        Origin::Want { job, want } => asked(universe, rules, jobs[job], &jobs[job].wants[want]),
        Origin::SourceCondition { source, condition } => {
            let place = (PackageId(source), condition);
            let job = jobs.into_iter().find(|job| job.sources.contains(&place.0))?;
            let request = Request::of_condition(universe, job, place)?;
            let then = universe.conditions[condition as usize].then;
            let providers = packages(rules.members(then));
            Fact::Asked { request, providers, near: Vec::new() }
        }
        Origin::Relation { package, dependency } => {
            relation(universe, rules, PackageId(package), dependency)
        }
        Origin::Exclusive(one, other) => {
            fact::exclusion(universe, PackageId(one), PackageId(other))
        }
        Origin::Inferior(package) => {
            let beside = universe.lockstep.get(&package).map(|set| rules.members(*set));
            let beside = packages(beside.unwrap_or_default());
            Fact::Inferior { package: PackageId(package), beside }
        }
        Origin::Forbidden { package, ban } => forbidden(universe, PackageId(package), ban),
    })
}

fn asked(universe: &Universe, rules: &Rules<'_>, job: &Job, want: &Want) -> Fact {
    if let Want::Package(package) = want
        && !universe.has(package.0, flag::INSTALLABLE)
    {
        return match universe.class(package.0).is_installable() {
            true => Fact::Excluded(*package),
            false => Fact::Architecture(*package),
        };
    }
    let request = Request::of_want(universe, job, want);
    let providers = packages(rules.members_of_want(want));
    let mut near = Vec::new();
    if providers.is_empty() {
        near = fact::near(universe, &fact::names(universe, &request.text(universe)));
    }
    Fact::Asked { request, providers, near }
}

fn relation(
    universe: &Universe,
    rules: &Rules<'_>,
    package: PackageId,
    dependency: DependencyId,
) -> Fact {
    let is_required =
        universe.tables().relations(package, Relation::Requires).contains(&dependency);
    if !is_required {
        return Fact::Conflicts { package, dependency, with: None };
    }
    let (mut providers, mut is_conditional) = (Vec::new(), false);
    match universe.set_of(dependency) {
        Some(set) => providers = rules.members(set),
        None => {
            for condition in universe.rich(dependency, true).unwrap_or_default() {
                providers.extend(rules.members(condition.then));
                is_conditional |= !condition.when.is_empty();
            }
        }
    }
    providers.dedup();
    let providers = packages(providers);
    let mut near = Vec::new();
    if providers.is_empty() && !is_conditional {
        let text = universe.tables().dependency_text(dependency);
        near = fact::near(universe, &fact::names(universe, &text));
    }
    Fact::Requires { package, dependency, providers, is_conditional, near }
}

fn forbidden(universe: &Universe, package: PackageId, ban: Ban) -> Fact {
    match ban {
        Ban::Excluded => Fact::Excluded(package),
        Ban::Locked(to) => Fact::Locked { package, to },
        Ban::BuildConflict(source) => {
            let said = fact::exclusion(universe, source, package);
            let dependency = match said {
                Fact::Conflicts { dependency, .. } => Some(dependency),
                _ => None,
            };
            Fact::BuildConflict { source, dependency, package }
        }
    }
}

fn packages(numbers: Vec<u32>) -> Vec<PackageId> {
    numbers.into_iter().map(PackageId).collect()
}

/// From what was asked onward: each fact behind one that leads to its package.
fn in_order(mut facts: Vec<Fact>) -> Vec<Fact> {
    let mut sorted = Vec::with_capacity(facts.len());
    let mut reached: FxHashSet<PackageId> = FxHashSet::default();
    while !facts.is_empty() {
        let is_next = |fact: &Fact| fact.parts().0.is_none_or(|first| reached.contains(&first));
        let at = facts.iter().position(is_next).unwrap_or(0);
        let fact = facts.remove(at);
        reached.extend(fact.parts().1);
        sorted.push(fact);
    }
    sorted
}
