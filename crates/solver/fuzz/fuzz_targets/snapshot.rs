//! Opens anything as a snapshot. Checksums keep a fuzzer from getting far: build with `--cfg fuzzing`, under
//! which none is looked at, as `cargo fuzz` does by itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use solver::snapshot::from_bytes;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(snapshot) = from_bytes(bytes) {
        let tables = snapshot.universe.tables();
        for id in tables.ids() {
            drop(tables.nevra(id));
        }
    }
});
