//! Which packages are hidden because of modules, by the rules of dnf.
//!
//! The rules are those of libdnf's `dnf_sack_filter_modules_v2` and of "Modularity" in dnf's documentation.
//! Of an active stream one build counts, as libdnf's `moduleSolve` installs one: the latest of the first
//! context that fits. One thing is simpler here: a stream that is neither enabled nor a default is never made
//! active for another one's sake; enabling a stream with dnf enables what it needs as well, and writes that
//! down.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

use super::{Documents, Stream};

/// What was chosen on a system or for a buildroot.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice<'a> {
    /// Streams that are enabled, as (module, stream).
    pub enabled: &'a [(String, String)],
    /// Modules that are disabled, with all of their streams.
    pub disabled: &'a [String],
    /// The stream of `platform`, e.g. `el9`. Without it every stream of it counts as there.
    pub platform: Option<&'a str>,
    /// Copies of documents of streams that were active before, for when the repository that had them does
    /// not name them any more.
    pub fail_safe: Option<&'a Documents>,
}

/// What the filter has to know of a package.
#[derive(Clone, Copy, Debug, Default)]
pub struct ModularPackage<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its epoch; empty is 0.
    pub epoch: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Its release.
    pub release: &'a str,
    /// Its architecture.
    pub arch: &'a str,
    /// The names that it provides; its own may be left out.
    pub provides: &'a [&'a str],
    /// The modularity label of its header, `name:stream:version:context`, where that is known.
    pub label: Option<&'a str>,
    /// Whether its repository is for mending modules (`module_hotfixes`), which hides nothing of it.
    pub is_hotfix: bool,
}

/// A package that is hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excluded {
    /// Its place among the packages that were given.
    pub package: usize,
    /// Why it is hidden.
    pub reason: Reason,
}

/// Why a package is hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It belongs to streams none of which is active.
    InactiveStream {
        /// One of them, as `module:stream`.
        stream: String,
    },
    /// It is no package of a module, and an active stream has one that it would compete with.
    Shadowed {
        /// The active stream, as `module:stream`.
        stream: String,
        /// The name of the stream's package, which it has or provides.
        name: String,
    },
    /// It says itself that it belongs to a module, and no document vouches for it.
    Orphaned {
        /// What it says: its label, or else its release.
        label: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InactiveStream { stream } => {
                write!(f, "it belongs to the module stream {stream}, which is not active")
            }
            Self::Shadowed { stream, name } => {
                write!(f, "the active module stream {stream} has a package {name} of its own")
            }
            Self::Orphaned { label } => {
                write!(f, "it belongs to a module ({label}) of which nothing else is known")
            }
        }
    }
}

/// The packages that are hidden, in the order in which the packages were given.
pub fn excluded(
    documents: &Documents,
    choice: &Choice<'_>,
    packages: &[ModularPackage<'_>],
) -> Vec<Excluded> {
    let known = Known::new(documents, choice);
    let hidden = packages.iter().enumerate().filter_map(|(package, facts)| {
        known.reason(facts).map(|reason| Excluded { package, reason })
    });
    hidden.collect()
}

/// What the documents say about packages, once it is settled which streams are active.
struct Known<'a> {
    /// The packages of active streams.
    active: HashSet<String>,
    /// Those of other streams, each with one of these.
    inactive: HashMap<String, &'a Stream>,
    /// The names that active streams have packages of.
    names: HashMap<&'a str, &'a Stream>,
    /// Whether a stream is enabled of which there is no document.
    lost: bool,
}

impl<'a> Known<'a> {
    fn new(documents: &'a Documents, choice: &Choice<'a>) -> Self {
        let mut streams: Vec<&Stream> = documents.streams.iter().collect();
        let copies = choice.fail_safe.map_or(&[][..], |copies| copies.streams.as_slice());
        let named = |wanted: &(String, String), stream: &Stream| {
            wanted.0 == stream.name && wanted.1 == stream.stream
        };
        let mut lost = false;
        for wanted in choice.enabled {
            if !documents.streams.iter().any(|stream| named(wanted, stream)) {
                let before = streams.len();
                streams.extend(copies.iter().filter(|stream| named(wanted, stream)));
                lost |= streams.len() == before;
            }
        }
        let active = Active::new(documents, &streams, choice);
        let mut known =
            Self { active: HashSet::new(), inactive: HashMap::new(), names: HashMap::new(), lost };
        for stream in streams {
            known.add(stream, active.has(stream));
        }
        known
    }

    fn add(&mut self, stream: &'a Stream, is_active: bool) {
        let left: HashSet<&str> = stream.demodularized.iter().map(String::as_str).collect();
        for artifact in &stream.artifacts {
            let Some((name, key)) = split(artifact) else { continue };
            if !is_active {
                self.inactive.entry(key).or_insert(stream);
                continue;
            }
            self.active.insert(key);
            if !left.contains(name) {
                self.names.entry(name).or_insert(stream);
            }
        }
    }

    fn reason(&self, package: &ModularPackage<'_>) -> Option<Reason> {
        let key = key(package);
        if package.is_hotfix || self.active.contains(&key) {
            return None;
        }
        if let Some(stream) = self.inactive.get(&key) {
            return Some(Reason::InactiveStream { stream: short(stream) });
        }
        if let Some(label) = self.orphan(package) {
            return Some(Reason::Orphaned { label: label.to_owned() });
        }
        let names = std::iter::once(package.name).chain(package.provides.iter().copied());
        names
            .filter_map(|name| Some((name, self.names.get(name)?)))
            .next()
            .map(|(name, stream)| Reason::Shadowed { stream: short(stream), name: name.to_owned() })
    }

