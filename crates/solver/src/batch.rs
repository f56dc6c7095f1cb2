//! Many questions over one base, on several threads.

use crate::solve::{Job, Outcome, Solver};
use crate::universe::Universe;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many questions a thread takes at once: few enough that all end together.
const CHUNK: usize = 64;

/// Answers as many questions as told, each thread taking the next ones nobody has. `job` makes a question
/// from its number; the answers come in the order of the questions, and do not depend on the number of
/// threads.
pub fn solve_all(
    universe: &Universe,
    base: &Job,
    count: usize,
    threads: usize,
    job: impl Fn(usize) -> Job + Sync,
) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut solver = Solver::new(universe, base);
        let mut done: Vec<(usize, Vec<Outcome>)> = Vec::new();
        loop {
            let start = next.fetch_add(CHUNK, Ordering::Relaxed);
            if start >= count {
                return done;
            }
            let questions = start..count.min(start + CHUNK);
            done.push((start, questions.map(|number| solver.solve(&job(number))).collect()));
        }
    };
    let mut chunks = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut chunks = work();
        for other in others {
            match other.join() {
                Ok(done) => chunks.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        chunks
    });
    chunks.sort_unstable_by_key(|(start, _)| *start);
    chunks.into_iter().flat_map(|(_, outcomes)| outcomes).collect()
}
