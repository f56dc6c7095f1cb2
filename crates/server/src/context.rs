//! What every stage works with: the store, the adapters, the clock, and what is cached of them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters::closure::Closures;
use adapters::distgit::Scanner;
use adapters::toolchain::{self, Toolchain};
use model::build::{BuildOutput, BuildState, Flavour, Inputs, Product};
use model::clock::Clock;
use model::facet::{BuildFacets, PackageFacets};
use model::id::BuildId;
use model::image::ImageOutput;
use model::package::Package;
use pipeline::facts::BuildFacts;
use pipeline::gate::policy::ScopedPolicy;
use pipeline::rules::RuleSet;
use pipeline::rules::file::RuleProblem;
use store::leases::{self, Lease};
use store::{Store, builds, sets};
use tokio::sync::Notify;

use crate::config::Config;
use crate::dependencies::ready::Ready;
use crate::facts_cache::FactsCache;
use crate::graph::GraphCache;
use crate::owners::Owner;
use crate::reconcile::plan::reading::Readings;
use crate::reconcile::scan::TipsCache;
use crate::reconcile::{Stage, StageError};
use crate::running::Running;

/// Why the server could not get ready.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error("{0}")]
    Store(#[from] store::Error),
    /// The toolchain's stand-in.
    #[error("{0}")]
    Toolchain(#[from] toolchain::ToolchainError),
    /// A folder or a file.
    #[error("could not use {path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The floor policy is not valid.
    #[error("{path}: {problem}")]
    Policy {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its place.
        problem: String,
    },
    /// Rule files are not valid.
    #[error("{}", join(.0))]
    Rules(Vec<RuleProblem>),
    /// An outside program.
    #[error("{0}")]
    Outside(String),
}

fn join(problems: &[RuleProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// What every stage works with.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) owner: Owner,
    pub(crate) wakes: Arc<Wakes>,
    pub(crate) toolchain: Toolchain,
    /// What the toolchain's stand-in provides.
    pub(crate) stand_in: Package,
    pub(crate) closures: Closures,
    /// Repositories of overlays, ready to be asked.
    pub(crate) ready: Ready,
    pub(crate) floor: Vec<ScopedPolicy>,
    pub(crate) rules: Arc<RuleSet>,
    pub(crate) scanner: tokio::sync::Mutex<Scanner>,
    /// What the last scan could not read, so that it is logged once.
    pub(crate) scan_problems: Mutex<Vec<String>>,
    /// What the last scan compared with.
    pub(crate) tips: TipsCache,
    pub(crate) readings: Readings,
    pub(crate) graph: Arc<tokio::sync::Mutex<GraphCache>>,
    pub(crate) running: Running,
    pub(crate) published: crate::published::PublishedCache,
    facts: FactsCache,
}

impl Context {
    /// Opens the store, prepares the toolchain and the resolver.
    pub(crate) async fn open(config: Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        for folder in [
            config.builds_root(),
            config.test_logs_root(),
            config.snapshots_root(),
            config.published_root(),
            config.work_root(),
        ] {
            std::fs::create_dir_all(&folder)
                .map_err(|error| StartError::File { path: folder, error })?;
        }
        let store = Store::open(&config.db_url()).await?;
        let owner = Owner::register(&config.data)
            .map_err(|error| StartError::File { path: config.data.clone(), error })?;
        let toolchain = toolchain::prepare(&config.toolchain_root()).await?;
        let stand_in = adapters::packages::read(std::slice::from_ref(&toolchain.rpm)).await;
        let stand_in = stand_in.map_err(|error| StartError::Outside(error.to_string()))?;
        let closures =
            Closures::start(&config.work_root().join(format!("resolver-{}", owner.name())))
                .map_err(|error| StartError::Outside(error.to_string()))?;
        Ok(Self {
            floor: crate::floor::read(&config)?,
            rules: Arc::new(
                crate::rules::read(config.rules.as_deref()).map_err(StartError::Rules)?,
            ),
            scanner: tokio::sync::Mutex::new(Scanner::new(&config.distgit_root())),
            scan_problems: Mutex::default(),
            tips: TipsCache::default(),
            readings: Readings::default(),
            graph: Arc::default(),
            running: Running::new(&config.data)
                .map_err(|error| StartError::File { path: config.data.clone(), error })?,
            facts: FactsCache::new(config.facts_mb << 20),
            published: crate::published::PublishedCache::default(),
            wakes: Arc::default(),
            stand_in: stand_in.into_iter().next().ok_or_else(|| {
                StartError::Outside("the toolchain's stand-in is empty".to_owned())
            })?,
            config,
            store,
            clock,
            owner,
            toolchain,
            closures,
            ready: Ready::default(),
        })
    }

    /// What a build put out and what it was built against; none for a build without outputs.
    pub(crate) async fn facts(
        &self,
        build: BuildId,
    ) -> Result<Option<Arc<BuildFacts>>, StageError> {
        if let Some(known) = self.facts.get(build) {
            return Ok(Some(known));
        }
        let Some(facts) = self.read_facts(build).await? else { return Ok(None) };
        let facts = Arc::new(facts);
        self.facts.insert(build, Arc::clone(&facts));
        Ok(Some(facts))
    }

    /// What a build made; none for one that did not succeed.
    pub(crate) async fn output(&self, build: BuildId) -> Result<Option<BuildOutput>, StageError> {
        let mut reader = self.store.read().await?;
        let Some(build) = builds::get(&mut reader, build).await? else { return Ok(None) };
        let BuildState::Succeeded { output, .. } = build.state else { return Ok(None) };
        let found = sets::get_json(&mut reader, output).await?;
        found.ok_or_else(|| lost("output", output)).map(Some)
    }

    /// The image a build made; none if it made something else.
    pub(crate) async fn image(&self, build: BuildId) -> Result<Option<ImageOutput>, StageError> {
        Ok(match self.output(build).await?.map(|output| output.product) {
            Some(Product::Image(image)) => Some(image),
            _ => None,
        })
    }

    async fn read_facts(&self, build: BuildId) -> Result<Option<BuildFacts>, StageError> {
        let mut reader = self.store.read().await?;
        let Some(build) = builds::get(&mut reader, build).await? else { return Ok(None) };
        let BuildState::Succeeded { output, .. } = build.state else { return Ok(None) };
        let output: BuildOutput =
            sets::get_json(&mut reader, output).await?.ok_or_else(|| lost("output", output))?;
        let inputs: Inputs = sets::get_json(&mut reader, build.inputs)
            .await?
            .ok_or_else(|| lost("inputs", build.inputs))?;
        let mut facets = Vec::new();
        for reference in &output.facets {
            let found: PackageFacets = sets::get_json(&mut reader, reference.digest)
                .await?
                .ok_or_else(|| lost("facets", reference.digest))?;
            facets.push(found);
        }
        let against = inputs.builds();
        let (packages, contains) = match output.product {
            Product::Packages(made) => (made.packages, Vec::new()),
            Product::Image(image) => (Vec::new(), image.builds()),
            // A compose ships what went in, and nothing else.
            Product::Compose(_) => (Vec::new(), against.clone()),
        };
        Ok(Some(BuildFacts {
            packages,
            facets: BuildFacets(facets),
            against,
            contains,
            bootstrap: build.flavour == Flavour::Bootstrap,
        }))
    }

    /// Takes a lease, if it is free.
    pub(crate) async fn acquire(
        &self,
        name: &str,
        lasts: Duration,
    ) -> Result<Option<Lease>, StageError> {
        let mut tx = self.store.begin().await?;
        let lease =
            leases::acquire(&mut tx, name, self.owner.name(), self.clock.now(), lasts).await?;
        tx.commit().await?;
        Ok(lease)
    }

    /// Keeps a lease; false if it is lost.
    pub(crate) async fn renew(&self, lease: &Lease, lasts: Duration) -> Result<bool, StageError> {
        let mut tx = self.store.begin().await?;
        let kept = leases::renew(&mut tx, lease, self.clock.now(), lasts).await?;
        tx.commit().await?;
        Ok(kept)
    }

    /// Gives a lease back, so that another process need not wait for its end.
    pub(crate) async fn give_back(&self, lease: &Lease) -> Result<(), StageError> {
        let mut tx = self.store.begin().await?;
        leases::release(&mut tx, lease).await?;
        Ok(tx.commit().await?)
    }
}

fn lost(what: &str, digest: model::digest::Digest) -> StageError {
    StageError::Outside(format!("the {what} {} is missing from the store", digest.short()))
}

/// Hints to stages that something may be there for them. A hint is never lost and never needed.
#[derive(Default)]
pub(crate) struct Wakes {
    stages: [Notify; Stage::ALL.len()],
    /// Whoever wakes a stage has stored something.
    news: Notify,
}

impl Wakes {
    /// Tells a stage to look soon.
    pub(crate) fn wake(&self, stage: Stage) {
        self.stages[stage as usize].notify_one();
        self.tell();
    }

    /// Tells whoever follows the changes that something was stored.
    pub(crate) fn tell(&self) {
        self.news.notify_one();
    }

    /// Waits for a hint.
    pub(crate) async fn wait(&self, stage: Stage) {
        self.stages[stage as usize].notified().await;
    }

    /// Waits for a hint to any stage.
    pub(crate) async fn news(&self) {
        self.news.notified().await;
    }
}
