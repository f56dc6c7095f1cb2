//! Reads anything as `updateinfo.xml`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use solver::load::updateinfo::parse_advisories;

fuzz_target!(|bytes: &[u8]| {
    drop(parse_advisories(bytes));
});
