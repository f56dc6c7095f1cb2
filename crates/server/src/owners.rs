//! Who is alive: each process holds a lock on a file of its own, which the kernel gives back when the process dies.
//!
//! Builders share the data folder, so the lock tells at once what a lease tells only after its end.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::clock;
use crate::context::Context;
use crate::reconcile::StageError;

/// This process, alive as long as the value lives.
#[derive(Debug)]
pub(crate) struct Owner {
    name: String,
    folder: PathBuf,
    _lock: File,
}

impl Owner {
    /// Registers this process in the data folder.
    pub(crate) fn register(data: &Path) -> io::Result<Self> {
        let folder = data.join("owners");
        fs::create_dir_all(&folder)?;
        let _alone = alone(&folder)?;
        let name = clock::owner();
        let lock = File::create(folder.join(&name))?;
        lock.lock()?;
        Ok(Self { name, folder, _lock: lock })
    }

    /// The name under which it owns things.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the process of that name is still there.
    pub(crate) fn is_alive(&self, name: &str) -> bool {
        name == self.name || is_locked(&self.folder.join(name))
    }

    /// The names of processes that are gone; they are forgotten by [`Owner::forget`].
    pub(crate) fn dead(&self) -> io::Result<Vec<String>> {
        let _alone = alone(&self.folder)?;
        let mut dead = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !self.is_alive(&name) {
                dead.push(name);
            }
        }
        dead.sort();
        Ok(dead)
    }

    /// Removes what is left of a process that is gone.
    pub(crate) fn forget(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Context {
    /// Gives back what processes held that are gone, and forgets them; says whether there were any.
    pub(crate) async fn give_back_of_the_dead(&self) -> Result<bool, StageError> {
        let dead = self.owner.dead().map_err(StageError::outside)?;
        for name in &dead {
            let mut tx = self.store.begin().await?;
            store::leases::release_all(&mut tx, name).await?;
            tx.commit().await?;
            self.owner.forget(name).map_err(StageError::outside)?;
        }
        Ok(!dead.is_empty())
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // The next start would find it unlocked and remove it as well.
        let _ = fs::remove_file(self.folder.join(&self.name));
    }
}

/// Keeps others from registering: between the making of a file and its locking, its process would be taken for dead.
fn alone(folder: &Path) -> io::Result<File> {
    let lock = File::create(folder.with_extension("lock"))?;
    lock.lock()?;
    Ok(lock)
}

fn is_locked(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => matches!(file.try_lock(), Err(TryLockError::WouldBlock)),
        Err(_) => false,
    }
}
