//! Plans from the first decision to the last publication, in a fake world with scripted changes and failures.
#![expect(clippy::unwrap_used, reason = "a scenario that cannot be read is a test that fails")]

mod laws;
mod simulation;
mod world;

mod changes;
mod cycles;
mod rules;

use simulation::Simulation;

/// Pushes one after the other, each time until nothing moves, and compares what was done since the last push and how
/// every step of the last plan ended.
fn check(world: &str, pushes: &[&str], done: &str, ended: &str) {
    let mut simulation = Simulation::new(world);
    for push in pushes {
        simulation.log.clear();
        simulation.push(push);
        simulation.run(|_| 0);
        laws::check_end(&simulation);
    }
    assert_eq!((simulation.log.join("; ").as_str(), simulation.outcome().as_str()), (done, ended));
}
