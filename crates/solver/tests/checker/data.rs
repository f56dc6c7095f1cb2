//! Where real metadata is, on machines that have it.

use std::io::Write;
use std::path::PathBuf;

/// The folder that `MILLSTREAM_REPODATA` names, which has `sid-binary`, `cs9-appstream` and so on in it. Without
/// it a line that no test harness keeps to itself says that the test is skipped.
#[expect(clippy::disallowed_methods, reason = "where the data is, is a matter of the machine")]
pub(crate) fn find(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("MILLSTREAM_REPODATA").map(PathBuf::from);
    let found = folder.filter(|folder| folder.is_dir());
    if found.is_none() {
        let why = "MILLSTREAM_REPODATA names no folder";
        let line = format!("{test} is skipped: {why}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    found
}
