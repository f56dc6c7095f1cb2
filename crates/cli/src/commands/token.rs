//! `millstream token`: by which clients of the API show who they are.

use clap::Subcommand;
use server::admin::time::Moment;
use server::admin::tokens::Scope;

use crate::arguments::{Global, moment};
use crate::failure::{Answer, Failure};
use crate::output;

/// What to do with tokens.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a token and print its secret, which nobody can show again
    Create {
        /// Its name
        name: String,
        /// Until when it is valid; for ever if this is left out
        #[arg(long, value_parser = moment, value_name = "TIME")]
        expires: Option<Moment>,
        /// What it is good for: messages, results, gate, plans, holds or admin; may be given more than once
        #[arg(long = "scope", value_name = "SCOPE", default_value = "messages")]
        scopes: Vec<Scope>,
    },
    /// List tokens, without their secrets
    List,
    /// Make a token worthless
    Revoke {
        /// Its name
        name: String,
    },
}

/// Does it.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    let admin = global.admin().await?;
    match args.verb {
        Verb::Create { name, expires, scopes } => {
            output::answer(global, &admin.create_token(&name, &scopes, expires).await?)?;
        }
        Verb::List => output::answer(global, &admin.tokens().await?)?,
        Verb::Revoke { name } => output::answer(global, &admin.revoke_token(&name).await?)?,
    }
    Ok(Answer::Yes)
}
