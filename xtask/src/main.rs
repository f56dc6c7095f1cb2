//! House rules a machine can check (`cargo xtask tidy`) and the one definition of green (`cargo xtask ci`).
//!
//! It uses the standard library only, so that a fresh clone runs it after a second of building.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool prints")]

mod ci;
mod manifest;
mod source;
mod tidy;
mod tree;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND
  tidy            the house rules that rustfmt and clippy do not know
  ci [--no-test]  everything that must be green: fmt, clippy, doc, tidy, deny, tests";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let green = match arguments[..] {
        ["tidy"] => tidy::run(root),
        ["ci"] => ci::run(root, true),
        ["ci", "--no-test"] => ci::run(root, false),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            true
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if green { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
