//! The universe and a question as clauses, made only for the packages that come to be considered.
//!
//! Propagating installs packages; what a newly installed one needs and refuses becomes clauses then. Each
//! clause remembers who said so, in the words of the tables.

use crate::clauses::{ClauseId, Clauses, Literal};
use crate::solve::{Ban, Job, Want};
use crate::tables::{DependencyId, PackageId, Relation};
use crate::universe::{Condition, SetId, Universe};
use rustc_hash::FxHashMap;

/// Who said what a clause says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody: it defines what it is for a set to have a member installed.
    Definition,
    /// A want of a job.
    Want { job: usize, want: usize },
    /// A rich dependency of a source: the source, and the condition's position in the universe.
    SourceCondition { source: u32, condition: u32 },
    /// A package's requirement, or rich conflict, of this text.
    Relation { package: u32, dependency: DependencyId },
    /// Two packages that cannot be installed together.
    Exclusive(u32, u32),
    /// A package of an inferior architecture.
    Inferior(u32),
    /// A package that a job forbids.
    Forbidden { package: u32, ban: Ban },
}

/// What a variable stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// That the package is installed.
    Package(u32),
    /// That a member of the set is, where that is a condition.
    Set(SetId),
}

/// The clauses so far, and what is needed to make more.
#[derive(Debug)]
pub(crate) struct Rules<'u> {
    universe: &'u Universe,
    /// Whether packages that can never be installed are looked at, to find out why they cannot.
    with_dead: bool,
    pub(crate) clauses: Clauses,
    variables: FxHashMap<Subject, u32>,
    subjects: Vec<Subject>,
    expanded: Vec<bool>,
    origins: Vec<Origin>,
    exempt_names: Vec<u32>,
    /// How much of the trail has been looked at for packages to expand.
    looked_at: usize,
}

impl<'u> Rules<'u> {
    /// The clauses of a base and a job on top of it.
    pub(crate) fn new(universe: &'u Universe, jobs: [&Job; 2], with_dead: bool) -> Self {
        let mut rules = Self {
            universe,
            with_dead,
            clauses: Clauses::default(),
            variables: FxHashMap::default(),
            subjects: Vec::new(),
            expanded: Vec::new(),
            origins: vec![Origin::Definition],
            exempt_names: Vec::new(),
            looked_at: 0,
        };
        for job in jobs {
            rules.exempt(job);
        }
        for (at, job) in jobs.into_iter().enumerate() {
            rules.add_job(at, job);
        }
        rules
    }

    /// What a variable stands for.
    pub(crate) fn subject(&self, variable: u32) -> Subject {
        self.subjects[variable as usize]
    }

    /// Who said the facts of these numbers; definitions are left out.
    pub(crate) fn origin(&self, fact: u32) -> Origin {
        self.origins[fact as usize]
    }

    /// What is known of a package; none too where no clause speaks of it.
    pub(crate) fn value(&self, package: u32) -> Option<bool> {
        let variable = self.variables.get(&Subject::Package(package))?;
        self.clauses.value(*variable)
    }

    /// Whether any clause speaks of a package.
    pub(crate) fn knows(&self, package: u32) -> bool {
        self.variables.contains_key(&Subject::Package(package))
    }

