//! Looks into a store, and the interventions of people, without a server.
//!
//! Every answer is one value that prints as text and serialises as JSON. What people change is written with the
//! version it was decided on, and with a decision in the ledger; a server that runs meanwhile sees it at its next look.

mod error;
pub mod ledger;
mod shelf;
mod signature;
pub(crate) mod table;
pub mod time;

pub mod init;

pub mod events;
pub mod replay;

pub mod branches;
pub mod catalogue;
pub mod whereabouts;

pub mod overview;

pub mod board;
mod outputs;
pub mod plans;
pub mod rule_board;
pub mod rules;
pub mod steps;
pub mod what_if;

pub mod artifacts;
pub mod search;

pub mod why;
pub mod why_not;

pub mod builds;
pub mod facets;
pub mod logs;
pub mod reproduce;

pub mod composes;
pub mod images;

pub mod gate_board;
pub mod gates;
pub mod waivers;

pub mod holds;
pub mod retry;

pub mod audit;
pub mod database;
pub mod doctor;
pub mod retention;
pub mod shadow;
pub mod status;
pub mod subscriptions;
pub mod tokens;

use std::path::Path;
use std::sync::Arc;

use model::clock::{Clock, Timestamp};
use store::{Options, Store, Tx, refs};

use crate::clock::SystemClock;
use crate::config::Config;
use crate::context::Context;

pub use error::{AdminError, ErrorKind};
pub use model::artifact::{ArtifactKey, BranchName};
pub use signature::Signature;
// What callers speak of without depending on the crates behind.
pub use model::event::{Request, Severity};
pub use model::gate::WaiverKind;
pub use model::hold::HoldKind;
pub use model::message::Message;
pub use model::notice::{NoticeKind, Pace};
pub use model::removal::SubjectKind;
pub use model::requirement::Capability;
pub use model::version::Evr;
pub use pipeline::plan::report::PlanReport;
pub use store::Page;
pub use store::events::EventFilter;

/// How often a write is decided again when somebody else was first.
const ATTEMPTS: usize = 5;

/// A store, opened without a server.
pub struct Admin {
    config: Config,
    store: Store,
    clock: Arc<dyn Clock>,
    shelf: shelf::Shelf,
}

impl Admin {
    /// Opens the store that the configuration names. It must be there, with its tables up to date.
    ///
    /// # Errors
    /// [`AdminError`] says what to do first.
    pub async fn open(config: Config) -> Result<Self, AdminError> {
        if let Some(path) = sqlite_path(&config.db_url())
            && !Path::new(&path).exists()
        {
            return Err(AdminError::Input(format!(
                "there is no database {path}: run `millstream init`, or name another folder with --data or another \
                 database with --db"
            )));
        }
        let store = open_as_it_is(&config).await?;
        let waiting =
            store.migration_status().await?.into_iter().find(|migration| !migration.applied);
        if let Some(migration) = waiting {
            return Err(AdminError::Input(format!(
                "the database lacks migration {} ({}): run `millstream db migrate`",
                migration.number, migration.description
            )));
        }
        Ok(Self::with(config, store, Arc::new(SystemClock)))
    }

    /// Opens the store that the configuration names, made and brought up to date if need be.
    ///
    /// # Errors
    /// [`AdminError`] when it cannot be made.
    pub async fn create(config: Config) -> Result<Self, AdminError> {
        let store = Store::open(&config.db_url()).await?;
        Ok(Self::with(config, store, Arc::new(SystemClock)))
    }

    /// Answers from a store that a server has open.
    pub(crate) fn with(config: Config, store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { config, store, clock, shelf: shelf::Shelf::default() }
    }

    /// Ends all connections.
    pub async fn close(&self) {
        self.store.close().await;
    }

    /// Asks a question that needs the programs of the stages beside the store. Nothing it lays out stays.
    async fn with_context<T>(
        &self,
        ask: impl AsyncFnOnce(&Context) -> Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        let context = Context::open(self.config.clone(), Arc::clone(&self.clock)).await?;
        let own = [context.owner.name().to_owned(), format!("resolver-{}", context.owner.name())];
        let answer = ask(&context).await;
        drop(context);
        for folder in own.map(|name| self.config.work_root().join(name)) {
            match std::fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(folder = %folder.display(), %error, "could not remove a work folder");
                }
                _ => {}
            }
        }
        answer
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Writes all of something or nothing, and decides again when another writer was first.
    async fn write<T>(
        &self,
        act: impl AsyncFn(&mut Tx) -> Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.write_once(&act).await {
                Err(AdminError::Store(store::Error::Conflict(_))) if attempt < ATTEMPTS => {}
                other => return other,
            }
        }
    }

    async fn write_once<T>(
        &self,
        act: &impl AsyncFn(&mut Tx) -> Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        let mut tx = self.store.begin().await?;
        match act(&mut tx).await {
            Ok(value) => {
                tx.commit().await?;
                Ok(value)
            }
            Err(error) => {
                tx.rollback().await?;
                Err(error)
            }
        }
    }

    /// An artifact that was seen in dist-git, or has a repository there: anything else is most likely a slip of the pen.
    async fn known_artifact(&self, artifact: &ArtifactKey) -> Result<(), AdminError> {
        let seen = refs::tip(&mut *self.store.read().await?, artifact).await?.is_some();
        let name =
            adapters::distgit::RepositoryName { kind: artifact.kind, name: artifact.name.clone() };
        let root = self.config.distgit_root();
        if seen || name.path(&root).join("HEAD").exists() {
            return Ok(());
        }
        Err(AdminError::Input(format!(
            "nothing is known of {artifact}: it was never seen, and there is no repository {name} in {}",
            root.display()
        )))
    }
}

/// Opens a store without touching its tables.
async fn open_as_it_is(config: &Config) -> Result<Store, AdminError> {
    let options = Options { migrate: false, ..Options::default() };
    Ok(Store::open_with(&config.db_url(), &options).await?)
}

/// The file of an SQLite database.
fn sqlite_path(url: &str) -> Option<String> {
    let path = url.strip_prefix("sqlite:")?;
    Some(path.strip_prefix("//").unwrap_or(path).to_owned())
}

#[cfg(test)]
mod tests;
