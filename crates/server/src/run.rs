//! `millstream serve`: every stage of the chosen roles, and the API, until told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adapters::distgit;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::context::{Context, StartError};
use crate::reconcile::{self, Stage};
use crate::{admin, api};

/// How long work under way may go on after the server was told to stop.
const GRACE: Duration = Duration::from_secs(20);

/// Why the server ended without being told to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It could not get ready.
    #[error("{0}")]
    Start(#[from] StartError),
    /// A stage was asked for that shadow mode leaves out.
    #[error("{} does not run in shadow mode, which never acts: leave out --role, or --shadow", .0.as_str())]
    Acts(Stage),
    /// The address cannot be listened on.
    #[error("could not listen on {address}: {error}")]
    Listen {
        /// As configured.
        address: String,
        /// What the system says.
        error: std::io::Error,
    },
}

/// A server that runs.
pub struct Server {
    /// Where the API answers.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    pub(crate) context: Arc<Context>,
}

/// Starts the stages of `roles`, all of them if none is named, and the API.
///
/// # Errors
/// [`ServeError`] when it cannot get ready; afterwards trouble is logged and waited out.
pub async fn start(config: Config, roles: &[Stage]) -> Result<Server, ServeError> {
    if config.oidc.is_some() && !cfg!(feature = "oidc") {
        let problem = "[oidc] is configured, and this program was built without the feature `oidc`";
        return Err(StartError::Outside(problem.to_owned()).into());
    }
    let stages = chosen(&config, roles)?;
    let context = Arc::new(Context::open(config, Arc::new(SystemClock)).await?);
    clear_up(&context).await?;
    // The first plan would wait for the graph, and everything behind it as well.
    context.graph.lock().await.current(&context.store).await.map_err(StartError::from)?;
    let listen = context.config.listen.clone();
    let listener = TcpListener::bind(&listen)
        .await
        .map_err(|error| ServeError::Listen { address: listen.clone(), error })?;
    let address =
        listener.local_addr().map_err(|error| ServeError::Listen { address: listen, error })?;
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    for stage in stages {
        tasks.spawn(reconcile::run(stage, Arc::clone(&context), stopped.clone()));
    }
    tasks.spawn(wake_on_push(Arc::clone(&context), stopped.clone()));
    tasks.spawn(api::serve(Arc::clone(&context), listener, stopped));
    tracing::info!(%address, owner = context.owner.name(), "ready");
    Ok(Server { address, stop, tasks, context })
}

/// The stages to run: those that were asked for, or all; in shadow mode those that never act.
fn chosen(config: &Config, roles: &[Stage]) -> Result<Vec<Stage>, ServeError> {
    let acting = roles.iter().copied().find(|stage| stage.acts());
    match acting.filter(|_| config.shadow.enabled) {
        Some(stage) => return Err(ServeError::Acts(stage)),
        None if !roles.is_empty() => return Ok(roles.to_vec()),
        None => {}
    }
    let may = |stage: &Stage| !config.shadow.enabled || !stage.acts();
    Ok(Stage::ALL.into_iter().filter(may).collect())
}

impl Server {
    /// Stops: nothing new is begun, what is under way may end within a while.
    pub async fn stop(mut self) {
        // Without receivers every task has ended already.
        let _ = self.stop.send(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            tracing::warn!("some stages did not end in time");
        }
        let quiet = async {
            while self.context.running.count() > 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(GRACE, quiet).await.is_err() {
            tracing::warn!(
                "builds or tests under way are given up; another process takes them over"
            );
        }
        self.context.store.close().await;
    }
}

/// Gives back what processes that are gone held, and removes what they left behind.
async fn clear_up(context: &Context) -> Result<(), StartError> {
    admin::init::dist_git(&context.config)?;
    let given_back = context.give_back_of_the_dead().await;
    given_back.map_err(|error| StartError::Outside(error.to_string()))?;
    remove_left_over(context)
}

/// Removes the work of processes that are gone. What they started may be dying only now and still write there; what
/// cannot be removed for that reason is left to the next start.
fn remove_left_over(context: &Context) -> Result<(), StartError> {
    let root = context.config.work_root();
    let file = |error| StartError::File { path: root.clone(), error };
    for entry in std::fs::read_dir(&root).map_err(file)? {
        let path = entry.map_err(file)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if context.owner.is_alive(name.strip_prefix("resolver-").unwrap_or(&name)) {
            continue;
        }
        if let Err(error) = std::fs::remove_dir_all(&path) {
            tracing::warn!(path = %path.display(), %error, "could not remove what a process left behind");
        }
    }
    Ok(())
}

/// A push touches a file; whoever sees it looks at once. Polling finds the push as well, only later.
async fn wake_on_push(context: Arc<Context>, mut stop: watch::Receiver<bool>) {
    let path = distgit::wake_file(&context.config.distgit_root());
    let touched = || std::fs::metadata(&path).and_then(|metadata| metadata.modified()).ok();
    let mut seen = touched();
    while !*stop.borrow() {
        let now = touched();
        if now != seen {
            seen = now;
            context.wakes.wake(Stage::Scan);
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
            _ = stop.changed() => {}
        }
    }
}
