//! Reads anything as `repomd.xml`; no location leads out of the repository.
#![no_main]

use libfuzzer_sys::fuzz_target;
use solver::load::repomd::RepositoryMetadata;

fuzz_target!(|bytes: &[u8]| {
    let Ok(metadata) = RepositoryMetadata::parse(bytes) else { return };
    for path in metadata.records.iter().filter_map(|record| record.path()) {
        assert!(path.is_relative() && !path.components().any(|part| part.as_os_str() == ".."));
    }
});
