//! `millstream event`: what happened outside.

use std::path::PathBuf;

use clap::Subcommand;
use server::admin::events::Asked;
use server::admin::{Admin, ArtifactKey, EventFilter, Message, Request, Severity};

use crate::arguments::{Global, Limit, request, severity};
use crate::failure::{Answer, Failure};
use crate::output;

/// What to do with events.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the newest events
    List {
        /// Of this artifact only, e.g. rpms/zlib#f44
        artifact: Option<ArtifactKey>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Show an event and everything that followed from it
    Show {
        /// Its number
        number: i64,
    },
    /// Send a message: a request for a rebuild or a retest, or any topic and body
    Send(Send),
    /// Store the messages of a file, one JSON object {id?, topic, body} on each line; or look at one again
    Replay {
        /// The file
        #[arg(required_unless_present = "message")]
        file: Option<PathBuf>,
        /// Look again at this rejected or ignored message
        #[arg(long, value_name = "ID", conflicts_with = "file")]
        message: Option<String>,
    },
    /// List the messages that could not be read, with the place and the reason
    Rejected {
        #[command(flatten)]
        limit: Limit,
    },
}

#[derive(clap::Args, Debug)]
struct Send {
    /// Ask for something to be done with this artifact
    #[arg(long, required_unless_present = "topic", conflicts_with = "topic")]
    artifact: Option<ArtifactKey>,
    /// What to do with it: rebuild or retest
    #[arg(long, default_value = "rebuild", value_parser = request, conflicts_with = "topic")]
    request: Request,
    /// Why
    #[arg(long, required_unless_present = "topic", conflicts_with = "topic", value_name = "TEXT")]
    reason: Option<String>,
    /// Who asks
    #[arg(long, env = "MILLSTREAM_AUTHOR", required_unless_present = "topic", value_name = "NAME")]
    author: Option<String>,
    /// How urgent it is: none, low, moderate, important or critical
    #[arg(long, default_value = "none", value_parser = severity, conflicts_with = "topic")]
    severity: Severity,
    /// Send a message of this topic
    #[arg(long, requires = "body")]
    topic: Option<String>,
    /// Its body in JSON
    #[arg(long, requires = "topic", value_name = "JSON")]
    body: Option<String>,
    /// Its id; a second message with the same id changes nothing
    #[arg(long, requires = "topic")]
    id: Option<String>,
}

/// Does it.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    let admin = global.admin().await?;
    match args.verb {
        Verb::List { artifact, limit } => {
            let wanted = EventFilter { artifact, ..EventFilter::default() };
            output::answer(global, &admin.events(&wanted, limit.limit).await?)?;
        }
        Verb::Show { number } => output::answer(global, &admin.event(number).await?)?,
        Verb::Send(args) => send(args, &admin, global).await?,
        Verb::Replay { file: Some(file), .. } => {
            let replay = admin.replay(&file).await?;
            output::answer(global, &replay)?;
            if !replay.is_clean() {
                let problem = format!(
                    "{} lines of {} could not be read",
                    replay.rejected.len(),
                    file.display()
                );
                return Err(Failure::Usage(problem));
            }
        }
        Verb::Replay { message, .. } => {
            output::answer(global, &admin.replay_message(&message.unwrap_or_default()).await?)?;
        }
        Verb::Rejected { limit } => {
            output::answer(global, &admin.rejected_messages(limit.limit).await?)?;
        }
    }
    Ok(Answer::Yes)
}

async fn send(args: Send, admin: &Admin, global: &Global) -> Result<(), Failure> {
    let sent = match (args.artifact, args.topic) {
        (Some(artifact), _) => {
            let (by, reason) = (args.author.unwrap_or_default(), args.reason.unwrap_or_default());
            let asked =
                Asked { artifact, request: args.request, by, reason, severity: args.severity };
            admin.ask(&asked).await?
        }
        (None, topic) => {
            let (id, topic) = (args.id.unwrap_or_default(), topic.unwrap_or_default());
            admin.send(Message { id, topic, body: args.body.unwrap_or_default() }).await?
        }
    };
    output::answer(global, &sent)
}
