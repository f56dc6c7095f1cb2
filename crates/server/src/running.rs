//! What this process has under way: one slot for each isolated root, and a handle to end it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use adapters::sandbox::Cancel;
use uuid::Uuid;

use crate::context::Context;

/// Builds, test runs and readings of specs under way in this process.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    slots: PathBuf,
    work: Arc<Mutex<HashMap<Uuid, Option<Cancel>>>>,
}

/// A place for an isolated root. Dropping it frees the place.
///
/// Whoever has it is the only one here to work on that id. It is taken before the work is recorded as under way and
/// kept until its end is recorded, so that what is recorded as ours and has no place was given up.
#[derive(Debug)]
pub(crate) struct Place {
    running: Running,
    /// The slot's number, which no other root on this machine has.
    pub(crate) slot: u32,
    id: Uuid,
    _lock: File,
}

impl Running {
    /// Nothing is under way yet. Slots are shared with other processes through locks on files in the data folder.
    pub(crate) fn new(data: &Path) -> io::Result<Self> {
        let slots = data.join("slots");
        fs::create_dir_all(&slots)?;
        Ok(Self { slots, work: Arc::default() })
    }

    /// Takes a place for the work of this id; none if it is under way already.
    pub(crate) fn enter(&self, id: Uuid) -> io::Result<Option<Place>> {
        if self.work().contains_key(&id) {
            return Ok(None);
        }
        for slot in 0.. {
            let lock = File::create(self.slots.join(slot.to_string()))?;
            if lock.try_lock().is_ok() {
                self.work().insert(id, None);
                return Ok(Some(Place { running: self.clone(), slot, id, _lock: lock }));
            }
        }
        Ok(None)
    }

    /// Whether the work of this id is under way here.
    pub(crate) fn has(&self, id: Uuid) -> bool {
        self.work().contains_key(&id)
    }

    /// What is under way here.
    pub(crate) fn ids(&self) -> Vec<Uuid> {
        self.work().keys().copied().collect()
    }

    /// Ends the work of this id, if it is under way here.
    pub(crate) fn cancel(&self, id: Uuid) {
        if let Some(Some(cancel)) = self.work().get(&id) {
            cancel.cancel();
        }
    }

    /// How much is under way.
    pub(crate) fn count(&self) -> usize {
        self.work().len()
    }

    fn work(&self) -> MutexGuard<'_, HashMap<Uuid, Option<Cancel>>> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Makes the work cancellable.
    pub(crate) fn can_be_ended_by(&self, cancel: Cancel) {
        self.running.work().insert(self.id, Some(cancel));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.running.work().remove(&self.id);
    }
}

impl Context {
    /// Whether work that is recorded as under way is so no more: its process is gone, or it is this one and gave up.
    pub(crate) fn is_given_up(&self, owner: &str, work: Uuid) -> bool {
        if owner == self.owner.name() {
            !self.running.has(work)
        } else {
            !self.owner.is_alive(owner)
        }
    }
}
