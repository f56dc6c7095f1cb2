//! `millstream demo`: an example distribution in real git repositories, commits pushed to it, and what each must cause.
//!
//! Everything here is done from outside, as a packager and a user of the repository would do it; the server in the same
//! process knows nothing of it. What it did is read from its store and compared with files of expectations.

mod distribution;
mod folder;
mod packager;

mod follow;

mod expected;
mod outcome;

mod check;
mod proof;

mod report;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::artifact::{ArtifactKey, CommitId};

use crate::admin::AdminError;
use crate::clock::Stopwatch;
use crate::config::{Branch, Config, Planning, Retention};
use crate::context::Context;
use crate::run::{self, ServeError, Server};

pub use check::Check;
pub use distribution::{BRANCH, Distribution, Push};
pub use expected::Expected;
pub use follow::Status;
pub use outcome::{Composed, Objected, Outcome, WaitingStep};
pub use proof::Proof;
pub use report::{DemoReport, PushReport};

/// The name and the title under which the first build of the whole tree is reported.
pub const FROM_NOTHING: (&str, &str) = ("0-from-nothing", "The whole tree, from nothing");

/// How often stages look without a hint. Small, so that little of what one watches is waiting.
const POLL: Duration = Duration::from_millis(200);

/// A distribution with a server that follows it.
pub struct Demo {
    distribution: Distribution,
    packager: packager::Packager,
    server: Server,
    context: Arc<Context>,
    imported: Vec<(ArtifactKey, CommitId)>,
    /// Everything that has a repository.
    known: Vec<ArtifactKey>,
    checked: i64,
    proven: proof::Proven,
    since: Stopwatch,
    /// Keeps other demos out of the folder.
    _claim: folder::Claim,
}

/// What is told while a change travels.
pub enum Told<'a> {
    /// Where the plan stands.
    Status(&'a Status),
    /// What is published is being checked from outside.
    Checking,
    /// This many of so many artifacts have been built once more.
    Proving(usize, usize),
}

impl Demo {
    /// Lays out the repositories below `data` and starts a server on them.
    ///
    /// # Errors
    /// [`AdminError::Input`] when the folder holds anything but an earlier demo.
    pub async fn start(
        distribution: Distribution,
        data: &Path,
        listen: String,
    ) -> Result<Self, AdminError> {
        let since = Stopwatch::start();
        let claim = folder::claim(data)?;
        let config = config(claim.folder.clone(), listen);
        let packager = packager::Packager::new(&config);
        let mut imported = Vec::new();
        // All is committed before the server looks for the first time, so that one plan builds the whole tree.
        for artifact in &distribution.artifacts {
            let commit = packager.first(artifact, &distribution.sources(artifact)).await?;
            imported.push((artifact.clone(), commit));
        }
        let server = run::start(config, &[]).await?;
        let context = Arc::clone(&server.context);
        Ok(Self {
            known: distribution.artifacts.clone(),
            distribution,
            packager,
            server,
            context,
            imported,
            checked: 0,
            proven: proof::Proven::default(),
            since,
            _claim: claim,
        })
    }

    /// The distribution.
    pub fn distribution(&self) -> &Distribution {
        &self.distribution
    }

    /// Where the server answers.
    pub fn address(&self) -> std::net::SocketAddr {
        self.server.address
    }

    /// The repository that users would point dnf at.
    pub fn repository(&self) -> PathBuf {
        self.context.config.published_root().join(BRANCH).join("current")
    }

    /// Waits until the tree is built from nothing.
    ///
    /// # Errors
    /// [`AdminError`] when an outside program fails, or nothing happens any more.
    pub async fn build_tree(
        &mut self,
        prove: bool,
        tell: &mut (dyn FnMut(Told<'_>) + Send),
    ) -> Result<PushReport, AdminError> {
        let commits = std::mem::take(&mut self.imported);
        self.travel(FROM_NOTHING, commits, prove, tell).await
    }

    /// Makes one push and waits until it has come to rest.
    ///
    /// # Errors
    /// [`AdminError`] when an outside program fails, or nothing happens any more.
    pub async fn push(
        &mut self,
        push: &Push,
        prove: bool,
        tell: &mut (dyn FnMut(Told<'_>) + Send),
    ) -> Result<PushReport, AdminError> {
        let commits = self.packager.push(push).await?;
        self.known.extend(push.artifacts.iter().cloned());
        self.known.sort();
        self.known.dedup();
        self.travel((&push.name, &push.title), commits, prove, tell).await
    }

    /// Follows commits to their end, and looks at what came of them from every side.
    async fn travel(
        &mut self,
        (name, title): (&str, &str),
        commits: Vec<(ArtifactKey, CommitId)>,
        prove: bool,
        tell: &mut (dyn FnMut(Told<'_>) + Send),
    ) -> Result<PushReport, AdminError> {
        let expected = self.distribution.expected(name)?;
        let watch = Stopwatch::start();
        let settled = follow::settle(&self.context, &commits, tell).await?;
        let seconds = watch.elapsed().as_secs_f64();
        let outcome =
            Outcome { composes: settled.composes, ..Outcome::of(&settled.plans, settled.rejected) };
        let differences = expected.differences(&outcome, &self.known);
        tell(Told::Checking);
        let checks = self.check_published().await?;
        let proof = match prove {
            true => Some(proof::prove(&self.context, &mut self.proven, tell).await?),
            false => None,
        };
        Ok(PushReport {
            name: name.to_owned(),
            title: title.to_owned(),
            commits: commits.into_iter().collect(),
            seconds,
            outcome,
            differences,
            checks,
            proof,
            plans: settled.plans,
        })
    }

    /// Checks every generation that was published since the last check, or the current one if there is none.
    async fn check_published(&mut self) -> Result<Vec<Check>, AdminError> {
        let program = self.distribution.checker();
        let python = self.distribution.python.as_deref();
        let config = &self.context.config;
        let current = check::current(config)?;
        let from = current.min(self.checked + 1);
        let mut checks = Vec::new();
        for generation in from..=current {
            checks.push(check::check((&program, python), config, generation).await?);
        }
        self.checked = current;
        Ok(checks)
    }

    /// What all pushes came to, with the time since the start.
    pub fn report(&self, pushes: Vec<PushReport>) -> DemoReport {
        DemoReport::new(pushes, self.since.elapsed().as_secs_f64())
    }

    /// Stops the server: nothing new is begun, what is under way may end.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// A server's configuration with short waits, so that what one watches is work.
fn config(data: PathBuf, listen: String) -> Config {
    let planning = Planning {
        debounce_seconds: POLL,
        default_build_seconds: Duration::from_secs(1),
        ..Planning::default()
    };
    Config {
        data,
        listen,
        branches: [(BRANCH.to_owned(), Branch::default())].into(),
        planning,
        poll_seconds: POLL,
        // Each of them is checked once the change has come to rest.
        retention: Retention { generations: 50, ..Retention::default() },
        ..Config::default()
    }
}

impl From<ServeError> for AdminError {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Start(error) => error.into(),
            ServeError::Listen { .. } | ServeError::Acts(_) => Self::input(error),
        }
    }
}
