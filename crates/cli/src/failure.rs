//! How a command ends: what it says, and with which exit code.

use std::io::Write as _;
use std::process::ExitCode;

use server::StartError;
use server::admin::{AdminError, ErrorKind};
use server::config::ConfigError;
use server::run::ServeError;

/// What a question came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Done, or yes.
    Yes,
    /// The answer is no.
    No,
}

impl Answer {
    /// `Yes` if it holds.
    pub(crate) fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    /// 0 or 1.
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Yes => ExitCode::SUCCESS,
            Self::No => ExitCode::from(1),
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line says something that cannot be.
    Usage(String),
    /// The configuration.
    Config(ConfigError),
    /// Looking or intervening failed.
    Admin(AdminError),
    /// The server ended.
    Serve(ServeError),
    /// The answer could not be written.
    Output(std::io::Error),
    /// What cannot happen.
    Internal(String),
}

impl Failure {
    /// Says on standard error what is wrong, and ends with the code of its kind.
    pub(crate) fn tell(&self) -> ExitCode {
        // If nobody hears it, the exit code still tells.
        let _ = writeln!(std::io::stderr(), "error: {}", self.message());
        ExitCode::from(self.code())
    }

    fn message(&self) -> String {
        match self {
            Self::Usage(problem) => problem.clone(),
            Self::Config(error) => error.to_string().trim_end().to_owned(),
            Self::Admin(error) => match error.kind() {
                ErrorKind::Outside => {
                    format!("{error}\nhint: `millstream doctor` looks for what is missing")
                }
                ErrorKind::Input | ErrorKind::Internal => error.to_string(),
            },
            Self::Serve(error) => {
                format!("{error}\nhint: `millstream doctor` looks for what is missing")
            }
            Self::Output(error) => format!("could not write the answer: {error}"),
            Self::Internal(problem) => format!("{problem}; please report this as a defect"),
        }
    }

    /// 2: wrong use or bad input; 3: an outside system failed; 4: internal.
    fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Config(_) => 2,
            Self::Admin(error) => match error.kind() {
                ErrorKind::Input => 2,
                ErrorKind::Outside => 3,
                ErrorKind::Internal => 4,
            },
            Self::Serve(
                ServeError::Start(StartError::Policy { .. } | StartError::Rules(_))
                | ServeError::Acts(_),
            ) => 2,
            Self::Serve(_) | Self::Output(_) => 3,
            Self::Internal(_) => 4,
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        Self::Admin(error)
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        Self::Serve(error)
    }
}
