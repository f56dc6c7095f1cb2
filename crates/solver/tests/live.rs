//! Universes that change: patched ones answer as those built anew, and no affected question is missed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "a failure is told with the packages it is about")]

#[path = "live/affected.rs"]
mod affected;
#[path = "live/full_size.rs"]
mod full_size;
#[path = "live/patched.rs"]
mod patched;
#[path = "live/random.rs"]
mod random;
#[path = "live/whole.rs"]
mod whole;
