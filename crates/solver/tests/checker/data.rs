//! Real metadata and libsolv's answers to it, where the folder of `MILLSTREAM_DATA` has them.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use solver::load::compressed;
use solver::load::repository::Repository;

/// The folder `repodata` in that of `MILLSTREAM_DATA`.
pub(crate) struct Data(PathBuf);

impl Data {
    /// The data; without it a line that no test harness keeps to itself says that the test is skipped.
    #[expect(clippy::disallowed_methods, reason = "where the data is, is a matter of the machine")]
    pub(crate) fn find(test: &str) -> Option<Self> {
        let folder =
            std::env::var_os("MILLSTREAM_DATA").map(|data| PathBuf::from(data).join("repodata"));
        let found = folder.filter(|folder| folder.is_dir());
        if found.is_none() {
            let why = "MILLSTREAM_DATA names no folder with repodata";
            writeln!(std::io::stderr(), "{test} is skipped: {why}").unwrap();
        }
        found.map(Self)
    }

    /// A file of the folder as text, unpacked.
    pub(crate) fn text(&self, name: &str) -> String {
        let bytes = fs::read(self.0.join(name)).unwrap();
        String::from_utf8(compressed::unpack(&bytes, 1 << 30).unwrap()).unwrap()
    }

    /// Metadata of a repository as text.
    pub(crate) fn metadata(&self, repository: &str, kind: &str) -> String {
        let repository = Repository::open(&self.0.join(repository)).unwrap();
        String::from_utf8(repository.file(kind).unwrap().unwrap()).unwrap()
    }
}
