//! `millstream completions`: what a shell needs to complete commands.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::failure::{Answer, Failure};
use crate::output;

/// For which shell.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// Prints them.
pub(crate) fn run(args: &Args) -> Result<Answer, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "millstream", &mut script);
    output::bytes(&script)?;
    Ok(Answer::Yes)
}
