//! Keeps the solver's process: one line in, one line out, started again when it dies.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use super::ClosureError;

const PROGRAM: &str = include_str!("closure.py");

/// The Python that Debian's bindings of dnf belong to; another one in the path has none.
const PYTHON: &str = "/usr/bin/python3";

const STDERR: &str = "stderr.log";

/// A request and the place for its answer.
struct Job {
    request: String,
    reply: oneshot::Sender<Result<String, ClosureError>>,
}

/// The thread that owns the process. It ends with this value, and the process with it.
#[derive(Debug)]
pub(super) struct Worker {
    jobs: mpsc::Sender<Job>,
    child: Arc<Mutex<Option<Child>>>,
}

impl Worker {
    /// Prepares the process; it is started with the first request.
    pub(super) fn start(work: &Path, options: &[&str]) -> Result<Self, ClosureError> {
        let work = std::path::absolute(work).unwrap_or_else(|_| work.to_owned());
        let failed = |source| ClosureError::Start { work: work.clone(), source };
        fs::create_dir_all(&work).map_err(failed)?;
        let (jobs, queue) = mpsc::channel::<Job>();
        let child = Arc::new(Mutex::new(None));
        let mut solver = Solver {
            work: work.clone(),
            options: options.iter().map(|&option| option.to_owned()).collect(),
            child: Arc::clone(&child),
            pipes: None,
        };
        // The kernel kills the process with the thread that started it, so this must be none of the runtime's.
        thread::Builder::new()
            .name("solver".to_owned())
            .spawn(move || {
                for job in queue {
                    let answer = solver.answer(&job);
                    // Nobody may be waiting any more.
                    let _ = job.reply.send(answer);
                }
                solver.stop();
            })
            .map_err(failed)?;
        Ok(Self { jobs, child })
    }

    /// Sends a request and waits for the answer.
    pub(super) async fn ask(
        &self,
        request: String,
        limit: Duration,
    ) -> Result<String, ClosureError> {
        let gone = || ClosureError::Died { message: "its thread is gone".to_owned() };
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job { request, reply }).map_err(|_| gone())?;
        match tokio::time::timeout(limit, answer).await {
            Ok(answer) => answer.map_err(|_| gone())?,
            Err(_) => {
                // The thread reads from the process and learns of its end; the next request starts another.
                kill(&self.child);
                Err(ClosureError::TimedOut { limit })
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The thread may be waiting for an answer that nobody wants any more.
        kill(&self.child);
    }
}

struct Solver {
    work: PathBuf,
    options: Vec<String>,
    child: Arc<Mutex<Option<Child>>>,
    pipes: Option<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Solver {
    fn answer(&mut self, job: &Job) -> Result<String, ClosureError> {
        // A process may have died since the last question, or been killed for another one that took too long.
        for _ in 0..2 {
            if job.reply.is_closed() {
                break;
            }
            match self.exchange(&job.request) {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) => self.stop(),
                Err(source) => {
                    self.stop();
                    return Err(ClosureError::Start { work: self.work.clone(), source });
                }
            }
        }
        Err(ClosureError::Died { message: self.last_words() })
    }

    /// The answer to a request; none if the process died over it.
    fn exchange(&mut self, request: &str) -> io::Result<Option<String>> {
        let pipes = match self.pipes.take() {
            Some(pipes) => pipes,
            None => self.spawn()?,
        };
        let (stdin, stdout) = self.pipes.insert(pipes);
        let mut answer = String::new();
        let asked = stdin.write_all(request.as_bytes()).and_then(|()| stdin.write_all(b"\n"));
        let heard = asked.and_then(|()| stdout.read_line(&mut answer));
        Ok((heard.is_ok() && answer.ends_with('\n')).then_some(answer))
    }

    fn spawn(&self) -> io::Result<(ChildStdin, BufReader<ChildStdout>)> {
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--", PYTHON, "-I"])
            .args(&self.options)
            .args(["-c", PROGRAM])
            .arg(&self.work)
            .current_dir(&self.work)
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", &self.work)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(self.work.join(STDERR))?);
        let mut child = command.spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        let (stdin, stdout) = pipes.ok_or_else(|| io::Error::other("no pipes to the process"))?;
        Ok((stdin, BufReader::new(stdout)))
    }

    fn stop(&mut self) {
        self.pipes = None;
        kill(&self.child);
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut child) = child {
            // It was killed: there is nothing to learn from how it ended.
            let _ = child.wait();
        }
    }

    fn last_words(&self) -> String {
        let words = fs::read(self.work.join(STDERR)).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).trim().to_owned();
        let lines: Vec<&str> = words.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

fn kill(child: &Mutex<Option<Child>>) {
    if let Some(child) = child.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        // It fails only for a process that has ended.
        let _ = child.kill();
    }
}
