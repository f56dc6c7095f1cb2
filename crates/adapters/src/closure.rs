//! Asks dnf's solver which packages an installation needs, and which packages can be installed at all.
//!
//! The solver is reached through dnf's Python bindings in a process that is kept: starting it takes far longer
//! than an answer, and it keeps the repositories it loaded last.

mod process;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::version::Nevra;
use serde::{Deserialize, Serialize};

use process::Worker;

/// The package that stands for the host's toolchain; every answer contains it.
pub const HOST_TOOLCHAIN: &str = "host-toolchain";

/// The longest an answer may take.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// Why there is no answer. That something cannot be installed is an answer.
#[derive(Debug, thiserror::Error)]
pub enum ClosureError {
    /// The solver's process could not be started.
    #[error("could not start the solver in {}: {source}", work.display())]
    Start {
        /// The folder it works in.
        work: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// dnf's Python bindings are not there.
    #[error("dnf's Python bindings are missing ({message}); install python3-dnf")]
    Missing {
        /// What Python said.
        message: String,
    },
    /// The process ended without an answer, twice.
    #[error("the solver died: {message}")]
    Died {
        /// The end of what it printed.
        message: String,
    },
    /// The process was killed because it took too long.
    #[error("the solver did not answer within {} s", limit.as_secs_f64())]
    TimedOut {
        /// How long it had.
        limit: Duration,
    },
    /// A repository cannot be read.
    #[error("could not read the repository {}: {message}", path.display())]
    Repository {
        /// The repository, or the file in it.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The process answered something else.
    #[error("the solver answered something unexpected: {0}")]
    Unexpected(#[from] serde_json::Error),
    /// The answer is not the answer to the question.
    #[error("the solver gave no answer to {id:?}")]
    Unanswered {
        /// The question's id.
        id: String,
    },
}

/// What should be installed together into an empty root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// Names the question in the answers; each question its own.
    pub id: String,
    /// Names, capabilities such as `zlib >= 1.3`, files or NEVRAs.
    pub install: Vec<String>,
    /// Whether recommended packages are wanted too.
    pub weak: bool,
}

/// What the solver says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// These packages have to be installed, sorted.
    Packages(Vec<ResolvedPackage>),
    /// It is impossible, for these reasons.
    Problems(Vec<String>),
}

/// A package that would be installed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ResolvedPackage {
    /// Its identity.
    pub nevra: Nevra,
    /// Its file.
    pub path: PathBuf,
}

/// Whether one package of a repository can be installed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Installability {
    /// Its identity.
    pub nevra: Nevra,
    /// Its file.
    pub path: PathBuf,
    /// Why it cannot; none if it can.
    pub problems: Vec<String>,
}

#[derive(Serialize)]
struct Request<'a> {
    repositories: Vec<PathBuf>,
    base: [&'static str; 1],
    questions: &'a [Question],
    installable: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Response {
    Answers(BTreeMap<String, Answer>),
    Installable(Vec<Installability>),
    Error { kind: String, path: PathBuf, message: String },
}

/// The solver, kept ready. Questions are answered one after the other.
///
/// The process is started with the first question, started again when it dies, and ends with this value;
/// if this program is killed, the kernel kills the solver as well.
#[derive(Debug)]
pub struct Closures {
    worker: Worker,
}

impl Closures {
    /// Prepares the solver, which keeps its temporary files in the folder `work`.
    pub fn start(work: &Path) -> Result<Self, ClosureError> {
        Ok(Self { worker: Worker::start(work, &[])? })
    }

    /// Answers questions against repositories: folders with metadata, folders of RPM files, or single RPM files.
    pub async fn resolve(
        &self,
        repositories: &[PathBuf],
        questions: &[Question],
    ) -> Result<BTreeMap<String, Answer>, ClosureError> {
        let answers = match self.ask(repositories, questions, false).await? {
            Response::Answers(answers) => answers,
            _ => BTreeMap::new(),
        };
        match questions.iter().find(|question| !answers.contains_key(&question.id)) {
            None => Ok(answers),
            Some(question) => Err(ClosureError::Unanswered { id: question.id.clone() }),
        }
    }

    /// Asks of every package in the repositories whether it can be installed by itself.
    pub async fn installable(
        &self,
        repositories: &[PathBuf],
    ) -> Result<Vec<Installability>, ClosureError> {
        match self.ask(repositories, &[], true).await? {
            Response::Installable(packages) => Ok(packages),
            _ => Err(ClosureError::Unanswered { id: "installable".to_owned() }),
        }
    }

    async fn ask(
        &self,
        repositories: &[PathBuf],
        questions: &[Question],
        installable: bool,
    ) -> Result<Response, ClosureError> {
        // The solver runs in a folder of its own.
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let repositories = repositories.iter().map(absolute).collect();
        let request = Request { repositories, base: [HOST_TOOLCHAIN], questions, installable };
        let answer = self.worker.ask(serde_json::to_string(&request)?, TIME_LIMIT).await?;
        match serde_json::from_str(&answer)? {
            Response::Error { kind, message, .. } if kind == "missing" => {
                Err(ClosureError::Missing { message })
            }
            Response::Error { path, message, .. } => {
                Err(ClosureError::Repository { path, message })
            }
            response => Ok(response),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn missing_bindings_are_named() {
        let work = tempfile::tempdir().unwrap();
        // Without its site packages Python finds none of dnf.
        let closures = Closures { worker: Worker::start(work.path(), &["-S"]).unwrap() };
        let error = closures.resolve(&[], &[]).await.unwrap_err();
        assert!(matches!(error, ClosureError::Missing { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_process_that_dies_is_told_with_its_last_words() {
        let work = tempfile::tempdir().unwrap();
        let closures =
            Closures { worker: Worker::start(work.path(), &["--no-such-option"]).unwrap() };
        let error = closures.resolve(&[], &[]).await.unwrap_err();
        assert!(error.to_string().contains("no-such-option"), "{error}");
    }

    #[tokio::test]
    async fn a_process_that_hangs_is_killed_and_replaced() {
        let work = tempfile::tempdir().unwrap();
        let once = "import os, sys, time\nif not os.path.exists(sys.argv[-1] + '/hung'):\n  \
                    open(sys.argv[-1] + '/hung', 'w'); time.sleep(600)\n\
                    for line in sys.stdin: print('{\"answers\": {}}', flush=True)";
        let closures = Closures { worker: Worker::start(work.path(), &["-c", once]).unwrap() };
        let limit = Duration::from_millis(300);
        let error = closures.worker.ask("{}".to_owned(), limit).await.unwrap_err();
        assert!(matches!(error, ClosureError::TimedOut { .. }), "{error}");
        assert!(closures.resolve(&[], &[]).await.unwrap().is_empty());
    }
}