    /// What a package that no document names says of its module. rpm-md leaves labels out; then the release
    /// tells, but that is a habit of builders and counts only when a document is known to be missing.
    fn orphan<'p>(&self, package: &ModularPackage<'p>) -> Option<&'p str> {
        let tagged = [".module+", ".module_"].iter().any(|tag| package.release.contains(tag));
        let label = package.label.filter(|label| !label.is_empty());
        label.or((self.lost && tagged).then_some(package.release))
    }
}

/// The streams that are active, with the contexts that fit together.
struct Active<'a> {
    streams: BTreeMap<&'a str, &'a str>,
    /// The enabled ones, which stay even when nothing fits.
    enabled: BTreeSet<&'a str>,
    platform: Option<&'a str>,
    /// The streams for which no context fits.
    unfit: BTreeSet<&'a str>,
    /// The context and version that counts of each active stream, by module.
    builds: BTreeMap<&'a str, (&'a str, u64)>,
}

impl<'a> Active<'a> {
    fn new(documents: &'a Documents, streams: &[&'a Stream], choice: &Choice<'a>) -> Self {
        let is_disabled = |module: &str| choice.disabled.iter().any(|disabled| disabled == module);
        let mut active = Self {
            streams: documents.default_streams(),
            enabled: choice.enabled.iter().map(|(module, _)| module.as_str()).collect(),
            platform: choice.platform,
            unfit: BTreeSet::new(),
            builds: BTreeMap::new(),
        };
        for (module, stream) in choice.enabled {
            active.streams.insert(module, stream);
        }
        active.streams.retain(|module, _| !is_disabled(module));
        active.drop_unfit(streams);
        active.choose_builds(streams);
        active
    }

    /// Takes away defaults that need what is not active, until the rest fits together.
    fn drop_unfit(&mut self, streams: &[&'a Stream]) {
        loop {
            let fit: BTreeSet<&str> = streams
                .iter()
                .filter(|stream| self.is_chosen(stream) && self.fits(stream))
                .map(|stream| stream.name.as_str())
                .collect();
            let modules = self.streams.keys().copied();
            self.unfit = modules.filter(|module| !fit.contains(module)).collect();
            let before = self.streams.len();
            let (enabled, unfit) = (&self.enabled, &self.unfit);
            self.streams.retain(|module, _| enabled.contains(module) || !unfit.contains(module));
            if self.streams.len() == before {
                return;
            }
        }
    }

    /// Of each active stream the latest build of its first context. In libdnf's solver contexts are packages
    /// of different names, of which one is enough, and builds are their versions.
    fn choose_builds(&mut self, streams: &[&'a Stream]) {
        for stream in streams {
            let counts = self.unfit.contains(&*stream.name) || self.fits(stream);
            if !counts || !self.is_chosen(stream) {
                continue;
            }
            let build = (&*stream.context, stream.version);
            let best = self.builds.entry(&stream.name).or_insert(build);
            if build.0 < best.0 || build.0 == best.0 && build.1 > best.1 {
                *best = build;
            }
        }
    }

    fn has(&self, stream: &Stream) -> bool {
        let build = (&*stream.context, stream.version);
        self.is_chosen(stream) && self.builds.get(&*stream.name) == Some(&build)
    }

    fn is_chosen(&self, stream: &Stream) -> bool {
        self.streams.get(&*stream.name).is_some_and(|chosen| *chosen == stream.stream)
    }

    /// Whether one of the alternatives that a build of a stream needs is there.
    fn fits(&self, stream: &Stream) -> bool {
        let fits = |module: &str, wanted: &[String]| match self.streams.get(module) {
            Some(active) => admits(wanted, active),
            None if module == "platform" => self.platform.is_none_or(|it| admits(wanted, it)),
            None => false,
        };
        let mut alternatives = stream.dependencies.iter();
        stream.dependencies.is_empty()
            || alternatives
                .any(|needs| needs.requires.iter().all(|(module, wanted)| fits(module, wanted)))
    }
}

/// Whether a list of streams admits one: it names it, names only others to keep out, or is empty.
fn admits(wanted: &[String], stream: &str) -> bool {
    let kept_out = wanted.iter().any(|one| one.strip_prefix('-') == Some(stream));
    let only_keeps_out = wanted.iter().all(|one| one.starts_with('-'));
    !kept_out && (only_keeps_out || wanted.iter().any(|one| one == stream))
}

fn short(stream: &Stream) -> String {
    format!("{}:{}", stream.name, stream.stream)
}

fn key(package: &ModularPackage<'_>) -> String {
    let ModularPackage { name, epoch, version, release, arch, .. } = package;
    let epoch = if epoch.is_empty() { "0" } else { epoch };
    format!("{name}-{epoch}:{version}-{release}.{arch}")
}

/// The name in `name-epoch:version-release.arch`, and the whole with an epoch even where it is left out.
fn split(artifact: &str) -> Option<(&str, String)> {
    let (rest, arch) = artifact.rsplit_once('.')?;
    let (rest, release) = rest.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    let (epoch, version) = version.split_once(':').unwrap_or(("0", version));
    let package = ModularPackage { name, epoch, version, release, arch, ..Default::default() };
    Some((name, key(&package)))
}