    /// The packages that were ever forbidden, and those that were ever installed or whose own words were
    /// read, also where that was taken back.
    pub(crate) fn looked_into(&self) -> impl Iterator<Item = (u32, [bool; 2])> + '_ {
        self.subjects.iter().zip(0u32..).filter_map(|(subject, variable)| match *subject {
            Subject::Package(package) => {
                let [failed, held] = self.clauses.ever(variable);
                Some((package, [failed, held || self.expanded[variable as usize]]))
            }
            Subject::Set(_) => None,
        })
    }

    /// Installs a package because somebody chose to.
    pub(crate) fn decide(&mut self, package: u32) {
        let literal = self.package(package);
        self.clauses.decide(literal);
    }

    /// Learns from a clause that failed; see [`Clauses::learn`].
    pub(crate) fn learn(&mut self, failed: ClauseId) -> Option<usize> {
        let level = self.clauses.learn(failed);
        self.looked_at = self.looked_at.min(self.clauses.kept());
        level
    }

    /// Takes back all decisions but the first so many.
    pub(crate) fn backtrack(&mut self, level: usize) {
        self.clauses.backtrack(level);
        self.looked_at = self.looked_at.min(self.clauses.kept());
    }

    /// Follows everything to its end, making clauses for what is installed on the way; a clause that fails
    /// where there is one.
    pub(crate) fn propagate(&mut self) -> Option<ClauseId> {
        loop {
            let failed = self.clauses.propagate();
            if failed.is_some() {
                return failed;
            }
            let literal = *self.clauses.trail().get(self.looked_at)?;
            self.looked_at += 1;
            if let Subject::Package(package) = self.subject(literal.variable())
                && literal.is_positive()
            {
                self.expand(package);
            }
        }
    }

    /// Makes the clauses that hold once a package is installed; false where they are there already.
    pub(crate) fn expand(&mut self, package: u32) -> bool {
        let variable = self.package(package).variable() as usize;
        if std::mem::replace(&mut self.expanded[variable], true) {
            return false;
        }
        let universe = self.universe;
        let id = PackageId(package);
        for &dependency in universe.tables().relations(id, Relation::Requires) {
            self.add_requirement(package, dependency);
        }
        for &dependency in universe.tables().relations(id, Relation::Conflicts) {
            if let Some(conditions) = universe.rich(dependency, false) {
                let origin = Origin::Relation { package, dependency };
                // That one package excludes another is known without the words.
                let is_plain = |condition: &Condition| {
                    condition.when.len() == 1 && condition.then == SetId::EMPTY
                };
                for condition in conditions.iter().filter(|condition| !is_plain(condition)) {
                    self.add_condition(Some(package), condition, origin);
                }
            }
        }
        for other in universe.conflicts(id) {
            if !self.is_looked_at(other.0) {
                continue;
            }
            let clause = [!self.package(package), !self.package(other.0)];
            self.add(&clause, Origin::Exclusive(package, other.0));
        }
        self.add_lockstep(package);
        true
    }

    fn add_requirement(&mut self, package: u32, dependency: DependencyId) {
        let origin = Origin::Relation { package, dependency };
        if let Some(set) = self.universe.set_of(dependency) {
            let mut clause = vec![!self.package(package)];
            clause.extend(self.literals(set));
            self.add(&clause, origin);
        } else if let Some(conditions) = self.universe.rich(dependency, true) {
            for condition in conditions {
                self.add_condition(Some(package), condition, origin);
            }
        }
    }

    fn add_condition(&mut self, owner: Option<u32>, condition: &Condition, origin: Origin) {
        let mut clause: Vec<Literal> = Vec::new();
        if let Some(owner) = owner {
            clause.push(!self.package(owner));
        }
        for &set in &condition.when {
            let Some(holds) = self.condition_literal(set) else { return };
            clause.push(!holds);
        }
        clause.extend(self.literals(condition.then));
        self.add(&clause, origin);
    }

    /// What holds if a member of the set is installed; none where the set has no member.
    fn condition_literal(&mut self, set: SetId) -> Option<Literal> {
        let members = self.literals(set);
        if members.len() < 2 {
            return members.first().copied();
        }
        let is_new = !self.variables.contains_key(&Subject::Set(set));
        let holds = Literal::holds(self.variable(Subject::Set(set)));
        if is_new {
            for member in members {
                self.add(&[!member, holds], Origin::Definition);
            }
        }
        Some(holds)
    }

    fn add_lockstep(&mut self, package: u32) {
        let Some(&beside) = self.universe.lockstep.get(&package) else { return };
        let name = self.universe.tables().package(PackageId(package)).name.0;
        if !self.exempt_names.contains(&name) {
            let mut clause = vec![!self.package(package)];
            clause.extend(self.literals(beside));
            self.add(&clause, Origin::Inferior(package));
        }
    }

    fn exempt(&mut self, job: &Job) {
        for want in &job.wants {
            if let Want::Package(package) = want {
                self.exempt_names.push(self.universe.tables().package(*package).name.0);
            }
        }
    }

    fn add_job(&mut self, number: usize, job: &Job) {
        for &(package, ban) in &job.forbidden {
            let clause = [!self.package(package.0)];
            self.add(&clause, Origin::Forbidden { package: package.0, ban });
        }
        for want in 0..job.wants.len() {
            let members = self.members_of_want(&job.wants[want]);
            let clause: Vec<Literal> = members.into_iter().map(|id| self.package(id)).collect();
            self.add(&clause, Origin::Want { job: number, want });
        }
        for &(source, at) in &job.conditions {
            let condition = &self.universe.conditions[at as usize];
            let origin = Origin::SourceCondition { source, condition: at };
            self.add_condition(None, condition, origin);
        }
    }

    /// The packages any of which meets a want.
    pub(crate) fn members_of_want(&self, want: &Want) -> Vec<u32> {
        let mut members: Vec<u32> = match want {
            Want::Set(set) => return self.members(*set),
            Want::Asked(_, providers) => providers.iter().map(|package| package.0).collect(),
            Want::Package(package) => vec![package.0],
        };
        members.retain(|&package| self.is_looked_at(package));
        members
    }

    /// The members of a set in the order of choice, the dead behind the others.
    pub(crate) fn members(&self, set: SetId) -> Vec<u32> {
        let mut members = self.universe.sets.get(set.0).to_vec();
        if self.with_dead {
            members.extend(self.universe.dead_members(set));
        }
        members
    }

    fn is_looked_at(&self, package: u32) -> bool {
        let is_dead = self.universe.is_dead(PackageId(package));
        self.universe.is_living(package) || (is_dead && self.with_dead)
    }

    fn literals(&mut self, set: SetId) -> Vec<Literal> {
        self.members(set).into_iter().map(|member| self.package(member)).collect()
    }

    /// That a package is installed.
    pub(crate) fn package(&mut self, package: u32) -> Literal {
        Literal::holds(self.variable(Subject::Package(package)))
    }

    fn variable(&mut self, subject: Subject) -> u32 {
        let (clauses, subjects) = (&mut self.clauses, &mut self.subjects);
        let expanded = &mut self.expanded;
        *self.variables.entry(subject).or_insert_with(|| {
            subjects.push(subject);
            expanded.push(false);
            clauses.variable()
        })
    }

    fn add(&mut self, clause: &[Literal], origin: Origin) {
        let fact = match (origin, self.origins.last()) {
            (Origin::Definition, _) => 0,
            (_, Some(last)) if *last == origin => self.origins.len() as u32 - 1,
            _ => {
                self.origins.push(origin);
                self.origins.len() as u32 - 1
            }
        };
        self.clauses.add(clause, fact);
    }
}
