//! Unpacks anything, within a small limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use solver::load::compressed::unpack;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(unpacked) = unpack(bytes, 1 << 20) {
        assert!(unpacked.len() <= 1 << 20);
    }
});
