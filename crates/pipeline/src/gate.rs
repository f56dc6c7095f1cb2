//! Gates: which test cases a build must pass before its dependents may use it.

pub(crate) mod glob;
mod requirements;
mod wire;

pub mod decide;
pub mod policy;

pub use decide::{GateInput, Tested, decide, together};
pub use policy::{PolicyProblem, ScopedPolicy};
pub use requirements::required_cases;
