//! Reads anything as an RPM file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use solver::load::header::parse_header;

fuzz_target!(|bytes: &[u8]| {
    drop(parse_header(bytes));
});
