//! `millstream gate`: what stands between a build and its dependents.

use std::path::PathBuf;

use clap::Subcommand;
use server::admin::gate_board::Unsigned;
use server::admin::time::Moment;
use server::admin::waivers::NewWaiver;
use server::admin::{Admin, ArtifactKey, WaiverKind, gates};

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
    /// Let be published what waits for a person, or accept that a commit removes a test from its gate
    SignOff(SignOff),
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

#[derive(clap::Args, Debug)]
struct SignOff {
    /// The artifact, e.g. composes/workstation#f44
    artifact: ArtifactKey,
    /// The test case, e.g. tests.hello; the one that waits if left out
    #[arg(long)]
    case: Option<String>,
    #[command(flatten)]
    signature: Signature,
    /// For this build only; the one that waits if no case is given
    #[arg(long, requires = "case")]
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
            output::answer(global, &admin.waive(&waive.waiver()).await?)?;
        }
        Verb::SignOff(sign_off) => {
            let sign_off = sign_off.complete(&admin).await?;
            output::answer(global, &admin.waive(&sign_off).await?)?;
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
    fn waiver(self) -> NewWaiver {
        let Self { artifact, case, signature: Signature { author, reason }, nvr, until } = self;
        NewWaiver { kind: WaiverKind::Waiver, artifact, case, nvr, author, reason, until }
    }
}

impl SignOff {
    /// With the case and the build that wait, where none is named.
    async fn complete(self, admin: &Admin) -> Result<NewWaiver, Failure> {
        let Self { artifact, case, signature: Signature { author, reason }, nvr, until } = self;
        let Unsigned { case, nvr } = match case {
            Some(case) => Unsigned { case, nvr },
            None => admin.unsigned(&artifact).await?,
        };
        Ok(NewWaiver { kind: WaiverKind::SignOff, artifact, case, nvr, author, reason, until })
    }
}
