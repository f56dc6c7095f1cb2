//! Reads anything as libsolv's `testtags`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use solver::load::testtags::parse_testtags;

fuzz_target!(|bytes: &[u8]| {
    drop(parse_testtags(bytes));
});
