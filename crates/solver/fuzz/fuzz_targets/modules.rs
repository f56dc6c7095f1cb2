//! Reads anything as `modules.yaml`, and filters by what comes out.
#![no_main]

use libfuzzer_sys::fuzz_target;
use solver::load::modules::{Choice, Documents, ModularPackage, excluded};

fuzz_target!(|bytes: &[u8]| {
    let Ok(documents) = Documents::parse(bytes) else { return };
    let package = ModularPackage {
        name: "a",
        version: "1",
        release: "1",
        arch: "x86_64",
        ..Default::default()
    };
    assert!(excluded(&documents, &Choice::default(), &[package]).len() <= 1);
});
