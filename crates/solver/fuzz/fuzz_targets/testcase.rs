//! Reads anything as a test case of libsolv.
#![no_main]

use libfuzzer_sys::fuzz_target;
use solver::load::testcase::TestCase;

fuzz_target!(|bytes: &[u8]| {
    drop(TestCase::parse(bytes));
});
