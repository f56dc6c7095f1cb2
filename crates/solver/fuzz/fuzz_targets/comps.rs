//! Reads anything as `comps.xml`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use solver::load::comps::Comps;

fuzz_target!(|bytes: &[u8]| {
    drop(Comps::parse(bytes));
});
