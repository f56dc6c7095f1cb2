//! What to start first, and how long a plan will take.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use model::clock::Timestamp;
use model::event::Severity;
use model::plan::{PlanEdge, Unit};

/// Something that could start now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<I> {
    /// What it is; decides where everything else is equal.
    pub id: I,
    /// The gravest cause that waits for it, see [`inherit`].
    pub severity: Severity,
    /// How long what depends on it will take, itself included, see [`remaining_paths`].
    pub remaining_path: Duration,
    /// Since when it could have started.
    pub waiting_since: Timestamp,
}

/// Waiting this long raises a candidate by one severity.
const AGEING: Duration = Duration::from_secs(60 * 60);

/// Picks what to start on `capacity` places of which `running` are taken, the most urgent first.
///
/// The first difference decides:
/// 1. the class: the severity of the cause, one higher for every full hour of waiting, but never `critical` by waiting
///    alone, so that nothing starves and a critical fix still overtakes everything that merely waited;
/// 2. the remaining path plus the time waited: what the plan's end depends on goes first, and among equals the oldest;
/// 3. the id.
pub fn order<I: Ord + Clone>(
    candidates: &[Candidate<I>],
    running: usize,
    capacity: usize,
    now: Timestamp,
) -> Vec<I> {
    let mut sorted: Vec<&Candidate<I>> = candidates.iter().collect();
    sorted.sort_by_cached_key(|candidate| {
        let waited = now.since(candidate.waiting_since);
        let weight = candidate.remaining_path.saturating_add(waited);
        (Reverse(class(candidate.severity, waited)), Reverse(weight), candidate.id.clone())
    });
    let free = capacity.saturating_sub(running);
    sorted.into_iter().take(free).map(|candidate| candidate.id.clone()).collect()
}

fn class(severity: Severity, waited: Duration) -> Severity {
    let hours = usize::try_from(waited.as_secs() / AGEING.as_secs()).unwrap_or(usize::MAX);
    let own = Severity::ALL.iter().position(|known| *known == severity).unwrap_or(0);
    let aged = Severity::ALL[own.saturating_add(hours).min(Severity::ALL.len() - 2)];
    severity.max(aged)
}

/// Gives everything the highest severity among its own and those of what waits for it, directly or through others.
///
/// `waits` holds pairs of who waits and what it waits for; it may have cycles.
pub fn inherit(severities: &[Severity], waits: &[(usize, usize)]) -> Vec<Severity> {
    let mut awaited = vec![Vec::new(); severities.len()];
    for &(waiter, for_what) in waits {
        if let Some(list) = awaited.get_mut(waiter) {
            list.push(for_what);
        }
    }
    let mut inherited = severities.to_vec();
    let mut open: Vec<usize> = (0..severities.len()).collect();
    while let Some(waiter) = open.pop() {
        for &index in &awaited[waiter] {
            let given = inherited[waiter];
            match inherited.get_mut(index) {
                Some(own) if *own < given => {
                    *own = given;
                    open.push(index);
                }
                _ => {}
            }
        }
    }
    inherited
}

/// The work of a plan, whole or what is left of it.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    /// The plan's units.
    pub units: &'a [Unit],
    /// The plan's edges.
    pub edges: &'a [PlanEdge],
    /// How long each step is expected to take; zero for one that is over or not needed.
    pub durations: &'a [Duration],
}

/// Units as nodes: how long each takes, which wait for it, and an order with dependencies first.
struct Jobs {
    unit_of: Vec<Option<usize>>,
    durations: Vec<Duration>,
    dependents: Vec<Vec<usize>>,
    /// How many units each one waits for.
    waits_for: Vec<usize>,
    /// Units that wait for one another are missing. A plan has none: they would be one unit.
    order: Vec<usize>,
}

impl Jobs {
    fn of(work: &Work<'_>) -> Self {
        let mut unit_of = vec![None; work.durations.len()];
        let mut durations = vec![Duration::ZERO; work.units.len()];
        for (unit, members) in work.units.iter().map(|unit| &unit.members).enumerate() {
            for &step in members.iter().filter(|step| **step < work.durations.len()) {
                unit_of[step] = Some(unit);
                durations[unit] = durations[unit].saturating_add(work.durations[step]);
            }
        }
        let unit = |step: usize| unit_of.get(step).copied().flatten();
        let ends = |edge: &PlanEdge| Some((unit(edge.dependency)?, unit(edge.dependent)?));
        let mut pairs: Vec<_> =
            work.edges.iter().filter_map(ends).filter(|(from, to)| from != to).collect();
        pairs.sort_unstable();
        pairs.dedup();

        let mut dependents = vec![Vec::new(); durations.len()];
        let mut waits_for = vec![0; durations.len()];
        for (from, to) in pairs {
            dependents[from].push(to);
            waits_for[to] += 1;
        }
        let order = sort(&dependents, waits_for.clone());
        Self { unit_of, durations, dependents, waits_for, order }
    }

