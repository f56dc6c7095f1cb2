//! `millstream serve`: runs the stages and the API until it is told to stop.

use server::{Stage, run as server_run};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::arguments::Global;
use crate::failure::{Answer, Failure};
use crate::output;

/// What to serve, and where.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Run this stage only; may be given more than once: scan, timer, intake, plan, fate, schedule, build, test, gate,
    /// publish, outbox, shadow, notify or retain
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<Stage>,
    /// Listen and plan, never act; and report each day what it would have done against what was built
    #[arg(long)]
    shadow: bool,
    /// Where the API answers; port 0 takes a free one [default: 127.0.0.1:8484]
    #[arg(long, env = "MILLSTREAM_LISTEN", value_name = "ADDRESS")]
    listen: Option<String>,
}

/// Serves. The line with the address is printed when everything is ready.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    let mut config = global.config()?;
    if let Some(listen) = args.listen {
        config.listen = listen;
    }
    config.shadow.enabled |= args.shadow;
    let mut stop = Stop::listen()?;
    let server = server_run::start(config, &args.roles).await?;
    output::text_block(&format!("listening on http://{}", server.address))?;
    stop.wait().await;
    tracing::info!("stopping; a second signal ends at once");
    tokio::select! {
        () = server.stop() => {}
        // Whatever is given up here is taken over at the next start.
        () = stop.wait() => {}
    }
    Ok(Answer::Yes)
}

/// The signals that mean: stop.
pub(super) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    pub(super) fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Failure::Internal(format!("could not wait for signals: {error}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    pub(super) async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
