//! `modules.yaml`: streams of modules, which of them are defaults, and which are given up.
//!
//! The formats are modulemd 2, modulemd-defaults 1 and modulemd-obsoletes 1 of libmodulemd's `yaml_specs`.

mod filter;
mod packages;
mod wire;

pub use filter::{Choice, Excluded, ModularPackage, Reason, excluded};
pub use packages::excluded_packages;

use std::collections::BTreeMap;
use std::fmt;

use super::malformed::Malformed;

/// Everything in a `modules.yaml`, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Documents {
    /// One for each name, stream, version, context and architecture.
    pub streams: Vec<Stream>,
    /// Default streams.
    pub defaults: Vec<Defaults>,
    /// Streams that are given up.
    pub obsoletes: Vec<Obsoletes>,
    /// Documents of kinds that say nothing about installing: `modulemd-translations 1`.
    pub skipped: Vec<String>,
}

/// A stream of a module, as one build made it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// The module's name.
    pub name: String,
    /// The stream's name.
    pub stream: String,
    /// When it was built, as a number that rises.
    pub version: u64,
    /// What it was built against, as a hash or a name.
    pub context: String,
    /// Its architecture.
    pub arch: String,
    /// Alternatives, one of which must hold: streams of other modules.
    pub dependencies: Vec<Dependencies>,
    /// What is installed when the module is installed for a purpose.
    pub profiles: BTreeMap<String, Profile>,
    /// Its packages, each as `name-epoch:version-release.arch`.
    pub artifacts: Vec<String>,
    /// Names that left the module: packages outside of it are not hidden by name any more.
    pub demodularized: Vec<String>,
}

/// Streams of other modules, by the module's name. No stream at all stands for any of them, and `-stream`
/// for any but that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependencies {
    /// Needed to build it.
    pub build_requires: BTreeMap<String, Vec<String>>,
    /// Needed to use it.
    pub requires: BTreeMap<String, Vec<String>>,
}

/// Packages of a module for a purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// What it is for.
    pub description: String,
    /// The names of the packages.
    pub packages: Vec<String>,
}

/// Which stream of a module is active when nobody chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// The module's name.
    pub module: String,
    /// The stream; none if the module has no default.
    pub stream: Option<String>,
    /// When the document was changed, as a number that rises.
    pub modified: u64,
    /// Which profiles are installed, by stream.
    pub profiles: BTreeMap<String, Vec<String>>,
}

/// A stream that is given up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Obsoletes {
    /// The module's name.
    pub module: String,
    /// The stream.
    pub stream: String,
    /// The context, if only one is given up.
    pub context: Option<String>,
    /// When the document was changed, as written.
    pub modified: String,
    /// Whether it takes back what was said before.
    pub is_reset: bool,
    /// Why, for people.
    pub message: String,
    /// Until when it is kept up, as written.
    pub end_of_life: Option<String>,
    /// The module and the stream that take its place.
    pub obsoleted_by: Option<(String, String)>,
}

impl Documents {
    /// Reads the text of a `modules.yaml`.
    ///
    /// # Errors
    /// It is no YAML, or a document of a known kind lacks what it must have; with the line.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        wire::parse(bytes)
    }

    /// The default stream of each module that has one: of documents that contradict each other the one
    /// changed last counts, and none where they are equally old, as libmodulemd merges them.
    pub fn default_streams(&self) -> BTreeMap<&str, &str> {
        let mut chosen: BTreeMap<&str, (u64, Option<&str>)> = BTreeMap::new();
        for defaults in &self.defaults {
            let (modified, stream) = (defaults.modified, defaults.stream.as_deref());
            let held = chosen.entry(&defaults.module).or_insert((modified, stream));
            if modified > held.0 {
                *held = (modified, stream);
            } else if modified == held.0 && stream != held.1 {
                held.1 = None;
            }
        }
        chosen.into_iter().filter_map(|(module, (_, stream))| Some((module, stream?))).collect()
    }
}

/// `name:stream:version:context:arch`, the full name of a stream's build.
impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, stream, version, context, arch, .. } = self;
        write!(f, "{name}:{stream}:{version}:{context}:{arch}")
    }
}

#[cfg(test)]
mod tests;