    /// The longest way from each unit through its dependents, by their durations.
    fn paths(&self) -> Vec<Duration> {
        let mut paths = self.durations.clone();
        for &unit in self.order.iter().rev() {
            let longest = self.dependents[unit].iter().map(|&next| paths[next]).max();
            paths[unit] = paths[unit].saturating_add(longest.unwrap_or_default());
        }
        paths
    }
}

/// Dependencies first, as far as that is possible (Kahn's algorithm).
fn sort(dependents: &[Vec<usize>], mut waits_for: Vec<usize>) -> Vec<usize> {
    let mut order: Vec<usize> =
        (0..dependents.len()).filter(|&unit| waits_for[unit] == 0).collect();
    let mut next = 0;
    while let Some(&unit) = order.get(next) {
        next += 1;
        for &dependent in &dependents[unit] {
            waits_for[dependent] -= 1;
            if waits_for[dependent] == 0 {
                order.push(dependent);
            }
        }
    }
    order
}

/// For each step, how long the longest chain of work from its unit to the plan's end is.
///
/// The members of a cycle are built one after the other, and have the same remaining path.
pub fn remaining_paths(work: &Work<'_>) -> Vec<Duration> {
    let jobs = Jobs::of(work);
    let paths = jobs.paths();
    jobs.unit_of.iter().map(|unit| unit.map_or(Duration::ZERO, |unit| paths[unit])).collect()
}

/// How long the work will take on so many builders, if each takes the ready unit with the longest remaining path.
///
/// An estimate: tests, gates and other plans take their time too, and a cycle is counted as one round.
pub fn predict_duration(work: &Work<'_>, capacity: usize) -> Duration {
    predict_ends(std::slice::from_ref(work), capacity).first().copied().unwrap_or_default()
}

