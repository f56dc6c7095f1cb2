//! Why a package is in an answer: the shortest chain from what was asked, through installed packages only.

use super::request::Request;
use crate::solve::{Job, Want};
use crate::tables::{DependencyId, PackageId, Relation};
use crate::universe::{Condition, SetId, Universe};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// What leads to a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// It meets something that was asked.
    Asked(Request),
    /// It meets what an installed package requires.
    Requires(PackageId, DependencyId),
    /// It meets what an installed package recommends.
    Recommends(PackageId, DependencyId),
    /// It wants to be there where something that is installed is.
    Supplements(DependencyId),
}

/// One step of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What leads to the package.
    pub link: Link,
    /// The package.
    pub package: PackageId,
}

/// Steps from what was asked to a package; as many as the package is away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The steps, the last being the package in question.
    pub steps: Vec<Step>,
}

impl Chain {
    /// A sentence for each step.
    #[must_use]
    pub fn sentences(&self, universe: &Universe) -> Vec<String> {
        let tables = universe.tables();
        let say = |step: &Step| {
            let package = tables.nevra(step.package);
            match &step.link {
                Link::Asked(Request::Package(_)) => format!("{package} is asked for"),
                Link::Asked(request) => {
                    format!("{}, which {package} provides", request.sentence(universe))
                }
                Link::Requires(by, dependency) => {
                    let (by, text) = (tables.nevra(*by), tables.dependency_text(*dependency));
                    format!("{by} requires {text}, which {package} provides")
                }
                Link::Recommends(by, dependency) => {
                    let (by, text) = (tables.nevra(*by), tables.dependency_text(*dependency));
                    format!("{by} recommends {text}, which {package} provides")
                }
                Link::Supplements(dependency) => {
                    format!("{package} supplements {}", tables.dependency_text(*dependency))
                }
            }
        };
        self.steps.iter().map(say).collect()
    }
}

/// The shortest ways to everything installed, from what one or several jobs ask.
#[derive(Debug)]
pub struct Paths<'u> {
    universe: &'u Universe,
    installed: FxHashMap<PackageId, Option<Reached>>,
    queue: VecDeque<PackageId>,
    order: Vec<PackageId>,
}

#[derive(Debug, Clone)]
struct Reached {
    link: Link,
    from: Option<PackageId>,
    distance: u32,
}

impl<'u> Paths<'u> {
    /// Finds the ways from the wants of jobs through what is installed. For the distances of a build's
    /// requirements only the job that states them is given, without the build group.
    #[must_use]
    pub fn new(universe: &'u Universe, jobs: &[&Job], installed: &[PackageId]) -> Self {
        let mut paths = Self {
            universe,
            installed: installed.iter().map(|&package| (package, None)).collect(),
            queue: VecDeque::new(),
            order: Vec::new(),
        };
        for job in jobs {
            paths.start(job);
        }
        paths.follow_requirements();
        paths.follow_weak();
        paths
    }

    /// How far a package is from what was asked: 1 where it was asked for itself. None where it is not
    /// installed, or nothing asked leads to it.
    #[must_use]
    pub fn distance(&self, package: PackageId) -> Option<u32> {
        self.reached(package).map(|reached| reached.distance)
    }

    /// The chain that leads to a package.
    #[must_use]
    pub fn chain(&self, package: PackageId) -> Option<Chain> {
        let mut steps = Vec::new();
        let mut at = Some(package);
        while let Some(package) = at {
            let reached = self.reached(package)?;
            steps.push(Step { link: reached.link.clone(), package });
            at = reached.from;
        }
        steps.reverse();
        Some(Chain { steps })
    }

    /// Whether a package is installed.
    fn is_installed(&self, package: PackageId) -> bool {
        self.installed.contains_key(&package)
    }

    fn reached(&self, package: PackageId) -> Option<&Reached> {
        self.installed.get(&package)?.as_ref()
    }

    fn start(&mut self, job: &Job) {
        for want in &job.wants {
            let members = match want {
                Want::Set(set) => self.universe.members(*set).collect(),
                Want::Asked(_, providers) => providers.clone(),
                Want::Package(package) => vec![*package],
            };
            let request = Request::of_want(self.universe, job, want);
            self.reach(&members, None, &Link::Asked(request));
        }
        for &(source, at) in &job.conditions {
            let place = (PackageId(source), at);
            let Some(request) = Request::of_condition(self.universe, job, place) else { continue };
            let members = self.consequence(&self.universe.conditions[at as usize]);
            self.reach(&members, None, &Link::Asked(request));
        }
    }

    fn reach(&mut self, members: &[PackageId], from: Option<PackageId>, link: &Link) {
        let distance = from.and_then(|from| self.distance(from)).map_or(1, |before| before + 1);
        for member in members {
            let Some(place) = self.installed.get_mut(member) else { continue };
            if place.is_none() {
                *place = Some(Reached { link: link.clone(), from, distance });
                self.queue.push_back(*member);
                self.order.push(*member);
            }
        }
    }

    fn follow_requirements(&mut self) {
        let tables = self.universe.tables();
        while let Some(package) = self.queue.pop_front() {
            for &dependency in tables.relations(package, Relation::Requires) {
                let members = self.meeting(dependency);
                self.reach(&members, Some(package), &Link::Requires(package, dependency));
            }
        }
    }

    /// What only weak relations lead to, and what that requires.
    fn follow_weak(&mut self) {
        let tables = self.universe.tables();
        let mut at = 0;
        while let Some(&package) = self.order.get(at) {
            at += 1;
            for &dependency in tables.relations(package, Relation::Recommends) {
                let members = self.meeting(dependency);
                self.reach(&members, Some(package), &Link::Recommends(package, dependency));
            }
            self.follow_requirements();
        }
        let mut others: Vec<PackageId> = self.installed.keys().copied().collect();
        others.sort_unstable();
        for package in others {
            for &dependency in tables.relations(package, Relation::Supplements) {
                let supplemented = self.meeting(dependency).into_iter();
                let from = supplemented.filter(|other| self.distance(*other).is_some()).min();
                if from.is_some() {
                    self.reach(&[package], from, &Link::Supplements(dependency));
                    self.follow_requirements();
                }
            }
        }
    }

    /// The installed packages that meet a dependency.
    fn meeting(&self, dependency: DependencyId) -> Vec<PackageId> {
        if let Some(set) = self.universe.set_of(dependency) {
            return self.members(set);
        }
        let conditions = self.universe.rich(dependency, true).unwrap_or_default();
        conditions.iter().flat_map(|condition| self.consequence(condition)).collect()
    }

    fn consequence(&self, condition: &Condition) -> Vec<PackageId> {
        if self.holds(condition) { self.members(condition.then) } else { Vec::new() }
    }

    /// Whether all conditions of a condition are met by what is installed.
    pub(super) fn holds(&self, condition: &Condition) -> bool {
        condition.when.iter().all(|&set| !self.members(set).is_empty())
    }

    fn members(&self, set: SetId) -> Vec<PackageId> {
        self.universe.members(set).filter(|member| self.is_installed(*member)).collect()
    }
}
