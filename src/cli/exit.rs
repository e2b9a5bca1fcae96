//! Exit codes: one table, the same in every command.

use std::process::ExitCode;

/// What a command ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done, nothing wrong.
    Done = 0,
    /// A step failed; state is safe.
    StepFailed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Plan, map or template is wrong.
    Plan = 3,
    /// Waiting for a person or a date: not a failure.
    Waiting = 4,
    /// Preview unsigned, stale or refused; nothing changed.
    Unsigned = 5,
    /// A difference or tampering was found.
    Difference = 6,
    /// Rollback not possible or not finished: a person is needed.
    Stuck = 7,
    /// Another process holds this run.
    Claimed = 8,
    /// A database cannot be used.
    Database = 9,
    /// Evidence or the run key is missing.
    CannotTell = 10,
    /// Made by a newer version.
    Newer = 11,
    /// A bug in Handover.
    Bug = 70,
    /// Stopped by Ctrl-C at a safe point.
    Interrupted = 130,
    /// Stopped by SIGTERM at a safe point.
    Terminated = 143,
}

impl Exit {
    /// The code of a number that another room computed.
    #[must_use]
    pub fn of(code: u8) -> Exit {
        match code {
            0 => Exit::Done,
            1 => Exit::StepFailed,
            2 => Exit::Usage,
            3 => Exit::Plan,
            4 => Exit::Waiting,
            5 => Exit::Unsigned,
            6 => Exit::Difference,
            7 => Exit::Stuck,
            8 => Exit::Claimed,
            9 => Exit::Database,
            10 => Exit::CannotTell,
            11 => Exit::Newer,
            130 => Exit::Interrupted,
            143 => Exit::Terminated,
            _ => Exit::Bug,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
