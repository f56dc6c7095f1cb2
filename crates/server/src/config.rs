//! The whole configuration, field by field, with a default for each.

mod notify;
mod retention;
mod shadow;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::artifact::BranchName;
use serde::Deserialize;

pub use notify::Notify;
pub use retention::Retention;
pub use shadow::Shadow;

use crate::admin::tokens::Scope;
pub(crate) use notify::{channel, usual_kinds};

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("could not read the configuration {path}: {error}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is not valid.
    #[error("{path}: {message}")]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with the line.
        message: String,
    },
}

/// What `--config` holds; every field may be left out.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Everything Millstream keeps, but the database, lies below this folder.
    pub data: PathBuf,
    /// The database: `sqlite:PATH` or `postgres://…`; a file in the data folder if it is left out.
    pub db: Option<String>,
    /// Where the API and the metrics are served.
    pub listen: String,
    /// The folder of bare repositories; `distgit` in the data folder if it is left out.
    pub distgit: Option<PathBuf>,
    /// The branches to follow, by name; every branch is followed with `.NAME` as its dist tag if none is listed.
    pub branches: BTreeMap<String, Branch>,
    /// How plans are made.
    pub planning: Planning,
    /// How packages are built.
    pub build: Limits,
    /// How they are tested.
    pub tests: Limits,
    /// A file of Greenwave policies that every artifact inherits, whatever its own `gating.yaml` says.
    pub floor_policy: Option<PathBuf>,
    /// A folder of rule files that add to those that are shipped, or take their places.
    pub rules: Option<PathBuf>,
    /// How often the dist-git, and everything else, is looked at without a hint.
    #[serde(with = "seconds")]
    pub poll_seconds: Duration,
    /// What a message must carry as `Authorization: Bearer …`; anybody on this machine may send one if it is left out.
    pub token: Option<String>,
    /// The limits of the HTTP API.
    pub api: Api,
    /// How much memory the facts of builds may take, in MiB.
    pub facts_mb: usize,
    /// How long things are kept.
    pub retention: Retention,
    /// How word reaches people.
    pub notify: Notify,
    /// Listening and planning without acting.
    pub shadow: Shadow,
    /// Through whom people log in; nobody can if it is left out. Needs a program built with the feature `oidc`.
    pub oidc: Option<Oidc>,
}

/// Through whom people log in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// The provider of OpenID Connect.
    pub issuer: String,
    /// What this server is called there.
    pub client_id: String,
    /// Its secret there.
    pub client_secret: String,
    /// Where people reach this server, e.g. `https://mill.example`.
    pub url: String,
    /// What is asked for beside `openid`.
    #[serde(default = "profile")]
    pub request: Vec<String>,
    /// The claim that names a person.
    #[serde(default = "preferred_username")]
    pub name_claim: String,
    /// The claim that lists a person's groups.
    #[serde(default = "groups")]
    pub groups_claim: String,
    /// For each scope the groups whose members have it.
    #[serde(default)]
    pub scopes: BTreeMap<Scope, Vec<String>>,
    /// How long a person stays logged in.
    #[serde(default = "half_a_day")]
    pub session_hours: u32,
}

fn profile() -> Vec<String> {
    vec!["profile".to_owned()]
}

fn preferred_username() -> String {
    "preferred_username".to_owned()
}

fn groups() -> String {
    "groups".to_owned()
}

fn half_a_day() -> u32 {
    12
}

/// The limits of the HTTP API.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Api {
    /// How many requests a second one address, or one token, may make; 0 for any number.
    pub requests_per_second: u32,
    /// How many at once.
    pub burst: u32,
    /// How long a request may take; streams may go on.
    #[serde(with = "seconds")]
    pub timeout_seconds: Duration,
    /// The largest body of an intervention, in bytes. A message may have 4 MiB.
    pub largest_body: usize,
}

/// One branch.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Branch {
    /// What `%{dist}` is; `.` and the branch's name if it is left out.
    pub dist: Option<String>,
}

/// How plans are made.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Planning {
    /// How long a plan waits after the last change for more of the same.
    #[serde(with = "seconds")]
    pub debounce_seconds: Duration,
    /// How long it waits at most after the first change.
    #[serde(with = "seconds")]
    pub debounce_at_most_seconds: Duration,
    /// How many rounds a cycle may take to settle.
    pub max_rounds: u32,
    /// How long a rebuild without history is thought to take.
    #[serde(with = "seconds")]
    pub default_build_seconds: Duration,
    /// How long what passed its gate may wait for the rest of its plan before it is published alone.
    #[serde(with = "seconds")]
    pub publish_after_seconds: Duration,
}

