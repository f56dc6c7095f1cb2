//! `millstream db`: looks after the database.

use clap::Subcommand;
use server::admin::database;

use crate::arguments::Global;
use crate::failure::{Answer, Failure};
use crate::output;

/// What to do with the database.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Bring its tables up to date; make it if need be
    Migrate,
    /// Look for missing migrations, damage, and rows that cannot be read
    Check,
}

/// Does it.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    let config = global.config()?;
    match args.verb {
        Verb::Migrate => {
            output::answer(global, &database::migrate(&config).await?)?;
            Ok(Answer::Yes)
        }
        Verb::Check => {
            let check = database::check(&config).await?;
            output::answer(global, &check)?;
            Ok(Answer::of(check.is_sound()))
        }
    }
}
