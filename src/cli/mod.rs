//! The command line: parse, call one function of a room, print one report. No logic.

pub mod args;
mod exit;

/// Parses the process's arguments and carries the command out.
#[must_use]
pub fn main() -> std::process::ExitCode {
    use clap::Parser as _;
    let _ = args::Cli::parse();
    exit::Exit::Done.into()
}
