//! Long work on a thread of its own, which can be awaited and cancelled.
//!
//! The kernel ties the life of a cell to the *thread* that started it, and threads of an async runtime
//! come and go. So every cell has its own, which stays until the cell has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tokio::sync::oneshot;

use crate::sandbox::SandboxError;

/// Ends the work it belongs to. It may be cloned and used from anywhere, more than once.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks for the end. All processes are gone when the job answers.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Work under way. Dropping it cancels the work.
#[derive(Debug)]
pub struct Job<T> {
    cancel: Cancel,
    answer: oneshot::Receiver<T>,
}

/// The thread ended without an answer, which only a panic in it explains.
#[derive(Debug, thiserror::Error)]
#[error("the thread of an isolated job ended without an answer")]
pub struct Lost;

impl<T> Job<T> {
    /// A handle that ends the work.
    pub fn canceller(&self) -> Cancel {
        self.cancel.clone()
    }

    /// Waits for the answer. Cancelling this future ends the work.
    ///
    /// # Errors
    /// The thread panicked.
    pub async fn wait(mut self) -> Result<T, Lost> {
        (&mut self.answer).await.map_err(|_| Lost)
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// Starts `work` on a thread of its own.
pub(crate) fn start<T: Send + 'static>(
    name: &str,
    work: impl FnOnce(&Cancel) -> T + Send + 'static,
) -> Result<Job<T>, SandboxError> {
    let cancel = Cancel::default();
    let seen = cancel.clone();
    let (sender, answer) = oneshot::channel();
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            // Nobody waits for the answer of a dropped job.
            let _ = sender.send(work(&seen));
        })
        .map_err(|source| SandboxError::Start {
            program: "a thread",
            purpose: "run a job",
            source,
        })?;
    Ok(Job { cancel, answer })
}
