//! `millstream gate`: what stands between a build and its dependents.

use std::path::PathBuf;

use clap::Subcommand;
use server::admin::time::Moment;
use server::admin::waivers::NewWaiver;
use server::admin::{ArtifactKey, WaiverKind, gates};

use crate::arguments::{Global, Limit, Signature, moment};
use crate::failure::{Answer, Failure};
use crate::output;

/// What to ask of gates, or to tell them.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Say whether dependents may use a build, and what stands against it
    Decide {
        /// An NVR, or an artifact for its newest build, e.g. rpms/zlib#f44
        subject: String,
    },
    /// Accept that a test is missing, failed or could not be run
    Waive(Waive),
    /// Accept that a commit removes a test from its gate
    SignOff(Waive),
    /// List waivers and sign-offs
    Waivers {
        /// Of this artifact only
        artifact: Option<ArtifactKey>,
        #[command(flatten)]
        limit: Limit,
    },
    /// List the results of a build's tests
    Results {
        /// An NVR, or an artifact for its newest build
        subject: String,
    },
    /// Look for what is wrong with a gating.yaml
    Lint {
        /// The file
        file: PathBuf,
    },
}

#[derive(clap::Args, Debug)]
struct Waive {
    /// The artifact whose test it is, e.g. rpms/zlib#f44
    artifact: ArtifactKey,
    /// The test case, e.g. tests.hello
    #[arg(long)]
    case: String,
    #[command(flatten)]
    signature: Signature,
    /// For this build only
    #[arg(long)]
    nvr: Option<String>,
    /// Until when; what passed before stays passed
    #[arg(long, value_parser = moment, value_name = "TIME")]
    until: Option<Moment>,
}

/// Does it.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    // A policy is looked at before it is committed, where there may be no server.
    if let Verb::Lint { file } = &args.verb {
        let lint = gates::lint(file)?;
        output::answer(global, &lint)?;
        return Ok(Answer::of(lint.is_clean()));
    }
    let admin = global.admin().await?;
    match args.verb {
        Verb::Decide { subject } => {
            let decision = admin.decide_gate(&subject).await?;
            output::answer(global, &decision)?;
            return Ok(Answer::of(decision.is_open()));
        }
        Verb::Waive(waive) => {
            output::answer(global, &admin.waive(&waive.of_kind(WaiverKind::Waiver)).await?)?;
        }
        Verb::SignOff(waive) => {
            output::answer(global, &admin.waive(&waive.of_kind(WaiverKind::SignOff)).await?)?;
        }
        Verb::Waivers { artifact, limit } => {
            output::answer(global, &admin.waivers(artifact.as_ref(), None, limit.limit).await?)?;
        }
        Verb::Results { subject } => output::answer(global, &admin.gate_results(&subject).await?)?,
        Verb::Lint { .. } => {}
    }
    Ok(Answer::Yes)
}

impl Waive {
    fn of_kind(self, kind: WaiverKind) -> NewWaiver {
        let Self { artifact, case, signature, nvr, until } = self;
        NewWaiver {
            kind,
            artifact,
            case,
            nvr,
            author: signature.author,
            reason: signature.reason,
            until,
        }
    }
}
