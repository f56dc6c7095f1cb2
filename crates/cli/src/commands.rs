//! The commands, each in the file of its name.

pub(crate) mod demo;

pub(crate) mod serve;

pub(crate) mod init;

pub(crate) mod event;

pub(crate) mod branch;

pub(crate) mod plan;
pub(crate) mod rules;

pub(crate) mod why;
pub(crate) mod why_not;

pub(crate) mod build;
pub(crate) mod reproduce;

pub(crate) mod compose;
pub(crate) mod image;
pub(crate) mod where_is;

mod asking;
mod fetching;

pub(crate) mod depcheck;
pub(crate) mod repo;
mod repositories;
pub(crate) mod resolve;
pub(crate) mod whatrequires;

pub(crate) mod gate;

pub(crate) mod freeze;
pub(crate) mod hold;
pub(crate) mod release_hold;
pub(crate) mod retry;

pub(crate) mod retention;
pub(crate) mod shadow;
pub(crate) mod status;
pub(crate) mod subscribe;

pub(crate) mod audit;
pub(crate) mod db;
pub(crate) mod token;

pub(crate) mod completions;
pub(crate) mod doctor;

use std::io::IsTerminal as _;

use clap::Subcommand;
use tracing_subscriber::EnvFilter;

use crate::arguments::{Arguments, Global};
use crate::failure::{Answer, Failure};

/// What can be asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Push commits to an example distribution and show how they travel
    Demo(demo::Args),
    /// Run the server until it is told to stop
    Serve(serve::Args),
    /// Lay out the database, the dist-git folder and its hooks
    Init(init::Args),
    /// What happened outside: list, show, send, replay
    Event(event::Args),
    /// Where branches pointed, and when
    Branch(branch::Args),
    /// Plans: list, show, run, approve, cancel; or what would happen (--if)
    Plan(plan::Args),
    /// Rules: list, lint, test, explain
    Rules(rules::Args),
    /// Why an artifact is rebuilt, retested or left alone; why a package would be installed or not
    Why(why::Args),
    /// Why an artifact is not rebuilt
    WhyNot(why_not::Args),
    /// Builds and their logs
    Build(build::Args),
    /// Images: list, show, and which contain a package
    Image(image::Args),
    /// Composes: list, show, diff, or make one here
    Compose(compose::Args),
    /// Build again from the recorded inputs and compare the facets
    Reproduce(reproduce::Args),
    /// Whether a fresh build of something is under way, complete, published or on its way
    #[command(name = "where")]
    WhereIs(where_is::Args),
    /// What is in repositories: info, load
    Repo(repo::Args),
    /// What would be installed from repositories
    Resolve(resolve::Args),
    /// Who needs a package, a capability or a file
    #[command(name = "whatrequires")]
    WhatRequires(whatrequires::Args),
    /// Whether a repository can be merged, or packages removed, and what would break
    Depcheck(depcheck::Args),
    /// Gates: decide, waive, sign-off, lint, results
    Gate(gate::Args),
    /// Leave an artifact out of plans for a while
    Freeze(freeze::Args),
    /// Keep an artifact's steps from starting; or list what is frozen and held
    Hold(hold::Args),
    /// Release an artifact from its freeze or hold
    ReleaseHold(release_hold::Args),
    /// Go on where something stopped
    Retry(retry::Args),
    /// How everything stands, and what waits for whom
    Status(status::Args),
    /// What shadow mode would have done, against what was built: report, list
    Shadow(shadow::Args),
    /// Who is told of what, by mail or webhook: add, list, remove, notices
    Subscribe(subscribe::Args),
    /// What is removed from the disk: list, run
    Retention(retention::Args),
    /// The database: migrate, check
    Db(db::Args),
    /// Who wrote what over HTTP
    Audit(audit::Args),
    /// Tokens of the API's clients
    Token(token::Args),
    /// Look whether the machine has what a server needs
    Doctor(doctor::Args),
    /// Print the completions of a shell
    Completions(completions::Args),
}

/// Runs a command to its end.
pub(crate) fn run(arguments: Arguments) -> Result<Answer, Failure> {
    let Arguments { global, command } = arguments;
    log(&global, &command)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime
        .map_err(|error| Failure::Internal(format!("could not start the runtime: {error}")))?;
    runtime.block_on(dispatch(command, &global))
}

async fn dispatch(command: Command, global: &Global) -> Result<Answer, Failure> {
    match command {
        Command::Demo(args) => demo::run(args, global).await,
        Command::Serve(args) => serve::run(args, global).await,
        Command::Init(args) => init::run(&args, global).await,
        Command::Event(args) => event::run(args, global).await,
        Command::Branch(args) => branch::run(args, global).await,
        Command::Plan(args) => plan::run(args, global).await,
        Command::Rules(args) => rules::run(args, global).await,
        Command::Why(args) => why::run(&args, global).await,
        Command::WhyNot(args) => why_not::run(&args, global).await,
        Command::Build(args) => build::run(args, global).await,
        Command::Image(args) => image::run(args, global).await,
        Command::Compose(args) => compose::run(args, global).await,
        Command::Reproduce(args) => reproduce::run(&args, global).await,
        Command::WhereIs(args) => where_is::run(args, global).await,
        Command::Repo(args) => repo::run(&args, global),
        Command::Resolve(args) => resolve::run(&args, global),
        Command::WhatRequires(args) => whatrequires::run(&args, global),
        Command::Depcheck(args) => depcheck::run(&args, global),
        Command::Gate(args) => gate::run(args, global).await,
        Command::Freeze(args) => freeze::run(args, global).await,
        Command::Hold(args) => hold::run(args, global).await,
        Command::ReleaseHold(args) => release_hold::run(args, global).await,
        Command::Retry(args) => retry::run(args, global).await,
        Command::Status(args) => status::run(&args, global).await,
        Command::Shadow(args) => shadow::run(args, global).await,
        Command::Subscribe(args) => subscribe::run(args, global).await,
        Command::Retention(args) => retention::run(args, global).await,
        Command::Db(args) => db::run(args, global).await,
        Command::Audit(args) => audit::run(args, global).await,
        Command::Token(args) => token::run(args, global).await,
        Command::Doctor(args) => doctor::run(&args, global).await,
        Command::Completions(args) => completions::run(&args),
    }
}

/// A server says what it does; everything else only what is amiss.
fn log(global: &Global, command: &Command) -> Result<(), Failure> {
    let default = if matches!(command, Command::Serve(_)) { "info" } else { "warn" };
    let wanted = global.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(wanted)
        .map_err(|error| Failure::Usage(format!("--log {wanted}: {error}")))?;
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(ansi)
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}
