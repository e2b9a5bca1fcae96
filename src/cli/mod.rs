//! The command line: parse, call one function of a room, print one report. No logic.
//!
//! In: arguments, environment, files that people name. Out: stdout, stderr, an exit code.

pub mod args;
mod exit;
mod failure;
mod fresh;
mod output;
mod settings;

mod against_live;
mod anchor;
mod approve;
mod brought;
mod check;
mod close;
mod demo;
mod evidence;
mod explain;
mod export;
mod key;
mod log;
mod new;
mod one_entry;
mod preview;
mod progress;
mod replay;
mod rollback;
mod run;
mod saved;
mod signed;
mod signing;
mod site;
mod status;
mod trust;
mod verify;
mod witness;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use self::args::{Cli, Command};
use self::exit::Exit;
use self::failure::Failure;
use self::output::Output;

/// What every command comes to.
type Outcome = Result<Exit, Failure>;

/// Parses the process's arguments and carries the command out.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    output::diagnostics(&cli.global);
    let output = Output::settle(&cli.global);
    let exit = std::panic::catch_unwind(|| carry_out(&cli, &output)).unwrap_or_else(|_| {
        Err(Failure::new(
            Exit::Bug,
            "this is a bug in Handover; what is durable is safe",
        )
        .with(failure::hint(
            "run the same command again: it goes on from what is durable",
        )))
    });
    match exit {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output.failure(&failure);
            failure.exit.into()
        }
    }
}

fn carry_out(cli: &Cli, output: &Output) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|fault| Failure::from_error(Exit::Bug, &fault))?;
    let global = &cli.global;
    runtime.block_on(async {
        match &cli.command {
            Command::Demo(args) => Box::pin(demo::demo(args, output)).await,
            Command::New(args) => new::new(args, output),
            Command::Check(args) => check::check(args, global, output).await,
            Command::Preview(args) => Box::pin(preview::preview(args, global, output)).await,
            Command::Run(args) => Box::pin(run::run(args, global, output)).await,
            Command::Status(args) => status::status(args, global, output).await,
            Command::Approve(args) => Box::pin(approve::approve(args, global, output)).await,
            Command::Rollback(args) => rollback::rollback(args, global, output).await,
            Command::Replay(args) => replay::replay(args, global, output).await,
            Command::Verify(args) => verify::verify(args, global, output).await,
            Command::Export(args) => export::export(args, global, output).await,
            Command::Explain(args) => explain::explain(args, output),
            Command::Close(args) => close::close(args, global, output).await,
            Command::Key(args) => key::key(args, global, output).await,
            Command::Anchor(args) => anchor::anchor(args, global, output).await,
            Command::Witness(args) => witness::witness(args, global, output).await,
            Command::Schema => {
                output.value(&crate::plan::schema());
                Ok(Exit::Done)
            }
            Command::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(*shell, &mut Cli::command(), "handover", &mut script);
                output.data(&String::from_utf8_lossy(&script));
                Ok(Exit::Done)
            }
            Command::Man => {
                let mut page = Vec::new();
                clap_mangen::Man::new(Cli::command())
                    .render(&mut page)
                    .map_err(|fault| Failure::from_error(Exit::Bug, &fault))?;
                output.data(&String::from_utf8_lossy(&page));
                Ok(Exit::Done)
            }
        }
    })
}
