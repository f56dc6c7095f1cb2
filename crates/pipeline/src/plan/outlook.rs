//! What is left of plans under way: when each will end, and who waits for whom.

use std::time::Duration;

use model::plan::{Plan, StepIndex};

use crate::schedule::{Work, predict_ends};

/// How a step stands, as far as an outlook needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Nothing happens to it any more.
    Over,
    /// What its dependencies change is not known yet.
    Undecided,
    /// It is to be rebuilt.
    Rebuild,
    /// It is being built, for so long already.
    Building(Duration),
    /// It is built; its gate is open to come.
    Built,
    /// Its gate is open.
    Passed,
    /// It is tested again, which nobody waits for but gates.
    Retest,
    /// A person has to do something about it.
    Stuck,
}

impl Stand {
    /// From the name of a step's state; `elapsed` is how long it has been in it.
    pub fn of(state: &str, elapsed: Duration) -> Self {
        match state {
            "waiting" => Self::Undecided,
            "rebuild" => Self::Rebuild,
            "building" => Self::Building(elapsed),
            "built" => Self::Built,
            "passed" => Self::Passed,
            "retest" | "testing" => Self::Retest,
            "failed" | "held" => Self::Stuck,
            _ => Self::Over,
        }
    }

    /// Whether it waits for its dependencies.
    fn waits(self) -> bool {
        matches!(self, Self::Undecided | Self::Rebuild)
    }

    /// Whether dependents that wait may wait for it.
    fn is_waited_for(self) -> bool {
        !matches!(self, Self::Over | Self::Passed | Self::Retest)
    }
}

/// A plan with how each of its steps stands.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// One for each step, in their order.
    pub stands: &'a [Stand],
}

impl Standing<'_> {
    fn stand(&self, step: StepIndex) -> Stand {
        self.stands.get(step).copied().unwrap_or(Stand::Over)
    }

    /// For each step, those that wait for it at first hand.
    fn waiting(&self) -> Vec<Vec<StepIndex>> {
        let mut waiting = vec![Vec::new(); self.plan.steps.len()];
        for edge in &self.plan.edges {
            let (dependency, dependent) = (edge.dependency, edge.dependent);
            // The members of a cycle are built one after the other and wait for each other all the time.
            let apart = self.plan.steps[dependency].unit != self.plan.steps[dependent].unit;
            if apart && self.stand(dependent).waits() && self.stand(dependency).is_waited_for() {
                waiting[dependency].push(dependent);
            }
        }
        // Several edges may join the same two steps.
        waiting.iter_mut().for_each(std::vec::Vec::dedup);
        waiting
    }
}

/// What is left of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// How long building will take if nothing that is undecided is rebuilt.
    pub at_least: Duration,
    /// How long if everything is.
    pub at_most: Duration,
    /// How many steps wait for a person, themselves or behind others.
    pub behind_a_person: usize,
}