/// When each of several works will be done, if they share so many builders.
///
/// As [`predict_duration`] has it: the longest remaining path goes first, whichever work it belongs to.
pub fn predict_ends(works: &[Work<'_>], capacity: usize) -> Vec<Duration> {
    let mut jobs: Vec<Jobs> = works.iter().map(Jobs::of).collect();
    let paths: Vec<Vec<Duration>> = jobs.iter().map(Jobs::paths).collect();
    let mut ends = vec![Duration::ZERO; works.len()];
    let started_by = |(work, unit): (usize, usize)| (paths[work][unit], Reverse((work, unit)));
    let mut ready: BinaryHeap<_> = (jobs.iter().enumerate())
        .flat_map(|(work, jobs)| jobs.order.iter().map(move |&unit| (work, unit)))
        .filter(|&(work, unit)| jobs[work].waits_for[unit] == 0)
        .map(started_by)
        .collect();
    let mut running: BinaryHeap<Reverse<(Duration, (usize, usize))>> = BinaryHeap::new();
    let mut now = Duration::ZERO;
    loop {
        while running.len() < capacity.max(1) {
            let Some((_, Reverse(place))) = ready.pop() else { break };
            let (work, unit) = place;
            running.push(Reverse((now.saturating_add(jobs[work].durations[unit]), place)));
        }
        let Some(Reverse((end, (work, unit)))) = running.pop() else { return ends };
        now = end;
        // What is over by now takes no time, and says nothing of the end.
        if !jobs[work].durations[unit].is_zero() {
            ends[work] = now;
        }
        for dependent in std::mem::take(&mut jobs[work].dependents[unit]) {
            jobs[work].waits_for[dependent] -= 1;
            if jobs[work].waits_for[dependent] == 0 {
                ready.push(started_by((work, dependent)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::edge::{Edge, EdgeKind, Evidence};
    use proptest::prelude::*;

    const START: i64 = 1_000_000_000;

    /// Candidates as `NAME SEVERITY PATH WAITED`, both in seconds, separated by semicolons.
    fn check_order(candidates: &str, (running, capacity): (usize, usize), expected: &str) {
        let now = Timestamp(START) + Duration::from_secs(1_000_000);
        let candidate = |text: &str| {
            let words: Vec<&str> = text.split_whitespace().collect();
            let severity = Severity::ALL.into_iter().find(|known| known.as_str() == words[1]);
            Candidate {
                id: words[0].to_owned(),
                severity: severity.unwrap(),
                remaining_path: Duration::from_secs(words[2].parse().unwrap()),
                waiting_since: now - Duration::from_secs(words[3].parse().unwrap()),
            }
        };
        let candidates: Vec<_> = candidates.split(';').map(candidate).collect();
        assert_eq!(order(&candidates, running, capacity, now).join(" "), expected);
    }

    #[test]
    fn severity_comes_first_then_the_longest_path() {
        check_order("a none 900 0; b important 1 0; c none 950 0", (0, 9), "b c a");
        check_order("b none 5 0; a none 5 0", (0, 9), "a b");
    }

    #[test]
    fn only_free_places_are_filled() {
        check_order("a none 3 0; b none 2 0; c none 1 0", (1, 3), "a b");
        check_order("a none 3 0", (3, 2), "");
    }

    #[test]
    fn waiting_counts_like_path_and_then_raises_the_class() {
        check_order("a none 60 0; b none 10 51", (0, 9), "b a");
        check_order("a low 9000 0; b none 1 3600; c none 1 7200", (0, 9), "c a b");
    }

    #[test]
    fn waiting_never_overtakes_a_critical_fix() {
        check_order("a none 9 999999; b critical 1 0; c important 1 0", (0, 9), "b a c");
    }

    #[test]
    fn a_step_inherits_from_what_waits_for_it() {
        use Severity::{Critical, Low, None};
        let inherited = inherit(&[None, None, Critical, Low], &[(1, 0), (2, 1), (3, 3), (0, 3)]);
        assert_eq!(inherited, [Critical, Critical, Critical, Critical]);
        assert_eq!(inherit(&[Low, None], &[(0, 1), (1, 0), (7, 0), (0, 7)]), [Low, Low]);
    }

    fn step_edge(dependent: usize, dependency: usize) -> PlanEdge {
        let key = |step: usize| format!("rpms/s{step}#f44").parse().unwrap();
        let commit = "1".repeat(40).parse().unwrap();
        let edge = Edge {
            dependent: key(dependent),
            dependency: key(dependency),
            kind: EdgeKind::BuildRequires,
            package: format!("s{dependency}"),
            evidence: Evidence::Spec { commit, capability: String::new() },
        };
        PlanEdge { dependent, dependency, edge, listens: Vec::new() }
    }

    /// Units as durations of their members (`5 1+2 3`), edges as `dependency<dependent` by step.
    fn with_work<T>(units: &str, edges: &str, run: impl FnOnce(&Work<'_>) -> T) -> T {
        let mut durations = Vec::new();
        let mut unit = |text: &str| {
            let first = durations.len();
            durations.extend(text.split('+').map(|n| Duration::from_secs(n.parse().unwrap())));
            Unit { members: (first..durations.len()).collect(), max_rounds: 3 }
        };
        let units: Vec<Unit> = units.split_whitespace().map(&mut unit).collect();
        let edge = |text: &str| {
            let (dependency, dependent) = text.split_once('<').unwrap();
            step_edge(dependent.parse().unwrap(), dependency.parse().unwrap())
        };
        let edges: Vec<PlanEdge> = edges.split_whitespace().map(edge).collect();
        run(&Work { units: &units, edges: &edges, durations: &durations })
    }

    fn check_work(units: &str, edges: &str, paths: &str, ends: [u64; 2]) {
        with_work(units, edges, |work| {
            let seconds = remaining_paths(work)
                .iter()
                .map(|path| path.as_secs().to_string())
                .collect::<Vec<_>>();
            assert_eq!(seconds.join(" "), paths);
            let one_and_two = [1, 2].map(|capacity| predict_duration(work, capacity).as_secs());
            assert_eq!(one_and_two, ends);
        });
    }

    #[test]
    fn paths_add_up_along_dependents() {
        check_work("5 3 1", "0<1 1<2", "9 4 1", [9, 9]);
        check_work("5 3 1 7", "0<1 0<2 0<2", "8 3 1 7", [16, 8]);
    }

    #[test]
    fn a_cycle_is_one_job() {
        check_work("2 1+3 1", "0<1 1<2 2<1 2<3", "7 5 5 1", [7, 7]);
    }

    #[test]
    fn what_is_over_costs_nothing() {
        check_work("0 3 0 1", "0<1 1<2 2<3", "4 4 1 1", [4, 4]);
        check_work("", "", "", [0, 0]);
    }

    #[test]
    fn the_longest_path_is_started_first() {
        // Taken in the order of units, the chain would start last and the end be 8.
        check_work("2 2 3 3", "2<3", "2 2 6 3", [10, 6]);
    }

    #[test]
    fn works_that_share_builders_wait_for_each_other() {
        let ends = |capacity| {
            with_work("4 4", "0<1", |chain| {
                with_work("2 2 2", "", |loose| {
                    let ends = predict_ends(&[*loose, *chain], capacity);
                    ends.iter().map(Duration::as_secs).collect::<Vec<_>>()
                })
            })
        };
        // The chain has the longest way to go, so that the loose units take what it leaves.
        assert_eq!((ends(1), ends(2), ends(9)), (vec![14, 8], vec![6, 8], vec![2, 8]));
    }

    proptest! {
        #[test]
        fn a_prediction_lies_between_its_bounds(
            durations in prop::collection::vec(0..50u64, 1..20),
            links in prop::collection::vec((0..20usize, 0..20usize), 0..40),
            capacity in 1..5usize,
        ) {
            let units: Vec<String> = durations.iter().map(ToString::to_string).collect();
            let links = links.iter().filter(|(a, b)| a < b && *b < durations.len());
            let edges: Vec<String> = links.map(|(a, b)| format!("{a}<{b}")).collect();
            with_work(&units.join(" "), &edges.join(" "), |work| {
                let total: Duration = work.durations.iter().sum();
                let path = remaining_paths(work).into_iter().max().unwrap_or_default();
                let end = predict_duration(work, capacity);
                prop_assert!(end >= path && end <= total);
                prop_assert!(end * capacity as u32 >= total);
                // Graham's bound for list scheduling (1969).
                prop_assert!(end <= total / capacity as u32 + path + Duration::from_nanos(1));
                Ok(())
            })?;
        }
    }
}
