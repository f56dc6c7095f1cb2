//! The binary `millstream`.

mod arguments;
mod commands;
mod failure;
mod output;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::Arguments;

fn main() -> ExitCode {
    match commands::run(Arguments::parse()) {
        Ok(answer) => answer.exit_code(),
        Err(failure) => failure.tell(),
    }
}