/// What is left of several plans that share so many builders.
///
/// An estimate, see [`predict_ends`]. What waits for a person is left out: nobody knows when it goes on.
pub fn outlook(plans: &[Standing<'_>], capacity: usize) -> Vec<Outlook> {
    let blocked: Vec<Vec<bool>> = plans.iter().map(behind_a_person).collect();
    let ends = |undecided: bool| {
        let durations: Vec<Vec<Duration>> = plans
            .iter()
            .zip(&blocked)
            .map(|(standing, blocked)| durations(standing, blocked, undecided))
            .collect();
        let works: Vec<Work<'_>> = plans
            .iter()
            .zip(&durations)
            .map(|(Standing { plan, .. }, durations)| Work {
                units: &plan.units,
                edges: &plan.edges,
                durations,
            })
            .collect();
        predict_ends(&works, capacity)
    };
    let (at_least, at_most) = (ends(false), ends(true));
    at_least
        .into_iter()
        .zip(at_most)
        .zip(&blocked)
        .map(|((at_least, at_most), blocked)| Outlook {
            // A longer list may be done sooner (Graham, 1966); nobody would believe that of a plan.
            at_least: at_least.min(at_most),
            at_most: at_most.max(at_least),
            behind_a_person: blocked.iter().filter(|blocked| **blocked).count(),
        })
        .collect()
}

/// Which steps a person has to do something about, or wait behind one.
fn behind_a_person(standing: &Standing<'_>) -> Vec<bool> {
    let waiting = standing.waiting();
    let mut blocked: Vec<bool> =
        standing.stands.iter().map(|stand| *stand == Stand::Stuck).collect();
    blocked.resize(standing.plan.steps.len(), false);
    let mut open: Vec<StepIndex> = (0..blocked.len()).filter(|step| blocked[*step]).collect();
    while let Some(step) = open.pop() {
        for &dependent in &waiting[step] {
            if !std::mem::replace(&mut blocked[dependent], true) {
                open.push(dependent);
            }
        }
    }
    blocked
}

fn durations(standing: &Standing<'_>, blocked: &[bool], undecided: bool) -> Vec<Duration> {
    let left = |(step, planned): (StepIndex, &model::plan::PlannedStep)| {
        let predicted = planned.predicted;
        match standing.stand(step) {
            _ if blocked[step] => Duration::ZERO,
            Stand::Undecided if undecided => predicted,
            Stand::Rebuild => predicted,
            // What takes longer than it was thought to will take the longer, the longer it took already.
            Stand::Building(elapsed) if elapsed > predicted => (predicted / 10).max(elapsed / 4),
            Stand::Building(elapsed) => predicted.saturating_sub(elapsed).max(predicted / 10),
            _ => Duration::ZERO,
        }
    };
    standing.plan.steps.iter().enumerate().map(left).collect()
}

/// A step that others wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// The step.
    pub step: StepIndex,
    /// How many wait for it, directly or behind others that do.
    pub waiting: usize,
}

/// How many blockers are followed to their ends: those with the most direct dependents.
const FOLLOWED: usize = 100;

/// Whom the waiting steps of a plan wait for in the end, those with the most behind them first.
///
/// A step that itself waits for another is not named: what matters is the front of the queue.
pub fn blockers(standing: &Standing<'_>) -> Vec<Blocker> {
    let waiting = standing.waiting();
    let mut in_front = vec![true; waiting.len()];
    waiting.iter().flatten().for_each(|&dependent| in_front[dependent] = false);
    let mut front: Vec<StepIndex> =
        (0..waiting.len()).filter(|&step| in_front[step] && !waiting[step].is_empty()).collect();
    front.sort_by_key(|&step| (std::cmp::Reverse(waiting[step].len()), step));
    front.truncate(FOLLOWED);
    let mut blockers: Vec<Blocker> = front
        .into_iter()
        .map(|step| Blocker { step, waiting: count_behind(&waiting, step) })
        .collect();
    blockers.sort_by_key(|blocker| (std::cmp::Reverse(blocker.waiting), blocker.step));
    blockers
}

