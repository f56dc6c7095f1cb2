//! Builds: one attempt at an artifact, with its inputs, its outputs and its state.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::artifact::{ArtifactKey, CommitId};
use crate::clock::Timestamp;
use crate::compose::{ComposeInputs, ComposeOutput};
use crate::digest::Digest;
use crate::id::BuildId;
use crate::image::{ImageInputs, ImageOutput};
use crate::package::Package;
use crate::requirement::Requirement;
use crate::step::InvalidTransition;
use crate::version::{Nevra, Nvr};

/// Which way a source is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flavour {
    /// As it is meant to be.
    Full,
    /// With fewer BuildRequires, to break a cycle. Never published.
    Bootstrap,
}

impl Flavour {
    /// Its name in columns and listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Bootstrap => "bootstrap",
        }
    }
}

/// One build. There is one for each artifact, commit and input digest; its attempts are counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Its id.
    pub id: BuildId,
    /// Its public number, in the order of asking.
    pub number: i64,
    /// Of which artifact.
    pub artifact: ArtifactKey,
    /// From which commit.
    pub commit: CommitId,
    /// In which flavour.
    pub flavour: Flavour,
    /// The digest over commit, flavour, toolchain and the resolved inputs.
    pub input: Digest,
    /// The NVR reserved for it.
    pub nvr: Nvr,
    /// The dist tag with its minor bump, e.g. `.f44.2`.
    pub dist: String,
    /// The repository its inputs were resolved from.
    pub snapshot: Digest,
    /// The large set that holds its [`Inputs`].
    pub inputs: Digest,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Where it stands.
    pub state: BuildState,
    /// When it was asked for.
    pub created: Timestamp,
    /// Counts the changes; a stale writer is refused.
    pub version: i64,
}

/// Where a build stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum BuildState {
    /// It waits for a builder.
    Queued,
    /// A builder works on it.
    Running {
        /// The process that owns it; only its report of this attempt counts.
        owner: String,
        /// Since when.
        since: Timestamp,
    },
    /// It has outputs.
    Succeeded {
        /// How long it took.
        took: Duration,
        /// When it ended.
        at: Timestamp,
        /// The large set that holds [`BuildOutput`].
        output: Digest,
        /// The digest over all its facets.
        facets: Digest,
    },
    /// It has none.
    Failed {
        /// What went wrong.
        failure: Failure,
        /// When it ended.
        at: Timestamp,
    },
    /// Nobody wants it any more, or a person stopped it.
    Cancelled {
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

impl BuildState {
    /// Its name in columns and listings.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running { .. } => "running",
            Self::Succeeded { .. } => "succeeded",
            Self::Failed { .. } => "failed",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Enters `next`, if that may follow.
    ///
    /// # Errors
    /// [`InvalidTransition`] names both states.
    pub fn enter(&self, next: Self) -> Result<Self, InvalidTransition> {
        let allowed = match self {
            Self::Queued => {
                matches!(next, Self::Running { .. } | Self::Cancelled { .. } | Self::Failed { .. })
            }
            // Running again: the owner is gone and another takes over.
            Self::Running { .. } => !matches!(next, Self::Queued),
            Self::Failed { .. } | Self::Cancelled { .. } => matches!(next, Self::Queued),
            Self::Succeeded { .. } => false,
        };
        if allowed {
            Ok(next)
        } else {
            Err(InvalidTransition { from: self.name(), to: next.name() })
        }
    }
}

/// Why a build or a test run has no result of its own making.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// What it needs to be built cannot be installed.
    Unresolvable,
    /// The build itself failed.
    Failed,
    /// It took too long.
    TimedOut,
    /// It wanted more memory, processes or disk than it may have.
    LimitExceeded,
    /// The machine, not the build, is at fault. It is tried again.
    Errored,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unresolvable => "unresolvable",
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::LimitExceeded => "exceeded a limit",
            Self::Errored => "errored",
        })
    }
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Failure {
    /// Which kind of trouble.
    pub kind: FailureKind,
    /// The first telling line of the log, or a sentence.
    pub message: String,
    /// The line's number in the log, if it came from there.
    pub line: Option<u64>,
}

impl Failure {
    /// What failures of one cause have in common: the kind and the message without the place, numbers, digests and
    /// the artifact's own name. Two packages that miss the same header have the same signature.
    pub fn signature(&self, name: &str) -> String {
        let message = without_place(&self.message);
        let words: Vec<String> =
            message.split_whitespace().map(|word| general(word, name)).collect();
        format!("{}: {}", self.kind, words.join(" "))
    }
}

/// Leaves out `FILE:LINE:COLUMN:` and `FILE:LINE:` at the beginning, as compilers write them.
fn without_place(message: &str) -> &str {
    let Some((first, rest)) = message.split_once(' ') else { return message };
    let mut parts = first.trim_end_matches(':').split(':').skip(1).peekable();
    let is_place = first.ends_with(':')
        && parts.peek().is_some()
        && parts.all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    if is_place { rest.trim_start() } else { message }
}

