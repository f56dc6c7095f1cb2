//! Many questions over one base, on several threads.

use crate::solve::{Job, Outcome, Solver};
use crate::tables::Lists;
use crate::universe::Universe;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many questions a thread takes at once, at most and at least: few enough that all end together, and enough to be
/// worth a thread.
const CHUNK: std::ops::RangeInclusive<usize> = 64..=256;

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
    let batch = Batch { universe, base, threads, keeps_trace: false };
    batch.answer(count, ask, |_, outcome| outcome)
}

/// How a batch of questions is answered.
pub(crate) struct Batch<'a> {
    pub(crate) universe: &'a Universe,
    pub(crate) base: &'a Job,
    pub(crate) threads: usize,
    /// Whether the solvers note what they looked at.
    pub(crate) keeps_trace: bool,
}

impl Batch<'_> {
    /// Answers the questions; `take` makes of each outcome, with the solver as it left it, what is kept.
    pub(crate) fn answer<T: Send>(
        &self,
        count: usize,
        ask: impl Fn(usize, &mut Job) + Sync,
        take: impl Fn(&Solver<'_>, Outcome) -> T + Sync,
    ) -> Vec<T> {
        let order = order(self.universe, count, &ask);
        let next = AtomicUsize::new(0);
        let chunk = (count / (4 * self.threads.max(1))).clamp(*CHUNK.start(), *CHUNK.end());
        let work = || {
            let (mut solver, mut job) = (Solver::new(self.universe, self.base), Job::new());
            if self.keeps_trace {
                solver.keep_trace();
            }
            let mut answer = |number: usize| {
                job.clear();
                ask(number, &mut job);
                let outcome = solver.solve(&job);
                take(&solver, outcome)
            };
            let mut done: Vec<(u32, T)> = Vec::with_capacity(count / self.threads.max(1) + 1);
            loop {
                let start = next.fetch_add(chunk, Ordering::Relaxed);
                let Some(rest) = order.get(start..).filter(|rest| !rest.is_empty()) else {
                    return done;
                };
                let questions = rest.iter().take(chunk);
                done.extend(questions.map(|&at| (at, answer(at as usize))));
            }
        };
        let mut answers = std::thread::scope(|scope| {
            let threads = self.threads.min(count.div_ceil(chunk));
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
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
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
