//! Many questions over one base, on several threads.

use crate::solve::{Job, Outcome, Solver};
use crate::tables::Lists;
use crate::universe::Universe;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many questions a thread takes at once: few enough that all end together.
const CHUNK: usize = 256;

/// Answers as many questions as told, each thread taking the next ones nobody has. `ask` fills in the
/// question of a number; the answers come in the order of the questions, and do not depend on the number of
/// threads.
pub fn solve_all(
    universe: &Universe,
    base: &Job,
    count: usize,
    threads: usize,
    ask: impl Fn(usize, &mut Job) + Sync,
) -> Vec<Outcome> {
    let order = order(universe, count, &ask);
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut solver, mut job) = (Solver::new(universe, base), Job::new());
        let mut answer = |number: usize| {
            job.clear();
            ask(number, &mut job);
            solver.solve(&job)
        };
        let mut done: Vec<(u32, Outcome)> = Vec::with_capacity(count / threads.max(1) + CHUNK);
        loop {
            let start = next.fetch_add(CHUNK, Ordering::Relaxed);
            let Some(rest) = order.get(start..).filter(|rest| !rest.is_empty()) else {
                return done;
            };
            let questions = rest.iter().take(CHUNK);
            done.extend(questions.map(|&at| (at, answer(at as usize))));
        }
    };
    let mut answers = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut answers = work();
        for other in others {
            match other.join() {
                Ok(done) => answers.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        answers
    });
    answers.sort_unstable_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, outcome)| outcome).collect()
}

/// The questions in an order in which those stand together that want the same things.
fn order(universe: &Universe, count: usize, ask: &impl Fn(usize, &mut Job)) -> Vec<u32> {
    let (mut wants, mut shareable, mut job) = (Lists::default(), Vec::new(), Job::new());
    for number in 0..count {
        job.clear();
        ask(number, &mut job);
        job.shareable(universe, &mut shareable);
        let rarity = |set: u32| u32::MAX - universe.popularity[set as usize];
        wants.push(shareable.iter().flat_map(|&set| [rarity(set), set]));
    }
    let mut order: Vec<u32> = (0..count as u32).collect();
    order.sort_by(|&left, &right| wants.get(left).cmp(wants.get(right)));
    order
}