/// What one build or one test run may use.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// How many run at once.
    pub capacity: usize,
    /// Wall-clock time.
    #[serde(with = "seconds")]
    pub timeout_seconds: Duration,
    /// Memory of the whole tree of processes, in MiB.
    pub memory_mb: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Disk (memory-backed) in MiB.
    pub disk_mb: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("millstream-data"),
            db: None,
            listen: "127.0.0.1:8484".to_owned(),
            distgit: None,
            branches: BTreeMap::new(),
            planning: Planning::default(),
            build: Limits::default(),
            tests: Limits { timeout_seconds: Duration::from_secs(300), ..Limits::default() },
            floor_policy: None,
            rules: None,
            poll_seconds: Duration::from_secs(1),
            token: None,
            api: Api::default(),
            facts_mb: 512,
            retention: Retention::default(),
            notify: Notify::default(),
            shadow: Shadow::default(),
            oidc: None,
        }
    }
}

impl Default for Api {
    fn default() -> Self {
        Self {
            requests_per_second: 1000,
            burst: 2000,
            timeout_seconds: Duration::from_secs(30),
            largest_body: 64 << 10,
        }
    }
}

impl Default for Planning {
    fn default() -> Self {
        Self {
            debounce_seconds: Duration::from_secs(2),
            debounce_at_most_seconds: Duration::from_secs(60),
            max_rounds: 5,
            default_build_seconds: Duration::from_secs(60),
            publish_after_seconds: Duration::from_secs(600),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            capacity: 2,
            timeout_seconds: Duration::from_secs(3600),
            memory_mb: 4096,
            processes: 512,
            disk_mb: 4096,
        }
    }
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// [`ConfigError`] names the file, and the line if it has one.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), error })?;
        toml::from_str(&text).map_err(|error| ConfigError::Invalid {
            path: path.to_owned(),
            message: error.to_string(),
        })
    }

    /// The database's URL.
    pub fn db_url(&self) -> String {
        let default = || format!("sqlite:{}", self.data.join("millstream.sqlite").display());
        self.db.clone().unwrap_or_else(default)
    }

    /// The folder of bare repositories.
    pub fn distgit_root(&self) -> PathBuf {
        self.distgit.clone().unwrap_or_else(|| self.data.join("distgit"))
    }

    /// Where outputs of builds are kept, one folder for each.
    pub fn builds_root(&self) -> PathBuf {
        self.data.join("builds")
    }

    /// Where the logs of test runs are kept, one folder for each.
    pub fn test_logs_root(&self) -> PathBuf {
        self.data.join("tests")
    }

    /// Where the repositories that builds and tests are resolved from are kept.
    pub fn snapshots_root(&self) -> PathBuf {
        self.data.join("snapshots")
    }

    /// Where the published repositories are, one folder for each branch.
    pub fn published_root(&self) -> PathBuf {
        self.data.join("published")
    }

    /// Where the published composes of a branch lie.
    pub(crate) fn composes_root(&self, branch: &BranchName) -> PathBuf {
        self.published_root().join(branch.as_str()).join("composes")
    }

    /// Where work in progress lies; whatever is there at a start is left over.
    pub fn work_root(&self) -> PathBuf {
        self.data.join("work")
    }

    /// Where the stand-in of the host's toolchain is kept.
    pub fn toolchain_root(&self) -> PathBuf {
        self.data.join("toolchain")
    }

    /// Whether a branch is followed.
    pub fn follows(&self, branch: &str) -> bool {
        self.branches.is_empty() || self.branches.contains_key(branch)
    }

    /// A branch's dist tag, e.g. `.f44`.
    pub fn dist(&self, branch: &str) -> String {
        let configured = self.branches.get(branch).and_then(|branch| branch.dist.clone());
        // A dist tag ends in a release, which knows no slash and no dash.
        configured.unwrap_or_else(|| format!(".{}", branch.replace(['/', '-'], "_")))
    }
}

/// Durations as seconds, fractions allowed.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, de::Error};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(from)?;
        Duration::try_from_secs_f64(seconds)
            .map_err(|_| D::Error::custom(format!("{seconds} is not a number of seconds")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_a_default_and_strange_keys_are_refused() {
        let config: Config = toml::from_str("poll_seconds = 0.25\n[build]\ncapacity = 8").unwrap();
        assert_eq!(config.poll_seconds, Duration::from_millis(250));
        assert_eq!((config.build.capacity, config.dist("epel/9")), (8, ".epel_9".to_owned()));
        assert!(toml::from_str::<Config>("pol_seconds = 1").is_err());
        assert!(toml::from_str::<Config>("poll_seconds = -1").is_err());
    }
}
