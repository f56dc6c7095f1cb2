//! `millstream build`: builds and their logs.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

use clap::Subcommand;
use server::admin::builds::BuildLog;
use server::admin::{Admin, ArtifactKey};

use crate::arguments::{Global, Limit};
use crate::failure::{Answer, Failure};
use crate::output;

/// How often a log that may grow is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// What to ask of builds.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the newest builds
    List {
        /// Of this artifact only, e.g. rpms/zlib#f44
        artifact: Option<ArtifactKey>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Show everything recorded of a build
    Show {
        /// Its number or its NVR
        build: String,
    },
    /// Print the log of a build
    Log {
        /// Its number or its NVR
        build: String,
        /// Go on printing until the build has ended
        #[arg(long, short)]
        follow: bool,
    },
}

/// Asks it.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    let admin = global.admin().await?;
    match args.verb {
        Verb::List { artifact, limit } => {
            output::answer(global, &admin.builds(artifact.as_ref(), None, limit.limit).await?)?;
        }
        Verb::Show { build } => output::answer(global, &admin.build(&build).await?)?,
        Verb::Log { build, follow: false } => {
            let log = admin.build_log(&build).await?;
            if !log.path.exists() {
                return Err(missing(&build, &log));
            }
            print_from(&log.path, 0)?;
        }
        Verb::Log { build, follow: true } => follow(&admin, &build).await?,
    }
    Ok(Answer::Yes)
}

async fn follow(admin: &Admin, build: &str) -> Result<(), Failure> {
    let mut printed = 0;
    loop {
        // Asked before the log is read: what is written until the end is printed.
        let log = admin.build_log(build).await?;
        if log.path.exists() {
            printed = print_from(&log.path, printed)?;
        } else if log.ended {
            return Err(missing(build, &log));
        }
        if log.ended {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Prints what a log has after so many bytes, and says how many it has. Another attempt begins a new log.
fn print_from(path: &Path, printed: u64) -> Result<u64, Failure> {
    let unreadable =
        |error: io::Error| Failure::Usage(format!("could not read {}: {error}", path.display()));
    let mut file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    let mut at = if size < printed { 0 } else { printed };
    file.seek(SeekFrom::Start(at)).map_err(unreadable)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(unreadable)? {
            0 => return Ok(at),
            read => {
                output::bytes(&buffer[..read])?;
                at += read as u64;
            }
        }
    }
}

fn missing(build: &str, log: &BuildLog) -> Failure {
    Failure::Usage(match &log.removed {
        Some(removed) => format!("the log of build {build} is not kept any more: {removed}"),
        None => format!(
            "build {build} has no log here: {} is not there (was it built on another machine?)",
            log.path.display()
        ),
    })
}