fn count_behind(waiting: &[Vec<StepIndex>], start: StepIndex) -> usize {
    let mut seen = vec![false; waiting.len()];
    seen[start] = true;
    let (mut open, mut count) = (vec![start], 0);
    while let Some(step) = open.pop() {
        for &dependent in &waiting[step] {
            if !std::mem::replace(&mut seen[dependent], true) {
                count += 1;
                open.push(dependent);
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Ground, Published, Request, Root, Setup, make};
    use crate::rules::matching::Answer;
    use crate::rules::passage::Route;
    use crate::rules::shipped;
    use model::artifact::{ArtifactKey, CommitId};
    use model::clock::Timestamp;
    use model::edge::{Edge, EdgeKind, Evidence};
    use model::event::{Event, Severity};
    use model::plan::RootAction;
    use model::reason::Reason;
    use model::rule::PlanMode;
    use model::source::About;

    const ID: &str = "00000000-0000-7000-8000-000000000001";

    fn key(name: &str) -> ArtifactKey {
        format!("rpms/{name}#f44").parse().unwrap()
    }

    fn commit() -> CommitId {
        "c".repeat(40).parse().unwrap()
    }

    /// How far a commit goes by the shipped rules.
    fn route() -> Route {
        let event = Event::Committed {
            artifact: key("a"),
            commit: commit(),
            previous: None,
            forced: false,
            severity: Severity::None,
            subject: "so".to_owned(),
        };
        match shipped::set().ask(&event, &About::default()).answer() {
            Answer::Start(launch) => launch.route,
            Answer::Nothing { sentence, .. } => panic!("{sentence}"),
        }
    }

    /// A plan in which the first artifact changed; `a<b` says that `b` needs `a`. Every build takes ten seconds.
    fn plan(edges: &str) -> Plan {
        let edge = |text: &str| {
            let (dependency, dependent) = text.split_once('<').unwrap();
            let evidence = Evidence::Spec { commit: commit(), capability: String::new() };
            Edge {
                dependent: key(dependent),
                dependency: key(dependency),
                kind: EdgeKind::BuildRequires,
                package: dependency.to_owned(),
                evidence,
            }
        };
        let edges: Vec<Edge> = edges.split_whitespace().map(edge).collect();
        let published = edges.iter().map(|edge| {
            let published = Published { build: ID.parse().unwrap(), commit: commit() };
            (edge.dependent.clone(), published)
        });
        let root = edges[0].dependency.clone();
        let published = published.collect();
        let event = ID.parse().unwrap();
        let reason = Reason::Requested { event, by: "ann".to_owned(), reason: "so".to_owned() };
        let (severity, action) = (Severity::None, RootAction::Rebuild);
        let root = Root {
            artifact: root,
            commit: commit(),
            action,
            reason,
            severity,
            event,
            rule: None,
            hours: None,
        };
        let request = Request {
            id: ID.parse().unwrap(),
            parent: None,
            branch: "f44".parse().unwrap(),
            created: Timestamp(0),
            origin: Timestamp(0),
            start: Timestamp(0),
            mode: PlanMode::Real,
            approval: None,
            roots: vec![root],
            routes: [(event, route())].into(),
        };
        let ground = Ground { edges, published, ..Ground::default() };
        let default_duration = Duration::from_secs(10);
        make(request, &ground, &Setup { max_rounds: 3, capacity: 1, default_duration })
    }

    /// `a building, b waiting` -> what is left, and who holds up how many.
    #[track_caller]
    fn check(edges: &str, states: &str, left: (u64, u64, usize), front: &str) {
        let plan = plan(edges);
        let state = |step: &model::plan::PlannedStep| {
            let named = states.split(", ").map(|text| text.split_once(' ').unwrap());
            let mut own = named.filter(|(name, _)| key(name) == step.artifact);
            own.next().map_or("published", |(_, state)| state)
        };
        let stands: Vec<Stand> =
            plan.steps.iter().map(|step| Stand::of(state(step), Duration::from_secs(4))).collect();
        let standing = Standing { plan: &plan, stands: &stands };
        let outlook = outlook(&[standing], 1)[0];
        let (at_least, at_most) = (outlook.at_least.as_secs(), outlook.at_most.as_secs());
        assert_eq!((at_least, at_most, outlook.behind_a_person), left);
        let name = |blocker: &Blocker| {
            format!("{} {}", plan.steps[blocker.step].artifact.name, blocker.waiting)
        };
        let found: Vec<String> = blockers(&standing).iter().map(name).collect();
        assert_eq!(found.join(", "), front);
    }

    #[test]
    fn what_is_undecided_makes_the_span() {
        check("a<b b<c a<d", "a building, b rebuild, c waiting, d waiting", (16, 36, 0), "a 3");
        check("a<b b<c", "b building, c waiting", (6, 16, 0), "b 1");
    }

    #[test]
    fn what_waits_for_a_person_is_left_out_and_counted() {
        check("a<b b<c a<d", "b failed, c rebuild, d rebuild", (10, 10, 2), "b 1");
        check("a<b", "a held, b waiting", (0, 0, 2), "a 1");
    }

    #[test]
    fn nobody_waits_for_what_has_passed() {
        check("a<b", "a passed, b rebuild", (10, 10, 0), "");
        check("a<b", "b retest", (0, 0, 0), "");
    }
}