/// A word with `@` for the artifact's name and `#` for every number and every digest in it.
fn general(word: &str, name: &str) -> String {
    let word = without_temporary(word);
    let word = without_name(&word, name);
    let mut text = String::with_capacity(word.len());
    let mut rest = word.as_str();
    while let Some(first) = rest.chars().next() {
        let run = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (taken, sign) = match (run >= DIGEST, digits) {
            (true, _) => (run, "#"),
            (false, 1..) => (digits, "#"),
            (false, 0) => (first.len_utf8(), &rest[..first.len_utf8()]),
        };
        text.push_str(sign);
        rest = &rest[taken..];
    }
    text
}

/// A word with `@` for a name, where that stands by itself.
fn without_name(word: &str, name: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (mut text, mut end) = (String::with_capacity(word.len()), 0);
    for (at, _) in word.match_indices(name).filter(|_| !name.is_empty()) {
        let after = at + name.len();
        if word[..at].ends_with(is_part) || word[after..].starts_with(is_part) {
            continue;
        }
        text.push_str(&word[end..at]);
        text.push('@');
        end = after;
    }
    text + &word[end..]
}

/// A word with `#` for what stands next below `/tmp/`: such names are made up anew each time.
fn without_temporary(word: &str) -> String {
    let Some((before, rest)) = word.split_once("/tmp/") else { return word.to_owned() };
    let end = rest.find(['/', ':', ',', ';', '\'', '"', ')']).unwrap_or(rest.len());
    format!("{before}/tmp/#{}", &rest[end..])
}

/// From how many hexadecimal digits on something is a digest rather than a word: `deadbeef` is none.
const DIGEST: usize = 12;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)?;
        match self.line {
            Some(line) => write!(f, " (line {line} of the log)"),
            None => Ok(()),
        }
    }
}

/// What a build put out, as a large set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildOutput {
    /// What it made.
    pub product: Product,
    /// Where the facets are kept: one large set for each package or image.
    pub facets: Vec<FacetsRef>,
}

/// What a build made, by the kind of its artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Product {
    /// Binary packages.
    Packages(PackagesOutput),
    /// An image.
    Image(ImageOutput),
    /// A compose.
    Compose(ComposeOutput),
}

/// What the build of a source package made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackagesOutput {
    /// The binary packages, sorted by NEVRA.
    pub packages: Vec<Package>,
    /// The source package's file name.
    pub source_package: String,
    /// The BuildRequires the build reported itself.
    pub build_requires: Vec<Requirement>,
}

/// Where one package's facets are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacetsRef {
    /// The package.
    pub package: String,
    /// Its architecture.
    pub arch: String,
    /// The large set that holds its `PackageFacets`.
    pub digest: Digest,
}

/// The packages installed for a build, as a large set, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Buildroot(pub Vec<InstalledPackage>);

/// A package in a buildroot or a test root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InstalledPackage {
    /// Its identity.
    pub nevra: Nevra,
    /// The digest of its file.
    pub digest: Digest,
    /// The build of ours that made it; none for the stand-in of the toolchain.
    pub build: Option<BuildId>,
    /// Whether a BuildRequires names it directly.
    pub direct: bool,
}

/// What goes into a build beside its commit, as a large set, by the kind of its artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inputs {
    /// The packages installed to build a source package.
    Buildroot(Buildroot),
    /// What an image is made of, stage by stage.
    Image(ImageInputs),
    /// What a compose ships.
    Compose(ComposeInputs),
}

impl Inputs {
    /// The builds of ours that went in, each once, sorted.
    pub fn builds(&self) -> Vec<BuildId> {
        let mut builds: Vec<BuildId> = match self {
            Self::Buildroot(root) => root.0.iter().filter_map(|package| package.build).collect(),
            Self::Image(inputs) => inputs.builds().collect(),
            Self::Compose(inputs) => inputs.builds().collect(),
        };
        builds.sort_unstable();
        builds.dedup();
        builds
    }

    /// The packages of a buildroot; none for anything else.
    pub fn buildroot(&self) -> &[InstalledPackage] {
        match self {
            Self::Buildroot(root) => &root.0,
            Self::Image(_) | Self::Compose(_) => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, message: &str, expected: &str) {
        let failure =
            Failure { kind: FailureKind::Failed, message: message.to_owned(), line: Some(1) };
        assert_eq!(failure.signature(name), format!("failed: {expected}"));
    }

    #[test]
    fn failures_of_one_cause_have_one_signature() {
        let expected = "fatal error: zlib.h: No such file or directory";
        check("libpng", &format!("png.c:12:10: {expected}"), expected);
        check("curl", &format!("src/lib/easy.c:7: {expected}"), expected);
        check("curl", expected, expected);
        let general = "make: *** [Makefile:#: @.o] Error #";
        check("curl", "make: *** [Makefile:14: curl.o] Error 1", general);
        check("libpng", "make: *** [Makefile:2091: libpng.o] Error 2", general);
        let script = "/var/tmp/#: #: no-such-program: not found";
        check("odd", "/var/tmp/rpm-tmp.44N7Z0: 28: no-such-program: not found", script);
        check("even", "/var/tmp/rpm-tmp.aBcDeF: 3: no-such-program: not found", script);
        check("x", "ld: /tmp/ccJYNCPg.o: no main", "ld: /tmp/#: no main");
        check("a", "checksum 0123456789abcdef is wrong", "checksum # is wrong");
    }

    #[test]
    fn what_is_no_place_stays() {
        check("x", "error: no", "error: no");
        check("x", "word", "word");
        check("", "é 12é", "é #é");
    }
}
