//! The metadata that benches run on, and what they measure with.

use solver::load::{Limits, Source, load_primaries};
use solver::universe::{Options, Universe};
use std::error::Error;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The folder with `sid-binary` and `sid-source`, each with `primary.xml.gz`, and `sid-build-group.txt`: an
/// argument, or what `MILLSTREAM_REPODATA` names. Without one the bench says so.
pub(crate) fn folder(bench: &str) -> Option<PathBuf> {
    let argument = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let folder = argument.or_else(|| std::env::var("MILLSTREAM_REPODATA").ok());
    if folder.is_none() {
        println!("{bench}: SKIPPED, MILLSTREAM_REPODATA does not say where the repositories are");
    }
    folder.map(PathBuf::from)
}

/// The documents of a distribution, unpacked.
pub(crate) struct Documents {
    /// `primary.xml` of the binary packages.
    pub(crate) binary: Vec<u8>,
    /// The same of the sources.
    pub(crate) source: Vec<u8>,
}

impl Documents {
    pub(crate) fn read(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let binary = unpack(&folder.join("sid-binary/primary.xml.gz"))?;
        let source = unpack(&folder.join("sid-source/primary.xml.gz"))?;
        Ok(Self { binary, source })
    }

    pub(crate) fn sources(&self) -> [Source<'_>; 2] {
        let source = |name, bytes| Source { name, bytes, priority: 0 };
        [source("binary", &self.binary), source("source", &self.source)]
    }

    pub(crate) fn universe(&self) -> Result<Universe, Box<dyn Error>> {
        let tables = load_primaries(&self.sources(), Limits::default(), 2)?;
        Ok(Universe::new(tables, &Options::default())?)
    }
}

fn unpack(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let packed = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut unpacked = Vec::new();
    flate2::read::MultiGzDecoder::new(&packed[..]).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

/// The names of the build group.
pub(crate) fn group(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let text = std::fs::read_to_string(folder.join("sid-build-group.txt"))?;
    Ok(text.lines().map(str::to_owned).collect())
}
